//! Which differences are known. `docs/KUBE-EMBEDDED.md` says why each is there.

use std::collections::BTreeSet;
use std::path::Path;

/// The word a line of the documentation begins with.
pub(super) type Known = &'static str;

/// Differences there are at most.
const MOST: usize = 10;

/// The words of the documentation's list, in its order.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/KUBE-EMBEDDED.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (_, list) = text.split_once("## Known differences").unwrap();
    let rows = list.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split_once('`'))
        .map(|(word, _)| word.to_owned())
        .collect()
}

/// That each of them really differs is part of comparing the rooms.
#[test]
fn a_known_difference_is_documented_and_met() {
    let documented = documented();
    assert!(documented.len() <= MOST, "{documented:?}");
    let table: Vec<_> = super::whole_table().collect();
    let asked = table.iter().flat_map(super::sequence::Sequence::asks);
    let met: BTreeSet<_> = asked
        .filter_map(|ask| ask.known)
        .chain(super::clients::known())
        .map(str::to_owned)
        .collect();
    assert_eq!(documented.into_iter().collect::<BTreeSet<_>>(), met);
}
