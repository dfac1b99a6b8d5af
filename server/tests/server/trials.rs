//! Trials: one step of a finished run made again, several times and with something changed.

use std::{collections::BTreeMap, time::Duration};

use protocol::{Body, Event, RunId, RunStatus, RunView};
use serde_json::{Value, json};

use crate::support::{Home, Provider, Server, asking};

const FLOW: &str = "tried";

async fn finished(server: &Server, workflow: Value) -> RunId {
    let run = server.start_run(json!({ "workflow": workflow, "flow": FLOW })).await;
    let log = server.events_to_end(run, 0).await;
    assert_eq!(RunView::fold(&log).unwrap().summary.status, RunStatus::Succeeded);
    run
}

fn pipeline() -> Value {
    json!({ "type": "pipeline", "ticker": "LLY", "date": "2022-06-30", "analysts": ["market"] })
}

/// Starts trials, and waits until all of them have ended; their own events, without what they took over.
async fn tried(server: &Server, run: RunId, request: Value) -> Vec<(RunId, Vec<Event>)> {
    let (status, started) = server.post(&format!("/api/v1/runs/{run}/trials"), request).await;
    assert_eq!(status, 201, "{started}");
    assert_eq!(started["refused"], Value::Null, "{started}");
    let mut trials = Vec::new();
    for trial in started["runs"].as_array().unwrap() {
        let trial: RunId = trial.as_str().unwrap().parse().unwrap();
        let log = server.events_to_end(trial, 0).await;
        let Body::RunStarted(begun) = &log[0].body else { panic!("a start") };
        let through = begun.origin.as_ref().expect("it continues another run").through;
        trials.push((trial, log.into_iter().filter(|event| event.seq > through).collect()));
    }
    trials
}

/// How often each node was visited, and how often it asked a model.
fn work(events: &[Event]) -> BTreeMap<String, (u32, u32)> {
    let mut work = BTreeMap::<String, (u32, u32)>::new();
    for event in events {
        let Some(node) = &event.node else { continue };
        match event.body {
            Body::NodeStarted(_) => work.entry(node.to_string()).or_default().0 += 1,
            Body::CallStarted(_) => work.entry(node.to_string()).or_default().1 += 1,
            _ => {}
        }
    }
    work
}

fn worked(node: &str) -> BTreeMap<String, (u32, u32)> {
    BTreeMap::from([(node.to_owned(), (1, 1))])
}

async fn report(server: &Server, run: RunId, node: &str, visit: u32) -> Value {
    server.get(&format!("/api/v1/runs/{run}/trials?node={node}&visit={visit}")).await
}

#[tokio::test]
async fn a_step_is_made_again_with_other_prompts_and_its_results_stand_beside_the_first() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let server = home.start().await;
    let run = finished(&server, pipeline()).await;
    let before = report(&server, run, "portfolio_manager", 1).await;
    let prompt = before["step"]["prompt"].as_array().unwrap();
    let roles: Vec<_> = prompt.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user"]);
    assert_eq!(before["trials"], json!([]));

    let other = "You are the portfolio manager. Answer with the object that is asked for.";
    let request = json!({
        "node": "portfolio_manager",
        "times": 2,
        "variants": [{}, { "prompt": [{ "message": 0, "text": other }] }, { "temperature": 0.2, "tier": "quick" }],
    });
    let trials = tried(&server, run, request).await;
    assert_eq!(trials.len(), 6);
    for (trial, events) in &trials {
        assert_eq!(work(events), worked("portfolio_manager"), "{trial}: only the step is made");
        let Some(Body::RunFinished(end)) = events.last().map(|event| &event.body) else { panic!("an end") };
        assert_eq!((end.status, &end.error), (RunStatus::Succeeded, &None));
    }

    let after = report(&server, run, "portfolio_manager", 1).await;
    assert_eq!(after["step"], before["step"], "the run stays as it was");
    let mut told = Vec::new();
    for trial in after["trials"].as_array().unwrap() {
        let number = |name: &str| trial[name].as_u64().unwrap();
        told.push((trial["name"].as_str().unwrap(), number("number"), number("of")));
    }
    assert_eq!(told, [("A", 1, 2), ("A", 2, 2), ("B", 1, 2), ("B", 2, 2), ("C", 1, 2), ("C", 2, 2)]);
    let first = &before["step"]["outcome"];
    for trial in after["trials"].as_array().unwrap() {
        let outcome = &trial["outcome"];
        assert_eq!(trial["status"], "succeeded", "{trial}");
        assert_eq!(outcome["calls"], 1);
        assert_eq!(outcome["cost"], "0", "the rehearsal costs nothing");
        // The rehearsal reads the facts alone, so that it answers the same whatever else it is told.
        assert_eq!(outcome["products"][0]["headline"], first["products"][0]["headline"]);
        let tokens = |outcome: &Value| outcome["usage"]["tokens_in"].as_u64().unwrap();
        match trial["name"].as_str().unwrap() {
            "B" => assert!(tokens(outcome) < tokens(first), "it was asked with the shorter text"),
            _ => assert_eq!(tokens(outcome), tokens(first)),
        }
    }
    // What was asked stands in the trial's log as it was asked.
    let asked = server.text(&format!("/api/v1/runs/{}/events?limit=1000", trials[2].0)).await;
    assert!(asked.contains(other), "the changed text is in the log");

    // Nobody else takes a trial for a run of the flow.
    let flow = server.get(&format!("/api/v1/runs?flow={FLOW}&kind=pipeline")).await;
    assert_eq!(flow["runs"].as_array().unwrap().len(), 1);
    let (_, refused) = server.post("/api/v1/runs", json!({ "workflow": { "type": "trial" } })).await;
    assert!(refused["detail"].as_str().unwrap().contains("started from a step"), "{refused}");
}

