//! What Yahoo Finance really sends, each kind as a test named after it, against a server with those bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{sync::Arc, time::Duration};

use market::{
    Answer, Cache, DailyPrice, Frequency, MoverKind, NewsAbout, NoData, PriceHistory, Profile, Statement,
    Vendor, Why, Yahoo, YahooAddresses,
};
use proptest::prelude::*;
use protocol::Date;
use serde_json::{Value, json};
use support::{LocalVendor, SetClock, date, network, network_with, ticker};

/// Long after all days of the tests.
const NOW: &str = "2025-11-03T12:00:00Z";

struct Stage {
    server: LocalVendor,
    clock: Arc<SetClock>,
    yahoo: Yahoo,
}

async fn stage() -> Stage {
    stage_at(NOW).await
}

async fn stage_at(now: &str) -> Stage {
    let (server, clock) = (LocalVendor::start().await, SetClock::at(now));
    let yahoo = Yahoo::new(network(&clock), YahooAddresses::at(&server.base));
    Stage { server, clock, yahoo }
}

impl Stage {
    async fn prices(&self, symbol: &str, as_of: &str) -> Result<Answer<PriceHistory>, NoData> {
        self.yahoo.prices(&ticker(symbol), date(as_of)).await
    }

    async fn history(&self, symbol: &str, as_of: &str) -> PriceHistory {
        self.prices(symbol, as_of).await.unwrap().data
    }

    async fn refusal(&self, symbol: &str, as_of: &str) -> NoData {
        self.prices(symbol, as_of).await.unwrap_err()
    }
}

/// A chart of rows with the stamp, open, high, low, close and volume of each.
fn chart(meta: Value, rows: &[(i64, Value)], events: Value) -> String {
    let column = |index: usize| rows.iter().map(|(_, row)| row[index].clone()).collect::<Vec<_>>();
    let quote = json!({ "open": column(0), "high": column(1), "low": column(2), "close": column(3), "volume": column(4) });
    let stamps: Vec<i64> = rows.iter().map(|(stamp, _)| *stamp).collect();
    let result =
        json!({ "meta": meta, "timestamp": stamps, "events": events, "indicators": { "quote": [quote] } });
    json!({ "chart": { "result": [result], "error": null } }).to_string()
}

fn closes(rows: &[(i64, Value)]) -> Vec<(i64, Value)> {
    rows.iter().map(|(stamp, close)| (*stamp, json!([null, null, null, close, null]))).collect()
}

fn new_york() -> Value {
    json!({ "currency": "USD", "symbol": "AAPL", "gmtoffset": -14400, "exchangeTimezoneName": "America/New_York" })
}

fn shown(days: &[DailyPrice]) -> Vec<String> {
    days.iter().map(|day| format!("{} {}", day.date, day.close)).collect()
}

fn not_found(words: &str) -> String {
    json!({ "chart": { "result": null, "error": { "code": "Not Found", "description": words } } }).to_string()
}

/// 2019-01-22, 9:30 in New York.
const JANUARY: i64 = 1_548_167_400;
const DAY: i64 = 86_400;

#[tokio::test]
async fn prices_come_with_source_currency_and_adjustment() {
    let stage = stage().await;
    let rows = [(1_746_019_800, json!([209.30, 213.58, 206.67, 212.50, 52286500]))];
    let events = json!({ "dividends": { "1747056600": { "amount": 0.26, "date": 1746019800 } } });
    stage.server.set("/v8/finance/chart/AAPL", 200, chart(new_york(), &rows, events));
    let Answer { data, source } = stage.prices("AAPL", "2025-05-01").await.unwrap();
    let day = &data.days[0];
    assert_eq!(day.date, date("2025-04-30"));
    let figures = [day.open, day.high, day.low, Some(day.close), day.volume];
    assert_eq!(
        figures.map(|figure| figure.unwrap().to_string()),
        ["209.3", "213.58", "206.67", "212.5", "52286500"]
    );
    // The key is of another day than the event: the date counts.
    assert_eq!(
        (data.dividends[0].date, data.dividends[0].amount.to_string()),
        (date("2025-04-30"), "0.26".to_owned())
    );
    assert_eq!(source.vendor, "Yahoo Finance");
    assert_eq!((source.as_of, source.published), (date("2025-05-01"), Some(date("2025-04-30"))));
    assert_eq!(source.unit.as_deref(), Some("USD, adjusted for splits"));
    let asked = stage.server.asked();
    assert!(asked[0].headers["user-agent"].to_str().unwrap().starts_with("Mozilla/5.0"));
    assert!(
        asked[0].target.contains("interval=1d") && asked[0].target.contains("div%2Csplits%2CcapitalGains")
    );
}

