//! The REST interface under `/api/v1`, and its OpenAPI document.

mod access;
mod document;
mod documents;
mod extract;
mod transfer;

use axum::{Json, Router, http::StatusCode, routing::get};
use backend::Backend;
use protocol::{
    Approval, CallId, Digest, Event, FlowId, ForkRun, GivenAnswer, KindSpec, ModelProfile, ModelTest, NodeId,
    ParameterRemark, Problem, ProfileName, RunAccepted, RunFilter, RunId, RunPage, RunStatus, RunStopped,
    RunView, ServerStatus, StartOptions, StartRun, StartTrials, ToolServer, TrialEstimate, TrialReport,
    TrialsStarted, Workflow, WorkflowKind, document::DocumentId,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, Modify, OpenApi, PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema, Server,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) use extract::{JsonBody, Path, Query, Reply};
pub(crate) use transfer::download;

use crate::{
    base_path::BasePath,
    families,
    problem::{ProblemResponse, no_such},
    scope::{Gateway, Scoped},
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Pitwall",
        description = "Runs teams of language-model agents. A run is a log of numbered events; \
                       `GET /ws/v1/runs/{run}?after=N` upgrades to a WebSocket that sends them as they happen."
    ),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Document;

/// The token that every request shows.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        components.add_security_scheme("bearer", SecurityScheme::Http(scheme.build()));
    }
}

/// The routes, with the document that describes them to who finds them below `base`.
pub fn router(base: &BasePath) -> Router<Gateway> {
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(status))
        .routes(routes!(kinds))
        .routes(routes!(start_options))
        .routes(routes!(remarks))
        .routes(routes!(runs, start_run))
        .routes(routes!(run, delete_run))
        .routes(routes!(events))
        .routes(routes!(text))
        .routes(routes!(stop_run))
        .routes(routes!(answer))
        .routes(routes!(set_approval))
        .routes(routes!(fork_run))
        .routes(routes!(trials, start_trials))
        .routes(routes!(estimate_trials))
        .routes(routes!(tell))
        .routes(routes!(chat))
        .merge(documents::router())
        .merge(transfer::router())
        .merge(access::router())
        .routes(routes!(models))
        .routes(routes!(test_model))
        .routes(routes!(tool_servers))
        .merge(families::rest())
        .split_for_parts();
    document::complete(&mut document);
    document.servers = Some(vec![Server::new(base.to_string())]);
    routes.route("/api/v1/openapi.json", get(async move || Json(document)))
}

/// How the server stands; for administrators
#[utoipa::path(get, path = "/api/v1/status", responses((status = 200, body = ServerStatus), (status = 403)))]
async fn status(service: Scoped) -> Reply<ServerStatus> {
    Ok(Json(service.status()?))
}

/// The kinds of workflow that there are
#[utoipa::path(get, path = "/api/v1/kinds", responses((status = 200, body = Vec<KindSpec>)))]
async fn kinds(service: Scoped) -> Reply<Vec<KindSpec>> {
    Ok(Json(service.kinds().await?))
}

/// What a run can be started with
#[utoipa::path(get, path = "/api/v1/start-options", responses((status = 200, body = StartOptions)))]
async fn start_options(service: Scoped) -> Reply<StartOptions> {
    Ok(Json(service.start_options().await?))
}

/// What is to be said of the parameters of a run before it is started
///
/// Some of them may be missing or wrong. A run can be started whatever is said here.
#[utoipa::path(post, path = "/api/v1/start-remarks", request_body = Workflow, responses((status = 200, body = Vec<ParameterRemark>)))]
async fn remarks(service: Scoped, JsonBody(workflow): JsonBody<Workflow>) -> Reply<Vec<ParameterRemark>> {
    Ok(Json(service.remarks(workflow).await?))
}

/// Runs, newest first
#[utoipa::path(get, path = "/api/v1/runs", params(RunQuery), responses((status = 200, body = RunPage)))]
async fn runs(service: Scoped, Query(query): Query<RunQuery>) -> Reply<RunPage> {
    Ok(Json(service.runs(query.0).await?))
}

/// Starts a run
#[utoipa::path(post, path = "/api/v1/runs", request_body = StartRun, responses((status = 201, body = RunAccepted), (status = 429)))]
async fn start_run(
    service: Scoped,
    JsonBody(request): JsonBody<StartRun>,
) -> Result<(StatusCode, Json<RunAccepted>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.start_run(request).await?)))
}

/// The full present state of a run
#[utoipa::path(get, path = "/api/v1/runs/{run}", params(("run" = RunId, Path, description = "Run id")), responses((status = 200, body = RunView)))]
async fn run(service: Scoped, Path(run): Path<String>) -> Reply<RunView> {
    Ok(Json(service.run(run_id(&run)?).await?))
}

