//! What is read out of real clients' paths and headers.

use super::*;

fn ask(uri: &str, accept: &str) -> Result<Ask, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, accept.parse().unwrap());
    Ask::parse(&Method::GET, &uri.parse().unwrap(), &headers)
}

#[test]
fn the_first_form_we_have_is_taken() {
    let check = |accept: &str, encoding, shape| {
        assert_eq!(
            ask("/api", accept).unwrap().accept,
            Accept { encoding, shape },
            "{accept}"
        );
    };
    check("", Encoding::Json, Shape::Whole);
    check("*/*", Encoding::Json, Shape::Whole);
    check("application/json, */*", Encoding::Json, Shape::Whole);
    check("application/yaml", Encoding::Yaml, Shape::Whole);
    check(
        "application/vnd.kubernetes.protobuf,application/json",
        Encoding::Json,
        Shape::Whole,
    );
    check(
        "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
        Encoding::Json,
        Shape::Table,
    );
    check(
        "application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json",
        Encoding::Json,
        Shape::Whole,
    );
    check(
        "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        Encoding::Json,
        Shape::PartialMetadataList,
    );
    check(
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
        Encoding::Json,
        Shape::AggregatedDiscovery,
    );
}

#[test]
fn a_client_that_takes_nothing_we_have_is_told_so() {
    let refused = ask("/api", "application/vnd.kubernetes.protobuf").unwrap_err();
    assert_eq!(refused.code(), 406);
}

#[test]
fn paths_are_cut_and_decoded() {
    let asked = ask("/api/v1//namespaces/a%3Ab?watch=1&limit=5&x=", "").unwrap();
    assert_eq!(asked.segments(), ["api", "v1", "namespaces", "a:b"]);
    assert!(asked.query.flag("watch"));
    assert_eq!(asked.query.number("limit").unwrap(), Some(5));
    assert_eq!(asked.query.get("x"), None);
    assert_eq!(ask("/api/%f", "").unwrap_err().code(), 400);
    assert_eq!(ask("/api/%ff", "").unwrap_err().code(), 400);
}

#[test]
fn options_nobody_knows_are_refused() {
    let asked = |text: &str| ask(&format!("/x?{text}"), "").unwrap();
    assert!(asked("dryRun=Some").dry_run().is_err());
    assert!(asked("fieldValidation=Maybe").field_validation().is_err());
    assert!(
        asked("resourceVersionMatch=About")
            .query
            .version_match()
            .is_err()
    );
    assert!(asked("limit=many").query.number("limit").is_err());
    assert!(asked("resourceVersion=new").query.version().is_err());
    assert!(asked("force=true").force(false).is_err());
    assert!(
        asked(&format!("fieldManager={}", "m".repeat(129)))
            .manager()
            .is_err()
    );
    assert_eq!(asked("").field_validation().unwrap(), FieldValidation::Warn);
}
