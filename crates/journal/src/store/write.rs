use std::{iter, sync::Arc};

use protocol::{Digest, PortfolioId, RunId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use super::{key, word};
use crate::{Encoded, Epoch, batch::Known};

/// Rows of one insert: 256, 64, or what is left. So few statements differ that all stay prepared.
const ROWS: [usize; 2] = [256, 64];

fn groups<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= rows.len()).unwrap_or(rows.len());
        let (group, rest) = rows.split_at(size);
        rows = rest;
        (!group.is_empty()).then_some(group)
    })
}

/// A run's epoch and summary.
pub(crate) async fn run(
    connection: &mut SqliteConnection,
    run: RunId,
) -> Result<Option<(Epoch, String)>, sqlx::Error> {
    let row: Option<(i64, String)> = sqlx::query_as("select epoch, summary from run where id = ?")
        .bind(key(run))
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|(epoch, summary)| (Epoch(epoch), summary)))
}

pub(crate) async fn has_text(
    connection: &mut SqliteConnection,
    digest: &Digest,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select 1 from text where digest = ?)")
        .bind(digest.as_str())
        .fetch_one(connection)
        .await
}

struct RunRow<'k> {
    known: &'k Known,
    status: String,
    kind: String,
    json: String,
}

impl<'k> RunRow<'k> {
    fn new(known: &'k Known) -> Result<Self, sqlx::Error> {
        let summary = &known.summary;
        Ok(Self {
            known,
            status: word(&summary.status)?,
            kind: word(&summary.request.workflow.kind())?,
            json: serde_json::to_string(summary).map_err(|error| sqlx::Error::Encode(error.into()))?,
        })
    }
}

pub(crate) async fn runs(connection: &mut SqliteConnection, rows: &[&Known]) -> Result<(), sqlx::Error> {
    let rows = rows.iter().map(|known| RunRow::new(known)).collect::<Result<Vec<_>, _>>()?;
    for group in groups(&rows) {
        let mut query = QueryBuilder::<Sqlite>::new(
            "insert into run (id, epoch, seq, finished, status, kind, flow, title, summary, owner, origin) ",
        );
        query.push_values(group, |mut row, RunRow { known, status, kind, json }| {
            let summary = &known.summary;
            row.push_bind(key(summary.run))
                .push_bind(known.epoch.0)
                .push_bind(summary.seq.cast_signed())
                .push_bind(known.is_finished())
                .push_bind(status)
                .push_bind(kind)
                .push_bind(summary.request.flow.as_str())
                .push_bind(summary.title.to_lowercase())
                .push_bind(json)
                .push_bind(summary.owner.as_str())
                .push_bind(summary.origin.as_ref().map(|origin| key(origin.run)));
        });
        query.push(
            " on conflict (id) do update set epoch = excluded.epoch, seq = excluded.seq, \
             finished = excluded.finished, status = excluded.status, summary = excluded.summary",
        );
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

pub(crate) async fn events(
    connection: &mut SqliteConnection,
    rows: &[(RunId, &Encoded)],
) -> Result<(), sqlx::Error> {
    for group in groups(rows) {
        let mut query = QueryBuilder::<Sqlite>::new("insert into event (run, seq, json) ");
        query.push_values(group, |mut row, (run, event)| {
            row.push_bind(key(*run))
                .push_bind(event.seq.cast_signed())
                .push_bind(String::from_utf8_lossy(&event.json).into_owned());
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

pub(crate) async fn texts(
    connection: &mut SqliteConnection,
    rows: &[(&Digest, &Arc<str>)],
) -> Result<(), sqlx::Error> {
    for group in groups(rows) {
        let mut query = QueryBuilder::<Sqlite>::new("insert or ignore into text (digest, body) ");
        query.push_values(group, |mut row, (digest, body)| {
            row.push_bind(digest.as_str()).push_bind(Arc::clone(body));
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

pub(crate) async fn references(
    connection: &mut SqliteConnection,
    rows: &[&(RunId, Digest)],
) -> Result<(), sqlx::Error> {
    for group in groups(rows) {
        let mut query = QueryBuilder::<Sqlite>::new("insert or ignore into run_text (run, digest) ");
        query.push_values(group, |mut row, (run, digest)| {
            row.push_bind(key(*run)).push_bind(digest.as_str());
        });
        query.build().execute(&mut *connection).await?;
    }
    Ok(())
}

pub(crate) async fn last_ledger_entry(
    connection: &mut SqliteConnection,
    id: &PortfolioId,
) -> Result<Option<u64>, sqlx::Error> {
    let number: Option<i64> = sqlx::query_scalar("select max(number) from ledger_entry where portfolio = ?")
        .bind(id.as_str())
        .fetch_one(connection)
        .await?;
    Ok(number.map(i64::unsigned_abs))
}

pub(crate) async fn ledger_entry_of_key(
    connection: &mut SqliteConnection,
    id: &PortfolioId,
    entry_key: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select body from ledger_entry where portfolio = ? and key = ?")
        .bind(id.as_str())
        .bind(entry_key)
        .fetch_optional(connection)
        .await
}

pub(crate) async fn ledger_entry(
    connection: &mut SqliteConnection,
    id: &PortfolioId,
    number: u64,
    entry_key: Option<&str>,
    body: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into ledger_entry (portfolio, number, key, body) values (?, ?, ?, ?)")
        .bind(id.as_str())
        .bind(number.cast_signed())
        .bind(entry_key)
        .bind(body)
        .execute(connection)
        .await?;
    Ok(())
}
