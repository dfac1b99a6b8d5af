//! The long texts of events, which the journal stores apart from them.

use journal::Journal;
use protocol::{Event, Problem};

use crate::problem::from_journal;

/// Reads the long texts of events that its holder may read. It can be kept as long as a socket lives.
#[derive(Clone)]
pub struct Texts(Journal);

impl Texts {
    /// A reader of the texts in this journal.
    pub fn new(journal: Journal) -> Self {
        Self(journal)
    }

    /// Replaces the previews in an event by the whole texts.
    ///
    /// # Errors
    /// The log cannot be read.
    pub async fn load_into(&self, event: &mut Event) -> Result<(), Problem> {
        self.0.load_texts(event).await.map_err(from_journal)
    }
}
