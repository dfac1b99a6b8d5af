//! What only one family shows: a folder each, a style sheet each in `public/families`, and one line in the list
//! below. Whatever is not in the list is shown by its general form.
//!
//! Nothing of a family is in the part of the program that all pages load. What it shows on general pages is in the
//! parts of those pages, and its own pages are a part of their own; its style sheet comes when it is first needed.
//! What has to be known before, where its pages are, is said by the server as [`Outline`].

mod loading;
mod style;

use std::sync::OnceLock;

use leptos::prelude::*;
use leptos_router::{
    PartialPathMatch, PathSegment, PossibleRouteMatch, WildcardSegment, hooks::use_params_map,
};
use protocol::{ListedRun, Product, WorkflowKind};
use serde::{Deserialize, Serialize};

#[cfg(feature = "hydrate")]
pub(crate) use self::loading::load_pages;
#[cfg(not(feature = "hydrate"))]
pub(crate) use self::style::NamedSheets;
use self::{loading::pages, style::has_style};
use crate::{
    base::is_below,
    pages::{not_found::NotFoundPage, run::Shown, runs::list::RunList},
};

/// Makes a module of each family, and a part of the program with its pages, which has the name given here. Each part
/// more makes more files of every part, as what some have in common is a file of its own: small families share one.
macro_rules! families {
    ($($family:ident { pages: $pages:ident },)*) => {
        $(pub mod $family;)*

        /// The families' names.
        const NAMES: &[&str] = &[$(stringify!($family)),*];

        /// The families' own sections of the overview, each with its family's name.
        const SECTIONS: &[(&str, Option<Section>)] = &[$((stringify!($family), $family::OVERVIEW)),*];

        /// What a family shows of its own on the pages of runs.
        fn views_of(family: &str) -> Option<Views> {
            match family {
                $(stringify!($family) => Some($family::views()),)*
                _ => None,
            }
        }

        #[cfg(not(feature = "hydrate"))]
        mod whole {
            // The program in one piece, as the server has it.

            use leptos::prelude::AnyView;

            use super::Outline;

            pub(super) fn outlines() -> Vec<Outline> {
                vec![$(super::$family::outline()),*]
            }

            /// The pages, and the part of the browser's program that they are in.
            pub(super) fn pages(family: &str) -> Option<(fn() -> AnyView, &'static str)> {
                match family {
                    $(stringify!($family) => Some((super::$family::pages, stringify!($pages))),)*
                    _ => None,
                }
            }
        }

        #[cfg(feature = "hydrate")]
        mod parts {
            // The program in parts. The splitter works on release builds; for development it stays in one piece.

            use leptos::prelude::AnyView;

            pub(super) async fn pages(family: &str) -> Option<fn() -> AnyView> {
                match family {
                    $(stringify!($family) => Some($family::pages().await),)*
                    _ => None,
                }
            }

            $(
                #[cfg(not(debug_assertions))]
                mod $family {
                    use leptos::{
                        prelude::AnyView,
                        wasm_split::{SplitLoaderError, wasm_split},
                    };

                    use crate::{families, pages::lazy::until_loaded};

                    #[wasm_split($pages, wasm_split_path = leptos::wasm_split, preload(try_load), fallible)]
                    fn $family() -> Result<fn() -> AnyView, SplitLoaderError> {
                        Ok(families::$family::pages)
                    }

                    pub(super) async fn pages() -> fn() -> AnyView {
                        loop {
                            until_loaded(try_load).await;
                            // It fails only where the file is not there.
                            if let Ok(pages) = $family().await {
                                return pages;
                            }
                        }
                    }
                }

                #[cfg(debug_assertions)]
                mod $family {
                    use leptos::prelude::AnyView;

                    use crate::families;

                    pub(super) async fn pages() -> fn() -> AnyView {
                        families::$family::pages
                    }
                }
            )*
        }
    };
}

families! {
    trading { pages: portfolio },
    resolver { pages: conversations },
    team { pages: conversations },
}

/// A part of the page of a run of this kind; `None` where a run of it has no such part.
pub type OfRun = fn(&WorkflowKind, Shown) -> Option<AnyView>;

/// What a family shows of its own on the pages of runs. Each answers `None` where the general form does.
#[derive(Clone, Copy, Debug)]
pub struct Views {
    /// The card of a product, whose whole data are given.
    pub card: fn(&Product, &str) -> Option<AnyView>,
    /// What a person is asked to approve in a run of this kind.
    pub approval: fn(&WorkflowKind, &str) -> Option<AnyView>,
    /// What stands beside a run of this kind, above what is going on; `None` for a family that has nothing there.
    pub beside: Option<OfRun>,
    /// What stands above the transcript of such a run.
    pub above_transcript: Option<OfRun>,
    /// What stands below it.
    pub below_transcript: Option<OfRun>,
}

/// A section of the overview, which may follow the runs.
pub type Section = fn(RwSignal<RunList>) -> AnyView;

