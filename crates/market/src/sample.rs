use std::collections::HashMap;

use async_trait::async_trait;
use protocol::{
    Date, Decimal,
    trading::{Instrument, Ticker},
};
use serde::Deserialize;

use crate::{Adjustment, DailyPrice, Damaged, NoData, Outcome, PriceHistory, Vendor};

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
    /// [`Damaged`] if a value is missing, is no number above zero, or days are out of order.
    pub fn load() -> Result<Self, Damaged> {
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

    /// What there are prices of.
    pub fn instruments(&self) -> &[Instrument] {
        &self.instruments
    }

    /// The first day with prices.
    pub fn first_date(&self) -> Date {
        self.days[0]
    }

    /// The last day with prices.
    pub fn last_date(&self) -> Date {
        self.days[self.days.len() - 1]
    }

    /// `as_of`, or the last trading day before it.
    ///
    /// # Errors
    /// [`Why::Empty`](crate::Why::Empty) for a day before the first or after the last day with prices.
    pub fn trading_day(&self, as_of: Date) -> Result<Date, NoData> {
        Ok(self.days[self.days_until(as_of)? - 1])
    }

    /// The number of trading days up to `as_of`; at least 1.
    fn days_until(&self, as_of: Date) -> Result<usize, NoData> {
        let (first, last) = (self.first_date(), self.last_date());
        if as_of < first || as_of > last {
            let reason = format!("there are no prices as of {as_of}: they run from {first} to {last}.");
            return Err(NoData::empty(NAME, reason));
        }
        Ok(self.days.partition_point(|day| *day <= as_of))
    }
}

#[async_trait]
impl Vendor for Sample {
    fn name(&self) -> &str {
        NAME
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let prices = self.prices.get(ticker).ok_or_else(|| NoData::unknown(NAME, ticker))?;
        let history = PriceHistory {
            days: prices[..self.days_until(as_of)?].to_vec(),
            unfinished: None,
            dividends: Vec::new(),
            splits: Vec::new(),
            currency: Some("USD".to_owned()),
            adjustment: Adjustment::SplitsAndDividends,
        };
        history.answered(NAME, ticker, as_of)
    }
}

fn damaged(file: &'static str, reason: impl ToString) -> Damaged {
    Damaged { file, reason: reason.to_string() }
}

fn read_instruments(text: &str) -> Result<Vec<Instrument>, Damaged> {
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
fn read_prices(text: &str) -> Result<(Vec<Date>, Prices), Damaged> {
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
            column.push(DailyPrice { date, open: None, high: None, low: None, close, volume: None });
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
