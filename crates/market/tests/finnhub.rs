//! What Finnhub really sends, each kind as a test named after it, against a server with those bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{sync::Arc, time::Duration};

use market::{Finnhub, Frequency, NewsAbout, NoData, Statement, Vendor, Why};
use serde_json::{Value, json};
use support::{LocalVendor, SetClock, date, network, ticker};

const NOW: &str = "2025-11-03T12:00:00Z";
const KEY: &str = "finnhub-key-7a6b5c";
/// What a quote holds of a symbol that is not known.
const NOTHING: &str = r#"{"c":0,"d":null,"dp":null,"h":0,"l":0,"o":0,"pc":0,"t":0}"#;

struct Stage {
    server: LocalVendor,
    clock: Arc<SetClock>,
    vendor: Finnhub,
}

async fn stage() -> Stage {
    let (server, clock) = (LocalVendor::start().await, SetClock::at(NOW));
    let vendor = Finnhub::new(network(&clock), server.base.clone(), KEY.into());
    server.set("/stock/split", 200, "[]");
    Stage { server, clock, vendor }
}

impl Stage {
    async fn refusal(&self, symbol: &str) -> NoData {
        self.vendor.prices(&ticker(symbol), date("2025-10-31")).await.unwrap_err()
    }

    async fn news(&self, symbol: &str) -> Result<Vec<String>, NoData> {
        let about = NewsAbout::Company(ticker(symbol));
        let answer = self.vendor.news(&about, date("2025-03-01"), date("2025-03-10")).await?;
        Ok(answer.data.into_iter().map(|article| article.title).collect())
    }
}

/// 2025-10-30 and 31 at midnight in UTC.
const DAYS: [i64; 2] = [1_761_782_400, 1_761_868_800];

fn candles(closes: [f64; 2]) -> String {
    json!({ "c": closes, "h": closes, "l": closes, "o": closes, "v": [100, 200], "t": DAYS, "s": "ok" })
        .to_string()
}

