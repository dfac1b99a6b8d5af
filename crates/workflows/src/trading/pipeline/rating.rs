//! The decision: a rating, as the portfolio manager writes it.

use async_trait::async_trait;
use engine::{NodeContext, NodeError, Outcome, Work};
use llm::{AnswerSchema, parse_structured};
use protocol::{
    Date, LogLevel,
    trading::{Confidence, Grade, Rating, Ticker},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Subject,
    debate::{debate, transcript},
    screen::confidence_limit,
    state::{self, seen},
};
use crate::{
    agent::{NO_MORE_TOOLS, NoTools, Unusable, attempt},
    node::{brief, log, product, report},
    trading::{
        facts::{MarketFacts, Missing},
        holdings::PORTFOLIO,
        memory::LESSONS,
        prompts::roles,
        seen::with_data,
    },
};

/// Characters of an answer that is shown though it cannot be read.
const LONGEST_UNREAD: usize = 4000;

/// The portfolio manager.
pub(super) struct RatingWork {
    pub(super) subject: Subject,
}

/// A rating as the portfolio manager writes it.
#[derive(Debug, Deserialize)]
pub struct RatingAnswer {
    grade: Grade,
    confidence: Confidence,
    summary: String,
    thesis: String,
}

impl RatingAnswer {
    /// What a portfolio manager's last answer comes to, as a log has it. `wants_tools`: it asked for tools in place of
    /// an answer. `aborted`: a critical condition leaves one grade.
    pub(in crate::trading) fn of_last(text: &str, wants_tools: bool, aborted: bool) -> Self {
        let read = if wants_tools { Err(NO_MORE_TOOLS.to_owned()) } else { read_rating_of(text, aborted) };
        read.unwrap_or_else(|refusal| Self::to_review(Unusable { answer: text.to_owned(), refusal }))
    }

    /// The rating that it gives a stock. What is missing limits its confidence.
    pub(in crate::trading) fn rating(
        self,
        ticker: &Ticker,
        date: Date,
        missing: &[Missing],
        abort: Option<String>,
    ) -> Rating {
        Rating {
            ticker: ticker.clone(),
            date,
            grade: self.grade,
            confidence: self.confidence.min(confidence_limit(missing)),
            summary: self.summary.trim().to_owned(),
            thesis: self.thesis.trim().to_owned(),
            abort,
        }
    }

    /// What stands in the place of a rating that cannot be read.
    fn to_review(unusable: Unusable) -> Self {
        let Unusable { answer, refusal } = unusable;
        let said: String = answer.trim().chars().take(LONGEST_UNREAD).collect();
        let said = if said.is_empty() { "The answer was empty." } else { &said };
        Self {
            grade: Grade::Review,
            confidence: Confidence::Low,
            summary: "The portfolio manager's answer could not be read as a rating. Read it, and analyse the stock again."
                .to_owned(),
            thesis: format!("Why it was refused: {refusal}\n\nThe last answer, as it came:\n\n{said}"),
        }
    }
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
            .section(PORTFOLIO, &self.subject.holdings(state)?)
            .section(LESSONS, &self.subject.lessons(state)?)
            .section("Research debate", &transcript(&debate(state, state::INVESTMENT_DEBATE)?))
            .section("Investment plan", state.text(state::INVESTMENT_PLAN))
            .section("Trader's proposal", state.text(state::TRADER_PLAN))
            .section("Risk debate", &transcript(&debate(state, state::RISK_DEBATE)?))
            .facts(&facts);
        let aborted = facts.abort.is_some();
        let request = brief(node, messages, Some(rating_schema()));
        let answered = attempt(node, request, &NoTools, |text| read_rating_of(text, aborted)).await?;
        let unread = answered.as_ref().err().map(|unusable| unusable.refusal.clone());
        let answer = answered.map_or_else(RatingAnswer::to_review, |conversation| conversation.answer);

        let limit = confidence_limit(&facts.missing);
        let claimed = answer.confidence;
        let Subject { ticker, date, .. } = &self.subject;
        let rating = answer.rating(ticker, *date, &facts.missing, facts.abort);
        let markdown = decision_text(&rating, &facts.missing);
        let figures = facts.market.as_ref().map(MarketFacts::report).unwrap_or_default();
        let shown = with_data(&markdown, &seen(state)?);
        let report = report(state::FINAL_DECISION, "Final decision", &shown, figures);
        let lowered = (claimed > limit).then(|| {
            let message = format!(
                "The model's confidence was {claimed}; it is lowered to {limit}, as inputs are missing."
            );
            log(LogLevel::Warning, message)
        });
        let to_review = unread.as_ref().map(|refusal| {
            log(
                LogLevel::Warning,
                format!("REVIEW: the rating could not be read, so nothing is traded on it. {refusal}"),
            )
        });
        let bodies = [product(rating.product())?, report].into_iter().chain(lowered).chain(to_review);
        node.emit(bodies.collect()).await?;
        let outcome = Outcome::default().set(state::RATING, rating)?.set(state::FINAL_DECISION, markdown)?;
        Ok(match unread {
            Some(refusal) => outcome.degraded(format!("REVIEW: the rating could not be read. {refusal}")),
            None => outcome,
        })
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
}
