//! Upgrades of what an older version stored that SQL migrations alone cannot do, each done once.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use protocol::{AccountId, RunSummary};
use sqlx::{Connection, SqliteConnection};

use super::spend::{self, Spend};

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
    transaction.commit().await
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
