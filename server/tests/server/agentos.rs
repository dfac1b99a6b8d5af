//! A client of AgentOS, against the real program. Sections are those of its specification.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use futures::StreamExt;
use protocol::{RunStatus, RunView, trading::AutoResult};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Home, Server, TOKEN, read_to_end, two_accounts};

/// All frames of a run's stream, which the server closes with 1000.
async fn streamed(server: &Server, run: &str) -> Vec<Value> {
    let mut socket = server.connect(&format!("/ws/stream/{run}")).await;
    let (frames, close) = read_to_end(&mut socket).await;
    assert_eq!(close.map(|(code, _)| code), Some(1000), "{run}");
    frames.iter().map(|frame| serde_json::from_str(frame).unwrap()).collect()
}

/// Starts a mock run that is written without pauses, and waits for its end.
async fn mocked(server: &Server, parameters: Value) -> (Value, Vec<Value>) {
    let mut body = json!({ "speed": 1000 });
    body.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
    let (status, accepted) = server.post("/api/run/mock", body).await;
    assert_eq!(status, 200, "{accepted}");
    let frames = streamed(server, accepted["run_id"].as_str().unwrap()).await;
    (accepted, frames)
}

fn not_found(of: &str) -> (u16, String) {
    (404, json!({ "detail": format!("{of} not found") }).to_string())
}

/// AgentOS 6.C 28, 7.2.7, E 3.
#[tokio::test]
async fn a_client_of_agentos_runs_a_pipeline_and_reads_a_portfolio() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let body = json!({ "ticker": "aapl", "date": "2022-06-30", "mock_type": "pipeline", "speed": 1000 });
    let (status, accepted) = server.post("/api/run/mock", body).await;
    assert_eq!((status, accepted["status"].as_str()), (200, Some("queued")), "{accepted}");
    let run = accepted["run_id"].as_str().unwrap();
    let frames = streamed(&server, run).await;
    assert_eq!(frames.last().unwrap(), &json!({ "type": "system", "message": "Run completed." }));
    for kind in ["thought", "tool", "tool_result", "result", "log"] {
        assert!(frames.iter().any(|frame| frame["type"] == kind), "no {kind}");
    }
    let record = server.get(&format!("/api/run/{run}")).await;
    assert_eq!(record["status"], "completed");
    assert_eq!(record["events"].as_array().unwrap().len(), frames.len() - 1);
    assert_eq!(server.get("/api/run/").await[0]["id"], run);
    let latest = server.get("/api/portfolios/main_portfolio/latest").await;
    assert_eq!(latest["portfolio"]["cash_balance"], 100_000.0);
    let unknown = streamed(&server, "nothing").await;
    assert_eq!(unknown, [json!({ "type": "system", "message": "Error: Run nothing not found." })]);
    assert_eq!(record["user_id"], "local");
}

