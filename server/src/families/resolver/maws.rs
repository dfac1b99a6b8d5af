//! MAWS's route: a session as a conversation by a socket. Its messages come from the logs of the session's runs, one
//! after the other, so that whoever comes back goes on where they were.

use axum::{
    Router,
    extract::{Path, Query, WebSocketUpgrade},
    response::Response,
    routing::get,
};
use backend::Backend;
use journal::{Encoded, JournalError, RunChange, Subscription};
use protocol::{
    Control, FlowId, Problem, RunId,
    resolver::{MessageMeaning, TaskRequest, TaskSession},
};
use serde::Deserialize;
use tokio::sync::broadcast::error::RecvError;
use wire::maws::{ClientMessage, Frame, Message, Position, Stream};

use super::{named, session};
use crate::{
    live_text::{LiveText, USUAL_PAUSE},
    peer::{CloseReason, Disconnected, Heard, Peer},
    problem::{ProblemResponse, from_journal, no_run},
    scope::{Activity, Gateway, RunChanges, Scoped},
};

/// The routes.
pub(super) fn sockets() -> Router<Gateway> {
    Router::new().route("/ws/{session}", get(connect))
}

/// Where a client that comes back goes on.
#[derive(Deserialize)]
struct Return {
    /// The position of the last message that it received.
    after: Option<String>,
}

