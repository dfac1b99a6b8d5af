//! Which lessons fit a case, and which fit the words that somebody searches for.

use std::{cmp::Reverse, collections::BTreeMap};

use database::{Found, SearchError, TextIndex};
use protocol::{
    AccountId, Date, Decimal, RunId,
    trading::{Lesson, LessonFilter, LessonPage, ListedLesson, Ticker},
};
use rust_decimal::prelude::FromPrimitive;
use serde::{Deserialize, Serialize};

use super::lessons::{Lessons, LessonsError, WrittenLesson};

/// Lessons on the very stock, for each stock of a case.
const MOST_OF_STOCK: usize = 2;
/// Lessons on other stocks in a similar situation.
const MOST_SIMILAR: usize = 2;
/// Lessons of a case in all.
const MOST: usize = 8;
/// The least score of a lesson on another stock, [`Found::score`]: about that of one word which one lesson in six has, or
/// of two which one in three has. Sharing common words alone is no reason to be told of a lesson.
const LEAST_SCORE: f64 = 1.5;
/// Lessons that a search looks at, beyond those of the case's own stocks.
const MOST_FOUND: u32 = 50;
/// Decimals of a score that is kept.
const SCORE_PLACES: u32 = 3;
/// Lessons that a page shows unless it asks for less or more.
const USUAL_PAGE: u32 = 100;
/// Lessons that a page shows at most.
const MOST_PAGE: u32 = 500;

/// The lessons that the agents of a case are told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonsForCase {
    /// The day by which they were known.
    pub day: Date,
    /// How many lessons were known by then.
    pub known: usize,
    /// Those that fit, the fittest first.
    pub chosen: Vec<ChosenLesson>,
}

/// A lesson that fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChosenLesson {
    /// The lesson.
    pub lesson: Lesson,
    /// The run that wrote it.
    pub written_by: RunId,
    /// Why it was chosen.
    pub fit: Fit,
}

/// Why a lesson was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "snake_case")]
pub enum Fit {
    /// It is on a stock of the case.
    SameStock,
    /// Its situation is like that of the case.
    Similar {
        /// [`Found::score`], to three decimals.
        score: Decimal,
    },
}

/// What a case is about.
pub(in crate::trading) struct Case<'c> {
    /// The day; what became known later does not exist.
    pub day: Date,
    /// Its stocks.
    pub tickers: &'c [Ticker],
    /// What is known of it, in words.
    pub situation: &'c str,
}

impl Lessons {
    /// The lessons of this account that fit a case.
    ///
    /// # Errors
    /// The logs cannot be read, or not be searched.
    pub(in crate::trading) async fn for_case(
        &self,
        owner: &AccountId,
        case: &Case<'_>,
    ) -> Result<LessonsForCase, LessonsError> {
        Ok(choose(&self.of(owner).await?, case).await?)
    }
}

/// Chooses by stock, the newest first, and then by situation. What was not known by the case's day is left out before
/// anything is compared, so that it has no part in the weight of words either.
async fn choose(lessons: &[WrittenLesson], case: &Case<'_>) -> Result<LessonsForCase, SearchError> {
    let mut known: Vec<&WrittenLesson> = lessons.iter().filter(|it| it.lesson.known() <= case.day).collect();
    known
        .sort_by_key(|it| (Reverse(it.lesson.known()), Reverse(it.lesson.decided), it.lesson.ticker.clone()));
    let mut of_stock: BTreeMap<&Ticker, usize> = BTreeMap::new();
    let is_on = |it: &WrittenLesson| case.tickers.contains(&it.lesson.ticker);
    let same = known.iter().filter(|it| is_on(it)).filter(|it| {
        let count = of_stock.entry(&it.lesson.ticker).or_default();
        *count += 1;
        *count <= MOST_OF_STOCK
    });
    let same = same.map(|it| chosen(it, Fit::SameStock)).take(MOST);
    let mut all: Vec<ChosenLesson> = same.collect();
    if known.iter().any(|it| !is_on(it)) {
        let texts: Vec<String> = known.iter().map(|it| searched(&it.lesson)).collect();
        let mut index = TextIndex::new(texts.iter().map(String::as_str)).await?;
        let found = index.search(case.situation, MOST_FOUND).await?;
        let similar = found.iter().filter(|found| found.score >= LEAST_SCORE);
        let similar = similar.filter_map(|found| Some((known.get(found.place)?, found)));
        let similar = similar.filter(|(it, _)| !is_on(it)).take(MOST_SIMILAR);
        all.extend(similar.map(|(it, found)| chosen(it, Fit::Similar { score: shown(found) })));
    }
    all.truncate(MOST);
    Ok(LessonsForCase { day: case.day, known: known.len(), chosen: all })
}

fn chosen(written: &WrittenLesson, fit: Fit) -> ChosenLesson {
    ChosenLesson { lesson: written.lesson.clone(), written_by: written.run, fit }
}

fn shown(found: &Found) -> Decimal {
    Decimal::from_f64(found.score).unwrap_or_default().round_dp(SCORE_PLACES)
}

/// The words by which a lesson is found.
fn searched(lesson: &Lesson) -> String {
    let Lesson { ticker, sector, grade, verdict, summary, situation, entry_advice, exit_advice, .. } = lesson;
    format!("{ticker}\n{sector}\n{grade}\n{verdict}\n{summary}\n{situation}\n{entry_advice}\n{exit_advice}")
}

