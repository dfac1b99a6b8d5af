//! Yahoo Finance: the unofficial interface of its pages. No key, no documented limits.

mod chart;
mod crumb;
mod pages;

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use async_trait::async_trait;
use protocol::{Date, trading::Ticker};
use reqwest::{Url, header};
use serde_json::{Value, json};

use crate::{
    Answer, Article, EarningsDate, Frequency, InsiderTrade, Mover, MoverKind, NewsAbout, NoData, Outcome,
    PriceHistory, Profile, Source, Statement, StatementFigure, Vendor, Why,
    access::{Access, Call, Keep, Limit, Network, Refused, Reply, at},
    news, session,
    written::words,
};
use crumb::{Passes, with_crumb};

const NAME: &str = "Yahoo Finance";
/// What a browser sends; others are turned away.
const USER_AGENT: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36";
/// It documents no limit, and bans by address: one request a second is less than a person's page makes.
const LIMITS: [Limit; 1] = [Limit { requests: 2, within: Duration::from_secs(2) }];

/// How long a list of recent news is used again.
const RECENT: Duration = Duration::from_secs(10 * 60);
/// How long is waited where a new crumb is refused as well.
const REFUSED_AGAIN: Duration = Duration::from_secs(10 * 60);

/// Where Yahoo's interfaces are.
#[derive(Clone, Debug)]
pub struct YahooAddresses {
    /// Of prices and all that is asked by symbol.
    pub query: Url,
    /// What sets the cookie.
    pub cookie: Url,
    /// Of news.
    pub news: Url,
}

impl YahooAddresses {
    /// The public ones.
    pub fn public() -> Option<Self> {
        let url = |text: &str| Url::parse(text).ok();
        Some(Self {
            query: url("https://query2.finance.yahoo.com")?,
            cookie: url("https://fc.yahoo.com")?,
            news: url("https://finance.yahoo.com")?,
        })
    }

    /// All of them at one base: a mirror.
    pub fn at(base: &Url) -> Self {
        Self { query: base.clone(), cookie: base.clone(), news: base.clone() }
    }
}

/// Yahoo Finance.
pub struct Yahoo {
    access: Access,
    addresses: YahooAddresses,
    passes: Passes,
}

impl Yahoo {
    /// Asked at these addresses.
    pub fn new(network: Network, addresses: YahooAddresses) -> Self {
        let access = Access::new(NAME, network, None, &LIMITS).with_header(header::USER_AGENT, USER_AGENT);
        Self { access, addresses, passes: Passes::default() }
    }

    /// Asks with cookie and crumb. A crumb that is refused is renewed once.
    async fn ask_with_pass<T>(
        &self,
        call: Call,
        read: impl Fn(&Reply) -> Result<T, Refused> + Send + Sync,
    ) -> Result<T, NoData> {
        let url = call.url.clone();
        let mut pass = self.passes.current(&self.access, &self.addresses).await?;
        for is_last in [false, true] {
            let call = Call {
                url: with_crumb(url.clone(), &pass),
                scope: call.scope.clone(),
                body: call.body.clone(),
                cookie: Some(pass.cookie.clone()),
                without: Some("crumb"),
                ..call
            };
            let stale = AtomicBool::new(false);
            let judged = self.access.ask(&call, |reply| {
                if is_stale(reply) {
                    stale.store(true, Relaxed);
                    return Err(Refused::empty("its crumb is refused."));
                }
                read(reply)
            });
            match judged.await {
                Err(_) if stale.load(Relaxed) && !is_last => {
                    pass = self.passes.renewed(&self.access, &self.addresses).await?;
                }
                Err(refusal) if stale.load(Relaxed) => {
                    return Err(NoData::new(NAME, Why::Later(REFUSED_AGAIN), refusal.reason));
                }
                answered => return answered,
            }
        }
        Err(NoData::new(NAME, Why::Later(REFUSED_AGAIN), "its crumb is refused."))
    }

    fn summary(&self, ticker: &Ticker, module: &str, as_of: Date) -> Call {
        let url = at(
            &self.addresses.query,
            &format!("v10/finance/quoteSummary/{}", spelled(ticker)),
            &[("modules", module)],
        );
        Call::new(url, format!("{module} {ticker}"), Keep::AsOf(as_of))
    }

