//! How an answer comes: in pieces, doubled, as a whole, cut, or with a connection that stays open.

use std::time::Duration;

use axum::body::Bytes;
use futures::{StreamExt, stream};
use llm::{ChatAnswer, ChatError, ChatModel, Piece};
use proptest::prelude::*;
use protocol::Usage;
use serde_json::{Value, json};

use crate::{
    Stage, ask, ask_for, config, provider, request,
    support::{self, Reply, Server, body, done, good, packets, piece, raw, sse, stop, stopped_by, usage},
};

thread_local! {
    static STAGE: Stage = Stage::new(|_| ());
}

fn delta(fields: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{{fields}}},\"finish_reason\":null}}]}}\n\n")
}

async fn answer_to(reply: Reply) -> ChatAnswer {
    let (answer, server) = ask_for(vec![reply]).await;
    assert_eq!(server.seen().len(), 1);
    answer.unwrap()
}

#[tokio::test]
async fn fields_under_two_names_at_once_are_read_once() {
    let row = r#"data: {"choices":[{"index":0,"delta":{"content":"Hi","reasoning":"","reasoning_content":""},"finish_reason":null}]}"#;
    let answer = answer_to(raw(&format!("{row}\n\n{}{}", stop(), done()))).await;
    assert_eq!((answer.text.as_str(), answer.thoughts.as_str()), ("Hi", ""));

    let both = delta(r#""reasoning":"Hm.","reasoning_content":"Hm.","content":null"#);
    let answer = answer_to(raw(&format!("{both}{}{}", delta(r#""content":"Hi""#), stop()))).await;
    assert_eq!((answer.text.as_str(), answer.thoughts.as_str()), ("Hi", "Hm."));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn whichever_fields_repeat_each_text_is_read_once(
        fields in prop::collection::vec((0..5_usize, any::<bool>()), 1..8).prop_shuffle(),
    ) {
        // Each field says its text or nothing, as often as it stands there.
        let names = ["content", "reasoning", "reasoning_content", "refusal", "role"];
        let texts = ["\"Hi\"", "\"Hm.\"", "\"Hm.\"", "null", "\"assistant\""];
        let says = |name: usize| fields.iter().any(|(field, tells)| *field == name && *tells);
        let written: Vec<String> = fields
            .iter()
            .map(|(name, tells)| format!("\"{}\":{}", names[*name], if *tells { texts[*name] } else { "\"\"" }))
            .collect();
        let events = format!("{}{}{}{}", delta(&written.join(",")), piece("!"), stop(), done());
        let answer = STAGE.with(|stage| stage.answer(raw(&events)));
        prop_assert_eq!(answer.text, if says(0) { "Hi!" } else { "!" });
        prop_assert_eq!(answer.thoughts, if says(1) || says(2) { "Hm." } else { "" });
    }

    #[test]
    fn however_a_stream_is_cut_into_pieces_the_answer_is_the_same(
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        carriage_returns in any::<bool>(),
        mark in any::<bool>(),
    ) {
        let mut events = [
            ": hello\n\nevent: message\nid: 7\n".to_owned() + &delta(r#""reasoning_content":"Hm … 😀""#),
            delta(r#""content":"5 € 😀""#),
            support::tool(json!([{"index": 0, "id": "a", "function": {"name": "prices", "arguments": "{\"at\":\"Zü"}}])),
            support::tool(json!([{"index": 0, "function": {"arguments": "rich\"}"}}])),
            stopped_by("tool_calls"),
            usage(10, 2),
            done(),
        ]
        .concat();
        if carriage_returns {
            events = events.replace('\n', "\r\n");
        }
        if mark {
            events.insert(0, '\u{FEFF}');
        }
        let bytes = events.into_bytes();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces = cuts.windows(2).map(|cut| bytes[cut[0]..cut[1]].to_vec()).filter(|piece| !piece.is_empty());
        let answer = STAGE.with(|stage| stage.answer(packets(pieces.collect())));
        prop_assert_eq!(answer.text, "5 € 😀");
        prop_assert_eq!(answer.thoughts, "Hm … 😀");
        prop_assert_eq!(answer.tool_requests.len(), 1);
        prop_assert_eq!(answer.tool_requests[0].arguments.text(), r#"{"at":"Zürich"}"#);
        prop_assert_eq!(answer.usage, Usage { tokens_in: Some(10), tokens_out: Some(2) });
    }

    #[test]
    fn any_character_is_read_as_it_was_meant(text in "[^<\\[]{0,60}", raw_spelling in any::<bool>()) {
        let text = format!("x{text}x");
        let spelled = if raw_spelling {
            // As a careless server writes it: control characters as they are. A line feed would end the
            // line of the event, and an empty line the event.
            text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n").replace('\r', "\\r")
        } else {
            let escaped = serde_json::to_string(&text).unwrap();
            escaped[1..escaped.len() - 1].to_owned()
        };
        let events = format!("{}{}", delta(&format!("\"content\":\"{spelled}\"")), stop());
        let answer = STAGE.with(|stage| stage.answer(packets(vec![events.into_bytes()])));
        prop_assert_eq!(answer.text, text);
    }
}

#[tokio::test]
async fn halves_of_characters_and_bytes_that_are_no_text_become_replacement_characters() {
    let answer =
        answer_to(raw(&format!("{}{}", delta(r#""content":"up \ud83d and \ude00, \u0000.""#), stop()))).await;
    assert_eq!(answer.text, "up \u{FFFD} and \u{FFFD}, \0.");

    let mut bytes = delta(r#""content":"up @ down""#).into_bytes();
    let place = bytes.iter().position(|byte| *byte == b'@').unwrap();
    bytes[place] = 0xFF;
    bytes.extend(stop().bytes());
    assert_eq!(answer_to(packets(vec![bytes])).await.text, "up \u{FFFD} down");
}

#[tokio::test]
async fn a_raw_line_break_inside_of_a_text_belongs_to_it() {
    let answer = answer_to(raw(&format!("{}{}", delta("\"content\":\"First.\nSecond.\""), stop()))).await;
    assert_eq!(answer.text, "First.\nSecond.");
}

#[tokio::test]
async fn an_answer_that_is_no_stream_is_read() {
    let row = r#"{"object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi"}}],"usage":{"prompt_tokens":3,"completion_tokens":1}}"#;
    let answer = answer_to(body("application/json", row)).await;
    assert_eq!(answer.text, "Hi");
    assert_eq!(answer.usage, Usage { tokens_in: Some(3), tokens_out: Some(1) });

    // Under another type, with white space around it, with a call, and without a reason to stop.
    let call = json!({"choices": [{"message": {"content": null, "tool_calls":
        [{"id": "a", "type": "function", "function": {"name": "prices", "arguments": "{}"}}]}}]});
    let answer = answer_to(raw(&format!("\n\n  {}  \n", serde_json::to_string_pretty(&call).unwrap()))).await;
    assert_eq!(answer.tool_requests[0].name, "prices");
    // Line by line without the words of events.
    let lines = format!("{}{}", piece("Hold."), stop()).replace("data: ", "");
    assert_eq!(answer_to(body("application/x-ndjson", &lines)).await.text, "Hold.");
}

#[tokio::test]
async fn a_whole_response_that_is_cut_is_no_answer() {
    let row =
        r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"#;
    let (answer, server) = ask_for(vec![body("application/json", row), good("Hold.")]).await;
    assert_eq!(answer.unwrap().text, "Hold.");
    assert_eq!(server.seen().len(), 2);
    let length = json!({"choices": [{"finish_reason": "length", "message": {"content": "Hi"}}]}).to_string();
    let (answer, _) = ask_for(vec![body("application/json", &length)]).await;
    assert!(matches!(answer, Err(ChatError::TokenLimit { .. })), "{answer:?}");
}

#[tokio::test]
async fn words_that_are_no_finish_do_not_make_a_cut_answer_whole() {
    for word in ["\"\"", "\"null\"", "\"None\"", "null", "\" \"", "false", "0", "{}"] {
        let cut: String = ["Buy", " ev", "ery"]
            .map(|text| {
                format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{word}}}]}}\n\n")
            })
            .concat();
        let (answer, server) = ask_for(vec![raw(&cut), good("Hold.")]).await;
        assert_eq!(answer.unwrap().text, "Hold.", "{word}");
        assert_eq!(server.seen().len(), 2, "{word}");
        let (answer, _) = ask_for(vec![raw(&cut)]).await;
        assert!(matches!(answer, Err(ChatError::BrokenStream { .. })), "{word}: {answer:?}");
        // The farewell proves what the reason does not.
        assert_eq!(answer_to(raw(&(cut + &done()))).await.text, "Buy every");
    }
}

#[tokio::test]
async fn a_reason_to_stop_that_stands_in_every_piece_proves_nothing() {
    let every: String = ["Buy", " ev"]
        .map(|text| piece(text).replace("\"finish_reason\":null", "\"finish_reason\":\"stop\""))
        .concat();
    let (answer, _) = ask_for(vec![raw(&every), good("Hold.")]).await;
    assert_eq!(answer.unwrap().text, "Hold.");
    assert_eq!(answer_to(raw(&(every + &done()))).await.text, "Buy ev");
}

#[tokio::test]
async fn what_must_go_back_may_come_after_the_last_word() {
    let late = delta(r#""reasoning_details":[{"type":"reasoning.encrypted","data":"x"}]"#);
    assert_eq!(answer_to(raw(&(piece("Hold.") + &stop() + &late))).await.text, "Hold.");
}

#[tokio::test]
async fn an_answer_that_its_server_gave_up_is_not_whole() {
    for reason in ["abort", "error", "network_error", "insufficient_system_resource", "cancelled"] {
        let (answer, _) =
            ask_for(vec![sse(&[piece("Buy ev"), stopped_by(reason), done()]), good("Hold.")]).await;
        assert_eq!(answer.unwrap().text, "Hold.", "{reason}");
    }
}

#[tokio::test]
async fn a_finished_answer_does_not_wait_for_the_connection_to_close() {
    let finished = piece("Hold.").replace("\"finish_reason\":null", "\"finish_reason\":\"stop\"");
    // In one packet, so that how fast the rest follows does not matter.
    for (events, tokens) in [(finished.clone(), None), (finished + &usage(10, 2), Some(10))] {
        let open = stream::iter([Ok(Bytes::from(events))]).chain(support::silence());
        let server = Server::start(vec![Reply::stream(open)]).await;
        let mut config = config(&server);
        config.timeouts.grace = Duration::from_millis(100);
        config.timeouts.idle = Duration::from_secs(300);
        let answer =
            tokio::time::timeout(Duration::from_secs(60), ask(config, &request())).await.unwrap().0.unwrap();
        assert_eq!((answer.text.as_str(), answer.usage.tokens_in), ("Hold.", tokens));
    }
}

#[tokio::test]
async fn the_grace_after_an_answer_is_one_however_much_chatter_follows() {
    let chatter = stream::repeat(()).then(|()| async {
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(Bytes::from(usage(10, 2)))
    });
    let open = stream::iter([Ok(Bytes::from(piece("Hold."))), Ok(Bytes::from(stop()))]).chain(chatter);
    let server = Server::start(vec![Reply::stream(open)]).await;
    let mut config = config(&server);
    config.timeouts.grace = Duration::from_millis(100);
    config.timeouts.total = Duration::from_secs(600);
    let answer = tokio::time::timeout(Duration::from_secs(60), ask(config, &request())).await.unwrap().0;
    assert_eq!(answer.unwrap().text, "Hold.");
}

#[tokio::test]
async fn thoughts_are_heard_and_stand_apart_from_the_answer() {
    let parts = json!([{"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}, {"type": "text", "text": "Hold."}]);
    for events in [
        vec![
            delta(r#""reasoning_content":"H""#),
            delta(r#""reasoning_content":"m.""#),
            piece("Hold."),
            stop(),
        ],
        vec![
            delta(
                r#""reasoning":"Hm.","reasoning_details":[{"type":"reasoning.text","text":"Hm.","index":0}]"#,
            ),
            piece("Hold."),
            stop(),
        ],
        vec![delta(&format!("\"content\":{parts}")), stop()],
    ] {
        let server = Server::start(vec![sse(&events)]).await;
        let mut heard = String::new();
        let mut sink = |piece: Piece<'_>| {
            if let Piece::Thought(thought) = piece {
                heard.push_str(thought);
            }
        };
        let answer = provider(config(&server)).chat(&request(), &mut sink).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.thoughts.as_str()), ("Hold.", "Hm."));
        assert_eq!(heard, "Hm.");
    }
}

#[tokio::test]
async fn nesting_without_end_is_refused_and_harms_nothing() {
    for open in ["[", "{\"a\":"] {
        let deep = open.repeat(100_000);
        for reply in [raw(&format!("data: {deep}\n\n")), body("application/json", &deep)] {
            let (answer, _) = ask_for(vec![reply, good("Hold.")]).await;
            assert_eq!(answer.unwrap().text, "Hold.");
        }
    }
}

#[tokio::test]
async fn tokens_are_read_wherever_and_however_they_are_written() {
    let reports = [
        json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 2}}),
        json!({"choices": [], "usage": {"input_tokens": "10", "output_tokens": 2.0}}),
        json!({"choices": [], "x_groq": {"usage": {"prompt_tokens": 10, "completion_tokens": 2}}}),
        json!({"choices": [{"index": 0, "delta": {}, "usage": {"prompt_tokens": 10, "completion_tokens": 2}}]}),
    ];
    for report in reports {
        let answer = answer_to(sse(&[piece("Hold."), stop(), format!("data: {report}\n\n"), done()])).await;
        assert_eq!(answer.usage, Usage { tokens_in: Some(10), tokens_out: Some(2) }, "{report}");
    }
    // Some report with every piece what was used so far, and nothing at the end.
    let answer =
        answer_to(sse(&[piece("Ho"), usage(10, 1), piece("ld."), usage(10, 2), stop(), usage(0, 0), done()]))
            .await;
    assert_eq!(answer.usage, Usage { tokens_in: Some(10), tokens_out: Some(2) });
    // What cannot be is unknown.
    for wrong in [json!(-1), json!(0.5), json!(1e300), json!("many"), Value::Null] {
        let report = json!({"choices": [], "usage": {"prompt_tokens": wrong, "completion_tokens": wrong}});
        let answer = answer_to(sse(&[piece("Hold."), stop(), format!("data: {report}\n\n"), done()])).await;
        assert_eq!(answer.usage, Usage::default(), "{wrong}");
    }
}
