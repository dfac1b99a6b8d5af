//! The agents of a pipeline run.

use std::fmt::Write;

use jiff::ToSpan;
use llm::Message;
use protocol::{
    Decimal, grouped, percent,
    trading::{Confidence, Grade},
};
use serde_json::{Value, json};

use super::score::{Assessment, Signal, assess};
use crate::trading::{
    facts::{CaseFacts, Kind, MarketFacts},
    seen::FIRST_LINE,
};

/// The tool calls that an agent begins with.
pub(super) fn lookups(agent: &str, case: &CaseFacts) -> Vec<(String, Value)> {
    let symbol = case.ticker.as_str();
    let today = case.date.to_string();
    let days_ago = |days: i32| case.date.saturating_sub(days.days()).to_string();
    let statement = json!({ "ticker": symbol, "freq": "quarterly", "curr_date": today });
    let week = json!({ "ticker": symbol, "start_date": days_ago(7), "end_date": today });
    let calls = match agent {
        "market_analyst" => {
            let prices = json!({ "symbol": symbol, "start_date": days_ago(365), "end_date": today });
            let indicators =
                ["close_50_sma", "close_200_sma", "close_10_ema", "macd", "macdh", "rsi", "boll", "atr"];
            let looked_up = indicators.map(|indicator| {
                let arguments =
                    json!({ "symbol": symbol, "indicator": indicator, "curr_date": today, "look_back_days": 30 });
                ("get_indicators", arguments)
            });
            [("get_stock_data", prices)].into_iter().chain(looked_up).collect()
        }
        "social_analyst" => vec![("get_news", week)],
        "news_analyst" => vec![
            ("get_news", week),
            ("get_global_news", json!({ "curr_date": today, "look_back_days": 7, "limit": 5 })),
        ],
        "fundamentals_analyst" => vec![
            ("get_fundamentals", json!({ "ticker": symbol, "curr_date": today })),
            ("get_balance_sheet", statement.clone()),
            ("get_cashflow", statement.clone()),
            ("get_income_statement", statement),
        ],
        _ => Vec::new(),
    };
    calls.into_iter().map(|(name, arguments)| (name.to_owned(), arguments)).collect()
}

/// The market report.
pub(super) fn market(case: &CaseFacts) -> String {
    let Some(facts) = &case.market else {
        return format!(
            "There are no prices of {} up to {}, so there is no chart to read.",
            case.ticker, case.date
        );
    };
    let view = assess(facts);
    let mut text = format!(
        "**{}** On {} the figures add up to a score of {} on a scale from \u{2212}8 to +8.\n",
        chart_in_a_sentence(facts, &view),
        facts.as_of,
        points(view.score),
    );
    section(&mut text, "Trend", &view.signals[..3]);
    section(&mut text, "Momentum", &view.signals[3..6]);
    let _ = write!(
        text,
        "\nThe short average, EMA 10, stands at {}. Over 21 days the return is {}, over 252 days {}.\n",
        facts.shown("close_10_ema"),
        facts.shown("return_21d"),
        facts.shown("return_252d")
    );
    section(&mut text, "Risk", &view.signals[6..]);
    let _ = write!(
        text,
        "\nThe Bollinger bands run from {} to {} around {}{}. The average true range is {}.\n",
        facts.shown("boll_lb"),
        facts.shown("boll_ub"),
        facts.shown("boll"),
        band_position(facts),
        facts.shown("atr")
    );
    text.push_str("\n## Figures\n| figure | value |\n|---|---|\n");
    for kind in Kind::all() {
        let _ = writeln!(text, "| {} | {} |", kind.label(), facts.shown(kind.slug()));
    }
    text
}

fn chart_in_a_sentence(facts: &MarketFacts, view: &Assessment) -> String {
    let name = &facts.name;
    match view.grade {
        Grade::Buy => format!("{name} is in a healthy uptrend that momentum confirms."),
        Grade::Overweight => format!("{name} leans upwards, with a few signals that do not agree."),
        Grade::Hold | Grade::Review => {
            format!("The chart of {name} is divided: signals for and against nearly cancel out.")
        }
        Grade::Underweight => format!("{name} leans downwards, with a few signals that do not agree."),
        Grade::Sell => format!("{name} is in a downtrend that momentum confirms."),
    }
}

