//! Ids that follow from what identifies a row of Studio's.

use protocol::{AccountId, Timestamp};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use super::tables::StudioRow;

/// What a row is for an account here. The same row always becomes the same id, and rows of two databases different
/// ones: their numbers may be the same, and the microseconds at which they were made are not.
pub(super) struct Identity {
    digest: [u8; 32],
    at: Timestamp,
}

impl Identity {
    /// The identity of a row of this table.
    pub(super) fn new(owner: &AccountId, table: &str, row: &StudioRow) -> Self {
        let key = row.key.to_string();
        let parts = [owner.as_str(), table, &key, &row.user, &row.created_at];
        Self::of(&parts, row.moment().unwrap_or_default())
    }

    /// The identity of something that belongs to this row and has none of its own.
    pub(super) fn part(&self, name: &str) -> Self {
        Self { digest: hash(&[&hex(&self.digest), name]), at: self.at }
    }

    fn of(parts: &[&str], at: Timestamp) -> Self {
        Self { digest: hash(parts), at }
    }

    /// When the row was made; the beginning of 1970 where it does not say so.
    pub(super) fn at(&self) -> Timestamp {
        self.at
    }

    /// A UUID that sorts by the time at which the row was made, as all ids here do.
    pub(super) fn id(&self) -> Uuid {
        let [a, b, c, d, e, f, g, h, i, j, ..] = self.digest;
        Builder::from_unix_timestamp_millis(self.at.0.max(0).unsigned_abs(), &[a, b, c, d, e, f, g, h, i, j])
            .into_uuid()
    }
}

fn hash(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        // Each with its length, so that no two lists are the same text.
        hash.update(part.len().to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
