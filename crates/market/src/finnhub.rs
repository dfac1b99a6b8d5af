//! Finnhub. Free keys have 60 requests a minute, American companies, and news of one year.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use llm::Secret;
use protocol::{Date, Decimal, trading::Ticker};
use reqwest::Url;
use serde_json::Value;

use crate::{
    Answer, Article, DailyPrice, EarningsDate, EconomicEvent, Frequency, InsiderTrade, NewsAbout, NoData,
    Outcome, PriceHistory, Profile, Source, Split, Statement, StatementFigure, Vendor,
    access::{Access, Call, Keep, Key, Limit, Network, Refused, Reply, at},
    adjust::{self, Series, Stored},
    news, session,
    written::{day, day_in, decimal, moment, rows, text, utc_day, words},
};

const NAME: &str = "Finnhub";
const MINUTE: Duration = Duration::from_secs(60);
const LIMITS: [Limit; 2] =
    [Limit { requests: 30, within: Duration::from_secs(1) }, Limit { requests: 60, within: MINUTE }];
/// The first moment of prices that is asked for, 1970-01-02.
const BEGINNING: &str = "86400";

/// Finnhub.
pub struct Finnhub {
    access: Access,
    base: Url,
}

impl Finnhub {
    /// Asked with this key at this address.
    pub fn new(network: Network, base: Url, key: Secret) -> Self {
        Self { access: Access::new(NAME, network, Some(Key::Header("X-Finnhub-Token", key)), &LIMITS), base }
    }

    /// The public address.
    pub fn public() -> Option<Url> {
        Url::parse("https://finnhub.io/api/v1").ok()
    }

    /// Plans differ by function and by country, so that a refusal holds for one symbol of one function.
    fn call(&self, path: &str, symbol: &str, as_of: Date, parameters: &[(&str, &str)]) -> Call {
        let mut query = if symbol.is_empty() { Vec::new() } else { vec![("symbol", symbol)] };
        query.extend_from_slice(parameters);
        Call::new(at(&self.base, path, &query), format!("{path} {symbol}"), Keep::AsOf(as_of))
    }

    /// Whether it has a last price of the symbol: of one that it does not know all is 0. `None` if it does not say.
    async fn is_known(&self, symbol: &str, as_of: Date) -> Option<bool> {
        let quote = self.access.ask(&self.call("quote", symbol, as_of, &[]), judge).await.ok()?;
        let price = decimal(&quote["c"])?;
        Some(price > Decimal::ZERO && quote["t"].as_i64() != Some(0))
    }

    async fn splits(&self, symbol: &str, as_of: Date) -> Result<Vec<Split>, NoData> {
        let to = session::today(self.access.now()).to_string();
        let call = self.call("stock/split", symbol, as_of, &[("from", "1970-01-01"), ("to", &to)]);
        let body = self.access.ask(&call, judge).await?;
        let rows = body.as_array().into_iter().flatten();
        let splits = rows.filter_map(|row| {
            adjust::split(day(&row["date"])?, decimal(&row["toFactor"])?, decimal(&row["fromFactor"])?)
        });
        Ok(splits.collect())
    }
}

#[async_trait]
impl Vendor for Finnhub {
    fn name(&self) -> &str {
        NAME
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let symbol = ticker.as_str();
        // To the end of the present, as later splits have to be undone; the number changes once a day.
        let end = session::today(self.access.now()).tomorrow().unwrap_or(as_of);
        let end =
            end.to_zoned(jiff::tz::TimeZone::UTC).map_or(0, |end| end.timestamp().as_second()).to_string();
        let parameters = [("resolution", "D"), ("from", BEGINNING), ("to", end.as_str())];
        let call = self.call("stock/candle", symbol, as_of, &parameters);
        let read = |reply: &Reply| Ok((days(&judge(reply)?)?, reply.fetched));
        let (mut days, fetched) = self.access.ask(&call, read).await?;
        let unfinished = session::take_unfinished(&mut days, fetched);
        let splits = self.splits(symbol, as_of).await.map_err(|refusal| {
            let reason = format!(
                "its prices are adjusted for all splits up to now, and those cannot be read ({}) to tell what was known on {as_of}.",
                refusal.reason
            );
            NoData { reason, ..refusal }
        })?;
        let series = Series {
            days,
            unfinished,
            dividends: Vec::new(),
            splits,
            currency: None,
            stored: Stored::SplitsApplied,
        };
        series.known_on(as_of).answered(NAME, ticker, as_of)
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        statement: Statement,
        frequency: Frequency,
        as_of: Date,
    ) -> Outcome<Vec<StatementFigure>> {
        let freq = match frequency {
            Frequency::Quarterly => "quarterly",
            Frequency::Annual => "annual",
        };
        let call = self.call("stock/financials-reported", ticker.as_str(), as_of, &[("freq", freq)]);
        let body = self.access.ask(&call, judge).await?;
        let until = self.access.public_until(as_of);
        let part = match statement {
            Statement::BalanceSheet => "bs",
            Statement::CashFlow => "cf",
            Statement::Income => "ic",
        };
        // Of each period the filing that was made last by then, newest period first.
        let mut filings: Vec<(Date, Date, &Value)> = rows(&body, "data")
            .filter_map(|filing| Some((day(&filing["endDate"])?, day(&filing["filedDate"])?, filing)))
            .filter(|(_, filed, _)| *filed <= until)
            .collect();
        filings.sort_by_key(|(end, filed, _)| std::cmp::Reverse((*end, *filed)));
        filings.dedup_by_key(|(end, ..)| *end);
        let mut figures = Vec::new();
        for (end, published, filing) in filings.into_iter().take(frequency.most_periods()) {
            let start = day(&filing["startDate"]).filter(|_| statement != Statement::BalanceSheet);
            for (concept, label, unit, value) in lines(&filing["report"][part]) {
                let unit = unit.unwrap_or("unit not known").to_owned();
                figures.push(StatementFigure {
                    label,
                    concept,
                    start,
                    end,
                    value,
                    unit,
                    published,
                    derived: None,
                });
            }
        }
        if figures.is_empty() {
            return Err(NoData::empty(
                NAME,
                format!("no such figures of {ticker} were filed up to {until}."),
            ));
        }
        let mut source = Source::new(NAME, as_of);
        source.published = figures.iter().map(|figure| figure.published).max();
        if frequency == Frequency::Quarterly {
            source.notes.push("fourth quarters are not filed, and are not among them".to_owned());
        }
        Ok(Answer { data: figures, source })
    }

