//! Frames delivered a second to live subscribers of one run.

use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::{
    bare_log::BareLog,
    bare_socket::BareFeed,
    clients::{self, Client},
    pitwall::{Pitwall, folder},
    report::{Better, Figure},
    rounds::medians,
    sample::{self, BATCH},
};

/// Who is sent how much.
#[derive(Clone, Copy)]
struct Load {
    subscribers: usize,
    /// Appends, one after the other.
    appends: usize,
    /// Events of each.
    events: usize,
}

/// To one, to some and to many: what one append has made durable, then what is appended meanwhile.
pub async fn rates() -> Vec<Figure> {
    let mut figures = Vec::new();
    for (subscribers, events) in [(1, 8192), (100, 4096), (1000, 1024)] {
        let name = format!("frames to {subscribers} subscribers");
        let limited_by = "a bare WebSocket handler";
        let load = Load { subscribers, appends: 1, events };
        let measured = async || pitwall(load).await.since_first_frame();
        let limit = async || bare(load).await.since_first_frame();
        let (measured, limit) = medians(measured, limit).await;
        figures.push(Figure::new(name, "frames/s", Better::More, measured, limit, limited_by));
    }
    for (subscribers, appends) in [(1, 256), (100, 64), (1000, 16)] {
        let name = format!("appends of 64 and their frames to {subscribers}");
        let limited_by = "bare SQLite commits of 64 rows, each then sent by a bare WebSocket handler";
        let load = Load { subscribers, appends, events: BATCH };
        let measured = async || pitwall(load).await.since_append();
        let limit = async || bare(load).await.since_append();
        let (measured, limit) = medians(measured, limit).await;
        figures.push(Figure::new(name, "frames/s", Better::More, measured, limit, limited_by));
    }
    figures
}

async fn pitwall(load: Load) -> Delivery {
    let pitwall = Pitwall::open().await;
    let journal = &pitwall.service.journal;
    let run = sample::new_run();
    let epoch = journal.claim(run).await.unwrap();
    journal.append(run, epoch, vec![sample::started()]).await.unwrap();
    let path = format!("/ws/v1/runs/{run}?after=1");
    let clients = clients::connect(pitwall.listen().await, &path, load.subscribers).await;
    let append = async || {
        for _ in 0..load.appends {
            journal.append(run, epoch, vec![sample::line(); load.events]).await.unwrap();
        }
    };
    let delivery = Delivery::measure(clients, load, append).await;
    journal.close().await;
    delivery
}

/// What is sent must be durable first, so the bare handler commits, too.
async fn bare(load: Load) -> Delivery {
    let folder = folder();
    let run = sample::new_run();
    let mut log = BareLog::open(folder.path(), 1).await;
    let feed = BareFeed::default();
    let clients = clients::connect(feed.listen().await, "/", load.subscribers).await;
    let append = async || {
        for append in 0..load.appends {
            let rows = sample::encoded(run, (2 + append * load.events) as u64, load.events);
            log.commit(&rows).await;
            feed.publish(rows.into_iter().map(Into::into));
        }
    };
    Delivery::measure(clients, load, append).await
}

/// How long all frames took to all subscribers.
struct Delivery {
    frames: f64,
    append: Instant,
    first_frame: Instant,
    last_frame: Instant,
}

impl Delivery {
    async fn measure(clients: Vec<Client>, load: Load, append: impl AsyncFnOnce()) -> Self {
        let expected = (load.appends * load.events) as u64;
        let mut receiving = JoinSet::new();
        let begin = Instant::now();
        for client in clients {
            receiving.spawn(receive(client, expected));
        }
        append().await;
        let times = receiving.join_all().await;
        Self {
            frames: (expected * times.len() as u64) as f64,
            append: begin,
            first_frame: times.iter().map(|(first, _)| *first).min().unwrap(),
            last_frame: times.iter().map(|(_, last)| *last).max().unwrap(),
        }
    }

    fn since_append(&self) -> f64 {
        self.rate(self.last_frame - self.append)
    }

    fn since_first_frame(&self) -> f64 {
        self.rate(self.last_frame - self.first_frame)
    }

    fn rate(&self, time: Duration) -> f64 {
        self.frames / time.as_secs_f64()
    }
}

/// When the first and the last frame arrived.
async fn receive(mut client: Client, frames: u64) -> (Instant, Instant) {
    let greeting = client.received();
    client.receive_until(greeting + 1).await.unwrap();
    let first = Instant::now();
    client.receive_until(greeting + frames).await.unwrap();
    (first, Instant::now())
}
