use portfolio::metrics::{beta, compute, max_drawdown, percentile, returns, sharpe, sortino, value_at_risk};
use protocol::{
    Date, Decimal,
    trading::{Measured, ValuePoint},
};

use crate::scenario::{date, decimal};

/// Ten returns, three times: mean 0.0105, sample standard deviation 0.01003013…
fn thirty() -> Vec<f64> {
    [0.01, 0.02, -0.005, 0.015, 0.01, 0.02, -0.01, 0.015, 0.01, 0.02].repeat(3)
}

fn known(text: &str) -> Measured<Decimal> {
    Measured::Known(decimal(text))
}

fn reason(measured: &Measured<Decimal>) -> &str {
    measured.reason().expect("a reason")
}

fn decimals(values: &[&str]) -> Vec<Decimal> {
    values.iter().map(|value| decimal(value)).collect()
}

fn day(index: usize) -> Date {
    date("2022-01-03").checked_add(jiff::Span::new().days(i64::try_from(index).unwrap())).unwrap()
}

/// Values that follow from returns, starting at 100000.
fn history(returns: &[f64], benchmark: impl Fn(usize) -> Option<Decimal>) -> Vec<ValuePoint> {
    let mut total = decimal("100000");
    let mut points = vec![ValuePoint { date: day(0), total, benchmark: benchmark(0) }];
    for (index, value) in returns.iter().enumerate() {
        total *= Decimal::ONE + Decimal::try_from(*value).unwrap();
        points.push(ValuePoint { date: day(index + 1), total, benchmark: benchmark(index + 1) });
    }
    points
}

#[test]
fn returns_are_simple_and_undefined_from_nothing() {
    assert_eq!(returns(&decimals(&["100", "110", "99"])).unwrap(), [0.1, -0.1]);
    assert_eq!(returns(&decimals(&["100"])).unwrap(), Vec::<f64>::new());
    // The reference says 0 here; a return from nothing does not exist.
    assert_eq!(returns(&decimals(&["0", "100"])), None);
}

#[test]
fn the_sharpe_ratio_is_that_of_the_reference_on_the_same_returns() {
    // 0.0105 / 0.01003013 * 15.8745079 = 16.618167653
    assert_eq!(sharpe(&thirty()), known("16.6182"));
}

#[test]
fn the_sortino_ratio_divides_by_the_downside_deviation_over_all_days() {
    // Losses 0.005 and 0.01, three times each: root of 3 * 0.000125 / 30 = 0.00353553.
    // 0.0105 / 0.00353553 * 15.8745079 = 47.14488. (The reference divides by the deviation of the
    // losses around their own mean, which is no downside deviation.)
    assert_eq!(sortino(&thirty()), known("47.1449"));
}

#[test]
fn value_at_risk_interpolates_between_the_worst_returns() {
    // -10 … 9: position 0.05 * 19 = 0.95 between -10 and -9. (The reference takes -10.)
    let steps: Vec<f64> = (-10..10).map(f64::from).collect();
    assert_eq!(value_at_risk(&steps), known("-9.05"));
    // Position 0.05 * 29 = 1.45 lies among the three returns of -1 %.
    assert_eq!(value_at_risk(&thirty()), known("-0.01"));
}

#[test]
fn percentiles_interpolate_linearly() {
    let close = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-12, "{a:?} {b}");
    let five = [1.0, 2.0, 3.0, 4.0, 5.0];
    close(percentile(&five, 0.5), 3.0);
    close(percentile(&five, 0.05), 1.2);
    close(percentile(&five, 0.0), 1.0);
    close(percentile(&five, 1.0), 5.0);
    close(percentile(&[-0.03, -0.02, -0.01, 0.0, 0.01, 0.02], 0.05), -0.0275);
    assert_eq!(percentile(&[], 0.5), None);
}

#[test]
fn a_drawdown_is_a_negative_fraction_of_the_peak() {
    for (values, expected) in [
        (vec!["100", "90", "80"], "-0.2"),
        (vec!["100", "80", "110"], "-0.2"),
        (vec!["100", "101", "102"], "0"),
        (vec!["100", "102", "99", "105", "108"], "-0.029412"), // 3 / 102
    ] {
        assert_eq!(max_drawdown(&decimals(&values)), known(expected), "{values:?}");
    }
    assert!(reason(&max_drawdown(&decimals(&["100"]))).starts_with("not enough history"));
}

