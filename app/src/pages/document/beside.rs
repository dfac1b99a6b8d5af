//! Another version beside the text: an older one to be restored, or a newer one that somebody saved meanwhile.

use leptos::prelude::*;
use protocol::document::DocumentVersion;

use super::editor::Editor;
use crate::components::copy::CopyButton;

/// What is shown beside the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beside {
    /// An older version.
    Older {
        /// Which one.
        version: DocumentVersion,
        /// Its text.
        text: String,
    },
    /// The newest version, where what is typed was made from an older one.
    Newer {
        /// Which one.
        version: DocumentVersion,
        /// Its text.
        text: String,
    },
}

/// The other version, and what can be done with it; nothing where there is none.
#[component]
pub fn BesidePane(editor: Editor) -> impl IntoView {
    move || {
        editor.beside.get().map(|beside| match beside {
            Beside::Older { version, text } => view! { <Older editor version text /> }.into_any(),
            Beside::Newer { version, text } => view! { <Newer editor version text /> }.into_any(),
        })
    }
}

#[component]
fn Older(editor: Editor, version: DocumentVersion, text: String) -> impl IntoView {
    let restored = text.clone();
    let restore = move |_| {
        editor.put(restored.clone());
        editor.beside.set(None);
    };
    let is_changed = Memo::new(move |_| editor.is_changed());
    view! {
        <section class="card document-beside" aria-labelledby="beside-heading">
            <h2 id="beside-heading">{format!("Version {version}")}</h2>
            <pre class="document-other mono" tabindex="0">{shown(&text)}</pre>
            {editor.is_known.then(|| view! {
                <p class="note">
                    {move || if is_changed.get() {
                        "Save or undo your changes before you restore this one."
                    } else {
                        "Restored, it stands in the field; saved, it becomes the newest version."
                    }}
                </p>
            })}
            <div class="document-acts">
                <button type="button" class="button" on:click=move |_| editor.beside.set(None)>"Close"</button>
                {editor.is_known.then(|| view! {
                    <button type="button" class="button" disabled=is_changed on:click=restore>"Restore"</button>
                })}
            </div>
        </section>
    }
}

#[component]
fn Newer(editor: Editor, version: DocumentVersion, text: String) -> impl IntoView {
    let (taken, copied) = (text.clone(), text.clone());
    view! {
        <section class="card document-beside conflict" aria-labelledby="beside-heading">
            <h2 id="beside-heading">{format!("Version {version}, saved meanwhile")}</h2>
            <p role="alert">
                "What you typed was made from an older version and is not saved. Both are here: yours in the field, this one beside it."
            </p>
            <pre class="document-other mono" tabindex="0">{shown(&text)}</pre>
            <div class="document-acts">
                <CopyButton text=Callback::new(move |()| copied.clone()) />
                <button type="button" class="button" title="What you typed is given up" on:click=move |_| editor.take_newer(version, taken.clone())>
                    "Take this one"
                </button>
                <button type="button" class="button primary" on:click=move |_| editor.save_after(version)>
                    {format!("Save mine after version {version}")}
                </button>
            </div>
        </section>
    }
}

/// Bytes of another version that are shown; all of it can be exported, copied and restored.
const MOST_SHOWN: usize = 50_000;

/// A text in one piece is cut by a browser where it is longer than 65,536 characters.
fn shown(text: &str) -> String {
    if text.len() <= MOST_SHOWN {
        return text.to_owned();
    }
    format!("{}\n…", &text[..text.floor_char_boundary(MOST_SHOWN)])
}
