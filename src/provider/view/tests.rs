//! What is shown while lists lag behind what we did, on a paused clock.

use std::collections::BTreeMap;

use super::*;

/// Numbers by name.
type Numbers = View<&'static str, (&'static str, u32), BTreeMap<&'static str, u32>>;

fn view() -> Numbers {
    View::new(|item| item.0, |items, _| items.into_iter().collect())
}

async fn show(view: &Numbers, asked: BegunAfter, list: &[(&'static str, u32)]) -> String {
    let list = list.to_vec();
    let shown = view.get(Priority::Resync, asked, move |_| async { Ok(list) });
    format!("{:?}", shown.await.unwrap())
}

async fn pass(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn what_we_did_is_shown_over_lists_that_do_not_know_it_yet() {
    let view = view();
    let asked = BegunAfter(Instant::now());
    pass(1).await;
    assert_eq!(
        show(&view, asked, &[("a", 1), ("b", 2)]).await,
        r#"{"a": 1, "b": 2}"#
    );
    view.note(("c", 3));
    view.note_gone("a");
    view.note_change(&"b", |item| item.1 = 20);
    let expected = r#"{"b": 20, "c": 3}"#;
    assert_eq!(
        show(&view, asked, &[]).await,
        expected,
        "the same list, as it is now"
    );
    pass(10).await;
    let now = BegunAfter(Instant::now());
    pass(1).await;
    let lagging = show(&view, now, &[("a", 1), ("b", 2)]).await;
    assert_eq!(lagging, expected, "a new list may lag by ten seconds");
}

#[tokio::test(start_paused = true)]
async fn a_list_begun_long_after_a_change_is_believed_against_it() {
    let view = view();
    view.note(("c", 3));
    view.note_gone("a");
    pass(15).await;
    let now = BegunAfter(Instant::now());
    assert_eq!(show(&view, now, &[("a", 1)]).await, r#"{"a": 1}"#);
    assert_eq!(view.known_lately(&"a"), Some(("a", 1)));
    assert_eq!(view.known_lately(&"c"), None);
}

#[tokio::test(start_paused = true)]
async fn the_picture_is_made_once_until_something_changes() {
    let view = view();
    let asked = BegunAfter(Instant::now());
    pass(1).await;
    let get = || view.get(Priority::Resync, asked, |_| async { Ok(vec![("a", 1)]) });
    let first = get().await.unwrap();
    assert!(Arc::ptr_eq(&first, &get().await.unwrap()));
    view.note(("b", 2));
    assert_eq!(get().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_something_unknown_is_not_made_up() {
    let view = view();
    view.note_change(&"a", |item| item.1 = 5);
    assert_eq!(show(&view, BegunAfter(Instant::now()), &[]).await, "{}");
}

#[tokio::test(start_paused = true)]
async fn what_was_read_long_ago_is_not_known_well_enough_to_change_it() {
    let view = view();
    view.note(("a", 1));
    pass(30).await;
    view.note_change(&"a", |item| item.1 = 2);
    assert_eq!(view.known_lately(&"a"), Some(("a", 2)));
    pass(1).await;
    assert_eq!(
        view.known_lately(&"a"),
        None,
        "to change a part is not to read the whole"
    );
    pass(15).await;
    let now = BegunAfter(Instant::now());
    pass(1).await;
    show(&view, now, &[("a", 1)]).await;
    assert_eq!(view.known_lately(&"a"), Some(("a", 1)));
    pass(31).await;
    assert_eq!(view.known_lately(&"a"), None);
}
