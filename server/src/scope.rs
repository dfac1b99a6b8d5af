//! Authorisation: the one place that decides what a caller may see and change.
//!
//! Handlers have no way to the [`Service`] but [`Scoped`], which is one caller's view of it. What
//! belongs to somebody else is not found: nobody can tell it from what does not exist.

mod documents;
mod numbers;
mod readable;
mod run_changes;

use std::sync::Arc;

use accounts::CredentialKind;
use async_trait::async_trait;
use axum::{
    extract::{FromRef, FromRequestParts},
    http::{Extensions, request::Parts},
};
use backend::Backend;
use protocol::{
    AccountId, Approval, CallId, Digest, Event, ForkRun, GivenAnswer, KindSpec, ModelChoice, ModelProfile,
    ModelTest, NodeId, ParameterRemark, PastRun, Problem, ProfileName, Role, RunAccepted, RunFilter, RunId,
    RunPage, RunStopped, RunSummary, RunView, ServerStatus, StartOptions, StartRun, StartTrials, Startable,
    Subject, ToolServer, TrialEstimate, TrialReport, TrialsStarted, Workflow, WorkflowKind,
};

pub use numbers::{NumberedRun, ReservedRun};
pub use readable::{Activity, Readable};
pub use run_changes::RunChanges;

use tools::Registry;

use crate::{
    access::{Access, Admission, Caller, RequestContext},
    peer::Polls,
    problem::{ProblemResponse, no_run},
    service::{MOST_EVENTS, Service},
    texts::Texts,
};

/// The state of the routers: the service behind the rules of access.
#[derive(Clone)]
pub struct Gateway {
    service: Arc<Service>,
    access: Arc<Access>,
}

impl Gateway {
    /// The service behind these rules.
    pub fn new(service: Arc<Service>, access: Access) -> Self {
        Self { service, access: Arc::new(access) }
    }

    /// Whether there are kinds of document.
    pub fn offers_documents(&self) -> bool {
        !self.service.document_kinds().is_empty()
    }

    /// The caller's view. A request that has not passed the guard has no caller and sees nothing.
    pub fn scoped(&self, extensions: &Extensions) -> Scoped {
        let context = extensions.get::<RequestContext>().cloned();
        let context =
            context.unwrap_or_else(|| RequestContext { caller: Caller::nobody(), peer: [0, 0, 0, 0].into() });
        Scoped { gateway: self.clone(), context }
    }
}

impl FromRef<Gateway> for Arc<Access> {
    fn from_ref(gateway: &Gateway) -> Self {
        gateway.access.clone()
    }
}

/// One caller's view of the service.
pub struct Scoped {
    gateway: Gateway,
    context: RequestContext,
}

impl FromRequestParts<Gateway> for Scoped {
    type Rejection = ProblemResponse;

    async fn from_request_parts(parts: &mut Parts, gateway: &Gateway) -> Result<Self, ProblemResponse> {
        Ok(gateway.scoped(&parts.extensions))
    }
}

impl Scoped {
    /// The caller of this request.
    pub fn caller(&self) -> &Caller {
        &self.context.caller
    }

    /// The client's address.
    pub fn peer(&self) -> std::net::IpAddr {
        self.context.peer
    }

    /// The rules of access.
    pub fn access(&self) -> &Access {
        &self.gateway.access
    }

    /// Whether the caller authenticated by an API client's token.
    pub fn is_by_token(&self) -> bool {
        self.caller().credential().is_some_and(|credential| credential.kind == CredentialKind::Token)
    }

    /// The tools that agents can be offered.
    ///
    /// # Errors
    /// The caller only looks at a run that was shared.
    pub(crate) fn tools(&self) -> Result<&Registry, Problem> {
        if self.caller().role().is_none() {
            return Err(Problem {
                status: 403,
                detail: "Only those who sign in see which tools there are.".to_owned(),
            });
        }
        Ok(&self.service().tools)
    }

    pub(crate) fn service(&self) -> &Service {
        &self.gateway.service
    }

    /// Why the server cannot work any more; visible to everybody.
    pub fn death(&self) -> Option<String> {
        self.service().death()
    }

    /// The server's status.
    ///
    /// # Errors
    /// 403: the caller does not operate the server.
    pub fn status(&self) -> Result<ServerStatus, Problem> {
        if self.caller().operates() {
            return Ok(self.service().status());
        }
        Err(Problem { status: 403, detail: "Only an administrator sees how the server stands.".to_owned() })
    }

