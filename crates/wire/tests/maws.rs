//! What MAWS's clients see of a session, and what they say.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use protocol::{resolver::*, *};
use serde_json::{Value, json};
use wire::maws::{ClientMessage, Frame, Message, Position, Stream};

const RUN: &str = "0197a1b2-0000-7000-8000-000000000000";
const EARLIER: &str = "0197a1b2-0000-7000-8000-00000000000a";

fn run() -> RunId {
    RUN.parse().unwrap()
}

fn task() -> TaskRequest {
    TaskRequest::Task { request: "Compare them.".to_owned(), context: String::new() }
}

/// The messages of a log, as JSON without what is the same in all of them.
fn told(log: Vec<(Option<&str>, Body)>) -> Vec<Value> {
    let mut stream = Stream::default();
    let mut messages = Vec::new();
    for ((node, body), seq) in log.into_iter().zip(1..) {
        let node = node.map(|node| node.parse().unwrap());
        let event = Event { run: run(), seq, at: Timestamp(1000 * seq as i64), node, body };
        for (frame, part) in stream.apply(&event).iter().zip(1..) {
            let mut message: Value = serde_json::from_str(&frame.encode()).unwrap();
            let fields = message.as_object_mut().unwrap();
            assert_eq!(fields.remove("run").unwrap(), RUN);
            assert_eq!(fields.remove("position").unwrap(), format!("{RUN}:{seq}.{part}"));
            messages.push(message);
        }
    }
    messages
}

fn started(request: TaskRequest) -> (Option<&'static str>, Body) {
    let heading = request.heading();
    let request = RunRequest::new(request.workflow().unwrap(), "talk".parse().unwrap());
    (None, Body::RunStarted(RunStarted::new(request, heading)))
}

fn node(id: &str, label: &str, phase: &str) -> (Option<&'static str>, Body) {
    let plan = NodeAdded {
        id: id.parse().unwrap(),
        label: label.to_owned(),
        role: String::new(),
        kind: NodeKind::Agent,
        phase: phase.to_owned(),
        scope: None,
        owner: None,
        tier: None,
        planned_visits: 1,
    };
    (None, Body::NodeAdded(plan))
}

fn begins(phase: &str) -> Body {
    Body::NodeStarted(NodeStarted { visit: 1, phase: phase.to_owned() })
}

fn ends(status: NodeStatus, reason: Option<&str>) -> Body {
    Body::NodeFinished(NodeFinished {
        visit: 1,
        status,
        reason: reason.map(str::to_owned),
        degraded: None,
        duration_ms: 7,
        patch: Patch::new(),
        appended: Default::default(),
        next: Vec::new(),
        complete: true,
        anew: false,
    })
}

fn finished(status: RunStatus, error: Option<&str>) -> (Option<&'static str>, Body) {
    let error = error.map(str::to_owned);
    (None, Body::RunFinished(RunFinished { status, error, stopped: None, totals: Totals::default() }))
}

fn stream(agent: &str, node: &str, label: &str, event: Value) -> Value {
    let mut message = json!({ "type": "AGENT STREAM", "agent": agent, "node": node, "label": label });
    message.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
    message
}

#[test]
fn a_task_is_told_from_its_request_to_its_report() {
    let step = Step {
        id: "a".to_owned(),
        node: "step_1".parse().unwrap(),
        title: "Apple".to_owned(),
        instruction: "Look.".to_owned(),
        depends_on: Vec::new(),
    };
    let result = StepResult {
        step: "a".to_owned(),
        title: "Apple".to_owned(),
        end: StepEnd::Failed { reason: "No prices.".to_owned() },
    };
    let not_done = NotDone { title: "Apple".to_owned(), reason: "No prices.".to_owned() };
    let report = TaskReport {
        run: run(),
        request: "Compare them.".to_owned(),
        markdown: "It is so.".to_owned(),
        done: 0,
        not_done: vec![not_done],
        refines: None,
    };
    let call: CallId = "step_1:1:1".parse().unwrap();
    let invoked = ToolInvoked {
        call: call.clone(),
        tool: "get_stock_prices".to_owned(),
        arguments: "{}".into(),
        asked: None,
    };
    let returned = ToolReturned {
        call,
        status: ToolStatus::Error,
        result: "There are none.".into(),
        vendor: None,
        latency_ms: 1,
    };
    let messages = told(vec![
        started(task()),
        node("planner", "Planner", "Plan"),
        node("report", "Report", "Report"),
        (Some("planner"), begins("Plan")),
        (Some("planner"), Body::Produced(TaskPlan { steps: vec![step] }.product().unwrap())),
        node("step_1", "Apple", "Steps"),
        (Some("planner"), ends(NodeStatus::Succeeded, None)),
        (Some("step_1"), begins("Steps")),
        (Some("step_1"), Body::ToolInvoked(invoked.clone())),
        // Taken up after a crash: what was begun is begun again.
        (Some("step_1"), begins("Steps")),
        (Some("step_1"), Body::ToolInvoked(invoked)),
        (Some("step_1"), Body::ToolReturned(returned)),
        (Some("step_1"), Body::Produced(result.product().unwrap())),
        (Some("step_1"), ends(NodeStatus::Failed, Some("No prices."))),
        (Some("report"), begins("Report")),
        (Some("report"), Body::Produced(report.product().unwrap())),
        (Some("report"), ends(NodeStatus::Succeeded, None)),
        finished(RunStatus::Succeeded, None),
    ]);
    let planner = |event| stream("planner", "planner", "Planner", event);
    let executor = |event| stream("executor", "step_1", "Apple", event);
    let aggregator = |event| stream("aggregator", "report", "Report", event);
    let state = |state| json!({ "type": "STATE", "state": state });
    let planned =
        json!({ "id": "a", "node": "step_1", "title": "Apple", "instruction": "Look.", "depends_on": [] });
    let gap = json!({ "title": "Apple", "reason": "No prices." });
    let expected = [
        json!({ "type": "MESSAGE", "as": "task", "text": "Compare them.", "at": 1000 }),
        state("planning"),
        planner(json!({ "event": "started" })),
        planner(json!({ "event": "plan", "steps": [planned] })),
        planner(json!({ "event": "finished", "duration_ms": 7 })),
        state("EXECUTING"),
        executor(json!({ "event": "started" })),
        executor(
            json!({ "event": "tool", "call": "step_1:1:1", "tool": "get_stock_prices", "arguments": "{}" }),
        ),
        executor(
            json!({ "event": "tool_result", "call": "step_1:1:1", "status": "error", "result": "There are none." }),
        ),
        executor(json!({ "event": "not_done", "step": "a", "reason": "No prices." })),
        executor(json!({ "event": "failed", "reason": "No prices." })),
        state("aggregating"),
        aggregator(json!({ "event": "started" })),
        aggregator(json!({ "event": "report", "text": "It is so.", "done": 0, "not_done": [gap] })),
        aggregator(json!({ "event": "finished", "duration_ms": 7 })),
        state("REFINEMENT_READY"),
    ];
    assert_eq!(messages, expected);
}

