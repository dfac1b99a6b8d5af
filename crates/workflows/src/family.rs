//! What a family of workflows is, and all of them together as the engine asks for them.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use async_trait::async_trait;
use engine::{BoundedSchema, Graph, Plan, PlanError, Workflows};
use journal::{Documents, JournalError};
use llm::{ChatModel, Missing, ModelRegistry, Rehearsal, Script};
use protocol::{
    AccountId, Heading, KindSpec, ModelChoice, ParameterRemark, ProfileName, RunId, RunRequest, Workflow,
    WorkflowKind,
    document::{DocumentContent, DocumentFinding, DocumentKind, DocumentKindSpec, Severity},
};
use serde_json::Value;

use crate::{
    Owner,
    recorded::Recorded,
    rehearsal::{Rehearsed, Silent},
    trial::{self, Varied},
    verification::Check,
};

/// The most places at which a content is told not to fit its schema.
const MOST_FAULTS: usize = 50;

/// One family of workflows: what can be started, how it is done, and how it is rehearsed.
#[async_trait]
pub trait Family: Send + Sync {
    /// Its kinds, in the order in which they are offered. A kind is never taken away or renamed: logs
    /// name it.
    fn kinds(&self) -> Vec<KindSpec>;

    /// What runs of each kind take from this owner, in any order.
    ///
    /// # Errors
    /// What can be chosen cannot be read.
    async fn forms(&self, owner: &Owner) -> Result<Vec<Form>, FamilyError>;

    /// Checks a request of one of its kinds, and resolves everything that it names as this owner. Every
    /// run passes here, be it started, continued or taken up again: nothing else decides what its owner
    /// may use. The same request must give the same graph.
    ///
    /// # Errors
    /// Why it is not run.
    async fn open(&self, request: &RunRequest, owner: &Owner) -> Result<Job, Refusal>;

    /// What is to be said of the parameters of a run while they are typed, some of which may be missing or wrong: of those
    /// whose property of the form has `x-checked`. Nothing over a network is asked for it, and a run may be started all the
    /// same: what keeps it from being run is decided when it is opened.
    ///
    /// # Errors
    /// What they name cannot be read.
    async fn remarks(&self, _workflow: &Workflow, _owner: &Owner) -> Result<Vec<ParameterRemark>, Refusal> {
        Ok(Vec::new())
    }

    /// Plays its agents where no model does.
    fn script(&self) -> Arc<dyn Script>;

    /// Derives again what a run of one of its kinds decided and booked, from its log and without asking a model, and
    /// compares it with what is recorded. The runs that it started are verified by themselves. `None`: nothing of a run
    /// of this kind follows by rules from what models answered.
    ///
    /// # Errors
    /// The journal cannot be read. Whatever else stands in the way of a check is its outcome.
    async fn verify(&self, _run: &Recorded, _owner: &Owner) -> Result<Option<Vec<Check>>, JournalError> {
        Ok(None)
    }

    /// The kinds of document that its people make, in the order in which they are offered. A kind is never
    /// taken away or renamed: documents are of it.
    fn documents(&self) -> Vec<DocumentKindSpec> {
        Vec::new()
    }

    /// What is wrong with a content of one of its kinds that fits the schema, beyond what a schema can say.
    fn check_document(&self, _kind: &DocumentKind, _content: &DocumentContent) -> Vec<DocumentFinding> {
        Vec::new()
    }
}

/// What the runs of one kind take.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// The kind.
    pub kind: WorkflowKind,
    /// The parameters, as [`protocol::Startable::parameters`] says.
    pub parameters: Value,
    /// A workflow that can be run offline, if the owner has all that it takes.
    pub sample: Option<Workflow>,
}

/// A request that can be run.
pub struct Job {
    /// Its parameters with everything resolved, as the log shall hold them. Opened again, they give the
    /// same job.
    pub workflow: Workflow,
    /// What the run is called.
    pub heading: Heading,
    /// How it is done.
    pub graph: Graph,
    /// The named models that its agents ask in the place of the run's. One that there is none of keeps the run from
    /// starting.
    pub profiles: BTreeSet<ProfileName>,
}

/// Why a request is not run, in a sentence. It does not tell what is another's from what does not exist.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refusal {
    /// No family has this kind.
    #[error("This version of Pitwall knows no workflow of the kind {0}.")]
    UnknownKind(WorkflowKind),
    /// The parameters are not those of the kind.
    #[error("The parameters of a {kind} run cannot be read: {why}.")]
    Parameters {
        /// The kind.
        kind: WorkflowKind,
        /// What is wrong with them.
        why: String,
    },
    /// No model has this name.
    #[error("The settings name no model {0}. Choose one that is listed.")]
    UnknownModel(ProfileName),
    /// Something that the request names cannot be used.
    #[error("{0}")]
    Unusable(String),
    /// What the request names cannot be read at the moment.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl From<Refusal> for PlanError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Journal(error) => Self::Journal(error),
            refusal => Self::Refused(refusal.to_string()),
        }
    }
}

