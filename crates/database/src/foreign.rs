use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};
use tempfile::TempDir;

use crate::{LARGEST_FULL_CHECK, MAGIC, is_damage};

/// The largest file that is copied, in bytes.
const LARGEST_FILE: u64 = 4 << 30;
/// The largest value that is read, in bytes: what is larger is told by its size alone.
const LARGEST_CELL: i64 = 4 << 20;
/// The longest key of a row, in bytes.
const LONGEST_KEY: i64 = 64;
/// The most rows of a table that are looked at.
const MOST_ROWS: u32 = 500_000;
/// The name of the copy.
const COPY: &str = "copy.db";

/// A SQLite database of another program, as a person brings it along.
///
/// Whatever is in it may have been made to do harm. So it is read on a copy that cannot be written, only tables are
/// read that hold rows themselves (a view, a virtual table or a computed column would run what the file says), and how
/// many rows and bytes are read is bounded.
pub struct ForeignDatabase {
    connection: SqliteConnection,
    /// The columns of each table, in their order.
    tables: BTreeMap<String, Vec<String>>,
    /// Deletes the copy when it is dropped.
    _folder: TempDir,
}

/// Why such a file is not read.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// It cannot be read or copied.
    #[error("The file cannot be read: {0}. Check its name and its rights.")]
    Unavailable(#[from] io::Error),
    /// It is something else.
    #[error("The file is no SQLite database.")]
    NotSqlite,
    /// It is a pointer to the file.
    #[error(
        "This is a pointer of Git LFS and not the file itself. Fetch it with `git lfs pull` and give it again."
    )]
    GitLfsPointer,
    /// A change of it was not completed.
    #[error(
        "The database is being written, or its program ended while it wrote. Start and end that program once, and give the file again."
    )]
    InUse,
    /// It is larger than what is read.
    #[error("The file has {0} bytes, and at most {LARGEST_FILE} are read.")]
    TooLarge(u64),
    /// SQLite cannot read it.
    #[error("The database is damaged: {0}.")]
    Damaged(String),
}

impl From<sqlx::Error> for ForeignError {
    fn from(error: sqlx::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignRow {
    /// Its place in the table, which SQLite calls its rowid.
    pub place: i64,
    cells: Vec<Cell>,
}

/// A value, as a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is none, or the table has no such column.
    Missing,
    /// The text; numbers are written out.
    Text(String),
    /// It has so many bytes, more than are read.
    TooLarge(u64),
}

impl Cell {
    /// The text, where it is one that was read.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Missing | Self::TooLarge(_) => None,
        }
    }
}

impl ForeignRow {
    /// The value of the column that was asked for at this place.
    #[must_use]
    pub fn cell(&self, column: usize) -> &Cell {
        self.cells.get(column).unwrap_or(&Cell::Missing)
    }
}

impl ForeignDatabase {
    /// Copies the file, with what its program has not moved into it yet, and opens the copy.
    ///
    /// # Errors
    /// See [`ForeignError`].
    pub async fn open(path: &Path) -> Result<Self, ForeignError> {
        let beside = |ending: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        if fs::metadata(beside("-journal")).is_ok_and(|journal| journal.len() > 0) {
            return Err(ForeignError::InUse);
        }
        let folder = TempDir::new()?;
        let copy = folder.path().join(COPY);
        let log = beside("-wal");
        for (from, to) in [(path, copy.clone()), (&log, folder.path().join(format!("{COPY}-wal")))] {
            if from == log && !log.is_file() {
                continue;
            }
            let size = fs::metadata(from)?.len();
            if size > LARGEST_FILE {
                return Err(ForeignError::TooLarge(size));
            }
            // A pipe or a device has no size, and no end.
            io::copy(&mut File::open(from)?.take(LARGEST_FILE), &mut File::create_new(to)?)?;
        }
        Self::of_copy(folder).await
    }

    /// Opens a database that was sent.
    ///
    /// # Errors
    /// See [`ForeignError`].
    pub async fn of_bytes(bytes: &[u8]) -> Result<Self, ForeignError> {
        let folder = TempDir::new()?;
        File::create_new(folder.path().join(COPY))?.write_all(bytes)?;
        Self::of_copy(folder).await
    }

