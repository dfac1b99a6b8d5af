//! The rehearsal: plays every agent of the trading workflows by fixed rules.
//!
//! It calls the tools that it is offered, and then writes what follows from the figures in the
//! prompt's facts. The same facts give the same words. It knows no news and claims none. All
//! rules stand here.
//!
//! # The score of a stock
//! | signal | +1 | 0 | −1 |
//! |---|---|---|---|
//! | Long trend | close above SMA 200 | | not above |
//! | Medium trend | close above SMA 50 | | not above |
//! | Order of the averages | SMA 50 above SMA 200 | | not above |
//! | MACD histogram | above 0 | | not above |
//! | RSI | 50 to 70 | below 30 | 30 to 50, or above 70 |
//! | Return of the quarter (63 days) | +5 % or more | between | −5 % or less |
//! | Volatility, 252 days | below 25 % | between | above 40 % |
//! | Max drawdown, 252 days | less than 15 % | between | more than 30 % |
//!
//! A signal whose figure is unknown counts 0. The figures are taken as they are shown, rounded.
//!
//! # What follows from the score
//! | score | grade | confidence | proposal |
//! |---|---|---|---|
//! | 6 to 8 | Buy | high | buy for 10 % of the portfolio |
//! | 3 to 5 | Overweight | medium | buy for 7 % |
//! | −2 to 2 | Hold | low | nothing |
//! | −5 to −3 | Underweight | medium | cut a holding by half |
//! | −8 to −6 | Sell | high | sell a holding |
//!
//! - Confidence is at most medium if an input is missing, and low without prices; the grade is
//!   then Hold. After a critical condition the grade is Sell with medium confidence.
//! - A stop lies 0.29 × volatility below the price (the swing of a month), but 5 to 15 %; the
//!   target twice as far above it, but 10 to 30 %.
//! - The aggressive voice takes 1.25 × the proposed size, the conservative 0.5 ×, the neutral
//!   0.8 ×; in the second round each goes half of the way back to it; never more than 15 %.
//! - It never reports a critical condition: no figure of the table can show one.
//!
//! # People
//! - Where it may ask, the trader asks which risk suits the person, and passes the answer on.
//! - It notes a comment that sent work back. No rule depends on what people say.
//!
//! # The portfolio
//! - A holding is sold if its latest rating is Sell or Underweight, or if its trend is broken:
//!   close below SMA 200 and SMA 50 below SMA 200.
//! - The regime is the index's score: risk-on from 3, risk-off to −3, transition between, and
//!   neutral without an index.
//! - Candidates are bought by priority, up to a weight by conviction: high 10 %, medium 7 %, low
//!   4 %; half of it in risk-off. Less if a limit leaves less room; whole shares, rounded down.
//!   What is sold is not bought back.
//!   Stop loss 10 % below the price, take profit 20 % above it.
//!
//! # The scan
//! - A stock gets a point each for a return of the month above 0, a return of the quarter of 5 % or more, a close above
//!   its average of 50 days and of 200 days, and a sector among the three with the highest return of the month; two
//!   for a footprint of large investors.
//! - Stocks with 5 points or more are proposed, by points, then by the return of the quarter, then by ticker.
//! - Conviction is high with a footprint that volumes or insiders confirm, outside of risk-off; medium with another
//!   footprint or 6 points; low otherwise.
//! - The angle is momentum with a footprint, defensive in Consumer Defensive, Healthcare and Utilities, turnaround
//!   where the year so far is negative, and growth otherwise.
//!
//! # Lessons
//! - A lesson names the rating and its outcome against the index. A purchase that was refuted is to be smaller, a sale
//!   that was refuted to wait; a stop loss is advised where the close fell by 10 % or more on the way.
//! - No rule depends on lessons of earlier decisions: they are shown to agents, and change no figure of a case.

mod book;
mod case;
mod lesson;
mod people;
mod scan;
mod score;

use llm::{ChatRequest, Message, Script, Turn};

use super::reflect::AUTHOR;
use crate::{agent::ASK_PERSON, prompt::read_facts};

/// Plays the agents of the trading workflows.
#[derive(Clone, Copy, Debug, Default)]
pub struct TradingRehearsal;

impl Script for TradingRehearsal {
    fn turn(&self, request: &ChatRequest) -> Result<Turn, String> {
        let has_results = request.messages.iter().any(|message| matches!(message, Message::Tool { .. }));
        if !has_results {
            let mut calls = Vec::from_iter(people::question(request));
            if request.tools.iter().any(|tool| tool.name != ASK_PERSON) {
                calls.extend(match scan::lookups(&request.agent, &request.messages)? {
                    Some(calls) => calls,
                    // Its rules rest on what it is told.
                    None if request.agent == "review_holdings" => Vec::new(),
                    None => case::lookups(&request.agent, &read_facts(&request.messages)?),
                });
            }
            if !calls.is_empty() {
                return Ok(Turn::Tools(calls));
            }
        }
        let answer = answer(request)?;
        Ok(Turn::Answer(if request.schema.is_none() { people::noted(answer, request) } else { answer }))
    }
}

fn answer(request: &ChatRequest) -> Result<String, String> {
    let messages = &request.messages;
    Ok(match request.agent.as_str() {
        "market_analyst" => case::market(&read_facts(messages)?),
        "social_analyst" => case::without_figures("messages about", &read_facts(messages)?, messages),
        "news_analyst" => case::without_figures("news about", &read_facts(messages)?, messages),
        "fundamentals_analyst" => case::without_figures("statements of", &read_facts(messages)?, messages),
        "bull_researcher" => case::debate(case::Side::Bull, &read_facts(messages)?),
        "bear_researcher" => case::debate(case::Side::Bear, &read_facts(messages)?),
        "research_manager" => case::research_manager(&read_facts(messages)?),
        "trader" => case::trader(&read_facts(messages)?),
        "aggressive_analyst" => case::risk(case::Voice::Aggressive, &read_facts(messages)?),
        "conservative_analyst" => case::risk(case::Voice::Conservative, &read_facts(messages)?),
        "neutral_analyst" => case::risk(case::Voice::Neutral, &read_facts(messages)?),
        "portfolio_manager" => case::rating(&read_facts(messages)?),
        "review_holdings" => book::reviews(&read_facts(messages)?),
        "macro_summary" => book::macro_brief(&read_facts(messages)?),
        "micro_summary" => book::micro_brief(&read_facts(messages)?),
        "make_decision" => book::decision(&read_facts(messages)?),
        AUTHOR => lesson::lesson(&read_facts(messages)?),
        "geopolitical_scanner" => scan::geopolitics(&read_facts(messages)?, messages),
        "market_movers_scanner" => scan::movers(&read_facts(messages)?),
        "sector_scanner" => scan::sectors(&read_facts(messages)?),
        "smart_money_scanner" => scan::smart_money(&read_facts(messages)?),
        "industry_deep_dive" => scan::deep_dive(&read_facts(messages)?, messages),
        "macro_synthesis" => scan::synthesis(&read_facts(messages)?),
        unknown => return Err(format!("The rehearsal does not know the agent \"{unknown}\".")),
    })
}
