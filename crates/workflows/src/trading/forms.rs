//! What the pages are told of the kinds: their words, and what their runs take.

use market::{DataKind, Market};
use protocol::{
    Date, FlowReads, FlowSpec, KindSpec, PhaseSpec, Workflow, WorkflowKind,
    document::DocumentSummary,
    month_name,
    trading::{Analyst, Instrument, PortfolioSummary, Task, TradingPrices},
};
use serde_json::{Value, json};

use super::{backtest_form, studies};
use crate::{FamilyError, Form};

/// Marks a field that may be left out, until the object is made of it.
const OPTIONAL: &str = "optional";

/// All kinds.
pub fn kinds() -> Vec<KindSpec> {
    // All are slugs.
    [
        Task::PIPELINE.parse().map(pipeline),
        Task::PORTFOLIO.parse().map(portfolio),
        Task::SCAN.parse().map(scan),
        Task::AUTO.parse().map(auto),
        Task::BACKTEST.parse().map(backtest),
        Task::BACKTEST_DAY.parse().map(backtest_day),
        Task::REFLECT.parse().map(reflect),
    ]
    .into_iter()
    .filter_map(Result::ok)
    .collect()
}

fn phase(phase: &str, title: &str, hint: &str) -> PhaseSpec {
    PhaseSpec { phase: phase.to_owned(), title: title.to_owned(), hint: hint.to_owned() }
}

fn scan(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "trading".to_owned(),
        label: "Scan".to_owned(),
        hint:
            "Scanners look at movers, sectors, large investors and the world, and propose stocks to analyse."
                .to_owned(),
        icon: "scan".to_owned(),
        subject: None,
        day: Some("date".to_owned()),
        phases: vec![
            phase("Scanners", "Scanners", "Everything is done again"),
            phase("Deep dive", "Deep dive", "The scanners' reports stand"),
            phase("Synthesis", "Synthesis", "All reports stand"),
        ],
        flow: FlowSpec {
            new: "Runs of one flow belong together: an auto run goes on from the scan of its flow."
                .to_owned(),
            joined: "An auto run in this flow will go on from this scan.".to_owned(),
            reads: None,
        },
    }
}

fn auto(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "trading".to_owned(),
        label: "Auto".to_owned(),
        hint: "Scans the market, analyses what was found and what is held, and has the portfolio decide and trade."
            .to_owned(),
        icon: "trade".to_owned(),
        subject: Some("portfolio".to_owned()),
        day: Some("date".to_owned()),
        phases: vec![
            phase("Scan", "Scan", "Everything is done again"),
            phase("Analyses", "Analyses", "The choice of stocks stands"),
            phase("Portfolio", "Portfolio", "The analyses stand"),
        ],
        flow: FlowSpec {
            new: "A new flow holds no analyses yet, so all of them are made.".to_owned(),
            joined: "What this flow has scanned and analysed as of the same day is not done again.".to_owned(),
            reads: None,
        },
    }
}

fn backtest(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "trading".to_owned(),
        label: "Backtest".to_owned(),
        hint:
            "Analyses some stocks and decides on them again and again over a range of past days, on a paper \
               portfolio of its own, and compares what came of it."
                .to_owned(),
        icon: "plan".to_owned(),
        subject: None,
        day: None,
        phases: vec![
            phase("Plan", "All of it", "Everything is done again"),
            phase("Result", "Result", "All decisions stand"),
        ],
        flow: FlowSpec {
            new: "Its analyses become part of the flow. A flow of its own keeps them apart.".to_owned(),
            joined: "A portfolio run in this flow will read the analyses of this backtest as well."
                .to_owned(),
            reads: None,
        },
    }
}

fn reflect(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "trading".to_owned(),
        label: "Reflection".to_owned(),
        hint: "Looks back at ratings whose outcome is known by now, and writes down what is to be learnt from each."
            .to_owned(),
        icon: "review".to_owned(),
        subject: None,
        day: Some("date".to_owned()),
        phases: vec![
            phase("Look back", "Look back", "Everything is done again that has no lesson yet"),
            phase("Lessons", "Lessons", "The decisions and their scores stand"),
            phase("Result", "Result", "The lessons stand"),
        ],
        flow: FlowSpec {
            new: "A reflection looks at your ratings of all flows.".to_owned(),
            joined: "A reflection looks at your ratings of all flows; it only stands beside the runs of this one."
                .to_owned(),
            reads: None,
        },
    }
}

