//! Components of AutoGen, as it writes them and as people change them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{agent, condition, model, pair, place_of, problems, read, read_value, team, team_of};
use teamfile::{
    Finding, KeyFound, KnownTool, Part, Problem, Reader, Severity, SourceFile, SourceIdentity,
    team::{
        Condition, Conduct, Context, McpTransport, ModelProvider, Participant, Role, TeamDocument, ToolKind,
        Workbench, check,
    },
};

const ROUND_ROBIN: &str = include_str!("samples/round_robin.json");
const SELECTOR: &str = include_str!("samples/selector.json");

fn has(findings: &[Finding], is_like: impl Fn(&Problem) -> bool) -> bool {
    findings.iter().any(|finding| is_like(&finding.problem))
}

#[test]
fn a_team_that_takes_turns_is_read_as_autogen_writes_it() {
    let reading = read("writing-team (1).json", ROUND_ROBIN);
    assert_eq!(reading.findings, []);
    let read = &reading.teams[0];
    let team = &read.team;
    // Label and name are those of the class, so that the file's name counts.
    assert_eq!(team.name, "writing-team");
    assert_eq!(team.description, "A team that takes turns.");
    assert_eq!(team.conduct, Conduct::RoundRobin);
    assert_eq!((team.max_turns, team.emit_team_events), (Some(20), true));
    let names: Vec<&str> = team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["writer", "critic", "human"]);
    assert_eq!(team.participants[2].role, Role::UserProxy);
    assert!(team.kept.is_empty() && team.participants.iter().all(|one| one.kept.is_empty()));

    let writer = team.participants[0].assistant().unwrap();
    assert_eq!(writer.system_message.as_deref(), Some("Write."));
    assert_eq!((writer.stream, writer.max_tool_iterations), (true, 3));
    assert_eq!(writer.context, Context::Buffered { size: 10 });
    assert_eq!(writer.handoffs[0].target, "critic");
    assert_eq!(writer.handoffs[0].name, "transfer_to_critic");
    // The tools of a list stand with the others, the tool server apart.
    assert_eq!(writer.tools[0].name, "add");
    let Workbench::Mcp { server, .. } = &writer.workbenches[0] else { panic!("{:?}", writer.workbenches) };
    let McpTransport::Stdio { command, arguments, variables } = &server.transport else { panic!() };
    assert_eq!((command.as_str(), arguments.as_slice()), ("uvx", ["mcp-server-fetch".to_owned()].as_slice()));
    assert_eq!(variables, &["K"]);

    let model = writer.model.as_ref().unwrap();
    assert_eq!(model.provider, ModelProvider::OpenAi);
    assert_eq!(model.base_url.as_deref(), Some("http://127.0.0.1:1234/v1"));
    assert_eq!(model.parameters.get("temperature"), Some(&json!(0.2)));
    assert_eq!(model.key, KeyFound::Placeholder);

    // ((text OR max) OR timeout) AND tokens
    let text = Condition::TextMention { text: "APPROVE".to_owned() };
    let max = Condition::MaxMessages { max_messages: 12, include_agent_event: false };
    let tokens = Condition::TokenUsage { max_total: Some(5000), max_prompt: None, max_completion: None };
    let expected = ((text | max) | Condition::Timeout { seconds: 120.0 }) & tokens;
    assert_eq!(team.termination, Some(expected));

    let server = place_of(&read.findings, |problem| matches!(problem, Problem::ServerNotStarted { .. }));
    assert_eq!(server, Some("/config/participants/0/config/workbench/1"));
    let tool = place_of(&read.findings, |problem| matches!(problem, Problem::ToolNotRun { .. }));
    assert_eq!(tool, Some("/config/participants/0/config/workbench/0"));
    assert!(read.can_run(), "{:#?}", problems(&read.findings));
}

#[test]
fn a_team_in_which_a_model_chooses_is_read_as_autogen_writes_it() {
    let reading = read("choice.json", SELECTOR);
    let team = &reading.teams[0].team;
    let Conduct::Selector(selector) = &team.conduct else { panic!("{:?}", team.conduct) };
    assert_eq!(selector.model.as_ref().unwrap().model, "my-model");
    assert_eq!(selector.prompt.as_deref(), Some("Roles: {roles}. Pick one of {participants}. {history}"));
    assert!(selector.allow_repeated_speaker);
    assert_eq!((selector.max_attempts, &selector.context), (3, &None));
    assert_eq!(
        team.termination,
        Some(
            Condition::SourceMatch { sources: vec!["human".to_owned()] }
                | Condition::Handoff { target: "human".to_owned() }
        )
    );
}

#[test]
fn every_form_around_a_component_is_accepted() {
    let row = json!({ "id": 3, "user_id": "anna", "component": pair() });
    let text = json!({ "id": 3, "component": pair().to_string() });
    let answer = json!({ "status": true, "data": [row] });
    let config = json!({ "config": pair()["config"] });
    for (form, value) in [
        ("bare", pair()),
        ("row", row),
        ("text", text),
        ("answer", answer),
        ("list", json!([pair()])),
        ("config", config),
        ("config around a component", json!({ "config": pair() })),
    ] {
        let reading = read_value(&value);
        assert_eq!(reading.teams.len(), 1, "{form}: {:#?}", reading.findings);
        assert_eq!(reading.teams[0].team.participants.len(), 2, "{form}");
    }
    // What only says that somebody takes part does not say who speaks next.
    let reading = read_value(&json!({ "config": pair()["config"] }));
    assert!(has(&reading.teams[0].findings, |problem| matches!(problem, Problem::UnknownTeam { .. })));
    assert!(!reading.teams[0].can_run());
}

