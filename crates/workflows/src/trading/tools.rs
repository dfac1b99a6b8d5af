//! The research tools that analysts are offered.
//!
//! Names and arguments come from a model and may hold anything: they are parsed into types, and
//! every date is cut to the day of the analysis, so that no run looks ahead.

mod arguments;
mod tool;

use std::{fmt::Write, sync::Arc};

use async_trait::async_trait;
use engine::ToolResult;
use llm::ToolSpec;
use market::{
    Article, DailyPrice, Frequency, Market, MoverKind, NewsAbout, NoData, Source, Statement, Why,
    indicators::{self, Indicator},
};
use protocol::{Date, Decimal, trading::Measured};
use serde_json::Value;

pub(super) use arguments::reason;
use arguments::{
    Between, CompanyNews, IndicatorOf, MOST_DAYS, Movers, OfCompany, Prices, StatementOf, WorldNews, days,
    read,
};
pub use tool::{CRITICAL_CONDITION, Tool};

use super::seen::Served;
use crate::agent::Toolbox;

/// Rows of a table that a model gets at most; the latest are kept.
const MOST_ROWS: usize = 300;

/// The tools of one analyst, bound to the day of the analysis.
pub struct ResearchTools {
    market: Arc<Market>,
    date: Date,
    offered: &'static [Tool],
}

impl ResearchTools {
    /// Offers these tools, with nothing later than `date` to be seen.
    pub fn new(market: Arc<Market>, date: Date, offered: &'static [Tool]) -> Self {
        Self { market, date, offered }
    }

    async fn answer(&self, tool: Tool, arguments: &Value) -> Answered {
        match tool {
            Tool::StockData => self.stock_data(read(arguments)?).await,
            Tool::Indicators => self.indicators(read(arguments)?).await,
            Tool::News => self.news(read(arguments)?).await,
            Tool::GlobalNews => self.global_news(read(arguments)?).await,
            Tool::Fundamentals => self.profile(read(arguments)?).await,
            Tool::BalanceSheet => self.statement(Statement::BalanceSheet, read(arguments)?).await,
            Tool::Cashflow => self.statement(Statement::CashFlow, read(arguments)?).await,
            Tool::IncomeStatement => self.statement(Statement::Income, read(arguments)?).await,
            Tool::InsiderTransactions => self.insider_trades(read(arguments)?).await,
            Tool::MarketMovers => self.movers(read(arguments)?).await,
            Tool::EarningsCalendar => self.earnings(read(arguments)?).await,
            Tool::EconomicCalendar => self.economic(read(arguments)?).await,
            Tool::CriticalCondition => {
                reason(arguments).ok_or("Give the reason, in a sentence.")?;
                Ok(ToolResult::success("Noted. Now write your report.", "Pitwall"))
            }
        }
    }

    async fn stock_data(&self, wanted: Prices) -> Answered {
        let (end, cut) = self.until(wanted.end_date);
        if wanted.start_date > end {
            return Err(format!("start_date {} lies after {end}.", wanted.start_date).into());
        }
        let market::Answer { data, source } = self.market.prices(&wanted.symbol, end).await?;
        let rows: Vec<_> = data.days.iter().filter(|price| price.date >= wanted.start_date).collect();
        if rows.is_empty() {
            let reason =
                format!("There are no prices of {} from {} to {end}.", wanted.symbol, wanted.start_date);
            return Ok(ToolResult::degraded(reason, source.vendor));
        }
        let kept = &rows[rows.len().saturating_sub(MOST_ROWS)..];
        let unit = source.unit.as_deref().unwrap_or_default();
        let mut text = format!("# {}, daily prices ({unit}){cut}\n", wanted.symbol);
        if kept.len() < rows.len() {
            let _ = writeln!(text, "# the last {} of {} days", kept.len(), rows.len());
        }
        for dividend in data.dividends.iter().filter(|dividend| dividend.date >= kept[0].date) {
            let currency = dividend.currency.as_deref().unwrap_or_default();
            let _ = writeln!(
                text,
                "# dividend of {} {currency} a share, ex-day {}",
                dividend.amount, dividend.date
            );
        }
        for split in data.splits.iter().filter(|split| split.date >= kept[0].date) {
            let _ = writeln!(text, "# split {}:{} on {}", split.numerator, split.denominator, split.date);
        }
        write_prices(&mut text, kept);
        Ok(success(source, kept.iter().map(|price| price.date), &text))
    }

