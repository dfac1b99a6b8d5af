//! The connections that read. The library's own pool asks each connection for a sign of life after every use, in a task
//! of its own: that takes longer than most of the queries here.

use std::{
    mem,
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

/// So many read at a time; others wait.
const MOST: u32 = 4;

/// The connections that read.
#[derive(Clone)]
pub(super) struct Readers(Arc<Shared>);

struct Shared {
    connections: Mutex<Vec<Arc<AsyncMutex<SqliteConnection>>>>,
    places: Arc<Semaphore>,
}

/// A connection that nobody else uses. A query that its last user gave up is over before the first one of this user: the
/// connection's thread works them off in order.
pub(super) struct Reader {
    connection: OwnedMutexGuard<SqliteConnection>,
    /// Given back after the connection: whoever has a place finds one that is free.
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens the file as often as it is read at a time.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connections = Vec::new();
        for _ in 0..MOST {
            connections.push(Arc::new(AsyncMutex::new(options.connect().await?)));
        }
        let places = Arc::new(Semaphore::new(connections.len()));
        Ok(Self(Arc::new(Shared { connections: Mutex::new(connections), places })))
    }

    /// A connection, once one is free.
    ///
    /// # Errors
    /// [`sqlx::Error::PoolClosed`]
    pub async fn take(&self) -> Result<Reader, sqlx::Error> {
        let closed = || sqlx::Error::PoolClosed;
        let place = self.0.places.clone().acquire_owned().await.map_err(|_| closed())?;
        let connections = self.0.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let free = connections.iter().find_map(|connection| connection.clone().try_lock_owned().ok());
        free.map(|connection| Reader { connection, _place: place }).ok_or_else(closed)
    }

    /// Waits for those that read, and closes all.
    pub async fn close(&self) {
        let _all = self.0.places.acquire_many(MOST).await;
        self.0.places.close();
        let connections = mem::take(&mut *self.0.connections.lock().unwrap_or_else(PoisonError::into_inner));
        for connection in connections.into_iter().filter_map(Arc::into_inner) {
            if let Err(error) = connection.into_inner().close().await {
                tracing::warn!(%error, "a connection that reads could not be closed in order");
            }
        }
    }
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.connection
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}
