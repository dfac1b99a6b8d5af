//! What an agent is offered, and what becomes of its calls.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use protocol::{ToolName, ToolStatus};
use serde_json::{Map, Value, json};
use tools::{Bounds, Definition, NameTaken, Outcome, Registry, Tool, Wanted, mcp::McpServers};

use crate::support::{unruly, wide};

/// A tool that repeats a word so many times, and takes its time.
struct Repeat {
    definition: Definition,
    bounds: Bounds,
    pause: Duration,
}

#[async_trait]
impl Tool for Repeat {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    fn bounds(&self) -> Bounds {
        self.bounds
    }

    async fn call(&self, arguments: &Map<String, Value>) -> Outcome {
        tokio::time::sleep(self.pause).await;
        let times = arguments["times"].as_u64().and_then(|times| usize::try_from(times).ok()).unwrap();
        Outcome::success(arguments["word"].as_str().unwrap().repeat(times), "test")
    }
}

fn repeat(name: &str, pause: Duration) -> Arc<Repeat> {
    let schema = json!({
        "properties": {
            "word": { "type": "string" },
            "times": { "type": "integer", "minimum": 1, "maximum": 1000 },
        },
        "required": ["word", "times"],
        "additionalProperties": false,
    });
    let definition = Definition::new(name.parse().unwrap(), "Repeats a word.\nOften.", schema).unwrap();
    let bounds = Bounds { argument_bytes: 100, result_bytes: 20, time: Duration::from_millis(200) };
    Arc::new(Repeat { definition, bounds, pause })
}

fn names(names: &[&str]) -> Vec<ToolName> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn arguments_that_do_not_fit_never_reach_the_tool() {
    let registry = Registry::default().with(repeat("repeat", Duration::ZERO)).unwrap();
    let offer = registry.offer(&Wanted::All).await;
    for (name, arguments, expected) in [
        ("repeat", json!([1]), "not a JSON object"),
        ("repeat", Value::Null, "not a JSON object"),
        ("repeat", json!({ "word": "a" }), "do not fit: \"times\" is a required property"),
        ("repeat", json!({ "word": "a", "times": 5000 }), "(at /times)"),
        ("repeat", json!({ "word": "a", "times": 1, "__proto__": {} }), "do not fit"),
        ("repeat", json!({ "word": "a".repeat(500), "times": 1 }), "at most 100 are taken"),
        ("rm -rf /", json!({}), "There is no such tool"),
        ("", json!({}), "There is no such tool"),
    ] {
        let outcome = offer.call(name, &arguments).await;
        assert_eq!((outcome.status, outcome.source), (ToolStatus::Error, None), "{name} {arguments}");
        assert!(outcome.text.contains(expected), "{arguments}: {}", outcome.text);
    }
    let outcome = offer.call("repeat", &json!({ "word": "ab", "times": 3 })).await;
    assert_eq!(outcome, Outcome::success("ababab", "test"));
}

#[tokio::test]
async fn a_result_is_cut_and_a_call_given_up_at_its_bounds() {
    let registry = Registry::default()
        .with(repeat("quick", Duration::ZERO))
        .and_then(|registry| registry.with(repeat("slow", Duration::from_secs(3600))))
        .unwrap();
    let offer = registry.offer(&Wanted::All).await;
    let arguments = json!({ "word": "éß", "times": 10 });
    let cut = offer.call("quick", &arguments).await;
    assert_eq!(cut.status, ToolStatus::Degraded);
    assert!(
        cut.text.starts_with(&"éß".repeat(5)) && cut.text.contains("first 20 of 40 bytes"),
        "{}",
        cut.text
    );
    let late = offer.call("slow", &arguments).await;
    assert_eq!(late.status, ToolStatus::Error);
    assert!(late.text.contains("no result within 0.2 seconds"), "{}", late.text);
}

#[tokio::test]
async fn an_agent_is_offered_what_it_wants_and_told_what_is_missing() {
    let servers = McpServers::start([unruly("polite", wide())]);
    let registry = Registry::new(servers)
        .with(repeat("repeat", Duration::ZERO))
        .and_then(|registry| registry.with(repeat("python_hang", Duration::ZERO)))
        .unwrap();
    let wanted = names(&["repeat", "python_long", "python_nothing"]);
    let offer = registry.offer(&Wanted::Named(wanted.into_iter().collect())).await;
    let offered: Vec<String> = offer.specs().into_iter().map(|spec| spec.name).collect();
    assert_eq!(offered, ["python_long", "repeat"], "servers that are being started are waited for");
    assert_eq!(offer.missing(), names(&["python_nothing"]));
    assert_eq!(offer.call("python_hang", &json!({})).await.status, ToolStatus::Error, "it is not offered");

    let all = registry.offer(&Wanted::All).await.specs();
    let hang: Vec<_> = all.iter().filter(|spec| spec.name == "python_hang").collect();
    assert_eq!(
        (hang.len(), hang[0].description.as_str()),
        (1, "Repeats a word.\nOften."),
        "own ones go before"
    );
    registry.close().await;
}

#[test]
fn two_tools_of_one_name_are_refused() {
    let one = Registry::default().with(repeat("repeat", Duration::ZERO)).unwrap();
    let name = "repeat".parse().unwrap();
    assert_eq!(one.with(repeat("repeat", Duration::ZERO)).err(), Some(NameTaken(name)));
}
