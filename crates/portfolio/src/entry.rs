use protocol::{
    Date, Decimal, RunId, Timestamp,
    document::DocumentReference,
    trading::{
        DividendIncome, PendingOrder, PortfolioId, PortfolioSettings, RejectedOrder, Split, StartingHoldings,
        Trade,
    },
};
use serde::{Deserialize, Serialize};

/// One entry of a portfolio's ledger. One decision is one entry, and so is one day of the market, so that
/// all that belongs together is recorded or none.
///
/// Within a day the market comes first: what it does to the portfolio is booked before anything is decided
/// or paid in on that day. Decisions and transfers stand after the day's close.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The portfolio begins.
    Opened {
        /// The portfolio.
        id: PortfolioId,
        /// Its name.
        name: String,
        /// Cash to start with, in US dollars; above zero, or zero where something is held from the beginning.
        cash: Decimal,
        /// When it was opened.
        at: Timestamp,
        /// The rules that it trades by. Earlier versions wrote none.
        #[serde(default = "PortfolioSettings::before_settings")]
        settings: PortfolioSettings,
        /// What it holds from the beginning.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        holdings: Option<StartingHoldings>,
    },
    /// It trades by other rules from now on. The cost method stays as it was.
    Configured {
        /// Idempotency key of the change.
        key: String,
        /// The rules.
        settings: PortfolioSettings,
        /// When they were set.
        at: Timestamp,
    },
    /// Money was paid in or taken out.
    Transferred {
        /// Idempotency key of the transfer.
        key: String,
        /// US dollars; negative where money is taken out; never zero.
        amount: Decimal,
        /// The day, after whose close the money moves.
        date: Date,
        /// When it was recorded.
        at: Timestamp,
        /// What it is for.
        note: String,
    },
    /// A decision was taken, and carried out as far as its prices were known.
    Decided {
        /// Idempotency key of the decision.
        key: String,
        /// The run that decided, if one did.
        run: Option<RunId>,
        /// The day of the decision.
        date: Date,
        /// When it was carried out.
        at: Timestamp,
        /// What was executed at the day's close, in this order.
        trades: Vec<Trade>,
        /// What was refused at once.
        rejected: Vec<RejectedOrder>,
        /// What waits for the first price after the day.
        #[serde(default)]
        pending: Vec<PendingOrder>,
        /// Total value afterwards at the day's prices, in US dollars; `None` if a holding had no price.
        value: Option<Decimal>,
        /// The table of own prices that was asked before the shared ones, and that the portfolio is valued by from then
        /// on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price_table: Option<DocumentReference>,
    },
    /// A day of the market did something to the portfolio: in this order, it split what is held, paid
    /// dividends on it, and filled orders that waited or stood.
    Passed {
        /// The day.
        date: Date,
        /// When it was recorded.
        at: Timestamp,
        /// Splits of what was held or ordered.
        splits: Vec<Split>,
        /// Dividends on what was held before the day's trades.
        dividends: Vec<DividendIncome>,
        /// What was traded, in this order.
        trades: Vec<Trade>,
        /// Orders that waited and were refused, or waited too long.
        refused: Vec<Refused>,
    },
}

/// An order that waited for a price and was not executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Idempotency key of the order.
    pub key: String,
    /// The order, and every reason.
    pub rejected: RejectedOrder,
}

impl Entry {
    /// The idempotency key that a ledger keeps this entry under; `None` for the opening one.
    pub fn key(&self) -> Option<String> {
        match self {
            Self::Opened { .. } => None,
            Self::Configured { key, .. } | Self::Transferred { key, .. } | Self::Decided { key, .. } => {
                Some(key.clone())
            }
            Self::Passed { date, .. } => Some(format!("day/{date}")),
        }
    }

    /// The day that it is booked on; `None` if it belongs to no day.
    pub fn date(&self) -> Option<Date> {
        match self {
            Self::Opened { holdings, .. } => holdings.as_ref().map(|holdings| holdings.as_of),
            Self::Configured { .. } => None,
            Self::Transferred { date, .. } | Self::Decided { date, .. } | Self::Passed { date, .. } => {
                Some(*date)
            }
        }
    }
}
