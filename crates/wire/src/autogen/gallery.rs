use serde_json::{Map, Value, json};

/// The gallery that an account has before it makes one: agents, conditions, and these teams.
///
/// It names no model by itself: agents ask the model that a run is started with.
#[must_use]
pub fn default_gallery(agents: Vec<Value>, teams: Vec<Value>) -> Map<String, Value> {
    let metadata = json!({
        "author": "Pitwall",
        "version": "1.0.0",
        "description": "What a team can be made of.",
        "tags": [],
        "license": null,
        "homepage": null,
        "category": null,
        "last_synced": null,
    });
    let person = component(
        "autogen_agentchat.agents.UserProxyAgent",
        "agent",
        "Person",
        "Waits for what a person says.",
        json!({ "name": "person", "description": "A person." }),
    );
    let agents: Vec<Value> = agents.into_iter().map(labelled).chain([person]).collect();
    let components = json!({
        "agents": agents,
        "models": [model()],
        "tools": [],
        "terminations": conditions(),
        "teams": teams,
        "workbenches": [],
    });
    let gallery = [
        ("id", json!("gallery_default")),
        ("name", json!("Default gallery")),
        ("url", Value::Null),
        ("metadata", metadata),
        ("components", components),
    ];
    gallery.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The settings that an account has before it changes them.
#[must_use]
pub fn default_settings() -> Map<String, Value> {
    let ui = json!({
        "show_llm_call_events": false,
        "expanded_messages_by_default": true,
        "show_agent_flow_by_default": true,
        "human_input_timeout_minutes": 3,
    });
    let settings = [("environment", json!([])), ("default_model_client", model()), ("ui", ui)];
    settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An agent with a label: clients show no part without one.
fn labelled(mut agent: Value) -> Value {
    let name = agent.pointer("/config/name").cloned();
    if let (Some(fields), Some(name)) = (agent.as_object_mut(), name) {
        fields.entry("label").or_insert(name);
    }
    agent
}

/// A model by its name alone.
fn model() -> Value {
    component(
        "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "model",
        "Model of the run",
        "The name is kept in the team. A run asks the model that it is started with.",
        json!({ "model": "gpt-4o-mini" }),
    )
}

fn conditions() -> Vec<Value> {
    let condition = |class: &str, hint: &str, config: Value| {
        let provider = format!("autogen_agentchat.conditions.{class}");
        component(&provider, "termination", class, hint, config)
    };
    let mention =
        || condition("TextMentionTermination", "Somebody says a text.", json!({ "text": "TERMINATE" }));
    let count = || {
        let config = json!({ "max_messages": 10, "include_agent_event": false });
        condition("MaxMessageTermination", "So many messages were said.", config)
    };
    let either = json!({ "conditions": [mention(), count()] });
    vec![
        mention(),
        count(),
        component(
            "autogen_agentchat.base.OrTerminationCondition",
            "termination",
            "Either",
            "One of these.",
            either,
        ),
        condition("StopMessageTermination", "Somebody wishes to stop.", json!({})),
        condition(
            "TokenUsageTermination",
            "So many tokens were used.",
            json!({ "max_total_token": 100_000, "max_prompt_token": null, "max_completion_token": null }),
        ),
        condition("TimeoutTermination", "So much time has passed.", json!({ "timeout_seconds": 600 })),
        condition("HandoffTermination", "Somebody hands over to this one.", json!({ "target": "user" })),
        condition("SourceMatchTermination", "One of these has spoken.", json!({ "sources": ["person"] })),
        condition("TextMessageTermination", "This one has said a text.", json!({ "source": "person" })),
        condition("FunctionCallTermination", "A tool was called.", json!({ "function_name": "search" })),
    ]
}

fn component(provider: &str, kind: &str, label: &str, description: &str, config: Value) -> Value {
    json!({
        "provider": provider,
        "component_type": kind,
        "version": 1,
        "component_version": 1,
        "description": description,
        "label": label,
        "config": config,
    })
}
