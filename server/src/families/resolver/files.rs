//! A session as files of Markdown: its report, and all that was said.

use std::fmt::Write;

use app::families::resolver::backend::ResolverBackend;
use axum::response::IntoResponse;
use backend::Backend;
use protocol::{
    ChatView, FlowId, Problem, RunId, Text,
    resolver::{SessionRun, TaskConversation, TaskReport, TaskRequest},
};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    problem::{ProblemResponse, no_such},
    rest::{Path, Query, download},
    scope::{Gateway, Scoped},
};

const MARKDOWN: &str = "text/markdown; charset=utf-8";

pub(super) fn rest() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().routes(routes!(report)).routes(routes!(conversation))
}

/// Which report of a session.
#[derive(Deserialize, IntoParams)]
struct ReportQuery {
    /// The run that wrote it; the last report where none is named
    run: Option<String>,
}

/// A report of a session of tasks as a file of Markdown
#[utoipa::path(get, path = "/api/v1/tasks/{task}/report.md", operation_id = "task_report", params(("task" = FlowId, Path, description = "The session, or one of its runs"), ReportQuery), responses((status = 200, body = String, content_type = "text/markdown")))]
async fn report(
    service: Scoped,
    Path(session): Path<String>,
    Query(query): Query<ReportQuery>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let session = service.conversation(session.parse().map_err(no_such)?).await?.session;
    let run = match query.run {
        Some(run) => session.run(run.parse().map_err(no_such)?).map(|run| run.run),
        None => session.last_report(),
    };
    let none = || Problem::not_found("The session has no such report. Choose one that is listed.");
    let run = run.ok_or_else(none)?;
    let report = written(&service, run).await?.ok_or_else(none)?;
    Ok(download(MARKDOWN, format!("report-{run}.md"), report.markdown))
}

/// All that was said in a session of tasks, its reports among it, as a file of Markdown
#[utoipa::path(get, path = "/api/v1/tasks/{task}/conversation.md", operation_id = "task_conversation_file", params(("task" = FlowId, Path, description = "The session, or one of its runs")), responses((status = 200, body = String, content_type = "text/markdown")))]
async fn conversation(
    service: Scoped,
    Path(session): Path<String>,
) -> Result<impl IntoResponse, ProblemResponse> {
    let conversation = service.conversation(session.parse().map_err(no_such)?).await?;
    let flow = conversation.session.flow.clone();
    Ok(download(MARKDOWN, format!("conversation-{flow}.md"), told(&service, conversation).await?))
}

/// The report that a run has written; `None` before it has.
async fn written(service: &Scoped, run: RunId) -> Result<Option<TaskReport>, Problem> {
    let view = service.run(run).await?;
    let Some(product) = view.products.iter().rev().find(|product| product.holds::<TaskReport>()) else {
        return Ok(None);
    };
    let data = whole(service, run, &product.data).await?;
    Ok(serde_json::from_str(&data).ok())
}

async fn whole(service: &Scoped, run: RunId, text: &Text) -> Result<String, Problem> {
    match text.stored() {
        Some(digest) => service.text(run, digest.clone()).await,
        None => Ok(text.shown().to_owned()),
    }
}

async fn told(service: &Scoped, conversation: TaskConversation) -> Result<String, Problem> {
    let TaskConversation { session, exchanges, .. } = conversation;
    let mut file = format!("# Session {}\n", session.flow);
    for (run, number) in session.runs.iter().zip(1_usize..) {
        push(&mut file, &asked(run), run.request.words());
        for chat in exchanges.get(&run.run).into_iter().flatten() {
            exchange(service, run.run, chat, &mut file).await?;
        }
        let at = run.finished_at.map(|at| format!(" · {at}")).unwrap_or_default();
        if let Some(error) = &run.error {
            push(&mut file, &format!("No report{at}"), error);
        } else if let Some(report) = written(service, run.run).await? {
            push(&mut file, &format!("Report {number}{at}"), &report.markdown);
        }
    }
    Ok(file)
}

fn asked(run: &SessionRun) -> String {
    let what = match run.request {
        TaskRequest::Task { .. } => "Task",
        TaskRequest::Refinement { .. } => "Refinement",
    };
    format!("{what} · {}", run.created_at)
}

async fn exchange(service: &Scoped, run: RunId, chat: &ChatView, file: &mut String) -> Result<(), Problem> {
    let question = whole(service, run, &chat.asked.question).await?;
    push(file, &format!("Question by {} · {}", chat.asked.by, chat.asked_at), &question);
    if let Some(answered) = &chat.answered {
        let answer = match &answered.error {
            Some(error) => format!("There is no answer: {error}"),
            None => whole(service, run, &answered.answer).await?,
        };
        push(file, &format!("Answer by {}", answered.model), &answer);
    }
    Ok(())
}

fn push(file: &mut String, heading: &str, text: &str) {
    // Writing into a text does not fail.
    let _ = write!(file, "\n## {heading}\n\n{}\n", text.trim());
}
