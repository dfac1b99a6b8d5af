//! `/prices`: tables of own prices, and where they come in from files.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};
use leptos_meta::Title;
use protocol::{
    document::{DocumentContent, DocumentFilter, DocumentId, DocumentSummary, NewDocument},
    trading::{InstrumentPreview, OwnAdjustment, PriceTable, TablePreview},
};
use serde_json::Value;

use super::{
    api as own_api,
    csv_file::{ChooseCsv, CsvFile, LineErrors},
};
use crate::{
    api::documents,
    base::at,
    components::{
        notice::{FormError, ProblemNotice},
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// Where the page is.
pub const PRICES: &str = "/prices";
/// The most tables that the page lists; the list of documents has all.
const LISTED: u32 = 200;
/// The most instruments of a table that are shown.
const SHOWN: usize = 50;

/// The page.
#[component]
pub fn PricesPage() -> impl IntoView {
    let tables = Resource::new(
        || (),
        |()| {
            let filter = DocumentFilter {
                kind: PriceTable::kind(),
                limit: Some(LISTED),
                ..DocumentFilter::default()
            };
            documents::list(filter)
        },
    );
    let changed = Callback::new(move |()| tables.refetch());
    view! {
        <Title text="Own prices" />
        <div class="page prices-page">
            <header class="page-head">
                <h1>"Own prices"</h1>
                <div class="page-acts">
                    <a class="button" href=at("/documents?kind=prices")>"As documents"</a>
                </div>
            </header>
            <p class="dim">
                "A table of your own is asked before all other prices by the runs that name it. A portfolio that has traded at it is valued by it from then on; all others are valued at the prices that are shared."
            </p>
            <TableImport on_kept=changed />
            <Transition fallback=|| view! { <p class="loading">"Loading the tables …"</p> }>
                {move || Suspend::new(async move {
                    match tables.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(page) if page.documents.is_empty() => view! {
                            <Empty title="There is no table yet">"Choose a CSV file above."</Empty>
                        }.into_any(),
                        Ok(page) => view! { <Tables tables=page.documents on_deleted=changed /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

/// A file is chosen, looked at, and kept under a title.
#[component]
fn TableImport(on_kept: Callback<()>) -> impl IntoView {
    let title = RwSignal::new(String::new());
    let adjustment = RwSignal::new(OwnAdjustment::default());
    let csv = RwSignal::new(None::<String>);
    let preview = RwSignal::new(None::<TablePreview>);
    let (problem, busy) = (RwSignal::new(None::<String>), RwSignal::new(false));
    let read = Callback::new(move |file: Option<CsvFile>| {
        preview.set(None);
        csv.set(None);
        let Some(CsvFile { name, text }) = file else { return };
        busy.set(true);
        spawn_local(async move {
            let seen = own_api::preview_prices(text.clone()).await;
            busy.try_set(false);
            match seen {
                Ok(seen) => {
                    title.try_set(name);
                    csv.try_set(Some(text));
                    preview.try_set(Some(seen));
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    });
    let keep = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(csv_text) = csv.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        let request = match new_table(&title.get_untracked(), adjustment.get_untracked(), csv_text) {
            Ok(request) => request,
            Err(why) => return problem.set(Some(why)),
        };
        busy.set(true);
        spawn_local(async move {
            let kept = documents::create(request).await;
            busy.try_set(false);
            match kept {
                Ok(_) => {
                    problem.try_set(None);
                    csv.try_set(None);
                    preview.try_set(None);
                    on_kept.try_run(());
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let is_good = move || preview.with(|seen| seen.as_ref().is_some_and(|seen| seen.errors.is_empty()));
    view! {
        <section class="card price-import" aria-label="Import a table">
            <p>
                "A CSV file with the columns " <code>"ticker"</code> ", " <code>"date"</code> " and " <code>"close"</code>
                ", and where you have them " <code>"open"</code> ", " <code>"high"</code> ", " <code>"low"</code> ", "
                <code>"volume"</code> ", " <code>"dividend"</code> ", " <code>"split"</code> " and "
                <code>"currency"</code> ", at most 500 KiB."
            </p>
            <ChooseCsv label="File of prices" busy problem on_read=read />
            <FormError text=problem />
            {move || preview.get().map(|preview| view! { <Preview preview /> })}
            <Show when=is_good>
                <form on:submit=keep>
                    <div class="field">
                        <label for="table-title">"Title"</label>
                        <input id="table-title" class="input" type="text" maxlength="120" autocomplete="off" prop:value=title on:input=move |event| title.set(event_target_value(&event)) />
                    </div>
                    <div class="field">
                        <label for="table-adjustment">"Prices are adjusted for"</label>
                        <select id="table-adjustment" class="input" on:change=move |event| adjustment.set(adjustment_of(&event_target_value(&event)))>
                            {OwnAdjustment::ALL.map(|choice| view! {
                                <option value=choice.label() selected=move || adjustment.get() == choice>{choice.label()}</option>
                            }).into_iter().collect_view()}
                        </select>
                    </div>
                    <button type="submit" class="button primary" disabled=busy>"Keep the table"</button>
                </form>
            </Show>
        </section>
    }
}

fn adjustment_of(label: &str) -> OwnAdjustment {
    OwnAdjustment::ALL.into_iter().find(|known| known.label() == label).unwrap_or_default()
}

/// The request that keeps a table.
fn new_table(title: &str, adjustment: OwnAdjustment, csv: String) -> Result<NewDocument, String> {
    let title = title.trim().parse().map_err(|_| "Give the table a title of at most 120 characters.".to_owned())?;
    let kind = PriceTable::kind().ok_or("Tables have no kind of document.")?;
    let Ok(Value::Object(fields)) = serde_json::to_value(PriceTable { adjustment, csv }) else {
        return Err("The table has no JSON form.".to_owned());
    };
    let content = DocumentContent::new(fields).map_err(|error| format!("The table cannot be kept: {error}."))?;
    Ok(NewDocument { kind, title, content })
}

/// What is in a table, or what is wrong with it line by line.
#[component]
fn Preview(preview: TablePreview) -> impl IntoView {
    let TablePreview { instruments, errors, more_errors } = preview;
    if !errors.is_empty() {
        return view! { <LineErrors errors more=more_errors /> }.into_any();
    }
    let count = instruments.len();
    let rows = instruments.into_iter().take(SHOWN).map(|instrument| view! { <InstrumentRow instrument /> });
    let left_out = (count > SHOWN)
        .then(|| view! { <p class="dim">{format!("{SHOWN} of {count} instruments are shown.")}</p> });
    view! {
        <div class="price-preview" role="status">
            <DataTable caption="What the table holds" columns=vec!["Ticker", "#Days", "From", "To", "#Dividends", "#Splits"]>
                {rows.collect_view()}
            </DataTable>
            {left_out}
        </div>
    }
    .into_any()
}

#[component]
fn InstrumentRow(instrument: InstrumentPreview) -> impl IntoView {
    let InstrumentPreview { ticker, days, from, to, dividends, splits } = instrument;
    let day = |day: Option<protocol::Date>| day.map_or_else(|| "no price".to_owned(), |day| day.to_string());
    view! {
        <tr role="row">
            <Cell label="Ticker">{ticker.to_string()}</Cell>
            <Cell label="Days" numeric=true>{format::count(days)}</Cell>
            <Cell label="From">{day(from)}</Cell>
            <Cell label="To">{day(to)}</Cell>
            <Cell label="Dividends" numeric=true>{format::count(dividends)}</Cell>
            <Cell label="Splits" numeric=true>{format::count(splits)}</Cell>
        </tr>
    }
}

#[component]
fn Tables(tables: Vec<DocumentSummary>, on_deleted: Callback<()>) -> impl IntoView {
    let problem = RwSignal::new(None::<String>);
    let asked = RwSignal::new(None::<DocumentId>);
    let delete = move |id: DocumentId| {
        // The first press asks, the second one deletes.
        if asked.get_untracked() != Some(id) {
            return asked.set(Some(id));
        }
        asked.set(None);
        spawn_local(async move {
            match documents::delete(id).await {
                Ok(()) => {
                    on_deleted.try_run(());
                }
                Err(error) => {
                    problem.try_set(Some(error.to_string()));
                }
            }
        });
    };
    let rows = tables.into_iter().map(move |table| {
        let DocumentSummary { id, title, version, changed_at, .. } = table;
        let name = title.to_string();
        let label = {
            let name = name.clone();
            move || if asked.get() == Some(id) { format!("Delete {name} for good") } else { format!("Delete {name}") }
        };
        view! {
            <tr role="row">
                <Cell label="Table"><a href=at(format!("/documents/{id}"))>{name}</a></Cell>
                <Cell label="Version" numeric=true>{version.to_string()}</Cell>
                <Cell label="Changed (UTC)"><time datetime=changed_at.to_string()>{format::moment(changed_at)}</time></Cell>
                <Cell label="Acts">
                    <span class="table-acts">
                        <a href=at(format!("/start?type=pipeline&prices={id}"))>"Analyse"</a>
                        <a href=at(format!("/start?type=backtest&prices={id}"))>"Backtest"</a>
                        <a href=at(format!("/start?type=auto&prices={id}"))>"Trade"</a>
                        <button type="button" class="quiet-button" aria-label=label on:click=move |_| delete(id)>
                            {move || if asked.get() == Some(id) { "Delete for good" } else { "Delete" }}
                        </button>
                    </span>
                </Cell>
            </tr>
        }
    });
    view! {
        <FormError text=problem />
        <div class="card table-card">
            <DataTable caption="Tables, those that were changed last first" columns=vec!["Table", "#Version", "Changed (UTC)", "Acts"]>
                {rows.collect_view()}
            </DataTable>
        </div>
    }
}
