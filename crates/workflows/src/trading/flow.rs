//! What the runs of a flow have brought forth.

use engine::NodeError;
use journal::{Journal, JournalError};
use protocol::{
    AccountId, FlowId, ProductData, RunFilter, RunId, RunStatus, RunSummary, RunView, Text,
    document::DocumentReference,
};

use super::own_prices;

/// Runs read in one go.
const PAGE: u32 = 200;
/// Events read in one go.
const EVENTS: u32 = 1000;

/// A run that ended well, with what it was started for.
pub(super) struct Finished<D> {
    pub(super) run: RunSummary,
    pub(super) result: D,
}

/// The finished runs of a kind, newest first, and what was left out.
pub(super) struct Results<D> {
    pub(super) finished: Vec<Finished<D>>,
    /// What a reader should know.
    pub(super) remarks: Vec<String>,
}

/// Reads what the account's finished runs of a kind gave in a flow: the last result of each that is `wanted` and rests on
/// `table`, or on the shared prices without one. What a file says that was imported is nobody's research, and what rests
/// on some prices is no ground for trades at others. A run whose result cannot be read hides no other's.
pub(super) async fn results_of_flow<D: ProductData>(
    journal: &Journal,
    owner: &AccountId,
    flow: &FlowId,
    kind: &str,
    table: Option<DocumentReference>,
    wanted: impl Fn(&RunSummary) -> bool,
) -> Result<Results<D>, NodeError> {
    let (mut finished, mut remarks) = (Vec::new(), Vec::new());
    let mut filter = RunFilter {
        kind: kind.parse().ok(),
        flow: Some(flow.clone()),
        limit: Some(PAGE),
        ..RunFilter::default()
    };
    loop {
        let page = journal.summaries(&filter, Some(owner)).await?;
        filter.before = page.runs.last().map(|run| run.run);
        for run in page.runs.into_iter().filter(&wanted) {
            if run.imported_from.is_some() {
                remarks.push(format!("{} is not considered: it was imported.", run.title));
                continue;
            }
            if let Some(remark) = other_prices(&run, table) {
                remarks.push(remark);
                continue;
            }
            if run.status != RunStatus::Succeeded {
                let status = run.status.label().to_lowercase();
                remarks.push(format!("{} is not considered: {status}.", run.title));
                continue;
            }
            match read_result(journal, run.run).await? {
                Some(Ok(result)) => finished.push(Finished { run, result }),
                Some(Err(why)) => {
                    let what = "is not considered: what it brought forth cannot be read";
                    remarks.push(format!("{} {what} ({why}).", run.title));
                }
                None => {}
            }
        }
        if !page.more || filter.before.is_none() {
            return Ok(Results { finished, remarks });
        }
    }
}

/// The last product of a kind that a run brought forth, or why it cannot be read.
async fn read_result<D: ProductData>(
    journal: &Journal,
    run: RunId,
) -> Result<Option<Result<D, String>>, JournalError> {
    let reading = async {
        match last_of_run::<D>(journal, run).await? {
            Some(data) => journal.resolve(&data).await.map(Some),
            None => Ok(None),
        }
    };
    match reading.await {
        Ok(json) => Ok(json.map(|json| serde_json::from_str(&json).map_err(|error| error.to_string()))),
        Err(damage @ (JournalError::Unreadable(_) | JournalError::Corrupt(_))) => {
            Ok(Some(Err(damage.to_string())))
        }
        Err(error) => Err(error),
    }
}

/// Why a run is not considered that rests on other prices than these.
fn other_prices(run: &RunSummary, table: Option<DocumentReference>) -> Option<String> {
    let rests_on = own_prices::table_of(run);
    let why = match (rests_on, table) {
        (own, wanted) if own == wanted => return None,
        (Some(own), Some(wanted)) if own.id == wanted.id => "another version of the own prices",
        (Some(_), Some(_)) => "other own prices",
        (Some(_), None) => "own prices",
        (None, _) => "the shared prices",
    };
    Some(format!("{} is not considered: it rests on {why}.", run.title))
}

/// The data of the last product of a kind that a run brought forth.
pub(super) async fn last_of_run<D: ProductData>(
    journal: &Journal,
    run: RunId,
) -> Result<Option<Text>, JournalError> {
    let mut view: Option<RunView> = None;
    loop {
        let after = view.as_ref().map_or(0, RunView::seq);
        let events = journal.read(run, after, EVENTS).await?;
        if events.is_empty() {
            let products = view.map(|view| view.products).into_iter().flatten();
            return Ok(products
                .filter(|product| product.holds::<D>())
                .last()
                .map(|product| product.data.clone()));
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
