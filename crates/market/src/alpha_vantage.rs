//! Alpha Vantage. Free keys have 25 requests a day and one a second; errors come with status 200; figures are text.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use llm::Secret;
use protocol::{Date, Decimal, parse_date, trading::Ticker};
use reqwest::Url;
use serde_json::{Map, Value};

use crate::{
    Answer, Article, DailyPrice, Dividend, EarningsDate, Frequency, Mover, MoverKind, NewsAbout, NoData,
    Outcome, PriceHistory, Profile, Source, Split, Statement, StatementFigure, Vendor, Why,
    access::{Access, Call, Keep, Key, Limit, Network, Refused, Reply, at},
    adjust::{self, Series, Stored},
    session,
    written::{day, decimal, of_text, rows, text, words},
};

const NAME: &str = "Alpha Vantage";
const LIMITS: [Limit; 2] = [
    Limit { requests: 1, within: Duration::from_secs(1) },
    Limit { requests: 25, within: Duration::from_secs(24 * 3600) },
];
/// Rows that a free key gets of daily prices.
const COMPACT: usize = 100;
/// How well an article has to fit a company for it to be about it.
const LEAST_RELEVANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// Alpha Vantage.
pub struct AlphaVantage {
    access: Access,
    base: Url,
}

impl AlphaVantage {
    /// Asked with this key at this address.
    pub fn new(network: Network, base: Url, key: Secret) -> Self {
        Self { access: Access::new(NAME, network, Some(Key::Parameter("apikey", key)), &LIMITS), base }
    }

    /// The public address.
    pub fn public() -> Option<Url> {
        Url::parse("https://www.alphavantage.co").ok()
    }

    fn call(&self, function: &str, keep: Keep, parameters: &[(&str, &str)]) -> Call {
        let mut query = vec![("function", function)];
        query.extend_from_slice(parameters);
        Call::new(at(&self.base, "query", &query), function, keep)
    }

    async fn ask(&self, function: &str, as_of: Date, parameters: &[(&str, &str)]) -> Result<Value, NoData> {
        self.access.ask(&self.call(function, Keep::AsOf(as_of), parameters), judge).await
    }

    /// Daily prices with the day of their last row: all of them with a paid key, else the last 100.
    async fn daily(&self, symbol: &str, as_of: Date) -> Result<(Vec<DailyPrice>, Timestamp, bool), NoData> {
        const FUNCTION: &str = "TIME_SERIES_DAILY";
        let read = |reply: &Reply| Ok((days(&judge(reply)?)?, reply.fetched));
        let sized = |size| {
            let mut call =
                self.call(FUNCTION, Keep::AsOf(as_of), &[("symbol", symbol), ("outputsize", size)]);
            call.scope = format!("{FUNCTION} {size}");
            call
        };
        let (full, compact) = (sized("full"), sized("compact"));
        match self.access.ask(&full, read).await {
            Err(refusal) if refusal.why == Why::Denied => {
                let (days, fetched) = self.access.ask(&compact, read).await?;
                Ok((days, fetched, true))
            }
            answered => answered.map(|(days, fetched)| (days, fetched, false)),
        }
    }

    async fn splits(&self, symbol: &str, as_of: Date) -> Result<Vec<Split>, NoData> {
        let body = self.ask("SPLITS", as_of, &[("symbol", symbol)]).await?;
        let splits = rows(&body, "data").filter_map(|row| {
            adjust::split(day(&row["effective_date"])?, decimal(&row["split_factor"])?, Decimal::ONE)
        });
        Ok(splits.collect())
    }

    async fn dividends(&self, symbol: &str, as_of: Date) -> Result<Vec<Dividend>, NoData> {
        let body = self.ask("DIVIDENDS", as_of, &[("symbol", symbol)]).await?;
        let dividends = rows(&body, "data").filter_map(|row| {
            let (date, amount) = (day(&row["ex_dividend_date"])?, decimal(&row["amount"])?);
            Some(Dividend { date, amount, currency: None })
        });
        Ok(dividends.collect())
    }

    /// The days on which quarters were reported, by the end of the quarter.
    async fn reported(&self, symbol: &str, as_of: Date) -> Result<BTreeMap<Date, Date>, NoData> {
        let body = self.ask("EARNINGS", as_of, &[("symbol", symbol)]).await?;
        let quarters = rows(&body, "quarterlyEarnings");
        Ok(quarters
            .filter_map(|row| Some((day(&row["fiscalDateEnding"])?, day(&row["reportedDate"])?)))
            .collect())
    }
}

