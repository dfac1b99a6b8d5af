//! Exact amounts, and how they are shown.

use rust_decimal::{Decimal, RoundingStrategy};

/// How a [`Decimal`] stands in JSON, for the OpenAPI document: digits in a string, so that none is lost.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, pattern = r"^-?[0-9]{1,29}(\.[0-9]{1,28})?$")]
pub struct Amount(pub Decimal);

/// Shows an exact amount with `places` decimals and thousands separators: `104,218.40`.
/// Halves round away from zero, as money is rounded by hand.
pub fn grouped(amount: Decimal, places: u32) -> String {
    let rounded = amount.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
    let plain = format!("{:.*}", places as usize, rounded.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut shown = String::with_capacity(plain.len() + plain.len() / 3 + 1);
    if rounded.is_sign_negative() && !rounded.is_zero() {
        shown.push('\u{2212}');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    if !fraction.is_empty() {
        shown.push('.');
        shown.push_str(fraction);
    }
    shown
}

/// A fraction as a percentage with `places` decimals: 0.0433 is `4.3 %`.
pub fn percent(fraction: Decimal, places: u32) -> String {
    format!("{} %", grouped(fraction * Decimal::ONE_HUNDRED, places))
}

/// The same with a sign also on gains: `+4.3 %`.
pub fn signed(text: String, amount: Decimal) -> String {
    if amount.is_sign_positive() && !amount.is_zero() { format!("+{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn amounts_are_grouped_and_rounded() {
        assert_eq!(grouped(decimal("104218.395"), 2), "104,218.40");
        assert_eq!(grouped(decimal("-1234567.8"), 2), "\u{2212}1,234,567.80");
        assert_eq!(grouped(decimal("999"), 0), "999");
        assert_eq!(grouped(decimal("-0.001"), 2), "0.00");
        assert_eq!(percent(decimal("0.0433"), 1), "4.3 %");
    }
}
