//! The fold, over arbitrary logs.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Arc;

use proptest::prelude::*;
use protocol::{
    AccountId, Answer, Applied, Approval, ApprovalChanged, Attempt, Beginning, Body, CallFinished,
    CallStarted, ChatAnswered, ChatAsked, Decimal, EdgeAdded, EdgeKind, Event, GrownNode, Growth, Heading,
    Heard, InputForm, InputReceived, InputRequest, InputView, Join, ListedRun, LogLevel, LogLine, NodeAdded,
    NodeFinished, NodeId, NodeKind, NodeStarted, NodeStatus, Product, ProductTone, Prompt, Report,
    RunFinished, RunId, RunRequest, RunStarted, RunStatus, RunSummary, RunView, Said, Standing, StateEdited,
    StatusChanged, SubRunAsk, SubRunAwaits, SubRunFinished, SubRunStarted, Text, Tier, Timestamp, Told,
    ToolInvoked, ToolReturned, ToolStatus, Totals, TurnContent, UnknownBody, Usage, Workflow,
};

const NODES: [&str; 4] = ["market", "bull", "bear", "trader"];

fn node() -> impl Strategy<Value = NodeId> {
    prop::sample::select(&NODES[..]).prop_map(|name| name.parse().unwrap())
}

fn text() -> impl Strategy<Value = Text> {
    prop_oneof![
        "[a-zA-Z #*|.\n]{0,60}".prop_map(Text::from),
        "[a-z]{0,20}".prop_map(|preview| Text::Preview {
            preview: preview.into(),
            bytes: 9000,
            digest: "0123456789abcdef".repeat(4).parse().unwrap(),
        }),
    ]
}

fn call() -> impl Strategy<Value = protocol::CallId> {
    (node(), 1_u32..3, 1_u32..3).prop_map(|(node, visit, number)| protocol::CallId::new(&node, visit, number))
}

fn prompt() -> impl Strategy<Value = Prompt> {
    let begins =
        prop::option::of((call(), 0_u32..9).prop_map(|(call, messages)| Beginning { call, messages }));
    let messages = (begins, prop::collection::vec(text(), 0..4));
    prop_oneof![
        text().prop_map(Prompt::One),
        messages.prop_map(|(begins, messages)| Prompt::Messages { begins, messages }),
    ]
}

fn cost() -> impl Strategy<Value = Option<Decimal>> {
    let usual = (0_i64..1_000_000).prop_map(|value| Decimal::new(value, 6));
    let impossible = prop::sample::select(vec![Decimal::MAX, Decimal::MIN, Decimal::NEGATIVE_ONE]);
    prop::option::of(prop_oneof![9 => usual, 1 => impossible])
}

