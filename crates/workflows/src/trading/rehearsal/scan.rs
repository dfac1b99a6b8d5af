//! The agents of a scan.

use std::fmt::Write;

use jiff::ToSpan;
use llm::Message;
use protocol::{
    Date, Decimal,
    trading::{Confidence, Measured, MissingInput, Regime, ThesisAngle},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    prompt::read_facts,
    trading::{
        facts::Unit,
        scan::{
            facts::{
                DeepDiveFacts, Footprint, GeopoliticsFacts, Mover, MoversFacts, SectorsFacts,
                SmartMoneyFacts, StockFacts, SynthesisFacts,
            },
            shown,
        },
        seen::FIRST_LINE,
    },
};

/// Points from which on a stock is proposed.
const ENOUGH: i32 = 5;
/// Sectors that hold when others fall.
const DEFENSIVE: [&str; 3] = ["Consumer Defensive", "Healthcare", "Utilities"];
/// Sectors that count as leading.
const LEADERS: usize = 3;

/// The tool calls that an agent of a scan begins with; `None` for other agents.
pub(super) fn lookups(agent: &str, messages: &[Message]) -> Result<Option<Vec<(String, Value)>>, String> {
    #[derive(Deserialize)]
    struct Day {
        date: Date,
    }
    if !["geopolitical_scanner", "market_movers_scanner", "industry_deep_dive"].contains(&agent) {
        return Ok(None);
    }
    let Day { date } = read_facts(messages)?;
    let news = json!({ "curr_date": date, "look_back_days": 7, "limit": 10 });
    let calls = match agent {
        "geopolitical_scanner" => {
            let week = json!({ "from_date": date.saturating_sub(7.days()), "to_date": date });
            vec![("get_global_news", news), ("get_economic_calendar", week)]
        }
        "market_movers_scanner" => ["day_gainers", "day_losers", "most_actives"]
            .map(|category| ("get_market_movers", json!({ "category": category })))
            .into(),
        _ => vec![("get_global_news", news)],
    };
    Ok(Some(calls.into_iter().map(|(name, arguments)| (name.to_owned(), arguments)).collect()))
}

/// The geopolitical report.
pub(super) fn geopolitics(facts: &GeopoliticsFacts, messages: &[Message]) -> String {
    let regime = &facts.regime;
    let mut text = format!(
        "**The signals add up to {}, which is {} with {} confidence.**\n\n| signal | figure | rule |\n|---|---|---|\n",
        points(regime.score),
        regime.regime,
        regime.confidence
    );
    for signal in &regime.signals {
        let _ = writeln!(text, "| {} | {} | {} |", signal.name, shown(signal), signal.rule);
    }
    text.push('\n');
    text.push_str(&asked("news of the world", facts.date, messages));
    text.push_str(
        "\nThe absence of news is no calm: this report gives no view on politics and central banks.\n",
    );
    text
}

/// What the sources answered: the rehearsal does not judge texts.
fn asked(what: &str, date: Date, messages: &[Message]) -> String {
    let mut text = format!("The sources were asked for {what} as of {date} and answered:\n\n");
    for message in messages {
        if let Message::Tool { name, content, .. } = message {
            let said = content.lines().find(|line| !line.starts_with(FIRST_LINE)).unwrap_or_default();
            let line: String = said.chars().take(200).collect();
            let _ = writeln!(text, "- `{name}`: {line}");
        }
    }
    text
}

