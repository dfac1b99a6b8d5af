//! Durable appends a second.

use std::time::{Duration, Instant};

use journal::Journal;
use tokio::task::JoinSet;

use crate::{
    bare_log::BareLog,
    pitwall::folder,
    report::{Better, Figure},
    sample::{self, BATCH},
};

const PERIOD: Duration = Duration::from_millis(1500);
const ROUNDS: usize = 2;

/// One producer of batches, and many of single events that share commits.
pub async fn rates() -> Vec<Figure> {
    let (mut one, mut many, mut bare) = (0.0_f64, 0.0_f64, 0.0_f64);
    for _ in 0..ROUNDS {
        one = one.max(journal(1, BATCH).await);
        many = many.max(journal(BATCH, 1).await);
        bare = bare.max(bare_log().await);
    }
    let figure = |name, measured| {
        let limited_by = "bare SQLite commits of 64 rows";
        Figure::new(name, "events/s", Better::More, measured, bare, limited_by)
    };
    vec![
        figure("durable appends, 1 producer of 64 events", one),
        figure("durable appends, 64 producers of 1 event", many),
    ]
}

/// Runs that each append `size` events again and again.
async fn journal(producers: usize, size: usize) -> f64 {
    let folder = folder();
    let journal = Journal::open(&folder.path().join("journal.db")).await.unwrap();
    let mut ready = Vec::new();
    for _ in 0..producers {
        let run = sample::new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, vec![sample::started()]).await.unwrap();
        ready.push((run, epoch));
    }
    let begin = Instant::now();
    let mut working = JoinSet::new();
    for (run, epoch) in ready {
        let journal = journal.clone();
        working.spawn(async move {
            let mut stored = 0;
            while begin.elapsed() < PERIOD {
                stored += journal.append(run, epoch, vec![sample::line(); size]).await.unwrap().len();
            }
            stored
        });
    }
    let stored: usize = working.join_all().await.into_iter().sum();
    let rate = stored as f64 / begin.elapsed().as_secs_f64();
    journal.close().await;
    rate
}

async fn bare_log() -> f64 {
    let folder = folder();
    let run = sample::new_run();
    let mut log = BareLog::open(folder.path(), run).await;
    let rows = sample::encoded(run, 1, BATCH);
    let begin = Instant::now();
    let mut stored = 0;
    while begin.elapsed() < PERIOD {
        log.commit(&rows).await;
        stored += rows.len();
    }
    stored as f64 / begin.elapsed().as_secs_f64()
}
