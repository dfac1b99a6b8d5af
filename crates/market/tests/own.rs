//! A person's own prices: what is read, and what is said of lines that cannot be.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use market::{Adjustment, OwnData, Vendor, Why};
use proptest::prelude::*;
use protocol::trading::OwnAdjustment;
use support::{date, ticker};

const TABLE: &str = "\u{feff}Date;Ticker;Close;Open;High;Low;Volume;Dividend;Split;Currency\r\n\
    2022-01-03;brk.b;300.5;299;301;298.5;1000;;;USD\r\n\
    2022-01-04;BRK.B;76;75;77;74;4000;;4:1;USD\r\n\
    2022-01-05;BRK.B;;;;;;0.25;;\r\n\
    \r\n\
    2022-01-03;TATAMOTORS.NS;480.1;;;;;;;INR\r\n";

fn errors(table: &str) -> Vec<String> {
    let (preview, data) = OwnData::read(table, OwnAdjustment::Raw);
    assert_eq!(data.is_none(), !preview.errors.is_empty(), "data are there without errors, and only then");
    preview.errors.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_table_is_previewed_and_used_as_of_a_day() {
    let (preview, data) = OwnData::read(TABLE, OwnAdjustment::Raw);
    assert!(preview.errors.is_empty(), "{:?}", preview.errors);
    let shown: Vec<String> = preview
        .instruments
        .iter()
        .map(|it| {
            format!(
                "{} {} {:?} {} {}",
                it.ticker,
                it.days,
                it.from.zip(it.to).map(|(from, to)| format!("{from}..{to}")),
                it.dividends,
                it.splits
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "BRK.B 2 Some(\"2022-01-03..2022-01-04\") 1 1",
            "TATAMOTORS.NS 1 Some(\"2022-01-03..2022-01-03\") 0 0"
        ]
    );
    let data = data.unwrap();
    let closes = |day: &'static str| {
        let data = &data;
        async move { data.prices(&ticker("BRK.B"), date(day)).await.unwrap() }
    };
    let before = closes("2022-01-03").await;
    assert_eq!(before.data.days[0].close.to_string(), "300.5");
    let after = closes("2022-01-05").await;
    // 300.5 / 4 = 75.125 of the shares after the split.
    assert_eq!(after.data.days[0].close.to_string(), "75.125");
    assert_eq!(after.data.days[0].volume.unwrap().to_string(), "4000");
    assert_eq!((after.data.dividends.len(), after.data.adjustment), (1, Adjustment::Splits));
    assert_eq!(after.source.unit.as_deref(), Some("USD, adjusted for splits"));
    let early = data.prices(&ticker("BRK.B"), date("2021-12-31")).await.unwrap_err();
    let unknown = data.prices(&ticker("AAPL"), date("2022-01-05")).await.unwrap_err();
    assert_eq!((early.why, unknown.why), (Why::Empty, Why::Unknown));
}

#[test]
fn each_line_that_cannot_be_read_is_named_with_what_to_write() {
    let table = "ticker,date,close,high,low,dividend,split,currency\n\
        AAPL,2022-01-03,182.01,,,,,USD\n\
        AA PL,2022-01-04,1,,,,,\n\
        AAPL,04.01.2022,1,,,,,\n\
        AAPL,2022-01-05,\"1,5\",,,,,\n\
        AAPL,2022-01-06,0,,,,,\n\
        AAPL,2022-01-07,-3,,,,,\n\
        AAPL,2022-01-03,182.02,,,,,\n\
        AAPL,2022-01-10,,,,,,\n\
        AAPL,2022-01-11,1,1,2,,,\n\
        AAPL,2022-01-12,1,,,,0:1,\n\
        AAPL,2022-01-13,1,,,,,EUR\n\
        AAPL,2022-01-14,1,,,,,dollars\n";
    let found = errors(table);
    let expected = [
        ("Line 3:", "ticker"),
        ("Line 4:", "2022-06-30"),
        ("Line 5:", "12.34"),
        ("Line 6:", "empty"),
        ("Line 7:", "from 0"),
        ("Line 8:", "twice"),
        ("Line 9:", "no close"),
        ("Line 10:", "below the low"),
        ("Line 11:", "4:1"),
        ("Line 12:", "two currencies"),
        ("Line 13:", "USD"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (said, (line, part)) in found.iter().zip(expected) {
        assert!(said.starts_with(line) && said.contains(part) && said.ends_with('.'), "{said}");
    }
}

#[test]
fn a_header_that_cannot_be_used_is_said_at_line_1() {
    for (table, part) in [
        ("", "missing"),
        ("date,close\n2022-01-03,1\n", "“ticker” is missing"),
        ("ticker,date,close,close\n", "same name"),
        ("ticker,date,close,price\n", "“price” is not known"),
        ("ticker,date,close\n", "no rows"),
    ] {
        let found = errors(table);
        assert!(found.len() == 1 && found[0].starts_with("Line 1:") && found[0].contains(part), "{found:?}");
    }
}

#[test]
fn errors_are_bounded_and_counted() {
    let table = format!("ticker,date,close\n{}", "x,y,z\n".repeat(1000));
    let (preview, _) = OwnData::read(&table, OwnAdjustment::Raw);
    assert_eq!((preview.errors.len(), preview.more_errors), (50, 950));
}

proptest! {
    /// Whatever stands in a file, it is read to an end, and either used or refused.
    #[test]
    fn any_text_is_read_without_a_panic(text in "(ticker,date,close(,split)?\n)?([A-Za-z0-9,;:\"\n.-]|\\PC){0,200}") {
        errors(&text);
    }
}
