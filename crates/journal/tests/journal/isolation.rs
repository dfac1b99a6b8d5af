//! What breaks one thing leaves the others as they are.

use journal::{Journal, JournalError};
use protocol::{AccountId, RunFilter, RunId, RunStatus};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::sample::{AN_EVENT_A_ROW, Place, begin, finished, line, new_run, started};

async fn file(place: &Place) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(place.file())).await.unwrap()
}

fn key(run: RunId) -> Vec<u8> {
    run.0.as_bytes().to_vec()
}

#[tokio::test]
async fn what_the_database_refuses_of_one_run_keeps_nothing_else_from_being_stored() {
    let place = Place::new();
    let journal = place.open().await;
    let mut runs = Vec::new();
    for _ in 0..9 {
        runs.push(begin(&journal).await);
    }
    // In the way of the next event of one of them.
    let (blocked, _) = runs[4];
    let insert = sqlx::query("insert into block (run, first, lines) values (?, 2, '{}')").bind(key(blocked));
    insert.execute(&mut file(&place).await).await.unwrap();

    for _ in 0..2 {
        // Queued together, so that they are one transaction.
        let appends = runs.iter().map(|(run, epoch)| journal.append(*run, *epoch, vec![line("a")]));
        for ((run, _), stored) in runs.iter().zip(futures::future::join_all(appends).await) {
            match stored {
                Err(error) if *run == blocked => {
                    assert!(matches!(error, JournalError::Refused(_)), "{error:?}");
                    assert!(!error.may_pass(), "who waits for it waits for ever");
                }
                stored => assert_eq!(stored.unwrap().len(), 1),
            }
        }
    }
    assert!(journal.trouble().borrow().is_none(), "the journal can store");
    assert_eq!(journal.last_seq(blocked).await.unwrap(), Some(1));
    let stored = journal.read(runs[0].0, 0, 10).await.unwrap();
    assert_eq!(crate::sample::seqs(&stored), [1, 2, 3], "each once, however often it was tried");
}

/// AgentOS 7.6.1, 7.6.2, 7.6.3.
#[tokio::test]
async fn a_run_that_cannot_be_read_is_listed_and_deleted_and_the_others_go_on() {
    let place = Place::new();
    let journal = place.open().await;
    let ((strange, strange_epoch), (usual, epoch)) = (begin(&journal).await, begin(&journal).await);
    journal.close().await;
    let change = "update run set summary = '{\"from\":\"the future\"}', kind = 'council' where id = ?";
    sqlx::query(change).bind(key(strange)).execute(&mut file(&place).await).await.unwrap();

    let journal = place.open().await;
    let listed = journal.summaries(&RunFilter::default(), None).await.unwrap().runs;
    let unfinished = journal.unfinished().await.unwrap();
    assert_eq!(listed.iter().map(|run| run.run).collect::<Vec<_>>(), [usual, strange]);
    assert_eq!(unfinished.iter().map(|run| run.run).collect::<Vec<_>>(), [strange, usual]);
    assert_eq!(listed[0].unreadable, None);
    let run = &listed[1];
    assert_eq!(journal.summary(strange).await.unwrap().as_ref(), Some(run));
    assert!(run.unreadable.as_deref().is_some_and(|why| why.contains("cannot be read, because")), "{run:?}");
    assert!(run.request.workflow.kind().as_str() == "council");
    assert_eq!((run.owner.clone(), run.seq, run.status), (AccountId::local(), 1, RunStatus::Queued));
    assert_eq!(run.title, "pipeline · aapl · 2022-06-30");
    assert!(run.created_at.0 > 1_700_000_000_000, "when its id was made");

    let refused = journal.append(strange, strange_epoch, vec![line("a")]).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, JournalError::Unreadable(_)), "{error:?}");
    assert!(!error.to_string().contains("backup"), "{error}");
    journal.append(usual, epoch, vec![line("b")]).await.unwrap();
    assert_eq!(journal.read_stored(strange, 0, 10).await.unwrap().len(), 1);
    journal.remove(vec![strange]).await.unwrap();
    assert_eq!(journal.summary(strange).await.unwrap(), None);
}

/// AgentOS 6.C 35.
#[tokio::test]
async fn an_event_that_cannot_be_read_is_said_of_its_run_alone() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![line("a"), finished(RunStatus::Succeeded)]).await.unwrap();
    sqlx::query(AN_EVENT_A_ROW).execute(&mut file(&place).await).await.unwrap();
    let change = "update block set lines = '{\"seq\":\"two\"}' where run = ? and first = 2";
    sqlx::query(change).bind(key(run)).execute(&mut file(&place).await).await.unwrap();
    let error = journal.fold(run, u64::MAX).await.unwrap_err();
    assert!(error.to_string().starts_with("The run cannot be read, because its event 2 "), "{error}");
    let stored = journal.read_stored(run, 0, 10).await.unwrap();
    assert_eq!(&stored[1].json[..], br#"{"seq":"two"}"#, "it can be taken elsewhere");
}

#[test]
fn a_writer_that_ends_without_being_asked_to_is_called_dead() {
    let place = Place::new();
    let lost = tokio::runtime::Runtime::new().unwrap();
    let (journal, run, epoch) = lost.block_on(async {
        let journal = place.open().await;
        let (run, epoch) = begin(&journal).await;
        assert!(journal.death().is_none());
        (journal, run, epoch)
    });
    // Takes its tasks with it.
    drop(lost);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let error = journal.append(run, epoch, vec![line("a")]).await.unwrap_err();
        assert!(matches!(error, JournalError::Dead(_)), "{error:?}");
        assert!(!error.to_string().contains("shutting down") && !error.may_pass(), "{error}");
        assert!(matches!(journal.death(), Some(JournalError::Dead(_))));
        assert!(matches!(journal.ended().await, JournalError::Dead(_)));
        let append = journal.append_patiently(run, epoch, vec![line("a")]).await;
        assert!(matches!(append, Err(JournalError::Dead(_))), "nobody waits for the dead");
    });
}

#[tokio::test]
async fn a_journal_that_was_closed_is_not_dead() {
    let place = Place::new();
    let journal = place.open().await;
    journal.close().await;
    assert!(matches!(journal.claim(new_run()).await, Err(JournalError::Closed)));
    assert!(matches!(journal.ended().await, JournalError::Closed));
    assert!(journal.death().is_none());
}

#[tokio::test]
async fn claims_that_nothing_came_of_are_forgotten_one_day() {
    let place = Place::new();
    let journal = place.open().await;
    let (early, recent) = (new_run(), new_run());
    let first = journal.claim(early).await.unwrap();
    let claims = (0..4096).map(|_| journal.claim(new_run()));
    futures::future::join_all(claims).await.into_iter().for_each(|claim| assert!(claim.is_ok()));
    let last = journal.claim(recent).await.unwrap();
    let append = async |journal: &Journal, run, epoch| journal.append(run, epoch, vec![started()]).await;
    assert!(matches!(append(&journal, early, first).await, Err(JournalError::Fenced(_))));
    append(&journal, recent, last).await.unwrap();
}
