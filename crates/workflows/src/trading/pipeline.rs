//! The research pipeline: analysts in parallel, a screen, two debates, a rating.

use async_trait::async_trait;
use engine::{Graph, NodeContext, NodeError, Outcome, Route, State, ToolResult, Work};
use llm::{AnswerSchema, parse_structured};
use protocol::{
    Date, EdgeKind, Figure, LogLevel, NodeAdded, NodeId, NodeKind, Tier, ToolStatus,
    trading::{Analyst, Confidence, Grade, Rating, Ticker},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    facts::{CaseFacts, LastPoint, MarketFacts, Missing},
    prompts::{prompt, roles},
    tools::{CRITICAL_CONDITION, ResearchTools, Sources, Tool, reason},
};
use crate::{
    agent::{NoTools, ToolUse, ask, converse},
    node::{brief, log, node_id, product, report},
    prompt::Prompt,
};

/// Rounds of the research debate and of the risk debate.
pub const ROUNDS: u32 = 2;

/// Keys of the run's state.
pub mod state {
    /// The market analyst's report.
    pub const MARKET_REPORT: &str = "market_report";
    /// The social analyst's report.
    pub const SENTIMENT_REPORT: &str = "sentiment_report";
    /// The news analyst's report.
    pub const NEWS_REPORT: &str = "news_report";
    /// The fundamentals analyst's report.
    pub const FUNDAMENTALS_REPORT: &str = "fundamentals_report";
    /// The price figures.
    pub const MARKET_FIGURES: &str = "market_figures";
    /// What analysts did without, a list.
    pub const GAPS: &str = "gaps";
    /// The critical conditions that analysts reported, a list.
    pub const CRITICAL_CONDITIONS: &str = "critical_conditions";
    /// The inputs that are missing, as the screen found.
    pub const MISSING: &str = "missing";
    /// The critical condition that ends the analysis, or null.
    pub const ABORT: &str = "abort";
    /// What bull and bear said, a list.
    pub const INVESTMENT_DEBATE: &str = "investment_debate";
    /// The research manager's plan.
    pub const INVESTMENT_PLAN: &str = "investment_plan";
    /// The trader's proposal.
    pub const TRADER_PLAN: &str = "trader_investment_plan";
    /// What the three risk analysts said, a list.
    pub const RISK_DEBATE: &str = "risk_debate";
    /// The rating as Markdown.
    pub const FINAL_DECISION: &str = "final_trade_decision";
    /// The rating.
    pub const RATING: &str = "rating";
}

/// How one of the analysts is shown, what it is asked, and which tools it is offered.
struct AnalystSpec {
    node: &'static str,
    role: &'static str,
    label: &'static str,
    title: &'static str,
    report: &'static str,
    prompt: &'static str,
    tools: &'static [Tool],
}

fn spec(analyst: Analyst) -> AnalystSpec {
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
            tools: &[Tool::News, Tool::GlobalNews],
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
fn input(analyst: Analyst) -> &'static str {
    spec(analyst).role
}

/// The stock and the day of a run.
#[derive(Clone)]
pub(super) struct Subject {
    pub ticker: Ticker,
    pub date: Date,
    pub sources: Sources,
}

