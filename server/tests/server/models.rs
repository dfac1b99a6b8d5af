//! Models that a settings file names.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use protocol::{Body, Event, RunStatus, RunView, trading::Scan};
use serde_json::{Value, json};

use crate::support::{Home, Provider, TOKEN, asking};

const KEY: &str = "sk-planted-2b8d11c07e5f4a93";

/// Two models at two addresses: one with a key and a price, one without.
fn write_settings(home: &Home, urls: [&str; 2], tiers: &str) {
    std::fs::create_dir_all(home.data()).unwrap();
    let [quick, deep] = urls;
    let text = format!(
        r#"{tiers}
[models.quick_one]
model = "fake-1"
base_url = "{quick}"
key_variable = "KEY_OF_THE_TEST"
requests_at_once = 2
price = {{ input = "1.50", output = "6" }}

[models.deep_one]
model = "fake-deep"
base_url = "{deep}"
retries = 0
silence = 5
"#
    );
    std::fs::write(home.data().join("pitwall.toml"), text).unwrap();
}

fn request(name: &str) -> Value {
    json!({
        "workflow": { "type": "pipeline", "ticker": "LLY", "date": "2022-06-30", "analysts": ["market"] },
        "model": { "type": "profile", "name": name },
    })
}

/// AgentOS E 15.
#[tokio::test]
async fn a_run_is_answered_by_the_model_that_it_names_and_keys_are_shown_to_nobody() {
    let (quick, quick_url) = Provider::start(Duration::ZERO).await;
    let (deep, deep_url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&[("KEY_OF_THE_TEST", KEY.to_owned())]);
    write_settings(&home, [&quick_url, &deep_url], "");
    let server = home.start().await;

    let models = server.text("/api/v1/models").await;
    assert!(!models.contains(KEY), "{models}");
    let models: Value = serde_json::from_str(&models).unwrap();
    let host = |url: &str| url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
    assert_eq!(
        models,
        json!([
            { "name": "deep_one", "models": ["fake-deep"], "host": host(&deep_url), "tiers": [],
              "requests_at_once": 8, "priced": false },
            { "name": "quick_one", "models": ["fake-1"], "host": host(&quick_url), "tiers": [],
              "requests_at_once": 2, "priced": true },
        ])
    );
    let options = server.get("/api/v1/start-options").await;
    assert_eq!(options["profiles"], json!(["deep_one", "quick_one"]));
    assert_eq!(options["configured_model"], Value::Null, "nothing answers runs that name none");

    let run = server.start_run(request("deep_one")).await;
    let log = server.events_to_end(run, 0).await;
    let models: Vec<_> = log
        .iter()
        .filter_map(|event| match &event.body {
            Body::CallStarted(started) => Some(started.model.as_str()),
            _ => None,
        })
        .collect();
    assert!(!models.is_empty() && models.iter().all(|model| *model == "fake-deep"), "{models:?}");
    assert!(quick.asked().is_empty() && !deep.asked().is_empty());

    let (status, problem) = server.post("/api/v1/runs", request("nobody")).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().contains("no model nobody"), "{problem}");
    let page = server.program(TOKEN).with("accept", "text/html").answer("GET", "/account", None).await;
    assert!(page.1.contains("fake-deep") && !page.1.contains(KEY));
    for file in std::fs::read_dir(home.data()).unwrap() {
        let path = file.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()), "{}", path.display());
    }
}

#[tokio::test]
async fn a_model_is_tested_with_one_short_question() {
    let (_, url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&[("KEY_OF_THE_TEST", KEY.to_owned())]);
    // Nobody listens at the second address.
    write_settings(&home, [&url, "http://127.0.0.1:9/v1"], "");
    let server = home.start().await;
    let test = async |name: &str| server.post("/api/v1/models/test", json!({ "name": name })).await;
    let (status, tested) = test("quick_one").await;
    assert_eq!((status, &tested["error"]), (200, &Value::Null), "{tested}");
    assert!(tested["usage"]["tokens_out"].as_u64() > Some(0), "{tested}");
    assert!(tested["cost"].is_string(), "{tested}");
    let (status, tested) = test("deep_one").await;
    assert_eq!(status, 200);
    assert!(tested["error"].as_str().is_some_and(|why| !why.is_empty()), "{tested}");
    assert_eq!(test("nobody").await.0, 404);
}