#[test]
fn yaml_is_read_like_json() {
    let yaml = "\
provider: autogen_agentchat.teams.RoundRobinGroupChat
component_type: team
label: From YAML
config:
  participants:
    - provider: autogen_agentchat.agents.AssistantAgent
      config:
        name: writer
        system_message: >
          Write
          well.
        model_client: &model
          provider: autogen_ext.models.openai.OpenAIChatCompletionClient
          config: {model: gpt-4o}
    - provider: autogen_agentchat.agents.AssistantAgent
      config: {name: critic, model_client: *model}
  max_turns: 4
";
    let reading = read("team.yaml", yaml);
    let team = &reading.teams[0].team;
    assert_eq!((team.name.as_str(), team.max_turns), ("From YAML", Some(4)));
    let writer = team.participants[0].assistant().unwrap();
    assert_eq!(writer.system_message.as_deref(), Some("Write well.\n"));
    assert_eq!(writer.model, team.participants[1].assistant().unwrap().model);

    // Models are kept in YAML with nothing but a provider and a configuration.
    let reading = read(
        "model.yaml",
        "provider: autogen_ext.models.openai.OpenAIChatCompletionClient\nconfig:\n  model: gpt-4o\n",
    );
    let Part::Model(model) = &reading.library[0].part else { panic!("{:#?}", reading.library) };
    assert_eq!((model.model.as_str(), reading.library[0].name.as_str()), ("gpt-4o", "gpt-4o"));
}

#[test]
fn galleries_of_both_forms_are_read_with_all_their_lists() {
    let tool = json!({ "provider": "autogen_core.tools.FunctionTool", "component_type": "tool", "label": "Adder",
        "config": { "name": "add", "description": "adds", "source_code": "def add(a, b): return a + b" } });
    let bench = json!({ "provider": "autogen_ext.tools.mcp.McpWorkbench", "component_type": "workbench",
        "label": "Pages", "config": { "server_params": { "type": "StreamableHttpServerParams",
        "url": "https://example.com/mcp", "headers": { "Authorization": "Bearer abc" } } } });
    let stop = condition("TextMentionTermination", json!({ "text": "DONE" }));
    let lists = json!({ "agents": [agent("writer")], "models": [model("gpt-4o")], "tools": [tool],
        "terminations": [stop], "teams": [pair()], "workbenches": [bench] });
    let new = json!({ "id": "g", "name": "Gallery", "metadata": { "author": "anna" }, "components": lists });
    let mut components = lists;
    components.as_object_mut().unwrap().remove("teams");
    let old = json!({ "id": "g", "items": { "teams": [pair()], "components": components } });
    for (form, gallery) in [("new", new.clone()), ("old", old), ("row", json!({ "config": new }))] {
        let reading = read_value(&gallery);
        assert_eq!(reading.teams.len(), 1, "{form}");
        let mut kinds: Vec<&str> = reading.library.iter().map(|entry| kind(&entry.part)).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["agent", "condition", "model", "tool", "workbench"], "{form}");
        assert_eq!(reading.findings, [], "{form}");
    }
    let reading = read_value(&new);
    let places: Vec<&str> = reading.library.iter().map(|entry| entry.place.as_str()).collect();
    assert!(places.contains(&"/components/tools/0"), "{places:?}");
    let bench = reading.library.iter().find(|entry| kind(&entry.part) == "workbench").unwrap();
    let Part::Workbench(Workbench::Mcp { server, .. }) = &bench.part else { panic!() };
    let headers = vec!["Authorization".to_owned()];
    let url = "https://example.com/mcp".to_owned();
    assert_eq!(server.transport, McpTransport::StreamableHttp { url, headers });
}

fn kind(part: &Part) -> &'static str {
    match part {
        Part::Agent(_) => "agent",
        Part::Model(_) => "model",
        Part::Tool(_) => "tool",
        Part::Condition(_) => "condition",
        Part::Workbench(_) => "workbench",
    }
}

#[test]
fn versions_are_ignored_also_where_a_file_mixes_them() {
    let mut mixed = pair();
    mixed["config"]["participants"][0]["component_version"] = json!(1);
    mixed["config"]["participants"][1]["component_version"] = json!(2);
    mixed["config"]["participants"][1]["version"] = json!(7);
    let read = team_of(&mixed);
    assert!(read.can_run(), "{:#?}", problems(&read.findings));
    assert_eq!(read.team, team_of(&pair()).team);
}

#[test]
fn a_workbench_may_be_an_object_a_list_or_absent() {
    let tool = json!({ "provider": "autogen_core.tools.FunctionTool", "config": { "name": "add",
        "description": "adds", "source_code": "def add(a, b): return a + b" } });
    let bench = json!({ "provider": "autogen_core.tools.StaticWorkbench", "config": { "tools": [tool] } });
    let with = |key: &str, value: Value| {
        let mut writer = agent("writer");
        writer["config"][key] = value;
        let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
        let count = read.team.participants[0].assistant().unwrap().tools.len();
        (count, has(&read.findings, |problem| *problem == Problem::ToolsAndWorkbench))
    };
    assert_eq!(with("workbench", bench.clone()), (1, false));
    assert_eq!(with("workbench", json!([bench])), (1, false));
    assert_eq!(with("tools", json!([tool])), (1, false));
    assert_eq!(with("workbench", Value::Null), (0, false));
    // An empty list of tools beside a workbench is what the class itself leaves behind.
    let both = |tools: Value| {
        let mut writer = agent("writer");
        writer["config"]["tools"] = tools;
        writer["config"]["workbench"] = bench.clone();
        let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
        let count = read.team.participants[0].assistant().unwrap().tools.len();
        (count, has(&read.findings, |problem| *problem == Problem::ToolsAndWorkbench))
    };
    assert_eq!(both(json!([])), (1, false));
    let mut other = tool;
    other["config"]["name"] = json!("subtract");
    assert_eq!(both(json!([other])), (2, true));
}

