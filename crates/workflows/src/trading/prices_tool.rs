//! What agents of any family may ask the market: how a stock's price has moved of late.

use std::sync::Arc;

use async_trait::async_trait;
use market::{
    DailyPrice, DataKind, Market,
    figures::{self, Figure},
};
use protocol::{
    Decimal,
    trading::{Instrument, Measured, Ticker},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tools::{Definition, Outcome, SchemaError, Tool};

/// The tool's name.
const NAME: &str = "get_stock_prices";
const DESCRIPTION: &str = "How the price of one stock or index has moved up to the newest day that is known: first and \
    last close, change, highest and lowest close, the largest move of a day, and volatility. Where there are no prices \
    it says so.";
/// Calendar days to look back where nothing else is asked for.
const USUAL_DAYS: i32 = 30;
/// Decimals of a fraction.
const PLACES: u32 = 4;

/// Answers from the market, as of its newest day.
pub struct StockPrices {
    definition: Definition,
    market: Arc<Market>,
}

/// What a model passes.
#[derive(Deserialize)]
struct Wanted {
    stock: String,
    days: Option<i32>,
}

impl StockPrices {
    /// The tool with the prices of this market.
    ///
    /// # Errors
    /// Its own schema cannot be used.
    pub fn new(market: Arc<Market>) -> Result<Self, SchemaError> {
        let arguments = json!({
            "type": "object",
            "properties": {
                "stock": { "type": "string", "maxLength": 80, "description": "Its symbol or its company's name" },
                "days": {
                    "type": "integer",
                    "minimum": 2,
                    "maximum": 3660,
                    "description": format!("Calendar days to look back; {USUAL_DAYS} by default"),
                },
            },
            "required": ["stock"],
            "additionalProperties": false,
        });
        let name = NAME.parse().map_err(|_| SchemaError::NoObject)?;
        Ok(Self { definition: Definition::new(name, DESCRIPTION, arguments)?, market })
    }

    /// The symbol that is meant: that of a listed instrument, by its symbol or the beginning of its name, or any
    /// other where vendors know more than those.
    fn ticker(&self, stock: &str) -> Result<Ticker, String> {
        let symbol: Option<Ticker> = stock.parse().ok();
        if let Some(listed) = symbol.as_ref().filter(|symbol| self.market.instrument(symbol).is_some()) {
            return Ok(listed.clone());
        }
        let named: Vec<_> =
            self.market.instruments().iter().filter(|listed| begins_with(&listed.name, stock)).collect();
        match (named.as_slice(), symbol) {
            ([one], _) => Ok(one.ticker.clone()),
            ([], Some(symbol)) if self.market.is_open() => Ok(symbol),
            ([], _) => Err(format!(
                "There are no prices of {}: {} has {} instruments, and it is none of them.",
                shown(stock),
                self.market.name(DataKind::Prices),
                self.market.instruments().len()
            )),
            (several, _) => Err(format!(
                "{} may mean {}. Ask for one of them by its symbol.",
                shown(stock),
                several.iter().map(|listed| in_words(listed)).collect::<Vec<_>>().join(" or ")
            )),
        }
    }

    async fn answer(&self, Wanted { stock, days }: Wanted) -> Result<Outcome, String> {
        let ticker = self.ticker(stock.trim())?;
        let as_of = self.market.last_date();
        let found = self.market.prices(&ticker, as_of).await;
        let market::Answer { data, source } =
            found.map_err(|refusal| format!("There are no prices of {ticker} as of {as_of}. {refusal}"))?;
        let back =
            jiff::Span::new().try_days(days.unwrap_or(USUAL_DAYS)).map_err(|error| error.to_string())?;
        let first = as_of.saturating_sub(back);
        let from = data.days.partition_point(|price| price.date < first);
        let window = &data.days[from..];
        let movement = movement(window)
            .ok_or_else(|| format!("There are no prices of {ticker} from {first} to {as_of}."))?;
        let name = self.market.instrument(&ticker).map(|listed| listed.name.as_str());
        let (volatility, unknown) = match figures::compute(&data.days, Figure::Volatility252) {
            Measured::Known(value) => (Some(value), None),
            Measured::Unknown(why) => (None, Some(why)),
        };
        let shown = json!({
            "symbol": ticker,
            "name": name,
            "movement": movement,
            "volatility_of_the_last_252_days_annualised": volatility,
            "why_no_volatility": unknown,
            "unit": source.unit,
            "notes": source.notes,
        });
        let text = shown.to_string();
        Ok(match unknown {
            None => Outcome::success(text, source.vendor),
            Some(_) => Outcome::degraded(text, source.vendor),
        })
    }
}

#[async_trait]
impl Tool for StockPrices {
    fn definition(&self) -> &Definition {
        &self.definition
    }

    async fn call(&self, arguments: &Map<String, Value>) -> Outcome {
        match Wanted::deserialize(arguments) {
            Ok(wanted) => self.answer(wanted).await.unwrap_or_else(Outcome::error),
            Err(error) => Outcome::error(format!("The arguments cannot be read: {error}.")),
        }
    }
}

/// How closes moved from the first to the last of these days; fractions, not per cent. `None` for fewer than two, or
/// prices of 0.
fn movement(days: &[DailyPrice]) -> Option<Value> {
    let ([first, .., last], closes) = (days, || days.iter().map(|day| day.close)) else { return None };
    let change = |before: Decimal, now: Decimal| now.checked_div(before)?.checked_sub(Decimal::ONE);
    let moves =
        days.windows(2).filter_map(|pair| Some((pair[1].date, change(pair[0].close, pair[1].close)?)));
    let (on, largest) = moves.max_by_key(|(_, moved)| moved.abs())?;
    Some(json!({
        "from": first.date,
        "to": last.date,
        "trading_days": days.len(),
        "first_close": first.close,
        "last_close": last.close,
        "change": change(first.close, last.close)?.round_dp(PLACES).normalize(),
        "highest_close": closes().max()?,
        "lowest_close": closes().min()?,
        "largest_move_of_a_day": largest.round_dp(PLACES).normalize(),
        "largest_move_on": on,
    }))
}

/// Whether a company's name begins with these words, in any case.
fn begins_with(name: &str, words: &str) -> bool {
    let in_words = |text: &str| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect()
    };
    let words = in_words(words);
    !words.is_empty() && in_words(name).starts_with(&words)
}

