use portfolio::{Closes, PortfolioError, Quotes, prices_at, value};
use protocol::{
    Decimal,
    trading::{Constraints, Instrument, Measured, PortfolioView},
};

use crate::scenario::{Scenario, buy, date, decimal, sell, ticker};

fn closes(rows: &[(&str, &str, &str)]) -> Closes {
    let mut closes = Closes::new();
    for (symbol, day, close) in rows {
        closes.entry(ticker(symbol)).or_default().insert(date(day), decimal(close));
    }
    closes
}

fn view_at(scenario: &Scenario, closes: &Closes, day: &str) -> Result<PortfolioView, PortfolioError> {
    let instruments =
        [("AAPL", "Apple Inc.", "Technology"), ("MSFT", "Microsoft", " technology"), ("KO", "Coca-Cola", "")]
            .map(|(symbol, name, sector)| Instrument {
                ticker: ticker(symbol),
                name: name.to_owned(),
                sector: sector.to_owned(),
                industry: String::new(),
            });
    let quotes = Quotes { instruments: &instruments, closes, benchmark: &ticker("^GSPC") };
    value(&scenario.portfolio(), &quotes, &Constraints::default(), date(day))
}

fn known(text: &str) -> Measured<Decimal> {
    Measured::Known(decimal(text))
}

/// AgentOS 7.5.1, 7.5.2, 7.5.7.
#[test]
fn a_holding_is_shown_at_the_days_price() {
    // 100 at 150 cost 15000 of 95000, leaving 80000; at 200 they are worth 20000 of 100000.
    let scenario = Scenario::new("95000").price("AAPL", "150").given(vec![buy("AAPL", "100")]);
    let view = view_at(&scenario, &closes(&[("AAPL", "2022-06-30", "200")]), "2022-06-30").unwrap();
    let holding = &view.holdings[0];
    assert_eq!(holding.name, "Apple Inc.");
    assert_eq!(holding.average_cost, decimal("150"));
    assert_eq!(holding.cost_basis, decimal("15000"));
    assert_eq!(holding.market_value, Some(decimal("20000")));
    assert_eq!(holding.unrealised_profit, Some(decimal("5000")));
    assert_eq!(holding.unrealised_fraction, Some(decimal("0.33333333")));
    assert_eq!(holding.weight, Some(decimal("0.2")));
    assert_eq!(view.equity, known("20000"));
    assert_eq!(view.total, known("100000"));
    assert_eq!(view.unrealised_profit, known("5000"));
}

/// AgentOS 7.4.7, 7.4.17.
#[test]
fn the_totals_of_two_holdings_add_up() {
    // AAPL 100 at 150, now 182.5; MSFT 50 at 300, now 420; 10000 in cash: 18250 + 21000 + 10000.
    let scenario = Scenario::new("40000")
        .price("AAPL", "150")
        .price("MSFT", "300")
        .given(vec![buy("AAPL", "100"), buy("MSFT", "50")]);
    let quoted = closes(&[("AAPL", "2022-06-30", "182.5"), ("MSFT", "2022-06-30", "420")]);
    let view = view_at(&scenario, &quoted, "2022-06-30").unwrap();
    assert_eq!(view.total, known("49250"));
    assert_eq!(view.unrealised_profit, known("9250"));
    let symbols: Vec<_> = view.holdings.iter().map(|holding| holding.ticker.as_str()).collect();
    assert_eq!(symbols, ["MSFT", "AAPL"], "largest first");
    // Technology 39250 / 49250 under both spellings, cash 10000 / 49250.
    let allocation: Vec<_> = view.allocation.iter().map(|it| (it.sector.as_str(), it.weight)).collect();
    assert_eq!(allocation, [("technology", decimal("0.79695431")), ("Cash", decimal("0.20304569"))]);
}

/// AgentOS 7.5.1, 7.5.2, 7.5.7.
#[test]
fn cash_alone_is_a_whole_portfolio() {
    let view = view_at(&Scenario::new("100"), &Closes::new(), "2022-06-30").unwrap();
    assert_eq!(view.total, known("100"));
    assert_eq!(view.allocation.len(), 1);
    assert_eq!(view.allocation[0].weight, Decimal::ONE);
    assert!(view.history.is_empty());
    assert_eq!(view.metrics.sharpe.reason().unwrap(), "not enough history: nothing was decided yet");
}

/// AgentOS 7.5.1, 7.5.2, 7.5.7.
#[test]
fn a_holding_without_a_price_makes_the_totals_unknown_and_is_named() {
    let scenario = Scenario::new("1000")
        .price("AAPL", "100")
        .price("KO", "50")
        .given(vec![buy("AAPL", "1"), buy("KO", "1")]);
    let view = view_at(&scenario, &closes(&[("AAPL", "2022-06-30", "100")]), "2022-06-30").unwrap();
    for total in [&view.equity, &view.total, &view.unrealised_profit] {
        assert!(total.reason().unwrap().contains("No price found for KO"), "{total:?}");
    }
    assert!(view.allocation.is_empty());
    assert!(view.history.is_empty());
    assert!(view.metrics.sharpe.reason().unwrap().contains("No price found for KO"));
    let [apple, coke] = &view.holdings[..] else { panic!("two holdings") };
    assert_eq!((apple.market_value, apple.weight), (Some(decimal("100")), None));
    assert_eq!((coke.price, coke.market_value, coke.unrealised_profit), (None, None, None));
    assert_eq!(coke.sector, "Unknown");
    assert_eq!(coke.cost_basis, decimal("50"), "what was paid is still known");
}

