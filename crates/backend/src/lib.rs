//! What pages, REST and the wires of other systems ask of the one service behind them. The server provides it; who asks
//! knows nothing of databases or engines.

use std::sync::Arc;

use async_trait::async_trait;
use protocol::{
    AccountId, AccountSummary, Approval, Audience, CallId, CredentialId, Digest, Event, ForkRun, GivenAnswer,
    Identity, KindSpec, ModelChoice, ModelProfile, ModelTest, NewShare, NewToken, NodeId, ParameterRemark,
    PastRun, Problem, ProfileName, Role, RunAccepted, RunFilter, RunId, RunPage, RunStopped, RunSummary,
    RunView, SessionSummary, ShareSummary, StartOptions, StartRun, StartTrials, Subject, TokenSummary,
    ToolServer, TrialEstimate, TrialReport, TrialsStarted, Workflow, WorkflowKind,
    document::{
        CheckDocument, CopyDocument, Document, DocumentFilter, DocumentFinding, DocumentHistory, DocumentId,
        DocumentKindSpec, DocumentPage, DocumentSummary, DocumentTitle, DocumentVersion, NewDocument,
        SaveDocument,
    },
};

/// The one service behind pages, REST and the other wires.
#[async_trait]
pub trait Backend: Send + Sync {
    /// The kinds of workflow that there are.
    async fn kinds(&self) -> Result<Vec<KindSpec>, Problem>;
    /// What the start form offers.
    async fn start_options(&self) -> Result<StartOptions, Problem>;
    /// What earlier runs of a kind took that asked for the same model, newest first.
    async fn past_runs(&self, kind: WorkflowKind, model: ModelChoice) -> Result<Vec<PastRun>, Problem>;
    /// What is to be said of the parameters of a run before it is started; some may be missing or wrong.
    async fn remarks(&self, workflow: Workflow) -> Result<Vec<ParameterRemark>, Problem>;
    /// What runs can be about, for the search.
    async fn subjects(&self) -> Result<Vec<Subject>, Problem>;
    /// Starts a run.
    async fn start_run(&self, request: StartRun) -> Result<RunAccepted, Problem>;
    /// Stops a run.
    async fn stop_run(&self, run: RunId, reason: Option<String>) -> Result<RunStopped, Problem>;
    /// Deletes a run that is over.
    async fn delete_run(&self, run: RunId) -> Result<(), Problem>;
    /// Runs, newest first.
    async fn runs(&self, filter: RunFilter) -> Result<RunPage, Problem>;
    /// How a run stands, also one whose log cannot be read.
    async fn run_summary(&self, run: RunId) -> Result<RunSummary, Problem>;
    /// The full present state of a run.
    async fn run(&self, run: RunId) -> Result<RunView, Problem>;
    /// Up to `limit` events after number `after`.
    async fn events(&self, run: RunId, after: u64, limit: u32) -> Result<Vec<Event>, Problem>;
    /// Answers a question of a run.
    async fn answer(&self, run: RunId, input: CallId, answer: GivenAnswer) -> Result<(), Problem>;
    /// Changes before which nodes a run pauses.
    async fn set_approval(&self, run: RunId, approval: Approval) -> Result<(), Problem>;
    /// Continues a run in a new one.
    async fn fork_run(&self, run: RunId, request: ForkRun) -> Result<RunAccepted, Problem>;
    /// The trials of a run, or of one visit to one of its nodes with how that was.
    async fn trials(&self, run: RunId, step: Option<(NodeId, u32)>) -> Result<TrialReport, Problem>;
    /// What trials of a step would cost.
    async fn estimate_trials(&self, run: RunId, request: StartTrials) -> Result<TrialEstimate, Problem>;
    /// Makes a step again, as often and with as many changes as is asked for.
    async fn start_trials(&self, run: RunId, request: StartTrials) -> Result<TrialsStarted, Problem>;
    /// Says something to a node of a run at work.
    async fn tell(&self, run: RunId, node: NodeId, content: String) -> Result<(), Problem>;
    /// Asks a question beside a run, and returns its number.
    async fn chat(&self, run: RunId, question: String) -> Result<u32, Problem>;
    /// The outline of a run, as it is or as it was at event `seq`.
    async fn run_outline(&self, run: RunId, seq: Option<u64>) -> Result<RunView, Problem>;
    /// A long text that the run's log shows a preview of.
    async fn text(&self, run: RunId, digest: Digest) -> Result<String, Problem>;
    /// The models that the settings name.
    async fn models(&self) -> Result<Vec<ModelProfile>, Problem>;
    /// Asks one of them a short question; `None`: the one without a name.
    async fn test_model(&self, name: Option<ProfileName>) -> Result<ModelTest, Problem>;
    /// The tool servers that the settings name, and how they stand.
    async fn tool_servers(&self) -> Result<Vec<ToolServer>, Problem>;
}

