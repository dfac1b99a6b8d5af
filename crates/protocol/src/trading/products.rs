//! The products of trading runs.

use serde_json::Value;

use super::{
    AutoResult, BacktestResult, BacktestSchedule, BacktestStep, DayAnalyses, Decision, Lesson, MacroRegime,
    PendingOrder, PortfolioView, Rating, Reflection, RejectedOrder, Scan, Trade,
};
use crate::{Decimal, Product, ProductData, ProductKind, ProductTone, Standing, Text, percent, signed};

/// Makes each type the document of a kind of product.
macro_rules! documents {
    ($($document:ident => $kind:literal,)*) => {$(
        impl ProductData for $document {
            const KIND: &'static str = $kind;
        }

        impl $document {
            /// The product that it stands in.
            ///
            /// # Errors
            /// It has no JSON form.
            pub fn product(&self) -> serde_json::Result<Product> {
                let headline = headline($kind, &serde_json::to_value(self)?).unwrap_or_default();
                Ok(headline.product($kind, serde_json::to_string(self)?.into()))
            }
        }
    )*};
}

documents! {
    Rating => "trading.rating",
    Decision => "trading.decision",
    Trade => "trading.trade",
    RejectedOrder => "trading.rejected_order",
    PendingOrder => "trading.pending_order",
    PortfolioView => "trading.portfolio",
    MacroRegime => "trading.regime",
    Scan => "trading.scan",
    AutoResult => "trading.auto",
    BacktestSchedule => "trading.backtest_schedule",
    DayAnalyses => "trading.day_analyses",
    BacktestStep => "trading.backtest_step",
    BacktestResult => "trading.backtest",
    Lesson => "trading.lesson",
    Reflection => "trading.reflection",
}

/// What stands above the data of a product.
#[derive(Default)]
pub(super) struct Headline {
    text: String,
    tone: ProductTone,
    standing: Standing,
}

impl Headline {
    pub fn product(self, kind: &str, data: Text) -> Product {
        let Self { text, tone, standing } = self;
        Product { kind: ProductKind::of_slug(kind), headline: text, tone, standing, data }
    }
}

/// The headline of a product of this kind; `None` if its data cannot be what the kind promises. It reads
/// JSON, so that a page can draw it without the code that reads all of these types.
pub(super) fn headline(kind: &str, data: &Value) -> Option<Headline> {
    let (text, tone, standing) = match kind {
        Rating::KIND => {
            let grade = word(data, "grade")?;
            let tone = match grade {
                "buy" | "overweight" => ProductTone::Good,
                "sell" | "underweight" => ProductTone::Bad,
                "review" => ProductTone::Attention,
                _ => ProductTone::Neutral,
            };
            let text = match grade {
                "review" => "REVIEW, the rating could not be read".to_owned(),
                grade => format!("{}, {} confidence", capitalised(grade), word(data, "confidence")?),
            };
            (text, tone, Standing::Result)
        }
        Decision::KIND => {
            let orders = data.get("orders")?.as_array()?;
            let sells = orders.iter().filter(|order| word(order, "side") == Some("SELL")).count();
            let buys = orders.len() - sells;
            let plural = |count: usize| if count == 1 { "" } else { "s" };
            let text = format!("{sells} sell{}, {buys} buy{}", plural(sells), plural(buys));
            (text, ProductTone::Neutral, Standing::Result)
        }
        Trade::KIND => {
            (format!("{} at {}", order(data)?, word(data, "price")?), ProductTone::Good, Standing::Step)
        }
        RejectedOrder::KIND => {
            let reasons = data.get("reasons")?.as_array()?;
            let reasons: Vec<_> = reasons.iter().filter_map(Value::as_str).collect();
            let text = format!("{}: {}", order(data.get("order")?)?, reasons.join("; "));
            (text, ProductTone::Bad, Standing::Step)
        }
        PendingOrder::KIND => {
            let (order, decided) = (order(data.get("order")?)?, word(data, "decided")?);
            let text = format!("{order} waits for the first price after {decided}");
            (text, ProductTone::Neutral, Standing::Step)
        }
        PortfolioView::KIND => (word(data, "name")?.to_owned(), ProductTone::Neutral, Standing::Data),
        MacroRegime::KIND => {
            let regime = word(data, "regime")?;
            let tone = match regime {
                "risk-on" => ProductTone::Good,
                "risk-off" => ProductTone::Bad,
                _ => ProductTone::Neutral,
            };
            let text = format!("{}, {} confidence", capitalised(regime), word(data, "confidence")?);
            (text, tone, Standing::Step)
        }
        Scan::KIND => {
            let stocks = data.get("stocks_to_investigate")?.as_array()?;
            let tickers: Vec<_> = stocks.iter().filter_map(|stock| word(stock, "ticker")).collect();
            let text = match tickers.as_slice() {
                [] => "No stock to analyse".to_owned(),
                tickers => format!("To analyse: {}", tickers.join(", ")),
            };
            (text, ProductTone::Neutral, Standing::Result)
        }
        AutoResult::KIND => auto(data)?,
        BacktestSchedule::KIND => {
            let count = |field: &str| data.get(field).and_then(Value::as_array).map(Vec::len);
            let (decisions, days) = (count("decisions")?, count("days")?);
            let plural = if decisions == 1 { "" } else { "s" };
            (
                format!("{decisions} decision{plural} on {days} trading days"),
                ProductTone::Neutral,
                Standing::Step,
            )
        }
        DayAnalyses::KIND => {
            let analyses = data.get("analyses")?.as_array()?.len();
            (format!("{analyses} stocks analysed"), ProductTone::Neutral, Standing::Data)
        }
        BacktestStep::KIND => {
            let decision = word(data, "decision").unwrap_or("the decision came to nothing");
            (format!("{}: {decision}", word(data, "date")?), ProductTone::Neutral, Standing::Data)
        }
        BacktestResult::KIND => backtest(data)?,
        Lesson::KIND => lesson(data)?,
        Reflection::KIND => reflection(data)?,
        _ => return None,
    };
    Some(Headline { text, tone, standing })
}

