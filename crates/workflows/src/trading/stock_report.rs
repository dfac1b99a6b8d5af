//! What an account knows of one stock: its prices, its analyses and what they saw, what was traded, what was learnt.

mod analyses;
mod prices;

use std::collections::BTreeMap;

use journal::{Journal, JournalError};
use market::Market;
use protocol::{
    AccountId, FlowId, RunId,
    trading::{FlowOrder, ListedLesson, Measured, OrderCourse, PortfolioId, PriceSpan, StockReport, Ticker},
};

use super::{
    desk::{Desk, DeskError},
    memory::Lessons,
};

/// Lessons that are told of one stock.
const MOST_LESSONS: usize = 50;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum StockReportError {
    /// Nothing is known of such a stock.
    #[error("Nothing is known of {ticker}. {reason} Check how it is spelt.")]
    Unknown {
        /// The stock.
        ticker: Ticker,
        /// What the vendors of prices say.
        reason: String,
    },
    /// The logs cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The portfolios cannot be read.
    #[error("{0}")]
    Desk(#[from] DeskError),
}

/// Where reports of stocks are made from.
#[derive(Clone, Copy)]
pub struct StockReports<'s> {
    /// The logs of the analyses.
    pub journal: &'s Journal,
    /// The portfolios.
    pub desk: &'s Desk,
    /// The prices.
    pub market: &'s Market,
    /// What was learnt.
    pub lessons: &'s Lessons,
}

impl StockReports<'_> {
    /// What an account knows of a stock, with its prices over a span of time.
    ///
    /// # Errors
    /// [`StockReportError::Unknown`] where no vendor knows the stock, and the account has nothing on it either.
    pub async fn of(
        &self,
        owner: &AccountId,
        ticker: &Ticker,
        span: PriceSpan,
    ) -> Result<StockReport, StockReportError> {
        let prices = prices::course(self.market, ticker, span).await;
        let (analyses, has_older_analyses) = analyses::newest(self, owner, ticker).await?;
        let mut lessons: Vec<ListedLesson> = self
            .lessons
            .of(owner)
            .await?
            .into_iter()
            .filter(|written| written.lesson.ticker == *ticker)
            .map(|written| ListedLesson { lesson: written.lesson, written_by: written.run, relevance: None })
            .collect();
        lessons.sort_by_key(|listed| (listed.lesson.known(), listed.lesson.decided));
        let all_lessons = u32::try_from(lessons.len()).unwrap_or(u32::MAX);
        lessons.drain(..lessons.len().saturating_sub(MOST_LESSONS));
        let mut positions = Vec::new();
        for portfolio in self.desk.list(|id| id.owner().as_ref() == Some(owner)).await? {
            positions.extend(self.position(&portfolio.id, ticker).await?);
        }
        let instrument = self.market.instrument(ticker);
        if let Measured::Unknown(reason) = &prices
            && instrument.is_none()
            && analyses.is_empty()
            && lessons.is_empty()
            && positions.is_empty()
        {
            return Err(StockReportError::Unknown { ticker: ticker.clone(), reason: reason.clone() });
        }
        Ok(StockReport {
            ticker: ticker.clone(),
            name: instrument.map(|known| known.name.clone()).unwrap_or_default(),
            sector: instrument.map(|known| known.sector.clone()).unwrap_or_default(),
            span,
            prices,
            analyses,
            has_older_analyses,
            lessons,
            all_lessons,
            positions,
        })
    }

    async fn position(
        &self,
        portfolio: &PortfolioId,
        ticker: &Ticker,
    ) -> Result<Option<protocol::trading::StockPosition>, StockReportError> {
        let Some((mut position, orders)) = self.desk.position(portfolio, ticker).await? else {
            return Ok(None);
        };
        let mut flows: BTreeMap<RunId, Option<FlowId>> = BTreeMap::new();
        for OrderCourse { run, .. } in &orders {
            if let Some(run) = run
                && !flows.contains_key(run)
            {
                let summary = self.journal.summary(*run).await?;
                flows.insert(*run, summary.map(|summary| summary.request.flow));
            }
        }
        let with_flow = |order: OrderCourse| FlowOrder {
            flow: order.run.and_then(|run| flows.get(&run).cloned().flatten()),
            order,
        };
        position.orders = orders.into_iter().map(with_flow).collect();
        Ok(Some(position))
    }
}
