use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sqlx::{
    ConnectOptions, Connection, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::Store;
use crate::{Epoch, JournalError, Options};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// As the first migration sets it.
const APPLICATION_ID: i64 = 0x5049_5457;
/// Larger files are not read through at the start; SQLite checks what it reads anyway.
const LARGEST_FULL_CHECK: u64 = 256 << 20;
const PAGE: u64 = 4096;
const READERS: u32 = 4;

/// An open file: the writer's connection and the readers' pool.
pub(crate) struct Opened {
    pub connection: SqliteConnection,
    /// To connect again after a failure.
    pub options: SqliteConnectOptions,
    pub store: Store,
    pub first_epoch: Epoch,
    /// Locked as long as it is open.
    pub lock: File,
}

pub(crate) async fn open(path: &Path, options: &Options) -> Result<Opened, JournalError> {
    // Two names of one file must come to one lock.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = lock(&path)?;
    check(&path).await.map_err(|error| match error {
        JournalError::Corrupt(detail) => JournalError::Corrupt(format!("{}: {detail}", path.display())),
        other => other,
    })?;

    let options = writing(&path, options);
    let mut connection = options.connect().await?;
    MIGRATIONS.run(&mut connection).await?;
    let opening: i64 = sqlx::query_scalar("insert into opening default values returning number")
        .fetch_one(&mut connection)
        .await?;
    let pool = SqlitePoolOptions::new()
        .max_connections(READERS)
        .test_before_acquire(false)
        .connect_with(reading(&path))
        .await?;
    // Above all epochs of earlier openings: none of them made 2^32 claims.
    let first_epoch = Epoch(opening << 32);
    Ok(Opened { connection, options, store: Store::new(pool), first_epoch, lock })
}

fn writing(path: &Path, options: &Options) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(4096)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // A page that changes often is copied to the database file once for many commits.
        .pragma("wal_autocheckpoint", "4096")
        .foreign_keys(true)
        // Five tables with up to 66 sizes of insert, alone or at an end of the transaction.
        .statement_cache_capacity(500)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging();
    match options.size_limit {
        Some(bytes) => connect.pragma("max_page_count", bytes.div_ceil(PAGE).to_string()),
        None => connect,
    }
}

fn reading(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(Duration::from_secs(5))
        .disable_statement_logging()
}

/// The lock is a file of its own, as SQLite locks parts of the database file itself.
fn lock(path: &Path) -> Result<File, JournalError> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let name = PathBuf::from(name);
    let unavailable = |cause| JournalError::Unavailable { path: name.clone(), cause: Arc::new(cause) };
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse(path.to_owned())),
        Err(TryLockError::Error(cause)) => Err(unavailable(cause)),
    }
}

/// Whether the file is one that this version can work with. Only reads.
async fn check(path: &Path) -> Result<(), JournalError> {
    let unavailable = |cause| JournalError::Unavailable { path: path.to_owned(), cause: Arc::new(cause) };
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => 0,
        Err(cause) => return Err(unavailable(cause)),
    };
    if size == 0 {
        return Ok(());
    }
    let mut header = Vec::new();
    File::open(path).and_then(|file| file.take(16).read_to_end(&mut header)).map_err(unavailable)?;
    if header != b"SQLite format 3\0" {
        return Err(JournalError::Corrupt("it does not begin as a SQLite database does".into()));
    }
    let mut connection = reading(path).connect().await?;
    let result = check_content(path, size, &mut connection).await;
    connection.close().await?;
    result
}

async fn check_content(
    path: &Path,
    size: u64,
    connection: &mut SqliteConnection,
) -> Result<(), JournalError> {
    let application: i64 = sqlx::query_scalar("pragma application_id").fetch_one(&mut *connection).await?;
    let tables: Vec<String> = sqlx::query_scalar("select name from sqlite_schema where type = 'table'")
        .fetch_all(&mut *connection)
        .await?;
    // A first start may have been cut off after the migrations' own table.
    let is_begun = tables.iter().all(|table| table == "_sqlx_migrations");
    if application != APPLICATION_ID && !is_begun {
        return Err(JournalError::Foreign(path.to_owned()));
    }
    if size <= LARGEST_FULL_CHECK {
        let verdict: String = sqlx::query_scalar("pragma quick_check(1)").fetch_one(&mut *connection).await?;
        if verdict != "ok" {
            return Err(JournalError::Corrupt(verdict));
        }
    }
    if !tables.iter().any(|table| table == "_sqlx_migrations") {
        return Ok(());
    }
    let found: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(&mut *connection).await?;
    let known = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or(0);
    match found {
        Some(found) if found > known => Err(JournalError::Newer { path: path.to_owned(), found, known }),
        _ => Ok(()),
    }
}
