use std::{path::PathBuf, sync::Arc};

use database::FileError;
use protocol::{
    Digest, RunId,
    document::{DocumentId, DocumentVersion},
    trading::PortfolioId,
};
use sqlx::migrate::MigrateError;

/// Why the journal refuses or fails. Nothing was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JournalError {
    /// A later claim has fenced off the epoch of this append.
    #[error("Run {0} has another owner by now. This one must stop working on it.")]
    Fenced(RunId),
    /// The run has ended.
    #[error("Run {0} is over, so nothing can be added to it. Start a new run instead.")]
    Finished(RunId),
    /// A log cannot have the events in this order.
    #[error("Run {0} cannot take these events: its start must come first, once, and its end last.")]
    OutOfOrder(RunId),
    /// The run has not ended.
    #[error("Run {0} is at work, so it cannot be deleted. Stop it first, or wait until it is over.")]
    AtWork(RunId),
    /// The run has no events.
    #[error("There is no run {0}. Check the id.")]
    NoSuchRun(RunId),
    /// An event references a long text that neither its run nor the run that it continues references.
    #[error("The run has no text {0}. Send the whole text instead of its preview.")]
    NoSuchText(Digest),
    /// An event or one of its texts exceeds the limit.
    #[error("An event of run {run} has {bytes} bytes, and at most {limit} can be stored. Shorten it.")]
    TooLarge {
        /// The run.
        run: RunId,
        /// Its size.
        bytes: usize,
        /// The largest size that is allowed.
        limit: usize,
    },
    /// Another process has the file open.
    #[error("{} is in use by another Pitwall. Stop that one, or choose another file.", .0.display())]
    InUse(PathBuf),
    /// The file cannot be opened.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was read is damaged.
    #[error("The journal is damaged: {0}. Stop Pitwall, keep a copy of the file, and restore a backup.")]
    Corrupt(String),
    /// The disk is full, or the size limit is reached.
    #[error("The disk is full, or the journal has reached its size limit. Free space.")]
    Full,
    /// The file or its file system cannot be written.
    #[error("The journal cannot be written: its file or its disk is read-only. Make it writable.")]
    ReadOnly,
    /// Writing failed, and the database does not say why.
    #[error(
        "The journal cannot be written: its disk is full, over a quota, or read-only. \
         Free space, or make it writable."
    )]
    Unwritable,
    /// The database refuses the rows, and would refuse them again.
    #[error("The database does not take this, so nothing of it was stored: {0}.")]
    Refused(Arc<sqlx::Error>),
    /// A panic in Pitwall's own code.
    #[error("An error within Pitwall kept this from being stored: {0}. Please report it.")]
    Panicked(String),
    /// The database failed in another way.
    #[error("The journal's database failed: {0}. Try again; if it persists, check the disk.")]
    Database(Arc<sqlx::Error>),
    /// The writer's task has ended by itself.
    #[error("The journal has stopped working: {0}. Nothing more is stored; start Pitwall again.")]
    Dead(String),
    /// A run's summary or one of its events cannot be read. Other runs can.
    #[error("The run cannot be read, because {0}. It can still be exported and deleted.")]
    Unreadable(String),
    /// The journal was opened by [`crate::Journal::open_to_read`].
    #[error("The journal was opened to be read only, so nothing can be stored in it.")]
    OpenedToRead,
    /// The journal was closed.
    #[error("The journal is closed because Pitwall is shutting down. Try again when it runs.")]
    Closed,
}

impl JournalError {
    /// Whether one request causes the error, so that the others of its transaction can be stored.
    pub(crate) fn is_of_one_request(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Panicked(_))
    }

    /// Whether a retry may succeed later, as when a full disk has space again.
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Full | Self::ReadOnly | Self::Unwritable | Self::Database(_))
    }
}

const SQLITE_READ_ONLY: i32 = 8;
const SQLITE_INPUT_OUTPUT_WRITE: i32 = 10 | 3 << 8;
/// Busy, locked, out of memory, interrupted, input or output, the file cannot be opened, a lock was lost.
const SQLITE_MAY_PASS: [i32; 7] = [5, 6, 7, 9, 10, 14, 15];
const SQLITE_CORRUPT: i32 = 11;
const SQLITE_FULL: i32 = 13;
const SQLITE_NOT_A_DATABASE: i32 = 26;

impl From<sqlx::Error> for JournalError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|error| error.code())
            .and_then(|code| code.parse::<i32>().ok());
        // SQLite does not pass on whether the cause is a quota or a disk that turned read-only.
        if code == Some(SQLITE_INPUT_OUTPUT_WRITE) {
            return Self::Unwritable;
        }
        // The low byte is the primary result code; the others refine it.
        match (code.map(|code| code & 0xff), &error) {
            (Some(SQLITE_FULL), _) => Self::Full,
            (Some(SQLITE_READ_ONLY), _) => Self::ReadOnly,
            (Some(SQLITE_CORRUPT | SQLITE_NOT_A_DATABASE), _) => Self::Corrupt(error.to_string()),
            (_, sqlx::Error::PoolClosed) => Self::Closed,
            (_, sqlx::Error::Decode(cause)) => Self::Corrupt(cause.to_string()),
            (Some(code), _) if !SQLITE_MAY_PASS.contains(&code) => Self::Refused(Arc::new(error)),
            (_, sqlx::Error::Encode(_)) => Self::Refused(Arc::new(error)),
            _ => Self::Database(Arc::new(error)),
        }
    }
}

impl From<MigrateError> for JournalError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => Self::Database(Arc::new(sqlx::Error::Migrate(Box::new(other)))),
        }
    }
}

/// Why a ledger refuses or fails. Nothing was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LedgerError {
    /// The portfolio exists.
    #[error("There is a portfolio {0} already. Choose another id.")]
    Exists(PortfolioId),
    /// The portfolio does not exist.
    #[error("There is no portfolio {0}. Create it first.")]
    NoSuchPortfolio(PortfolioId),
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Journal(error.into())
    }
}

/// Why a change of a document is refused or fails. Nothing was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DocumentError {
    /// The account has no such document.
    #[error("There is no document {0}. It may have been deleted.")]
    NoSuchDocument(DocumentId),
    /// Somebody has saved another version since the one that the change was made from.
    #[error(
        "The document was saved elsewhere meanwhile: its newest version is {newest}. Look at that one, then save \
         yours after it."
    )]
    Conflict {
        /// The document.
        id: DocumentId,
        /// Its newest version.
        newest: DocumentVersion,
    },
    /// The account has as many documents as it may have.
    #[error("You have {most} documents, the most that are kept. Delete some that you no longer need.")]
    TooMany {
        /// How many it may have.
        most: u32,
    },
    /// The account's versions take as much as they may.
    #[error(
        "Your documents with all their versions take {} MB, the most that is kept. Delete some that you no longer \
         need; a copy takes no history along.",
        most >> 20
    )]
    NoRoom {
        /// How many bytes they may take.
        most: u64,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl From<sqlx::Error> for DocumentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Journal(error.into())
    }
}

/// Why a file is not imported as a run. Nothing was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ImportError {
    /// The file is none that was exported, or was changed since.
    #[error("Line {line} of the file is not as in an exported run: {why}. Nothing was imported.")]
    Line {
        /// The line at fault, from 1.
        line: usize,
        /// Its fault.
        why: String,
    },
    /// The journal failed.
    #[error(transparent)]
    Journal(#[from] JournalError),
}
