//! What only an assistant has: its model and instructions, handoffs, tools, and how it works with them.

use leptos::prelude::*;

use super::{
    change::{tools, workbenches},
    context::ContextField,
    draft::Draft,
    field::{CheckField, LeftOut, ModelField, NumberField, Offered, TextField},
    handoffs::Handoffs,
};
use crate::components::icon::{Icon, IconName};

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
            <Workbenches draft role=role.clone() />
            <CheckField draft object=role.clone() name="reflect_on_tool_use" label="The model answers again after tools were called" />
            <div class="team-row">
                <NumberField draft object=role.clone() name="max_tool_iterations" label="Rounds of tool calls in a turn" placeholder="1" />
                <TextField draft object=role.clone() name="tool_call_summary_format" label="Answer made of a tool's result" placeholder="{result}" />
            </div>
            <CheckField draft object=role.clone() name="stream" label="Answers are streamed" />
            <ContextField draft object=role />
        </details>
    }
}

/// The tools that an assistant may call: those of the server by name, and what a file has brought along.
#[component]
fn Tools(draft: Draft, role: String, offered: Offered) -> impl IntoView {
    let count = draft.rows(format!("{role}/tools"));
    let chosen = draft.of(role.clone(), tools::names);
    let object = StoredValue::new(role);
    let add = move |event| {
        let name = event_target_value(&event);
        if !name.is_empty() {
            object.with_value(|role| draft.step(role, |role| tools::add(role, &name)));
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
            <LeftOut draft list=format!("{}/tools", object.get_value()) />
            <label>"Tools that it may call" {options}</label>
        </div>
    }
}

/// The servers of tools that a file has named: what to do instead, as none of them is started or asked.
#[component]
fn Workbenches(draft: Draft, role: String) -> impl IntoView {
    let labels = draft.of(role.clone(), workbenches::labels);
    let count = draft.rows(format!("{role}/workbenches"));
    let role = StoredValue::new(role);
    let row = move |number: usize| {
        let label = Memo::new(move |_| labels.with(|labels| labels.get(number).cloned().unwrap_or_default()));
        let remove = move |_| role.with_value(|role| draft.step(role, |role| workbenches::remove(role, number)));
        view! {
            <div class="team-tool">
                <span>{label}</span>
                <button type="button" class="icon-button" title="Remove" aria-label=move || format!("Remove the server {}", label.get()) on:click=remove>
                    <Icon name=IconName::Close />
                </button>
            </div>
        }
    };
    view! {
        <Show when=move || count.get() != 0>
            <div class="team-conditions" role="group" aria-label="Servers of tools that the file names">
                <p class="dim">
                    "Servers of tools that the file names are not started: choose their tools above, where the server's settings \
                     have such a server. They are kept for files that are written for AutoGen."
                </p>
                <For each=move || 0..count.get() key=|number| *number let:number>
                    {row(number)}
                </For>
                <LeftOut draft list=format!("{}/workbenches", role.get_value()) />
            </div>
        </Show>
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
    let remove = move |_| draft.step(&role, |role| tools::remove(role, tool));
    view! {
        <div class="team-tool">
            <span><strong>{name}</strong> " " <span class="dim">{known}</span></span>
            <button type="button" class="icon-button" title="Remove" aria-label=move || format!("Remove the tool {}", name.get()) on:click=remove>
                <Icon name=IconName::Close />
            </button>
        </div>
    }
}