#[test]
fn a_reference_is_found_in_the_files_that_were_given_together() {
    let wanted = team(
        "RoundRobinGroupChat",
        vec![json!({ "component_ref": "writer" }), json!({ "agent_ref": "The critic" })],
        json!({ "max_turns": 2 }),
    );
    let mut critic = agent("critic");
    critic["label"] = json!("The critic");
    let (one, other) = (wanted.to_string(), json!([agent("writer"), critic]).to_string());
    let files = [
        SourceFile { name: "team.json", bytes: one.as_bytes() },
        SourceFile { name: "agents.json", bytes: other.as_bytes() },
    ];
    let reading = Reader::new().read(&files);
    let read = &reading.teams[0];
    assert!(read.can_run(), "{:#?}", problems(&read.findings));
    let names: Vec<&str> = read.team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["writer", "critic"]);
    assert_eq!(reading.library.len(), 2);

    // Alone, it asks.
    let alone = Reader::new().read(&files[..1]);
    let read = &alone.teams[0];
    assert!(!read.can_run());
    assert_eq!(read.team.participants[0].role, Role::Missing { reference: "writer".to_owned() });
    let place = place_of(&read.findings, |problem| matches!(problem, Problem::NotGiven { .. }));
    assert_eq!(place, Some("/config/participants/0"));
    assert_eq!(
        read.findings
            .iter()
            .filter(|finding| matches!(finding.problem, Problem::NotGiven { .. }))
            .map(|finding| finding.problem.severity())
            .collect::<Vec<_>>(),
        [Severity::Question, Severity::Question]
    );
}

#[test]
fn a_reference_that_leads_back_to_itself_ends() {
    let mut inner = team("RoundRobinGroupChat", vec![json!({ "component_ref": "Writers" })], json!({}));
    inner["label"] = json!("Writers");
    let read = team_of(&inner);
    assert!(!read.can_run());
}

#[test]
fn keys_are_never_taken_over_and_what_stood_there_is_told() {
    let with = |key: Option<&str>| {
        let mut writer = agent("writer");
        if let Some(key) = key {
            writer["config"]["model_client"]["config"]["api_key"] = json!(key);
        }
        let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
        let model = read.team.participants[0].assistant().unwrap().model.clone().unwrap();
        let told = read.findings.iter().find(|finding| finding.problem.is_about_connection());
        let told = told.unwrap_or_else(|| panic!("{:#?}", problems(&read.findings))).problem.clone();
        assert!(read.can_run());
        assert!(key.is_none_or(|key| key.is_empty() || !serde_json::to_string(&read).unwrap().contains(key)));
        (model.key, told)
    };
    let model = "gpt-4o".to_owned();
    let missing = (KeyFound::None, Problem::KeyMissing { model: model.clone() });
    assert_eq!(with(None), missing);
    assert_eq!(with(Some("")), missing);
    let placeholder = (KeyFound::Placeholder, Problem::KeyPlaceholder { model: model.clone() });
    for text in ["YOUR_API_KEY", "sk-x", "not-needed", "xxxxxxxxxxxxxxxxxxxxxxxx", "<your key here, please>"]
    {
        assert_eq!(with(Some(text)), placeholder, "{text}");
    }
    let present = (KeyFound::Present, Problem::KeyRemoved { model });
    assert_eq!(with(Some("sk-proj-Zk3yQ81LmVw0Tn4BcR7dHs29")), present);
    assert_eq!(with(Some("0f8e6a2b91c94d5f8e7a6b5c4d3e2f10")), present);
}

#[test]
fn no_secret_survives_wherever_it_stands() {
    let secret = "sk-proj-Zk3yQ81LmVw0Tn4BcR7dHs29";
    let mut writer = agent("writer");
    let config = &mut writer["config"];
    config["system_message"] = json!(format!("Use the key {secret} for it."));
    config["model_client"]["config"]["default_headers"] = json!({ "X-Auth": secret });
    config["model_client"]["config"]["base_url"] =
        json!(format!("https://anna:{secret}@example.com/v1?key={secret}"));
    config["memory"] = json!([{ "provider": "a.ChromaMemory", "config": { "auth_token": secret } }]);
    config["unheard_of"] = json!({ "deep": [{ "client_secret": "hunter2hunter2" }] });
    config["workbench"] = json!([
        { "provider": "autogen_ext.tools.mcp.McpWorkbench", "config": { "server_params": {
            "type": "StdioServerParams", "command": "npx",
            "args": ["-y", "server", "--api-key", secret, format!("--token={secret}"), "--port", "3"],
            "env": { "ANYTHING": "hunter2hunter2" } } } },
        { "provider": "autogen_core.tools.StaticWorkbench", "config": { "tools": [
            { "provider": "autogen_core.tools.FunctionTool", "config": { "name": "send", "description": "",
              "source_code": format!("def send(x):\n    # don't\n    password = \"hunter2hunter2\"\n    h = {{'Authorization': 'Bearer {secret}'}}\n    return post(x, key=\"name\", url='https://a:hunter2hunter2@b.c/d')\n") } },
            { "provider": "my.HttpTool", "config": { "name": "http", "headers": { "X": "hunter2hunter2" } } } ] } }
    ]);
    let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
    let text = serde_json::to_string(&read).unwrap();
    assert!(!text.contains("Zk3yQ81LmVw0Tn4BcR7dHs29"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(has(&read.findings, |problem| matches!(problem, Problem::SecretsRemoved { .. })));
    // Nor in the row of a database, where the component is a text, and JSON stays JSON.
    let mut writer = agent("writer");
    writer["config"]["model_client"]["config"]["api_key"] = json!(secret);
    writer["config"]["description"] =
        json!(format!("{{\"key\": \"{secret}\", \"at\": \"https://a.b\", \"mail\": \"x@y.z\"}}"));
    let value = team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 }));
    let pretty = serde_json::to_string_pretty(&value).unwrap();
    let row = team_of(&json!([{ "id": 1, "component": pretty }]));
    assert!(!serde_json::to_string(&row).unwrap().contains("Zk3yQ81LmVw0Tn4BcR7dHs29"));
    let told = place_of(&row.findings, |problem| matches!(problem, Problem::KeyRemoved { .. }));
    assert_eq!(told, Some("/0/component/config/participants/0/config/model_client"));
    let description = &row.team.participants[0].description;
    assert_eq!(description, "{\"key\": \"\", \"at\": \"https://a.b\", \"mail\": \"x@y.z\"}");
    // What is no secret is still there.
    let assistant = read.team.participants[0].assistant().unwrap();
    let ToolKind::Function { source, .. } = &assistant.tools[0].kind else { panic!() };
    assert!(
        source.contains("password = \"\"")
            && source.contains("key=\"name\"")
            && source.contains("https://b.c/d")
    );
    let Workbench::Mcp { server, .. } = &assistant.workbenches[0] else { panic!() };
    let McpTransport::Stdio { arguments, variables, .. } = &server.transport else { panic!() };
    assert_eq!(arguments, &["-y", "server", "--api-key", "", "--token=", "--port", "3"]);
    assert_eq!(variables, &["ANYTHING"]);
    let model = assistant.model.as_ref().unwrap();
    assert_eq!(model.base_url.as_deref(), Some("https://example.com/v1?key="));
}

