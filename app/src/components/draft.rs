//! A form whose content outlives a reload until it is sent.

use std::{rc::Rc, time::Duration};

use leptos::{
    ev,
    html::ElementType,
    prelude::*,
    wasm_bindgen::JsCast,
    web_sys::{Element, Event},
};

use crate::browser::drafts::{self, FormDraft};

/// How often it is looked whether drafts can be read, or whether a form has grown a place for what is to be put back,
/// and how many times.
const LOOK_EVERY: Duration = Duration::from_millis(200);
const LOOKS: u32 = 150;

/// Keeps what is typed and chosen in the form that it is given to, under a name of all forms of the site, and puts
/// back what is kept of it. Whoever sends the form forgets it: [`forget_draft`](drafts::forget_draft).
pub fn draft_of<E>(name: impl Fn() -> String + 'static) -> NodeRef<E>
where
    E: ElementType + 'static,
    E::Output: JsCast + Clone + 'static,
{
    let node = NodeRef::<E>::new();
    let name = Rc::new(name);
    Effect::new(move |_| {
        let Some(form) = node.get() else { return };
        let draft = Rc::new(FormDraft::new(form.unchecked_into::<Element>()));
        let noting = || {
            let (draft, name) = (draft.clone(), name.clone());
            move |event: &Event| draft.note(event, &name())
        };
        let (typed, chosen) = (noting(), noting());
        let typed = window_event_listener(ev::input, move |event| typed(&event));
        let chosen = window_event_listener(ev::change, move |event| chosen(&event));
        // A button or a key may change fields; that is to be seen once the page has done what it asks for.
        let looking = || {
            let (draft, name) = (draft.clone(), name.clone());
            move |event: &Event| {
                if draft.is_target(event) {
                    let (draft, name) = (draft.clone(), name.clone());
                    request_animation_frame(move || draft.note_changes(&name()));
                }
            }
        };
        let (clicked, pressed) = (looking(), looking());
        let clicked = window_event_listener(ev::click, move |event| clicked(&event));
        let pressed = window_event_listener(ev::keydown, move |event| {
            // A key that writes a letter has an event of its own, and is the most frequent one.
            if event.key().chars().nth(1).is_some() {
                pressed(&event);
            }
        });
        on_cleanup(move || {
            typed.remove();
            chosen.remove();
            clicked.remove();
            pressed.remove();
        });
        let name = name.clone();
        once_drafts_are_known(move || {
            draft.take_up(&name());
            put_back(draft, LOOKS);
        });
    });
    node
}

/// Does something once drafts can be read.
pub fn once_drafts_are_known(act: impl FnOnce() + 'static) {
    fn look(act: Box<dyn FnOnce()>, looks: u32) {
        match drafts::are_known() {
            true => act(),
            false if looks > 0 => set_timeout(move || look(act, looks - 1), LOOK_EVERY),
            false => {}
        }
    }
    look(Box::new(act), LOOKS);
}

/// Some fields come only with what is put back, or with what the server answers.
fn put_back(draft: Rc<FormDraft>, looks: u32) {
    draft.put_back();
    if looks > 0 && draft.is_missing_something() {
        set_timeout(move || put_back(draft, looks - 1), LOOK_EVERY);
    }
}
