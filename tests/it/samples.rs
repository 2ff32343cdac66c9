//! What `kubectl apply -f config/samples/` sends is what an API server takes, and fits together.

use std::collections::BTreeSet;
use std::path::Path;

use clawdet::api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, ValidationDirective};
use kube::{Api, Client, CustomResourceExt, ResourceExt};
use serde_json::Value;

fn samples() -> Vec<DynamicObject> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|file| serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap())
        .collect()
}

/// An API server with our kinds.
pub(crate) async fn cluster() -> Client {
    let server = kube_embedded::Server::builder().build().await.unwrap();
    let client = Client::new(server, "default");
    let params = PatchParams::apply("test").force();
    for crd in api::definitions() {
        let name = crd.name_any();
        let all = Api::all(client.clone());
        all.patch(&name, &params, &Patch::Apply(&crd))
            .await
            .unwrap();
        let served = kube::runtime::conditions::is_crd_established();
        kube::runtime::wait::await_condition(all, &name, served)
            .await
            .unwrap();
    }
    client
}

async fn apply(client: &Client, object: &DynamicObject) -> Result<DynamicObject, kube::Error> {
    let kind = object.types.as_ref().unwrap().kind.as_str();
    let resource: ApiResource = match kind {
        "Plan" => api::Plan::api_resource(),
        "Customer" => api::Customer::api_resource(),
        "Instance" => api::Instance::api_resource(),
        other => panic!("no sample of {other} is expected"),
    };
    let params = PatchParams {
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply("kubectl")
    };
    Api::default_namespaced_with(client.clone(), &resource)
        .patch(&object.name_any(), &params, &Patch::Apply(object))
        .await
}

#[tokio::test]
async fn every_sample_is_taken_by_an_api_server_that_refuses_unknown_fields() {
    let client = cluster().await;
    let samples = samples();
    assert!(samples.len() >= 3, "a plan, a customer and an instance");
    for sample in &samples {
        apply(&client, sample).await.unwrap();
    }
    let mut mistyped = samples[0].clone();
    mistyped.data["spec"]["dispalyName"] = "x".into();
    assert!(apply(&client, &mistyped).await.is_err(), "the check is off");
}

#[test]
fn the_samples_name_each_other() {
    let samples = samples();
    let names = |kind: &str| -> BTreeSet<String> {
        let of_kind = |sample: &&DynamicObject| sample.types.as_ref().unwrap().kind == kind;
        samples
            .iter()
            .filter(of_kind)
            .map(ResourceExt::name_any)
            .collect()
    };
    let (plans, customers) = (names("Plan"), names("Customer"));
    for sample in &samples {
        let names_one_of = |field: &str, known: &BTreeSet<String>| match &sample.data["spec"][field]
        {
            Value::String(name) => known.contains(name),
            _ => true,
        };
        assert!(names_one_of("plan", &plans), "{}", sample.name_any());
        assert!(
            names_one_of("customerRef", &customers),
            "{}",
            sample.name_any()
        );
    }
    assert_eq!(names("Instance").len(), 1);
}
