//! Teams at work, from the file to the result.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hall;

use std::sync::Arc;

use async_trait::async_trait;
use hall::{
    Hall, answered, assistant, component, read, replay, request, result, said, says, speakers, team, until,
};
use llm::{Message, Turn};
use protocol::{
    AccountId, Answer, Body, InputReceived, InputRequest, LogLine, NodeKind, RunId, RunRequest, RunStatus,
    RunView, ToolStatus,
    team::{TeamPick, TeamResult, TeamTurn},
};
use serde_json::{Map, Value, json};
use tools::{Definition, Outcome, Registry, Tool};

/// Messages and events of all turns, as `type source: text`.
fn events(view: &RunView) -> Vec<String> {
    let turns = view.documents::<TeamTurn>().flat_map(|turn| turn.messages);
    turns
        .map(|message| {
            let content = match &message["content"] {
                Value::String(text) => text.clone(),
                Value::Null => String::new(),
                other => other.to_string(),
            };
            format!(
                "{} {}: {content}",
                message["type"].as_str().unwrap(),
                message["source"].as_str().unwrap()
            )
        })
        .collect()
}

/// Messages and events of this type, as they stand in the log.
fn told(view: &RunView, kind: &str) -> Vec<Value> {
    let turns = view.documents::<TeamTurn>().flat_map(|turn| turn.messages);
    turns.filter(|message| message["type"] == kind).collect()
}

/// What the model of an agent was asked, each time as `role: text`.
fn prompts(hall: &Hall, agent: &str) -> Vec<Vec<String>> {
    let line = |message: &Message| match message {
        Message::System(text) => format!("system: {text}"),
        Message::User(text) => format!("user: {text}"),
        Message::Assistant { text, .. } => format!("assistant: {text}"),
        Message::Tool { content, .. } => format!("tool: {content}"),
    };
    let asked = hall.asked.lock().unwrap();
    let of_agent = asked.iter().filter(|request| request.agent == agent);
    of_agent.map(|request| request.messages.iter().map(line).collect()).collect()
}

/// A replayed answer that makes these calls, named c1, c2 and so on.
fn calling(calls: &[(&str, &str)]) -> Value {
    let call = |(number, (name, arguments)): (usize, &(&str, &str))| json!({ "id": format!("c{}", number + 1), "name": name, "arguments": arguments });
    json!({ "content": calls.iter().enumerate().map(call).collect::<Vec<_>>() })
}

/// A tool that a file brings along, which is never run.
fn python(name: &str) -> Value {
    component(
        "autogen_core.tools.FunctionTool",
        json!({ "name": name, "description": "Adds.", "source_code": "def add(a: int, b: int) -> int:\n    return a + b",
            "global_imports": [], "has_cancellation_support": false }),
    )
}

fn open_ai(model: &str) -> Value {
    component("autogen_ext.models.openai.OpenAIChatCompletionClient", json!({ "model": model }))
}

fn person(name: &str) -> Value {
    component("autogen_agentchat.agents.UserProxyAgent", json!({ "name": name, "description": "d" }))
}

async fn run(file: &Value, task: &str) -> RunView {
    Hall::new().await.run(read(file), task).await
}

fn max(messages: u32) -> Value {
    until("MaxMessageTermination", json!({ "max_messages": messages }))
}

fn mention(text: &str) -> Value {
    until("TextMentionTermination", json!({ "text": text }))
}

fn any(conditions: Value) -> Value {
    until("OrTerminationCondition", json!({ "conditions": conditions }))
}

#[tokio::test]
async fn in_turn_each_gives_its_answers_until_a_word_is_said() {
    let file = team(
        "RoundRobinGroupChat",
        vec![says("writer", json!(["draft 1", "draft 2"])), says("critic", json!(["shorter", "APPROVE"]))],
        json!({ "termination_condition": any(json!([mention("APPROVE"), max(12)])), "max_turns": 20 }),
    );
    let hall = Hall::new().await;
    let view = hall.run(read(&file), "Write.").await;
    let (lines, reason) = said(&view);
    assert_eq!(
        lines,
        ["user: Write.", "writer: draft 1", "critic: shorter", "writer: draft 2", "critic: APPROVE"]
    );
    assert_eq!(reason, "Text 'APPROVE' mentioned");
    let result = result(&view);
    assert_eq!((result.stopped_by.as_str(), result.turns), ("TextMentionTermination", 4));
    assert_eq!(speakers(&view), ["writer", "critic", "writer", "critic"]);
    assert_eq!(
        events(&view),
        [
            "TextMessage user: Write.",
            "TextMessage writer: draft 1",
            "TextMessage critic: shorter",
            "TextMessage writer: draft 2",
            "TextMessage critic: APPROVE",
        ]
    );
    assert!(hall.agents().is_empty(), "answers of the file ask no model");
    let visits: Vec<_> =
        view.nodes.iter().map(|node| (node.plan.label.as_str(), node.visits.len())).collect();
    assert_eq!(visits, [("Who speaks next", 5), ("writer", 2), ("critic", 2)]);
}

#[tokio::test]
async fn teams_end_as_their_conditions_say() {
    let answers = || json!(["one", "two", "three", "four"]);
    let cases = [
        (max(3), "Maximum number of messages 3 reached, current message count: 3", 2),
        (mention("go"), "Text 'go' mentioned", 0),
        (until("SourceMatchTermination", json!({ "sources": ["b"] })), "'b' answered", 2),
        (until("TextMessageTermination", json!({ "source": "a" })), "Text message received from 'a'", 1),
        (until("TextMessageTermination", json!({})), "Text message received from 'user'", 0),
        (
            until(
                "TokenUsageTermination",
                json!({ "max_total_token": null, "max_prompt_token": null, "max_completion_token": 2 }),
            ),
            // The prompt is counted in words: 1 + 1, and 1 + 3 with the name of the other.
            "Token usage limit reached, total token count: 8, prompt token count: 6, completion token count: 2.",
            2,
        ),
        (until("TimeoutTermination", json!({ "timeout_seconds": 0.0 })), "Timeout of 0.0 seconds reached", 0),
        (
            until("AndTerminationCondition", json!({ "conditions": [mention("two"), max(2)] })),
            "Maximum number of messages 2 reached, current message count: 2, Text 'two' mentioned",
            3,
        ),
        (
            any(json!([max(2), mention("one")])),
            "Maximum number of messages 2 reached, current message count: 2, Text 'one' mentioned",
            1,
        ),
    ];
    let hall = Hall::new().await;
    for (condition, reason, turns) in cases {
        let participants = vec![says("a", answers()), says("b", answers())];
        let file = team("RoundRobinGroupChat", participants, json!({ "termination_condition": condition }));
        let view = hall.run(read(&file), "go").await;
        let result = result(&view);
        assert_eq!((result.stop_reason.as_str(), result.turns), (reason, turns), "{:?}", result.messages);
    }
    let participants = vec![says("a", answers()), says("b", answers())];
    let view =
        hall.run(read(&team("RoundRobinGroupChat", participants, json!({ "max_turns": 3 }))), "go").await;
    assert_eq!(said(&view).1, "Maximum number of turns 3 reached.");
}

#[tokio::test]
async fn time_counts_from_the_task_on_and_is_looked_at_between_turns() {
    let slow = |request: &llm::ChatRequest| {
        std::thread::sleep(std::time::Duration::from_millis(60));
        Turn::Answer(format!("{} words", request.agent))
    };
    let hall = Hall::playing(slow).await;
    let condition = until("TimeoutTermination", json!({ "timeout_seconds": 0.1 }));
    let participants = vec![assistant("a", json!({})), assistant("b", json!({}))];
    let file = team("RoundRobinGroupChat", participants, json!({ "termination_condition": condition }));
    let result = result(&hall.run(read(&file), "go").await);
    assert_eq!((result.stop_reason.as_str(), result.turns), ("Timeout of 0.1 seconds reached", 2));
}

