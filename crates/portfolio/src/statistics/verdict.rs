//! How much a result can mean, in one sentence.

use protocol::{
    Date, Decimal, grouped, percent,
    trading::{Check, CheckKind, Figure, RandomBand, Statistics, ValuePoint, Verdict},
};

use super::YEAR;

/// Sales that a win rate or a profit factor needs before it says much: the rule of thumb for a mean.
const ENOUGH_SALES: u32 = 30;

/// The percentage of random agents that a result has to beat: the one-sided 5 % level.
const ENOUGH_BEATEN: usize = 95;

/// Exposures that differ by more than this are no longer alike, as fractions of the value.
const ALIKE: Decimal = Decimal::from_parts(15, 0, 0, false, 2);

/// What a result is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Its value over time.
    pub curve: &'a [ValuePoint],
    /// Its figures.
    pub figures: &'a Statistics,
    /// Random agents with the same number of trades, if they were asked.
    pub random: Option<&'a RandomBand>,
    /// The last day that the model's training can have seen, if its maker states it.
    pub cut_off: Option<Date>,
}

/// Says how much a result can mean: whether it was long enough, traded enough, has a Sharpe ratio that differs
/// from zero, beats random agents with as many trades, and lies after the model's training.
pub fn verdict(judged: &Judged<'_>) -> Verdict {
    let checks = vec![length(judged), trades(judged), sharpe(judged), random(judged), cut_off(judged)];
    let opening = match (&checks[..], judged.figures.trades) {
        (_, 0) => "This says nothing about the decisions, as nothing was traded",
        (checks, _) if checks.iter().all(|check| check.is_passed == Some(true)) => {
            "This result can be told from chance"
        }
        (checks, _) if checks.iter().any(|it| it.is_passed == Some(false)) => {
            "This result cannot be told from chance"
        }
        _ => "This result may mean something, but not all that decides it is known",
    };
    let findings: Vec<&str> = checks.iter().map(|check| check.finding.as_str()).collect();
    Verdict { sentence: format!("{opening}: {}.", findings.join("; ")), checks }
}

fn length(judged: &Judged<'_>) -> Check {
    let days = judged.figures.returns;
    let finding = match (judged.curve.first(), judged.curve.last()) {
        (Some(first), Some(last)) if days > 0 => {
            format!("{days} trading days from {} to {}", first.date, last.date)
        }
        _ => "no trading day".to_owned(),
    };
    Check { kind: CheckKind::Length, is_passed: Some(f64::from(days) >= YEAR - 1.0), finding }
}

fn trades(judged: &Judged<'_>) -> Check {
    let (trades, sales) = (judged.figures.trades, judged.figures.sales);
    let plural = |count| if count == 1 { "" } else { "s" };
    let finding = format!("{trades} trade{}, of which {sales} sale{}", plural(trades), plural(sales));
    Check { kind: CheckKind::Trades, is_passed: Some(sales >= ENOUGH_SALES), finding }
}

fn sharpe(judged: &Judged<'_>) -> Check {
    let (is_passed, finding) = match &judged.figures.sharpe_interval {
        Figure::Known(interval) => {
            let is_above = interval.low > Decimal::ZERO;
            let range = format!("{} to {}", grouped(interval.low, 1), grouped(interval.high, 1));
            let zero = if is_above { "is above zero" } else { "may be zero" };
            (Some(is_above), format!("its Sharpe ratio {zero} ({range} with 95 % confidence)"))
        }
        Figure::NotAvailable(reason) => (None, format!("its Sharpe ratio is n/a: {reason}")),
    };
    Check { kind: CheckKind::Sharpe, is_passed, finding }
}

fn random(judged: &Judged<'_>) -> Check {
    let beaten = judged.random.zip(judged.curve.last()).and_then(|(band, last)| {
        let percent = band.beaten_percent(last.total)?;
        Some((band, percent))
    });
    let (is_passed, finding) = match beaten {
        Some((band, beaten)) => {
            let mut finding =
                format!("it beats {beaten} % of {} random agents with as many trades", band.seeds);
            if let (Some(own), Some(other)) = (judged.figures.exposure.known(), band.exposure)
                && (*own - other).abs() > ALIKE
            {
                finding += &format!(
                    " (which had {} invested, this {}: equal trades are not equal risk)",
                    percent(other, 0),
                    percent(*own, 0)
                );
            }
            (Some(beaten >= ENOUGH_BEATEN), finding)
        }
        None => (None, "random agents are n/a: none were asked".to_owned()),
    };
    Check { kind: CheckKind::Random, is_passed, finding }
}

fn cut_off(judged: &Judged<'_>) -> Check {
    let first = judged.curve.first().map(|point| point.date);
    let (is_passed, finding) = match (judged.cut_off, first) {
        (Some(cut_off), Some(first)) if first > cut_off => {
            (Some(true), format!("all of it lies after the model's training, which ends on {cut_off}"))
        }
        (Some(cut_off), _) => {
            (Some(false), format!("the model may know what came, as its training ends on {cut_off}"))
        }
        (None, _) => (None, "the end of the model's training is n/a: not stated".to_owned()),
    };
    Check { kind: CheckKind::CutOff, is_passed, finding }
}