#[tokio::test]
async fn throttled_as_text() {
    for body in ["Too Many Requests\n", "Edge: Too Many Requests"] {
        let stage = stage().await;
        stage.server.set("/v8/", 429, body);
        let refusal = stage.refusal("AAPL", "2025-05-01").await;
        assert!(refusal.may_pass() && refusal.reason.contains("Too Many Requests"), "{refusal}");
        assert!(!refusal.reason.contains("JSON") && !refusal.reason.contains("expected"), "{refusal}");
        // It is left alone for some minutes, and asked again afterwards.
        stage.refusal("MSFT", "2025-05-01").await;
        assert_eq!(stage.server.count("/v8/"), 1);
        stage.clock.advance(Duration::from_secs(600));
        stage.refusal("MSFT", "2025-05-01").await;
        assert_eq!(stage.server.count("/v8/"), 2);
    }
}

#[tokio::test]
async fn html_for_json() {
    for (status, body) in
        [(200, "<html><body>oops</body></html>"), (200, "Will be right back"), (502, "<html>"), (200, "")]
    {
        let stage = stage().await;
        stage.server.set("/v8/", status, body);
        assert!(stage.refusal("AAPL", "2025-05-01").await.may_pass(), "{body}");
    }
}

#[tokio::test]
async fn dead_or_unknown() {
    let stage = stage().await;
    stage.server.set("/v8/", 404, not_found("No data found, symbol may be delisted"));
    let refusal = stage.refusal("ATVI", "2025-05-01").await;
    assert_eq!(refusal.why, Why::Unknown);
    assert!(refusal.reason.contains("is not known"), "that it was delisted is a guess: {refusal}");
}

#[tokio::test]
async fn a_404_without_yahoos_words_is_an_outage() {
    let stage = stage().await;
    stage.server.set("/v8/", 404, "<html>Not here</html>");
    assert!(stage.refusal("AAPL", "2025-05-01").await.may_pass());
}

#[tokio::test]
async fn before_first_bar() {
    let stage = stage().await;
    let words = "Data doesn't exist for startDate = 1565740800, endDate = 1566000000";
    let body =
        json!({ "chart": { "result": null, "error": { "code": "Bad Request", "description": words } } });
    stage.server.set("/v8/", 400, body.to_string());
    assert_eq!(stage.refusal("AAPL", "2019-08-15").await.why, Why::Empty);
    // A whole series of which nothing lies before the day is the same.
    let other = self::stage().await;
    other.server.set("/v8/", 200, chart(new_york(), &closes(&[(JANUARY, json!(10))]), json!({})));
    assert_eq!(other.refusal("AAPL", "2019-01-21").await.why, Why::Empty);
}

#[tokio::test]
async fn a_quiet_range_is_empty() {
    for quote in [json!([{}]), json!([])] {
        let stage = stage().await;
        let result = json!({ "meta": new_york(), "indicators": { "quote": quote } });
        let body = json!({ "chart": { "result": [result], "error": null } });
        stage.server.set("/v8/", 200, body.to_string());
        assert_eq!(stage.refusal("AAPL", "2025-05-01").await.why, Why::Empty);
    }
}

#[tokio::test]
async fn null_or_missing_days() {
    let stage = stage().await;
    // The 24th is missing as a whole, the 25th has no close.
    let rows = [(JANUARY, json!(9.68)), (JANUARY + DAY, json!(9.71)), (JANUARY + 3 * DAY, json!(null))];
    stage.server.set("/v8/", 200, chart(new_york(), &closes(&rows), json!({})));
    let history = stage.history("AAPL", "2019-01-31").await;
    assert_eq!(shown(&history.days), ["2019-01-22 9.68", "2019-01-23 9.71"]);
}

