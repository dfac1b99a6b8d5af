//! Automatic runs, from the scan to the trades.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use llm::{ChatRequest, Message, ModelRegistry, Turn};
use protocol::{
    AccountId, Body, Decimal, ForkPoint, ForkRun, Limits, LogLevel, NodeStatus, RunFilter, RunId, RunRequest,
    RunStatus, RunView,
    trading::{AnalysisEnd, AnalysisReason, AutoResult, Grade, Task, Trade},
};
use serde_json::json;
use stage::{Changed, Stage, auto, main_portfolio, portfolio, request, status};
use workflows::{
    Families,
    trading::{Trading, rehearsal::TradingRehearsal},
};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn result(view: &RunView) -> AutoResult {
    view.documents().last().unwrap()
}

fn stocks(view: &RunView) -> Vec<String> {
    result(view).analyses.iter().map(|analysis| analysis.ticker.to_string()).collect()
}

/// What the portfolio's run below traded.
async fn traded(stage: &Stage, view: &RunView) -> Vec<(String, Decimal, Decimal)> {
    let below = RunView::fold(&stage.events(result(view).portfolio_run).await).unwrap();
    below.documents::<Trade>().map(|trade| (trade.ticker.to_string(), trade.quantity, trade.price)).collect()
}

/// How many runs of a kind a flow has.
async fn runs(stage: &Stage, kind: &str, flow: &str) -> usize {
    let filter = RunFilter { kind: kind.parse().ok(), flow: flow.parse().ok(), ..RunFilter::default() };
    stage.journal.summaries(&filter, None).await.unwrap().runs.len()
}

/// The synthesis proposes these stocks; all else is as in the rehearsal.
fn proposing(request: &ChatRequest, tickers: &[&str]) -> Option<Turn> {
    (request.agent == "macro_synthesis").then(|| {
        let stock = |ticker: &&str| {
            json!({
                "ticker": ticker, "name": "n", "sector": "s", "rationale": "r", "thesis_angle": "growth",
                "conviction": "low", "key_catalysts": [], "risks": [],
            })
        };
        let answer = json!({
            "timeframe": "t",
            "executive_summary": "s",
            "macro_context": { "economic_cycle": "e", "central_bank_stance": "c", "geopolitical_risks": [] },
            "key_themes": [],
            "stocks_to_investigate": tickers.iter().map(stock).collect::<Vec<_>>(),
            "risk_factors": [],
        });
        Turn::Answer(answer.to_string())
    })
}

fn is_about(request: &ChatRequest, ticker: &str) -> bool {
    request.messages.iter().any(|message| match message {
        Message::User(text) => text.starts_with(&format!("Stock: {ticker} ")),
        _ => false,
    })
}

