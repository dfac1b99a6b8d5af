//! The trades, newest first, each with its reason and the analysis that it rests on.

use leptos::prelude::*;
use protocol::{
    RunId, grouped,
    trading::{BacktestReport, BacktestStep, Trade, TradeCause},
};

use crate::{
    base::at,
    components::table::{Empty, gain_class},
    families::trading::portfolio::{SideTag, figures::signed_usd},
    format,
};

/// The list.
#[component]
pub fn Trades(report: RwSignal<BacktestReport>) -> impl IntoView {
    let trades = Memo::new(move |_| report.with(newest_first));
    let count = Memo::new(move |_| trades.with(Vec::len));
    let remark = move || {
        report.with(|report| {
            let result = report.result.as_ref()?;
            let refused = match result.refused {
                0 => String::new(),
                refused => format!(", {refused} orders refused"),
            };
            Some(format!("of {} decisions{refused}", result.decisions))
        })
    };
    view! {
        <section class="card" aria-labelledby="trades-heading">
            <header class="card-head">
                <h2 id="trades-heading">"Trades " <span class="dim">{move || count.get()}</span></h2>
                <span class="dim">{remark}</span>
            </header>
            <Show when=move || count.get() == 0>
                <Empty title="No trades"><p>"Each order that is filled stands here with its price, its day and the reason for it."</p></Empty>
            </Show>
            <ul class="trades backtest-trades" role="list">
                <For each=move || trades.get() key=|(trade, _)| trade.key.clone() let:listed>
                    <Row trade=listed.0 run=listed.1 />
                </For>
            </ul>
        </section>
    }
}

/// The trades with the runs that they rest on.
fn newest_first(report: &BacktestReport) -> Vec<(Trade, Option<RunId>)> {
    let trades: Vec<Trade> = match &report.result {
        Some(result) => result.trades.clone(),
        None => report.steps.iter().flat_map(|step| step.trades.clone()).collect(),
    };
    let with_run = |trade: Trade| {
        let run = rests_on(&trade, &report.steps);
        (trade, run)
    };
    trades.into_iter().rev().map(with_run).collect()
}

/// The analysis of the stock on the day of the decision, or that day's run; a stop loss or a take profit rests on none.
fn rests_on(trade: &Trade, steps: &[BacktestStep]) -> Option<RunId> {
    let decided = trade.key.strip_prefix("decision/")?.split('/').next()?;
    let step = steps.iter().find(|step| step.date.to_string() == decided)?;
    let analysis = step.analyses.iter().find(|analysis| analysis.ticker == trade.ticker);
    analysis.and_then(|analysis| analysis.run).or(Some(step.run))
}

#[component]
fn Row(trade: Trade, run: Option<RunId>) -> impl IntoView {
    let cause = match trade.cause {
        TradeCause::StopLoss => Some("Stop loss"),
        TradeCause::TakeProfit => Some("Take profit"),
        TradeCause::Order | TradeCause::Funding | TradeCause::Sweep => None,
    };
    let fact = |name: &'static str, shown: String| view! { <div><dt>{name}</dt><dd>{shown}</dd></div> };
    let usd = |amount| format!("${}", grouped(amount, 2));
    view! {
        <li>
            <details class="trade">
                <summary>
                    <SideTag side=trade.side />
                    <strong>{trade.ticker.to_string()}</strong>
                    <span class="digits">{format!("{} @ {}", trade.quantity.normalize(), grouped(trade.price, 2))}</span>
                    <span class="trade-end">
                        {trade.realised_profit.map(|profit| view! {
                            <span class=format!("digits {}", gain_class(Some(profit)))>{signed_usd(profit)}</span>
                        })}
                        <time class="dim digits" datetime=trade.date.to_string()>{format::day(trade.date)}</time>
                    </span>
                </summary>
                <div class="trade-more">
                    <p>{cause.map(|cause| format!("{cause}: "))}{trade.rationale.clone()}</p>
                    <dl class="facts">
                        {trade.quoted.map(|quoted| fact("Quoted", usd(quoted)))}
                        {fact("Commission", usd(trade.commission))}
                        {trade.stop_loss.map(|price| fact("Stop loss", usd(price)))}
                        {trade.take_profit.map(|price| fact("Take profit", usd(price)))}
                    </dl>
                    {run.map(|run| view! { <p><a href=at(format!("/runs/{run}"))>"The analysis that it rests on"</a></p> })}
                </div>
            </details>
        </li>
    }
}
