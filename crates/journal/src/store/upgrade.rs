//! Upgrades of what an older version stored that SQL migrations alone cannot do, each done once.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use protocol::{AccountId, RunId, RunSummary};
use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

use super::{
    block,
    spend::{self, Spend},
    write,
};

/// Runs the upgrades that are still to be done.
pub(crate) async fn run(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("begin immediate").await?;
    let steps: Vec<String> =
        sqlx::query_scalar("select step from upgrade").fetch_all(&mut *transaction).await?;
    if steps.iter().any(|step| step == "spend") {
        for (account, spend) in count_spend(&mut transaction).await? {
            spend::write(&mut transaction, &account, &spend).await?;
        }
        sqlx::query("delete from upgrade where step = 'spend'").execute(&mut *transaction).await?;
    }
    if steps.iter().any(|step| step == "below") {
        let parents: Vec<Uuid> =
            sqlx::query_scalar("select distinct parent from run where parent is not null")
                .fetch_all(&mut *transaction)
                .await?;
        for parent in parents {
            if let Some(summary) = fold(&mut transaction, parent).await? {
                write::replace_summary(&mut transaction, &summary).await?;
            }
        }
        sqlx::query("delete from upgrade where step = 'below'").execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// The summary that a run's log folds to; `None` where it cannot be read, and stays as it is.
async fn fold(connection: &mut SqliteConnection, run: Uuid) -> Result<Option<RunSummary>, sqlx::Error> {
    let mut rows = block::of_run(connection, RunId(run));
    let mut summary: Option<RunSummary> = None;
    while let Some((first, lines)) = rows.try_next().await? {
        for encoded in block::events(first, lines) {
            let Ok(event) = encoded.decode() else { return Ok(None) };
            RunSummary::fold(&mut summary, &event);
        }
    }
    Ok(summary)
}

/// Sums up the spends of all runs. Runs that cannot be read are left out.
pub(crate) async fn count_spend(
    connection: &mut SqliteConnection,
) -> Result<BTreeMap<AccountId, Spend>, sqlx::Error> {
    let mut spends: BTreeMap<AccountId, Spend> = BTreeMap::new();
    let mut rows = sqlx::query_scalar::<_, String>("select summary from run").fetch(connection);
    while let Some(summary) = rows.try_next().await? {
        let Ok(summary) = serde_json::from_str::<RunSummary>(&summary) else { continue };
        spends.entry(summary.owner.clone()).or_default().used.add(&summary.charged());
    }
    Ok(spends)
}
