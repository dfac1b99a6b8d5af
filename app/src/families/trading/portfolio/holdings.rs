//! What the portfolio holds.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped, percent, signed,
    trading::{Constraints, HoldingView, LotView, PortfolioView, Ticker},
};

use super::{figures::signed_percent, lit::use_lit};
use crate::{
    components::table::{Bar, Cell, DataTable, Empty, NotKnown, gain_class},
    families::trading::ticker::TickerLink,
    format,
};

/// Why a holding has no market value.
const NO_PRICE: &str = "no price as of this day";

/// The table, one row a position.
#[component]
pub fn Holdings(view: RwSignal<PortfolioView>, settled: ReadSignal<bool>) -> impl IntoView {
    let tickers = Memo::new(move |_| {
        view.with(|view| view.holdings.iter().map(|holding| holding.ticker.clone()).collect::<Vec<_>>())
    });
    let none = Memo::new(move |_| tickers.with(Vec::is_empty));
    view! {
        <section class="card" aria-labelledby="holdings-heading">
            <header class="card-head">
                <h2 id="holdings-heading">"Holdings"</h2>
                <span class="dim digits">{move || view.with(usage)}</span>
            </header>
            {move || if none.get() {
                view! {
                    <Empty title="Nothing is held">
                        <p>"All is cash. Positions stand here with cost, price, profit and weight once a portfolio run has bought some."</p>
                    </Empty>
                }.into_any()
            } else {
                view! {
                    <DataTable
                        caption="Holdings, by market value, largest first"
                        columns=vec!["Ticker", "#Quantity", "#Average cost", "#Price", "#Market value", "#Unrealised P&L", "#Weight"]
                    >
                        <For each=move || tickers.get() key=Ticker::clone let:ticker>
                            <HoldingRow ticker view fresh=settled.get_untracked() />
                        </For>
                    </DataTable>
                }.into_any()
            }}
        </section>
    }
}

/// `7 of 15 positions · largest 14.2 % of 15 %`.
fn usage(view: &PortfolioView) -> String {
    let limits = &view.constraints;
    let positions = format!("{} of {} positions", view.holdings.len(), limits.max_positions);
    match view.holdings.iter().filter_map(|holding| holding.weight).max() {
        Some(largest) => {
            format!("{positions} · largest {} of {}", percent(largest, 1), percent(limits.max_position, 0))
        }
        None => positions,
    }
}

#[component]
fn HoldingRow(ticker: Ticker, view: RwSignal<PortfolioView>, fresh: bool) -> impl IntoView {
    let holding = Memo::new(move |_| {
        view.with(|view| view.holdings.iter().find(|holding| holding.ticker == ticker).cloned())
    });
    let lit = use_lit(holding, fresh);
    let limits = Memo::new(move |_| view.with(|view| view.constraints.clone()));
    view! {
        <tr role="row" class="holding" class:lit=lit>
            {move || holding.get().map(|holding| view! { <Cells holding limits=limits.get() /> })}
        </tr>
    }
}

#[component]
fn Cells(holding: HoldingView, limits: Constraints) -> impl IntoView {
    let HoldingView {
        ticker,
        name,
        sector,
        quantity,
        average_cost,
        price,
        market_value,
        unrealised_profit,
        unrealised_fraction,
        weight,
        lots,
        stop_loss,
        take_profit,
        ..
    } = holding;
    let money = |amount: Option<Decimal>| match amount {
        Some(amount) => grouped(amount, 2).into_any(),
        None => view! { <NotKnown reason=NO_PRICE brief=true /> }.into_any(),
    };
    let profit = match (unrealised_profit, unrealised_fraction) {
        (Some(profit), fraction) => {
            let fraction = fraction.map(|fraction| format!(" · {}", signed_percent(fraction)));
            view! {
                <span class=gain_class(Some(profit))>{signed(grouped(profit, 2), profit)} {fraction}</span>
            }
            .into_any()
        }
        (None, _) => view! { <NotKnown reason=NO_PRICE /> }.into_any(),
    };
    let share = match weight {
        Some(weight) => view! {
            <span class="weight">
                {percent(weight, 1)}
                {(weight > limits.max_position).then(|| view! { <span class="over-limit">"over the limit"</span> })}
                <Bar value=weight full=limits.max_position />
            </span>
        }
        .into_any(),
        None => view! { <NotKnown reason="a holding has no price" brief=true /> }.into_any(),
    };
    let level =
        |name: &'static str, price: Option<Decimal>| price.map(|price| format!("{name} {}", grouped(price, 2)));
    let levels: Vec<String> =
        [level("stop loss", stop_loss), level("take profit", take_profit)].into_iter().flatten().collect();
    view! {
        <Cell label="Ticker">
            <TickerLink ticker />
            <div class="dim company">
                {format!("{name} · {sector}")}
                {(!levels.is_empty()).then(|| view! { <span class="levels">{levels.join(" · ")}</span> })}
                {(lots.len() > 1).then(|| view! { <Lots lots /> })}
            </div>
        </Cell>
        <Cell label="Quantity" numeric=true>{quantity.normalize().to_string()}</Cell>
        <Cell label="Average cost" numeric=true>{grouped(average_cost, 2)}</Cell>
        <Cell label="Price" numeric=true>{money(price)}</Cell>
        <Cell label="Market value" numeric=true>{money(market_value)}</Cell>
        <Cell label="Unrealised P&L" numeric=true>{profit}</Cell>
        <Cell label="Weight" numeric=true>{share}</Cell>
    }
}

/// The shares by purchase.
#[component]
fn Lots(lots: Vec<LotView>) -> impl IntoView {
    let summary = format!("{} purchases", lots.len());
    let rows = lots.into_iter().map(|lot| {
        let words = format!("{}: {} for ${}", format::day(lot.bought), lot.quantity.normalize(), grouped(lot.cost, 2));
        view! { <li class="digits">{words}</li> }
    });
    view! {
        <details class="lots">
            <summary>{summary}</summary>
            <ul>{rows.collect_view()}</ul>
        </details>
    }
}
