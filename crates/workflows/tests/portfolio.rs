//! Portfolio runs, from the ratings of a flow to the ledger.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::sync::{Arc, Mutex};

use llm::{ChatRequest, Message, Script, Turn};
use market::{DataKind, Market, OwnData};
use portfolio::Entry;
use protocol::{
    AccountId, Body, Date, Decimal, Edits, ForkPoint, ForkRun, Heading, ModelChoice, NewEvent, NodeStatus,
    RunFinished, RunId, RunRequest, RunStarted, RunStatus, RunView, Timestamp, Totals, TurnContent,
    document::DocumentContent,
    trading::{
        Confidence, Decision, Lesson, Measured, OwnAdjustment, PortfolioId, PortfolioSettings, PortfolioView,
        PriceTable, Rating, RejectedOrder, Scan, Side, Task, Trade,
    },
};
use serde_json::{Value, json};
use stage::{Changed, Stage, main_portfolio, pipeline, portfolio, request, scan, status};
use workflows::trading::rehearsal::TradingRehearsal;

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn trades(view: &RunView) -> Vec<Trade> {
    view.documents().collect()
}

fn traded(view: &RunView) -> Vec<(Side, String, Decimal, Decimal)> {
    trades(view)
        .into_iter()
        .map(|trade| (trade.side, trade.ticker.to_string(), trade.quantity, trade.price))
        .collect()
}

fn logs(view: &RunView) -> String {
    let logs = view.turns.iter().filter_map(|turn| match &turn.content {
        TurnContent::Log(line) => Some(line.message.as_str()),
        _ => None,
    });
    logs.collect::<Vec<_>>().join("\n")
}

