//! AutoGen Studio before 0.4.0.4, where every part says its class in a field such as `team_type` and has all its
//! fields side by side. Files that people write by hand say `type`.

use serde_json::{Map, Value};

use super::{Part, Reading, condition, fields::Fields, importer::Importer, model, team};
use crate::{
    finding::Problem,
    limits::{DEEPEST_CONDITION, MOST_CONDITIONS, MOST_PARTICIPANTS, MOST_PARTS},
    place::{Place, Spot},
    team::{
        Assistant, Condition, Conduct, Kept, ModelClient, ModelProvider, Participant, Role, Team, Tool,
        ToolKind,
    },
};

const TYPES: [&str; 5] = ["team_type", "agent_type", "model_type", "tool_type", "termination_type"];

/// Whether an object is a part in this form.
pub(super) fn is_flat(fields: &Map<String, Value>) -> bool {
    TYPES.iter().any(|key| fields.contains_key(*key))
        || (fields.contains_key("participants") && fields.contains_key("type"))
}

pub(super) fn read(
    fields: &Map<String, Value>,
    place: &Place,
    importer: &mut Importer<'_>,
    reading: &mut Reading,
) {
    importer.begin();
    let spot = Spot { file: place.clone(), document: Place::root().at("team") };
    let has = |key: &str| fields.contains_key(key);
    let fields = Fields::new(fields.clone(), place.clone());
    if has("team_type") || has("participants") {
        let team = read_team(fields, &spot, 1, importer);
        return importer.finish_team(team, place, reading);
    }
    let part = if has("agent_type") {
        let spot = spot.part([], ["participants", "0"]);
        Some(Part::Agent(read_agent(fields, &spot, importer)))
    } else if has("model_type") {
        let spot = spot.part([], ["participants", "0", "role", "model"]);
        Some(Part::Model(read_model(fields, &spot, importer)))
    } else if has("tool_type") {
        Some(Part::Tool(read_tool(fields, importer)))
    } else {
        read_condition(fields, &spot, 1, importer).map(Part::Condition)
    };
    let Some(part) = part else { return importer.give_up(reading) };
    let name = match &part {
        Part::Agent(participant) => participant.name.clone(),
        Part::Model(model) => model.model.clone(),
        Part::Tool(tool) => tool.name.clone(),
        Part::Condition(condition) => condition.class().to_owned(),
        Part::Workbench(_) => String::new(),
    };
    importer.finish_part(name, part, place, reading);
}

/// The class: `RoundRobinGroupChat` and so on.
fn class(fields: &mut Fields, key: &str, importer: &mut Importer<'_>) -> String {
    let by_hand = fields.filled_text("type", importer);
    fields.take("component_type");
    fields.take("version");
    fields.filled_text(key, importer).or(by_hand).unwrap_or_default()
}

