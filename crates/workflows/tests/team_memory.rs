//! A team that goes on after its run: what it remembers, and on what the new run rests.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod hall;

use futures::TryStreamExt;
use hall::{Hall, assistant, component, read, replay, request, result, said, says, speakers, team, until};
use llm::{ChatRequest, Message, Turn};
use protocol::{
    AccountId, Body, RunId, RunRequest, RunStatus, RunView,
    team::{KIND, goes_on_after},
};
use serde_json::{Value, json};

/// A run that goes on after an earlier one.
fn going_on(after: RunId, task: &str) -> RunRequest {
    let mut request = request("", task);
    let mut parameters = request.workflow.parameters().clone();
    parameters.remove("team");
    parameters.insert("after".to_owned(), after.to_string().into());
    request.workflow = protocol::Workflow::new(KIND.parse().unwrap(), parameters).unwrap();
    request
}

async fn go_on(hall: &Hall, after: RunId, task: &str) -> RunView {
    let run = hall.start(going_on(after, task)).await;
    hall.end(run).await
}

/// What the model of an agent was asked, each time as `role: text`, without its instructions.
fn prompts(hall: &Hall, agent: &str) -> Vec<Vec<String>> {
    let line = |message: &Message| match message {
        Message::System(_) => None,
        Message::User(text) => Some(format!("user: {text}")),
        Message::Assistant { text, .. } => Some(format!("assistant: {text}")),
        Message::Tool { content, .. } => Some(format!("tool: {content}")),
    };
    let asked = hall.asked.lock().unwrap();
    let of_agent = asked.iter().filter(|request| request.agent == agent);
    of_agent.map(|request| request.messages.iter().filter_map(line).collect()).collect()
}

/// Each agent says its name and how often it has spoken.
fn counting(request: &ChatRequest) -> Turn {
    let spoken = request.messages.iter().filter(|one| matches!(one, Message::Assistant { .. })).count();
    Turn::Answer(format!("{} {}", request.agent, spoken + 1))
}

fn max(messages: u32) -> Value {
    until("MaxMessageTermination", json!({ "max_messages": messages }))
}

/// Why a request is not run.
async fn refused(hall: &Hall, request: RunRequest, owner: AccountId) -> String {
    hall.engine.start(request, owner).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_team_goes_on_with_what_was_said_and_counts_anew() {
    let participants = vec![assistant("ann", json!({})), assistant("bob", json!({}))];
    let file = team("RoundRobinGroupChat", participants, json!({ "termination_condition": max(3) }));
    let hall = Hall::playing(counting).await;
    let first = hall.run(read(&file), "One.").await;
    let second = go_on(&hall, first.summary.run, "Two.").await;
    // The end is that of three new messages, and the result has these alone.
    let reason = "Maximum number of messages 3 reached, current message count: 3";
    let lines = ["user: Two.", "ann: 1_ann 2", "bob: 2_bob 2"].map(str::to_owned);
    assert_eq!(said(&second), (lines.to_vec(), reason.to_owned()));
    assert_eq!(result(&second).turns, 2);
    let heard = |count: usize| prompts(&hall, "1_ann")[count].clone();
    assert_eq!(heard(1), ["user: One.", "assistant: 1_ann 1", "user: bob: 2_bob 1", "user: Two."]);
    // The very version of the team, and the run that it goes on after, stand in the log.
    let (before, now) = (&first.summary.request.workflow, &second.summary.request.workflow);
    assert_eq!(before.text("team"), now.text("team"));
    assert_eq!(goes_on_after(now), Some(first.summary.run));
    // A chain goes on, and each run looks at the one before it alone.
    let third = go_on(&hall, second.summary.run, "Three.").await;
    assert_eq!(said(&third).0[1..], ["ann: 1_ann 3", "bob: 2_bob 3"].map(str::to_owned));
    assert_eq!(heard(2)[3..], ["user: Two.", "assistant: 1_ann 2", "user: bob: 2_bob 2", "user: Three."]);
    let log = hall.journal.whole(third.summary.run).await.unwrap();
    let looks = log.iter().filter(|event| matches!(event.body, Body::ToolInvoked(_))).count();
    assert_eq!(looks, 1);
    let tells = |event: &protocol::Event| matches!(&event.body, Body::Logged(line) if line.message.contains("remembers 6 messages"));
    assert!(log.iter().any(tells), "{log:?}");
    // From the first one the team can be gone on with once more, another way.
    let other = go_on(&hall, first.summary.run, "Otherwise.").await;
    assert_eq!(said(&other).0[1], "ann: 1_ann 2");
}

#[tokio::test]
async fn whose_turn_it_is_and_the_answers_of_the_file_go_on() {
    let participants = vec![says("a", json!(["a1", "a2"])), says("b", json!(["b1"]))];
    let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 1 }));
    let hall = Hall::new().await;
    let mut view = hall.run(read(&file), "go").await;
    for (task, line) in [("more", "b: b1"), ("and more", "a: a2")] {
        view = go_on(&hall, view.summary.run, task).await;
        assert_eq!(said(&view).0, [format!("user: {task}"), line.to_owned()]);
        assert_eq!(said(&view).1, "Maximum number of turns 1 reached.");
    }
    let view = go_on(&hall, view.summary.run, "once more").await;
    assert_eq!(view.summary.status, RunStatus::Failed, "the file has one answer of b");
}