/// The market movers report.
pub(super) fn movers(facts: &MoversFacts) -> String {
    let breadth = &facts.breadth;
    let mut text = format!(
        "**On {} {} of {} listed stocks rose and {} fell.**\n",
        facts.session, breadth.advancers, breadth.stocks, breadth.decliners
    );
    match &facts.index {
        Measured::Known(index) => {
            let _ = writeln!(
                text,
                "\nThe index {} closed at {}: {} on the day, {} over a week, {} over a month, {} since the year began.",
                index.ticker,
                Unit::Dollars.show(index.close),
                fraction(&index.day),
                fraction(&index.week),
                fraction(&index.month),
                fraction(&index.year_to_date)
            );
        }
        Measured::Unknown(reason) => {
            let _ = writeln!(text, "\nThe index is not known: {reason}");
        }
    }
    for (title, movers) in [("Gainers", &facts.gainers), ("Losers", &facts.losers)] {
        table(&mut text, title, movers);
    }
    let _ = write!(
        text,
        "\n## Breadth\n- {} of {} are above their average of 50 days, {} above that of 200 days.\n- {} closed above \
         and {} below all closes of 252 days.\n",
        breadth.above_50_sma, breadth.stocks, breadth.above_200_sma, breadth.new_highs, breadth.new_lows
    );
    missing(&mut text, &facts.missing);
    text
}

fn table(text: &mut String, title: &str, movers: &[Mover]) {
    if movers.is_empty() {
        let _ = write!(text, "\n## {title}\nNone.\n");
        return;
    }
    let _ = write!(text, "\n## {title}\n| stock | sector | close | day |\n|---|---|---|---|\n");
    for mover in movers {
        let (close, day) = (Unit::Dollars.show(mover.close), Unit::Fraction.show(mover.day));
        let _ = writeln!(text, "| {} | {} | {close} | {day} |", mover.ticker, mover.sector);
    }
}

/// The sector report.
pub(super) fn sectors(facts: &SectorsFacts) -> String {
    let known: Vec<_> = facts.sectors.iter().filter(|sector| sector.month.known().is_some()).collect();
    let mut text = match (known.first(), known.last()) {
        (Some(best), Some(worst)) => format!(
            "**Over a month {} leads with {}, and {} is last with {}.**\n",
            best.sector,
            fraction(&best.month),
            worst.sector,
            fraction(&worst.month)
        ),
        _ => "**There are no figures of any sector.**\n".to_owned(),
    };
    text.push_str(
        "\n| sector | day | week | month | year so far | returns are of |\n|---|---|---|---|---|---|\n",
    );
    for sector in &facts.sectors {
        let basis = sector.basis.known().map_or("no data", String::as_str);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {basis} |",
            sector.sector,
            in_table(&sector.day),
            in_table(&sector.week),
            in_table(&sector.month),
            in_table(&sector.year_to_date)
        );
    }
    let defensive = known.iter().take(LEADERS).filter(|sector| DEFENSIVE.contains(&sector.sector.as_str()));
    let _ =
        write!(text, "\nOf the {} leaders {} are defensive.\n", known.len().min(LEADERS), defensive.count());
    missing(&mut text, &facts.missing);
    text
}

/// The smart money report.
pub(super) fn smart_money(facts: &SmartMoneyFacts) -> String {
    let found = |footprints: &Measured<Vec<Footprint>>| match footprints {
        Measured::Known(found) if found.is_empty() => "none.".to_owned(),
        Measured::Known(found) => {
            let stocks = found.iter().map(|stock| {
                format!("{} ({}, {} over a month)", stock.ticker, stock.sector, fraction(&stock.month))
            });
            format!("{}.", stocks.collect::<Vec<_>>().join(", "))
        }
        Measured::Unknown(reason) => format!("not known: {reason}"),
    };
    let insiders = match &facts.insider_buying {
        Measured::Known(bought) if bought.is_empty() => "none.".to_owned(),
        Measured::Known(bought) => {
            let stocks =
                bought.iter().map(|stock| format!("{} ({} shares)", stock.ticker, stock.shares.normalize()));
            format!("{}.", stocks.collect::<Vec<_>>().join(", "))
        }
        Measured::Unknown(reason) => format!("not known: {reason}"),
    };
    let count = facts.breakouts.known().map_or(0, Vec::len);
    let mut text = format!(
        "**{} broken out to a new high of 252 days.**\n\n- Breakouts: {}\n- Unusual volume: {}\n- Bought by insiders: \
         {insiders}\n",
        match count {
            0 => "No stock has".to_owned(),
            1 => "1 stock has".to_owned(),
            count => format!("{count} stocks have"),
        },
        found(&facts.breakouts),
        found(&facts.unusual_volume),
    );
    if facts.unusual_volume.known().is_none() {
        text.push_str("\nWithout volumes a breakout alone is weak evidence.\n");
    }
    missing(&mut text, &facts.missing);
    text
}

