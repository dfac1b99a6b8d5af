//! Settings as containers and unit files give them, and the log as whoever gathers it reads it.

use std::{any::TypeId, path::PathBuf, process::Stdio};

use clap::{Arg, ArgAction, Command, CommandFactory};
use llm::Secret;
use serde_json::Value;
use server::CommandLine;

use crate::support::{Home, TOKEN};

/// Every option of `pitwall serve` that a variable can set, as the command itself describes it.
fn options() -> Vec<(String, Arg)> {
    let command = CommandLine::command();
    let serve = command.find_subcommand("serve").unwrap();
    let arguments = [&command, serve].into_iter().flat_map(Command::get_arguments);
    arguments.filter_map(|option| Some((option.get_env()?.to_str()?.to_owned(), option.clone()))).collect()
}

/// How a server ends that has this variable and no pages: whether its settings are at fault, and what it says.
async fn without_pages(home: &Home, variable: &str, value: &str) -> (bool, String) {
    std::fs::remove_dir_all(home.folder().join("site")).unwrap_or_default();
    let mut command = home.command();
    let command = command.env(variable, value).stderr(Stdio::piped());
    let output = command.output().await.unwrap();
    (output.status.code() == Some(2), String::from_utf8(output.stderr).unwrap())
}

#[tokio::test]
async fn an_empty_variable_is_one_that_is_not_set() {
    let home = Home::bare(&[]);
    assert!(options().len() > 30, "all options are found");
    for blank in ["", "  "] {
        let mut command = home.command();
        for (variable, _) in options() {
            command.env(variable, blank);
        }
        let server = home
            .start_as({
                command.args(["--addr", "127.0.0.1:0"]);
                command
            })
            .await;
        assert!(server.opened.contains("/?token="), "{}", server.opened);
        server.kill().await;
    }
}

#[tokio::test]
async fn a_variable_that_cannot_be_read_is_named_whichever_it_is() {
    let home = Home::bare(&[]);
    let takes_any = [TypeId::of::<String>(), TypeId::of::<PathBuf>(), TypeId::of::<Secret>()];
    let mut named = 0;
    for (variable, option) in options() {
        let (is_refused, said) = without_pages(&home, &variable, "no such: value").await;
        assert_eq!(is_refused, said.contains(&variable), "{variable}: {said}");
        let takes_any = takes_any.iter().any(|kind| option.get_value_parser().type_id() == *kind);
        assert!(is_refused || takes_any, "{variable}: {said}");
        named += usize::from(is_refused);
    }
    assert!(named > 20, "{named}");
    for (variable, value) in [
        ("PITWALL_LOG", "wran"),
        ("PITWALL_LOG", "server=loud"),
        ("PITWALL_LOG_FORMAT", "xml"),
        ("PITWALL_NO_AUTH", "maybe"),
        ("PITWALL_ADDR", "localhost"),
        ("PITWALL_ALLOW_ORIGIN", "https://a.example,https://b.example/"),
        ("PITWALL_BASE_PATH", "pitwall"),
    ] {
        let (is_refused, said) = without_pages(&home, variable, value).await;
        assert!(is_refused && said.contains(variable), "{variable}={value}: {said}");
    }
    // An argument's fault is not blamed on a variable.
    let said = home.refusal(&["--connections", "many"]).await;
    assert!(said.contains("--connections") && !said.contains("PITWALL_"), "{said}");
    let (is_refused, said) =
        without_pages(&Home::new(&[("PITWALL_MODEL_KEY", "k".into())]), "PITWALL_MODEL_KEY_FILE", "/f").await;
    assert!(is_refused && said.contains("PITWALL_MODEL_KEY_FILE"), "two that contradict each other: {said}");
}

#[tokio::test]
async fn switches_lists_and_addresses_are_understood_as_people_write_them() {
    let switches: Vec<_> = options()
        .into_iter()
        .filter(|(_, option)| matches!(option.get_action(), ArgAction::SetTrue))
        .collect();
    assert!(!switches.is_empty());
    for (variable, _) in switches {
        for spelling in ["1", "0", "yes", "No", "TRUE", "false", "on", "OFF", "y", "n"] {
            let (is_refused, said) = without_pages(&Home::bare(&[]), &variable, spelling).await;
            assert!(!is_refused, "{variable}={spelling}: {said}");
        }
    }
    for (spelling, is_open) in [("yes", true), ("1", true), ("off", false), ("0", false)] {
        let home =
            Home::bare(&[("PITWALL_NO_AUTH", spelling.into()), ("PITWALL_ADDR", "localhost:0".into())]);
        let server = home.start_kept().await;
        assert_eq!(!server.opened.contains("token"), is_open, "{spelling}");
        assert!(server.address.ip().is_loopback());
    }
    let hosts = [("PITWALL_ALLOW_HOST", "a.example, B.example:80".to_owned())];
    let server = Home::new(&hosts).start_kept().await;
    server.program(TOKEN).with("host", "b.example:80").get("/api/v1/runs").await;
}

/// What a server says that warns at its start, with these variables.
async fn log(variables: &[(&str, String)]) -> String {
    let home = Home::bare(&[&[("PITWALL_NO_AUTH", "1".to_owned())], variables].concat());
    let mut command = home.command();
    command.stderr(Stdio::piped());
    let mut server = home.start_as(command).await;
    let log = server.log();
    server.terminate().await;
    log.await.unwrap()
}

#[tokio::test]
async fn a_log_that_no_terminal_reads_is_plain_text() {
    let text = log(&[]).await;
    assert!(text.contains("WARN") && text.contains("every program and every person"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert_eq!(log(&[("PITWALL_LOG", "error".into())]).await, "");
}

#[tokio::test]
async fn a_log_can_be_one_json_document_a_line_to_the_last_word() {
    for spelling in ["json", "JSON"] {
        let text = log(&[("PITWALL_LOG_FORMAT", spelling.into())]).await;
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert!(lines.iter().any(|line| line["level"] == "WARN" && line["timestamp"].is_string()), "{text}");
    }
    let home = Home::bare(&[("PITWALL_LOG_FORMAT", "json".into())]);
    let said = home.refusal(&["--token", "short"]).await;
    let said: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(said["level"], "ERROR");
    assert!(said["message"].as_str().unwrap().contains("16 characters"), "{said}");
}
