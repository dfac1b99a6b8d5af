//! The text of a document while it is edited: what it was made from, what is wrong with it, how it is saved.

use std::time::Duration;

use leptos::{ev::SubmitEvent, html, leptos_dom::helpers::TimeoutHandle, prelude::*, task::spawn_local};
use protocol::document::{
    CheckDocument, DocumentContent, DocumentFinding, DocumentHistory, DocumentId, DocumentSummary,
    DocumentVersion, SaveDocument, SavedVersion, Severity,
};

use super::{
    beside::Beside,
    place::{Place, place_of},
};
use crate::{
    api::{ApiError, documents as api, documents::OpenedDocument},
    browser::{
        self,
        drafts::{drafts_of, forget_drafts_of},
    },
    components::{
        draft::{draft_of, once_drafts_are_known},
        notice::FormError,
        verbatim::Verbatim,
    },
};

/// How long typing pauses before a text is checked.
const PAUSE: Duration = Duration::from_millis(600);
/// Bytes of a text that is checked while it is typed; a longer one is checked when it is saved.
const LONGEST_CHECKED: usize = 100_000;

/// A document that is being edited.
#[derive(Clone, Copy)]
pub struct Editor {
    /// The document.
    pub id: DocumentId,
    /// Whether its kind is one of this version; else it is only read.
    pub is_known: bool,
    /// How it stands, as far as this page knows.
    pub summary: RwSignal<DocumentSummary>,
    /// Its newest versions.
    pub history: RwSignal<DocumentHistory>,
    /// What is shown beside the text.
    pub beside: RwSignal<Option<Beside>>,
    /// What the text was made from.
    base: RwSignal<Base>,
    typed: RwSignal<String>,
    findings: RwSignal<Vec<DocumentFinding>>,
    /// Why it was not saved.
    problem: RwSignal<Option<String>>,
    is_saving: RwSignal<bool>,
    field: NodeRef<html::Textarea>,
}

/// A version as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    version: DocumentVersion,
    text: String,
}

impl Editor {
    /// One that begins with this version.
    pub fn new(document: OpenedDocument, history: DocumentHistory, is_known: bool) -> Self {
        let OpenedDocument { summary, version, text, findings } = document;
        let editor = Self {
            id: summary.id,
            is_known,
            summary: RwSignal::new(summary),
            history: RwSignal::new(history),
            beside: RwSignal::new(None),
            typed: RwSignal::new(text.clone()),
            base: RwSignal::new(Base { version, text }),
            findings: RwSignal::new(findings),
            problem: RwSignal::new(None),
            is_saving: RwSignal::new(false),
            field: NodeRef::new(),
        };
        Effect::new(move |_| once_drafts_are_known(move || editor.take_up_older_draft()));
        editor
    }

    /// The name of what is typed: it belongs to the version that it was made from.
    fn draft(&self) -> String {
        let version = self.base.try_with_untracked(|base| base.version.number()).unwrap_or_default();
        format!("{}{version}", self.drafts())
    }

    /// How the names of all drafts of this document begin.
    fn drafts(&self) -> String {
        format!("document {}@", self.id)
    }

    /// What was typed over an older version, before the page was loaded anew, is set against the newest one.
    fn take_up_older_draft(self) {
        let (drafts, own) = (self.drafts(), self.draft());
        let older = drafts_of(&drafts).into_iter().rfind(|draft| draft.form != own);
        let Some(older) = older.map(|draft| draft.words()).filter(|words| !words.is_empty()) else { return };
        let Some((version, text)) = self.base.try_with_untracked(|base| (base.version, base.text.clone()))
        else {
            return;
        };
        self.typed.set(older);
        self.beside.set(Some(Beside::Newer { version, text }));
    }

    /// Forgets what is typed and not saved.
    pub fn forget(self) {
        forget_drafts_of(&self.drafts());
    }

    /// Whether something is typed that is not saved.
    pub fn is_changed(self) -> bool {
        self.base.with(|base| self.typed.with(|typed| *typed != base.text))
    }

    /// Puts another text into the field, as if it was typed.
    pub fn put(self, text: String) {
        self.typed.set(text);
        self.look();
    }

