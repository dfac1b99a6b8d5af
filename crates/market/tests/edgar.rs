//! What SEC EDGAR really sends, each kind as a test named after it, against a server with those bytes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use std::{io::Write, sync::Arc, time::Duration};

use market::{Edgar, EdgarAddresses, Frequency, NoData, Outcome, Statement, StatementFigure, Vendor, Why};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::{LocalVendor, SetClock, date, network, ticker};

const NOW: &str = "2025-11-03T12:00:00Z";
const CONTACT: &str = "Pitwall Test test@example.com";
const NO_SUCH_KEY: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>";

struct Stage {
    server: LocalVendor,
    clock: Arc<SetClock>,
    edgar: Edgar,
}

async fn stage() -> Stage {
    let (server, clock) = (LocalVendor::start().await, SetClock::at(NOW));
    let edgar = Edgar::new(network(&clock), EdgarAddresses::at(&server.base), CONTACT);
    server.set(
        "company_tickers.json",
        200,
        json!({
            "0": { "cik_str": 320193, "ticker": "AAPL", "title": "Apple Inc." },
            "1": { "cik_str": 1067983, "ticker": "BRK-B", "title": "BERKSHIRE HATHAWAY INC" },
            "2": { "cik_str": 1067983, "ticker": "BRK-A", "title": "BERKSHIRE HATHAWAY INC" },
        })
        .to_string(),
    );
    server.set("submissions/", 200, submissions(&[]));
    Stage { server, clock, edgar }
}

/// Filings as accession, day, form and document.
fn submissions(filings: &[(&str, &str, &str, &str)]) -> String {
    let column = |index: usize| -> Vec<&str> {
        filings.iter().map(|filing| [filing.0, filing.1, filing.2, filing.3][index]).collect()
    };
    json!({
        "cik": "0000320193", "name": "Apple Inc.", "sicDescription": "Electronic Computers", "fiscalYearEnd": "0927",
        "formerNames": [{ "name": "APPLE COMPUTER INC", "from": "1994-01-26T05:00:00.000Z", "to": "2007-01-04T05:00:00.000Z" }],
        "filings": {
            "recent": { "accessionNumber": column(0), "filingDate": column(1), "form": column(2), "primaryDocument": column(3) },
            "files": [],
        },
    })
    .to_string()
}

/// A body with these facts by concept and unit.
fn facts(concepts: &[(&str, &str, Value)]) -> String {
    let mut all = json!({});
    for (concept, unit, facts) in concepts {
        all[*concept] = json!({ "label": null, "description": null, "units": { *unit: facts } });
    }
    json!({ "cik": 320193, "entityName": "Apple Inc.", "facts": { "us-gaap": all } }).to_string()
}

fn span(start: &str, end: &str, val: i64, filed: &str) -> Value {
    json!({ "start": start, "end": end, "val": val, "accn": format!("a-{filed}"), "fy": null, "fp": null, "form": "10-Q", "filed": filed })
}

fn moment(end: &str, val: i64, filed: &str) -> Value {
    json!({ "end": end, "val": val, "accn": format!("a-{filed}"), "fy": 2023, "fp": "FY", "form": "10-K", "filed": filed })
}

impl Stage {
    async fn statement(
        &self,
        statement: Statement,
        frequency: Frequency,
        as_of: &str,
    ) -> Outcome<Vec<StatementFigure>> {
        self.edgar.statement(&ticker("AAPL"), statement, frequency, date(as_of)).await
    }

    async fn quarters_of(&self, symbol: &str, as_of: &str) -> Outcome<Vec<StatementFigure>> {
        self.edgar.statement(&ticker(symbol), Statement::Income, Frequency::Quarterly, date(as_of)).await
    }

    async fn quarters(&self, statement: Statement, as_of: &str) -> Vec<StatementFigure> {
        self.statement(statement, Frequency::Quarterly, as_of).await.unwrap().data
    }