#[tokio::test]
async fn what_was_handed_over_to_a_person_is_handed_back_with_the_task() {
    let handing = |name: &str| json!({ "content": [{ "id": "c1", "name": name, "arguments": "{}" }] });
    let hands = |name: &str, target: &str, answers: Value| {
        assistant(name, json!({ "model_client": replay(answers), "handoffs": [target] }))
    };
    let condition = |target: &str| {
        let handoff = until("HandoffTermination", json!({ "target": target }));
        until(
            "OrTerminationCondition",
            json!({ "conditions": [handoff, until("TextMentionTermination", json!({ "text": "done" }))] }),
        )
    };
    let file = |target: &str| {
        team(
            "Swarm",
            vec![
                hands("desk", "clerk", json!([handing("transfer_to_clerk")])),
                hands("clerk", "user", json!([handing("transfer_to_user"), "done"])),
            ],
            json!({ "termination_condition": condition(target) }),
        )
    };
    let hall = Hall::new().await;
    let first = hall.run(read(&file("user")), "help").await;
    assert_eq!(said(&first).1, "Handoff to user from clerk detected.");
    let second = go_on(&hall, first.summary.run, "The number is 7.").await;
    assert_eq!(said(&second).0, ["user: The number is 7.", "clerk: done"]);

    // The same where nothing ends the team at that handoff, so that its run has failed.
    let failed = hall.run(read(&file("nobody")), "help").await;
    assert_eq!(failed.summary.status, RunStatus::Failed);
    let second = go_on(&hall, failed.summary.run, "The number is 7.").await;
    assert_eq!(said(&second).0, ["user: The number is 7.", "clerk: done"]);
}

#[tokio::test]
async fn a_swarm_goes_on_with_whoever_spoke_last() {
    let clerk = assistant("clerk", json!({ "model_client": replay(json!(["one", "two", "three"])) }));
    let desk = assistant(
        "desk",
        json!({ "handoffs": ["clerk"], "model_client": replay(json!([
            { "content": [{ "id": "c1", "name": "transfer_to_clerk", "arguments": "{}" }] }
        ])) }),
    );
    let file = team("Swarm", vec![desk, clerk], json!({ "termination_condition": max(3) }));
    let hall = Hall::new().await;
    let first = hall.run(read(&file), "help").await;
    assert_eq!(speakers(&first), ["desk", "clerk"]);
    let second = go_on(&hall, first.summary.run, "more").await;
    assert_eq!(said(&second).0, ["user: more", "clerk: two", "clerk: three"]);
}

/// A graph: each node with the one that follows.
fn chain(names: &[&str]) -> Value {
    let mut nodes = serde_json::Map::new();
    for (number, name) in names.iter().enumerate() {
        let edges: Vec<Value> =
            names.get(number + 1).map(|next| json!({ "target": next })).into_iter().collect();
        nodes.insert((*name).to_owned(), json!({ "name": name, "edges": edges, "activation": "all" }));
    }
    json!({ "nodes": nodes, "default_start_node": null })
}

