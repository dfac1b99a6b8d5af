//! What breaks ends its own run, with a sentence, and nothing else.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use engine::{
    Allowance, AnswerForm, Engine, EngineError, EngineOptions, Graph, NodeError, Outcome, Plan, PlanError,
    Question, State, Work, Workflows,
};
use llm::ChatModel;
use protocol::{
    AccountId, Body, EdgeKind, Heading, Limits, LogLevel, LogLine, NewEvent, NodeStatus, RunId, RunRequest,
    RunStarted, RunStatus, Said, Timestamp, Workflow, WorkflowKind,
};
use serde_json::{Value, json};

use crate::{stage::*, steering::*};

/// `a`, after which a choice that panics decides where to go on.
fn undecidable() -> Graph {
    let mut graph = chain(&["a"]);
    graph.node(plan("b", 1), thinking());
    graph.branch(&id("a"), vec![route("b", EdgeKind::Conditional)], |_, _| panic!("a defect"));
    graph
}

#[tokio::test]
async fn a_choice_that_panics_fails_its_run_and_gives_its_place_back() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let planned = AtomicU32::new(0);
    let options = EngineOptions { concurrent_runs: 8, accepted_runs: 8, ..EngineOptions::default() };
    let engine = bench.engine_with(&journal, options, move || {
        if planned.fetch_add(1, Ordering::SeqCst) < 8 { undecidable() } else { chain(&["a"]) }
    });
    let mut runs = Vec::new();
    for _ in 0..8 {
        runs.push(engine.start(request(Limits::default()), ada()).await.unwrap());
    }
    for run in runs {
        let view = end_of(&journal, run).await;
        assert_eq!(view.summary.status, RunStatus::Failed);
        let error = view.summary.error.unwrap();
        assert!(error.contains("by a defect of Pitwall"), "{error}");
        // The end is in the log a moment before the place is free.
        while engine.live(run).is_some() {
            tokio::task::yield_now().await;
        }
        assert!(matches!(engine.stop(run, ada(), None).await, Err(EngineError::NotActive)));
    }
    let ninth = engine.start(request(Limits::default()), ada()).await.unwrap();
    assert_eq!(end_of(&journal, ninth).await.summary.status, RunStatus::Succeeded);
}

/// Panics when it is to say what it would do.
struct Shy;

#[async_trait::async_trait]
impl Work for Shy {
    async fn run(&self, _: &engine::NodeContext) -> Result<Outcome, NodeError> {
        Ok(Outcome::default())
    }

    fn subject(&self, _: &State) -> Option<Value> {
        panic!("a defect")
    }
}

#[tokio::test]
async fn a_subject_that_panics_fails_its_run_which_can_still_be_seen() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine(&journal, || {
        let mut graph = chain(&["a"]);
        graph.node(plan("shy", 1), Shy).flow(&id("a"), &id("shy"));
        graph
    });
    let run = engine.start(pausing(&["shy"]), ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert!(view.summary.error.unwrap().contains("by a defect of Pitwall"));
    assert_eq!(view.summary.totals.model_calls, 1, "what was used before counts");
}

#[tokio::test]
async fn a_node_that_gives_up_as_if_it_were_stopped_fails_its_run() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let mut graph = Graph::new();
            graph.node(plan("a", 1), step(|_| Box::pin(async { Err(NodeError::Stopped) })));
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert!(view.summary.error.as_ref().unwrap().contains("as if the run were stopped, which it is not"));
    assert_eq!(view.node(&id("a")).unwrap().status, NodeStatus::Failed);
}

/// More than the log takes as one text.
fn too_large() -> String {
    "x".repeat((64 << 20) + 1)
}

#[tokio::test]
async fn what_the_log_refuses_fails_the_node_that_wants_to_write_it() {
    let emitting = step(|node| {
        Box::pin(async move {
            let content = too_large().into();
            node.emit(vec![Body::Said(Said { source: "a".into(), content })]).await?;
            Ok(Outcome::default())
        })
    });
    let leaving = step(|_| Box::pin(async { Outcome::default().set("a", too_large()) }));
    let failing = step(|_| Box::pin(async { Err(NodeError::failed(too_large())) }));
    for (work, why) in [
        (emitting, "can be stored. Shorten it."),
        (leaving, "can be stored. Shorten it."),
        (failing, "A: xxx"),
    ] {
        let work = Arc::new(work);
        let view = Bench::new()
            .run(Limits::default(), move || {
                let work = work.clone();
                let mut graph = Graph::new();
                graph.node(
                    plan("a", 1),
                    step(move |node| {
                        let work = work.clone();
                        Box::pin(async move { (work.0)(node).await })
                    }),
                );
                graph.node(plan("b", 1), note()).flow(&id("a"), &id("b"));
                graph
            })
            .await;
        assert_eq!(view.summary.status, RunStatus::Failed);
        let error = view.summary.error.clone().unwrap();
        assert!(error.contains(why), "{}", &error[..200.min(error.len())]);
        assert_eq!(view.node(&id("a")).unwrap().status, NodeStatus::Failed);
        assert_eq!(view.node(&id("b")).unwrap().status, NodeStatus::Skipped);
    }
}

/// Panics when it is to plan a run of 13 steps, and knows no run of 14.
struct Fragile(Arc<Echo>);

#[async_trait::async_trait]
impl Workflows for Fragile {
    async fn plan(&self, _: RunId, request: &RunRequest, _: &AccountId) -> Result<Plan, PlanError> {
        match request.limits.steps {
            13 => panic!("a defect"),
            14 => Err(PlanError::Refused("There is no such thing any more.".into())),
            _ => Ok(planned(request, chain(&["a"]), self.0.clone())),
        }
    }

