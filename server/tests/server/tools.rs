//! Tool servers that a settings file names.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};

use crate::support::{Home, PASSWORD, Server, TOKEN};

const KEY: &str = "sk-planted-91c7e3f20b5d4d68";
const ARGUMENT: &str = "argument-planted-55aa01";

/// The real server's script, which `scripts/setup.sh test` installs.
pub fn script() -> String {
    let package = "node_modules/@modelcontextprotocol/server-everything/dist/index.js";
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package);
    assert!(
        script.is_file(),
        "{} is missing. Run `make test`, or scripts/setup.sh test before.",
        script.display()
    );
    script.display().to_string()
}

/// The program that runs it.
pub fn node() -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("node")).find(|file| file.is_file());
    found.expect("node is installed").display().to_string()
}

/// A server that answers, one that is not there, and one that leads nowhere.
fn settings() -> String {
    format!(
        r#"
[tools.everything]
command = "{}"
args = ["{}", "stdio", "{ARGUMENT}"]
env = ["KEY_OF_THE_TEST"]
timeout = 60
most_tools = 5

[tools.gone]
command = "/nowhere/gone"

[tools.remote]
url = "http://127.0.0.1:9/mcp"
key_variable = "KEY_OF_THE_TEST"
"#,
        node(),
        script()
    )
}

fn home_with(settings: &str, variables: &[(&str, String)]) -> Home {
    let home = Home::new(variables);
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    home
}

/// The list, once no server is being started any more.
async fn settled(server: &Server) -> Vec<Value> {
    let waiting = async {
        loop {
            let tools = server.get("/api/v1/tools").await;
            let tools = tools.as_array().expect("a list").clone();
            if tools.iter().all(|tools| tools["state"]["status"] != "starting") {
                return tools;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("each start has its limit")
}

#[tokio::test]
async fn tool_servers_are_listed_with_their_state_and_without_their_keys() {
    let trace = [("KEY_OF_THE_TEST", KEY.to_owned()), ("PITWALL_LOG", "trace".to_owned())];
    let home = home_with(&settings(), &trace);
    let mut command = home.command();
    command.stderr(std::process::Stdio::piped());
    let mut server = home.start_as(command).await;
    let log = server.log();
    let tools = settled(&server).await;
    let names: Vec<_> = tools.iter().map(|tools| tools["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["everything", "gone", "remote"]);
    let [everything, gone, remote] = tools.as_slice() else { panic!("{tools:?}") };

    assert_eq!(everything["reached"], json!({ "by": "program", "file": "node" }));
    assert_eq!(everything["state"]["status"], "ready");
    let echo = json!({ "name": "everything_echo", "description": "Echoes back the input string" });
    assert_eq!((everything["tools"].as_array().unwrap().len(), &everything["tools"][0]), (5, &echo));
    assert_eq!(everything["left_out"], json!(["It offers more than 5 tools; further ones are left out."]));
    assert_eq!((gone["state"]["status"].as_str(), &gone["tools"]), (Some("failed"), &json!([])));
    let reason = gone["state"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("The program gone cannot be started"), "{reason}");
    assert_eq!(remote["reached"], json!({ "by": "network", "host": "127.0.0.1:9" }));
    assert_eq!(remote["state"]["reason"], "Nothing answers at its address.");

    let page = server.program(TOKEN).with("accept", "text/html").answer("GET", "/account", None).await;
    assert!(
        page.1.contains("everything_echo") && page.1.contains("Nothing answers at its address."),
        "{}",
        page.1
    );
    assert!(server.terminate().await.success(), "the programs end with it");
    let seen = [Value::from(tools).to_string(), page.1, log.await.unwrap()];
    for secret in [KEY, ARGUMENT] {
        assert!(seen.iter().all(|text| !text.contains(secret)), "{secret} is shown");
    }
    for file in std::fs::read_dir(home.data()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()), "{}", path.display());
    }
}

#[tokio::test]
async fn every_account_sees_the_tools_and_nobody_else_does() {
    let home = Home::bare(&[]);
    home.add_account("anna", "owner").await;
    home.add_account("vera", "viewer").await;
    let server = home.start().await;
    let anna = server.program_of("anna").await;
    for account in ["anna", "vera"] {
        assert_eq!(server.program_of(account).await.get("/api/v1/tools").await, json!([]), "{account}");
    }
    assert_eq!(server.nobody().answer("GET", "/api/v1/tools", None).await.0, 401);
    // A team's form names those that are the server's own as well.
    let own = anna.post("/rpc/team_tools", json!({})).await;
    assert_eq!(
        (own.as_array().map(Vec::len), &own[0]["name"]),
        (Some(1), &json!("get_stock_prices")),
        "{own}"
    );
    let run = anna.finished_run().await;
    let shared = anna.post(&format!("/api/v1/runs/{run}/shares"), json!({})).await;
    let opened = server.nobody().ask("GET", shared["path"].as_str().unwrap()).send().await.unwrap();
    let guest = server.nobody().with("cookie", &crate::support::set_cookie(&opened).unwrap());
    assert_eq!(guest.answer("GET", &format!("/api/v1/runs/{run}"), None).await.0, 200);
    assert_eq!(guest.answer("GET", "/api/v1/tools", None).await.0, 403);
    assert_ne!(guest.answer("POST", "/rpc/team_tools", Some(&json!({}))).await.0, 200);
    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let page = browser.answer("GET", "/account", None).await;
    assert!(page.1.contains("No tool servers") && page.1.contains("[tools.files]"), "it says how to add one");
}

#[tokio::test]
async fn tool_servers_that_cannot_be_are_refused_with_their_place() {
    for (text, expected) in [
        ("[tools.one]\ncomand = \"/bin/cat\"\n", "comand"),
        ("[tools.One]\ncommand = \"/bin/cat\"\n", "tool server's name"),
        ("[tools.one]\n", "either a command"),
        ("[tools.one]\ncommand = \"/bin/cat\"\nurl = \"https://host/mcp\"\n", "either a command"),
        ("[tools.one]\ncommand = \"/bin/cat\"\nkey_variable = \"KEY\"\n", "either a command"),
        ("[tools.one]\nurl = \"https://host/mcp\"\nenv = [\"KEY\"]\n", "either a command"),
        ("[tools.one]\ncommand = \"cat\"\n", "not an absolute path"),
        ("[tools.one]\ncommand = \"../bin/cat\"\n", "not an absolute path"),
        (
            "[tools.one]\ncommand = \"/bin/cat\"\nenv = [\"VARIABLE_THAT_IS_NOT_SET\"]\n",
            "VARIABLE_THAT_IS_NOT_SET",
        ),
        ("[tools.one]\nurl = \"http://tools.example.com/mcp\"\n", "must begin with https://"),
        ("[tools.one]\nurl = \"https://me:hunter2@host/mcp\"\n", "name where the key is"),
        (
            "[tools.one]\nurl = \"https://host/mcp\"\nkey_variable = \"KEY_THAT_IS_NOT_SET\"\n",
            "KEY_THAT_IS_NOT_SET",
        ),
        ("[tools.one]\ncommand = \"/bin/cat\"\ntimeout = 0\n", "timeout"),
    ] {
        let said = home_with(text, &[]).refusal(&[]).await;
        assert!(said.contains(expected) && !said.contains("hunter2"), "{text}: {said}");
    }
}
