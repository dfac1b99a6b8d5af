//! What AgentOS's clients see of a run.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use protocol::{trading::*, *};
use serde_json::{Value, json};
use wire::agentos::{RunRecord, Stream, SystemFrame};

const RUN: &str = "0197a1b2-0000-7000-8000-000000000000";
/// 2022-06-30 00:01:01 UTC.
const START: i64 = 1_656_547_261_000;

fn request(task: Task) -> RunRequest {
    RunRequest::new(task.into(), "1a2b3c4d".parse().unwrap())
}

fn pipeline() -> RunRequest {
    request(Task::Pipeline {
        ticker: "AAPL".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    })
}

fn portfolio() -> RunRequest {
    request(Task::Portfolio {
        portfolio: "growth".parse().unwrap(),
        date: "2022-06-30".parse().unwrap(),
        prices: None,
    })
}

/// A log under construction, with one event a second.
struct Log(Vec<Event>);

impl Log {
    fn of(request: RunRequest) -> Self {
        let mut log = Self(Vec::new());
        log.add(
            None,
            Body::RunStarted(RunStarted::new(
                request.clone(),
                Task::of(&request.workflow).unwrap().heading(),
            )),
        );
        log
    }

    fn add(&mut self, node: Option<&str>, body: Body) {
        let seq = self.0.len() as u64 + 1;
        let at = Timestamp(START + 1000 * (seq as i64 - 1));
        let node = node.map(|node| node.parse().unwrap());
        self.0.push(Event { run: RUN.parse().unwrap(), seq, at, node, body });
    }

    fn node(&mut self, id: &str, kind: NodeKind) {
        let plan = NodeAdded {
            id: id.parse().unwrap(),
            label: id.to_owned(),
            role: id.to_owned(),
            kind,
            phase: "Analysis".to_owned(),
            scope: None,
            owner: None,
            tier: None,
            planned_visits: 1,
        };
        self.add(None, Body::NodeAdded(plan));
    }

    fn ask(&mut self, node: &str, prompt: &str) {
        let started = CallStarted {
            call: format!("{node}:1:1").parse().unwrap(),
            model: "gpt-x".to_owned(),
            tier: Tier::Quick,
            profile: None,
            prompt: Prompt::from_iter([prompt.into()]),
            tools: Vec::new(),
            asked: None,
        };
        self.add(Some(node), Body::CallStarted(started));
    }

    fn answer(&mut self, node: &str, answer: &str, usage: Usage, error: Option<&str>) {
        let finished = CallFinished {
            call: format!("{node}:1:1").parse().unwrap(),
            model: "gpt-x".to_owned(),
            answer: answer.into(),
            tool_requests: Vec::new(),
            usage,
            cost: None,
            latency_ms: 1250,
            retries: 0,
            thoughts: Text::default(),
            cut_off: Text::default(),
            echo: None,
            attempts: Vec::new(),
            error: error.map(str::to_owned),
        };
        self.add(Some(node), Body::CallFinished(finished));
    }

    fn tool(&mut self, node: &str, tool: &str, status: ToolStatus, result: &str) {
        let call: CallId = format!("{node}:1:2").parse().unwrap();
        let arguments = r#"{"symbol":"AAPL"}"#.into();
        let invoked = ToolInvoked { call: call.clone(), tool: tool.to_owned(), arguments, asked: None };
        self.add(Some(node), Body::ToolInvoked(invoked));
        let vendor = Some("bundled sample".to_owned());
        let returned = ToolReturned { call, status, result: result.into(), vendor, latency_ms: 3 };
        self.add(Some(node), Body::ToolReturned(returned));
    }

    fn finish(&mut self, status: RunStatus, error: Option<&str>) {
        let totals = Totals::default();
        self.add(
            None,
            Body::RunFinished(RunFinished { status, error: error.map(str::to_owned), stopped: None, totals }),
        );
    }

    fn frames(&self) -> Vec<Value> {
        let mut stream = Stream::default();
        let frames = self.0.iter().filter_map(|event| stream.apply(event));
        frames.map(|frame| serde_json::from_str(&frame.encode()).unwrap()).collect()
    }

    fn last(&self) -> Value {
        self.frames().pop().unwrap()
    }

