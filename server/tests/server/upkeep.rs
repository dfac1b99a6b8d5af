//! What one file or one broken part can do to the server, and how its data are kept small and safe.

use std::{net::SocketAddr, path::Path, process::Output, sync::Arc, time::Duration};

use axum::Router;
use clap::Parser;
use serde_json::{Value, json};
use server::{Access, Command, CommandLine, ServeOptions, Service};
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};
use tokio::net::TcpListener;

use crate::support::{HTTP, Home, Server, TOKEN, Visitor};

/// `pitwall` with these arguments, to its end.
async fn pitwall(arguments: &[&str], data: &Path) -> Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_pitwall"));
    command.args(arguments).arg("--data").arg(data).output().await.unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn me(server: &Server) -> Visitor {
    server.program(TOKEN)
}

/// Makes a row of each event: a commit stores several events of a run as one. Nothing else changes.
pub const AN_EVENT_A_ROW: &str = "insert or replace into block (run, first, lines) \
    select run, first + key, value from block, json_each('[' || replace(lines, char(10), ',') || ']')";

pub async fn change(database: &Path, statement: &'static str) {
    let mut connection = SqliteConnectOptions::new().filename(database).connect().await.unwrap();
    sqlx::query(AN_EVENT_A_ROW).execute(&mut connection).await.unwrap();
    assert!(sqlx::query(statement).execute(&mut connection).await.unwrap().rows_affected() > 0);
    connection.close().await.unwrap();
}