/// AgentOS 6.C 2, 7.2.4.
#[tokio::test]
async fn a_portfolio_buys_what_the_flow_rated_well() {
    let stage = Stage::new().await;
    for ticker in ["LLY", "MRK", "AAPL"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    // Buy ratings of high conviction get 10 %, half of it as the index is in risk-off:
    // 5000 / 320.403 = 15.6 shares and 5000 / 88.633 = 56.4 shares. AAPL is rated Underweight.
    assert_eq!(
        traded(&view),
        [
            (Side::Buy, "LLY".to_owned(), decimal("15"), decimal("320.403")),
            (Side::Buy, "MRK".to_owned(), decimal("56"), decimal("88.633")),
        ]
    );
    assert_eq!(trades(&view)[0].stop_loss, Some(decimal("288.36")));
    assert_eq!(trades(&view)[0].take_profit, Some(decimal("384.48")));
    assert_eq!(view.summary.result.as_deref(), Some("0 sells, 2 buys"));

    let portfolio = stage.desk.view(&main_portfolio(), None).await.unwrap();
    // 100000 - 15 * 320.403 - 56 * 88.633
    assert_eq!(portfolio.cash, decimal("90230.507"));
    assert_eq!(portfolio.total.known(), Some(&decimal("100000")));
    assert_eq!(view.documents::<PortfolioView>().last().unwrap(), portfolio);
}

/// AgentOS E 6.
#[tokio::test]
async fn every_step_is_a_node_and_the_briefs_are_written_side_by_side() {
    let stage = Stage::new().await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    let nodes: Vec<_> =
        view.nodes.iter().map(|node| (node.plan.id.as_str(), node.plan.role.as_str())).collect();
    assert_eq!(
        nodes,
        [
            ("load_portfolio", "load"),
            ("compute_risk", "risk"),
            ("review_holdings", "review"),
            ("prioritise_candidates", "prioritise"),
            ("macro_summary", "macro"),
            ("micro_summary", "micro"),
            ("make_decision", "decision"),
            ("execute_trades", "execute"),
            ("cash_sweep", "sweep"),
        ]
    );
    assert!(view.nodes.iter().all(|node| node.status == NodeStatus::Succeeded && node.visits.len() == 1));
    let sources = |to: &str| view.edges.iter().filter(|edge| edge.plan.to.as_str() == to).count();
    assert_eq!((sources("make_decision"), sources("macro_summary"), sources("micro_summary")), (2, 1, 1));
    // Nothing held, nothing rated: nothing is traded, and that is said.
    assert!(trades(&view).is_empty());
    assert!(logs(&view).contains("has no ratings up to 2022-06-30"), "{}", logs(&view));
    assert!(logs(&view).contains("has no price for SGOV"), "{}", logs(&view));
}

/// AgentOS 6.A 14.
#[tokio::test]
async fn other_flows_and_later_days_are_not_considered() {
    let stage = Stage::new().await;
    stage.pipeline("LLY", "2022-06-30", "another").await;
    stage.pipeline("MRK", "2022-07-01", "flow").await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert!(trades(&view).is_empty(), "{:?}", trades(&view));
    assert!(
        logs(&view).contains("Pipeline · MRK · 2022-07-01 is not considered: it lies after"),
        "{}",
        logs(&view)
    );
}

/// AgentOS 7.2.4.
#[tokio::test]
async fn a_holding_whose_trend_breaks_is_sold() {
    let stage = Stage::new().await;
    stage.pipeline("PFE", "2022-06-30", "flow").await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    // Overweight, so 7 %, halved: 3500 / 50.011 = 69.98 shares.
    assert_eq!(traded(&view), [(Side::Buy, "PFE".to_owned(), decimal("69"), decimal("50.011"))]);
    // Two months later the close of 43.478 is below SMA 50 (48.11) and SMA 200 (49.01).
    let view = stage.portfolio("2022-08-31", "flow").await;
    assert_eq!(traded(&view), [(Side::Sell, "PFE".to_owned(), decimal("69"), decimal("43.478"))]);
    // 69 * (43.478 - 50.011)
    assert_eq!(trades(&view)[0].realised_profit, Some(decimal("-450.777")));
    assert!(stage.desk.view(&main_portfolio(), None).await.unwrap().holdings.is_empty());
}

#[tokio::test]
async fn a_rejected_order_is_seen_with_all_reasons() {
    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        (request.agent == "make_decision").then(|| {
            let buy = |ticker: &str, quantity: &str| {
                json!({ "ticker": ticker, "quantity": quantity, "stop_loss": null, "take_profit": null, "rationale": "r" })
            };
            let decision = json!({
                "macro_regime": "neutral",
                "sells": [],
                "buys": [buy("LLY", "400"), buy("SPY", "1"), buy("KO", "10")],
                "holds": [],
                "portfolio_thesis": "t",
                "risk_summary": "r",
                "decision_confidence": "high",
            });
            Turn::Answer(decision.to_string())
        })
    }))
    .await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(traded(&view), [(Side::Buy, "KO".to_owned(), decimal("10"), decimal("61.078"))]);
    // 400 * 320.403 = 128161.20 of 100000.
    let rejected: Vec<RejectedOrder> = view.documents().collect();
    let reasons = rejected[0].reasons.join("; ");
    for reason in ["Insufficient cash", "Min cash reserve", "Max position size", "Max sector exposure"] {
        assert!(reasons.contains(reason), "{reasons}");
    }
    assert_eq!(rejected[1].reasons, ["No price found for SPY"]);
    let execute = view.node(&"execute_trades".parse().unwrap()).unwrap();
    assert_eq!(execute.degraded.as_deref(), Some("2 of 3 orders were rejected."));
    assert_eq!(
        view.documents::<Decision>().last().unwrap().confidence,
        Confidence::Low,
        "no rating stands behind the purchases"
    );
}

/// Reads a run's log until an event is found.
async fn wait_for(stage: &Stage, run: RunId, wanted: impl Fn(&Body) -> bool) {
    let mut log = stage.journal.subscribe(run, 0).await.unwrap();
    while let Some(events) = log.next().await.unwrap() {
        if events.iter().any(|event| wanted(&event.decode().unwrap().body)) {
            return;
        }
    }
}