#[tokio::test]
async fn a_model_chooses_and_is_asked_again_where_it_names_nobody() {
    let file = team(
        "SelectorGroupChat",
        vec![says("ann", json!(["a1", "a2"])), says("bob", json!(["b1"])), says("cy", json!(["c1"]))],
        json!({
            "model_client": replay(json!(["bob, please", "none of them", "ann or cy", "cy", "ann", "ann", "ann", "ann"])),
            "selector_prompt": "{roles} {participants} {history}",
            "allow_repeated_speaker": false,
            "termination_condition": max(5),
        }),
    );
    let view = run(&file, "go").await;
    assert_eq!(said(&view).0, ["user: go", "bob: b1", "cy: c1", "ann: a1", "ann: a2"]);
    let picks: Vec<TeamPick> = view.documents().collect();
    let told: Vec<_> = picks.iter().map(|pick| (pick.reason.as_str(), pick.answers.len())).collect();
    assert_eq!(
        told,
        [
            ("The model chose.", 1),
            ("The model chose, asked 3 times.", 3),
            ("The model chose.", 1),
            // Asked three times for somebody else, it named the same: whoever spoke before goes on.
            ("The model named nobody who can speak in 3 answers, so that whoever spoke before goes on.", 3),
        ]
    );
    // Whoever has just spoken could not be chosen; of five messages, the task is the first.
    let offered: Vec<_> = picks.iter().map(|pick| pick.candidates.join(" ")).collect();
    assert_eq!(offered, ["ann bob cy", "ann cy", "ann bob", "bob cy"]);
    let reached: Vec<_> = picks.iter().map(|pick| (pick.limits[0].reached, pick.limits[0].most)).collect();
    assert_eq!(reached, [(1, 5), (2, 5), (3, 5), (4, 5)]);
}

#[tokio::test]
async fn whoever_hands_over_says_who_speaks() {
    let handing = |name: &str| json!({ "content": [{ "id": "c1", "name": name, "arguments": "{}" }] });
    let with_handoffs = |name: &str, target: &str, answers: Value| {
        assistant(name, json!({ "model_client": replay(answers), "handoffs": [target] }))
    };
    let condition = any(json!([mention("done"), until("HandoffTermination", json!({ "target": "user" }))]));
    let file = team(
        "Swarm",
        vec![
            with_handoffs("desk", "clerk", json!(["hello", handing("transfer_to_clerk")])),
            with_handoffs("clerk", "user", json!(["looking", handing("transfer_to_user")])),
        ],
        json!({ "termination_condition": condition }),
    );
    let view = run(&file, "help").await;
    let (lines, reason) = said(&view);
    assert_eq!(
        lines,
        [
            "user: help",
            "desk: hello",
            "desk: Transferred to clerk, adopting the role of clerk immediately.",
            "clerk: looking",
            "clerk: Transferred to user, adopting the role of user immediately.",
        ]
    );
    assert_eq!(reason, "Handoff to user from clerk detected.");
    let picks: Vec<TeamPick> = view.documents().collect();
    assert_eq!(picks[0].reason, "The first one begins.");
    assert_eq!(picks[2].reason, "“desk” handed over last.");
    let kinds: Vec<_> = events(&view).iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(
        kinds[2..5],
        ["ToolCallRequestEvent", "ToolCallExecutionEvent", "HandoffMessage"].map(str::to_owned)
    );
}

#[tokio::test]
async fn a_ledger_leads_to_the_final_answer() {
    let ledger = |done: bool, next: &str, reason: &str| {
        let entry = |answer: Value| json!({ "reason": reason, "answer": answer });
        json!({
            "is_request_satisfied": entry(done.into()),
            "is_in_loop": entry(false.into()),
            "is_progress_being_made": entry(true.into()),
            "next_speaker": entry(next.into()),
            "instruction_or_question": entry(format!("Do it, {next}.").into()),
        })
        .to_string()
    };
    let answers = json!([
        "the facts",
        "the plan",
        "no json",
        ledger(false, "ann", "begin"),
        ledger(true, "bob", "enough"),
        "all done"
    ]);
    let file = team(
        "MagenticOneGroupChat",
        vec![says("ann", json!(["a1"])), says("bob", json!(["b1"]))],
        json!({ "model_client": replay(answers), "max_turns": 20, "max_stalls": 3 }),
    );
    let view = run(&file, "go").await;
    let (lines, reason) = said(&view);
    assert_eq!(reason, "enough");
    assert_eq!(lines.len(), 5, "{lines:?}");
    assert!(
        lines[1].starts_with("MagenticOneOrchestrator: ") && lines[1].contains("the plan"),
        "{}",
        lines[1]
    );
    assert_eq!(
        lines[2..],
        ["MagenticOneOrchestrator: Do it, ann.", "ann: a1", "MagenticOneOrchestrator: all done"]
    );
    let picks: Vec<TeamPick> = view.documents().collect();
    assert_eq!(picks.len(), 1);
    assert_eq!(picks[0].reason, "There is progress. To do: Do it, ann.");
    assert_eq!(picks[0].answers.len(), 4);
}

/// Who may follow, and after which word.
type Follows<'a> = (&'a str, Option<&'a str>);

