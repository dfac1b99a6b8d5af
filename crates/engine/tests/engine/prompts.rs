//! Prompts in the log: each message of a conversation once.

use engine::{Graph, NodeContext, NodeError, Outcome};
use journal::Journal;
use llm::{ChatRequest, Message};
use protocol::{Body, CallId, Event, ForkPoint, Limits, Prompt, RunId, RunView};

use uuid::Uuid;

use crate::{
    stage::{Bench, ada, ask, end_of, id, plan, request, step},
    steering::fork,
};

/// What the log has of a run: its events as stored, with the texts that were moved out of them.
async fn stored_bytes(journal: &Journal, run: RunId) -> usize {
    let mut texts = std::collections::BTreeMap::new();
    let mut bytes = 0;
    for stored in journal.read_stored(run, 0, 100_000).await.unwrap() {
        bytes += stored.json.len();
        let mut event = stored.decode().unwrap();
        for text in event.body.texts_mut() {
            if let Some(digest) = text.stored() {
                texts.insert(digest.clone(), text.bytes());
            }
        }
    }
    bytes + texts.into_values().sum::<u64>() as usize
}

/// The messages of a conversation before its `turn`-th question: some are long enough to be stored apart.
fn conversation(turn: u32) -> Vec<Message> {
    let mut messages = vec![Message::System("Be brief. ".repeat(20))];
    for turn in 1..=turn {
        let words = if turn % 50 == 0 { 1100 } else { 5 };
        messages.push(Message::User(format!("{turn}: {}", "why ".repeat(words))));
        messages.push(Message::Assistant {
            text: format!("{turn}: {}", "because ".repeat(5)),
            tool_requests: Vec::new(),
            echo: None,
        });
    }
    messages.push(Message::User("And then?".into()));
    messages
}

async fn talk(node: &NodeContext, turns: u32) -> Result<(), NodeError> {
    for turn in 0..turns {
        node.chat(ChatRequest { messages: conversation(turn), ..ask("") }).await?;
    }
    Ok(())
}

fn talking(turns: u32) -> Graph {
    let mut graph = Graph::new();
    let talk = step(move |node| {
        Box::pin(async move {
            talk(node, turns).await?;
            Ok(Outcome::default())
        })
    });
    graph.node(plan("talk", 1), talk);
    graph
}

fn shown(view: &RunView, call: &CallId) -> Vec<String> {
    let whole = view.prompt(call);
    assert_eq!(whole.missing, 0);
    whole.messages.into_iter().map(|text| text.shown().to_owned()).collect()
}

fn rendered(messages: &[Message]) -> Vec<String> {
    messages.iter().map(llm::render_message).map(|text| text.chars().take(400).collect()).collect()
}

#[tokio::test]
async fn a_conversation_takes_as_much_of_the_log_as_its_messages() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let mut before: Option<(usize, usize)> = None;
    for turns in [125_u32, 500] {
        let engine = bench.engine(&journal, move || talking(turns));
        let run = engine.start(request(Limits { steps: 1, ..Limits::default() }), ada()).await.unwrap();
        end_of(&journal, run).await;
        let view = journal.fold(run, u64::MAX).await.unwrap().unwrap();
        assert_eq!(view.calls.len(), turns as usize);
        let sizes = (stored_bytes(&journal, run).await, serde_json::to_vec(&view).unwrap().len());
        if let Some(before) = before {
            // Four times the turns, four times the size, but for the longer numbers in it.
            assert!(sizes.0 * 10 < before.0 * 43, "the log grew from {before:?} to {sizes:?}");
            assert!(sizes.1 * 10 < before.1 * 43, "the view grew from {before:?} to {sizes:?}");
        }
        before = Some(sizes);
        let last = &view.calls.last().unwrap().id;
        let asked: Vec<String> = rendered(&conversation(turns - 1));
        let shown: Vec<String> =
            shown(&view, last).into_iter().map(|text| text.chars().take(400).collect()).collect();
        assert_eq!(shown, asked);
        assert_eq!(
            view.prompt(last).known,
            asked.len() - 3,
            "two turns are new, and the question is another"
        );
    }
}

