//! The bar above every page.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{access::AccountLink, search::SearchBox, theme::ThemeToggle};

use crate::{
    base::{at, is_below, within},
    families,
    shell::offers_documents,
};

/// Logo, pages, search, theme.
#[component]
pub fn TopBar() -> impl IntoView {
    view! {
        <header class="top-bar">
            <a class="logo" href=at("/") aria-label="Pitwall, overview">
                <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
                    <rect class="logo-ground" width="32" height="32" rx="8" />
                    <path class="logo-mark" d="M8 23V9h7a5 5 0 0 1 0 10H8M19 23h5" />
                </svg>
                <span class="logo-word">"Pitwall"</span>
            </a>
            <nav class="pages" aria-label="Pages">
                {page_link("/", "Overview", below(&["/", "/start"]))}
                {page_link("/runs", "Runs", below(&["/runs"]))}
                {offers_documents().then(|| page_link("/documents", "Documents", below(&["/documents"])))}
                {families::own_pages().map(|page| page_link(&page.path, &page.name, below(&page.below))).collect_view()}
            </nav>
            <SearchBox />
            <ThemeToggle />
            <AccountLink />
        </header>
    }
}

/// Whether a page's path is one of these, or below.
fn below<Root: AsRef<str> + Sync + 'static>(
    roots: &'static [Root],
) -> impl Fn(&str) -> bool + Send + Sync + 'static {
    move |path: &str| roots.iter().any(|root| is_below(path, root.as_ref()))
}

/// A page's link; it is marked on the page itself and on those that belong to it.
fn page_link(
    href: &str,
    name: &'static str,
    is_marked: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> impl IntoView {
    let path = use_location().pathname;
    let current = move || path.with(|path| is_marked(within(path))).then_some("page");
    view! {
        <a class="page-link" href=at(href) aria-current=current>
            {name}
        </a>
    }
}
