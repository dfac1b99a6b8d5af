use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Analyst, BacktestDay, BacktestPlan, PortfolioId, Ticker, TradingPrices};
use crate::{Date, Heading, Workflow, document::DocumentReference};

/// What a trading run is to do: the kinds of workflow of this family, with their parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Task {
    /// Analysts, debates and a rating for one stock.
    Pipeline {
        /// The stock.
        ticker: Ticker,
        /// The day of the analysis; nothing later is seen.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// Who looks at it; at least one.
        #[serde(default = "Analyst::all")]
        analysts: Vec<Analyst>,
        /// The portfolio that it is made for: its agents are told what it holds. Nothing is traded.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        portfolio: Option<PortfolioId>,
        /// The table of own prices that are asked before all others; see [`super::PriceTable`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<DocumentReference>,
    },
    /// A review of one portfolio, a decision, and its trades.
    Portfolio {
        /// The portfolio that trades.
        portfolio: PortfolioId,
        /// The day of the decision and of its prices.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// The prices that it trades at. Where none are named, those of the flow's newest analysis
        /// are taken, or else those that the portfolio is valued by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<TradingPrices>,
    },
    /// A look at the whole market, and the stocks that are worth an analysis.
    Scan {
        /// The day of the scan; nothing later is seen.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// Stocks to propose at most, 1 to [`Task::MOST_TICKERS`].
        #[serde(default = "usual_tickers")]
        max_tickers: u32,
        /// The table of own prices that are asked before all others; see [`super::PriceTable`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<DocumentReference>,
    },
    /// A scan, the analyses of what it found and of what is held, and the portfolio's decision on them.
    Auto {
        /// The portfolio that trades.
        portfolio: PortfolioId,
        /// The day as of which all of it works.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// Stocks that the scan proposes at most, 1 to [`Task::MOST_TICKERS`]. Holdings come on top of them.
        #[serde(default = "usual_tickers")]
        max_tickers: u32,
        /// Analyses that are made at the same time, 1 to [`Task::MOST_PIPELINES`].
        #[serde(default = "usual_pipelines")]
        max_concurrent_pipelines: u32,
        /// Who looks at each stock; at least one.
        #[serde(default = "Analyst::all")]
        analysts: Vec<Analyst>,
        /// Whether scan and analyses are made again that the flow has already.
        #[serde(default)]
        force: bool,
        /// The prices that it trades at. Where none are named, those that the portfolio is valued by
        /// are taken. Its runs that it starts get the same.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        prices: Option<TradingPrices>,
    },
    /// Decisions over a range of days, on a paper portfolio of its own.
    Backtest(Box<BacktestPlan>),
    /// The analyses and the decision of one day of a backtest, which starts it.
    BacktestDay(Box<BacktestDay>),
    /// A look back at the account's ratings whose outcome is known, and a lesson from each.
    Reflect {
        /// The day as of which it looks back; nothing later is seen.
        #[serde(deserialize_with = "crate::date::deserialize")]
        date: Date,
        /// Lessons to write at most, those on the oldest decisions first, 1 to [`Task::MOST_LESSONS`].
        #[serde(default = "usual_lessons")]
        max_lessons: u32,
    },
}

fn usual_lessons() -> u32 {
    Task::USUAL_LESSONS
}

fn usual_tickers() -> u32 {
    Task::USUAL_TICKERS
}

fn usual_pipelines() -> u32 {
    Task::USUAL_PIPELINES
}

impl Task {
    /// The kind that analyses a stock.
    pub const PIPELINE: &'static str = "pipeline";
    /// The kind that trades for a portfolio.
    pub const PORTFOLIO: &'static str = "portfolio";
    /// The kind that looks at the whole market.
    pub const SCAN: &'static str = "scan";
    /// The kind that does all three, one after the other.
    pub const AUTO: &'static str = "auto";
    /// The kind that decides over a range of days.
    pub const BACKTEST: &'static str = "backtest";
    /// The kind of one day of a backtest.
    pub const BACKTEST_DAY: &'static str = "backtest_day";
    /// The kind that learns from earlier ratings.
    pub const REFLECT: &'static str = "reflect";
    /// The most lessons that a reflection writes.
    pub const MOST_LESSONS: u32 = 100;
    /// How many it writes where nothing else is asked for.
    pub const USUAL_LESSONS: u32 = 20;
    /// The most stocks that a scan proposes.
    pub const MOST_TICKERS: u32 = 20;
    /// How many it proposes where nothing else is asked for.
    pub const USUAL_TICKERS: u32 = 10;
    /// The most analyses that an automatic run makes at the same time.
    pub const MOST_PIPELINES: u32 = 8;
    /// How many it makes where nothing else is asked for.
    pub const USUAL_PIPELINES: u32 = 2;

    /// The task that a workflow of this family asks for; `None` for other families' workflows.
    ///
    /// # Errors
    /// The parameters cannot be read; the error names the first that cannot.
    pub fn read(workflow: &Workflow) -> Option<serde_json::Result<Self>> {
        const KINDS: [&str; 7] = [
            Task::PIPELINE,
            Task::PORTFOLIO,
            Task::SCAN,
            Task::AUTO,
            Task::BACKTEST,
            Task::BACKTEST_DAY,
            Task::REFLECT,
        ];
        if !KINDS.contains(&workflow.kind().as_str()) {
            return None;
        }
        Some(serde_json::to_value(workflow).and_then(serde_json::from_value))
    }

    /// The same where whatever cannot be read counts as another family's.
    pub fn of(workflow: &Workflow) -> Option<Self> {
        Self::read(workflow)?.ok()
    }

