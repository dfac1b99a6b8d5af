//! The REST interface, the sockets and the command, against the real program.

use futures::StreamExt;
use protocol::{Body, Control, Frame, RunStatus, RunView};
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

/// AgentOS 6.C 8.
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
    change(&database, "delete from block where first = (select seq from run)").await;
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

/// AgentOS E 4.
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
