//! What a portfolio has at one moment, and how each kind of entry changes it.

use std::collections::BTreeSet;

use protocol::{
    Date, Decimal,
    document::DocumentReference,
    trading::{
        DecisionOutcome, DividendIncome, FillPrice, PendingOrder, PortfolioSettings, Side, Split,
        StartingHoldings, StartingLot, Ticker, Trade, Transfer,
    },
};

use crate::amount::{MAX_AMOUNT, TooLarge, difference, sum, worth};
use crate::book::{Book, Refusal};
use crate::charges::check_settings;
use crate::entry::Refused;
use crate::error::PortfolioError;
use crate::position::{split_price, split_shares};

/// Decimals that money paid in or taken out may have.
const CENTS: u32 = 2;

/// What a portfolio has, whatever its past: as small as what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) book: Book,
    pub(crate) settings: PortfolioSettings,
    pub(crate) totals: Totals,
    /// Orders that wait for the first price after their decision, oldest first.
    pub(crate) pending: Vec<PendingOrder>,
    pub(crate) last_decision: Option<DecisionOutcome>,
    /// Whether cash above the reserve is to be put aside once the market has moved again.
    pub(crate) sweep_due: bool,
    /// The table of own prices that the last decision was taken at.
    pub(crate) price_table: Option<DocumentReference>,
}

/// Sums over the whole ledger, in US dollars; none is negative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) deposits: Decimal,
    pub(crate) withdrawals: Decimal,
    pub(crate) dividends: Decimal,
    pub(crate) commissions: Decimal,
    pub(crate) slippage: Decimal,
}

/// What entries add to a portfolio's past, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) trades: Vec<Trade>,
    pub(crate) movements: Vec<Movement>,
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) income: Vec<DividendIncome>,
    pub(crate) splits: Vec<Split>,
    pub(crate) keys: BTreeSet<String>,
    pub(crate) trade_keys: BTreeSet<String>,
}

/// One change of cash and of what is held, from which the value of any earlier day follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Movement {
    pub(crate) date: Date,
    /// Change of the cash, in US dollars.
    pub(crate) cash: Decimal,
    /// Whether the cash came from outside or went there.
    pub(crate) is_transfer: bool,
    /// An instrument, and the shares of it that are held from now on.
    pub(crate) held: Option<(Ticker, Decimal)>,
}

impl Added {
    pub(crate) fn append(&mut self, mut later: Self) {
        self.trades.append(&mut later.trades);
        self.movements.append(&mut later.movements);
        self.transfers.append(&mut later.transfers);
        self.income.append(&mut later.income);
        self.splits.append(&mut later.splits);
        self.keys.append(&mut later.keys);
        self.trade_keys.append(&mut later.trade_keys);
    }
}

impl State {
    pub(crate) fn new(cash: Decimal, settings: PortfolioSettings) -> Self {
        Self {
            book: Book::new(cash, settings.cost_method),
            settings,
            totals: Totals::default(),
            pending: Vec::new(),
            last_decision: None,
            sweep_due: false,
            price_table: None,
        }
    }

    /// Takes in what a portfolio holds from the beginning.
    pub(crate) fn begin_with(
        &mut self,
        holdings: &StartingHoldings,
        added: &mut Added,
    ) -> Result<(), PortfolioError> {
        let mut lots: Vec<&StartingLot> = holdings.lots.iter().collect();
        // Sales take the oldest shares first.
        lots.sort_by_key(|lot| lot.bought);
        for lot in lots {
            let ticker = lot.ticker.clone();
            let dated = if lot.bought <= holdings.as_of { Ok(()) } else { Err(Refusal::Date) };
            dated
                .and_then(|()| self.book.hold(lot))
                .map_err(|refusal| PortfolioError::InvalidHolding { ticker: ticker.clone(), refusal })?;
            let held = Some((ticker, self.book.held(&lot.ticker)));
            let date = holdings.as_of;
            added.movements.push(Movement { date, cash: Decimal::ZERO, is_transfer: false, held });
        }
        Ok(())
    }

    pub(crate) fn configure(&mut self, settings: &PortfolioSettings) -> Result<(), PortfolioError> {
        check_settings(settings)?;
        if settings.cost_method != self.settings.cost_method {
            return Err(PortfolioError::InvalidSettings(
                "the cost method is chosen when the portfolio is opened, and stays",
            ));
        }
        self.settings = settings.clone();
        Ok(())
    }

    pub(crate) fn transfer(
        &mut self,
        amount: Decimal,
        date: Date,
        note: &str,
        added: &mut Added,
    ) -> Result<(), PortfolioError> {
        if amount.is_zero() || amount.abs() > MAX_AMOUNT || amount.normalize().scale() > CENTS {
            return Err(PortfolioError::InvalidTransfer(amount));
        }
        let cash = sum(self.book.cash, amount)?;
        if cash < Decimal::ZERO {
            return Err(PortfolioError::NotEnoughCash { wanted: -amount, cash: self.book.cash });
        }
        self.book.cash = cash;
        if amount > Decimal::ZERO {
            self.totals.deposits = sum(self.totals.deposits, amount)?;
        } else {
            self.totals.withdrawals = difference(self.totals.withdrawals, amount)?;
        }
        added.movements.push(Movement { date, cash: amount, is_transfer: true, held: None });
        added.transfers.push(Transfer { date, amount, note: note.to_owned() });
        Ok(())
    }

