//! The agents of a portfolio run.

use std::{collections::BTreeMap, fmt::Write};

use protocol::{
    Decimal, grouped, percent,
    trading::{Confidence, Grade},
};
use serde_json::{Value, json};

use super::{
    case::tally,
    score::{Assessment, assess},
};
use crate::trading::facts::{
    CandidateFacts, DecisionFacts, HoldingFacts, MacroFacts, MarketFacts, MicroFacts, Recommendation, Review,
    ReviewFacts,
};

/// The reviews of the holdings, as JSON.
pub(super) fn reviews(facts: &ReviewFacts) -> String {
    let reviews: Vec<Value> = facts.holdings.iter().map(review).collect();
    json!({ "reviews": reviews }).to_string()
}

fn review(holding: &HoldingFacts) -> Value {
    let rated = holding.grade.map(|grade| format!("the latest rating is {grade}"));
    let broken = holding.market.as_ref().is_some_and(trend_is_broken);
    let trend = match &holding.market {
        Some(market) => format!(
            "the close of {} against an SMA 50 of {} and an SMA 200 of {}",
            market.shown("close"),
            market.shown("close_50_sma"),
            market.shown("close_200_sma")
        ),
        None => "there is no price to read a trend from".to_owned(),
    };
    let low = matches!(holding.grade, Some(Grade::Sell | Grade::Underweight));
    let (recommendation, why) = match (low, broken) {
        (true, _) => ("sell", "The reasons to own it are gone"),
        (false, true) => ("sell", "Its trend is broken"),
        (false, false) => ("hold", "Nothing speaks for a sale"),
    };
    let reasons: Vec<String> = rated.into_iter().chain([trend]).collect();
    let risk = match holding.market.as_ref().map(|market| market.shown("volatility_252d")) {
        Some(volatility) => format!("an annualised volatility of {volatility}"),
        None => "a price that is not known".to_owned(),
    };
    json!({
        "ticker": holding.ticker,
        "recommendation": recommendation,
        "confidence": if low && broken { Confidence::High } else { Confidence::Medium },
        "rationale": format!("{why}: {}.", reasons.join("; ")),
        "risks": [risk],
    })
}

fn trend_is_broken(market: &MarketFacts) -> bool {
    match (market.value("close"), market.value("close_50_sma"), market.value("close_200_sma")) {
        (Some(close), Some(medium), Some(long)) => close < long && medium < long,
        _ => false,
    }
}

/// The regime that the index's score shows.
fn regime(index: Option<&Assessment>) -> &'static str {
    match index.map(|view| view.score) {
        Some(3..) => "risk-on",
        Some(..=-3) => "risk-off",
        Some(_) => "transition",
        None => "neutral",
    }
}

/// The macro brief.
pub(super) fn macro_brief(facts: &MacroFacts) -> String {
    let view = facts.index.as_ref().map(assess);
    let mut text = format!("MACRO REGIME: {}\n", regime(view.as_ref()));
    match (&facts.index, &view) {
        (Some(index), Some(view)) => {
            let _ = write!(
                text,
                "\n**On {} the {} closed at {}. {}.**\n\n## Key numbers\n",
                index.as_of,
                index.name,
                index.shown("close"),
                tally(view)
            );
            for signal in &view.signals {
                let _ = writeln!(text, "- {}: {}.", signal.name, signal.reading);
            }
        }
        _ => text.push_str("\n**There are no prices of an index, so the regime is not known.**\n"),
    }
    if !facts.factors.is_empty() {
        text.push_str("\n## Factors\n| fund | return, 63 days | volatility |\n|---|---|---|\n");
        for factor in &facts.factors {
            let (change, swing) = (factor.shown("return_63d"), factor.shown("volatility_252d"));
            let _ = writeln!(text, "| {} ({}) | {change} | {swing} |", factor.name, factor.ticker);
        }
        let rising =
            facts.factors.iter().filter(|factor| factor.value("return_63d") > Some(Decimal::ZERO)).count();
        let _ = write!(text, "\n{rising} of {} factor funds rose over the quarter.\n", facts.factors.len());
    }
    if let Some(scan) = &facts.scan {
        let _ = write!(text, "\n## The scan as of {}\n{}\n", scan.date, scan.executive_summary);
        for theme in &scan.key_themes {
            let _ = writeln!(text, "- {}: {}", theme.theme, theme.description);
        }
    }
    text.push('\n');
    text.push_str(match regime(view.as_ref()) {
        "risk-on" => "New positions can have their full size.\n",
        "risk-off" => "New positions should have half their size, and cash is a position.\n",
        _ => "Nothing here argues for more or for less risk than usual.\n",
    });
    for missing in &facts.missing {
        let _ = writeln!(text, "- Not available, {}: {}", missing.input, missing.reason);
    }
    text
}

