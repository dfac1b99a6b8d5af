//! The REST interface, the sockets and the command, against the real program.

use std::collections::BTreeSet;

use futures::StreamExt;
use protocol::{Body, Control, Frame, RunStatus, RunView, trading::AutoResult};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    support::{Home, Socket, TOKEN, next_frame},
    upkeep::{change, make_unknown},
};

/// A pipeline that the rehearsal writes without pauses.
fn quick_pipeline() -> Value {
    json!({
        "workflow": { "type": "pipeline", "ticker": "aapl", "date": "2022-06-30" },
        "model": { "type": "rehearsal", "characters_per_second": 0 },
    })
}

/// The same at a pace that leaves time to look.
fn slow_pipeline() -> Value {
    json!({
        "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" },
        "model": { "type": "rehearsal", "characters_per_second": 1000 },
    })
}

#[tokio::test]
async fn a_run_is_started_watched_and_read_back() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(quick_pipeline()).await;
    let events = server.events_to_end(run, 0).await;
    let view = RunView::fold(&events).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let read: RunView = serde_json::from_value(server.get(&format!("/api/v1/runs/{run}")).await).unwrap();
    assert_eq!(read, view, "the fold of the socket's events is what the server folds");
    let tail = server.events_to_end(run, view.seq() - 3).await;
    assert_eq!(tail, events[events.len() - 3..]);
    let list = server.get("/api/v1/runs?search=aapl&status=succeeded").await;
    assert_eq!(list["runs"][0]["run"], run.to_string());
    assert_eq!(server.get("/api/v1/runs?search=nothing").await["runs"], json!([]));
}

#[tokio::test]
async fn long_texts_are_previewed_and_can_be_fetched() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(quick_pipeline()).await;
    let events = server.events_to_end(run, 0).await;
    let stored = events.into_iter().find_map(|mut event| {
        let text = event.body.texts_mut().into_iter().find(|text| text.stored().is_some())?;
        Some((text.stored().unwrap().clone(), text.bytes(), text.shown().to_owned()))
    });
    let (digest, bytes, preview) = stored.expect("the later prompts are long");
    let text = server.ask("GET", &format!("/api/v1/runs/{run}/texts/{digest}")).send().await.unwrap();
    let text = text.text().await.unwrap();
    assert_eq!(text.len() as u64, bytes);
    assert!(text.starts_with(&preview));
}

#[tokio::test]
async fn a_socket_is_refused_as_http_where_there_is_nothing_to_follow() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(quick_pipeline()).await;
    let unknown = "01890000-0000-7000-8000-000000000000";
    for (path, expected) in [
        (format!("/ws/v1/runs/{unknown}"), 404),
        ("/ws/v1/runs/..%2F..%2Fetc".to_owned(), 404),
        (format!("/ws/v1/runs/{run}?after=99999"), 410),
        ("/ws/v1/portfolios/nobody".to_owned(), 404),
    ] {
        let refusal = server.program(TOKEN).socket(&path).await.err();
        assert_eq!(refusal, Some(expected), "{path}");
    }
}

#[tokio::test]
async fn text_of_calls_in_flight_reaches_a_late_client_from_its_beginning() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(slow_pipeline()).await;
    // The first client waits until something streams; then a second one joins.
    let mut first = server.connect(&format!("/ws/v1/runs/{run}")).await;
    loop {
        if let Some(Frame::Control(Control::Delta { text, .. })) = next_frame(&mut first).await
            && !text.is_empty()
        {
            break;
        }
    }
    let mut late = server.connect(&format!("/ws/v1/runs/{run}")).await;
    let from = loop {
        if let Some(Frame::Control(Control::Delta { from, .. })) = next_frame(&mut late).await {
            break from;
        }
    };
    assert_eq!(from, 0);
}

