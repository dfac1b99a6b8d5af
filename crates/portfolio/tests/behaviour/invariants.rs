//! What holds after any sequence of decisions whatever.

use std::collections::BTreeMap;

use portfolio::{Entry, Portfolio, execute, sweep};
use proptest::prelude::*;
use protocol::{
    Decimal,
    trading::{Constraints, Order, Side, Ticker},
};

use crate::scenario::{Scenario, decision, free, ticker};

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
    (any::<bool>(), 0..SYMBOLS.len(), quantity()).prop_map(|(sells, symbol, quantity)| Order {
        side: if sells { Side::Sell } else { Side::Buy },
        ticker: ticker(SYMBOLS[symbol]),
        quantity,
        rationale: String::new(),
        stop_loss: None,
        take_profit: None,
    })
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
    ) {
        let start = Decimal::new(cents, 2);
        let mut scenario = Scenario::new(&start.to_string()).limits(constraints.clone()).sector("AAPL", "A").sector("KO", "a ");
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
            let executed = trades.iter().filter(|it| it.key.matches('/').count() == 1 && !it.key.ends_with("sweep"));
            prop_assert_eq!(executed.count() + rejected.len(), attempted);
            prop_assert!(rejected.iter().all(|it| !it.reasons.is_empty()));

            prop_assert!(portfolio.cash() >= Decimal::ZERO);
            prop_assert!(portfolio.holdings().values().all(|it| it.quantity > Decimal::ZERO));
            prop_assert!(portfolio.holdings().values().all(|it| it.cost_basis >= Decimal::ZERO));

            // To the last decimal.
            let costs: Decimal = portfolio.holdings().values().map(|it| it.cost_basis).sum();
            prop_assert_eq!(portfolio.cash() + costs - portfolio.realised_profit(), start);
            let profits: Decimal = portfolio.trades().iter().filter_map(|it| it.realised_profit).sum();
            prop_assert_eq!(profits, portfolio.realised_profit());

            // The last purchase left the limits intact, whatever the others did.
            if let (Some(last), Some(total)) = (trades.last().filter(|it| it.side == Side::Buy), *value) {
                prop_assert!(portfolio.cash() >= constraints.min_cash * total);
                if scenario.cash_equivalent.as_ref() != Some(&last.ticker) {
                    let held = portfolio.holdings()[&last.ticker].quantity;
                    prop_assert!(held * last.price <= constraints.max_position * total);
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
}
