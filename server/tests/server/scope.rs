//! Nobody finds what belongs to somebody else, by whatever way they ask.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Home, PASSWORD, Server, Visitor, read_to_end};

/// What anna has: one thing of each kind that has an id.
struct Belongings {
    run: String,
    backtest: String,
    decision: String,
    task: String,
    digest: String,
    portfolio: String,
    document: String,
    team: String,
    share: String,
    session: String,
    token: String,
}

impl Belongings {
    async fn of(anna: &Visitor, browser: &Visitor, document: String) -> Self {
        let run = anna.finished_run().await;
        let backtest = finished_backtest(anna).await;
        anna.post("/api/v1/portfolios", json!({ "id": "growth", "name": "Growth", "cash": "1000" })).await;
        let decision =
            finished(anna, json!({ "type": "portfolio", "portfolio": "growth", "date": "2022-06-30" })).await;
        let task = finished(anna, json!({ "type": "task", "request": "Compare apples with pears." })).await;
        let share = anna.post(&format!("/api/v1/runs/{run}/shares"), json!({})).await;
        let kinds = anna.get("/api/v1/document-kinds").await;
        let kind = kinds.as_array().unwrap().iter().find(|kind| kind["kind"] == "team").unwrap();
        let team = json!({ "kind": "team", "title": "Her team", "content": kind["template"] });
        let team = anna.post("/api/v1/documents", team).await;
        let log = anna.get(&format!("/api/v1/runs/{run}/events?limit=1000")).await.to_string();
        let digest =
            log.split("\"digest\":\"").nth(1).expect("a long text").split('"').next().unwrap().to_owned();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        Self {
            digest,
            document,
            team: text(&team["summary"]["id"]),
            portfolio: text(&anna.get("/api/v1/portfolios").await[0]["id"]),
            share: text(&share["summary"]["id"]),
            session: text(&browser.get("/api/v1/sessions").await[0]["id"]),
            token: text(&anna.get("/api/v1/tokens").await[0]["id"]),
            run,
            backtest,
            decision,
            task,
        }
    }

    /// The path with anna's ids in the places of its parameters.
    fn fill(&self, path: &str) -> String {
        let filled = path
            .replace("{run}", &self.run)
            .replace("{backtest}", &self.backtest)
            .replace("{decision}", &self.decision)
            .replace("{task}", &self.task)
            .replace("{ticker}", "AAPL")
            .replace("{digest}", &self.digest)
            .replace("{input}", "trader:1:1")
            .replace("{portfolio}", &self.portfolio)
            .replace("{document}", &self.document)
            .replace("{team}", &self.team)
            .replace("{format}", "autogen")
            .replace("{file}", "team.json")
            .replace("{share}", &self.share)
            .replace("{session}", &self.session)
            .replace("{token}", &self.token)
            .replace("{account}", "anna");
        assert!(!filled.contains('{'), "say what stands in {path}");
        filled
    }

    fn ids(&self) -> [&str; 11] {
        let Self { run, backtest, decision, task, digest, portfolio, document, team, share, session, token } =
            self;
        [run, backtest, decision, task, digest, portfolio, document, team, share, session, token]
    }
}