#[tokio::test]
async fn unfinished_bar() {
    // The session of 2025-10-29 ends at 20:00 UTC.
    let mut meta = new_york();
    meta["regularMarketTime"] = json!(1_761_764_401);
    meta["currentTradingPeriod"] = json!({ "regular": { "start": 1_761_744_600, "end": 1_761_768_000 } });
    let rows = closes(&[(1_761_658_200, json!(269.0)), (1_761_764_401, json!(269.7))]);
    let body = chart(meta, &rows, json!({}));
    for (now, days, unfinished) in [
        ("2025-10-29T19:00:01Z", vec!["2025-10-28 269"], Some("269.7")),
        ("2025-10-29T20:00:05Z", vec!["2025-10-28 269", "2025-10-29 269.7"], None),
    ] {
        let stage = stage_at(now).await;
        stage.server.set("/v8/", 200, body.clone());
        let Answer { data, source } = stage.prices("AAPL", "2025-10-29").await.unwrap();
        assert_eq!(shown(&data.days), days);
        assert_eq!(data.unfinished.map(|day| day.close.to_string()).as_deref(), unfinished);
        assert_eq!(source.notes.len(), usize::from(unfinished.is_some()), "it is said: {:?}", source.notes);
    }
}

#[tokio::test]
async fn what_was_unfinished_when_it_was_kept_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let (server, clock) = (LocalVendor::start().await, SetClock::at("2025-10-29T19:55:00Z"));
    let network = network_with(&clock, Cache::open(folder.path(), 1 << 20).unwrap());
    let yahoo = Yahoo::new(network, YahooAddresses::at(&server.base));
    let mut meta = new_york();
    meta["currentTradingPeriod"] = json!({ "regular": { "start": 1_761_744_600, "end": 1_761_768_000 } });
    let rows = closes(&[(1_761_658_200, json!(269.0)), (1_761_764_401, json!(269.7))]);
    server.set("/v8/", 200, chart(meta, &rows, json!({})));
    for minutes in [0, 6] {
        clock.advance(Duration::from_secs(minutes * 60));
        let history = yahoo.prices(&ticker("AAPL"), date("2025-10-29")).await.unwrap().data;
        assert_eq!(shown(&history.days), ["2025-10-28 269"], "after {minutes} min");
    }
    assert_eq!(server.count("/v8/"), 1, "the second question was answered from the cache");
    clock.advance(Duration::from_secs(20 * 60));
    assert_eq!(yahoo.prices(&ticker("AAPL"), date("2025-10-29")).await.unwrap().data.days.len(), 2);
}

#[tokio::test]
async fn day_twice() {
    let day = JANUARY + 3 * DAY;
    let first = (day, json!([1, 2, 1, 10.5, 4959679]));
    for (second, volume) in [
        ((day + 23_400, json!([1, 2, 1, 10.6, 4945900])), "4945900"),
        ((day + 23_400, json!([null, null, null, null, null])), "4959679"),
    ] {
        let stage = stage().await;
        stage.server.set("/v8/", 200, chart(new_york(), &[first.clone(), second], json!({})));
        let history = stage.history("AAPL", "2019-01-31").await;
        assert_eq!(history.days.len(), 1);
        assert_eq!(history.days[0].volume.unwrap().to_string(), volume);
    }
}

#[tokio::test]
async fn dividend_no_bar() {
    let stage = stage().await;
    let rows = closes(&[(JANUARY, json!(9.68)), (JANUARY + DAY, json!(null))]);
    let events = json!({ "dividends": { "1": { "amount": 0.395, "date": JANUARY + DAY } } });
    stage.server.set("/v8/", 200, chart(new_york(), &rows, events));
    let history = stage.history("AAPL", "2019-01-31").await;
    assert_eq!(shown(&history.days), ["2019-01-22 9.68"]);
    assert_eq!(history.dividends[0].date, date("2019-01-23"));
    assert_eq!(history.dividends[0].amount.to_string(), "0.395");
}

