//! What the pages ask of the server: one server function for each act of the backend.

#![allow(missing_docs, reason = "the macro makes structs of the arguments, and they cannot be documented")]

pub mod access;
#[cfg(feature = "hydrate")]
pub mod caller;
pub mod documents;
mod file;
mod json_text;

#[cfg(feature = "ssr")]
use backend::SharedBackend;
use leptos::prelude::*;
use protocol::{
    Approval, CallId, Digest, Event, ForkRun, GivenAnswer, KindSpec, ListedKind, ListedRuns, ModelChoice,
    ModelProfile, ModelTest, NodeId, ParameterRemark, PastRun, Problem, ProfileName, RunAccepted, RunFilter,
    RunId, RunPage, RunStopped, RunSummary, RunView, StartOptions, StartRun, StartTrials, Subject,
    ToolServer, TrialEstimate, TrialReport, TrialsStarted, Workflow, WorkflowKind,
};
use serde::{Deserialize, Serialize};

#[cfg(feature = "hydrate")]
pub(crate) use self::caller::Caller;
use self::json_text::JsonTextEncoding;
pub(crate) use self::{file::send_file, json_text::JsonText};
#[cfg(feature = "ssr")]
use crate::legible::{LONGEST_REMARK, legible, legible_document};

/// On the server nothing is called over the network.
#[cfg(not(feature = "hydrate"))]
pub(crate) type Caller = leptos::server_fn::client::browser::BrowserClient;

/// Why a question to the server has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(transparent)]
#[error(transparent)]
pub struct ApiError(#[from] pub Problem);

impl FromServerFnError for ApiError {
    type Encoder = JsonTextEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let problem = match error {
            ServerFnErrorErr::Request(_) => Problem {
                status: 0,
                detail: "The server cannot be reached. Nothing was lost; try again in a moment.".into(),
            },
            // On the server it is the request that cannot be read.
            ServerFnErrorErr::Deserialization(reason) if cfg!(feature = "ssr") => {
                Problem::invalid(format!("The request is not valid: {reason}"))
            }
            ServerFnErrorErr::Deserialization(_) => Problem::internal(
                "The server's answer cannot be read; it may have been updated. Reload the page and try again.",
            ),
            ServerFnErrorErr::Args(reason) | ServerFnErrorErr::MissingArg(reason) => {
                Problem::invalid(format!("The request is not valid: {reason}"))
            }
            other => Problem::internal(other.to_string()),
        };
        set_status(problem.status);
        Self(problem)
    }
}

#[cfg(feature = "ssr")]
fn backend() -> Result<SharedBackend, ApiError> {
    provided()
}

/// What the server puts into the context of the pages.
#[cfg(feature = "ssr")]
pub(crate) fn provided<T: Clone + 'static>() -> Result<T, ApiError> {
    use_context().ok_or_else(|| {
        ApiError(Problem::internal("The server is not ready to answer. Try again in a moment."))
    })
}

/// Makes an answer fit to be drawn, and gives the response the status that a problem has.
#[cfg(feature = "ssr")]
pub(crate) fn answer<T: Serialize + serde::de::DeserializeOwned>(
    result: Result<T, Problem>,
) -> Result<T, ApiError> {
    result.map(|document| legible_document(document, LONGEST_REMARK)).map_err(refused)
}

#[cfg(feature = "ssr")]
fn refused(problem: Problem) -> ApiError {
    set_status(problem.status);
    ApiError(legible_document(problem, LONGEST_REMARK))
}

/// Sets the HTTP status of the response under way; does nothing in the browser.
#[cfg_attr(not(feature = "ssr"), allow(unused_variables))]
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(status)) = (use_context::<leptos_axum::ResponseOptions>(), status.try_into()) {
        response.set_status(status);
    }
}

/// The kinds of workflow that there are.
#[server(name = KindsCall, prefix = "/rpc", endpoint = "kinds", input = JsonText, output = JsonText, client = Caller)]
pub async fn kinds() -> Result<Vec<KindSpec>, ApiError> {
    answer(backend()?.kinds().await)
}