    async fn indicators(&self, wanted: IndicatorOf) -> Answered {
        let indicator: Indicator = wanted.indicator.parse().map_err(|error| format!("{error}"))?;
        let (end, cut) = self.until(wanted.curr_date);
        let first = end.saturating_sub(days(wanted.look_back_days)?);
        let market::Answer { data, source } = self.market.prices(&wanted.symbol, end).await?;
        let prices = data.days;
        let count = prices.iter().filter(|price| price.date > first).count().clamp(1, MOST_ROWS);
        let values = indicators::recent(&prices, indicator, count);
        if let Some((_, Measured::Unknown(reason))) = values.last() {
            let text = format!("{} of {}: {reason}.", indicator.label(), wanted.symbol);
            return Ok(ToolResult::degraded(text, source.vendor));
        }
        let mut text = format!("# {} of {}{cut}\ndate,{indicator}\n", indicator.label(), wanted.symbol);
        for (date, value) in &values {
            let _ = match value {
                Measured::Known(value) => writeln!(text, "{date},{value}"),
                Measured::Unknown(reason) => writeln!(text, "{date},{reason}"),
            };
        }
        Ok(success(source, values.into_iter().map(|(date, _)| date), &text))
    }

    async fn news(&self, wanted: CompanyNews) -> Answered {
        let (end, cut) = self.until(wanted.end_date);
        if wanted.start_date > end {
            return Err(format!("start_date {} lies after {end}.", wanted.start_date).into());
        }
        let about = format!("{}{cut}", wanted.ticker);
        let first = end.saturating_sub(days(MOST_DAYS)?).max(wanted.start_date);
        self.articles(&NewsAbout::Company(wanted.ticker), &about, first, end, 20).await
    }

    async fn global_news(&self, wanted: WorldNews) -> Answered {
        let (end, cut) = self.until(wanted.curr_date);
        let first = end.saturating_sub(days(wanted.look_back_days)?).tomorrow().unwrap_or(end);
        let most = usize::try_from(wanted.limit.clamp(1, 50)).unwrap_or(5);
        self.articles(&NewsAbout::Markets, &format!("the markets{cut}"), first, end, most).await
    }

    async fn articles(
        &self,
        about: &NewsAbout,
        named: &str,
        first: Date,
        end: Date,
        most: usize,
    ) -> Answered {
        let market::Answer { data, source } = self.market.news(about, first, end).await?;
        let found = data.len();
        // A vendor's promise, kept again here.
        let kept: Vec<_> = data.into_iter().filter(|article| article.date <= end).take(most).collect();
        if kept.is_empty() {
            let reason = format!("There are no articles about {named} from {first} to {end}.");
            return Ok(ToolResult::degraded(reason, source.vendor));
        }
        let mut text = format!("# News about {named}\n");
        if kept.len() < found {
            let _ = writeln!(text, "# the newest {} of {found}", kept.len());
        }
        let lines: Vec<String> = kept.iter().map(line).collect();
        text.push_str(&lines.join("\n"));
        Ok(success(source, kept.iter().map(|article| article.date), &text))
    }