/// Builds the graph.
///
/// # Errors
/// No analyst is selected, in a sentence.
pub(super) fn graph(subject: &Subject, analysts: &[Analyst]) -> Result<Graph, String> {
    let selected: Vec<Analyst> =
        Analyst::all().into_iter().filter(|analyst| analysts.contains(analyst)).collect();
    if selected.is_empty() {
        return Err("No analyst is selected. Select at least one.".to_owned());
    }
    let mut graph = Graph::new();
    for list in [state::GAPS, state::CRITICAL_CONDITIONS, state::INVESTMENT_DEBATE, state::RISK_DEBATE] {
        graph.append(list);
    }
    let scope = Some(subject.ticker.to_string());
    let planned = |node: &str, label: &str, role: &str, phase: &str, tier: Option<Tier>, visits: u32| {
        Ok::<_, String>(NodeAdded {
            id: node_id(node)?,
            label: label.to_owned(),
            role: role.to_owned(),
            kind: if tier.is_some() { NodeKind::Agent } else { NodeKind::Code },
            phase: phase.to_owned(),
            scope: scope.clone(),
            owner: None,
            tier,
            planned_visits: visits,
        })
    };

    let screen = node_id("screen")?;
    for analyst in &selected {
        let spec = spec(*analyst);
        let plan = planned(spec.node, spec.label, spec.role, "Analysts", Some(Tier::Quick), 1)?;
        let id = plan.id.clone();
        graph.node(plan, AnalystWork { subject: subject.clone(), analyst: *analyst });
        graph.flow(&id, &screen);
    }
    graph.node(planned("screen", "Critical screen", "screen", "Debate", None, 1)?, ScreenWork { selected });
    for side in [&BULL, &BEAR] {
        let plan = planned(side.node, side.label, side.role, "Debate", Some(Tier::Mid), ROUNDS)?;
        graph.node(plan, DebateWork { subject: subject.clone(), voice: side });
    }
    graph.node(
        planned("research_manager", "Research manager", "research_manager", "Plan", Some(Tier::Deep), 1)?,
        PlanWork { subject: subject.clone(), plan: &RESEARCH_PLAN },
    );
    graph.node(
        planned("trader", "Trader", "trader", "Plan", Some(Tier::Mid), 1)?,
        PlanWork { subject: subject.clone(), plan: &TRADE_PLAN },
    );
    for voice in [&AGGRESSIVE, &CONSERVATIVE, &NEUTRAL] {
        let plan = planned(voice.node, voice.label, voice.role, "Risk debate", Some(Tier::Quick), ROUNDS)?;
        graph.node(plan, DebateWork { subject: subject.clone(), voice });
    }
    graph.node(
        planned(
            "portfolio_manager",
            "Portfolio manager",
            "portfolio_manager",
            "Decision",
            Some(Tier::Deep),
            1,
        )?,
        RatingWork { subject: subject.clone() },
    );
    connect(&mut graph)?;
    Ok(graph)
}

/// Draws the edges after the screen.
fn connect(graph: &mut Graph) -> Result<(), String> {
    let screen = node_id("screen")?;
    let (bull, bear) = (node_id(BULL.node)?, node_id(BEAR.node)?);
    let (manager, trader) = (node_id("research_manager")?, node_id("trader")?);
    let (aggressive, conservative, neutral) =
        (node_id(AGGRESSIVE.node)?, node_id(CONSERVATIVE.node)?, node_id(NEUTRAL.node)?);
    let decision = node_id("portfolio_manager")?;

    let to =
        |to: &NodeId, kind, condition: &str| Route { to: to.clone(), kind, condition: condition.to_owned() };
    let routes = vec![
        to(&bull, EdgeKind::Conditional, "no critical condition"),
        to(&decision, EdgeKind::Conditional, "critical condition"),
    ];
    let (debate, cut_short) = (bull.clone(), decision.clone());
    graph.branch(&screen, routes, move |state, _| {
        vec![if is_aborted(state) { cut_short.clone() } else { debate.clone() }]
    });

    graph.flow(&bull, &bear);
    rounds(graph, &bear, &bull, &manager, &to);
    graph.flow(&manager, &trader).flow(&trader, &aggressive);
    graph.flow(&aggressive, &conservative).flow(&conservative, &neutral);
    rounds(graph, &neutral, &aggressive, &decision, &to);
    Ok(())
}

/// After its visit `last` sends the debate back to `first` until all rounds are held, then on to `next`.
fn rounds(
    graph: &mut Graph,
    last: &NodeId,
    first: &NodeId,
    next: &NodeId,
    to: &impl Fn(&NodeId, EdgeKind, &str) -> Route,
) {
    let routes = vec![
        to(first, EdgeKind::Loop, &format!("fewer than {ROUNDS} rounds")),
        to(next, EdgeKind::Conditional, &format!("{ROUNDS} rounds are held")),
    ];
    let (first, next) = (first.clone(), next.clone());
    graph.branch(last, routes, move |_, round| {
        vec![if round < ROUNDS { first.clone() } else { next.clone() }]
    });
}

fn is_aborted(state: &State) -> bool {
    matches!(state.get::<Option<String>>(state::ABORT), Ok(Some(Some(_))))
}

/// The highest confidence that the inputs allow: high with all four, low without prices, medium between.
pub fn confidence_limit(missing: &[Missing]) -> Confidence {
    if missing.is_empty() {
        Confidence::High
    } else if missing.iter().any(|missing| missing.input == input(Analyst::Market)) {
        Confidence::Low
    } else {
        Confidence::Medium
    }
}

