use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// Bytes in front of the body of a file: when it was fetched, in milliseconds since 1970.
const HEAD: usize = 8;

/// Answers of vendors on the disk, the oldest of which give way.
///
/// It may be deleted at any time. A file that cannot be read or written is as good as none.
pub struct Cache {
    folder: PathBuf,
    most_bytes: u64,
    files: Mutex<BTreeMap<String, Kept>>,
}

struct Kept {
    bytes: u64,
    fetched: Timestamp,
}

impl Cache {
    /// The cache in this folder, which is made if it is missing.
    ///
    /// # Errors
    /// The folder cannot be made or read.
    pub fn open(folder: &Path, most_bytes: u64) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let (Ok(name), Ok(about)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
            if is_name(&name) {
                let mut head = [0; HEAD];
                let read = fs::File::open(entry.path()).and_then(|mut file| file.read_exact(&mut head));
                // What cannot be read is the first to give way.
                let fetched = read.ok().and_then(|()| moment(head)).unwrap_or(Timestamp::MIN);
                files.insert(name, Kept { bytes: about.len(), fetched });
            }
        }
        let cache = Self { folder: folder.to_owned(), most_bytes, files: Mutex::new(files) };
        for name in cache.crowded_out() {
            let _ = fs::remove_file(cache.folder.join(name));
        }
        Ok(cache)
    }

    /// When the answer was fetched, and its body.
    pub(super) async fn read(&self, question: &str) -> Option<(Timestamp, Vec<u8>)> {
        let bytes = tokio::fs::read(self.folder.join(name(question))).await.ok()?;
        let (head, body) = bytes.split_at_checked(HEAD)?;
        Some((moment(head.try_into().ok()?)?, body.to_vec()))
    }

    pub(super) async fn write(&self, question: &str, fetched: Timestamp, body: &[u8]) {
        let name = name(question);
        let bytes = [fetched.as_millisecond().to_le_bytes().as_slice(), body].concat();
        let size = bytes.len() as u64;
        if size > self.most_bytes {
            return;
        }
        // A reader finds the old file or the new one, never a part.
        let unfinished = self.folder.join(format!("{name}.part"));
        let written = tokio::fs::write(&unfinished, bytes).await;
        if written.is_err() || tokio::fs::rename(&unfinished, self.folder.join(&name)).await.is_err() {
            tracing::warn!(folder = %self.folder.display(), "an answer cannot be kept in the cache");
            return;
        }
        let kept = Kept { bytes: size, fetched };
        self.files.lock().unwrap_or_else(PoisonError::into_inner).insert(name, kept);
        for old in self.crowded_out() {
            let _ = tokio::fs::remove_file(self.folder.join(old)).await;
        }
    }

    /// Takes out of the list what is too much, oldest first.
    fn crowded_out(&self) -> Vec<String> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes: u64 = files.values().map(|kept| kept.bytes).sum();
        let mut out = Vec::new();
        while bytes > self.most_bytes {
            let oldest = files.iter().min_by_key(|(_, kept)| kept.fetched).map(|(name, _)| name.clone());
            let Some(name) = oldest else { break };
            bytes -= files.remove(&name).map_or(0, |kept| kept.bytes);
            out.push(name);
        }
        out
    }
}

/// When a file was fetched, as its head says.
fn moment(head: [u8; HEAD]) -> Option<Timestamp> {
    Timestamp::from_millisecond(i64::from_le_bytes(head)).ok()
}

fn name(question: &str) -> String {
    Sha256::digest(question.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[tokio::test]
    async fn the_oldest_answers_give_way_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), 3000).unwrap();
        for (second, question) in [(0, "a"), (1, "b"), (2, "c")] {
            cache.write(question, at(second), &[b'x'; 1200]).await;
        }
        assert!(cache.read("a").await.is_none());
        assert_eq!(cache.read("c").await.unwrap(), (at(2), vec![b'x'; 1200]));
        drop(cache);
        let cache = Cache::open(folder.path(), 1300).unwrap();
        assert!(cache.read("b").await.is_none());
        assert!(cache.read("c").await.is_some());
        cache.write("d", at(3), &[b'x'; 1300]).await;
        assert!(cache.read("d").await.is_none(), "what is larger than the whole cache is not kept");
    }

    #[tokio::test]
    async fn a_damaged_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path(), 3000).unwrap();
        cache.write("a", at(0), b"body").await;
        fs::write(folder.path().join(name("a")), b"abc").unwrap();
        assert!(cache.read("a").await.is_none());
    }
}
