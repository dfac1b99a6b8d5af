//! The closes of a stock over a span of time.

use jiff::ToSpan;
use market::{DailyPrice, Market};
use protocol::{
    Date, Decimal,
    trading::{DayClose, Measured, PriceCourse, PriceSpan, Ticker, thinned},
};

use crate::trading::{desk::BENCHMARK, memory::change};

/// Closes that are told of a span.
const MOST_CLOSES: usize = 500;

/// The closes up to the last day that there are prices of, or why there are none.
pub(super) async fn course(market: &Market, ticker: &Ticker, span: PriceSpan) -> Measured<PriceCourse> {
    let today = market.last_date();
    let answer = match market.prices(ticker, today).await {
        Ok(answer) => answer,
        Err(refusal) => return Measured::Unknown(refusal.to_string()),
    };
    let days = within(&answer.data.days, span);
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Measured::Unknown(format!("{} has no closes of {ticker}.", answer.source.vendor));
    };
    let stock_return = change(first.close, last.close);
    let closes = thinned(days.len(), MOST_CLOSES, |place| days[place].close);
    let closes =
        closes.into_iter().map(|place| DayClose { date: days[place].date, close: days[place].close });
    let unit = answer.source.unit.as_deref().unwrap_or("unit not known");
    Measured::Known(PriceCourse {
        closes: closes.collect(),
        days: u32::try_from(days.len()).unwrap_or(u32::MAX),
        stock_return: stock_return
            .map_or_else(|| Measured::Unknown("a close is no price above zero".to_owned()), Measured::Known),
        index_return: index_return(market, first.date, last.date).await,
        source: format!("{}: {unit}", answer.source.vendor),
    })
}

/// The days of a span that ends with the last one.
fn within(days: &[DailyPrice], span: PriceSpan) -> &[DailyPrice] {
    let Some(last) = days.last() else { return days };
    let first = match span {
        PriceSpan::ThreeMonths => last.date.saturating_sub(3.months()),
        PriceSpan::Year => last.date.saturating_sub(1.year()),
        PriceSpan::All => return days,
    };
    &days[days.partition_point(|day| day.date < first)..]
}

async fn index_return(market: &Market, from: Date, until: Date) -> Measured<Decimal> {
    let index = match BENCHMARK.parse::<Ticker>() {
        Ok(index) => market.prices(&index, until).await.map_err(|refusal| refusal.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match index {
        Ok(index) => crate::trading::memory::index_return(&index.data.days, from, until),
        Err(reason) => Measured::Unknown(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(date: &str) -> DailyPrice {
        DailyPrice {
            date: date.parse().unwrap(),
            open: None,
            high: None,
            low: None,
            close: Decimal::ONE,
            volume: None,
        }
    }

    #[test]
    fn a_span_ends_with_the_last_close_and_begins_on_the_same_day_earlier() {
        let days = ["2020-06-30", "2021-12-29", "2021-12-30", "2022-09-30", "2022-12-30"].map(day);
        let first = |span| within(&days, span).first().unwrap().date.to_string();
        assert_eq!(first(PriceSpan::ThreeMonths), "2022-09-30");
        assert_eq!(first(PriceSpan::Year), "2021-12-30");
        assert_eq!(first(PriceSpan::All), "2020-06-30");
        assert!(within(&[], PriceSpan::Year).is_empty());
    }
}