/// Deletes a run that is over; what continues it stays
#[utoipa::path(delete, path = "/api/v1/runs/{run}", params(("run" = RunId, Path, description = "Run id")), responses((status = 204), (status = 409)))]
async fn delete_run(service: Scoped, Path(run): Path<String>) -> Result<StatusCode, ProblemResponse> {
    service.delete_run(run_id(&run)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Events of a run after a number
#[utoipa::path(get, path = "/api/v1/runs/{run}/events", params(("run" = RunId, Path, description = "Run id"), EventQuery), responses((status = 200, body = Vec<Event>)))]
async fn events(
    service: Scoped,
    Path(run): Path<String>,
    Query(query): Query<EventQuery>,
) -> Reply<Vec<Event>> {
    Ok(Json(service.events(run_id(&run)?, query.after, query.limit).await?))
}

/// A long text that a run's log shows the beginning of
#[utoipa::path(get, path = "/api/v1/runs/{run}/texts/{digest}", params(("run" = RunId, Path, description = "Run id"), ("digest" = Digest, Path, description = "SHA-256 of the text")), responses((status = 200, body = String, content_type = "text/plain")))]
async fn text(
    service: Scoped,
    Path((run, digest)): Path<(String, String)>,
) -> Result<String, ProblemResponse> {
    let digest: Digest = digest.parse().map_err(no_such)?;
    Ok(service.text(run_id(&run)?, digest).await?)
}

/// Stops a run
#[utoipa::path(post, path = "/api/v1/runs/{run}/stop", params(("run" = RunId, Path, description = "Run id")), request_body = StopRun, responses((status = 202, body = RunStopped), (status = 409)))]
async fn stop_run(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<StopRun>,
) -> Result<(StatusCode, Json<RunStopped>), ProblemResponse> {
    let stopped = service.stop_run(run_id(&run)?, request.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(stopped)))
}

/// Answers a question of a run; the first valid answer counts
#[utoipa::path(post, path = "/api/v1/runs/{run}/inputs/{input}", params(("run" = RunId, Path, description = "Run id"), ("input" = CallId, Path, description = "The question's id")), request_body = GivenAnswer, responses((status = 204), (status = 409)))]
async fn answer(
    service: Scoped,
    Path((run, input)): Path<(String, String)>,
    JsonBody(answer): JsonBody<GivenAnswer>,
) -> Result<StatusCode, ProblemResponse> {
    let input: CallId = input.parse().map_err(no_such)?;
    service.answer(run_id(&run)?, input, answer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Changes before which nodes a run pauses until a person approves
#[utoipa::path(put, path = "/api/v1/runs/{run}/approval", params(("run" = RunId, Path, description = "Run id")), request_body = Approval, responses((status = 204), (status = 409)))]
async fn set_approval(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(approval): JsonBody<Approval>,
) -> Result<StatusCode, ProblemResponse> {
    service.set_approval(run_id(&run)?, approval).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Continues a run in a new one: a re-run from a node, a fork after it, or where it failed
#[utoipa::path(post, path = "/api/v1/runs/{run}/forks", params(("run" = RunId, Path, description = "Run id")), request_body = ForkRun, responses((status = 201, body = RunAccepted), (status = 409)))]
async fn fork_run(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<ForkRun>,
) -> Result<(StatusCode, Json<RunAccepted>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.fork_run(run_id(&run)?, request).await?)))
}

/// Trials of a run's steps; with a node, those of one visit to it, beside what it was asked and what it came to
#[utoipa::path(get, path = "/api/v1/runs/{run}/trials", params(("run" = RunId, Path, description = "Run id"), StepQuery), responses((status = 200, body = TrialReport), (status = 409)))]
async fn trials(
    service: Scoped,
    Path(run): Path<String>,
    Query(StepQuery { node, visit }): Query<StepQuery>,
) -> Reply<TrialReport> {
    let step = node.map(|node| (node, visit.unwrap_or(1)));
    Ok(Json(service.trials(run_id(&run)?, step).await?))
}

/// What trials of a step would cost, by the calls that it made
#[utoipa::path(post, path = "/api/v1/runs/{run}/trials/estimate", params(("run" = RunId, Path, description = "Run id")), request_body = StartTrials, responses((status = 200, body = TrialEstimate), (status = 409)))]
async fn estimate_trials(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<StartTrials>,
) -> Reply<TrialEstimate> {
    Ok(Json(service.estimate_trials(run_id(&run)?, request).await?))
}

/// Makes a step of a finished run again, several times and with something changed: each trial is a run that ends after
/// the step
#[utoipa::path(post, path = "/api/v1/runs/{run}/trials", params(("run" = RunId, Path, description = "Run id")), request_body = StartTrials, responses((status = 201, body = TrialsStarted), (status = 409), (status = 429)))]
async fn start_trials(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<StartTrials>,
) -> Result<(StatusCode, Json<TrialsStarted>), ProblemResponse> {
    Ok((StatusCode::CREATED, Json(service.start_trials(run_id(&run)?, request).await?)))
}

/// Tells a node of a run something; the node reads it when it next looks, in this visit or a later one
#[utoipa::path(post, path = "/api/v1/runs/{run}/messages", params(("run" = RunId, Path, description = "Run id")), request_body = TellNode, responses((status = 204), (status = 409)))]
async fn tell(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<TellNode>,
) -> Result<StatusCode, ProblemResponse> {
    service.tell(run_id(&run)?, request.node, request.content).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks a question beside a run; the answer follows in its log
#[utoipa::path(post, path = "/api/v1/runs/{run}/chat", params(("run" = RunId, Path, description = "Run id")), request_body = AskRun, responses((status = 202, body = ChatNumber)))]
async fn chat(
    service: Scoped,
    Path(run): Path<String>,
    JsonBody(request): JsonBody<AskRun>,
) -> Result<(StatusCode, Json<ChatNumber>), ProblemResponse> {
    let chat = service.chat(run_id(&run)?, request.question).await?;
    Ok((StatusCode::ACCEPTED, Json(ChatNumber { chat })))
}

/// The models that the settings name, without their keys
#[utoipa::path(get, path = "/api/v1/models", responses((status = 200, body = Vec<ModelProfile>), (status = 403)))]
async fn models(service: Scoped) -> Reply<Vec<ModelProfile>> {
    Ok(Json(service.models().await?))
}

/// Which model is asked.
#[derive(Debug, Deserialize, ToSchema)]
struct TestModel {
    /// Its name; without one, the model that the settings name without a profile.
    #[serde(default)]
    name: Option<ProfileName>,
}

/// Asks a model a short question, to see whether it answers
#[utoipa::path(post, path = "/api/v1/models/test", request_body = TestModel, responses((status = 200, body = ModelTest), (status = 403), (status = 404)))]
async fn test_model(service: Scoped, JsonBody(request): JsonBody<TestModel>) -> Reply<ModelTest> {
    Ok(Json(service.test_model(request.name).await?))
}

/// The tool servers that the settings name, how they stand and what they offer, without their keys
#[utoipa::path(get, path = "/api/v1/tools", responses((status = 200, body = Vec<ToolServer>), (status = 403)))]
async fn tool_servers(service: Scoped) -> Reply<Vec<ToolServer>> {
    Ok(Json(service.tool_servers().await?))
}

fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(no_such)
}

/// Which step is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct StepQuery {
    /// The node.
    node: Option<NodeId>,
    /// Which of its visits; the first, if absent.
    visit: Option<u32>,
}