#[tokio::test]
async fn a_client_of_agentos_has_the_market_scanned_and_a_portfolio_run_by_itself() {
    let home = Home::new(&[]);
    let server = home.start().await;
    for (kind, parameters) in [("scan", json!({ "max_tickers": 2 })), ("auto", json!({ "max_tickers": "2" }))]
    {
        let mut body = json!({ "mock_type": kind, "date": "2022-12-28", "speed": 1000 });
        body.as_object_mut().unwrap().extend(parameters.as_object().unwrap().clone());
        let (status, accepted) = server.post("/api/run/mock", body).await;
        assert_eq!(status, 200, "{accepted}");
        let run = accepted["run_id"].as_str().unwrap();
        let mut frames = streamed(&server, run).await;
        let last = frames.pop().unwrap();
        assert_eq!(last, json!({ "type": "system", "message": "Run completed." }));
        assert!(frames.iter().all(|frame| frame["type"] != "system"), "only the run itself ends the stream");
        let record = server.get(&format!("/api/run/{run}")).await;
        assert_eq!((&record["type"], &record["status"]), (&json!(kind), &json!("completed")));
        assert_eq!(record["params"]["max_tickers"], 2);
        // What happens in the runs that it has started is a part of it: a client draws one graph.
        let ids = |events: &[Value]| -> BTreeSet<String> {
            events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(&frames).len(), frames.len(), "each event has an id of its own");
        assert_eq!(ids(&frames), ids(record["events"].as_array().unwrap()));
        let asked: BTreeSet<_> = frames
            .iter()
            .filter(|frame| frame["type"] == "thought")
            .filter_map(|frame| frame["identifier"].as_str())
            .collect();
        let expected = if kind == "auto" { 4 } else { 1 };
        assert_eq!(asked.len(), expected, "the scan, two stocks and the portfolio: {asked:?}");
        assert!(asked.contains("MARKET"), "its page knows a scan by this: {asked:?}");
    }
    // Lists are of what was asked for; what those runs have started is listed where it is asked for.
    let count = async |path: &str| server.get(path).await.as_array().map(Vec::len);
    assert_eq!(count("/api/run/").await, Some(2));
    let listed = async |path: &str| server.get(path).await["runs"].as_array().map(Vec::len);
    assert_eq!(listed("/api/v1/runs?top=true").await, Some(2));
    assert_eq!(listed("/api/v1/runs?top=true&status=succeeded").await, Some(2));
    assert_eq!(listed("/api/v1/runs?top=true&kind=auto").await, Some(1));
    assert_eq!(
        listed("/api/v1/runs").await,
        Some(6),
        "a scan, two stocks and the portfolio below the second"
    );
    // One decision is no history.
    let summary = server.ask("GET", "/api/portfolios/main_portfolio/summary").send().await.unwrap();
    assert_eq!(summary.status(), 404);
    let summary: Value = summary.json().await.unwrap();
    assert!(summary["detail"].as_str().unwrap().starts_with("Not known yet: "), "{summary}");
    assert!(summary["unknown"]["sharpe_ratio"].is_string(), "{summary}");
}

/// Appendix E 5 and 6.C 3, 4 and 32 of AgentOS: a phase is made again in the same flow without what comes before it,
/// and not while the run works.
/// AgentOS 6.A 8, 6.A 9, 6.C 3, 6.C 4, 6.C 31, E 5.
#[tokio::test]
async fn a_client_of_agentos_makes_a_phase_again_and_the_analysts_are_not_asked_again() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let body = json!({ "mock_type": "auto", "date": "2022-12-28", "speed": 1000, "max_tickers": 1 });
    let (_, accepted) = server.post("/api/run/mock", body).await;
    let (run, flow) = (accepted["run_id"].clone(), accepted["flow_id"].clone());
    let result = async |run: &Value| {
        let log = server.events_to_end(run.as_str().unwrap().parse().unwrap(), 0).await;
        RunView::fold(&log).unwrap().documents::<AutoResult>().last().unwrap()
    };
    let first = result(&run).await;
    let [analysis] = &first.analyses[..] else { panic!("{:?}", first.analyses) };
    let ticker = analysis.ticker.as_str();
    let again = async |node: &str, ticker: &str| {
        let body = json!({ "run_id": run, "node_id": node, "identifier": ticker });
        server.post("/api/run/rerun-node", body).await
    };
    assert_eq!(again("cash_sweep", ticker).await.1, json!({ "detail": "Unknown node_id: cash_sweep" }));
    let (status, refusal) = again("Trader", "TSLA").await;
    assert_eq!((status, refusal["detail"].as_str().unwrap().contains("no analysis of TSLA")), (422, true));
    let nobody = json!({ "run_id": "nothing", "node_id": "cash_sweep" });
    assert_eq!(
        server.post("/api/run/rerun-node", nobody).await,
        (404, json!({ "detail": "Run not found" })),
        "whether there is such a run is looked at first"
    );

    for (node, phase, kept, repeated) in [
        ("Trader", "debate_and_trader", "Market Analyst", "Bull Researcher"),
        ("Portfolio Manager", "risk", "Trader", "Neutral Analyst"),
    ] {
        let (status, accepted) = again(node, ticker).await;
        assert_eq!((status, accepted["phase"].as_str()), (200, Some(phase)), "{accepted}");
        let fork = accepted["run_id"].as_str().unwrap().parse().unwrap();
        let events = server.events_to_end(fork, 0).await;
        let view = RunView::fold(&events).unwrap();
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        assert_eq!(json!(view.summary.request.flow), flow, "it is in the same flow");
        let visits = |name: &str| {
            let id = name.to_lowercase().replace(' ', "_");
            view.node(&id.parse().unwrap()).unwrap().visits.clone()
        };
        assert!(visits(kept).iter().all(|visit| visit.inherited), "{kept} was made again");
        assert!(visits(repeated).iter().all(|visit| !visit.inherited), "{repeated} was not made again");
    }

    let bogus = server.post("/api/run/bogus", json!({})).await;
    assert_eq!(bogus.0, 405, "there is no such kind of run");
    // 6.C 31: the list is of runs, not of what happened in them.
    let listed = server.get("/api/run/").await;
    assert!(listed.as_array().unwrap().iter().all(|run| run.get("events").is_none()), "{listed}");

    let stage = json!({ "date": "2022-12-28", "portfolio_id": "main_portfolio" });
    let reset = server.ask("DELETE", "/api/run/portfolio-stage").json(&stage).send().await.unwrap();
    let reset: Value = reset.json().await.unwrap();
    assert_eq!(reset, json!({ "deleted": [], "date": "2022-12-28", "portfolio_id": "main_portfolio" }));
    // The automatic run decides again all the same.
    let second = json!({ "mock_type": "auto", "date": "2022-12-28", "speed": 1000, "flow_id": flow });
    let (_, accepted) = server.post("/api/run/mock", second).await;
    assert_ne!(result(&accepted["run_id"]).await.portfolio_run, first.portfolio_run);
}

