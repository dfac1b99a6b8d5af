//! Frames delivered a second to live subscribers of one run.

use std::time::Instant;

use tokio::task::JoinSet;

use crate::{
    bare_log::BareLog,
    bare_socket::BareFeed,
    clients::{self, Client},
    pitwall::{Pitwall, folder},
    report::{Better, Figure},
    sample::{self, BATCH},
};

const ROUNDS: usize = 4;

/// To one, to some and to many.
pub async fn rates() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (subscribers, batches) in [(1, 256), (100, 64), (1000, 16)] {
        let (mut measured, mut limit) = (0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            measured = measured.max(pitwall(subscribers, batches).await);
            limit = limit.max(bare(subscribers, batches).await);
        }
        let name = format!("frames to {subscribers} subscribers");
        let limited_by = "bare SQLite commits of 64 rows, each then sent by a bare WebSocket handler";
        figures.push(Figure::new(name, "frames/s", Better::More, measured, limit, limited_by));
    }
    figures
}

async fn pitwall(subscribers: usize, batches: usize) -> f64 {
    let pitwall = Pitwall::open().await;
    let journal = &pitwall.service.journal;
    let run = sample::new_run();
    let epoch = journal.claim(run).await.unwrap();
    journal.append(run, epoch, vec![sample::started()]).await.unwrap();
    let path = format!("/ws/v1/runs/{run}?after=1");
    let clients = clients::connect(pitwall.listen().await, &path, subscribers).await;
    let begin = Instant::now();
    let receiving = receive(clients, batches);
    for _ in 0..batches {
        journal.append(run, epoch, vec![sample::line(); BATCH]).await.unwrap();
    }
    let frames = receiving.join_all().await.into_iter().sum::<u64>();
    let rate = frames as f64 / begin.elapsed().as_secs_f64();
    journal.close().await;
    rate
}

/// What is sent must be durable first, so the bare handler commits, too.
async fn bare(subscribers: usize, batches: usize) -> f64 {
    let folder = folder();
    let run = sample::new_run();
    let mut log = BareLog::open(folder.path(), 1).await;
    let feed = BareFeed::default();
    let clients = clients::connect(feed.listen().await, "/", subscribers).await;
    let begin = Instant::now();
    let receiving = receive(clients, batches);
    for batch in 0..batches {
        let rows = sample::encoded(run, (2 + batch * BATCH) as u64, BATCH);
        log.commit(&rows).await;
        feed.publish(rows.into_iter().map(Into::into));
    }
    let frames = receiving.join_all().await.into_iter().sum::<u64>();
    frames as f64 / begin.elapsed().as_secs_f64()
}

/// Each client in a task, until it has all; comes to the frames that each received.
fn receive(clients: Vec<Client>, batches: usize) -> JoinSet<u64> {
    let expected = (batches * BATCH) as u64;
    let mut receiving = JoinSet::new();
    for mut client in clients {
        let greeting = client.received();
        receiving.spawn(async move {
            client.receive_until(greeting + expected).await.unwrap();
            expected
        });
    }
    receiving
}
