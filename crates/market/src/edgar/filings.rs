//! Submissions: which filings a company made, and form 4, the trades of its insiders.

use protocol::{Date, parse_date};
use roxmltree::{Document, Node, ParsingOptions};
use serde::Deserialize;

use crate::{
    InsiderTrade,
    access::{Refused, Reply},
    written,
};

/// Elements of a filing at most.
const MOST_NODES: u32 = 50_000;

/// The body of `/submissions/CIK….json`.
#[derive(Deserialize)]
pub(super) struct Submissions {
    pub(super) name: String,
    #[serde(default, rename = "sicDescription")]
    pub(super) industry: Option<String>,
    #[serde(default, rename = "fiscalYearEnd")]
    pub(super) fiscal_year_end: Option<String>,
    #[serde(default, rename = "formerNames")]
    pub(super) former_names: Vec<FormerName>,
    pub(super) filings: Filings,
}

#[derive(Deserialize)]
pub(super) struct FormerName {
    name: String,
    from: Option<String>,
    to: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Filings {
    pub(super) recent: Columns,
    #[serde(default)]
    pub(super) files: Vec<OlderFile>,
}

/// A file with older filings.
#[derive(Deserialize)]
pub(super) struct OlderFile {
    pub(super) name: String,
    #[serde(rename = "filingFrom")]
    from: String,
}

/// Filings in columns, newest first.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Columns {
    accession_number: Vec<String>,
    filing_date: Vec<String>,
    form: Vec<String>,
    primary_document: Vec<String>,
}

/// One filing.
#[derive(Clone, Debug)]
pub(super) struct Filing {
    pub(super) accession: String,
    pub(super) filed: Date,
    pub(super) form: String,
    pub(super) document: String,
}

impl Submissions {
    /// What the company was called on a day.
    pub(super) fn name_on(&self, day: Date) -> &str {
        let at = |text: &Option<String>| parse_date(text.as_deref()?.get(..10)?);
        let former = self.former_names.iter().find(|former| {
            at(&former.from).is_some_and(|from| from <= day) && at(&former.to).is_some_and(|to| day < to)
        });
        former.map_or(&self.name, |former| &former.name)
    }
}

impl OlderFile {
    /// Whether filings up to a day may be in it.
    pub(super) fn begins_by(&self, day: Date) -> bool {
        parse_date(&self.from).is_none_or(|from| from <= day)
    }
}

impl Columns {
    /// The filings of some forms that were public on a day, newest first. A row that lacks a cell is left out.
    pub(super) fn of_forms(&self, forms: &[&str], until: Date) -> Vec<Filing> {
        let filings = self.accession_number.iter().enumerate().filter_map(|(index, accession)| {
            let filing = Filing {
                accession: accession.clone(),
                filed: parse_date(self.filing_date.get(index)?)?,
                form: self.form.get(index)?.clone(),
                document: self.primary_document.get(index)?.clone(),
            };
            (filing.filed <= until && forms.contains(&filing.form.as_str())).then_some(filing)
        });
        filings.collect()
    }
}

impl Filing {
    /// Where its XML lies below the archives. The listed document is a rendering of it, in a folder of its own.
    pub(super) fn xml_path(&self, cik: u64) -> String {
        let document = self.document.rsplit('/').next().unwrap_or_default();
        format!("Archives/edgar/data/{cik}/{}/{document}", self.accession.replace('-', ""))
    }
}

/// The trades in a form 4.
pub(super) fn trades(reply: &Reply, published: Date) -> Result<Vec<InsiderTrade>, Refused> {
    let text = reply.checked()?.text();
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| Refused::empty(format!("a form 4 cannot be read: {error}.")))?;
    let root = document.root_element();
    let owner = child(root, "reportingOwner");
    let name =
        owner.and_then(|owner| value(owner, &["reportingOwnerId", "rptOwnerName"])).unwrap_or_default();
    let relation = owner.and_then(|owner| child(owner, "reportingOwnerRelationship"));
    let is =
        |what: &str| relation.and_then(|it| value(it, &[what])).is_some_and(|it| it == "1" || it == "true");
    let title = relation.and_then(|it| value(it, &["officerTitle"])).filter(|title| !title.is_empty());
    let role = title.unwrap_or_else(|| {
        let known = [("isDirector", "Director"), ("isTenPercentOwner", "Owner of 10 %")];
        known.into_iter().find(|(field, _)| is(field)).map_or_else(String::new, |(_, word)| word.to_owned())
    });
    let table = child(root, "nonDerivativeTable");
    let rows = table.into_iter().flat_map(|table| table.children());
    let rows = rows.filter(|row| row.has_tag_name("nonDerivativeTransaction"));
    let trades = rows.filter_map(|row| {
        let amounts = child(row, "transactionAmounts")?;
        let shares = written::of_text(&value(amounts, &["transactionShares", "value"])?)?;
        let disposed = value(amounts, &["transactionAcquiredDisposedCode", "value"])? == "D";
        let price = value(amounts, &["transactionPricePerShare", "value"]);
        Some(InsiderTrade {
            name: name.clone(),
            role: role.clone(),
            date: parse_date(value(row, &["transactionDate", "value"])?.get(..10)?)?,
            published,
            change: if disposed { -shares } else { shares },
            price: price.and_then(|price| written::of_text(&price)),
            code: value(row, &["transactionCoding", "transactionCode"]).unwrap_or_default(),
        })
    });
    Ok(trades.collect())
}

fn child<'d, 'i>(node: Node<'d, 'i>, name: &str) -> Option<Node<'d, 'i>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The text at the end of a path of elements.
fn value(node: Node<'_, '_>, path: &[&str]) -> Option<String> {
    let end = path.iter().try_fold(node, |node, name| child(node, name))?;
    Some(end.text().unwrap_or_default().trim().chars().take(120).collect())
}
