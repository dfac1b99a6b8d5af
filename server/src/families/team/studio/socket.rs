//! `WS /api/ws/runs/{run}?after=N`: a run is started, followed, answered and stopped. It does not end with a connection,
//! any number of them may follow it, and each is sent all of it, or what follows the event `after`.

use std::time::Duration;

use axum::{
    extract::{Query, WebSocketUpgrade},
    response::Response,
};
use backend::Backend;
use bytes::Bytes;
use futures::FutureExt;
use journal::{Encoded, JournalError, Subscription};
use protocol::{
    GivenAnswer, Problem, RunId, StartRun, Workflow,
    document::DocumentId,
    team::{AFTER, KIND},
};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::autogen::{Command, Frame, InvalidCommand, Start, StartedTeam, Stream};

use super::{log, sessions::Session, stop::stop, teams};
use crate::{
    clock::now,
    limits::LARGEST_BODY,
    live_text::LiveText,
    peer::{CloseReason, Disconnected, Heard, Peer},
    problem::{Detail, from_journal},
    rest::Path,
    scope::{Activity, NumberedRun, Scoped},
    texts::Texts,
};

/// How far a client has come that returns.
#[derive(Debug, Deserialize)]
pub(super) struct Position {
    #[serde(default)]
    after: u64,
}