/// What an automatic run came to. A run in which an analysis failed must not read like one without errors.
fn auto(data: &Value) -> Option<(String, ProductTone, Standing)> {
    let analyses = data.get("analyses")?.as_array()?;
    let has_failed =
        |analysis: &&Value| analysis.get("end").and_then(|end| word(end, "state")) == Some("failed");
    let failed: Vec<_> =
        analyses.iter().filter(has_failed).filter_map(|analysis| word(analysis, "ticker")).collect();
    let is_unread =
        |analysis: &&Value| analysis.get("end").and_then(|end| word(end, "grade")) == Some("review");
    let unread: Vec<_> =
        analyses.iter().filter(is_unread).filter_map(|analysis| word(analysis, "ticker")).collect();
    let rejected = data.get("rejected")?.as_u64()?;
    let analysed = analyses.len() - failed.len();
    let decision = word(data, "decision")?;
    let mut text = match analyses.len() {
        0 => format!("Nothing to analyse; {decision}"),
        all => format!("{analysed} of {all} analysed; {decision}"),
    };
    if !unread.is_empty() {
        text = format!("REVIEW: {}. {text}", unread.join(", "));
    }
    if !failed.is_empty() {
        text = format!("Completed with errors: {} failed. {text}", failed.join(", "));
    }
    if rejected > 0 {
        text.push_str(&format!(", {rejected} rejected"));
    }
    let tone = match (failed.is_empty(), unread.is_empty() && rejected == 0) {
        (false, _) => ProductTone::Bad,
        (true, false) => ProductTone::Attention,
        (true, true) => ProductTone::Good,
    };
    Some((text, tone, Standing::Result))
}

/// What a backtest came to, beside buying and holding.
fn backtest(data: &Value) -> Option<(String, ProductTone, Standing)> {
    let total = |figures: &Value| -> Option<Decimal> {
        figures.get("total_return")?.get("known")?.as_str()?.parse().ok()
    };
    let references = data.get("references")?.as_array()?;
    let hold = references.iter().find(|it| word(it, "kind") == Some("buy_and_hold"));
    let shown = |fraction: Decimal| signed(percent(fraction, 1), fraction);
    let text = match (total(data.get("figures")?), hold.and_then(|it| total(it.get("figures")?))) {
        (Some(own), Some(hold)) => format!("{}, buy and hold {}", shown(own), shown(hold)),
        (Some(own), None) => shown(own),
        (None, _) => "Its return is not known".to_owned(),
    };
    let count = |field: &str| data.get(field).and_then(Value::as_u64).unwrap_or_default();
    let (text, tone) = match count("failed_decisions") + count("failed_analyses") {
        0 => (text, ProductTone::Neutral),
        1 => (format!("Completed with an error. {text}"), ProductTone::Attention),
        failed => (format!("Completed with {failed} errors. {text}"), ProductTone::Attention),
    };
    Some((text, tone, Standing::Result))
}

/// What became of one decision: `AAPL, Buy of 2022-06-30: borne out, +3.10 % against the index`.
fn lesson(data: &Value) -> Option<(String, ProductTone, Standing)> {
    let (verdict, tone) = match word(data, "verdict")? {
        "borne_out" => ("borne out", ProductTone::Good),
        "refuted" => ("refuted", ProductTone::Bad),
        _ => ("neither", ProductTone::Neutral),
    };
    let excess = data.get("score")?.get("excess")?;
    let excess = match word(excess, "known").and_then(|known| known.parse::<Decimal>().ok()) {
        Some(excess) => format!("{} against the index", signed(percent(excess, 2), excess)),
        None => "the index is not known".to_owned(),
    };
    let (ticker, grade) = (word(data, "ticker")?, capitalised(word(data, "grade")?));
    let decided = word(data, "decided")?;
    Some((format!("{ticker}, {grade} of {decided}: {verdict}, {excess}"), tone, Standing::Step))
}

/// How many lessons a reflection wrote, and how the decisions stood.
fn reflection(data: &Value) -> Option<(String, ProductTone, Standing)> {
    let decisions = data.get("decisions")?.as_array()?;
    let ends: Vec<&Value> = decisions.iter().filter_map(|decision| decision.get("end")).collect();
    let count =
        |field: &str, wanted: &str| ends.iter().filter(|end| word(end, field) == Some(wanted)).count();
    let (written, failed) = (count("state", "written"), count("state", "failed"));
    let mut text = match (decisions.len(), written) {
        (0, _) => "No decision to learn from".to_owned(),
        (_, 1) => "1 lesson".to_owned(),
        (_, written) => format!("{written} lessons"),
    };
    if written > 0 {
        let (right, wrong) = (count("verdict", "borne_out"), count("verdict", "refuted"));
        text.push_str(&format!(": {right} borne out, {wrong} refuted"));
    }
    if failed > 0 {
        text = format!("Completed with errors: {failed} without a lesson. {text}");
    }
    let tone = if failed > 0 { ProductTone::Bad } else { ProductTone::Neutral };
    Some((text, tone, Standing::Result))
}

/// `BUY 15 LLY`.
fn order(data: &Value) -> Option<String> {
    Some(format!("{} {} {}", word(data, "side")?, word(data, "quantity")?, word(data, "ticker")?))
}

fn word<'d>(data: &'d Value, field: &str) -> Option<&'d str> {
    data.get(field)?.as_str()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
