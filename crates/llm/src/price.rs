//! What tokens cost.

use std::{collections::HashMap, path::Path};

use protocol::{Decimal, Usage};
use serde::Deserialize;

use crate::ChatError;

const BUNDLED: &str = include_str!("prices.csv");

/// Prices of models in US dollars per million tokens.
///
/// As CSV with the columns `model`, `input`, `output` and `prompt_limit` (the longest prompt in tokens
/// that the price holds for; empty: any) and comments after `#`. A model is found by its exact name, or
/// as a dated variant: `gpt-5-mini-2025-08-07` costs what `gpt-5-mini` costs, unless it has a row of its
/// own; `gpt-5-codex` is another model than `gpt-5`.
#[derive(Clone, Debug, Default)]
pub struct PriceTable {
    prices: HashMap<String, Price>,
}

#[derive(Clone, Debug)]
struct Price {
    input: Decimal,
    output: Decimal,
    prompt_limit: Option<u64>,
}

#[derive(Deserialize)]
struct Row {
    model: String,
    // As text, so that 0.1 is never read as a float.
    input: String,
    output: String,
    prompt_limit: Option<u64>,
}

impl PriceTable {
    /// No prices: every cost is unknown.
    pub fn empty() -> Self {
        Self::default()
    }

    /// The vendors' public price lists as they were known when this was built.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] if the bundled table is damaged.
    pub fn bundled() -> Result<Self, ChatError> {
        Self::parse(BUNDLED)
    }

    /// The bundled prices; those in the file take precedence.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] if the file cannot be read or has a wrong line.
    pub fn with_file(path: &Path) -> Result<Self, ChatError> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            ChatError::Configuration(format!("the price list {} cannot be read: {error}", path.display()))
        })?;
        let mut table = Self::bundled()?;
        table.prices.extend(Self::parse(&text)?.prices);
        Ok(table)
    }

    /// Prices from CSV.
    ///
    /// # Errors
    /// [`ChatError::Configuration`], which names the first wrong line.
    pub fn parse(text: &str) -> Result<Self, ChatError> {
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes());
        let mut prices = HashMap::new();
        for row in reader.deserialize::<Row>() {
            let row = row.map_err(|error| wrong(error.to_string()))?;
            let price = Price {
                input: amount(&row.model, &row.input)?,
                output: amount(&row.model, &row.output)?,
                prompt_limit: row.prompt_limit,
            };
            prices.insert(row.model, price);
        }
        Ok(Self { prices })
    }

    /// Adds the price of one model, in US dollars per million tokens in and out.
    ///
    /// # Errors
    /// [`ChatError::Configuration`] if one is no amount, or negative.
    pub fn with_price(mut self, model: &str, input: &str, output: &str) -> Result<Self, ChatError> {
        let price =
            Price { input: amount(model, input)?, output: amount(model, output)?, prompt_limit: None };
        self.prices.insert(model.rsplit_once("::").map_or(model, |(_, name)| name).to_owned(), price);
        Ok(self)
    }

    /// Whether a model's price is known.
    pub fn knows(&self, model: &str) -> bool {
        self.price(model).is_some()
    }

    /// What an answer cost in US dollars, exact; `None` if the price or the usage is unknown.
    ///
    /// tokens in × input price ÷ 1 000 000 + tokens out × output price ÷ 1 000 000. Cached tokens are
    /// counted in full, so that it is the most that the answer can have cost.
    pub fn cost(&self, model: &str, usage: &Usage) -> Option<Decimal> {
        let (tokens_in, tokens_out) = (usage.tokens_in?, usage.tokens_out?);
        let price = self.price(model)?;
        if price.prompt_limit.is_some_and(|limit| tokens_in > limit) {
            return None;
        }
        let million = Decimal::from(1_000_000);
        let input = price.input.checked_mul(tokens_in.into())?;
        let output = price.output.checked_mul(tokens_out.into())?;
        input.checked_add(output)?.checked_div(million).map(|cost| cost.normalize())
    }

    fn price(&self, model: &str) -> Option<&Price> {
        // The namespace (`anthropic::claude-opus-5`) does not change the price.
        let model = model.rsplit_once("::").map_or(model, |(_, name)| name);
        self.prices.get(model).or_else(|| {
            let ends = model.match_indices(['-', '@']).map(|(end, _)| end);
            let dated = ends.filter(|end| is_date(&model[end + 1..]));
            dated.rev().find_map(|end| self.prices.get(&model[..end]))
        })
    }
}

fn wrong(what: String) -> ChatError {
    ChatError::Configuration(format!("the price list has an error: {what}"))
}

fn amount(model: &str, text: &str) -> Result<Decimal, ChatError> {
    match Decimal::from_str_exact(text) {
        Ok(amount) if !amount.is_sign_negative() => Ok(amount),
        _ => Err(wrong(format!("{text:?} is not a price ({model})"))),
    }
}

/// Whether the rest of a name is only a version of the model: `2025-08-07`, `20250514`, `0613`, `001` or
/// `latest`. Any other number, as in `claude-opus-4-1`, makes it another model.
fn is_date(rest: &str) -> bool {
    let lengths: Vec<usize> = rest.split('-').map(str::len).collect();
    let digits = rest.chars().all(|character| character.is_ascii_digit() || character == '-');
    rest == "latest" || (digits && matches!(lengths[..], [4, 2, 2] | [8] | [4] | [3]))
}
