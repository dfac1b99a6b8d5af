//! The research tools that analysts are offered.
//!
//! Names and arguments come from a model and may hold anything: they are parsed into types, and
//! every date is cut to the day of the analysis, so that no run looks ahead.

use std::{fmt::Write, sync::Arc};

use async_trait::async_trait;
use engine::ToolResult;
use jiff::{Span, ToSpan};
use llm::ToolSpec;
use market::{
    Article, Fundamentals, FundamentalsVendor, MarketError, NewsVendor, PriceVendor, Sample,
    indicators::{self, Indicator},
};
use protocol::{
    Date,
    trading::{Measured, Ticker},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::agent::Toolbox;

/// The tool by which an analyst ends the analysis early.
pub const CRITICAL_CONDITION: &str = "report_critical_condition";

/// Rows of a table that a model gets at most; the latest are kept.
const MOST_ROWS: usize = 300;
/// Calendar days that a lookup may go back.
const MOST_DAYS: u32 = 3660;
/// Characters of a reported reason that are kept.
const LONGEST_REASON: usize = 400;

/// Where the data comes from.
#[derive(Clone)]
pub struct Sources {
    /// Daily prices.
    pub prices: Arc<dyn PriceVendor>,
    /// Company and world news.
    pub news: Arc<dyn NewsVendor>,
    /// Statements and ratios.
    pub fundamentals: Arc<dyn FundamentalsVendor>,
}

impl Sources {
    /// The data that is built in: prices of 26 instruments, no news, no fundamentals.
    ///
    /// # Errors
    /// The built-in data is damaged.
    pub fn sample() -> Result<Self, MarketError> {
        let sample = Arc::new(Sample::load()?);
        Ok(Self { prices: sample.clone(), news: sample.clone(), fundamentals: sample })
    }

    /// Prices alone: what else is asked for is not available.
    pub fn of_prices(prices: Arc<dyn PriceVendor>) -> Self {
        let nothing_else = Arc::new(PricesAlone(prices.clone()));
        Self { prices, news: nothing_else.clone(), fundamentals: nothing_else }
    }
}

/// Stands where there is no source of news and fundamentals.
struct PricesAlone(Arc<dyn PriceVendor>);

#[async_trait]
impl NewsVendor for PricesAlone {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn news(&self, _: Option<&Ticker>, _: Date, _: u32) -> Result<Vec<Article>, MarketError> {
        Err(MarketError::NotAvailable("no source of news is connected".to_owned()))
    }
}

#[async_trait]
impl FundamentalsVendor for PricesAlone {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn fundamentals(&self, _: Fundamentals, _: &Ticker, _: Date) -> Result<String, MarketError> {
        Err(MarketError::NotAvailable("no source of fundamentals is connected".to_owned()))
    }
}

/// A tool of the research desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// `get_stock_data(symbol, start_date, end_date)`
    StockData,
    /// `get_indicators(symbol, indicator, curr_date, look_back_days = 30)`
    Indicators,
    /// `get_news(ticker, start_date, end_date)`
    News,
    /// `get_global_news(curr_date, look_back_days = 7, limit = 5)`
    GlobalNews,
    /// `get_fundamentals(ticker, curr_date)`
    Fundamentals,
    /// `get_balance_sheet(ticker, freq = "quarterly", curr_date)`
    BalanceSheet,
    /// `get_cashflow(ticker, freq = "quarterly", curr_date)`
    Cashflow,
    /// `get_income_statement(ticker, freq = "quarterly", curr_date)`
    IncomeStatement,
    /// `report_critical_condition(reason)`
    CriticalCondition,
}