    /// Puts back what was saved.
    pub fn undo(self) {
        self.forget();
        self.problem.set(None);
        self.put(self.base.with_untracked(|base| base.text.clone()));
    }

    /// Takes the newest version in the place of what is typed.
    pub fn take_newer(self, version: DocumentVersion, text: String) {
        self.forget();
        self.problem.set(None);
        self.beside.set(None);
        self.base.set(Base { version, text: text.clone() });
        self.put(text);
    }

    /// Saves what is typed after the version that it was made from.
    pub fn save(self) {
        let base = self.base.with_untracked(|base| base.version);
        self.save_after(base);
    }

    /// Saves what is typed after this version, which the person has seen.
    pub fn save_after(self, base: DocumentVersion) {
        if self.is_saving.get_untracked() || !self.is_known {
            return;
        }
        let text = self.typed.get_untracked();
        let content = match read(&text) {
            Ok(content) => content,
            Err(finding) => {
                self.findings.set(vec![finding]);
                self.problem.set(Some("It was not saved: the text is no JSON object.".to_owned()));
                return;
            }
        };
        self.is_saving.set(true);
        spawn_local(async move {
            let outcome = api::save(self.id, SaveDocument { base, content: content.clone() }).await;
            match outcome {
                Ok(saved) => self.saved(saved.summary, saved.findings, text),
                Err(ApiError(problem)) => {
                    // A conflict shows both; else the places say more than the sentence.
                    let newest = if problem.status == 409 { self.newest_after(base).await } else { None };
                    if let Some(newest) = newest {
                        self.set_against(newest);
                    } else {
                        if problem.status == 422 {
                            self.check(content).await;
                        }
                        self.problem.try_set(Some(format!("It was not saved. {}", problem.detail)));
                    }
                }
            }
            self.is_saving.try_set(false);
        });
    }

    fn saved(self, summary: DocumentSummary, findings: Vec<DocumentFinding>, text: String) {
        self.forget();
        let saved =
            SavedVersion { version: summary.version, saved_at: summary.changed_at, bytes: summary.bytes };
        self.history.try_update(|history| {
            if history.versions.first().is_none_or(|newest| newest.version < saved.version) {
                history.versions.insert(0, saved);
            }
        });
        self.base.try_set(Base { version: summary.version, text });
        self.summary.try_set(summary);
        self.findings.try_set(findings);
        self.problem.try_set(None);
        self.beside.try_set(None);
    }

    /// The newest version, if there is one after this.
    async fn newest_after(self, base: DocumentVersion) -> Option<OpenedDocument> {
        api::document(self.id, None).await.ok().filter(|newest| newest.version > base)
    }

    /// Shows the newest version beside what is typed, which stays.
    fn set_against(self, newest: OpenedDocument) {
        let OpenedDocument { summary, version, text, .. } = newest;
        self.summary.try_set(summary);
        self.problem.try_set(None);
        self.beside.try_set(Some(Beside::Newer { version, text }));
    }

    async fn check(self, content: DocumentContent) {
        let kind = self.summary.try_with_untracked(|summary| summary.kind.clone());
        let Some(kind) = kind else { return };
        if let Ok(findings) = api::check(CheckDocument { kind, content }).await {
            self.findings.try_set(findings);
        }
    }

    /// Looks what is wrong with what is typed now.
    fn look(self) {
        if !self.is_known {
            return;
        }
        let text = self.typed.get_untracked();
        match read(&text) {
            Err(finding) => self.findings.set(vec![finding]),
            Ok(content) if text.len() <= LONGEST_CHECKED => spawn_local(async move {
                self.check(content).await;
            }),
            Ok(_) => self.findings.set(Vec::new()),
        }
    }

    /// Brings the cursor to a place of the text.
    fn go_to(self, place: Place) {
        if let Some(field) = self.field.get_untracked() {
            let lines = self.typed.with_untracked(|typed| typed.matches('\n').count() + 1);
            browser::put_cursor(&field, place.units, place.line, lines);
        }
    }
}

/// Reads the text as a content; what keeps it from being one stands at its line.
fn read(text: &str) -> Result<DocumentContent, DocumentFinding> {
    serde_json::from_str(text).map_err(|error| DocumentFinding {
        place: String::new(),
        detail: format!("{error}."),
        severity: Severity::Error,
    })
}

