//! All SQL of the accounts' file.

use std::{
    collections::HashSet,
    fs::{self, File},
    io,
    path::Path,
    time::Duration,
};

use database::{FileError, Format};
use protocol::{AccountId, AccountSummary, Allowance, CredentialId, Role, RunId, Timestamp};
use sqlx::{
    ConnectOptions, FromRow, SqlitePool,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions},
};
use uuid::Uuid;

use crate::AccountsError;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// `application_id`, as the first migration sets it.
const APPLICATION_ID: i64 = 1_346_982_977;

/// Opens the file, or creates it with mode 600. Other processes may use it at the same time, since accounts
/// are managed while the server runs.
pub async fn open(path: &Path) -> Result<SqlitePool, AccountsError> {
    make_private(path).map_err(|cause| FileError::unavailable(path, cause))?;
    database::check(path, &Format { application_id: APPLICATION_ID, migrations: &MIGRATIONS }).await?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
    MIGRATIONS.run(&pool).await?;
    Ok(pool)
}

/// Makes the file if it is not there, with mode 600.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.create(true).truncate(false).read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

/// The key that signs tokens; created at the first start.
pub async fn signing_key(pool: &SqlitePool) -> Result<Vec<u8>, AccountsError> {
    sqlx::query("insert into signing_key (number, key) values (1, ?) on conflict do nothing")
        .bind(rand::random::<[u8; 32]>().as_slice())
        .execute(pool)
        .await?;
    Ok(sqlx::query_scalar("select key from signing_key").fetch_one(pool).await?)
}

pub async fn any_account(pool: &SqlitePool) -> Result<bool, AccountsError> {
    Ok(sqlx::query_scalar("select exists (select 1 from account)").fetch_one(pool).await?)
}

pub async fn add_account(
    pool: &SqlitePool,
    id: &AccountId,
    role: Role,
    password: &str,
    at: Timestamp,
) -> Result<bool, AccountsError> {
    let added = sqlx::query(
        "insert into account (id, role, password, created_at) values (?, ?, ?, ?) on conflict do nothing",
    )
    .bind(id.as_str())
    .bind(role.to_string())
    .bind(password)
    .bind(at.0)
    .execute(pool)
    .await?;
    Ok(added.rows_affected() == 1)
}

/// Removes an account with all its credentials.
pub async fn remove_account(pool: &SqlitePool, id: &AccountId) -> Result<bool, AccountsError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("delete from credential where account = ?")
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
    let removed =
        sqlx::query("delete from account where id = ?").bind(id.as_str()).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(removed.rows_affected() == 1)
}

/// Sets a password, and removes all sessions and tokens that were made with the old one.
pub async fn set_password(pool: &SqlitePool, id: &AccountId, password: &str) -> Result<bool, AccountsError> {
    let mut transaction = pool.begin().await?;
    sqlx::query("delete from credential where account = ? and kind in ('session', 'token')")
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
    let changed = sqlx::query("update account set password = ? where id = ?")
        .bind(password)
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(changed.rows_affected() == 1)
}

pub async fn set_allowance(pool: &SqlitePool, id: &AccountId, json: &str) -> Result<bool, AccountsError> {
    let changed = sqlx::query("update account set allowance = ? where id = ?")
        .bind(json)
        .bind(id.as_str())
        .execute(pool)
        .await?;
    Ok(changed.rows_affected() == 1)
}

pub async fn password(pool: &SqlitePool, id: &AccountId) -> Result<Option<String>, AccountsError> {
    let query = sqlx::query_scalar("select password from account where id = ?").bind(id.as_str());
    Ok(query.fetch_optional(pool).await?)
}

#[derive(FromRow)]
struct AccountRow {
    id: String,
    role: String,
    allowance: String,
    created_at: i64,
}

impl TryFrom<AccountRow> for AccountSummary {
    type Error = sqlx::Error;

    fn try_from(row: AccountRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.id.parse().map_err(decode_error)?,
            role: row.role.parse().map_err(|error: String| sqlx::Error::Decode(error.into()))?,
            allowance: serde_json::from_str::<Allowance>(&row.allowance).map_err(decode_error)?,
            created_at: Timestamp(row.created_at),
        })
    }
}

fn decode_error(error: impl std::error::Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::Decode(error.into())
}

pub async fn account(pool: &SqlitePool, id: &AccountId) -> Result<Option<AccountSummary>, AccountsError> {
    let row: Option<AccountRow> =
        sqlx::query_as("select id, role, allowance, created_at from account where id = ?")
            .bind(id.as_str())
            .fetch_optional(pool)
            .await?;
    Ok(row.map(TryInto::try_into).transpose()?)
}

pub async fn accounts(pool: &SqlitePool) -> Result<Vec<AccountSummary>, AccountsError> {
    let rows: Vec<AccountRow> =
        sqlx::query_as("select id, role, allowance, created_at from account order by id")
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?)
}

/// A stored credential.
#[derive(FromRow)]
pub struct Row {
    pub id: Uuid,
    pub kind: String,
    pub account: String,
    pub role: Option<String>,
    pub label: String,
    pub run: Option<Uuid>,
    pub has_secret: bool,
    pub created_at: i64,
    pub expires_at: Option<i64>,
}