#[test]
fn model_info_is_complete_whatever_the_file_has_of_it() {
    let mut writer = agent("writer");
    let info = json!({ "vision": true, "function_calling": false, "json_output": true, "family": "unknown" });
    writer["config"]["model_client"]["config"]["model_info"] = info;
    let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
    let info = read.team.participants[0].assistant().unwrap().model.as_ref().unwrap().info.clone();
    assert!(info.vision && info.json_output && !info.function_calling && !info.structured_output);
    // Nothing said: what a model of this name can do.
    let read = team_of(&pair());
    let info = read.team.participants[0].assistant().unwrap().model.as_ref().unwrap().info.clone();
    assert!(info.vision && info.function_calling && info.structured_output);
    assert_eq!(info.family, "gpt-4o");
}

#[test]
fn the_kind_is_told_by_provider_type_and_shape() {
    // A private module has its own path: the last part counts.
    let mut private = pair();
    private["provider"] = json!("acme.agents.teams.RoundRobinGroupChat");
    private["config"]["participants"][0]["provider"] = json!("acme.core.AssistantAgent");
    let read = team_of(&private);
    assert!(read.can_run(), "{:#?}", problems(&read.findings));
    assert_eq!(read.team.conduct, Conduct::RoundRobin);

    // The provider of a model client on everything: what stands there tells what it is.
    let wrong = "autogen_ext.models.openai.OpenAIChatCompletionClient";
    let mut muddled = pair();
    muddled["provider"] = json!(wrong);
    muddled["config"]["participants"][0]["provider"] = json!(wrong);
    muddled["config"]["participants"][1]["provider"] = json!(wrong);
    muddled["config"]["termination_condition"]["provider"] = json!(wrong);
    let read = team_of(&muddled);
    assert!(read.team.participants.iter().all(|one| one.assistant().is_some()));
    assert_eq!(
        read.team.termination,
        Some(Condition::MaxMessages { max_messages: 9, include_agent_event: false })
    );
    let contradictions =
        read.findings.iter().filter(|one| matches!(one.problem, Problem::Contradiction { .. })).count();
    assert_eq!(contradictions, 4, "{:#?}", problems(&read.findings));
    // Which kind of team it is nobody says, so that it is asked.
    assert!(has(&read.findings, |problem| matches!(problem, Problem::UnknownTeam { .. })));
    // Unless its label does.
    muddled["label"] = json!("RoundRobinGroupChat");
    assert_eq!(team_of(&muddled).team.conduct, Conduct::RoundRobin);

    // No provider: the type; no type either: the shape.
    let mut bare = pair();
    bare.as_object_mut().unwrap().remove("provider");
    bare["config"]["name"] = json!("RoundRobinGroupChat");
    assert_eq!(team_of(&bare).team.conduct, Conduct::RoundRobin);
    bare.as_object_mut().unwrap().remove("component_type");
    assert_eq!(team_of(&bare).team.conduct, Conduct::RoundRobin);
}

#[test]
fn a_part_that_says_nothing_of_its_kind_is_told_by_its_shape() {
    let shapes = [
        (
            "agent",
            json!({ "config": { "name": "a", "model_client": model("gpt-4o"), "system_message": "Help." } }),
        ),
        ("condition", json!({ "config": { "text": "DONE" } })),
        ("condition", json!({ "config": { "max_messages": 3 } })),
        (
            "condition",
            json!({ "config": { "conditions": [condition("TextMentionTermination", json!({ "text": "DONE" }))] } }),
        ),
        ("tool", json!({ "config": { "name": "f", "source_code": "def f(): pass" } })),
    ];
    for (expected, mut part) in shapes {
        // The provider of something else stands there.
        part["provider"] = json!("acme.Something");
        let reading = read_value(&part);
        let kinds: Vec<&str> = reading.library.iter().map(|entry| kind(&entry.part)).collect();
        assert_eq!(kinds, [expected], "{part}: {:?}", reading.findings);
    }
}

#[test]
fn an_unknown_kind_of_team_is_asked_for_and_kept() {
    let odd = team("DebateGroupChat", vec![agent("writer")], json!({ "rounds": 4, "max_turns": 3 }));
    let read = team_of(&odd);
    let Conduct::Unknown { provider, config } = &read.team.conduct else { panic!("{:?}", read.team.conduct) };
    assert_eq!(provider, "autogen_agentchat.teams.DebateGroupChat");
    assert_eq!(config.get("rounds"), Some(&json!(4)));
    assert!(!read.can_run());
    assert_eq!(read.team.participants.len(), 1);
}

#[test]
fn a_team_is_called_by_its_label_first() {
    let mut named = pair();
    assert_eq!(team_of(&named).team.name, "Writers");
    named["label"] = json!("RoundRobinGroupChat");
    named["config"]["name"] = json!("RoundRobinGroupChat");
    assert_eq!(team_of(&named).team.name, "writers", "the file's name");
    named["config"]["name"] = json!("newsroom");
    assert_eq!(team_of(&named).team.name, "newsroom");
}

#[test]
fn models_without_an_address_are_asked_where_their_name_says() {
    let of = |name: &str| {
        let mut writer = agent("writer");
        writer["config"]["model_client"]["config"]["model"] = json!(name);
        let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
        let model = read.team.participants[0].assistant().unwrap().model.clone().unwrap();
        let told = has(&read.findings, |problem| matches!(problem, Problem::AddressByName { .. }));
        let endpoint = model.endpoint().unwrap();
        (endpoint.base_url, endpoint.key_variable, told)
    };
    let expected = |address: &str, variable, told| (address.to_owned(), Some(variable), told);
    let gemini = "https://generativelanguage.googleapis.com/v1beta/openai/";
    assert_eq!(of("gemini-1.5-flash"), expected(gemini, "GEMINI_API_KEY", true));
    assert_eq!(of("claude-3-5-sonnet"), expected("https://api.anthropic.com/v1/", "ANTHROPIC_API_KEY", true));
    assert_eq!(of("Llama-4-Scout"), expected("https://api.llama.com/compat/v1/", "LLAMA_API_KEY", true));
    assert_eq!(of("gpt-4o"), expected("https://api.openai.com/v1", "OPENAI_API_KEY", false));
}

