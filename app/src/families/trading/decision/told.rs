//! What the manager was told before the decision: the portfolio and its limits, reviews, rated stocks, briefs, lessons.

use leptos::prelude::*;
use protocol::{
    Decimal, grouped, percent,
    trading::{
        Constraints, DecisionReport, HoldingView, Lesson, Measured, PortfolioView, SeenCandidate, SeenReview,
    },
};

use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::Tone,
        table::{Bar, Cell, DataTable, Empty, NotKnown, measured},
    },
    families::trading::{
        lesson_cards::{LessonText, tone_of},
        portfolio::figures::{signed_percent, usd},
        ticker::{TickerLink, grade_class},
    },
    format,
    markdown::Markdown,
};

/// All of it.
#[component]
pub fn Told(report: DecisionReport) -> impl IntoView {
    let DecisionReport { before, reviews, candidates, macro_brief, micro_brief, lessons, .. } = report;
    view! {
        <section class="decision-told" aria-labelledby="told-heading">
            <h2 id="told-heading">"What the manager was told"</h2>
            <div class="decision-main">
                {match before {
                    Some(view) => view! { <Before view /> }.into_any(),
                    None => view! {
                        <section class="card" aria-label="Portfolio">
                            <Empty title="The portfolio is not loaded yet"><p>"Its holdings, cash and limits stand here."</p></Empty>
                        </section>
                    }.into_any(),
                }}
                <Candidates candidates />
            </div>
            <div class="decision-main">
                <Reviews reviews />
                <Lessons lessons />
            </div>
            <div class="decision-main">
                <Brief title="About the market" id="macro-brief" text=macro_brief />
                <Brief title="About holdings and candidates" id="micro-brief" text=micro_brief />
            </div>
        </section>
    }
}

/// The portfolio at the prices of the decision's day.
#[component]
fn Before(view: PortfolioView) -> impl IntoView {
    let limits = view.constraints.clone();
    let share = view.total.known().and_then(|total| view.cash.checked_div(*total));
    let cash = match share {
        Some(share) => format!("{} · {} of at least {}", usd(view.cash), percent(share, 1), percent(limits.min_cash, 0)),
        None => usd(view.cash),
    };
    let positions = format!("{} of at most {}", view.holdings.len(), limits.max_positions);
    let ratio = |value: &Measured<Decimal>| measured(value, |value| grouped(value, 2));
    let fall = |value: &Measured<Decimal>| measured(value, |value| percent(value, 1));
    let rows: Vec<_> = view.holdings.into_iter().map(|holding| held(holding, &limits)).collect();
    let is_empty = rows.is_empty();
    let total = measured(&view.total, usd);
    let metrics = view.metrics;
    view! {
        <section class="card" aria-labelledby="before-heading">
            <header class="card-head">
                <h2 id="before-heading">"Portfolio before it"</h2>
                <span class="dim">{view.as_of.map(|day| format!("at the prices of {}", format::day(day)))}</span>
            </header>
            <dl class="position-facts">
                <div><dt>"Total value"</dt><dd class="digits">{total}</dd></div>
                <div><dt>"Cash"</dt><dd class="digits">{cash}</dd></div>
                <div><dt>"Positions"</dt><dd class="digits">{positions}</dd></div>
                <div><dt>"Max drawdown"</dt><dd class="digits">{fall(&metrics.max_drawdown)}</dd></div>
                <div><dt>"VaR 95 %, a day"</dt><dd class="digits">{fall(&metrics.value_at_risk)}</dd></div>
                <div><dt>"Beta"</dt><dd class="digits">{ratio(&metrics.beta)}</dd></div>
            </dl>
            {(!is_empty).then(|| view! {
                <DataTable caption="Holdings before the decision" columns=vec!["Ticker", "#Quantity", "#Unrealised P&L", "#Weight"]>{rows}</DataTable>
            })}
            {is_empty.then(|| view! { <p class="dim">"Nothing was held: all was cash."</p> })}
        </section>
    }
}

fn held(holding: HoldingView, limits: &Constraints) -> AnyView {
    let most = limits.max_position;
    let profit = holding.unrealised_fraction.map_or_else(
        || view! { <NotKnown reason="no price as of this day" brief=true /> }.into_any(),
        |profit| signed_percent(profit).into_any(),
    );
    let weight = holding.weight.map_or_else(
        || view! { <NotKnown reason="a holding has no price" brief=true /> }.into_any(),
        |weight| {
            let over = (weight > most).then(|| view! { <span class="over-limit">"over the limit"</span> });
            view! { <span class="weight">{percent(weight, 1)} {over} <Bar value=weight full=most /></span> }.into_any()
        },
    );
    view! {
        <tr role="row">
            <Cell label="Ticker"><TickerLink ticker=holding.ticker /> " " <span class="dim">{holding.sector}</span></Cell>
            <Cell label="Quantity" numeric=true>{holding.quantity.normalize().to_string()}</Cell>
            <Cell label="Unrealised P&L" numeric=true>{profit}</Cell>
            <Cell label="Weight" numeric=true>{weight}</Cell>
        </tr>
    }
    .into_any()
}

