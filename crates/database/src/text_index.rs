//! Full-text search in texts that are held in memory, by SQLite's FTS5.

use std::collections::BTreeSet;

use sqlx::{ConnectOptions, Connection, Row, SqliteConnection, sqlite::SqliteConnectOptions};

/// Words of a query that are looked for; more are left out.
const MOST_WORDS: usize = 128;
/// Characters of a query that are looked at.
const LONGEST_QUERY: usize = 32_768;
/// Characters of a word; a longer one is left out.
const LONGEST_WORD: usize = 64;

/// Texts that can be searched by their words. English endings are cut off (`rises` finds `rising`), case and accents do
/// not matter.
pub struct TextIndex(SqliteConnection);

/// A text that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Its place among the texts, from 0.
    pub place: usize,
    /// How well it fits: Okapi BM25 as FTS5 computes it, with its sign turned round
    /// (<https://www.sqlite.org/fts5.html#the_bm25_function>). 0 or above, without an upper end.
    ///
    /// It is the sum, over the words that the text shares with the query, of how rare the word is among all texts,
    /// the natural logarithm of `(N - n + 0.5) / (n + 0.5)` for a word that `n` of `N` texts have, times 0 to 2.2 by how
    /// often the text has it for its length. A word that half of the texts have counts next to nothing. The score is
    /// not set in proportion to that of the best text: a query that nothing fits well has no high score.
    pub score: f64,
}

/// Why texts cannot be searched.
#[derive(Clone, Debug, thiserror::Error)]
#[error("The texts cannot be searched: {0}.")]
pub struct SearchError(String);

impl From<sqlx::Error> for SearchError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

impl TextIndex {
    /// An index of these texts, in this order.
    ///
    /// # Errors
    /// There is no memory left.
    pub async fn new<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Self, SearchError> {
        let options = SqliteConnectOptions::new().filename(":memory:").disable_statement_logging();
        let mut connection = options.connect().await?;
        sqlx::query(
            "create virtual table texts using fts5 (body, content = '', tokenize = 'porter unicode61 remove_diacritics 2')",
        )
        .execute(&mut connection)
        .await?;
        let mut filling = connection.begin().await?;
        for (row, text) in (0_i64..).zip(texts) {
            sqlx::query("insert into texts (rowid, body) values (?, ?)")
                .bind(row)
                .bind(text)
                .execute(&mut *filling)
                .await?;
        }
        filling.commit().await?;
        Ok(Self(connection))
    }

    /// The texts that share a word with `query`, at most `most` of them: those that fit best first, of equal ones the
    /// earlier. Anything may stand in the query: only its words are looked for, and nothing in it is an operator.
    ///
    /// # Errors
    /// There is no memory left.
    pub async fn search(&mut self, query: &str, most: u32) -> Result<Vec<Found>, SearchError> {
        let Some(expression) = any_word_of(query) else { return Ok(Vec::new()) };
        let rows = sqlx::query(
            "select rowid, -bm25(texts) as score from texts where texts match ? order by score desc, rowid limit ?",
        )
        .bind(expression)
        .bind(i64::from(most))
        .fetch_all(&mut self.0)
        .await?;
        let found = rows.iter().map(|row| {
            let place: i64 = row.try_get("rowid")?;
            let score: f64 = row.try_get("score")?;
            Ok(Found { place: usize::try_from(place).unwrap_or(usize::MAX), score })
        });
        found.collect()
    }
}

/// An expression of FTS5 that any of the words satisfies: <https://www.sqlite.org/fts5.html#full_text_query_syntax>.
/// Within quotes everything is text, and a word has no quote in it.
fn any_word_of(query: &str) -> Option<String> {
    let end = query.char_indices().nth(LONGEST_QUERY).map_or(query.len(), |(end, _)| end);
    let mut known = BTreeSet::new();
    let words = query[..end].split(|letter: char| !letter.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty() && word.chars().count() <= LONGEST_WORD);
    let words: Vec<String> = words
        .map(str::to_lowercase)
        .filter(|word| known.insert(word.clone()))
        .take(MOST_WORDS)
        .map(|word| format!("\"{word}\""))
        .collect();
    (!words.is_empty()).then(|| words.join(" OR "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block_on<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
    }

    const TEXTS: [&str; 6] = [
        "Apple rises after a strong quarter",
        "A bank falls as rates are rising",
        "Oil is divided",
        "A café opens",
        "A bank with few loans",
        "Nothing of note",
    ];

    fn places(found: &[Found]) -> Vec<usize> {
        found.iter().map(|found| found.place).collect()
    }

    #[tokio::test]
    async fn texts_are_found_by_any_of_their_words_whatever_the_ending() {
        let mut index = TextIndex::new(TEXTS).await.unwrap();
        assert_eq!(places(&index.search("rise", 9).await.unwrap()), [0, 1]);
        assert_eq!(places(&index.search("CAFE", 9).await.unwrap()), [3]);
        assert_eq!(places(&index.search("oil, banks", 2).await.unwrap()).len(), 2);
        assert_eq!(places(&index.search("nowhere", 9).await.unwrap()), Vec::<usize>::new());
        assert_eq!(places(&index.search(" \"* - ", 9).await.unwrap()), Vec::<usize>::new());
    }

    #[tokio::test]
    async fn the_score_is_absolute() {
        let mut index = TextIndex::new(TEXTS).await.unwrap();
        let best = |found: Vec<Found>| found[0].score;
        let rare = best(index.search("oil", 9).await.unwrap());
        let common = best(index.search("a", 9).await.unwrap());
        // ln((6 - 1 + 0.5) / (1 + 0.5)) = 1.2993, times 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / 4.5)) = 1.1579: the text has
        // three words, and the average is 4.5.
        assert!((rare - 1.5045).abs() < 0.0005, "{rare}");
        // Four of six texts have it: the best match of a poor query has next to no score.
        assert!(common < 0.01, "{common}");
    }

    proptest! {
        // Each case opens a database.
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn nothing_in_a_query_is_an_operator(query in any::<String>()) {
            let found = block_on(async {
                TextIndex::new(TEXTS).await.unwrap().search(&query, 9).await.unwrap()
            });
            prop_assert!(found.iter().all(|found| found.place < TEXTS.len() && found.score >= 0.0));
        }

        #[test]
        fn pieces_of_the_syntax_are_words(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("\"".to_owned()), Just("(".to_owned()), Just(")".to_owned()), Just("*".to_owned()),
                    Just("NEAR(".to_owned()), Just("AND".to_owned()), Just("OR".to_owned()), Just("NOT".to_owned()),
                    Just("body:".to_owned()), Just("^".to_owned()), Just("-".to_owned()), Just("+".to_owned()),
                    Just("'; drop table texts; --".to_owned()), Just("\0".to_owned()), Just("{a b}:".to_owned()),
                    Just("\u{10ffff}\u{202e}".to_owned()), Just("oil".to_owned()),
                ],
                0..300,
            ),
        ) {
            let query = pieces.join(" ");
            block_on(async {
                let mut index = TextIndex::new(TEXTS).await.unwrap();
                index.search(&query, 9).await.unwrap();
                assert_eq!(places(&index.search("divided", 9).await.unwrap()), [2]);
            });
        }
    }
}
