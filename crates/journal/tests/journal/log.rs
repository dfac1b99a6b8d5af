use journal::{Journal, JournalError, Options};
use protocol::{AccountId, Body, ChatAsked, RunStatus, Text, UnknownBody};

use crate::sample::{Place, begin, event, finished, line, new_run, running, said, seqs, started};

/// AgentOS E 3.
#[tokio::test]
async fn events_are_numbered_from_1_without_gaps_in_each_run() {
    let place = Place::new();
    let journal = place.open().await;
    let (first, first_epoch) = begin(&journal).await;
    let (second, _) = begin(&journal).await;
    journal.append(first, first_epoch, vec![running(), line("a")]).await.unwrap();
    let added = journal.append(first, first_epoch, vec![line("b")]).await.unwrap();
    assert_eq!(added[0].seq, 4);
    assert_eq!(seqs(&journal.read(first, 0, 100).await.unwrap()), [1, 2, 3, 4]);
    assert_eq!(seqs(&journal.read(first, 1, 2).await.unwrap()), [2, 3]);
    assert_eq!(journal.last_seq(first).await.unwrap(), Some(4));
    assert_eq!(journal.last_seq(second).await.unwrap(), Some(1));
    assert_eq!(journal.last_seq(new_run()).await.unwrap(), None);
}

#[tokio::test]
async fn a_log_is_read_from_any_event_on_in_any_number_however_its_events_were_appended() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    // Long enough that some of these appends are stored in parts.
    for (size, bytes) in [(3, 10), (1, 90_000), (40, 2_000), (1, 1), (2, 30_000)] {
        journal.append(run, epoch, vec![line(&"x".repeat(bytes)); size]).await.unwrap();
    }
    let whole = journal.read_stored(run, 0, 100).await.unwrap();
    assert_eq!(whole.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=48).collect::<Vec<_>>());
    for after in 0..=49 {
        for limit in [1, 2, 7, 41] {
            let read = journal.read_stored(run, after, limit).await.unwrap();
            let expected: Vec<_> = whole.iter().skip(after as usize).take(limit as usize).cloned().collect();
            assert_eq!(read, expected, "{limit} after {after}");
        }
    }
    assert_eq!(journal.read_stored(run, u64::MAX, 5).await.unwrap(), []);
    assert_eq!(journal.read_stored(new_run(), 0, 5).await.unwrap(), []);
}

/// AgentOS 6.A 10.
#[tokio::test]
async fn an_append_returns_what_is_read_later() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let added = journal.append(run, epoch, vec![line("ünïcode ✓"), said("short")]).await.unwrap();
    let read = journal.read(run, 1, 10).await.unwrap();
    assert_eq!(added.iter().map(|event| (**event).clone()).collect::<Vec<_>>(), read);
}

#[tokio::test]
async fn events_of_kinds_that_are_not_known_come_back_as_they_were() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let body = Body::Unknown(UnknownBody {
        kind: "teleported".into(),
        data: serde_json::json!({ "to": "moon", "distance": [1, 2.5] }),
    });
    journal.append(run, epoch, vec![event(body.clone())]).await.unwrap();
    assert_eq!(journal.read(run, 1, 1).await.unwrap()[0].body, body);
}

#[tokio::test]
async fn a_claim_outdates_the_earlier_ones() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, first) = begin(&journal).await;
    let second = journal.claim(run).await.unwrap();
    assert!(second > first);
    let refused = journal.append(run, first, vec![line("late")]).await;
    assert!(matches!(refused, Err(JournalError::Fenced(fenced)) if fenced == run));
    assert_eq!(journal.append(run, second, vec![line("mine")]).await.unwrap()[0].seq, 2);
}

#[tokio::test]
async fn a_claim_holds_across_a_restart() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, first) = begin(&journal).await;
    let second = journal.claim(run).await.unwrap();
    journal.close().await;
    let journal = place.open().await;
    assert!(matches!(journal.append(run, first, vec![line("late")]).await, Err(JournalError::Fenced(_))));
    journal.append(run, second, vec![line("still mine")]).await.unwrap();
}

#[tokio::test]
async fn of_two_claims_on_a_run_without_events_the_later_one_counts() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let first = journal.claim(run).await.unwrap();
    let second = journal.claim(run).await.unwrap();
    assert!(matches!(journal.append(run, first, vec![started()]).await, Err(JournalError::Fenced(_))));
    journal.append(run, second, vec![started()]).await.unwrap();
}

#[tokio::test]
async fn a_claim_on_a_run_without_events_creates_nothing_and_ends_with_the_process() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let old = journal.claim(run).await.unwrap();
    assert_eq!(journal.last_seq(run).await.unwrap(), None);
    journal.close().await;

    let journal = place.open().await;
    assert!(matches!(journal.append(run, old, vec![started()]).await, Err(JournalError::Fenced(_))));
    let new = journal.claim(run).await.unwrap();
    assert!(matches!(journal.append(run, old, vec![started()]).await, Err(JournalError::Fenced(_))));
    journal.append(run, new, vec![started()]).await.unwrap();
}

