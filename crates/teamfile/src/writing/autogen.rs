//! AutoGen's component JSON.
//!
//! What is written for [`AutoGenLine::Both`] loads in 0.5 and in 0.7: without versions, with `tools` in the place
//! of a workbench, and with everything that either of them demands.

use serde_json::{Map, Value, json};

use super::{Loss, Losses, portable, python_name::Names, steps};
use crate::{
    finding::shown,
    place::Place,
    speaking::{FINAL_ANSWER, SELECT_SPEAKER},
    team::{
        Activation, Assistant, Condition, Conduct, Context, Graph, Handoff, Kept, McpServer, McpTransport,
        ModelClient, ModelProvider, Participant, Role, Team, Tool, ToolKind, Workbench,
    },
};

/// The model that stands where a team names none, as that of a run answers there.
const USUAL_MODEL: &str = "gpt-4o";

/// Which of AutoGen's two lines is written for. They differ in how an agent has tool servers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AutoGenLine {
    /// Both: without tool servers.
    #[default]
    Both,
    /// 0.5 and its Studio 0.4.2: one tool server an agent, in the place of tools.
    Older,
    /// 0.6 and later: any number of tool servers.
    Newer,
}

/// The team as a component, and what did not go along.
#[must_use]
pub fn autogen(team: &Team, line: AutoGenLine) -> (Value, Vec<Loss>) {
    let mut writer = Writer { line, losses: Losses::default() };
    let mut value = writer.team(team, None, &Place::root().at("team"));
    portable::make(&mut value);
    (value, writer.losses.0)
}

struct Writer {
    line: AutoGenLine,
    losses: Losses,
}

impl Writer {
    /// `name` is that of the participant that the team is, where it is one.
    fn team(&mut self, team: &Team, name: Option<&str>, place: &Place) -> Value {
        if let Conduct::Steps(steps) = &team.conduct {
            let team = steps::as_turns(team, steps, place, &mut self.losses);
            return self.team(&team, name, place);
        }
        let names = Names::of(team, place, &mut self.losses);
        let mut participants = Vec::new();
        for (number, participant) in team.participants.iter().enumerate() {
            participants.push(self.participant(participant, &names, &place.at("participants").at(number)));
        }
        let mut config = Map::new();
        config.insert("name".to_owned(), name.unwrap_or(&team.name).into());
        if !team.description.is_empty() {
            config.insert("description".to_owned(), team.description.clone().into());
        }
        config.insert("participants".to_owned(), participants.into());
        if let Some(condition) = &team.termination {
            config.insert("termination_condition".to_owned(), condition_of(condition, &names));
        }
        config.insert("max_turns".to_owned(), team.max_turns.into());
        config.insert("emit_team_events".to_owned(), team.emit_team_events.into());
        let provider = self.conduct(team, &names, &mut config, &place.at("conduct"));
        keep(&mut config, &team.kept);
        component(&provider, "team", Some(&team.name), &team.description, config)
    }

    /// Adds what says who speaks next, and says the provider of the team.
    fn conduct(
        &mut self,
        team: &Team,
        names: &Names<'_>,
        config: &mut Map<String, Value>,
        place: &Place,
    ) -> String {
        match &team.conduct {
            Conduct::Selector(selector) => {
                self.model_client(selector.model.as_ref(), config, place);
                let prompt = selector.prompt.as_deref().unwrap_or(SELECT_SPEAKER);
                config.insert("selector_prompt".to_owned(), prompt.into());
                config.insert("allow_repeated_speaker".to_owned(), selector.allow_repeated_speaker.into());
                config.insert("max_selector_attempts".to_owned(), selector.max_attempts.into());
                config.insert("model_client_streaming".to_owned(), selector.streaming.into());
                if let Some(context) = &selector.context {
                    config.insert("model_context".to_owned(), self.context(context, place));
                }
            }
            Conduct::MagenticOne(magentic) => {
                self.model_client(magentic.model.as_ref(), config, place);
                config.insert("max_stalls".to_owned(), magentic.max_stalls.into());
                let prompt = magentic.final_answer_prompt.as_deref().unwrap_or(FINAL_ANSWER);
                config.insert("final_answer_prompt".to_owned(), prompt.into());
                // Without a number, AutoGen would go on without end.
                config.insert("max_turns".to_owned(), team.max_turns.unwrap_or(20).into());
            }
            Conduct::GraphFlow { graph } => {
                config.insert("graph".to_owned(), graph_of(graph, names));
            }
            Conduct::Unknown { provider, config: kept } => {
                keep(config, kept);
                return provider.clone();
            }
            Conduct::RoundRobin | Conduct::Swarm | Conduct::Steps(_) => {}
        }
        format!("autogen_agentchat.teams.{}", team.conduct.class().unwrap_or("RoundRobinGroupChat"))
    }

