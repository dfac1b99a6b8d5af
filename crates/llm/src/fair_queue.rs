//! The queue of requests in front of an endpoint: how many it serves at once, and which is next.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::RunId;
use tokio::{sync::watch, time::Instant};

/// How long fewer requests at once are sent to an endpoint that refused some.
const REDUCED_FOR: Duration = Duration::from_secs(60);

/// A fair queue: runs take turns (round robin), and the requests of one run are served first in, first out.
#[derive(Debug)]
pub(crate) struct FairQueue {
    state: Mutex<QueueState>,
}

#[derive(Debug, Default)]
struct QueueState {
    /// The most requests in flight.
    places: usize,
    /// Requests in flight.
    served: usize,
    /// Waiting requests: a queue for each run, the run whose turn is next first.
    waiting: VecDeque<(Option<RunId>, VecDeque<Waiting>)>,
    /// A smaller bound, learned from a refusal, and until when it holds.
    learned: Option<(usize, Instant)>,
    /// The number of the next request.
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    /// How many are served before it; `None` once it is served.
    before: watch::Sender<Option<usize>>,
}

impl FairQueue {
    pub(crate) fn new(places: NonZeroUsize) -> Arc<Self> {
        let state = QueueState { places: places.get(), ..QueueState::default() };
        Arc::new(Self { state: Mutex::new(state) })
    }

    /// Lowers the bound for good, where somebody who shares the queue allows fewer.
    pub(crate) fn at_most(&self, places: NonZeroUsize) {
        let mut state = self.state();
        state.places = state.places.min(places.get());
    }

    /// Waits for a place, and calls `say` with the number of requests before it whenever that changes; not at
    /// all if a place is free. Dropping the future leaves the queue; dropping the place gives it back.
    pub(crate) async fn place(self: &Arc<Self>, run: Option<RunId>, mut say: impl FnMut(usize)) -> Place {
        let (place, mut before) = self.enter(run);
        let mut said = None;
        loop {
            let now = *before.borrow_and_update();
            let Some(number) = now else { return place };
            if said.replace(number) != now {
                say(number);
            }
            // The sender lives in the queue as long as the place does.
            if before.changed().await.is_err() {
                return place;
            }
        }
    }

    /// Lowers the bound for a while, after the endpoint refused because of too many concurrent requests.
    pub(crate) fn reduce_concurrency(&self) {
        let mut state = self.state();
        let fewer = state.served.saturating_sub(1).max(1);
        // A refusal of an older request must not raise the bound that a newer one has lowered.
        let known = state.learned.filter(|(_, until)| Instant::now() < *until).map(|(known, _)| known);
        let fewer = known.map_or(fewer, |known| known.min(fewer));
        state.learned = Some((fewer, Instant::now() + REDUCED_FOR));
    }

    fn enter(self: &Arc<Self>, run: Option<RunId>) -> (Place, watch::Receiver<Option<usize>>) {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        let (sender, receiver) = watch::channel(Some(usize::MAX));
        let waiting = Waiting { number, before: sender };
        match state.waiting.iter_mut().find(|(other, _)| *other == run) {
            Some((_, queue)) => queue.push_back(waiting),
            None => state.waiting.push_back((run, VecDeque::from([waiting]))),
        }
        state.serve();
        (Place { queue: self.clone(), number }, receiver)
    }

    fn state(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// Serves waiting requests while there are places, and tells the others their positions.
    fn serve(&mut self) {
        let learned = self.learned.filter(|(_, until)| Instant::now() < *until);
        let places = learned.map_or(self.places, |(fewer, _)| fewer.min(self.places));
        while self.served < places
            && let Some((run, mut queue)) = self.waiting.pop_front()
        {
            if let Some(next) = queue.pop_front() {
                self.served += 1;
                next.before.send_replace(None);
            }
            if !queue.is_empty() {
                self.waiting.push_back((run, queue));
            }
        }
        self.tell();
    }

    /// Positions are counted round by round: first the first request of each run, then the second.
    fn tell(&self) {
        let longest = self.waiting.iter().map(|(_, queue)| queue.len()).max().unwrap_or_default();
        let turns =
            (0..longest).flat_map(|turn| self.waiting.iter().filter_map(move |(_, queue)| queue.get(turn)));
        for (before, waiting) in turns.enumerate() {
            waiting.before.send_if_modified(|known| known.replace(before) != Some(before));
        }
    }

    /// Removes a waiting request, or gives the place of a served one back.
    fn leave(&mut self, number: u64) {
        let mut waited = false;
        for (_, queue) in &mut self.waiting {
            let length = queue.len();
            queue.retain(|waiting| waiting.number != number);
            waited |= queue.len() < length;
        }
        self.waiting.retain(|(_, queue)| !queue.is_empty());
        if !waited {
            self.served = self.served.saturating_sub(1);
        }
    }
}

/// A request's place: in the queue at first, in flight once it is served.
#[derive(Debug)]
pub(crate) struct Place {
    queue: Arc<FairQueue>,
    number: u64,
}

impl Place {
    /// Lowers the bound of the queue for a while.
    pub(crate) fn reduce_concurrency(&self) {
        self.queue.reduce_concurrency();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        state.leave(self.number);
        state.serve();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt, poll};
    use proptest::prelude::*;