#[tokio::test]
async fn nothing_is_added_to_a_run_that_is_over() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
    for _ in 0..2 {
        let refused = journal.append(run, epoch, vec![line("more")]).await;
        assert!(matches!(refused, Err(JournalError::Finished(_))));
    }
    assert_eq!(journal.last_seq(run).await.unwrap(), Some(2));
}

#[tokio::test]
async fn the_start_comes_first_and_once_and_the_end_last() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let epoch = journal.claim(run).await.unwrap();
    let end = || finished(RunStatus::Failed);
    for wrong in [vec![line("a")], vec![started(), started()], vec![started(), end(), line("a")]] {
        let refused = journal.append(run, epoch, wrong).await;
        assert!(matches!(refused, Err(JournalError::OutOfOrder(_))));
    }
    assert_eq!(journal.last_seq(run).await.unwrap(), None);
    journal.append(run, epoch, vec![started(), line("a"), end()]).await.unwrap();
}

#[tokio::test]
async fn a_question_beside_a_run_may_follow_its_end_in_one_append() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let epoch = journal.claim(run).await.unwrap();
    let asked =
        event(Body::ChatAsked(ChatAsked { chat: 1, question: Text::from("Why?"), by: AccountId::local() }));
    let whole = vec![started(), finished(RunStatus::Succeeded), asked];
    journal.append(run, epoch, whole).await.unwrap();
    assert_eq!(journal.last_seq(run).await.unwrap(), Some(3));
}

#[tokio::test]
async fn an_append_of_nothing_changes_nothing() {
    let place = Place::new();
    let journal = place.open().await;
    let run = new_run();
    let epoch = journal.claim(run).await.unwrap();
    assert!(journal.append(run, epoch, vec![]).await.unwrap().is_empty());
    assert_eq!(journal.last_seq(run).await.unwrap(), None);
}

/// AgentOS 6.A 18.
#[tokio::test]
async fn a_refused_append_does_not_disturb_others_of_the_same_moment() {
    let place = Place::new();
    let journal = place.open().await;
    let (good, good_epoch) = begin(&journal).await;
    let (bad, bad_epoch) = begin(&journal).await;
    journal.claim(bad).await.unwrap();
    let mut appends = tokio::task::JoinSet::new();
    for number in 0..100 {
        let journal = journal.clone();
        let (run, epoch) = if number % 2 == 0 { (good, good_epoch) } else { (bad, bad_epoch) };
        appends.spawn(async move { journal.append(run, epoch, vec![line("x")]).await.is_ok() });
    }
    let accepted = appends.join_all().await.into_iter().filter(|accepted| *accepted).count();
    assert_eq!(accepted, 50);
    assert_eq!(seqs(&journal.read(good, 0, 100).await.unwrap()), (1..=51).collect::<Vec<_>>());
    assert_eq!(journal.last_seq(bad).await.unwrap(), Some(1));
}

#[tokio::test]
async fn after_the_disk_was_full_nothing_is_seen_of_the_append_and_later_ones_work() {
    let place = Place::new();
    let options = Options { size_limit: Some(512 * 1024), ..Options::default() };
    let journal = Journal::open_with(&place.file(), &options).await.unwrap();
    let (run, epoch) = begin(&journal).await;
    let mut reader = journal.subscribe(run, 1).await.unwrap();
    let unborn = new_run();
    let unborn_epoch = journal.claim(unborn).await.unwrap();

    let long = "a text that does not fit ".repeat(40_000);
    let full = journal.append(run, epoch, vec![line("unseen"), said(&long)]).await;
    assert!(matches!(full, Err(JournalError::Full)), "{full:?}");
    let full = journal.append(unborn, unborn_epoch, vec![started(), said(&long)]).await;
    assert!(matches!(full, Err(JournalError::Full)), "{full:?}");
    assert_eq!(journal.last_seq(run).await.unwrap(), Some(1));
    assert_eq!(journal.last_seq(unborn).await.unwrap(), None);

    let added = journal.append(run, epoch, vec![line("seen")]).await.unwrap();
    assert_eq!(added[0].seq, 2);
    let seen = reader.next().await.unwrap().unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].decode().unwrap(), *added[0]);
    journal.append(unborn, unborn_epoch, vec![started()]).await.unwrap();
}

#[tokio::test]
async fn what_is_queued_when_the_journal_closes_is_stored() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    let (append, ()) = tokio::join!(journal.append(run, epoch, vec![line("last")]), journal.close());
    append.unwrap();
    assert!(matches!(journal.append(run, epoch, vec![line("x")]).await, Err(JournalError::Closed)));
    assert!(matches!(journal.read(run, 0, 1).await, Err(JournalError::Closed)));
    assert_eq!(place.open().await.last_seq(run).await.unwrap(), Some(2));
}
