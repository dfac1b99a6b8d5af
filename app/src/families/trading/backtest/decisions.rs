//! A cell for each analysis, in the order of time. Each opens its run.

use std::collections::BTreeMap;

use leptos::prelude::*;
use protocol::{
    Date, RunId,
    trading::{AnalysisEnd, BacktestReport, Grade, Ticker},
};

use crate::base::at;

/// The cells, a row for each stock.
#[component]
pub fn Decisions(report: RwSignal<BacktestReport>) -> impl IntoView {
    let failures = move || {
        report.with(|report| {
            let failed = report.steps.iter().filter_map(|step| {
                let reason = step.failed.clone()?;
                Some(view! {
                    <li class="sign tone-failed">
                        <span aria-hidden="true">"✕"</span>
                        <a href=at(format!("/runs/{}", step.run))>{step.date.to_string()}</a>
                        {format!(": the decision came to nothing. {reason}")}
                    </li>
                })
            });
            failed.collect_view()
        })
    };
    view! {
        <section class="card" aria-labelledby="decisions-heading">
            <header class="card-head">
                <h2 id="decisions-heading">"Decisions"</h2>
                <span class="dim">"B buy · O overweight · U underweight · S sell · empty hold · press one to open its run"</span>
            </header>
            <div class="backtest-table" tabindex="0" role="region" aria-labelledby="decisions-heading">
                {move || report.with(rows)}
            </div>
            <ul class="backtest-notes" role="list">{failures}</ul>
        </section>
    }
}

/// What a cell shows.
struct Shown {
    run: Option<RunId>,
    letter: &'static str,
    words: String,
    class: &'static str,
}

fn rows(report: &BacktestReport) -> AnyView {
    let Some(schedule) = &report.schedule else {
        return view! { <p class="empty-state">"Each analysis will have a cell here, once the days are known."</p> }
            .into_any();
    };
    let mut known: BTreeMap<(&Ticker, Date), Shown> = BTreeMap::new();
    for step in &report.steps {
        for analysis in &step.analyses {
            known.insert((&analysis.ticker, step.date), shown(&analysis.end, analysis.run));
        }
    }
    let rows = schedule.tickers.iter().map(|ticker| {
        let cells = schedule.decisions.iter().map(|date| match known.get(&(ticker, *date)) {
            Some(Shown { run, letter, words, class }) => {
                let words = format!("{ticker} on {date}: {words}");
                match run {
                    Some(run) => view! {
                        <a class=format!("decision-cell {class}") href=at(format!("/runs/{run}")) title=words.clone() aria-label=words>
                            {*letter}
                        </a>
                    }
                    .into_any(),
                    None => view! { <span class=format!("decision-cell {class}") title=words>{*letter}</span> }.into_any(),
                }
            }
            None => view! { <span class="decision-cell to-come" title=format!("{ticker} on {date}: to come")></span> }.into_any(),
        });
        let name = ticker.to_string();
        view! { <div class="decision-row"><strong>{name}</strong> {cells.collect::<Vec<_>>()}</div> }
    });
    rows.collect_view().into_any()
}

fn shown(end: &AnalysisEnd, run: Option<RunId>) -> Shown {
    match end {
        AnalysisEnd::Rated { grade, confidence, .. } | AnalysisEnd::Known { grade, confidence, .. } => {
            let (letter, class) = match grade {
                Grade::Buy => ("B", "up"),
                Grade::Overweight => ("O", "up"),
                Grade::Hold => ("", ""),
                Grade::Underweight => ("U", "down"),
                Grade::Sell => ("S", "down"),
                Grade::Review => ("?", "failed"),
            };
            Shown { run, letter, words: format!("{grade}, {confidence} confidence"), class }
        }
        AnalysisEnd::Failed { reason } => {
            Shown { run, letter: "✕", words: format!("failed: {reason}"), class: "failed" }
        }
    }
}