/// Runs of this kind are started by a backtest, and so have no form.
fn backtest_day(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: true,
        kind,
        family: "trading".to_owned(),
        label: "Backtest day".to_owned(),
        hint: "The analyses and the decision of one day of a backtest, which starts it and books what it decides."
            .to_owned(),
        icon: "portfolio".to_owned(),
        subject: None,
        day: None,
        phases: Vec::new(),
        flow: FlowSpec {
            new: "It belongs to the flow of its backtest.".to_owned(),
            joined: "It belongs to the flow of its backtest.".to_owned(),
            reads: None,
        },
    }
}

fn pipeline(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "trading".to_owned(),
        label: "Pipeline".to_owned(),
        hint: "Analysts study one stock, two researchers debate it, and a portfolio manager rates it."
            .to_owned(),
        icon: "market".to_owned(),
        subject: Some("ticker".to_owned()),
        day: Some("date".to_owned()),
        phases: vec![
            phase("Analysts", "Analysts", "Everything is done again"),
            phase("Debate", "Debate and trader", "The analysts' reports stand"),
            phase("Risk debate", "Risk", "The trader's proposal stands, too"),
        ],
        flow: FlowSpec {
            new: "Runs of one flow belong together: a portfolio run reads the analyses of its flow."
                .to_owned(),
            joined: "A portfolio run in this flow will read this analysis.".to_owned(),
            reads: None,
        },
    }
}

fn portfolio(kind: WorkflowKind) -> KindSpec {
    KindSpec {
        only_below: false,
        kind,
        family: "trading".to_owned(),
        label: "Portfolio".to_owned(),
        hint: "The portfolio manager reviews holdings and analyses, decides, and trades in the paper \
               portfolio."
            .to_owned(),
        icon: "portfolio".to_owned(),
        subject: Some("portfolio".to_owned()),
        day: Some("date".to_owned()),
        phases: Vec::new(),
        flow: FlowSpec {
            new: "A new flow holds no analyses yet. Choose the flow of your pipeline runs to decide on \
                  theirs."
                .to_owned(),
            joined: "The portfolio manager reads the analyses of this flow.".to_owned(),
            reads: Task::PIPELINE.parse().ok().map(|kind| FlowReads {
                kind,
                one: "analysis".to_owned(),
                many: "analyses".to_owned(),
                none: "No pipeline run of this flow has ended with a rating yet.".to_owned(),
                some: "The portfolio manager reads {} of this flow.".to_owned(),
            }),
        },
    }
}

/// What the runs of all kinds take, with the prices and portfolios that there are, and the tables of own prices.
pub fn forms(
    market: &Market,
    portfolios: &[PortfolioSummary],
    tables: &[DocumentSummary],
) -> Result<Vec<Form>, FamilyError> {
    let date = market.last_date();
    let company = market.instruments().iter().find(|instrument| !instrument.sector.is_empty());
    let analysis = company.map(|company| Task::Pipeline {
        ticker: company.ticker.clone(),
        date,
        analysts: Analyst::all(),
        portfolio: None,
        prices: None,
    });
    let decision =
        portfolios.first().map(|first| Task::Portfolio { portfolio: first.id.clone(), date, prices: None });
    let form = |name: &str, properties: Value, sample: Option<Task>| {
        let kind = name.parse::<WorkflowKind>().map_err(|error| FamilyError::Defect(error.to_string()))?;
        Ok::<_, FamilyError>(Form {
            kind,
            parameters: object(properties),
            sample: sample.map(Workflow::from),
        })
    };
    let mut analysis_fields = json!({
        "ticker": ticker(market, company),
        "date": day(market),
        "analysts": analysts(),
    });
    // Without one there is nothing to choose from.
    if !portfolios.is_empty() {
        analysis_fields["portfolio"] = chosen_portfolio(portfolios);
    }
    let mut backtest_fields = backtest_form::fields(market);
    let mut scan_fields = json!({ "date": day(market), "max_tickers": most_tickers() });
    let sample_scan = Task::Scan { date, max_tickers: Task::USUAL_TICKERS, prices: None };
    let mut auto_fields = json!({
        "portfolio": own(portfolios),
        "date": day(market),
        "max_tickers": most_tickers(),
        "max_concurrent_pipelines": most_pipelines(),
        "analysts": analysts(),
        "force": {
            "type": "boolean",
            "title": "Do all of it again",
            "description": "Also what this flow has scanned and analysed already as of the same day.",
            "default": false,
        },
    });
    let sample_auto = portfolios.first().map(|first| Task::Auto {
        portfolio: first.id.clone(),
        date,
        max_tickers: 3,
        max_concurrent_pipelines: Task::USUAL_PIPELINES,
        analysts: Analyst::all(),
        force: false,
        prices: None,
    });
    let sample_backtest = company.and_then(|_| backtest_form::sample(market));
    let reflect_fields = json!({ "date": day(market), "max_lessons": most_lessons() });
    let sample_reflect = Task::Reflect { date, max_lessons: Task::USUAL_LESSONS };
    let mut decision_fields = json!({ "portfolio": own(portfolios), "date": day(market) });
    if !tables.is_empty() {
        analysis_fields["ticker"] = any_ticker(market, company);
        backtest_fields["tickers"] = backtest_form::any_tickers(market, &backtest_fields["tickers"]);
        for fields in [&mut analysis_fields, &mut scan_fields, &mut auto_fields, &mut decision_fields] {
            unbounded(&mut fields["date"]);
        }
        unbounded(&mut backtest_fields["from"]);
        unbounded(&mut backtest_fields["to"]);
        for fields in [&mut analysis_fields, &mut backtest_fields, &mut scan_fields] {
            fields["prices"] = own_prices(tables);
        }
        for fields in [&mut auto_fields, &mut decision_fields] {
            fields["prices"] = trading_prices(tables);
        }
    }
    Ok(vec![
        form(Task::PIPELINE, analysis_fields, analysis)?,
        form(Task::PORTFOLIO, decision_fields, decision)?,
        form(Task::SCAN, scan_fields, Some(sample_scan))?,
        form(Task::AUTO, auto_fields, sample_auto)?,
        form(Task::BACKTEST, backtest_fields, sample_backtest)?,
        form(Task::REFLECT, reflect_fields, Some(sample_reflect))?,
    ])
}

