//! A backtest on the page of its run: when it decides, and what it came to. The whole has a page of its own.

use leptos::prelude::*;
use protocol::trading::{BacktestResult, BacktestSchedule};

use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::Tone,
    },
};

/// The days of a backtest.
#[component]
pub fn ScheduleCard(headline: String, schedule: BacktestSchedule) -> impl IntoView {
    let tickers: Vec<String> = schedule.tickers.iter().map(ToString::to_string).collect();
    let range = schedule.days.first().zip(schedule.days.last());
    let range = range.map(|(first, last)| format!(" · {first} to {last}"));
    view! {
        <article class="result-card card">
            <header>
                <span class="result-subject">{headline}</span>
                <span class="dim">{tickers.join(", ")}{range}</span>
            </header>
            <p><a href=at(format!("/backtests/{}", schedule.run))>"Decisions, equity and figures"</a></p>
        </article>
    }
}

/// What a backtest came to.
#[component]
pub fn BacktestCard(headline: String, result: BacktestResult) -> impl IntoView {
    let is_sound = result.verdict.checks.iter().all(|check| check.is_passed == Some(true));
    let (tone, icon) =
        if is_sound { (Tone::Done, IconName::Check) } else { (Tone::Attention, IconName::Alert) };
    view! {
        <article class="result-card card">
            <header>
                <span class="result-subject">{headline}</span>
                <span class="dim">{format!("{} trades in {} decisions", result.trades.len(), result.decisions)}</span>
            </header>
            <p><span class=format!("sign {}", tone.class())><Icon name=icon /></span> {result.verdict.sentence}</p>
            <p><a class="button primary" href=at(format!("/backtests/{}", result.run))>"Open the results"</a></p>
        </article>
    }
}
