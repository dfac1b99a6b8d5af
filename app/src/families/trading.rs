//! What only trading shows: ratings, decisions and orders as cards, and its portfolios.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
mod cards;
mod chart;
mod overview;
pub mod portfolio;
pub mod portfolios;

use leptos::prelude::*;
use protocol::{
    ProductData, Product, WorkflowKind,
    trading::{Decision, Order, Rating, RejectedOrder, Task, Trade},
};

use self::{
    cards::{DecisionCard, OrdersToApprove, RatingCard, RejectedCard, TradeCard},
    overview::PortfolioCards,
};
use super::FamilyPage;
use crate::pages::runs::list::RunList;

/// The page of the portfolios.
pub const PAGE: FamilyPage =
    FamilyPage { name: "Portfolio", path: "/portfolio", below: &["/portfolio", "/portfolios"] };

/// The card of a product; `None` if its data are not what its kind promises.
pub fn card(product: &Product, data: &str) -> Option<AnyView> {
    fn read<D: ProductData>(product: &Product, data: &str) -> Option<D> {
        product.holds::<D>().then(|| serde_json::from_str(data).ok()).flatten()
    }
    if let Some(rating) = read::<Rating>(product, data) {
        Some(view! { <RatingCard rating /> }.into_any())
    } else if let Some(decision) = read::<Decision>(product, data) {
        Some(view! { <DecisionCard headline=product.headline.clone() decision /> }.into_any())
    } else if let Some(trade) = read::<Trade>(product, data) {
        Some(view! { <TradeCard trade /> }.into_any())
    } else {
        read::<RejectedOrder>(product, data).map(|rejected| view! { <RejectedCard rejected /> }.into_any())
    }
}

/// The orders that a portfolio run wants to execute.
pub fn approval(kind: &WorkflowKind, subject: &str) -> Option<AnyView> {
    if kind.as_str() != Task::PORTFOLIO {
        return None;
    }
    let orders: Vec<Order> = serde_json::from_str(subject).ok()?;
    Some(match orders.is_empty() {
        true => view! { <p>"No order is to be executed."</p> }.into_any(),
        false => view! { <OrdersToApprove orders /> }.into_any(),
    })
}

/// The portfolios in short.
pub fn overview(list: RwSignal<RunList>) -> Option<AnyView> {
    Some(view! { <PortfolioCards list /> }.into_any())
}
