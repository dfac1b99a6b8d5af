//! What a day of the market does: splits, dividends, orders that waited, orders that stand.

use portfolio::{Entry, PortfolioError};
use protocol::trading::{Commission, Order, PortfolioSettings, Side, TradeCause};

use crate::charges::at_close;
use crate::scenario::{Day, Scenario, buy, date, decimal, sell, ticker};

/// Orders wait for the next price; triggers stand.
fn waiting(cash: &str) -> Scenario {
    Scenario::with(cash, PortfolioSettings::default())
}

/// Ten KO bought at 100 with these triggers.
fn holding(stop_loss: Option<&str>, take_profit: Option<&str>) -> Scenario {
    let order =
        Order { stop_loss: stop_loss.map(decimal), take_profit: take_profit.map(decimal), ..buy("KO", "10") };
    let mut scenario = Scenario::with("1000", at_close(Commission::default(), "0")).price("KO", "100");
    scenario.decide("a", vec![order]);
    scenario
}

#[test]
fn an_order_is_filled_at_the_first_price_after_its_decision() {
    let mut scenario = waiting("1000").price("KO", "100");
    let (trades, rejected) = scenario.decide("a", vec![buy("KO", "5")]);
    assert!(trades.is_empty() && rejected.is_empty());
    assert_eq!(scenario.portfolio().pending()[0].key, "a/0");
    assert_eq!(scenario.portfolio().last_decision().unwrap().pending.len(), 1);

    let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", ["103", "110", "90", "95"]));
    assert_eq!((trades[0].price, trades[0].date), (decimal("103"), date("2022-07-01")));
    assert_eq!(trades[0].key, "a/0");
    assert!(scenario.portfolio().pending().is_empty());
    let outcome = scenario.portfolio().last_decision().unwrap().clone();
    assert!(outcome.pending.is_empty());
    assert_eq!(outcome.trades, trades, "the decision's outcome tells what became of it");
}

#[test]
fn where_only_closes_are_known_the_next_close_is_the_first_price() {
    let mut scenario = waiting("1000").price("KO", "100");
    scenario.decide("a", vec![buy("KO", "5")]);
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").close("KO", "97"));
    assert_eq!(trades[0].price, decimal("97"));
}

#[test]
fn orders_wait_over_holidays_and_missing_days_and_not_for_ever() {
    let mut scenario = waiting("10000").price("KO", "100").price("JPM", "100");
    scenario.decide("a", vec![buy("KO", "5"), buy("JPM", "5"), buy("XOM", "1")]);
    // KO alone is traded on the next day; 4 July is a holiday, so that day is never passed.
    let (trades, reasons) = scenario.pass(&Day::new("2022-07-01").close("KO", "101"));
    assert_eq!((trades.len(), reasons.len()), (1, 0));
    let (trades, _) = scenario.pass(&Day::new("2022-07-05").close("KO", "101").close("JPM", "102"));
    assert_eq!((trades[0].ticker.as_str(), trades[0].price), ("JPM", decimal("102")));
    assert_eq!(scenario.portfolio().pending().len(), 1);
    // Ten days after 30 June it still waits, after eleven no more.
    assert!(scenario.try_pass(&Day::new("2022-07-10").close("KO", "101")).unwrap().is_none());
    let (trades, reasons) = scenario.pass(&Day::new("2022-07-11").close("KO", "101"));
    assert!(trades.is_empty());
    assert_eq!(reasons, ["No price found for XOM in 10 days after 2022-06-30"]);
    assert!(scenario.portfolio().pending().is_empty());
    assert_eq!(scenario.portfolio().last_decision().unwrap().rejected.len(), 1);
}

#[test]
fn sales_that_waited_come_before_purchases_and_pay_for_them() {
    let mut scenario = waiting("1000").price("KO", "100").price("JPM", "50");
    scenario.decide("a", vec![buy("KO", "10")]);
    scenario.pass(&Day::new("2022-07-01").close("KO", "100").close("JPM", "50"));
    scenario.decide("b", vec![buy("JPM", "22"), sell("KO", "10")]);
    let (trades, reasons) = scenario.pass(&Day::new("2022-07-05").close("KO", "110").close("JPM", "50"));
    assert_eq!(reasons, Vec::<String>::new());
    assert_eq!(trades.iter().map(|it| it.side).collect::<Vec<_>>(), [Side::Sell, Side::Buy]);
    assert_eq!(scenario.portfolio().cash(), decimal("0"));
}

