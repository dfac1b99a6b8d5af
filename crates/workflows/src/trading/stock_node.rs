//! The nodes that stand for one stock each.

use protocol::{NodeAdded, Tier, trading::Ticker};

use crate::node::planned;

/// A node that stands for one stock, among others of its kind: `analyse_2_brk-b` for the second one. Its scope is the
/// stock.
///
/// # Errors
/// See [`planned`].
pub(super) fn of_stock(
    kind: &str,
    place: usize,
    ticker: &Ticker,
    label: &str,
    role: &str,
    phase: &str,
    tier: Option<Tier>,
) -> Result<NodeAdded, String> {
    // Symbols have letters that ids have not; the number keeps ids apart that differ in those alone.
    let in_id = |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '-' };
    let symbol: String = ticker.as_str().chars().map(in_id).collect();
    let node = planned(&format!("{kind}_{}_{symbol}", place + 1), label, role, phase, tier)?;
    Ok(NodeAdded { scope: Some(ticker.to_string()), ..node })
}
