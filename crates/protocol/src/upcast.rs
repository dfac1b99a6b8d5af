//! What logs of earlier versions say in the words of this one. The bytes in the file stay as they are;
//! they are understood anew whenever they are read.
//!
//! Earlier versions knew one family, so this is the one place of general code that names it.

use crate::{Body, Heading, Workflow, trading};

/// The heading of a run whose first event has none.
pub(crate) fn heading(workflow: &Workflow) -> Heading {
    trading::earlier::heading(workflow).unwrap_or_else(|| Heading::of_unknown(workflow.kind()))
}

/// The body that a kind of earlier versions stands for; `None` for every other kind, and where the data
/// cannot be read.
pub(crate) fn body(kind: &str, data: &str) -> Option<Body> {
    trading::earlier::product(kind, data).map(Body::Produced)
}
