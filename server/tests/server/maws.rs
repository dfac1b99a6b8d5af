//! Sessions by MAWS's socket, with the real program.

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use futures::{SinkExt, StreamExt};
use protocol::{RunId, RunStatus, RunView};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Home, Server, Socket, TOKEN, Visitor};

const REQUEST: &str = "Analyze the stock performance of Apple, Google, and Tesla over the last month and summarize the key findings.";
const QUESTION: &str = "What is the current status?";
const INSTRUCTION: &str = "Rewrite the summary to focus only on Tesla's stock volatility.";

/// A client in its session, with all that it was sent.
struct Client {
    socket: Socket,
    seen: Vec<Value>,
}

impl Client {
    async fn connect(visitor: &Visitor, path: &str) -> Self {
        Self { socket: visitor.socket(path).await.unwrap(), seen: Vec::new() }
    }

    async fn at(server: &Server, path: &str) -> Self {
        Self::connect(&server.program(TOKEN), path).await
    }

    async fn say(&mut self, words: &str) {
        self.socket.send(Message::text(words)).await.unwrap();
    }

    /// A task whose answers the rehearsal writes at this pace.
    async fn begin(&mut self, words: &str, characters_per_second: u32) {
        let model = json!({ "type": "rehearsal", "characters_per_second": characters_per_second });
        self.say(&json!({ "type": "TASK", "text": words, "model": model }).to_string()).await;
    }