    async fn statement(&self, statement: Statement, wanted: StatementOf) -> Answered {
        let frequency = match wanted.freq.as_str() {
            "quarterly" => Frequency::Quarterly,
            "annual" => Frequency::Annual,
            _ => return Err("freq must be \"quarterly\" or \"annual\".".into()),
        };
        let (end, cut) = self.until(wanted.curr_date.unwrap_or(self.date));
        let market::Answer { data, source } =
            self.market.statement(&wanted.ticker, statement, frequency, end).await?;
        let kept = &data[..data.len().min(MOST_ROWS)];
        let mut text = format!(
            "# {}, {} figures{cut}\nperiod start,period end,figure,value,unit,public since,remark\n",
            wanted.ticker, wanted.freq
        );
        for figure in kept {
            let start = figure.start.map(|start| start.to_string()).unwrap_or_default();
            let (label, end, value, unit) =
                (plain(&figure.label), figure.end, figure.value, plain(&figure.unit));
            let remark = figure.derived.as_deref().map(plain).unwrap_or_default();
            let _ = writeln!(text, "{start},{end},{label},{value},{unit},{},{remark}", figure.published);
        }
        Ok(success(source, kept.iter().map(|figure| figure.end), &text))
    }

    async fn profile(&self, wanted: OfCompany) -> Answered {
        let (end, cut) = self.until(wanted.curr_date.unwrap_or(self.date));
        let market::Answer { data, source } = self.market.profile(&wanted.ticker, end).await?;
        let mut text = format!("# {}{cut}\n{}\n", wanted.ticker, data.name);
        for (name, value) in &data.fields {
            let _ = writeln!(text, "- {name}: {value}");
        }
        Ok(success(source, std::iter::once(end), &text))
    }

    async fn insider_trades(&self, wanted: OfCompany) -> Answered {
        let (end, cut) = self.until(wanted.curr_date.unwrap_or(self.date));
        let market::Answer { data, source } = self.market.insider_trades(&wanted.ticker, end).await?;
        let kept = &data[..data.len().min(MOST_ROWS)];
        let mut text = format!(
            "# Trades of insiders of {}{cut}\ndate,public since,who,role,code,shares,price\n",
            wanted.ticker
        );
        for trade in kept {
            let price = shown(trade.price);
            let (who, role, code) = (plain(&trade.name), plain(&trade.role), plain(&trade.code));
            let _ = writeln!(
                text,
                "{},{},{who},{role},{code},{},{price}",
                trade.date, trade.published, trade.change
            );
        }
        Ok(success(source, kept.iter().map(|trade| trade.date), &text))
    }

    async fn movers(&self, wanted: Movers) -> Answered {
        let kind = match wanted.category.as_str() {
            "day_gainers" => MoverKind::Gainers,
            "day_losers" => MoverKind::Losers,
            "most_actives" => MoverKind::MostActive,
            _ => return Err("category must be \"day_gainers\", \"day_losers\" or \"most_actives\".".into()),
        };
        let market::Answer { data, source } = self.market.movers(kind, self.date).await?;
        let kept = &data[..data.len().min(25)];
        let mut text = format!("# {}\nsymbol,price,change,volume\n", wanted.category);
        for mover in kept {
            let symbol = plain(&mover.symbol);
            let _ = writeln!(
                text,
                "{symbol},{},{},{}",
                shown(mover.price),
                shown(mover.change),
                shown(mover.volume)
            );
        }
        Ok(success(source, kept.iter().map(|_| self.date), &text))
    }

    async fn earnings(&self, wanted: Between) -> Answered {
        let Between { ticker, from_date, to_date } = wanted;
        let market::Answer { data, source } =
            self.market.earnings(ticker.as_ref(), from_date, to_date, self.date).await?;
        let kept = &data[..data.len().min(MOST_ROWS)];
        let mut text = "# Earnings\nsymbol,date,fiscal period,estimate,actual,state\n".to_owned();
        for row in kept {
            let state = if row.projected { "projected" } else { "reported" };
            let (symbol, period) = (plain(&row.symbol), plain(&row.period));
            let (estimate, actual) = (shown(row.estimate), shown(row.actual));
            let _ = writeln!(text, "{symbol},{},{period},{estimate},{actual},{state}", row.date);
        }
        Ok(success(source, kept.iter().map(|row| row.date), &text))
    }

