//! What Alpha Vantage really sends, each kind as a test named after it, against a server with those bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{sync::Arc, time::Duration};

use market::{AlphaVantage, Frequency, MoverKind, NewsAbout, NoData, Statement, Vendor, Why};
use serde_json::{Value, json};
use support::{LocalVendor, SetClock, date, network, ticker};

const NOW: &str = "2025-11-03T12:00:00Z";
const KEY: &str = "ABC123DEF456GHI7";

struct Stage {
    server: LocalVendor,
    clock: Arc<SetClock>,
    vendor: AlphaVantage,
}

async fn stage() -> Stage {
    let (server, clock) = (LocalVendor::start().await, SetClock::at(NOW));
    let vendor = AlphaVantage::new(network(&clock), server.base.clone(), KEY.into());
    server.set("function=SPLITS", 200, json!({ "symbol": "AAPL", "data": [] }).to_string());
    server.set("function=DIVIDENDS", 200, json!({ "symbol": "AAPL", "data": [] }).to_string());
    Stage { server, clock, vendor }
}

fn daily(rows: &[(&str, &str)]) -> String {
    let mut series = json!({});
    for (day, close) in rows {
        series[*day] = json!({ "1. open": "1", "2. high": "2", "3. low": "1", "4. close": close, "5. volume": "30781971" });
    }
    json!({ "Meta Data": { "2. Symbol": "MSFT", "5. Time Zone": "US/Eastern" }, "Time Series (Daily)": series }).to_string()
}

fn information(words: &str) -> String {
    json!({ "Information": words }).to_string()
}

impl Stage {
    async fn refusal(&self) -> NoData {
        self.vendor.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap_err()
    }

    async fn closes(&self, as_of: &str) -> Vec<String> {
        let history = self.vendor.prices(&ticker("AAPL"), date(as_of)).await.unwrap().data;
        history.days.iter().map(|day| format!("{} {}", day.date, day.close)).collect()
    }
}

async fn refused_with(body: String) -> (Stage, NoData) {
    let stage = stage().await;
    stage.server.set("TIME_SERIES_DAILY", 200, body);
    let refusal = stage.refusal().await;
    (stage, refusal)
}

#[tokio::test]
async fn minute_old() {
    let words = "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute and 500 calls per day.";
    let (_, refusal) = refused_with(json!({ "Note": words }).to_string()).await;
    assert_eq!(refusal.why, Why::Later(Duration::from_secs(60)));
}

#[tokio::test]
async fn second() {
    let words = "Thank you! Please consider spreading out your free API requests more sparingly (1 request per second). You may subscribe to any of the premium plans to lift the free key rate limit (25 requests per day).";
    let (stage, refusal) = refused_with(information(words)).await;
    let Why::Later(wait) = refusal.why else { panic!("{refusal}") };
    assert!(wait <= Duration::from_secs(5), "{wait:?}");
    stage.clock.advance(wait);
    stage.refusal().await;
    assert_eq!(stage.server.count("TIME_SERIES_DAILY"), 2);
}

#[tokio::test]
async fn day() {
    let words = format!(
        "We have detected your API key as {KEY} and our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans."
    );
    let (stage, refusal) = refused_with(information(&words)).await;
    assert_eq!(refusal.why, Why::Later(Duration::from_secs(24 * 3600)));
    assert!(refusal.reason.contains("***") && !refusal.reason.contains(KEY), "{refusal}");
    stage.clock.advance(Duration::from_secs(3600));
    assert!(!stage.refusal().await.to_string().contains(KEY));
    assert_eq!(stage.server.count("TIME_SERIES_DAILY"), 1);
}

#[tokio::test]
async fn premium() {
    let words = "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the premium plans.";
    let (stage, refusal) = refused_with(information(words)).await;
    assert_eq!(refusal.why, Why::Denied);
    // No throttle: other functions are asked.
    stage.server.set("NEWS_SENTIMENT", 200, json!({ "feed": [] }).to_string());
    let news =
        stage.vendor.news(&NewsAbout::Markets, date("2025-10-30"), date("2025-10-31")).await.unwrap_err();
    assert_eq!(news.why, Why::Empty);
}

