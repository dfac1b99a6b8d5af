//! A team while it is edited: its content, the steps back, what is wrong with it, how it is saved. What is not saved is
//! kept in the tab under the same name as on the document's own page, so that form and JSON are one draft.

use std::time::Duration;

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use protocol::{
    Timestamp,
    document::{
        CheckDocument, DocumentContent, DocumentFinding, DocumentId, DocumentSummary, DocumentVersion,
        SaveDocument,
    },
    team::KIND,
};
use serde_json::Value;

use super::steps::Steps;
use crate::{
    api::{
        ApiError,
        documents::{self, OpenedDocument},
    },
    browser::drafts::{drafts_of, forget_drafts_of, keep_text},
    components::draft::once_drafts_are_known,
};

/// How long changes pause before the team is checked.
const PAUSE: Duration = Duration::from_millis(600);
/// The field of the document's own page that holds its text.
const FIELD: &str = "content";

/// Rows of one list at most: as many as a team that can run may have of anything.
const MOST_ROWS: usize = 128;

/// A team that is being edited.
#[derive(Clone, Copy)]
pub(super) struct Draft {
    /// The document.
    pub(super) id: DocumentId,
    /// The document's content as it is edited.
    pub(super) content: RwSignal<Value>,
    /// What was saved that this was made from.
    pub(super) base: RwSignal<Saved>,
    /// What is wrong with the content.
    pub(super) findings: RwSignal<Vec<DocumentFinding>>,
    /// Why the last act failed.
    pub(super) problem: RwSignal<Option<String>>,
    /// A newer version, where the content was made from an older one.
    pub(super) newer: RwSignal<Option<Saved>>,
    /// A text of the document's own page that is no JSON yet.
    pub(super) unreadable: RwSignal<bool>,
    /// Whether what is not saved is kept in the tab.
    pub(super) is_kept: RwSignal<bool>,
    steps: RwSignal<Steps>,
    pause: StoredValue<Option<TimeoutHandle>>,
}

/// A version as it was saved.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Saved {
    /// Which one.
    pub(super) version: DocumentVersion,
    /// When.
    pub(super) at: Timestamp,
    /// What stands in it.
    pub(super) content: Value,
}

impl Saved {
    fn of(document: &OpenedDocument) -> Self {
        Self {
            version: document.version,
            at: document.summary.changed_at,
            content: serde_json::from_str(&document.text).unwrap_or_default(),
        }
    }
}

impl Draft {
    /// One that begins with this version, or with what the tab has kept.
    pub(super) fn new(document: OpenedDocument) -> Self {
        let saved = Saved::of(&document);
        let OpenedDocument { summary, findings, .. } = document;
        let draft = Self {
            id: summary.id,
            content: RwSignal::new(saved.content.clone()),
            base: RwSignal::new(saved),
            findings: RwSignal::new(findings),
            problem: RwSignal::new(None),
            newer: RwSignal::new(None),
            unreadable: RwSignal::new(false),
            is_kept: RwSignal::new(true),
            steps: RwSignal::new(Steps::default()),
            pause: StoredValue::new(None),
        };
        Effect::new(move |_| once_drafts_are_known(move || draft.take_up()));
        on_cleanup(move || draft.clear_pause());
        draft
    }

