//! What a long history costs: starting, every list and the pages that show one, with 200,000 runs of two
//! events each (or RUNS), beside the same with a few.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use futures::{StreamExt, stream};
use journal::Journal;
use protocol::{
    Body, NewEvent, RunFinished, RunRequest, RunStarted, RunStatus, Timestamp, Totals,
    trading::{Analyst, Task},
};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    pitwall::{OPEN_TO_ALL, Process, folder},
    report::{Better, Figure},
    rounds::percentile,
    sample::new_run,
};

/// Runs of the long history, unless RUNS says otherwise.
const MANY: usize = 200_000;
/// Runs of the history that it is compared with: more than one page of a list.
const FEW: usize = 200;
/// Milliseconds until the server says that it is ready.
const START_AT_MOST: f64 = 1000.0;
/// Milliseconds of each list and page.
const PAGE_AT_MOST: f64 = 20.0;
const ROUNDS: usize = 9;
const TICKERS: [&str; 5] = ["AAPL", "MSFT", "NVDA", "XOM", "JPM"];

/// Lists of the interface and pages, each with what it asks for.
const ASKED: [(&str, &str); 16] = [
    ("list of all", "/api/v1/runs"),
    ("list of a status that few have", "/api/v1/runs?status=failed"),
    ("list of a status that none has", "/api/v1/runs?status=waiting"),
    ("list of a kind", "/api/v1/runs?kind=pipeline"),
    ("list of a kind that none has", "/api/v1/runs?kind=portfolio"),
    ("list of a flow", "/api/v1/runs?flow=flow7"),
    ("list of a flow, status and kind", "/api/v1/runs?flow=flow7&status=succeeded&kind=pipeline"),
    ("list of what continues a run", "/api/v1/runs?origin=00000000-0000-0000-0000-000000000000"),
    ("search for what all have", "/api/v1/runs?search=pipeline%202022"),
    ("search for what one has", "/api/v1/runs?search=rare"),
    ("search for what none has", "/api/v1/runs?search=zzz"),
    ("search for what one has, with a status", "/api/v1/runs?search=rare&status=failed"),
    ("page of the overview", "/"),
    ("page of all runs", "/runs"),
    ("page of a status that few have", "/runs?status=failed"),
    ("page of a search", "/runs?q=rare"),
];

/// The start, and each of the lists and pages.
pub async fn times() -> Vec<Figure> {
    let many = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(MANY);
    let (long, short) = (folder(), folder());
    fill(long.path(), many).await;
    fill(short.path(), FEW).await;
    let (long, long_start) = start(&long).await;
    let (short, short_start) = start(&short).await;
    let name = |what: &str| format!("{what}, {many} runs");
    let mut figures = vec![
        Figure::new(name("start"), "ms", Better::Less, long_start, short_start, "the same with 200 runs")
            .at_most(START_AT_MOST),
    ];
    let client = reqwest::Client::new();
    for (what, path) in ASKED {
        let (mut measured, mut limit) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            measured.push(asked(&client, &long, path).await);
            limit.push(asked(&client, &short, path).await);
        }
        let (measured, limit) = (percentile(&mut measured, 50), percentile(&mut limit, 50));
        let figure = Figure::new(name(what), "ms", Better::Less, measured, limit, "the same with 200 runs");
        figures.push(figure.at_most(PAGE_AT_MOST));
    }
    figures
}

/// Milliseconds until the whole answer is there.
async fn asked(client: &reqwest::Client, server: &Process, path: &str) -> f64 {
    let begin = Instant::now();
    let answer = client.get(format!("http://{}{path}", server.address)).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.bytes().await.unwrap();
    1000.0 * begin.elapsed().as_secs_f64()
}

/// A server on these data, and how many milliseconds it took until it was ready.
async fn start(folder: &TempDir) -> (Process, f64) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pitwall"));
    command
        // What is unfinished in the history goes on, but hardly gets on.
        .args(["serve", "--addr", "127.0.0.1:0", "--concurrent-runs", "1", "--rehearsal-speed", "1"])
        .args(OPEN_TO_ALL)
        .arg("--data")
        .arg(folder.path())
        .env_remove("PITWALL_MODEL")
        .env_remove("PITWALL_MODEL_BASE_URL")
        .env_remove("PITWALL_MODEL_KEY");
    let begin = Instant::now();
    let process = Process::start(command).await;
    let took = 1000.0 * begin.elapsed().as_secs_f64();
    // Until what was unfinished is under way.
    tokio::time::sleep(Duration::from_secs(1)).await;
    (process, took)
}

async fn fill(folder: &Path, runs: usize) {
    let journal = Journal::open(&folder.join("pitwall.db")).await.unwrap();
    let append = async |number: usize| {
        let run = new_run();
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, log(number, runs)).await.unwrap();
    };
    stream::iter(0..runs).map(append).buffer_unordered(256).collect::<Vec<()>>().await;
    journal.close().await;
}

/// One of many runs; few are unlike the others.
fn log(number: usize, runs: usize) -> Vec<NewEvent> {
    let ticker = if number == runs / 100 { "RARE" } else { TICKERS[number % TICKERS.len()] };
    let date = "2022-06-30".parse().unwrap();
    let task = Task::Pipeline {
        ticker: ticker.parse().unwrap(),
        date,
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    };
    let flow = format!("flow{}", number % 1000).parse().unwrap();
    let heading = task.heading();
    let start = event(Body::RunStarted(RunStarted::new(RunRequest::new(task.into(), flow), heading)));
    let status = match number % 50_000 {
        7 => return vec![start],
        8 => RunStatus::Failed,
        _ => RunStatus::Succeeded,
    };
    let totals = Totals::default();
    vec![start, event(Body::RunFinished(RunFinished { status, error: None, stopped: None, totals }))]
}

fn event(body: Body) -> NewEvent {
    NewEvent { at: Timestamp(1_656_547_200_000), node: None, body }
}
