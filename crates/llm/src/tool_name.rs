//! Names of tools, as models write them and as providers accept them.

use crate::ToolSpec;

/// The longest name that every provider accepts, in characters.
const LONGEST: usize = 64;

/// The offered tool that a name means: some models put a namespace before it (`functions.prices`), or tokens
/// of their own after it (`prices<|channel|>json`).
pub(crate) fn meant<'a>(name: &str, tools: &'a [ToolSpec]) -> Option<&'a str> {
    let offered = |name: &str| tools.iter().find(|tool| tool.name == name).map(|tool| tool.name.as_str());
    let bare = name.split("<|").next().unwrap_or(name).trim();
    let last = bare.rsplit(['.', '/', ':']).next().unwrap_or(bare);
    offered(name).or_else(|| offered(bare)).or_else(|| offered(last))
}

/// The name in a form that every provider accepts: a model may request a tool under any name, but a request
/// with other characters in a name is refused as a whole.
pub(crate) fn sendable(name: &str) -> String {
    let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
    let name = name.chars().take(LONGEST).map(|character| if allowed(character) { character } else { '_' });
    let name: String = name.collect();
    if name.is_empty() { "_".to_owned() } else { name }
}
