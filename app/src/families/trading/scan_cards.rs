//! What a scan and an automatic run came to: the regime, the proposed stocks, and what became of each.

use leptos::prelude::*;
use protocol::{
    RunId, grouped, percent,
    trading::{AnalysisEnd, AnalysisReason, AutoResult, MacroRegime, Regime, RegimeSignal, Scan, ThesisAngle},
};

use crate::{
    base::at,
    components::{
        icon::{Icon, IconName},
        status::Tone,
        table::{Cell, DataTable, measured},
    },
    markdown::Markdown,
};

fn tone_of(regime: Regime) -> Tone {
    match regime {
        Regime::RiskOn => Tone::Done,
        Regime::RiskOff => Tone::Failed,
        Regime::Transition => Tone::Quiet,
    }
}

/// The regime of the market with its six signals.
#[component]
pub fn RegimeCard(regime: MacroRegime) -> impl IntoView {
    let signals = regime.signals.into_iter().map(|signal| view! { <SignalRow signal /> });
    view! {
        <article class="result-card card">
            <header>
                <span class=format!("grade {}", tone_of(regime.regime).class())>{regime.regime.to_string()}</span>
                <span class="dim">{format!("as of {} · {} confidence", regime.date, regime.confidence)}</span>
            </header>
            <ul class="regime-signals" aria-label="Signals of the regime">{signals.collect_view()}</ul>
        </article>
    }
}

#[component]
fn SignalRow(signal: RegimeSignal) -> impl IntoView {
    let is_fraction = signal.is_fraction;
    let figure = measured(&signal.value, |value| if is_fraction { percent(value, 2) } else { grouped(value, 2) });
    let points = match signal.points {
        1.. => "+1",
        0 => "0",
        _ => "\u{2212}1",
    };
    // What has no figure counts nothing.
    let points = signal.value.known().map(|_| view! { <span class="mono">{points}</span> });
    view! {
        <li>
            <strong>{signal.name}</strong>
            {points}
            <span class="regime-figure">{figure}</span>
            <span class="regime-rule dim">{signal.rule}</span>
        </li>
    }
}

fn angle(angle: ThesisAngle) -> &'static str {
    match angle {
        ThesisAngle::Growth => "growth",
        ThesisAngle::Value => "value",
        ThesisAngle::Catalyst => "catalyst",
        ThesisAngle::Turnaround => "turnaround",
        ThesisAngle::Defensive => "defensive",
        ThesisAngle::Momentum => "momentum",
    }
}

/// The result of a scan.
#[component]
pub fn ScanCard(scan: Scan) -> impl IntoView {
    let Scan { date, timeframe, executive_summary, macro_context, regime, key_themes, risk_factors, missing, .. } =
        scan;
    let has_stocks = !scan.stocks_to_investigate.is_empty();
    let rows = scan.stocks_to_investigate.into_iter().map(|stock| {
        view! {
            <tr role="row">
                <Cell label="Stock"><strong>{stock.ticker.to_string()}</strong></Cell>
                <Cell label="Sector">{stock.sector}</Cell>
                <Cell label="Angle">{angle(stock.thesis_angle)}</Cell>
                <Cell label="Conviction">{stock.conviction.to_string()}</Cell>
                <Cell label="Why"><span class="dim">{stock.rationale}</span></Cell>
            </tr>
        }
    });
    let stocks = if has_stocks {
        view! {
            <DataTable caption="Stocks to analyse" columns=vec!["Stock", "Sector", "Angle", "Conviction", "Why"]>
                {rows.collect_view()}
            </DataTable>
        }
        .into_any()
    } else {
        view! { <p>"No stock is proposed for an analysis."</p> }.into_any()
    };
    let list = |title: &'static str, entries: Vec<String>| {
        let entries = entries.into_iter().map(|entry| view! { <li>{entry}</li> }).collect::<Vec<_>>();
        (!entries.is_empty()).then(|| view! { <h4>{title}</h4> <ul class="reasons">{entries}</ul> })
    };
    let themes = key_themes.iter().map(|theme| format!("{}: {}", theme.theme, theme.description)).collect();
    let missing = missing.iter().map(|missing| format!("{}: {}", missing.input, missing.reason)).collect();
    view! {
        <article class="result-card card">
            <header>
                <span class=format!("grade {}", tone_of(regime.regime).class())>
                    {regime.regime.to_string()}
                </span>
                <span class="result-subject">"Market"</span>
                <span class="dim">{format!("as of {date} · for {timeframe}")}</span>
            </header>
            <Markdown text=executive_summary.as_str() />
            {stocks}
            <details>
                <summary>"Context, risks and what was missing"</summary>
                <h4>"Economic cycle"</h4>
                <p>{macro_context.economic_cycle}</p>
                <h4>"Central banks"</h4>
                <p>{macro_context.central_bank_stance}</p>
                {list("Geopolitical risks", macro_context.geopolitical_risks)}
                {list("Themes", themes)}
                {list("Risk factors", risk_factors)}
                {list("Missing", missing)}
            </details>
        </article>
    }
}

/// The result of an automatic run.
#[component]
pub fn AutoCard(headline: String, result: AutoResult) -> impl IntoView {
    let rows = result.analyses.into_iter().map(|analysis| {
        let because = match analysis.because {
            AnalysisReason::Scan => "the scan proposed it",
            AnalysisReason::Holding => "it is held",
        };
        view! {
            <tr role="row">
                <Cell label="Stock"><strong>{analysis.ticker.to_string()}</strong></Cell>
                <Cell label="Because">{because}</Cell>
                <Cell label="Came to"><CameTo end=analysis.end /></Cell>
            </tr>
        }
    });
    let waiting = match result.waiting {
        0 => String::new(),
        waiting => format!(", {waiting} waiting for a price"),
    };
    view! {
        <article class="result-card card">
            <header>
                <span class="result-subject">{headline}</span>
                <span class="dim">{format!("as of {}", result.date)}</span>
            </header>
            <DataTable caption="Analyses" columns=vec!["Stock", "Because", "Came to"]>
                {rows.collect_view()}
            </DataTable>
            <p>
                <RunLink run=result.scan>"The scan"</RunLink>
                " · "
                <RunLink run=result.portfolio_run>"The portfolio’s run"</RunLink>
                {format!(": {} executed{waiting}, {} rejected", result.trades, result.rejected)}
            </p>
        </article>
    }
}

/// What became of one stock.
#[component]
fn CameTo(end: AnalysisEnd) -> impl IntoView {
    match end {
        AnalysisEnd::Rated { run, grade, confidence } => {
            let words = grade.with_confidence(confidence);
            view! { <RunLink run=run>{words}</RunLink> }.into_any()
        }
        AnalysisEnd::Known { run, grade, confidence } => {
            let words = grade.with_confidence(confidence);
            view! { <RunLink run=run>{words}</RunLink> " as the flow had it already" }.into_any()
        }
        AnalysisEnd::Failed { reason } => view! {
            <span class=format!("sign {}", Tone::Failed.class())>
                <Icon name=IconName::Cross />
                {format!("failed: {reason}")}
            </span>
        }
        .into_any(),
    }
}

#[component]
fn RunLink(run: RunId, children: Children) -> impl IntoView {
    view! { <a href=at(format!("/runs/{run}"))>{children()}</a> }
}
