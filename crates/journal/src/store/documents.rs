//! Documents and their versions.

use protocol::{
    AccountId, Timestamp,
    document::{
        DocumentCursor, DocumentFilter, DocumentHistory, DocumentId, DocumentPage, DocumentSummary,
        DocumentTitle, DocumentVersion, SavedVersion,
    },
};
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};
use uuid::Uuid;

use super::{
    Store,
    read::{DEFAULT_PAGE, LARGEST_PAGE, MOST_WORDS},
};
use crate::{
    DocumentError, DocumentLimits, JournalError, StoredDocument,
    documents::{DocumentAct, DocumentChange},
    runs::RequestResult,
};

/// What a version takes of its owner's share beside its content, so that many small ones are not free.
const OVERHEAD: usize = 256;

const COLUMNS: &str = "id, kind, title, version, bytes, created_at, changed_at";

/// A document's row.
#[derive(sqlx::FromRow)]
struct Row {
    id: Uuid,
    kind: String,
    title: String,
    version: i64,
    bytes: i64,
    created_at: i64,
    changed_at: i64,
}

/// A version of a document.
#[derive(sqlx::FromRow)]
struct VersionRow {
    #[sqlx(flatten)]
    row: Row,
    asked: i64,
    content: String,
}

impl Row {
    fn summary(self) -> Result<DocumentSummary, sqlx::Error> {
        Ok(DocumentSummary {
            id: DocumentId(self.id),
            kind: self.kind.parse().map_err(damaged)?,
            title: self.title.parse().map_err(damaged)?,
            version: version(self.version)?,
            bytes: self.bytes.unsigned_abs(),
            created_at: Timestamp(self.created_at),
            changed_at: Timestamp(self.changed_at),
        })
    }
}

fn version(number: i64) -> Result<DocumentVersion, sqlx::Error> {
    let version = u32::try_from(number).ok().and_then(DocumentVersion::new);
    version.ok_or_else(|| sqlx::Error::Decode(format!("{number} is no version of a document").into()))
}