    fn record(&self) -> Value {
        let view = RunView::fold(&self.0).unwrap();
        serde_json::to_value(RunRecord::with_events(&view.summary, std::slice::from_ref(&self.0))).unwrap()
    }
}

/// AgentOS 7.1.1.
#[test]
fn a_model_call_is_a_thought_and_then_a_result_with_its_prompt() {
    let mut log = Log::of(pipeline());
    log.node("market_analyst", NodeKind::Agent);
    log.ask("market_analyst", "[system] You look at prices.");
    let usage = Usage { tokens_in: Some(900), tokens_out: Some(120) };
    log.answer("market_analyst", "The trend is up.", usage, None);
    let frames = log.frames();
    assert_eq!(
        frames[1],
        json!({
            "id": "market_analyst:1:1", "type": "thought", "node_id": "Market Analyst",
            "parent_node_id": "start", "agent": "MARKET ANALYST", "identifier": "AAPL",
            "message": "Prompting gpt-x... | [system] You look at prices.",
            "prompt": "[system] You look at prices.", "metrics": {"model": "gpt-x"},
            "timestamp": "00:01:03", "seq": 3, "at": START + 2000,
        })
    );
    assert_eq!(
        frames[2],
        json!({
            "id": "market_analyst:1:1_4", "type": "result", "node_id": "Market Analyst",
            "agent": "MARKET ANALYST", "identifier": "AAPL", "message": "The trend is up.",
            "prompt": "[system] You look at prices.", "response": "The trend is up.",
            "metrics": {"model": "gpt-x", "tokens_in": 900, "tokens_out": 120, "latency_ms": 1250},
            "timestamp": "00:01:04", "seq": 4, "at": START + 3000,
        })
    );
}

#[test]
fn the_messages_of_a_prompt_are_blocks_with_a_blank_line_between_them() {
    let mut log = Log::of(pipeline());
    let started = CallStarted {
        call: "trader:1:1".parse().unwrap(),
        model: "gpt-x".to_owned(),
        tier: Tier::Mid,
        profile: None,
        prompt: Prompt::from_iter(["[system] You trade.".into(), "[user] Decide.".into()]),
        tools: Vec::new(),
        asked: None,
    };
    log.add(Some("trader"), Body::CallStarted(started));
    assert_eq!(log.last()["prompt"], "[system] You trade.\n\n[user] Decide.");
}

#[test]
fn an_answer_that_only_asks_for_tools_is_called_completed() {
    let mut log = Log::of(pipeline());
    log.ask("market_analyst", "[user] Go.");
    log.answer("market_analyst", "", Usage::default(), None);
    assert_eq!(log.last()["message"], "Completed.");
}

