//! Where the tools' data comes from.

use std::sync::Arc;

use async_trait::async_trait;
use market::{Article, Fundamentals, FundamentalsVendor, MarketError, NewsVendor, PriceVendor, Sample};
use protocol::{Date, trading::Ticker};

/// Where the data comes from.
#[derive(Clone)]
pub struct Sources {
    /// Daily prices.
    pub prices: Arc<dyn PriceVendor>,
    /// Company and world news.
    pub news: Arc<dyn NewsVendor>,
    /// Statements and ratios.
    pub fundamentals: Arc<dyn FundamentalsVendor>,
}

impl Sources {
    /// The data that is built in: prices of 26 instruments, no news, no fundamentals.
    ///
    /// # Errors
    /// The built-in data is damaged.
    pub fn sample() -> Result<Self, MarketError> {
        let sample = Arc::new(Sample::load()?);
        Ok(Self { prices: sample.clone(), news: sample.clone(), fundamentals: sample })
    }

    /// Prices alone: what else is asked for is not available.
    pub fn of_prices(prices: Arc<dyn PriceVendor>) -> Self {
        let nothing_else = Arc::new(PricesAlone(prices.clone()));
        Self { prices, news: nothing_else.clone(), fundamentals: nothing_else }
    }
}

/// Stands where there is no source of news and fundamentals.
struct PricesAlone(Arc<dyn PriceVendor>);

#[async_trait]
impl NewsVendor for PricesAlone {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn news(&self, _: Option<&Ticker>, _: Date, _: u32) -> Result<Vec<Article>, MarketError> {
        Err(MarketError::NotAvailable("no source of news is connected".to_owned()))
    }
}

#[async_trait]
impl FundamentalsVendor for PricesAlone {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn fundamentals(&self, _: Fundamentals, _: &Ticker, _: Date) -> Result<String, MarketError> {
        Err(MarketError::NotAvailable("no source of fundamentals is connected".to_owned()))
    }
}
