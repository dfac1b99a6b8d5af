//! The structured answers of a portfolio run: their schemas, and their strict reading.

use std::{collections::BTreeSet, str::FromStr};

use llm::{AnswerSchema, parse_structured};
use portfolio::{MAX_QUANTITY, PLACES};
use protocol::{
    Decimal,
    trading::{Confidence, Decision, Hold, Order, Side, Ticker},
};
use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Value, json};

use crate::trading::facts::{HoldingFacts, Review};

const REGIMES: [&str; 4] = ["risk-on", "risk-off", "neutral", "transition"];
/// Orders that one decision may hold.
const MOST_ORDERS: usize = 100;

fn object(properties: Value, required: &[&str]) -> Value {
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn list(items: Value) -> Value {
    json!({ "type": "array", "items": items })
}

/// The form of the reviews.
pub(super) fn review_schema() -> AnswerSchema {
    let text = json!({ "type": "string" });
    let review = object(
        json!({
            "ticker": text,
            "recommendation": { "type": "string", "enum": ["hold", "sell"] },
            "confidence": { "type": "string", "enum": ["high", "medium", "low"] },
            "rationale": text,
            "risks": list(text),
        }),
        &["ticker", "recommendation", "confidence", "rationale", "risks"],
    );
    let schema = object(json!({ "reviews": list(review) }), &["reviews"]);
    AnswerSchema { name: "holding_reviews".to_owned(), schema }
}

/// Reads the reviews: one of each holding, and no others.
pub(super) fn read_reviews(text: &str, holdings: &[HoldingFacts]) -> Result<Vec<Review>, String> {
    #[derive(Deserialize)]
    struct Reviews {
        reviews: Vec<Review>,
    }
    let Reviews { reviews } = parse_structured(text, &review_schema())?;
    let reviewed: BTreeSet<&Ticker> = reviews.iter().map(|review| &review.ticker).collect();
    let held: BTreeSet<&Ticker> = holdings.iter().map(|holding| &holding.ticker).collect();
    if reviewed != held || reviews.len() != holdings.len() {
        let held: Vec<&str> = held.into_iter().map(Ticker::as_str).collect();
        return Err(format!(
            "Review each of {} exactly once, and nothing else. Answer again.",
            held.join(", ")
        ));
    }
    if reviews.iter().any(|review| review.rationale.trim().is_empty()) {
        return Err("Every review needs a rationale. Answer again.".to_owned());
    }
    Ok(reviews)
}

/// The form of the decision.
pub(super) fn decision_schema() -> AnswerSchema {
    let text = json!({ "type": "string" });
    let amount =
        json!({ "type": "string", "description": "a positive decimal number, such as \"12\" or \"181.50\"" });
    let optional = json!({ "type": ["string", "null"], "description": "US dollars a share, as a positive decimal number" });
    let sell = object(
        json!({ "ticker": text, "quantity": amount, "rationale": text }),
        &["ticker", "quantity", "rationale"],
    );
    let buy = object(
        json!({ "ticker": text, "quantity": amount, "stop_loss": optional, "take_profit": optional, "rationale": text }),
        &["ticker", "quantity", "stop_loss", "take_profit", "rationale"],
    );
    let hold = object(json!({ "ticker": text, "rationale": text }), &["ticker", "rationale"]);
    let schema = object(
        json!({
            "macro_regime": { "type": "string", "enum": REGIMES },
            "sells": list(sell),
            "buys": list(buy),
            "holds": list(hold),
            "portfolio_thesis": text,
            "risk_summary": text,
            "decision_confidence": { "type": "string", "enum": ["high", "medium", "low"] },
        }),
        &[
            "macro_regime",
            "sells",
            "buys",
            "holds",
            "portfolio_thesis",
            "risk_summary",
            "decision_confidence",
        ],
    );
    AnswerSchema { name: "portfolio_decision".to_owned(), schema }
}

#[derive(Deserialize)]
struct Sell {
    ticker: Ticker,
    #[serde(deserialize_with = "quantity")]
    quantity: Decimal,
    rationale: String,
}

#[derive(Deserialize)]
struct Buy {
    ticker: Ticker,
    #[serde(deserialize_with = "quantity")]
    quantity: Decimal,
    #[serde(default, deserialize_with = "price")]
    stop_loss: Option<Decimal>,
    #[serde(default, deserialize_with = "price")]
    take_profit: Option<Decimal>,
    rationale: String,
}

#[derive(Deserialize)]
struct DecisionAnswer {
    macro_regime: String,
    sells: Vec<Sell>,
    buys: Vec<Buy>,
    holds: Vec<Hold>,
    portfolio_thesis: String,
    risk_summary: String,
    decision_confidence: Confidence,
}

/// Reads a decision from what a model wrote. What the limits say about its orders is found out when
/// they are executed.
///
/// # Errors
/// A text that says to the model what is wrong, to ask it again with.
pub fn read_decision(text: &str) -> Result<Decision, String> {
    let answer: DecisionAnswer = parse_structured(text, &decision_schema())?;
    if answer.sells.len() + answer.buys.len() > MOST_ORDERS {
        return Err(format!("There are more than {MOST_ORDERS} orders. Answer again with fewer."));
    }
    if answer.portfolio_thesis.trim().is_empty() || answer.risk_summary.trim().is_empty() {
        return Err("`portfolio_thesis` and `risk_summary` must not be empty. Answer again.".to_owned());
    }
    let sells = answer.sells.into_iter().map(|sell| Order {
        side: Side::Sell,
        ticker: sell.ticker,
        quantity: sell.quantity,
        rationale: sell.rationale,
        stop_loss: None,
        take_profit: None,
    });
    let buys = answer.buys.into_iter().map(|buy| Order {
        side: Side::Buy,
        ticker: buy.ticker,
        quantity: buy.quantity,
        rationale: buy.rationale,
        stop_loss: buy.stop_loss,
        take_profit: buy.take_profit,
    });
    Ok(Decision {
        orders: sells.chain(buys).collect(),
        holds: answer.holds,
        confidence: answer.decision_confidence,
        regime: answer.macro_regime,
        thesis: answer.portfolio_thesis,
        risk_summary: answer.risk_summary,
    })
}

/// A decimal number, written as text or as a JSON number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl Written {
    fn positive<E: Error>(self) -> Result<Decimal, E> {
        let text = match self {
            Self::Text(text) => text.trim().to_owned(),
            Self::Number(number) => number.to_string(),
        };
        Decimal::from_str(&text)
            .ok()
            .filter(|value| {
                *value > Decimal::ZERO && *value <= MAX_QUANTITY && value.normalize().scale() <= PLACES
            })
            .ok_or_else(|| {
                let shown: String = text.chars().take(40).collect();
                E::custom(format!("\"{shown}\" is no positive decimal number with at most {PLACES} decimals"))
            })
    }
}

