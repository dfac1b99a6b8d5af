//! The dialog that makes a document.

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::document::{DocumentKindSpec, NewDocument as Request};

use crate::{
    api::documents as api,
    browser::{self, drafts::forget_draft},
    components::{
        choice::choice,
        draft::draft_of,
        icon::{Icon, IconName},
        notice::FormError,
    },
};

/// The name of what is typed in it.
const DRAFT: &str = "new document";

/// The button and its dialog. It leads to the new document.
#[component]
pub fn NewDocument(
    /// The kinds to choose from; there is at least one.
    kinds: Vec<DocumentKindSpec>,
) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let (title, chosen) = (RwSignal::new(String::new()), RwSignal::new(0_usize));
    let fault = RwSignal::new(None::<String>);
    let navigate = use_navigate();
    let create = Action::new(|request: &Request| api::create(request.clone()));
    Effect::new(move || match create.value().get() {
        Some(Ok(made)) => {
            forget_draft(DRAFT);
            navigate(&format!("/documents/{}", made.id), Default::default());
        }
        Some(Err(error)) => fault.set(Some(error.to_string())),
        None => {}
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            browser::close_dialog(&dialog);
        }
    };
    let open = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            browser::open_dialog(&dialog);
        }
    };
    let options = kinds
        .iter()
        .enumerate()
        .map(|(index, spec)| choice(index.to_string(), spec.label.clone(), move || chosen.get() == index));
    let options = options.collect_view();
    let kinds = StoredValue::new(kinds);
    let hint = move || kinds.with_value(|kinds| kinds.get(chosen.get()).map(|spec| spec.hint.clone()));
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if create.pending().get_untracked() {
            return;
        }
        let spec = kinds.with_value(|kinds| kinds.get(chosen.get_untracked()).cloned());
        match (spec, title.get_untracked().trim().parse()) {
            (Some(DocumentKindSpec { kind, template, .. }), Ok(title)) => {
                fault.set(None);
                create.dispatch(Request { kind, title, content: template });
            }
            (None, _) => fault.set(Some("Choose a kind.".to_owned())),
            (_, Err(error)) => fault.set(Some(format!("{error}."))),
        }
    };
    view! {
        <button type="button" class="button primary" on:click=open>
            <Icon name=IconName::Plus />
            "New"
        </button>
        <dialog class="dialog" node_ref=dialog aria-labelledby="new-document-heading">
            <form class="dialog-form" novalidate=true on:submit=submit node_ref=draft_of(|| DRAFT.to_owned())>
                <h2 id="new-document-heading">"New document"</h2>
                <div class="field">
                    <label for="new-document-kind">"Kind"</label>
                    <select id="new-document-kind" class="input" on:change=move |event| chosen.set(event_target_value(&event).parse().unwrap_or(0))>
                        {options}
                    </select>
                    <p class="note">{hint}</p>
                </div>
                <div class="field">
                    <label for="new-document-title">"Title"</label>
                    <input id="new-document-title" class="input" type="text" maxlength="120" autocomplete="off" prop:value=title on:input=move |event| title.set(event_target_value(&event)) />
                </div>
                <FormError text=fault />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| close()>"Cancel"</button>
                    <button type="submit" class="button primary" aria-disabled=move || create.pending().get().then_some("true")>
                        {move || if create.pending().get() { "Making …" } else { "Make it" }}
                    </button>
                </div>
            </form>
        </dialog>
    }
}
