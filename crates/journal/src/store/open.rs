use std::{
    ffi::OsString,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use database::{FileError, Format};
use sqlx::{
    ConnectOptions, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Store, readers::Readers, upgrade};
use crate::{Epoch, JournalError, Options};

static MIGRATIONS: Migrator = sqlx::migrate!();

/// `application_id`, as the first migration sets it.
const APPLICATION_ID: i64 = 0x5049_5457;
const PAGE: u64 = 4096;
/// Larger files are only made to shrink by `pitwall check --repair`, since that rewrites the whole file.
const LARGEST_CONVERSION: u64 = 16 << 20;

/// An open file: the writer's connection and those of readers.
pub(crate) struct Opened {
    pub connection: SqliteConnection,
    /// For connecting again after a failure.
    pub options: SqliteConnectOptions,
    pub store: Store,
    pub first_epoch: Epoch,
    /// The lock file, locked while this is open.
    pub lock: File,
}

pub(crate) async fn open(path: &Path, options: &Options) -> Result<Opened, JournalError> {
    // Canonical, so that two names of one file share one lock.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let lock = lock(&path)?;
    check_file(&path).await?;

    let options = writing(&path, options);
    let mut connection = options.connect().await?;
    MIGRATIONS.run(&mut connection).await?;
    upgrade::run(&mut connection).await?;
    let bytes = fs::metadata(&path).map_or(u64::MAX, |metadata| metadata.len());
    if bytes <= LARGEST_CONVERSION && make_shrinkable(&mut connection).await? {
        tracing::warn!(file = %path.display(), "the file was made to shrink when runs are deleted");
    }
    let opening: i64 = sqlx::query_scalar("insert into opening default values returning number")
        .fetch_one(&mut connection)
        .await?;
    let readers = Readers::open(&reading(&path)).await?;
    // Above every epoch of earlier openings, none of which made 2^32 claims.
    let first_epoch = Epoch(opening << 32);
    Ok(Opened { connection, options, store: Store::new(readers), first_epoch, lock })
}

/// Opens a file of the present form to read it alone.
pub(crate) async fn open_to_read(path: &Path) -> Result<Store, JournalError> {
    database::require(path)?;
    check_file(path).await?;
    let readers = Readers::open(&reading(path)).await?;
    let is_present = is_present_form(&mut *readers.take().await?).await?;
    if is_present { Ok(Store::new(readers)) } else { Err(FileError::Older(path.to_owned()).into()) }
}

fn writing(path: &Path, options: &Options) -> SqliteConnectOptions {
    let connect = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .page_size(4096)
        // Only has an effect in a new file: free pages can be given back.
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        // Checkpoint seldom, so that a page that changes often is copied once for many commits.
        .pragma("wal_autocheckpoint", "4096")
        // After a checkpoint, the write-ahead log is truncated to 32 MiB.
        .pragma("journal_size_limit", "33554432")
        // A new run stands in many indexes. What a statement may have to take back of them is kept in memory, and not in
        // a file that is made and deleted each time.
        .pragma("temp_store", "memory")
        .foreign_keys(true)
        // Statements for six tables, one of them in two forms, with up to 66 sizes of insert, alone or at an
        // end of the transaction.
        .statement_cache_capacity(700)
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

/// Checks that this version can work with the file.
pub(crate) async fn check_file(path: &Path) -> Result<(), FileError> {
    database::check(path, &Format { application_id: APPLICATION_ID, migrations: &MIGRATIONS }).await
}

/// Whether all migrations and upgrades have run.
pub(crate) async fn is_present_form(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let known = MIGRATIONS.iter().map(|migration| migration.version).max();
    let found: Option<i64> =
        sqlx::query_scalar("select max(version) from _sqlx_migrations").fetch_one(&mut *connection).await?;
    Ok(found == known
        && !sqlx::query_scalar("select exists (select 1 from upgrade)").fetch_one(connection).await?)
}

/// Whether the file can give pages back.
pub(crate) async fn is_shrinkable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let form: i64 = sqlx::query_scalar("pragma auto_vacuum").fetch_one(connection).await?;
    Ok(form != 0)
}

/// Rewrites a file of an old form, so that it can give pages back; `false` if it can already.
pub(crate) async fn make_shrinkable(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    if is_shrinkable(connection).await? {
        return Ok(false);
    }
    sqlx::query("pragma auto_vacuum = incremental").execute(&mut *connection).await?;
    sqlx::query("vacuum").execute(connection).await?;
    Ok(true)
}

/// The lock is a file of its own, since SQLite locks ranges of the database file itself.
pub(crate) fn lock(path: &Path) -> Result<File, JournalError> {
    let mut name = OsString::from(path);
    name.push(".lock");
    let name = PathBuf::from(name);
    let unavailable = |cause| FileError::unavailable(&name, cause);
    let file = File::options().create(true).truncate(false).write(true).open(&name).map_err(unavailable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(JournalError::InUse(path.to_owned())),
        Err(TryLockError::Error(cause)) => Err(unavailable(cause).into()),
    }
}
