//! What versions of AutoGen Studio before today's wrote.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use serde_json::{Value, json};
use support::{place_of, problems, read, read_value, team_of};
use teamfile::{
    KeyFound, Part, Problem,
    team::{Condition, Conduct, Role, ToolKind},
};

/// A team of Studio before 0.4.0.4.
fn flat() -> Value {
    json!({
        "name": "Desk", "team_type": "SelectorGroupChat", "selector_prompt": "{roles} {participants} {history}",
        "model_client": { "model": "gpt-4o", "model_type": "OpenAIChatCompletionClient", "api_key": "" },
        "participants": [
            { "name": "writer", "agent_type": "AssistantAgent", "system_message": "Write.",
              "model_client": { "model": "gpt-4o", "model_type": "OpenAIChatCompletionClient",
                "api_base": "http://127.0.0.1:8000/v1", "api_key": "0f8e6a2b91c94d5f8e7a6b5c4d3e2f10" },
              "tools": [
                { "name": "add", "description": "adds", "content": "def add(a, b): return a + b", "tool_type": "PythonFunction" },
                { "name": "chain", "description": "", "content2": 1, "tool_type": "LangChain" } ] },
            { "name": "person", "agent_type": "UserProxyAgent" },
            { "name": "surfer", "agent_type": "MultimodalWebSurfer" }
        ],
        "termination_condition": { "termination_type": "CombinationTermination", "operator": "or", "conditions": [
            { "termination_type": "MaxMessageTermination", "max_messages": 10 },
            { "termination_type": "CombinationTermination", "operator": "and", "conditions": [
                { "termination_type": "TextMentionTermination", "text": "DONE" },
                { "termination_type": "StopMessageTermination" } ] } ] },
        "max_turns": 7
    })
}

#[test]
fn a_team_whose_parts_name_their_types_is_read() {
    let read = team_of(&flat());
    let team = &read.team;
    assert_eq!((team.name.as_str(), team.max_turns), ("Desk", Some(7)));
    let Conduct::Selector(selector) = &team.conduct else { panic!("{:?}", team.conduct) };
    assert_eq!(selector.model.as_ref().unwrap().model, "gpt-4o");
    assert_eq!(selector.prompt.as_deref(), Some("{roles} {participants} {history}"));
    let writer = team.participants[0].assistant().unwrap();
    let model = writer.model.as_ref().unwrap();
    assert_eq!(model.base_url.as_deref(), Some("http://127.0.0.1:8000/v1"));
    assert_eq!(model.key, KeyFound::Present);
    assert!(
        matches!(&writer.tools[0].kind, ToolKind::Function { source, .. } if source.starts_with("def add"))
    );
    assert!(matches!(&writer.tools[1].kind, ToolKind::Other { provider, .. } if provider == "LangChain"));
    assert_eq!(team.participants[1].role, Role::UserProxy);
    assert!(
        matches!(&team.participants[2].role, Role::Unknown { provider, .. } if provider == "MultimodalWebSurfer")
    );
    let max = Condition::MaxMessages { max_messages: 10, include_agent_event: false };
    let text = Condition::TextMention { text: "DONE".to_owned() };
    assert_eq!(team.termination, Some(max | (text & Condition::StopMessage)));
    let place = place_of(&read.findings, |problem| matches!(problem, Problem::KeyRemoved { .. }));
    assert_eq!(place, Some("/participants/0/model_client"));
    assert!(!read.can_run());
}

#[test]
fn kinds_of_the_older_form_are_those_of_today() {
    for (kind, expected) in
        [("RoundRobinGroupChat", "RoundRobinGroupChat"), ("MagenticOneGroupChat", "MagenticOneGroupChat")]
    {
        let mut team = flat();
        team["team_type"] = json!(kind);
        team["max_stalls"] = json!(5);
        let conduct = team_of(&team).team.conduct;
        assert_eq!(conduct.class(), Some(expected));
        if let Conduct::MagenticOne(magentic) = conduct {
            assert_eq!(magentic.max_stalls, 5);
            assert_eq!(magentic.model.unwrap().model, "gpt-4o");
        }
    }
}

#[test]
fn a_file_made_by_hand_says_type_and_leaves_models_open() {
    let read = team_of(&json!({
        "type": "RoundRobinGroupChat", "name": "By hand",
        "participants": [
            { "type": "AssistantAgent", "name": "a", "system_message": "Help." },
            { "type": "AssistantAgent", "name": "b", "model_client": { "model": "" } }
        ]
    }));
    assert_eq!(read.team.conduct, Conduct::RoundRobin);
    let asked: Vec<&Problem> =
        problems(&read.findings).into_iter().filter(|problem| problem.is_about_connection()).collect();
    assert!(asked.contains(&&Problem::NoModel { whose: "a".to_owned() }), "{asked:?}");
    assert!(asked.contains(&&Problem::ModelNotNamed), "{asked:?}");
    assert!(read.can_run(), "a connection answers both");
}

#[test]
fn parts_of_the_older_form_go_to_the_library() {
    let reading = read_value(&json!([
        { "name": "add", "description": "adds", "content": "def add(): pass", "tool_type": "PythonFunction" },
        { "model": "gpt-4o", "model_type": "OpenAIChatCompletionClient" },
        { "name": "writer", "agent_type": "AssistantAgent" },
        { "termination_type": "MaxMessageTermination", "max_messages": 3 }
    ]));
    let names: Vec<&str> = reading.library.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["add", "gpt-4o", "writer", "MaxMessageTermination"]);
    assert!(matches!(
        reading.library[3].part,
        Part::Condition(Condition::MaxMessages { max_messages: 3, .. })
    ));
}