/// `WS /ws/{session}?after=…`. Before the upgrade: 403 for whoever may change nothing, 404 for what cannot be a
/// session and for a run that is none of the caller's, 410 for a position that the session does not have.
async fn connect(
    service: Scoped,
    Path(name): Path<String>,
    Query(Return { after }): Query<Return>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ProblemResponse> {
    service.caller().writer()?;
    let flow = named(&service, &name).await?;
    let after = match after {
        Some(after) => Some(existing(&service, flow.clone(), &after).await?),
        None => None,
    };
    let admission = service.admit_socket(None).await?;
    Ok(admission.upgrade(upgrade, move |peer| async move {
        Conversation { peer: peer.foreign(), service, flow, reached: after, followed: None }.hold().await
    }))
}

/// A position that the session has.
async fn existing(service: &Scoped, flow: FlowId, after: &str) -> Result<Position, Problem> {
    let gone = |detail: String| Problem { status: 410, detail };
    let position: Position = after.parse().map_err(|invalid| gone(format!("{invalid}")))?;
    let is_known = session(service, flow).await?.run(position.run).is_some();
    if !is_known || position.seq > service.readable(position.run).await?.last_seq().await? {
        return Err(gone(
            "The session has no such position. Connect without one to receive all of it.".into(),
        ));
    }
    Ok(position)
}

/// One client in its session.
struct Conversation {
    peer: Peer,
    service: Scoped,
    flow: FlowId,
    /// What the client knows last, or an event after it that says nothing to it.
    reached: Option<Position>,
    /// The run whose log is being sent; `None` between two runs.
    followed: Option<Followed>,
}

/// A run whose log is being sent.
struct Followed {
    activity: Activity,
    log: Subscription,
    stream: Stream,
    text: LiveText,
    /// What the client knows of the run already.
    known: Position,
}

/// What happens next.
enum Next {
    Heard(Result<Heard, Disconnected>),
    Events(Result<Option<Vec<Encoded>>, JournalError>),
    Pieces(Vec<Control>),
    Change(Result<RunChange, RecvError>),
}

impl Conversation {
    async fn hold(mut self) -> Result<(), Disconnected> {
        let state = self.session().await?.state();
        self.send(&Frame::passing(Message::Session { session: self.flow.clone(), state })).await?;
        // There while no run is followed: a subscription that is older than the list misses no run.
        let mut changes: Option<RunChanges> = None;
        if let Some(at) = self.reached {
            self.follow(at).await?;
        }
        loop {
            if self.followed.is_none() && changes.is_none() {
                changes = Some(self.service.run_changes());
                self.follow_next().await?;
            }
            if self.followed.is_some() {
                changes = None;
            }
            match self.next(changes.as_mut()).await {
                Next::Heard(heard) => match heard? {
                    Heard::End(why) => return self.peer.end(why).await,
                    Heard::Text(text) => self.hear(&text).await?,
                },
                Next::Events(Ok(Some(events))) => self.tell(events).await?,
                // Its log is complete, or it was deleted.
                Next::Events(Ok(None) | Err(JournalError::NoSuchRun(_))) => self.followed = None,
                Next::Events(Err(JournalError::Closed)) | Next::Change(Err(RecvError::Closed)) => {
                    return self.peer.end(CloseReason::Restart).await;
                }
                Next::Events(Err(error)) => {
                    tracing::error!(%error, "the log cannot be read");
                    return self.peer.fail("The log cannot be read. Connect again later.").await;
                }
                Next::Pieces(pieces) => self.tell_in_flight(&pieces).await?,
                Next::Change(Ok(RunChange::Grown(run))) if run.request.flow != self.flow => {}
                Next::Change(Ok(RunChange::Removed { .. })) => {}
                // A run of the session has begun, or some changes were missed.
                Next::Change(_) => self.follow_next().await?,
            }
        }
    }

    /// What happens next. The client comes first, so that one that is still catching up is heard.
    async fn next(&mut self, changes: Option<&mut RunChanges>) -> Next {
        let change = async {
            match changes {
                Some(changes) => changes.next().await,
                None => std::future::pending().await,
            }
        };
        let Some(Followed { log, text, .. }) = &mut self.followed else {
            return tokio::select! {
                biased;
                heard = self.peer.heard() => Next::Heard(heard),
                change = change => Next::Change(change),
            };
        };
        tokio::select! {
            biased;
            heard = self.peer.heard() => Next::Heard(heard),
            events = log.next() => Next::Events(events),
            pieces = text.next() => Next::Pieces(pieces),
        }
    }

    /// The session as it stands now.
    async fn session(&mut self) -> Result<TaskSession, Disconnected> {
        session(&self.service, self.flow.clone()).await.map_err(|problem| {
            tracing::error!(%problem, "the session cannot be read");
            Disconnected
        })
    }

    /// Follows the first run after those that the client knows, if there is one.
    async fn follow_next(&mut self) -> Result<(), Disconnected> {
        let after = self.reached.map(|at| at.run);
        let next = self.session().await?.runs.into_iter().map(|run| run.run).find(|run| Some(*run) > after);
        match next {
            Some(run) => self.follow(Position { run, seq: 0, part: 0 }).await,
            None => Ok(()),
        }
    }

    /// Follows a run whose log the client knows up to here.
    async fn follow(&mut self, known: Position) -> Result<(), Disconnected> {
        self.reached = Some(known);
        // One that was deleted in between has nothing to say.
        let Ok(readable) = self.service.readable(known.run).await else { return Ok(()) };
        // From its beginning: what follows is told in the words of what was before.
        let log = readable.subscribe(0).await.map_err(|_| Disconnected)?;
        let activity = readable.activity();
        let mut text = LiveText::every(USUAL_PAUSE);
        text.follow(&activity);
        self.followed = Some(Followed { activity, log, stream: Stream::default(), text, known });
        Ok(())
    }

    async fn tell(&mut self, events: Vec<Encoded>) -> Result<(), Disconnected> {
        let texts = self.service.texts();
        let Some(Followed { activity, stream, text, known, .. }) = &mut self.followed else { return Ok(()) };
        // The run may have become active just now.
        text.follow(activity);
        for encoded in events {
            let unreadable = |problem: Problem| {
                tracing::error!(run = %activity.run(), %problem, "an event cannot be read");
                Disconnected
            };
            let mut event = encoded.decode().map_err(from_journal).map_err(unreadable)?;
            texts.load_into(&mut event).await.map_err(unreadable)?;
            let frames = stream.apply(&event);
            for frame in frames.iter().filter(|frame| frame.position > Some(*known)) {
                self.peer.send(frame.encode()).await?;
            }
            let here = Position { run: event.run, seq: event.seq, part: 0 };
            let told = frames.last().and_then(|frame| frame.position);
            self.reached = self.reached.max(Some(told.unwrap_or(here)));
        }
        Ok(())
    }

    async fn tell_in_flight(&mut self, pieces: &[Control]) -> Result<(), Disconnected> {
        let Some(Followed { activity, stream, .. }) = &self.followed else { return Ok(()) };
        let run = activity.run();
        let frames: Vec<Frame> = pieces.iter().filter_map(|piece| stream.in_flight(run, piece)).collect();
        for frame in &frames {
            self.send(frame).await?;
        }
        Ok(())
    }

    /// Does what a client says, or says why not. What comes of it is in the log, from which everybody hears of it.
    async fn hear(&mut self, text: &str) -> Result<(), Disconnected> {
        let done = match ClientMessage::read(text) {
            Ok(message) => self.take(message).await.map_err(|problem| problem.detail),
            Err(invalid) => Err(invalid.to_string()),
        };
        match done {
            Ok(()) => Ok(()),
            Err(message) => self.send(&Frame::passing(Message::Refused { message })).await,
        }
    }

    async fn take(&mut self, message: ClientMessage) -> Result<(), Problem> {
        let session = session(&self.service, self.flow.clone()).await?;
        let task = |request, context| TaskRequest::Task { request, context };
        let refinement = |of, instruction| TaskRequest::Refinement { of, instruction, task: None };
        let (request, model) = match message {
            ClientMessage::Words(words) => match session.next() {
                MessageMeaning::Question { run } => return self.ask(run, words).await,
                MessageMeaning::Task => (task(words, String::new()), None),
                MessageMeaning::Refinement { of } => (refinement(of, words), None),
            },
            ClientMessage::Task { request, context, model } => (task(request, context), model),
            ClientMessage::Refinement { instruction, of } => {
                let of = of.or_else(|| session.last_report()).ok_or_else(|| {
                    Problem::invalid("There is no report yet that could be written anew. Send a task first.")
                })?;
                (refinement(of, instruction), None)
            }
        };
        let mut start = session.start(request).map_err(|error| Problem::invalid(error.to_string()))?;
        if let Some(model) = model {
            start.model = model;
        }
        self.service.start_run(start).await.map(drop)
    }

    /// Asks beside a run. Where that has ended meanwhile and its log was sent, the log goes on.
    async fn ask(&mut self, run: RunId, question: String) -> Result<(), Problem> {
        self.service.chat(run, question).await?;
        if self.followed.is_none()
            && let Some(at) = self.reached.filter(|at| at.run == run)
        {
            self.follow(at).await.map_err(|Disconnected| no_run(run))?;
        }
        Ok(())
    }

    async fn send(&mut self, frame: &Frame) -> Result<(), Disconnected> {
        self.peer.send(frame.encode()).await
    }
}
