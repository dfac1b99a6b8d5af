//! The page of a backtest: how much it can mean, when and why, by which trades. While it is at work, as far as it has
//! come.

mod decisions;
mod drawing;
mod equity;
mod figures;
mod months;
mod series;
#[cfg(feature = "ssr")]
mod tear_sheet;
mod trades;
mod verdict;

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    Approval, Problem, RunId, RunStatus,
    trading::{BacktestReport, Figure, ReferenceKind},
};

#[cfg(feature = "ssr")]
pub use self::tear_sheet::tear_sheet;
use self::{
    decisions::Decisions, equity::Equity, figures::KeyFigures, months::Months, trades::Trades,
    verdict::VerdictCard,
};
use super::{
    api as own_api,
    news::read_after,
    portfolio::figures::{signed_percent, signed_usd, usd},
};
use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        icon::{Icon, IconName},
        notice::ProblemNotice,
        status::{Tone, run_sign},
        table::{NotKnown, gain_class},
    },
    format,
    live::RunNews,
};

/// The page of one backtest.
#[component]
pub fn BacktestPage(
    /// The run, as the address names it.
    id: Signal<String>,
) -> impl IntoView {
    let data = Resource::new(move || id.get(), read);
    view! {
        <Transition fallback=|| view! { <p class="loading">"Loading the backtest …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <Title text="Backtest" /> <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(report) => view! { <Board report /> }.into_any(),
                }
            })}
        </Transition>
    }
}

async fn read(id: String) -> Result<BacktestReport, ApiError> {
    let run: RunId = id.parse().map_err(|_| {
        api::set_status(404);
        ApiError(Problem::not_found("There is no backtest at this address. Choose one from the runs."))
    })?;
    own_api::backtest(run).await
}

#[component]
fn Board(report: BacktestReport) -> impl IntoView {
    let run = report.run.run;
    let title = report.run.title.clone();
    let report = RwSignal::new(report);
    follow(run, report);
    let has_result = Memo::new(move |_| report.with(|report| report.result.is_some()));
    view! {
        <Title text=title.clone() />
        <div class="page backtest">
            <header class="backtest-head">
                <div class="backtest-name">
                    <p class="dim">
                        <a href=at("/runs")>"Runs"</a> " › "
                        <a href=at(format!("/runs/{run}"))>"Backtest, step by step"</a>
                        {move || report.with(rules)}
                    </p>
                    <div class="backtest-title">
                        <h1>{title}</h1>
                        <StatusPill report />
                    </div>
                </div>
                <HeadFigures report />
                <div class="backtest-acts">
                    <PauseAct report />
                    <Show when=move || has_result.get()>
                        <a class="button" href=at(format!("/api/v1/backtests/{run}/tear-sheet.html")) download rel="external">
                            <Icon name=IconName::Download />"Tear sheet"
                        </a>
                        <a class="button" href=at(format!("/api/v1/backtests/{run}/equity.csv")) download rel="external">
                            <Icon name=IconName::Download />"Equity, CSV"
                        </a>
                        <a class="button" href=at(format!("/api/v1/backtests/{run}/trades.csv")) download rel="external">
                            <Icon name=IconName::Download />"Trades, CSV"
                        </a>
                    </Show>
                </div>
            </header>
            <Progress report />
            <VerdictCard report />
            <div class="backtest-main">
                <Equity report />
                <Decisions report />
                <Show when=move || has_result.get()><Months report /></Show>
            </div>
            <div class="backtest-side">
                <Show when=move || has_result.get()><KeyFigures report /> <Costs report /></Show>
                <Trades report />
            </div>
        </div>
    }
}

/// Asks for what is new whenever the run has changed, but not with each of its events.
fn follow(run: RunId, report: RwSignal<BacktestReport>) {
    let concerns = move |news: &RunNews| {
        let is_over =
            report.try_with_untracked(|report| report.run.status.is_over() && report.result.is_some());
        news.run() == run && is_over == Some(false)
    };
    read_after(concerns, move || async move {
        if let Ok(newer) = own_api::backtest(run).await
            && report.try_with_untracked(|known| newer.run.seq > known.run.seq) == Some(true)
        {
            report.try_set(newer);
        }
    });
}

/// Pauses the run before its next step, or lets it go on. A day's own run that is at work comes to its end.
#[component]
fn PauseAct(report: RwSignal<BacktestReport>) -> impl IntoView {
    let is_over = Memo::new(move |_| report.with(|report| report.run.status.is_over()));
    let is_paused = Memo::new(move |_| report.with(|report| report.is_paused));
    let act = Action::new(move |is_paused: &bool| {
        // Before the backtest's own steps alone: the runs of its days do not pause by themselves.
        let nodes = ["pass_days", "decide", "result"].iter().filter_map(|node| node.parse().ok()).collect();
        let approval = if *is_paused { Approval::Off } else { Approval::Nodes { nodes } };
        let run = report.with_untracked(|report| report.run.run);
        async move {
            api::set_approval(run, approval).await?;
            let newer = own_api::backtest(run).await?;
            report.try_set(newer);
            Ok::<(), ApiError>(())
        }
    });
    let refusal = move || {
        act.value().with(|done| done.as_ref().and_then(|done| done.as_ref().err().map(ToString::to_string)))
    };
    view! {
        <Show when=move || !is_over.get()>
            <button
                type="button"
                class="button"
                disabled=act.pending()
                on:click=move |_| {
                    act.dispatch(is_paused.get_untracked());
                }
            >
                {move || view! { <Icon name=if is_paused.get() { IconName::Play } else { IconName::Pause } /> }}
                {move || if is_paused.get() { "Go on" } else { "Pause" }}
            </button>
            <span class="tone-failed sign" role="status">{refusal}</span>
        </Show>
    }
}

