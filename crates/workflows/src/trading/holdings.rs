//! The portfolio that an analysis is made for, as its agents read it.

use std::{fmt::Write, sync::Arc};

use engine::{NodeContext, NodeError};
use protocol::{
    Date, Decimal, grouped, percent,
    trading::{HoldingView, Measured, PortfolioId, PortfolioView, Ticker},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    desk::Desk,
    measured::{Found, measure},
    own_prices::Prices,
};

/// The title of its section in a prompt.
pub(super) const PORTFOLIO: &str = "The portfolio";
/// The tool by which code reads a portfolio.
const READ: &str = "read_portfolio";

/// The portfolio that somebody chose, and where it is read.
#[derive(Clone)]
pub(super) struct ChosenPortfolio {
    pub(super) id: PortfolioId,
    pub(super) desk: Arc<Desk>,
    /// What the run's prices come from.
    pub(super) prices: Prices,
}

impl ChosenPortfolio {
    /// Reads it at the prices of a day, once: what was read stands in the log.
    ///
    /// # Errors
    /// It cannot be read, or the log not be written.
    pub(super) async fn read(&self, node: &NodeContext, date: Date) -> Result<PortfolioBrief, NodeError> {
        let reading = Box::pin(async {
            // The prices of the run, where it names some of its own: those that the portfolio would be traded at.
            let view = match self.prices.table {
                Some(_) => self.desk.view_at(&self.id, date, &self.prices).await,
                None => self.desk.view(&self.id, Some(date)).await,
            };
            let view = view.map_err(|error| error.to_string())?;
            Ok(Found { value: PortfolioBrief::of(view), vendor: "Pitwall".to_owned(), is_degraded: false })
        });
        measure(node, READ, &json!({ "portfolio": self.id, "date": date }), reading).await
    }
}

/// What agents are told of a portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PortfolioBrief {
    pub(super) id: PortfolioId,
    /// US dollars.
    pub(super) cash: Decimal,
    /// Cash and holdings in US dollars.
    pub(super) total: Measured<Decimal>,
    pub(super) holdings: Vec<HoldingView>,
}

impl PortfolioBrief {
    pub(super) fn of(view: PortfolioView) -> Self {
        let PortfolioView { id, cash, total, holdings, .. } = view;
        Self { id, cash, total, holdings }
    }
}

/// The section's text. A portfolio that nobody chose is something else than one that holds nothing. `None`: an earlier
/// version of the run did not ask for one. `stock` is the one that is analysed, if it is one.
pub(super) fn portfolio_section(
    portfolio: Option<&Option<PortfolioBrief>>,
    stock: Option<&Ticker>,
) -> String {
    let brief = match portfolio {
        None => return "This run did not look at any.".to_owned(),
        Some(None) => {
            return "No portfolio was chosen for this analysis. What is held, and how much cash there is, is not known: \
                    do not reason as if nothing were held."
                .to_owned();
        }
        Some(Some(brief)) => brief,
    };
    let PortfolioBrief { id, cash, total, holdings } = brief;
    let cash = grouped(*cash, 2);
    if holdings.is_empty() {
        return format!("The portfolio {id} is flat: it holds nothing, and has {cash} US dollars in cash.");
    }
    let total = match total {
        Measured::Known(total) => format!("{} US dollars", grouped(*total, 2)),
        Measured::Unknown(reason) => format!("not known ({reason})"),
    };
    let mut text = format!(
        "The portfolio {id} has {cash} US dollars in cash; with its holdings it is worth {total}.\n\n\
         | stock | shares | average cost | price | weight | unrealised profit |\n|---|---|---|---|---|---|\n"
    );
    let money = |amount: Option<Decimal>| amount.map_or_else(|| "not known".to_owned(), |it| grouped(it, 2));
    for holding in holdings {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            holding.ticker,
            holding.quantity.normalize(),
            grouped(holding.average_cost, 2),
            money(holding.price),
            holding.weight.map_or_else(|| "not known".to_owned(), |weight| percent(weight, 1)),
            money(holding.unrealised_profit)
        );
    }
    if let Some(stock) = stock
        && holdings.iter().all(|holding| holding.ticker != *stock)
    {
        let _ = write!(text, "\nIt holds no {stock}.");
    }
    text
}
