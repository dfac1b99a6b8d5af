//! A newer version than the one that was edited: who saved it, in which parts it differs, and what can be done.

use leptos::prelude::*;

use super::{
    draft::Draft,
    parts::{self, Part},
};
use crate::{
    components::icon::{Icon, IconName},
    format,
};

/// The newer version beside what is edited; nothing where there is none. All that is chosen here can be undone.
#[component]
pub(super) fn Conflict(draft: Draft) -> impl IntoView {
    let differing = Memo::new(move |_| {
        draft.newer.with(|newer| {
            let newer = newer.as_ref()?;
            Some(draft.content.with(|content| parts::differing(content, &newer.content)))
        })
    });
    let save = Action::new(move |(): &()| async move {
        if let Some(newer) = draft.newer.get_untracked() {
            draft.save_after(newer.version).await;
        }
    });
    let row = move |part: Part| {
        let (label, told) = (part.label(), part.label());
        let take = move |_| {
            if let Some(newer) = draft.newer.get_untracked() {
                draft.step("", |content| parts::take(content, &newer.content, &part));
            }
        };
        view! {
            <li>
                <span>{label}</span>
                <button type="button" class="button" aria-label=format!("Take theirs: {told}") on:click=take>"Take theirs"</button>
            </li>
        }
    };
    move || {
        let newer = draft.newer.get()?;
        let (version, at) = (newer.version, newer.at);
        Some(view! {
            <section class="card team-conflict" aria-labelledby="team-conflict-heading">
                <h2 id="team-conflict-heading">
                    <Icon name=IconName::Alert />
                    {format!("Version {version} was saved meanwhile")}
                </h2>
                <p role="alert">
                    "By this account, in another tab or program, on "
                    <time datetime=at.to_string()>{format::moment(at)}</time>
                    " (UTC). What you have changed was made from an older version and is not saved. Both are kept: take theirs part by part or as a whole, or save yours after it."
                </p>
                {move || match differing.get().unwrap_or_default() {
                    parts if parts.is_empty() => view! { <p>"Both are the same now."</p> }.into_any(),
                    parts => view! { <ul class="team-parts" aria-label="Where they differ">{parts.into_iter().map(row).collect_view()}</ul> }.into_any(),
                }}
                <div class="page-acts">
                    <button type="button" class="button" on:click=move |_| draft.take_newer()>{format!("Take version {version} as a whole")}</button>
                    <button type="button" class="button primary" disabled=save.pending() on:click=move |_| { save.dispatch(()); }>
                        {format!("Save mine after version {version}")}
                    </button>
                </div>
            </section>
        })
    }
}
