//! The time from a person's word to stop a run until what was in flight is dropped and the run's end
//! is in the log and at a client.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{
    bare_log::BareLog,
    clients::{Client, post},
    pitwall::{Pitwall, folder},
    report::{Better, Figure},
    rounds::percentile,
    sample,
};

const RUNS: usize = 50;
/// Milliseconds after which nothing may begin and nothing be in flight.
const AT_MOST: f64 = 200.0;
/// Frames of a run's beginning: the greeting, the plan, and four analysts that ask the model.
const UNDER_WAY: u64 = 25;

/// The median, and what 99 of 100 stops keep to.
pub async fn percentiles() -> Vec<Figure> {
    let pitwall = Pitwall::open().await;
    let address = pitwall.listen().await;
    let limit_folder = folder();
    let mut bare = BareLog::open(limit_folder.path(), 1).await;
    let row = sample::encoded(sample::new_run(), 1, 1);
    let request = json!({
        "workflow": { "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" },
        // So slow that the first answers are still being written.
        "model": { "type": "rehearsal", "characters_per_second": 5 },
    });
    let (mut measured, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let started = post(address, "/api/v1/runs", &request).await.unwrap();
        let run = started["run"].as_str().unwrap();
        let mut client = Client::connect(address, &format!("/ws/v1/runs/{run}?after=0")).await.unwrap();
        client.receive_until(UNDER_WAY).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let begin = Instant::now();
        let (path, because) = (format!("/api/v1/runs/{run}/stop"), json!({}));
        let (_, ended) = tokio::join!(post(address, &path, &because), client.closed());
        ended.unwrap();
        measured.push(1000.0 * begin.elapsed().as_secs_f64());

        let begin = Instant::now();
        bare.commit(&row).await;
        limit.push(1000.0 * begin.elapsed().as_secs_f64());
    }
    pitwall.service.journal.close().await;
    let parts = [("stop to the end of all work, p50", 50), ("stop to the end of all work, p99", 99)];
    let figure = |(name, part)| {
        let (measured, limit) = (percentile(&mut measured, part), percentile(&mut limit, part));
        let limited_by = "a bare SQLite commit of 1 row";
        Figure::new(name, "ms", Better::Less, measured, limit, limited_by).at_most(AT_MOST)
    };
    parts.map(figure).into()
}