#[test]
fn a_refinement_aggregates_and_what_fails_ends_with_an_error() {
    let of: RunId = EARLIER.parse().unwrap();
    let request = TaskRequest::Refinement { of, instruction: "Shorter.".to_owned(), task: Some(of) };
    let messages = told(vec![started(request), finished(RunStatus::Failed, Some("The limit is reached."))]);
    let expected = [
        json!({ "type": "MESSAGE", "as": "refinement", "of": EARLIER, "text": "Shorter.", "at": 1000 }),
        json!({ "type": "STATE", "state": "aggregating" }),
        json!({ "type": "ERROR", "message": "The limit is reached." }),
        json!({ "type": "STATE", "state": "error" }),
    ];
    assert_eq!(messages, expected);
}

#[test]
fn a_question_is_answered_in_pieces_and_then_whole_or_with_the_reason() {
    let asked = ChatAsked { chat: 1, question: "How far?".into(), by: AccountId::local() };
    let answered = |answer: &str, error: Option<&str>| {
        Body::ChatAnswered(ChatAnswered {
            chat: 1,
            model: "m".to_owned(),
            answer: answer.into(),
            usage: Usage::default(),
            cost: None,
            latency_ms: 1,
            attempts: Vec::new(),
            error: error.map(str::to_owned),
        })
    };
    let messages = told(vec![
        (None, Body::ChatAsked(asked)),
        (None, answered("Half.", None)),
        (None, answered("", Some("No model answers."))),
    ]);
    let answer =
        |text: &str| json!({ "type": "CHAT_RESPONSE", "question": 1, "from": 0, "text": text, "done": true });
    let mut none = answer("");
    none["error"] = json!("No model answers.");
    let said = json!({ "type": "MESSAGE", "as": "question", "question": 1, "text": "How far?", "at": 1000 });
    assert_eq!(messages, [said, answer("Half."), none]);

    let delta = |call: &str| Control::Delta { call: call.parse().unwrap(), from: 2, text: "lf".to_owned() };
    let stream = Stream::default();
    let piece = stream.in_flight(run(), &delta("chat:0:1")).unwrap();
    let expected = Message::ChatResponse {
        run: run(),
        question: 1,
        from: 2,
        text: "lf".to_owned(),
        done: false,
        error: None,
    };
    assert_eq!(piece, Frame { message: expected, position: None });
    assert_eq!(stream.in_flight(run(), &delta("step_9:1:1")), None, "of a node that nobody has heard of");
}

#[test]
fn words_are_words_and_two_objects_say_more() {
    let words = |text: &str| ClientMessage::Words(text.to_owned());
    for text in ["What is the current status?", "{\"type\":\"ping\"}", "[1]", "{", "", "{\"type\":7}"] {
        assert_eq!(ClientMessage::read(text).unwrap(), words(text));
    }
    let task = r#"{"type":"TASK","text":"Go.","model":{"type":"rehearsal","characters_per_second":0}}"#;
    let model = Some(ModelChoice::Rehearsal { characters_per_second: Some(0) });
    let expected = ClientMessage::Task { request: "Go.".to_owned(), context: String::new(), model };
    assert_eq!(ClientMessage::read(task).unwrap(), expected);
    let refine = format!(r#"{{"type":"REFINE","text":"Shorter.","of":"{EARLIER}"}}"#);
    let of = Some(EARLIER.parse().unwrap());
    let expected = ClientMessage::Refinement { instruction: "Shorter.".to_owned(), of };
    assert_eq!(ClientMessage::read(&refine).unwrap(), expected);
    for wrong in [
        r#"{"type":"TASK"}"#,
        r#"{"type":"TASK","text":7}"#,
        r#"{"type":"REFINE","text":"a","of":"b"}"#,
        r#"{"type":"TASK","text":"a","owner":"eve"}"#,
    ] {
        assert!(ClientMessage::read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_position_is_read_as_it_was_written_and_nothing_else_is_one() {
    let position = Position { run: run(), seq: 12, part: 2 };
    assert_eq!(position.to_string().parse(), Ok(position));
    for wrong in
        ["", ":", "1", RUN, &format!("{RUN}:1"), &format!("{RUN}:-1.1"), &format!("{RUN}:1.1.1"), "a:1.1"]
    {
        assert!(wrong.parse::<Position>().is_err(), "{wrong}");
    }
}
