//! Runs that a run starts.

use std::sync::Arc;

use engine::{Allowance, AnswerForm, Engine, EngineOptions, Graph, Outcome};
use journal::Journal;
use protocol::{
    Answer, Approval, Body, Event, ForkPoint, InputForm, Limits, NewEvent, NodeStatus, Patch, Product,
    ProductTone, RunId, RunRequest, RunStatus, RunView, Standing, Workflow,
};
use serde_json::json;
use uuid::Uuid;

use crate::{stage::*, steering::*};

/// What the run below does.
#[derive(Clone, Copy)]
enum Below {
    Answers,
    Hangs,
    AsksPeople,
    /// The same, with a form that is too long to stand in an event.
    AsksAtLength,
    /// Starts a page, which asks people.
    StartsOneThatAsks,
    AsksOften,
    Fails,
}

fn chapter() -> Workflow {
    Workflow::bare("chapter".parse().unwrap())
}

fn page() -> Workflow {
    Workflow::bare("page".parse().unwrap())
}

/// An essay starts a chapter, and tells of what it has brought forth; a chapter asks the model.
fn graph(request: &RunRequest, below: Below) -> Graph {
    let mut graph = Graph::new();
    if request.workflow == page() {
        graph.node(plan("page", 1), asking(AnswerForm::Text, None, None));
        return graph;
    }
    if request.workflow != chapter() {
        let work = step(|node| {
            Box::pin(async move {
                let sub_run = node.start(chapter()).await?;
                let words: Vec<_> = sub_run.products.iter().map(|product| product.headline.clone()).collect();
                let answer = node.chat(ask(&format!("{:?} {words:?}", sub_run.status))).await?;
                Outcome::default().set("essay", answer.text)
            })
        });
        graph.node(plan("essay", 1), work);
        return graph;
    }
    let work = step(move |node| {
        Box::pin(async move {
            let question = match below {
                Below::Hangs => "hang",
                Below::Fails => "fail",
                Below::StartsOneThatAsks => {
                    node.start(page()).await?;
                    "chapter"
                }
                Below::Answers | Below::AsksPeople | Below::AsksAtLength | Below::AsksOften => "chapter",
            };
            let times = if matches!(below, Below::AsksOften) { 10 } else { 1 };
            let mut headline = String::new();
            for _ in 0..times {
                headline = node.chat(ask(question)).await?.text;
            }
            node.emit(vec![Body::Produced(Product {
                kind: "essay.chapter".parse().unwrap(),
                headline,
                tone: ProductTone::Neutral,
                standing: Standing::Result,
                data: "{}".into(),
            })])
            .await?;
            Ok(Outcome::default())
        })
    });
    let form = match below {
        Below::AsksPeople => Some(AnswerForm::Text),
        Below::AsksAtLength => {
            let schema = json!({ "type": "object", "description": "At length. ".repeat(1000) });
            Some(AnswerForm::object(schema).unwrap())
        }
        _ => None,
    };
    if let Some(form) = form {
        graph.node(plan("question", 1), asking(form, None, None));
        graph.flow(&id("question"), &id("chapter"));
    }
    graph.node(plan("chapter", 1), work);
    graph
}

/// One place, and one run that is accepted.
fn engine(bench: &Bench, journal: &Journal, below: Below) -> Engine {
    let workflows =
        ByRequest { graph: move |request: &RunRequest| graph(request, below), model: bench.model.clone() };
    let options = EngineOptions { concurrent_runs: 1, accepted_runs: 1, ..EngineOptions::default() };
    Engine::new(journal.clone(), Arc::new(workflows), Arc::new(Allowance::default()), options)
}

fn below_of(log: &[Event]) -> Vec<RunId> {
    let started = log.iter().filter_map(|event| match &event.body {
        Body::SubRunStarted(started) => Some(started.run),
        _ => None,
    });
    started.collect()
}

