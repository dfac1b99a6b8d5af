//! The flow that a run joins.

use leptos::prelude::*;
use protocol::{FlowId, FlowSpec, ListedRun};

use super::{
    draft::Draft,
    request::{FlowChoice, counted, flows, reads_of},
};
use crate::components::{choice::choice, schema::Note};

/// A new flow, or one of those of recent runs.
#[component]
pub fn FlowSelect(
    /// Recent runs, newest first.
    recent: Signal<Vec<ListedRun>>,
    /// The form's values.
    draft: Draft,
) -> impl IntoView {
    let value = draft.flow;
    let reads = Memo::new(move |_| {
        let kind = draft.kind.get()?;
        draft.offers.with_value(|offers| reads_of(offers, &kind).cloned())
    });
    let choices = Memo::new(move |_| {
        let reads = reads.get();
        let label = |choice: FlowChoice| (choice.label(reads.as_ref()), choice);
        recent.with(|recent| flows(recent, reads.as_ref())).into_iter().map(label).collect::<Vec<_>>()
    });
    let chosen = Memo::new(move |_| {
        let flow = value.get()?;
        choices.with(|choices| choices.iter().map(|(_, choice)| choice).find(|it| it.flow == flow).cloned())
    });
    let hint = Signal::derive(move || {
        let FlowSpec { new, joined, reads } = draft.offer(|offer| offer.startable.spec.flow.clone())?;
        Some(match (value.get(), reads, chosen.get()) {
            (None, ..) => new,
            (Some(_), Some(reads), Some(FlowChoice { results: 0, .. })) => reads.none,
            (Some(_), Some(reads), Some(choice)) => {
                reads.some.replace("{}", &counted(&reads, choice.results))
            }
            (Some(_), ..) => joined,
        })
    });
    // A flow that an address names can be older than the recent runs; it must stay a choice.
    let unlisted = move || value.get().filter(|_| chosen.with(Option::is_none));
    let choose = move |event| value.set(event_target_value(&event).parse().ok());
    let is_chosen = move |flow: &FlowId| value.with(|chosen| chosen.as_ref() == Some(flow));
    view! {
        <div class="field">
            <label for="flow">"Flow"</label>
            <select id="flow" class="input" name="flow" aria-describedby="flow-note" on:change=choose>
                {choice("", "New flow", move || value.with(Option::is_none))}
                {move || unlisted().map(|flow| view! { <option value=flow.to_string() selected=true>{format!("Flow {flow}")}</option> })}
                <For each=move || choices.get() key=|(label, _)| label.clone() let((label, listed))>
                    {
                        let flow = StoredValue::new(listed.flow);
                        choice(flow.get_value().to_string(), label, move || flow.with_value(|flow| is_chosen(flow)))
                    }
                </For>
            </select>
            <Note id="flow" fault=Signal::stored(None::<String>) hint />
        </div>
    }
}
