//! What a person must know before reading anything else of the run.

use leptos::prelude::*;
use protocol::{ModelChoice, RunStatus, RunView};

use super::screen::Screen;
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
}

/// Bands below the header: the rehearsal, a failure, a stop.
#[component]
pub fn Banners(screen: Screen) -> impl IntoView {
    let messages = Memo::new(move |_| screen.live.view.with(messages));
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
                </div>
            }
        });
        bands.collect_view()
    }
}

fn messages(view: &RunView) -> Vec<Message> {
    let summary = &view.summary;
    let kept = format!(
        "The log up to event {} is kept, with {} of {} nodes done.",
        summary.seq, summary.nodes_done, summary.nodes
    );
    let ending = match summary.status {
        RunStatus::Failed => Some(Message {
            tone: Tone::Failed,
            title: "The run failed.".into(),
            detail: format!(
                "{} {kept} Read what was found so far below; to try again, start the run anew from the overview.",
                sentence(summary.error.as_deref().unwrap_or("No reason was given"))
            ),
        }),
        RunStatus::Cancelled => Some(Message {
            tone: Tone::Quiet,
            title: "The run was stopped.".into(),
            detail: format!(
                "{}{kept}",
                summary.error.as_deref().map(|why| sentence(why) + " ").unwrap_or_default()
            ),
        }),
        RunStatus::Waiting => view.status_reason.as_ref().map(|reason| Message {
            tone: Tone::Attention,
            title: "The run waits.".into(),
            detail: sentence(reason),
        }),
        _ => None,
    };
    let rehearsal = is_rehearsal(view).then(|| Message {
        tone: Tone::Attention,
        title: "Rehearsal model:".into(),
        detail: "a built-in stand-in that follows fixed rules. No language model was asked.".into(),
    });
    let unknown = (view.unknown_events > 0).then(|| Message {
        tone: Tone::Attention,
        title: "Some of this run is of a newer version.".into(),
        detail: format!("{} events are kept in the log but cannot be drawn.", view.unknown_events),
    });
    [ending, rehearsal, unknown].into_iter().flatten().collect()
}

/// Whether the rehearsal answers: it was chosen, or a call shows that it did.
fn is_rehearsal(view: &RunView) -> bool {
    matches!(view.summary.request.model, ModelChoice::Rehearsal { .. })
        || view.calls.iter().any(|call| call.model == REHEARSAL)
}

fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}