/// 1.6 and 6.C 5: the alias means one portfolio, wherever it stands.
#[tokio::test]
async fn main_portfolio_is_an_own_portfolio_of_that_id_or_else_the_newest() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let made = json!({ "id": "aaa", "name": "A", "cash": "1000" });
    assert_eq!(server.post("/api/v1/portfolios", made).await.0, 201);
    let listed = server.get("/api/portfolios/").await;
    let listed: Vec<&Value> = listed.as_array().unwrap().iter().collect();
    assert_eq!(
        listed.iter().map(|portfolio| portfolio["portfolio_id"].as_str().unwrap()).collect::<Vec<_>>(),
        ["aaa", "main_portfolio"],
        "the newest comes first"
    );
    assert!(listed[1]["created_at"].as_str().unwrap() < listed[0]["created_at"].as_str().unwrap());
    let main = server.get("/api/portfolios/main_portfolio").await;
    assert_eq!((&main["id"], &main["cash"]), (&json!("main_portfolio"), &json!(100_000.0)));
    let (accepted, frames) = mocked(&server, json!({ "mock_type": "portfolio", "date": "2022-12-28" })).await;
    let record = server.get(&format!("/api/run/{}", accepted["run_id"].as_str().unwrap())).await;
    assert_eq!(record["params"]["portfolio_id"], "main_portfolio", "{record}");
    // 3.3 and 5.4: its page knows the nodes by these ids.
    let asked: BTreeSet<&str> = frames
        .iter()
        .filter(|frame| frame["type"] == "thought")
        .map(|frame| frame["node_id"].as_str().unwrap())
        .collect();
    assert_eq!(asked, ["macro_summary", "make_pm_decision", "micro_summary"].into());
    assert!(frames.iter().any(|frame| frame["message"] == "prioritize_candidates started"));
}

/// 1.1 and 1.6.
/// AgentOS 6.C 5.
#[tokio::test]
async fn an_account_without_a_portfolio_runs_what_needs_none() {
    let (_server, _, bert) = two_accounts().await;
    let mock = async |body: Value| bert.answer("POST", "/api/run/mock", Some(&body)).await;
    for kind in ["pipeline", "scan"] {
        let (status, text) = mock(json!({ "mock_type": kind, "date": "2022-06-30", "speed": 1000 })).await;
        assert_eq!(status, 200, "{kind}: {text}");
    }
    for kind in ["portfolio", "auto"] {
        assert_eq!(mock(json!({ "mock_type": kind, "date": "2022-06-30" })).await, not_found("Portfolio"));
    }
    for path in ["/api/portfolios/main_portfolio", "/api/portfolios/main_portfolio/latest"] {
        assert_eq!(bert.answer("GET", path, None).await, not_found("Portfolio"), "{path}");
    }
    for id in ["alpha", "zeta"] {
        // Moments are told apart by milliseconds.
        tokio::time::sleep(Duration::from_millis(2)).await;
        bert.post("/api/v1/portfolios", json!({ "id": id, "name": id, "cash": "1000" })).await;
    }
    assert_eq!(bert.get("/api/portfolios/main_portfolio").await["id"], "bert--zeta", "the newest");
    let stage = json!({ "date": "2022-06-30", "portfolio_id": "main_portfolio" });
    let (_, reset) = bert.answer("DELETE", "/api/run/portfolio-stage", Some(&stage)).await;
    assert!(reset.contains("bert--zeta"), "{reset}");
}

