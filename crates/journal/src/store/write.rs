use std::{iter, sync::Arc};

use protocol::{AccountId, Digest, RunId, RunSummary, trading::PortfolioId};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query_builder::Separated};

use super::{
    block::Block,
    key,
    spend::{self, Spend},
    word,
};
use crate::Epoch;

const STEPS_END: &str = ") update run set epoch = step.epoch, seq = step.seq, summary = step.summary \
                        from step where run.id = step.id";

/// Rows of one insert: 256, 64, or the rest. With so few statements, all stay prepared.
const ROWS: [usize; 2] = [256, 64];

/// Blocks that are held as text at a time.
const BLOCKS_AT_ONCE: usize = 256;

fn groups<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    iter::from_fn(move || {
        let size = ROWS.into_iter().find(|size| *size <= rows.len()).unwrap_or(rows.len());
        let (group, rest) = rows.split_at(size);
        rows = rest;
        (!group.is_empty()).then_some(group)
    })
}

/// The rows of one transaction, in the order that the foreign keys need.
///
/// Each message to the connection's thread and back costs about a tenth of a small commit. So the
/// transaction begins in its first message and ends in its last, and there are few between.
#[derive(Default)]
pub(crate) struct Inserts {
    messages: Vec<QueryBuilder<Sqlite>>,
    /// Rows of the last statement so far.
    last: usize,
}

impl Inserts {
    pub fn runs(&mut self, rows: &[(Epoch, &RunSummary)]) -> Result<(), sqlx::Error> {
        let rows = rows.iter().map(|(epoch, summary)| RunRow::new(*epoch, summary));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let into = "insert into run (id, epoch, seq, finished, status, kind, flow, title, summary, owner, origin, \
                    finished_at, document, parent) ";
        let update = " on conflict (id) do update set epoch = excluded.epoch, seq = excluded.seq, \
                      finished = excluded.finished, status = excluded.status, summary = excluded.summary, \
                      finished_at = excluded.finished_at";
        self.add(into, &rows, update, |mut row, RunRow { epoch, summary, status, kind, json }| {
            row.push_bind(key(summary.run))
                .push_bind(epoch.0)
                .push_bind(summary.seq.cast_signed())
                .push_bind(summary.is_closed())
                .push_bind(status)
                .push_bind(kind)
                .push_bind(summary.request.flow.as_str())
                .push_bind(summary.title.to_lowercase())
                .push_bind(json)
                .push_bind(summary.owner.as_str())
                .push_bind(summary.origin.as_ref().map(|origin| key(origin.run)))
                .push_bind(summary.finished_at.map(|at| at.0))
                .push_bind(summary.request.workflow.document().map(|document| document.id.0))
                .push_bind(summary.parent.as_ref().map(|parent| key(parent.run)));
        });
        Ok(())
    }

    /// Runs whose list columns are unchanged: the indexes of lists are not touched.
    pub fn steps(&mut self, rows: &[(Epoch, &RunSummary)]) -> Result<(), sqlx::Error> {
        let rows = rows.iter().map(|(epoch, summary)| RunRow::new(*epoch, summary));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        self.add(
            "with step (id, epoch, seq, summary) as ( ",
            &rows,
            STEPS_END,
            |mut row, RunRow { epoch, summary, json, .. }| {
                row.push_bind(key(summary.run))
                    .push_bind(epoch.0)
                    .push_bind(summary.seq.cast_signed())
                    .push_bind(json);
            },
        );
        Ok(())
    }

    pub fn texts(&mut self, rows: &[(&Digest, &Arc<str>)]) {
        self.add("insert or ignore into text (digest, body) ", rows, "", |mut row, (digest, body)| {
            row.push_bind(digest.as_str()).push_bind(Arc::clone(body));
        });
    }

    pub fn references(&mut self, rows: &[&(RunId, Digest)]) {
        self.add("insert or ignore into run_text (run, digest) ", rows, "", |mut row, (run, digest)| {
            row.push_bind(key(*run)).push_bind(digest.as_str());
        });
    }

    pub fn ledger_entries(&mut self, rows: &[LedgerEntry]) {
        self.add("insert into ledger_entry (portfolio, number, key, body) ", rows, "", |mut row, entry| {
            row.push_bind(entry.portfolio.as_str())
                .push_bind(entry.number.cast_signed())
                .push_bind(entry.key.as_deref())
                .push_bind(entry.body.as_str());
        });
    }

    pub fn spends(&mut self, rows: &[(&AccountId, &Spend)]) -> Result<(), sqlx::Error> {
        let rows = rows.iter().map(|(account, spend)| Ok((*account, spend::columns(spend)?)));
        let rows = rows.collect::<Result<Vec<_>, sqlx::Error>>()?;
        let end = " on conflict (account) do update set used = excluded.used, removed = excluded.removed";
        let into = "insert into spend (account, used, removed) ";
        self.add(into, &rows, end, |mut row, (account, [used, removed])| {
            row.push_bind(account.as_str()).push_bind(used.as_str()).push_bind(removed.as_str());
        });
        Ok(())
    }

