//! What is written for AutoGen, loaded by AutoGen itself: by the line that its Studio uses, and by the newest.

use std::{collections::BTreeMap, path::Path, process::Stdio};

use serde_json::{Map, Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::support::{Home, Server, Visitor};

/// The line that AutoGen Studio 0.4.2 uses, and the newest one.
const LINES: [&str; 2] = ["0.5.7", "0.7.5"];
/// Whose keys AutoGen looks for where a file has none, as an exported one never has.
const KEYS: [&str; 3] = ["OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY"];

/// What a line of AutoGen answers.
async fn line(version: &str, act: &str, input: &Value) -> Map<String, Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/autogen/lines.py");
    let mut command = Command::new("python-of-autogen");
    command.arg(script).args([version, act]).envs(KEYS.map(|name| (name, "a-key-that-nobody-takes")));
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut python = pipes.spawn().expect("AutoGen is installed by scripts/setup.sh test");
    let mut stdin = python.stdin.take().unwrap();
    let text = input.to_string();
    let write = async move { stdin.write_all(text.as_bytes()).await };
    // Who writes does not read its input, which then may be refused.
    let (output, _) = tokio::join!(python.wait_with_output(), write);
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn anna() -> (Server, Visitor) {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    (server, anna)
}

/// The documents that these files become.
async fn imported(anna: &Visitor, files: &[(&str, String)]) -> Vec<String> {
    let files: Vec<Value> = files.iter().map(|(name, text)| json!({ "name": name, "text": text })).collect();
    let imported = anna.post("/api/v1/teams/import", json!({ "files": files })).await;
    let documents: Vec<String> = imported["teams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|team| team["document"].as_str().unwrap().to_owned())
        .collect();
    assert!(!documents.is_empty(), "{imported}");
    documents
}

async fn exported(anna: &Visitor, document: &str, format: &str) -> Value {
    let (status, text) =
        anna.answer("GET", &format!("/api/v1/teams/{document}/exports/{format}/team.json"), None).await;
    assert_eq!(status, 200, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// What each file became that a line wrote, by the line and the file's name.
async fn documents_of_both_lines(anna: &Visitor) -> BTreeMap<(&'static str, String), (Value, String)> {
    let mut documents = BTreeMap::new();
    for version in LINES {
        for (name, component) in line(version, "write", &Value::Null).await {
            let [document] =
                <[String; 1]>::try_from(imported(anna, &[("team.json", component.to_string())]).await)
                    .unwrap();
            documents.insert((version, name), (component, document));
        }
    }
    documents
}

/// What a line loads of each, or why it refuses one.
async fn loads(
    version: &str,
    components: &BTreeMap<String, Value>,
) -> BTreeMap<String, Result<Value, String>> {
    let said = line(version, "load", &json!(components)).await;
    let told = said.into_iter().map(|(name, mut said)| {
        let told = match said["refuses"].as_str() {
            Some(why) => Err(why.to_owned()),
            None => Ok(said["loads"].take()),
        };
        (name, told)
    });
    told.collect()
}

/// Where a part stands in the team of one that it becomes.
fn place_of(file: &str) -> &'static str {
    match file {
        "one agent" => "/participants/0",
        "one model" => "/participants/0/model_client",
        "one condition" => "/termination_condition",
        _ => "",
    }
}

/// What is refused, and whether the reason is the one that is expected.
fn assert_refused(said: &BTreeMap<String, Result<Value, String>>, expected: &[(&str, &str)]) {
    let refused: Vec<_> =
        said.iter().filter_map(|(name, said)| Some((name.as_str(), said.as_ref().err()?))).collect();
    let names: Vec<&str> = refused.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected.iter().map(|(name, _)| *name).collect::<Vec<_>>(), "{refused:#?}");
    for ((name, why), (_, reason)) in refused.iter().zip(expected) {
        assert!(why.contains(reason), "{name}: {why}");
    }
}

#[tokio::test]
async fn what_a_line_of_autogen_writes_is_loaded_by_both_after_it_went_through_here_and_does_the_same() {
    let (_server, anna) = anna().await;
    let documents = documents_of_both_lines(&anna).await;
    let mut files = BTreeMap::new();
    for ((version, name), (_, document)) in &documents {
        files.insert(format!("{version} {name}"), exported(&anna, document, "autogen").await);
    }
    let said = [loads(LINES[0], &files).await, loads(LINES[1], &files).await];
    // AutoGen 0.5 has no teams within teams.
    assert_refused(&said[0], &[("0.7.5 team within a team", "Expected type does not match")]);
    assert_refused(&said[1], &[]);

    for (version, said) in LINES.into_iter().zip(&said) {
        let own = documents.iter().filter(|((by, _), _)| *by == version);
        let own: BTreeMap<String, Value> =
            own.map(|((_, name), (component, _))| (name.clone(), component.clone())).collect();
        let before = loads(version, &own).await;
        // It forgets what it demands of its own files.
        assert_refused(&before, &[("conditions", "max_prompt_token")]);
        for (name, before) in before {
            let Ok(before) = before else { continue };
            let after = said[&format!("{version} {name}")].as_ref().unwrap();
            // Each line has tool servers in a form of its own; what both load is without them.
            if name != "tool servers" {
                assert_eq!(after.pointer(place_of(&name)), Some(&before), "{version} {name}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_written_for_one_line_of_autogen_takes_its_tool_servers_along() {
    let (_server, anna) = anna().await;
    let documents = documents_of_both_lines(&anna).await;
    for (version, format) in LINES.into_iter().zip(["autogen-older", "autogen-newer"]) {
        let mut files = BTreeMap::new();
        for ((by, name), (_, document)) in &documents {
            files.insert(format!("{by} {name}"), exported(&anna, document, format).await);
        }
        let said = loads(version, &files).await;
        let within = [("0.7.5 team within a team", "Expected type does not match")];
        assert_refused(&said, if version == LINES[0] { &within } else { &[] });
        let servers = said[&format!("{version} tool servers")].as_ref().unwrap();
        let kept = servers.pointer("/participants/0/workbench").unwrap().to_string();
        let expected: &[&str] = match version {
            "0.5.7" => &["uvx"],
            _ => &["uvx", "https://example.com/sse", "https://example.com/mcp", "\"name\":\"add\""],
        };
        for part in expected {
            assert!(kept.contains(part), "{version}: {kept}");
        }
        // A variable's name stands there for whoever fills in its value, which is not kept.
        assert!(kept.contains("\"MODE\":\"\"") && !kept.contains("quiet"), "{version}: {kept}");
    }
}

/// Teams that no line of AutoGen has written: of files of other systems, and as they are made here.
async fn documents_of_others(anna: &Visitor) -> BTreeMap<String, String> {
    let mut documents = BTreeMap::new();
    let flat = json!({
        "name": "Desk", "team_type": "RoundRobinGroupChat", "max_turns": 3,
        "participants": [
            { "name": "writer", "agent_type": "AssistantAgent", "system_message": "Write.",
              "model_client": { "model": "gpt-4o", "model_type": "OpenAIChatCompletionClient", "api_key": "" },
              "tools": [{ "name": "add", "content": "def add(a: int, b: int) -> int: return a + b", "tool_type": "PythonFunction" }] },
            { "name": "person", "agent_type": "UserProxyAgent" },
        ],
        "termination_condition": { "termination_type": "MaxMessageTermination", "max_messages": 10 },
    });
    let crew = [
        (
            "agents.yaml",
            "research lead:\n  role: Lead on {topic}\n  goal: Find out\n  backstory: You look closely.\n",
        ),
        (
            "tasks.yaml",
            "look:\n  description: Look\n  expected_output: A list\n  agent: research lead\n\
                        tell:\n  description: Tell\n  expected_output: A text\n  agent: research lead\n",
        ),
    ];
    let [round_robin, selector] = [
        include_str!("../../../crates/teamfile/tests/samples/round_robin.json"),
        include_str!("../../../crates/teamfile/tests/samples/selector.json"),
    ];
    for (name, files) in [
        ("sample in turn", vec![("team.json", round_robin.to_owned())]),
        ("sample that chooses", vec![("team.json", selector.to_owned())]),
        ("of Studio before 0.4.0.4", vec![("team.json", flat.to_string())]),
        ("of CrewAI", crew.map(|(name, text)| (name, text.to_owned())).to_vec()),
    ] {
        let [document] = <[String; 1]>::try_from(imported(anna, &files).await).unwrap();
        documents.insert(name.to_owned(), document);
    }
    // Made here, where the run's model answers and a tool is one of the server.
    let search = json!([{ "name": "search", "kind": { "kind": "server" } }]);
    let agent = |name: &str| json!({ "name": name, "role": { "kind": "assistant", "tools": search, "profile": "mine" } });
    let within = json!({ "name": "board", "conduct": { "kind": "round_robin" }, "participants": [agent("a")], "max_turns": 1 });
    let surfer = json!({ "kind": "unknown", "provider": "autogen_ext.agents.web_surfer.MultimodalWebSurfer", "config": {} });
    let plain = |role: Value| json!([agent("a"), { "name": "b", "role": role }]);
    let person = || json!({ "kind": "user_proxy" });
    let to_b = json!({ "target": "b", "name": "go", "description": "Go.", "message": "Gone." });
    let handing_over = json!({ "name": "a", "role": { "kind": "assistant", "handoffs": [to_b] } });
    let edge = json!([{ "target": "b", "group": "b" }]);
    let graph = json!({ "nodes": [{ "name": "a", "edges": edge }, { "name": "b" }] });
    let steps = json!([{ "name": "draft", "agent": "a", "description": "Write." }]);
    for (name, conduct, participants) in [
        ("made: in turn", json!({ "kind": "round_robin" }), plain(person())),
        ("made: a model chooses", json!({ "kind": "selector" }), plain(person())),
        ("made: handing over", json!({ "kind": "swarm" }), json!([handing_over, agent("b")])),
        ("made: a model leads", json!({ "kind": "magentic_one" }), plain(person())),
        ("made: a graph", json!({ "kind": "graph_flow", "graph": graph }), plain(person())),
        ("made: steps", json!({ "kind": "steps", "steps": steps }), plain(person())),
        (
            "made: one voice",
            json!({ "kind": "round_robin" }),
            plain(json!({ "kind": "society_of_mind", "team": within })),
        ),
        (
            "made: tokens",
            json!({ "kind": "round_robin" }),
            plain(json!({ "kind": "assistant", "context": { "kind": "token_limited" } })),
        ),
        ("made: names", json!({ "kind": "round_robin" }), json!([agent("Ana Maria"), agent("Ana_Maria")])),
        ("made: one of its own package", json!({ "kind": "round_robin" }), plain(surfer)),
        (
            "made: one who is only named",
            json!({ "kind": "round_robin" }),
            plain(json!({ "kind": "missing", "reference": "editor" })),
        ),
        (
            "made: a team in a team",
            json!({ "kind": "round_robin" }),
            plain(json!({ "kind": "team", "team": within })),
        ),
    ] {
        let team = json!({ "name": "My own team", "conduct": conduct, "participants": participants, "max_turns": 2 });
        let document = json!({ "kind": "team", "title": name, "content": { "version": 1, "team": team } });
        let made = anna.post("/api/v1/documents", document).await;
        documents.insert(name.to_owned(), made["summary"]["id"].as_str().unwrap().to_owned());
    }
    documents
}

#[tokio::test]
async fn teams_of_other_files_and_teams_that_are_made_here_are_loaded_by_both_lines_of_autogen() {
    let (_server, anna) = anna().await;
    let documents = documents_of_others(&anna).await;
    let mut files = BTreeMap::new();
    for (name, document) in &documents {
        files.insert(name.clone(), exported(&anna, document, "autogen").await);
    }
    let named = ("made: one who is only named", "Field required");
    let package = ("made: one of its own package", "playwright");
    let [older, newer] = [loads(LINES[0], &files).await, loads(LINES[1], &files).await];
    assert_refused(&older, &[("made: a team in a team", "Expected type does not match"), package, named]);
    assert_refused(&newer, &[package, named]);
    // Nothing that keeps it from being loaded, and nothing that takes the place of what was there, goes without a word.
    for (name, told) in [
        ("made: in turn", "the file says gpt-4o of OpenAI"),
        ("made: one who is only named", "AutoGen cannot load it"),
        ("made: a team in a team", "AutoGen 0.5 takes none within another"),
    ] {
        let export = anna.get(&format!("/api/v1/teams/{}/exports/autogen", documents[name])).await;
        assert!(export["losses"].to_string().contains(told), "{name}: {}", export["losses"]);
    }
}