/// ` · weekly · fills at the next price`.
fn rules(report: &BacktestReport) -> String {
    let rhythm = report.schedule.as_ref().map(|schedule| format!(" · {}", schedule.rhythm));
    let fill = report.result.as_ref().map(|result| match result.settings.fill {
        protocol::trading::FillPrice::NextPrice => " · filled at the next price",
        protocol::trading::FillPrice::DecisionClose => " · filled at the decision's close, which flatters",
    });
    format!("{}{}", rhythm.unwrap_or_default(), fill.unwrap_or_default())
}

#[component]
fn StatusPill(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || {
        let (status, failed) = report.with(|report| {
            let failed = report.result.as_ref().map_or(0, |it| it.failed_decisions + it.failed_analyses);
            (report.run.status, failed)
        });
        let sign = run_sign(status);
        let (word, tone) = match (status, failed) {
            (RunStatus::Succeeded, 1..) => (format!("Done with {failed} errors"), Tone::Attention),
            _ => (sign.word.to_owned(), sign.tone),
        };
        view! { <span class=format!("pill {}", tone.class())><Icon name=sign.icon /><span>{word}</span></span> }
    }
}

/// How far the run has come, until it is over.
#[component]
fn Progress(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || {
        report.with(|report| {
            let error = report.run.error.clone().map(|error| {
                let run = report.run.run;
                view! {
                    <p class="backtest-error tone-failed" role="status">
                        <Icon name=IconName::Cross /> <span>{error}</span>
                        <a href=at(format!("/runs/{run}"))>"Go on from its last decision"</a>
                    </p>
                }
            });
            let all = report.schedule.as_ref().map_or(0, |schedule| schedule.decisions.len());
            let progress = (report.result.is_none() && all > 0).then(|| {
                let done = report.steps.len();
                view! {
                    <div class="backtest-progress">
                        <progress max=all value=done aria-label="Decisions taken"></progress>
                        <span class="dim">{format!("{done} of {all} decisions, {} %", done * 100 / all)}</span>
                    </div>
                }
            });
            view! { {progress} {error} }
        })
    }
}

/// What it came to, in a line.
#[component]
fn HeadFigures(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || {
        report.with(|report| {
            let points = report.steps.iter().flat_map(|step| &step.points);
            let curve = report.result.as_ref().map(|result| &result.curve);
            let last = curve.map_or_else(|| points.last(), |curve| curve.last());
            let value = last.map(|point| {
                cell("Value", usd(point.total), format!("at the close of {}", format::day(point.date)), "")
            });
            let more = report.result.as_ref().map(|result| {
                let own = &result.figures;
                let of = |kind| result.references.iter().find(|it| it.kind == kind).map(|it| &it.figures.total_return);
                let hold = of(ReferenceKind::BuyAndHold).and_then(Figure::known);
                let against = own.total_return.known().zip(hold).map(|(own, hold)| *own - *hold);
                view! {
                    {figure("Return", &own.total_return, signed_percent, true)}
                    {against.map(|points| {
                        let shown = signed_percent(points).replace(" %", " points");
                        cell("Against hold", shown, "Return less that of buying and holding the same stocks".to_owned(), gain_class(Some(points)))
                    })}
                    {figure("Model cost", &own.model_cost, usd, false)}
                    {figure("Profit net of it", &own.net_profit, signed_usd, true)}
                }
            });
            view! { <dl class="portfolio-figures">{value} {more}</dl> }
        })
    }
}

fn cell(label: &'static str, value: String, title: String, class: &'static str) -> AnyView {
    view! { <div class="figure" title=title><dt>{label}</dt><dd class=class>{value}</dd></div> }.into_any()
}

fn figure(
    label: &'static str,
    figure: &Figure<protocol::Decimal>,
    show: impl Fn(protocol::Decimal) -> String,
    is_gain: bool,
) -> AnyView {
    match figure {
        Figure::Known(value) => {
            cell(label, show(*value), String::new(), if is_gain { gain_class(Some(*value)) } else { "" })
        }
        Figure::NotAvailable(reason) => view! {
            <div class="figure"><dt>{label}</dt><dd><NotKnown reason=reason.to_string() brief=true /></dd></div>
        }
        .into_any(),
    }
}

/// From the profit before costs to what is left.
#[component]
fn Costs(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || {
        report.with(|report| {
            let own = &report.result.as_ref()?.figures;
            let costs = own.commissions.known().zip(own.slippage.known()).map(|(one, other)| *one + *other);
            let before = own.profit.known().zip(costs).map(|(profit, costs)| *profit + costs);
            Some(view! {
                <section class="card" aria-labelledby="costs-heading">
                    <header class="card-head">
                        <h2 id="costs-heading">"From profit to what is left"</h2>
                    </header>
                    <dl class="backtest-costs">
                        {before.map(|before| cell("Before costs", signed_usd(before), String::new(), ""))}
                        {figure("Commissions", &own.commissions, |amount| usd(-amount), false)}
                        {figure("Slippage", &own.slippage, |amount| usd(-amount), false)}
                        {figure("Models", &own.model_cost, |amount| usd(-amount), false)}
                        {figure("Left", &own.net_profit, signed_usd, true)}
                    </dl>
                </section>
            })
        })
    }
}
