//! What takes a socket's place where none gets through: the same messages, in the same order, by the same rules.

use std::time::Duration;

use protocol::{Control, Frame};
use serde_json::{Value, json};

use crate::support::{Home, TOKEN, Visitor, read_to_end};

/// A client that polls.
struct Poll<'v> {
    visitor: &'v Visitor,
    address: String,
    answers: u64,
}

impl<'v> Poll<'v> {
    async fn open(visitor: &'v Visitor, path: &str) -> Self {
        let opened = visitor.post(path, Value::Null).await;
        Self { visitor, address: format!("/ws/v1/polls/{}", opened["poll"].as_str().unwrap()), answers: 0 }
    }

    fn next_address(&self) -> String {
        format!("{}?after={}", self.address, self.answers)
    }

    async fn next(&mut self) -> Vec<String> {
        let (status, lines) = self.visitor.answer("GET", &self.next_address(), None).await;
        assert_eq!(status, 200, "{lines}");
        self.answers += 1;
        lines.lines().map(str::to_owned).collect()
    }

    /// All messages until the last, and with what code the server ended it.
    async fn read_to_end(&mut self) -> (Vec<String>, u16) {
        let mut messages = Vec::new();
        loop {
            for line in self.next().await {
                if let Ok(Frame::Control(Control::Closed { code, .. })) = Frame::parse(&line) {
                    return (messages, code);
                }
                messages.push(line);
            }
        }
    }
}