#[tokio::test]
async fn text_of_calls_reaches_a_client_that_came_before_anything_was_at_work() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(quick_pipeline()).await;
    let last = server.events_to_end(run, 0).await.len() as u64 - 1;
    server.terminate().await;
    // Unfinished, but of a kind that is left alone: it stays open with nothing at work.
    let database = home.data().join("pitwall.db");
    make_unknown(&database).await;
    change(&database, "delete from event where seq = (select seq from run)").await;
    change(
        &database,
        "update run set seq = seq - 1, finished = 0, status = 'running', summary = json_set(summary, \
         '$.status', 'running', '$.seq', seq - 1, '$.request.model.characters_per_second', 20)",
    )
    .await;

    let server = home.start().await;
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}")).await;
    loop {
        if matches!(next_frame(&mut socket).await.unwrap(), Frame::Event(event) if event.seq == last) {
            break;
        }
    }
    let question = json!({ "question": "What came of the RSI?" });
    assert_eq!(server.post(&format!("/api/v1/runs/{run}/chat"), question).await.0, 202);
    loop {
        match next_frame(&mut socket).await.unwrap() {
            Frame::Control(Control::Delta { text, .. }) if !text.is_empty() => break,
            Frame::Event(event) => {
                assert!(!matches!(event.body, Body::ChatAnswered(_)), "the text comes before its end");
            }
            Frame::Control(_) => {}
        }
    }
}

#[tokio::test]
async fn a_stop_ends_the_run_and_says_why() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(slow_pipeline()).await;
    let (status, _) = server.post(&format!("/api/v1/runs/{run}/stop"), json!({ "reason": "enough" })).await;
    assert_eq!(status, 202);
    let events = server.events_to_end(run, 0).await;
    let Body::RunFinished(end) = &events.last().unwrap().body else { panic!("an end") };
    assert_eq!(end.status, RunStatus::Cancelled);
    assert_eq!(end.error.as_deref(), Some("Stopped by you: enough"));
    let (status, problem) = server.post(&format!("/api/v1/runs/{run}/stop"), json!({})).await;
    assert_eq!(status, 409, "{problem}");
}

#[tokio::test]
async fn nonsense_is_refused_with_a_sentence() {
    let home = Home::new(&[]);
    let server = home.start().await;
    for (body, expected) in [
        (json!({ "workflow": { "type": "pipeline", "ticker": "NOPE", "date": "2022-06-30" } }), "NOPE"),
        (json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2031-01-01" } }), "2022-12-28"),
        (json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "30.6.2022" } }), "30.6.2022"),
        (json!({ "workflow": { "type": "pipeline", "ticker": "../..", "date": "2022-06-30" } }), "ticker"),
        (
            json!({ "workflow": { "type": "portfolio", "portfolio": "nobody", "date": "2022-06-30" } }),
            "nobody",
        ),
        (
            json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": [] } }),
            "analyst",
        ),
        (json!([]), "JSON body"),
    ] {
        let (status, problem) = server.post("/api/v1/runs", body.clone()).await;
        assert_eq!(status, 422, "{body}: {problem}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(expected), "{body}: {detail}");
    }
    // What the pages ask for is refused in the same way.
    for body in [json!({}), json!({ "request": { "workflow": 1 } }), json!([])] {
        let (status, problem) = server.post("/rpc/start_run", body.clone()).await;
        assert_eq!((status, &problem["status"]), (422, &json!(422)), "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with("The request is not valid"), "{problem}");
    }
    assert_eq!(server.get("/api/v1/runs").await["runs"], json!([]), "nothing was started");
}

#[tokio::test]
async fn sigterm_closes_sockets_with_1012_and_the_run_goes_on_after_a_restart() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let run = server.start_run(slow_pipeline()).await;
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}")).await;
    let mut seen = 0;
    while seen < 30 {
        if let Some(Frame::Event(event)) = next_frame(&mut socket).await {
            seen = event.seq;
        }
    }
    let mut sockets = vec![socket, server.connect("/ws/v1/feed").await];
    for _ in 0..50 {
        // From the first event on: some have much to catch up on when the end comes.
        sockets.push(server.connect(&format!("/ws/v1/runs/{run}")).await);
    }
    let ended = tokio::spawn(server.terminate());
    for mut socket in sockets {
        assert_eq!(close_code(&mut socket).await, 1012);
        let _ = socket.close(None).await;
    }
    assert!(ended.await.unwrap().success());
    let server = home.start().await;
    let events = server.events_to_end(run, 0).await;
    assert_eq!(RunView::fold(&events).unwrap().summary.status, RunStatus::Succeeded);
}

/// Reads until the server closes.
async fn close_code(socket: &mut Socket) -> u16 {
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
            Some(Ok(_)) => {}
            other => panic!("no close frame: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_second_server_on_the_same_data_refuses() {
    let home = Home::new(&[]);
    let _server = home.start().await;
    let output = home.command().stderr(std::process::Stdio::piped()).output().await.unwrap();
    assert!(!output.status.success());
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("in use by another Pitwall"), "{words}");
}

