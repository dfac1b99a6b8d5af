//! AutoGen Studio 0.1 and 0.2, where a workflow links agents: one that sends to one that receives, or several one
//! after the other.

use serde_json::{Map, Value};

use super::{Reading, fields::Fields, importer::Importer, model, team};
use crate::{
    finding::{Problem, shown},
    limits::{MOST_PARTICIPANTS, MOST_PARTS},
    place::{Place, Spot},
    team::{
        Assistant, Conduct, Kept, ModelClient, ModelProvider, Participant, Role, Selector, Team, Tool,
        ToolKind,
    },
};

const KINDS: [&str; 4] = ["autonomous", "sequential", "twoagents", "groupchat"];

/// Whether an object is a workflow in this form.
pub(super) fn is_workflow(fields: &Map<String, Value>) -> bool {
    let is_kind = fields.get("type").and_then(Value::as_str).is_some_and(|kind| KINDS.contains(&kind));
    let is_linked = |value: &Value| value.get("agent").is_some() || value.get("link").is_some();
    let has_links =
        fields.get("agents").and_then(Value::as_array).is_some_and(|agents| agents.iter().any(is_linked));
    has_links || (is_kind && !fields.contains_key("config")) || fields.contains_key("receiver")
}

pub(super) fn read(
    fields: &Map<String, Value>,
    place: &Place,
    importer: &mut Importer<'_>,
    reading: &mut Reading,
) {
    importer.begin();
    let mut fields = Fields::new(fields.clone(), place.clone());
    let title = importer.title();
    let name = fields.filled_text("name", importer).unwrap_or(title);
    let description = fields.filled_text("description", importer).unwrap_or_default();
    let kind = fields.text("type", importer).unwrap_or_default();
    take_silent(&mut fields);
    fields.take("sample_tasks");
    fields.take("summary_method");
    let linked = linked(&mut fields, importer);
    if linked.is_empty() {
        reading.tell_at(importer.file, place.clone(), Problem::AgentsElsewhere { name: shown(&name) });
        return importer.give_up(reading);
    }
    importer.origin(&Spot { file: place.clone(), document: Place::root().at("team") });
    let is_sequential = kind == "sequential" || linked.iter().all(|agent| agent.is_in_sequence);
    let mut team = team_of(name, linked, is_sequential, importer);
    team.description = description;
    team.kept = fields.rest(importer);
    importer.finish_team(team, place, reading);
}

/// An agent of a workflow, where it stands, and its place in the sequence.
struct Linked {
    value: Value,
    place: Place,
    sequence: f64,
    is_receiver: bool,
    is_in_sequence: bool,
}

fn linked(fields: &mut Fields, importer: &mut Importer<'_>) -> Vec<Linked> {
    let mut linked = Vec::new();
    let place = fields.place.at("agents");
    for (number, value) in fields.list("agents", importer).unwrap_or_default().into_iter().enumerate() {
        let link = value.get("link").cloned().unwrap_or_default();
        let kind = link.get("agent_type").and_then(Value::as_str).unwrap_or_default();
        let (value, place) = match value.get("agent") {
            Some(agent) => (agent.clone(), place.at(number).at("agent")),
            None => (value, place.at(number)),
        };
        linked.push(Linked {
            value,
            place,
            sequence: link.get("sequence_id").and_then(Value::as_f64).unwrap_or(0.0),
            is_receiver: kind == "receiver",
            is_in_sequence: kind == "sequential",
        });
    }
    // Older still: two fields.
    for key in ["sender", "receiver"] {
        let place = fields.place.at(key);
        if let Some(value) = fields.take(key) {
            let is_receiver = key == "receiver";
            linked.push(Linked { value, place, sequence: 0.0, is_receiver, is_in_sequence: false });
        }
    }
    // Numbers have gaps, and those of equal number keep their order.
    linked.sort_by(|one, other| one.sequence.total_cmp(&other.sequence));
    linked.truncate(MOST_PARTICIPANTS);
    linked
}

