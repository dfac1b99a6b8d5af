//! What is written for other systems, and that it is read again as it was.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use support::{read, team_of};
use teamfile::{
    KeyFound, Reader, SourceFile,
    team::{
        Activation, Assistant, AzureDeployment, Condition, Conduct, Context, Edge, Graph, GraphNode, Handoff,
        MagenticOne, McpServer, McpTransport, ModelClient, ModelInfo, ModelProvider, Participant, Process,
        Role, Selector, SocietyOfMind, Step, Steps, Team, TeamDocument, Tool, ToolKind, Workbench,
    },
    writing::{AutoGenLine, agent_framework, autogen},
};

const ROUND_ROBIN: &str = include_str!("samples/round_robin.json");

fn details(losses: &[teamfile::writing::Loss]) -> String {
    losses.iter().map(|loss| loss.detail.as_str()).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_written_has_what_both_lines_of_autogen_demand() {
    let team = read("team.json", ROUND_ROBIN).teams[0].team.clone();
    let (value, losses) = autogen(&team, AutoGenLine::Both);
    let text = value.to_string();
    assert!(!text.contains("version") && !text.contains("workbench") && !text.contains("api_key"), "{text}");
    let writer = &value["config"]["participants"][0]["config"];
    assert_eq!(writer["tools"][0]["config"]["name"], "add");
    assert_eq!(
        writer["model_client"]["config"]["model_info"],
        json!({ "vision": false, "function_calling": true, "json_output": true, "structured_output": true,
            "family": "unknown" })
    );
    let tokens = &value["config"]["termination_condition"]["config"]["conditions"][1];
    assert_eq!(
        tokens["config"],
        json!({ "max_total_token": 5000, "max_prompt_token": null, "max_completion_token": null })
    );
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert_eq!(losses[0].place.as_str(), "/team/participants/0/role/workbenches/0");

    // Each line alone takes the tool server along.
    let (value, losses) = autogen(&team, AutoGenLine::Newer);
    let benches = &value["config"]["participants"][0]["config"]["workbench"];
    assert_eq!(benches[0]["provider"], "autogen_core.tools.StaticWorkbench");
    assert_eq!(benches[1]["config"]["server_params"]["env"], json!({ "K": "" }));
    assert_eq!(losses, []);
    let mut without_tools = team;
    if let Role::Assistant(assistant) = &mut without_tools.participants[0].role {
        assistant.tools.clear();
    }
    let (value, losses) = autogen(&without_tools, AutoGenLine::Older);
    assert!(value["config"]["participants"][0]["config"]["workbench"].is_object());
    assert_eq!(losses, []);
}

#[test]
fn what_a_selector_demands_is_written_also_where_nobody_said_it() {
    let selector = Selector {
        model: Some(ModelClient::open_ai("gpt-4o")),
        profile: None,
        prompt: None,
        allow_repeated_speaker: false,
        max_attempts: 3,
        streaming: false,
        context: None,
    };
    let participants = vec![assistant("a"), assistant("b")];
    let team = Team { conduct: Conduct::Selector(selector), ..Team::new("Choice", participants) };
    let (value, _) = autogen(&team, AutoGenLine::Both);
    let prompt = value["config"]["selector_prompt"].as_str().unwrap();
    assert!(["{roles}", "{participants}", "{history}"].iter().all(|part| prompt.contains(part)));
    assert_eq!(value["config"]["allow_repeated_speaker"], json!(false));
    assert_eq!(team_of(&value).team, team);
}

#[test]
fn a_place_that_leaves_its_model_to_the_run_names_a_usual_one_and_says_so() {
    let plain = |role: Assistant| Participant::new("writer", Role::Assistant(Box::new(role)));
    let counted = Context::TokenLimited { model: None, limit: Some(9) };
    let selector = json!({ "kind": "selector" });
    let team = Team {
        conduct: serde_json::from_value(selector).unwrap(),
        ..Team::new("Made here", vec![plain(Assistant { context: counted, ..Assistant::default() })])
    };
    let (value, losses) = autogen(&team, AutoGenLine::Both);
    let places = ["", "/config/participants/0", "/config/participants/0/config/model_context"];
    for place in places {
        let client = value.pointer(&format!("{place}/config/model_client")).unwrap();
        assert_eq!(client["provider"], "autogen_ext.models.openai.OpenAIChatCompletionClient", "{place}");
        assert_eq!(client["config"]["model"], "gpt-4o", "{place}");
    }
    let told: Vec<&str> = losses.iter().map(|loss| loss.place.as_str()).collect();
    assert_eq!(
        told,
        ["/team/participants/0/role", "/team/participants/0/role/context", "/team/conduct"],
        "{losses:?}"
    );
}

#[test]
fn what_a_part_that_is_not_known_has_within_it_is_written_for_both_lines() {
    let tool =
        json!({ "provider": "autogen_core.tools.FunctionTool", "version": 1, "config": { "name": "add" } });
    let bench = |overrides: Value| {
        json!({ "provider": "autogen_core.tools.StaticWorkbench", "component_version": 1,
            "config": { "tools": [tool], "tool_overrides": overrides } })
    };
    let agent = |workbench: Value| {
        json!({ "provider": "autogen_agentchat.agents.AssistantAgent", "component_version": 2,
            "config": { "name": "a", "workbench": workbench } })
    };
    let written = |workbench: Value| {
        let config = json!({ "wrapped_agent": agent(workbench), "version": "mine" });
        let role = json!({ "kind": "unknown", "provider": "autogen_agentchat.agents.MessageFilterAgent", "config": config });
        let role: Role = serde_json::from_value(role).unwrap();
        let team = Team::new("Filtered", vec![Participant::new("filter", role)]);
        autogen(&team, AutoGenLine::Both).0["config"]["participants"][0]["config"].clone()
    };
    let plain_tool = json!({ "provider": "autogen_core.tools.FunctionTool", "config": { "name": "add" } });
    for workbench in [bench(json!({})), json!([bench(json!({})), bench(Value::Null)])] {
        let count = workbench.as_array().map_or(1, Vec::len);
        let config = written(workbench);
        let wrapped = &config["wrapped_agent"];
        assert_eq!(wrapped["config"]["tools"], Value::Array(vec![plain_tool.clone(); count]));
        assert!(wrapped["config"].get("workbench").is_none() && wrapped.get("component_version").is_none());
        assert_eq!(config["version"], "mine", "what is no component stays");
    }
    // Other names of tools would be lost, and a server of tools is no list.
    for workbench in
        [bench(json!({ "add": { "name": "sum" } })), json!([{ "provider": "x.McpWorkbench", "config": {} }])]
    {
        assert!(written(workbench)["wrapped_agent"]["config"].get("workbench").is_some());
    }
}

#[test]
fn names_that_python_refuses_are_rewritten_wherever_they_stand() {
    let mut first = assistant("Ana Maria");
    if let Role::Assistant(assistant) = &mut first.role {
        assistant.handoffs = vec![Handoff::to("critic-2"), Handoff::to("user")];
    }
    let team = Team {
        conduct: Conduct::Swarm,
        termination: Some(Condition::SourceMatch { sources: vec!["critic-2".to_owned()] }),
        ..Team::new("Swarm of two", vec![first, assistant("critic-2"), assistant("critic_2")])
    };
    let (value, losses) = autogen(&team, AutoGenLine::Both);
    let names: Vec<&Value> = value["config"]["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["config"]["name"])
        .collect();
    assert_eq!(names, ["Ana_Maria", "critic_2_2", "critic_2"]);
    let handoffs = &value["config"]["participants"][0]["config"]["handoffs"];
    assert_eq!((&handoffs[0]["target"], &handoffs[1]["target"]), (&json!("critic_2_2"), &json!("user")));
    assert_eq!(value["config"]["termination_condition"]["config"]["sources"], json!(["critic_2_2"]));
    assert_eq!(losses.len(), 2);
    // A name of letters with marks is one for Python.
    let team = Team::new("One", vec![assistant("Orçamentista")]);
    let (value, losses) = autogen(&team, AutoGenLine::Both);
    assert_eq!(
        (&value["config"]["participants"][0]["config"]["name"], losses.len()),
        (&json!("Orçamentista"), 0)
    );
}

fn assistant(name: &str) -> Participant {
    let assistant = Assistant {
        system_message: Some(format!("You are {name}.")),
        model: Some(ModelClient::open_ai("gpt-4o")),
        ..Assistant::default()
    };
    Participant {
        description: name.to_owned(),
        ..Participant::new(name, Role::Assistant(Box::new(assistant)))
    }
}

fn crew() -> Team {
    let step = |name: &str, agent: &str| Step {
        name: name.to_owned(),
        agent: Some(agent.to_owned()),
        description: format!("Do {name}."),
        expected_output: "Text".to_owned(),
        inputs: None,
        artefact: (name == "tell").then(|| "out.md".to_owned()),
        kept: Map::new(),
    };
    let steps = Steps {
        steps: vec![step("find", "a"), step("tell", "b"), step("check", "a")],
        process: Process::Sequential,
        fields: vec!["topic".to_owned()],
    };
    Team { conduct: Conduct::Steps(steps), ..Team::new("Crew", vec![assistant("a"), assistant("b")]) }
}

#[test]
fn steps_become_agents_who_take_turns_once() {
    let (value, losses) = autogen(&crew(), AutoGenLine::Both);
    assert_eq!(value["provider"], "autogen_agentchat.teams.RoundRobinGroupChat");
    assert_eq!(value["config"]["max_turns"], 3);
    let participants = value["config"]["participants"].as_array().unwrap();
    let names: Vec<&Value> = participants.iter().map(|one| &one["config"]["name"]).collect();
    assert_eq!(names, ["a", "b", "check"]);
    assert_eq!(
        participants[2]["config"]["system_message"],
        "You are a.\n\nYour step:\nDo check.\n\nExpected output: Text"
    );
    let told = details(&losses);
    assert!(told.contains("{topic}") && told.contains("no file"), "{told}");
}

#[test]
fn a_tool_of_the_server_is_left_out_of_files_for_autogen_and_is_no_fault_of_the_team() {
    let mut agent = assistant("writer");
    if let Role::Assistant(assistant) = &mut agent.role {
        let tool = |name: &str, kind| Tool {
            name: name.to_owned(),
            description: String::new(),
            kind,
            kept: Map::new(),
        };
        let other = ToolKind::Other { provider: "my.OddTool".to_owned(), config: Map::new() };
        assistant.tools = vec![tool("search", ToolKind::Server), tool("odd", other)];
    }
    let team = Team { max_turns: Some(1), ..Team::new("My team", vec![agent]) };
    let (value, losses) = autogen(&team, AutoGenLine::Both);
    let tools = &value["config"]["participants"][0]["config"]["tools"];
    assert_eq!((tools.as_array().unwrap().len(), &tools[0]["config"]["name"]), (1, &json!("odd")));
    assert!(
        losses.iter().any(|loss| loss.place.as_str() == "/team/participants/0/role/tools/0"),
        "{losses:?}"
    );
    let findings = teamfile::team::check(&team, &[]);
    let of_tools: Vec<&str> =
        findings.iter().map(|found| found.place.as_str()).filter(|place| place.contains("/tools/")).collect();
    assert_eq!(of_tools, ["/team/participants/0/role/tools/1"]);
}

#[test]
fn a_team_that_takes_turns_is_written_as_calls_for_the_agent_framework() {
    let mut first = assistant("writer");
    if let Role::Assistant(assistant) = &mut first.role {
        let model = assistant.model.as_mut().unwrap();
        model.base_url = Some("http://127.0.0.1:1234/v1".to_owned());
        model.parameters = json!({ "temperature": 0.2, "top_p": 0.9, "max_tokens": 9, "seed": 1, "n": 2 })
            .as_object()
            .unwrap()
            .clone();
        assistant.system_message = Some("=Concat(\"yes\")".to_owned());
        let function =
            ToolKind::Function { source: "def f(): pass".to_owned(), imports: vec![], cancellation: false };
        assistant.tools = vec![Tool {
            name: "f".to_owned(),
            description: "does".to_owned(),
            kind: function,
            kept: Map::new(),
        }];
        let server = |transport| Workbench::Mcp {
            server: McpServer { transport, parameters: Map::new() },
            overrides: Map::new(),
        };
        assistant.workbenches = vec![
            server(McpTransport::StreamableHttp {
                url: "https://example.com/mcp".to_owned(),
                headers: vec![],
            }),
            server(McpTransport::Stdio { command: "npx".to_owned(), arguments: vec![], variables: vec![] }),
        ];
    }
    let mut second = assistant("critic");
    if let Role::Assistant(assistant) = &mut second.role {
        assistant.model =
            Some(ModelClient { provider: ModelProvider::Ollama, ..ModelClient::open_ai("llama3") });
    }
    let person = Participant::new("person", Role::UserProxy);
    let team = Team {
        max_turns: Some(3),
        termination: Some(Condition::TextMention { text: "OK".to_owned() }),
        ..Team::new("My team", vec![first, second, person])
    };
    let (files, losses) = agent_framework(&team);
    assert_eq!((files.len(), files[0].name.as_str()), (1, "My_team.yaml"));
    let written: Value = serde_saphyr::from_str(&files[0].text).unwrap();
    assert_eq!(
        written,
        json!({
            "kind": "Workflow",
            "name": "My_team",
            "agents": {
                "writer": {
                    "kind": "Prompt", "name": "writer", "description": "writer",
                    // What begins with `=` would be a formula.
                    "instructions": " =Concat(\"yes\")",
                    "model": { "id": "gpt-4o", "provider": "OpenAI", "apiType": "Chat",
                        "options": { "temperature": 0.2, "topP": 0.9, "maxOutputTokens": 9, "seed": 1 },
                        "connection": { "kind": "key", "endpoint": "http://127.0.0.1:1234/v1",
                            "key": "=Env.OPENAI_API_KEY" } },
                    "tools": [
                        { "kind": "function", "name": "f", "description": "does", "parameters": { "properties": {} } },
                        { "kind": "mcp", "name": "server_1", "url": "https://example.com/mcp",
                          "approvalMode": { "kind": "never" } } ],
                    "metadata": {}
                },
                "critic": {
                    "kind": "Prompt", "name": "critic", "description": "critic", "instructions": "You are critic.",
                    "model": { "id": "llama3", "provider": "OpenAI", "apiType": "Chat",
                        "connection": { "kind": "key", "endpoint": "http://localhost:11434/v1",
                            "key": "=Env.OPENAI_API_KEY" } },
                    "metadata": {}
                }
            },
            "trigger": { "kind": "OnConversationStart", "id": "My_team", "actions": [
                { "kind": "InvokeAzureAgent", "id": "say_writer", "agent": { "name": "writer" } },
                { "kind": "InvokeAzureAgent", "id": "say_critic", "agent": { "name": "critic" } },
                { "kind": "InvokeAzureAgent", "id": "say_writer_2", "agent": { "name": "writer" } } ] }
        })
    );
    let told = details(&losses);
    for part in ["“f”", "“npx”", "“n”", "“person”", "condition", "safe_mode=False"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[test]
fn the_agent_framework_reaches_other_providers_like_openai_and_azure_by_its_deployment() {
    let written = |change: fn(&mut Participant, &mut ModelClient)| {
        let mut agent = assistant("writer");
        let mut client = ModelClient::open_ai("gpt-4o");
        change(&mut agent, &mut client);
        if let Role::Assistant(assistant) = &mut agent.role {
            assistant.model = Some(client);
        }
        let team = Team { max_turns: Some(1), ..Team::new("One", vec![agent]) };
        let (files, _) = agent_framework(&team);
        serde_saphyr::from_str::<Value>(&files[0].text).unwrap()["agents"]["writer"].clone()
    };
    let anthropic = written(|_, model| {
        *model = ModelClient { provider: ModelProvider::Anthropic, ..ModelClient::open_ai("claude-3-haiku") };
    });
    assert_eq!(
        (&anthropic["model"]["provider"], &anthropic["model"]["connection"]),
        (
            &json!("OpenAI"),
            &json!({ "kind": "key", "endpoint": "https://api.anthropic.com/v1/", "key": "=Env.ANTHROPIC_API_KEY" })
        )
    );
    let azure = written(|_, model| {
        model.provider = ModelProvider::AzureOpenAi;
        model.azure = Some(AzureDeployment {
            endpoint: Some("https://acme.openai.azure.com".to_owned()),
            deployment: Some("writers".to_owned()),
            ..AzureDeployment::default()
        });
    });
    assert_eq!(
        (&azure["model"]["provider"], &azure["model"]["id"], &azure["model"]["connection"]["endpoint"]),
        (&json!("AzureOpenAI"), &json!("writers"), &json!("https://acme.openai.azure.com"))
    );
    // What an agent has beside its known fields goes into the one place that is not refused.
    let extra = written(|agent, _| {
        agent.kept.insert("owner".to_owned(), json!("anna"));
    });
    assert_eq!(extra["metadata"], json!({ "owner": "anna" }));
}

#[test]
fn where_a_model_or_a_handoff_decides_only_agents_are_written() {
    let team = Team { conduct: Conduct::Swarm, ..Team::new("Swarm", vec![assistant("a"), assistant("b")]) };
    let (files, losses) = agent_framework(&team);
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["a.yaml", "b.yaml"]);
    let written: Value = serde_saphyr::from_str(&files[0].text).unwrap();
    assert_eq!((&written["kind"], &written["name"]), (&json!("Prompt"), &json!("a")));
    assert!(details(&losses).contains("only the agents"));
    let (files, _) = agent_framework(&crew());
    let written: Value = serde_saphyr::from_str(&files[0].text).unwrap();
    assert_eq!(written["trigger"]["actions"].as_array().unwrap().len(), 3);
}

fn name() -> impl Strategy<Value = String> {
    "[A-Za-zÀ-ÿ_&&[^×÷]][a-z0-9_]{0,8}"
}

fn sentence() -> impl Strategy<Value = String> {
    // Only white space counts as nothing said.
    "[a-zA-Z#'\"{}:é-][ -~\n]{0,30}"
}

fn kept() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z ]{1,9}".prop_map(Value::from)
    ];
    prop::collection::hash_map("x_[a-f]{1,3}", value, 0..2).prop_map(|fields| fields.into_iter().collect())
}

