use protocol::{
    FlowId,
    team::{EarlierMessage, MOST_EARLIER},
};
use serde_json::{Map, Value};

use super::Error;

/// What a client asks of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The team, as the client names it.
    pub model: String,
    /// What was said before.
    pub earlier: Vec<EarlierMessage>,
    /// The last message, which is the task.
    pub task: String,
    /// The flow that the run is to belong to; `None` for one of its own.
    pub flow: Option<FlowId>,
    /// How the answer is to come.
    pub delivery: Delivery,
}

/// How an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All at once.
    Whole,
    /// As a stream of chunks.
    Streamed {
        /// Whether the tokens are told in a chunk of their own at the end.
        with_usage: bool,
    },
}

impl Question {
    /// Reads the body of a request. Fields that are not known are ignored.
    ///
    /// # Errors
    /// It is no question that a team can be asked.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(Error::of_field(
                "messages",
                "The body must be a JSON object with \"model\" and \"messages\".",
            ));
        };
        refuse_impossible(&fields)?;
        let Some(Value::String(model)) = fields.get("model") else {
            return Err(Error::of_field(
                "model",
                "Name a team as \"model\"; GET /v1/models lists those that there are.",
            ));
        };
        let (earlier, task) = messages(fields.get("messages"))?;
        Ok(Self {
            model: model.clone(),
            earlier,
            task,
            flow: flow(fields.get("metadata"))?,
            delivery: delivery(&fields)?,
        })
    }
}

/// Refuses what would make the answer another thing than a team's last message.
fn refuse_impossible(fields: &Map<String, Value>) -> Result<(), Error> {
    let is_given = |field: &str| match fields.get(field) {
        None | Some(Value::Null) => false,
        Some(Value::Array(list)) => !list.is_empty(),
        Some(_) => true,
    };
    if fields.get("n").is_some_and(|n| !n.is_null() && n.as_u64() != Some(1)) {
        return Err(Error::of_field("n", "A team gives one answer. Leave \"n\" out, or ask again."));
    }
    for field in ["tools", "functions"] {
        if is_given(field) {
            return Err(Error::of_field(
                field,
                "A team calls the tools of its agents alone, and none of the caller's. Leave them out.",
            ));
        }
    }
    let format = fields.get("response_format").filter(|format| !format.is_null());
    if format.is_some_and(|format| format.get("type").and_then(Value::as_str) != Some("text")) {
        return Err(Error::of_field(
            "response_format",
            "A team answers with text. Leave the format out, and ask for it in the task.",
        ));
    }
    let modalities = fields.get("modalities").and_then(Value::as_array);
    if modalities.is_some_and(|list| list.iter().any(|modality| modality != "text")) {
        return Err(Error::of_field("modalities", "A team answers with text alone."));
    }
    Ok(())
}

fn messages(given: Option<&Value>) -> Result<(Vec<EarlierMessage>, String), Error> {
    let wrong = |message: &str| Error::of_field("messages", message);
    let Some((last, before)) = given.and_then(Value::as_array).and_then(|messages| messages.split_last())
    else {
        return Err(wrong("\"messages\" must be a list, the last of which is the task."));
    };
    if before.len() > MOST_EARLIER {
        return Err(Error::too_long(&format!("there are more than {MOST_EARLIER} before the last one")));
    }
    let task = message(last)?;
    if task.from != USER || task.text.trim().is_empty() {
        return Err(wrong("The last message must be a text of the role \"user\": it is the task."));
    }
    let before: Vec<EarlierMessage> = before.iter().map(message).collect::<Result<_, _>>()?;
    let earlier = before.into_iter().filter(|message| !message.text.trim().is_empty()).collect();
    Ok((earlier, task.text))
}

/// The role, and the name, of whoever asks.
const USER: &str = "user";

fn message(message: &Value) -> Result<EarlierMessage, Error> {
    let wrong = |message: &str| Error::of_field("messages", message);
    let from = match message.get("role").and_then(Value::as_str) {
        Some(USER) => USER,
        Some("assistant") => "assistant",
        Some("system" | "developer") => "system",
        Some("tool" | "function") => {
            return Err(wrong(
                "A team is given no results of the caller's tools. Write what matters of them into a message.",
            ));
        }
        _ => return Err(wrong("A message must have the role \"system\", \"user\" or \"assistant\".")),
    };
    let text = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let parts = parts.iter().map(part).collect::<Option<Vec<_>>>();
            let parts = parts.ok_or_else(|| {
                wrong("Only texts go along, no images, sounds or files. Write what matters of them into a message.")
            })?;
            parts.join("\n")
        }
        None | Some(Value::Null) => String::new(),
        Some(_) => return Err(wrong("The content of a message must be a text, or a list of texts.")),
    };
    Ok(EarlierMessage { from: from.to_owned(), text })
}

/// The text of a part; `None` for one of another kind.
fn part(part: &Value) -> Option<&str> {
    match part.get("type").and_then(Value::as_str)? {
        "text" => part.get("text").and_then(Value::as_str),
        "refusal" => part.get("refusal").and_then(Value::as_str),
        _ => None,
    }
}

fn flow(metadata: Option<&Value>) -> Result<Option<FlowId>, Error> {
    let Some(flow) = metadata.and_then(|metadata| metadata.get("flow")) else { return Ok(None) };
    let parsed = flow.as_str().map(str::parse);
    match parsed {
        Some(Ok(flow)) => Ok(Some(flow)),
        Some(Err(invalid)) => Err(Error::of_field("metadata", format!("{invalid}."))),
        None => Err(Error::of_field("metadata", "\"flow\" must be the id of a flow, as a text.")),
    }
}

fn delivery(fields: &Map<String, Value>) -> Result<Delivery, Error> {
    match fields.get("stream") {
        None | Some(Value::Null | Value::Bool(false)) => Ok(Delivery::Whole),
        Some(Value::Bool(true)) => {
            let options = fields.get("stream_options");
            let with_usage = options.and_then(|options| options.get("include_usage"));
            Ok(Delivery::Streamed { with_usage: with_usage == Some(&Value::Bool(true)) })
        }
        Some(_) => Err(Error::of_field("stream", "\"stream\" must be true or false.")),
    }
}
