use bytes::Bytes;
use futures::StreamExt;
use protocol::{AccountId, Digest, PortfolioId, RunFilter, RunId, RunPage, RunSummary, Totals};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};

use super::{key, word};
use crate::{Encoded, JournalError};

const DEFAULT_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
/// Words of a search that count; a title has fewer.
const MOST_WORDS: usize = 16;

/// What readers ask of the database, over connections that cannot write.
#[derive(Clone)]
pub(crate) struct Store(SqlitePool);

impl Store {
    pub fn new(pool: SqlitePool) -> Self {
        Self(pool)
    }

    pub async fn close(&self) {
        self.0.close().await;
    }

    /// Number of the run's last event, and whether that ends the run.
    pub async fn reach(&self, run: RunId) -> Result<Option<(u64, bool)>, JournalError> {
        let row: Option<(i64, bool)> = sqlx::query_as("select seq, finished from run where id = ?")
            .bind(key(run))
            .fetch_optional(&self.0)
            .await?;
        Ok(row.map(|(seq, finished)| (seq.unsigned_abs(), finished)))
    }

    pub async fn read(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Encoded>, JournalError> {
        self.read_within(run, after, limit, usize::MAX).await
    }

    /// The same, but ends after the event that reaches so many bytes.
    pub async fn read_within(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
        bytes: usize,
    ) -> Result<Vec<Encoded>, JournalError> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let mut rows =
            sqlx::query_as("select seq, json from event where run = ? and seq > ? order by seq limit ?")
                .bind(key(run))
                .bind(after)
                .bind(limit)
                .fetch(&self.0);
        let (mut events, mut read) = (Vec::new(), 0);
        while read < bytes
            && let Some(row) = rows.next().await
        {
            let (seq, json): (i64, Vec<u8>) = row?;
            read += json.len();
            events.push(Encoded { seq: seq.unsigned_abs(), json: Bytes::from(json) });
        }
        Ok(events)
    }

    pub async fn text(&self, digest: &Digest) -> Result<Option<String>, JournalError> {
        let query = sqlx::query_scalar("select body from text where digest = ?").bind(digest.as_str());
        Ok(query.fetch_optional(&self.0).await?)
    }

    pub async fn text_of_run(&self, run: RunId, digest: &Digest) -> Result<Option<String>, JournalError> {
        let query = sqlx::query_scalar(
            "select body from text join run_text using (digest) where run_text.run = ? and digest = ?",
        );
        Ok(query.bind(key(run)).bind(digest.as_str()).fetch_optional(&self.0).await?)
    }

    pub async fn summary(&self, run: RunId) -> Result<Option<RunSummary>, JournalError> {
        let row: Option<String> = sqlx::query_scalar("select summary from run where id = ?")
            .bind(key(run))
            .fetch_optional(&self.0)
            .await?;
        row.as_deref().map(decode).transpose()
    }

    pub async fn unfinished(&self) -> Result<Vec<RunSummary>, JournalError> {
        let rows: Vec<String> = sqlx::query_scalar("select summary from run where finished = 0 order by id")
            .fetch_all(&self.0)
            .await?;
        rows.iter().map(|summary| decode(summary)).collect()
    }

    pub async fn spent(&self, owner: &AccountId) -> Result<Totals, JournalError> {
        let rows: Vec<String> = sqlx::query_scalar("select summary from run where owner = ?")
            .bind(owner.as_str())
            .fetch_all(&self.0)
            .await?;
        let mut spent = Totals::default();
        for summary in &rows {
            spent.add(&decode(summary)?.own_totals());
        }
        Ok(spent)
    }

    pub async fn summaries(
        &self,
        filter: &RunFilter,
        owner: Option<&AccountId>,
    ) -> Result<RunPage, JournalError> {
        let limit = filter.limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE) as usize;
        let mut query = QueryBuilder::<Sqlite>::new("select summary from run where true");
        if let Some(status) = filter.status {
            query.push(" and status = ").push_bind(word(&status)?);
        }
        if let Some(kind) = filter.kind {
            query.push(" and kind = ").push_bind(word(&kind)?);
        }
        if let Some(owner) = owner {
            query.push(" and owner = ").push_bind(owner.as_str());
        }
        if let Some(origin) = filter.origin {
            query.push(" and origin = ").push_bind(key(origin));
        }
        if let Some(flow) = &filter.flow {
            query.push(" and flow = ").push_bind(flow.as_str());
        }
        if let Some(before) = filter.before {
            query.push(" and id < ").push_bind(key(before));
        }
        for word in filter.search.to_lowercase().split_whitespace().take(MOST_WORDS) {
            // Unlike LIKE: any letter in any case, and no wildcards.
            query.push(" and instr(title, ").push_bind(word.to_owned()).push(") > 0");
        }
        // One more than asked for tells whether there is another page.
        query.push(" order by id desc limit ").push_bind(limit as i64 + 1);
        let rows: Vec<String> = query.build_query_scalar().fetch_all(&self.0).await?;
        let runs = rows.iter().take(limit).map(|summary| decode(summary)).collect::<Result<_, _>>()?;
        Ok(RunPage { runs, more: rows.len() > limit })
    }

    pub async fn ledger_entries(&self, id: &PortfolioId) -> Result<Vec<String>, JournalError> {
        let query = sqlx::query_scalar("select body from ledger_entry where portfolio = ? order by number");
        Ok(query.bind(id.as_str()).fetch_all(&self.0).await?)
    }

    pub async fn ledgers(&self) -> Result<Vec<PortfolioId>, JournalError> {
        let rows: Vec<String> =
            sqlx::query_scalar("select portfolio from ledger_entry where number = 1 order by portfolio")
                .fetch_all(&self.0)
                .await?;
        let parse = |id: &String| id.parse().map_err(|error| JournalError::Corrupt(format!("{error}")));
        rows.iter().map(parse).collect()
    }
}

fn decode(summary: &str) -> Result<RunSummary, JournalError> {
    serde_json::from_str(summary)
        .map_err(|error| JournalError::Corrupt(format!("a run's summary cannot be read: {error}")))
}
