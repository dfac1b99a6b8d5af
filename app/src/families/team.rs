//! What only teams show: who speaks next and what they came to as cards, their files, and each as a form with its
//! exports.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
mod cards;
mod conditions;
mod edit;
mod findings;
mod going_on;
mod import;
mod page;
mod runs;
mod speaking;
mod teams;

use leptos::prelude::*;
use protocol::{
    Product, ProductData, WorkflowKind,
    team::{TeamPick, TeamResult},
};

use self::{
    cards::{PickCard, ResultCard},
    page::TeamPage,
    teams::TeamsPage,
};
use super::{FamilyAddress, Section, Views};
use crate::pages::not_found::NotFoundPage;

/// What the pages know of teams before their parts are there.
#[cfg(not(feature = "hydrate"))]
pub fn outline() -> super::Outline {
    super::Outline {
        family: "team".to_owned(),
        page: Some(super::FamilyPage {
            name: "Teams".to_owned(),
            path: ALL.to_owned(),
            below: vec![ALL.to_owned()],
        }),
    }
}

/// What teams show of their own on the pages of runs.
pub fn views() -> Views {
    Views {
        card,
        approval,
        beside: Some(speaking::beside),
        above_transcript: Some(going_on::earlier),
        below_transcript: Some(going_on::composer),
    }
}

/// Teams have no section of the overview.
pub const OVERVIEW: Option<Section> = None;

/// The address of all teams, below which each has its form and its exports.
const ALL: &str = "/teams";

/// The pages of the teams.
pub fn pages() -> AnyView {
    let address = FamilyAddress::open();
    let is_all = Memo::new(move |_| address.with(|address| address == ALL));
    let id = Memo::new(move |_| address.with(|address| team_at(address).map(str::to_owned)));
    let is_one = Memo::new(move |_| id.with(Option::is_some));
    let shown = move || match (is_all.get(), is_one.get()) {
        (true, _) => view! { <TeamsPage /> }.into_any(),
        (false, true) => view! { <TeamPage id=Signal::derive(move || id.get().unwrap_or_default()) /> }.into_any(),
        (false, false) => view! { <NotFoundPage /> }.into_any(),
    };
    shown.into_any()
}

/// The team whose exports are at this address.
fn team_at(address: &str) -> Option<&str> {
    let id = address.strip_prefix(ALL)?.strip_prefix('/')?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// The card of a product; `None` if its data are not what its kind promises.
fn card(product: &Product, data: &str) -> Option<AnyView> {
    fn read<D: ProductData>(product: &Product, data: &str) -> Option<D> {
        product.holds::<D>().then(|| serde_json::from_str(data).ok()).flatten()
    }
    if let Some(pick) = read::<TeamPick>(product, data) {
        Some(view! { <PickCard pick /> }.into_any())
    } else {
        read::<TeamResult>(product, data).map(|result| view! { <ResultCard result /> }.into_any())
    }
}

/// Nothing of a team has a form of its own that is approved.
fn approval(_: &WorkflowKind, _: &str) -> Option<AnyView> {
    None
}
