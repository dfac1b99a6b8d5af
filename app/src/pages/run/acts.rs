//! Acts on the whole run: approve mode, fork, export, stop.

use leptos::{ev, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::{Approval, RunId};

use super::{
    place::{NamedPlace, named_places},
    screen::Screen,
};
use crate::{
    api,
    base::at,
    components::{
        approval::{ApprovalPicker, choices},
        delete_run::DeleteDialog,
        dialog::Modal,
        icon::{Icon, IconName},
        menu::Menu,
        notice::Refusal,
        stop_run::StopRun,
    },
};

/// Before which nodes the run pauses, and how to change that while it works.
#[component]
pub fn ApproveMode(screen: Screen) -> impl IntoView {
    let open = RwSignal::new(false);
    let live = screen.live.view;
    let mode = Memo::new(move |_| live.with(|view| view.approval.clone()));
    let can_change = Memo::new(move |_| live.with(|view| !view.summary.status.is_over()));
    let word = move || match mode.get() {
        Approval::Off => "off".to_owned(),
        Approval::Every => "every node".to_owned(),
        Approval::Nodes { nodes } if nodes.len() == 1 => "1 node".to_owned(),
        Approval::Nodes { nodes } => format!("{} nodes", nodes.len()),
    };
    let save = Action::new(move |approval: &Approval| {
        let approval = approval.clone();
        async move {
            api::set_approval(screen.id, approval).await?;
            open.try_set(false);
            Ok::<(), api::ApiError>(())
        }
    });
    let form = move || {
        let (approval, nodes) = live.with_untracked(|view| (view.approval.clone(), choices(view)));
        let value = RwSignal::new(approval);
        let submit = move |event: ev::SubmitEvent| {
            event.prevent_default();
            save.dispatch(value.get_untracked());
        };
        view! {
            <p class="dim">"Before a node that you choose, the run pauses and shows what is about to happen. It waits until somebody approves."</p>
            <form class="dialog-form" on:submit=submit>
                <ApprovalPicker value nodes name="approve-mode" />
                <Refusal act=save />
                <div class="dialog-acts">
                    <button type="button" class="button" on:click=move |_| open.set(false)>"Cancel"</button>
                    <button type="submit" class="button primary" disabled=save.pending()>"Set the mode"</button>
                </div>
            </form>
        }
    };
    view! {
        <Show when=move || can_change.get()>
            <button type="button" class="button act" title="Approve mode" on:click=move |_| open.set(true)>
                <Icon name=IconName::Person />
                <span class="act-word">"Approve: "</span>
                <span aria-live="polite">{word}</span>
            </button>
        </Show>
        <Modal open id="approve-mode" title="Approve mode".to_owned()>{form()}</Modal>
    }
}

/// The places where the run can be continued in a new one.
#[component]
pub fn ForkMenu(screen: Screen) -> impl IntoView {
    let places = Memo::new(move |_| {
        screen.spec.with_value(|spec| screen.live.view.with(|view| named_places(view, spec.as_ref())))
    });
    let items = move || {
        let items = places.get().into_iter().map(|NamedPlace { title, hint, point }| {
            view! {
                <button type="button" class="menu-item" on:click=move |_| screen.fork.open(point.clone())>
                    <span>{title}</span>
                    <span class="dim">{hint}</span>
                </button>
            }
        });
        items.collect_view()
    };
    view! {
        <Show when=move || !places.with(Vec::is_empty)>
            <Menu icon=IconName::Fork label="Fork" title="Continue this run in a new one">
                {items}
            </Menu>
        </Show>
    }
}

/// The run as a file.
#[component]
pub fn ExportMenu(screen: Screen) -> impl IntoView {
    view! {
        <Menu icon=IconName::Download label="Export" title="Take this run along as a file">
            <ExportFiles run=screen.id readable=true />
        </Menu>
    }
}

/// The files that a run can be taken along as.
#[component]
pub fn ExportFiles(
    /// The run.
    run: RunId,
    /// Whether it can be drawn, too.
    readable: bool,
) -> impl IntoView {
    let path = at(format!("/api/v1/runs/{run}/export"));
    let file = move |ending: &'static str, title: &'static str, hint: &'static str| {
        // A file, not a page of this application.
        view! {
            <a class="menu-item" href=format!("{path}.{ending}") rel="external" download=format!("{run}.{ending}")>
                <span>{title}</span>
                <span class="dim">{hint}</span>
            </a>
        }
    };
    view! {
        {file("jsonl", "JSON Lines", "Every event; can be imported again")}
        {readable.then(|| file("html", "HTML file", "To read offline, without a server"))}
    }
}

/// Deletes the run, once it is over.
#[component]
pub fn DeleteButton(screen: Screen) -> impl IntoView {
    let asked = RwSignal::new(None);
    let is_over = Memo::new(move |_| screen.live.view.with(|view| view.summary.status.is_over()));
    let ask = move |_| {
        let title = screen.live.view.with_untracked(|view| view.summary.title.clone());
        asked.set(Some((screen.id, title)));
    };
    let navigate = use_navigate();
    let leave = move |_| navigate("/runs", Default::default());
    view! {
        <div class="delete-act">
            <Show when=move || is_over.get() && !screen.deleted.get()>
                <button type="button" class="button act" title="Delete this run" on:click=ask>
                    <Icon name=IconName::Trash />
                    <span class="act-word">"Delete"</span>
                </button>
            </Show>
            <DeleteDialog asked on_deleted=leave />
        </div>
    }
}

/// Ends the run, with a reason for the log. Also by the key `s`.
#[component]
pub fn StopButton(screen: Screen) -> impl IntoView {
    let can_stop = Memo::new(move |_| screen.live.view.with(|view| !view.summary.status.is_over()));
    view! { <StopRun run=screen.id can_stop noun="run" kept="and a new run can continue it" /> }
}
