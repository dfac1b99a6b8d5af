//! Clients of OpenAI's interface against the real program: a team is a model, and an answer is a run.

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use futures::StreamExt;
use protocol::{Body, Event};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Fault, Home, Provider, Server, Visitor, asking, two_accounts};

const COMPLETIONS: &str = "/v1/chat/completions";

/// An agent that gives these answers.
fn says(name: &str, answers: &[&str]) -> Value {
    json!({
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_type": "agent",
        "config": { "name": name, "description": name, "system_message": "Work.", "model_client": {
            "provider": "autogen_ext.models.replay.ReplayChatCompletionClient",
            "config": { "chat_completions": answers },
        } },
    })
}

/// An agent that the run's model answers for.
fn thinks(name: &str) -> Value {
    json!({
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_type": "agent",
        "config": { "name": name, "description": name, "system_message": "Work." },
    })
}

fn person() -> Value {
    json!({ "provider": "autogen_agentchat.agents.UserProxyAgent", "config": { "name": "person" } })
}

/// Keeps a team that ends once somebody says DONE, or after so many messages, and gives its id.
async fn keep(visitor: &Visitor, title: &str, participants: &[Value], most: u32) -> String {
    let until = |class: &str, config: Value| json!({ "provider": format!("autogen_agentchat.conditions.{class}"), "config": config });
    let ends = json!({ "provider": "autogen_agentchat.base.OrTerminationCondition", "config": { "conditions": [
        until("TextMentionTermination", json!({ "text": "DONE" })),
        until("MaxMessageTermination", json!({ "max_messages": most })),
    ] } });
    let team = json!({
        "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
        "component_type": "team",
        "label": title,
        "config": { "participants": participants, "termination_condition": ends },
    });
    let files = json!([{ "name": "team.json", "text": team.to_string() }]);
    let imported = visitor.post("/api/v1/teams/import", json!({ "files": files })).await;
    imported["teams"][0]["document"].as_str().unwrap().to_owned()
}

async fn writers(visitor: &Visitor) -> String {
    let participants =
        [says("writer", &["A draft.", "A letter."]), says("critic", &["Shorter.", "It is DONE."])];
    keep(visitor, "Writers", &participants, 20).await
}

fn question(model: &str, task: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": task }] })
}

/// The status of an answer, and its body.
async fn asked(visitor: &Visitor, body: &Value) -> (u16, Value) {
    let (status, text) = visitor.answer("POST", COMPLETIONS, Some(body)).await;
    (status, serde_json::from_str(&text).unwrap())
}

/// The data of all events of a stream, and the run that it names.
async fn streamed(visitor: &Visitor, mut body: Value) -> (String, Vec<String>) {
    body["stream"] = true.into();
    let answer = visitor.ask("POST", COMPLETIONS).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let run = answer.headers()["x-pitwall-run"].to_str().unwrap().to_owned();
    let text = answer.text().await.unwrap();
    (run, text.split("\n\n").filter_map(|event| event.strip_prefix("data: ")).map(str::to_owned).collect())
}

