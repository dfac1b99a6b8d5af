//! The database of AutoGen Studio, as the command and the page take it in.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;
use tokio::process::Command;

use crate::support::{Home, PASSWORD, Server, Visitor};

const KEY: &str = "sk-planted-5d01b7c3f49a4e62";
const VARIABLE: &str = "hunter2-in-the-environment";

/// What both lines of Studio have. The newer one adds an index and columns that nobody needs here.
const TABLES: [&str; 6] = [
    "create table team (id INTEGER NOT NULL, created_at DATETIME DEFAULT CURRENT_TIMESTAMP, updated_at DATETIME, \
     user_id VARCHAR, version VARCHAR, component JSON, PRIMARY KEY (id))",
    "create table gallery (id INTEGER NOT NULL, created_at DATETIME, updated_at DATETIME, user_id VARCHAR, \
     version VARCHAR, config JSON, PRIMARY KEY (id))",
    "create table settings (id INTEGER NOT NULL, created_at DATETIME, updated_at DATETIME, user_id VARCHAR, \
     version VARCHAR, config JSON, PRIMARY KEY (id))",
    "create table session (id INTEGER NOT NULL, created_at DATETIME, updated_at DATETIME, user_id VARCHAR, \
     version VARCHAR, team_id INTEGER, name VARCHAR, PRIMARY KEY (id), FOREIGN KEY(team_id) REFERENCES team (id))",
    "create table run (id INTEGER NOT NULL, created_at DATETIME, updated_at DATETIME, user_id VARCHAR, \
     version VARCHAR, session_id INTEGER, status VARCHAR(8), task JSON, team_result JSON, error_message VARCHAR, \
     messages JSON, PRIMARY KEY (id), FOREIGN KEY(session_id) REFERENCES session (id))",
    "create table message (id INTEGER NOT NULL, created_at DATETIME, updated_at DATETIME, user_id VARCHAR, \
     version VARCHAR, config JSON, session_id INTEGER, run_id INTEGER, message_meta JSON, PRIMARY KEY (id))",
];

/// What the first versions had: teams under another name, and no runs.
const FIRST_TABLES: [&str; 3] = [
    "create table team (id INTEGER PRIMARY KEY, created_at DATETIME, user_id VARCHAR, config JSON)",
    "create table session (id INTEGER PRIMARY KEY, created_at DATETIME, user_id VARCHAR, team_id INTEGER, name VARCHAR)",
    "create table message (id INTEGER PRIMARY KEY, created_at DATETIME, config JSON, session_id INTEGER)",
];

/// A database that a test makes.
struct Studio {
    folder: TempDir,
    connection: SqliteConnection,
}