    /// A run that the caller may read.
    ///
    /// # Errors
    /// 404 for any other.
    pub async fn readable(&self, run: RunId) -> Result<Readable<'_>, Problem> {
        let summary = self.service().summary(run).await?.filter(|summary| self.caller().may_read(summary));
        let summary = summary.ok_or_else(|| no_run(run))?;
        Ok(Readable { service: self.service(), summary })
    }

    /// The account that owns the run and may change it.
    ///
    /// # Errors
    /// 404 for a run that the caller may not read, 403 for one that the caller may only read.
    pub async fn own_run(&self, run: RunId) -> Result<AccountId, Problem> {
        let run = self.readable(run).await?;
        let writer = self.caller().writer()?;
        if self.caller().owns(&run.summary) {
            Ok(writer.clone())
        } else {
            Err(Problem {
                status: 403,
                detail: "This run is another's: you may read it, and change nothing.".into(),
            })
        }
    }

    /// Imports a run that was exported as JSON Lines, as the caller's.
    ///
    /// # Errors
    /// 403: the caller only reads. 422: the file is no exported run.
    pub async fn import(&self, file: String) -> Result<RunAccepted, Problem> {
        self.service().import(file, self.caller().writer()?.clone()).await
    }

    /// The right to open a socket, which follows a run or all of them.
    ///
    /// # Errors
    /// 429: too many are open.
    pub async fn admit_socket(&self, run: Option<RunId>) -> Result<Admission, Problem> {
        self.access().admit_socket(self.caller(), run, self.service().sockets.clone()).await
    }

    /// The open polls; each checks its holder.
    pub fn polls(&self) -> &Polls {
        self.service().sockets.polls()
    }

    /// A reader of long texts.
    pub fn texts(&self) -> Texts {
        Texts::new(self.service().journal.clone())
    }

    /// Every change of a run that the caller may read.
    pub fn run_changes(&self) -> RunChanges {
        RunChanges { changes: self.service().journal.changes(), caller: self.caller().clone() }
    }

    /// Runs that are shared with the caller; there are few.
    async fn shared_runs(&self, filter: &RunFilter) -> Result<RunPage, Problem> {
        let mut runs = Vec::new();
        for run in self.caller().shared() {
            runs.extend(self.service().summary(run).await?.filter(|summary| matches(filter, summary)));
        }
        runs.sort_by_key(|run| std::cmp::Reverse(run.run));
        let limit = filter.limit.unwrap_or(50).clamp(1, 200) as usize;
        let more = runs.len() > limit;
        runs.truncate(limit);
        Ok(RunPage { runs, more })
    }
}

fn matches(filter: &RunFilter, run: &RunSummary) -> bool {
    let title = run.title.to_lowercase();
    filter.search.to_lowercase().split_whitespace().all(|word| title.contains(word))
        && filter.status.is_none_or(|status| run.status == status)
        && filter.kind.as_ref().is_none_or(|kind| run.request.workflow.kind() == kind)
        && filter.flow.as_ref().is_none_or(|flow| run.request.flow == *flow)
        && filter.origin.is_none_or(|origin| run.origin.as_ref().is_some_and(|own| own.run == origin))
        && filter
            .document
            .is_none_or(|document| run.request.workflow.document().is_some_and(|named| named.id == document))
        && filter.before.is_none_or(|before| run.run < before)
}

#[async_trait]
impl Backend for Scoped {
    async fn kinds(&self) -> Result<Vec<KindSpec>, Problem> {
        Ok(self.service().kinds())
    }

    async fn start_options(&self) -> Result<StartOptions, Problem> {
        let account = self.caller().name().cloned().unwrap_or_default();
        let mut options = self.service().start_options(&account).await?;
        if self.caller().writer().is_err() {
            options.configured_model = None;
            options.profiles = Vec::new();
        }
        Ok(options)
    }

