//! When a list is complete, and how the provider's paging may fail us.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::*;
use crate::provider::scripted::{self, Asked, json as answer};
use crate::provider::testing;

#[derive(Deserialize)]
struct Item {
    id: i64,
}

/// Reads the list of a provider that answers page `n` by `page(n)`.
async fn read_all(
    page: impl Fn(u32) -> Value + Send + Sync + 'static,
) -> (Result<Vec<i64>, ProviderError>, Asked) {
    let (transport, asked) = scripted::transport(Duration::ZERO, move |line| {
        let number = line.rsplit("page=").next().unwrap().parse().unwrap();
        answer(200, &page(number))
    });
    let list = List {
        endpoint: "GET /servers",
        path: "/servers".to_owned(),
        id: |item: &Item| item.id,
    };
    let items = all(
        &testing::hetzner_account(transport),
        Priority::Resync,
        &list,
    )
    .await;
    let ids = items.map(|items| items.iter().map(|item| item.id).collect());
    (ids, asked)
}

fn page(ids: impl IntoIterator<Item = i64>, next: Option<u32>, total: Option<u64>) -> Value {
    let items: Vec<Value> = ids.into_iter().map(|id| json!({"id": id})).collect();
    let pagination =
        json!({"page": 1, "next_page": next, "last_page": null, "total_entries": total});
    json!({"servers": items, "meta": {"pagination": pagination}})
}

fn why(result: Result<Vec<i64>, ProviderError>) -> String {
    match result {
        Err(ProviderError::Unreachable(cause)) => cause.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn all_pages_are_read_in_order() {
    let (ids, asked) = read_all(|number| match number {
        1 => page(1..=50, Some(2), Some(51)),
        _ => page([51], None, Some(51)),
    })
    .await;
    assert_eq!(ids.unwrap().len(), 51);
    assert_eq!(
        asked.lines(),
        [
            "GET /v1/servers?sort=id:asc&per_page=50&page=1",
            "GET /v1/servers?sort=id:asc&per_page=50&page=2",
        ]
    );
}

#[tokio::test]
async fn paging_that_goes_in_circles_is_an_error() {
    let (ids, asked) = read_all(|_| page([1], Some(1), None)).await;
    assert_eq!(why(ids), "page 1 cannot follow page 1");
    assert_eq!(
        asked.lines().len(),
        3,
        "begun anew three times, and no more"
    );
}

#[tokio::test]
async fn paging_that_never_ends_is_an_error() {
    let (ids, asked) = read_all(|number| page([i64::from(number)], Some(number + 1), None)).await;
    assert_eq!(why(ids), "the list took more than 1000 pages");
    assert!(asked.lines().len() <= 3000);
}

#[tokio::test]
async fn a_short_page_is_noticed_and_the_list_begun_anew() {
    let once = Arc::new(Mutex::new(true));
    let (ids, asked) = read_all(move |_| {
        let short = std::mem::take(&mut *once.lock().unwrap());
        page(if short { 1..=2 } else { 1..=3 }, None, Some(3))
    })
    .await;
    assert_eq!(ids.unwrap(), [1, 2, 3]);
    assert_eq!(asked.lines().len(), 2);
    let (ids, _) = read_all(|_| page([1, 2], None, Some(3))).await;
    assert_eq!(why(ids), "the list speaks of 3 items and gave 2");
}

#[tokio::test]
async fn what_slips_to_the_page_before_while_we_read_is_not_missed() {
    let servers = Arc::new(Mutex::new((1..=120).collect::<Vec<i64>>()));
    let (ids, _) = read_all(move |number| {
        let mut servers = servers.lock().unwrap();
        if number == 2 && servers.len() == 120 {
            servers.retain(|id| ![7, 8].contains(id));
        }
        let place = (number as usize - 1) * 50;
        let ids = servers.iter().skip(place).take(50).copied();
        let next = (place + 50 < servers.len()).then_some(number + 1);
        page(ids, next, Some(servers.len() as u64))
    })
    .await;
    let ids = ids.unwrap();
    assert!(ids.contains(&51) && ids.contains(&52), "{ids:?}");
    assert!((9..=120).all(|id| ids.contains(&id)));
}

#[tokio::test]
async fn one_item_that_cannot_be_read_spoils_the_list() {
    let body = json!({"servers": [{"id": 1}, {"name": "no id"}], "meta": {"pagination": {}}});
    let (ids, _) = read_all(move |_| body.clone()).await;
    assert!(matches!(ids, Err(ProviderError::Unreachable(_))));
}