impl Tool {
    /// The name that the model calls it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::StockData => "get_stock_data",
            Self::Indicators => "get_indicators",
            Self::News => "get_news",
            Self::GlobalNews => "get_global_news",
            Self::Fundamentals => "get_fundamentals",
            Self::BalanceSheet => "get_balance_sheet",
            Self::Cashflow => "get_cashflow",
            Self::IncomeStatement => "get_income_statement",
            Self::CriticalCondition => CRITICAL_CONDITION,
        }
    }

    fn spec(self) -> ToolSpec {
        let ticker = json!({ "type": "string", "description": "The stock's symbol, such as AAPL" });
        let date = |what: &str| json!({ "type": "string", "description": format!("{what}, as YYYY-MM-DD") });
        let count = |what: &str| json!({ "type": "integer", "minimum": 1, "description": what });
        let statement = || {
            let freq = json!({ "type": "string", "enum": ["quarterly", "annual"] });
            let properties =
                json!({ "ticker": ticker, "freq": freq, "curr_date": date("The day of the analysis") });
            (properties, vec!["ticker"])
        };
        let (description, (properties, required)) = match self {
            Self::StockData => (
                "Daily closing prices of a stock between two days, as CSV.",
                (
                    json!({ "symbol": ticker, "start_date": date("First day"), "end_date": date("Last day") }),
                    vec!["symbol", "start_date", "end_date"],
                ),
            ),
            Self::Indicators => (
                "One technical indicator of a stock on each of the last days, as CSV.",
                (
                    json!({
                        "symbol": ticker,
                        "indicator": { "type": "string", "enum": Indicator::ALL.map(Indicator::slug) },
                        "curr_date": date("Last day"),
                        "look_back_days": count("Calendar days to look back; 30 by default"),
                    }),
                    vec!["symbol", "indicator", "curr_date"],
                ),
            ),
            Self::News => (
                "News about a company between two days.",
                (
                    json!({ "ticker": ticker, "start_date": date("First day"), "end_date": date("Last day") }),
                    vec!["ticker", "start_date", "end_date"],
                ),
            ),
            Self::GlobalNews => (
                "News about the world and the markets of the last days.",
                (
                    json!({
                        "curr_date": date("Last day"),
                        "look_back_days": count("Calendar days to look back; 7 by default"),
                        "limit": count("Articles at most; 5 by default"),
                    }),
                    vec!["curr_date"],
                ),
            ),
            Self::Fundamentals => (
                "Profile and key ratios of a company, as known on a day.",
                (json!({ "ticker": ticker, "curr_date": date("The day of the analysis") }), vec!["ticker"]),
            ),
            Self::BalanceSheet => ("Balance sheets of a company, as known on a day.", statement()),
            Self::Cashflow => ("Cash flow statements of a company, as known on a day.", statement()),
            Self::IncomeStatement => ("Income statements of a company, as known on a day.", statement()),
            Self::CriticalCondition => (
                "Ends the analysis early: the stock is then rated as one to avoid. Only for the conditions that your \
                 role names. Write your report afterwards all the same.",
                (
                    json!({ "reason": { "type": "string", "description": "The condition, in a sentence" } }),
                    vec!["reason"],
                ),
            ),
        };
        ToolSpec {
            name: self.name().to_owned(),
            description: description.to_owned(),
            parameters: json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            }),
        }
    }
}

/// The tools of one analyst, bound to the day of the analysis.
pub struct ResearchTools {
    sources: Sources,
    date: Date,
    offered: &'static [Tool],
}

impl ResearchTools {
    /// Offers these tools, with nothing later than `date` to be seen.
    pub fn new(sources: Sources, date: Date, offered: &'static [Tool]) -> Self {
        Self { sources, date, offered }
    }

    async fn answer(&self, tool: Tool, arguments: &Value) -> Result<ToolResult, String> {
        match tool {
            Tool::StockData => self.stock_data(read(arguments)?).await,
            Tool::Indicators => self.indicators(read(arguments)?).await,
            Tool::News => self.news(read(arguments)?).await,
            Tool::GlobalNews => self.global_news(read(arguments)?).await,
            Tool::Fundamentals => self.fundamentals(Fundamentals::Overview, read(arguments)?).await,
            Tool::BalanceSheet => self.fundamentals(Fundamentals::BalanceSheet, read(arguments)?).await,
            Tool::Cashflow => self.fundamentals(Fundamentals::CashFlow, read(arguments)?).await,
            Tool::IncomeStatement => self.fundamentals(Fundamentals::IncomeStatement, read(arguments)?).await,
            Tool::CriticalCondition => {
                reason(arguments).ok_or("Give the reason, in a sentence.")?;
                Ok(ToolResult::success("Noted. Now write your report.", "Pitwall"))
            }
        }
    }