/// The rated stocks, the first to buy first.
#[component]
fn Candidates(candidates: Vec<SeenCandidate>) -> impl IntoView {
    let is_empty = candidates.is_empty();
    let rows = candidates.into_iter().map(|candidate| {
        let SeenCandidate { ticker, sector, grade, confidence, rated_on, summary, priority, skip, price } = candidate;
        let class = format!("grade {}", grade_class(grade));
        let said = format!("{confidence} confidence, {}", format::day(rated_on));
        let price = price.map_or_else(
            || view! { <NotKnown reason="no price as of this day" brief=true /> }.into_any(),
            |price| grouped(price, 2).into_any(),
        );
        let skip = skip.map(|reason| {
            view! {
                <span class=format!("sign {}", Tone::Attention.class())><Icon name=IconName::Skip /><span>{reason}</span></span>
            }
        });
        view! {
            <tr role="row">
                <Cell label="Stock"><TickerLink ticker /> " " <span class="dim">{sector}</span></Cell>
                <Cell label="Rating"><span class=class>{grade.to_string()}</span> " " <span class="dim">{said}</span></Cell>
                <Cell label="Price" numeric=true>{price}</Cell>
                <Cell label="Priority" numeric=true>{grouped(priority, 2)}</Cell>
                <Cell label="Why">{summary} " " {skip}</Cell>
            </tr>
        }
    });
    let rows: Vec<_> = rows.collect();
    view! {
        <section class="card" aria-labelledby="candidates-heading">
            <header class="card-head">
                <h2 id="candidates-heading">"Rated stocks"</h2>
                <span class="dim">"by priority; 0 must not be bought"</span>
            </header>
            {(!is_empty).then(|| view! {
                <DataTable caption="Rated stocks, the first to buy first" columns=vec!["Stock", "Rating", "#Price", "#Priority", "Why"]>{rows}</DataTable>
            })}
            {is_empty.then(|| view! {
                <Empty title="No rated stock"><p>"The flow had no analysis that it could rest on, or they are not weighed yet."</p></Empty>
            })}
        </section>
    }
}

/// What the reviewer said of each holding.
#[component]
fn Reviews(reviews: Vec<SeenReview>) -> impl IntoView {
    let is_empty = reviews.is_empty();
    let rows = reviews.into_iter().map(|review| {
        let (word, tone) = if review.is_sale { ("SELL", Tone::Failed) } else { ("KEEP", Tone::Quiet) };
        let risks = review.risks.into_iter().map(|risk| view! { <li>{risk}</li> }).collect_view();
        view! {
            <li>
                <div class="order-line">
                    <span class=format!("side {}", tone.class())>{word}</span>
                    <TickerLink ticker=review.ticker />
                    <span></span>
                    <span class="dim">{format!("{} confidence", review.confidence)}</span>
                </div>
                <p class="order-reason">{review.rationale}</p>
                <ul class="refusals">{risks}</ul>
            </li>
        }
    });
    let rows: Vec<_> = rows.collect();
    view! {
        <section class="card" aria-labelledby="reviews-heading">
            <header class="card-head"><h2 id="reviews-heading">"Reviews of the holdings"</h2></header>
            {is_empty.then(|| view! { <p class="dim">"None: nothing was held, or it is not reviewed yet."</p> })}
            <ul class="order-list" role="list">{rows}</ul>
        </section>
    }
}

/// The lessons of earlier decisions that fitted.
#[component]
fn Lessons(lessons: Vec<Lesson>) -> impl IntoView {
    let is_empty = lessons.is_empty();
    let rows = lessons.into_iter().map(|lesson| {
        let said = format!("{} of {}", lesson.grade, format::day(lesson.decided));
        view! {
            <li>
                <p>
                    <TickerLink ticker=lesson.ticker /> " "
                    <a href=at(format!("/runs/{}", lesson.decided_by))>{said}</a> " · "
                    <span class=format!("sign {}", tone_of(lesson.verdict).class())>{lesson.verdict.to_string()}</span>
                </p>
                <LessonText situation=lesson.situation entry_advice=lesson.entry_advice exit_advice=lesson.exit_advice />
            </li>
        }
    });
    let rows: Vec<_> = rows.collect();
    view! {
        <section class="card" aria-labelledby="told-lessons-heading">
            <header class="card-head"><h2 id="told-lessons-heading">"Lessons of earlier decisions"</h2></header>
            {is_empty.then(|| view! { <p class="dim">"None: no lesson that was known by then fitted."</p> })}
            <ul class="order-list" role="list">{rows}</ul>
        </section>
    }
}

#[component]
fn Brief(title: &'static str, id: &'static str, text: String) -> impl IntoView {
    let is_empty = text.trim().is_empty();
    view! {
        <section class="card" aria-labelledby=id>
            <header class="card-head"><h2 id=id>{title}</h2></header>
            {if is_empty {
                view! { <p class="dim">"It was not written, or not yet."</p> }.into_any()
            } else {
                view! { <Markdown text=text.as_str() /> }.into_any()
            }}
        </section>
    }
}