    fn knows(&self, kind: &WorkflowKind) -> bool {
        kind.as_str() != "council"
    }

    fn model(&self, _: &RunRequest) -> Arc<dyn ChatModel> {
        self.0.clone()
    }
}

#[tokio::test]
async fn a_run_that_cannot_be_taken_up_keeps_no_other_from_going_on() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let with_steps = |steps| request(Limits { steps, ..Limits::default() });
    let council: Workflow = serde_json::from_value(json!({ "type": "council", "blueprint": "b" })).unwrap();
    let unknown = RunRequest { workflow: council, ..request(Limits::default()) };
    let mut runs = Vec::new();
    // In the order in which they are taken up; only the last one can go on.
    for (number, request) in
        [with_steps(13), with_steps(14), unknown, with_steps(100)].into_iter().enumerate()
    {
        let run = RunId(format!("0197a1b2-0000-7000-8000-00000000000{number}").parse().unwrap());
        let epoch = journal.claim(run).await.unwrap();
        let mut bodies = vec![Body::RunStarted(RunStarted {
            owner: ada(),
            ..RunStarted::new(request, Heading::new("Essay"))
        })];
        bodies.push(Body::NodeAdded(plan("a", 1)));
        let events = bodies.into_iter().map(|body| NewEvent { at: Timestamp(1), node: None, body });
        journal.append(run, epoch, events.collect::<Vec<_>>()).await.unwrap();
        runs.push(run);
    }
    let workflows = Arc::new(Fragile(bench.model.clone()));
    let anything = Arc::new(Allowance::default());
    let engine = Engine::new(journal.clone(), workflows, anything, EngineOptions::default());
    assert_eq!(engine.resume().await.unwrap(), 1);
    assert_eq!(end_of(&journal, runs[3]).await.summary.status, RunStatus::Succeeded);
    let unplannable = end_of(&journal, runs[1]).await;
    assert_eq!(unplannable.summary.status, RunStatus::Failed);
    assert!(unplannable.summary.error.unwrap().contains("There is no such thing any more."));
    for left in [runs[0], runs[2]] {
        let summary = journal.summary(left).await.unwrap().unwrap();
        assert_eq!(summary.status, RunStatus::Queued, "it is left to a version that can go on with it");
        // Until somebody ends it.
        assert!(engine.stop(left, ada(), Some("of no use")).await.unwrap());
        assert_eq!(end_of(&journal, left).await.summary.status, RunStatus::Cancelled);
        assert!(matches!(engine.stop(left, ada(), None).await, Err(EngineError::NotActive)));
    }
}

#[tokio::test]
async fn a_question_beside_a_run_that_meets_a_defect_is_closed_with_a_sentence() {
    struct Broken;

    #[async_trait::async_trait]
    impl ChatModel for Broken {
        fn model(&self, _: protocol::Tier) -> String {
            "broken".into()
        }

        async fn chat(
            &self,
            _: &llm::ChatRequest,
            _: llm::Sink<'_>,
        ) -> Result<llm::ChatAnswer, llm::ChatFailure> {
            panic!("a defect")
        }
    }

    let bench = Bench::new();
    let journal = bench.journal().await;
    let graph = || {
        let mut graph = Graph::new();
        graph.node(plan("a", 1), note());
        graph
    };
    let workflows = Arc::new(Fixed { graph, model: Arc::new(Broken) as Arc<dyn ChatModel> });
    let anything = Arc::new(Allowance::default());
    let engine = Engine::new(journal.clone(), workflows, anything, EngineOptions::default());
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    end_of(&journal, run).await;
    engine.chat(run, "why?", ada()).await.unwrap();
    assert!(chats(&journal, run, 1).await[&1].contains("by a defect of Pitwall"));
}

#[tokio::test]
async fn a_question_whose_text_is_too_long_for_the_log_fails_its_node() {
    let view = Bench::new()
        .run(Limits::default(), || {
            let asking = step(|node| {
                Box::pin(async move {
                    let question = Question {
                        prompt: too_large(),
                        reason: None,
                        form: AnswerForm::Text,
                        patience: None,
                        default: None,
                    };
                    node.ask(question).await.map(|_| Outcome::default())
                })
            });
            let mut graph = Graph::new();
            graph.node(plan("a", 1), asking);
            graph
        })
        .await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert!(view.summary.error.unwrap().contains("Shorten it."));
}

#[tokio::test]
async fn a_choice_that_panics_cuts_no_trade_in_two() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let (begun, go_on) = (Arc::new(tokio::sync::Notify::new()), Arc::new(tokio::sync::Notify::new()));
    let engine = bench.engine(&journal, {
        let (begun, go_on) = (begun.clone(), go_on.clone());
        move || {
            let (begun, go_on) = (begun.clone(), go_on.clone());
            let trade = step(move |node| {
                let (begun, go_on) = (begun.clone(), go_on.clone());
                Box::pin(async move {
                    node.commit(async {
                        begun.notify_one();
                        go_on.notified().await;
                        let line = LogLine { level: LogLevel::Info, message: "traded".into() };
                        node.emit(vec![Body::Logged(line)]).await
                    })
                    .await?;
                    Ok(Outcome::default())
                })
            });
            let mut graph = undecidable();
            graph.node(plan("trade", 1), trade);
            graph
        }
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    begun.notified().await;
    // The choice comes after the answer of `a`.
    view_when(&journal, run, |view| view.summary.totals.model_calls == 1).await;
    go_on.notify_one();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Failed);
    let events = journal.read(run, 0, 1000).await.unwrap();
    assert!(events.iter().any(|event| matches!(&event.body, Body::Logged(line) if line.message == "traded")));
}
