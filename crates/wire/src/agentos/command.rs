use std::{fmt::Display, str::FromStr};

use protocol::{
    Date, Edits, FlowId, ForkPoint, ForkRun, ModelChoice, Problem, RunAccepted, StartRun,
    trading::{Analyst, PortfolioId, Task, Ticker},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::excerpt::cut;

/// The portfolio id that AgentOS's clients send where a person has named none.
pub const MAIN_PORTFOLIO: &str = "main_portfolio";

/// Characters a second that a mock run's answers are written at, at speed 1: the rehearsal's own pace.
pub const MOCK_CHARACTERS_PER_SECOND: f64 = 600.0;

/// The endpoints that start a run: `POST /api/run/{scan,pipeline,portfolio,auto,mock}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The look at the whole market.
    Scan,
    /// The analysis of one stock.
    Pipeline,
    /// The review of a portfolio.
    Portfolio,
    /// All three, one after the other.
    Auto,
    /// One of these, answered by the rehearsal model.
    Mock,
}

/// Why a request starts no run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRequest {
    /// The body is no JSON.
    #[error("The body is not valid JSON ({0}). Send an object such as {{\"ticker\": \"AAPL\"}}.")]
    NotJson(String),
    /// There is no body where something has to be said.
    #[error("The body is missing. Send an object with run_id, node_id and identifier.")]
    NoBody,
    /// The body is JSON, but no object.
    #[error("The body is {0}. Send an object such as {{\"ticker\": \"AAPL\"}}.")]
    NotAnObject(&'static str),
    /// A parameter cannot be used.
    #[error("The parameter \"{name}\" cannot be used: {reason}.")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// No phase of an analysis has this node.
    #[error("Unknown node_id: {0}")]
    UnknownNode(String),
    /// A re-run does not say of which stock.
    #[error("identifier (ticker) is required")]
    NoIdentifier,
    /// What is to be reset is not named.
    #[error("date and portfolio_id are required")]
    NoPortfolioStage,
}

impl From<InvalidRequest> for Problem {
    fn from(error: InvalidRequest) -> Self {
        Self::invalid(error.to_string())
    }
}

/// The answer to a request that started a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TriggerResponse {
    run_id: String,
    flow_id: String,
    status: &'static str,
}

impl From<&RunAccepted> for TriggerResponse {
    fn from(accepted: &RunAccepted) -> Self {
        Self { run_id: accepted.run.to_string(), flow_id: accepted.flow.to_string(), status: "queued" }
    }
}

/// Reads the body of a request that starts a run. An empty body is an empty object, and
/// parameters that the run does not use are ignored, as AgentOS does. A run without `date` is of `today`, and one
/// without `portfolio_id` is of [`MAIN_PORTFOLIO`], whichever portfolio that means.
///
/// # Errors
/// The body is no JSON object, or a parameter that the run uses is not valid.
pub fn start_run(trigger: Trigger, body: &[u8], today: Date) -> Result<StartRun, InvalidRequest> {
    let parameters = Parameters::read(body)?;
    let usual = || vec![Analyst::Market, Analyst::News, Analyst::Fundamentals];
    let (task, model) = match trigger {
        Trigger::Scan => (parameters.scan(today)?, ModelChoice::Configured),
        Trigger::Pipeline => (parameters.pipeline(today, usual())?, ModelChoice::Configured),
        Trigger::Portfolio => (parameters.portfolio(today)?, ModelChoice::Configured),
        Trigger::Auto => (parameters.auto(today, usual())?, ModelChoice::Configured),
        Trigger::Mock => {
            let task = match parameters.mock_type()? {
                MockType::Scan => parameters.scan(today)?,
                MockType::Pipeline => parameters.pipeline(today, Analyst::all())?,
                MockType::Portfolio => parameters.portfolio(today)?,
                MockType::Auto => parameters.auto(today, Analyst::all())?,
            };
            (task, parameters.rehearsal()?)
        }
    };
    let flow = parameters.parsed::<FlowId>("flow_id")?;
    Ok(StartRun { flow, model, ..StartRun::new(task.into()) })
}

/// The body of `POST /api/run/rerun-node`: a phase of one stock's analysis is to be made again.
///
/// In AgentOS that overwrites the run. Here what happened stays, and the phase is made again by a run that continues
/// it in the same flow, whose id the answer has.
pub struct RerunNode(Parameters);

impl RerunNode {
    /// Reads the body.
    ///
    /// # Errors
    /// There is none, or it is no JSON object.
    pub fn read(body: &[u8]) -> Result<Self, InvalidRequest> {
        if body.trim_ascii().is_empty() {
            return Err(InvalidRequest::NoBody);
        }
        Parameters::read(body).map(Self)
    }

    /// The run that it names.
    ///
    /// # Errors
    /// The name is no text.
    pub fn run(&self) -> Result<Option<&str>, InvalidRequest> {
        self.0.text("run_id")
    }

