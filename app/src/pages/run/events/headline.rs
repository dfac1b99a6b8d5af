//! An event in one line.

use protocol::{Body, Event};

use crate::format;

/// The event's body as JSON, to look for words in.
pub fn json_of(event: &Event) -> String {
    serde_json::to_string(&event.body).unwrap_or_default()
}

/// What the event says, in a line.
pub fn headline_of(event: &Event) -> String {
    match &event.body {
        Body::RunStarted(started) => started.heading.title.clone(),
        Body::StatusChanged(changed) => with_reason(changed.status.label(), changed.reason.as_deref()),
        Body::RunFinished(finished) => with_reason(finished.status.label(), finished.error.as_deref()),
        Body::NodeAdded(plan) => plan.label.clone(),
        Body::EdgeAdded(edge) => format!("{} to {}", edge.from, edge.to),
        Body::Grown(growth) => {
            let labels: Vec<_> = growth.nodes.iter().map(|node| node.plan.label.as_str()).collect();
            labels.join(", ")
        }
        Body::NodeStarted(started) => format!("visit {}", started.visit),
        Body::NodeStatusChanged(changed) => with_reason(changed.status.label(), changed.reason.as_deref()),
        Body::NodeFinished(finished) => with_reason(
            &format!("{} after {}", finished.status.label(), format::duration(finished.duration_ms)),
            finished.reason.as_deref().or(finished.degraded.as_deref()),
        ),
        Body::CallStarted(started) => format!("{} ({})", started.model, started.tier.label()),
        Body::CallFinished(finished) => match &finished.error {
            Some(error) => error.clone(),
            None => finished.fallback_note().unwrap_or_else(|| first_line(finished.answer.shown())),
        },
        Body::ToolInvoked(invoked) => format!("{}({})", invoked.tool, first_line(invoked.arguments.shown())),
        Body::ToolReturned(returned) => first_line(returned.result.shown()),
        Body::SubRunStarted(started) => started.title.clone(),
        Body::SubRunAwaits(awaits) => {
            awaits.asks.first().map_or_else(|| "goes on".into(), |ask| ask.request.prompt.clone())
        }
        Body::SubRunFinished(finished) => with_reason(finished.status.label(), finished.error.as_deref()),
        Body::InputRequested(request) => request.prompt.clone(),
        Body::InputReceived(received) => {
            let by = received.by.as_ref().map_or("the deadline", |by| by.as_str());
            format!("{} by {by}", received.answer.label())
        }
        Body::Told(told) => format!("{}: {}", told.by, first_line(told.content.shown())),
        Body::Heard(heard) => format!("{} messages", heard.messages),
        Body::StateEdited(edited) => {
            let keys: Vec<_> = edited.patch.keys().map(String::as_str).collect();
            format!("{} by {}", keys.join(", "), edited.by)
        }
        Body::ApprovalChanged(changed) => format!("{} by {}", changed.approval.label(), changed.by),
        Body::ChatAsked(asked) => format!("{}: {}", asked.by, first_line(asked.question.shown())),
        Body::ChatAnswered(answered) => match &answered.error {
            Some(error) => error.clone(),
            None => first_line(answered.answer.shown()),
        },
        Body::Said(said) => format!("{}: {}", said.source, first_line(said.content.shown())),
        Body::Reported(report) => report.title.clone(),
        Body::Produced(product) => product.headline.clone(),
        Body::Logged(line) => line.message.clone(),
        Body::Unknown(_) => "of a newer version".into(),
    }
}

fn with_reason(word: &str, reason: Option<&str>) -> String {
    match reason {
        Some(reason) => format!("{word}: {reason}"),
        None => word.to_owned(),
    }
}

fn first_line(text: &str) -> String {
    text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().chars().take(160).collect()
}
