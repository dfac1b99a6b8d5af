//! What is held of a stock, and what was learnt from it.

use leptos::prelude::*;
use protocol::{
    grouped, percent,
    trading::{FlowOrder, StockPosition, StockReport},
};

use super::analyses::order_in_words;
use crate::{
    base::at,
    components::table::{Empty, NotKnown, gain_class},
    families::trading::portfolio::figures::{signed_percent, signed_usd, usd},
    format,
};

/// Orders that are listed beside a position.
const ORDERS: usize = 5;

/// The position in one portfolio, with the way to the others.
#[component]
pub fn Position(
    /// The stock.
    report: Memo<StockReport>,
    /// Which of the positions is shown.
    shown: RwSignal<usize>,
) -> impl IntoView {
    let names = Memo::new(move |_| {
        report.with(|report| report.positions.iter().map(|it| it.name.clone()).collect::<Vec<_>>())
    });
    let choice = move || {
        let names = names.get();
        match names.len() {
            0 => None,
            1 => Some(view! { <span class="dim">{names.into_iter().next()}</span> }.into_any()),
            _ => {
                let options = names.into_iter().enumerate().map(|(place, name)| {
                    view! { <option value=place.to_string() selected=place == shown.get_untracked()>{name}</option> }
                });
                let choose = move |event| shown.set(event_target_value(&event).parse().unwrap_or(0));
                Some(
                    view! {
                        <select class="input" aria-label="Portfolio" on:change=choose>{options.collect_view()}</select>
                    }
                    .into_any(),
                )
            }
        }
    };
    view! {
        <section class="card" aria-labelledby="position-heading">
            <header class="card-head">
                <h2 id="position-heading">"Position"</h2>
                {choice}
            </header>
            {move || report.with(|report| match report.positions.get(shown.get()) {
                Some(position) => view! { <Facts position=position.clone() /> }.into_any(),
                None => view! {
                    <Empty title="No portfolio has had to do with it">
                        <p>"Shares, cost, profit and orders stand here once a portfolio run has ordered some."</p>
                    </Empty>
                }.into_any(),
            })}
        </section>
    }
}

#[component]
fn Facts(position: StockPosition) -> impl IntoView {
    let row = |name: String, value: AnyView| view! { <div><dt>{name}</dt><dd class="digits">{value}</dd></div> };
    let facts = match &position.holding {
        None => view! { <p>{format!("Not in {}.", position.name)}</p> }.into_any(),
        Some(holding) => {
            let cost = format!("{} at {} on average", holding.quantity.normalize(), grouped(holding.average_cost, 2));
            let value = match holding.price {
                Some(price) => format!("Value at {}", grouped(price, 2)),
                None => "Value".to_owned(),
            };
            let no_price = || view! { <NotKnown reason="no price as of this day" /> }.into_any();
            let worth = holding.market_value.map_or_else(no_price, |value| usd(value).into_any());
            let profit = holding.unrealised_profit.map_or_else(no_price, |profit| {
                let share = holding.unrealised_fraction.map(|share| format!(" · {}", signed_percent(share)));
                view! { <span class=gain_class(Some(profit))>{signed_usd(profit)}{share}</span> }.into_any()
            });
            let weight = holding.weight.map_or_else(
                || view! { <NotKnown reason="a holding has no price" /> }.into_any(),
                |weight| {
                    let over = (weight > position.limit)
                        .then(|| view! { <span class="over-limit">" over the limit"</span> });
                    view! { {percent(weight, 1)} {over} }.into_any()
                },
            );
            let levels = [("stop loss", holding.stop_loss), ("take profit", holding.take_profit)];
            let levels: Vec<String> = levels
                .into_iter()
                .filter_map(|(name, price)| Some(format!("{name} {}", grouped(price?, 2))))
                .collect();
            let standing =
                (!levels.is_empty()).then(|| row("Standing orders".to_owned(), levels.join(" · ").into_any()));
            view! {
                <dl class="position-facts">
                    {row(cost, usd(holding.cost_basis).into_any())}
                    {row(value, worth)}
                    {row("Unrealised P&L".to_owned(), profit)}
                    {row(format!("Weight, at most {}", percent(position.limit, 0)), weight)}
                    {standing}
                </dl>
            }
            .into_any()
        }
    };
    let realised = position.realised_profit;
    let orders = position.orders.iter().rev().take(ORDERS).map(|FlowOrder { order, .. }| {
        let words = order_in_words(order);
        let line = match order.run {
            Some(run) => view! { <a href=at(format!("/decisions/{run}"))>{words}</a> }.into_any(),
            None => words.into_any(),
        };
        view! { <li><span>{line}</span> <time class="dim digits">{format::day(order.decided)}</time></li> }
    });
    let orders: Vec<_> = orders.collect();
    let has_orders = !orders.is_empty();
    view! {
        {facts}
        <dl class="position-facts">
            {row("Realised P&L".to_owned(), view! { <span class=gain_class(Some(realised))>{signed_usd(realised)}</span> }.into_any())}
            {position.as_of.map(|day| row("As of".to_owned(), format::day(day).into_any()))}
        </dl>
        {has_orders.then(|| view! {
            <h3 class="position-orders">"Newest orders"</h3>
            <ul class="position-orders" role="list">{orders}</ul>
        })}
        <p><a href=at(format!("/portfolios/{}", position.portfolio))>{format!("Open {}", position.name)}</a></p>
    }
}

/// The lessons on the stock, the newest first, by the numbers that the chart has.
#[component]
pub fn LessonList(
    /// The stock.
    report: Memo<StockReport>,
) -> impl IntoView {
    let rows = move || {
        report.with(|report| {
            let rows = report.lessons.iter().enumerate().rev().map(|(place, listed)| {
                let lesson = &listed.lesson;
                let analysis = report.analyses.iter().position(|analysis| analysis.run == lesson.decided_by);
                let from = analysis.map_or_else(|| format::day(lesson.decided), |place| format!("A{}", place + 1));
                view! {
                    <li>
                        <details>
                            <summary>
                                <strong>{format!("L{}", place + 1)}</strong>
                                <span class="lesson-situation">{lesson.situation.clone()}</span>
                                <span class="dim digits">{format!("{from} · {}", format::day(lesson.known()))}</span>
                            </summary>
                            <p>{format!("{} of {}: {}.", lesson.grade, format::day(lesson.decided), lesson.verdict)}</p>
                            <p><strong>"Before a purchase: "</strong>{lesson.entry_advice.clone()}</p>
                            <p><strong>"What is held: "</strong>{lesson.exit_advice.clone()}</p>
                            <p><a href=at(format!("/runs/{}", listed.written_by))>"The reflection that wrote it"</a></p>
                        </details>
                    </li>
                }
            });
            rows.collect_view()
        })
    };
    let none = Memo::new(move |_| report.with(|report| report.lessons.is_empty()));
    let remark = move || {
        report.with(|report| {
            let (shown, all) = (report.lessons.len(), report.all_lessons as usize);
            if shown < all { format!("the newest {shown} of {all}") } else { "from · known since".to_owned() }
        })
    };
    view! {
        <section class="card" aria-labelledby="lessons-heading">
            <header class="card-head">
                <h2 id="lessons-heading">"Lessons"</h2>
                <span class="dim">{remark}</span>
            </header>
            <Show when=move || none.get()>
                <Empty title="There is no lesson on it yet">
                    <p>"A reflection writes one from each rating whose outcome is known."</p>
                </Empty>
            </Show>
            <ul class="lesson-list" role="list">{rows}</ul>
        </section>
    }
}
