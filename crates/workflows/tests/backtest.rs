//! Backtests, from the first day to the figures.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::collections::BTreeSet;

use llm::{ChatRequest, Turn};
use protocol::{
    AccountId, Approval, Body, Decimal, RunId, RunRequest, RunStatus, RunView,
    trading::{
        AnalysisEnd, BacktestPlan, BacktestResult, BacktestStep, Figure, ReferenceKind, Side, Task, Trade,
    },
};
use serde_json::{Value, json};
use stage::{Changed, Stage, request};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A backtest of these stocks with one analyst, and whatever else is given.
fn backtest(tickers: &[&str], from: &str, to: &str, rhythm: &str, more: &Value) -> RunRequest {
    let mut plan = json!({
        "tickers": tickers, "from": from, "to": to, "rhythm": rhythm, "analysts": ["market"],
        "cash": 100_000, "slippage": 0.0005, "commission_fixed": 1,
    });
    for (key, value) in more.as_object().unwrap() {
        plan[key] = value.clone();
    }
    let plan: BacktestPlan = serde_json::from_value(plan).unwrap();
    request(Task::Backtest(Box::new(plan)), "flow")
}

fn short() -> RunRequest {
    backtest(&["LLY", "XOM"], "2022-03-01", "2022-03-10", "daily", &json!({}))
}

fn result(view: &RunView) -> BacktestResult {
    view.documents().last().expect("a result")
}

fn steps(view: &RunView) -> Vec<BacktestStep> {
    view.documents().collect()
}

/// What a backtest comes to, without what differs between two runs of the same.
fn comparable(view: &RunView) -> (Vec<Trade>, Value) {
    let mut result = result(view);
    result.run = "00000000-0000-0000-0000-000000000000".parse().unwrap();
    for trade in &mut result.trades {
        trade.run = None;
    }
    (result.trades.clone(), serde_json::to_value(&result).unwrap())
}

async fn whole(stage: &Stage, run: RunId) -> RunView {
    let mut events = stage.journal.whole(run).await.unwrap();
    for event in &mut events {
        if let Body::Produced(product) = &mut event.body {
            product.data = stage.journal.resolve(&product.data).await.unwrap().into();
        }
    }
    RunView::fold(&events).unwrap()
}

async fn run(stage: &Stage, request: RunRequest) -> RunView {
    let run = stage.engine.start(request, AccountId::local()).await.unwrap();
    ended(stage, run).await
}

async fn ended(stage: &Stage, run: RunId) -> RunView {
    let mut log = stage.journal.subscribe(run, 0).await.unwrap();
    while log.next().await.unwrap().is_some() {}
    whole(stage, run).await
}

#[tokio::test]
async fn every_trading_day_but_the_last_decides_and_the_result_has_all_that_it_is_compared_with() {
    let stage = Stage::new().await;
    let view = run(&stage, short()).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let steps = steps(&view);
    let days: Vec<_> = steps.iter().map(|step| step.date.to_string()).collect();
    // 5 and 6 March 2022 are a weekend.
    let expected = ["01", "02", "03", "04", "07", "08", "09"].map(|day| format!("2022-03-{day}"));
    assert_eq!(days, expected);
    assert!(steps.iter().all(|step| step.of == 7 && step.failed.is_none() && step.analyses.len() == 2));
    assert_eq!(view.sub_runs.len(), 7);
    assert_eq!((view.summary.nodes, view.summary.nodes_done), (4, 4));
    let of_first = stage.journal.whole(steps[0].run).await.unwrap();
    assert_eq!(
        RunView::fold(&of_first).unwrap().sub_runs.len(),
        2,
        "a run for each stock below that of the day"
    );

    let result = result(&view);
    assert_eq!((result.decisions, result.failed_decisions, result.failed_analyses), (7, 0, 0));
    let curve: Vec<_> = result.curve.iter().map(|point| point.date.to_string()).collect();
    assert_eq!(curve.last().map(String::as_str), Some("2022-03-10"));
    assert_eq!(curve.len(), 8);
    assert_eq!(result.curve[0].total, decimal("100000"));
    let kinds: Vec<_> = result.references.iter().map(|reference| reference.kind).collect();
    assert_eq!(
        kinds,
        [
            ReferenceKind::BuyAndHold,
            ReferenceKind::EqualWeight,
            ReferenceKind::Index,
            ReferenceKind::AverageCross
        ]
    );
    assert!(result.references.iter().all(|reference| reference.curve.len() == 8));
    // What a day showed is what the result has of it.
    let shown: Vec<_> = steps.iter().flat_map(|step| step.points.clone()).collect();
    assert_eq!(shown, result.curve[..7]);
    // An order is filled at the close after its decision, with slippage and commission.
    let first = &result.trades[0];
    assert_eq!((first.side, first.date.to_string().as_str()), (Side::Buy, "2022-03-02"));
    assert_eq!(first.commission, decimal("1"));
    let quoted = first.quoted.unwrap();
    let prices = stage.market.prices(&first.ticker, first.date).await.unwrap().data;
    assert_eq!(prices.days.last().unwrap().close, quoted);
    assert!((first.price - quoted * decimal("1.0005")).abs() <= decimal("0.000001"));
    assert_eq!(result.random.as_ref().unwrap().seeds, 200);
    assert_eq!(result.random.as_ref().unwrap().trades, result.figures.trades);
    assert_eq!(result.figures.model_cost, Figure::Known(Decimal::ZERO));
    assert!(result.verdict.sentence.contains("cannot be told from chance"), "{}", result.verdict.sentence);
    assert!(view.summary.result.unwrap().contains("buy and hold"));
    // No portfolio of the account has anything to do with it.
    assert_eq!(stage.desk.load(&stage::main_portfolio()).await.unwrap().entries(), 1);
}

