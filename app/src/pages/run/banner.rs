//! What a person must know before reading anything else of the run.

use leptos::prelude::*;
use protocol::{ForkPoint, KindSpec, ModelChoice, RunStatus, RunView};

use super::{place::barrier, screen::Screen};
use crate::components::{
    icon::{Icon, IconName},
    status::Tone,
};

/// The name that the rehearsal gives as its model.
const REHEARSAL: &str = "rehearsal";

#[derive(Clone, Debug, PartialEq, Eq)]
struct Message {
    tone: Tone,
    title: String,
    detail: String,
    /// Whether the run can be continued from its end.
    can_go_on: bool,
}

/// Bands below the header: the rehearsal, a failure, a stop.
#[component]
pub fn Banners(screen: Screen) -> impl IntoView {
    let deleted = move || screen.deleted.get().then(deleted);
    let messages = Memo::new(move |_| {
        let messages = screen.spec.with_value(|spec| screen.view.with(|view| messages(view, spec.as_ref())));
        deleted().into_iter().chain(messages).collect::<Vec<_>>()
    });
    move || {
        let bands = messages.get().into_iter().map(|message| {
            let role = (message.tone == Tone::Failed).then_some("alert");
            view! {
                <div class=format!("banner {}", message.tone.class()) role=role>
                    <Icon name=IconName::Alert />
                    <p>
                        <strong>{message.title}</strong>
                        " "
                        {message.detail}
                    </p>
                    {message.can_go_on.then(|| view! {
                        <button type="button" class="button" on:click=move |_| screen.fork.open(ForkPoint::End)>
                            <Icon name=IconName::Play />
                            "Continue"
                        </button>
                    })}
                </div>
            }
        });
        bands.collect_view()
    }
}

fn deleted() -> Message {
    Message {
        tone: Tone::Attention,
        title: "The run was deleted.".into(),
        detail: "What is still shown here is gone when this page is left.".into(),
        can_go_on: false,
    }
}

fn messages(view: &RunView, spec: Option<&KindSpec>) -> Vec<Message> {
    let summary = &view.summary;
    let barrier = barrier(view, spec);
    let continued = |advice: &str| if barrier.is_none() { format!(" {advice}") } else { String::new() };
    let kept = format!(
        "The log up to event {} is kept, with {} of {} nodes done.",
        summary.seq, summary.nodes_done, summary.nodes
    );
    let ending = match summary.status {
        RunStatus::Failed => Some(Message {
            tone: Tone::Failed,
            title: "The run failed.".into(),
            detail: format!(
                "{} {kept}{}",
                sentence(summary.error.as_deref().unwrap_or("No reason was given")),
                continued("Continue it in a new run, with larger limits if one was reached.")
            ),
            can_go_on: barrier.is_none(),
        }),
        RunStatus::Cancelled => Some(Message {
            tone: Tone::Quiet,
            title: "The run was stopped.".into(),
            detail: format!(
                "{}{kept}",
                summary.error.as_deref().map(|why| sentence(why) + " ").unwrap_or_default()
            ),
            can_go_on: barrier.is_none(),
        }),
        // An open question says it better.
        RunStatus::Waiting if view.open_inputs().next().is_none() => {
            view.status_reason.as_ref().map(|reason| Message {
                tone: Tone::Attention,
                title: "The run waits.".into(),
                detail: sentence(reason),
                can_go_on: false,
            })
        }
        _ => None,
    };
    let rehearsal = is_rehearsal(view).then(|| Message {
        tone: Tone::Attention,
        title: "Rehearsal model:".into(),
        detail: "a built-in stand-in that follows fixed rules. No language model was asked.".into(),
        can_go_on: false,
    });
    let unknown = (view.unknown_events > 0).then(|| Message {
        tone: Tone::Attention,
        title: "Some of this run is of a newer version.".into(),
        detail: format!("{} events are kept in the log but cannot be drawn.", view.unknown_events),
        can_go_on: false,
    });
    let foreign = barrier.map(|barrier| {
        let (title, detail) = barrier.words();
        Message { tone: Tone::Attention, title: title.into(), detail: detail.into(), can_go_on: false }
    });
    [foreign, ending, rehearsal, unknown].into_iter().flatten().collect()
}

/// Whether the rehearsal answers: it was chosen, or a node shows that it did.
fn is_rehearsal(view: &RunView) -> bool {
    matches!(view.summary.request.model, ModelChoice::Rehearsal { .. })
        || view.nodes.iter().any(|node| node.model.as_deref() == Some(REHEARSAL))
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
