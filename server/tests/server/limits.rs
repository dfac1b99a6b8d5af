//! How much one client may send, open and leave open, and what it is told of it.

use std::time::Duration;

use futures::SinkExt;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Home, TOKEN, read_to_end};

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_the_limit() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let large = json!({ "question": "x".repeat(1024 * 1024) });
    for path in ["/api/v1/runs", "/api/v1/portfolios", "/api/run/mock", "/rpc/start_run", "/sign-in"] {
        let (status, text) = program.answer("POST", path, Some(&large)).await;
        assert_eq!(status, 413, "{path}: {text}");
        assert!(text.contains("1048576 bytes"), "{path}: {text}");
    }
    // Without a length that says so before.
    let pieces = futures::stream::iter((0..1025).map(|_| Ok::<_, std::io::Error>("x".repeat(1024))));
    let request = program.ask("POST", "/api/v1/runs").header("content-type", "application/json");
    let answer = request.body(reqwest::Body::wrap_stream(pieces)).send().await.unwrap();
    assert_eq!(answer.status(), 413);
    assert!(answer.text().await.unwrap().contains("1048576 bytes"));
}

#[tokio::test]
async fn files_of_teams_may_be_larger_wherever_they_are_read() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let files = json!([{ "name": "gallery.json", "text": "x".repeat(2 * 1024 * 1024) }]);
    let rest = json!({ "files": files, "chosen": [0] });
    let page = json!({ "request": rest });
    for call in ["contents", "import", "import-chosen"] {
        let (status, text) = program.answer("POST", &format!("/api/v1/teams/{call}"), Some(&rest)).await;
        assert_ne!(status, 413, "{call}: {text}");
    }
    for call in ["take_team_files", "import_chosen"] {
        let (status, text) = program.answer("POST", &format!("/rpc/{call}"), Some(&page)).await;
        assert!(status != 413 && status != 404, "{call}: {status} {text}");
    }
}

#[tokio::test]
async fn an_address_that_is_too_long_is_refused_with_the_limit() {
    let server = Home::new(&[]).start_kept().await;
    let path = format!("/api/v1/runs?search={}", "x".repeat(9000));
    let (status, text) = server.program(TOKEN).answer("GET", &path, None).await;
    assert_eq!(status, 414);
    assert!(text.contains("8192 bytes"), "{text}");
    let header = server.program(TOKEN).with("x-large", &"x".repeat(600_000));
    let status =
        header.ask("GET", "/api/v1/runs").send().await.map_or(431, |answer| answer.status().as_u16());
    assert_eq!(status, 431);
}

#[tokio::test]
async fn a_message_that_is_too_large_closes_the_socket_with_1009_and_the_limit() {
    let server = Home::new(&[]).start_kept().await;
    for size in [65 * 1024, 32 * 1024 * 1024] {
        let mut socket = server.program(TOKEN).socket("/ws/v1/feed").await.unwrap();
        // The server may close before all is sent.
        let _ = socket.send(Message::Text("x".repeat(size).into())).await;
        let Some((code, reason)) = read_to_end(&mut socket).await.1 else {
            assert!(size > 1024 * 1024, "{size} bytes end without a word");
            continue;
        };
        assert_eq!(code, 1009);
        assert!(reason.contains("65,536 bytes"), "{reason}");
    }
}

#[tokio::test]
async fn a_flood_of_messages_closes_the_socket_with_1008_and_the_limit() {
    let server = Home::new(&[]).start_kept().await;
    let mut socket = server.program(TOKEN).socket("/ws/v1/feed").await.unwrap();
    for _ in 0..120 {
        let _ = socket.feed(Message::Text("{}".into())).await;
    }
    let _ = socket.flush().await;
    let (code, reason) = read_to_end(&mut socket).await.1.expect("a close frame");
    assert_eq!(code, 1008);
    assert!(reason.contains("100 at once"), "{reason}");
}

