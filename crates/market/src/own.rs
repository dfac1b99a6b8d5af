//! A person's own prices and dividends, read from CSV line by line.
//!
//! A table has a header with the columns `ticker`, `date` and `close`, and where there are `open`, `high`, `low`,
//! `volume`, `dividend` (a share, on its ex-day), `split` (`4` or `4:1`, on its first day) and `currency`, in any order
//! and any case. Fields are separated by commas or semicolons. A cell without a value is empty; a row without `close`
//! may hold a dividend or a split.

use std::collections::BTreeMap;

use async_trait::async_trait;
use protocol::{
    Date, Decimal, parse_date,
    trading::{InstrumentPreview, OwnAdjustment, TablePreview, Ticker},
};

use crate::{
    Adjustment, DailyPrice, Dividend, NoData, Outcome, PriceHistory, Split, Vendor,
    adjust::{self, Series, Stored},
    table::{Header, Row, TableRules, number, read_table},
    written::{of_text, words},
};

const NAME: &str = "Own data";
/// Rows of a table at most.
const MOST_ROWS: usize = 200_000;
/// The columns that a table may have.
const COLUMNS: [&str; 10] =
    ["ticker", "date", "close", "open", "high", "low", "volume", "dividend", "split", "currency"];

/// Prices, dividends and splits of a person.
#[derive(Clone, Debug)]
pub struct OwnData {
    instruments: BTreeMap<Ticker, Rows>,
    adjustment: OwnAdjustment,
}

#[derive(Clone, Debug, Default)]
struct Rows {
    days: BTreeMap<Date, DailyPrice>,
    dividends: BTreeMap<Date, Decimal>,
    splits: BTreeMap<Date, Split>,
    currency: Option<String>,
}

/// Where each column stands.
struct Columns {
    ticker: usize,
    date: usize,
    close: usize,
    open: Option<usize>,
    high: Option<usize>,
    low: Option<usize>,
    volume: Option<usize>,
    dividend: Option<usize>,
    split: Option<usize>,
    currency: Option<usize>,
}

impl OwnData {
    /// Reads a table. The data are there only if nothing is wrong with it.
    pub fn read(text: &str, adjustment: OwnAdjustment) -> (TablePreview, Option<Self>) {
        let mut instruments: BTreeMap<Ticker, Rows> = BTreeMap::new();
        let rules = TableRules { columns: &COLUMNS, most_rows: MOST_ROWS };
        let mut errors =
            read_table(text, &rules, Columns::of, |columns, _, row| columns.take(row, &mut instruments));
        if instruments.is_empty() && errors.told.is_empty() {
            errors.add(1, "there are no rows below the header.".to_owned());
        }
        let preview = TablePreview {
            instruments: instruments.iter().map(|(ticker, rows)| rows.preview(ticker)).collect(),
            errors: errors.told,
            more_errors: errors.more,
        };
        let data = preview.errors.is_empty().then_some(Self { instruments, adjustment });
        (preview, data)
    }

    /// The first and the last day that there is a price of anything.
    pub fn range(&self) -> Option<(Date, Date)> {
        let ranges = self.instruments.values().filter_map(Rows::range);
        ranges.reduce(|(first, last), (from, to)| (first.min(from), last.max(to)))
    }

    /// What there are prices of.
    pub fn tickers(&self) -> impl Iterator<Item = &Ticker> {
        self.instruments.keys()
    }
}

impl Rows {
    fn range(&self) -> Option<(Date, Date)> {
        self.days.keys().next().copied().zip(self.days.keys().next_back().copied())
    }

    fn preview(&self, ticker: &Ticker) -> InstrumentPreview {
        let (from, to) = self.range().unzip();
        InstrumentPreview {
            ticker: ticker.clone(),
            days: self.days.len() as u64,
            from,
            to,
            dividends: self.dividends.len() as u64,
            splits: self.splits.len() as u64,
        }
    }
}

