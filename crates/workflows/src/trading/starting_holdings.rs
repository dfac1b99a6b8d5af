//! What a portfolio begins with, read from a table that a person brings.
//!
//! Columns are `ticker`, `shares` and `cost` (what a share cost, in US dollars), and where it is known `bought`, the day of
//! the purchase. A stock of several purchases has a line for each, with its day. The line of the ticker `$CASH` has US
//! dollars as its shares, and no cost.

use std::collections::BTreeMap;

use market::table::{Header, Row, TableErrors, TableRules, number, quoted, read_table};
use portfolio::{MAX_AMOUNT, MAX_QUANTITY, PLACES};
use protocol::{
    Date, Decimal, parse_date,
    trading::{StartingHoldings, StartingLot, StartingPosition, StartingPreview, Ticker},
};

/// How the line of the cash is called. No ticker has this sign.
const CASH: &str = "$CASH";
/// Lines at most.
const MOST_ROWS: usize = 1000;

/// What a table says that a portfolio begins with.
#[derive(Clone, Debug, Default)]
pub struct StartingTable {
    /// US dollars.
    pub cash: Decimal,
    /// What is held; empty where there is cash alone.
    pub lots: Vec<StartingLot>,
}

impl StartingTable {
    /// Reads a table of what is held at the close of a day. It is there only if nothing is wrong with it.
    pub fn read(csv: &str, as_of: Date) -> (StartingPreview, Option<Self>) {
        let mut rows = Rows { as_of, cash: None, lots: Vec::new(), first_lines: BTreeMap::new() };
        let rules = TableRules { columns: &["ticker", "shares", "cost", "bought"], most_rows: MOST_ROWS };
        let mut errors =
            read_table(csv, &rules, Columns::of, |columns, line, row| rows.take(columns, line, row));
        let table = Self { cash: rows.cash.unwrap_or_default(), lots: rows.lots };
        if table.cash.is_zero() && table.lots.is_empty() && errors.told.is_empty() {
            errors.add(
                1,
                format!("there is neither a stock nor cash below the header. Write cash as {CASH},5000."),
            );
        }
        let TableErrors { told: errors, more: more_errors } = errors;
        let is_good = errors.is_empty();
        let preview = StartingPreview {
            cash: table.cash,
            positions: table.positions(),
            unpriced: Vec::new(),
            errors,
            more_errors,
        };
        (preview, is_good.then_some(table))
    }

    /// What the portfolio holds at the close of a day; `None` for cash alone.
    pub fn holdings(self, as_of: Date) -> Option<StartingHoldings> {
        (!self.lots.is_empty()).then_some(StartingHoldings { as_of, lots: self.lots })
    }

    fn positions(&self) -> Vec<StartingPosition> {
        let mut positions: BTreeMap<&Ticker, StartingPosition> = BTreeMap::new();
        for StartingLot { ticker, quantity, cost, .. } in &self.lots {
            let position = positions.entry(ticker).or_insert_with(|| StartingPosition {
                ticker: ticker.clone(),
                quantity: Decimal::ZERO,
                cost: Decimal::ZERO,
                lots: 0,
            });
            // Lots are bounded each, and there are no more than a thousand.
            position.quantity += quantity;
            position.cost += cost;
            position.lots += 1;
        }
        positions.into_values().collect()
    }
}

struct Columns {
    ticker: usize,
    shares: usize,
    cost: Option<usize>,
    bought: Option<usize>,
}

impl Columns {
    fn of(header: &Header) -> Result<Self, String> {
        Ok(Self {
            ticker: header.needed("ticker")?,
            shares: header.needed("shares")?,
            cost: header.place("cost"),
            bought: header.place("bought"),
        })
    }
}

struct Rows {
    as_of: Date,
    cash: Option<Decimal>,
    lots: Vec<StartingLot>,
    /// The line on which each stock stands first, and whether it says the day of the purchase.
    first_lines: BTreeMap<Ticker, (u64, bool)>,
}

impl Rows {
    fn take(&mut self, columns: &Columns, line: u64, row: &Row<'_>) -> Result<(), String> {
        let (named, shares) = (row.cell(Some(columns.ticker)), row.cell(Some(columns.shares)));
        let (cost, bought) = (row.cell(columns.cost), row.cell(columns.bought));
        if named.eq_ignore_ascii_case(CASH) {
            return self.take_cash(shares, cost);
        }
        let ticker: Ticker = named.parse().map_err(|error| format!("{error}."))?;
        if ticker.as_str().starts_with('^') {
            return Err(format!("{ticker} is an index, which cannot be held. Leave the line out."));
        }
        let quantity = number("number of shares", shares)?.filter(|quantity| {
            *quantity > Decimal::ZERO && *quantity <= MAX_QUANTITY && quantity.normalize().scale() <= PLACES
        });
        let quantity = quantity.ok_or_else(|| {
            format!("the shares of {ticker} must be above 0, at most {MAX_QUANTITY}, with at most {PLACES} decimals.")
        })?;
        let price = number("cost", cost)?
            .filter(|price| *price > Decimal::ZERO && price.normalize().scale() <= PLACES)
            .ok_or_else(|| {
                let hint =
                    if named.eq_ignore_ascii_case("cash") { " If it is cash, call it $CASH." } else { "" };
                format!(
                    "what a share of {ticker} cost is missing. Write US dollars above 0, such as 12.34.{hint}"
                )
            })?;
        let cost = quantity.checked_mul(price).filter(|cost| *cost <= MAX_AMOUNT);
        let cost =
            cost.ok_or_else(|| format!("{ticker} costs more than {MAX_AMOUNT} US dollars. Check both."))?;
        let day = match bought {
            "" => None,
            written => Some(parse_date(written).filter(|day| *day <= self.as_of).ok_or_else(|| {
                let (quoted, as_of) = (quoted(written), self.as_of);
                format!("{quoted} is no day up to {as_of}. Write one such as 2022-06-30.")
            })?),
        };
        let first = *self.first_lines.entry(ticker.clone()).or_insert((line, day.is_some()));
        if first.0 != line && !(first.1 && day.is_some()) {
            return Err(format!(
                "{ticker} stands on line {} as well. Say in the column “bought” when each was bought, or write one \
                 line with the average.",
                first.0
            ));
        }
        self.lots.push(StartingLot { ticker, quantity, cost, bought: day.unwrap_or(self.as_of) });
        Ok(())
    }

    fn take_cash(&mut self, amount: &str, cost: &str) -> Result<(), String> {
        if !cost.is_empty() {
            return Err(format!("{CASH} has no cost. Leave it empty."));
        }
        let amount = number("amount of cash", amount)?
            .filter(|amount| *amount <= MAX_AMOUNT && amount.normalize().scale() <= 2)
            .ok_or_else(|| format!("{CASH} must be US dollars with at most 2 decimals, such as 5000.50."))?;
        match self.cash.replace(amount) {
            None => Ok(()),
            Some(_) => Err(format!("{CASH} stands twice. Add the two up.")),
        }
    }
}
