//! What the pages use of the browser. Nothing here may be called while the server
//! renders: it is for event handlers and effects.

mod clipboard;
pub mod drafts;
mod field;
mod function;
mod growing_text;
mod letter_case;
mod requests;
mod root;
mod save;
mod scrolling;
mod server_clock;
#[cfg(feature = "hydrate")]
mod style_sheet;
mod typed;

use std::time::Duration;

use leptos::{
    prelude::{document, window},
    wasm_bindgen::JsCast,
    web_sys::{
        Element, Event, EventTarget, File, FileList, HtmlDialogElement, HtmlInputElement,
        HtmlTextAreaElement, KeyboardEvent, MediaQueryList, Node, PointerEvent, Storage,
    },
};

use self::function::{call, call_and_wait, part};
#[cfg(feature = "hydrate")]
pub use self::style_sheet::{add_style_sheet, has_style_sheet};
pub use self::{
    clipboard::copy,
    function::Refused,
    growing_text::GrowingText,
    letter_case::lowercase,
    requests::{Aborts, delete_in_leaving},
    root::{root_attribute, set_root_attribute},
    save::save,
    scrolling::{
        Bounds, Sight, bounds_of, has_focus, heights_of, scroll_to_child, scroll_to_end, scroll_to_id,
        sight_of,
    },
    server_clock::{RENDERED_AT, heard, now, steady_ms, told},
    typed::{Typed, has_typed},
};

/// A random number from 0 to below 1.
pub fn random() -> f64 {
    js_sys::Math::random()
}

/// Whether the tab is hidden: the browser draws no frames then.
pub fn is_hidden() -> bool {
    document().hidden()
}

/// Whether a media query holds.
pub fn matches_media(query: &str) -> bool {
    media(query).is_some_and(|list| list.matches())
}

fn media(query: &str) -> Option<MediaQueryList> {
    window().match_media(query).ok().flatten()
}

/// What is kept for this site in the browser, if the person allows it.
pub fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// What this tab remembers under a name, over reloads, if the person allows it.
pub fn kept_in_tab(name: &str) -> Option<String> {
    tab_storage()?.get_item(name).ok().flatten()
}

/// Lets this tab remember something over reloads. Where the browser refuses, it is forgotten then.
pub fn keep_in_tab(name: &str, value: &str) {
    drop(tab_storage().map(|storage| storage.set_item(name, value)));
}

/// Lets this tab forget something.
pub fn forget_in_tab(name: &str) {
    drop(tab_storage().map(|storage| storage.remove_item(name)));
}

fn tab_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// Scheme and host of the address of this page; empty where the browser does not tell.
pub fn origin() -> String {
    window().location().origin().unwrap_or_default()
}

/// Whether the browser has a network, as far as it says.
pub fn is_online() -> bool {
    part(&window().navigator(), "onLine").is_none_or(|online| online.is_truthy())
}

/// The address of a socket of this server; `None` where the browser does not tell where the page is from.
pub fn socket_address(path: &str) -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{}", location.host().ok()?, crate::base::at(path)))
}

/// Brings the focus to an element; what is around it does not scroll.
pub fn focus(element: &Element) {
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"preventScroll".into(), &true.into()).ok();
    call(element, "focus", &[options.into()]).ok();
}

/// Brings the focus to the first element that the selector names, and that into sight.
pub fn focus_first(selector: &str) {
    if let Some(element) = document().query_selector(selector).ok().flatten() {
        call(&element, "focus", &[]).ok();
    }
}

/// Brings the focus to the element after the one that has it, of those that the selector names; after the last to the
/// first. What is around it scrolls.
pub fn focus_next(selector: &str) {
    focus_step(selector, 1);
}

/// Brings the focus to the element before the one that has it, of those that the selector names; before the first to the
/// last.
pub fn focus_previous(selector: &str) {
    focus_step(selector, -1);
}

fn focus_step(selector: &str, by: isize) {
    let Ok(found) = document().query_selector_all(selector) else { return };
    let elements = (0..found.length()).filter_map(|place| found.item(place)?.dyn_into::<Element>().ok());
    let elements: Vec<Element> = elements.collect();
    let active = document().active_element();
    let present = elements.iter().position(|element| Some(element) == active.as_ref());
    let count = elements.len().cast_signed();
    let next = match present {
        Some(present) => (present.cast_signed() + by).rem_euclid(count),
        None if by < 0 => count - 1,
        None => 0,
    };
    if let Some(element) = elements.get(next.cast_unsigned()) {
        call(element, "focus", &[]).ok();
    }
}

