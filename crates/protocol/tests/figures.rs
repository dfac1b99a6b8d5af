//! What comes from outside is taken only with figures that can be real.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used)]

use protocol::Event;
use serde_json::{Value, json};

fn check(at: i64, kind: &str, data: Value) -> Result<(), String> {
    let event = json!({
        "run": "0197a1b2-0000-7000-8000-000000000000", "seq": 2, "at": at, "body": { "kind": kind, "data": data },
    });
    serde_json::from_value::<Event>(event).unwrap().check_figures()
}

fn call(changed: Value) -> Value {
    let mut call = json!({ "call": "trader:1:1", "model": "m", "answer": "", "latency_ms": 5 });
    call.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    call
}

fn visit(changed: Value) -> Value {
    let mut visit = json!({ "visit": 1, "status": "succeeded", "duration_ms": 5, "complete": true });
    visit.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
    visit
}

const NOW: i64 = 1_795_278_804_226;

#[test]
fn figures_that_can_be_real_are_taken() {
    let usage = json!({ "tokens_in": 1_000_000, "tokens_out": 0 });
    let attempt =
        json!({ "model": "m", "error": "It broke off.", "usage": usage, "cost": null, "latency_ms": 9 });
    let full = json!({ "usage": usage, "cost": "0", "attempts": [attempt] });
    for data in [call(json!({})), call(full), call(json!({ "cost": "12.345678" }))] {
        assert_eq!(check(NOW, "call_finished", data), Ok(()));
    }
    assert_eq!(check(0, "node_finished", visit(json!({}))), Ok(()));
    assert_eq!(check(NOW, "logged", json!({ "level": "info", "message": "a" })), Ok(()));
    assert_eq!(check(NOW, "of_tomorrow", json!({ "cost": -5 })), Ok(()), "it counts for nothing here");
}

#[test]
fn figures_that_cannot_be_real_are_refused_with_the_reason() {
    let attempt = |usage: Value, cost: Value| {
        call(
            json!({ "attempts": [{ "model": "m", "error": "e", "usage": usage, "cost": cost, "latency_ms": 1 }] }),
        )
    };
    let answered = |changed: Value| {
        let mut chat = json!({ "chat": 1, "model": "m", "answer": "", "latency_ms": 5 });
        chat.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        chat
    };
    let totals = json!({ "model_calls": 0, "tool_calls": 0, "tokens_in": 0, "tokens_out": 0, "cost": "-1",
        "calls_of_unknown_cost": 0 });
    let year = 366_u64 * 24 * 3600 * 1000;
    for (at, kind, data, reason) in [
        (NOW, "call_finished", call(json!({ "cost": "79228162514264337593543950335" })), "costs $"),
        (NOW, "call_finished", call(json!({ "cost": "-1000000" })), "costs $-1000000"),
        (NOW, "call_finished", call(json!({ "usage": { "tokens_in": u64::MAX } })), "tokens"),
        (NOW, "call_finished", call(json!({ "latency_ms": 11 * year })), "duration"),
        (NOW, "call_finished", attempt(json!({}), json!("-0.01")), "costs $-0.01"),
        (NOW, "call_finished", attempt(json!({ "tokens_out": u64::MAX }), json!(null)), "tokens"),
        (NOW, "chat_answered", answered(json!({ "cost": "-1" })), "costs $-1"),
        (NOW, "run_finished", json!({ "status": "succeeded", "totals": totals }), "costs $-1"),
        (NOW, "node_started", json!({ "visit": 0, "phase": "p" }), "from 1"),
        (NOW, "node_finished", visit(json!({ "visit": u32::MAX })), "visit"),
        (NOW, "node_finished", visit(json!({ "duration_ms": u64::MAX })), "duration"),
        (-1, "logged", json!({ "level": "info", "message": "a" }), "1970"),
        (i64::MAX, "logged", json!({ "level": "info", "message": "a" }), "9999"),
    ] {
        let refused = check(at, kind, data.clone()).expect_err("it is refused");
        assert!(refused.contains(reason), "{data}: {refused}");
    }
}