/// A backtest of two days, after its end.
async fn finished_backtest(anna: &Visitor) -> String {
    let workflow = json!({
        "type": "backtest", "tickers": ["KO"], "from": "2022-03-01", "to": "2022-03-02", "rhythm": "daily",
        "analysts": ["market"],
    });
    let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
    let accepted = anna.post("/api/v1/runs", json!({ "workflow": workflow, "model": model })).await;
    let run = accepted["run"].as_str().unwrap().to_owned();
    let ended = async {
        while anna.get(&format!("/api/v1/backtests/{run}")).await["result"].is_null() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it ends");
    run
}

/// Whether its parameter is nobody's: a stock is there for everybody, with what is their own.
fn is_everybodys(path: &str) -> bool {
    path.contains("{ticker}")
}

/// A run of hers, after its end.
async fn finished(anna: &Visitor, workflow: Value) -> String {
    let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
    let accepted = anna.post("/api/v1/runs", json!({ "workflow": workflow, "model": model })).await;
    let run = accepted["run"].as_str().unwrap().to_owned();
    anna.wait_for_the_end(&run).await;
    run
}

/// A body that the operation would take from anna, with her ids wherever one can stand.
fn body(path: &str, method: &str, hers: &Belongings) -> Option<Value> {
    let pipeline = json!({ "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" });
    Some(match (method, path) {
        ("GET" | "DELETE", _) => return None,
        (_, "/api/v1/runs") => json!({ "workflow": pipeline }),
        (_, "/api/v1/runs/{run}/stop" | "/api/v1/runs/{run}/shares") => json!({}),
        (_, "/api/v1/runs/{run}/inputs/{input}") => json!({ "type": "rejected" }),
        (_, "/api/v1/runs/{run}/approval") => json!({ "type": "off" }),
        (_, "/api/v1/runs/{run}/forks") => json!({ "point": { "type": "end" } }),
        (_, "/api/v1/runs/{run}/trials" | "/api/v1/runs/{run}/trials/estimate") => {
            json!({ "node": "portfolio_manager", "variants": [{}] })
        }
        (_, "/api/v1/runs/{run}/chat") => json!({ "question": "Why?" }),
        (_, "/api/v1/runs/{run}/messages") => json!({ "node": "trader", "content": "Think again." }),
        (_, "/api/v1/models/test") => json!({}),
        (_, "/api/v1/portfolios") => json!({ "name": "Other", "cash": "1000" }),
        (_, "/api/v1/portfolio-imports") => {
            json!({ "name": "Third", "csv": "ticker,shares,cost\nAAPL,1,100\n" })
        }
        (_, "/api/v1/portfolio-imports/preview") => json!({ "csv": "ticker,shares,cost\nAAPL,1,100\n" }),
        (_, "/api/v1/start-remarks") => pipeline,
        (_, "/api/v1/portfolios/{portfolio}/settings") => json!({ "slippage": "0.01" }),
        (_, "/api/v1/portfolios/{portfolio}/transfers") => json!({ "date": "2022-06-30", "amount": "1" }),
        (_, "/api/v1/prices/preview") => json!({ "csv": "ticker,date,close" }),
        (_, "/api/v1/accounts") => {
            json!({ "name": "eve", "role": "administrator", "password": PASSWORD })
        }
        (_, "/api/v1/tokens") => json!({ "name": "anna", "password": "a guess that is wrong" }),
        (_, "/api/v1/documents") => json!({ "kind": "part", "title": "Other", "content": {} }),
        (_, "/api/v1/documents/check") => json!({ "kind": "part", "content": {} }),
        (_, "/api/v1/documents/import") => json!({ "format": "pitwall-document", "content": hers.document }),
        (_, "/api/v1/documents/{document}") => json!({ "base": 1, "content": {} }),
        (_, "/api/v1/documents/{document}/title") => json!({ "title": "Other" }),
        (_, "/api/v1/documents/{document}/copies") => json!({}),
        (_, "/api/v1/teams/contents" | "/api/v1/teams/import") => {
            json!({ "files": [{ "name": "team.json", "text": hers.team }] })
        }
        (_, "/api/v1/teams/import-chosen") => {
            json!({ "files": [{ "name": "team.json", "text": hers.team }], "chosen": [0] })
        }
        (_, "/api/v1/teams/import-studio") => json!({}),
        (_, "/api/v1/runs/import") => json!({ "run": hers.run }),
        _ => panic!("say what {method} {path} is sent"),
    })
}

async fn two_accounts() -> (Server, Visitor, Visitor, Belongings) {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("bert", "owner").await;
    let document = home.document_of("anna").await;
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let hers = Belongings::of(&anna, &browser, document).await;
    (server, anna, bert, hers)
}

/// AgentOS 6.A 3.
#[tokio::test]
async fn every_route_of_the_openapi_document_answers_404_for_what_is_anothers() {
    let (_server, anna, bert, hers) = two_accounts().await;
    let document = bert.get("/api/v1/openapi.json").await;
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
            let (filled, body) = (hers.fill(path), body(path, &method, &hers));
            let (status, text) = bert.answer(&method, &filled, body.as_ref()).await;
            asked += 1;
            if path.starts_with("/api/v1/accounts") {
                assert_eq!(status, 403, "{method} {path}: only administrators may");
            } else if path.contains('{') && !is_everybodys(path) {
                assert_eq!(status, 404, "{method} {path}: {text}");
            }
            if !path.contains('{') || is_everybodys(path) {
                for id in hers.ids() {
                    assert!(!text.contains(id), "{method} {path} shows {id}");
                }
            }
            if method == "GET" && path.contains('{') {
                let (own, text) = anna.answer(&method, &filled, None).await;
                assert_eq!(own, 200, "{path} is there for its owner: {text}");
            }
        }
    }
    assert!(asked >= 25, "{asked} operations");
    // Nothing of hers was changed or taken away.
    anna.get(&format!("/api/v1/runs/{}", hers.run)).await;
    assert_eq!(anna.get("/api/v1/shares").await.as_array().unwrap().len(), 1);
    assert_eq!(anna.get("/api/v1/portfolios").await.as_array().unwrap().len(), 1);
    let documents = anna.get("/api/v1/documents").await;
    let titles: Vec<&Value> =
        documents["documents"].as_array().unwrap().iter().map(|document| &document["title"]).collect();
    assert_eq!(titles, ["Her team", "Hers"], "{documents}");
}

