use portfolio::check;
use protocol::trading::Constraints;

use crate::scenario::{Scenario, buy, decimal, sell};

fn limits(max_positions: u32, max_position: &str, max_sector: &str, min_cash: &str) -> Constraints {
    Constraints {
        max_positions,
        max_position: decimal(max_position),
        max_sector: decimal(max_sector),
        min_cash: decimal(min_cash),
    }
}

/// AgentOS 7.5.8.
#[test]
fn a_position_of_exactly_the_limit_is_allowed() {
    let scenario = Scenario::new("20000").limits(Constraints::default()).price("AAPL", "100");
    // 30 * 100 / 20000 = 15 %
    assert!(scenario.reasons(buy("AAPL", "30")).is_empty());
    // 3001 / 20000 = 15.005 %
    assert_eq!(
        scenario.reasons(buy("AAPL", "30.01")),
        ["Max position size exceeded for AAPL: 15.01 % > 15.00 %"]
    );
    assert!(!scenario.reasons(buy("AAPL", "30.000001")).is_empty());
}

/// AgentOS 7.5.8.
#[test]
fn a_cash_reserve_of_exactly_the_limit_is_allowed() {
    let reserve_only = limits(15, "0.95", "1", "0.05");
    let scenario = Scenario::new("20000").limits(reserve_only).price("AAPL", "1");
    assert!(scenario.reasons(buy("AAPL", "19000")).is_empty());
    // 999 / 20000 = 4.995 %; the position is 95.005 %.
    assert_eq!(
        scenario.reasons(buy("AAPL", "19001")),
        [
            "Min cash reserve violated: cash would be 4.995 % < 5.000 %",
            "Max position size exceeded for AAPL: 95.01 % > 95.00 %",
        ]
    );
}

#[test]
fn a_sector_of_exactly_the_limit_is_allowed() {
    let scenario = Scenario::new("10000")
        .limits(limits(15, "0.35", "0.35", "0.05"))
        .price("AAPL", "100")
        .price("MSFT", "100")
        .sector("AAPL", "Technology")
        .sector("MSFT", "Technology")
        .given(vec![buy("AAPL", "20")]);
    // 2000 + 1500 = 35 %
    assert!(scenario.reasons(buy("MSFT", "15")).is_empty());
    assert_eq!(
        scenario.reasons(buy("MSFT", "16")),
        ["Max sector exposure exceeded for Technology: 36.0 % > 35.0 %"]
    );
}

/// AgentOS 6.C 33.
#[test]
fn a_sector_is_the_same_whatever_its_case_and_spaces() {
    let scenario = Scenario::new("10000")
        .limits(limits(15, "0.5", "0.35", "0.05"))
        .price("BAC", "100")
        .price("JPM", "100")
        .sector("BAC", "Financial Services")
        .sector("JPM", "  financial   SERVICES ")
        .given(vec![buy("BAC", "30")]);
    assert_eq!(
        scenario.reasons(buy("JPM", "10")),
        ["Max sector exposure exceeded for financial   SERVICES: 40.0 % > 35.0 %"]
    );
}

#[test]
fn an_instrument_without_a_sector_meets_no_sector_limit() {
    let scenario = Scenario::new("10000")
        .limits(limits(15, "0.5", "0.1", "0.05"))
        .price("AAPL", "100")
        .sector("AAPL", " ");
    assert!(scenario.reasons(buy("AAPL", "40")).is_empty());
}

/// AgentOS 7.5.9.
#[test]
fn a_sixteenth_position_is_one_too_many_but_the_fifteenth_can_grow() {
    let mut scenario = Scenario::new("100000").limits(Constraints::default());
    let names: Vec<String> = (0..16).map(|index| format!("T{index}")).collect();
    for name in &names {
        scenario = scenario.price(name, "100");
    }
    scenario = scenario.given(names[..15].iter().map(|name| buy(name, "10")).collect());
    assert_eq!(scenario.reasons(buy("T15", "1")), ["Max positions exceeded: 16 > 15"]);
    assert!(scenario.reasons(buy("T14", "1")).is_empty());
    let (trades, rejected) = scenario.decide("swap", vec![buy("T15", "1"), sell("T0", "10")]);
    assert_eq!((trades.len(), rejected.len()), (2, 0));
}

/// AgentOS 7.5.8.
#[test]
fn the_limits_of_the_reference_reject_what_it_rejects() {
    let strict = || limits(3, "0.20", "0.40", "0.05");
    let full = Scenario::new("10000")
        .limits(strict())
        .price("A", "100")
        .price("B", "100")
        .price("C", "100")
        .price("D", "100")
        .given(vec![buy("A", "1"), buy("B", "1"), buy("C", "1")]);
    assert_eq!(full.reasons(buy("D", "1")), ["Max positions exceeded: 4 > 3"]);

    // Cash 500 of 10000, 2 at 200: 100 left, 1 %.
    let poor = Scenario::new("10000")
        .limits(strict())
        .price("A", "9500")
        .price("B", "200")
        .given(vec![buy("A", "1")]);
    assert_eq!(poor.reasons(buy("B", "2")), ["Min cash reserve violated: cash would be 1.0 % < 5.0 %"]);

    let large = Scenario::new("10000").limits(strict()).price("A", "100");
    assert_eq!(large.reasons(buy("A", "25")), ["Max position size exceeded for A: 25.0 % > 20.0 %"]);
    assert!(large.reasons(buy("A", "10")).is_empty());
}

/// AgentOS 7.5.8.
#[test]
fn every_broken_limit_is_listed() {
    // 96000 of 100000: cash 4 %, position and sector 96 %.
    let scenario = Scenario::new("100000")
        .limits(limits(15, "0.15", "0.35", "0.05"))
        .price("AAPL", "100")
        .sector("AAPL", "Technology");
    assert_eq!(
        scenario.reasons(buy("AAPL", "960")),
        [
            "Min cash reserve violated: cash would be 4.0 % < 5.0 %",
            "Max position size exceeded for AAPL: 96.0 % > 15.0 %",
            "Max sector exposure exceeded for Technology: 96.0 % > 35.0 %",
        ]
    );
}

#[test]
fn sales_meet_no_limit() {
    let mut scenario = Scenario::new("10000").price("A", "100").given(vec![buy("A", "100")]);
    scenario = scenario.limits(Constraints::default());
    assert!(scenario.reasons(sell("A", "1")).is_empty());
}

/// AgentOS 6.C 30, 7.5.14.
#[test]
fn limits_that_contradict_each_other_are_refused() {
    let refused = [
        limits(0, "0.15", "0.35", "0.05"),
        limits(15, "0", "0.35", "0.05"),
        limits(15, "1.1", "0.35", "0.05"),
        limits(15, "0.15", "0", "0.05"),
        limits(15, "0.15", "1.1", "0.05"),
        limits(15, "0.15", "0.35", "-0.1"),
        limits(15, "0.15", "0.35", "1.0"),
        limits(15, "0.6", "0.35", "0.5"),
        limits(15, "0.15001", "0.35", "0.05"),
        limits(15, "79228162514264337593543950335", "0.35", "79228162514264337593543950335"),
    ];
    for constraints in refused {
        assert!(check(&constraints).is_err(), "{constraints:?}");
    }
    assert!(check(&limits(15, "0.5", "0.35", "0.5")).is_ok());
    assert!(check(&Constraints::default()).is_ok());
}