fn events(messages: Vec<String>) -> Vec<String> {
    messages.into_iter().filter(|message| !message.starts_with(r#"{"control""#)).collect()
}

#[tokio::test]
async fn a_poll_brings_what_a_socket_brings_from_any_number_on_and_ends_with_the_same_code() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let run = program.start_run(4000).await;
    for after in [0, 40] {
        let path = format!("/ws/v1/runs/{run}?after={after}");
        // At work still, at first: both follow it to its end.
        let mut poll = Poll::open(&program, &path).await;
        let mut socket = program.socket(&path).await.unwrap();
        let ((polled, code), (sent, closed)) = tokio::join!(poll.read_to_end(), read_to_end(&mut socket));
        assert_eq!((code, closed.unwrap().0), (1000, 1000));
        let (polled, sent) = (events(polled), events(sent));
        assert_eq!(polled, sent);
        let first: Value = serde_json::from_str(&polled[0]).unwrap();
        assert_eq!(first["seq"], after + 1);
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_given_again_and_none_is_left_out() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let run = program.finished_run().await;
    let path = format!("/ws/v1/runs/{run}");
    let mut lossy = Poll::open(&program, &path).await;
    let mut messages = Vec::new();
    let closed = r#"{"control":"closed""#;
    while !messages.last().is_some_and(|message: &String| message.starts_with(closed)) {
        let lost = program.answer("GET", &lossy.next_address(), None).await;
        assert_eq!(program.answer("GET", &lossy.next_address(), None).await, lost);
        lossy.answers += 1;
        messages.extend(lost.1.lines().map(str::to_owned));
    }
    // The run's log is longer than one answer. Further back is nothing kept, and ahead is nothing yet.
    for wrong in [lossy.answers - 2, lossy.answers + 1] {
        let (status, _) = program.answer("GET", &format!("{}?after={wrong}", lossy.address), None).await;
        assert_eq!(status, 410);
    }
    // Whoever asks for more has the last answer: it is kept no longer.
    for after in [lossy.answers, lossy.answers - 1] {
        let (status, _) = program.answer("GET", &format!("{}?after={after}", lossy.address), None).await;
        assert_eq!(status, 404);
    }
    let (sent, _) = read_to_end(&mut program.socket(&path).await.unwrap()).await;
    assert_eq!(events(messages), events(sent));
}

#[tokio::test]
async fn a_heartbeat_comes_at_once_then_at_its_interval_and_when_it_is_asked_for() {
    let server = Home::new(&[("PITWALL_HEARTBEAT", "1".into())]).start_kept().await;
    let program = server.program(TOKEN);
    let mut poll = Poll::open(&program, "/ws/v1/feed").await;
    for _ in 0..3 {
        let lines = poll.next().await;
        assert!(lines.iter().all(|line| line.starts_with(r#"{"control":"heartbeat","at":"#)), "{lines:?}");
    }
    // Whoever cannot wait gets what is there.
    let (status, _) = program.answer("GET", &format!("{}&hold=false", poll.next_address()), None).await;
    assert_eq!(status, 200);

    let server = Home::new(&[("PITWALL_HEARTBEAT", "600".into())]).start_kept().await;
    let mut socket = server.program(TOKEN).socket("/ws/v1/feed").await.unwrap();
    for _ in 0..3 {
        let frame = crate::support::next_frame(&mut socket).await;
        assert!(matches!(frame, Some(Frame::Control(Control::Heartbeat { .. }))), "{frame:?}");
        futures::SinkExt::send(&mut socket, "ping".into()).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_that_hangs_makes_way_for_the_next_one() {
    let server = Home::new(&[("PITWALL_HEARTBEAT", "600".into())]).start_kept().await;
    let program = server.program(TOKEN);
    let mut poll = Poll::open(&program, "/ws/v1/feed").await;
    poll.next().await;
    let address = poll.next_address();
    let hangs = program.answer("GET", &address, None);
    let asks = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        program.answer("GET", &format!("{address}&hold=false"), None).await
    };
    let (hung, asked) = tokio::join!(hangs, asks);
    assert_eq!(asked.0, 200);
    // On a slow machine they may have come the other way round: then the answer was given again.
    assert!(hung.0 == 409 || hung == asked, "{hung:?} {asked:?}");
}

#[tokio::test]
async fn polls_count_as_sockets_and_leave_their_place_when_they_end() {
    let server = Home::new(&[("PITWALL_SOCKETS_PER_ACCOUNT", "2".into())]).start_kept().await;
    let program = server.program(TOKEN);
    let poll = Poll::open(&program, "/ws/v1/feed").await;
    let _socket = program.socket("/ws/v1/portfolios/main_portfolio").await.unwrap();
    assert_eq!(program.socket("/ws/v1/feed").await.err(), Some(429));
    let (status, words) = program.answer("POST", "/ws/v1/portfolios/main_portfolio", None).await;
    assert_eq!(status, 429);
    assert!(words.contains("2 sockets are open"), "{words}");
    assert_eq!(program.get("/api/v1/status").await["sockets"], 2);

    assert_eq!(program.answer("DELETE", &poll.address, None).await.0, 204);
    assert_eq!(program.answer("GET", &poll.next_address(), None).await.0, 404);
    loop {
        match program.answer("POST", "/ws/v1/feed", None).await {
            (201, _) => break,
            (status, _) => assert_eq!(status, 429),
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_poll_is_its_owners_alone_and_ends_with_what_let_them_in() {
    let home = Home::bare(&[]);
    for name in ["anna", "bert"] {
        home.add_account(name, "owner").await;
    }
    let server = home.start().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let run = anna.finished_run().await;
    for (path, expected) in [
        (format!("/ws/v1/runs/{run}"), 404),
        ("/ws/v1/portfolios/nobody".to_owned(), 404),
        ("/ws/v1/runs/..%2F..%2Fetc".to_owned(), 404),
    ] {
        assert_eq!(bert.answer("POST", &path, None).await.0, expected, "{path}");
        assert_eq!(server.nobody().answer("POST", &path, None).await.0, 401, "{path}");
    }
    assert_eq!(anna.answer("POST", &format!("/ws/v1/runs/{run}?after=99999"), None).await.0, 410);

    let browser = server.nobody().sign_in("anna", crate::support::PASSWORD).await.unwrap();
    let mut poll = Poll::open(&browser, "/ws/v1/feed").await;
    poll.next().await;
    // Not to another account, nor to nobody, nor by a page of another site.
    assert_eq!(bert.answer("GET", &poll.next_address(), None).await.0, 404);
    assert_eq!(bert.answer("DELETE", &poll.address, None).await.0, 404);
    assert_eq!(server.nobody().answer("GET", &poll.next_address(), None).await.0, 401);
    let cookie = browser.shown("cookie");
    let foreign = server.nobody().with("cookie", cookie).with("origin", "https://evil.example");
    assert_eq!(foreign.answer("POST", "/ws/v1/feed", None).await.0, 403);
    assert_eq!(foreign.answer("GET", &poll.next_address(), None).await.0, 403);

    // A request that waits is told when the password changes, which ends all sessions.
    let waits = poll.read_to_end();
    let changes = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        home.manage_accounts(&["password", "anna"]).await;
    };
    let ((_, code), ()) = tokio::join!(waits, changes);
    assert_eq!(code, 4401);
}

#[tokio::test]
async fn a_server_that_ends_says_so_to_who_polls() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let mut poll = Poll::open(&program, "/ws/v1/feed").await;
    poll.next().await;
    let waits = poll.read_to_end();
    let ends = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.terminate().await
    };
    let ((_, code), status) = tokio::join!(waits, ends);
    assert_eq!(code, 1012);
    assert!(status.success());
}

#[tokio::test]
async fn who_opens_a_poll_and_does_not_ask_is_dropped_as_a_socket_that_does_not_read() {
    let server = Home::new(&[]).start_kept().await;
    let program = server.program(TOKEN);
    let run = program.finished_run().await;
    let file = server.text(&format!("/api/v1/runs/{run}/export.jsonl")).await;
    assert!(file.len() > 64 * 1024, "more than a poll has room for");
    let poll = Poll::open(&program, &format!("/ws/v1/runs/{run}")).await;
    assert_eq!(program.get("/api/v1/status").await["sockets"], 1);
    let dropped = async {
        while program.get("/api/v1/status").await["sockets"] != json!(0) {
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), dropped).await.expect("after 30 s");
    assert_eq!(program.answer("GET", &poll.next_address(), None).await.0, 404);
}