fn linked(name: &str, kind: &str, link: &str, sequence: i64) -> Value {
    json!({
        "agent": { "type": kind, "config": { "name": name, "system_message": format!("You are {name}."),
            "human_input_mode": "NEVER", "max_consecutive_auto_reply": 8, "code_execution_config": "local" },
          "skills": [{ "name": "paint", "content": "def paint(): pass" }],
          "models": [{ "model": "gpt-4", "api_key": "0f8e6a2b91c94d5f8e7a6b5c4d3e2f10" }] },
        "link": { "agent_type": link, "sequence_id": sequence }
    })
}

#[test]
fn agents_in_a_sequence_speak_once_each_by_their_numbers() {
    let read = team_of(&json!({ "name": "Line", "type": "sequential", "agents": [
        linked("third", "assistant", "sequential", 7),
        linked("first", "assistant", "sequential", 0),
        linked("second", "assistant", "sequential", 3),
    ] }));
    let names: Vec<&str> = read.team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert_eq!((&read.team.conduct, read.team.max_turns), (&Conduct::RoundRobin, Some(3)));
    let first = read.team.participants[0].assistant().unwrap();
    assert_eq!(first.model.as_ref().unwrap().model, "gpt-4");
    assert_eq!(first.tools[0].name, "paint");
    let told = problems(&read.findings);
    assert!(told.contains(&&Problem::NotRun { feature: "code execution".to_owned() }));
    assert!(told.iter().any(|problem| matches!(problem, Problem::ToolNotRun { .. })));
}

#[test]
fn a_sender_and_a_receiver_are_a_team_without_the_person_who_is_never_asked() {
    let read = team_of(&json!({ "name": "Two", "type": "autonomous", "agents": [
        linked("user_proxy", "userproxy", "sender", 0),
        linked("helper", "assistant", "receiver", 0),
    ] }));
    let names: Vec<&str> = read.team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["helper"]);
    assert!(problems(&read.findings).contains(&&Problem::PersonNeverAsked { name: "user_proxy".to_owned() }));

    let mut asked = linked("boss", "userproxy", "sender", 0);
    asked["agent"]["config"]["human_input_mode"] = json!("ALWAYS");
    let read = team_of(&json!({ "name": "Two", "type": "autonomous", "agents": [
        asked, linked("helper", "assistant", "receiver", 0) ] }));
    assert_eq!(read.team.participants[0].role, Role::UserProxy);
}

#[test]
fn a_group_is_a_team_in_which_a_model_chooses() {
    let member = |name: &str| linked(name, "assistant", "", 0)["agent"].clone();
    let mut group = linked("travel", "groupchat", "receiver", 0);
    group["agent"]["agents"] = json!([member("planner"), member("guide")]);
    group["agent"]["config"]["max_round"] = json!(12);
    let read = team_of(&json!({ "name": "Travel", "type": "autonomous", "agents": [
        linked("user_proxy", "userproxy", "sender", 0), group ] }));
    assert!(matches!(read.team.conduct, Conduct::Selector(_)));
    assert_eq!((read.team.name.as_str(), read.team.max_turns), ("Travel", Some(12)));
    let names: Vec<&str> = read.team.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["planner", "guide"]);
    let keys: Vec<&str> = read
        .findings
        .iter()
        .filter(|one| matches!(one.problem, Problem::KeyRemoved { .. }))
        .map(|one| one.place.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "/agents/1/agent/agents/0/models/0",
            "/agents/1/agent/agents/1/models/0",
            "/agents/1/agent/models/0"
        ]
    );

    // Older still.
    let read = team_of(&json!({ "name": "Travel", "type": "groupchat",
        "sender": linked("user_proxy", "userproxy", "", 0)["agent"],
        "receiver": { "type": "groupchat", "config": { "name": "group" },
            "groupchat_config": { "agents": [member("planner"), member("guide")], "max_round": 5 } } }));
    assert!(matches!(read.team.conduct, Conduct::Selector(_)));
    assert_eq!((read.team.participants.len(), read.team.max_turns), (2, Some(5)));
}

#[test]
fn a_group_that_is_one_member_of_a_sequence_is_a_team_within_in_which_a_model_chooses() {
    let member = |name: &str| linked(name, "assistant", "", 0)["agent"].clone();
    let mut group = linked("travel", "groupchat", "sequential", 1);
    group["agent"]["agents"] = json!([member("planner"), member("guide")]);
    let read = team_of(&json!({ "name": "Line", "type": "sequential", "agents": [
        linked("first", "assistant", "sequential", 0), group ] }));
    assert_eq!((&read.team.conduct, read.team.max_turns), (&Conduct::RoundRobin, Some(2)));
    let inner = read.team.participants[1].inner_team().expect("a team within the team");
    assert!(matches!(inner.conduct, Conduct::Selector(_)));
    let names: Vec<&str> = inner.participants.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["planner", "guide"]);
}

#[test]
fn agents_that_need_a_browser_files_or_a_shell_are_kept_and_keep_the_team_from_running() {
    for kind in ["FileSurfer", "MagenticOneCoderAgent", "MultimodalWebSurfer"] {
        let mut team = flat();
        team["participants"][2] = json!({ "name": "other", "agent_type": kind });
        let read = team_of(&team);
        let other = &read.team.participants[2];
        assert_eq!(other.name, "other");
        assert!(
            matches!(&other.role, Role::Unknown { provider, .. } if provider == kind),
            "{:?}",
            other.role
        );
        assert!(!read.can_run());
    }
}

#[test]
fn a_workflow_without_its_agents_says_where_they_are() {
    let reading = read("flow.json", r#"{ "name": "Flow", "type": "autonomous", "sample_tasks": [] }"#);
    assert_eq!(problems(&reading.findings), [&Problem::AgentsElsewhere { name: "Flow".to_owned() }]);
}
