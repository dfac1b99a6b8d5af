//! Currencies as vendors write them, some of them in hundredths.

use protocol::Decimal;

/// The ISO 4217 code, and what amounts are multiplied with: prices in London, Johannesburg and Tel Aviv are quoted in
/// pence, cents and agorot.
pub(crate) fn read(written: &str) -> (String, Decimal) {
    let hundredth = Decimal::new(1, 2);
    match written {
        "GBp" | "GBX" | "GBx" => ("GBP".to_owned(), hundredth),
        "ZAc" | "ZAC" => ("ZAR".to_owned(), hundredth),
        "ILA" | "ILa" => ("ILS".to_owned(), hundredth),
        other => (other.to_owned(), Decimal::ONE),
    }
}