/// The kinds of workflow that there are, as lists show them.
#[server(name = ListedKindsCall, prefix = "/rpc", endpoint = "listed_kinds", input = JsonText, output = JsonText, client = Caller)]
pub async fn listed_kinds() -> Result<Vec<ListedKind>, ApiError> {
    answer(backend()?.kinds().await.map(|kinds| kinds.into_iter().map(ListedKind::from).collect()))
}

/// What the start form offers.
#[server(name = StartOptionsCall, prefix = "/rpc", endpoint = "start_options", input = JsonText, output = JsonText, client = Caller)]
pub async fn start_options() -> Result<StartOptions, ApiError> {
    answer(backend()?.start_options().await)
}

/// What is to be said of the parameters of a run before it is started.
#[server(name = RemarksCall, prefix = "/rpc", endpoint = "remarks", input = JsonText, output = JsonText, client = Caller)]
pub async fn remarks(workflow: Workflow) -> Result<Vec<ParameterRemark>, ApiError> {
    answer(backend()?.remarks(workflow).await)
}

/// What earlier runs of a kind took that asked for the same model, newest first.
#[server(name = PastRunsCall, prefix = "/rpc", endpoint = "past_runs", input = JsonText, output = JsonText, client = Caller)]
pub async fn past_runs(kind: WorkflowKind, model: ModelChoice) -> Result<Vec<PastRun>, ApiError> {
    answer(backend()?.past_runs(kind, model).await)
}

/// What runs can be about.
#[server(name = SubjectsCall, prefix = "/rpc", endpoint = "subjects", input = JsonText, output = JsonText, client = Caller)]
pub async fn subjects() -> Result<Vec<Subject>, ApiError> {
    answer(backend()?.subjects().await)
}

/// Starts a run.
#[server(name = StartRunCall, prefix = "/rpc", endpoint = "start_run", input = JsonText, output = JsonText, client = Caller)]
pub async fn start_run(request: StartRun) -> Result<RunAccepted, ApiError> {
    answer(backend()?.start_run(request).await)
}

/// Stops a run.
#[server(name = StopRunCall, prefix = "/rpc", endpoint = "stop_run", input = JsonText, output = JsonText, client = Caller)]
pub async fn stop_run(run: RunId, reason: Option<String>) -> Result<RunStopped, ApiError> {
    answer(backend()?.stop_run(run, reason).await)
}

/// Deletes a run that is over.
#[server(name = DeleteRunCall, prefix = "/rpc", endpoint = "delete_run", input = JsonText, output = JsonText, client = Caller)]
pub async fn delete_run(run: RunId) -> Result<(), ApiError> {
    answer(backend()?.delete_run(run).await)
}

/// Runs, newest first.
#[server(name = RunsCall, prefix = "/rpc", endpoint = "runs", input = JsonText, output = JsonText, client = Caller)]
pub async fn runs(filter: RunFilter) -> Result<RunPage, ApiError> {
    answer(backend()?.runs(filter).await)
}

/// Runs, newest first, as lists show them.
#[server(name = ListedRunsCall, prefix = "/rpc", endpoint = "listed_runs", input = JsonText, output = JsonText, client = Caller)]
pub async fn listed_runs(filter: RunFilter) -> Result<ListedRuns, ApiError> {
    answer(backend()?.runs(filter).await.map(ListedRuns::from))
}

/// How a run stands, also one whose log cannot be read.
#[server(name = RunSummaryCall, prefix = "/rpc", endpoint = "run_summary", input = JsonText, output = JsonText, client = Caller)]
pub async fn run_summary(run: RunId) -> Result<RunSummary, ApiError> {
    answer(backend()?.run_summary(run).await)
}

/// The full present state of a run.
#[server(name = RunCall, prefix = "/rpc", endpoint = "run", input = JsonText, output = JsonText, client = Caller)]
pub async fn run(run: RunId) -> Result<RunView, ApiError> {
    answer(backend()?.run(run).await)
}

