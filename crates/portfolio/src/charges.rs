//! What a trade costs beside its quoted price.

use protocol::{
    Decimal,
    trading::{Commission, PortfolioSettings, Side},
};
use rust_decimal::RoundingStrategy::{MidpointAwayFromZero, ToPositiveInfinity, ToZero};

use crate::amount::{PLACES, TooLarge, bounded, product, sum, worth};
use crate::error::PortfolioError;
use crate::limits;

/// Decimals of a US dollar that a broker bills.
const CENTS: u32 = 2;

/// Whether a portfolio can trade by these settings: no charge is negative, none is absurd, and none has more
/// than 6 decimals.
///
/// # Errors
/// [`PortfolioError::InvalidSettings`] says what is wrong, and [`PortfolioError::InvalidConstraints`] with the limits.
pub fn check_settings(settings: &PortfolioSettings) -> Result<(), PortfolioError> {
    let PortfolioSettings { commission, slippage, limits, .. } = settings;
    let Commission { fixed, per_share, rate, minimum } = commission;
    let within = |value: &Decimal, most: Decimal| *value >= Decimal::ZERO && *value <= most;
    let tenth = Decimal::new(1, 1);
    let wrong = if !within(fixed, Decimal::ONE_THOUSAND) || !within(minimum, Decimal::ONE_THOUSAND) {
        "a commission a trade must be from 0 to 1,000 US dollars"
    } else if !within(per_share, Decimal::TEN) {
        "a commission a share must be from 0 to 10 US dollars"
    } else if !within(rate, tenth) {
        "a commission in percent must be from 0 % to 10 %"
    } else if !within(slippage, tenth) {
        "the slippage must be from 0 % to 10 %"
    } else if [fixed, per_share, rate, minimum, slippage].iter().any(|it| it.normalize().scale() > PLACES) {
        "a charge can have at most 6 decimals"
    } else {
        return limits::check(limits);
    };
    Err(PortfolioError::InvalidSettings(wrong))
}

/// `fixed + per_share × quantity + rate × amount`, at least the minimum, rounded to the cent.
pub(crate) fn commission(terms: &Commission, quantity: Decimal, price: Decimal) -> Result<Decimal, TooLarge> {
    let by_share = terms.per_share.checked_mul(quantity).ok_or(TooLarge)?;
    let by_amount = terms.rate.checked_mul(worth(quantity, price)?).ok_or(TooLarge)?;
    let charged =
        terms.fixed.checked_add(by_share).and_then(|it| it.checked_add(by_amount)).ok_or(TooLarge)?;
    bounded(charged.max(terms.minimum).round_dp_with_strategy(CENTS, MidpointAwayFromZero))
}

/// The price that is paid or received where `quoted` is quoted: worse by the slippage, and rounded to 6
/// decimals against the portfolio.
pub(crate) fn slipped(side: Side, quoted: Decimal, slippage: Decimal) -> Result<Decimal, TooLarge> {
    if slippage.is_zero() {
        return Ok(quoted);
    }
    let (factor, rounding) = match side {
        Side::Buy => (sum(Decimal::ONE, slippage)?, ToPositiveInfinity),
        Side::Sell => (sum(Decimal::ONE, -slippage)?, ToZero),
    };
    Ok(product(quoted, factor)?.round_dp_with_strategy(PLACES, rounding).normalize())
}
