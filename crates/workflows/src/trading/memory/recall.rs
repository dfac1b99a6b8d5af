//! The lessons of a case as a tool call: what was chosen once stands in the log, whatever is written later.

use engine::{NodeContext, NodeError};
use serde_json::Value;

use super::{
    choice::{Case, LessonsForCase},
    lessons::Lessons,
};
use crate::trading::measured::{Found, measure};

/// The tool by which code looks for lessons.
const RECALL: &str = "recall_lessons";

/// Looks for the lessons of a case. `asked` names the case in the log.
///
/// # Errors
/// The lessons cannot be read, or the log not be written.
pub(in crate::trading) async fn recall(
    node: &NodeContext,
    lessons: &Lessons,
    asked: &Value,
    case: &Case<'_>,
) -> Result<LessonsForCase, NodeError> {
    let looking = Box::pin(async {
        let value = lessons.for_case(node.owner(), case).await.map_err(|error| error.to_string())?;
        Ok(Found { value, vendor: "Pitwall".to_owned(), is_degraded: false })
    });
    measure(node, RECALL, asked, looking).await
}
