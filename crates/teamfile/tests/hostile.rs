//! Files of strangers: whatever stands in them, reading ends, within bounds, and with a sentence.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;

use proptest::prelude::*;
use serde_json::{Value, json};
use support::{agent, condition, model, problems, read, read_value, team};
use teamfile::{
    DEEPEST_CONDITION, DEEPEST_TEAM, LARGEST_FILE, MOST_CONDITIONS, MOST_FILES, MOST_FINDINGS, MOST_ITEMS,
    MOST_PARTICIPANTS, MOST_PARTS, Problem, Reader, Reading, SourceFile,
    speaking::Conversation,
    team::{InvalidDocument, TeamDocument, check},
    termination::Termination,
    writing::{AutoGenLine, agent_framework, autogen},
};

const ROUND_ROBIN: &str = include_str!("samples/round_robin.json");
const SELECTOR: &str = include_str!("samples/selector.json");

/// Does with what was read all that can be done with it.
fn use_all_of(reading: &Reading) {
    serde_json::to_string(reading).unwrap();
    assert!(reading.teams.len() + reading.library.len() <= MOST_ITEMS + 1);
    for read in &reading.teams {
        let _ = read.team.aliases();
        let _ = check(&read.team, &[]);
        for line in [AutoGenLine::Both, AutoGenLine::Older, AutoGenLine::Newer] {
            let _ = autogen(&read.team, line);
        }
        let _ = agent_framework(&read.team);
        let document = TeamDocument::new(read.team.clone());
        match TeamDocument::read(&document.to_value()) {
            Ok(same) => assert_eq!(same, document),
            Err(_) => assert!(!read.can_run()),
        }
        if let Some(condition) = &read.team.termination {
            let _ = Termination::new(condition, 0);
        }
        if let Ok(mut conversation) = Conversation::new(&read.team, 0) {
            let _ = conversation.start(vec![teamfile::Message::text("user", "task")], 0);
        }
    }
}

fn all_problems(reading: &Reading) -> Vec<Problem> {
    let of_teams = reading.teams.iter().flat_map(|read| &read.findings);
    reading.findings.iter().chain(of_teams).map(|finding| finding.problem.clone()).collect()
}

#[test]
fn a_bomb_of_aliases_is_refused() {
    let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ('b'..='z').zip('a'..) {
        let entries = vec![format!("*{before}"); 9].join(", ");
        bomb.push_str(&format!("{name}: &{name} [{entries}]\n"));
    }
    let reading = read("bomb.yaml", &bomb);
    assert!(matches!(problems(&reading.findings).as_slice(), [Problem::InvalidYaml { .. }]), "{reading:?}");
    let reading = read("loop.yaml", "a: &a\n  b: *a\n");
    assert!(matches!(problems(&reading.findings).as_slice(), [Problem::InvalidYaml { .. }]), "{reading:?}");
}

#[test]
fn deep_files_are_refused() {
    let json = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let reading = read("deep.json", &json);
    assert!(matches!(problems(&reading.findings).as_slice(), [Problem::InvalidJson { .. }]));
    let yaml = format!("a: {}", "[".repeat(50_000));
    let reading = read("deep.yaml", &yaml);
    assert!(matches!(problems(&reading.findings).as_slice(), [Problem::InvalidYaml { .. }]));
    // What is read and too deep to be kept is told at the team that has it.
    let deep = (0..70).fold(json!(1), |inner, _| json!([inner]));
    let value = team("RoundRobinGroupChat", vec![agent("a")], json!({ "odd": deep, "max_turns": 1 }));
    let reading = read_value(&value);
    assert!(all_problems(&reading).contains(&Problem::JsonTooDeep));
    assert!(!reading.teams[0].can_run());
    use_all_of(&reading);
}

