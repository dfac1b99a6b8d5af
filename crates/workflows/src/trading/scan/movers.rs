//! What rose and fell most on the day, and how many did.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use market::DataKind;
use protocol::{
    Date, Decimal, Figure,
    trading::{Measured, MissingInput, Ticker},
};
use serde::{Deserialize, Serialize};

use super::{
    facts::{Breadth, IndexFacts, Mover, MoversFacts, StockFacts},
    figures::{self, MONTH, WEEK, change, year_to_date},
    market_day::{MarketDay, seen},
    report::{Evidence, Scanner},
    state,
};
use crate::trading::{
    desk::BENCHMARK,
    facts::Unit,
    measured::{Found, measure},
    prompts::{prompt, roles},
    seen::Seen,
    tools::Tool,
};

/// The tool by which code measures all stocks.
const MEASURE: &str = "measure_movers";
/// Gainers and losers that are shown.
const MOST: usize = 5;

pub(super) const SCANNER: Scanner = Scanner {
    node: "market_movers_scanner",
    role: "market movers scan",
    label: "Market movers scanner",
    prompt: roles::MARKET_MOVERS_SCANNER,
    title: "Market movers report",
    report: state::MARKET_MOVERS_REPORT,
    tools: &[Tool::MarketMovers],
    looks_up: Some("movers beyond the listed stocks"),
};

/// The market movers scanner.
pub(super) struct Movers(pub(super) MarketDay);

/// What the tool measures.
#[derive(Serialize, Deserialize)]
struct Measurements {
    facts: MoversFacts,
    stocks: Vec<StockFacts>,
    seen: Vec<Seen>,
}

#[async_trait]
impl Work for Movers {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let day = &self.0;
        let Measurements { facts, stocks, seen } =
            measure(node, MEASURE, &day.asked(), measure_movers(day)).await?;
        let evidence = Evidence {
            facts: &facts,
            seen,
            missing: facts.missing.clone(),
            figures: breadth_figures(&facts.breadth, &facts),
        };
        let messages = prompt(SCANNER.prompt, day.header());
        let outcome = SCANNER.write(node, day, messages, evidence).await?;
        outcome.set(state::STOCKS, stocks)?.set(state::BREADTH, facts.breadth)
    }
}

async fn measure_movers(day: &MarketDay) -> Result<Found<Measurements>, String> {
    let listed = day.stocks().await;
    let Some(session) = listed.session else {
        let reasons: Vec<&str> =
            listed.missing.iter().map(|missing| missing.reason.as_str()).take(3).collect();
        return Err(format!(
            "There are no prices of any listed stock up to {}. {}",
            day.date,
            reasons.join(" ")
        ));
    };
    let stocks: Vec<StockFacts> =
        listed.found.iter().filter_map(|(stock, history)| figures::measure(stock, &history.days)).collect();
    let mut seen = seen(SCANNER.label, "prices of listed stocks", listed.found.iter().map(|(_, it)| it));
    let (index, index_seen) = index(day, session).await;
    seen.extend(index_seen);
    let mut missing = listed.missing;
    if let Measured::Unknown(reason) = &index {
        missing.push(MissingInput { input: format!("prices of {BENCHMARK}"), reason: reason.clone() });
    }
    missing.extend(unknown_of_all(&stocks, "trading volumes", |stock| &stock.relative_volume));
    missing.extend(unknown_of_all(&stocks, "opening gaps", |stock| &stock.gap));
    let facts = MoversFacts {
        date: day.date,
        session,
        index,
        gainers: movers(&stocks, true),
        losers: movers(&stocks, false),
        breadth: breadth(&stocks),
        missing,
    };
    let is_degraded = !facts.missing.is_empty();
    let vendor = day.market.name(DataKind::Prices);
    Ok(Found { value: Measurements { facts, stocks, seen }, vendor, is_degraded })
}

