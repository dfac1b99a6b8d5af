//! The WebSocket interface of MAWS, `WS /ws/{session_id}`: a conversation about tasks.
//!
//! A client's texts become [`ClientMessage`]s; the logs of a session's runs become [`Frame`]s through [`Stream`].
//! `docs/maws.md` describes the JSON for those who write clients.
//!
//! MAWS fixes the tags `[AGENT STREAM]`, `[CHAT_RESPONSE]` and `ERROR`, and no JSON. Here a message is an object whose
//! `type` is the tag. What MAWS lost when its server ended is in the log: each message but pieces of text in flight
//! has a position, after which a client that comes back is sent what it missed.

mod message;
mod position;
mod stream;

pub use message::*;
pub use position::*;
pub use stream::*;