    /// Refuses a past day for what is known of now alone; the day of today.
    fn only_now(&self, as_of: Date, what: &str) -> Result<Date, NoData> {
        self.access.only_now(as_of, what)?;
        Ok(session::today(self.access.now()).min(as_of))
    }
}

/// Data of now, as an answer.
fn of_now<T>(data: T, as_of: Date) -> Answer<T> {
    let mut source = Source::new(NAME, as_of);
    source.notes.push("as it is known today: the days of publication are not known".to_owned());
    Answer { data, source }
}

/// Whether the crumb is refused, which is said in several forms.
fn is_stale(reply: &Reply) -> bool {
    let said = reply.text();
    said.contains("Invalid Crumb") || (reply.status == 401 && said.contains("Unauthorized"))
}

#[async_trait]
impl Vendor for Yahoo {
    fn name(&self) -> &str {
        NAME
    }

    async fn prices(&self, ticker: &Ticker, as_of: Date) -> Outcome<PriceHistory> {
        let symbol = spelled(ticker);
        // The whole series, as later splits have to be undone.
        let query = [
            ("period1", "0"),
            ("period2", "9999999999"),
            ("interval", "1d"),
            ("events", "div,splits,capitalGains"),
        ];
        let url = at(&self.addresses.query, &format!("v8/finance/chart/{symbol}"), &query);
        let call = Call::new(url, format!("chart {symbol}"), Keep::AsOf(as_of));
        let history = self.access.ask(&call, chart::read).await?.known_on(as_of);
        history.answered(NAME, ticker, as_of)
    }

    async fn statement(
        &self,
        ticker: &Ticker,
        statement: Statement,
        frequency: Frequency,
        as_of: Date,
    ) -> Outcome<Vec<StatementFigure>> {
        let today = self.only_now(as_of, "statements")?;
        let (symbol, types) = (spelled(ticker), pages::types(statement));
        let prefix = match frequency {
            Frequency::Quarterly => "quarterly",
            Frequency::Annual => "annual",
        };
        let wanted = types.iter().map(|name| format!("{prefix}{name}")).collect::<Vec<_>>().join(",");
        let query = [
            ("symbol", symbol.as_str()),
            ("type", &wanted),
            ("period1", "493590046"),
            ("period2", "9999999999"),
        ];
        let path = format!("ws/fundamentals-timeseries/v1/finance/timeseries/{symbol}");
        let call = Call::new(
            at(&self.addresses.query, &path, &query),
            format!("statements {symbol}"),
            Keep::AsOf(as_of),
        );
        let read = |reply: &Reply| pages::statement(reply, types, prefix, today);
        Ok(of_now(self.access.ask(&call, read).await?, as_of))
    }

    async fn profile(&self, ticker: &Ticker, as_of: Date) -> Outcome<Profile> {
        self.only_now(as_of, "profile")?;
        let mut profile =
            self.ask_with_pass(self.summary(ticker, "assetProfile", as_of), pages::profile).await?;
        profile.name = ticker.to_string();
        Ok(of_now(profile, as_of))
    }

    async fn insider_trades(&self, ticker: &Ticker, as_of: Date) -> Outcome<Vec<InsiderTrade>> {
        let today = self.only_now(as_of, "list of insiders' trades, which has no days of filing,")?;
        let call = self.summary(ticker, "insiderTransactions", as_of);
        Ok(of_now(self.ask_with_pass(call, |reply| pages::insiders(reply, today)).await?, as_of))
    }

    async fn news(&self, about: &NewsAbout, from: Date, as_of: Date) -> Outcome<Vec<Article>> {
        let articles = match about {
            NewsAbout::Company(ticker) => {
                let body = json!({ "serviceConfig": { "snippetCount": 100, "s": [spelled(ticker)] } });
                let query = [("queryRef", "latestNews"), ("serviceKey", "ncp_fin")];
                let url = at(&self.addresses.news, "xhr/ncp", &query);
                let call = Call { body: Some(body.to_string()), ..Call::new(url, "news", Keep::For(RECENT)) };
                self.access.ask(&call, pages::news).await?
            }
            NewsAbout::Markets => {
                let url = at(
                    &self.addresses.query,
                    "v1/finance/search",
                    &[("q", "stock market"), ("newsCount", "50")],
                );
                self.access.ask(&Call::new(url, "search", Keep::For(RECENT)), pages::found).await?
            }
        };
        news::answered(NAME, articles, from, as_of)
    }