#[tokio::test]
async fn a_run_that_is_cut_off_goes_on_after_a_restart_and_trades_once() {
    let stage = Stage::slow().await;
    let mut analysis = pipeline("LLY", "2022-06-30", "flow");
    analysis.model = ModelChoice::Rehearsal { characters_per_second: Some(0) };
    stage.run(analysis).await;
    let run = stage.engine.start(portfolio("2022-06-30", "flow"), AccountId::local()).await.unwrap();
    wait_for(&stage, run, |body| matches!(body, Body::CallStarted(_))).await;
    let stage = stage.restarted().await;
    assert_eq!(stage.engine.resume().await.unwrap(), 1);
    let view = stage.end(run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(traded(&view), [(Side::Buy, "LLY".to_owned(), decimal("15"), decimal("320.403"))]);
    assert_eq!(stage.desk.load(&main_portfolio()).await.unwrap().entries(), 2);
}

#[tokio::test]
async fn a_step_that_is_repeated_after_its_trades_trades_no_more() {
    let stage = Stage::new().await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    let (run, decision) = (view.summary.run, view.documents::<Decision>().last().unwrap());
    let date = "2022-06-30".parse().unwrap();
    // A trade's key is its decision's and its number in it.
    let first = trades(&view).remove(0).key;
    let (key, _) = first.rsplit_once('/').unwrap();
    let again = stage.desk.decide(&main_portfolio(), key, Some(run), date, &decision).await.unwrap();
    let Entry::Decided { trades: decided, .. } = again else { panic!("{again:?}") };
    assert_eq!(decided, trades(&view));
    assert_eq!(stage.desk.load(&main_portfolio()).await.unwrap().entries(), 2);
}

#[tokio::test]
async fn a_portfolio_that_has_decided_later_fails_the_run_visibly() {
    let stage = Stage::new().await;
    stage.portfolio("2022-06-30", "flow").await;
    let view = stage.portfolio("2022-06-29", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.clone().unwrap();
    assert!(error.contains("2022-06-29 lies before the last decision"), "{error}");
    assert_eq!(status(&view, "load_portfolio"), NodeStatus::Failed);
    assert_eq!(status(&view, "execute_trades"), NodeStatus::Skipped);
}

/// AgentOS 6.C 5.
#[tokio::test]
async fn an_unknown_portfolio_is_refused_before_the_run_starts() {
    let stage = Stage::new().await;
    let unknown: PortfolioId = "nobody".parse().unwrap();
    let workflow = Task::Portfolio { portfolio: unknown, date: "2022-06-30".parse().unwrap(), prices: None };
    let refusal =
        stage.engine.start(request(workflow, "flow"), AccountId::local()).await.unwrap_err().to_string();
    assert!(refusal.contains("no portfolio nobody"), "{refusal}");
    let refusal = stage
        .engine
        .start(portfolio("2023-01-03", "flow"), AccountId::local())
        .await
        .unwrap_err()
        .to_string();
    assert!(refusal.contains("2016-01-04 to 2022-12-28"), "{refusal}");
}

fn account(name: &str) -> AccountId {
    name.parse().unwrap()
}

/// Anna has a portfolio, and a run of bert's names it: nothing lets such a run begin today, but the
/// log may hold one from before.
async fn a_run_of_berts_on_annas_portfolio(stage: &Stage, status: Option<RunStatus>) -> RunId {
    let portfolio: PortfolioId = "anna--growth".parse().unwrap();
    stage
        .desk
        .open(portfolio.clone(), "Growth", decimal("50000"), PortfolioSettings::before_settings())
        .await
        .unwrap();
    let workflow = Task::Portfolio { portfolio, date: "2022-06-30".parse().unwrap(), prices: None };
    let started = RunStarted {
        owner: account("bert"),
        ..RunStarted::new(request(workflow, "flow"), Heading::new("Portfolio"))
    };
    let mut bodies = vec![Body::RunStarted(started)];
    bodies.extend(status.map(|status| {
        Body::RunFinished(RunFinished { status, error: None, stopped: None, totals: Totals::default() })
    }));
    let events = bodies.into_iter().map(|body| NewEvent { at: Timestamp(0), node: None, body });
    let run: RunId = "0197a1b2-0000-7000-8000-000000000001".parse().unwrap();
    let epoch = stage.journal.claim(run).await.unwrap();
    stage.journal.append(run, epoch, events.collect::<Vec<_>>()).await.unwrap();
    run
}

#[tokio::test]
async fn a_run_on_anothers_portfolio_is_neither_started_nor_continued_nor_resumed() {
    let stage = Stage::new().await;
    let ended = a_run_of_berts_on_annas_portfolio(&stage, Some(RunStatus::Cancelled)).await;
    let request = stage.journal.summary(ended).await.unwrap().unwrap().request;
    let refusal = stage.engine.start(request, account("bert")).await.unwrap_err().to_string();
    assert!(refusal.contains("no portfolio anna--growth"), "{refusal}");
    let fork = ForkRun {
        point: ForkPoint::End,
        edits: Edits::new(),
        workflow: None,
        model: None,
        limits: None,
        approval: None,
    };
    let refusal = stage.engine.fork(ended, fork, account("bert")).await.unwrap_err().to_string();
    assert!(refusal.contains("no portfolio anna--growth"), "{refusal}");

    let stage = Stage::new().await;
    let unfinished = a_run_of_berts_on_annas_portfolio(&stage, None).await;
    let stage = stage.restarted().await;
    stage.engine.resume().await.unwrap();
    let view = stage.end(unfinished).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.unwrap();
    assert!(error.contains("no portfolio anna--growth"), "{error}");
    assert!(view.products.is_empty(), "nothing of it was shown");
}

#[tokio::test]
async fn an_imported_analysis_is_nobodys_research() {
    let stage = Stage::new().await;
    let own = stage.pipeline("LLY", "2022-06-30", "elsewhere").await;
    let run: RunId = "0197a1b2-0000-7000-8000-000000000001".parse().unwrap();
    let epoch = stage.journal.claim(run).await.unwrap();
    let mut events = stage.events(own.summary.run).await;
    for event in &mut events {
        // A file holds whole texts.
        for text in event.body.texts_mut() {
            *text = stage.journal.resolve(text).await.unwrap().into();
        }
        if let Body::RunStarted(started) = &mut event.body {
            started.imported_from = Some(own.summary.run);
            started.request.flow = "flow".parse().unwrap();
        }
    }
    let events =
        events.into_iter().map(|event| NewEvent { at: event.at, node: event.node, body: event.body });
    stage.journal.append(run, epoch, events.collect::<Vec<_>>()).await.unwrap();

    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert!(traded(&view).iter().all(|(_, ticker, ..)| *ticker != "LLY"), "{:?}", traded(&view));
    assert!(logs(&view).contains("LLY · 2022-06-30 is not considered: it was imported."), "{}", logs(&view));
}

/// The portfolio manager's answer on this stock cannot be read, and the decision sells and buys all the same.
fn unreadable(request: &ChatRequest, ticker: &str) -> Option<Turn> {
    let is_about = request.messages.iter().any(
        |message| matches!(message, Message::User(text) if text.starts_with(&format!("Stock: {ticker} "))),
    );
    (request.agent == "portfolio_manager" && is_about).then(|| Turn::Answer("Hold, I think.".into()))
}

#[tokio::test]
async fn a_rating_that_cannot_be_read_is_shown_and_never_traded() {
    let stage = Stage::with_script(Changed(|request: &ChatRequest| {
        let buy = |ticker: &str| {
            json!({ "ticker": ticker, "quantity": "3", "stop_loss": null, "take_profit": null, "rationale": "r" })
        };
        let decided = (request.agent == "make_decision").then(|| {
            let decision = json!({
                "macro_regime": "neutral",
                "sells": [],
                "buys": [buy("LLY"), buy("PFE")],
                "holds": [],
                "portfolio_thesis": "t",
                "risk_summary": "s",
                "decision_confidence": "medium",
            });
            Turn::Answer(decision.to_string())
        });
        decided.or_else(|| unreadable(request, "LLY"))
    }))
    .await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    stage.pipeline("PFE", "2022-06-30", "flow").await;
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(traded(&view), [(Side::Buy, "PFE".to_owned(), decimal("3"), decimal("50.011"))]);
    let rejected: Vec<RejectedOrder> = view.documents().collect();
    let [rejected] = &rejected[..] else { panic!("{rejected:?}") };
    assert_eq!(rejected.order.ticker.as_str(), "LLY");
    assert!(rejected.reasons[0].contains("could not be read (REVIEW)"), "{rejected:?}");
    assert!(logs(&view).contains("LLY is not traded: its rating of 2022-06-30 could not be read (REVIEW)."));
    let report = view.reports.iter().find(|report| report.name == "prioritised_candidates").unwrap();
    let markdown = stage.journal.resolve(&report.markdown).await.unwrap();
    assert!(markdown.contains("Rated, but not proposed: LLY (REVIEW)."), "{markdown}");
    assert_eq!(view.summary.result.as_deref(), Some("0 sells, 1 buy"));
}

/// What agents were asked in the part of their prompts that is not their role, by agent.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, String)>>>);

impl Heard {
    fn note(&self, request: &ChatRequest) {
        let texts = request.messages.iter().filter_map(|message| match message {
            Message::User(text) => Some(text.as_str()),
            _ => None,
        });
        self.0.lock().unwrap().push((request.agent.clone(), texts.collect::<Vec<_>>().join("\n")));
    }

    fn told(&self, agent: &str) -> String {
        let heard = self.0.lock().unwrap();
        heard.iter().filter(|(asked, _)| asked == agent).map(|(_, text)| text.as_str()).collect()
    }
}

/// 6.C 2 and 34, 7.2.4 and section 4.6 of AgentOS's specification: there, no agent of a portfolio saw the scan, and no
/// brief the priority.
/// AgentOS 6.C 2, 6.C 34, 7.2.4.
#[tokio::test]
async fn the_portfolios_agents_are_told_the_flows_scan_and_what_a_candidates_priority_follows_from() {
    let heard = Heard::default();
    let listening = heard.clone();
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        listening.note(request);
        (request.agent == "macro_synthesis").then(|| {
            let Ok(Turn::Answer(text)) = TradingRehearsal.turn(request) else { panic!("an answer") };
            let mut answer: Value = serde_json::from_str(&text).unwrap();
            answer["key_themes"] = json!([{
                "theme": "Weight loss", "description": "One drug sells itself.", "conviction": "medium",
                "timeframe": "a year",
            }]);
            answer["stocks_to_investigate"] = json!([{
                "ticker": "LLY", "name": "Eli Lilly and Company", "sector": "Healthcare", "rationale": "r",
                "thesis_angle": "growth", "conviction": "medium", "key_catalysts": [], "risks": [],
            }]);
            Turn::Answer(answer.to_string())
        })
    }))
    .await;
    let scanned = stage.run(scan("2022-06-30", 5, "flow")).await;
    let scanned: Scan = scanned.documents().last().unwrap();
    for ticker in ["LLY", "PFE"] {
        stage.pipeline(ticker, "2022-06-30", "flow").await;
    }
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert!(
        logs(&view).contains("The flow's scan as of 2022-06-30 is taken into account."),
        "{}",
        logs(&view)
    );
    let overview = heard.told("macro_summary");
    for words in [scanned.executive_summary.as_str(), "Weight loss", "One drug sells itself."] {
        let quoted = json!(words).to_string();
        assert!(overview.contains(&quoted), "the macro brief is not told {quoted}:\n{overview}");
    }
    // High conviction and growth in a new sector: 3 * 3 * 2. Overweight, and proposed by no scan: 2 * 1 * 2.
    for agent in ["micro_summary", "make_decision"] {
        let told = heard.told(agent);
        for (ticker, priority) in [("LLY", "18"), ("PFE", "4")] {
            let facts = told.split(&format!("{{\"ticker\":\"{ticker}\",\"sector\"")).nth(1).unwrap();
            let facts = facts.split('}').next().unwrap();
            assert!(facts.contains(&format!("\"priority\":\"{priority}\"")), "{agent}, {ticker}: {facts}");
            assert_eq!(
                facts.contains("\"thesis\":\"growth\""),
                ticker == "LLY",
                "{agent}, {ticker}: {facts}"
            );
        }
    }

    // A scan of a later day, or of another flow, is none.
    let before = stage.portfolio("2022-07-01", "other").await;
    assert!(logs(&before).contains("The flow other has no scan up to 2022-07-01"), "{}", logs(&before));
}

