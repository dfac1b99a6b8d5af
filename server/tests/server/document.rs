//! The OpenAPI document says what the interface does.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Home, Server, Visitor};

/// Requests for each operation and kind of data.
const EXAMPLES: &str = "20";
const SEED: &str = "9";

fn source(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/document").join(name)
}

/// A program that `scripts/setup.sh test` installs.
async fn run_tool(command: &mut Command) -> Output {
    let name = command.as_std().get_program().display().to_string();
    let output = command.kill_on_drop(true).output().await;
    output
        .unwrap_or_else(|error| panic!("{name}: {error}. Run `make test`, or scripts/setup.sh test before."))
}

fn assert_success(output: &Output) {
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
}

/// A server with a finished run and a portfolio of an administrator's.
async fn server_with_data() -> (Server, Visitor, Value) {
    let home = Home::bare(&[
        ("PITWALL_REHEARSAL_SPEED", "0".to_owned()),
        // Whatever pace the requests ask for, there is always room for the next run.
        ("PITWALL_CONCURRENT_RUNS", "64".to_owned()),
        ("PITWALL_ACCEPTED_RUNS", "100000".to_owned()),
    ]);
    for name in ["anna", "eve"] {
        home.add_account(name, "administrator").await;
    }
    let document = home.document_of("anna").await;
    let server = home.start_kept().await;
    let anna = server.program_of("anna").await;
    let run = anna.finished_run().await;
    import_of_another_version(&anna, &run).await;
    let portfolio =
        anna.post("/api/v1/portfolios", json!({ "id": "growth", "name": "Growth", "cash": "1000" })).await;
    let log = anna.get(&format!("/api/v1/runs/{run}/events?limit=1000")).await.to_string();
    let digest = log.split("\"digest\":\"").nth(1).expect("a long text").split('"').next().unwrap();
    let kinds = anna.get("/api/v1/document-kinds").await;
    let kind = kinds.as_array().unwrap().iter().find(|kind| kind["kind"] == "team").unwrap();
    let team = json!({ "kind": "team", "title": "Team", "content": kind["template"] });
    let team = anna.post("/api/v1/documents", team).await;
    let data = json!({
        "runs": run,
        "documents": document,
        "teams": team["summary"]["id"],
        "portfolios": portfolio["id"],
        "digests": digest,
    });
    (server, anna, data)
}

/// Imports the run as another version of Pitwall might have made it.
async fn import_of_another_version(anna: &Visitor, run: &str) {
    let (_, file) = anna.answer("GET", &format!("/api/v1/runs/{run}/export.jsonl"), None).await;
    let other = file
        .replace(r#""type":"pipeline""#, r#""type":"council""#)
        .replace(r#""kind":"reported""#, r#""kind":"sung""#);
    assert!(other.contains("council") && other.contains("sung"));
    let imported = anna.ask("POST", "/api/v1/runs/import").body(other).send().await.unwrap();
    assert_eq!(imported.status(), 201, "{}", imported.text().await.unwrap());
}

/// Asks the server what its document allows, and what it does not, and holds the answers against it.
async fn compare(folder: &Path, server: &Server, visitor: &Visitor, filter: &[&str]) {
    let mut command = Command::new("schemathesis");
    command.arg("--config-file").arg(folder.join("schemathesis.toml")).arg("run");
    command.arg(server.url("/api/v1/openapi.json"));
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--checks", "all", "--no-color"]);
    command.args(["--seed", SEED, "--max-examples", EXAMPLES]).args(filter);
    command.arg("--header").arg(format!("Authorization: {}", visitor.shown("authorization")));
    assert_success(&run_tool(command.current_dir(folder)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_interface_does_what_its_document_says() {
    let (server, anna, data) = server_with_data().await;
    let folder = tempfile::TempDir::new().unwrap();
    for name in ["schemathesis.toml", "hooks.py"] {
        std::fs::copy(source(name), folder.path().join(name)).unwrap();
    }
    for (name, value) in data.as_object().unwrap() {
        std::fs::write(folder.path().join(format!("{name}.dict")), format!("{value}\n")).unwrap();
    }
    // Whoever revokes their own token or removes their own account is out: that is for somebody else.
    let fatal = r"^/api/v1/(tokens|accounts)/\{";
    compare(folder.path(), &server, &anna, &["--exclude-path-regex", fatal]).await;
    let eve = server.program_of("eve").await;
    compare(folder.path(), &server, &eve, &["--include-path-regex", fatal]).await;
    assert_eq!(anna.answer("GET", "/healthz", None).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_made_from_the_document_starts_a_run_and_reads_it() {
    let (server, anna, _) = server_with_data().await;
    // Below the repository, so that the packages are found.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("client");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(source("client.ts"), folder.join("client.ts")).unwrap();
    std::fs::write(folder.join("openapi.json"), anna.get("/api/v1/openapi.json").await.to_string()).unwrap();

    let mut make = Command::new("openapi-typescript");
    make.args(["openapi.json", "--output", "schema.d.ts"]).current_dir(&folder);
    assert_success(&run_tool(&mut make).await);
    let mut compile = Command::new("tsc");
    compile.args([
        "--strict",
        "--target",
        "es2022",
        "--module",
        "node16",
        "--esModuleInterop",
        "--types",
        "node",
    ]);
    compile.arg("client.ts").current_dir(&folder);
    assert_success(&run_tool(&mut compile).await);
    let mut run = Command::new("node");
    let token = anna.shown("authorization").trim_start_matches("Bearer ").to_owned();
    run.arg("client.js").env("SERVER", server.url("")).env("TOKEN", token).current_dir(&folder);
    assert_success(&run_tool(&mut run).await);
}
