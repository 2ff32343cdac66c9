//! What Cloudflare's records mean in our words.

use super::*;

fn installation() -> InstallationName {
    InstallationName::parse("prod").unwrap()
}

fn seen(body: Value) -> Record {
    serde_json::from_value::<RecordBody>(body)
        .unwrap()
        .seen(&installation())
}

#[test]
fn a_record_is_read_with_its_mark() {
    let record = seen(json!({
        "id": "r1", "name": "Ada.Assistants.Example", "type": "AAAA", "content": "2001:db8::1",
        "proxied": true, "ttl": 1, "comment": "clawdet installation=prod instance=u-1", "tags": [], "novelty": 1,
    }));
    assert_eq!(record.host, Hostname::observed("ada.assistants.example"));
    assert_eq!(
        record.target,
        Some(Target::V6("2001:db8::1".parse().unwrap()))
    );
    assert_eq!(record.owner, Owner::Ours(Uid::new("u-1")));
    assert!(record.proxied);
}

#[test]
fn what_is_missing_or_null_is_no_error() {
    let record = seen(json!({"id": "r1", "name": "x.example", "type": "HTTPS", "comment": null}));
    assert_eq!((record.target, record.owner), (None, Owner::Stranger));
}

#[test]
fn only_our_own_comment_to_the_letter_makes_a_record_ours() {
    let check = |comment: &str, expected: Owner| {
        assert_eq!(owner(comment, &installation()), expected, "{comment}");
    };
    let written = comment(&installation(), &Uid::new("0b1c-22"));
    check(&written, Owner::Ours(Uid::new("0b1c-22")));
    check(
        "clawdet installation=staging instance=0b1c-22",
        Owner::Stranger,
    );
    check("clawdet installation=prod instance=", Owner::Stranger);
    check(
        "clawdet installation=prod instance=0b1c-22 (moved by Bob)",
        Owner::Stranger,
    );
    check(
        " clawdet installation=prod instance=0b1c-22",
        Owner::Stranger,
    );
    check("", Owner::Stranger);
}

#[test]
fn the_longest_comment_fits_the_free_plan() {
    let installation = InstallationName::parse(&"i".repeat(20)).unwrap();
    let uid = Uid::new("00000000-0000-0000-0000-000000000000");
    assert!(comment(&installation, &uid).len() <= 100);
}
