//! The scan of the market, from the request to the proposed stocks.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use jiff::ToSpan;
use llm::{ChatRequest, Message, Turn};
use market::{
    Adjustment, Answer, DailyPrice, DataKind, InsiderTrade, Market, NoData, Outcome, PriceHistory, Sample,
    Source, Vendor,
};
use protocol::{
    AccountId, Body, Date, Decimal, NodeStatus, RunStatus, RunView, Tier, ToolStatus, TurnContent,
    trading::{Confidence, MacroRegime, Measured, Regime, Scan, ThesisAngle, Ticker},
};
use serde_json::{Value, json};
use stage::{Changed, Stage, scan};
use workflows::trading::scan::{Series, judge};

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// The result that a run ended with.
fn result(view: &RunView) -> Scan {
    view.documents().last().unwrap()
}

/// What a tool of the run returned, as JSON.
async fn measured(stage: &Stage, view: &RunView, tool: &str) -> (ToolStatus, Value) {
    let called = view.tools.iter().find(|called| called.tool == tool).unwrap();
    let outcome = called.outcome.as_ref().unwrap();
    let text = stage.journal.resolve(&outcome.result).await.unwrap();
    (outcome.status, serde_json::from_str(&text).unwrap())
}

async fn report(stage: &Stage, view: &RunView, name: &str) -> String {
    let report = view.reports.iter().find(|report| report.name == name).unwrap();
    stage.journal.resolve(&report.markdown).await.unwrap()
}