/// A graph: each node with those that may follow.
fn graph(nodes: &[(&str, &[Follows<'_>])]) -> Value {
    let edge = |(target, condition): &Follows<'_>| json!({ "target": target, "condition": condition });
    let mut written = serde_json::Map::new();
    for (name, edges) in nodes {
        let edges: Vec<Value> = edges.iter().map(edge).collect();
        written.insert((*name).to_owned(), json!({ "name": name, "edges": edges, "activation": "all" }));
    }
    json!({ "nodes": written, "default_start_node": null })
}

#[tokio::test]
async fn a_graph_works_side_by_side_and_joins() {
    let file = team(
        "GraphFlow",
        vec![
            says("plan", json!(["planned"])),
            says("left", json!(["l"])),
            says("right", json!(["r"])),
            says("sum", json!(["both"])),
        ],
        json!({ "graph": graph(&[
            ("plan", &[("left", None), ("right", None)]),
            ("left", &[("sum", None)]),
            ("right", &[("sum", None)]),
            ("sum", &[]),
        ]) }),
    );
    let hall = Hall::new().await;
    for _ in 0..5 {
        let view = hall.run(read(&file), "go").await;
        let (mut lines, reason) = said(&view);
        assert_eq!(reason, "Digraph execution is complete");
        lines[2..4].sort();
        assert_eq!(lines, ["user: go", "plan: planned", "left: l", "right: r", "sum: both"]);
        let visits: Vec<_> = view.nodes.iter().skip(1).map(|node| node.visits.len()).collect();
        assert_eq!(visits, [1, 1, 1, 1]);
        assert_eq!(speakers(&view), ["plan", "left", "right", "sum"]);
        assert_eq!(view.documents::<TeamResult>().count(), 1);
    }
}

#[tokio::test]
async fn a_graph_loops_while_a_word_is_said() {
    let file = team(
        "GraphFlow",
        vec![
            says("writer", json!(["d1", "d2"])),
            says("critic", json!(["again", "fine"])),
            says("end", json!(["out"])),
        ],
        json!({
            "graph": graph(&[
                ("writer", &[("critic", None)]),
                ("critic", &[("writer", Some("again")), ("end", Some("fine"))]),
                ("end", &[]),
            ]),
            "max_turns": 10,
        }),
    );
    let file = {
        let mut file = file;
        file["config"]["graph"]["default_start_node"] = "writer".into();
        file
    };
    let view = run(&file, "go").await;
    assert_eq!(
        said(&view).0,
        ["user: go", "writer: d1", "critic: again", "writer: d2", "critic: fine", "end: out"]
    );
}

#[tokio::test]
async fn a_team_within_a_team_goes_on_where_it_was() {
    let inner = team(
        "RoundRobinGroupChat",
        vec![says("x", json!(["x1", "x2"])), says("y", json!(["y1", "y2"]))],
        json!({ "max_turns": 1 }),
    );
    let mut inner = inner;
    inner["config"]["name"] = "inner".into();
    inner["label"] = "inner".into();
    let file =
        team("RoundRobinGroupChat", vec![inner, says("z", json!(["z1", "z2"]))], json!({ "max_turns": 4 }));
    let view = run(&file, "go").await;
    // The inner team's turn is over after one of its members, and the next time the next one begins.
    assert_eq!(said(&view).0, ["user: go", "x: x1", "z: z1", "y: y1", "z: z2"]);
    let nodes: Vec<_> = view.nodes.iter().map(|node| node.plan.id.to_string()).collect();
    assert!(nodes.iter().any(|id| id.starts_with("1_") && id.ends_with("/1_x")), "{nodes:?}");
}

#[tokio::test]
async fn a_society_answers_with_one_voice_and_forgets() {
    let inner = team(
        "RoundRobinGroupChat",
        vec![says("x", json!(["x1", "x2"])), says("y", json!(["y1", "y2"]))],
        json!({ "max_turns": 2 }),
    );
    let society = component(
        "autogen_agentchat.agents.SocietyOfMindAgent",
        json!({ "name": "mind", "team": inner, "model_client": replay(json!(["first", "second"])) }),
    );
    let file =
        team("RoundRobinGroupChat", vec![society, says("z", json!(["z1", "z2"]))], json!({ "max_turns": 4 }));
    let view = run(&file, "go").await;
    let result = result(&view);
    let outer: Vec<_> = result
        .messages
        .iter()
        .filter(|message| !["x", "y"].contains(&message.source.as_str()))
        .map(|message| message.content.as_str())
        .collect();
    assert_eq!(outer, ["go", "first", "z1", "second", "z2"]);
    // What was said inside is streamed out, begins with the first member each time, and goes on with its answers.
    let inside: Vec<_> =
        events(&view).into_iter().filter(|it| it.contains(" x: ") || it.contains(" y: ")).collect();
    assert_eq!(inside, ["TextMessage x: x1", "TextMessage y: y1", "TextMessage x: x2", "TextMessage y: y2"]);
}

#[tokio::test]
async fn python_is_never_run_and_the_call_says_what_to_use() {
    let tool = python("add");
    let called = json!({ "content": [{ "id": "c1", "name": "add", "arguments": "{\"a\": 1}" }],
        "usage": { "prompt_tokens": 7, "completion_tokens": 3 } });
    let adding = |answers: Value, reflects: bool| {
        let fields = json!({ "model_client": replay(answers), "tools": [tool], "reflect_on_tool_use": reflects,
            "tool_call_summary_format": "{tool_name} {arguments}: {is_error}" });
        team("RoundRobinGroupChat", vec![assistant("a", fields)], json!({ "max_turns": 1 }))
    };
    let view = run(&adding(json!([called]), false), "go").await;
    assert_eq!(said(&view).0[1], "a: add {\"a\":1}: True");
    assert_eq!(result(&view).messages[1].kind, "ToolCallSummaryMessage");
    let outcome = view.tools[0].outcome.as_ref().unwrap();
    assert_eq!(outcome.status, ToolStatus::Error);
    let told = outcome.result.whole().unwrap();
    assert!(told.contains("never run") && told.contains("tool server"), "{told}");
    let view = run(&adding(json!([called, "It cannot be added."]), true), "go").await;
    assert_eq!(said(&view).0[1], "a: It cannot be added.");
}

/// A tool of the server.
struct Greet(Definition);

#[async_trait]
impl Tool for Greet {
    fn definition(&self) -> &Definition {
        &self.0
    }

    async fn call(&self, arguments: &Map<String, Value>) -> Outcome {
        Outcome::success(format!("Hello, {}.", arguments["name"].as_str().unwrap_or_default()), "greeter")
    }
}

#[tokio::test]
async fn a_tool_of_the_server_is_called_by_the_name_that_the_file_gives_it() {
    let schema = json!({ "properties": { "name": { "type": "string" } }, "required": ["name"] });
    let definition = Definition::new("greet".parse().unwrap(), "Greets.", schema).unwrap();
    let registry = Registry::default().with(Arc::new(Greet(definition))).unwrap();
    let hall = Hall::with_tools(
        |request| match request.messages.last() {
            Some(Message::Tool { content, .. }) => Turn::Answer(format!("It said: {content}")),
            _ => Turn::Tools(vec![("greet".to_owned(), json!({ "name": "Ann" }))]),
        },
        registry,
    )
    .await;
    let tool = component(
        "autogen_core.tools.FunctionTool",
        json!({ "name": "greet", "description": "Greets.", "source_code": "def greet(name: str) -> str:\n    return name",
            "global_imports": [], "has_cancellation_support": false }),
    );
    let fields = json!({ "tools": [tool], "max_tool_iterations": 3 });
    let file = team("RoundRobinGroupChat", vec![assistant("a", fields)], json!({ "max_turns": 1 }));
    let view = hall.run(read(&file), "go").await;
    assert_eq!(said(&view).0[1], "a: It said: Hello, Ann.");
    let kinds: Vec<_> = events(&view).iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
    let expected = ["TextMessage", "ToolCallRequestEvent", "ToolCallExecutionEvent", "TextMessage"];
    assert_eq!(kinds, expected.map(str::to_owned));
    let offered = &hall.asked.lock().unwrap()[0].tools;
    assert_eq!(offered[0].parameters["required"], json!(["name"]), "the server's schema is offered");
}

#[tokio::test]
async fn hostile_answers_end_in_a_sentence_or_are_taken_as_they_are() {
    // Empty answers without end.
    let hall = Hall::playing(|_| Turn::Answer(String::new())).await;
    let file = team("RoundRobinGroupChat", vec![assistant("a", json!({}))], json!({ "max_turns": 1 }));
    let view = hall.run(read(&file), "go").await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert_eq!(view.summary.error.as_deref(), Some("a: The model of “a” gave an empty answer 3 times."));
    // Calls of tools without end, of which there are none.
    let hall = Hall::playing(|_| Turn::Tools(vec![("format_disk".to_owned(), json!({})); 40])).await;
    let handing = assistant("a", json!({ "handoffs": ["b"], "max_tool_iterations": 1_000_000 }));
    let file = team("RoundRobinGroupChat", vec![handing], json!({ "max_turns": 1 }));
    let view = hall.run(read(&file), "go").await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(hall.agents().len(), 16);
    assert!(view.tools.iter().all(|tool| tool.outcome.as_ref().unwrap().status == ToolStatus::Error));
    // A handoff to nobody.
    let hall = Hall::playing(|_| Turn::Tools(vec![("transfer_to_nobody".to_owned(), json!({}))])).await;
    let handing = assistant("a", json!({ "handoffs": ["b"] }));
    let condition = json!({ "termination_condition": max(3) });
    let file = team("Swarm", vec![handing, assistant("b", json!({}))], condition);
    let view = hall.run(read(&file), "go").await;
    assert_eq!(speakers(&view), ["a", "a"], "an unknown handoff is an error of the call");
    // A model that leads and names nobody, and a file that lets it.
    let hall = Hall::playing(|_| Turn::Answer("nobody".to_owned())).await;
    let endless = json!({ "selector_prompt": "{history}", "max_selector_attempts": 4_000_000_000_u32,
        "allow_repeated_speaker": true, "max_turns": 1 });
    let file = team("SelectorGroupChat", vec![assistant("a", json!({})), assistant("b", json!({}))], endless);
    let view = hall.run(read(&file), "go").await;
    let error = view.summary.error.unwrap();
    assert!(error.contains("was asked 64 times") && hall.agents().len() == 64, "{error}");
    // A replay that ends before the team does.
    let file = team("RoundRobinGroupChat", vec![says("a", json!(["one"]))], json!({ "max_turns": 2 }));
    let view = run(&file, "go").await;
    let error = view.summary.error.unwrap();
    assert_eq!(error, "a: The file has 1 answers for “a” to replay, and one more was asked for.");
}

/// The first question that a run asks a person.
async fn asked_in(hall: &Hall, run: RunId) -> InputRequest {
    let mut log = hall.journal.subscribe(run, 0).await.unwrap();
    loop {
        for event in log.next().await.unwrap().unwrap() {
            if let Body::InputRequested(asked) = event.decode().unwrap().body {
                return asked;
            }
        }
    }
}

#[tokio::test]
async fn a_person_answers_from_a_page_also_after_a_restart() {
    let person = person("human");
    let file = team(
        "RoundRobinGroupChat",
        vec![says("writer", json!(["draft"])), person],
        json!({ "termination_condition": mention("yes") }),
    );
    let hall = Hall::new().await;
    let id = hall.keep(read(&file)).await.to_string();
    let run = hall.start(request(&id, "go")).await;
    let asked = asked_in(&hall, run).await;
    assert_eq!((asked.prompt.as_str(), asked.deadline.is_some()), ("draft", true));
    let input = asked.input;
    let hall = hall.restarted().await;
    assert_eq!(hall.engine.resume().await.unwrap(), 1);
    let answer = Answer::Value { json: "\"yes, fine\"".into() };
    let received = InputReceived { input, answer, by: Some(AccountId::local()) };
    hall.engine.answer(run, received).await.unwrap();
    let view = hall.end(run).await;
    assert_eq!(said(&view).0, ["user: go", "writer: draft", "human: yes, fine"]);
    assert_eq!(events(&view)[2], "UserInputRequestedEvent human: ");
    assert_eq!(view.nodes[2].plan.kind, NodeKind::Person);
}

#[tokio::test]
async fn nobody_waits_for_a_person_beyond_the_deadline() {
    let person = person("human");
    let file = team("RoundRobinGroupChat", vec![person], json!({ "max_turns": 1 }));
    let hall = Hall::new().await;
    let id = hall.keep(read(&file)).await.to_string();
    let mut asked = request(&id, "go");
    asked.workflow = asked.workflow.with("answer_seconds", 1.into()).unwrap();
    let run = hall.start(asked.clone()).await;
    let view = hall.end(run).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert!(view.summary.error.is_some());
    let [input] = view.inputs.as_slice() else { panic!("{:?}", view.inputs) };
    let given = input.request.deadline.unwrap().since(input.asked_at);
    assert!((1..=1_000).contains(&given), "{given} milliseconds, where the run says a second");
    // Up to a week, and no longer.
    let week = 7 * 24 * 60 * 60;
    for (seconds, fits) in [(week, true), (week + 1, false), (0, false)] {
        let workflow = asked.workflow.clone().with("answer_seconds", seconds.into()).unwrap();
        let started = hall.engine.start(RunRequest { workflow, ..asked.clone() }, AccountId::local()).await;
        assert_eq!(started.is_ok(), fits, "{seconds}");
    }
}

#[tokio::test]
async fn a_run_that_is_cut_off_at_any_event_ends_as_the_undisturbed_one() {
    let inner = team(
        "RoundRobinGroupChat",
        vec![assistant("x", json!({})), says("y", json!(["y1", "y2"]))],
        json!({ "max_turns": 2 }),
    );
    let society =
        component("autogen_agentchat.agents.SocietyOfMindAgent", json!({ "name": "mind", "team": inner }));
    let file = team(
        "SelectorGroupChat",
        vec![society, assistant("ann", json!({ "handoffs": ["bob"] })), assistant("bob", json!({}))],
        json!({ "selector_prompt": "{history} {participants}", "allow_repeated_speaker": false, "max_turns": 4 }),
    );
    let hall = Hall::playing(|request| {
        let spoken = request.messages.iter().filter(|one| matches!(one, Message::Assistant { .. })).count();
        match request.agent.as_str() {
            "lead" => {
                let text = llm::render(&request.messages);
                let least =
                    ["mind", "ann", "bob"].into_iter().find(|name| !text.contains(&format!("{name}: ")));
                Turn::Answer(least.unwrap_or("mind").to_owned())
            }
            "2_ann" if spoken == 0 => Turn::Tools(vec![("transfer_to_bob".to_owned(), json!({}))]),
            agent => Turn::Answer(format!("{agent} {spoken}")),
        }
    })
    .await;
    let id = hall.keep(read(&file)).await.to_string();
    let undisturbed = hall.start(request(&id, "go")).await;
    let view = hall.end(undisturbed).await;
    let expected = (said(&view), speakers(&view), events(&view));
    assert_eq!(expected.1[..5], ["mind", "x", "y", "ann", "bob"].map(str::to_owned));
    let log = hall.journal.whole(undisturbed).await.unwrap();
    let (all, first) = (answered(&log), log.iter().position(|event| event.node.is_some()).unwrap());
    let mut runs = Vec::new();
    for cut in first..log.len() {
        runs.push((cut, hall.cut_off(&log[..cut]).await));
    }
    let hall = hall.restarted().await;
    assert_eq!(hall.engine.resume().await.unwrap(), runs.len());
    let mut repeated = 0;
    for (cut, run) in &runs {
        let view = hall.end(*run).await;
        assert_eq!((said(&view), speakers(&view), events(&view)), expected, "cut off after event {cut}");
        repeated += all - answered(&log[..*cut]);
    }
    assert_eq!(hall.agents().len(), repeated, "no answered call is repeated");
}

#[tokio::test]
async fn the_sample_is_rehearsed_to_its_end() {
    let hall = Hall::new().await;
    let run = hall.start(request("sample", "Write two sentences that welcome a new neighbour.")).await;
    let view = hall.end(run).await;
    let result = result(&view);
    assert_eq!(result.stop_reason, "Text 'APPROVED' mentioned");
    assert_eq!(result.turns, 6);
    assert_eq!(result.messages.last().unwrap().source, "critic");
    assert_eq!(view.summary.result.as_deref(), Some("Text 'APPROVED' mentioned"));
    assert!(result.messages[1].content.contains("rehearsed"));
}

#[tokio::test]
async fn the_rehearsal_plays_every_kind_of_team() {
    let hall = Hall::new().await;
    let named = |name: &str| assistant(name, json!({ "model_client": open_ai("gpt-4o") }));
    let selector = team(
        "SelectorGroupChat",
        vec![named("ann"), named("bob")],
        json!({ "model_client": open_ai("gpt-4o"), "selector_prompt": "{history} {participants}",
            "allow_repeated_speaker": false, "termination_condition": max(4) }),
    );
    let view = hall.run(read(&selector), "go").await;
    assert_eq!(speakers(&view), ["ann", "bob", "ann"]);
    let ledger = team(
        "MagenticOneGroupChat",
        vec![named("ann"), named("bob")],
        json!({ "model_client": open_ai("gpt-4o") }),
    );
    let view = hall.run(read(&ledger), "go").await;
    assert_eq!(speakers(&view), ["ann", "bob"]);
    assert_eq!(said(&view).1, "All have spoken (rehearsed).");
    let events = hall.journal.whole(view.summary.run).await.unwrap();
    let told = events.iter().any(|event| match &event.body {
        Body::Logged(LogLine { message, .. }) => message.contains("names the models gpt-4o."),
        _ => false,
    });
    assert!(told, "the run says that the models of the file are not asked");
}

#[tokio::test]
async fn what_cannot_run_says_so_before_it_starts() {
    let hall = Hall::new().await;
    let surfer = component("autogen_ext.agents.web_surfer.MultimodalWebSurfer", json!({ "name": "surfer" }));
    let file = team("RoundRobinGroupChat", vec![surfer], json!({ "max_turns": 1 }));
    let id = hall.keep(read(&file)).await.to_string();
    let refused = hall.engine.start(request(&id, "go"), AccountId::local()).await.unwrap_err();
    assert!(refused.to_string().contains("MultimodalWebSurfer"), "{refused}");
    let refused = hall.engine.start(request("sample", "  "), AccountId::local()).await.unwrap_err();
    assert!(refused.to_string().contains("There is no task"), "{refused}");
    let other: AccountId = "anna".parse().unwrap();
    let file = team("RoundRobinGroupChat", vec![says("a", json!(["x"]))], json!({ "max_turns": 1 }));
    let id = hall.keep(read(&file)).await.to_string();
    let refused = hall.engine.start(request(&id, "go"), other).await.unwrap_err();
    assert!(refused.to_string().contains("There is no document"), "{refused}");
}

/// A sample of the reader's tests, with these answers in the place of each participant's model, by name.
fn sample(text: &str, answers: &[(&str, Value)]) -> Value {
    let mut file: Value = serde_json::from_str(text).unwrap();
    let replayed = |name: &str| {
        let answers = answers.iter().find(|(of, _)| *of == name);
        answers.map(|(_, answers)| replay(answers.clone()))
    };
    if let Some(client) = replayed("lead") {
        file["config"]["model_client"] = client;
    }
    for participant in file["config"]["participants"].as_array_mut().unwrap() {
        if let Some(client) = replayed(participant["config"]["name"].as_str().unwrap()) {
            participant["config"]["model_client"] = client;
        }
    }
    file
}

/// Runs a team in which a person answers this to every question.
async fn run_with_person(file: &Value, says: &str) -> RunView {
    let hall = Hall::new().await;
    let id = hall.keep(read(file)).await.to_string();
    let run = hall.start(request(&id, "Begin.")).await;
    let mut log = hall.journal.subscribe(run, 0).await.unwrap();
    while let Some(events) = log.next().await.unwrap() {
        for event in events {
            if let Body::InputRequested(asked) = event.decode().unwrap().body {
                let answer = Answer::Value { json: json!(says).to_string().into() };
                let received = InputReceived { input: asked.input, answer, by: Some(AccountId::local()) };
                hall.engine.answer(run, received).await.unwrap();
            }
        }
    }
    hall.end(run).await
}

#[tokio::test]
async fn the_round_robin_of_the_wild_runs_as_it_stands() {
    let text = include_str!("../../teamfile/tests/samples/round_robin.json");
    let called = json!({ "content": [{ "id": "c1", "name": "add", "arguments": "{\"a\": 1, \"b\": 2}" }],
        "usage": { "prompt_tokens": 10, "completion_tokens": 5 } });
    let used = |text: &str, prompt: u64| json!({ "content": text, "usage": { "prompt_tokens": prompt, "completion_tokens": 5 } });
    let writer = json!([called, used("draft", 10), used("better", 10)]);
    let critic = json!([used("APPROVE", 10), used("as before", 4990)]);
    let file = sample(text, &[("writer", writer), ("critic", critic)]);
    let view = run_with_person(&file, "go on").await;
    let (lines, reason) = said(&view);
    assert_eq!(
        lines,
        [
            "user: Begin.",
            "writer: draft",
            "critic: APPROVE",
            "human: go on",
            "writer: better",
            "critic: as before",
        ]
    );
    assert_eq!(
        reason,
        "Text 'APPROVE' mentioned, Token usage limit reached, total token count: 5055, prompt token count: 5030, completion token count: 25."
    );
    assert_eq!(result(&view).stopped_by, "TextMentionTermination, TokenUsageTermination");
    let kinds: Vec<_> = events(&view).iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
    let beginning = [
        "TextMessage",
        "SelectSpeakerEvent",
        "ToolCallRequestEvent",
        "ToolCallExecutionEvent",
        "TextMessage",
        "SelectSpeakerEvent",
    ];
    assert_eq!(kinds[..6], beginning.map(str::to_owned));
}

#[tokio::test]
async fn the_selector_of_the_wild_runs_as_it_stands() {
    let text = include_str!("../../teamfile/tests/samples/selector.json");
    let file = sample(
        text,
        &[("lead", json!(["planner", "planner", "human"])), ("planner", json!(["first", "second"]))],
    );
    let view = run_with_person(&file, "enough").await;
    let (lines, reason) = said(&view);
    assert_eq!(lines, ["user: Begin.", "planner: first", "planner: second", "human: enough"]);
    assert_eq!(reason, "'human' answered");
}

#[tokio::test]
async fn a_person_who_was_handed_over_to_gives_the_work_back() {
    let handing = json!({ "content": [{ "id": "c1", "name": "transfer_to_human", "arguments": "{}" }] });
    let fields = json!({ "model_client": replay(json!([handing, "thanks, done"])), "handoffs": ["human"] });
    let person = person("human");
    let condition = json!({ "termination_condition": mention("done") });
    let file = team("Swarm", vec![assistant("desk", fields.clone()), person.clone()], condition);
    let view = run_with_person(&file, "number 7").await;
    assert_eq!(
        said(&view).0,
        [
            "user: Begin.",
            "desk: Transferred to human, adopting the role of human immediately.",
            "human: number 7",
            "desk: thanks, done",
        ]
    );
    assert_eq!(result(&view).messages[2].kind, "HandoffMessage");
    // In turn, whoever is handed over to may not be the one who speaks next.
    let others = json!({ "model_client": replay(json!([handing])), "handoffs": ["human"] });
    let participants = vec![assistant("desk", others), self::person("other"), person];
    let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 3 }));
    let view = run_with_person(&file, "x").await;
    let error = view.summary.error.unwrap();
    assert!(error.contains("handed over to “human”, and it is the turn of “other”"), "{error}");
}

