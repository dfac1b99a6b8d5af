use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use protocol::{AccountId, RunId};
use tokio::sync::{oneshot, watch};

use crate::admission::Accepted;

/// The queue for the places in which runs work: first in, first out, but a run whose account has all the
/// places it may have is skipped until one of them is free.
pub(crate) struct Queue {
    places: usize,
    state: Mutex<State>,
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    taken: usize,
    taken_by: HashMap<AccountId, usize>,
    waiting: VecDeque<Ticket>,
}

struct Ticket {
    run: RunId,
    account: AccountId,
    /// The most places that the account may have at a time.
    allowed: usize,
    admitted: oneshot::Sender<Place>,
}

/// A place, given back on drop.
pub(crate) struct Place {
    queue: Arc<Queue>,
    account: AccountId,
}

impl Queue {
    pub fn new(places: usize) -> Arc<Self> {
        Arc::new(Self { places, state: Mutex::default(), changes: watch::Sender::default() })
    }

    /// Waits for a place. Dropping the future leaves the queue (cancel-safe).
    pub async fn enter(self: &Arc<Self>, run: RunId, account: &AccountId, allowed: usize) -> Place {
        let (admitted, place) = oneshot::channel();
        let ticket = Ticket { run, account: account.clone(), allowed: allowed.max(1), admitted };
        self.state().waiting.push_back(ticket);
        let left = Left(self);
        self.admit();
        let place = place.await;
        drop(left);
        // The sender is only dropped by sending the place, or by this call itself.
        place.unwrap_or_else(|_| Place { queue: self.clone(), account: account.clone() })
    }

    /// The run's position in the queue, from 1; `None` if it does not wait.
    pub fn position(&self, run: RunId) -> Option<usize> {
        self.state().waiting.iter().position(|ticket| ticket.run == run).map(|index| index + 1)
    }

    /// Wakes when positions may have changed; the value has no meaning.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Gives free places to the tickets that may have them.
    fn admit(self: &Arc<Self>) {
        let mut served = Vec::new();
        {
            let mut state = self.state();
            state.waiting.retain(|ticket| !ticket.admitted.is_closed());
            while state.taken < self.places
                && let Some(next) = state.waiting.iter().position(|ticket| {
                    state.taken_by.get(&ticket.account).copied().unwrap_or_default() < ticket.allowed
                })
                && let Some(ticket) = state.waiting.remove(next)
            {
                state.taken += 1;
                *state.taken_by.entry(ticket.account.clone()).or_default() += 1;
                served.push(ticket);
            }
        }
        for Ticket { account, admitted, .. } in served {
            // If the receiver was dropped meanwhile, so is the place, which gives it back.
            let _ = admitted.send(Place { queue: self.clone(), account });
        }
        self.changes.send_modify(|version| *version += 1);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        {
            let mut state = self.queue.state();
            state.taken = state.taken.saturating_sub(1);
            if let Some(taken) = state.taken_by.get_mut(&self.account) {
                *taken -= 1;
                if *taken == 0 {
                    state.taken_by.remove(&self.account);
                }
            }
        }
        self.queue.admit();
    }
}

/// Admits the next tickets when a waiting future is dropped.
struct Left<'q>(&'q Arc<Queue>);

impl Drop for Left<'_> {
    fn drop(&mut self) {
        self.0.admit();
    }
}

/// One run's slot: its place while it works, which is given back while the run only waits for people.
pub(crate) struct Slot {
    queue: Arc<Queue>,
    run: RunId,
    account: AccountId,
    allowed: usize,
    place: Mutex<Option<Place>>,
    /// Held while the run waits in the queue, so that it waits there once.
    waits_in_line: tokio::sync::Mutex<()>,
    /// The run's count in the admission; `None` once the run is over, and for one that another run has started and
    /// is counted with.
    accepted: Mutex<Option<Accepted>>,
}

impl Slot {
    pub fn new(
        queue: Arc<Queue>,
        run: RunId,
        account: AccountId,
        allowed: usize,
        accepted: Option<Accepted>,
    ) -> Self {
        Self {
            queue,
            run,
            account,
            allowed,
            place: Mutex::default(),
            waits_in_line: tokio::sync::Mutex::default(),
            accepted: Mutex::new(accepted),
        }
    }