/// What the pages know of a family before its pages are there: the server says it with each document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outline {
    /// The family.
    pub family: String,
    /// Its own page in the bar above every page.
    pub page: Option<FamilyPage>,
}

/// A family's own page, as the bar above every page leads to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyPage {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// The addresses that belong to it: these, and all below.
    pub below: Vec<String>,
}

/// All families in outline.
pub fn outlines() -> &'static [Outline] {
    static OUTLINES: OnceLock<Vec<Outline>> = OnceLock::new();
    #[cfg(not(feature = "hydrate"))]
    let said = whole::outlines;
    #[cfg(feature = "hydrate")]
    let said = || {
        let said = crate::browser::root_attribute("data-families");
        said.and_then(|said| serde_json::from_str(&said).ok()).unwrap_or_default()
    };
    OUTLINES.get_or_init(said)
}

/// The families' own pages.
pub fn own_pages() -> impl Iterator<Item = &'static FamilyPage> {
    outlines().iter().filter_map(|outline| outline.page.as_ref())
}

/// The family that an address belongs to.
pub(crate) fn at_address(path: &str) -> Option<&'static str> {
    let has = |page: &FamilyPage| page.below.iter().any(|root| is_below(path, root));
    let outline = outlines().iter().find(|outline| outline.page.as_ref().is_some_and(has))?;
    Some(outline.family.as_str())
}

/// What a family shows of its own on the pages of runs, once its style sheet is there.
pub(crate) fn views(family: &str) -> Signal<Option<Views>> {
    let Some((family, views)) = known(family).zip(views_of(family)) else {
        return Signal::stored(None);
    };
    let has_style = has_style(family);
    Signal::derive(move || has_style.get().then_some(views))
}

/// The families' own sections of the overview. They come after the page: what runs and what waits is there without
/// what they have to ask for.
pub fn overview(list: RwSignal<RunList>) -> impl IntoView {
    let is_alive = RwSignal::new(false);
    Effect::new(move |_| is_alive.set(true));
    let sections = move || {
        let sections = SECTIONS.iter().filter_map(|(family, section)| {
            let (section, has_style) = ((*section)?, has_style(family));
            Some(move || has_style.get().then(|| section(list)))
        });
        sections.collect_view()
    };
    move || is_alive.get().then(sections)
}

/// A family's name, if there is such a one.
fn known(family: &str) -> Option<&'static str> {
    NAMES.iter().copied().find(|known| *known == family)
}

/// What a run is about, in a word or two.
pub fn subject_of(run: &ListedRun) -> String {
    run.subject.clone().unwrap_or_else(|| run.kind().to_string())
}

/// The name that the rest of an address has as a parameter of the route of families' pages.
const ADDRESS: &str = "address";

/// The addresses of families' own pages, as a route matches them: the server says which they are.
#[derive(Clone, Copy, Debug)]
pub struct FamilyAddress;

impl FamilyAddress {
    /// All addresses that it may match, as the server's router writes them.
    pub const ALL: &'static str = "/{*address}";

    /// The address that is open, from its first `/` on, for as long as the page belongs to the same family.
    pub(crate) fn open() -> Memo<String> {
        let params = use_params_map();
        Memo::new(move |_| {
            params.with(|params| {
                format!("/{}", params.get_str(ADDRESS).unwrap_or_default().trim_end_matches('/'))
            })
        })
    }
}

impl PossibleRouteMatch for FamilyAddress {
    fn optional(&self) -> bool {
        false
    }

    fn test<'a>(&self, path: &'a str) -> Option<PartialPathMatch<'a>> {
        at_address(path).and_then(|_| WildcardSegment(ADDRESS).test(path))
    }

    fn generate_path(&self, path: &mut Vec<PathSegment>) {
        WildcardSegment(ADDRESS).generate_path(path);
    }
}

/// The page of a family that is at the open address.
#[component]
pub(crate) fn FamilyPages() -> impl IntoView {
    let address = FamilyAddress::open();
    let family = Memo::new(move |_| address.with(|address| at_address(address)));
    move || match family.get() {
        None => view! { <NotFoundPage /> }.into_any(),
        Some(family) => {
            let pages = pages(family);
            let shown = move || match pages.get() {
                Some(draw) => draw(),
                None => view! { <p class="loading">"Loading the page …"</p> }.into_any(),
            };
            shown.into_any()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_familys_own_pages_leads_to_it_and_no_other_does() {
        for (path, family) in [
            ("/portfolio", Some("trading")),
            ("/portfolios/main", Some("trading")),
            ("/teams", Some("team")),
            ("/portfolios-of-others", None),
            ("/runs", None),
            ("/", None),
        ] {
            assert_eq!(at_address(path), family, "{path}");
            assert_eq!(FamilyAddress.test(path).is_some(), family.is_some(), "{path}");
        }
    }

    #[test]
    fn what_the_server_says_of_families_is_read_as_it_was_said() {
        let said = serde_json::to_string(outlines()).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Outline>>(&said).unwrap(), outlines());
    }
}
