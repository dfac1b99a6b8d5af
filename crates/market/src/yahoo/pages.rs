//! What Yahoo's pages show beside prices: company, insiders, statements, news, movers, calendar. All but news are of
//! now, and have no day of publication.

use protocol::{Date, Decimal, parse_date};
use serde_json::Value;

use super::judge;
use crate::{
    Article, EarningsDate, InsiderTrade, Mover, Profile, Statement, StatementFigure,
    access::{Refused, Reply},
    written::{day, decimal, moment, raw, text, utc_day, words},
};

/// The types of `timeseries` that a statement is made of, without `annual` and `quarterly`.
pub(super) fn types(statement: Statement) -> &'static [&'static str] {
    match statement {
        Statement::Income => &[
            "TotalRevenue",
            "CostOfRevenue",
            "GrossProfit",
            "ResearchAndDevelopment",
            "SellingGeneralAndAdministration",
            "OperatingIncome",
            "TaxProvision",
            "NetIncome",
            "BasicEPS",
            "DilutedEPS",
        ],
        Statement::BalanceSheet => &[
            "CashAndCashEquivalents",
            "AccountsReceivable",
            "Inventory",
            "CurrentAssets",
            "NetPPE",
            "Goodwill",
            "TotalAssets",
            "CurrentLiabilities",
            "LongTermDebt",
            "TotalLiabilitiesNetMinorityInterest",
            "StockholdersEquity",
        ],
        Statement::CashFlow => &[
            "OperatingCashFlow",
            "DepreciationAndAmortization",
            "CapitalExpenditure",
            "InvestingCashFlow",
            "CashDividendsPaid",
            "RepurchaseOfCapitalStock",
            "FinancingCashFlow",
            "FreeCashFlow",
        ],
    }
}

/// The figures of a statement, newest period first. A type without data has only its name.
pub(super) fn statement(
    reply: &Reply,
    types: &[&str],
    prefix: &str,
    today: Date,
) -> Result<Vec<StatementFigure>, Refused> {
    let body = judge(reply, "timeseries")?;
    let results = body.pointer("/timeseries/result").and_then(Value::as_array).into_iter().flatten();
    let mut figures: Vec<StatementFigure> = results
        .flat_map(|result| {
            let named = text(&result["meta"]["type"][0]).unwrap_or_default().to_owned();
            let rows = result[named.as_str()].as_array().cloned().unwrap_or_default();
            rows.into_iter().map(move |row| (named.clone(), row))
        })
        .filter_map(|(named, row)| {
            let concept = named.strip_prefix(prefix)?;
            let currency = text(&row["currencyCode"]).unwrap_or("currency not known");
            let unit =
                if concept.ends_with("EPS") { format!("{currency}/shares") } else { currency.to_owned() };
            Some(StatementFigure {
                label: concept.to_owned(),
                concept: named.clone(),
                start: None,
                end: day(&row["asOfDate"])?,
                value: raw(&row["reportedValue"])?,
                unit,
                published: today,
                derived: None,
            })
        })
        .collect();
    let place = |figure: &StatementFigure| types.iter().position(|name| *name == figure.label);
    figures.sort_by_key(|figure| (std::cmp::Reverse(figure.end), place(figure)));
    if figures.is_empty() { Err(Refused::empty("it has no such figures.")) } else { Ok(figures) }
}

fn summary<'b>(body: &'b Value, module: &str) -> Result<&'b Value, Refused> {
    let found = body.pointer("/quoteSummary/result/0").map(|result| &result[module]);
    found.filter(|module| module.is_object()).ok_or_else(|| Refused::empty(format!("it has no {module}.")))
}

pub(super) fn profile(reply: &Reply) -> Result<Profile, Refused> {
    let body = judge(reply, "quoteSummary")?;
    let module = summary(&body, "assetProfile")?;
    let named = [
        ("Sector", "sector"),
        ("Industry", "industry"),
        ("Country", "country"),
        ("Business", "longBusinessSummary"),
    ];
    let fields =
        named.into_iter().filter_map(|(name, field)| Some((name.to_owned(), words(text(&module[field])?))));
    let fields: Vec<(String, String)> = fields.collect();
    if fields.is_empty() {
        return Err(Refused::empty("it has no profile."));
    }
    Ok(Profile { name: String::new(), fields })
}

/// Trades of insiders. They have the day of the trade alone, and are public now.
pub(super) fn insiders(reply: &Reply, today: Date) -> Result<Vec<InsiderTrade>, Refused> {
    let body = judge(reply, "quoteSummary")?;
    let rows = summary(&body, "insiderTransactions")?["transactions"].as_array().into_iter().flatten();
    let trades = rows.filter_map(|row| {
        let said = text(&row["transactionText"]).unwrap_or_default();
        let shares = raw(&row["shares"])?;
        let is_sale = said.starts_with("Sale");
        let value = raw(&row["value"]).filter(|value| *value > Decimal::ZERO);
        Some(InsiderTrade {
            name: words(text(&row["filerName"])?),
            role: text(&row["filerRelation"]).map(words).unwrap_or_default(),
            date: parse_date(row["startDate"]["fmt"].as_str()?)?,
            published: today,
            change: if is_sale { -shares } else { shares },
            price: value
                .and_then(|value| value.checked_div(shares))
                .map(|price| price.round_dp(4).normalize()),
            code: words(said),
        })
    });
    let trades: Vec<InsiderTrade> = trades.collect();
    if trades.is_empty() { Err(Refused::empty("it lists no trades of insiders.")) } else { Ok(trades) }
}

