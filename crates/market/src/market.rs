//! All vendors together: which is asked first for which kind of data, and who is asked when it has none.

use std::{collections::BTreeMap, sync::Arc};

use protocol::{
    Date,
    trading::{Instrument, Ticker},
};

use crate::{
    Article, Clock, Damaged, DataKind, EarningsDate, EconomicEvent, Frequency, InsiderTrade, Mover,
    MoverKind, NewsAbout, NoData, Outcome, OwnData, PriceHistory, Profile, Sample, Statement,
    StatementFigure, Vendor, session,
};

/// The first day that a vendor over a network is asked for.
const FIRST_LIVE_DAY: Date = Date::constant(1970, 1, 1);

/// The data that runs and portfolios work with.
#[derive(Clone)]
pub struct Market {
    sample: Arc<Sample>,
    orders: BTreeMap<DataKind, Vec<Arc<dyn Vendor>>>,
    /// The clock, where a vendor over a network has prices: then there are some up to now.
    live: Option<Arc<dyn Clock>>,
    /// What there is of a person's own prices, where they are asked first.
    own: Option<Own>,
    nobody: Nobody,
}

/// What a person's own prices are of.
#[derive(Clone)]
struct Own {
    first: Date,
    last: Date,
    tickers: Vec<Ticker>,
}

/// Stands where no vendor is in the order of a kind.
#[derive(Clone)]
struct Nobody;

impl Vendor for Nobody {
    fn name(&self) -> &str {
        "Pitwall"
    }
}

impl Market {
    /// The data that are built in, and nothing else: prices of 26 instruments, no news, no fundamentals.
    ///
    /// # Errors
    /// They are damaged.
    pub fn sample() -> Result<Self, Damaged> {
        Ok(Self::of_sample(Arc::new(Sample::load()?)))
    }

    fn of_sample(sample: Arc<Sample>) -> Self {
        let vendor: Arc<dyn Vendor> = sample.clone();
        let orders = DataKind::ALL.map(|kind| (kind, vec![vendor.clone()])).into();
        Self { sample, orders, live: None, own: None, nobody: Nobody }
    }

    /// The same with other vendors for a kind of data, the first of which is asked first.
    #[must_use]
    pub fn with_order(mut self, kind: DataKind, vendors: Vec<Arc<dyn Vendor>>) -> Self {
        self.orders.insert(kind, vendors);
        self
    }

    /// The same with prices that go on to the present by this clock, and of more instruments than are listed.
    #[must_use]
    pub fn with_live_prices(self, clock: Arc<dyn Clock>) -> Self {
        Self { live: Some(clock), ..self }
    }

    /// The same with a person's own prices, which are asked before all others. What they do not have is served as
    /// before.
    #[must_use]
    pub fn with_own(mut self, own: OwnData) -> Self {
        let tickers = own.tickers().cloned().collect();
        self.own = own.range().map(|(first, last)| Own { first, last, tickers });
        self.orders.entry(DataKind::Prices).or_default().insert(0, Arc::new(own));
        self
    }

    /// The data that are built in.
    pub fn built_in(&self) -> &Arc<Sample> {
        &self.sample
    }

    /// The names of those who are asked for a kind of data, in their order.
    pub fn name(&self, kind: DataKind) -> String {
        let names: Vec<&str> = self.order(kind).map(|vendor| vendor.name()).collect();
        names.join(", then ")
    }

    /// The instruments that can be listed. Where [`Self::is_open`], there may be prices of others.
    pub fn instruments(&self) -> &[Instrument] {
        self.sample.instruments()
    }

    /// The instrument, if it is listed.
    pub fn instrument(&self, ticker: &Ticker) -> Option<&Instrument> {
        self.instruments().iter().find(|instrument| instrument.ticker == *ticker)
    }

    /// Whether there may be prices of instruments that are not listed.
    pub fn is_open(&self) -> bool {
        self.is_live() || self.own.is_some()
    }

    /// Whether a vendor over a network has prices.
    pub fn is_live(&self) -> bool {
        self.live.is_some()
    }

