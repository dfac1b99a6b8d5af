//! How much of a file is read, and how large a team may be. Files come from strangers.

use serde_json::Value;

/// The most bytes of one file. Galleries with many teams stay far below.
pub const LARGEST_FILE: usize = 8 * 1024 * 1024;
/// The most files that are read together.
pub const MOST_FILES: usize = 64;
/// The most teams and library entries that one reading brings forth.
pub const MOST_ITEMS: usize = 512;
/// The most findings that are told.
pub const MOST_FINDINGS: usize = 1_000;
/// The most participants of one team.
pub const MOST_PARTICIPANTS: usize = 64;
/// The most tools, handoffs, memories or workbenches of one participant.
pub const MOST_PARTS: usize = 128;
/// The most conditions in one team's tree of conditions.
pub const MOST_CONDITIONS: usize = 128;
/// The most levels of conditions within each other.
pub const DEEPEST_CONDITION: usize = 12;
/// The most levels of teams within each other; a team with none inside has one.
pub const DEEPEST_TEAM: usize = 4;
/// The most characters of a name.
pub const LONGEST_NAME: usize = 120;
/// The most bytes of one text, such as a system message or the source of a tool.
pub const LONGEST_TEXT: usize = 64 * 1024;
/// The most bytes of a team as JSON: what fits into one document beside what surrounds it.
pub const LARGEST_TEAM: usize = 480 * 1024;
/// The most levels of lists and objects of a team as JSON: those of a document, without what surrounds it.
pub const DEEPEST_JSON: usize = 60;

/// Levels of lists and objects within each other. A plain value has none.
pub(crate) fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}
