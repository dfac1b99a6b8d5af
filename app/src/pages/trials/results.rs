//! What the step and its trials came to, side by side.

use leptos::prelude::*;
use protocol::{ModelChoice, RunId, StepOutcome, TrialOutcome, TrialReport, TriedStep};

use crate::{
    base::at,
    components::{
        long_text::{LongText, Reading},
        product::tone_of,
        status::{SignLabel, run_sign},
    },
    format,
};

/// The step as it was, then its trials.
#[component]
pub fn Results(original: RunId, step: TriedStep, report: RwSignal<TrialReport>) -> impl IntoView {
    let trials = move || report.with(|report| report.trials.clone());
    view! {
        <section class="trial-results" aria-label="Results">
            <article class="card trial-result">
                <header><h2>"As it was"</h2></header>
                <Came run=original outcome=step.outcome />
            </article>
            <For each=trials key=|trial| (trial.run, trial.status) let:trial>
                <Trial trial />
            </For>
        </section>
        {move || report.with(|report| report.trials.is_empty()).then(|| view! {
            <p class="quiet">"Nothing was tried yet. Say above what to change, look at the cost, and start."</p>
        })}
        {move || report.with(|report| report.more).then(|| view! {
            <p class="quiet">{format!("Older trials than these {} are in the list of runs.", TrialReport::MOST)}</p>
        })}
    }
}

#[component]
fn Trial(trial: TrialOutcome) -> impl IntoView {
    let changes = changes(&trial);
    let address = at(format!("/runs/{}", trial.run));
    let number = if trial.of > 1 {
        format!("{}, try {} of {}", trial.name, trial.number, trial.of)
    } else {
        trial.name.clone()
    };
    view! {
        <article class="card trial-result">
            <header>
                <h2><a href=address>{format!("Variant {number}")}</a></h2>
                <SignLabel sign=run_sign(trial.status) />
            </header>
            <p class="dim">{changes}</p>
            {trial.error.clone().map(|error| view! { <p class="note fault">{error}</p> })}
            <Came run=trial.run outcome=trial.outcome />
        </article>
    }
}

/// What was changed, in words.
fn changes(trial: &TrialOutcome) -> String {
    let model = match &trial.model {
        ModelChoice::Configured => "the configured model".to_owned(),
        ModelChoice::Rehearsal { .. } => "the rehearsal".to_owned(),
        ModelChoice::Profile { name } => format!("the model {name}"),
    };
    let tier = trial.tier.map(|tier| format!("tier {}", tier.label()));
    let temperature = trial.temperature.map(|temperature| format!("temperature {}", temperature.value()));
    let messages = match trial.changed_messages {
        0 => None,
        1 => Some("1 changed message".to_owned()),
        many => Some(format!("{many} changed messages")),
    };
    let all: Vec<String> = [Some(model), tier, temperature, messages].into_iter().flatten().collect();
    all.join(", ")
}

#[component]
fn Came(run: RunId, outcome: StepOutcome) -> impl IntoView {
    let cost = match outcome.cost {
        Some(cost) => format::dollars(cost),
        None => "unknown".to_owned(),
    };
    let time = outcome.duration_ms.map_or_else(|| "not over".to_owned(), format::duration);
    let figures = [
        ("Model", if outcome.models.is_empty() { "none yet".to_owned() } else { outcome.models.join(", ") }),
        ("Tokens", format::tokens(outcome.usage)),
        ("Cost", cost),
        ("Time", time),
    ];
    let figures =
        figures.into_iter().map(|(name, value)| view! { <dt>{name}</dt><dd class="digits">{value}</dd> });
    let products = outcome.products.iter().map(|product| {
        view! { <li><span class=format!("grade {}", tone_of(product.tone).class())>{product.headline.clone()}</span></li> }
    });
    let products = products.collect_view();
    let has_answer = !outcome.answer.is_empty();
    view! {
        {(!products.is_empty()).then(|| view! { <ul class="trial-products">{products}</ul> })}
        <dl class="trial-figures">{figures.collect_view()}</dl>
        {outcome.failed.map(|why| view! { <p class="note fault">{why}</p> })}
        {has_answer.then(|| view! { <LongText run text=outcome.answer reading=Reading::Prose /> })}
    }
}
