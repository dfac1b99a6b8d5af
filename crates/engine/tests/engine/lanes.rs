//! Calls of one visit side by side, and what people say to a node at work.

use std::collections::BTreeSet;

use engine::{EngineError, Graph, InputError, Message, NodeError, Outcome};
use futures::future::{join, join_all};
use protocol::{Body, ForkPoint, Limits, RunStatus};

use crate::{stage::*, steering::*};

/// Three lanes ask twice each, side by side; what is asked after them tells of all their answers.
fn critics(hangs: bool) -> impl Fn() -> Graph + Send + Sync + 'static {
    move || {
        let work = step(move |node| {
            Box::pin(async move {
                let topic = node.chat(ask("topic")).await?.text;
                let critics = ["a", "b", "c"].map(|name| {
                    let topic = topic.clone();
                    async move {
                        let lane = node.lane(name)?;
                        let first = lane.chat(ask(&format!("{name} on {topic}"))).await?.text;
                        let second = if hangs && name == "b" { "hang" } else { "once more" };
                        Ok::<_, NodeError>(lane.chat(ask(&format!("{second}{}", &first[..0]))).await?.text)
                    }
                });
                let said: Vec<String> = join_all(critics).await.into_iter().collect::<Result<_, _>>()?;
                let sum = node.chat(ask(&said.join(" + "))).await?.text;
                Outcome::default().set("sum", sum)
            })
        });
        let mut graph = Graph::new();
        graph.node(plan("judge", 1), work);
        graph
    }
}

/// AgentOS 6.A 10.
#[tokio::test]
async fn calls_side_by_side_are_numbered_in_lanes_of_their_own() {
    let bench = Bench::new();
    let view = bench.run(Limits::default(), critics(false)).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let calls: BTreeSet<_> = view.calls.iter().map(|call| call.id.to_string()).collect();
    let expected =
        ["judge:1:1", "judge:1:2", "judge:1:a.1", "judge:1:a.2", "judge:1:b.1", "judge:1:b.2", "judge:1:c.1"];
    assert!(expected.iter().all(|call| calls.contains(*call)), "{calls:?}");
    assert_eq!(calls.len(), 8);
}

#[tokio::test]
async fn a_resumed_run_asks_only_what_a_lane_had_no_answer_to() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, critics(true));
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    view_when(&journal, run, |view| view.calls.iter().filter(|call| call.outcome.is_some()).count() == 6)
        .await;
    engine.shut_down().await;
    // Another version that asks something else in the lane that hung.
    let engine = bench.engine(&journal, critics(false));
    assert_eq!(engine.resume().await.unwrap(), 1);
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(bench.calls(), 7 + 2, "the one that hung, and the sum");
}

#[tokio::test]
async fn a_continued_run_keeps_what_other_lanes_were_answered() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, critics(true));
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    view_when(&journal, first, |view| view.calls.iter().filter(|call| call.outcome.is_some()).count() == 6)
        .await;
    engine.stop(first, ada(), None).await.unwrap();
    end_of(&journal, first).await;
    let engine = bench.engine(&journal, critics(false));
    let second = engine.fork(first, fork(ForkPoint::End), ada()).await.unwrap();
    let view = end_of(&journal, second).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(bench.calls(), 7 + 2, "the one that was stopped, and the sum");
}

#[tokio::test]
async fn a_lane_is_opened_once_in_a_visit_and_lanes_within_lanes_are_their_own() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let work = step(|node| {
                Box::pin(async move {
                    let outer = node.lane("a")?;
                    let (one, other) = (outer.lane("1")?, outer.lane("2")?);
                    let (said, heard) = join(one.chat(ask("one")), other.chat(ask("other"))).await;
                    said?;
                    heard?;
                    outer.chat(ask("outer")).await?;
                    let again = node.lane("a").map(drop).unwrap_err().to_string();
                    let nameless = node.lane("A b").map(drop).unwrap_err().to_string();
                    Outcome::default().set("again", again)?.set("nameless", nameless)
                })
            });
            let mut graph = Graph::new();
            graph.node(plan("judge", 1), work);
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let calls: BTreeSet<_> = view.calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(calls, ["judge:1:a.1", "judge:1:a.1.1", "judge:1:a.2.1"].into());
    assert_eq!(state(&view, "again"), "The visit has a lane \"a\" already.");
    assert!(state(&view, "nameless").as_str().unwrap().contains("not a valid lane"));
}

