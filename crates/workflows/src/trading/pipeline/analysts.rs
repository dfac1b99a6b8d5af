//! The four analysts, and what each looks up.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, ToolResult, Work};
use protocol::{Figure, LogLevel, ToolStatus, trading::Analyst};
use serde_json::json;

use super::{Subject, screen::CriticalCondition, state};
use crate::{
    agent::{ToolUse, converse},
    node::{brief, log, report},
    trading::{
        facts::{CaseFacts, MarketFacts, Missing},
        gaps::gap,
        prompts::{prompt, roles},
        seen::{Seen, with_data},
        tools::{CRITICAL_CONDITION, ResearchTools, Tool, reason},
    },
};

/// The tool by which code measures the figures of a stock.
const MEASURE: &str = "measure_figures";

/// How one of the analysts is shown, what it is asked, and which tools it is offered.
pub(super) struct AnalystSpec {
    pub(super) node: &'static str,
    pub(super) role: &'static str,
    pub(super) label: &'static str,
    title: &'static str,
    report: &'static str,
    prompt: &'static str,
    tools: &'static [Tool],
}

pub(super) fn spec(analyst: Analyst) -> AnalystSpec {
    match analyst {
        Analyst::Market => AnalystSpec {
            node: "market_analyst",
            role: "market",
            label: "Market analyst",
            title: "Market report",
            report: state::MARKET_REPORT,
            prompt: roles::MARKET,
            tools: &[Tool::StockData, Tool::Indicators, Tool::CriticalCondition],
        },
        Analyst::Social => AnalystSpec {
            node: "social_analyst",
            role: "social",
            label: "Social analyst",
            title: "Sentiment report",
            report: state::SENTIMENT_REPORT,
            prompt: roles::SOCIAL,
            tools: &[Tool::News],
        },
        Analyst::News => AnalystSpec {
            node: "news_analyst",
            role: "news",
            label: "News analyst",
            title: "News report",
            report: state::NEWS_REPORT,
            prompt: roles::NEWS,
            tools: &[
                Tool::News,
                Tool::GlobalNews,
                Tool::InsiderTransactions,
                Tool::EarningsCalendar,
                Tool::EconomicCalendar,
                Tool::MarketMovers,
            ],
        },
        Analyst::Fundamentals => AnalystSpec {
            node: "fundamentals_analyst",
            role: "fundamentals",
            label: "Fundamentals analyst",
            title: "Fundamentals report",
            report: state::FUNDAMENTALS_REPORT,
            prompt: roles::FUNDAMENTALS,
            tools: &[
                Tool::Fundamentals,
                Tool::BalanceSheet,
                Tool::Cashflow,
                Tool::IncomeStatement,
                Tool::CriticalCondition,
            ],
        },
    }
}

/// The name of an input in [`Missing`].
pub(super) fn input(analyst: Analyst) -> &'static str {
    spec(analyst).role
}

/// One of the four analysts.
pub(super) struct AnalystWork {
    pub(super) subject: Subject,
    pub(super) analyst: Analyst,
}

#[async_trait]
impl Work for AnalystWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let spec = spec(self.analyst);
        let market = match self.analyst {
            Analyst::Market => Some(self.measure(node).await?),
            _ => None,
        };
        let facts = CaseFacts { market: market.clone(), ..self.subject.facts(node, None)? };
        let messages = prompt(spec.prompt, self.subject.header()).facts(&facts);
        let tools = ResearchTools::new(self.subject.market.clone(), self.subject.date, spec.tools);
        let talk = converse(node, brief(node, messages, None), &tools).await?;

        let gap = if market.is_some() { None } else { gap(&talk.tools) };
        let figures = match (&market, &gap) {
            (Some(market), _) => market.report(),
            (None, Some(reason)) => {
                let (label, value) = (self.analyst.label().to_owned(), reason.clone());
                vec![Figure { label, value, source: "tool results of this visit".to_owned() }]
            }
            (None, None) => Vec::new(),
        };
        let measured = market.as_ref().map(|market| {
            let served = market.served.clone();
            Seen {
                agent: spec.label.to_owned(),
                asked: format!("{MEASURE} {}", market.ticker),
                served,
                missing: None,
            }
        });
        let lookups = talk.tools.iter().filter(|used| used.name != CRITICAL_CONDITION);
        let looked_up = lookups.map(|used| Seen::of_tool(spec.label, used));
        let seen: Vec<Seen> = measured.into_iter().chain(looked_up).collect();
        let report = report(spec.report, spec.title, &with_data(&talk.answer, &seen), figures);
        let critical = talk.tools.iter().find_map(critical_condition);
        let warning = critical
            .as_ref()
            .map(|reason| log(LogLevel::Warning, format!("Critical condition reported: {reason}")));
        node.emit([report].into_iter().chain(warning).collect()).await?;

        let mut outcome = Outcome::default().set(spec.report, &talk.answer)?.set(state::SEEN, seen)?;
        if let Some(market) = market {
            outcome = outcome.set(state::MARKET_FIGURES, market)?;
        }
        if let Some(reason) = critical {
            let input = input(self.analyst).to_owned();
            outcome = outcome.set(state::CRITICAL_CONDITIONS, CriticalCondition { input, reason })?;
        }
        if let Some(reason) = gap {
            let missing = Missing { input: input(self.analyst).to_owned(), reason: reason.clone() };
            outcome = outcome.set(state::GAPS, missing)?.degraded(reason);
        }
        Ok(outcome)
    }
}

impl AnalystWork {
    /// Measures the figures as a tool call, so that they are seen and kept like any other result.
    async fn measure(&self, node: &NodeContext) -> Result<MarketFacts, NodeError> {
        let Subject { ticker, date, market, .. } = &self.subject;
        let measured = async {
            let facts = match MarketFacts::measure(market, ticker, *date).await {
                Ok(facts) => facts,
                Err(refusal) => {
                    let vendor = Some(refusal.vendor.clone());
                    return ToolResult { vendor, ..ToolResult::error(refusal.to_string()) };
                }
            };
            match serde_json::to_string(&facts) {
                Ok(json) => ToolResult::success(json, facts.source),
                Err(error) => ToolResult::error(format!("The figures have no JSON form: {error}.")),
            }
        };
        let result = node.tool(MEASURE, &json!({ "ticker": ticker, "date": date }).into(), measured).await?;
        if result.status == ToolStatus::Error {
            return Err(NodeError::failed(result.text));
        }
        serde_json::from_str(&result.text)
            .map_err(|error| NodeError::failed(format!("The figures in the log cannot be read: {error}.")))
    }
}

fn critical_condition(used: &ToolUse) -> Option<String> {
    let reported = used.name == CRITICAL_CONDITION && used.status == ToolStatus::Success;
    reported.then(|| reason(&used.arguments)).flatten()
}
