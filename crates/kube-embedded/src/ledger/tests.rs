//! What readers and writers see while a journal is slow, fails, or is not there.

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;
use crate::storage::{Journal, Snapshot};

/// A journal that keeps a batch when the test says how that went.
struct Slow {
    asked: UnboundedSender<Vec<Change>>,
    verdicts: UnboundedReceiver<bool>,
}

impl Journal for Slow {
    fn load(&mut self) -> BoxFuture<'_, Result<Snapshot, StorageError>> {
        Box::pin(async {
            Ok(Snapshot {
                version: 10,
                objects: Vec::new(),
            })
        })
    }

    fn append(&mut self, changes: Vec<Change>) -> BoxFuture<'_, Result<(), StorageError>> {
        Box::pin(async {
            self.asked.send(changes).unwrap();
            match self.verdicts.recv().await {
                Some(true) => Ok(()),
                Some(false) | None => Err(StorageError::Append(sqlx::Error::WorkerCrashed)),
            }
        })
    }
}

struct Bench {
    ledger: Arc<Ledger>,
    asked: UnboundedReceiver<Vec<Change>>,
    verdicts: UnboundedSender<bool>,
}

async fn bench() -> Bench {
    let (sender, asked) = unbounded_channel();
    let (verdicts, receiver) = unbounded_channel();
    let journal = Slow {
        asked: sender,
        verdicts: receiver,
    };
    let storage = Storage(Kind::Journal(Box::new(journal)));
    Bench {
        ledger: Ledger::open(storage, 8).await.unwrap(),
        asked,
        verdicts,
    }
}

async fn memory(window: usize) -> Arc<Ledger> {
    Ledger::open(Storage::memory(), window).await.unwrap()
}

fn address(name: &str) -> Address {
    Address {
        resource: "boats".into(),
        key: format!("default/{name}").into(),
    }
}

fn put(name: &str, expected: Option<u64>, seats: u32) -> Write {
    let value = json!({ "metadata": { "name": name }, "seats": seats });
    Write {
        address: address(name),
        expected,
        value,
        removes: false,
        within: Vec::new(),
    }
}

fn remove(name: &str, expected: u64) -> Write {
    Write {
        removes: true,
        ..put(name, Some(expected), 0)
    }
}

#[tokio::test]
async fn without_a_journal_a_write_is_done_when_it_is_asked_for() {
    let ledger = memory(8).await;
    let made = ledger
        .write(put("anna", None, 1))
        .now_or_never()
        .unwrap()
        .unwrap();
    assert_eq!(
        ledger.get("boats", "default/anna").unwrap().version(),
        made.version()
    );
    assert_eq!(
        made.value()["metadata"]["resourceVersion"],
        made.version().to_string()
    );
}

#[tokio::test]
async fn of_two_who_saw_the_same_one_is_too_late() {
    let ledger = memory(8).await;
    let made = ledger.write(put("anna", None, 1)).await.unwrap();
    ledger
        .write(put("anna", Some(made.version()), 2))
        .await
        .unwrap();
    for late in [
        put("anna", Some(made.version()), 3),
        put("anna", None, 3),
        remove("anna", made.version()),
    ] {
        assert!(matches!(ledger.write(late).await, Err(WriteError::Changed)));
    }
    let never = ledger.write(remove("berta", 1)).await;
    assert!(matches!(never, Err(WriteError::Changed)));
}

#[tokio::test]
async fn nobody_reads_what_is_not_kept_and_writers_build_on_it() {
    let Bench {
        ledger,
        mut asked,
        verdicts,
    } = bench().await;
    let first = ledger.write(put("anna", None, 1));
    tokio::pin!(first);
    assert!(first.as_mut().now_or_never().is_none());
    assert_eq!(asked.recv().await.unwrap().len(), 1);
    assert!(ledger.get("boats", "default/anna").is_none());
    assert_eq!(ledger.version(), 10);
    let latest = ledger.latest(&address("anna")).unwrap();
    assert_eq!(latest.version(), 11);
    let second = ledger.write(put("anna", Some(11), 2));
    tokio::pin!(second);
    assert!(second.as_mut().now_or_never().is_none());
    verdicts.send(true).unwrap();
    assert_eq!(first.await.unwrap().version(), 11);
    assert_eq!(ledger.get("boats", "default/anna").unwrap().version(), 11);
    assert_eq!(ledger.latest(&address("anna")).unwrap().version(), 12);
    verdicts.send(true).unwrap();
    assert_eq!(second.await.unwrap().version(), 12);
    assert_eq!(ledger.version(), 12);
}

#[tokio::test]
async fn what_waits_becomes_one_commit() {
    let Bench {
        ledger,
        mut asked,
        verdicts,
    } = bench().await;
    let names: Vec<_> = (0..20).map(|number| format!("b{number}")).collect();
    let writes = names.iter().map(|name| ledger.write(put(name, None, 1)));
    let all = futures::future::join_all(writes);
    for _ in 0..2 {
        verdicts.send(true).unwrap();
    }
    assert!(all.await.iter().all(Result::is_ok));
    let first = asked.recv().await.unwrap().len();
    let rest = asked.try_recv().map_or(0, |batch| batch.len());
    assert_eq!(first + rest, 20);
}

