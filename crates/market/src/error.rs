use protocol::{Date, trading::Ticker};

/// Why a vendor gave no data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The vendor does not know the instrument.
    #[error("{vendor} has no prices for {ticker}. Choose one of its instruments.")]
    UnknownTicker {
        /// The vendor's name.
        vendor: String,
        /// What was asked for.
        ticker: Ticker,
    },
    /// The day lies outside the vendor's data.
    #[error("{vendor} has no prices as of {date}: they run from {first} to {last}. Choose a date between.")]
    OutOfRange {
        /// The vendor's name.
        vendor: String,
        /// The day that was asked for.
        date: Date,
        /// The first day with prices.
        first: Date,
        /// The last day with prices.
        last: Date,
    },
    /// The vendor does not offer this kind of data at all. The caller goes on without it and says so.
    #[error("Not available: {0}")]
    NotAvailable(String),
    /// The data itself cannot be read.
    #[error("{file} is damaged: {reason}. Restore the file.")]
    Damaged {
        /// The file.
        file: &'static str,
        /// What is wrong with it, and where.
        reason: String,
    },
    /// A vendor that is reached over a network did not answer as it should.
    #[error("{vendor} did not answer: {reason}. Try again later.")]
    Vendor {
        /// The vendor's name.
        vendor: String,
        /// What happened.
        reason: String,
    },
}
