use futures::StreamExt;
use protocol::{
    AccountId, Digest, FlowId, Heading, RunFilter, RunId, RunPage, RunRequest, RunStatus, RunSummary,
    Timestamp, Totals, Workflow, WorkflowKind, trading::PortfolioId,
};
use sqlx::{QueryBuilder, Sqlite};
use uuid::Uuid;

use super::{
    block, key,
    readers::{Reader, Readers},
    spend, word,
};
use crate::{Encoded, JournalError, runs};

pub(super) const DEFAULT_PAGE: u32 = 50;
pub(super) const LARGEST_PAGE: u32 = 200;
/// The most words of a search; a title has fewer.
pub(super) const MOST_WORDS: usize = 16;
/// The most trigrams that are looked up; the rest of a search is compared.
const MOST_LETTERS: usize = 32;
/// Matching titles up to which a search looks its runs up by id, rather than reading the list in order.
const FEW: i64 = 1000;

/// The readers' queries, over connections that cannot write.
#[derive(Clone)]
pub(crate) struct Store(Readers);

impl Store {
    pub(super) fn new(readers: Readers) -> Self {
        Self(readers)
    }

    pub(super) async fn reader(&self) -> Result<Reader, sqlx::Error> {
        self.0.take().await
    }

    pub async fn close(&self) {
        self.0.close().await;
    }

    /// Number of the run's last event, and whether that ends the run.
    pub async fn reach(&self, run: RunId) -> Result<Option<(u64, bool)>, JournalError> {
        let row: Option<(i64, bool)> = sqlx::query_as("select seq, finished from run where id = ?")
            .bind(key(run))
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(row.map(|(seq, finished)| (seq.unsigned_abs(), finished)))
    }

    pub async fn read(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Encoded>, JournalError> {
        self.read_within(run, after, limit, usize::MAX).await
    }

    /// The same, but ends after the event that reaches this many bytes.
    pub async fn read_within(
        &self,
        run: RunId,
        after: u64,
        limit: u32,
        bytes: usize,
    ) -> Result<Vec<Encoded>, JournalError> {
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let mut reader = self.reader().await?;
        // From the block on in which the first of them is. Each row has at least one.
        let mut rows = sqlx::query_as(
            "select first, lines from block where run = ?1 and first >= \
             coalesce((select max(first) from block where run = ?1 and first <= ?2), 0) order by first limit ?3",
        )
        .bind(key(run))
        .bind(after.saturating_add(1))
        .bind(limit)
        .fetch(&mut *reader);
        let limit = limit as usize;
        let (mut events, mut read) = (Vec::new(), 0);
        while events.len() < limit
            && read < bytes
            && let Some(row) = rows.next().await
        {
            let (first, lines): (i64, Vec<u8>) = row?;
            let new = block::events(first, lines).skip_while(|event| event.seq <= after.unsigned_abs());
            for event in new.take(limit - events.len()) {
                if read >= bytes {
                    break;
                }
                read += event.json.len();
                events.push(event);
            }
        }
        Ok(events)
    }

    pub async fn text(&self, digest: &Digest) -> Result<Option<String>, JournalError> {
        let query = sqlx::query_scalar("select body from text where digest = ?").bind(digest.as_str());
        Ok(query.fetch_optional(&mut *self.reader().await?).await?)
    }

    pub async fn text_of_run(&self, run: RunId, digest: &Digest) -> Result<Option<String>, JournalError> {
        let query = sqlx::query_scalar(
            "select body from text join run_text using (digest) where run_text.run = ? and digest = ?",
        );
        Ok(query.bind(key(run)).bind(digest.as_str()).fetch_optional(&mut *self.reader().await?).await?)
    }

    pub async fn summary(&self, run: RunId) -> Result<Option<RunSummary>, JournalError> {
        let row: Option<(Vec<u8>, String)> = sqlx::query_as("select id, summary from run where id = ?")
            .bind(key(run))
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(self.decoded(row.into_iter().collect()).await?.pop())
    }

    pub async fn unfinished(&self) -> Result<Vec<RunSummary>, JournalError> {
        let rows = sqlx::query_as("select id, summary from run where finished = 0 order by id")
            .fetch_all(&mut *self.reader().await?)
            .await?;
        self.decoded(rows).await
    }

    pub async fn spent(&self, owner: &AccountId) -> Result<Totals, JournalError> {
        let row: Option<String> = sqlx::query_scalar("select used from spend where account = ?")
            .bind(owner.as_str())
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        Ok(row.as_deref().map(spend::totals).transpose()?.unwrap_or_default())
    }

    pub async fn summaries(
        &self,
        filter: &RunFilter,
        owner: Option<&AccountId>,
    ) -> Result<RunPage, JournalError> {
        let limit = filter.limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE) as usize;
        let is_rare = self.is_rare(&filter.search).await?;
        let mut query = listing(filter, owner, limit, is_rare)?;
        let mut rows: Vec<(Vec<u8>, String)> =
            query.build_query_as().fetch_all(&mut *self.reader().await?).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        Ok(RunPage { runs: self.decoded(rows).await?, more })
    }

