//! What an earlier version stored and exported: a data folder and files of commit 52f06b2, made by that
//! version with the rehearsal, and what it said of each run. Runs of every kind that it had: analysed,
//! traded with approvals, stopped, ended by a limit, continued, asked beside; two were still at work.

use std::path::{Path, PathBuf};

use protocol::{Body, InputForm, RunView};
use serde_json::{Value, json};

use crate::support::{Home, Server, TOKEN};

const RUNS: [&str; 5] = ["pipeline", "portfolio", "stopped", "limited", "continued"];
/// Parts of a view that only say what happened.
const PARTS: [&str; 16] = [
    "status_reason",
    "nodes",
    "edges",
    "calls",
    "tools",
    "turns",
    "reports",
    "state",
    "inputs",
    "approval",
    "chats",
    "rating",
    "decision",
    "trades",
    "rejected",
    "portfolio",
];

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(golden(name)).unwrap()
}

fn view_of_then(name: &str) -> Value {
    serde_json::from_str(&text(&format!("{name}.view.json"))).unwrap()
}

/// Everything that was said then is said now. Later versions may say more.
fn assert_says(now: &Value, then: &Value, place: &str) {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => {
            for (field, then) in then {
                let missing = Value::Null;
                assert_says(now.get(field).unwrap_or(&missing), then, &format!("{place}.{field}"));
            }
        }
        (Value::Array(now), Value::Array(then)) => {
            assert_eq!(now.len(), then.len(), "{place}");
            for (index, (now, then)) in now.iter().zip(then).enumerate() {
                assert_says(now, then, &format!("{place}[{index}]"));
            }
        }
        _ => assert_eq!(now, then, "{place}"),
    }
}

async fn assert_view(server: &Server, run: &str, name: &str) {
    let now = server.get(&format!("/api/v1/runs/{run}")).await;
    let mut then = view_of_then(name);
    if !now["summary"]["imported_from"].is_null() {
        // The run that it continued is not here, so nothing of it is taken over.
        for node in then["nodes"].as_array_mut().unwrap() {
            for visit in node["visits"].as_array_mut().unwrap() {
                visit["inherited"] = json!(false);
            }
        }
    }
    for part in PARTS {
        assert_says(&now[part], &then[part], &format!("{name}.{part}"));
    }
    for part in ["title", "status", "error", "result", "nodes", "nodes_done", "request"] {
        assert_says(&now["summary"][part], &then["summary"][part], &format!("{name}.{part}"));
    }
    let browser = server.program(TOKEN).with("accept", "text/html");
    for view in ["", "?view=transcript", "?view=timeline", "?view=events"] {
        let (status, page) = browser.answer("GET", &format!("/runs/{run}{view}"), None).await;
        assert_eq!(status, 200, "{name}{view}");
        assert!(page.contains(then["summary"]["title"].as_str().unwrap()), "{name}{view}");
    }
}

/// The server of now on the data of then.
async fn on_data_of_then() -> Home {
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::copy(golden("pitwall.db"), home.data().join("pitwall.db")).unwrap();
    home
}

#[tokio::test]
async fn files_of_then_are_taken_in_and_shown_as_then() {
    let server = Home::new(&[]).start_kept().await;
    for name in RUNS {
        let file = text(&format!("{name}.jsonl"));
        let (status, accepted) = server.post_text("/api/v1/runs/import", file.clone()).await;
        assert_eq!(status, 201, "{name}: {accepted}");
        let run = accepted["run"].as_str().unwrap();
        assert_view(&server, run, name).await;
        let again = server.text(&format!("/api/v1/runs/{run}/export.jsonl")).await;
        assert_eq!(again.lines().count(), file.lines().count(), "{name}");
    }
}

#[tokio::test]
async fn a_data_folder_of_then_is_served_and_its_runs_go_on() {
    let server = on_data_of_then().await.start_kept().await;
    let listed = server.get("/api/v1/runs").await;
    let runs = listed["runs"].as_array().unwrap();
    assert_eq!(runs.len(), RUNS.len() + 2);
    for name in RUNS {
        let run = view_of_then(name)["summary"]["run"].as_str().unwrap().to_owned();
        assert_view(&server, &run, name).await;
    }

    // A run that has ended is continued.
    let pipeline = view_of_then("pipeline")["summary"]["run"].as_str().unwrap().to_owned();
    let fork = json!({ "point": { "type": "before", "node": "trader" } });
    let (status, forked) = server.post(&format!("/api/v1/runs/{pipeline}/forks"), fork).await;
    assert_eq!(status, 201, "{forked}");
    let log = server.events_to_end(forked["run"].as_str().unwrap().parse().unwrap(), 0).await;
    let now = RunView::fold(&log).unwrap();
    let then = view_of_then("continued");
    assert_eq!(json!(now.rating), then["rating"], "the same questions, the same rating");

    // What was at work is taken up: one is approved to its end, the other is stopped.
    let open = |title: &str| {
        let found = runs.iter().find(|run| run["title"].as_str().unwrap().starts_with(title));
        let found = found.filter(|run| run["finished_at"].is_null()).unwrap();
        found["run"].as_str().unwrap().to_owned()
    };
    let (waits, slow) = (open("Portfolio"), open("Pipeline · MSFT"));
    let (status, stopped) = server.post(&format!("/api/v1/runs/{slow}/stop"), json!({})).await;
    assert_eq!(status, 202, "{stopped}");
    let program = server.program(TOKEN);
    let before = server.get("/api/v1/portfolios/golden").await["trades"].as_array().unwrap().len();
    loop {
        let view: RunView =
            serde_json::from_value(server.get(&format!("/api/v1/runs/{waits}")).await).unwrap();
        if view.summary.status.is_over() {
            assert_eq!(json!(view.summary.status), "succeeded", "{:?}", view.status_reason);
            break;
        }
        for input in view.open_inputs() {
            let InputForm::Approval(form) = &input.request.form else { panic!("an approval is asked for") };
            let answer = json!({ "type": "approved", "digest": form.digest });
            let path = format!("/api/v1/runs/{waits}/inputs/{}", input.request.input);
            program.answer("POST", &path, Some(&answer)).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let log = server.events_to_end(waits.parse().unwrap(), 0).await;
    let traded = log.iter().filter(|event| matches!(event.body, Body::TradeExecuted(_))).count();
    let after = server.get("/api/v1/portfolios/golden").await["trades"].as_array().unwrap().len();
    assert_eq!(after, before + traded);
}
