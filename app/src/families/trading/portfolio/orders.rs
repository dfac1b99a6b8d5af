//! The orders of a decision, and what became of each.

use std::{collections::BTreeMap, sync::Arc};

use leptos::prelude::*;
use protocol::{
    Date, Decimal, Digest, ProductData, Product, RunStatus, RunSummary, RunView, grouped,
    trading::{Decision, Order, PendingOrder, PortfolioView, RejectedOrder, Side, Ticker, Trade},
};

use super::SideTag;
use crate::components::{
    icon::IconName,
    status::{Sign, SignLabel, Tone},
};

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was executed.
    Filled,
    /// It was refused, for all these reasons.
    Rejected(Vec<String>),
    /// Its turn is to come.
    Open,
    /// It waits for the first price after its decision.
    Waits,
    /// The run ended before its turn.
    NotReached,
}

impl Fate {
    fn sign(&self) -> Sign {
        let (icon, word, tone) = match self {
            Self::Filled => (IconName::Check, "filled", Tone::Done),
            Self::Rejected(_) => (IconName::Cross, "rejected", Tone::Failed),
            Self::Waits => (IconName::CircleDot, "waits for a price", Tone::Live),
            Self::Open => (IconName::CircleDot, "to come", Tone::Live),
            Self::NotReached => (IconName::Skip, "not executed", Tone::Quiet),
        };
        Sign { icon, word, tone }
    }
}

/// An order as a line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// Buy or sell.
    pub side: Side,
    /// The stock.
    pub ticker: Ticker,
    /// Shares: those that were traded, or else those that were asked for.
    pub quantity: Decimal,
    /// Price a share, in US dollars, once there is one.
    pub price: Option<Decimal>,
    /// What became of it.
    pub fate: Fate,
}

impl OrderLine {
    fn filled(trade: &Trade) -> Self {
        Self {
            side: trade.side,
            ticker: trade.ticker.clone(),
            quantity: trade.quantity,
            price: Some(trade.price),
            fate: Fate::Filled,
        }
    }

    fn rejected(rejected: &RejectedOrder) -> Self {
        let Order { side, ticker, quantity, .. } = &rejected.order;
        let fate = Fate::Rejected(rejected.reasons.clone());
        Self { side: *side, ticker: ticker.clone(), quantity: *quantity, price: rejected.price, fate }
    }

    fn waiting(pending: &PendingOrder) -> Self {
        let Order { side, ticker, quantity, .. } = pending.order.clone();
        Self { side, ticker, quantity, price: None, fate: Fate::Waits }
    }
}

/// Long texts of a run that were fetched, by their digests.
pub type Fetched = BTreeMap<Digest, String>;

/// Whether a product is a part of what a run decides.
pub fn is_of_decision(product: &Product) -> bool {
    let is_fate = product.holds::<Trade>() || product.holds::<PendingOrder>() || product.holds::<RejectedOrder>();
    is_fate || product.holds::<Decision>()
}

fn documents<D: ProductData>(view: &RunView, fetched: &Fetched) -> Vec<D> {
    let products = view.products.iter().filter(|product| product.holds::<D>());
    let document = |product: &Arc<Product>| {
        let fetched = || product.data.stored().and_then(|digest| fetched.get(digest)).map(String::as_str);
        serde_json::from_str(product.data.whole().or_else(fetched)?).ok()
    };
    products.filter_map(document).collect()
}

