//! Participants.

use serde_json::Value;

use super::{
    condition, envelope::Envelope, fields::Fields, importer::Importer, kind::Kind, model, team, tool,
};
use crate::{
    finding::Problem,
    limits::MOST_PARTS,
    place::Spot,
    team::{Assistant, Handoff, Kept, Participant, Role, SocietyOfMind, Team},
};

/// How other tools than AutoGen refer to an agent of another file.
const REFERENCES: [&str; 3] = ["component_ref", "agent_ref", "team_ref"];

/// A participant as it stands in a list: a component, or the name of one.
pub(super) fn open(
    value: &Value,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Option<Participant> {
    let reference = match value {
        Value::String(name) => Some(name.as_str()),
        value if value.get("provider").is_none() => {
            REFERENCES.iter().find_map(|key| value.get(*key).and_then(Value::as_str))
        }
        _ => None,
    };
    if let Some(name) = reference {
        return Some(referred(name, spot, depth, importer));
    }
    let envelope = Envelope::open(value, Some(Kind::Agent), spot, importer)?;
    Some(read(envelope, spot, depth, importer))
}

/// The participant that a name refers to, wherever it is defined.
fn referred(name: &str, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Participant {
    importer.origin(spot);
    let missing = || Participant::new(name, Role::Missing { reference: name.to_owned() });
    if importer.following.iter().any(|followed| followed == name) {
        return missing();
    }
    let Some(definition) = importer.definition(name) else { return missing() };
    let here = std::mem::replace(&mut importer.file, definition.file);
    importer.following.push(name.to_owned());
    let there = Spot { file: definition.place.clone(), document: spot.document.clone() };
    let participant = open(definition.value, &there, depth, importer);
    importer.following.pop();
    importer.file = here;
    importer.origin(spot);
    participant.unwrap_or_else(missing)
}

/// A participant, in a team that is `depth` levels deep.
pub(super) fn read(
    mut envelope: Envelope,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Participant {
    importer.origin(spot);
    if envelope.kind == Kind::Team {
        let name = envelope.config.get("name").and_then(Value::as_str).map(str::to_owned);
        let name = name.or_else(|| envelope.label.clone());
        return match inner_team(envelope, spot, depth, importer) {
            Some(team) => {
                let name = name.unwrap_or_else(|| team.name.clone());
                Participant {
                    description: team.description.clone(),
                    ..Participant::new(name, Role::Team { team: Box::new(team) })
                }
            }
            None => Participant::new(name.unwrap_or_default(), unreachable_team()),
        };
    }
    let own_label = envelope.own_label().map(str::to_owned);
    let config = &mut envelope.config;
    let name = config.filled_text("name", importer).or_else(|| own_label.clone());
    let name = name.unwrap_or_else(|| team::unnamed("agent", &spot.file, importer));
    let description = config.filled_text("description", importer);
    // What has no effect and is no surprise either.
    let metadata = config.take("metadata").filter(|metadata| *metadata != Value::Object(Kept::new()));
    let is_class = Kind::of_class(&envelope.class) == Some(Kind::Agent);
    let has_model = config.has("model_client") || config.has("system_message");
    let role = match envelope.class.as_str() {
        "AssistantAgent" => Some(assistant(config, spot, importer)),
        "UserProxyAgent" => {
            config.take("input_func");
            Some(Role::UserProxy)
        }
        "SocietyOfMindAgent" => society_of_mind(config, spot, depth, importer),
        _ if !is_class && has_model => Some(assistant(config, spot, importer)),
        _ => None,
    };
    let (role, mut kept) = match role {
        Some(role) => (role, envelope.rest(importer)),
        None => {
            let (provider, config) = envelope.into_kept();
            (Role::Unknown { provider, config }, Kept::new())
        }
    };
    if let Some(metadata) = metadata {
        kept.insert("metadata".to_owned(), metadata);
    }
    let title = own_label.filter(|label| *label != name);
    Participant { name, title, description: description.unwrap_or_default(), role, kept }
}

fn inner_team(envelope: Envelope, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Option<Team> {
    if team::is_too_deep(depth, &spot.file, importer) {
        return None;
    }
    let spot = spot.part([], ["role", "team"]);
    Some(team::read(envelope, &spot, depth + 1, importer))
}

/// Stands for a team that is too deep within others to be read.
fn unreachable_team() -> Role {
    Role::Unknown { provider: "team".to_owned(), config: Kept::new() }
}

fn assistant(config: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> Role {
    let inner = spot.part(["config"], ["role"]);
    let (tools, workbenches) = tools(config, &inner, importer);
    Role::Assistant(Box::new(Assistant {
        system_message: config.filled_text("system_message", importer),
        model: model::open(config, "model_client", &inner, importer),
        profile: None,
        tools,
        workbenches,
        handoffs: handoffs(config, importer),
        memory: memory(config, importer),
        context: config.take("model_context").map_or_else(Default::default, |value| {
            let spot = inner.part(["model_context"], ["context"]);
            condition::context(&value, &spot, importer)
        }),
        stream: config.truth("model_client_stream", importer).unwrap_or_default(),
        reflect_on_tool_use: config.truth("reflect_on_tool_use", importer).unwrap_or_default(),
        tool_call_summary_format: config
            .filled_text("tool_call_summary_format", importer)
            .unwrap_or_else(|| Assistant::default().tool_call_summary_format),
        max_tool_iterations: config.small_count("max_tool_iterations", importer).unwrap_or(1).max(1),
    }))
}

/// Tools, and those of workbenches that are lists of tools: in older files a workbench is one object, in newer ones
/// a list.
fn tools(
    config: &mut Fields,
    spot: &Spot,
    importer: &mut Importer<'_>,
) -> (Vec<crate::team::Tool>, Vec<crate::team::Workbench>) {
    let (mut tools, mut workbenches) = (Vec::new(), Vec::new());
    let place = config.place.clone();
    let listed = config.list("tools", importer).unwrap_or_default();
    let add = |tool: crate::team::Tool, file, tools: &mut Vec<_>, importer: &mut Importer<'_>| {
        importer.origin(&Spot { file, document: spot.document.at("tools").at(tools.len()) });
        tools.push(tool);
    };
    for (number, value) in listed.iter().enumerate().take(MOST_PARTS) {
        let spot = spot.part(["tools"], ["tools"]).entry(number, tools.len());
        if let Some(envelope) = Envelope::open(value, Some(Kind::Tool), &spot, importer) {
            let tool = tool::read(envelope, importer);
            add(tool, spot.file, &mut tools, importer);
        }
    }
    let (benches, is_list) = match config.take("workbench") {
        Some(Value::Array(values)) => (values, true),
        Some(value) => (vec![value], false),
        None => (Vec::new(), false),
    };
    if !tools.is_empty() && !benches.is_empty() {
        importer.tell(&place.at("workbench"), Problem::ToolsAndWorkbench);
    }
    if listed.len() + benches.len() > MOST_PARTS {
        let problem = Problem::TooManyParts { what: "tools", count: listed.len() + benches.len() };
        importer.tell(&place, problem);
    }
    for (number, value) in benches.iter().enumerate().take(MOST_PARTS) {
        let file = if is_list { place.at("workbench").at(number) } else { place.at("workbench") };
        let bench_spot = Spot { file, document: spot.document.at("workbenches").at(workbenches.len()) };
        let Some(envelope) = Envelope::open(value, Some(Kind::Workbench), &bench_spot, importer) else {
            continue;
        };
        let (of_bench, bench) = tool::workbench(envelope, importer);
        for tool in of_bench {
            add(tool, bench_spot.file.clone(), &mut tools, importer);
        }
        if let Some(bench) = bench {
            importer.origin(&bench_spot);
            workbenches.push(bench);
        }
    }
    (tools, workbenches)
}

fn handoffs(config: &mut Fields, importer: &mut Importer<'_>) -> Vec<Handoff> {
    let place = config.place.at("handoffs");
    let values = config.list("handoffs", importer).unwrap_or_default();
    let mut handoffs = Vec::new();
    for (number, value) in values.into_iter().enumerate().take(MOST_PARTS) {
        let place = place.at(number);
        match value {
            Value::String(target) => handoffs.push(Handoff::to(target)),
            Value::Object(fields) => {
                let mut fields = Fields::new(fields, place.clone());
                let Some(target) = fields.filled_text("target", importer) else {
                    importer.tell(&place, Problem::Misplaced { expected: "a handoff with its target" });
                    continue;
                };
                let usual = Handoff::to(target);
                handoffs.push(Handoff {
                    name: fields.filled_text("name", importer).unwrap_or(usual.name),
                    description: fields.filled_text("description", importer).unwrap_or(usual.description),
                    message: fields.filled_text("message", importer).unwrap_or(usual.message),
                    target: usual.target,
                });
                fields.set_aside(importer);
            }
            _ => importer.tell(&place, Problem::Misplaced { expected: "a handoff" }),
        }
    }
    handoffs
}

fn memory(config: &mut Fields, importer: &mut Importer<'_>) -> Vec<Value> {
    let mut memories = config.list("memory", importer).unwrap_or_default();
    memories.truncate(MOST_PARTS);
    memories.iter_mut().for_each(crate::secret::without_marks);
    memories
}

fn society_of_mind(
    config: &mut Fields,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Option<Role> {
    let team_spot = spot.part(["config", "team"], []);
    let value = config.get("team")?.clone();
    let envelope = Envelope::open(&value, Some(Kind::Team), &team_spot, importer)?;
    let team = inner_team(envelope, &team_spot, depth, importer)?;
    config.take("team");
    let inner = spot.part(["config"], ["role"]);
    Some(Role::SocietyOfMind(Box::new(SocietyOfMind {
        team,
        model: model::open(config, "model_client", &inner, importer),
        profile: None,
        instruction: config.filled_text("instruction", importer),
        response_prompt: config.filled_text("response_prompt", importer),
        context: config.take("model_context").map_or_else(Default::default, |value| {
            let spot = inner.part(["model_context"], ["context"]);
            condition::context(&value, &spot, importer)
        }),
    })))
}