    async fn refusal(&self, symbol: &str) -> NoData {
        let (symbol, day) = (ticker(symbol), date("2024-01-31"));
        self.edgar.statement(&symbol, Statement::Income, Frequency::Annual, day).await.unwrap_err()
    }
}

fn of<'f>(figures: &'f [StatementFigure], label: &str) -> Vec<&'f StatementFigure> {
    figures.iter().filter(|figure| figure.label == label).collect()
}

/// End, value and day of publication of each figure.
fn shown(figures: &[&StatementFigure]) -> Vec<String> {
    figures.iter().map(|figure| format!("{} {} {}", figure.end, figure.value, figure.published)).collect()
}

#[tokio::test]
async fn every_request_names_the_contact_and_takes_gzip() {
    let stage = stage().await;
    let body = facts(&[("Assets", "USD", json!([moment("2023-09-30", 352_583, "2023-11-03")]))]);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(body.as_bytes()).unwrap();
    stage.server.set_with(
        "companyfacts/CIK0000320193.json",
        200,
        &[("content-encoding", "gzip")],
        packed.finish().unwrap(),
    );
    let figures = stage.quarters(Statement::BalanceSheet, "2024-01-31").await;
    assert_eq!(shown(&of(&figures, "Assets")), ["2023-09-30 352583 2023-11-03"]);
    for asked in stage.server.asked() {
        assert_eq!(asked.headers["user-agent"], CONTACT);
        assert_eq!(asked.headers["accept-encoding"], "gzip");
    }
}

#[tokio::test]
async fn no_user_agent() {
    let stage = stage().await;
    let page = "<html><h1>Your Request Originates from an Undeclared Automated Tool</h1></html>";
    stage.server.set("company_tickers.json", 403, page);
    let refusal = stage.refusal("AAPL").await;
    assert_eq!(refusal.why, Why::Denied);
    assert!(refusal.reason.contains("`contact`"), "{refusal}");
    stage.refusal("AAPL").await;
    assert_eq!(stage.server.asked().len(), 1, "it is not asked again");
}

#[tokio::test]
async fn too_fast() {
    for status in [403, 429] {
        let stage = stage().await;
        stage.server.set(
            "company_tickers.json",
            status,
            "<title>SEC.gov | Request Rate Threshold Exceeded</title>",
        );
        assert_eq!(stage.refusal("AAPL").await.why, Why::Later(Duration::from_secs(600)));
        stage.clock.advance(Duration::from_secs(599));
        assert_eq!(stage.refusal("AAPL").await.why, Why::Later(Duration::from_secs(1)));
        assert_eq!(stage.server.asked().len(), 1, "ten quiet minutes");
        stage.clock.advance(Duration::from_secs(1));
        stage.refusal("AAPL").await;
        assert_eq!(stage.server.asked().len(), 2);
    }
}

#[tokio::test]
async fn no_cik_no_facts() {
    let stage = stage().await;
    stage.server.set("companyfacts/", 404, NO_SUCH_KEY);
    assert_eq!(stage.refusal("AAPL").await.why, Why::Empty);
    stage.server.set("submissions/", 404, NO_SUCH_KEY);
    let profile = stage.edgar.profile(&ticker("CIK0000000001"), date("2024-01-31")).await.unwrap_err();
    assert_eq!(profile.why, Why::Unknown);
}

#[tokio::test]
async fn what_is_filed_under_ifrs_is_read_in_its_currency() {
    let stage = stage().await;
    let year = json!({
        "start": "2022-01-01", "end": "2022-12-31", "val": 70_000, "accn": "a", "fy": 2022, "fp": "FY",
        "form": "20-F", "filed": "2023-03-01",
    });
    let concept = json!({ "label": null, "description": null, "units": { "EUR": [year] } });
    let body = json!({ "cik": 320193, "entityName": "A", "facts": { "ifrs-full": { "Revenue": concept } } });
    stage.server.set("companyfacts/", 200, body.to_string());
    let figures = stage.statement(Statement::Income, Frequency::Annual, "2024-01-31").await.unwrap().data;
    let revenue = of(&figures, "Revenue");
    assert_eq!(shown(&revenue), ["2022-12-31 70000 2023-03-01"]);
    assert_eq!(revenue[0].unit, "EUR");
}

