//! What a person typed or chose before the page's program had come.

use std::{cell::RefCell, rc::Rc};

use leptos::{
    ev,
    leptos_dom::helpers::WindowListenerHandle,
    prelude::{document, window_event_listener},
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, EventTarget},
};

use super::field::{FIELDS, Field};

/// A field and what a person put into it.
type Filled = (Field, JsValue);

/// Whether any field of the page holds what a person typed or chose.
pub fn has_typed() -> bool {
    !changed().is_empty()
}

/// The fields that are not as they came.
fn changed() -> Vec<Filled> {
    let fields = Field::all_in(document().query_selector_all(FIELDS));
    fields.into_iter().filter(|field| !field.is_as_it_came()).filter_map(filled).collect()
}

fn filled(field: Field) -> Option<Filled> {
    // Of radio buttons, the one that was chosen counts.
    let value = field.value().filter(|_| !field.is_left())?;
    Some((field, value))
}

/// Keeps what is typed while the page's program takes the page over: taking over sets all fields to what
/// the program knows, which is how they came.
pub struct Typed {
    fields: Rc<RefCell<Vec<Filled>>>,
    listeners: [WindowListenerHandle; 2],
}

impl Typed {
    /// Keeps what was typed already, and what is typed from now on.
    pub fn keep() -> Self {
        let fields = Rc::new(RefCell::new(changed()));
        let notice = |fields: &Rc<RefCell<Vec<Filled>>>, target: Option<EventTarget>| {
            let element = target.and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(now) = element.and_then(Field::of).and_then(filled) {
                let mut fields = fields.borrow_mut();
                fields.retain(|(known, _)| *known != now.0);
                fields.push(now);
            }
        };
        let (typed, chosen) = (fields.clone(), fields.clone());
        let listeners = [
            window_event_listener(ev::input, move |event| notice(&typed, event.target())),
            window_event_listener(ev::change, move |event| notice(&chosen, event.target())),
        ];
        Self { fields, listeners }
    }

    /// Puts all of it back, as if it was typed now.
    pub fn give_back(self) {
        self.listeners.into_iter().for_each(WindowListenerHandle::remove);
        for (field, value) in self.fields.take() {
            field.give_back(&value);
        }
    }
}