fn body() -> impl Strategy<Value = Body> {
    let plan = || {
        (node(), 1_u32..3).prop_map(|(id, planned_visits)| NodeAdded {
            label: id.to_string(),
            id,
            role: "market".into(),
            kind: NodeKind::Agent,
            phase: "Analysts".into(),
            scope: None,
            owner: None,
            tier: Some(Tier::Quick),
            planned_visits,
        })
    };
    let planned = plan().prop_map(Body::NodeAdded);
    let drawn = || {
        let edge = |(from, to)| EdgeAdded { from, to, kind: EdgeKind::Flow, condition: None };
        (node(), node()).prop_map(edge)
    };
    let edge = drawn().prop_map(Body::EdgeAdded);
    let join = prop::sample::select(vec![Join::All, Join::Reached, Join::Any, Join::Count(2)]);
    let grown_node = (plan(), join, text()).prop_map(|(plan, join, spec)| GrownNode { plan, join, spec });
    let grown = (prop::collection::vec(grown_node, 0..3), prop::collection::vec(drawn(), 0..3))
        .prop_map(|(nodes, edges)| Body::Grown(Growth { nodes, edges }));
    let finished = (1_u32..4, text(), prop::collection::vec(node(), 0..3), any::<bool>(), any::<bool>())
        .prop_map(|(visit, value, next, complete, appends)| {
            Body::NodeFinished(NodeFinished {
                visit,
                status: NodeStatus::Succeeded,
                reason: None,
                degraded: None,
                duration_ms: 12,
                patch: [("report".to_owned(), value)].into(),
                appended: appends.then(|| "report".to_owned()).into_iter().collect(),
                next,
                complete,
                anew: false,
            })
        });
    let started_call = (call(), prompt()).prop_map(|(call, prompt)| {
        Body::CallStarted(CallStarted {
            call,
            model: "m".into(),
            tier: Tier::Quick,
            profile: None,
            prompt,
            tools: vec![],
            asked: None,
        })
    });
    let figures = || (cost(), prop::option::of(prop_oneof![0_u64..5000, Just(u64::MAX)]));
    let attempts = prop::collection::vec(figures(), 0..3).prop_map(|attempts| {
        let attempts = attempts.into_iter().map(|(cost, tokens)| Attempt {
            model: "m".into(),
            error: "broke off".into(),
            usage: Usage { tokens_in: tokens, tokens_out: tokens },
            cost,
            latency_ms: 3,
        });
        attempts.collect::<Vec<_>>()
    });
    let finished_call =
        (call(), text(), figures(), attempts).prop_map(|(call, answer, (cost, tokens), attempts)| {
            Body::CallFinished(CallFinished {
                call,
                model: "m".into(),
                thoughts: answer.clone(),
                cut_off: answer.clone(),
                answer,
                tool_requests: vec![],
                echo: None,
                usage: Usage { tokens_in: tokens, tokens_out: tokens },
                cost,
                latency_ms: 5,
                retries: 0,
                attempts,
                error: None,
            })
        });
    let tool = (call(), text()).prop_map(|(call, arguments)| {
        Body::ToolInvoked(ToolInvoked { call, tool: "t".into(), arguments, asked: None })
    });
    let returned = (call(), text()).prop_map(|(call, result)| {
        Body::ToolReturned(ToolReturned {
            call,
            status: ToolStatus::Degraded,
            result,
            vendor: None,
            latency_ms: 1,
        })
    });
    prop_oneof![
        grown,
        planned,
        edge,
        (1_u32..4).prop_map(|visit| Body::NodeStarted(NodeStarted { visit, phase: "Debate".into() })),
        finished,
        started_call,
        finished_call,
        tool,
        returned,
        text().prop_map(|content| Body::Said(Said { source: "you".into(), content })),
        text().prop_map(|markdown| Body::Reported(Report {
            name: "r".into(),
            title: "R".into(),
            markdown,
            figures: vec![]
        })),
        ("[A-Z][a-z]{0,8}", text(), 0..3).prop_map(|(headline, data, standing)| Body::Produced(Product {
            kind: "council.draft".parse().unwrap(),
            headline,
            tone: ProductTone::Attention,
            standing: [Standing::Result, Standing::Step, Standing::Data][standing as usize],
            data,
        })),
        Just(Body::Logged(LogLine { level: LogLevel::Info, message: "line".into() })),
        Just(Body::StatusChanged(StatusChanged { status: RunStatus::Running, reason: None })),
        "[a-z]{3,8}".prop_map(|kind| Body::Unknown(UnknownBody {
            kind: format!("newer_{kind}"),
            data: serde_json::json!({ "x": 1 })
        })),
        Just(Body::RunFinished(RunFinished {
            status: RunStatus::Failed,
            error: Some("e".into()),
            stopped: None,
            totals: Totals::default()
        })),
        steering(),
    ]
}

