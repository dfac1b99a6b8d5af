//! The events of one node, in the inspector.

use leptos::prelude::*;
use protocol::NodeId;

use super::{events::headline_of, log::Loading, screen::Screen};
use crate::components::notice::InlineProblem;

/// Rows at most; the table has them all.
const ROWS: usize = 200;

/// The newest events of a node, oldest first.
#[component]
pub fn NodeEvents(screen: Screen, id: NodeId) -> impl IntoView {
    let log = screen.log;
    Effect::new(move |_| log.load());
    let events = log.filtered(Signal::stored(id), |id, event| event.node.as_ref() == Some(id));
    let hidden = move || events.with(|events| events.len().saturating_sub(ROWS));
    let rows = move || events.with(|events| events[events.len().saturating_sub(ROWS)..].to_vec());
    view! {
        {move || match log.loading.get() {
            Loading::Idle | Loading::Busy => Some(view! { <p class="dim">"Loading the log …"</p> }.into_any()),
            Loading::Failed(error) => {
                Some(view! { <InlineProblem text=error.to_string() /> }.into_any())
            }
            Loading::Done => None,
        }}
        {move || {
            (hidden() > 0).then(|| view! { <p class="dim">{format!("{} older ones stand in the table of events.", hidden())}</p> })
        }}
        <ol class="node-events">
            <For each=rows key=|event| event.seq let:event>
                <li>
                    <span class="mono dim">{event.seq}</span>
                    <span>{event.body.kind().replace('_', " ")}</span>
                    <span class="dim node-event-line">{headline_of(&event)}</span>
                </li>
            </For>
        </ol>
    }
}
