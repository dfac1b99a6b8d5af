//! Memory of an idle connection.

use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    BARE_SERVER, clients,
    pitwall::{OPEN_TO_ALL, Process, folder},
    report::{Better, Figure},
    sample,
};

const CONNECTIONS: usize = 1000;
/// Bytes in a kB.
const KB: f64 = 1000.0;
const AIM: f64 = 10.0;
/// Until all that was needed only for connecting is freed.
const SETTLING: Duration = Duration::from_secs(1);

/// Growth of the server's process by 1,000 sockets of a queued run, divided by 1,000.
pub async fn idle_connection() -> Figure {
    const NAME: &str = "memory of an idle connection";
    const LIMITED_BY: &str = "a bare WebSocket handler in a process of its own";
    let limit = bare().await;
    match (pitwall().await, limit) {
        (Some(measured), Some(limit)) => {
            Figure::new(NAME, "kB", Better::Less, measured, limit, LIMITED_BY).at_most(AIM)
        }
        _ => {
            let reason = "unknown: needs /proc, as Linux has it";
            Figure::unknown(NAME, "kB", reason, AIM, "the aim itself").at_most(AIM)
        }
    }
}

async fn pitwall() -> Option<f64> {
    let folder = folder();
    let process = Process::start(serve(&folder)).await;
    // The only place is taken, so the second run waits and writes nothing.
    start_run(&process).await;
    let queued = start_run(&process).await;
    growth(&process, &format!("/ws/v1/runs/{queued}?after=0")).await
}

async fn bare() -> Option<f64> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg(BARE_SERVER);
    growth(&Process::start(command).await, "/").await
}

async fn growth(process: &Process, path: &str) -> Option<f64> {
    tokio::time::sleep(SETTLING).await;
    let before = process.memory()?;
    let clients = clients::connect(process.address, path, CONNECTIONS).await;
    tokio::time::sleep(SETTLING).await;
    let after = process.memory()?;
    drop(clients);
    Some((after - before) / CONNECTIONS as f64 / KB)
}

/// The program that was built along with this one, with a rehearsal that hardly gets on.
fn serve(folder: &TempDir) -> Command {
    let site = folder.path().join("site");
    // The sockets need no built pages, only a folder that looks like them.
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitwall"));
    command
        .args(["serve", "--addr", "127.0.0.1:0", "--concurrent-runs", "1", "--rehearsal-speed", "1"])
        .args(OPEN_TO_ALL)
        .arg("--data")
        .arg(folder.path().join("data"))
        .arg("--site")
        .arg(site)
        .env_remove("PITWALL_MODEL")
        .env_remove("PITWALL_MODEL_BASE_URL")
        .env_remove("PITWALL_MODEL_KEY");
    command
}

/// Starts a run and returns its id.
async fn start_run(process: &Process) -> String {
    let request = json!({ "workflow": sample::workflow() });
    let accepted = clients::post(process.address, "/api/v1/runs", &request).await.unwrap();
    accepted["run"].as_str().expect("an accepted run").to_owned()
}
