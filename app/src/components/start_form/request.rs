//! What the start form asks for, checked before it is sent.

use std::collections::BTreeSet;

use leptos_router::params::ParamsMap;
use protocol::{
    Analyst, Approval, Date, FlowId, Limits, ModelChoice, NodeId, PortfolioId, RunStatus, RunSummary,
    StartOptions, StartRun, Ticker, Workflow, WorkflowKind, parse_date,
};

use crate::format::long_day;

/// What a person has filled in so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    /// Pipeline or portfolio.
    pub kind: WorkflowKind,
    /// The ticker as typed.
    pub ticker: String,
    /// The day as the date field gives it.
    pub date: String,
    /// The chosen analysts.
    pub analysts: BTreeSet<Analyst>,
    /// The chosen portfolio.
    pub portfolio: Option<PortfolioId>,
    /// The flow to join, or none for a new one.
    pub flow: Option<FlowId>,
    /// Which model answers.
    pub model: ModelChoice,
    /// What the run may use, or what is wrong with that.
    pub limits: Result<Limits, String>,
    /// Before which nodes it pauses.
    pub approval: Approval,
    /// Whether its agents may ask a person.
    pub questions: bool,
}

/// What is wrong with the answers, by field: each a sentence that says what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// About the ticker.
    pub ticker: Option<String>,
    /// About the day.
    pub date: Option<String>,
    /// About the analysts.
    pub analysts: Option<String>,
    /// About the portfolio.
    pub portfolio: Option<String>,
    /// About the limits.
    pub limits: Option<String>,
}

impl Answers {
    /// The request, or what is wrong in the fields that it needs.
    pub fn request(&self, options: &StartOptions) -> Result<StartRun, Faults> {
        let date = day(&self.date, options);
        let workflow = match self.kind {
            WorkflowKind::Pipeline => self.pipeline(date, options)?,
            WorkflowKind::Portfolio | WorkflowKind::Other => self.portfolio(date)?,
        };
        let limits = self.limits.clone();
        let limits = limits.map_err(|fault| Faults { limits: Some(fault), ..Faults::default() })?;
        Ok(StartRun {
            workflow,
            flow: self.flow.clone(),
            model: self.model.clone(),
            limits,
            approval: self.pauses(options),
            questions: self.questions,
        })
    }

    /// The approve mode, without nodes that runs of this kind do not have.
    fn pauses(&self, options: &StartOptions) -> Approval {
        let Approval::Nodes { nodes } = &self.approval else { return self.approval.clone() };
        let is_planned =
            |id: &NodeId| options.nodes.iter().any(|node| node.kind == self.kind && node.id == *id);
        let nodes: BTreeSet<_> = nodes.iter().filter(|id| is_planned(id)).cloned().collect();
        if nodes.is_empty() { Approval::Off } else { Approval::Nodes { nodes } }
    }

    fn pipeline(&self, date: Result<Date, String>, options: &StartOptions) -> Result<Workflow, Faults> {
        let analysts: Vec<Analyst> =
            options.analysts.iter().copied().filter(|analyst| self.analysts.contains(analyst)).collect();
        let nobody = analysts.is_empty().then(|| "Choose at least one analyst.".to_owned());
        match (instrument(&self.ticker, options), date, nobody) {
            (Ok(ticker), Ok(date), None) => Ok(Workflow::Pipeline { ticker, date, analysts }),
            (ticker, date, analysts) => {
                Err(Faults { ticker: ticker.err(), date: date.err(), analysts, ..Faults::default() })
            }
        }
    }

    fn portfolio(&self, date: Result<Date, String>) -> Result<Workflow, Faults> {
        let portfolio =
            self.portfolio.clone().ok_or_else(|| "Choose the portfolio that is to trade.".to_owned());
        match (portfolio, date) {
            (Ok(portfolio), Ok(date)) => Ok(Workflow::Portfolio { portfolio, date }),
            (portfolio, date) => {
                Err(Faults { portfolio: portfolio.err(), date: date.err(), ..Faults::default() })
            }
        }
    }
}

fn instrument(typed: &str, options: &StartOptions) -> Result<Ticker, String> {
    if typed.trim().is_empty() {
        return Err("Type a ticker or a part of the company's name, and choose from the list.".into());
    }
    let known = |ticker: &Ticker| options.instruments.iter().any(|instrument| instrument.ticker == *ticker);
    match typed.parse::<Ticker>() {
        Ok(ticker) if known(&ticker) => Ok(ticker),
        _ => {
            Err(format!("There are no prices for \"{}\". Choose an instrument from the list.", typed.trim()))
        }
    }
}

