//! Changes of the servers of tools that a file names for an assistant. All take the object of its role.

use serde_json::Value;

/// What people call the servers that are named: a program, an address, or a kind that is not known.
pub(in super::super) fn labels(role: &Value) -> Vec<String> {
    let benches = role.get("workbenches").and_then(Value::as_array).into_iter().flatten();
    let label = |bench: &Value| {
        let server = bench.get("server");
        let field = |name: &str| server.and_then(|server| server.get(name)).or_else(|| bench.get(name)).and_then(Value::as_str);
        let program = field("command").map(|command| {
            let arguments = server.and_then(|server| server.get("arguments")).and_then(Value::as_array);
            let arguments = arguments.into_iter().flatten().filter_map(Value::as_str);
            std::iter::once(command).chain(arguments).collect::<Vec<_>>().join(" ")
        });
        program.or_else(|| field("url").or_else(|| field("provider")).map(str::to_owned)).unwrap_or_default()
    };
    benches.map(label).collect()
}

/// Takes a server out of what is named.
pub(in super::super) fn remove(role: &mut Value, number: usize) {
    let Value::Object(role) = role else { return };
    let Some(Value::Array(benches)) = role.get_mut("workbenches") else { return };
    if number < benches.len() {
        benches.remove(number);
    }
    if benches.is_empty() {
        role.shift_remove("workbenches");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use teamfile::team::{Assistant, McpServer, McpTransport, Role, Workbench};

    use super::*;

    #[test]
    fn servers_that_a_file_names_are_called_by_what_reaches_them_and_can_be_taken_out() {
        let server = |transport| Workbench::Mcp { server: McpServer { transport, parameters: Default::default() }, overrides: Default::default() };
        let program = McpTransport::Stdio { command: "uvx".into(), arguments: vec!["mcp-server-fetch".into()], variables: vec![] };
        let address = McpTransport::Sse { url: "https://example.com/sse".into(), headers: vec![] };
        let other = Workbench::Other { provider: "my.Bench".into(), config: Default::default() };
        let workbenches = vec![server(program), server(address), other];
        let mut role = serde_json::to_value(Role::Assistant(Box::new(Assistant { workbenches, ..Assistant::default() }))).unwrap();
        assert_eq!(labels(&role), ["uvx mcp-server-fetch", "https://example.com/sse", "my.Bench"]);
        remove(&mut role, 7);
        remove(&mut role, 1);
        assert_eq!(labels(&role), ["uvx mcp-server-fetch", "my.Bench"]);
        remove(&mut role, 0);
        remove(&mut role, 0);
        assert_eq!(role.get("workbenches"), None);
        for mut odd in [json!(null), json!({ "workbenches": [7, {}] })] {
            let count = labels(&odd).len();
            assert!(labels(&odd).iter().all(String::is_empty) && count < 3);
            remove(&mut odd, 0);
        }
    }
}