impl Subject {
    fn header(&self) -> String {
        let instrument = self.sources.prices.instrument(&self.ticker);
        let name = instrument.map_or_else(String::new, |known| match known.sector.as_str() {
            "" => format!(" ({})", known.name),
            sector => format!(" ({}, {sector})", known.name),
        });
        format!("Stock: {}{name}. Day of the analysis: {}.", self.ticker, self.date)
    }

    /// What the state says about the case by now.
    fn facts(&self, node: &NodeContext, last_point: Option<LastPoint>) -> Result<CaseFacts, NodeError> {
        let state = node.state();
        Ok(CaseFacts {
            ticker: self.ticker.clone(),
            date: self.date,
            round: node.visit(),
            market: state.get(state::MARKET_FIGURES)?,
            missing: state.get(state::MISSING)?.unwrap_or_default(),
            abort: state.get::<Option<String>>(state::ABORT)?.flatten(),
            last_point,
        })
    }

    /// A prompt with the analysts' reports in it.
    fn prompt(&self, role: &'static str, state: &State) -> Prompt {
        prompt(role, self.header())
            .section("Market report", state.text(state::MARKET_REPORT))
            .section("Sentiment report", state.text(state::SENTIMENT_REPORT))
            .section("News report", state.text(state::NEWS_REPORT))
            .section("Fundamentals report", state.text(state::FUNDAMENTALS_REPORT))
    }
}

/// A critical condition with the analyst who reported it.
#[derive(Clone, Serialize, Deserialize)]
struct CriticalCondition {
    input: String,
    reason: String,
}

/// One of the four analysts.
struct AnalystWork {
    subject: Subject,
    analyst: Analyst,
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
        let tools = ResearchTools::new(self.subject.sources.clone(), self.subject.date, spec.tools);
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
        let report = report(spec.report, spec.title, &talk.answer, figures);
        let critical = talk.tools.iter().find_map(critical_condition);
        let warning = critical
            .as_ref()
            .map(|reason| log(LogLevel::Warning, format!("Critical condition reported: {reason}")));
        node.emit([report].into_iter().chain(warning).collect()).await?;

        let mut outcome = Outcome::default().set(spec.report, &talk.answer)?;
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
        let Subject { ticker, date, sources } = &self.subject;
        let measured = async {
            let facts = MarketFacts::measure(sources.prices.as_ref(), ticker, *date).await;
            match facts.map(|facts| serde_json::to_string(&facts)) {
                Ok(Ok(json)) => ToolResult::success(json, sources.prices.name()),
                Ok(Err(error)) => ToolResult::error(format!("The figures have no JSON form: {error}.")),
                Err(error) => ToolResult::error(error.to_string()),
            }
        };
        let result =
            node.tool("measure_figures", &json!({ "ticker": ticker, "date": date }).into(), measured).await?;
        if result.status == ToolStatus::Error {
            return Err(NodeError::failed(result.text));
        }
        serde_json::from_str(&result.text)
            .map_err(|error| NodeError::failed(format!("The figures in the log cannot be read: {error}.")))
    }
}

/// Why an analyst has nothing to go by: none of its lookups gave data.
fn gap(tools: &[ToolUse]) -> Option<String> {
    let lookups = || tools.iter().filter(|used| used.name != CRITICAL_CONDITION);
    if lookups().any(|used| used.status == ToolStatus::Success) {
        return None;
    }
    let mut reasons: Vec<&str> = lookups().map(|used| used.text.as_str()).collect();
    reasons.dedup();
    Some(if reasons.is_empty() { "The model looked nothing up.".to_owned() } else { reasons.join(" ") })
}

fn critical_condition(used: &ToolUse) -> Option<String> {
    let reported = used.name == CRITICAL_CONDITION && used.status == ToolStatus::Success;
    reported.then(|| reason(&used.arguments)).flatten()
}

/// Joins the analysts: collects what is missing, and whether the analysis ends here.
struct ScreenWork {
    selected: Vec<Analyst>,
}