/// The only run that a visitor has.
async fn only_run(visitor: &Visitor) -> String {
    loop {
        let runs = visitor.get("/api/v1/runs").await["runs"].clone();
        if let [run] = runs.as_array().unwrap().as_slice() {
            return run["run"].as_str().unwrap().to_owned();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn events(visitor: &Visitor, run: &str) -> Vec<Event> {
    let events = visitor.get(&format!("/api/v1/runs/{run}/events?limit=1000")).await;
    serde_json::from_value(events).unwrap()
}

#[tokio::test]
async fn a_team_answers_a_question_as_a_model_does_and_the_run_is_one_like_any_other() {
    let (_server, anna, _) = two_accounts().await;
    let id = writers(&anna).await;
    let mut body = question("Writers", "Write.");
    body["metadata"] = json!({ "flow": "letters" });
    let answer = anna.ask("POST", COMPLETIONS).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let run = answer.headers()["x-pitwall-run"].to_str().unwrap().to_owned();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!(id)));
    assert_eq!(answer["id"], format!("chatcmpl-{run}"));
    assert_eq!(answer["choices"][0]["message"]["content"], "It is DONE.");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");

    let summary = anna.get(&format!("/api/v1/runs/{run}")).await["summary"].clone();
    assert_eq!((&summary["status"], &summary["request"]["flow"]), (&json!("succeeded"), &json!("letters")));
    let usage = &answer["usage"];
    assert_eq!(usage["prompt_tokens"], summary["totals"]["tokens_in"]);
    assert_eq!(usage["completion_tokens"], summary["totals"]["tokens_out"]);
    assert_eq!(only_run(&anna).await, run);

    keep(&anna, "Talkers", &[says("a", &["one", "two", "three"])], 3).await;
    let (_, cut) = asked(&anna, &question("Talkers", "Go.")).await;
    let choice = &cut["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&json!("two"), &json!("length")));
}

#[tokio::test]
async fn a_stream_tells_what_agents_say_apart_from_the_answer_which_is_the_same_as_the_whole_one() {
    let (_server, anna, _) = two_accounts().await;
    writers(&anna).await;
    let mut body = question("Writers", "Write.");
    body["stream_options"] = json!({ "include_usage": true });
    let (run, mut data) = streamed(&anna, body).await;
    assert_eq!(data.pop().unwrap(), "[DONE]");
    let chunks: Vec<Value> = data.iter().map(|data| serde_json::from_str(data).unwrap()).collect();
    assert!(chunks.iter().all(|chunk| chunk["id"] == format!("chatcmpl-{run}")), "{chunks:?}");
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    let joined = |field: &str| {
        let deltas = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"][field]);
        deltas.filter_map(Value::as_str).collect::<String>()
    };
    assert_eq!(joined("content"), "It is DONE.");
    assert_eq!(
        joined("reasoning_content"),
        "**writer**: A draft.\n\n**critic**: Shorter.\n\n**writer**: A letter.\n\n**critic**: It is DONE.\n\n"
    );
    let (usage, last) = (chunks.last().unwrap(), &chunks[chunks.len() - 2]);
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert!(usage["choices"] == json!([]) && usage["usage"]["total_tokens"].is_u64(), "{usage}");
}

#[tokio::test]
async fn what_was_said_before_reaches_the_team_and_does_not_end_it() {
    let (_, base_url) = Provider::start(Duration::ZERO).await;
    let home = Home::bare(&asking(base_url));
    home.add_account("anna", "owner").await;
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    let team = keep(&anna, "Thinkers", &[thinks("thinker")], 2).await;
    let messages = json!([
        { "role": "system", "content": "Be brief." },
        { "role": "user", "content": [{ "type": "text", "text": "Begin." }] },
        { "role": "assistant", "content": "It is DONE." },
        { "role": "user", "content": "Go on." },
    ]);
    let (status, answer) = asked(&anna, &json!({ "model": team, "messages": messages })).await;
    assert_eq!(status, 200, "{answer}");
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.starts_with("Remark "), "{content}");
    assert!(answer["usage"]["prompt_tokens"].as_u64().unwrap() > 0, "{answer}");
    let prompt = events(&anna, &only_run(&anna).await).await.into_iter().find_map(|event| match event.body {
        Body::CallStarted(started) => {
            Some(started.prompt.own().iter().map(|text| text.shown().to_owned()).collect::<Vec<_>>())
        }
        _ => None,
    });
    let said = ["system: Be brief.", "Begin.", "assistant: It is DONE.", "Go on."];
    assert!(prompt.unwrap()[1..].iter().zip(said).all(|(text, said)| text.ends_with(said)));
}

#[tokio::test]
async fn models_are_the_callers_own_teams_by_id_or_by_a_title_that_no_other_has() {
    let (server, anna, bert) = two_accounts().await;
    let id = writers(&anna).await;
    let listed = anna.get("/v1/models").await;
    assert_eq!(listed["object"], "list");
    let rows = listed["data"].as_array().unwrap();
    let names: BTreeSet<_> =
        rows.iter().map(|row| (row["id"].as_str().unwrap(), row["name"].as_str().unwrap())).collect();
    assert_eq!(names, [("sample", "Two writers and a critic"), (id.as_str(), "Writers")].into());
    assert!(
        rows.iter()
            .all(|row| row["object"] == "model" && row["owned_by"] == "anna" && row["created"].is_i64())
    );
    assert_eq!(anna.get("/v1/models/Writers").await["id"], id);
    assert_eq!(anna.get(&format!("/v1/models/{id}@1")).await["id"], format!("{id}@1"));

    // Somebody else's is not there, by whatever name.
    assert_eq!(bert.get("/v1/models").await["data"].as_array().unwrap().len(), 1);
    let nothing = json!({ "message": "There is no such model: a model is one of your teams. GET /v1/models lists them.",
        "type": "invalid_request_error", "param": "model", "code": "model_not_found" });
    for name in [id.as_str(), "Writers", "", "../x", "01890000-0000-7000-8000-000000000000"] {
        let (status, refused) = asked(&bert, &question(name, "Go.")).await;
        assert_eq!((status, &refused["error"]), (404, &nothing), "{name}");
    }
    assert!(bert.get("/api/v1/runs").await["runs"].as_array().unwrap().is_empty());

    let other = writers(&anna).await;
    let (status, refused) = asked(&anna, &question("Writers", "Go.")).await;
    assert_eq!((status, &refused["error"]["code"]), (400, &json!("model_ambiguous")));
    assert_eq!(asked(&anna, &question(&other, "Go.")).await.0, 200);

    let nobody = server.nobody();
    for (method, path, body) in
        [("GET", "/v1/models", None), ("POST", COMPLETIONS, Some(question("sample", "Go.")))]
    {
        let (status, text) = nobody.answer(method, path, body.as_ref()).await;
        assert_eq!(status, 401, "{text}");
        let guessing = nobody.clone().with("authorization", "Bearer guessed");
        assert_eq!(guessing.answer(method, path, body.as_ref()).await.0, 401);
    }
}

#[tokio::test]
async fn what_cannot_be_asked_starts_nothing_and_is_an_error_in_openais_form() {
    let (_server, anna, _) = two_accounts().await;
    writers(&anna).await;
    let with = |field: &str, value: Value| {
        let mut body = question("Writers", "Write.");
        body[field] = value;
        body
    };
    let long = "x".repeat(17 * 1024);
    let earlier: Vec<Value> =
        (0..4).map(|_| json!({ "role": "user", "content": "x".repeat(10 * 1024) })).collect();
    for (body, status, param, code) in [
        (with("n", json!(2)), 400, json!("n"), Value::Null),
        (with("tools", json!([{ "type": "function" }])), 400, json!("tools"), Value::Null),
        (with("messages", json!("Write.")), 400, json!("messages"), Value::Null),
        (with("messages", json!(earlier)), 400, json!("messages"), json!("context_length_exceeded")),
        (question("Writers", &long), 400, Value::Null, Value::Null),
        (question("sample", &"x".repeat(2 * 1024 * 1024)), 413, Value::Null, Value::Null),
    ] {
        let (answered, text) = anna.answer("POST", COMPLETIONS, Some(&body)).await;
        assert_eq!(answered, status, "{text}");
        // The guard's own refusal of a large body is the same for all addresses.
        if status != 413 {
            let error = &serde_json::from_str::<Value>(&text).unwrap()["error"];
            assert_eq!((&error["param"], &error["code"]), (&param, &code), "{error}");
            assert_eq!(error["type"], "invalid_request_error");
            assert!(error["message"].as_str().unwrap().ends_with('.'), "{error}");
        }
    }
    assert!(anna.get("/api/v1/runs").await["runs"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn a_run_that_fails_or_is_stopped_is_an_error_that_no_client_repeats() {
    let (_server, anna, _) = two_accounts().await;
    keep(&anna, "Silent", &[says("a", &[])], 3).await;
    let answer = anna.ask("POST", COMPLETIONS).json(&question("Silent", "Go.")).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["x-should-retry"]),
        (500, &"false".parse().unwrap())
    );
    let run = answer.headers()["x-pitwall-run"].to_str().unwrap().to_owned();
    let error = answer.json::<Value>().await.unwrap()["error"].clone();
    assert_eq!((&error["type"], &error["code"]), (&json!("server_error"), &json!("run_failed")));
    assert!(error["message"].as_str().unwrap().contains(&run), "{error}");

    let (run, data) = streamed(&anna, question("Silent", "Go.")).await;
    let error: Value = serde_json::from_str(data.last().unwrap()).unwrap();
    assert_eq!(error["error"]["code"], "run_failed");
    assert!(error["error"]["message"].as_str().unwrap().contains(&run), "{error}");
}

#[tokio::test]
async fn a_question_to_a_person_is_waited_for_and_a_stop_is_told() {
    let (_server, anna, _) = two_accounts().await;
    let team = keep(&anna, "Asking", &[says("a", &["one", "two"]), person()], 20).await;
    for is_answered in [true, false] {
        let (asker, body) = (anna.clone(), question(&team, "Go."));
        let answer = tokio::spawn(async move { asked(&asker, &body).await });
        let waiting = loop {
            let runs = anna.get("/api/v1/runs?status=waiting").await["runs"].clone();
            match runs.as_array().unwrap().first() {
                Some(run) => break run["run"].as_str().unwrap().to_owned(),
                None => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        if is_answered {
            let inputs = anna.get(&format!("/api/v1/runs/{waiting}")).await["inputs"].clone();
            let input = inputs[0]["request"]["input"].as_str().unwrap().to_owned();
            let path = format!("/api/v1/runs/{waiting}/inputs/{input}");
            anna.post(&path, json!({ "type": "value", "json": "\"It is DONE.\"" })).await;
            let (status, answer) = answer.await.unwrap();
            assert_eq!((status, &answer["choices"][0]["message"]["content"]), (200, &json!("It is DONE.")));
        } else {
            anna.post(&format!("/api/v1/runs/{waiting}/stop"), json!({ "reason": "Enough." })).await;
            let (status, answer) = answer.await.unwrap();
            assert_eq!((status, &answer["error"]["code"]), (409, &json!("run_stopped")));
            assert!(answer["error"]["message"].as_str().unwrap().contains("Enough."), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_run_goes_on_without_its_client_and_over_the_end_of_the_server() {
    let (provider, base_url) = Provider::start(Duration::ZERO).await;
    let home = Home::bare(&asking(base_url));
    home.add_account("anna", "owner").await;
    let server = home.start().await;
    let anna = server.program_of("anna").await;
    let team = keep(&anna, "Thinkers", &[thinks("thinker")], 2).await;

    // The client goes away while the model writes, whose answer breaks off and is asked for again after that.
    provider.misbehave([Fault::Stall(1)]);
    let mut body = question(&team, "Think.");
    body["stream"] = true.into();
    let mut answer = anna.ask("POST", COMPLETIONS).json(&body).send().await.unwrap().bytes_stream();
    assert!(answer.next().await.unwrap().unwrap().starts_with(b"data: "));
    let run = only_run(&anna).await;
    drop(answer);
    assert_eq!(anna.get(&format!("/api/v1/runs/{run}")).await["summary"]["status"], "running");

    // Who waits when the server ends is told where the answer will be.
    let (asker, body) = (anna.clone(), question(&team, "Think again."));
    provider.misbehave([Fault::Stall(1)]);
    let waiting =
        tokio::spawn(async move { asker.ask("POST", COMPLETIONS).json(&body).send().await.unwrap() });
    while provider.faults_left() > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(server.terminate().await.success());
    let told = waiting.await.unwrap();
    assert_eq!((told.status().as_u16(), &told.headers()["x-should-retry"]), (503, &"false".parse().unwrap()));
    let error = told.json::<Value>().await.unwrap()["error"].clone();
    assert_eq!(error["code"], "run_goes_on");

    let server = home.start().await;
    let anna = anna.at(&server);
    for run in anna.get("/api/v1/runs").await["runs"].as_array().unwrap() {
        let run = run["run"].as_str().unwrap();
        anna.wait_for_the_end(run).await;
        assert_eq!(anna.get(&format!("/api/v1/runs/{run}")).await["summary"]["status"], "succeeded");
    }
}

#[tokio::test]
async fn a_client_that_is_signed_out_is_not_answered_any_more() {
    let (_server, anna, _) = two_accounts().await;
    let team = keep(&anna, "Asking", &[says("a", &["one"]), person()], 20).await;
    let (asker, body) = (anna.clone(), question(&team, "Go."));
    let waiting = tokio::spawn(async move { asked(&asker, &body).await });
    only_run(&anna).await;
    let token = anna.get("/api/v1/tokens").await[0]["id"].as_str().unwrap().to_owned();
    anna.answer("DELETE", &format!("/api/v1/tokens/{token}"), None).await;
    let (status, answer) = waiting.await.unwrap();
    assert_eq!((status, &answer["error"]["code"]), (503, &json!("run_goes_on")));
}

#[tokio::test]
async fn openais_own_client_in_python_talks_with_a_team() {
    let (server, anna, _) = two_accounts().await;
    let id = writers(&anna).await;
    keep(&anna, "Silent", &[says("a", &[])], 3).await;
    let seen = python(&server, &anna).await;
    assert_eq!(
        (&seen["models"][&id], &seen["models"]["sample"]),
        (&json!("Writers"), &json!("Two writers and a critic"))
    );
    assert_eq!(seen["retrieved"], json!(id));
    let run = seen["run"].as_str().unwrap();
    assert_eq!(seen["whole"], json!([format!("chatcmpl-{run}"), "It is DONE.", "stop"]));
    assert_eq!(seen["usage"], json!([0, 0, 0]), "no model was asked");
    assert_eq!((&seen["role"], &seen["finish"]), (&json!("assistant"), &json!("stop")));
    assert_eq!(seen["streamed"], "It is DONE.");
    assert!(seen["thinking"].as_str().unwrap().contains("**writer**: A draft."), "{seen}");
    assert_eq!(seen["streamed_usage"], true);
    assert_eq!(
        (&seen["unknown"][0], &seen["unknown"][2]),
        (&json!("NotFoundError"), &json!("model_not_found"))
    );
    assert_eq!(seen["tools"][0], "BadRequestError");
    for failed in ["failed", "failed_streamed"] {
        assert_eq!(seen[failed][2], "run_failed", "{seen}");
    }
    assert_eq!(seen["stranger"][0], "AuthenticationError");
    // Those that failed were asked for once each, though the client repeats what fails.
    let runs = anna.get("/api/v1/runs").await["runs"].as_array().unwrap().len();
    assert_eq!(runs, 4, "two answers and two failures");
}

async fn python(server: &Server, visitor: &Visitor) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/openai/client.py");
    let token = visitor.shown("authorization").trim_start_matches("Bearer ").to_owned();
    let mut command = Command::new("python-of-openai-client");
    command.arg(script).arg(server.address.to_string()).arg(token).stderr(Stdio::piped());
    let output = command.output().await.expect("Python's openai is installed by scripts/setup.sh test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
