//! How the page hears of what happens.

use leptos::prelude::*;

use crate::components::{
    icon::IconName,
    status::{Sign, SignLabel, Tone},
};

/// The state of a socket, as a person needs to know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// The first attempt is under way.
    #[default]
    Connecting,
    /// What is shown is what is.
    Live,
    /// It was lost; what is shown may be old.
    Reconnecting,
    /// The browser has no network.
    Offline,
    /// Nothing more will come.
    Complete,
}

impl Connection {
    /// Icon, word and tone.
    pub fn sign(self) -> Sign {
        let (icon, word, tone) = match self {
            Self::Connecting => (IconName::Hourglass, "Connecting", Tone::Quiet),
            Self::Live => (IconName::CircleDot, "Live", Tone::Done),
            Self::Reconnecting => (IconName::Hourglass, "Reconnecting", Tone::Attention),
            Self::Offline => (IconName::Offline, "Offline", Tone::Failed),
            Self::Complete => (IconName::Check, "Complete", Tone::Quiet),
        };
        Sign { icon, word, tone }
    }
}

/// The state of a socket as icon and word.
#[component]
pub fn ConnectionLabel(
    /// The state.
    #[prop(into)]
    connection: Signal<Connection>,
) -> impl IntoView {
    view! {
        <span class="connection" aria-live="polite">
            {move || view! { <SignLabel sign=connection.get().sign() /> }}
        </span>
    }
}