#[test]
fn beta_is_one_against_oneself_and_two_for_twice_the_returns() {
    let market = thirty();
    let levels = history(&market, |_| None);
    let benchmark = |index: usize| Some(levels[index].total);
    assert_eq!(beta(&history(&market, benchmark)), known("1"));
    let twice: Vec<f64> = market.iter().map(|value| value * 2.0).collect();
    assert_eq!(beta(&history(&twice, benchmark)), known("2"));
    let against: Vec<f64> = market.iter().map(|value| -value).collect();
    assert_eq!(beta(&history(&against, benchmark)), known("-1"));
}

#[test]
fn beta_compares_the_same_days() {
    // The benchmark has no value on every fourth day; between the others both series move alike.
    let levels = history(&thirty(), |_| None);
    let gaps = history(&thirty(), |index| (index % 4 != 3).then(|| levels[index].total));
    assert_eq!(beta(&gaps), known("1"));
}

#[test]
fn beta_without_a_moving_benchmark_is_unknown() {
    assert_eq!(reason(&beta(&history(&thirty(), |_| None))), "not available: there is no benchmark");
    let flat = history(&thirty(), |_| Some(decimal("4000")));
    assert_eq!(reason(&beta(&flat)), "undefined: the benchmark does not move");
    let few = history(&thirty(), |index| (index < 20).then_some(decimal("4000")));
    assert_eq!(reason(&beta(&few)), "not enough history: 20 daily returns are needed, there are 19");
}

#[test]
fn fewer_than_twenty_returns_are_too_few() {
    let nineteen = &thirty()[..19];
    for figure in [sharpe(nineteen), sortino(nineteen), value_at_risk(nineteen), sharpe(&[])] {
        assert!(reason(&figure).starts_with("not enough history: 20 daily returns are needed"));
    }
    let twenty = &thirty()[..20];
    for figure in [sharpe(twenty), sortino(twenty), value_at_risk(twenty)] {
        assert!(figure.known().is_some());
    }
}

#[test]
fn constant_growth_has_no_ratio_instead_of_an_absurd_one() {
    // 0.1 % a day: the spread is zero, but for noise.
    let steady = compute(&history(&[0.001; 252], |_| None));
    assert_eq!(reason(&steady.sharpe), "undefined: the daily returns do not vary");
    assert_eq!(reason(&steady.sortino), "undefined: there are no daily losses");
    assert_eq!(steady.value_at_risk, known("0.001"));
    assert_eq!(steady.max_drawdown, known("0"));
    assert_eq!(steady.days, 252);
    assert_eq!(reason(&sharpe(&[0.0003; 252])), "undefined: the daily returns do not vary");
    // Equal losses have a downside deviation: -0.01 / 0.01 * 15.8745 (the reference: 1.57e14).
    assert_eq!(sortino(&[-0.01; 30]), known("-15.8745"));
}

#[test]
fn a_history_gives_all_figures_with_losses_negative() {
    let levels = history(&thirty(), |_| None);
    let figures = compute(&history(&thirty(), |index| Some(levels[index].total)));
    assert_eq!(figures.sharpe, known("16.6182"));
    assert_eq!(figures.sortino, known("47.1449"));
    assert_eq!(figures.value_at_risk, known("-0.01"));
    assert_eq!(figures.max_drawdown, known("-0.01"));
    assert_eq!(figures.beta, known("1"));
    assert_eq!(figures.days, 30);
}

#[test]
fn without_a_history_everything_is_unknown() {
    for points in [vec![], history(&[], |_| None)] {
        let figures = compute(&points);
        for figure in
            [figures.sharpe, figures.sortino, figures.value_at_risk, figures.max_drawdown, figures.beta]
        {
            assert!(figure.known().is_none());
        }
        assert_eq!(figures.days, 0);
    }
    let worthless =
        [decimal("100"), decimal("0")].map(|total| ValuePoint { date: day(0), total, benchmark: None });
    assert!(reason(&compute(&worthless).sharpe).starts_with("undefined"));
}
