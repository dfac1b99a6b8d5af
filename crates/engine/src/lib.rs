//! Runs graphs of work, durably.
//!
//! A run is driven by its log. [`Progress`](progress::Progress) folds the log into what has been
//! done; the executor looks at it, starts what is ready, and appends what happened. After a crash
//! the same fold of the same log says where to go on: finished nodes are not run again, answered
//! calls are not made again, and only what was in flight is repeated.
//!
//! - [`Graph`]: nodes, joins, branches, loops
//! - [`Work`] and [`NodeContext`]: what a node does, and what it may ask for
//! - [`Engine`]: start, stop, answer, fork, chat, resume, shut down
//! - [`BoundedSchema`]: what checks values that others wrote
//! - [`LiveCalls`]: the text of model calls in flight, which is not in the log
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod admission;
mod allowance;
mod approval;
mod asked;
mod chat;
mod command;
mod context;
mod engine;
mod execution;
mod fork;
mod graph;
mod group;
mod growth;
mod inbox;
mod input;
mod lane;
mod live;
mod log_writer;
mod progress;
mod prompt;
mod queue;
mod run_graph;
mod run_log;
mod schema;
mod state;
mod sub_run;
mod tree;
mod waits;
mod work;

pub use admission::Full;
pub use allowance::{Allowance, Allowances};
pub use chat::CHAT_AGENT;
pub use context::NodeContext;
pub use engine::{Engine, EngineError, EngineOptions, Plan, PlanError, Workflows, share_of};
pub use fork::ForkError;
pub use graph::{Graph, GraphError, Route};
pub use inbox::Message;
pub use input::{AnswerForm, InputError, Question};
pub use lane::Lane;
pub use live::{LiveCalls, LiveCursor};
pub use protocol::{GrownNode, Growth, Join};
pub use schema::{BoundedSchema, Fault};
pub use state::{ListMark, State, StateValue};
pub use sub_run::SubRun;
pub use work::{NodeError, Outcome, ToolResult, Work};
