//! What only trading shows: scans, ratings, decisions and orders as cards, its portfolios, its stocks, its
//! decisions, its backtests, its lessons, and own prices.

pub mod api;
#[cfg(feature = "ssr")]
pub mod backend;
mod backtest;
mod backtest_cards;
mod cards;
mod chart;
mod csv_file;
mod decision;
mod lesson_cards;
mod lessons;
mod news;
mod overview;
mod portfolio;
mod portfolios;
mod prices;
mod scan_cards;
mod ticker;

use leptos::prelude::*;
use protocol::{
    Product, ProductData, WorkflowKind,
    trading::{
        AutoResult, BacktestResult, BacktestSchedule, Decision, Lesson, MacroRegime, Order, PendingOrder, Rating,
        Reflection, RejectedOrder, Scan, Task, Trade,
    },
};

#[cfg(feature = "ssr")]
pub use self::backtest::tear_sheet;
use self::{
    backtest::BacktestPage,
    backtest_cards::{BacktestCard, ScheduleCard},
    cards::{DecisionCard, OrdersToApprove, RatingCard, RejectedCard, TradeCard, WaitingCard},
    decision::{DECISIONS, DecisionPage},
    lesson_cards::{LessonCard, ReflectionCard},
    lessons::{LESSONS, LessonsPage},
    overview::PortfolioCards,
    portfolio::PortfolioPage,
    portfolios::FirstPortfolioPage,
    prices::{PRICES, PricesPage},
    scan_cards::{AutoCard, RegimeCard, ScanCard},
    ticker::{TICKERS, TickerPage},
};
use super::{FamilyAddress, Section, Views};
use crate::pages::not_found::NotFoundPage;

/// What the pages know of trading before its pages are there.
#[cfg(not(feature = "hydrate"))]
pub fn outline() -> super::Outline {
    super::Outline {
        family: "trading".to_owned(),
        page: Some(super::FamilyPage {
            name: "Portfolio".to_owned(),
            path: FIRST.to_owned(),
            below: [FIRST, ALL, TICKERS, DECISIONS, BACKTESTS, LESSONS, PRICES].map(str::to_owned).into(),
        }),
    }
}

/// What trading shows of its own on the pages of runs.
pub fn views() -> Views {
    Views { card, approval, beside: None, above_transcript: None, below_transcript: None }
}

/// The portfolios in short.
pub const OVERVIEW: Option<Section> = Some(|list| view! { <PortfolioCards list /> }.into_any());

/// The address that leads to the first portfolio.
const FIRST: &str = "/portfolio";
/// The address that portfolios are below.
const ALL: &str = "/portfolios";

/// The address that backtests are below.
const BACKTESTS: &str = "/backtests";

/// The pages of the portfolios, of the stocks, of the decisions, of the backtests, of the lessons and of own prices.
pub fn pages() -> AnyView {
    let address = FamilyAddress::open();
    let id = Memo::new(move |_| address.with(|address| below(ALL, address).map(str::to_owned)));
    let run = Memo::new(move |_| address.with(|address| below(BACKTESTS, address).map(str::to_owned)));
    let ticker = Memo::new(move |_| address.with(|address| below(TICKERS, address).map(str::to_owned)));
    let decision = Memo::new(move |_| address.with(|address| below(DECISIONS, address).map(str::to_owned)));
    let is_decision = Memo::new(move |_| decision.with(Option::is_some));
    let is_ticker = Memo::new(move |_| ticker.with(Option::is_some));
    let is_backtest = Memo::new(move |_| run.with(Option::is_some));
    let is_first = Memo::new(move |_| address.with(|address| address == FIRST));
    let is_one = Memo::new(move |_| id.with(Option::is_some));
    let is_lessons = Memo::new(move |_| address.with(|address| address == LESSONS));
    let is_prices = Memo::new(move |_| address.with(|address| address == PRICES));
    let shown = move || match (is_first.get(), is_one.get()) {
        _ if is_backtest.get() => {
            view! { <BacktestPage id=Signal::derive(move || run.get().unwrap_or_default()) /> }.into_any()
        }
        _ if is_ticker.get() => {
            view! { <TickerPage ticker=Signal::derive(move || ticker.get().unwrap_or_default()) /> }.into_any()
        }
        _ if is_decision.get() => {
            view! { <DecisionPage id=Signal::derive(move || decision.get().unwrap_or_default()) /> }.into_any()
        }
        _ if is_lessons.get() => view! { <LessonsPage /> }.into_any(),
        _ if is_prices.get() => view! { <PricesPage /> }.into_any(),
        (true, _) => view! { <FirstPortfolioPage /> }.into_any(),
        (false, true) => {
            view! { <PortfolioPage id=Signal::derive(move || id.get().unwrap_or_default()) /> }.into_any()
        }
        (false, false) => view! { <NotFoundPage /> }.into_any(),
    };
    shown.into_any()
}

/// What has a page at this address below another one.
fn below<'a>(root: &str, address: &'a str) -> Option<&'a str> {
    let id = address.strip_prefix(root)?.strip_prefix('/')?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// The card of a product; `None` if its data are not what its kind promises.
fn card(product: &Product, data: &str) -> Option<AnyView> {
    fn read<D: ProductData>(product: &Product, data: &str) -> Option<D> {
        product.holds::<D>().then(|| serde_json::from_str(data).ok()).flatten()
    }
    if let Some(rating) = read::<Rating>(product, data) {
        Some(view! { <RatingCard rating /> }.into_any())
    } else if let Some(decision) = read::<Decision>(product, data) {
        Some(view! { <DecisionCard headline=product.headline.clone() decision /> }.into_any())
    } else if let Some(trade) = read::<Trade>(product, data) {
        Some(view! { <TradeCard trade /> }.into_any())
    } else if let Some(pending) = read::<PendingOrder>(product, data) {
        Some(view! { <WaitingCard pending /> }.into_any())
    } else if let Some(regime) = read::<MacroRegime>(product, data) {
        Some(view! { <RegimeCard regime /> }.into_any())
    } else if let Some(scan) = read::<Scan>(product, data) {
        Some(view! { <ScanCard scan /> }.into_any())
    } else if let Some(result) = read::<AutoResult>(product, data) {
        Some(view! { <AutoCard headline=product.headline.clone() result /> }.into_any())
    } else if let Some(schedule) = read::<BacktestSchedule>(product, data) {
        Some(view! { <ScheduleCard headline=product.headline.clone() schedule /> }.into_any())
    } else if let Some(result) = read::<BacktestResult>(product, data) {
        Some(view! { <BacktestCard headline=product.headline.clone() result /> }.into_any())
    } else if let Some(lesson) = read::<Lesson>(product, data) {
        Some(view! { <LessonCard lesson /> }.into_any())
    } else if let Some(reflection) = read::<Reflection>(product, data) {
        Some(view! { <ReflectionCard headline=product.headline.clone() reflection /> }.into_any())
    } else {
        read::<RejectedOrder>(product, data).map(|rejected| view! { <RejectedCard rejected /> }.into_any())
    }
}

/// The orders that a portfolio run wants to execute.
fn approval(kind: &WorkflowKind, subject: &str) -> Option<AnyView> {
    if kind.as_str() != Task::PORTFOLIO {
        return None;
    }
    let orders: Vec<Order> = serde_json::from_str(subject).ok()?;
    Some(match orders.is_empty() {
        true => view! { <p>"No order is to be executed."</p> }.into_any(),
        false => view! { <OrdersToApprove orders /> }.into_any(),
    })
}
