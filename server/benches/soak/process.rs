//! The server under test, and what it uses.

use std::{fs, net::SocketAddr, process::Stdio, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

pub struct Process {
    pub address: SocketAddr,
    child: Child,
    _folder: TempDir,
}

impl Process {
    pub async fn start() -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        fs::create_dir_all(folder.path().join("site/pkg")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pitwall"))
            .args(["serve", "--addr", "127.0.0.1:0", "--no-auth", "--rehearsal-speed", "4000"])
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--site")
            .arg(folder.path().join("site"))
            .env("PITWALL_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().expect("the server says where it listens");
        let address = line.rsplit_once("http://").expect("an address").1;
        let address = address.trim_end_matches('/').parse().unwrap();
        Self { address, child, _folder: folder }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn of_system(&self, file: &str) -> String {
        fs::read_to_string(format!("/proc/{}/{file}", self.child.id().expect("it lives"))).unwrap()
    }
}

/// What a server without anything to do uses.
pub struct Rest {
    /// Of its own, in KiB: pages of the program's file come as its parts are first run.
    pub memory: u64,
    pub tasks: u64,
    pub descriptors: u64,
    pub threads: u64,
}

impl Rest {
    /// Waits until nothing is under way, and then for what ends a little later.
    pub async fn of(process: &Process) -> Self {
        while status(process).await["active_runs"] != 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let system = process.of_system("status");
        let figure = |name: &str| -> u64 {
            let line = system.lines().find(|line| line.starts_with(name)).expect("the kernel says it");
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let descriptors = fs::read_dir(format!("/proc/{}/fd", process.child.id().unwrap())).unwrap().count();
        Self {
            memory: figure("RssAnon:"),
            threads: figure("Threads:"),
            descriptors: descriptors as u64,
            tasks: status(process).await["tasks"].as_u64().unwrap(),
        }
    }
}

/// What the server says about itself, asked over a connection that is closed at once.
async fn status(process: &Process) -> Value {
    let client = reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap();
    client.get(process.url("/api/v1/status")).send().await.unwrap().json().await.unwrap()
}
