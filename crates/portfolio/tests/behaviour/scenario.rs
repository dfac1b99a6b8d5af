//! A short way to say what is held, ordered and quoted.

use std::collections::BTreeMap;

use portfolio::{Bar, DayInputs, Dividend, Entry, ExecutionInputs, Portfolio, PortfolioError, execute, pass};
use protocol::{
    Date, Decimal, Timestamp,
    trading::{
        Confidence, Constraints, Decision, Order, PortfolioSettings, RejectedOrder, Side, Split, Ticker,
        Trade,
    },
};

pub fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub fn ticker(text: &str) -> Ticker {
    text.parse().unwrap()
}

pub fn date(text: &str) -> Date {
    text.parse().unwrap()
}

/// Opened by the rules that there were before there were settings.
pub fn opened(cash: &str) -> Entry {
    opened_with(cash, PortfolioSettings::before_settings())
}

pub fn opened_with(cash: &str, settings: PortfolioSettings) -> Entry {
    Entry::Opened {
        id: "main".parse().unwrap(),
        name: "Main".to_owned(),
        cash: decimal(cash),
        at: Timestamp(0),
        settings,
        holdings: None,
    }
}

pub fn order(side: Side, symbol: &str, quantity: &str) -> Order {
    Order {
        side,
        ticker: ticker(symbol),
        quantity: decimal(quantity),
        rationale: format!("because of {symbol}"),
        stop_loss: None,
        take_profit: None,
    }
}

pub fn buy(symbol: &str, quantity: &str) -> Order {
    order(Side::Buy, symbol, quantity)
}

pub fn sell(symbol: &str, quantity: &str) -> Order {
    order(Side::Sell, symbol, quantity)
}

pub fn decision(orders: Vec<Order>) -> Decision {
    Decision {
        orders,
        holds: Vec::new(),
        confidence: Confidence::Medium,
        regime: "neutral".to_owned(),
        thesis: String::new(),
        risk_summary: String::new(),
    }
}

/// No limit that a test about something else would meet.
pub fn free() -> Constraints {
    Constraints {
        max_positions: 1000,
        max_position: Decimal::ONE,
        max_sector: Decimal::ONE,
        min_cash: Decimal::ZERO,
    }
}

/// A desk that a test trades at, one decision after the other.
pub struct Scenario {
    pub entries: Vec<Entry>,
    pub prices: BTreeMap<Ticker, Decimal>,
    pub sectors: BTreeMap<Ticker, String>,
    pub constraints: Constraints,
    pub cash_equivalent: Option<Ticker>,
    pub date: Date,
}

impl Scenario {
    pub fn new(cash: &str) -> Self {
        Self {
            entries: vec![opened(cash)],
            prices: BTreeMap::new(),
            sectors: BTreeMap::new(),
            constraints: free(),
            cash_equivalent: None,
            date: date("2022-06-30"),
        }
    }

    /// The same with settings of its own.
    pub fn with(cash: &str, settings: PortfolioSettings) -> Self {
        Self { entries: vec![opened_with(cash, settings)], ..Self::new(cash) }
    }

    pub fn price(mut self, symbol: &str, price: &str) -> Self {
        self.prices.insert(ticker(symbol), decimal(price));
        self
    }

    pub fn sector(mut self, symbol: &str, sector: &str) -> Self {
        self.sectors.insert(ticker(symbol), sector.to_owned());
        self
    }

    pub fn limits(mut self, constraints: Constraints) -> Self {
        self.constraints = constraints;
        self
    }

    pub fn portfolio(&self) -> Portfolio {
        Portfolio::fold(&self.entries).unwrap()
    }

    pub fn inputs<'a>(&'a self, key: &'a str) -> ExecutionInputs<'a> {
        ExecutionInputs {
            prices: &self.prices,
            sectors: &self.sectors,
            constraints: &self.constraints,
            cash_equivalent: self.cash_equivalent.as_ref(),
            key,
            run: None,
            date: self.date,
            at: Timestamp(1_656_620_000_000),
            price_table: None,
        }
    }

