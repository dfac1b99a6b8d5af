use journal::{Appended, LedgerError};
use protocol::trading::PortfolioId;

use crate::sample::Place;

fn id(text: &str) -> PortfolioId {
    text.parse().unwrap()
}

#[tokio::test]
async fn entries_come_back_in_order_also_after_a_restart() {
    let place = Place::new();
    let journal = place.open().await;
    let ledger = journal.ledger();
    let main = id("main");
    ledger.open(&main, "{\"cash\":1}").await.unwrap();
    assert_eq!(ledger.append(&main, 1, "a", "{\"n\":2}").await.unwrap(), Appended::Added(2));
    assert_eq!(ledger.append(&main, 2, "b", "{\"n\":3}").await.unwrap(), Appended::Added(3));
    ledger.open(&id("another"), "{}").await.unwrap();
    journal.close().await;

    let ledger = place.open().await.ledger();
    assert_eq!(ledger.entries(&main).await.unwrap(), ["{\"cash\":1}", "{\"n\":2}", "{\"n\":3}"]);
    assert_eq!(ledger.list().await.unwrap(), [id("another"), main]);
    assert!(ledger.entries(&id("nobody")).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_same_key_is_stored_once_and_its_entry_returned() {
    let place = Place::new();
    let ledger = place.open().await.ledger();
    let (main, other) = (id("main"), id("other"));
    ledger.open(&main, "{}").await.unwrap();
    ledger.open(&other, "{}").await.unwrap();
    ledger.append(&main, 1, "run-1", "first").await.unwrap();
    ledger.append(&main, 2, "run-2", "second").await.unwrap();
    // Whatever number is expected, right or outdated.
    for expected in [1, 2, 3, 9] {
        let again = ledger.append(&main, expected, "run-1", "changed").await.unwrap();
        assert_eq!(again, Appended::Known("first".into()));
    }
    assert_eq!(ledger.entries(&main).await.unwrap().len(), 3);
    // Keys are a portfolio's own.
    assert_eq!(ledger.append(&other, 1, "run-1", "first").await.unwrap(), Appended::Added(2));
}

#[tokio::test]
async fn who_expects_another_number_gets_a_conflict() {
    let place = Place::new();
    let ledger = place.open().await.ledger();
    let main = id("main");
    ledger.open(&main, "{}").await.unwrap();
    ledger.append(&main, 1, "a", "a").await.unwrap();
    for wrong in [0, 1, 3] {
        assert_eq!(ledger.append(&main, wrong, "b", "b").await.unwrap(), Appended::Conflict);
    }
    assert_eq!(ledger.entries(&main).await.unwrap(), ["{}", "a"]);
}

#[tokio::test]
async fn of_many_that_append_at_once_one_wins() {
    let place = Place::new();
    let ledger = place.open().await.ledger();
    let main = id("main");
    ledger.open(&main, "{}").await.unwrap();
    let mut appends = tokio::task::JoinSet::new();
    for number in 0..20 {
        let (ledger, main) = (ledger.clone(), main.clone());
        appends.spawn(async move { ledger.append(&main, 1, &format!("key {number}"), "x").await.unwrap() });
    }
    let outcomes = appends.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Appended::Added(2)).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Appended::Conflict).count(), 19);
}

#[tokio::test]
async fn a_portfolio_is_opened_once_and_before_its_entries() {
    let place = Place::new();
    let ledger = place.open().await.ledger();
    let main = id("main");
    let refused = ledger.append(&main, 0, "a", "a").await;
    assert!(matches!(refused, Err(LedgerError::NoSuchPortfolio(_))));
    ledger.open(&main, "{}").await.unwrap();
    assert!(matches!(ledger.open(&main, "other").await, Err(LedgerError::Exists(_))));
    assert_eq!(ledger.entries(&main).await.unwrap(), ["{}"]);
}

#[tokio::test]
async fn changes_name_the_portfolio_of_every_new_entry() {
    let place = Place::new();
    let journal = place.open().await;
    let ledger = journal.ledger();
    let mut changes = ledger.changes();
    let main = id("main");
    ledger.open(&main, "{}").await.unwrap();
    ledger.append(&main, 7, "conflict", "x").await.unwrap();
    ledger.append(&main, 1, "a", "x").await.unwrap();
    journal.close().await;
    assert_eq!(changes.recv().await.unwrap(), main);
    assert_eq!(changes.recv().await.unwrap(), main);
    assert!(changes.recv().await.is_err(), "a conflict is no change, and a closed journal has no more");
}