    async fn of_copy(folder: TempDir) -> Result<Self, ForeignError> {
        let path = folder.path().join(COPY);
        let mut beginning = Vec::new();
        File::open(&path)?.take(64).read_to_end(&mut beginning)?;
        if beginning.starts_with(b"version https://git-lfs.github.com/spec/") {
            return Err(ForeignError::GitLfsPointer);
        }
        if !beginning.starts_with(MAGIC) {
            return Err(ForeignError::NotSqlite);
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            .pragma("query_only", "on")
            .pragma("trusted_schema", "off")
            .pragma("cell_size_check", "on")
            .disable_statement_logging();
        let opened = async {
            let mut connection = options.connect().await?;
            if fs::metadata(&path).is_ok_and(|file| file.len() <= LARGEST_FULL_CHECK) {
                let verdict: String =
                    sqlx::query_scalar("pragma quick_check(1)").fetch_one(&mut connection).await?;
                if verdict != "ok" {
                    return Ok(Err(ForeignError::Damaged(verdict)));
                }
            }
            let tables = tables(&mut connection).await?;
            Ok(Ok((connection, tables)))
        };
        let opened: Result<_, sqlx::Error> = opened.await;
        let (connection, tables) = opened.map_err(|error| match is_damage(&error) {
            true => ForeignError::Damaged(error.to_string()),
            false => ForeignError::from(error),
        })??;
        Ok(Self { connection, tables, _folder: folder })
    }

    /// The columns of a table; none where there is no such table.
    #[must_use]
    pub fn columns(&self, table: &str) -> &[String] {
        self.tables.get(table).map_or(&[], Vec::as_slice)
    }

    /// Whether the table is there, with this column.
    #[must_use]
    pub fn has(&self, table: &str, column: &str) -> bool {
        self.columns(table).iter().any(|known| known == column)
    }

    /// The places of all rows of a table in their order, each with the key that stands in one column; of the first
    /// rows, where there are more than are looked at.
    ///
    /// # Errors
    /// The database is damaged.
    pub async fn places(&mut self, table: &str, column: &str) -> Result<Vec<ForeignRow>, ForeignError> {
        if !self.has(table, column) {
            return Ok(Vec::new());
        }
        let statement = format!(
            "select rowid, {} from {} order by rowid limit {MOST_ROWS}",
            bounded(column, LONGEST_KEY),
            quoted(table)
        );
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch_all(&mut self.connection).await?;
        rows.iter().map(|row| read(row, 1)).collect()
    }

    /// The row at this place, with these columns of it.
    ///
    /// # Errors
    /// The database is damaged.
    pub async fn row(
        &mut self,
        table: &str,
        columns: &[&str],
        place: i64,
    ) -> Result<Option<ForeignRow>, ForeignError> {
        if self.columns(table).is_empty() {
            return Ok(None);
        }
        let asked = columns.iter().map(|column| match self.has(table, column) {
            true => bounded(column, LARGEST_CELL),
            false => "null, null".to_owned(),
        });
        let asked: Vec<String> = asked.collect();
        let statement = format!("select rowid, {} from {} where rowid = ?", asked.join(", "), quoted(table));
        let row =
            sqlx::query(AssertSqlSafe(statement)).bind(place).fetch_optional(&mut self.connection).await?;
        row.map(|row| read(&row, columns.len())).transpose()
    }
}

/// The tables that hold rows themselves, with the columns that are stored in them.
async fn tables(connection: &mut SqliteConnection) -> Result<BTreeMap<String, Vec<String>>, sqlx::Error> {
    let own = "select name from sqlite_schema where type = 'table' and rootpage > 0 and name not like 'sqlite\\_%' \
               escape '\\' limit 1000";
    let names: Vec<String> = sqlx::query_scalar(own).fetch_all(&mut *connection).await?;
    let mut tables = BTreeMap::new();
    for name in names {
        // Computed columns are not listed here.
        let columns = sqlx::query_scalar("select name from pragma_table_info(?)").bind(name.clone());
        tables.insert(name, columns.fetch_all(&mut *connection).await?);
    }
    Ok(tables)
}

/// A column's size and, unless that is too large, its value as bytes.
fn bounded(column: &str, largest: i64) -> String {
    let column = quoted(column);
    format!(
        "octet_length({column}), case when octet_length({column}) <= {largest} then cast({column} as blob) end"
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn read(row: &SqliteRow, columns: usize) -> Result<ForeignRow, ForeignError> {
    let cell = |number: usize| -> Result<Cell, sqlx::Error> {
        let size: Option<i64> = row.try_get(1 + 2 * number)?;
        let bytes: Option<Vec<u8>> = row.try_get(2 + 2 * number)?;
        Ok(match (size, bytes) {
            (_, Some(bytes)) => Cell::Text(String::from_utf8_lossy(&bytes).into_owned()),
            (Some(size), None) => Cell::TooLarge(size.unsigned_abs()),
            (None, None) => Cell::Missing,
        })
    };
    let cells = (0..columns).map(cell).collect::<Result<_, _>>()?;
    Ok(ForeignRow { place: row.try_get(0)?, cells })
}
