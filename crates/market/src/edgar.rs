//! EDGAR of the U.S. Securities and Exchange Commission: company facts as filed, filings, trades of insiders. No key;
//! its rules demand a contact in every request, and at most 10 requests a second.

mod concepts;
mod facts;
mod filings;

use std::{cmp::Reverse, collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use protocol::{Date, trading::Ticker};
use reqwest::{Url, header};
use serde::Deserialize;

use crate::{
    Answer, Frequency, InsiderTrade, NoData, Outcome, Profile, Source, Statement, StatementFigure, Vendor,
    access::{Access, Call, Keep, Limit, Network, Refused, Reply, at},
    session,
};
use facts::CompanyFacts;
use filings::{Columns, Filing, Submissions};

const NAME: &str = "SEC EDGAR";
/// Its rule is 10 a second for all machines of a person; one machine keeps below.
const LIMITS: [Limit; 1] = [Limit { requests: 8, within: Duration::from_secs(1) }];
/// How long it wants to be left alone by whoever was too fast.
const BLOCKED: Duration = Duration::from_secs(10 * 60);
/// Facts of a company with a long history have some 10 MB.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// How long the list of tickers is used again.
const LISTED: Duration = Duration::from_secs(24 * 3600);
/// Filings of insiders that are read for one answer.
const MOST_FORMS: usize = 15;
/// Forms with statements.
const REPORTS: [&str; 7] = ["10-K", "10-K/A", "10-Q", "10-Q/A", "20-F", "20-F/A", "40-F"];

/// Where EDGAR's interfaces are.
#[derive(Clone, Debug)]
pub struct EdgarAddresses {
    /// Of the list of tickers and of the archives.
    pub www: Url,
    /// Of facts and submissions.
    pub data: Url,
}

impl EdgarAddresses {
    /// The public ones; `None` never, as they are constants that can be read.
    pub fn public() -> Option<Self> {
        Some(Self {
            www: Url::parse("https://www.sec.gov").ok()?,
            data: Url::parse("https://data.sec.gov").ok()?,
        })
    }

    /// All of them at one base: a mirror.
    pub fn at(base: &Url) -> Self {
        Self { www: base.clone(), data: base.clone() }
    }
}

/// SEC EDGAR.
pub struct Edgar {
    access: Access,
    addresses: EdgarAddresses,
}

impl Edgar {
    /// Asked at these addresses, under a contact such as `Company contact@example.com`.
    pub fn new(network: Network, addresses: EdgarAddresses, contact: &str) -> Self {
        let access = Access::new(NAME, network, None, &LIMITS)
            .with_header(header::USER_AGENT, contact)
            .with_header(header::ACCEPT_ENCODING, "gzip");
        Self { access, addresses }
    }

    /// The company's number: of its ticker today, or written as such (`CIK0000718877`), as companies that were bought
    /// up have no ticker any more.
    async fn cik(&self, ticker: &Ticker) -> Result<u64, NoData> {
        #[derive(Deserialize)]
        struct Row {
            cik_str: u64,
            ticker: String,
        }
        if let Some(number) = ticker.as_str().strip_prefix("CIK").and_then(|number| number.parse().ok()) {
            return Ok(number);
        }
        let Some(symbol) = spelled(ticker) else { return Err(NoData::unknown(NAME, ticker)) };
        let url = at(&self.addresses.www, "files/company_tickers.json", &[]);
        let call = Call::new(url, "tickers", Keep::For(LISTED));
        let rows: BTreeMap<String, Row> =
            self.access.ask(&call, |reply| judge(reply, Missing::Symbol)?.json()).await?;
        let row = rows.into_values().find(|row| row.ticker == symbol);
        row.map(|row| row.cik_str).ok_or_else(|| {
            let reason = format!(
                "there is no company under {ticker} today. One that was bought up is found by its number, such as CIK0000718877."
            );
            NoData::new(NAME, crate::Why::Unknown, reason)
        })
    }

    async fn submissions(&self, cik: u64, as_of: Date) -> Result<Submissions, NoData> {
        let url = at(&self.addresses.data, &format!("submissions/CIK{cik:010}.json"), &[]);
        let call = Call::new(url, "submissions", Keep::AsOf(as_of));
        self.access.ask(&call, |reply| judge(reply, Missing::Symbol)?.json()).await
    }

    /// Filings of some forms, newest first; from older files where the recent ones begin too late.
    async fn filings(
        &self,
        submissions: &Submissions,
        forms: &[&str],
        until: Date,
    ) -> Result<Vec<Filing>, NoData> {
        let recent = submissions.filings.recent.of_forms(forms, until);
        if !recent.is_empty() {
            return Ok(recent);
        }
        for older in submissions.filings.files.iter().filter(|file| file.begins_by(until)) {
            let name: String =
                older.name.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
            let url = at(&self.addresses.data, &format!("submissions/{name}"), &[]);
            let call = Call::new(url, "submissions", Keep::AsOf(until));
            let columns: Columns =
                self.access.ask(&call, |reply| judge(reply, Missing::Data)?.json()).await?;
            let found = columns.of_forms(forms, until);
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Ok(Vec::new())
    }

    async fn newest_report(&self, cik: u64, as_of: Date, until: Date) -> Result<Option<Filing>, NoData> {
        let submissions = self.submissions(cik, as_of).await?;
        Ok(self.filings(&submissions, &REPORTS, until).await?.into_iter().next())
    }
}

#[async_trait]
impl Vendor for Edgar {
    fn name(&self) -> &str {
        NAME
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        statement: Statement,
        frequency: Frequency,
        as_of: Date,
    ) -> Outcome<Vec<StatementFigure>> {
        let (cik, until) = (self.cik(ticker).await?, self.access.public_until(as_of));
        let url = at(&self.addresses.data, &format!("api/xbrl/companyfacts/CIK{cik:010}.json"), &[]);
        let call = Call { most_bytes: MOST_BYTES, ..Call::new(url, "facts", Keep::AsOf(as_of)) };
        let facts: CompanyFacts = self.access.ask(&call, |reply| judge(reply, Missing::Data)?.json()).await?;
        let figures = facts.statement(concepts::lines(statement), frequency, until);
        if figures.is_empty() {
            return Err(NoData::empty(
                NAME,
                format!("no such figures of {ticker} were filed up to {until}."),
            ));
        }
        let mut source = Source::new(NAME, as_of);
        source.published = figures.iter().map(|figure| figure.published).max();
        // Facts follow filings by some time.
        match self.newest_report(cik, as_of, until).await {
            Ok(Some(newest)) if !facts.has_filing(&newest.accession) => {
                source
                    .notes
                    .push(format!("the {} of {} is not in the figures yet", newest.form, newest.filed));
            }
            Ok(_) => {}
            Err(refusal) => {
                source.notes.push(format!("whether the newest filing is in them is not known: {refusal}"))
            }
        }
        Ok(Answer { data: figures, source })
    }

    async fn profile(&self, ticker: &Ticker, as_of: Date) -> Outcome<Profile> {
        let cik = self.cik(ticker).await?;
        let submissions = self.submissions(cik, as_of).await?;
        let mut fields = vec![("CIK".to_owned(), format!("{cik:010}"))];
        let mut source = Source::new(NAME, as_of);
        if as_of < session::today(self.access.now()) {
            source
                .notes
                .push("industry and fiscal year are known of today only, and are left out".to_owned());
        } else {
            let now = [
                ("Industry", &submissions.industry),
                ("Fiscal year ends (month, day)", &submissions.fiscal_year_end),
            ];
            let known = now.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
            fields.extend(known);
        }
        Ok(Answer { data: Profile { name: submissions.name_on(as_of).to_owned(), fields }, source })
    }

    async fn insider_trades(&self, ticker: &Ticker, as_of: Date) -> Outcome<Vec<InsiderTrade>> {
        let (cik, until) = (self.cik(ticker).await?, self.access.public_until(as_of));
        let submissions = self.submissions(cik, as_of).await?;
        let filings = self.filings(&submissions, &["4", "4/A"], until).await?;
        let mut source = Source::new(NAME, as_of);
        if filings.len() > MOST_FORMS {
            source.notes.push(format!("the newest {MOST_FORMS} of {} filings", filings.len()));
        }
        let mut trades = Vec::new();
        for filing in filings.iter().take(MOST_FORMS) {
            let url = at(&self.addresses.www, &filing.xml_path(cik), &[]);
            let call = Call::new(url, "archives", Keep::AsOf(filing.filed));
            let read = |reply: &Reply| filings::trades(judge(reply, Missing::Data)?, filing.filed);
            match self.access.ask(&call, read).await {
                Ok(found) => trades.extend(found),
                Err(refusal) if refusal.why == crate::Why::Empty => {
                    source.notes.push(format!("the form 4 of {}: {}", filing.filed, refusal.reason));
                }
                Err(refusal) => return Err(refusal),
            }
        }
        if trades.is_empty() {
            return Err(NoData::empty(
                NAME,
                format!("no trades of insiders of {ticker} were filed up to {until}."),
            ));
        }
        trades.sort_by_key(|trade| Reverse(trade.date));
        source.published = trades.iter().map(|trade| trade.published).max();
        Ok(Answer { data: trades, source })
    }
}

/// A symbol as EDGAR writes it: classes of shares behind a dash. Of other countries and of indices it has none.
fn spelled(ticker: &Ticker) -> Option<String> {
    match ticker.as_str().split_once('.') {
        None if ticker.as_str().starts_with('^') => None,
        None => Some(ticker.to_string()),
        Some((company, class)) => {
            (class.len() == 1 && class != "L" && class != "T").then(|| format!("{company}-{class}"))
        }
    }
}

/// What a 404 is about.
#[derive(Clone, Copy)]
enum Missing {
    Symbol,
    Data,
}

/// An answer that is none of EDGAR's refusals, which come as HTML and XML.
fn judge(reply: &Reply, missing: Missing) -> Result<&Reply, Refused> {
    let text = reply.text();
    let is_refusal = matches!(reply.status, 403 | 429);
    if is_refusal && text.contains("Undeclared Automated Tool") {
        return Err(Refused::locked_out(
            "it asks for a contact with every request. Write one such as “Company contact@example.com” as `contact` in \
             the settings of edgar.",
        ));
    }
    if is_refusal {
        return Err(Refused::later(BLOCKED, "too many requests; it wants ten quiet minutes."));
    }
    if reply.status == 404 && text.contains("NoSuchKey") {
        return Err(match missing {
            Missing::Symbol => Refused::unknown("there is no company under this number."),
            Missing::Data => Refused::empty("there is nothing filed of this kind."),
        });
    }
    reply.checked()
}