fn models() -> impl Strategy<Value = ModelClient> {
    let info = (any::<[bool; 5]>(), "[a-z0-9.-]{1,8}").prop_map(|(can, family)| ModelInfo {
        vision: can[0],
        function_calling: can[1],
        json_output: can[2],
        structured_output: can[3],
        family,
        multiple_system_messages: can[4],
    });
    let provider = prop_oneof![
        Just(ModelProvider::OpenAi),
        Just(ModelProvider::AzureOpenAi),
        Just(ModelProvider::Anthropic),
        Just(ModelProvider::Ollama),
    ];
    let parameters = prop::option::of(0_u32..20).prop_map(|tenths| {
        tenths.map(|tenths| ("temperature".to_owned(), json!(f64::from(tenths) / 10.0))).into_iter().collect()
    });
    let address = prop::option::of("http://[a-z]{1,5}:[1-9][0-9]{1,3}");
    (provider, "[a-zA-Z0-9.:-]{1,12}", address, info, parameters, kept(), prop::option::of("[a-z]{1,6}"))
        .prop_map(|(provider, model, base_url, info, parameters, kept, deployment)| {
            let azure = (provider == ModelProvider::AzureOpenAi)
                .then(|| AzureDeployment { deployment, ..AzureDeployment::default() });
            ModelClient { provider, model, base_url, key: KeyFound::None, azure, info, parameters, kept }
        })
}