#[tokio::test]
async fn tiers_are_answered_by_the_models_that_the_settings_name_for_them() {
    let (quick, quick_url) = Provider::start(Duration::ZERO).await;
    let (deep, deep_url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&[("KEY_OF_THE_TEST", KEY.to_owned())]);
    let tiers = "tiers = { quick = \"quick_one\", mid = \"quick_one\", deep = \"deep_one\" }";
    write_settings(&home, [&quick_url, &deep_url], tiers);
    let server = home.start().await;
    assert_eq!(server.get("/api/v1/start-options").await["configured_model"], "fake-deep");
    let mut asked = request("quick_one");
    asked["model"] = json!({ "type": "configured" });
    let run = server.start_run(asked).await;
    let log = server.events_to_end(run, 0).await;
    assert!(
        matches!(&log.last().unwrap().body, Body::RunFinished(end) if end.status == RunStatus::Succeeded)
    );
    assert!(!quick.asked().is_empty() && !deep.asked().is_empty());
}

#[tokio::test]
async fn models_at_one_address_are_sent_together_no_more_at_once_than_the_smallest_setting() {
    let (provider, url) = Provider::start(Duration::from_millis(2)).await;
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    let model = |name: &str, model: &str, at_once: u32| {
        format!("[models.{name}]\nmodel = \"{model}\"\nbase_url = \"{url}\"\nrequests_at_once = {at_once}\n")
    };
    let settings = [model("small_one", "fake-1", 4), model("other_one", "fake-2", 1)].concat();
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start().await;
    let mut runs = Vec::new();
    for name in ["small_one", "other_one", "small_one"] {
        runs.push(server.start_run(request(name)).await);
    }
    for run in runs {
        let log = server.events_to_end(run, 0).await;
        let end = &log.last().unwrap().body;
        assert!(matches!(end, Body::RunFinished(end) if end.status == RunStatus::Succeeded), "{end:?}");
    }
    assert_eq!(provider.most_at_once(), 1);
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_with_their_place() {
    let refusal = async |text: &str, variables: &[(&str, String)]| {
        let home = Home::new(variables);
        std::fs::create_dir_all(home.data()).unwrap();
        std::fs::write(home.data().join("pitwall.toml"), text).unwrap();
        home.refusal(&[]).await
    };
    let model = "[models.one]\nmodel = \"fake-1\"\nbase_url = \"http://127.0.0.1:9/v1\"\n";
    let tiers = "[tiers]\nquick = \"one\"\nmid = \"one\"\ndeep = \"one\"\n";
    for (text, expected) in [
        ("[models.one]\nmodle = \"fake-1\"\n".to_owned(), "modle"),
        ("[models.\"No Name\"]\nmodel = \"a\"\n".to_owned(), "model's name"),
        (format!("{model}key_variable = \"KEY_THAT_IS_NOT_SET\"\n"), "KEY_THAT_IS_NOT_SET"),
        (format!("{model}key_variable = \"A\"\nkey_file = \"b\"\n"), "Leave one of them out"),
        (format!("{model}price = {{ input = \"cheap\", output = \"1\" }}\n"), "cheap"),
        (format!("{model}requests_at_once = 0\n"), "requests_at_once"),
        (format!("{model}{}", tiers.replace("deep = \"one\"", "deep = \"two\"")), "two"),
    ] {
        let said = refusal(&text, &[]).await;
        assert!(said.contains(expected), "{text}: {said}");
    }
    let variables = [
        ("PITWALL_MODEL_BASE_URL", "http://127.0.0.1:9/v1".to_owned()),
        ("PITWALL_MODEL", "fake-1".to_owned()),
    ];
    let said = refusal(&format!("{model}{tiers}"), &variables).await;
    assert!(said.contains("PITWALL_MODEL") && said.contains("[tiers]"), "{said}");
    let missing = Home::new(&[]).refusal(&["--settings", "nowhere.toml"]).await;
    assert!(missing.contains("nowhere.toml") && !Path::new("nowhere.toml").exists(), "{missing}");
}

/// The stocks and models of a run's answered calls, and of those that its fallback answered.
fn answered(log: &[Event]) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut models, mut notes) = (BTreeSet::new(), BTreeSet::new());
    for event in log {
        if let Body::CallFinished(finished) = &event.body {
            models.insert(finished.model.clone());
            notes.extend(finished.fallback_note());
        }
    }
    (models, notes)
}

