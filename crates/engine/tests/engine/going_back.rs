//! What a provider demands back with its messages and calls survives a restart.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use engine::{Allowance, Engine, EngineOptions, Graph, Outcome};
use llm::{Arguments, ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Sink, ToolRequest};
use protocol::{Attempt, Limits, RunStatus, Tier, Usage};
use serde_json::{Map, json};
use tokio::sync::Notify;

use crate::stage::{Bench, Fixed, ada, ask, end_of, plan, request, step};

/// Asks for tools first, then hangs once, then answers.
#[derive(Default)]
struct Thoughtful {
    asked: Mutex<Vec<ChatRequest>>,
    hanging: Notify,
}

impl Thoughtful {
    fn answer() -> ChatAnswer {
        // Longer than what the log keeps in its events.
        let thoughts = "The price is needed. ".repeat(1_000);
        let signature = json!({"google": {"thought_signature": "Et8B".repeat(2_000)}});
        let call = |id: &str, arguments: Arguments, echo| ToolRequest {
            id: id.into(),
            name: "prices".into(),
            arguments,
            echo,
        };
        let unreadable = Arguments::Unreadable { text: "{\"t\": AAPL}".into(), why: "it is no JSON".into() };
        ChatAnswer {
            model: "thoughtful".into(),
            text: String::new(),
            thoughts: thoughts.clone(),
            tool_requests: vec![
                call(
                    "a",
                    json!({"t": "AAPL"}).into(),
                    Some(Map::from_iter([("extra_content".to_owned(), signature)])),
                ),
                call("b", unreadable, None),
            ],
            echo: Some(Map::from_iter([("reasoning_content".to_owned(), json!(thoughts))])),
            usage: Usage { tokens_in: Some(10), tokens_out: Some(5) },
            cost: None,
            attempts: vec![Attempt {
                model: "thoughtful".into(),
                error: "it broke off".into(),
                usage: Usage::default(),
                cost: None,
                latency_ms: 3,
            }],
        }
    }
}

#[async_trait]
impl ChatModel for Thoughtful {
    fn model(&self, _: Tier) -> String {
        "thoughtful".into()
    }

    async fn chat(&self, request: &ChatRequest, _: Sink<'_>) -> Result<ChatAnswer, ChatFailure> {
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(request.clone());
            asked.len()
        };
        if number == 2 {
            self.hanging.notify_one();
            std::future::pending::<()>().await;
        }
        let done = ChatAnswer { text: "Hold.".into(), tool_requests: Vec::new(), ..Self::answer() };
        Ok(if number == 1 { Self::answer() } else { done })
    }
}

#[tokio::test]
async fn a_resumed_run_sends_back_what_the_provider_demands() {
    let bench = Bench::new();
    let model = Arc::new(Thoughtful::default());
    let graph = || {
        let mut graph = Graph::new();
        let talk = step(|node| {
            Box::pin(async move {
                let mut request = ask("How is AAPL?");
                let answer = node.chat(request.clone()).await?;
                let (text, tool_requests, echo) = (answer.text, answer.tool_requests, answer.echo);
                let results = tool_requests.iter().map(|call| Message::Tool {
                    request: call.id.clone(),
                    name: call.name.clone(),
                    content: "227.5".into(),
                });
                let results: Vec<Message> = results.collect();
                request.messages.push(Message::Assistant { text, tool_requests, echo });
                request.messages.extend(results);
                node.chat(request).await.map(|_| Outcome::default())
            })
        });
        graph.node(plan("talk", 1), talk);
        graph
    };
    let journal = bench.journal().await;
    let engine = |journal: &journal::Journal| {
        let workflows = Arc::new(Fixed { graph, model: model.clone() as Arc<dyn ChatModel> });
        Engine::new(journal.clone(), workflows, Arc::new(Allowance::default()), EngineOptions::default())
    };
    let before = engine(&journal);
    let run = before.start(request(Limits::default()), ada()).await.unwrap();
    model.hanging.notified().await;
    before.shut_down().await;
    journal.close().await;
    drop((before, journal));

    let journal = bench.journal().await;
    let after = engine(&journal);
    assert_eq!(after.resume().await.unwrap(), 1);
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let asked = model.asked.lock().unwrap();
    assert_eq!(asked.len(), 3);
    assert_eq!(asked[2].messages, asked[1].messages);
    let Message::Assistant { tool_requests, echo, .. } = &asked[2].messages[1] else {
        panic!("{:?}", asked[2])
    };
    assert_eq!((tool_requests, echo), (&Thoughtful::answer().tool_requests, &Thoughtful::answer().echo));
}