/// AgentOS 6.C 2.
#[tokio::test]
async fn an_automatic_run_ends_with_trades_and_shows_a_node_for_each_stock() {
    let stage = Stage::new().await;
    let view = stage.run(auto("2022-06-30", 3, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let nodes: Vec<_> = view
        .nodes
        .iter()
        .map(|node| (node.plan.id.as_str(), node.plan.label.as_str(), node.plan.scope.as_deref()))
        .collect();
    let portfolio = Some("main_portfolio");
    assert_eq!(
        nodes,
        [
            ("scan", "Scan", portfolio),
            ("choose_stocks", "Choose stocks", portfolio),
            ("portfolio", "Portfolio", portfolio),
            ("result", "Result", portfolio),
            ("analyse_1_lly", "LLY", Some("LLY")),
        ]
    );
    assert!(view.nodes.iter().all(|node| node.status == NodeStatus::Succeeded && node.visits.len() == 1));
    // The one stock with 5 points, by a calculation in another language. It is rated Buy, and gets 5 % in risk-off:
    // 5000 / 320.403 = 15.6 shares.
    assert_eq!(traded(&stage, &view).await, [("LLY".to_owned(), decimal("15"), decimal("320.403"))]);
    let result = result(&view);
    assert_eq!((result.trades, result.rejected, result.decision.as_str()), (1, 0, "0 sells, 1 buy"));
    let [analysis] = &result.analyses[..] else { panic!("{:?}", result.analyses) };
    assert_eq!(analysis.because, AnalysisReason::Scan);
    assert!(matches!(analysis.end, AnalysisEnd::Rated { grade: Grade::Buy, .. }), "{analysis:?}");
    assert_eq!(view.summary.result.as_deref(), Some("1 of 1 analysed; 0 sells, 1 buy"));
    let below: BTreeSet<RunId> = view.sub_runs.iter().map(|below| below.run).collect();
    assert_eq!(below.len(), 3);
    assert!(below.contains(&result.scan) && below.contains(&result.portfolio_run));
    let portfolio = stage.desk.view(&main_portfolio(), None).await.unwrap();
    // 100000 - 15 * 320.403
    assert_eq!(portfolio.cash, decimal("95193.955"));
}

/// AgentOS 7.2.1, 7.2.5.
#[tokio::test]
async fn what_is_held_is_analysed_as_well_and_no_stock_twice() {
    let script = |request: &ChatRequest| proposing(request, &["PFE", "KO"]);
    let stage = Stage::with_script(Changed(script)).await;
    for ticker in ["PFE", "LLY"] {
        stage.pipeline(ticker, "2022-06-30", "earlier").await;
    }
    stage.portfolio("2022-06-30", "earlier").await;
    let held = stage.desk.view(&main_portfolio(), None).await.unwrap().holdings.len();
    assert_eq!(held, 2);
    let view = stage.run(auto("2022-07-29", 2, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let chosen: Vec<_> =
        result(&view).analyses.iter().map(|it| (it.ticker.to_string(), it.because)).collect();
    let (scan, holding) = (AnalysisReason::Scan, AnalysisReason::Holding);
    assert_eq!(chosen, [("PFE".into(), scan), ("KO".into(), scan), ("LLY".into(), holding)]);
    // Of the scan's stocks only as many as were asked for; holdings come on top.
    let view = stage.run(auto("2022-07-29", 1, "flow")).await;
    assert_eq!(stocks(&view)[0], "PFE");
    assert!(stocks(&view).contains(&"LLY".to_owned()) && stocks(&view).len() <= 3, "{:?}", stocks(&view));
}

/// AgentOS 6.C 23, 7.2.5, E 13.
#[tokio::test]
async fn an_analysis_that_fails_stops_no_other_and_is_seen() {
    let script = |request: &ChatRequest| {
        if request.agent == "trader" && is_about(request, "KO") {
            return Some(Turn::Answer(String::new()));
        }
        proposing(request, &["LLY", "KO", "MRK"])
    };
    let stage = Stage::with_script(Changed(script)).await;
    let view = stage.run(auto("2022-06-30", 10, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let node = view.node(&"analyse_2_ko".parse().unwrap()).unwrap();
    assert_eq!(node.status, NodeStatus::Failed);
    let reason = node.reason.clone().unwrap();
    assert!(reason.starts_with("Trader: The model gave no usable answer"), "{reason}");
    for other in ["analyse_1_lly", "analyse_3_mrk", "portfolio", "result"] {
        assert_eq!(status(&view, other), NodeStatus::Succeeded, "{other}");
    }
    // Both are rated Buy: 5000 / 320.403 = 15.6 shares and 5000 / 88.633 = 56.4 shares.
    assert_eq!(
        traded(&stage, &view).await,
        [
            ("LLY".to_owned(), decimal("15"), decimal("320.403")),
            ("MRK".to_owned(), decimal("56"), decimal("88.633")),
        ]
    );
    let headline = view.summary.result.clone().unwrap();
    assert_eq!(headline, "Completed with errors: KO failed. 2 of 3 analysed; 0 sells, 2 buys");
    let events = stage.journal.whole(view.summary.run).await.unwrap();
    let lines: Vec<(LogLevel, String)> = events
        .into_iter()
        .filter_map(|event| match event.body {
            Body::Logged(line) => Some((line.level, line.message)),
            _ => None,
        })
        .collect();
    let said = |level: LogLevel, words: &str| {
        assert!(lines.iter().any(|line| *line == (level, words.to_owned())), "{words}: {lines:?}");
    };
    said(LogLevel::Info, "Phase 1/3: the market is scanned.");
    said(LogLevel::Info, "Phase 2/3, to be analysed, 2 at a time: LLY, KO, MRK.");
    said(LogLevel::Warning, &format!("The analysis of KO failed: {reason}"));
    said(LogLevel::Info, "Phase 3/3: the portfolio decides.");
    let failed = &result(&view).analyses[1];
    assert!(matches!(&failed.end, AnalysisEnd::Failed { reason: known } if *known == reason), "{failed:?}");

    // Continued before that stock, with a model that can rate it: what is there is not done again.
    let fork = ForkRun {
        point: ForkPoint::Before { node: "analyse_2_ko".parse().unwrap(), visit: 1 },
        edits: protocol::Edits::new(),
        workflow: None,
        model: None,
        limits: None,
        approval: None,
    };
    let stage = stage.restarted_with(TradingRehearsal).await;
    let again = stage.engine.fork(view.summary.run, fork, AccountId::local()).await.unwrap();
    let again = stage.end(again).await;
    assert_eq!(again.summary.status, RunStatus::Succeeded, "{:?}", again.summary.error);
    assert_eq!(status(&again, "analyse_2_ko"), NodeStatus::Succeeded);
    assert_eq!(runs(&stage, Task::SCAN, "flow").await, 1);
    assert_eq!(runs(&stage, Task::PIPELINE, "flow").await, 4, "KO once more, and no other");
}

/// AgentOS 6.C 7, 7.2.7.
#[tokio::test]
async fn what_the_flow_has_is_not_made_again_unless_it_is_asked_for() {
    let script = |request: &ChatRequest| proposing(request, &["LLY", "MRK"]);
    let stage = Stage::with_script(Changed(script)).await;
    stage.pipeline("MRK", "2022-06-30", "flow").await;
    // Another day's analysis is none of this day.
    stage.pipeline("LLY", "2022-06-29", "flow").await;
    let first = stage.run(auto("2022-06-30", 2, "flow")).await;
    let ends: Vec<_> = result(&first)
        .analyses
        .iter()
        .map(|it| (it.ticker.to_string(), matches!(it.end, AnalysisEnd::Known { .. })))
        .collect();
    assert_eq!(ends, [("LLY".into(), false), ("MRK".into(), true)]);
    assert_eq!(runs(&stage, Task::PIPELINE, "flow").await, 3);

    let second = stage.run(auto("2022-06-30", 2, "flow")).await;
    assert_eq!(second.summary.status, RunStatus::Succeeded, "{:?}", second.summary.error);
    assert_eq!(result(&second).scan, result(&first).scan);
    assert_eq!(second.sub_runs.len(), 1, "the portfolio alone");
    assert_eq!(runs(&stage, Task::PIPELINE, "flow").await, 3);

    let mut forced = auto("2022-06-30", 2, "flow");
    forced.workflow = forced.workflow.with("force", json!(true)).unwrap();
    let third = stage.run(forced).await;
    assert_ne!(result(&third).scan, result(&first).scan);
    assert_eq!(runs(&stage, Task::PIPELINE, "flow").await, 5);
    assert_eq!(runs(&stage, Task::SCAN, "another").await, 0);
}

/// AgentOS 7.2.5.
#[tokio::test]
async fn as_many_analyses_are_made_at_a_time_as_were_asked_for() {
    for (lines, most) in [(1, 1), (2, 2), (3, 3)] {
        let script = |request: &ChatRequest| proposing(request, &["LLY", "KO", "MRK", "PG", "PFE"]);
        let stage = Stage::with_script(Changed(script)).await;
        let mut wanted = auto("2022-06-30", 5, "flow");
        wanted.workflow = wanted.workflow.with("max_concurrent_pipelines", json!(lines)).unwrap();
        wanted.workflow = wanted.workflow.with("analysts", json!(["market"])).unwrap();
        let view = stage.run(wanted).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        assert_eq!(stocks(&view), ["LLY", "KO", "MRK", "PG", "PFE"]);
        let (mut now, mut largest) = (0, 0);
        for event in stage.events(view.summary.run).await {
            if !event.node.as_ref().is_some_and(|node| node.as_str().starts_with("analyse_")) {
                continue;
            }
            match event.body {
                Body::NodeStarted(_) => now += 1,
                Body::NodeFinished(_) => now -= 1,
                _ => {}
            }
            largest = largest.max(now);
        }
        assert_eq!(largest, most);
    }
}

/// The calls of a run that were begun again after they had been answered.
async fn asked_again(stage: &Stage, run: RunId) -> Vec<String> {
    let (mut answered, mut again) = (BTreeSet::new(), Vec::new());
    for event in stage.events(run).await {
        match event.body {
            Body::CallFinished(finished) => drop(answered.insert(finished.call)),
            Body::CallStarted(started) if answered.contains(&started.call) => {
                again.push(started.call.to_string());
            }
            _ => {}
        }
    }
    again
}

/// AgentOS E 4.
#[tokio::test]
async fn a_run_that_is_cut_off_goes_on_and_asks_and_trades_once() {
    let script = |request: &ChatRequest| proposing(request, &["LLY", "MRK"]);
    let stage = Stage::with_script(Changed(script)).await;
    let run = stage.engine.start(auto("2022-06-30", 2, "flow"), AccountId::local()).await.unwrap();
    let mut log = stage.journal.subscribe(run, 0).await.unwrap();
    let mut begun = 0;
    // The scan has ended, and both analyses are under way.
    while begun < 3 {
        let events = log.next().await.unwrap().unwrap();
        let is_start = |body: &Body| matches!(body, Body::SubRunStarted(_));
        begun += events.iter().filter(|event| is_start(&event.decode().unwrap().body)).count();
    }
    drop(log);
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = asked.clone();
    let stage = stage
        .restarted_with(Changed(move |request: &ChatRequest| {
            heard.lock().unwrap().push(request.agent.clone());
            None
        }))
        .await;
    stage.engine.resume().await.unwrap();
    let view = stage.end(run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(stocks(&view), ["LLY", "MRK"]);
    assert_eq!(view.sub_runs.len(), 4);
    assert!(!asked.lock().unwrap().iter().any(|agent| agent == "macro_synthesis"), "the scan had ended");
    for below in view.sub_runs.iter().map(|below| below.run).chain([run]) {
        assert_eq!(asked_again(&stage, below).await, Vec::<String>::new());
    }
    assert_eq!(traded(&stage, &view).await.len(), 2);
    assert_eq!(stage.desk.load(&main_portfolio()).await.unwrap().entries(), 2);
}

/// One stock and one analyst, so that much can be run at once.
fn small(flow: &str) -> RunRequest {
    let task = Task::Auto {
        portfolio: main_portfolio(),
        date: "2022-06-30".parse().unwrap(),
        max_tickers: 1,
        max_concurrent_pipelines: 1,
        analysts: vec![protocol::trading::Analyst::Market],
        force: false,
        prices: None,
    };
    request(task, flow)
}

/// AgentOS 6.C 27.
#[tokio::test]
async fn as_many_automatic_runs_as_places_do_not_wait_for_each_other_for_ever() {
    let stage = Stage::new().await;
    // The engine has 8 places, and each of these runs needs a second one for what it starts.
    let flows: Vec<String> = (0..8).map(|number| format!("flow-{number}")).collect();
    let ended = join_all(flows.iter().map(|flow| stage.run(small(flow))));
    let ended = tokio::time::timeout(Duration::from_secs(300), ended).await.expect("all of them end");
    for view in ended {
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    }
}

/// AgentOS 6.C 30.
#[tokio::test]
async fn the_limits_of_the_run_hold_for_all_that_it_starts() {
    let stage = Stage::new().await;
    let limits = Limits { tokens: Some(20_000), ..Limits::default() };
    let view = stage.run(RunRequest { limits, ..auto("2022-10-28", 5, "flow") }).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.clone().unwrap();
    assert!(error.contains("tokens, its limit"), "{error}");
    assert!(view.documents::<AutoResult>().next().is_none());
    assert_eq!(stage.desk.load(&main_portfolio()).await.unwrap().entries(), 1, "nothing was traded");
}

#[tokio::test]
async fn the_samples_of_all_kinds_run_offline() {
    let stage = Stage::new().await;
    let trading = Trading::new(stage.journal.clone(), stage.desk.clone(), stage.market.clone());
    let models = ModelRegistry::default();
    let families = Families::new(vec![Arc::new(trading)], stage.journal.documents(), models, None).unwrap();
    let forms = families.forms(&AccountId::local()).await.unwrap();
    let kinds: Vec<_> = forms.iter().map(|(spec, _)| spec.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [Task::PIPELINE, Task::PORTFOLIO, Task::SCAN, Task::AUTO, Task::BACKTEST, Task::REFLECT]
    );
    for (spec, form) in forms {
        let required = form.parameters["required"].as_array().unwrap().clone();
        let sample = form.sample.unwrap();
        for name in required {
            assert!(sample.parameters().contains_key(name.as_str().unwrap()), "{}: {name}", spec.kind);
        }
        let view = stage.run(request(sample, "samples")).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{}: {:?}", spec.kind, view.summary.error);
        assert!(view.summary.result.is_some(), "{}", spec.kind);
    }
}

#[tokio::test]
async fn a_scan_that_fails_ends_the_run_before_anything_is_traded() {
    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        (request.agent == "macro_synthesis").then(|| Turn::Answer("Nothing comes to mind.".into()))
    }))
    .await;
    let view = stage.run(auto("2022-06-30", 2, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.clone().unwrap();
    assert!(error.starts_with("Scan: The scan came to nothing: Macro synthesis:"), "{error}");
    assert_eq!(view.sub_runs.len(), 1);
    assert!(view.documents::<AutoResult>().next().is_none());
}

/// AgentOS 7.2.5.
#[tokio::test]
async fn without_any_stock_the_portfolio_decides_all_the_same() {
    let script = |request: &ChatRequest| proposing(request, &[]);
    let stage = Stage::with_script(Changed(script)).await;
    let view = stage.run(auto("2022-06-30", 2, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.summary.result.as_deref(), Some("Nothing to analyse; 0 sells, 0 buys"));
    assert_eq!(view.nodes.len(), 4);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_or_ends_before_anything_is_paid_for() {
    let stage = Stage::new().await;
    let with = |name: &str, value: serde_json::Value| {
        let mut request = auto("2022-06-30", 2, "flow");
        request.workflow = request.workflow.with(name, value).unwrap();
        request
    };
    for (request, words) in [
        (with("portfolio", json!("nobody")), "no portfolio nobody"),
        (with("max_tickers", json!(0)), "must be 1 to 20; 0 was asked for"),
        (with("max_concurrent_pipelines", json!(9)), "must be 1 to 8; 9 was asked for"),
        (with("analysts", json!([])), "Select at least one"),
        (with("max_tickers", json!("many")), "cannot be read"),
    ] {
        let refusal = stage.engine.start(request, AccountId::local()).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    let anothers = stage.engine.start(auto("2022-06-30", 2, "flow"), "bert".parse().unwrap()).await;
    assert!(anothers.unwrap_err().to_string().contains("no portfolio main_portfolio"));
    stage.run(portfolio("2022-06-30", "flow")).await;
    let late = stage.run(auto("2022-06-29", 2, "flow")).await;
    assert_eq!(late.summary.status, RunStatus::Failed);
    assert!(late.summary.error.unwrap().contains("lies before the last decision"));
    assert!(late.calls.is_empty() && late.sub_runs.is_empty());
}

/// AgentOS 6.C 35.
#[tokio::test]
async fn a_rating_that_cannot_be_read_is_said_and_analysed_again_by_the_next_run_of_the_flow() {
    let script = |request: &ChatRequest| {
        if request.agent == "portfolio_manager" && is_about(request, "LLY") {
            return Some(Turn::Answer("Hold, I think.".into()));
        }
        proposing(request, &["LLY", "MRK"])
    };
    let stage = Stage::with_script(Changed(script)).await;
    let view = stage.run(auto("2022-06-30", 2, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let [lly, mrk] = &result(&view).analyses[..] else { panic!("{:?}", result(&view).analyses) };
    assert!(matches!(lly.end, AnalysisEnd::Rated { grade: Grade::Review, .. }), "{lly:?}");
    assert!(matches!(mrk.end, AnalysisEnd::Rated { grade: Grade::Buy, .. }), "{mrk:?}");
    assert_eq!(view.summary.result.as_deref(), Some("REVIEW: LLY. 2 of 2 analysed; 0 sells, 1 buy"));
    assert!(traded(&stage, &view).await.iter().all(|(ticker, ..)| ticker == "MRK"));
    let report = view.reports.iter().find(|report| report.name == "auto_result").unwrap();
    let markdown = stage.journal.resolve(&report.markdown).await.unwrap();
    assert!(
        markdown.contains("| LLY | the scan proposed it | REVIEW, the rating could not be read |"),
        "{markdown}"
    );

    let stage = stage.restarted().await;
    let again = stage.run(auto("2022-06-30", 2, "flow")).await;
    let [lly, mrk] = &result(&again).analyses[..] else { panic!("{:?}", result(&again).analyses) };
    assert!(matches!(lly.end, AnalysisEnd::Rated { grade: Grade::Buy, .. }), "{lly:?}");
    assert!(matches!(mrk.end, AnalysisEnd::Known { grade: Grade::Buy, .. }), "{mrk:?}");
}

/// Appendix E 13 and 6.C 5 of AgentOS's specification: there, an execution that failed counted as done for ever.
#[tokio::test]
async fn a_decision_that_came_to_nothing_does_not_count_as_done() {
    let undecided = |request: &ChatRequest| {
        (request.agent == "make_decision").then(|| Turn::Answer("Buy, I think.".into()))
    };
    let stage = Stage::with_script(Changed(undecided)).await;
    let failed = stage.run(auto("2022-06-30", 1, "flow")).await;
    assert_eq!(failed.summary.status, RunStatus::Failed);
    let error = failed.summary.error.clone().unwrap();
    assert!(error.starts_with("Portfolio: The portfolio's run came to nothing: Make decision:"), "{error}");
    assert_eq!(stage.desk.load(&main_portfolio()).await.unwrap().entries(), 1, "nothing was traded");

    let stage = stage.restarted_with(TradingRehearsal).await;
    let view = stage.run(auto("2022-06-30", 1, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.sub_runs.len(), 1, "scan and analysis are there; the portfolio decides again");
    assert_eq!(traded(&stage, &view).await, [("LLY".to_owned(), decimal("15"), decimal("320.403"))]);
}
