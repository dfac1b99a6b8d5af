//! The portfolios: their ledger, their rules and the day's prices, brought together.

use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use journal::{Appended, Journal, JournalError, Ledger, LedgerError};
use market::{Market, NoData, Why};
use portfolio::{Closes, Entry, ExecutionInputs, Portfolio, PortfolioError, Quotes};
use protocol::{
    Date, Decimal, RunId, Timestamp,
    trading::{
        Constraints, Decision, PortfolioId, PortfolioSettings, PortfolioSummary, PortfolioView, Ticker,
    },
};
use tokio::sync::broadcast;

const DEFAULT_ID: &str = "main_portfolio";
const DEFAULT_NAME: &str = "Main portfolio";
/// US dollars.
const DEFAULT_CASH: Decimal = Decimal::from_parts(100_000, 0, 0, false, 0);
/// What the portfolios are compared with.
pub(super) const BENCHMARK: &str = "^GSPC";
/// What spare cash is kept in.
pub(super) const CASH_EQUIVALENT: &str = "SGOV";
/// Characters that a portfolio's name may have.
const LONGEST_NAME: usize = 80;
/// Attempts to add an entry while others add theirs.
const ATTEMPTS: u32 = 32;

/// Why the desk refuses.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// No such portfolio.
    #[error("There is no portfolio {0}. Create it first, or check the id.")]
    NotFound(PortfolioId),
    /// The id is taken.
    #[error("There is a portfolio {0} already. Choose another id.")]
    Exists(PortfolioId),
    /// What was asked for is not possible.
    #[error("{0}")]
    Invalid(String),
    /// Others keep trading on the portfolio.
    #[error("The portfolio {0} was changed by others again and again. Try again.")]
    Busy(PortfolioId),
    /// An entry cannot be read.
    #[error("The ledger of {id} is damaged at entry {number}: {reason}. Restore it from a backup.")]
    Damaged {
        /// The portfolio.
        id: PortfolioId,
        /// The entry's number.
        number: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// The rules refuse.
    #[error("{0}")]
    Portfolio(PortfolioError),
    /// There are no prices.
    #[error("{0}")]
    Market(NoData),
    /// The journal failed.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl From<PortfolioError> for DeskError {
    fn from(error: PortfolioError) -> Self {
        match error {
            PortfolioError::InvalidCash(_) | PortfolioError::BackInTime { .. } => {
                Self::Invalid(error.to_string())
            }
            error => Self::Portfolio(error),
        }
    }
}

impl From<LedgerError> for DeskError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Exists(id) => Self::Exists(id),
            LedgerError::NoSuchPortfolio(id) => Self::NotFound(id),
            LedgerError::Journal(error) => Self::Journal(error),
        }
    }
}

/// Opens, shows and trades portfolios.
pub struct Desk {
    journal: Journal,
    ledger: Ledger,
    prices: Arc<Market>,
    constraints: Constraints,
    benchmark: Option<Ticker>,
    cash_equivalent: Option<Ticker>,
    /// The ids in the ledger, for questions that cannot wait for the database.
    known: RwLock<BTreeSet<PortfolioId>>,
}

impl Desk {
    /// The desk of this journal; opens the default portfolio if there is none yet.
    ///
    /// # Errors
    /// The ledger cannot be read or written.
    pub async fn open_default(journal: Journal, prices: Arc<Market>) -> Result<Self, DeskError> {
        let ledger = journal.ledger();
        let known = ledger.list().await?.into_iter().collect::<BTreeSet<_>>();
        let is_new = known.is_empty();
        let desk = Self {
            journal,
            ledger,
            prices,
            constraints: Constraints::default(),
            benchmark: BENCHMARK.parse().ok(),
            cash_equivalent: CASH_EQUIVALENT.parse().ok(),
            known: RwLock::new(known),
        };
        if is_new && let Ok(id) = DEFAULT_ID.parse() {
            desk.open(id, DEFAULT_NAME, DEFAULT_CASH).await?;
        }
        Ok(desk)
    }

