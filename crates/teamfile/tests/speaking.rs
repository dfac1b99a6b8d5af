//! Who speaks next, in every kind of team.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use teamfile::{
    Body, Message,
    speaking::{
        Conversation, Decision, InvalidLedger, Ledger, Next, PromptRole, Question, SpeakingError, mentioned,
    },
    team::{
        Activation, Condition, Conduct, Edge, Graph, GraphNode, MagenticOne, ModelClient, Participant,
        Process, Role, Selector, Step, Steps, Team,
    },
};

fn team(conduct: Conduct, names: &[&str]) -> Team {
    let participant = |name: &&str| Participant {
        description: format!("{name}'s   work"),
        ..Participant::new(*name, Role::Assistant(Box::default()))
    };
    Team { conduct, ..Team::new("team", names.iter().map(participant).collect()) }
}

fn begin(team: &Team) -> (Conversation, Decision) {
    let mut conversation = Conversation::new(team, 0).unwrap();
    let decision = conversation.start(vec![Message::text("user", "task")], 0).unwrap();
    (conversation, decision)
}

fn speakers(decision: &Decision) -> Vec<&str> {
    match &decision.next {
        Next::Speak(turns) => turns.iter().map(|turn| turn.speaker.as_str()).collect(),
        other => panic!("{other:?}"),
    }
}