/// 1.4 and 1.6.
#[tokio::test]
async fn what_is_not_there_is_said_in_agentos_words() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let program = server.program(TOKEN);
    for path in ["/api/portfolios/nobody", "/api/portfolios/nobody/latest", "/api/portfolios/nobody/summary"]
    {
        assert_eq!(program.answer("GET", path, None).await, not_found("Portfolio"), "{path}");
    }
    assert_eq!(program.answer("GET", "/api/run/nothing", None).await, not_found("Run"));
    let (status, text) = program.answer("POST", "/api/run/rerun-node", None).await;
    assert_eq!(status, 422, "{text}");
    assert!(text.contains("{\"detail\":\"The body is missing."), "{text}");
    for date in ["x", "2022-02-30", "../etc"] {
        let path = format!("/api/portfolios/main_portfolio/summary?date={date}");
        let (status, text) = program.answer("GET", &path, None).await;
        assert_eq!(status, 422, "{text}");
        assert!(text.contains("\"date\\\" cannot be used"), "{text}");
    }
}

/// 1.7.3, 7.2.7 and 6.C 28.
#[tokio::test]
async fn who_comes_again_or_second_gets_the_whole_list_with_the_same_ids() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let body = json!({ "ticker": "AAPL", "date": "2022-06-30", "speed": 20 });
    let (_, accepted) = server.post("/api/run/mock", body).await;
    let run = accepted["run_id"].as_str().unwrap();
    let mut first = server.connect(&format!("/ws/stream/{run}")).await;
    let mut begun: Vec<Value> = Vec::new();
    while begun.len() < 4 {
        if let Message::Text(text) = first.next().await.unwrap().unwrap() {
            begun.push(serde_json::from_str(&text).unwrap());
        }
    }
    drop(first);
    let (one, other) = tokio::join!(streamed(&server, run), streamed(&server, run));
    assert_eq!(one, other);
    assert_eq!(one[..4], begun[..]);
    assert_eq!(one.last().unwrap()["message"], "Run completed.");
}

/// 1.7.5.
/// AgentOS E 3.
#[tokio::test]
async fn the_stream_of_a_run_that_failed_ends_with_its_error() {
    let home = Home::new(&[]);
    let server = home.start().await;
    mocked(&server, json!({ "mock_type": "portfolio", "date": "2022-06-30" })).await;
    // A portfolio does not decide on a day before its last decision.
    let (accepted, frames) = mocked(&server, json!({ "mock_type": "portfolio", "date": "2022-06-29" })).await;
    let last = frames.last().unwrap();
    assert_eq!(last["type"], "system");
    let message = last["message"].as_str().unwrap();
    assert!(
        message.starts_with("Error: Run failed: ") && message.contains("2022-06-29 lies before"),
        "{message}"
    );
    let record = server.get(&format!("/api/run/{}", accepted["run_id"].as_str().unwrap())).await;
    assert_eq!(record["status"], "failed");
    assert_eq!(message, format!("Error: Run failed: {}", record["error"].as_str().unwrap()));
}

/// Every file below a folder, but for what SQLite keeps beside a database.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.to_string_lossy().ends_with("-wal") && !path.to_string_lossy().ends_with("-shm") {
            found.insert(path.to_string_lossy().into_owned());
        }
    }
    found
}

