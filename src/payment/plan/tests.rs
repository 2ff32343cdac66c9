//! The life of a purchase as pictures: letters for what is seen, and the one thing to do about it.

use super::*;
use crate::api::InstallationName;
use crate::payment::desired::{KINDS, SWEPT};

struct Picture {
    desired: Desired,
    observed: Observed,
}

fn subscription() -> Subscription {
    let metadata = [
        ("installation", "here"),
        ("plan", "basic"),
        ("subdomain", "ada"),
    ];
    Subscription {
        id: "sub_1".into(),
        customer: "cus_1".into(),
        status: SubscriptionStatus::Active,
        item: "si_1".into(),
        metadata: metadata.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        latest_invoice: Some("in_1".into()),
        live_mode: false,
    }
}

/// Reads a picture. `i` the newest invoice is paid · `p` the plan exists · `c` the customer is Active ·
/// `g` is in arrears · `h` Suspended · `x` Closed · `n` the instance exists · `d` its delivery is recorded.
/// Capitals are the subscription's status and what is wrong.
fn picture(letters: &str) -> Picture {
    let mut picture = Picture {
        desired: Desired {
            topic: Topic::Subscription,
            subject: "sub_1".into(),
            live_mode: false,
            settled: false,
        },
        observed: Observed {
            subject: Subject::Subscription(subscription()),
            customer: None,
            instance: false,
            supply: Supply::PlanUnknown,
            invoice_paid: false,
        },
    };
    for letter in letters.chars() {
        draw(&mut picture, letter);
    }
    picture
}

fn draw(picture: &mut Picture, letter: char) {
    let Picture { desired, observed } = picture;
    let stands = |standing| {
        Some(SeenCustomer {
            standing,
            delivered: false,
        })
    };
    match letter {
        '-' => {}
        'i' => observed.invoice_paid = true,
        'p' => observed.supply = Supply::Free,
        'c' => observed.customer = stands(Standing::Active),
        'g' => observed.customer = stands(Standing::PastDue),
        'h' => observed.customer = stands(Standing::Suspended),
        'x' => observed.customer = stands(Standing::Closed),
        'n' => observed.instance = true,
        'd' => observed.customer.as_mut().unwrap().delivered = true,
        'Z' => desired.topic = Topic::Other,
        'L' => desired.live_mode = true,
        'M' => observed.subject = Subject::Missing,
        'O' => observed.subject = Subject::Unpaid,
        'R' => observed.subject = Subject::Unrelated,
        'S' => observed.supply = Supply::SubdomainClaimed,
        letter => draw_subscription(observed, letter),
    }
}

fn draw_subscription(observed: &mut Observed, letter: char) {
    let Subject::Subscription(subscription) = &mut observed.subject else {
        panic!("no subscription for {letter}");
    };
    let mut write = |key: &str, value: &str| {
        subscription.metadata.insert(key.into(), value.into());
    };
    subscription.status = match letter {
        'T' => SubscriptionStatus::Trialing,
        'P' => SubscriptionStatus::PastDue,
        'U' => SubscriptionStatus::Unpaid,
        'C' => SubscriptionStatus::Canceled,
        'I' => SubscriptionStatus::Incomplete,
        'E' => SubscriptionStatus::IncompleteExpired,
        'A' => SubscriptionStatus::Paused,
        'K' => SubscriptionStatus::Unknown,
        'F' => return write("installation", "elsewhere"),
        'W' => return write("subdomain", "www"),
        'V' => return subscription.live_mode = true,
        other => panic!("no such letter: {other}"),
    };
}

fn check(letters: &str, expected: &str) {
    let picture = picture(letters);
    let settings = Settings {
        namespace: "default".into(),
        installation: InstallationName::parse("here").unwrap(),
        live_mode: false,
    };
    let said = match plan(&settings, &picture.desired, &picture.observed) {
        Plan::Done { because } => format!("done because {because}"),
        Plan::Stalled { fault } => format!("stalled: {fault}"),
        Plan::Do { step, because } => format!("{} because {because}", told(&step)),
    };
    assert_eq!(said, expected, "{letters}");
}