    /// What a person's own prices are of, by ticker; nothing where there are none.
    pub fn own_tickers(&self) -> &[Ticker] {
        self.own.as_ref().map_or(&[], |own| &own.tickers)
    }

    /// The first day that can be asked for.
    pub fn first_date(&self) -> Date {
        let first = if self.live.is_some() { FIRST_LIVE_DAY } else { self.sample.first_date() };
        self.own.as_ref().map_or(first, |own| own.first.min(first))
    }

    /// The last day that can be asked for.
    pub fn last_date(&self) -> Date {
        let sample = self.sample.last_date();
        let last = self.live.as_ref().map_or(sample, |clock| session::today(clock.now()).max(sample));
        self.own.as_ref().map_or(last, |own| own.last.max(last))
    }

    fn order(&self, kind: DataKind) -> impl Iterator<Item = &dyn Vendor> {
        let order = self.orders.get(&kind).map(Vec::as_slice).unwrap_or_default();
        let nobody: Option<&dyn Vendor> = order.is_empty().then_some(&self.nobody);
        order.iter().map(AsRef::as_ref).chain(nobody)
    }

    /// Asks one after the other until one has data. Prices of several are never mixed.
    async fn first<'m, T, F>(&'m self, kind: DataKind, ask: impl Fn(&'m dyn Vendor) -> F) -> Outcome<T>
    where
        F: Future<Output = Outcome<T>>,
    {
        let mut refusals: Vec<NoData> = Vec::new();
        for vendor in self.order(kind) {
            match ask(vendor).await {
                Ok(mut answer) => {
                    answer.source.notes.extend(refusals.iter().map(ToString::to_string));
                    return Ok(answer);
                }
                Err(refusal) => refusals.push(refusal),
            }
        }
        Err(NoData::of_all(refusals).unwrap_or_else(|| self.nobody.without(kind)))
    }

    /// See [`Vendor::prices`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        self.first(DataKind::Prices, |vendor| vendor.prices(ticker, as_of)).await
    }

    /// See [`Vendor::statement`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn statement(
        &self,
        ticker: &Ticker,
        statement: Statement,
        frequency: Frequency,
        as_of: Date,
    ) -> Outcome<Vec<StatementFigure>> {
        self.first(DataKind::Fundamentals, |vendor| vendor.statement(ticker, statement, frequency, as_of))
            .await
    }

    /// See [`Vendor::profile`].
    ///
    /// # Errors
    /// No vendor has one.
    pub async fn profile(&self, ticker: &Ticker, as_of: Date) -> Outcome<Profile> {
        self.first(DataKind::Fundamentals, |vendor| vendor.profile(ticker, as_of)).await
    }

    /// See [`Vendor::news`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn news(&self, about: &NewsAbout, from: Date, as_of: Date) -> Outcome<Vec<Article>> {
        self.first(DataKind::News, |vendor| vendor.news(about, from, as_of)).await
    }

    /// See [`Vendor::insider_trades`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn insider_trades(&self, ticker: &Ticker, as_of: Date) -> Outcome<Vec<InsiderTrade>> {
        self.first(DataKind::Insiders, |vendor| vendor.insider_trades(ticker, as_of)).await
    }

    /// See [`Vendor::movers`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn movers(&self, kind: MoverKind, as_of: Date) -> Outcome<Vec<Mover>> {
        self.first(DataKind::Movers, |vendor| vendor.movers(kind, as_of)).await
    }

    /// See [`Vendor::earnings`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn earnings(
        &self,
        ticker: Option<&Ticker>,
        from: Date,
        to: Date,
        as_of: Date,
    ) -> Outcome<Vec<EarningsDate>> {
        self.first(DataKind::Calendars, |vendor| vendor.earnings(ticker, from, to, as_of)).await
    }

    /// See [`Vendor::economic`].
    ///
    /// # Errors
    /// No vendor has any.
    pub async fn economic(&self, from: Date, to: Date, as_of: Date) -> Outcome<Vec<EconomicEvent>> {
        self.first(DataKind::Calendars, |vendor| vendor.economic(from, to, as_of)).await
    }
}
