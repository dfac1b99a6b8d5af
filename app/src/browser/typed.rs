//! What a person typed or chose on the page.

use std::{cell::RefCell, rc::Rc};

use js_sys::Reflect;
use leptos::{
    ev,
    leptos_dom::helpers::WindowListenerHandle,
    prelude::{document, window_event_listener},
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, Event, EventInit, EventTarget},
};

use super::function::{call, part};

/// A field and what a person put into it.
struct Field {
    element: Element,
    /// What holds it: `value`, `checked` or `selectedIndex`.
    property: &'static str,
    value: JsValue,
}

/// Whether any field of the page holds what a person typed or chose.
pub fn has_typed() -> bool {
    !changed().is_empty()
}

/// The fields that are not as they came.
fn changed() -> Vec<Field> {
    let Ok(fields) = document().query_selector_all("input, textarea, select") else { return Vec::new() };
    (0..fields.length())
        .filter_map(|at| fields.item(at)?.dyn_into::<Element>().ok())
        .filter(|element| !is_as_it_came(element))
        .filter_map(read)
        .collect()
}

fn read(element: Element) -> Option<Field> {
    let property = match (element.tag_name().as_str(), element.get_attribute("type").as_deref()) {
        ("SELECT", _) => "selectedIndex",
        ("INPUT", Some("checkbox" | "radio")) => "checked",
        // A file can be chosen by a person only; a slider shows where the page stands.
        ("INPUT", Some("file" | "range")) => return None,
        ("INPUT" | "TEXTAREA", _) => "value",
        _ => return None,
    };
    let value = part(&element, property)?;
    // Of radio buttons, the one that was chosen counts.
    let is_left = element.get_attribute("type").as_deref() == Some("radio") && value.is_falsy();
    (!is_left).then_some(Field { element, property, value })
}

fn is_as_it_came(element: &Element) -> bool {
    let (now, came) = match (element.tag_name().as_str(), element.get_attribute("type").as_deref()) {
        ("SELECT", _) => return is_as_chosen(element),
        ("INPUT", Some("checkbox" | "radio")) => ("checked", "defaultChecked"),
        ("INPUT", Some("file" | "range")) => return true,
        _ => ("value", "defaultValue"),
    };
    part(element, now) == part(element, came)
}

/// Whether a list stands at the option that the document chose, or else at its first.
fn is_as_chosen(list: &Element) -> bool {
    let Ok(options) = list.query_selector_all("option") else { return true };
    let came = (0..options.length()).find(|at| {
        options.item(*at).and_then(|option| part(&option, "defaultSelected")).is_some_and(|it| it.is_truthy())
    });
    part(list, "selectedIndex").and_then(|at| at.as_f64()) == Some(f64::from(came.unwrap_or(0)))
}

/// Keeps what is typed while the page's program takes the page over: taking over sets all fields to what
/// the program knows, which is how they came.
pub struct Typed {
    fields: Rc<RefCell<Vec<Field>>>,
    listeners: [WindowListenerHandle; 2],
}

impl Typed {
    /// Keeps what was typed already, and what is typed from now on.
    pub fn keep() -> Self {
        let fields = Rc::new(RefCell::new(changed()));
        let notice = |fields: &Rc<RefCell<Vec<Field>>>, target: Option<EventTarget>| {
            let element = target.and_then(|target| target.dyn_into::<Element>().ok());
            if let Some(field) = element.and_then(read) {
                let mut fields = fields.borrow_mut();
                fields.retain(|known| known.element != field.element);
                fields.push(field);
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
        for Field { element, property, value } in self.fields.take() {
            Reflect::set(&element, &property.into(), &value).ok();
            for kind in ["input", "change"] {
                let init = EventInit::new();
                init.set_bubbles(true);
                if let Ok(event) = Event::new_with_event_init_dict(kind, &init) {
                    call(&element, "dispatchEvent", &[event.into()]).ok();
                }
            }
        }
    }
}
