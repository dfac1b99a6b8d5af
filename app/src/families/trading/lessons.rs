//! `/lessons`: what was learnt from earlier ratings, searched by words.

use leptos::{ev::SubmitEvent, html, prelude::*};
use leptos_meta::Title;
use leptos_router::{
    NavigateOptions,
    hooks::{use_navigate, use_query_map},
    params::ParamsMap,
};
use protocol::{
    grouped,
    trading::{LessonFilter, LessonPage, ListedLesson, Measured},
};

use super::{
    api as own_api,
    lesson_cards::{LessonText, Return, tone_of},
    ticker::TickerLink,
};
use crate::{
    base::at,
    components::{
        notice::ProblemNotice,
        table::{Cell, DataTable, Empty},
    },
    format,
};

/// Where the page is.
pub const LESSONS: &str = "/lessons";

/// The page.
#[component]
pub fn LessonsPage() -> impl IntoView {
    let query = use_query_map();
    let search = Memo::new(move |_| query.with(|query| query.get("q").unwrap_or_default().trim().to_owned()));
    let page = Resource::new(
        move || search.get(),
        |search| own_api::lessons(LessonFilter { search, ..LessonFilter::default() }),
    );
    view! {
        <Title text="Lessons" />
        <div class="page lessons-page">
            <header class="page-head">
                <h1>"Lessons"</h1>
                <div class="page-acts">
                    <a class="button primary" href=at("/start?type=reflect")>"New reflection"</a>
                </div>
            </header>
            <p class="dim">
                "Each rating is held against the index once 30 days have passed. What is learnt from it is told to the agents of later runs, and to no run as of a day before the outcome was known."
            </p>
            <Transition fallback=|| view! { <p class="loading">"Loading the lessons …"</p> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Err(error) => view! { <ProblemNotice problem=error.0 /> }.into_any(),
                        Ok(page) => view! { <List search=search.get_untracked() page /> }.into_any(),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn List(search: String, page: LessonPage) -> impl IntoView {
    let LessonPage { lessons, total } = page;
    let is_searched = !search.is_empty();
    let shown = lessons.len();
    let is_empty = lessons.is_empty();
    let mut columns = vec!["Known", "Ticker", "Decision", "#Stock", "#Against the index", "Outcome", "Lesson"];
    if is_searched {
        columns.push("#Fits");
    }
    let rows = lessons.into_iter().map(|listed| view! { <Row listed /> }).collect_view();
    let count = match total {
        1 => "1 lesson".to_owned(),
        total if shown < total as usize => format!("{shown} of {} lessons", format::count(total.into())),
        total => format!("{} lessons", format::count(total.into())),
    };
    let table = move || {
        view! {
            <p class="dim" aria-live="polite">{count}</p>
            <DataTable caption="Lessons" columns=columns>{rows}</DataTable>
        }
    };
    view! {
        {(is_searched || !is_empty).then(|| view! { <SearchField search=search.clone() /> })}
        {match (is_empty, is_searched) {
            (false, _) => table().into_any(),
            (true, true) => view! {
                <Empty title="No lesson has any of these words">
                    <p><a href=at(LESSONS)>"Show all lessons"</a></p>
                </Empty>
            }
            .into_any(),
            (true, false) => view! {
                <Empty title="There is no lesson yet">
                    <p>"A reflection looks back at your ratings and writes a lesson from each whose outcome is known."</p>
                </Empty>
            }
            .into_any(),
        }}
    }
}

/// The search field. It stands in the address, so that a view can be kept, and works without scripts.
#[component]
fn SearchField(search: String) -> impl IntoView {
    let field = NodeRef::<html::Input>::new();
    let navigate = use_navigate();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let words = field.get_untracked().map(|field| field.value()).unwrap_or_default();
        let options = NavigateOptions { scroll: false, ..Default::default() };
        navigate(&address_of(&words), options);
    };
    view! {
        <form class="filters" role="search" aria-label="Lessons" method="get" action=at(LESSONS) on:submit=submit>
            <label class="filter">
                <span>"Search"</span>
                <input class="input" type="search" name="q" placeholder="Ticker, sector or words of a lesson" node_ref=field value=search />
            </label>
            <button type="submit" class="button">"Search"</button>
        </form>
    }
}

/// The address of a search.
fn address_of(search: &str) -> String {
    let mut query = ParamsMap::new();
    if !search.trim().is_empty() {
        query.insert("q", search.trim().to_owned());
    }
    format!("{LESSONS}{}", query.to_query_string())
}

#[component]
fn Row(listed: ListedLesson) -> impl IntoView {
    let ListedLesson { lesson, written_by, relevance } = listed;
    let score = lesson.score;
    let relevance = relevance.map(|relevance| {
        view! { <Cell label="Fits" numeric=true>{grouped(relevance, 2)}</Cell> }
    });
    view! {
        <tr role="row">
            <Cell label="Known"><a href=at(format!("/runs/{written_by}"))>{format::day(score.until)}</a></Cell>
            <Cell label="Ticker"><TickerLink ticker=lesson.ticker /></Cell>
            <Cell label="Decision">
                <a href=at(format!("/runs/{}", lesson.decided_by))>{format!("{} of {}", lesson.grade, format::day(lesson.decided))}</a>
            </Cell>
            <Cell label="Stock" numeric=true><Return value=Measured::Known(score.stock_return) /></Cell>
            <Cell label="Against the index" numeric=true><Return value=score.excess /></Cell>
            <Cell label="Outcome"><span class=format!("sign {}", tone_of(lesson.verdict).class())>{lesson.verdict.to_string()}</span></Cell>
            <Cell label="Lesson">
                <LessonText situation=lesson.situation entry_advice=lesson.entry_advice exit_advice=lesson.exit_advice />
            </Cell>
            {relevance}
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_stands_in_the_address() {
        assert_eq!(address_of(" "), "/lessons");
        assert_eq!(address_of("oil & gas"), "/lessons?q=oil%20%26%20gas");
    }
}
