//! A run survives the death of its server at any moment.

use std::{collections::BTreeMap, time::Duration};

use protocol::{Body, Event, Frame, RunStatus};
use serde_json::json;

use crate::support::{Home, Moments, Provider, Server, asking, next_frame, result};

const KILLS: u32 = 50;

fn pipeline() -> serde_json::Value {
    json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } })
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_kills_lose_no_event_and_repeat_no_answered_call() {
    let (_, base_url) = Provider::start(Duration::from_millis(1)).await;
    let undisturbed = {
        let home = Home::new(&asking(base_url));
        let server = home.start().await;
        let run = server.start_run(pipeline()).await;
        result(&server.events_to_end(run, 0).await)
    };
    assert_eq!(undisturbed.0, RunStatus::Succeeded);

    let mut moments = Moments::new(0x9E37_79B9_7F4A_7C15);
    let mut kills = 0;
    while kills < KILLS {
        let (provider, base_url) = Provider::start(Duration::from_millis(2)).await;
        let home = Home::new(&asking(base_url));
        let mut server = home.start().await;
        let run = server.start_run(pipeline()).await;
        let mut seen: Vec<Event> = Vec::new();
        let finished = loop {
            let kill_after = Duration::from_millis(moments.next(250));
            match watch(&server, run, &mut seen, kill_after).await {
                Watched::End => break server,
                Watched::Cut if kills < KILLS => {
                    server.kill().await;
                    kills += 1;
                    server = home.start().await;
                    let stored = events(&server, run).await;
                    assert_eq!(&stored[..seen.len()], &seen[..], "a client saw what the log does not have");
                }
                Watched::Cut => {}
            }
        };
        assert_eq!(result(&seen), undisturbed);
        assert_numbered(&seen);
        assert_eq!(events(&finished, run).await, seen);
        assert_each_answer_was_paid_once(&provider, &seen);
    }
}

enum Watched {
    End,
    Cut,
}

/// Reads the run's socket for this long, or to the run's end.
async fn watch(server: &Server, run: protocol::RunId, seen: &mut Vec<Event>, time: Duration) -> Watched {
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}?after={}", seen.len())).await;
    let reading = async {
        while let Some(frame) = next_frame(&mut socket).await {
            if let Frame::Event(event) = frame {
                assert_eq!(event.seq, seen.len() as u64 + 1, "a gap or a duplicate");
                seen.push(*event);
            }
        }
    };
    let _ = tokio::time::timeout(time, reading).await;
    if seen.last().is_some_and(|event| event.body.ends_run()) { Watched::End } else { Watched::Cut }
}

async fn events(server: &Server, run: protocol::RunId) -> Vec<Event> {
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
