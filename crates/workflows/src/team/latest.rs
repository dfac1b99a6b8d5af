//! The latest course of a team, so that a visit reads only what is new: a team of many turns would otherwise be gone
//! through from its beginning in each of them. Nothing depends on it: where the state is another one than before, as in
//! a node that was sent back, the course is made anew from all of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use engine::{ListMark, NodeError, State, StateValue};
use serde_json::Value;
use teamfile::{Message, team::Team};

use super::course::{Course, Happened};

/// The latest course of a team.
pub(super) struct Latest {
    team: Arc<Team>,
    known: Mutex<Option<Known>>,
}

/// A course, and how much of the state's list it has.
struct Known {
    course: Arc<Course>,
    mark: ListMark,
    /// What the course has beyond the mark: the next item of the list, if the visit that it is from was kept.
    ahead: Option<Value>,
}

/// A course that whoever leads goes on with.
pub(super) struct CourseInHand {
    known: Known,
    happened: Vec<Happened>,
}

impl Latest {
    /// Of a team that has done nothing yet.
    pub(super) fn of(team: Arc<Team>) -> Self {
        Self { team, known: Mutex::default() }
    }

    /// How far the team has come by the list of this key.
    ///
    /// # Errors
    /// The state has something else, or the team cannot go on.
    pub(super) fn course(&self, state: &State, key: &str) -> Result<Arc<Course>, NodeError> {
        let mut slot = self.slot();
        let known = self.read(slot.take(), state, key)?;
        Ok(slot.insert(known).course.clone())
    }

    /// The same, for whoever leads. Until it is put back, others make it anew.
    ///
    /// # Errors
    /// As [`Latest::course`].
    pub(super) fn take(&self, state: &State, key: &str) -> Result<CourseInHand, NodeError> {
        let known = self.slot().take();
        Ok(CourseInHand { known: self.read(known, state, key)?, happened: Vec::new() })
    }

    /// Keeps a course, and gives what has happened in hand as the list's next item; null where nothing has.
    ///
    /// # Errors
    /// It has no JSON form.
    pub(super) fn put_back(&self, hand: CourseInHand) -> Result<Value, NodeError> {
        let CourseInHand { mut known, happened } = hand;
        if happened.is_empty() {
            *self.slot() = Some(known);
            return Ok(Value::Null);
        }
        let item = serde_json::to_value(&happened)
            .map_err(|error| NodeError::failed(format!("What has happened cannot be kept: {error}.")))?;
        known.ahead = Some(item.clone());
        *self.slot() = Some(known);
        Ok(item)
    }

    fn read(&self, known: Option<Known>, state: &State, key: &str) -> Result<Known, NodeError> {
        if let Some(mut known) = known
            && let Some(new) = state.appended(key, &mut known.mark)
        {
            let ahead = known.ahead.take();
            let is_kept = ahead.is_none() || new.first().map(|item| item.value()) == ahead.as_ref();
            if is_kept {
                known.go_on(new.iter().skip(usize::from(ahead.is_some())))?;
                return Ok(known);
            }
        }
        let mut mark = ListMark::default();
        let all = state.appended(key, &mut mark).unwrap_or_default();
        let course = Course::new(self.team.clone()).map_err(|error| NodeError::failed(error.to_string()))?;
        let mut known = Known { course: Arc::new(course), mark, ahead: None };
        known.go_on(all.iter())?;
        Ok(known)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    fn go_on<'v>(&mut self, items: impl Iterator<Item = &'v Arc<StateValue>>) -> Result<(), NodeError> {
        for item in items {
            let happened: Vec<Happened> = item.get().map_err(|error| {
                NodeError::failed(format!(
                    "The run's state has something else than what the team was told: {error}"
                ))
            })?;
            happened.into_iter().for_each(|next| self.tell(next));
        }
        self.sound()
    }

    fn tell(&mut self, next: Happened) {
        // A copy is made only while somebody who works at the same time still reads it.
        Arc::make_mut(&mut self.course).tell(next);
    }

    fn sound(&self) -> Result<(), NodeError> {
        match self.course.failure() {
            Some(error) => Err(NodeError::failed(error.to_string())),
            None => Ok(()),
        }
    }
}

impl CourseInHand {
    /// How far the team has come.
    pub(super) fn course(&self) -> &Course {
        &self.known.course
    }

    /// Goes on by one step, and gives what whoever leads says then.
    ///
    /// # Errors
    /// The team cannot go on.
    pub(super) fn tell(&mut self, next: Happened) -> Result<&[Message], NodeError> {
        self.happened.push(next.clone());
        self.known.tell(next);
        self.known.sound()?;
        Ok(self.known.course.told())
    }

    /// Begins with what the team was told in an earlier run. What kept it from going on there does not matter any more:
    /// another task follows.
    pub(super) fn recall(&mut self, told: Vec<Happened>) {
        for next in told {
            self.happened.push(next.clone());
            self.known.tell(next);
        }
    }
}
