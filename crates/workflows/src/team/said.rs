//! What a turn writes into the log.

use engine::NodeError;
use protocol::{
    Body, Said,
    team::{NoProduct, TeamTurn},
};
use serde_json::Value;
use teamfile::Message;

/// What is written of what somebody said and did: each message for people, and all of it, with the events between,
/// in AutoGen's form.
///
/// # Errors
/// It has no JSON form.
pub(super) fn turn(said: &[Message]) -> Result<Vec<Body>, NodeError> {
    let mut written: Vec<Body> = said.iter().filter(|message| message.is_chat()).map(message).collect();
    if !said.is_empty() {
        let messages = said.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>();
        let messages = messages.map_err(|error| unwritable(&error.into()))?;
        written.push(product(TeamTurn { messages }.product())?);
    }
    Ok(written)
}

/// What a product is written as.
///
/// # Errors
/// It has no JSON form.
pub(super) fn product(made: Result<protocol::Product, NoProduct>) -> Result<Body, NodeError> {
    made.map(Body::Produced).map_err(|error| unwritable(&error))
}

fn message(message: &Message) -> Body {
    Body::Said(Said { source: message.source.clone(), content: message.to_text().into() })
}

fn unwritable(error: &NoProduct) -> NodeError {
    NodeError::failed(format!("What was brought forth cannot be kept: {error}."))
}
