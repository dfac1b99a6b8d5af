//! The time from the beginning of an append to the event's arrival at a client.

use std::time::{Duration, Instant};

use crate::{
    bare_log::BareLog,
    bare_socket::BareFeed,
    clients::Client,
    pitwall::{self, Pitwall, folder},
    report::{Better, Figure},
    sample,
};

const ROUNDS: usize = 3;
/// Events of one round, one at a time.
const EVENTS: usize = 300;
const PAUSE: Duration = Duration::from_millis(5);

/// The median, and what 99 of 100 events keep to.
pub async fn percentiles() -> Vec<Figure> {
    let (mut measured, mut limit) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        measured.extend(pitwall().await);
        limit.extend(bare().await);
    }
    let limited_by = "a bare SQLite commit of 1 row, then a bare WebSocket handler";
    let parts = [("commit to client, p50", 50), ("commit to client, p99", 99)];
    let figure = |(name, part)| {
        let (measured, limit) = (percentile(&mut measured, part), percentile(&mut limit, part));
        Figure::new(name, "ms", Better::Less, measured, limit, limited_by)
    };
    parts.map(figure).into()
}

async fn pitwall() -> Vec<f64> {
    let pitwall = Pitwall::open().await;
    let journal = &pitwall.service.journal;
    let run = sample::new_run();
    let epoch = journal.claim(run).await.unwrap();
    journal.append(run, epoch, vec![sample::started()]).await.unwrap();
    let path = format!("/ws/v1/runs/{run}?after=1");
    let mut client = Client::connect(pitwall.listen().await, &path).await.unwrap();
    let mut times = Vec::with_capacity(EVENTS);
    for _ in 0..EVENTS {
        tokio::time::sleep(PAUSE).await;
        let next = client.received() + 1;
        let begin = Instant::now();
        let append = journal.append(run, epoch, vec![sample::line()]);
        let arrival = async {
            client.receive_until(next).await.unwrap();
            milliseconds(begin)
        };
        let (appended, time) = tokio::join!(append, arrival);
        appended.unwrap();
        times.push(time);
    }
    journal.close().await;
    times
}

async fn bare() -> Vec<f64> {
    let folder = folder();
    let run = sample::new_run();
    let mut log = BareLog::open(folder.path(), run).await;
    let feed = BareFeed::default();
    let mut client = Client::connect(pitwall::listen(feed.router()).await, "/").await.unwrap();
    let mut times = Vec::with_capacity(EVENTS);
    for seq in 2..2 + EVENTS as u64 {
        tokio::time::sleep(PAUSE).await;
        let next = client.received() + 1;
        let begin = Instant::now();
        let append = async {
            let rows = sample::encoded(run, seq, 1);
            log.commit(&rows).await;
            feed.publish(rows.into_iter().map(Into::into));
        };
        let arrival = async {
            client.receive_until(next).await.unwrap();
            milliseconds(begin)
        };
        let ((), time) = tokio::join!(append, arrival);
        times.push(time);
    }
    times
}

fn milliseconds(begin: Instant) -> f64 {
    1000.0 * begin.elapsed().as_secs_f64()
}

/// The value that `part` of 100 do not exceed.
fn percentile(values: &mut [f64], part: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values[(values.len() * part).div_ceil(100) - 1]
}