/// The next report of a company: one day, or two as a guessed range, whose first one is taken.
pub(super) fn next_earnings(reply: &Reply, symbol: &str) -> Result<Vec<EarningsDate>, Refused> {
    let body = judge(reply, "quoteSummary")?;
    let earnings = &summary(&body, "calendarEvents")?["earnings"];
    let dates: Vec<Date> = earnings["earningsDate"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|date| moment(date.get("raw").unwrap_or(date)).map(utc_day))
        .collect();
    let guessed = dates.len() > 1 || earnings["isEarningsDateEstimate"].as_bool() == Some(true);
    let period = match (dates.first(), dates.get(1)) {
        (Some(first), Some(last)) => format!("guessed, {first} to {last}"),
        _ if guessed => "guessed".to_owned(),
        _ => "announced".to_owned(),
    };
    let date = *dates.first().ok_or_else(|| Refused::empty("it names no day of earnings."))?;
    let estimate = raw(&earnings["earningsAverage"]);
    Ok(vec![EarningsDate {
        symbol: symbol.to_owned(),
        date,
        projected: true,
        period,
        estimate,
        actual: None,
    }])
}

/// The reports of all companies between two days.
pub(super) fn earnings(reply: &Reply) -> Result<Vec<EarningsDate>, Refused> {
    let body = judge(reply, "finance")?;
    let Some(document) = body.pointer("/finance/result/0/documents/0") else {
        return Err(Refused::empty("it lists no reports."));
    };
    let columns: Vec<&str> = document["columns"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| column["id"].as_str().or_else(|| column["label"].as_str()).unwrap_or_default())
        .collect();
    let place = |names: &[&str]| columns.iter().position(|column| names.contains(column));
    let (Some(symbol), Some(date)) =
        (place(&["ticker", "Symbol"]), place(&["startdatetime", "Event Start Date"]))
    else {
        return Err(Refused::throttled("its columns are not those that are known."));
    };
    let (estimate, actual) = (place(&["epsestimate", "EPS Estimate"]), place(&["epsactual", "Reported EPS"]));
    // A 0 stands for what is missing.
    let value = |row: &Value, at: Option<usize>| decimal(&row[at?]).filter(|value| !value.is_zero());
    let rows = document["rows"].as_array().into_iter().flatten().filter_map(|row| {
        let actual = value(row, actual);
        Some(EarningsDate {
            symbol: words(text(&row[symbol])?),
            date: day(&row[date])?,
            projected: actual.is_none(),
            period: String::new(),
            estimate: value(row, estimate),
            actual,
        })
    });
    let rows: Vec<EarningsDate> = rows.collect();
    if rows.is_empty() { Err(Refused::empty("it lists no reports.")) } else { Ok(rows) }
}

pub(super) fn movers(reply: &Reply) -> Result<Vec<Mover>, Refused> {
    let body = judge(reply, "finance")?;
    let quotes = body.pointer("/finance/result/0/quotes").and_then(Value::as_array).into_iter().flatten();
    let movers: Vec<Mover> = quotes
        .filter_map(|quote| {
            let percentage = raw(&quote["regularMarketChangePercent"]);
            Some(Mover {
                symbol: words(text(&quote["symbol"])?),
                price: raw(&quote["regularMarketPrice"]),
                change: percentage.map(|percentage| (percentage / Decimal::ONE_HUNDRED).normalize()),
                volume: raw(&quote["regularMarketVolume"]),
            })
        })
        .collect();
    if movers.is_empty() { Err(Refused::empty("it lists nothing.")) } else { Ok(movers) }
}

/// The newest articles about a company. Advertisements, and what has no day, are left out.
pub(super) fn news(reply: &Reply) -> Result<Vec<Article>, Refused> {
    let body = judge(reply, "data")?;
    let stream = body.pointer("/data/tickerStream/stream").and_then(Value::as_array).into_iter().flatten();
    let articles =
        stream.filter(|item| item.get("ad").is_none_or(|ad| ad.as_array().is_some_and(Vec::is_empty)));
    let articles = articles.filter_map(|item| {
        let content = &item["content"];
        Some(Article {
            date: utc_day(content["pubDate"].as_str()?.parse().ok()?),
            title: words(text(&content["title"])?),
            publisher: text(&content["provider"]["displayName"]).map(words).unwrap_or_default(),
            summary: text(&content["summary"]).map(str::to_owned).unwrap_or_default(),
            link: text(&content["canonicalUrl"]["url"]).map(str::to_owned),
        })
    });
    Ok(articles.collect())
}

/// News that a search finds, for those about the markets.
pub(super) fn found(reply: &Reply) -> Result<Vec<Article>, Refused> {
    let body = judge(reply, "finance")?;
    let rows = body["news"].as_array().into_iter().flatten();
    let articles = rows.filter_map(|row| {
        Some(Article {
            date: utc_day(moment(&row["providerPublishTime"])?),
            title: words(text(&row["title"])?),
            publisher: text(&row["publisher"]).map(words).unwrap_or_default(),
            summary: String::new(),
            link: text(&row["link"]).map(str::to_owned),
        })
    });
    Ok(articles.collect())
}