    async fn past_runs(&self, kind: WorkflowKind, model: ModelChoice) -> Result<Vec<PastRun>, Problem> {
        match (self.caller().name(), self.caller().role()) {
            (Some(owner), Some(Role::Owner | Role::Administrator)) => {
                self.service().past_runs(kind, &model, owner).await
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn remarks(&self, workflow: Workflow) -> Result<Vec<ParameterRemark>, Problem> {
        let owner = self.caller().writer()?;
        self.service().remarks(&workflow, owner).await
    }

    async fn subjects(&self) -> Result<Vec<Subject>, Problem> {
        let account = self.caller().name().cloned().unwrap_or_default();
        let options = self.service().start_options(&account).await?;
        Ok(options.kinds.iter().flat_map(Startable::subjects).collect())
    }

    async fn start_run(&self, request: StartRun) -> Result<RunAccepted, Problem> {
        let owner = self.caller().writer()?.clone();
        self.service().start(request, owner).await
    }

    async fn stop_run(&self, run: RunId, reason: Option<String>) -> Result<RunStopped, Problem> {
        let owner = self.own_run(run).await?;
        self.service().stop(run, owner, reason.as_deref()).await
    }

    async fn delete_run(&self, run: RunId) -> Result<(), Problem> {
        let owner = self.own_run(run).await?;
        let summary = self.readable(run).await?;
        self.service().end_stranded(&summary, owner).await?;
        self.service().delete_run(run).await
    }

    async fn runs(&self, filter: RunFilter) -> Result<RunPage, Problem> {
        match (self.caller().name(), self.caller().role()) {
            (Some(owner), Some(Role::Owner | Role::Administrator)) => {
                self.service().runs(&filter, owner).await
            }
            _ => self.shared_runs(&filter).await,
        }
    }

    async fn run_summary(&self, run: RunId) -> Result<RunSummary, Problem> {
        Ok(self.readable(run).await?.summary)
    }

    async fn run(&self, run: RunId) -> Result<RunView, Problem> {
        self.readable(run).await?;
        self.service().fold(run).await
    }

    async fn run_outline(&self, run: RunId, seq: Option<u64>) -> Result<RunView, Problem> {
        self.readable(run).await?;
        self.service().fold_outline(run, seq.unwrap_or(u64::MAX)).await
    }

    async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, Problem> {
        self.readable(run).await?.read(after, limit.clamp(1, MOST_EVENTS)).await
    }

    async fn answer(&self, run: RunId, input: CallId, answer: GivenAnswer) -> Result<(), Problem> {
        let owner = self.own_run(run).await?;
        self.service().answer(run, input, answer, owner).await
    }

    async fn set_approval(&self, run: RunId, approval: Approval) -> Result<(), Problem> {
        let owner = self.own_run(run).await?;
        self.service().set_approval(run, approval, owner).await
    }

    async fn fork_run(&self, run: RunId, request: ForkRun) -> Result<RunAccepted, Problem> {
        let owner = self.own_run(run).await?;
        self.service().fork_run(run, request, owner).await
    }

    async fn trials(&self, run: RunId, step: Option<(NodeId, u32)>) -> Result<TrialReport, Problem> {
        let readable = self.readable(run).await?;
        // A trial is as much its owner's as any run: whoever the original is shared with is shown those that they may
        // read.
        self.service().trials(&readable, step, |trial| self.caller().may_read(trial)).await
    }

    async fn estimate_trials(&self, run: RunId, request: StartTrials) -> Result<TrialEstimate, Problem> {
        self.own_run(run).await?;
        let readable = self.readable(run).await?;
        self.service().estimate_trials(&readable, &request).await
    }

    async fn start_trials(&self, run: RunId, request: StartTrials) -> Result<TrialsStarted, Problem> {
        let owner = self.own_run(run).await?;
        let readable = self.readable(run).await?;
        self.service().start_trials(&readable, request, owner).await
    }

    async fn tell(&self, run: RunId, node: NodeId, content: String) -> Result<(), Problem> {
        let owner = self.own_run(run).await?;
        self.service().tell(run, node, &content, owner).await
    }

    async fn chat(&self, run: RunId, question: String) -> Result<u32, Problem> {
        let owner = self.own_run(run).await?;
        self.service().chat(run, &question, owner).await
    }

    async fn text(&self, run: RunId, digest: Digest) -> Result<String, Problem> {
        self.readable(run).await?;
        self.service().text(run, digest).await
    }

    async fn models(&self) -> Result<Vec<ModelProfile>, Problem> {
        self.caller().writer()?;
        Ok(self.service().models.profiles().cloned().collect())
    }

    async fn test_model(&self, name: Option<ProfileName>) -> Result<ModelTest, Problem> {
        self.caller().writer()?;
        let tested = self.service().models.test(name.as_ref()).await;
        tested.ok_or_else(|| Problem::not_found("There is no such model. Load the page again."))
    }

    async fn tool_servers(&self) -> Result<Vec<ToolServer>, Problem> {
        Ok(self.tools()?.servers())
    }
}
