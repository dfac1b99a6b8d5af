//! Keys are used, and stand nowhere.

use std::{os::unix::fs::PermissionsExt, path::Path, process::Stdio};

use axum::{Router, http::HeaderMap, routing::post};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Home, PASSWORD, Provider, TOKEN, read_to_end};

const KEY: &str = "sk-planted-7f3a9c51e2d84b60";

/// A provider that refuses, and shows the key that it was sent in all it says.
async fn indiscreet_provider() -> String {
    let refuse = async |headers: HeaderMap| {
        let shown = headers["authorization"].to_str().unwrap().to_owned();
        (
            axum::http::StatusCode::UNAUTHORIZED,
            json!({ "error": { "message": format!("Incorrect key: {shown}") } }).to_string(),
        )
    };
    let router = Router::new().route("/v1/chat/completions", post(refuse));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}/v1/")
}

/// Every file below a folder, as bytes.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
    }
    all
}

fn contains(text: &[u8], secret: &str) -> bool {
    text.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[tokio::test]
async fn planted_keys_stand_in_no_answer_export_log_trace_or_file() {
    let home = Home::bare(&[
        ("PITWALL_MODEL_BASE_URL", indiscreet_provider().await),
        ("PITWALL_MODEL_KEY", KEY.into()),
        ("PITWALL_MODEL", "fake-1".into()),
        ("PITWALL_LOG", "trace".into()),
    ]);
    home.add_account("anna", "administrator").await;
    let mut command = home.command();
    command.stderr(Stdio::piped());
    let mut server = home.start_as(command).await;
    let log = server.log();
    let made = json!({ "name": "anna", "password": PASSWORD });
    let token = server.nobody().post("/api/v1/tokens", made).await["token"].as_str().unwrap().to_owned();
    let program = server.program(&token);
    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let cookie = browser.shown("cookie").split('=').nth(1).unwrap().to_owned();

    let request = json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30" } });
    let run = program.post("/api/v1/runs", request).await["run"].as_str().unwrap().to_owned();
    let mut socket =
        server.nobody().socket(&format!("/ws/v1/runs/{run}?after=0&token={token}")).await.unwrap();
    let (mut seen, _) = read_to_end(&mut socket).await;
    assert!(seen.iter().any(|frame| frame.contains("Incorrect key")), "the provider's words are passed on");
    let mut stream = program.socket(&format!("/ws/stream/{run}")).await.unwrap();
    seen.extend(read_to_end(&mut stream).await.0);
    let share = program.post(&format!("/api/v1/runs/{run}/shares"), json!({})).await;
    let link = share["path"].as_str().unwrap().to_owned();
    server.nobody().ask("GET", &link).send().await.unwrap();
    for path in [
        "/".to_owned(),
        "/account".to_owned(),
        format!("/runs/{run}"),
        "/api/v1/start-options".to_owned(),
        "/api/v1/runs".to_owned(),
        "/api/v1/shares".to_owned(),
        "/api/v1/tokens".to_owned(),
        "/api/v1/sessions".to_owned(),
        "/api/v1/accounts".to_owned(),
        "/api/v1/tools".to_owned(),
        "/api/v1/openapi.json".to_owned(),
        "/api/run/".to_owned(),
        format!("/api/run/{run}"),
        format!("/api/v1/runs/{run}"),
        format!("/api/v1/runs/{run}/events?limit=1000"),
        format!("/api/v1/runs/{run}/export.jsonl"),
        format!("/api/v1/runs/{run}/export.html"),
    ] {
        let (status, text) = program.answer("GET", &path, None).await;
        assert_eq!(status, 200, "{path}: {text}");
        seen.push(text);
    }
    assert!(server.terminate().await.success());
    let trace = log.await.unwrap();
    assert!(trace.contains("TRACE"), "the log says all it can");

    let secret_of_link = link.trim_start_matches("/s/");
    for secret in [KEY, PASSWORD, &token, &cookie, secret_of_link] {
        assert!(seen.iter().all(|text| !text.contains(secret)), "an answer shows {secret}");
        assert!(!trace.contains(secret), "the log shows {secret}");
        for (name, content) in files(&home.data()) {
            assert!(!contains(&content, secret), "{name} holds {secret}");
        }
    }
}

#[tokio::test]
async fn the_token_of_a_server_without_accounts_is_printed_and_not_logged() {
    let home = Home::new(&[("PITWALL_LOG", "trace".into())]);
    let mut command = home.command();
    command.stderr(Stdio::piped());
    let mut server = home.start_as(command).await;
    let log = server.log();
    server.nobody().ask("GET", &format!("/?token={TOKEN}")).send().await.unwrap();
    server.nobody().socket(&format!("/ws/v1/feed?token={TOKEN}")).await.unwrap();
    server.program(TOKEN).get("/api/v1/runs").await;
    assert!(server.terminate().await.success());
    let trace = log.await.unwrap();
    assert!(!trace.contains(TOKEN));
    assert!(files(&home.data()).iter().all(|(_, content)| !contains(content, TOKEN)));
}

#[tokio::test]
async fn a_key_file_that_others_may_read_is_refused_with_what_to_do() {
    let (provider, base_url) = Provider::start(std::time::Duration::ZERO).await;
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{KEY}\n")).unwrap();
    let settings = [
        ("PITWALL_MODEL_BASE_URL", base_url),
        ("PITWALL_MODEL_KEY_FILE", file.display().to_string()),
        ("PITWALL_MODEL", "fake-1".into()),
    ];
    let home = Home::new(&settings);
    for mode in [0o644, 0o640, 0o660, 0o666] {
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        let why = home.refusal(&[]).await;
        assert!(why.contains("chmod 600") && !why.contains(KEY), "{why}");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let server = home.start().await;
    let request = json!({ "workflow": { "type": "pipeline", "ticker": "AAPL", "date": "2022-06-30", "analysts": ["market"] } });
    let run = server.start_run(request).await;
    server.events_to_end(run, 0).await;
    assert!(!provider.asked().is_empty(), "the key of the file was good for a run");
}