    async fn economic(&self, wanted: Between) -> Answered {
        let market::Answer { data, source } =
            self.market.economic(wanted.from_date, wanted.to_date, self.date).await?;
        let kept = &data[..data.len().min(MOST_ROWS)];
        let mut text = "# Economic figures\ndate,country,event,actual,estimate,previous,unit\n".to_owned();
        for row in kept {
            let (country, event, unit) = (plain(&row.country), plain(&row.event), plain(&row.unit));
            let (actual, estimate, previous) = (shown(row.actual), shown(row.estimate), shown(row.previous));
            let _ = writeln!(text, "{},{country},{event},{actual},{estimate},{previous},{unit}", row.date);
        }
        Ok(success(source, kept.iter().map(|row| row.date), &text))
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
        match self.answer(*tool, arguments).await {
            Ok(result) => result,
            Err(Unanswered::Arguments(why)) => ToolResult::error(why),
            Err(Unanswered::NoData(why)) => unserved(&why),
        }
    }
}

/// What a tool gives: a result, or why there is none.
type Answered = Result<ToolResult, Unanswered>;

/// Why a tool gives no result.
enum Unanswered {
    /// What the model passed cannot be used, in a sentence.
    Arguments(String),
    /// The vendors have no data.
    NoData(NoData),
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self::Arguments(why)
    }
}

impl From<&str> for Unanswered {
    fn from(why: &str) -> Self {
        Self::Arguments(why.to_owned())
    }
}

impl From<NoData> for Unanswered {
    fn from(why: NoData) -> Self {
        Self::NoData(why)
    }
}

/// What a vendor's refusal means for the model. That a symbol is unknown is its own fault; all else is a degraded
/// result, with which it can go on.
fn unserved(refusal: &NoData) -> ToolResult {
    match refusal.why {
        Why::Unknown => ToolResult {
            vendor: Some(refusal.vendor.clone()),
            ..ToolResult::error(format!("Not available: {refusal}"))
        },
        Why::Empty | Why::Denied | Why::Later(_) => {
            ToolResult::degraded(format!("Not available: {refusal}"), &refusal.vendor)
        }
    }
}

/// A result that begins with where its data are from.
fn success(source: Source, days: impl Iterator<Item = Date>, text: &str) -> ToolResult {
    let vendor = source.vendor.clone();
    ToolResult::success(Served::of_days(source, days).before(text), vendor)
}

/// Prices as CSV, with the columns that there are values in.
fn write_prices(text: &mut String, prices: &[&DailyPrice]) {
    type Column = (&'static str, fn(&DailyPrice) -> Option<Decimal>);
    let all: [Column; 5] = [
        ("open", |price| price.open),
        ("high", |price| price.high),
        ("low", |price| price.low),
        ("close", |price| Some(price.close)),
        ("volume", |price| price.volume),
    ];
    let columns: Vec<Column> =
        all.into_iter().filter(|(_, value)| prices.iter().any(|price| value(price).is_some())).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let _ = writeln!(text, "date,{}", names.join(","));
    for price in prices {
        let values: Vec<String> = columns.iter().map(|(_, value)| shown(value(price))).collect();
        let _ = writeln!(text, "{},{}", price.date, values.join(","));
    }
}

/// A value in a cell of CSV; nothing where there is none.
fn shown(value: Option<Decimal>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A vendor's text in a cell of CSV.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if letter == ',' || letter.is_control() { ' ' } else { letter })
        .take(200)
        .collect()
}

fn line(article: &Article) -> String {
    let Article { date, title, publisher, summary, .. } = article;
    // On one line, so that no text passes for another article or for where the data are from.
    let short = |text: &str, most: usize| -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(most).collect()
    };
    format!("- {date} {} ({}). {}", short(title, 300), short(publisher, 80), short(summary, 400))
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
        ResearchTools::new(Arc::new(Market::sample().unwrap()), "2022-06-30".parse().unwrap(), ALL)
    }

    /// AgentOS 6.A 16.
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

    /// AgentOS 6.A 16.
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
