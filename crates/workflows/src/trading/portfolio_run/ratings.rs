//! The ratings that the pipeline runs of a flow ended with.

use std::collections::BTreeMap;

use engine::NodeError;
use journal::Journal;
use protocol::{
    AccountId, Date, FlowId,
    document::DocumentReference,
    trading::{Confidence, Grade, Rating, Task, Ticker},
};

use crate::trading::flow::{Finished, Results, results_of_flow};

/// The ratings, and what was left out.
pub(super) struct FlowRatings {
    /// The latest rating of each stock, by ticker.
    pub ratings: Vec<Rating>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

/// Reads the latest rating of each stock that the account's flow's finished pipeline runs gave up to `date`, at the prices
/// of `table` or, without one, at the shared ones.
pub(super) async fn ratings_of_flow(
    journal: &Journal,
    owner: &AccountId,
    flow: &FlowId,
    table: Option<DocumentReference>,
    date: Date,
) -> Result<FlowRatings, NodeError> {
    let Results { finished, mut remarks } =
        results_of_flow::<Rating>(journal, owner, flow, Task::PIPELINE, table, |_| true).await?;
    let mut latest: BTreeMap<Ticker, Rating> = BTreeMap::new();
    for Finished { run, result: rating } in finished {
        if rating.date > date {
            remarks.push(format!("{} is not considered: it lies after {date}.", run.title));
            continue;
        }
        // Newest runs come first, so that only a later day replaces what is there.
        match latest.get(&rating.ticker) {
            Some(known) if known.date >= rating.date => {}
            _ => drop(latest.insert(rating.ticker.clone(), rating)),
        }
    }
    let unread = latest.values().filter(|rating| rating.grade == Grade::Review);
    remarks.extend(unread.map(|rating| {
        format!("{} is not traded: its rating of {} could not be read (REVIEW).", rating.ticker, rating.date)
    }));
    Ok(FlowRatings { ratings: latest.into_values().collect(), remarks })
}

/// How strongly a rating speaks for a purchase; `None` if it does not.
pub(super) fn conviction(grade: Grade, confidence: Confidence) -> Option<Confidence> {
    match (grade, confidence) {
        (Grade::Buy, Confidence::High | Confidence::Medium) => Some(Confidence::High),
        (Grade::Buy, Confidence::Low) | (Grade::Overweight, Confidence::High | Confidence::Medium) => {
            Some(Confidence::Medium)
        }
        (Grade::Overweight, Confidence::Low) => Some(Confidence::Low),
        (Grade::Hold | Grade::Underweight | Grade::Sell | Grade::Review, _) => None,
    }
}