/// The orders of a run's decision, in its order; `None` before it has decided.
pub fn of_run(view: &RunView, fetched: &Fetched) -> Option<Vec<OrderLine>> {
    let decision = documents::<Decision>(view, fetched).pop()?;
    let left_over = if view.summary.status.is_over() { Fate::NotReached } else { Fate::Open };
    let mut trades = documents::<Trade>(view, fetched);
    let mut rejected = documents::<RejectedOrder>(view, fetched);
    let mut waiting = documents::<PendingOrder>(view, fetched);
    let line = |order: &Order| {
        let same = |side, ticker: &Ticker| side == order.side && *ticker == order.ticker;
        if let Some(index) = trades.iter().position(|trade| same(trade.side, &trade.ticker)) {
            return OrderLine::filled(&trades.remove(index));
        }
        if let Some(index) = rejected.iter().position(|it| same(it.order.side, &it.order.ticker)) {
            return OrderLine::rejected(&rejected.remove(index));
        }
        if let Some(index) = waiting.iter().position(|it| same(it.order.side, &it.order.ticker)) {
            return OrderLine::waiting(&waiting.remove(index));
        }
        let Order { side, ticker, quantity, .. } = order.clone();
        OrderLine { side, ticker, quantity, price: None, fate: left_over.clone() }
    };
    Some(decision.orders.iter().map(line).collect())
}

/// The orders of a portfolio's last decision with its day: what was traded, what waits for its price, and what was
/// refused.
pub fn of_portfolio(view: &PortfolioView) -> (Option<Date>, Vec<OrderLine>) {
    let Some(decision) = &view.last_decision else { return (None, Vec::new()) };
    let filled = decision.trades.iter().map(OrderLine::filled);
    let waiting = decision.pending.iter().map(OrderLine::waiting);
    let rejected = decision.rejected.iter().map(OrderLine::rejected);
    (Some(decision.date), filled.chain(waiting).chain(rejected).collect())
}

/// A decision that a live run has made, or is about to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveDecision {
    /// Where the run stands.
    pub status: RunStatus,
    /// The phase that works.
    pub phase: Option<String>,
    /// Its orders; `None` before it has decided.
    pub orders: Option<Vec<OrderLine>>,
}

impl LiveDecision {
    /// The state of a run.
    pub fn new(view: &RunView, fetched: &Fetched) -> Self {
        let orders = of_run(view, fetched);
        Self { status: view.summary.status, phase: view.summary.phase.clone(), orders }
    }

    /// What a list knows of a run.
    pub fn of_summary(run: &RunSummary) -> Self {
        Self { status: run.status, phase: run.phase.clone(), orders: None }
    }

    /// `Trading: 3 of 5 orders`, or the phase before there are any.
    pub fn headline(&self) -> String {
        match (&self.orders, &self.phase) {
            (Some(orders), _) => {
                let open = orders.iter().filter(|order| order.fate == Fate::Open).count();
                format!("Trading: {} of {} orders", orders.len() - open, orders.len())
            }
            (None, Some(phase)) => format!("{}: {phase}", self.status.label()),
            (None, None) => self.status.label().to_owned(),
        }
    }
}

/// The orders as a list.
#[component]
pub fn OrderList(orders: Vec<OrderLine>) -> impl IntoView {
    view! {
        <ul class="order-list" role="list">
            {orders.into_iter().map(|order| view! { <OrderRow order /> }).collect_view()}
        </ul>
    }
}

#[component]
fn OrderRow(order: OrderLine) -> impl IntoView {
    let price = order.price.map_or_else(String::new, |price| format!(" @ {}", grouped(price, 2)));
    let sign = order.fate.sign();
    let reasons = match order.fate {
        Fate::Rejected(reasons) => reasons,
        _ => Vec::new(),
    };
    view! {
        <li>
            <div class="order-line">
                <SideTag side=order.side />
                <strong>{order.ticker.to_string()}</strong>
                <span class="digits">{order.quantity.normalize().to_string()} {price}</span>
                <SignLabel sign />
            </div>
            {(!reasons.is_empty()).then(|| view! {
                <ul class="refusals">
                    {reasons.into_iter().map(|reason| view! { <li>{reason}</li> }).collect_view()}
                </ul>
            })}
        </li>
    }
}

#[cfg(test)]
mod tests {
    use protocol::{
        Body, Event, RunId, RunRequest, RunStarted, Text, Timestamp,
        trading::{Confidence, Task, TradeCause},
    };

    use super::*;

