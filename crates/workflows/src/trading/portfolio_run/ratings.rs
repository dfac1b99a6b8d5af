//! The ratings that the pipeline runs of a flow ended with.

use std::collections::BTreeMap;

use engine::NodeError;
use journal::Journal;
use protocol::{
    AccountId, Date, FlowId, RunFilter, RunId, RunStatus, RunView, Text,
    trading::{Confidence, Grade, Rating, Task, Ticker},
};

/// Runs read in one go.
const PAGE: u32 = 200;
/// Events read in one go.
const EVENTS: u32 = 1000;

/// The ratings, and what was left out.
pub(super) struct FlowRatings {
    /// The latest rating of each stock, by ticker.
    pub ratings: Vec<Rating>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

/// Reads the latest rating of each stock that the account's flow's finished pipeline runs gave up to
/// `date`. What a file says that was imported is nobody's research.
pub(super) async fn ratings_of_flow(
    journal: &Journal,
    owner: &AccountId,
    flow: &FlowId,
    date: Date,
) -> Result<FlowRatings, NodeError> {
    let mut latest: BTreeMap<Ticker, Rating> = BTreeMap::new();
    let mut remarks = Vec::new();
    let mut filter = RunFilter {
        kind: Task::PIPELINE.parse().ok(),
        flow: Some(flow.clone()),
        limit: Some(PAGE),
        ..RunFilter::default()
    };
    loop {
        let page = journal.summaries(&filter, Some(owner)).await?;
        filter.before = page.runs.last().map(|run| run.run);
        for summary in page.runs {
            if summary.imported_from.is_some() {
                remarks.push(format!("{} is not considered: it was imported.", summary.title));
                continue;
            }
            if summary.status != RunStatus::Succeeded {
                let status = summary.status.label().to_lowercase();
                remarks.push(format!("{} is not considered: {status}.", summary.title));
                continue;
            }
            let Some(rating) = rating_of_run(journal, summary.run).await? else { continue };
            if rating.date > date {
                remarks.push(format!("{} is not considered: it lies after {date}.", summary.title));
                continue;
            }
            // Newest runs come first, so that only a later day replaces what is there.
            match latest.get(&rating.ticker) {
                Some(known) if known.date >= rating.date => {}
                _ => {
                    latest.insert(rating.ticker.clone(), rating);
                }
            }
        }
        if !page.more || filter.before.is_none() {
            return Ok(FlowRatings { ratings: latest.into_values().collect(), remarks });
        }
    }
}

async fn rating_of_run(journal: &Journal, run: RunId) -> Result<Option<Rating>, NodeError> {
    let mut view: Option<RunView> = None;
    loop {
        let after = view.as_ref().map_or(0, RunView::seq);
        let events = journal.read(run, after, EVENTS).await?;
        if events.is_empty() {
            return match view.and_then(last_rating) {
                Some(data) => read_rating(journal, &data).await.map(Some),
                None => Ok(None),
            };
        }
        match &mut view {
            Some(view) => events.iter().for_each(|event| {
                view.apply(event);
            }),
            None => match RunView::fold(&events) {
                Some(folded) => view = Some(folded),
                None => return Ok(None),
            },
        }
    }
}

/// The data of the rating that the run ended with.
fn last_rating(view: RunView) -> Option<Text> {
    view.products.iter().rfind(|product| product.holds::<Rating>()).map(|product| product.data.clone())
}

async fn read_rating(journal: &Journal, data: &Text) -> Result<Rating, NodeError> {
    serde_json::from_str(&journal.resolve(data).await?)
        .map_err(|error| NodeError::failed(format!("A rating of the flow cannot be read: {error}.")))
}

/// How strongly a rating speaks for a purchase; `None` if it does not.
pub(super) fn conviction(grade: Grade, confidence: Confidence) -> Option<Confidence> {
    match (grade, confidence) {
        (Grade::Buy, Confidence::High | Confidence::Medium) => Some(Confidence::High),
        (Grade::Buy, Confidence::Low) | (Grade::Overweight, Confidence::High | Confidence::Medium) => {
            Some(Confidence::Medium)
        }
        (Grade::Overweight, Confidence::Low) => Some(Confidence::Low),
        (Grade::Hold | Grade::Underweight | Grade::Sell, _) => None,
    }
}
