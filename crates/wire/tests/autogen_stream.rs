//! What AutoGen Studio's clients see of a run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use protocol::{
    team::{TeamResult, TeamTurn},
    *,
};
use serde_json::{Value, json};
use wire::autogen::{Frame, RunRow, Stream, messages};

const RUN: &str = "0197a1b2-0000-7000-8000-000000000000";
/// 2022-06-30 00:01:01 UTC.
const START: i64 = 1_656_547_261_000;

/// The log of a run of a team, with one event a second, and what a client is sent of it.
struct Log {
    summary: RunSummary,
    stream: Stream,
    seq: u64,
}

impl Log {
    fn new() -> Self {
        let workflow = Workflow::bare("team".parse().unwrap());
        let request = RunRequest::new(workflow, "1a2b3c4d".parse().unwrap());
        let heading = Heading::new("Writers");
        let summary =
            RunSummary::new(RUN.parse().unwrap(), request.clone(), heading.clone(), Timestamp(START));
        let mut log = Self { summary, stream: Stream::default(), seq: 0 };
        assert_eq!(log.add(None, Body::RunStarted(RunStarted::new(request, heading))), Vec::<Value>::new());
        log.node("lead", "manager");
        log.node("1_writer", "assistant");
        log
    }

    /// Adds an event and gives the frames that it becomes.
    fn add(&mut self, node: Option<&str>, body: Body) -> Vec<Value> {
        self.seq += 1;
        let at = Timestamp(START + 1000 * (self.seq as i64 - 1));
        let node = node.map(|node| node.parse().unwrap());
        let event = Event { run: RUN.parse().unwrap(), seq: self.seq, at, node, body };
        self.summary.apply(&event);
        let frames = self.stream.apply(&event);
        frames
            .iter()
            .map(|frame| serde_json::from_str(&frame.encode(RUN.parse().unwrap())).unwrap())
            .collect()
    }

    fn node(&mut self, id: &str, role: &str) {
        let plan = NodeAdded {
            id: id.parse().unwrap(),
            label: id.trim_start_matches("1_").to_owned(),
            role: role.to_owned(),
            kind: NodeKind::Agent,
            phase: "Team".to_owned(),
            scope: None,
            owner: None,
            tier: None,
            planned_visits: 1,
        };
        assert_eq!(self.add(None, Body::NodeAdded(plan)), Vec::<Value>::new());
    }

    fn turn(&mut self, node: &str, messages: Value) -> Vec<Value> {
        let messages = serde_json::from_value(messages).unwrap();
        self.add(Some(node), Body::Produced(TeamTurn { messages }.product().unwrap()))
    }

    fn call(&mut self, node: &str, call: &str) {
        let started = CallStarted {
            call: call.parse().unwrap(),
            model: "m".to_owned(),
            tier: Tier::Mid,
            profile: None,
            prompt: Prompt::from_iter(["Write.".into()]),
            tools: Vec::new(),
            asked: None,
        };
        assert_eq!(self.add(Some(node), Body::CallStarted(started)), Vec::<Value>::new());
    }

    fn finish(&mut self, status: RunStatus, error: Option<&str>, stopped: Option<&str>) -> Value {
        let stopped =
            stopped.map(|reason| Stopped { by: AccountId::local(), reason: Some(reason.to_owned()) });
        let error = error.map(str::to_owned);
        let finished = RunFinished { status, error, stopped, totals: Totals::default() };
        let mut frames = self.add(None, Body::RunFinished(finished));
        assert_eq!(frames.len(), 1, "one frame ends a run: {frames:?}");
        frames.remove(0)
    }
}

fn task() -> Value {
    json!([{ "source": "user", "models_usage": null, "type": "TextMessage", "content": "Write." }])
}

fn answer() -> Value {
    let usage = json!({ "prompt_tokens": 1, "completion_tokens": 3 });
    json!({ "source": "writer", "models_usage": usage, "type": "TextMessage", "content": "alpha beta gamma" })
}

