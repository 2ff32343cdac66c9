//! Tasks that end well, badly, late and never.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const LIMIT: Duration = Duration::from_secs(10);

fn message(done: Result<(), SupervisorError>) -> String {
    done.map_or_else(|error| crate::cause::chain(&error), |()| "fine".into())
}

/// A task that stops when asked, and then sets the flag.
fn patient(supervisor: &mut Supervisor, takes: Duration) -> Arc<AtomicBool> {
    let finished = Arc::new(AtomicBool::new(false));
    let (flag, stop) = (Arc::clone(&finished), supervisor.stop());
    supervisor.spawn("patient", async move {
        stop.cancelled().await;
        tokio::time::sleep(takes).await;
        flag.store(true, Ordering::SeqCst);
    });
    finished
}

async fn has_a_bug() {
    tokio::task::yield_now().await;
    panic!("a bug");
}

#[tokio::test(start_paused = true)]
async fn asked_to_stop_it_waits_until_every_task_has_finished() {
    let mut supervisor = Supervisor::new();
    let finished = patient(&mut supervisor, LIMIT / 2);
    assert_eq!(message(supervisor.run(async {}, LIMIT).await), "fine");
    assert!(finished.load(Ordering::SeqCst));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_by_itself_ends_the_process_and_is_named() {
    let mut supervisor = Supervisor::new();
    let others = patient(&mut supervisor, Duration::ZERO);
    supervisor.spawn("sweep", async {});
    let said = message(supervisor.run(pending(), LIMIT).await);
    assert_eq!(
        said,
        "the task \"sweep\" ended by itself, which it must not"
    );
    assert!(others.load(Ordering::SeqCst), "the others finish first");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_ends_the_process_with_its_cause() {
    let mut supervisor = Supervisor::new();
    supervisor.spawn("site", async {
        Err::<(), _>(io::Error::other("port taken"))
    });
    let said = message(supervisor.run(pending(), LIMIT).await);
    assert_eq!(said, "the task \"site\" failed: port taken");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_panics_ends_the_process() {
    let mut supervisor = Supervisor::new();
    supervisor.spawn("instance", has_a_bug());
    let said = message(supervisor.run(pending(), LIMIT).await);
    assert!(said.starts_with("the task \"instance\" panicked"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_does_not_stop_is_cut_off_after_the_limit_and_named() {
    let mut supervisor = Supervisor::new();
    patient(&mut supervisor, Duration::ZERO);
    supervisor.spawn("stubborn", pending::<()>());
    let begun = tokio::time::Instant::now();
    let said = message(supervisor.run(async {}, LIMIT).await);
    assert!(
        said.starts_with("stubborn did not stop within 10s"),
        "{said}"
    );
    assert_eq!(begun.elapsed(), LIMIT);
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_stopping_is_not_hidden() {
    let mut supervisor = Supervisor::new();
    let stop = supervisor.stop();
    supervisor.spawn("late", async move {
        stop.cancelled().await;
        has_a_bug().await;
    });
    let said = message(supervisor.run(async {}, LIMIT).await);
    assert!(said.starts_with("the task \"late\" panicked"), "{said}");
}

#[tokio::test]
async fn a_signal_to_terminate_is_heard_even_if_it_came_before_anyone_waited() {
    let asked = asked_to_stop().unwrap();
    let me = std::process::id();
    let sent = std::process::Command::new("sh")
        .args(["-c", &format!("kill -TERM {me}")])
        .status();
    assert!(sent.unwrap().success());
    let heard = tokio::time::timeout(LIMIT, asked).await;
    assert!(heard.is_ok(), "SIGTERM was not heard within {LIMIT:?}");
}
