//! The portfolios: their ledger, their rules and the day's prices, brought together.

mod market_days;
mod records;
mod verify;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
    time::{SystemTime, UNIX_EPOCH},
};

use journal::{Appended, Journal, JournalError, Ledger, LedgerError};
use market::{Market, NoData};
use portfolio::{Entry, LONGEST_WAIT, Portfolio, PortfolioError, Quotes};
use protocol::{
    Date, Decimal, RunId, Timestamp,
    document::DocumentReference,
    trading::{
        Decision, PortfolioId, PortfolioSettings, PortfolioSummary, PortfolioView, StartingCsv,
        StartingHoldings, StartingPreview, Ticker,
    },
};
use tokio::sync::broadcast;

use super::{own_prices::Prices, starting_holdings::StartingTable};
use crate::{Owner, Refusal};
use market_days::{MarketDays, Rules};
pub(super) use verify::{Carrying, LedgerPlace};

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
/// Characters of what a payment is for.
const LONGEST_NOTE: usize = 200;
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
            PortfolioError::InvalidCash(_)
            | PortfolioError::InvalidHolding { .. }
            | PortfolioError::BackInTime { .. }
            | PortfolioError::InvalidSettings(_)
            | PortfolioError::InvalidConstraints(_)
            | PortfolioError::InvalidTransfer(_)
            | PortfolioError::NotEnoughCash { .. } => Self::Invalid(error.to_string()),
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

