//! JSON objects in what models write.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use llm::{AnswerSchema, JsonError, extract_json, parse_structured};
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[test]
fn an_object_is_found_in_every_usual_wrapping() {
    let texts = [
        r#"{"a": 1}"#,
        "  {\"a\": 1}\n",
        r#"<think>maybe {"a": 2}? or {"a": 3}</think>{"a": 1}"#,
        r#"the first tag is missing {"a": 2}</think> {"a": 1}"#,
        r#"<think>one {"a": 2}</think> so <think>two</think> {"a": 1}"#,
        "Here it is:\n```json\n{\"a\": 1}\n```\nBye {\"a\": 2}",
        "```\n{\"a\": 1}\n```",
        "In {braces} I trust: {\"a\": 1}. Any {more}?",
        r#"Answer: { "a": 1 } } }"#,
    ];
    for text in texts {
        assert_eq!(extract_json(text), Ok(json!({"a": 1})), "{text}");
    }
}

#[test]
fn thoughts_inside_of_a_plain_object_are_part_of_it() {
    let text = r#"{"a": "<think>x</think>"}"#;
    assert_eq!(extract_json(text), Ok(json!({"a": "<think>x</think>"})));
}

#[test]
fn what_is_no_object_is_refused_with_the_reason() {
    assert_eq!(extract_json(""), Err(JsonError::NoObject));
    assert_eq!(extract_json("I cannot answer."), Err(JsonError::NoObject));
    assert_eq!(extract_json(r#"<think>{"a": 1}"#), Err(JsonError::NoObject));
    for text in ["[1, 2]", "\"text\"", "7", "null", r#"[{"a": 1}, {"a": 2}]"#] {
        assert_eq!(extract_json(text), Err(JsonError::NotAnObject), "{text}");
    }
}

#[test]
fn an_object_inside_of_a_broken_one_is_not_taken_for_it() {
    assert_eq!(extract_json(r#"{"stocks": [{"ticker": "AAPL"}, {"tick"#), Err(JsonError::CutOff));
    let malformed = extract_json(r#"{"stocks": [{"ticker": "AAPL"} "n"], "n": {"b": 1}}"#);
    assert!(matches!(malformed, Err(JsonError::Malformed(_))));
}

#[derive(Debug, PartialEq, Deserialize)]
struct Rating {
    rating: String,
    confidence: f64,
}

fn form() -> AnswerSchema {
    let schema = json!({"type": "object", "properties": {
        "rating": {"type": "string", "enum": ["buy", "hold", "sell"]}, "confidence": {"type": "number"}}});
    AnswerSchema { name: "rating".into(), schema }
}

#[test]
fn a_structured_answer_is_read_into_its_type() {
    let text = "```json\n{\"rating\": \"BUY\", \"confidence\": 0.5}\n```";
    assert_eq!(parse_structured(text, &form()), Ok(Rating { rating: "buy".into(), confidence: 0.5 }));
}

#[test]
fn an_answer_of_the_wrong_form_says_what_is_missing() {
    let error = parse_structured::<Rating>(r#"{"rating": "BUY"}"#, &form()).unwrap_err();
    assert!(error.contains("confidence"), "{error}");
    let error = parse_structured::<Rating>("BUY", &form()).unwrap_err();
    assert!(error.contains("no JSON object"), "{error}");
}

#[test]
fn a_word_that_is_none_of_the_fixed_ones_is_asked_for_again() {
    let error =
        parse_structured::<Rating>(r#"{"rating": "buy or hold", "confidence": 1}"#, &form()).unwrap_err();
    assert!(error.contains("`rating` must be one of buy, hold, sell, but it is \"buy or hold\""), "{error}");
}

#[test]
fn raw_line_breaks_in_strings_are_read() {
    let text = "Here:\n{\"grade\":\"hold\",\"thesis\":\"First point.\nSecond point.\"}";
    assert_eq!(extract_json(text), Ok(json!({"grade": "hold", "thesis": "First point.\nSecond point."})));
}

#[test]
fn what_could_mean_two_things_is_refused() {
    for text in [
        r#"Either {"grade": "buy"} or {"grade": "sell"}."#,
        "```json\n{\"grade\": \"buy\"}\n```\nNo, rather:\n```json\n{\"grade\": \"sell\"}\n```",
    ] {
        assert_eq!(extract_json(text), Err(JsonError::Several), "{text}");
    }
    let twice = extract_json(r#"{"grade": "buy", "grade": "sell"}"#);
    assert!(matches!(&twice, Err(JsonError::Malformed(why)) if why.contains("`grade`")), "{twice:?}");
    let same = r#"{"grade": "buy"}, that is {"grade": "buy"}"#;
    assert_eq!(extract_json(same), Ok(json!({"grade": "buy"})));
}

#[test]
fn nesting_beyond_all_sense_is_refused() {
    for text in ["{\"a\":".repeat(1_000_000), format!("{}1{}", "{\"a\":".repeat(65), "}".repeat(65))] {
        assert_eq!(extract_json(&text), Err(JsonError::TooDeep(64)));
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[^`<]*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[^`<]*", inner, 0..4).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = extract_json(&text);
    }

    #[test]
    fn no_text_of_telling_characters_makes_it_panic(text in "([{}\\[\\]\",:`\\\\ 1a€]|```|<think>|</think>|\\{\"a\":)*") {
        if let Ok(value) = extract_json(&text) {
            prop_assert!(value.is_object());
        }
    }

    #[test]
    fn an_object_is_found_in_any_prose(
        before in "[^`<{]*",
        object in prop::collection::btree_map("[^`<]*", json_value(), 1..4),
        after in "[^`<]*",
        pretty in any::<bool>(),
    ) {
        let object: Value = object.into_iter().collect();
        let written = if pretty { serde_json::to_string_pretty(&object).unwrap() } else { object.to_string() };
        prop_assert_eq!(extract_json(&format!("{before}{written}{after}")), Ok(object.clone()));
        let fenced = format!("{before}```json\n{written}\n```{after}");
        prop_assert_eq!(extract_json(&fenced), Ok(object));
    }
}
