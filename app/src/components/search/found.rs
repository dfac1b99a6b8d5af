//! What the search finds: runs, subjects and pages.

use std::time::Duration;

use leptos::{ev, prelude::*};
use leptos_router::hooks::use_navigate;
use protocol::{RunFilter, Subject};

use super::{SearchField, found_note};
use crate::{
    api,
    browser::lowercase,
    components::icon::{Icon, IconName},
    families,
};

/// Hits of each sort at most.
const HITS: u32 = 6;

/// How long typing pauses before the server is asked.
const PAUSE: Duration = Duration::from_millis(150);

const PAGES: &[(&str, &str)] = &[("Overview", "/"), ("Start a run", "/start"), ("Runs", "/runs")];

/// One place that the search leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hit {
    icon: IconName,
    label: String,
    detail: String,
    path: String,
}

/// What was found for some words.
#[derive(Clone, Debug, Default, PartialEq)]
struct Found {
    words: String,
    hits: Vec<Hit>,
    problem: Option<String>,
}

/// The hits below the box.
pub fn draw(field: SearchField) -> AnyView {
    let words = field.words;
    let chosen = RwSignal::new(0_usize);
    let found = RwSignal::new(Found::default());
    let subjects = RwSignal::new(None::<Vec<Subject>>);

    let ask = Action::new(move |asked: &String| {
        let asked = asked.clone();
        async move {
            if subjects.with_untracked(Option::is_none) {
                subjects.try_set(Some(api::subjects().await.unwrap_or_default()));
            }
            let answer = find(&asked, subjects.try_get_untracked().flatten().unwrap_or_default()).await;
            // An answer to words that were changed meanwhile is of no use.
            if words.try_with_untracked(|now| now.trim() == asked).unwrap_or(false) {
                chosen.try_set(0);
                found.try_set(answer);
            }
        }
    });
    let mut ask_later = debounce(PAUSE, move |asked: String| {
        ask.dispatch(asked);
    });
    Effect::new(move || {
        let asked = words.with(|words| words.trim().to_owned());
        if !asked.is_empty() {
            ask_later(asked);
        }
    });
    Effect::new(move || {
        let any = found.with(|found| !found.hits.is_empty());
        field.chosen.set(any.then(|| id_of(chosen.get())));
    });

    let navigate = use_navigate();
    let go = Callback::new(move |hit: Hit| {
        words.set(String::new());
        field.leave();
        navigate(&hit.path, Default::default());
    });
    let keys = move |event: ev::KeyboardEvent| {
        let count = found.with_untracked(|found| found.hits.len());
        match event.key().as_str() {
            "ArrowDown" if count > 0 => chosen.update(|index| *index = (*index + 1) % count),
            "ArrowUp" if count > 0 => chosen.update(|index| *index = (*index + count - 1) % count),
            "Enter" => {
                let hit = found.with_untracked(|found| found.hits.get(chosen.get_untracked()).cloned());
                match hit {
                    Some(hit) if field.is_open.get_untracked() => go.run(hit),
                    _ => return,
                }
            }
            _ => return,
        }
        event.prevent_default();
    };
    field.keys.set(Some(Callback::new(keys)));
    (move || hit_list(found.get(), words.get(), chosen, go)).into_any()
}

fn id_of(index: usize) -> String {
    format!("search-hit-{index}")
}

fn hit_list(found: Found, words: String, chosen: RwSignal<usize>, go: Callback<Hit>) -> AnyView {
    if found.words != words.trim() {
        return found_note("Searching …");
    }
    if let Some(problem) = found.problem {
        return found_note(problem);
    }
    if found.hits.is_empty() {
        return found_note("Nothing is called that. Titles hold the ticker or portfolio and the date.");
    }
    let hits = found.hits.into_iter().enumerate();
    hits.map(|(index, hit)| {
        let (label, detail, icon) = (hit.label.clone(), hit.detail.clone(), hit.icon);
        view! {
            <div
                class="search-hit"
                role="option"
                id=id_of(index)
                aria-selected=move || (chosen.get() == index).to_string()
                // The press comes before the box loses the focus and closes the list.
                on:pointerdown=move |event| {
                    event.prevent_default();
                    go.run(hit.clone());
                }
            >
                <Icon name=icon />
                <span class="search-hit-label">{label}</span>
                <span class="search-hit-detail">{detail}</span>
            </div>
        }
    })
    .collect_view()
    .into_any()
}

async fn find(words: &str, subjects: Vec<Subject>) -> Found {
    let mut hits = local_hits(words, &subjects);
    let filter = RunFilter { search: words.to_owned(), limit: Some(HITS), ..RunFilter::default() };
    let mut problem = None;
    match api::listed_runs(filter).await {
        Ok(page) => hits.extend(page.runs.into_iter().map(|run| Hit {
            icon: IconName::Route,
            detail: run.result.unwrap_or_else(|| run.status.label().to_owned()),
            label: run.title,
            path: format!("/runs/{}", run.run),
        })),
        Err(error) => problem = Some(error.to_string()),
    }
    Found { words: words.to_owned(), problem: problem.filter(|_| hits.is_empty()), hits }
}

/// Pages and subjects need no server.
fn local_hits(words: &str, subjects: &[Subject]) -> Vec<Hit> {
    let words = lowercase(words);
    let begins = |text: &str| lowercase(text).split_whitespace().any(|word| word.starts_with(&words));
    let own = families::own_pages().map(|page| (page.name.as_str(), page.path.as_str()));
    let pages = PAGES.iter().copied().chain(own).filter(|(name, _)| begins(name)).map(|(name, path)| Hit {
        icon: IconName::Document,
        label: name.to_owned(),
        detail: "page".into(),
        path: path.to_owned(),
    });
    let found = subjects.iter().filter(|subject| begins(&subject.word) || begins(&subject.name));
    let runs = found.take(HITS as usize).map(|Subject { word, name }| Hit {
        icon: IconName::Chart,
        label: format!("{word} · {name}"),
        detail: "its runs".into(),
        path: format!("/runs?q={}", word.replace('^', "%5E")),
    });
    pages.chain(runs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(word: &str, name: &str) -> Subject {
        Subject { word: word.into(), name: name.into() }
    }

    #[test]
    fn a_subject_is_found_by_its_word_and_by_a_word_of_its_name() {
        let all = [subject("AAPL", "Apple Inc."), subject("XOM", "Exxon Mobil")];
        assert_eq!(local_hits("aap", &all)[0].label, "AAPL · Apple Inc.");
        assert_eq!(local_hits("mob", &all)[0].path, "/runs?q=XOM");
        assert!(local_hits("zzz", &all).is_empty());
    }

    #[test]
    fn a_page_is_found_by_its_name() {
        assert_eq!(local_hits("over", &[])[0].path, "/");
        assert_eq!(local_hits("portf", &[])[0].path, "/portfolio", "a family's own");
    }
}
