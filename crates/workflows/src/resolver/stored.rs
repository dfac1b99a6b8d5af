//! What a task has left in its log.

use journal::{Journal, JournalError};
use protocol::{
    AccountId, ProductData, RunId, RunStatus, RunSummary, RunView,
    resolver::{StepResult, TaskPlan, TaskReport, TaskRequest},
};
use serde::{Deserialize, Serialize};

use crate::Refusal;

/// The most runs of one kind that a form offers to choose from.
const MOST_CHOICES: u32 = 100;

/// What a refinement rests on.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredTask {
    /// What the task was asked for.
    pub(super) request: String,
    /// What its agents knew beside that.
    pub(super) context: String,
    pub(super) plan: TaskPlan,
    pub(super) results: Vec<StepResult>,
    /// The report that is to be written anew.
    pub(super) report: TaskReport,
}

/// Reads a task, and the report of this run.
///
/// # Errors
/// In a sentence, what is missing.
pub(super) async fn read_task(journal: &Journal, task: RunId, report: RunId) -> Result<StoredTask, String> {
    let view = fold(journal, task).await?;
    let Some(Ok(TaskRequest::Task { request, context })) = TaskRequest::read(&view.summary.request.workflow)
    else {
        return Err("What the report rests on is no task.".to_owned());
    };
    let plan = documents(journal, &view).await?.pop().ok_or("The task has left no plan.")?;
    let results = documents(journal, &view).await?;
    let reports = if report == task { view } else { fold(journal, report).await? };
    let report = documents(journal, &reports).await?.pop().ok_or("The run has left no report.")?;
    Ok(StoredTask { request, context, plan, results, report })
}

async fn fold(journal: &Journal, run: RunId) -> Result<RunView, String> {
    let view = journal.fold(run, u64::MAX).await.map_err(|error| error.to_string())?;
    view.ok_or_else(|| "The run is not there any more.".to_owned())
}

/// All documents of a kind that a run has brought forth, in their order.
async fn documents<D: ProductData>(journal: &Journal, view: &RunView) -> Result<Vec<D>, String> {
    let mut found = Vec::new();
    for product in view.products.iter().filter(|product| product.holds::<D>()) {
        let data = journal.resolve(&product.data).await.map_err(|error| error.to_string())?;
        let document = serde_json::from_str(&data);
        found.push(document.map_err(|error| format!("What the task has left cannot be read: {error}."))?);
    }
    Ok(found)
}

/// The task that the report of this run rests on.
///
/// # Errors
/// The owner has no run with such a report, or it was imported: nobody knows who wrote it.
pub(super) async fn task_of(journal: &Journal, of: RunId, owner: &AccountId) -> Result<RunId, Refusal> {
    let own = async |run: RunId| {
        let found = journal.summary(run).await?;
        Ok::<_, Refusal>(found.filter(|found| found.owner == *owner && is_usable(found)))
    };
    let nothing =
        || Refusal::Unusable(format!("There is no report of a run {of}. Choose one that is listed."));
    let found = own(of).await?.ok_or_else(nothing)?;
    match TaskRequest::read(&found.request.workflow) {
        Some(Ok(TaskRequest::Task { .. })) => Ok(of),
        Some(Ok(TaskRequest::Refinement { task: Some(task), .. })) => match own(task).await? {
            Some(_) => Ok(task),
            None => {
                Err(Refusal::Unusable("The task that this report rests on is not there any more.".to_owned()))
            }
        },
        _ => Err(nothing()),
    }
}

/// The owner's runs of a kind with a report, newest first.
///
/// # Errors
/// They cannot be read.
pub(super) async fn with_report(
    journal: &Journal,
    kind: &str,
    owner: &AccountId,
) -> Result<Vec<RunSummary>, JournalError> {
    let filter = protocol::RunFilter {
        kind: kind.parse().ok(),
        status: Some(RunStatus::Succeeded),
        limit: Some(MOST_CHOICES),
        ..protocol::RunFilter::default()
    };
    let mut runs = journal.summaries(&filter, Some(owner)).await?.runs;
    runs.retain(is_usable);
    Ok(runs)
}

fn is_usable(run: &RunSummary) -> bool {
    run.status == RunStatus::Succeeded && run.imported_from.is_none()
}
