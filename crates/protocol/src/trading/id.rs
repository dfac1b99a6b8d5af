use std::borrow::Cow;

use crate::{
    AccountId,
    id::{as_given, is_slug, text_id},
};

text_id!(
    /// A paper portfolio, such as `main_portfolio`.
    PortfolioId,
    "portfolio id",
    "it must have 1 to 64 of a-z, 0-9, _ and -",
    "^[a-z0-9_-]{1,64}$",
    as_given,
    |text| is_slug(text, 64)
);

/// Stands in a portfolio's id between its owner's name and its own; no account's name has it.
const BORDER: &str = "--";

impl PortfolioId {
    /// Whose portfolio it is: the account that its id begins with, or the one account of a server
    /// without accounts. `None`: no account can have such a portfolio.
    pub fn owner(&self) -> Option<AccountId> {
        match self.0.split_once(BORDER) {
            Some((owner, _)) => owner.parse().ok(),
            None => Some(AccountId::local()),
        }
    }

    /// The whole id of what the account calls `self`; `None` if it can have no portfolio of this name.
    pub fn of(&self, account: &AccountId) -> Option<Self> {
        let is_local = *account == AccountId::local();
        let id = if is_local || self.owner().as_ref() == Some(account) {
            self.clone()
        } else {
            format!("{account}{BORDER}{self}").parse().ok()?
        };
        (id.owner().as_ref() == Some(account)).then_some(id)
    }
}

text_id!(
    /// An instrument's symbol, in upper case: `AAPL`, `BRK.B`, `TATAMOTORS.NS`, `^GSPC`.
    Ticker,
    "ticker",
    "it must have 1 to 20 letters, digits, dots, hyphens or a leading ^, and not only dots and hyphens",
    "^(\\^[A-Za-z0-9.-]{1,19}|[A-Za-z0-9.-]{1,20})$",
    |text| Cow::Owned(text.trim().to_ascii_uppercase()),
    |text| {
        let symbol = text.strip_prefix('^').unwrap_or(text);
        text.len() <= 20
            && symbol.bytes().any(|byte| byte.is_ascii_alphanumeric())
            && symbol
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticker_is_upper_cased_and_checked() {
        assert_eq!("aapl".parse::<Ticker>().unwrap().as_str(), "AAPL");
        assert_eq!("^gspc".parse::<Ticker>().unwrap().as_str(), "^GSPC");
        for long in ["TATAMOTORS.NS", "600519.SS", "BRK.B", "CIK0000718877"] {
            assert_eq!(long.parse::<Ticker>().unwrap().as_str(), long);
        }
        for hostile in ["", "^", "..", ".-.", "../etc", "AAPL;DROP", "A".repeat(21).as_str(), "AA PL"] {
            assert!(hostile.parse::<Ticker>().is_err(), "{hostile:?}");
        }
    }
}
