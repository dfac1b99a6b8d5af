use protocol::Decimal;
use rust_decimal::RoundingStrategy::MidpointAwayFromZero;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};

/// A computed figure as a decimal with at most `places` decimals, halves away from zero.
/// `None` for what is no finite number.
pub(crate) fn rounded(value: f64, places: u32) -> Option<Decimal> {
    Decimal::from_f64(value).map(|value| round(value, places))
}

/// The same for an exact value.
pub(crate) fn round(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, MidpointAwayFromZero).normalize()
}

/// The nearest floating-point number; every decimal has one.
pub(crate) fn float(value: Decimal) -> f64 {
    value.to_f64().unwrap_or(f64::NAN)
}