/// AgentOS 6.C 6, 7.3.6, E 7.
#[tokio::test]
async fn each_of_the_six_agents_works_once_and_the_deep_dive_after_all_scanners() {
    let stage = Stage::new().await;
    let view = stage.run(scan("2022-10-28", 10, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let (quick, mid, deep) = (Some(Tier::Quick), Some(Tier::Mid), Some(Tier::Deep));
    let nodes: Vec<_> =
        view.nodes.iter().map(|node| (node.plan.id.as_str(), node.plan.tier, node.visits.len())).collect();
    assert_eq!(
        nodes,
        [
            ("geopolitical_scanner", quick, 1),
            ("market_movers_scanner", quick, 1),
            ("sector_scanner", quick, 1),
            ("smart_money_scanner", quick, 1),
            ("industry_deep_dive", mid, 1),
            ("macro_synthesis", deep, 1),
        ]
    );
    assert!(view.nodes.iter().all(|node| node.status == NodeStatus::Succeeded));
    let events = stage.events(view.summary.run).await;
    let place = |wanted: &dyn Fn(&Body) -> bool, node: &str| {
        let found = events.iter().position(|event| {
            event.node.as_ref().is_some_and(|id| id.as_str() == node) && wanted(&event.body)
        });
        found.unwrap()
    };
    let started = |body: &Body| matches!(body, Body::NodeStarted(_));
    let finished = |body: &Body| matches!(body, Body::NodeFinished(_));
    let side_by_side = ["geopolitical_scanner", "market_movers_scanner", "sector_scanner"];
    let first_end = side_by_side.iter().map(|node| place(&finished, node)).min().unwrap();
    assert!(side_by_side.iter().all(|node| place(&started, node) < first_end));
    assert!(place(&finished, "sector_scanner") < place(&started, "smart_money_scanner"));
    for scanner in side_by_side.iter().chain(["smart_money_scanner"].iter()) {
        assert!(place(&finished, scanner) < place(&started, "industry_deep_dive"), "{scanner}");
    }
}

/// AgentOS 7.6.5.
#[tokio::test]
async fn movers_breadth_and_sectors_are_those_of_an_independent_calculation() {
    let stage = Stage::new().await;
    let view = stage.run(scan("2022-10-28", 10, "flow")).await;
    // By a calculation in another language on the same prices.
    let (_, movers) = measured(&stage, &view, "measure_movers").await;
    let facts = &movers["facts"];
    assert_eq!(facts["session"], "2022-10-28");
    let moved = |side: &str| -> Vec<(String, String)> {
        let rows = facts[side].as_array().unwrap().iter();
        rows.map(|row| (row["ticker"].as_str().unwrap().into(), row["day"].as_str().unwrap().into()))
            .collect()
    };
    let pair = |ticker: &str, day: &str| (ticker.to_owned(), day.to_owned());
    assert_eq!(
        moved("gainers"),
        [
            pair("AAPL", "0.0756"),
            pair("AMD", "0.0582"),
            pair("MSFT", "0.0402"),
            pair("BBY", "0.0381"),
            pair("PFE", "0.0369"),
        ]
    );
    assert_eq!(moved("losers"), [pair("RRC", "-0.0167")]);
    let breadth = json!({
        "stocks": 20, "advancers": 19, "decliners": 1, "above_50_sma": 16, "above_200_sma": 9,
        "new_highs": 6, "new_lows": 0,
    });
    assert_eq!(facts["breadth"], breadth);
    let index = &facts["index"]["known"];
    let known = |value: &Value| value["known"].as_str().unwrap().to_owned();
    assert_eq!(
        [known(&index["day"]), known(&index["week"]), known(&index["month"]), known(&index["year_to_date"])],
        ["0.0246", "0.0395", "0.0716", "-0.1815"]
    );

    let (status, sectors) = measured(&stage, &view, "get_sector_performance").await;
    assert_eq!(status, ToolStatus::Degraded, "four sectors have no listed stock");
    let rows = sectors["facts"]["sectors"].as_array().unwrap();
    assert_eq!(rows.len(), 11);
    let shown: Vec<_> = rows
        .iter()
        .filter(|row| row["month"].get("known").is_some())
        .map(|row| {
            let figures = ["day", "week", "month", "year_to_date"].map(|name| known(&row[name]));
            (row["sector"].as_str().unwrap(), figures.join(" "))
        })
        .collect();
    let expected = [
        ("Industrials", "0.0307 0.0757 0.2487 -0.1681"),
        ("Energy", "0.0081 0.0448 0.1986 0.6560"),
        ("Financial Services", "0.0103 0.0333 0.1891 -0.1757"),
        ("Healthcare", "0.0179 0.0468 0.0948 0.1277"),
        ("Consumer Defensive", "0.0193 0.0580 0.0759 -0.0092"),
        ("Consumer Cyclical", "0.0321 0.0779 0.0616 -0.2856"),
        ("Technology", "0.0580 0.0286 0.0177 -0.3275"),
    ];
    assert_eq!(shown, expected.map(|(sector, figures)| (sector, figures.to_owned())));
    assert_eq!(rows[1]["basis"]["known"], "the mean of its 3 listed stocks");
    let utilities = rows.iter().find(|row| row["sector"] == "Utilities").unwrap();
    assert!(utilities["month"]["unknown"].as_str().unwrap().contains("no listed stock is of this sector"));

    let (_, breakouts) = measured(&stage, &view, "get_breakout_accumulation_stocks").await;
    let mut highs: Vec<_> =
        breakouts["known"].as_array().unwrap().iter().map(|row| row["ticker"].as_str().unwrap()).collect();
    highs.sort_unstable();
    // UNH is at a new high as well, and has risen least of the six in a month: five are shown.
    assert_eq!(highs, ["CVX", "LLY", "MRK", "PEP", "XOM"]);
    let deep_dive = report(&stage, &view, "industry_deep_dive_report").await;
    assert!(
        deep_dive.contains("**Most has moved over a month in Industrials, Energy, Financial Services.**"),
        "{deep_dive}"
    );
}

#[tokio::test]
async fn the_proposals_follow_from_the_figures() {
    let stage = Stage::new().await;
    let view = stage.run(scan("2022-10-28", 5, "flow")).await;
    let scan = result(&view);
    let proposed: Vec<_> = scan
        .stocks_to_investigate
        .iter()
        .map(|stock| (stock.ticker.as_str(), stock.conviction, stock.thesis_angle))
        .collect();
    // Points by the rule table, by a calculation in another language: 7, 7, 6, 6 and 5; JPM has no new high.
    // Closes alone confirm no footprint.
    let (medium, momentum) = (Confidence::Medium, ThesisAngle::Momentum);
    assert_eq!(
        proposed,
        [
            ("XOM", medium, momentum),
            ("CVX", medium, momentum),
            ("MRK", medium, momentum),
            ("LLY", medium, momentum),
            ("JPM", Confidence::Low, ThesisAngle::Turnaround),
        ]
    );
    assert_eq!(view.summary.result.as_deref(), Some("To analyse: XOM, CVX, MRK, LLY, JPM"));
    assert_eq!(
        (scan.stocks_to_investigate[0].name.as_str(), scan.date.to_string().as_str()),
        ("Exxon Mobil Corporation", "2022-10-28")
    );
    let same = Stage::new().await.run(stage::scan("2022-10-28", 5, "flow")).await;
    assert_eq!(result(&same), scan, "the same request gives the same words");
}

/// AgentOS 7.2.2.
#[tokio::test]
async fn what_no_source_has_is_named_and_nothing_is_made_up() {
    let stage = Stage::new().await;
    let view = stage.run(scan("2022-10-28", 10, "flow")).await;
    let scan = result(&view);
    let missing: BTreeMap<_, _> =
        scan.missing.iter().map(|it| (it.input.as_str(), it.reason.as_str())).collect();
    for (input, reason) in [
        ("trading volumes", "no volumes"),
        ("opening gaps", "no opens"),
        ("unusual volume", "no volumes"),
        ("insider buying", "no insider trades"),
        ("calendar of earnings", "no calendars"),
        ("holdings of institutions, options and dark pools", "No vendor"),
        ("news of the world and economic figures", "no news"),
        ("movers beyond the listed stocks", "no market movers"),
        ("sector Utilities", "no listed stock"),
        ("regime signal: VIX level", "VIX"),
    ] {
        let known = missing.get(input).unwrap_or_else(|| panic!("{input} is not in {missing:?}"));
        assert!(known.contains(reason), "{input}: {known}");
    }
    for name in [
        "geopolitical_report",
        "market_movers_report",
        "sector_performance_report",
        "smart_money_report",
        "industry_deep_dive_report",
        "macro_scan_summary",
    ] {
        let markdown = report(&stage, &view, name).await;
        let (_, data) = markdown.split_once("\n## Data\n").unwrap();
        assert!(data.contains("missing: "), "{name}: {data}");
    }
    let regime = &scan.regime;
    assert_eq!((regime.regime, regime.confidence, regime.score), (Regime::Transition, Confidence::Low, -1));
    assert_eq!(regime.signals.len(), 6);
    let known: Vec<_> = regime.signals.iter().filter_map(|signal| signal.value.known()).collect();
    // 3901.06 over its mean of 200 days, less one, by a calculation in another language.
    assert_eq!(known, [&decimal("-0.051592")]);
    let geopolitics = report(&stage, &view, "geopolitical_report").await;
    assert!(geopolitics.contains("| Trend of the index | \u{2212}5.16 % (\u{2212}1) |"), "{geopolitics}");
    assert!(
        geopolitics.contains("| Geopolitical scanner | prices ^GSPC | The sample data |"),
        "{geopolitics}"
    );
    assert!(
        view.nodes.iter().all(|node| node.degraded.is_some() || node.plan.id.as_str() == "macro_synthesis")
    );
}

/// The sample's prices of all days, whatever day is asked for, where those after a day are ten times as high, with
/// some series that the sample does not have.
struct Hostile {
    sample: Sample,
    honest_until: Date,
}

#[async_trait]
impl Vendor for Hostile {
    fn name(&self) -> &str {
        "The sample data"
    }

    async fn prices(&self, ticker: &Ticker, _: Date) -> Outcome<PriceHistory> {
        let mut answer = self.sample.prices(ticker, self.sample.last_date()).await?;
        for day in answer.data.days.iter_mut().filter(|day| day.date > self.honest_until) {
            day.close *= Decimal::TEN;
        }
        answer.source.as_of = self.honest_until;
        answer.source.published = Some(self.honest_until);
        Ok(answer)
    }
}

/// An agent, and what it was asked.
type Asked = (String, Vec<Message>);

/// All that the agents of a scan were asked.
async fn asked(market: Market) -> Vec<Asked> {
    let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
    let heard = asked.clone();
    let script = Changed(move |request: &ChatRequest| {
        heard.lock().unwrap().push((request.agent.clone(), request.messages.clone()));
        None
    });
    let stage = Stage::with_script_and_market(script, market).await;
    let view = stage.run(scan("2022-06-30", 10, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let mut asked = std::mem::take(&mut *asked.lock().unwrap());
    // Scanners that work side by side ask in any order.
    asked.sort_by(|one, two| one.0.cmp(&two.0).then_with(|| one.1.len().cmp(&two.1.len())));
    asked
}

/// AgentOS 6.C 22.
#[tokio::test]
async fn prices_after_the_day_change_no_prompt() {
    let honest = asked(Market::sample().unwrap()).await;
    let vendor = Hostile { sample: Sample::load().unwrap(), honest_until: "2022-06-30".parse().unwrap() };
    let market = Market::sample().unwrap().with_order(DataKind::Prices, vec![Arc::new(vendor)]);
    let hostile = asked(market).await;
    assert!(honest.len() >= 6, "{}", honest.len());
    assert_eq!(honest, hostile);
}

/// The sample's prices with an open that is the close before, and with a volume of 100, but for XOM on one day.
struct Traded(Sample);

#[async_trait]
impl Vendor for Traded {
    fn name(&self) -> &str {
        "Traded"
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let mut answer = self.0.prices(ticker, as_of).await?;
        let busy: Date = "2022-10-28".parse().unwrap();
        let mut before = None;
        for day in &mut answer.data.days {
            day.open = before.replace(day.close).map(|close| close * decimal("1.01"));
            let is_busy = ticker.as_str() == "XOM" && day.date == busy;
            day.volume = Some(decimal(if is_busy { "250" } else { "100" }));
        }
        Ok(answer)
    }
}

#[tokio::test]
async fn a_breakout_that_volumes_confirm_carries_a_high_conviction() {
    let vendor = Traded(Sample::load().unwrap());
    let market = Market::sample().unwrap().with_order(DataKind::Prices, vec![Arc::new(vendor)]);
    let stage = Stage::with_market(market).await;
    let view = stage.run(scan("2022-10-28", 5, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    for tool in ["get_breakout_accumulation_stocks", "get_unusual_volume_stocks"] {
        let (status, found) = measured(&stage, &view, tool).await;
        let found: Vec<_> = found["known"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["ticker"].as_str().unwrap(), row["relative_volume"]["known"].as_str().unwrap()))
            .collect();
        // 250 over a mean of 100; the other new highs have their usual volume.
        assert_eq!((status, found), (ToolStatus::Success, vec![("XOM", "2.50")]), "{tool}");
    }
    let (_, movers) = measured(&stage, &view, "measure_movers").await;
    assert_eq!(movers["facts"]["gainers"][0]["gap"]["known"], "0.01");
    let scan = result(&view);
    let xom = scan.stocks_to_investigate.iter().find(|stock| stock.ticker.as_str() == "XOM").unwrap();
    assert_eq!(xom.conviction, Confidence::High);
    assert!(!scan.missing.iter().any(|it| ["trading volumes", "opening gaps"].contains(&it.input.as_str())));
}

/// The sample's prices with a volume of 100, but for what is said of one day: its volume, and its close where one is
/// given.
struct BusyOn {
    sample: Sample,
    day: Date,
    of: BTreeMap<&'static str, (&'static str, Option<&'static str>)>,
}

#[async_trait]
impl Vendor for BusyOn {
    fn name(&self) -> &str {
        "Busy"
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let mut answer = self.sample.prices(ticker, as_of).await?;
        for price in &mut answer.data.days {
            price.volume = Some(decimal("100"));
            if let Some((volume, close)) = self.of.get(ticker.as_str()).filter(|_| price.date == self.day) {
                price.volume = Some(decimal(volume));
                price.close = close.map_or(price.close, decimal);
            }
        }
        Ok(answer)
    }
}

/// The stocks that a scan finds an unusual volume of, with it as a multiple of the usual one.
async fn unusual(of: &[(&'static str, (&'static str, Option<&'static str>))]) -> Vec<(String, String)> {
    let vendor = BusyOn {
        sample: Sample::load().unwrap(),
        day: "2022-10-28".parse().unwrap(),
        of: of.iter().copied().collect(),
    };
    let market = Market::sample().unwrap().with_order(DataKind::Prices, vec![Arc::new(vendor)]);
    let stage = Stage::with_market(market).await;
    let view = stage.run(scan("2022-10-28", 5, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let (_, found) = measured(&stage, &view, "get_unusual_volume_stocks").await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = found["known"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["ticker"]), text(&row["relative_volume"]["known"]))).collect()
}

/// Section 3.1 of AgentOS's specification: more than twice the usual volume, a close above 10, and the five of the
/// largest volume.
#[tokio::test]
async fn a_volume_is_unusual_above_twice_the_usual_one_and_for_closes_above_ten() {
    let found = unusual(&[
        ("XOM", ("201", None)),
        ("CVX", ("200", None)),
        ("KO", ("300", Some("10.00"))),
        ("PFE", ("300", Some("10.01"))),
    ])
    .await;
    let owned = |(ticker, times): (&str, &str)| (ticker.to_owned(), times.to_owned());
    assert_eq!(found, [("PFE", "3"), ("XOM", "2.01")].map(owned));

    let found = unusual(&[
        ("AAPL", ("301", None)),
        ("CVX", ("302", None)),
        ("JPM", ("303", None)),
        ("LLY", ("304", None)),
        ("MRK", ("305", None)),
        ("PFE", ("306", None)),
        ("XOM", ("307", None)),
    ])
    .await;
    let largest = [("XOM", "3.07"), ("PFE", "3.06"), ("MRK", "3.05"), ("LLY", "3.04"), ("JPM", "3.03")];
    assert_eq!(found, largest.map(owned));
}

/// What insiders of each stock did, whatever day is asked for.
struct Insiders;

#[async_trait]
impl Vendor for Insiders {
    fn name(&self) -> &str {
        "Filings"
    }

    async fn insider_trades(&self, ticker: &Ticker, as_of: Date) -> Outcome<Vec<InsiderTrade>> {
        let trade = |code: &str, date: &str, published: &str, shares: &str| InsiderTrade {
            name: "An officer".to_owned(),
            role: String::new(),
            date: date.parse().unwrap(),
            published: published.parse().unwrap(),
            change: decimal(shares),
            price: None,
            code: code.to_owned(),
        };
        let trades = match ticker.as_str() {
            "XOM" => vec![
                trade("S", "2022-10-10", "2022-10-12", "-40"),
                trade("P", "2022-10-03", "2022-10-05", "100"),
            ],
            "CVX" => vec![
                trade("S", "2022-10-10", "2022-10-12", "-20"),
                trade("P", "2022-10-03", "2022-10-05", "10"),
            ],
            "MRK" => vec![trade("M", "2022-10-03", "2022-10-05", "500")],
            // 91 and 90 days before the day of the scan.
            "LLY" => vec![trade("P", "2022-07-29", "2022-08-01", "100")],
            "PFE" => vec![trade("P", "2022-07-30", "2022-08-01", "7")],
            "JPM" => vec![trade("P", "2022-10-27", "2022-10-31", "100")],
            _ => Vec::new(),
        };
        Ok(Answer { data: trades, source: Source::new("Filings", as_of) })
    }
}

/// Section 3.1 of AgentOS's specification.
#[tokio::test]
async fn insiders_buy_a_stock_where_they_bought_more_on_the_market_than_they_sold_in_ninety_days() {
    let market = Market::sample().unwrap().with_order(DataKind::Insiders, vec![Arc::new(Insiders)]);
    let stage = Stage::with_market(market).await;
    let view = stage.run(scan("2022-10-28", 5, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let (_, found) = measured(&stage, &view, "get_insider_buying_stocks").await;
    let bought: Vec<_> = found["known"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["ticker"].as_str().unwrap(), row["shares"].as_str().unwrap()))
        .collect();
    assert_eq!(bought, [("XOM", "60"), ("PFE", "7")]);
    // Purchases are a footprint that more than a price shows: the conviction is not lowered.
    let scan = result(&view);
    let xom = scan.stocks_to_investigate.iter().find(|stock| stock.ticker.as_str() == "XOM").unwrap();
    assert_eq!(xom.conviction, Confidence::High);
}

/// The sample's prices, where those of some stocks have lost three tenths in the last two weeks of October 2022.
struct Fallen {
    sample: Sample,
    stocks: Vec<Ticker>,
}

#[async_trait]
impl Vendor for Fallen {
    fn name(&self) -> &str {
        "Fallen"
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let mut answer = self.sample.prices(ticker, as_of).await?;
        let before: Date = "2022-10-14".parse().unwrap();
        if self.stocks.contains(ticker) {
            for price in answer.data.days.iter_mut().filter(|price| price.date > before) {
                price.close = (price.close * decimal("0.7")).round_dp(3);
            }
        }
        Ok(answer)
    }
}

/// 7.6.5 of AgentOS's specification: a fall counts as much as a rise.
#[tokio::test]
async fn the_sectors_that_are_looked_into_are_those_that_moved_most_either_way() {
    let heard: Arc<Mutex<String>> = Arc::default();
    let listening = heard.clone();
    let script = Changed(move |request: &ChatRequest| {
        if request.agent == "industry_deep_dive"
            && let Some(Message::User(text)) = request.messages.get(1)
        {
            *listening.lock().unwrap() = text.clone();
        }
        None
    });
    let sample = Market::sample().unwrap();
    let stocks = sample.instruments().iter().filter(|listed| listed.sector == "Technology");
    let stocks = stocks.map(|listed| listed.ticker.clone()).collect();
    let vendor = Fallen { sample: Sample::load().unwrap(), stocks };
    let market = Market::sample().unwrap().with_order(DataKind::Prices, vec![Arc::new(vendor)]);
    let stage = Stage::with_script_and_market(script, market).await;
    let view = stage.run(scan("2022-10-28", 5, "flow")).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    let told = heard.lock().unwrap().clone();
    let facts = told.rsplit("<facts>").next().unwrap().split("</facts>").next().unwrap();
    let facts: Value = serde_json::from_str(facts).unwrap();
    let sectors: Vec<_> = facts["sectors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            (it["sector"]["sector"].as_str().unwrap(), it["sector"]["month"]["known"].as_str().unwrap())
        })
        .collect();
    assert_eq!(sectors.len(), 3);
    let (first, month) = sectors[0];
    assert!(first == "Technology" && decimal(month) < decimal("-0.2"), "{sectors:?}");
    assert!(sectors[1..].iter().all(|(_, month)| decimal(month) > Decimal::ZERO), "{sectors:?}");
}

/// A series that ends on 2022-06-30 with these closes, one a calendar day.
fn series(closes: &[Decimal]) -> Vec<DailyPrice> {
    let last: Date = "2022-06-30".parse().unwrap();
    let days = closes.iter().enumerate();
    days.map(|(index, close)| {
        let back = i64::try_from(closes.len() - 1 - index).unwrap();
        let date = last.checked_sub(back.days()).unwrap();
        DailyPrice { date, open: None, high: None, low: None, close: *close, volume: None }
    })
    .collect()
}

/// A flat series that ends with another close.
fn ending(count: usize, flat: &str, end: &str) -> Result<Vec<DailyPrice>, String> {
    let mut closes = vec![decimal(flat); count];
    closes[count - 1] = decimal(end);
    Ok(series(&closes))
}

fn points(series: &Series, name: &str) -> i32 {
    let regime = judge("2022-06-30".parse().unwrap(), series);
    assert_eq!(regime.signals.len(), 6, "all signals are always listed");
    regime.signals.iter().find(|signal| signal.name == name).unwrap().points
}

/// AgentOS 7.6.9.
#[test]
fn the_signals_of_the_regime_have_the_thresholds_of_the_specification() {
    let vix = |level: &str| Series::from([("^VIX", ending(25, level, level))]);
    for (level, expected) in [("14", 1), ("30", -1), ("16.0", 0), ("25.0", 0), ("20", 0), ("15.99", 1)] {
        assert_eq!(points(&vix(level), "VIX level"), expected, "{level}");
    }
    let trend = |count, end| Series::from([("^VIX", ending(count, "20", end))]);
    for (count, end, expected) in [(21, "19", 1), (21, "21", -1), (21, "20", 0), (20, "19", 0)] {
        assert_eq!(points(&trend(count, end), "VIX trend"), expected, "{count} {end}");
    }
    let short = judge("2022-06-30".parse().unwrap(), &trend(20, "19"));
    let reason = short.signals[1].value.reason().unwrap();
    assert!(reason.contains("Insufficient history"), "{reason}");

    let credit = |end| Series::from([("HYG", ending(22, "80", end)), ("LQD", ending(22, "100", "100"))]);
    // 80 * 1.005 = 80.4 is the border itself.
    for (end, expected) in [("80.4", 0), ("80.41", 1), ("79.6", 0), ("79.59", -1)] {
        assert_eq!(points(&credit(end), "Credit"), expected, "{end}");
    }
    let bonds = |end| Series::from([("TLT", ending(22, "100", end)), ("SHY", ending(22, "80", "80"))]);
    for (end, expected) in [("101", 0), ("101.01", -1), ("99", 0), ("98.99", 1)] {
        assert_eq!(points(&bonds(end), "Treasuries"), expected, "{end}");
    }
    let index = |count, end| Series::from([("^GSPC", ending(count, "4000", end))]);
    for (count, end, expected) in [(200, "4001", 1), (200, "3999", -1), (200, "4000", 0), (199, "4001", 0)] {
        assert_eq!(points(&index(count, end), "Trend of the index"), expected, "{count} {end}");
    }
    let rotation = |end: &str| {
        let flat = ["XLU", "XLP", "XLV"].map(|symbol| (symbol, ending(22, "50", "50")));
        let moved = ["XLY", "XLK", "XLI"].map(|symbol| (symbol, ending(22, "100", end)));
        Series::from_iter(flat.into_iter().chain(moved))
    };
    for (end, expected) in [("99", 0), ("98.99", -1), ("101", 0), ("101.01", 1)] {
        assert_eq!(points(&rotation(end), "Rotation"), expected, "{end}");
    }
}

/// AgentOS 7.6.9.
#[test]
fn the_points_add_up_to_a_regime() {
    let day: Date = "2022-06-30".parse().unwrap();
    let nothing = judge(day, &Series::new());
    assert_eq!((nothing.regime, nothing.confidence, nothing.score), (Regime::Transition, Confidence::Low, 0));
    assert!(nothing.signals.iter().all(|signal| matches!(signal.value, Measured::Unknown(_))));
    let mut series = Series::from([("^VIX", ending(25, "14", "13")), ("^GSPC", ending(200, "4000", "4100"))]);
    let three = judge(day, &series);
    assert_eq!((three.regime, three.confidence, three.score), (Regime::RiskOn, Confidence::Medium, 3));
    series.insert("HYG", ending(22, "80", "82"));
    series.insert("LQD", ending(22, "100", "100"));
    let four = judge(day, &series);
    assert_eq!((four.regime, four.confidence, four.score), (Regime::RiskOn, Confidence::High, 4));
    series.insert("^VIX", ending(25, "30", "31"));
    let two_each_way = judge(day, &series);
    assert_eq!((two_each_way.regime, two_each_way.score), (Regime::Transition, 0));
}

/// An answer of the synthesis, changed.
fn answer(change: impl Fn(&mut Value)) -> String {
    let stock = json!({
        "ticker": "lly", "name": "Lily", "sector": "Pills", "rationale": "r", "thesis_angle": "growth",
        "conviction": "high", "key_catalysts": [], "risks": ["r"],
    });
    let mut answer = json!({
        "timeframe": "t",
        "executive_summary": "s",
        "macro_context": { "economic_cycle": "e", "central_bank_stance": "c", "geopolitical_risks": [] },
        "key_themes": [],
        "stocks_to_investigate": [stock],
        "risk_factors": [],
    });
    change(&mut answer);
    answer.to_string()
}

/// A scan whose synthesis answers this as often as it is asked.
async fn synthesised(text: String) -> RunView {
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        (request.agent == "macro_synthesis").then(|| Turn::Answer(text.clone()))
    }))
    .await;
    stage.run(scan("2022-06-30", 2, "flow")).await
}

#[tokio::test]
async fn code_knows_names_better_and_lowers_a_conviction_without_a_footprint() {
    let view = synthesised(answer(|_| {})).await;
    let scan = result(&view);
    let stock = &scan.stocks_to_investigate[0];
    assert_eq!(
        (stock.ticker.as_str(), stock.name.as_str(), stock.sector.as_str()),
        ("LLY", "Eli Lilly and Company", "Healthcare")
    );
    // No stock is at a new high on that day.
    assert_eq!(stock.conviction, Confidence::Medium);
    let is_warned = view.turns.iter().any(|turn| match &turn.content {
        TurnContent::Log(line) => line.message.contains("conviction of LLY was high; it is lowered"),
        _ => false,
    });
    assert!(is_warned);
    let none = synthesised(answer(|it| it["stocks_to_investigate"] = json!([]))).await;
    assert_eq!(none.summary.result.as_deref(), Some("No stock to analyse"));
}

fn twice(it: &mut Value) {
    let stock = it["stocks_to_investigate"][0].clone();
    it["stocks_to_investigate"].as_array_mut().unwrap().push(stock);
}

fn too_many(it: &mut Value) {
    let stocks = ["LLY", "KO", "PG"].map(|ticker| {
        let mut stock = it["stocks_to_investigate"][0].clone();
        stock["ticker"] = json!(ticker);
        stock
    });
    it["stocks_to_investigate"] = json!(stocks);
}

/// What breaks an answer, and what is said of it.
type Break = (&'static dyn Fn(&mut Value), &'static str);

/// AgentOS 7.2.1.
#[tokio::test]
async fn an_answer_that_breaks_the_form_ends_the_scan_with_a_sentence() {
    let breaks: [Break; 8] = [
        (&twice, "LLY is proposed twice"),
        (&too_many, "has 3 stocks"),
        (&|it| it["stocks_to_investigate"][0]["ticker"] = json!("TSLA"), "There are no figures of TSLA"),
        (&|it| it["stocks_to_investigate"][0]["ticker"] = json!("../etc"), "ticker"),
        (&|it| it["stocks_to_investigate"][0]["conviction"] = json!("very high"), "conviction"),
        (&|it| it["executive_summary"] = json!(" "), "`executive_summary` must not be empty"),
        (&|it| it["risk_factors"] = json!(vec!["r"; 11]), "`risk_factors` has 11 entries"),
        (
            &|it| it["stocks_to_investigate"][0]["rationale"] = json!("r".repeat(1001)),
            "`rationale` has more than 1000 characters",
        ),
    ];
    for (change, words) in breaks {
        let view = synthesised(answer(change)).await;
        assert_eq!(view.summary.status, RunStatus::Failed, "{words}");
        let error = view.summary.error.clone().unwrap();
        assert!(
            error.starts_with("Macro synthesis: The model gave no usable answer in 3 attempts."),
            "{error}"
        );
        assert!(error.contains(words), "{error}");
        assert!(view.documents::<Scan>().next().is_none());
    }
}

/// AgentOS 7.2.2.
#[tokio::test]
async fn an_answer_that_is_no_json_is_asked_for_again() {
    let asked = AtomicU32::new(0);
    let stage = Stage::with_script(Changed(move |request: &ChatRequest| {
        let first = request.agent == "macro_synthesis" && asked.fetch_add(1, Ordering::Relaxed) == 0;
        first.then(|| Turn::Answer("I would look at LLY.".into()))
    }))
    .await;
    let view = stage.run(scan("2022-06-30", 2, "flow")).await;
    let tickers: Vec<_> =
        result(&view).stocks_to_investigate.into_iter().map(|stock| stock.ticker.to_string()).collect();
    assert_eq!(tickers, ["LLY"]);
    let calls = view.calls.iter().filter(|call| call.node.as_ref().unwrap().as_str() == "macro_synthesis");
    assert_eq!(calls.count(), 2);
}

#[tokio::test]
async fn a_scan_of_too_many_stocks_or_of_a_day_without_prices_is_refused() {
    let stage = Stage::new().await;
    for (request, words) in [
        (scan("2022-06-30", 0, "flow"), "must be 1 to 20; 0 was asked for"),
        (scan("2022-06-30", 21, "flow"), "must be 1 to 20; 21 was asked for"),
        (scan("2015-06-30", 5, "flow"), "2016-01-04 to 2022-12-28"),
    ] {
        let refusal = stage.engine.start(request, AccountId::local()).await.unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
}

/// Has no prices at all, and says so late.
struct Silent;

#[async_trait]
impl Vendor for Silent {
    fn name(&self) -> &str {
        "Silent"
    }

    async fn prices(&self, _: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        if as_of.year() == 2022 {
            return Err(NoData::unknown(self.name(), &"it"));
        }
        let data = PriceHistory {
            days: Vec::new(),
            unfinished: None,
            dividends: Vec::new(),
            splits: Vec::new(),
            currency: None,
            adjustment: Adjustment::Unknown,
        };
        Ok(market::Answer { data, source: Source::new(self.name(), as_of) })
    }
}

#[tokio::test]
async fn without_any_prices_the_scan_ends_with_a_sentence() {
    for day in ["2022-06-30", "2021-06-30"] {
        let market = Market::sample().unwrap().with_order(DataKind::Prices, vec![Arc::new(Silent)]);
        let view = Stage::with_market(market).await.run(scan(day, 5, "flow")).await;
        assert_eq!(view.summary.status, RunStatus::Failed);
        let error = view.summary.error.unwrap();
        assert!(
            error.starts_with("Market movers scanner: There are no prices of any listed stock"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_scan_that_is_cut_off_asks_no_answered_call_again() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = |asked: &Arc<Mutex<Vec<String>>>, request: &ChatRequest| {
        asked.lock().unwrap().push(format!("{} {}", request.agent, request.messages.len()));
    };
    let stage = Stage::slow().await;
    let run = stage.engine.start(scan("2022-10-28", 5, "flow"), AccountId::local()).await.unwrap();
    let mut log = stage.journal.subscribe(run, 0).await.unwrap();
    let mut is_answered = false;
    while !is_answered {
        let events = log.next().await.unwrap().unwrap();
        is_answered =
            events.iter().any(|event| matches!(event.decode().unwrap().body, Body::CallFinished(_)));
    }
    drop(log);
    let heard = asked.clone();
    let stage = stage
        .restarted_with(Changed(move |request: &ChatRequest| {
            note(&heard, request);
            None
        }))
        .await;
    let answered: Vec<String> = stage
        .events(run)
        .await
        .iter()
        .filter(|event| matches!(event.body, Body::CallFinished(_)))
        .map(|event| event.node.as_ref().unwrap().to_string())
        .collect();
    assert_eq!(stage.engine.resume().await.unwrap(), 1);
    let view = stage.end(run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert!(!answered.is_empty());
    // The first question of an agent has its role and its case, and nothing else.
    let asked = asked.lock().unwrap();
    assert!(answered.iter().all(|agent| !asked.contains(&format!("{agent} 2"))), "{answered:?} {asked:?}");
    let regimes: Vec<MacroRegime> = view.documents().collect();
    assert_eq!(regimes.len(), 1, "nothing was brought forth twice");
}