#[tokio::test]
async fn a_trial_asks_the_provider_that_step_alone_with_the_temperature_and_the_visit_that_were_asked_for() {
    let (provider, url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&asking(url));
    let server = home.start().await;
    let run = finished(&server, pipeline()).await;
    let asked = provider.asked();
    assert!(provider.temperatures().is_empty(), "a run asks for none");

    // The second round of a debate, which others would follow.
    let request =
        json!({ "node": "bull_researcher", "visit": 2, "times": 3, "variants": [{ "temperature": 0.7 }] });
    let trials = tried(&server, run, request).await;
    for (trial, events) in &trials {
        assert_eq!(work(events), worked("bull_researcher"), "{trial}");
    }
    assert_eq!(provider.temperatures(), [0.7, 0.7, 0.7]);
    let more: Vec<u32> = provider
        .asked()
        .iter()
        .map(|(prompt, times)| times - asked.get(prompt).copied().unwrap_or_default())
        .filter(|more| *more > 0)
        .collect();
    assert_eq!(more, [3], "the prompt of that visit, as often as it was tried, and no other");

    // One of several that a step waits for: what waits is not begun with a part.
    let portfolio = json!({ "type": "portfolio", "portfolio": "main_portfolio", "date": "2022-06-30" });
    let portfolio = finished(&server, portfolio).await;
    let summaries = tried(&server, portfolio, json!({ "node": "macro_summary", "variants": [{}] })).await;
    assert_eq!(work(&summaries[0].1), worked("macro_summary"));
}

#[tokio::test]
async fn the_cost_of_trials_is_estimated_from_the_recorded_calls_or_unknown_with_a_reason() {
    let (_provider, url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&asking(url.clone()));
    std::fs::create_dir_all(home.data()).unwrap();
    let settings = format!(
        "[models.priced]\nmodel = \"fake-1\"\nbase_url = \"{url}\"\nprice = {{ input = \"1.50\", output = \"6\" }}\n"
    );
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start().await;
    let run = finished(&server, pipeline()).await;
    let step = report(&server, run, "trader", 1).await["step"]["outcome"].clone();
    let tokens = |name: &str| step["usage"][name].as_u64().unwrap();

    let variants = json!([{ "model": { "type": "profile", "name": "priced" } }, {}]);
    let estimate = json!({ "node": "trader", "times": 4, "variants": variants });
    let (status, estimate) = server.post(&format!("/api/v1/runs/{run}/trials/estimate"), estimate).await;
    assert_eq!(status, 200, "{estimate}");
    // US dollars a million tokens: 1.50 in and 6 out; in millionths of a cent, so that it is exact.
    let exact = tokens("tokens_in") * 150 + tokens("tokens_out") * 600;
    let priced: f64 = estimate["variants"][0]["cost"].as_str().unwrap().parse().unwrap();
    assert_eq!((priced * 1e8).round() as u64, exact, "{estimate}");
    assert_eq!(estimate["variants"][1]["cost"], Value::Null);
    assert_eq!(estimate["variants"][1]["unknown"], "The price of fake-1 is not known.");
    assert_eq!(
        (&estimate["trials"], &estimate["calls"], &estimate["total"]),
        (&json!(8), &json!(1), &Value::Null)
    );

    let variants = json!([{ "model": { "type": "profile", "name": "priced" } }]);
    let request = json!({ "node": "trader", "times": 4, "variants": variants });
    let (_, estimate) = server.post(&format!("/api/v1/runs/{run}/trials/estimate"), request.clone()).await;
    let total: f64 = estimate["total"].as_str().unwrap().parse().unwrap();
    assert_eq!((total * 1e8).round() as u64, exact * 4, "{estimate}");
    let untried = report(&server, run, "trader", 1).await;
    assert_eq!(untried["trials"], json!([]), "an estimate starts nothing");
    for (trial, events) in tried(&server, run, request).await {
        assert_eq!(work(&events), worked("trader"), "{trial}");
    }
    let costs = report(&server, run, "trader", 1).await;
    let cost: f64 = costs["trials"][0]["outcome"]["cost"].as_str().unwrap().parse().unwrap();
    assert_eq!((cost * 1e8).round() as u64, exact, "what it cost is what was estimated: {costs}");
}