    /// Whether few titles, of all accounts, match. Words that many titles have are soon found while reading
    /// the list in order.
    async fn is_rare(&self, search: &str) -> Result<bool, JournalError> {
        let Some(letters) = letters(search) else { return Ok(false) };
        let query = "select count(*) from (select 1 from run_title where run_title match ? limit ?)";
        let count: i64 = sqlx::query_scalar(query)
            .bind(letters)
            .bind(FEW + 1)
            .fetch_one(&mut *self.reader().await?)
            .await?;
        Ok(count <= FEW)
    }

    /// Decodes summaries; for one that cannot be decoded, what its columns say.
    async fn decoded(&self, rows: Vec<(Vec<u8>, String)>) -> Result<Vec<RunSummary>, JournalError> {
        let mut summaries = Vec::with_capacity(rows.len());
        for (id, summary) in rows {
            match serde_json::from_str(&summary) {
                Ok(summary) => summaries.push(summary),
                Err(error) => {
                    let why = runs::why_unreadable(&error);
                    let row: Option<Columns> = sqlx::query_as(Columns::QUERY)
                        .bind(id)
                        .fetch_optional(&mut *self.reader().await?)
                        .await?;
                    summaries.extend(row.and_then(|row| row.summary(why)));
                }
            }
        }
        Ok(summaries)
    }

    /// Runs that ended before this moment, those that ended first before others.
    pub async fn oldest_over(&self, before: Timestamp, most: u32) -> Result<Vec<RunId>, JournalError> {
        let query = "select id from run where finished_at is not null and finished_at < ? and finished \
                     order by finished_at limit ?";
        let ids: Vec<Uuid> =
            sqlx::query_scalar(query).bind(before.0).bind(most).fetch_all(&mut *self.reader().await?).await?;
        Ok(ids.into_iter().map(RunId).collect())
    }

    /// Bytes in use in the file; free pages are not counted.
    pub async fn bytes(&self) -> Result<u64, JournalError> {
        let query = "select (page_count - freelist_count) * page_size \
                     from pragma_page_count, pragma_freelist_count, pragma_page_size";
        let bytes: i64 = sqlx::query_scalar(query).fetch_one(&mut *self.reader().await?).await?;
        Ok(bytes.unsigned_abs())
    }

    pub async fn ledger_entries(&self, id: &PortfolioId) -> Result<Vec<String>, JournalError> {
        let query = sqlx::query_scalar("select body from ledger_entry where portfolio = ? order by number");
        Ok(query.bind(id.as_str()).fetch_all(&mut *self.reader().await?).await?)
    }

    pub async fn ledgers(&self) -> Result<Vec<PortfolioId>, JournalError> {
        let rows: Vec<String> =
            sqlx::query_scalar("select portfolio from ledger_entry where number = 1 order by portfolio")
                .fetch_all(&mut *self.reader().await?)
                .await?;
        let parse = |id: &String| id.parse().map_err(|error| JournalError::Corrupt(format!("{error}")));
        rows.iter().map(parse).collect()
    }
}