fn contexts() -> impl Strategy<Value = Context> {
    prop_oneof![
        Just(Context::Unbounded),
        any::<u32>().prop_map(|size| Context::Buffered { size }),
        any::<(u32, u32)>().prop_map(|(head, tail)| Context::HeadAndTail { head, tail }),
        (models(), prop::option::of(any::<u32>()))
            .prop_map(|(model, limit)| Context::TokenLimited { model: Some(Box::new(model)), limit }),
    ]
}

fn tools() -> impl Strategy<Value = Tool> {
    let kind = prop_oneof![
        (sentence(), any::<bool>()).prop_map(|(source, cancellation)| ToolKind::Function {
            source,
            imports: vec![json!("os")],
            cancellation
        }),
        kept().prop_map(|config| ToolKind::Other { provider: "my.OddTool".to_owned(), config }),
    ];
    (name(), sentence(), kind).prop_map(|(name, description, kind)| Tool {
        name,
        description,
        kind,
        kept: Map::new(),
    })
}

fn workbenches() -> impl Strategy<Value = Workbench> {
    let names =
        || prop::collection::btree_set("[A-Z]{1,4}", 0..3).prop_map(|names| names.into_iter().collect());
    let transport = prop_oneof![
        ("[a-z]{1,6}", names()).prop_map(|(command, variables)| McpTransport::Stdio {
            command,
            arguments: vec!["-y".to_owned()],
            variables
        }),
        names().prop_map(|headers| McpTransport::Sse { url: "https://a.b/sse".to_owned(), headers }),
        names()
            .prop_map(|headers| McpTransport::StreamableHttp { url: "https://a.b/mcp".to_owned(), headers }),
    ];
    prop_oneof![
        (transport, kept()).prop_map(|(transport, parameters)| Workbench::Mcp {
            server: McpServer { transport, parameters },
            overrides: Map::new()
        }),
        kept().prop_map(|config| Workbench::Other { provider: "my.OddWorkbench".to_owned(), config }),
    ]
}