#[tokio::test]
async fn graphs_begin_anew_and_selectors_and_ledgers_go_on_with_the_new_task() {
    let hall = Hall::new().await;
    let file = team(
        "GraphFlow",
        vec![says("a", json!(["a1", "a2"])), says("b", json!(["b1", "b2"]))],
        json!({ "graph": chain(&["a", "b"]) }),
    );
    let first = hall.run(read(&file), "go").await;
    let second = go_on(&hall, first.summary.run, "again").await;
    assert_eq!(said(&second).0, ["user: again", "a: a2", "b: b2"]);
    assert_eq!(said(&second).1, "Digraph execution is complete");

    let file = team(
        "SelectorGroupChat",
        vec![says("a", json!(["a1"])), says("b", json!(["b1"])), says("c", json!(["c1"]))],
        json!({ "model_client": replay(json!(["a", "a", "b"])), "selector_prompt": "{history} {participants}",
            "allow_repeated_speaker": false, "max_turns": 1 }),
    );
    let first = hall.run(read(&file), "go").await;
    assert_eq!(speakers(&first), ["a"]);
    // Who spoke last in the earlier run may not speak first: the model that names them is asked again.
    let second = go_on(&hall, first.summary.run, "again").await;
    assert_eq!(said(&second).0, ["user: again", "b: b1"]);

    let ledger = |done: bool| {
        let entry = |answer: Value| json!({ "reason": "r", "answer": answer });
        json!({ "is_request_satisfied": entry(done.into()), "is_in_loop": entry(false.into()),
            "is_progress_being_made": entry(true.into()), "next_speaker": entry("a".into()),
            "instruction_or_question": entry("Do it.".into()) })
        .to_string()
    };
    let answers = json!([
        "facts 1",
        "plan 1",
        ledger(false),
        ledger(true),
        "final 1",
        "facts 2",
        "plan 2",
        ledger(true),
        "final 2"
    ]);
    let file = team(
        "MagenticOneGroupChat",
        vec![says("a", json!(["a1"])), says("b", json!([]))],
        json!({ "model_client": replay(answers), "max_turns": 20, "max_stalls": 3 }),
    );
    let first = hall.run(read(&file), "the old task").await;
    assert_eq!(said(&first).0.last().unwrap(), "MagenticOneOrchestrator: final 1");
    let second = go_on(&hall, first.summary.run, "the new task").await;
    let lines = said(&second).0;
    assert_eq!(lines.last().unwrap(), "MagenticOneOrchestrator: final 2");
    assert!(
        lines[1].contains("the new task") && lines[1].contains("plan 2") && !lines[1].contains("plan 1"),
        "{lines:?}"
    );
}

#[tokio::test]
async fn teams_within_a_team_go_on_as_well() {
    let mut inner = team(
        "RoundRobinGroupChat",
        vec![assistant("x", json!({})), assistant("y", json!({}))],
        json!({ "max_turns": 1 }),
    );
    inner["config"]["name"] = "inner".into();
    inner["label"] = "inner".into();
    let file = team("RoundRobinGroupChat", vec![inner, assistant("z", json!({}))], json!({ "max_turns": 2 }));
    let hall = Hall::playing(|request| {
        Turn::Answer(
            request.agent.rsplit('/').next().unwrap().trim_start_matches(|it: char| it != '_').to_owned(),
        )
    })
    .await;
    let first = hall.run(read(&file), "One.").await;
    assert_eq!(said(&first).0, ["user: One.", "x: _x", "z: _z"]);
    let second = go_on(&hall, first.summary.run, "Two.").await;
    assert_eq!(said(&second).0, ["user: Two.", "y: _y", "z: _z"]);
    let inside = hall.agents().into_iter().find(|agent| agent.ends_with("/2_y")).unwrap();
    assert_eq!(prompts(&hall, &inside)[0], ["user: One.", "user: x: _x", "user: z: _z", "user: Two."]);

    // A team with one voice forgets, and whoever speaks for it is told what came before.
    let society = component(
        "autogen_agentchat.agents.SocietyOfMindAgent",
        json!({ "name": "mind", "team": team("RoundRobinGroupChat", vec![assistant("x", json!({}))], json!({ "max_turns": 1 })) }),
    );
    let file = team("RoundRobinGroupChat", vec![society], json!({ "max_turns": 1 }));
    let hall = Hall::playing(counting).await;
    let first = hall.run(read(&file), "One.").await;
    go_on(&hall, first.summary.run, "Two.").await;
    let inside = hall.agents().into_iter().find(|agent| agent.ends_with("/1_x")).unwrap();
    let heard = &prompts(&hall, &inside)[1];
    assert!(heard[0].contains("These messages came before") && heard[0].contains("One."), "{heard:?}");
    assert_eq!(heard[1..], ["user: Two."]);
}

