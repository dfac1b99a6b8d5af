//! Who is accepted, who is served next, and that people are heard meanwhile.

use std::time::Duration;

use engine::{AnswerForm, EngineError, EngineOptions, Full, Graph, Outcome, Question};
use futures::future::join_all;
use protocol::{AccountId, Approval, Limits, RunStatus};
use serde_json::json;
use tokio::time::timeout;

use crate::{stage::*, steering::*};

fn bob() -> AccountId {
    "bob".parse().unwrap()
}

/// Hangs in a call.
fn hanging() -> Step {
    step(|node| Box::pin(async move { node.chat(ask("hang")).await.map(|_| Outcome::default()) }))
}

fn one(work: Step) -> Graph {
    let mut graph = Graph::new();
    graph.node(plan("a", 1), work);
    graph
}

fn one_place() -> EngineOptions {
    EngineOptions { concurrent_runs: 1, ..EngineOptions::default() }
}

/// What a person does is done within a second, whatever the run waits for.
async fn soon<T>(act: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(1), act).await.expect("an answer within a second")
}

#[tokio::test]
async fn the_mode_of_a_queued_run_changes_at_once_and_it_can_be_stopped() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine_with(&journal, one_place(), || one(hanging()));
    let first = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    let second = engine.start(request(Limits::default()), ada()).await.unwrap();
    let third = engine.start(request(Limits::default()), ada()).await.unwrap();
    soon(engine.set_approval(second, Approval::Every, ada())).await.unwrap();
    assert_eq!(engine.place_in_queue(second), Some(1), "it keeps its place");
    assert!(soon(engine.stop(third, ada(), None)).await.unwrap());
    assert!(soon(engine.stop(first, ada(), None)).await.unwrap());
    // It has the place now, and pauses as it was told.
    open_question(&journal, second, "a:1:0").await;
    assert!(soon(engine.stop(second, ada(), None)).await.unwrap());
}

#[tokio::test]
async fn a_resumed_run_takes_an_answer_while_others_have_all_the_places() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let graph = |asks: bool| {
        let mut graph = Graph::new();
        let question = step(|node| {
            Box::pin(async move {
                let answer = node
                    .ask(Question {
                        prompt: "Which way?".into(),
                        reason: None,
                        form: AnswerForm::Text,
                        patience: None,
                        default: None,
                    })
                    .await?;
                Outcome::default().set("answer", answer)
            })
        });
        graph.node(plan("a", 1), if asks { question } else { hanging() });
        graph
    };
    // Which graph a run has is fixed by its limits, so that it is the same after the restart.
    let workflows = |model: std::sync::Arc<Echo>| {
        std::sync::Arc::new(ByRequest {
            graph: move |request: &protocol::RunRequest| graph(request.limits.steps == 7),
            model,
        })
    };
    let open = |options| {
        let anything = std::sync::Arc::new(engine::Allowance::default());
        engine::Engine::new(journal.clone(), workflows(bench.model.clone()), anything, options)
    };
    let engine = open(EngineOptions { concurrent_runs: 2, ..EngineOptions::default() });
    let busy = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    let asking = engine.start(request(Limits { steps: 7, ..Limits::default() }), ada()).await.unwrap();
    open_question(&journal, asking, "a:1:1").await;
    engine.shut_down().await;

    let engine = open(one_place());
    assert_eq!(engine.resume().await.unwrap(), 2);
    bench.model.hanging.notified().await;
    // Each run is resumed in a task of its own, so that this one may come to the queue a moment later.
    let queued = async {
        while engine.place_in_queue(asking) != Some(1) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), queued).await.expect("the only place is taken, and it waits");
    soon(engine.answer(asking, answer("a:1:1", value(json!("left"))))).await.unwrap();
    assert_eq!(engine.place_in_queue(asking), Some(1));
    engine.stop(busy, ada(), None).await.unwrap();
    let view = end_of(&journal, asking).await;
    assert_eq!((view.summary.status, state(&view, "answer")), (RunStatus::Succeeded, json!("left")));
}

#[tokio::test]
async fn a_run_that_comes_back_from_a_pause_keeps_its_turn_when_its_mode_changes() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine_with(&journal, one_place(), || {
        let mut graph = chain(&["first"]);
        graph.node(plan("a", 1), hanging()).flow(&id("first"), &id("a"));
        graph
    });
    let paused = engine.start(pausing(&["a"]), ada()).await.unwrap();
    let shown = open_question(&journal, paused, "a:1:0").await;
    let busy = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    soon(engine.answer(paused, answer("a:1:0", approve(&shown, "a:1:0")))).await.unwrap();
    while engine.place_in_queue(paused).is_none() {
        tokio::task::yield_now().await;
    }
    let behind = engine.start(request(Limits::default()), bob()).await.unwrap();
    while engine.place_in_queue(behind).is_none() {
        tokio::task::yield_now().await;
    }
    for mode in [Approval::Every, Approval::Off] {
        soon(engine.set_approval(paused, mode, ada())).await.unwrap();
        assert_eq!((engine.place_in_queue(paused), engine.place_in_queue(behind)), (Some(1), Some(2)));
    }
    for run in [busy, behind, paused] {
        engine.stop(run, ada(), None).await.unwrap();
    }
}