/// Upgrades to the socket. 404 for a run that does not exist, or that the caller may not read.
pub(super) async fn connect(
    service: Scoped,
    Path(number): Path<u64>,
    Query(Position { after }): Query<Position>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, Detail> {
    let (log, activity, within) = match service.numbered_run(number).await? {
        NumberedRun::Reserved(run) => (run.subscribe().await?, run.activity(), Some(run.within)),
        NumberedRun::Begun(run) => {
            let run = service.readable(run).await.map_err(|_| Problem::not_found("Run not found"))?;
            (run.subscribe(0).await?, run.activity(), None)
        }
    };
    let run = activity.run();
    let mut deltas = LiveText::every(Duration::ZERO);
    deltas.follow(&activity);
    let followed = Followed { log, activity, stream: Stream::default(), deltas };
    let admission = service.admit_socket(within.is_none().then_some(run)).await?;
    Ok(admission.upgrade_for(LARGEST_BODY, upgrade, move |peer| {
        let texts = service.texts();
        let connection = Connection { peer: peer.foreign(), service, texts, run, within, after, followed };
        connection.serve()
    }))
}

/// A client that is connected.
struct Connection {
    peer: Peer,
    service: Scoped,
    texts: Texts,
    run: RunId,
    /// The session of a run that has not begun.
    within: Option<DocumentId>,
    /// The number of the last event that is not sent.
    after: u64,
    followed: Followed,
}

/// The run, from its first event on, which may be to come.
struct Followed {
    log: Subscription,
    activity: Activity,
    stream: Stream,
    deltas: LiveText,
}

/// What comes next of a run.
enum Next {
    Events(Result<Vec<Encoded>, JournalError>),
    /// Pieces of texts that models write.
    Pieces(Vec<Frame>),
}

impl Connection {
    async fn serve(mut self) -> Result<(), Disconnected> {
        self.send(Frame::connected(now())).await?;
        loop {
            tokio::select! {
                biased;
                heard = self.peer.heard() => match heard? {
                    Heard::Text(text) => self.act(Command::read(&text)).boxed().await?,
                    Heard::End(why) => return self.peer.end(why).await,
                },
                next = self.followed.next() => match next {
                    Next::Events(Ok(events)) => self.tell(events).await?,
                    Next::Pieces(frames) => self.send_all(frames).await?,
                    Next::Events(Err(JournalError::Closed)) => return self.peer.end(CloseReason::Restart).await,
                    // The run was deleted.
                    Next::Events(Err(JournalError::NoSuchRun(_))) => return self.peer.complete().await,
                    Next::Events(Err(error)) => {
                        tracing::error!(run = %self.run, %error, "the log cannot be read");
                        return self.peer.fail("The log cannot be read. Connect again later.").await;
                    }
                },
            }
        }
    }

    /// Sends what the events become.
    async fn tell(&mut self, events: Vec<Encoded>) -> Result<(), Disconnected> {
        let Followed { activity, stream, deltas, .. } = &mut self.followed;
        let mut frames = Vec::new();
        for encoded in events {
            let unreadable = |problem: Problem| {
                tracing::error!(run = %self.run, %problem, "an event cannot be read");
                Disconnected
            };
            let mut event = encoded.event().map_err(from_journal).map_err(unreadable)?;
            log::load(&self.texts, &mut event).await.map_err(unreadable)?;
            let made = stream.apply(&event);
            if event.seq > self.after {
                frames.extend(made);
            }
        }
        // The run may have become active just now.
        deltas.follow(activity);
        self.send_all(frames).await
    }

    /// Does what the client asks for, and says why where it cannot be done.
    async fn act(&mut self, asked: Result<Command, InvalidCommand>) -> Result<(), Disconnected> {
        let refused = |problem: &Problem| Frame::error(problem.detail.clone(), problem.detail.clone(), now());
        let answer = match asked {
            Err(error) => Some(error.frame(now())),
            Ok(Command::Ping) => Some(Frame::pong(now())),
            Ok(Command::Start(start)) => match self.start(start).boxed().await {
                Ok(()) => None,
                Err(problem) if problem.status == 422 => Some(Frame::not_begun(&problem.detail, now())),
                Err(problem) => Some(refused(&problem)),
            },
            Ok(Command::Stop(reason)) => {
                let stopped = stop(&self.service, self.run, reason).boxed().await;
                stopped.err().map(|problem| refused(&problem))
            }
            Ok(Command::Answer { response, input }) => {
                match self.followed.stream.question(input.as_ref()).cloned() {
                    None => Some(Frame::error(
                        "Nobody is asked",
                        "The run asks nothing at the moment, so the answer was not taken.",
                        now(),
                    )),
                    Some(input) => {
                        let answer = GivenAnswer::Value { json: Value::String(response).to_string().into() };
                        self.service
                            .answer(self.run, input, answer)
                            .await
                            .err()
                            .map(|problem| refused(&problem))
                    }
                }
            }
        };
        match answer {
            Some(frame) => self.send(frame).await,
            None => Ok(()),
        }
    }

    /// Begins the run with the team that the client sends, or with that of an earlier run.
    async fn start(&mut self, start: Start) -> Result<(), Problem> {
        let begun = || Problem::conflict("This run has begun already. Make a new one for another task.");
        let session = self.within.ok_or_else(begun)?;
        let mut session = Session::read(&self.service, session).await?;
        let kind = KIND.parse().map_err(|_| Problem::internal("Teams have no kind of workflow."))?;
        let files: Vec<Value> =
            start.files.iter().map(|file| json!({ "name": file.name, "text": file.text })).collect();
        let (name, team) = match start.team {
            StartedTeam::New(component) => {
                ("team", teams::reference(&self.service, &mut session, &component).await?)
            }
            StartedTeam::After { run, component } => {
                (AFTER, teams::earlier(&self.service, run, component.as_ref()).await?.to_string())
            }
        };
        let workflow = Workflow::bare(kind)
            .with(name, team.into())
            .and_then(|workflow| workflow.with("task", start.task.into()))
            .and_then(|workflow| workflow.with("files", files.into()))
            .map_err(|error| Problem::invalid(format!("The task cannot be taken: {error}.")))?;
        let request = StartRun { flow: Some(session.flow()?), ..StartRun::new(workflow) };
        self.service.start_reserved(self.run, request).await
    }

    async fn send(&mut self, frame: Frame) -> Result<(), Disconnected> {
        self.peer.send(frame.encode(self.run)).await
    }

    async fn send_all(&mut self, frames: Vec<Frame>) -> Result<(), Disconnected> {
        if frames.is_empty() {
            return Ok(());
        }
        let run = self.run;
        self.peer.send_all(frames.into_iter().map(|frame| Bytes::from(frame.encode(run)))).await
    }
}

impl Followed {
    /// What comes next; pending for ever once the run is over, as the client may still ask for something. Cancel-safe.
    async fn next(&mut self) -> Next {
        let Self { log, stream, deltas, .. } = self;
        tokio::select! {
            biased;
            events = log.next() => match events {
                Ok(Some(events)) => Next::Events(Ok(events)),
                Ok(None) => std::future::pending().await,
                Err(error) => Next::Events(Err(error)),
            },
            pieces = deltas.next() => {
                Next::Pieces(pieces.iter().filter_map(|piece| stream.piece(piece, now())).collect())
            }
        }
    }
}