    /// The phase that the named node belongs to, and the stock.
    ///
    /// # Errors
    /// There is no phase with such a node, or no stock is named.
    pub fn phase(&self) -> Result<(RerunPhase, Ticker), InvalidRequest> {
        let node = self.0.text("node_id")?.unwrap_or_default();
        let phase = RerunPhase::of(node).ok_or_else(|| InvalidRequest::UnknownNode(cut(node, 40)))?;
        let ticker = self.0.text("identifier")?.filter(|ticker| !ticker.trim().is_empty());
        let ticker = ticker.ok_or(InvalidRequest::NoIdentifier)?;
        Ok((phase, ticker.parse().map_err(|error| invalid("identifier", error))?))
    }
}

/// A part of an analysis that AgentOS makes again as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RerunPhase {
    /// All of it.
    Analysts,
    /// What follows the analysts' reports.
    DebateAndTrader,
    /// What follows the trader's plan.
    Risk,
}

impl RerunPhase {
    fn of(node: &str) -> Option<Self> {
        Some(match node {
            "Market Analyst" | "Social Analyst" | "News Analyst" | "Fundamentals Analyst" => Self::Analysts,
            "Bull Researcher" | "Bear Researcher" | "Research Manager" | "Trader" => Self::DebateAndTrader,
            "Aggressive Analyst" | "Conservative Analyst" | "Neutral Analyst" | "Portfolio Manager" => {
                Self::Risk
            }
            _ => return None,
        })
    }

    /// The run that makes it again, and what follows from it.
    pub fn again(self) -> ForkRun {
        let phase = match self {
            Self::Analysts => "Analysts",
            Self::DebateAndTrader => "Debate",
            Self::Risk => "Risk debate",
        };
        ForkRun {
            point: ForkPoint::Phase { phase: phase.to_owned() },
            edits: Edits::new(),
            workflow: None,
            model: None,
            limits: None,
            approval: None,
        }
    }
}

/// The answer to a re-run that began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RerunResponse {
    run_id: String,
    phase: RerunPhase,
    status: &'static str,
}

impl RerunResponse {
    /// Of the run that makes the phase again.
    pub fn new(accepted: &RunAccepted, phase: RerunPhase) -> Self {
        Self { run_id: accepted.run.to_string(), phase, status: "queued" }
    }
}

/// The body of `DELETE /api/run/portfolio-stage`, after which AgentOS's automatic run decides again.
///
/// Here an automatic run decides again by itself, and a ledger forgets nothing: there is nothing to delete.
pub struct PortfolioStage {
    /// The day.
    pub date: Date,
    /// The portfolio; perhaps [`MAIN_PORTFOLIO`].
    pub portfolio: PortfolioId,
}

impl PortfolioStage {
    /// Reads the body.
    ///
    /// # Errors
    /// It is no JSON object, or does not name both in a form that can be used.
    pub fn read(body: &[u8]) -> Result<Self, InvalidRequest> {
        let parameters = Parameters::read(body)?;
        let named = parameters.text("date")?.zip(parameters.parsed("portfolio_id")?);
        let (date, portfolio) = named.ok_or(InvalidRequest::NoPortfolioStage)?;
        Ok(Self { date: calendar_day(date)?, portfolio })
    }
}

/// The answer to it: the names of deleted files, of which there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PortfolioStageResponse {
    deleted: [String; 0],
    date: Date,
    portfolio_id: PortfolioId,
}

impl From<PortfolioStage> for PortfolioStageResponse {
    fn from(stage: PortfolioStage) -> Self {
        Self { deleted: [], date: stage.date, portfolio_id: stage.portfolio }
    }
}

/// A day as AgentOS's clients write it: only this one of the many forms that ISO 8601 allows.
///
/// # Errors
/// It is no day of the calendar in this form.
pub fn calendar_day(text: &str) -> Result<Date, InvalidRequest> {
    let is_calendar_form = text.len() == 10 && text.bytes().filter(|byte| *byte == b'-').count() == 2;
    let date = if is_calendar_form { text.parse().ok() } else { None };
    date.ok_or_else(|| invalid("date", "it must be a day of the calendar, such as \"2022-06-30\""))
}

enum MockType {
    Scan,
    Pipeline,
    Portfolio,
    Auto,
}

/// The members of a request's object. A member that is `null` counts as absent.
struct Parameters(Map<String, Value>);

impl Parameters {
    fn read(body: &[u8]) -> Result<Self, InvalidRequest> {
        if body.trim_ascii().is_empty() {
            return Ok(Self(Map::new()));
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => Ok(Self(members)),
            Ok(other) => Err(InvalidRequest::NotAnObject(described(&other))),
            Err(error) => Err(InvalidRequest::NotJson(error.to_string())),
        }
    }

