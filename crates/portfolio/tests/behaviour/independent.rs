//! A year of trading and its figures equal what `tests/independent/backtest.py` computed in another language.

use std::collections::BTreeMap;

use portfolio::statistics::{Evidence, statistics};
use portfolio::{Closes, Entry, Quotes, value};
use protocol::{
    Decimal, Timestamp,
    trading::{
        Commission, Constraints, CostMethod, Figure, NotAvailable, Order, PortfolioSettings, PortfolioView,
        Side, Statistics, TradeCause,
    },
};

use crate::scenario::{Day, Scenario, date, decimal, order, ticker};

pub const PRICES: &str = include_str!("../independent/prices.csv");
const ORDERS: &str = include_str!("../independent/orders.csv");
const TRADES: &str = include_str!("../independent/trades.csv");
const VALUES: &str = include_str!("../independent/values.csv");
const FIGURES: &str = include_str!("../independent/figures.csv");

/// The cells of each row; no cell has a comma in it.
pub fn rows(table: &str) -> Vec<Vec<&str>> {
    table.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

fn some(cell: &str) -> Option<Decimal> {
    (!cell.is_empty()).then(|| decimal(cell))
}

pub fn settings() -> PortfolioSettings {
    PortfolioSettings {
        commission: Commission {
            fixed: decimal("1"),
            per_share: decimal("0.005"),
            rate: decimal("0.0002"),
            minimum: decimal("1.5"),
        },
        slippage: decimal("0.0005"),
        cost_method: CostMethod::FirstInFirstOut,
        ..PortfolioSettings::default()
    }
}

/// The market of a day: closes, and what the script invented.
pub fn day(row: &[&str]) -> Day {
    let [day, apple, jpm, xom, _] = row else { panic!("{row:?}") };
    let market = Day::new(day).close("AAPL", apple).close("JPM", jpm).close("XOM", xom);
    match *day {
        "2021-04-05" | "2021-07-02" => market.dividend("JPM", "0.9"),
        "2021-08-12" => market.dividend("XOM", "0.87"),
        "2021-06-14" => market.split("AAPL", 4, 1),
        _ => market,
    }
}

fn orders_of(day: &str) -> Vec<Order> {
    let orders = rows(ORDERS).into_iter().filter(|row| row[0] == day);
    orders
        .map(|row| Order {
            stop_loss: some(row[4]),
            ..order(if row[1] == "BUY" { Side::Buy } else { Side::Sell }, row[2], row[3])
        })
        .collect()
}

pub fn traded() -> Scenario {
    let mut scenario = Scenario::with("100000", settings());
    for row in rows(PRICES).into_iter().filter(|row| row[0] >= "2021") {
        scenario.pass(&day(&row));
        let orders = orders_of(row[0]);
        if !orders.is_empty() {
            scenario.decide(row[0], orders);
        }
        let amount = match row[0] {
            "2021-05-03" => decimal("20000"),
            "2021-09-10" => decimal("-7500.50"),
            _ => continue,
        };
        let (key, date) = (format!("transfer/{}", row[0]), date(row[0]));
        scenario.entries.push(Entry::Transferred {
            key,
            amount,
            date,
            at: Timestamp(1),
            note: String::new(),
        });
    }
    scenario
}

pub fn viewed(scenario: &Scenario) -> PortfolioView {
    let mut closes = Closes::new();
    for row in rows(PRICES) {
        for (symbol, close) in ["AAPL", "JPM", "XOM", "^GSPC"].iter().zip(&row[1..]) {
            closes.entry(ticker(symbol)).or_default().insert(date(row[0]), decimal(close));
        }
    }
    let quotes = Quotes { instruments: &[], closes: &closes, benchmark: &ticker("^GSPC") };
    value(&scenario.portfolio(), &quotes, &Constraints::default(), date("2021-12-31")).unwrap()
}

#[test]
fn every_trade_of_a_year_is_that_of_another_language_to_the_last_decimal() {
    let portfolio = traded().portfolio();
    let expected = rows(TRADES);
    for (trade, row) in portfolio.trades().iter().zip(&expected) {
        let cause = match trade.cause {
            TradeCause::StopLoss => "stop_loss",
            TradeCause::Order => "order",
            other => panic!("{other:?}"),
        };
        let own = (trade.date, trade.side.to_string(), trade.ticker.as_str(), trade.quantity, cause);
        assert_eq!(own, (date(row[0]), row[1].to_owned(), row[2], decimal(row[3]), row[8]));
        let own = (trade.price, trade.quoted, trade.commission, trade.realised_profit);
        assert_eq!(own, (decimal(row[4]), some(row[5]), decimal(row[6]), some(row[7])), "{row:?}");
    }
    assert_eq!(portfolio.trades().len(), expected.len());
}

#[test]
fn the_value_of_every_day_is_that_of_another_language_to_the_last_decimal() {
    let view = viewed(&traded());
    let own: Vec<_> = view
        .history
        .iter()
        .map(|it| (it.date, it.total, it.flow, it.invested.unwrap(), it.benchmark.unwrap()))
        .collect();
    let expected: Vec<_> = rows(VALUES)
        .iter()
        .map(|row| (date(row[0]), decimal(row[1]), decimal(row[2]), decimal(row[3]), decimal(row[4])))
        .collect();
    assert_eq!(own, expected);
}

#[test]
fn every_figure_is_that_of_another_language() {
    let scenario = traded();
    let view = viewed(&scenario);
    let figures = statistics(&Evidence {
        curve: &view.history,
        trades: scenario.portfolio().trades(),
        paid_in: decimal("112499.50"),
        model_cost: Figure::Known(decimal("1.25")),
    });
    let expected: BTreeMap<&str, &str> = rows(FIGURES).iter().map(|row| (row[0], row[1])).collect();
    let mut compared = 0;
    let mut compare = |name: &str, value: Decimal, unit: &str| {
        let wanted = decimal(expected[name]);
        // Half a unit of the last decimal shown, and the rounding of the table.
        let most = decimal(unit) / Decimal::TWO + decimal("0.000000001");
        assert!((value - wanted).abs() <= most, "{name}: {value} instead of {wanted}");
        compared += 1;
    };
    let (fraction, ratio) = ("0.000001", "0.0001");
    let known = |figure: &Figure<Decimal>| *figure.known().unwrap_or_else(|| panic!("{figure:?}"));
    let Statistics { sharpe_interval, max_drawdown, months, .. } = &figures;
    for (name, figure, unit) in [
        ("total_return", &figures.total_return, fraction),
        ("cagr", &figures.cagr, fraction),
        ("volatility", &figures.volatility, fraction),
        ("sharpe", &figures.sharpe, ratio),
        ("sortino", &figures.sortino, ratio),
        ("calmar", &figures.calmar, ratio),
        ("time_under_water", &figures.time_under_water, fraction),
        ("alpha", &figures.alpha, fraction),
        ("beta", &figures.beta, ratio),
        ("information_ratio", &figures.information_ratio, ratio),
        ("value_at_risk", &figures.value_at_risk, fraction),
        ("expected_shortfall", &figures.expected_shortfall, fraction),
        ("win_rate", &figures.win_rate, fraction),
        ("profit_factor", &figures.profit_factor, ratio),
        ("turnover", &figures.turnover, ratio),
        ("exposure", &figures.exposure, fraction),
        ("cost_drag", &figures.cost_drag, fraction),
        ("commissions", &figures.commissions, "0"),
        ("slippage", &figures.slippage, "0"),
        ("profit", &figures.profit, "0"),
    ] {
        compare(name, known(figure), unit);
    }
    let interval = sharpe_interval.known().unwrap();
    compare("sharpe_low", interval.low, ratio);
    compare("sharpe_high", interval.high, ratio);
    for month in months {
        compare(&format!("month_{}_{:02}", month.year, month.month), month.fraction, fraction);
    }
    let fall = max_drawdown.known().unwrap();
    compare("max_drawdown", fall.depth, fraction);
    compare("drawdown_days", fall.days.into(), "0");
    let days = [fall.peak, fall.trough, fall.recovered.unwrap()].map(|it| it.to_string());
    let wanted = ["drawdown_peak", "drawdown_trough", "drawdown_recovered"].map(|name| expected[name]);
    assert_eq!(days, wanted);
    assert_eq!(compared + 3, expected.len(), "every row of the table was compared");

    assert_eq!((figures.trades, figures.sales), (80, 35));
    assert_eq!(known(&figures.net_profit), known(&figures.profit) - decimal("1.25"));
    assert_eq!(figures.underwater.len(), 252);
}

#[test]
fn without_the_price_of_a_model_the_profit_net_of_it_is_not_known() {
    let scenario = traded();
    let view = viewed(&scenario);
    let figures = statistics(&Evidence {
        curve: &view.history,
        trades: scenario.portfolio().trades(),
        paid_in: decimal("112499.50"),
        model_cost: Figure::NotAvailable(NotAvailable::NoModelPrice),
    });
    assert_eq!(figures.net_profit.reason(), Some(NotAvailable::NoModelPrice));
    assert!(figures.profit.known().is_some());
}