    /// Opens a portfolio with this much cash, in US dollars.
    ///
    /// # Errors
    /// [`DeskError::Exists`]; [`DeskError::Invalid`] for a name or an amount that cannot be.
    pub async fn open(&self, id: PortfolioId, name: &str, cash: Decimal) -> Result<(), DeskError> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(DeskError::Invalid(format!(
                "A portfolio's name must have 1 to {LONGEST_NAME} characters."
            )));
        }
        let settings = PortfolioSettings::before_settings();
        let entry = Entry::Opened { id: id.clone(), name: name.to_owned(), cash, at: now(), settings };
        Portfolio::fold(std::slice::from_ref(&entry))?;
        self.ledger.open(&id, &encode(&entry)?).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id);
        Ok(())
    }

    /// The portfolios of one account, by id: those that are its own. No other is read.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn list(
        &self,
        is_own: impl Fn(&PortfolioId) -> bool,
    ) -> Result<Vec<PortfolioSummary>, DeskError> {
        let mut own = self.known.read().unwrap_or_else(PoisonError::into_inner).clone();
        own.retain(is_own);
        let mut summaries = Vec::new();
        for id in own {
            let portfolio = self.load(&id).await?;
            summaries.push(PortfolioSummary {
                id,
                name: portfolio.name().to_owned(),
                cash: portfolio.cash(),
                positions: u32::try_from(portfolio.holdings().len()).unwrap_or(u32::MAX),
            });
        }
        Ok(summaries)
    }

    /// Whether there is such a portfolio.
    pub fn knows(&self, id: &PortfolioId) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains(id)
    }

    /// The portfolio as its ledger leaves it.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], or the ledger cannot be read.
    pub async fn load(&self, id: &PortfolioId) -> Result<Portfolio, DeskError> {
        Ok(Portfolio::fold(&self.entries(id).await?)?)
    }

    /// The portfolio at the prices of `as_of` and with the decisions up to then. Without `as_of`:
    /// the day of the last decision, or the last day with prices.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; [`DeskError::Invalid`] for a day without prices.
    pub async fn view(&self, id: &PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, DeskError> {
        let mut entries = self.entries(id).await?;
        if let Some(as_of) = as_of {
            entries.retain(|entry| entry.date().is_none_or(|date| date <= as_of));
        }
        let portfolio = Portfolio::fold(&entries)?;
        let as_of = as_of.or(portfolio.last_date()).unwrap_or_else(|| self.prices.last_date());
        let benchmark =
            self.benchmark.clone().ok_or_else(|| DeskError::Invalid("There is no benchmark.".to_owned()))?;
        let closes = self.closes(portfolio.tickers().into_iter().chain([benchmark.clone()]), as_of).await?;
        let quotes =
            Quotes { instruments: self.prices.instruments(), closes: &closes, benchmark: &benchmark };
        Ok(portfolio::value(&portfolio, &quotes, &self.constraints, as_of)?)
    }

    /// Carries a decision out at the prices of `date`, once for each `key`: where the key is known,
    /// the entry that was stored then is returned and nothing is traded. Waits while the ledger
    /// cannot be written.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; [`DeskError::Invalid`] for a day without prices or before the last
    /// decision.
    pub async fn decide(
        &self,
        id: &PortfolioId,
        key: &str,
        run: Option<RunId>,
        date: Date,
        decision: &Decision,
    ) -> Result<Entry, DeskError> {
        for _ in 0..ATTEMPTS {
            let entries = self.entries(id).await?;
            if let Some(known) = entries.iter().find(|entry| is_keyed(entry, key)) {
                return Ok(known.clone());
            }
            let portfolio = Portfolio::fold(&entries)?;
            let entry = self.carry_out(&portfolio, key, run, date, decision).await?;
            match self.append(id, portfolio.entries(), key, &encode(&entry)?).await? {
                Appended::Added(_) => return Ok(entry),
                Appended::Known(stored) => return decode(id, portfolio.entries() as usize + 1, &stored),
                // Somebody else traded since the entries were read: decide anew on what is there now.
                Appended::Conflict => {}
            }
        }
        Err(DeskError::Busy(id.clone()))
    }

    async fn append(
        &self,
        id: &PortfolioId,
        expected: u64,
        key: &str,
        entry: &str,
    ) -> Result<Appended, LedgerError> {
        loop {
            match self.ledger.append(id, expected, key, entry).await {
                Err(LedgerError::Journal(error)) if error.may_pass() => self.journal.writable().await,
                other => return other,
            }
        }
    }

    /// The id of every portfolio that has a new entry.
    pub fn changes(&self) -> broadcast::Receiver<PortfolioId> {
        self.ledger.changes()
    }

    /// The limits that purchases respect.
    pub fn constraints(&self) -> &Constraints {
        &self.constraints
    }

    /// The closing price of a day; `None` if there is none.
    ///
    /// # Errors
    /// The day has no prices at all.
    pub async fn price(&self, ticker: &Ticker, date: Date) -> Result<Option<Decimal>, DeskError> {
        let closes = self.closes([ticker.clone()], date).await?;
        Ok(portfolio::prices_at(&closes, date).remove(ticker))
    }

    async fn carry_out(
        &self,
        portfolio: &Portfolio,
        key: &str,
        run: Option<RunId>,
        date: Date,
        decision: &Decision,
    ) -> Result<Entry, DeskError> {
        let ordered = decision.orders.iter().map(|order| order.ticker.clone());
        let tickers = portfolio.tickers().into_iter().chain(ordered).chain(self.cash_equivalent.clone());
        let prices = portfolio::prices_at(&self.closes(tickers, date).await?, date);
        let instruments = self.prices.instruments().iter();
        let sectors =
            instruments.map(|instrument| (instrument.ticker.clone(), instrument.sector.clone())).collect();
        let inputs = ExecutionInputs {
            prices: &prices,
            sectors: &sectors,
            constraints: &self.constraints,
            cash_equivalent: self.cash_equivalent.as_ref(),
            key,
            run,
            date,
            at: now(),
        };
        let entry = portfolio::execute(portfolio, decision, &inputs)?;
        Ok(portfolio::sweep(portfolio, entry, &inputs)?.0)
    }

    /// Closes up to `date`. A ticker that there are no prices of has none.
    ///
    /// # Errors
    /// There are no prices of the day at all, or they cannot be had at the moment: whether there are any is then not
    /// known, and nobody may decide as if there were none.
    async fn closes(
        &self,
        tickers: impl IntoIterator<Item = Ticker>,
        date: Date,
    ) -> Result<Closes, DeskError> {
        let (first, last) = (self.prices.first_date(), self.prices.last_date());
        if date < first || date > last {
            return Err(DeskError::Invalid(no_prices_as_of(date, first, last)));
        }
        let mut closes = Closes::new();
        for ticker in tickers.into_iter().collect::<BTreeSet<_>>() {
            match self.prices.prices(&ticker, date).await {
                Ok(answer) => {
                    let days = answer.data.days.into_iter().map(|price| (price.date, price.close)).collect();
                    closes.insert(ticker, days);
                }
                Err(NoData { why: Why::Empty | Why::Unknown | Why::Denied, .. }) => {}
                Err(error) => return Err(DeskError::Market(error)),
            }
        }
        Ok(closes)
    }

    async fn entries(&self, id: &PortfolioId) -> Result<Vec<Entry>, DeskError> {
        let stored = self.ledger.entries(id).await?;
        if stored.is_empty() {
            return Err(DeskError::NotFound(id.clone()));
        }
        stored.iter().enumerate().map(|(index, json)| decode(id, index + 1, json)).collect()
    }
}

/// That a day lies outside of all prices.
pub(super) fn no_prices_as_of(date: Date, first: Date, last: Date) -> String {
    format!("There are no prices as of {date}: they run from {first} to {last}. Choose a date between.")
}

fn is_keyed(entry: &Entry, wanted: &str) -> bool {
    entry.key().as_deref() == Some(wanted)
}

fn encode(entry: &Entry) -> Result<String, DeskError> {
    serde_json::to_string(entry)
        .map_err(|error| DeskError::Invalid(format!("The entry has no JSON form: {error}.")))
}

fn decode(id: &PortfolioId, number: usize, json: &str) -> Result<Entry, DeskError> {
    serde_json::from_str(json).map_err(|error| DeskError::Damaged {
        id: id.clone(),
        number,
        reason: error.to_string(),
    })
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
