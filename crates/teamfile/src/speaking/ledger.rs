//! What the model that leads a Magentic-One team says of the progress.

use serde_json::{Map, Value, json};

/// The progress, as the leading model sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// Whether the request is satisfied.
    pub is_request_satisfied: bool,
    /// Why.
    pub satisfied_reason: String,
    /// Whether the work goes round in circles.
    pub is_in_loop: bool,
    /// Whether progress is being made.
    pub is_progress_being_made: bool,
    /// Who speaks next: one who takes part.
    pub next_speaker: String,
    /// What they are told.
    pub instruction: String,
}

/// Why an answer is no ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLedger {
    /// There is no JSON in it.
    #[error("there is no JSON object in it")]
    NoObject,
    /// A field is missing, or is of another form.
    #[error("it lacks `{0}` with an answer of the right form")]
    Field(&'static str),
    /// It names somebody who does not take part.
    #[error("it names somebody who takes no part in the team")]
    Stranger,
}

impl Ledger {
    /// Reads an answer: JSON, also with words or a fence around it. Of a team of one, that one is next whatever the
    /// model says.
    ///
    /// # Errors
    /// See [`InvalidLedger`].
    pub fn read(answer: &str, participants: &[&str]) -> Result<Self, InvalidLedger> {
        let fields = object(answer).ok_or(InvalidLedger::NoObject)?;
        let said = text(&fields, "next_speaker");
        let next_speaker = match participants {
            [only] => only,
            _ => {
                let said = said?;
                participants.iter().find(|name| **name == said.trim()).ok_or(InvalidLedger::Stranger)?
            }
        };
        Ok(Self {
            is_request_satisfied: truth(&fields, "is_request_satisfied")?,
            satisfied_reason: reason(&fields, "is_request_satisfied"),
            is_in_loop: truth(&fields, "is_in_loop")?,
            is_progress_being_made: truth(&fields, "is_progress_being_made")?,
            next_speaker: (*next_speaker).to_owned(),
            instruction: text(&fields, "instruction_or_question")?,
        })
    }

    /// The schema of the answer.
    #[must_use]
    pub fn schema(participants: &[&str]) -> Value {
        let entry = |answer: Value| {
            json!({
                "type": "object",
                "properties": { "reason": { "type": "string" }, "answer": answer },
                "required": ["reason", "answer"],
                "additionalProperties": false,
            })
        };
        json!({
            "type": "object",
            "properties": {
                "is_request_satisfied": entry(json!({ "type": "boolean" })),
                "is_in_loop": entry(json!({ "type": "boolean" })),
                "is_progress_being_made": entry(json!({ "type": "boolean" })),
                "next_speaker": entry(json!({ "type": "string", "enum": participants })),
                "instruction_or_question": entry(json!({ "type": "string" })),
            },
            "required": [
                "is_request_satisfied",
                "is_in_loop",
                "is_progress_being_made",
                "next_speaker",
                "instruction_or_question",
            ],
            "additionalProperties": false,
        })
    }
}

/// The first JSON object in a text.
fn object(text: &str) -> Option<Map<String, Value>> {
    /// Texts with this many braces that begin no object are no answer.
    const TRIES: usize = 16;
    text.match_indices('{').take(TRIES).find_map(|(place, _)| {
        let mut values = serde_json::Deserializer::from_str(&text[place..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Object(fields))) => Some(fields),
            _ => None,
        }
    })
}

fn answer<'a>(fields: &'a Map<String, Value>, name: &'static str) -> Result<&'a Value, InvalidLedger> {
    fields.get(name).and_then(|field| field.get("answer")).ok_or(InvalidLedger::Field(name))
}

fn truth(fields: &Map<String, Value>, name: &'static str) -> Result<bool, InvalidLedger> {
    match answer(fields, name)? {
        Value::Bool(truth) => Ok(*truth),
        Value::String(word) if word.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(word) if word.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(InvalidLedger::Field(name)),
    }
}

fn text(fields: &Map<String, Value>, name: &'static str) -> Result<String, InvalidLedger> {
    answer(fields, name)?.as_str().map(str::to_owned).ok_or(InvalidLedger::Field(name))
}

fn reason(fields: &Map<String, Value>, name: &str) -> String {
    let reason = fields.get(name).and_then(|field| field.get("reason")).and_then(Value::as_str);
    reason.unwrap_or_default().to_owned()
}