#[tokio::test]
async fn requests_go_at_eight_a_second() {
    let stage = stage().await;
    stage.server.set("companyfacts/", 404, NO_SUCH_KEY);
    while stage.server.asked().len() < 9 {
        let cik = format!("CIK{:010}", stage.server.asked().len());
        stage.edgar.profile(&ticker(&cik), date("2024-01-31")).await.ok();
    }
    assert!(stage.clock.slept() >= Duration::from_secs(1), "{:?}", stage.clock.slept());
}

#[tokio::test]
async fn fy_fp_of_the_filing() {
    let stage = stage().await;
    // Both are called 2023 FY by the filing of 2023.
    let assets =
        json!([moment("2022-09-24", 352_755, "2023-11-03"), moment("2023-09-30", 352_583, "2023-11-03")]);
    stage.server.set("companyfacts/", 200, facts(&[("Assets", "USD", assets)]));
    let figures = stage.quarters(Statement::BalanceSheet, "2024-01-31").await;
    assert_eq!(
        shown(&of(&figures, "Assets")),
        ["2023-09-30 352583 2023-11-03", "2022-09-24 352755 2023-11-03"]
    );
}

#[tokio::test]
async fn repeated() {
    let stage = stage().await;
    let days = ["2023-02-03", "2023-04-26", "2023-07-26", "2023-10-25", "2024-01-31"];
    let mut assets: Vec<Value> = days.iter().map(|day| moment("2022-12-31", 365_264, day)).collect();
    assets[4]["frame"] = json!("CY2022Q4I");
    stage.server.set("companyfacts/", 200, facts(&[("Assets", "USD", json!(assets))]));
    let figures = stage.quarters(Statement::BalanceSheet, "2024-06-30").await;
    assert_eq!(
        shown(&of(&figures, "Assets")),
        ["2022-12-31 365264 2023-02-03"],
        "one, public since the first"
    );
}

#[tokio::test]
async fn split() {
    let stage = stage().await;
    let eps = json!([
        { "start": "2020-01-01", "end": "2020-12-31", "val": 58.61, "accn": "a", "fy": 2020, "fp": "FY", "form": "10-K", "filed": "2021-02-03" },
        { "start": "2020-01-01", "end": "2020-12-31", "val": 2.93, "accn": "b", "fy": 2022, "fp": "FY", "form": "10-K", "filed": "2023-02-03" },
    ]);
    stage.server.set("companyfacts/", 200, facts(&[("EarningsPerShareDiluted", "USD/shares", eps)]));
    for (day, value) in [("2022-06-30", "58.61"), ("2023-06-30", "2.93")] {
        let figures = stage.statement(Statement::Income, Frequency::Annual, day).await.unwrap().data;
        assert_eq!(of(&figures, "Earnings per share, diluted")[0].value.to_string(), value);
    }
}

#[tokio::test]
async fn restated() {
    let stage = stage().await;
    // Whatever form a restatement comes in, it counts from its own filing.
    for form in ["10-Q", "8-K", "10-Q/A"] {
        let mut second = span("2018-01-01", "2018-03-31", 2910, "2019-04-30");
        second["form"] = json!(form);
        let income = json!([span("2018-01-01", "2018-03-31", 3542, "2018-04-24"), second]);
        stage.server.set("companyfacts/", 200, facts(&[("NonoperatingIncomeExpense", "USD", income)]));
        for (day, known) in [
            ("2018-04-24", "2018-03-31 3542 2018-04-24"),
            ("2019-04-29", "2018-03-31 3542 2018-04-24"),
            ("2019-04-30", "2018-03-31 2910 2019-04-30"),
        ] {
            let figures = stage.quarters(Statement::Income, day).await;
            assert_eq!(shown(&of(&figures, "Non-operating income")), [known], "{form} as of {day}");
        }
        let before = stage.statement(Statement::Income, Frequency::Quarterly, "2018-04-23").await;
        assert_eq!(before.unwrap_err().why, Why::Empty);
    }
}

