//! The sweep over hours of paused time: orphans go, slowly and in order; nothing else ever does.

use std::pin::Pin;

use jiff::Timestamp;
use prometheus::{Encoder, Registry, TextEncoder};

mod outside;

use super::*;
use outside::Outside;

const EVERY: Duration = Duration::from_mins(5);

fn sweeper(outside: &Outside, dry_run: bool, registry: &Registry) -> Sweeper {
    Sweeper {
        settings: Settings {
            namespace: "default".into(),
            every: EVERY,
            dry_run,
        },
        client: outside.cluster(),
        clock: Clock::from(Timestamp::from_second(3600).unwrap()),
        servers: Arc::new(outside.clone()),
        dns: Arc::new(outside.clone()),
        counters: Counters::register(registry).unwrap(),
    }
}

type Run<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

fn start(sweeper: &Sweeper) -> Run<'_> {
    Box::pin(sweeper.run(CancellationToken::new()))
}

/// Lets time pass, a little more than asked, so that the look at its end is over.
async fn pass(run: &mut Run<'_>, minutes: u64) {
    let time = Duration::from_mins(minutes) + Duration::from_secs(1);
    let ended = tokio::time::timeout(time, run).await;
    assert!(ended.is_err(), "the sweep ended by itself");
}

#[tokio::test(start_paused = true)]
async fn what_nobody_owns_is_returned_within_half_an_hour_the_name_first() {
    let outside = Outside::default();
    outside.server(1, "gone");
    outside.record("2", "gone");
    outside.address(3, "gone");
    let sweeper = sweeper(&outside, false, &Registry::new());
    let mut run = start(&sweeper);
    pass(&mut run, 9).await;
    assert_eq!(outside.lock().gone, [""; 0], "two looks, ten minutes apart");
    pass(&mut run, 20).await;
    assert_eq!(outside.lock().gone, ["record 2", "address 3", "server 1"]);
}

#[tokio::test(start_paused = true)]
async fn what_an_instance_on_any_page_owns_is_never_touched() {
    let outside = Outside::default();
    for number in 1..=5 {
        let uid = format!("uid-{number}");
        outside.server(number, &uid);
        outside.record(&number.to_string(), &uid);
        outside.address(number, &uid);
        outside.lock().instances.push(uid);
    }
    let sweeper = sweeper(&outside, false, &Registry::new());
    pass(&mut start(&sweeper), 24 * 60).await;
    assert_eq!(outside.lock().gone, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_instance_made_while_the_servers_are_listed_keeps_its_server() {
    let outside = Outside::default();
    outside.server(1, "back");
    let sweeper = sweeper(&outside, false, &Registry::new());
    let mut run = start(&sweeper);
    pass(&mut run, 9).await;
    outside.lock().made_meanwhile = Some("back".into());
    pass(&mut run, 24 * 60).await;
    assert_eq!(outside.lock().gone, [""; 0]);
    assert_eq!(outside.lock().instances, ["back"], "it was made");
}

#[tokio::test(start_paused = true)]
async fn a_list_that_cannot_be_read_to_its_end_justifies_nothing() {
    let outside = Outside::default();
    outside.server(1, "gone");
    for number in 2..=4 {
        outside.server(number, &format!("uid-{number}"));
        outside.lock().instances.push(format!("uid-{number}"));
    }
    let registry = Registry::new();
    let sweeper = sweeper(&outside, false, &registry);
    let mut run = start(&sweeper);
    pass(&mut run, 9).await;
    // The first page still comes, the second does not.
    outside.lock().pages = Some(1);
    pass(&mut run, 60).await;
    assert_eq!(outside.lock().gone, [""; 0]);
    outside.lock().pages = None;
    outside.lock().providers_down = true;
    pass(&mut run, 60).await;
    assert_eq!(outside.lock().gone, [""; 0]);
    assert!(shown(&registry).contains("clawdet_sweep_looks_total{outcome=\"failed\"} 24"));
    outside.lock().providers_down = false;
    pass(&mut run, 10).await;
    assert_eq!(outside.lock().gone, ["server 1"]);
}

#[tokio::test(start_paused = true)]
async fn the_brake_holds_for_an_hour_at_a_time() {
    let outside = Outside::default();
    for number in 1..=5 {
        outside.server(number, &format!("gone-{number}"));
    }
    let sweeper = sweeper(&outside, false, &Registry::new());
    let mut run = start(&sweeper);
    pass(&mut run, 65).await;
    assert_eq!(outside.lock().gone, ["server 1", "server 2"]);
    pass(&mut run, 60).await;
    assert_eq!(outside.lock().gone.len(), 4);
    pass(&mut run, 60).await;
    assert_eq!(outside.lock().gone.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_returns_nothing_and_shows_what_it_would_save() {
    let outside = Outside::default();
    outside.server(1, "gone");
    outside.address(2, "gone");
    let registry = Registry::new();
    let sweeper = sweeper(&outside, true, &registry);
    pass(&mut start(&sweeper), 24 * 60).await;
    assert_eq!(outside.lock().gone, [""; 0]);
    let shown = shown(&registry);
    for line in [
        "clawdet_sweep_orphan_things{kind=\"server\"} 1",
        "clawdet_sweep_orphan_things{kind=\"address\"} 1",
        "clawdet_sweep_orphan_monthly_cents 438",
        "clawdet_sweep_kept_things{reason=\"SweepDryRun\"} 2",
        "clawdet_sweep_removed_total{kind=\"server\"} 0",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn protection_is_taken_off_what_is_ours_and_left_on_what_is_not_any_more() {
    let outside = Outside::default();
    for number in [1, 2] {
        outside.server(number, &format!("gone-{number}"));
        let mut inner = outside.lock();
        inner.servers.get_mut(&number).unwrap().protected = true;
    }
    let registry = Registry::new();
    let sweeper = sweeper(&outside, false, &registry);
    let mut run = start(&sweeper);
    pass(&mut run, 9).await;
    outside.lock().relabelled_meanwhile = Some(2);
    pass(&mut run, 60).await;
    let inner = outside.lock();
    assert_eq!(inner.gone, ["server 1"]);
    assert!(inner.servers[&2].protected, "it is somebody else's now");
    assert!(shown(&registry).contains("clawdet_sweep_removed_total{kind=\"server\"} 1"));
}

#[tokio::test(start_paused = true)]
async fn a_new_term_starts_with_an_empty_memory_and_stops_when_asked() {
    let outside = Outside::default();
    outside.server(1, "gone");
    let sweeper = sweeper(&outside, false, &Registry::new());
    for _ in 0..5 {
        let stop = CancellationToken::new();
        let term = sweeper.run(stop.clone());
        tokio::pin!(term);
        let ended = tokio::time::timeout(Duration::from_mins(9), &mut term).await;
        assert!(ended.is_err(), "the term ended by itself");
        stop.cancel();
        term.await;
    }
    assert_eq!(outside.lock().gone, [""; 0]);
}

fn shown(registry: &Registry) -> String {
    let mut text = Vec::new();
    TextEncoder::new()
        .encode(&registry.gather(), &mut text)
        .unwrap();
    String::from_utf8(text).unwrap()
}