#[tokio::test]
async fn premium_value() {
    let stage = stage().await;
    let words = "Thank you! The outputsize=full parameter value is a premium feature for the TIME_SERIES_DAILY endpoint.";
    stage.server.set("outputsize=full", 200, information(words));
    stage.server.set("outputsize=compact", 200, daily(&[("2025-10-31", "10"), ("2025-10-30", "9")]));
    let answer = stage.vendor.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap();
    assert_eq!(answer.data.days.len(), 2);
    assert!(
        answer.source.notes.iter().any(|note| note.contains("range is short") && note.contains("2025-10-30")),
        "{:?}",
        answer.source
    );
    stage.vendor.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap();
    assert_eq!(stage.server.count("outputsize=full"), 1, "it is not asked for again");
    let early = stage.vendor.prices(&ticker("AAPL"), date("2020-01-31")).await.unwrap_err();
    assert!(early.why == Why::Empty && early.reason.contains("2025-10-30"), "{early}");
}

#[tokio::test]
async fn bad_key() {
    let words = "the parameter apikey is invalid or missing. Please claim your free API key on (https://www.alphavantage.co/support/#api-key).";
    let (stage, refusal) = refused_with(json!({ "Error Message": words }).to_string()).await;
    assert_eq!(refusal.why, Why::Denied);
    let asked = stage.server.asked().len();
    let news =
        stage.vendor.news(&NewsAbout::Markets, date("2025-10-30"), date("2025-10-31")).await.unwrap_err();
    assert_eq!(
        (news.why, stage.server.asked().len()),
        (Why::Denied, asked),
        "nothing is asked with a bad key"
    );
}

#[tokio::test]
async fn unknown() {
    let words = "Invalid API call. Please retry or visit the documentation (https://www.alphavantage.co/documentation/) for TIME_SERIES_DAILY.";
    for body in [json!({ "Error Message": words }).to_string(), "{}".to_owned()] {
        assert_eq!(refused_with(body).await.1.why, Why::Unknown);
    }
}

#[tokio::test]
async fn what_is_no_json_is_an_outage() {
    for body in ["<html>", "", "[]", "null"] {
        assert!(refused_with(body.to_owned()).await.1.may_pass(), "{body}");
    }
}

#[tokio::test]
async fn raw() {
    let stage = stage().await;
    stage.server.set(
        "TIME_SERIES_DAILY",
        200,
        daily(&[("2014-06-09", "93.7000"), ("2014-05-06", "594.4100")]),
    );
    let splits = json!({ "symbol": "AAPL", "data": [{ "effective_date": "2014-06-09", "split_factor": "7.0000" }, { "effective_date": "2020-08-31", "split_factor": "4.0000" }] });
    stage.server.set("function=SPLITS", 200, splits.to_string());
    // 594.41 / 7 = 84.91571…; the split of 2020 is not known in 2014.
    assert_eq!(stage.closes("2014-12-31").await, ["2014-05-06 84.9157", "2014-06-09 93.7000"]);
    assert_eq!(stage.closes("2014-05-30").await, ["2014-05-06 594.4100"]);
}

#[tokio::test]
async fn symbols() {
    for (symbol, spelled) in [
        ("TSCO.L", "TSCO.LON"),
        ("GPV.V", "GPV.TRV"),
        ("BRK.B", "BRK-B"),
        ("600519.SS", "600519.SHH"),
        ("IBM", "IBM"),
    ] {
        let stage = stage().await;
        stage.server.set("TIME_SERIES_DAILY", 200, daily(&[("2025-10-30", "10")]));
        stage.vendor.prices(&ticker(symbol), date("2025-10-31")).await.unwrap();
        assert!(
            stage.server.asked()[0].target.contains(&format!("symbol={spelled}&")),
            "{:?}",
            stage.server.asked()
        );
    }
    let stage = stage().await;
    let index = stage.vendor.prices(&ticker("^FCHI"), date("2025-10-31")).await.unwrap_err();
    assert_eq!((index.why, stage.server.asked().len()), (Why::Unknown, 0));
}

#[tokio::test]
async fn fields_are_found_by_their_words() {
    let stage = stage().await;
    let row = json!({ "1. open": "138.0900", "2. high": "138.3200", "3. low": "135.2600", "4. close": "136.9000", "5. adjusted close": "130.1", "6. volume": "30791624", "7. dividend amount": "0.0000" });
    stage.server.set(
        "TIME_SERIES_DAILY",
        200,
        json!({ "Time Series (Daily)": { "2019-08-02": row } }).to_string(),
    );
    let history = stage.vendor.prices(&ticker("MSFT"), date("2019-08-02")).await.unwrap().data;
    let day = &history.days[0];
    assert_eq!(
        (day.close.to_string(), day.volume.unwrap().to_string()),
        ("136.9000".to_owned(), "30791624".to_owned())
    );
}

