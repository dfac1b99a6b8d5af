//! Servers that hang, flood, die, answer nonsense or tell secrets.

use std::time::{Duration, Instant};

use protocol::{ToolServerReach, ToolServerState, ToolStatus};
use serde_json::{Value, json};
use tools::mcp::Limits;

use crate::support::{Stage, has_ended, program, unruly, until_ended, wide};

fn impatient() -> Limits {
    Limits { start: Duration::from_millis(300), ..wide() }
}

/// So that a failure is seen before it is over.
fn slow_to_try_again() -> Limits {
    Limits { first_pause: Duration::from_secs(2), longest_pause: Duration::from_secs(2), ..wide() }
}

#[tokio::test]
async fn a_program_that_is_not_there_fails_with_the_reason_and_is_tried_again() {
    let stage = Stage::new(program("gone", "/nowhere/tools".into(), &[], wide()));
    let reason = stage.until_failed().await;
    assert!(reason.contains("The program tools cannot be started"), "{reason}");
    let again = |server: &protocol::ToolServer| match server.state {
        ToolServerState::Failed { again_at, .. } => again_at,
        _ => panic!("{server:?}"),
    };
    let first = again(&stage.standing());
    stage.until(|server| again(server) > first).await;
    assert!(stage.offer().await.specs().is_empty(), "and nobody waits for it");
    stage.registry.close().await;
}

#[tokio::test]
async fn a_server_that_never_comes_to_be_is_said_with_its_reason() {
    for (mode, limits, expected) in [
        ("exit", wide(), "It ended by itself (exit status: 3)."),
        ("mute", impatient(), "It did not answer within 0.3 seconds."),
        ("garbage", impatient(), "It did not answer within 0.3 seconds."),
        ("nonsense", wide(), "It does not speak the protocol"),
        ("flood", wide(), "It sent more than 33554432 bytes within a minute."),
        ("endless-line", wide(), "It sent one message of more than 8388608 bytes."),
        ("no-list", wide(), "It refuses: No list for ***"),
    ] {
        let stage = Stage::new(unruly(mode, limits));
        let reason = stage.until_failed().await;
        assert!(reason.starts_with(expected), "{mode}: {reason}");
        assert!(reason.len() <= 400 && !reason.contains(char::is_control), "{mode}: {reason}");
        stage.registry.close().await;
    }
}