#[tokio::test]
async fn an_account_has_so_many_sockets_and_a_closed_one_makes_room() {
    let server = Home::new(&[("PITWALL_SOCKETS_PER_ACCOUNT", "2".into())]).start_kept().await;
    let program = server.program(TOKEN);
    let first = program.socket("/ws/v1/feed").await.unwrap();
    let _second = program.socket("/ws/v1/portfolios/main_portfolio").await.unwrap();
    assert_eq!(program.socket("/ws/v1/feed").await.err(), Some(429));
    // The same request without the upgrade shows the words.
    drop(first);
    loop {
        match program.socket("/ws/v1/feed").await {
            Ok(_) => break,
            Err(status) => assert_eq!(status, 429),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_connection_that_does_not_say_what_it_wants_is_closed() {
    let server = Home::new(&[("PITWALL_HEAD_TIMEOUT", "1".into())]).start_kept().await;
    for beginning in ["", "GET / HTTP/1.1\r\nHost:"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"));
    }
}

#[tokio::test]
async fn connections_before_authentication_are_bounded_and_make_way() {
    let limits = [("PITWALL_CONNECTIONS", "2".into()), ("PITWALL_HEAD_TIMEOUT", "1".into())];
    let server = Home::new(&limits).start_kept().await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    // It waits until those before it were closed, and is served then.
    server.program(TOKEN).get("/api/v1/runs").await;
}

/// The resident memory of a process, in KiB.
#[cfg(target_os = "linux")]
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_costs_no_memory_meanwhile() {
    const LINES: usize = 4000;
    const CLIENTS: usize = 20;
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let run = program.finished_run().await;
    let file = server.text(&format!("/api/v1/runs/{run}/export.jsonl")).await;
    // The same run with far more in its log than a connection holds on its way.
    let (head, end) = file.trim_end().rsplit_once('\n').unwrap();
    let mut event: serde_json::Value = serde_json::from_str(end).unwrap();
    let (first, end) = (event["seq"].as_u64().unwrap(), event["body"].take());
    let mut long = head.to_owned();
    for number in 0..LINES as u64 {
        event["seq"] = (first + number).into();
        event["body"] = json!({ "kind": "logged", "data": { "level": "info", "message": "x".repeat(4000) } });
        long += &format!("\n{event}");
    }
    event["seq"] = (first + LINES as u64).into();
    event["body"] = end;
    long += &format!("\n{event}\n");
    let (status, accepted) = server.post_text("/api/v1/runs/import", long).await;
    assert_eq!(status, 201, "{accepted}");
    let path = format!("/ws/v1/runs/{}", accepted["run"].as_str().unwrap());

    let before = memory(server.process());
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(program.socket(&path).await.unwrap());
    }
    assert_eq!(program.get("/api/v1/status").await["sockets"], CLIENTS);
    tokio::time::sleep(std::time::Duration::from_secs(10)).await;
    let grown = memory(server.process()).saturating_sub(before);
    assert!(grown < 512 * CLIENTS as u64, "{grown} KiB for {CLIENTS} clients; the log has 16,000 KiB");
    // After 30 s in which they took nothing.
    while program.get("/api/v1/status").await["sockets"] != 0 {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    drop(clients);
}

#[tokio::test]
async fn one_account_cannot_queue_so_much_that_others_start_nothing() {
    let home = Home::bare(&[
        ("PITWALL_CONCURRENT_RUNS", "1".to_owned()),
        ("PITWALL_ACCEPTED_RUNS", "12".to_owned()),
    ]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let request = json!({
        "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": ["market"] },
        "model": { "type": "rehearsal", "characters_per_second": 1 },
    });
    // All at once: what is checked is counted at the same moment.
    let asks = (0..20).map(|_| bert.answer("POST", "/api/v1/runs", Some(&request)));
    let answers = futures::future::join_all(asks).await;
    let accepted = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(accepted, 8, "his share: a quarter of all, and at least 8");
    for (_, refusal) in answers.iter().filter(|(status, _)| *status != 201) {
        assert!(
            refusal.contains("429") && refusal.contains("8 of your runs are working or queued"),
            "{refusal}"
        );
    }
    assert_eq!(anna.answer("POST", "/api/v1/runs", Some(&request)).await.0, 201);
}

#[tokio::test]
async fn a_run_that_waits_for_its_place_is_steered_at_once() {
    let server = Home::new(&[("PITWALL_CONCURRENT_RUNS", "1".to_owned())]).start_kept().await;
    let program = server.program(TOKEN);
    let working = program.start_run(1).await;
    let queued = program.start_run(1).await;
    let mode = json!({ "type": "every" });
    let changed =
        async { program.answer("PUT", &format!("/api/v1/runs/{queued}/approval"), Some(&mode)).await };
    let (status, text) = tokio::time::timeout(Duration::from_secs(1), changed).await.expect("an answer");
    assert_eq!(status, 204, "{text}");
    let stopped = program.post(&format!("/api/v1/runs/{queued}/stop"), json!({})).await;
    assert_eq!(stopped, json!({ "ended": true }));
    program.post(&format!("/api/v1/runs/{working}/stop"), json!({})).await;
}
