//! The figures that the prompts of a scan rest on. Code computes them, no model.

use std::collections::BTreeSet;

use protocol::{
    Date, Decimal,
    trading::{MacroRegime, Measured, MissingInput, Ticker},
};
use serde::{Deserialize, Serialize};

/// What is measured of one stock as of one day. Fractions have 4 decimals, prices 2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockFacts {
    /// The stock.
    pub ticker: Ticker,
    /// Its company.
    pub name: String,
    /// Its sector.
    pub sector: String,
    /// Its industry.
    pub industry: String,
    /// Close in US dollars.
    pub close: Decimal,
    /// Return of the day.
    pub day: Measured<Decimal>,
    /// Return of 5 trading days.
    pub week: Measured<Decimal>,
    /// Return of 21 trading days.
    pub month: Measured<Decimal>,
    /// Return of 63 trading days.
    pub quarter: Measured<Decimal>,
    /// Return since the last close of the year before.
    pub year_to_date: Measured<Decimal>,
    /// Whether the close is above its average of 50 days.
    pub above_50_sma: Measured<bool>,
    /// Whether the close is above its average of 200 days.
    pub above_200_sma: Measured<bool>,
    /// Whether the close is above all others of 252 days.
    pub new_high: Measured<bool>,
    /// Whether the close is below all others of 252 days.
    pub new_low: Measured<bool>,
    /// The day's open over the close before, less one.
    pub gap: Measured<Decimal>,
    /// The day's volume over the mean of the 20 days before, 2 decimals.
    pub relative_volume: Measured<Decimal>,
}

/// How many stocks rise and fall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breadth {
    /// Stocks that were counted.
    pub stocks: usize,
    /// Those that rose on the day.
    pub advancers: usize,
    /// Those that fell.
    pub decliners: usize,
    /// Those above their average of 50 days.
    pub above_50_sma: usize,
    /// Those above their average of 200 days.
    pub above_200_sma: usize,
    /// Those above all closes of 252 days.
    pub new_highs: usize,
    /// Those below all closes of 252 days.
    pub new_lows: usize,
}

/// A stock among those that moved most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mover {
    /// The stock.
    pub ticker: Ticker,
    /// Its company.
    pub name: String,
    /// Its sector.
    pub sector: String,
    /// Close in US dollars.
    pub close: Decimal,
    /// Return of the day.
    pub day: Decimal,
    /// The day's open over the close before, less one.
    pub gap: Measured<Decimal>,
    /// The day's volume over the mean of the 20 days before.
    pub relative_volume: Measured<Decimal>,
}

/// An index of the market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFacts {
    /// The index.
    pub ticker: Ticker,
    /// Close, 2 decimals.
    pub close: Decimal,
    /// Return of the day.
    pub day: Measured<Decimal>,
    /// Return of 5 trading days.
    pub week: Measured<Decimal>,
    /// Return of 21 trading days.
    pub month: Measured<Decimal>,
    /// Return since the last close of the year before.
    pub year_to_date: Measured<Decimal>,
}

/// What the geopolitical scanner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GeopoliticsFacts {
    /// The day of the scan.
    pub date: Date,
    /// The regime of the market.
    pub regime: MacroRegime,
}

/// What the market movers scanner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoversFacts {
    /// The day of the scan.
    pub date: Date,
    /// The last trading day up to it, which all figures are of.
    pub session: Date,
    /// The index; unknown without prices.
    pub index: Measured<IndexFacts>,
    /// What rose most, at most 5.
    pub gainers: Vec<Mover>,
    /// What fell most, at most 5.
    pub losers: Vec<Mover>,
    /// How many rose and fell.
    pub breadth: Breadth,
    /// What is missing.
    pub missing: Vec<MissingInput>,
}

/// A sector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectorFacts {
    /// Its name.
    pub sector: String,
    /// What the returns are of: a fund that follows the sector, or the mean of its listed stocks.
    pub basis: Measured<String>,
    /// Return of the day.
    pub day: Measured<Decimal>,
    /// Return of 5 trading days.
    pub week: Measured<Decimal>,
    /// Return of 21 trading days.
    pub month: Measured<Decimal>,
    /// Return since the last close of the year before.
    pub year_to_date: Measured<Decimal>,
}

/// What the sector scanner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectorsFacts {
    /// The day of the scan.
    pub date: Date,
    /// All eleven, by their return of a month, highest first; those without data last.
    pub sectors: Vec<SectorFacts>,
    /// What is missing.
    pub missing: Vec<MissingInput>,
}

/// A stock with a footprint of large investors in its prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// The stock.
    pub ticker: Ticker,
    /// Its company.
    pub name: String,
    /// Its sector.
    pub sector: String,
    /// Close in US dollars.
    pub close: Decimal,
    /// Return of 21 trading days.
    pub month: Measured<Decimal>,
    /// The day's volume over the mean of the 20 days before.
    pub relative_volume: Measured<Decimal>,
}

/// What the people of a company bought of its shares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsiderBuying {
    /// The stock.
    pub ticker: Ticker,
    /// Its company.
    pub name: String,
    /// Shares bought on the market less shares sold there, in the last 90 days.
    pub shares: Decimal,
    /// Trades that these are of.
    pub trades: usize,
    /// The day on which the last of them became public.
    pub published: Date,
}

/// What the smart money scanner is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmartMoneyFacts {
    /// The day of the scan.
    pub date: Date,
    /// Stocks above all closes of 252 days; where volumes are known, with twice the usual volume.
    pub breakouts: Measured<Vec<Footprint>>,
    /// Stocks with more than twice their usual volume.
    pub unusual_volume: Measured<Vec<Footprint>>,
    /// Stocks that their own people bought.
    pub insider_buying: Measured<Vec<InsiderBuying>>,
    /// What is missing.
    pub missing: Vec<MissingInput>,
}

/// A sector with its stocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectorStocks {
    /// The sector.
    pub sector: SectorFacts,
    /// Its stocks.
    pub stocks: Vec<StockFacts>,
}

/// A report of earnings that is ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarningsAhead {
    /// The stock.
    pub ticker: Ticker,
    /// The day that is expected.
    pub date: Date,
}

/// What the deep dive is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeepDiveFacts {
    /// The day of the scan.
    pub date: Date,
    /// The three sectors that moved most in a month, either way.
    pub sectors: Vec<SectorStocks>,
    /// Reports of earnings of their stocks in the next 14 days.
    pub earnings: Measured<Vec<EarningsAhead>>,
    /// What is missing.
    pub missing: Vec<MissingInput>,
}

/// What the synthesis is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SynthesisFacts {
    /// The day of the scan.
    pub date: Date,
    /// Stocks to propose at most.
    pub max_tickers: u32,
    /// The regime of the market.
    pub regime: MacroRegime,
    /// How many stocks rise and fall.
    pub breadth: Breadth,
    /// All eleven sectors.
    pub sectors: Vec<SectorFacts>,
    /// The stocks with a footprint of large investors.
    pub footprints: BTreeSet<Ticker>,
    /// Those of them that volumes or purchases of insiders confirm; a new high alone does not.
    pub confirmed: BTreeSet<Ticker>,
    /// The stocks to choose from.
    pub stocks: Vec<StockFacts>,
    /// What is missing in all of the scan.
    pub missing: Vec<MissingInput>,
}
