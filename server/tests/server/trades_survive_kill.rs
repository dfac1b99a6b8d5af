//! SIGKILL in the midst of every commit to the journal, while runs wait for approval, are being
//! stopped, and trade: no trade is lost or doubled.

use std::collections::{BTreeMap, BTreeSet};

use protocol::{
    Body, Event, Frame, InputForm, InputRequest, ProductData, RunId, RunStatus, RunView,
    trading::{Decision, Trade},
};
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use crate::support::{Disk, Home, Moments, Server, When, kills, next_frame};

const FLOW: &str = "killed";

/// What happens to a run before its server dies.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    pauses: bool,
    approves: bool,
    stops: bool,
}

const SCENARIOS: [Scenario; 5] = [
    Scenario { pauses: false, approves: false, stops: false },
    Scenario { pauses: false, approves: false, stops: true },
    Scenario { pauses: true, approves: true, stops: false },
    Scenario { pauses: true, approves: false, stops: true },
    Scenario { pauses: true, approves: true, stops: true },
];

/// What lets any run come to its end.
const APPROVED: Scenario = Scenario { pauses: true, approves: true, stops: false };

/// How far a run had come on the disk of a server that died.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// It is not there.
    Unborn,
    /// It works towards a decision.
    Working,
    /// It has decided, and asked nobody yet.
    Decided,
    /// It waits for an approval.
    Waiting,
    /// It was answered, and has not traded yet.
    Answered,
    /// The ledger has its trades, its log does not.
    Traded,
    /// Its log has its trades as well.
    Recorded,
    /// It has ended.
    Over,
}

fn is_product<D: ProductData>(body: &Body) -> bool {
    matches!(body, Body::Produced(product) if product.holds::<D>())
}

impl Phase {
    const ALL: [Self; 8] = [
        Self::Unborn,
        Self::Working,
        Self::Decided,
        Self::Waiting,
        Self::Answered,
        Self::Traded,
        Self::Recorded,
        Self::Over,
    ];

    fn of(log: &[Event], entries: i64) -> Self {
        let has = |kind: &str| log.iter().any(|event| event.body.kind() == kind);
        match () {
            () if log.is_empty() => Self::Unborn,
            () if has("run_finished") => Self::Over,
            () if log.iter().any(|event| is_product::<Trade>(&event.body)) => Self::Recorded,
            // The first entry opens the portfolio.
            () if entries > 1 => Self::Traded,
            () if has("input_received") => Self::Answered,
            () if has("input_requested") => Self::Waiting,
            () if log.iter().any(|event| is_product::<Decision>(&event.body)) => Self::Decided,
            () => Self::Working,
        }
    }
}

/// What a server that may be dead says to this.
async fn try_ask(request: reqwest::RequestBuilder) -> Option<Value> {
    request.send().await.ok()?.json().await.ok()
}

async fn try_get(server: &Server, path: &str) -> Option<Value> {
    try_ask(server.ask("GET", path)).await
}

async fn try_post(server: &Server, path: &str, body: Value) -> Option<Value> {
    try_ask(server.ask("POST", path).json(&body)).await
}

async fn open_portfolio(server: &Server, id: &str) {
    let at_close = json!({ "fill": "decision_close" });
    let (status, problem) = server
        .post("/api/v1/portfolios", json!({ "id": id, "name": id, "cash": "100000", "settings": at_close }))
        .await;
    assert_eq!(status, 201, "{problem}");
}

/// Starts a run; its id, where the server lives long enough to say it.
async fn start(server: &Server, portfolio: &str, pauses: bool) -> Option<RunId> {
    let approval = match pauses {
        true => json!({ "type": "nodes", "nodes": ["execute_trades"] }),
        false => json!({ "type": "off" }),
    };
    let workflow = json!({ "type": "portfolio", "portfolio": portfolio, "date": "2022-06-30" });
    let request = json!({ "workflow": workflow, "flow": FLOW, "approval": approval });
    try_post(server, "/api/v1/runs", request).await?["run"].as_str()?.parse().ok()
}

