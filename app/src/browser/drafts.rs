//! What a person typed in forms that are not sent yet: it outlives a reload of the tab.
//!
//! The tab keeps it (`sessionStorage`), under the name of its form, for whoever is signed in. Nothing is ever sent
//! because of it. A form has to ask for it ([`FormDraft`]): those for passwords and keys do not.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
};

use js_sys::Array;
use leptos::{
    wasm_bindgen::JsCast,
    web_sys::{Element, Event},
};
use serde::{Deserialize, Serialize};

use super::{
    field::{FIELDS, Field, Kind},
    forget_in_tab,
    function::call,
    is_alive, keep_in_tab, kept_in_tab, storage,
};

/// Under this name the tab keeps all drafts.
const KEPT: &str = "pitwall-drafts";
/// Under this name the tab keeps whose they are.
const OWNER: &str = "pitwall-drafts-of";
/// Under this name all tabs know when somebody signed out last.
const SIGNED_OUT: &str = "pitwall-signed-out";

/// Forms that are remembered at most; the one that was left alone longest goes first.
const MOST_FORMS: usize = 20;
/// Bytes of all drafts together at most. A browser keeps a few millions for a tab.
const MOST_TEXT: usize = 1_000_000;
/// Marks a field that only narrows what the form shows for the moment.
const PASSING: &str = "data-passing";
/// Bytes of one form's texts at most: a longer one is not remembered, and takes no place from the others.
const MOST_OF_A_FORM: usize = 250_000;

thread_local! {
    /// Whether it is known whose drafts these are.
    static IS_KNOWN: Cell<bool> = const { Cell::new(false) };
}

/// A form's fields as a person filled them in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The form's name, of all forms of the site.
    pub form: String,
    fields: Vec<KeptField>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct KeptField {
    name: String,
    content: Content,
}

/// What was done with a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Content {
    Typed(String),
    Ticked(bool),
    /// The label of the button that was chosen.
    Chosen(String),
    /// The value of the list's option.
    Listed(String),
}

impl Draft {
    /// What it says in words, to be read where the form is gone.
    pub fn words(&self) -> String {
        let words = self.fields.iter().filter_map(|field| match &field.content {
            Content::Typed(text) | Content::Chosen(text) => Some(text.trim()),
            Content::Ticked(_) | Content::Listed(_) => None,
        });
        words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join("\n\n")
    }

    /// The names of its fields that begin so, without the beginning.
    pub fn names_after(&self, beginning: &str) -> Vec<String> {
        let names = self.fields.iter().filter_map(|field| field.name.strip_prefix(beginning));
        names.map(str::to_owned).collect()
    }

    fn length(&self) -> usize {
        let length = |field: &KeptField| match &field.content {
            Content::Typed(text) | Content::Chosen(text) | Content::Listed(text) => text.len(),
            Content::Ticked(_) => 0,
        };
        self.fields.iter().map(length).sum()
    }

    fn set(&mut self, field: KeptField) {
        match self.fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => self.fields.push(field),
        }
    }
}

/// Says whose drafts are kept from now on; `None` where nobody is signed in. What is kept of somebody else, or of
/// before a sign-out, is forgotten.
pub fn belong_to(account: Option<&str>) {
    let since = storage().and_then(|all| all.get_item(SIGNED_OUT).ok().flatten()).unwrap_or_default();
    let kept = kept_in_tab(OWNER);
    let is_still_theirs = kept
        .as_deref()
        .and_then(|kept| kept.split_once(' '))
        .is_some_and(|(when, owner)| when == since && account.is_none_or(|account| account == owner));
    if !is_still_theirs {
        forget_in_tab(KEPT);
        forget_in_tab(OWNER);
    }
    if let Some(account) = account {
        keep_in_tab(OWNER, &format!("{since} {account}"));
    }
    IS_KNOWN.set(account.is_some());
}

/// Forgets all drafts, in every tab: somebody signs out.
pub fn sign_out() {
    forget_in_tab(KEPT);
    forget_in_tab(OWNER);
    IS_KNOWN.set(false);
    // Other tabs see it when they are used next.
    drop(storage().map(|all| all.set_item(SIGNED_OUT, &super::now().0.to_string())));
}

/// Whether drafts can be read and put back: it is known whose they are, and the page's program has taken the page
/// over, for which it sets all fields to what it knows.
pub fn are_known() -> bool {
    IS_KNOWN.get() && is_alive()
}

/// The drafts of forms whose names begin so.
pub fn drafts_of(beginning: &str) -> Vec<Draft> {
    kept().into_iter().filter(|draft| draft.form.starts_with(beginning)).collect()
}

/// Forgets the draft of a form: it was sent, or is not wanted.
pub fn forget_draft(form: &str) {
    forget(|draft| draft.form == form);
}

/// Forgets the drafts of all forms whose names begin so.
pub fn forget_drafts_of(beginning: &str) {
    forget(|draft| draft.form.starts_with(beginning));
}

