//! Language models behind one trait, [`ChatModel`].
//!
//! - [`Provider`] asks real models. Answers are streamed; a failed attempt is repeated with growing
//!   waits; an answer that is late, broken or too large is a typed [`ChatError`], never a shorter answer.
//! - [`Rehearsal`] speaks the answers of a [`Script`], so that a first run needs no key and tests need
//!   no network.
//!
//! Two paths lead to real models:
//!
//! - Every endpoint that speaks the protocol of `OpenAI`'s chat completions is read by this crate itself.
//!   Through the genai crate it cannot be told whether a stream without a closing `[DONE]` had named its
//!   reason to stop, an endless line would be collected whole in memory, and tool calls without an index
//!   would be lost.
//! - Providers with a protocol of their own (Anthropic, Gemini, Ollama, the Responses interface of
//!   `OpenAI` …) are reached through genai, by model name. A stream of theirs that ends without a reason
//!   to stop counts as broken, and the limit of an answer's size holds for what genai hands on.
//!
//! [`extract_json`] and [`parse_structured`] read the JSON object in what a model wrote.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod address;
mod attempt;
mod backoff;
mod calls;
mod chat;
mod config;
mod deadline;
mod echo;
mod endpoint_queues;
mod error;
mod failure;
mod fair_queue;
mod form;
mod hint;
mod instructions;
mod json;
mod native;
mod nesting;
mod openai;
mod optional_fields;
mod partial_answer;
mod price;
mod provider;
mod registry;
mod rehearsal;
mod repetition;
mod retry;
mod route;
mod secret;
mod sse;
mod structured;
mod thoughts;
mod tool_name;
mod tool_text;
mod wire;

pub use backoff::Backoff;
pub use chat::{
    AnswerSchema, Arguments, ChatAnswer, ChatFailure, ChatModel, ChatRequest, Message, Piece, Sink,
    ToolRequest, ToolSpec, render, render_message,
};
pub use config::{ProviderConfig, Tiers, Timeouts};
pub use endpoint_queues::EndpointQueues;
pub use error::{ChatError, TimeoutPhase};
pub use json::JsonError;
pub use price::PriceTable;
pub use provider::Provider;
pub use registry::{Missing, ModelRegistry};
pub use rehearsal::{Rehearsal, Script, Turn};
pub use secret::Secret;
pub use structured::{extract_json, parse_structured};