async fn approve(server: &Server, run: RunId, asked: &InputRequest) {
    let InputForm::Approval(form) = &asked.form else { return };
    let path = format!("/api/v1/runs/{run}/inputs/{}", asked.input);
    try_post(server, &path, json!({ "type": "approved", "digest": form.digest })).await;
}

async fn stop(server: &Server, run: RunId) {
    try_post(server, &format!("/api/v1/runs/{run}/stop"), json!({ "reason": "enough" })).await;
}

/// Does to a run what the scenario says, and reads its log to the end; `None` if the server dies before.
async fn live_through(server: &Server, run: RunId, scenario: Scenario) -> Option<Vec<Event>> {
    let mut socket = server.try_connect(&format!("/ws/v1/runs/{run}")).await?;
    if scenario.stops && !scenario.pauses {
        stop(server, run).await;
    }
    let mut log = Vec::new();
    while let Some(frame) = next_frame(&mut socket).await {
        let Frame::Event(event) = frame else { continue };
        if let Body::InputRequested(asked) = &event.body {
            match (scenario.approves, scenario.stops) {
                (true, true) => drop(tokio::join!(approve(server, run, asked), stop(server, run))),
                (true, false) => approve(server, run, asked).await,
                (false, true) => stop(server, run).await,
                (false, false) => {}
            }
        }
        log.push(*event);
    }
    log.last()?.body.ends_run().then_some(log)
}

/// The run on this portfolio, if it was stored; `None` if the server is dead.
async fn run_of(server: &Server, portfolio: &str) -> Option<Option<RunId>> {
    let page = try_get(server, "/api/v1/runs?kind=portfolio&limit=1").await?;
    let newest = &page["runs"][0];
    let is_of_portfolio = newest["request"]["workflow"]["portfolio"] == portfolio;
    Some(is_of_portfolio.then(|| newest["run"].as_str().unwrap().parse().unwrap()))
}

