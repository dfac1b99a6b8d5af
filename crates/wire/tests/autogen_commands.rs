//! What AutoGen Studio's clients send.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use protocol::Timestamp;
use serde_json::{Value, json};
use wire::autogen::{AttachedText, Command, InvalidCommand, StartedTeam, UNEXPLAINED_STOP};

fn read(message: &Value) -> Result<Command, InvalidCommand> {
    Command::read(&message.to_string())
}

#[test]
fn a_start_has_a_task_files_and_the_team() {
    let team = json!({ "provider": "autogen_agentchat.teams.Swarm", "config": {} });
    let file =
        |name: &str, kind: &str, content: &str| json!({ "name": name, "type": kind, "content": content });
    let files = json!([file("a.txt", "text/plain", "aGVsbG8="), file("b.json", "application/json", "e30=")]);
    let message = json!({ "type": "start", "task": "Write.", "files": files, "team_config": team });
    let Ok(Command::Start(start)) = read(&message) else { panic!("{:?}", read(&message)) };
    let Value::Object(component) = team.clone() else { panic!("no object") };
    assert_eq!((start.task.as_str(), start.team), ("Write.", StartedTeam::New(component.clone())));
    let text = |name: &str, text: &str| AttachedText { name: name.to_owned(), text: text.to_owned() };
    assert_eq!(start.files, [text("a.txt", "hello"), text("b.json", "{}")]);
    let with = |task: Value, files: Value, team: Value| {
        read(&json!({ "type": "start", "task": task, "files": files, "team_config": team }))
    };
    assert!(matches!(with(json!("Write."), Value::Null, team.clone()), Ok(Command::Start(_))));
    assert!(matches!(with(json!(""), files, team.clone()), Ok(Command::Start(_))), "files alone are a task");
    for (task, files, team) in [
        (json!(" "), json!([]), team.clone()),
        (json!("Write."), Value::Null, Value::Null),
        (json!("Write."), Value::Null, json!({})),
        (json!("Write."), Value::Null, json!("/etc/passwd")),
        (json!(["Write."]), Value::Null, team.clone()),
        (json!("Write."), json!("a.txt"), team.clone()),
    ] {
        assert_eq!(with(task, files, team), Err(InvalidCommand::IncompleteStart));
    }
    let image = json!([file("a.png", "image/png", "aGVsbG8=")]);
    assert_eq!(with(json!("Look."), image, team.clone()), Err(InvalidCommand::NotAText("a.png".to_owned())));
    for content in ["%%%", "/w=="] {
        let broken = json!([file("a.txt", "text/plain", content)]);
        assert!(matches!(with(json!("Look."), broken, team.clone()), Err(InvalidCommand::NotAText(_))));
    }
    let many = Value::Array(vec![file("a.txt", "text/plain", "aGVsbG8="); 17]);
    assert_eq!(with(json!("Look."), many, team.clone()), Err(InvalidCommand::TooManyFiles));

    // The team of an earlier run goes on; the client may send it once more.
    let after = |run: Value, team: Value| {
        read(&json!({ "type": "start", "task": "More.", "after": run, "team_config": team }))
    };
    for (sent, component) in [(Value::Null, None), (team.clone(), Some(component))] {
        let Ok(Command::Start(start)) = after(json!(7), sent) else { panic!("it can be taken") };
        assert_eq!(start.team, StartedTeam::After { run: 7, component });
    }
    for odd in [json!("7"), json!(-7), json!([7])] {
        assert_eq!(after(odd, team.clone()), Err(InvalidCommand::AfterNoRun));
    }
    assert!(matches!(after(Value::Null, team), Ok(Command::Start(_))), "nothing is named");
}

#[test]
fn a_stop_has_a_reason_and_an_answer_may_name_its_question() {
    assert_eq!(
        read(&json!({ "type": "stop", "reason": "Enough.", "code": 4000 })),
        Ok(Command::Stop("Enough.".into()))
    );
    for silent in [json!({ "type": "stop" }), json!({ "type": "stop", "reason": " " })] {
        assert_eq!(read(&silent), Ok(Command::Stop(UNEXPLAINED_STOP.into())));
    }
    assert_eq!(read(&json!({ "type": "ping" })), Ok(Command::Ping));
    let answer =
        |input: Value| read(&json!({ "type": "input_response", "response": "Yes.", "input": input }));
    assert_eq!(answer(Value::Null), Ok(Command::Answer { response: "Yes.".into(), input: None }));
    let named = Command::Answer { response: "Yes.".into(), input: Some("2_person:1:1".parse().unwrap()) };
    assert_eq!(answer(json!("2_person:1:1")), Ok(named));
    assert_eq!(answer(json!("../etc")), Err(InvalidCommand::UnknownInput));
    for response in [Value::Null, json!(3), json!({ "text": "Yes." })] {
        let given = json!({ "type": "input_response", "response": response });
        assert_eq!(read(&given), Err(InvalidCommand::AnswerIsNoText));
    }
}

#[test]
fn what_cannot_be_read_is_answered_in_the_words_of_the_original() {
    for (message, error) in [
        ("nonsense", "Invalid message format"),
        ("[1]", "Invalid message format"),
        ("3", "Invalid message format"),
        ("{\"type\":\"start\"}", "Invalid start message format"),
        ("{\"type\":\"dance\"}", "Unknown message type"),
        ("{}", "Unknown message type"),
    ] {
        let run = "0197a1b2-0000-7000-8000-000000000000".parse().unwrap();
        let frame = Command::read(message).unwrap_err().frame(Timestamp(0)).encode(run);
        let frame: Value = serde_json::from_str(&frame).unwrap();
        assert_eq!((&frame["type"], &frame["error"]), (&json!("error"), &json!(error)), "{message}");
        assert!(frame["detail"].as_str().unwrap().ends_with('.'), "{frame}");
    }
}

proptest! {
    #[test]
    fn no_message_breaks_the_reader(message in ".*", kind in "start|stop|ping|input_response", field in ".*") {
        let _ = Command::read(&message);
        let _ = read(&json!({ "type": kind, "task": field, "files": [field], "response": field, "team_config": [field] }));
    }
}