#[tokio::test]
async fn the_openapi_document_names_every_route() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let document = server.get("/api/v1/openapi.json").await;
    let paths: Vec<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "/api/v1/accounts",
            "/api/v1/accounts/{account}",
            "/api/v1/backtests/{backtest}",
            "/api/v1/backtests/{backtest}/equity.csv",
            "/api/v1/backtests/{backtest}/tear-sheet.html",
            "/api/v1/backtests/{backtest}/trades.csv",
            "/api/v1/decisions/{decision}",
            "/api/v1/document-kinds",
            "/api/v1/documents",
            "/api/v1/documents/check",
            "/api/v1/documents/import",
            "/api/v1/documents/{document}",
            "/api/v1/documents/{document}/copies",
            "/api/v1/documents/{document}/export.json",
            "/api/v1/documents/{document}/title",
            "/api/v1/documents/{document}/versions",
            "/api/v1/identity",
            "/api/v1/kinds",
            "/api/v1/lessons",
            "/api/v1/models",
            "/api/v1/models/test",
            "/api/v1/portfolio-imports",
            "/api/v1/portfolio-imports/preview",
            "/api/v1/portfolios",
            "/api/v1/portfolios/{portfolio}",
            "/api/v1/portfolios/{portfolio}/risk",
            "/api/v1/portfolios/{portfolio}/settings",
            "/api/v1/portfolios/{portfolio}/transfers",
            "/api/v1/prices/preview",
            "/api/v1/runs",
            "/api/v1/runs/import",
            "/api/v1/runs/{run}",
            "/api/v1/runs/{run}/approval",
            "/api/v1/runs/{run}/chat",
            "/api/v1/runs/{run}/events",
            "/api/v1/runs/{run}/export.html",
            "/api/v1/runs/{run}/export.jsonl",
            "/api/v1/runs/{run}/forks",
            "/api/v1/runs/{run}/inputs/{input}",
            "/api/v1/runs/{run}/messages",
            "/api/v1/runs/{run}/shares",
            "/api/v1/runs/{run}/stop",
            "/api/v1/runs/{run}/texts/{digest}",
            "/api/v1/runs/{run}/trials",
            "/api/v1/runs/{run}/trials/estimate",
            "/api/v1/sessions",
            "/api/v1/sessions/{session}",
            "/api/v1/shares",
            "/api/v1/shares/{share}",
            "/api/v1/start-options",
            "/api/v1/start-remarks",
            "/api/v1/status",
            "/api/v1/stocks/{ticker}",
            "/api/v1/tasks/{task}/conversation.md",
            "/api/v1/tasks/{task}/report.md",
            "/api/v1/teams/contents",
            "/api/v1/teams/import",
            "/api/v1/teams/import-chosen",
            "/api/v1/teams/import-studio",
            "/api/v1/teams/{team}/exports/{format}",
            "/api/v1/teams/{team}/exports/{format}/{file}",
            "/api/v1/tokens",
            "/api/v1/tokens/{token}",
            "/api/v1/tools",
        ]
    );
}

#[tokio::test]
async fn a_client_of_agentos_runs_a_pipeline_and_reads_a_portfolio() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let body = json!({ "ticker": "aapl", "date": "2022-06-30", "mock_type": "pipeline", "speed": 1000 });
    let (status, accepted) = server.post("/api/run/mock", body).await;
    assert_eq!((status, accepted["status"].as_str()), (200, Some("queued")), "{accepted}");
    let run = accepted["run_id"].as_str().unwrap();
    let mut socket = server.connect(&format!("/ws/stream/{run}")).await;
    let (mut frames, mut code) = (Vec::<Value>::new(), None);
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => frames.push(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => code = frame.map(|frame| u16::from(frame.code)),
            _ => {}
        }
    }
    assert_eq!(code, Some(1000));
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
    let mut unknown = server.connect("/ws/stream/nothing").await;
    let Some(Ok(Message::Text(text))) = unknown.next().await else { panic!("a frame") };
    assert_eq!(text.as_str(), r#"{"type":"system","message":"Error: Run nothing not found."}"#);
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
        let mut socket = server.connect(&format!("/ws/stream/{run}")).await;
        let mut frames: Vec<Value> = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message {
                frames.push(serde_json::from_str(&text).unwrap());
            }
        }
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