    fn participant(&mut self, participant: &Participant, names: &Names<'_>, place: &Place) -> Value {
        let role_place = place.at("role");
        let name = names.written(&participant.name);
        let mut config = Map::new();
        config.insert("name".to_owned(), name.into());
        config.insert("description".to_owned(), participant.description.clone().into());
        let provider = match &participant.role {
            Role::Assistant(assistant) => {
                self.assistant(assistant, names, &mut config, &role_place);
                "autogen_agentchat.agents.AssistantAgent"
            }
            Role::UserProxy => "autogen_agentchat.agents.UserProxyAgent",
            Role::SocietyOfMind(society) => {
                let team = self.team(&society.team, None, &role_place.at("team"));
                config.insert("team".to_owned(), team);
                self.model_client(society.model.as_ref(), &mut config, &role_place);
                for (key, text) in
                    [("instruction", &society.instruction), ("response_prompt", &society.response_prompt)]
                {
                    if let Some(text) = text {
                        config.insert(key.to_owned(), text.clone().into());
                    }
                }
                config.insert("model_context".to_owned(), self.context(&society.context, &role_place));
                "autogen_agentchat.agents.SocietyOfMindAgent"
            }
            Role::Team { team } => {
                if self.line != AutoGenLine::Newer {
                    let detail =
                        format!("“{}” is a team: AutoGen 0.5 takes none within another.", shown(name));
                    self.losses.add(&role_place, detail);
                }
                return self.team(team, Some(name), &role_place.at("team"));
            }
            Role::Unknown { provider, config: kept } => {
                keep(&mut config, kept);
                provider
            }
            Role::Missing { reference } => {
                self.losses.add(
                    &role_place,
                    format!("“{}” is only named: AutoGen cannot load it.", shown(reference)),
                );
                return json!({ "component_ref": reference });
            }
        };
        keep(&mut config, &participant.kept);
        component(provider, "agent", participant.title.as_deref(), "", config)
    }

    fn assistant(
        &mut self,
        assistant: &Assistant,
        names: &Names<'_>,
        config: &mut Map<String, Value>,
        place: &Place,
    ) {
        self.model_client(assistant.model.as_ref(), config, place);
        self.tools(assistant, config, place);
        if !assistant.handoffs.is_empty() {
            let handoffs: Vec<Value> = assistant.handoffs.iter().map(|one| handoff(one, names)).collect();
            config.insert("handoffs".to_owned(), handoffs.into());
        }
        if !assistant.memory.is_empty() {
            config.insert("memory".to_owned(), assistant.memory.clone().into());
        }
        config.insert("model_context".to_owned(), self.context(&assistant.context, place));
        if let Some(system_message) = &assistant.system_message {
            config.insert("system_message".to_owned(), system_message.clone().into());
        }
        config.insert("model_client_stream".to_owned(), assistant.stream.into());
        config.insert("reflect_on_tool_use".to_owned(), assistant.reflect_on_tool_use.into());
        let format = assistant.tool_call_summary_format.clone();
        config.insert("tool_call_summary_format".to_owned(), format.into());
        config.insert("max_tool_iterations".to_owned(), assistant.max_tool_iterations.into());
    }

