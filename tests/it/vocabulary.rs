//! One thing has one name everywhere: every reason is explained in the runbooks, and nothing else is.

use std::collections::BTreeSet;
use std::path::Path;

use clawdet::api::Reason;

#[test]
fn every_reason_has_a_runbook_section_and_every_section_a_reason() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runbooks/README.md");
    let text = std::fs::read_to_string(file).unwrap();
    let sections: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .collect();
    let reasons: BTreeSet<&str> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(sections, reasons);
}

#[test]
fn every_reason_is_a_sentence_without_a_place_for_secrets() {
    for reason in Reason::ALL {
        let sentence = reason.sentence();
        assert!(
            sentence.ends_with('.') && !sentence.contains('{'),
            "{reason}: {sentence}"
        );
    }
}

/// Every metric's name, as it stands in the code.
fn metrics() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            let quoted = text.split('"').filter(|part| part.starts_with("clawdet_"));
            let named = |name: &&str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            names.extend(quoted.filter(named).map(ToOwned::to_owned));
        }
    }
    assert!(names.len() > 10, "the metrics are not found: {names:?}");
    names
}

#[test]
fn every_metric_has_an_area_a_noun_and_a_unit() {
    let units = [
        "total", "seconds", "requests", "things", "events", "cents", "flag", "info",
    ];
    for name in metrics() {
        let parts: Vec<&str> = name.split('_').collect();
        let well_named = parts.len() >= 3 && parts.iter().all(|part| !part.is_empty());
        let unit = parts.last().unwrap();
        assert!(well_named && units.contains(unit), "{name}");
    }
}

#[test]
fn every_metric_is_explained_in_the_guide_and_no_other() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/metrics.md");
    let text = std::fs::read_to_string(file).unwrap();
    let explained: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(explained, metrics());
}

/// Whoever sets up the webhook by the guide chooses exactly the events that matter.
#[test]
fn the_guide_to_stripe_lists_the_events_that_matter() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide/stripe.md");
    let text = std::fs::read_to_string(file).unwrap();
    let list = text.split("```").nth(1).unwrap();
    let listed: Vec<&str> = list.split_whitespace().collect();
    let kinds = clawdet::payment::desired::KINDS;
    let known: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(listed, known);
}
