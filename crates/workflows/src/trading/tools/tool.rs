//! What each tool is called, and how it is described to a model.

use llm::ToolSpec;
use market::indicators::Indicator;
use serde_json::json;

/// The tool by which an analyst ends the analysis early.
pub const CRITICAL_CONDITION: &str = "report_critical_condition";

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
    /// `get_insider_transactions(ticker, curr_date)`
    InsiderTransactions,
    /// `get_market_movers(category)`
    MarketMovers,
    /// `get_earnings_calendar(from_date, to_date, ticker)`
    EarningsCalendar,
    /// `get_economic_calendar(from_date, to_date)`
    EconomicCalendar,
    /// `report_critical_condition(reason)`
    CriticalCondition,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::StockData,
        Self::Indicators,
        Self::News,
        Self::GlobalNews,
        Self::Fundamentals,
        Self::BalanceSheet,
        Self::Cashflow,
        Self::IncomeStatement,
        Self::InsiderTransactions,
        Self::MarketMovers,
        Self::EarningsCalendar,
        Self::EconomicCalendar,
        Self::CriticalCondition,
    ];

    /// The tool of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

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
            Self::InsiderTransactions => "get_insider_transactions",
            Self::MarketMovers => "get_market_movers",
            Self::EarningsCalendar => "get_earnings_calendar",
            Self::EconomicCalendar => "get_economic_calendar",
            Self::CriticalCondition => CRITICAL_CONDITION,
        }
    }

    pub(super) fn spec(self) -> ToolSpec {
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
                "Daily prices of a stock between two days, with dividends and splits, as CSV.",
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
            Self::InsiderTransactions => (
                "Trades of a company's own people, as they were filed up to a day, as CSV.",
                (json!({ "ticker": ticker, "curr_date": date("The day of the analysis") }), vec!["ticker"]),
            ),
            Self::MarketMovers => (
                "What rose, fell or was traded most on the day of the analysis, as CSV.",
                (
                    json!({
                        "category": { "type": "string", "enum": ["day_gainers", "day_losers", "most_actives"] },
                    }),
                    vec!["category"],
                ),
            ),
            Self::EarningsCalendar => (
                "Reports of earnings between two days, as they were known on the day of the analysis, as CSV.",
                (
                    json!({ "ticker": ticker, "from_date": date("First day"), "to_date": date("Last day") }),
                    vec!["from_date", "to_date"],
                ),
            ),
            Self::EconomicCalendar => (
                "Economic figures between two days, as they were known on the day of the analysis, as CSV.",
                (
                    json!({ "from_date": date("First day"), "to_date": date("Last day") }),
                    vec!["from_date", "to_date"],
                ),
            ),
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