/// How far the newest run had come on the disk, read from a copy so that nothing there changes.
async fn phase_on_disk(home: &Home, portfolio: &str) -> Phase {
    let copy = TempDir::new().unwrap();
    for name in ["pitwall.db", "pitwall.db-wal"] {
        let file = home.data().join(name);
        if file.exists() {
            std::fs::copy(file, copy.path().join(name)).unwrap();
        }
    }
    let mut connection =
        SqliteConnectOptions::new().filename(copy.path().join("pitwall.db")).connect().await.unwrap();
    let blocks: Vec<String> =
        sqlx::query_scalar("select lines from block where run = (select max(id) from run) order by first")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let entries: i64 = sqlx::query_scalar("select count(*) from ledger_entry where portfolio = ?")
        .bind(portfolio)
        .fetch_one(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let log: Vec<Event> = blocks
        .iter()
        .flat_map(|block| block.lines())
        .map(|json| serde_json::from_str(json).unwrap())
        .collect();
    let Some(Body::RunStarted(started)) = log.first().map(|event| &event.body) else {
        return Phase::Unborn;
    };
    let is_of_portfolio = started.heading.subject.as_deref() == Some(portfolio);
    Phase::of(if is_of_portfolio { &log } else { &[] }, entries)
}

fn trades_of_log(events: &[Event]) -> BTreeMap<String, String> {
    let trades = events.iter().filter_map(|event| match &event.body {
        Body::Produced(product) => {
            product.document::<Trade>().map(|trade| (trade.key, trade.quantity.to_string()))
        }
        _ => None,
    });
    let mut found = BTreeMap::new();
    for (key, quantity) in trades {
        assert_eq!(found.insert(key.clone(), quantity), None, "{key} stands twice in the log");
    }
    found
}

async fn trades_of_ledger(server: &Server, portfolio: &str) -> BTreeMap<String, String> {
    let view = server.get(&format!("/api/v1/portfolios/{portfolio}")).await;
    let trades: Vec<Trade> = serde_json::from_value(view["trades"].clone()).unwrap();
    let count = trades.len();
    let found: BTreeMap<_, _> =
        trades.into_iter().map(|trade| (trade.key.clone(), trade.quantity.to_string())).collect();
    assert_eq!(found.len(), count, "a key stands twice in the ledger");
    found
}

/// How many commits a run has in this scenario, where nothing goes wrong.
async fn commits_of(home: &Home, disk: &Disk, number: usize, scenario: Scenario) -> u64 {
    let server = home.start_as(disk.counting(home.command())).await;
    let portfolio = format!("counted{number}");
    open_portfolio(&server, &portfolio).await;
    disk.arm();
    let run = start(&server, &portfolio, scenario.pauses).await.unwrap();
    live_through(&server, run, scenario).await.unwrap();
    server.kill().await;
    disk.commits()
}

/// AgentOS 6.A 18, 6.C 14, E 12.
#[tokio::test(flavor = "multi_thread")]
async fn kills_in_any_commit_neither_lose_nor_double_a_trade() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let disk = Disk::new(home.folder());
    let server = home.start().await;
    let workflow = json!({ "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" });
    let analysis = server.start_run(json!({ "workflow": workflow, "flow": FLOW })).await;
    server.events_to_end(analysis, 0).await;
    server.kill().await;

    let mut moments = Moments::new(0x2545_F491_4F6C_DD1D);
    let mut deaths = Vec::new();
    for (number, scenario) in SCENARIOS.into_iter().enumerate() {
        for commit in 1..=commits_of(&home, &disk, number, scenario).await {
            deaths.extend(When::ALL.map(|when| (scenario, commit, when)));
        }
    }
    moments.shuffle(&mut deaths);

    let wanted = kills();
    let mut phases = BTreeSet::new();
    let (mut killed, mut traded, mut stopped) = (0, 0, 0);
    for (round, (scenario, commit, when)) in deaths.iter().copied().cycle().enumerate() {
        // Those who want more kills than there are moments get each again.
        let is_whole = phases.len() == Phase::ALL.len() || round >= deaths.len();
        if is_whole && killed >= wanted {
            break;
        }
        let told = format!("round {round}: {scenario:?}, {when:?} commit {commit}");
        let server = home.start_as(disk.deadly(home.command(), commit, when)).await;
        let portfolio = format!("p{round}");
        open_portfolio(&server, &portfolio).await;
        disk.arm();
        let lived = async {
            let run = start(&server, &portfolio, scenario.pauses).await?;
            live_through(&server, run, scenario).await
        };
        // A run that has fewer commits this time, because more of it was stored together, ends.
        let died = lived.await.is_none();
        server.kill().await;
        if died {
            killed += 1;
            phases.insert(phase_on_disk(&home, &portfolio).await);
        }
        // Half of them die again while the run is taken up.
        if moments.next(2) == 0 {
            let (commit, when) = (1 + moments.next(6), When::ALL[moments.next(4) as usize]);
            let command = disk.deadly(home.command(), commit, when);
            disk.arm();
            if let Some(server) = home.try_start_as(command).await {
                if let Some(Some(run)) = run_of(&server, &portfolio).await {
                    live_through(&server, run, scenario).await;
                }
                server.kill().await;
            }
        }

        let server = home.start().await;
        let Some(run) = run_of(&server, &portfolio).await.expect("the server is there") else {
            assert!(trades_of_ledger(&server, &portfolio).await.is_empty(), "{told}");
            server.kill().await;
            continue;
        };
        let events = live_through(&server, run, APPROVED).await.expect("the server is there");
        let in_log = trades_of_log(&events);
        assert_eq!(in_log, trades_of_ledger(&server, &portfolio).await, "{told}");
        match RunView::fold(&events).unwrap().summary.status {
            RunStatus::Succeeded => {
                // 10 % of 100,000 at 320.403, halved as the regime is risk-off.
                assert_eq!(in_log.values().collect::<Vec<_>>(), ["15"], "{told}");
                traded += 1;
            }
            RunStatus::Cancelled => stopped += 1,
            other => panic!("{told} ended as {other:?}"),
        }
        server.kill().await;
    }
    assert!(phases.iter().copied().eq(Phase::ALL), "only {phases:?} were hit");
    assert!(traded > 0 && stopped > 0, "{traded} runs traded and {stopped} were stopped");
}
