//! A question to a team, and the wait for its answer.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    Json,
    body::Bytes,
    extract::rejection::BytesRejection,
    http::{HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{Event as SseEvent, KeepAlive, Sse},
    },
};
use backend::Backend;
use futures::{FutureExt, Stream, StreamExt, future::BoxFuture, stream};
use journal::{Encoded, JournalError, Subscription};
use protocol::{
    Body, Problem, RunId, StartRun, Workflow,
    team::{EarlierMessage, KIND},
};
use serde_json::{Value, json};
use wire::openai::{Answer, Answering, Delivery, Error, Heading, Question, Told};

use super::{Refused, models, no_kind};
use crate::{clock::now, problem::from_journal, scope::Scoped, texts::Texts};

/// Says which run answers.
const RUN: HeaderName = HeaderName::from_static("x-pitwall-run");
/// Keeps a proxy from holding back a stream until it is whole.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// How often a stream in which nothing happens says that it stands: proxies end one that is silent for a minute.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Starts a run of the team that is named, and answers with what it comes to.
pub(super) async fn complete(
    service: Scoped,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refused> {
    let body = body.map_err(|rejection| Problem {
        status: rejection.status().as_u16(),
        detail: format!("The body cannot be read: {}.", rejection.body_text()),
    })?;
    let Question { model, earlier, task, flow, delivery } = Question::read(&body)?;
    let model = models::named(&service, &model).await?;
    let workflow = workflow(model.id(), &earlier, task)?;
    // Asked for first, so that whoever cannot wait starts nothing.
    let expired = service.admit_socket(None).await?.expired();
    let run = service.start_run(StartRun { flow, ..StartRun::new(workflow) }).await?.run;
    let shutdown = service.service().shutdown.clone();
    let given_up = async move {
        tokio::select! {
            () = shutdown.cancelled() => "The server ends, and goes on with all runs when it is started again.",
            () = expired => "What you signed in with was revoked, or has expired.",
        }
    };
    let waiting = Waiting {
        run,
        log: service.readable(run).await?.subscribe(0).await?,
        texts: service.texts(),
        answering: Answering::default(),
        read: VecDeque::new(),
        given_up: given_up.boxed(),
    };
    let with_usage = delivery == Delivery::Streamed { with_usage: true };
    let heading = Heading { run, model: model.id().to_owned(), at: now(), with_usage };
    let named = [(RUN, run.to_string())];
    Ok(match delivery {
        Delivery::Whole => match waiting.answer().await {
            Ok(answer) => (named, Json(heading.whole(&answer))).into_response(),
            Err(error) => (named, Refused(error)).into_response(),
        },
        Delivery::Streamed { .. } => {
            let chunks = Sse::new(chunks(waiting, heading));
            let chunks = chunks.keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("the team is at work"));
            (named, [(BUFFERING, "no"), (header::CACHE_CONTROL, "no-store")], chunks).into_response()
        }
    })
}

fn workflow(team: &str, earlier: &[EarlierMessage], task: String) -> Result<Workflow, Error> {
    let kind = KIND.parse().map_err(|_| no_kind())?;
    Workflow::bare(kind)
        .with("team", team.into())
        .and_then(|workflow| workflow.with("earlier", json!(earlier)))
        .and_then(|workflow| workflow.with("task", task.into()))
        .map_err(|error| Error::too_long(&error.to_string()))
}

/// Whoever waits for the answer of a run.
struct Waiting {
    run: RunId,
    log: Subscription,
    texts: Texts,
    answering: Answering,
    /// Events that were read and not told yet.
    read: VecDeque<Encoded>,
    /// Why nobody is waited with any more, while the run goes on.
    given_up: BoxFuture<'static, &'static str>,
}

impl Waiting {
    /// The answer, once it is there.
    async fn answer(mut self) -> Result<Answer, Error> {
        loop {
            if let Told::Answered(answer) = self.next().await? {
                return Ok(answer);
            }
        }
    }

    /// What is told next.
    async fn next(&mut self) -> Result<Told, Error> {
        loop {
            while let Some(encoded) = self.read.pop_front() {
                let mut event = encoded.decode().map_err(from_journal)?;
                if matches!(event.body, Body::Produced(_)) {
                    self.texts.load_into(&mut event).await?;
                }
                if let Some(told) = self.answering.apply(&event)? {
                    return Ok(told);
                }
            }
            tokio::select! {
                biased;
                why = &mut self.given_up => return Err(Error::goes_on(self.run, why)),
                events = self.log.next() => match events {
                    Ok(Some(events)) => self.read.extend(events),
                    Err(JournalError::NoSuchRun(_)) => {
                        return Err(Problem::not_found("The run was deleted before it was over.").into());
                    }
                    Err(error) => return Err(from_journal(error).into()),
                    // Its last event has told of its end.
                    Ok(None) => return Err(Problem::internal("The run ended without saying how.").into()),
                },
            }
        }
    }
}

/// The answer as a stream. An error that comes on the way is its last event.
fn chunks(
    waiting: Waiting,
    heading: Heading,
) -> impl Stream<Item = Result<SseEvent, Infallible>> + Send + 'static {
    let first = stream::iter([heading.first().to_string()]);
    let rest = stream::unfold(Some(waiting), move |waiting| {
        let heading = heading.clone();
        async move {
            let mut waiting = waiting?;
            let texts = |chunks: &[Value]| chunks.iter().map(Value::to_string).collect::<Vec<_>>();
            Some(match waiting.next().await {
                Ok(Told::OnTheWay(said)) => (texts(&[heading.on_the_way(&said)]), Some(waiting)),
                Ok(Told::Answered(answer)) => {
                    (texts(&heading.last(&answer)).into_iter().chain(["[DONE]".to_owned()]).collect(), None)
                }
                Err(error) => (texts(&[error.body()]), None),
            })
        }
    });
    first.chain(rest.flat_map(stream::iter)).map(|data| Ok(SseEvent::default().data(data)))
}