impl Studio {
    async fn new(tables: &[&'static str]) -> Self {
        let folder = TempDir::new().unwrap();
        let options =
            SqliteConnectOptions::new().filename(folder.path().join("studio.db")).create_if_missing(true);
        // As Studio's own library has it: what rows name need not be there.
        let mut connection = options.foreign_keys(false).connect().await.unwrap();
        for table in tables {
            sqlx::query(*table).execute(&mut connection).await.unwrap();
        }
        Self { folder, connection }
    }

    async fn insert(&mut self, statement: &'static str, values: &[String]) {
        let query = values.iter().fold(sqlx::query(statement), |query, value| query.bind(value));
        query.execute(&mut self.connection).await.unwrap();
    }

    async fn team(&mut self, id: &str, component: &Value) {
        let values = [id.to_owned(), component.to_string()];
        let row = "insert into team (id, created_at, user_id, component) \
                   values (?, '2026-03-01 09:00:00.000001', 'guestuser@gmail.com', ?)";
        self.insert(row, &values).await;
    }

    async fn session(&mut self, id: &str, team: &str, name: &str) {
        let row = "insert into session (id, created_at, user_id, team_id, name) \
                   values (?, '2026-03-01 09:30:00.000002', 'guestuser@gmail.com', ?, ?)";
        self.insert(row, &[id.to_owned(), team.to_owned(), name.to_owned()]).await;
    }

    async fn run(&mut self, id: &str, status: &str, task: &str, result: &Value, error: &str) {
        let task = json!({ "source": "user", "content": task, "type": "TextMessage" }).to_string();
        let row = "insert into run (id, created_at, session_id, status, task, team_result, error_message) \
                   values (?, '2026-03-01 10:00:00.000000', 1, ?, ?, ?, ?)";
        let values = [id.to_owned(), status.to_owned(), task, result.to_string(), error.to_owned()];
        self.insert(row, &values).await;
    }

    async fn message(&mut self, run: &str, second: u32, config: &Value) {
        let row = "insert into message (created_at, session_id, run_id, config) values (?, 1, ?, ?)";
        let at = format!("2026-03-01 10:00:{second:02}.500000");
        self.insert(row, &[at, run.to_owned(), config.to_string()]).await;
    }

    /// Closes it; the file, and its folder, which deletes itself.
    async fn closed(self) -> (PathBuf, TempDir) {
        self.connection.close().await.unwrap();
        (self.folder.path().join("studio.db"), self.folder)
    }
}

fn agent(name: &str) -> Value {
    let model = json!({
        "provider": "autogen_ext.models.openai.OpenAIChatCompletionClient",
        "config": { "model": "gpt-4o-mini", "api_key": KEY },
    });
    json!({
        "provider": "autogen_agentchat.agents.AssistantAgent",
        "component_type": "agent",
        "component_version": 1,
        "config": { "name": name, "description": name, "system_message": "Work.", "model_client": model },
    })
}

fn team() -> Value {
    json!({
        "provider": "autogen_agentchat.teams.RoundRobinGroupChat",
        "component_type": "team",
        "label": "Writers",
        "config": { "participants": [agent("writer"), agent("critic")], "termination_condition": {
            "provider": "autogen_agentchat.conditions.TextMentionTermination", "config": { "text": "DONE" },
        } },
    })
}

fn said(source: &str, content: &str, tokens: Option<(u32, u32)>) -> Value {
    let usage =
        tokens.map(|(prompt, answer)| json!({ "prompt_tokens": prompt, "completion_tokens": answer }));
    json!({ "source": source, "models_usage": usage, "metadata": {}, "content": content, "type": "TextMessage" })
}

fn called(agent: &str, answer: &str) -> Value {
    let record = json!({
        "type": "LLMCall",
        "messages": [{ "role": "system", "content": "Work." }, { "role": "user", "content": "Write a line." }],
        "response": { "model": "gpt-4o-mini-2024", "choices": [{ "message": { "content": answer } }] },
        "prompt_tokens": 11,
        "completion_tokens": 4,
        "agent_id": format!("{agent}_0b5e/0b5e"),
    });
    json!({ "source": "llm_call_event", "content": record.to_string(), "type": "TextMessage" })
}

/// A database of the line on `PyPI`: no ids in messages, statuses in capitals.
async fn studio() -> Studio {
    let mut studio = Studio::new(&TABLES).await;
    studio.team("1", &team()).await;
    let gallery = json!({ "id": "g", "name": "Own parts", "components": { "agents": [agent("helper")] } });
    let row = "insert into gallery (id, created_at, config) values (1, '2026-03-01 08:00:00', ?)";
    studio.insert(row, &[gallery.to_string()]).await;
    let environment = json!([{ "name": "TOKEN", "value": VARIABLE, "type": "secret" }]);
    let row = "insert into settings (id, created_at, config) values (1, '2026-03-01 08:00:00', ?)";
    studio.insert(row, &[json!({ "environment": environment }).to_string()]).await;
    studio.session("1", "1", &format!("First {VARIABLE}")).await;
    let result =
        json!({ "task_result": { "messages": [], "stop_reason": "Text 'DONE' mentioned" }, "usage": "" });
    studio.run("1", "COMPLETE", "Write a line.", &result, "").await;
    studio.message("1", 1, &said("user", "Write a line.", None)).await;
    studio.message("1", 3, &called("writer", "A line.")).await;
    studio.message("1", 3, &said("writer", "A line.", Some((11, 4)))).await;
    studio.message("1", 6, &called("stranger", "Of another run.")).await;
    studio
        .message("1", 7, &said("critic", &format!("DONE, says {KEY} and {VARIABLE}."), Some((20, 2))))
        .await;
    let traceback = format!("AuthenticationError: Incorrect key {KEY}\nTraceback: /srv/studio/secret.py");
    studio.run("2", "ERROR", "Fail.", &json!({}), &traceback).await;
    studio.message("2", 1, &said("user", "Fail.", None)).await;
    studio
        .run("3", "STOPPED", "Stop.", &json!({ "task_result": { "stop_reason": "cancelled by user" } }), "")
        .await;
    studio.message("3", 1, &said("user", "Stop.", None)).await;
    studio.run("4", "ACTIVE", "Go on.", &json!({}), "").await;
    studio.message("4", 1, &said("user", "Go on.", None)).await;
    studio.run("5", "CREATED", "", &json!({}), "").await;
    studio
}

async fn import(home: &Home, file: &Path, account: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitwall"));
    command
        .arg("import-autogen-studio")
        .arg(file)
        .arg("--data")
        .arg(home.data())
        .args(["--account", account]);
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

async fn anna_at(home: Home) -> (Server, Visitor) {
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    (server, anna)
}

async fn send(visitor: &Visitor, file: Vec<u8>) -> (u16, Value) {
    let request = visitor.ask("POST", "/api/v1/teams/import-studio");
    let answer = request.header("content-type", "application/octet-stream").body(file).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

async fn runs(visitor: &Visitor) -> Vec<Value> {
    visitor.get("/api/v1/runs").await["runs"].as_array().unwrap().clone()
}

fn run_of<'r>(runs: &'r [Value], task: &str) -> &'r Value {
    let is_it = |run: &&Value| run["request"]["workflow"]["task"] == task;
    runs.iter().find(is_it).unwrap_or_else(|| panic!("no run of “{task}” in {runs:?}"))
}

#[tokio::test]
async fn a_database_of_studio_becomes_teams_sessions_and_runs_that_are_looked_at() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let (file, _folder) = studio().await.closed().await;
    let before = std::fs::read(&file).unwrap();
    let (is_done, told) = import(&home, &file, "anna").await;
    assert!(is_done, "{told}");
    assert!(told.contains("1 teams, 1 galleries, 1 sessions, 4 runs. Here already: 0."), "{told}");
    assert!(told.contains("Studio's settings was left out."), "{told}");
    assert_eq!(std::fs::read(&file).unwrap(), before, "the file is not changed");

