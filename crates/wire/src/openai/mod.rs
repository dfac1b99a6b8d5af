//! The chat completions of OpenAI's interface: a team is a model, and a request is a run of it.
//!
//! What a client sends becomes a [`Question`]; the log of the run that answers it becomes what a client is told through
//! [`Answering`]; what people call teams becomes a list of models. Whatever goes wrong is an [`Error`].
//!
//! Where it differs from a model's interface, on purpose:
//! - The content of an answer is the last message of the team alone, streamed or not: which one that is shows only at
//!   the end. While the team works, a stream tells what its agents say as `reasoning_content`, which clients for people
//!   show folded and programs do not read.
//! - What makes a model write otherwise, such as `temperature`, is ignored: the team's file says it. What would make the
//!   answer another thing, such as `tools` or more than one choice, is refused.
//! - `metadata.flow` names the flow that the run belongs to.

mod answering;
mod error;
mod question;
mod response;

pub use answering::*;
pub use error::*;
pub use question::*;
pub use response::*;