/// AgentOS 7.2.7.
#[tokio::test]
async fn every_socket_answers_404_for_what_is_anothers() {
    let (_server, anna, bert, hers) = two_accounts().await;
    for path in [
        format!("/ws/v1/runs/{}", hers.run),
        format!("/ws/v1/runs/{}?after=3", hers.run),
        format!("/ws/v1/portfolios/{}", hers.portfolio),
        "/ws/v1/portfolios/growth".to_owned(),
    ] {
        assert_eq!(bert.socket(&path).await.err(), Some(404), "{path}");
        assert!(anna.socket(&path).await.is_ok(), "{path}");
    }
    // AgentOS's clients are told in a frame.
    let mut stream = bert.socket(&format!("/ws/stream/{}", hers.run)).await.unwrap();
    let (frames, close) = read_to_end(&mut stream).await;
    assert_eq!(close.map(|(code, _)| code), Some(1000));
    let not_found = json!({ "type": "system", "message": format!("Error: Run {} not found.", hers.run) });
    assert_eq!(frames, [not_found.to_string()]);
}

#[tokio::test]
async fn the_feed_of_runs_shows_nothing_of_anothers() {
    let (_server, anna, bert, _) = two_accounts().await;
    let mut feed = bert.socket("/ws/v1/feed").await.unwrap();
    anna.finished_run().await;
    let own = bert.start_run(0).await;
    // The first thing that bert hears of is his own run, though hers began before and is over.
    let first = loop {
        match feed.next().await.unwrap().unwrap() {
            Message::Text(text) if !text.contains("heartbeat") => break text,
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first["run"], own.as_str());
}

#[tokio::test]
async fn ids_of_anothers_in_bodies_and_queries_lead_nowhere() {
    let (_server, anna, bert, hers) = two_accounts().await;
    for portfolio in [hers.portfolio.as_str(), "growth"] {
        let request =
            json!({ "workflow": { "type": "portfolio", "portfolio": portfolio, "date": "2022-06-30" } });
        let (status, text) = bert.answer("POST", "/api/v1/runs", Some(&request)).await;
        assert_eq!(status, 422, "{portfolio}: {text}");
        let body = json!({ "portfolio_id": portfolio, "date": "2022-06-30" });
        let (status, _) = bert.answer("POST", "/api/run/portfolio", Some(&body)).await;
        assert!(status == 404 || status == 422, "{portfolio}: {status}");
    }
    // An id is the account's own: the same word means another portfolio for each.
    let made = json!({ "id": "growth", "name": "Bert's", "cash": "5" });
    bert.post("/api/v1/portfolios", made).await;
    assert_eq!(anna.get("/api/v1/portfolios/growth").await["name"], "Growth");
    assert_eq!(bert.get("/api/v1/portfolios/growth").await["name"], "Bert's");

    let flow = anna.get(&format!("/api/v1/runs/{}", hers.run)).await["summary"]["request"]["flow"].clone();
    for query in [
        String::new(),
        format!("?origin={}", hers.run),
        format!("?flow={}", flow.as_str().unwrap()),
        "?search=AAPL".to_owned(),
        "?before=ffffffff-ffff-7fff-bfff-ffffffffffff".to_owned(),
    ] {
        assert_eq!(bert.get(&format!("/api/v1/runs{query}")).await["runs"], json!([]), "{query}");
    }
    assert_eq!(bert.get("/api/run/").await, json!([]));
    for path in [
        format!("/api/run/{}", hers.run),
        format!("/api/portfolios/{}", hers.portfolio),
        format!("/api/portfolios/{}/summary", hers.portfolio),
        format!("/api/portfolios/{}/latest", hers.portfolio),
    ] {
        assert_eq!(bert.answer("GET", &path, None).await.0, 404, "{path}");
    }
}

/// 6.C 1 and Appendix E 1 of AgentOS's specification: its routes make no path of an id.
#[tokio::test]
async fn hostile_ids_in_agentos_addresses_lead_nowhere() {
    let (_server, anna, _, _) = two_accounts().await;
    for id in ["..%2F..%2Fetc%2Fpasswd", "%2e%2e%2f", "a'%3B%20DROP%20TABLE%20trades", "%00", "AAPL"] {
        for path in [
            format!("/api/run/{id}"),
            format!("/api/portfolios/{id}"),
            format!("/api/portfolios/{id}/summary"),
            format!("/api/portfolios/{id}/latest"),
        ] {
            let (status, text) = anna.answer("GET", &path, None).await;
            assert_eq!(status, 404, "{path}: {text}");
        }
        let mut stream = anna.socket(&format!("/ws/stream/{id}")).await.unwrap();
        let (frames, close) = read_to_end(&mut stream).await;
        assert_eq!((frames.len(), close.map(|(code, _)| code)), (1, Some(1000)), "{id}: {frames:?}");
        assert!(frames[0].contains("not found."), "{frames:?}");
    }
}

#[tokio::test]
async fn every_server_function_and_page_answers_404_for_what_is_anothers() {
    let (_server, anna, bert, hers) = two_accounts().await;
    let (run, portfolio, document) = (&hers.run, &hers.portfolio, &hers.document);
    for (name, arguments) in [
        ("run", json!({ "run": run })),
        ("run_outline", json!({ "run": run, "seq": 2 })),
        ("events", json!({ "run": run, "after": 0, "limit": 10 })),
        ("text", json!({ "run": run, "digest": hers.digest })),
        ("stop_run", json!({ "run": run, "reason": null })),
        ("answer_input", json!({ "run": run, "input": "trader:1:1", "given": { "type": "rejected" } })),
        ("set_approval", json!({ "run": run, "approval": { "type": "off" } })),
        ("fork_run", json!({ "run": run, "request": { "point": { "type": "end" } } })),
        ("ask_run", json!({ "run": run, "question": "Why?" })),
        ("share_run", json!({ "run": run, "audience": "link", "seconds": null })),
        ("portfolio", json!({ "id": portfolio, "as_of": null })),
        ("portfolio_risk", json!({ "id": portfolio })),
        ("decision", json!({ "run": hers.decision })),
        ("backtest", json!({ "run": hers.backtest })),
        ("document", json!({ "id": document, "version": null })),
        ("save_document", json!({ "id": document, "request": { "base": 1, "content": {} } })),
        ("rename_document", json!({ "id": document, "title": "His" })),
        ("copy_document", json!({ "id": document, "request": {} })),
        ("delete_document", json!({ "id": document })),
        ("export_team", json!({ "id": hers.team, "format": "autogen" })),
        ("document_history", json!({ "id": document, "before": null, "limit": 10 })),
        ("revoke_share", json!({ "id": hers.share })),
        ("revoke_token", json!({ "id": hers.token })),
        ("end_session", json!({ "id": hers.session })),
    ] {
        let (status, text) = bert.answer("POST", &format!("/rpc/{name}"), Some(&arguments)).await;
        assert_eq!(status, 404, "{name}: {text}");
    }
    for name in
        ["runs", "listed_runs", "portfolios", "documents", "start_options", "tokens", "shares", "sessions"]
    {
        let (status, text) =
            bert.answer("POST", &format!("/rpc/{name}"), Some(&json!({ "filter": {} }))).await;
        assert_eq!(status, 200, "{name}: {text}");
        assert!(hers.ids().iter().all(|id| !text.contains(id)), "{name} shows something of anna's");
    }
    // What earlier runs took is told of each one's own alone.
    let alike = json!({ "kind": "pipeline", "model": { "type": "rehearsal", "characters_per_second": 0 } });
    let told = anna.post("/rpc/past_runs", alike.clone()).await;
    assert!(told[0]["calls"].as_u64() > Some(0) && told[0]["cost"] == "0", "{told}");
    assert_eq!(bert.post("/rpc/past_runs", alike).await, json!([]));
    let paced = json!({ "kind": "pipeline", "model": { "type": "rehearsal", "characters_per_second": 60 } });
    assert_eq!(anna.post("/rpc/past_runs", paced).await, json!([]), "runs at another pace are not like it");
    for path in [
        format!("/runs/{run}"),
        format!("/backtests/{}", hers.backtest),
        format!("/decisions/{}", hers.decision),
        format!("/portfolios/{portfolio}"),
        format!("/documents/{document}"),
    ] {
        assert_eq!(bert.answer("GET", &path, None).await.0, 404, "{path}");
        assert_eq!(anna.answer("GET", &path, None).await.0, 200, "{path}");
    }
}

/// AgentOS 6.C 1, E 1.
#[tokio::test]
async fn traversal_in_every_string_parameter_is_refused_and_reads_no_file() {
    let (_server, anna, _, hers) = two_accounts().await;
    let document = anna.get("/api/v1/openapi.json").await;
    let hostile = [
        "..%2F..%2F..%2Fetc%2Fpasswd",
        "..%5C..%5Caccounts.db",
        "%2e%2e%2faccounts.db",
        "..%252f..%252faccounts.db",
        "%00",
        "x'%20or%20'1'%3D'1",
        "bert--growth",
        "%F0%9F%92%A3",
    ];
    let parameters = [
        "{run}",
        "{task}",
        "{digest}",
        "{input}",
        "{portfolio}",
        "{document}",
        "{share}",
        "{session}",
        "{token}",
    ];
    for (path, operations) in document["paths"].as_object().unwrap() {
        for parameter in parameters.iter().filter(|parameter| path.contains(**parameter)) {
            for evil in hostile {
                let path = hers.fill(&path.replace(parameter, evil));
                for method in operations.as_object().unwrap().keys().map(|method| method.to_uppercase()) {
                    let body = json!({ "type": "rejected", "question": "?", "point": { "type": "end" } });
                    let body = (method != "GET" && method != "DELETE").then_some(&body);
                    let (status, text) = anna.answer(&method, &path, body).await;
                    assert!(
                        status == 404 || status == 422 || status == 400,
                        "{method} {path}: {status} {text}"
                    );
                    assert!(!text.contains("root:"), "{path}");
                }
            }
        }
    }
    for evil in hostile {
        for path in [format!("/ws/v1/runs/{evil}"), format!("/ws/v1/portfolios/{evil}")] {
            let refusal = anna.socket(&path).await.err();
            assert!(refusal == Some(404) || refusal == Some(400), "{path}: {refusal:?}");
        }
        for path in
            [format!("/s/{evil}"), format!("/pkg/{evil}"), format!("/fonts/{evil}"), format!("/{evil}")]
        {
            let (status, text) = anna.answer("GET", &path, None).await;
            assert!((400..500).contains(&status), "{path}: {status}");
            assert!(!text.contains("root:") && !text.contains("SQLite format"), "{path}");
        }
        for name in ["search", "status", "kind", "flow", "origin", "before", "limit"] {
            let (status, _) = anna.answer("GET", &format!("/api/v1/runs?{name}={evil}"), None).await;
            assert!(status == 200 || status == 422, "{name}={evil}: {status}");
        }
        for name in ["kind", "search", "after", "limit"] {
            let (status, _) = anna.answer("GET", &format!("/api/v1/documents?{name}={evil}"), None).await;
            assert!(status == 200 || status == 422, "{name}={evil}: {status}");
        }
        let (status, _) = anna.answer("GET", &format!("/api/v1/portfolios/growth?as_of={evil}"), None).await;
        assert_eq!(status, 422, "as_of={evil}");
    }
}

/// A file that could have been exported elsewhere: a portfolio run that stops before its trades, of
/// whichever portfolio whoever wrote the file names.
fn file_of_a_portfolio_run(portfolio: &str) -> String {
    let elsewhere = "0197a1b2-0000-7000-8000-000000000000";
    let workflow = json!({ "type": "portfolio", "portfolio": portfolio, "date": "2022-06-30" });
    let decision = json!({
        "reasoning": "The file says so.",
        "orders": [{ "side": "buy", "ticker": "AAPL", "quantity": "20", "reason": "The file says so." }],
    });
    let finished = json!({
        "visit": 1, "status": "succeeded", "duration_ms": 1, "complete": true,
        "patch": { "pm_decision": decision.to_string() }, "next": ["execute_trades"],
    });
    let bodies = [
        (
            None,
            json!({ "kind": "run_started", "data": { "request": { "workflow": workflow, "flow": "flow" } } }),
        ),
        (
            Some("make_decision"),
            json!({ "kind": "node_started", "data": { "visit": 1, "phase": "Decision" } }),
        ),
        (Some("make_decision"), json!({ "kind": "node_finished", "data": finished })),
    ];
    let mut lines = vec![json!({ "format": "pitwall-run", "version": 1 }).to_string()];
    for (index, (node, body)) in bodies.into_iter().enumerate() {
        let mut event = json!({ "run": elsewhere, "seq": index + 1, "at": 0, "body": body });
        if let Some(node) = node {
            event["node"] = node.into();
        }
        lines.push(event.to_string());
    }
    lines.join("\n")
}

#[tokio::test]
async fn a_file_that_names_anothers_portfolio_shows_and_trades_nothing_of_it() {
    let (_server, anna, bert, hers) = two_accounts().await;
    let before = anna.get("/api/v1/portfolios/growth").await;
    let file = file_of_a_portfolio_run(&hers.portfolio);
    let import = bert.ask("POST", "/api/v1/runs/import").header("content-type", "application/x-ndjson");
    let accepted: Value = import.body(file).send().await.unwrap().json().await.unwrap();
    let imported = accepted["run"].as_str().unwrap();
    // It can be looked at.
    assert_eq!(bert.get(&format!("/api/v1/runs/{imported}")).await["summary"]["status"], "cancelled");

    let own = json!({ "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" });
    let forks = format!("/api/v1/runs/{imported}/forks");
    for request in [
        json!({ "point": { "type": "end" } }),
        json!({ "point": { "type": "after", "node": "make_decision" } }),
        json!({ "point": { "type": "after", "node": "make_decision" }, "edits": { "pm_decision": "{}" } }),
        json!({ "point": { "type": "before", "node": "make_decision" } }),
        json!({ "point": { "type": "end" }, "workflow": own }),
    ] {
        let (status, text) = bert.answer("POST", &forks, Some(&request)).await;
        assert_eq!(status, 409, "{request}: {text}");
        assert!(text.contains("This run was imported, so it cannot be continued"), "{text}");
    }
    assert_eq!(bert.get("/api/v1/runs").await["runs"].as_array().unwrap().len(), 1, "nothing was started");
    assert_eq!(anna.get("/api/v1/portfolios/growth").await, before);
}

/// An exported run up to its first report, which has this text.
fn with_a_report(export: &str, text: &Value) -> String {
    let mut lines = Vec::new();
    for line in export.lines() {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let reports = line["body"]["kind"] == "reported";
        if reports {
            line["body"]["data"]["markdown"] = text.clone();
        }
        lines.push(line.to_string());
        if reports {
            return lines.join("\n");
        }
    }
    panic!("the run has a report");
}

#[tokio::test]
async fn a_text_is_not_had_by_naming_its_digest_in_a_request() {
    let (_server, _, bert, hers) = two_accounts().await;
    let own = bert.finished_run().await;
    let (_, export) = bert.answer("GET", &format!("/api/v1/runs/{own}/export.jsonl"), None).await;
    let unknown = "0".repeat(64);
    for digest in [hers.digest.as_str(), unknown.as_str()] {
        let text = json!({ "preview": "{", "bytes": 9000, "digest": digest });
        let approved = json!({ "type": "approved", "digest": digest, "edits": { "stolen": text } });
        let fork =
            json!({ "point": { "type": "before", "node": "market_analyst" }, "edits": { "stolen": text } });
        let value = json!({ "type": "value", "json": text });
        for (path, body) in [
            (format!("/api/v1/runs/{own}/forks"), fork.clone()),
            (format!("/api/v1/runs/{own}/inputs/trader:1:1"), value.clone()),
            (format!("/api/v1/runs/{own}/inputs/trader:1:0"), approved.clone()),
            (format!("/api/v1/runs/{own}/chat"), json!({ "question": text })),
        ] {
            let (status, text) = bert.answer("POST", &path, Some(&body)).await;
            assert_eq!(status, 422, "{path} {body}: {text}");
        }
        for (name, body) in [
            ("fork_run", json!({ "run": own, "request": fork })),
            ("answer_input", json!({ "run": own, "input": "trader:1:1", "given": value })),
            ("answer_input", json!({ "run": own, "input": "trader:1:0", "given": approved })),
        ] {
            let (_, text) = bert.answer("POST", &format!("/rpc/{name}"), Some(&body)).await;
            let problem: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(problem["status"], 422, "{name}: {text}");
        }
        let file = with_a_report(&export, &text);
        let refused = bert.ask("POST", "/api/v1/runs/import").body(file).send().await.unwrap();
        assert_eq!(refused.status(), 422);
        let problem = refused.text().await.unwrap();
        assert!(problem.contains("a text is not whole"), "{problem}");
    }
    assert_eq!(bert.get("/api/v1/runs").await["runs"].as_array().unwrap().len(), 1, "nothing was started");
}

/// The names of the schemas that this part of the document leads to.
fn schemas_of<'d>(document: &'d Value, part: &'d Value, found: &mut std::collections::BTreeSet<&'d str>) {
    match part {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = value.as_str().filter(|_| key == "$ref").and_then(|path| path.rsplit('/').next());
                match name {
                    Some(name) if found.insert(name) => {
                        schemas_of(document, &document["components"]["schemas"][name], found);
                    }
                    Some(_) => {}
                    None => schemas_of(document, value, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| schemas_of(document, value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn no_request_of_the_openapi_document_takes_a_text_by_its_digest() {
    let (_server, _, bert, _) = two_accounts().await;
    let document = bert.get("/api/v1/openapi.json").await;
    let (mut asked, mut seen) = (0, std::collections::BTreeSet::new());
    for operation in
        document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values())
    {
        let mut found = std::collections::BTreeSet::new();
        schemas_of(&document, &operation["requestBody"], &mut found);
        assert!(!found.contains("Text"), "{}: {found:?}", operation["operationId"]);
        asked += usize::from(!found.is_empty());
        seen.extend(found);
    }
    assert!(asked >= 8, "{asked} requests");
    assert!(seen.contains("WholeText"), "{seen:?}");
}
