//! Deleting a document, after it was asked whether that is meant.

use leptos::{ev::SubmitEvent, prelude::*};
use protocol::document::DocumentId;

use crate::{
    api::{ApiError, documents as api},
    components::{dialog::Modal, notice::Refusal},
};

/// Asks before a document is deleted. The document that it asks about, with its title, opens it.
#[component]
pub fn DeleteDocument(
    /// The document, while it is asked about.
    asked: RwSignal<Option<(DocumentId, String)>>,
    /// Told once it is gone.
    #[prop(into)]
    on_deleted: Callback<DocumentId>,
) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(asked.with(Option::is_some)));
    Effect::new(move |_| {
        if !open.get() && asked.with_untracked(Option::is_some) {
            asked.set(None);
        }
    });
    let delete = Action::new(move |id: &DocumentId| {
        let id = *id;
        async move {
            api::delete(id).await?;
            asked.try_set(None);
            on_deleted.run(id);
            Ok::<(), ApiError>(())
        }
    });
    let confirm = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some((id, _)) = asked.get_untracked() {
            delete.dispatch(id);
        }
    };
    let title =
        move || asked.with(|asked| asked.as_ref().map(|(_, title)| title.clone())).unwrap_or_default();
    view! {
        <Modal open id="delete-document" title="Delete this document?".to_owned()>
            <p class="document-name"><strong>{title}</strong></p>
            <p>"All its versions go for good. Export it first if somebody may want to read it again."</p>
            <p class="dim">"Runs that used it stay, and cannot be continued."</p>
            <form class="dialog-form" on:submit=confirm>
                <Refusal act=delete lead="It was not deleted: " />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| open.set(false)>"Keep it"</button>
                    <button type="submit" class="button danger" disabled=delete.pending()>"Delete the document"</button>
                </div>
            </form>
        </Modal>
    }
}