#[tokio::test]
async fn utc_day_wrong() {
    for (zone, stamp, day) in [
        // 2025-01-14, 10:00 in Sydney, is 23:00 UTC of the eve.
        ("Australia/Sydney", "2025-01-13T23:00:00Z", "2025-01-14"),
        // São Paulo is stamped with 23:00 of the eve, local time.
        ("America/Sao_Paulo", "2025-01-15T02:00:00Z", "2025-01-15"),
        // Summer time of that day, and not of today.
        ("America/New_York", "2025-07-15T13:30:00Z", "2025-07-15"),
        ("Asia/Shanghai", "2025-07-15T01:30:00Z", "2025-07-15"),
    ] {
        let stage = stage().await;
        let stamp = stamp.parse::<jiff::Timestamp>().unwrap().as_second();
        let meta = json!({ "currency": "X", "exchangeTimezoneName": zone, "gmtoffset": 0 });
        stage.server.set("/v8/", 200, chart(meta, &closes(&[(stamp, json!(1))]), json!({})));
        assert_eq!(shown(&stage.history("A", "2025-10-01").await.days), [format!("{day} 1")], "{zone}");
    }
}

#[tokio::test]
async fn pence() {
    for (written, code, close) in [
        ("GBp", "GBP", "3.3705"),
        ("ZAc", "ZAR", "3.3705"),
        ("ILA", "ILS", "3.3705"),
        ("GBP", "GBP", "337.05"),
    ] {
        let stage = stage().await;
        let meta = json!({ "currency": written, "exchangeTimezoneName": "Europe/London" });
        let events = json!({ "dividends": {
            "1": { "amount": 4.5, "date": JANUARY },
            "2": { "amount": 0.045, "date": JANUARY + DAY, "currency": "GBP" },
        } });
        stage.server.set("/v8/", 200, chart(meta, &closes(&[(JANUARY, json!(337.05))]), events));
        let history = stage.history("VOD.L", "2019-01-31").await;
        assert_eq!(
            (history.currency.as_deref(), history.days[0].close.to_string().as_str()),
            (Some(code), close)
        );
        // What says its own currency is taken by its word.
        let second = &history.dividends[1];
        assert_eq!((second.currency.as_deref(), second.amount.to_string().as_str()), (Some("GBP"), "0.045"));
        let first = if written == "GBP" { "4.5" } else { "0.045" };
        assert_eq!(history.dividends[0].amount.to_string(), first);
    }
}

#[tokio::test]
async fn classes_and_suffixes_and_indices() {
    for (symbol, spelled) in [
        ("BRK.B", "BRK-B"),
        ("BF.A", "BF-A"),
        ("VOD.L", "VOD.L"),
        ("600519.SS", "600519.SS"),
        ("600519.SH", "600519.SS"),
        ("TATAMOTORS.NS", "TATAMOTORS.NS"),
        ("^GSPC", "%5EGSPC"),
    ] {
        let stage = stage().await;
        let _ = stage.prices(symbol, "2025-05-01").await;
        let asked = &stage.server.asked()[0].target;
        assert!(asked.starts_with(&format!("/v8/finance/chart/{spelled}?")), "{asked}");
    }
}

#[tokio::test]
async fn renamed() {
    let stage = stage().await;
    stage.server.set("/chart/FB?", 404, not_found("No data found, symbol may be delisted"));
    stage.server.set("/chart/META?", 200, chart(new_york(), &closes(&[(JANUARY, json!(1))]), json!({})));
    assert_eq!(stage.refusal("FB", "2019-01-31").await.why, Why::Unknown);
    assert_eq!(stage.server.count("META"), 0, "nothing is swapped silently");
}

