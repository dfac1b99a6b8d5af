//! A file can be copied while it is in use, checked, and mended.

use std::fs;

use database::FileError;
use journal::{Journal, JournalError, check, repair};
use protocol::RunStatus;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::sample::{AN_EVENT_A_ROW, Place, begin, finished, line, new_run, said};

async fn change(place: &Place, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(place.file()).foreign_keys(false);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(AN_EVENT_A_ROW).execute(&mut connection).await.unwrap();
    assert!(sqlx::query(sql).execute(&mut connection).await.unwrap().rows_affected() > 0, "{sql}");
    connection.close().await.unwrap();
}

async fn faults(place: &Place) -> Vec<String> {
    check(&place.file()).await.unwrap().faults
}

#[tokio::test]
async fn a_copy_of_a_file_in_use_has_all_that_was_stored_and_overwrites_nothing() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![said(&"long ".repeat(2000))]).await.unwrap();
    let copy = Place::new();
    database::copy(&place.file(), &copy.file()).await.unwrap();
    journal.append(run, epoch, vec![line("later")]).await.unwrap();
    let again = database::copy(&place.file(), &copy.file()).await;
    assert!(matches!(again, Err(FileError::Exists(_))), "{again:?}");
    let lost = database::copy(&copy.file().with_extension("lost"), &place.file().with_extension("new")).await;
    assert!(matches!(lost, Err(FileError::Missing(_))), "{lost:?}");

    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(copy.file()).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "it holds what only its owner may read");
    }
    assert!(faults(&copy).await.is_empty());
    let restored = copy.open().await;
    assert_eq!(restored.last_seq(run).await.unwrap(), Some(2));
    restored.append(run, epoch, vec![line("it goes on")]).await.unwrap();
}

#[tokio::test]
async fn a_file_in_use_is_checked_and_not_repaired() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![said(&"long ".repeat(2000)), finished(RunStatus::Failed)]).await.unwrap();
    let findings = check(&place.file()).await.unwrap();
    assert_eq!((findings.runs, findings.events, findings.faults), (1, 3, Vec::new()));
    assert!(matches!(repair(&place.file()).await, Err(JournalError::InUse(_))));
}

#[tokio::test]
async fn each_kind_of_fault_is_found_and_what_logs_tell_is_mended() {
    let place = Place::new();
    let journal = place.open().await;
    for _ in 0..2 {
        let (run, epoch) = begin(&journal).await;
        let long = format!("{run} ").repeat(200);
        journal.append(run, epoch, vec![said(&long), finished(RunStatus::Failed)]).await.unwrap();
    }
    journal.close().await;
    assert!(faults(&place).await.is_empty());
    let mendable = [
        ("update run set summary = replace(summary, 'failed', 'succeeded')", "is not that of its log"),
        ("update run set summary = '?' where id = (select min(id) from run)", "cannot be read"),
        ("insert into text (digest, body) values ('none', 'none')", "no run names them"),
        (
            "insert into spend (account, used, removed) select 'eve', json_set(j, '$.tokens_in', 7), j from \
             (select '{\"model_calls\":0,\"tool_calls\":0,\"tokens_in\":0,\"tokens_out\":0,\"cost\":\"0\",\
             \"calls_of_unknown_cost\":0}' as j)",
            "account eve is noted with 7 tokens",
        ),
    ];
    for (sql, said) in mendable {
        change(&place, sql).await;
        let found = faults(&place).await;
        assert!(found.iter().any(|fault| fault.contains(said)), "{sql}: {found:?}");
        assert!(!repair(&place.file()).await.unwrap().is_empty(), "{sql}");
        assert_eq!(faults(&place).await, [""; 0], "{sql}");
    }
    let lost = [
        ("delete from run_text where run = (select max(id) from run)", "the text"),
        ("update text set body = body || '!'", "is not the one that was stored"),
        ("delete from block where first = 2 and run = (select max(id) from run)", "its event 2 is missing"),
        ("delete from text", "rows that are not there"),
    ];
    for (sql, said) in lost {
        change(&place, sql).await;
        let found = faults(&place).await;
        assert!(found.iter().any(|fault| fault.contains(said)), "{sql}: {found:?}");
    }
}

/// The file's `auto_vacuum`: 0 where it never gives pages back, 2 where it does when it is told to.
async fn form(place: &Place) -> i64 {
    let options = SqliteConnectOptions::new().filename(place.file());
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query_scalar("pragma auto_vacuum").fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_file_of_an_old_form_is_made_to_shrink() {
    let place = Place::new();
    drop(place.of_form(2).await);
    assert!(matches!(check(&place.file()).await, Err(JournalError::File(FileError::Older(_)))));
    assert_eq!(form(&place).await, 0);
    Journal::open(&place.file()).await.unwrap().close().await;
    assert_eq!(form(&place).await, 2, "a small one, at the start");
    assert!(faults(&place).await.is_empty());
}

#[tokio::test]
async fn a_repair_makes_a_file_of_an_old_form_shrink_whatever_its_size_and_says_so() {
    for bytes in [1_000, 20_000_000] {
        let place = Place::new();
        let mut connection = place.of_form(2).await;
        let text = "insert into text (digest, body) values ('unnamed', printf('%.*c', ?, 'x'))";
        sqlx::query(text).bind(bytes).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let before = fs::metadata(place.file()).unwrap().len();
        if bytes > 16 << 20 {
            Journal::open(&place.file()).await.unwrap().close().await;
            assert_eq!(form(&place).await, 0, "a start does not rewrite a large file");
        }
        let said = "The file can shrink from now on when runs are deleted.";
        assert!(repair(&place.file()).await.unwrap().iter().any(|done| done == said));
        assert_eq!(form(&place).await, 2);
        assert!(faults(&place).await.is_empty());
        assert!(bytes < 1 << 20 || fs::metadata(place.file()).unwrap().len() < before / 10);
        assert!(!repair(&place.file()).await.unwrap().iter().any(|done| done == said), "it is said once");
    }
}

#[tokio::test]
async fn the_runs_that_ended_first_are_the_first_to_go() {
    let place = Place::new();
    let journal = place.open().await;
    let mut over = Vec::new();
    for _ in 0..3 {
        let run = new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, vec![crate::sample::started()]).await.unwrap();
        over.push((run, epoch));
    }
    // They end in another order than they began; one goes on.
    for (index, at) in [(2, 1000), (0, 2000)] {
        let (run, epoch) = over[index];
        let mut end = finished(RunStatus::Succeeded);
        end.at.0 = at;
        journal.append(run, epoch, vec![end]).await.unwrap();
    }
    let oldest = async |before, most| journal.oldest_over(protocol::Timestamp(before), most).await.unwrap();
    assert_eq!(oldest(9999, 9).await, [over[2].0, over[0].0]);
    assert_eq!(oldest(9999, 1).await, [over[2].0]);
    assert_eq!(oldest(2000, 9).await, [over[2].0]);
    let bytes = journal.bytes().await.unwrap();
    assert!((4096..1_000_000).contains(&bytes), "{bytes}");
}