fn section(text: &mut String, title: &str, signals: &[Signal]) {
    let _ = write!(text, "\n## {title}\n");
    for signal in signals {
        let _ = writeln!(text, "- {}: {}. {}", signal.name, signal.reading, signal.meaning);
    }
}

fn band_position(facts: &MarketFacts) -> &'static str {
    match (facts.value("close"), facts.value("boll_lb"), facts.value("boll_ub")) {
        (Some(close), Some(lower), _) if close < lower => "; the close lies below the lower band",
        (Some(close), _, Some(upper)) if close > upper => "; the close lies above the upper band",
        (Some(_), Some(_), Some(_)) => "; the close lies within them",
        _ => "",
    }
}

/// The report of an analyst whose sources are texts: the rehearsal does not judge texts.
pub(super) fn without_figures(what: &str, case: &CaseFacts, messages: &[Message]) -> String {
    let mut text = format!(
        "**This report gives no view on {}.** The sources were asked for {what} {} as of {} and answered:\n\n",
        case.ticker, case.ticker, case.date
    );
    for message in messages {
        if let Message::Tool { name, content, .. } = message {
            let said = content.lines().find(|line| !line.starts_with(FIRST_LINE)).unwrap_or_default();
            let line: String = said.chars().take(200).collect();
            let _ = writeln!(text, "- `{name}`: {line}");
        }
    }
    text.push_str(
        "\nWhat is not there says nothing for the stock and nothing against it: the absence of messages is not a \
         neutral mood. The later steps should lower their confidence for this gap instead of filling it.",
    );
    text
}

/// A side of the research debate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Bull,
    Bear,
}

/// A turn of the research debate.
pub(super) fn debate(side: Side, case: &CaseFacts) -> String {
    let Some(facts) = &case.market else {
        let stance = if side == Side::Bull { "for" } else { "against" };
        return format!(
            "**Without price figures there is no case {stance} {}.** Nobody measured a trend, and the other inputs \
             carry no figures either. I will not make one up.",
            case.ticker
        );
    };
    let view = assess(facts);
    let (own, others) = match side {
        Side::Bull => (view.with(1), view.with(-1)),
        Side::Bear => (view.with(-1), view.with(1)),
    };
    let turn = case.round.saturating_sub(1) as usize;
    let mut text = match own.get(turn % own.len().max(1)) {
        Some(lead) if turn >= own.len() => {
            format!(
                "**My only signal stands: {}.** Nothing that was said since has changed the figure.\n",
                lead.reading
            )
        }
        Some(lead) => format!("**{}.** {}\n", capitalised(&lead.reading), lead.meaning),
        None => without_signals(side, turn, &view, case),
    };
    if let Some(last) = &case.last_point {
        let _ = write!(text, "\n{}\n", reply(side, &last.text, own.len(), others.len(), turn));
    }
    let further: Vec<_> =
        own.iter().cycle().skip(turn + 1).take(own.len().saturating_sub(1).min(3)).collect();
    if !further.is_empty() {
        text.push_str(if turn == 0 { "\nThe rest of the case:\n" } else { "\nWhat was not answered yet:\n" });
        for signal in further {
            let _ = writeln!(text, "- {}: {}. {}", signal.name, signal.reading, signal.meaning);
        }
    }
    if turn == 0 && !case.missing.is_empty() {
        let _ =
            write!(text, "\nThere is nothing on {}: that limits my case as much as theirs.", inputs(case));
    }
    text
}

/// The opening of a side that no signal supports.
fn without_signals(side: Side, turn: usize, view: &Assessment, case: &CaseFacts) -> String {
    let stance = if side == Side::Bull { "for" } else { "against" };
    if turn > 0 {
        return format!(
            "**I still have no signal {stance} {}.** Repeating that is more useful than making one up.\n",
            case.ticker
        );
    }
    let neutral: Vec<&str> = view.with(0).into_iter().map(|signal| signal.reading.as_str()).collect();
    let rest = match neutral.as_slice() {
        [] => "All eight point the other way, and that leaves a surprise as the only argument.".to_owned(),
        neutral => format!("What does not help the other side either: {}.", neutral.join("; ")),
    };
    format!(
        "**None of the eight signals speaks {stance} {}, and I do not pretend otherwise.** {rest}\n",
        case.ticker
    )
}

/// The missing inputs, as a list in words.
fn inputs(case: &CaseFacts) -> String {
    let missing: Vec<&str> = case.missing.iter().map(|missing| missing.input.as_str()).collect();
    match missing.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => String::new(),
    }
}