/// 1.0, 1.1, 6.C 1 and Appendix E 1.
/// AgentOS 6.C 1, 7.6.1, 7.6.2, 7.6.3, E 1.
#[tokio::test]
async fn a_route_that_starts_runs_takes_an_empty_body_and_refuses_what_it_cannot_use() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "1".to_owned())]);
    let server = home.start().await;
    let before = files(home.folder());
    let routes = ["scan", "pipeline", "portfolio", "auto", "mock"];
    for route in routes {
        for body in ["[]", "{", r#"{"date":"26/03/2026x/../../etc"}"#, r#"{"flow_id":"../../etc"}"#] {
            let (status, answer) = server.post_text(&format!("/api/run/{route}"), body.to_owned()).await;
            assert_eq!(status, 422, "{route} {body}: {answer}");
            assert!(answer["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{answer}");
        }
    }
    assert_eq!(server.get("/api/run/").await, json!([]), "nothing was started");
    assert_eq!(files(home.folder()), before);
    for route in routes {
        let (status, answer) = server.post_text(&format!("/api/run/{route}"), String::new()).await;
        assert_eq!((status, &answer["status"]), (200, &json!("queued")), "{route}: {answer}");
        let flow = answer["flow_id"].as_str().unwrap();
        let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        assert!(flow.len() == 8 && flow.bytes().all(is_hex), "{flow}");
        let record = server.get(&format!("/api/run/{}", answer["run_id"].as_str().unwrap())).await;
        let kind = if route == "mock" { "pipeline" } else { route };
        assert_eq!((&record["type"], &record["flow_id"]), (&json!(kind), &json!(flow)));
    }
}

/// The nodes of a run that have made a visit, and whether the last one was taken over.
fn inherited(view: &RunView) -> BTreeMap<String, bool> {
    let visited = view.nodes.iter().filter_map(|node| Some((node, node.visits.last()?)));
    visited.map(|(node, visit)| (node.plan.id.to_string(), visit.inherited)).collect()
}

async fn end(server: &Server, run: &Value) -> RunView {
    let log = server.events_to_end(run.as_str().unwrap().parse().unwrap(), 0).await;
    RunView::fold(&log).unwrap()
}

/// 1.4, 2.7 and 6.A 7.
#[tokio::test]
async fn an_analysis_of_some_analysts_is_made_again_from_any_phase() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let server = home.start().await;
    let body = json!({ "ticker": "LLY", "date": "2022-06-30", "analysts": ["market"] });
    let (_, accepted) = server.post("/api/run/pipeline", body).await;
    let run = &accepted["run_id"];
    end(&server, run).await;
    for (node, phase, analyst_is_inherited) in
        [("Trader", "debate_and_trader", true), ("Market Analyst", "analysts", false)]
    {
        let body = json!({ "run_id": run, "node_id": node, "identifier": "LLY" });
        let (status, accepted) = server.post("/api/run/rerun-node", body).await;
        assert_eq!((status, &accepted["phase"]), (200, &json!(phase)), "{accepted}");
        let view = end(&server, &accepted["run_id"]).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        let visited = inherited(&view);
        assert_eq!(visited["market_analyst"], analyst_is_inherited, "{visited:?}");
        assert!(!visited["bull_researcher"] && !visited.contains_key("news_analyst"), "{visited:?}");
    }
}

/// 6.C 32 and Appendix E 5: there, two of them wrote into one list.
#[tokio::test]
async fn a_second_re_run_is_refused_while_the_first_is_at_work() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let server = home.start().await;
    let body = json!({ "ticker": "LLY", "date": "2022-06-30" });
    let (_, accepted) = server.post("/api/run/pipeline", body).await;
    let run = accepted["run_id"].clone();
    assert_eq!(end(&server, &run).await.summary.status, RunStatus::Succeeded);
    server.terminate().await;

    // One character a second: what begins now is at work until it is stopped.
    let mut slow = home.command();
    slow.env("PITWALL_REHEARSAL_SPEED", "1");
    let server = home.start_as(slow).await;
    let again = async || {
        let body = json!({ "run_id": run, "node_id": "Trader", "identifier": "LLY" });
        server.post("/api/run/rerun-node", body).await
    };
    let (status, first) = again().await;
    assert_eq!(status, 200, "{first}");
    let (status, refusal) = again().await;
    assert_eq!(status, 409, "{refusal}");
    assert!(refusal["detail"].as_str().is_some_and(|detail| detail.ends_with('.')), "{refusal}");
    let stop = format!("/api/v1/runs/{}/stop", first["run_id"].as_str().unwrap());
    assert_eq!(server.post(&stop, json!({})).await.0, 202);
    assert_eq!(end(&server, &first["run_id"]).await.summary.status, RunStatus::Cancelled);
    assert_eq!(again().await.0, 200, "it is over");
}