    async fn next(&mut self) -> Value {
        loop {
            let message = timeout(Duration::from_secs(120), self.socket.next()).await.expect("it goes on");
            match message.expect("the socket is open").unwrap() {
                Message::Text(text) => {
                    let value: Value = serde_json::from_str(&text).unwrap();
                    self.seen.push(value.clone());
                    return value;
                }
                Message::Ping(_) => self.socket.flush().await.unwrap(),
                Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads on until a message has these fields.
    async fn until(&mut self, fields: Value) -> Value {
        loop {
            let message = self.next().await;
            if has(&message, &fields) {
                return message;
            }
        }
    }

    async fn until_state(&mut self, state: &str) {
        self.until(json!({ "type": "STATE", "state": state })).await;
    }

    /// The position of the last message that has one.
    fn position(&self) -> String {
        let position = self.seen.iter().rev().find_map(|message| message["position"].as_str());
        position.expect("a message from the log").to_owned()
    }

    /// What it was sent from the log.
    fn logged(&self) -> Vec<Value> {
        self.seen.iter().filter(|message| is_logged(message)).cloned().collect()
    }
}

/// Whether every field of `fields` stands in the message with this value.
fn has(message: &Value, fields: &Value) -> bool {
    fields.as_object().unwrap().iter().all(|(name, value)| message[name] == *value)
}

/// What goes by is sent to whoever is there, and once.
fn is_logged(message: &Value) -> bool {
    let goes_by = message["event"] == "text" || message["done"] == false;
    !goes_by && !matches!(message["type"].as_str(), Some("SESSION" | "REFUSED"))
}

fn count(messages: &[Value], fields: &Value) -> usize {
    messages.iter().filter(|message| has(message, fields)).count()
}

fn run_of(message: &Value) -> RunId {
    message["run"].as_str().unwrap().parse().unwrap()
}

/// All that a session has in its logs, as a client without a position is sent it, to the end of its last run.
async fn replayed(server: &Server, session: &str, runs: usize) -> Vec<Value> {
    let mut client = Client::at(server, &format!("/ws/{session}")).await;
    while count(&client.seen, &json!({ "type": "STATE", "state": "REFINEMENT_READY" })) < runs {
        client.next().await;
    }
    client.logged()
}

#[tokio::test]
async fn a_message_begins_a_task_asks_the_clarifier_or_refines_by_where_the_session_stands() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let mut client = Client::at(&server, "/ws/stocks").await;
    assert_eq!(client.next().await, json!({ "type": "SESSION", "session": "stocks", "state": "idle" }));

    client.begin(REQUEST, 300).await;
    let task = run_of(&client.until(json!({ "type": "MESSAGE", "as": "task", "text": REQUEST })).await);
    client.until_state("planning").await;
    let plan = client.until(json!({ "type": "AGENT STREAM", "agent": "planner", "event": "plan" })).await;
    assert_eq!(plan["steps"].as_array().unwrap().len(), 4);
    client.until(json!({ "agent": "executor", "event": "tool", "tool": "get_stock_prices" })).await;

    client.say(QUESTION).await;
    client.until(json!({ "type": "MESSAGE", "as": "question", "question": 1, "text": QUESTION })).await;
    let begun = client.seen.len();
    let answer = client.until(json!({ "type": "CHAT_RESPONSE", "question": 1, "done": true })).await;
    assert!(answer["text"].as_str().unwrap().contains("Planner: done"), "{answer}");
    let pieces = count(&client.seen[begun..], &json!({ "type": "CHAT_RESPONSE", "done": false }));
    assert!(pieces > 0, "the answer is sent while it is written");
    assert_eq!(count(&client.seen, &json!({ "state": "REFINEMENT_READY" })), 0, "the task works on");

    let report = client.until(json!({ "agent": "aggregator", "event": "report" })).await;
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("AAPL") && text.contains("There are no prices of Google"), "{text}");
    let without: Vec<_> = report["not_done"].as_array().unwrap().iter().map(|step| &step["title"]).collect();
    assert_eq!(without, ["Google", "Tesla"]);
    client.until_state("REFINEMENT_READY").await;
    let executors = json!({ "agent": "executor", "event": "started" });
    assert_eq!(count(&client.seen, &executors), 4);

    client.say(INSTRUCTION).await;
    let refined = client.until(json!({ "type": "MESSAGE", "as": "refinement", "of": task })).await;
    let report = client.until(json!({ "agent": "aggregator", "event": "report" })).await;
    let text = report["text"].as_str().unwrap();
    assert!(text.contains("There are no prices of Tesla") && !text.contains("AAPL"), "{text}");
    client.until_state("REFINEMENT_READY").await;
    assert_eq!(count(&client.seen, &executors), 4, "no step is done again");

    // Back to the first report, although the second one is the last.
    client
        .say(&json!({ "type": "REFINE", "text": "Focus on the symbol of Apple.", "of": task }).to_string())
        .await;
    client.until(json!({ "type": "MESSAGE", "as": "refinement", "of": task })).await;
    let report = client.until(json!({ "agent": "aggregator", "event": "report" })).await;
    assert!(report["text"].as_str().unwrap().contains("AAPL"), "{report}");
    client.until_state("REFINEMENT_READY").await;

    // The session is found by each of its runs as well, and stands where it stood.
    for run in [task, run_of(&refined)] {
        let mut other = Client::at(&server, &format!("/ws/{run}")).await;
        let session = json!({ "type": "SESSION", "session": "stocks", "state": "REFINEMENT_READY" });
        assert_eq!(other.next().await, session);
    }
}

#[tokio::test]
async fn a_client_in_python_holds_the_sample_conversation() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/maws/client.py");
    let mut command = Command::new("python-of-maws-client");
    command.arg(script).arg(server.address.to_string()).arg(TOKEN).stderr(Stdio::piped());
    let output = command.output().await.expect("Python's websockets are installed by scripts/setup.sh test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["refused"], 401);
    assert_eq!((&seen["begins"], &seen["again"]), (&json!("idle"), &json!("REFINEMENT_READY")));
    let states =
        ["planning", "EXECUTING", "aggregating", "REFINEMENT_READY", "aggregating", "REFINEMENT_READY"];
    assert_eq!(seen["states"], json!(states));
    let executors: BTreeSet<_> =
        seen["executors"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(executors, BTreeSet::from(["Apple", "Google", "Tesla", "Comparison"]));
    assert_eq!(seen["executors"].as_array().unwrap().len(), 4, "each works once");
    assert!(seen["answer"].as_str().unwrap().contains("The run stands at"), "{seen}");
    assert!(seen["pieces"].as_u64().unwrap() > 0);
    let reports = seen["reports"].as_array().unwrap();
    for missing in ["Google", "Tesla"] {
        assert!(
            reports[0].as_str().unwrap().contains(&format!("There are no prices of {missing}")),
            "{seen}"
        );
    }
    assert!(!reports[1].as_str().unwrap().contains("AAPL"), "{seen}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_as_http_before_the_upgrade() {
    let home = Home::bare(&[]);
    for (name, role) in [("anna", "owner"), ("eve", "owner"), ("vera", "viewer")] {
        home.add_account(name, role).await;
    }
    let server = home.start().await;
    let nobody = server.nobody();
    assert_eq!(nobody.socket("/ws/stocks").await.err(), Some(401), "no token");
    assert_eq!(nobody.socket("/ws/stocks?token=guessed").await.err(), Some(401), "a wrong one");

    let anna = server.program_of("anna").await;
    let mut client = Client::connect(&anna, "/ws/stocks").await;
    client.begin(REQUEST, 0).await;
    let run = run_of(&client.until(json!({ "type": "MESSAGE" })).await);
    client.until_state("REFINEMENT_READY").await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    let beyond = format!("/ws/stocks?after={run}:99999.1");
    for (path, status) in [
        (format!("/ws/{unknown}"), 404),
        ("/ws/..%2F..%2Fetc".to_owned(), 404),
        ("/ws/Upper".to_owned(), 404),
        (format!("/ws/{}", "a".repeat(65)), 404),
        ("/ws/stocks?after=nonsense".to_owned(), 410),
        (format!("/ws/stocks?after={unknown}:1.1"), 410),
        (beyond, 410),
    ] {
        assert_eq!(anna.socket(&path).await.err(), Some(status), "{path}");
    }

    // By the query, for clients that cannot set headers.
    let token = anna.shown("authorization").strip_prefix("Bearer ").unwrap();
    assert!(nobody.socket(&format!("/ws/stocks?token={token}")).await.is_ok());

    // A name is each account's own: what another says under it is not there.
    let eve = server.program_of("eve").await;
    assert_eq!(eve.socket(&format!("/ws/{run}")).await.err(), Some(404), "another's run");
    assert_eq!(
        eve.socket(&format!("/ws/stocks?after={run}:1.1")).await.err(),
        Some(410),
        "another's position"
    );
    let mut other = Client::connect(&eve, "/ws/stocks").await;
    assert_eq!(other.next().await["state"], "idle");
    other.say(&json!({ "type": "REFINE", "text": "Shorter.", "of": run }).to_string()).await;
    let refused = other.until(json!({ "type": "REFUSED" })).await;
    assert!(refused["message"].as_str().unwrap().contains("There is no report of a run"), "{refused}");
    assert_eq!(server.program_of("vera").await.socket("/ws/stocks").await.err(), Some(403), "who only reads");
}

#[tokio::test]
async fn a_client_that_comes_back_is_sent_what_it_missed_and_nothing_twice() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let mut client = Client::at(&server, "/ws/stocks").await;
    client.begin(REQUEST, 500).await;
    client.until(json!({ "agent": "executor", "event": "tool" })).await;
    client.say(QUESTION).await;
    client.until(json!({ "type": "MESSAGE", "as": "question" })).await;
    let mut parts = client.logged();
    let after = client.position();
    // Gone without a word, while the server sends.
    drop(client);
    let run = run_of(&parts[0]);
    let view = RunView::fold(&server.events_to_end(run, 0).await).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "nobody has to listen");
    let mut client = Client::at(&server, &format!("/ws/stocks?after={after}")).await;
    assert_eq!(client.next().await["state"], "REFINEMENT_READY", "where it stands now");
    client.until_state("REFINEMENT_READY").await;
    client.say(INSTRUCTION).await;
    client.until(json!({ "agent": "aggregator", "event": "report" })).await;
    client.until_state("REFINEMENT_READY").await;
    parts.extend(client.logged());
    assert_eq!(parts, replayed(&server, "stocks", 2).await);
    assert_eq!(count(&parts, &json!({ "type": "CHAT_RESPONSE" })), 1);
    // From every place on, exactly the rest.
    for at in (0..parts.len()).step_by(7) {
        let Some(position) = parts[at]["position"].as_str() else { continue };
        let mut again = Client::at(&server, &format!("/ws/stocks?after={position}")).await;
        while again.logged().len() < parts.len() - at - 1 {
            again.next().await;
        }
        assert_eq!(again.logged(), parts[at + 1..], "after {position}");
    }
}

/// The messages at which a server is killed: one in each state of a session.
fn moments() -> [(&'static str, Value); 6] {
    [
        ("planning", json!({ "type": "STATE", "state": "planning" })),
        ("EXECUTING", json!({ "agent": "executor", "event": "tool" })),
        ("a step has ended", json!({ "agent": "executor", "event": "result" })),
        ("the clarifier writes", json!({ "type": "CHAT_RESPONSE", "done": false })),
        ("aggregating", json!({ "type": "STATE", "state": "aggregating" })),
        ("REFINEMENT_READY", json!({ "type": "STATE", "state": "REFINEMENT_READY" })),
    ]
}

#[tokio::test]
async fn a_session_outlives_a_kill_in_each_of_its_states() {
    for (moment, fields) in moments() {
        let home = Home::new(&[]);
        let server = home.start().await;
        let mut client = Client::at(&server, "/ws/stocks").await;
        client.begin(REQUEST, 300).await;
        if moment == "the clarifier writes" {
            client.until(json!({ "agent": "executor", "event": "tool" })).await;
            client.say(QUESTION).await;
        }
        client.until(fields).await;
        let mut parts = client.logged();
        let after = client.position();
        server.kill().await;

        let server = home.start().await;
        let mut client = Client::at(&server, &format!("/ws/stocks?after={after}")).await;
        if moment != "REFINEMENT_READY" {
            client.until_state("REFINEMENT_READY").await;
        }
        client.say(INSTRUCTION).await;
        client.until(json!({ "type": "MESSAGE", "as": "refinement" })).await;
        server.kill().await;
        parts.extend(client.logged());
        let after = client.position();

        // Killed in the refinement as well.
        let server = home.start().await;
        let mut client = Client::at(&server, &format!("/ws/stocks?after={after}")).await;
        client.until_state("REFINEMENT_READY").await;
        parts.extend(client.logged());
        assert_eq!(parts, replayed(&server, "stocks", 2).await, "{moment}");
        let reports = json!({ "type": "AGENT STREAM", "event": "report" });
        assert_eq!(count(&parts, &reports), 2, "{moment}");
        assert_eq!(count(&parts, &json!({ "agent": "executor", "event": "started" })), 4, "{moment}");
        assert_eq!(count(&parts, &json!({ "type": "ERROR" })), 0, "{moment}");
    }
}

#[tokio::test]
async fn a_failed_task_ends_with_an_error_and_its_session_takes_another() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let mut client = Client::at(&server, "/ws/stocks").await;
    client.begin(REQUEST, 20).await;
    let run = run_of(&client.until(json!({ "type": "MESSAGE" })).await);
    let (status, _) = server.post(&format!("/api/v1/runs/{run}/stop"), json!({ "reason": "enough" })).await;
    assert_eq!(status, 202);
    let error = client.until(json!({ "type": "ERROR" })).await;
    assert!(error["message"].as_str().unwrap().contains("enough"), "{error}");
    assert_eq!(client.next().await["state"], "error");
    client.say(&json!({ "type": "REFINE", "text": "Shorter." }).to_string()).await;
    client.until(json!({ "type": "REFUSED" })).await;
    client.say(&json!({ "type": "TASK", "txt": "Shorter." }).to_string()).await;
    client.until(json!({ "type": "REFUSED" })).await;
    client.say("   ").await;
    client.until(json!({ "type": "REFUSED" })).await;
    client.begin("Compare Apple with Coca-Cola.", 0).await;
    client.until(json!({ "type": "MESSAGE", "as": "task" })).await;
    client.until_state("REFINEMENT_READY").await;
}

#[tokio::test]
async fn many_sessions_are_held_at_once_and_each_hears_its_own_alone() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let talks = (0..12).map(|number| {
        let visitor = server.program(TOKEN);
        async move {
            let session = format!("talk-{number}");
            let path = format!("/ws/{session}");
            // Two clients of one session: what one says the other hears.
            let (mut one, mut other) =
                (Client::connect(&visitor, &path).await, Client::connect(&visitor, &path).await);
            let words = format!("Say what is known about the Company{number}.");
            one.begin(&words, 0).await;
            for client in [&mut one, &mut other] {
                client.until_state("REFINEMENT_READY").await;
                let runs: BTreeSet<_> = client.logged().iter().map(run_of).collect();
                assert_eq!(runs.len(), 1, "{session}");
                let said: Vec<_> = client.seen.iter().filter(|it| it["type"] == "MESSAGE").collect();
                assert!(said.len() == 1 && said[0]["text"] == *words, "{session}: {said:?}");
            }
        }
    });
    futures::future::join_all(talks).await;
}