/// The query form of a [`RunFilter`].
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct RunQuery(RunFilter);

impl IntoParams for RunQuery {
    fn into_params(
        parameter_in: impl Fn() -> Option<utoipa::openapi::path::ParameterIn>,
    ) -> Vec<utoipa::openapi::path::Parameter> {
        let parameters = [
            ("search", "Words that the title must contain", String::schema()),
            ("status", "Only runs that stand here", RunStatus::schema()),
            ("kind", "Only runs of this kind", WorkflowKind::schema()),
            ("flow", "Only runs of this flow", FlowId::schema()),
            ("origin", "Only runs that continue this one", RunId::schema()),
            ("parent", "Only runs that this one has started", RunId::schema()),
            (
                "document",
                "Only runs that are made from this document, in any of its versions",
                DocumentId::schema(),
            ),
            ("top", "Without those that other runs have started", bool::schema()),
            ("before", "Only runs created before this one: the last of the page before", RunId::schema()),
            ("limit", "At most this many; 200 are allowed", u32::schema()),
        ];
        let parameter = |(name, description, schema)| {
            utoipa::openapi::path::ParameterBuilder::new()
                .name(name)
                .description(Some(description))
                .parameter_in(parameter_in().unwrap_or(utoipa::openapi::path::ParameterIn::Query))
                .schema(Some::<RefOr<Schema>>(schema))
                .build()
        };
        parameters.map(parameter).into()
    }
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EventQuery {
    /// Number of the event after which to begin
    #[serde(default)]
    after: u64,
    /// At most this many; 1000 are allowed
    #[serde(default = "most_events")]
    limit: u32,
}

fn most_events() -> u32 {
    crate::service::MOST_EVENTS
}

#[derive(Debug, Deserialize, ToSchema)]
struct TellNode {
    /// The node that is told
    node: NodeId,
    /// What it is told, in 1 to 65,536 bytes
    content: String,
}

#[derive(Debug, Deserialize, ToSchema)]
struct AskRun {
    /// The question
    question: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct ChatNumber {
    /// Pairs question and answer in the log
    chat: u32,
}

#[derive(Debug, Deserialize, ToSchema)]
struct StopRun {
    /// Why, kept in the log
    #[serde(default)]
    reason: Option<String>,
}