    pub fn try_decide(&self, key: &str, orders: Vec<Order>) -> Result<Entry, PortfolioError> {
        execute(&self.portfolio(), &decision(orders), &self.inputs(key))
    }

    /// Decides without limits, to arrive at a starting position.
    pub fn given(mut self, orders: Vec<Order>) -> Self {
        let limits = std::mem::replace(&mut self.constraints, free());
        let rejected = self.decide("given", orders).1;
        assert_eq!(rejected, []);
        self.constraints = limits;
        self
    }

    /// Decides and records; returns what was executed and what was rejected.
    pub fn decide(&mut self, key: &str, orders: Vec<Order>) -> (Vec<Trade>, Vec<RejectedOrder>) {
        let entry = self.try_decide(key, orders).unwrap();
        self.entries.push(entry.clone());
        self.portfolio();
        parts(entry)
    }

    /// What a day of the market does; `None` if nothing.
    pub fn try_pass(&self, day: &Day) -> Result<Option<Entry>, PortfolioError> {
        let inputs = DayInputs {
            date: day.date,
            bars: &day.bars,
            before: &self.prices,
            splits: &day.splits,
            dividends: &day.dividends,
            sectors: &self.sectors,
            constraints: &self.constraints,
            cash_equivalent: self.cash_equivalent.as_ref(),
            at: Timestamp(1_656_720_000_000),
        };
        pass(&self.portfolio(), &inputs)
    }

    /// Passes a day and records it; returns the day's trades and the reasons against refused orders.
    pub fn pass(&mut self, day: &Day) -> (Vec<Trade>, Vec<String>) {
        let entry = self.try_pass(day).unwrap();
        for (ticker, bar) in &day.bars {
            self.prices.insert(ticker.clone(), bar.close);
        }
        self.date = day.date;
        let Some(entry) = entry else { return (Vec::new(), Vec::new()) };
        self.entries.push(entry.clone());
        self.portfolio();
        let Entry::Passed { trades, refused, .. } = entry else { panic!("a day is expected") };
        (trades, refused.into_iter().flat_map(|it| it.rejected.reasons).collect())
    }

    /// The reasons against a single order.
    pub fn reasons(&self, order: Order) -> Vec<String> {
        let (trades, rejected) = parts(self.try_decide("asked", vec![order]).unwrap());
        assert_eq!(trades.len() + rejected.len(), 1, "executed or rejected, not both");
        rejected.into_iter().flat_map(|rejected| rejected.reasons).collect()
    }
}

pub fn parts(entry: Entry) -> (Vec<Trade>, Vec<RejectedOrder>) {
    match entry {
        Entry::Decided { trades, rejected, .. } => (trades, rejected),
        other => panic!("a decision is expected, not {other:?}"),
    }
}

/// A day of the market.
pub struct Day {
    pub date: Date,
    pub bars: BTreeMap<Ticker, Bar>,
    pub splits: Vec<Split>,
    pub dividends: Vec<Dividend>,
}

impl Day {
    pub fn new(day: &str) -> Self {
        Self { date: date(day), bars: BTreeMap::new(), splits: Vec::new(), dividends: Vec::new() }
    }

    /// Only a close is known.
    pub fn close(mut self, symbol: &str, close: &str) -> Self {
        self.bars.insert(ticker(symbol), Bar::of_close(decimal(close)));
        self
    }

    /// Open, high, low and close.
    pub fn bar(mut self, symbol: &str, [open, high, low, close]: [&str; 4]) -> Self {
        let known = |price: &str| Some(decimal(price));
        let bar = Bar { open: known(open), high: known(high), low: known(low), close: decimal(close) };
        self.bars.insert(ticker(symbol), bar);
        self
    }

    pub fn split(mut self, symbol: &str, to: u32, from: u32) -> Self {
        self.splits.push(Split { ticker: ticker(symbol), date: self.date, to, from });
        self
    }

    pub fn dividend(mut self, symbol: &str, per_share: &str) -> Self {
        self.dividends.push(Dividend { ticker: ticker(symbol), per_share: decimal(per_share) });
        self
    }
}
