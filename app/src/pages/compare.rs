//! Two runs side by side: how they ended, what they used, and what differs in their state.

use std::collections::BTreeSet;

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use protocol::{Problem, RunId, RunSummary, RunView};
use serde::{Deserialize, Serialize};

use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        long_text::{LongText, Reading},
        notice::ProblemNotice,
        status::{SignLabel, run_sign},
        table::{Cell, DataTable},
    },
    format,
    live::{RunNews, run_feed},
};

/// The two runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pair {
    left: RunView,
    right: RunView,
}

/// The page.
#[component]
pub fn ComparePage() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|query| ["left", "right"].map(|name| query.get(name).unwrap_or_default()))
    });
    let pair = Resource::new(move || asked.get(), load);
    view! {
        <Title text="Compare" />
        <div class="page compare">
            <header class="page-head">
                <h1>"Compare two runs"</h1>
            </header>
            <Transition fallback=|| view! { <p class="loading">"Loading both runs …"</p> }>
                {move || Suspend::new(async move {
                    match pair.await {
                        Ok(both) => {
                            reload_at_change(&both, move || pair.refetch());
                            view! { <Comparison pair=both /> }.into_any()
                        }
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

/// A run that goes on is compared anew when it stands elsewhere than is shown.
fn reload_at_change(pair: &Pair, reload: impl Fn() + 'static) {
    let shown = [&pair.left, &pair.right].map(|run| run.summary.clone());
    run_feed().follow(move |news| {
        let RunNews::Stands(now) = news else { return };
        if shown.iter().any(|run| run.run == now.run && run.seq < now.seq && run.status != now.status) {
            reload();
        }
    });
}

async fn load([left, right]: [String; 2]) -> Result<Pair, ApiError> {
    let id = |text: String| {
        text.parse::<RunId>().map_err(|_| {
            api::set_status(404);
            ApiError(Problem::not_found("Choose two runs on the page of runs, then compare them."))
        })
    };
    let (left, right) = (id(left)?, id(right)?);
    Ok(Pair { left: api::run(left).await?, right: api::run(right).await? })
}

#[component]
fn Comparison(pair: Pair) -> impl IntoView {
    let Pair { left, right } = pair;
    let keys: BTreeSet<String> = left.state.keys().chain(right.state.keys()).cloned().collect();
    let (same, differing): (Vec<String>, Vec<String>) =
        keys.into_iter().partition(|key| is_same(&left, &right, key));
    let counts = format!("{} differ, {} are the same", differing.len(), same.len());
    let is_equal = differing.is_empty();
    let facts = facts(&left, &right).into_any();
    let differences = differing.iter().map(|key| difference(&left, &right, key)).collect_view();
    view! {
        <div class="card table-card">
            <DataTable caption="Both runs" columns=vec!["", "Left", "Right"]>
                {facts}
            </DataTable>
        </div>
        <section class="card compare-state" aria-labelledby="state-heading">
            <header class="card-head">
                <h2 id="state-heading">"Final state"</h2>
                <span class="dim">{counts}</span>
            </header>
            {is_equal.then(|| view! { <p class="quiet">"Both runs have the same state."</p> })}
            {differences}
            {(!same.is_empty()).then(|| view! {
                <details class="fold">
                    <summary>{format!("The same in both: {}", same.len())}</summary>
                    <p class="mono dim fold-body">{same.join(", ")}</p>
                </details>
            })}
        </section>
    }
}

/// What both runs came to, line by line; lines that differ are marked.
fn facts(left: &RunView, right: &RunView) -> impl IntoView + use<> {
    let both = [&left.summary, &right.summary];
    let texts = |show: &dyn Fn(&RunSummary) -> String| both.map(show);
    let lines = [
        ("Result", texts(&|run| run.result.clone().unwrap_or_else(|| "none".into()))),
        ("Error", texts(&|run| run.error.clone().unwrap_or_else(|| "none".into()))),
        ("Nodes done", texts(&|run| format!("{} of {}", run.nodes_done, run.nodes))),
        (
            "Duration",
            texts(&|run| match run.finished_at {
                Some(end) => format::duration(end.since(run.created_at)),
                None => "not over".into(),
            }),
        ),
        ("Tokens", texts(&|run| format::count(run.used().tokens()))),
        ("Tokens of its own", texts(&|run| format::count(run.own_used().tokens()))),
        ("Model calls", texts(&|run| run.used().model_calls.to_string())),
        (
            "Cost",
            texts(&|run| {
                let cost = format::cost(&run.used());
                cost.known + &cost.gap.map(|gap| format!(" {gap}")).unwrap_or_default()
            }),
        ),
        ("Events", texts(&|run| run.seq.to_string())),
    ];
    let lines = lines.into_iter().map(|(name, [first, second])| {
        let class = if first == second { "" } else { "differs" };
        view! {
            <tr role="row" class=class>
                <Cell label="">{name}</Cell>
                <Cell label="Left">{first}</Cell>
                <Cell label="Right">{second}</Cell>
            </tr>
        }
    });
    let [first, second] = both.map(|run| {
        view! {
            <a href=at(format!("/runs/{}", run.run))>{run.title.clone()}</a>
            " "
            <span class="dim digits">{format::moment(run.created_at)}</span>
        }
    });
    let [first_status, second_status] = both.map(|run| view! { <SignLabel sign=run_sign(run.status) /> });
    let is_same_status = left.summary.status == right.summary.status;
    view! {
        <tr role="row">
            <Cell label="">"Run"</Cell>
            <Cell label="Left">{first}</Cell>
            <Cell label="Right">{second}</Cell>
        </tr>
        <tr role="row" class=if is_same_status { "" } else { "differs" }>
            <Cell label="">"Status"</Cell>
            <Cell label="Left">{first_status}</Cell>
            <Cell label="Right">{second_status}</Cell>
        </tr>
        {lines.collect_view()}
    }
}

fn is_same(left: &RunView, right: &RunView, key: &str) -> bool {
    let values = |view: &RunView| -> Option<Vec<_>> {
        let entries = view.state.get(key)?;
        Some(entries.iter().map(|entry| entry.value.clone()).collect())
    };
    values(left) == values(right)
}

/// One key of the state, as it is in each run.
fn difference(left: &RunView, right: &RunView, key: &str) -> impl IntoView + use<> {
    let side = |view: &RunView, place: &'static str| {
        let entries = view.state.get(key).cloned().unwrap_or_default();
        let run = view.summary.run;
        let is_missing = entries.is_empty();
        let texts = entries.into_iter().map(|entry| {
            view! { <LongText run text=entry.value.clone() reading=Reading::Verbatim /> }
        });
        view! {
            <div class="compare-side">
                <h4 class="dim">{place}</h4>
                {texts.collect_view()}
                {is_missing.then(|| view! { <p class="dim">"not set"</p> })}
            </div>
        }
    };
    let (first, second) = (side(left, "Left"), side(right, "Right"));
    view! {
        <article class="difference" aria-label=key.to_owned()>
            <h3 class="mono">{key.to_owned()}</h3>
            <div class="compare-sides">{first} {second}</div>
        </article>
    }
}