#[tokio::test]
async fn one_account_cannot_take_what_is_left_for_others() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let options = EngineOptions { accepted_runs: 5, accepted_runs_per_account: 3, ..one_place() };
    let engine = bench.engine_with(&journal, options, || one(hanging()));
    let starts = (0..20).map(|_| engine.start(request(Limits::default()), ada()));
    let (accepted, refused): (Vec<_>, Vec<_>) = join_all(starts).await.into_iter().partition(Result::is_ok);
    assert_eq!((accepted.len(), refused.len()), (3, 17), "also of requests at once");
    for refused in refused {
        assert!(matches!(refused, Err(EngineError::Full(Full::Account(3)))));
    }
    engine.start(request(Limits::default()), bob()).await.unwrap();
    engine.start(request(Limits::default()), bob()).await.unwrap();
    let refused = engine.start(request(Limits::default()), bob()).await;
    assert!(matches!(refused, Err(EngineError::Full(Full::Server(5)))));
    // A run that ends makes room for another one of its account.
    let first = accepted.into_iter().next().unwrap().unwrap();
    engine.stop(first, ada(), None).await.unwrap();
    engine.start(request(Limits::default()), ada()).await.unwrap();
    engine.shut_down().await;
}

#[tokio::test]
async fn a_run_that_is_refused_takes_no_room() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let options = EngineOptions { accepted_runs: 1, ..one_place() };
    let wrong = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let engine = bench.engine_with(&journal, options, {
        let wrong = wrong.clone();
        move || {
            let mut graph = one(hanging());
            if wrong.load(std::sync::atomic::Ordering::SeqCst) {
                graph.flow(&id("a"), &id("nowhere"));
            }
            graph
        }
    });
    for _ in 0..3 {
        let refused = engine.start(request(Limits::default()), ada()).await;
        assert!(matches!(refused, Err(EngineError::Graph(_))));
    }
    wrong.store(false, std::sync::atomic::Ordering::SeqCst);
    engine.start(request(Limits::default()), ada()).await.unwrap();
    engine.shut_down().await;
}

#[tokio::test]
async fn runs_that_wait_for_people_leave_room_for_others_up_to_a_bound_of_their_own() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let options = EngineOptions { accepted_runs: 1, waiting_runs_per_account: 3, ..EngineOptions::default() };
    let engine = bench.engine_with(&journal, options, || one(asking(AnswerForm::Text, None, None)));
    let mut waiting = Vec::new();
    for _ in 0..3 {
        // The one before makes room when it has begun to wait, a moment after its question is shown.
        let run = loop {
            match engine.start(request(Limits::default()), ada()).await {
                Ok(run) => break run,
                Err(EngineError::Full(Full::Server(1))) => tokio::task::yield_now().await,
                Err(other) => panic!("{other}"),
            }
        };
        open_question(&journal, run, "a:1:1").await;
        waiting.push(run);
    }
    let refused = loop {
        match engine.start(request(Limits::default()), ada()).await {
            Err(EngineError::Full(Full::Server(1))) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(matches!(refused, Err(EngineError::Full(Full::Waiting(3)))), "{refused:?}");
    engine.start(request(Limits::default()), bob()).await.unwrap();
    for run in waiting {
        engine.stop(run, ada(), None).await.unwrap();
    }
}

#[tokio::test]
async fn a_node_with_two_questions_does_not_give_away_the_place_of_another_that_works() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let engine = bench.engine_with(&journal, one_place(), || {
        let question = || Question {
            prompt: "Which way?".into(),
            reason: None,
            form: AnswerForm::Text,
            patience: None,
            default: None,
        };
        let both = step(move |node| {
            Box::pin(async move {
                let (one, other) = futures::future::join(node.ask(question()), node.ask(question())).await;
                one?;
                other?;
                Ok(Outcome::default())
            })
        });
        let mut graph = one(hanging());
        graph.node(plan("both", 1), both);
        graph
    });
    let run = engine.start(request(Limits::default()), ada()).await.unwrap();
    bench.model.hanging.notified().await;
    view_when(&journal, run, |view| view.open_inputs().count() == 2).await;
    let second = engine.start(request(Limits::default()), ada()).await.unwrap();
    // A command is a turn of the executor, which looks whether it only waits for people.
    engine.set_approval(run, Approval::Off, ada()).await.unwrap();
    engine.set_approval(run, Approval::Off, ada()).await.unwrap();
    while engine.place_in_queue(second).is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(journal.summary(second).await.unwrap().unwrap().status, RunStatus::Queued);
    for run in [run, second] {
        engine.stop(run, ada(), None).await.unwrap();
    }
}

#[tokio::test]
async fn runs_that_are_answered_all_at_once_take_no_room_from_others() {
    let bench = Bench::new();
    let journal = bench.journal().await;
    let options = EngineOptions { accepted_runs: 3, ..one_place() };
    let engine = bench.engine_with(&journal, options, || one(hanging()));
    let mut paused = Vec::new();
    while paused.len() < 6 {
        match engine.start(pausing(&["a"]), ada()).await {
            Ok(run) => {
                let shown = open_question(&journal, run, "a:1:0").await;
                paused.push((run, shown));
            }
            // The one before has begun to wait a moment after its question is shown.
            Err(EngineError::Full(_)) => tokio::task::yield_now().await,
            Err(other) => panic!("{other}"),
        }
    }
    for (run, shown) in &paused {
        engine.answer(*run, answer("a:1:0", approve(shown, "a:1:0"))).await.unwrap();
    }
    bench.model.hanging.notified().await;
    // One works, five want its place.
    engine.start(request(Limits::default()), bob()).await.unwrap();
    engine.start(request(Limits::default()), bob()).await.unwrap();
    let refused = engine.start(request(Limits::default()), bob()).await;
    assert!(matches!(refused, Err(EngineError::Full(Full::Server(3)))));
    engine.shut_down().await;
}
