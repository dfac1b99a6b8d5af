//! `/teams/{id}`: a team as a form, and as files of other systems.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    ModelProfile, Problem,
    document::DocumentId,
    team::{TeamExport, TeamFormat},
};
use serde::{Deserialize, Serialize};

use super::{api as own_api, edit::TeamForm, findings::Findings};
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
    exports: Vec<(TeamFormat, TeamExport)>,
}

async fn read(id: String) -> Result<PageData, ApiError> {
    let id: DocumentId = id.parse().map_err(|error| {
        api::set_status(404);
        ApiError(Problem::not_found(format!("{error}.")))
    })?;
    let document = documents::document(id, None).await?;
    // Who only reads is offered no model.
    let profiles = api::models().await.unwrap_or_default();
    let mut exports = Vec::new();
    for format in TeamFormat::ALL {
        exports.push((format, own_api::export_team(id, format).await?));
    }
    Ok(PageData { document, profiles, exports })
}

/// The page.
#[component]
pub fn ExportPage(id: Signal<String>) -> impl IntoView {
    let exports = Resource::new(move || id.get(), read);
    view! {
        <Title text="Team" />
        <div class="page teams-page">
            <header class="page-head">
                <h1>"Team"</h1>
                <nav class="crumbs" aria-label="Where this is"><a href=at("/teams")>"All teams"</a></nav>
            </header>
            <Transition fallback=|| view! { <p class="loading">"Loading the team …"</p> }>
                {move || Suspend::new(async move {
                    match exports.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(PageData { document, profiles, exports }) => {
                            let id = document.summary.id;
                            let exports = exports.into_iter().map(|(format, export)| view! { <Format id format export /> });
                            view! {
                                <TeamForm document profiles />
                                <h2>"As files of other systems"</h2>
                                {exports.collect_view()}
                            }
                            .into_any()
                        }
                    }
                })}
            </Transition>
        </div>
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