#[tokio::test]
async fn weeks_and_months_decide_on_their_first_trading_day() {
    let stage = Stage::new().await;
    for (rhythm, expected) in [
        ("weekly", vec!["2022-06-29", "2022-07-05", "2022-07-11"]),
        ("monthly", vec!["2022-06-29", "2022-07-01"]),
    ] {
        let view = run(&stage, backtest(&["KO"], "2022-06-29", "2022-07-15", rhythm, &json!({}))).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        let days: Vec<_> = steps(&view).iter().map(|step| step.date.to_string()).collect();
        assert_eq!(days, expected, "{rhythm}");
        // 4 July 2022 is a holiday.
        assert_eq!(result(&view).curve.len(), 12);
    }
}

#[tokio::test]
async fn at_the_decisions_close_is_an_option_and_trades_on_the_day_itself() {
    let stage = Stage::new().await;
    let close = json!({ "fill": "decision_close" });
    let view = run(&stage, backtest(&["LLY", "XOM"], "2022-03-01", "2022-03-10", "daily", &close)).await;
    let result = result(&view);
    assert_eq!(result.trades[0].date.to_string(), "2022-03-01");
    let shown: Vec<_> = steps(&view).iter().flat_map(|step| step.points.clone()).collect();
    assert_eq!(shown, result.curve[..7]);
    let traded: usize = steps(&view).iter().map(|step| step.trades.len()).sum();
    assert_eq!(traded, result.trades.len());
}

#[tokio::test]
async fn an_analysis_or_a_decision_that_fails_is_seen_and_stops_nothing() {
    let script = |request: &ChatRequest| {
        let says = |text: &str| {
            request
                .messages
                .iter()
                .any(|message| matches!(message, llm::Message::User(user) if user.contains(text)))
        };
        match request.agent.as_str() {
            "trader" if says("Stock: XOM") && says("2022-03-02") => Some(Turn::Answer(String::new())),
            "make_decision" if says("Day of the decision: 2022-03-03") => Some(Turn::Answer("Hm.".into())),
            _ => None,
        }
    };
    let stage = Stage::with_script(Changed(script)).await;
    let view = run(&stage, short()).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let result = result(&view);
    assert_eq!((result.failed_decisions, result.failed_analyses), (1, 1));
    assert!(view.summary.result.clone().unwrap().starts_with("Completed with 2 errors."));
    let steps = steps(&view);
    assert!(matches!(steps[1].analyses[1].end, AnalysisEnd::Failed { .. }) && steps[1].decision.is_some());
    assert!(steps[1].analyses[1].run.is_some(), "its run can be opened");
    assert!(steps[2].failed.as_ref().unwrap().contains("no usable answer") && steps[2].decision.is_none());
    assert_eq!(steps.len(), 7);
}