#[tokio::test]
async fn a_commit_that_fails_takes_down_what_was_built_on_it_and_no_more() {
    let Bench {
        ledger,
        mut asked,
        verdicts,
    } = bench().await;
    verdicts.send(true).unwrap();
    let kept = ledger.write(put("kept", None, 1)).await.unwrap();
    asked.recv().await.unwrap();
    let first = ledger.write(put("anna", None, 1));
    let second = async {
        asked.recv().await.unwrap();
        let on_it = ledger.write(put("anna", Some(12), 2));
        tokio::pin!(on_it);
        assert!(on_it.as_mut().now_or_never().is_none());
        verdicts.send(false).unwrap();
        on_it.await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(matches!(first, Err(WriteError::NotKept)));
    assert!(matches!(second, Err(WriteError::NotKept)));
    assert!(ledger.latest(&address("anna")).is_none());
    assert_eq!(ledger.version(), kept.version());
    verdicts.send(true).unwrap();
    ledger.write(put("anna", None, 3)).await.unwrap();
    assert_eq!(
        ledger.get("boats", "default/anna").unwrap().value()["seats"],
        3
    );
}

#[tokio::test]
async fn a_request_that_goes_away_does_not_undo_its_write() {
    let Bench {
        ledger,
        mut asked,
        verdicts,
    } = bench().await;
    assert!(ledger.write(put("anna", None, 1)).now_or_never().is_none());
    asked.recv().await.unwrap();
    let mut follow = ledger.follow(&"boats".into());
    verdicts.send(true).unwrap();
    follow.changed().await.unwrap();
    assert!(ledger.get("boats", "default/anna").is_some());
}

#[tokio::test]
async fn events_are_known_as_far_back_as_the_window_goes() {
    let ledger = memory(2).await;
    let mut versions = Vec::new();
    for name in ["a", "b", "c"] {
        versions.push(ledger.write(put(name, None, 1)).await.unwrap().version());
    }
    let gone = ledger.write(remove("a", versions[0])).await.unwrap();
    let keys = |after: u64| {
        let events = ledger.events_after("boats", after, 9);
        events.map(|events| {
            events
                .iter()
                .map(|event| event.key.to_string())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(
        keys(versions[1]),
        Ok(vec!["default/c".to_owned(), "default/a".to_owned()])
    );
    assert_eq!(keys(gone.version()), Ok(Vec::new()));
    let expired = Expired {
        asked: versions[0],
        floor: versions[1],
    };
    assert_eq!(keys(versions[0]), Err(expired));
    assert_eq!(
        ledger.events_after("boats", versions[1], 1).unwrap().len(),
        1
    );
    let removal = ledger.events_after("boats", versions[2], 9).unwrap();
    assert_eq!(removal[0].kind, EventKind::Deleted);
    assert_eq!(
        removal[0].object.value()["metadata"]["resourceVersion"],
        gone.version().to_string()
    );
}

#[tokio::test]
async fn a_page_as_of_then_has_what_is_gone_and_not_what_came() {
    let ledger = memory(8).await;
    let anna = ledger.write(put("anna", None, 1)).await.unwrap();
    let berta = ledger.write(put("berta", None, 1)).await.unwrap();
    ledger
        .write(put("anna", Some(anna.version()), 2))
        .await
        .unwrap();
    ledger
        .write(remove("berta", berta.version()))
        .await
        .unwrap();
    ledger.write(put("carla", None, 1)).await.unwrap();
    let seen = |at: Option<u64>, after: Option<&str>, limit: Option<usize>| {
        let range = Range {
            prefix: "default/",
            after,
            at,
            limit,
        };
        let page = ledger.page("boats", &range, &|_| true).unwrap();
        let text = |object: &Arc<Stored>| {
            format!(
                "{}{}",
                object.value()["metadata"]["name"].as_str().unwrap(),
                object.value()["seats"]
            )
        };
        (
            page.objects.iter().map(text).collect::<Vec<_>>().join(" "),
            page.remaining,
        )
    };
    assert_eq!(seen(None, None, None), ("anna2 carla1".to_owned(), 0));
    assert_eq!(
        seen(Some(berta.version()), None, None),
        ("anna1 berta1".to_owned(), 0)
    );
    assert_eq!(
        seen(Some(anna.version()), None, None),
        ("anna1".to_owned(), 0)
    );
    assert_eq!(seen(None, None, Some(1)), ("anna2".to_owned(), 1));
    assert_eq!(
        seen(None, Some("default/anna"), Some(1)),
        ("carla1".to_owned(), 0)
    );
}

#[tokio::test]
async fn a_namespace_whose_name_begins_like_another_is_another() {
    let ledger = memory(8).await;
    for key in ["a/x", "a-b/x", "ab/x", "/a"] {
        let write = Write {
            address: Address {
                resource: "boats".into(),
                key: key.into(),
            },
            expected: None,
            value: json!({ "metadata": {}, "key": key }),
            removes: false,
            within: Vec::new(),
        };
        ledger.write(write).await.unwrap();
    }
    let range = Range {
        prefix: "a/",
        ..Range::default()
    };
    let page = ledger.page("boats", &range, &|_| true).unwrap();
    assert_eq!(page.objects.len(), 1);
    assert_eq!(page.objects[0].value()["key"], "a/x");
}
