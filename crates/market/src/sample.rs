use std::collections::HashMap;

use async_trait::async_trait;
use protocol::{
    Date, Decimal,
    trading::{Instrument, Ticker},
};
use serde::Deserialize;

use crate::{Article, DailyPrice, Fundamentals, FundamentalsVendor, MarketError, NewsVendor, PriceVendor};

const NAME: &str = "The sample data";
const PRICES: &str = "prices.csv";
const INSTRUMENTS: &str = "instruments.csv";

/// One price a trading day, oldest first.
type Prices = HashMap<Ticker, Vec<DailyPrice>>;

/// Real daily adjusted closes of 20 US companies, the S&P 500 and five factor funds, from
/// 2016-01-04 to 2022-12-28. Closes only; no news and no fundamentals.
///
/// Load it once and share it: it is never changed.
pub struct Sample {
    instruments: Vec<Instrument>,
    days: Vec<Date>,
    prices: Prices,
}

impl Sample {
    /// Reads the data that is built into the program.
    ///
    /// # Errors
    /// [`MarketError::Damaged`] if a value is missing, is no number above zero, or days are out of order.
    pub fn load() -> Result<Self, MarketError> {
        let instruments = read_instruments(include_str!("../data/instruments.csv"))?;
        let (days, prices) = read_prices(include_str!("../data/prices.csv"))?;
        if let Some(instrument) = instruments.iter().find(|it| !prices.contains_key(&it.ticker)) {
            return Err(damaged(INSTRUMENTS, format!("{} has no prices", instrument.ticker)));
        }
        Ok(Self { instruments, days, prices })
    }

    /// All trading days, oldest first.
    pub fn trading_days(&self) -> &[Date] {
        &self.days
    }

    /// `as_of`, or the last trading day before it.
    ///
    /// # Errors
    /// [`MarketError::OutOfRange`] for a day before the first or after the last day with prices.
    pub fn trading_day(&self, as_of: Date) -> Result<Date, MarketError> {
        Ok(self.days[self.days_until(as_of)? - 1])
    }

    /// The number of trading days up to `as_of`; at least 1.
    fn days_until(&self, as_of: Date) -> Result<usize, MarketError> {
        let (first, last) = (self.first_date(), self.last_date());
        if as_of < first || as_of > last {
            return Err(MarketError::OutOfRange { vendor: NAME.to_owned(), date: as_of, first, last });
        }
        Ok(self.days.partition_point(|day| *day <= as_of))
    }
}

#[async_trait]
impl PriceVendor for Sample {
    fn name(&self) -> &str {
        NAME
    }

    fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    fn first_date(&self) -> Date {
        self.days[0]
    }

    fn last_date(&self) -> Date {
        self.days[self.days.len() - 1]
    }

    async fn history(&self, ticker: &Ticker, as_of: Date) -> Result<Vec<DailyPrice>, MarketError> {
        let prices = self
            .prices
            .get(ticker)
            .ok_or_else(|| MarketError::UnknownTicker { vendor: NAME.to_owned(), ticker: ticker.clone() })?;
        Ok(prices[..self.days_until(as_of)?].to_vec())
    }
}

#[async_trait]
impl NewsVendor for Sample {
    fn name(&self) -> &str {
        NAME
    }

    async fn news(&self, _: Option<&Ticker>, _: Date, _: u32) -> Result<Vec<Article>, MarketError> {
        Err(MarketError::NotAvailable("the sample data has no news".to_owned()))
    }
}

#[async_trait]
impl FundamentalsVendor for Sample {
    fn name(&self) -> &str {
        NAME
    }

    async fn fundamentals(&self, _: Fundamentals, _: &Ticker, _: Date) -> Result<String, MarketError> {
        Err(MarketError::NotAvailable("the sample data has no fundamentals".to_owned()))
    }
}

fn damaged(file: &'static str, reason: impl ToString) -> MarketError {
    MarketError::Damaged { file, reason: reason.to_string() }
}

fn read_instruments(text: &str) -> Result<Vec<Instrument>, MarketError> {
    #[derive(Deserialize)]
    struct Row {
        ticker: Ticker,
        name: String,
        sector: String,
        industry: String,
    }
    csv::Reader::from_reader(text.as_bytes())
        .deserialize::<Row>()
        .map(|row| {
            let Row { ticker, name, sector, industry } = row.map_err(|error| damaged(INSTRUMENTS, error))?;
            Ok(Instrument { ticker, name, sector, industry })
        })
        .collect()
}

/// A table with one row a day and one column a ticker.
fn read_prices(text: &str) -> Result<(Vec<Date>, Prices), MarketError> {
    let broken = |error: csv::Error| damaged(PRICES, error);
    let mut table = csv::Reader::from_reader(text.as_bytes());
    let tickers = table
        .headers()
        .map_err(broken)?
        .iter()
        .skip(1)
        .map(|header| header.parse().map_err(|error| damaged(PRICES, error)))
        .collect::<Result<Vec<Ticker>, _>>()?;

    let mut days: Vec<Date> = Vec::new();
    let mut columns = vec![Vec::new(); tickers.len()];
    for row in table.records() {
        let row = row.map_err(broken)?;
        let date: Date =
            row[0].parse().map_err(|_| damaged(PRICES, format!("\"{}\" is no date", &row[0])))?;
        if days.last().is_some_and(|last| *last >= date) {
            return Err(damaged(PRICES, format!("{date} is out of order")));
        }
        days.push(date);
        for ((column, ticker), value) in columns.iter_mut().zip(&tickers).zip(row.iter().skip(1)) {
            let close =
                value.parse::<Decimal>().ok().filter(|close| *close > Decimal::ZERO).ok_or_else(|| {
                    damaged(PRICES, format!("\"{value}\" is no price of {ticker} on {date}"))
                })?;
            column.push(DailyPrice { date, close, high: None, low: None, volume: None });
        }
    }
    if days.is_empty() {
        return Err(damaged(PRICES, "it has no rows"));
    }
    Ok((days, tickers.into_iter().zip(columns).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_data_is_an_error_that_names_the_place() {
        for (text, place) in [
            ("Date,AAPL\n", "no rows"),
            ("Date,AAPL\n2020-01-02,\n", "AAPL on 2020-01-02"),
            ("Date,AAPL\n2020-01-02,-1\n", "AAPL on 2020-01-02"),
            ("Date,AAPL\n2020-01-02,NaN\n", "AAPL on 2020-01-02"),
            ("Date,AAPL\n2020-13-02,1\n", "2020-13-02"),
            ("Date,AAPL\n2020-01-03,1\n2020-01-02,1\n", "out of order"),
            ("Date,AA PL\n2020-01-02,1\n", "AA PL"),
            ("Date,AAPL\n2020-01-02,1,2\n", "record 1"),
        ] {
            let message = read_prices(text).unwrap_err().to_string();
            assert!(message.contains(place), "{message}");
        }
    }
}