/// 6.C 35 of AgentOS's specification: there, a newest file that was cut off hid all older ones.
#[tokio::test]
async fn a_result_that_cannot_be_read_hides_no_older_one_and_is_said() {
    let stage = Stage::new().await;
    let good = stage.pipeline("LLY", "2022-06-30", "flow").await;
    let run: RunId = "01ff0000-0000-7000-8000-000000000001".parse().unwrap();
    let epoch = stage.journal.claim(run).await.unwrap();
    let mut events = stage.events(good.summary.run).await;
    for event in &mut events {
        for text in event.body.texts_mut() {
            *text = stage.journal.resolve(text).await.unwrap().into();
        }
        if let Body::Produced(product) = &mut event.body
            && product.holds::<Rating>()
        {
            product.data = "{".into();
        }
    }
    let events =
        events.into_iter().map(|event| NewEvent { at: event.at, node: event.node, body: event.body });
    stage.journal.append(run, epoch, events.collect::<Vec<_>>()).await.unwrap();

    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(traded(&view), [(Side::Buy, "LLY".to_owned(), decimal("15"), decimal("320.403"))]);
    let remark = "LLY · 2022-06-30 is not considered: what it brought forth cannot be read";
    assert!(logs(&view).contains(remark), "{}", logs(&view));
}

