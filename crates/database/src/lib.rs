//! Checks of Pitwall's SQLite files before they are opened: that a file is Pitwall's, undamaged, and of a
//! known format. Checking only reads, so a refused file stays unchanged.
//!
//! Besides, [`TextIndex`] searches texts that are in memory, and [`ForeignDatabase`] reads what another program keeps.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod foreign;
mod text_index;

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, migrate::Migrator, sqlite::SqliteConnectOptions};

pub use foreign::{Cell, ForeignDatabase, ForeignError, ForeignRow};
pub use text_index::{Found, SearchError, TextIndex};

/// The first bytes of every SQLite database: <https://www.sqlite.org/fileformat2.html>.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// Larger files are not checked in full at the start; SQLite checks each page that it reads anyway.
const LARGEST_FULL_CHECK: u64 = 256 << 20;
/// The table of the migrations that were applied.
const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// What identifies a file as ours.
pub struct Format {
    /// `application_id`, as the first migration sets it.
    pub application_id: i64,
    /// All migrations that this version knows.
    pub migrations: &'static Migrator,
}

/// Why a file is refused. It was not changed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FileError {
    /// The database of another program, or another one of Pitwall's.
    #[error("{} belongs to another program. Choose another data folder; this file was not changed.", .0.display())]
    Foreign(PathBuf),
    /// A newer Pitwall wrote it.
    #[error(
        "{} was written by a newer Pitwall (format {found}; this one knows {known}). \
         Update Pitwall, or choose another data folder; this file was not changed.",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest format that this version knows.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged: {detail}. Stop Pitwall, keep a copy of the file, and restore a backup.", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The file does not exist.
    #[error("There is no file {}. Check the data folder.", .0.display())]
    Missing(PathBuf),
    /// A file stands where the copy is to go.
    #[error("There is a file {} already; it was not touched. Copy into another folder.", .0.display())]
    Exists(PathBuf),
    /// An older Pitwall wrote the file, and its migrations have not run yet.
    #[error("{} was written by an older Pitwall. Serve it once, or use --repair, and check it then.", .0.display())]
    Older(PathBuf),
    /// The system cannot open the file.
    #[error("{} cannot be opened: {cause}. Check that the folder exists and may be written to.", path.display())]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: Arc<io::Error>,
    },
}

impl FileError {
    /// The system's error about a file.
    pub fn unavailable(path: &Path, cause: io::Error) -> Self {
        Self::Unavailable { path: path.to_owned(), cause: Arc::new(cause) }
    }
}

/// Checks that this version can work with a file; a file that is missing or empty passes.
///
/// # Errors
/// See [`FileError`].
pub async fn check(path: &Path, format: &Format) -> Result<(), FileError> {
    let size = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => 0,
        Err(cause) => return Err(FileError::unavailable(path, cause)),
    };
    if size == 0 {
        return Ok(());
    }
    let mut header = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut header))
        .map_err(|cause| FileError::unavailable(path, cause))?;
    let damaged = |detail: String| FileError::Damaged { path: path.to_owned(), detail };
    if header != MAGIC {
        return Err(damaged("it does not begin as a SQLite database does".to_owned()));
    }
    let options = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
    let content = async {
        let mut connection = options.connect().await?;
        let content = Content::read(&mut connection, size).await;
        connection.close().await?;
        content
    };
    let content = content.await.map_err(|error: sqlx::Error| {
        if is_damage(&error) {
            damaged(error.to_string())
        } else {
            FileError::unavailable(path, io::Error::other(error))
        }
    })?;
    content.check(path, format)
}

/// Checks that the file exists.
///
/// # Errors
/// [`FileError::Missing`].
pub fn require(path: &Path) -> Result<(), FileError> {
    if path.is_file() { Ok(()) } else { Err(FileError::Missing(path.to_owned())) }
}

/// Checks that the file does not exist.
///
/// # Errors
/// [`FileError::Exists`].
pub fn refuse_to_overwrite(path: &Path) -> Result<(), FileError> {
    if fs::symlink_metadata(path).is_ok() { Err(FileError::Exists(path.to_owned())) } else { Ok(()) }
}

/// Copies a database in one read transaction, also while others use it, with mode 600. The copy gets its name
/// only when it is complete and durable.
///
/// # Errors
/// [`FileError::Missing`], [`FileError::Exists`], or the system refuses.
pub async fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    require(from)?;
    refuse_to_overwrite(to)?;
    let mut partial = to.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let unavailable = |cause| FileError::unavailable(&partial, cause);
    if partial.exists() {
        fs::remove_file(&partial).map_err(unavailable)?;
    }
    make_private(&partial).map_err(unavailable)?;
    let options = SqliteConnectOptions::new().filename(from).disable_statement_logging();
    let copied = async {
        let mut connection = options.connect().await?;
        sqlx::query("vacuum into ?")
            .bind(partial.to_string_lossy().into_owned())
            .execute(&mut connection)
            .await?;
        connection.close().await
    };
    copied.await.map_err(|error| FileError::unavailable(&partial, io::Error::other(error)))?;
    File::open(&partial).and_then(|file| file.sync_all()).map_err(unavailable)?;
    fs::rename(&partial, to).map_err(unavailable)?;
    // The directory entry has to be durable as well.
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(unavailable)
}

/// Makes an empty file with mode 600.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// `SQLITE_CORRUPT` or `SQLITE_NOTADB`: <https://www.sqlite.org/rescode.html>.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    // The low byte is the primary result code; the others refine it.
    matches!(code.map(|code| code & 0xff), Some(11 | 26))
}

/// What is read from a database to check it.
struct Content {
    application_id: i64,
    tables: Vec<String>,
    /// SQLite's own verdict: `ok`, or what is wrong.
    verdict: String,
    version: Option<i64>,
}

impl Content {
    async fn read(connection: &mut SqliteConnection, size: u64) -> Result<Self, sqlx::Error> {
        let application_id = sqlx::query_scalar("pragma application_id").fetch_one(&mut *connection).await?;
        let tables: Vec<String> = sqlx::query_scalar("select name from sqlite_schema where type = 'table'")
            .fetch_all(&mut *connection)
            .await?;
        let verdict = if size <= LARGEST_FULL_CHECK {
            sqlx::query_scalar("pragma quick_check(1)").fetch_one(&mut *connection).await?
        } else {
            "ok".to_owned()
        };
        let version = if tables.iter().any(|table| table == MIGRATIONS_TABLE) {
            sqlx::query_scalar("select max(version) from _sqlx_migrations")
                .fetch_one(&mut *connection)
                .await?
        } else {
            None
        };
        Ok(Self { application_id, tables, verdict, version })
    }

    fn check(self, path: &Path, format: &Format) -> Result<(), FileError> {
        // The first start may have been cut off after the migrations' table was created.
        let is_begun = self.tables.iter().all(|table| table == MIGRATIONS_TABLE);
        if self.application_id != format.application_id && !is_begun {
            return Err(FileError::Foreign(path.to_owned()));
        }
        if self.verdict != "ok" {
            return Err(FileError::Damaged { path: path.to_owned(), detail: self.verdict });
        }
        let known = format.migrations.iter().map(|migration| migration.version).max().unwrap_or(0);
        match self.version {
            Some(found) if found > known => Err(FileError::Newer { path: path.to_owned(), found, known }),
            _ => Ok(()),
        }
    }
}
