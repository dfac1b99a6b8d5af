//! The stand-in for a model.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use llm::{
    ChatAnswer, ChatError, ChatModel, ChatRequest, Message, Piece, Rehearsal, Script, ToolRequest, Turn,
    render,
};
use protocol::{Decimal, Tier, Usage};
use serde_json::json;

/// Asks for two tools, then answers at length; has nothing to say to an empty conversation.
struct Analyst;

const ANSWER: &str = "Überlegt: the trend is up, the volume is not. 株 ";

impl Script for Analyst {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        match request.messages.last() {
            Some(Message::Tool { .. }) => Ok(Turn::Answer(ANSWER.repeat(20))),
            Some(_) => {
                let call = |ticker: &str| ("prices".to_owned(), json!({"ticker": ticker}));
                Ok(Turn::Tools(vec![call("AAPL"), call("XOM")]))
            }
            None => Err("nothing was asked".into()),
        }
    }
}

fn request(messages: Vec<Message>) -> ChatRequest {
    ChatRequest {
        agent: "market_analyst".into(),
        run: None,
        tier: Tier::Quick,
        profile: None,
        messages,
        tools: Vec::new(),
        schema: None,
        temperature: None,
    }
}

fn after_tools() -> Vec<Message> {
    let call = ToolRequest {
        id: "call_1".into(),
        name: "prices".into(),
        arguments: json!({"ticker": "AAPL"}).into(),
        echo: None,
    };
    vec![
        Message::User("How is AAPL?".into()),
        Message::Assistant { text: String::new(), tool_requests: vec![call], echo: None },
        Message::Tool { request: "call_1".into(), name: "prices".into(), content: "227.5".into() },
    ]
}

async fn ask(pace: Option<u32>, messages: Vec<Message>) -> (Result<ChatAnswer, ChatError>, Vec<String>) {
    let mut heard = Vec::new();
    let mut sink = |piece: Piece<'_>| {
        heard.push(match piece {
            Piece::Begin => "<begin>".to_owned(),
            Piece::Text(text) => text.to_owned(),
            Piece::Thought(_) | Piece::InLine(_) => return,
        });
    };
    let answer = Rehearsal::new(Arc::new(Analyst), pace).chat(&request(messages), &mut sink).await;
    (answer.map_err(|failure| failure.error), heard)
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_spoken_in_pieces_at_every_pace() {
    for pace in [None, Some(0), Some(1), Some(600), Some(u32::MAX - 1), Some(u32::MAX)] {
        let (answer, heard) = ask(pace, after_tools()).await;
        assert_eq!(answer.unwrap().text, ANSWER.repeat(20));
        assert_eq!(heard[0], "<begin>");
        assert_eq!(heard[1..].concat(), ANSWER.repeat(20), "{pace:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_usual_pace_is_21_characters_in_35_milliseconds() {
    let (_, heard) = ask(None, after_tools()).await;
    let lengths: Vec<usize> = heard[1..].iter().map(|piece| piece.chars().count()).collect();
    let (last, others) = lengths.split_last().unwrap();
    assert!(others.iter().all(|length| *length == 21) && *last <= 21);
}

#[tokio::test]
async fn it_is_named_as_what_it_is_and_costs_nothing() {
    let (answer, _) = ask(Some(0), after_tools()).await;
    let answer = answer.unwrap();
    assert_eq!(answer.model, "rehearsal");
    assert_eq!(Rehearsal::new(Arc::new(Analyst), None).model(Tier::Deep), "rehearsal");
    assert_eq!(answer.cost, Some(Decimal::ZERO));
    assert_eq!(answer.attempts.len(), 0);
    // "[user] How is AAPL?", "[tool request] prices {…}", "[tool result] prices: 227.5"; 10 words × 20.
    assert_eq!(answer.usage, Usage { tokens_in: Some(4 + 4 + 4), tokens_out: Some(10 * 20) });
}

#[tokio::test]
async fn tool_requests_are_numbered_through_the_conversation() {
    let (answer, heard) = ask(Some(0), vec![Message::User("How is AAPL?".into())]).await;
    let ids = |answer: ChatAnswer| answer.tool_requests.into_iter().map(|call| call.id).collect::<Vec<_>>();
    assert_eq!(ids(answer.unwrap()), ["call_1", "call_2"]);
    assert_eq!(heard, ["<begin>"]);
    let mut later = after_tools();
    later.push(Message::User("And now?".into()));
    assert_eq!(ids(ask(Some(0), later).await.0.unwrap()), ["call_2", "call_3"]);
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer() {
    let first = ask(Some(0), after_tools()).await;
    assert_eq!(ask(Some(0), after_tools()).await, first);
}

#[tokio::test]
async fn a_script_without_an_answer_is_an_error() {
    let (answer, _) = ask(Some(0), Vec::new()).await;
    assert_eq!(answer, Err(ChatError::Script("nothing was asked".into())));
}

#[test]
fn a_conversation_is_rendered_in_blocks() {
    let mut messages = vec![Message::System("Be brief.".into())];
    messages.extend(after_tools());
    let text = "Up.".to_owned();
    messages.push(Message::Assistant { text, tool_requests: Vec::new(), echo: None });
    assert_eq!(
        render(&messages),
        "[system] Be brief.\n\n[user] How is AAPL?\n\n[tool request] prices {\"ticker\":\"AAPL\"}\n\n\
         [tool result] prices: 227.5\n\n[assistant] Up."
    );
}
