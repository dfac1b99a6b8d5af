//! A run whose log this version cannot read: it is said why, and it can be taken along or deleted.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_navigate;
use protocol::RunSummary;

use super::acts::ExportFiles;
use crate::{
    base::at,
    components::{
        delete_run::DeleteDialog,
        icon::{Icon, IconName},
    },
    format,
};

/// In place of the run's page.
#[component]
pub fn UnreadableRun(summary: RunSummary) -> impl IntoView {
    let RunSummary { run, title, created_at, unreadable, .. } = summary;
    let asked = RwSignal::new(None);
    let navigate = use_navigate();
    let leave = move |_| navigate("/runs", Default::default());
    let heading = title.clone();
    view! {
        <Title text=title.clone() />
        <section class="notice">
            <h1>{heading}</h1>
            <p role="alert">{unreadable}</p>
            <p class="dim">
                {format!("It was started on {} UTC. Its log is kept as it is; other runs are not concerned.", format::moment(created_at))}
            </p>
            <div class="notice-acts">
                <ExportFiles run readable=false />
                <button type="button" class="button danger" on:click=move |_| asked.set(Some((run, title.clone())))>
                    <Icon name=IconName::Trash />
                    "Delete …"
                </button>
                <a class="button" href=at("/runs")>"Go to the runs"</a>
            </div>
            <DeleteDialog asked on_deleted=leave />
        </section>
    }
}
