//! The bar above every page.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::{access::AccountLink, piece::Piece, search::SearchBox, theme::ThemeToggle};

use crate::{
    base::{at, within},
    families,
    shell::offers_documents,
};

/// Logo, pages, search, theme.
#[component]
pub fn TopBar() -> impl IntoView {
    view! {
        <header class="top-bar">
            <Piece>
                <a class="logo" href=at("/") aria-label="Pitwall, overview">
                    <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
                        <rect class="logo-ground" width="32" height="32" rx="8" />
                        <path class="logo-mark" d="M8 23V9h7a5 5 0 0 1 0 10H8M19 23h5" />
                    </svg>
                    <span class="logo-word">"Pitwall"</span>
                </a>
                <nav class="pages" aria-label="Pages">
                    <PageLink href="/" name="Overview" below=&["/", "/start"] />
                    <PageLink href="/runs" name="Runs" below=&["/runs"] />
                    {offers_documents().then(|| view! { <PageLink href="/documents" name="Documents" below=&["/documents"] /> })}
                    {families::PAGES.iter().map(|page| view! { <PageLink href=page.path name=page.name below=page.below /> }).collect_view()}
                </nav>
                <SearchBox />
                <ThemeToggle />
            </Piece>
            <AccountLink />
        </header>
    }
}

/// A page's link; it is marked on the page itself and on those below it.
#[component]
fn PageLink(href: &'static str, name: &'static str, below: &'static [&'static str]) -> impl IntoView {
    let path = use_location().pathname;
    let current =
        move || path.with(|path| below.iter().any(|root| is_below(within(path), root))).then_some("page");
    view! {
        <a class="page-link" href=at(href) aria-current=current>
            {name}
        </a>
    }
}

fn is_below(path: &str, root: &str) -> bool {
    match path.strip_prefix(root) {
        Some("") => true,
        Some(rest) => root != "/" && rest.starts_with('/'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn a_page_is_marked_below_itself_only() {
        assert!(is_below("/runs", "/runs"));
        assert!(is_below("/runs/1", "/runs"));
        assert!(!is_below("/runs/1", "/"));
        assert!(!is_below("/portfolios/a", "/portfolio"));
    }
}
