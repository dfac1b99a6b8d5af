//! Fields of forms: what a person put into them.

use js_sys::Reflect;
use leptos::{
    wasm_bindgen::{JsCast, JsValue},
    web_sys::{Element, Event, EventInit},
};

use super::function::{call, part};

/// What a person does with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Types a text.
    Text,
    /// Ticks a box, or takes the tick away.
    Check,
    /// Chooses one of some buttons.
    Radio,
    /// Chooses from a list.
    List,
}

impl Kind {
    /// `None` for what is no field, and for what a page cannot put back: a file can be chosen by a person only, and
    /// a slider shows where the page stands.
    fn of(element: &Element) -> Option<Self> {
        match (element.tag_name().as_str(), element.get_attribute("type").as_deref()) {
            ("TEXTAREA", _) => Some(Self::Text),
            ("SELECT", _) => Some(Self::List),
            ("INPUT", Some("checkbox")) => Some(Self::Check),
            ("INPUT", Some("radio")) => Some(Self::Radio),
            ("INPUT", Some("file" | "range" | "hidden" | "submit" | "button" | "reset" | "image")) => None,
            ("INPUT", _) => Some(Self::Text),
            _ => None,
        }
    }

    /// The property that holds what a person did.
    fn now(self) -> &'static str {
        match self {
            Self::Text | Self::List => "value",
            Self::Check | Self::Radio => "checked",
        }
    }
}

/// A field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub element: Element,
    pub kind: Kind,
}

impl Field {
    /// The field that an element is, if it is one.
    pub fn of(element: Element) -> Option<Self> {
        let kind = Kind::of(&element)?;
        Some(Self { element, kind })
    }

    /// All below an element, or of the document.
    pub fn all_in(fields: Result<leptos::web_sys::NodeList, JsValue>) -> Vec<Self> {
        let Ok(fields) = fields else { return Vec::new() };
        let elements = (0..fields.length()).filter_map(|at| fields.item(at)?.dyn_into::<Element>().ok());
        elements.filter_map(Self::of).collect()
    }

    /// What it holds.
    pub fn value(&self) -> Option<JsValue> {
        part(&self.element, self.kind.now())
    }

    /// Whether it is a button that was left for another one.
    pub fn is_left(&self) -> bool {
        self.kind == Kind::Radio && self.value().is_none_or(|chosen| chosen.is_falsy())
    }

    /// Whether it holds what the document gave it.
    pub fn is_as_it_came(&self) -> bool {
        match self.kind {
            Kind::Text => self.value() == part(&self.element, "defaultValue"),
            Kind::Check | Kind::Radio => self.value() == part(&self.element, "defaultChecked"),
            Kind::List => is_as_chosen(&self.element),
        }
    }

    /// Whether a list has an option of this value.
    pub fn has_option(&self, value: &str) -> bool {
        let Ok(options) = self.element.query_selector_all("option") else { return false };
        let values =
            (0..options.length()).filter_map(|at| part(&options.item(at)?.into(), "value")?.as_string());
        values.into_iter().any(|option| option == value)
    }

    /// Puts in what a person typed before the page's program had come.
    pub fn give_back(&self, value: &JsValue) {
        self.element.set_attribute(GIVEN_BACK, "").ok();
        self.put(value);
    }

    /// Whether a person typed in it before the page's program had come.
    pub fn was_given_back(&self) -> bool {
        self.element.has_attribute(GIVEN_BACK)
    }

    /// Puts something in, as if a person did it now.
    pub fn put(&self, value: &JsValue) {
        Reflect::set(&self.element, &self.kind.now().into(), value).ok();
        for kind in ["input", "change"] {
            let init = EventInit::new();
            init.set_bubbles(true);
            if let Ok(event) = Event::new_with_event_init_dict(kind, &init) {
                call(&self.element, "dispatchEvent", &[event.into()]).ok();
            }
        }
    }
}

/// Marks a field in which a person typed before the page's program had come.
const GIVEN_BACK: &str = "data-given-back";

/// Names all fields, for a search in the document.
pub(super) const FIELDS: &str = "input, textarea, select";

/// Whether a list stands at the option that the document chose, or else at its first.
fn is_as_chosen(list: &Element) -> bool {
    let Ok(options) = list.query_selector_all("option") else { return true };
    let came = (0..options.length()).find(|at| {
        options.item(*at).and_then(|option| part(&option, "defaultSelected")).is_some_and(|it| it.is_truthy())
    });
    part(list, "selectedIndex").and_then(|at| at.as_f64()) == Some(f64::from(came.unwrap_or(0)))
}
