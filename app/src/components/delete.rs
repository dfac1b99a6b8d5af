//! Deleting something for good, after it was asked whether that is meant.

use leptos::{ev::SubmitEvent, prelude::*};

use super::{dialog::Modal, notice::Refusal};
use crate::api::ApiError;

/// Asks before something is deleted. What it asks about, with its title, opens it; what is lost by it is said by the
/// children.
#[component]
pub fn ConfirmDeletion<
    Id: Copy + Send + Sync + 'static,
    Deleting: Future<Output = Result<(), ApiError>> + Send + 'static,
>(
    /// What is asked about.
    asked: RwSignal<Option<(Id, String)>>,
    /// What such a thing is called, as in `run`.
    noun: &'static str,
    /// Keeps the dialog's parts apart from those of others.
    id: &'static str,
    /// Deletes it.
    delete: fn(Id) -> Deleting,
    /// Told once it is gone.
    on_deleted: Callback<Id>,
    /// What is lost, and what stays.
    children: ChildrenFn,
) -> impl IntoView {
    let open = RwSignal::new(false);
    Effect::new(move |_| open.set(asked.with(Option::is_some)));
    Effect::new(move |_| {
        if !open.get() && asked.with_untracked(Option::is_some) {
            asked.set(None);
        }
    });
    let delete = Action::new(move |thing: &Id| {
        let thing = *thing;
        async move {
            delete(thing).await?;
            asked.try_set(None);
            on_deleted.run(thing);
            Ok::<(), ApiError>(())
        }
    });
    let confirm = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some((thing, _)) = asked.get_untracked() {
            delete.dispatch(thing);
        }
    };
    let title =
        move || asked.with(|asked| asked.as_ref().map(|(_, title)| title.clone())).unwrap_or_default();
    let children = StoredValue::new(children);
    view! {
        <Modal open id title=format!("Delete this {noun}?")>
            <p class="deleted-title"><strong>{title}</strong></p>
            {children.with_value(|children| children())}
            <form class="dialog-form" on:submit=confirm>
                <Refusal act=delete lead="It was not deleted: " />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| open.set(false)>"Keep it"</button>
                    <button type="submit" class="button danger" disabled=delete.pending()>{format!("Delete the {noun}")}</button>
                </div>
            </form>
        </Modal>
    }
}