#[test]
fn large_files_and_many_are_refused() {
    let bytes = vec![b' '; LARGEST_FILE + 1];
    let reading = Reader::new().read(&[SourceFile { name: "a.json", bytes: &bytes }]);
    assert_eq!(problems(&reading.findings), [&Problem::FileTooLarge { bytes: LARGEST_FILE + 1 }]);
    let one = SourceFile { name: "a.json", bytes: b"[1]" };
    let reading = Reader::new().read(&vec![one; MOST_FILES + 1]);
    assert!(all_problems(&reading).contains(&Problem::TooManyFiles));
    let long =
        team("RoundRobinGroupChat", vec![agent("a")], json!({ "odd": "x".repeat(600_000), "max_turns": 1 }));
    let reading = read_value(&long);
    assert!(all_problems(&reading).iter().any(|problem| matches!(problem, Problem::TeamTooLarge { .. })));
    let mut talkative = agent("a");
    talkative["config"]["system_message"] = json!("x".repeat(100_000));
    let reading = read_value(&team("RoundRobinGroupChat", vec![talkative], json!({ "max_turns": 1 })));
    assert!(all_problems(&reading).contains(&Problem::TextTooLong { field: "system_message".to_owned() }));
    assert!(!reading.teams[0].can_run());
}

#[test]
fn what_is_too_many_or_too_deep_in_a_team_stops_it() {
    let crowd = (0..=MOST_PARTICIPANTS).map(|number| agent(&format!("a{number}"))).collect();
    let reading = read_value(&team("RoundRobinGroupChat", crowd, json!({ "max_turns": 1 })));
    assert!(all_problems(&reading).contains(&Problem::TooManyParticipants { count: MOST_PARTICIPANTS + 1 }));
    assert!(!reading.teams[0].can_run());
    use_all_of(&reading);

    let nested = (0..=DEEPEST_TEAM)
        .fold(agent("a"), |inner, _| team("RoundRobinGroupChat", vec![inner], json!({ "max_turns": 1 })));
    let reading = read_value(&nested);
    assert!(all_problems(&reading).contains(&Problem::TeamTooDeep));
    assert!(!reading.teams[0].can_run());
    use_all_of(&reading);

    let stop = || condition("TextMentionTermination", json!({ "text": "OK" }));
    let within =
        |conditions: Vec<Value>| condition("OrTerminationCondition", json!({ "conditions": conditions }));
    let deep = (0..DEEPEST_CONDITION).fold(stop(), |inner, _| within(vec![inner]));
    let wide = within((0..MOST_CONDITIONS + 2).map(|_| stop()).collect());
    for (condition, is_deep) in [(deep, true), (wide, false)] {
        let value =
            team("RoundRobinGroupChat", vec![agent("a")], json!({ "termination_condition": condition }));
        let reading = read_value(&value);
        let told = all_problems(&reading);
        assert_eq!(told.contains(&Problem::ConditionTooDeep), is_deep);
        assert!(!reading.teams[0].can_run());
        use_all_of(&reading);
    }

    let tool = |number: usize| {
        json!({ "provider": "autogen_core.tools.FunctionTool",
            "config": { "name": format!("t{number}"), "source_code": "def f(): pass" } })
    };
    let mut armed = agent("a");
    armed["config"]["tools"] = (0..=MOST_PARTS).map(tool).collect();
    let reading = read_value(&team("RoundRobinGroupChat", vec![armed], json!({ "max_turns": 1 })));
    let is_too_many = |problem: &Problem| matches!(problem, Problem::TooManyParts { what: "tools", .. });
    assert!(all_problems(&reading).iter().any(is_too_many));
}

#[test]
fn findings_and_items_are_bounded() {
    let mut odd = agent("a");
    for number in 0..2 * MOST_FINDINGS {
        odd["config"][format!("odd{number}")] = json!(1);
    }
    let reading = read_value(&team("RoundRobinGroupChat", vec![odd], json!({})));
    assert!(reading.teams[0].findings.len() <= MOST_FINDINGS + 1);
    let many: Vec<Value> = (0..MOST_ITEMS + 9).map(|_| model("gpt-4o")).collect();
    let reading = read_value(&json!(many));
    assert_eq!(reading.library.len(), MOST_ITEMS);
    assert!(all_problems(&reading).contains(&Problem::TooManyItems));
}

