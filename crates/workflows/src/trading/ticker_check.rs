//! Whether there are prices of what a run names, as it is said at the form while it is typed and by a run that is opened.

use market::{Market, NoData, Why};
use protocol::{
    Date, ParameterRemark, Workflow, parse_date,
    trading::{BacktestPlan, Ticker},
};
use serde_json::Value;

use crate::Refusal;

/// Tickers that are named of those that there are prices of.
const NAMED: usize = 6;
/// The parameters that name what there have to be prices of.
const PARAMETERS: [&str; 2] = ["ticker", "tickers"];
/// The parameters that say the last day of them.
const DAYS: [&str; 2] = ["date", "to"];

/// Refuses a ticker without prices. What may have some, and cannot be asked at the moment, is no reason to refuse:
/// a run that is taken up again has its prices in its log.
pub(super) async fn check_ticker(market: &Market, ticker: &Ticker, date: Date) -> Result<(), Refusal> {
    if market.instrument(ticker).is_some() && !market.is_open() {
        return Ok(());
    }
    match market.prices(ticker, date).await {
        Ok(_) => Ok(()),
        Err(refusal) if refusal.may_pass() => Ok(()),
        Err(refusal) => Err(Refusal::Unusable(without_prices(market, ticker, date, &refusal))),
    }
}

/// That there are no prices, what there is, and what to do.
fn without_prices(market: &Market, ticker: &Ticker, date: Date, refusal: &NoData) -> String {
    let advice = match refusal.why {
        Why::Empty => "Choose a later day, or another ticker.".to_owned(),
        Why::Denied => "Choose another ticker, or look at the settings of the vendors.".to_owned(),
        Why::Unknown | Why::Later(_) if market.is_live() => {
            "Check how it is spelt, or import your own prices.".to_owned()
        }
        Why::Unknown | Why::Later(_) => {
            format!(
                "There are prices of {}. Check how it is spelt, or import your own prices.",
                there_are(market)
            )
        }
    };
    format!("There are no prices of {ticker} as of {date}. {refusal} {advice}")
}

/// The first tickers that there are prices of, those of a person's own first.
fn there_are(market: &Market) -> String {
    let listed = market.instruments().iter().map(|instrument| &instrument.ticker);
    let listed = listed.filter(|ticker| !market.own_tickers().contains(ticker));
    let all: Vec<&str> = market.own_tickers().iter().chain(listed).map(Ticker::as_str).collect();
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

/// What is to be said of the tickers that a form names, as far as it is known without asking a vendor over a network.
pub(super) async fn remarks(market: &Market, workflow: &Workflow) -> Vec<ParameterRemark> {
    if market.is_live() {
        return Vec::new();
    }
    let parameters = workflow.parameters();
    let date = DAYS.iter().find_map(|name| parse_date(workflow.text(name)?));
    // A day outside of all prices is said at its own field.
    let date = date.unwrap_or(market.last_date()).clamp(market.first_date(), market.last_date());
    let mut remarks = Vec::new();
    for name in PARAMETERS {
        let Some(value) = parameters.get(name) else { continue };
        for ticker in tickers(value) {
            if let Err(Refusal::Unusable(detail)) = check_ticker(market, &ticker, date).await {
                remarks.push(ParameterRemark { parameter: name.to_owned(), detail });
                break;
            }
        }
    }
    remarks
}

/// The tickers in what was typed: one, a list of them, or a list as JSON text. What is none is said by the form itself.
fn tickers(value: &Value) -> Vec<Ticker> {
    let ticker = |value: &Value| value.as_str()?.trim().parse().ok();
    let read = match value {
        Value::String(text) => serde_json::from_str(text).ok().filter(Value::is_array),
        _ => None,
    };
    match read.as_ref().unwrap_or(value) {
        Value::Array(all) => all.iter().take(BacktestPlan::MOST_TICKERS).filter_map(ticker).collect(),
        one => ticker(one).into_iter().collect(),
    }
}