#[tokio::test]
async fn a_call_without_an_answer_ends_with_its_time_limit() {
    let stage = Stage::new(unruly("polite", Limits { call: Duration::from_secs(2), ..wide() }));
    stage.until_ready().await;
    let begun = Instant::now();
    let said = stage.error("python_hang", json!({})).await;
    assert!(said.contains("gave no result within 2 seconds") && said.contains("may have happened"), "{said}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    let outcome = stage.call("python_several_at_once", json!({})).await;
    assert_eq!(outcome.status, ToolStatus::Success, "{outcome:?}: another call is answered meanwhile");
    stage.registry.close().await;
}

#[tokio::test]
async fn a_server_that_hangs_in_a_call_is_started_anew() {
    // Whether it still answers is asked with the limit of a start.
    let limits =
        Limits { call: Duration::from_secs(2), start: Duration::from_secs(3), ..slow_to_try_again() };
    let stage = Stage::new(unruly("polite", limits));
    stage.until_ready().await;
    stage.error("python_freeze", json!({})).await;
    assert_eq!(stage.until_failed().await, "It did not answer within 3 seconds.");
    stage.until_ready().await;
    assert_eq!(stage.call("python_several_at_once", json!({})).await.text, "done");
    stage.registry.close().await;
}

#[tokio::test]
async fn a_server_that_ends_or_floods_in_a_call_fails_the_call_and_comes_back() {
    let stage = Stage::new(unruly("polite", slow_to_try_again()));
    let tools = stage.offer().await;
    for (name, reason) in [
        ("python_die", "It ended by itself (exit status: 7)."),
        ("python_flood", "It sent more than 33554432 bytes within a minute."),
        ("python_endless_line", "It sent one message of more than 8388608 bytes."),
    ] {
        stage.until_ready().await;
        let outcome = tools.call(name, &json!({})).await;
        assert_eq!(outcome.status, ToolStatus::Error, "{name}");
        assert!(outcome.text.contains("broke off"), "{name}: {}", outcome.text);
        assert_eq!(stage.until_failed().await, reason);
    }
    stage.until_ready().await;
    let outcome = tools.call("python_several_at_once", &json!({})).await;
    assert_eq!(outcome.text, "done", "what was offered before can be called again");
    stage.registry.close().await;
}

#[tokio::test]
async fn what_a_server_refuses_or_answers_wrongly_is_an_error_in_words() {
    let stage = Stage::new(unruly("polite", wide()));
    assert_eq!(
        stage.error("python_refuse", json!({})).await,
        "The tool server python refuses the call: Not with ***"
    );
    let said = stage.error("python_nonsense", json!({})).await;
    assert!(said.contains("gave an answer that is none"), "{said}");
    let said = stage.error("python_long", json!({ "length": "many" })).await;
    assert!(said.contains("do not fit") && said.contains("/length"), "{said}");
    stage.registry.close().await;
}

#[tokio::test]
async fn a_long_result_is_cut_and_degraded() {
    let stage = Stage::new(unruly("polite", Limits { result_bytes: 1001, ..wide() }));
    let whole = stage.call("python_long", json!({ "length": 1000 })).await;
    assert_eq!((whole.status, whole.text.len()), (ToolStatus::Success, 1000));
    let cut = stage.call("python_long", json!({ "length": 1_000_000 })).await;
    assert_eq!(cut.status, ToolStatus::Degraded);
    let (text, note) = cut.text.split_once('\n').unwrap();
    assert_eq!((text.len(), note), (1000, "[Cut: these are the first 1000 of 1000000 bytes.]"));
    stage.registry.close().await;
}

#[tokio::test]
async fn a_program_sees_the_variables_that_are_named_and_no_others() {
    let stage = Stage::new(unruly("polite", wide()));
    let seen = stage.call("python_environment", json!({})).await.text;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    let names: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    // LC_CTYPE is Python's own doing.
    let expected = ["PATH", "HOME", "LANG", "PLANTED_KEY", "SHORT", "LC_CTYPE"];
    assert!(names.iter().all(|name| expected.contains(name)), "{names:?}");
    assert_eq!((&seen["PLANTED_KEY"], &seen["SHORT"]), (&json!("***"), &json!("1")));
    assert!(std::env::vars_os().any(|(name, _)| name == "CARGO_MANIFEST_DIR"), "there is more to see");
    stage.registry.close().await;
}

#[tokio::test]
async fn what_a_server_asks_of_pitwall_is_refused() {
    let stage = Stage::new(unruly("polite", wide()));
    let answered = stage.call("python_ask", json!({})).await.text;
    assert!(answered.contains("Pitwall calls tools and does nothing else."), "{answered}");
    stage.registry.close().await;
}

#[tokio::test]
async fn tools_that_change_are_offered_anew() {
    let stage = Stage::new(unruly("polite", wide()));
    let before = stage.until_ready().await;
    let ToolServerReach::Program { file } = &before.reached else { panic!("{before:?}") };
    assert!(file.starts_with("python"), "{file}");
    assert!(before.tools.iter().any(|tool| tool.description == "Tells the variables that it sees."));
    stage.call("python_change", json!({})).await;
    let after = stage.until(|server| server.tools.len() > before.tools.len()).await;
    assert_eq!(after.tools.last().unwrap().name.as_str(), "python_new_one");
    stage.registry.close().await;
}

#[tokio::test]
async fn a_server_that_says_very_much_on_its_standard_error_is_not_held_up() {
    let stage = Stage::new(unruly("chatty", wide()));
    assert_eq!(stage.call("python_several_at_once", json!({})).await.text, "done");
    stage.registry.close().await;
}

/// The server and a process that it started.
async fn family(stage: &Stage) -> Vec<u64> {
    let family = stage.call("python_family", json!({})).await.text;
    let family: Vec<u64> = serde_json::from_str(&family).unwrap();
    assert!(family.len() == 2 && !family.iter().any(|process| has_ended(*process)));
    family
}

#[tokio::test]
async fn a_program_and_all_that_it_started_end_with_pitwall() {
    let stage = Stage::new(unruly("polite", wide()));
    let family = family(&stage).await;
    stage.registry.close().await;
    assert!(has_ended(family[0]), "the program itself was waited for");
    until_ended(&family).await;
    assert!(stage.offer().await.specs().is_empty());
}

#[test]
fn a_program_ends_also_when_pitwall_has_no_time_to_say_farewell() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let family = runtime.block_on(async {
        let stage = Stage::new(unruly("polite", wide()));
        family(&stage).await
    });
    drop(runtime);
    let begun = Instant::now();
    while !family.iter().all(|process| has_ended(*process)) {
        assert!(begun.elapsed() < Duration::from_secs(30), "it lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