#[async_trait]
impl Vendor for OwnData {
    fn name(&self) -> &str {
        NAME
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let rows = self.instruments.get(ticker).cloned().ok_or_else(|| NoData::unknown(NAME, ticker))?;
        let (stored, adjustment) = match self.adjustment {
            OwnAdjustment::Raw => (Stored::AsPaid, Adjustment::Splits),
            OwnAdjustment::Splits => (Stored::SplitsApplied, Adjustment::Splits),
            OwnAdjustment::SplitsAndDividends => (Stored::SplitsApplied, Adjustment::SplitsAndDividends),
            OwnAdjustment::Unknown => (Stored::SplitsApplied, Adjustment::Unknown),
        };
        let currency = rows.currency.clone();
        let dividend = |(date, amount)| Dividend { date, amount, currency: currency.clone() };
        let series = Series {
            days: rows.days.into_values().collect(),
            unfinished: None,
            dividends: rows.dividends.into_iter().map(dividend).collect(),
            splits: rows.splits.into_values().collect(),
            currency: rows.currency,
            stored,
        };
        let history = PriceHistory { adjustment, ..series.known_on(as_of) };
        history.answered(NAME, ticker, as_of)
    }
}

impl Columns {
    fn of(header: &Header) -> Result<Self, String> {
        Ok(Self {
            ticker: header.needed("ticker")?,
            date: header.needed("date")?,
            close: header.needed("close")?,
            open: header.place("open"),
            high: header.place("high"),
            low: header.place("low"),
            volume: header.place("volume"),
            dividend: header.place("dividend"),
            split: header.place("split"),
            currency: header.place("currency"),
        })
    }

    /// Takes a row in.
    fn take(&self, row: &Row<'_>, instruments: &mut BTreeMap<Ticker, Rows>) -> Result<(), String> {
        let cell = |place: usize| row.cell(Some(place));
        let number = |name: &str, place: Option<usize>| number(name, row.cell(place));
        let ticker: Ticker = cell(self.ticker).parse().map_err(|error| format!("{error}."))?;
        let written = cell(self.date);
        let date = parse_date(written)
            .ok_or_else(|| format!("“{}” is no day. Write one such as 2022-06-30.", words(written)))?;
        let close = number("close", Some(self.close))?;
        let prices =
            [number("open", self.open)?, number("high", self.high)?, number("low", self.low)?, close];
        if prices.iter().flatten().any(Decimal::is_zero) {
            return Err("a price is 0. Leave the cell empty where there is none.".to_owned());
        }
        let (volume, dividend) = (number("volume", self.volume)?, number("dividend", self.dividend)?);
        let split = self.split.map(cell).filter(|written| !written.is_empty());
        let split = split.map(|written| split_of(date, written)).transpose()?;
        let [open, high, low, _] = prices;
        if let (Some(high), Some(low)) = (high, low)
            && high < low
        {
            return Err(format!("the high {high} is below the low {low}."));
        }
        if close.is_none() && dividend.is_none() && split.is_none() {
            return Err("there is no close, no dividend and no split. Leave the line out.".to_owned());
        }
        let rows = instruments.entry(ticker.clone()).or_default();
        let currency = self.currency.map(cell).filter(|currency| !currency.is_empty());
        if let Some(currency) = currency {
            if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(format!("“{}” is no currency. Write its code, such as USD.", words(currency)));
            }
            if rows.currency.as_deref().is_some_and(|known| known != currency) {
                return Err(format!("{ticker} is in two currencies. Write one."));
            }
            rows.currency = Some(currency.to_owned());
        }
        if let Some(close) = close
            && rows.days.insert(date, DailyPrice { date, open, high, low, close, volume }).is_some()
        {
            return Err(format!("{ticker} has {date} twice. Leave one of the lines out."));
        }
        if let Some(amount) = dividend.filter(|amount| !amount.is_zero()) {
            let sum = rows.dividends.entry(date).or_default();
            *sum = sum.checked_add(amount).ok_or("the dividend is too large.")?;
        }
        if let Some(split) = split
            && rows.splits.insert(date, split).is_some()
        {
            return Err(format!("{ticker} has two splits on {date}. Leave one of them out."));
        }
        Ok(())
    }
}

/// `4` or `4:1`: new shares for old ones.
fn split_of(date: Date, written: &str) -> Result<Split, String> {
    let (new, old) = written.split_once(':').unwrap_or((written, "1"));
    let parts = of_text(new).zip(of_text(old));
    parts.and_then(|(new, old)| adjust::split(date, new, old)).ok_or_else(|| {
        format!("“{}” is no split. Write new shares for old ones, such as 4:1.", words(written))
    })
}