/// A text as HTML. Leptos writes what stands in a `textarea` as it is, so that a text could end the field.
fn as_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// The field with the text, and what is wrong with it.
#[component]
pub fn EditorForm(
    editor: Editor,
    /// The JSON schema of its kind, as text.
    schema: Option<String>,
) -> impl IntoView {
    let Editor { typed, base, findings, problem, is_saving, field, is_known, .. } = editor;
    let form = draft_of::<html::Form>(move || editor.draft());
    let pause = StoredValue::new(None::<TimeoutHandle>);
    let clear_pause = move || {
        if let Some(earlier) = pause.try_update_value(Option::take).flatten() {
            earlier.clear();
        }
    };
    on_cleanup(clear_pause);
    let input = move |event| {
        typed.set(event_target_value(&event));
        clear_pause();
        pause.set_value(set_timeout_with_handle(move || editor.look(), PAUSE).ok());
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        editor.save();
    };
    let is_changed = Memo::new(move |_| editor.is_changed());
    let has_errors = Memo::new(move |_| {
        findings.with(|findings| findings.iter().any(|finding| finding.severity == Severity::Error))
    });
    let state = move || match (is_saving.get(), is_changed.get()) {
        (true, _) => "Saving …".to_owned(),
        (false, true) => format!("Not saved; made from version {}", base.with(|base| base.version)),
        (false, false) => format!("Saved as version {}", base.with(|base| base.version)),
    };
    view! {
        <form class="card document-form" node_ref=form novalidate=true on:submit=submit aria-label="Content">
            <label class="visually-hidden" for="document-text">"Content, as JSON"</label>
            <textarea
                id="document-text"
                name="content"
                class="input mono document-text"
                rows="24"
                wrap="off"
                spellcheck="false"
                autocapitalize="off"
                node_ref=field
                readonly=!is_known
                aria-describedby="document-findings"
                aria-invalid=move || has_errors.get().then_some("true")
                // How it stands in the document that the server sends.
                inner_html=base.with_untracked(|base| as_html(&base.text))
                // What was saved is how it came: only what differs is a draft.
                prop:defaultValue=move || base.with(|base| base.text.clone())
                prop:value=typed
                on:input=input
            ></textarea>
            <Findings editor />
            <FormError text=problem />
            {is_known.then(|| view! {
                <div class="document-acts">
                    <span class="dim" role="status">{state}</span>
                    <button type="button" class="quiet-button" disabled=move || !is_changed.get() on:click=move |_| editor.undo()>"Undo all changes"</button>
                    <button type="submit" class="button primary" title="Ctrl S" disabled=move || !is_changed.get() || is_saving.get()>"Save"</button>
                </div>
            })}
            {schema.map(|schema| view! {
                <details>
                    <summary class="dim">"What its kind demands, as JSON schema"</summary>
                    <Verbatim text=schema />
                </details>
            })}
        </form>
    }
}

/// What is wrong with the text, each at its line.
#[component]
fn Findings(editor: Editor) -> impl IntoView {
    let Editor { findings, typed, .. } = editor;
    let row = move |finding: DocumentFinding| {
        let DocumentFinding { place, detail, severity } = finding;
        let pointer = place.clone();
        // As the text is when the finding is drawn; a later one is looked at anew.
        let found = typed.with_untracked(|typed| place_of(typed, &place, &detail));
        let class = match severity {
            Severity::Error => "sign tone-failed",
            Severity::Warning => "sign tone-attention",
        };
        let word = match severity {
            Severity::Error => "Error",
            Severity::Warning => "Warning",
        };
        view! {
            <li>
                <span class=class>{word}</span>
                {found.map(|found| view! {
                    <button type="button" class="quiet-button" on:click=move |_| editor.go_to(found)>{format!("Line {}", found.line)}</button>
                })}
                <span class="document-finding">
                    {(!pointer.is_empty()).then(|| view! { <code>{pointer}</code> " " })}
                    {detail}
                </span>
            </li>
        }
    };
    view! {
        <ul id="document-findings" class="document-findings" aria-label="What is wrong with it" aria-live="polite">
            {move || findings.get().into_iter().map(row).collect_view()}
        </ul>
    }
}
