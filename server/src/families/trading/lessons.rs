//! The lessons of an account, by REST and for its page.

use axum::Json;
use protocol::{
    Date, Problem,
    trading::{LessonFilter, LessonPage},
};
use serde::Deserialize;
use utoipa::IntoParams;
use workflows::trading::LessonsError;

use crate::{
    problem::from_journal,
    rest::{Query, Reply},
    scope::Scoped,
};

impl Scoped {
    /// The caller's own lessons. Whoever owns nothing has none.
    ///
    /// # Errors
    /// They cannot be read, or not be searched.
    pub(super) async fn own_lessons(&self, filter: &LessonFilter) -> Result<LessonPage, Problem> {
        let Some(owner) = self.caller().owner() else { return Ok(LessonPage::default()) };
        self.service().own.trading.lessons.page(owner, filter).await.map_err(|error| match error {
            LessonsError::Journal(error) => from_journal(error),
            LessonsError::Search(error) => Problem::internal(error.to_string()),
        })
    }
}

/// Lessons of earlier ratings
///
/// Those whose outcome became known last come first. With `search`, those that fit best do, and `relevance` says how
/// well: Okapi BM25 as SQLite's FTS5 computes it, with its sign turned round. It is the sum, over the words that a lesson
/// shares with the search, of how rare each is among the lessons (the natural logarithm of `(N - n + 0.5) / (n + 0.5)`
/// for a word that `n` of `N` lessons have), times 0 to 2.2 by how often the lesson has it for its length. It is not set
/// in proportion to the best match: where nothing fits well, no `relevance` is high. A word that half of the lessons
/// have counts next to nothing.
#[utoipa::path(get, path = "/api/v1/lessons", params(LessonsQuery), responses((status = 200, body = LessonPage)))]
pub(super) async fn lessons(service: Scoped, Query(query): Query<LessonsQuery>) -> Reply<LessonPage> {
    let LessonsQuery { search, known_by, limit } = query;
    let filter = LessonFilter { search: search.unwrap_or_default(), known_by, limit };
    Ok(Json(service.own_lessons(&filter).await?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct LessonsQuery {
    /// Words, any of which may stand in the lesson; nothing in it is an operator
    search: Option<String>,
    /// Only lessons whose outcome was known by this day
    #[param(value_type = Option<String>, format = Date)]
    known_by: Option<Date>,
    /// At most this many; 100 if absent, 500 at most
    limit: Option<u32>,
}
