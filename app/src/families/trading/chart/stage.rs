//! What a chart over many days is read off with: the pointer, and keys that move by days and by months.

use leptos::{ev::KeyboardEvent, html, prelude::*, web_sys::PointerEvent};

use super::place_by_key;

/// Trading days of a month.
const MONTH: usize = 21;

/// The place that is read off: the cursor's, or the newest where there is none.
pub fn place_of(cursor: RwSignal<Option<usize>>, newest: Memo<usize>) -> Memo<usize> {
    Memo::new(move |_| cursor.get().unwrap_or(newest.get()).min(newest.get()))
}

/// A chart as a slider whose values are its days.
#[component]
pub fn ChartStage(
    /// The element, to be measured.
    stage: NodeRef<html::Div>,
    /// Its classes.
    class: &'static str,
    /// What it is called, with the keys that it knows.
    label: &'static str,
    /// The place that is read off, from 0; `None` while none is.
    cursor: RwSignal<Option<usize>>,
    /// The last place.
    newest: Memo<usize>,
    /// The place nearest to so many pixels from the left; `None` while nothing is drawn.
    nearest: impl Fn(f64) -> Option<usize> + Copy + 'static,
    /// Where a key leads that is this chart's own, from a place; `None` for other keys.
    place_by_mark: impl Fn(&str, usize) -> Option<usize> + Copy + 'static,
    /// What is read off, in words.
    words: Signal<Option<String>>,
    /// The picture.
    children: Children,
) -> impl IntoView {
    let place = place_of(cursor, newest);
    let point_at = move |event: PointerEvent| cursor.set(nearest(f64::from(event.offset_x())));
    let step = move |event: KeyboardEvent| {
        let (key, at) = (event.key(), place.get_untracked());
        let stride = if event.shift_key() { MONTH } else { 1 };
        let marked = place_by_mark(&key, at).map(Some);
        let next = marked.or_else(|| place_by_key(&key, at, newest.get_untracked(), stride, MONTH));
        let Some(next) = next else { return };
        event.prevent_default();
        cursor.set(next);
    };
    view! {
        <div
            class=class
            node_ref=stage
            tabindex="0"
            role="slider"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax=move || newest.get().to_string()
            aria-valuenow=move || place.get().to_string()
            aria-valuetext=move || words.get()
            on:pointermove=point_at
            on:pointerdown=point_at
            on:pointerleave=move |_| cursor.set(None)
            on:keydown=step
        >
            {children()}
        </div>
    }
}