    async fn stock_data(&self, wanted: Prices) -> Result<ToolResult, String> {
        let (end, cut) = self.until(wanted.end_date);
        if wanted.start_date > end {
            return Err(format!("start_date {} lies after {end}.", wanted.start_date));
        }
        let vendor = &self.sources.prices;
        let prices = match vendor.history(&wanted.symbol, end).await {
            Ok(prices) => prices,
            Err(error) => return unserved(error, vendor.name()),
        };
        let rows: Vec<_> = prices.iter().filter(|price| price.date >= wanted.start_date).collect();
        if rows.is_empty() {
            let reason =
                format!("There are no prices of {} from {} to {end}.", wanted.symbol, wanted.start_date);
            return Ok(ToolResult::degraded(reason, vendor.name()));
        }
        let kept = &rows[rows.len().saturating_sub(MOST_ROWS)..];
        let mut text = format!("# {}, closing prices in US dollars{cut}\n", wanted.symbol);
        if kept.len() < rows.len() {
            let _ = writeln!(text, "# the last {} of {} days", kept.len(), rows.len());
        }
        text.push_str("date,close\n");
        for price in kept {
            let _ = writeln!(text, "{},{}", price.date, price.close);
        }
        Ok(ToolResult::success(text, vendor.name()))
    }

    async fn indicators(&self, wanted: IndicatorOf) -> Result<ToolResult, String> {
        let indicator: Indicator = wanted.indicator.parse().map_err(|error| format!("{error}"))?;
        let (end, cut) = self.until(wanted.curr_date);
        let first = end.saturating_sub(days(wanted.look_back_days)?);
        let vendor = &self.sources.prices;
        let prices = match vendor.history(&wanted.symbol, end).await {
            Ok(prices) => prices,
            Err(error) => return unserved(error, vendor.name()),
        };
        let count = prices.iter().filter(|price| price.date > first).count().clamp(1, MOST_ROWS);
        let values = indicators::recent(&prices, indicator, count);
        if let Some((_, Measured::Unknown(reason))) = values.last() {
            let text = format!("{} of {}: {reason}.", indicator.label(), wanted.symbol);
            return Ok(ToolResult::degraded(text, vendor.name()));
        }
        let mut text = format!("# {} of {}{cut}\ndate,{indicator}\n", indicator.label(), wanted.symbol);
        for (date, value) in values {
            let _ = match value {
                Measured::Known(value) => writeln!(text, "{date},{value}"),
                Measured::Unknown(reason) => writeln!(text, "{date},{reason}"),
            };
        }
        Ok(ToolResult::success(text, vendor.name()))
    }

    async fn news(&self, wanted: CompanyNews) -> Result<ToolResult, String> {
        let (end, cut) = self.until(wanted.end_date);
        if wanted.start_date > end {
            return Err(format!("start_date {} lies after {end}.", wanted.start_date));
        }
        let days = end.since(wanted.start_date).map_or(0, |span| span.get_days()).unsigned_abs() + 1;
        let about = format!("{}{cut}", wanted.ticker);
        self.articles(Some(&wanted.ticker), &about, end, days.min(MOST_DAYS), 20).await
    }

    async fn global_news(&self, wanted: WorldNews) -> Result<ToolResult, String> {
        let (end, cut) = self.until(wanted.curr_date);
        days(wanted.look_back_days)?;
        let most = usize::try_from(wanted.limit.clamp(1, 50)).unwrap_or(5);
        self.articles(None, &format!("the markets{cut}"), end, wanted.look_back_days, most).await
    }

    async fn articles(
        &self,
        ticker: Option<&Ticker>,
        about: &str,
        end: Date,
        days: u32,
        most: usize,
    ) -> Result<ToolResult, String> {
        let vendor = &self.sources.news;
        let articles = match vendor.news(ticker, end, days).await {
            // A vendor's promise, kept again here.
            Ok(articles) => articles.into_iter().filter(|article| article.date <= end).take(most),
            Err(error) => return unserved(error, vendor.name()),
        };
        let lines: Vec<String> = articles.map(|article| line(&article)).collect();
        if lines.is_empty() {
            let reason = format!("There are no articles about {about} in the {days} days up to {end}.");
            return Ok(ToolResult::degraded(reason, vendor.name()));
        }
        Ok(ToolResult::success(format!("# News about {about}\n{}", lines.join("\n")), vendor.name()))
    }

    async fn fundamentals(&self, kind: Fundamentals, wanted: Statement) -> Result<ToolResult, String> {
        if !matches!(wanted.freq.as_str(), "quarterly" | "annual") {
            return Err("freq must be \"quarterly\" or \"annual\".".to_owned());
        }
        let (end, cut) = self.until(wanted.curr_date.unwrap_or(self.date));
        let vendor = &self.sources.fundamentals;
        match vendor.fundamentals(kind, &wanted.ticker, end).await {
            Ok(text) => Ok(ToolResult::success(format!("# {}{cut}\n{text}", wanted.ticker), vendor.name())),
            Err(error) => unserved(error, vendor.name()),
        }
    }