#[tokio::test]
async fn todays_row_is_unfinished_until_the_close() {
    for (now, days) in [("2025-11-03T20:59:00Z", 1), ("2025-11-03T21:00:00Z", 2)] {
        let (server, clock) = (LocalVendor::start().await, SetClock::at(now));
        let vendor = AlphaVantage::new(network(&clock), server.base.clone(), KEY.into());
        server.set("function=", 200, json!({ "data": [] }).to_string());
        server.set("TIME_SERIES_DAILY", 200, daily(&[("2025-11-03", "10"), ("2025-10-31", "9")]));
        let history = vendor.prices(&ticker("MSFT"), date("2025-11-03")).await.unwrap().data;
        assert_eq!((history.days.len(), history.unfinished.is_some()), (days, days == 1));
    }
}

#[tokio::test]
async fn dividends_that_are_still_to_come_are_left_out() {
    let stage = stage().await;
    stage.server.set("TIME_SERIES_DAILY", 200, daily(&[("2025-10-30", "10")]));
    let dividends = json!({ "data": [
        { "ex_dividend_date": "2025-11-10", "declaration_date": "2025-10-30", "amount": "0.26" },
        { "ex_dividend_date": "2025-08-11", "declaration_date": "None", "amount": "0.24" },
        { "ex_dividend_date": "2025-05-12", "amount": "None" },
    ] });
    stage.server.set("function=DIVIDENDS", 200, dividends.to_string());
    let history = stage.vendor.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap().data;
    let shown: Vec<String> =
        history.dividends.iter().map(|it| format!("{} {}", it.date, it.amount)).collect();
    assert_eq!(shown, ["2025-08-11 0.24"]);
}

fn statements(annual: Value, quarterly: Value) -> String {
    json!({ "symbol": "MSFT", "annualReports": annual, "quarterlyReports": quarterly }).to_string()
}

#[tokio::test]
async fn statements_are_public_on_the_day_of_the_quarters_earnings() {
    let stage = stage().await;
    let report = |end: &str, revenue: &str| json!({ "fiscalDateEnding": end, "reportedCurrency": "USD", "totalRevenue": revenue, "nonRecurring": "None" });
    stage.server.set(
        "INCOME_STATEMENT",
        200,
        statements(
            json!([]),
            json!([
                report("2024-06-30", "64727000000"),
                report("2024-03-31", "61858000000"),
                report("1999-12-31", "1")
            ]),
        ),
    );
    // The unfinished year that stands first is none of the statements.
    let earnings = json!({
        "annualEarnings": [{ "fiscalDateEnding": "2024-03-31", "reportedEPS": "3.71" }],
        "quarterlyEarnings": [
            { "fiscalDateEnding": "2024-06-30", "reportedDate": "2024-07-30", "reportedEPS": "2.95", "reportTime": "post-market" },
            { "fiscalDateEnding": "2024-03-31", "reportedDate": "2024-04-25", "reportedEPS": "2.94" },
        ],
    });
    stage.server.set("function=EARNINGS", 200, earnings.to_string());
    for (day, revenue) in [("2024-07-29", "61858000000"), ("2024-07-30", "64727000000")] {
        let answer = stage
            .vendor
            .statement(&ticker("MSFT"), Statement::Income, Frequency::Quarterly, date(day))
            .await
            .unwrap();
        assert_eq!(answer.data[0].value.to_string(), revenue, "as of {day}");
        assert!(
            answer.data.iter().all(|figure| figure.label == "Total revenue" && figure.unit == "USD"),
            "\"None\" is no figure"
        );
        assert!(
            answer.source.notes.iter().any(|note| note.contains("1 periods without a day of publication")),
            "{:?}",
            answer.source.notes
        );
    }
}

#[tokio::test]
async fn news_count_from_their_publication() {
    let stage = stage().await;
    let article = |time: &str, title: &str, relevance: &str| {
        json!({
            "title": title, "url": "https://example.com", "time_published": time, "summary": "s", "source": "Wire",
            "ticker_sentiment": [{ "ticker": "AAPL", "relevance_score": relevance }],
        })
    };
    // The vendor's range is not relied on.
    let feed = json!({ "feed": [
        article("20240103T000001", "after", "0.8"), article("20240102T170245", "that day", "0.8"),
        article("20240102T170245", "of others", "0.05"), article("bad", "undated", "0.8"), article("20231201T000000", "before", "0.8"),
    ] });
    stage.server.set("NEWS_SENTIMENT", 200, feed.to_string());
    let about = NewsAbout::Company(ticker("AAPL"));
    let answer = stage.vendor.news(&about, date("2024-01-01"), date("2024-01-02")).await.unwrap();
    let titles: Vec<&str> = answer.data.iter().map(|article| article.title.as_str()).collect();
    assert_eq!(titles, ["that day"]);
    let asked = &stage.server.asked()[0].target;
    assert!(
        asked.contains("time_from=20240101T0000")
            && asked.contains("time_to=20240102T2359")
            && asked.contains("tickers=AAPL"),
        "{asked}"
    );
}

