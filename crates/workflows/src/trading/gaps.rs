//! Whether what an agent looked up gave it anything to go by.

use protocol::ToolStatus;

use super::tools::CRITICAL_CONDITION;
use crate::agent::ToolUse;

/// Why an agent has nothing to go by: none of its lookups gave data.
pub(super) fn gap(tools: &[ToolUse]) -> Option<String> {
    let lookups = || tools.iter().filter(|used| used.name != CRITICAL_CONDITION);
    if lookups().any(|used| used.status == ToolStatus::Success) {
        return None;
    }
    let mut reasons: Vec<&str> = lookups().map(|used| used.text.as_str()).collect();
    reasons.dedup();
    Some(if reasons.is_empty() { "The model looked nothing up.".to_owned() } else { reasons.join(" ") })
}
