//! Runs that come as files, whatever they hold.

use serde_json::{Value, json};

use crate::support::{Home, Server, TOKEN};

/// A run with one node that was asked once and answered this.
fn file(title: &str, answer: &str) -> String {
    let id = "01a1fef4-8553-70fd-9b9a-b579df493a5c";
    let request = json!({
        "workflow": { "type": "pipeline", "ticker": "LLY", "date": "2022-06-30", "analysts": ["market"] },
        "flow": "corpus",
    });
    let node = json!({
        "id": "market_analyst", "label": title, "role": "market", "kind": "agent", "phase": "Analysts", "planned_visits": 1,
    });
    let called = json!({ "call": "market_analyst:1:1", "model": "m", "tier": "quick", "prompt": answer });
    let answered = json!({
        "call": "market_analyst:1:1", "model": "m", "answer": answer, "thoughts": format!("hm {answer}"),
        "usage": { "tokens_in": 10, "tokens_out": 20 }, "cost": "0.12", "latency_ms": 7, "retries": 1,
        "attempts": [{ "model": "m", "error": "The provider broke off.", "latency_ms": 3 }],
    });
    let ended = json!({
        "visit": 1, "status": "succeeded", "duration_ms": 9, "complete": true,
        "patch": { "market_report": Value::from(answer).to_string() },
    });
    let report = json!({ "name": "market_report", "title": title, "markdown": answer });
    let bodies = [
        ("run_started", json!({ "request": request })),
        ("node_added", node),
        ("node_started", json!({ "visit": 1, "phase": "Analysts" })),
        ("call_started", called),
        ("call_finished", answered),
        ("logged", json!({ "level": "info", "message": answer })),
        ("node_finished", ended),
        ("reported", report),
        ("run_finished", json!({ "status": "failed", "error": answer, "totals": empty_totals() })),
    ];
    let events = bodies.into_iter().zip(1..).map(|((kind, data), seq)| {
        let node = (!kind.starts_with("run_")).then_some("market_analyst");
        json!({ "run": id, "seq": seq, "at": 1_795_278_800_213_i64, "node": node, "body": { "kind": kind, "data": data } })
    });
    let header = json!({ "format": "pitwall-run", "version": 1 });
    [header].into_iter().chain(events).map(|line| format!("{line}\n")).collect()
}

fn empty_totals() -> Value {
    json!({ "model_calls": 0, "tool_calls": 0, "tokens_in": 0, "tokens_out": 0, "cost": "0", "calls_of_unknown_cost": 0 })
}

async fn import(server: &Server, file: String) -> String {
    let (status, accepted) = server.post_text("/api/v1/runs/import", file).await;
    assert_eq!(status, 201, "{accepted}");
    accepted["run"].as_str().unwrap().to_owned()
}

/// The part of a page that is drawn.
async fn drawn(server: &Server, path: &str) -> String {
    let browser = server.program(TOKEN).with("accept", "text/html");
    let (status, page) = browser.answer("GET", path, None).await;
    assert_eq!(status, 200, "{path}");
    page.split("<body").nth(1).unwrap_or_default().split("<script").next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn an_answer_of_any_depth_length_or_character_is_drawn_and_exported() {
    let server = Home::new(&[]).start_kept().await;
    let deep_json = |levels: usize| format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels));
    let lists: String = (0..40).map(|level| format!("{}- level {level}\n", "  ".repeat(level))).collect();
    // Tests of `app` and of the browser go through all characters.
    let answers = [
        ">".repeat(1_800),
        ">".repeat(1_000_000),
        "> > - 1. ".repeat(400) + "end",
        lists,
        deep_json(100),
        deep_json(100_000),
        "a\0\u{1}\u{8}\u{c}\u{7f}\u{85}\u{200b}\u{202e}\u{5d0}\u{feff}".to_owned(),
        "\0".to_owned(),
        "\n".to_owned(),
        "\0".repeat(4_000),
    ];
    for answer in answers {
        let name: String = answer.chars().take(20).collect();
        let run = import(&server, file(&name, &answer)).await;
        for view in ["", "?view=transcript", "?node=market_analyst", "?view=timeline", "?view=events"] {
            let page = drawn(&server, &format!("/runs/{run}{view}")).await;
            assert!(page.contains("Pipeline · LLY · 2022-06-30"), "{name:?} {view}: {page:.300}");
            assert!(!page.chars().any(|c| c.is_control() && !c.is_whitespace()), "{name:?} {view}");
            let texts = page
                .split(['<', '>'])
                .map(|text| text.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&"));
            let longest = texts.map(|text| text.encode_utf16().count()).max();
            assert!(longest < Some(65_536), "a browser would cut a text of {longest:?}");
        }
        let export = server.text(&format!("/api/v1/runs/{run}/export.html")).await;
        assert!(export.contains("Thoughts, ") && export.contains("2 attempts, 1 failed"), "{name:?}");
        assert!(!export.contains('\0'), "{name:?}");
        // What is stored is what came.
        let file = server.text(&format!("/api/v1/runs/{run}/export.jsonl")).await;
        let events = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut answered = events.filter(|event| event["body"]["kind"] == "call_finished");
        let stored = answered.next().unwrap();
        assert_eq!(stored["body"]["data"]["answer"].as_str(), Some(answer.as_str()), "{name:?}");
    }
}