fn damaged(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

/// The title as searches compare it.
fn words(title: &DocumentTitle) -> String {
    title.as_str().to_lowercase()
}

impl Store {
    pub async fn documents(
        &self,
        owner: &AccountId,
        filter: &DocumentFilter,
    ) -> Result<DocumentPage, JournalError> {
        let limit = filter.limit.unwrap_or(DEFAULT_PAGE).clamp(1, LARGEST_PAGE) as usize;
        let mut rows: Vec<Row> =
            listing(owner, filter, limit).build_query_as().fetch_all(&mut *self.reader().await?).await?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let documents = rows.into_iter().map(Row::summary).collect::<Result<Vec<_>, _>>()?;
        let last = documents.last().filter(|_| more);
        let next = last.map(|last| DocumentCursor { changed_at: last.changed_at, id: last.id });
        Ok(DocumentPage { documents, next })
    }

    pub async fn document(
        &self,
        owner: &AccountId,
        id: DocumentId,
        asked: Option<DocumentVersion>,
    ) -> Result<Option<StoredDocument>, JournalError> {
        // One statement, so that the newest version is that of the summary.
        let query = "select id, kind, title, document.version, document.bytes, created_at, changed_at, \
                     document_version.version as asked, content from document join document_version \
                     on document = id and document_version.version = coalesce(?3, document.version) \
                     where id = ?1 and owner = ?2";
        let row: Option<VersionRow> = sqlx::query_as(query)
            .bind(id.0)
            .bind(owner.as_str())
            .bind(asked.map(DocumentVersion::number))
            .fetch_optional(&mut *self.reader().await?)
            .await?;
        let Some(VersionRow { row, asked, content }) = row else { return Ok(None) };
        let content = serde_json::from_str(&content).map_err(damaged)?;
        Ok(Some(StoredDocument { summary: row.summary()?, version: version(asked)?, content }))
    }

    pub async fn document_history(
        &self,
        owner: &AccountId,
        id: DocumentId,
        before: Option<DocumentVersion>,
        limit: u32,
    ) -> Result<Option<DocumentHistory>, JournalError> {
        let mut reader = self.reader().await?;
        let mut moment = reader.begin().await?;
        if summary(&mut moment, owner, id).await?.is_none() {
            return Ok(None);
        }
        let limit = limit.clamp(1, LARGEST_PAGE);
        let query = "select version, saved_at, bytes from document_version where document = ? and version < ? \
                     order by version desc limit ?";
        let mut rows: Vec<(i64, i64, i64)> = sqlx::query_as(query)
            .bind(id.0)
            .bind(before.map_or(i64::MAX, |before| before.number().into()))
            .bind(i64::from(limit) + 1)
            .fetch_all(&mut *moment)
            .await?;
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        let saved = |(number, saved_at, bytes): (i64, i64, i64)| {
            Ok(SavedVersion {
                version: version(number)?,
                saved_at: Timestamp(saved_at),
                bytes: bytes.unsigned_abs(),
            })
        };
        let versions = rows.into_iter().map(saved).collect::<Result<Vec<_>, sqlx::Error>>()?;
        Ok(Some(DocumentHistory { versions, more }))
    }
}

fn listing(owner: &AccountId, filter: &DocumentFilter, limit: usize) -> QueryBuilder<Sqlite> {
    let index = if filter.kind.is_some() { "document_list_kind" } else { "document_list" };
    let mut query = QueryBuilder::<Sqlite>::new(format!("select {COLUMNS} from document indexed by {index}"));
    query.push(" where owner = ").push_bind(owner.as_str().to_owned());
    if let Some(kind) = &filter.kind {
        query.push(" and kind = ").push_bind(kind.as_str().to_owned());
    }
    if let Some(DocumentCursor { changed_at, id }) = filter.after {
        query.push(" and (changed_at, id) < (").push_bind(changed_at.0).push(", ").push_bind(id.0).push(")");
    }
    for word in filter.search.to_lowercase().split_whitespace().take(MOST_WORDS) {
        query.push(" and instr(words, ").push_bind(word.to_owned()).push(") > 0");
    }
    // One row more than the limit shows whether there is another page.
    query.push(" order by changed_at desc, id desc limit ").push_bind(limit as i64 + 1);
    query
}

async fn summary(
    connection: &mut SqliteConnection,
    owner: &AccountId,
    id: DocumentId,
) -> Result<Option<DocumentSummary>, sqlx::Error> {
    let query = sqlx::AssertSqlSafe(format!("select {COLUMNS} from document where id = ? and owner = ?"));
    let row: Option<Row> =
        sqlx::query_as(query).bind(id.0).bind(owner.as_str()).fetch_optional(connection).await?;
    row.map(Row::summary).transpose()
}

async fn content(
    connection: &mut SqliteConnection,
    id: DocumentId,
    version: DocumentVersion,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select content from document_version where document = ? and version = ?")
        .bind(id.0)
        .bind(version.number())
        .fetch_optional(connection)
        .await
}

/// Makes one change in a transaction of its own, and returns how the document stands then; of one that is
/// deleted, how it stood.
pub(crate) async fn change(
    connection: &mut SqliteConnection,
    change: &DocumentChange,
    limits: &DocumentLimits,
) -> RequestResult<DocumentSummary, DocumentError> {
    let DocumentChange { owner, at, act } = change;
    let mut transaction = connection.begin_with("begin immediate").await?;
    let changed = match act {
        DocumentAct::Create { id, kind, title, content } => {
            let summary = DocumentSummary {
                id: *id,
                kind: kind.clone(),
                title: title.clone(),
                version: DocumentVersion::FIRST,
                bytes: content.len() as u64,
                created_at: *at,
                changed_at: *at,
            };
            match share(&mut transaction, owner, limits, 1, content).await? {
                Ok(()) => create(&mut transaction, owner, summary, content).await.map(Ok)?,
                Err(refusal) => Err(refusal),
            }
        }
        DocumentAct::Save { id, base, content } => {
            save(&mut transaction, change, limits, *id, *base, content).await?
        }
        DocumentAct::Rename { id, title } => match summary(&mut transaction, owner, *id).await? {
            Some(before) => {
                sqlx::query("update document set title = ?, words = ?, changed_at = ? where id = ?")
                    .bind(title.as_str())
                    .bind(words(title))
                    .bind(at.0)
                    .bind(id.0)
                    .execute(&mut *transaction)
                    .await?;
                Ok(DocumentSummary { title: title.clone(), changed_at: *at, ..before })
            }
            None => Err(DocumentError::NoSuchDocument(*id)),
        },
        DocumentAct::Delete { id } => match summary(&mut transaction, owner, *id).await? {
            Some(before) => {
                for statement in
                    ["delete from document_version where document = ?", "delete from document where id = ?"]
                {
                    sqlx::query(statement).bind(id.0).execute(&mut *transaction).await?;
                }
                Ok(before)
            }
            None => Err(DocumentError::NoSuchDocument(*id)),
        },
    };
    if changed.is_ok() {
        transaction.commit().await?;
    }
    Ok(changed)
}

async fn create(
    connection: &mut SqliteConnection,
    owner: &AccountId,
    summary: DocumentSummary,
    content: &str,
) -> Result<DocumentSummary, sqlx::Error> {
    let insert = "insert into document (id, owner, kind, title, words, version, bytes, kept, created_at, changed_at) \
                  values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(summary.id.0)
        .bind(owner.as_str())
        .bind(summary.kind.as_str())
        .bind(summary.title.as_str())
        .bind(words(&summary.title))
        .bind(summary.version.number())
        .bind(summary.bytes.cast_signed())
        .bind(taken(content).cast_signed())
        .bind(summary.created_at.0)
        .bind(summary.changed_at.0)
        .execute(&mut *connection)
        .await?;
    keep_version(connection, &summary, content).await?;
    Ok(summary)
}

async fn save(
    connection: &mut SqliteConnection,
    DocumentChange { owner, at, .. }: &DocumentChange,
    limits: &DocumentLimits,
    id: DocumentId,
    base: DocumentVersion,
    text: &str,
) -> RequestResult<DocumentSummary, DocumentError> {
    let Some(before) = summary(connection, owner, id).await? else {
        return Ok(Err(DocumentError::NoSuchDocument(id)));
    };
    // Checked first: who repeats a save that succeeded names an older version.
    if content(connection, id, before.version).await?.as_deref() == Some(text) {
        return Ok(Ok(before));
    }
    if before.version != base {
        return Ok(Err(DocumentError::Conflict { id, newest: before.version }));
    }
    if let Err(refusal) = share(connection, owner, limits, 0, text).await? {
        return Ok(Err(refusal));
    }
    let version = before.version.next();
    let after = DocumentSummary { version, bytes: text.len() as u64, changed_at: *at, ..before };
    sqlx::query("update document set version = ?, bytes = ?, kept = kept + ?, changed_at = ? where id = ?")
        .bind(version.number())
        .bind(after.bytes.cast_signed())
        .bind(taken(text).cast_signed())
        .bind(at.0)
        .bind(id.0)
        .execute(&mut *connection)
        .await?;
    keep_version(connection, &after, text).await?;
    Ok(Ok(after))
}

/// Stores the newest version of a document.
async fn keep_version(
    connection: &mut SqliteConnection,
    summary: &DocumentSummary,
    content: &str,
) -> Result<(), sqlx::Error> {
    let insert =
        "insert into document_version (document, version, saved_at, bytes, content) values (?, ?, ?, ?, ?)";
    sqlx::query(insert)
        .bind(summary.id.0)
        .bind(summary.version.number())
        .bind(summary.changed_at.0)
        .bind(summary.bytes.cast_signed())
        .bind(content)
        .execute(connection)
        .await
        .map(drop)
}

/// What a version takes of its owner's share.
fn taken(content: &str) -> u64 {
    (content.len() + OVERHEAD) as u64
}

/// Whether the account may keep this content as well, and so many documents more.
async fn share(
    connection: &mut SqliteConnection,
    owner: &AccountId,
    limits: &DocumentLimits,
    added: u32,
    content: &str,
) -> RequestResult<(), DocumentError> {
    let query =
        "select count(*), coalesce(sum(kept), 0) from document indexed by document_kept where owner = ?";
    let (documents, kept): (i64, i64) =
        sqlx::query_as(query).bind(owner.as_str()).fetch_one(connection).await?;
    if documents + i64::from(added) > i64::from(limits.documents) {
        return Ok(Err(DocumentError::TooMany { most: limits.documents }));
    }
    if kept.unsigned_abs() + taken(content) > limits.bytes {
        return Ok(Err(DocumentError::NoRoom { most: limits.bytes }));
    }
    Ok(Ok(()))
}

/// Faults of documents, each as a sentence.
pub(crate) async fn faults(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    let query = "select id from document where version <> (select count(*) from document_version \
                 where document = id and json_valid(content) and version between 1 and document.version)";
    let lacking: Vec<Uuid> = sqlx::query_scalar(query).fetch_all(&mut *connection).await?;
    Ok(lacking
        .into_iter()
        .map(|id| format!("A version of the document {id} is missing or cannot be read."))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_list_is_read_by_an_index_in_its_order() {
        let folder = tempfile::TempDir::new().unwrap();
        let opened = super::super::open(&folder.path().join("journal.db"), &crate::Options::default()).await;
        let mut connection = opened.unwrap().connection;
        let owner = AccountId::local();
        let after = Some(DocumentCursor { changed_at: Timestamp(7), id: DocumentId(Uuid::nil()) });
        for kind in [None, "team".parse().ok()] {
            for after in [None, after] {
                for search in ["", "week 48"] {
                    let filter =
                        DocumentFilter { kind: kind.clone(), search: search.into(), after, limit: None };
                    let query = listing(&owner, &filter, 50);
                    let sql = format!("explain query plan {}", query.sql().as_str());
                    let rows = sqlx::query_as::<_, (i64, i64, i64, String)>(sqlx::AssertSqlSafe(sql));
                    let steps: Vec<_> =
                        rows.fetch_all(&mut connection).await.unwrap().into_iter().map(|row| row.3).collect();
                    assert!(!steps.iter().any(|step| step.contains("TEMP B-TREE")), "{filter:?}: {steps:?}");
                    assert!(steps[0].contains("owner=?"), "{filter:?}: {steps:?}");
                    assert_eq!(steps[0].contains("kind=?"), filter.kind.is_some(), "{filter:?}: {steps:?}");
                    assert_eq!(
                        steps[0].contains("(changed_at,id)<"),
                        after.is_some(),
                        "{filter:?}: {steps:?}"
                    );
                }
            }
        }
    }
}
