//! The service that pages, REST and the routes of other systems share.

use std::sync::Arc;

use accounts::Accounts;
use bytes::Bytes;
use engine::Engine;
use futures::{Stream, TryStreamExt};
use journal::{Journal, transfer};
use llm::ModelRegistry;
use protocol::{
    AccountId, Approval, CallId, Digest, FlowId, ForkRun, GivenAnswer, InputReceived, KindSpec, ModelChoice,
    NodeAdded, NodeId, ParameterRemark, PastRun, PlannedNode, Problem, RunAccepted, RunFilter, RunId,
    RunPage, RunRequest, RunStatus, RunStopped, RunSummary, RunView, ServerStatus, StartOptions, StartRun,
    Startable, Tier, Trial, Workflow, WorkflowKind,
};
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tools::Registry;
use uuid::Uuid;
use workflows::{Families, FamilyError, Form, Refusal};

use crate::{
    families::Own,
    html_export,
    peer::Sockets,
    problem::{from_accounts, from_engine, from_import, from_journal, no_run},
};

/// The most events of one request.
pub const MOST_EVENTS: u32 = 1000;
/// Earlier runs of a kind that are looked at, and told of, for an estimate.
const LOOKED_AT: u32 = 200;
const TOLD_OF: usize = 50;
/// Bytes of a question beside a run.
const LONGEST_QUESTION: usize = 8 * 1024;

/// The state that all handlers share.
pub struct Service {
    /// The log.
    pub journal: Journal,
    /// Runs at work.
    pub engine: Engine,
    /// The families of workflows.
    pub families: Arc<Families>,
    /// What families serve beside their runs.
    pub own: Own,
    /// Who may come in.
    pub accounts: Accounts,
    /// The models that can answer runs; without any, the rehearsal answers.
    pub models: ModelRegistry,
    /// The tools that agents can be offered.
    pub tools: Registry,
    /// Cancelled on shutdown; sockets close then.
    pub shutdown: CancellationToken,
    /// Open sockets and polls.
    pub sockets: Sockets,
}

impl Service {
    /// The kinds of workflow that there are.
    pub fn kinds(&self) -> Vec<KindSpec> {
        self.families.kinds()
    }

    /// What a run of this account can be started with.
    pub async fn start_options(&self, account: &AccountId) -> Result<StartOptions, Problem> {
        let forms = self.families.forms(account).await.map_err(from_family)?;
        let mut kinds = Vec::with_capacity(forms.len());
        for (spec, Form { parameters, sample, .. }) in forms {
            let nodes = match &sample {
                Some(sample) => self.planned_nodes(sample, account).await,
                None => Vec::new(),
            };
            kinds.push(Startable { spec, parameters, sample, nodes });
        }
        Ok(StartOptions {
            kinds,
            configured_model: self.models.configured().map(|model| model.model(Tier::Deep)),
            profiles: self.models.profiles().filter_map(|profile| profile.name.clone()).collect(),
        })
    }

    /// Why the server cannot work any more.
    pub fn death(&self) -> Option<String> {
        match self.journal.death() {
            Some(error) => Some(error.to_string()),
            None if !self.engine.is_open() => Some("The server ends and takes no more work.".to_owned()),
            None => None,
        }
    }

    /// The server's status.
    pub fn status(&self) -> ServerStatus {
        ServerStatus {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            active_runs: self.engine.active_runs(),
            sockets: self.sockets.count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
            trouble: self.journal.trouble().borrow().as_ref().map(ToString::to_string),
        }
    }

    /// Starts a run in the request's flow, or in a new one.
    pub async fn start(&self, request: StartRun, owner: AccountId) -> Result<RunAccepted, Problem> {
        refuse_trial(&request.workflow)?;
        let request = request.in_flow(new_flow());
        let flow = request.flow.clone();
        let run = self.engine.start(request, owner).await.map_err(from_engine)?;
        Ok(RunAccepted { run, flow })
    }