fn reply(side: Side, point: &str, own: usize, others: usize, turn: usize) -> String {
    let opponent = if side == Side::Bull { "bear" } else { "bull" };
    let point = point.trim_end_matches('.');
    let share = match others {
        0 => "No signal stands behind it".to_owned(),
        1 => "That is the one signal on that side".to_owned(),
        others => format!("That is one of {others} signals on that side"),
    };
    let ask = match own {
        0 => "What I ask is to keep the position small enough to be wrong with.",
        1 => "What I ask is that my one signal is not ignored because it is the only one.",
        _ => "What I ask is that my signals are not ignored because they are fewer.",
    };
    match (own > others, turn) {
        (true, 0) => {
            format!(
                "The {opponent} says: \u{201c}{point}.\u{201d} {share}, against {} on mine.",
                signals(own)
            )
        }
        (true, _) => format!(
            "On \u{201c}{point}\u{201d}: granted, but it would have to outweigh {}, and the {opponent} gave no reason why \
             it should.",
            signals(own)
        ),
        (false, 0) => format!(
            "The {opponent} says: \u{201c}{point}.\u{201d} I grant the figure. With {} there and {} here the question is \
             the size of a position, not who is right.",
            signals(others),
            signals(own)
        ),
        (false, _) => format!("On \u{201c}{point}\u{201d}: I have no figure against it. {ask}"),
    }
}

fn signals(count: usize) -> String {
    match count {
        0 => "no signal".to_owned(),
        1 => "one signal".to_owned(),
        count => format!("{count} signals"),
    }
}

/// How the signals stand: `5 of 8 signals are positive, 1 is negative`.
pub(super) fn tally(view: &Assessment) -> String {
    let (positive, negative) = (view.with(1).len(), view.with(-1).len());
    let positive = match positive {
        0 => "None of 8 signals is positive".to_owned(),
        1 => "1 of 8 signals is positive".to_owned(),
        count => format!("{count} of 8 signals are positive"),
    };
    match negative {
        0 => format!("{positive}, none is negative"),
        1 => format!("{positive}, 1 is negative"),
        count => format!("{positive}, {count} are negative"),
    }
}

/// The research manager's plan.
pub(super) fn research_manager(case: &CaseFacts) -> String {
    let Some(facts) = &case.market else {
        return format!(
            "**Recommendation: Hold.** Nobody measured prices of {}, so neither side had a figure to stand on. \
             Nothing should be traded on this evidence.",
            case.ticker
        );
    };
    let view = assess(facts);
    let (word, action) = match view.grade {
        Grade::Buy => ("Buy", "open a position, or add to one"),
        Grade::Overweight => ("Buy", "open a moderate position, or add a little"),
        Grade::Hold | Grade::Review => ("Hold", "leave things as they are"),
        Grade::Underweight => ("Sell", "cut a holding, and do not open one"),
        Grade::Sell => ("Sell", "leave the stock"),
    };
    let mut text =
        format!("**Recommendation: {word}.** {}; the score is {}.\n", tally(&view), points(view.score));
    stood(&mut text, "What stood of the bull's case", &view.with(1));
    stood(&mut text, "What stood of the bear's case", &view.with(-1));
    let _ = write!(text, "\n## Plan\nFor {}: {action}. {}\n", case.ticker, turning_point(facts, view.score));
    for missing in &case.missing {
        let _ = writeln!(text, "- Without the {} input: {}", missing.input, missing.reason);
    }
    text
}

fn stood(text: &mut String, title: &str, signals: &[&Signal]) {
    let _ = write!(text, "\n## {title}\n");
    if signals.is_empty() {
        text.push_str("Nothing: no signal supports it.\n");
    }
    for signal in signals.iter().take(4) {
        let _ = writeln!(text, "- {}.", capitalised(&signal.reading));
    }
}

fn turning_point(facts: &MarketFacts, score: i32) -> String {
    let (medium, long) = (facts.shown("close_50_sma"), facts.shown("close_200_sma"));
    if score >= 3 {
        format!(
            "A close below the SMA 50 of {medium} would weaken the view, one below the SMA 200 of {long} end it."
        )
    } else if score <= -3 {
        format!(
            "A close above the SMA 50 of {medium} would soften the view, one above the SMA 200 of {long} end it."
        )
    } else {
        format!("The averages at {medium} and {long} mark where the balance would tip.")
    }
}