    /// Tools, and tool servers where the line has them. AutoGen refuses both side by side.
    fn tools(&mut self, assistant: &Assistant, config: &mut Map<String, Value>, place: &Place) {
        for (number, tool) in assistant.tools.iter().enumerate() {
            if tool.kind == ToolKind::Server {
                let detail = format!(
                    "The tool “{}” of the server was left out: AutoGen does not have it.",
                    shown(&tool.name)
                );
                self.losses.add(&place.at("tools").at(number), detail);
            }
        }
        let tools: Vec<Value> = assistant.tools.iter().filter_map(tool).collect();
        let taken = match self.line {
            AutoGenLine::Both => 0,
            AutoGenLine::Older if tools.is_empty() => 1,
            AutoGenLine::Older => 0,
            AutoGenLine::Newer => assistant.workbenches.len(),
        };
        for (number, bench) in assistant.workbenches.iter().enumerate().skip(taken) {
            let name = match bench {
                Workbench::Mcp { server, .. } => server.transport.label(),
                Workbench::Other { provider, .. } => provider,
            };
            let detail = format!(
                "The tools of “{}” were left out: AutoGen has them in another form in each line.",
                shown(name)
            );
            self.losses.add(&place.at("workbenches").at(number), detail);
        }
        let mut benches: Vec<Value> = assistant.workbenches.iter().take(taken).map(workbench).collect();
        if benches.is_empty() {
            config.insert("tools".to_owned(), tools.into());
        } else if self.line == AutoGenLine::Older {
            config.insert("workbench".to_owned(), benches.remove(0));
        } else {
            if !tools.is_empty() {
                let listed = json!({ "tools": tools, "tool_overrides": {} });
                benches.insert(
                    0,
                    json!({
                        "provider": "autogen_core.tools.StaticWorkbench",
                        "component_type": "workbench",
                        "config": listed,
                    }),
                );
            }
            config.insert("workbench".to_owned(), benches.into());
        }
    }

    fn model_client(&mut self, model: Option<&ModelClient>, config: &mut Map<String, Value>, place: &Place) {
        config.insert("model_client".to_owned(), self.model(model, place));
    }

    /// The model at a place. AutoGen loads nothing that lacks one: where the team leaves it to the run, a usual one
    /// takes its place.
    fn model(&mut self, model: Option<&ModelClient>, place: &Place) -> Value {
        if let Some(model) = model {
            return model_of(model);
        }
        let detail =
            format!("No model is named here: the file says {USUAL_MODEL} of OpenAI. Put yours in its place.");
        self.losses.add(place, detail);
        model_of(&ModelClient::open_ai(USUAL_MODEL))
    }

    fn context(&mut self, context: &Context, place: &Place) -> Value {
        let (class, config) = match context {
            Context::Unbounded => ("UnboundedChatCompletionContext", json!({})),
            Context::Buffered { size } => ("BufferedChatCompletionContext", json!({ "buffer_size": size })),
            Context::HeadAndTail { head, tail } => {
                ("HeadAndTailChatCompletionContext", json!({ "head_size": head, "tail_size": tail }))
            }
            Context::TokenLimited { model, limit } => {
                let config = json!({
                    "model_client": self.model(model.as_deref(), &place.at("context")),
                    "token_limit": limit,
                    "tool_schema": null,
                });
                ("TokenLimitedChatCompletionContext", config)
            }
            Context::Unknown { provider, config } => {
                return component(provider, "chat_completion_context", None, "", config.clone());
            }
        };
        json!({
            "provider": format!("autogen_core.model_context.{class}"),
            "component_type": "chat_completion_context",
            "config": config,
        })
    }
}

