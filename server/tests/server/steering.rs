//! Steering a run through the REST interface of the real program.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, stream};
use protocol::{Body, Event, InputForm, RunId, RunStatus, RunView, trading::Trade};
use serde_json::{Value, json};

use crate::support::{Home, Provider, Server, TOKEN, asking};

fn pipeline() -> Value {
    json!({ "workflow": { "type": "pipeline", "ticker": "LLY", "date": "2022-06-30" }, "flow": "steered" })
}

fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

fn quick() -> Home {
    Home::new(&[("PITWALL_REHEARSAL_SPEED", "0".to_owned())])
}

async fn view(server: &Server, run: RunId) -> RunView {
    serde_json::from_value(server.get(&format!("/api/v1/runs/{run}")).await).unwrap()
}

/// The run once `holds` of it.
async fn view_when(server: &Server, run: RunId, holds: impl Fn(&RunView) -> bool) -> RunView {
    for _ in 0..3000 {
        let view = view(server, run).await;
        if holds(&view) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("run {run} stands as {:?}", view(server, run).await.summary);
}

/// Id and form of what the run asks a person.
async fn asked(server: &Server, run: RunId) -> (String, InputForm) {
    let view = view_when(server, run, |view| view.open_inputs().next().is_some()).await;
    let request = view.open_inputs().next().unwrap().request.clone();
    (request.input.to_string(), request.form)
}

async fn answer(server: &Server, run: RunId, input: &str, answer: Value) -> u16 {
    server.post(&format!("/api/v1/runs/{run}/inputs/{input}"), answer).await.0
}

async fn end(server: &Server, run: RunId) -> RunView {
    RunView::fold(&server.events_to_end(run, 0).await).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_a_run_that_asks_comes_whole_whichever_thread_ends_it() {
    let home = quick();
    let server = home.start().await;
    let approving = server.start_run(with(pipeline(), "approval", json!({ "type": "every" }))).await;
    let questioning = server.start_run(with(pipeline(), "questions", json!(true))).await;
    for run in [approving, questioning] {
        asked(&server, run).await;
        let browser = server.program(TOKEN).with("accept", "text/html");
        let path = format!("/runs/{run}?view=transcript");
        // Of so many at once, some are begun by one thread of the server and dropped by another.
        let pages = (0..100).map(|_| browser.answer("GET", &path, None));
        let pages: Vec<_> = stream::iter(pages).buffer_unordered(8).collect().await;
        for (status, page) in pages {
            assert_eq!(status, 200);
            // Scripts with what the page was made of follow.
            assert!(page.contains("</html>") && page.ends_with("</script>"));
        }
    }
}

/// AgentOS E 15.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_stop_no_call_begins_and_those_in_flight_are_dropped() {
    let (provider, base_url) = Provider::start(Duration::from_millis(200)).await;
    let home = Home::new(&asking(base_url));
    let server = home.start().await;
    let run = server.start_run(pipeline()).await;
    while provider.in_flight() < 4 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let (status, _) = server.post(&format!("/api/v1/runs/{run}/stop"), json!({ "reason": "too dear" })).await;
    assert_eq!(status, 202);
    let asked: u32 = provider.asked().values().sum();
    while provider.in_flight() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let events = server.events_to_end(run, 0).await;
    let Body::RunFinished(finished) = &events.last().unwrap().body else { panic!("an end") };
    assert_eq!(finished.status, RunStatus::Cancelled);
    let stopped = finished.stopped.as_ref().unwrap();
    assert_eq!((stopped.by.as_str(), stopped.reason.as_deref()), ("local", Some("too dear")));
    assert_eq!(provider.asked().values().sum::<u32>(), asked, "a call began after the stop");
}

#[tokio::test]
async fn queued_and_waiting_runs_are_stopped_too() {
    let home = Home::new(&[("PITWALL_CONCURRENT_RUNS", "1".to_owned())]);
    let server = home.start().await;
    let waiting = server.start_run(with(pipeline(), "approval", json!({ "type": "every" }))).await;
    asked(&server, waiting).await;
    let working = server.start_run(pipeline()).await;
    let queued = server.start_run(pipeline()).await;
    view_when(&server, working, |view| view.summary.status == RunStatus::Running).await;
    assert_eq!(view(&server, queued).await.summary.status, RunStatus::Queued);
    for run in [queued, waiting, working] {
        assert_eq!(server.post(&format!("/api/v1/runs/{run}/stop"), json!({})).await.0, 202);
        let view = end(&server, run).await;
        assert_eq!(view.summary.status, RunStatus::Cancelled);
        assert_eq!(view.summary.error.as_deref(), Some("Stopped by you."));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_valid_answer_wins_also_after_a_restart() {
    let home = quick();
    let server = home.start().await;
    let run = server.start_run(with(pipeline(), "questions", json!(true))).await;
    let (input, form) = asked(&server, run).await;
    let InputForm::Choice { options } = form else { panic!("a choice is asked for: {form:?}") };
    server.kill().await;

    let server = home.start().await;
    assert_eq!(asked(&server, run).await.0, input, "the wait survives");
    let nonsense = json!({ "type": "value", "json": "\"whatever\"" });
    assert_eq!(answer(&server, run, &input, nonsense).await, 422);
    let unknown = json!({ "type": "value", "json": "\"x\"" });
    assert_eq!(answer(&server, run, "nobody:1:0", unknown).await, 404);
    let choose = |option: &str| json!({ "type": "value", "json": json!(option).to_string() });
    let (one, other) = tokio::join!(
        answer(&server, run, &input, choose(&options[0])),
        answer(&server, run, &input, choose(&options[1])),
    );
    let mut both = [one, other];
    both.sort_unstable();
    assert_eq!(both, [204, 409]);
    let events = server.events_to_end(run, 0).await;
    let answers = events.iter().filter(|event| matches!(event.body, Body::InputReceived(_))).count();
    assert_eq!(answers, 1);
    assert_eq!(RunView::fold(&events).unwrap().summary.status, RunStatus::Succeeded);
}

fn trades(events: &[Event]) -> Vec<String> {
    let view = RunView::fold(events).unwrap();
    view.documents::<Trade>().map(|trade| format!("{} {}", trade.ticker, trade.quantity)).collect()
}

/// AgentOS 6.A 19.
#[tokio::test]
async fn trades_are_approved_as_the_exact_orders_that_were_shown() {
    let home = quick();
    let server = home.start().await;
    let analysis = server.start_run(pipeline()).await;
    assert_eq!(end(&server, analysis).await.summary.status, RunStatus::Succeeded);
    let portfolio = server.get("/api/v1/portfolios").await[0]["id"].clone();
    let run = server
        .start_run(json!({
            "workflow": { "type": "portfolio", "portfolio": portfolio, "date": "2022-06-30" },
            "flow": "steered",
            "approval": { "type": "nodes", "nodes": ["execute_trades"] },
        }))
        .await;
    let (input, form) = asked(&server, run).await;
    let InputForm::Approval(form) = form else { panic!("{form:?}") };
    let orders: Value = serde_json::from_str(form.subject.unwrap().shown()).unwrap();
    // 10 % of 100,000 at 320.403, halved as the regime is risk-off.
    assert_eq!((&orders[0]["ticker"], &orders[0]["quantity"]), (&json!("LLY"), &json!("15")));

    // Other orders than those on the screen are asked about anew, and the old approval is void.
    let shown = view(&server, run).await;
    let decision = shown.state["pm_decision"].last().unwrap().value.shown().replace("\"15\"", "\"14\"");
    let edited = json!({ "type": "approved", "digest": form.digest, "edits": { "pm_decision": decision } });
    assert_eq!(answer(&server, run, &input, edited).await, 204);
    let (input, changed) = asked(&server, run).await;
    let InputForm::Approval(changed) = changed else { panic!("{changed:?}") };
    assert_ne!(changed.digest, form.digest);
    let stale = json!({ "type": "approved", "digest": form.digest });
    assert_eq!(answer(&server, run, &input, stale).await, 409);
    let fresh = json!({ "type": "approved", "digest": changed.digest });
    assert_eq!(answer(&server, run, &input, fresh).await, 204);
    assert_eq!(trades(&server.events_to_end(run, 0).await), ["LLY 14"]);
}

/// AgentOS 7.2.8.
#[tokio::test(flavor = "multi_thread")]
async fn a_re_run_repeats_nothing_before_its_node_and_is_linked_both_ways() {
    let (provider, base_url) = Provider::start(Duration::ZERO).await;
    let home = Home::new(&asking(base_url));
    let server = home.start().await;
    let origin = server.start_run(pipeline()).await;
    let first = end(&server, origin).await;
    assert_eq!(first.summary.status, RunStatus::Succeeded);
    let before = provider.asked();
    let forks = format!("/api/v1/runs/{origin}/forks");
    let from_trader = json!({ "point": { "type": "before", "node": "trader" }, "approval": { "type": "nodes", "nodes": ["trader"] } });
    let (status, accepted) = server.post(&forks, from_trader.clone()).await;
    assert_eq!(status, 201, "{accepted}");
    let fork: RunId = accepted["run"].as_str().unwrap().parse().unwrap();
    let (input, form) = asked(&server, fork).await;
    let (status, problem) = server.post(&forks, from_trader).await;
    assert_eq!(status, 409, "a second one while the first is at work: {problem}");
    let InputForm::Approval(form) = form else { panic!("{form:?}") };
    answer(&server, fork, &input, json!({ "type": "approved", "digest": form.digest })).await;
    let second = end(&server, fork).await;
    assert_eq!(second.summary.status, RunStatus::Succeeded);

    let again: BTreeMap<_, _> =
        provider.asked().into_iter().filter(|(prompt, n)| before.get(prompt) != Some(n)).collect();
    // The trader, two rounds of three in the risk debate, and the portfolio manager.
    assert_eq!(again.len(), 1 + 2 * 3 + 1, "of {} prompts", before.len());
    assert_eq!(second.summary.origin.as_ref().unwrap().run, origin);
    let linked = server.get(&format!("/api/v1/runs?origin={origin}")).await;
    assert_eq!(linked["runs"][0]["run"], fork.to_string());
    assert_eq!(second.state["market_report"][0].value, first.state["market_report"][0].value);
}

#[tokio::test]
async fn each_phase_is_made_again_with_what_comes_after_it() {
    let home = quick();
    let server = home.start().await;
    let origin = server.start_run(pipeline()).await;
    let first = end(&server, origin).await;
    let phases: Vec<String> = first.nodes.iter().map(|node| node.plan.phase.clone()).collect();
    for phase in ["Analysts", "Debate", "Risk debate"] {
        assert!(phases.iter().any(|name| name == phase), "{phase} is none of {phases:?}");
        let request = json!({ "point": { "type": "phase", "phase": phase } });
        let (status, accepted) = server.post(&format!("/api/v1/runs/{origin}/forks"), request).await;
        assert_eq!(status, 201, "{accepted}");
        let fork: RunId = accepted["run"].as_str().unwrap().parse().unwrap();
        let view = end(&server, fork).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded);
        for node in view.nodes.iter().filter(|node| node.plan.phase == phase && !node.visits.is_empty()) {
            assert!(
                node.visits.iter().any(|visit| !visit.inherited),
                "{:?} was not made again",
                node.plan.id
            );
        }
    }
}

#[tokio::test]
async fn a_reached_budget_ends_the_run_and_a_larger_one_continues_it() {
    let home = quick();
    let server = home.start().await;
    let run = server.start_run(with(pipeline(), "limits", json!({ "tokens": 2000 }))).await;
    let ended = end(&server, run).await;
    assert_eq!(ended.summary.status, RunStatus::Failed);
    assert!(ended.summary.error.as_ref().unwrap().contains("tokens, its limit"), "{:?}", ended.summary.error);
    let larger = json!({ "point": { "type": "end" }, "limits": { "tokens": 1_000_000 } });
    let (status, accepted) = server.post(&format!("/api/v1/runs/{run}/forks"), larger).await;
    assert_eq!(status, 201, "{accepted}");
    let continued: RunId = accepted["run"].as_str().unwrap().parse().unwrap();
    let view = end(&server, continued).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert!(view.nodes.iter().flat_map(|node| &node.visits).any(|visit| visit.inherited));
}

#[tokio::test]
async fn a_node_of_a_run_that_is_not_over_is_told_something() {
    let home = quick();
    let server = home.start().await;
    let run = server.start_run(with(pipeline(), "approval", json!({ "type": "every" }))).await;
    asked(&server, run).await;
    let path = format!("/api/v1/runs/{run}/messages");
    let tell = async |node: &str, content: String| {
        server.post(&path, json!({ "node": node, "content": content })).await
    };
    assert_eq!(tell("trader", "Mind the costs.".into()).await.0, 204);
    let events = server.get(&format!("/api/v1/runs/{run}/events")).await;
    let events: Vec<Event> = serde_json::from_value(events).unwrap();
    let told = events.iter().find_map(|event| match &event.body {
        Body::Told(told) => Some((event.node.clone().unwrap(), told.content.shown().to_owned())),
        _ => None,
    });
    assert_eq!(told, Some(("trader".parse().unwrap(), "Mind the costs.".to_owned())));
    for (node, content, refused) in [
        ("nobody", "Hello?".to_owned(), 404),
        ("Not an id", "Hello?".to_owned(), 422),
        ("trader", "  ".to_owned(), 422),
        ("trader", "x".repeat(64 * 1024 + 1), 422),
    ] {
        assert_eq!(tell(node, content).await.0, refused, "{node}");
    }
    for _ in 1..100 {
        assert_eq!(tell("trader", "Again.".into()).await.0, 204);
    }
    let (status, problem) = tell("trader", "Once more.".into()).await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(server.post(&format!("/api/v1/runs/{run}/stop"), json!({})).await.0, 202);
    end(&server, run).await;
    let (status, problem) = tell("trader", "Too late.".into()).await;
    assert_eq!(status, 409, "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("not active"), "{problem}");
}

#[tokio::test]
async fn a_question_beside_a_run_is_answered_and_does_not_disturb_it() {
    let home = quick();
    let server = home.start().await;
    let run = server.start_run(pipeline()).await;
    let before = end(&server, run).await;
    let question = json!({ "question": "What came of the RSI?" });
    let (status, number) = server.post(&format!("/api/v1/runs/{run}/chat"), question).await;
    assert_eq!(status, 202, "{number}");
    let view = view_when(&server, run, |view| view.chats.iter().any(|chat| chat.answered.is_some())).await;
    assert_eq!(view.state, before.state);
    assert_eq!(view.summary.status, RunStatus::Succeeded);
    assert_eq!(server.post(&format!("/api/v1/runs/{run}/chat"), json!({ "question": "  " })).await.0, 422);
}

#[tokio::test]
async fn an_exported_run_is_the_same_when_it_is_imported() {
    let home = quick();
    let server = home.start().await;
    let run = server.start_run(pipeline()).await;
    let original = end(&server, run).await;
    let file = server.text(&format!("/api/v1/runs/{run}/export.jsonl")).await;
    assert_eq!(file.lines().count(), original.seq() as usize + 1, "a header and every event");

    let (status, accepted) = server.post_text("/api/v1/runs/import", file.clone()).await;
    assert_eq!(status, 201, "{accepted}");
    let imported: RunId = accepted["run"].as_str().unwrap().parse().unwrap();
    let view = view(&server, imported).await;
    assert_eq!(view.summary.imported_from, Some(run));
    assert_eq!(view.summary.totals, original.summary.totals);
    assert_eq!(view.state, original.state);
    assert_eq!(view.products, original.products);
    assert!(view.has_result());
    assert_eq!(
        server.text(&format!("/api/v1/runs/{imported}/export.jsonl")).await.lines().count(),
        file.lines().count()
    );

    let broken = file.replacen("\"seq\":7", "\"seq\":70", 1);
    let (status, problem) = server.post_text("/api/v1/runs/import", broken).await;
    assert_eq!(status, 422);
    assert!(problem["detail"].as_str().unwrap().starts_with("Line 8 "), "{problem}");
    assert_eq!(server.get("/api/v1/runs").await["runs"].as_array().unwrap().len(), 2, "nothing was imported");
}

#[tokio::test]
async fn an_exported_page_holds_the_run_and_asks_for_nothing_else() {
    let home = quick();
    let server = home.start().await;
    let run = server.start_run(pipeline()).await;
    let view = end(&server, run).await;
    let page = server.text(&format!("/api/v1/runs/{run}/export.html")).await;
    for wanted in [run.to_string(), "Market analyst".to_owned(), view.summary.result.unwrap()] {
        assert!(page.contains(&wanted), "{wanted} is missing");
    }
    for reference in ["src=", "<link", "@import", "url(", "<script src"] {
        assert!(!page.contains(reference), "the page asks for something by {reference}");
    }
}
