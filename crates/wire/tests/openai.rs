//! What clients of OpenAI's interface send to a team, and what they are told of its run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use protocol::{
    team::{EarlierMessage, TeamMessage, TeamResult, TeamTurn},
    *,
};
use serde_json::{Value, json};
use wire::openai::{Answer, Answering, Delivery, Error, Finish, Heading, Question, Told};

const RUN: &str = "0197a1b2-0000-7000-8000-000000000000";

fn read(request: &Value) -> Result<Question, Error> {
    Question::read(request.to_string().as_bytes())
}

fn asked(messages: Value) -> Value {
    json!({ "model": "sample", "messages": messages })
}

/// The status of a refusal, and its fields.
fn refusal(request: &Value) -> (u16, Value) {
    let error = read(request).unwrap_err();
    (error.status, error.body()["error"].clone())
}

#[test]
fn the_last_message_is_the_task_and_those_before_it_were_said_earlier() {
    let question = read(&json!({
        "model": "Writers",
        "messages": [
            { "role": "developer", "content": "Be brief." },
            { "role": "user", "content": [{ "type": "text", "text": "Begin." }, { "type": "text", "text": "Now." }] },
            { "role": "assistant", "content": null },
            { "role": "assistant", "content": "I have begun." },
            { "role": "user", "content": "Go on.", "name": "ann" },
        ],
        "temperature": 0.2, "max_tokens": 5, "n": 1, "tools": [], "user": "ann", "whatever": { "else": [] },
        "response_format": { "type": "text" },
        "metadata": { "flow": "letters", "other": "x" },
        "stream": true,
        "stream_options": { "include_usage": true },
    }))
    .unwrap();
    let said = |from: &str, text: &str| EarlierMessage { from: from.to_owned(), text: text.to_owned() };
    assert_eq!(
        question,
        Question {
            model: "Writers".to_owned(),
            earlier: vec![
                said("system", "Be brief."),
                said("user", "Begin.\nNow."),
                said("assistant", "I have begun."),
            ],
            task: "Go on.".to_owned(),
            flow: Some("letters".parse().unwrap()),
            delivery: Delivery::Streamed { with_usage: true },
        }
    );
    let plain = read(&asked(json!([{ "role": "user", "content": "Go." }]))).unwrap();
    assert_eq!((plain.flow, plain.delivery), (None, Delivery::Whole));
}

#[test]
fn what_no_team_can_be_asked_is_refused_with_the_field_and_a_sentence() {
    let go = json!([{ "role": "user", "content": "Go." }]);
    let with = |field: &str, value: Value| {
        let mut request = asked(go.clone());
        request[field] = value;
        request
    };
    let image = json!([{ "type": "image_url", "image_url": { "url": "data:image/png;base64,AAAA" } }]);
    for (request, param, why) in [
        (with("n", json!(2)), "n", "one answer"),
        (with("n", json!("many")), "n", "one answer"),
        (with("tools", json!([{ "type": "function" }])), "tools", "none of the caller's"),
        (with("functions", json!([{}])), "functions", "none of the caller's"),
        (with("response_format", json!({ "type": "json_schema" })), "response_format", "answers with text"),
        (with("modalities", json!(["text", "audio"])), "modalities", "text alone"),
        (with("stream", json!("yes")), "stream", "true or false"),
        (with("metadata", json!({ "flow": "No Flow" })), "metadata", "flow"),
        (with("metadata", json!({ "flow": 7 })), "metadata", "as a text"),
        (with("model", Value::Null), "model", "Name a team"),
        (json!({ "model": "sample" }), "messages", "must be a list"),
        (json!([]), "messages", "must be a JSON object"),
        (asked(json!([])), "messages", "must be a list"),
        (asked(json!([{ "role": "user", "content": " " }])), "messages", "The last message"),
        (asked(json!([{ "role": "assistant", "content": "x" }])), "messages", "The last message"),
        (asked(json!([{ "role": "narrator", "content": "x" }])), "messages", "must have the role"),
        (asked(json!([{ "role": "tool", "content": "x" }, go[0]])), "messages", "no results"),
        (asked(json!([{ "role": "user", "content": image }])), "messages", "no images"),
        (asked(json!([{ "role": "user", "content": 7 }])), "messages", "must be a text"),
    ] {
        let (status, error) = refusal(&request);
        assert_eq!(
            (status, &error["type"], &error["param"]),
            (400, &json!("invalid_request_error"), &json!(param))
        );
        assert!(error["message"].as_str().unwrap().contains(why), "{error}");
    }
    let many: Vec<Value> = (0..258).map(|_| go[0].clone()).collect();
    assert_eq!(refusal(&asked(json!(many))).1["code"], "context_length_exceeded");
}

proptest! {
    #[test]
    fn no_body_breaks_the_reader(body in proptest::collection::vec(any::<u8>(), 0..200), text in ".*") {
        let _ = Question::read(&body);
        let _ = read(&asked(json!([{ "role": text, "content": [text, { "type": text }] }])));
    }
}

/// What is told of a run whose log has these events after its start.
fn told(bodies: Vec<Body>) -> Vec<Result<Option<Told>, Error>> {
    let mut answering = Answering::default();
    let event = |(seq, body)| Event {
        run: RUN.parse().unwrap(),
        seq,
        at: Timestamp(0),
        node: Some("lead".parse().unwrap()),
        body,
    };
    (1..).zip(bodies).map(event).map(|event| answering.apply(&event)).collect()
}