    /// The day, but not later than that of the analysis; and a note if it was cut.
    fn until(&self, wanted: Date) -> (Date, String) {
        if wanted > self.date {
            (self.date, format!(" (cut to {}, the day of the analysis)", self.date))
        } else {
            (wanted, String::new())
        }
    }
}

#[async_trait]
impl Toolbox for ResearchTools {
    fn specs(&self) -> Vec<ToolSpec> {
        self.offered.iter().map(|tool| tool.spec()).collect()
    }

    async fn call(&self, name: &str, arguments: &Value) -> ToolResult {
        let Some(tool) = self.offered.iter().find(|tool| tool.name() == name) else {
            return ToolResult::error(format!("There is no tool \"{name}\" here."));
        };
        self.answer(*tool, arguments).await.unwrap_or_else(ToolResult::error)
    }
}

/// The reason that a call of [`CRITICAL_CONDITION`] carries, in one line of limited length.
pub(super) fn reason(arguments: &Value) -> Option<String> {
    let words = arguments.get("reason")?.as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let reason: String = words.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    (!reason.is_empty()).then_some(reason)
}

#[derive(Deserialize)]
struct Prices {
    symbol: Ticker,
    start_date: Date,
    end_date: Date,
}

#[derive(Deserialize)]
struct IndicatorOf {
    symbol: Ticker,
    indicator: String,
    curr_date: Date,
    #[serde(default = "month", deserialize_with = "count")]
    look_back_days: u32,
}

#[derive(Deserialize)]
struct CompanyNews {
    ticker: Ticker,
    start_date: Date,
    end_date: Date,
}

#[derive(Deserialize)]
struct WorldNews {
    curr_date: Date,
    #[serde(default = "week", deserialize_with = "count")]
    look_back_days: u32,
    #[serde(default = "few", deserialize_with = "count")]
    limit: u32,
}

#[derive(Deserialize)]
struct Statement {
    ticker: Ticker,
    #[serde(default = "quarterly")]
    freq: String,
    curr_date: Option<Date>,
}

fn month() -> u32 {
    30
}

fn week() -> u32 {
    7
}

fn few() -> u32 {
    5
}

fn quarterly() -> String {
    "quarterly".to_owned()
}

/// A count, also where a model wrote it as text.
fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(u32),
        Text(String),
    }
    match Written::deserialize(deserializer) {
        Ok(Written::Number(number)) => Ok(number),
        Ok(Written::Text(text)) => {
            text.trim().parse().map_err(|_| serde::de::Error::custom("expected a whole number"))
        }
        Err(_) => Err(serde::de::Error::custom("expected a whole number")),
    }
}

fn days(count: u32) -> Result<Span, String> {
    if (1..=MOST_DAYS).contains(&count) {
        Ok(i64::from(count).days())
    } else {
        Err(format!("look_back_days must be 1 to {MOST_DAYS}."))
    }
}

fn read<T: DeserializeOwned>(arguments: &Value) -> Result<T, String> {
    T::deserialize(arguments).map_err(|error| {
        let error: String = error.to_string().chars().take(200).collect();
        format!("These arguments cannot be used: {error}. Dates are written as YYYY-MM-DD.")
    })
}

/// What a vendor's refusal means for the model: data that does not exist is a degraded result,
/// anything else an error.
fn unserved(error: MarketError, vendor: &str) -> Result<ToolResult, String> {
    match error {
        MarketError::NotAvailable(reason) => {
            Ok(ToolResult::degraded(format!("Not available: {reason}."), vendor))
        }
        error => Err(error.to_string()),
    }
}

fn line(article: &Article) -> String {
    let summary: String = article.summary.chars().take(400).collect();
    format!("- {} {} ({}). {summary}", article.date, article.title, article.publisher)
}

#[cfg(test)]
mod tests {
    use protocol::ToolStatus;

    use super::*;

    const ALL: &[Tool] = &[
        Tool::StockData,
        Tool::Indicators,
        Tool::News,
        Tool::GlobalNews,
        Tool::Fundamentals,
        Tool::BalanceSheet,
        Tool::Cashflow,
        Tool::IncomeStatement,
        Tool::CriticalCondition,
    ];

    fn tools() -> ResearchTools {
        ResearchTools::new(Sources::sample().unwrap(), "2022-06-30".parse().unwrap(), ALL)
    }