    let (server, anna) = anna_at(home).await;
    let runs = runs(&anna).await;
    let complete = run_of(&runs, "Write a line.");
    assert_eq!(
        (&complete["status"], &complete["result"]),
        (&json!("succeeded"), &json!("Text 'DONE' mentioned"))
    );
    assert_eq!(complete["badge"], "from AutoGen Studio");
    assert_eq!(complete["created_at"], 1_772_359_200_000_i64, "2026-03-01 10:00 UTC");
    // Of the one call that was this run's; the other's agent took no part in it.
    assert_eq!(
        (&complete["totals"]["model_calls"], &complete["totals"]["tokens_in"]),
        (&json!(1), &json!(11))
    );
    assert_eq!(complete["totals"]["calls_of_unknown_cost"], 1, "nobody knows what it cost");

    let id = complete["run"].as_str().unwrap();
    let view = anna.get(&format!("/api/v1/runs/{id}")).await;
    let nodes = view["nodes"].as_array().unwrap();
    let labels: Vec<&str> = nodes.iter().map(|node| node["plan"]["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["Who speaks next", "writer", "critic"]);
    let (_, events) = anna.answer("GET", &format!("/api/v1/runs/{id}/export.jsonl"), None).await;
    assert!(events.contains("calls of models were left out"), "{events}");
    let (status, problem) = anna
        .answer("POST", &format!("/api/v1/runs/{id}/forks"), Some(&json!({ "point": { "type": "end" } })))
        .await;
    assert!(status == 409 && problem.contains("imported"), "{status} {problem}");

    let failed = run_of(&runs, "Fail.");
    assert_eq!(failed["status"], "failed");
    assert_eq!(
        failed["error"], "AuthenticationError: Incorrect key (a key was left out)",
        "and no traceback"
    );
    let stopped = run_of(&runs, "Stop.");
    assert_eq!(stopped["error"], "It was stopped in AutoGen Studio: cancelled by user");
    assert!(run_of(&runs, "Go on.")["error"].as_str().unwrap().contains("had not noted its end"));

    // Whoever comes with Studio's own client finds the session with its runs, and can go on with its team.
    let sessions = anna.get("/api/sessions/?user_id=anyone").await;
    let session = &sessions["data"][0];
    assert!(session["team_id"].is_u64(), "{session}");
    let runs_there = anna.get(&format!("/api/sessions/{}/runs", session["id"])).await;
    let runs_there = runs_there["data"]["runs"].as_array().unwrap();
    let first =
        runs_there.iter().find(|run| run["task"]["content"][0]["content"] == "Write a line.").unwrap();
    assert_eq!(first["messages"].as_array().unwrap().len(), 3, "{first}");
    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let (status, page) = browser.answer("GET", &format!("/runs/{id}"), None).await;
    assert!(status == 200 && page.contains("this run was taken in from a file"), "{page}");
    let origin =
        "Run 1 of the session “First (a key was left out)” was imported from a database of AutoGen Studio.";
    assert!(view["turns"].to_string().contains(origin), "{}", view["turns"]);
    let again = json!({ "workflow": complete["request"]["workflow"], "model": { "type": "rehearsal" } });
    anna.post("/api/v1/runs", again).await;
}

#[tokio::test]
async fn the_same_database_given_again_brings_nothing_twice_and_changes_nothing() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    let (file, _folder) = studio().await.closed().await;
    let (server, anna) = anna_at(home).await;
    let bytes = std::fs::read(&file).unwrap();
    let (status, first) = send(&anna, bytes.clone()).await;
    assert_eq!((status, &first["runs"], &first["known"]), (200, &json!(4), &json!(0)), "{first}");
    let team = first["teams"][0]["document"].as_str().unwrap();
    let path = format!("/api/v1/documents/{team}");
    let mut content = anna.get(&path).await["content"].clone();
    content["team"]["description"] = json!("Changed here.");
    let (status, problem) = anna.answer("PUT", &path, Some(&json!({ "base": 1, "content": content }))).await;
    assert_eq!(status, 200, "{problem}");

    let (status, again) = send(&anna, bytes.clone()).await;
    // A team, a gallery, a session and four runs.
    assert_eq!((status, &again["runs"], &again["known"]), (200, &json!(0), &json!(7)), "{again}");
    assert_eq!(runs(&anna).await.len(), 4);
    assert_eq!(anna.get(&path).await["content"]["team"]["description"], "Changed here.");

    // Another account has its own.
    let bert = server.program_of("bert").await;
    let (_, his) = send(&bert, bytes).await;
    assert_eq!((&his["runs"], &his["known"]), (&json!(4), &json!(0)), "{his}");
    assert_ne!(his["teams"][0]["document"], first["teams"][0]["document"]);
    assert_eq!(bert.answer("GET", &path, None).await.0, 404);
    // Who is nobody brings nothing.
    assert_eq!(send(&server.nobody(), Vec::new()).await.0, 401);
}

#[tokio::test]
async fn no_key_of_a_database_reaches_a_document_a_log_or_an_export() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let (file, _folder) = studio().await.closed().await;
    let (is_done, told) = import(&home, &file, "anna").await;
    assert!(is_done && !told.contains(KEY) && !told.contains(VARIABLE), "{told}");
    let data = home.data();
    let (server, anna) = anna_at(home).await;
    for run in runs(&anna).await {
        let run = run["run"].as_str().unwrap();
        let (_, export) = anna.answer("GET", &format!("/api/v1/runs/{run}/export.jsonl"), None).await;
        assert!(!export.contains(KEY) && !export.contains(VARIABLE), "{export}");
    }
    assert!(server.terminate().await.success());
    for name in ["pitwall.db", "pitwall.db-wal"] {
        let bytes = std::fs::read(data.join(name)).unwrap_or_default();
        for secret in [KEY, VARIABLE] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} in {name}");
        }
    }
}