/// The micro brief.
pub(super) fn micro_brief(facts: &MicroFacts) -> String {
    let mut text = format!(
        "**As of {}, {} held and {} to choose from.**\n",
        facts.date,
        counted(facts.holdings.len(), "stock is", "stocks are"),
        counted(facts.candidates.len(), "candidate is there", "candidates are there"),
    );
    if !facts.holdings.is_empty() {
        text.push_str("\n## Holdings\n| ticker | weight | profit | recommendation |\n|---|---|---|---|\n");
        for holding in &facts.holdings {
            let review = facts.reviews.iter().find(|review| review.ticker == holding.ticker);
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} |",
                holding.ticker,
                or_unknown(holding.weight.map(|weight| percent(weight, 1))),
                or_unknown(holding.unrealised_profit.map(|profit| grouped(profit, 2))),
                review.map_or("not reviewed", |review| review.recommendation.label()),
            );
        }
    }
    if !facts.candidates.is_empty() {
        text.push_str(
            "\n## Candidates\n| ticker | grade | confidence | price | priority |\n|---|---|---|---|---|\n",
        );
        for candidate in &facts.candidates {
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} |",
                candidate.ticker,
                candidate.grade,
                candidate.confidence,
                or_unknown(candidate.price.map(|price| grouped(price, 2))),
                candidate.priority.normalize()
            );
        }
    }
    text.push_str("\n## Flags\n");
    let before = text.len();
    for candidate in &facts.candidates {
        match &candidate.skip {
            Some(reason) => {
                let _ = writeln!(text, "- Red, {}: {reason}", candidate.ticker);
            }
            None => {
                let _ = writeln!(text, "- Green, {}: {}", candidate.ticker, candidate.summary);
            }
        }
    }
    for review in facts.reviews.iter().filter(|review| review.recommendation == Recommendation::Sell) {
        let _ = writeln!(text, "- Red, {}: {}", review.ticker, review.rationale);
    }
    if text.len() == before {
        text.push_str("None: no rating of this flow allows a purchase, and no holding asks for a sale.\n");
    }
    text
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

fn or_unknown(shown: Option<String>) -> String {
    shown.unwrap_or_else(|| "unknown".to_owned())
}

/// The decision, as JSON.
pub(super) fn decision(facts: &DecisionFacts) -> String {
    let view = facts.index.as_ref().map(assess);
    let regime = regime(view.as_ref());
    let sold: Vec<(&HoldingFacts, &Review)> = facts
        .holdings
        .iter()
        .filter_map(|holding| {
            let review = facts.reviews.iter().find(|review| review.ticker == holding.ticker)?;
            (review.recommendation == Recommendation::Sell && holding.price.is_some())
                .then_some((holding, review))
        })
        .collect();
    let sells: Vec<Value> = sold
        .iter()
        .map(|(holding, review)| {
            json!({ "ticker": holding.ticker, "quantity": holding.quantity, "rationale": review.rationale })
        })
        .collect();
    let kept: Vec<&HoldingFacts> = facts
        .holdings
        .iter()
        .filter(|holding| sold.iter().all(|(gone, _)| gone.ticker != holding.ticker))
        .collect();
    let proceeds: Decimal = sold.iter().filter_map(|(holding, _)| holding.market_value).sum();
    let buys = purchases(facts, &kept, facts.cash + proceeds, regime == "risk-off");
    let holds: Vec<Value> = kept
        .iter()
        .filter(|holding| buys.iter().all(|(candidate, _)| candidate.ticker != holding.ticker))
        .map(|holding| {
            let review = facts.reviews.iter().find(|review| review.ticker == holding.ticker);
            let rationale = review.map_or("It was not reviewed.", |review| review.rationale.as_str());
            json!({ "ticker": holding.ticker, "rationale": rationale })
        })
        .collect();
    let confidence =
        buys.iter().map(|(candidate, _)| candidate.confidence).min().unwrap_or(Confidence::Medium);
    let total = match facts.total.known() {
        Some(total) => format!("{} US dollars", grouped(*total, 2)),
        None => "unknown".to_owned(),
    };
    let thesis = format!(
        "The regime is {regime}: {} to sell and {} to buy. The portfolio's value is {total}, of which {} is cash. \
         Candidates were taken by priority, within the limits.",
        counted(sells.len(), "holding", "holdings"),
        counted(buys.len(), "candidate", "candidates"),
        grouped(facts.cash, 2)
    );
    json!({
        "macro_regime": regime,
        "sells": sells,
        "buys": buys.into_iter().map(|(_, order)| order).collect::<Vec<_>>(),
        "holds": holds,
        "portfolio_thesis": thesis,
        "risk_summary": risk_summary(facts, regime),
        "decision_confidence": confidence,
    })
    .to_string()
}