#[test]
fn an_order_that_the_next_price_makes_too_dear_is_refused_with_its_reason() {
    let mut scenario = waiting("1000").price("KO", "100");
    scenario.decide("a", vec![buy("KO", "10")]);
    let (trades, reasons) = scenario.pass(&Day::new("2022-07-01").close("KO", "101"));
    assert!(trades.is_empty());
    assert_eq!(reasons[0], "Insufficient cash: 1,010.00 is needed, 1,000.00 is there");
}

#[test]
fn what_is_wrong_with_an_order_by_itself_is_said_at_once() {
    let mut scenario = waiting("1000");
    let (_, rejected) = scenario.decide("a", vec![buy("^GSPC", "1"), buy("KO", "0"), sell("KO", "5")]);
    assert_eq!(rejected.len(), 2);
    assert_eq!(scenario.portfolio().pending().len(), 1, "what is held is known when it is filled");
    let (_, reasons) = scenario.pass(&Day::new("2022-07-01").close("KO", "101"));
    assert_eq!(reasons, ["Insufficient shares: 5 of KO are to be sold, 0 are held"]);
}

#[test]
fn spare_cash_is_swept_once_no_order_waits() {
    let mut scenario = waiting("1000").price("KO", "100").price("SGOV", "100");
    scenario.cash_equivalent = Some(ticker("SGOV"));
    scenario.decide("a", vec![buy("KO", "5")]);
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").close("SGOV", "100"));
    assert!(trades.is_empty(), "the order still waits and needs the cash");
    let (trades, _) = scenario.pass(&Day::new("2022-07-05").close("KO", "100").close("SGOV", "100"));
    let causes: Vec<_> = trades.iter().map(|it| (it.cause, it.quantity)).collect();
    assert_eq!(causes, [(TradeCause::Order, decimal("5")), (TradeCause::Sweep, decimal("5"))]);
    assert!(scenario.try_pass(&Day::new("2022-07-06").close("SGOV", "1")).unwrap().is_none());
}

#[test]
fn a_dividend_is_income_of_the_shares_held_before_the_days_trades() {
    let mut scenario = holding(None, None);
    scenario.decide("b", vec![sell("KO", "4")]);
    scenario.pass(&Day::new("2022-07-01").close("KO", "100").dividend("KO", "0.44").dividend("XOM", "1"));
    let portfolio = scenario.portfolio();
    // 400 from the sale, and 6 * 0.44.
    assert_eq!(portfolio.cash(), decimal("402.64"));
    assert_eq!(portfolio.bookings().dividends, decimal("2.64"));
    assert_eq!(portfolio.bookings().income.len(), 1, "nothing is paid on what is not held");
    assert_eq!(portfolio.realised_profit(), decimal("0"));
    assert_eq!(portfolio.holdings()[&ticker("KO")].cost_basis, decimal("600"));
}

#[test]
fn shares_that_are_bought_on_the_day_itself_bring_no_dividend() {
    let mut scenario = waiting("1000").price("KO", "100");
    scenario.decide("a", vec![buy("KO", "5")]);
    scenario.pass(&Day::new("2022-07-01").close("KO", "100").dividend("KO", "1"));
    assert_eq!(scenario.portfolio().bookings().dividends, decimal("0"));
}

#[test]
fn a_split_changes_shares_lots_triggers_and_waiting_orders_but_no_money() {
    let mut scenario = holding(Some("80"), Some("150"));
    let settings = PortfolioSettings::default();
    let at = protocol::Timestamp(9);
    scenario.entries.push(Entry::Configured { key: "next".to_owned(), settings, at });
    let order = Order { stop_loss: Some(decimal("60")), ..sell("KO", "5") };
    scenario.decide("b", vec![order]);
    // The order is filled in new shares, at the price of new shares.
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").split("KO", 2, 1).close("KO", "51"));
    assert_eq!((trades[0].quantity, trades[0].price), (decimal("10"), decimal("51")));
    assert_eq!(trades[0].realised_profit, Some(decimal("10")));
    let portfolio = scenario.portfolio();
    let position = &portfolio.holdings()[&ticker("KO")];
    assert_eq!((position.quantity, position.cost_basis), (decimal("10"), decimal("500")));
    assert_eq!((position.stop_loss, position.take_profit), (Some(decimal("40")), Some(decimal("75"))));
    assert_eq!(position.lots[0].quantity, decimal("10"));
    assert_eq!(portfolio.bookings().splits[0].to, 2);
}