#[tokio::test]
async fn the_first_versions_kept_conversations_without_runs_and_each_becomes_one() {
    let mut studio = Studio::new(&FIRST_TABLES).await;
    let at = "2025-01-10 12:00:00.000000";
    studio.insert("insert into team values (1, '2025-01-10 11:00:00', 'u', ?)", &[team().to_string()]).await;
    studio.insert("insert into session values (1, ?, 'u', 1, 'Old')", &[at.to_owned()]).await;
    for message in [said("user", "Say something.", None), said("writer", "Something.", Some((3, 1)))] {
        let row = "insert into message (created_at, config, session_id) values ('2025-01-10 12:00:01', ?, 1)";
        studio.insert(row, &[message.to_string()]).await;
    }
    let (file, _folder) = studio.closed().await;
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let (is_done, told) = import(&home, &file, "anna").await;
    assert!(is_done && told.contains("1 teams, 0 galleries, 1 sessions, 1 runs"), "{told}");
    let (_server, anna) = anna_at(home).await;
    let runs = runs(&anna).await;
    assert_eq!(run_of(&runs, "Say something.")["created_at"], 1_736_510_400_000_i64, "2025-01-10 12:00 UTC");
}

#[tokio::test]
async fn a_database_without_teams_is_taken_in_and_its_galleries_are_told_to_studios_clients() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let (_server, anna) = anna_at(home).await;
    let (empty, _folder) = Studio::new(&TABLES).await.closed().await;
    let (status, told) = send(&anna, std::fs::read(empty).unwrap()).await;
    assert_eq!((status, &told["teams"], &told["runs"]), (200, &json!([]), &json!(0)), "{told}");
    let (full, _folder) = studio().await.closed().await;
    send(&anna, std::fs::read(full).unwrap()).await;
    let galleries = anna.get("/api/gallery/?user_id=x").await;
    let own = galleries["data"].as_array().unwrap().iter().find(|row| row["config"]["name"] == "Own parts");
    assert_eq!(own.unwrap()["config"]["components"]["agents"][0]["config"]["name"], "helper");
    assert!(!galleries.to_string().contains(KEY));
}

