//! What a backtest takes, as the start form is told.

use market::{DataKind, Market};
use protocol::{
    Date, Decimal,
    trading::{Analyst, BacktestPlan, CostMethod, FillPrice, Rhythm, Task, Ticker},
};
use serde_json::{Value, json};

use super::forms::{about, analysts, day, most_pipelines};

/// Stocks of the sample: of those that are listed, each from another sector.
const SAMPLE_TICKERS: usize = 3;
/// Calendar days of the sample.
const SAMPLE_DAYS: i64 = 91;

/// The fields.
pub(super) fn fields(market: &Market) -> Value {
    let sample = sample(market);
    let plan = match &sample {
        Some(Task::Backtest(plan)) => Some(plan),
        _ => None,
    };
    let with = |mut field: Value, changes: &[(&str, Value)]| {
        for (key, value) in changes {
            field[*key] = value.clone();
        }
        field
    };
    let range_day = |title: &str, hint: &str, default: Option<Date>| {
        with(
            day(market),
            &[("title", title.into()), ("description", hint.into()), ("default", json!(default))],
        )
    };
    json!({
        "tickers": tickers(market, plan.map(|plan| plan.tickers.as_slice()).unwrap_or_default()),
        "from": range_day(
            "First day",
            "The first decision is on the first trading day from here on.",
            plan.map(|plan| plan.from),
        ),
        "to": range_day(
            "Last day",
            "The portfolio is valued up to here. A model may know what happened before its training ended.",
            plan.map(|plan| plan.to),
        ),
        "rhythm": choice(
            "How often it decides",
            &[
                ("weekly", "Each week", "on the first trading day of the week"),
                ("daily", "Each day", "on every trading day"),
                ("monthly", "Each month", "on the first trading day of the month"),
            ],
        ),
        "cash": amount("Starting cash, US dollars", "The portfolio belongs to this run alone.", "100000"),
        "fill": with(
            choice(
                "Orders are filled",
                &[
                    ("next_price", "At the next price", "the first price after the day of the decision"),
                    ("decision_close", "At the decision's close", "this flatters"),
                ],
            ),
            &[(
                "description",
                "The decision's close flatters: nobody can trade at a price that the decision has seen.".into(),
            )],
        ),
        "slippage": amount(
            "Slippage",
            "How much worse than quoted a trade is filled, as a fraction: 0.0005 is 0.05 %. 0 to 0.1.",
            "0.0005",
        ),
        "commission_fixed": amount("Commission a trade, US dollars", "0 to 1000.", "1"),
        "commission_per_share": amount("Commission a share, US dollars", "0 to 10.", "0"),
        "commission_rate": amount("Commission of the amount", "A fraction: 0.001 is 0.1 %. 0 to 0.1.", "0"),
        "commission_minimum": amount("Commission a trade at least, US dollars", "0 to 1000.", "0"),
        "standing_orders": {
            "type": "boolean",
            "title": "Stop loss and take profit are carried out",
            "description": "Otherwise they are only notes.",
            "default": true,
        },
        "cost_method": choice(
            "Profit of a sale is held against",
            &[
                ("average_cost", "The average cost", "of all shares held"),
                ("first_in_first_out", "The oldest shares", "first in, first out"),
            ],
        ),
        "analysts": analysts(),
        "max_concurrent_pipelines": most_pipelines(),
    })
}

/// A backtest that runs offline: three stocks of different sectors, weekly, over the last quarter that there are
/// prices of.
pub(super) fn sample(market: &Market) -> Option<Task> {
    let mut sectors = Vec::new();
    let mut tickers: Vec<Ticker> = Vec::new();
    for instrument in market.instruments() {
        let is_company = !instrument.sector.is_empty() && !instrument.industry.is_empty();
        if is_company && !sectors.contains(&&instrument.sector) && tickers.len() < SAMPLE_TICKERS {
            sectors.push(&instrument.sector);
            tickers.push(instrument.ticker.clone());
        }
    }
    let to = market.built_in().last_date();
    let from = to.checked_sub(jiff::Span::new().days(SAMPLE_DAYS)).ok()?;
    let plan = BacktestPlan {
        tickers,
        from,
        to,
        rhythm: Rhythm::Weekly,
        cash: Decimal::from(100_000),
        fill: FillPrice::NextPrice,
        slippage: Decimal::new(5, 4),
        commission_fixed: Decimal::ONE,
        commission_per_share: Decimal::ZERO,
        commission_rate: Decimal::ZERO,
        commission_minimum: Decimal::ZERO,
        standing_orders: true,
        cost_method: CostMethod::AverageCost,
        analysts: Analyst::all(),
        max_concurrent_pipelines: Task::USUAL_PIPELINES,
        prices: None,
    };
    (!plan.tickers.is_empty()).then(|| Task::Backtest(Box::new(plan)))
}

fn tickers(market: &Market, default: &[Ticker]) -> Value {
    let mut field = json!({
        "type": "array",
        "title": "Stocks",
        "description": format!(
            "1 to {}. They are analysed for each decision.", BacktestPlan::MOST_TICKERS
        ),
        "minItems": 1,
        "maxItems": BacktestPlan::MOST_TICKERS,
        "uniqueItems": true,
        "default": default,
        "errorMessage": { "minItems": "Choose at least one stock." },
    });
    if market.is_open() {
        return any_tickers(market, &field);
    }
    let stocks =
        market.instruments().iter().filter(|instrument| !instrument.ticker.as_str().starts_with('^'));
    let choices = stocks.map(|instrument| {
        json!({ "const": instrument.ticker, "title": instrument.ticker, "description": about(instrument) })
    });
    field["items"] = json!({ "oneOf": choices.collect::<Vec<_>>() });
    field
}

/// The same field for any symbols.
pub(super) fn any_tickers(market: &Market, field: &Value) -> Value {
    let mut field = field.clone();
    field["x-checked"] = true.into();
    field["items"] = json!({ "type": "string", "pattern": "^[A-Za-z0-9.-]{1,20}$" });
    field["description"] = format!(
        "1 to {}, as a list of tickers: [\"AAPL\", \"BRK.B\"]. Prices come from {}.",
        BacktestPlan::MOST_TICKERS,
        market.name(DataKind::Prices)
    )
    .into();
    field
}

/// One of some words, the first of which is chosen at first.
fn choice(title: &str, choices: &[(&str, &str, &str)]) -> Value {
    let default = choices.first().map(|(word, ..)| *word);
    let choices = choices.iter().map(
        |(word, title, description)| json!({ "const": word, "title": title, "description": description }),
    );
    json!({ "type": "string", "title": title, "oneOf": choices.collect::<Vec<_>>(), "default": default })
}

/// An amount that is not negative.
fn amount(title: &str, hint: &str, default: &str) -> Value {
    let wrong = format!("Write an amount of 0 or more, such as {default}.");
    json!({
        "type": "string",
        "title": title,
        "description": hint,
        "pattern": "^[0-9]{1,12}(\\.[0-9]{1,6})?$",
        "default": default,
        "examples": [default],
        "errorMessage": { "required": wrong, "pattern": wrong },
    })
}