#[tokio::test]
async fn a_run_that_ended_at_any_event_is_gone_on_with_and_nobody_hears_anything_twice() {
    let participants =
        vec![assistant("ann", json!({})), assistant("bob", json!({})), assistant("cy", json!({}))];
    let file = team("RoundRobinGroupChat", participants, json!({ "max_turns": 3 }));
    let hall = Hall::playing(counting).await;
    let whole = hall.run(read(&file), "One.").await;
    let log = hall.journal.whole(whole.summary.run).await.unwrap();
    let first = log.iter().position(|event| event.node.is_some()).unwrap();
    let turns = |upto: usize| {
        let ended = |event: &&protocol::Event| matches!(event.body, Body::NodeFinished(_));
        log[..upto]
            .iter()
            .filter(ended)
            .filter(|event| event.node.as_ref().unwrap().as_str() != "lead")
            .count()
    };
    let mut followed = 0;
    for cut in first..log.len() {
        let mut events = log[..cut].to_vec();
        events.push(log.last().unwrap().clone());
        let ended = hall.cut_off(&events).await;
        let has_begun = log[..cut].iter().any(|event| matches!(event.body, Body::NodeFinished(_)));
        if !has_begun {
            let why = refused(&hall, going_on(ended, "Two."), AccountId::local()).await;
            assert!(why.contains("before its team was told anything"), "{why}");
            continue;
        }
        let view = go_on(&hall, ended, "Two.").await;
        let next = ["ann", "bob", "cy"][turns(cut) % 3];
        assert_eq!(speakers(&view)[0], next, "after event {cut}");
        for agent in ["1_ann", "2_bob", "3_cy"] {
            let heard = prompts(&hall, agent).pop().unwrap();
            for message in &heard {
                let count = heard.iter().filter(|other| *other == message).count();
                assert_eq!(count, 1, "{message} of {agent} after event {cut}");
            }
            assert_eq!(heard[0], "user: One.", "{agent} after event {cut}");
        }
        followed += 1;
    }
    assert!(followed > 10, "{followed}");
}

#[tokio::test]
async fn the_new_run_rests_on_its_own_log_once_it_has_looked() {
    let mut inner = team("RoundRobinGroupChat", vec![assistant("x", json!({}))], json!({ "max_turns": 1 }));
    inner["config"]["name"] = "inner".into();
    let file = team("RoundRobinGroupChat", vec![inner, assistant("z", json!({}))], json!({ "max_turns": 2 }));
    let hall = Hall::playing(counting).await;
    let earlier = hall.run(read(&file), "One.").await.summary.run;
    let undisturbed = go_on(&hall, earlier, "Two.").await;
    let expected = (said(&undisturbed), speakers(&undisturbed));
    let log = hall.journal.whole(undisturbed.summary.run).await.unwrap();
    let first = log.iter().position(|event| event.node.is_some()).unwrap();
    let looked = log.iter().position(|event| matches!(event.body, Body::ToolReturned(_))).unwrap();
    let cut_off = async |hall: &Hall| {
        let mut runs = Vec::new();
        for cut in first..log.len() {
            runs.push((cut, hall.cut_off(&log[..cut]).await));
        }
        runs
    };
    let runs = cut_off(&hall).await;
    let hall = hall.restarted().await;
    assert_eq!(hall.engine.resume().await.unwrap(), runs.len());
    for (cut, run) in runs {
        let view = hall.end(run).await;
        assert_eq!((said(&view), speakers(&view)), expected, "cut off after event {cut}");
    }
    // And where the earlier run is deleted meanwhile.
    let runs = cut_off(&hall).await;
    hall.journal.remove(vec![earlier]).await.unwrap();
    let hall = hall.restarted().await;
    assert_eq!(hall.engine.resume().await.unwrap(), runs.len());
    for (cut, run) in runs {
        let view = hall.end(run).await;
        if cut > looked {
            assert_eq!((said(&view), speakers(&view)), expected, "cut off after event {cut}");
        } else {
            let why = view.summary.error.unwrap();
            assert!(why.contains(&format!("There is no run {earlier} of a team")), "{why}");
        }
    }
    // The new one is gone on with all the same, and what is deleted is not.
    let third = go_on(&hall, undisturbed.summary.run, "Three.").await;
    assert_eq!(said(&third).0.len(), 3);
    let why = refused(&hall, going_on(earlier, "Two."), AccountId::local()).await;
    assert!(why.contains("There is no run"), "{why}");
}

