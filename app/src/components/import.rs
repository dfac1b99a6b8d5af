//! Taking in what was exported: a run or a document, chosen as a file or dropped on the page.

use std::time::Duration;

use leptos::{
    ev, html,
    prelude::*,
    task::spawn_local,
    web_sys::{DragEvent, File},
};
use leptos_router::{NavigateOptions, hooks::use_navigate};
use protocol::{RunAccepted, document::DocumentId};
use serde::Deserialize;

use super::icon::{Icon, IconName};
use crate::{
    api::{self, ApiError},
    browser,
};

/// As much of a file is read to tell what it holds.
const BEGINNING: u32 = 4096;

/// What Pitwall exports, and takes in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// A run, as JSON Lines.
    Run,
    /// A document, as JSON.
    Document,
}

impl Exported {
    /// What a file holds that begins like this; `None` where Pitwall did not write it.
    fn of(beginning: &str) -> Option<Self> {
        let letters: String = beginning.chars().filter(|letter| !letter.is_whitespace()).collect();
        let says = |format: &str| letters.contains(&format!(r#""format":"{format}""#));
        if says("pitwall-run") { Some(Self::Run) } else { says("pitwall-document").then_some(Self::Document) }
    }

    /// Sends the file, and gives the address of what was in it.
    async fn take_in(self, file: File) -> Result<String, ApiError> {
        match self {
            Self::Run => {
                let sent = api::send_file("/api/v1/runs/import", "application/x-ndjson", file, PATIENCE);
                sent.await.map(|accepted: RunAccepted| format!("/runs/{}", accepted.run))
            }
            Self::Document => {
                let sent = api::send_file("/api/v1/documents/import", "application/json", file, PATIENCE);
                sent.await.map(|imported: ImportedDocument| format!("/documents/{}", imported.summary.id))
            }
        }
    }
}

/// How long a file may take on its way. It may be large and the line slow.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is read of the answer: the new document's id.
#[derive(Deserialize)]
struct ImportedDocument {
    summary: ImportedSummary,
}

#[derive(Deserialize)]
struct ImportedSummary {
    id: DocumentId,
}

/// Takes files in, and leads to what was in one.
#[derive(Clone, Copy)]
pub struct Importer {
    /// Whether a file is being taken in.
    pub busy: RwSignal<bool>,
    /// Whether a file is held over the page.
    pub is_over: RwSignal<bool>,
    /// Why the last file was refused.
    problem: RwSignal<Option<String>>,
    /// What a file is taken for that does not say what it is: the server then says what is wrong with it.
    usual: Option<Exported>,
    go: Callback<String>,
}

impl Importer {
    /// One that says in `problem` why a file was refused. What does not say what it is, is taken for `usual`, or not
    /// taken.
    pub fn new(problem: RwSignal<Option<String>>, usual: Option<Exported>) -> Self {
        let navigate = use_navigate();
        let go = Callback::new(move |address: String| navigate(&address, NavigateOptions::default()));
        Self { busy: RwSignal::new(false), is_over: RwSignal::new(false), problem, usual, go }
    }

    /// A file may be let go here.
    pub fn drag_over(self, event: &DragEvent) {
        event.prevent_default();
        self.is_over.set(true);
    }

    /// Nothing is held over the page any more.
    pub fn drag_leave(self, _: &DragEvent) {
        self.is_over.set(false);
    }

    /// Takes the file that was let go.
    pub fn drop(self, event: &DragEvent) {
        event.prevent_default();
        self.is_over.set(false);
        if let Some(file) = browser::dropped_file(event) {
            self.take(file, || {});
        }
    }

    fn take(self, file: File, then: impl FnOnce() + 'static) {
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let name = file.name();
            let beginning = browser::beginning_of(&file, BEGINNING).await.unwrap_or_default();
            let outcome = match Exported::of(&beginning).or(self.usual) {
                Some(exported) => exported.take_in(file).await.map_err(|error| error.to_string()),
                None => Err("It is neither a run nor a document that Pitwall exported.".to_owned()),
            };
            then();
            self.busy.try_set(false);
            let refused = outcome.as_ref().err().map(|error| format!("“{name}” was not imported. {error}"));
            self.problem.try_set(refused);
            if let Ok(address) = outcome {
                self.go.try_run(address);
            }
        });
    }
}

/// A button that asks for a file.
#[component]
pub fn ImportButton(
    /// What takes it in.
    importer: Importer,
    /// What the chooser is called, as in `File of a run`.
    label: &'static str,
    /// The endings and types of files that are offered first.
    accept: &'static str,
    /// What the button looks like.
    #[prop(default = "button import-act")]
    look: &'static str,
    /// What is said of it.
    title: &'static str,
    /// Its words while nothing is taken in.
    children: ChildrenFn,
) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let take = move |_: ev::Event| {
        let Some(input) = chooser.get_untracked() else { return };
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        // So that the same file can be chosen again.
        importer.take(file, move || input.set_value(""));
    };
    let choose = move |_| {
        if let Some(input) = chooser.get_untracked() {
            input.click();
        }
    };
    let words = move || match importer.busy.get() {
        true => "Importing …".into_any(),
        false => children(),
    };
    view! {
        <input type="file" node_ref=chooser accept=accept hidden=true aria-label=label on:change=take />
        <button type="button" class=look disabled=importer.busy title=title on:click=choose>
            <Icon name=IconName::Import />
            <span aria-live="polite">{words}</span>
        </button>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_what_it_says_it_is() {
        for (beginning, exported) in [
            ("{\"format\":\"pitwall-run\",\"version\":1}\n{\"run\":", Some(Exported::Run)),
            ("\n{\n  \"version\": 1,\n  \"format\": \"pitwall-document\",", Some(Exported::Document)),
            ("{\"format\":\"pitwall-ledger\"}", None),
            ("", None),
        ] {
            assert_eq!(Exported::of(beginning), exported, "{beginning}");
        }
    }
}
