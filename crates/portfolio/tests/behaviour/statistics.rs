use portfolio::statistics::{
    self, Curve, Evidence, Market, SharpeInterval, fraction, largest_fall, metrics, percentile, ratio,
    sharpe_interval,
};
use protocol::{
    Date, Decimal,
    trading::{Figure, Measured, NotAvailable, Statistics, ValuePoint},
};

use crate::scenario::{date, decimal};

/// Ten returns, three times: mean 0.0105, sample standard deviation 0.01003013…
fn thirty() -> Vec<f64> {
    [0.01, 0.02, -0.005, 0.015, 0.01, 0.02, -0.01, 0.015, 0.01, 0.02].repeat(3)
}

fn known(text: &str) -> Measured<Decimal> {
    Measured::Known(decimal(text))
}

fn figure(text: &str) -> Figure<Decimal> {
    Figure::Known(decimal(text))
}

fn reason(measured: &Measured<Decimal>) -> &str {
    measured.reason().expect("a reason")
}

fn sharpe(returns: &[f64]) -> Figure<Decimal> {
    ratio(statistics::sharpe(returns))
}

fn sortino(returns: &[f64]) -> Figure<Decimal> {
    ratio(statistics::sortino(returns))
}

fn value_at_risk(returns: &[f64]) -> Figure<Decimal> {
    fraction(statistics::value_at_risk(returns))
}

fn beta(history: &[ValuePoint]) -> Figure<Decimal> {
    let curve = Curve::new(history).unwrap();
    ratio(Market::new(&curve).and_then(|market| statistics::beta(&market)))
}

/// A point without a benchmark and without payments.
fn point(index: usize, total: Decimal) -> ValuePoint {
    ValuePoint { date: day(index), total, benchmark: None, flow: Decimal::ZERO, invested: None }
}

fn values(values: &[&str]) -> Vec<ValuePoint> {
    values.iter().enumerate().map(|(index, value)| point(index, decimal(value))).collect()
}

fn day(index: usize) -> Date {
    date("2022-01-03").checked_add(jiff::Span::new().days(i64::try_from(index).unwrap())).unwrap()
}

/// Values that follow from returns, starting at 100000.
fn history(returns: &[f64], benchmark: impl Fn(usize) -> Option<Decimal>) -> Vec<ValuePoint> {
    let mut total = decimal("100000");
    let mut points = vec![ValuePoint { benchmark: benchmark(0), ..point(0, total) }];
    for (index, value) in returns.iter().enumerate() {
        total = (total * (Decimal::ONE + Decimal::try_from(*value).unwrap())).round_dp(9);
        points.push(ValuePoint { benchmark: benchmark(index + 1), ..point(index + 1, total) });
    }
    points
}

/// AgentOS 7.4.1, 7.4.9.
#[test]
fn returns_are_simple_and_undefined_from_nothing() {
    let returns = |points: &[ValuePoint]| Curve::new(points).map(|curve| curve.returns().to_vec());
    assert_eq!(returns(&values(&["100", "110", "99"])), Ok(vec![0.1, -0.1]));
    assert_eq!(returns(&values(&["100"])), Ok(vec![]));
    // The reference says 0 here; a return from nothing does not exist.
    assert_eq!(returns(&values(&["0", "100"])), Err(NotAvailable::NotAboveZero));
}

#[test]
fn money_paid_in_or_taken_out_is_no_return() {
    // 100 grow to 110, then 50 are paid in: 160. 160 fall to 144, then 44 are taken out: 100.
    let mut points = values(&["100", "160", "100"]);
    points[1].flow = decimal("50");
    points[2].flow = decimal("-44");
    let curve = Curve::new(&points).unwrap();
    assert_eq!(curve.returns(), [0.1, -0.1]);
    assert_eq!(fraction(curve.total_return()), figure("-0.01"));
    assert_eq!(fraction(largest_fall(&curve).map(|fall| fall.depth)), figure("-0.1"));
    // All of the value was paid in on the same day: nothing is left to have a return.
    points[2].flow = decimal("100");
    assert_eq!(Curve::new(&points).unwrap_err(), NotAvailable::NotAboveZero);
}

/// AgentOS 7.4.2, 7.4.10.
#[test]
fn the_sharpe_ratio_is_that_of_the_reference_on_the_same_returns() {
    // 0.0105 / 0.01003013 * 15.8745079 = 16.618167653
    assert_eq!(sharpe(&thirty()), figure("16.6182"));
}

/// AgentOS 6.C 21, 7.4.3.
#[test]
fn the_sortino_ratio_divides_by_the_downside_deviation_over_all_days() {
    // Losses 0.005 and 0.01, three times each: root of 3 * 0.000125 / 30 = 0.00353553.
    // 0.0105 / 0.00353553 * 15.8745079 = 47.14488. (The reference divides by the deviation of the
    // losses around their own mean, which is no downside deviation.)
    assert_eq!(sortino(&thirty()), figure("47.1449"));
}