/// Section 3.3 of AgentOS's specification.
#[tokio::test]
async fn the_reviewer_of_holdings_may_look_up_prices_and_news_up_to_the_day() {
    let offered: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = offered.clone();
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        if request.agent != "review_holdings" {
            return None;
        }
        *noted.lock().unwrap() = request.tools.iter().map(|tool| tool.name.clone()).collect();
        let first = !request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        let wanted = json!({ "symbol": "LLY", "start_date": "2022-08-25", "end_date": "2022-12-28" });
        first.then(|| Turn::Tools(vec![("get_stock_data".to_owned(), wanted)]))
    }))
    .await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    stage.portfolio("2022-06-30", "flow").await;
    let view = stage.portfolio("2022-08-31", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(*offered.lock().unwrap(), ["get_stock_data", "get_news"]);
    let looked_up = view.tools.iter().find(|tool| tool.tool == "get_stock_data").unwrap();
    let prices = stage.journal.resolve(&looked_up.outcome.as_ref().unwrap().result).await.unwrap();
    assert!(prices.contains("2022-08-31") && !prices.contains("2022-09"), "{prices}");
}

/// Appendix E 10 and 6.C 18 of AgentOS's specification: there, shares were counted without any price, value or risk.
#[tokio::test]
async fn reviewer_and_manager_are_told_prices_values_weights_profits_and_risk() {
    let heard = Heard::default();
    let listening = heard.clone();
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        listening.note(request);
        None
    }))
    .await;
    stage.pipeline("LLY", "2022-06-30", "flow").await;
    stage.portfolio("2022-06-30", "flow").await;
    heard.0.lock().unwrap().clear();
    stage.portfolio("2022-12-28", "flow").await;
    // 15 shares at 363.098 as of 2022-12-28, bought at 320.403 each: 5446.47, a profit of 640.425.
    let (reviewer, manager) = (heard.told("review_holdings"), heard.told("make_decision"));
    for (agent, prompt) in [("reviewer", &reviewer), ("manager", &manager)] {
        for figure in ["320.403", "363.098", "5446.47", "640.425", "\"weight\""] {
            assert!(prompt.contains(figure), "the {agent} is not told {figure}:\n{prompt}");
        }
    }
    // 100000 - 15 * 320.403 in cash, and what is held.
    for figure in ["95193.955", "100640.425", "\"sharpe\"", "\"max_drawdown\"", "\"max_position\""] {
        assert!(manager.contains(figure), "the manager is not told {figure}:\n{manager}");
    }
}