/// What the trader proposes to do.
enum Proposal {
    /// A purchase for this fraction of the portfolio.
    Buy(Decimal),
    Nothing,
    Halve,
    Leave,
}

fn proposal(grade: Grade) -> Proposal {
    match grade {
        Grade::Buy => Proposal::Buy(Decimal::new(10, 2)),
        Grade::Overweight => Proposal::Buy(Decimal::new(7, 2)),
        Grade::Hold | Grade::Review => Proposal::Nothing,
        Grade::Underweight => Proposal::Halve,
        Grade::Sell => Proposal::Leave,
    }
}

/// The trader's proposal.
pub(super) fn trader(case: &CaseFacts) -> String {
    let Some(facts) = &case.market else {
        return format!(
            "**No trade in {}.** Without a price there is no entry, no stop and no size.\n\n\
             FINAL TRANSACTION PROPOSAL: **HOLD**",
            case.ticker
        );
    };
    let view = assess(facts);
    let ticker = &case.ticker;
    let (lead, word) = match proposal(view.grade) {
        Proposal::Buy(size) => (format!("Buy {ticker} for {} of the portfolio.", percent(size, 0)), "BUY"),
        Proposal::Nothing => {
            (format!("No trade in {ticker}: a score of {} pays for no risk.", points(view.score)), "HOLD")
        }
        Proposal::Halve => (format!("Cut a holding of {ticker} by half, and open none."), "SELL"),
        Proposal::Leave => (format!("Sell a holding of {ticker} completely, and open none."), "SELL"),
    };
    let mut text =
        format!("**{lead}** That is what the plan and the score of {} come down to.\n", points(view.score));
    match (word, facts.value("close"), facts.value("volatility_252d")) {
        ("BUY", Some(close), Some(volatility)) => {
            let (stop, target) = exits(volatility);
            let _ = write!(
                text,
                "\n- Entry: at the close, {}\n- Stop: {} below it, at {}\n- Target: {} above it, at {}\n\nThe stop is \
                 the swing of a month at a volatility of {}; the target pays twice the risk. Leave early if the close \
                 falls below the SMA 50 of {}.\n",
                facts.shown("close"),
                percent(stop, 1),
                grouped(close * (Decimal::ONE - stop), 2),
                percent(target, 1),
                grouped(close * (Decimal::ONE + target), 2),
                facts.shown("volatility_252d"),
                facts.shown("close_50_sma")
            );
        }
        _ => {
            let _ = write!(
                text,
                "\nThe close is {}. {}\n",
                facts.shown("close"),
                turning_point(facts, view.score)
            );
        }
    }
    let _ = write!(text, "\nFINAL TRANSACTION PROPOSAL: **{word}**");
    text
}

/// Distances of stop and target from the entry, as fractions of it.
fn exits(volatility: Decimal) -> (Decimal, Decimal) {
    let stop = (volatility * Decimal::new(29, 2)).clamp(Decimal::new(5, 2), Decimal::new(15, 2)).round_dp(3);
    let target = (stop * Decimal::TWO).clamp(Decimal::new(10, 2), Decimal::new(30, 2));
    (stop, target)
}

/// A voice of the risk debate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    Aggressive,
    Conservative,
    Neutral,
}

/// A turn of the risk debate.
pub(super) fn risk(voice: Voice, case: &CaseFacts) -> String {
    let Some(facts) = &case.market else {
        return format!("**Nothing to size.** Without prices of {} every size is a guess.", case.ticker);
    };
    let view = assess(facts);
    let first = case.round == 1;
    let mut text = match proposal(view.grade) {
        Proposal::Buy(size) if first => buying(voice, size, facts, &view),
        Proposal::Buy(size) => settling(voice, size, facts),
        Proposal::Nothing if first => waiting(voice, facts, &view),
        Proposal::Halve | Proposal::Leave if first => leaving(voice, facts, &view),
        Proposal::Nothing | Proposal::Halve | Proposal::Leave => closing(voice, facts, &view),
    };
    if let Some(last) = &case.last_point {
        let point = last.text.trim_end_matches('.');
        let retort = match proposal(view.grade) {
            Proposal::Buy(_) => retort(voice, first),
            _ => assent(voice, first),
        };
        let _ = write!(text, "\n\nThe {} voice said: \u{201c}{point}.\u{201d} {retort}", last.speaker);
    }
    text
}

