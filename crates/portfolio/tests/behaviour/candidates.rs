use portfolio::candidates::{Candidate, Prioritised, prioritise};
use portfolio::{Closes, Quotes, value};
use protocol::trading::{Constraints, Instrument, PortfolioView};

use crate::scenario::{Scenario, buy, date, decimal, ticker};

fn candidate(symbol: &str, sector: &str, conviction: &str, thesis: &str) -> Candidate {
    Candidate {
        ticker: ticker(symbol),
        sector: sector.to_owned(),
        conviction: conviction.to_owned(),
        thesis: thesis.to_owned(),
        rationale: String::new(),
    }
}

fn instrument(symbol: &str, sector: &str) -> Instrument {
    Instrument {
        ticker: ticker(symbol),
        name: symbol.to_owned(),
        sector: sector.to_owned(),
        industry: String::new(),
    }
}

/// 40 % Technology (AAPL), 10 % Energy (XOM), 25 % Healthcare (JNJ), 25 % cash; sector limit 35 %.
fn portfolio(priced: bool) -> PortfolioView {
    let symbols = [("AAPL", "Technology"), ("XOM", "Energy"), ("JNJ", "Healthcare")];
    let mut scenario = Scenario::new("100");
    let mut closes = Closes::new();
    for (symbol, _) in symbols {
        scenario = scenario.price(symbol, "1");
        if priced {
            closes.insert(ticker(symbol), [(date("2022-06-30"), decimal("1"))].into());
        }
    }
    let scenario = scenario.given(vec![buy("AAPL", "40"), buy("XOM", "10"), buy("JNJ", "25")]);
    let instruments = symbols.map(|(symbol, sector)| instrument(symbol, sector));
    let quotes = Quotes { instruments: &instruments, closes: &closes, benchmark: &ticker("^GSPC") };
    value(&scenario.portfolio(), &quotes, &Constraints::default(), date("2022-06-30")).unwrap()
}

fn single(candidate: Candidate) -> Prioritised {
    prioritise(vec![candidate], &portfolio(true), None).remove(0)
}

/// AgentOS 7.5.13.
#[test]
fn the_score_is_the_product_of_its_four_factors() {
    for (candidate, score) in [
        (candidate("NEW", "Utilities", "high", "growth"), "18"), // 3 * 3 * 2
        (candidate("NEW", "Utilities", "low", "defensive"), "2"), // 1 * 1 * 2
        (candidate("NEW", "Energy", "medium", "momentum"), "5"), // 2 * 2.5 * 1
        (candidate("XOM", "Energy", "medium", "catalyst"), "2.5"), // 2 * 2.5 * 1 * 0.5
        (candidate("NEW", "Healthcare", "high", "value"), "3"),  // 3 * 2 * 0.5: 25 % of 35 % is over 70 %
        (candidate("NEW", "Utilities", "high", "turnaround"), "9"), // 3 * 1.5 * 2
        (candidate("NEW", "Utilities", "certain", "hunch"), "2"), // 1 * 1 * 2
        (candidate("NEW", " energy ", "HIGH", "Growth"), "9"),   // 3 * 3 * 1
        (candidate("NEW", "TECHNOLOGY", "high", "growth"), "0"),
    ] {
        assert_eq!(single(candidate.clone()).score, decimal(score), "{candidate:?}");
    }
}

/// AgentOS 7.5.13.
#[test]
fn a_full_sector_is_skipped_with_its_reason() {
    let skipped = single(candidate("MSFT", "Technology", "high", "growth"));
    assert_eq!(skipped.skip_reason.unwrap(), "Sector 'Technology' is at or above max exposure limit (35 %)");
    assert_eq!(single(candidate("NEW", "Energy", "low", "value")).skip_reason, None);
}

/// AgentOS 7.5.13.
#[test]
fn the_best_come_first_and_equals_keep_their_order() {
    let candidates = || {
        vec![
            candidate("FULL", "Technology", "high", "growth"),
            candidate("ONE", "Utilities", "low", "defensive"),
            candidate("TWO", "Real Estate", "low", "defensive"),
            candidate("BEST", "Utilities", "high", "growth"),
        ]
    };
    let order = |top| -> Vec<String> {
        prioritise(candidates(), &portfolio(true), top)
            .iter()
            .map(|it| it.candidate.ticker.to_string())
            .collect()
    };
    assert_eq!(order(None), ["BEST", "ONE", "TWO", "FULL"]);
    assert_eq!(order(Some(2)), ["BEST", "ONE"]);
    assert!(prioritise(Vec::new(), &portfolio(true), None).is_empty());
}

#[test]
fn a_held_sector_of_unknown_weight_earns_no_bonus() {
    let view = portfolio(false);
    let scored = prioritise(vec![candidate("NEW", "Energy", "high", "growth")], &view, None);
    assert_eq!(scored[0].score, decimal("9"));
}
