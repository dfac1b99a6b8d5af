//! The filters of the history as they stand in the address.

use leptos_router::params::ParamsMap;
use protocol::{RunFilter, RunStatus};

/// Says in the address that the runs that others have started are listed as well.
pub const BELOW: &str = "1";

/// Runs of one page.
pub const PAGE: u32 = 50;

/// States with their words in the address.
pub const STATUSES: [(RunStatus, &str); 6] = [
    (RunStatus::Running, "running"),
    (RunStatus::Waiting, "waiting"),
    (RunStatus::Queued, "queued"),
    (RunStatus::Succeeded, "succeeded"),
    (RunStatus::Failed, "failed"),
    (RunStatus::Cancelled, "cancelled"),
];

/// The word of a value in the list above; empty for none.
pub fn word<T: PartialEq>(value: Option<T>, words: &[(T, &'static str)]) -> &'static str {
    value.and_then(|value| words.iter().find(|(known, _)| *known == value)).map_or("", |(_, word)| word)
}

/// The value of a word in the list above.
pub fn value<T: Copy>(word: &str, words: &[(T, &'static str)]) -> Option<T> {
    words.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
}

/// The filter that an address asks for; what is not valid is left out.
pub fn filter_of(query: &ParamsMap) -> RunFilter {
    let given = |name| query.get(name).unwrap_or_default();
    RunFilter {
        search: given("q"),
        status: value(&given("status"), &STATUSES),
        kind: given("kind").parse().ok(),
        flow: given("flow").parse().ok(),
        origin: given("origin").parse().ok(),
        parent: None,
        document: given("document").parse().ok(),
        top: given("below") != BELOW,
        before: None,
        limit: Some(PAGE),
    }
}

/// The address of a filter.
pub fn address_of(filter: &RunFilter) -> String {
    let mut query = ParamsMap::new();
    let mut add = |name: &'static str, value: &str| {
        if !value.is_empty() {
            query.insert(name, value.to_owned());
        }
    };
    add("q", filter.search.trim());
    add("status", word(filter.status, &STATUSES));
    add("kind", filter.kind.as_ref().map_or("", |kind| kind.as_str()));
    add("below", if filter.top { "" } else { BELOW });
    add("flow", filter.flow.as_ref().map_or("", |flow| flow.as_str()));
    add("document", &filter.document.map(|document| document.to_string()).unwrap_or_default());
    format!("/runs{}", query.to_query_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "0197a1b2-0000-7000-8000-000000000001";
    /// The same as it stands in an address.
    const ENCODED: &str = "0197a1b2%2D0000%2D7000%2D8000%2D000000000001";

    #[test]
    fn a_filter_survives_its_address() {
        let mut query = ParamsMap::new();
        for (name, value) in [
            ("q", "aapl"),
            ("status", "failed"),
            ("kind", "pipeline"),
            ("flow", "7f3a"),
            ("document", DOCUMENT),
        ] {
            query.insert(name, value.to_owned());
        }
        let filter = filter_of(&query);
        assert_eq!(
            (filter.status, filter.kind.as_ref().map(|kind| kind.as_str())),
            (Some(RunStatus::Failed), Some("pipeline"))
        );
        assert_eq!(
            address_of(&filter),
            format!("/runs?q=aapl&status=failed&kind=pipeline&flow=7f3a&document={ENCODED}")
        );
        assert_eq!(address_of(&RunFilter { top: true, ..RunFilter::default() }), "/runs");
        query.insert("below", "1".to_owned());
        assert!(filter.top && !filter_of(&query).top);
        assert_eq!(
            address_of(&filter_of(&query)),
            format!("/runs?q=aapl&status=failed&kind=pipeline&below=1&flow=7f3a&document={ENCODED}")
        );
    }

    #[test]
    fn words_that_mean_nothing_filter_nothing() {
        let mut query = ParamsMap::new();
        query.insert("status", "sleeping".to_owned());
        query.insert("flow", "../etc".to_owned());
        query.insert("kind", "A B".to_owned());
        assert_eq!(filter_of(&query), RunFilter { limit: Some(PAGE), top: true, ..RunFilter::default() });
    }
}
