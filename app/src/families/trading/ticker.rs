//! The page of a stock: what is thought of it, whether it is held and at what profit, when it was decided upon and
//! whether that was right, and what each analysis saw.

mod analyses;
mod chart;
mod drawing;
mod position;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_navigate, use_query_map};
use protocol::{
    Decimal, Problem, RunSummary, grouped,
    trading::{AnalysisOutcome, Grade, LessonVerdict, Measured, PriceSpan, StockReport, Task, Ticker},
};

use self::{
    analyses::Analyses,
    chart::PriceChart,
    position::{LessonList, Position},
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
        keys::on_page_key,
        notice::ProblemNotice,
        status::Tone,
        table::{NotKnown, gain_class},
    },
    format,
    live::RunNews,
};

/// The address that the pages of stocks are below.
pub const TICKERS: &str = "/tickers";

/// The page of a stock.
pub fn page_of(ticker: &Ticker) -> String {
    // Only an index has a sign that addresses do not.
    format!("{TICKERS}/{}", ticker.as_str().replace('^', "%5E"))
}

/// The same with prices over a span of time.
fn address(ticker: &Ticker, span: PriceSpan) -> String {
    match span {
        PriceSpan::Year => page_of(ticker),
        span => format!("{}?span={span}", page_of(ticker)),
    }
}

/// The class that colours a grade.
pub fn grade_class(grade: Grade) -> &'static str {
    let tone = match grade {
        Grade::Buy | Grade::Overweight => Tone::Done,
        Grade::Hold => Tone::Quiet,
        Grade::Review => Tone::Attention,
        Grade::Underweight | Grade::Sell => Tone::Failed,
    };
    tone.class()
}

/// A stock that leads to its page.
#[component]
pub fn TickerLink(
    /// The stock.
    ticker: Ticker,
) -> impl IntoView {
    view! { <a class="ticker-link" href=at(page_of(&ticker))><strong>{ticker.to_string()}</strong></a> }
}

/// The page of one stock.
#[component]
pub fn TickerPage(
    /// The stock, as the address names it.
    ticker: Signal<String>,
) -> impl IntoView {
    let query = use_query_map();
    let span = Memo::new(move |_| {
        let asked = query.with(|query| query.get_str("span").map(str::parse::<PriceSpan>));
        asked.and_then(Result::ok).unwrap_or_default()
    });
    let data = Resource::new(move || (ticker.get(), span.get()), |(ticker, span)| read(ticker, span));
    view! {
        <Transition fallback=|| view! { <p class="loading">"Loading the stock …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <Title text="Stock" /> <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(report) => view! { <Board report /> }.into_any(),
                }
            })}
        </Transition>
    }
}

async fn read(ticker: String, span: PriceSpan) -> Result<StockReport, ApiError> {
    let ticker: Ticker = ticker.replace("%5E", "^").parse().map_err(|_| {
        api::set_status(404);
        ApiError(Problem::not_found("There is no stock at this address. A stock is named by its symbol, such as AAPL."))
    })?;
    own_api::stock(ticker, span).await
}

#[component]
fn Board(report: StockReport) -> impl IntoView {
    let ticker = StoredValue::new(report.ticker.clone());
    let held = report.positions.iter().position(|position| position.holding.is_some());
    let shown = RwSignal::new(held.unwrap_or(0));
    let selected = RwSignal::new((!report.analyses.is_empty()).then_some(report.analyses.len()));
    let title = match report.name.as_str() {
        "" => report.ticker.to_string(),
        name => format!("{} · {name}", report.ticker),
    };
    let known = RwSignal::new(report);
    follow(known);
    let report = Memo::new(move |_| known.get());
    let analyse = format!("/start?type={}&ticker={}", Task::PIPELINE, escaped(&ticker.get_value()));
    let backtest = format!("/start?type={}&tickers={}", Task::BACKTEST, escaped(&ticker.get_value()));
    keys(analyse.clone(), backtest.clone());
    view! {
        <Title text=title.clone() />
        <div class="page ticker-page">
            <header class="ticker-head">
                <div class="ticker-name">
                    <p class="dim">{move || report.with(heading)}</p>
                    <div class="ticker-title">
                        <h1>{title}</h1>
                        {move || report.with(newest_rating)}
                    </div>
                </div>
                <dl class="portfolio-figures">{move || report.with(|report| figures(report, shown.get()))}</dl>
                <div class="portfolio-acts">
                    <a class="button" href=at(backtest)>"Backtest"</a>
                    <a class="button primary" href=at(analyse)>"Analyse"</a>
                </div>
            </header>
            <div class="ticker-top">
                <PriceChart report shown selected />
                <div class="ticker-side">
                    <Position report shown />
                    <LessonList report />
                </div>
            </div>
            <Analyses report selected />
        </div>
    }
}

fn escaped(ticker: &Ticker) -> String {
    ticker.as_str().replace('^', "%5E")
}

/// `n` analyses the stock, `b` tests it.
fn keys(analyse: String, backtest: String) {
    let navigate = use_navigate();
    on_page_key(move |event| {
        if event.default_prevented() || event.ctrl_key() || event.meta_key() || event.alt_key() {
            return;
        }
        match event.key().as_str() {
            "n" => navigate(&analyse, Default::default()),
            "b" => navigate(&backtest, Default::default()),
            _ => {}
        }
    });
}