/// AgentOS 6.A 13, 6.C 26.
#[tokio::test]
async fn a_refusal_by_policy_turns_to_the_fallback_of_its_tier_for_that_stock_alone() {
    let (provider, url) = Provider::start(Duration::ZERO).await;
    let fallbacks = [
        ("PITWALL_MODEL_FALLBACK", "safe-mid".to_owned()),
        ("PITWALL_MODEL_FALLBACK_QUICK", "safe-quick".to_owned()),
        ("PITWALL_MODEL_FALLBACK_DEEP", "safe-deep".to_owned()),
    ];
    let server = Home::new(&[&asking(url)[..], &fallbacks].concat()).start_kept().await;
    // The scan is rehearsed, so that it proposes stocks; what follows in its flow asks the provider.
    let day = "2022-03-31";
    let scan = json!({
        "workflow": { "type": "scan", "date": day, "max_tickers": 3 },
        "flow": "policy", "model": { "type": "rehearsal" },
    });
    let run = server.start_run(scan).await;
    let view = RunView::fold(&server.events_to_end(run, 0).await).unwrap();
    let found = view.products.iter().rfind(|product| product.holds::<Scan>()).expect("a scan");
    let digest = found.data.stored().expect("a long text");
    let found: Scan =
        serde_json::from_str(&server.text(&format!("/api/v1/runs/{run}/texts/{digest}")).await).unwrap();
    let proposed: Vec<_> = found.stocks_to_investigate.iter().map(|stock| stock.ticker.to_string()).collect();
    let (forbidden, allowed) = proposed.split_first().expect("a stock");
    assert!(!allowed.is_empty(), "{forbidden} alone");
    provider.forbid("fake-1", &format!("Stock: {forbidden}"));

    let alone = json!({
        "workflow": { "type": "pipeline", "ticker": forbidden, "date": day }, "flow": "alone",
    });
    let log = server.events_to_end(server.start_run(alone).await, 0).await;
    let view = RunView::fold(&log).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    let (models, notes) = answered(&log);
    assert_eq!(
        models.iter().map(String::as_str).collect::<Vec<_>>(),
        ["safe-deep", "safe-mid", "safe-quick"]
    );
    let note = notes.iter().find(|note| note.contains("safe-deep")).expect("it is said in the log");
    for said in ["in place of fake-1", "refused by its policy", "The prompt was refused."] {
        assert!(note.contains(said), "{note}");
    }
    let manager = view.nodes.iter().find(|node| node.plan.label == "Portfolio manager").expect("the node");
    assert_eq!(manager.fallback.as_ref(), Some(note), "it is seen at the node");

    let auto = json!({
        "workflow": { "type": "auto", "portfolio": "main_portfolio", "date": day, "max_tickers": 3 },
        "flow": "policy",
    });
    let run = server.start_run(auto).await;
    let log = server.events_to_end(run, 0).await;
    let end = &log.last().unwrap().body;
    assert!(matches!(end, Body::RunFinished(end) if end.status == RunStatus::Succeeded), "{end:?}");
    let mut analysed = BTreeMap::new();
    for event in &log {
        let Body::SubRunStarted(started) = &event.body else { continue };
        let log = server.events_to_end(started.run, 0).await;
        if let Body::RunStarted(begun) = &log[0].body
            && let Some(ticker) = begun.request.workflow.text("ticker")
        {
            analysed.insert(ticker.to_owned(), answered(&log).0.into_iter().collect::<Vec<_>>());
        }
    }
    let own = ["fake-1".to_owned()].to_vec();
    let fallen_back = ["safe-deep", "safe-mid", "safe-quick"].map(str::to_owned).to_vec();
    let expected = allowed.iter().map(|ticker| (ticker.clone(), own.clone()));
    assert_eq!(analysed, expected.chain([(forbidden.clone(), fallen_back)]).collect());
}
