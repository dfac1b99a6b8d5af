//! What became of each order that was ever decided.

use std::collections::BTreeMap;

use protocol::trading::{Order, OrderCourse, OrderEnd, PendingOrder, RejectedOrder, Trade, TradeCause};

use crate::entry::{Entry, Refused};

/// Every order of a ledger's decisions with what became of it, in the order of the decisions. Within one, what was
/// filled at once stands before what was refused at once, and what waited comes last. Trades that no decision ordered
/// (stop losses, spare cash) are none.
pub fn orders(entries: &[Entry]) -> Vec<OrderCourse> {
    let mut courses: Vec<OrderCourse> = Vec::new();
    // Where an order stands that waits for its price.
    let mut waiting: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        match entry {
            Entry::Decided { run, date, trades, rejected, pending, .. } => {
                let course = |key: Option<&String>, order: Order, end| OrderCourse {
                    key: key.cloned(),
                    run: *run,
                    decided: *date,
                    order,
                    end,
                };
                let ordered = trades.iter().filter(|trade| trade.cause == TradeCause::Order);
                courses.extend(ordered.map(|trade| course(Some(&trade.key), trade.order(), filled(trade))));
                courses.extend(rejected.iter().map(|rejected| {
                    let RejectedOrder { order, price, reasons } = rejected.clone();
                    course(None, order, OrderEnd::Rejected { date: *date, price, reasons })
                }));
                for PendingOrder { key, order, .. } in pending {
                    waiting.insert(key, courses.len());
                    courses.push(course(Some(key), order.clone(), OrderEnd::Waits));
                }
            }
            Entry::Passed { date, trades, refused, .. } => {
                for trade in trades {
                    if let Some(place) = waiting.remove(trade.key.as_str()) {
                        courses[place].end = filled(trade);
                    }
                }
                for Refused { key, rejected: RejectedOrder { price, reasons, .. } } in refused {
                    if let Some(place) = waiting.remove(key.as_str()) {
                        courses[place].end =
                            OrderEnd::Rejected { date: *date, price: *price, reasons: reasons.clone() };
                    }
                }
            }
            Entry::Opened { .. } | Entry::Configured { .. } | Entry::Transferred { .. } => {}
        }
    }
    courses
}

fn filled(trade: &Trade) -> OrderEnd {
    OrderEnd::Filled { trade: Box::new(trade.clone()) }
}
