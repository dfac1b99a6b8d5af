//! Ending a run, after it was asked whether that is meant.

use leptos::{ev, prelude::*};
use protocol::RunId;

use super::{
    dialog::Modal,
    draft::draft_of,
    icon::{Icon, IconName},
    keys::on_page_key,
    notice::Refusal,
};
use crate::{api, browser::drafts::forget_draft};

/// A button that ends a run once it was asked whether that is meant, with a reason for the log. Also by the key `s`.
#[component]
pub fn StopRun(
    /// The run.
    run: RunId,
    /// Whether it is at work.
    can_stop: Memo<bool>,
    /// What people call it here, as in `run`.
    noun: &'static str,
    /// What can be done later with what it found so far.
    kept: &'static str,
) -> impl IntoView {
    let open = RwSignal::new(false);
    let draft_name = move || format!("stop {run}");
    // Whether it was told to stop and had not ended when that was answered.
    let is_late = RwSignal::new(false);
    let stop = Action::new(move |reason: &Option<String>| {
        let reason = reason.clone();
        async move {
            let stopped = api::stop_run(run, reason).await?;
            forget_draft(&draft_name());
            is_late.try_set(!stopped.ended);
            open.try_set(!stopped.ended);
            Ok::<(), api::ApiError>(())
        }
    });
    let pending = stop.pending();
    let lateness = move || match (is_late.get(), can_stop.get()) {
        (false, _) => "",
        (true, true) => "It begins nothing new. It ends as soon as the disk can be written to.",
        (true, false) => "It has ended.",
    };
    on_page_key(move |event| {
        if event.key() == "s" && can_stop.get_untracked() {
            event.prevent_default();
            open.set(true);
        }
    });
    let form = move || {
        let reason = RwSignal::new(String::new());
        let confirm = move |event: ev::SubmitEvent| {
            event.prevent_default();
            let said = reason.get_untracked().trim().to_owned();
            stop.dispatch(Some(said).filter(|said| !said.is_empty()));
        };
        view! {
            <p>
                {format!("It asks no further model and calls no further tool. What it found so far is kept, {kept}.")}
            </p>
            <form class="dialog-form" on:submit=confirm node_ref=draft_of(draft_name)>
                <label class="ask-label">
                    "Reason, for the log (optional)"
                    <input
                        class="input"
                        name="reason"
                        type="text"
                        maxlength="300"
                        autocomplete="off"
                        prop:value=reason
                        on:input=move |event| reason.set(event_target_value(&event))
                    />
                </label>
                <Refusal act=stop />
                <p class="note" role="status">{lateness}</p>
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| open.set(false)>
                        {move || if is_late.get() { "Close" } else { "Let it run" }}
                    </button>
                    <button type="submit" class="button danger" disabled=move || pending.get() || is_late.get()>
                        {format!("Stop the {noun}")}
                    </button>
                </div>
            </form>
        }
    };
    view! {
        <div class="stop-act">
            <Show when=move || can_stop.get()>
                <button type="button" class="button act danger" title=format!("Stop this {noun} (s)") on:click=move |_| open.set(true)>
                    <Icon name=IconName::Stop />
                    <span>"Stop"</span>
                </button>
            </Show>
            <Modal open id="stop" title=format!("Stop this {noun}?")>{form()}</Modal>
        </div>
    }
}
