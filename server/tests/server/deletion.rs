//! Runs can be deleted by whom they belong to, when they are over, and only then.

use futures::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Home, Socket, Visitor, read_to_end};

async fn delete(visitor: &Visitor, run: &str) -> u16 {
    visitor.answer("DELETE", &format!("/api/v1/runs/{run}"), None).await.0
}

/// Waits for the word that a run was deleted.
async fn hear_of_removal(feed: &mut Socket, run: &str) {
    let removed = json!({ "control": "removed", "run": run });
    loop {
        let Message::Text(text) = feed.next().await.expect("the feed goes on").unwrap() else { continue };
        if serde_json::from_str::<Value>(&text).unwrap() == removed {
            return;
        }
    }
}

#[tokio::test]
async fn a_run_that_is_over_is_deleted_by_its_owner_and_lists_are_told() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let run = anna.finished_run().await;
    anna.post(&format!("/api/v1/runs/{run}/shares"), json!({})).await;
    let fork = json!({ "point": { "type": "after", "node": "market_analyst", "visit": 1 } });
    let fork = anna.post(&format!("/api/v1/runs/{run}/forks"), fork).await;
    let fork = fork["run"].as_str().unwrap();
    read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{fork}")).await.unwrap()).await;

    assert_eq!(delete(&bert, &run).await, 404);
    let mut feed = anna.socket("/ws/v1/feed").await.unwrap();
    assert_eq!(delete(&anna, &run).await, 204);
    hear_of_removal(&mut feed, &run).await;
    assert_eq!(delete(&anna, &run).await, 404);
    let path = format!("/api/v1/runs/{run}");
    assert_eq!(anna.answer("GET", &path, None).await.0, 404);
    assert_eq!(anna.answer("GET", &format!("{path}/export.jsonl"), None).await.0, 404);
    assert_eq!(anna.socket(&format!("/ws/v1/runs/{run}")).await.err(), Some(404));
    assert_eq!(anna.get("/api/v1/shares").await, json!([]));
    // What continued it has all that it took over, its long texts as well.
    let (status, export) = anna.answer("GET", &format!("/api/v1/runs/{fork}/export.jsonl"), None).await;
    assert_eq!(status, 200);
    assert!(export.contains("market_analyst"));
    let listed = anna.get("/api/v1/runs").await["runs"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["origin"]["run"], run.as_str());
}

#[tokio::test]
async fn a_run_at_work_is_not_deleted() {
    let server = Home::new(&[]).start_kept().await;
    let me = server.program(crate::support::TOKEN);
    let run = me.start_run(1).await;
    let (status, text) = me.answer("DELETE", &format!("/api/v1/runs/{run}"), None).await;
    assert_eq!(status, 409, "{text}");
    assert!(text.contains("Stop it first"), "{text}");
    me.get(&format!("/api/v1/runs/{run}")).await;
    me.post(&format!("/api/v1/runs/{run}/stop"), json!({})).await;
    assert_eq!(delete(&me, &run).await, 204);
}