fn quantity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Written::deserialize(deserializer)?.positive()
}

fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Decimal>, D::Error> {
    Option::<Written>::deserialize(deserializer)?.map(Written::positive).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(change: impl Fn(&mut Value)) -> String {
        let mut answer = json!({
            "macro_regime": "risk-off",
            "sells": [{ "ticker": "aapl", "quantity": 10, "rationale": "r" }],
            "buys": [{ "ticker": "LLY", "quantity": "15", "stop_loss": "288.36", "take_profit": null, "rationale": "r" }],
            "holds": [],
            "portfolio_thesis": "t",
            "risk_summary": "s",
            "decision_confidence": "medium",
        });
        change(&mut answer);
        answer.to_string()
    }

    fn held(ticker: &str) -> HoldingFacts {
        HoldingFacts {
            ticker: ticker.parse().unwrap(),
            sector: "Technology".to_owned(),
            quantity: Decimal::TEN,
            average_cost: Decimal::ONE,
            price: None,
            market_value: None,
            weight: None,
            unrealised_profit: None,
            grade: None,
            market: None,
        }
    }

    /// 7.2.4 and 6.A 11 of AgentOS's specification: one review for each holding, and of nothing else.
    #[test]
    fn each_holding_is_reviewed_once_and_nothing_else_is() {
        let holdings = [held("AAPL"), held("MSFT")];
        let review = |ticker: &str, rationale: &str| {
            json!({
                "ticker": ticker, "recommendation": "hold", "confidence": "high", "rationale": rationale,
                "risks": ["r"],
            })
        };
        let read = |reviews: Value| read_reviews(&json!({ "reviews": reviews }).to_string(), &holdings);
        let both = read(json!([review("msft", "r"), review("AAPL", "r")])).unwrap();
        let tickers: Vec<&str> = both.iter().map(|review| review.ticker.as_str()).collect();
        assert_eq!(tickers, ["MSFT", "AAPL"]);
        for reviews in [
            json!([review("AAPL", "r")]),
            json!([review("AAPL", "r"), review("MSFT", "r"), review("AAPL", "again")]),
            json!([review("AAPL", "r"), review("MSFT", "r"), review("TSLA", "r")]),
            json!([]),
        ] {
            let refusal = read(reviews.clone()).unwrap_err();
            assert!(refusal.starts_with("Review each of AAPL, MSFT exactly once"), "{reviews}: {refusal}");
        }
        let refusal = read(json!([review("AAPL", "r"), review("MSFT", "  ")])).unwrap_err();
        assert_eq!(refusal, "Every review needs a rationale. Answer again.");
        let bare = json!([review("AAPL", "r"), review("MSFT", "r")]).to_string();
        assert!(read_reviews(&bare, &holdings).is_err(), "a bare list is no answer");
    }

    #[test]
    fn a_decision_is_read_with_sells_before_buys() {
        let decision = read_decision(&answer(|_| {})).unwrap();
        assert_eq!(decision.headline(), "1 sell, 1 buy");
        assert_eq!((decision.orders[0].side, decision.orders[0].ticker.as_str()), (Side::Sell, "AAPL"));
        assert_eq!(decision.orders[1].stop_loss, Some(Decimal::new(28836, 2)));
        assert_eq!(decision.orders[1].take_profit, None);
    }

    /// AgentOS 7.5.15.
    #[test]
    fn a_decision_that_breaks_the_form_is_refused() {
        let breaks: [fn(&mut Value); 12] = [
            |it| it["macro_regime"] = json!("unknown"),
            |it| it["macro_regime"] = json!(""),
            |it| it["decision_confidence"] = json!("very high"),
            |it| it["portfolio_thesis"] = json!("  "),
            |it| it["sells"][0]["quantity"] = json!(-1),
            |it| it["sells"][0]["quantity"] = json!(0),
            |it| it["buys"][0]["quantity"] = json!("all"),
            |it| it["buys"][0]["quantity"] = json!("1e400"),
            |it| it["buys"][0]["quantity"] = json!("0.0000001"),
            |it| it["buys"][0]["stop_loss"] = json!("-5"),
            |it| it["buys"][0]["ticker"] = json!("../etc"),
            |it| it["holds"] = Value::Null,
        ];
        for change in breaks {
            let text = answer(change);
            assert!(read_decision(&text).is_err(), "{text}");
        }
        let spelled = answer(|it| {
            it["macro_regime"] = json!("Risk off");
            it["decision_confidence"] = json!("MEDIUM confidence");
        });
        assert_eq!(read_decision(&spelled), read_decision(&answer(|_| {})));
        let empty = answer(|it| {
            it["sells"] = json!([]);
            it["buys"] = json!([]);
        });
        assert!(read_decision(&empty).unwrap().orders.is_empty());
    }
}
