//! Lessons over REST and on their page, each account's own.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Home, Visitor};

/// Starts a run and waits for its end.
async fn run(visitor: &Visitor, workflow: Value) -> Value {
    let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
    let started = visitor.post("/api/v1/runs", json!({ "workflow": workflow, "model": model })).await;
    let path = format!("/api/v1/runs/{}", started["run"].as_str().unwrap());
    loop {
        let summary = visitor.get(&path).await["summary"].clone();
        if !summary["finished_at"].is_null() {
            assert_eq!(summary["status"], "succeeded", "{summary}");
            return summary;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn lessons_are_listed_and_searched_and_are_nobody_elses() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    home.add_account("vera", "viewer").await;
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    assert_eq!(anna.get("/api/v1/lessons").await, json!({ "lessons": [], "total": 0 }));
    for ticker in ["AAPL", "KO", "LLY"] {
        run(
            &anna,
            json!({ "type": "pipeline", "ticker": ticker, "date": "2022-06-30", "analysts": ["market"] }),
        )
        .await;
    }
    let reflection = run(&anna, json!({ "type": "reflect", "date": "2022-08-01" })).await;
    assert_eq!(reflection["title"], "Reflection · decisions · 2022-08-01");

    let all = anna.get("/api/v1/lessons").await;
    assert_eq!((all["total"].as_u64(), all["lessons"].as_array().unwrap().len()), (Some(3), 3));
    let one = &all["lessons"][0];
    assert_eq!((&one["written_by"], &one["relevance"]), (&reflection["run"], &Value::Null));
    assert_eq!(one["lesson"]["score"]["until"], "2022-08-01");
    let found = anna.get("/api/v1/lessons?search=%22NEAR(+*+ko&limit=1").await;
    assert_eq!(found["total"], 1);
    assert_eq!(found["lessons"][0]["lesson"]["ticker"], "KO");
    assert!(found["lessons"][0]["relevance"].is_string(), "{found}");
    assert_eq!(anna.get("/api/v1/lessons?known_by=2022-07-31").await["total"], 0);
    assert_eq!(anna.answer("GET", "/api/v1/lessons?known_by=soon", None).await.0, 422);

    let (status, page) = anna.answer("GET", "/lessons?q=ko", None).await;
    assert_eq!(status, 200);
    assert!(page.contains("1 lesson") && page.contains("Overweight of 30 Jun 2022"), "{page}");
    for (visitor, words) in
        [(&bert, "There is no lesson yet"), (&server.program_of("vera").await, "There is no lesson yet")]
    {
        assert_eq!(visitor.get("/api/v1/lessons").await["total"], 0);
        let (_, page) = visitor.answer("GET", "/lessons", None).await;
        assert!(page.contains(words) && !page.contains("LLY"), "{page}");
    }
}