/// What people and runs add to a ledger.
#[derive(Clone, Copy)]
enum Addition<'a> {
    Rules(&'a PortfolioSettings),
    OnDay(Date, DayEntry<'a>),
}

/// What belongs to a day, and comes after what the market does on it.
#[derive(Clone, Copy)]
enum DayEntry<'a> {
    Decision { run: Option<RunId>, decision: &'a Decision, prices: Option<&'a Prices> },
    Transfer { amount: Decimal, note: &'a str },
}

/// Opens, shows and trades portfolios.
pub struct Desk {
    journal: Journal,
    ledger: Ledger,
    /// The prices that all accounts share.
    shared: Arc<Market>,
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
            shared: prices,
            benchmark: BENCHMARK.parse().ok(),
            cash_equivalent: CASH_EQUIVALENT.parse().ok(),
            known: RwLock::new(known),
        };
        if is_new && let Ok(id) = DEFAULT_ID.parse() {
            // Runs as AgentOS does them trade at the close that they have seen.
            desk.open(id, DEFAULT_NAME, DEFAULT_CASH, PortfolioSettings::before_settings()).await?;
        }
        Ok(desk)
    }

    /// Opens a portfolio with this much cash, in US dollars, that trades by these rules.
    ///
    /// # Errors
    /// [`DeskError::Exists`]; [`DeskError::Invalid`] for a name, an amount or a rule that cannot be.
    pub async fn open(
        &self,
        id: PortfolioId,
        name: &str,
        cash: Decimal,
        settings: PortfolioSettings,
    ) -> Result<(), DeskError> {
        self.open_with(id, name, cash, None, settings).await
    }

    /// The same with what it holds from the beginning.
    ///
    /// # Errors
    /// As [`Self::open`]; [`DeskError::Invalid`] for a holding that cannot be, or a day without prices.
    pub async fn open_with(
        &self,
        id: PortfolioId,
        name: &str,
        cash: Decimal,
        holdings: Option<StartingHoldings>,
        settings: PortfolioSettings,
    ) -> Result<(), DeskError> {
        if let Some(StartingHoldings { as_of, .. }) = &holdings {
            check_day(&self.shared, *as_of)?;
        }
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(DeskError::Invalid(format!(
                "A portfolio's name must have 1 to {LONGEST_NAME} characters."
            )));
        }
        let (opened, name) = (id.clone(), name.to_owned());
        let entry = Entry::Opened { id: opened, name, cash, at: now(), settings, holdings };
        Portfolio::fold(std::slice::from_ref(&entry))?;
        self.ledger.open(&id, &encode(&entry)?).await?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(id);
        Ok(())
    }

    /// What a table says that a portfolio begins with at the close of a day, the last one with prices without one. Nothing
    /// is opened.
    ///
    /// # Errors
    /// [`DeskError::Invalid`] for a day without prices.
    pub async fn preview(&self, table: &StartingCsv) -> Result<StartingPreview, DeskError> {
        let as_of = table.as_of.unwrap_or_else(|| self.shared.last_date());
        check_day(&self.shared, as_of)?;
        let (mut preview, _) = StartingTable::read(&table.csv, as_of);
        // Vendors over a network are asked when the portfolio is shown.
        if !self.shared.is_live() {
            let tickers: Vec<Ticker> =
                preview.positions.iter().map(|position| position.ticker.clone()).collect();
            let closes = days(&self.shared, tickers.iter().cloned(), as_of).await?.closes();
            let priced = portfolio::prices_at(&closes, as_of);
            preview.unpriced = tickers.into_iter().filter(|ticker| !priced.contains_key(ticker)).collect();
        }
        Ok(preview)
    }

    /// Opens a portfolio with what a table says.
    ///
    /// # Errors
    /// As [`Self::open_with`]; [`DeskError::Invalid`] for a table with errors, which it names by line.
    pub async fn import(
        &self,
        id: PortfolioId,
        name: &str,
        table: &StartingCsv,
        settings: PortfolioSettings,
    ) -> Result<(), DeskError> {
        let as_of = table.as_of.unwrap_or_else(|| self.shared.last_date());
        let (preview, read) = StartingTable::read(&table.csv, as_of);
        let read = read.ok_or_else(|| DeskError::Invalid(in_one_sentence(&preview)))?;
        let cash = read.cash;
        self.open_with(id, name, cash, read.holdings(as_of), settings).await
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
                opened_at: portfolio.opened_at(),
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

    /// The portfolio at the prices of `as_of` and with the decisions up to then. Without `as_of`: the day on which the
    /// last order that waited was filled, or the day of the last entry, or the last day with prices.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; [`DeskError::Invalid`] for a day without prices.
    pub async fn view(&self, id: &PortfolioId, as_of: Option<Date>) -> Result<PortfolioView, DeskError> {
        let portfolio = self.as_of(id, as_of).await?;
        let prices = self.prices_of(&portfolio).await?;
        self.viewed(portfolio, as_of, &prices).await
    }

    /// The same as of a day, by prices that a run works with.
    pub(super) async fn view_at(
        &self,
        id: &PortfolioId,
        as_of: Date,
        prices: &Prices,
    ) -> Result<PortfolioView, DeskError> {
        self.viewed(self.as_of(id, Some(as_of)).await?, Some(as_of), prices).await
    }

    /// The portfolio with the decisions up to a day.
    async fn as_of(&self, id: &PortfolioId, as_of: Option<Date>) -> Result<Portfolio, DeskError> {
        let mut entries = self.entries(id).await?;
        if let Some(as_of) = as_of {
            if let Some(begin) = entries.first().and_then(Entry::date).filter(|begin| as_of < *begin) {
                return Err(PortfolioError::BackInTime { date: as_of, last: begin }.into());
            }
            entries.retain(|entry| entry.date().is_none_or(|date| date <= as_of));
        }
        Ok(Portfolio::fold(&entries)?)
    }

    async fn viewed(
        &self,
        mut portfolio: Portfolio,
        as_of: Option<Date>,
        prices: &Prices,
    ) -> Result<PortfolioView, DeskError> {
        let Prices { market, table } = prices;
        let until = as_of.unwrap_or_else(|| shown_until(market, &portfolio));
        let benchmark =
            self.benchmark.clone().ok_or_else(|| DeskError::Invalid("There is no benchmark.".to_owned()))?;
        let days = days(market, portfolio.tickers().into_iter().chain([benchmark.clone()]), until).await?;
        let as_of = match as_of {
            Some(as_of) => {
                self.pass(&mut portfolio, &days, as_of)?;
                as_of
            }
            None => self.pass_until_filled(&mut portfolio, &days, until)?.0,
        };
        let closes = days.closes();
        let quotes = Quotes { instruments: market.instruments(), closes: &closes, benchmark: &benchmark };
        let view = portfolio::value(&portfolio, &quotes, &portfolio.settings().limits, as_of)?;
        Ok(PortfolioView { price_table: *table, ..view })
    }

    /// The table of own prices that a portfolio is valued by; `None` where it is none, or where its owner has deleted it.
    ///
    /// # Errors
    /// [`DeskError::NotFound`], or it cannot be read.
    pub(super) async fn price_table(&self, id: &PortfolioId) -> Result<Option<DocumentReference>, DeskError> {
        Ok(self.prices_of(&self.load(id).await?).await?.table)
    }

    /// What a portfolio is valued by. A table that its owner has deleted counts no more.
    async fn prices_of(&self, portfolio: &Portfolio) -> Result<Prices, DeskError> {
        let shared = Prices { market: self.shared.clone(), table: None };
        let Some((table, owner)) = portfolio.price_table().zip(portfolio.id().owner()) else {
            return Ok(shared);
        };
        let owner = Owner::new(owner, self.journal.documents());
        match Prices::open(&self.shared, Some(table), &owner).await {
            Ok(prices) => Ok(prices),
            Err(Refusal::Journal(error)) => Err(DeskError::Journal(error)),
            Err(_) => Ok(shared),
        }
    }

    /// Lets days pass until no order waits any more; returns the day that this has led to, and the new entries.
    fn pass_until_filled(
        &self,
        portfolio: &mut Portfolio,
        days: &MarketDays,
        until: Date,
    ) -> Result<(Date, Vec<Entry>), PortfolioError> {
        let mut reached = portfolio.last_date().unwrap_or(until);
        let mut passed = Vec::new();
        while !portfolio.pending().is_empty()
            && let Some(next) = days.next(reached).filter(|next| *next <= until)
        {
            passed.append(&mut self.pass(portfolio, days, next)?);
            reached = next;
        }
        Ok((reached, passed))
    }

    /// Lets the days up to `until` do their part; returns the new entries.
    fn pass(
        &self,
        portfolio: &mut Portfolio,
        days: &MarketDays,
        until: Date,
    ) -> Result<Vec<Entry>, PortfolioError> {
        let sectors = &self.sectors();
        let cash_equivalent = self.cash_equivalent.as_ref();
        days.pass(portfolio, until, &Rules { sectors, cash_equivalent, at: now() })
    }

    /// Carries a decision out at the prices of `date`, or lets it wait for the first price after that, as the
    /// portfolio's settings say. Once for each `key`: where the key is known, the entry that was stored then is
    /// returned and nothing is traded. Before it, what the market has done since the portfolio's last entry is
    /// recorded. The prices are those that the portfolio is valued by. Waits while the ledger cannot be written.
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
        let entry = DayEntry::Decision { run, decision, prices: None };
        self.add(id, key, Addition::OnDay(date, entry)).await
    }

    /// The same at prices that a run works with, which the portfolio is valued by from then on.
    ///
    /// # Errors
    /// As [`Self::decide`]; [`DeskError::Invalid`] where the portfolio is valued by another table.
    pub(super) async fn decide_at(
        &self,
        id: &PortfolioId,
        key: &str,
        run: RunId,
        date: Date,
        decision: &Decision,
        prices: &Prices,
    ) -> Result<Entry, DeskError> {
        let entry = DayEntry::Decision { run: Some(run), decision, prices: Some(prices) };
        self.add(id, key, Addition::OnDay(date, entry)).await
    }

    /// Pays money into a portfolio at the end of a day, or takes it out where `amount` is negative, in US dollars.
    /// Once for each `key`.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; [`DeskError::Invalid`] for an amount that is zero, too large or more than the cash, for
    /// a day without prices or before the last entry.
    pub async fn transfer(
        &self,
        id: &PortfolioId,
        key: &str,
        date: Date,
        amount: Decimal,
        note: &str,
    ) -> Result<Entry, DeskError> {
        let note = note.trim();
        if note.chars().count() > LONGEST_NOTE || note.chars().any(char::is_control) {
            return Err(DeskError::Invalid(format!(
                "What a payment is for must have at most {LONGEST_NOTE} characters, in one line."
            )));
        }
        self.add(id, key, Addition::OnDay(date, DayEntry::Transfer { amount, note })).await
    }

    /// Lets a portfolio trade by other rules from now on. Once for each `key`.
    ///
    /// # Errors
    /// [`DeskError::NotFound`]; [`DeskError::Invalid`] for rules that cannot be.
    pub async fn configure(
        &self,
        id: &PortfolioId,
        key: &str,
        settings: PortfolioSettings,
    ) -> Result<Entry, DeskError> {
        self.add(id, key, Addition::Rules(&settings)).await
    }

    /// The entries that an addition makes of a portfolio: what the market has done since its last one, and then the
    /// addition itself.
    async fn entries_of(
        &self,
        portfolio: &mut Portfolio,
        key: &str,
        addition: Addition<'_>,
    ) -> Result<Vec<Entry>, DeskError> {
        let key = key.to_owned();
        let (date, day_entry) = match addition {
            Addition::Rules(settings) => {
                return Ok(vec![Entry::Configured { key, settings: settings.clone(), at: now() }]);
            }
            Addition::OnDay(date, day_entry) => (date, day_entry),
        };
        let ordered = match day_entry {
            DayEntry::Decision { decision, .. } => decision.orders.as_slice(),
            DayEntry::Transfer { .. } => &[],
        };
        let ordered = ordered.iter().map(|order| order.ticker.clone());
        let own = self.prices_of(portfolio).await?;
        let prices = match day_entry {
            DayEntry::Decision { prices: Some(prices), .. } if !keeps_to(own.table, prices.table) => {
                return Err(DeskError::Invalid(other_prices(portfolio.id())));
            }
            DayEntry::Decision { prices, .. } => prices.unwrap_or(&own),
            DayEntry::Transfer { .. } => &own,
        };
        let tickers = portfolio.tickers().into_iter().chain(ordered).chain(self.cash_equivalent.clone());
        let days = days(&prices.market, tickers, date).await?;
        let mut entries = self.pass(portfolio, &days, date)?;
        entries.push(match day_entry {
            DayEntry::Decision { run, decision, .. } => {
                let (at, price_table) = (now(), prices.table);
                let prices = &portfolio::prices_at(&days.closes(), date);
                let carrying = Carrying { key: &key, run, date, at, prices, price_table };
                self.execute(portfolio, decision, &carrying)?
            }
            DayEntry::Transfer { amount, note } => {
                Entry::Transferred { key, amount, date, at: now(), note: note.to_owned() }
            }
        });
        Ok(entries)
    }

    /// Adds entries to a ledger, the last of which has this key; returns that one, or the one that was stored under
    /// the key before. They are made anew while others add theirs.
    async fn add(&self, id: &PortfolioId, key: &str, addition: Addition<'_>) -> Result<Entry, DeskError> {
        'again: for _ in 0..ATTEMPTS {
            let entries = self.entries(id).await?;
            if let Some(known) = entries.iter().find(|entry| is_keyed(entry, key)) {
                return Ok(known.clone());
            }
            let mut stored = Portfolio::fold(&entries)?;
            let new = self.entries_of(&mut stored.clone(), key, addition).await?;
            for entry in new {
                let (expected, own) = (stored.entries(), entry.key().unwrap_or_default());
                // Nothing stands in the ledger that it could not be read with.
                stored.apply(&entry)?;
                match self.append(id, expected, &own, &encode(&entry)?).await? {
                    Appended::Added(_) if own == key => return Ok(entry),
                    Appended::Added(_) => {}
                    Appended::Known(stored) if own == key => {
                        return decode(id, usize::try_from(expected).unwrap_or(usize::MAX), &stored);
                    }
                    // Somebody else added to it since the entries were read: look anew at what is there now.
                    Appended::Known(_) | Appended::Conflict => continue 'again,
                }
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

    fn sectors(&self) -> BTreeMap<Ticker, String> {
        let instruments = self.shared.instruments().iter();
        instruments.map(|instrument| (instrument.ticker.clone(), instrument.sector.clone())).collect()
    }

    async fn entries(&self, id: &PortfolioId) -> Result<Vec<Entry>, DeskError> {
        let stored = self.ledger.entries(id).await?;
        if stored.is_empty() {
            return Err(DeskError::NotFound(id.clone()));
        }
        stored.iter().enumerate().map(|(index, json)| decode(id, index + 1, json)).collect()
    }
}

/// The days up to `date`.
///
/// # Errors
/// There are no prices of the day at all, or they cannot be had at the moment.
async fn days(
    market: &Market,
    tickers: impl IntoIterator<Item = Ticker>,
    date: Date,
) -> Result<MarketDays, DeskError> {
    check_day(market, date)?;
    MarketDays::read(market, tickers, date).await.map_err(DeskError::Market)
}

/// Refuses a day that there are no prices as of.
fn check_day(market: &Market, date: Date) -> Result<(), DeskError> {
    let (first, last) = (market.first_date(), market.last_date());
    match (first..=last).contains(&date) {
        true => Ok(()),
        false => Err(DeskError::Invalid(no_prices_as_of(date, first, last))),
    }
}

/// The last day that a portfolio is shown at: orders that wait are looked after for as long as they may.
fn shown_until(market: &Market, portfolio: &Portfolio) -> Date {
    let last = market.last_date();
    match portfolio.last_date() {
        None => last,
        Some(date) if portfolio.pending().is_empty() => date,
        Some(date) => (0..=LONGEST_WAIT).fold(date, |day, _| day.tomorrow().unwrap_or(day)).min(last),
    }
}

/// Whether a decision at the prices of a table, or at the shared ones, leaves a portfolio with the table that it is valued
/// by: any version of it will do, and one without a table may take any.
pub(super) fn keeps_to(own: Option<DocumentReference>, table: Option<DocumentReference>) -> bool {
    own.is_none_or(|own| table.is_some_and(|table| table.id == own.id))
}

/// That a portfolio is valued by another table than a run names.
pub(super) fn other_prices(id: &PortfolioId) -> String {
    format!(
        "The portfolio {id} is valued by own prices, and trades at those alone. Choose them, leave the choice out, or \
         take another portfolio."
    )
}

/// The closing price of a day as a portfolio counts it; `None` if there is none.
///
/// # Errors
/// Prices cannot be had at the moment.
pub(super) async fn closing_price(
    market: &Market,
    ticker: &Ticker,
    date: Date,
) -> Result<Option<Decimal>, DeskError> {
    let days = MarketDays::read(market, [ticker.clone()], date).await.map_err(DeskError::Market)?;
    Ok(portfolio::prices_at(&days.closes(), date).remove(ticker))
}

/// That a day lies outside of all prices.
pub(super) fn no_prices_as_of(date: Date, first: Date, last: Date) -> String {
    format!("There are no prices as of {date}: they run from {first} to {last}. Choose a date between.")
}

/// What is wrong with a table, as far as one sentence after the other says it.
fn in_one_sentence(preview: &StartingPreview) -> String {
    const SHOWN: usize = 3;
    let more = (preview.errors.len().saturating_sub(SHOWN) as u64).saturating_add(preview.more_errors);
    let mut sentences: Vec<String> = preview.errors.iter().take(SHOWN).map(ToString::to_string).collect();
    if more > 0 {
        sentences.push(format!("There are {more} more errors."));
    }
    sentences.join(" ")
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
