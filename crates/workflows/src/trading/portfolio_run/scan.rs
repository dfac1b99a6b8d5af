//! The scan of the market that a flow has for a decision.

use engine::NodeError;
use journal::Journal;
use protocol::{
    AccountId, Date, FlowId,
    document::DocumentReference,
    trading::{Scan, Task},
};

use crate::trading::flow::{Results, results_of_flow};

/// The scan, and what was left out.
pub(super) struct FlowScan {
    /// That of the latest day up to the decision's; of several, the newest.
    pub scan: Option<Scan>,
    /// What a reader should know.
    pub remarks: Vec<String>,
}

/// Reads the latest scan that the account's flow has up to `date`, at the prices of `table` or, without one, at the shared
/// ones.
pub(super) async fn scan_of_flow(
    journal: &Journal,
    owner: &AccountId,
    flow: &FlowId,
    table: Option<DocumentReference>,
    date: Date,
) -> Result<FlowScan, NodeError> {
    let Results { finished, mut remarks } =
        results_of_flow::<Scan>(journal, owner, flow, Task::SCAN, table, |_| true).await?;
    let mut latest: Option<Scan> = None;
    for found in finished {
        let scan = found.result;
        if scan.date > date {
            remarks.push(format!("{} is not considered: it lies after {date}.", found.run.title));
        } else if latest.as_ref().is_none_or(|known| known.date < scan.date) {
            latest = Some(scan);
        }
    }
    Ok(FlowScan { scan: latest, remarks })
}