#[tokio::test]
async fn a_redirect_to_the_consent_form_is_not_followed() {
    let stage = stage().await;
    stage.server.set_with("/v8/", 302, &[("location", "https://consent.yahoo.com/v2/collectConsent")], "");
    let refusal = stage.refusal("AAPL", "2025-05-01").await;
    assert_eq!(refusal.why, Why::Denied);
    assert!(refusal.reason.contains("consent.yahoo.com"), "{refusal}");
    stage.refusal("MSFT", "2025-05-01").await;
    assert_eq!(stage.server.asked().len(), 1, "it is not asked again");
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let stage = stage().await;
    stage.server.set("/v8/", 200, vec![b' '; 17 * 1024 * 1024]);
    let refusal = stage.refusal("AAPL", "2025-05-01").await;
    assert!(refusal.reason.contains("bytes"), "{refusal}");
}

#[tokio::test]
async fn questions_go_at_the_pace_that_is_set() {
    let stage = stage().await;
    stage.server.set("/v8/", 200, chart(new_york(), &closes(&[(JANUARY, json!(1))]), json!({})));
    for symbol in ["A", "B", "C", "D", "E"] {
        stage.history(symbol, "2019-01-31").await;
    }
    assert_eq!(stage.clock.slept(), Duration::from_secs(4), "2 requests in 2 s");
}

/// A cookie and a crumb, and a profile that asks for them.
async fn with_pass() -> Stage {
    let stage = stage_at("2025-11-03T12:00:00Z").await;
    stage.server.set_with(
        "/",
        404,
        &[("set-cookie", "A3=d=abc&S=xyz; Expires=Tue, 3 Nov 2026 12:00:00 GMT; Path=/")],
        "",
    );
    stage.server.set("getcrumb", 200, "crumb/1.x");
    stage.server.set("quoteSummary", 200, PROFILE);
    stage
}

const TODAY: &str = "2025-11-03";
const PROFILE: &str = r#"{"quoteSummary":{"result":[{"assetProfile":{"sector":"Technology","industry":"Consumer Electronics","longBusinessSummary":"Phones."}}],"error":null}}"#;

impl Stage {
    async fn profile(&self) -> Result<Answer<Profile>, NoData> {
        self.yahoo.profile(&ticker("AAPL"), date(TODAY)).await
    }
}

#[tokio::test]
async fn cookie_and_crumb_are_fetched_once() {
    let stage = with_pass().await;
    let profile = stage.profile().await.unwrap().data;
    assert!(profile.fields.contains(&("Sector".to_owned(), "Technology".to_owned())));
    stage.profile().await.unwrap();
    let asked = stage.server.asked();
    assert_eq!((stage.server.count("getcrumb"), asked.len()), (1, 4));
    assert_eq!(asked[1].headers["cookie"], "A3=d=abc&S=xyz");
    assert!(asked[2].target.ends_with("modules=assetProfile&crumb=crumb%2F1.x"), "{}", asked[2].target);
    assert_eq!(asked[2].headers["cookie"], "A3=d=abc&S=xyz");
}

#[tokio::test]
async fn same_from_getcrumb() {
    for (status, body) in [
        (200, "Too Many Requests\r\n"),
        (429, "Too Many Requests"),
        (200, ""),
        (200, "<html>"),
        (200, "{\"error\":1}"),
    ] {
        let stage = with_pass().await;
        stage.server.set("getcrumb", status, body);
        assert!(stage.profile().await.unwrap_err().may_pass(), "{body}");
        assert_eq!(stage.server.count("quoteSummary"), 0, "no call is made with it");
    }
}

#[tokio::test]
async fn stale_crumb() {
    let finance =
        r#"{"finance":{"result":null,"error":{"code":"Unauthorized","description":"Invalid Crumb"}}}"#;
    for status in [401, 200] {
        let stage = with_pass().await;
        stage.server.set("quoteSummary", status, finance).then(200, PROFILE);
        stage.profile().await.unwrap();
        assert_eq!((stage.server.count("getcrumb"), stage.server.count("quoteSummary")), (2, 2));
        // Renewed once, and not again and again.
        let stage = with_pass().await;
        stage.server.set("quoteSummary", status, finance);
        assert!(stage.profile().await.unwrap_err().may_pass());
        assert_eq!((stage.server.count("getcrumb"), stage.server.count("quoteSummary")), (2, 2));
    }
}

