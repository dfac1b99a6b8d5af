//! What a file has brought along in parts that are not known here, in the form that both lines of AutoGen load.

use serde_json::{Map, Value};

/// Takes from all components what only one line of AutoGen has: their versions, and tools that stand in a workbench.
/// Parts that are written here have none of it; those that are kept as their file had them may.
pub(super) fn make(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(make),
        Value::Object(fields) => {
            if is_component(fields) {
                fields.shift_remove("version");
                fields.shift_remove("component_version");
            }
            spread_tools(fields);
            fields.values_mut().for_each(make);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn is_component(fields: &Map<String, Value>) -> bool {
    fields.get("provider").is_some_and(Value::is_string) && fields.get("config").is_some_and(Value::is_object)
}

/// Puts tools in the place of a workbench, or of a list of them, that has nothing else.
fn spread_tools(fields: &mut Map<String, Value>) {
    let Some(workbench) = fields.get("workbench") else { return };
    let benches = workbench.as_array().map_or(std::slice::from_ref(workbench), Vec::as_slice);
    let Some(lists) = benches.iter().map(tools_alone).collect::<Option<Vec<_>>>() else { return };
    let tools: Vec<Value> = lists.into_iter().flatten().cloned().collect();
    fields.shift_remove("workbench");
    if !tools.is_empty() || !fields.contains_key("tools") {
        fields.insert("tools".to_owned(), tools.into());
    }
}

/// The tools of a workbench that gives them no other names; `None` for one of another kind.
fn tools_alone(workbench: &Value) -> Option<&Vec<Value>> {
    let class = workbench.get("provider")?.as_str()?.rsplit('.').next()?;
    let config = workbench.get("config")?;
    let overrides = config.get("tool_overrides").and_then(Value::as_object);
    let is_plain =
        ["StaticWorkbench", "StaticStreamWorkbench"].contains(&class) && overrides.is_none_or(Map::is_empty);
    is_plain.then(|| config.get("tools")?.as_array()).flatten()
}
