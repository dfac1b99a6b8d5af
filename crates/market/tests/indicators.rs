//! The indicators and figures, against an independent calculation and by hand.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use market::figures::{self, Figure};
use market::indicators::{self, Indicator};
use market::{DailyPrice, Sample, Vendor};
use protocol::{
    Date, Decimal,
    trading::{Measured, Ticker},
};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn known(text: &str) -> Measured<Decimal> {
    Measured::Known(decimal(text))
}

fn reason(measured: &Measured<Decimal>) -> &str {
    measured.reason().expect("a reason")
}

/// Days that follow each other, with what `price` says for each index.
fn days(count: i64, price: impl Fn(i64) -> DailyPrice) -> Vec<DailyPrice> {
    let first: Date = "2020-01-01".parse().unwrap();
    (0..count)
        .map(|index| DailyPrice {
            date: first.checked_add(jiff::Span::new().days(index)).unwrap(),
            ..price(index)
        })
        .collect()
}

fn close_only(close: Decimal) -> DailyPrice {
    DailyPrice { date: Date::ZERO, open: None, high: None, low: None, close, volume: None }
}

#[tokio::test]
async fn every_value_agrees_with_the_independent_table() {
    let sample = Sample::load().unwrap();
    let mut table = csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .from_reader(include_str!("independent/indicators.csv").as_bytes());
    let mut compared = 0;
    for row in table.records() {
        let row = row.unwrap();
        let ticker: Ticker = row[0].parse().unwrap();
        let history = sample.prices(&ticker, row[1].parse().unwrap()).await.unwrap().data.days;
        let (computed, places) = match row[2].parse::<Indicator>() {
            Ok(indicator) => (indicators::compute(&history, indicator), indicators::PLACES),
            Err(_) => {
                let figure = Figure::ALL.into_iter().find(|figure| figure.slug() == &row[2]).unwrap();
                (figures::compute(&history, figure), figures::PLACES)
            }
        };
        // Half a unit of the last place shown, and half a unit of the table's.
        let tolerance = Decimal::new(5, places + 1) + Decimal::new(5, 10);
        let computed = *computed.known().unwrap_or_else(|| panic!("{row:?}: {computed:?}"));
        assert!((computed - decimal(&row[3])).abs() <= tolerance, "{row:?}: computed {computed}");
        assert!(computed.scale() <= places);
        compared += 1;
    }
    assert_eq!(compared, 147, "rows of the table");
}

#[tokio::test]
async fn closes_alone_give_no_range_and_no_volume_figure() {
    let sample = Sample::load().unwrap();
    let history = sample.prices(&"AAPL".parse().unwrap(), sample.last_date()).await.unwrap().data.days;
    for indicator in [Indicator::Atr, Indicator::Vwma] {
        let computed = indicators::compute(&history, indicator);
        assert_eq!(reason(&computed), "not available: the data has closes only");
    }
}

#[test]
fn a_short_history_is_unknown_and_says_what_is_needed() {
    let needs = [
        (Indicator::Close50Sma, 50),
        (Indicator::Close200Sma, 200),
        (Indicator::Close10Ema, 10),
        (Indicator::Macd, 34),
        (Indicator::Macds, 34),
        (Indicator::Macdh, 34),
        (Indicator::Rsi, 15),
        (Indicator::Boll, 20),
        (Indicator::BollUb, 20),
        (Indicator::BollLb, 20),
        (Indicator::Atr, 15),
        (Indicator::Vwma, 20),
    ];
    let history = days(200, |index| DailyPrice {
        high: Some(Decimal::from(index + 3)),
        low: Some(Decimal::from(index + 1)),
        volume: Some(Decimal::ONE_HUNDRED),
        ..close_only(Decimal::from(index + 2))
    });
    for (indicator, need) in needs {
        let short = indicators::compute(&history[..need - 1], indicator);
        let expected = format!("not enough history: {need} days are needed, there are {}", need - 1);
        assert_eq!(reason(&short), expected, "{indicator}");
        assert!(indicators::compute(&history[..need], indicator).known().is_some(), "{indicator}");
    }
    for (figure, need) in
        [(Figure::Return21, 22), (Figure::Volatility252, 253), (Figure::DistanceFrom200Sma, 200)]
    {
        let short = figures::compute(&history[..need.min(200) - 1], figure);
        assert!(reason(&short).contains(&format!("{need} days are needed")), "{figure}");
    }
    assert!(indicators::all(&[]).iter().all(|(_, computed)| computed.known().is_none()));
}

