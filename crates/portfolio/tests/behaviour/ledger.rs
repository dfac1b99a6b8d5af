use portfolio::{Entry, Portfolio, PortfolioError, Refusal};
use protocol::trading::Trade;

use crate::scenario::{Scenario, buy, date, decimal, opened, sell};

fn altered(entry: &Entry, alter: impl Fn(&mut Trade)) -> Entry {
    let mut entry = entry.clone();
    if let Entry::Decided { trades, .. } = &mut entry {
        alter(&mut trades[0]);
    }
    entry
}

#[test]
fn a_portfolio_is_what_its_entries_say() {
    let portfolio = Portfolio::fold(&[opened("100000")]).unwrap();
    assert_eq!(portfolio.cash(), decimal("100000"));
    assert_eq!(portfolio.initial_cash(), decimal("100000"));
    assert_eq!(portfolio.name(), "Main");
    assert_eq!(portfolio.entries(), 1);
    assert_eq!(portfolio.last_date(), None);
}

#[test]
fn a_ledger_begins_with_one_opening_entry() {
    assert_eq!(Portfolio::fold(&[]), Err(PortfolioError::NotOpened));
    let decided = Scenario::new("10").try_decide("a", vec![]).unwrap();
    assert_eq!(Portfolio::fold(&[decided]), Err(PortfolioError::NotOpened));
    assert_eq!(Portfolio::fold(&[opened("10"), opened("10")]), Err(PortfolioError::OpenedTwice));
}

#[test]
fn starting_cash_is_positive_and_of_this_world() {
    for cash in ["0", "-1", "1000000000001", "79228162514264337593543950335", "0.0000001"] {
        assert_eq!(Portfolio::fold(&[opened(cash)]), Err(PortfolioError::InvalidCash(decimal(cash))));
    }
}

#[test]
fn folding_a_decision_twice_is_refused_and_changes_nothing() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100");
    scenario.decide("a", vec![buy("AAPL", "1")]);
    let mut portfolio = scenario.portfolio();
    let before = portfolio.clone();
    let again = portfolio.apply(&scenario.entries[1]);
    assert_eq!(again, Err(PortfolioError::Duplicate { key: "a".to_owned() }));
    assert_eq!(portfolio, before);

    // The same order under another decision's key.
    let mut renamed = scenario.entries[1].clone();
    if let Entry::Decided { key, .. } = &mut renamed {
        *key = "b".to_owned();
    }
    assert_eq!(portfolio.apply(&renamed), Err(PortfolioError::Duplicate { key: "a/0".to_owned() }));
    assert_eq!(portfolio, before);
}

#[test]
fn a_ledger_that_does_not_add_up_is_refused_and_names_the_trade() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100");
    scenario.decide("a", vec![buy("AAPL", "5")]);
    scenario.decide("b", vec![sell("AAPL", "5")]);
    let [opening, bought, sold] = &scenario.entries[..] else { panic!("three entries are expected") };

    let refusal_of = |entries: &[Entry]| match Portfolio::fold(entries) {
        Err(PortfolioError::InvalidTrade { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    };
    let richer = altered(bought, |trade| trade.quantity = decimal("50"));
    assert!(matches!(refusal_of(&[opening.clone(), richer]), Refusal::Cash { .. }));
    assert!(matches!(refusal_of(&[opening.clone(), sold.clone()]), Refusal::Shares { .. }));
    let invented = altered(sold, |trade| trade.realised_profit = Some(decimal("1")));
    assert_eq!(refusal_of(&[opening.clone(), bought.clone(), invented]), Refusal::Profit);
    let negative = altered(bought, |trade| trade.quantity = decimal("-1"));
    assert!(matches!(refusal_of(&[opening.clone(), negative]), Refusal::Quantity(_)));
    let free = altered(bought, |trade| trade.price = decimal("0"));
    assert!(matches!(refusal_of(&[opening.clone(), free]), Refusal::Price { .. }));
    let later = altered(bought, |trade| trade.date = date("2022-07-01"));
    assert_eq!(refusal_of(&[opening.clone(), later]), Refusal::Date);
    let message = Portfolio::fold(&[opening.clone(), sold.clone()]).unwrap_err().to_string();
    assert!(message.contains("\"b/0\""), "{message}");
}

#[test]
fn entries_survive_the_ledger_as_json_to_the_last_digit() {
    let mut scenario = Scenario::new("1000.10").price("AAPL", "99.990001");
    scenario.decide("a", vec![buy("AAPL", "0.333333"), buy("KO", "1")]);
    scenario.decide("b", vec![sell("AAPL", "0.111111")]);
    let texts: Vec<String> =
        scenario.entries.iter().map(|entry| serde_json::to_string(entry).unwrap()).collect();
    let read: Vec<Entry> = texts.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(read, scenario.entries);
    assert_eq!(Portfolio::fold(&read).unwrap(), scenario.portfolio());
    assert!(texts[0].starts_with("{\"opened\":"), "{}", texts[0]);
    assert!(texts[1].contains("\"99.990001\""), "money is text, not a float: {}", texts[1]);
}
