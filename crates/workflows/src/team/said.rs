//! What a turn writes into the log.

use engine::NodeError;
use protocol::{
    Body, Said,
    team::{NoProduct, TeamTurn},
};
use teamfile::Message;

/// What is written of what somebody said and did: each message for people, and all of it, with the events between,
/// in AutoGen's form.
///
/// # Errors
/// It has no JSON form.
pub(super) fn turn(said: &[Message]) -> Result<Vec<Body>, NodeError> {
    written(said, |_| true)
}

/// The same of somebody whose texts are answers of a model: those stand in the log as the answers that they are.
///
/// # Errors
/// It has no JSON form.
pub(super) fn turn_of_model(said: &[Message]) -> Result<Vec<Body>, NodeError> {
    written(said, |message| !matches!(message.body, teamfile::Body::Text { .. }) || message.usage.is_none())
}

fn written(said: &[Message], is_news: impl Fn(&Message) -> bool) -> Result<Vec<Body>, NodeError> {
    let news = said.iter().filter(|message| message.is_chat() && is_news(message));
    let mut written: Vec<Body> = news.map(message).collect();
    if !said.is_empty() {
        written.push(product(TeamTurn::product_of(said))?);
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
