use portfolio::PortfolioError;
use protocol::trading::{Constraints, Order, Side};

use crate::scenario::{Scenario, buy, date, decimal, parts, sell, ticker};

/// AgentOS 7.5.3, 7.5.6.
#[test]
fn a_purchase_costs_cash_and_an_average_is_kept() {
    // 10 at 200 of 10000 leave 8000.
    let mut scenario = Scenario::new("10000").price("AAPL", "200");
    let (trades, rejected) = scenario.decide("a", vec![buy("AAPL", "10")]);
    assert_eq!((trades.len(), rejected.len()), (1, 0));
    assert_eq!(trades[0].side, Side::Buy);
    assert_eq!(trades[0].realised_profit, None);
    assert_eq!(scenario.portfolio().cash(), decimal("8000"));

    // 50 at 190 and 25 at 200: 9500 + 5000 = 14500 for 75, on average 193.333333.
    let mut scenario = Scenario::new("20000").price("AAPL", "190");
    scenario.decide("a", vec![buy("AAPL", "50")]);
    scenario = scenario.price("AAPL", "200");
    scenario.decide("b", vec![buy("AAPL", "25")]);
    let portfolio = scenario.portfolio();
    let position = &portfolio.holdings()[&ticker("AAPL")];
    assert_eq!(position.quantity, decimal("75"));
    assert_eq!(position.cost_basis, decimal("14500"));
    assert_eq!(position.average_cost(), decimal("193.333333"));

    // 100000 less 50 * 195.5 = 90225; (9775 + 5000) / 75 = 197.
    let mut scenario = Scenario::new("100000").price("AAPL", "195.5");
    scenario.decide("a", vec![buy("AAPL", "50")]);
    assert_eq!(scenario.portfolio().cash(), decimal("90225"));
    scenario = scenario.price("AAPL", "200");
    scenario.decide("b", vec![buy("AAPL", "25")]);
    assert_eq!(scenario.portfolio().holdings()[&ticker("AAPL")].average_cost(), decimal("197"));
}

/// AgentOS 7.5.4.
#[test]
fn a_sale_brings_cash_and_realises_profit() {
    // 50 at 190 of 14500 leave 5000; 20 at 200 bring 4000 and 20 * 10 profit.
    let mut scenario =
        Scenario::new("14500").price("AAPL", "190").given(vec![buy("AAPL", "50")]).price("AAPL", "200");
    let (trades, _) = scenario.decide("b", vec![sell("AAPL", "20")]);
    assert_eq!(trades[0].realised_profit, Some(decimal("200")));
    let portfolio = scenario.portfolio();
    assert_eq!(portfolio.cash(), decimal("9000"));
    assert_eq!(portfolio.holdings()[&ticker("AAPL")].quantity, decimal("30"));
    assert_eq!(portfolio.holdings()[&ticker("AAPL")].cost_basis, decimal("5700"));
    assert_eq!(portfolio.realised_profit(), decimal("200"));

    let (trades, _) = scenario.decide("c", vec![sell("AAPL", "30")]);
    assert_eq!(trades[0].realised_profit, Some(decimal("300")));
    assert!(scenario.portfolio().holdings().is_empty());
    assert_eq!(scenario.portfolio().cash(), decimal("15000"));
}

/// AgentOS 7.5.5.
#[test]
fn buying_and_selling_dearer_ends_with_the_profit_in_cash() {
    // 50000 - 10 * 200 = 48000; + 10 * 210 = 50100.
    let mut scenario = Scenario::new("50000").price("AAPL", "200").given(vec![buy("AAPL", "10")]);
    assert_eq!(scenario.portfolio().cash(), decimal("48000"));
    scenario = scenario.price("AAPL", "210");
    scenario.decide("b", vec![sell("AAPL", "10")]);
    assert_eq!(scenario.portfolio().cash(), decimal("50100"));
    assert_eq!(scenario.portfolio().realised_profit(), decimal("100"));
}

