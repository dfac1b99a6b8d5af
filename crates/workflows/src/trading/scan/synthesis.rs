//! The synthesis: which stocks are worth an analysis.

use std::{collections::BTreeSet, fmt::Write};

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use protocol::{
    LogLevel,
    trading::{Confidence, MissingInput, Scan, Ticker},
};

use super::{
    answer::{Choice, ScanAnswer, read_scan, scan_schema},
    facts::{StockFacts, SynthesisFacts},
    market_day::{MarketDay, unseen},
    state,
};
use crate::{
    agent::{NoTools, ask},
    node::{brief, cell, log, product, report, required},
    trading::{
        prompts::{prompt, roles},
        seen::{Seen, with_data},
    },
};

pub(super) const NODE: &str = "macro_synthesis";
pub(super) const LABEL: &str = "Macro synthesis";

/// The last agent of a scan.
pub(super) struct Synthesis(pub(super) MarketDay);

#[async_trait]
impl Work for Synthesis {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let (day, state) = (&self.0, node.state());
        let mut missing: Vec<MissingInput> =
            state.get::<Vec<Vec<MissingInput>>>(state::MISSING)?.unwrap_or_default().concat();
        // Scanners end in any order.
        missing.sort();
        let facts = SynthesisFacts {
            date: day.date,
            max_tickers: day.max_tickers,
            regime: required(node, state::REGIME)?,
            breadth: required(node, state::BREADTH)?,
            sectors: required(node, state::SECTORS)?,
            footprints: required(node, state::FOOTPRINTS)?,
            confirmed: required(node, state::CONFIRMED)?,
            stocks: required(node, state::STOCKS)?,
            missing,
        };
        let messages = prompt(roles::MACRO_SYNTHESIS, day.header())
            .section("Geopolitical report", state.text(state::GEOPOLITICAL_REPORT))
            .section("Market movers report", state.text(state::MARKET_MOVERS_REPORT))
            .section("Sector performance report", state.text(state::SECTOR_PERFORMANCE_REPORT))
            .section("Smart money report", state.text(state::SMART_MONEY_REPORT))
            .section("Industry report", state.text(state::INDUSTRY_DEEP_DIVE_REPORT))
            .facts(&facts);
        let known: BTreeSet<Ticker> = facts.stocks.iter().map(|stock| stock.ticker.clone()).collect();
        let choice = Choice { most: day.max_tickers, among: (!day.market.is_open()).then_some(&known) };
        let request = brief(node, messages, Some(scan_schema()));
        let answer = ask(node, request, &NoTools, |text| read_scan(text, &choice)).await?.answer;

        let (scan, lowered) = concluded(answer, facts);
        let mut seen: Vec<Vec<Seen>> = state.get(state::SEEN)?.unwrap_or_default();
        seen.sort_by(|one, two| {
            one.first().map(|seen| &seen.agent).cmp(&two.first().map(|seen| &seen.agent))
        });
        let mut seen = seen.concat();
        seen.retain(|seen| seen.missing.is_none());
        seen.extend(unseen(LABEL, &scan.missing));
        let shown = with_data(&written(&scan), &seen);
        let report = report(state::SCAN, "Market scan", &shown, Vec::new());
        let warning = (!lowered.is_empty()).then(|| {
            let tickers: Vec<&str> = lowered.iter().map(Ticker::as_str).collect();
            let message = format!(
                "The model's conviction of {} was high; it is lowered to medium, as neither volumes nor insiders show \
                 that large investors buy.",
                tickers.join(", ")
            );
            log(LogLevel::Warning, message)
        });
        let bodies = [product(scan.product())?, report].into_iter().chain(warning);
        node.emit(bodies.collect()).await?;
        Outcome::default().set(state::SCAN, scan)
    }
}

/// The scan with what code knows better than a model, and the stocks whose conviction was lowered.
fn concluded(answer: ScanAnswer, facts: SynthesisFacts) -> (Scan, Vec<Ticker>) {
    let mut stocks = answer.stocks_to_investigate;
    let mut lowered = Vec::new();
    for stock in &mut stocks {
        if let Some(StockFacts { name, sector, .. }) =
            facts.stocks.iter().find(|known| known.ticker == stock.ticker)
        {
            stock.name.clone_from(name);
            stock.sector.clone_from(sector);
        }
        if stock.conviction == Confidence::High && !facts.confirmed.contains(&stock.ticker) {
            stock.conviction = Confidence::Medium;
            lowered.push(stock.ticker.clone());
        }
    }
    let scan = Scan {
        date: facts.date,
        timeframe: answer.timeframe,
        executive_summary: answer.executive_summary,
        macro_context: answer.macro_context,
        regime: facts.regime,
        key_themes: answer.key_themes,
        stocks_to_investigate: stocks,
        risk_factors: answer.risk_factors,
        missing: facts.missing,
    };
    (scan, lowered)
}

fn written(scan: &Scan) -> String {
    let mut text = format!("{}\n", scan.executive_summary.trim());
    let _ = write!(
        text,
        "\n- Regime: {}, {} confidence.\n- Economic cycle: {}\n- Central banks: {}\n",
        scan.regime.regime,
        scan.regime.confidence,
        cell(&scan.macro_context.economic_cycle),
        cell(&scan.macro_context.central_bank_stance)
    );
    if scan.stocks_to_investigate.is_empty() {
        text.push_str("\nNo stock is proposed for an analysis.\n");
    } else {
        text.push_str("\n| stock | sector | angle | conviction | reason |\n|---|---|---|---|---|\n");
    }
    for stock in &scan.stocks_to_investigate {
        let angle = format!("{:?}", stock.thesis_angle).to_lowercase();
        let _ = writeln!(
            text,
            "| {} | {} | {angle} | {} | {} |",
            stock.ticker,
            cell(&stock.sector),
            stock.conviction,
            cell(&stock.rationale)
        );
    }
    for (title, entries) in
        [("Geopolitical risks", &scan.macro_context.geopolitical_risks), ("Risk factors", &scan.risk_factors)]
    {
        if !entries.is_empty() {
            let _ = write!(text, "\n## {title}\n");
            entries.iter().for_each(|entry| {
                let _ = writeln!(text, "- {}", cell(entry));
            });
        }
    }
    if !scan.key_themes.is_empty() {
        text.push_str("\n## Themes\n");
        for theme in &scan.key_themes {
            let _ = writeln!(text, "- {}: {}", cell(&theme.theme), cell(&theme.description));
        }
    }
    text
}
