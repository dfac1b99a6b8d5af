//! SQLite alone: what storing events costs at the least.

use std::path::Path;

use protocol::RunId;
use sqlx::{
    ConnectOptions, Connection, QueryBuilder, Sqlite, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

/// The journal's table of events, with the journal's settings, and nothing else.
pub struct BareLog {
    connection: SqliteConnection,
    run: Vec<u8>,
    last: i64,
}

impl BareLog {
    /// Makes the file.
    pub async fn open(folder: &Path, run: RunId) -> Self {
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
        Self { connection, run: run.0.as_bytes().to_vec(), last: 0 }
    }

    /// One transaction with one insert.
    pub async fn commit(&mut self, rows: &[String]) {
        let mut transaction = self.connection.begin_with("begin immediate").await.unwrap();
        let mut insert = QueryBuilder::<Sqlite>::new("insert into event (run, seq, json) ");
        insert.push_values(rows, |mut row, json| {
            self.last += 1;
            row.push_bind(&self.run).push_bind(self.last).push_bind(json.as_str());
        });
        insert.build().execute(&mut *transaction).await.unwrap();
        transaction.commit().await.unwrap();
    }
}
