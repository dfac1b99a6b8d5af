//! What only one family shows: a folder each, a style sheet each in `public/families`, and one line in the list
//! below. Whatever is not in the list is shown by its general form.

use leptos::prelude::*;
use protocol::{ListedRun, Product, WorkflowKind};

use crate::pages::runs::list::RunList;

/// Makes a module of each family, and asks each in turn. A family answers `None` where it shows nothing of
/// its own.
macro_rules! families {
    ($($family:ident,)*) => {
        $(pub mod $family;)*

        /// The family's own card of a product, whose whole data are `data`.
        pub fn card(product: &Product, data: &str) -> Option<AnyView> {
            match product.kind.family() {
                $(stringify!($family) => $family::card(product, data),)*
                _ => None,
            }
        }

        /// The family's own view of what a person is asked to approve in a run of this kind.
        pub fn approval(kind: &WorkflowKind, subject: &str) -> Option<AnyView> {
            None$(.or_else(|| $family::approval(kind, subject)))*
        }

        /// The families' own sections of the overview, which may follow the runs.
        pub fn overview(list: RwSignal<RunList>) -> Vec<AnyView> {
            [$($family::overview(list)),*].into_iter().flatten().collect()
        }

        /// The families' own style sheets, which the parts of the program load that draw what families have of
        /// their own.
        pub const STYLE_SHEETS: &[&str] = &[$(concat!("/families/", stringify!($family), ".css")),*];

        /// The families' own pages in the bar above every page.
        pub const PAGES: &[FamilyPage] = &[$($family::PAGE),*];
    };
}

families! {
    trading,
}

/// A family's own page, as the bar above every page leads to it.
pub struct FamilyPage {
    /// Its name.
    pub name: &'static str,
    /// Where it is.
    pub path: &'static str,
    /// The addresses that belong to it.
    pub below: &'static [&'static str],
}

/// What a run is about, in a word or two.
pub fn subject_of(run: &ListedRun) -> String {
    run.subject.clone().unwrap_or_else(|| run.kind().to_string())
}