#[tokio::test]
async fn a_team_of_two_hundred_messages_runs_within_the_usual_limits() {
    let answers: Vec<String> = (0..100).map(|number| format!("answer {number}")).collect();
    let participants = vec![says("a", json!(answers)), says("b", json!(answers))];
    let file = team("RoundRobinGroupChat", participants, json!({ "termination_condition": max(201) }));
    let view = run(&file, "go").await;
    assert_eq!((view.summary.status, view.summary.error.as_deref()), (RunStatus::Succeeded, None));
    let reason = "Maximum number of messages 201 reached, current message count: 201";
    assert_eq!(view.summary.result.as_deref(), Some(reason));
    let visits: Vec<_> = view.nodes.iter().map(|node| node.visits.len()).collect();
    assert_eq!(visits, [201, 100, 100]);
    assert_eq!(events(&view).last().unwrap(), "TextMessage b: answer 99");
}

#[tokio::test]
async fn a_file_that_goes_along_with_a_task_is_a_message_of_its_own() {
    let participants = vec![says("a", json!(["one", "two"]))];
    let file = team("RoundRobinGroupChat", participants, json!({ "termination_condition": max(3) }));
    let hall = Hall::new().await;
    let mut asked = request(&hall.keep(read(&file)).await.to_string(), "Read this.");
    let attached = json!([{ "name": "a.txt", "text": "alpha" }]);
    asked.workflow = asked.workflow.with("files", attached).unwrap();
    let view = hall.end(hall.start(asked.clone()).await).await;
    let (lines, reason) = said(&view);
    assert_eq!(lines, ["user: Read this.", "user: alpha", "a: one"]);
    assert_eq!(reason, "Maximum number of messages 3 reached, current message count: 3");
    asked.workflow = asked.workflow.with("task", json!("")).unwrap();
    let view = hall.end(hall.start(asked).await).await;
    assert_eq!(said(&view).0[0], "user: alpha", "a file alone is a task");
    assert!(view.summary.title.ends_with("a.txt"), "{}", view.summary.title);
}