#[tokio::test]
async fn a_file_that_is_no_database_of_studio_is_refused_with_what_to_do() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file.db");
    for (bytes, words) in [
        (b"no database at all, but long enough to be read".to_vec(), "no SQLite database"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n".to_vec(), "git lfs pull"),
        ([b"SQLite format 3\0".as_slice(), &[0xff; 4096]].concat(), "damaged"),
    ] {
        std::fs::write(&file, bytes).unwrap();
        let (is_done, told) = import(&home, &file, "anna").await;
        assert!(!is_done && told.contains(words), "{told}");
    }
    let (other, _folder) = Studio::new(&["create table skill (id INTEGER PRIMARY KEY)"]).await.closed().await;
    let (is_done, told) = import(&home, &other, "anna").await;
    assert!(!is_done && told.contains("before 0.4"), "{told}");
    // A view would run what the file says, here without end.
    let endless = "create view team as with recursive all_(id, component, created_at, user_id) as \
                   (select 1, '{}', '', '' union all select id + 1, component, '', '' from all_) select * from all_";
    let (view, _folder) = Studio::new(&[endless, TABLES[3]]).await.closed().await;
    let (is_done, told) = import(&home, &view, "anna").await;
    assert!(!is_done && told.contains("no teams and sessions"), "{told}");
    let (is_done, told) = import(&home, &folder.path().join("missing.db"), "anna").await;
    assert!(!is_done && told.contains("cannot be read"), "{told}");
    let (is_done, told) = import(&home, &file, "nobody").await;
    assert!(!is_done && told.contains("There is no account nobody"), "{told}");
}

#[tokio::test]
async fn what_is_hostile_in_a_database_is_left_out_and_the_rest_comes() {
    let mut studio = studio().await;
    // More than is read of one value, parts within parts without end, and no JSON.
    studio.insert("insert into team (id, component) values (2, ?)", &["x".repeat(5 << 20)]).await;
    studio.insert("insert into team (id, component) values (3, ?)", &["[".repeat(100_000)]).await;
    let nested = (0..60).fold(agent("inner"), |inner, _| {
        let mut outer = team();
        outer["config"]["participants"] = json!([inner]);
        outer
    });
    studio.team("4", &nested).await;
    studio
        .insert(
            "insert into team (id, component) values (5, ?)",
            &[json!({ "provider": "os.system" }).to_string()],
        )
        .await;
    studio
        .insert(
            "insert into session (id, team_id, name, created_at) values (2, 99, ?, 'yesterday')",
            &["n".repeat(100_000)],
        )
        .await;
    studio
        .insert(
            "insert into run (id, session_id, status, task) values (9, 77, 'COMPLETE', ?)",
            &[json!({ "content": "Alone." }).to_string()],
        )
        .await;
    studio
        .insert("insert into message (run_id, created_at, config) values (1, 'never', ?)", &["{".to_owned()])
        .await;
    let (file, _folder) = studio.closed().await;
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let (_server, anna) = anna_at(home).await;
    let (status, told) = send(&anna, std::fs::read(&file).unwrap()).await;
    assert_eq!((status, &told["runs"], &told["sessions"]), (200, &json!(5), &json!(2)), "{told}");
    assert_eq!(told["teams"].as_array().unwrap().len(), 1, "{told}");
    let left_out = told["left_out"].as_array().unwrap();
    for team in ["Team 2", "Team 3", "Team 4", "Team 5"] {
        let is_told = left_out.iter().any(|line| line.as_str().unwrap().starts_with(team));
        assert!(is_told, "{team} is not among {left_out:?}");
    }
    // A run whose session is not there stands by itself.
    let runs = runs(&anna).await;
    assert_eq!(run_of(&runs, "Alone.")["status"], "succeeded");
}