    #[tokio::test]
    async fn hostile_arguments_are_errors_in_words() {
        let dates = json!({ "symbol": "AAPL", "start_date": "2022-01-01", "end_date": "2022-06-30" });
        let with = |key: &str, value: Value| {
            let mut arguments = dates.clone();
            arguments[key] = value;
            arguments
        };
        let indicator = |days: Value| json!({ "symbol": "AAPL", "indicator": "rsi", "curr_date": "2022-06-30", "look_back_days": days });
        let hostile = [
            ("get_stock_data", Value::Null),
            ("get_stock_data", json!([1, 2])),
            ("get_stock_data", json!({})),
            ("get_stock_data", with("symbol", json!("../../etc/passwd"))),
            ("get_stock_data", with("symbol", json!("ZZZZ"))),
            ("get_stock_data", with("symbol", json!({ "$ne": 1 }))),
            ("get_stock_data", with("start_date", json!("26/03/2026x/../../etc"))),
            ("get_stock_data", with("start_date", json!("2022-13-01"))),
            ("get_stock_data", with("start_date", json!("2022-07-01"))),
            ("get_stock_data", with("end_date", json!("1999-01-01"))),
            ("get_indicators", indicator(json!(0))),
            ("get_indicators", indicator(json!(-5))),
            ("get_indicators", indicator(json!(4_000_000_000_u64))),
            ("get_indicators", indicator(json!("many"))),
            (
                "get_indicators",
                json!({ "symbol": "AAPL", "indicator": "eval(1)", "curr_date": "2022-06-30" }),
            ),
            ("get_balance_sheet", json!({ "ticker": "AAPL", "freq": "hourly" })),
            ("report_critical_condition", json!({ "reason": " \n " })),
            ("rm", json!({ "path": "/" })),
        ];
        for (name, arguments) in hostile {
            let result = tools().call(name, &arguments).await;
            assert_eq!(result.status, ToolStatus::Error, "{name} {arguments}: {}", result.text);
            assert!(result.text.ends_with('.') && result.text.len() < 500, "{}", result.text);
        }
    }

    #[tokio::test]
    async fn no_tool_sees_beyond_the_day_of_the_analysis() {
        let arguments = json!({ "symbol": "AAPL", "start_date": "2022-06-27", "end_date": "2022-12-28" });
        let result = tools().call("get_stock_data", &arguments).await;
        assert_eq!(result.status, ToolStatus::Success);
        assert!(result.text.contains("cut to 2022-06-30"), "{}", result.text);
        // The last line of the sample file at or before the day.
        assert!(result.text.trim_end().ends_with("2022-06-30,135.908"), "{}", result.text);

        let arguments =
            json!({ "symbol": "AAPL", "indicator": "rsi", "curr_date": "2030-01-01", "look_back_days": "5" });
        let result = tools().call("get_indicators", &arguments).await;
        assert!(result.text.lines().last().unwrap().starts_with("2022-06-30,"), "{}", result.text);
    }

    #[tokio::test]
    async fn what_the_data_does_not_have_is_degraded_with_the_reason() {
        let range = json!({ "symbol": "AAPL", "indicator": "atr", "curr_date": "2022-06-30" });
        let week = json!({ "ticker": "AAPL", "start_date": "2022-06-23", "end_date": "2022-06-30" });
        for (name, arguments, reason) in [
            ("get_indicators", range, "closes only"),
            ("get_news", week, "no news"),
            ("get_global_news", json!({ "curr_date": "2022-06-30" }), "no news"),
            ("get_income_statement", json!({ "ticker": "AAPL" }), "no fundamentals"),
        ] {
            let result = tools().call(name, &arguments).await;
            assert_eq!(result.status, ToolStatus::Degraded, "{name}");
            assert!(result.text.contains(reason), "{}", result.text);
            assert!(result.vendor.is_some_and(|vendor| vendor.contains("sample")), "{name}");
        }
    }

    #[tokio::test]
    async fn every_indicator_of_the_specification_is_known() {
        for slug in [
            "close_50_sma",
            "close_200_sma",
            "close_10_ema",
            "macd",
            "macds",
            "macdh",
            "rsi",
            "boll",
            "boll_ub",
            "boll_lb",
            "atr",
            "vwma",
        ] {
            let arguments = json!({ "symbol": "AAPL", "indicator": slug, "curr_date": "2022-06-30" });
            let result = tools().call("get_indicators", &arguments).await;
            assert_ne!(result.status, ToolStatus::Error, "{}", result.text);
        }
    }
}
