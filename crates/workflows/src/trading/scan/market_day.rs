//! What a scan looks at: the listed stocks, as of one day.

use std::{collections::BTreeMap, sync::Arc};

use market::{DailyPrice, Market, NoData, Source};
use protocol::{
    Date,
    trading::{Instrument, MissingInput, Ticker},
};
use serde_json::{Value, json};

use crate::trading::{
    desk::CASH_EQUIVALENT,
    seen::{Seen, Served},
};

/// Stocks of own prices that a scan looks at, at most.
const MOST_OWN: usize = 200;
/// What the sector of a stock is called that nobody knows it of.
const UNKNOWN: &str = "Unknown";

/// A sector of the market with the fund that follows it.
pub(super) struct Sector {
    pub(super) name: &'static str,
    pub(super) fund: &'static str,
}

/// The eleven sectors, as vendors call them.
pub(super) const SECTORS: [Sector; 11] = [
    Sector { name: "Basic Materials", fund: "XLB" },
    Sector { name: "Communication Services", fund: "XLC" },
    Sector { name: "Consumer Cyclical", fund: "XLY" },
    Sector { name: "Consumer Defensive", fund: "XLP" },
    Sector { name: "Energy", fund: "XLE" },
    Sector { name: "Financial Services", fund: "XLF" },
    Sector { name: "Healthcare", fund: "XLV" },
    Sector { name: "Industrials", fund: "XLI" },
    Sector { name: "Real Estate", fund: "XLRE" },
    Sector { name: "Technology", fund: "XLK" },
    Sector { name: "Utilities", fund: "XLU" },
];

/// The market and the day of a scan.
#[derive(Clone)]
pub(in crate::trading) struct MarketDay {
    pub date: Date,
    pub max_tickers: u32,
    pub market: Arc<Market>,
}

/// The prices of one instrument up to the day of a scan.
pub(super) struct History {
    pub(super) days: Vec<DailyPrice>,
    pub(super) source: Source,
}

/// The prices of the listed stocks.
pub(super) struct Stocks {
    /// The last trading day that any of them has a price of.
    pub(super) session: Option<Date>,
    /// Those with a price of that day.
    pub(super) found: Vec<(Instrument, History)>,
    /// Those without.
    pub(super) missing: Vec<MissingInput>,
}

impl MarketDay {
    pub(super) fn header(&self) -> String {
        let (listed, own) = (self.stocks_listed().count(), self.own_stocks().count());
        let own = if own == 0 { String::new() } else { format!(", {own} stocks of own prices") };
        format!("The market: {listed} listed stocks{own} and an index. Day of the scan: {}.", self.date)
    }

    /// The arguments of what is measured.
    pub(super) fn asked(&self) -> Value {
        json!({ "date": self.date })
    }

    fn stocks_listed(&self) -> impl Iterator<Item = &Instrument> {
        let listed = self.market.instruments().iter();
        listed.filter(|instrument| SECTORS.iter().any(|sector| sector.name == instrument.sector))
    }

    /// What a person's own prices have beside what is listed. Their sector is not known.
    fn own_stocks(&self) -> impl Iterator<Item = Instrument> {
        let is_fund = |ticker: &Ticker| SECTORS.iter().any(|sector| sector.fund == ticker.as_str());
        let own = self.market.own_tickers().iter();
        let own = own.filter(move |ticker| {
            let is_index = ticker.as_str().starts_with('^');
            let is_cash = ticker.as_str() == CASH_EQUIVALENT;
            !is_index && !is_cash && !is_fund(ticker) && self.market.instrument(ticker).is_none()
        });
        own.map(|ticker| Instrument {
            ticker: ticker.clone(),
            name: ticker.to_string(),
            sector: UNKNOWN.to_owned(),
            industry: UNKNOWN.to_owned(),
        })
    }

    /// Prices up to the day of the scan. That vendors show nothing later is their promise, and kept again here.
    pub(super) async fn history(&self, ticker: &Ticker) -> Result<History, NoData> {
        let market::Answer { data, source } = self.market.prices(ticker, self.date).await?;
        let mut days = data.days;
        days.retain(|day| day.date <= self.date);
        match days.is_empty() {
            true => {
                let reason = format!("there are no prices of {ticker} up to {}.", self.date);
                Err(NoData::empty(&source.vendor, reason))
            }
            false => Ok(History { days, source }),
        }
    }

    /// The prices of all listed stocks, and of those that own prices are of.
    pub(super) async fn stocks(&self) -> Stocks {
        let (mut found, mut missing) = (Vec::new(), Vec::new());
        let beyond = self.own_stocks().count().saturating_sub(MOST_OWN);
        if beyond > 0 {
            missing.push(MissingInput {
                input: format!("{beyond} stocks of own prices"),
                reason: format!("A scan looks at {MOST_OWN} of a table at most, the first by ticker."),
            });
        }
        for instrument in self.stocks_listed().cloned().chain(self.own_stocks().take(MOST_OWN)) {
            match self.history(&instrument.ticker).await {
                Ok(history) => found.push((instrument, history)),
                Err(refusal) => missing.push(MissingInput {
                    input: format!("prices of {}", instrument.ticker),
                    reason: refusal.to_string(),
                }),
            }
        }
        let last = |history: &History| history.days.last().map(|day| day.date);
        let session = found.iter().filter_map(|(_, history)| last(history)).max();
        // What was not traded on the day cannot be compared with what was.
        found.retain(|(instrument, history)| {
            let of = last(history);
            if of != session
                && let Some(of) = of
            {
                missing.push(MissingInput {
                    input: format!("prices of {}", instrument.ticker),
                    reason: format!("The last one is of {of}."),
                });
            }
            of == session
        });
        Stocks { session, found, missing }
    }
}

impl History {
    fn served(&self) -> Served {
        Served::of_days(self.source.clone(), self.days.iter().map(|day| day.date))
    }
}

/// What an agent saw of several histories: one line a vendor.
pub(super) fn seen<'h>(agent: &str, asked: &str, histories: impl Iterator<Item = &'h History>) -> Vec<Seen> {
    let mut by_vendor: BTreeMap<String, Served> = BTreeMap::new();
    for served in histories.map(History::served) {
        match by_vendor.get_mut(&served.source.vendor) {
            Some(known) => known.extend(served),
            None => drop(by_vendor.insert(served.source.vendor.clone(), served)),
        }
    }
    by_vendor.into_values().map(|served| Seen::of(agent, asked, served)).collect()
}

/// What an agent did without.
pub(super) fn unseen<'m>(
    agent: &str,
    missing: impl IntoIterator<Item = &'m MissingInput>,
) -> impl Iterator<Item = Seen> {
    missing.into_iter().map(|missing| Seen::without(agent, &missing.input, &missing.reason))
}
