//! Runs and events to store.

use std::{
    fs,
    path::{Path, PathBuf},
};

use journal::{Epoch, Journal};
use protocol::{
    Body, Event, LogLevel, LogLine, NewEvent, RunFinished, RunId, RunRequest, RunStarted, RunStatus, Said,
    StatusChanged, Text, Timestamp, Totals,
    trading::{Analyst, Task},
};
use sqlx::{Connection, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use uuid::Uuid;

/// A folder for one database.
pub struct Place {
    folder: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap() }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("journal.db")
    }

    pub async fn open(&self) -> Journal {
        Journal::open(&self.file()).await.unwrap()
    }

    /// A file that an earlier version made, which knew the migrations up to this one.
    pub async fn of_form(&self, last: i64) -> SqliteConnection {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let mut migrator = Migrator::new(folder).await.unwrap();
        migrator.migrations.to_mut().retain(|migration| migration.version <= last);
        let options = SqliteConnectOptions::new().filename(self.file()).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        migrator.run(&mut connection).await.unwrap();
        connection
    }

    /// What a killed process would have left on the disk at this moment.
    pub fn copy_as_after_a_crash(&self) -> Self {
        let copy = Self::new();
        for name in ["journal.db", "journal.db-wal"] {
            fs::copy(self.folder.path().join(name), copy.folder.path().join(name)).unwrap();
        }
        copy
    }
}

/// Makes a row of each event: a commit stores several events of a run as one. Nothing else changes.
pub const AN_EVENT_A_ROW: &str = "insert or replace into block (run, first, lines) \
    select run, first + key, value from block, json_each('[' || replace(lines, char(10), ',') || ']')";

pub fn new_run() -> RunId {
    RunId(Uuid::now_v7())
}

pub fn event(body: Body) -> NewEvent {
    NewEvent { at: Timestamp(1_656_547_200_000), node: None, body }
}

pub fn pipeline(ticker: &str, flow: &str) -> RunRequest {
    let task = Task::Pipeline {
        ticker: ticker.parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    };
    RunRequest::new(task.into(), flow.parse().unwrap())
}

pub fn started() -> NewEvent {
    started_as(pipeline("AAPL", "first_flow"))
}

pub fn started_as(request: RunRequest) -> NewEvent {
    event(Body::RunStarted(start(request)))
}

/// The start of a run of this request.
pub fn start(request: RunRequest) -> RunStarted {
    let heading = Task::of(&request.workflow).unwrap().heading();
    RunStarted::new(request, heading)
}

pub fn running() -> NewEvent {
    event(Body::StatusChanged(StatusChanged { status: RunStatus::Running, reason: None }))
}

pub fn line(message: &str) -> NewEvent {
    event(Body::Logged(LogLine { level: LogLevel::Info, message: message.into() }))
}

pub fn said(content: &str) -> NewEvent {
    event(Body::Said(Said { source: "critic".into(), content: Text::from(content) }))
}

pub fn finished(status: RunStatus) -> NewEvent {
    event(Body::RunFinished(RunFinished { status, error: None, stopped: None, totals: Totals::default() }))
}

/// A claimed run whose log has its start alone.
pub async fn begin(journal: &Journal) -> (RunId, Epoch) {
    let run = new_run();
    let epoch = journal.claim(run).await.unwrap();
    journal.append(run, epoch, vec![started()]).await.unwrap();
    (run, epoch)
}

pub fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.seq).collect()
}
