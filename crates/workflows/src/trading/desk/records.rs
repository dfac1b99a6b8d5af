//! What a ledger tells beside the portfolio that it leaves: what became of every order, and what its days say of risk.

use portfolio::{
    Entry, Portfolio,
    statistics::{Evidence, statistics},
};
use protocol::trading::{
    Figure, HeldFrom, NotAvailable, OrderCourse, PortfolioId, PortfolioView, RiskReport, StockPosition,
    Ticker, Trade, UnderwaterPoint, thinned,
};

use super::{Desk, DeskError, days, shown_until};

/// Trades, orders and changes of what is held that are told of one stock.
const MOST_OF_STOCK: usize = 100;
/// Days of the drawdown that are told.
const MOST_DEPTHS: usize = 300;

impl Desk {
    /// What became of every order of a portfolio, the oldest first, as its view shows it.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], or prices that an order waits for cannot be had.
    pub async fn orders(&self, id: &PortfolioId) -> Result<Vec<OrderCourse>, DeskError> {
        Ok(portfolio::orders(&self.entries_as_shown(id).await?))
    }

    /// The ledger with the days on which orders that wait are filled. They are recorded with the next decision.
    async fn entries_as_shown(&self, id: &PortfolioId) -> Result<Vec<Entry>, DeskError> {
        let mut entries = self.entries(id).await?;
        let mut portfolio = Portfolio::fold(&entries)?;
        if !portfolio.pending().is_empty() {
            let market = self.prices_of(&portfolio).await?.market;
            let until = shown_until(&market, &portfolio);
            let days = days(&market, portfolio.tickers(), until).await?;
            let (_, mut passed) = self.pass_until_filled(&mut portfolio, &days, until)?;
            entries.append(&mut passed);
        }
        Ok(entries)
    }

    /// What a portfolio has of a stock, with the newest orders of it; `None` if it never had to do with it.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], or its prices cannot be had.
    pub(in crate::trading) async fn position(
        &self,
        id: &PortfolioId,
        ticker: &Ticker,
    ) -> Result<Option<(StockPosition, Vec<OrderCourse>)>, DeskError> {
        let entries = self.entries_as_shown(id).await?;
        let mut orders: Vec<OrderCourse> = portfolio::orders(&entries);
        orders.retain(|course| course.order.ticker == *ticker);
        let portfolio = Portfolio::fold(&entries)?;
        if orders.is_empty() && !portfolio.tickers().contains(ticker) {
            return Ok(None);
        }
        let view = self.view(id, None).await?;
        let trades = portfolio.trades().iter().filter(|trade| trade.ticker == *ticker);
        let trades: Vec<Trade> = trades.cloned().collect();
        let realised_profit = trades.iter().filter_map(|trade| trade.realised_profit).sum();
        let held: Vec<HeldFrom> = portfolio.held(ticker).collect();
        let position = StockPosition {
            portfolio: id.clone(),
            name: view.name,
            as_of: view.as_of,
            holding: view.holdings.into_iter().find(|holding| holding.ticker == *ticker),
            limit: view.constraints.max_position,
            realised_profit,
            held: newest(held),
            trades: newest(trades),
            orders: Vec::new(),
        };
        Ok(Some((position, newest(orders))))
    }

    /// The risk figures of a portfolio over all its days.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], or its prices cannot be had.
    pub async fn risk(&self, id: &PortfolioId) -> Result<RiskReport, DeskError> {
        Ok(risk_of(&self.view(id, None).await?))
    }
}

fn risk_of(view: &PortfolioView) -> RiskReport {
    let bookings = &view.bookings;
    let figures = statistics(&Evidence {
        curve: &view.history,
        trades: &[],
        paid_in: view.initial_cash + bookings.deposits - bookings.withdrawals,
        // What the models cost is no risk of the portfolio.
        model_cost: Figure::NotAvailable(NotAvailable::NoModelPrice),
    });
    let depths = &figures.underwater;
    let shown = thinned(depths.len(), MOST_DEPTHS, |place| depths[place].depth);
    let underwater: Vec<UnderwaterPoint> = shown.into_iter().map(|place| depths[place]).collect();
    RiskReport {
        entries: view.entries,
        as_of: view.as_of,
        returns: figures.returns,
        volatility: figures.volatility,
        value_at_risk: figures.value_at_risk,
        expected_shortfall: figures.expected_shortfall,
        beta: figures.beta,
        max_drawdown: figures.max_drawdown,
        days: u32::try_from(depths.len()).unwrap_or(u32::MAX),
        underwater,
    }
}

/// The last ones, as they stand.
fn newest<T>(mut all: Vec<T>) -> Vec<T> {
    all.drain(..all.len().saturating_sub(MOST_OF_STOCK));
    all
}