/// Why a family cannot say what its runs can be started with.
#[derive(Debug, thiserror::Error)]
pub enum FamilyError {
    /// The journal failed.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// Something else is not as it should be.
    #[error("{0}")]
    Defect(String),
}

/// Why families cannot be used together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FamiliesError {
    /// Two of them have the same kind of workflow.
    #[error("Two families have workflows of the kind {0}.")]
    KindTaken(WorkflowKind),
    /// Two of them have the same kind of document.
    #[error("Two families have documents of the kind {0}.")]
    DocumentKindTaken(DocumentKind),
    /// Contents cannot be checked by the schema of a kind.
    #[error("The schema of documents of the kind {kind} cannot be used: {why}.")]
    Schema {
        /// The kind.
        kind: DocumentKind,
        /// What is wrong with the schema.
        why: String,
    },
}

/// What holds for the documents of one kind.
struct DocumentRules {
    family: Arc<dyn Family>,
    schema: BoundedSchema,
}

/// All families, by the kinds of their workflows. What answers their runs is chosen here.
pub struct Families {
    families: Vec<Arc<dyn Family>>,
    by_kind: BTreeMap<WorkflowKind, Arc<dyn Family>>,
    document_rules: BTreeMap<DocumentKind, DocumentRules>,
    documents: Documents,
    models: ModelRegistry,
    rehearsal_speed: Option<u32>,
}

impl Families {
    /// These families, whose runs may name `documents` of their owners. Runs are answered by one of `models`, or by their family's rehearsal where there
    /// is none. It writes at `rehearsal_speed` characters a second, or at its own pace.
    ///
    /// # Errors
    /// See [`FamiliesError`].
    pub fn new(
        families: Vec<Arc<dyn Family>>,
        documents: Documents,
        models: ModelRegistry,
        rehearsal_speed: Option<u32>,
    ) -> Result<Self, FamiliesError> {
        let (mut by_kind, mut document_rules) = (BTreeMap::new(), BTreeMap::new());
        for family in &families {
            for KindSpec { kind, .. } in family.kinds() {
                if by_kind.insert(kind.clone(), family.clone()).is_some() {
                    return Err(FamiliesError::KindTaken(kind));
                }
            }
            for DocumentKindSpec { kind, schema, .. } in family.documents() {
                let schema = BoundedSchema::new(&schema)
                    .map_err(|why| FamiliesError::Schema { kind: kind.clone(), why })?;
                let rules = DocumentRules { family: family.clone(), schema };
                if document_rules.insert(kind.clone(), rules).is_some() {
                    return Err(FamiliesError::DocumentKindTaken(kind));
                }
            }
        }
        Ok(Self { families, by_kind, document_rules, documents, models, rehearsal_speed })
    }

    /// All kinds, in the order in which they are offered.
    pub fn kinds(&self) -> Vec<KindSpec> {
        self.families.iter().flat_map(|family| family.kinds()).chain(trial::kind()).collect()
    }

    /// All kinds with what their runs take from this owner.
    ///
    /// # Errors
    /// What can be chosen cannot be read.
    pub async fn forms(&self, owner: &AccountId) -> Result<Vec<(KindSpec, Form)>, FamilyError> {
        let owner = self.owner(owner);
        let mut all = Vec::new();
        for family in &self.families {
            let mut forms = family.forms(&owner).await?;
            for spec in family.kinds() {
                if let Some(index) = forms.iter().position(|form| form.kind == spec.kind) {
                    all.push((spec, forms.swap_remove(index)));
                }
            }
        }
        Ok(all)
    }

    /// What is to be said of the parameters of a run before it is started; see [`Family::remarks`].
    ///
    /// # Errors
    /// No family has the kind, or what they name cannot be read.
    pub async fn remarks(
        &self,
        workflow: &Workflow,
        owner: &AccountId,
    ) -> Result<Vec<ParameterRemark>, Refusal> {
        let kind = workflow.kind();
        let family = self.by_kind.get(kind).ok_or_else(|| Refusal::UnknownKind(kind.clone()))?;
        family.remarks(workflow, &self.owner(owner)).await
    }

    /// All kinds of document, in the order in which they are offered.
    pub fn document_kinds(&self) -> Vec<DocumentKindSpec> {
        self.families.iter().flat_map(|family| family.documents()).collect()
    }

