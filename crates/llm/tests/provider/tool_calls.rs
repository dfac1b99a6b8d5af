//! The tools that a model asks for, in the many ways in which servers write them.

use std::collections::HashSet;

use llm::{Arguments, ChatAnswer, ChatError, ChatRequest, Message, ToolRequest, ToolSpec};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Stage, ask, ask_for, config, request,
    support::{Server, done, good, piece, raw, sse, stopped_by, tool},
};

thread_local! {
    static STAGE: Stage = Stage::new(|_| ());
}

async fn answer_to(events: &[String]) -> ChatAnswer {
    let (answer, server) = ask_for(vec![sse(events)]).await;
    assert_eq!(server.seen().len(), 1);
    answer.unwrap()
}

/// Names and arguments, in order.
fn asked(answer: &ChatAnswer) -> Vec<(String, Value)> {
    let read = |request: &ToolRequest| {
        (request.name.clone(), serde_json::from_str(&request.arguments.text()).unwrap())
    };
    answer.tool_requests.iter().map(read).collect()
}

fn ids(answer: &ChatAnswer) -> HashSet<&str> {
    answer.tool_requests.iter().map(|request| request.id.as_str()).collect()
}

#[tokio::test]
async fn whole_calls_with_the_same_number_and_no_id_are_two() {
    let row = r#"data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"get_stock_data","arguments":"{\"symbol\": \"AAPL\"}"}}]},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"","type":"function","function":{"name":"get_indicators","arguments":"{\"symbol\": \"AAPL\"}"}}]},"finish_reason":null}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

"#;
    let (answer, _) = ask_for(vec![raw(row)]).await;
    let answer = answer.unwrap();
    let symbol = json!({"symbol": "AAPL"});
    assert_eq!(
        asked(&answer),
        [("get_stock_data".to_owned(), symbol.clone()), ("get_indicators".to_owned(), symbol)]
    );
    assert_eq!(ids(&answer).len(), 2);

    // The same tool twice.
    let call = |ticker: &str| {
        tool(
            json!([{"index": 0, "id": "", "function": {"name": "prices", "arguments": format!("{{\"t\":\"{ticker}\"}}")}}]),
        )
    };
    let answer = answer_to(&[call("AAPL"), call("XOM"), stopped_by("tool_calls")]).await;
    assert_eq!(
        asked(&answer).iter().map(|(_, arguments)| arguments["t"].clone()).collect::<Vec<_>>(),
        ["AAPL", "XOM"]
    );
}

#[tokio::test]
async fn calls_with_the_same_id_under_two_numbers_are_two() {
    let answer = answer_to(&[
        tool(json!([{"index": 0, "id": "call_0", "function": {"name": "get_stock_data", "arguments": "{\"a\":"}}])),
        tool(json!([{"index": 1, "id": "call_0", "function": {"name": "get_indicators", "arguments": "{\"b\":"}}])),
        tool(json!([{"index": 0, "id": "call_0", "function": {"arguments": "1}"}}])),
        tool(json!([{"index": 1, "id": "call_0", "function": {"arguments": "2}"}}])),
        stopped_by("tool_calls"),
        done(),
    ])
    .await;
    let expected =
        [("get_stock_data".to_owned(), json!({"a": 1})), ("get_indicators".to_owned(), json!({"b": 2}))];
    assert_eq!(asked(&answer), expected);
    assert_eq!(ids(&answer).len(), 2);
}

