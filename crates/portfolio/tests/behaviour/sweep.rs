use portfolio::{Entry, Portfolio, SweepOutcome, sweep};
use protocol::trading::{Constraints, Order, Side, Trade};

use crate::scenario::{Scenario, buy, decimal, decision, parts, ticker};

fn desk(cash: &str) -> Scenario {
    let mut scenario = Scenario::new(cash).limits(Constraints::default()).sector("SGOV", "Cash Equivalent");
    scenario.cash_equivalent = Some(ticker("SGOV"));
    scenario
}

/// Executes and sweeps; returns the trades, the portfolio afterwards and what became of the cash.
fn decide(scenario: &Scenario, orders: Vec<Order>) -> (Vec<Trade>, Portfolio, SweepOutcome) {
    let inputs = scenario.inputs("k");
    let mut portfolio = scenario.portfolio();
    let entry = portfolio::execute(&portfolio, &decision(orders), &inputs).unwrap();
    let (entry, outcome) = sweep(&portfolio, entry, &inputs).unwrap();
    portfolio.apply(&entry).unwrap();
    (parts(entry).0, portfolio, outcome)
}

/// AgentOS 6.C 11, 7.5.12.
#[test]
fn without_a_price_nothing_is_swept_and_the_outcome_says_so() {
    // 50 * 200 = 10000 of 100000.
    let scenario = desk("100000").price("AAPL", "200");
    let (trades, portfolio, outcome) = decide(&scenario, vec![buy("AAPL", "50")]);
    assert_eq!(outcome.to_string(), "Nothing was swept: No price found for SGOV");
    assert_eq!(trades.len(), 1);
    assert_eq!(portfolio.cash(), decimal("90000"));
}

/// AgentOS 6.C 11, E 11.
#[test]
fn cash_after_the_trades_is_swept_down_to_the_reserve_past_all_other_limits() {
    // 90000 left, 5 % of 100000 stay: (90000 - 5000) / 100 = 850 shares, 85 % of the portfolio.
    let scenario = desk("100000").price("AAPL", "200").price("SGOV", "100");
    let (trades, portfolio, outcome) = decide(&scenario, vec![buy("AAPL", "50")]);
    assert_eq!(outcome.to_string(), "Swept 850 shares of SGOV");
    assert_eq!(trades[1].key, "k/sweep");
    assert_eq!((trades[1].side, trades[1].quantity), (Side::Buy, decimal("850")));
    assert_eq!(portfolio.cash(), decimal("5000"));
}

#[test]
fn only_whole_shares_are_swept() {
    // (1000 - 50) / 99 = 9.59…
    let scenario = desk("1000").price("SGOV", "99");
    let (_, portfolio, outcome) = decide(&scenario, vec![]);
    assert_eq!(outcome, SweepOutcome::Swept { ticker: ticker("SGOV"), quantity: decimal("9") });
    assert_eq!(portfolio.cash(), decimal("109"));
}

#[test]
fn cash_at_the_reserve_is_left_alone() {
    let mut scenario = desk("1000").price("SGOV", "99");
    let (_, _, outcome) = decide(&desk("90").price("SGOV", "99"), vec![]);
    assert_eq!(outcome.to_string(), "No sweep needed");
    scenario.cash_equivalent = None;
    assert_eq!(decide(&scenario, vec![]).2, SweepOutcome::NotNeeded);
}

/// 7.5.12 C and D of AgentOS's specification: 15000 in cash beside 75000 in shares, so that 4500 stay.
#[test]
fn what_is_swept_is_what_the_days_own_purchases_leave() {
    let mut orders = Vec::new();
    let mut scenario = desk("90000").price("SGOV", "100").price("KO", "50");
    for index in 0..10 {
        let name = format!("T{index}");
        scenario = scenario.price(&name, "7500");
        orders.push(buy(&name, "1"));
    }
    let scenario = scenario.given(orders);
    assert_eq!(scenario.portfolio().cash(), decimal("15000"));
    let (_, portfolio, outcome) = decide(&scenario, vec![]);
    assert_eq!(outcome.to_string(), "Swept 105 shares of SGOV");
    assert_eq!(portfolio.cash(), decimal("4500"));
    let (trades, portfolio, outcome) = decide(&scenario, vec![buy("KO", "200")]);
    assert_eq!((trades[0].ticker.as_str(), trades[0].quantity), ("KO", decimal("200")));
    assert_eq!(outcome.to_string(), "Swept 5 shares of SGOV");
    assert_eq!(portfolio.cash(), decimal("4500"));
}

/// Cash 5000, 100 SGOV at 100 and 85000 in other shares: 100000 in total.
fn swept() -> Scenario {
    let mut orders = vec![buy("SGOV", "100")];
    let mut scenario = desk("100000").price("SGOV", "100").price("KO", "50");
    for index in 0..10 {
        let name = format!("T{index}");
        scenario = scenario.price(&name, "8500");
        orders.push(buy(&name, "1"));
    }
    scenario.given(orders)
}

/// AgentOS 7.5.12, E 11.
#[test]
fn swept_cash_pays_for_a_purchase_and_keeps_the_reserve() {
    // 160 * 50 = 8000 and the reserve 5000 need 13000, 5000 are there: 80 shares of SGOV.
    let scenario = swept();
    assert_eq!(scenario.portfolio().cash(), decimal("5000"));
    let (trades, portfolio, outcome) = decide(&scenario, vec![buy("KO", "160")]);
    let shown: Vec<_> =
        trades.iter().map(|it| (it.side, it.ticker.as_str(), it.quantity, it.key.as_str())).collect();
    assert_eq!(
        shown,
        [(Side::Sell, "SGOV", decimal("80"), "k/0/funding"), (Side::Buy, "KO", decimal("160"), "k/0"),]
    );
    assert_eq!(portfolio.cash(), decimal("5000"));
    assert_eq!(outcome, SweepOutcome::NotNeeded);
}

/// AgentOS 6.C 12.
#[test]
fn nothing_is_sold_for_a_purchase_that_cannot_be_made_anyway() {
    // 300 * 50 = 15000 need 150 shares of SGOV, 100 are held; 320 * 50 breaks the position limit too.
    for quantity in ["300", "320"] {
        let scenario = swept();
        let (trades, portfolio, _) = decide(&scenario, vec![buy("KO", quantity)]);
        assert_eq!(trades, []);
        assert_eq!(portfolio.holdings()[&ticker("SGOV")].quantity, decimal("100"));
    }
}

#[test]
fn swept_cash_is_no_position_and_in_no_sector() {
    let mut scenario = swept();
    scenario.constraints.max_positions = 11;
    assert_eq!(decide(&scenario, vec![buy("KO", "1")]).0.len(), 2, "eleven shares beside SGOV");
    scenario.constraints.max_positions = 10;
    assert_eq!(scenario.reasons(buy("KO", "1"))[0], "Max positions exceeded: 11 > 10");
}

#[test]
fn a_holding_without_a_price_prevents_a_sweep() {
    let mut scenario = swept();
    scenario.prices.remove(&ticker("T3"));
    let (_, _, outcome) = decide(&scenario, vec![]);
    assert!(outcome.to_string().contains("No price found for T3"), "{outcome}");
}

#[test]
fn an_entry_that_does_not_fit_is_not_swept() {
    let scenario = desk("1000").price("SGOV", "100");
    let opening: Entry = scenario.entries[0].clone();
    assert!(sweep(&scenario.portfolio(), opening, &scenario.inputs("k")).is_err());
}
