//! A run for others to read.

use leptos::{ev, html, prelude::*};
use protocol::{AccessMode, Audience};

use super::screen::Screen;
use crate::{
    api::access,
    base::at,
    browser,
    components::{
        access::identity,
        copy::CopyButton,
        dialog::Modal,
        icon::{Icon, IconName},
        notice::Refusal,
    },
};

const DAY: u64 = 86_400;
/// How long a share can last: in seconds, or until it is revoked.
const LIVES: [(&str, Option<u64>, &str); 4] = [
    ("day", Some(DAY), "1 day"),
    ("week", Some(7 * DAY), "1 week"),
    ("month", Some(30 * DAY), "30 days"),
    ("open", None, "until it is revoked"),
];

/// Lets others read the run, and nothing else.
#[component]
pub fn ShareButton(screen: Screen) -> impl IntoView {
    let open = RwSignal::new(false);
    view! {
        <div class="share-act">
            <button type="button" class="button act" title="Let others read this run" on:click=move |_| open.set(true)>
                <Icon name=IconName::People />
                <span class="act-word">"Share"</span>
            </button>
            <Modal open id="share" title="Share this run".to_owned()>
                <ShareForm screen open />
            </Modal>
        </div>
    }
}

#[component]
fn ShareForm(screen: Screen, open: RwSignal<bool>) -> impl IntoView {
    let life = NodeRef::<html::Select>::new();
    let audience = RwSignal::new(Audience::Link);
    let share = Action::new(move |(audience, seconds): &(Audience, Option<u64>)| {
        access::share_run(screen.id, *audience, *seconds)
    });
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let chosen = life.get_untracked().map(|life| life.value());
        let chosen = LIVES.iter().find(|(name, ..)| chosen.as_deref() == Some(name));
        share.dispatch((audience.get_untracked(), chosen.and_then(|(_, seconds, _)| *seconds)));
    };
    let lives = LIVES.map(|(name, _, words)| view! { <option value=name>{words}</option> });
    let to_viewers = move |event: ev::Event| {
        audience.set(if event_target_checked(&event) { Audience::Viewers } else { Audience::Link });
    };
    view! {
        <p class="dim">
            "Whoever has the link sees the run as it is and as it goes on, and can change nothing. "
            "Your other runs and your portfolios stay yours. The account page lists what is shared, and revokes it."
        </p>
        <form class="dialog-form" on:submit=submit>
            <label class="ask-label">
                "For how long"
                <select class="input" node_ref=life>{lives.collect_view()}</select>
            </label>
            <Suspense>
                {move || Suspend::new(async move {
                    let has_viewers = identity().await.is_some_and(|identity| identity.mode == AccessMode::Accounts);
                    has_viewers.then(|| view! {
                        <label class="share-viewers">
                            <input type="checkbox" on:change=to_viewers />
                            "With this server's viewers instead of by a link"
                        </label>
                    })
                })}
            </Suspense>
            {move || share.value().get()?.ok().map(|made| view! { <Made path=made.path /> })}
            <Refusal act=share />
            <div class="dialog-acts">
                <button type="button" class="button" on:click=move |_| open.set(false)>"Close"</button>
                <button type="submit" class="button primary" disabled=share.pending()>"Share"</button>
            </div>
        </form>
    }
}

/// What came of it: the link, where one is needed.
#[component]
fn Made(path: Option<String>) -> impl IntoView {
    let Some(path) = path else {
        return view! { <p role="status">"This server's viewers find it among their runs."</p> }.into_any();
    };
    let link = format!("{}{}", browser::origin(), at(path));
    let copied = link.clone();
    view! {
        <p class="ask-label" role="status">
            "The link is shown this once."
            <span class="share-link">
                <input class="input" type="text" readonly aria-label="Link" value=link />
                <CopyButton text=move || copied.clone() />
            </span>
        </p>
    }
    .into_any()
}
