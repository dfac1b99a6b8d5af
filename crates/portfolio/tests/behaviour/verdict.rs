//! How much a result can mean.

use portfolio::statistics::{Evidence, Judged, statistics, verdict};
use protocol::{
    Decimal,
    trading::{CheckKind, Figure, Interval, RandomBand, Statistics, ValuePoint, Verdict},
};

use crate::independent::{traded, viewed};
use crate::scenario::{date, decimal};

fn result() -> (Vec<ValuePoint>, Statistics) {
    let scenario = traded();
    let curve = viewed(&scenario).history;
    let figures = statistics(&Evidence {
        curve: &curve,
        trades: scenario.portfolio().trades(),
        paid_in: decimal("112499.50"),
        model_cost: Figure::Known(Decimal::ZERO),
    });
    (curve, figures)
}

fn band(finals: &[i64], exposure: &str) -> RandomBand {
    RandomBand {
        seeds: finals.len() as u32,
        trades: 80,
        points: Vec::new(),
        finals: finals.iter().map(|total| Decimal::from(*total)).collect(),
        exposure: Some(decimal(exposure)),
    }
}

fn passed(verdict: &Verdict, kind: CheckKind) -> Option<bool> {
    verdict.checks.iter().find(|check| check.kind == kind).unwrap().is_passed
}

#[test]
fn a_year_whose_ratio_may_be_zero_cannot_be_told_from_chance_and_says_by_which_figures() {
    let (curve, figures) = result();
    // 133,134.07 is above three of four.
    let band = band(&[100_000, 110_000, 120_000, 140_000], "0.6");
    let judged = Judged { curve: &curve, figures: &figures, random: Some(&band), cut_off: None };
    let said = verdict(&judged);
    assert_eq!(
        said.sentence,
        "This result cannot be told from chance: 251 trading days from 2021-01-04 to 2021-12-31; 80 trades, of \
         which 35 sales; its Sharpe ratio may be zero (\u{2212}0.4 to 3.5 with 95 % confidence); it beats 75 % of 4 \
         random agents with as many trades; the end of the model's training is n/a: not stated."
    );
    let checks: Vec<_> = said.checks.iter().map(|check| check.is_passed).collect();
    assert_eq!(checks, [Some(true), Some(true), Some(false), Some(false), None]);
}

#[test]
fn agents_that_invested_much_less_are_no_equal_comparison() {
    let (curve, figures) = result();
    let band = band(&[1, 2], "0.2");
    let said = verdict(&Judged { curve: &curve, figures: &figures, random: Some(&band), cut_off: None });
    let wanted = "(which had 20 % invested, this 58 %: equal trades are not equal risk)";
    assert!(said.sentence.contains(wanted), "{}", said.sentence);
}

#[test]
fn the_end_of_the_training_decides_whether_the_model_can_have_known() {
    let (curve, figures) = result();
    let at = |cut_off: &str| {
        let cut_off = Some(date(cut_off));
        passed(
            &verdict(&Judged { curve: &curve, figures: &figures, random: None, cut_off }),
            CheckKind::CutOff,
        )
    };
    assert_eq!(at("2021-01-03"), Some(true));
    assert_eq!(at("2021-01-04"), Some(false));
    assert_eq!(at("2024-06-01"), Some(false));
}

#[test]
fn only_what_passes_every_check_can_be_told_from_chance() {
    let (curve, mut figures) = result();
    let band = band(&[1, 2], "0.6");
    figures.sharpe_interval = Figure::Known(Interval { low: decimal("0.1"), high: decimal("2") });
    let cut_off = Some(date("2020-12-31"));
    let judged = Judged { curve: &curve, figures: &figures, random: Some(&band), cut_off };
    assert!(verdict(&judged).sentence.starts_with("This result can be told from chance: "));
    let unknown = Judged { cut_off: None, ..judged };
    assert!(verdict(&unknown).sentence.starts_with("This result may mean something, but not all"));
    figures.trades = 0;
    let judged = Judged { curve: &curve, figures: &figures, random: None, cut_off };
    assert!(verdict(&judged).sentence.contains("nothing was traded"));
}

#[test]
fn without_a_day_there_is_still_a_sentence() {
    let evidence = Evidence {
        curve: &[],
        trades: &[],
        paid_in: Decimal::ZERO,
        model_cost: Figure::Known(Decimal::ZERO),
    };
    let figures = statistics(&evidence);
    let said = verdict(&Judged { curve: &[], figures: &figures, random: None, cut_off: None });
    assert!(said.sentence.contains("no trading day"), "{}", said.sentence);
}