#[tokio::test]
async fn year_to_date() {
    let stage = stage().await;
    let income = json!([
        span("2023-01-01", "2023-09-30", 30, "2023-10-25"),
        span("2023-07-01", "2023-09-30", 12, "2023-10-25"),
    ]);
    // Cash flow comes from the beginning of the year alone.
    let cash = json!([
        span("2023-01-01", "2023-03-31", 100, "2023-04-26"),
        span("2023-01-01", "2023-06-30", 250, "2023-07-26"),
        span("2023-01-01", "2023-09-30", 450, "2023-10-25"),
    ]);
    stage.server.set(
        "companyfacts/",
        200,
        facts(&[
            ("NetIncomeLoss", "USD", income),
            ("NetCashProvidedByUsedInOperatingActivities", "USD", cash),
        ]),
    );
    let figures = stage.quarters(Statement::Income, "2023-12-31").await;
    assert_eq!(shown(&of(&figures, "Net income")), ["2023-09-30 12 2023-10-25"]);
    let figures = stage.quarters(Statement::CashFlow, "2023-12-31").await;
    let quarters = of(&figures, "Cash from operations");
    assert_eq!(
        shown(&quarters),
        ["2023-09-30 200 2023-10-25", "2023-06-30 150 2023-07-26", "2023-03-31 100 2023-04-26"]
    );
    assert_eq!(quarters[0].start, Some(date("2023-07-01")));
    assert_eq!(quarters[0].derived.as_deref(), Some("derived: 9 months less 6 months"));
    assert_eq!(quarters[2].derived, None);
}

#[tokio::test]
async fn no_q4() {
    let stage = stage().await;
    let net = json!([
        span("2023-01-01", "2023-09-30", 70, "2023-10-25"),
        span("2023-01-01", "2023-12-31", 100, "2024-01-31"),
    ]);
    let eps = json!([
        span("2023-01-01", "2023-09-30", 7, "2023-10-25"),
        span("2023-01-01", "2023-12-31", 10, "2024-01-31"),
    ]);
    stage.server.set(
        "companyfacts/",
        200,
        facts(&[("NetIncomeLoss", "USD", net), ("EarningsPerShareBasic", "USD/shares", eps)]),
    );
    let figures = stage.quarters(Statement::Income, "2024-06-30").await;
    let fourth = of(&figures, "Net income")[0];
    assert_eq!(
        (fourth.value.to_string().as_str(), fourth.start, fourth.published),
        ("30", Some(date("2023-10-01")), date("2024-01-31"))
    );
    assert_eq!(fourth.derived.as_deref(), Some("derived: 12 months less 9 months"));
    assert!(of(&figures, "Earnings per share, basic").is_empty(), "earnings per share are no sum");
}

#[tokio::test]
async fn tag_changes() {
    let stage = stage().await;
    let old = json!([
        span("2017-01-01", "2017-03-31", 10, "2017-04-25"),
        span("2018-01-01", "2018-03-31", 20, "2018-04-25")
    ]);
    let new = json!([
        span("2018-01-01", "2018-03-31", 21, "2018-04-25"),
        span("2019-01-01", "2019-03-31", 30, "2019-04-25")
    ]);
    stage.server.set(
        "companyfacts/",
        200,
        facts(&[
            ("Revenues", "USD", old),
            ("RevenueFromContractWithCustomerExcludingAssessedTax", "USD", new),
        ]),
    );
    let figures = stage.quarters(Statement::Income, "2019-12-31").await;
    let revenue = of(&figures, "Revenue");
    assert_eq!(
        shown(&revenue),
        ["2019-03-31 30 2019-04-25", "2018-03-31 21 2018-04-25", "2017-03-31 10 2017-04-25"]
    );
    assert_eq!(revenue[2].concept, "Revenues");
}