/// AgentOS 7.1.2, 7.1.3.
#[test]
fn tokens_that_were_not_reported_are_null_and_not_zero() {
    let mut log = Log::of(pipeline());
    log.ask("trader", "[user] Decide.");
    log.answer("trader", "Hold.", Usage::default(), None);
    let metrics = &log.last()["metrics"];
    assert_eq!((&metrics["tokens_in"], &metrics["tokens_out"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_call_that_failed_is_a_result_with_its_error() {
    let mut log = Log::of(pipeline());
    log.ask("trader", "[user] Decide.");
    log.answer("trader", "", Usage::default(), Some("429 Too Many Requests"));
    let result = log.last();
    assert_eq!((&result["status"], &result["error"]), (&json!("error"), &json!("429 Too Many Requests")));
    assert_eq!(result["message"], "✗ gpt-x did not answer: 429 Too Many Requests");
}

#[test]
fn a_call_repeated_after_a_crash_is_announced_once() {
    let mut log = Log::of(pipeline());
    log.ask("trader", "[user] Decide.");
    log.ask("trader", "[user] Decide.");
    log.answer("trader", "Hold.", Usage::default(), None);
    let kinds: Vec<Value> = log.frames().iter().map(|frame| frame["type"].clone()).collect();
    assert_eq!(kinds, ["log", "thought", "result"]);
}

/// AgentOS 7.1.4, 7.1.7.
#[test]
fn a_tool_call_names_its_caller_and_who_served_it() {
    let mut log = Log::of(pipeline());
    log.tool("market_analyst", "get_stock_data", ToolStatus::Success, "PE ratio: 25.3, Revenue: $100B");
    let frames = log.frames();
    assert_eq!(
        frames[1],
        json!({
            "id": "market_analyst:1:2", "type": "tool", "node_id": "tool_get_stock_data",
            "parent_node_id": "Market Analyst", "agent": "MARKET ANALYST", "identifier": "AAPL",
            "message": "▶ Tool: get_stock_data | {\"symbol\":\"AAPL\"}", "prompt": "{\"symbol\":\"AAPL\"}",
            "service": "", "status": "running", "metrics": {},
            "timestamp": "00:01:02", "seq": 2, "at": START + 1000,
        })
    );
    assert_eq!(
        frames[2],
        json!({
            "id": "market_analyst:1:2_3", "type": "tool_result", "node_id": "tool_get_stock_data",
            "parent_node_id": "Market Analyst", "agent": "MARKET ANALYST", "identifier": "AAPL",
            "message": "✓ Tool result: get_stock_data | PE ratio: 25.3, Revenue: $100B",
            "response": "PE ratio: 25.3, Revenue: $100B", "service": "bundled sample",
            "status": "success", "error": null, "metrics": {},
            "timestamp": "00:01:03", "seq": 3, "at": START + 2000,
        })
    );
}

/// AgentOS 6.C 23, 7.1.5.
#[test]
fn a_tools_status_is_the_one_it_reported_whatever_its_text_says() {
    for (status, result, expected, icon) in [
        (ToolStatus::Success, "Error rates fell; the fallback was skipped gracefully.", "success", '✓'),
        (ToolStatus::Error, "ConnectionError: timeout", "error", '✗'),
        (ToolStatus::Degraded, "All of it is here.", "graceful_skip", '⚠'),
        (ToolStatus::Error, "", "error", '✗'),
    ] {
        let mut log = Log::of(pipeline());
        log.tool("news_analyst", "get_news", status, result);
        let frame = log.last();
        assert_eq!(frame["status"], expected);
        assert!(frame["message"].as_str().unwrap().starts_with(icon));
        let error = match (expected, result) {
            ("error", "") => json!("Unknown tool error"),
            ("error", words) => json!(words),
            _ => Value::Null,
        };
        assert_eq!(frame["error"], error);
    }
}

#[test]
fn long_texts_are_cut_between_characters() {
    let mut log = Log::of(pipeline());
    let long = "ü🦀".repeat(30_000);
    log.tool("news_analyst", "get_news", ToolStatus::Error, &long);
    let frame = log.last();
    let characters = |value: &Value| value.as_str().unwrap().chars().count();
    assert_eq!(characters(&frame["response"]), 50_000);
    assert_eq!(characters(&frame["error"]), 500);
    assert_eq!(characters(&frame["message"]), "✗ Tool result: get_news | ".chars().count() + 301);

    let asked_of_a_tool = Body::ToolInvoked(ToolInvoked {
        call: "news_analyst:1:9".parse().unwrap(),
        tool: "get_news".to_owned(),
        arguments: long.as_str().into(),
        asked: None,
    });
    log.add(Some("news_analyst"), asked_of_a_tool);
    assert_eq!(characters(&log.last()["prompt"]), 50_000);

    log.ask("trader", &long);
    assert_eq!(characters(&log.last()["prompt"]), 60_000);
    log.answer("trader", &long, Usage::default(), None);
    let frame = log.last();
    assert_eq!((characters(&frame["prompt"]), characters(&frame["response"])), (60_000, 50_000));
}

#[test]
fn the_pipelines_nodes_have_the_names_that_agentos_gives_them() {
    for (id, name) in [
        ("market_analyst", "Market Analyst"),
        ("social_analyst", "Social Analyst"),
        ("news_analyst", "News Analyst"),
        ("fundamentals_analyst", "Fundamentals Analyst"),
        ("bull_researcher", "Bull Researcher"),
        ("bear_researcher", "Bear Researcher"),
        ("research_manager", "Research Manager"),
        ("trader", "Trader"),
        ("aggressive_analyst", "Aggressive Analyst"),
        ("conservative_analyst", "Conservative Analyst"),
        ("neutral_analyst", "Neutral Analyst"),
        ("portfolio_manager", "Portfolio Manager"),
    ] {
        let mut log = Log::of(pipeline());
        log.ask(id, "[user] Go.");
        assert_eq!(log.last()["node_id"], name);
    }
}

/// AgentOS 6.C 25.
#[test]
fn the_portfolios_nodes_have_the_ids_that_agentos_gives_them_and_carry_the_portfolio() {
    for (id, name) in [
        ("review_holdings", "review_holdings"),
        ("macro_summary", "macro_summary"),
        ("micro_summary", "micro_summary"),
        ("make_decision", "make_pm_decision"),
        ("prioritise_candidates", "prioritize_candidates"),
    ] {
        let mut log = Log::of(portfolio());
        log.ask(id, "[user] Go.");
        let frame = log.last();
        assert_eq!(frame["node_id"], name);
        assert_eq!(frame["agent"], name.to_uppercase());
        assert_eq!(frame["identifier"], "growth");
        log.tool(id, "get_news", ToolStatus::Success, "Quiet.");
        assert_eq!(log.last()["parent_node_id"], name);
    }
}

#[test]
fn the_frames_of_a_scan_are_about_the_market() {
    let scan = Task::Scan { date: "2022-06-30".parse().unwrap(), max_tickers: 3, prices: None };
    let mut log = Log::of(request(scan));
    log.ask("geopolitical_scanner", "[user] Go.");
    let frame = log.last();
    assert_eq!(frame["node_id"], "geopolitical_scanner");
    assert_eq!(frame["identifier"], "MARKET");
}

/// AgentOS E 6.
#[test]
fn nodes_of_pure_code_appear_as_log_lines() {
    let mut log = Log::of(portfolio());
    log.node("load_portfolio", NodeKind::Code);
    log.node("review_holdings", NodeKind::Agent);
    for node in ["load_portfolio", "review_holdings"] {
        log.add(Some(node), Body::NodeStarted(NodeStarted { visit: 1, phase: "Analysis".to_owned() }));
        let finished = NodeFinished {
            visit: 1,
            status: NodeStatus::Succeeded,
            reason: None,
            degraded: None,
            duration_ms: 12,
            patch: Patch::new(),
            appended: Default::default(),
            next: Vec::new(),
            complete: true,
            anew: false,
        };
        log.add(Some(node), Body::NodeFinished(finished));
    }
    let frames = log.frames();
    let messages: Vec<&str> = frames.iter().map(|frame| frame["message"].as_str().unwrap()).collect();
    assert_eq!(
        messages,
        [
            "Starting portfolio manager for growth on 2022-06-30",
            "load_portfolio started",
            "load_portfolio finished after 12 ms"
        ]
    );
    assert_eq!(
        frames[1],
        json!({
            "id": "log_4", "type": "log", "node_id": "__system__", "agent": "SYSTEM",
            "message": "load_portfolio started", "metrics": {},
            "timestamp": "00:01:04", "seq": 4, "at": START + 3000,
        })
    );
}

#[test]
fn a_failed_or_degraded_node_says_so() {
    let line = |status, reason: Option<&str>, degraded: Option<&str>| {
        let mut log = Log::of(pipeline());
        log.node("market_analyst", NodeKind::Agent);
        let finished = NodeFinished {
            visit: 1,
            status,
            reason: reason.map(str::to_owned),
            degraded: degraded.map(str::to_owned),
            duration_ms: 12,
            patch: Patch::new(),
            appended: Default::default(),
            next: Vec::new(),
            complete: true,
            anew: false,
        };
        log.add(Some("market_analyst"), Body::NodeFinished(finished));
        log.last()["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(line(NodeStatus::Failed, Some("no answer"), None), "Error: Market Analyst failed: no answer");
    assert_eq!(
        line(NodeStatus::Succeeded, None, Some("no news before 2022")),
        "Warning: Market Analyst finished without everything: no news before 2022"
    );
}

/// AgentOS 6.C 23, 7.1.6.
#[test]
fn the_last_frame_tells_how_the_run_ended() {
    for (status, error, message) in [
        (RunStatus::Succeeded, None, "Run completed."),
        (RunStatus::Failed, Some("no credit"), "Error: Run failed: no credit"),
        (RunStatus::Cancelled, Some("wrong ticker"), "Error: Run failed: Stopped: wrong ticker"),
    ] {
        let mut log = Log::of(pipeline());
        log.finish(status, error);
        assert_eq!(log.last(), json!({"type": "system", "message": message}));
    }
}

#[test]
fn an_unknown_run_is_one_system_frame() {
    assert_eq!(
        serde_json::to_value(SystemFrame::run_not_found("nope")).unwrap(),
        json!({"type": "system", "message": "Error: Run nope not found."})
    );
}

/// AgentOS 6.C 8, 6.C 28.
#[test]
fn everybody_who_reads_the_log_gets_the_same_frames() {
    let mut log = Log::of(pipeline());
    log.ask("trader", "[user] Decide.");
    log.tool("trader", "get_stock_data", ToolStatus::Success, "1,2,3");
    log.answer("trader", "Hold.", Usage::default(), None);
    log.finish(RunStatus::Succeeded, None);
    let frames = log.frames();
    assert_eq!(frames, log.frames());
    let mut ids: Vec<&str> = frames.iter().filter_map(|frame| frame["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), frames.len() - 1, "every event has an id of its own");
}

#[test]
fn a_record_shows_the_request_and_where_the_run_stands() {
    let log = Log::of(pipeline());
    let summary = RunView::fold(&log.0).unwrap().summary;
    assert_eq!(
        serde_json::to_value(RunRecord::new(&summary)).unwrap(),
        json!({
            "id": RUN, "flow_id": "1a2b3c4d", "short_rid": "1a2b3c4d", "type": "pipeline",
            "status": "queued", "created_at": 1_656_547_261.0, "user_id": "local",
            "params": {
                "ticker": "AAPL", "date": "2022-06-30", "flow_id": "1a2b3c4d",
                "analysts": ["market", "social", "news", "fundamentals"],
            },
            "rerun_seq": 0,
        })
    );
    let record = Log::of(portfolio()).record();
    assert_eq!(record["type"], "portfolio");
    assert_eq!(
        record["params"],
        json!({"portfolio_id": "growth", "date": "2022-06-30", "flow_id": "1a2b3c4d"})
    );
}

#[test]
fn a_single_record_has_the_events_without_the_terminal_frame() {
    let mut log = Log::of(pipeline());
    log.ask("trader", "[user] Decide.");
    log.finish(RunStatus::Succeeded, None);
    let record = log.record();
    assert_eq!(record["status"], "completed");
    let kinds: Vec<&Value> =
        record["events"].as_array().unwrap().iter().map(|event| &event["type"]).collect();
    assert_eq!(kinds, ["log", "thought"]);
    assert!(record.get("error").is_none());
}

#[test]
fn every_status_has_its_name_in_agentos() {
    for (status, name) in [(RunStatus::Running, "running"), (RunStatus::Waiting, "running")] {
        let mut log = Log::of(pipeline());
        log.add(None, Body::StatusChanged(StatusChanged { status, reason: None }));
        assert_eq!(log.record()["status"], name);
    }
    for (status, error, shown) in [
        (RunStatus::Failed, Some("no credit"), "no credit"),
        (RunStatus::Cancelled, Some("wrong ticker"), "Stopped: wrong ticker"),
        (RunStatus::Cancelled, None, "Stopped by a person"),
    ] {
        let mut log = Log::of(pipeline());
        log.finish(status, error);
        let record = log.record();
        assert_eq!((&record["status"], &record["error"]), (&json!("failed"), &json!(shown)));
    }
}

#[test]
fn trades_and_refused_orders_are_in_the_log() {
    let mut log = Log::of(portfolio());
    let order = Order {
        side: Side::Buy,
        ticker: "KO".parse().unwrap(),
        quantity: "10.50".parse().unwrap(),
        rationale: "Steady".to_owned(),
        stop_loss: None,
        take_profit: None,
    };
    let reasons = vec!["Cash would fall below 5 %".to_owned(), "The sector would exceed 35 %".to_owned()];
    log.add(
        Some("execute_trades"),
        Body::Produced(RejectedOrder { order, price: None, reasons }.product().unwrap()),
    );
    assert_eq!(
        log.last()["message"],
        "Warning: Order refused: BUY 10.5 KO: Cash would fall below 5 %; The sector would exceed 35 %"
    );
}
