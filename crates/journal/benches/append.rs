//! Events per second that the journal stores, beside a bare loop over SQLite that commits
//! the same events of the same runs in batches of the same size. `cargo bench -p journal`.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use journal::Journal;
use protocol::{
    Body, LogLevel, LogLine, NewEvent, RunId, RunRequest, RunStarted, Timestamp,
    trading::{Analyst, Task},
};
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tempfile::TempDir;
use uuid::Uuid;

const PERIOD: Duration = Duration::from_secs(3);

fn event(body: Body) -> NewEvent {
    NewEvent { at: Timestamp(1_656_547_200_000), node: None, body }
}

fn started() -> NewEvent {
    let task = Task::Pipeline {
        ticker: "AAPL".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    };
    let flow = "bench".parse().unwrap();
    let heading = task.heading();
    event(Body::RunStarted(RunStarted::new(RunRequest::new(task.into(), flow), heading)))
}

fn line() -> NewEvent {
    event(Body::Logged(LogLine { level: LogLevel::Info, message: "x".repeat(300) }))
}

/// `writers` runs that each append `size` events again and again.
async fn journal(writers: usize, size: usize) -> f64 {
    let folder = TempDir::new().unwrap();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..writers {
        let journal = journal.clone();
        tasks.spawn(async move {
            let run = RunId(Uuid::now_v7());
            let epoch = journal.claim(run).await.unwrap();
            journal.append(run, epoch, vec![started()]).await.unwrap();
            let mut stored = 0;
            while begin.elapsed() < PERIOD {
                stored += journal.append(run, epoch, vec![line(); size]).await.unwrap().len();
            }
            stored
        });
    }
    let stored: usize = tasks.join_all().await.into_iter().sum();
    stored as f64 / begin.elapsed().as_secs_f64()
}

/// One prepared insert for each event, `size` events of every run in a transaction.
async fn bare(runs: usize, size: usize) -> f64 {
    let folder = TempDir::new().unwrap();
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    let table = "create table event (run blob, seq integer, json text, primary key (run, seq)) without rowid";
    sqlx::query(table).execute(&mut connection).await.unwrap();
    let begin = Instant::now();
    let runs: Vec<_> = (0..runs).map(|_| Uuid::now_v7()).collect();
    let json = "x".repeat(440);
    let mut last = 0;
    while begin.elapsed() < PERIOD {
        let mut transaction = connection.begin().await.unwrap();
        for (run, seq) in runs.iter().flat_map(|run| (1..=size).map(move |step| (run, last + step))) {
            sqlx::query("insert into event values (?, ?, ?)")
                .bind(run.as_bytes().as_slice())
                .bind(i64::try_from(seq).unwrap())
                .bind(json.as_str())
                .execute(&mut *transaction)
                .await
                .unwrap();
        }
        transaction.commit().await.unwrap();
        last += size;
    }
    (last * runs.len()) as f64 / begin.elapsed().as_secs_f64()
}

#[tokio::main]
async fn main() {
    println!("{:>8} {:>8} {:>12} {:>12}", "writers", "events", "journal/s", "bare/s");
    for (writers, size) in [(1, 1), (1, 10), (8, 1), (64, 1), (64, 8), (256, 4)] {
        let (ours, bare) = (journal(writers, size).await, bare(writers, size).await);
        println!("{writers:>8} {size:>8} {ours:>12.0} {bare:>12.0}  {:.0} %", 100.0 * ours / bare);
    }
}