/// The run that this one has started, as soon as it has.
async fn below(journal: &Journal, run: RunId) -> RunId {
    let mut log = journal.subscribe(run, 0).await.unwrap();
    while let Some(events) = log.next().await.unwrap() {
        let events: Vec<_> = events.iter().map(|event| event.decode().unwrap()).collect();
        if let Some(below) = below_of(&events).first() {
            return *below;
        }
    }
    panic!("the run started none")
}

#[tokio::test]
async fn a_run_starts_another_gives_its_place_away_and_goes_on_with_what_that_brought_forth() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::Answers);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(state(&view, "essay"), "echo: Succeeded [\"echo: chapter\"]");
    let child = journal.summary(below(&journal, run).await).await.unwrap().unwrap();
    let parent = child.parent.unwrap();
    assert_eq!((parent.run, parent.call.as_str(), child.owner), (run, "essay:1:1", ada()));
    assert_eq!(bench.calls(), 2);
    // There is room for the next one.
    while engine.active_runs() > 0 {
        tokio::task::yield_now().await;
    }
    engine.start(request(Limits::default()), ada()).await.unwrap();
}

#[tokio::test]
async fn a_stop_ends_what_the_run_has_started_as_well() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::Hangs);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    assert!(engine.stop(run, ada(), Some("enough")).await.unwrap());
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Cancelled);
    let child = journal.summary(below(&journal, run).await).await.unwrap().unwrap();
    assert_eq!(child.status, RunStatus::Cancelled);
    assert_eq!(child.error.as_deref(), Some("Stopped by ada: enough"));
}

#[tokio::test]
async fn a_node_that_fails_beside_a_run_that_it_has_started_ends_that_as_well() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let hanging = bench.model.clone();
    let graph = move |request: &RunRequest| {
        if request.workflow == chapter() {
            return graph(request, Below::Hangs);
        }
        let hanging = hanging.clone();
        let work = step(move |node| {
            let hanging = hanging.clone();
            Box::pin(async move {
                let (started, beside) = (node.lane("started")?, node.lane("beside")?);
                let fails = async {
                    hanging.hanging.notified().await;
                    beside.chat(ask("fail")).await
                };
                futures::future::try_join(started.start(chapter()), fails).await?;
                Ok(Outcome::default())
            })
        });
        let mut graph = Graph::new();
        graph.node(plan("essay", 1), work);
        graph
    };
    let workflows = Arc::new(ByRequest { graph, model: bench.model.clone() });
    let anything = Arc::new(Allowance::default());
    let engine = Engine::new(journal.clone(), workflows, anything, EngineOptions::default());
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Failed);
    let child = journal.summary(below(&journal, run).await).await.unwrap().unwrap();
    assert_eq!(child.status, RunStatus::Cancelled);
    assert!(child.error.unwrap().contains("The run that started this one has ended."));
}

#[tokio::test]
async fn what_a_started_run_asks_people_shows_at_the_one_that_started_it() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::AsksPeople);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = view_when(&journal, run, |view| view.summary.status == RunStatus::Waiting).await;
    let essay = view.node(&id("essay")).unwrap();
    assert_eq!(essay.status, NodeStatus::Waiting);
    assert!(essay.reason.as_ref().unwrap().ends_with("asks: Which way?"), "{:?}", essay.reason);
    let child = below(&journal, run).await;
    assert_eq!(view.summary.waiting_sub_runs, [child].into());
    let open: Vec<_> =
        view.open_asks().map(|ask| (ask.run, ask.node.cloned(), ask.request.clone())).collect();
    assert_eq!(open.len(), 1);
    let (asker, node, asked) = open.into_iter().next().unwrap();
    assert_eq!((asker, node), (child, Some(id("question"))));
    assert_eq!((asked.input.as_str(), asked.form), ("question:1:1", InputForm::Text));
    engine.answer(asker, answer("question:1:1", value(json!("on")))).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.open_asks().count(), 0);
    let outcome = view.sub_runs[0].outcome.as_ref().unwrap();
    assert_eq!((outcome.status, outcome.totals.tokens()), (RunStatus::Succeeded, 15));
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert!(view.summary.waiting_sub_runs.is_empty());
}

