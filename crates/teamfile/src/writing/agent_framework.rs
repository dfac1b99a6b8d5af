//! YAML for Microsoft's Agent Framework.
//!
//! It has no group chats: agents who take turns become a list of calls. Where a model or a handoff decides who is
//! next, only the agents are written, a file each.

use serde_json::{Map, Value, json};

use super::{Loss, Losses, steps};
use crate::{
    finding::shown,
    name,
    place::Place,
    team::{
        Assistant, Condition, Conduct, McpTransport, ModelClient, ModelProvider, Participant, Role, Team,
        Tool, Workbench,
    },
};

/// The most calls of a workflow.
const MOST_CALLS: usize = 200;

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct YamlFile {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

/// The team as files, and what did not go along.
#[must_use]
pub fn agent_framework(team: &Team) -> (Vec<YamlFile>, Vec<Loss>) {
    let place = Place::root().at("team");
    let mut losses = Losses::default();
    let turns = match &team.conduct {
        Conduct::Steps(steps) => Some(steps::as_turns(team, steps, &place, &mut losses)),
        _ => None,
    };
    let team = turns.as_ref().unwrap_or(team);
    let agents = agents(team, &place, &mut losses);
    let files = match &team.conduct {
        Conduct::RoundRobin => {
            let workflow = workflow(team, &agents, &place, &mut losses);
            vec![file(&plain_name(&team.name), &workflow)]
        }
        conduct => {
            let class = conduct.class().unwrap_or("kind");
            let detail =
                format!("Who speaks next in a {class} cannot be said there: only the agents are written.");
            losses.add(&place.at("conduct"), detail);
            if team.termination.is_some() {
                losses.add(&place.at("termination"), "The condition of the end is not written.");
            }
            agents.iter().map(|(name, agent)| file(name, agent)).collect()
        }
    };
    let has_models =
        team.participants.iter().any(|one| one.assistant().is_some_and(|agent| agent.model.is_some()));
    if has_models {
        losses.add(
            &place,
            "The keys are read from variables (`=Env.NAME`), which needs `safe_mode=False` and .NET. Without them, write the key in its place.",
        );
    }
    (files, losses.0)
}

fn file(name: &str, content: &Value) -> YamlFile {
    // What has a JSON form has one in YAML, and JSON is YAML.
    let text = serde_saphyr::to_string(content).unwrap_or_else(|_| content.to_string());
    YamlFile { name: format!("{name}.yaml"), text }
}

fn plain_name(name: &str) -> String {
    name::aliases([name]).pop().unwrap_or_default()
}

fn workflow(team: &Team, agents: &[(String, Value)], place: &Place, losses: &mut Losses) -> Value {
    let name = plain_name(&team.name);
    let calls = calls(team, agents.len(), place, losses);
    let actions: Vec<Value> = agents
        .iter()
        .cycle()
        .take(calls)
        .enumerate()
        .map(|(number, (agent, _))| {
            // The number tells the calls of one agent apart.
            let round = if number < agents.len() { String::new() } else { format!("_{}", number / agents.len() + 1) };
            json!({ "kind": "InvokeAzureAgent", "id": format!("say_{agent}{round}"), "agent": { "name": agent } })
        })
        .collect();
    let agents: Map<String, Value> = agents.iter().cloned().collect();
    json!({
        "kind": "Workflow",
        "name": name,
        "agents": agents,
        "trigger": { "kind": "OnConversationStart", "id": name, "actions": actions },
    })
}

/// How many calls the turns become: those of the limit, else those that the messages leave room for, else a round.
fn calls(team: &Team, agents: usize, place: &Place, losses: &mut Losses) -> usize {
    if agents == 0 {
        return 0;
    }
    let by_messages = team.termination.as_ref().and_then(most_messages).map(|most| most.saturating_sub(1));
    let wanted = team.max_turns.map(u64::from).or(by_messages);
    let calls = wanted.map_or(agents, |wanted| usize::try_from(wanted).unwrap_or(MOST_CALLS));
    if calls > MOST_CALLS {
        losses.add(&place.at("max_turns"), format!("Only {MOST_CALLS} turns are written."));
    }
    if wanted.is_none() {
        losses.add(place, "One round is written, for no number of turns is given.");
    }
    if team.termination.is_some() {
        losses.add(&place.at("termination"), "The condition is not written: all of the calls are made.");
    }
    calls.clamp(1, MOST_CALLS)
}

fn most_messages(condition: &Condition) -> Option<u64> {
    match condition {
        Condition::MaxMessages { max_messages, .. } => Some(*max_messages),
        Condition::Any { conditions } => conditions.iter().filter_map(most_messages).min(),
        _ => None,
    }
}

fn agents(team: &Team, place: &Place, losses: &mut Losses) -> Vec<(String, Value)> {
    let names = team.aliases();
    let mut agents = Vec::new();
    for (number, (participant, name)) in team.participants.iter().zip(names).enumerate() {
        let place = place.at("participants").at(number);
        match &participant.role {
            Role::Assistant(assistant) => {
                let agent = agent(participant, &name, assistant, &place, losses);
                agents.push((name, agent));
            }
            role => {
                let what = match role {
                    Role::UserProxy => "a person",
                    Role::SocietyOfMind(_) | Role::Team { .. } => "a team",
                    _ => "an agent that is not known",
                };
                let detail = format!("“{}” is {what} and was left out.", shown(&participant.name));
                losses.add(&place, detail);
            }
        }
    }
    agents
}

fn agent(
    participant: &Participant,
    name: &str,
    assistant: &Assistant,
    place: &Place,
    losses: &mut Losses,
) -> Value {
    let mut agent = Map::new();
    agent.insert("kind".to_owned(), "Prompt".into());
    agent.insert("name".to_owned(), name.into());
    if !participant.description.is_empty() {
        agent.insert("description".to_owned(), text(&participant.description));
    }
    if let Some(instructions) = &assistant.system_message {
        agent.insert("instructions".to_owned(), text(instructions));
    }
    let place = place.at("role");
    match &assistant.model {
        Some(of_agent) => {
            agent.insert("model".to_owned(), model(of_agent, &place.at("model"), losses));
        }
        None => losses.add(&place.at("model"), "There is no model: write one."),
    }
    let tools = tools(assistant, &place, losses);
    if !tools.is_empty() {
        agent.insert("tools".to_owned(), tools.into());
    }
    if !assistant.handoffs.is_empty() {
        losses.add(&place.at("handoffs"), "Handoffs are not written.");
    }
    if !assistant.memory.is_empty() {
        losses.add(&place.at("memory"), "Memories are not written.");
    }
    if assistant.context != crate::team::Context::Unbounded {
        losses.add(&place.at("context"), "The agent reads all of the conversation.");
    }
    agent.insert("metadata".to_owned(), participant.kept.clone().into());
    agent.into()
}

/// A text that begins with `=` would be a formula there.
fn text(text: &str) -> Value {
    if text.starts_with('=') { format!(" {text}").into() } else { text.into() }
}

fn model(model: &ModelClient, place: &Place, losses: &mut Losses) -> Value {
    let (provider, suffix) = match &model.provider {
        ModelProvider::AzureOpenAi => ("AzureOpenAI", ""),
        // The class for Anthropic has a wrong name there; both are reached like OpenAI.
        ModelProvider::Anthropic => ("OpenAI", "/v1/"),
        ModelProvider::Ollama => ("OpenAI", "/v1"),
        ModelProvider::OpenAi => ("OpenAI", ""),
        ModelProvider::Other { provider } => {
            losses.add(place, format!("“{}” is written as OpenAI: write its address.", shown(provider)));
            ("OpenAI", "")
        }
    };
    let endpoint = model.endpoint();
    let mut connection = Map::new();
    connection.insert("kind".to_owned(), "key".into());
    if let Some(endpoint) = &endpoint {
        let address = endpoint.base_url.trim_end_matches('/');
        let is_whole = suffix.is_empty() || address.ends_with("/v1");
        let address = if is_whole { endpoint.base_url.clone() } else { format!("{address}{suffix}") };
        connection.insert("endpoint".to_owned(), text(&address));
    }
    let variable = endpoint.and_then(|endpoint| endpoint.key_variable).unwrap_or("OPENAI_API_KEY");
    connection.insert("key".to_owned(), format!("=Env.{variable}").into());
    let mut options = Map::new();
    for (name, value) in &model.parameters {
        let written = match name.as_str() {
            "temperature" => "temperature",
            "top_p" => "topP",
            "max_tokens" | "max_completion_tokens" => "maxOutputTokens",
            "seed" => "seed",
            other => {
                losses.add(&place.at("parameters").at(other), format!("“{}” is not written.", shown(other)));
                continue;
            }
        };
        options.insert(written.to_owned(), value.clone());
    }
    let id = model.azure.as_ref().and_then(|azure| azure.deployment.as_deref()).unwrap_or(&model.model);
    let mut written = json!({ "id": text(id), "provider": provider, "apiType": "Chat" });
    if !options.is_empty() {
        written["options"] = options.into();
    }
    written["connection"] = connection.into();
    written
}

fn tools(assistant: &Assistant, place: &Place, losses: &mut Losses) -> Vec<Value> {
    let mut tools = Vec::new();
    for (number, tool) in assistant.tools.iter().enumerate() {
        let place = place.at("tools").at(number);
        let detail =
            format!("Of the tool “{}” only the name is written: bind a function to it.", shown(&tool.name));
        losses.add(&place, detail);
        tools.push(function(tool));
    }
    for (number, workbench) in assistant.workbenches.iter().enumerate() {
        let place = place.at("workbenches").at(number);
        match workbench {
            Workbench::Mcp { server, .. } => match &server.transport {
                McpTransport::StreamableHttp { url, headers } | McpTransport::Sse { url, headers } => {
                    if !headers.is_empty() {
                        losses.add(&place, "The headers of the tool server are not written.");
                    }
                    let name = format!("server_{}", number + 1);
                    tools.push(json!({
                        "kind": "mcp",
                        "name": name,
                        "url": text(url),
                        "approvalMode": { "kind": "never" },
                    }));
                }
                McpTransport::Stdio { command, .. } => {
                    let detail = format!(
                        "The tool server “{}” is a program, which cannot be written there.",
                        shown(command)
                    );
                    losses.add(&place, detail);
                }
            },
            Workbench::Other { provider, .. } => {
                losses.add(&place, format!("The tools of “{}” are not written.", shown(provider)));
            }
        }
    }
    tools
}

fn function(tool: &Tool) -> Value {
    json!({
        "kind": "function",
        "name": tool.name,
        "description": text(&tool.description),
        "parameters": { "properties": {} },
    })
}