/// AgentOS 7.5.9.
#[test]
fn sales_come_before_purchases_and_pay_for_them() {
    let mut scenario =
        Scenario::new("1000").price("AAPL", "100").price("KO", "50").given(vec![buy("AAPL", "10")]);
    let (trades, rejected) = scenario.decide("b", vec![buy("KO", "20"), sell("AAPL", "10")]);
    assert_eq!(rejected, []);
    let order: Vec<_> = trades.iter().map(|trade| (trade.side, trade.key.as_str())).collect();
    assert_eq!(order, [(Side::Sell, "b/1"), (Side::Buy, "b/0")]);
    assert_eq!(scenario.portfolio().cash(), decimal("0"));
}

#[test]
fn a_second_sale_of_one_stock_sees_what_the_first_left() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100").given(vec![buy("AAPL", "10")]);
    let (trades, rejected) =
        scenario.decide("b", vec![sell("AAPL", "6"), sell("AAPL", "6"), sell("AAPL", "4")]);
    assert_eq!(trades.iter().map(|it| it.quantity).collect::<Vec<_>>(), [decimal("6"), decimal("4")]);
    assert_eq!(rejected[0].reasons, ["Insufficient shares: 6 of AAPL are to be sold, 4 are held"]);
    assert!(scenario.portfolio().holdings().is_empty());
}

/// AgentOS 7.5.4.
#[test]
fn what_is_not_held_or_not_enough_is_not_sold() {
    let scenario = Scenario::new("1000").price("AAPL", "100").given(vec![buy("AAPL", "10")]);
    assert_eq!(
        scenario.reasons(sell("AAPL", "20")),
        ["Insufficient shares: 20 of AAPL are to be sold, 10 are held"]
    );
    let scenario = scenario.price("KO", "50");
    assert_eq!(
        scenario.reasons(sell("KO", "1")),
        ["Insufficient shares: 1 of KO are to be sold, 0 are held"]
    );
}

/// AgentOS 7.5.3, 7.5.6.
#[test]
fn what_costs_more_than_there_is_is_not_bought() {
    let scenario = Scenario::new("500").price("AAPL", "200");
    assert_eq!(
        scenario.reasons(buy("AAPL", "3")),
        [
            "Insufficient cash: 600.00 is needed, 500.00 is there",
            "Min cash reserve violated: cash would be \u{2212}20.0 % < 0.0 %",
            "Max position size exceeded for AAPL: 120.0 % > 100.0 %",
        ]
    );
}

/// AgentOS 7.5.9.
#[test]
fn an_order_without_a_price_is_rejected_and_the_others_go_on() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100");
    let (trades, rejected) = scenario.decide("a", vec![buy("SGOV", "1"), buy("AAPL", "1")]);
    assert_eq!(trades.len(), 1);
    assert_eq!(rejected[0].reasons, ["No price found for SGOV"]);
    assert_eq!(rejected[0].price, None);
    assert_eq!(rejected[0].order, buy("SGOV", "1"));
}

#[test]
fn nothing_is_bought_while_a_holding_has_no_price_because_limits_cannot_be_checked() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100").given(vec![buy("AAPL", "1")]);
    scenario.prices.clear();
    scenario = scenario.price("KO", "50");
    assert_eq!(
        scenario.reasons(buy("KO", "1")),
        ["No price found for AAPL, which is held, so the total is unknown"]
    );
}

/// AgentOS 7.5.9.
#[test]
fn absurd_quantities_are_invalid() {
    let scenario = Scenario::new("1000").price("AAPL", "100");
    for quantity in ["0", "-1", "1000000001", "0.0000001", "79228162514264337593543950335"] {
        let reasons = scenario.reasons(buy("AAPL", quantity));
        assert!(reasons[0].starts_with("Invalid ticker or shares"), "{reasons:?}");
        let reasons = scenario.reasons(sell("AAPL", quantity));
        assert!(reasons[0].starts_with("Invalid ticker or shares"), "{reasons:?}");
    }
    assert!(scenario.reasons(buy("AAPL", "0.000001")).is_empty());
}

#[test]
fn absurd_prices_and_triggers_are_refused_and_never_a_panic() {
    for price in ["0", "-5", "0.0000001", "79228162514264337593543950335"] {
        let scenario = Scenario::new("1000").price("AAPL", price);
        assert!(!scenario.reasons(buy("AAPL", "1000000000")).is_empty(), "{price}");
    }
    let scenario = Scenario::new("1000").price("AAPL", "1");
    let triggers =
        Order { stop_loss: Some(decimal("0")), take_profit: Some(decimal("-1")), ..buy("AAPL", "1") };
    assert_eq!(scenario.reasons(triggers).len(), 2);
}

