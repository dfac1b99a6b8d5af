//! What a run is to do, and who says so.

use std::sync::Arc;

use async_trait::async_trait;
use journal::JournalError;
use llm::ChatModel;
use protocol::{AccountId, Heading, NodeAdded, RunId, RunRequest, Workflow, WorkflowKind};
use uuid::Uuid;

use super::{Engine, EngineError};
use crate::Graph;

/// What a run is to do: its parameters and its name, its graph, and the model that answers in it.
pub struct Plan {
    /// What was asked for, with everything that it names resolved. The log holds it in this form.
    pub workflow: Workflow,
    /// What the run is called.
    pub heading: Heading,
    /// The graph.
    pub graph: Graph,
    /// The model.
    pub model: Arc<dyn ChatModel>,
}

/// A run that can be started.
pub(crate) struct Planned {
    pub run: RunId,
    pub request: RunRequest,
    pub owner: AccountId,
    pub plan: Plan,
}

impl Planned {
    /// What the run is called.
    pub fn title(&self) -> &str {
        &self.plan.heading.title
    }
}

/// Why a run is not planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// It cannot be run, in a sentence. For another account's property it must be the same sentence as for
    /// what does not exist.
    #[error("{0}")]
    Refused(String),
    /// What the request names cannot be read at the moment.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

/// Makes plans of requests. The same request must give the same graph.
#[async_trait]
pub trait Workflows: Send + Sync {
    /// Plans a run for its owner. Started, continued and resumed runs are all planned here, so this is where
    /// it is decided whether the owner may use what the request names.
    ///
    /// # Errors
    /// See [`PlanError`].
    async fn plan(&self, run: RunId, request: &RunRequest, owner: &AccountId) -> Result<Plan, PlanError>;

    /// Whether runs of this kind can be planned. Those of other kinds are left as they are: another
    /// version may go on with them.
    fn knows(&self, kind: &WorkflowKind) -> bool;

    /// The model that answers questions beside a run.
    fn model(&self, request: &RunRequest) -> Arc<dyn ChatModel>;
}

impl Engine {
    /// Plans a run that is to be started, within what its owner may use.
    pub(crate) async fn plan(
        &self,
        run: RunId,
        request: RunRequest,
        owner: AccountId,
    ) -> Result<Planned, PlanError> {
        let allowed = self.0.allowances.of(&owner).run;
        let limits = request.limits.within(&allowed);
        let mut request = RunRequest { limits, ..request };
        let plan = self.0.workflows.plan(run, &request, &owner).await?;
        request.limits.steps = request.limits.steps.max(plan.graph.steps.min(allowed.steps));
        Ok(Planned { run, request, owner, plan })
    }

    /// The nodes that a run of this request would have for this owner, in their order.
    ///
    /// # Errors
    /// [`EngineError::Refused`], or what the request names cannot be read.
    pub async fn planned(
        &self,
        request: &RunRequest,
        owner: &AccountId,
    ) -> Result<Vec<NodeAdded>, EngineError> {
        let run = RunId(Uuid::now_v7());
        let plan = self.0.workflows.plan(run, request, owner).await?;
        Ok(plan.graph.plans)
    }
}
