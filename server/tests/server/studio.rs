//! AutoGen Studio's clients against the real program.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Fault, Home, PASSWORD, Provider, Server, Socket, Visitor, asking as asking_provider};

/// A server with two accounts, and what programs of theirs see of it.
async fn anna_and_bert() -> (Server, Visitor, Visitor) {
    let home = Home::bare(&[]);
    for name in ["anna", "bert"] {
        home.add_account(name, "owner").await;
    }
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    (server, anna, bert)
}

fn says(name: &str, answers: Value) -> Value {
    json!({
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_type": "agent",
        "config": { "name": name, "description": name, "system_message": "Work.", "model_client": {
            "provider": "autogen_ext.models.replay.ReplayChatCompletionClient",
            "config": { "chat_completions": answers },
        } },
    })
}

fn person() -> Value {
    json!({ "provider": "autogen_agentchat.agents.UserProxyAgent", "config": { "name": "person" } })
}

fn team(participants: &[Value], condition: &Value) -> Value {
    json!({
        "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
        "component_type": "team",
        "label": "Writers",
        "config": { "participants": participants, "termination_condition": condition },
    })
}

fn until(class: &str, config: Value) -> Value {
    json!({ "provider": format!("autogen_agentchat.conditions.{class}"), "config": config })
}

fn writers() -> Value {
    let done = until("TextMentionTermination", json!({ "text": "DONE" }));
    team(&[says("writer", json!(["one", "two"])), says("critic", json!(["more", "DONE"]))], &done)
}

/// A team that waits for a person.
fn asking() -> Value {
    let done = until("TextMentionTermination", json!({ "text": "DONE" }));
    team(&[says("writer", json!(["one", "two"])), person()], &done)
}

async fn session(visitor: &Visitor) -> u64 {
    let made = visitor.post("/api/sessions/", json!({ "name": "s1", "user_id": "somebody" })).await;
    made["data"]["id"].as_u64().unwrap()
}

async fn new_run(visitor: &Visitor, session: u64) -> u64 {
    let made = visitor.post("/api/runs/", json!({ "session_id": session, "user_id": "somebody" })).await;
    assert_eq!(made["status"], true);
    made["data"]["run_id"].as_u64().unwrap()
}

/// A client of a run, connected as the original's are.
struct Client(Socket);

impl Client {
    async fn of(visitor: &Visitor, run: u64) -> Self {
        Self::after(visitor, run, 0).await
    }

    async fn after(visitor: &Visitor, run: u64, after: u64) -> Self {
        let path = format!("/api/ws/runs/{run}?token=null&after={after}");
        let mut client = Self(visitor.socket(&path).await.unwrap());
        let first = client.next().await;
        assert_eq!((&first["type"], &first["status"]), (&json!("system"), &json!("connected")));
        client
    }

    async fn say(&mut self, message: &Value) {
        self.0.send(Message::Text(message.to_string().into())).await.unwrap();
    }

    async fn start(&mut self, team: &Value) {
        self.say(&json!({ "type": "start", "task": "Write.", "files": null, "team_config": team })).await;
    }

    async fn next(&mut self) -> Value {
        loop {
            match self.0.next().await.expect("the connection stands").unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    /// All frames up to one of this type.
    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            frames.push(self.next().await);
            if frames.last().unwrap()["type"] == kind {
                return frames;
            }
        }
    }
}

/// The ids of runs, in their order.
fn ids(runs: &Value) -> Vec<&str> {
    runs.as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect()
}

