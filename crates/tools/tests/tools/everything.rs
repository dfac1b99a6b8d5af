//! A real server from npm that has all that the protocol has.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use protocol::ToolStatus;
use serde_json::{Value, json};
use tools::mcp::Limits;

use crate::support::{KEY, Stage, network, on_path, program, wide};

fn script() -> String {
    let package = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package);
    assert!(
        script.is_file(),
        "{} is missing. Run `make test`, or scripts/setup.sh test before.",
        script.display()
    );
    script.to_str().unwrap().to_owned()
}

async fn is_used(stage: &Stage, prefix: &str) {
    let name = |own: &str| format!("{prefix}_{own}");
    let server = stage.until_ready().await;
    let echo = server.tools.iter().find(|tool| tool.name.as_str() == name("echo")).expect("it is listed");
    assert_eq!(echo.description, "Echoes back the input string");
    assert!(server.left_out.is_empty(), "{:?}", server.left_out);
    let specs = stage.offer().await.specs();
    let sum = specs.iter().find(|spec| spec.name == name("get-sum")).expect("it is offered");
    assert_eq!(sum.parameters["properties"]["a"]["type"], "number");

    let outcome = stage.call(&name("echo"), json!({ "message": "Grüße" })).await;
    assert_eq!((outcome.status, outcome.text.as_str()), (ToolStatus::Success, "Echo: Grüße"));
    assert_eq!(outcome.source.as_deref(), Some(prefix));
    let outcome = stage.call(&name("get-sum"), json!({ "a": 2, "b": 40 })).await;
    assert!(outcome.text.contains("42"), "{outcome:?}");
    let said = stage.error(&name("get-sum"), json!({ "a": "two", "b": 40 })).await;
    assert!(said.contains("(at /a)"), "{said}");
    let outcome = stage.call(&name("get-tiny-image"), json!({})).await;
    assert_eq!(outcome.status, ToolStatus::Degraded, "{outcome:?}");
    assert!(outcome.text.contains("image/png was left out"), "{outcome:?}");
}

#[tokio::test]
async fn a_real_server_is_used_through_its_standard_streams() {
    let stage = Stage::new(program("node", on_path("node"), &[&script(), "stdio"], wide()));
    is_used(&stage, "node").await;
    let seen: Value = serde_json::from_str(&stage.call("node_get-env", json!({})).await.text).unwrap();
    assert_eq!(seen["PLANTED_KEY"], "***");
    assert_eq!(seen.get("CARGO_MANIFEST_DIR"), None);
    stage.registry.close().await;
}

#[tokio::test]
async fn a_real_server_that_takes_too_long_is_given_up_and_stays_usable() {
    let limits = Limits { call: Duration::from_secs(2), ..wide() };
    let stage = Stage::new(program("node", on_path("node"), &[&script(), "stdio"], limits));
    let slow = json!({ "duration": 3600, "steps": 1 });
    let said = stage.error("node_trigger-long-running-operation", slow).await;
    assert!(said.contains("gave no result within 2 seconds"), "{said}");
    let outcome = stage.call("node_echo", json!({ "message": "still here" })).await;
    assert_eq!(outcome.text, "Echo: still here");
    stage.registry.close().await;
}

/// The server, listening.
struct Listening(Child);

impl Listening {
    fn at(port: u16) -> Self {
        let mut command = Command::new(on_path("node"));
        command.arg(script()).arg("streamableHttp").env("PORT", port.to_string());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_real_server_is_used_over_http_and_found_again_after_it_was_away() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let stage = Stage::new(network(&format!("http://127.0.0.1:{port}/mcp"), Some(KEY.into()), wide()));
    assert_eq!(stage.until_failed().await, "Nothing answers at its address.");
    let listening = Listening::at(port);
    stage.until_ready().await;
    is_used(&stage, "remote").await;

    let tools = stage.offer().await;
    drop(listening);
    let outcome = tools.call("remote_echo", &json!({ "message": "anybody" })).await;
    assert_eq!(outcome.status, ToolStatus::Error, "{outcome:?}");
    stage.until_failed().await;
    let outcome = tools.call("remote_echo", &json!({ "message": "anybody" })).await;
    assert!(outcome.text.contains("cannot be asked now. Nothing answers at its address."), "{outcome:?}");
    let _listening = Listening::at(port);
    stage.until_ready().await;
    let outcome = tools.call("remote_echo", &json!({ "message": "back" })).await;
    assert_eq!(outcome.text, "Echo: back");
    stage.registry.close().await;
}