/// A stage with these prices and no others.
async fn stage_with(prices: &str) -> Stage {
    let (_, own) = OwnData::read(&format!("ticker,date,close\n{prices}"), OwnAdjustment::Raw);
    let market = Market::sample().unwrap().with_order(DataKind::Prices, vec![Arc::new(own.unwrap())]);
    Stage::with_market(market).await
}

/// The macro brief of a portfolio run, and whether a model was asked for it.
async fn macro_brief(stage: &Stage) -> (String, bool) {
    let view = stage.portfolio("2022-06-30", "flow").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let id = "macro_summary".parse().unwrap();
    assert_eq!(view.node(&id).unwrap().degraded.as_deref(), Some("There are no prices of ^GSPC."));
    let report = view.reports.iter().find(|report| report.name == "macro_brief").unwrap();
    let was_asked = view.calls.iter().any(|call| call.node.as_ref() == Some(&id));
    (stage.journal.resolve(&report.markdown).await.unwrap(), was_asked)
}

/// 7.6.7 of AgentOS's specification.
#[tokio::test]
async fn without_index_funds_and_scan_no_model_is_asked_for_the_macro_brief() {
    let stage = stage_with("LLY,2022-06-29,320\nLLY,2022-06-30,320.403\n").await;
    let (markdown, was_asked) = macro_brief(&stage).await;
    assert!(markdown.starts_with("NO DATA AVAILABLE: there are no prices of an index"), "{markdown}");
    assert!(!was_asked, "there is nothing to ask about");
}