/// Brings the focus to the element of this id; what is around it does not scroll.
pub fn focus_id(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        focus(&element);
    }
}

/// Whether nobody has brought the focus anywhere but to a link.
pub fn is_focus_free() -> bool {
    document()
        .active_element()
        .is_none_or(|element| matches!(element.tag_name().as_str(), "BODY" | "MAIN" | "A"))
}

/// Takes the focus away from an element.
pub fn leave(element: &Element) {
    call(element, "blur", &[]).ok();
}

/// Brings the element of this id into sight.
pub fn show_id(id: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        call(&element, "scrollIntoView", &[]).ok();
    }
}

/// Whether something that an event names is an element, or stands in it; `None` where it names nothing.
pub fn is_inside(element: &Element, target: Option<EventTarget>) -> Option<bool> {
    let target = target?.dyn_into::<Node>().ok()?;
    Some(element.contains(Some(&target)))
}

/// Selects the whole text of the field that an event comes from.
pub fn select_text_of(event: &Event) {
    if let Some(field) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) {
        select_text(&field);
    }
}

/// Selects the whole text of a field.
pub fn select_text(field: &HtmlInputElement) {
    call(field, "select", &[]).ok();
}

/// The first of the files that were let go over an element.
pub fn dropped_file(event: &Event) -> Option<File> {
    dropped_files(event).into_iter().next()
}

/// The files that were let go over an element.
pub fn dropped_files(event: &Event) -> Vec<File> {
    let files = part(event, "dataTransfer").and_then(|dropped| part(&dropped, "files"));
    let files = files.and_then(|files| files.dyn_into::<FileList>().ok());
    files
        .map(|files| (0..files.length()).filter_map(|number| files.get(number)).collect())
        .unwrap_or_default()
}

/// The text that a file begins with, of so many bytes at most.
pub async fn beginning_of(file: &File, bytes: u32) -> Result<String, Refused> {
    let beginning = call(file, "slice", &[0.into(), bytes.into()])?;
    call_and_wait(&beginning, "text", &[]).await?.as_string().ok_or(Refused)
}

/// Brings the cursor to a place of a field, counted in UTF-16 units, and its line into sight: one of `lines` that are
/// all of the same height.
pub fn put_cursor(field: &HtmlTextAreaElement, units: u32, line: usize, lines: usize) {
    call(field, "focus", &[]).ok();
    call(field, "setSelectionRange", &[units.into(), units.into()]).ok();
    let share = line.saturating_sub(1) as f64 / lines.max(1) as f64;
    let top = share * f64::from(field.scroll_height()) - f64::from(field.client_height()) / 3.0;
    field.set_scroll_top(top as i32);
}

/// Whether the person has selected some of an element's text.
pub fn is_selected_in(element: &Element) -> bool {
    let Ok(selection) = call(&window(), "getSelection", &[]) else { return false };
    let is_empty = part(&selection, "isCollapsed").is_none_or(|collapsed| collapsed.is_truthy());
    let is_inside = |end: &str| {
        let node = part(&selection, end).and_then(|node| node.dyn_into::<Node>().ok());
        node.is_some_and(|node| element.contains(Some(&node)))
    };
    !is_empty && (is_inside("anchorNode") || is_inside("focusNode"))
}

/// Opens a dialog over the page. A browser that knows no such dialogs shows it in its place.
pub fn open_dialog(dialog: &HtmlDialogElement) {
    if call(dialog, "showModal", &[]).is_err() {
        dialog.set_attribute("open", "").ok();
    }
}

/// Closes a dialog.
pub fn close_dialog(dialog: &HtmlDialogElement) {
    if call(dialog, "close", &[]).is_err() {
        dialog.remove_attribute("open").ok();
    }
}

/// Sends an element all that a pointer does, until it is lifted.
pub fn capture_pointer(element: &Element, event: &PointerEvent) {
    call(element, "setPointerCapture", &[event.pointer_id().into()]).ok();
}

/// Asks the server for this page again.
#[cfg(feature = "hydrate")]
pub fn reload() {
    drop(window().location().reload());
}

/// Leaves for another page of this site, loaded as a whole.
pub fn load(path: &str) {
    drop(window().location().assign(path));
}

/// The attribute of the document's root that says that the page's program has taken the page over.
pub const ALIVE: &str = "data-hydrated";