/// The names of an object's fields, in order.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// What was said, as `source: content`.
fn said<'v>(messages: impl IntoIterator<Item = &'v Value>) -> Vec<String> {
    let texts = messages.into_iter().filter(|message| message["content"].is_string());
    texts
        .map(|one| format!("{}: {}", one["source"].as_str().unwrap(), one["content"].as_str().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_run_is_started_over_the_socket_and_kept_as_it_was_sent() {
    let (_server, anna, _) = anna_and_bert().await;
    let (session, words) = (
        session(&anna).await,
        ["user: Write.", "writer: one", "critic: more", "writer: two", "critic: DONE"],
    );
    let run = new_run(&anna, session).await;
    let created = anna.get(&format!("/api/runs/{run}")).await["data"].clone();
    assert_eq!(
        (&created["status"], &created["task"], &created["team_result"]),
        (&json!("created"), &json!({}), &json!({}))
    );
    assert_eq!(
        (&created["id"], &created["session_id"], &created["user_id"]),
        (&json!(run), &json!(session), &json!("anna"))
    );

    let mut client = Client::of(&anna, run).await;
    client.start(&writers()).await;
    let frames = client.until("result").await;
    let (end, messages) = frames.split_last().unwrap();
    assert!(messages.iter().all(|frame| frame["type"] == "message"), "{messages:?}");
    assert_eq!(said(messages.iter().map(|frame| &frame["data"])), words);
    assert_eq!(said(end["data"]["task_result"]["messages"].as_array().unwrap()), words);
    assert_eq!(end["data"]["task_result"]["stop_reason"], "Text 'DONE' mentioned");

    let kept = anna.get(&format!("/api/runs/{run}")).await["data"].clone();
    assert_eq!((&kept["status"], &kept["team_result"]), (&json!("complete"), &end["data"]));
    assert_eq!(said(kept["task"]["content"].as_array().unwrap()), words[..1]);
    let rows = anna.get(&format!("/api/runs/{run}/messages")).await["data"].clone();
    let configs: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["config"]).collect();
    assert_eq!(configs, messages.iter().map(|frame| &frame["data"]).collect::<Vec<_>>());
    let history = anna.get(&format!("/api/sessions/{session}/runs?user_id=x")).await["data"]["runs"].clone();
    let [only] = history.as_array().unwrap().as_slice() else { panic!("{history}") };
    assert_eq!((&only["id"], &only["messages"]), (&json!(run.to_string()), &rows));

    // The connection still stands, and a run begins once.
    client.say(&json!({ "type": "ping" })).await;
    assert_eq!(client.next().await["type"], "pong");
    client.start(&writers()).await;
    let refused = client.next().await;
    assert!(refused["error"].as_str().unwrap().contains("has begun already"), "{refused}");
}

#[tokio::test]
async fn a_run_goes_on_without_its_connection_and_who_returns_is_sent_what_was_missed() {
    let (_server, anna, _) = anna_and_bert().await;
    let run = new_run(&anna, session(&anna).await).await;
    let mut first = Client::of(&anna, run).await;
    // Somebody watches from before it begins.
    let mut second = Client::of(&anna, run).await;
    first.start(&asking()).await;
    let before = first.until("input_request").await;
    assert_eq!(second.until("input_request").await, before, "both see the same");
    assert_eq!(before.last().unwrap()["agent"], "person");
    drop(first);
    drop(second);

    let mut third = Client::of(&anna, run).await;
    assert_eq!(third.until("input_request").await, before, "all of it was kept");
    let seen = before.iter().rev().nth(1).unwrap()["seq"].as_u64().unwrap();
    let mut fourth = Client::after(&anna, run, seen).await;
    assert_eq!(fourth.until("input_request").await, before[before.len() - 1..], "only what follows");
    fourth.say(&json!({ "type": "input_response", "response": "DONE" })).await;
    let end = fourth.until("result").await;
    assert_eq!(end.last().unwrap()["data"]["task_result"]["stop_reason"], "Text 'DONE' mentioned");
    assert_eq!(third.until("result").await, end, "who only watches sees the end as well");
    let mut late = Client::of(&anna, run).await;
    assert_eq!(late.until("result").await.last(), end.last(), "also after the end");
}

#[tokio::test]
async fn an_answer_needs_a_question_and_a_stop_keeps_its_reason() {
    let (_server, anna, _) = anna_and_bert().await;
    let run = new_run(&anna, session(&anna).await).await;
    let mut client = Client::of(&anna, run).await;
    client.say(&json!({ "type": "input_response", "response": "early" })).await;
    assert_eq!(client.next().await["error"], "Nobody is asked");
    client.start(&asking()).await;
    let asked = client.until("input_request").await.pop().unwrap();
    client.say(&json!({ "type": "input_response", "response": 3 })).await;
    assert_eq!(client.next().await["error"], "Invalid input response");
    client.say(&json!({ "type": "input_response", "response": "More.", "input": asked["input"] })).await;
    let frames = client.until("input_request").await;
    let told: Vec<&Value> = frames.iter().map(|frame| &frame["data"]).collect();
    assert!(said(told).contains(&"person: More.".to_owned()), "{frames:?}");
    client.say(&json!({ "type": "stop", "reason": "Enough for today" })).await;
    let end = client.until("completion").await.pop().unwrap();
    assert_eq!(
        (&end["status"], &end["data"]["task_result"]["stop_reason"]),
        (&json!("cancelled"), &json!("Enough for today"))
    );
    drop(client);
    let kept = anna.get(&format!("/api/runs/{run}")).await["data"].clone();
    assert_eq!((&kept["status"], &kept["team_result"]), (&json!("stopped"), &end["data"]));
}

#[tokio::test]
async fn nobody_else_sees_stops_or_starts_a_run_whatever_user_they_name() {
    let (server, anna, bert) = anna_and_bert().await;
    let session = session(&anna).await;
    let (run, waiting) = (new_run(&anna, session).await, new_run(&anna, session).await);
    let mut client = Client::of(&anna, run).await;
    client.start(&asking()).await;
    client.until("input_request").await;
    for (number, visitor) in [(run, &bert), (waiting, &bert), (run, &server.nobody())] {
        let refused = visitor.socket(&format!("/api/ws/runs/{number}?token=null")).await;
        assert!(matches!(refused, Err(401 | 404)), "{refused:?}");
    }
    assert!(matches!(anna.socket("/api/ws/runs/999999").await, Err(404)));
    let team = anna.post("/api/teams/", json!({ "component": writers(), "user_id": "bert" })).await;
    let team = team["data"]["id"].as_u64().unwrap();
    for path in [
        format!("/api/runs/{run}?user_id=anna"),
        format!("/api/runs/{run}/messages?user_id=anna"),
        format!("/api/runs/{waiting}?user_id=anna"),
        format!("/api/sessions/{session}?user_id=anna"),
        format!("/api/sessions/{session}/runs?user_id=anna"),
        format!("/api/teams/{team}?user_id=anna"),
        // A number of something else stands for nothing here.
        format!("/api/gallery/{team}?user_id=anna"),
    ] {
        let (status, answer) = bert.answer("GET", &path, None).await;
        assert!(status == 404 && answer.contains("not found"), "{path}: {status} {answer}");
    }
    let own = bert.get("/api/sessions/?user_id=anna").await;
    assert_eq!(own, json!({ "status": true, "data": [] }));
    for (method, path, body) in [
        ("POST", format!("/api/runs/{run}/stop"), json!({ "reason": "mine" })),
        ("POST", "/api/runs/".to_owned(), json!({ "session_id": session, "user_id": "anna" })),
        ("DELETE", format!("/api/sessions/{session}?user_id=anna"), json!({})),
        ("DELETE", format!("/api/teams/{team}?user_id=anna"), json!({})),
    ] {
        let (status, answer) = bert.answer(method, &path, Some(&body)).await;
        assert_eq!(status, 404, "{method} {path}: {answer}");
    }
    client.say(&json!({ "type": "input_response", "response": "DONE" })).await;
    client.until("result").await;
}

#[tokio::test]
async fn a_team_goes_on_after_an_earlier_run_of_its_owner() {
    let (_server, anna, bert) = anna_and_bert().await;
    let session = session(&anna).await;
    let done = until("TextMentionTermination", json!({ "text": "DONE" }));
    let writer = team(&[says("writer", json!(["one DONE", "two DONE", "three DONE"]))], &done);
    let first = new_run(&anna, session).await;
    let mut client = Client::of(&anna, first).await;
    client.start(&writer).await;
    client.until("result").await;

    // The team need not be sent again. What was said before is known and not sent once more.
    let second = new_run(&anna, session).await;
    let mut client = Client::of(&anna, second).await;
    let other = team(&[says("other", json!(["DONE"]))], &done);
    let going_on = |after: &Value, team: &Value| json!({ "type": "start", "task": "More.", "after": after, "team_config": team });
    for (after, team, why) in [
        (json!("one"), &Value::Null, "number of an earlier run"),
        (json!(999_999), &Value::Null, "no run 999999"),
        (json!(second), &Value::Null, "has not begun"),
        (json!(first), &other, "was of another team"),
    ] {
        client.say(&going_on(&after, team)).await;
        let refused = client.next().await;
        assert_eq!(refused["type"], "error", "{refused}");
        let told = format!("{} {}", refused["error"], refused["details"]);
        assert!(refused.to_string().contains(why), "{why}: {told} {refused}");
    }
    client.say(&going_on(&json!(first), &Value::Null)).await;
    let frames = client.until("result").await;
    let messages = |frames: &[Value]| {
        let told: Vec<Value> = frames
            .iter()
            .filter(|frame| frame["type"] == "message")
            .map(|frame| frame["data"].clone())
            .collect();
        said(&told)
    };
    assert_eq!(messages(&frames), ["user: More.", "writer: two DONE"]);
    let third = new_run(&anna, session).await;
    let mut client = Client::of(&anna, third).await;
    client.say(&going_on(&json!(second), &writer)).await;
    assert_eq!(messages(&client.until("result").await), ["user: More.", "writer: three DONE"]);

    // To somebody else the run is like one that does not exist.
    let own = new_run(&bert, self::session(&bert).await).await;
    let mut stranger = Client::of(&bert, own).await;
    stranger.say(&going_on(&json!(first), &Value::Null)).await;
    let refused = stranger.next().await.to_string();
    stranger.say(&going_on(&json!(999_999), &Value::Null)).await;
    let missing = stranger.next().await.to_string();
    assert!(refused.contains(&format!("There is no run {first} to go on after")), "{refused}");
    assert!(missing.contains("There is no run 999999 to go on after"), "{missing}");
}

#[tokio::test]
async fn numbers_and_runs_stay_the_same_over_a_restart() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let server = home.start().await;
    let anna = server.program_of("anna").await;
    let session = session(&anna).await;
    let (run, waiting) = (new_run(&anna, session).await, new_run(&anna, session).await);
    let mut client = Client::of(&anna, run).await;
    client.start(&asking()).await;
    let before = client.until("input_request").await;
    server.terminate().await;

    let server = home.start().await;
    let anna = anna.at(&server);
    let mut client = Client::of(&anna, run).await;
    assert_eq!(client.until("input_request").await, before);
    client.say(&json!({ "type": "input_response", "response": "DONE" })).await;
    client.until("result").await;
    assert_eq!(anna.get(&format!("/api/runs/{waiting}")).await["data"]["session_id"], session);
    let mut other = Client::of(&anna, waiting).await;
    other.start(&writers()).await;
    other.until("result").await;
    let history = anna.get(&format!("/api/sessions/{session}/runs")).await["data"]["runs"].clone();
    assert_eq!(ids(&history), [run.to_string(), waiting.to_string()]);
}

#[tokio::test]
async fn what_cannot_be_taken_is_answered_and_ends_no_connection() {
    let (_server, anna, _) = anna_and_bert().await;
    let run = new_run(&anna, session(&anna).await).await;
    let mut client = Client::of(&anna, run).await;
    for (sent, error) in [
        ("nonsense", "Invalid message format"),
        ("[1]", "Invalid message format"),
        ("{\"type\":\"dance\"}", "Unknown message type"),
        ("{\"type\":\"start\",\"task\":\"\"}", "Invalid start message format"),
    ] {
        client.0.send(Message::Text(sent.into())).await.unwrap();
        assert_eq!(client.next().await["error"], error);
    }
    client.say(&json!({ "type": "stop" })).await;
    assert_eq!(client.next().await["type"], "error", "nothing runs that could be stopped");
    let python = json!({ "provider": "os.system", "config": { "command": "touch /tmp/x" } });
    client.start(&python).await;
    let refused = client.next().await;
    assert_eq!((&refused["type"], &refused["status"]), (&json!("completion"), &json!("error")));
    assert!(
        refused["data"]["task_result"]["messages"][0]["content"].as_str().unwrap().contains("no team"),
        "{refused}"
    );
    // Nothing began, so that it can begin with a team that is one.
    client.start(&writers()).await;
    client.until("result").await;
}

#[tokio::test]
async fn two_who_start_one_run_at_once_start_it_once() {
    let (_server, anna, _) = anna_and_bert().await;
    let session = session(&anna).await;
    let run = new_run(&anna, session).await;
    let (mut one, mut other) = (Client::of(&anna, run).await, Client::of(&anna, run).await);
    let team = writers();
    tokio::join!(one.start(&team), other.start(&team));
    for client in [&mut one, &mut other] {
        let frames = client.until("result").await;
        let messages: Vec<&Value> = frames.iter().filter(|frame| frame["type"] == "message").collect();
        assert_eq!(messages.len(), 5, "{frames:?}");
    }
    let history = anna.get(&format!("/api/sessions/{session}/runs")).await["data"]["runs"].clone();
    assert_eq!(history.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn runs_at_once_do_not_leak_into_each_other() {
    let (_server, anna, _) = anna_and_bert().await;
    let session = session(&anna).await;
    let done = until("MaxMessageTermination", json!({ "max_messages": 5 }));
    let mut clients = Vec::new();
    for number in 0..6 {
        let mut client = Client::of(&anna, new_run(&anna, session).await).await;
        let name = format!("writer_{number}");
        client.start(&team(&[says(&name, json!(["a", "b", "c", "d"]))], &done)).await;
        clients.push((name, client));
    }
    for (name, mut client) in clients {
        let frames = client.until("result").await;
        let told: Vec<&Value> =
            frames.iter().filter(|frame| frame["type"] == "message").map(|frame| &frame["data"]).collect();
        let expected: Vec<String> =
            ["a", "b", "c", "d"].iter().map(|word| format!("{name}: {word}")).collect();
        assert_eq!(said(told)[1..], expected);
    }
}

#[tokio::test]
async fn sessions_and_teams_are_made_changed_and_deleted_and_no_key_is_kept() {
    let (_server, anna, _) = anna_and_bert().await;
    let first = anna.get("/api/teams/?user_id=x").await;
    assert_eq!(first["data"][0]["component"]["provider"], "autogen_agentchat.teams.RoundRobinGroupChat");
    let keyed = json!({
        "provider": "autogen_agentchat.agents.AssistantAgent", "component_type": "agent",
        "config": { "name": "a", "model_client": {
            "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
            "config": { "model": "gpt-4o", "api_key": "sk-verysecretverysecretverysecret" },
        } },
    });
    let done = until("MaxMessageTermination", json!({ "max_messages": 3 }));
    let made = anna.post("/api/teams/", json!({ "component": team(&[keyed], &done), "user_id": "x" })).await;
    assert!(!made.to_string().contains("verysecret"), "{made}");
    let id = made["data"]["id"].as_u64().unwrap();
    let saved = anna.post("/api/teams/", json!({ "id": id, "component": writers(), "user_id": "x" })).await;
    assert_eq!(saved["data"]["id"], id);
    let read = anna.get(&format!("/api/teams/{id}?user_id=x")).await;
    assert_eq!(read["data"]["component"]["config"]["participants"][1]["config"]["name"], "critic");
    let (status, why) =
        anna.answer("POST", "/api/teams/", Some(&json!({ "component": { "provider": "a.B" } }))).await;
    assert!(status == 422 && why.contains("no team"), "{status} {why}");

    let session = anna.post("/api/sessions/", json!({ "name": "s1", "team_id": id })).await["data"].clone();
    assert_eq!(
        (&session["name"], &session["team_id"], &session["version"]),
        (&json!("s1"), &json!(id), &json!("0.0.1"))
    );
    let path = format!("/api/sessions/{}?user_id=x", session["id"]);
    let (status, renamed) = anna.answer("PUT", &path, Some(&json!({ "name": "s2" }))).await;
    let renamed: Value = serde_json::from_str(&renamed).unwrap();
    assert_eq!(
        (status, &renamed["data"]["name"], &renamed["data"]["team_id"]),
        (200, &json!("s2"), &json!(id)),
        "the team stays"
    );
    let (_, unset) = anna.answer("PUT", &path, Some(&json!({ "team_id": null }))).await;
    let unset: Value = serde_json::from_str(&unset).unwrap();
    assert_eq!((&unset["data"]["name"], &unset["data"]["team_id"]), (&json!("s2"), &Value::Null));
    anna.answer("PUT", &path, Some(&json!({ "team_id": id }))).await;

    // A start with the session's team names its document; another one is kept beside it, once.
    let number = session["id"].as_u64().unwrap();
    for team in [read["data"]["component"].clone(), asking(), asking()] {
        let mut client = Client::of(&anna, new_run(&anna, number).await).await;
        client.start(&team).await;
        client.until("message").await;
        client.say(&json!({ "type": "stop" })).await;
    }
    assert_eq!(anna.get("/api/teams/").await["data"].as_array().unwrap().len(), 3);

    let (status, _) = anna.answer("DELETE", &format!("/api/teams/{id}?user_id=x"), None).await;
    assert_eq!(status, 200);
    assert_eq!(anna.get(&path).await["data"]["team_id"], Value::Null, "the session says that it has none");
    let (status, _) = anna.answer("DELETE", &path, None).await;
    assert_eq!((status, anna.answer("GET", &path, None).await.0), (200, 404));
}

#[tokio::test]
async fn galleries_and_settings_are_kept_without_secrets() {
    let (_server, anna, bert) = anna_and_bert().await;
    let first = anna.get("/api/gallery/?user_id=x").await["data"][0].clone();
    for part in ["agents", "models", "tools", "terminations", "teams", "workbenches"] {
        assert!(first["config"]["components"][part].is_array(), "{part}");
    }
    assert_eq!(keys(&first["config"]), ["components", "id", "metadata", "name", "url"]);
    assert_eq!(
        keys(&first["config"]["metadata"]),
        ["author", "category", "description", "homepage", "last_synced", "license", "tags", "version"]
    );
    let agents = first["config"]["components"]["agents"].as_array().unwrap();
    assert!(agents.len() > 1 && agents.iter().all(|agent| agent["label"].is_string()), "{agents:?}");
    let mut config = first["config"].clone();
    config["name"] = json!("Mine");
    config["components"]["models"] =
        json!([{ "provider": "m", "config": { "api_key": "sk-verysecretverysecretverysecret" } }]);
    let path = format!("/api/gallery/{}?user_id=x", first["id"]);
    let (status, saved) = anna.answer("PUT", &path, Some(&json!({ "config": config, "user_id": "x" }))).await;
    assert!(status == 200 && saved.contains("Mine") && !saved.contains("verysecret"), "{status} {saved}");
    assert_eq!(bert.answer("PUT", &path, Some(&json!({ "config": config }))).await.0, 404);
    let saved: Value = serde_json::from_str(&saved).unwrap();
    assert_eq!((&saved["status"], &saved["message"]), (&json!(true), &json!("Gallery updated successfully")));
    let second = anna.post("/api/gallery/", json!({ "config": first["config"] })).await;
    assert_eq!(
        (keys(&second), &second["message"]),
        (vec!["data", "message", "status"], &json!("Gallery created successfully"))
    );
    let second = format!("/api/gallery/{}", second["data"]["id"]);
    assert_eq!(anna.answer("DELETE", &second, None).await.0, 200);
    assert_eq!(anna.answer("GET", &second, None).await.0, 404);

    let settings = anna.get("/api/settings/?user_id=x").await["data"].clone();
    assert_eq!(
        settings["config"]["ui"],
        json!({ "show_llm_call_events": false, "expanded_messages_by_default": true,
            "show_agent_flow_by_default": true, "human_input_timeout_minutes": 3 })
    );
    assert_eq!(settings["config"]["environment"], json!([]));
    assert_eq!(settings["config"]["default_model_client"]["component_type"], "model");
    let mut row = settings.clone();
    row["config"]["ui"]["human_input_timeout_minutes"] = json!(30);
    row["config"]["environment"] =
        json!([{ "name": "KEY", "value": "verysecret", "type": "secret", "required": false }]);
    let (status, saved) = anna.answer("PUT", "/api/settings/", Some(&row)).await;
    assert!(status == 200 && saved.contains("not kept") && !saved.contains("verysecret"), "{status} {saved}");
    let kept = anna.get("/api/settings/").await["data"].clone();
    assert_eq!(
        (&kept["id"], &kept["config"]["ui"]["human_input_timeout_minutes"]),
        (&settings["id"], &json!(30))
    );
}

#[tokio::test]
async fn a_component_is_looked_at_and_never_run() {
    let (_server, anna, _) = anna_and_bert().await;
    let validate =
        async |component: Value| anna.post("/api/validate/", json!({ "component": component })).await;
    let mut whole = writers();
    whole["version"] = json!(1);
    let found = validate(whole).await;
    assert_eq!((&found["is_valid"], &found["errors"]), (&json!(true), &json!([])), "{found}");
    assert_eq!(keys(&found), ["errors", "is_valid", "warnings"]);
    let found = validate(writers()).await;
    let version = found["warnings"].as_array().unwrap().iter().find(|found| found["field"] == "version");
    assert_eq!(keys(version.unwrap()), ["error", "field", "suggestion"]);
    let found = validate(json!({ "provider": "os.system", "config": {} })).await;
    assert_eq!(found["is_valid"], false, "{found}");
    assert_eq!(keys(&found["errors"][0]), ["error", "field", "suggestion"]);
    let tool = json!({
        "provider": "autogen_core.tools.FunctionTool", "component_type": "tool",
        "config": { "name": "f", "description": "f", "source_code": "open('/tmp/pitwall-was-here','w')\ndef f(): pass", "global_imports": [] },
    });
    validate(tool.clone()).await;
    let tested = anna.post("/api/validate/test", json!({ "component": tool })).await;
    assert!(tested["message"].as_str().unwrap().contains("Only models are asked"), "{tested}");
    assert!(!std::path::Path::new("/tmp/pitwall-was-here").exists());
}

#[tokio::test]
async fn a_model_or_an_agent_that_is_tested_is_really_asked() {
    let (provider, url) = Provider::start(std::time::Duration::ZERO).await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let model = json!({ "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient", "component_type": "model",
        "config": { "model": "gpt-4o" } });
    for (url, answers) in [(url, true), (format!("http://{nobody}/v1/"), false)] {
        let home = Home::bare(&asking_provider(url));
        home.add_account("anna", "owner").await;
        let server = home.start_kept().await;
        let anna = server.program_of("anna").await;
        let asked = || provider.asked().values().sum::<u32>();
        let before = asked();
        for component in [model.clone(), says("writer", json!(["unasked"]))] {
            let tested = anna.post("/api/validate/test", json!({ "component": component })).await;
            assert_eq!(keys(&tested), ["data", "logs", "message", "status"]);
            assert_eq!(tested["status"], answers, "{tested}");
        }
        assert_eq!(asked() - before, if answers { 2 } else { 0 });
        let broken = json!({ "component": { "provider": "os.system", "config": {} } });
        let tested = anna.post("/api/validate/test", broken).await;
        assert_eq!(
            (&tested["status"], &tested["message"]),
            (&json!(false), &json!("Component validation failed"))
        );
        assert_eq!(asked() - before, if answers { 2 } else { 0 }, "nobody is asked for what cannot be read");
    }
}

#[tokio::test]
async fn the_server_says_what_clients_ask_first() {
    let (server, anna, _) = anna_and_bert().await;
    assert_eq!(
        anna.get("/api/version").await,
        json!({ "status": true, "message": "Version retrieved successfully", "data": { "version": "0.4.2.2" } })
    );
    assert_eq!(anna.get("/api/health").await, json!({ "status": true, "message": "Service is healthy" }));
    assert_eq!(anna.get("/api/auth/type").await, json!({ "type": "none", "exclude_paths": [] }));
    assert_eq!(
        anna.get("/api/auth/me").await,
        json!({ "id": "anna", "name": "anna", "email": null, "provider": "none", "roles": ["user"] })
    );
    assert_eq!(server.nobody().answer("GET", "/api/sessions/?user_id=anna", None).await.0, 401);
}

#[tokio::test]
async fn what_the_original_has_and_is_not_here_is_nowhere_and_starts_nothing() {
    let (_server, anna, _) = anna_and_bert().await;
    let was_here = std::env::temp_dir().join("pitwall-started-a-program");
    let program =
        json!({ "server_params": { "type": "StdioServerParams", "command": "touch", "args": [was_here] } });
    for (method, path, body) in [
        ("GET", "/api/auth/login-url", None),
        ("GET", "/api/auth/callback?code=x&state=y", None),
        ("POST", "/api/auth/callback-handler", Some(json!({ "code": "x", "state": "y" }))),
        ("POST", "/api/mcp/ws/connect", Some(program)),
        ("GET", "/api/mcp/ws/status/0198", None),
        ("GET", "/api/docs", None),
        ("GET", "/api/predict/write", None),
        ("GET", "/docs", None),
        ("GET", "/files/a.txt", None),
        ("GET", "/predict/write", None),
        ("GET", "/lite", None),
    ] {
        let (status, answer) = anna.answer(method, path, body.as_ref()).await;
        assert!(matches!(status, 404 | 405), "{method} {path}: {status} {answer}");
    }
    assert_eq!(anna.socket("/api/mcp/ws/0198?token=null").await.err(), Some(404));
    assert!(!was_here.exists());
}

#[tokio::test]
async fn a_stop_over_rest_tells_everybody_its_reason() {
    let (_server, anna, _) = anna_and_bert().await;
    let session = session(&anna).await;
    for (body, reason) in [
        (json!({ "reason": "Enough for today" }), "Enough for today"),
        (json!({}), "User requested stop/cancellation"),
    ] {
        let run = new_run(&anna, session).await;
        let stop = format!("/api/runs/{run}/stop");
        let (status, answer) = anna.answer("POST", &stop, Some(&body)).await;
        assert_eq!(status, 409, "it has not begun: {answer}");
        let mut client = Client::of(&anna, run).await;
        client.start(&asking()).await;
        client.until("input_request").await;
        let answer = anna.post(&stop, body).await;
        assert_eq!(answer, json!({ "status": true, "message": "Run stopped successfully" }));
        let end = client.until("completion").await.pop().unwrap();
        assert_eq!(
            (&end["status"], &end["data"]["task_result"]["stop_reason"]),
            (&json!("cancelled"), &json!(reason))
        );
    }
}

#[tokio::test]
async fn a_team_with_a_condition_for_it_is_told_to_end_and_stopped_at_once_when_asked_again() {
    let (_server, anna, _) = anna_and_bert().await;
    let session = session(&anna).await;
    let external = until("ExternalTermination", json!({}));
    let waiting = async || {
        let run = new_run(&anna, session).await;
        let mut client = Client::of(&anna, run).await;
        client.start(&team(&[says("writer", json!(["one", "two"])), person()], &external)).await;
        client.until("input_request").await;
        (run, client)
    };
    let (run, mut client) = waiting().await;
    anna.post(&format!("/api/runs/{run}/stop"), json!({})).await;
    client.say(&json!({ "type": "input_response", "response": "My last word." })).await;
    let end = client.until("result").await.pop().unwrap();
    let result = &end["data"]["task_result"];
    assert_eq!(result["stop_reason"], "External termination requested");
    assert_eq!(said(result["messages"].as_array().unwrap()).last().unwrap(), "person: My last word.");

    let (_, mut client) = waiting().await;
    for reason in ["After this turn", "Now"] {
        client.say(&json!({ "type": "stop", "reason": reason })).await;
    }
    let end = client.until("completion").await.pop().unwrap();
    assert_eq!(
        (&end["status"], &end["data"]["task_result"]["stop_reason"]),
        (&json!("cancelled"), &json!("Now"))
    );
}

#[tokio::test]
async fn an_error_in_an_agent_ends_the_run_and_keeps_what_was_said() {
    let (_server, anna, _) = anna_and_bert().await;
    let run = new_run(&anna, session(&anna).await).await;
    let mut client = Client::of(&anna, run).await;
    client
        .start(&team_of("RoundRobinGroupChat", &[says("a", json!(["one"]))], json!({ "max_turns": 2 })))
        .await;
    let end = client.until("completion").await.pop().unwrap();
    assert_eq!(
        (&end["status"], &end["data"]["task_result"]["stop_reason"]),
        (&json!("error"), &json!("An error occurred while processing this run"))
    );
    let why = end["data"]["task_result"]["messages"][0]["content"].as_str().unwrap();
    assert!(why.ends_with("one more was asked for."), "{why}");
    for inside in ["/home", "/srv", "/root", "Traceback", ".rs"] {
        assert!(!end.to_string().contains(inside), "{inside} in {end}");
    }
    let kept = anna.get(&format!("/api/runs/{run}")).await["data"].clone();
    assert_eq!((&kept["status"], &kept["error_message"]), (&json!("error"), &json!(why)));
    let rows = anna.get(&format!("/api/runs/{run}/messages")).await["data"].clone();
    assert_eq!(said(rows.as_array().unwrap().iter().map(|row| &row["config"])), ["user: Write.", "a: one"]);
    client.say(&json!({ "type": "ping" })).await;
    assert_eq!(client.next().await["type"], "pong");
}

#[tokio::test]
async fn thoughts_and_choices_of_speakers_are_told_and_kept() {
    let (_server, anna, _) = anna_and_bert().await;
    let run = new_run(&anna, session(&anna).await).await;
    let mut client = Client::of(&anna, run).await;
    let thinking = says("writer", json!([{ "content": "x", "thought": "hm" }]));
    let fields = json!({ "max_turns": 1, "emit_team_events": true });
    client.start(&team_of("RoundRobinGroupChat", &[thinking], fields)).await;
    let mut frames = client.until("result").await;
    let end = frames.pop().unwrap();
    let told: Vec<Value> = frames
        .iter()
        .map(|frame| json!([frame["data"]["type"], frame["data"]["source"], frame["data"]["content"]]))
        .collect();
    assert_eq!(
        told,
        [
            json!(["TextMessage", "user", "Write."]),
            json!(["SelectSpeakerEvent", "RoundRobinGroupChatManager", ["writer"]]),
            json!(["ThoughtEvent", "writer", "hm"]),
            json!(["TextMessage", "writer", "x"]),
        ]
    );
    // Every frame says whose it is, and the outcome is kept before it is told.
    drop(client);
    let kept = anna.get(&format!("/api/runs/{run}")).await["data"].clone();
    assert_eq!((&kept["status"], &kept["team_result"]), (&json!("complete"), &end["data"]));
    for frame in frames.iter().chain([&end]) {
        let name = format!("{}:{}", frame["run"].as_str().unwrap(), frame["seq"]);
        assert_eq!(frame["event"], json!(name));
        assert!(frame["timestamp"].as_str().unwrap().ends_with("+00:00"), "{frame}");
    }
    assert!(frames.windows(2).all(|two| two[0]["seq"].as_u64() <= two[1]["seq"].as_u64()));
    let rows = anna.get(&format!("/api/runs/{run}/messages")).await["data"].clone();
    let kept: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["config"]).collect();
    assert_eq!(kept, frames.iter().map(|frame| &frame["data"]).collect::<Vec<_>>());
}

#[tokio::test]
async fn sessions_are_rows_of_the_original_and_their_runs_stand_in_the_order_in_which_they_were_made() {
    let (_server, anna, bert) = anna_and_bert().await;
    let (first, second) = (session(&anna).await, session(&anna).await);
    let listed = anna.get("/api/sessions/?user_id=x").await;
    let rows = listed["data"].as_array().unwrap();
    let numbers: Vec<&Value> = rows.iter().map(|row| &row["id"]).collect();
    assert_eq!(numbers, [&json!(second), &json!(first)], "the newest first");
    assert_eq!(keys(&rows[0]), ["created_at", "id", "name", "team_id", "updated_at", "user_id", "version"]);
    assert_eq!((&rows[0]["user_id"], &rows[0]["version"]), (&json!("anna"), &json!("0.0.1")));

    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(new_run(&anna, first).await);
    }
    for begins in [runs[2], runs[0]] {
        let mut client = Client::of(&anna, begins).await;
        client.start(&writers()).await;
        client.until("result").await;
    }
    let history = anna.get(&format!("/api/sessions/{first}/runs?user_id=x")).await["data"]["runs"].clone();
    assert_eq!(ids(&history), runs.iter().map(u64::to_string).collect::<Vec<_>>());
    let statuses: Vec<&Value> = history.as_array().unwrap().iter().map(|run| &run["status"]).collect();
    assert_eq!(statuses, ["complete", "created", "complete"]);
    assert_eq!((&history[1]["task"], &history[1]["messages"]), (&json!({}), &json!([])));

    let body = |(status, text): (u16, String)| (status, serde_json::from_str::<Value>(&text).unwrap());
    let path = format!("/api/sessions/{second}?user_id=x");
    let (_, changed) = body(anna.answer("PUT", &path, Some(&json!({ "name": "s9" }))).await);
    assert_eq!(
        (&changed["status"], &changed["message"]),
        (&json!(true), &json!("Session updated successfully"))
    );
    let made = anna.post("/api/sessions/", json!({ "name": "s3" })).await;
    assert_eq!((&made["status"], &made["message"]), (&json!(true), &json!("Session created successfully")));
    let gone = json!({ "status": true, "message": "Session deleted successfully" });
    assert_eq!(body(anna.answer("DELETE", &path, None).await), (200, gone));
    for (path, why) in [
        (path.as_str(), "Session not found"),
        ("/api/sessions/999999/runs", "Session not found"),
        ("/api/runs/999999", "Run not found"),
        ("/api/runs/999999/messages", "Run not found"),
        ("/api/teams/999999", "Team not found"),
        ("/api/gallery/999999", "Gallery entry not found"),
    ] {
        assert_eq!(body(anna.answer("GET", path, None).await), (404, json!({ "detail": why })), "{path}");
    }
    let (status, _) = anna.answer("POST", "/api/runs/", Some(&json!({ "user_id": "anna" }))).await;
    assert_eq!(status, 422, "a run belongs to a session");

    // A team is saved, and chosen for a session, by its owner alone.
    let team = anna.post("/api/teams/", json!({ "component": writers() })).await["data"].clone();
    for (path, theirs) in [
        ("/api/teams/", json!({ "id": team["id"], "user_id": "anna", "component": asking() })),
        ("/api/sessions/", json!({ "name": "mine", "user_id": "anna", "team_id": team["id"] })),
    ] {
        let refused = body(bert.answer("POST", path, Some(&theirs)).await);
        assert_eq!(refused, (404, json!({ "detail": "Team not found" })), "{path}");
    }
    let kept = anna.get(&format!("/api/teams/{}", team["id"])).await["data"].clone();
    assert_eq!(kept, team, "hers is as it was");
}

/// A team of this class, with these fields beside its participants.
fn team_of(class: &str, participants: &[Value], fields: Value) -> Value {
    let mut config = json!({ "participants": participants });
    config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    json!({ "provider": format!("autogen_agentchat.teams.{class}"), "component_type": "team", "config": config })
}

fn replay(answers: Value) -> Value {
    json!({
        "provider": "autogen_ext.models.replay.ReplayChatCompletionClient",
        "config": { "chat_completions": answers },
    })
}

/// A model's answer that calls this.
fn calling(name: &str, arguments: &str) -> Value {
    json!({ "content": [{ "id": "c1", "name": name, "arguments": arguments }] })
}

fn with(mut agent: Value, fields: Value) -> Value {
    agent["config"].as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    agent
}

#[tokio::test]
async fn every_kind_of_team_says_the_same_over_the_socket_in_the_order_of_the_original() {
    let (_server, anna, _) = anna_and_bert().await;
    let session = session(&anna).await;
    let or = |conditions: Value| json!({ "provider": "autogen_agentchat.base.OrTerminationCondition", "config": { "conditions": conditions } });
    let and = |conditions: Value| json!({ "provider": "autogen_agentchat.base.AndTerminationCondition", "config": { "conditions": conditions } });
    let approve = || until("TextMentionTermination", json!({ "text": "APPROVE" }));
    let tokens = json!({ "max_total_token": 4, "max_prompt_token": null, "max_completion_token": null });
    let nested = and(json!([
        or(json!([
            or(json!([approve(), until("MaxMessageTermination", json!({ "max_messages": 12 }))])),
            until("TimeoutTermination", json!({ "timeout_seconds": 120.0 })),
        ])),
        until("TokenUsageTermination", tokens),
    ]));
    let tool = json!({
        "provider": "autogen_core.tools.FunctionTool", "component_type": "tool",
        "config": { "name": "add", "description": "adds", "source_code": "def add(a: int, b: int) -> int: return a + b\n", "global_imports": [] },
    });
    let edge = |target: &str| json!({ "target": target, "condition": null });
    let node = |name: &str, edges: Value| json!({ "name": name, "edges": edges, "activation": "all" });
    let graph = json!({ "nodes": { "plan": node("plan", json!([edge("sum")])), "sum": node("sum", json!([])) }, "default_start_node": null });
    let handing =
        |name: &str, target: &str, answers: Value| with(says(name, answers), json!({ "handoffs": [target] }));
    let cases = [
        (
            team_of(
                "RoundRobinGroupChat",
                &[says("writer", json!(["a draft"])), person()],
                json!({ "termination_condition": nested, "max_turns": 20 }),
            ),
            vec!["user: Write.", "writer: a draft", "person: APPROVE"],
            "TextMessage TextMessage UserInputRequestedEvent TextMessage",
            // In the order in which they came true. The prompt is counted in words: the instruction's and the task's.
            "Token usage limit reached, total token count: 4, prompt token count: 2, completion token count: 2., Text 'APPROVE' mentioned",
        ),
        (
            team_of(
                "SelectorGroupChat",
                &[says("ann", json!(["a1"])), says("bob", json!(["b1"]))],
                json!({
                    "model_client": replay(json!(["bob", "ann"])), "selector_prompt": "{roles} {participants} {history}",
                    "allow_repeated_speaker": true, "termination_condition": until("MaxMessageTermination", json!({ "max_messages": 3 })),
                }),
            ),
            vec!["user: Write.", "bob: b1", "ann: a1"],
            "TextMessage TextMessage TextMessage",
            "Maximum number of messages 3 reached, current message count: 3",
        ),
        (
            team_of(
                "Swarm",
                &[
                    handing("desk", "clerk", json!([calling("transfer_to_clerk", "{}")])),
                    handing("clerk", "user", json!([calling("transfer_to_user", "{}")])),
                ],
                json!({ "termination_condition": until("HandoffTermination", json!({ "target": "user" })) }),
            ),
            vec![
                "user: Write.",
                "desk: Transferred to clerk, adopting the role of clerk immediately.",
                "clerk: Transferred to user, adopting the role of user immediately.",
            ],
            "TextMessage ToolCallRequestEvent ToolCallExecutionEvent HandoffMessage ToolCallRequestEvent ToolCallExecutionEvent HandoffMessage",
            "Handoff to user from clerk detected.",
        ),
        (
            team_of(
                "GraphFlow",
                &[says("plan", json!(["planned"])), says("sum", json!(["done"]))],
                json!({ "graph": graph }),
            ),
            vec!["user: Write.", "plan: planned", "sum: done"],
            "TextMessage TextMessage TextMessage",
            "Digraph execution is complete",
        ),
        (
            // Python is never run: the call is answered with an error, and the summary says it.
            team_of(
                "RoundRobinGroupChat",
                &[with(
                    says("writer", json!([calling("add", "{\"a\":1,\"b\":2}")])),
                    json!({ "tools": [tool] }),
                )],
                json!({ "max_turns": 1 }),
            ),
            vec!["user: Write."],
            "TextMessage ToolCallRequestEvent ToolCallExecutionEvent ToolCallSummaryMessage",
            "Maximum number of turns 1 reached.",
        ),
    ];
    for (team, words, kinds, reason) in cases {
        let mut client = Client::of(&anna, new_run(&anna, session).await).await;
        client.start(&team).await;
        let mut messages = Vec::new();
        let end = loop {
            let frame = client.next().await;
            match frame["type"].as_str().unwrap() {
                "message" => messages.push(frame["data"].clone()),
                "input_request" => {
                    client.say(&json!({ "type": "input_response", "response": "APPROVE" })).await;
                }
                _ => break frame,
            }
        };
        assert_eq!(end["type"], "result", "{end}");
        let told: Vec<&str> = messages.iter().map(|message| message["type"].as_str().unwrap()).collect();
        assert_eq!(told.join(" "), kinds);
        let texts = said(messages.iter().filter(|message| message["content"].is_string()));
        assert_eq!(texts[..words.len()], words);
        let stopped = end["data"]["task_result"]["stop_reason"].as_str().unwrap();
        assert!(stopped.starts_with(reason), "{stopped}");
        assert_eq!(
            end["data"]["task_result"]["messages"],
            json!(messages),
            "the result has each of them once"
        );
    }
}

#[tokio::test]
async fn the_pieces_of_a_text_are_the_message_that_names_them() {
    let (_server, anna, _) = anna_and_bert().await;
    let sample = anna.get("/api/teams/").await["data"][0]["component"].clone();
    let mut client = Client::of(&anna, new_run(&anna, session(&anna).await).await).await;
    client.start(&sample).await;
    let (mut pieces, mut named) = (String::new(), Vec::new());
    let message = loop {
        let frame = client.next().await;
        match frame["type"].as_str().unwrap() {
            "message_chunk" => {
                pieces.push_str(frame["data"]["content"].as_str().unwrap());
                named.push(frame["data"]["full_message_id"].clone());
            }
            "message" if frame["data"]["source"] != "user" => break frame["data"].clone(),
            _ => {}
        }
    };
    assert!(!pieces.is_empty(), "text came before its message");
    assert!(message["content"].as_str().unwrap().starts_with(&pieces), "{pieces} / {message}");
    assert!(named.iter().all(|id| *id == message["id"]), "{named:?} / {message}");
    client.say(&json!({ "type": "stop" })).await;
    client.until("completion").await;
}

#[tokio::test]
async fn what_was_written_of_a_text_that_a_stop_cut_off_is_kept_and_told_to_whoever_comes_late() {
    let (provider, base_url) = Provider::start(std::time::Duration::ZERO).await;
    provider.misbehave([Fault::Stall(2)]);
    let home = Home::bare(&asking_provider(base_url));
    home.add_account("anna", "owner").await;
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    let sample = anna.get("/api/teams/").await["data"][0]["component"].clone();
    let run = new_run(&anna, session(&anna).await).await;
    let mut client = Client::of(&anna, run).await;
    client.start(&sample).await;
    client.until("message_chunk").await;
    client.say(&json!({ "type": "stop", "reason": "Enough." })).await;
    client.until("completion").await;

    let rows = anna.get(&format!("/api/runs/{run}/messages")).await["data"].clone();
    let cut_off = rows.as_array().unwrap().last().unwrap()["config"].clone();
    assert_eq!(cut_off["type"], "ModelClientStreamingChunkEvent");
    assert_eq!(cut_off["source"], "first_writer");
    let text = cut_off["content"].as_str().unwrap();
    assert!(text.starts_with("Remark ") && text.len() == 80, "two pieces were written: {text}");
    let late = Client::of(&anna, run).await.until("completion").await;
    let pieces: Vec<_> = late.iter().filter(|frame| frame["type"] == "message_chunk").collect();
    assert_eq!(pieces.len(), 1, "{late:?}");
    assert_eq!(pieces[0]["data"], cut_off);

    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let run = pieces[0]["run"].as_str().unwrap();
    for path in [
        format!("/runs/{run}?view=transcript"),
        format!("/runs/{run}?node=1_first_writer"),
        format!("/api/v1/runs/{run}/export.html"),
    ] {
        let (_, page) = browser.answer("GET", &path, None).await;
        assert!(page.contains("Cut off.") && page.contains(text), "{path} shows what was written");
    }
}