#[test]
fn azure_asks_for_what_it_lacks_and_ollama_has_its_address_corrected() {
    let of = |class: &str, config: Value| {
        let mut writer = agent("writer");
        writer["config"]["model_client"] =
            json!({ "provider": format!("autogen_ext.models.x.{class}"), "config": config });
        let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
        let model = read.team.participants[0].assistant().unwrap().model.clone().unwrap();
        (model, read.findings)
    };
    let (_, findings) = of("AzureOpenAIChatCompletionClient", json!({ "model": "gpt-4o" }));
    let lacking = findings.iter().find_map(|finding| match &finding.problem {
        Problem::AzureIncomplete { lacking } => Some(lacking.clone()),
        _ => None,
    });
    let lacking = lacking.unwrap();
    assert!(["endpoint", "deployment", "api_version"].iter().all(|what| lacking.contains(what)), "{lacking}");
    let whole = json!({ "model": "gpt-4o", "azure_endpoint": "https://a.openai.azure.com", "azure_deployment": "d",
        "api_version": "2024-06-01" });
    let (model, findings) = of("AzureOpenAIChatCompletionClient", whole);
    assert!(!has(&findings, |problem| matches!(problem, Problem::AzureIncomplete { .. })));
    assert_eq!(model.azure.unwrap().deployment.as_deref(), Some("d"));

    let (model, findings) = of(
        "OllamaChatCompletionClient",
        json!({ "model": "llama3", "base_url": "http://127.0.0.1:11434/v1" }),
    );
    assert_eq!(model.base_url.as_deref(), Some("http://127.0.0.1:11434"));
    assert!(has(&findings, |problem| matches!(problem, Problem::AddressToTest { .. })));
    let (model, _) = of("OllamaChatCompletionClient", json!({ "model": "llama3", "host": "http://b:1" }));
    assert_eq!(model.base_url.as_deref(), Some("http://b:1"));
    let (model, findings) = of("LlamaCppChatCompletionClient", json!({ "model_path": "x.gguf" }));
    assert!(matches!(model.provider, ModelProvider::Other { .. }));
    assert_eq!(model.kept.get("model_path"), Some(&json!("x.gguf")));
    assert!(has(&findings, |problem| matches!(problem, Problem::UnknownModel { .. })));
}

#[test]
fn a_name_that_providers_refuse_is_kept_and_sent_as_an_alias() {
    let names = ["Orçamentista", "Ana Maria", "Orcamentista", "研究", "critic-2"];
    let agents = names.iter().map(|name| agent(name)).collect();
    let read = team_of(&team("RoundRobinGroupChat", agents, json!({ "max_turns": 5 })));
    let kept: Vec<&str> = read.team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(kept, names);
    assert_eq!(read.team.aliases(), ["Orcamentista_2", "Ana_Maria", "Orcamentista", "agent", "critic-2"]);
    assert!(read.can_run());
    let told = read.findings.iter().filter(|one| matches!(one.problem, Problem::NameRefused { .. })).count();
    assert_eq!(told, 3);
}

/// AutoGen Studio's sample, as it ships it.
const CALCULATOR: &str = include_str!("samples/calculator.py");

#[test]
fn a_tool_is_known_by_its_source_and_others_are_kept_and_not_run() {
    assert_eq!(SourceIdentity::of(CALCULATOR).as_str(), "f46885523a2d9c5c");
    assert_eq!(SourceIdentity::of(&CALCULATOR.replace("    ", "\t  ")).known(), Some(KnownTool::Calculator));
    assert_eq!(SourceIdentity::of(&CALCULATOR.replace('+', "%")).known(), None);
    let tool = |name: &str, source: &str| {
        json!({ "provider": "autogen_core.tools.FunctionTool", "component_type": "tool",
            "config": { "name": name, "description": "d", "source_code": source, "global_imports": ["os"] } })
    };
    let mut writer = agent("writer");
    writer["config"]["system_message"] = json!("Always call lookup first.");
    writer["config"]["tools"] = json!([
        tool("compliance", CALCULATOR),
        tool("lookup", "def lookup(x): return x"),
        { "provider": "autogen_ext.tools.code_execution.PythonCodeExecutionTool",
          "config": { "executor": { "provider": "a.LocalCommandLineCodeExecutor", "config": { "timeout": 60 } } } }
    ]);
    let value = team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 }));
    let text = value.to_string();
    let files = [SourceFile { name: "t.json", bytes: text.as_bytes() }];
    let told = |reader: Reader| {
        let reading = reader.read(&files);
        let findings = &reading.teams[0].findings;
        let told = findings.iter().filter_map(|finding| match &finding.problem {
            Problem::ToolNotRun { name, told } => Some((name.clone(), !told.is_empty())),
            Problem::KnownTool { name, known } => Some((format!("{name} is {known}"), false)),
            _ => None,
        });
        told.collect::<Vec<_>>()
    };
    let name = |name: &str| name.to_owned();
    assert_eq!(
        told(Reader::new().with_built_in([KnownTool::Calculator])),
        [
            (name("compliance is calculator"), false),
            (name("lookup"), true),
            (name("PythonCodeExecutionTool"), false)
        ]
    );
    assert_eq!(
        told(Reader::new()),
        [(name("compliance"), false), (name("lookup"), true), (name("PythonCodeExecutionTool"), false)]
    );
    let read = team_of(&value);
    let tools = &read.team.participants[0].assistant().unwrap().tools;
    let ToolKind::Function { source, imports, .. } = &tools[0].kind else { panic!() };
    assert_eq!((source.as_str(), imports.as_slice()), (CALCULATOR, [json!("os")].as_slice()));
    let ToolKind::Other { provider, config } = &tools[2].kind else { panic!() };
    assert!(provider.ends_with("PythonCodeExecutionTool") && config.contains_key("executor"));
}

