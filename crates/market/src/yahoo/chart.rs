//! `/v8/finance/chart`: prices, dividends and splits.

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    tz::{Offset, TimeZone},
};
use protocol::{Date, Decimal};
use serde_json::Value;

use super::judge;
use crate::{
    DailyPrice, Dividend,
    access::{Refused, Reply},
    adjust::{self, Series, Stored},
    currency,
    written::{day_in, decimal, moment, text},
};

/// The series in an answer.
pub(super) fn read(reply: &Reply) -> Result<Series, Refused> {
    let body = judge(reply, "chart")?;
    let Some(result) = body.pointer("/chart/result/0") else {
        return Err(Refused::unknown("it answered without a chart."));
    };
    let meta = &result["meta"];
    let zone = zone(meta);
    let (code, unit) = match text(&meta["currency"]) {
        Some(written) => {
            let (code, unit) = currency::read(written);
            (Some(code), unit)
        }
        None => (None, Decimal::ONE),
    };
    let quote = &result["indicators"]["quote"][0];
    let stamps = result["timestamp"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut rows = BTreeMap::new();
    for (index, stamp) in stamps.iter().enumerate() {
        let cell = |name: &str| decimal(&quote[name][index]);
        let price =
            |name: &str| cell(name).and_then(|value| value.checked_mul(unit)).map(|value| value.normalize());
        let (Some(stamp), Some(close)) = (moment(stamp), price("close")) else { continue };
        if close <= Decimal::ZERO {
            continue;
        }
        let date = day(stamp, &zone);
        let (open, high, low) = (price("open"), price("high"), price("low"));
        // Of two rows of a day the later one with a price holds.
        rows.insert(date, DailyPrice { date, open, high, low, close, volume: cell("volume") });
    }
    let mut days: Vec<DailyPrice> = rows.into_values().collect();
    let goes_on = days.last().is_some_and(|last| !is_over(last.date, meta, &zone, reply.fetched));
    let unfinished = if goes_on { days.pop() } else { None };

    let events =
        |name: &str| result["events"][name].as_object().into_iter().flat_map(|events| events.values());
    let dividends = events("dividends").filter_map(|event| {
        let (currency, unit) = match text(&event["currency"]) {
            Some(written) => {
                let (code, unit) = currency::read(written);
                (Some(code), unit)
            }
            None => (code.clone(), unit),
        };
        let amount = decimal(&event["amount"])?.checked_mul(unit)?.normalize();
        Some(Dividend { date: day(moment(&event["date"])?, &zone), amount, currency })
    });
    let splits = events("splits").filter_map(|event| {
        let date = day(moment(&event["date"])?, &zone);
        adjust::split(date, decimal(&event["numerator"])?, decimal(&event["denominator"])?)
    });
    let (dividends, splits) = (dividends.collect(), splits.collect());
    Ok(Series { days, unfinished, dividends, splits, currency: code, stored: Stored::SplitsApplied })
}

/// The zone of the exchange with its rules; the offset that holds today is the second choice.
fn zone(meta: &Value) -> TimeZone {
    let named = text(&meta["exchangeTimezoneName"]).and_then(|name| TimeZone::get(name).ok());
    let offset =
        || meta["gmtoffset"].as_i64().and_then(|seconds| Offset::from_seconds(seconds.try_into().ok()?).ok());
    named.or_else(|| offset().map(TimeZone::fixed)).unwrap_or(TimeZone::UTC)
}

/// The trading day of a moment. São Paulo's days are stamped with 23:00 of the eve.
fn day(stamp: Timestamp, zone: &TimeZone) -> Date {
    let local = stamp.to_zoned(zone.clone());
    if local.hour() == 23 { local.date().tomorrow().unwrap_or(local.date()) } else { local.date() }
}

/// Whether the session of the last day was over when the answer came.
fn is_over(last: Date, meta: &Value, zone: &TimeZone, fetched: Timestamp) -> bool {
    let regular = &meta["currentTradingPeriod"]["regular"];
    match (moment(&regular["start"]), moment(&regular["end"])) {
        (Some(start), Some(end)) if day(start, zone) == last => fetched >= end,
        _ => last < day_in(fetched, zone),
    }
}