    /// What is wrong with a content: where it does not fit the schema of its kind, or else what its family
    /// finds. `None` if no family has the kind.
    pub fn check_document(
        &self,
        kind: &DocumentKind,
        content: &DocumentContent,
    ) -> Option<Vec<DocumentFinding>> {
        let DocumentRules { family, schema } = self.document_rules.get(kind)?;
        let faults = schema.faults(&content.clone().into_value(), MOST_FAULTS);
        if faults.is_empty() {
            return Some(family.check_document(kind, content));
        }
        let finding = |fault: engine::Fault| DocumentFinding {
            place: fault.place,
            detail: format!("{}.", fault.why),
            severity: Severity::Error,
        };
        Some(faults.into_iter().map(finding).collect())
    }

    /// What the family of a run that has ended derives of it; see [`Family::verify`]. Of a trial nothing: it is a step
    /// that nobody acts on.
    pub(crate) async fn derive(&self, run: &Recorded) -> Result<Option<Vec<Check>>, JournalError> {
        let kind = run.summary().request.workflow.kind();
        if trial::is_kind(kind) {
            return Ok(None);
        }
        match self.by_kind.get(kind) {
            Some(family) => family.verify(run, &self.owner(&run.summary().owner)).await,
            None => {
                let why = Refusal::UnknownKind(kind.clone()).to_string();
                Ok(Some(vec![Check::unknown("what the run came to", why)]))
            }
        }
    }

    fn owner(&self, account: &AccountId) -> Owner {
        Owner::new(account.clone(), self.documents.clone())
    }

    /// The job of a request, or of the step that a trial makes again.
    async fn open(&self, request: &RunRequest, owner: &AccountId) -> Result<Job, Refusal> {
        match trial::of(request)? {
            Some((trial, tried)) => trial::job(trial, self.open_workflow(&tried, owner).await?),
            None => self.open_workflow(request, owner).await,
        }
    }

    async fn open_workflow(&self, request: &RunRequest, owner: &AccountId) -> Result<Job, Refusal> {
        let kind = request.workflow.kind();
        let family = self.by_kind.get(kind).ok_or_else(|| Refusal::UnknownKind(kind.clone()))?;
        if let ModelChoice::Profile { name } = &request.model
            && self.models.named(name).is_none()
        {
            return Err(Refusal::UnknownModel(name.clone()));
        }
        let job = family.open(request, &self.owner(owner)).await?;
        let is_rehearsed = matches!(request.model, ModelChoice::Rehearsal { .. });
        match job.profiles.iter().find(|name| !is_rehearsed && self.models.named(name).is_none()) {
            Some(name) => Err(Refusal::UnknownModel(name.clone())),
            None => Ok(job),
        }
    }

    /// The model that answers a run's calls.
    pub fn answering(&self, request: &RunRequest) -> Arc<dyn ChatModel> {
        match trial::of(request) {
            Ok(Some((trial, tried))) => Arc::new(Varied::new(self.answering_as_it_is(&tried), trial)),
            Ok(None) | Err(_) => self.answering_as_it_is(request),
        }
    }

    fn answering_as_it_is(&self, request: &RunRequest) -> Arc<dyn ChatModel> {
        let speed = match &request.model {
            ModelChoice::Configured => match self.models.configured() {
                Some(model) => return self.models.with_usual(model.clone()),
                None => self.rehearsal_speed,
            },
            ModelChoice::Profile { name } => {
                let known = self.models.named(name).cloned();
                return self.models.with_usual(known.unwrap_or_else(|| Arc::new(Missing(name.clone()))));
            }
            ModelChoice::Rehearsal { characters_per_second } => {
                characters_per_second.or(self.rehearsal_speed)
            }
        };
        let family = self.by_kind.get(request.workflow.kind());
        let script = family.map_or_else(|| Arc::new(Silent) as Arc<dyn Script>, |family| family.script());
        Arc::new(Rehearsal::new(Arc::new(Rehearsed(script)), speed))
    }
}

#[async_trait]
impl Workflows for Families {
    async fn plan(&self, _: RunId, request: &RunRequest, owner: &AccountId) -> Result<Plan, PlanError> {
        let Job { workflow, heading, graph, .. } = self.open(request, owner).await?;
        Ok(Plan { workflow, heading, graph, model: self.answering(request) })
    }

    fn knows(&self, kind: &WorkflowKind) -> bool {
        self.by_kind.contains_key(kind) || trial::is_kind(kind)
    }

    fn model(&self, request: &RunRequest) -> Arc<dyn ChatModel> {
        self.answering(request)
    }
}