fn assistants() -> impl Strategy<Value = Role> {
    let handoff = (name(), sentence(), sentence()).prop_map(|(target, description, message)| Handoff {
        name: format!("go_{target}"),
        target,
        description,
        message,
    });
    (
        prop::option::of(sentence()),
        models().prop_map(Some),
        prop::collection::vec(tools(), 0..3),
        prop::collection::vec(workbenches(), 0..3),
        prop::collection::vec(handoff, 0..3),
        contexts(),
        any::<(bool, bool)>(),
        1_u32..9,
    )
        .prop_map(
            |(system_message, model, tools, workbenches, handoffs, context, (stream, reflect), rounds)| {
                Role::Assistant(Box::new(Assistant {
                    system_message,
                    model,
                    profile: None,
                    tools,
                    workbenches,
                    handoffs,
                    memory: vec![json!({ "provider": "my.ListMemory", "config": { "name": "m" } })],
                    context,
                    stream,
                    reflect_on_tool_use: reflect,
                    tool_call_summary_format: "{tool_name}: {result}".to_owned(),
                    max_tool_iterations: rounds,
                }))
            },
        )
}

fn conditions() -> impl Strategy<Value = Condition> {
    let limit = || prop::option::of(any::<u64>());
    let simple = prop_oneof![
        (any::<u64>(), any::<bool>()).prop_map(|(max_messages, include_agent_event)| {
            Condition::MaxMessages { max_messages, include_agent_event }
        }),
        ".{0,9}".prop_map(|text| Condition::TextMention { text }),
        Just(Condition::StopMessage),
        (limit(), limit(), limit()).prop_map(|(max_total, max_prompt, max_completion)| {
            Condition::TokenUsage { max_total, max_prompt, max_completion }
        }),
        (0_u32..9_000).prop_map(|tenths| Condition::Timeout { seconds: f64::from(tenths) / 10.0 }),
        Just(Condition::External),
        name().prop_map(|target| Condition::Handoff { target }),
        prop::collection::vec(name(), 0..3).prop_map(|sources| Condition::SourceMatch { sources }),
        prop::option::of(name()).prop_map(|source| Condition::TextMessage { source }),
        name().prop_map(|function_name| Condition::FunctionCall { function_name }),
        kept().prop_map(|config| Condition::Unknown { provider: "my.OddTermination".to_owned(), config }),
    ];
    simple.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|conditions| Condition::Any { conditions }),
            prop::collection::vec(inner, 0..4).prop_map(|conditions| Condition::All { conditions }),
        ]
    })
}

