use protocol::{AccountId, RunId, RunSummary};
use sqlx::{Connection, SqliteConnection};

use super::{key, spend};
use crate::{JournalError, runs::RequestResult};

/// Deletes runs that are over, all or none, and returns whose they were. One that this version cannot
/// read counts as over: nobody works on it. Texts go with the last run that names them.
/// Entries of portfolios stay, and so does what an account has used.
pub(crate) async fn remove(
    connection: &mut SqliteConnection,
    runs: &[RunId],
) -> RequestResult<Vec<(RunId, AccountId)>> {
    let mut transaction = connection.begin_with("begin immediate").await?;
    // Texts before the rows that reference them.
    sqlx::query("pragma defer_foreign_keys = on").execute(&mut *transaction).await?;
    let mut removed = Vec::with_capacity(runs.len());
    for run in runs {
        let row: Option<(String, bool, String)> =
            sqlx::query_as("select owner, finished, summary from run where id = ?")
                .bind(key(*run))
                .fetch_optional(&mut *transaction)
                .await?;
        let Some((owner, finished, summary)) = row else {
            return Ok(Err(JournalError::NoSuchRun(*run)));
        };
        let owner: AccountId = owner.parse().unwrap_or_default();
        if let Ok(summary) = serde_json::from_str::<RunSummary>(&summary) {
            if !finished {
                return Ok(Err(JournalError::AtWork(*run)));
            }
            let mut spend = spend::read(&mut transaction, &owner).await?;
            spend.removed.add(&summary.charged());
            spend::write(&mut transaction, &owner, &spend).await?;
        }
        removed.push((*run, owner));
        for statement in [
            "delete from text where digest in (select digest from run_text where run = ?1) and not exists \
             (select 1 from run_text where digest = text.digest and run <> ?1)",
            "delete from run_text where run = ?1",
            "delete from block where run = ?1",
            "delete from run where id = ?1",
        ] {
            sqlx::query(statement).bind(key(*run)).execute(&mut *transaction).await?;
        }
    }
    transaction.commit().await?;
    Ok(Ok(removed))
}

/// Gives free pages back to the file system, where the file allows that.
pub(crate) async fn shrink(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("pragma incremental_vacuum").execute(&mut *connection).await?;
    // Until a checkpoint, the pages are only freed in the write-ahead log. Does not wait for readers.
    sqlx::query("pragma wal_checkpoint(passive)").execute(connection).await.map(drop)
}
