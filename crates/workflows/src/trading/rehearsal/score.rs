use protocol::{Decimal, trading::Grade};

use crate::trading::facts::MarketFacts;

/// One of the eight signals, read off the figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signal {
    /// What it looks at.
    pub name: &'static str,
    /// +1, 0 or −1.
    pub points: i32,
    /// The figures, in words.
    pub reading: String,
    /// Why that matters, for the side that argues with it.
    pub meaning: &'static str,
}

/// All signals and what they sum up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assessment {
    /// The signals, in the order of the table.
    pub signals: Vec<Signal>,
    /// From −8 to +8.
    pub score: i32,
    /// The grade by the score.
    pub grade: Grade,
}

impl Assessment {
    /// Signals with these points.
    pub fn with(&self, points: i32) -> Vec<&Signal> {
        self.signals.iter().filter(|signal| signal.points == points).collect()
    }
}

/// Reads the signals off the figures and adds them up, as the table in the
/// [module's documentation](super) says.
pub(super) fn assess(facts: &MarketFacts) -> Assessment {
    let signals = vec![
        average(facts, "Long trend", "close_200_sma", "SMA 200"),
        average(facts, "Medium trend", "close_50_sma", "SMA 50"),
        alignment(facts),
        histogram(facts),
        strength(facts),
        quarter(facts),
        volatility(facts),
        drawdown(facts),
    ];
    let score = signals.iter().map(|signal| signal.points).sum();
    Assessment { signals, score, grade: grade(score) }
}

/// The grade of a score.
pub(super) fn grade(score: i32) -> Grade {
    match score {
        6.. => Grade::Buy,
        3..=5 => Grade::Overweight,
        -2..=2 => Grade::Hold,
        -5..=-3 => Grade::Underweight,
        _ => Grade::Sell,
    }
}

fn signal(name: &'static str, points: i32, reading: String, meanings: [&'static str; 3]) -> Signal {
    let meaning = match points {
        1 => meanings[0],
        0 => meanings[1],
        _ => meanings[2],
    };
    Signal { name, points, reading, meaning }
}

fn unknown(name: &'static str, facts: &MarketFacts, slug: &str) -> Signal {
    let reading = format!("{name} is {}", facts.shown(slug));
    Signal { name, points: 0, reading, meaning: "It counts for neither side." }
}

fn average(facts: &MarketFacts, name: &'static str, slug: &str, label: &str) -> Signal {
    let (Some(close), Some(average)) = (facts.value("close"), facts.value(slug)) else {
        return unknown(name, facts, slug);
    };
    let (points, side) = if close > average { (1, "above") } else { (-1, "below") };
    let reading =
        format!("the close of {} is {side} the {label} of {}", facts.shown("close"), facts.shown(slug));
    let meanings = if slug == "close_200_sma" {
        [
            "Who bought in the last year is on average in profit and has no need to sell.",
            "It counts for neither side.",
            "Who bought in the last year is on average at a loss, and rallies meet sellers.",
        ]
    } else {
        [
            "Pullbacks of the last quarter were bought.",
            "It counts for neither side.",
            "Rallies of the last quarter were sold.",
        ]
    };
    signal(name, points, reading, meanings)
}

fn alignment(facts: &MarketFacts) -> Signal {
    let name = "Order of the averages";
    let (Some(fast), Some(slow)) = (facts.value("close_50_sma"), facts.value("close_200_sma")) else {
        return unknown(name, facts, "close_200_sma");
    };
    let (points, side) = if fast > slow { (1, "above") } else { (-1, "below") };
    let reading = format!(
        "the SMA 50 of {} stands {side} the SMA 200 of {}",
        facts.shown("close_50_sma"),
        facts.shown("close_200_sma")
    );
    let meanings = [
        "The trend has lasted long enough to lift the slow average.",
        "It counts for neither side.",
        "The decline has lasted long enough to pull the medium average under the slow one.",
    ];
    signal(name, points, reading, meanings)
}

fn histogram(facts: &MarketFacts) -> Signal {
    let name = "MACD histogram";
    let Some(histogram) = facts.value("macdh") else { return unknown(name, facts, "macdh") };
    let reading = format!(
        "the MACD of {} against its signal of {} leaves a histogram of {}",
        facts.shown("macd"),
        facts.shown("macds"),
        facts.shown("macdh")
    );
    let points = if histogram > Decimal::ZERO { 1 } else { -1 };
    let meanings = ["Momentum is turning up.", "It counts for neither side.", "Momentum is fading."];
    signal(name, points, reading, meanings)
}

fn strength(facts: &MarketFacts) -> Signal {
    let name = "RSI";
    let Some(rsi) = facts.value("rsi") else { return unknown(name, facts, "rsi") };
    let points = match rsi {
        rsi if rsi > Decimal::from(70) => -1,
        rsi if rsi >= Decimal::from(50) => 1,
        rsi if rsi >= Decimal::from(30) => -1,
        _ => 0,
    };
    let zone = match points {
        1 => "in the upper half and not overheated",
        0 => "oversold",
        _ if rsi > Decimal::from(70) => "overbought",
        _ => "in the lower half",
    };
    let meanings = [
        "Buyers have the upper hand without excess.",
        "A rebound is as likely as more selling, so it counts for neither side.",
        if rsi > Decimal::from(70) {
            "After such a run the next buyers are hard to find."
        } else {
            "Sellers have the upper hand, and nothing is washed out yet."
        },
    ];
    signal(name, points, format!("the RSI of {} is {zone}", facts.shown("rsi")), meanings)
}

fn quarter(facts: &MarketFacts) -> Signal {
    let name = "Return of the quarter";
    let Some(change) = facts.value("return_63d") else { return unknown(name, facts, "return_63d") };
    let band = Decimal::new(5, 2);
    let points = if change >= band {
        1
    } else if change <= -band {
        -1
    } else {
        0
    };
    let meanings = [
        "Leaders of a quarter tend to stay leaders for the next weeks.",
        "Such a small move says nothing.",
        "Laggards of a quarter tend to stay laggards for the next weeks.",
    ];
    signal(name, points, format!("the return of 63 trading days is {}", facts.shown("return_63d")), meanings)
}

fn volatility(facts: &MarketFacts) -> Signal {
    let name = "Volatility";
    let Some(volatility) = facts.value("volatility_252d") else {
        return unknown(name, facts, "volatility_252d");
    };
    let points = if volatility < Decimal::new(25, 2) {
        1
    } else if volatility > Decimal::new(40, 2) {
        -1
    } else {
        0
    };
    let meanings = [
        "A position can be held through its normal swings.",
        "Its swings are those of an ordinary stock.",
        "Its swings alone can throw a position out at its stop.",
    ];
    signal(name, points, format!("the annualised volatility is {}", facts.shown("volatility_252d")), meanings)
}

fn drawdown(facts: &MarketFacts) -> Signal {
    let name = "Drawdown";
    let Some(drawdown) = facts.value("max_drawdown_252d") else {
        return unknown(name, facts, "max_drawdown_252d");
    };
    let points = if drawdown > Decimal::new(-15, 2) {
        1
    } else if drawdown < Decimal::new(-30, 2) {
        -1
    } else {
        0
    };
    let meanings = [
        "Few holders wait to get out even.",
        "That is a correction, not a break.",
        "A fall of that depth takes long to repair.",
    ];
    let reading =
        format!("the largest fall within the last 252 days is {}", facts.shown("max_drawdown_252d"));
    signal(name, points, reading, meanings)
}