/// The lessons that a page shows.
pub(super) async fn page(
    mut lessons: Vec<WrittenLesson>,
    filter: &LessonFilter,
) -> Result<LessonPage, SearchError> {
    lessons.retain(|it| filter.known_by.is_none_or(|day| it.lesson.known() <= day));
    lessons
        .sort_by_key(|it| (Reverse(it.lesson.known()), Reverse(it.lesson.decided), it.lesson.ticker.clone()));
    let limit = filter.limit.unwrap_or(USUAL_PAGE).min(MOST_PAGE);
    let listed = |it: &WrittenLesson, relevance: Option<Decimal>| ListedLesson {
        lesson: it.lesson.clone(),
        written_by: it.run,
        relevance,
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    if filter.search.trim().is_empty() {
        let total = count(lessons.len());
        let lessons = lessons.iter().take(limit as usize).map(|it| listed(it, None)).collect();
        return Ok(LessonPage { lessons, total });
    }
    let texts: Vec<String> = lessons.iter().map(|it| searched(&it.lesson)).collect();
    let mut index = TextIndex::new(texts.iter().map(String::as_str)).await?;
    let found = index.search(&filter.search, count(lessons.len())).await?;
    let total = count(found.len());
    let found = found.iter().take(limit as usize);
    let found = found.filter_map(|found| Some(listed(lessons.get(found.place)?, Some(shown(found)))));
    Ok(LessonPage { lessons: found.collect(), total })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::trading::{Confidence, DecisionScore, Grade, LessonVerdict, Measured};

    use super::*;
    use crate::trading::memory::section::lessons_section;

    fn day(number: u8) -> Date {
        "2022-01-01".parse::<Date>().unwrap().saturating_add(jiff::Span::new().days(i64::from(number)))
    }

    fn lesson(ticker: &str, known: u8, words: &str) -> WrittenLesson {
        let score = DecisionScore {
            horizon_days: 30,
            from: day(0),
            from_close: Decimal::ONE,
            until: day(known),
            until_close: Decimal::ONE,
            stock_return: Decimal::ZERO,
            index_return: Measured::Known(Decimal::ZERO),
            excess: Measured::Known(Decimal::ZERO),
            best: Decimal::ZERO,
            worst: Decimal::ZERO,
            days_to_peak: 0,
            largest_moves: Vec::new(),
            source: "test".to_owned(),
        };
        let run: RunId = format!("0197a1b2-0000-7000-8000-0000000000{known:02x}").parse().unwrap();
        let lesson = Lesson {
            ticker: ticker.parse().unwrap(),
            sector: String::new(),
            decided: day(0),
            grade: Grade::Buy,
            confidence: Confidence::Low,
            decided_by: run,
            summary: String::new(),
            score,
            verdict: LessonVerdict::Open,
            situation: words.to_owned(),
            entry_advice: "e".to_owned(),
            exit_advice: "x".to_owned(),
        };
        WrittenLesson { run, lesson }
    }

    fn told(lessons: &[WrittenLesson], ticker: &str, on: u8, situation: &str) -> (LessonsForCase, String) {
        let tickers = [ticker.parse().unwrap()];
        let case = Case { day: day(on), tickers: &tickers, situation };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let chosen = runtime.block_on(choose(lessons, &case)).unwrap();
        let section = lessons_section(Some(&chosen), case.day);
        (chosen, section)
    }

    fn stock() -> impl Strategy<Value = &'static str> {
        prop_oneof![Just("AAPL"), Just("KO"), Just("LLY")]
    }

    fn words() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            Just("oil"),
            Just("uptrend"),
            Just("weak"),
            Just("momentum"),
            Just("debt"),
            Just("recovery"),
            Just("\"NEAR("),
            Just("## Facts\n<facts>{}</facts>"),
        ];
        proptest::collection::vec(word, 1..6).prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// AgentOS 6.C 34.
        #[test]
        fn lessons_known_later_change_nothing_in_a_prompt(
            all in proptest::collection::vec((stock(), 0_u8..60, words()), 0..30),
            ticker in stock(),
            on in 0_u8..60,
            situation in words(),
        ) {
            let all: Vec<_> = all.iter().map(|(stock, known, words)| lesson(stock, *known, words)).collect();
            let by_then: Vec<_> = all.iter().filter(|it| it.lesson.known() <= day(on)).cloned().collect();
            let (with, without) = (told(&all, ticker, on, &situation), told(&by_then, ticker, on, &situation));
            prop_assert_eq!(&with, &without);
            let (chosen, section) = with;
            prop_assert!(chosen.chosen.len() <= MOST);
            prop_assert!(chosen.chosen.iter().all(|it| it.lesson.known() <= day(on)));
            // However a lesson is written, it is one line.
            prop_assert!(section.lines().count() <= MOST + 1);
        }
    }

    #[test]
    fn the_newest_of_the_stock_come_first_and_are_bounded() {
        let all: Vec<_> = (1..=5).map(|known| lesson("KO", known, "weak")).collect();
        let (chosen, _) = told(&all, "KO", 4, "weak");
        let known: Vec<Date> = chosen.chosen.iter().map(|it| it.lesson.known()).collect();
        assert_eq!((chosen.known, known), (4, vec![day(4), day(3)]));
    }

    #[test]
    fn what_is_known_later_is_not_told_by_a_run_that_is_continued_as_of_an_earlier_day() {
        let (chosen, section) = told(&[lesson("KO", 9, "weak")], "KO", 9, "weak");
        assert!(section.contains("KO"));
        assert_eq!(
            lessons_section(Some(&chosen), day(8)),
            format!("None of the 1 that were known by {} fits this case.", day(9))
        );
        assert_eq!(lessons_section(None, day(9)), "They were not looked for in this run.");
    }
}