fn told(step: &Step) -> String {
    match step {
        Step::OpenCustomer(order) => format!("OpenCustomer {}", order.plan),
        Step::SetStanding(standing) => format!("SetStanding {}", standing.as_str()),
        Step::OpenInstance(order) => format!("OpenInstance {}", order.subdomain),
        Step::RecordDelivery => "RecordDelivery".into(),
    }
}

#[test]
fn a_purchase_from_payment_to_delivery() {
    check("ip", "OpenCustomer basic because CustomerMissing");
    check("ipc", "OpenInstance ada because Paid");
    check("ipcSn", "RecordDelivery because Paid");
    check("ipcSnd", "done because Applied");
}

#[test]
fn nothing_is_made_before_the_money_is_there() {
    check("p", "done because NotPaid");
    check("pc", "done because NotPaid");
    check("ipI", "done because NotPaid");
    check("ipP", "done because NotPaid");
    check("ipU", "done because NotPaid");
    check("ipA", "done because NotPaid");
    check("ipK", "done because NotPaid");
    check("O", "done because NotPaid");
    check("pT", "OpenCustomer basic because CustomerMissing");
}

#[test]
fn what_is_not_ours_is_not_touched() {
    check("Z", "done because IgnoredKind");
    check("L", "done because ModeMismatch");
    check("ipV", "done because ModeMismatch");
    check("M", "done because SubjectMissing");
    check("R", "done because NotOurs");
    check("ipF", "done because NotOurs");
    check("ipcF", "done because NotOurs");
}

#[test]
fn an_order_that_cannot_be_served_waits_for_a_person() {
    check("i", "stalled: there is no plan \"basic\"");
    check("ic", "stalled: there is no plan \"basic\"");
    check(
        "ipS",
        "stalled: the address \"ada\" belongs to another instance",
    );
    check(
        "ipcS",
        "stalled: the address \"ada\" belongs to another instance",
    );
    check(
        "ipW",
        "stalled: the address \"www\" \"www\" is reserved; choose another name",
    );
}

#[test]
fn the_standing_follows_the_subscription() {
    check("ipcndP", "SetStanding PastDue because PaymentPastDue");
    check("ipcndU", "SetStanding Suspended because PaymentSuspended");
    check("ipcndA", "SetStanding Suspended because PaymentSuspended");
    check("ipcndC", "SetStanding Closed because SubscriptionEnded");
    check("ipcndE", "SetStanding Closed because SubscriptionEnded");
    check("ipgnd", "SetStanding Active because Paid");
    check("iphnd", "SetStanding Active because Paid");
    check("ipgndP", "done because Applied");
    check("ipcndI", "done because Applied");
    check("ipcndK", "done because Applied");
}

#[test]
fn a_failed_payment_does_not_lift_a_suspension() {
    check("iphndP", "done because Applied");
}

#[test]
fn a_closed_account_stays_closed_whatever_is_paid_later() {
    check("ipxnd", "done because Applied");
    check("ipxndC", "done because Applied");
    check("ipxndP", "done because Applied");
    check("ipx", "done because SubscriptionEnded");
    check("ipC", "done because SubscriptionEnded");
    check("ipE", "done because SubscriptionEnded");
}

#[test]
fn what_was_delivered_once_is_not_made_again_when_a_person_deletes_it() {
    check("ipcd", "done because Applied");
}

#[test]
fn the_kinds_that_matter_are_known_and_all_others_are_ignored() {
    let topic = |kind| Topic::of(kind);
    assert_eq!(topic("checkout.session.completed"), Topic::Session);
    assert_eq!(topic("customer.subscription.deleted"), Topic::Subscription);
    assert_eq!(topic("invoice.paid"), Topic::Invoice);
    assert_eq!(topic("invoice.created"), Topic::Other);
    assert_eq!(topic("balance.available"), Topic::Other);
    assert_eq!(topic(SWEPT), Topic::Subscription);
    assert!(KINDS.len() <= 20, "Stripe's list of events takes no more");
}
