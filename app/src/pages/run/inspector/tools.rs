//! A tool call as a compact row that opens.

use leptos::prelude::*;
use protocol::{CallId, RunView, ToolView};

use crate::{
    components::{
        icon::Icon,
        json,
        long_text::{LongText, Reading},
        status::tool_sign,
    },
    format,
    legible::legible,
    pages::run::screen::Screen,
};

/// The tool call with this id.
#[component]
pub fn ToolRow(screen: Screen, tool: CallId) -> impl IntoView {
    let tool = Memo::new(move |_| screen.view.with(|view: &RunView| view.tools.find(&tool).cloned()));
    let opened = RwSignal::new(false);
    let head = move || tool.get().map(|tool| tool_head(&tool));
    let body = move || {
        // What is folded away is not in the document.
        let tool = tool.get().filter(|_| opened.get())?;
        let result = tool.outcome.as_ref().map(|outcome| {
            view! {
                <h3>"Result"</h3>
                <LongText run=screen.id text=outcome.result.clone() reading=Reading::Verbatim />
            }
        });
        Some(view! {
            <div class="tool-body">
                <h3>"Arguments"</h3>
                <LongText run=screen.id text=tool.arguments.clone() reading=Reading::Verbatim />
                {result}
            </div>
        })
    };
    view! {
        <div class="tool">
            <button
                type="button"
                class="tool-row"
                aria-expanded=move || opened.get().to_string()
                on:click=move |_| opened.update(|opened| *opened = !*opened)
            >
                {head}
            </button>
            {body}
        </div>
    }
}

fn tool_head(tool: &ToolView) -> impl IntoView + use<> {
    let sign = tool_sign(tool.outcome.as_ref().map(|outcome| outcome.status));
    let served = tool.outcome.as_ref().map(|outcome| {
        let time = format::duration(outcome.latency_ms);
        outcome.vendor.as_ref().map_or_else(|| time.clone(), |vendor| format!("{vendor} · {time}"))
    });
    view! {
        <span class=format!("tool-sign {}", sign.tone.class())>
            <Icon name=sign.icon />
            <span class="visually-hidden">{sign.word}</span>
        </span>
        <span class="tool-name mono">{format!("{}({})", tool.tool, short_arguments(tool.arguments.shown()))}</span>
        <span class="tool-served mono dim">{served}</span>
    }
}

/// The values of the arguments, without their names.
fn short_arguments(text: &str) -> String {
    let Some(serde_json::Value::Object(arguments)) = json::read(text) else {
        return text.chars().take(60).collect();
    };
    let values = arguments.values().map(|value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    let values: String = values.collect::<Vec<_>>().join(", ").chars().take(80).collect();
    legible(&values).into_owned()
}

#[cfg(test)]
mod tests {
    use super::short_arguments;

    #[test]
    fn arguments_are_shown_by_their_values() {
        assert_eq!(short_arguments(r#"{"ticker":"AAPL","days":365}"#), "AAPL, 365");
        assert_eq!(short_arguments("not json"), "not json");
    }
}