#[async_trait]
impl Work for ScreenWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let gaps: Vec<Missing> = node.state().get(state::GAPS)?.unwrap_or_default();
        let reported: Vec<CriticalCondition> =
            node.state().get(state::CRITICAL_CONDITIONS)?.unwrap_or_default();
        // In the analysts' order: they end in any.
        let missing: Vec<Missing> = Analyst::all()
            .into_iter()
            .filter_map(|analyst| {
                if self.selected.contains(&analyst) {
                    return gaps.iter().find(|gap| gap.input == input(analyst)).cloned();
                }
                let reason = "The analyst was not selected.".to_owned();
                Some(Missing { input: input(analyst).to_owned(), reason })
            })
            .collect();
        let abort = Analyst::all()
            .into_iter()
            .find_map(|analyst| reported.iter().find(|condition| condition.input == input(analyst)))
            .map(|condition| condition.reason.clone());
        let mut lines = vec![match &abort {
            Some(reason) => log(LogLevel::Warning, format!("The analysis is cut short: {reason}")),
            None => log(LogLevel::Info, "No critical condition was reported."),
        }];
        if !missing.is_empty() {
            let inputs: Vec<&str> = missing.iter().map(|missing| missing.input.as_str()).collect();
            let limit = confidence_limit(&missing);
            let message =
                format!("Missing: {}. The rating's confidence can be {limit} at most.", inputs.join(", "));
            lines.push(log(LogLevel::Warning, message));
        }
        node.emit(lines).await?;
        Outcome::default().set(state::MISSING, missing)?.set(state::ABORT, abort)
    }
}

/// A voice in one of the debates.
struct Voice {
    node: &'static str,
    role: &'static str,
    label: &'static str,
    prompt: &'static str,
    debate: &'static str,
}

const BULL: Voice = Voice {
    node: "bull_researcher",
    role: "bull",
    label: "Bull researcher",
    prompt: roles::BULL,
    debate: state::INVESTMENT_DEBATE,
};
const BEAR: Voice = Voice {
    node: "bear_researcher",
    role: "bear",
    label: "Bear researcher",
    prompt: roles::BEAR,
    debate: state::INVESTMENT_DEBATE,
};
const AGGRESSIVE: Voice = Voice {
    node: "aggressive_analyst",
    role: "aggressive",
    label: "Aggressive analyst",
    prompt: roles::AGGRESSIVE,
    debate: state::RISK_DEBATE,
};
const CONSERVATIVE: Voice = Voice {
    node: "conservative_analyst",
    role: "conservative",
    label: "Conservative analyst",
    prompt: roles::CONSERVATIVE,
    debate: state::RISK_DEBATE,
};
const NEUTRAL: Voice = Voice {
    node: "neutral_analyst",
    role: "neutral",
    label: "Neutral analyst",
    prompt: roles::NEUTRAL,
    debate: state::RISK_DEBATE,
};

/// One contribution to a debate.
#[derive(Clone, Serialize, Deserialize)]
struct DebateTurn {
    speaker: String,
    round: u32,
    text: String,
}

fn transcript(turns: &[DebateTurn]) -> String {
    let turns = turns.iter().map(|turn| format!("### {}, round {}\n{}", turn.speaker, turn.round, turn.text));
    turns.collect::<Vec<_>>().join("\n\n")
}

fn debate(state: &State, key: &str) -> Result<Vec<DebateTurn>, NodeError> {
    Ok(state.get(key)?.unwrap_or_default())
}

/// The sentence that a contribution begins with.
fn headline(text: &str) -> String {
    let line = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#'))
        .unwrap_or_default();
    let bold = line.strip_prefix("**").and_then(|line| line.split_once("**")).map(|(bold, _)| bold);
    bold.unwrap_or(line).chars().take(240).collect()
}

/// A turn in a debate.
struct DebateWork {
    subject: Subject,
    voice: &'static Voice,
}

#[async_trait]
impl Work for DebateWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let state = node.state();
        let turns = debate(state, self.voice.debate)?;
        let last =
            turns.last().map(|turn| LastPoint { speaker: turn.speaker.clone(), text: headline(&turn.text) });
        let facts = self.subject.facts(node, last)?;
        let prompt = self.subject.prompt(self.voice.prompt, state);
        let prompt = match self.voice.debate {
            state::RISK_DEBATE => prompt.section("Trader's proposal", state.text(state::TRADER_PLAN)),
            _ => prompt,
        };
        let messages = prompt.section("The debate so far", &transcript(&turns)).facts(&facts);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        let turn = DebateTurn { speaker: self.voice.role.to_owned(), round: node.visit(), text };
        Outcome::default().set(self.voice.debate, turn)
    }
}

