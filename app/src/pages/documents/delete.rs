//! Deleting a document.

use leptos::prelude::*;
use protocol::document::DocumentId;

use crate::{api::documents as api, components::delete::ConfirmDeletion};

/// Asks before a document is deleted. The document that it asks about, with its title, opens it.
#[component]
pub fn DeleteDocument(
    /// The document, while it is asked about.
    asked: RwSignal<Option<(DocumentId, String)>>,
    /// Told once it is gone.
    #[prop(into)]
    on_deleted: Callback<DocumentId>,
) -> impl IntoView {
    view! {
        <ConfirmDeletion asked noun="document" id="delete-document" delete=api::delete on_deleted>
            <p>"All its versions go for good. Export it first if somebody may want to read it again."</p>
            <p class="dim">"Runs that used it stay, and cannot be continued."</p>
        </ConfirmDeletion>
    }
}