fn day(typed: &str, options: &StartOptions) -> Result<Date, String> {
    let (first, last) = (options.first_date, options.last_date);
    let range = format!("Choose a day from {} to {}.", long_day(first), long_day(last));
    match parse_date(typed) {
        None => Err(range),
        Some(date) if date < first => Err(format!("Prices begin on {}. {range}", long_day(first))),
        Some(date) if date > last => Err(format!("Prices end on {}. {range}", long_day(last))),
        Some(date) => Ok(date),
    }
}

/// What an address such as `/?type=portfolio&portfolio=main` asks the form to begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preset {
    /// `type`: pipeline or portfolio.
    pub kind: Option<WorkflowKind>,
    /// `ticker`.
    pub ticker: Option<Ticker>,
    /// `date`.
    pub date: Option<Date>,
    /// `portfolio`.
    pub portfolio: Option<PortfolioId>,
    /// `flow`.
    pub flow: Option<FlowId>,
}

impl Preset {
    /// Reads the query; what is not valid is left out.
    pub fn from_query(query: &ParamsMap) -> Self {
        let kind = query.get_str("type").and_then(|kind| match kind {
            "pipeline" => Some(WorkflowKind::Pipeline),
            "portfolio" => Some(WorkflowKind::Portfolio),
            _ => None,
        });
        Self {
            kind,
            ticker: query.get_str("ticker").and_then(|ticker| ticker.parse().ok()),
            date: query.get_str("date").and_then(parse_date),
            portfolio: query.get_str("portfolio").and_then(|portfolio| portfolio.parse().ok()),
            flow: query.get_str("flow").and_then(|flow| flow.parse().ok()),
        }
    }
}

/// A flow that a run can join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowChoice {
    /// The flow.
    pub flow: FlowId,
    /// What its runs were about, newest first, without repetition.
    pub subjects: Vec<String>,
    /// The day of its newest run.
    pub date: Date,
    /// Its pipeline runs that ended well: what a portfolio run reads.
    pub analyses: usize,
}

impl FlowChoice {
    /// `AAPL, MSFT · 2022-06-30 · 2 analyses · 7f3a91c2`.
    pub fn label(&self) -> String {
        let subjects = match self.subjects.as_slice() {
            [first, second, third, rest @ ..] if !rest.is_empty() => {
                format!("{first}, {second}, {third} and {} more", rest.len())
            }
            few => few.join(", "),
        };
        let id: String = self.flow.as_str().chars().take(8).collect();
        format!("{subjects} · {} · {} · {id}", self.date, analyses(self.analyses))
    }
}

/// `1 analysis`, `2 analyses`.
pub fn analyses(count: usize) -> String {
    if count == 1 { "1 analysis".into() } else { format!("{count} analyses") }
}

/// The flows of these runs, newest first as the runs are, at most twelve. What was imported is
/// nobody's research, so it makes no flow to go on with, nor does what cannot be read.
pub fn flows(runs: &[RunSummary]) -> Vec<FlowChoice> {
    let mut choices: Vec<FlowChoice> = Vec::new();
    let own = runs.iter().filter(|run| run.imported_from.is_none() && run.unreadable.is_none());
    for run in own {
        let workflow = &run.request.workflow;
        let Some(date) = workflow.date() else { continue };
        let index = choices.iter().position(|choice| choice.flow == run.request.flow).unwrap_or_else(|| {
            let flow = run.request.flow.clone();
            choices.push(FlowChoice { flow, subjects: Vec::new(), date, analyses: 0 });
            choices.len() - 1
        });
        let choice = &mut choices[index];
        if !choice.subjects.iter().any(|subject| subject == workflow.subject()) {
            choice.subjects.push(workflow.subject().to_owned());
        }
        if workflow.kind() == WorkflowKind::Pipeline && run.status == RunStatus::Succeeded {
            choice.analyses += 1;
        }
    }
    choices.truncate(12);
    choices
}

#[cfg(test)]
mod tests {
    use protocol::{Instrument, PlannedNode, RunRequest, Timestamp};

    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn options() -> StartOptions {
        StartOptions {
            instruments: vec![Instrument {
                ticker: "AAPL".parse().unwrap(),
                name: "Apple Inc.".into(),
                sector: "Technology".into(),
                industry: "Consumer Electronics".into(),
            }],
            first_date: date("2016-01-04"),
            last_date: date("2022-12-30"),
            analysts: Analyst::all(),
            portfolios: Vec::new(),
            configured_model: None,
            profiles: Vec::new(),
            nodes: [(WorkflowKind::Pipeline, "trader"), (WorkflowKind::Portfolio, "execute_trades")]
                .map(|(kind, id)| PlannedNode {
                    kind,
                    id: id.parse().unwrap(),
                    label: String::new(),
                    phase: String::new(),
                })
                .to_vec(),
        }
    }

