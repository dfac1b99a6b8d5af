//! Tools and workbenches.

use serde_json::{Map, Value};

use super::{envelope::Envelope, fields::Fields, importer::Importer, kind::Kind};
use crate::{
    finding::Problem,
    limits::MOST_PARTS,
    place::{Place, Spot},
    team::{Kept, McpServer, McpTransport, Tool, ToolKind, Workbench},
};

pub(super) fn read(mut envelope: Envelope, importer: &mut Importer<'_>) -> Tool {
    let config = &mut envelope.config;
    let name = config.filled_text("name", importer).or_else(|| envelope.label.clone());
    let name = name.unwrap_or_else(|| envelope.class.clone());
    let description = config.text("description", importer).unwrap_or_default();
    let is_function = envelope.class == "FunctionTool" || config.has("source_code");
    if !is_function {
        let (provider, config) = envelope.into_kept();
        return Tool { name, description, kind: ToolKind::Other { provider, config }, kept: Kept::new() };
    }
    let kind = ToolKind::Function {
        source: config.text("source_code", importer).unwrap_or_default(),
        imports: config.list("global_imports", importer).unwrap_or_default(),
        cancellation: config.truth("has_cancellation_support", importer).unwrap_or_default(),
    };
    Tool { name, description, kind, kept: envelope.rest(importer) }
}

/// A workbench: one that is a list of tools is only that list.
pub(super) fn workbench(
    mut envelope: Envelope,
    importer: &mut Importer<'_>,
) -> (Vec<Tool>, Option<Workbench>) {
    match envelope.class.as_str() {
        "StaticWorkbench" | "StaticStreamWorkbench" => (listed(&mut envelope.config, importer), None),
        "McpWorkbench" => {
            let overrides = envelope.config.object("tool_overrides", importer).unwrap_or_default();
            let server = envelope.config.object("server_params", importer);
            let place = envelope.config.place.at("server_params");
            match server.and_then(|server| mcp_server(server, place, importer)) {
                Some(server) => {
                    envelope.config.take("model_client");
                    envelope.config.take("host");
                    envelope.set_aside(importer);
                    (Vec::new(), Some(Workbench::Mcp { server, overrides }))
                }
                None => (Vec::new(), Some(other(envelope))),
            }
        }
        _ => (Vec::new(), Some(other(envelope))),
    }
}

fn other(envelope: Envelope) -> Workbench {
    let (provider, config) = envelope.into_kept();
    Workbench::Other { provider, config }
}

/// The tools of a list, under the names that the list gives them.
fn listed(config: &mut Fields, importer: &mut Importer<'_>) -> Vec<Tool> {
    let overrides = config.object("tool_overrides", importer).unwrap_or_default();
    let place = config.place.at("tools");
    let values = config.list("tools", importer).unwrap_or_default();
    if values.len() > MOST_PARTS {
        importer.tell(&place, Problem::TooManyParts { what: "tools", count: values.len() });
    }
    let mut tools = Vec::new();
    for (number, value) in values.iter().enumerate().take(MOST_PARTS) {
        let spot = Spot { file: place.at(number), document: Place::root() };
        let Some(envelope) = Envelope::open(value, Some(Kind::Tool), &spot, importer) else { continue };
        let mut tool = read(envelope, importer);
        if let Some(replaced) = overrides.get(&tool.name).cloned() {
            let text = |key: &str| replaced.get(key).and_then(Value::as_str).map(str::to_owned);
            tool.description = text("description").unwrap_or(tool.description);
            tool.name = text("name").unwrap_or(tool.name);
        }
        tools.push(tool);
    }
    tools
}

fn mcp_server(server: Map<String, Value>, place: Place, importer: &mut Importer<'_>) -> Option<McpServer> {
    let mut fields = Fields::new(server, place);
    let declared = fields.text("type", importer).unwrap_or_default();
    let names = |fields: &mut Fields, key: &str| -> Vec<String> {
        match fields.take(key) {
            Some(Value::Object(values)) => values.into_iter().map(|(name, _)| name).collect(),
            _ => Vec::new(),
        }
    };
    let transport = if let Some(command) = fields.filled_text("command", importer) {
        let arguments = fields.texts("args", importer).unwrap_or_default();
        McpTransport::Stdio { command, arguments, variables: names(&mut fields, "env") }
    } else {
        let url = fields.filled_text("url", importer)?;
        let headers = names(&mut fields, "headers");
        if declared == "SseServerParams" {
            McpTransport::Sse { url, headers }
        } else {
            McpTransport::StreamableHttp { url, headers }
        }
    };
    Some(McpServer { transport, parameters: fields.quiet_rest() })
}
