//! The research tools that analysts are offered.
//!
//! Names and arguments come from a model and may hold anything: they are parsed into types, and
//! every date is cut to the day of the analysis, so that no run looks ahead.

mod arguments;
mod sources;
mod tool;

use std::fmt::Write;

use async_trait::async_trait;
use engine::ToolResult;
use llm::ToolSpec;
use market::{
    Article, Fundamentals, MarketError,
    indicators::{self, Indicator},
};
use protocol::{
    Date,
    trading::{Measured, Ticker},
};
use serde_json::Value;

pub(super) use arguments::reason;
use arguments::{CompanyNews, IndicatorOf, MOST_DAYS, Prices, Statement, WorldNews, days, read};
pub use sources::Sources;
pub use tool::{CRITICAL_CONDITION, Tool};

use crate::agent::Toolbox;

/// Rows of a table that a model gets at most; the latest are kept.
const MOST_ROWS: usize = 300;

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
    use serde_json::json;

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