/// Asks for what is new whenever a run about the stock, or one that may trade it, has changed, but not with each event.
fn follow(known: RwSignal<StockReport>) {
    let concerns = move |news: &RunNews| match news {
        RunNews::Stands(told) => told.read::<RunSummary>().is_some_and(|run| {
            let ticker = known.try_with_untracked(|report| report.ticker.clone());
            let kind = run.request.workflow.kind().as_str();
            let is_about = run.subject.as_deref() == ticker.as_ref().map(Ticker::as_str);
            let may_change = matches!(kind, Task::PORTFOLIO | Task::REFLECT) && run.status.is_over();
            (kind == Task::PIPELINE && is_about) || may_change
        }),
        RunNews::Removed(run) => {
            let is_shown = |report: &StockReport| report.analyses.iter().any(|it| it.run == *run);
            known.try_with_untracked(is_shown).unwrap_or(false)
        }
    };
    read_after(concerns, move || async move {
        let Some((ticker, span)) = known.try_with_untracked(|it| (it.ticker.clone(), it.span)) else { return };
        if let Ok(newer) = own_api::stock(ticker, span).await
            && known.try_with_untracked(|known| *known != newer) == Some(true)
        {
            known.try_set(newer);
        }
    });
}

/// `Energy · as of 28 Dec 2022`.
fn heading(report: &StockReport) -> String {
    let last = report.prices.known().and_then(|course| course.closes.last());
    let day = last.map(|last| format!("as of {}", format::day(last.date)));
    let sector = (!report.sector.is_empty()).then(|| report.sector.clone());
    sector.into_iter().chain(day).collect::<Vec<_>>().join(" · ")
}

fn newest_rating(report: &StockReport) -> Option<AnyView> {
    let rated = report.analyses.iter().rev().find_map(|it| Some((it.date, it.run, it.rating.known()?.clone())));
    let (date, run, rating) = rated?;
    let class = format!("pill {}", grade_class(rating.grade));
    let words = format!("{} · {}", rating.grade, format::day(date));
    Some(
        view! { <a class=class href=at(format!("/runs/{run}"))><Icon name=IconName::Star /><span>{words}</span></a> }
            .into_any(),
    )
}

fn cell(label: String, class: &'static str, value: AnyView) -> AnyView {
    view! { <div class="figure"><dt>{label}</dt><dd class=class>{value}</dd></div> }.into_any()
}

/// Close, return beside the index, what is held and its profit, and how many ratings were right.
fn figures(report: &StockReport, shown: usize) -> AnyView {
    let prices: Vec<AnyView> = match &report.prices {
        Measured::Unknown(reason) => {
            vec![cell("Close".to_owned(), "", view! { <NotKnown reason=reason.clone() brief=true /> }.into_any())]
        }
        Measured::Known(course) => {
            let close = course.closes.last().map(|last| {
                cell("Close".to_owned(), "", view! { <span title=course.source.clone()>{grouped(last.close, 2)}</span> }.into_any())
            });
            let fraction = |value: &Measured<Decimal>| match value {
                Measured::Known(value) => signed_percent(*value).into_any(),
                Measured::Unknown(reason) => view! { <NotKnown reason=reason.clone() brief=true /> }.into_any(),
            };
            let index = fraction(&course.index_return);
            let change = cell(
                report.span.label().to_owned(),
                gain_class(course.stock_return.known().copied()),
                view! { {fraction(&course.stock_return)} " " <span class="dim beside">"S&P 500 " {index}</span> }.into_any(),
            );
            close.into_iter().chain([change]).collect()
        }
    };
    let holding = report.positions.get(shown).and_then(|position| position.holding.as_ref());
    let held = match holding {
        None => vec![cell("Held".to_owned(), "", "nothing".into_any())],
        Some(holding) => {
            let value = holding.market_value.map(|value| format!(" · {}", usd(value))).unwrap_or_default();
            let held = format!("{}{value}", holding.quantity.normalize());
            let profit = match (holding.unrealised_profit, holding.unrealised_fraction) {
                (Some(profit), share) => {
                    let share = share.map(|share| format!(" · {}", signed_percent(share))).unwrap_or_default();
                    format!("{}{share}", signed_usd(profit)).into_any()
                }
                (None, _) => view! { <NotKnown reason="no price as of this day" brief=true /> }.into_any(),
            };
            vec![
                cell("Held".to_owned(), "", held.into_any()),
                cell("Unrealised P&L".to_owned(), gain_class(holding.unrealised_profit), profit),
            ]
        }
    };
    view! { {prices} {held} {cell("Ratings borne out".to_owned(), "", borne_out(report).into_any())} }.into_any()
}

/// `2 of 4, 1 open`.
fn borne_out(report: &StockReport) -> String {
    let verdicts: Vec<LessonVerdict> = report
        .analyses
        .iter()
        .filter_map(|analysis| match analysis.outcome {
            AnalysisOutcome::Known { verdict, .. } => Some(verdict),
            AnalysisOutcome::Open { .. } | AnalysisOutcome::Unknown { .. } => None,
        })
        .collect();
    let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    let (right, wrong) = (count(LessonVerdict::BorneOut), count(LessonVerdict::Refuted));
    let is_open = |outcome: &AnalysisOutcome| matches!(outcome, AnalysisOutcome::Open { .. });
    let open = report.analyses.iter().filter(|analysis| is_open(&analysis.outcome)).count();
    let open = if open > 0 { format!(", {open} open") } else { String::new() };
    match right + wrong {
        0 => format!("none yet{open}"),
        judged => format!("{right} of {judged}{open}"),
    }
}
