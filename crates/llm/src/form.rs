//! Fits a model's JSON to its schema: other spellings of field names and of fixed words are understood where
//! they can mean one thing only.

use serde_json::{Map, Value};

/// Fits a value to a JSON schema made of `properties`, `items` and `enum`.
///
/// # Errors
/// A sentence for the model: a fixed word that is none of those allowed, or a field under two names.
pub(crate) fn fit(value: &mut Value, schema: &Value) -> Result<(), String> {
    fit_field(value, schema, "the answer")
}

fn fit_field(value: &mut Value, schema: &Value, name: &str) -> Result<(), String> {
    match value {
        Value::Object(object) => fit_object(object, schema),
        Value::Array(list) => list.iter_mut().try_for_each(|item| fit_field(item, &schema["items"], name)),
        Value::String(word) => match schema["enum"].as_array() {
            Some(allowed) => {
                *word = the_word(word, name, allowed)?;
                Ok(())
            }
            None => Ok(()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn fit_object(object: &mut Map<String, Value>, schema: &Value) -> Result<(), String> {
    let Some(properties) = schema["properties"].as_object() else { return Ok(()) };
    let unknown: Vec<String> = object.keys().filter(|key| !properties.contains_key(*key)).cloned().collect();
    for key in unknown {
        let Some(known) = properties.keys().find(|known| plain(known) == plain(&key)) else { continue };
        let Some(value) = object.remove(&key) else { continue };
        match object.get(known) {
            Some(other) if *other != value => {
                return Err(format!("`{known}` stands in it twice with different values"));
            }
            _ => object.insert(known.clone(), value),
        };
    }
    for (name, schema) in properties {
        if let Some(value) = object.get_mut(name) {
            fit_field(value, schema, name)?;
        }
    }
    Ok(())
}

/// The allowed word that was meant. Case, spaces, hyphens, underscores, quotes, asterisks and a full stop are
/// ignored, and so is the field's own name beside it: `Over-weight`, `**HOLD**.`, `medium confidence`. With
/// any other word it is not matched: `strong buy`, `hold or sell`, `not high`.
fn the_word(written: &str, field: &str, allowed: &[Value]) -> Result<String, String> {
    let allowed: Vec<&str> = allowed.iter().filter_map(Value::as_str).collect();
    if allowed.contains(&written) {
        return Ok(written.to_owned());
    }
    // `decision_confidence` may be called "confidence".
    let of_field = |word: &str| field.split('_').any(|part| plain(part) == word);
    let words = written.split(|c: char| c.is_whitespace() || c == ':').map(plain);
    let meant: String = words.filter(|word| !of_field(word)).collect();
    let fits = |word: &&&str| plain(word) == meant || plain(word) == plain(written);
    match allowed.iter().filter(fits).collect::<Vec<_>>()[..] {
        [word] => Ok((*word).to_owned()),
        _ => {
            let shown: String = written.chars().take(60).collect();
            Err(format!("`{field}` must be one of {}, but it is \"{shown}\"", allowed.join(", ")))
        }
    }
}

/// A word without what makes no difference to its meaning.
fn plain(word: &str) -> String {
    let tells = |character: &char| {
        !character.is_whitespace()
            && !matches!(character, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{200B}'..='\u{200D}' | '\u{FEFF}')
            && !matches!(character, '"' | '\'' | '*' | '`' | '.' | '\u{2018}'..='\u{201D}')
    };
    word.chars().filter(tells).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const GRADES: [&str; 5] = ["buy", "overweight", "hold", "underweight", "sell"];

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "grade": { "type": "string", "enum": GRADES },
                "decision_confidence": { "type": "string", "enum": ["high", "medium", "low"] },
                "macro_regime": { "type": "string", "enum": ["risk-on", "risk-off", "neutral"] },
                "reviews": { "type": "array", "items": {
                    "type": "object",
                    "properties": { "recommendation": { "type": "string", "enum": ["hold", "sell"] } },
                } },
            },
        })
    }

    fn fitted(mut value: Value) -> Result<Value, String> {
        fit(&mut value, &schema()).map(|()| value)
    }

    #[test]
    fn other_spellings_of_fixed_words_are_understood() {
        for (written, meant) in [
            ("HOLD", "hold"),
            (" Hold. ", "hold"),
            ("**Buy**", "buy"),
            ("Over-weight", "overweight"),
            ("over weight", "overweight"),
            ("UNDER_WEIGHT", "underweight"),
            ("Under\u{2011}weight", "underweight"),
            ("Grade: Sell", "sell"),
            ("'sell' grade", "sell"),
            ("sell\u{200b}", "sell"),
        ] {
            assert_eq!(fitted(json!({ "grade": written })), Ok(json!({ "grade": meant })), "{written}");
        }
        let value = json!({ "Decision Confidence": "medium confidence ", "macroRegime": "Risk off",
            "reviews": [{ "Recommendation": "SELL" }], "other": "HOLD" });
        let meant = json!({ "decision_confidence": "medium", "macro_regime": "risk-off",
            "reviews": [{ "recommendation": "sell" }], "other": "HOLD" });
        assert_eq!(fitted(value), Ok(meant));
    }

    #[test]
    fn what_may_mean_another_thing_is_refused() {
        for written in [
            "",
            " ",
            "grade",
            "strong buy",
            "hold/sell",
            "hold or sell",
            "hold sell",
            "not sell",
            "don't buy",
            "buy?",
            "b u y s",
            "over",
            "weight",
            "overweight/hold",
            "buy (small)",
            "no grade",
            "sell grade buy",
        ] {
            let refused = fitted(json!({ "grade": written })).unwrap_err();
            assert!(refused.contains("`grade` must be one of buy, overweight, hold"), "{refused}");
        }
        assert!(fitted(json!({ "Grade": "buy", "grade": "sell" })).unwrap_err().contains("twice"));
        assert_eq!(fitted(json!({ "Grade": "buy", "grade": "buy" })), Ok(json!({ "grade": "buy" })));
    }

    proptest! {
        #[test]
        fn a_word_is_never_taken_for_another(word in prop::sample::select(&GRADES[..]), before in "[a-z]{0,8}", after in "[a-z]{0,8}", between in "[ _-]") {
            prop_assume!(before != "grade" && after != "grade");
            let written = format!("{before}{between}{word}{between}{after}");
            let glued = format!("{before}{word}{after}");
            match fitted(json!({ "grade": written })) {
                Ok(value) => prop_assert_eq!(value["grade"].as_str().unwrap(), glued),
                Err(_) => prop_assert!(!GRADES.contains(&glued.as_str())),
            }
        }

        #[test]
        fn any_spelling_of_a_word_is_that_word(word in prop::sample::select(&GRADES[..]), seed in prop::collection::vec((any::<bool>(), 0..5_usize), 12)) {
            let mut written = String::new();
            for (letter, (capital, joint)) in word.chars().zip(seed) {
                written.push(if capital { letter.to_ascii_uppercase() } else { letter });
                written.push_str(["", "-", "_", " ", ""][joint]);
            }
            prop_assert_eq!(fitted(json!({ "grade": written })), Ok(json!({ "grade": word })));
        }
    }
}
