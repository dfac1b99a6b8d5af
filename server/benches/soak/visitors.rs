//! People who start, stop, fork and watch runs, each for a while.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::process::Process;

const WATCHERS: u64 = 12;
/// Time between two acts of those who start runs.
const PACE: Duration = Duration::from_millis(700);
/// Runs that visitors remember.
const REMEMBERED: usize = 20;

pub struct Visitors {
    crowd: Arc<Crowd>,
    tasks: TaskTracker,
}

struct Crowd {
    address: SocketAddr,
    client: reqwest::Client,
    started: AtomicUsize,
    runs: Mutex<Vec<String>>,
    leaving: CancellationToken,
}

impl Visitors {
    pub fn come(process: &Process) -> Self {
        let crowd = Arc::new(Crowd {
            address: process.address,
            client: reqwest::Client::new(),
            started: AtomicUsize::new(0),
            runs: Mutex::default(),
            leaving: CancellationToken::new(),
        });
        let tasks = TaskTracker::new();
        tasks.spawn(crowd.clone().steer(Chance(0x9E37_79B9_7F4A_7C15)));
        for number in 1..=WATCHERS {
            tasks.spawn(crowd.clone().watch(Chance(number.wrapping_mul(0x2545_F491_4F6C_DD1D))));
        }
        Self { crowd, tasks }
    }

    /// Everybody goes. Returns how many runs were started.
    pub async fn leave(self) -> usize {
        self.crowd.leaving.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.crowd.started.load(Ordering::Relaxed)
    }
}

impl Crowd {
    async fn steer(self: Arc<Self>, mut chance: Chance) {
        while !self.leaving.is_cancelled() {
            match (chance.below(10), self.some_run(&mut chance)) {
                (0..=1, Some(run)) => self.post(&format!("{run}/stop"), json!({ "reason": "soak" })).await,
                (2..=3, Some(run)) => {
                    let fork = json!({ "point": { "type": "before", "node": "trader" } });
                    self.post(&format!("{run}/forks"), fork).await
                }
                (4, Some(run)) => {
                    self.post(&format!("{run}/chat"), json!({ "question": "How is the RSI?" })).await
                }
                _ => {
                    let workflow = json!({ "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" });
                    self.post("", json!({ "workflow": workflow })).await
                }
            }
            sleep(PACE).await;
        }
    }

    /// Some of it is refused, such as to stop what is over.
    async fn post(&self, path: &str, body: Value) {
        let path = if path.is_empty() { String::new() } else { format!("/{path}") };
        let url = format!("http://{}/api/v1/runs{path}", self.address);
        let answer = self.client.post(url).json(&body).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap_or_default();
        if let Some(run) = answer["run"].as_str() {
            self.started.fetch_add(1, Ordering::Relaxed);
            let mut runs = self.runs.lock().unwrap();
            runs.push(run.to_owned());
            if runs.len() > REMEMBERED {
                runs.remove(0);
            }
        }
    }

    fn some_run(&self, chance: &mut Chance) -> Option<String> {
        let runs = self.runs.lock().unwrap();
        let index = chance.below(runs.len().max(1) as u64) as usize;
        runs.get(index).cloned()
    }

    /// Some say goodbye, some are just gone.
    async fn watch(self: Arc<Self>, mut chance: Chance) {
        while !self.leaving.is_cancelled() {
            let path = match self.some_run(&mut chance) {
                Some(run) if chance.below(4) > 0 => format!("/ws/v1/runs/{run}?after={}", chance.below(3)),
                _ => "/ws/v1/feed".to_owned(),
            };
            let url = format!("ws://{}{path}", self.address);
            let stay = Duration::from_millis(chance.below(4000));
            if let Ok((mut socket, _)) = tokio_tungstenite::connect_async(url).await {
                let reading = async { while let Some(Ok(_)) = socket.next().await {} };
                let _ = timeout(stay, reading).await;
                if chance.below(2) == 0 {
                    let _ = socket.close(None).await;
                }
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A small generator (xorshift): each soak does the same.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
