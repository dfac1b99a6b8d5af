//! Tables of own prices: the kind of document, what is wrong with one, and what a run reads.

use std::sync::Arc;

use journal::Journal;
use market::{Market, OwnData};
use protocol::{
    AccountId, FlowId, RunFilter, RunStatus, RunSummary,
    document::{
        DocumentContent, DocumentFinding, DocumentKindSpec, DocumentReference, LARGEST_CONTENT, Severity,
    },
    trading::{OwnAdjustment, PriceTable, Task, TradingPrices},
};
use serde_json::{Map, Value, json};

use crate::{Owner, Refusal};

/// The parameter by which a run names a table.
pub(super) const PARAMETER: &str = "prices";
/// Runs of a flow among which the newest analysis that was not imported is looked for.
const MOST_IMPORTED: u32 = 20;
/// Where the table stands in a content.
const CSV: &str = "/csv";
/// What a new table begins with.
const TEMPLATE: &str = "ticker,date,close,dividend,currency\nACME,2022-01-03,12.34,,USD\n";

/// The kind of document.
pub(super) fn kinds() -> Vec<DocumentKindSpec> {
    let choices: Vec<Value> = OwnAdjustment::ALL
        .map(|adjustment| json!({ "const": adjustment, "title": adjustment.label() }))
        .into();
    let schema = json!({
        "type": "object",
        "properties": {
            "adjustment": {
                "type": "string",
                "title": "Prices are adjusted for",
                "oneOf": choices,
                "default": OwnAdjustment::Unknown,
            },
            "csv": {
                "type": "string",
                "title": "Table",
                "description": "Columns: ticker, date, close, and where there are open, high, low, volume, \
                                dividend, split and currency.",
            },
        },
        "required": ["csv"],
        "additionalProperties": false,
    });
    let template = Map::from_iter([
        ("adjustment".to_owned(), json!(OwnAdjustment::Unknown)),
        ("csv".to_owned(), TEMPLATE.into()),
    ]);
    let spec = PriceTable::kind().zip(DocumentContent::new(template).ok()).map(|(kind, template)| {
        DocumentKindSpec {
            kind,
            family: "trading".to_owned(),
            label: "Own prices".to_owned(),
            plural: "Own prices".to_owned(),
            hint: format!(
                "Your own prices, dividends and splits as CSV, at most {} KiB, for runs that name them.",
                LARGEST_CONTENT / 1024
            ),
            schema,
            template,
        }
    });
    spec.into_iter().collect()
}

/// Where prices come from: the table of own prices that is named, before those that all accounts share.
#[derive(Clone)]
pub(super) struct Prices {
    pub(super) market: Arc<Market>,
    /// The table, with its version.
    pub(super) table: Option<DocumentReference>,
}

impl Prices {
    /// Those that are shared, behind the table that is named.
    ///
    /// # Errors
    /// The owner has none of this name, or it cannot be used.
    pub(super) async fn open(
        shared: &Arc<Market>,
        table: Option<DocumentReference>,
        owner: &Owner,
    ) -> Result<Self, Refusal> {
        let Some(named) = table else { return Ok(Self { market: shared.clone(), table: None }) };
        let (version, own) = read(named, owner).await?;
        let market = Arc::new(Market::clone(shared).with_own(own));
        Ok(Self { market, table: Some(version) })
    }
}

/// The table that a run rests on. What the run came to is no ground for trades at other prices, nor is it scored by them.
pub(super) fn table_of(run: &RunSummary) -> Option<DocumentReference> {
    let named = run.request.workflow.text(PARAMETER)?;
    TradingPrices::try_from(std::borrow::Cow::from(named)).ok()?.table()
}

/// The prices that the newest analysis of a flow that ended well rests on; `None` if the flow has none.
///
/// # Errors
/// The journal cannot be read.
pub(super) async fn of_flow(
    journal: &Journal,
    owner: &AccountId,
    flow: &FlowId,
) -> Result<Option<TradingPrices>, Refusal> {
    let filter = RunFilter {
        status: Some(RunStatus::Succeeded),
        kind: Task::PIPELINE.parse().ok(),
        flow: Some(flow.clone()),
        limit: Some(MOST_IMPORTED),
        ..RunFilter::default()
    };
    let page = journal.summaries(&filter, Some(owner)).await?;
    let newest = page.runs.iter().find(|run| run.imported_from.is_none());
    Ok(newest.map(|run| table_of(run).into()))
}

/// What is wrong with a table, line by line.
pub(super) fn check(content: &DocumentContent) -> Vec<DocumentFinding> {
    let error = |detail: String| DocumentFinding { place: CSV.to_owned(), detail, severity: Severity::Error };
    let table = match table(content.clone()) {
        Ok(table) => table,
        Err(why) => return vec![error(why)],
    };
    let (preview, _) = OwnData::read(&table.csv, table.adjustment);
    let more =
        (preview.more_errors > 0).then(|| error(format!("There are {} more errors.", preview.more_errors)));
    preview.errors.iter().map(|line| error(line.to_string())).chain(more).collect()
}

/// The table that a run of this owner names, with the version that it stands for.
///
/// # Errors
/// The owner has none of this name, or it cannot be used.
async fn read(named: DocumentReference, owner: &Owner) -> Result<(DocumentReference, OwnData), Refusal> {
    let kind = PriceTable::kind()
        .ok_or_else(|| Refusal::Unusable("Own prices have no kind of document.".to_owned()))?;
    let (version, found) = owner.document(named, &kind).await?;
    let table = table(found.content).map_err(Refusal::Unusable)?;
    match OwnData::read(&table.csv, table.adjustment) {
        (_, Some(own)) => Ok((version, own)),
        (preview, None) => {
            let first = preview.errors.first().map(ToString::to_string).unwrap_or_default();
            let title = found.summary.title;
            Err(Refusal::Unusable(format!("The prices “{title}” have errors. {first} Mend them first.")))
        }
    }
}

fn table(content: DocumentContent) -> Result<PriceTable, String> {
    serde_json::from_value(content.into_value())
        .map_err(|error| format!("The table cannot be read: {error}."))
}