fn risk_summary(facts: &DecisionFacts, regime: &str) -> String {
    let drawdown = match (facts.risk.max_drawdown.known(), facts.risk.max_drawdown.reason()) {
        (Some(drawdown), _) => format!("The largest drawdown so far is {}.", percent(*drawdown, 1)),
        (None, reason) => format!("The drawdown is not known: {}.", reason.unwrap_or("no reason is given")),
    };
    let size = if regime == "risk-off" {
        "Purchases have half their usual size."
    } else {
        "Purchases have their usual size."
    };
    format!(
        "{drawdown} {size} No position may pass {}, no sector {}, and {} stays in cash. The ratings rest on prices alone \
         wherever other inputs were missing.",
        percent(facts.limits.max_position, 0),
        percent(facts.limits.max_sector, 0),
        percent(facts.limits.min_cash, 0)
    )
}

/// Sizes the purchases one after the other within what the limits leave.
fn purchases<'f>(
    facts: &'f DecisionFacts,
    kept: &[&HoldingFacts],
    mut cash: Decimal,
    half: bool,
) -> Vec<(&'f CandidateFacts, Value)> {
    let Some(&total) = facts.total.known().filter(|total| **total > Decimal::ZERO) else { return Vec::new() };
    let limits = &facts.limits;
    let mut sectors: BTreeMap<&str, Decimal> = BTreeMap::new();
    for holding in kept {
        *sectors.entry(&holding.sector).or_default() += holding.market_value.unwrap_or_default();
    }
    let mut positions = kept.len();
    let mut bought = Vec::new();
    for candidate in &facts.candidates {
        let Some(price) = candidate.price.filter(|price| *price > Decimal::ZERO) else { continue };
        let held = kept.iter().find(|holding| holding.ticker == candidate.ticker);
        let sold = held.is_none() && facts.holdings.iter().any(|holding| holding.ticker == candidate.ticker);
        if sold
            || candidate.priority <= Decimal::ZERO
            || (held.is_none() && positions >= limits.max_positions as usize)
        {
            continue;
        }
        let weight = match candidate.conviction {
            Confidence::High => Decimal::new(10, 2),
            Confidence::Medium => Decimal::new(7, 2),
            Confidence::Low => Decimal::new(4, 2),
        };
        let wanted = if half { weight / Decimal::TWO } else { weight } * total;
        let value = held.and_then(|holding| holding.market_value).unwrap_or_default();
        let sector = sectors.entry(&candidate.sector).or_default();
        let room = (wanted.min(limits.max_position * total) - value)
            .min(limits.max_sector * total - *sector)
            .min(cash - limits.min_cash * total);
        let quantity = (room / price).floor();
        if quantity < Decimal::ONE {
            continue;
        }
        cash -= quantity * price;
        *sector += quantity * price;
        positions += usize::from(held.is_none());
        let order = json!({
            "ticker": candidate.ticker,
            "quantity": quantity.normalize(),
            "stop_loss": (price * Decimal::new(90, 2)).round_dp(2),
            "take_profit": (price * Decimal::new(120, 2)).round_dp(2),
            "rationale": format!(
                "Rated {} with {} confidence on {}: {} The order is for {} at {}, {} of the portfolio.",
                candidate.grade,
                candidate.confidence,
                candidate.rated_on,
                candidate.summary,
                quantity.normalize(),
                grouped(price, 2),
                percent(quantity * price / total, 1)
            ),
        });
        bought.push((candidate, order));
    }
    bought
}