/// A role that writes one plan.
struct Plan {
    prompt: &'static str,
    key: &'static str,
    title: &'static str,
}

const RESEARCH_PLAN: Plan =
    Plan { prompt: roles::RESEARCH_MANAGER, key: state::INVESTMENT_PLAN, title: "Investment plan" };
const TRADE_PLAN: Plan = Plan { prompt: roles::TRADER, key: state::TRADER_PLAN, title: "Trader's proposal" };

/// The research manager, and the trader.
struct PlanWork {
    subject: Subject,
    plan: &'static Plan,
}

#[async_trait]
impl Work for PlanWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let state = node.state();
        let messages = self
            .subject
            .prompt(self.plan.prompt, state)
            .section("The debate", &transcript(&debate(state, state::INVESTMENT_DEBATE)?))
            .section("Investment plan", state.text(state::INVESTMENT_PLAN))
            .facts(&self.subject.facts(node, None)?);
        let text = converse(node, brief(node, messages, None), &NoTools).await?.answer;
        node.emit(vec![report(self.plan.key, self.plan.title, &text, Vec::new())]).await?;
        Outcome::default().set(self.plan.key, text)
    }
}

/// The portfolio manager.
struct RatingWork {
    subject: Subject,
}

/// A rating as the portfolio manager writes it.
#[derive(Debug, Deserialize)]
pub struct RatingAnswer {
    grade: Grade,
    confidence: Confidence,
    summary: String,
    thesis: String,
}

fn rating_schema() -> AnswerSchema {
    AnswerSchema {
        name: "rating".to_owned(),
        schema: json!({
            "type": "object",
            "properties": {
                "grade": { "type": "string", "enum": ["buy", "overweight", "hold", "underweight", "sell"] },
                "confidence": { "type": "string", "enum": ["high", "medium", "low"] },
                "summary": { "type": "string" },
                "thesis": { "type": "string" },
            },
            "required": ["grade", "confidence", "summary", "thesis"],
            "additionalProperties": false,
        }),
    }
}

/// Reads a rating from what a model wrote.
///
/// # Errors
/// A text that says to the model what is wrong, to ask it again with.
pub fn read_rating(text: &str) -> Result<RatingAnswer, String> {
    let rating: RatingAnswer = parse_structured(text, &rating_schema())?;
    if rating.summary.trim().is_empty() || rating.thesis.trim().is_empty() {
        return Err(
            "`summary` and `thesis` must not be empty. Answer again with the whole object.".to_owned()
        );
    }
    Ok(rating)
}

/// The same where a critical condition leaves one grade.
fn read_rating_of(text: &str, aborted: bool) -> Result<RatingAnswer, String> {
    let rating = read_rating(text)?;
    if aborted && rating.grade != Grade::Sell {
        return Err(
            "A critical condition was reported, so `grade` must be \"sell\". Answer again.".to_owned()
        );
    }
    Ok(rating)
}

#[async_trait]
impl Work for RatingWork {
    async fn run(&self, node: &NodeContext) -> Result<Outcome, NodeError> {
        let state = node.state();
        let facts = self.subject.facts(node, None)?;
        let messages = self
            .subject
            .prompt(roles::PORTFOLIO_MANAGER, state)
            .section("Critical condition", facts.abort.as_deref().unwrap_or_default())
            .section("Research debate", &transcript(&debate(state, state::INVESTMENT_DEBATE)?))
            .section("Investment plan", state.text(state::INVESTMENT_PLAN))
            .section("Trader's proposal", state.text(state::TRADER_PLAN))
            .section("Risk debate", &transcript(&debate(state, state::RISK_DEBATE)?))
            .facts(&facts);
        let aborted = facts.abort.is_some();
        let request = brief(node, messages, Some(rating_schema()));
        let answer = ask(node, request, &NoTools, |text| read_rating_of(text, aborted)).await?.answer;

        let limit = confidence_limit(&facts.missing);
        let rating = Rating {
            ticker: self.subject.ticker.clone(),
            date: self.subject.date,
            grade: answer.grade,
            confidence: answer.confidence.min(limit),
            summary: answer.summary.trim().to_owned(),
            thesis: answer.thesis.trim().to_owned(),
            abort: facts.abort,
        };
        let markdown = decision_text(&rating, &facts.missing);
        let figures = facts.market.as_ref().map(MarketFacts::report).unwrap_or_default();
        let report = report(state::FINAL_DECISION, "Final decision", &markdown, figures);
        let lowered = (answer.confidence > limit).then(|| {
            let message = format!(
                "The model's confidence was {}; it is lowered to {limit}, as inputs are missing.",
                answer.confidence
            );
            log(LogLevel::Warning, message)
        });
        let bodies = [product(rating.product())?, report].into_iter().chain(lowered);
        node.emit(bodies.collect()).await?;
        Outcome::default().set(state::RATING, rating)?.set(state::FINAL_DECISION, markdown)
    }
}

