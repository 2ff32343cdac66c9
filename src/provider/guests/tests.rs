//! What we make of what a guest says, and of one that says nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::response::IntoResponse;
use futures::future::join_all;

use super::*;
use crate::provider::testing::{Scene, order};
use crate::provider::{Priority, Servers};

const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 1);

fn over(router: Router) -> OverHttp {
    let transport = Transport::in_process(router, LIMITS);
    OverHttp::new(transport, Scheme::Http, 8080)
}

async fn said(status: u16, body: impl Into<String>) -> GuestState {
    let body = body.into();
    let answer = move || {
        let body = body.clone();
        async move { (StatusCode::from_u16(status).unwrap(), body).into_response() }
    };
    over(Router::new().fallback(answer)).startup(ADDRESS).await
}

fn started(version: Option<&str>) -> GuestState {
    GuestState::Started {
        version: version.map(str::to_owned),
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_says_it_has_started_has() {
    let with = r#"{"ok":true,"status":"started","version":"2026.9.6","uptimeMs":12}"#;
    assert_eq!(said(200, with).await, started(Some("2026.9.6")));
    assert_eq!(
        said(200, r#"{"ok":true,"status":"started"}"#).await,
        started(None)
    );
}

#[tokio::test(start_paused = true)]
async fn anything_else_is_silence() {
    let started = r#"{"ok":true,"status":"started"}"#;
    for (status, body) in [
        (503, started.to_owned()),
        (307, started.to_owned()),
        (200, r#"{"ok":false,"status":"started"}"#.to_owned()),
        (200, r#"{"ok":true,"status":"starting"}"#.to_owned()),
        (200, "<html>It works!</html>".to_owned()),
        (
            200,
            format!(
                r#"{{"ok":true,"status":"started","x":"{}"}}"#,
                "x".repeat(16 * 1024)
            ),
        ),
    ] {
        assert_eq!(said(status, body).await, GuestState::Silent, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_version_with_anything_odd_in_it_is_not_passed_on() {
    for version in ["<script>", "1\\n2", "", &"9".repeat(65)] {
        let body = format!(r#"{{"ok":true,"status":"started","version":"{version}"}}"#);
        assert_eq!(said(200, body).await, started(None), "{version}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_hangs_is_silent_after_three_seconds() {
    let begun = tokio::time::Instant::now();
    let guests = over(Router::new().fallback(std::future::pending::<()>));
    assert_eq!(guests.startup(ADDRESS).await, GuestState::Silent);
    assert_eq!(begun.elapsed(), LIMITS.timeout);
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_are_asked_at_once() {
    let asking = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (now, peak) = (Arc::clone(&asking), Arc::clone(&most));
    let guests = over(Router::new().fallback(move || {
        let (now, peak) = (Arc::clone(&now), Arc::clone(&peak));
        async move {
            let count = now.fetch_add(1, Ordering::Relaxed) + 1;
            peak.fetch_max(count, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_secs(1)).await;
            now.fetch_sub(1, Ordering::Relaxed);
        }
    }));
    join_all((0..200).map(|_| guests.startup(ADDRESS))).await;
    assert_eq!(most.load(Ordering::Relaxed), CONCURRENT_MAX);
}

#[tokio::test(start_paused = true)]
async fn a_simulated_server_is_silent_until_it_has_booted() {
    let scene = Scene::new();
    let guests = over(scene.world.guests());
    let id = scene.hetzner.create(&order(1)).await.unwrap().id;
    scene.settle(&id).await;
    let server = scene
        .hetzner
        .get(Priority::Create, &id)
        .await
        .unwrap()
        .unwrap();
    let address = server.ipv4.unwrap();
    assert_eq!(guests.startup(address).await, GuestState::Silent);
    tokio::time::advance(scene.world.options().boot).await;
    assert_eq!(guests.startup(address).await, started(Some("2026.9.6")));
    assert_eq!(
        guests.startup(Ipv4Addr::new(127, 99, 9, 9)).await,
        GuestState::Silent
    );
}