#[tokio::test]
async fn etf_index() {
    let stage = with_pass().await;
    let body = r#"{"quoteSummary":{"result":null,"error":{"code":"Not Found","description":"No fundamentals data found for symbol: SPY"}}}"#;
    stage.server.set("quoteSummary", 404, body);
    assert_eq!(stage.profile().await.unwrap_err().why, Why::Empty);
}

/// AgentOS 6.C 22.
#[tokio::test]
async fn what_is_of_now_is_not_given_for_the_past() {
    let stage = with_pass().await;
    let (apple, past) = (ticker("AAPL"), date("2024-06-28"));
    let refusals = [
        stage.yahoo.profile(&apple, past).await.unwrap_err(),
        stage.yahoo.statement(&apple, Statement::Income, Frequency::Annual, past).await.unwrap_err(),
        stage.yahoo.insider_trades(&apple, past).await.unwrap_err(),
        stage.yahoo.movers(MoverKind::Gainers, past).await.unwrap_err(),
        stage.yahoo.earnings(None, past, past, past).await.unwrap_err(),
    ];
    for refusal in refusals {
        assert!(refusal.why == Why::Empty && refusal.reason.contains("of now"), "{refusal}");
    }
    assert!(stage.server.asked().is_empty());
}

#[tokio::test]
async fn statements_leave_out_what_has_only_a_name() {
    let stage = stage_at("2025-11-03T12:00:00Z").await;
    let body = json!({ "timeseries": { "error": null, "result": [
        { "meta": { "type": ["annualTotalRevenue"] }, "annualTotalRevenue": [
            { "asOfDate": "2021-02-28", "currencyCode": "GBP", "reportedValue": { "raw": 5.8E10, "fmt": "58B" } },
            null,
            { "asOfDate": "2022-02-28", "periodType": "12M", "currencyCode": "GBP", "reportedValue": { "raw": 6.1E10 } },
        ] },
        { "meta": { "type": ["annualGrossProfit"] } },
    ] } });
    stage.server.set("/timeseries/TSCO.L", 200, body.to_string());
    let answer = stage
        .yahoo
        .statement(&ticker("TSCO.L"), Statement::Income, Frequency::Annual, date(TODAY))
        .await
        .unwrap();
    let shown: Vec<String> =
        answer.data.iter().map(|it| format!("{} {} {} {}", it.end, it.label, it.value, it.unit)).collect();
    assert_eq!(shown, ["2022-02-28 TotalRevenue 61000000000 GBP", "2021-02-28 TotalRevenue 58000000000 GBP"]);
    assert!(answer.source.notes[0].contains("as it is known today"));
}