/// The team of a workflow. Where the one who receives is a group, the group is the team.
fn team_of(name: String, mut linked: Vec<Linked>, is_sequential: bool, importer: &mut Importer<'_>) -> Team {
    let document = Place::root().at("team");
    let leads = |agent: &Linked| !is_sequential && agent.is_receiver && is_group(&agent.value);
    let group = linked.iter().position(leads).map(|place| linked.remove(place));
    let mut participants = Vec::new();
    for agent in linked {
        let document = document.at("participants").at(participants.len());
        participants.extend(member(agent.value, &Spot { file: agent.place, document }, importer));
    }
    if let Some(agent) = group {
        let spot = Spot { file: agent.place, document };
        return Team { name, ..group_team(agent.value, &spot, participants, importer) };
    }
    let turns = u32::try_from(participants.len()).unwrap_or(u32::MAX);
    let mut team = Team::new(name, participants);
    if is_sequential {
        // Everybody has one turn.
        team.max_turns = Some(turns.max(1));
    }
    team
}

/// The older form has the members within `groupchat_config`.
fn is_group(value: &Value) -> bool {
    value.get("groupchat_config").is_some_and(Value::is_object)
        || value.get("type").and_then(Value::as_str) == Some("groupchat")
}

fn member(value: Value, spot: &Spot, importer: &mut Importer<'_>) -> Option<Participant> {
    importer.origin(spot);
    if is_group(&value) {
        let inner = spot.part([], ["role", "team"]);
        let team = group_team(value, &inner, Vec::new(), importer);
        return Some(Participant::new(team.name.clone(), Role::Team { team: Box::new(team) }));
    }
    let Value::Object(map) = value else {
        importer.tell(&spot.file, Problem::Misplaced { expected: "an agent" });
        return None;
    };
    let mut fields = Fields::new(map, spot.file.clone());
    let kind = fields.text("type", importer).unwrap_or_default();
    take_silent(&mut fields);
    let config = fields.object("config", importer).unwrap_or_default();
    let mut config = Fields::new(config, spot.file.at("config"));
    let name = config.filled_text("name", importer);
    let name = name.unwrap_or_else(|| team::unnamed("agent", &spot.file, importer));
    let description = config.filled_text("description", importer).unwrap_or_default();
    if kind == "userproxy" {
        let mode = config.text("human_input_mode", importer).unwrap_or_default();
        if mode.is_empty() || mode.eq_ignore_ascii_case("never") {
            importer.tell(&spot.file, Problem::PersonNeverAsked { name: shown(&name) });
            not_run(&mut fields, &mut config, importer);
            return None;
        }
        not_run(&mut fields, &mut config, importer);
        config.take("system_message");
        config.take("max_consecutive_auto_reply");
        let participant = Participant { description, ..Participant::new(name, Role::UserProxy) };
        return Some(participant);
    }
    let inner = spot.part([], ["role"]);
    let assistant = Assistant {
        system_message: config.filled_text("system_message", importer),
        model: first_model(&mut fields, &mut config, &inner, importer),
        tools: skills(&mut fields, &inner, importer),
        ..Assistant::default()
    };
    config.take("human_input_mode");
    config.take("max_consecutive_auto_reply");
    config.take("default_auto_reply");
    config.take("is_termination_msg");
    not_run(&mut fields, &mut config, importer);
    let mut kept = config.rest(importer);
    fields.take("agents");
    for (key, value) in fields.rest(importer) {
        kept.entry(key).or_insert(value);
    }
    let role = Role::Assistant(Box::new(assistant));
    Some(Participant { description, kept, ..Participant::new(name, role) })
}

