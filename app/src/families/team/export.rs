//! `/teams/{id}`: a team as files of other systems.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    Problem,
    document::DocumentId,
    team::{TeamExport, TeamFormat},
};

use super::{api as own_api, findings::Findings};
use crate::{
    api::{self, ApiError},
    base::at,
    components::{
        icon::{Icon, IconName},
        notice::ProblemNotice,
    },
};


async fn read(id: String) -> Result<(DocumentId, Vec<(TeamFormat, TeamExport)>), ApiError> {
    let id: DocumentId = id.parse().map_err(|error| {
        api::set_status(404);
        ApiError(Problem::not_found(format!("{error}.")))
    })?;
    let mut exports = Vec::new();
    for format in TeamFormat::ALL {
        exports.push((format, own_api::export_team(id, format).await?));
    }
    Ok((id, exports))
}

/// The page.
#[component]
pub fn ExportPage(id: Signal<String>) -> impl IntoView {
    let exports = Resource::new(move || id.get(), read);
    view! {
        <Title text="Export a team" />
        <div class="page teams-page">
            <header class="page-head">
                <h1>"Export a team"</h1>
                <div class="page-acts">
                    <a class="button" href=move || at(format!("/documents/{}", id.get()))>"The team"</a>
                </div>
            </header>
            <Transition fallback=|| view! { <p class="loading">"Writing the files …"</p> }>
                {move || Suspend::new(async move {
                    match exports.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok((id, exports)) => exports
                            .into_iter()
                            .map(|(format, export)| view! { <Format id format export /> })
                            .collect_view()
                            .into_any(),
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