/// The trigrams that a matching title must have, as an FTS query; `None` where no word has three letters.
fn letters(search: &str) -> Option<String> {
    let search = search.to_lowercase();
    let mut asked = Vec::new();
    for word in search.split_whitespace().take(MOST_WORDS) {
        let word: Vec<char> = word.chars().collect();
        let threes = word.windows(3).filter(|letters| !letters.contains(&'\0'));
        asked
            .extend(threes.map(|letters| format!("\"{}\"", String::from_iter(letters).replace('"', "\"\""))));
    }
    asked.truncate(MOST_LETTERS);
    (!asked.is_empty()).then(|| asked.join(" "))
}

/// The statement that reads one page. It names its index, since which one is best does not depend on the
/// table's content.
fn listing(
    filter: &RunFilter,
    owner: Option<&AccountId>,
    limit: usize,
    is_rare: bool,
) -> Result<QueryBuilder<Sqlite>, JournalError> {
    let mut query = QueryBuilder::<Sqlite>::new("select id, summary from run ");
    if !is_rare {
        query.push(index(filter, owner));
    }
    query.push(" where true");
    if is_rare && let Some(letters) = letters(&filter.search) {
        query.push(
            " and id in (select run from run_title join run_number on number = run_title.rowid \
                    where run_title match ",
        );
        query.push_bind(letters).push(")");
    }
    if let Some(owner) = owner {
        query.push(" and owner = ").push_bind(owner.as_str().to_owned());
    }
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(word(&status)?);
    }
    if let Some(kind) = &filter.kind {
        query.push(" and kind = ").push_bind(kind.as_str().to_owned());
    }
    if let Some(origin) = filter.origin {
        query.push(" and origin = ").push_bind(key(origin));
    }
    if let Some(flow) = &filter.flow {
        query.push(" and flow = ").push_bind(flow.as_str().to_owned());
    }
    if let Some(document) = filter.document {
        query.push(" and document = ").push_bind(document.0);
    }
    if filter.top {
        query.push(" and parent is null");
    }
    if let Some(parent) = filter.parent {
        query.push(" and parent = ").push_bind(key(parent));
    }
    if let Some(before) = filter.before {
        query.push(" and id < ").push_bind(key(before));
    }
    for word in filter.search.to_lowercase().split_whitespace().take(MOST_WORDS) {
        // Unlike LIKE: case-insensitive for all letters, and without wildcards.
        query.push(" and instr(title, ").push_bind(word.to_owned()).push(") > 0");
    }
    // One row more than the limit shows whether there is another page.
    query.push(" order by id desc limit ").push_bind(limit as i64 + 1);
    Ok(query)
}

/// The index that reads the fewest rows, in the order of the page.
fn index(filter: &RunFilter, owner: Option<&AccountId>) -> &'static str {
    if owner.is_none() {
        return "";
    }
    if filter.origin.is_some() {
        return "indexed by run_origin";
    }
    if filter.parent.is_some() {
        return "indexed by run_parent";
    }
    if filter.document.is_some() {
        return "indexed by run_document";
    }
    if !filter.search.trim().is_empty() {
        return "indexed by run_search";
    }
    match (filter.status.is_some(), filter.kind.is_some(), filter.flow.is_some()) {
        (false, false, false) if filter.top => "indexed by run_top",
        (true, false, false) if filter.top => "indexed by run_top_status",
        (false, false, false) => "indexed by run_list",
        (true, false, false) => "indexed by run_list_status",
        (false, true, false) => "indexed by run_list_kind",
        (false, false, true) => "indexed by run_list_flow",
        (true, true, false) => "indexed by run_list_status_kind",
        (true, false, true) => "indexed by run_list_status_flow",
        (false, true, true) => "indexed by run_list_kind_flow",
        (true, true, true) => "indexed by run_list_status_kind_flow",
    }
}