#[test]
fn what_will_hardly_work_as_it_was_meant_is_told() {
    let with = |condition: Value| {
        let agents = ["a", "b", "c", "d", "e", "f", "g", "h"].iter().map(|name| agent(name)).collect();
        let value = team("RoundRobinGroupChat", agents, json!({ "termination_condition": condition }));
        team_of(&value).findings
    };
    let findings = with(condition("TextMentionTermination", json!({ "text": "" })));
    assert_eq!(
        place_of(&findings, |problem| *problem == Problem::EmptyText),
        Some("/config/termination_condition")
    );
    let findings = with(condition("TextMentionTermination", json!({ "text": "\"APPROVE\"" })));
    assert!(has(&findings, |problem| *problem == Problem::QuotedText { text: "\"APPROVE\"".to_owned() }));
    let five = condition("MaxMessageTermination", json!({ "max_messages": 5 }));
    let text = condition("TextMentionTermination", json!({ "text": "OK" }));
    let findings = with(condition("OrTerminationCondition", json!({ "conditions": [text, five] })));
    let place =
        place_of(&findings, |it| *it == Problem::TooFewMessages { max_messages: 5, agents: 8, silent: 4 });
    assert_eq!(place, Some("/config/termination_condition/config/conditions/1"));
    let nine = condition("MaxMessageTermination", json!({ "max_messages": 9 }));
    assert!(!has(&with(nine), |problem| matches!(problem, Problem::TooFewMessages { .. })));
    let anybody = condition("TextMessageTermination", json!({ "source": null }));
    assert!(has(&with(anybody), |problem| *problem == Problem::TaskEndsIt));

    let blind = team(
        "SelectorGroupChat",
        vec![agent("a"), agent("b")],
        json!({ "model_client": model("gpt-4o"), "selector_prompt": "Pick one of {participants}.", "max_turns": 3 }),
    );
    let findings = team_of(&blind).findings;
    assert!(has(&findings, |problem| *problem == Problem::PromptWithoutHistory));
}

#[test]
fn unknown_keys_are_named_and_kept() {
    let mut odd = pair();
    odd["metadata"] = json!({ "author": "anna" });
    odd["config"]["selector_agent"] = json!("critic");
    odd["config"]["participants"][0]["config"]["human_input_mode"] = json!("NEVER");
    odd["config"]["participants"][0]["config"]["model_client"]["config"]["max_output_tokens"] = json!(9);
    let read = team_of(&odd);
    let mut ignored: Vec<(&str, String)> = read
        .findings
        .iter()
        .filter_map(|finding| match &finding.problem {
            Problem::Ignored { field } => Some((finding.place.as_str(), field.clone())),
            _ => None,
        })
        .collect();
    ignored.sort();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        ignored,
        [
            ("/config/participants/0/config/human_input_mode", name("human_input_mode")),
            (
                "/config/participants/0/config/model_client/config/max_output_tokens",
                name("max_output_tokens")
            ),
            ("/config/selector_agent", name("selector_agent")),
            ("/metadata", name("metadata")),
        ]
    );
    assert!(read.can_run());
    assert_eq!(read.team.kept.get("metadata"), Some(&json!({ "author": "anna" })));
    assert_eq!(read.team.participants[0].kept.get("human_input_mode"), Some(&json!("NEVER")));

    // Small parts have no place for what is not known: it is kept with the team, by where it stood.
    let mut odd = pair();
    odd["config"]["termination_condition"]["config"]["sources"] = json!(["writer"]);
    let read = team_of(&odd);
    let aside = json!({ "/config/termination_condition/config/sources": ["writer"] });
    assert_eq!(read.team.kept.get("unknown_fields"), Some(&aside));
    assert!(has(&read.findings, |problem| *problem == Problem::Ignored { field: "sources".to_owned() }));
}

#[test]
fn what_cannot_be_used_stops_only_its_team() {
    let surfer = json!({ "provider": "autogen_ext.agents.web_surfer.MultimodalWebSurfer", "component_type": "agent",
        "config": { "name": "surfer", "headless": true, "model_client": model("gpt-4o") } });
    let odd = team("RoundRobinGroupChat", vec![surfer], json!({ "max_turns": 1 }));
    let reading = read_value(&json!([odd, pair()]));
    assert_eq!(reading.teams.iter().map(teamfile::TeamRead::can_run).collect::<Vec<_>>(), [false, true]);
    let Role::Unknown { provider, config } = &reading.teams[0].team.participants[0].role else { panic!() };
    assert!(provider.ends_with("MultimodalWebSurfer") && config.get("headless") == Some(&json!(true)));

    let odd = condition("LuckyTermination", json!({ "chance": 0.5 }));
    let value = team("RoundRobinGroupChat", vec![agent("a")], json!({ "termination_condition": odd }));
    let read = team_of(&value);
    assert!(!read.can_run());
    assert!(
        matches!(&read.team.termination, Some(Condition::Unknown { config, .. }) if config["chance"] == 0.5)
    );
}

#[test]
fn teams_within_teams_and_societies_are_read() {
    let society = json!({ "provider": "autogen_agentchat.agents.SocietyOfMindAgent", "component_type": "agent",
        "config": { "name": "board", "team": pair(), "model_client": model("gpt-4o"), "instruction": "Sum up." } });
    let mut inner = pair();
    inner["config"]["name"] = json!("editors");
    let read = team_of(&team("RoundRobinGroupChat", vec![society, inner], json!({ "max_turns": 2 })));
    let Role::SocietyOfMind(board) = &read.team.participants[0].role else { panic!() };
    assert_eq!((board.team.participants.len(), board.instruction.as_deref()), (2, Some("Sum up.")));
    let participant: &Participant = &read.team.participants[1];
    assert_eq!(participant.name, "editors");
    assert_eq!(participant.inner_team().unwrap().name, "Writers");
    assert_eq!(read.team.agents(), 4);
    assert!(read.can_run(), "{:#?}", problems(&read.findings));
}