/// An answer to another voice where the question is how much to buy.
fn retort(voice: Voice, first: bool) -> &'static str {
    match (voice, first) {
        (Voice::Aggressive, _) => "Caution has a price, too, and nobody has named it yet.",
        (Voice::Conservative, true) => "That counts the gain and not the way there.",
        (Voice::Conservative, false) => {
            "I hear the gain again, and still not the month in which it is given back."
        }
        (Voice::Neutral, true) => "The figure is right; it belongs beside the others, not above them.",
        (Voice::Neutral, false) => "We are close enough now to stop.",
    }
}

/// An answer to another voice where all agree not to buy.
fn assent(voice: Voice, first: bool) -> &'static str {
    match (voice, first) {
        (Voice::Aggressive, _) => "Agreed on the direction; what I dislike is waiting.",
        (Voice::Conservative, true) => "Agreed, for once.",
        (Voice::Conservative, false) => "That is a wish, and no position.",
        (Voice::Neutral, true) => "Agreed; what is open is the pace.",
        (Voice::Neutral, false) => "Then there is nothing left to argue about.",
    }
}

/// The part of the proposed size that a voice takes in the first round.
fn part(voice: Voice) -> Decimal {
    match voice {
        Voice::Aggressive => Decimal::new(125, 2),
        Voice::Conservative => Decimal::new(5, 1),
        Voice::Neutral => Decimal::new(8, 1),
    }
}

fn size(proposed: Decimal, part: Decimal) -> String {
    percent((proposed * part).min(Decimal::new(15, 2)), 2)
}

fn buying(voice: Voice, proposed: Decimal, facts: &MarketFacts, view: &Assessment) -> String {
    let size = size(proposed, part(voice));
    let proposed = percent(proposed, 0);
    match voice {
        Voice::Aggressive => format!(
            "**Take {size} instead of the {proposed} proposed.** {}, and the return of 63 days is {}. A trend is worth \
             most while others still hesitate; the stop limits what a mistake costs.",
            tally(view),
            facts.shown("return_63d")
        ),
        Voice::Conservative => format!(
            "**Take {size}, half of the {proposed} proposed.** At a volatility of {} a month can undo the gain of a \
             quarter, and the largest fall of the last year was {}. A second half can follow when the first is in \
             profit.",
            facts.shown("volatility_252d"),
            facts.shown("max_drawdown_252d")
        ),
        Voice::Neutral => format!(
            "**Take {size} of the {proposed} proposed.** The aggressive voice counts {} and leaves out that they share \
             one price series; the conservative one prices the bad month only. An RSI of {} calls for neither hurry nor \
             alarm.",
            signals(view.with(1).len()),
            facts.shown("rsi")
        ),
    }
}

/// The second round: everybody goes half of the way to the proposal.
fn settling(voice: Voice, proposed: Decimal, facts: &MarketFacts) -> String {
    let settled = size(proposed, (part(voice) + Decimal::ONE) / Decimal::TWO);
    match voice {
        Voice::Aggressive => format!(
            "**I come down to {settled}.** The largest fall of the last year, {}, is a fair point against the full size; \
             it is none against owning the stock above its SMA 200 of {}.",
            facts.shown("max_drawdown_252d"),
            facts.shown("close_200_sma")
        ),
        Voice::Conservative => format!(
            "**I go up to {settled}.** Not for the trend, but because the stop bounds the loss. Half of it should wait for \
             a close above the EMA 10 of {}.",
            facts.shown("close_10_ema")
        ),
        Voice::Neutral => format!(
            "**{settled} is a size that all three can live with.** The volatility of {} is in it already, and the \
             distance of {} from the SMA 200 says how far the plan may be wrong before it is over.",
            facts.shown("volatility_252d"),
            facts.shown("distance_from_200_sma")
        ),
    }
}

fn waiting(voice: Voice, facts: &MarketFacts, view: &Assessment) -> String {
    let score = points(view.score);
    match voice {
        Voice::Aggressive => format!(
            "**Even I would not open a position on a score of {score}.** I would watch the SMA 50 of {} and be ready on \
             the first close beyond it.",
            facts.shown("close_50_sma")
        ),
        Voice::Conservative => format!(
            "**No trade is the right trade here.** A volatility of {} is paid for with nothing when {} stand against {}.",
            facts.shown("volatility_252d"),
            signals(view.with(-1).len()),
            signals(view.with(1).len())
        ),
        Voice::Neutral => format!(
            "**Keep what is held and add nothing.** A score of {score} is no opinion, and an RSI of {} adds none.",
            facts.shown("rsi")
        ),
    }
}