/// The columns of a run's row without its summary.
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

    /// A summary made from the columns, with the reason why it is not complete.
    fn summary(self, why: String) -> Option<RunSummary> {
        // The words are always ids.
        let kind: WorkflowKind = self.kind.parse().or_else(|_| "unknown".parse()).ok()?;
        let flow: FlowId = self.flow.parse().or_else(|_| "unknown".parse()).ok()?;
        let request = RunRequest::new(Workflow::bare(kind), flow);
        let status = serde_json::from_value(self.status.into());
        let over = if self.finished { RunStatus::Failed } else { RunStatus::Queued };
        Some(RunSummary {
            owner: self.owner.parse().unwrap_or_default(),
            seq: self.seq.unsigned_abs(),
            status: status.unwrap_or(over),
            finished_at: self.finished_at.map(Timestamp),
            unreadable: Some(format!("The run cannot be read, because {why}.")),
            ..RunSummary::new(RunId(self.id), request, Heading::new(self.title), created_at(self.id))
        })
    }
}

/// The moment in a run's id (UUID v7).
fn created_at(id: Uuid) -> Timestamp {
    let (seconds, nanoseconds) = id.get_timestamp().map_or((0, 0), |made| made.to_unix());
    let milliseconds = seconds.saturating_mul(1000).saturating_add(u64::from(nanoseconds / 1_000_000));
    Timestamp(i64::try_from(milliseconds).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use protocol::document::DocumentId;

    use super::*;

    /// All filters that there are.
    fn filters() -> Vec<RunFilter> {
        let mut filters = vec![RunFilter::default()];
        let mut cross = |change: &dyn Fn(&mut RunFilter)| {
            let mut changed = filters.clone();
            changed.iter_mut().for_each(change);
            filters.extend(changed);
        };
        cross(&|filter| filter.status = Some(RunStatus::Waiting));
        cross(&|filter| filter.flow = "flow".parse().ok());
        cross(&|filter| filter.before = Some(RunId(Uuid::max())));
        cross(&|filter| filter.origin = Some(RunId(Uuid::nil())));
        cross(&|filter| filter.document = Some(DocumentId(Uuid::nil())));
        cross(&|filter| filter.search = "aapl 2022".to_owned());
        cross(&|filter| filter.kind = "essay".parse().ok());
        filters
    }

    #[tokio::test]
    async fn every_combination_of_filters_is_read_by_an_index_in_the_order_of_the_page() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("journal.db");
        let opened = super::super::open(&file, &crate::Options::default()).await;
        let mut connection = opened.unwrap().connection;
        let owner = AccountId::local();
        let both = filters().into_iter().flat_map(|filter| [(filter.clone(), false), (filter, true)]);
        for (filter, is_rare) in both {
            let query = listing(&filter, Some(&owner), 50, is_rare).unwrap();
            let sql = format!("explain query plan {}", query.sql().as_str());
            let rows = sqlx::query_as::<_, (i64, i64, i64, String)>(sqlx::AssertSqlSafe(sql));
            let steps: Vec<_> =
                rows.fetch_all(&mut connection).await.unwrap().into_iter().map(|row| row.3).collect();
            assert!(
                !steps.iter().any(|step| step.contains("TEMP B-TREE")),
                "{filter:?} is sorted: {steps:?}"
            );
            let step = &steps[0];
            if is_rare && !filter.search.is_empty() {
                // The runs that the trigram index found are looked up by their ids.
                assert!(
                    step.starts_with("SEARCH run USING") && step.contains("id=?"),
                    "{filter:?}: {steps:?}"
                );
                continue;
            }
            if is_rare {
                continue;
            }
            assert!(step.starts_with("SEARCH run USING INDEX run_"), "{filter:?}: {step}");
            // Filters by equality are looked up in the index; the rest is read in order.
            let exact = |name: &str| step.contains(&format!("{name}=?"));
            if filter.origin.is_some() {
                assert!(exact("origin"), "{filter:?}: {step}");
            } else if filter.document.is_some() {
                assert!(exact("owner") && exact("document"), "{filter:?}: {step}");
            } else if filter.search.is_empty() {
                assert!(exact("owner"), "{filter:?}: {step}");
                assert_eq!(filter.status.is_some(), exact("status"), "{filter:?}: {step}");
                assert_eq!(filter.kind.is_some(), exact("kind"), "{filter:?}: {step}");
                assert_eq!(filter.flow.is_some(), exact("flow"), "{filter:?}: {step}");
            } else {
                assert!(step.contains("run_search (owner=?"), "{filter:?}: {step}");
            }
        }
    }
}