/// A credential to store.
pub struct NewRow<'r> {
    pub kind: &'static str,
    pub account: &'r AccountId,
    pub digest: Option<Vec<u8>>,
    pub label: &'r str,
    pub run: Option<RunId>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

pub async fn add(pool: &SqlitePool, row: NewRow<'_>) -> Result<CredentialId, AccountsError> {
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into credential (id, kind, account, digest, label, run, created_at, expires_at) \
         values (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(id)
    .bind(row.kind)
    .bind(row.account.as_str())
    .bind(row.digest)
    .bind(row.label)
    .bind(row.run.map(|run| run.0))
    .bind(row.created_at.0)
    .bind(row.expires_at.map(|at| at.0))
    .execute(pool)
    .await?;
    Ok(CredentialId(id))
}

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "select c.id, c.kind, c.account, a.role, c.label, c.run, c.digest is not null as has_secret, ",
            "c.created_at, c.expires_at from credential c left join account a on a.id = c.account where ",
            $rest
        )
    };
}

/// The credential with this secret, unless it has expired.
pub async fn by_digest(
    pool: &SqlitePool,
    kind: &str,
    digest: &[u8],
    now: Timestamp,
) -> Result<Option<Row>, AccountsError> {
    let query =
        sqlx::query_as(select!("c.digest = ? and c.kind = ? and (c.expires_at is null or c.expires_at > ?)"));
    Ok(query.bind(digest).bind(kind).bind(now.0).fetch_optional(pool).await?)
}

pub async fn by_id(
    pool: &SqlitePool,
    kind: &str,
    id: CredentialId,
    now: Timestamp,
) -> Result<Option<Row>, AccountsError> {
    let query =
        sqlx::query_as(select!("c.id = ? and c.kind = ? and (c.expires_at is null or c.expires_at > ?)"));
    Ok(query.bind(id.0).bind(kind).bind(now.0).fetch_optional(pool).await?)
}

pub async fn of_account(
    pool: &SqlitePool,
    kind: &str,
    account: &AccountId,
    now: Timestamp,
) -> Result<Vec<Row>, AccountsError> {
    let query = sqlx::query_as(select!(
        "c.account = ? and c.kind = ? and (c.expires_at is null or c.expires_at > ?) order by c.id desc"
    ));
    Ok(query.bind(account.as_str()).bind(kind).bind(now.0).fetch_all(pool).await?)
}

/// Shares for this server's viewers.
pub async fn for_viewers(pool: &SqlitePool, now: Timestamp) -> Result<Vec<Row>, AccountsError> {
    let query = sqlx::query_as(select!(
        "c.kind = 'share' and c.digest is null and (c.expires_at is null or c.expires_at > ?)"
    ));
    Ok(query.bind(now.0).fetch_all(pool).await?)
}

pub async fn revoke(
    pool: &SqlitePool,
    kind: &str,
    account: &AccountId,
    id: CredentialId,
) -> Result<bool, AccountsError> {
    let query = sqlx::query("delete from credential where id = ? and kind = ? and account = ?");
    let gone = query.bind(id.0).bind(kind).bind(account.as_str()).execute(pool).await?;
    Ok(gone.rows_affected() == 1)
}

pub async fn revoke_shares_of(pool: &SqlitePool, run: RunId) -> Result<(), AccountsError> {
    sqlx::query("delete from credential where run = ?").bind(run.0).execute(pool).await?;
    Ok(())
}

/// Deletes all but the account's newest `keep` credentials of a kind.
pub async fn keep_newest(
    pool: &SqlitePool,
    kind: &str,
    account: &AccountId,
    keep: u32,
) -> Result<(), AccountsError> {
    sqlx::query(
        "delete from credential where kind = ? and account = ? and id not in \
         (select id from credential where kind = ? and account = ? order by id desc limit ?)",
    )
    .bind(kind)
    .bind(account.as_str())
    .bind(kind)
    .bind(account.as_str())
    .bind(keep)
    .execute(pool)
    .await?;
    Ok(())
}

pub async fn delete_expired(pool: &SqlitePool, now: Timestamp) -> Result<(), AccountsError> {
    sqlx::query("delete from credential where expires_at <= ?").bind(now.0).execute(pool).await?;
    Ok(())
}

pub async fn is_valid(pool: &SqlitePool, id: CredentialId, now: Timestamp) -> Result<bool, AccountsError> {
    let query = sqlx::query_scalar(
        "select exists (select 1 from credential where id = ? and (expires_at is null or expires_at > ?))",
    );
    Ok(query.bind(id.0).bind(now.0).fetch_one(pool).await?)
}

pub async fn valid(pool: &SqlitePool, now: Timestamp) -> Result<HashSet<CredentialId>, AccountsError> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from credential where expires_at is null or expires_at > ?")
            .bind(now.0)
            .fetch_all(pool)
            .await?;
    Ok(ids.into_iter().map(CredentialId).collect())
}
