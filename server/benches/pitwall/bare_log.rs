//! SQLite alone: what storing events costs at the least.

use std::path::Path;

use sqlx::{
    ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use crate::sample;

/// SQLite takes at most 32,766 values in a statement.
const LARGEST_INSERT: usize = 4096;

/// A table with a row for each event, with the journal's settings, and nothing else.
pub struct BareLog {
    connection: SqliteConnection,
    runs: Vec<Vec<u8>>,
    last: i64,
}

impl BareLog {
    /// Makes the file, for the events of as many runs.
    pub async fn open(folder: &Path, runs: usize) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("bare.db"))
            .create_if_missing(true)
            .page_size(4096)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "4096")
            .disable_statement_logging();
        let mut connection = options.connect().await.unwrap();
        let table = "create table event (run blob not null, seq integer not null, json text not null, \
                     primary key (run, seq)) strict, without rowid";
        sqlx::query(table).execute(&mut connection).await.unwrap();
        let runs = (0..runs).map(|_| sample::new_run().0.as_bytes().to_vec()).collect();
        Self { connection, runs, last: 0 }
    }

    /// One transaction with one insert, or few where there are very many rows; the runs take turns.
    pub async fn commit(&mut self, rows: &[String]) {
        let mut transaction = self.connection.begin_with("begin immediate").await.unwrap();
        for rows in rows.chunks(LARGEST_INSERT) {
            let mut insert = QueryBuilder::<Sqlite>::new("insert into event (run, seq, json) ");
            insert.push_values(rows.iter().zip(self.runs.iter().cycle()), |mut row, (json, run)| {
                self.last += 1;
                row.push_bind(run).push_bind(self.last).push_bind(json.as_str());
            });
            insert.build().execute(&mut *transaction).await.unwrap();
        }
        transaction.commit().await.unwrap();
    }
}
