use bytes::Bytes;
use futures::StreamExt;
use protocol::{
    AccountId, Digest, FlowId, PortfolioId, RunFilter, RunId, RunPage, RunRequest, RunStatus, RunSummary,
    Timestamp, Totals, UnknownWorkflow, Workflow,
};
use sqlx::{QueryBuilder, Sqlite, SqlitePool};
use uuid::Uuid;

use super::{key, spend, word};
use crate::{Encoded, JournalError, runs};

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
        let row: Option<(Vec<u8>, String)> = sqlx::query_as("select id, summary from run where id = ?")
            .bind(key(run))
            .fetch_optional(&self.0)
            .await?;
        Ok(self.decoded(row.into_iter().collect()).await?.pop())
    }

    pub async fn unfinished(&self) -> Result<Vec<RunSummary>, JournalError> {
        let rows = sqlx::query_as("select id, summary from run where finished = 0 order by id")
            .fetch_all(&self.0)
            .await?;
        self.decoded(rows).await
    }

    pub async fn spent(&self, owner: &AccountId) -> Result<Totals, JournalError> {
        let row: Option<String> = sqlx::query_scalar("select used from spend where account = ?")
            .bind(owner.as_str())
            .fetch_optional(&self.0)
            .await?;
        Ok(row.as_deref().map(spend::totals).transpose()?.unwrap_or_default())
    }

    pub async fn summaries(
        &self,
        filter: &RunFilter,
        owner: Option<&AccountId>,
    ) -> Result<RunPage, JournalError> {
        let limit = filter.limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE) as usize;
        let mut query = QueryBuilder::<Sqlite>::new("select id, summary from run where true");
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
        let mut rows: Vec<(Vec<u8>, String)> = query.build_query_as().fetch_all(&self.0).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(RunPage { runs: self.decoded(rows).await?, more })
    }

    /// The summaries of rows; of one that cannot be read, what its columns say.
    async fn decoded(&self, rows: Vec<(Vec<u8>, String)>) -> Result<Vec<RunSummary>, JournalError> {
        let mut summaries = Vec::with_capacity(rows.len());
        for (id, summary) in rows {
            match serde_json::from_str(&summary) {
                Ok(summary) => summaries.push(summary),
                Err(error) => {
                    let why = runs::why_unreadable(&error);
                    let row: Option<Columns> =
                        sqlx::query_as(Columns::QUERY).bind(id).fetch_optional(&self.0).await?;
                    summaries.extend(row.and_then(|row| row.summary(why)));
                }
            }
        }
        Ok(summaries)
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

/// What is known of a run without its summary.
#[derive(sqlx::FromRow)]
struct Columns {
    id: Uuid,
    owner: String,
    seq: i64,
    finished: bool,
    finished_at: Option<i64>,
    status: String,
    kind: String,
    flow: String,
    title: String,
}

impl Columns {
    const QUERY: &str = "select id, owner, seq, finished, finished_at, status, kind, flow, title from run \
                         where id = ?";

    /// A summary with what is known, and the reason why that is not more.
    fn summary(self, why: String) -> Option<RunSummary> {
        let unknown = UnknownWorkflow { kind: self.kind, parameters: Default::default() };
        // The word is always an id.
        let flow: FlowId = self.flow.parse().or_else(|_| "unknown".parse()).ok()?;
        let request = RunRequest::new(Workflow::Unknown(unknown), flow);
        let status = serde_json::from_value(self.status.into());
        let over = if self.finished { RunStatus::Failed } else { RunStatus::Queued };
        Some(RunSummary {
            owner: self.owner.parse().unwrap_or_default(),
            seq: self.seq.unsigned_abs(),
            title: self.title,
            status: status.unwrap_or(over),
            finished_at: self.finished_at.map(Timestamp),
            unreadable: Some(format!("The run cannot be read, because {why}.")),
            ..RunSummary::new(RunId(self.id), request, created_at(self.id))
        })
    }
}

/// When a run's id was made.
fn created_at(id: Uuid) -> Timestamp {
    let (seconds, nanoseconds) = id.get_timestamp().map_or((0, 0), |made| made.to_unix());
    let milliseconds = seconds.saturating_mul(1000).saturating_add(u64::from(nanoseconds / 1_000_000));
    Timestamp(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}
