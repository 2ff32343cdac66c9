//! What goes together, and how it is written.

use super::*;

fn change(number: u32, change: RecordChange) -> HostChange {
    HostChange {
        priority: Priority::Create,
        host: Hostname::observed(&format!("h{number}.example")),
        owner: Uid::new(format!("u{number}")),
        change,
    }
}

fn deleting(count: usize) -> HostChange {
    let delete = (0..count).map(|id| id.to_string()).collect();
    change(
        1,
        RecordChange {
            delete,
            ..RecordChange::default()
        },
    )
}

#[test]
fn a_hosts_change_is_never_torn_and_a_batch_never_too_large() {
    let check = |sizes: &[usize], expected: &[&[usize]]| {
        let changes: Vec<_> = sizes.iter().map(|size| deleting(*size)).collect();
        assert_eq!(split(&changes), expected, "{sizes:?}");
    };
    check(&[], &[]);
    check(&[2, 2, 2], &[&[0, 1, 2]]);
    check(&[199, 1, 1], &[&[0, 1], &[2]]);
    check(&[150, 60, 140], &[&[0], &[1, 2]]);
    check(&[200, 200], &[&[0], &[1]]);
    check(&[500, 1], &[&[0], &[1]]);
}

#[test]
fn a_batch_says_all_of_a_record_and_whose_it_is() {
    let installation = InstallationName::parse("prod").unwrap();
    let changes = [
        change(
            1,
            RecordChange {
                delete: vec!["r1".to_owned()],
                ..RecordChange::default()
            },
        ),
        change(
            2,
            RecordChange {
                update: vec![("r2".to_owned(), Target::V4([203, 0, 113, 2].into()))],
                create: vec![Target::V6("2001:db8::2".parse().unwrap())],
                ..RecordChange::default()
            },
        ),
    ];
    let publishing = Publishing {
        proxied: false,
        ttl_seconds: 60,
    };
    let all: Vec<_> = changes.iter().collect();
    let mark = "clawdet installation=prod instance=u2";
    assert_eq!(
        body(&all, &installation, publishing),
        json!({
            "deletes": [{"id": "r1"}],
            "patches": [{
                "id": "r2", "type": "A", "name": "h2.example", "content": "203.0.113.2",
                "ttl": 60, "proxied": false, "comment": mark,
            }],
            "posts": [{
                "type": "AAAA", "name": "h2.example", "content": "2001:db8::2",
                "ttl": 60, "proxied": false, "comment": mark,
            }],
        })
    );
    let proxied = body(
        &all,
        &installation,
        Publishing {
            proxied: true,
            ttl_seconds: 60,
        },
    );
    assert_eq!(
        (&proxied["posts"][0]["ttl"], &proxied["posts"][0]["proxied"]),
        (&json!(1), &json!(true))
    );
}