/// What people do to a run.
fn steering() -> impl Strategy<Value = Body> {
    let me = || "me".parse::<AccountId>().unwrap();
    let asked = (call(), prop::option::of(0_i64..1000)).prop_map(|(input, deadline)| {
        let (prompt, form, deadline) = ("Which?".into(), InputForm::Text, deadline.map(Timestamp));
        Body::InputRequested(InputRequest { input, prompt, reason: None, form, deadline, default: None })
    });
    let answer = prop_oneof![
        text().prop_map(|json| Answer::Value { json }),
        text().prop_map(|value| Answer::Approved {
            digest: "0123456789abcdef".repeat(4).parse().unwrap(),
            edits: [("report".to_owned(), value)].into(),
        }),
        node().prop_map(|to| Answer::SentBack { to, comment: "again".into() }),
        Just(Answer::Expired),
    ];
    let received = (call(), answer)
        .prop_map(move |(input, answer)| Body::InputReceived(InputReceived { input, answer, by: None }));
    let edited = text().prop_map(move |value| {
        Body::StateEdited(StateEdited { patch: [("report".to_owned(), value)].into(), by: me() })
    });
    let chat =
        (1_u32..3, text(), any::<bool>(), cost()).prop_map(move |(chat, text, asks, cost)| match asks {
            true => Body::ChatAsked(ChatAsked { chat, question: text, by: me() }),
            false => Body::ChatAnswered(ChatAnswered {
                chat,
                model: "m".into(),
                answer: text,
                usage: Usage::default(),
                cost,
                latency_ms: 1,
                attempts: Vec::new(),
                error: None,
            }),
        });
    let mode = node().prop_map(move |node| {
        Body::ApprovalChanged(ApprovalChanged {
            approval: Approval::Nodes { nodes: [node].into() },
            by: me(),
        })
    });
    let told = text().prop_map(move |content| Body::Told(Told { content, by: me() }));
    let heard = (call(), 0_u32..3).prop_map(|(look, messages)| Body::Heard(Heard { look, messages }));
    let run =
        || prop::sample::select(vec![3_u128, 4]).prop_map(|number| RunId(uuid::Uuid::from_u128(number)));
    let (title, digest) =
        ("Child".to_owned(), "0123456789abcdef".repeat(4).parse::<protocol::Digest>().unwrap());
    let started = (call(), run()).prop_map(move |(call, run)| {
        Body::SubRunStarted(SubRunStarted { call, run, title: title.clone(), asked: digest.clone() })
    });
    let ask = (run(), call(), text()).prop_map(|(run, input, schema)| SubRunAsk {
        run,
        node: None,
        asked_at: Timestamp(5),
        request: InputRequest {
            input,
            prompt: "Which?".into(),
            reason: None,
            form: InputForm::Object { schema },
            deadline: None,
            default: None,
        },
    });
    let awaits = (call(), run(), prop::collection::vec(ask, 0..2))
        .prop_map(|(call, run, asks)| Body::SubRunAwaits(SubRunAwaits { call, run, asks }));
    let finished = (call(), run()).prop_map(|(call, run)| {
        let (status, error, totals) = (RunStatus::Succeeded, None, Totals::default());
        Body::SubRunFinished(SubRunFinished { call, run, status, error, totals })
    });
    let sub_runs = prop_oneof![started, awaits, finished];
    prop_oneof![asked, received, edited, chat, mode, told, heard, sub_runs]
}

fn log() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec((prop::option::of(node()), body(), 0_i64..1000), 0..60).prop_map(|entries| {
        let run = RunId("0197a1b2-0000-7000-8000-000000000001".parse().unwrap());
        let start = (None, Body::RunStarted(start()), 0);
        let entries = std::iter::once(start).chain(entries);
        let event = |(index, (node, body, at)): (usize, (Option<NodeId>, Body, i64))| Event {
            run,
            seq: index as u64 + 1,
            at: Timestamp(at),
            node,
            body,
        };
        entries.enumerate().map(event).collect()
    })
}

fn outline(mut view: RunView) -> RunView {
    view.keep_outline();
    view
}

fn sorted<T: Clone>(entries: &[Arc<T>], id: impl Fn(&T) -> String) -> Vec<Arc<T>> {
    let mut entries = entries.to_vec();
    entries.sort_by_key(|entry| id(entry));
    entries
}