/// Keeps a text as what was typed in this field of a form, alone: for a page that writes the text itself, out of several
/// fields. `false`: it is too long to be kept.
pub fn keep_text(form: &str, field: &str, text: &str) -> bool {
    let content = Content::Typed(text.to_owned());
    let draft = Draft { form: form.to_owned(), fields: vec![KeptField { name: field.to_owned(), content }] };
    if draft.length() > MOST_OF_A_FORM {
        forget_draft(form);
        return false;
    }
    let mut all = kept();
    all.retain(|known| known.form != form);
    all.push(draft);
    keep(&all);
    true
}

fn forget(is_meant: impl Fn(&Draft) -> bool) {
    let mut all = kept();
    let count = all.len();
    all.retain(|draft| !is_meant(draft));
    if all.len() != count {
        keep(&all);
    }
}

/// Forgets one field of a form that has it no longer.
pub fn forget_field(form: &str, name: &str) {
    let mut all = kept();
    if let Some(draft) = all.iter_mut().find(|draft| draft.form == form) {
        draft.fields.retain(|field| field.name != name);
        all.retain(|draft| !draft.fields.is_empty());
        keep(&all);
    }
}

fn kept() -> Vec<Draft> {
    let text = if IS_KNOWN.get() { kept_in_tab(KEPT) } else { None };
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Keeps these, the latest last.
fn keep(drafts: &[Draft]) {
    if !IS_KNOWN.get() {
        return;
    }
    let mut drafts = drafts;
    while let Some((_, later)) = drafts.split_first() {
        let text = serde_json::to_string(drafts).unwrap_or_default();
        if drafts.len() <= MOST_FORMS && text.len() <= MOST_TEXT {
            return keep_in_tab(KEPT, &text);
        }
        drafts = later;
    }
    forget_in_tab(KEPT);
}

/// A form whose draft is kept.
pub struct FormDraft {
    form: Element,
    /// What is to be put back as soon as the form has a place for it.
    missing: RefCell<Vec<KeptField>>,
    /// The names of fields in which the person did something since the page came.
    touched: RefCell<BTreeSet<String>>,
    /// What stood in the fields when they were last looked at.
    seen: RefCell<Vec<KeptField>>,
}

impl FormDraft {
    /// One of which nothing is to be put back yet.
    pub fn new(form: Element) -> Self {
        Self { form, missing: RefCell::default(), touched: RefCell::default(), seen: RefCell::default() }
    }

    /// Takes up what is kept under a name. Call [`FormDraft::put_back`] until nothing is missing.
    pub fn take_up(&self, name: &str) {
        let draft = kept().into_iter().find(|draft| draft.form == name);
        let mut fields = draft.map(|draft| draft.fields).unwrap_or_default();
        // What is done now counts more than what was.
        fields.retain(|field| !self.touched.borrow().contains(&field.name));
        self.missing.replace(fields);
        self.look();
    }

    /// Whether there is something that can still be put back.
    pub fn is_missing_something(&self) -> bool {
        self.form.is_connected() && !self.missing.borrow().is_empty()
    }

    /// Puts back what there is a place for by now, but nothing over what the person typed since the page came.
    pub fn put_back(&self) {
        let missing = self.missing.take();
        let fields = self.fields();
        let rest = missing.into_iter().filter(|kept| !put_back(kept, &fields)).collect::<Vec<_>>();
        self.missing.borrow_mut().extend(rest);
        self.look();
    }

    /// Keeps what an event says that a person did in a field of the form, under the form's name.
    pub fn note(&self, event: &Event, name: &str) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let target = target.filter(|target| self.form.contains(Some(target)));
        if let Some(field) = target.and_then(Field::of)
            && let Some(now) = read(&field)
        {
            self.keep(&field, now, name);
        }
    }

    /// Whether an event is of something in the form, or of what was in it when it happened: a list may be gone by now.
    pub fn is_target(&self, event: &Event) -> bool {
        let path = call(event, "composedPath", &[]).ok().and_then(|path| path.dyn_into::<Array>().ok());
        path.is_some_and(|path| path.includes(&self.form, 0))
    }

    /// Keeps what has changed in fields without an event of theirs, as after a choice from a list beside a field.
    pub fn note_changes(&self, name: &str) {
        let before = self.seen.borrow().clone();
        let was_different =
            |now: &KeptField| before.iter().any(|seen| seen.name == now.name && seen.content != now.content);
        for field in self.fields() {
            if let Some(now) = read(&field).filter(was_different) {
                self.keep(&field, now, name);
            }
        }
        self.look();
    }

    fn fields(&self) -> Vec<Field> {
        Field::all_in(self.form.query_selector_all(FIELDS))
    }

    fn look(&self) {
        self.seen.replace(self.fields().iter().filter_map(read).collect());
    }

    fn keep(&self, field: &Field, now: KeptField, name: &str) {
        self.touched.borrow_mut().insert(now.name.clone());
        let mut all_seen = self.seen.borrow_mut();
        // Somebody may type before the form was looked at: what is chosen next differs from this.
        if all_seen.iter().all(|seen| seen.name != now.name) {
            all_seen.push(now.clone());
        }
        for seen in all_seen.iter_mut().filter(|seen| seen.name == now.name) {
            seen.clone_from(&now);
        }
        drop(all_seen);
        if let Ok(mut missing) = self.missing.try_borrow_mut() {
            missing.retain(|kept| kept.name != now.name);
        }
        let mut all = kept();
        let known = all.iter().position(|draft| draft.form == name).map(|at| all.remove(at));
        let mut draft = known.unwrap_or_else(|| Draft { form: name.to_owned(), ..Draft::default() });
        if field.kind == Kind::Text && field.is_as_it_came() {
            draft.fields.retain(|kept| kept.name != now.name);
        } else {
            draft.set(now);
        }
        if !draft.fields.is_empty() && draft.length() <= MOST_OF_A_FORM {
            all.push(draft);
        }
        keep(&all);
    }
}

