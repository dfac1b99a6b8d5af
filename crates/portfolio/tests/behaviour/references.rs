//! Simple ways to invest, against a calculation in another language, and random agents.

use std::collections::BTreeSet;

use portfolio::references::{
    Course, MarketDay, Reference, average_cross, buy_and_hold, equal_weight, index, random, random_band,
};
use portfolio::{Bar, Dividend, PortfolioError};
use protocol::{
    Decimal,
    trading::{PortfolioSettings, Side, Split, Ticker},
};

use crate::independent::{PRICES, day, rows, settings};
use crate::scenario::{date, decimal, ticker};

const REFERENCES: &str = include_str!("../independent/references.csv");

/// The market of the independent calculation.
fn market() -> Vec<MarketDay> {
    let days = rows(PRICES).into_iter().map(|row| {
        let mut day = day(&row);
        day.bars.insert(ticker("^GSPC"), Bar::of_close(decimal(row[4])));
        MarketDay { date: day.date, bars: day.bars, splits: day.splits, dividends: day.dividends }
    });
    days.collect()
}

fn tickers() -> BTreeSet<Ticker> {
    ["AAPL", "JPM", "XOM"].map(ticker).into()
}

fn with_course<T>(play: impl Fn(&Course<'_>) -> T) -> T {
    play(&Course {
        days: &market(),
        start: date("2021-01-01"),
        tickers: &tickers(),
        cash: decimal("100000"),
        settings: &settings(),
        benchmark: &ticker("^GSPC"),
    })
}

fn column(column: usize) -> Vec<(protocol::Date, Decimal)> {
    rows(REFERENCES).iter().map(|row| (date(row[0]), decimal(row[column]))).collect()
}

fn totals(reference: &Reference) -> Vec<(protocol::Date, Decimal)> {
    reference.curve.iter().map(|point| (point.date, point.total)).collect()
}

#[test]
fn references_are_worth_what_another_language_says_on_every_day_to_the_last_decimal() {
    let (hold, equal, cross, market) = with_course(|course| {
        let played = [buy_and_hold(course), equal_weight(course), average_cross(course)].map(Result::unwrap);
        let [hold, equal, cross] = played;
        (hold, equal, cross, index(course))
    });
    assert_eq!(totals(&hold), column(1));
    assert_eq!(totals(&equal), column(2));
    assert_eq!(totals(&cross), column(3));
    assert_eq!(totals(&market), column(4));
    // Held: one purchase each. Nothing is bought before the first price after the start.
    assert_eq!(hold.trades.len(), 3);
    assert!(hold.trades.iter().all(|it| it.side == Side::Buy && it.date == date("2021-01-05")));
    assert!(
        equal.trades.len() > 12 && cross.trades.len() >= 3,
        "{} {}",
        equal.trades.len(),
        cross.trades.len()
    );
    assert!(market.trades.is_empty());
    let benchmark: Vec<_> = hold.curve.iter().filter_map(|point| point.benchmark).collect();
    assert_eq!(benchmark, column(4).into_iter().map(|(_, total)| total).collect::<Vec<_>>());
}

#[test]
fn a_random_agent_makes_the_same_trades_for_the_same_seed_and_as_many_as_asked() {
    with_course(|course| {
        let agent = random(course, 24, 7).unwrap();
        assert_eq!(agent, random(course, 24, 7).unwrap());
        assert_eq!(agent.trades.len(), 24);
        assert_ne!(agent.trades, random(course, 24, 8).unwrap().trades);
        assert_eq!(agent.curve.len(), 252);
        assert_eq!(agent.curve[0].total, decimal("100000"));
        // More than there are days and tickers: all of them.
        assert!(random(course, 10_000, 7).unwrap().trades.len() <= 251 * 3);
        assert!(random(course, 0, 7).unwrap().curve.iter().all(|point| point.total == decimal("100000")));
    });
}

#[test]
fn the_band_holds_nine_of_ten_random_agents_and_says_how_much_they_invested() {
    with_course(|course| {
        let band = random_band(course, 12, 20).unwrap();
        assert_eq!((band.points.len(), band.finals.len(), band.seeds, band.trades), (252, 20, 20, 12));
        assert!(band.points.iter().all(|point| point.low <= point.middle && point.middle <= point.high));
        assert!(band.finals.is_sorted());
        let last = band.points.last().unwrap();
        // Of 20 sorted ones: the 1st, the 10th and the 19th.
        assert_eq!((last.low, last.middle, last.high), (band.finals[0], band.finals[9], band.finals[18]));
        let exposure = band.exposure.unwrap();
        assert!(exposure > Decimal::ZERO && exposure < Decimal::ONE, "{exposure}");
        assert_eq!(band.beaten_percent(band.finals[10]), Some(50));
        assert_eq!(band.beaten_percent(Decimal::ZERO), Some(0));
        assert_eq!(band, random_band(course, 12, 20).unwrap());
        assert_eq!(random_band(course, 12, 0).unwrap().beaten_percent(Decimal::ONE), None);
    });
}

#[test]
fn what_has_no_price_is_bought_when_it_has_one() {
    let bars = |rows: &[(&str, &str)]| {
        rows.iter().map(|(symbol, close)| (ticker(symbol), Bar::of_close(decimal(close)))).collect()
    };
    let day = |day: &str, rows: &[(&str, &str)]| MarketDay {
        date: date(day),
        bars: bars(rows),
        splits: Vec::new(),
        dividends: Vec::new(),
    };
    let days = [
        day("2022-07-01", &[("KO", "10")]),
        day("2022-07-05", &[("KO", "10")]),
        day("2022-07-06", &[("KO", "10"), ("XOM", "20")]),
    ];
    let settings = PortfolioSettings::default();
    let (tickers, benchmark) = (["KO", "XOM"].map(ticker).into(), ticker("^GSPC"));
    let (start, cash) = (date("2022-07-01"), decimal("1000"));
    let course =
        Course { days: &days, start, tickers: &tickers, cash, settings: &settings, benchmark: &benchmark };
    let hold = buy_and_hold(&course).unwrap();
    let trades: Vec<_> =
        hold.trades.iter().map(|it| (it.date.to_string(), it.ticker.as_str(), it.quantity)).collect();
    let expected = [("2022-07-05", "KO", "50"), ("2022-07-06", "XOM", "25")];
    assert_eq!(trades, expected.map(|(day, symbol, quantity)| (day.to_owned(), symbol, decimal(quantity))));
    assert!(hold.curve.iter().all(|point| point.benchmark.is_none()));
    assert!(index(&course).curve.is_empty(), "an index without a price is nothing to compare with");
    assert!(average_cross(&course).unwrap().trades.is_empty(), "two closes have no average of 200");

    let broke = Course { cash: Decimal::ZERO, ..course };
    assert_eq!(buy_and_hold(&broke), Err(PortfolioError::InvalidCash(Decimal::ZERO)));
}

#[test]
fn splits_and_dividends_reach_references_too() {
    let day = |day: &str, close: &str| MarketDay {
        date: date(day),
        bars: [(ticker("KO"), Bar::of_close(decimal(close)))].into(),
        splits: Vec::new(),
        dividends: Vec::new(),
    };
    let mut days = [day("2022-07-01", "10"), day("2022-07-05", "10"), day("2022-07-06", "5")];
    days[2].splits.push(Split { ticker: ticker("KO"), date: date("2022-07-06"), to: 2, from: 1 });
    days[2].dividends.push(Dividend { ticker: ticker("KO"), per_share: decimal("0.5") });
    let course = Course {
        days: &days,
        start: date("2022-07-01"),
        tickers: &[ticker("KO")].into(),
        cash: decimal("1000"),
        settings: &PortfolioSettings::default(),
        benchmark: &ticker("KO"),
    };
    // 100 shares become 200, worth 5 each, and bring 0.50 each.
    assert_eq!(buy_and_hold(&course).unwrap().curve[2].total, decimal("1100"));
}
