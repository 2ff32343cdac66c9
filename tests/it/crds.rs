//! The definitions in `crds/` are those the code makes, and say what a real API server wants to hear.

use std::path::Path;

use clawdet::api;

#[test]
fn the_files_in_crds_are_what_the_code_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crds");
    for crd in api::definitions() {
        let file = folder.join(format!("{}.yaml", crd.spec.names.plural));
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let made = api::definition_yaml(&crd).unwrap();
        assert!(
            kept == made,
            "{} is out of date: run `cargo xtask crds`",
            file.display()
        );
    }
}

#[test]
fn every_kind_is_found_by_its_category_and_shows_its_age() {
    for crd in api::definitions() {
        let name = crd.metadata.name.as_deref().unwrap();
        assert_eq!(crd.spec.group, api::GROUP, "{name}");
        assert_eq!(
            crd.spec.names.categories,
            Some(vec!["clawdet".into()]),
            "{name}"
        );
        let version = &crd.spec.versions[0];
        assert_eq!(version.name, api::VERSION, "{name}");
        assert!(
            version.subresources.as_ref().unwrap().status.is_some(),
            "{name}"
        );
        let columns = version.additional_printer_columns.as_ref().unwrap();
        assert!(columns.iter().any(|column| column.name == "Age"), "{name}");
    }
}

#[test]
fn every_field_a_person_writes_is_explained() {
    for crd in api::definitions() {
        let crd = serde_json::to_value(crd).unwrap();
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        for (field, schema) in spec["properties"].as_object().unwrap() {
            let explained = schema["description"].is_string() || field == "subdomain";
            assert!(
                explained,
                "{}: spec.{field} has no description",
                crd["metadata"]["name"]
            );
        }
    }
}

/// A real API server estimates what a rule may cost from these limits, and refuses a CRD without.
#[test]
fn every_text_list_and_map_under_a_rule_has_a_limit() {
    for crd in api::definitions() {
        let crd = serde_json::to_value(crd).unwrap();
        let spec = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        unlimited(spec, "spec", &mut |path| {
            panic!("{}: {path} has no limit", crd["metadata"]["name"])
        });
    }
}

fn unlimited(schema: &serde_json::Value, path: &str, found: &mut dyn FnMut(&str)) {
    let limited = match schema["type"].as_str() {
        Some("string") => ["maxLength", "enum", "format", "pattern"]
            .iter()
            .any(|key| !schema[key].is_null()),
        Some("array") => schema["maxItems"].is_u64() || schema["maxItems"].is_i64(),
        _ => true,
    };
    if !limited {
        found(path);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        unlimited(inner, &format!("{path}.{name}"), found);
    }
    if schema["items"].is_object() {
        unlimited(&schema["items"], &format!("{path}[]"), found);
    }
}

fn refusal(object: &serde_json::Value, old: Option<&serde_json::Value>) -> String {
    let crd = serde_json::to_value(
        api::definitions()
            .into_iter()
            .find(|crd| Some(crd.spec.names.kind.as_str()) == object["kind"].as_str())
            .unwrap(),
    )
    .unwrap();
    let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
    match kube::core::cel::Validator::new().validate(schema, object, old) {
        Ok(()) => String::new(),
        Err(errors) => errors
            .iter()
            .map(|error| error.message.clone())
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn instance(subdomain: &str) -> serde_json::Value {
    serde_json::json!({"kind": "Instance", "metadata": {"name": "i"}, "spec": {
        "customerRef": "ada", "subdomain": subdomain, "plan": "basic"}})
}

#[test]
fn the_rules_refuse_what_the_parser_refuses() {
    for name in ["ada", "a-1", "-ada", "ada-", "Ada", "a.da", "www", "admin"] {
        let by_rule = refusal(&instance(name), None).is_empty();
        let by_parser = api::Subdomain::parse(name).is_ok();
        assert_eq!(by_rule, by_parser, "{name}");
    }
}

#[test]
fn what_must_not_change_is_refused_with_what_to_do_instead() {
    let said = refusal(&instance("grace"), Some(&instance("ada")));
    assert!(said.contains("a subdomain cannot be changed"), "{said}");
    let customer = |standing: &str| {
        serde_json::json!({"kind": "Customer", "metadata": {"name": "c"}, "spec": {
            "displayName": "Ada", "plan": "basic", "standing": standing}})
    };
    let said = refusal(&customer("Active"), Some(&customer("Closed")));
    assert!(said.contains("a closed account stays closed"), "{said}");
    assert_eq!(
        refusal(&customer("Active"), Some(&customer("Suspended"))),
        ""
    );
}

#[test]
fn a_release_is_a_channel_or_a_version_and_not_both() {
    let with = |release: serde_json::Value| {
        let mut object = instance("ada");
        object["spec"]["release"] = release;
        refusal(&object, None)
    };
    assert_eq!(with(serde_json::json!({"channel": "Stable"})), "");
    assert_eq!(with(serde_json::json!({"version": "2026.9.6"})), "");
    let said = with(serde_json::json!({"channel": "Stable", "version": "2026.9.6"}));
    assert!(
        said.contains("give a channel or a version, not both"),
        "{said}"
    );
}
