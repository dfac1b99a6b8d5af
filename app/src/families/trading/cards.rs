//! What a run came to: rating, decision, trades, refusals.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped,
    trading::{Decision, Grade, Order, PendingOrder, Rating, RejectedOrder, Side, Trade},
};

use crate::{
    components::{
        icon::{Icon, IconName},
        status::Tone,
        table::{Cell, DataTable},
    },
    format,
    markdown::Markdown,
};

/// The rating of a stock.
#[component]
pub fn RatingCard(rating: Rating) -> impl IntoView {
    let tone = match rating.grade {
        Grade::Buy | Grade::Overweight => Tone::Done,
        Grade::Hold => Tone::Quiet,
        Grade::Review => Tone::Attention,
        Grade::Underweight | Grade::Sell => Tone::Failed,
    };
    let said = match rating.grade {
        Grade::Review => format!("as of {} · the rating could not be read", rating.date),
        _ => format!("as of {} · {} confidence", rating.date, rating.confidence),
    };
    let abort = rating.abort.clone().map(|reason| {
        view! {
            <p class=format!("turn-problem {}", Tone::Attention.class())>
                <Icon name=IconName::Alert />
                {format!("Cut short: {reason}")}
            </p>
        }
    });
    view! {
        <article class="result-card card">
            <header>
                <span class=format!("grade {}", tone.class())>{rating.grade.to_string()}</span>
                <span class="result-subject">{rating.ticker.to_string()}</span>
                <span class="dim">{said}</span>
            </header>
            {abort}
            <Markdown text=rating.summary.as_str() />
            <details>
                <summary>"Reasons"</summary>
                <Markdown text=rating.thesis.as_str() />
            </details>
        </article>
    }
}

/// The decision of a portfolio run.
#[component]
pub fn DecisionCard(headline: String, decision: Decision) -> impl IntoView {
    let orders =
        decision.orders.iter().map(|order| view! { <OrderRow order=order.clone() /> }).collect_view();
    let holds = decision.holds.iter().map(|hold| {
        view! {
            <li class="order">
                <span class="side tone-quiet">"HOLD"</span>
                <span class="order-ticker">{hold.ticker.to_string()}</span>
                <span class="order-why dim">{hold.rationale.clone()}</span>
            </li>
        }
    });
    view! {
        <article class="result-card card">
            <header>
                <span class="result-subject">{headline}</span>
                <span class="dim">{format!("{} · {} confidence", decision.regime, decision.confidence)}</span>
            </header>
            <ul class="orders">{orders} {holds.collect_view()}</ul>
            <details>
                <summary>"Reasons and risks"</summary>
                <Markdown text=decision.thesis.as_str() />
                <h4>"Risks"</h4>
                <Markdown text=decision.risk_summary.as_str() />
            </details>
        </article>
    }
}

/// The orders that a person is asked to approve.
#[component]
pub fn OrdersToApprove(orders: Vec<Order>) -> impl IntoView {
    let price = |price: Option<Decimal>| price.map_or_else(|| "–".to_owned(), |price| grouped(price, 2));
    let rows = orders.into_iter().map(move |order| {
        view! {
            <tr role="row">
                <Cell label="Side"><strong>{order.side.to_string()}</strong></Cell>
                <Cell label="Ticker">{order.ticker.to_string()}</Cell>
                <Cell label="Shares" numeric=true>{order.quantity.normalize().to_string()}</Cell>
                <Cell label="Stop loss" numeric=true>{price(order.stop_loss)}</Cell>
                <Cell label="Take profit" numeric=true>{price(order.take_profit)}</Cell>
                <Cell label="Why"><span class="dim">{order.rationale}</span></Cell>
            </tr>
        }
    });
    view! {
        <DataTable caption="Orders to approve" columns=vec!["Side", "Ticker", "#Shares", "#Stop loss", "#Take profit", "Why"]>
            {rows.collect_view()}
        </DataTable>
    }
}

/// An order that was executed.
#[component]
pub fn TradeCard(trade: Trade) -> impl IntoView {
    view! {
        <article class="result-card card trade-card">
            <header>
                <SideTag side=trade.side />
                <span class="result-subject">{trade.ticker.to_string()}</span>
                <span>{format!("{} @ {}", trade.quantity.normalize(), grouped(trade.price, 2))}</span>
                <span class=format!("sign order-end {}", Tone::Done.class())>
                    <Icon name=IconName::Check />
                    "filled"
                </span>
            </header>
            <p class="dim">{trade.rationale}</p>
        </article>
    }
}

/// An order that waits for its price.
#[component]
pub fn WaitingCard(pending: PendingOrder) -> impl IntoView {
    let PendingOrder { order, decided, .. } = pending;
    view! {
        <article class="result-card card trade-card">
            <header>
                <SideTag side=order.side />
                <span class="result-subject">{order.ticker.to_string()}</span>
                <span>{order.quantity.normalize().to_string()}</span>
                <span class=format!("sign order-end {}", Tone::Live.class())>
                    <Icon name=IconName::CircleDot />
                    "waits for a price"
                </span>
            </header>
            <p class="dim">{format!("It is filled at the first price after {}. ", format::day(decided))} {order.rationale}</p>
        </article>
    }
}

/// An order that was refused, with every reason.
#[component]
pub fn RejectedCard(rejected: RejectedOrder) -> impl IntoView {
    let order = &rejected.order;
    let price = rejected.price.map_or_else(|| "no price".to_owned(), |price| grouped(price, 2));
    let reasons = rejected.reasons.iter().map(|reason| view! { <li>{reason.clone()}</li> }).collect_view();
    view! {
        <article class="result-card card trade-card">
            <header>
                <SideTag side=order.side />
                <span class="result-subject">{order.ticker.to_string()}</span>
                <span>{format!("{} @ {price}", order.quantity.normalize())}</span>
                <span class=format!("sign order-end {}", Tone::Failed.class())>
                    <Icon name=IconName::Cross />
                    "rejected"
                </span>
            </header>
            <ul class="reasons">{reasons}</ul>
        </article>
    }
}

#[component]
fn OrderRow(order: Order) -> impl IntoView {
    view! {
        <li class="order">
            <SideTag side=order.side />
            <span class="order-ticker">{order.ticker.to_string()}</span>
            <span class="order-quantity">{order.quantity.normalize().to_string()}</span>
            <span class="order-why dim">{order.rationale}</span>
        </li>
    }
}

#[component]
fn SideTag(side: Side) -> impl IntoView {
    let tone = match side {
        Side::Buy => Tone::Done,
        Side::Sell => Tone::Failed,
    };
    view! { <span class=format!("side {}", tone.class())>{side.to_string()}</span> }
}