#[tokio::test]
async fn a_step_that_asks_a_model_of_its_own_is_estimated_at_that_models_price() {
    let (_provider, url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&[]);
    std::fs::create_dir_all(home.data()).unwrap();
    let named = |name: &str, input: &str| {
        format!(
            "[models.{name}]\nmodel = \"fake-{name}\"\nbase_url = \"{url}\"\n\
             price = {{ input = \"{input}\", output = \"6\" }}\n"
        )
    };
    let settings = [named("usual", "1.50"), named("own", "30")].concat();
    std::fs::write(home.data().join("pitwall.toml"), settings).unwrap();
    let server = home.start().await;
    let agent =
        |name: &str| json!({ "name": name, "role": { "kind": "assistant", "system_message": "Write." } });
    let mut second = agent("second");
    second["role"]["profile"] = json!("own");
    let team = json!({ "name": "Two", "conduct": { "kind": "round_robin" }, "max_turns": 2,
        "participants": [agent("first"), second] });
    let document = json!({ "kind": "team", "title": "Two", "content": { "version": 1, "team": team } });
    let (_, made) = server.post("/api/v1/documents", document).await;
    let workflow = json!({ "type": "team", "team": made["summary"]["id"], "task": "Write." });
    let usual = json!({ "type": "profile", "name": "usual" });
    let run = server.start_run(json!({ "workflow": workflow, "model": usual })).await;
    let log = server.events_to_end(run, 0).await;
    let of_second =
        |event: &&Event| matches!(&event.body, Body::CallStarted(call) if call.model == "fake-own");
    let node =
        log.iter().find(of_second).and_then(|event| event.node.clone()).expect("it asked its own model");
    let node = node.to_string();
    let step = report(&server, run, &node, 1).await["step"]["outcome"].clone();
    let tokens = |name: &str| step["usage"][name].as_u64().unwrap();

    let variants = json!([{}, { "model": usual }]);
    let estimate = json!({ "node": node, "times": 1, "variants": variants });
    let (status, estimate) = server.post(&format!("/api/v1/runs/{run}/trials/estimate"), estimate).await;
    assert_eq!(status, 200, "{estimate}");
    // US dollars a million tokens, in millionths of a cent.
    for (place, model, input) in [(0, "fake-own", 3000), (1, "fake-usual", 150)] {
        let variant = &estimate["variants"][place];
        assert_eq!(variant["models"], json!([model]));
        let cost: f64 = variant["cost"].as_str().unwrap().parse().unwrap();
        let exact = tokens("tokens_in") * input + tokens("tokens_out") * 600;
        assert_eq!((cost * 1e8).round() as u64, exact, "{estimate}");
    }
    let own: f64 = estimate["variants"][0]["cost"].as_str().unwrap().parse().unwrap();
    let recorded: f64 = step["cost"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        (own * 1e8).round(),
        (recorded * 1e8).round(),
        "what the step cost is what a trial of it would"
    );
}

#[tokio::test]
async fn what_cannot_be_tried_is_refused_with_what_to_do() {
    let home = Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())]);
    let server = home.start().await;
    let run = finished(&server, pipeline()).await;
    let refused = async |request: Value| {
        let (status, problem) = server.post(&format!("/api/v1/runs/{run}/trials"), request).await;
        (status, problem["detail"].as_str().unwrap().to_owned())
    };
    let all = json!([{}, {}, {}]);
    let cases = [
        (json!({ "node": "trader", "variants": all, "times": 7 }), 422, "more than 20 trials"),
        (json!({ "node": "trader", "variants": [] }), 422, "Name a variant"),
        (json!({ "node": "nobody", "variants": [{}] }), 404, "no node \"nobody\""),
        (json!({ "node": "trader", "visit": 2, "variants": [{}] }), 409, "has not ended visit 2"),
        (json!({ "node": "screen", "variants": [{}] }), 409, "asked no model"),
        (json!({ "node": "trader", "variants": [{ "temperature": 3 }] }), 422, "0 to 2"),
        (
            json!({ "node": "trader", "variants": [{ "prompt": [{ "message": 9, "text": "x" }] }] }),
            422,
            "none at the place 9",
        ),
        (
            json!({ "node": "trader", "variants": [{ "prompt": [{ "message": 0, "text": "x".repeat(40_000) }] }] }),
            422,
            "too long for a trial",
        ),
        (
            json!({ "node": "trader", "variants": [{ "model": { "type": "profile", "name": "nobody" } }] }),
            422,
            "name no model nobody",
        ),
    ];
    for (request, code, words) in cases {
        let (status, detail) = refused(request.clone()).await;
        assert!(status == code && detail.contains(words), "{request:.200}: {status} {detail}");
    }
    assert_eq!(
        server.get(&format!("/api/v1/runs/{run}/trials")).await,
        json!({ "trials": [], "more": false })
    );

    let trials = tried(&server, run, json!({ "node": "trader", "variants": [{}] })).await;
    let request = json!({ "node": "trader", "variants": [{}] });
    let (_, problem) = server.post(&format!("/api/v1/runs/{}/trials", trials[0].0), request).await;
    assert!(problem["detail"].as_str().unwrap().contains("A trial cannot be tried"), "{problem}");
}
