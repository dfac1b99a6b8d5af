//! `WS /ws/v1/runs/{run}?after=N`: a run's log from N on, and the text of calls in flight.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Path, Query, WebSocketUpgrade},
    response::Response,
};
use engine::{LiveCalls, LiveCursor};
use journal::{JournalError, Subscription};
use protocol::{Control, Problem, RunId};
use serde::Deserialize;
use tokio::{sync::watch, time::Instant};

use crate::{
    peer::{Ending, Gone, Peer},
    problem::{ProblemResponse, no_such},
    scope::{Queue, Scoped},
};

/// Text of calls in flight is sent at most this often to one client.
const DELTA_PAUSE: Duration = Duration::from_millis(50);

/// Where a client's copy of the log ends.
#[derive(Debug, Deserialize)]
pub struct Position {
    #[serde(default)]
    after: u64,
}

/// Upgrades to the socket. 404 for a run that does not exist, 410 for a position that does not.
pub async fn connect(
    service: Scoped,
    Path(run): Path<String>,
    Query(Position { after }): Query<Position>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ProblemResponse> {
    let run: RunId = run.parse().map_err(no_such)?;
    let readable = service.readable(run).await?;
    let last = readable.last_seq().await?;
    if after > last {
        let detail = format!(
            "The log of this run ends at event {last}, so there is no position {after}. Load the run again."
        );
        return Err(Problem { status: 410, detail }.into());
    }
    let log = readable.subscribe(after).await?;
    let (live, places) = (readable.live(), Places::new(readable.queue()));
    let admission = service.admit_socket(Some(run)).await?;
    Ok(admission.upgrade(upgrade, move |peer| serve(peer, run, last, log, live, places)))
}

async fn serve(
    mut peer: Peer,
    run: RunId,
    last: u64,
    mut log: Subscription,
    live: Option<Arc<LiveCalls>>,
    mut places: Places,
) -> Result<(), Gone> {
    peer.send(Control::Hello { run, seq: last }.encode()).await?;
    let mut deltas = Deltas::new(live);
    loop {
        tokio::select! {
            biased;
            // First, so that a client with much to catch up on is heard, too, and told of the end.
            ended = peer.ended() => return peer.end(ended?).await,
            batch = log.next() => match batch {
                Ok(Some(events)) => peer.send_all(events.into_iter().map(|event| event.json)).await?,
                Ok(None) => return peer.complete().await,
                // The run was deleted: nothing more will come.
                Err(JournalError::NoSuchRun(_)) => return peer.complete().await,
                Err(JournalError::Closed) => return peer.end(Ending::Restart).await,
                Err(error) => {
                    tracing::error!(%run, %error, "the log cannot be read");
                    return peer.fail("The log cannot be read. Connect again later.").await;
                }
            },
            pieces = deltas.next() => {
                for piece in pieces {
                    peer.send(piece.encode()).await?;
                }
            }
            place = places.next() => peer.send(Control::Queued { place }.encode()).await?,
        }
    }
}

/// What one client has not seen of the calls in flight, at a bounded rate.
struct Deltas {
    live: Option<(Arc<LiveCalls>, watch::Receiver<u64>)>,
    cursor: LiveCursor,
    not_before: Instant,
}

impl Deltas {
    fn new(live: Option<Arc<LiveCalls>>) -> Self {
        let live = live.map(|live| {
            let mut changes = live.changes();
            // A late client is owed the text so far.
            changes.mark_changed();
            (live, changes)
        });
        Self { live, cursor: LiveCursor::default(), not_before: Instant::now() }
    }

    /// The next pieces; waits for ever when the run is no longer active. Cancel-safe.
    async fn next(&mut self) -> Vec<Control> {
        let Some((live, changes)) = &mut self.live else { return std::future::pending().await };
        tokio::time::sleep_until(self.not_before).await;
        if changes.changed().await.is_err() {
            return std::future::pending().await;
        }
        self.not_before = Instant::now() + DELTA_PAUSE;
        live.unseen(&mut self.cursor)
    }
}

/// The run's place in the queue, each time that it changes.
struct Places {
    queue: Queue,
    changes: watch::Receiver<u64>,
    told: Option<usize>,
}

impl Places {
    fn new(queue: Queue) -> Self {
        let mut changes = queue.changes();
        changes.mark_changed();
        Self { queue, changes, told: None }
    }

    /// The next place; waits for ever once the run waits no longer. Cancel-safe.
    async fn next(&mut self) -> usize {
        loop {
            if self.changes.changed().await.is_err() {
                return std::future::pending().await;
            }
            let place = self.queue.place();
            if place != std::mem::replace(&mut self.told, place)
                && let Some(place) = place
            {
                return place;
            }
        }
    }
}
