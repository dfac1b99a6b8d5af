//! `/teams/{id}`: a team as a form, its runs, and the team as files of other systems.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    ListedRuns, ModelProfile, Problem, ToolSummary,
    document::DocumentId,
    team::{TeamExport, TeamFormat},
};
use serde::{Deserialize, Serialize};

use super::{
    api as own_api,
    edit::TeamForm,
    findings::Findings,
    runs::{self, TeamRuns},
};
use crate::{
    api::{self, ApiError, documents::{self, OpenedDocument}},
    base::at,
    components::{
        icon::{Icon, IconName},
        notice::ProblemNotice,
    },
};


/// What the page shows at first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    document: OpenedDocument,
    profiles: Vec<ModelProfile>,
    tools: Vec<ToolSummary>,
    runs: ListedRuns,
    exports: Vec<(TeamFormat, TeamExport)>,
}

async fn read(id: String) -> Result<PageData, ApiError> {
    let id: DocumentId = id.parse().map_err(|error| {
        api::set_status(404);
        ApiError(Problem::not_found(format!("{error}.")))
    })?;
    let document = documents::document(id, None).await?;
    // Who only reads is offered no model and no tool.
    let profiles = api::models().await.unwrap_or_default();
    let tools = own_api::tools().await.unwrap_or_default();
    let runs = api::listed_runs(runs::filter(id)).await?;
    let mut exports = Vec::new();
    for format in TeamFormat::ALL {
        exports.push((format, own_api::export_team(id, format).await?));
    }
    Ok(PageData { document, profiles, tools, runs, exports })
}

/// The page.
#[component]
pub fn TeamPage(id: Signal<String>) -> impl IntoView {
    let data = Resource::new(move || id.get(), read);
    view! {
        <div class="page teams-page">
            <Transition fallback=|| view! { <p class="loading">"Loading the team …"</p> }>
                {move || Suspend::new(async move {
                    match data.await {
                        Err(error) => view! { <Title text="Team" /> <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(data) => view! { <Opened data /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Opened(data: PageData) -> impl IntoView {
    let PageData { document, profiles, tools, runs, exports } = data;
    let (id, title) = (document.summary.id, document.summary.title.to_string());
    let exports = exports.into_iter().map(|(format, export)| view! { <Format id format export /> });
    view! {
        <Title text=title.clone() />
        <header class="page-head">
            <nav class="crumbs" aria-label="Where this is"><a href=at("/teams")>"Teams"</a></nav>
            <h1>{title}</h1>
        </header>
        <TeamForm document profiles tools />
        <TeamRuns team=id page=runs />
        <h2>"As files of other systems"</h2>
        {exports.collect_view()}
    }
}

#[component]
fn Format(id: DocumentId, format: TeamFormat, export: TeamExport) -> impl IntoView {
    let TeamExport { files, losses } = export;
    let files = files.into_iter().map(|file| {
        let (name, label) = (file.name.clone(), file.name);
        let address = at(format!("/api/v1/teams/{id}/exports/{format}/{name}"));
        view! {
            <li>
                <a href=address download=name rel="external">
                    <Icon name=IconName::Download />
                    {label}
                </a>
            </li>
        }
    });
    let lost = (!losses.is_empty()).then(|| {
        view! { <details><summary>"What does not go along"</summary><Findings findings=losses /></details> }
    });
    view! {
        <section class="card team-format">
            <h2>{format.label()}</h2>
            <ul>{files.collect_view()}</ul>
            {lost}
        </section>
    }
}