/// AgentOS 6.C 22.
#[tokio::test]
async fn what_is_of_now_is_not_given_for_the_past() {
    let stage = stage().await;
    let past = date("2024-01-02");
    let (overview, movers) = (
        stage.vendor.profile(&ticker("AAPL"), past).await,
        stage.vendor.movers(MoverKind::Gainers, past).await,
    );
    let refusals = [
        overview.unwrap_err(),
        movers.unwrap_err(),
        stage.vendor.earnings(None, past, past, past).await.unwrap_err(),
    ];
    for refusal in refusals {
        assert!(refusal.why == Why::Empty && refusal.reason.contains("of now"), "{refusal}");
    }
    assert!(stage.server.asked().is_empty());
}

#[tokio::test]
async fn movers_and_profile_of_now() {
    let stage = stage().await;
    let today = date("2025-11-03");
    stage.server.set("TOP_GAINERS_LOSERS", 200, json!({ "top_gainers": [{ "ticker": "XYZ", "price": "1.5", "change_percentage": "136.67%", "volume": "100" }] }).to_string());
    let movers = stage.vendor.movers(MoverKind::Gainers, today).await.unwrap().data;
    assert_eq!(
        (movers[0].symbol.as_str(), movers[0].change.unwrap().to_string()),
        ("XYZ", "1.3667".to_owned())
    );
    stage.server.set(
        "OVERVIEW",
        200,
        json!({ "Name": "Apple Inc", "Sector": "TECHNOLOGY", "PERatio": "None", "Beta": "-" }).to_string(),
    );
    let profile = stage.vendor.profile(&ticker("AAPL"), today).await.unwrap().data;
    assert_eq!(profile.fields, [("Sector".to_owned(), "TECHNOLOGY".to_owned())]);
}

#[tokio::test]
async fn the_calendar_of_earnings_is_csv_and_its_refusals_are_json() {
    let stage = stage().await;
    let today = date("2025-11-03");
    let csv = "symbol,name,reportDate,fiscalDateEnding,estimate,currency\nAAPL,Apple,2026-01-29,2025-12-31,2.5,USD\nMSFT,Microsoft,2026-01-28,2025-12-31,,USD\nbroken\n";
    stage.server.set("EARNINGS_CALENDAR", 200, csv);
    let rows = stage.vendor.earnings(None, date("2026-01-29"), date("2026-02-28"), today).await.unwrap().data;
    assert_eq!((rows.len(), rows[0].symbol.as_str(), rows[0].projected), (1, "AAPL", true));
    stage.server.set("EARNINGS_CALENDAR", 200, information("Thank you! This is a premium endpoint."));
    let refusal =
        stage.vendor.earnings(None, date("2026-01-29"), date("2026-02-28"), today).await.unwrap_err();
    assert_eq!(refusal.why, Why::Denied);
}

#[tokio::test]
async fn one_request_a_second_and_25_a_day() {
    let stage = stage().await;
    stage.server.set("NEWS_SENTIMENT", 200, json!({ "feed": [] }).to_string());
    for _ in 0..25 {
        let refusal =
            stage.vendor.news(&NewsAbout::Markets, date("2025-10-30"), date("2025-10-31")).await.unwrap_err();
        assert_eq!(refusal.why, Why::Empty);
    }
    assert_eq!(stage.clock.slept(), Duration::from_secs(24));
    let refusal =
        stage.vendor.news(&NewsAbout::Markets, date("2025-10-30"), date("2025-10-31")).await.unwrap_err();
    assert!(refusal.may_pass(), "{refusal}");
    assert_eq!(stage.server.asked().len(), 25, "the 26th is not sent");
}

#[tokio::test]
async fn the_key_stands_in_the_request_alone() {
    let stage = stage().await;
    stage.server.set("TIME_SERIES_DAILY", 500, format!("error with {KEY}"));
    let refusal = stage.refusal().await;
    assert!(stage.server.asked()[0].target.contains(KEY));
    assert!(refusal.may_pass() && !format!("{refusal:?}").contains(KEY), "{refusal:?}");
    // Nor where nobody answers: the address is part of the error there.
    let nobody = AlphaVantage::new(network(&stage.clock), "http://127.0.0.1:1".parse().unwrap(), KEY.into());
    let refusal = nobody.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap_err();
    assert!(refusal.may_pass() && !format!("{refusal:?}").contains(KEY), "{refusal:?}");
}
