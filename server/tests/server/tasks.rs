//! A conversation about a task with the real program, which is killed in the middle of it.

use protocol::{
    Body, Frame, RunId, RunStatus, RunView,
    resolver::{TaskPlan, TaskReport},
};
use serde_json::{Value, json};

use crate::support::{Home, PASSWORD, Server, Visitor, next_frame, read_to_end};

const REQUEST: &str = "Analyze the stock performance of Apple, Google, and Tesla over the last month and summarize the key findings.";

/// Follows a run until an event is as wanted.
async fn until(server: &Server, run: RunId, wanted: impl Fn(&Body) -> bool) {
    let mut socket = server.connect(&format!("/ws/v1/runs/{run}")).await;
    while let Some(frame) = next_frame(&mut socket).await {
        if let Frame::Event(event) = frame
            && wanted(&event.body)
        {
            return;
        }
    }
    panic!("the run has ended before");
}

/// The whole text of a run's last report.
async fn report(server: &Server, view: &RunView) -> String {
    let product = view.products.iter().rev().find(|product| product.holds::<TaskReport>()).unwrap();
    let data = match product.data.whole() {
        Some(data) => data.to_owned(),
        None => {
            let digest = product.data.stored().unwrap();
            server.text(&format!("/api/v1/runs/{}/texts/{digest}", view.summary.run)).await
        }
    };
    serde_json::from_str::<TaskReport>(&data).unwrap().markdown
}

#[tokio::test]
async fn a_task_is_asked_about_while_it_works_outlives_the_server_and_is_refined() {
    let home = Home::new(&[]);
    let server = home.start().await;
    let options = server.get("/api/v1/start-options").await;
    let kinds = options["kinds"].as_array().unwrap();
    let offered = kinds.iter().find(|kind| kind["spec"]["kind"] == "task").unwrap();
    assert_eq!(offered["sample"], json!({ "type": "task", "request": REQUEST }));
    let model = |speed: u32| json!({ "type": "rehearsal", "characters_per_second": speed });
    let run = server.start_run(json!({ "workflow": offered["sample"], "model": model(400) })).await;
    // The steps are at work, side by side.
    until(&server, run, |body| matches!(body, Body::ToolReturned(_))).await;
    let question = json!({ "question": "What is the current status?" });
    let (status, asked) = server.post(&format!("/api/v1/runs/{run}/chat"), question).await;
    assert_eq!(status, 202, "{asked}");
    until(&server, run, |body| matches!(body, Body::ChatAnswered(_))).await;
    server.kill().await;

    let server = home.start().await;
    let view = RunView::fold(&server.events_to_end(run, 0).await).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.summary.result.as_deref(), Some("2 of 4 steps are done"));
    assert_eq!(view.documents::<TaskPlan>().count(), 1);
    let said = view.chats[0].answered.as_ref().unwrap().answer.shown();
    assert!(said.contains("The run stands at") && said.contains("Planner: done"), "{said}");
    let markdown = report(&server, &view).await;
    assert!(markdown.contains("AAPL") && markdown.contains("There are no prices of Google"), "{markdown}");

    let instruction = "Rewrite the summary to focus only on Tesla's stock volatility.";
    let workflow = json!({ "type": "refinement", "of": run, "instruction": instruction });
    let refined = server.start_run(json!({ "workflow": workflow, "model": model(0) })).await;
    let view = RunView::fold(&server.events_to_end(refined, 0).await).unwrap();
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(view.calls.len(), 1, "no step is done again");
    let markdown = report(&server, &view).await;
    assert!(markdown.contains("There are no prices of Tesla") && !markdown.contains("AAPL"), "{markdown}");
    let options: Value = server.get("/api/v1/start-options").await;
    let refinements =
        options["kinds"].as_array().unwrap().iter().find(|kind| kind["spec"]["kind"] == "refinement");
    let reports = refinements.unwrap()["parameters"]["properties"]["of"]["oneOf"].as_array().unwrap().len();
    assert_eq!(reports, 2);
}

#[tokio::test]
async fn a_session_is_taken_along_as_files_of_markdown_and_by_its_owner_alone() {
    let home = Home::bare(&[]);
    for name in ["anna", "bert"] {
        home.add_account(name, "owner").await;
    }
    let server = home.start_kept().await;
    let (anna, bert) = (server.program_of("anna").await, server.program_of("bert").await);
    let start = async |workflow: Value| {
        let model = json!({ "type": "rehearsal", "characters_per_second": 0 });
        let request = json!({ "workflow": workflow, "model": model, "flow": "prices-of-june" });
        let run = anna.post("/api/v1/runs", request).await["run"].as_str().unwrap().to_owned();
        read_to_end(&mut anna.socket(&format!("/ws/v1/runs/{run}")).await.unwrap()).await;
        run
    };
    let task = start(json!({ "type": "task", "request": REQUEST })).await;
    let instruction = "Rewrite the summary to focus only on Tesla's stock volatility.";
    let refined = start(json!({ "type": "refinement", "of": task, "instruction": instruction })).await;

    let file = async |visitor: &Visitor, path: &str| visitor.answer("GET", path, None).await;
    let last = file(&anna, "/api/v1/tasks/prices-of-june/report.md").await;
    assert!(last.0 == 200 && last.1.contains("Tesla") && !last.1.contains("AAPL"), "{last:?}");
    let first = file(&anna, &format!("/api/v1/tasks/prices-of-june/report.md?run={task}")).await;
    assert!(first.0 == 200 && first.1.contains("AAPL"), "{first:?}");
    // A run's id names its session as well.
    let (status, all) = file(&anna, &format!("/api/v1/tasks/{refined}/conversation.md")).await;
    assert_eq!(status, 200, "{all}");
    let places = [REQUEST, "## Report 1", first.1.trim(), instruction, "## Report 2", last.1.trim()]
        .map(|part| all.find(part));
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?} in {all}");
    for path in [
        "/api/v1/tasks/prices-of-june/report.md".to_owned(),
        "/api/v1/tasks/prices-of-june/conversation.md".to_owned(),
        format!("/api/v1/tasks/{task}/report.md"),
    ] {
        assert_eq!(file(&bert, &path).await.0, 404, "{path}");
    }
    assert_eq!(
        file(&anna, &format!("/api/v1/tasks/prices-of-june/report.md?run={}", uuid::Uuid::now_v7())).await.0,
        404
    );

    let browser = server.nobody().sign_in("anna", PASSWORD).await.unwrap();
    let (status, page) = browser.answer("GET", "/tasks/prices-of-june", None).await;
    for words in ["conversation.md", "report.md?run=", "Compare", "Versions"] {
        assert!(status == 200 && page.contains(words), "no “{words}” in {page}");
    }
}
