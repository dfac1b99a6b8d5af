//! What the built-in vendor answers, and what it never does: look ahead.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;

use market::{DailyPrice, Frequency, NewsAbout, NoData, Sample, Statement, Vendor, Why};
use proptest::prelude::*;
use protocol::{Date, trading::Ticker};

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| Sample::load().unwrap());

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn ticker(text: &str) -> Ticker {
    text.parse().unwrap()
}

fn history(symbol: &str, as_of: &str) -> Result<Vec<DailyPrice>, NoData> {
    Ok(block_on(SAMPLE.prices(&ticker(symbol), date(as_of)))?.data.days)
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #[test]
    fn nothing_after_the_day_asked_for_is_ever_returned(column in 0_usize..26, offset in 0_i64..=2550) {
        let as_of = SAMPLE.first_date().checked_add(jiff::Span::new().days(offset)).unwrap();
        let ticker = &SAMPLE.instruments()[column].ticker;
        let whole = block_on(SAMPLE.prices(ticker, SAMPLE.last_date())).unwrap().data.days;
        let seen = block_on(SAMPLE.prices(ticker, as_of)).unwrap().data.days;

        prop_assert!(seen.iter().all(|price| price.date <= as_of));
        prop_assert!(seen.windows(2).all(|pair| pair[0].date < pair[1].date));
        // It is the beginning of the whole history, and the next day's price lies in the future.
        prop_assert_eq!(&whole[..seen.len()], &seen[..]);
        prop_assert!(whole.get(seen.len()).is_none_or(|next| next.date > as_of));
        prop_assert!(!seen.is_empty());
    }
}

#[test]
fn a_day_without_trading_uses_the_last_trading_day_before() {
    // 2022-07-03 was a Sunday and 2022-07-04 a holiday.
    for day in ["2022-07-01", "2022-07-02", "2022-07-03", "2022-07-04"] {
        let prices = history("AAPL", day).unwrap();
        assert_eq!(prices.last().unwrap().date, date("2022-07-01"));
        assert_eq!(SAMPLE.trading_day(date(day)).unwrap(), date("2022-07-01"));
    }
    assert_eq!(history("AAPL", "2022-07-05").unwrap().last().unwrap().date, date("2022-07-05"));
}

#[test]
fn a_day_outside_the_data_is_an_error_that_names_the_range() {
    for day in ["2016-01-03", "2022-12-29", "2026-01-01"] {
        let error = history("AAPL", day).unwrap_err();
        assert_eq!(error.why, Why::Empty);
        let message = error.to_string();
        for part in [day, "2016-01-04", "2022-12-28"] {
            assert!(message.contains(part), "{message}");
        }
    }
    assert_eq!(history("AAPL", "2016-01-04").unwrap().len(), 1);
    assert_eq!(history("AAPL", "2022-12-28").unwrap().len(), 1760);
}

#[test]
fn prices_are_exactly_those_of_the_file() {
    // Lines 2 and 3 of prices.csv.
    let prices = history("aapl", "2016-01-05").unwrap();
    assert_eq!(prices.iter().map(|it| it.close.to_string()).collect::<Vec<_>>(), ["24.041", "23.439"]);
    assert!(prices.iter().all(|it| it.high.is_none() && it.low.is_none() && it.volume.is_none()));
}

#[test]
fn each_instrument_has_a_name_a_sector_and_prices() {
    assert_eq!(SAMPLE.instruments().len(), 26);
    for instrument in SAMPLE.instruments() {
        assert!(!instrument.name.is_empty() && !instrument.sector.is_empty());
        assert_eq!(history(instrument.ticker.as_str(), "2022-12-28").unwrap().len(), 1760);
    }
    assert!(SAMPLE.instruments().iter().any(|known| known.name == "Apple Inc."));
}

#[test]
fn an_unknown_ticker_is_named() {
    let error = history("ZZZZ", "2022-06-30").unwrap_err();
    assert_eq!(error.why, Why::Unknown);
    assert!(error.to_string().contains("ZZZZ"), "{error}");
}

#[test]
fn the_sample_says_that_it_has_no_news_and_no_fundamentals() {
    let day = date("2022-06-30");
    let news = block_on(SAMPLE.news(&NewsAbout::Markets, day, day)).unwrap_err();
    assert_eq!(news.to_string(), "The sample data has no such data: it has no news.");
    let apple = ticker("AAPL");
    let statement = SAMPLE.statement(&apple, Statement::Income, Frequency::Annual, day);
    let statement = block_on(statement).unwrap_err();
    assert_eq!(statement.to_string(), "The sample data has no such data: it has no fundamentals.");
}
