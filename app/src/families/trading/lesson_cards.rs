//! What a reflection came to: a lesson, and what became of each decision.

use leptos::prelude::*;
use protocol::{
    Decimal, percent, signed,
    trading::{Lesson, LessonVerdict, Measured, ReflectedDecision, Reflection, ReflectionEnd, UnscoredDecision},
};

use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::Tone,
        table::{Cell, DataTable, gain_class, measured},
    },
    format,
};

/// How an outcome is to be taken.
pub fn tone_of(verdict: LessonVerdict) -> Tone {
    match verdict {
        LessonVerdict::BorneOut => Tone::Done,
        LessonVerdict::Refuted => Tone::Failed,
        LessonVerdict::Open => Tone::Quiet,
    }
}

/// A return with its sign: `+8.59 %`.
pub fn signed_percent(value: Decimal) -> String {
    signed(percent(value, 2), value)
}

/// A figure that is a gain, a loss or not known.
#[component]
pub fn Return(value: Measured<Decimal>) -> impl IntoView {
    let class = gain_class(value.known().copied());
    view! { <span class=class>{measured(&value, signed_percent)}</span> }
}

/// A lesson with the outcome that it rests on.
#[component]
pub fn LessonCard(lesson: Lesson) -> impl IntoView {
    let Lesson { ticker, decided, decided_by, grade, score, verdict, .. } = lesson;
    let moves = score.largest_moves.iter().map(|it| {
        view! { <li>{format!("{}: {}", format::day(it.date), signed_percent(it.change))}</li> }
    });
    let moves = moves.collect_view();
    view! {
        <article class="result-card card">
            <header>
                <span class=format!("grade {}", tone_of(verdict).class())>{verdict.to_string()}</span>
                <span class="result-subject">{ticker.to_string()}</span>
                <span class="dim">
                    <a href=at(format!("/runs/{decided_by}"))>{format!("{grade} of {decided}")}</a>
                    {format!(" · known on {}", format::day(score.until))}
                </span>
            </header>
            <dl class="facts">
                <div><dt>"Stock"</dt><dd class=gain_class(Some(score.stock_return))>{signed_percent(score.stock_return)}</dd></div>
                <div><dt>"Index"</dt><dd><Return value=score.index_return /></dd></div>
                <div><dt>"Against the index"</dt><dd><Return value=score.excess /></dd></div>
                <div><dt>"Best close"</dt><dd>{signed_percent(score.best)}</dd></div>
                <div><dt>"Worst close"</dt><dd>{signed_percent(score.worst)}</dd></div>
            </dl>
            <LessonText situation=lesson.situation entry_advice=lesson.entry_advice exit_advice=lesson.exit_advice />
            <details>
                <summary>"How it was scored"</summary>
                <p>
                    {format!(
                        "From the close of {} to that of {}, the first one {} days later. The highest close came after {} trading days. Prices: {}.",
                        format::day(score.from),
                        format::day(score.until),
                        score.horizon_days,
                        score.days_to_peak,
                        score.source,
                    )}
                </p>
                <h4>"Largest moves"</h4>
                <ul class="reasons">{moves}</ul>
            </details>
        </article>
    }
}

/// What is to be learnt, in the model's words.
#[component]
pub fn LessonText(situation: String, entry_advice: String, exit_advice: String) -> impl IntoView {
    view! {
        <div class="lesson-text">
            <p>{situation}</p>
            <p><strong>"Before a purchase: "</strong>{entry_advice}</p>
            <p><strong>"What is held: "</strong>{exit_advice}</p>
        </div>
    }
}

/// The result of a reflection.
#[component]
pub fn ReflectionCard(headline: String, reflection: Reflection) -> impl IntoView {
    let Reflection { date, horizon_days, decisions, unscored, left } = reflection;
    let has_decisions = !decisions.is_empty();
    let rows = decisions.into_iter().map(|decision| view! { <DecisionRow decision /> }).collect_view();
    let unscored = unscored.into_iter().map(|UnscoredDecision { ticker, decided, reason }| {
        view! { <li>{format!("{ticker} of {decided} is not scored: {reason}")}</li> }
    });
    let unscored = unscored.collect_view();
    view! {
        <article class="result-card card">
            <header>
                <span class="result-subject">{headline}</span>
                <span class="dim">{format!("as of {date} · {horizon_days} days after each decision")}</span>
            </header>
            {has_decisions.then(|| view! {
                <DataTable caption="Decisions" columns=vec!["Stock", "Rated", "Came to"]>{rows}</DataTable>
            })}
            <ul class="reasons">{unscored}</ul>
            {(left > 0).then(|| view! { <p>{format!("{left} decisions are left for a later reflection.")}</p> })}
            <p><a href=at("/lessons")>"All lessons"</a></p>
        </article>
    }
}

#[component]
fn DecisionRow(decision: ReflectedDecision) -> impl IntoView {
    let ReflectedDecision { ticker, decided, decided_by, end } = decision;
    let end = match end {
        ReflectionEnd::Written { verdict } => view! {
            <span class=format!("sign {}", tone_of(verdict).class())>{format!("a lesson: {verdict}")}</span>
        }
        .into_any(),
        ReflectionEnd::Known => "another run has the lesson".into_any(),
        ReflectionEnd::Failed { reason } => view! {
            <span class=format!("sign {}", Tone::Failed.class())>
                <Icon name=IconName::Cross />
                {format!("failed: {reason}")}
            </span>
        }
        .into_any(),
    };
    view! {
        <tr role="row">
            <Cell label="Stock"><strong>{ticker.to_string()}</strong></Cell>
            <Cell label="Rated"><a href=at(format!("/runs/{decided_by}"))>{format::day(decided)}</a></Cell>
            <Cell label="Came to">{end}</Cell>
        </tr>
    }
}
