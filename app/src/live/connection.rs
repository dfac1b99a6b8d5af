//! How the page hears of what happens.

use leptos::prelude::*;
use protocol::Timestamp;

use crate::components::{
    icon::{Icon, IconName},
    status::Tone,
};

/// How the page is connected to the server, as a person needs to know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// The first attempt is under way.
    #[default]
    Connecting,
    /// What is shown is what is.
    Live,
    /// The same, although no socket gets through.
    WithoutSocket(Obstacle),
    /// It was lost: what is shown is old.
    Reconnecting {
        /// When the server was last heard.
        as_of: Timestamp,
    },
    /// The browser has no network: what is shown is old.
    Offline {
        /// When the server was last heard.
        as_of: Timestamp,
    },
    /// Nothing more will come.
    Complete,
}

/// What is known after messages were taken.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// All that the server had said there is.
    UpToDate,
    /// More is on its way.
    Behind,
    /// Something between them is missing.
    Missing,
}

/// What a socket met on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// It was refused.
    Refuses,
    /// It was not answered.
    Silent,
    /// It broke off.
    Breaks,
}

#[cfg_attr(not(feature = "hydrate"), allow(dead_code))]
impl Obstacle {
    const ALL: [Self; 3] = [Self::Refuses, Self::Silent, Self::Breaks];

    /// Its name where a tab remembers it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Refuses => "refuses",
            Self::Silent => "silent",
            Self::Breaks => "breaks",
        }
    }

    /// The one of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|obstacle| obstacle.name() == name)
    }
}

impl Connection {
    /// When the server was last heard, where it is not heard now.
    pub fn as_of(self) -> Option<Timestamp> {
        match self {
            Self::Reconnecting { as_of } | Self::Offline { as_of } => Some(as_of),
            Self::Connecting | Self::Live | Self::WithoutSocket(_) | Self::Complete => None,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Connecting => "Connecting",
            Self::Live | Self::WithoutSocket(_) => "Live",
            Self::Reconnecting { .. } => "Reconnecting",
            Self::Offline { .. } => "Offline",
            Self::Complete => "Complete",
        }
    }

    /// What there is to know besides.
    fn remark(self) -> Option<String> {
        match self {
            Self::WithoutSocket(obstacle) => Some(format!(
                "without a socket: a proxy on the way {}",
                match obstacle {
                    Obstacle::Refuses => "refuses it",
                    Obstacle::Silent => "does not answer it",
                    Obstacle::Breaks => "breaks it off",
                }
            )),
            connection => connection.as_of().map(as_of),
        }
    }

    fn look(self) -> (IconName, Tone) {
        match self {
            Self::Connecting => (IconName::Hourglass, Tone::Quiet),
            Self::Live | Self::WithoutSocket(_) => (IconName::CircleDot, Tone::Done),
            Self::Reconnecting { .. } => (IconName::Hourglass, Tone::Attention),
            Self::Offline { .. } => (IconName::Offline, Tone::Failed),
            Self::Complete => (IconName::Check, Tone::Quiet),
        }
    }
}

/// The moment up to which something is known: `as of 12:03:10 UTC`.
fn as_of(moment: Timestamp) -> String {
    format!("as of {} UTC", moment.clock())
}

/// The state of the connection as icon and words.
#[component]
pub fn ConnectionLabel(
    /// The state.
    #[prop(into)]
    connection: Signal<Connection>,
) -> impl IntoView {
    let label = move || {
        let connection = connection.get();
        let (icon, tone) = connection.look();
        let remark = connection.remark().map(|remark| {
            view! {
                ", "
                <span class="remark">{remark}</span>
            }
        });
        view! {
            <span class=format!("sign {}", tone.class())>
                <Icon name=icon />
                <span>{connection.word()} {remark}</span>
            </span>
        }
    };
    view! {
        <span class="connection" aria-live="polite">
            {label}
        </span>
    }
}

/// Since when what a part of the page shows of the server's is old; `None` while it is not.
#[derive(Clone, Copy)]
pub struct OldSince(Signal<Option<Timestamp>>);

impl OldSince {
    /// Says so to all that is shown below.
    pub fn provide(old: impl Fn() -> Option<Timestamp> + Send + Sync + 'static) {
        provide_context(Self(Signal::derive(old)));
    }

    /// A word such as "running" as it may be said now: of what was, where that is all that is known.
    pub fn word(word: String) -> impl Fn() -> String + Clone + Send + 'static {
        let remark = Self::remark();
        move || word.clone() + &remark()
    }

    /// What is said behind such a word.
    pub fn remark() -> impl Fn() -> String + Copy + Send + 'static {
        let old = use_context::<Self>();
        move || {
            let old = old.and_then(|old| old.0.try_get().flatten());
            old.map(|moment| format!(", {}", as_of(moment))).unwrap_or_default()
        }
    }

    /// The latest moment until `now` that anything is known of: time that nobody hears of does not pass.
    pub fn heard_by(now: Timestamp) -> Timestamp {
        let old = use_context::<Self>().and_then(|old| old.0.try_get().flatten());
        old.map_or(now, |old| now.min(old))
    }

    /// Whether it is.
    pub fn is_old() -> impl Fn() -> bool + Copy + Send + 'static {
        let old = use_context::<Self>();
        move || old.is_some_and(|old| old.0.try_get().flatten().is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_old_says_since_when() {
        let lost = Connection::Reconnecting { as_of: Timestamp(43_390_000) };
        assert_eq!((lost.word(), lost.remark().as_deref()), ("Reconnecting", Some("as of 12:03:10 UTC")));
        assert_eq!(Connection::Live.remark(), None);
    }

    #[test]
    fn a_tab_remembers_each_obstacle_by_its_name() {
        for obstacle in Obstacle::ALL {
            assert_eq!(Obstacle::named(obstacle.name()), Some(obstacle));
        }
        assert_eq!(Obstacle::named(""), None);
    }
}
