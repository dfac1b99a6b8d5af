//! The fold of a whole run that a server wrote, on the server and, as the page folds it, in
//! WebAssembly. What it must come to is counted from the JSON itself.
#![allow(clippy::unwrap_used)]

use protocol::{Event, RunStatus, RunView, trading::Rating};
use serde_json::Value;
#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

/// As `GET /api/v1/runs/{run}/export.jsonl` gives it: a header, then an event on each line.
const LOG: &str = include_str!("data/run.jsonl");

fn events() -> Vec<Event> {
    LOG.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The data of all events of a kind.
fn all(kind: &str) -> Vec<Value> {
    let bodies = LOG.lines().skip(1).map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].take());
    bodies.filter(|body| body["kind"] == kind).map(|mut body| body["data"].take()).collect()
}

#[test]
fn a_run_adds_up_to_what_its_events_say() {
    let view = RunView::fold(&events()).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(view.seq() as usize, LOG.lines().count() - 1);
    assert_eq!(view.nodes.len(), all("node_added").len());
    let calls = all("call_finished");
    assert_eq!(view.summary.totals.model_calls as usize, calls.len());
    let tokens_in = calls.iter().map(|call| call["usage"]["tokens_in"].as_u64().unwrap()).sum::<u64>();
    let tokens_out = calls.iter().map(|call| call["usage"]["tokens_out"].as_u64().unwrap()).sum::<u64>();
    assert_eq!((view.summary.totals.tokens_in, view.summary.totals.tokens_out), (tokens_in, tokens_out));
    assert_eq!(view.summary.totals.tool_calls as usize, all("tool_returned").len());
    let visits: usize = view.nodes.iter().map(|node| node.visits.len()).sum();
    assert_eq!(visits, all("node_finished").len());
    let ratings: Vec<Rating> = view.documents().collect();
    assert_eq!(ratings[0].summary, all("rated")[0]["summary"].as_str().unwrap());
    assert_eq!(all("rated").last().unwrap()["grade"], "buy");
    assert_eq!(all("rated").last().unwrap()["confidence"], "medium");
    assert_eq!(view.summary.result.as_deref(), Some("Buy, medium confidence"));
    for finished in all("node_finished") {
        for (key, value) in finished["patch"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            assert!(view.state[key].iter().any(|entry| entry.value.shown() == value), "{key}");
        }
    }
}

#[test]
fn a_snapshot_that_travelled_as_json_and_the_rest_add_up_to_the_same() {
    let events = events();
    let whole = RunView::fold(&events).unwrap();
    for cut in (1..events.len()).step_by(7) {
        let snapshot = serde_json::to_string(&RunView::fold(&events[..cut]).unwrap()).unwrap();
        let mut view: RunView = serde_json::from_str(&snapshot).unwrap();
        for event in &events[cut..] {
            view.apply(event);
        }
        assert_eq!(view, whole, "cut after {cut}");
    }
}