#[tokio::test]
async fn a_message_in_the_log_of_several_calls_is_stored_once() {
    let long = "The house has rules. ".repeat(400);
    let bench = Bench::new();
    let journal = bench.journal().await;
    let graph = move || {
        let mut graph = Graph::new();
        for name in ["ann", "ben"] {
            let system = Message::System(long.clone());
            let work = step(move |node| {
                let messages = vec![system.clone(), Message::User(node.plan().id.to_string())];
                Box::pin(async move {
                    node.chat(ChatRequest { messages, ..ask("") }).await?;
                    Ok(Outcome::default())
                })
            });
            graph.node(plan(name, 1), work);
        }
        graph
    };
    let run = bench.engine(&journal, graph).start(request(Limits::default()), ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    let digests: Vec<_> = view.calls.iter().map(|call| call.prompt.own()[0].stored().unwrap()).collect();
    assert_eq!(digests[0], digests[1]);
    assert!(journal.text(run, digests[0]).await.unwrap().is_some());
    assert_eq!(journal.text(RunId(Uuid::nil()), digests[0]).await.unwrap(), None, "of another run");
}

/// How many messages stand in the log for each call.
fn own(events: &[Event]) -> Vec<usize> {
    let prompts = events.iter().filter_map(|event| match &event.body {
        Body::CallStarted(started) => Some(&started.prompt),
        _ => None,
    });
    prompts.map(|prompt| prompt.own().len()).collect()
}

#[tokio::test]
async fn a_continued_conversation_begins_with_what_it_was_asked_before() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    // Two visits, the second of which goes on with the conversation of the first.
    let graph = || {
        let mut graph = Graph::new();
        let work = step(|node| {
            Box::pin(async move {
                node.chat(ChatRequest { messages: conversation(node.visit()), ..ask("") }).await?;
                Ok(Outcome::default().to(if node.visit() == 1 { vec![id("talk")] } else { vec![] }))
            })
        });
        graph.node(plan("talk", 2), work);
        graph
    };
    let engine = bench.engine(&journal, graph);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(own(&journal.whole(run).await.unwrap()), [4, 3]);
    let point = ForkPoint::Before { node: id("talk"), visit: 2 };
    let second = engine.fork(run, fork(point), ada()).await.unwrap();
    let forked = end_of(&journal, second).await;
    assert_eq!(own(&journal.whole(second).await.unwrap()), [4, 3]);
    for (call, again) in view.calls.iter().zip(&forked.calls) {
        assert_eq!(shown(&view, &call.id), shown(&forked, &again.id));
    }
}

#[tokio::test]
async fn a_call_that_is_repeated_after_a_crash_does_not_begin_with_itself() {
    let bench = Bench::new();
    let graph = || {
        let mut graph = Graph::new();
        let work = step(|node| {
            Box::pin(async move {
                node.chat(ask("first")).await?;
                let messages = vec![Message::User("first".into()), Message::User("hang".into())];
                node.chat(ChatRequest { messages, ..ask("") }).await?;
                Ok(Outcome::default())
            })
        });
        graph.node(plan("talk", 1), work);
        graph
    };
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, graph);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    engine.shut_down().await;
    for _ in 0..2 {
        let engine = bench.engine(&journal, graph);
        engine.resume().await.unwrap();
        bench.model.hanging.notified().await;
        engine.shut_down().await;
    }
    let events = journal.whole(run).await.unwrap();
    let begins: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::CallStarted(started) => Some(&started.prompt),
            _ => None,
        })
        .map(Prompt::begins)
        .collect();
    assert_eq!(begins[0], None);
    assert_eq!(begins.len(), 4);
    assert!(begins[1..].iter().all(|begins| begins.is_some_and(|it| it.call.as_str() == "talk:1:1")));
    let view = journal.fold(run, u64::MAX).await.unwrap().unwrap();
    assert_eq!(shown(&view, &view.calls[1].id), ["[user] first", "[user] hang"]);
}
