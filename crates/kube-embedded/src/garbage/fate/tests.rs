//! Fates, one line each: owners as letters (S solid, A absent, W waiting; lower case does not block),
//! then what the object itself is.

use serde_json::json;

use super::*;

fn owner(uid: char) -> Owner {
    let blocks = uid.is_uppercase();
    let owner = json!({ "uid": uid.to_string(), "blockOwnerDeletion": blocks });
    serde_json::from_value(owner).unwrap()
}

fn state(letter: char) -> State {
    match letter.to_ascii_uppercase() {
        'S' => State::Solid,
        'A' => State::Absent,
        'W' => State::Waiting,
        other => panic!("no owner is {other}"),
    }
}

/// `itself`: `o` has the orphan finalizer, `f` the foreground one, `d` has dependents, `c` one of them waits.
#[track_caller]
fn check(owners: &str, itself: &str, fate: &Fate) {
    let named: Vec<_> = owners.chars().map(owner).collect();
    let owners: Vec<_> = named.iter().zip(owners.chars().map(state)).collect();
    let mut policy = None;
    let mut dependents = Dependents::None;
    for letter in itself.chars() {
        match letter {
            'o' => policy = Some(Propagation::Orphan),
            'f' => policy = Some(Propagation::Foreground),
            'd' => dependents = Dependents::Some,
            'c' => dependents = Dependents::Waiting,
            other => panic!("nothing is {other}"),
        }
    }
    let found = of_dependent(&owners, policy, dependents);
    assert_eq!(&found, fate);
}

fn loses(uids: &str) -> Fate {
    Fate::Loses(uids.chars().map(|uid| uid.to_string().into()).collect())
}

#[test]
fn one_solid_owner_is_enough_and_the_others_are_dropped() {
    check("S", "", &Fate::Stays);
    check("Ss", "", &Fate::Stays);
    check("SA", "", &loses("A"));
    check("SAW", "d", &loses("AW"));
    check("aS", "o", &loses("a"));
}

#[test]
fn without_one_it_goes_as_its_finalizers_say() {
    check("A", "", &Fate::Goes(Propagation::Background));
    check("A", "d", &Fate::Goes(Propagation::Background));
    check("A", "o", &Fate::Goes(Propagation::Orphan));
    check("A", "f", &Fate::Goes(Propagation::Foreground));
    check("W", "", &Fate::Goes(Propagation::Background));
}

#[test]
fn an_owner_that_waits_passes_the_waiting_on() {
    check("W", "d", &Fate::Goes(Propagation::Foreground));
    check("Aw", "d", &Fate::Goes(Propagation::Foreground));
}

#[test]
fn a_circle_is_opened_before_it_is_deleted() {
    check("W", "c", &Fate::Unblocks);
    check("w", "c", &Fate::Goes(Propagation::Foreground));
}

#[test]
fn what_is_deleted_waits_for_what_its_finalizers_name() {
    let (orphan, foreground) = (Some(Propagation::Orphan), Some(Propagation::Foreground));
    for (policy, is_owner, is_blocked, fate) in [
        (None, true, true, Fate::Stays),
        (orphan, true, false, Fate::LetsGo),
        (orphan, false, false, Fate::IsReleased(ORPHAN)),
        (foreground, true, true, Fate::Stays),
        (foreground, true, false, Fate::IsReleased(FOREGROUND)),
        (foreground, false, false, Fate::IsReleased(FOREGROUND)),
    ] {
        assert_eq!(of_deleted(policy, is_owner, is_blocked), fate, "{policy:?}");
    }
}
