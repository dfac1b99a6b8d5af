//! Deposits, withdrawals and changed settings.

use portfolio::{Closes, Entry, Portfolio, PortfolioError, Quotes, value};
use protocol::{
    Timestamp,
    trading::{Constraints, CostMethod, PortfolioSettings},
};

use crate::scenario::{Scenario, buy, date, decimal, ticker};

fn transferred(key: &str, day: &str, amount: &str) -> Entry {
    Entry::Transferred {
        key: key.to_owned(),
        amount: decimal(amount),
        date: date(day),
        at: Timestamp(5),
        note: "Savings".to_owned(),
    }
}

fn configured(key: &str, settings: PortfolioSettings) -> Entry {
    Entry::Configured { key: key.to_owned(), settings, at: Timestamp(5) }
}

#[test]
fn money_is_paid_in_and_taken_out() {
    let mut portfolio = Scenario::new("1000").portfolio();
    portfolio.apply(&transferred("in", "2022-06-30", "500.25")).unwrap();
    portfolio.apply(&transferred("out", "2022-07-01", "-1500.25")).unwrap();
    assert_eq!(portfolio.cash(), decimal("0"));
    let bookings = portfolio.bookings();
    assert_eq!((bookings.deposits, bookings.withdrawals), (decimal("500.25"), decimal("1500.25")));
    assert_eq!(bookings.transfers[0].amount, decimal("-1500.25"), "newest first");
    assert_eq!(bookings.transfers[0].note, "Savings");
    assert_eq!(portfolio.initial_cash(), decimal("1000"));
}

#[test]
fn a_transfer_that_cannot_be_is_refused_and_changes_nothing() {
    let mut portfolio = Scenario::new("1000").portfolio();
    portfolio.apply(&transferred("in", "2022-06-30", "1")).unwrap();
    let before = portfolio.clone();
    for amount in ["0", "0.001", "1000000000001"] {
        let refused = portfolio.apply(&transferred("b", "2022-06-30", amount));
        assert_eq!(refused, Err(PortfolioError::InvalidTransfer(decimal(amount))));
    }
    let refused = portfolio.apply(&transferred("b", "2022-06-30", "-1001.01"));
    let not_enough = PortfolioError::NotEnoughCash { wanted: decimal("1001.01"), cash: decimal("1001") };
    assert_eq!(refused, Err(not_enough));
    let refused = portfolio.apply(&transferred("in", "2022-06-30", "1"));
    assert_eq!(refused, Err(PortfolioError::Duplicate { key: "in".to_owned() }));
    assert!(matches!(
        portfolio.apply(&transferred("b", "2022-06-29", "1")),
        Err(PortfolioError::BackInTime { .. })
    ));
    assert_eq!(portfolio, before);
}

#[test]
fn a_deposit_is_no_profit_neither_for_the_portfolio_nor_for_the_benchmark() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100");
    scenario.decide("a", vec![buy("AAPL", "5")]);
    scenario.entries.push(transferred("in", "2022-07-01", "1000"));
    let mut closes = Closes::new();
    for (symbol, day, close) in [
        ("AAPL", "2022-06-30", "100"),
        ("AAPL", "2022-07-01", "110"),
        ("AAPL", "2022-07-05", "132"),
        ("^GSPC", "2022-06-30", "4000"),
        ("^GSPC", "2022-07-01", "4400"),
        ("^GSPC", "2022-07-05", "2200"),
    ] {
        closes.entry(ticker(symbol)).or_default().insert(date(day), decimal(close));
    }
    let quotes = Quotes { instruments: &[], closes: &closes, benchmark: &ticker("^GSPC") };
    let view = value(&scenario.portfolio(), &quotes, &Constraints::default(), date("2022-07-05")).unwrap();
    let points: Vec<_> = view
        .history
        .iter()
        .map(|it| (it.total, it.flow, it.benchmark.unwrap(), it.invested.unwrap()))
        .collect();
    // The benchmark: 1000 grow to 1100, 1000 are added, and all of it halves.
    let expected =
        [("1000", "0", "1000", "500"), ("2050", "1000", "2100", "550"), ("2160", "0", "1050", "660")].map(
            |(total, flow, benchmark, invested)| {
                (decimal(total), decimal(flow), decimal(benchmark), decimal(invested))
            },
        );
    assert_eq!(points, expected);
    // 5 %, then 110 of 2050: it never fell.
    assert_eq!(view.metrics.max_drawdown.known(), Some(&decimal("0")));
    assert_eq!(view.bookings.deposits, decimal("1000"));
}

#[test]
fn settings_change_from_then_on_but_never_the_cost_method() {
    let mut scenario = Scenario::new("1000").price("KO", "100");
    scenario.decide("a", vec![buy("KO", "1")]);
    let mut dearer = PortfolioSettings::before_settings();
    dearer.commission.fixed = decimal("2");
    scenario.entries.push(configured("dearer", dearer.clone()));
    let (trades, _) = scenario.decide("b", vec![buy("KO", "1")]);
    assert_eq!(trades[0].commission, decimal("2"));
    assert_eq!(scenario.portfolio().trades()[0].commission, decimal("0"));

    let mut portfolio = scenario.portfolio();
    let other = PortfolioSettings { cost_method: CostMethod::FirstInFirstOut, ..dearer.clone() };
    assert!(matches!(portfolio.apply(&configured("other", other)), Err(PortfolioError::InvalidSettings(_))));
    let again = portfolio.apply(&configured("dearer", dearer));
    assert_eq!(again, Err(PortfolioError::Duplicate { key: "dearer".to_owned() }));
    assert_eq!(portfolio, scenario.portfolio());
}

#[test]
fn a_ledger_of_an_earlier_version_reads_as_before() {
    // As it was written before there were settings, costs and orders that wait.
    let lines = [
        r#"{"opened":{"id":"main","name":"Main","cash":"1000","at":0}}"#,
        r#"{"decided":{"key":"a","run":null,"date":"2022-06-30","at":5,"trades":[{"key":"a/0","side":"BUY","ticker":"AAPL","quantity":"3","price":"100","date":"2022-06-30","executed_at":5,"rationale":"","stop_loss":"90","take_profit":null,"realised_profit":null,"run":null}],"rejected":[],"value":"1000"}}"#,
        r#"{"decided":{"key":"b","run":null,"date":"2022-07-01","at":6,"trades":[{"key":"b/0","side":"SELL","ticker":"AAPL","quantity":"1","price":"110","date":"2022-07-01","executed_at":6,"rationale":"","stop_loss":null,"take_profit":null,"realised_profit":"10","run":null}],"rejected":[],"value":"1030"}}"#,
    ];
    let entries: Vec<Entry> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let portfolio = Portfolio::fold(&entries).unwrap();
    assert_eq!(portfolio.cash(), decimal("810"));
    assert_eq!(portfolio.realised_profit(), decimal("10"));
    assert_eq!(portfolio.holdings()[&ticker("AAPL")].cost_basis, decimal("200"));
    assert_eq!(*portfolio.settings(), PortfolioSettings::before_settings());
    assert_eq!(portfolio.bookings().commissions, decimal("0"));
    assert!(portfolio.pending().is_empty());
}