fn decision_text(rating: &Rating, missing: &[Missing]) -> String {
    let mut text = format!("**{}.** {}\n\n{}\n", rating.headline(), rating.summary, rating.thesis);
    if let Some(reason) = &rating.abort {
        text.push_str(&format!("\nThe analysis was cut short: {reason}\n"));
    }
    for missing in missing {
        text.push_str(&format!("\n- Missing, {}: {}", missing.input, missing.reason));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(inputs: &[&str]) -> Vec<Missing> {
        let missing = |input: &&str| Missing { input: (*input).to_owned(), reason: String::new() };
        inputs.iter().map(missing).collect()
    }

    #[test]
    fn the_confidence_is_limited_by_the_missing_inputs() {
        assert_eq!(confidence_limit(&[]), Confidence::High);
        assert_eq!(confidence_limit(&missing(&["news"])), Confidence::Medium);
        assert_eq!(confidence_limit(&missing(&["social", "news", "fundamentals"])), Confidence::Medium);
        assert_eq!(confidence_limit(&missing(&["market"])), Confidence::Low);
    }

    #[test]
    fn an_answer_that_breaks_the_form_is_refused() {
        let good = r#"{"grade":"overweight","confidence":"high","summary":"s","thesis":"t"}"#;
        assert_eq!(read_rating_of(good, false).map(|rating| rating.grade), Ok(Grade::Overweight));
        for bad in [
            r#"{"grade":"strong buy","confidence":"high","summary":"s","thesis":"t"}"#,
            r#"{"grade":"buy","confidence":"very high","summary":"s","thesis":"t"}"#,
            r#"{"grade":"buy","confidence":"high","summary":" ","thesis":"t"}"#,
            r#"{"grade":"buy","confidence":"high","summary":"s"}"#,
            "I would buy.",
        ] {
            assert!(read_rating_of(bad, false).is_err(), "{bad}");
        }
        assert!(read_rating_of(good, true).is_err());
    }

    #[test]
    fn a_rating_in_another_spelling_is_read_and_never_as_another_grade() {
        let read = |grade: &str, confidence: &str| {
            let text = format!(
                "{{\"grade\":\"{grade}\",\"confidence\":\"{confidence}\",\"summary\":\"s\",\n\"thesis\":\"First point.\nSecond point.\"}}"
            );
            read_rating(&text).map(|rating| (rating.grade, rating.confidence))
        };
        assert_eq!(read("HOLD", "Medium"), Ok((Grade::Hold, Confidence::Medium)));
        assert_eq!(read("Over-weight", "medium confidence "), Ok((Grade::Overweight, Confidence::Medium)));
        assert_eq!(read("under weight", "LOW"), Ok((Grade::Underweight, Confidence::Low)));
        for (grade, confidence) in [("strong sell", "low"), ("hold/sell", "low"), ("hold", "medium to high")]
        {
            let refused = read(grade, confidence).unwrap_err();
            assert!(refused.contains("must be one of"), "{refused}");
        }
        let twice = r#"{"grade":"buy","grade":"sell","confidence":"low","summary":"s","thesis":"t"}"#;
        assert!(read_rating(twice).unwrap_err().contains("`grade` stands in it twice"));
    }

    #[test]
    fn the_headline_is_the_bold_sentence_that_a_turn_begins_with() {
        assert_eq!(headline("\n## Turn\n**Take half.** The rest waits."), "Take half.");
        assert_eq!(headline("Plain words"), "Plain words");
        assert_eq!(headline(""), "");
    }
}