/// The index on the day of the stocks' prices.
async fn index(day: &MarketDay, session: Date) -> (Measured<IndexFacts>, Vec<Seen>) {
    let ticker: Ticker = match BENCHMARK.parse() {
        Ok(ticker) => ticker,
        Err(error) => return (Measured::Unknown(format!("{error}")), Vec::new()),
    };
    let history = match day.history(&ticker).await {
        Ok(history) => history,
        Err(refusal) => return (Measured::Unknown(refusal.to_string()), Vec::new()),
    };
    let seen = seen(SCANNER.label, &format!("prices {ticker}"), std::iter::once(&history));
    let days = &history.days;
    let Some(last) = days.last().filter(|last| last.date == session) else {
        return (Measured::Unknown(format!("There is no price of {ticker} on {session}.")), seen);
    };
    let facts = IndexFacts {
        close: Unit::Dollars.round(last.close),
        day: change(days, 1),
        week: change(days, WEEK),
        month: change(days, MONTH),
        year_to_date: year_to_date(days),
        ticker,
    };
    (Measured::Known(facts), seen)
}

/// What moved most in one direction, the largest moves first.
fn movers(stocks: &[StockFacts], up: bool) -> Vec<Mover> {
    let moved = stocks.iter().filter_map(|stock| Some((*stock.day.known()?, stock)));
    let mut moved: Vec<(Decimal, &StockFacts)> =
        moved.filter(|(day, _)| if up { *day > Decimal::ZERO } else { *day < Decimal::ZERO }).collect();
    moved.sort_by(|(one, stock), (two, other)| {
        two.abs().cmp(&one.abs()).then_with(|| stock.ticker.cmp(&other.ticker))
    });
    let mover = |(day, stock): (Decimal, &StockFacts)| Mover {
        ticker: stock.ticker.clone(),
        name: stock.name.clone(),
        sector: stock.sector.clone(),
        close: stock.close,
        day,
        gap: stock.gap.clone(),
        relative_volume: stock.relative_volume.clone(),
    };
    moved.into_iter().take(MOST).map(mover).collect()
}

fn breadth(stocks: &[StockFacts]) -> Breadth {
    let count = |is: &dyn Fn(&StockFacts) -> bool| stocks.iter().filter(|stock| is(stock)).count();
    Breadth {
        stocks: stocks.len(),
        advancers: count(&|stock| stock.day.known().is_some_and(|day| *day > Decimal::ZERO)),
        decliners: count(&|stock| stock.day.known().is_some_and(|day| *day < Decimal::ZERO)),
        above_50_sma: count(&|stock| stock.above_50_sma == Measured::Known(true)),
        above_200_sma: count(&|stock| stock.above_200_sma == Measured::Known(true)),
        new_highs: count(&|stock| stock.new_high == Measured::Known(true)),
        new_lows: count(&|stock| stock.new_low == Measured::Known(true)),
    }
}

/// That a figure is known of no stock, with the reason of the first.
fn unknown_of_all(
    stocks: &[StockFacts],
    input: &str,
    figure: impl Fn(&StockFacts) -> &Measured<Decimal>,
) -> Option<MissingInput> {
    if stocks.iter().any(|stock| figure(stock).known().is_some()) {
        return None;
    }
    let reason = stocks.first().and_then(|stock| figure(stock).reason()).unwrap_or("there are no prices");
    Some(MissingInput { input: input.to_owned(), reason: reason.to_owned() })
}

fn breadth_figures(breadth: &Breadth, facts: &MoversFacts) -> Vec<Figure> {
    let figure = |label: &str, count: usize| Figure {
        label: label.to_owned(),
        value: format!("{count} of {}", breadth.stocks),
        source: format!("prices of listed stocks, {}", facts.session),
    };
    vec![
        figure("Advancers", breadth.advancers),
        figure("Decliners", breadth.decliners),
        figure("Above SMA 50", breadth.above_50_sma),
        figure("Above SMA 200", breadth.above_200_sma),
        figure("New highs of 252 days", breadth.new_highs),
        figure("New lows of 252 days", breadth.new_lows),
    ]
}
