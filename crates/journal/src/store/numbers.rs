//! The numbers of runs and documents.

use protocol::AccountId;
use sqlx::{Connection, SqliteConnection};
use uuid::Uuid;

use super::Store;
use crate::{JournalError, Numbered, numbers::Numbering, runs::RequestResult};

/// The most runs of an account that have a number and have not begun.
const MOST_WAITING: i64 = 1000;

impl Store {
    /// The numbers of these in their order; `None` if one of them has none.
    pub async fn numbers(&self, subjects: &[Uuid]) -> Result<Option<Vec<u64>>, JournalError> {
        // Without a transaction: a number that was given does not change.
        let mut reader = self.reader().await?;
        let mut numbers = Vec::with_capacity(subjects.len());
        for subject in subjects {
            match number(&mut reader, *subject).await? {
                Some(number) => numbers.push(number),
                None => return Ok(None),
            }
        }
        Ok(Some(numbers))
    }

    pub async fn reserved(&self, owner: &AccountId, within: Uuid) -> Result<Vec<(u64, Uuid)>, JournalError> {
        // The index of what waits has few entries of one account: they are all looked at.
        let rows: Vec<(i64, Uuid)> = sqlx::query_as(
            "select number, subject from number where owner = ? and within = ? order by number",
        )
        .bind(owner.as_str())
        .bind(within)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        Ok(rows.into_iter().map(|(number, subject)| (number.unsigned_abs(), subject)).collect())
    }

    pub async fn numbered(&self, number: u64) -> Result<Option<Numbered>, JournalError> {
        let Ok(number) = i64::try_from(number) else { return Ok(None) };
        let row: Option<(String, Uuid, Option<Uuid>)> =
            sqlx::query_as("select owner, subject, within from number where number = ?")
                .bind(number)
                .fetch_optional(&mut *self.reader().await?)
                .await?;
        let Some((owner, subject, within)) = row else { return Ok(None) };
        let owner = owner.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Some(Numbered { owner, subject, within }))
    }
}

async fn number(connection: &mut SqliteConnection, subject: Uuid) -> Result<Option<u64>, sqlx::Error> {
    let number: Option<i64> = sqlx::query_scalar("select number from number where subject = ?")
        .bind(subject)
        .fetch_optional(connection)
        .await?;
    Ok(number.map(i64::unsigned_abs))
}

/// Numbers what has no number, in a transaction of its own.
pub(crate) async fn give(
    connection: &mut SqliteConnection,
    numbering: &Numbering,
) -> RequestResult<Vec<u64>> {
    let Numbering { owner, subjects, within } = numbering;
    let mut transaction = connection.begin_with("begin immediate").await?;
    let mut numbers = Vec::with_capacity(subjects.len());
    for subject in subjects {
        sqlx::query(
            "insert into number (owner, subject, within) values (?, ?, ?) on conflict (subject) do nothing",
        )
        .bind(owner.as_str())
        .bind(subject)
        .bind(*within)
        .execute(&mut *transaction)
        .await?;
        numbers.extend(number(&mut transaction, *subject).await?);
    }
    if within.is_some() {
        sqlx::query(
            "delete from number where number in (select number from number where owner = ? and within is not null \
             order by number desc limit -1 offset ?)",
        )
        .bind(owner.as_str())
        .bind(MOST_WAITING)
        .execute(&mut *transaction)
        .await?;
    }
    transaction.commit().await?;
    Ok(Ok(numbers))
}
