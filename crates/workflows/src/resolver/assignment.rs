//! What the agents of one task share.

use tools::Registry;

/// A person's request, and what may be used for it.
#[derive(Clone)]
pub(super) struct Assignment {
    pub(super) request: String,
    pub(super) context: String,
    pub(super) tools: Registry,
}
