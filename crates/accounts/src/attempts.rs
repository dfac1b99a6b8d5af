use std::{
    hash::{BuildHasher, Hash, RandomState},
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

/// The number of counters that all names and addresses share: memory is bounded, and a flood of other names
/// cannot evict a counter.
const COUNTERS: usize = 4096;

/// A rate of failed attempts: after a burst, one more for each pause.
#[derive(Clone, Copy, Debug)]
struct Pace {
    burst: u32,
    pause: Duration,
}

const BY_NAME: Pace = Pace { burst: 5, pause: Duration::from_secs(60) };
const BY_PEER: Pace = Pace { burst: 20, pause: Duration::from_secs(15) };

/// There were too many attempts; the next one is allowed after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany(pub Duration);

/// Counts failed attempts to sign in, by name and by peer address.
///
/// A counter is chosen by a keyed hash with a secret key, so that nobody can choose to share another's.
pub struct Attempts {
    key: RandomState,
    names: Counters,
    peers: Counters,
}

impl Default for Attempts {
    fn default() -> Self {
        Self { key: RandomState::new(), names: Counters::new(BY_NAME), peers: Counters::new(BY_PEER) }
    }
}

impl Attempts {
    /// Counts an attempt before it is made, so that concurrent attempts are bounded as well.
    ///
    /// # Errors
    /// [`TooMany`]: the attempt is refused.
    pub fn begin(&self, name: &str, peer: IpAddr) -> Result<(), TooMany> {
        let now = Instant::now();
        self.peers.take(self.slot(&network(peer)), now)?;
        self.names.take(self.slot(&name), now)
    }

    /// Takes the attempt back, since it was no failure.
    pub fn succeeded(&self, name: &str, peer: IpAddr) {
        self.peers.give_back(self.slot(&network(peer)));
        self.names.give_back(self.slot(&name));
    }

    fn slot(&self, what: &impl Hash) -> usize {
        usize::try_from(self.key.hash_one(what) % COUNTERS as u64).unwrap_or(0)
    }
}

/// The holder of one IPv6 address has its whole /64 network.
fn network(peer: IpAddr) -> [u8; 8] {
    let octets = match peer {
        IpAddr::V4(peer) => peer.to_ipv6_mapped().octets(),
        IpAddr::V6(peer) => match peer.to_ipv4_mapped() {
            Some(mapped) => mapped.to_ipv6_mapped().octets(),
            None => {
                let [head @ .., _, _, _, _, _, _, _, _] = peer.octets();
                return head;
            }
        },
    };
    let [.., a, b, c, d] = octets;
    [0xff, 0xff, 0xff, 0xff, a, b, c, d]
}

/// The generic cell rate algorithm: a counter is the moment at which it is empty again.
struct Counters {
    pace: Pace,
    empty_at: Mutex<Vec<Option<Instant>>>,
}

impl Counters {
    fn new(pace: Pace) -> Self {
        Self { pace, empty_at: Mutex::new(vec![None; COUNTERS]) }
    }

    fn take(&self, slot: usize, now: Instant) -> Result<(), TooMany> {
        let mut counters = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(counter) = counters.get_mut(slot) else { return Ok(()) };
        let full = self.pace.pause * self.pace.burst;
        let empty_at = counter.map_or(now, |at| at.max(now)) + self.pace.pause;
        let over = (empty_at - now).saturating_sub(full);
        if over.is_zero() {
            *counter = Some(empty_at);
            Ok(())
        } else {
            Err(TooMany(over))
        }
    }

    fn give_back(&self, slot: usize) {
        let mut counters = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(empty_at)) = counters.get_mut(slot) {
            *empty_at -= self.pace.pause;
        }
    }
}