#[tokio::test]
async fn lag() {
    let stage = stage().await;
    let net = json!([span("2023-01-01", "2023-03-31", 70, "2023-04-25")]);
    stage.server.set("companyfacts/", 200, facts(&[("NetIncomeLoss", "USD", net)]));
    stage.server.set(
        "submissions/",
        200,
        submissions(&[
            ("a-2023-07-26", "2023-07-26", "10-Q", "q2.htm"),
            ("a-2023-04-25", "2023-04-25", "10-Q", "q1.htm"),
        ]),
    );
    let notes = |answer: Outcome<Vec<StatementFigure>>| answer.unwrap().source.notes;
    let late = notes(stage.statement(Statement::Income, Frequency::Quarterly, "2023-07-28").await);
    assert_eq!(late, ["the 10-Q of 2023-07-26 is not in the figures yet"]);
    let whole = notes(stage.statement(Statement::Income, Frequency::Quarterly, "2023-07-25").await);
    assert!(whole.is_empty(), "{whole:?}");
}

#[tokio::test]
async fn bought_up() {
    let stage = stage().await;
    let net = json!([span("2022-01-01", "2022-03-31", 70, "2022-04-25")]);
    stage.server.set("companyfacts/CIK0000718877", 200, facts(&[("NetIncomeLoss", "USD", net)]));
    let refusal = stage.refusal("ATVI").await;
    assert_eq!(refusal.why, Why::Unknown);
    let answer = stage.quarters_of("CIK0000718877", "2023-01-31").await;
    assert_eq!(answer.unwrap().data.len(), 1);
}

#[tokio::test]
async fn symbols() {
    let stage = stage().await;
    let net = json!([span("2022-01-01", "2022-03-31", 70, "2022-04-25")]);
    stage.server.set("companyfacts/CIK0001067983", 200, facts(&[("NetIncomeLoss", "USD", net)]));
    assert_eq!(stage.quarters_of("BRK.B", "2023-01-31").await.unwrap().data.len(), 1);
    let asked = stage.server.asked().len();
    for foreign in ["TATAMOTORS.NS", "VOD.L", "^GSPC", "600519.SS"] {
        assert_eq!(stage.refusal(foreign).await.why, Why::Unknown);
    }
    assert_eq!(stage.server.asked().len(), asked, "what it cannot have is not asked for");
}

#[tokio::test]
async fn a_filing_of_today_counts_once_the_session_is_over() {
    let net = json!([span("2025-07-01", "2025-09-30", 70, "2025-11-03")]);
    for (now, is_known) in [("2025-11-03T20:59:59Z", false), ("2025-11-03T21:00:00Z", true)] {
        let (server, clock) = (LocalVendor::start().await, SetClock::at(now));
        let edgar = Edgar::new(network(&clock), EdgarAddresses::at(&server.base), CONTACT);
        server.set("companyfacts/", 200, facts(&[("NetIncomeLoss", "USD", net.clone())]));
        server.set("submissions/", 200, submissions(&[]));
        let stage = Stage { server, clock, edgar };
        let answer = stage.quarters_of("CIK320193", "2025-11-03").await;
        assert_eq!(answer.is_ok(), is_known, "at {now}");
    }
}