/// Looks into its inbox before and after a question to a person, and asks the model with what it heard.
fn attentive(hangs: bool) -> impl Fn() -> Graph + Send + Sync + 'static {
    move || {
        let work = step(move |node| {
            Box::pin(async move {
                let words = |messages: Vec<Message>| -> String {
                    messages.into_iter().map(|message| format!("[{} {}]", message.by, message.text)).collect()
                };
                let before = words(node.inbox().await?);
                node.chat(ask(&format!("before {before}"))).await?;
                let question = engine::Question {
                    prompt: "Go on?".into(),
                    reason: None,
                    form: engine::AnswerForm::Text,
                    patience: None,
                    default: None,
                };
                node.ask(question).await?;
                let after = words(node.inbox().await?);
                let answer = node.chat(ask(&format!("after {after}"))).await?;
                if hangs {
                    node.chat(ask("hang")).await?;
                }
                Outcome::default().set("heard", answer.text)
            })
        });
        let mut graph = Graph::new();
        graph.node(plan("a", 1), work);
        graph.node(
            plan("b", 1),
            step(|node| {
                Box::pin(async move {
                    let messages = node.inbox().await?;
                    Outcome::default().set("b", messages.len())
                })
            }),
        );
        graph.flow(&id("a"), &id("b"));
        graph
    }
}

#[tokio::test]
async fn a_node_hears_what_people_tell_it_and_hears_the_same_when_it_is_resumed() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, attentive(true));
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, run, "a:1:3").await;
    engine.tell(run, id("a"), "shorter", ada()).await.unwrap();
    engine.tell(run, id("a"), "and kinder", ada()).await.unwrap();
    engine.tell(run, id("b"), "for later", ada()).await.unwrap();
    engine.answer(run, answer("a:1:3", value("yes".into()))).await.unwrap();
    bench.model.hanging.notified().await;
    // Too late for this visit, which is behind the place where it looks.
    engine.tell(run, id("a"), "too late", ada()).await.unwrap();
    engine.shut_down().await;
    let calls = bench.calls();

    let engine = bench.engine(&journal, attentive(false));
    assert_eq!(engine.resume().await.unwrap(), 1);
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(state(&view, "heard"), "echo: after [ada shorter][ada and kinder]");
    assert_eq!(state(&view, "b"), 1);
    assert_eq!(bench.calls(), calls, "nothing was asked again");
    let events = journal.read(run, 0, 1000).await.unwrap();
    let heard: Vec<u32> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::Heard(heard) => Some(heard.messages),
            _ => None,
        })
        .collect();
    assert_eq!(heard, [0, 2, 1]);
    assert_eq!(
        view.turns.iter().filter(|turn| matches!(turn.content, protocol::TurnContent::Message(_))).count(),
        4
    );
    assert!(matches!(engine.tell(run, id("a"), "more", ada()).await, Err(EngineError::NotActive)));
}

#[tokio::test]
async fn what_nobody_could_hear_is_refused() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, attentive(false));
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    open_question(&journal, run, "a:1:3").await;
    let nowhere = engine.tell(run, id("nowhere"), "hello", ada()).await;
    assert!(matches!(nowhere, Err(EngineError::Input(InputError::NoSuchNode(_)))), "{nowhere:?}");
    for words in [" ".to_owned(), "x".repeat(64 * 1024 + 1)] {
        let refused = engine.tell(run, id("a"), &words, ada()).await;
        assert!(matches!(refused, Err(EngineError::Input(InputError::Invalid(_)))));
    }
    for _ in 0..100 {
        engine.tell(run, id("a"), "again", ada()).await.unwrap();
    }
    let refused = engine.tell(run, id("a"), "again", ada()).await;
    assert!(matches!(refused, Err(EngineError::Input(InputError::Unread(_)))));
    engine.stop(run, ada(), None).await.unwrap();
    let late = engine.tell(run, id("a"), "too late", ada()).await;
    assert!(matches!(late, Err(EngineError::NotActive)), "{late:?}");
}