    /// Starts a run under the id that was reserved for it.
    pub async fn start_reserved(
        &self,
        run: RunId,
        request: StartRun,
        owner: AccountId,
    ) -> Result<(), Problem> {
        refuse_trial(&request.workflow)?;
        self.engine.start_reserved(run, request.in_flow(new_flow()), owner).await.map_err(from_engine)
    }

    /// Stops a run on a person's behalf.
    pub async fn stop(&self, run: RunId, by: AccountId, reason: Option<&str>) -> Result<RunStopped, Problem> {
        let ended = self.engine.stop(run, by, reason).await.map_err(from_engine)?;
        Ok(RunStopped { ended })
    }

    /// Ends a run that this version cannot go on with, so that it can be deleted. Nobody works on it.
    pub async fn end_stranded(&self, summary: &RunSummary, by: AccountId) -> Result<(), Problem> {
        let is_stranded = !summary.status.is_over()
            && summary.unreadable.is_none()
            && !self.engine.knows(summary.request.workflow.kind());
        if is_stranded {
            self.engine.stop(summary.run, by, Some("It is deleted.")).await.map_err(from_engine)?;
        }
        Ok(())
    }

    /// Deletes a run that is over, and what it was shared by.
    pub async fn delete_run(&self, run: RunId) -> Result<(), Problem> {
        self.journal.remove(vec![run]).await.map_err(from_journal)?;
        self.accounts.end_shares_of(run).await.map_err(from_accounts)
    }

    /// A run as JSON Lines, streamed.
    pub fn export_json_lines(&self, run: RunId) -> impl Stream<Item = Result<Bytes, Problem>> + Send + use<> {
        transfer::to_json_lines(self.journal.clone(), run).map_err(from_journal)
    }

    /// A run as one HTML file.
    pub async fn export_html(&self, run: RunId) -> Result<String, Problem> {
        html_export::html_page(&self.journal, run).await
    }

    /// Imports a run that was exported as JSON Lines.
    pub async fn import(&self, file: String, owner: AccountId) -> Result<RunAccepted, Problem> {
        let run = transfer::import(&self.journal, file, owner).await.map_err(from_import)?;
        let summary = self.summary(run).await?.ok_or_else(|| no_run(run))?;
        Ok(RunAccepted { run, flow: summary.request.flow })
    }

    /// An account's runs, newest first.
    pub async fn runs(&self, filter: &RunFilter, owner: &AccountId) -> Result<RunPage, Problem> {
        self.journal.summaries(filter, Some(owner)).await.map_err(from_journal)
    }

    /// What an account's earlier runs of a kind took that asked for the same model, newest first: as their rows say,
    /// without a look into their logs.
    pub async fn past_runs(
        &self,
        kind: WorkflowKind,
        model: &ModelChoice,
        owner: &AccountId,
    ) -> Result<Vec<PastRun>, Problem> {
        let status = Some(RunStatus::Succeeded);
        let filter = RunFilter { kind: Some(kind), status, limit: Some(LOOKED_AT), ..RunFilter::default() };
        let runs = self.runs(&filter, owner).await?.runs;
        let alike = runs.iter().filter(|run| run.request.model == *model);
        Ok(alike.filter_map(PastRun::of).take(TOLD_OF).collect())
    }

    /// What is to be said of the parameters of an account's run before it is started.
    pub async fn remarks(
        &self,
        workflow: &Workflow,
        owner: &AccountId,
    ) -> Result<Vec<ParameterRemark>, Problem> {
        self.families.remarks(workflow, owner).await.map_err(|refusal| match refusal {
            Refusal::Journal(error) => from_journal(error),
            refusal => Problem::invalid(refusal.to_string()),
        })
    }

    /// One run's summary.
    pub async fn summary(&self, run: RunId) -> Result<Option<RunSummary>, Problem> {
        self.journal.summary(run).await.map_err(from_journal)
    }

    /// The fold of a run's log.
    pub async fn fold(&self, run: RunId) -> Result<RunView, Problem> {
        self.journal.fold(run, u64::MAX).await.map_err(from_journal)?.ok_or_else(|| no_run(run))
    }

