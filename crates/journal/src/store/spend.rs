//! The spend of accounts.

use protocol::{AccountId, Totals};
use sqlx::SqliteConnection;

/// What the runs of an account have used together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Spend {
    pub used: Totals,
    /// The part of it that belongs to deleted runs.
    pub removed: Totals,
}

/// The spend of the account; zero without a row.
pub(crate) async fn read(
    connection: &mut SqliteConnection,
    account: &AccountId,
) -> Result<Spend, sqlx::Error> {
    let row: Option<(String, String)> = sqlx::query_as("select used, removed from spend where account = ?")
        .bind(account.as_str())
        .fetch_optional(connection)
        .await?;
    let Some((used, removed)) = row else { return Ok(Spend::default()) };
    Ok(Spend { used: totals(&used)?, removed: totals(&removed)? })
}

pub(crate) async fn write(
    connection: &mut SqliteConnection,
    account: &AccountId,
    spend: &Spend,
) -> Result<(), sqlx::Error> {
    let [used, removed] = columns(spend)?;
    let replace = "insert or replace into spend (account, used, removed) values (?, ?, ?)";
    sqlx::query(replace).bind(account.as_str()).bind(used).bind(removed).execute(connection).await.map(drop)
}

/// The values of the two columns.
pub(crate) fn columns(spend: &Spend) -> Result<[String; 2], sqlx::Error> {
    let encode =
        |totals: &Totals| serde_json::to_string(totals).map_err(|error| sqlx::Error::Encode(error.into()));
    Ok([encode(&spend.used)?, encode(&spend.removed)?])
}

/// Decodes a column.
pub(crate) fn totals(json: &str) -> Result<Totals, sqlx::Error> {
    serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))
}
