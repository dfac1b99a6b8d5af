//! What counts as used, and what cannot be known.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;

use protocol::{
    Attempt, Body, CallFinished, CallId, CallStarted, Decimal, RunFinished, RunStatus, Text, Tier, Totals,
    Usage,
};

fn call() -> CallId {
    "bull:1:1".parse().unwrap()
}

fn started() -> Body {
    Body::CallStarted(CallStarted {
        call: call(),
        model: "m".into(),
        tier: Tier::Quick,
        profile: None,
        prompt: protocol::Prompt::default(),
        tools: Vec::new(),
        asked: None,
    })
}

fn finished(usage: Usage, cost: Option<Decimal>, attempts: Vec<Attempt>) -> Body {
    Body::CallFinished(CallFinished {
        call: call(),
        model: "m".into(),
        answer: Text::default(),
        thoughts: Text::default(),
        cut_off: Text::default(),
        tool_requests: Vec::new(),
        echo: None,
        usage,
        cost,
        latency_ms: 1,
        retries: 0,
        attempts,
        error: None,
    })
}

fn tokens(tokens_in: u64, tokens_out: u64) -> Usage {
    Usage { tokens_in: Some(tokens_in), tokens_out: Some(tokens_out) }
}

fn failed(usage: Usage, cost: Option<Decimal>) -> Attempt {
    Attempt { model: "m".into(), error: "broke off".into(), usage, cost, latency_ms: 1 }
}

fn ended() -> Body {
    Body::RunFinished(RunFinished {
        status: RunStatus::Cancelled,
        error: None,
        stopped: None,
        totals: Totals::default(),
    })
}

fn count(bodies: &[Body]) -> Totals {
    let (mut totals, mut open) = (Totals::default(), BTreeSet::new());
    for body in bodies {
        totals.count(&mut open, body);
    }
    totals
}

#[test]
fn failed_attempts_count_beside_the_answer() {
    let cent = Decimal::new(1, 2);
    let attempts = vec![
        failed(tokens(10_000, 5_000), Some(cent)),
        failed(Usage::default(), None),
        failed(Usage::default(), Some(Decimal::ZERO)),
    ];
    let totals = count(&[started(), finished(tokens(100, 50), Some(cent), attempts)]);
    assert_eq!((totals.tokens_in, totals.tokens_out), (10_100, 5_050));
    assert_eq!((totals.cost, totals.model_calls, totals.calls_of_unknown_cost), (Decimal::new(2, 2), 1, 1));
}

#[test]
fn a_call_that_begins_again_was_charged_before_at_a_cost_that_nobody_knows() {
    let totals = count(&[started(), started(), finished(tokens(1, 1), Some(Decimal::ONE), Vec::new())]);
    assert_eq!((totals.cost, totals.calls_of_unknown_cost), (Decimal::ONE, 1));
}

#[test]
fn a_call_in_flight_when_its_run_ends_is_of_unknown_cost() {
    assert_eq!(count(&[started(), ended()]).calls_of_unknown_cost, 1);
    let answered = finished(tokens(1, 1), Some(Decimal::ONE), Vec::new());
    assert_eq!(count(&[started(), answered, ended()]).calls_of_unknown_cost, 0);
}

#[test]
fn impossible_figures_are_unknown_and_sums_never_overflow() {
    for cost in [Decimal::MAX, Decimal::MIN, Decimal::NEGATIVE_ONE] {
        let call = finished(tokens(u64::MAX, u64::MAX), Some(cost), Vec::new());
        let totals = count(&[call.clone(), call]);
        assert_eq!((totals.tokens(), totals.cost, totals.calls_of_unknown_cost), (0, Decimal::ZERO, 2));
    }
    let most = Totals { cost: Decimal::MAX, tokens_in: u64::MAX, model_calls: u32::MAX, ..Totals::default() };
    let mut sum = most.clone();
    sum.add(&most);
    assert_eq!((sum.cost, sum.tokens_in, sum.model_calls), (Decimal::MAX, u64::MAX, u32::MAX));
    assert_eq!(sum.calls_of_unknown_cost, 1);
}
