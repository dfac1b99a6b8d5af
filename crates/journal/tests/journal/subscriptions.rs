use std::time::Duration;

use journal::{Encoded, JournalError, Subscription};
use protocol::RunStatus;
use tokio::time::timeout;

use crate::sample::{Place, begin, finished, line, new_run, started};

async fn rest(mut subscription: Subscription) -> Vec<u64> {
    let mut seen = Vec::new();
    while let Some(events) = subscription.next().await.unwrap() {
        seen.extend(events.iter().map(|event| event.seq));
    }
    seen
}

#[tokio::test]
async fn a_subscription_gives_what_is_stored_then_what_is_added_and_ends_with_the_run() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![line("a"), line("b")]).await.unwrap();
    let from_start = tokio::spawn(rest(journal.subscribe(run, 0).await.unwrap()));
    let from_middle = tokio::spawn(rest(journal.subscribe(run, 2).await.unwrap()));
    journal.append(run, epoch, vec![line("c")]).await.unwrap();
    journal.append(run, epoch, vec![line("d"), finished(RunStatus::Succeeded)]).await.unwrap();
    assert_eq!(from_start.await.unwrap(), [1, 2, 3, 4, 5, 6]);
    assert_eq!(from_middle.await.unwrap(), [3, 4, 5, 6]);
    assert_eq!(rest(journal.subscribe(run, 4).await.unwrap()).await, [5, 6]);
    assert_eq!(rest(journal.subscribe(run, 6).await.unwrap()).await, [] as [u64; 0]);
    assert_eq!(rest(journal.subscribe(run, 1000).await.unwrap()).await, [] as [u64; 0]);
}

#[tokio::test]
async fn a_run_is_followed_from_before_its_beginning_by_any_number_and_whenever_it_begins() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let before = journal.subscribe_before_start(run).await.unwrap();
    let (before, other) = (tokio::spawn(rest(before)), journal.subscribe_before_start(run).await.unwrap());
    assert!(matches!(journal.subscribe(run, 0).await, Err(JournalError::NoSuchRun(_))));
    let epoch = journal.claim(run).await.unwrap();
    journal.append(run, epoch, vec![started(), line("a")]).await.unwrap();
    let late = journal.subscribe_before_start(run).await.unwrap();
    journal.append(run, epoch, vec![line("b"), finished(RunStatus::Succeeded)]).await.unwrap();
    let over = journal.subscribe_before_start(run).await.unwrap();
    for reader in [other, late, over] {
        assert_eq!(rest(reader).await, [1, 2, 3, 4]);
    }
    assert_eq!(before.await.unwrap(), [1, 2, 3, 4]);
}

#[tokio::test]
async fn an_event_is_the_same_value_from_memory_and_from_the_file() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let mut live = journal.subscribe_before_start(run).await.unwrap();
    let epoch = journal.claim(run).await.unwrap();
    let long = "y".repeat(10_000);
    journal.append(run, epoch, vec![started(), line("a"), line(&long)]).await.unwrap();
    let live = live.next().await.unwrap().unwrap();
    journal.close().await;
    let journal = place.open().await;
    let stored = journal.subscribe(run, 0).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(live, stored);
    for (live, stored) in live.iter().zip(&stored) {
        assert_eq!(live.event().unwrap(), stored.event().unwrap());
        assert_eq!(live.decode().unwrap(), stored.decode().unwrap());
    }
}

#[tokio::test]
async fn all_readers_get_the_bytes_that_are_in_the_database() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let mut live = journal.subscribe(run, 1).await.unwrap();
    let mut other = journal.subscribe(run, 1).await.unwrap();
    journal.append(run, epoch, vec![line("a")]).await.unwrap();
    let live = live.next().await.unwrap().unwrap();
    let other = other.next().await.unwrap().unwrap();
    assert_eq!(live[0].json.as_ptr(), other[0].json.as_ptr(), "shared, not copied");
    journal.close().await;
    let journal = place.open().await;
    let stored = journal.subscribe(run, 1).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(live, stored);
}

#[tokio::test]
async fn what_a_subscriber_has_seen_survives_a_crash() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let mut reader = journal.subscribe(run, 1).await.unwrap();
    let writer = journal.clone();
    let append = tokio::spawn(async move { writer.append(run, epoch, vec![line("seen")]).await });
    let seen = reader.next().await.unwrap().unwrap();
    let left_behind = place.copy_as_after_a_crash();
    let after_crash = left_behind.open().await;
    let stored = after_crash.subscribe(run, 1).await.unwrap().next().await.unwrap().unwrap();
    assert_eq!(seen, stored);
    append.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_subscriber_delays_nobody_and_misses_nothing() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    // Takes one answer, then nothing more while far more is added than any tail holds.
    let mut slow = journal.subscribe(run, 0).await.unwrap();
    let mut seen: Vec<Encoded> = slow.next().await.unwrap().unwrap();
    let quick = tokio::spawn(rest(journal.subscribe(run, 0).await.unwrap()));
    let line = line(&"x".repeat(4000));
    for _ in 0..40 {
        journal.append(run, epoch, vec![line.clone(); 50]).await.unwrap();
    }
    journal.append(run, epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
    assert_eq!(quick.await.unwrap(), (1..=2002).collect::<Vec<_>>());

    while let Some(events) = slow.next().await.unwrap() {
        assert!(events.len() <= 256);
        seen.extend(events);
    }
    let seen: Vec<_> = seen.iter().map(|event| event.seq).collect();
    assert_eq!(seen, (1..=2002).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let mut reader = journal.subscribe(run, 0).await.unwrap();
    let writer = journal.clone();
    let appends = tokio::spawn(async move {
        for _ in 0..50 {
            writer.append(run, epoch, vec![line("x"); 20]).await.unwrap();
        }
        writer.append(run, epoch, vec![finished(RunStatus::Cancelled)]).await.unwrap();
    });
    let mut seen = Vec::new();
    loop {
        // Given up at every point where it waits, from the first on.
        tokio::select! {
            biased;
            answer = reader.next() => match answer.unwrap() {
                Some(events) => seen.extend(events.iter().map(|event| event.seq)),
                None => break,
            },
            () = tokio::task::yield_now() => {}
        }
    }
    appends.await.unwrap();
    assert_eq!(seen, (1..=1002).collect::<Vec<_>>());
}

#[tokio::test]
async fn there_is_nothing_to_subscribe_to_before_a_run_has_events() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    assert!(matches!(journal.subscribe(run, 0).await, Err(JournalError::NoSuchRun(_))));
    let epoch = journal.claim(run).await.unwrap();
    assert!(matches!(journal.subscribe(run, 0).await, Err(JournalError::NoSuchRun(_))));
    journal.append(run, epoch, vec![started()]).await.unwrap();
    let mut reader = journal.subscribe(run, 0).await.unwrap();
    assert_eq!(reader.next().await.unwrap().unwrap().len(), 1);
}

#[tokio::test]
async fn subscribers_are_told_when_the_journal_closes() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, _) = begin(&journal).await;
    let mut reader = journal.subscribe(run, 1).await.unwrap();
    let waiting = tokio::spawn(async move { reader.next().await });
    journal.close().await;
    let answer = timeout(Duration::from_secs(30), waiting).await.expect("it is woken").unwrap();
    assert!(matches!(answer, Err(JournalError::Closed)));
    assert!(matches!(journal.subscribe(run, 1).await, Err(JournalError::Closed)));
}