    async fn profile(&self, ticker: &Ticker, as_of: Date) -> Outcome<Profile> {
        self.access.only_now(as_of, "profile")?;
        let call = self.call("stock/profile2", ticker.as_str(), as_of, &[]);
        let body = self.access.ask(&call, judge).await?;
        let Some(name) = text(&body["name"]) else {
            return Err(match self.is_known(ticker.as_str(), as_of).await {
                Some(true) => NoData::empty(NAME, format!("it has no profile of {ticker}.")),
                Some(false) => NoData::unknown(NAME, ticker),
                None => {
                    NoData::empty(NAME, format!("it covers no {ticker}, or knows none: it does not say."))
                }
            });
        };
        let named = [
            ("Industry", "finnhubIndustry"),
            ("Country", "country"),
            ("Currency", "currency"),
            ("Exchange", "exchange"),
            ("First traded", "ipo"),
        ];
        let mut fields: Vec<(String, String)> = named
            .into_iter()
            .filter_map(|(name, field)| Some((name.to_owned(), words(text(&body[field])?))))
            .collect();
        if let Some(millions) = decimal(&body["marketCapitalization"]) {
            fields.push(("Market capitalisation, millions".to_owned(), millions.to_string()));
        }
        Ok(Answer { data: Profile { name: words(name), fields }, source: Source::new(NAME, as_of) })
    }

    async fn news(&self, about: &NewsAbout, from: Date, as_of: Date) -> Outcome<Vec<Article>> {
        let (first, last) = (from.to_string(), as_of.to_string());
        let call = match about {
            NewsAbout::Company(ticker) => {
                self.call("company-news", ticker.as_str(), as_of, &[("from", &first), ("to", &last)])
            }
            NewsAbout::Markets => self.call("news", "", as_of, &[("category", "general")]),
        };
        let body = self.access.ask(&call, judge).await?;
        let articles = body.as_array().into_iter().flatten().filter_map(|row| {
            Some(Article {
                date: utc_day(moment(&row["datetime"])?),
                title: words(text(&row["headline"])?),
                publisher: text(&row["source"]).map(words).unwrap_or_default(),
                summary: text(&row["summary"]).map(str::to_owned).unwrap_or_default(),
                link: text(&row["url"]).map(str::to_owned),
            })
        });
        news::answered(NAME, articles.collect(), from, as_of)
    }

    async fn insider_trades(&self, ticker: &Ticker, as_of: Date) -> Outcome<Vec<InsiderTrade>> {
        let call = self.call("stock/insider-transactions", ticker.as_str(), as_of, &[]);
        let body = self.access.ask(&call, judge).await?;
        let until = self.access.public_until(as_of);
        let trades = rows(&body, "data").filter_map(|row| {
            Some(InsiderTrade {
                name: words(text(&row["name"])?),
                role: String::new(),
                date: day(&row["transactionDate"])?,
                published: day(&row["filingDate"])?,
                change: decimal(&row["change"])?,
                price: decimal(&row["transactionPrice"]).filter(|price| *price > Decimal::ZERO),
                code: text(&row["transactionCode"]).map(words).unwrap_or_default(),
            })
        });
        let mut trades: Vec<InsiderTrade> = trades.filter(|trade| trade.published <= until).collect();
        if trades.is_empty() {
            return Err(NoData::empty(
                NAME,
                format!("no trades of insiders of {ticker} were filed up to {until}."),
            ));
        }
        trades.sort_by_key(|trade| std::cmp::Reverse(trade.date));
        let mut source = Source::new(NAME, as_of);
        source.published = trades.iter().map(|trade| trade.published).max();
        Ok(Answer { data: trades, source })
    }