proptest! {
    /// A page takes over from the server's snapshot at any event.
    #[test]
    fn a_snapshot_and_the_rest_equal_the_whole(log in log()) {
        let whole = RunView::fold(&log).unwrap();
        for cut in 1..=log.len() {
            let snapshot = RunView::fold(&log[..cut]).unwrap();
            let mut view: RunView = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
            for event in &log[cut..] {
                prop_assert_eq!(view.apply(event), Applied::Changed);
            }
            prop_assert_eq!(&view, &whole);
        }
    }

    /// A page begins with an outline and takes in what comes. A question or a call that comes anew after its end may
    /// stand elsewhere in its list.
    #[test]
    fn what_is_applied_to_an_outline_is_right(log in log()) {
        let whole = outline(RunView::fold(&log).unwrap());
        for cut in 1..=log.len() {
            let mut view = outline(RunView::fold(&log[..cut]).unwrap());
            for event in &log[cut..] {
                prop_assert_eq!(view.apply(event), Applied::Changed);
            }
            let view = outline(view);
            prop_assert_eq!(&view.summary, &whole.summary);
            prop_assert_eq!((&view.nodes, &view.edges), (&whole.nodes, &whole.edges));
            prop_assert_eq!(&view.products, &whole.products);
            prop_assert_eq!(sorted(&view.calls, |call| call.id.to_string()), sorted(&whole.calls, |call| call.id.to_string()));
            let id = |input: &InputView| input.request.input.to_string();
            prop_assert_eq!(sorted(&view.inputs, id), sorted(&whole.inputs, id));
        }
    }

    /// Entries are found by id and by node as a search through all of them finds them, also in a view that was sent.
    #[test]
    fn entries_are_found_by_their_id_and_node(log in log()) {
        let view = RunView::fold(&log).unwrap();
        let sent: RunView = serde_json::from_str(&serde_json::to_string(&view).unwrap()).unwrap();
        for view in [view, sent] {
            for call in &view.calls {
                prop_assert_eq!(view.call(&call.id), Some(call));
            }
            for name in NODES {
                let id: NodeId = name.parse().unwrap();
                prop_assert_eq!(view.node(&id), view.nodes.iter().find(|node| node.plan.id == id));
                let turns: Vec<_> = view.turns.iter().filter(|turn| turn.node.as_ref() == Some(&id)).collect();
                prop_assert_eq!(view.turns.of_node(&id).collect::<Vec<_>>(), turns);
                let edges = view.edges.iter().filter(|edge| edge.plan.from == id || edge.plan.to == id);
                prop_assert_eq!(view.edges.of_node(&id).collect::<Vec<_>>(), edges.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn an_event_applied_twice_changes_nothing(log in log(), again in any::<prop::sample::Index>()) {
        let mut view = RunView::fold(&log).unwrap();
        let before = view.clone();
        prop_assert_eq!(view.apply(again.get(&log)), Applied::Duplicate);
        prop_assert_eq!(view, before);
    }

    #[test]
    fn a_gap_is_noticed_and_changes_nothing(log in log()) {
        let Some((last, before)) = log.split_last() else { return Ok(()) };
        if before.len() < 2 { return Ok(()) }
        let mut view = RunView::fold(&before[..before.len() - 1]).unwrap();
        let unchanged = view.clone();
        prop_assert_eq!(view.apply(last), Applied::Gap);
        prop_assert_eq!(view, unchanged);
    }

    #[test]
    fn events_read_back_as_they_were_written(log in log()) {
        for event in log {
            let json = serde_json::to_string(&event).unwrap();
            prop_assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
        }
    }

    #[test]
    fn a_list_reads_its_part_of_any_summary(log in log()) {
        let summary = RunView::fold(&log).unwrap().summary;
        let json = serde_json::to_string(&summary).unwrap();
        prop_assert_eq!(serde_json::from_str::<ListedRun>(&json).unwrap(), ListedRun::from(summary));
    }

    #[test]
    fn totals_are_counted_where_calls_end(log in log()) {
        let summary = {
            let mut summary = RunSummary::begin(&log[0]).unwrap();
            log.iter().for_each(|event| summary.apply(event));
            summary
        };
        let attempts: Vec<(Usage, Option<Decimal>)> = log.iter().flat_map(|event| match &event.body {
            Body::CallFinished(call) => {
                let failed = call.attempts.iter().map(|attempt| (attempt.usage, attempt.cost));
                failed.chain([(call.usage, call.cost)]).collect()
            }
            Body::ChatAnswered(chat) => vec![(chat.usage, chat.cost)],
            _ => Vec::new(),
        }).collect();
        let answers = log.iter().filter(|event| matches!(event.body, Body::CallFinished(_) | Body::ChatAnswered(_)));
        prop_assert_eq!(summary.totals.model_calls as usize, answers.count());
        let tokens = attempts.iter().filter_map(|(usage, _)| usage.tokens_in).filter(|tokens| *tokens < u64::MAX);
        prop_assert_eq!(summary.totals.tokens_in, tokens.sum::<u64>());
        let known = attempts.iter().filter_map(|(_, cost)| *cost).filter(|cost| is_possible(*cost));
        prop_assert_eq!(summary.totals.cost, known.clone().sum::<Decimal>());
        let unknown = attempts.len() - known.count() + dropped(&log);
        prop_assert_eq!(summary.totals.calls_of_unknown_cost as usize, unknown);
        prop_assert_eq!(summary, RunView::fold(&log).unwrap().summary);
    }
}

fn is_possible(cost: Decimal) -> bool {
    cost >= Decimal::ZERO && cost < Decimal::MAX
}

/// Calls that were begun and then begun once more, or whose run ended, before they ended themselves.
fn dropped(log: &[Event]) -> usize {
    let is_dropped = |(index, event): (usize, &Event)| {
        let Body::CallStarted(started) = &event.body else { return false };
        let ends = log[index + 1..].iter().find_map(|later| match &later.body {
            Body::CallStarted(again) if again.call == started.call => Some(true),
            Body::RunFinished(_) => Some(true),
            Body::CallFinished(finished) if finished.call == started.call => Some(false),
            _ => None,
        });
        ends == Some(true)
    };
    log.iter().enumerate().filter(|entry| is_dropped(*entry)).count()
}

fn event(seq: u64, node: &str, body: Body) -> Event {
    let run = RunId("0197a1b2-0000-7000-8000-000000000001".parse().unwrap());
    Event { run, seq, at: Timestamp(seq as i64), node: Some(node.parse().unwrap()), body }
}

fn start() -> RunStarted {
    let workflow = Workflow::bare("essay".parse().unwrap());
    RunStarted::new(RunRequest::new(workflow, "f".parse().unwrap()), Heading::new("Essay · rain"))
}

fn begun() -> RunView {
    RunView::begin(&event(1, "market", Body::RunStarted(start()))).unwrap()
}

#[test]
fn each_result_stands_at_its_own_place_and_the_last_one_stands_in_lists() {
    let mut view = begun();
    let draft = |headline: &str, standing| {
        Body::Produced(Product {
            kind: "council.draft".parse().unwrap(),
            headline: headline.into(),
            tone: ProductTone::Neutral,
            standing,
            data: format!("{{\"title\":\"{headline}\"}}").into(),
        })
    };
    view.apply(&event(2, "market", draft("First", Standing::Result)));
    view.apply(&event(3, "market", draft("Notes", Standing::Step)));
    view.apply(&event(4, "market", draft("Figures", Standing::Data)));
    view.apply(&event(5, "market", draft("Second", Standing::Result)));
    let shown: Vec<&str> = view
        .turns
        .iter()
        .map(|turn| match turn.content {
            TurnContent::Product { index } => view.products[index].headline.as_str(),
            _ => "another turn",
        })
        .collect();
    assert_eq!(shown, ["First", "Notes", "Second"]);
    assert_eq!(view.summary.result.as_deref(), Some("Second"));
    assert_eq!(view.products.len(), 4);
}

#[test]
fn a_list_shows_all_that_was_added_to_it() {
    let mut view = begun();
    let finished = |visit, value: &str, appends: bool| {
        Body::NodeFinished(NodeFinished {
            visit,
            status: NodeStatus::Succeeded,
            reason: None,
            degraded: None,
            duration_ms: 1,
            patch: [("gaps".to_owned(), Text::from(value))].into(),
            appended: appends.then(|| "gaps".to_owned()).into_iter().collect(),
            next: vec![],
            complete: true,
            anew: false,
        })
    };
    let shown = |view: &RunView| -> Vec<String> {
        view.state["gaps"].iter().map(|entry| entry.value.shown().to_owned()).collect()
    };
    view.apply(&event(2, "market", finished(1, "1", true)));
    view.apply(&event(3, "bull", finished(1, "2", true)));
    assert_eq!(shown(&view), ["1", "2"]);
    view.apply(&event(4, "bear", finished(1, "[]", false)));
    assert_eq!(shown(&view), ["[]"]);
}

#[test]
fn a_run_that_asks_waits_until_all_its_questions_are_answered() {
    let mut view = begun();
    let ask = |input: &str| {
        Body::InputRequested(InputRequest {
            input: input.parse().unwrap(),
            prompt: "Which?".into(),
            reason: None,
            form: InputForm::Text,
            deadline: None,
            default: None,
        })
    };
    let answer = |input: &str| {
        let answer = Answer::Value { json: "\"this\"".into() };
        Body::InputReceived(InputReceived { input: input.parse().unwrap(), answer, by: None })
    };
    view.apply(&event(
        2,
        "market",
        Body::StatusChanged(StatusChanged { status: RunStatus::Running, reason: None }),
    ));
    view.apply(&event(3, "market", ask("market:1:1")));
    view.apply(&event(4, "bull", ask("bull:1:1")));
    assert_eq!((view.summary.status, view.summary.awaited.len()), (RunStatus::Waiting, 2));
    view.apply(&event(5, "bull", answer("bull:1:1")));
    assert_eq!((view.summary.status, view.open_inputs().count()), (RunStatus::Waiting, 1));
    view.apply(&event(6, "market", answer("market:1:1")));
    assert_eq!((view.summary.status, view.open_inputs().count()), (RunStatus::Running, 0));
}
