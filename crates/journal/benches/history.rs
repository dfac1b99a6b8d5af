//! What a long history costs: how long the file takes to open, and a page of each list, with RUNS (200,000)
//! runs of two events each. `cargo bench -p journal --bench history`.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use futures::{StreamExt, stream};
use journal::Journal;
use protocol::{
    AccountId, Analyst, Body, NewEvent, RunFilter, RunFinished, RunId, RunRequest, RunStarted, RunStatus,
    Timestamp, Totals, Workflow, WorkflowKind,
};
use tempfile::TempDir;
use uuid::Uuid;

const TICKERS: [&str; 5] = ["AAPL", "MSFT", "NVDA", "XOM", "JPM"];

fn event(body: Body) -> NewEvent {
    NewEvent { at: Timestamp(1_656_547_200_000), node: None, body }
}

/// One of many runs; few are unlike the others.
fn log(number: usize, runs: usize) -> Vec<NewEvent> {
    let ticker = if number == runs / 100 { "RARE" } else { TICKERS[number % TICKERS.len()] };
    let date = "2022-06-30".parse().unwrap();
    let workflow = Workflow::Pipeline { ticker: ticker.parse().unwrap(), date, analysts: Analyst::all() };
    let flow = format!("flow{}", number % 1000).parse().unwrap();
    let start = event(Body::RunStarted(RunStarted::new(RunRequest::new(workflow, flow))));
    let status = match number % 50_000 {
        7 => return vec![start],
        8 => RunStatus::Failed,
        _ => RunStatus::Succeeded,
    };
    let totals = Totals::default();
    vec![start, event(Body::RunFinished(RunFinished { status, error: None, stopped: None, totals }))]
}

async fn fill(journal: &Journal, runs: usize) {
    let append = async |number: usize| {
        let run = RunId(Uuid::now_v7());
        let epoch = journal.claim(run).await.unwrap();
        journal.append(run, epoch, log(number, runs)).await.unwrap();
    };
    stream::iter(0..runs).map(append).buffer_unordered(256).collect::<Vec<()>>().await;
}

fn filters() -> Vec<(&'static str, RunFilter)> {
    let flow = "flow7".parse().ok();
    let (status, kind) = (Some(RunStatus::Queued), Some(WorkflowKind::Pipeline));
    let searched = |search: &str| RunFilter { search: search.to_owned(), ..RunFilter::default() };
    vec![
        ("all", RunFilter::default()),
        ("a status that few have", RunFilter { status, ..RunFilter::default() }),
        ("a status that nobody has", RunFilter { status: Some(RunStatus::Waiting), ..RunFilter::default() }),
        ("a kind", RunFilter { kind, ..RunFilter::default() }),
        ("a kind that nobody has", RunFilter { kind: Some(WorkflowKind::Portfolio), ..RunFilter::default() }),
        ("kinds of other versions", RunFilter { kind: Some(WorkflowKind::Other), ..RunFilter::default() }),
        ("a flow", RunFilter { flow: flow.clone(), ..RunFilter::default() }),
        ("a flow, a status, a kind", RunFilter { flow, status, kind, ..RunFilter::default() }),
        ("what continues a run", RunFilter { origin: Some(RunId(Uuid::nil())), ..RunFilter::default() }),
        ("a word that all have", searched("pipeline 2022")),
        ("a word that one has", searched("rare")),
        ("a word that nobody has", searched("zzz")),
        ("a word that one has, a status", RunFilter { status: Some(RunStatus::Failed), ..searched("rare") }),
    ]
}

#[tokio::main]
async fn main() {
    let runs: usize = std::env::var("RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(200_000);
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let file = folder.path().join("journal.db");
    let journal = Journal::open(&file).await.unwrap();
    let begin = Instant::now();
    fill(&journal, runs).await;
    println!("{runs} runs stored in {:.1} s", begin.elapsed().as_secs_f64());
    journal.close().await;
    let begin = Instant::now();
    let journal = Journal::open(&file).await.unwrap();
    let unfinished = journal.unfinished().await.unwrap().len();
    let spent = journal.spent(&AccountId::local()).await.unwrap();
    println!(
        "{:>8.1} ms  open, with {unfinished} unfinished and {} calls",
        milliseconds(begin),
        spent.model_calls
    );
    for (name, filter) in filters() {
        let mut times = Vec::new();
        for _ in 0..5 {
            let begin = Instant::now();
            journal.summaries(&filter, Some(&AccountId::local())).await.unwrap();
            times.push(milliseconds(begin));
        }
        times.sort_by(f64::total_cmp);
        println!("{:>8.1} ms  {name}", times[2]);
    }
    journal.close().await;
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