/// The part of a page that is drawn, and the status that it came with.
async fn drawn(visitor: &Visitor, path: &str) -> (u16, String) {
    let (status, page) = visitor.clone().with("accept", "text/html").answer("GET", path, None).await;
    let body = page.split("<body").nth(1).unwrap_or_default();
    (status, body.split("<script").next().unwrap_or_default().to_owned())
}

fn assert_shows(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[tokio::test]
async fn the_page_of_a_session_shows_the_conversation_the_plan_and_all_reports() {
    let home = Home::bare(&[]);
    for name in ["anna", "eve"] {
        home.add_account(name, "owner").await;
    }
    let server = home.start().await;
    let anna = server.program_of("anna").await;
    let mut client = Client::connect(&anna, "/ws/stocks").await;
    client.begin(REQUEST, 20).await;
    client.until(json!({ "agent": "planner", "event": "started" })).await;
    let (_, page) = drawn(&anna, "/tasks/stocks").await;
    assert_shows(
        &page,
        &[REQUEST, "Planning", "There is no plan yet", "Ask the clarifier", "the work goes on"],
    );
    let run = run_of(&client.seen[1]);
    anna.post(&format!("/api/v1/runs/{run}/stop"), json!({ "reason": "too slow" })).await;
    client.until_state("error").await;
    let (_, page) = drawn(&anna, "/tasks/stocks").await;
    assert_shows(&page, &["Ended with an error", "too slow", "New task"]);

    client.begin(REQUEST, 300).await;
    client.until(json!({ "agent": "executor", "event": "tool" })).await;
    client.say(QUESTION).await;
    client.until(json!({ "type": "CHAT_RESPONSE", "done": true })).await;
    client.until_state("REFINEMENT_READY").await;
    client.say(INSTRUCTION).await;
    client.until(json!({ "agent": "aggregator", "event": "report" })).await;
    client.until_state("REFINEMENT_READY").await;

    let (status, page) = drawn(&anna, "/tasks/stocks").await;
    assert_eq!(status, 200);
    let conversation = [REQUEST, QUESTION, "The run stands at", "Refinement of report 2", "Rewritten:"];
    assert_shows(&page, &conversation);
    let plan =
        ["Planner", "Side by side", "Apple", "There are no prices of Google", "after 1, 2, 3", ">4 / 4<"];
    assert_shows(&page, &plan);
    assert_shows(&page, &["Report 3", "There are no prices of Tesla", "Go on from 2", "Go on from 3"]);
    assert!(!page.contains("Go on from 1"), "the first came to nothing");
    assert_shows(&page, &["Report ready", "Refine report 3", "no step is done again", "New task"]);

    let (_, list) = drawn(&anna, "/tasks").await;
    assert_shows(&list, &["/tasks/stocks", "2 of 4 steps are done"]);
    assert_eq!(list.matches("/tasks/stocks").count(), 1, "a session stands there once");
    // A run leads to its session, but nobody else.
    assert_shows(&drawn(&anna, &format!("/tasks/{run}")).await.1, &["Session stocks", "Refine report 3"]);
    let eve = server.program_of("eve").await;
    for path in ["/tasks/stocks".to_owned(), format!("/tasks/{run}")] {
        let (status, page) = drawn(&eve, &path).await;
        assert!(status == 404 && !page.contains("Tesla"), "{page}");
    }
    assert_shows(&drawn(&eve, "/tasks").await.1, &["There is no session yet"]);
    assert_eq!(drawn(&anna, "/tasks/Not%20a%20name").await.0, 404);
}

#[tokio::test]
async fn a_quiet_session_is_kept_open_by_pings() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let mut socket = server.connect("/ws/quiet").await;
    let quiet = async {
        loop {
            match socket.next().await.expect("it stays open").unwrap() {
                Message::Ping(_) => return,
                Message::Text(text) => assert!(text.contains("SESSION"), "{text}"),
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(Duration::from_secs(60), quiet).await.expect("a ping");
    socket.flush().await.unwrap();
}