fn conducts() -> impl Strategy<Value = Conduct> {
    let activation = || prop_oneof![Just(Activation::All), Just(Activation::Any)];
    let edge = (name(), prop::option::of(sentence()), name(), activation())
        .prop_map(|(target, condition, group, activation)| Edge { target, condition, group, activation });
    let node = (prop::collection::vec(edge, 0..3), activation(), kept());
    let graph = (prop::collection::btree_map(name(), node, 0..4), prop::option::of(name())).prop_map(
        |(nodes, start)| {
            let nodes = nodes
                .into_iter()
                .map(|(name, (edges, activation, kept))| GraphNode { name, edges, activation, kept })
                .collect();
            Conduct::GraphFlow { graph: Graph { nodes, start } }
        },
    );
    let selector = (
        models().prop_map(Some),
        prop::option::of(sentence()),
        any::<(bool, bool)>(),
        1_u32..9,
        prop::option::of(contexts()),
    )
        .prop_map(|(model, prompt, (allow_repeated_speaker, streaming), max_attempts, context)| {
            Conduct::Selector(Selector {
                model,
                profile: None,
                prompt,
                allow_repeated_speaker,
                max_attempts,
                streaming,
                context,
            })
        });
    let magentic = (models().prop_map(Some), any::<u32>(), prop::option::of(sentence())).prop_map(
        |(model, max_stalls, final_answer_prompt)| {
            Conduct::MagenticOne(MagenticOne { model, profile: None, max_stalls, final_answer_prompt })
        },
    );
    prop_oneof![
        Just(Conduct::RoundRobin),
        Just(Conduct::Swarm),
        selector,
        magentic,
        graph,
        kept().prop_map(|config| Conduct::Unknown { provider: "my.OddGroupChat".to_owned(), config }),
    ]
}