#[tokio::test]
async fn only_an_own_run_of_the_same_team_that_is_over_is_gone_on_with() {
    let hall = Hall::playing(counting).await;
    let file = team("RoundRobinGroupChat", vec![assistant("ann", json!({}))], json!({ "max_turns": 1 }));
    let id = hall.keep(read(&file)).await;
    let first = hall.start(request(&id.to_string(), "One.")).await;
    let first = hall.end(first).await;
    let run = first.summary.run;
    let naming = |team: &str| {
        let mut asked = going_on(run, "Two.");
        asked.workflow = asked.workflow.with("team", team.into()).unwrap();
        asked
    };
    // The team may be named: as it was, or without a version.
    for name in [first.summary.request.workflow.text("team").unwrap(), &id.to_string()] {
        let again = hall.start(naming(name)).await;
        assert_eq!(hall.end(again).await.summary.status, RunStatus::Succeeded);
    }
    let other = hall.keep(read(&file)).await.to_string();
    for team in [other.as_str(), "sample"] {
        let why = refused(&hall, naming(team), AccountId::local()).await;
        assert!(why.contains("of another team"), "{why}");
    }
    let unknown: RunId = "01900000-0000-7000-8000-00000000ffff".parse().unwrap();
    let stranger: AccountId = "bert".parse().unwrap();
    let missing = refused(&hall, going_on(unknown, "Two."), AccountId::local()).await;
    let strange = refused(&hall, going_on(run, "Two."), stranger.clone()).await;
    assert_eq!(missing.replace(&unknown.to_string(), ""), strange.replace(&run.to_string(), ""));
    let mut odd = going_on(run, "Two.");
    odd.workflow = odd.workflow.with("after", 7.into()).unwrap();
    assert!(refused(&hall, odd, AccountId::local()).await.contains("no id"));

    // A request that says of itself that it was opened before ends with the same sentence, and has seen nothing.
    let mut claimed = naming("sample");
    claimed.workflow = claimed.workflow.with("after_event", 99.into()).unwrap();
    let begun = hall.engine.start(claimed, stranger).await.unwrap();
    let view = hall.end(begun).await;
    assert!(view.summary.error.unwrap().contains("There is no run"));
    assert!(hall.agents().len() <= 3 && view.calls.is_empty());

    // An imported run is looked at only.
    let file: Vec<_> =
        journal::transfer::to_json_lines(hall.journal.clone(), run).try_collect().await.unwrap();
    let file = String::from_utf8(file.concat()).unwrap();
    let imported = journal::transfer::import(&hall.journal, file, AccountId::local()).await.unwrap();
    let why = refused(&hall, going_on(imported, "Two."), AccountId::local()).await;
    assert!(why.contains("was imported"), "{why}");

    // One that waits for a person is at work.
    let person =
        component("autogen_agentchat.agents.UserProxyAgent", json!({ "name": "human", "description": "d" }));
    let waiting =
        hall.keep(read(&team("RoundRobinGroupChat", vec![person], json!({ "max_turns": 1 })))).await;
    let waiting = hall.start(request(&waiting.to_string(), "One.")).await;
    let mut asks = hall.journal.subscribe(waiting, 0).await.unwrap();
    while !asks
        .next()
        .await
        .unwrap()
        .unwrap()
        .iter()
        .any(|event| matches!(event.decode().unwrap().body, Body::InputRequested(_)))
    {}
    let why = refused(&hall, going_on(waiting, "Two."), AccountId::local()).await;
    assert!(why.contains("still at work"), "{why}");
    hall.engine.stop(waiting, AccountId::local(), None).await.unwrap();
}

#[tokio::test]
async fn a_team_does_not_go_on_with_more_than_it_can_hold() {
    let long = "word ".repeat(250_000);
    let hall = Hall::playing(move |_| Turn::Answer(long.clone())).await;
    let file = team("RoundRobinGroupChat", vec![assistant("ann", json!({}))], json!({ "max_turns": 1 }));
    let first = hall.run(read(&file), "One.").await.summary.run;
    let second = go_on(&hall, first, "Two.").await;
    assert_eq!(second.summary.status, RunStatus::Succeeded, "{:?}", second.summary.error);
    let why = refused(&hall, going_on(second.summary.run, "Three."), AccountId::local()).await;
    assert!(why.contains("more than 4 MiB") && why.contains("Start it anew"), "{why}");
}
