//! Where a run or a node stands: always an icon and a word, never colour alone.

use std::sync::Arc;

use leptos::{either::Either, prelude::*};
use protocol::{NodeId, NodeStatus, NodeView, RunStatus, ToolStatus};

use super::icon::{Icon, IconName};
use crate::live::OldSince;

/// What a state means for the person, and with it the colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to see yet, or nothing more.
    Quiet,
    /// Work is under way.
    Live,
    /// Ended well.
    Done,
    /// Somebody should look.
    Attention,
    /// Ended badly.
    Failed,
}

impl Tone {
    /// The class that sets the colour.
    pub fn class(self) -> &'static str {
        match self {
            Self::Quiet => "tone-quiet",
            Self::Live => "tone-live",
            Self::Done => "tone-done",
            Self::Attention => "tone-attention",
            Self::Failed => "tone-failed",
        }
    }
}

/// A state as icon, word and tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// The icon.
    pub icon: IconName,
    /// The word.
    pub word: &'static str,
    /// The meaning.
    pub tone: Tone,
}

/// The sign of a run.
pub fn run_sign(status: RunStatus) -> Sign {
    let (icon, tone) = match status {
        RunStatus::Queued => (IconName::Hourglass, Tone::Quiet),
        RunStatus::Running => (IconName::CircleDot, Tone::Live),
        RunStatus::Waiting => (IconName::Person, Tone::Attention),
        RunStatus::Succeeded => (IconName::Check, Tone::Done),
        RunStatus::Failed => (IconName::Cross, Tone::Failed),
        RunStatus::Cancelled => (IconName::Stop, Tone::Quiet),
    };
    Sign { icon, word: status.label(), tone }
}

/// The sign of a node. A node that had to do without something is done, but says so.
pub fn node_sign(node: &NodeView) -> Sign {
    if node.status == NodeStatus::Succeeded && node.degraded.is_some() {
        return Sign { icon: IconName::CircleHalf, word: "partial", tone: Tone::Attention };
    }
    if node.status == NodeStatus::Succeeded && node.visits.last().is_some_and(|visit| visit.inherited) {
        return Sign { icon: IconName::Fork, word: "kept", tone: Tone::Done };
    }
    let (icon, tone) = match node.status {
        NodeStatus::Pending => (IconName::CircleDashed, Tone::Quiet),
        NodeStatus::Ready => (IconName::Hourglass, Tone::Quiet),
        NodeStatus::Running => (IconName::CircleDot, Tone::Live),
        NodeStatus::Waiting => (IconName::Person, Tone::Attention),
        NodeStatus::Succeeded => (IconName::Check, Tone::Done),
        NodeStatus::Failed => (IconName::Cross, Tone::Failed),
        NodeStatus::Skipped => (IconName::Skip, Tone::Quiet),
    };
    Sign { icon, word: node.status.label(), tone }
}

/// The signs of the nodes of the run that is shown, for cards below that follow its work.
#[derive(Clone)]
pub struct NodeSigns(Arc<ReadSign>);

type ReadSign = dyn Fn(&NodeId) -> Option<Sign> + Send + Sync;

impl NodeSigns {
    /// Says to all that is shown below how to read them.
    pub fn provide(read: impl Fn(&NodeId) -> Option<Sign> + Send + Sync + 'static) {
        provide_context(Self(Arc::new(read)));
    }

    /// The sign of a node, as it changes; `None` where no run is followed, or it has no such node.
    pub fn of(node: NodeId) -> Memo<Option<Sign>> {
        let signs = use_context::<Self>();
        Memo::new(move |_| signs.as_ref().and_then(|signs| (signs.0)(&node)))
    }
}

/// The sign of a tool call; `None` while it is in flight.
pub fn tool_sign(status: Option<ToolStatus>) -> Sign {
    match status {
        None => Sign { icon: IconName::CircleDot, word: "working", tone: Tone::Live },
        Some(ToolStatus::Success) => Sign { icon: IconName::Check, word: "done", tone: Tone::Done },
        Some(ToolStatus::Degraded) => {
            Sign { icon: IconName::CircleHalf, word: "partial", tone: Tone::Attention }
        }
        Some(ToolStatus::Error) => Sign { icon: IconName::Cross, word: "failed", tone: Tone::Failed },
    }
}

/// Icon and word in the state's colour.
#[component]
pub fn SignLabel(
    /// The state.
    sign: Sign,
) -> impl IntoView {
    view! {
        <span class=tone_class("sign", sign.tone, sign.tone == Tone::Live)>
            <Icon name=sign.icon />
            <span>{sign_word(sign)}</span>
        </span>
    }
}

/// The word of a sign as it may be said now: "was running", where that is all that is known.
pub fn sign_word(sign: Sign) -> impl Fn() -> String + Clone + Send + 'static {
    let is_old = OldSince::is_old();
    move || match sign.tone {
        Tone::Live if is_old() => {
            let was = if sign.word.starts_with(char::is_uppercase) { "Was" } else { "was" };
            format!("{was} {}", sign.word.to_ascii_lowercase())
        }
        _ => sign.word.to_owned(),
    }
}

/// Work that was under way when the server was last heard may have ended since, and does not look
/// as if it went on.
fn tone_class(class: &'static str, tone: Tone, is_under_way: bool) -> impl Fn() -> String {
    let is_old = OldSince::is_old();
    move || {
        let tone = if is_under_way && is_old() { Tone::Quiet } else { tone };
        format!("{class} {}", tone.class())
    }
}

/// The state of a run as a pill, with the phase while it works.
#[component]
pub fn RunPill(
    /// Where the run stands.
    status: RunStatus,
    /// The phase that works now.
    #[prop(optional_no_strip)]
    phase: Option<String>,
) -> impl IntoView {
    let sign = run_sign(status);
    let word = match phase.filter(|_| !status.is_over()) {
        Some(phase) => format!("{}: {}", sign.word, phase),
        None => sign.word.to_owned(),
    };
    let is_under_way = !status.is_over();
    let word = if is_under_way { Either::Left(OldSince::word(word)) } else { Either::Right(word) };
    view! {
        <span class=tone_class("pill", sign.tone, is_under_way)>
            <Icon name=sign.icon />
            <span>{word}</span>
        </span>
    }
}