/// Whether the page's program has taken the page over; never so on the server.
pub fn is_alive() -> bool {
    !cfg!(feature = "ssr") && root_attribute(ALIVE).is_some()
}

/// The files of the page's program that the document names.
#[cfg(feature = "hydrate")]
const FILES: &str = "link[rel=modulepreload], link[rel=preload][as=fetch]";

/// Begins to fetch the large files that the document names, unless its first script has done so: a program that is
/// quicker than the first paint would ask for them itself, and that script once more.
#[cfg(feature = "hydrate")]
pub fn fetch_named_files() {
    let Ok(links) = document().query_selector_all("link[rel=part]") else { return };
    for at in 0..links.length() {
        if let Some(link) = links.item(at).and_then(|link| link.dyn_into::<Element>().ok()) {
            // Where it is refused, the program asks for the file as for any other.
            drop(link.set_attribute("rel", "preload"));
        }
    }
}

/// Whether the server has no longer the files that this page was made with.
#[cfg(feature = "hydrate")]
pub async fn is_outdated() -> bool {
    use gloo_net::http::{Method, RequestBuilder};

    let Ok(links) = document().query_selector_all(FILES) else { return false };
    for at in 0..links.length() {
        let link = links.item(at).and_then(|link| link.dyn_into::<Element>().ok());
        let Some(file) = link.and_then(|link| link.get_attribute("href")) else { continue };
        // What the browser keeps says nothing of the server.
        let file = format!("{file}?asked={}", steady_ms());
        let answer = RequestBuilder::new(&file).method(Method::HEAD).send().await;
        if answer.is_ok_and(|answer| answer.status() == 404) {
            return true;
        }
    }
    false
}

/// Whether the focus is on the page as a whole, or inside of what the selector names.
pub fn is_free_or_in(event: &KeyboardEvent, selector: &str) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_none_or(|element| {
        matches!(element.tag_name().as_str(), "BODY" | "MAIN")
            || element.closest(selector).ok().flatten().is_some()
    })
}

/// Whether a key belongs to what has the focus, or to the browser, and not to the page.
pub fn is_for_input(event: &KeyboardEvent) -> bool {
    if event.ctrl_key() || event.meta_key() || event.alt_key() || event.default_prevented() {
        return true;
    }
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_some_and(|element| {
        element.closest("input, textarea, select, dialog, [contenteditable]").ok().flatten().is_some()
    })
}

/// Whether a key was pressed within an element, or while nothing on the page had the focus.
pub fn is_at_or_nowhere(event: &KeyboardEvent, element: &Element) -> bool {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    target.is_none_or(|target| target.tag_name() == "BODY" || element.contains(Some(&target)))
}

/// Waits.
pub async fn sleep(wait: Duration) {
    let (done, slept) = futures::channel::oneshot::channel::<()>();
    // Nobody may wait any more when it is over.
    leptos::prelude::set_timeout(move || done.send(()).unwrap_or_default(), wait);
    slept.await.unwrap_or_default();
}

/// Words above the page that do not wait for the page's program; gone when it is dropped.
pub struct Banner(Option<Element>);

impl Banner {
    /// Shows it.
    pub fn show(words: &str) -> Self {
        Self(Self::insert(words))
    }

    /// Shows it with a link to a page that is to be loaded as a whole.
    pub fn with_link(words: &str, label: &str, path: &str) -> Self {
        let banner = Self::insert(words);
        if let Some(banner) = &banner
            && let Ok(link) = document().create_element("a")
        {
            link.set_text_content(Some(label));
            link.set_attribute("href", path).ok();
            link.set_attribute("rel", "external").ok();
            banner.append_with_str_1(" ").ok();
            banner.append_child(&link).ok();
        }
        Self(banner)
    }

    /// Leaves it on the page.
    pub fn keep(mut self) {
        self.0 = None;
    }

    fn insert(words: &str) -> Option<Element> {
        // Several sockets may hear of one trouble.
        let shown = document().query_selector(".top-banner").ok()?;
        if shown.is_some_and(|shown| shown.text_content().as_deref() == Some(words)) {
            return None;
        }
        let banner = document().create_element("div").ok()?;
        banner.set_class_name("top-banner");
        banner.set_attribute("role", "alert").ok()?;
        banner.set_text_content(Some(words));
        document().body()?.prepend_with_node_1(&banner).ok()?;
        Some(banner)
    }
}

impl Drop for Banner {
    fn drop(&mut self) {
        if let Some(banner) = &self.0 {
            banner.remove();
        }
    }
}
