//! What people make and keep: found by kind and title, made anew, taken in from files.

pub mod delete;
mod new;

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use protocol::document::{DocumentFilter, DocumentId, DocumentKindSpec, DocumentPage, DocumentSummary};
use serde::{Deserialize, Serialize};

use self::{delete::DeleteDocument, new::NewDocument};
use crate::{
    api::{ApiError, documents as api},
    base::at,
    components::{
        icon::{Icon, IconName},
        import::{Exported, ImportButton, Importer},
        notice::{FormError, ProblemNotice},
        paper::PaperNote,
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// What the page shows at first.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct PageData {
    filter: DocumentFilter,
    kinds: Vec<DocumentKindSpec>,
    page: DocumentPage,
}

async fn read(filter: DocumentFilter) -> Result<PageData, ApiError> {
    Ok(PageData { kinds: api::kinds().await?, page: api::list(filter.clone()).await?, filter })
}

/// The page.
#[component]
pub fn DocumentsPage() -> impl IntoView {
    let query = use_query_map();
    let filter = Memo::new(move |_| query.with(filter_of));
    let data = Resource::new(move || filter.get(), read);
    view! {
        <Title text="Documents" />
        <Transition fallback=|| view! { <p class="loading">"Loading the documents …"</p> }>
            {move || Suspend::new(async move {
                match data.await {
                    Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                    Ok(data) => view! { <Documents data /> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// The filter that an address asks for. What is no kind asks for nothing.
fn filter_of(query: &ParamsMap) -> DocumentFilter {
    DocumentFilter {
        kind: query.get("kind").and_then(|kind| kind.parse().ok()),
        search: query.get("q").unwrap_or_default().trim().to_owned(),
        ..DocumentFilter::default()
    }
}

/// The address of a filter.
fn address_of(kind: &str, search: &str) -> String {
    let mut query = ParamsMap::new();
    for (name, value) in [("kind", kind), ("q", search.trim())] {
        if !value.is_empty() {
            query.insert(name, value.to_owned());
        }
    }
    format!("/documents{}", query.to_query_string())
}

#[component]
fn Documents(data: PageData) -> impl IntoView {
    let PageData { filter, kinds, page } = data;
    let problem = RwSignal::new(None::<String>);
    let importer = Importer::new(problem, Some(Exported::Document));
    let is_filtered = filter.kind.is_some() || !filter.search.is_empty();
    let makes = !kinds.is_empty();
    let offered = kinds.clone();
    view! {
        <div class="page documents-page" class:dropping=importer.is_over on:dragover=move |event| importer.drag_over(&event) on:dragleave=move |event| importer.drag_leave(&event) on:drop=move |event| importer.drop(&event)>
            <header class="page-head">
                <h1>"Documents"</h1>
                {makes.then(|| view! {
                    <div class="page-acts">
                        <ImportButton importer label="File of a document" accept=".json,application/json" title="Take in a document that was exported; it can be dropped here as well">"Import"</ImportButton>
                        <NewDocument kinds=offered />
                    </div>
                })}
            </header>
            <FormError text=problem />
            {(is_filtered || !page.documents.is_empty()).then(|| view! { <Filters filter=filter.clone() kinds=kinds.clone() /> })}
            <List filter page kinds is_filtered />
        </div>
    }
}

/// Search box and kind. They stand in the address, so that a view can be kept, and work without scripts.
#[component]
fn Filters(filter: DocumentFilter, kinds: Vec<DocumentKindSpec>) -> impl IntoView {
    let (search, kind) = (NodeRef::<html::Input>::new(), NodeRef::<html::Select>::new());
    let navigate = use_navigate();
    let apply = move || {
        let search = search.get_untracked().map(|field| field.value()).unwrap_or_default();
        let kind = kind.get_untracked().map(|field| field.value()).unwrap_or_default();
        navigate(&address_of(&kind, &search), NavigateOptions { scroll: false, ..Default::default() });
    };
    let submit = {
        let apply = apply.clone();
        move |event: SubmitEvent| {
            event.prevent_default();
            apply();
        }
    };
    let chosen = filter.kind.map(String::from).unwrap_or_default();
    // One that nobody offers any more can be asked for all the same.
    let unknown = kinds.iter().all(|spec| spec.kind.as_str() != chosen).then(|| chosen.clone());
    let unknown = unknown.filter(|kind| !kind.is_empty()).map(|kind| (kind.clone(), kind));
    let options = kinds.into_iter().map(|spec| (spec.kind.to_string(), spec.plural)).chain(unknown);
    view! {
        <form class="filters" role="search" aria-label="Documents" method="get" action=at("/documents") on:submit=submit>
            <label class="filter">
                <span>"Search"</span>
                <input class="input" type="search" name="q" placeholder="Words of the title" node_ref=search value=filter.search />
            </label>
            <label class="filter">
                <span>"Kind"</span>
                <select class="input" name="kind" node_ref=kind on:change=move |_| apply()>
                    <option value="" selected=chosen.is_empty()>"All"</option>
                    {options.map(|(kind, name)| {
                        let selected = kind == chosen;
                        view! { <option value=kind selected=selected>{name}</option> }
                    }).collect_view()}
                </select>
            </label>
            <button type="submit" class="button">"Search"</button>
        </form>
    }
}

#[component]
fn List(
    filter: DocumentFilter,
    page: DocumentPage,
    kinds: Vec<DocumentKindSpec>,
    is_filtered: bool,
) -> impl IntoView {
    let DocumentPage { documents, next } = page;
    let (documents, next) = (RwSignal::new(documents), RwSignal::new(next));
    let deleting = RwSignal::new(None::<(DocumentId, String)>);
    let more = Action::new(move |filter: &DocumentFilter| {
        let filter = filter.clone();
        async move {
            let page = api::list(filter).await?;
            next.try_set(page.next);
            documents.try_update(|documents| documents.extend(page.documents));
            Ok::<(), ApiError>(())
        }
    });
    let load = move |_| {
        if !more.pending().get_untracked() {
            more.dispatch(DocumentFilter { after: next.get_untracked(), ..filter.clone() });
        }
    };
    let failed = move || more.value().with(|answer| answer.as_ref()?.as_ref().err().map(ToString::to_string));
    let is_empty = Memo::new(move |_| documents.with(Vec::is_empty));
    let makes = !kinds.is_empty();
    let kinds = StoredValue::new(kinds);
    view! {
        {move || match is_empty.get() {
            true if is_filtered => view! { <NoMatch /> }.into_any(),
            true => view! { <NoDocuments makes /> }.into_any(),
            false => view! {
                <div class="card table-card">
                    <DataTable caption="Documents, those that were changed last first" columns=vec!["Title", "Kind", "#Version", "#Size", "Changed (UTC)"]>
                        <For each=move || documents.get() key=|document| (document.id, document.version, document.changed_at) let:document>
                            <Row kind=kind_name(&kinds.read_value(), &document) document deleting />
                        </For>
                    </DataTable>
                </div>
            }.into_any(),
        }}
        <Show when=move || next.get().is_some()>
            <PaperNote text="Further documents are not on this paper: load them before it is printed.".to_owned() />
            <p class="load-more">
                <button type="button" class="button" on:click=load.clone() aria-disabled=move || more.pending().get().then_some("true")>
                    {move || if more.pending().get() { "Loading …" } else { "Load further documents" }}
                </button>
                {move || failed().map(|error| view! { <span class="fault" role="alert">{error}</span> })}
            </p>
        </Show>
        <DeleteDocument asked=deleting on_deleted=move |id| {
            documents.try_update(|documents| documents.retain(|document| document.id != id));
        } />
    }
}

/// What a document's kind is called; the kind itself where nobody offers it any more.
fn kind_name(kinds: &[DocumentKindSpec], document: &DocumentSummary) -> String {
    let spec = kinds.iter().find(|spec| spec.kind == document.kind);
    spec.map_or_else(|| document.kind.to_string(), |spec| spec.label.clone())
}

#[component]
fn Row(
    document: DocumentSummary,
    kind: String,
    deleting: RwSignal<Option<(DocumentId, String)>>,
) -> impl IntoView {
    let DocumentSummary { id, title, version, bytes, changed_at, .. } = document;
    let title = title.to_string();
    let (asked, label) = (title.clone(), format!("Delete {title}"));
    view! {
        <tr role="row" class="document-row">
            <Cell label="Title"><a class="row-link" href=at(format!("/documents/{id}"))>{title}</a></Cell>
            <Cell label="Kind">{kind}</Cell>
            <Cell label="Version" numeric=true>{version.to_string()}</Cell>
            <Cell label="Size" numeric=true>{format::bytes(bytes)}</Cell>
            <Cell label="Changed (UTC)">
                <span class="row-end">
                    <time datetime=changed_at.to_string()>{format::moment(changed_at)}</time>
                    <button type="button" class="icon-button above-row row-delete" aria-label=label title="Delete" on:click=move |_| deleting.set(Some((id, asked.clone())))>
                        <Icon name=IconName::Trash />
                    </button>
                </span>
            </Cell>
        </tr>
    }
}

#[component]
fn NoMatch() -> impl IntoView {
    view! {
        <Empty title="No document matches">
            <p>"No document is of this kind and has these words in its title."</p>
            <p><a class="button" href=at("/documents")>"Show all documents"</a></p>
        </Empty>
    }
}

#[component]
fn NoDocuments(makes: bool) -> impl IntoView {
    view! {
        <Empty title="There is no document yet">
            {if makes {
                "Make one with “New”, or drop a file here that was exported. Every version that you save is kept."
            } else {
                "This version of Pitwall has no kinds of document, so there is nothing to be made here."
            }}
        </Empty>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_is_asked_for() {
        let query = |pairs: &[(&'static str, &str)]| {
            let mut query = ParamsMap::new();
            pairs.iter().for_each(|(name, value)| query.insert(*name, (*value).to_owned()));
            query
        };
        let filter = filter_of(&query(&[("kind", "part"), ("q", " week 48 ")]));
        assert_eq!((filter.kind, filter.search.as_str()), ("part".parse().ok(), "week 48"));
        assert_eq!(filter_of(&query(&[("kind", "../part")])), DocumentFilter::default());
        assert_eq!(address_of("", "  "), "/documents");
        assert_eq!(address_of("part", "a&b"), "/documents?kind=part&q=a%26b");
    }
}
