//! The desk on a real journal.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::sync::Arc;

use market::{DataKind, Market, OwnData, Vendor};
use portfolio::Entry;
use protocol::{
    Date, Decimal,
    trading::{
        Commission, Confidence, Constraints, CostMethod, Decision, FillPrice, Order, OwnAdjustment,
        PortfolioId, PortfolioSettings, Side, TradeCause,
    },
};
use stage::{Stage, main_portfolio};
use workflows::trading::DeskError;

fn buy(ticker: &str, quantity: i64) -> Decision {
    let order = Order {
        side: Side::Buy,
        ticker: ticker.parse().unwrap(),
        quantity: Decimal::from(quantity),
        rationale: "test".into(),
        stop_loss: None,
        take_profit: None,
    };
    Decision {
        orders: vec![order],
        holds: Vec::new(),
        confidence: Confidence::Low,
        regime: "neutral".into(),
        thesis: "t".into(),
        risk_summary: "r".into(),
    }
}

fn settings() -> PortfolioSettings {
    PortfolioSettings::default()
}

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

#[tokio::test]
async fn the_default_portfolio_is_opened_once() {
    let stage = Stage::new().await;
    let stage = stage.restarted().await;
    let portfolios = stage.desk.list(|_| true).await.unwrap();
    assert_eq!(portfolios.len(), 1);
    assert_eq!(
        (portfolios[0].id.as_str(), portfolios[0].name.as_str()),
        ("main_portfolio", "Main portfolio")
    );
    assert_eq!((portfolios[0].cash, portfolios[0].positions), (Decimal::from(100_000), 0));
    let view = stage.desk.view(&main_portfolio(), None).await.unwrap();
    assert_eq!(view.as_of, Some(date("2022-12-28")), "without a decision: the last day with prices");
}

#[tokio::test]
async fn a_key_is_carried_out_once_however_often_it_comes() {
    let stage = Stage::new().await;
    let (id, decision, day) = (main_portfolio(), buy("KO", 10), date("2022-06-30"));
    let attempts = (0..8).map(|_| stage.desk.decide(&id, "run-1", None, day, &decision));
    let entries = futures::future::join_all(attempts).await;
    let first = entries[0].as_ref().unwrap();
    assert!(entries.iter().all(|entry| entry.as_ref().unwrap() == first));
    let portfolio = stage.desk.load(&id).await.unwrap();
    assert_eq!((portfolio.entries(), portfolio.trades().len()), (2, 1));
}

#[tokio::test]
async fn decisions_at_the_same_time_are_carried_out_one_after_the_other() {
    let stage = Stage::new().await;
    let (id, decision, day) = (main_portfolio(), buy("KO", 10), date("2022-06-30"));
    let keys: Vec<String> = (0..8).map(|number| format!("run-{number}")).collect();
    let decided = keys.iter().map(|key| stage.desk.decide(&id, key, None, day, &decision));
    assert!(futures::future::join_all(decided).await.iter().all(Result::is_ok));
    let portfolio = stage.desk.load(&id).await.unwrap();
    assert_eq!(portfolio.entries(), 9);
    // 100000 - 80 * 61.078
    assert_eq!(portfolio.cash(), "95113.76".parse().unwrap());
}

