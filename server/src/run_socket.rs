//! `WS /ws/v1/runs/{run}?after=N`: a run's log from N on, and the live text of its calls. `POST` opens a poll
//! in place of a socket.

use axum::{
    extract::{Path, Query, WebSocketUpgrade},
    response::Response,
};
use futures::FutureExt;
use journal::{Encoded, JournalError, Subscription};
use memchr::memmem::Finder;
use protocol::{Control, Problem, RunId, RunStatus};
use serde::Deserialize;
use tokio::sync::watch;

use crate::{
    access::Admission,
    live_text::{LiveText, USUAL_PAUSE},
    peer::{CloseReason, Disconnected, OpenedPoll, Peer, Served},
    problem::{ProblemResponse, no_such},
    scope::{Activity, Scoped},
};

/// The cursor of a client's copy of the log.
#[derive(Debug, Deserialize)]
pub struct Position {
    #[serde(default)]
    after: u64,
}

/// Upgrades to the socket. 404 for a run that does not exist, 410 for a position that does not.
pub async fn connect(
    service: Scoped,
    Path(run): Path<String>,
    Query(position): Query<Position>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ProblemResponse> {
    let (admission, serve) = follow(&service, &run, position).await?;
    Ok(admission.upgrade(upgrade, serve))
}

/// Opens a poll in place of the socket.
pub async fn poll(
    service: Scoped,
    Path(run): Path<String>,
    Query(position): Query<Position>,
) -> Result<OpenedPoll, ProblemResponse> {
    let (admission, serve) = follow(&service, &run, position).await?;
    Ok(admission.poll(serve))
}

async fn follow(
    service: &Scoped,
    run: &str,
    Position { after }: Position,
) -> Result<(Admission, impl FnOnce(Peer) -> Served + Send + use<>), Problem> {
    let run: RunId = run.parse().map_err(no_such)?;
    let readable = service.readable(run).await?;
    let last = readable.last_seq().await?;
    if after > last {
        let detail = format!(
            "The log of this run ends at event {last}, so there is no position {after}. Load the run again."
        );
        return Err(Problem { status: 410, detail });
    }
    let log = readable.subscribe(after).await?;
    let (activity, is_queued) = (readable.activity(), readable.status == RunStatus::Queued);
    let admission = service.admit_socket(Some(run)).await?;
    Ok((admission, move |peer| serve(peer, last, log, activity, is_queued).boxed()))
}

async fn serve(
    mut peer: Peer,
    last: u64,
    mut log: Subscription,
    activity: Activity,
    is_queued: bool,
) -> Result<(), Disconnected> {
    let run = activity.run();
    peer.send(Control::Hello { run, seq: last }.encode()).await?;
    let mut deltas = LiveText::every(USUAL_PAUSE);
    deltas.follow(&activity);
    // Only a queued run has a position, so changes of the queue wake no other socket.
    let mut places = is_queued.then(|| Places::new(&activity));
    loop {
        tokio::select! {
            biased;
            // Polled first, so that a client that is still catching up is read from, and learns of the
            // shutdown.
            ended = peer.ended() => return peer.end(ended?).await,
            batch = log.next() => match batch {
                Ok(Some(events)) => {
                    // The run may have become active just now, so its calls are looked up again with each
                    // event.
                    deltas.follow(&activity);
                    places = places.filter(|places| !events.iter().any(|event| places.end_with(event)));
                    peer.send_all(events.into_iter().map(|event| event.json)).await?;
                }
                Ok(None) => return peer.complete().await,
                // The run was deleted, so nothing follows.
                Err(JournalError::NoSuchRun(_)) => return peer.complete().await,
                Err(JournalError::Closed) => return peer.end(CloseReason::Restart).await,
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
            place = next_place(&mut places) => peer.send(Control::Queued { place }.encode()).await?,
        }
    }
}

/// The next position of a queued run; pending for ever for others. Cancel-safe.
async fn next_place(places: &mut Option<Places>) -> usize {
    match places {
        Some(places) => places.next().await,
        None => std::future::pending().await,
    }
}

/// The run's position in the queue, whenever it changes.
struct Places {
    activity: Activity,
    changes: watch::Receiver<u64>,
    told: Option<usize>,
    /// Finds events by which the run leaves the queue.
    change_of_status: Finder<'static>,
}

impl Places {
    fn new(activity: &Activity) -> Self {
        let mut changes = activity.queue_changes();
        changes.mark_changed();
        Self { activity: activity.clone(), changes, told: None, change_of_status: change_of_status() }
    }

    /// Whether the run leaves the queue with this event.
    fn end_with(&self, event: &Encoded) -> bool {
        self.change_of_status.find(&event.json).is_some()
    }

    /// The next position. Cancel-safe.
    async fn next(&mut self) -> usize {
        loop {
            if self.changes.changed().await.is_err() {
                return std::future::pending().await;
            }
            let place = self.activity.place();
            if place != std::mem::replace(&mut self.told, place)
                && let Some(place) = place
            {
                return place;
            }
        }
    }
}

/// Finds stored events of this kind. Within texts, quotes are escaped.
fn change_of_status() -> Finder<'static> {
    Finder::new(r#""kind":"status_changed""#)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::change_of_status;

    #[test]
    fn the_kind_of_an_event_is_not_taken_from_its_texts() {
        let is_found = |kind: &str, message: &str| {
            let event = json!({ "seq": 2, "body": { "kind": kind, "data": { "message": message } } });
            change_of_status().find(event.to_string().as_bytes()).is_some()
        };
        assert!(is_found("status_changed", ""));
        assert!(!is_found("logged", "status_changed"));
        assert!(!is_found("logged", r#""kind":"status_changed""#));
        assert!(!is_found("status", ""));
    }
}