#[test]
fn average_true_range_counts_a_gap_and_smooths_as_wilder_does() {
    // 15 quiet days: each true range is 2. Then a gap from 10 to 20: |21 - 10| = 11.
    // (13 * 2 + 11) / 14 = 37 / 14 = 2.642857
    let history = days(16, |index| {
        let close = Decimal::from(if index == 15 { 20 } else { 10 });
        DailyPrice { high: Some(close + Decimal::ONE), low: Some(close - Decimal::ONE), ..close_only(close) }
    });
    assert_eq!(indicators::compute(&history[..15], Indicator::Atr), known("2"));
    assert_eq!(indicators::compute(&history, Indicator::Atr), known("2.6429"));
}

#[test]
fn the_volume_weighted_average_leans_to_the_busy_days() {
    // Closes and volumes 1 to 20: sum of squares 2870 over sum 210 = 13.666667
    let history = days(20, |index| DailyPrice {
        volume: Some(Decimal::from(index + 1)),
        ..close_only(Decimal::from(index + 1))
    });
    assert_eq!(indicators::compute(&history, Indicator::Vwma), known("13.6667"));
    let idle = days(20, |_| DailyPrice { volume: Some(Decimal::ZERO), ..close_only(Decimal::ONE) });
    assert_eq!(reason(&indicators::compute(&idle, Indicator::Vwma)), "undefined: nothing was traded");
}

#[test]
fn a_flat_series_gives_flat_figures_and_no_rsi() {
    let history = days(253, |_| close_only(decimal("24.041")));
    for (indicator, expected) in [
        (Indicator::Close50Sma, "24.041"),
        (Indicator::Close10Ema, "24.041"),
        (Indicator::Macd, "0"),
        (Indicator::Macdh, "0"),
        (Indicator::BollUb, "24.041"),
        (Indicator::BollLb, "24.041"),
    ] {
        assert_eq!(indicators::compute(&history, indicator), known(expected), "{indicator}");
    }
    assert_eq!(reason(&indicators::compute(&history, Indicator::Rsi)), "undefined: the price never changed");
    for figure in Figure::ALL {
        assert_eq!(figures::compute(&history, figure), known("0"), "{figure}");
    }
}

#[test]
fn rsi_is_100_when_prices_only_rise_and_0_when_they_only_fall() {
    let rising = days(30, |index| close_only(Decimal::from(100 + index)));
    let falling = days(30, |index| close_only(Decimal::from(100 - index)));
    assert_eq!(indicators::compute(&rising, Indicator::Rsi), known("100"));
    assert_eq!(indicators::compute(&falling, Indicator::Rsi), known("0"));
}

#[test]
fn extreme_prices_are_unknown_and_never_a_panic() {
    for close in [Decimal::MAX, Decimal::MIN, Decimal::ZERO, Decimal::new(1, 28)] {
        let history = days(260, |_| DailyPrice {
            high: Some(close),
            low: Some(close),
            volume: Some(Decimal::MAX),
            ..close_only(close)
        });
        let _ = indicators::all(&history);
        let _ = figures::all(&history);
    }
    let zero = days(260, |_| close_only(Decimal::ZERO));
    for (figure, computed) in figures::all(&zero) {
        assert!(reason(&computed).starts_with("undefined"), "{figure}");
    }
}

#[tokio::test]
async fn recent_values_are_those_that_were_known_on_each_day() {
    let sample = Sample::load().unwrap();
    let ticker: Ticker = "KO".parse().unwrap();
    let history = sample.prices(&ticker, "2022-06-30".parse().unwrap()).await.unwrap().data.days;
    let recent = indicators::recent(&history, Indicator::Rsi, 3);
    assert_eq!(recent.len(), 3);
    for (date, value) in recent {
        let then = sample.prices(&ticker, date).await.unwrap().data.days;
        assert_eq!(value, indicators::compute(&then, Indicator::Rsi));
    }
    assert_eq!(indicators::recent(&history[..2], Indicator::Rsi, 30).len(), 2);
}

#[test]
fn an_indicator_is_found_by_its_name_and_no_other() {
    for indicator in Indicator::ALL {
        assert_eq!(indicator.slug().parse::<Indicator>().unwrap(), indicator);
        assert_eq!(serde_json::to_string(&indicator).unwrap(), format!("\"{}\"", indicator.slug()));
    }
    assert_eq!(" RSI ".parse::<Indicator>().unwrap(), Indicator::Rsi);
    let message = "kdj".parse::<Indicator>().unwrap_err().to_string();
    assert!(message.contains("\"kdj\"") && message.contains("close_50_sma"), "{message}");
}
