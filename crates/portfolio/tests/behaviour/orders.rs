use portfolio::orders;
use protocol::trading::{Commission, HeldFrom, OrderEnd, PortfolioSettings, Side};

use crate::charges::at_close;
use crate::scenario::{Day, Scenario, buy, date, decimal, ticker};

/// `BUY 5 KO: filled at 102`, and so on.
fn said(scenario: &Scenario) -> Vec<String> {
    let courses = orders(&scenario.entries);
    let said = courses.iter().map(|course| {
        let end = match &course.end {
            OrderEnd::Filled { trade } => format!("filled at {} on {}", trade.price.normalize(), trade.date),
            OrderEnd::Waits => "waits".to_owned(),
            OrderEnd::Rejected { date, reasons, .. } => {
                assert!(!reasons.is_empty());
                format!("refused on {date}")
            }
        };
        let order = &course.order;
        format!("{} {} {} of {}: {end}", order.side, order.quantity.normalize(), order.ticker, course.decided)
    });
    said.collect()
}

#[test]
fn an_order_that_waits_becomes_its_trade_or_its_refusal() {
    let mut scenario = Scenario::with("1000", PortfolioSettings::default()).price("KO", "100");
    scenario.decide("a", vec![buy("KO", "5"), buy("^GSPC", "1")]);
    assert_eq!(
        said(&scenario),
        ["BUY 1 ^GSPC of 2022-06-30: refused on 2022-06-30", "BUY 5 KO of 2022-06-30: waits"]
    );
    scenario.pass(&Day::new("2022-07-01").close("KO", "97"));
    let filled = &orders(&scenario.entries)[1];
    let OrderEnd::Filled { trade } = &filled.end else { panic!("{filled:?}") };
    assert_eq!((trade.side, trade.date), (Side::Buy, date("2022-07-01")));
    // What the first one has taken is not there for the second: 500 dollars at most are left.
    scenario.decide("b", vec![buy("KO", "9")]);
    scenario.pass(&Day::new("2022-07-05").close("KO", "100"));
    assert_eq!(said(&scenario)[2], "BUY 9 KO of 2022-07-01: refused on 2022-07-05");
}

#[test]
fn sales_by_standing_orders_are_nobodys_orders() {
    let mut scenario = Scenario::with("1000", at_close(Commission::default(), "0")).price("KO", "100");
    let mut order = buy("KO", "5");
    order.stop_loss = Some(decimal("90"));
    scenario.decide("a", vec![order]);
    scenario.pass(&Day::new("2022-07-01").close("KO", "80"));
    assert_eq!(scenario.portfolio().trades().len(), 2, "the stop loss has sold");
    assert_eq!(said(&scenario), ["BUY 5 KO of 2022-06-30: filled at 100 on 2022-06-30"]);
    let held: Vec<HeldFrom> = scenario.portfolio().held(&ticker("KO")).collect();
    let from = |day: &str, quantity: &str| HeldFrom { date: date(day), quantity: decimal(quantity) };
    assert_eq!(held, [from("2022-06-30", "5"), from("2022-07-01", "0")]);
}