/// Up to `limit` events of a run after number `after`.
#[server(name = EventsCall, prefix = "/rpc", endpoint = "events", input = JsonText, output = JsonText, client = Caller)]
pub async fn events(run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, ApiError> {
    answer(backend()?.events(run, after, limit).await)
}

/// Answers a question of a run.
#[server(name = AnswerCall, prefix = "/rpc", endpoint = "answer_input", input = JsonText, output = JsonText, client = Caller)]
pub async fn answer_input(run: RunId, input: CallId, given: GivenAnswer) -> Result<(), ApiError> {
    answer(backend()?.answer(run, input, given).await)
}

/// Changes before which nodes a run pauses.
#[server(name = SetApprovalCall, prefix = "/rpc", endpoint = "set_approval", input = JsonText, output = JsonText, client = Caller)]
pub async fn set_approval(run: RunId, approval: Approval) -> Result<(), ApiError> {
    answer(backend()?.set_approval(run, approval).await)
}

/// Continues a run in a new one.
#[server(name = ForkRunCall, prefix = "/rpc", endpoint = "fork_run", input = JsonText, output = JsonText, client = Caller)]
pub async fn fork_run(run: RunId, request: ForkRun) -> Result<RunAccepted, ApiError> {
    answer(backend()?.fork_run(run, request).await)
}

/// The trials of a run, or of one visit to one of its nodes with how that was.
#[server(name = TrialsCall, prefix = "/rpc", endpoint = "trials", input = JsonText, output = JsonText, client = Caller)]
pub async fn trials(run: RunId, step: Option<(NodeId, u32)>) -> Result<TrialReport, ApiError> {
    answer(backend()?.trials(run, step).await)
}

/// What trials of a step would cost.
#[server(name = EstimateTrialsCall, prefix = "/rpc", endpoint = "estimate_trials", input = JsonText, output = JsonText, client = Caller)]
pub async fn estimate_trials(run: RunId, request: StartTrials) -> Result<TrialEstimate, ApiError> {
    answer(backend()?.estimate_trials(run, request).await)
}

/// Makes a step again.
#[server(name = StartTrialsCall, prefix = "/rpc", endpoint = "start_trials", input = JsonText, output = JsonText, client = Caller)]
pub async fn start_trials(run: RunId, request: StartTrials) -> Result<TrialsStarted, ApiError> {
    answer(backend()?.start_trials(run, request).await)
}

/// Says something to a node of a run at work.
#[server(name = TellCall, prefix = "/rpc", endpoint = "tell_node", input = JsonText, output = JsonText, client = Caller)]
pub async fn tell_node(run: RunId, node: NodeId, content: String) -> Result<(), ApiError> {
    answer(backend()?.tell(run, node, content).await)
}

/// Asks a question beside a run, and returns its number.
#[server(name = ChatCall, prefix = "/rpc", endpoint = "ask_run", input = JsonText, output = JsonText, client = Caller)]
pub async fn ask_run(run: RunId, question: String) -> Result<u32, ApiError> {
    answer(backend()?.chat(run, question).await)
}

/// The outline of a run, as it is or as it was at event `seq`: what is as large as its graph.
#[server(name = RunOutlineCall, prefix = "/rpc", endpoint = "run_outline", input = JsonText, output = JsonText, client = Caller)]
pub async fn run_outline(run: RunId, seq: Option<u64>) -> Result<RunView, ApiError> {
    answer(backend()?.run_outline(run, seq).await)
}

/// A long text that the run's log shows a preview of.
#[server(name = TextCall, prefix = "/rpc", endpoint = "text", input = JsonText, output = JsonText, client = Caller)]
pub async fn text(run: RunId, digest: Digest) -> Result<String, ApiError> {
    // All of it, however long it is.
    backend()?.text(run, digest).await.map(|text| legible(&text).into_owned()).map_err(refused)
}

/// The models that the settings name.
#[server(name = ModelsCall, prefix = "/rpc", endpoint = "models", input = JsonText, output = JsonText, client = Caller)]
pub async fn models() -> Result<Vec<ModelProfile>, ApiError> {
    answer(backend()?.models().await)
}

/// Asks a model a short question.
#[server(name = TestModelCall, prefix = "/rpc", endpoint = "test_model", input = JsonText, output = JsonText, client = Caller)]
pub async fn test_model(name: Option<ProfileName>) -> Result<ModelTest, ApiError> {
    answer(backend()?.test_model(name).await)
}

/// The tool servers that the settings name, and how they stand.
#[server(name = ToolServersCall, prefix = "/rpc", endpoint = "tool_servers", input = JsonText, output = JsonText, client = Caller)]
pub async fn tool_servers() -> Result<Vec<ToolServer>, ApiError> {
    answer(backend()?.tool_servers().await)
}
