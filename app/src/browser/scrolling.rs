//! What is in sight of what scrolls.

use leptos::{
    prelude::document,
    wasm_bindgen::{JsCast, JsValue},
    web_sys::Element,
};

use super::function::{number, part};

/// What is in sight of an element that scrolls, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// What is above.
    pub above: i32,
    /// What is seen.
    pub height: i32,
    /// What is below.
    pub below: i32,
}

/// What is in sight of an element.
pub fn sight_of(element: &Element) -> Sight {
    let (above, height) = (element.scroll_top(), element.client_height());
    Sight { above, height, below: element.scroll_height() - above - height }
}

/// Brings the end of an element into sight, within the element.
pub fn scroll_to_end(element: &Element) {
    element.set_scroll_top(element.scroll_height());
}

/// Brings a child of an element into the middle of what is in sight, within the element.
pub fn scroll_to_child(element: &Element, index: usize) {
    let child = u32::try_from(index).ok().and_then(|index| element.children().item(index));
    let top = child.and_then(|child| number(&child, "offsetTop"));
    if let Some(top) = top {
        // The browser rounds to whole pixels.
        element.set_scroll_top(top as i32 - element.client_height() / 2);
    }
}

/// Where an element is on the screen, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// From the left edge of what is seen of the page.
    pub left: f64,
    /// From its upper edge.
    pub top: f64,
    /// How wide it is.
    pub width: f64,
    /// How high it is.
    pub height: f64,
}

/// Where an element is on the screen.
pub fn bounds_of(element: &Element) -> Bounds {
    let bounds = element.get_bounding_client_rect();
    Bounds { left: bounds.left(), top: bounds.top(), width: bounds.width(), height: bounds.height() }
}

/// Whether an event comes from the element that has the focus.
pub fn has_focus(event: &leptos::web_sys::Event) -> bool {
    let target = event.target().map(JsValue::from);
    target.is_some() && part(&document(), "activeElement") == target
}

/// The heights of the elements that a selector finds in another, in pixels, with the number that an attribute of each
/// holds.
pub fn heights_of(element: &Element, selector: &str, attribute: &str) -> Vec<(usize, i32)> {
    let Ok(found) = element.query_selector_all(selector) else { return Vec::new() };
    let elements = (0..found.length()).filter_map(|index| found.item(index)?.dyn_into::<Element>().ok());
    let measured = elements.filter_map(|element| {
        let number = element.get_attribute(attribute)?.parse().ok()?;
        Some((number, bounds_of(&element).height.round() as i32))
    });
    measured.collect()
}

/// Brings the element with this id into the upper third of what is in sight of another that scrolls. Returns whether
/// there is one.
pub fn scroll_to_id(frame: &Element, id: &str) -> bool {
    let Some(element) = document().get_element_by_id(id) else { return false };
    let (inner, outer) = (bounds_of(&element), bounds_of(frame));
    let by = inner.top - outer.top - outer.height / 4.0;
    frame.set_scroll_top(frame.scroll_top().saturating_add(by as i32));
    true
}
