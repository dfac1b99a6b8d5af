//! Changes of the tools of an assistant. All take the object of its role.

use serde_json::{Value, json};

/// Lets it call a tool of the server, unless it may already.
pub(in super::super) fn add(role: &mut Value, name: &str) {
    if names(role).iter().any(|tool| tool == name) {
        return;
    }
    let Value::Object(role) = role else { return };
    if let Value::Array(tools) = role.entry("tools").or_insert_with(|| json!([])) {
        tools.push(json!({ "name": name, "kind": { "kind": "server" } }));
    }
}

/// Lets it call a tool no more.
pub(in super::super) fn remove(role: &mut Value, number: usize) {
    let Value::Object(role) = role else { return };
    let Some(Value::Array(tools)) = role.get_mut("tools") else { return };
    if number < tools.len() {
        tools.remove(number);
    }
    if tools.is_empty() {
        role.shift_remove("tools");
    }
}

/// The names of the tools that it may call.
pub(in super::super) fn names(role: &Value) -> Vec<String> {
    let tools = role.get("tools").and_then(Value::as_array).into_iter().flatten();
    tools.map(|tool| tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_of_the_server_is_named_once() {
        let mut role = json!({ "kind": "assistant" });
        add(&mut role, "search");
        add(&mut role, "get");
        add(&mut role, "search");
        assert_eq!(names(&role), ["search", "get"]);
        // Whoever runs the team reads it so.
        let read = serde_json::from_value(role.clone()).unwrap();
        assert!(matches!(read, teamfile::team::Role::Assistant(assistant)
            if assistant.tools[0].kind == teamfile::team::ToolKind::Server {}));
        remove(&mut role, 0);
        remove(&mut role, 7);
        assert_eq!(names(&role), ["get"]);
        remove(&mut role, 0);
        assert_eq!(role, json!({ "kind": "assistant" }));
    }
}
