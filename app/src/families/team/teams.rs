//! `/teams`: all teams, and where they come in from files.

use leptos::prelude::*;
use leptos_meta::Title;
use protocol::{
    document::{DocumentFilter, DocumentSummary},
    team::KIND,
};

use super::import::TeamImport;
use crate::{
    api::documents,
    base::at,
    components::{
        notice::ProblemNotice,
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// The most teams that the page lists; the list of documents has all.
const LISTED: u32 = 200;

/// The page.
#[component]
pub fn TeamsPage() -> impl IntoView {
    let teams = Resource::new(
        || (),
        |()| {
            let filter = DocumentFilter {
                kind: KIND.parse().ok(),
                limit: Some(LISTED),
                ..DocumentFilter::default()
            };
            documents::list(filter)
        },
    );
    view! {
        <Title text="Teams" />
        <div class="page teams-page">
            <header class="page-head">
                <h1>"Teams"</h1>
                <div class="page-acts">
                    <a class="button" href=at("/documents?kind=team")>"As documents"</a>
                    <a class="button primary" href=at("/start?type=team")>"Run a team"</a>
                </div>
            </header>
            <TeamImport on_done=Callback::new(move |()| teams.refetch()) />
            <Transition fallback=|| view! { <p class="loading">"Loading the teams …"</p> }>
                {move || Suspend::new(async move {
                    match teams.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(page) if page.documents.is_empty() => view! {
                            <Empty title="There is no team yet">
                                "Import one above, or make one among the documents. The sample runs without any."
                            </Empty>
                        }.into_any(),
                        Ok(page) => view! { <Teams teams=page.documents /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Teams(teams: Vec<DocumentSummary>) -> impl IntoView {
    let rows = teams.into_iter().map(|team| {
        let DocumentSummary { id, title, version, changed_at, .. } = team;
        view! {
            <tr role="row">
                <Cell label="Team"><a href=at(format!("/teams/{id}"))>{title.to_string()}</a></Cell>
                <Cell label="Version" numeric=true>{version.to_string()}</Cell>
                <Cell label="Changed (UTC)"><time datetime=changed_at.to_string()>{format::moment(changed_at)}</time></Cell>
                <Cell label="Acts">
                    <a href=at(format!("/start?type=team&team={id}"))>"Run"</a>
                    " · "
                    <a href=at(format!("/documents/{id}"))>"JSON and versions"</a>
                </Cell>
            </tr>
        }
    });
    view! {
        <div class="card table-card">
            <DataTable caption="Teams, those that were changed last first" columns=vec!["Team", "#Version", "Changed (UTC)", "Acts"]>
                {rows.collect_view()}
            </DataTable>
        </div>
    }
}