#[test]
fn every_reason_is_listed_at_once() {
    let scenario = Scenario::new("1000");
    let reasons = scenario.reasons(sell("AAPL", "2000000000"));
    assert_eq!(reasons.len(), 3, "{reasons:?}");
    assert!(reasons.contains(&"No price found for AAPL".to_owned()));
}

#[test]
fn an_index_is_no_stock() {
    let scenario = Scenario::new("10000").price("^GSPC", "100");
    assert_eq!(
        scenario.reasons(buy("^GSPC", "1")),
        ["Invalid ticker or shares: ^GSPC is an index, which cannot be bought"]
    );
}

/// AgentOS 6.C 13, E 12.
#[test]
fn a_trade_keeps_its_reason_triggers_date_and_key() {
    let mut scenario = Scenario::new("10000").price("AAPL", "300");
    let wanted =
        Order { stop_loss: Some(decimal("270")), take_profit: Some(decimal("360")), ..buy("aapl", "1") };
    scenario.decide("run-7", vec![wanted]);
    let portfolio = scenario.portfolio();
    let trade = &portfolio.trades()[0];
    assert_eq!(trade.ticker, ticker("AAPL"));
    assert_eq!(trade.stop_loss, Some(decimal("270")));
    assert_eq!(trade.take_profit, Some(decimal("360")));
    assert_eq!(trade.rationale, "because of aapl");
    assert_eq!(trade.date, date("2022-06-30"));
    assert_eq!(trade.key, "run-7/0");
    assert_eq!(trade.price, decimal("300"));
}

#[test]
fn a_decision_that_was_carried_out_is_not_carried_out_again() {
    let mut scenario = Scenario::new("10000").price("AAPL", "100");
    scenario.decide("a", vec![buy("AAPL", "1")]);
    assert!(scenario.portfolio().knows("a"));
    assert_eq!(
        scenario.try_decide("a", vec![buy("AAPL", "1")]),
        Err(PortfolioError::Duplicate { key: "a".to_owned() })
    );
}

#[test]
fn a_decision_cannot_go_back_in_time() {
    let mut scenario = Scenario::new("10000").price("AAPL", "100");
    scenario.decide("a", vec![buy("AAPL", "1")]);
    scenario.decide("same day", vec![]);
    scenario.date = date("2022-06-29");
    assert_eq!(
        scenario.try_decide("b", vec![]),
        Err(PortfolioError::BackInTime { date: date("2022-06-29"), last: date("2022-06-30") })
    );
}

#[test]
fn an_empty_decision_is_recorded_with_the_value() {
    // 50 at 200 of 15000: 5000 in cash and 10000 in shares.
    let scenario = Scenario::new("15000").price("AAPL", "200").given(vec![buy("AAPL", "50")]);
    let portfolio::Entry::Decided { value, trades, .. } = scenario.try_decide("b", vec![]).unwrap() else {
        panic!("a decision is expected")
    };
    assert_eq!(value, Some(decimal("15000")));
    assert!(trades.is_empty());

    let mut unpriced = scenario;
    unpriced.prices.clear();
    let portfolio::Entry::Decided { value, .. } = unpriced.try_decide("b", vec![]).unwrap() else {
        panic!("a decision is expected")
    };
    assert_eq!(value, None);
}

#[test]
fn unusable_limits_stop_the_whole_decision() {
    let scenario = Scenario::new("1000").limits(Constraints { max_positions: 0, ..Constraints::default() });
    assert!(matches!(scenario.try_decide("a", vec![]), Err(PortfolioError::InvalidConstraints(_))));
}

#[test]
fn the_same_decision_gives_the_same_entry() {
    let scenario = Scenario::new("1000").price("AAPL", "100");
    let orders = || vec![buy("AAPL", "1"), sell("KO", "1")];
    let entry = scenario.try_decide("a", orders()).unwrap();
    assert_eq!(entry, scenario.try_decide("a", orders()).unwrap());
    assert_eq!(parts(entry).1.len(), 1);
}