    async fn earnings(
        &self,
        ticker: Option<&Ticker>,
        from: Date,
        to: Date,
        as_of: Date,
    ) -> Outcome<Vec<EarningsDate>> {
        self.access.only_now(as_of, "calendar of earnings")?;
        let (first, last) = (from.to_string(), to.to_string());
        let symbol = ticker.map(Ticker::as_str).unwrap_or_default();
        let call = self.call("calendar/earnings", symbol, as_of, &[("from", &first), ("to", &last)]);
        let body = self.access.ask(&call, judge).await?;
        let dates = rows(&body, "earningsCalendar").filter_map(|row| {
            let actual = decimal(&row["epsActual"]);
            let (quarter, year) = (row["quarter"].as_i64()?, row["year"].as_i64()?);
            Some(EarningsDate {
                symbol: words(text(&row["symbol"])?),
                date: day(&row["date"])?,
                projected: actual.is_none(),
                period: format!("Q{quarter} of fiscal {year}"),
                estimate: decimal(&row["epsEstimate"]),
                actual,
            })
        });
        Answer::of_rows(NAME, as_of, dates.collect(), || {
            format!("no reports are listed from {from} to {to}.")
        })
    }

    async fn economic(&self, from: Date, to: Date, as_of: Date) -> Outcome<Vec<EconomicEvent>> {
        self.access.only_now(as_of, "economic calendar")?;
        let (first, last) = (from.to_string(), to.to_string());
        let call = self.call("calendar/economic", "", as_of, &[("from", &first), ("to", &last)]);
        let body = self.access.ask(&call, judge).await?;
        let events = rows(&body, "economicCalendar").filter_map(|row| {
            Some(EconomicEvent {
                date: day(&row["time"])?,
                country: text(&row["country"]).map(words).unwrap_or_default(),
                event: words(text(&row["event"])?),
                actual: decimal(&row["actual"]),
                estimate: decimal(&row["estimate"]),
                previous: decimal(&row["prev"]),
                unit: text(&row["unit"]).map(words).unwrap_or_default(),
            })
        });
        Answer::of_rows(NAME, as_of, events.collect(), || {
            format!("no figures are listed from {from} to {to}.")
        })
    }
}

/// The body of an answer that is none of its refusals.
fn judge(reply: &Reply) -> Result<Value, Refused> {
    let said = reply.words();
    if reply.status == 429 || said.contains("API limit reached") {
        return Err(Refused::later(MINUTE, format!("“{said}”.")));
    }
    let body: Value = reply.checked()?.json()?;
    let Some(error) = body["error"].as_str() else {
        return match reply.status {
            200 => Ok(body),
            401 | 403 => Err(Refused::denied(format!("status {}: “{said}”.", reply.status))),
            _ => Err(Refused::throttled(format!("status {}: “{said}”.", reply.status))),
        };
    };
    let quoted = format!("“{}”.", words(error));
    Err(match (reply.status, error) {
        // The key is good, and the plan does not reach as far; before 2022 it was said with 401.
        (_, error) if error.contains("have access") => Refused::denied(quoted),
        (401, _) => Refused::locked_out(quoted),
        (403, _) => Refused::denied(quoted),
        _ => Refused::throttled(quoted),
    })
}

/// Candles, one row a day of the exchange, oldest first.
fn days(body: &Value) -> Result<Vec<DailyPrice>, Refused> {
    if body["s"].as_str() == Some("no_data") {
        return Err(Refused::empty("there are no prices in this range."));
    }
    let zone = session::new_york();
    let mut days = BTreeMap::new();
    for (index, stamp) in rows(body, "t").enumerate() {
        let cell = |name: &str| decimal(&body[name][index]);
        let (Some(stamp), Some(close)) = (moment(stamp), cell("c").filter(|close| *close > Decimal::ZERO))
        else {
            continue;
        };
        // Days are stamped with midnight in UTC, or with a moment of the session.
        let at_midnight = stamp.as_second().rem_euclid(24 * 3600) == 0;
        let date = if at_midnight { utc_day(stamp) } else { day_in(stamp, &zone) };
        let (open, high, low, volume) = (cell("o"), cell("h"), cell("l"), cell("v"));
        days.insert(date, DailyPrice { date, open, high, low, close, volume });
    }
    if days.is_empty() {
        return Err(Refused::empty("there are no prices in this range."));
    }
    Ok(days.into_values().collect())
}

/// Concept, label, unit and value of each line of a report, which is a list or a map.
fn lines(report: &Value) -> Vec<(String, String, Option<&str>, Decimal)> {
    match report {
        Value::Array(rows) => rows
            .iter()
            .filter_map(|row| {
                let concept = words(text(&row["concept"])?);
                let label = text(&row["label"]).map_or_else(|| concept.clone(), words);
                Some((concept, label, text(&row["unit"]), decimal(&row["value"])?))
            })
            .collect(),
        Value::Object(fields) => fields
            .iter()
            .filter_map(|(concept, value)| Some((words(concept), words(concept), None, decimal(value)?)))
            .collect(),
        _ => Vec::new(),
    }
}
