//! The desk on a real journal.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use portfolio::Entry;
use protocol::{
    Date, Decimal,
    trading::{Confidence, Decision, Order, Side},
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
    assert!(matches!(desk.open(main.clone(), "Again", Decimal::ONE).await, Err(DeskError::Exists(_))));
    assert!(matches!(desk.open(new(), "  ", Decimal::ONE).await, Err(DeskError::Invalid(_))));
    assert!(matches!(desk.open(new(), "Growth", Decimal::ZERO).await, Err(DeskError::Invalid(_))));
    assert!(matches!(desk.view(&new(), None).await, Err(DeskError::NotFound(_))));
    assert!(matches!(desk.view(&main, Some(date("2023-01-03"))).await, Err(DeskError::Invalid(_))));
    let late = desk.decide(&main, "late", None, date("2023-01-03"), &buy("KO", 1)).await;
    assert!(matches!(late, Err(DeskError::Invalid(_))));
    assert!(!desk.knows(&new()));
    assert_eq!(desk.load(&main).await.unwrap().entries(), 1);

    desk.open(new(), " Growth & income ", Decimal::from(5000)).await.unwrap();
    assert!(desk.knows(&new()));
    let mut changes = desk.changes();
    let entry = desk.decide(&new(), "a", None, date("2022-06-30"), &buy("KO", 1000)).await.unwrap();
    assert!(matches!(entry, Entry::Decided { rejected, .. } if rejected.len() == 1));
    assert_eq!(changes.recv().await.unwrap(), new());
}