#[test]
fn a_reverse_split_keeps_millionths_of_a_share_and_every_cent_of_cost() {
    let mut scenario = Scenario::with("1000", at_close(Commission::default(), "0")).price("KO", "3");
    scenario.decide("a", vec![buy("KO", "10")]);
    scenario.decide("b", vec![buy("KO", "0.000001")]);
    scenario.pass(&Day::new("2022-07-01").split("KO", 1, 3).close("KO", "9"));
    let portfolio = scenario.portfolio();
    let position = &portfolio.holdings()[&ticker("KO")];
    // 10.000001 / 3 = 3.333333666…; the second lot is less than a millionth and goes into the first.
    assert_eq!(position.quantity, decimal("3.333333"));
    assert_eq!(position.cost_basis, decimal("30.000003"));
    assert_eq!(position.lots.len(), 1);
    assert_eq!(
        (position.lots[0].quantity, position.lots[0].cost),
        (decimal("3.333333"), decimal("30.000003"))
    );
}

#[test]
fn a_split_that_cannot_be_is_refused() {
    let scenario = holding(None, None);
    for (to, from) in [(0, 1), (1, 0), (10_001, 1)] {
        let refused = scenario.try_pass(&Day::new("2022-07-01").split("KO", to, from));
        assert!(matches!(refused, Err(PortfolioError::InvalidAction { .. })), "{to}:{from}");
    }
    let refused = scenario.try_pass(&Day::new("2022-07-01").dividend("KO", "-1"));
    assert!(matches!(refused, Err(PortfolioError::InvalidAction { .. })));
}

/// AgentOS E 12.
#[test]
fn a_stop_loss_sells_at_its_price_or_at_a_worse_opening() {
    for (bar, expected) in [
        (["99", "101", "91", "98"], None),
        (["99", "101", "90", "98"], Some("90")),
        (["99", "101", "80", "85"], Some("90")),
        (["88", "95", "85", "94"], Some("88")), // it opens below: nobody pays 90
    ] {
        let mut scenario = holding(Some("90"), None);
        let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", bar));
        assert_eq!(trades.first().map(|it| it.price), expected.map(decimal), "{bar:?}");
        assert!(trades.iter().all(|it| it.cause == TradeCause::StopLoss && it.quantity == decimal("10")));
        assert_eq!(scenario.portfolio().holdings().is_empty(), expected.is_some());
    }
}

#[test]
fn a_take_profit_sells_at_its_price_or_at_a_better_opening() {
    for (bar, expected) in [
        (["100", "119", "95", "110"], None),
        (["100", "120", "95", "110"], Some("120")),
        (["125", "130", "95", "110"], Some("125")),
    ] {
        let mut scenario = holding(None, Some("120"));
        let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", bar));
        assert_eq!(trades.first().map(|it| it.price), expected.map(decimal), "{bar:?}");
        assert!(trades.iter().all(|it| it.cause == TradeCause::TakeProfit));
    }
}

#[test]
fn both_triggers_on_one_day_count_as_the_loss_unless_the_opening_shows_otherwise() {
    let mut scenario = holding(Some("90"), Some("120"));
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", ["100", "130", "80", "125"]));
    assert_eq!((trades[0].cause, trades[0].price), (TradeCause::StopLoss, decimal("90")));
    let mut scenario = holding(Some("90"), Some("120"));
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", ["121", "130", "80", "85"]));
    assert_eq!((trades[0].cause, trades[0].price), (TradeCause::TakeProfit, decimal("121")));
}

#[test]
fn with_closes_alone_a_stop_is_filled_at_the_close_and_a_limit_at_its_price() {
    let mut scenario = holding(Some("90"), Some("120"));
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").close("KO", "85"));
    assert_eq!(trades[0].price, decimal("85"));
    let mut scenario = holding(Some("90"), Some("120"));
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").close("KO", "125"));
    assert_eq!(trades[0].price, decimal("120"));
}