/// 7.6.7 of AgentOS's specification: what a brief rests on is missing in part, and that is said.
#[tokio::test]
async fn without_an_index_the_macro_brief_says_so_and_no_regime_is_made_up() {
    let stage = stage_with("LLY,2022-06-30,320.403\nMTUM,2022-06-29,136\nMTUM,2022-06-30,136.4\n").await;
    let (markdown, was_asked) = macro_brief(&stage).await;
    assert!(markdown.starts_with("MACRO REGIME: neutral"), "{markdown}");
    assert!(markdown.contains("There are no prices of an index, so the regime is not known."), "{markdown}");
    assert!(was_asked, "there is a fund to write of");
}

#[tokio::test]
async fn a_rating_on_own_prices_is_neither_traded_at_the_shared_ones_nor_scored_by_them() {
    let stage = Stage::new().await;
    let table = keep_table(&stage, OWN).await;
    let analysis = stage.run(at_prices(pipeline("LLY", "2022-06-30", "flow"), &table)).await;
    assert_eq!(analysis.summary.status, RunStatus::Succeeded, "{:?}", analysis.summary.error);
    let view = stage.run(at_prices(portfolio("2022-06-30", "flow"), "shared")).await;
    assert!(trades(&view).is_empty(), "{:?}", traded(&view));
    let remark = "LLY · 2022-06-30 is not considered: it rests on own prices.";
    assert!(logs(&view).contains(remark), "{}", logs(&view));

    let look_back = Task::Reflect { date: "2022-08-31".parse().unwrap(), max_lessons: 5 };
    let view = stage.run(request(look_back, "flow")).await;
    assert_eq!(view.documents::<Lesson>().count(), 0);
}