#[async_trait]
impl Vendor for AlphaVantage {
    fn name(&self) -> &str {
        NAME
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let symbol = spelled(ticker)?;
        let (mut days, fetched, short) = self.daily(&symbol, as_of).await?;
        let unfinished = session::take_unfinished(&mut days, fetched);
        let first = days.first().map(|day| day.date);
        if let Some(first) = first.filter(|first| short && as_of < *first) {
            let reason = format!("without a paid key prices begin on {first}, {COMPACT} days ago.");
            return Err(NoData::empty(NAME, reason));
        }
        let splits = self.splits(&symbol, as_of).await?;
        let (dividends, no_dividends) = match self.dividends(&symbol, as_of).await {
            Ok(dividends) => (dividends, None),
            Err(refusal) => (Vec::new(), Some(format!("dividends are missing: {}", refusal.reason))),
        };
        let series = Series { days, unfinished, dividends, splits, currency: None, stored: Stored::AsPaid };
        let mut answer = series.known_on(as_of).answered(NAME, ticker, as_of)?;
        if let Some(first) = first.filter(|_| short) {
            answer
                .source
                .notes
                .push(format!("the range is short: without a paid key prices begin on {first}"));
        }
        answer.source.notes.extend(no_dividends);
        Ok(answer)
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        statement: Statement,
        frequency: Frequency,
        as_of: Date,
    ) -> Outcome<Vec<StatementFigure>> {
        let (function, symbol) = (function(statement), spelled(ticker)?);
        let body = self.ask(function, as_of, &[("symbol", &symbol)]).await?;
        // Statements have no day of publication: that of the quarter's earnings stands for it.
        let reported = self.reported(&symbol, as_of).await?;
        let reports = match frequency {
            Frequency::Quarterly => "quarterlyReports",
            Frequency::Annual => "annualReports",
        };
        let until = self.access.public_until(as_of);
        let mut undated = 0;
        let mut figures = Vec::new();
        let mut periods = 0;
        for report in rows(&body, reports) {
            let Some(end) = day(&report["fiscalDateEnding"]) else { continue };
            let Some(published) = reported.get(&end).copied() else {
                undated += 1;
                continue;
            };
            if published > until || periods == frequency.most_periods() {
                continue;
            }
            periods += 1;
            let unit = text(&report["reportedCurrency"]).unwrap_or("currency not known");
            let fields = report.as_object().into_iter().flatten();
            figures.extend(fields.filter_map(|(concept, value)| {
                let value = decimal(value)?;
                Some(StatementFigure {
                    label: spaced(concept),
                    concept: concept.clone(),
                    start: None,
                    end,
                    value,
                    unit: unit.to_owned(),
                    published,
                    derived: None,
                })
            }));
        }
        if figures.is_empty() {
            return Err(NoData::empty(NAME, format!("no statements of {ticker} were public on {until}.")));
        }
        let mut source = Source::new(NAME, as_of);
        source.published = figures.iter().map(|figure| figure.published).max();
        source.notes.push(
            "the day of publication is that of the quarter's earnings; figures may be restated".to_owned(),
        );
        if undated > 0 {
            source.notes.push(format!("{undated} periods without a day of publication are left out"));
        }
        Ok(Answer { data: figures, source })
    }

    async fn profile(&self, ticker: &Ticker, as_of: Date) -> Outcome<Profile> {
        self.access.only_now(as_of, "profile and ratios")?;
        let symbol = spelled(ticker)?;
        let body = self.ask("OVERVIEW", as_of, &[("symbol", &symbol)]).await?;
        let name = text(&body["Name"]).unwrap_or(ticker.as_str()).to_owned();
        let fields = [
            "Sector",
            "Industry",
            "Country",
            "Currency",
            "MarketCapitalization",
            "PERatio",
            "PEGRatio",
            "BookValue",
            "EPS",
            "ProfitMargin",
            "Beta",
        ];
        let known = fields.into_iter().filter_map(|field| Some((spaced(field), words(text(&body[field])?))));
        Ok(Answer { data: Profile { name, fields: known.collect() }, source: Source::new(NAME, as_of) })
    }

