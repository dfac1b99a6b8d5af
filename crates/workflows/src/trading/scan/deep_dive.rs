//! The industries of the three sectors that moved most in a month.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use jiff::ToSpan;
use market::DataKind;
use protocol::trading::{Measured, MissingInput, Ticker};

use super::{
    facts::{DeepDiveFacts, EarningsAhead, SectorFacts, SectorStocks, StockFacts},
    market_day::MarketDay,
    report::{Evidence, Scanner},
    state,
};
use crate::trading::{
    measured::{Found, measure},
    prompts::{prompt, roles},
    seen::Seen,
    tools::Tool,
};

/// The tool by which code looks for reports of earnings.
const EARNINGS: &str = "get_earnings_ahead";
/// Sectors that are looked into.
const MOST_SECTORS: usize = 3;
/// Calendar days that earnings are looked for.
const AHEAD: i64 = 14;
/// Reports of earnings that are shown.
const MOST_EARNINGS: usize = 20;

pub(super) const SCANNER: Scanner = Scanner {
    node: "industry_deep_dive",
    role: "industry review",
    label: "Industry deep dive",
    prompt: roles::INDUSTRY_DEEP_DIVE,
    title: "Industry report",
    report: state::INDUSTRY_DEEP_DIVE_REPORT,
    tools: &[Tool::News, Tool::GlobalNews],
    looks_up: Some("news of industries"),
};

/// The deep dive, once all scanners have reported.
pub(super) struct DeepDive(pub(super) MarketDay);

#[async_trait]
impl Work for DeepDive {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let day = &self.0;
        let stocks: Vec<StockFacts> = node.state().get(state::STOCKS)?.unwrap_or_default();
        let sectors: Vec<SectorFacts> = node.state().get(state::SECTORS)?.unwrap_or_default();
        let sectors: Vec<SectorStocks> = top(&sectors)
            .map(|sector| SectorStocks {
                sector: sector.clone(),
                stocks: stocks.iter().filter(|stock| stock.sector == sector.sector).cloned().collect(),
            })
            .collect();
        let tickers: Vec<&Ticker> =
            sectors.iter().flat_map(|sector| &sector.stocks).map(|stock| &stock.ticker).collect();
        let earnings = measure(node, EARNINGS, &day.asked(), earnings(day, &tickers)).await?;
        let missing = earnings.reason().map(|reason| MissingInput {
            input: "calendar of earnings".to_owned(),
            reason: reason.to_owned(),
        });
        let missing: Vec<MissingInput> = missing.into_iter().collect();
        let facts = DeepDiveFacts { date: day.date, sectors, earnings, missing: missing.clone() };
        let text = |key| node.state().text(key);
        let messages = prompt(SCANNER.prompt, day.header())
            .section("Geopolitical report", text(state::GEOPOLITICAL_REPORT))
            .section("Market movers report", text(state::MARKET_MOVERS_REPORT))
            .section("Sector performance report", text(state::SECTOR_PERFORMANCE_REPORT))
            .section("Smart money report", text(state::SMART_MONEY_REPORT));
        let evidence = Evidence { facts: &facts, seen: Vec::<Seen>::new(), missing, figures: Vec::new() };
        SCANNER.write(node, day, messages, evidence).await
    }
}

/// The sectors that moved most in a month, either way.
fn top(sectors: &[SectorFacts]) -> impl Iterator<Item = &SectorFacts> {
    let mut moved: Vec<&SectorFacts> =
        sectors.iter().filter(|sector| sector.month.known().is_some()).collect();
    moved.sort_by(|one, two| {
        let size = |sector: &SectorFacts| sector.month.known().map(|month| month.abs());
        size(two).cmp(&size(one)).then_with(|| one.sector.cmp(&two.sector))
    });
    moved.into_iter().take(MOST_SECTORS)
}

/// The reports of earnings that were expected on the day of the scan.
async fn earnings(
    day: &MarketDay,
    tickers: &[&Ticker],
) -> Result<Found<Measured<Vec<EarningsAhead>>>, String> {
    let until = day.date.saturating_add(AHEAD.days());
    let vendor = day.market.name(DataKind::Calendars);
    let rows = match day.market.earnings(None, day.date, until, day.date).await {
        Ok(answer) => answer.data,
        Err(refusal) => {
            let value = Measured::Unknown(refusal.to_string());
            return Ok(Found { value, vendor, is_degraded: true });
        }
    };
    let ahead = rows.into_iter().filter(|row| row.projected && (day.date..=until).contains(&row.date));
    let mut ahead: Vec<EarningsAhead> = ahead
        .filter_map(|row| {
            let ticker = tickers.iter().find(|ticker| ticker.as_str() == row.symbol)?;
            Some(EarningsAhead { ticker: (*ticker).clone(), date: row.date })
        })
        .collect();
    ahead.sort_by(|one, two| one.date.cmp(&two.date).then_with(|| one.ticker.cmp(&two.ticker)));
    ahead.truncate(MOST_EARNINGS);
    Ok(Found { value: Measured::Known(ahead), vendor, is_degraded: false })
}
