//! What earlier versions wrote of trading runs where now stand headings and products.

use super::{Decision, PortfolioView, Rating, RejectedOrder, Task, Trade, products, task};
use crate::{Heading, Product, ProductData, Workflow, parse_date};

/// The heading of a trading run.
pub(crate) fn heading(workflow: &Workflow) -> Option<Heading> {
    let (name, subject) = match workflow.kind().as_str() {
        Task::PIPELINE => ("Pipeline", "ticker"),
        Task::PORTFOLIO => ("Portfolio", "portfolio"),
        _ => return None,
    };
    Some(task::heading(name, workflow.text(subject)?, parse_date(workflow.text("date")?)?))
}

/// The product that a body of its own stood for.
pub(crate) fn product(kind: &str, data: &str) -> Option<Product> {
    let kind = match kind {
        "rated" => Rating::KIND,
        "decision_made" => Decision::KIND,
        "trade_executed" => Trade::KIND,
        "trade_rejected" => RejectedOrder::KIND,
        "portfolio_valued" => PortfolioView::KIND,
        _ => return None,
    };
    let headline = products::headline(kind, &serde_json::from_str(data).ok()?)?;
    Some(headline.product(kind, data.into()))
}