/// The report on industries.
pub(super) fn deep_dive(facts: &DeepDiveFacts, messages: &[Message]) -> String {
    let names: Vec<&str> = facts.sectors.iter().map(|it| it.sector.sector.as_str()).collect();
    let mut text = match names.as_slice() {
        [] => "**No sector has figures, so there is nothing to look into.**\n".to_owned(),
        names => format!("**Most has moved over a month in {}.**\n", names.join(", ")),
    };
    for it in &facts.sectors {
        let _ = write!(
            text,
            "\n## {}, {} over a month\n| stock | industry | month | quarter | above SMA 200 |\n|---|---|---|---|---|\n",
            it.sector.sector,
            fraction(&it.sector.month)
        );
        for stock in &it.stocks {
            let above = match stock.above_200_sma {
                Measured::Known(true) => "yes",
                Measured::Known(false) => "no",
                Measured::Unknown(_) => "not known",
            };
            let (month, quarter) = (in_table(&stock.month), in_table(&stock.quarter));
            let _ =
                writeln!(text, "| {} | {} | {month} | {quarter} | {above} |", stock.ticker, stock.industry);
        }
    }
    match &facts.earnings {
        Measured::Known(ahead) if ahead.is_empty() => {
            text.push_str("\nNo report of earnings is ahead in 14 days.\n");
        }
        Measured::Known(ahead) => {
            let days: Vec<_> = ahead.iter().map(|it| format!("{} on {}", it.ticker, it.date)).collect();
            let _ = write!(text, "\nEarnings ahead: {}.\n", days.join(", "));
        }
        Measured::Unknown(reason) => {
            let _ = write!(text, "\nWhen earnings are reported is not known: {reason}\n");
        }
    }
    text.push('\n');
    text.push_str(&asked("news of industries", facts.date, messages));
    text
}

/// The synthesis, as JSON.
pub(super) fn synthesis(facts: &SynthesisFacts) -> String {
    let leading: Vec<&str> = facts
        .sectors
        .iter()
        .filter(|sector| sector.month.known().is_some())
        .take(LEADERS)
        .map(|sector| sector.sector.as_str())
        .collect();
    let mut rated: Vec<(i32, &StockFacts)> =
        facts.stocks.iter().map(|stock| (score(stock, facts, &leading), stock)).collect();
    rated.retain(|(score, _)| *score >= ENOUGH);
    rated.sort_by(|(one_score, one), (two_score, two)| {
        let quarter = |stock: &StockFacts| stock.quarter.known().copied();
        two_score
            .cmp(one_score)
            .then_with(|| quarter(two).cmp(&quarter(one)))
            .then_with(|| one.ticker.cmp(&two.ticker))
    });
    let found = rated.len();
    rated.truncate(facts.max_tickers as usize);
    let stocks: Vec<Value> = rated.iter().map(|(score, stock)| proposal(*score, stock, facts)).collect();
    let unknown = "not known: no source of this scan says anything about it";
    let regime = &facts.regime;
    let without: Vec<&str> = facts.missing.iter().map(|missing| missing.input.as_str()).take(9).collect();
    let mut risks = vec![format!(
        "Of {} stocks {} are above their average of 200 days.",
        facts.breadth.stocks, facts.breadth.above_200_sma
    )];
    if !without.is_empty() {
        risks.push(format!("Missing, among others: {}.", without.join("; ")));
    }
    let theme = (!leading.is_empty()).then(|| {
        json!({
            "theme": "Leading sectors",
            "description": format!("The highest returns of the month are those of {}.", leading.join(", ")),
            "conviction": Confidence::Low,
            "timeframe": "one month",
        })
    });
    json!({
        "timeframe": "one month",
        "executive_summary": format!(
            "The regime is {} with {} confidence ({}). On {} {} of {} listed stocks rose. {} have {ENOUGH} points or \
             more by their prices, of which {} are proposed.",
            regime.regime,
            regime.confidence,
            points(regime.score),
            facts.date,
            facts.breadth.advancers,
            facts.breadth.stocks,
            if found == 0 { "None".to_owned() } else { found.to_string() },
            stocks.len()
        ),
        "macro_context": {
            "economic_cycle": unknown,
            "central_bank_stance": unknown,
            "geopolitical_risks": [],
        },
        "key_themes": theme.into_iter().collect::<Vec<_>>(),
        "stocks_to_investigate": stocks,
        "risk_factors": risks,
    })
    .to_string()
}