    async fn movers(&self, kind: MoverKind, as_of: Date) -> Outcome<Vec<Mover>> {
        self.only_now(as_of, "screeners")?;
        let screener = match kind {
            MoverKind::Gainers => "day_gainers",
            MoverKind::Losers => "day_losers",
            MoverKind::MostActive => "most_actives",
        };
        let url = at(
            &self.addresses.query,
            "v1/finance/screener/predefined/saved",
            &[("scrIds", screener), ("count", "25")],
        );
        let call = Call::new(url, screener, Keep::AsOf(as_of));
        Ok(of_now(self.access.ask(&call, pages::movers).await?, as_of))
    }

    async fn earnings(
        &self,
        ticker: Option<&Ticker>,
        from: Date,
        to: Date,
        as_of: Date,
    ) -> Outcome<Vec<EarningsDate>> {
        self.only_now(as_of, "calendar of earnings")?;
        let mut dates = match ticker {
            Some(ticker) => {
                let call = self.summary(ticker, "calendarEvents", as_of);
                self.ask_with_pass(call, |reply| pages::next_earnings(reply, ticker.as_str())).await?
            }
            None => {
                let between = |operator: &str, day: Date| json!({ "operator": operator, "operands": ["startdatetime", day.to_string()] });
                let body = json!({
                    "entityIdType": "sp_earnings",
                    "includeFields": ["ticker", "startdatetime", "epsestimate", "epsactual"],
                    "query": { "operator": "and", "operands": [between("gte", from), between("lte", to)] },
                    "size": 100,
                    "sortField": "startdatetime",
                    "sortType": "ASC",
                });
                let url = at(&self.addresses.query, "v1/finance/visualization", &[]);
                let call =
                    Call { body: Some(body.to_string()), ..Call::new(url, "calendar", Keep::AsOf(as_of)) };
                self.ask_with_pass(call, pages::earnings).await?
            }
        };
        dates.retain(|row| (from..=to).contains(&row.date));
        if dates.is_empty() {
            return Err(NoData::empty(NAME, format!("no reports are listed from {from} to {to}.")));
        }
        Ok(of_now(dates, as_of))
    }
}

/// A symbol as Yahoo writes it, fit for a path: classes of shares stand behind a dash, Shanghai is `.SS`.
fn spelled(ticker: &Ticker) -> String {
    let symbol = ticker.as_str();
    match symbol.rsplit_once('.') {
        Some((company, class @ ("A" | "B" | "C"))) => format!("{company}-{class}"),
        Some((number, "SH")) => format!("{number}.SS"),
        _ => symbol.replace('^', "%5E"),
    }
}

/// The body of an answer that is none of Yahoo's refusals.
fn judge(reply: &Reply, root: &str) -> Result<Value, Refused> {
    if reply.status == 429 || reply.text().trim_start().starts_with("Too Many Requests") {
        return Err(Refused::throttled(format!("too many requests: “{}”.", reply.words())));
    }
    // Status 404 is said with a reason, and 401 with an error of another form.
    let body: Value = reply.checked()?.json()?;
    let error = [root, "finance", "quoteSummary", "chart"].into_iter().map(|root| &body[root]["error"]);
    let Some(error) = error.into_iter().find(|error| error.is_object()) else { return Ok(body) };
    let said = words(error["description"].as_str().unwrap_or_default());
    match error["code"].as_str().unwrap_or_default() {
        "Not Found" if said.contains("No fundamentals data found") => {
            Err(Refused::empty(format!("“{said}”.")))
        }
        "Not Found" => {
            Err(Refused::unknown(format!("“{said}”. Whether it was delisted or renamed is not known.")))
        }
        "Bad Request" if said.contains("Data doesn't exist") => Err(Refused::empty(format!("“{said}”."))),
        "Bad Request" => Err(Refused::unknown(format!("“{said}”."))),
        code => Err(Refused::throttled(format!("{code}: “{said}”."))),
    }
}