#[tokio::test]
async fn insiders_news_movers_and_calendars() {
    let stage = with_pass().await;
    let (apple, today) = (ticker("AAPL"), date(TODAY));
    let insiders = json!({ "quoteSummary": { "result": [{ "insiderTransactions": { "transactions": [
        { "shares": { "raw": 100 }, "value": { "raw": 25000 }, "transactionText": "Sale at price 250.00 per share.", "filerName": "COOK TIMOTHY", "startDate": { "raw": 1760572800, "fmt": "2025-10-16" } },
        { "shares": { "raw": 10 }, "value": {}, "transactionText": "", "filerName": "A", "startDate": {} },
    ] } }], "error": null } });
    stage.server.set("insiderTransactions", 200, insiders.to_string());
    let trades = stage.yahoo.insider_trades(&apple, today).await.unwrap().data;
    assert_eq!(
        (trades.len(), trades[0].change.to_string(), trades[0].price.unwrap().to_string()),
        (1, "-100".to_owned(), "250".to_owned())
    );

    let item = |title: &str, date: Value| json!({ "content": { "title": title, "summary": "s", "pubDate": date, "canonicalUrl": { "url": "https://example.com" } } });
    let mut advert = item("advert", json!("2025-11-02T20:33:56Z"));
    advert["ad"] = json!([{ "id": 1 }]);
    let stream = json!({ "data": { "tickerStream": { "stream": [item("recent", json!("2025-11-02T20:33:56Z")), advert, item("undated", json!(null)), item("later", json!("2025-11-04T00:00:00Z"))] } } });
    stage.server.set("/xhr/ncp", 200, stream.to_string());
    let about = NewsAbout::Company(apple.clone());
    let news = stage.yahoo.news(&about, date("2025-10-27"), today).await.unwrap().data;
    assert_eq!(news.iter().map(|article| article.title.as_str()).collect::<Vec<_>>(), ["recent"]);
    let past = stage.yahoo.news(&about, date("2024-06-01"), date("2024-06-28")).await.unwrap_err();
    assert!(past.why == Why::Empty && past.reason.contains("recent articles alone"), "{past}");
    assert!(stage.server.asked().last().unwrap().body.contains("\"s\":[\"AAPL\"]"));

    let quotes = json!({ "finance": { "result": [{ "quotes": [{ "symbol": "XYZ", "regularMarketPrice": { "raw": 5.5 }, "regularMarketChangePercent": 12.5, "regularMarketVolume": 100 }] }], "error": null } });
    stage.server.set("/screener/", 200, quotes.to_string());
    let movers = stage.yahoo.movers(MoverKind::Losers, today).await.unwrap().data;
    assert_eq!(
        (movers[0].price.unwrap().to_string(), movers[0].change.unwrap().to_string()),
        ("5.5".to_owned(), "0.125".to_owned())
    );
    assert!(stage.server.asked().last().unwrap().target.contains("scrIds=day_losers"));

    let calendar = json!({ "finance": { "result": [{ "documents": [{
        "columns": [{ "id": "ticker", "label": "Symbol" }, { "id": "startdatetime", "label": "Event Start Date" }, { "id": "epsestimate" }, { "id": "epsactual" }],
        "rows": [["AAPL", "2025-11-05T21:00:00.000Z", 1.5, 0], ["MSFT", "2025-11-06", 0, 2.1]],
    }] }], "error": null } });
    stage.server.set("/visualization", 200, calendar.to_string());
    let rows = stage.yahoo.earnings(None, date("2025-11-04"), date("2025-11-07"), today).await.unwrap().data;
    assert_eq!((rows[0].projected, rows[0].actual, rows[1].estimate), (true, None, None), "0 is missing");

    let next = json!({ "quoteSummary": { "result": [{ "calendarEvents": { "earnings": { "earningsDate": [{ "raw": 1769720400 }, { "raw": 1770066000 }], "isEarningsDateEstimate": true } } }], "error": null } });
    stage.server.set("calendarEvents", 200, next.to_string());
    let rows = stage.yahoo.earnings(Some(&apple), today, date("2026-12-31"), today).await.unwrap().data;
    assert_eq!(
        (rows[0].date, rows[0].period.as_str()),
        (date("2026-01-29"), "guessed, 2026-01-29 to 2026-02-02")
    );
}

#[tokio::test]
async fn news_of_the_markets_count_by_their_moment_and_those_without_one_are_left_out() {
    let stage = stage().await;
    // 2025-11-02 20:33:56 and 2025-11-04 00:00:00 UTC.
    let found = json!({ "news": [
        { "title": "recent", "publisher": "Reuters", "providerPublishTime": 1762115636, "link": "https://example.com" },
        { "title": "undated", "publisher": "Reuters" },
        { "title": "later", "publisher": "Reuters", "providerPublishTime": 1762214400 },
    ] });
    stage.server.set("/v1/finance/search", 200, found.to_string());
    let news = stage.yahoo.news(&NewsAbout::Markets, date("2025-10-27"), date(TODAY)).await.unwrap().data;
    let shown: Vec<_> =
        news.iter().map(|it| (it.title.as_str(), it.publisher.as_str(), it.date.to_string())).collect();
    assert_eq!(shown, [("recent", "Reuters", "2025-11-02".to_owned())]);
}