    fn pipeline(&self, today: Date, analysts: Vec<Analyst>) -> Result<Task, InvalidRequest> {
        let ticker = match self.parsed::<Ticker>("ticker")? {
            Some(ticker) => ticker,
            None => "AAPL".parse().map_err(|error| invalid("ticker", error))?,
        };
        let analysts = self.analysts()?.unwrap_or(analysts);
        Ok(Task::Pipeline { ticker, date: self.date(today)?, analysts, portfolio: None, prices: None })
    }

    fn portfolio(&self, today: Date) -> Result<Task, InvalidRequest> {
        let portfolio = self.portfolio_id()?;
        Ok(Task::Portfolio { portfolio, date: self.date(today)?, prices: None })
    }

    fn scan(&self, today: Date) -> Result<Task, InvalidRequest> {
        Ok(Task::Scan { date: self.date(today)?, max_tickers: self.max_tickers()?, prices: None })
    }

    /// An automatic run. AgentOS ignores a ticker here, and so is it ignored.
    fn auto(&self, today: Date, analysts: Vec<Analyst>) -> Result<Task, InvalidRequest> {
        let portfolio = self.portfolio_id()?;
        Ok(Task::Auto {
            portfolio,
            date: self.date(today)?,
            max_tickers: self.max_tickers()?,
            max_concurrent_pipelines: Task::USUAL_PIPELINES,
            analysts: self.analysts()?.unwrap_or(analysts),
            force: self.force()?,
            prices: None,
        })
    }

    /// A number, or one that is written as a text.
    fn max_tickers(&self) -> Result<u32, InvalidRequest> {
        let number = match self.member("max_tickers") {
            None => return Ok(Task::USUAL_TICKERS),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(value) => value.as_u64().and_then(|number| u32::try_from(number).ok()),
        };
        let number = number.filter(|number| (1..=Task::MOST_TICKERS).contains(number));
        number.ok_or_else(|| {
            invalid("max_tickers", format!("it must be a whole number from 1 to {}", Task::MOST_TICKERS))
        })
    }

    fn force(&self) -> Result<bool, InvalidRequest> {
        match self.member("force") {
            None => Ok(false),
            Some(value) => value.as_bool().ok_or_else(|| invalid("force", "it must be true or false")),
        }
    }

    fn portfolio_id(&self) -> Result<PortfolioId, InvalidRequest> {
        let named = self.text("portfolio_id")?.unwrap_or(MAIN_PORTFOLIO);
        named.parse().map_err(|error| invalid("portfolio_id", error))
    }

    fn date(&self, today: Date) -> Result<Date, InvalidRequest> {
        self.text("date")?.map_or(Ok(today), calendar_day)
    }

    fn analysts(&self) -> Result<Option<Vec<Analyst>>, InvalidRequest> {
        let rule =
            "it must be a list of one or more of \"market\", \"social\", \"news\" and \"fundamentals\"";
        let Some(value) = self.member("analysts") else { return Ok(None) };
        let given = Vec::<Analyst>::deserialize(value).map_err(|_| invalid("analysts", rule))?;
        let mut analysts = Vec::with_capacity(4);
        for analyst in given {
            if !analysts.contains(&analyst) {
                analysts.push(analyst);
            }
        }
        if analysts.is_empty() { Err(invalid("analysts", rule)) } else { Ok(Some(analysts)) }
    }

    fn mock_type(&self) -> Result<MockType, InvalidRequest> {
        match self.text("mock_type")? {
            None | Some("pipeline") => Ok(MockType::Pipeline),
            Some("portfolio") => Ok(MockType::Portfolio),
            Some("scan") => Ok(MockType::Scan),
            Some("auto") => Ok(MockType::Auto),
            Some(_) => {
                Err(invalid("mock_type", "it must be \"pipeline\", \"portfolio\", \"scan\" or \"auto\""))
            }
        }
    }

    fn rehearsal(&self) -> Result<ModelChoice, InvalidRequest> {
        let speed = match self.member("speed") {
            None => 1.0,
            Some(value) => value
                .as_f64()
                .filter(|speed| (0.1..=1000.0).contains(speed))
                .ok_or_else(|| invalid("speed", "it must be a number from 0.1 to 1000"))?,
        };
        // In range: the product is between 60 and 600,000.
        let characters_per_second = Some((speed * MOCK_CHARACTERS_PER_SECOND).round() as u32);
        Ok(ModelChoice::Rehearsal { characters_per_second })
    }

    fn parsed<T: FromStr<Err: Display>>(&self, name: &'static str) -> Result<Option<T>, InvalidRequest> {
        let parse = |text: &str| text.parse().map_err(|error| invalid(name, error));
        self.text(name)?.map(parse).transpose()
    }

    fn text(&self, name: &'static str) -> Result<Option<&str>, InvalidRequest> {
        match self.member(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(invalid(name, format!("it must be a text, and it is {}", described(other)))),
        }
    }

    fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

fn invalid(name: &'static str, reason: impl Display) -> InvalidRequest {
    InvalidRequest::Parameter { name, reason: reason.to_string() }
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
