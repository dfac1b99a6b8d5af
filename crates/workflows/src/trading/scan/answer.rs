//! The synthesis as a model writes it: its form, and its strict reading.

use std::collections::BTreeSet;

use llm::{AnswerSchema, parse_structured};
use protocol::trading::{MacroContext, MarketTheme, StockProposal, Ticker};
use serde::Deserialize;
use serde_json::{Value, json};

/// Entries of each list of the answer.
const MOST_ENTRIES: usize = 10;
/// Characters of the summary.
const LONGEST_SUMMARY: usize = 3000;
/// Characters of any other text.
const LONGEST_TEXT: usize = 1000;

/// A synthesis as a model writes it, within all bounds.
#[derive(Debug, Deserialize)]
pub struct ScanAnswer {
    pub(super) timeframe: String,
    pub(super) executive_summary: String,
    pub(super) macro_context: MacroContext,
    pub(super) key_themes: Vec<MarketTheme>,
    pub(super) stocks_to_investigate: Vec<StockProposal>,
    pub(super) risk_factors: Vec<String>,
}

/// What the proposals of an answer are held against.
pub struct Choice<'c> {
    /// Stocks at most.
    pub most: u32,
    /// The stocks that there are figures of; `None` where there may be prices of others, too.
    pub among: Option<&'c BTreeSet<Ticker>>,
}

pub(super) fn scan_schema() -> AnswerSchema {
    let object = |properties: Value, required: &[&str]| {
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    };
    let text = json!({ "type": "string" });
    let texts = json!({ "type": "array", "items": text });
    let conviction = json!({ "type": "string", "enum": ["high", "medium", "low"] });
    let context = object(
        json!({ "economic_cycle": text, "central_bank_stance": text, "geopolitical_risks": texts }),
        &["economic_cycle", "central_bank_stance", "geopolitical_risks"],
    );
    let theme = object(
        json!({ "theme": text, "description": text, "conviction": conviction, "timeframe": text }),
        &["theme", "description", "conviction", "timeframe"],
    );
    let angles = ["growth", "value", "catalyst", "turnaround", "defensive", "momentum"];
    let stock = object(
        json!({
            "ticker": text,
            "name": text,
            "sector": text,
            "rationale": text,
            "thesis_angle": { "type": "string", "enum": angles },
            "conviction": conviction,
            "key_catalysts": texts,
            "risks": texts,
        }),
        &["ticker", "name", "sector", "rationale", "thesis_angle", "conviction", "key_catalysts", "risks"],
    );
    let schema = object(
        json!({
            "timeframe": text,
            "executive_summary": text,
            "macro_context": context,
            "key_themes": { "type": "array", "items": theme },
            "stocks_to_investigate": { "type": "array", "items": stock },
            "risk_factors": texts,
        }),
        &[
            "timeframe",
            "executive_summary",
            "macro_context",
            "key_themes",
            "stocks_to_investigate",
            "risk_factors",
        ],
    );
    AnswerSchema { name: "market_scan".to_owned(), schema }
}

/// Reads a synthesis from what a model wrote.
///
/// # Errors
/// A text that says to the model what is wrong, to ask it again with.
pub fn read_scan(text: &str, choice: &Choice<'_>) -> Result<ScanAnswer, String> {
    let answer: ScanAnswer = parse_structured(text, &scan_schema())?;
    check_texts(&answer)?;
    let stocks = &answer.stocks_to_investigate;
    if stocks.len() > choice.most as usize {
        return Err(format!(
            "`stocks_to_investigate` has {} stocks. Answer again with at most {}.",
            stocks.len(),
            choice.most
        ));
    }
    let mut proposed = BTreeSet::new();
    for stock in stocks {
        if !proposed.insert(&stock.ticker) {
            return Err(format!("{} is proposed twice. Answer again with each stock once.", stock.ticker));
        }
        if choice.among.is_some_and(|among| !among.contains(&stock.ticker)) {
            return Err(format!(
                "There are no figures of {}. Answer again with stocks of the facts only.",
                stock.ticker
            ));
        }
    }
    Ok(answer)
}

fn check_texts(answer: &ScanAnswer) -> Result<(), String> {
    let ScanAnswer {
        timeframe,
        executive_summary,
        macro_context,
        key_themes,
        stocks_to_investigate,
        risk_factors,
    } = answer;
    needed("executive_summary", executive_summary, LONGEST_SUMMARY)?;
    needed("timeframe", timeframe, LONGEST_TEXT)?;
    needed("economic_cycle", &macro_context.economic_cycle, LONGEST_TEXT)?;
    needed("central_bank_stance", &macro_context.central_bank_stance, LONGEST_TEXT)?;
    entries("geopolitical_risks", &macro_context.geopolitical_risks)?;
    entries("risk_factors", risk_factors)?;
    bounded("key_themes", key_themes.len())?;
    for theme in key_themes {
        needed("theme", &theme.theme, LONGEST_TEXT)?;
        needed("description", &theme.description, LONGEST_TEXT)?;
        needed("timeframe", &theme.timeframe, LONGEST_TEXT)?;
    }
    for stock in stocks_to_investigate {
        needed("name", &stock.name, LONGEST_TEXT)?;
        needed("sector", &stock.sector, LONGEST_TEXT)?;
        needed("rationale", &stock.rationale, LONGEST_TEXT)?;
        entries("key_catalysts", &stock.key_catalysts)?;
        entries("risks", &stock.risks)?;
    }
    Ok(())
}

fn needed(field: &str, text: &str, longest: usize) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("`{field}` must not be empty. Answer again with the whole object."));
    }
    if text.chars().count() > longest {
        return Err(format!("`{field}` has more than {longest} characters. Answer again, shorter."));
    }
    Ok(())
}

fn entries(field: &str, texts: &[String]) -> Result<(), String> {
    bounded(field, texts.len())?;
    texts.iter().try_for_each(|text| needed(field, text, LONGEST_TEXT))
}

fn bounded(field: &str, count: usize) -> Result<(), String> {
    if count > MOST_ENTRIES {
        return Err(format!("`{field}` has {count} entries. Answer again with at most {MOST_ENTRIES}."));
    }
    Ok(())
}
