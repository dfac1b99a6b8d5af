//! A button that opens a few acts below it.

use leptos::{ev, html, prelude::*, web_sys::EventTarget};

use super::icon::{Icon, IconName};
use crate::browser;

/// Opens and closes; an act, Escape, and a press or a focus elsewhere close it.
#[component]
pub fn Menu(
    /// The button's icon.
    icon: IconName,
    /// The button's word.
    label: &'static str,
    /// What the button is for.
    title: &'static str,
    /// The acts: buttons and links of the class `menu-item`.
    children: Children,
) -> impl IntoView {
    let menu = NodeRef::<html::Details>::new();
    let close = move || {
        if let Some(menu) = menu.try_get_untracked().flatten() {
            menu.set_open(false);
        }
    };
    let close_unless_inside = move |target: Option<EventTarget>| {
        let menu = menu.try_get_untracked().flatten();
        if menu.is_some_and(|menu| browser::is_inside(&menu, target) == Some(false)) {
            close();
        }
    };
    let leave = move |event: ev::FocusEvent| close_unless_inside(event.related_target());
    Effect::new(move |_| {
        let press = move |event: ev::PointerEvent| close_unless_inside(event.target());
        let listener = window_event_listener(ev::pointerdown, press);
        on_cleanup(move || listener.remove());
    });
    let key = move |event: ev::KeyboardEvent| {
        if event.key() == "Escape" {
            event.stop_propagation();
            close();
        }
    };
    view! {
        <details class="menu" node_ref=menu on:focusout=leave on:keydown=key>
            <summary class="button act" title=title>
                <Icon name=icon />
                <span>{label}</span>
            </summary>
            <div class="menu-items card" on:click=move |_| close()>
                {children()}
            </div>
        </details>
    }
}