#[tokio::test]
async fn a_file_that_went_through_windows_is_imported() {
    let server = Home::new(&[]).start_kept().await;
    let plain = file("Market analyst", "one\ntwo");
    let run = import(&server, format!("\u{feff}{}", plain.replace('\n', "\r\n"))).await;
    let view = server.get(&format!("/api/v1/runs/{run}")).await;
    assert_eq!(view["calls"][0]["outcome"]["answer"], "one\ntwo");
}

#[tokio::test]
async fn a_file_that_nests_without_end_is_refused_with_its_line() {
    let server = Home::new(&[]).start_kept().await;
    let deep = "[".repeat(1_000_000);
    for (line, text) in [(2, deep.clone()), (3, format!("{{\"a\":{deep}"))] {
        let mut lines: Vec<_> = file("Market analyst", "a").lines().map(str::to_owned).collect();
        lines[line - 1] = text;
        let (status, problem) = server.post_text("/api/v1/runs/import", lines.join("\n")).await;
        assert_eq!(status, 422, "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with(&format!("Line {line} ")), "{problem}");
    }
    server.get("/api/v1/runs").await;
}

#[tokio::test]
async fn a_run_too_large_for_one_page_is_taken_along_as_lines() {
    let server = Home::new(&[]).start_kept().await;
    // It stands in the file seven times: 52 MB.
    let large = file("Market analyst", &"long ".repeat(1_500_000));
    let run = import(&server, large.clone()).await;
    let path = format!("/api/v1/runs/{run}/export");
    let (status, problem) = server.program(TOKEN).answer("GET", &format!("{path}.html"), None).await;
    assert_eq!(status, 413, "{problem:.500}");
    assert!(problem.contains("Take it as JSON Lines"), "{problem:.500}");
    let taken = server.text(&format!("{path}.jsonl")).await;
    let answer = |file: &str| {
        let event = |line: &str| serde_json::from_str::<Value>(line).unwrap();
        let called = file.lines().map(event).find(|event| event["body"]["kind"] == "call_finished");
        called.expect("an answer")["body"]["data"]["answer"].as_str().map(str::len)
    };
    assert_eq!((taken.lines().count(), answer(&taken)), (large.lines().count(), answer(&large)));
    import(&server, taken).await;
}

#[tokio::test]
async fn an_imported_run_is_marked_as_such_and_offers_no_fork() {
    let server = Home::new(&[]).start_kept().await;
    let run = import(&server, file("Market analyst", "The answer.")).await;
    let page = drawn(&server, &format!("/runs/{run}?node=market_analyst")).await;
    assert!(page.contains("Imported:") && page.contains("It cannot be continued"), "{page:.2000}");
    for offer in ["Re-run from here", "Fork after this", "Continue this run in a new one"] {
        assert!(!page.contains(offer), "{offer}");
    }
    assert!(drawn(&server, "/runs").await.contains("imported"));
    let form = drawn(&server, "/start?type=portfolio").await;
    assert!(!form.contains("0 analyses · corpus"), "its flow is not offered to be joined");
}