/// Agents among whom a model chooses, with those who take part `before` them.
fn group_team(
    value: Value,
    spot: &Spot,
    mut participants: Vec<Participant>,
    importer: &mut Importer<'_>,
) -> Team {
    let Value::Object(map) = value else { return Team::new("group", participants) };
    let mut fields = Fields::new(map, spot.file.clone());
    fields.take("type");
    take_silent(&mut fields);
    let config = fields.object("config", importer).unwrap_or_default();
    let mut config = Fields::new(config, spot.file.at("config"));
    let name = config.filled_text("name", importer);
    let name = name.unwrap_or_else(|| team::unnamed("group", &spot.file, importer));
    let description = config.filled_text("description", importer).unwrap_or_default();
    let model = first_model(&mut fields, &mut config, &spot.part([], ["conduct"]), importer);
    let place = fields.place.at("groupchat_config");
    let older = fields.object("groupchat_config", importer).unwrap_or_default();
    let mut older = Fields::new(older, place);
    let place = if older.has("agents") { older.place.at("agents") } else { fields.place.at("agents") };
    let values = older.list("agents", importer).or_else(|| fields.list("agents", importer));
    for (number, value) in values.unwrap_or_default().into_iter().enumerate().take(MOST_PARTICIPANTS) {
        let document = spot.document.at("participants").at(participants.len());
        let spot = Spot { file: place.at(number), document };
        if is_group(&value) {
            importer.tell(&spot.file, Problem::TeamWithin { team: "a group" });
        } else {
            participants.extend(member(value, &spot, importer));
        }
    }
    let rounds =
        config.small_count("max_round", importer).or_else(|| older.small_count("max_round", importer));
    let conduct = Conduct::Selector(Selector {
        model,
        profile: None,
        prompt: None,
        allow_repeated_speaker: true,
        max_attempts: 3,
        streaming: false,
        context: None,
    });
    not_run(&mut fields, &mut config, importer);
    Team {
        description,
        conduct,
        max_turns: rounds.filter(|rounds| *rounds > 0),
        ..Team::new(name, participants)
    }
}

fn first_model(
    fields: &mut Fields,
    config: &mut Fields,
    spot: &Spot,
    importer: &mut Importer<'_>,
) -> Option<ModelClient> {
    let (mut place, mut models) =
        (fields.place.at("models"), fields.list("models", importer).unwrap_or_default());
    if models.is_empty()
        && let Some(Value::Object(llm)) = config.get("llm_config").cloned()
    {
        place = config.place.at("llm_config").at("config_list");
        models = match llm.get("config_list") {
            Some(Value::Array(models)) => models.clone(),
            _ => Vec::new(),
        };
    }
    config.take("llm_config");
    let Some(Value::Object(map)) = models.into_iter().next() else { return None };
    let spot = Spot { file: place.at(0), document: spot.document.at("model") };
    importer.origin(&spot);
    let mut fields = Fields::new(map, spot.file.clone());
    let kind = fields.text("api_type", importer).unwrap_or_default();
    let provider = match kind.as_str() {
        "azure" => ModelProvider::AzureOpenAi,
        "anthropic" => ModelProvider::Anthropic,
        _ => ModelProvider::OpenAi,
    };
    take_silent(&mut fields);
    fields.take("description");
    let mut model = model::fields(&mut fields, provider, importer);
    model.kept = fields.rest(importer);
    Some(model)
}

fn skills(fields: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> Vec<Tool> {
    let place = fields.place.at("skills");
    let values = fields.list("skills", importer).unwrap_or_default();
    let mut tools = Vec::new();
    for (number, value) in values.into_iter().enumerate().take(MOST_PARTS) {
        let Value::Object(map) = value else { continue };
        let mut fields = Fields::new(map, place.at(number));
        importer
            .origin(&Spot { file: place.at(number), document: spot.document.at("tools").at(tools.len()) });
        let name = fields.filled_text("name", importer).or_else(|| fields.filled_text("title", importer));
        let source = fields.text("content", importer).unwrap_or_default();
        tools.push(Tool {
            name: name.unwrap_or_else(|| "skill".to_owned()),
            description: fields.text("description", importer).unwrap_or_default(),
            kind: ToolKind::Function { source, imports: Vec::new(), cancellation: false },
            kept: Kept::new(),
        });
    }
    tools
}

/// Code is not run here, whatever a file says of it.
fn not_run(fields: &mut Fields, config: &mut Fields, importer: &mut Importer<'_>) {
    for fields in [config, fields] {
        let place = fields.place.at("code_execution_config");
        let is_on = match fields.take("code_execution_config") {
            None | Some(Value::Bool(false)) => false,
            Some(value) => value != "none",
        };
        if is_on {
            importer.tell(&place, Problem::NotRun { feature: "code execution".to_owned() });
        }
    }
}

/// What the database of Studio adds to everything.
fn take_silent(fields: &mut Fields) {
    for key in ["id", "user_id", "created_at", "updated_at", "timestamp", "version", "task_instruction"] {
        fields.take(key);
    }
}