fn turn(messages: Value) -> Body {
    Body::Produced(TeamTurn { messages: serde_json::from_value(messages).unwrap() }.product().unwrap())
}

fn came(stopped_by: &str, turns: u32) -> Body {
    let message = |source: &str, content: &str| TeamMessage {
        source: source.to_owned(),
        kind: "TextMessage".to_owned(),
        content: content.to_owned(),
    };
    let result = TeamResult {
        team: "Writers".to_owned(),
        stop_reason: "So.".to_owned(),
        stopped_by: stopped_by.to_owned(),
        messages: vec![message("user", "Write."), message("writer", "A letter.")],
        turns,
        tokens_in: 1,
        tokens_out: 1,
    };
    Body::Produced(result.product().unwrap())
}

fn ended(status: RunStatus, error: Option<&str>) -> Body {
    let totals = Totals { tokens_in: 12, tokens_out: 30, ..Totals::default() };
    Body::RunFinished(RunFinished { status, error: error.map(str::to_owned), stopped: None, totals })
}

fn message(kind: &str, source: &str, content: &str) -> Value {
    json!({ "type": kind, "source": source, "content": content })
}

#[test]
fn what_agents_say_is_told_on_the_way_and_the_last_message_is_the_answer() {
    let told = told(vec![
        turn(json!([message("TextMessage", "user", "Write.")])),
        turn(json!([
            message("ThoughtEvent", "writer", "Hm."),
            message("TextMessage", "writer", "A letter.")
        ])),
        turn(json!([message("SelectSpeakerEvent", "lead", "x")])),
        came("TextMentionTermination", 1),
        ended(RunStatus::Succeeded, None),
    ]);
    let told: Vec<_> = told.into_iter().map(|told| told.unwrap()).collect();
    let [None, Some(Told::OnTheWay(said)), None, None, Some(Told::Answered(answer))] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert_eq!(said, "**writer**: A letter.\n\n");
    assert_eq!((answer.content.as_str(), answer.finish), ("A letter.", Finish::Stop));
}

#[test]
fn an_answer_that_only_limits_ended_says_so_and_one_of_nobody_is_empty() {
    let answer = |stopped_by: &str, turns| {
        let told = told(vec![came(stopped_by, turns), ended(RunStatus::Succeeded, None)]);
        match told.into_iter().next_back().unwrap().unwrap().unwrap() {
            Told::Answered(answer) => answer,
            Told::OnTheWay(said) => panic!("{said}"),
        }
    };
    assert_eq!(answer("MaxMessageTermination", 1).finish, Finish::Length);
    assert_eq!(answer("TokenUsageTermination, MaxMessageTermination", 1).finish, Finish::Length);
    assert_eq!(answer("MaxMessageTermination, TextMentionTermination", 1).finish, Finish::Stop);
    assert_eq!(answer("TextMentionTermination", 0).content, "", "what was said is the task");
}

#[test]
fn a_run_without_an_answer_is_an_error_that_says_which_and_why() {
    for (status, http, code) in
        [(RunStatus::Failed, 500, "run_failed"), (RunStatus::Cancelled, 409, "run_stopped")]
    {
        let error = told(vec![ended(status, Some("The model is away."))]).remove(0).unwrap_err();
        assert_eq!((error.status, error.is_of_a_run()), (http, true));
        let error = &error.body()["error"];
        assert_eq!(error["code"], code);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(RUN) && message.contains("The model is away."), "{message}");
    }
}

#[test]
fn answers_have_the_form_of_openai() {
    let heading = |with_usage| Heading {
        run: RUN.parse().unwrap(),
        model: "sample".to_owned(),
        at: Timestamp(1_656_547_261_900),
        with_usage,
    };
    let used = Totals { tokens_in: 12, tokens_out: 30, ..Totals::default() };
    let answer = Answer { content: "A letter.".to_owned(), finish: Finish::Stop, used };
    let usage = json!({ "prompt_tokens": 12, "completion_tokens": 30, "total_tokens": 42 });
    assert_eq!(
        heading(false).whole(&answer),
        json!({
            "id": format!("chatcmpl-{RUN}"), "object": "chat.completion", "created": 1_656_547_261, "model": "sample",
            "choices": [{ "index": 0, "logprobs": null, "finish_reason": "stop",
                "message": { "role": "assistant", "content": "A letter.", "refusal": null } }],
            "usage": usage,
        })
    );
    let chunk = |delta: Value, finish: Value| {
        json!({
            "id": format!("chatcmpl-{RUN}"), "object": "chat.completion.chunk", "created": 1_656_547_261,
            "model": "sample",
            "choices": [{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }],
        })
    };
    assert_eq!(heading(false).first(), chunk(json!({ "role": "assistant", "content": "" }), Value::Null));
    assert_eq!(heading(false).on_the_way("so"), chunk(json!({ "reasoning_content": "so" }), Value::Null));
    assert_eq!(
        heading(false).last(&answer),
        [chunk(json!({ "content": "A letter." }), Value::Null), chunk(json!({}), json!("stop"))]
    );
    let with_usage = heading(true).last(&answer);
    assert_eq!((with_usage.len(), &with_usage[1]["usage"]), (3, &Value::Null));
    assert_eq!((&with_usage[2]["choices"], &with_usage[2]["usage"]), (&json!([]), &usage));
}