fn read_team(mut fields: Fields, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Team {
    importer.origin(spot);
    let class = class(&mut fields, "team_type", importer);
    let title = importer.title();
    let name = fields
        .filled_text("name", importer)
        .unwrap_or_else(|| if title.is_empty() { "Team".to_owned() } else { title });
    let description = fields.filled_text("description", importer).unwrap_or_default();
    let place = fields.place.at("participants");
    let values = fields.list("participants", importer).unwrap_or_default();
    if values.len() > MOST_PARTICIPANTS {
        importer.tell(&place, Problem::TooManyParticipants { count: values.len() });
    }
    let mut participants = Vec::new();
    for (number, value) in values.into_iter().enumerate().take(MOST_PARTICIPANTS) {
        let spot = Spot {
            file: place.at(number),
            document: spot.document.at("participants").at(participants.len()),
        };
        participants.extend(participant(value, &spot, depth, importer));
    }
    let termination = fields.take("termination_condition").and_then(|value| {
        let spot = spot.part(["termination_condition"], ["termination"]);
        nested_condition(value, &spot, 1, importer)
    });
    let max_turns = fields.small_count("max_turns", importer).filter(|turns| *turns > 0);
    // The model of a team that chooses is in this form, too.
    let led = spot.part([], ["conduct"]);
    let model = |fields: &mut Fields, importer: &mut Importer<'_>| nested_model(fields, &led, importer);
    let conduct = match class.as_str() {
        "RoundRobinGroupChat" => Conduct::RoundRobin,
        "Swarm" => Conduct::Swarm,
        "SelectorGroupChat" => {
            let model = model(&mut fields, importer);
            Conduct::Selector(crate::team::Selector { model, ..team::selector(&mut fields, &led, importer) })
        }
        "MagenticOneGroupChat" => {
            let model = model(&mut fields, importer);
            let magentic = team::magentic_one(&mut fields, &led, importer);
            Conduct::MagenticOne(crate::team::MagenticOne { model, ..magentic })
        }
        _ => Conduct::Unknown { provider: class, config: Kept::new() },
    };
    let kept = fields.rest(importer);
    Team { name, description, conduct, participants, termination, max_turns, emit_team_events: false, kept }
}

fn participant(value: Value, spot: &Spot, depth: usize, importer: &mut Importer<'_>) -> Option<Participant> {
    // Files mix the forms.
    let Value::Object(map) = value else {
        return super::agent::open(&value, spot, depth, importer);
    };
    let is_other_form = map.contains_key("provider") || map.contains_key("component_ref");
    if is_other_form {
        return super::agent::open(&Value::Object(map), spot, depth, importer);
    }
    let fields = Fields::new(map, spot.file.clone());
    if fields.has("team_type") || fields.has("participants") {
        if team::is_too_deep(depth, &spot.file, importer) {
            return None;
        }
        let inner = read_team(fields, &spot.part([], ["role", "team"]), depth + 1, importer);
        return Some(Participant::new(inner.name.clone(), Role::Team { team: Box::new(inner) }));
    }
    Some(read_agent(fields, spot, importer))
}

fn read_agent(mut fields: Fields, spot: &Spot, importer: &mut Importer<'_>) -> Participant {
    importer.origin(spot);
    let class = class(&mut fields, "agent_type", importer);
    let name = fields.filled_text("name", importer);
    let name = name.unwrap_or_else(|| team::unnamed("agent", &spot.file, importer));
    let description = fields.filled_text("description", importer).unwrap_or_default();
    let is_assistant = class == "AssistantAgent"
        || (class.is_empty() && (fields.has("model_client") || fields.has("system_message")))
        || class.eq_ignore_ascii_case("assistant");
    if is_assistant {
        let inner = spot.part([], ["role"]);
        let assistant = Assistant {
            system_message: fields.filled_text("system_message", importer),
            model: nested_model(&mut fields, &inner, importer),
            tools: tools(&mut fields, &inner, importer),
            ..Assistant::default()
        };
        let kept = fields.rest(importer);
        let role = Role::Assistant(Box::new(assistant));
        return Participant { description, kept, ..Participant::new(name, role) };
    }
    if class == "UserProxyAgent" || class.eq_ignore_ascii_case("user") {
        let kept = fields.rest(importer);
        return Participant { description, kept, ..Participant::new(name, Role::UserProxy) };
    }
    let role = Role::Unknown { provider: class, config: fields.quiet_rest() };
    Participant { description, ..Participant::new(name, role) }
}

fn tools(fields: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> Vec<Tool> {
    let place = fields.place.at("tools");
    let values = fields.list("tools", importer).unwrap_or_default();
    let mut tools = Vec::new();
    for (number, value) in values.into_iter().enumerate().take(MOST_PARTS) {
        let Value::Object(map) = value else {
            importer.tell(&place.at(number), Problem::Misplaced { expected: "a tool" });
            continue;
        };
        let document = spot.document.at("tools").at(tools.len());
        importer.origin(&Spot { file: place.at(number), document });
        tools.push(read_tool(Fields::new(map, place.at(number)), importer));
    }
    tools
}

fn read_tool(mut fields: Fields, importer: &mut Importer<'_>) -> Tool {
    let class = class(&mut fields, "tool_type", importer);
    let name = fields.filled_text("name", importer).unwrap_or_else(|| "tool".to_owned());
    let description = fields.text("description", importer).unwrap_or_default();
    if class != "PythonFunction" && !fields.has("content") {
        let kind = ToolKind::Other { provider: class, config: fields.quiet_rest() };
        return Tool { name, description, kind, kept: Kept::new() };
    }
    let source = fields.text("content", importer).unwrap_or_default();
    let kind = ToolKind::Function { source, imports: Vec::new(), cancellation: false };
    Tool { name, description, kind, kept: fields.rest(importer) }
}

fn nested_model(fields: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> Option<ModelClient> {
    let place = fields.place.at("model_client");
    let map = fields.object("model_client", importer)?;
    let spot = Spot { file: place.clone(), document: spot.document.at("model") };
    Some(read_model(Fields::new(map, place), &spot, importer))
}

fn read_model(mut fields: Fields, spot: &Spot, importer: &mut Importer<'_>) -> ModelClient {
    importer.origin(spot);
    let class = class(&mut fields, "model_type", importer);
    let provider = match class.as_str() {
        "" | "OpenAIChatCompletionClient" => ModelProvider::OpenAi,
        "AzureOpenAIChatCompletionClient" => ModelProvider::AzureOpenAi,
        "AnthropicChatCompletionClient" => ModelProvider::Anthropic,
        "OllamaChatCompletionClient" => ModelProvider::Ollama,
        _ => ModelProvider::Other { provider: class },
    };
    let mut model = model::fields(&mut fields, provider, importer);
    model.kept = fields.rest(importer);
    model
}

fn nested_condition(
    value: Value,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Option<Condition> {
    if depth > DEEPEST_CONDITION {
        importer.tell(&spot.file, Problem::ConditionTooDeep);
        return None;
    }
    match value {
        Value::Object(map) if !map.contains_key("provider") => {
            read_condition(Fields::new(map, spot.file.clone()), spot, depth, importer)
        }
        value => condition::open(&value, spot, importer),
    }
}

fn read_condition(
    mut fields: Fields,
    spot: &Spot,
    depth: usize,
    importer: &mut Importer<'_>,
) -> Option<Condition> {
    importer.origin(spot);
    let class = class(&mut fields, "termination_type", importer);
    if class != "CombinationTermination" {
        let condition = condition::simple(&class, &mut fields, importer);
        return Some(match condition {
            Some(condition) => {
                fields.set_aside(importer);
                condition
            }
            None => Condition::Unknown { provider: class, config: fields.quiet_rest() },
        });
    }
    let is_all = fields.text("operator", importer).is_some_and(|operator| operator == "and");
    let place = fields.place.at("conditions");
    let values = fields.list("conditions", importer).unwrap_or_default();
    let mut conditions = Vec::new();
    for (number, value) in values.into_iter().enumerate().take(MOST_CONDITIONS) {
        let spot =
            Spot { file: place.at(number), document: spot.document.at("conditions").at(conditions.len()) };
        conditions.extend(nested_condition(value, &spot, depth + 1, importer));
    }
    fields.set_aside(importer);
    Some(if is_all { Condition::All { conditions } } else { Condition::Any { conditions } })
}