/// The service as it stands in the context.
pub type SharedBackend = Arc<dyn Backend>;

/// What people do with their documents.
#[async_trait]
pub trait DocumentBackend: Send + Sync {
    /// The kinds of document that there are.
    async fn document_kinds(&self) -> Result<Vec<DocumentKindSpec>, Problem>;
    /// Documents, those that were changed last first.
    async fn documents(&self, filter: DocumentFilter) -> Result<DocumentPage, Problem>;
    /// Makes a document.
    async fn create_document(&self, request: NewDocument) -> Result<Document, Problem>;
    /// A document at this version, or at its newest one.
    async fn document(&self, id: DocumentId, version: Option<DocumentVersion>) -> Result<Document, Problem>;
    /// Saves a new version.
    async fn save_document(&self, id: DocumentId, request: SaveDocument) -> Result<Document, Problem>;
    /// Gives a document another title.
    async fn rename_document(&self, id: DocumentId, title: DocumentTitle)
    -> Result<DocumentSummary, Problem>;
    /// Copies a document.
    async fn copy_document(&self, id: DocumentId, request: CopyDocument) -> Result<Document, Problem>;
    /// Deletes a document with all its versions.
    async fn delete_document(&self, id: DocumentId) -> Result<(), Problem>;
    /// Versions of a document before this one, newest first.
    async fn document_history(
        &self,
        id: DocumentId,
        before: Option<DocumentVersion>,
        limit: u32,
    ) -> Result<DocumentHistory, Problem>;
    /// What is wrong with a content.
    async fn check_document(&self, request: CheckDocument) -> Result<Vec<DocumentFinding>, Problem>;
    /// Makes a document of a file that was exported.
    async fn import_document(&self, file: String) -> Result<Document, Problem>;
}

/// The documents as they stand in the context.
pub type SharedDocuments = Arc<dyn DocumentBackend>;

/// What people do with their own access. What ends or renews the session gives a cookie to set.
#[async_trait]
pub trait AccountBackend: Send + Sync {
    /// The caller's account and role.
    async fn identity(&self) -> Identity;
    /// Ends the session and its sockets; returns the cookie that takes it away.
    async fn sign_out(&self) -> Result<String, Problem>;
    /// Sets a new password, ends all sessions and begins a new one; returns its cookie.
    async fn change_password(&self, current: String, new: String) -> Result<String, Problem>;
    /// The account's sessions.
    async fn sessions(&self) -> Result<Vec<SessionSummary>, Problem>;
    /// Ends one, and its sockets.
    async fn end_session(&self, id: CredentialId) -> Result<(), Problem>;
    /// The account's tokens for API clients.
    async fn tokens(&self) -> Result<Vec<TokenSummary>, Problem>;
    /// Makes one that lives so long.
    async fn make_token(&self, label: String, seconds: Option<u64>) -> Result<NewToken, Problem>;
    /// Revokes one.
    async fn revoke_token(&self, id: CredentialId) -> Result<(), Problem>;
    /// Shares a run, for so long or until that is revoked.
    async fn share_run(
        &self,
        run: RunId,
        audience: Audience,
        seconds: Option<u64>,
    ) -> Result<NewShare, Problem>;
    /// What the account shares.
    async fn shares(&self) -> Result<Vec<ShareSummary>, Problem>;
    /// Revokes one.
    async fn revoke_share(&self, id: CredentialId) -> Result<(), Problem>;
    /// All accounts; for administrators.
    async fn accounts(&self) -> Result<Vec<AccountSummary>, Problem>;
    /// Adds an account; for administrators.
    async fn add_account(&self, id: AccountId, role: Role, password: String) -> Result<(), Problem>;
    /// Removes an account; for administrators.
    async fn remove_account(&self, id: AccountId) -> Result<(), Problem>;
}

/// The rules of access as they stand in the context.
pub type SharedAccountBackend = Arc<dyn AccountBackend>;
