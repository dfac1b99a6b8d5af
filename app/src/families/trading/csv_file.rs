//! A CSV file that a person chooses, and what is wrong with it line by line.

use leptos::{ev, html, prelude::*, task::spawn_local};
use protocol::trading::LineError;

use crate::{
    browser,
    components::icon::{Icon, IconName},
    format,
};

/// The most bytes of a file that are read: a document holds no more.
const LARGEST_FILE: u32 = 500 * 1024;

/// A file as it was read.
#[derive(Clone)]
pub struct CsvFile {
    /// Its name without the ending.
    pub name: String,
    /// What it holds.
    pub text: String,
}

/// A button that asks for a file and reads it.
#[component]
pub fn ChooseCsv(
    /// What the file holds, for those who do not see the button.
    label: &'static str,
    /// Whether something is at work.
    busy: RwSignal<bool>,
    /// Why the file cannot be read, in a sentence.
    problem: RwSignal<Option<String>>,
    /// Told of each file that is chosen: `None` for one that cannot be read.
    on_read: Callback<Option<CsvFile>>,
) -> impl IntoView {
    let chooser = NodeRef::<html::Input>::new();
    let chosen = move |_: ev::Event| {
        let Some(input) = chooser.get_untracked() else { return };
        let Some(file) = input.files().and_then(|files| files.get(0)) else { return };
        // So that the same file can be chosen again.
        input.set_value("");
        let name = file.name();
        problem.set(None);
        on_read.run(None);
        if file.size() > f64::from(LARGEST_FILE) {
            problem.set(Some(format!("“{name}” is larger than 500 KiB. Split it, or leave out what is not needed.")));
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let read = browser::beginning_of(&file, LARGEST_FILE).await;
            busy.try_set(false);
            match read {
                Ok(text) => {
                    on_read.try_run(Some(CsvFile { name: name.trim_end_matches(".csv").to_owned(), text }));
                }
                Err(_) => {
                    problem.try_set(Some(format!("“{name}” cannot be read. Choose it again.")));
                }
            }
        });
    };
    let choose = move |_| {
        if let Some(input) = chooser.get_untracked() {
            input.click();
        }
    };
    view! {
        <input type="file" node_ref=chooser accept=".csv,text/csv,text/plain" hidden=true aria-label=label on:change=chosen />
        <button type="button" class="button" disabled=busy on:click=choose>
            <Icon name=IconName::Import />
            <span aria-live="polite">{move || if busy.get() { "Working …" } else { "Choose a file" }}</span>
        </button>
    }
}

/// What is wrong with a file, so that nothing is made of it.
#[component]
pub fn LineErrors(
    /// The first errors.
    errors: Vec<LineError>,
    /// How many there are beyond those.
    more: u64,
) -> impl IntoView {
    let lines = errors.into_iter().map(|error| view! { <li>{error.to_string()}</li> }).collect_view();
    let more = (more > 0).then(|| view! { <p class="dim">{format!("And {} more.", format::count(more))}</p> });
    view! {
        <div class="price-preview" role="status">
            <p><strong>"Nothing is kept before these lines are mended:"</strong></p>
            <ul>{lines}</ul>
            {more}
        </div>
    }
}
