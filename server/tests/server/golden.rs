//! What an earlier version stored and exported: a data folder and files of commit 52f06b2, made by that
//! version with the rehearsal, and what it said of each run. Runs of every kind that it had: analysed,
//! traded with approvals, stopped, ended by a limit, continued, asked beside; two were still at work.

use std::path::{Path, PathBuf};

use protocol::{
    Body, Event, InputForm, RunView,
    trading::{Rating, Trade},
};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::support::{Home, Server, TOKEN};

const RUNS: [&str; 5] = ["pipeline", "portfolio", "stopped", "limited", "continued"];
/// Parts of a view that only say what happened.
const PARTS: [&str; 10] =
    ["status_reason", "nodes", "edges", "calls", "tools", "reports", "state", "inputs", "approval", "chats"];

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
    assert_products(server, run, &now, &then, name).await;
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

/// What then was a part of the view of its own, or an entry of the transcript, is a product now.
async fn assert_products(server: &Server, run: &str, now: &Value, then: &Value, name: &str) {
    let mut products: Vec<(String, Value)> = Vec::new();
    for product in now["products"].as_array().unwrap() {
        let data = match product["data"].as_str() {
            Some(whole) => whole.to_owned(),
            None => {
                let digest = product["data"]["digest"].as_str().unwrap();
                server.text(&format!("/api/v1/runs/{run}/texts/{digest}")).await
            }
        };
        let kind = product["kind"].as_str().unwrap().to_owned();
        products.push((kind, serde_json::from_str(&data).unwrap()));
    }
    let all = |kind: &str| -> Vec<Value> {
        products.iter().filter(|(known, _)| known == kind).map(|(_, data)| data.clone()).collect()
    };
    for (part, kind) in
        [("rating", "trading.rating"), ("decision", "trading.decision"), ("portfolio", "trading.portfolio")]
    {
        assert_eq!(all(kind).last().cloned().unwrap_or_default(), then[part], "{name}.{part}");
    }
    for (part, kind) in [("trades", "trading.trade"), ("rejected", "trading.rejected_order")] {
        assert_eq!(json!(all(kind)), then[part], "{name}.{part}");
    }
    let (turns, turns_then) = (now["turns"].as_array().unwrap(), then["turns"].as_array().unwrap());
    assert_eq!(turns.len(), turns_then.len(), "{name}.turns");
    for (index, (now, then)) in turns.iter().zip(turns_then).enumerate() {
        let place = format!("{name}.turns[{index}]");
        let kind = match then["content"]["type"].as_str().unwrap() {
            "rating" => "trading.rating",
            "decision" => "trading.decision",
            "trade" => "trading.trade",
            "rejected" => "trading.rejected_order",
            _ => {
                assert_says(now, then, &place);
                continue;
            }
        };
        for part in ["seq", "at", "node"] {
            assert_eq!(now[part], then[part], "{place}");
        }
        assert_eq!(now["content"]["type"], "product", "{place}");
        let (found, data) = &products[now["content"]["index"].as_u64().unwrap() as usize];
        assert_eq!(found, kind, "{place}");
        let mut content = then["content"].clone();
        content.as_object_mut().unwrap().remove("type");
        assert_says(data, &content, &place);
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
    for run in runs {
        // What then stood in the parameters alone is said of each run now.
        let workflow = &run["request"]["workflow"];
        let subject =
            if workflow["type"] == "pipeline" { &workflow["ticker"] } else { &workflow["portfolio"] };
        assert_eq!((&run["subject"], &run["as_of"]), (subject, &workflow["date"]));
    }
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
    let rating = now.documents::<Rating>().last().unwrap();
    assert_eq!(json!(rating), then["rating"], "the same questions, the same rating");
    assert_eq!(now.summary.title, then["summary"]["title"]);
    assert_eq!(now.summary.subject.as_deref(), Some("LLY"));

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
    let is_trade = |event: &&Event| matches!(&event.body, Body::Produced(made) if made.holds::<Trade>());
    let traded = log.iter().filter(is_trade).count();
    let after = server.get("/api/v1/portfolios/golden").await["trades"].as_array().unwrap().len();
    assert_eq!(after, before + traded);
}

#[tokio::test]
async fn a_log_of_a_kind_that_nobody_knows_is_listed_opened_exported_and_deleted() {
    let server = Home::new(&[]).start_kept().await;
    let file = text("portfolio.jsonl").replace("\"type\":\"portfolio\"", "\"type\":\"opera\"");
    let (status, accepted) = server.post_text("/api/v1/runs/import", file.clone()).await;
    assert_eq!(status, 201, "{accepted}");
    let run = accepted["run"].as_str().unwrap();
    let listed = server.get("/api/v1/runs?kind=opera").await;
    assert_eq!(listed["runs"][0]["title"], "opera · made by another version");
    assert_eq!(listed["runs"][0]["result"], view_of_then("portfolio")["summary"]["result"]);
    let browser = server.program(TOKEN).with("accept", "text/html");
    for view in ["", "?view=transcript", "?view=timeline", "?view=events"] {
        let (status, page) = browser.answer("GET", &format!("/runs/{run}{view}"), None).await;
        assert_eq!(status, 200, "{view}");
        assert!(page.contains("opera · made by another version"), "{view}");
    }
    let again = server.text(&format!("/api/v1/runs/{run}/export.jsonl")).await;
    assert_eq!(again.lines().count(), file.lines().count());
    assert!(again.contains("\"type\":\"opera\",\"portfolio\":"), "its parameters are kept");
    let (status, _) = server.program(TOKEN).answer("DELETE", &format!("/api/v1/runs/{run}"), None).await;
    assert_eq!(status, 204);

    let workflow = json!({ "type": "opera", "portfolio": "golden" });
    let (status, refused) = server.post("/api/v1/runs", json!({ "workflow": workflow })).await;
    assert_eq!(status, 422);
    assert_eq!(refused["detail"], "This version of Pitwall knows no workflow of the kind opera.");
}

#[tokio::test]
async fn an_unfinished_run_of_a_kind_that_nobody_knows_keeps_no_server_from_starting_and_can_be_deleted() {
    let home = on_data_of_then().await;
    let file = SqliteConnectOptions::new().filename(home.data().join("pitwall.db"));
    let mut connection = file.connect().await.unwrap();
    for change in [
        "update event set json = replace(json, '\"type\":\"pipeline\",\"ticker\":\"MSFT\"', \
         '\"type\":\"opera\",\"ticker\":\"MSFT\"') where seq = 1",
        "update run set kind = 'opera', summary = replace(summary, '\"type\":\"pipeline\"', '\"type\":\"opera\"') \
         where finished = 0 and kind = 'pipeline'",
    ] {
        sqlx::query(change).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    let server = home.start_kept().await;
    let listed = server.get("/api/v1/runs?kind=opera").await;
    let run = &listed["runs"][0];
    assert!(run["title"].as_str().unwrap().starts_with("Pipeline · MSFT"), "as it was called: {run}");
    assert!(run["finished_at"].is_null());
    let path = format!("/api/v1/runs/{}", run["run"].as_str().unwrap());
    assert_eq!(server.get(&path).await["summary"]["request"]["workflow"]["type"], "opera");
    let (status, _) = server.program(TOKEN).answer("DELETE", &path, None).await;
    assert_eq!(status, 204);
    assert_eq!(server.get("/api/v1/runs?kind=opera").await["runs"], json!([]));
}