/// AgentOS 7.4.4, 7.4.16.
#[test]
fn value_at_risk_interpolates_between_the_worst_returns() {
    // -10 … 9: position 0.05 * 19 = 0.95 between -10 and -9. (The reference takes -10.)
    let steps: Vec<f64> = (-10..10).map(f64::from).collect();
    assert_eq!(value_at_risk(&steps), figure("-9.05"));
    // Position 0.05 * 29 = 1.45 lies among the three returns of -1 %.
    assert_eq!(value_at_risk(&thirty()), figure("-0.01"));
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

/// AgentOS 7.4.5.
#[test]
fn a_drawdown_is_a_negative_fraction_of_the_peak() {
    for (series, expected) in [
        (vec!["100", "90", "80"], "-0.2"),
        (vec!["100", "80", "110"], "-0.2"),
        (vec!["100", "101", "102"], "0"),
        (vec!["100", "102", "99", "105", "108"], "-0.029412"), // 3 / 102
    ] {
        let points = values(&series);
        let depth = largest_fall(&Curve::new(&points).unwrap()).map(|fall| fall.depth);
        assert_eq!(fraction(depth), figure(expected), "{series:?}");
    }
    let single = values(&["100"]);
    let fall = largest_fall(&Curve::new(&single).unwrap());
    assert_eq!(fall, Err(NotAvailable::TooFewValues { needed: 2, there: 1 }));
}

/// AgentOS 7.4.6.
#[test]
fn beta_is_one_against_oneself_and_two_for_twice_the_returns() {
    let market = thirty();
    let levels = history(&market, |_| None);
    let benchmark = |index: usize| Some(levels[index].total);
    assert_eq!(beta(&history(&market, benchmark)), figure("1"));
    let twice: Vec<f64> = market.iter().map(|value| value * 2.0).collect();
    assert_eq!(beta(&history(&twice, benchmark)), figure("2"));
    let against: Vec<f64> = market.iter().map(|value| -value).collect();
    assert_eq!(beta(&history(&against, benchmark)), figure("-1"));
}

/// AgentOS 7.4.6, E 9.
#[test]
fn beta_compares_the_same_days() {
    // The benchmark has no value on every fourth day; between the others both series move alike.
    let levels = history(&thirty(), |_| None);
    let gaps = history(&thirty(), |index| (index % 4 != 3).then(|| levels[index].total));
    assert_eq!(beta(&gaps), figure("1"));
}

/// AgentOS 7.4.6.
#[test]
fn beta_without_a_moving_benchmark_is_unknown() {
    let reason = |history: &[ValuePoint]| beta(history).reason().unwrap();
    assert_eq!(reason(&history(&thirty(), |_| None)), NotAvailable::NoBenchmark);
    let flat = history(&thirty(), |_| Some(decimal("4000")));
    assert_eq!(reason(&flat), NotAvailable::SteadyBenchmark);
    let few = history(&thirty(), |index| (index < 20).then_some(decimal("4000")));
    assert_eq!(reason(&few), NotAvailable::TooFewReturns { needed: 20, there: 19 });
}

/// AgentOS 7.4.2, 7.4.10.
#[test]
fn fewer_than_twenty_returns_are_too_few() {
    let nineteen = &thirty()[..19];
    for figure in [sharpe(nineteen), sortino(nineteen), value_at_risk(nineteen), sharpe(&[])] {
        assert!(
            matches!(figure.reason(), Some(NotAvailable::TooFewReturns { needed: 20, .. })),
            "{figure:?}"
        );
    }
    let twenty = &thirty()[..20];
    for figure in [sharpe(twenty), sortino(twenty), value_at_risk(twenty)] {
        assert!(figure.known().is_some());
    }
}

/// AgentOS 6.C 21, 7.4.18, 7.4.19, E 9.
#[test]
fn constant_growth_has_no_ratio_instead_of_an_absurd_one() {
    // 0.1 % a day: the spread is zero, but for noise.
    let steady = metrics(&history(&[0.001; 252], |_| None));
    assert_eq!(reason(&steady.sharpe), "undefined: the daily returns do not vary");
    assert_eq!(reason(&steady.sortino), "undefined: there are no daily losses");
    assert_eq!(steady.value_at_risk, known("0.001"));
    assert_eq!(steady.max_drawdown, known("0"));
    assert_eq!(steady.days, 252);
    assert_eq!(sharpe(&[0.0003; 252]).reason(), Some(NotAvailable::NoVariation));
    // Equal losses have a downside deviation: -0.01 / 0.01 * 15.8745 (the reference: 1.57e14).
    assert_eq!(sortino(&[-0.01; 30]), figure("-15.8745"));
}

#[test]
fn a_history_gives_all_figures_with_losses_negative() {
    let levels = history(&thirty(), |_| None);
    let figures = metrics(&history(&thirty(), |index| Some(levels[index].total)));
    assert_eq!(figures.sharpe, known("16.6182"));
    assert_eq!(figures.sortino, known("47.1449"));
    assert_eq!(figures.value_at_risk, known("-0.01"));
    assert_eq!(figures.max_drawdown, known("-0.01"));
    assert_eq!(figures.beta, known("1"));
    assert_eq!(figures.days, 30);
}

/// AgentOS 7.4.8, 7.4.18, 7.4.19.
#[test]
fn without_a_history_everything_is_unknown() {
    for points in [vec![], history(&[], |_| None)] {
        let figures = metrics(&points);
        for figure in
            [figures.sharpe, figures.sortino, figures.value_at_risk, figures.max_drawdown, figures.beta]
        {
            assert!(figure.known().is_none());
        }
        assert_eq!(figures.days, 0);
    }
    let worthless = values(&["100", "0"]);
    assert!(reason(&metrics(&worthless).sharpe).starts_with("undefined"));
}

#[test]
fn a_fall_says_when_it_began_when_it_was_deepest_and_when_it_was_over() {
    // A fall of 5 % that recovers, then one of 20 % from the second day at 110, which does not.
    let points = values(&["100", "95", "100", "110", "110", "99", "88", "90"]);
    let fall = largest_fall(&Curve::new(&points).unwrap()).unwrap();
    assert_eq!((fall.peak, fall.trough, fall.recovered, fall.days), (day(4), day(6), None, 3));
    let fall = largest_fall(&Curve::new(&points[..4]).unwrap()).unwrap();
    assert_eq!((fall.peak, fall.trough, fall.recovered, fall.days), (day(0), day(1), Some(day(2)), 2));
    let curve = Curve::new(&points).unwrap();
    // Below an earlier value on four of seven days.
    assert_eq!(fraction(curve.time_under_water()), figure("0.571429"));
    let never = values(&["100", "101"]);
    let fall = largest_fall(&Curve::new(&never).unwrap()).unwrap();
    assert_eq!((fall.depth, fall.days), (0.0, 0));
}

#[test]
fn the_interval_of_a_sharpe_ratio_of_normal_returns_is_that_of_lo() {
    // Returns without skewness and with the kurtosis 1 of a coin: the standard error is 1 / √(n − 1).
    let coin = [0.011, -0.009].repeat(50);
    let SharpeInterval { low, high } = sharpe_interval(&coin).unwrap();
    let expected = 2.0 * 1.959_963_984_540_054 / 99.0_f64.sqrt() * 252.0_f64.sqrt();
    assert!((high - low - expected).abs() < 1e-9, "{low} to {high}");
    let sharpe = statistics::sharpe(&coin).unwrap();
    assert!(((high + low) / 2.0 - sharpe).abs() < 1e-9);
}

fn all_figures(curve: &[ValuePoint]) -> Statistics {
    statistics::statistics(&Evidence {
        curve,
        trades: &[],
        paid_in: decimal("100000"),
        model_cost: Figure::NotAvailable(NotAvailable::NoModelPrice),
    })
}

/// AgentOS E 9.
#[test]
fn what_cannot_be_computed_says_why_by_its_kind() {
    let figures = all_figures(&history(&thirty(), |_| None));
    assert_eq!(figures.cagr.reason(), Some(NotAvailable::TooShort { needed: 180, there: 30 }));
    assert_eq!(figures.calmar.reason(), Some(NotAvailable::TooShort { needed: 180, there: 30 }));
    assert_eq!(figures.alpha.reason(), Some(NotAvailable::NoBenchmark));
    assert_eq!(figures.win_rate.reason(), Some(NotAvailable::NothingSold));
    assert_eq!(figures.profit_factor.reason(), Some(NotAvailable::NothingSold));
    assert_eq!(figures.turnover.reason(), Some(NotAvailable::NothingTraded));
    assert_eq!(figures.exposure.reason(), Some(NotAvailable::InvestedNotRecorded));
    assert_eq!(figures.net_profit.reason(), Some(NotAvailable::NoModelPrice));
    assert!(figures.profit.known().is_some());
    assert_eq!(figures.cost_drag, figure("0"));

    let levels = history(&thirty(), |_| None);
    let alike = all_figures(&history(&thirty(), |index| Some(levels[index].total)));
    assert_eq!(alike.information_ratio.reason(), Some(NotAvailable::SameAsBenchmark));

    let none = all_figures(&[]);
    assert_eq!(none.total_return.reason(), Some(NotAvailable::TooFewReturns { needed: 1, there: 0 }));
    assert!(none.months.is_empty() && none.underwater.is_empty());
}

#[test]
fn figures_survive_json_with_their_reasons() {
    let figures = all_figures(&history(&thirty(), |_| None));
    let json = serde_json::to_string(&figures).unwrap();
    assert_eq!(serde_json::from_str::<Statistics>(&json).unwrap(), figures);
    assert!(json.contains(r#""cagr":{"not_available":{"too_short":{"needed":180,"there":30}}}"#), "{json}");
}
