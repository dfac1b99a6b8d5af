//! A run survives the death of its server at any moment.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use protocol::{Body, Control, Event, Frame, RunId, RunStatus};
use serde_json::json;

use crate::support::{Home, Moments, Provider, Server, asking, kills, next_frame, result};

/// More messages than this on its socket are never between two kills.
const LONGEST_LIFE: u64 = 60;

/// What a run was doing when its server died.
const PHASES: [&str; 6] =
    ["node_started", "call_started", "answering", "call_finished", "reported", "node_finished"];

fn pipeline() -> serde_json::Value {
    json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } })
}

/// AgentOS 6.A 4, 6.A 5, E 3.
#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_message_lose_no_event_and_repeat_no_answered_call() {
    let (_, base_url) = Provider::start(Duration::from_millis(1)).await;
    let undisturbed = {
        let home = Home::new(&asking(base_url));
        let server = home.start().await;
        let run = server.start_run(pipeline()).await;
        result(&server.events_to_end(run, 0).await)
    };
    assert_eq!(undisturbed.0, RunStatus::Succeeded);

    let mut moments = Moments::new(0x9E37_79B9_7F4A_7C15);
    let mut phases = BTreeSet::new();
    let (mut killed, wanted) = (0, kills());
    while killed < wanted || phases.len() < PHASES.len() {
        assert!(killed < 20 * wanted, "only {phases:?} were hit");
        let (provider, base_url) = Provider::start(Duration::from_millis(2)).await;
        let home = Home::new(&asking(base_url));
        let mut server = home.start().await;
        let run = server.start_run(pipeline()).await;
        let mut seen: Vec<Event> = Vec::new();
        while let Watched::Cut(phase) = watch(&server, run, &mut seen, 1 + moments.next(LONGEST_LIFE)).await {
            server.kill().await;
            killed += 1;
            phases.extend(phase);
            server = home.start().await;
            let stored = events(&server, run).await;
            assert_eq!(&stored[..seen.len()], &seen[..], "a client saw what the log does not have");
        }
        assert_eq!(result(&seen), undisturbed);
        assert_numbered(&seen);
        assert_eq!(events(&server, run).await, seen);
        assert_each_answer_was_paid_once(&provider, &seen);
    }
}

enum Watched {
    End,
    /// In the midst, where the last message showed this phase.
    Cut(Option<&'static str>),
}

/// Reads so many messages of the run's socket, or to the run's end.
async fn watch(server: &Server, run: RunId, seen: &mut Vec<Event>, messages: u64) -> Watched {
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}?after={}", seen.len())).await;
    let mut last = String::new();
    for _ in 0..messages {
        match next_frame(&mut socket).await {
            Some(Frame::Event(event)) => {
                assert_eq!(event.seq, seen.len() as u64 + 1, "a gap or a duplicate");
                last = event.body.kind().to_owned();
                seen.push(*event);
            }
            Some(Frame::Control(Control::Delta { .. })) => last = "answering".to_owned(),
            Some(Frame::Control(_)) => {}
            None => return Watched::End,
        }
    }
    Watched::Cut(PHASES.into_iter().find(|phase| *phase == last))
}

/// The whole log, as REST has it.
async fn events(server: &Server, run: RunId) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let after = events.len();
        let page = server.get(&format!("/api/v1/runs/{run}/events?after={after}&limit=1000")).await;
        let page: Vec<Event> = serde_json::from_value(page).unwrap();
        if page.is_empty() {
            return events;
        }
        events.extend(page);
    }
}

fn assert_numbered(log: &[Event]) {
    assert!(log.iter().map(|event| event.seq).eq(1..=log.len() as u64));
}

/// Every call has one answer in the log, and a prompt was asked more often than it was answered
/// only for calls that were in flight when a server died.
fn assert_each_answer_was_paid_once(provider: &Provider, log: &[Event]) {
    let mut started: BTreeMap<&str, u32> = BTreeMap::new();
    let mut answered: BTreeMap<&str, u32> = BTreeMap::new();
    for event in log {
        match &event.body {
            Body::CallStarted(call) => {
                assert_eq!(
                    answered.get(call.call.as_str()),
                    None,
                    "{} was answered, and asked again",
                    call.call
                );
                *started.entry(call.call.as_str()).or_default() += 1;
            }
            Body::CallFinished(call) => *answered.entry(call.call.as_str()).or_default() += 1,
            _ => {}
        }
    }
    assert!(answered.values().all(|times| *times == 1), "{answered:?}");
    let asked: u32 = provider.asked().values().sum();
    let begun: u32 = started.values().sum();
    assert!(asked <= begun, "the provider was asked {asked} times for {begun} calls in the log");
}
