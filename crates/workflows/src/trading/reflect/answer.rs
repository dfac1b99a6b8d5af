//! A lesson as a model writes it: its form, and its strict reading.

use llm::{AnswerSchema, parse_structured};
use serde::Deserialize;
use serde_json::json;

/// Characters of each text at most.
const LONGEST_TEXT: usize = 600;

/// A lesson as a model writes it, within all bounds. Figures and verdict are no part of it: code has them.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub struct LessonAnswer {
    pub(super) situation: String,
    pub(super) entry_advice: String,
    pub(super) exit_advice: String,
}

pub(super) fn lesson_schema() -> AnswerSchema {
    let text = json!({ "type": "string" });
    AnswerSchema {
        name: "lesson".to_owned(),
        schema: json!({
            "type": "object",
            "properties": { "situation": text, "entry_advice": text, "exit_advice": text },
            "required": ["situation", "entry_advice", "exit_advice"],
            "additionalProperties": false,
        }),
    }
}

/// Reads a lesson from what a model wrote.
///
/// # Errors
/// A text that says to the model what is wrong, to ask it again with.
pub fn read_lesson(text: &str) -> Result<LessonAnswer, String> {
    let LessonAnswer { situation, entry_advice, exit_advice } = parse_structured(text, &lesson_schema())?;
    let checked = |name: &str, text: String| {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(format!("`{name}` must not be empty. Answer again with the whole object.")),
            1..=LONGEST_TEXT => Ok(text.to_owned()),
            length => Err(format!(
                "`{name}` has {length} characters; at most {LONGEST_TEXT} are kept. Answer again, shorter."
            )),
        }
    };
    Ok(LessonAnswer {
        situation: checked("situation", situation)?,
        entry_advice: checked("entry_advice", entry_advice)?,
        exit_advice: checked("exit_advice", exit_advice)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_breaks_the_form_is_refused() {
        let answer = |situation: &str| {
            json!({ "situation": situation, "entry_advice": " Wait. ", "exit_advice": "Stay." }).to_string()
        };
        let read = read_lesson(&answer("A downtrend.")).unwrap();
        assert_eq!((read.situation.as_str(), read.entry_advice.as_str()), ("A downtrend.", "Wait."));
        assert!(read_lesson(&answer(" \n")).unwrap_err().contains("`situation` must not be empty"));
        assert!(read_lesson(&answer(&"a".repeat(601))).unwrap_err().contains("601 characters"));
        assert!(read_lesson("I learnt a lot.").is_err());
        assert!(read_lesson(r#"{"situation":"s","entry_advice":"e"}"#).is_err());
    }
}
