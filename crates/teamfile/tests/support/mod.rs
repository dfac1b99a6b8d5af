//! What the tests of this crate have in common.
#![allow(dead_code, reason = "no test uses all of it")]

use serde_json::{Value, json};
use teamfile::{Finding, Problem, Reader, Reading, SourceFile, TeamRead};

/// Reads one file.
pub fn read(name: &str, text: &str) -> Reading {
    Reader::new().read(&[SourceFile { name, bytes: text.as_bytes() }])
}

/// Reads one value as JSON.
pub fn read_value(value: &Value) -> Reading {
    read("writers.json", &value.to_string())
}

/// The only team of a value.
pub fn team_of(value: &Value) -> TeamRead {
    let reading = read_value(value);
    assert_eq!(reading.teams.len(), 1, "{:#?}", reading.findings);
    reading.teams.into_iter().next().unwrap()
}

/// The problems among findings.
pub fn problems(findings: &[Finding]) -> Vec<&Problem> {
    findings.iter().map(|finding| &finding.problem).collect()
}

/// The place of the first finding that is like this.
pub fn place_of(findings: &[Finding], is_like: impl Fn(&Problem) -> bool) -> Option<&str> {
    findings.iter().find(|finding| is_like(&finding.problem)).map(|finding| finding.place.as_str())
}

pub fn model(name: &str) -> Value {
    json!({
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "component_type": "model",
        "config": { "model": name },
    })
}

pub fn agent(name: &str) -> Value {
    json!({
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_type": "agent",
        "config": { "name": name, "description": name, "system_message": "Help.", "model_client": model("gpt-4o") },
    })
}

pub fn condition(class: &str, config: Value) -> Value {
    let package = if class.ends_with("Condition") { "base" } else { "conditions" };
    json!({
        "provider": format!("autogen_agentchat.{package}.{class}"),
        "component_type": "termination",
        "config": config,
    })
}

/// A team of these, with more in its configuration.
pub fn team(class: &str, participants: Vec<Value>, more: Value) -> Value {
    let mut config = json!({ "participants": participants });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    json!({
        "provider": format!("autogen_agentchat.teams.{class}"),
        "component_type": "team",
        "label": "Writers",
        "config": config,
    })
}

/// Two agents who take turns.
pub fn pair() -> Value {
    team(
        "RoundRobinGroupChat",
        vec![agent("writer"), agent("critic")],
        json!({ "termination_condition": condition("MaxMessageTermination", json!({ "max_messages": 9 })) }),
    )
}
