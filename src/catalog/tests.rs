//! The view against a short life of objects, without a cluster.

use kube::runtime::watcher::Event;

use super::Catalog;
use crate::api::{Customer, CustomerSpec, Instance, InstanceSpec, Standing, Uid};

fn instance(name: &str, subdomain: &str, created: i64) -> Instance {
    let spec: InstanceSpec = serde_json::from_value(serde_json::json!({
        "customerRef": "c", "subdomain": subdomain, "plan": "basic",
    }))
    .unwrap();
    let mut object = Instance::new(name, spec);
    object.metadata.uid = Some(format!("uid-{name}"));
    let created = jiff::Timestamp::from_second(created).unwrap();
    object.metadata.creation_timestamp = Some(
        k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(created),
    );
    object
}

fn apply(catalog: &Catalog, object: Instance) {
    catalog.apply(Event::Apply(object));
}

#[test]
fn the_oldest_claim_to_a_subdomain_wins_whatever_order_it_is_seen_in() {
    let catalog = Catalog::new("default");
    apply(&catalog, instance("late", "ada", 20));
    assert!(!catalog.has_rival("ada", &Uid::new("uid-late")));
    apply(&catalog, instance("early", "ada", 10));
    assert!(catalog.has_rival("ada", &Uid::new("uid-late")));
    assert!(!catalog.has_rival("ada", &Uid::new("uid-early")));
}

#[test]
fn when_the_first_goes_the_next_is_woken_and_has_the_name() {
    let catalog = Catalog::new("default");
    let mut wakes = catalog.wakes.subscribe();
    let first = instance("early", "ada", 10);
    apply(&catalog, first.clone());
    apply(&catalog, instance("late", "ada", 20));
    catalog.apply(Event::Delete(first));
    assert!(!catalog.has_rival("ada", &Uid::new("uid-late")));
    assert_eq!(wakes.try_recv().unwrap(), "late");
}

#[test]
fn a_change_of_standing_wakes_the_customers_instances_and_a_repeat_wakes_nobody() {
    let catalog = Catalog::new("default");
    apply(&catalog, instance("a", "ada", 1));
    let mut wakes = catalog.wakes.subscribe();
    let spec: CustomerSpec =
        serde_json::from_value(serde_json::json!({"displayName": "Ada", "plan": "basic"})).unwrap();
    let mut customer = Customer::new("c", spec);
    let apply = |customer: &Customer| {
        catalog.apply(Event::Apply(customer.clone()));
    };
    apply(&customer);
    assert_eq!(wakes.try_recv().unwrap(), "a");
    apply(&customer);
    assert!(wakes.try_recv().is_err());
    customer.spec.standing = Standing::Suspended;
    apply(&customer);
    assert_eq!(wakes.try_recv().unwrap(), "a");
    assert_eq!(catalog.standing("c"), Some(Standing::Suspended));
}

#[test]
fn what_a_relist_does_not_show_is_gone_and_what_it_shows_never_blinks() {
    let catalog = Catalog::new("default");
    let first = instance("early", "ada", 10);
    apply(&catalog, first);
    apply(&catalog, instance("late", "ada", 20));
    let mut wakes = catalog.wakes.subscribe();
    catalog.apply(Event::<Instance>::Init);
    catalog.apply(Event::InitApply(instance("late", "ada", 20)));
    assert!(catalog.has_rival("ada", &Uid::new("uid-late")));
    catalog.apply(Event::<Instance>::InitDone);
    assert!(!catalog.has_rival("ada", &Uid::new("uid-late")));
    assert_eq!(wakes.try_recv().unwrap(), "late");
}
