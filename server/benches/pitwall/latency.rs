//! The time from the beginning of an append to the event's arrival at a client.

use std::time::{Duration, Instant};

use journal::Epoch;
use protocol::RunId;
use tempfile::TempDir;

use crate::{
    bare_log::BareLog,
    bare_socket::BareFeed,
    clients::Client,
    pitwall::{Pitwall, folder},
    report::{Better, Figure},
    rounds::percentile,
    sample,
};

/// Events of each, one at a time.
const EVENTS: usize = 1000;
const PAUSE: Duration = Duration::from_millis(5);

/// The median, and what 99 of 100 events keep to.
pub async fn percentiles() -> Vec<Figure> {
    let (mut pitwall, mut bare) = (PitwallLine::open().await, BareLine::open().await);
    let (mut measured, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..EVENTS {
        tokio::time::sleep(PAUSE).await;
        measured.push(pitwall.pass().await);
        tokio::time::sleep(PAUSE).await;
        limit.push(bare.pass().await);
    }
    pitwall.pitwall.service.journal.close().await;
    let limited_by = "a bare SQLite commit of 1 row, then a bare WebSocket handler";
    let parts = [("commit to client, p50", 50), ("commit to client, p99", 99)];
    let figure = |(name, part)| {
        let (measured, limit) = (percentile(&mut measured, part), percentile(&mut limit, part));
        Figure::new(name, "ms", Better::Less, measured, limit, limited_by)
    };
    parts.map(figure).into()
}

/// A run, and a client that follows it.
struct PitwallLine {
    pitwall: Pitwall,
    run: RunId,
    epoch: Epoch,
    client: Client,
}

impl PitwallLine {
    async fn open() -> Self {
        let pitwall = Pitwall::open().await;
        let journal = &pitwall.service.journal;
        let run = sample::new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, vec![sample::started()]).await.unwrap();
        let path = format!("/ws/v1/runs/{run}?after=1");
        let client = Client::connect(pitwall.listen().await, &path).await.unwrap();
        Self { pitwall, run, epoch, client }
    }

    /// Milliseconds that one event takes.
    async fn pass(&mut self) -> f64 {
        let begin = Instant::now();
        let journal = &self.pitwall.service.journal;
        let append = journal.append(self.run, self.epoch, vec![sample::line()]);
        let (appended, time) = tokio::join!(append, arrival(&mut self.client, begin));
        appended.unwrap();
        time
    }
}

/// The same with the least that can be.
struct BareLine {
    log: BareLog,
    feed: BareFeed,
    client: Client,
    rows: Vec<String>,
    _folder: TempDir,
}

impl BareLine {
    async fn open() -> Self {
        let folder = folder();
        let log = BareLog::open(folder.path(), 1).await;
        let feed = BareFeed::default();
        let client = Client::connect(feed.listen().await, "/").await.unwrap();
        Self { log, feed, client, rows: sample::encoded(sample::new_run(), 1, 1), _folder: folder }
    }

    async fn pass(&mut self) -> f64 {
        let begin = Instant::now();
        let append = async {
            self.log.commit(&self.rows).await;
            self.feed.publish(self.rows.iter().map(Into::into));
        };
        let ((), time) = tokio::join!(append, arrival(&mut self.client, begin));
        time
    }
}

/// Milliseconds from `begin` until the next event is there.
async fn arrival(client: &mut Client, begin: Instant) -> f64 {
    client.receive_until(client.received() + 1).await.unwrap();
    1000.0 * begin.elapsed().as_secs_f64()
}