#[tokio::test]
async fn the_columns_of_a_calendar_are_found_by_their_labels() {
    let stage = with_pass().await;
    let column = |label: &str, kind: &str| json!({ "label": label, "type": kind });
    let calendar = json!({ "finance": { "result": [{ "documents": [{
        "columns": [
            column("Symbol", "STRING"), column("Event Start Date", "DATE"), column("EPS Estimate", "NUMBER"),
            column("Reported EPS", "NUMBER"),
        ],
        "rows": [["AAPL", "2025-11-05T21:00:00.000Z", 1.5, 0], ["MSFT", "2025-11-06", 0, 2.1]],
    }] }], "error": null } });
    stage.server.set("/visualization", 200, calendar.to_string());
    let rows =
        stage.yahoo.earnings(None, date("2025-11-04"), date("2025-11-07"), date(TODAY)).await.unwrap().data;
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let number = |it: Option<protocol::Decimal>| it.map(|it| it.to_string());
            (row.symbol.as_str(), row.date.to_string(), number(row.estimate), number(row.actual))
        })
        .collect();
    assert_eq!(
        shown,
        [
            ("AAPL", "2025-11-05".to_owned(), Some("1.5".to_owned()), None),
            ("MSFT", "2025-11-06".to_owned(), None, Some("2.1".to_owned())),
        ]
    );
    assert!(stage.server.asked().last().unwrap().body.contains("sp_earnings"));
}

/// A price in hundredths that a later split divides exactly.
fn price() -> impl Strategy<Value = i64> {
    (1_i64..10_000).prop_map(|units| units * 40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Everything after the day is changed: later prices, dividends, and splits that rewrite all prices before.
    #[test]
    fn nothing_after_the_day_changes_what_was_known_on_it(
        before in prop::collection::vec(price(), 3..20),
        after in prop::collection::vec(1_i64..100_000, 0..10),
        early_split in prop::option::of(prop::sample::select(vec![2, 4])),
        late_split in prop::option::of(prop::sample::select(vec![2, 4, 5])),
        late_dividend in prop::option::of(1_i64..100),
    ) {
        let rows = |divisor: i64, tail: &[i64]| {
            let known = before.iter().enumerate().map(|(index, cents)| {
                // Days before the early split are stored in new shares, too.
                let early = if index == 0 { early_split.unwrap_or(1) } else { 1 };
                (JANUARY + DAY * index as i64, json!(*cents as f64 / (100 * divisor * early) as f64))
            });
            let tail = tail.iter().enumerate().map(|(index, cents)| {
                (JANUARY + DAY * (before.len() + index) as i64, json!(*cents as f64 / 100.0))
            });
            closes(&known.chain(tail).collect::<Vec<_>>())
        };
        let first_later = JANUARY + DAY * before.len() as i64;
        let split = |date: i64, ratio: i64| json!({ "date": date, "numerator": ratio, "denominator": 1 });
        let mut early = json!({ "splits": {}, "dividends": { "0": { "amount": 1.2, "date": JANUARY } } });
        if let Some(ratio) = early_split {
            early["splits"]["a"] = split(JANUARY + DAY, ratio);
        }
        let mut late = early.clone();
        if let Some(ratio) = late_split {
            late["splits"]["b"] = split(first_later, ratio);
            late["dividends"]["0"]["amount"] = json!(1.2 / ratio as f64);
        }
        if let Some(cents) = late_dividend {
            late["dividends"]["1"] = json!({ "amount": cents as f64 / 100.0, "date": first_later });
        }
        let then = chart(new_york(), &rows(1, &[]), early);
        let later = chart(new_york(), &rows(late_split.unwrap_or(1), &after), late);
        let as_of: Date = date("2019-01-22").checked_add(jiff::Span::new().days(before.len() as i64 - 1)).unwrap();
        let (one, other) = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(async {
            let mut seen = Vec::new();
            for body in [then, later] {
                let stage = stage().await;
                stage.server.set("/v8/", 200, body);
                seen.push(stage.prices("AAPL", &as_of.to_string()).await.unwrap());
            }
            let other = seen.pop().unwrap();
            (seen.pop().unwrap(), other)
        });
        prop_assert_eq!(one.data.days.len(), before.len());
        prop_assert_eq!(one, other);
    }
}