#[tokio::test]
async fn what_fails_again_and_again_ends_the_run_with_its_reason() {
    let script =
        |request: &ChatRequest| (request.agent == "make_decision").then(|| Turn::Answer("Hm.".into()));
    let stage = Stage::with_script(Changed(script)).await;
    let view = run(&stage, short()).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    let error = view.summary.error.clone().unwrap();
    assert!(error.contains("3 decisions in a row came to nothing, the last one on 2022-03-03"), "{error}");
    assert_eq!(view.sub_runs.len(), 3);
}

/// The calls of a run that were begun again after they had been answered.
async fn asked_again(stage: &Stage, run: RunId) -> Vec<String> {
    let (mut answered, mut again) = (BTreeSet::new(), Vec::new());
    for event in stage.journal.whole(run).await.unwrap() {
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

/// A backtest and all runs below it.
async fn family(stage: &Stage, top: RunId) -> Vec<RunId> {
    let (mut all, mut open) = (Vec::new(), vec![top]);
    while let Some(run) = open.pop() {
        let events = stage.journal.whole(run).await.unwrap();
        open.extend(RunView::fold(&events).unwrap().sub_runs.iter().map(|below| below.run));
        all.push(run);
    }
    all
}

#[tokio::test]
async fn a_run_that_is_cut_off_anywhere_comes_to_the_same_end_and_asks_nothing_twice() {
    let request = || backtest(&["LLY", "XOM"], "2022-03-01", "2022-03-04", "daily", &json!({}));
    let stage = Stage::new().await;
    let undisturbed = comparable(&run(&stage, request()).await);
    let events = stage.journal.whole(stage_top(&stage).await).await.unwrap().len();
    // After each event of the backtest, and so also while runs of its days are at work.
    for cut in (1..events).step_by(3) {
        let stage = Stage::new().await;
        let run = stage.engine.start(request(), AccountId::local()).await.unwrap();
        let mut log = stage.journal.subscribe(run, 0).await.unwrap();
        let mut seen = 0;
        while seen < cut {
            seen += log.next().await.unwrap().map_or(cut, |events| events.len());
        }
        drop(log);
        let stage = stage.restarted().await;
        stage.engine.resume().await.unwrap();
        let view = ended(&stage, run).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "cut after {cut}: {:?}", view.summary.error);
        assert_eq!(comparable(&view), undisturbed, "cut after {cut}");
        for below in family(&stage, run).await {
            assert_eq!(asked_again(&stage, below).await, Vec::<String>::new(), "cut after {cut}");
        }
    }
}

/// The one backtest of a stage.
async fn stage_top(stage: &Stage) -> RunId {
    let filter = protocol::RunFilter { kind: Task::BACKTEST.parse().ok(), ..protocol::RunFilter::default() };
    stage.journal.summaries(&filter, None).await.unwrap().runs[0].run
}

#[tokio::test]
async fn a_backtest_can_be_paused_goes_on_and_can_be_stopped() {
    let stage = Stage::new().await;
    let id = stage.engine.start(short(), AccountId::local()).await.unwrap();
    stage.engine.set_approval(id, Approval::Every, AccountId::local()).await.unwrap();
    stage.question(id).await;
    let at_rest = stage.journal.whole(id).await.unwrap();
    assert!(!RunView::fold(&at_rest).unwrap().summary.status.is_over());
    stage.engine.set_approval(id, Approval::Off, AccountId::local()).await.unwrap();
    let view = ended(&stage, id).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(steps(&view).len(), 7);

    let id = stage.engine.start(short(), AccountId::local()).await.unwrap();
    let mut log = stage.journal.subscribe(id, 0).await.unwrap();
    let mut begun = 0;
    while begun < 2 {
        let events = log.next().await.unwrap().unwrap();
        let is_start = |body: &Body| matches!(body, Body::SubRunStarted(_));
        begun += events.iter().filter(|event| is_start(&event.decode().unwrap().body)).count();
    }
    drop(log);
    stage.engine.stop(id, AccountId::local(), None).await.unwrap();
    let view = ended(&stage, id).await;
    assert_eq!(view.summary.status, RunStatus::Cancelled);
    assert!(!steps(&view).is_empty() && steps(&view).len() < 7, "what was decided stays");
}

/// AgentOS 6.A 1.
#[tokio::test]
async fn a_backtest_is_not_cut_off_by_the_usual_limit_of_steps() {
    let stage = Stage::new().await;
    let view = run(&stage, backtest(&["KO"], "2022-01-03", "2022-03-31", "daily", &json!({}))).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let result = result(&view);
    assert_eq!(result.decisions, 61);
    assert!(view.summary.request.limits.steps >= 2 * 61 + 3);
}

#[tokio::test]
async fn what_cannot_be_tested_is_said_before_anything_runs() {
    let stage = Stage::new().await;
    let with = |key: &str, value: Value| {
        let mut request = short();
        request.workflow = request.workflow.with(key, value).unwrap();
        request
    };
    for (request, words) in [
        (with("tickers", json!([])), "1 to 20 stocks; 0 were asked for"),
        (with("tickers", json!(["KO", "KO"])), "KO is there twice"),
        (with("tickers", json!(["^GSPC"])), "is an index, which cannot be bought"),
        (with("tickers", json!(["NONE"])), "There are no prices of NONE"),
        (with("to", json!("2022-03-01")), "Choose a last day after the first"),
        (with("from", json!("2015-03-01")), "There are no prices as of 2015-03-01"),
        (with("from", json!("2016-03-01")), "more than 1320"),
        (with("cash", json!("0")), "cannot start with 0 US dollars"),
        (with("slippage", json!("0.2")), "the slippage must be from 0 % to 10 %"),
        (with("slippage", json!("much")), "is no amount"),
        (with("analysts", json!([])), "Select at least one"),
        (with("max_concurrent_pipelines", json!(0)), "must be 1 to 8"),
    ] {
        let refusal = stage.engine.start(request, AccountId::local()).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
    // Two days of which one is traded.
    let view = run(&stage, backtest(&["KO"], "2022-03-04", "2022-03-06", "daily", &json!({}))).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert!(view.summary.error.unwrap().contains("There are 1 trading days in the range"));
}

/// AgentOS 6.C 22.
#[tokio::test]
async fn nothing_that_the_market_does_after_a_day_changes_what_is_decided_on_it() {
    let request = || backtest(&["LLY", "XOM"], "2022-03-01", "2022-03-10", "daily", &json!({}));
    let stage = Stage::new().await;
    let as_it_was = run(&stage, request()).await;
    let cut = "2022-03-04";
    let stage = Stage::with_market(stage::market_changed_after(cut)).await;
    let changed = run(&stage, request()).await;
    assert_eq!(changed.summary.status, RunStatus::Succeeded, "{:?}", changed.summary.error);
    let until = |view: &RunView| -> Vec<Value> {
        let known = steps(view).into_iter().filter(|step| step.date.to_string().as_str() <= cut);
        known
            .map(|mut step| {
                step.run = "00000000-0000-0000-0000-000000000000".parse().unwrap();
                step.trades.iter_mut().for_each(|trade| trade.run = None);
                let ends = step.analyses.iter().map(|it| match &it.end {
                    AnalysisEnd::Rated { grade, confidence, .. } => format!("{grade} {confidence}"),
                    other => format!("{other:?}"),
                });
                let ends: Vec<_> = ends.collect();
                step.analyses.clear();
                json!([step, ends])
            })
            .collect()
    };
    assert_eq!(until(&as_it_was).len(), 4);
    assert_eq!(until(&as_it_was), until(&changed));
    assert_ne!(result(&as_it_was).curve.last(), result(&changed).curve.last(), "later days do differ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures time: run it in a release build, alone"]
async fn a_year_of_days_of_one_stock_takes_less_than_20_seconds() {
    let stage = Stage::new().await;
    let all = json!({ "analysts": ["market", "social", "news", "fundamentals"] });
    let clock = std::time::Instant::now();
    let view = run(&stage, backtest(&["KO"], "2021-01-04", "2021-12-30", "daily", &all)).await;
    let took = clock.elapsed();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(result(&view).decisions, 250);
    println!("250 decisions in {took:.1?}");
    assert!(took.as_secs() < 20, "{took:?}");
}

/// The cells of each row of a table; no cell has a comma in it.
fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

#[tokio::test]
async fn every_trade_of_a_year_is_that_of_another_language_to_the_last_decimal() {
    let stage = Stage::new().await;
    let view =
        run(&stage, backtest(&["AMD", "JNJ", "XOM"], "2021-01-01", "2021-12-31", "weekly", &json!({}))).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let result = result(&view);
    assert_eq!((result.decisions, result.refused), (52, 0));
    let some = |cell: &str| (!cell.is_empty()).then(|| decimal(cell));
    let expected: Vec<_> = rows(include_str!("independent/trades.csv"))
        .iter()
        .map(|row| {
            let numbers = (decimal(row[3]), decimal(row[4]), decimal(row[5]), some(row[6]));
            (row[0].to_owned(), row[1].to_owned(), row[2].to_owned(), numbers, row[7].to_owned())
        })
        .collect();
    let own: Vec<_> = result
        .trades
        .iter()
        .map(|trade| {
            let numbers =
                (trade.quantity, trade.price, trade.quoted.unwrap_or(trade.price), trade.realised_profit);
            let cause = serde_json::to_value(trade.cause).unwrap().as_str().unwrap().to_owned();
            (trade.date.to_string(), trade.side.to_string(), trade.ticker.to_string(), numbers, cause)
        })
        .collect();
    assert_eq!(own, expected);
    let expected: Vec<_> = rows(include_str!("independent/values.csv"))
        .iter()
        .map(|row| (row[0].to_owned(), decimal(row[1]), Some(decimal(row[2]))))
        .collect();
    let own: Vec<_> =
        result.curve.iter().map(|point| (point.date.to_string(), point.total, point.invested)).collect();
    assert_eq!(own, expected);
}

/// Ten shares of KO after these days, and nothing else.
fn buying_on(days: &'static [&'static str]) -> impl Fn(&ChatRequest) -> Option<Turn> + Send + Sync {
    move |request| {
        if request.agent != "make_decision" {
            return None;
        }
        let is_on = |day: &&str| {
            let header = format!("Day of the decision: {day}");
            request
                .messages
                .iter()
                .any(|message| matches!(message, llm::Message::User(text) if text.contains(&header)))
        };
        let buy = json!({
            "ticker": "KO", "quantity": "10", "stop_loss": null, "take_profit": null, "rationale": "r",
        });
        let decision = json!({
            "macro_regime": "neutral", "sells": [], "holds": [], "portfolio_thesis": "t", "risk_summary": "r",
            "buys": if days.iter().any(is_on) { vec![buy] } else { Vec::new() },
            "decision_confidence": "low",
        });
        Some(Turn::Answer(decision.to_string()))
    }
}

#[tokio::test]
async fn splits_dividends_and_days_without_a_price_are_lived_through_as_they_were() {
    // As they were paid. There is no price of KO on 1 July; 4 July is a holiday.
    let table = "ticker,date,close,dividend,split\n\
        KO,2022-06-24,100,,\nKO,2022-06-27,100,,\nKO,2022-06-28,100,,\nKO,2022-06-29,100,,\n\
        KO,2022-06-30,100,,\nKO,2022-07-05,50,,2\nKO,2022-07-06,50,0.5,\nKO,2022-07-07,50,,\nKO,2022-07-08,50,,\n";
    let (_, own) = market::OwnData::read(table, protocol::trading::OwnAdjustment::Raw);
    let sample = market::Market::sample().unwrap();
    let vendors: Vec<std::sync::Arc<dyn market::Vendor>> =
        vec![std::sync::Arc::new(own.unwrap()), sample.built_in().clone()];
    let market = sample.with_order(market::DataKind::Prices, vendors);
    let script = Changed(buying_on(&["2022-06-27", "2022-06-30"]));
    let stage = Stage::with_script_and_market(script, market).await;
    let free = json!({ "slippage": 0, "commission_fixed": 0 });
    let view = run(&stage, backtest(&["KO", "XOM"], "2022-06-27", "2022-07-08", "daily", &free)).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let result = result(&view);
    let trades: Vec<_> =
        result.trades.iter().map(|trade| (trade.date.to_string(), trade.quantity, trade.price)).collect();
    // What was ordered on 30 June waits over the day without a price, and is split before it is filled.
    let expected = [("2022-06-28", "10", "100"), ("2022-07-05", "20", "50")];
    assert_eq!(
        trades,
        expected.map(|(day, quantity, price)| (day.to_owned(), decimal(quantity), decimal(price)))
    );
    // 100000 − 1000 − 1000, and 0.50 for each of 40 shares.
    let last = result.curve.last().unwrap();
    assert_eq!((last.total, last.invested), (decimal("100020"), Some(decimal("2000"))));
    let before_split = result.curve.iter().find(|point| point.date.to_string() == "2022-07-01").unwrap();
    assert_eq!(before_split.total, decimal("100000"));
}
