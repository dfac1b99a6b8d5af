//! Durable appends a second.

use std::{
    iter,
    time::{Duration, Instant},
};

use journal::Journal;
use tokio::task::JoinSet;

use crate::{
    bare_log::BareLog,
    pitwall::folder,
    report::{Better, Figure},
    rounds::medians,
    sample::{self, BATCH},
};

const PERIOD: Duration = Duration::from_millis(600);

/// How many runs and producers append how many events at once.
#[derive(Clone, Copy)]
struct Load {
    runs: usize,
    producers_a_run: usize,
    events: usize,
}

/// One producer of batches, and many of single events that share commits.
pub async fn rates() -> Vec<Figure> {
    let batches = Load { runs: 1, producers_a_run: 1, events: BATCH };
    // As many runs, and nodes in each, as a server works on at the same time.
    let singles = Load { runs: 8, producers_a_run: 8, events: 1 };
    vec![
        rate("durable appends, 1 producer of 64 events", batches).await,
        rate("durable appends, 64 producers of 1 event", singles).await,
    ]
}

async fn rate(name: &str, load: Load) -> Figure {
    let (measured, limit) = medians(async || journal(load).await, async || bare(load.runs).await).await;
    let limited_by = "bare SQLite commits of 64 rows, of as many runs";
    Figure::new(name, "events/s", Better::More, measured, limit, limited_by)
}

async fn journal(load: Load) -> f64 {
    let folder = folder();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let mut ready = Vec::new();
    for _ in 0..load.runs {
        let run = sample::new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, vec![sample::started()]).await.unwrap();
        ready.extend(iter::repeat_n((run, epoch), load.producers_a_run));
    }
    let begin = Instant::now();
    let mut working = JoinSet::new();
    for (run, epoch) in ready {
        let journal = journal.clone();
        working.spawn(async move {
            let mut stored = 0;
            while begin.elapsed() < PERIOD {
                stored += journal.append(run, epoch, vec![sample::line(); load.events]).await.unwrap().len();
            }
            stored
        });
    }
    let stored: usize = working.join_all().await.into_iter().sum();
    let rate = stored as f64 / begin.elapsed().as_secs_f64();
    journal.close().await;
    rate
}

async fn bare(runs: usize) -> f64 {
    let folder = folder();
    let mut log = BareLog::open(folder.path(), runs).await;
    let rows = sample::encoded(sample::new_run(), 1, BATCH);
    let begin = Instant::now();
    let mut stored = 0;
    while begin.elapsed() < PERIOD {
        log.commit(&rows).await;
        stored += rows.len();
    }
    stored as f64 / begin.elapsed().as_secs_f64()
}