    use super::*;

    fn queue(places: usize) -> Arc<FairQueue> {
        FairQueue::new(NonZeroUsize::new(places).unwrap())
    }

    fn run(number: u128) -> Option<RunId> {
        Some(format!("01890000-0000-7000-8000-{number:012}").parse().unwrap())
    }

    #[test]
    fn runs_take_turns_and_each_hears_where_it_stands() {
        let queue = queue(1);
        let mut entered: Vec<_> = [1, 1, 1, 1, 2].map(|number| queue.enter(run(number))).into();
        let stand = |entered: &[(Place, watch::Receiver<Option<usize>>)]| -> Vec<Option<usize>> {
            entered.iter().map(|(_, before)| *before.borrow()).collect()
        };
        // The other run came last, but comes second, since it had no turn.
        assert_eq!(stand(&entered), [None, Some(0), Some(2), Some(3), Some(1)]);
        entered.remove(0);
        assert_eq!(stand(&entered), [None, Some(1), Some(2), Some(0)]);
        entered.remove(0);
        assert_eq!(stand(&entered), [Some(0), Some(1), None]);
        entered.remove(2);
        assert_eq!(stand(&entered), [None, Some(0)]);
    }

    #[tokio::test]
    async fn nobody_is_told_the_same_twice() {
        let queue = queue(1);
        let first = queue.place(run(1), |_| panic!("there is a place")).await;
        let mut heard = Vec::new();
        {
            let mut waiting = pin!(queue.place(run(1), |before| heard.push(before)));
            assert!(poll!(&mut waiting).is_pending());
            let other = queue.enter(run(1));
            assert!(poll!(&mut waiting).is_pending());
            drop(other);
            drop(first);
            let _place = waiting.await;
        }
        assert_eq!(heard, [0]);
    }

    #[tokio::test]
    async fn whoever_leaves_the_queue_makes_room() {
        let queue = queue(1);
        let served = queue.place(None, |_| ()).await;
        let mut patient = pin!(queue.place(run(2), |_| ()));
        {
            let mut impatient = pin!(queue.place(run(1), |_| ()));
            assert!(poll!(&mut impatient).is_pending());
            assert!(poll!(&mut patient).is_pending());
        }
        // Served and dropped before it noticed: the place goes on to the next.
        {
            let mut unaware = pin!(queue.place(run(3), |_| ()));
            assert!(poll!(&mut unaware).is_pending());
            drop(served);
            let place = (&mut patient).await;
            drop(place);
        }
        assert!(queue.place(None, |_| ()).now_or_never().is_some());
        assert_eq!(queue.state().served, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_lowers_the_bound_for_a_while() {
        let queue = queue(4);
        let mut places = Vec::new();
        for _ in 0..3 {
            places.push(queue.place(None, |_| ()).await);
        }
        places[2].reduce_concurrency();
        drop(places.pop());
        assert!(queue.place(None, |_| ()).now_or_never().is_none(), "two at once");
        drop(places.pop());
        places.push(queue.place(None, |_| ()).now_or_never().unwrap());
        tokio::time::advance(REDUCED_FOR).await;
        for _ in 0..2 {
            places.push(queue.place(None, |_| ()).now_or_never().unwrap());
        }
        // Whatever is refused, one is always served.
        places.clear();
        let only = queue.place(None, |_| ()).await;
        only.reduce_concurrency();
        drop(only);
        assert!(queue.place(None, |_| ()).now_or_never().is_some());
    }

    proptest! {
        /// Requests of three runs enter, finish or leave in any order.
        #[test]
        fn nobody_is_forgotten_and_no_place_is_lost(places in 1..4_usize, steps in prop::collection::vec((0..4_u128, any::<prop::sample::Index>(), any::<bool>()), 0..60)) {
            let queue = queue(places);
            let mut entered: Vec<(Place, watch::Receiver<Option<usize>>)> = Vec::new();
            for (who, which, refused) in steps {
                if who < 3 {
                    entered.push(queue.enter(run(who)));
                } else if !entered.is_empty() {
                    let (place, _) = entered.swap_remove(which.index(entered.len()));
                    if refused {
                        place.reduce_concurrency();
                    }
                }
                let served = entered.iter().filter(|(_, before)| before.borrow().is_none()).count();
                prop_assert_eq!(queue.state().served, served);
                prop_assert!(served <= places);
                prop_assert!(served >= 1 || entered.is_empty(), "somebody is served");
                let mut before: Vec<usize> = entered.iter().filter_map(|(_, before)| *before.borrow()).collect();
                before.sort_unstable();
                prop_assert!(before.iter().copied().eq(0..before.len()), "{:?}", before);
            }
            drop(entered);
            prop_assert_eq!(queue.state().served, 0);
        }
    }
}