    /// The outline of a run's log up to event `seq`; the first event is always part of it.
    pub async fn fold_outline(&self, run: RunId, seq: u64) -> Result<RunView, Problem> {
        self.journal.fold_outline(run, seq).await.map_err(from_journal)?.ok_or_else(|| no_run(run))
    }

    /// Answers a question of a run.
    pub async fn answer(
        &self,
        run: RunId,
        input: CallId,
        answer: GivenAnswer,
        by: AccountId,
    ) -> Result<(), Problem> {
        let received = InputReceived { input, answer: answer.into(), by: Some(by) };
        self.engine.answer(run, received).await.map_err(from_engine)
    }

    /// Changes before which nodes a run pauses.
    pub async fn set_approval(&self, run: RunId, approval: Approval, by: AccountId) -> Result<(), Problem> {
        self.engine.set_approval(run, approval, by).await.map_err(from_engine)
    }

    /// Says something to a node of a run.
    pub async fn tell(&self, run: RunId, node: NodeId, content: &str, by: AccountId) -> Result<(), Problem> {
        self.engine.tell(run, node, content, by).await.map_err(from_engine)
    }

    /// Continues a run in a new one.
    pub async fn fork_run(
        &self,
        run: RunId,
        request: ForkRun,
        owner: AccountId,
    ) -> Result<RunAccepted, Problem> {
        request.workflow.iter().try_for_each(refuse_trial)?;
        let fork = self.engine.fork(run, request, owner).await.map_err(from_engine)?;
        let summary = self.summary(fork).await?.ok_or_else(|| no_run(fork))?;
        Ok(RunAccepted { run: fork, flow: summary.request.flow })
    }

    /// Asks a question beside a run, and returns its number.
    pub async fn chat(&self, run: RunId, question: &str, by: AccountId) -> Result<u32, Problem> {
        let question = question.trim();
        if question.is_empty() || question.len() > LONGEST_QUESTION {
            return Err(Problem::invalid("A question must have 1 to 8,192 bytes."));
        }
        self.engine.chat(run, question, by).await.map_err(from_engine)
    }

    /// A long text of a run.
    pub async fn text(&self, run: RunId, digest: Digest) -> Result<String, Problem> {
        let text = self.journal.text(run, &digest).await.map_err(from_journal)?;
        text.ok_or_else(|| Problem::not_found(format!("Run {run} has no text {digest}.")))
    }

    /// The nodes of a run of this workflow. One that cannot be planned now has none to choose from.
    async fn planned_nodes(&self, workflow: &Workflow, account: &AccountId) -> Vec<PlannedNode> {
        let request = RunRequest::new(workflow.clone(), new_flow());
        let nodes = self.engine.planned(&request, account).await.unwrap_or_default();
        nodes.into_iter().map(|NodeAdded { id, label, phase, .. }| PlannedNode { id, label, phase }).collect()
    }

    /// Number of a run's last event.
    pub async fn last_seq(&self, run: RunId) -> Result<u64, Problem> {
        self.journal.last_seq(run).await.map_err(from_journal)?.ok_or_else(|| no_run(run))
    }
}

/// A new random flow id.
fn new_flow() -> FlowId {
    let random = Uuid::now_v7().simple().to_string();
    // The last 8 of the 32 hexadecimal digits are random; they are always a valid id.
    random[24..].parse().unwrap_or_else(|_| unreachable!("hexadecimal digits make a flow id"))
}

fn from_family(error: FamilyError) -> Problem {
    match error {
        FamilyError::Journal(error) => from_journal(error),
        FamilyError::Defect(detail) => Problem::internal(detail),
    }
}

/// Refuses a trial that is no trial of a step: there is nothing that it could go on from.
fn refuse_trial(workflow: &Workflow) -> Result<(), Problem> {
    match Trial::read(workflow) {
        Some(_) => {
            Err(Problem::invalid("A trial is started from a step of a run: POST /api/v1/runs/{run}/trials."))
        }
        None => Ok(()),
    }
}