fn leaving(voice: Voice, facts: &MarketFacts, view: &Assessment) -> String {
    match voice {
        Voice::Aggressive => format!(
            "**I take risk where it is paid, and here it is not.** {}. If anything I would sell at once instead of in \
             steps; the money works better elsewhere.",
            tally(view)
        ),
        Voice::Conservative => format!(
            "**Sell first and ask later.** The largest fall of the last year was {}, at a volatility of {}. Nobody was \
             ever hurt by a stock that they did not own.",
            facts.shown("max_drawdown_252d"),
            facts.shown("volatility_252d")
        ),
        Voice::Neutral => format!(
            "**Reduce in two steps, the first today.** The score of {} carries the sale; an RSI of {} says that a bounce \
             may pay for the second step.",
            points(view.score),
            facts.shown("rsi")
        ),
    }
}

/// The second round where nothing is bought.
fn closing(voice: Voice, facts: &MarketFacts, view: &Assessment) -> String {
    match voice {
        Voice::Aggressive if facts.value("distance_from_200_sma") > Some(Decimal::ZERO) => format!(
            "**The long trend holds, and that alone is not enough.** The close is {} from the SMA 200; I would need the \
             momentum with it.",
            facts.shown("distance_from_200_sma")
        ),
        Voice::Aggressive => format!(
            "**What would bring me back is a close above {}, the SMA 200.** The price stands at {} from there now, too far to \
             bet on.",
            facts.shown("close_200_sma"),
            facts.shown("distance_from_200_sma")
        ),
        Voice::Conservative => format!(
            "**Nothing in this debate pays for the risk.** The return of 252 days is {}; who waits loses nothing that the \
             figures promise.",
            facts.shown("return_252d")
        ),
        Voice::Neutral => format!(
            "**We agree on the direction and differ on the pace.** A score of {} leaves room for patience and none for a \
             new position.",
            points(view.score)
        ),
    }
}

/// The portfolio manager's rating, as JSON.
pub(super) fn rating(case: &CaseFacts) -> String {
    let (grade, confidence, summary, thesis) = match (&case.abort, &case.market) {
        (Some(reason), _) => (
            Grade::Sell,
            Confidence::Medium,
            format!("Avoid {}: an analyst reported a critical condition.", case.ticker),
            format!("The analysis was cut short. Reported: {reason}"),
        ),
        (None, None) => (
            Grade::Hold,
            Confidence::Low,
            format!("No prices of {} were looked at, so there is nothing to rate.", case.ticker),
            "Neither side of the debate had a figure. Hold stands for the absence of a view.".to_owned(),
        ),
        (None, Some(facts)) => rated(case, facts),
    };
    json!({ "grade": grade, "confidence": confidence, "summary": summary, "thesis": thesis }).to_string()
}

fn rated(case: &CaseFacts, facts: &MarketFacts) -> (Grade, Confidence, String, String) {
    let view = assess(facts);
    let by_score = match view.grade {
        Grade::Buy | Grade::Sell => Confidence::High,
        Grade::Overweight | Grade::Underweight => Confidence::Medium,
        Grade::Hold | Grade::Review => Confidence::Low,
    };
    let confidence = if case.missing.is_empty() { by_score } else { by_score.min(Confidence::Medium) };
    let summary = format!("{}: a score of {}, so {}.", tally(&view), points(view.score), view.grade);
    let mut thesis = String::new();
    for (title, signals) in [("For", view.with(1)), ("Against", view.with(-1))] {
        if !signals.is_empty() {
            let readings: Vec<_> = signals.iter().map(|signal| signal.reading.as_str()).collect();
            let _ = write!(thesis, "{title} it: {}. ", readings.join("; "));
        }
    }
    thesis.push_str(&turning_point(facts, view.score));
    if !case.missing.is_empty() {
        let _ = write!(thesis, " There is nothing on {}, which limits the confidence.", inputs(case));
    }
    (view.grade, confidence, summary, thesis)
}

fn points(score: i32) -> String {
    match score {
        1.. => format!("+{score}"),
        0 => "0".to_owned(),
        _ => format!("\u{2212}{}", score.abs()),
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}