#[test]
fn no_form_of_a_text_takes_long_to_read() {
    // Each of these would take hours if every place were searched from the beginning, or to the end.
    let many = 50_000;
    let sources = ["=''".repeat(many), "\"\"\"\\".repeat(many), "'\\".repeat(many), "://@".repeat(many)];
    for source in sources {
        let tool = json!({ "provider": "a.FunctionTool", "config": { "name": "f", "source_code": source } });
        let reading = read_value(&tool);
        assert_eq!(reading.library.len(), 1);
    }
    let programs = ["@task ".repeat(9_000), "@task def a".repeat(2_000), "tools = ".repeat(7_000)];
    for program in programs {
        let files = [
            SourceFile { name: "agents.yaml", bytes: b"a:\n  role: b\n  goal: c\n" },
            SourceFile { name: "tasks.yaml", bytes: b"t:\n  description: b\n  expected_output: c\n" },
            SourceFile { name: "crew.py", bytes: program.as_bytes() },
        ];
        assert_eq!(Reader::new().read(&files).teams.len(), 1);
    }
    let names = vec!["é"; 20_000];
    assert_eq!(teamfile::aliases(names).last().map(String::as_str), Some("e_20000"));
}

#[test]
fn documents_of_others_are_bounded_as_well() {
    let team = read_value(&support::pair()).teams[0].team.clone();
    let document = TeamDocument::new(team).to_value();
    let mut later = document.clone();
    later["version"] = json!(2);
    assert!(matches!(TeamDocument::read(&later), Err(InvalidDocument::Later(2))));
    let mut large = document.clone();
    large["team"]["description"] = json!("x".repeat(600_000));
    assert!(matches!(TeamDocument::read(&large), Err(InvalidDocument::OutOfBounds(_))));
    let mut deep = document.clone();
    deep["team"]["kept"] = json!({ "a": (0..70).fold(json!(1), |inner, _| json!([inner])) });
    assert!(matches!(TeamDocument::read(&deep), Err(InvalidDocument::OutOfBounds(Problem::JsonTooDeep))));
    assert!(matches!(TeamDocument::read(&json!({ "version": 1 })), Err(InvalidDocument::Malformed(_))));
    assert!(matches!(TeamDocument::read(&json!(null)), Err(InvalidDocument::Malformed(_))));
    // A graph of thousands of nodes is counted before anything is looked for in it.
    let mut crowded = document;
    let node =
        |number: usize| json!({ "name": format!("n{number}"), "edges": [{ "target": "n0", "group": "g" }] });
    crowded["team"]["conduct"] =
        json!({ "kind": "graph_flow", "graph": { "nodes": (0..3_000).map(node).collect::<Vec<_>>() } });
    let read = TeamDocument::read(&crowded).unwrap();
    let findings = check(&read.team, &[]);
    assert_eq!(problems(&findings), [&Problem::TooManyParticipants { count: 3_000 }]);
}

/// Values that look like components and are wrong in places.
fn values() -> impl Strategy<Value = Value> {
    let words = [
        "autogen_agentchat.teams.RoundRobinGroupChat",
        "a.SelectorGroupChat",
        "a.GraphFlow",
        "a.Swarm",
        "a.AssistantAgent",
        "a.SocietyOfMindAgent",
        "a.OpenAIChatCompletionClient",
        "a.FunctionTool",
        "a.StaticWorkbench",
        "a.McpWorkbench",
        "a.OrTerminationCondition",
        "a.MaxMessageTermination",
        "RoundRobinGroupChat",
        "CombinationTermination",
        "sequential",
        "groupchat",
        "userproxy",
        "team",
        "agent",
        "model",
        "",
        "a",
        "é\u{0}",
        "{topic}",
        "{{x}",
        "sk-proj-Zk3yQ81LmVw0Tn4BcR7dHs29",
        "https://a:b@c?key=d",
        "{\"component\": {}}",
    ];
    let keys = [
        "provider",
        "component_type",
        "label",
        "config",
        "name",
        "description",
        "participants",
        "model_client",
        "model",
        "api_key",
        "tools",
        "workbench",
        "handoffs",
        "target",
        "conditions",
        "text",
        "max_messages",
        "max_turns",
        "termination_condition",
        "graph",
        "nodes",
        "edges",
        "team",
        "component",
        "components",
        "items",
        "teams",
        "agents",
        "agent",
        "link",
        "sequence_id",
        "sender",
        "receiver",
        "type",
        "team_type",
        "agent_type",
        "termination_type",
        "operator",
        "source_code",
        "content",
        "system_message",
        "server_params",
        "command",
        "args",
        "env",
        "url",
        "headers",
        "component_ref",
        "role",
        "goal",
        "backstory",
        "expected_output",
        "context",
        "llm",
        "models",
        "groupchat_config",
        "model_info",
        "selector_prompt",
        "data",
        "memory",
        "model_context",
    ];
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        6 => prop::sample::select(words.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 6, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            4 => prop::collection::vec((prop::sample::select(keys.to_vec()), inner), 0..7)
                .prop_map(|fields| fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

fn names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a.json",
        "a.yaml",
        "config/agents.yaml",
        "config/tasks.yml",
        "crew.py",
        "b",
        "x/y (2).json",
    ])
}

