//! What holds for news of all vendors.

use protocol::Date;

use crate::{Answer, Article, NoData, Outcome, Source};

/// Articles as an answer, newest first; none if there are none in the range.
pub(crate) fn answered(
    vendor: &str,
    mut articles: Vec<Article>,
    from: Date,
    as_of: Date,
) -> Outcome<Vec<Article>> {
    let oldest = articles.iter().map(|article| article.date).min();
    if let Some(oldest) = oldest.filter(|oldest| *oldest > as_of) {
        let reason = format!(
            "it lists recent articles alone, from {oldest} on: what was written by {as_of} is not among them."
        );
        return Err(NoData::empty(vendor, reason));
    }
    articles.retain(|article| (from..=as_of).contains(&article.date));
    articles.sort_by_key(|article| std::cmp::Reverse(article.date));
    let Some(newest) = articles.first() else {
        return Err(NoData::empty(vendor, format!("there are no articles from {from} to {as_of}.")));
    };
    let mut source = Source::new(vendor, as_of);
    source.published = Some(newest.date);
    Ok(Answer { data: articles, source })
}