    /// Repeats recorded trades, which must all be of this day.
    pub(crate) fn trade(
        &mut self,
        trades: &[Trade],
        date: Date,
        added: &mut Added,
    ) -> Result<(), PortfolioError> {
        for trade in trades {
            if !added.trade_keys.insert(trade.key.clone()) {
                return Err(PortfolioError::Duplicate { key: trade.key.clone() });
            }
            let before = self.book.cash;
            let dated = if trade.date == date { Ok(()) } else { Err(Refusal::Date) };
            dated
                .and_then(|()| self.book.repeat(trade))
                .map_err(|refusal| PortfolioError::InvalidTrade { key: trade.key.clone(), refusal })?;
            self.totals.commissions = sum(self.totals.commissions, trade.commission)?;
            self.totals.slippage = sum(self.totals.slippage, slippage_of(trade)?)?;
            added.movements.push(Movement {
                date,
                cash: difference(self.book.cash, before)?,
                is_transfer: false,
                held: Some((trade.ticker.clone(), self.book.held(&trade.ticker))),
            });
            added.trades.push(trade.clone());
        }
        Ok(())
    }

    pub(crate) fn decide(
        &mut self,
        outcome: DecisionOutcome,
        price_table: Option<DocumentReference>,
    ) -> Result<(), PortfolioError> {
        for order in &outcome.pending {
            if self.pending.iter().any(|earlier| earlier.key == order.key) {
                return Err(PortfolioError::Duplicate { key: order.key.clone() });
            }
            self.pending.push(order.clone());
        }
        self.last_decision = Some(outcome);
        self.price_table = price_table;
        self.sweep_due = self.settings.fill == FillPrice::NextPrice;
        Ok(())
    }

    /// Splits what is held, and what is ordered with its triggers.
    pub(crate) fn split(
        &mut self,
        split: &Split,
        date: Date,
        added: &mut Added,
    ) -> Result<(), PortfolioError> {
        let ticker = &split.ticker;
        let dated = if split.date == date { Ok(()) } else { Err(Refusal::Date) };
        dated.and_then(|()| self.book.split(split)).map_err(|refusal| PortfolioError::InvalidAction {
            ticker: ticker.clone(),
            date,
            refusal,
        })?;
        for pending in self.pending.iter_mut().filter(|it| it.order.ticker == *ticker) {
            let order = &mut pending.order;
            order.quantity = split_shares(order.quantity, split)?;
            for trigger in [&mut order.stop_loss, &mut order.take_profit].into_iter().flatten() {
                *trigger = split_price(*trigger, split)?;
            }
        }
        let held = self.book.held(ticker);
        if !held.is_zero() {
            let held = Some((ticker.clone(), held));
            added.movements.push(Movement { date, cash: Decimal::ZERO, is_transfer: false, held });
        }
        added.splits.push(split.clone());
        Ok(())
    }

    /// Receives a dividend on the shares held.
    pub(crate) fn receive(
        &mut self,
        dividend: &DividendIncome,
        date: Date,
        added: &mut Added,
    ) -> Result<(), PortfolioError> {
        let DividendIncome { ticker, per_share, quantity, amount, .. } = dividend;
        let is_right = dividend.date == date
            && *per_share > Decimal::ZERO
            && *quantity > Decimal::ZERO
            && *quantity == self.book.held(ticker)
            && worth(*quantity, *per_share)? == *amount;
        if !is_right {
            let refusal = Refusal::Dividend(ticker.clone());
            return Err(PortfolioError::InvalidAction { ticker: ticker.clone(), date, refusal });
        }
        self.book.cash = sum(self.book.cash, *amount)?;
        self.totals.dividends = sum(self.totals.dividends, *amount)?;
        added.movements.push(Movement { date, cash: *amount, is_transfer: false, held: None });
        added.income.push(dividend.clone());
        Ok(())
    }

    /// Takes the orders that were filled or refused from those that wait, and tells the last decision.
    pub(crate) fn settle(&mut self, trades: &[Trade], refused: &[Refused]) {
        let keys: BTreeSet<&str> = trades
            .iter()
            .map(|trade| trade.key.as_str())
            .chain(refused.iter().map(|it| it.key.as_str()))
            .collect();
        self.pending.retain(|pending| !keys.contains(pending.key.as_str()));
        self.sweep_due &= !self.pending.is_empty();
        let Some(outcome) = &mut self.last_decision else { return };
        let (settled, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut outcome.pending).into_iter().partition(|it| keys.contains(it.key.as_str()));
        outcome.pending = waiting;
        let is_settled = |key: &str| settled.iter().any(|it| it.key == key);
        outcome.trades.extend(trades.iter().filter(|trade| is_settled(&trade.key)).cloned());
        outcome
            .rejected
            .extend(refused.iter().filter(|it| is_settled(&it.key)).map(|it| it.rejected.clone()));
    }
}

/// What slippage cost in a trade, in US dollars; zero or above.
pub(crate) fn slippage_of(trade: &Trade) -> Result<Decimal, TooLarge> {
    let Some(quoted) = trade.quoted else { return Ok(Decimal::ZERO) };
    let worse = match trade.side {
        Side::Buy => difference(trade.price, quoted)?,
        Side::Sell => difference(quoted, trade.price)?,
    };
    worth(trade.quantity, worse)
}