#[tokio::test]
async fn a_company_is_called_as_it_was_then() {
    let stage = stage().await;
    for (day, name, has_industry) in [
        ("2006-12-31", "APPLE COMPUTER INC", false),
        ("2020-01-01", "Apple Inc.", false),
        ("2025-11-03", "Apple Inc.", true),
    ] {
        let answer = stage.edgar.profile(&ticker("AAPL"), date(day)).await.unwrap();
        assert_eq!(answer.data.name, name);
        assert_eq!(answer.data.fields.iter().any(|(field, _)| field == "Industry"), has_industry, "{day}");
    }
}

const FORM_4: &str = r#"<?xml version="1.0"?>
<ownershipDocument>
  <reportingOwner>
    <reportingOwnerId><rptOwnerCik>1</rptOwnerCik><rptOwnerName>DOE JANE</rptOwnerName></reportingOwnerId>
    <reportingOwnerRelationship><isOfficer>1</isOfficer><officerTitle>Chief Financial Officer</officerTitle></reportingOwnerRelationship>
  </reportingOwner>
  <nonDerivativeTable>
    <nonDerivativeTransaction>
      <securityTitle><value>Common Stock</value></securityTitle>
      <transactionDate><value>2024-01-10</value></transactionDate>
      <transactionCoding><transactionCode>S</transactionCode></transactionCoding>
      <transactionAmounts>
        <transactionShares><value>396</value></transactionShares>
        <transactionPricePerShare><value>221.08</value></transactionPricePerShare>
        <transactionAcquiredDisposedCode><value>D</value></transactionAcquiredDisposedCode>
      </transactionAmounts>
    </nonDerivativeTransaction>
    <nonDerivativeTransaction>
      <transactionDate><value>2024-01-09</value></transactionDate>
      <transactionCoding><transactionCode>M</transactionCode></transactionCoding>
      <transactionAmounts>
        <transactionShares><value>1000</value></transactionShares>
        <transactionPricePerShare><footnoteId id="F1"/></transactionPricePerShare>
        <transactionAcquiredDisposedCode><value>A</value></transactionAcquiredDisposedCode>
      </transactionAmounts>
    </nonDerivativeTransaction>
  </nonDerivativeTable>
</ownershipDocument>"#;

#[tokio::test]
async fn trades_of_insiders_are_public_on_the_day_of_their_filing() {
    let stage = stage().await;
    let filing = ("0000320193-24-000007", "2024-01-12", "4", "xslF345X05/wk-form4_17.xml");
    stage.server.set("submissions/", 200, submissions(&[filing]));
    stage.server.set("/Archives/edgar/data/320193/000032019324000007/wk-form4_17.xml", 200, FORM_4);
    let insiders = |day: &'static str| {
        let edgar = &stage.edgar;
        async move { edgar.insider_trades(&ticker("AAPL"), date(day)).await }
    };
    // The trade lies before, its filing after.
    assert_eq!(insiders("2024-01-11").await.unwrap_err().why, Why::Empty);
    let answer = insiders("2024-01-12").await.unwrap();
    let trades: Vec<String> = answer
        .data
        .iter()
        .map(|it| {
            format!(
                "{} {} {} {} {:?} {}",
                it.date,
                it.name,
                it.role,
                it.change,
                it.price.map(|price| price.to_string()),
                it.code
            )
        })
        .collect();
    assert_eq!(
        trades,
        [
            "2024-01-10 DOE JANE Chief Financial Officer -396 Some(\"221.08\") S",
            "2024-01-09 DOE JANE Chief Financial Officer 1000 None M",
        ]
    );
    assert_eq!(answer.source.published, Some(date("2024-01-12")));
}

#[tokio::test]
async fn hostile_filings_are_noted_and_end_nothing() {
    let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>".to_owned();
    for body in [bomb, "<a>".repeat(60_000), "not xml".to_owned(), String::new()] {
        let stage = stage().await;
        stage.server.set(
            "submissions/",
            200,
            submissions(&[("1-1-1", "2024-01-12", "4", "../../../../etc/passwd")]),
        );
        stage.server.set("/Archives/", 200, body);
        let refusal = stage.edgar.insider_trades(&ticker("AAPL"), date("2024-01-31")).await.unwrap_err();
        assert_eq!(refusal.why, Why::Empty);
        assert!(
            stage.server.asked().last().unwrap().target.ends_with("/Archives/edgar/data/320193/111/passwd")
        );
    }
}