    /// The text, number or truth at a place, as it is shown.
    pub(super) fn at(self, place: String) -> Memo<String> {
        Memo::new(move |_| {
            self.content.with(|content| match content.pointer(&place) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                Some(Value::Bool(truth)) => truth.to_string(),
                _ => String::new(),
            })
        })
    }

    /// How many entries of the list at a place have a row in the form.
    pub(super) fn rows(self, place: String) -> Memo<usize> {
        self.of(place, |list| list.as_array().map_or(0, Vec::len).min(MOST_ROWS))
    }

    /// How many entries of the list at a place have none, as there are too many.
    pub(super) fn rows_left_out(self, place: String) -> Memo<usize> {
        self.of(place, |list| list.as_array().map_or(0, Vec::len).saturating_sub(MOST_ROWS))
    }

    /// What `read` makes of what stands at a place; nothing where nothing does.
    pub(super) fn of<T>(self, place: String, read: impl Fn(&Value) -> T + Send + Sync + 'static) -> Memo<T>
    where
        T: Default + PartialEq + Send + Sync + 'static,
    {
        Memo::new(move |_| self.content.with(|content| content.pointer(&place).map(&read).unwrap_or_default()))
    }

    /// Whether something is not saved.
    pub(super) fn is_changed(self) -> bool {
        self.base.with(|base| self.content.with(|content| *content != base.content))
    }

    /// Puts a value into the object at a place; `None` takes it out. What is typed in one field is one step.
    pub(super) fn put(self, object: &str, name: &str, value: Option<Value>) {
        self.typed(format!("{object}/{name}"), object, |object| {
            let Value::Object(fields) = object else { return };
            match value {
                Some(value) => {
                    fields.insert(name.to_owned(), value);
                }
                None => {
                    fields.shift_remove(name);
                }
            }
        });
    }

    /// A change of what stands at `object` by what is typed in the field of this name: one step, until it is left.
    pub(super) fn typed(self, field: String, object: &str, change: impl FnOnce(&mut Value)) {
        let goes_on = self.steps.with_untracked(|steps| steps.goes_on_at(&field));
        let before = (!goes_on).then(|| self.text());
        if self.change(object, change)
            && let Some(before) = before
        {
            self.steps.update(|steps| steps.note(before, Some(field)));
        }
    }

    /// A change of what stands at a place: one step.
    pub(super) fn step(self, place: &str, change: impl FnOnce(&mut Value)) {
        let before = self.text();
        if self.change(place, change) {
            self.steps.update(|steps| steps.note(before, None));
        }
    }

    /// Ends what is typed in a field: what follows is another step.
    pub(super) fn end_step(self) {
        self.steps.update(Steps::end);
    }

    /// Whether there is something there that has changed.
    fn change(self, place: &str, change: impl FnOnce(&mut Value)) -> bool {
        let changed = self.content.try_update(|content| {
            let Some(value) = content.pointer_mut(place) else { return false };
            let before = value.clone();
            change(value);
            *value != before
        });
        let is_changed = changed == Some(true);
        if is_changed {
            self.after_change();
        }
        is_changed
    }

    /// Goes back over a step.
    pub(super) fn undo(self) {
        let before = self.steps.try_update(|steps| steps.undo(|| self.text())).flatten();
        self.put_back(before);
    }

    /// Goes on again.
    pub(super) fn redo(self) {
        let after = self.steps.try_update(|steps| steps.redo(|| self.text())).flatten();
        self.put_back(after);
    }

    /// Whether there is a step to go back over.
    pub(super) fn can_undo(self) -> bool {
        self.steps.with(Steps::can_undo)
    }

    /// Whether there is one that was gone back over.
    pub(super) fn can_redo(self) -> bool {
        self.steps.with(Steps::can_redo)
    }

    fn put_back(self, text: Option<String>) {
        if let Some(content) = text.and_then(|text| serde_json::from_str(&text).ok()) {
            self.content.set(content);
            self.after_change();
        }
    }

    /// The whole content as one step.
    fn replace(self, content: Value) {
        self.step("", |whole| *whole = content);
    }

    fn text(self) -> String {
        self.content.with_untracked(ToString::to_string)
    }

    fn after_change(self) {
        self.keep();
        self.clear_pause();
        let check = move || leptos::task::spawn_local(self.check());
        self.pause.set_value(set_timeout_with_handle(check, PAUSE).ok());
    }

    fn clear_pause(self) {
        if let Some(earlier) = self.pause.try_update_value(Option::take).flatten() {
            earlier.clear();
        }
    }

    /// How the names of all drafts of this document begin: the rest is the version that one was made from.
    fn drafts(self) -> String {
        format!("document {}@", self.id)
    }

    /// Keeps what is not saved in the tab.
    fn keep(self) {
        let name = format!("{}{}", self.drafts(), self.base.with_untracked(|base| base.version));
        let is_changed = untrack(|| self.is_changed());
        let text = self.content.with_untracked(serde_json::to_string_pretty).unwrap_or_default();
        if is_changed {
            self.is_kept.set(keep_text(&name, FIELD, &text));
        } else {
            forget_drafts_of(&self.drafts());
            self.is_kept.set(true);
        }
    }

    /// Takes up what the tab has kept. What was made from an older version is set against the newest one.
    fn take_up(self) {
        let Some(version) = self.base.try_with_untracked(|base| base.version) else { return };
        let Some(kept) = drafts_of(&self.drafts()).pop().filter(|kept| !kept.words().is_empty()) else { return };
        let Ok(content) = serde_json::from_str::<Value>(&kept.words()) else {
            self.unreadable.set(true);
            return;
        };
        let is_older = kept.form != format!("{}{version}", self.drafts());
        let newest = self.base.get_untracked();
        if content == newest.content {
            forget_drafts_of(&self.drafts());
            return;
        }
        self.replace(content);
        if is_older {
            self.newer.set(Some(newest));
        }
    }

    /// Gives up a text that is no JSON.
    pub(super) fn forget_unreadable(self) {
        forget_drafts_of(&self.drafts());
        self.unreadable.set(false);
    }

    /// Takes the newer version in the place of what is edited, which a step back brings again.
    pub(super) fn take_newer(self) {
        let Some(newer) = self.newer.get_untracked() else { return };
        forget_drafts_of(&self.drafts());
        self.newer.set(None);
        self.problem.set(None);
        self.base.set(newer.clone());
        self.replace(newer.content);
    }

    async fn check(self) {
        let Some(content) = self.content.try_get_untracked() else { return };
        let (Ok(content), Ok(kind)) = (whole(content), KIND.parse()) else { return };
        // What cannot be asked just now is told when it is saved.
        if let Ok(findings) = documents::check(CheckDocument { kind, content }).await {
            self.findings.try_set(findings);
        }
    }

    /// Saves after the version that it was made from.
    pub(super) async fn save(self) {
        let base = self.base.with_untracked(|base| base.version);
        self.save_after(base).await;
    }

    /// Saves after this version, which the person has seen.
    pub(super) async fn save_after(self, base: DocumentVersion) {
        let content = self.content.get_untracked();
        let request = match whole(content.clone()) {
            Ok(content) => SaveDocument { base, content },
            Err(why) => {
                self.problem.set(Some(why));
                return;
            }
        };
        match documents::save(self.id, request).await {
            Ok(saved) => self.saved(&saved.summary, saved.findings, content),
            Err(ApiError(problem)) => {
                // A conflict shows both.
                let newest = match problem.status {
                    409 => documents::document(self.id, None).await.ok().filter(|newest| newest.version > base),
                    _ => None,
                };
                match newest {
                    Some(newest) => {
                        self.newer.try_set(Some(Saved::of(&newest)));
                        self.problem.try_set(None);
                    }
                    None => {
                        self.problem.try_set(Some(format!(
                            "It was not saved, and what you have changed is still here. {}",
                            problem.detail
                        )));
                    }
                }
            }
        }
    }

    fn saved(self, summary: &DocumentSummary, findings: Vec<DocumentFinding>, content: Value) {
        forget_drafts_of(&self.drafts());
        let saved = Saved { version: summary.version, at: summary.changed_at, content };
        if self.base.try_set(saved).is_some() {
            // The page is gone.
            return;
        }
        self.findings.set(findings);
        self.newer.set(None);
        self.problem.set(None);
        // What was changed while it was saved.
        self.keep();
    }
}

fn whole(content: Value) -> Result<DocumentContent, String> {
    let Value::Object(fields) = content else {
        return Err("This is no team. Edit it as JSON.".to_owned());
    };
    DocumentContent::new(fields).map_err(|error| error.to_string())
}