#[test]
fn slippage_worsens_a_stop_and_never_a_limit() {
    let order = Order { stop_loss: Some(decimal("90")), take_profit: Some(decimal("120")), ..buy("KO", "1") };
    let sold_at = |bar| {
        let mut scenario = Scenario::with("1000", at_close(Commission::default(), "0.01")).price("KO", "100");
        scenario.decide("a", vec![order.clone()]);
        scenario.pass(&Day::new("2022-07-01").bar("KO", bar)).0[0].price
    };
    assert_eq!(sold_at(["99", "100", "85", "90"]), decimal("89.1"));
    assert_eq!(sold_at(["99", "125", "95", "96"]), decimal("120"));
}

#[test]
fn shares_bought_at_an_opening_can_be_stopped_on_the_same_day_those_bought_at_a_close_cannot() {
    let order = Order { stop_loss: Some(decimal("95")), ..buy("KO", "5") };
    let mut scenario = waiting("1000").price("KO", "100");
    scenario.decide("a", vec![order.clone()]);
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", ["100", "101", "94", "96"]));
    assert_eq!(
        trades.iter().map(|it| it.cause).collect::<Vec<_>>(),
        [TradeCause::Order, TradeCause::StopLoss]
    );

    let mut scenario = waiting("1000").price("KO", "100");
    scenario.decide("a", vec![order]);
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").close("KO", "94"));
    assert_eq!(trades.len(), 1);
    let (trades, _) = scenario.pass(&Day::new("2022-07-05").close("KO", "94"));
    assert_eq!(trades[0].cause, TradeCause::StopLoss);
}

/// AgentOS E 12.
#[test]
fn triggers_that_are_only_notes_sell_nothing() {
    let order = Order { stop_loss: Some(decimal("90")), ..buy("KO", "10") };
    let mut scenario = Scenario::new("1000").price("KO", "100");
    scenario.decide("a", vec![order]);
    assert!(scenario.try_pass(&Day::new("2022-07-01").close("KO", "50")).unwrap().is_none());
    assert_eq!(scenario.portfolio().holdings()[&ticker("KO")].stop_loss, Some(decimal("90")));
}

#[test]
fn a_later_purchase_moves_the_triggers_of_all_shares() {
    let mut scenario = holding(Some("90"), Some("120"));
    scenario = scenario.price("KO", "100");
    scenario.entries.push(Entry::Transferred {
        key: "in".to_owned(),
        amount: decimal("1000"),
        date: date("2022-06-30"),
        at: protocol::Timestamp(9),
        note: String::new(),
    });
    scenario.decide("b", vec![Order { stop_loss: Some(decimal("97")), ..buy("KO", "2") }]);
    let (trades, _) = scenario.pass(&Day::new("2022-07-01").bar("KO", ["99", "99", "96", "98"]));
    assert_eq!((trades[0].quantity, trades[0].price), (decimal("12"), decimal("97")));
}

#[test]
fn within_a_day_the_market_comes_before_decisions() {
    let mut scenario = waiting("1000").price("KO", "100");
    scenario.decide("a", vec![buy("KO", "1")]);
    for day in ["2022-06-29", "2022-06-30"] {
        let refused = scenario.try_pass(&Day::new(day).close("KO", "101"));
        let over = PortfolioError::DayOver { date: date(day), last: date("2022-06-30") };
        assert_eq!(refused, Err(over), "{day}: the decision saw that day's close");
    }
    scenario.pass(&Day::new("2022-07-01").close("KO", "101"));
    scenario.decide("b", vec![sell("KO", "1")]);
    assert_eq!(scenario.portfolio().pending().len(), 1, "a decision on a day that has passed is fine");
}

#[test]
fn a_recorded_day_that_does_not_add_up_is_refused() {
    let mut scenario = holding(None, None);
    scenario.pass(&Day::new("2022-07-01").close("KO", "100").dividend("KO", "0.44"));
    let mut entries = scenario.entries.clone();
    let Some(Entry::Passed { dividends, .. }) = entries.last_mut() else { panic!("a day is expected") };
    dividends[0].amount = decimal("44");
    assert!(matches!(portfolio::Portfolio::fold(&entries), Err(PortfolioError::InvalidAction { .. })));
}

#[test]
fn a_quiet_day_is_no_entry() {
    let scenario = holding(Some("50"), None);
    assert!(
        scenario.try_pass(&Day::new("2022-07-01").close("KO", "99").split("XOM", 2, 1)).unwrap().is_none()
    );
}
