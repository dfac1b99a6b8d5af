//! A dialog that a signal opens and closes.

use leptos::{html, prelude::*};

use crate::browser;

/// Shows its content over the page while `open` holds; the content is made anew each time.
#[component]
pub fn Modal(
    /// Whether it is open; set to false when the person closes it.
    open: RwSignal<bool>,
    /// Its heading.
    #[prop(into)]
    title: Signal<String>,
    /// Keeps its parts apart from those of others.
    id: &'static str,
    /// What it says and asks.
    children: ChildrenFn,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let children = StoredValue::new(children);
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        match (open.get(), dialog.open()) {
            (true, false) => browser::open_dialog(&dialog),
            (false, true) => browser::close_dialog(&dialog),
            _ => {}
        }
    });
    let heading = format!("{id}-title");
    view! {
        <dialog class="dialog wide" node_ref=dialog aria-labelledby=heading on:close=move |_| open.set(false)>
            <h2 id=heading.clone()>{title}</h2>
            <Show when=move || open.get()>{children.with_value(|children| children())}</Show>
        </dialog>
    }
}
