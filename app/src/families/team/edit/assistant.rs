//! What only an assistant has: its model and instructions, handoffs, tools, and how it works with them.

use leptos::prelude::*;

use super::{
    change::assistant,
    draft::Draft,
    field::{CheckField, ModelField, NumberField, Offered, TextField},
    handoffs::Handoffs,
};
use crate::components::{
    choice::choice,
    icon::{Icon, IconName},
};

/// How much of the conversation a model reads, by the names that documents have.
const CONTEXTS: [(&str, &str); 4] = [
    ("unbounded", "All of it"),
    ("buffered", "The last messages"),
    ("head_and_tail", "The first and the last messages"),
    ("token_limited", "As much as fits into a number of tokens"),
];

/// The assistant that a participant is.
#[component]
pub(super) fn Assistant(draft: Draft, team: StoredValue<String>, number: usize, offered: Offered) -> impl IntoView {
    let role = format!("{}/participants/{number}/role", team.get_value());
    view! {
        <ModelField draft offered object=role.clone() label="Model" />
        <TextField draft object=role.clone() name="system_message" label="Instructions" is_long=true />
        <Handoffs draft team number />
        <details class="team-inner">
            <summary>"Tools and settings"</summary>
            <Tools draft role=role.clone() offered />
            <CheckField draft object=role.clone() name="reflect_on_tool_use" label="The model answers again after tools were called" />
            <div class="team-row">
                <NumberField draft object=role.clone() name="max_tool_iterations" label="Rounds of tool calls in a turn" placeholder="1" />
                <TextField draft object=role.clone() name="tool_call_summary_format" label="Answer made of a tool's result" placeholder="{result}" />
            </div>
            <CheckField draft object=role.clone() name="stream" label="Answers are streamed" />
            <ContextField draft role />
        </details>
    }
}

/// How much of the conversation the model of a role reads.
#[component]
pub(super) fn ContextField(draft: Draft, role: String) -> impl IntoView {
    let place = format!("{role}/context");
    let kind = draft.at(format!("{place}/kind"));
    let choose = move |event| {
        let kind = event_target_value(&event);
        draft.step(&role, |role| assistant::choose_context(role, &kind));
    };
    let options = move || {
        let kind = kind.get();
        let kind = if kind.is_empty() { CONTEXTS[0].0 } else { kind.as_str() };
        let is_known = CONTEXTS.iter().any(|(name, _)| *name == kind);
        let other = (!is_known).then(|| choice(kind.to_owned(), format!("By “{kind}”, which is edited as JSON"), || true));
        let options = CONTEXTS.map(|(name, label)| {
            let is_chosen = name == kind;
            choice(name, label, move || is_chosen)
        });
        (other, options.collect_view())
    };
    let fields = move || {
        let object = place.clone();
        match kind.get().as_str() {
            "buffered" => {
                view! { <NumberField draft object name="size" label="Of the last" is_demanded=true /> }.into_any()
            }
            "head_and_tail" => view! {
                <NumberField draft object=object.clone() name="head" label="Of the first" is_demanded=true />
                <NumberField draft object name="tail" label="Of the last" is_demanded=true />
            }
            .into_any(),
            "token_limited" => {
                view! { <NumberField draft object name="limit" label="Tokens at most" placeholder="as many as the model takes" /> }.into_any()
            }
            _ => ().into_any(),
        }
    };
    view! {
        <div class="team-row">
            <label>"How much of the conversation it reads" <select class="input" on:change=choose>{options}</select></label>
            {fields}
        </div>
    }
}

/// The tools that an assistant may call: those of the server by name, and what a file has brought along.
#[component]
fn Tools(draft: Draft, role: String, offered: Offered) -> impl IntoView {
    let count = draft.count(format!("{role}/tools"));
    let chosen = draft.of(role.clone(), assistant::tools);
    let object = StoredValue::new(role);
    let add = move |event| {
        let name = event_target_value(&event);
        if !name.is_empty() {
            object.with_value(|role| draft.step(role, |role| assistant::add_tool(role, &name)));
        }
    };
    let options = move || {
        let chosen = chosen.get();
        let free = offered.tools.get_value().into_iter().filter(|tool| chosen.iter().all(|name| name != tool.name.as_str()));
        let free: Vec<_> = free.map(|tool| view! { <option value=tool.name.to_string() title=tool.description>{tool.name.to_string()}</option> }).collect();
        let words = match (free.is_empty(), chosen.is_empty()) {
            (false, _) => "Choose a tool of the server",
            (true, false) => "It has all tools of the server",
            (true, true) => "The server offers no tools",
        };
        view! { <select class="input" aria-label="Add a tool" on:change=add><option value="">{words}</option>{free}</select> }
    };
    view! {
        <div class="team-conditions" role="group" aria-label="Tools">
            <For each=move || 0..count.get() key=|tool| *tool let:tool>
                <Tool draft role=object.get_value() tool offered />
            </For>
            <label>"Tools that it may call" {options}</label>
        </div>
    }
}

/// A tool, and whether it can be called.
#[component]
fn Tool(draft: Draft, role: String, tool: usize, offered: Offered) -> impl IntoView {
    let place = format!("{role}/tools/{tool}");
    let name = draft.at(format!("{place}/name"));
    let known = move || {
        let listed = offered.tools.with_value(|tools| {
            name.with(|name| tools.iter().find(|tool| tool.name.as_str() == name).map(|tool| tool.description.clone()))
        });
        listed.unwrap_or_else(|| "The server has no tool of this name at this moment".to_owned())
    };
    let remove = move |_| draft.step(&role, |role| assistant::remove_tool(role, tool));
    view! {
        <div class="team-tool">
            <span><strong>{name}</strong> " " <span class="dim">{known}</span></span>
            <button type="button" class="icon-button" title="Remove" aria-label=move || format!("Remove the tool {}", name.get()) on:click=remove>
                <Icon name=IconName::Close />
            </button>
        </div>
    }
}