    async fn news(&self, about: &NewsAbout, from: Date, as_of: Date) -> Outcome<Vec<Article>> {
        let moment = |day: Date, time: &str| format!("{}T{time}", day.strftime("%Y%m%d"));
        let (first, last) = (moment(from, "0000"), moment(as_of, "2359"));
        let mut parameters =
            vec![("time_from", first.as_str()), ("time_to", last.as_str()), ("limit", "200")];
        let symbol = match about {
            NewsAbout::Company(ticker) => Some(spelled(ticker)?),
            NewsAbout::Markets => None,
        };
        match &symbol {
            Some(symbol) => parameters.push(("tickers", symbol)),
            None => parameters.push(("topics", "financial_markets")),
        }
        let body = self.ask("NEWS_SENTIMENT", as_of, &parameters).await?;
        let articles = rows(&body, "feed").filter_map(|row| article(row, symbol.as_deref())).collect();
        crate::news::answered(NAME, articles, from, as_of)
    }

    async fn movers(&self, kind: MoverKind, as_of: Date) -> Outcome<Vec<Mover>> {
        self.access.only_now(as_of, "movers")?;
        let list = match kind {
            MoverKind::Gainers => "top_gainers",
            MoverKind::Losers => "top_losers",
            MoverKind::MostActive => "most_actively_traded",
        };
        let body = self.ask("TOP_GAINERS_LOSERS", as_of, &[]).await?;
        let movers = rows(&body, list).filter_map(|row| {
            let percentage =
                text(&row["change_percentage"]).and_then(|text| of_text(text.trim_end_matches('%')));
            Some(Mover {
                symbol: words(text(&row["ticker"])?),
                price: decimal(&row["price"]),
                change: percentage.map(|percentage| (percentage / Decimal::ONE_HUNDRED).normalize()),
                volume: decimal(&row["volume"]),
            })
        });
        Answer::of_rows(NAME, as_of, movers.collect(), || "it lists nothing.".to_owned())
    }

    async fn earnings(
        &self,
        ticker: Option<&Ticker>,
        from: Date,
        to: Date,
        as_of: Date,
    ) -> Outcome<Vec<EarningsDate>> {
        self.access.only_now(as_of, "calendar of earnings")?;
        let symbol = ticker.map(spelled).transpose()?;
        let mut parameters = vec![("horizon", "3month")];
        parameters.extend(symbol.as_deref().map(|symbol| ("symbol", symbol)));
        let call = self.call("EARNINGS_CALENDAR", Keep::AsOf(as_of), &parameters);
        let mut dates: Vec<EarningsDate> = self.access.ask(&call, calendar).await?;
        dates.retain(|row| (from..=to).contains(&row.date));
        Answer::of_rows(NAME, as_of, dates, || format!("no reports are expected from {from} to {to}."))
    }
}

fn function(statement: Statement) -> &'static str {
    match statement {
        Statement::BalanceSheet => "BALANCE_SHEET",
        Statement::CashFlow => "CASH_FLOW",
        Statement::Income => "INCOME_STATEMENT",
    }
}

/// The body of an answer that is none of its refusals. All of them come with status 200 and a field of their own.
fn judge(reply: &Reply) -> Result<Value, Refused> {
    let body: Value = reply.checked()?.json()?;
    refused(&body)?;
    match body.as_object().map(Map::is_empty) {
        Some(false) => Ok(body),
        Some(true) => Err(Refused::unknown("it answered with nothing.")),
        None => Err(Refused::throttled(format!("it sent “{}”.", reply.words()))),
    }
}

fn refused(body: &Value) -> Result<(), Refused> {
    const SECOND: Duration = Duration::from_secs(2);
    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 3600);
    let said = |field: &str| body[field].as_str();
    if let Some(error) = said("Error Message") {
        let quoted = format!("“{}”.", words(error));
        return Err(if error.contains("apikey") {
            Refused::locked_out(quoted)
        } else {
            Refused::unknown(quoted)
        });
    }
    let Some(told) = said("Information").or_else(|| said("Note")) else { return Ok(()) };
    let quoted = format!("“{}”.", words(told));
    let is = |part: &str| told.contains(part);
    // The sentence about the second names the limit of the day as well, and all of them speak of premium plans.
    Err(if is("per second") || is("sparingly") {
        Refused::later(SECOND, quoted)
    } else if is("per minute") {
        Refused::later(MINUTE, quoted)
    } else if is("rate limit") || is("requests per day") {
        Refused::later(DAY, quoted)
    } else if is("premium") {
        Refused::denied(quoted)
    } else if is("apikey") || is("API key") {
        Refused::locked_out(quoted)
    } else {
        Refused::throttled(quoted)
    })
}

