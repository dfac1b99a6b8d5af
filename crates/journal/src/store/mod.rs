//! All SQL: checks at the start, the readers' queries, the writer's statements.

pub(crate) mod block;
pub(crate) mod documents;
pub(crate) mod numbers;
mod open;
mod read;
mod readers;
pub(crate) mod remove;
pub(crate) mod spend;
mod upgrade;
pub(crate) mod write;

pub(crate) use open::{
    Opened, check_file, is_present_form, is_shrinkable, lock, make_shrinkable, open, open_to_read,
};
pub(crate) use read::Store;
pub(crate) use upgrade::count_spend;

use protocol::RunId;
use serde::Serialize;

/// A run's id in the database: 16 bytes that sort by creation.
fn key(run: RunId) -> Vec<u8> {
    run.0.as_bytes().to_vec()
}

/// The word of an enum value in JSON, which is also what the database stores.
fn word(value: &impl Serialize) -> Result<String, sqlx::Error> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(sqlx::Error::Encode(format!("{other} is no word").into())),
        Err(error) => Err(sqlx::Error::Encode(error.into())),
    }
}
