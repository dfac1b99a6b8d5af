use std::fs;

use database::FileError;
use journal::{Journal, JournalError};
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::sample::{Place, begin, line};

async fn change(place: &Place, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(place.file()).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

async fn refusal(place: &Place) -> JournalError {
    let before = fs::read(place.file()).unwrap();
    let error = Journal::open(&place.file()).await.err().expect("it is refused");
    assert_eq!(fs::read(place.file()).unwrap(), before, "the file is not touched");
    error
}

#[tokio::test]
async fn a_second_opener_is_refused_until_the_first_has_closed() {
    let place = Place::new();
    let journal = place.open().await;
    let refused = Journal::open(&place.file()).await;
    assert!(matches!(refused, Err(JournalError::InUse(_))));
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![line("the first works on")]).await.unwrap();
    journal.close().await;
    assert_eq!(place.open().await.last_seq(run).await.unwrap(), Some(2));
}

#[tokio::test]
async fn a_file_by_a_newer_version_is_refused_and_left_alone() {
    let place = Place::new();
    place.open().await.close().await;
    change(
        &place,
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time) \
         values (9000, 'future', true, x'00', 0)",
    )
    .await;
    let error = refusal(&place).await;
    assert!(
        matches!(error, JournalError::File(FileError::Newer { found: 9000, known: 13, .. })),
        "{error:?}"
    );
    assert!(error.to_string().contains("Update Pitwall"));
}

#[tokio::test]
async fn a_file_of_another_program_is_refused_and_left_alone() {
    let place = Place::new();
    change(&place, "create table recipe (name text)").await;
    assert!(matches!(refusal(&place).await, JournalError::File(FileError::Foreign(_))));
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let place = Place::new();
    fs::write(place.file(), "Dear diary, today I was not a database.").unwrap();
    let error = refusal(&place).await;
    assert!(matches!(error, JournalError::File(FileError::Damaged { .. })), "{error:?}");
    assert!(error.to_string().contains("journal.db") && error.to_string().contains("backup"));
}

#[tokio::test]
async fn a_damaged_database_is_refused_and_left_alone() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![line("x"); 500]).await.unwrap();
    journal.close().await;
    let mut bytes = fs::read(place.file()).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 8192] {
        *byte = 0x5a;
    }
    fs::write(place.file(), bytes).unwrap();
    let error = refusal(&place).await;
    assert!(matches!(error, JournalError::File(FileError::Damaged { .. })), "{error:?}");
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let place = Place::new();
    let error = Journal::open(&place.file().join("nowhere").join("journal.db")).await.err().unwrap();
    assert!(matches!(error, JournalError::File(FileError::Unavailable { .. })), "{error:?}");
    assert!(error.to_string().contains("nowhere"));
}

#[tokio::test]
async fn an_empty_file_becomes_a_journal() {
    let place = Place::new();
    fs::write(place.file(), "").unwrap();
    let journal = place.open().await;
    begin(&journal).await;
}

#[tokio::test]
async fn what_a_killed_process_had_committed_is_there() {
    let place = Place::new();
    let journal = place.open().await;
    let (run, epoch) = begin(&journal).await;
    journal.append(run, epoch, vec![line("x"); 10]).await.unwrap();
    let left_behind = place.copy_as_after_a_crash();
    let after_crash = left_behind.open().await;
    assert_eq!(after_crash.last_seq(run).await.unwrap(), Some(11));
    after_crash.append(run, epoch, vec![line("on it goes")]).await.unwrap();
}
