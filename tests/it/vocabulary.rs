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
