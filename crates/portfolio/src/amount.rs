//! Exact arithmetic. A `Decimal` has 28 to 29 digits, and its operators round or panic beyond
//! them. Within the bounds kept here no operation ever has to round.

use protocol::Decimal;

/// Decimals that a quantity or a price may have.
pub const PLACES: u32 = 6;

/// The largest amount, in US dollars or shares: a million millions.
pub const MAX_AMOUNT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

/// The most shares that one order may ask for.
pub const MAX_QUANTITY: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);

/// Decimals of an amount: those of a quantity times a price.
pub(crate) const AMOUNT_PLACES: u32 = 2 * PLACES;

/// A result that lies beyond what is computed exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "An amount is larger than 1,000,000,000,000 or has more than 12 decimals, so it cannot be computed exactly. Use a smaller quantity or a rounded price."
)]
pub struct TooLarge;

/// The amount itself, if it is within the bounds: 12 digits before and 12 after the point. Sums of
/// two such amounts, and products with a fraction of 4 decimals, fit a `Decimal` without rounding.
pub(crate) fn bounded(amount: Decimal) -> Result<Decimal, TooLarge> {
    let amount = amount.normalize();
    if amount.abs() > MAX_AMOUNT || amount.scale() > AMOUNT_PLACES { Err(TooLarge) } else { Ok(amount) }
}

pub(crate) fn sum(a: Decimal, b: Decimal) -> Result<Decimal, TooLarge> {
    bounded(bounded(a)?.checked_add(bounded(b)?).ok_or(TooLarge)?)
}

pub(crate) fn difference(a: Decimal, b: Decimal) -> Result<Decimal, TooLarge> {
    sum(a, -b)
}

/// An exact product; an error where the decimals would have to be cut.
pub(crate) fn product(a: Decimal, b: Decimal) -> Result<Decimal, TooLarge> {
    let (a, b) = (a.normalize(), b.normalize());
    if a.is_zero() || b.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let product = a.checked_mul(b).ok_or(TooLarge)?;
    // A product that did not fit was rounded to fewer decimals.
    if product.scale() == a.scale() + b.scale() { Ok(product) } else { Err(TooLarge) }
}

/// Shares times price.
pub(crate) fn worth(quantity: Decimal, price: Decimal) -> Result<Decimal, TooLarge> {
    bounded(product(quantity, price)?)
}

/// `part / whole` for display, rounded to 8 decimals; `None` if the whole is zero.
pub(crate) fn fraction(part: Decimal, whole: Decimal) -> Option<Decimal> {
    part.checked_div(whole).map(|fraction| fraction.round_dp(8).normalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_what_they_say() {
        assert_eq!(MAX_AMOUNT.to_string(), "1000000000000");
        assert_eq!(MAX_QUANTITY.to_string(), "1000000000");
    }

    #[test]
    fn a_product_that_would_be_rounded_is_refused() {
        let tiny = Decimal::new(123_456_789, 18);
        assert_eq!(product(tiny, tiny), Err(TooLarge));
        assert_eq!(product(Decimal::MAX, Decimal::TWO), Err(TooLarge));
        assert_eq!(product(Decimal::MAX, Decimal::ZERO), Ok(Decimal::ZERO));
        // 999999.999999 * 999999.999999 = 999999999998.000000000001
        let wide = Decimal::new(999_999_999_999, 6);
        assert_eq!(worth(wide, wide).unwrap().to_string(), "999999999998.000000000001");
    }
}