fn in_words(listed: &Instrument) -> String {
    format!("{} ({})", listed.ticker, listed.name)
}

/// What a model wrote, in one line.
fn shown(stock: &str) -> String {
    stock.chars().filter(|letter| !letter.is_control()).take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn asked(arguments: Value) -> (protocol::ToolStatus, String) {
        let tool = StockPrices::new(Arc::new(Market::sample().unwrap())).unwrap();
        let Outcome { status, text, .. } = tool.call(arguments.as_object().unwrap()).await;
        (status, text)
    }

    #[tokio::test]
    async fn a_stock_is_found_by_its_symbol_and_by_the_beginning_of_its_name() {
        let by_name = asked(json!({ "stock": "Apple" })).await;
        assert_eq!(asked(json!({ "stock": "aapl" })).await, by_name);
        let (status, text) = by_name;
        assert_eq!(status, protocol::ToolStatus::Success, "{text}");
        let found: Value = serde_json::from_str(&text).unwrap();
        let movement = &found["movement"];
        // By the bundled table: closes of 2022-11-28 and 2022-12-28.
        assert_eq!((&movement["from"], &movement["to"]), (&json!("2022-11-28"), &json!("2022-12-28")));
        assert_eq!(
            (&movement["last_close"], &movement["lowest_close"]),
            (&json!("125.674"), &json!("125.674"))
        );
        let [first, last, change] = ["first_close", "last_close", "change"]
            .map(|name| movement[name].as_str().unwrap().parse::<Decimal>().unwrap());
        assert_eq!((last / first - Decimal::ONE).round_dp(PLACES).normalize(), change);
    }

    #[tokio::test]
    async fn what_there_are_no_prices_of_is_an_error_that_names_it() {
        for stock in ["Google", "GOOGL", "Tesla", "TSLA"] {
            let (status, text) = asked(json!({ "stock": stock })).await;
            assert_eq!(status, protocol::ToolStatus::Error);
            assert!(text.starts_with(&format!("There are no prices of {stock}: ")), "{text}");
        }
        let (status, text) = asked(json!({ "stock": "iShares" })).await;
        assert_eq!(status, protocol::ToolStatus::Error);
        assert!(text.contains("MTUM (") && text.contains(" or QUAL ("), "{text}");
    }
}