#[tokio::test]
async fn what_is_asked_at_length_below_is_a_text_of_both_runs_and_of_no_other() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::AsksAtLength);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = view_when(&journal, run, |view| view.open_asks().count() == 1).await;
    let ask = view.open_asks().next().unwrap();
    let InputForm::Object { schema } = &ask.request.form else { panic!("a form") };
    let digest = schema.stored().unwrap();
    for (run, has) in [(run, true), (ask.run, true), (RunId(Uuid::nil()), false)] {
        let text = journal.text(run, digest).await.unwrap();
        assert_eq!(text.is_some_and(|text| text.contains("At length.")), has, "{run}");
    }
    engine.answer(ask.run, answer("question:1:1", value(json!({})))).await.unwrap();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn what_is_asked_two_runs_below_shows_at_the_top_also_after_a_restart() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let before = engine(&bench, &journal, Below::StartsOneThatAsks);
    let run = before.start(request(Limits::default()), ada()).await.unwrap();
    let asked = async |journal: &Journal| {
        let view = view_when(journal, run, |view| view.open_asks().count() == 1).await;
        let ask = view.open_asks().next().unwrap();
        (ask.run, ask.request.input.clone(), view.sub_runs[0].run)
    };
    let (asker, input, child) = asked(&journal).await;
    assert!(asker != child && asker != run);
    before.shut_down().await;
    let after = engine(&bench, &journal, Below::StartsOneThatAsks);
    assert_eq!(after.resume().await.unwrap(), 3);
    assert_eq!(asked(&journal).await, (asker, input.clone(), child));
    after.answer(asker, answer(input.as_str(), value(json!("on")))).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!((view.summary.status, view.open_asks().count()), (RunStatus::Succeeded, 0));
    let log = journal.whole(run).await.unwrap();
    let asks = log.iter().filter(|event| match &event.body {
        Body::SubRunAwaits(awaits) => !awaits.asks.is_empty(),
        _ => false,
    });
    assert_eq!(asks.count(), 1, "it is not told once more after the restart");
}

#[tokio::test]
async fn a_run_that_pauses_before_every_node_pauses_below_as_well() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::Answers);
    let paused = RunRequest { approval: Approval::Every, ..request(Limits::default()) };
    let run = engine.start(paused, ada()).await.unwrap();
    let shown = open_question(&journal, run, "essay:1:0").await;
    engine.answer(run, answer("essay:1:0", approve(&shown, "essay:1:0"))).await.unwrap();
    let view = view_when(&journal, run, |view| view.open_asks().any(|ask| ask.run != run)).await;
    let ask = view.open_asks().next().unwrap();
    let InputForm::Approval(form) = &ask.request.form else { panic!("an approval") };
    let approved = Answer::Approved { digest: form.digest.clone(), edits: Patch::new() };
    engine.answer(ask.run, answer("chapter:1:0", approved)).await.unwrap();
    assert_eq!(end_of(&journal, run).await.summary.status, RunStatus::Succeeded);
}

#[tokio::test]
async fn pausing_before_every_node_is_switched_on_and_off_for_the_runs_below_as_well() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::StartsOneThatAsks);
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    let view = view_when(&journal, run, |view| view.open_asks().count() == 1).await;
    let (page, chapter) = (view.open_asks().next().unwrap().run, view.sub_runs[0].run);
    engine.set_approval(run, Approval::Every, ada()).await.unwrap();
    let pauses = |view: &RunView| view.approval == Approval::Every;
    for run in [run, chapter, page] {
        view_when(&journal, run, pauses).await;
    }
    let some = Approval::Nodes { nodes: ["chapter".parse().unwrap()].into() };
    engine.set_approval(chapter, some.clone(), ada()).await.unwrap();
    engine.set_approval(run, Approval::Off, ada()).await.unwrap();
    let expected = [(run, Approval::Off), (chapter, some), (page, Approval::Off)];
    for (run, approval) in expected {
        view_when(&journal, run, |view| view.approval == approval).await;
    }
    assert!(engine.stop(run, ada(), None).await.unwrap());
    let log = journal.whole(page).await.unwrap();
    let changes = log.iter().filter(|event| matches!(event.body, Body::ApprovalChanged(_)));
    assert_eq!(changes.count(), 2, "what does not change is not written");
}