    fn order(side: Side, ticker: &str, quantity: i64) -> Order {
        Order {
            side,
            ticker: ticker.parse().unwrap(),
            quantity: quantity.into(),
            rationale: String::new(),
            stop_loss: None,
            take_profit: None,
        }
    }

    fn trade(order: &Order, price: Decimal) -> Trade {
        Trade {
            key: format!("{}", order.ticker),
            side: order.side,
            ticker: order.ticker.clone(),
            quantity: order.quantity,
            price,
            date: "2022-12-28".parse().unwrap(),
            executed_at: Timestamp(0),
            rationale: String::new(),
            stop_loss: None,
            take_profit: None,
            realised_profit: None,
            run: None,
            commission: Decimal::ZERO,
            quoted: None,
            cause: TradeCause::Order,
        }
    }

    fn run_that_decided(orders: Vec<Order>) -> RunView {
        let decision = Decision {
            orders,
            holds: Vec::new(),
            confidence: Confidence::Medium,
            regime: "neutral".into(),
            thesis: String::new(),
            risk_summary: String::new(),
        };
        let mut view = run_that_begins();
        view.products.push(Arc::new(decision.product().unwrap()));
        view
    }

    fn run_that_begins() -> RunView {
        let (portfolio, date) = ("main".parse().unwrap(), "2022-12-28".parse().unwrap());
        let task = Task::Portfolio { portfolio, date, prices: None };
        let heading = task.heading();
        let request = RunRequest::new(task.into(), "flow".parse().unwrap());
        let started = Event {
            run: RunId(Default::default()),
            seq: 1,
            at: Timestamp(0),
            node: None,
            body: Body::RunStarted(RunStarted::new(request, heading)),
        };
        let mut view = RunView::begin(&started).unwrap();
        view.summary.status = RunStatus::Running;
        view
    }

    #[test]
    fn each_order_shows_what_became_of_it_in_the_order_of_the_decision() {
        let orders =
            vec![order(Side::Buy, "PFE", 400), order(Side::Sell, "AMD", 70), order(Side::Buy, "PEP", 15)];
        let mut view = run_that_decided(orders.clone());
        view.products.push(Arc::new(trade(&orders[1], Decimal::new(6257, 2)).product().unwrap()));
        let reasons = vec!["Healthcare would be 46.0 % (limit 35 %)".to_owned(), "cash".to_owned()];
        // A long one stands in the view with its beginning only, and is fetched.
        let refused = RejectedOrder { order: orders[0].clone(), price: None, reasons: reasons.clone() };
        let mut refused = refused.product().unwrap();
        let digest: Digest = "0".repeat(64).parse().unwrap();
        let whole = refused.data.whole().unwrap().to_owned();
        refused.data = Text::Preview { preview: "{".into(), bytes: whole.len() as u64, digest: digest.clone() };
        view.products.push(Arc::new(refused));
        let fetched = Fetched::from([(digest, whole)]);

        let fates: Vec<Fate> = of_run(&view, &fetched).unwrap().into_iter().map(|line| line.fate).collect();
        assert_eq!(fates, [Fate::Rejected(reasons), Fate::Filled, Fate::Open]);
        assert_eq!(LiveDecision::new(&view, &fetched).headline(), "Trading: 2 of 3 orders");
    }

    #[test]
    fn what_a_stopped_run_did_not_reach_was_not_executed() {
        let mut view = run_that_decided(vec![order(Side::Buy, "PEP", 15)]);
        view.summary.status = RunStatus::Cancelled;
        assert_eq!(of_run(&view, &Fetched::new()).unwrap()[0].fate, Fate::NotReached);
    }

    #[test]
    fn before_the_decision_there_are_no_orders() {
        let mut view = run_that_begins();
        view.summary.phase = Some("Review".into());
        assert_eq!(of_run(&view, &Fetched::new()), None);
        assert_eq!(LiveDecision::new(&view, &Fetched::new()).headline(), "Running: Review");
    }
}