#[test]
fn a_team_needs_somebody_and_each_needs_a_name_of_their_own() {
    let found = |participants: Vec<Value>| {
        let read = team_of(&team("RoundRobinGroupChat", participants, json!({ "max_turns": 2 })));
        (
            has(&read.findings, |it| *it == Problem::NobodyTakesPart),
            has(&read.findings, |it| *it == Problem::SameName { name: "ann".to_owned() }),
            read.can_run(),
        )
    };
    assert_eq!(found(Vec::new()), (true, false, false));
    assert_eq!(found(vec![agent("ann"), agent("bob"), agent("ann")]), (false, true, false));
    assert_eq!(found(vec![agent("ann"), agent("bob")]), (false, false, true));
}

#[test]
fn no_team_takes_part_in_a_swarm_or_where_a_ledger_leads() {
    let mut first = agent("ann");
    first["config"]["handoffs"] = json!(["bob"]);
    for (class, what) in [("Swarm", "a Swarm"), ("MagenticOneGroupChat", "a Magentic-One team")] {
        let more = json!({ "model_client": model("gpt-4o"), "max_turns": 2 });
        let read = team_of(&team(class, vec![first.clone(), agent("bob"), pair()], more));
        assert!(has(&read.findings, |it| *it == Problem::TeamWithin { team: what }), "{class}");
        assert!(!read.can_run());
    }
}

#[test]
fn a_condition_that_is_a_program_is_kept_named_and_keeps_the_team_from_running() {
    let program = condition("FunctionalTermination", json!({ "func": "lambda messages: True" }));
    let read =
        team_of(&team("RoundRobinGroupChat", vec![agent("a")], json!({ "termination_condition": program })));
    assert!(has(
        &read.findings,
        |it| matches!(it, Problem::UnknownCondition { provider } if provider.contains("FunctionalTermination"))
    ));
    assert!(!read.can_run());
}

#[test]
fn a_list_of_memories_is_read_and_others_are_told() {
    let mut writer = agent("writer");
    writer["config"]["memory"] = json!([
        { "provider": "autogen_core.memory.ListMemory", "config": { "memory_contents": [{ "content": "Be brief.", "mime_type": "text/plain" }] } },
        { "provider": "autogen_ext.memory.chromadb.ChromaDBVectorMemory", "config": {} },
    ]);
    let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
    let told = read.findings.iter().filter_map(|finding| match &finding.problem {
        Problem::MemoryNotAsked { provider } => Some(provider.as_str()),
        _ => None,
    });
    assert_eq!(told.collect::<Vec<_>>(), ["autogen_ext.memory.chromadb.ChromaDBVectorMemory"]);
    let assistant = read.team.participants[0].assistant().unwrap();
    let expected = "Help.\n\nRelevant memory content (in chronological order):\n1. Be brief.";
    assert_eq!(assistant.instructions().as_deref(), Some(expected));
}

#[test]
fn a_tool_whose_source_is_no_program_keeps_nothing_from_being_read() {
    let mut writer = agent("writer");
    writer["config"]["tools"] = json!([{ "provider": "autogen_core.tools.FunctionTool", "component_type": "tool",
        "config": { "name": "f", "description": "d", "source_code": "def f(:", "global_imports": [] } }]);
    let read = team_of(&team("RoundRobinGroupChat", vec![writer], json!({ "max_turns": 1 })));
    assert!(has(&read.findings, |it| matches!(it, Problem::ToolNotRun { name, .. } if name == "f")));
    assert!(read.can_run());
    let ToolKind::Function { source, .. } = &read.team.participants[0].assistant().unwrap().tools[0].kind
    else {
        panic!()
    };
    assert_eq!(source, "def f(:", "it is kept for export");
}

#[test]
fn graphs_are_read_and_judged_as_graph_flow_does() {
    let node = |name: &str, edges: Value| json!({ "name": name, "edges": edges, "activation": "all" });
    let edge = |target: &str, condition: Value| {
        json!({ "target": target, "condition": condition,
        "activation_group": target, "activation_condition": "all" })
    };
    let with = |nodes: Value, more: Value| {
        let mut config = json!({ "graph": { "nodes": nodes, "default_start_node": null } });
        for (key, value) in more.as_object().unwrap() {
            config[key] = value.clone();
        }
        let read =
            team_of(&team("GraphFlow", vec![agent("writer"), agent("critic"), agent("editor")], config));
        let errors = read.findings.iter().filter(|one| one.problem.severity() == Severity::Error);
        errors.map(|finding| finding.problem.clone()).collect::<Vec<_>>()
    };
    let name = |name: &str| name.to_owned();
    let loops = json!({
        "writer": node("writer", json!([edge("critic", Value::Null)])),
        "critic": node("critic", json!([edge("writer", json!("AGAIN")), edge("editor", json!("OK"))])),
        "editor": node("editor", json!([])),
    });
    // Everybody follows somebody, so that a beginning has to be named.
    assert_eq!(with(loops.clone(), json!({ "max_turns": 9 })), [Problem::GraphWithoutBeginning]);
    let mut started = json!({ "graph": { "nodes": loops, "default_start_node": "writer" }, "max_turns": 9 });
    assert_eq!(with(json!({}), started.clone()), []);
    started.as_object_mut().unwrap().remove("max_turns");
    assert_eq!(with(json!({}), started), [Problem::CycleWithoutLimit]);

    let mixed = json!({
        "writer": node("writer", json!([edge("critic", Value::Null), edge("editor", json!("OK"))])),
        "critic": node("critic", json!([])),
        "editor": node("editor", json!([])),
    });
    assert_eq!(with(mixed, json!({})), [Problem::MixedEdges { node: name("writer") }]);
    let endless = json!({
        "writer": node("writer", json!([edge("critic", Value::Null)])),
        "critic": node("critic", json!([edge("critic", Value::Null)])),
        "editor": node("editor", json!([])),
    });
    assert_eq!(with(endless, json!({ "max_turns": 3 })), [Problem::EndlessCycle { node: name("critic") }]);
    let mut any = edge("editor", Value::Null);
    any["activation_condition"] = json!("any");
    let disagree = json!({
        "writer": node("writer", json!([edge("editor", Value::Null)])),
        "critic": node("critic", json!([any])),
        "editor": node("editor", json!([])),
    });
    let expected = Problem::MixedActivation { node: name("editor"), group: name("editor") };
    assert_eq!(with(disagree, json!({})), [expected]);
    let round = json!({
        "writer": node("writer", json!([edge("critic", json!("A"))])),
        "critic": node("critic", json!([edge("editor", json!("B"))])),
        "editor": node("editor", json!([edge("writer", json!("C"))])),
    });
    let started = json!({ "graph": { "nodes": round, "default_start_node": "writer" }, "max_turns": 3 });
    assert_eq!(with(json!({}), started), [Problem::GraphWithoutEnd]);
    let astray = json!({ "writer": node("writer", json!([edge("nobody", Value::Null)])),
        "critic": node("critic", json!([])), "editor": node("editor", json!([])) });
    let expected = Problem::EdgeToNobody { from: name("writer"), target: name("nobody") };
    assert_eq!(with(astray, json!({})), [expected]);
}