async fn listed(visitor: &Visitor) -> Vec<Value> {
    visitor.get("/api/v1/runs").await["runs"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_file_with_figures_that_cannot_be_real_is_refused_and_harms_nobody() {
    let server = Home::new(&[]).start_kept().await;
    let me = me(&server);
    let run = me.finished_run().await;
    let (_, export) = me.answer("GET", &format!("/api/v1/runs/{run}/export.jsonl"), None).await;
    let start: Vec<_> = export.lines().take(2).collect();
    let call = |seq: u32, cost: &str| {
        json!({ "run": run, "seq": seq, "at": 1_795_278_804_226_i64, "node": "trader", "body": {
            "kind": "call_finished", "data": { "call": format!("trader:1:{seq}"), "model": "m", "cost": cost,
                "latency_ms": 1 } } })
        .to_string()
    };
    for cost in ["79228162514264337593543950335", "-1000000"] {
        let file = [start[0], start[1], &call(2, "0.01"), &call(3, cost), &call(4, cost)].join("\n");
        let (status, problem) = server.post_text("/api/v1/runs/import", file).await;
        assert_eq!(status, 422, "{problem}");
        assert!(problem["detail"].as_str().unwrap().starts_with("Line 4 of the file"), "{problem}");
    }
    assert_eq!(listed(&me).await.len(), 1);
    assert_eq!(server.text("/healthz").await, "ok");
    me.finished_run().await;
}

#[tokio::test]
async fn a_run_that_cannot_be_read_keeps_no_server_from_starting_and_is_taken_along_and_deleted() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let strange = me(&server).start_run(1).await;
    server.terminate().await;
    let file = home.data().join("pitwall.db");
    change(&file, "update run set summary = '{\"made\":\"tomorrow\"}'").await;
    change(&file, "update block set lines = '{\"made\":\"tomorrow\"}' where first = 2").await;

    let server = home.start().await;
    let me = me(&server);
    let other = me.finished_run().await;
    let runs = listed(&me).await;
    let ids: Vec<_> = runs.iter().map(|run| run["run"].as_str().unwrap()).collect();
    assert_eq!(ids, [&other, &strange]);
    assert!(runs[1]["unreadable"].as_str().unwrap().contains("cannot be read, because"), "{}", runs[1]);
    // What a page cannot read, it cannot show: neither this run nor any beside it.
    for run in runs {
        serde_json::from_value::<protocol::RunSummary>(run).unwrap();
    }
    let path = format!("/api/v1/runs/{strange}");
    let (status, problem) = me.answer("GET", &path, None).await;
    assert_eq!(status, 500);
    assert!(problem.contains("cannot be read") && !problem.contains("backup"), "{problem}");
    let (status, export) = me.answer("GET", &format!("{path}/export.jsonl"), None).await;
    assert_eq!(status, 200);
    assert_eq!(export.lines().nth(2), Some(r#"{"made":"tomorrow"}"#), "as it is stored");
    let browser = me.clone().with("accept", "text/html");
    for page in ["/".to_owned(), "/runs".to_owned(), format!("/runs/{strange}")] {
        let (status, page) = browser.answer("GET", &page, None).await;
        assert_eq!(status, 200, "{page:.500}");
        assert!(page.contains("cannot be read, because"), "{page:.2000}");
    }
    assert_eq!(me.answer("DELETE", &path, None).await.0, 204);
    assert_eq!(listed(&me).await.len(), 1);
}

/// Makes all runs of a data folder runs of a kind that this version does not know.
pub async fn make_unknown(database: &Path) {
    change(
        database,
        "update run set kind = 'council', summary = json_set(summary, \
         '$.title', 'council · made by another version', \
         '$.request.workflow', json('{\"type\":\"council\",\"blueprint\":\"b\"}'))",
    )
    .await;
    change(
        database,
        "update block set lines = json_set(lines, '$.body.data.request.workflow', \
         json('{\"type\":\"council\",\"blueprint\":\"b\"}')) where first = 1",
    )
    .await;
}

#[tokio::test]
async fn a_run_of_a_kind_that_is_not_known_is_listed_shown_exported_and_deleted_but_not_continued() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let strange = me(&server).finished_run().await;
    server.terminate().await;
    make_unknown(&home.data().join("pitwall.db")).await;

    let server = home.start().await;
    let me = me(&server);
    let runs = listed(&me).await;
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["title"], "council · made by another version");
    let path = format!("/api/v1/runs/{strange}");
    assert_eq!(me.get(&path).await["summary"]["request"]["workflow"]["blueprint"], "b");
    let (status, export) = me.answer("GET", &format!("{path}/export.jsonl"), None).await;
    assert_eq!(status, 200);
    assert!(export.contains(r#""blueprint":"b""#), "{export:.1000}");
    let browser = me.clone().with("accept", "text/html");
    for page in ["/runs".to_owned(), format!("/runs/{strange}")] {
        let (status, page) = browser.answer("GET", &page, None).await;
        assert_eq!(status, 200, "{page:.500}");
        assert!(
            page.contains("made by another version") || page.contains("Made by another version"),
            "{page:.2000}"
        );
    }
    let fork = json!({ "point": { "type": "before", "node": "market_analyst" } });
    let (status, refused) = me.answer("POST", &format!("{path}/forks"), Some(&fork)).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(me.answer("DELETE", &path, None).await.0, 204);
    assert_eq!(listed(&me).await.len(), 0);
}

/// What `pitwall serve` opens, in a runtime that can be taken away with the journal's writer in it.
fn opened(folder: &Path) -> (tokio::runtime::Runtime, ServeOptions, Arc<Service>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let line = ["pitwall", "serve", "--no-auth", "--data", folder.to_str().unwrap()];
    let Command::Serve(options) = CommandLine::parse_from(line).command else { panic!("it serves") };
    let lost = tokio::runtime::Runtime::new().unwrap();
    let service = lost.block_on(server::open(&options)).unwrap();
    (lost, *options, service)
}

/// Serves what was opened, and returns its address.
async fn served(options: &ServeOptions, service: Arc<Service>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let access = Access::new(&options.access, server::BasePath::default(), service.accounts.clone(), address)
        .await
        .unwrap();
    let router: Router = server::interfaces(service, access);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn health(address: SocketAddr) -> (u16, String) {
    let answer = HTTP.get(format!("http://{address}/healthz")).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

#[test]
fn healthz_says_that_the_engine_takes_no_more_work() {
    let folder = tempfile::TempDir::new().unwrap();
    let (runtime, options, service) = opened(folder.path());
    runtime.block_on(async {
        let address = served(&options, service.clone()).await;
        assert_eq!(health(address).await, (200, "ok".to_owned()));
        service.engine.shut_down().await;
        assert_eq!(health(address).await, (503, "The server ends and takes no more work.".to_owned()));
    });
}

#[test]
fn healthz_says_that_the_journal_is_dead() {
    let folder = tempfile::TempDir::new().unwrap();
    let (lost, options, service) = opened(folder.path());
    let here = tokio::runtime::Runtime::new().unwrap();
    let address = here.block_on(async {
        let address = served(&options, service).await;
        assert_eq!(health(address).await, (200, "ok".to_owned()));
        address
    });
    lost.shutdown_timeout(Duration::from_secs(20));
    let (status, why) = here.block_on(health(address));
    assert_eq!(status, 503);
    assert!(why.contains("stopped working") && why.contains("start Pitwall again"), "{why}");
}

#[test]
fn a_server_whose_journal_is_dead_ends_and_says_why() {
    let folder = tempfile::TempDir::new().unwrap();
    let (lost, options, service) = opened(folder.path());
    let here = tokio::runtime::Runtime::new().unwrap();
    let site = folder.path().join("site");
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    let (serving, address) = here.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving =
            tokio::spawn(async move { server::serve_opened(&options, service, listener, &site).await });
        let health = HTTP.get(format!("http://{address}/healthz")).send().await.unwrap();
        assert_eq!(health.status(), 200);
        (serving, address)
    });
    lost.shutdown_timeout(Duration::from_secs(20));
    let ended = here.block_on(async { tokio::time::timeout(Duration::from_secs(60), serving).await });
    let why = ended.expect("it ends by itself").unwrap().unwrap_err().to_string();
    assert!(why.contains("stopped working") && why.contains("start Pitwall again"), "{why}");
    assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_backup_of_a_server_at_work_can_be_served() {
    let home = Home::new(&[]);
    home.add_account("local", "owner").await;
    let server = home.start().await;
    let me = server.program_of("local").await;
    let run = me.finished_run().await;
    let at_work = me.start_run(1).await;
    let copy = Home::new(&[]);
    let folder = copy.data();
    let backup = ["backup", folder.to_str().unwrap()];
    let output = pitwall(&backup, &home.data()).await;
    assert!(output.status.success(), "{}", said(&output));
    let again = pitwall(&backup, &home.data()).await;
    assert!(!again.status.success() && said(&again).contains("not touched"), "{}", said(&again));
    let output = pitwall(&["check"], &folder).await;
    assert!(output.status.success() && said(&output).contains("All is well."), "{}", said(&output));

    let restored = copy.start().await;
    let again = restored.program_of("local").await;
    let ids: Vec<_> =
        listed(&again).await.iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [at_work, run]);
}

#[tokio::test]
async fn a_check_that_finds_a_fault_says_so_and_fails_until_it_is_mended() {
    let home = Home::new(&[]);
    let server = home.start().await;
    me(&server).finished_run().await;
    let output = pitwall(&["check", "--repair"], &home.data()).await;
    assert!(!output.status.success() && said(&output).contains("in use"), "{}", said(&output));
    server.terminate().await;
    change(
        &home.data().join("pitwall.db"),
        "update run set summary = replace(summary, 'succeeded', 'failed')",
    )
    .await;
    let output = pitwall(&["check"], &home.data()).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("is not that of its log"), "{}", said(&output));
    let output = pitwall(&["check", "--repair"], &home.data()).await;
    assert!(output.status.success() && said(&output).contains("made anew"), "{}", said(&output));
    assert!(pitwall(&["check"], &home.data()).await.status.success());
    let nowhere = pitwall(&["check"], &home.data().join("nowhere")).await;
    assert!(!nowhere.status.success() && said(&nowhere).contains("There is no file"), "{}", said(&nowhere));
}

#[tokio::test]
async fn runs_that_need_not_be_kept_go_at_the_start_and_those_at_work_stay() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let visitor = me(&server);
    let (old, recent) = (visitor.finished_run().await, visitor.finished_run().await);
    let at_work = visitor.start_run(1).await;
    server.terminate().await;
    let file = home.data().join("pitwall.db");
    change(&file, "update run set finished_at = 1 where id = (select min(id) from run)").await;

    let mut command = home.command();
    command.args(["--keep-runs", "90d"]);
    let server = home.start_as(command).await;
    let visitor = me(&server);
    wait_until_gone(&visitor, &old).await;
    let ids: Vec<_> =
        listed(&visitor).await.iter().map(|run| run["run"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, [at_work.clone(), recent.clone()]);
    server.terminate().await;

    let mut command = home.command();
    command.args(["--keep-bytes", "1kB"]);
    let server = home.start_as(command).await;
    let visitor = me(&server);
    wait_until_gone(&visitor, &recent).await;
    visitor.get(&format!("/api/v1/runs/{at_work}")).await;
    assert_eq!(visitor.get("/api/v1/portfolios").await.as_array().unwrap().len(), 1);
}

/// The server deletes beside its other work.
async fn wait_until_gone(visitor: &Visitor, run: &str) {
    let gone = async {
        while visitor.answer("GET", &format!("/api/v1/runs/{run}"), None).await.0 != 404 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), gone).await.expect("it goes");
}