/// Daily prices, oldest first. Fields are found by their words, as their numbers differ between functions.
fn days(body: &Value) -> Result<Vec<DailyPrice>, Refused> {
    let series = body.as_object().into_iter().flatten().find(|(name, _)| name.starts_with("Time Series"));
    let Some((_, Value::Object(series))) = series else {
        return Err(Refused::empty("it answered without prices."));
    };
    let mut days: Vec<DailyPrice> = series
        .iter()
        .filter_map(|(date, row)| {
            let named = |word: &str| {
                let mut fields = row.as_object()?.iter();
                decimal(
                    fields.find(|(name, _)| name.split_once(". ").is_some_and(|(_, rest)| rest == word))?.1,
                )
            };
            let close = named("close").filter(|close| *close > Decimal::ZERO)?;
            let (open, high, low, volume) = (named("open"), named("high"), named("low"), named("volume"));
            Some(DailyPrice { date: parse_date(date)?, open, high, low, close, volume })
        })
        .collect();
    days.sort_by_key(|day| day.date);
    Ok(days)
}

fn article(row: &Value, symbol: Option<&str>) -> Option<Article> {
    if let Some(symbol) = symbol {
        let about = rows(row, "ticker_sentiment").find(|about| about["ticker"].as_str() == Some(symbol));
        let relevance = about.and_then(|about| decimal(&about["relevance_score"]));
        if relevance.is_some_and(|relevance| relevance < LEAST_RELEVANCE) {
            return None;
        }
    }
    let published: DateTime = DateTime::strptime("%Y%m%dT%H%M%S", row["time_published"].as_str()?).ok()?;
    Some(Article {
        date: published.to_zoned(TimeZone::UTC).ok()?.date(),
        title: words(text(&row["title"])?),
        publisher: text(&row["source"]).map(words).unwrap_or_default(),
        summary: text(&row["summary"]).map(str::to_owned).unwrap_or_default(),
        link: text(&row["url"]).map(str::to_owned),
    })
}

/// The calendar of earnings, which comes as CSV alone; refusals come as JSON.
fn calendar(reply: &Reply) -> Result<Vec<EarningsDate>, Refused> {
    let written = reply.checked()?.text();
    if written.trim_start().starts_with('{') {
        judge(reply)?;
        return Err(Refused::empty("it answered without a calendar."));
    }
    let mut table = csv::ReaderBuilder::new().flexible(true).from_reader(written.as_bytes());
    let headers = table.headers().cloned().unwrap_or_default();
    let place = |name: &str| headers.iter().position(|header| header == name);
    let (Some(symbol), Some(date)) = (place("symbol"), place("reportDate")) else {
        return Err(Refused::throttled(format!("it sent “{}”.", reply.words())));
    };
    let (ending, estimate) = (place("fiscalDateEnding"), place("estimate"));
    let dates = table.records().filter_map(|row| {
        let row = row.ok()?;
        let ending = ending.and_then(|ending| row.get(ending)).unwrap_or_default();
        Some(EarningsDate {
            symbol: words(row.get(symbol)?),
            date: parse_date(row.get(date)?)?,
            projected: true,
            period: format!("fiscal period to {}", words(ending)),
            estimate: estimate.and_then(|estimate| of_text(row.get(estimate)?)),
            actual: None,
        })
    });
    Ok(dates.collect())
}

/// A symbol as Alpha Vantage writes it: other exchanges by its own endings, classes behind a dash. Indices it has none.
fn spelled(ticker: &Ticker) -> Result<String, NoData> {
    let symbol = ticker.as_str();
    if symbol.starts_with('^') {
        return Err(NoData::unknown(NAME, ticker));
    }
    let Some((company, ending)) = symbol.rsplit_once('.') else { return Ok(symbol.to_owned()) };
    Ok(match ending {
        "A" | "B" | "C" => format!("{company}-{ending}"),
        "L" => format!("{company}.LON"),
        "TO" => format!("{company}.TRT"),
        "V" => format!("{company}.TRV"),
        "DE" => format!("{company}.DEX"),
        "BO" => format!("{company}.BSE"),
        "SS" | "SH" => format!("{company}.SHH"),
        "SZ" => format!("{company}.SHZ"),
        _ => symbol.to_owned(),
    })
}

/// `totalRevenue` as `Total revenue`.
fn spaced(concept: &str) -> String {
    let mut text = String::new();
    for (index, letter) in concept.chars().enumerate() {
        match letter {
            _ if index == 0 => text.extend(letter.to_uppercase()),
            _ if letter.is_uppercase() => {
                text.push(' ');
                text.extend(letter.to_lowercase());
            }
            _ => text.push(letter),
        }
    }
    text
}