/// Teams of which all is said that AutoGen's form can say.
fn teams() -> impl Strategy<Value = Team> {
    let leaf = prop_oneof![
        4 => assistants(),
        1 => Just(Role::UserProxy),
        1 => kept().prop_map(|config| Role::Unknown { provider: "my.OddAgent".to_owned(), config }),
    ];
    let alone = team_of_roles(leaf.clone().boxed());
    let outer = prop_oneof![
        4 => leaf,
        1 => (alone.clone(), models().prop_map(Some), prop::option::of(sentence()), contexts()).prop_map(|(team, model, instruction, context)| {
            Role::SocietyOfMind(Box::new(SocietyOfMind { team, model, profile: None, instruction, response_prompt: None, context }))
        }),
        1 => alone.prop_map(|team| Role::Team { team: Box::new(team) }),
    ];
    team_of_roles(outer.boxed())
}

fn team_of_roles(roles: BoxedStrategy<Role>) -> BoxedStrategy<Team> {
    let participant = (roles, prop::option::of("[A-Z][a-z]{2,8} [a-z]{2,5}"), sentence(), kept());
    let participants = prop::collection::btree_map("[A-Za-z_][a-z0-9_]{0,8}", participant, 1..4);
    (
        participants,
        ("[A-Z][a-z]{1,8} team", sentence()),
        conducts(),
        prop::option::of(conditions()),
        1_u32..99,
        any::<bool>(),
        kept(),
    )
        .prop_map(
            |(participants, (name, description), conduct, termination, turns, emit_team_events, kept)| {
                let participants = participants
                    .into_iter()
                    .map(|(name, (role, title, description, kept))| match role {
                        // What a team says of itself is what is said of the participant.
                        Role::Team { team } => Participant {
                            description: team.description.clone(),
                            ..Participant::new(name, Role::Team { team })
                        },
                        Role::Unknown { .. } => {
                            Participant { title, description, ..Participant::new(name, role) }
                        }
                        role => Participant { title, description, kept, ..Participant::new(name, role) },
                    })
                    .collect();
                let is_unknown = matches!(conduct, Conduct::Unknown { .. });
                Team {
                    name,
                    description,
                    conduct,
                    participants,
                    termination,
                    max_turns: Some(turns),
                    emit_team_events,
                    kept: if is_unknown { Map::new() } else { kept },
                }
            },
        )
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn what_is_written_for_autogen_is_read_as_it_was(team in teams()) {
        let (value, _) = autogen(&team, AutoGenLine::Newer);
        let text = value.to_string();
        let reading = Reader::new().read(&[SourceFile { name: "x.json", bytes: text.as_bytes() }]);
        prop_assert_eq!(reading.teams.len(), 1, "{:?}", reading.findings);
        prop_assert_eq!(&reading.teams[0].team, &team, "{}", serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn a_document_is_read_as_it_was(team in teams()) {
        let document = TeamDocument::new(team);
        let value = document.to_value();
        prop_assert_eq!(value["version"].as_u64(), Some(1));
        prop_assert_eq!(TeamDocument::read(&value).unwrap(), document);
    }

    #[test]
    fn yaml_for_the_agent_framework_can_be_read(team in teams()) {
        let (files, _) = agent_framework(&team);
        for file in files {
            let written: Value = serde_saphyr::from_str(&file.text).unwrap();
            prop_assert!(written["kind"].is_string());
        }
    }
}