    fn answers() -> Answers {
        Answers {
            kind: WorkflowKind::Pipeline,
            ticker: " aapl".into(),
            date: "2022-06-30".into(),
            analysts: [Analyst::News, Analyst::Market].into(),
            portfolio: None,
            flow: None,
            model: ModelChoice::Configured,
            limits: Ok(Limits::default()),
            approval: Approval::Off,
            questions: false,
        }
    }

    #[test]
    fn a_complete_form_becomes_a_request_with_the_analysts_in_order() {
        let workflow = Workflow::Pipeline {
            ticker: "AAPL".parse().unwrap(),
            date: date("2022-06-30"),
            analysts: vec![Analyst::Market, Analyst::News],
        };
        assert_eq!(answers().request(&options()).unwrap().workflow, workflow);
    }

    #[test]
    fn every_faulty_field_is_named_at_once() {
        let faulty = Answers {
            ticker: "XYZ".into(),
            date: "2023-02-01".into(),
            analysts: BTreeSet::new(),
            ..answers()
        };
        let faults = faulty.request(&options()).unwrap_err();
        assert!(faults.ticker.unwrap().contains("XYZ"));
        assert!(faults.date.unwrap().contains("30 December 2022"));
        assert!(faults.analysts.is_some());
        assert_eq!(faults.portfolio, None);
    }

    #[test]
    fn a_portfolio_run_asks_for_no_ticker() {
        let portfolio = Answers { kind: WorkflowKind::Portfolio, ticker: String::new(), ..answers() };
        let faults = portfolio.request(&options()).unwrap_err();
        assert_eq!(faults.ticker, None);
        assert!(faults.portfolio.is_some());
    }

    #[test]
    fn a_run_pauses_only_before_nodes_that_it_has() {
        let both = ["trader", "execute_trades"].map(|id| id.parse().unwrap());
        let answers = Answers { approval: Approval::Nodes { nodes: both.into() }, ..answers() };
        let trader = Approval::Nodes { nodes: ["trader".parse().unwrap()].into() };
        assert_eq!(answers.request(&options()).unwrap().approval, trader);
        let none = Answers { approval: Approval::Nodes { nodes: BTreeSet::new() }, ..answers };
        assert_eq!(none.request(&options()).unwrap().approval, Approval::Off);
    }

    #[test]
    fn limits_that_cannot_be_read_start_nothing() {
        let faulty = Answers { limits: Err("Write the steps.".into()), ..answers() };
        assert_eq!(faulty.request(&options()).unwrap_err().limits.as_deref(), Some("Write the steps."));
    }

    #[test]
    fn an_address_presets_the_form_and_what_is_not_valid_is_left_out() {
        let mut query = ParamsMap::new();
        query.insert("type", "portfolio".to_owned());
        query.insert("portfolio", "main".to_owned());
        query.insert("ticker", "../etc".to_owned());
        let preset = Preset::from_query(&query);
        assert_eq!(preset.kind, Some(WorkflowKind::Portfolio));
        assert_eq!(preset.portfolio.unwrap().as_str(), "main");
        assert_eq!(preset.ticker, None);
    }

    #[test]
    fn a_flow_says_what_it_holds() {
        let run = |ticker: &str, status| {
            let workflow = Workflow::Pipeline {
                ticker: ticker.parse().unwrap(),
                date: date("2022-06-30"),
                analysts: Analyst::all(),
            };
            let request = RunRequest::new(workflow, "7f3a91c2e5".parse().unwrap());
            let run = "0197a1b2-0000-7000-8000-000000000000".parse().unwrap();
            RunSummary { status, title: String::new(), ..RunSummary::new(run, request, Timestamp(0)) }
        };
        let runs = [
            run("MSFT", RunStatus::Running),
            run("AAPL", RunStatus::Succeeded),
            run("AAPL", RunStatus::Failed),
        ];
        let labels: Vec<String> = flows(&runs).iter().map(FlowChoice::label).collect();
        assert_eq!(labels, ["MSFT, AAPL · 2022-06-30 · 1 analysis · 7f3a91c2"]);
    }
}
