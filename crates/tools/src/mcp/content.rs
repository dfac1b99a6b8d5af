//! A server's answer to a call, as the model gets it.

use protocol::ToolStatus;
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use crate::Outcome;

/// The texts of the answer. What is no text is named and left out, and the outcome is degraded then.
pub(super) fn outcome(result: CallToolResult, server: &str) -> Outcome {
    let CallToolResult { content, structured_content, is_error, .. } = result;
    let mut is_whole = true;
    let mut parts: Vec<String> = Vec::new();
    for block in content {
        let (part, is_text) = part(block);
        is_whole &= is_text;
        parts.push(part);
    }
    // Servers that answer with a structure repeat it as text, for those who read no structures.
    if parts.is_empty()
        && let Some(structure) = structured_content
    {
        parts.push(structure.to_string());
    }
    let text = match parts.is_empty() {
        true => "(The tool answered with nothing.)".to_owned(),
        false => parts.join("\n\n"),
    };
    let status = match (is_error, is_whole) {
        (Some(true), _) => ToolStatus::Error,
        (_, false) => ToolStatus::Degraded,
        (_, true) => ToolStatus::Success,
    };
    Outcome { status, text, source: Some(server.to_owned()) }
}

/// A block as text, and whether that is all of it.
fn part(block: ContentBlock) -> (String, bool) {
    match block {
        ContentBlock::Text(text) => (text.text, true),
        ContentBlock::Image(image) => (left_out("An image", &image.mime_type), false),
        ContentBlock::Audio(audio) => (left_out("A sound", &audio.mime_type), false),
        ContentBlock::Resource(resource) => match resource.resource {
            ResourceContents::TextResourceContents { uri, text, .. } => (format!("{uri}:\n{text}"), true),
            ResourceContents::BlobResourceContents { uri, .. } => {
                (format!("[{uri} is no text and was left out.]"), false)
            }
            _ => (left_out("A resource", "unknown"), false),
        },
        ContentBlock::ResourceLink(link) => (format!("{} ({})", link.name, link.uri), true),
        _ => (left_out("A part", "unknown"), false),
    }
}

fn left_out(what: &str, kind: &str) -> String {
    format!("[{what} of the type {kind} was left out.]")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn answered(result: Value) -> (ToolStatus, String) {
        let outcome = outcome(serde_json::from_value(result).unwrap(), "files");
        (outcome.status, outcome.text)
    }

    #[test]
    fn texts_are_joined_and_the_rest_is_named() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        let image = json!({ "type": "image", "data": "aGVsbG8=", "mimeType": "image/png" });
        let blob = json!({ "type": "resource", "resource": { "uri": "file:///a", "blob": "aGVsbG8=" } });
        assert_eq!(
            answered(json!({ "content": [text("one"), text("two")] })),
            (ToolStatus::Success, "one\n\ntwo".to_owned())
        );
        let (status, said) = answered(json!({ "content": [text("one"), image, blob] }));
        assert_eq!(status, ToolStatus::Degraded);
        assert!(
            said.contains("image/png was left out") && said.contains("file:///a") && !said.contains("aGVs")
        );
        let (status, said) = answered(json!({ "content": [text("No such file")], "isError": true }));
        assert_eq!((status, said.as_str()), (ToolStatus::Error, "No such file"));
    }

    #[test]
    fn a_structure_stands_for_a_text_that_is_missing() {
        let structure = json!({ "sum": 5 });
        assert_eq!(
            answered(json!({ "content": [], "structuredContent": structure })),
            (ToolStatus::Success, structure.to_string())
        );
        assert_eq!(answered(json!({ "content": [] })).1, "(The tool answered with nothing.)");
    }
}