#[tokio::test]
async fn an_earlier_conversation_is_heard_before_the_task_and_ends_no_team() {
    let hall = Hall::playing(|_| Turn::Answer("Now it is DONE.".to_owned())).await;
    let ends = json!({ "termination_condition": any(json!([mention("DONE"), max(3)])) });
    let file = team("RoundRobinGroupChat", vec![assistant("a", json!({}))], ends);
    let mut asked = request(&hall.keep(read(&file)).await.to_string(), "Go on.");
    let earlier = json!([
        { "from": "system", "text": "Be brief." },
        { "from": "user", "text": "Begin." },
        { "from": "assistant", "text": "It is DONE." },
        { "from": "assistant", "text": " " },
    ]);
    asked.workflow = asked.workflow.with("earlier", earlier.clone()).unwrap();
    let view = hall.end(hall.start(asked.clone()).await).await;
    let heard = [
        "system: Work.",
        "user: system: Be brief.",
        "user: Begin.",
        "user: assistant: It is DONE.",
        "user: Go on.",
    ];
    assert_eq!(prompts(&hall, "1_a"), [heard]);
    let (lines, reason) = said(&view);
    assert_eq!(lines.last().unwrap(), "a: Now it is DONE.");
    assert_eq!(reason, "Text 'DONE' mentioned", "no condition is shown what was said before");
    assert_eq!(
        view.summary.request.workflow.parameters()["earlier"],
        earlier,
        "a run that is resumed has it"
    );

    let many: Vec<_> = (0..257).map(|_| json!({ "from": "user", "text": "x" })).collect();
    for wrong in [json!(many), json!([{ "from": " ", "text": "x" }]), json!([{ "text": "x" }]), json!("x")] {
        asked.workflow = asked.workflow.with("earlier", wrong).unwrap();
        let refused = hall.engine.start(asked.clone(), AccountId::local()).await.unwrap_err();
        assert!(refused.to_string().contains("the earlier messages are no list of at most 256"), "{refused}");
    }
}