    /// Blocks of events, of which no more than some are held at a time: a large import has as many as fit into memory.
    pub async fn blocks(
        &mut self,
        rows: &[Block<'_>],
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        for part in rows.chunks(BLOCKS_AT_ONCE) {
            self.add("insert into block (run, first, lines) ", part, "", |mut row, block| {
                row.push_bind(key(block.run)).push_bind(block.first().cast_signed()).push_bind(block.lines());
            });
            // The last message is to end the transaction.
            let last = self.messages.len().saturating_sub(1);
            send(self.messages.drain(..last), connection).await?;
        }
        Ok(())
    }

    /// Stores everything or nothing. The connection is to be closed after an error.
    pub async fn commit(mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        if let Some(last) = self.messages.last_mut() {
            last.push("; commit");
        }
        send(self.messages, connection).await
    }

    /// Sends a single-row insert together with the next statement. Combining more would make too many
    /// different statements to keep all of them prepared.
    fn add<T>(
        &mut self,
        into: &str,
        rows: &[T],
        end: &str,
        mut values: impl FnMut(Separated<'_, Sqlite, &'static str>, &T),
    ) {
        for group in groups(rows) {
            let message = match self.messages.last_mut() {
                Some(message) if self.last == 1 => message.push("; "),
                Some(_) => self.messages.push_mut(QueryBuilder::new("")),
                None => self.messages.push_mut(QueryBuilder::new("begin immediate; ")),
            };
            message.push(into).push_values(group, &mut values).push(end);
            self.last = group.len();
        }
    }
}

async fn send(
    messages: impl IntoIterator<Item = QueryBuilder<Sqlite>>,
    connection: &mut SqliteConnection,
) -> Result<(), sqlx::Error> {
    for mut message in messages {
        message.build().execute(&mut *connection).await?;
    }
    Ok(())
}

/// A portfolio's entry.
pub(crate) struct LedgerEntry {
    pub portfolio: PortfolioId,
    pub number: u64,
    pub key: Option<String>,
    pub body: String,
}

struct RunRow<'s> {
    epoch: Epoch,
    summary: &'s RunSummary,
    status: String,
    kind: String,
    json: String,
}

impl<'s> RunRow<'s> {
    fn new(epoch: Epoch, summary: &'s RunSummary) -> Result<Self, sqlx::Error> {
        Ok(Self {
            epoch,
            summary,
            status: word(&summary.status)?,
            kind: summary.request.workflow.kind().to_string(),
            json: serde_json::to_string(summary).map_err(|error| sqlx::Error::Encode(error.into()))?,
        })
    }
}

/// Stores the summary that a run's log folds to.
pub(crate) async fn replace_summary(
    connection: &mut SqliteConnection,
    summary: &RunSummary,
) -> Result<(), sqlx::Error> {
    let row = RunRow::new(Epoch(0), summary)?;
    let update = "update run set seq = ?, finished = ?, status = ?, kind = ?, flow = ?, title = ?, summary = ?, \
                  owner = ?, origin = ?, finished_at = ?, document = ?, parent = ? where id = ?";
    sqlx::query(update)
        .bind(summary.seq.cast_signed())
        .bind(summary.is_closed())
        .bind(row.status)
        .bind(row.kind)
        .bind(summary.request.flow.as_str())
        .bind(summary.title.to_lowercase())
        .bind(row.json)
        .bind(summary.owner.as_str())
        .bind(summary.origin.as_ref().map(|origin| key(origin.run)))
        .bind(summary.finished_at.map(|at| at.0))
        .bind(summary.request.workflow.document().map(|document| document.id.0))
        .bind(summary.parent.as_ref().map(|parent| key(parent.run)))
        .bind(key(summary.run))
        .execute(connection)
        .await
        .map(drop)
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

/// Whether the run references this text.
pub(crate) async fn names_text(
    connection: &mut SqliteConnection,
    run: RunId,
    digest: &Digest,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select 1 from run_text where run = ? and digest = ?)")
        .bind(key(run))
        .bind(digest.as_str())
        .fetch_one(connection)
        .await
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

/// Stores as much as a long event has and rolls it back, to see whether there is room.
pub(crate) async fn probe(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    // Its name is no valid digest, so no event can reference it.
    let store = "insert or replace into text (digest, body) values ('probe', hex(zeroblob(65536)))";
    sqlx::query(store).execute(&mut *connection).await?;
    sqlx::query("delete from text where digest = 'probe'").execute(connection).await?;
    Ok(())
}