/// An object that must have all of these properties, but for those that say that they may be left out.
fn object(mut properties: Value) -> Value {
    let mut required = Vec::new();
    for (name, field) in properties.as_object_mut().into_iter().flatten() {
        let is_optional = field.as_object_mut().and_then(|field| field.remove(OPTIONAL)).is_some();
        if !is_optional {
            required.push(Value::from(name.clone()));
        }
    }
    json!({ "type": "object", "properties": properties, "required": required })
}

/// One of the instruments that are listed, or, where vendors have prices of more than those, any symbol: whether
/// there are prices of it is found out when the run is opened.
fn ticker(market: &Market, first: Option<&Instrument>) -> Value {
    if market.is_open() {
        return any_ticker(market, first);
    }
    let default = first.map(|company| &company.ticker);
    let choices = market.instruments().iter().map(|instrument| {
        json!({ "const": instrument.ticker, "title": instrument.name, "description": about(instrument) })
    });
    json!({
        "type": "string",
        "title": "Ticker",
        "oneOf": choices.collect::<Vec<_>>(),
        "default": default,
        "examples": ["AAPL, or Apple"],
        "x-list": "Instruments",
        "x-checked": true,
        "errorMessage": {
            "required": "Type a ticker or a part of the company's name, and choose from the list.",
            "oneOf": "There are no prices for \"{}\". Choose an instrument from the list.",
            "search": "There are prices for no instrument that matches.",
        },
    })
}

/// Any symbol.
fn any_ticker(market: &Market, first: Option<&Instrument>) -> Value {
    json!({
        "type": "string",
        "title": "Ticker",
        "description": format!(
            "As it is written at its exchange: AAPL, BRK.B, TATAMOTORS.NS, 600519.SS. Prices come from {}.",
            market.name(DataKind::Prices)
        ),
        "pattern": "^\\s*\\^?[A-Za-z0-9.-]{1,20}\\s*$",
        "x-checked": true,
        "default": first.map(|company| &company.ticker),
        "examples": ["AAPL"],
        "errorMessage": {
            "required": "Type the ticker of a stock.",
            "pattern": "“{}” is no ticker: it has letters, digits, dots and hyphens.",
        },
    })
}

/// Which table of own prices is asked before the others, if any is.
fn own_prices(tables: &[DocumentSummary]) -> Value {
    let choices = tables.iter().map(|table| json!({ "const": table.id, "title": table.title }));
    json!({
        "type": "string",
        "title": "Own prices",
        "description": "They are asked first, for the run alone. A stock that has no prices is said before the run starts.",
        "oneOf": choices.collect::<Vec<_>>(),
        "errorMessage": { "oneOf": "Choose one of your tables of prices." },
        OPTIONAL: true,
    })
}

