//! SIGKILL while runs wait for approval, are being stopped, and trade: no trade is lost or doubled.

use std::{collections::BTreeMap, time::Duration};

use protocol::{Body, Event, RunId, RunStatus, RunView};
use serde_json::{Value, json};

use crate::support::{Home, Moments, Server, client};

const KILLS: u32 = 500;
const FLOW: &str = "killed";

/// What a person does to a run before the server dies.
#[derive(Clone, Copy, Debug)]
enum Act {
    Watch,
    Approve,
    Stop,
    ApproveAndStop,
}

const ACTS: [Act; 4] = [Act::Watch, Act::Approve, Act::Stop, Act::ApproveAndStop];

/// Posts without caring whether the server is still there to answer.
async fn try_post(url: String, body: Value) -> Option<u16> {
    let answer = client().post(url).timeout(Duration::from_secs(5)).json(&body).send().await.ok()?;
    Some(answer.status().as_u16())
}

async fn open_portfolio(server: &Server, id: &str) {
    let (status, problem) =
        server.post("/api/v1/portfolios", json!({ "id": id, "name": id, "cash": "100000" })).await;
    assert_eq!(status, 201, "{problem}");
}

async fn start(server: &Server, portfolio: &str, pauses: bool) -> RunId {
    let approval = match pauses {
        true => json!({ "type": "nodes", "nodes": ["execute_trades"] }),
        false => json!({ "type": "off" }),
    };
    let workflow = json!({ "type": "portfolio", "portfolio": portfolio, "date": "2022-06-30" });
    server.start_run(json!({ "workflow": workflow, "flow": FLOW, "approval": approval })).await
}

async fn view(server: &Server, run: RunId) -> RunView {
    serde_json::from_value(server.get(&format!("/api/v1/runs/{run}")).await).unwrap()
}

/// Approves what the run waits for, if it waits.
async fn approve(server: &Server, run: RunId) -> Option<u16> {
    let view = view(server, run).await;
    let input = view.open_inputs().next()?;
    let protocol::InputForm::Approval(form) = &input.request.form else { return None };
    let path = format!("/api/v1/runs/{run}/inputs/{}", input.request.input);
    try_post(server.url(&path), json!({ "type": "approved", "digest": form.digest })).await
}

async fn act(server: &Server, run: RunId, act: Act) {
    let stop = || try_post(server.url(&format!("/api/v1/runs/{run}/stop")), json!({ "reason": "enough" }));
    match act {
        Act::Watch => {}
        Act::Approve => drop(approve(server, run).await),
        Act::Stop => drop(stop().await),
        Act::ApproveAndStop => drop(tokio::join!(approve(server, run), stop())),
    }
}

/// Lets the run come to its end, approving what it waits for.
async fn settle(server: &Server, run: RunId) -> Vec<Event> {
    for _ in 0..2000 {
        let view = view(server, run).await;
        if view.summary.status.is_over() {
            return server.events_to_end(run, 0).await;
        }
        approve(server, run).await;
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("run {run} does not end");
}

fn trades_of_log(events: &[Event]) -> BTreeMap<String, String> {
    let trades = events.iter().filter_map(|event| match &event.body {
        Body::TradeExecuted(trade) => Some((trade.key.clone(), trade.quantity.to_string())),
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
    let trades: Vec<protocol::Trade> = serde_json::from_value(view["trades"].clone()).unwrap();
    let count = trades.len();
    let found: BTreeMap<_, _> =
        trades.into_iter().map(|trade| (trade.key.clone(), trade.quantity.to_string())).collect();
    assert_eq!(found.len(), count, "a key stands twice in the ledger");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_kills_neither_lose_nor_double_a_trade() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let mut server = home.start().await;
    let workflow = json!({ "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" });
    let analysis = server.start_run(json!({ "workflow": workflow, "flow": FLOW })).await;
    server.events_to_end(analysis, 0).await;

    let mut moments = Moments::new(0x2545_F491_4F6C_DD1D);
    let (mut kills, mut round, mut traded, mut stopped) = (0, 0, 0, 0);
    while kills < KILLS {
        round += 1;
        let portfolio = format!("p{round}");
        open_portfolio(&server, &portfolio).await;
        let pauses = moments.next(2) == 0;
        let run = start(&server, &portfolio, pauses).await;
        // The same run is killed several times, each time while something else happens to it.
        for _ in 0..=moments.next(3) {
            tokio::time::sleep(Duration::from_millis(moments.next(60))).await;
            let what = ACTS[moments.next(4) as usize];
            let killing = tokio::time::sleep(Duration::from_millis(moments.next(30)));
            tokio::select! {
                () = async { act(&server, run, what).await; std::future::pending().await } => {}
                () = killing => {}
            }
            server.kill().await;
            kills += 1;
            server = home.start().await;
        }
        let events = settle(&server, run).await;
        let in_log = trades_of_log(&events);
        assert_eq!(in_log, trades_of_ledger(&server, &portfolio).await, "round {round}");
        match RunView::fold(&events).unwrap().summary.status {
            RunStatus::Succeeded => {
                // 10 % of 100,000 at 320.403, halved as the regime is risk-off.
                assert_eq!(in_log.values().collect::<Vec<_>>(), ["15"], "round {round}");
                traded += 1;
            }
            RunStatus::Cancelled => stopped += 1,
            other => panic!("round {round} ended as {other:?}"),
        }
    }
    assert!(traded > 0 && stopped > 0, "{traded} runs traded and {stopped} were stopped");
}