fn inbox(decision: &Decision) -> Vec<String> {
    match &decision.next {
        Next::Speak(turns) => {
            turns[0].inbox.iter().map(|one| format!("{}: {}", one.source, one.to_text())).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn question(decision: &Decision) -> &Question {
    match &decision.next {
        Next::Ask(question) => question,
        other => panic!("{other:?}"),
    }
}

fn stopped(decision: &Decision) -> &str {
    match &decision.next {
        Next::Stop(stop) => &stop.content,
        other => panic!("{other:?}"),
    }
}

fn say(conversation: &mut Conversation, name: &str, text: &str) -> Decision {
    conversation.answered(name, vec![Message::text(name, text)], 0).unwrap()
}

#[test]
fn in_turn_everybody_speaks_and_hears_what_is_new() {
    let (mut conversation, decision) = begin(&team(Conduct::RoundRobin, &["a", "b", "c"]));
    assert_eq!(speakers(&decision), ["a"]);
    assert_eq!(inbox(&decision), ["user: task"]);
    let thought =
        Message { source: "a".to_owned(), usage: None, body: Body::Thought { content: "hm".to_owned() } };
    let decision = conversation.answered("a", vec![thought, Message::text("a", "one")], 0).unwrap();
    assert_eq!(
        (speakers(&decision), inbox(&decision)),
        (vec!["b"], vec!["user: task".to_owned(), "a: one".to_owned()])
    );
    let decision = say(&mut conversation, "b", "two");
    assert_eq!(speakers(&decision), ["c"]);
    let decision = say(&mut conversation, "c", "three");
    // Nobody hears themselves, and nothing twice.
    assert_eq!(
        (speakers(&decision), inbox(&decision)),
        (vec!["a"], vec!["b: two".to_owned(), "c: three".to_owned()])
    );
    assert_eq!(conversation.thread().count(), 5);
}

#[test]
fn what_is_said_on_the_way_to_an_answer_counts_and_is_not_heard() {
    let limited = Team {
        termination: Some(Condition::MaxMessages { max_messages: 4, include_agent_event: false }),
        ..team(Conduct::RoundRobin, &["a", "b"])
    };
    let (mut conversation, _) = begin(&limited);
    let inner = vec![Message::text("x", "inside")];
    let decision = conversation.answered_after("a", inner, vec![Message::text("a", "one")], 0).unwrap();
    assert_eq!(inbox(&decision), ["user: task", "a: one"]);
    assert_eq!(conversation.thread().count(), 3);
    let decision = say(&mut conversation, "b", "two");
    assert_eq!(stopped(&decision), "Maximum number of messages 4 reached, current message count: 4");
}

#[test]
fn turns_are_limited_and_another_task_goes_on_where_it_was() {
    let limited = Team { max_turns: Some(2), ..team(Conduct::RoundRobin, &["a", "b", "c"]) };
    let (mut conversation, _) = begin(&limited);
    say(&mut conversation, "a", "one");
    let decision = say(&mut conversation, "b", "two");
    assert_eq!(stopped(&decision), "Maximum number of turns 2 reached.");
    let decision = conversation.start(vec![Message::text("user", "more")], 0).unwrap();
    assert_eq!(speakers(&decision), ["c"]);
    assert_eq!(inbox(&decision), ["user: task", "a: one", "b: two", "user: more"]);
}

#[test]
fn the_condition_sees_the_task_and_each_turn() {
    let with = |condition: Condition| Team {
        termination: Some(condition),
        ..team(Conduct::RoundRobin, &["a", "b"])
    };
    let (_, decision) = begin(&with(Condition::TextMention { text: "task".to_owned() }));
    assert_eq!(stopped(&decision), "Text 'task' mentioned");
    let (mut conversation, _) =
        begin(&with(Condition::MaxMessages { max_messages: 3, include_agent_event: false }));
    say(&mut conversation, "a", "one");
    let decision = say(&mut conversation, "b", "two");
    assert_eq!(stopped(&decision), "Maximum number of messages 3 reached, current message count: 3");
    // The end is the end of its count, too.
    let decision = conversation.start(vec![Message::text("user", "more")], 0).unwrap();
    assert_eq!(speakers(&decision), ["a"]);
}

#[test]
fn a_team_that_is_told_from_outside_to_end_does_so_before_the_next_one_speaks() {
    let ended_by = |condition: Condition| Team {
        termination: Some(condition),
        ..team(Conduct::RoundRobin, &["a", "b"])
    };
    let (mut conversation, _) = begin(&ended_by(Condition::External));
    assert_eq!(speakers(&say(&mut conversation, "a", "x")), ["b"]);
    let decision = conversation.tell_from_outside(0).unwrap();
    assert_eq!(stopped(&decision), "External termination requested");
    assert_eq!(decision.unheard, ["b"]);
    // Whose turn it was speaks first on another task.
    assert_eq!(speakers(&conversation.start(vec![Message::text("user", "more")], 0).unwrap()), ["b"]);
    // With another condition, once that holds as well; without one for it, not at all.
    let halt = Condition::TextMention { text: "HALT".to_owned() };
    let (mut conversation, _) = begin(&ended_by(Condition::External & halt.clone()));
    assert_eq!(conversation.tell_from_outside(0), None);
    let decision = say(&mut conversation, "a", "HALT");
    assert_eq!(stopped(&decision), "External termination requested, Text 'HALT' mentioned");
    let (mut conversation, _) = begin(&ended_by(halt));
    assert_eq!(conversation.tell_from_outside(0), None);
    assert_eq!(speakers(&say(&mut conversation, "a", "x")), ["b"]);
}

#[test]
fn the_condition_comes_before_the_limit_of_turns() {
    let limited = Team {
        max_turns: Some(1),
        termination: Some(Condition::TextMention { text: "x".to_owned() }),
        ..team(Conduct::RoundRobin, &["a", "b"])
    };
    let (mut conversation, _) = begin(&limited);
    assert_eq!(stopped(&say(&mut conversation, "a", "x")), "Text 'x' mentioned");
    // And the turns count anew in what follows.
    conversation.start(vec![Message::text("user", "more")], 0).unwrap();
    assert_eq!(stopped(&say(&mut conversation, "b", "y")), "Maximum number of turns 1 reached.");
}

#[test]
fn what_does_not_fit_is_refused_with_a_sentence() {
    let (mut conversation, _) = begin(&team(Conduct::RoundRobin, &["a", "b"]));
    let told = |result: Result<Decision, SpeakingError>| result.unwrap_err();
    assert_eq!(
        told(conversation.answered("b", vec![Message::text("b", "x")], 0)),
        SpeakingError::NotAsked("b".to_owned())
    );
    assert_eq!(told(conversation.answered("a", vec![], 0)), SpeakingError::Silent("a".to_owned()));
    assert_eq!(told(conversation.replied("x")), SpeakingError::NoQuestion);
    assert_eq!(Conversation::new(&team(Conduct::RoundRobin, &[]), 0).unwrap_err(), SpeakingError::Nobody);
    let odd = Conduct::Unknown { provider: "x.Y".to_owned(), config: serde_json::Map::new() };
    assert_eq!(
        Conversation::new(&team(odd, &["a"]), 0).unwrap_err(),
        SpeakingError::UnknownTeam("x.Y".to_owned())
    );
}

#[test]
fn the_choice_of_a_speaker_is_told_where_it_is_wanted() {
    let told = Team { emit_team_events: true, ..team(Conduct::RoundRobin, &["a", "b"]) };
    let (_, decision) = begin(&told);
    assert_eq!(decision.messages[0].body, Body::SelectSpeaker { content: vec!["a".to_owned()] });
}

fn selector(allow_repeated_speaker: bool, prompt: Option<&str>) -> Conduct {
    Conduct::Selector(Selector {
        model: Some(ModelClient::open_ai("gpt-4o")),
        profile: None,
        prompt: prompt.map(str::to_owned),
        allow_repeated_speaker,
        max_attempts: 3,
        streaming: false,
        context: None,
    })
}

#[test]
fn a_model_is_asked_with_roles_names_and_history() {
    let prompt = "R:\n{roles}\nP: {participants}\nH:\n{history}\n{{braces}} {other}";
    let (_, decision) = begin(&team(selector(true, Some(prompt)), &["a", "b"]));
    let asked = question(&decision);
    assert_eq!(asked.attempt, 1);
    assert_eq!(asked.messages.len(), 1);
    // Models of OpenAI's take it as instructions.
    assert_eq!(asked.messages[0].role, PromptRole::System);
    assert_eq!(
        asked.messages[0].content,
        "R:\na: a's work\nb: b's work\nP: ['a', 'b']\nH:\nuser: task\n{braces} {other}"
    );
    let mut other = team(selector(true, None), &["a", "b"]);
    if let Conduct::Selector(selector) = &mut other.conduct {
        selector.model = Some(ModelClient::open_ai("my-model"));
    }
    let (_, decision) = begin(&other);
    let asked = question(&decision);
    assert_eq!(asked.messages[0].role, PromptRole::User);
    for part in ["a: a's work\nb: b's work", "['a', 'b']", "user: task"] {
        assert!(asked.messages[0].content.contains(part), "{}", asked.messages[0].content);
    }
}

#[test]
fn who_spoke_last_is_no_candidate_unless_it_is_allowed() {
    let (mut conversation, decision) = begin(&team(selector(false, None), &["a", "b"]));
    question(&decision);
    assert_eq!(speakers(&conversation.replied("b, please").unwrap()), ["b"]);
    // Only one is left: no model is asked.
    assert_eq!(speakers(&say(&mut conversation, "b", "x")), ["a"]);

    let (mut conversation, _) = begin(&team(selector(true, None), &["a", "b"]));
    conversation.replied("b").unwrap();
    let decision = say(&mut conversation, "b", "x");
    question(&decision);
    assert_eq!(speakers(&conversation.replied("b").unwrap()), ["b"]);
}

#[test]
fn an_answer_that_names_nobody_or_several_is_asked_again() {
    let (mut conversation, _) = begin(&team(selector(false, None), &["a", "b", "c"]));
    conversation.replied("c").unwrap();
    let decision = say(&mut conversation, "c", "x");
    assert!(question(&decision).messages[0].content.contains("['a', 'b']"));
    let decision = conversation.replied("nobody").unwrap();
    let asked = question(&decision);
    assert_eq!((asked.attempt, asked.messages.len()), (2, 3));
    assert_eq!(
        (asked.messages[1].role, asked.messages[1].content.as_str()),
        (PromptRole::Assistant, "nobody")
    );
    assert!(asked.messages[2].content.contains("['a', 'b']"));
    let decision = conversation.replied("a or b").unwrap();
    assert_eq!((question(&decision).attempt, question(&decision).messages.len()), (3, 5));
    // In the end, whoever spoke before; without one, the first.
    assert_eq!(speakers(&conversation.replied("c").unwrap()), ["c"]);
    let (mut conversation, _) = begin(&team(selector(false, None), &["a", "b", "c"]));
    for answer in ["?", "??"] {
        question(&conversation.replied(answer).unwrap());
    }
    assert_eq!(speakers(&conversation.replied("???").unwrap()), ["a"]);
}

#[test]
fn names_are_found_as_words_in_the_forms_that_models_write() {
    let names = ["data_writer", "writer", "Orçamentista"];
    assert_eq!(mentioned("**data_writer**", names), Some("data_writer"));
    assert_eq!(mentioned("data\\_writer", names), Some("data_writer"));
    assert_eq!(mentioned("data writer", names), None, "it holds `writer` as a word as well");
    assert_eq!(mentioned("data\\_writer", ["data_writer", "critic"]), Some("data_writer"));
    assert_eq!(mentioned("The data writer.", ["data_writer", "critic"]), Some("data_writer"));
    assert_eq!(mentioned("writer writer", names), Some("writer"));
    assert_eq!(mentioned("Writer", names), None);
    assert_eq!(mentioned("writers", names), None);
    assert_eq!(mentioned("«Orçamentista»", names), Some("Orçamentista"));
    assert_eq!(mentioned("writer and Orçamentista", names), None);
}

#[test]
fn a_handoff_with_its_context_is_part_of_the_history() {
    let (mut conversation, _) = begin(&team(selector(true, Some("{history}")), &["a", "b"]));
    conversation.replied("a").unwrap();
    let context = vec![json!({ "type": "AssistantMessage", "content": "my thought", "source": "a" })];
    let body = Body::Handoff { target: "b".to_owned(), content: "go".to_owned(), context };
    let said = vec![Message { source: "a".to_owned(), usage: None, body }];
    let decision = conversation.answered("a", said, 0).unwrap();
    assert_eq!(question(&decision).messages[0].content, "user: task\n\na: my thought\n\na: go");
}

#[test]
fn in_a_swarm_the_latest_handoff_says_who_speaks() {
    let (mut conversation, decision) = begin(&team(Conduct::Swarm, &["a", "b", "c"]));
    assert_eq!(speakers(&decision), ["a"]);
    assert_eq!(speakers(&say(&mut conversation, "a", "still me")), ["a"]);
    let decision = conversation.answered("a", vec![Message::handoff("a", "c", "go")], 0).unwrap();
    assert_eq!(speakers(&decision), ["c"]);
    assert_eq!(speakers(&say(&mut conversation, "c", "x")), ["c"]);
    let error = conversation.answered("c", vec![Message::handoff("c", "user", "go")], 0).unwrap_err();
    assert_eq!(error, SpeakingError::HandoffOutside("user".to_owned()));
}

#[test]
fn a_swarm_that_handed_over_to_a_person_goes_on_with_a_handoff_back() {
    let ended = Team {
        termination: Some(Condition::Handoff { target: "user".to_owned() }),
        ..team(Conduct::Swarm, &["a", "b"])
    };
    let (mut conversation, _) = begin(&ended);
    let decision = conversation.answered("a", vec![Message::handoff("a", "user", "ask")], 0).unwrap();
    assert_eq!(stopped(&decision), "Handoff to user from a detected.");
    let outside = |name: &str| SpeakingError::HandoffOutside(name.to_owned());
    let plain = vec![Message::text("user", "yes")];
    assert_eq!(conversation.handed_outside(), Some("a"));
    assert_eq!(conversation.start(plain, 0).unwrap_err(), outside("user"));
    let nobody = vec![Message::handoff("user", "nobody", "yes")];
    assert_eq!(conversation.start(nobody, 0).unwrap_err(), outside("nobody"));
    let decision = conversation.start(vec![Message::handoff("user", "b", "yes")], 0).unwrap();
    assert_eq!(speakers(&decision), ["b"]);
    assert_eq!(conversation.handed_outside(), None);
}

#[test]
fn another_task_begins_also_in_the_middle_of_turns_and_nobody_has_heard_what_they_did_not_answer() {
    let again =
        |conversation: &mut Conversation| conversation.start(vec![Message::text("user", "more")], 0).unwrap();
    let (mut conversation, _) = begin(&team(Conduct::RoundRobin, &["a", "b"]));
    say(&mut conversation, "a", "one");
    let decision = again(&mut conversation);
    assert_eq!((speakers(&decision), decision.unheard.as_slice()), (vec!["b"], &["b".to_owned()][..]));
    assert_eq!(inbox(&decision), ["user: task", "a: one", "user: more"]);

    // While a model is asked who speaks, nobody was told anything.
    let (mut conversation, decision) = begin(&team(selector(true, None), &["a", "b"]));
    question(&decision);
    let decision = again(&mut conversation);
    assert!(question(&decision).messages[0].content.contains("user: more") && decision.unheard.is_empty());
    assert_eq!(inbox(&conversation.replied("b").unwrap()), ["user: task", "user: more"]);

    // Of several who speak at a time, one has answered; the graph begins anew.
    let nodes = vec![("a", vec![edge("b", None), edge("c", None)]), ("b", vec![]), ("c", vec![])];
    let (mut conversation, _) = begin(&team(graph(nodes, None), &["a", "b", "c"]));
    say(&mut conversation, "a", "one");
    assert_eq!(say(&mut conversation, "b", "two").next, Next::Wait);
    let decision = again(&mut conversation);
    assert_eq!((speakers(&decision), decision.unheard.as_slice()), (vec!["a"], &["c".to_owned()][..]));
    let decision = say(&mut conversation, "a", "three");
    let Next::Speak(turns) = &decision.next else { panic!("{decision:?}") };
    let heard = |number: usize| turns[number].inbox.iter().map(Message::to_text).collect::<Vec<_>>();
    assert_eq!(heard(0), ["more", "three"]);
    assert_eq!(heard(1), ["task", "one", "two", "more", "three"]);
}

#[test]
fn time_counts_from_each_task_on() {
    let limited = Team {
        termination: Some(Condition::Timeout { seconds: 5.0 }),
        ..team(Conduct::RoundRobin, &["a", "b"])
    };
    let mut conversation = Conversation::new(&limited, 0).unwrap();
    let task = || vec![Message::text("user", "task")];
    assert_eq!(speakers(&conversation.start(task(), 60_000).unwrap()), ["a"]);
    let late = conversation.answered("a", vec![Message::text("a", "x")], 66_000).unwrap();
    assert_eq!(stopped(&late), "Timeout of 5.0 seconds reached");
    assert_eq!(speakers(&conversation.start(task(), 900_000).unwrap()), ["b"]);
}

fn edge(target: &str, condition: Option<&str>) -> Edge {
    Edge {
        target: target.to_owned(),
        condition: condition.map(str::to_owned),
        group: target.to_owned(),
        activation: Activation::All,
    }
}

fn graph(nodes: Vec<(&str, Vec<Edge>)>, start: Option<&str>) -> Conduct {
    let node = |(name, edges): (&str, Vec<Edge>)| GraphNode {
        name: name.to_owned(),
        edges,
        activation: Activation::All,
        kept: serde_json::Map::new(),
    };
    let nodes = nodes.into_iter().map(node).collect();
    Conduct::GraphFlow { graph: Graph { nodes, start: start.map(str::to_owned) } }
}

#[test]
fn a_graph_forks_joins_and_ends() {
    let nodes = vec![
        ("a", vec![edge("b", None), edge("c", None)]),
        ("b", vec![edge("d", None)]),
        ("c", vec![edge("d", None)]),
        ("d", vec![]),
    ];
    let (mut conversation, decision) = begin(&team(graph(nodes, None), &["a", "b", "c", "d"]));
    assert_eq!(speakers(&decision), ["a"]);
    assert_eq!(speakers(&say(&mut conversation, "a", "x")), ["b", "c"]);
    assert_eq!(say(&mut conversation, "c", "from c").next, Next::Wait);
    let decision = say(&mut conversation, "b", "from b");
    assert_eq!(speakers(&decision), ["d"]);
    assert_eq!(inbox(&decision), ["user: task", "a: x", "c: from c", "b: from b"]);
    assert_eq!(stopped(&say(&mut conversation, "d", "x")), "Digraph execution is complete");
    // Anew from its beginning.
    let decision = conversation.start(vec![Message::text("user", "again")], 0).unwrap();
    assert_eq!(speakers(&decision), ["a"]);
}

#[test]
fn edges_with_conditions_branch_and_loop() {
    let nodes = vec![
        ("writer", vec![edge("critic", None)]),
        ("critic", vec![edge("writer", Some("AGAIN")), edge("editor", Some("OK"))]),
        ("editor", vec![]),
    ];
    let looping =
        Team { max_turns: Some(20), ..team(graph(nodes, Some("writer")), &["writer", "critic", "editor"]) };
    let (mut conversation, decision) = begin(&looping);
    assert_eq!(speakers(&decision), ["writer"]);
    for _ in 0..3 {
        assert_eq!(speakers(&say(&mut conversation, "writer", "draft")), ["critic"]);
        assert_eq!(speakers(&say(&mut conversation, "critic", "AGAIN")), ["writer"]);
    }
    say(&mut conversation, "writer", "draft");
    assert_eq!(speakers(&say(&mut conversation, "critic", "OK")), ["editor"]);
    assert_eq!(stopped(&say(&mut conversation, "editor", "x")), "Digraph execution is complete");

    // No edge fires: nothing is left to do, which is looked at before any other end.
    let (mut conversation, _) = begin(&looping);
    say(&mut conversation, "writer", "draft");
    assert_eq!(stopped(&say(&mut conversation, "critic", "maybe")), "Digraph execution is complete");
}

#[test]
fn a_graph_whose_nodes_have_all_spoken_is_complete_whatever_its_condition_says() {
    let nodes = vec![("a", vec![edge("b", None)]), ("b", vec![])];
    let watched = Team {
        termination: Some(Condition::TextMention { text: "END".to_owned() }),
        ..team(graph(nodes, None), &["a", "b"])
    };
    let (mut conversation, _) = begin(&watched);
    say(&mut conversation, "a", "x");
    assert_eq!(stopped(&say(&mut conversation, "b", "END")), "Digraph execution is complete");
}

#[test]
fn a_node_that_waits_for_any_begins_at_the_first_and_once_a_step() {
    let any = |condition: Option<&str>| Edge { activation: Activation::Any, ..edge("c", condition) };
    let nodes = vec![("a", vec![any(None)]), ("b", vec![any(None)]), ("c", vec![])];
    let (mut conversation, decision) = begin(&team(graph(nodes, None), &["a", "b", "c"]));
    assert_eq!(speakers(&decision), ["a", "b"]);
    assert_eq!(say(&mut conversation, "a", "x").next, Next::Wait);
    assert_eq!(speakers(&say(&mut conversation, "b", "x")), ["c"]);
    assert_eq!(stopped(&say(&mut conversation, "c", "x")), "Digraph execution is complete");
}

#[test]
fn groups_of_edges_to_one_node_count_apart() {
    // d begins with a and b together, or with c alone.
    let grouped = |group: &str| Edge { group: group.to_owned(), ..edge("d", None) };
    let nodes = vec![
        ("a", vec![grouped("both")]),
        ("b", vec![grouped("both")]),
        ("c", vec![grouped("alone")]),
        ("d", vec![]),
    ];
    let (mut conversation, decision) = begin(&team(graph(nodes, None), &["a", "b", "c", "d"]));
    assert_eq!(speakers(&decision), ["a", "b", "c"]);
    say(&mut conversation, "a", "x");
    say(&mut conversation, "c", "x");
    // Both groups are complete in one step: it speaks once.
    assert_eq!(speakers(&say(&mut conversation, "b", "x")), ["d"]);
}

#[test]
fn the_condition_is_shown_what_all_said_who_spoke_at_the_same_time() {
    let nodes = vec![("a", vec![edge("c", None)]), ("b", vec![edge("c", None)]), ("c", vec![])];
    let watched = Team {
        termination: Some(Condition::TextMention { text: "HALT".to_owned() }),
        ..team(graph(nodes, None), &["a", "b", "c"])
    };
    let (mut conversation, _) = begin(&watched);
    say(&mut conversation, "a", "HALT");
    assert_eq!(stopped(&say(&mut conversation, "b", "go on")), "Text 'HALT' mentioned");
}

fn ledger(satisfied: bool, looping: bool, progress: bool, next: &str) -> String {
    let entry = |answer: Value| json!({ "reason": "so", "answer": answer });
    json!({
        "is_request_satisfied": entry(satisfied.into()),
        "is_in_loop": entry(looping.into()),
        "is_progress_being_made": entry(progress.into()),
        "next_speaker": entry(next.into()),
        "instruction_or_question": entry("Do it.".into()),
    })
    .to_string()
}

fn magentic(max_stalls: u32) -> Team {
    let conduct = MagenticOne { model: None, profile: None, max_stalls, final_answer_prompt: None };
    team(Conduct::MagenticOne(conduct), &["a", "b"])
}

/// Up to the first question for the ledger.
fn planned(team: &Team) -> (Conversation, Decision) {
    let (mut conversation, decision) = begin(team);
    assert!(question(&decision).messages[0].content.contains("task"));
    let decision = conversation.replied("the facts").unwrap();
    let contents: Vec<&str> = question(&decision).messages.iter().map(|one| one.content.as_str()).collect();
    assert_eq!(contents.len(), 3);
    assert_eq!(contents[1], "the facts");
    assert!(contents[2].contains("a: a's work"));
    let decision = conversation.replied("the plan").unwrap();
    (conversation, decision)
}

#[test]
fn a_leading_model_is_told_an_earlier_conversation_with_the_task() {
    let mut conversation = Conversation::new(&magentic(3), 0).unwrap();
    let earlier = vec![Message::text("user", "Begin."), Message::text("assistant", "I have begun.")];
    let decision = conversation.start_after(earlier, vec![Message::text("user", "Go on.")], 0).unwrap();
    let asked = &question(&decision).messages[0].content;
    assert!(asked.contains("user: Begin.\nassistant: I have begun.\nGo on."), "{asked}");
}

#[test]
fn a_leading_model_plans_instructs_and_answers() {
    let (mut conversation, decision) = planned(&magentic(3));
    // The plan is told to all, who forget what was before.
    assert!(decision.forgets);
    let told = decision.messages[0].to_text();
    assert!(["task", "the facts", "the plan"].iter().all(|part| told.contains(part)), "{told}");
    assert!(question(&decision).schema.is_some());
    let decision = conversation.replied(&ledger(false, false, true, "b")).unwrap();
    assert_eq!(decision.messages[0].to_text(), "Do it.");
    assert_eq!(speakers(&decision), ["b"]);
    assert_eq!(inbox(&decision).len(), 2, "the plan and the instruction");
    let decision = say(&mut conversation, "b", "done");
    assert!(question(&decision).messages.iter().any(|one| one.content == "b: done"));
    let decision = conversation.replied(&ledger(true, false, true, "a")).unwrap();
    assert!(question(&decision).messages.last().unwrap().content.contains("task"));
    let decision = conversation.replied("42").unwrap();
    assert_eq!(decision.messages[0].to_text(), "42");
    assert_eq!(stopped(&decision), "so");
}

#[test]
fn what_the_leading_model_says_ends_no_team_and_the_same_words_of_a_participant_do() {
    let watched = |text: &str| Team {
        termination: Some(Condition::TextMention { text: text.to_owned() }),
        ..magentic(3)
    };
    for word in ["Do it.", "the plan"] {
        let (mut conversation, _) = planned(&watched(word));
        let decision = conversation.replied(&ledger(false, false, true, "b")).unwrap();
        assert_eq!(speakers(&decision), ["b"], "{word}");
        let decision = say(&mut conversation, "b", &format!("I say: {word}"));
        assert_eq!(stopped(&decision), format!("Text '{word}' mentioned"));
    }
}

#[test]
fn without_progress_facts_and_plan_are_made_anew() {
    let (mut conversation, _) = planned(&magentic(2));
    // One stall, taken back by progress, then two.
    for (looping, progress, speaker) in [(true, true, "a"), (false, true, "b"), (false, false, "a")] {
        let decision = conversation.replied(&ledger(false, looping, progress, speaker)).unwrap();
        assert_eq!(speakers(&decision), [speaker]);
        say(&mut conversation, speaker, "x");
    }
    let decision = conversation.replied(&ledger(false, true, true, "a")).unwrap();
    assert!(question(&decision).messages.last().unwrap().content.contains("the facts"));
    question(&conversation.replied("new facts").unwrap());
    let decision = conversation.replied("new plan").unwrap();
    assert!(decision.forgets && decision.messages[0].to_text().contains("new plan"));
    // The stalls are counted anew.
    let decision = conversation.replied(&ledger(false, false, false, "a")).unwrap();
    assert_eq!(speakers(&decision), ["a"]);
    assert_eq!(inbox(&decision).len(), 2);
}

#[test]
fn rounds_are_limited_and_end_in_an_answer() {
    let (mut conversation, mut decision) = planned(&Team { max_turns: Some(2), ..magentic(9) });
    for _ in 0..3 {
        question(&decision);
        conversation.replied(&ledger(false, false, true, "a")).unwrap();
        decision = say(&mut conversation, "a", "x");
    }
    assert!(question(&decision).schema.is_none());
    assert_eq!(stopped(&conversation.replied("as far as I got").unwrap()), "Max rounds reached.");
}

#[test]
fn a_ledger_is_read_leniently_and_asked_for_again() {
    let names = ["a", "b"];
    let good = ledger(false, false, true, "b");
    let fenced = format!("Here {{it}} is:\n```json\n{good}\n```\nDone.");
    assert_eq!(Ledger::read(&fenced, &names).unwrap().next_speaker, "b");
    assert_eq!(
        Ledger::read(&good.replace("true", "\"True\""), &names).unwrap(),
        Ledger::read(&good, &names).unwrap()
    );
    assert_eq!(Ledger::read("none", &names), Err(InvalidLedger::NoObject));
    assert_eq!(Ledger::read("{}", &names), Err(InvalidLedger::Field("next_speaker")));
    assert_eq!(Ledger::read(&ledger(false, false, true, "zoe"), &names), Err(InvalidLedger::Stranger));
    // Who is alone is always next.
    assert_eq!(Ledger::read(&ledger(false, false, true, "zoe"), &["a"]).unwrap().next_speaker, "a");

    let (mut conversation, _) = planned(&magentic(3));
    for attempt in 2..=10 {
        assert_eq!(question(&conversation.replied("?").unwrap()).attempt, attempt);
    }
    let error = conversation.replied("?").unwrap_err();
    assert_eq!(error, SpeakingError::Ledger { attempts: 10, reason: InvalidLedger::NoObject });
}

fn step(name: &str, agent: Option<&str>, inputs: Option<&[&str]>) -> Step {
    Step {
        name: name.to_owned(),
        agent: agent.map(str::to_owned),
        description: format!("Do {name}."),
        expected_output: String::new(),
        inputs: inputs.map(|inputs| inputs.iter().map(|input| (*input).to_owned()).collect()),
        artefact: None,
        kept: serde_json::Map::new(),
    }
}

#[test]
fn steps_are_given_the_results_that_they_name() {
    let steps = Steps {
        steps: vec![
            step("find", Some("a"), None),
            step("check", Some("b"), Some(&[])),
            step("tell", Some("a"), None),
            step("end", Some("b"), Some(&["find"])),
        ],
        ..Steps::default()
    };
    let (mut conversation, decision) = begin(&team(Conduct::Steps(steps), &["a", "b"]));
    assert_eq!(
        (speakers(&decision), inbox(&decision)),
        (vec!["a"], vec!["user: task".to_owned(), "StepsManager: Do find.".to_owned()])
    );
    let decision = say(&mut conversation, "a", "found");
    assert_eq!(
        (speakers(&decision), inbox(&decision)),
        (vec!["b"], vec!["user: task".to_owned(), "StepsManager: Do check.".to_owned()])
    );
    let decision = say(&mut conversation, "b", "checked");
    assert_eq!(
        inbox(&decision),
        [
            "user: task",
            "a: Result of find:\n\nfound",
            "b: Result of check:\n\nchecked",
            "StepsManager: Do tell."
        ]
    );
    let decision = say(&mut conversation, "a", "told");
    assert_eq!(inbox(&decision), ["user: task", "a: Result of find:\n\nfound", "StepsManager: Do end."]);
    assert_eq!(stopped(&say(&mut conversation, "b", "ended")), "All steps are done.");
    // On another task nothing of the earlier one is given: who did a step remembers it by themselves.
    let decision = conversation.start(vec![Message::text("user", "more")], 0).unwrap();
    assert_eq!(inbox(&decision), ["user: more", "StepsManager: Do find."]);
}

#[test]
fn a_step_of_nobody_is_given_out_by_the_lead() {
    let with = |process: Process| {
        let steps = Steps { steps: vec![step("find", None, None)], process, ..Steps::default() };
        team(Conduct::Steps(steps), &["a", "b"])
    };
    let mut conversation = Conversation::new(&with(Process::Sequential), 0).unwrap();
    let error = conversation.start(vec![Message::text("user", "task")], 0).unwrap_err();
    assert_eq!(error, SpeakingError::StepOfNobody("find".to_owned()));
    let (_, decision) =
        begin(&with(Process::Hierarchical { lead: Some("b".to_owned()), model: None, profile: None }));
    assert_eq!(speakers(&decision), ["b"]);
    let (mut conversation, decision) =
        begin(&with(Process::Hierarchical { lead: None, model: None, profile: None }));
    assert!(question(&decision).messages[0].content.contains("Do find."));
    question(&conversation.replied("hm").unwrap());
    assert_eq!(speakers(&conversation.replied("b").unwrap()), ["b"]);
}

/// Plays a team with answers of chance, and stores and resumes it after each of them.
fn play(team: &Team, answers: &[String]) -> Result<(), SpeakingError> {
    let mut conversation = Conversation::new(team, 0)?;
    let mut decision = conversation.start(vec![Message::text("user", "task")], 0)?;
    let mut open: Vec<String> = Vec::new();
    for answer in answers {
        let stored = serde_json::to_string(&conversation).unwrap();
        let resumed: Conversation = serde_json::from_str(&stored).unwrap();
        assert_eq!(resumed, conversation);
        conversation = resumed;
        match &decision.next {
            Next::Speak(turns) => open = turns.iter().map(|turn| turn.speaker.clone()).collect(),
            Next::Wait => {}
            Next::Ask(_) => {
                decision = conversation.replied(answer)?;
                continue;
            }
            Next::Stop(_) => {
                decision = conversation.start(vec![Message::text("user", answer)], 0)?;
                continue;
            }
        }
        let speaker = open.pop().expect("somebody speaks");
        let said = match answer.strip_prefix("to ") {
            Some(target) => Message::handoff(speaker.as_str(), target, "go"),
            None => Message::text(speaker.as_str(), answer),
        };
        decision = conversation.answered(&speaker, vec![said], 0)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_team_breaks_and_every_state_can_be_stored(
        kind in 0..6_usize,
        answers in prop::collection::vec(prop_oneof!["[abc]{1,2}", Just("to b".to_owned()), Just("to zoe".to_owned()),
            Just(ledger(false, true, false, "a")), Just(ledger(true, false, true, "b")), "\\PC{0,12}"], 0..20),
        turns in prop::option::of(1_u32..5),
    ) {
        let nodes = vec![
            ("a", vec![edge("b", Some("a")), edge("c", Some("c"))]),
            ("b", vec![edge("a", Some("b")), edge("c", Some("a"))]),
            ("c", vec![]),
        ];
        let conduct = match kind {
            0 => Conduct::RoundRobin,
            1 => selector(false, None),
            2 => Conduct::Swarm,
            3 => magentic(2).conduct,
            4 => graph(nodes, Some("a")),
            _ => Conduct::Steps(Steps {
                steps: vec![step("x", Some("a"), None), step("y", None, None)],
                process: Process::Hierarchical { lead: None, model: None, profile: None },
                ..Steps::default()
            }),
        };
        let team = Team {
            max_turns: turns,
            termination: Some(Condition::TextMention { text: "aa".to_owned() }),
            ..team(conduct, &["a", "b", "c"])
        };
        // An error ends a team with a sentence; nothing else may happen.
        let _ = play(&team, &answers);
    }
}