#[tokio::test]
async fn a_portfolio_trades_at_the_own_prices_of_its_flows_analyses_and_stays_with_them() {
    let stage = Stage::new().await;
    let (table, other) = (keep_table(&stage, OWN).await, keep_table(&stage, OTHER).await);
    stage.run(at_prices(pipeline("LLY", "2022-06-30", "flow"), &table)).await;
    // One on the shared prices that is older, and no ground for trades at others.
    stage.pipeline("KO", "2022-06-30", "other").await;
    let run = stage.run(portfolio("2022-06-30", "flow")).await;
    assert_eq!(run.summary.status, RunStatus::Succeeded, "{:?}", run.summary.error);
    assert_eq!(run.summary.request.workflow.text("prices"), Some(format!("{table}@1").as_str()));
    // The table's last close: 100 on its first day and one more on each of the 299 that follow.
    let bought: Vec<_> =
        traded(&run).into_iter().map(|(side, ticker, _, price)| (side, ticker, price)).collect();
    assert_eq!(bought, [(Side::Buy, "LLY".to_owned(), decimal("399"))]);

    let shown = stage.desk.view(&main_portfolio(), None).await.unwrap();
    assert_eq!(shown.price_table.map(|table| table.to_string()), Some(format!("{table}@1")));
    assert_eq!(shown.holdings[0].price, Some(decimal("399")), "it is valued by what it was bought at");
    assert_eq!(shown.total, Measured::Known(decimal("100000")));

    for named in ["shared", other.as_str()] {
        let refused =
            stage.engine.start(at_prices(portfolio("2022-06-30", "third"), named), AccountId::local()).await;
        let why = refused.unwrap_err().to_string();
        assert!(why.contains("is valued by own prices, and trades at those alone"), "{why}");
    }
    // The flow's analysis rests on the shared prices, and the portfolio keeps to its own.
    let run = stage.portfolio("2022-06-30", "other").await;
    assert_eq!(run.summary.request.workflow.text("prices"), Some(format!("{table}@1").as_str()));
    let remark = "KO · 2022-06-30 is not considered: it rests on the shared prices.";
    assert!(logs(&run).contains(remark), "{}", logs(&run));

    // What its owner has deleted values nothing any more.
    stage.journal.documents().delete(&AccountId::local(), table.parse().unwrap()).await.unwrap();
    let shown = stage.desk.view(&main_portfolio(), None).await.unwrap();
    assert_eq!((shown.price_table, shown.holdings[0].price), (None, Some(decimal("320.403"))));
    stage.run(at_prices(portfolio("2022-06-30", "third"), "shared")).await;
}

const OWN: &str = "0197a1b2-0000-7000-8000-000000000002";
const OTHER: &str = "0197a1b2-0000-7000-8000-000000000003";

/// A table of one's own of LLY: 100 on the first of September 2021, and one more on each of the 299 days that follow.
async fn keep_table(stage: &Stage, id: &str) -> String {
    let closes = (0..300).map(|day| format!("LLY,{},{}\n", at(day), 100 + day));
    let csv = format!("ticker,date,close\n{}", closes.collect::<String>());
    let fields = [("csv".to_owned(), csv.into())].into_iter().collect();
    let (kind, title) = (PriceTable::kind().unwrap(), "Mine".parse().unwrap());
    let content = DocumentContent::new(fields).unwrap();
    let documents = stage.journal.documents();
    documents
        .create(&AccountId::local(), id.parse().unwrap(), kind, title, &content, Timestamp(0))
        .await
        .unwrap();
    id.to_owned()
}

/// A request for a run at prices of this name.
fn at_prices(mut request: RunRequest, prices: &str) -> RunRequest {
    request.workflow = request.workflow.with("prices", json!(prices)).unwrap();
    request
}

/// The day so many days after the first of September 2021.
fn at(days: i64) -> Date {
    "2021-09-01".parse::<Date>().unwrap().checked_add(jiff::Span::new().days(days)).unwrap()
}
