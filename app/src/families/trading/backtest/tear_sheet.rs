//! The tear sheet of a backtest: one HTML file that opens without a server, with no script and no address of anything.

use leptos::prelude::*;
use protocol::{
    grouped,
    trading::{BacktestReport, BacktestResult, Figure, FillPrice, Trade, TradeCause},
};

use super::{drawing::Drawing, equity::Picture, figures, months};
use crate::{
    components::verbatim::Verbatim,
    export::offline_page,
    families::trading::{chart::days_drawn, portfolio::figures::{signed_usd, usd}},
    format,
    legible::legible,
};

const STYLE: &str = include_str!("tear_sheet.css");
/// Width of the chart, in pixels; it takes the width of the page.
const WIDTH: f64 = 960.0;

/// The whole file; `None` before there is a result.
pub fn tear_sheet(report: &BacktestReport) -> Option<String> {
    let result = report.result.as_ref()?;
    let title = legible(&report.run.title).into_owned();
    let checks = result.verdict.checks.iter().map(|check| {
        let sign = match check.is_passed {
            Some(true) => "✓ passed: ",
            Some(false) => "✕ not passed: ",
            None => "n/a: ",
        };
        view! { <li>{sign}{check.finding.clone()}</li> }
    });
    let facts = facts(report, result).into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd>{value}</dd> });
    let error = report.run.error.as_ref().map(|error| view! { <Verbatim text=legible(error).into_owned() /> });
    let trades = result.trades.iter().map(row).collect_view();
    let body = view! {
        <header>
            <h1>{title.clone()}</h1>
            <p class="verdict">{result.verdict.sentence.clone()}</p>
            <ul>{checks.collect_view()}</ul>
            <dl class="facts">{facts.collect_view()}</dl>
            {error}
        </header>
        <main>
            {chart(report)}
            {figures::drawn(result)}
            {months::drawn(result)}
            <section class="card">
                <h2>"Trades"</h2>
                <table>
                    <thead><tr>
                        <th>"Day"</th><th>"Side"</th><th>"Stock"</th><th class="numeric">"Shares"</th>
                        <th class="numeric">"Price"</th><th class="numeric">"Commission"</th>
                        <th class="numeric">"Realised P&L"</th><th>"Why"</th>
                    </tr></thead>
                    <tbody>{trades}</tbody>
                </table>
            </section>
        </main>
    };
    Some(offline_page(&title, STYLE, body))
}

/// What it was, and what it came to.
fn facts(report: &BacktestReport, result: &BacktestResult) -> Vec<(&'static str, String)> {
    let own = &result.figures;
    let money = |figure: &Figure<protocol::Decimal>| match figure {
        Figure::Known(amount) => signed_usd(*amount),
        Figure::NotAvailable(reason) => format!("n/a: {reason}"),
    };
    let days = result.curve.first().zip(result.curve.last());
    let range = days.map(|(first, last)| format!("{} to {}", format::day(first.date), format::day(last.date)));
    let tickers = report.schedule.as_ref().map(|schedule| {
        let tickers: Vec<String> = schedule.tickers.iter().map(ToString::to_string).collect();
        format!("{}, {}", tickers.join(", "), schedule.rhythm)
    });
    let fill = match result.settings.fill {
        FillPrice::NextPrice => "at the next price after each decision",
        FillPrice::DecisionClose => "at the close that the decision has seen, which flatters",
    };
    let decisions = format!(
        "{}, of which {} came to nothing; {} analyses failed; {} orders were refused",
        result.decisions, result.failed_decisions, result.failed_analyses, result.refused
    );
    let mut facts = vec![("Run", report.run.run.to_string()), ("State", report.run.status.label().to_owned())];
    facts.extend(range.map(|range| ("Days", range)));
    facts.extend(tickers.map(|tickers| ("Stocks", tickers)));
    facts.extend([
        ("Orders are filled", fill.to_owned()),
        ("Decisions", decisions),
        ("Value at the end", result.curve.last().map_or_else(|| "n/a: no day passed".to_owned(), |last| usd(last.total))),
        ("Profit", money(&own.profit)),
        ("Profit less what the models cost", money(&own.net_profit)),
    ]);
    facts
}

fn chart(report: &BacktestReport) -> AnyView {
    let Some(drawing) = Drawing::new(report, WIDTH) else {
        return view! { <p>"There are not two days of it to draw."</p> }.into_any();
    };
    let drawn = days_drawn(drawing.days.len(), drawing.all_days);
    let legend = drawing.series.iter().map(|series| {
        let class = format!("line {}", series.whose.class());
        view! {
            <li>
                <svg width="28" height="8" aria-hidden="true"><path class=class d="M0 4L28 4" /></svg>
                {series.whose.label()}
            </li>
        }
    });
    let legend = legend.collect_view();
    let random = drawing.band.is_some().then(|| view! { <li>"shaded: random agents, 5 to 95 %"</li> });
    view! {
        <section class="card">
            <h2>"Equity and drawdown"</h2>
            <Picture drawing />
            <ul class="legend">{legend}{random}<li>"▲ buy, ▼ sell"</li></ul>
            <p class="dim">{drawn}</p>
        </section>
    }
    .into_any()
}

fn row(trade: &Trade) -> AnyView {
    let cause = match trade.cause {
        TradeCause::StopLoss => "Stop loss. ",
        TradeCause::TakeProfit => "Take profit. ",
        TradeCause::Sweep => "Spare cash was put aside. ",
        TradeCause::Funding => "A purchase needed cash. ",
        TradeCause::Order => "",
    };
    view! {
        <tr>
            <td>{trade.date.to_string()}</td>
            <td>{trade.side.to_string()}</td>
            <td>{trade.ticker.to_string()}</td>
            <td class="numeric">{trade.quantity.normalize().to_string()}</td>
            <td class="numeric">{grouped(trade.price, 2)}</td>
            <td class="numeric">{grouped(trade.commission, 2)}</td>
            <td class="numeric">{trade.realised_profit.map(signed_usd)}</td>
            <td>{cause}{legible(&trade.rationale).into_owned()}</td>
        </tr>
    }
    .into_any()
}
