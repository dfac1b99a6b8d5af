//! Changes of one assistant. All take the object of its role.

use serde_json::{Value, json};

/// Chooses how much of the conversation the model reads; all of it is what nothing is said for.
pub(in super::super) fn choose_context(role: &mut Value, kind: &str) {
    let Value::Object(role) = role else { return };
    let context = match kind {
        "unbounded" => {
            role.shift_remove("context");
            return;
        }
        "buffered" => json!({ "kind": kind, "size": 10 }),
        "head_and_tail" => json!({ "kind": kind, "head": 1, "tail": 10 }),
        _ => json!({ "kind": kind }),
    };
    role.insert("context".to_owned(), context);
}

/// Lets it call a tool of the server, unless it may already.
pub(in super::super) fn add_tool(role: &mut Value, name: &str) {
    if tools(role).iter().any(|tool| tool == name) {
        return;
    }
    let Value::Object(role) = role else { return };
    if let Value::Array(tools) = role.entry("tools").or_insert_with(|| json!([])) {
        tools.push(json!({ "name": name, "kind": { "kind": "server" } }));
    }
}

/// Lets it call a tool no more.
pub(in super::super) fn remove_tool(role: &mut Value, number: usize) {
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
pub(in super::super) fn tools(role: &Value) -> Vec<String> {
    let tools = role.get("tools").and_then(Value::as_array).into_iter().flatten();
    tools.map(|tool| tool.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The role as whoever runs a team reads it.
    fn read(role: &Value) -> teamfile::team::Role {
        serde_json::from_value(role.clone()).unwrap()
    }

    #[test]
    fn how_much_is_read_has_what_each_kind_needs() {
        use teamfile::team::{Assistant, Context, Role};
        let mut role = json!({ "kind": "assistant" });
        for (kind, context) in [
            ("buffered", Context::Buffered { size: 10 }),
            ("head_and_tail", Context::HeadAndTail { head: 1, tail: 10 }),
            ("token_limited", Context::TokenLimited { model: None, limit: None }),
            ("unbounded", Context::Unbounded),
        ] {
            choose_context(&mut role, kind);
            assert_eq!(read(&role), Role::Assistant(Box::new(Assistant { context, ..Assistant::default() })));
        }
        assert_eq!(role, json!({ "kind": "assistant" }));
    }

    #[test]
    fn a_tool_of_the_server_is_named_once() {
        let mut role = json!({ "kind": "assistant" });
        add_tool(&mut role, "search");
        add_tool(&mut role, "get");
        add_tool(&mut role, "search");
        assert_eq!(tools(&role), ["search", "get"]);
        assert!(matches!(read(&role), teamfile::team::Role::Assistant(assistant)
            if assistant.tools[0].kind == teamfile::team::ToolKind::Server {}));
        remove_tool(&mut role, 0);
        remove_tool(&mut role, 7);
        assert_eq!(tools(&role), ["get"]);
        remove_tool(&mut role, 0);
        assert_eq!(role, json!({ "kind": "assistant" }));
    }
}