    /// The kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pipeline { .. } => Self::PIPELINE,
            Self::Portfolio { .. } => Self::PORTFOLIO,
            Self::Scan { .. } => Self::SCAN,
            Self::Auto { .. } => Self::AUTO,
            Self::Backtest(_) => Self::BACKTEST,
            Self::BacktestDay(_) => Self::BACKTEST_DAY,
            Self::Reflect { .. } => Self::REFLECT,
        }
    }

    /// The day as of which it works: the last one, where there are several.
    pub fn date(&self) -> Date {
        match self {
            Self::Pipeline { date, .. }
            | Self::Portfolio { date, .. }
            | Self::Scan { date, .. }
            | Self::Auto { date, .. }
            | Self::Reflect { date, .. } => *date,
            Self::Backtest(plan) => plan.to,
            Self::BacktestDay(day) => day.date,
        }
    }

    /// What it is about: tickers, a portfolio, the market, or earlier decisions.
    pub fn subject(&self) -> Cow<'_, str> {
        match self {
            Self::Pipeline { ticker, .. } => ticker.as_str().into(),
            Self::Portfolio { portfolio, .. } | Self::Auto { portfolio, .. } => portfolio.as_str().into(),
            Self::Scan { .. } => "market".into(),
            Self::Reflect { .. } => "decisions".into(),
            Self::Backtest(plan) => listed(&plan.tickers).into(),
            Self::BacktestDay(day) => listed(&day.tickers).into(),
        }
    }

    /// What its run is called, such as `Pipeline · AAPL · 2022-06-30`.
    pub fn heading(&self) -> Heading {
        let name = match self {
            Self::Pipeline { .. } => "Pipeline",
            Self::Portfolio { .. } => "Portfolio",
            Self::Scan { .. } => "Scan",
            Self::Auto { .. } => "Auto",
            Self::Backtest(plan) => {
                let subject = self.subject();
                let title = format!("Backtest · {subject} · {} to {}, {}", plan.from, plan.to, plan.rhythm);
                let subject = Some(subject.into_owned());
                return Heading { subject, as_of: Some(plan.to), ..Heading::new(title) };
            }
            Self::BacktestDay(_) => "Backtest day",
            Self::Reflect { .. } => "Reflection",
        };
        heading(name, &self.subject(), self.date())
    }
}

/// Tickers in a few words: `AMD, JNJ, XOM and 4 more`.
fn listed(tickers: &[Ticker]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = tickers.iter().take(SHOWN).map(Ticker::as_str).collect();
    match tickers.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// The heading of a run about `subject` as of a day.
pub(super) fn heading(name: &str, subject: &str, date: Date) -> Heading {
    let title = format!("{name} · {subject} · {date}");
    Heading { subject: Some(subject.to_owned()), as_of: Some(date), ..Heading::new(title) }
}

/// The fields of parameters; a struct of texts, numbers and lists always has a JSON form.
fn fields(parameters: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(parameters) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

impl From<Task> for Workflow {
    fn from(task: Task) -> Self {
        let mut parameters = Map::new();
        let mut add = |name: &str, value: Value| drop(parameters.insert(name.to_owned(), value));
        let kind = match task {
            Task::Pipeline { ticker, date, analysts, portfolio, prices } => {
                add("ticker", ticker.as_str().into());
                add("date", date.to_string().into());
                add("analysts", analysts.iter().map(|analyst| analyst.slug()).collect());
                if let Some(portfolio) = portfolio {
                    add("portfolio", portfolio.as_str().into());
                }
                if let Some(prices) = prices {
                    add("prices", prices.to_string().into());
                }
                crate::WorkflowKind::of_slug(Task::PIPELINE)
            }
            Task::Portfolio { portfolio, date, prices } => {
                add("portfolio", portfolio.as_str().into());
                add("date", date.to_string().into());
                if let Some(prices) = prices {
                    add("prices", prices.to_string().into());
                }
                crate::WorkflowKind::of_slug(Task::PORTFOLIO)
            }
            Task::Scan { date, max_tickers, prices } => {
                add("date", date.to_string().into());
                add("max_tickers", max_tickers.into());
                if let Some(prices) = prices {
                    add("prices", prices.to_string().into());
                }
                crate::WorkflowKind::of_slug(Task::SCAN)
            }
            Task::Auto {
                portfolio,
                date,
                max_tickers,
                max_concurrent_pipelines,
                analysts,
                force,
                prices,
            } => {
                add("portfolio", portfolio.as_str().into());
                add("date", date.to_string().into());
                add("max_tickers", max_tickers.into());
                add("max_concurrent_pipelines", max_concurrent_pipelines.into());
                add("analysts", analysts.iter().map(|analyst| analyst.slug()).collect());
                add("force", force.into());
                if let Some(prices) = prices {
                    add("prices", prices.to_string().into());
                }
                crate::WorkflowKind::of_slug(Task::AUTO)
            }
            Task::Backtest(plan) => {
                parameters = fields(&plan);
                crate::WorkflowKind::of_slug(Task::BACKTEST)
            }
            Task::BacktestDay(day) => {
                parameters = fields(&day);
                crate::WorkflowKind::of_slug(Task::BACKTEST_DAY)
            }
            Task::Reflect { date, max_lessons } => {
                add("date", date.to_string().into());
                add("max_lessons", max_lessons.into());
                crate::WorkflowKind::of_slug(Task::REFLECT)
            }
        };
        Self::of_family(kind, parameters)
    }
}