#[tokio::test]
async fn a_beginning_that_is_replaced_by_a_whole_object_is_forgotten() {
    for (first, rest) in [
        ("{}", vec!["{\"symbol\": \"AAPL\", \"days\": 30}"]),
        ("{}", vec!["{\"symbol\": \"AA", "PL\", \"days\"", ": 30}"]),
        (" { } ", vec!["\n{\"symbol\": \"AAPL\", \"days\": 30}"]),
        ("{\"symbol\": \"XOM\"}", vec!["{\"symbol\": \"AAPL\", \"days\": 30}"]),
    ] {
        let mut events =
            vec![tool(json!([{"index": 0, "id": "a", "function": {"name": "prices", "arguments": first}}]))];
        events.extend(rest.iter().map(|piece| tool(json!([{"index": 0, "function": {"arguments": piece}}]))));
        events.push(stopped_by("tool_calls"));
        let answer = answer_to(&events).await;
        assert_eq!(asked(&answer), [("prices".to_owned(), json!({"symbol": "AAPL", "days": 30}))]);
    }
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_handed_on_as_they_are() {
    for arguments in ["{\"symbol\": AAPL}", "[1]", "{\"a\": 1", "{\"a\": 1} and", "{\"a\": 1, \"a\": 2}", "7"]
    {
        let answer = answer_to(&[
            tool(json!([{"index": 0, "id": "a", "function": {"name": "prices", "arguments": arguments}}])),
            stopped_by("tool_calls"),
        ])
        .await;
        let Arguments::Unreadable { text, why } = &answer.tool_requests[0].arguments else {
            panic!("{arguments}: {:?}", answer.tool_requests)
        };
        assert_eq!(text, arguments);
        assert!(!why.is_empty());
    }
}

#[tokio::test]
async fn arguments_that_are_cut_with_the_connection_break_the_answer() {
    let cut =
        tool(json!([{"index": 0, "id": "a", "function": {"name": "prices", "arguments": "{\"a\": 1"}}]));
    for end in [String::new(), done()] {
        let (answer, _) = ask_for(vec![sse(&[cut.clone(), end]), good("Hold.")]).await;
        assert_eq!(answer.unwrap().text, "Hold.");
    }
}

#[tokio::test]
async fn arguments_that_mean_one_thing_are_read() {
    let with_line_break = json!({"note": "First.\nSecond.\t"});
    for (arguments, means) in [
        (json!("{\"note\": \"First.\nSecond.\t\"}"), with_line_break),
        (json!({"t": "AAPL"}), json!({"t": "AAPL"})),
        (json!("\"{\\\"t\\\": \\\"AAPL\\\"}\""), json!({"t": "AAPL"})),
        (json!("{\"t\": \"\\ud83d\", }"), json!({"t": "\u{FFFD}"})),
        (json!(""), json!({})),
        (json!("null"), json!({})),
        (Value::Null, json!({})),
    ] {
        let answer = answer_to(&[
            tool(json!([{"index": 0, "id": "a", "function": {"name": "prices", "arguments": arguments}}])),
            stopped_by("tool_calls"),
        ])
        .await;
        assert_eq!(asked(&answer), [("prices".to_owned(), means)]);
    }
}

#[tokio::test]
async fn a_request_without_a_name_is_asked_for_again() {
    let nameless = tool(json!([{"index": 0, "id": "a", "function": {"arguments": "{}"}}]));
    let (answer, _) = ask_for(vec![sse(&[nameless, stopped_by("tool_calls")]), good("Hold.")]).await;
    assert_eq!(answer.unwrap().text, "Hold.");
}

#[tokio::test]
async fn a_field_for_tools_with_nothing_in_it_asks_for_none() {
    for nothing in [
        json!([{"index": 0, "id": "", "function": {"name": "", "arguments": ""}}]),
        json!([{}]),
        json!([]),
        Value::Null,
    ] {
        let answer = answer_to(&[tool(nothing), piece("Hold."), stopped_by("stop")]).await;
        assert_eq!((answer.text.as_str(), answer.tool_requests.len()), ("Hold.", 0));
    }
}

#[tokio::test]
async fn a_call_in_the_form_of_old_is_read() {
    let begin = tool(json!(null)).replace(
        "\"tool_calls\":null",
        "\"function_call\":{\"name\":\"prices\",\"arguments\":\"{\\\"t\\\":\"}",
    );
    let rest = tool(json!(null)).replace("\"tool_calls\":null", "\"function_call\":{\"arguments\":\"1}\"}");
    let answer = answer_to(&[begin, rest, stopped_by("function_call")]).await;
    assert_eq!(asked(&answer), [("prices".to_owned(), json!({"t": 1}))]);
}

fn with_tool(name: &str) -> ChatRequest {
    let parameters = json!({"type": "object", "properties": {}});
    let tool = ToolSpec { name: name.into(), description: "Daily prices".into(), parameters };
    ChatRequest { tools: vec![tool], ..request() }
}

#[tokio::test]
async fn a_name_with_marks_around_it_means_the_offered_tool() {
    for name in ["prices", "functions.prices", "default_api:prices", " prices ", "prices<|channel|>json"] {
        let call = tool(json!([{"index": 0, "id": "a", "function": {"name": name, "arguments": "{}"}}]));
        let server = Server::start(vec![sse(&[call, stopped_by("tool_calls")])]).await;
        let answer = ask(config(&server), &with_tool("prices")).await.0.unwrap();
        assert_eq!(answer.tool_requests[0].name, "prices", "{name}");
    }
    // What means none stays as it is.
    let call = tool(json!([{"index": 0, "id": "a", "function": {"name": "my prices", "arguments": "{}"}}]));
    let server = Server::start(vec![sse(&[call, stopped_by("tool_calls")])]).await;
    let answer = ask(config(&server), &with_tool("prices")).await.0.unwrap();
    assert_eq!(answer.tool_requests[0].name, "my prices");
}

#[tokio::test]
async fn a_name_that_no_provider_takes_is_sent_back_as_one_that_each_takes() {
    let server = Server::start(vec![good("ok")]).await;
    for name in ["get price!", &"x".repeat(1_000), "", "prix_é"] {
        let mut request = conversation(&["a"]);
        for message in &mut request.messages {
            if let Message::Assistant { tool_requests, .. } = message {
                tool_requests[0].name = name.to_owned();
            }
        }
        ask(config(&server), &request).await.0.unwrap();
        let seen = server.seen().pop().unwrap();
        let sent = seen.body["messages"][2]["tool_calls"][0]["function"]["name"].as_str().unwrap().to_owned();
        let allowed = |character: char| character.is_ascii_alphanumeric() || "_-".contains(character);
        assert!((1..=64).contains(&sent.len()) && sent.chars().all(allowed), "{sent}");
    }
}

#[tokio::test]
async fn tools_without_end_break_the_answer() {
    let calls: Vec<Value> = (0..1_000)
        .map(|index| json!({"index": index, "function": {"name": "prices", "arguments": "{}"}}))
        .collect();
    let (answer, _) = ask_for(vec![sse(&[tool(json!(calls)), stopped_by("tool_calls")])]).await;
    assert!(matches!(answer, Err(ChatError::BrokenStream { .. })), "{answer:?}");
}

/// A conversation in which tools were called under these ids.
fn conversation(used: &[&str]) -> ChatRequest {
    let mut request = request();
    for id in used {
        let call = ToolRequest {
            id: (*id).to_owned(),
            name: "prices".into(),
            arguments: json!({}).into(),
            echo: None,
        };
        request.messages.extend([
            Message::Assistant { text: String::new(), tool_requests: vec![call], echo: None },
            Message::Tool { request: (*id).to_owned(), name: "prices".into(), content: "7".into() },
        ]);
    }
    request
}

#[tokio::test]
async fn ids_are_unique_in_the_whole_conversation() {
    let call = |id: Value| json!({"id": id, "function": {"name": "prices", "arguments": "{}"}});
    let calls = json!([call(json!("call_0")), call(Value::Null), call(json!("call00001")), call(json!(""))]);
    let server = Server::start(vec![sse(&[tool(calls), stopped_by("tool_calls")])]).await;
    let used = ["call_0", "call00002"];
    let answer = ask(config(&server), &conversation(&used)).await.0.unwrap();
    let ids = ids(&answer);
    assert_eq!(ids.len(), 4);
    assert!(used.iter().all(|id| !ids.contains(id)), "{ids:?}");
    // What a provider gave and nobody has used is kept.
    assert!(ids.contains("call00001"), "{ids:?}");
}

/// How a server numbers and names the calls of an answer.
#[derive(Clone, Copy, Debug)]
enum Marks {
    NumbersAndIds,
    NumbersAlone,
    NumbersAndOneId,
    NumbersAndNewIds,
    IdsAlone,
    IdsUnderNumberZero,
    Nothing,
    NumberZeroAlone,
    NumberZeroAndEmptyIds,
}

impl Marks {
    const ALL: [Self; 9] = [
        Self::NumbersAndIds,
        Self::NumbersAlone,
        Self::NumbersAndOneId,
        Self::NumbersAndNewIds,
        Self::IdsAlone,
        Self::IdsUnderNumberZero,
        Self::Nothing,
        Self::NumberZeroAlone,
        Self::NumberZeroAndEmptyIds,
    ];

    /// The fields beside the function. `piece` counts all pieces.
    fn fields(self, call: usize, piece: usize, first: bool) -> Value {
        match self {
            Self::NumbersAndIds if first => json!({"index": call, "id": format!("id{call}")}),
            Self::NumbersAndIds | Self::NumbersAlone => json!({"index": call}),
            Self::NumbersAndOneId => json!({"index": call, "id": "call_0"}),
            Self::NumbersAndNewIds => json!({"index": call, "id": format!("id{piece}")}),
            Self::IdsAlone => json!({"id": format!("id{call}")}),
            Self::IdsUnderNumberZero => json!({"index": 0, "id": format!("id{call}")}),
            Self::Nothing => json!({}),
            Self::NumberZeroAlone => json!({"index": 0}),
            Self::NumberZeroAndEmptyIds => json!({"index": 0, "id": ""}),
        }
    }

    /// Whether pieces of several calls can come in turns.
    fn tell_pieces_apart(self) -> bool {
        matches!(
            self,
            Self::NumbersAndIds
                | Self::NumbersAlone
                | Self::NumbersAndOneId
                | Self::NumbersAndNewIds
                | Self::IdsAlone
                | Self::IdsUnderNumberZero
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn calls_are_told_apart_by_whatever_tells_them_apart(
        marks in prop::sample::select(Marks::ALL.to_vec()),
        calls in prop::collection::vec((0..2_usize, 1..4_usize), 1..5),
        in_turns in any::<bool>(),
        names_repeat in any::<bool>(),
        placeholder in any::<bool>(),
        backwards in any::<bool>(),
    ) {
        let expected: Vec<(String, Value)> = calls
            .iter()
            .enumerate()
            .map(|(number, (name, _))| (["prices", "indices"][*name].to_owned(), json!({"n": number, "t": "é\"}{"})))
            .collect();
        // The pieces of each call: the name comes with the first one.
        let mut pieces: Vec<Vec<(usize, String)>> = Vec::new();
        for (number, (_, count)) in calls.iter().enumerate() {
            let text: Vec<char> = expected[number].1.to_string().chars().collect();
            let mut parts: Vec<String> = text.chunks(text.len().div_ceil(*count)).map(|part| part.iter().collect()).collect();
            if placeholder {
                parts.insert(0, "{}".to_owned());
            }
            pieces.push(parts.into_iter().map(|part| (number, part)).collect());
        }
        // A name once more after a whole object means two things, unless an id stands with it.
        let ids_repeat = matches!(marks, Marks::NumbersAndOneId | Marks::IdsAlone | Marks::IdsUnderNumberZero);
        let names_repeat = names_repeat && marks.tell_pieces_apart() && (ids_repeat || !placeholder);
        let ordered: Vec<(usize, String)> = if in_turns && marks.tell_pieces_apart() {
            let longest = pieces.iter().map(Vec::len).max().unwrap_or(0);
            (0..longest).flat_map(|turn| pieces.iter().filter_map(move |call| call.get(turn).cloned())).collect()
        } else if backwards {
            pieces.iter().rev().flatten().cloned().collect()
        } else {
            pieces.concat()
        };
        let mut begun = HashSet::new();
        let mut events: Vec<String> = ordered
            .iter()
            .enumerate()
            .map(|(piece, (call, arguments))| {
                let first = begun.insert(*call);
                let mut fields = marks.fields(*call, piece, first);
                fields["function"] = json!({"arguments": arguments});
                if first || (names_repeat && !matches!(marks, Marks::NumbersAndNewIds)) {
                    fields["function"]["name"] = json!(expected[*call].0);
                }
                tool(json!([fields]))
            })
            .collect();
        events.push(stopped_by("tool_calls"));

        let answer = STAGE.with(|stage| stage.answer(sse(&events)));
        let mut found = asked(&answer);
        found.sort_by_key(|(_, arguments)| arguments["n"].as_u64());
        prop_assert_eq!(found, expected);
        prop_assert_eq!(ids(&answer).len(), calls.len());
    }
}
