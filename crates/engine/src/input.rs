//! Questions to people, and the validation of answers.

use std::time::Duration;

use protocol::{Answer, CallId, InputForm, InputReceived, InputRequest, NodeId, Text};
use serde_json::Value;

use crate::{BoundedSchema, NodeError, progress::Progress};

/// Bytes of an answer at most.
pub(crate) const LONGEST_ANSWER: usize = 64 * 1024;
/// The most faults of an answer that are told at once.
const MOST_FAULTS: usize = 5;

/// What a node asks a person.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked.
    pub prompt: String,
    /// Why it is asked, as the page shows it.
    pub reason: Option<String>,
    /// The form of the answer.
    pub form: AnswerForm,
    /// How long to wait for an answer; `None`: without a deadline.
    pub patience: Option<Duration>,
    /// The answer at the deadline; without one, the node fails then.
    pub default: Option<Value>,
}

/// The form of an answer to a node's question.
#[derive(Clone, Debug)]
pub enum AnswerForm {
    /// Any text but an empty one.
    Text,
    /// One of these choices.
    Choice(Vec<String>),
    /// A value by a JSON schema.
    Object(Value),
}

impl AnswerForm {
    /// An object by a schema that somebody else wrote, such as a model.
    ///
    /// # Errors
    /// It is no JSON schema of an object, or one by which answers might be checked without end; the sentence
    /// says why.
    pub fn object(schema: Value) -> Result<Self, String> {
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err("its \"type\" must be \"object\"".to_owned());
        }
        BoundedSchema::new(&schema)?;
        Ok(Self::Object(schema))
    }
}

impl From<AnswerForm> for InputForm {
    fn from(form: AnswerForm) -> Self {
        match form {
            AnswerForm::Text => Self::Text,
            AnswerForm::Choice(options) => Self::Choice { options },
            AnswerForm::Object(schema) => Self::Object { schema: schema.to_string().into() },
        }
    }
}

/// Why an answer is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// There is no such question.
    #[error("The run does not ask \"{0}\".")]
    NotAsked(CallId),
    /// There is no such node.
    #[error("The run has no node \"{0}\".")]
    NoSuchNode(NodeId),
    /// It was answered already, or its deadline passed.
    #[error("This question has been answered already.")]
    Answered,
    /// What is to be approved has changed since it was shown.
    #[error("What is to be approved has changed since it was shown. Look at it again, then decide.")]
    Changed,
    /// A node has not read what it was told before.
    #[error("The node \"{0}\" has not read what it was told before. Wait until it does.")]
    Unread(NodeId),
    /// The answer does not match the form.
    #[error("{0}")]
    Invalid(String),
}

/// A question that waits for its answer, and the node that asked it.
pub(crate) struct Open {
    pub node: NodeId,
    request: InputRequest,
}

/// The open question that is answered. It is a copy, so that nobody waits for the progress while an answer is
/// checked.
pub(crate) fn open(progress: &Progress, received: &InputReceived) -> Result<Open, InputError> {
    let input = &received.input;
    match progress.open(input) {
        Some((node, request)) => Ok(Open { node: node.clone(), request: request.clone() }),
        None if progress.was_asked(input) => Err(InputError::Answered),
        None => Err(InputError::NotAsked(input.clone())),
    }
}

impl Open {
    /// Validates an answer to the question.
    pub fn check(&self, received: &InputReceived) -> Result<(), InputError> {
        // The node itself answers at the deadline, with no person.
        if received.by.is_some() { fits(&self.request, &received.answer) } else { Ok(()) }
    }
}

fn fits(request: &InputRequest, answer: &Answer) -> Result<(), InputError> {
    match (&request.form, answer) {
        (InputForm::Approval(form), Answer::Approved { digest, edits }) => {
            if *digest != form.digest {
                return Err(InputError::Changed);
            }
            edits.iter().try_for_each(|(key, text)| {
                parse(text).map(drop).map_err(|error| invalid(format!("The new value of \"{key}\": {error}")))
            })
        }
        (InputForm::Approval(form), Answer::SentBack { to, comment }) => {
            if !form.back.contains(to) {
                return Err(invalid(format!("The work cannot be sent back to \"{to}\".")));
            }
            if comment.trim().is_empty() || comment.len() > LONGEST_ANSWER {
                return Err(invalid("Say what is to be done differently, in at most 64 KiB."));
            }
            Ok(())
        }
        (InputForm::Approval(form), Answer::Rerouted { to }) => {
            if form.routes.contains(to) {
                Ok(())
            } else {
                Err(invalid(format!("The run cannot go on at \"{to}\" from here.")))
            }
        }
        (InputForm::Approval(_), Answer::Rejected { .. }) => Ok(()),
        (InputForm::Approval(_), _) => {
            Err(invalid("Approve, edit, send back, take another route, or reject."))
        }
        (form, Answer::Value { json }) => is_value(form, &parse(json).map_err(invalid)?),
        _ => Err(invalid("This question asks for a value.")),
    }
}

fn parse(text: &Text) -> Result<Value, String> {
    let json = text.whole().unwrap_or_default();
    if json.len() > LONGEST_ANSWER {
        return Err("it is longer than 64 KiB.".to_owned());
    }
    serde_json::from_str(json).map_err(|error| format!("it is not valid JSON: {error}."))
}

fn is_value(form: &InputForm, value: &Value) -> Result<(), InputError> {
    match form {
        InputForm::Text => match value.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(()),
            _ => Err(invalid("Answer with some text.")),
        },
        InputForm::Choice { options } => {
            let chosen = value.as_str().is_some_and(|chosen| options.iter().any(|option| option == chosen));
            if chosen { Ok(()) } else { Err(invalid(format!("Choose one of: {}.", options.join(", ")))) }
        }
        InputForm::Object { schema } => {
            let schema = parse(schema).map_err(invalid)?;
            let schema = BoundedSchema::new(&schema)
                .map_err(|error| invalid(format!("The question's schema cannot be used: {error}.")))?;
            let faults: Vec<String> =
                schema.faults(value, MOST_FAULTS).iter().map(ToString::to_string).collect();
            if faults.is_empty() { Ok(()) } else { Err(invalid(format!("{}.", faults.join("; ")))) }
        }
        InputForm::Approval(_) => Ok(()),
    }
}

pub(crate) fn invalid(sentence: impl Into<String>) -> InputError {
    InputError::Invalid(sentence.into())
}

/// The value that the asking node gets.
pub(crate) fn value_of(answer: &Answer) -> Result<Value, NodeError> {
    match answer {
        Answer::Value { json } => serde_json::from_str(json.whole().unwrap_or_default())
            .map_err(|error| NodeError::failed(format!("The answer in the log is not valid JSON: {error}."))),
        _ => Err(NodeError::failed("Nobody answered in time.")),
    }
}
