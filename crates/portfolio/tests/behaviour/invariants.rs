//! What holds after any sequence of decisions, days and transfers whatever, with any settings.

use std::collections::BTreeMap;

use portfolio::{Bar, Dividend, Entry, Portfolio, PortfolioError, execute, sweep};
use proptest::prelude::*;
use protocol::{
    Decimal, Timestamp,
    trading::{
        Commission, Constraints, CostMethod, FillPrice, Order, PortfolioSettings, Side, Split, Ticker,
        TradeCause,
    },
};

use crate::scenario::{Day, Scenario, date, decision, free, ticker};

const SYMBOLS: [&str; 5] = ["AAPL", "KO", "JPM", "XOM", "SGOV"];

/// Mostly sensible quantities, some with many decimals, some absurd.
fn quantity() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        4 => (1_i64..2000).prop_map(Decimal::from),
        4 => (1_i64..2_000_000_000).prop_map(|units| Decimal::new(units, 6)),
        1 => (-5_i64..=0).prop_map(Decimal::from),
        1 => Just(Decimal::MAX),
        1 => Just(Decimal::new(1, 28)),
    ]
}

fn price() -> impl Strategy<Value = Option<Decimal>> {
    prop_oneof![
        8 => (1_i64..500_000_000).prop_map(|units| Some(Decimal::new(units, 6))),
        4 => (1_i64..500_000).prop_map(|units| Some(Decimal::new(units, 3))),
        1 => Just(None),
        1 => Just(Some(Decimal::ZERO)),
        1 => Just(Some(Decimal::MAX)),
        1 => Just(Some(Decimal::new(1, 20))),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let trigger =
        || prop_oneof![3 => Just(None), 2 => (1_i64..400).prop_map(|price| Some(Decimal::from(price)))];
    (any::<bool>(), 0..SYMBOLS.len(), quantity(), trigger(), trigger()).prop_map(
        |(sells, symbol, quantity, stop_loss, take_profit)| Order {
            side: if sells { Side::Sell } else { Side::Buy },
            ticker: ticker(SYMBOLS[symbol]),
            quantity,
            rationale: String::new(),
            stop_loss,
            take_profit,
        },
    )
}

fn settings() -> impl Strategy<Value = PortfolioSettings> {
    let commission = (0_i64..300, 0_i64..20_000, 0_i64..5_000, 0_i64..500).prop_map(
        |(fixed, per_share, rate, minimum)| Commission {
            fixed: Decimal::new(fixed, 2),
            per_share: Decimal::new(per_share, 6),
            rate: Decimal::new(rate, 6),
            minimum: Decimal::new(minimum, 2),
        },
    );
    let commission = prop_oneof![1 => Just(Commission::default()), 2 => commission];
    (commission, prop_oneof![Just(0_i64), 0_i64..20_000], any::<[bool; 3]>()).prop_map(
        |(commission, slippage, [first_in, next, standing_orders])| PortfolioSettings {
            commission,
            slippage: Decimal::new(slippage, 6),
            cost_method: if first_in { CostMethod::FirstInFirstOut } else { CostMethod::AverageCost },
            fill: if next { FillPrice::NextPrice } else { FillPrice::DecisionClose },
            standing_orders,
            ..PortfolioSettings::default()
        },
    )
}

/// A day's prices, splits and dividends of all symbols, and money that moves at its close.
#[derive(Clone, Debug)]
struct Weather {
    bars: Vec<Option<(Option<Decimal>, Decimal)>>,
    split: Option<(usize, u32, u32)>,
    dividend: Option<(usize, Decimal)>,
    transfer: i64,
}

fn weather() -> impl Strategy<Value = Weather> {
    let bar = (prop::option::of(price()), price()).prop_map(|(open, close)| Some((open.flatten(), close?)));
    let split = prop::option::weighted(0.3, (0..SYMBOLS.len(), 1_u32..12, 1_u32..12));
    let dividend = prop::option::weighted(
        0.5,
        (0..SYMBOLS.len(), (1_i64..9_000_000).prop_map(|units| Decimal::new(units, 6))),
    );
    (prop::collection::vec(bar, SYMBOLS.len()), split, dividend, -2_000_000_i64..2_000_000)
        .prop_map(|(bars, split, dividend, transfer)| Weather { bars, split, dividend, transfer })
}

impl Weather {
    fn day(&self, number: usize) -> Day {
        let mut day = Day::new("2022-07-01");
        day.date = date("2022-07-01").checked_add(jiff::Span::new().days(number as i64)).unwrap();
        for (symbol, bar) in SYMBOLS.iter().zip(&self.bars) {
            if let Some((open, close)) = bar {
                let bar = Bar { open: *open, ..Bar::of_close(*close) };
                day.bars.insert(ticker(symbol), bar);
            }
        }
        day.splits.extend(self.split.map(|(symbol, to, from)| Split {
            ticker: ticker(SYMBOLS[symbol]),
            date: day.date,
            to,
            from,
        }));
        let dividend =
            self.dividend.map(|(symbol, per_share)| Dividend { ticker: ticker(SYMBOLS[symbol]), per_share });
        day.dividends.extend(dividend);
        day
    }
}

/// To the last decimal, whatever happened.
fn check_the_books(portfolio: &Portfolio) {
    assert!(portfolio.cash() >= Decimal::ZERO);
    let bookings = portfolio.bookings();
    let mut costs = Decimal::ZERO;
    for position in portfolio.holdings().values() {
        assert!(position.quantity > Decimal::ZERO && position.cost_basis >= Decimal::ZERO);
        assert_eq!(position.lots.iter().map(|lot| lot.quantity).sum::<Decimal>(), position.quantity);
        assert!(position.lots.iter().all(|lot| lot.quantity > Decimal::ZERO && lot.cost >= Decimal::ZERO));
        assert!(position.lots.is_sorted_by_key(|lot| lot.bought));
        if portfolio.settings().cost_method == CostMethod::FirstInFirstOut {
            assert_eq!(position.lots.iter().map(|lot| lot.cost).sum::<Decimal>(), position.cost_basis);
        }
        costs += position.cost_basis;
    }
    let paid_in = portfolio.initial_cash() + bookings.deposits - bookings.withdrawals;
    assert_eq!(portfolio.cash() + costs, paid_in + portfolio.realised_profit() + bookings.dividends);
    let profits: Decimal = portfolio.trades().iter().filter_map(|it| it.realised_profit).sum();
    assert_eq!(profits, portfolio.realised_profit());
    let commissions: Decimal = portfolio.trades().iter().map(|it| it.commission).sum();
    assert_eq!(commissions, bookings.commissions);
    assert_eq!(
        bookings.transfers.iter().map(|it| it.amount).sum::<Decimal>(),
        bookings.deposits - bookings.withdrawals
    );
    assert_eq!(bookings.income.iter().map(|it| it.amount).sum::<Decimal>(), bookings.dividends);
}

/// The orders of one decision and the prices of its day.
fn day() -> impl Strategy<Value = (Vec<Order>, BTreeMap<Ticker, Decimal>)> {
    (prop::collection::vec(order(), 0..6), prop::collection::vec(price(), SYMBOLS.len())).prop_map(
        |(orders, prices)| {
            let quoted = SYMBOLS.iter().zip(prices);
            (orders, quoted.filter_map(|(symbol, price)| Some((ticker(symbol), price?))).collect())
        },
    )
}

fn limits() -> impl Strategy<Value = Constraints> {
    prop_oneof![
        Just(Constraints::default()),
        Just(Constraints { max_positions: 3, ..free() }),
        Just(Constraints {
            max_position: Decimal::new(4, 1),
            max_sector: Decimal::new(6, 1),
            ..Constraints::default()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_is_lost_nothing_is_invented_and_nothing_goes_negative(
        cents in 1_i64..100_000_000,
        days in prop::collection::vec(day(), 1..12),
        constraints in limits(),
        sweeps in any::<bool>(),
        settings in settings(),
    ) {
        let start = Decimal::new(cents, 2);
        let settings = PortfolioSettings { fill: FillPrice::DecisionClose, ..settings };
        let mut scenario = Scenario::with(&start.to_string(), settings).limits(constraints.clone()).sector("AAPL", "A").sector("KO", "a ");
        scenario.cash_equivalent = sweeps.then(|| ticker("SGOV"));
        let mut portfolio = scenario.portfolio();
        for (number, (orders, prices)) in days.into_iter().enumerate() {
            scenario.prices = prices;
            let key = format!("day-{number}");
            let inputs = scenario.inputs(&key);
            let attempted = orders.len();
            let entry = execute(&portfolio, &decision(orders), &inputs).unwrap();
            let (entry, _) = sweep(&portfolio, entry, &inputs).unwrap();
            portfolio.apply(&entry).unwrap();
            let Entry::Decided { trades, rejected, value, .. } = &entry else { panic!("a decision") };

            // Each order is executed or rejected with a reason, never both, never neither.
            let executed = trades.iter().filter(|it| it.cause == TradeCause::Order);
            prop_assert_eq!(executed.count() + rejected.len(), attempted);
            prop_assert!(rejected.iter().all(|it| !it.reasons.is_empty()));

            check_the_books(&portfolio);

            // The last purchase left the limits intact, whatever the others did.
            if let (Some(last), Some(total)) = (trades.last().filter(|it| it.side == Side::Buy), *value) {
                prop_assert!(portfolio.cash() >= constraints.min_cash * total);
                if scenario.cash_equivalent.as_ref() != Some(&last.ticker) {
                    let held = portfolio.holdings()[&last.ticker].quantity;
                    let quoted = last.quoted.unwrap_or(last.price);
                    prop_assert!(held * quoted <= constraints.max_position * total);
                    let counted = portfolio.holdings().keys().filter(|it| scenario.cash_equivalent.as_ref() != Some(it));
                    prop_assert!(counted.count() <= constraints.max_positions as usize);
                }
            }
            scenario.entries.push(entry);
        }

        // Folding the whole ledger, also from its JSON, gives the same portfolio.
        let json = serde_json::to_string(&scenario.entries).unwrap();
        let entries: Vec<Entry> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(Portfolio::fold(&entries).unwrap(), portfolio);
    }

    #[test]
    fn the_books_balance_through_splits_dividends_transfers_and_orders_that_wait_and_stand(
        cents in 100_000_i64..100_000_000,
        days in prop::collection::vec((weather(), day()), 1..10),
        constraints in limits(),
        sweeps in any::<bool>(),
        settings in settings(),
    ) {
        let start = Decimal::new(cents, 2);
        let mut scenario = Scenario::with(&start.to_string(), settings).limits(constraints).sector("AAPL", "A");
        scenario.cash_equivalent = sweeps.then(|| ticker("SGOV"));
        let mut ordered = 0;
        for (number, (weather, (orders, _))) in days.into_iter().enumerate() {
            let day = weather.day(number);
            match scenario.try_pass(&day) {
                Ok(_) => {
                    scenario.pass(&day);
                }
                // A split of a position that is absurdly large already.
                Err(PortfolioError::TooLarge(_)) => return Ok(()),
                Err(other) => panic!("{other}"),
            }
            check_the_books(&scenario.portfolio());

            let key = format!("day-{number}");
            ordered += orders.len();
            scenario.decide(&key, orders);
            let amount = Decimal::new(weather.transfer, 2);
            if amount + scenario.portfolio().cash() >= Decimal::ZERO && !amount.is_zero() {
                let at = Timestamp(9);
                let key = format!("transfer-{number}");
                scenario.entries.push(Entry::Transferred { key, amount, date: day.date, at, note: String::new() });
            }
            check_the_books(&scenario.portfolio());
        }

        // Each order was executed, was refused, or still waits: never two of them, never none.
        let portfolio = scenario.portfolio();
        let executed = portfolio.trades().iter().filter(|it| it.cause == TradeCause::Order).count();
        let refused: usize = scenario.entries.iter().map(|entry| match entry {
            Entry::Decided { rejected, .. } => rejected.len(),
            Entry::Passed { refused, .. } => refused.len(),
            _ => 0,
        }).sum();
        prop_assert_eq!(executed + refused + portfolio.pending().len(), ordered);

        let json = serde_json::to_string(&scenario.entries).unwrap();
        let entries: Vec<Entry> = serde_json::from_str(&json).unwrap();
        prop_assert_eq!(Portfolio::fold(&entries).unwrap(), portfolio);
    }
}