#[test]
fn the_last_close_before_a_holiday_counts_and_no_later_one() {
    let quoted = closes(&[("AAPL", "2022-07-01", "100"), ("AAPL", "2022-07-05", "999")]);
    assert_eq!(prices_at(&quoted, date("2022-07-04"))[&ticker("AAPL")], decimal("100"));
    assert!(prices_at(&quoted, date("2022-06-30")).is_empty());
}

/// AgentOS 6.C 19.
#[test]
fn the_history_replays_the_ledger_day_by_day() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100");
    scenario.decide("a", vec![buy("AAPL", "5")]);
    scenario.date = date("2022-07-05");
    scenario = scenario.price("AAPL", "120");
    scenario.decide("b", vec![sell("AAPL", "5")]);
    let quoted = closes(&[
        ("AAPL", "2022-06-29", "90"),
        ("AAPL", "2022-06-30", "100"),
        ("AAPL", "2022-07-01", "110"),
        ("AAPL", "2022-07-05", "120"),
        ("AAPL", "2022-07-06", "50"),
        ("^GSPC", "2022-06-30", "4000"),
        ("^GSPC", "2022-07-01", "4040"),
        ("^GSPC", "2022-07-05", "3900"),
        ("^GSPC", "2022-07-06", "4000"),
        ("^GSPC", "2022-07-07", "4000"),
    ]);
    let view = view_at(&scenario, &quoted, "2022-07-06").unwrap();
    let points: Vec<_> =
        view.history.iter().map(|it| (it.date.to_string(), it.total, it.benchmark.unwrap())).collect();
    // 500 cash + 5 shares until the 5th, when they are sold for 600; the index scaled by 1000 / 4000.
    let expected = [
        ("2022-06-30", "1000", "1000"),
        ("2022-07-01", "1050", "1010"),
        ("2022-07-05", "1100", "975"),
        ("2022-07-06", "1100", "1000"),
    ]
    .map(|(day, total, benchmark)| (day.to_owned(), decimal(total), decimal(benchmark)));
    assert_eq!(points, expected);
    assert_eq!(view.metrics.days, 3);
    assert_eq!(view.metrics.max_drawdown, known("0"));
    assert!(view.metrics.sharpe.reason().unwrap().contains("there are 3"));
    assert_eq!(view.trades[0].key, "b/0", "newest first");
    assert_eq!(view.realised_profit, decimal("100"));
    assert_eq!(view.entries, 3);
}

#[test]
fn without_a_benchmark_the_history_is_still_there() {
    let scenario = Scenario::new("1000").price("AAPL", "100").given(vec![buy("AAPL", "5")]);
    let quoted = closes(&[("AAPL", "2022-06-30", "100"), ("AAPL", "2022-07-01", "90")]);
    let view = view_at(&scenario, &quoted, "2022-07-01").unwrap();
    assert_eq!(view.history.len(), 2);
    assert!(view.history.iter().all(|point| point.benchmark.is_none()));
    assert_eq!(view.metrics.beta.reason().unwrap(), "not available: there is no benchmark");
    // 950 after 1000.
    assert_eq!(view.metrics.max_drawdown, known("-0.05"));
}

#[test]
fn a_portfolio_is_not_shown_before_its_last_decision() {
    let scenario = Scenario::new("1000").price("AAPL", "100").given(vec![buy("AAPL", "5")]);
    let error = view_at(&scenario, &Closes::new(), "2022-06-29").unwrap_err();
    assert!(matches!(error, PortfolioError::BackInTime { .. }));
}

#[test]
fn a_price_beyond_exact_arithmetic_is_an_error_and_no_panic() {
    let scenario = Scenario::new("1000").price("AAPL", "100").given(vec![buy("AAPL", "5")]);
    let quoted = closes(&[("AAPL", "2022-06-30", "79228162514264337593543950335")]);
    assert!(matches!(view_at(&scenario, &quoted, "2022-06-30"), Err(PortfolioError::TooLarge(_))));
}

#[test]
fn rejected_orders_of_the_last_decision_are_shown() {
    let mut scenario = Scenario::new("1000").price("AAPL", "100");
    scenario.decide("a", vec![buy("KO", "1")]);
    let view = view_at(&scenario, &Closes::new(), "2022-06-30").unwrap();
    assert_eq!(view.last_decision.unwrap().rejected[0].reasons, ["No price found for KO"]);
}