#[tokio::test]
async fn the_first_handoff_holds_and_who_takes_over_is_told_what_else_was_called() {
    let answer = calling(&[("add", "{\"a\": 1}"), ("transfer_to_b", "{}"), ("transfer_to_c", "{}")]);
    let swarm = |answer: Value| {
        let fields = json!({ "model_client": replay(json!([answer])), "tools": [python("add")], "handoffs": ["b", "c"] });
        let others = ["b", "c"].map(|name| assistant(name, json!({ "handoffs": ["desk"] })));
        let participants = std::iter::once(assistant("desk", fields)).chain(others).collect();
        read(&team("Swarm", participants, json!({ "termination_condition": mention("done") })))
    };
    let hall = Hall::playing(|_| Turn::Answer("done".to_owned())).await;
    let view = hall.run(swarm(answer.clone()), "go").await;
    assert_eq!(speakers(&view), ["desk", "b"]);
    let executed = told(&view, "ToolCallExecutionEvent")[0]["content"].clone();
    let calls: Vec<_> = executed.as_array().unwrap().iter().map(|one| one["call_id"].clone()).collect();
    assert_eq!(calls, ["c1", "c2", "c3"], "all calls are made");
    let handoff = told(&view, "HandoffMessage")[0].clone();
    assert_eq!(handoff["target"], "b");
    let called = json!({ "type": "AssistantMessage", "source": "desk",
        "content": [{ "id": "c1", "name": "add", "arguments": "{\"a\":1}" }] });
    let resulted = json!({ "type": "FunctionExecutionResultMessage", "content": [executed[0]] });
    assert_eq!(handoff["context"], json!([called, resulted]));
    let result = executed[0]["content"].as_str().unwrap();
    let transferred = "user: desk: Transferred to b, adopting the role of b immediately.";
    assert_eq!(
        prompts(&hall, "2_b"),
        [["system: Work.", "user: go", "user: add({\"a\":1})", &format!("user: add: {result}"), transferred]]
    );

    // Where nothing else was called, it is the thought that goes along; beside calls it stands with them.
    let thinking = |mut answer: Value| {
        answer["thought"] = "hm".into();
        answer
    };
    let hall = Hall::playing(|_| Turn::Answer("done".to_owned())).await;
    let view = hall.run(swarm(thinking(calling(&[("transfer_to_b", "{}")]))), "go").await;
    let thought = json!({ "type": "AssistantMessage", "source": "desk", "content": "hm" });
    assert_eq!(told(&view, "HandoffMessage")[0]["context"], json!([thought]));
    assert_eq!(events(&view)[1], "ThoughtEvent desk: hm");
    assert_eq!(prompts(&hall, "2_b"), [["system: Work.", "user: go", "user: hm", transferred]]);
    let hall = Hall::playing(|_| Turn::Answer("done".to_owned())).await;
    let view = hall.run(swarm(thinking(answer)), "go").await;
    assert_eq!(told(&view, "HandoffMessage")[0]["context"][0]["thought"], "hm");
    assert_eq!(prompts(&hall, "2_b")[0][2], "user: hm\nadd({\"a\":1})");
}

/// A tool that answers once it is called by two at the same time.
struct Meeting(Definition, tokio::sync::Barrier);

#[async_trait]
impl Tool for Meeting {
    fn definition(&self) -> &Definition {
        &self.0
    }

    async fn call(&self, _: &Map<String, Value>) -> Outcome {
        self.1.wait().await;
        Outcome::success("met", "meeting")
    }
}

#[tokio::test]
async fn the_calls_of_one_answer_are_made_at_the_same_time_and_summed_up_a_line_each() {
    let definition = Definition::new("meet".parse().unwrap(), "Meets.", json!({ "properties": {} })).unwrap();
    let meeting = Meeting(definition, tokio::sync::Barrier::new(2));
    let hall = Hall::with_tools(
        |_| Turn::Answer("unasked".to_owned()),
        Registry::default().with(Arc::new(meeting)).unwrap(),
    )
    .await;
    let answer = calling(&[("meet", "{}"), ("meet", "{}"), ("add", "{}"), ("add", "{")]);
    let fields = json!({ "model_client": replay(json!([answer])), "tools": [python("meet"), python("add")],
        "tool_call_summary_format": "{tool_name}={is_error}" });
    let participants = vec![assistant("a", fields), says("b", json!(["on"]))];
    let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 2 }));
    let view = hall.run(read(&file), "go").await;
    // Arguments that cannot be read are an error of that call, and the run goes on.
    assert_eq!(said(&view).0, ["user: go", "a: meet=False\nmeet=False\nadd=True\nadd=True", "b: on"]);
    let executed = told(&view, "ToolCallExecutionEvent")[0]["content"].clone();
    let errors: Vec<_> = executed.as_array().unwrap().iter().map(|one| one["is_error"].clone()).collect();
    assert_eq!(errors, [false, false, true, true]);
    assert!(executed[3]["content"].as_str().unwrap().contains("cannot be read"), "{executed}");
}

#[tokio::test]
async fn a_thought_comes_before_its_message_and_speakers_are_told_where_it_is_wanted() {
    let thinking = json!([{ "content": "x", "thought": "hm" }]);
    let rest = json!({ "max_turns": 1, "emit_team_events": true });
    let view = run(&team("RoundRobinGroupChat", vec![says("a", thinking)], rest), "go").await;
    assert_eq!(
        events(&view),
        [
            "TextMessage user: go",
            "SelectSpeakerEvent RoundRobinGroupChatManager: [\"a\"]",
            "ThoughtEvent a: hm",
            "TextMessage a: x",
        ]
    );
}

