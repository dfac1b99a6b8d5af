//! A run of the chosen kind that works offline.

use leptos::prelude::*;
use protocol::{ModelChoice, StartRun, Workflow};
use serde_json::Value;

use super::draft::Draft;
use crate::components::icon::{Icon, IconName};

/// Words of the sample that are shown at most.
const MOST_WORDS: usize = 4;

/// What the sample is, and the button that starts it.
#[component]
pub fn Sample(
    /// The form's values.
    draft: Draft,
    /// Starts a run.
    start: Callback<StartRun>,
    /// Whether one is being started.
    busy: Memo<bool>,
) -> impl IntoView {
    let sample = Memo::new(move |_| draft.offer(|offer| offer.startable.sample.clone()).flatten());
    let run = move |_| {
        if let Some(workflow) = sample.get_untracked()
            && !busy.get_untracked()
        {
            let model = ModelChoice::Rehearsal { characters_per_second: None };
            start.run(StartRun { model, ..StartRun::new(workflow) });
        }
    };
    let words = move || match sample.get() {
        Some(workflow) => {
            let about = about(&workflow);
            let about = about.trim_end_matches('.');
            format!("{about}. The rehearsal answers in place of a model: no network, no cost.")
        }
        None => "There is nothing to make a sample of yet.".to_owned(),
    };
    view! {
        <section class="start-part" aria-labelledby="sample-heading">
            <h3 id="sample-heading">"Offline sample"</h3>
            <p class="dim">{words}</p>
            <button
                type="button"
                class="button"
                disabled=move || sample.with(Option::is_none)
                aria-disabled=move || busy.get().then_some("true")
                on:click=run
            >
                <Icon name=IconName::Play />
                "Run the sample"
            </button>
        </section>
    }
}

/// `AAPL, 2022-12-30`: the short values among its parameters.
fn about(workflow: &Workflow) -> String {
    let short = |value: &Value| match value {
        Value::String(text) if text.chars().count() <= 60 => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) if values.len() == 1 => values.first()?.as_str().map(str::to_owned),
        _ => None,
    };
    let words: Vec<String> = workflow.parameters().values().filter_map(short).take(MOST_WORDS).collect();
    if words.is_empty() { "A run that shows what this does".to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_sample_is_told_by_its_short_values() {
        let workflow = |parameters: Value| {
            Workflow::new("essay".parse().unwrap(), parameters.as_object().unwrap().clone()).unwrap()
        };
        let essay =
            workflow(json!({ "topic": "rain", "rounds": 3, "style": { "mood": "calm" }, "who": ["a", "b"] }));
        assert_eq!(about(&essay), "rain, 3");
        assert_eq!(about(&workflow(json!({ "text": "w".repeat(61) }))), "A run that shows what this does");
    }
}
