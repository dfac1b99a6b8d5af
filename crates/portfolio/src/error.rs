use protocol::{Date, Decimal, trading::Ticker};

use crate::amount::TooLarge;
use crate::book::Refusal;

/// Why a ledger, a decision or a valuation is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortfolioError {
    /// There are no entries, or the first one opens nothing.
    #[error("The portfolio was never opened. Create it first.")]
    NotOpened,
    /// There is a second opening entry.
    #[error("The portfolio was opened twice. Its ledger is damaged; restore it from a backup.")]
    OpenedTwice,
    /// The starting cash is no usable amount.
    #[error(
        "A portfolio cannot start with {0} US dollars. Choose an amount above 0, at most 1,000,000,000,000, with at most 6 decimals."
    )]
    InvalidCash(Decimal),
    /// Something that it is to hold from the beginning cannot be.
    #[error("The portfolio cannot begin with {ticker}: {refusal}. Mend its line.")]
    InvalidHolding {
        /// The stock.
        ticker: Ticker,
        /// Why not.
        refusal: Refusal,
    },
    /// The settings contradict each other or are out of range.
    #[error("The portfolio's settings cannot be used: {0}.")]
    InvalidSettings(&'static str),
    /// What is to be paid in or taken out is no usable amount.
    #[error(
        "{0} US dollars cannot be paid in or taken out. Choose an amount other than 0, at most 1,000,000,000,000, with at most 2 decimals."
    )]
    InvalidTransfer(Decimal),
    /// More is to be taken out than there is.
    #[error(
        "{wanted} US dollars cannot be taken out: there are {cash} in cash. Take out less, or sell something first."
    )]
    NotEnoughCash {
        /// What is to be taken out, in US dollars.
        wanted: Decimal,
        /// The cash, in US dollars.
        cash: Decimal,
    },
    /// The decision, or one of its orders, was carried out before.
    #[error("\"{key}\" was carried out before and is not carried out again.")]
    Duplicate {
        /// The idempotency key.
        key: String,
    },
    /// The day lies before the portfolio's last entry.
    #[error("{date} lies before the portfolio's last entry on {last}. Choose {last} or a later day.")]
    BackInTime {
        /// The day that was asked for.
        date: Date,
        /// The day of the last entry.
        last: Date,
    },
    /// The day is over for this portfolio, so its market cannot change it any more.
    #[error(
        "The market of {date} cannot be booked: the portfolio's last entry is of {last}. Go on with the day after."
    )]
    DayOver {
        /// The day that was asked for.
        date: Date,
        /// The day of the last entry.
        last: Date,
    },
    /// A recorded trade cannot have happened.
    #[error(
        "The ledger is damaged: trade \"{key}\" does not fit the entries before it ({refusal}). Restore it from a backup."
    )]
    InvalidTrade {
        /// The trade's key.
        key: String,
        /// What does not fit.
        refusal: Refusal,
    },
    /// A split or a dividend cannot be booked.
    #[error("What happened to {ticker} on {date} cannot be booked: {refusal}.")]
    InvalidAction {
        /// The stock.
        ticker: Ticker,
        /// The day.
        date: Date,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// The limits contradict each other or are out of range.
    #[error("The limits cannot be used: {0}.")]
    InvalidConstraints(&'static str),
    /// An amount is beyond what is computed exactly.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}