#[tokio::test]
async fn the_limits_of_a_run_bound_what_it_has_started_together_with_itself() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = engine(&bench, &journal, Below::AsksOften);
    let limits = Limits { tokens: Some(45), ..Limits::default() };
    let run = engine.start(request(limits), ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Failed);
    assert_eq!(view.summary.error.as_deref(), Some("The run used 45 tokens, its limit."));
    assert_eq!(bench.calls(), 3, "each call costs 15 tokens, and all were made below");
}

#[tokio::test]
async fn a_started_run_that_fails_is_told_and_can_be_made_again_by_a_continued_one() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let run = engine(&bench, &journal, Below::Fails).start(request(Limits::default()), ada()).await.unwrap();
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "what to make of it is the node's decision");
    assert_eq!(state(&view, "essay"), "echo: Failed []");
    let engine = engine(&bench, &journal, Below::Answers);
    let point = ForkPoint::Before { node: id("essay"), visit: 1 };
    let second = engine.fork(run, fork(point), ada()).await.unwrap();
    assert_eq!(state(&end_of(&journal, second).await, "essay"), "echo: Succeeded [\"echo: chapter\"]");
}

#[tokio::test]
async fn both_go_on_after_a_restart_and_nothing_is_started_twice() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let before = engine(&bench, &journal, Below::Hangs);
    let run = before.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    before.shut_down().await;
    // The log has another question, which the program that hung did not get an answer to.
    let after = engine(&bench, &journal, Below::Answers);
    assert_eq!(after.resume().await.unwrap(), 2);
    let view = end_of(&journal, run).await;
    assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
    assert_eq!(below_of(&journal.whole(run).await.unwrap()).len(), 1);
    assert_eq!(bench.calls(), 3, "the one that hung, and the two");
}

#[tokio::test]
async fn a_run_that_is_cut_off_at_any_event_has_started_the_same_run() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let first = engine(&bench, &journal, Below::AsksOften);
    let run = first.start(request(Limits::default()), ada()).await.unwrap();
    let expected = state(&end_of(&journal, run).await, "essay");
    let log = journal.whole(run).await.unwrap();
    for cut in 2..log.len() {
        let run = RunId(Uuid::now_v7());
        let epoch = journal.claim(run).await.unwrap();
        let new =
            |event: &Event| NewEvent { at: event.at, node: event.node.clone(), body: event.body.clone() };
        journal.append(run, epoch, log[..cut].iter().map(new).collect::<Vec<_>>()).await.unwrap();
        let before = bench.calls();
        let engine = engine(&bench, &journal, Below::AsksOften);
        assert_eq!(engine.resume().await.unwrap(), 1);
        let view = end_of(&journal, run).await;
        assert_eq!(view.summary.status, RunStatus::Succeeded, "{:?}", view.summary.error);
        assert_eq!(state(&view, "essay"), expected);
        let had = |is: fn(&Body) -> bool| log[..cut].iter().any(|event| is(&event.body));
        let below = if had(|body| matches!(body, Body::SubRunStarted(_))) { 0 } else { 10 };
        let own = u32::from(!had(|body| matches!(body, Body::CallFinished(_))));
        assert_eq!(bench.calls() - before, below + own, "cut off after event {cut}");
    }
}