#[test]
fn a_run_that_ends_well_is_its_messages_and_then_a_result_with_all_of_them() {
    let mut log = Log::new();
    let asked = log.turn("lead", task());
    assert_eq!(
        asked,
        [json!({ "type": "message", "run": RUN, "seq": 4, "event": format!("{RUN}:4"),
            "timestamp": "2022-06-30T00:01:04.000+00:00", "data": {
            "id": format!("{RUN}:4.0"), "source": "user", "models_usage": null, "metadata": {},
            "created_at": "2022-06-30T00:01:04.000+00:00", "content": "Write.", "type": "TextMessage",
        } })]
    );
    let thought = json!({ "source": "writer", "type": "ThoughtEvent", "content": "Hm." });
    let said = log.turn("1_writer", json!([thought, answer()]));
    let kinds: Vec<_> = said.iter().map(|frame| frame["data"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ThoughtEvent", "TextMessage"], "every event is told");
    let came = TeamResult {
        team: "Writers".to_owned(),
        stop_reason: "Text 'DONE' mentioned".to_owned(),
        stopped_by: "TextMentionTermination".to_owned(),
        messages: Vec::new(),
        turns: 1,
        tokens_in: 1,
        tokens_out: 3,
    };
    log.add(Some("lead"), Body::Produced(came.product().unwrap()));
    let end = log.finish(RunStatus::Succeeded, None, None);
    let all: Vec<Value> = asked.iter().chain(&said).map(|frame| frame["data"].clone()).collect();
    assert_eq!(
        end,
        json!({ "type": "result", "status": "complete", "run": RUN, "seq": 7, "event": format!("{RUN}:7"),
            "timestamp": "2022-06-30T00:01:07.000+00:00", "data": {
            "task_result": { "messages": all, "stop_reason": "Text 'DONE' mentioned" },
            "usage": "1 prompt tokens, 3 completion tokens", "duration": 6.0,
        } })
    );
}

#[test]
fn pieces_of_a_text_name_the_message_that_they_become() {
    let mut log = Log::new();
    log.turn("lead", task());
    log.call("1_writer", "1_writer:1:1");
    let piece = |call: &str, from, text: &str| Control::Delta {
        call: call.parse().unwrap(),
        from,
        text: text.into(),
    };
    let told = log.stream.piece(&piece("1_writer:1:1", 0, "alpha "), Timestamp(START)).unwrap();
    let told: Value = serde_json::from_str(&told.encode(RUN.parse().unwrap())).unwrap();
    let whole = &log.turn("1_writer", json!([answer()]))[0]["data"];
    assert_eq!(told["data"]["full_message_id"], whole["id"]);
    assert_eq!(
        told,
        json!({ "type": "message_chunk", "run": RUN, "seq": 5, "timestamp": "2022-06-30T00:01:01.000+00:00", "data": {
            "id": format!("{RUN}:1_writer:1:1@0"), "source": "writer", "models_usage": null, "metadata": {},
            "created_at": "2022-06-30T00:01:01.000+00:00", "content": "alpha ",
            "full_message_id": format!("{RUN}:1_writer:1:1"), "type": "ModelClientStreamingChunkEvent",
        } })
    );
    let choice = piece("lead:1:1", 0, "writer");
    assert_eq!(log.stream.piece(&choice, Timestamp(START)), None, "who leads does not speak");
    assert_eq!(log.stream.piece(&piece("1_writer:1:1", 6, ""), Timestamp(START)), None);
}

#[test]
fn what_was_cut_off_is_kept_as_a_piece_and_a_client_is_sent_what_it_has_not_seen_of_it() {
    let ended = |call: &str| {
        let dropped = CallFinished::dropped(call.parse().unwrap(), "m".to_owned(), 5);
        Body::CallFinished(CallFinished { cut_off: "alpha beta".into(), ..dropped })
    };
    let mut log = Log::new();
    log.turn("lead", task());
    log.call("1_writer", "1_writer:1:1");
    let mut late = log.stream.clone();
    let piece = Control::Delta { call: "1_writer:1:1".parse().unwrap(), from: 0, text: "alpha ".into() };
    log.stream.piece(&piece, Timestamp(START)).unwrap();
    let [rest] = log.add(Some("1_writer"), ended("1_writer:1:1")).try_into().unwrap();
    let expected = |from: usize, text: &str| {
        json!({
            "id": format!("{RUN}:1_writer:1:1@{from}"), "source": "writer", "models_usage": null, "metadata": {},
            "created_at": "2022-06-30T00:01:06.000+00:00", "content": text,
            "full_message_id": format!("{RUN}:1_writer:1:1"), "type": "ModelClientStreamingChunkEvent",
        })
    };
    assert_eq!((&rest["type"], &rest["seq"]), (&json!("message_chunk"), &json!(6)));
    assert_eq!(rest["data"], expected(6, "beta"));
    let kept = serde_json::to_value(&log.stream.told().last().unwrap().message).unwrap();
    assert_eq!(kept, expected(0, "alpha beta"));

    let event = Event {
        run: RUN.parse().unwrap(),
        seq: 6,
        at: Timestamp(START + 5000),
        node: Some("1_writer".parse().unwrap()),
        body: ended("1_writer:1:1"),
    };
    let [whole] = late.apply(&event).try_into().unwrap();
    let whole: Value = serde_json::from_str(&whole.encode(RUN.parse().unwrap())).unwrap();
    assert_eq!(whole["data"], expected(0, "alpha beta"), "who comes late is sent all of it");
    assert_eq!(log.add(Some("lead"), ended("lead:1:1")), Vec::<Value>::new(), "who leads does not speak");
}

#[test]
fn a_question_says_who_asks_and_is_open_until_it_is_answered() {
    let mut log = Log::new();
    log.node("2_person", "person");
    let ask = |input: &str| {
        Body::InputRequested(InputRequest {
            input: input.parse().unwrap(),
            prompt: "Good?".to_owned(),
            reason: None,
            form: InputForm::Text,
            deadline: Some(Timestamp(START + 60_000)),
            default: None,
        })
    };
    let asked = log.add(Some("2_person"), ask("2_person:1:1"));
    assert_eq!(
        asked,
        [json!({ "type": "input_request", "prompt": "Good?", "run": RUN, "seq": 5,
            "event": format!("{RUN}:5"), "input": "2_person:1:1", "agent": "2_person",
            "data": { "source": "system", "content": "Good?" }, "deadline": "2022-06-30T00:02:01.000+00:00",
            "timestamp": "2022-06-30T00:01:05.000+00:00" })]
    );
    log.add(Some("2_person"), ask("2_person:2:1"));
    let (first, second): (CallId, CallId) =
        ("2_person:1:1".parse().unwrap(), "2_person:2:1".parse().unwrap());
    assert_eq!(log.stream.question(None), Some(&first));
    assert_eq!(log.stream.question(Some(&second)), Some(&second));
    let received = InputReceived { input: first.clone(), answer: Answer::Expired, by: None };
    log.add(Some("2_person"), Body::InputReceived(received));
    assert_eq!(log.stream.question(Some(&first)), None);
    assert_eq!(log.stream.question(None), Some(&second));
    log.finish(RunStatus::Cancelled, None, Some("Enough."));
    assert_eq!(log.stream.question(None), None, "nobody is asked any more");
}

#[test]
fn a_stop_keeps_its_reason_and_a_failure_says_why_without_what_stands_on_the_server() {
    let mut log = Log::new();
    log.turn("lead", task());
    let end = log.finish(RunStatus::Cancelled, None, Some("Cancelled by user"));
    assert_eq!((&end["type"], &end["status"]), (&json!("completion"), &json!("cancelled")));
    assert_eq!(
        (&end["run"], &end["seq"], &end["event"], &end["timestamp"]),
        (&json!(RUN), &json!(5), &json!(format!("{RUN}:5")), &json!("2022-06-30T00:01:05.000+00:00"))
    );
    assert_eq!(end["data"]["task_result"]["stop_reason"], "Cancelled by user");
    let [message] = end["data"]["task_result"]["messages"].as_array().unwrap().as_slice() else {
        panic!("{end}")
    };
    assert_eq!((&message["source"], &message["content"]), (&json!("user"), &json!("Cancelled by user")));
    let row = RunRow::begun(7, Some(3), &log.summary, &log.stream).with_messages(&log.stream);
    let row = serde_json::to_value(row).unwrap();
    assert_eq!((&row["status"], &row["error_message"]), (&json!("stopped"), &Value::Null));
    assert_eq!(row["team_result"], end["data"], "what is stored is what was sent");

    let mut log = Log::new();
    let end = log.finish(RunStatus::Failed, Some("The model is away."), None);
    assert_eq!((&end["type"], &end["status"]), (&json!("completion"), &json!("error")));
    assert_eq!(end["data"]["task_result"]["stop_reason"], "An error occurred while processing this run");
    let message = &end["data"]["task_result"]["messages"][0];
    assert_eq!((&message["source"], &message["content"]), (&json!("system"), &json!("The model is away.")));
    let row = serde_json::to_value(RunRow::begun(7, None, &log.summary, &log.stream)).unwrap();
    assert_eq!((&row["status"], &row["error_message"]), (&json!("error"), &json!("The model is away.")));
}

#[test]
fn rows_have_the_fields_of_the_original() {
    let mut log = Log::new();
    log.turn("lead", task());
    log.turn("1_writer", json!([answer()]));
    let row = serde_json::to_value(RunRow::begun(7, Some(3), &log.summary, &log.stream)).unwrap();
    let fields = [
        "id",
        "created_at",
        "updated_at",
        "user_id",
        "version",
        "session_id",
        "status",
        "task",
        "team_result",
        "error_message",
        "messages",
    ];
    let mut named: Vec<&String> = row.as_object().unwrap().keys().collect();
    named.sort();
    let mut expected = fields;
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!((&row["id"], &row["version"], &row["status"]), (&json!(7), &json!("0.0.1"), &json!("active")));
    assert_eq!(row["task"]["content"][0]["content"], "Write.");
    assert_eq!(row["task"]["message_type"], "text");
    assert_eq!(row["team_result"], json!({}));

    let told = serde_json::to_value(messages(7, Some(3), &log.stream)).unwrap();
    assert_eq!((&told[0]["id"], &told[1]["id"]), (&json!(1), &json!(2)));
    assert_eq!(told[1]["config"]["content"], "alpha beta gamma");
    assert_eq!((&told[1]["run_id"], &told[1]["session_id"]), (&json!(7), &json!(3)));
    assert_eq!((&told[1]["user_id"], &told[1]["message_meta"]), (&Value::Null, &json!({})));

    let created = serde_json::to_value(RunRow::created(8, Some(3), Timestamp(START), "anna")).unwrap();
    assert_eq!(
        (&created["status"], &created["task"], &created["team_result"]),
        (&json!("created"), &json!({}), &json!({}))
    );
}

#[test]
fn frames_of_the_connection_are_those_of_the_original() {
    let at = Timestamp(START);
    let encoded = |frame: Frame| serde_json::from_str::<Value>(&frame.encode(RUN.parse().unwrap())).unwrap();
    let time = "2022-06-30T00:01:01.000+00:00";
    assert_eq!(
        encoded(Frame::connected(at)),
        json!({ "type": "system", "status": "connected", "run": RUN, "timestamp": time })
    );
    assert_eq!(encoded(Frame::pong(at)), json!({ "type": "pong", "run": RUN, "timestamp": time }));
    let refused = encoded(Frame::not_begun("The team has no agents.", at));
    assert_eq!((&refused["type"], &refused["status"]), (&json!("completion"), &json!("error")));
    assert_eq!(
        (&refused["run"], &refused["timestamp"], refused.get("seq")),
        (&json!(RUN), &json!(time), None)
    );
    assert_eq!(refused["data"]["task_result"]["messages"][0]["content"], "The team has no agents.");
}