fn score(stock: &StockFacts, facts: &SynthesisFacts, leading: &[&str]) -> i32 {
    let rises = stock.month.known().is_some_and(|month| *month > Decimal::ZERO);
    let leads = stock.quarter.known().is_some_and(|quarter| *quarter >= Decimal::new(5, 2));
    i32::from(rises)
        + i32::from(leads)
        + i32::from(stock.above_50_sma == Measured::Known(true))
        + i32::from(stock.above_200_sma == Measured::Known(true))
        + i32::from(leading.contains(&stock.sector.as_str()))
        + 2 * i32::from(facts.footprints.contains(&stock.ticker))
}

fn proposal(score: i32, stock: &StockFacts, facts: &SynthesisFacts) -> Value {
    let has_footprint = facts.footprints.contains(&stock.ticker);
    let conviction = match (facts.confirmed.contains(&stock.ticker), facts.regime.regime) {
        (true, Regime::RiskOn | Regime::Transition) => Confidence::High,
        _ if has_footprint || score > ENOUGH => Confidence::Medium,
        _ => Confidence::Low,
    };
    let angle = if has_footprint {
        ThesisAngle::Momentum
    } else if DEFENSIVE.contains(&stock.sector.as_str()) {
        ThesisAngle::Defensive
    } else if stock.year_to_date.known().is_some_and(|year| *year < Decimal::ZERO) {
        ThesisAngle::Turnaround
    } else {
        ThesisAngle::Growth
    };
    json!({
        "ticker": stock.ticker,
        "name": stock.name,
        "sector": stock.sector,
        "rationale": format!(
            "{} points: {} over a month and {} over a quarter, at a close of {}.",
            score,
            fraction(&stock.month),
            fraction(&stock.quarter),
            Unit::Dollars.show(stock.close)
        ),
        "thesis_angle": angle,
        "conviction": conviction,
        "key_catalysts": [],
        "risks": ["It was found by its price alone."],
    })
}

fn missing(text: &mut String, missing: &[MissingInput]) {
    text.push('\n');
    for missing in missing {
        let _ = writeln!(text, "- Not available, {}: {}", missing.input, missing.reason);
    }
}

fn fraction(value: &Measured<Decimal>) -> String {
    match value {
        Measured::Known(value) => Unit::Fraction.show(*value),
        Measured::Unknown(reason) => format!("not known ({reason})"),
    }
}

fn in_table(value: &Measured<Decimal>) -> String {
    value.known().map_or_else(|| "no data".to_owned(), |value| Unit::Fraction.show(*value))
}

fn points(score: i32) -> String {
    match score {
        1 => "1 point".to_owned(),
        score if score < 0 => format!("\u{2212}{} points", score.unsigned_abs()),
        score => format!("{score} points"),
    }
}