    pub fn is_taken(&self) -> bool {
        self.place().is_some()
    }

    /// Waits for a place, unless the run has one. Dropping the future leaves the queue (cancel-safe).
    ///
    /// A run that waited for people is counted as waiting until it has a place, so that many answers at once
    /// do not use up the bound for new runs.
    pub async fn take(&self) {
        let _turn = self.waits_in_line.lock().await;
        if !self.is_taken() {
            let place = self.queue.enter(self.run, &self.account, self.allowed).await;
            *self.place() = Some(place);
        }
        self.wait(false);
    }

    /// Gives the place back, because the run only waits: for people, or for runs that it has started, with which
    /// it counts as one that works.
    pub fn release(&self, for_people: bool) {
        drop(self.place().take());
        self.wait(for_people);
    }

    /// Gives the place and the admission back: the run is over, or left to be resumed.
    pub fn leave(&self) {
        drop(self.place().take());
        drop(self.accepted().take());
    }

    fn wait(&self, waits: bool) {
        if let Some(accepted) = &*self.accepted() {
            accepted.wait(waits);
        }
    }

    fn accepted(&self) -> MutexGuard<'_, Option<Accepted>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use uuid::Uuid;

    use super::*;
    use crate::admission::Admission;

    fn run(number: u128) -> RunId {
        RunId(Uuid::from_u128(number))
    }

    fn accounts() -> (AccountId, AccountId) {
        ("me".parse().unwrap(), "you".parse().unwrap())
    }

    #[tokio::test]
    async fn the_first_to_come_is_served_first() {
        let queue = Queue::new(1);
        let (me, you) = accounts();
        let place = queue.enter(run(1), &me, 9).await;
        let mut second = Box::pin(queue.enter(run(2), &me, 9));
        let mut third = Box::pin(queue.enter(run(3), &you, 9));
        assert!((&mut second).now_or_never().is_none());
        assert!((&mut third).now_or_never().is_none());
        assert_eq!((queue.position(run(1)), queue.position(run(3))), (None, Some(2)));
        drop(place);
        let place = second.now_or_never().unwrap();
        assert_eq!(queue.position(run(3)), Some(1));
        drop(place);
        assert!(third.now_or_never().is_some());
    }

    #[tokio::test]
    async fn an_account_with_all_its_places_lets_others_pass() {
        let queue = Queue::new(2);
        let (me, you) = accounts();
        let _mine = queue.enter(run(1), &me, 1).await;
        let mut mine_too = Box::pin(queue.enter(run(2), &me, 1));
        assert!((&mut mine_too).now_or_never().is_none());
        assert!(queue.enter(run(3), &you, 1).now_or_never().is_some());
    }

    #[tokio::test]
    async fn who_leaves_the_queue_makes_room() {
        let queue = Queue::new(1);
        let (me, _) = accounts();
        let place = queue.enter(run(1), &me, 9).await;
        let mut second = Box::pin(queue.enter(run(2), &me, 9));
        assert!((&mut second).now_or_never().is_none());
        let mut third = Box::pin(queue.enter(run(3), &me, 9));
        assert!((&mut third).now_or_never().is_none());
        drop(second);
        assert_eq!(queue.position(run(3)), Some(1));
        drop(place);
        assert!(third.now_or_never().is_some());
    }

    #[tokio::test]
    async fn a_seat_that_is_given_back_serves_the_next() {
        let queue = Queue::new(1);
        let (me, _) = accounts();
        let accepted = Arc::new(Admission::default()).accept_again(&me, false);
        let slot = Slot::new(queue.clone(), run(1), me.clone(), 9, Some(accepted));
        slot.take().await;
        let mut next = Box::pin(queue.enter(run(2), &me, 9));
        assert!((&mut next).now_or_never().is_none());
        slot.release(true);
        let place = next.now_or_never().unwrap();
        assert!(slot.take().now_or_never().is_none());
        drop(place);
        assert!(slot.take().now_or_never().is_some());
    }
}
