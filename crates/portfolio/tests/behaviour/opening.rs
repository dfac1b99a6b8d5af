//! A portfolio that holds something from the beginning.

use portfolio::{Entry, Portfolio, PortfolioError};
use protocol::{
    Decimal, Timestamp,
    trading::{CostMethod, Measured, PortfolioSettings, StartingHoldings, StartingLot},
};

use crate::scenario::{Scenario, date, decimal, sell, ticker};

fn lot(symbol: &str, quantity: &str, cost: &str, bought: &str) -> StartingLot {
    let (quantity, cost) = (decimal(quantity), decimal(cost));
    StartingLot { ticker: ticker(symbol), quantity, cost, bought: date(bought) }
}

fn opened(cash: &str, lots: Vec<StartingLot>) -> Entry {
    Entry::Opened {
        id: "main".parse().unwrap(),
        name: "Main".to_owned(),
        cash: decimal(cash),
        at: Timestamp(0),
        settings: PortfolioSettings {
            cost_method: CostMethod::FirstInFirstOut,
            ..PortfolioSettings::before_settings()
        },
        holdings: Some(StartingHoldings { as_of: date("2022-06-30"), lots }),
    }
}

/// 10 shares at 100 and 5 at 160, the later purchase first, and no cash.
fn held() -> Entry {
    opened("0", vec![lot("AAPL", "5", "800", "2022-03-01"), lot("AAPL", "10", "1000", "2021-05-03")])
}

/// A desk of such a portfolio on a day.
fn begun(day: &str) -> Scenario {
    Scenario { entries: vec![held()], date: date(day), ..Scenario::new("1") }.price("AAPL", "150")
}

#[test]
fn what_is_held_from_the_beginning_has_its_lots_and_its_cost_and_costs_no_cash() {
    let portfolio = Portfolio::fold(&[held()]).unwrap();
    let position = &portfolio.holdings()[&ticker("AAPL")];
    assert_eq!((position.quantity, position.cost_basis), (decimal("15"), decimal("1800")));
    assert_eq!(position.average_cost(), decimal("120"));
    let bought: Vec<String> = position.lots.iter().map(|lot| lot.bought.to_string()).collect();
    assert_eq!(bought, ["2021-05-03", "2022-03-01"], "the oldest first");
    assert_eq!((portfolio.cash(), portfolio.trades().len()), (Decimal::ZERO, 0));
    assert!(portfolio.tickers().contains(&ticker("AAPL")), "a valuation needs its prices");
    assert_eq!(portfolio.first_date(), Some(date("2022-06-30")));
}

#[test]
fn a_portfolio_with_holdings_is_valued_from_its_first_day_and_sells_the_oldest_shares_first() {
    let scenario = begun("2022-07-01");
    let entry = scenario.try_decide("a", vec![sell("AAPL", "12")]).unwrap();
    let mut portfolio = scenario.portfolio();
    portfolio.apply(&entry).unwrap();
    // 10 shares of 100 and 2 of 160 cost 1320, and bring 1800.
    assert_eq!(portfolio.realised_profit(), decimal("480"));
    assert_eq!(portfolio.cash(), decimal("1800"));
    let closes =
        [("2022-06-30", "140"), ("2022-07-01", "150")].map(|(day, close)| (date(day), decimal(close)));
    let closes = [(ticker("AAPL"), closes.into_iter().collect())].into_iter().collect();
    let benchmark = ticker("^GSPC");
    let quotes = portfolio::Quotes { instruments: &[], closes: &closes, benchmark: &benchmark };
    let view = portfolio::value(&portfolio, &quotes, &Default::default(), date("2022-07-01")).unwrap();
    let history: Vec<_> =
        view.history.iter().map(|point| (point.date.to_string(), point.total, point.flow)).collect();
    assert_eq!(
        history,
        [
            ("2022-06-30".to_owned(), decimal("2100"), Decimal::ZERO),
            ("2022-07-01".to_owned(), decimal("2250"), Decimal::ZERO),
        ]
    );
    assert_eq!(view.total, Measured::Known(decimal("2250")));
}

#[test]
fn nothing_is_decided_before_the_day_that_a_portfolio_begins_on() {
    let scenario = begun("2022-06-29");
    let refused = scenario.try_decide("a", vec![sell("AAPL", "1")]).unwrap_err();
    assert!(matches!(refused, PortfolioError::BackInTime { .. }), "{refused}");
}

#[test]
fn what_cannot_be_held_is_refused_with_its_name() {
    for (wrong, words) in [
        (lot("^GSPC", "1", "100", "2022-01-03"), "^GSPC is an index"),
        (lot("KO", "0", "100", "2022-01-03"), "cannot begin with KO: Invalid ticker or shares: 0 shares"),
        (lot("KO", "1", "0", "2022-01-03"), "cannot begin with KO: Invalid price"),
        (lot("KO", "1", "100", "2022-07-01"), "cannot begin with KO: its date"),
    ] {
        let refused = Portfolio::fold(&[opened("100", vec![wrong])]).unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    assert!(Portfolio::fold(&[opened("-1", vec![lot("KO", "1", "100", "2022-01-03")])]).is_err());
}