#[test]
fn what_is_wrong_with_a_graph_is_told_at_the_edge_or_the_node_that_it_is_of() {
    let edge = |target: &str, condition: Option<&str>, activation: &str| {
        json!({
        "target": target, "group": target, "condition": condition, "activation": activation })
    };
    let nodes = json!([
        { "name": "a", "edges": [edge("b", None, "all"), edge("nobody", Some("X"), "all")] },
        { "name": "b", "edges": [edge("b", None, "any")] },
        { "name": "c" },
    ]);
    let agent = |name: &str| json!({ "name": name, "role": { "kind": "user_proxy" } });
    let document = json!({ "version": 1, "team": { "name": "Team", "max_turns": 5,
        "conduct": { "kind": "graph_flow", "graph": { "nodes": nodes } },
        "participants": [agent("a"), agent("b"), agent("c")] } });
    let team = TeamDocument::read(&document).unwrap().team;
    let found: Vec<(String, Problem)> = check(&team, &[])
        .into_iter()
        .map(|finding| (finding.place.as_str().replace("/team/conduct/graph/nodes", ""), finding.problem))
        .collect();
    let name = str::to_owned;
    assert_eq!(
        found,
        [
            (name("/0"), Problem::MixedEdges { node: name("a") }),
            (name("/0/edges/1/target"), Problem::EdgeToNobody { from: name("a"), target: name("nobody") }),
            (name("/1"), Problem::EndlessCycle { node: name("b") }),
            (name("/1/edges/0/activation"), Problem::MixedActivation { node: name("b"), group: name("b") }),
        ]
    );
}

#[test]
fn a_swarm_has_to_begin_with_somebody_who_can_hand_over() {
    let read = team_of(&team("Swarm", vec![agent("a"), agent("b")], json!({ "max_turns": 3 })));
    assert!(has(&read.findings, |problem| *problem == Problem::CannotHandOff { name: "a".to_owned() }));
    let mut first = agent("a");
    first["config"]["handoffs"] = json!(["b", "user"]);
    let value = team("Swarm", vec![first, agent("b")], json!({ "max_turns": 3 }));
    let read = team_of(&value);
    assert!(read.can_run());
    let handoffs = &read.team.participants[0].assistant().unwrap().handoffs;
    assert_eq!((handoffs[1].target.as_str(), handoffs[1].name.as_str()), ("user", "transfer_to_user"));
    assert!(has(&read.findings, |problem| *problem == Problem::HandoffOutside { target: "user".to_owned() }));
    let mut ends = value;
    ends["config"]["termination_condition"] = condition("HandoffTermination", json!({ "target": "user" }));
    assert!(!has(&team_of(&ends).findings, |problem| matches!(problem, Problem::HandoffOutside { .. })));
}

#[test]
fn files_that_hold_no_team_say_what_they_are() {
    let only = |name: &str, bytes: &[u8]| {
        let reading = Reader::new().read(&[SourceFile { name, bytes }]);
        assert!(reading.teams.is_empty() && reading.library.is_empty(), "{name}");
        reading.findings.into_iter().map(|finding| finding.problem).collect::<Vec<_>>()
    };
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 131\n";
    assert_eq!(only("autogen04202.db", pointer.as_bytes()), [Problem::GitLfsPointer]);
    assert_eq!(only("autogen04202.db", b"SQLite format 3\0rest"), [Problem::Database]);
    assert_eq!(only("a.json", b" \n"), [Problem::EmptyFile]);
    assert_eq!(only("a.json", b"\xff\xfe{"), [Problem::NoText]);
    assert_eq!(only("a.json", b"{\"provider\": \"a.B\",\n \"config\": {"), [Problem::CutOff { line: 2 }]);
    assert!(matches!(only("a.json", b"{\"a\": 1,}").as_slice(), [Problem::InvalidJson { line: 1, .. }]));
    assert_eq!(only("a.json", b"{\"hello\": 1}"), [Problem::NothingKnown]);
    assert_eq!(only("a.json", b"[]"), [Problem::NoTeams]);
    assert_eq!(only("tool.py", b"print('x')"), [Problem::PythonAlone]);
    assert_eq!(only("a.yaml", b"kind: Workflow\nname: a\n"), [Problem::AgentFramework]);
}

#[test]
fn a_finding_is_json_with_its_place_severity_and_sentence() {
    let reading = read("a.json", "{\"hello\": 1}");
    assert_eq!(
        serde_json::to_value(&reading.findings).unwrap(),
        json!([{ "file": 0, "place": "", "severity": "error",
            "detail": "This is no team and no part of one that is known. Give what AutoGen Studio exports, or a pair of CrewAI files." }])
    );
}

#[test]
fn a_document_is_checked_at_its_own_places() {
    let mut team = team_of(&pair()).team;
    team.termination = Some(Condition::TextMention { text: String::new() });
    let findings = check(&team, &[]);
    assert_eq!(place_of(&findings, |problem| *problem == Problem::EmptyText), Some("/team/termination"));
    assert!(findings.iter().all(|finding| finding.file.is_none()));
}