/// Whether nothing of it is missing any more.
fn put_back(kept: &KeptField, fields: &[Field]) -> bool {
    let is_meant = |field: &&Field| match (&kept.content, field.kind) {
        (Content::Typed(_), Kind::Text)
        | (Content::Listed(_), Kind::List)
        | (Content::Ticked(_), Kind::Check) => name_of(field).as_ref() == Some(&kept.name),
        (Content::Chosen(label), Kind::Radio) => {
            name_of(field).as_ref() == Some(&kept.name) && label_of(field) == *label
        }
        _ => false,
    };
    let Some(field) = fields.iter().find(is_meant) else { return false };
    let value = match &kept.content {
        Content::Typed(text) | Content::Listed(text) => text.as_str().into(),
        Content::Ticked(is_ticked) => (*is_ticked).into(),
        Content::Chosen(_) => true.into(),
    };
    if field.value().as_ref() == Some(&value) || field.was_given_back() {
        return true;
    }
    // Before a list has the option, it can only be set to nothing.
    if let Content::Listed(option) = &kept.content
        && !field.has_option(option)
    {
        return false;
    }
    field.put(&value);
    true
}

fn read(field: &Field) -> Option<KeptField> {
    let (name, value) = (name_of(field)?, field.value()?);
    let content = match field.kind {
        Kind::Text => Content::Typed(value.as_string()?),
        Kind::List => Content::Listed(value.as_string()?),
        Kind::Check => Content::Ticked(value.as_bool()?),
        Kind::Radio if field.is_left() => return None,
        Kind::Radio => Content::Chosen(label_of(field)),
    };
    Some(KeptField { name, content })
}

/// What tells a field from the others of its form; `None` for one that is not kept. Boxes often share one name.
fn name_of(field: &Field) -> Option<String> {
    let said = |name: &str| field.element.get_attribute(name).filter(|name| !name.is_empty());
    let is_secret = said("type").as_deref() == Some("password");
    if is_secret || field.element.has_attribute("readonly") || field.element.has_attribute(PASSING) {
        return None;
    }
    let own = said("name").or_else(|| said("id")).or_else(|| said("aria-label"));
    match field.kind {
        Kind::Check => Some(format!("{}/{}", own.unwrap_or_default(), label_of(field))),
        Kind::Text | Kind::Radio | Kind::List => own,
    }
}

/// What stands beside a box or a button.
fn label_of(field: &Field) -> String {
    let label = field.element.closest("label").ok().flatten().and_then(|label| label.text_content());
    label.unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(name: &str, text: &str) -> KeptField {
        KeptField { name: name.into(), content: Content::Typed(text.into()) }
    }

    #[test]
    fn a_field_is_kept_once_as_it_was_left() {
        let mut draft = Draft::default();
        draft.set(typed("comment", "first"));
        draft.set(typed("reason", "none"));
        draft.set(typed("comment", "second"));
        assert_eq!(draft.words(), "second\n\nnone");
    }

    #[test]
    fn the_words_of_a_draft_are_what_was_typed_and_chosen() {
        let mut draft = Draft::default();
        draft.set(typed("comment", "  "));
        draft.set(KeptField { name: "to".into(), content: Content::Listed("trader".into()) });
        draft.set(KeptField { name: "answer".into(), content: Content::Chosen("Hold".into()) });
        assert_eq!(draft.words(), "Hold");
    }

    #[test]
    fn what_is_kept_is_read_as_it_was_written() {
        let draft = Draft { form: "chat 1".into(), fields: vec![typed("Your question", "why?")] };
        let text = serde_json::to_string(std::slice::from_ref(&draft)).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Draft>>(&text).unwrap(), [draft]);
        assert!(text.contains(r#"{"typed":"why?"}"#), "{text}");
    }

    #[test]
    fn the_fields_of_one_sort_are_found_by_their_beginning() {
        let draft = Draft { form: String::new(), fields: vec![typed("state:plan", ""), typed("to", "")] };
        assert_eq!(draft.names_after("state:"), ["plan"]);
    }
}
