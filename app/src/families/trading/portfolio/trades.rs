//! The trades, newest first, each with its reason.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped,
    trading::{PortfolioView, Trade, TradeCause},
};

use super::{SideTag, figures::signed_usd, lit::use_lit};
use crate::{
    base::at,
    components::{
        paper::use_printing,
        table::{Empty, gain_class},
    },
    families::trading::decision::DECISIONS,
    format,
};

/// Trades that are listed before the rest is asked for.
const FIRST: usize = 20;

/// The list.
#[component]
pub fn Trades(view: RwSignal<PortfolioView>, settled: ReadSignal<bool>) -> impl IntoView {
    let count = Memo::new(move |_| view.with(|view| view.trades.len()));
    let (all, set_all) = signal(false);
    let is_printing = use_printing();
    let has_more = Memo::new(move |_| !all.get() && count.get() > FIRST);
    let shown = Memo::new(move |_| {
        let most = if all.get() || is_printing.get() { usize::MAX } else { FIRST };
        view.with(|view| view.trades.iter().take(most).cloned().collect::<Vec<_>>())
    });
    view! {
        <section class="card" aria-labelledby="trades-heading">
            <header class="card-head">
                <h2 id="trades-heading">"Trades"</h2>
                <span class="dim">"newest first"</span>
            </header>
            <Show when=move || count.get() == 0>
                <Empty title="No trades yet">
                    <p>"Each order that is executed stands here with its price, its day and the reason for it."</p>
                </Empty>
            </Show>
            <ul class="trades" role="list">
                <For each=move || shown.get() key=|trade| trade.key.clone() let:trade>
                    // More of the same list is no news.
                    <TradeRow trade fresh=settled.get_untracked() && !all.get_untracked() />
                </For>
            </ul>
            <Show when=move || has_more.get()>
                <button type="button" class="quiet-button" on:click=move |_| set_all.set(true)>
                    {move || format!("Show all {} trades", count.get())}
                </button>
            </Show>
        </section>
    }
}

#[component]
fn TradeRow(trade: Trade, fresh: bool) -> impl IntoView {
    let lit = use_lit(Memo::new(|_| ()), fresh);
    let level = |name: &'static str, price: Option<Decimal>| {
        price.map(|price| view! { <div><dt>{name}</dt><dd>{format!("${}", grouped(price, 2))}</dd></div> })
    };
    let cause = match trade.cause {
        TradeCause::Order => None,
        TradeCause::StopLoss => Some("The price reached the stop loss."),
        TradeCause::TakeProfit => Some("The price reached the take profit."),
        TradeCause::Sweep => Some("Spare cash was put aside."),
        TradeCause::Funding => Some("A purchase needed cash."),
    };
    let paid = |amount: Decimal| (!amount.is_zero()).then_some(amount);
    let rationale = if trade.rationale.trim().is_empty() {
        "No reason was given.".into()
    } else {
        trade.rationale.clone()
    };
    view! {
        <li class:lit=lit>
            <details class="trade">
                <summary>
                    <SideTag side=trade.side />
                    <strong>{trade.ticker.to_string()}</strong>
                    <span class="digits">{format!("{} @ {}", trade.quantity.normalize(), grouped(trade.price, 2))}</span>
                    <time class="dim digits" datetime=trade.date.to_string()>{format::day(trade.date)}</time>
                </summary>
                <div class="trade-more">
                    <p>{rationale}</p>
                    <dl class="facts">
                        {cause.map(|cause| view! { <div><dt>"Cause"</dt><dd>{cause}</dd></div> })}
                        {level("Quoted price", trade.quoted)}
                        {level("Commission", paid(trade.commission))}
                        {level("Stop loss", trade.stop_loss)}
                        {level("Take profit", trade.take_profit)}
                        {trade.realised_profit.map(|profit| view! {
                            <div><dt>"Realised P&L"</dt><dd class=gain_class(Some(profit))>{signed_usd(profit)}</dd></div>
                        })}
                        <div><dt>"Executed (UTC)"</dt><dd>{format::moment(trade.executed_at)}</dd></div>
                    </dl>
                    {trade.run.map(|run| view! { <p><a href=at(format!("{DECISIONS}/{run}"))>"The decision that ordered it"</a></p> })}
                </div>
            </details>
        </li>
    }
}