#[tokio::test]
async fn a_model_reads_as_much_of_the_conversation_as_its_context_says() {
    let cases = [
        (
            "UnboundedChatCompletionContext",
            json!({}),
            vec!["user: go", "assistant: a1", "user: b: b1", "assistant: a2", "user: b: b2"],
        ),
        ("BufferedChatCompletionContext", json!({ "buffer_size": 2 }), vec!["assistant: a2", "user: b: b2"]),
        (
            "HeadAndTailChatCompletionContext",
            json!({ "head_size": 1, "tail_size": 1 }),
            vec!["user: go", "user: b: b2"],
        ),
    ];
    for (class, config, expected) in cases {
        let count = std::sync::atomic::AtomicU32::new(0);
        let hall = Hall::playing(move |_| {
            Turn::Answer(format!("a{}", count.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1))
        })
        .await;
        let context = component(&format!("autogen_core.model_context.{class}"), config);
        let participants =
            vec![assistant("a", json!({ "model_context": context })), says("b", json!(["b1", "b2"]))];
        let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 5 }));
        hall.run(read(&file), "go").await;
        let asked = prompts(&hall, "1_a");
        assert_eq!(asked[2][0], "system: Work.");
        assert_eq!(asked[2][1..], expected, "{class}");
    }
}

#[tokio::test]
async fn what_a_file_has_an_agent_remember_is_told_to_its_model_in_each_turn() {
    let list = |contents: Value| {
        component("autogen_core.memory.ListMemory", json!({ "name": "m", "memory_contents": contents }))
    };
    let metric = json!({ "content": "Use metres.", "mime_type": "text/plain", "metadata": {} });
    let brief = json!({ "content": "Be brief.", "mime_type": "text/plain", "metadata": null });
    let fields = json!({ "memory": [list(json!([metric, brief])), list(json!([]))] });
    let hall = Hall::playing(|_| Turn::Answer("two".to_owned())).await;
    let file = team("RoundRobinGroupChat", vec![assistant("a", fields)], json!({ "max_turns": 2 }));
    let view = hall.run(read(&file), "go").await;
    let asked = told(&view, "MemoryQueryEvent");
    assert_eq!(asked.len(), 2, "once a turn, and not of what holds nothing");
    assert_eq!((&asked[0]["source"], &asked[0]["content"]), (&json!("a"), &json!([metric, brief])));
    let kinds: Vec<_> = events(&view).iter().map(|it| it.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(kinds[..3], ["TextMessage", "MemoryQueryEvent", "TextMessage"].map(str::to_owned));
    for prompt in prompts(&hall, "1_a") {
        let told = "system: Work.\n\nRelevant memory content (in chronological order):\n1. Use metres.\n2. Be brief.";
        assert_eq!(prompt[0], told);
    }
}

#[tokio::test]
async fn the_question_who_speaks_is_an_instruction_for_models_that_take_it_so() {
    for (model, role) in [("gpt-4o", "system: "), ("claude-3-haiku-20240307", "user: ")] {
        let hall = Hall::playing(|_| Turn::Answer("ann".to_owned())).await;
        let rest = json!({ "model_client": open_ai(model), "selector_prompt": "{history}", "max_turns": 1,
            "allow_repeated_speaker": true });
        let participants = vec![assistant("ann", json!({})), assistant("bob", json!({}))];
        hall.run(read(&team("SelectorGroupChat", participants, rest)), "go").await;
        assert_eq!(prompts(&hall, "lead"), [[format!("{role}user: go")]], "{model}");
    }
}

#[tokio::test]
async fn tokens_of_the_choice_of_speakers_count_for_no_condition() {
    let choice = json!({ "content": "ann", "usage": { "prompt_tokens": 1000, "completion_tokens": 1 } });
    let tokens = json!({ "max_total_token": 50, "max_prompt_token": null, "max_completion_token": null });
    let rest = json!({ "model_client": replay(json!([choice, choice])), "selector_prompt": "{history}",
        "allow_repeated_speaker": true, "max_turns": 2,
        "termination_condition": until("TokenUsageTermination", tokens) });
    let participants = vec![says("ann", json!(["a1", "a2"])), says("bob", json!([]))];
    let view = run(&team("SelectorGroupChat", participants, rest), "go").await;
    let (lines, reason) = said(&view);
    assert_eq!(lines, ["user: go", "ann: a1", "ann: a2"]);
    assert_eq!(reason, "Maximum number of turns 2 reached.");
    assert!(result(&view).tokens_in >= 2000, "the run counts them");
}

#[tokio::test]
async fn a_team_needs_somebody_and_names_that_tell_them_apart() {
    let hall = Hall::new().await;
    let twice = vec![says("ann", json!(["x"])), says("ann", json!(["y"]))];
    for (participants, why) in [(twice, "“ann”"), (Vec::new(), "Nobody takes part")] {
        let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 1 }));
        let id = hall.keep(read(&file)).await.to_string();
        let refused = hall.engine.start(request(&id, "go"), AccountId::local()).await.unwrap_err();
        assert!(refused.to_string().contains(why), "{refused}");
    }
}

#[tokio::test]
async fn of_a_team_within_a_team_the_others_hear_only_what_was_said() {
    let fields = json!({ "model_client": replay(json!([calling(&[("add", "{}")]), "x1"])), "tools": [python("add")],
        "reflect_on_tool_use": true });
    let inner = team("RoundRobinGroupChat", vec![assistant("x", fields)], json!({ "max_turns": 1 }));
    let hall = Hall::playing(|_| Turn::Answer("z1".to_owned())).await;
    let file = team("RoundRobinGroupChat", vec![inner, assistant("z", json!({}))], json!({ "max_turns": 2 }));
    let view = hall.run(read(&file), "go").await;
    assert_eq!(told(&view, "ToolCallExecutionEvent").len(), 1);
    assert_eq!(prompts(&hall, "2_z"), [["system: Work.", "user: go", "user: x: x1"]]);
}

#[tokio::test]
async fn a_turn_with_tools_counts_once_or_with_all_of_its_events() {
    let until_many = |most: u32, events: bool| {
        until("MaxMessageTermination", json!({ "max_messages": most, "include_agent_event": events }))
    };
    let executed = || until("FunctionCallTermination", json!({ "function_name": "add" }));
    let reached =
        |count: u32| format!("Maximum number of messages {count} reached, current message count: {count}");
    // The task is a message as well.
    let cases = [
        (executed(), false, "Function 'add' was executed.".to_owned()),
        (until_many(2, false), true, reached(2)),
        (until_many(4, true), false, reached(4)),
        (until_many(5, true), true, reached(5)),
    ];
    for (condition, thinks, reason) in cases {
        let mut answer = calling(&[("add", "{}")]);
        if thinks {
            answer["thought"] = "hm".into();
        }
        let fields = json!({ "model_client": replay(json!([answer])), "tools": [python("add")] });
        let rest = json!({ "termination_condition": condition });
        let view = run(&team("RoundRobinGroupChat", vec![assistant("a", fields)], rest), "go").await;
        assert_eq!((said(&view).1, result(&view).turns), (reason, 1));
    }
}

