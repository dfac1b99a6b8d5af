//! How much the result can mean: one sentence, then what it rests on.

use leptos::prelude::*;
use protocol::trading::{BacktestReport, Check, CheckKind};

use crate::components::{
    icon::{Icon, IconName},
    status::Tone,
};

/// The verdict; nothing before the end.
#[component]
pub fn VerdictCard(report: RwSignal<BacktestReport>) -> impl IntoView {
    move || {
        let verdict = report.with(|report| report.result.as_ref().map(|result| result.verdict.clone()))?;
        let is_sound = verdict.checks.iter().all(|check| check.is_passed == Some(true));
        let (tone, icon) =
            if is_sound { (Tone::Done, IconName::Check) } else { (Tone::Attention, IconName::Alert) };
        // The findings stand beneath, each with its sign: the sentence's opening is enough above them.
        let opening =
            verdict.sentence.split_once(": ").map_or(verdict.sentence.as_str(), |(opening, _)| opening);
        let opening = format!("{opening}.");
        Some(view! {
            <section class=format!("card backtest-verdict {}", tone.class()) aria-label="How much this can mean">
                <p class="verdict-sentence"><Icon name=icon /> <strong>{opening}</strong></p>
                <ul role="list">{verdict.checks.into_iter().map(|check| view! { <Finding check /> }).collect_view()}</ul>
            </section>
        })
    }
}

#[component]
fn Finding(check: Check) -> impl IntoView {
    let name = match check.kind {
        CheckKind::Length => "Length",
        CheckKind::Trades => "Trades",
        CheckKind::Sharpe => "Sharpe ratio",
        CheckKind::Random => "Random agents",
        CheckKind::CutOff => "Training cut-off",
    };
    let (tone, icon, word) = match check.is_passed {
        Some(true) => (Tone::Done, IconName::Check, "speaks for it"),
        Some(false) => (Tone::Attention, IconName::Alert, "speaks against it"),
        None => (Tone::Quiet, IconName::Help, "not known"),
    };
    view! {
        <li>
            <span class="dim">{name}</span>
            <span class=format!("sign {}", tone.class())>
                <Icon name=icon />
                <span class="visually-hidden">{word}": "</span>
                {check.finding}
            </span>
        </li>
    }
}
