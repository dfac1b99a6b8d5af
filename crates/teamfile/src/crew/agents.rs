//! Agents of a crew.

use serde_json::{Map, Value};

use super::code::Code;
use crate::{
    finding::{Problem, shown},
    limits::MOST_PARTICIPANTS,
    place::Spot,
    reading::{Fields, Importer},
    team::{Assistant, Handoff, ModelClient, ModelProvider, Participant, Role},
};

/// What an agent can have that is not run here.
const NOT_RUN: [&str; 11] = [
    "tools",
    "callbacks",
    "step_callback",
    "guardrail",
    "guardrails",
    "function_calling_llm",
    "knowledge_sources",
    "embedder",
    "allow_code_execution",
    "multimodal",
    "reasoning",
];

/// What says nothing here.
const SILENT: [&str; 6] =
    ["verbose", "cache", "max_rpm", "respect_context_window", "memory", "max_retry_limit"];

/// Where an agent's leave to delegate is kept until all agents are known.
const DELEGATES: &str = "allow_delegation";

pub(super) fn read(
    entries: &Map<String, Value>,
    code: &Code,
    team: &Spot,
    importer: &mut Importer<'_>,
) -> Vec<Participant> {
    let mut participants = Vec::new();
    for (key, entry) in entries {
        let place = team.file.at(key);
        let Value::Object(fields) = entry else {
            importer.tell(&place, Problem::NoMapping { key: shown(key), what: "agent" });
            continue;
        };
        if participants.len() == MOST_PARTICIPANTS {
            importer.tell(&team.file, Problem::TooManyParticipants { count: entries.len() });
            break;
        }
        let document = team.document.at("participants").at(participants.len());
        let spot = Spot { file: place, document };
        participants.push(agent(key, fields, code, &spot, importer));
    }
    participants
}

fn agent(
    key: &str,
    fields: &Map<String, Value>,
    code: &Code,
    spot: &Spot,
    importer: &mut Importer<'_>,
) -> Participant {
    importer.origin(spot);
    let mut fields = Fields::new(fields.clone(), spot.file.clone());
    let mut text = |name: &str| fields.filled_text(name, importer).map(|text| text.trim().to_owned());
    let [title, goal, backstory, called, description] =
        ["role", "goal", "backstory", "name", "description"].map(&mut text);
    let mut told = Vec::new();
    told.extend(title.as_ref().map(|title| format!("You are {title}.")));
    told.extend(backstory);
    told.extend(goal.map(|goal| format!("Your goal: {goal}")));
    let model = model(&mut fields, spot, importer);
    let may_delegate = fields.truth(DELEGATES, importer).unwrap_or_default();
    let rounds = fields.small_count("max_iter", importer).unwrap_or(1).max(1);
    for feature in NOT_RUN {
        let place = fields.place.at(feature);
        if fields.take(feature).is_some_and(|value| value != Value::Bool(false)) {
            importer.tell(&place, Problem::NotRun { feature: feature.to_owned() });
        }
    }
    for feature in code.features_of_agent(key) {
        importer.tell(&spot.file, Problem::NotRun { feature: feature.clone() });
    }
    for name in SILENT {
        fields.take(name);
    }
    let mut kept = fields.rest(importer);
    if let Some(called) = called {
        kept.insert("name".to_owned(), Value::String(called));
    }
    if may_delegate {
        kept.insert(DELEGATES.to_owned(), Value::Bool(true));
    }
    let assistant = Assistant {
        system_message: (!told.is_empty()).then(|| told.join("\n\n")),
        model,
        max_tool_iterations: rounds,
        ..Assistant::default()
    };
    Participant {
        description: description.or_else(|| title.clone()).unwrap_or_default(),
        title,
        kept,
        ..Participant::new(key, Role::Assistant(Box::new(assistant)))
    }
}

/// Whoever may delegate can hand over to all others.
pub(super) fn let_delegate(participants: &mut [Participant]) {
    let names: Vec<String> = participants.iter().map(|participant| participant.name.clone()).collect();
    for participant in participants {
        let may_delegate = participant.kept.shift_remove(DELEGATES).is_some();
        if let Role::Assistant(assistant) = &mut participant.role
            && may_delegate
        {
            let others = names.iter().filter(|name| **name != participant.name);
            assistant.handoffs = others.map(Handoff::to).collect();
        }
    }
}

/// `gpt-4o`, `openai/gpt-4o`, or an object with settings.
fn model(fields: &mut Fields, spot: &Spot, importer: &mut Importer<'_>) -> Option<ModelClient> {
    let place = fields.place.at("llm");
    importer.origin(&Spot { file: place.clone(), document: spot.document.at("role").at("model") });
    match fields.take("llm")? {
        Value::String(name) => Some(named(&name)),
        Value::Object(settings) => {
            let mut settings = Fields::new(settings, place);
            let mut model = crate::reading::model_fields(&mut settings, ModelProvider::OpenAi, importer);
            let by_name = named(&model.model);
            (model.provider, model.model) = (by_name.provider, by_name.model);
            model.kept = settings.rest(importer);
            Some(model)
        }
        _ => {
            let problem = Problem::WrongType { field: "llm".to_owned(), expected: "the name of a model" };
            importer.tell(&place, problem);
            None
        }
    }
}

/// The model of a name, with the vendor before it or without.
pub(super) fn named(name: &str) -> ModelClient {
    let name = name.trim();
    let (vendor, model) = name.split_once('/').unwrap_or(("openai", name));
    let provider = match vendor {
        "openai" | "gemini" | "google" => ModelProvider::OpenAi,
        "anthropic" => ModelProvider::Anthropic,
        "ollama" | "ollama_chat" => ModelProvider::Ollama,
        "azure" => ModelProvider::AzureOpenAi,
        _ => ModelProvider::Other { provider: vendor.to_owned() },
    };
    ModelClient { provider, ..ModelClient::open_ai(model) }
}
