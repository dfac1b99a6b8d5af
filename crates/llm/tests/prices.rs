//! Costs of answers. The expected amounts are worked out by hand from the price lists.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;

use llm::PriceTable;
use protocol::{Decimal, Usage};

fn usage(tokens_in: u64, tokens_out: u64) -> Usage {
    Usage { tokens_in: Some(tokens_in), tokens_out: Some(tokens_out) }
}

fn dollars(text: &str) -> Option<Decimal> {
    Some(Decimal::from_str_exact(text).unwrap())
}

#[test]
fn a_cost_is_exact_to_the_last_token() {
    let prices = PriceTable::bundled().unwrap();
    assert_eq!(prices.cost("gpt-5-mini", &usage(1_000_000, 1_000_000)), dollars("2.25"));
    assert_eq!(prices.cost("gpt-5-mini", &usage(1, 0)), dollars("0.00000025"));
    assert_eq!(prices.cost("claude-haiku-4-5", &usage(1_234, 567)), dollars("0.004069"));
    assert_eq!(prices.cost("gpt-5-mini", &usage(0, 0)), dollars("0"));
}

#[test]
fn a_dated_variant_costs_what_its_model_costs() {
    let prices = PriceTable::bundled().unwrap();
    let million = usage(1_000_000, 0);
    assert_eq!(prices.cost("gpt-5-mini-2025-08-07", &million), dollars("0.25"));
    assert_eq!(prices.cost("claude-opus-4-5-20251101", &million), dollars("5"));
    assert_eq!(prices.cost("claude-opus-4-20250514", &usage(1_000, 0)), dollars("0.015"));
    assert_eq!(prices.cost("claude-3-5-haiku-latest", &million), dollars("0.8"));
    assert_eq!(prices.cost("gemini-2.0-flash-001", &million), dollars("0.1"));
    assert_eq!(prices.cost("anthropic::claude-opus-5", &million), dollars("5"));
}

#[test]
fn a_variant_with_a_price_of_its_own_keeps_it() {
    let prices = PriceTable::bundled().unwrap();
    assert_eq!(prices.cost("gpt-4o-2024-05-13", &usage(1_000_000, 0)), dollars("5"));
    assert_eq!(prices.cost("gpt-4o-2024-08-06", &usage(1_000_000, 0)), dollars("2.5"));
}

#[test]
fn an_unknown_model_has_no_cost() {
    let prices = PriceTable::bundled().unwrap();
    let unknown =
        ["llama3", "gpt-5-codex", "gpt-5-pro", "gpt-55", "claude-opus-4-9-20270101", "claude-opus", ""];
    for model in unknown {
        assert_eq!(prices.cost(model, &usage(1, 1)), None, "{model}");
    }
    assert_eq!(PriceTable::empty().cost("gpt-5-mini", &usage(1, 1)), None);
}

#[test]
fn unknown_usage_has_no_cost() {
    let prices = PriceTable::bundled().unwrap();
    assert_eq!(prices.cost("gpt-5-mini", &Usage::default()), None);
    assert_eq!(prices.cost("gpt-5-mini", &Usage { tokens_in: Some(1), tokens_out: None }), None);
    assert_eq!(prices.cost("gpt-5-mini", &Usage { tokens_in: None, tokens_out: Some(1) }), None);
}

#[test]
fn a_prompt_longer_than_the_price_holds_for_has_no_cost() {
    let prices = PriceTable::bundled().unwrap();
    assert_eq!(prices.cost("gemini-2.5-pro", &usage(200_000, 0)), dollars("0.25"));
    assert_eq!(prices.cost("gemini-2.5-pro", &usage(200_001, 0)), None);
}

#[test]
fn a_file_adds_to_the_bundled_prices_and_takes_precedence() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "# mine\nmodel, input, output, prompt_limit\ngpt-5-mini, 0.1, 1,\nllama3, 0, 0,").unwrap();
    let prices = PriceTable::with_file(file.path()).unwrap();
    assert_eq!(prices.cost("gpt-5-mini", &usage(1_000_000, 0)), dollars("0.1"));
    assert_eq!(prices.cost("llama3", &usage(5, 5)), dollars("0"));
    assert_eq!(prices.cost("gpt-5", &usage(1_000_000, 0)), dollars("1.25"));
}

#[test]
fn a_wrong_price_list_is_refused_with_its_error() {
    for price in ["free", "-1", "1e3", ""] {
        let text = format!("model,input,output,prompt_limit\nmine,{price},1,\n");
        let error = PriceTable::parse(&text).unwrap_err().to_string();
        assert!(error.contains("mine"), "{error}");
    }
    assert!(PriceTable::parse("model,input\nmine,1\n").is_err());
    let missing = PriceTable::with_file("/no/such/prices.csv".as_ref()).unwrap_err().to_string();
    assert!(missing.contains("/no/such/prices.csv"), "{missing}");
}