#[tokio::test]
async fn a_view_shows_the_portfolio_as_it_was() {
    let stage = Stage::new().await;
    let id = main_portfolio();
    stage.desk.decide(&id, "one", None, date("2022-06-30"), &buy("KO", 10)).await.unwrap();
    stage.desk.decide(&id, "two", None, date("2022-08-31"), &buy("PEP", 10)).await.unwrap();
    let before = stage.desk.view(&id, Some(date("2022-06-29"))).await.unwrap();
    assert!(before.holdings.is_empty() && before.cash == Decimal::from(100_000));
    let between = stage.desk.view(&id, Some(date("2022-07-15"))).await.unwrap();
    assert_eq!(between.holdings.len(), 1);
    let now = stage.desk.view(&id, None).await.unwrap();
    assert_eq!((now.as_of, now.holdings.len()), (Some(date("2022-08-31")), 2));
    assert!(now.holdings.iter().all(|holding| holding.market_value.is_some()));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_stores_nothing() {
    let stage = Stage::new().await;
    let (desk, main) = (&stage.desk, main_portfolio());
    let new = || "growth".parse().unwrap();
    assert!(matches!(
        desk.open(main.clone(), "Again", Decimal::ONE, settings()).await,
        Err(DeskError::Exists(_))
    ));
    assert!(matches!(desk.open(new(), "  ", Decimal::ONE, settings()).await, Err(DeskError::Invalid(_))));
    assert!(matches!(
        desk.open(new(), "Growth", Decimal::ZERO, settings()).await,
        Err(DeskError::Invalid(_))
    ));
    assert!(matches!(desk.view(&new(), None).await, Err(DeskError::NotFound(_))));
    assert!(matches!(desk.view(&main, Some(date("2023-01-03"))).await, Err(DeskError::Invalid(_))));
    let late = desk.decide(&main, "late", None, date("2023-01-03"), &buy("KO", 1)).await;
    assert!(matches!(late, Err(DeskError::Invalid(_))));
    assert!(!desk.knows(&new()));
    assert_eq!(desk.load(&main).await.unwrap().entries(), 1);

    desk.open(new(), " Growth & income ", Decimal::from(5000), PortfolioSettings::before_settings())
        .await
        .unwrap();
    assert!(desk.knows(&new()));
    let mut changes = desk.changes();
    let entry = desk.decide(&new(), "a", None, date("2022-06-30"), &buy("KO", 1000)).await.unwrap();
    assert!(matches!(entry, Entry::Decided { rejected, .. } if rejected.len() == 1));
    assert_eq!(changes.recv().await.unwrap(), new());
}

/// Days of ACME as they were paid: a split of two for one on 6 December and a dividend on the 8th. There is no price on
/// the 7th.
const ACME: &str = "Date,Ticker,Open,High,Low,Close,Dividend,Split,Currency\n\
    2022-12-01,ACME,99,101,98,100,,,USD\n\
    2022-12-02,ACME,102,104,101,103,,,USD\n\
    2022-12-05,ACME,104,106,103,105,,,USD\n\
    2022-12-06,ACME,53,54,52,53.5,,2:1,USD\n\
    2022-12-08,ACME,54,55,53,54,0.5,,USD\n\
    2022-12-09,ACME,50,51,44,45,,,USD\n\
    2022-12-12,ACME,46,47,45,46,,,USD\n";

async fn with_acme() -> Stage {
    let (preview, data) = OwnData::read(ACME, OwnAdjustment::Raw);
    assert!(preview.errors.is_empty(), "{:?}", preview.errors);
    let vendors: Vec<Arc<dyn Vendor>> = vec![Arc::new(data.unwrap())];
    Stage::with_market(Market::sample().unwrap().with_order(DataKind::Prices, vendors)).await
}

/// A purchase of ACME with triggers.
fn acme(quantity: i64, stop_loss: Option<i64>) -> Decision {
    let mut decision = buy("ACME", quantity);
    decision.orders[0].stop_loss = stop_loss.map(Decimal::from);
    decision
}

fn amount(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_order_is_filled_at_the_first_price_after_its_decision() {
    let stage = with_acme().await;
    let id: PortfolioId = "next".parse().unwrap();
    stage.desk.open(id.clone(), "Next", amount("10000"), settings()).await.unwrap();
    let entry = stage.desk.decide(&id, "a", None, date("2022-12-01"), &acme(10, None)).await.unwrap();
    assert!(
        matches!(&entry, Entry::Decided { trades, pending, .. } if trades.is_empty() && pending.len() == 1)
    );
    let as_of_the_decision = stage.desk.view(&id, Some(date("2022-12-01"))).await.unwrap();
    assert_eq!((as_of_the_decision.pending.len(), as_of_the_decision.cash), (1, amount("10000")));
    assert!(as_of_the_decision.holdings.is_empty());

    let filled = stage.desk.view(&id, None).await.unwrap();
    assert_eq!((filled.as_of, filled.pending.len()), (Some(date("2022-12-02")), 0));
    // The opening price of the 2nd: 10000 - 10 * 102.
    assert_eq!((filled.trades[0].price, filled.cash), (amount("102"), amount("8980")));
    assert_eq!(filled.last_decision.unwrap().trades.len(), 1);
    // What is only looked at is not recorded: another decision of the same day is still possible.
    assert_eq!(stage.desk.load(&id).await.unwrap().entries(), 2);
    stage.desk.decide(&id, "b", None, date("2022-12-01"), &acme(1, None)).await.unwrap();
}

#[tokio::test]
async fn splits_dividends_and_a_stop_loss_happen_on_their_days() {
    let stage = with_acme().await;
    let id: PortfolioId = "days".parse().unwrap();
    stage.desk.open(id.clone(), "Days", amount("10000"), settings()).await.unwrap();
    // Two purchases, so that lots are told apart: 10 at 102 on the 2nd, with a stop at 96, which is 48 after the split.
    stage.desk.decide(&id, "a", None, date("2022-12-01"), &acme(10, Some(96))).await.unwrap();
    let split = stage.desk.view(&id, Some(date("2022-12-06"))).await.unwrap();
    let holding = &split.holdings[0];
    assert_eq!((holding.quantity, holding.average_cost), (amount("20"), amount("51")));
    assert_eq!((holding.stop_loss, holding.market_value), (Some(amount("48")), Some(amount("1070"))));
    assert_eq!(split.bookings.splits.len(), 1);
    // The values before the split are those of the shares as they were: 8980 + 10 * 105.
    let before = split.history.iter().find(|point| point.date == date("2022-12-05")).unwrap();
    assert_eq!(before.total, amount("10030"));

    // On the 9th the price opens at 50 and falls to 44: the stop at 48 is reached within the day.
    let nothing = Decision { orders: Vec::new(), ..acme(1, None) };
    stage.desk.decide(&id, "b", None, date("2022-12-12"), &nothing).await.unwrap();
    let sold = stage.desk.view(&id, None).await.unwrap();
    assert!(sold.holdings.is_empty());
    let sale = &sold.trades[0];
    assert_eq!((sale.cause, sale.price, sale.date), (TradeCause::StopLoss, amount("48"), date("2022-12-09")));
    // 8980 + 20 * 0.5 + 20 * 48
    assert_eq!((sold.cash, sold.bookings.dividends), (amount("9950"), amount("10")));
    // Opened, decided, filled, split, dividend, stop loss, decided.
    let recorded = stage.desk.load(&id).await.unwrap();
    assert_eq!(recorded.entries(), 7);
    assert_eq!(stage.restarted().await.desk.load(&id).await.unwrap(), recorded);
}

#[tokio::test]
async fn money_moves_once_for_each_key_and_never_more_than_there_is() {
    let stage = with_acme().await;
    let id: PortfolioId = "money".parse().unwrap();
    let desk = &stage.desk;
    desk.open(id.clone(), "Money", amount("1000"), settings()).await.unwrap();
    let day = date("2022-12-05");
    for _ in 0..3 {
        desk.transfer(&id, "in", day, amount("250.50"), "A gift").await.unwrap();
    }
    desk.transfer(&id, "out", day, amount("-50"), "").await.unwrap();
    let view = desk.view(&id, None).await.unwrap();
    assert_eq!(view.cash, amount("1200.50"));
    assert_eq!((view.bookings.deposits, view.bookings.withdrawals), (amount("250.50"), amount("50")));
    for (key, date, amount) in [
        ("more", day, "-1200.51"),
        ("nothing", day, "0"),
        ("tiny", day, "0.001"),
        ("earlier", date("2022-12-02"), "1"),
        ("later", date("2030-01-01"), "1"),
    ] {
        let refused = desk.transfer(&id, key, date, amount.parse().unwrap(), "").await;
        assert!(matches!(refused, Err(DeskError::Invalid(_))), "{key}: {refused:?}");
    }
    assert!(matches!(
        desk.transfer(&id, "note", day, Decimal::ONE, "two\nlines").await,
        Err(DeskError::Invalid(_))
    ));
    assert_eq!(desk.load(&id).await.unwrap().entries(), 3);
}

#[tokio::test]
async fn rules_hold_from_their_change_on() {
    let stage = with_acme().await;
    let id: PortfolioId = "rules".parse().unwrap();
    let desk = &stage.desk;
    desk.open(id.clone(), "Rules", amount("10000"), settings()).await.unwrap();
    let at_close = PortfolioSettings {
        fill: FillPrice::DecisionClose,
        slippage: amount("0.01"),
        commission: Commission { fixed: amount("1"), ..Commission::default() },
        ..settings()
    };
    desk.configure(&id, "rules", at_close.clone()).await.unwrap();
    desk.decide(&id, "a", None, date("2022-12-01"), &acme(10, None)).await.unwrap();
    let view = desk.view(&id, None).await.unwrap();
    // 10000 - 10 * 101 - 1
    assert_eq!((view.cash, view.settings), (amount("8989"), at_close));
    assert_eq!((view.bookings.commissions, view.bookings.slippage), (amount("1"), amount("10")));
    for wrong in [
        PortfolioSettings { slippage: amount("0.2"), ..settings() },
        PortfolioSettings { slippage: amount("-0.01"), ..settings() },
        PortfolioSettings { cost_method: CostMethod::FirstInFirstOut, ..settings() },
    ] {
        let refused = desk.configure(&id, "wrong", wrong).await;
        assert!(matches!(refused, Err(DeskError::Invalid(_))), "{refused:?}");
    }
}

/// Section 4.2 of AgentOS's specification: limits are a portfolio's own.
/// AgentOS 6.C 30.
#[tokio::test]
async fn purchases_respect_the_limits_that_a_portfolio_has_been_given() {
    let stage = Stage::new().await;
    let (id, desk): (PortfolioId, _) = ("narrow".parse().unwrap(), &stage.desk);
    let limits = Constraints { max_positions: 1, ..Constraints::default() };
    let narrow = PortfolioSettings { fill: FillPrice::DecisionClose, limits: limits.clone(), ..settings() };
    desk.open(id.clone(), "Narrow", amount("100000"), narrow.clone()).await.unwrap();
    let decide = async |key: &str, ticker: &str| {
        let entry = desk.decide(&id, key, None, date("2022-06-30"), &buy(ticker, 1)).await.unwrap();
        let Entry::Decided { trades, rejected, .. } = entry else { panic!("a decision") };
        (trades.len(), rejected.into_iter().flat_map(|it| it.reasons).collect::<Vec<_>>())
    };
    assert_eq!(decide("a", "LLY").await, (1, Vec::new()));
    assert_eq!(decide("b", "KO").await, (0, vec!["Max positions exceeded: 2 > 1".to_owned()]));
    assert_eq!(desk.view(&id, None).await.unwrap().constraints, limits, "agents are told them");
    let wider = Constraints { max_positions: 2, ..limits };
    desk.configure(&id, "wider", PortfolioSettings { limits: wider, ..narrow.clone() }).await.unwrap();
    assert_eq!(decide("c", "KO").await, (1, Vec::new()));
    let none = Constraints { max_positions: 0, ..Constraints::default() };
    let refused = desk.configure(&id, "none", PortfolioSettings { limits: none, ..narrow }).await;
    assert!(matches!(refused, Err(DeskError::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn what_is_traded_in_another_currency_has_no_price_in_a_portfolio() {
    let table =
        "Date,Ticker,Close,Currency\n2022-12-01,TATAMOTORS.NS,480,INR\n2022-12-02,TATAMOTORS.NS,481,INR\n";
    let (_, data) = OwnData::read(table, OwnAdjustment::Raw);
    let vendors: Vec<Arc<dyn Vendor>> = vec![Arc::new(data.unwrap())];
    let stage = Stage::with_market(Market::sample().unwrap().with_order(DataKind::Prices, vendors)).await;
    let day = date("2022-12-01");
    let entry = stage.desk.decide(&main_portfolio(), "a", None, day, &buy("TATAMOTORS.NS", 1)).await.unwrap();
    let Entry::Decided { trades, rejected, .. } = entry else { panic!("a decision") };
    assert_eq!((trades.len(), rejected.len()), (0, 1));
}