fn component(
    provider: &str,
    component_type: &str,
    label: Option<&str>,
    description: &str,
    config: Map<String, Value>,
) -> Value {
    let mut component = Map::new();
    component.insert("provider".to_owned(), provider.into());
    component.insert("component_type".to_owned(), component_type.into());
    if let Some(label) = label {
        component.insert("label".to_owned(), label.into());
    }
    if !description.is_empty() {
        component.insert("description".to_owned(), description.into());
    }
    component.insert("config".to_owned(), config.into());
    component.into()
}

/// Adds what is kept, without taking the place of what is known.
fn keep(config: &mut Map<String, Value>, kept: &Kept) {
    for (key, value) in kept {
        config.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

fn handoff(handoff: &Handoff, names: &Names<'_>) -> Value {
    json!({
        "target": names.written(&handoff.target),
        "description": handoff.description,
        "name": handoff.name,
        "message": handoff.message,
    })
}

fn model_of(model: &ModelClient) -> Value {
    let mut config = Map::new();
    config.insert("model".to_owned(), model.model.clone().into());
    let (class, address) = match &model.provider {
        ModelProvider::OpenAi => ("autogen_ext.models.openai.OpenAIChatCompletionClient", "base_url"),
        ModelProvider::AzureOpenAi => {
            ("autogen_ext.models.openai.AzureOpenAIChatCompletionClient", "base_url")
        }
        ModelProvider::Anthropic => {
            ("autogen_ext.models.anthropic.AnthropicChatCompletionClient", "base_url")
        }
        ModelProvider::Ollama => ("autogen_ext.models.ollama.OllamaChatCompletionClient", "host"),
        ModelProvider::Other { provider } => (provider.as_str(), "base_url"),
    };
    if let Some(base_url) = &model.base_url {
        config.insert(address.to_owned(), base_url.clone().into());
    }
    if let Some(azure) = &model.azure {
        let fields = [
            ("azure_endpoint", &azure.endpoint),
            ("azure_deployment", &azure.deployment),
            ("api_version", &azure.api_version),
        ];
        for (key, text) in fields {
            if let Some(text) = text {
                config.insert(key.to_owned(), text.clone().into());
            }
        }
    }
    let info = &model.info;
    let mut written = json!({
        "vision": info.vision,
        "function_calling": info.function_calling,
        "json_output": info.json_output,
        "structured_output": info.structured_output,
        "family": info.family,
    });
    if info.multiple_system_messages {
        written["multiple_system_messages"] = true.into();
    }
    config.insert("model_info".to_owned(), written);
    keep(&mut config, &model.parameters);
    keep(&mut config, &model.kept);
    component(class, "model", None, "", config)
}

/// A tool; one of the server is in no file.
fn tool(tool: &Tool) -> Option<Value> {
    let mut config = Map::new();
    let provider = match &tool.kind {
        ToolKind::Function { source, imports, cancellation } => {
            config.insert("source_code".to_owned(), source.clone().into());
            config.insert("name".to_owned(), tool.name.clone().into());
            config.insert("description".to_owned(), tool.description.clone().into());
            config.insert("global_imports".to_owned(), imports.clone().into());
            config.insert("has_cancellation_support".to_owned(), (*cancellation).into());
            "autogen_core.tools.FunctionTool"
        }
        ToolKind::Server => return None,
        ToolKind::Other { provider, config: kept } => {
            config.insert("name".to_owned(), tool.name.clone().into());
            if !tool.description.is_empty() {
                config.insert("description".to_owned(), tool.description.clone().into());
            }
            keep(&mut config, kept);
            provider
        }
    };
    keep(&mut config, &tool.kept);
    Some(component(provider, "tool", None, "", config))
}

fn workbench(workbench: &Workbench) -> Value {
    let (server, overrides) = match workbench {
        Workbench::Mcp { server, overrides } => (server, overrides),
        Workbench::Other { provider, config } => {
            return component(provider, "workbench", None, "", config.clone());
        }
    };
    let mut config = Map::new();
    config.insert("server_params".to_owned(), server_of(server));
    config.insert("tool_overrides".to_owned(), overrides.clone().into());
    component("autogen_ext.tools.mcp.McpWorkbench", "workbench", None, "", config)
}

fn server_of(server: &McpServer) -> Value {
    // The names stand there for whoever fills in the values.
    let empty = |names: &[String]| -> Map<String, Value> {
        names.iter().map(|name| (name.clone(), Value::from(""))).collect()
    };
    let mut written = match &server.transport {
        McpTransport::Stdio { command, arguments, variables } => {
            let mut written = json!({ "type": "StdioServerParams", "command": command, "args": arguments });
            if !variables.is_empty() {
                written["env"] = empty(variables).into();
            }
            written
        }
        McpTransport::Sse { url, headers } => {
            json!({ "type": "SseServerParams", "url": url, "headers": empty(headers) })
        }
        McpTransport::StreamableHttp { url, headers } => {
            json!({ "type": "StreamableHttpServerParams", "url": url, "headers": empty(headers) })
        }
    };
    if let Value::Object(fields) = &mut written {
        keep(fields, &server.parameters);
    }
    written
}

fn graph_of(graph: &Graph, names: &Names<'_>) -> Value {
    let activation = |activation: Activation| match activation {
        Activation::All => "all",
        Activation::Any => "any",
    };
    let mut nodes = Map::new();
    for node in &graph.nodes {
        let edges: Vec<Value> = node
            .edges
            .iter()
            .map(|edge| {
                json!({
                    "target": names.written(&edge.target),
                    "condition": edge.condition,
                    "activation_group": names.written(&edge.group),
                    "activation_condition": activation(edge.activation),
                })
            })
            .collect();
        let name = names.written(&node.name);
        let mut written = Map::new();
        written.insert("name".to_owned(), name.into());
        written.insert("edges".to_owned(), edges.into());
        written.insert("activation".to_owned(), activation(node.activation).into());
        keep(&mut written, &node.kept);
        nodes.insert(name.to_owned(), written.into());
    }
    json!({ "nodes": nodes, "default_start_node": graph.start.as_deref().map(|start| names.written(start)) })
}

fn condition_of(condition: &Condition, names: &Names<'_>) -> Value {
    let inner = |conditions: &[Condition]| -> Value {
        json!({ "conditions": conditions.iter().map(|one| condition_of(one, names)).collect::<Vec<_>>() })
    };
    let (package, config) = match condition {
        Condition::MaxMessages { max_messages, include_agent_event } => {
            let config = json!({ "max_messages": max_messages, "include_agent_event": include_agent_event });
            ("conditions", config)
        }
        Condition::TextMention { text } => ("conditions", json!({ "text": text })),
        Condition::StopMessage | Condition::External => ("conditions", json!({})),
        // All three keys are demanded on loading, although AutoGen itself leaves out those without a limit.
        Condition::TokenUsage { max_total, max_prompt, max_completion } => (
            "conditions",
            json!({
                "max_total_token": max_total,
                "max_prompt_token": max_prompt,
                "max_completion_token": max_completion,
            }),
        ),
        Condition::Timeout { seconds } => ("conditions", json!({ "timeout_seconds": seconds })),
        Condition::Handoff { target } => ("conditions", json!({ "target": names.written(target) })),
        Condition::SourceMatch { sources } => {
            let sources: Vec<&str> = sources.iter().map(|source| names.written(source)).collect();
            ("conditions", json!({ "sources": sources }))
        }
        Condition::TextMessage { source } => {
            ("conditions", json!({ "source": source.as_deref().map(|source| names.written(source)) }))
        }
        Condition::FunctionCall { function_name } => {
            ("conditions", json!({ "function_name": function_name }))
        }
        Condition::Any { conditions } | Condition::All { conditions } => ("base", inner(conditions)),
        Condition::Unknown { provider, config } => {
            return component(provider, "termination", None, "", config.clone());
        }
    };
    json!({
        "provider": format!("autogen_agentchat.{package}.{}", condition.class()),
        "component_type": "termination",
        "config": config,
    })
}
