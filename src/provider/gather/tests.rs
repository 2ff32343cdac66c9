//! Who goes together, on a paused clock.

use futures::future::{join, join3};

use super::*;

const WINDOW: Duration = Duration::from_millis(100);

/// Answers a question with itself and how many went together.
async fn ask(gather: &Gather<u32, (u32, usize)>, question: u32) -> Option<(u32, usize)> {
    let answer =
        |all: Vec<u32>| async move { all.iter().map(|question| (*question, all.len())).collect() };
    gather.ask(question, answer).await
}

#[tokio::test(start_paused = true)]
async fn questions_within_the_window_go_together_and_each_gets_its_own_answer() {
    let gather = Gather::new(WINDOW, 10);
    let late = async {
        tokio::time::sleep(WINDOW / 2).await;
        ask(&gather, 2).await
    };
    let next = async {
        tokio::time::sleep(WINDOW * 2).await;
        ask(&gather, 3).await
    };
    let all = join3(ask(&gather, 1), late, next).await;
    assert_eq!(all, (Some((1, 2)), Some((2, 2)), Some((3, 1))));
}

#[tokio::test(start_paused = true)]
async fn a_full_round_leaves_the_rest_to_the_next() {
    let gather = Gather::new(WINDOW, 2);
    let all = join3(ask(&gather, 1), ask(&gather, 2), ask(&gather, 3)).await;
    assert_eq!(all, (Some((1, 2)), Some((2, 2)), Some((3, 1))));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_does_not_take_the_others_along() {
    let gather = Gather::new(WINDOW, 10);
    let left = tokio::time::timeout(WINDOW / 2, ask(&gather, 1));
    let (left, stayed) = join(left, ask(&gather, 2)).await;
    assert!(left.is_err());
    assert_eq!(stayed, Some((2, 2)));
}

#[tokio::test(start_paused = true)]
async fn a_round_nobody_waits_for_is_forgotten() {
    let gather = Gather::new(WINDOW, 10);
    let left = tokio::time::timeout(WINDOW / 2, ask(&gather, 1)).await;
    assert!(left.is_err());
    assert_eq!(ask(&gather, 2).await, Some((2, 1)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_there_is_said_so() {
    let gather: Gather<u32, u32> = Gather::new(WINDOW, 10);
    assert_eq!(gather.ask(1, |_| async { Vec::new() }).await, None);
}