#[tokio::test]
async fn plan() {
    for (status, symbol) in [(403, "AAPL"), (401, "AAPL"), (403, "VOD.L")] {
        let stage = stage().await;
        stage.server.set("/stock/candle", status, r#"{"error":"You don't have access to this resource."}"#);
        assert_eq!(stage.refusal(symbol).await.why, Why::Denied);
        stage.refusal(symbol).await;
        assert_eq!(stage.server.count("candle"), 1, "it is not asked again");
        // The key is good: another function answers.
        stage.server.set(
            "/company-news",
            200,
            json!([{ "datetime": 1_741_600_000, "headline": "News" }]).to_string(),
        );
        assert_eq!(stage.news("AAPL").await.unwrap(), ["News"]);
    }
}

#[tokio::test]
async fn key() {
    for words in [r#"{"error":"Invalid API key."}"#, r#"{"error":"Please use an API key."}"#] {
        let stage = stage().await;
        stage.server.set("/stock/candle", 401, words);
        assert_eq!(stage.refusal("AAPL").await.why, Why::Denied);
        assert_eq!(stage.news("AAPL").await.unwrap_err().why, Why::Denied);
        assert_eq!(stage.server.asked().len(), 1, "nothing is asked with a bad key");
    }
}

#[tokio::test]
async fn throttled() {
    let words = "API limit reached. Please try again later. Remaining Limit: 0";
    for body in [json!({ "error": words }).to_string(), words.to_owned()] {
        let stage = stage().await;
        stage.server.set("/stock/candle", 429, body);
        assert_eq!(stage.refusal("AAPL").await.why, Why::Later(Duration::from_secs(60)));
    }
}

#[tokio::test]
async fn unknown() {
    let stage = stage().await;
    stage.server.set("/stock/profile2", 200, "{}").set("/quote", 200, NOTHING);
    let refusal = stage.vendor.profile(&ticker("APPL"), date("2025-11-03")).await.unwrap_err();
    assert_eq!(refusal.why, Why::Unknown, "never a price of 0");
}

#[tokio::test]
async fn unknown_or_uncovered() {
    let stage = stage().await;
    stage.server.set("/stock/profile2", 200, "{}").set(
        "/quote",
        403,
        r#"{"error":"You don't have access to this resource."}"#,
    );
    let refusal = stage.vendor.profile(&ticker("APPL"), date("2025-11-03")).await.unwrap_err();
    assert!(refusal.why == Why::Empty && refusal.reason.contains("does not say"), "{refusal}");
    stage.server.set("/company-news", 200, "[]");
    assert_eq!(stage.news("APPL").await.unwrap_err().why, Why::Empty);
    let quote = r#"{"c":311.5,"d":-0.15,"dp":-0.05,"h":312,"l":310,"o":311,"pc":311.65,"t":1582641000}"#;
    let known = self::stage().await;
    known.server.set("/stock/profile2", 200, "{}").set("/quote", 200, quote);
    assert_eq!(known.vendor.profile(&ticker("AAPL"), date("2025-11-03")).await.unwrap_err().why, Why::Empty);
}

#[tokio::test]
async fn no_bars() {
    for body in [r#"{"s":"no_data"}"#, r#"{"c":[],"t":[],"s":"ok"}"#] {
        let stage = stage().await;
        stage.server.set("/stock/candle", 200, body);
        assert_eq!(stage.refusal("AAPL").await.why, Why::Empty);
    }
}

#[tokio::test]
async fn date_moves() {
    let stage = stage().await;
    let row = |actual: Value| json!({ "symbol": "ORCL", "date": "2025-12-07", "hour": "amc", "year": 2026, "quarter": 2, "epsEstimate": 1.2, "epsActual": actual });
    stage.server.set(
        "/calendar/earnings",
        200,
        json!({ "earningsCalendar": [row(json!(null)), row(json!(1.3)), row(json!(0))] }).to_string(),
    );
    let rows = stage
        .vendor
        .earnings(None, date("2025-12-01"), date("2025-12-31"), date("2025-11-03"))
        .await
        .unwrap()
        .data;
    assert_eq!(
        rows.iter().map(|row| row.projected).collect::<Vec<_>>(),
        [true, false, false],
        "an actual 0 has come"
    );
}

#[tokio::test]
async fn fiscal() {
    let stage = stage().await;
    let row = json!({ "symbol": "X", "date": "2020-12-08", "quarter": 3, "year": 2021, "epsEstimate": null, "epsActual": null });
    stage.server.set("/calendar/earnings", 200, json!({ "earningsCalendar": [row] }).to_string());
    let rows = stage
        .vendor
        .earnings(None, date("2020-12-01"), date("2020-12-31"), date("2025-11-03"))
        .await
        .unwrap()
        .data;
    assert_eq!((rows[0].date, rows[0].period.as_str()), (date("2020-12-08"), "Q3 of fiscal 2021"));
}

#[tokio::test]
async fn outage() {
    let stage = stage().await;
    stage.server.set("/stock/candle", 502, "<html>Bad Gateway</html>");
    assert!(stage.refusal("AAPL").await.may_pass());
}

#[tokio::test]
async fn candles_are_of_shares_as_they_were() {
    let stage = stage().await;
    stage.server.set("/stock/candle", 200, candles([10.0, 11.0]));
    stage.server.set(
        "/stock/split",
        200,
        json!([{ "symbol": "AAPL", "date": "2025-11-01", "fromFactor": 1, "toFactor": 4 }]).to_string(),
    );
    let history = stage.vendor.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap().data;
    let shown: Vec<String> = history
        .days
        .iter()
        .map(|day| format!("{} {} {}", day.date, day.close, day.volume.unwrap()))
        .collect();
    assert_eq!(shown, ["2025-10-30 40 25", "2025-10-31 44 50"], "the split after the day is not known on it");
}

#[tokio::test]
async fn candles_without_their_splits_are_none() {
    let stage = stage().await;
    stage.server.set("/stock/candle", 200, candles([10.0, 11.0]));
    stage.server.set("/stock/split", 403, r#"{"error":"You don't have access to this resource."}"#);
    let refusal = stage.refusal("AAPL").await;
    assert!(refusal.why == Why::Denied && refusal.reason.contains("splits"), "{refusal}");
}

#[tokio::test]
async fn the_key_is_a_header() {
    let stage = stage().await;
    stage.server.set("/stock/candle", 200, candles([10.0, 11.0]));
    stage.vendor.prices(&ticker("AAPL"), date("2025-10-31")).await.unwrap();
    for asked in stage.server.asked() {
        assert_eq!(asked.headers["x-finnhub-token"], KEY);
        assert!(!asked.target.contains(KEY));
    }
    stage.server.set("/company-news", 401, format!(r#"{{"error":"Invalid API key {KEY}."}}"#));
    let refusal = stage.news("AAPL").await.unwrap_err();
    assert!(refusal.reason.contains("***") && !refusal.reason.contains(KEY), "{refusal}");
}

#[tokio::test]
async fn news_count_from_their_publication() {
    let stage = stage().await;
    // 2025-03-10T09:46:40Z, and a second of the day after.
    let rows = json!([
        { "datetime": 1_741_600_000, "headline": "then", "source": "Wire", "summary": "", "url": "https://example.com" },
        { "datetime": 1_741_651_201, "headline": "after" },
        { "datetime": null, "headline": "undated" },
    ]);
    stage.server.set("/company-news", 200, rows.to_string());
    assert_eq!(stage.news("AAPL").await.unwrap(), ["then"]);
}

#[tokio::test]
async fn insider_trades_count_from_their_filing() {
    let stage = stage().await;
    let row = |filed: &str, change: i64| json!({ "name": "DOE JANE", "share": 10, "change": change, "filingDate": filed, "transactionDate": "2024-01-10", "transactionPrice": 0, "transactionCode": "S" });
    stage.server.set(
        "/stock/insider-transactions",
        200,
        json!({ "data": [row("2024-01-12", -396), row("2024-01-15", 5)] }).to_string(),
    );
    let insiders = |day: &'static str| {
        let vendor = &stage.vendor;
        async move { vendor.insider_trades(&ticker("AAPL"), date(day)).await }
    };
    assert_eq!(insiders("2024-01-11").await.unwrap_err().why, Why::Empty);
    let trades = insiders("2024-01-12").await.unwrap().data;
    assert_eq!((trades.len(), trades[0].change.to_string(), trades[0].price), (1, "-396".to_owned(), None));
}

#[tokio::test]
async fn statements_count_from_their_filing_in_both_forms() {
    let list = json!({ "bs": [{ "concept": "us-gaap_Assets", "label": "Total assets", "unit": "usd", "value": 5 }], "cf": [], "ic": [] });
    let map = json!({ "bs": { "Assets": 7, "Goodwill": "N/A" }, "cf": {}, "ic": {} });
    let stage = stage().await;
    let filing = |end: &str, filed: &str, report: &Value| json!({ "accessNumber": "a", "form": "10-Q", "startDate": "2019-01-01 00:00:00", "endDate": end, "filedDate": filed, "report": report });
    let body = json!({ "data": [
        filing("2019-06-30 00:00:00", "2019-07-31 00:00:00", &list),
        filing("2019-09-30 00:00:00", "2019-10-31 00:00:00", &map),
    ] });
    stage.server.set("/stock/financials-reported", 200, body.to_string());
    for (day, values) in [("2019-10-30", vec!["5"]), ("2019-10-31", vec!["7", "5"])] {
        let answer = stage
            .vendor
            .statement(&ticker("AAPL"), Statement::BalanceSheet, Frequency::Quarterly, date(day))
            .await
            .unwrap();
        assert_eq!(answer.data.iter().map(|figure| figure.value.to_string()).collect::<Vec<_>>(), values);
        assert!(answer.source.notes[0].contains("fourth quarters"));
    }
}

/// AgentOS 6.C 22.
#[tokio::test]
async fn what_is_of_now_is_not_given_for_the_past() {
    let stage = stage().await;
    let past = date("2024-01-02");
    let profile = stage.vendor.profile(&ticker("AAPL"), past).await.unwrap_err();
    let earnings = stage.vendor.earnings(None, past, past, past).await.unwrap_err();
    let economic = stage.vendor.economic(past, past, past).await.unwrap_err();
    for refusal in [profile, earnings, economic] {
        assert!(refusal.why == Why::Empty && refusal.reason.contains("of now"), "{refusal}");
    }
    assert!(stage.server.asked().is_empty());
}

#[tokio::test]
async fn economic_figures_of_now() {
    let stage = stage().await;
    let rows = json!({ "economicCalendar": [{ "time": "2025-11-04 13:30:00", "country": "US", "event": "CPI", "impact": "high", "actual": null, "estimate": 0.3, "prev": 0.2, "unit": "%" }] });
    stage.server.set("/calendar/economic", 200, rows.to_string());
    let events =
        stage.vendor.economic(date("2025-11-03"), date("2025-11-10"), date("2025-11-03")).await.unwrap().data;
    assert_eq!((events[0].date, events[0].actual, events[0].unit.as_str()), (date("2025-11-04"), None, "%"));
}

#[tokio::test]
async fn at_most_60_requests_a_minute() {
    let stage = stage().await;
    stage.server.set("/company-news", 200, "[]");
    for _ in 0..61 {
        // The 61st would wait longer than a question waits by itself.
        if stage.news("AAPL").await.unwrap_err().may_pass() {
            assert_eq!(stage.server.asked().len(), 60);
            return;
        }
    }
    panic!("61 requests were sent after {:?}", stage.clock.slept());
}