/// Which prices a run trades at, where it is not to take those that it finds.
fn trading_prices(tables: &[DocumentSummary]) -> Value {
    let mut field = own_prices(tables);
    field["title"] = "Prices".into();
    field["description"] =
        "Without a choice it trades at those that the flow's analyses rest on or the portfolio is \
                            valued by. A portfolio that has traded at own prices stays with them."
            .into();
    let shared = json!({ "const": TradingPrices::SHARED, "title": "Shared prices" });
    if let Some(choices) = field["oneOf"].as_array_mut() {
        choices.insert(0, shared);
    }
    field
}

/// Takes the bounds off a day: own prices may have others than those that are shared, which a run is held against when
/// it is opened.
fn unbounded(day: &mut Value) {
    if let Some(day) = day.as_object_mut() {
        day.remove("formatMinimum");
        day.remove("formatMaximum");
    }
}

/// What kind of instrument it is.
pub(super) fn about(instrument: &Instrument) -> &str {
    if instrument.sector.is_empty() { "index or fund" } else { &instrument.sector }
}

pub(super) fn day(market: &Market) -> Value {
    let (first, last) = (market.first_date(), market.last_date());
    let (first_day, last_day) = (long_day(first), long_day(last));
    let range = format!("Choose a day from {first_day} to {last_day}.");
    json!({
        "type": "string",
        "format": "date",
        "title": "As of",
        "description": format!(
            "Prices from {first_day} to {last_day}. The run sees nothing later than this day."
        ),
        "formatMinimum": first,
        "formatMaximum": last,
        "default": last,
        "errorMessage": {
            "format": range,
            "formatMinimum": format!("Prices begin on {first_day}. {range}"),
            "formatMaximum": format!("Prices end on {last_day}. {range}"),
        },
    })
}

fn most_tickers() -> Value {
    let hint = "At most so many. Fewer are proposed where fewer stand out.";
    count("Stocks to propose", hint, Task::MOST_TICKERS, Task::USUAL_TICKERS)
}

fn most_lessons() -> Value {
    let hint = "Each is one question to the model. The oldest decisions come first.";
    count("Lessons to write", hint, Task::MOST_LESSONS, Task::USUAL_LESSONS)
}

pub(super) fn most_pipelines() -> Value {
    let hint = "More of them are faster, and ask the model more at once.";
    count("Analyses at the same time", hint, Task::MOST_PIPELINES, Task::USUAL_PIPELINES)
}

/// A whole number from 1 on.
fn count(title: &str, hint: &str, most: u32, usual: u32) -> Value {
    let range = format!("Choose a whole number from 1 to {most}.");
    json!({
        "type": "integer",
        "title": title,
        "description": format!("{hint} 1 to {most}."),
        "minimum": 1,
        "maximum": most,
        "default": usual,
        "errorMessage": { "required": range, "type": range, "minimum": range, "maximum": range },
    })
}

/// `30 December 2022`.
pub(super) fn long_day(date: Date) -> String {
    format!("{} {} {}", date.day(), month_name(date), date.year())
}

pub(super) fn analysts() -> Value {
    let choices = Analyst::all().into_iter().map(
        |analyst| json!({ "const": analyst, "title": analyst.label(), "description": studies(analyst) }),
    );
    json!({
        "type": "array",
        "title": "Analysts",
        "description": "They work side by side. At least one is needed.",
        "items": { "oneOf": choices.collect::<Vec<_>>() },
        "minItems": 1,
        "uniqueItems": true,
        "default": Analyst::all(),
        "errorMessage": { "minItems": "Choose at least one analyst." },
    })
}

/// The portfolio that an analysis is made for, if it is made for one.
fn chosen_portfolio(portfolios: &[PortfolioSummary]) -> Value {
    let mut field = own(portfolios);
    field["title"] = "For the portfolio".into();
    field["description"] =
        "Trader, risk analysts and manager are told what it holds. Nothing is traded.".into();
    field[OPTIONAL] = true.into();
    if let Some(field) = field.as_object_mut() {
        field.remove("default");
    }
    field
}

fn own(portfolios: &[PortfolioSummary]) -> Value {
    let choices =
        portfolios.iter().map(|portfolio| json!({ "const": portfolio.id, "title": portfolio.name }));
    json!({
        "type": "string",
        "title": "Portfolio",
        "oneOf": choices.collect::<Vec<_>>(),
        "default": portfolios.first().map(|portfolio| &portfolio.id),
        "errorMessage": {
            "required": "Choose the portfolio that is to trade.",
            "oneOf": "Choose the portfolio that is to trade.",
            "empty": "There is no portfolio yet. Open one under “Portfolios” on this page first.",
        },
    })
}
