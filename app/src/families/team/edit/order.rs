//! Places in an order: one of several moves up and down by buttons, and by Alt with the arrow keys.

use leptos::{ev::KeyboardEvent, prelude::*};
use serde_json::Value;

use super::{draft::Draft, part_id};
use crate::browser;

/// One of the several in a list of a team.
#[derive(Clone, Copy)]
pub(super) struct Ordered {
    pub(super) draft: Draft,
    /// The place of the team.
    pub(super) team: StoredValue<String>,
    /// The list within the team.
    pub(super) list: &'static str,
    /// Its number in the list, from 0.
    pub(super) number: usize,
    /// How many there are.
    pub(super) count: Memo<usize>,
    /// Lets two of them change places.
    pub(super) swap: fn(&mut Value, usize, usize),
    /// Takes one out.
    pub(super) remove: fn(&mut Value, usize),
}

impl Ordered {
    fn swap(self, with: usize) {
        let Self { draft, team, list, number, count, swap, .. } = self;
        if with < count.get_untracked() {
            team.with_value(|place| draft.step(place, |team| swap(team, number, with)));
            team.with_value(|place| browser::focus_id(&part_id(&format!("{place}/{list}/{with}"))));
        }
    }

    /// Moves it where the key asks for that.
    pub(super) fn by_key(self, event: KeyboardEvent) {
        let with = match event.key().as_str() {
            "ArrowUp" if event.alt_key() => self.number.checked_sub(1),
            "ArrowDown" if event.alt_key() => Some(self.number + 1),
            _ => return,
        };
        event.prevent_default();
        // What stands within another moves alone.
        event.stop_propagation();
        if let Some(with) = with {
            self.swap(with);
        }
    }
}

/// The buttons that move it, and the one that takes it out.
#[component]
pub(super) fn OrderActs(
    one: Ordered,
    /// What the buttons are named after, where it is not told by what stands around them.
    #[prop(optional)]
    name: Option<Memo<String>>,
) -> impl IntoView {
    let Ordered { draft, team, number, count, remove, .. } = one;
    let is_last = move || number + 1 >= count.get();
    let take_out = move |_| team.with_value(|place| draft.step(place, |team| remove(team, number)));
    let label = move |words: fn(&str) -> String| move || name.map(|name| name.with(|name| words(name)));
    view! {
        <div class="page-acts">
            <button type="button" class="button" title="Alt ↑" disabled={number == 0} aria-label=label(|name| format!("Move {name} up")) on:click=move |_| one.swap(number.saturating_sub(1))>"Up"</button>
            <button type="button" class="button" title="Alt ↓" disabled=is_last aria-label=label(|name| format!("Move {name} down")) on:click=move |_| one.swap(number + 1)>"Down"</button>
            <button type="button" class="button danger" aria-label=label(|name| format!("Remove {name}")) on:click=take_out>"Remove"</button>
        </div>
    }
}