#[tokio::test]
async fn a_person_answers_within_a_team_of_a_team_also_after_a_restart() {
    let inner = || {
        team(
            "RoundRobinGroupChat",
            vec![says("x", json!(["x1"])), person("human")],
            json!({ "max_turns": 2 }),
        )
    };
    let mind = component(
        "autogen_agentchat.agents.SocietyOfMindAgent",
        json!({ "name": "mind", "team": inner(), "model_client": replay(json!(["we agree"])) }),
    );
    for (first, heard) in
        [(inner(), vec!["x: x1", "human: go on", "z: z1"]), (mind, vec!["mind: we agree", "z: z1"])]
    {
        let participants = vec![first, says("z", json!(["z1"]))];
        let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 2 }));
        let view = run_with_person(&file, "go on").await;
        let lines = said(&view).0;
        assert_eq!(
            lines.iter().filter(|line| heard.contains(&line.as_str())).count(),
            heard.len(),
            "{lines:?}"
        );
        let told = events(&view);
        assert!(told.contains(&"TextMessage human: go on".to_owned()), "{told:?}");

        let hall = Hall::new().await;
        let id = hall.keep(read(&file)).await.to_string();
        let run = hall.start(request(&id, "Begin.")).await;
        let input = asked_in(&hall, run).await.input;
        let hall = hall.restarted().await;
        assert_eq!(hall.engine.resume().await.unwrap(), 1);
        let answer = Answer::Value { json: "\"go on\"".into() };
        let received = InputReceived { input, answer, by: Some(AccountId::local()) };
        hall.engine.answer(run, received).await.unwrap();
        assert_eq!(said(&hall.end(run).await).0, lines);
    }
}

#[tokio::test]
async fn a_society_that_said_nothing_says_so_and_asks_no_model() {
    let inner = team(
        "RoundRobinGroupChat",
        vec![assistant("x", json!({}))],
        json!({ "termination_condition": mention("go") }),
    );
    let society =
        component("autogen_agentchat.agents.SocietyOfMindAgent", json!({ "name": "mind", "team": inner }));
    let hall = Hall::playing(|_| Turn::Answer("unasked".to_owned())).await;
    let file = team("RoundRobinGroupChat", vec![society], json!({ "max_turns": 1 }));
    assert_eq!(said(&hall.run(read(&file), "go").await).0, ["user: go", "mind: No response."]);
    assert!(hall.agents().is_empty(), "{:?}", hall.agents());
}

#[tokio::test]
async fn a_society_is_answered_for_by_what_was_said_in_it_and_remembers_what_was_said_outside() {
    let members = ["x", "y"].map(|name| assistant(name, json!({}))).to_vec();
    let inner = team("RoundRobinGroupChat", members, json!({ "max_turns": 2 }));
    let society = component(
        "autogen_agentchat.agents.SocietyOfMindAgent",
        json!({ "name": "mind", "team": inner, "instruction": "They said:", "response_prompt": "Now you." }),
    );
    let turns = std::sync::atomic::AtomicU32::new(0);
    let hall = Hall::playing(move |request| {
        let name = request.agent.rsplit(['/', '_']).next().unwrap().to_owned();
        if name == "x" {
            turns.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        let turn = turns.load(std::sync::atomic::Ordering::Relaxed);
        Turn::Answer(match name.as_str() {
            "voice" => ["first", "second"][turn as usize - 1].to_owned(),
            name => format!("{name}{turn}"),
        })
    })
    .await;
    let participants = vec![society, says("z", json!(["z1"]))];
    let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 3 }));
    hall.run(read(&file), "go").await;
    let voice = prompts(&hall, "1_mind/voice");
    assert_eq!(voice[0], ["system: They said:", "user: x: x1", "user: y: y1", "user: Now you."]);
    let second = prompts(&hall, "1_mind/1_x")[1].join("\n");
    assert!(second.contains("go") && second.contains("z: z1"), "{second}");
    // Neither what was said inside nor what was made of it, as in AutoGen.
    assert!(!second.contains("x1") && !second.contains("first"), "{second}");
}

/// A tool of the server that says its name.
struct Named(Definition);

impl Named {
    fn registry(name: &str) -> Registry {
        let schema = json!({ "properties": { "a": { "type": "number" } }, "required": ["a"] });
        let definition = Definition::new(name.parse().unwrap(), "Works.", schema).unwrap();
        Registry::default().with(Arc::new(Self(definition))).unwrap()
    }
}

#[async_trait]
impl Tool for Named {
    fn definition(&self) -> &Definition {
        &self.0
    }

    async fn call(&self, _: &Map<String, Value>) -> Outcome {
        Outcome::success(format!("of the server's {}", self.0.name()), "server")
    }
}

#[tokio::test]
async fn a_well_known_tool_is_called_by_its_source_whatever_the_file_calls_it() {
    let source = include_str!("../../teamfile/tests/samples/calculator.py");
    let renamed = |source: &str| {
        component(
            "autogen_core.tools.FunctionTool",
            json!({ "name": "compliance", "description": "d", "source_code": source, "global_imports": [] }),
        )
    };
    for (source, answered) in
        [(source.to_owned(), "of the server's calculator"), (source.replace('+', "%"), "never run")]
    {
        let hall = Hall::with_tools(
            |_| Turn::Tools(vec![("compliance".to_owned(), json!({ "a": 1 }))]),
            Named::registry("calculator"),
        )
        .await;
        let fields = json!({ "tools": [renamed(&source)] });
        let file = team("RoundRobinGroupChat", vec![assistant("a", fields)], json!({ "max_turns": 1 }));
        let view = hall.run(read(&file), "go").await;
        assert!(said(&view).0[1].contains(answered), "{:?}", said(&view).0);
        assert_eq!(hall.asked.lock().unwrap()[0].tools[0].name, "compliance");
    }
}

#[tokio::test]
async fn names_that_providers_refuse_are_sent_as_aliases_and_kept_in_what_is_said() {
    let hall = Hall::playing(|request| match request.tools.first() {
        Some(handoff) => Turn::Tools(vec![(handoff.name.clone(), json!({}))]),
        None => Turn::Answer("done".to_owned()),
    })
    .await;
    let participants =
        vec![assistant("Ana", json!({ "handoffs": ["Orçamentista"] })), assistant("Orçamentista", json!({}))];
    let file = team("Swarm", participants, json!({ "termination_condition": mention("done") }));
    let view = hall.run(read(&file), "go").await;
    assert_eq!(speakers(&view), ["Ana", "Orçamentista"]);
    assert_eq!(told(&view, "HandoffMessage")[0]["target"], "Orçamentista");
    let offered = hall.asked.lock().unwrap()[0].tools[0].name.clone();
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    assert!(offered.starts_with("transfer_to_or") && offered.chars().all(fits), "{offered}");
}

#[tokio::test]
async fn a_team_that_is_told_to_end_does_so_after_the_present_turn() {
    let outside = || until("ExternalTermination", json!({}));
    let ended = async |condition: Value| {
        let participants = vec![says("x", json!(["x1", "x2"])), person("human"), says("y", json!(["y1"]))];
        let rest = json!({ "termination_condition": condition, "max_turns": 3, "emit_team_events": true });
        let hall = Hall::new().await;
        let id = hall.keep(read(&team("RoundRobinGroupChat", participants, rest))).await.to_string();
        let run = hall.start(request(&id, "Begin.")).await;
        let input = asked_in(&hall, run).await.input;
        hall.engine.tell(run, "lead".parse().unwrap(), "Enough.", AccountId::local()).await.unwrap();
        let answer = Answer::Value { json: "\"go on\"".into() };
        let received = InputReceived { input, answer, by: Some(AccountId::local()) };
        hall.engine.answer(run, received).await.unwrap();
        hall.end(run).await
    };
    for condition in [outside(), any(json!([mention("HALT"), outside()]))] {
        let view = ended(condition).await;
        let (lines, reason) = said(&view);
        assert_eq!(lines, ["user: Begin.", "x: x1", "human: go on"]);
        assert_eq!(reason, "External termination requested");
        assert_eq!(told(&view, "SelectSpeakerEvent").len(), 2, "nobody is chosen any more");
    }
    // A team without such a condition goes on to its own end.
    let view = ended(mention("HALT")).await;
    assert_eq!(said(&view).1, "Maximum number of turns 3 reached.");
}
