//! What each standing leads to and when, as a table.

use jiff::SignedDuration;

use super::*;

const DAY: i64 = 24 * 60 * 60;

fn settings() -> Settings {
    Settings {
        namespace: "default".into(),
        grace: SignedDuration::from_secs(7 * DAY),
        keep: SignedDuration::from_secs(30 * DAY),
    }
}

fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + day * DAY).unwrap()
}

/// `i` an instance · `l` one that is being deleted · `p` a protected one.
fn instances(letters: &str) -> Observed {
    let seen = |(n, letter): (usize, char)| SeenInstance {
        name: format!("{letter}{n}"),
        ready: true,
        leaving: letter == 'l',
        protected: letter == 'p',
    };
    Observed {
        instances: letters.chars().enumerate().map(seen).collect(),
    }
}

fn check(standing: Standing, letters: &str, days: i64, expected: &str) {
    let desired = Desired {
        standing,
        since: Some(day(0)),
    };
    let said = match plan(&settings(), &desired, &instances(letters), day(days)) {
        Plan::Done => "done".to_owned(),
        Plan::Wait { until } => {
            let rest = until.duration_since(day(days)).as_secs() / DAY;
            format!("wait {rest} days")
        }
        Plan::Do { step, because } => format!("{step:?} because {because}"),
    };
    assert_eq!(said, expected, "{standing:?} {letters} {days}");
}

#[test]
fn arrears_are_borne_for_the_days_of_grace_and_then_suspended() {
    check(Standing::PastDue, "i", 0, "wait 7 days");
    check(Standing::PastDue, "i", 6, "wait 1 days");
    check(
        Standing::PastDue,
        "i",
        7,
        "Suspend because PaymentSuspended",
    );
    check(Standing::PastDue, "", 8, "Suspend because PaymentSuspended");
}

#[test]
fn a_closed_accounts_instances_are_kept_a_while_and_then_deleted_one_by_one() {
    check(Standing::Closed, "ii", 0, "wait 30 days");
    check(
        Standing::Closed,
        "ii",
        30,
        "DeleteInstance(\"i0\") because SubscriptionEnded",
    );
    check(
        Standing::Closed,
        "li",
        30,
        "DeleteInstance(\"i1\") because SubscriptionEnded",
    );
    check(Standing::Closed, "l", 30, "done");
    check(Standing::Closed, "", 90, "done");
}

#[test]
fn a_protected_instance_is_left_to_a_person() {
    check(Standing::Closed, "p", 90, "done");
}

#[test]
fn who_pays_or_is_suspended_already_is_left_alone() {
    check(Standing::Active, "i", 900, "done");
    check(Standing::Suspended, "i", 900, "done");
}

#[test]
fn nothing_happens_by_itself_to_a_customer_made_by_hand() {
    for standing in [Standing::PastDue, Standing::Closed] {
        let desired = Desired {
            standing,
            since: None,
        };
        let plan = plan(&settings(), &desired, &instances("i"), day(900));
        assert_eq!(plan, Plan::Done, "{standing:?}");
    }
}