proptest! {
    #[test]
    fn no_bytes_break_it(files in prop::collection::vec((names(), prop::collection::vec(any::<u8>(), 0..200)), 0..3)) {
        let files: Vec<SourceFile<'_>> =
            files.iter().map(|(name, bytes)| SourceFile { name, bytes }).collect();
        use_all_of(&Reader::new().read(&files));
    }

    #[test]
    fn no_text_breaks_it(files in prop::collection::vec((names(), "[\\[\\]{}:,&*!|>'\"#@=()\\-a-z \n\té0-9]{0,120}"), 0..4)) {
        let files: Vec<SourceFile<'_>> =
            files.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect();
        use_all_of(&Reader::new().read(&files));
    }

    #[test]
    fn no_value_breaks_it_and_no_key_survives(values in prop::collection::vec((names(), values()), 1..3)) {
        let texts: Vec<(&str, String)> =
            values.iter().map(|(name, value)| (*name, value.to_string())).collect();
        let files: Vec<SourceFile<'_>> =
            texts.iter().map(|(name, text)| SourceFile { name, bytes: text.as_bytes() }).collect();
        let reading = Reader::new().read(&files);
        prop_assert!(!serde_json::to_string(&reading).unwrap().contains("Zk3yQ81LmVw0Tn4BcR7dHs29"));
        use_all_of(&reading);
    }

    #[test]
    fn samples_that_are_cut_or_changed_do_not_break_it(
        is_first in any::<bool>(), cut in any::<prop::sample::Index>(), place in any::<prop::sample::Index>(), with in "[{}\\[\\]\",:0a]{0,3}",
    ) {
        let sample = if is_first { ROUND_ROBIN } else { SELECTOR };
        let mut text = sample.to_owned();
        text.insert_str(place.index(text.len()), &with);
        use_all_of(&read("a.json", &text));
        text.truncate(cut.index(text.len()));
        use_all_of(&read("a.json", &text));
        use_all_of(&read("a.yaml", &text));
    }

    #[test]
    fn crews_of_any_text_do_not_break_it(
        agents in "([a-z]{1,3}:\n(  (role|goal|backstory|llm|tools): [a-z{}>\"' ]{0,9}\n){0,4}){0,3}",
        tasks in "([a-z]{1,3}:\n(  (description|expected_output|agent|context): [a-z{}>\\[\\], ]{0,9}\n){0,4}){0,3}",
        code in "(@task|@agent|@CrewBase|def [a-z]{1,3}|self\\.[a-z]{1,3}\\(\\)|config=|context=\\[|\\]|\\(|\\)|'|\"|,|\n|    |#|class X|é){0,30}",
    ) {
        let files = [
            SourceFile { name: "agents.yaml", bytes: agents.as_bytes() },
            SourceFile { name: "tasks.yaml", bytes: tasks.as_bytes() },
            SourceFile { name: "crew.py", bytes: code.as_bytes() },
        ];
        use_all_of(&Reader::new().read(&files));
    }
}