#[tokio::test]
async fn what_grows_when_it_is_unpacked_is_cut_off() {
    let stage = stage().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..20 {
        packed.write_all(&vec![b' '; 1 << 20]).unwrap();
    }
    stage.server.set_with(
        "company_tickers.json",
        200,
        &[("content-encoding", "gzip")],
        packed.finish().unwrap(),
    );
    let refusal = stage.refusal("AAPL").await;
    assert!(refusal.reason.contains("bytes"), "{refusal}");
    // Nor is a part taken for the whole.
    let cut = self::stage().await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(&[b'x'; 10_000]).unwrap();
    let whole = packed.finish().unwrap();
    cut.server.set_with(
        "company_tickers.json",
        200,
        &[("content-encoding", "gzip")],
        whole[..whole.len() - 9].to_vec(),
    );
    assert!(cut.refusal("AAPL").await.may_pass());
}

#[tokio::test]
async fn older_filings_are_found_in_their_files() {
    let stage = stage().await;
    let mut body: Value = serde_json::from_str(&submissions(&[("9", "2024-01-12", "4", "new.xml")])).unwrap();
    body["filings"]["files"] = json!([{ "name": "CIK0000320193-submissions-001.json", "filingFrom": "2010-01-01", "filingTo": "2015-12-31" }]);
    stage.server.set("submissions/CIK0000320193.json", 200, body.to_string());
    let older: Value =
        serde_json::from_str(&submissions(&[("7-7-7", "2014-01-12", "4", "old.xml")])).unwrap();
    stage.server.set("submissions-001.json", 200, older["filings"]["recent"].to_string());
    stage.server.set("/777/old.xml", 200, FORM_4);
    let answer = stage.edgar.insider_trades(&ticker("AAPL"), date("2015-01-01")).await.unwrap();
    assert_eq!(answer.source.published, Some(date("2014-01-12")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Whatever is filed after the day, what was known on it stays the same.
    #[test]
    fn nothing_filed_after_the_day_changes_what_was_known_on_it(
        values in prop::collection::vec(1_i64..1_000_000, 1..6),
        later in prop::collection::vec((1_i64..1_000_000, 0_usize..6, 1_i32..700), 0..12),
    ) {
        let as_of = date("2023-12-31");
        let quarter = |index: usize| {
            let start = date("2022-01-01").saturating_add(jiff::Span::new().months(3 * index as i64));
            let end = start.saturating_add(jiff::Span::new().months(3)).yesterday().unwrap();
            (start.to_string(), end.to_string())
        };
        let known: Vec<Value> = values.iter().enumerate().map(|(index, value)| {
            let (start, end) = quarter(index);
            span(&start, &end, *value, "2023-12-31")
        }).collect();
        let mut all = known.clone();
        for (value, index, days) in later {
            let (start, end) = quarter(index);
            all.push(span(&start, &end, value, &as_of.saturating_add(jiff::Span::new().days(days)).to_string()));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (then, now) = runtime.block_on(async {
            let mut seen = Vec::new();
            for facts_of in [known, all] {
                let stage = stage().await;
                stage.server.set("companyfacts/", 200, facts(&[("Revenues", "USD", json!(facts_of))]));
                seen.push(stage.statement(Statement::Income, Frequency::Quarterly, "2023-12-31").await.unwrap());
            }
            let now = seen.pop().unwrap();
            (seen.pop().unwrap(), now)
        });
        prop_assert_eq!(then.data.len(), values.len());
        prop_assert_eq!(then, now);
    }
}
