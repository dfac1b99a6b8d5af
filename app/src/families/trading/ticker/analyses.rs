//! The past analyses of a stock side by side: what each said, what became of it, what it knew and saw.

use leptos::{ev::KeyboardEvent, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::{
    percent, signed,
    trading::{
        AnalysisOutcome, DecisionScore, FlowOrder, LessonVerdict, LessonsTold, Measured, OrderCourse, OrderEnd,
        PastAnalysis, SeenData, SeenKind, Side, StockReport, Task,
    },
};

use super::grade_class;
use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::{SignLabel, Tone, run_sign},
        table::{Empty, NotKnown},
    },
    families::trading::lesson_cards::tone_of,
    format,
};

/// The table, a column an analysis, oldest first.
#[component]
pub fn Analyses(
    /// The stock.
    report: Memo<StockReport>,
    /// The number of the analysis that is selected.
    selected: RwSignal<Option<usize>>,
) -> impl IntoView {
    let navigate = use_navigate();
    let keys = move |event: KeyboardEvent| {
        let (at, count) = (selected.get_untracked(), report.with_untracked(|report| report.analyses.len()));
        let next = match event.key().as_str() {
            "ArrowLeft" => at.map_or(count, |at| at.saturating_sub(1)).max(1),
            "ArrowRight" => at.map_or(count, |at| at + 1).min(count),
            "Enter" => {
                let run = report.with_untracked(|report| {
                    at.and_then(|at| report.analyses.get(at.checked_sub(1)?)).map(|analysis| analysis.run)
                });
                if let Some(run) = run {
                    navigate(&format!("/runs/{run}"), Default::default());
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        selected.set((count > 0).then_some(next));
    };
    let none = Memo::new(move |_| report.with(|report| report.analyses.is_empty()));
    let remark = move || {
        report.with(|report| match report.has_older_analyses {
            true => {
                let all = at(format!("/runs?q={}&kind={}", escaped(report.ticker.as_str()), Task::PIPELINE));
                view! { {format!("the newest {}, oldest first · ", report.analyses.len())} <a href=all>"all of them"</a> }
                    .into_any()
            }
            false => "oldest first".into_any(),
        })
    };
    view! {
        <section class="card ticker-analyses" aria-labelledby="analyses-heading">
            <header class="card-head">
                <h2 id="analyses-heading">"Past analyses side by side"</h2>
                <span class="dim">{remark}</span>
            </header>
            {move || if none.get() {
                view! {
                    <Empty title="It was never analysed">
                        <p>"Each analysis stands here with its rating, what it saw and knew, and what became of the stock afterwards."</p>
                    </Empty>
                }.into_any()
            } else {
                view! {
                    // Wide tables move within themselves, and the keyboard chooses an analysis.
                    <div
                        class="side-by-side"
                        tabindex="0"
                        role="region"
                        aria-label="Past analyses; arrow keys choose one, Enter opens its run"
                        on:keydown=keys.clone()
                    >
                        {move || report.with(|report| view! { <Columns report=report.clone() selected /> })}
                    </div>
                }.into_any()
            }}
        </section>
    }
}

/// A `^` has no place in an address.
fn escaped(ticker: &str) -> String {
    ticker.replace('^', "%5E")
}

#[component]
fn Columns(report: StockReport, selected: RwSignal<Option<usize>>) -> impl IntoView {
    let heads = report.analyses.iter().enumerate().map(|(place, analysis)| {
        let number = place + 1;
        view! {
            <th scope="col" class:selected=move || selected.get() == Some(number) on:click=move |_| selected.set(Some(number))>
                <Head number analysis=analysis.clone() />
            </th>
        }
    });
    let row = |name: &'static str, cell: &dyn Fn(&PastAnalysis) -> AnyView| {
        let cells = report.analyses.iter().enumerate().map(|(place, analysis)| {
            let number = place + 1;
            let cell = cell(analysis);
            view! {
                <td class:selected=move || selected.get() == Some(number) on:click=move |_| selected.set(Some(number))>{cell}</td>
            }
        });
        view! { <tr><th scope="row">{name}</th>{cells.collect::<Vec<_>>()}</tr> }
    };
    let seen = SeenKind::ALL.into_iter().filter(|kind| {
        report.analyses.iter().any(|analysis| analysis.saw.iter().any(|data| data.kind == *kind))
    });
    let seen: Vec<SeenKind> = seen.collect();
    let seen_rows: Vec<_> = seen
        .iter()
        .map(|kind| {
            let cell = |analysis: &PastAnalysis| seen_cell(analysis.saw.iter().find(|data| data.kind == *kind));
            row(kind.label(), &cell)
        })
        .collect();
    let wide = report.analyses.len() + 1;
    view! {
        <table>
            <thead><tr><td></td>{heads.collect_view()}</tr></thead>
            <tbody>
                {row("Reason", &|analysis| match &analysis.rating {
                    Measured::Known(rating) => rating.summary.clone().into_any(),
                    Measured::Unknown(reason) => view! { <NotKnown reason=reason.clone() /> }.into_any(),
                })}
                {row("30 days later", &|analysis| outcome_cell(&analysis.outcome))}
                {row("Orders", &|analysis| orders_cell(analysis, &report))}
                {row("Lessons it knew", &|analysis| lessons_cell(&analysis.lessons, &report))}
                {row("Model · cost", &model_cell)}
                {(!seen_rows.is_empty()).then(|| view! {
                    <tr class="row-group"><th scope="colgroup" colspan=wide.to_string()>"What it saw"</th></tr>
                })}
                {seen_rows}
            </tbody>
        </table>
    }
}

#[component]
fn Head(number: usize, analysis: PastAnalysis) -> impl IntoView {
    let grade = match &analysis.rating {
        Measured::Known(rating) => {
            let class = format!("grade {}", grade_class(rating.grade));
            let title = rating.grade.with_confidence(rating.confidence);
            view! { <span class=class title=title>{rating.grade.to_string()}</span> }.into_any()
        }
        Measured::Unknown(_) => view! { <SignLabel sign=run_sign(analysis.status) /> }.into_any(),
    };
    let phase = analysis.phase.filter(|_| !analysis.status.is_over());
    view! {
        <a href=at(format!("/runs/{}", analysis.run))>{format!("A{number}")}</a>
        " " {grade} " "
        <span class="dim">{format::day(analysis.date)}</span>
        {phase.map(|phase| view! { <span class="dim">{format!(" · {phase}")}</span> })}
        {analysis.is_imported.then(|| view! { <span class="dim">" · imported"</span> })}
    }
}

/// `+2.6 points`, and both returns.
fn outcome_cell(outcome: &AnalysisOutcome) -> AnyView {
    match outcome {
        AnalysisOutcome::Known { score, verdict } => {
            let icon = match verdict {
                LessonVerdict::BorneOut => IconName::Check,
                LessonVerdict::Refuted => IconName::Cross,
                LessonVerdict::Open => IconName::Minus,
            };
            view! {
                <span class=format!("sign {}", tone_of(*verdict).class())><Icon name=icon /><span>{points(score)}</span></span>
                " "
                <span class="dim">{returns(score, *verdict)}</span>
            }
            .into_any()
        }
        AnalysisOutcome::Open { known_from } => {
            view! { <NotKnown reason=format!("known from {} on", format::day(*known_from)) /> }.into_any()
        }
        AnalysisOutcome::Unknown { reason } => view! { <NotKnown reason=reason.clone() /> }.into_any(),
    }
}

fn points(score: &DecisionScore) -> String {
    match &score.excess {
        Measured::Known(excess) => signed(percent(*excess, 1), *excess).replace(" %", " points"),
        Measured::Unknown(_) => "not compared".to_owned(),
    }
}

fn returns(score: &DecisionScore, verdict: LessonVerdict) -> String {
    let shown = |fraction| signed(percent(fraction, 1), fraction);
    match &score.index_return {
        Measured::Known(index) => format!("{} against {}: {verdict}", shown(score.stock_return), shown(*index)),
        Measured::Unknown(reason) => format!("{}; {reason}", shown(score.stock_return)),
    }
}

/// The orders on the stock that were decided in the same flow as the analysis, in any portfolio.
fn orders_cell(analysis: &PastAnalysis, report: &StockReport) -> AnyView {
    let of_flow = report.positions.iter().flat_map(|position| {
        let orders = position.orders.iter().filter(|it| it.flow.as_ref() == Some(&analysis.flow));
        orders.map(move |FlowOrder { order, .. }| (position, order))
    });
    let lines: Vec<_> = of_flow
        .map(|(position, order)| {
            let words = order_in_words(order);
            let is_only = report.positions.len() == 1;
            let whose = (!is_only).then(|| view! { <span class="dim">{format!(" · {}", position.name)}</span> });
            match order.run {
                Some(run) => view! { <div><a href=at(format!("/decisions/{run}"))>{words}</a>{whose}</div> }.into_any(),
                None => view! { <div>{words}{whose}</div> }.into_any(),
            }
        })
        .collect();
    if lines.is_empty() {
        return view! { <span class="dim">"none in its flow"</span> }.into_any();
    }
    lines.into_any()
}

/// `bought 100 at 74.62`.
pub(super) fn order_in_words(course: &OrderCourse) -> String {
    let OrderCourse { order, end, .. } = course;
    let quantity = order.quantity.normalize();
    match end {
        OrderEnd::Filled { trade } => {
            let act = if trade.side == Side::Buy { "bought" } else { "sold" };
            format!("{act} {} at {}", trade.quantity.normalize(), protocol::grouped(trade.price, 2))
        }
        OrderEnd::Waits => format!("{} {quantity} waits for a price", order.side),
        OrderEnd::Rejected { reasons, .. } => {
            let first = reasons.first().map_or("no reason was kept", String::as_str);
            let more = match reasons.len() {
                0 | 1 => String::new(),
                many => format!(" (and {} more reasons)", many - 1),
            };
            format!("{} {quantity} rejected: {first}{more}", order.side)
        }
    }
}

/// `L1 L2`, as the lessons are numbered on the page.
fn lessons_cell(told: &Measured<LessonsTold>, report: &StockReport) -> AnyView {
    let told = match told {
        Measured::Known(told) => told,
        Measured::Unknown(reason) => return view! { <NotKnown reason=reason.clone() /> }.into_any(),
    };
    let number = |decided| report.lessons.iter().position(|listed| listed.lesson.decided == decided);
    let mut words: Vec<String> = told
        .on_stock
        .iter()
        .map(|decided| match number(*decided) {
            Some(place) => format!("L{}", place + 1),
            None => format!("one on {} that is listed no more", format::day(*decided)),
        })
        .collect();
    words.sort_unstable();
    match told.on_others {
        0 => {}
        1 => words.push("1 on another stock".to_owned()),
        many => words.push(format!("{many} on other stocks")),
    }
    if words.is_empty() {
        return view! { <span class="dim">"none"</span> }.into_any();
    }
    words.join(", ").into_any()
}

fn model_cell(analysis: &PastAnalysis) -> AnyView {
    let models = if analysis.models.is_empty() { "none yet".to_owned() } else { analysis.models.join(", ") };
    let cost = format::cost_of(analysis.cost, analysis.calls_of_unknown_cost);
    let gap = cost.gap.map(|gap| view! { <span class="dim">{format!(" · {gap}")}</span> });
    view! { <span class="dim">{models}</span> {format!(" · {}", cost.known)} {gap} }.into_any()
}

/// `Sample · 252 rows, to 14 Feb 2022`; what was missing stands out.
fn seen_cell(data: Option<&SeenData>) -> AnyView {
    let Some(data) = data else { return view! { <span class="dim">"not asked for"</span> }.into_any() };
    let mut words = data.vendors.join(", ");
    if !data.vendors.is_empty() {
        words.push_str(&format!(" · {} rows", format::count(data.rows)));
        if let Some(to) = data.to {
            words.push_str(&format!(", to {}", format::day(to)));
        }
    }
    let missing = (!data.missing.is_empty()).then(|| {
        let reasons = data.missing.join("; ");
        view! {
            <span class=format!("sign {}", Tone::Attention.class()) title="Missing">
                <Icon name=IconName::CircleHalf />
                <span>{reasons}</span>
            </span>
        }
    });
    view! { {words} " " {missing} }.into_any()
}
