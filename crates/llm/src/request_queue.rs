//! The line at an endpoint: how many requests it serves at once, and who is next.

use std::{
    collections::VecDeque,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use protocol::RunId;
use tokio::{sync::watch, time::Instant};

/// How long an endpoint that refused is given fewer requests at once.
const NARROW_FOR: Duration = Duration::from_secs(60);

/// A line in which runs take turns, and the requests of one run are served in the order in which they came.
#[derive(Debug)]
pub(crate) struct RequestQueue {
    /// Requests that are served at once.
    places: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests that are being served.
    served: usize,
    /// Those that wait: a queue for each run, the run whose turn is next first.
    waiting: VecDeque<(Option<RunId>, VecDeque<Waiting>)>,
    /// What a refusal has taught: so many at once, until then.
    learned: Option<(usize, Instant)>,
    /// Numbers the requests.
    next: u64,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    /// How many are served before it; `None` when it is served.
    before: watch::Sender<Option<usize>>,
}

impl RequestQueue {
    pub(crate) fn new(places: NonZeroUsize) -> Arc<Self> {
        Arc::new(Self { places: places.get(), state: Mutex::default() })
    }

    /// Waits for a place, and says how many are served before whenever that changes. Nothing is said if
    /// there is a place at once. Dropping the future leaves the line; dropping the place gives it back.
    pub(crate) async fn place(self: &Arc<Self>, run: Option<RunId>, mut say: impl FnMut(usize)) -> Place {
        let (place, mut before) = self.enter(run);
        let mut said = None;
        loop {
            let now = *before.borrow_and_update();
            let Some(number) = now else { return place };
            if said.replace(number) != now {
                say(number);
            }
            // The sender is kept in the line as long as the place is.
            if before.changed().await.is_err() {
                return place;
            }
        }
    }

    /// The endpoint refused, because it serves too many at once: fewer are sent to it for a while.
    pub(crate) fn narrow(&self) {
        let mut state = self.state();
        let fewer = state.served.saturating_sub(1).max(1);
        // A late refusal must not undo what an earlier one has taught.
        let known = state.learned.filter(|(_, until)| Instant::now() < *until).map(|(known, _)| known);
        let fewer = known.map_or(fewer, |known| known.min(fewer));
        state.learned = Some((fewer, Instant::now() + NARROW_FOR));
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
        state.serve(self.places);
        (Place { line: self.clone(), number }, receiver)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Serves as many as there are places for, and tells the others where they stand.
    fn serve(&mut self, places: usize) {
        let learned = self.learned.filter(|(_, until)| Instant::now() < *until);
        let places = learned.map_or(places, |(fewer, _)| fewer.min(places));
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

    /// Turn by turn: first the first of each run, then the second of each.
    fn tell(&self) {
        let longest = self.waiting.iter().map(|(_, queue)| queue.len()).max().unwrap_or_default();
        let turns =
            (0..longest).flat_map(|turn| self.waiting.iter().filter_map(move |(_, queue)| queue.get(turn)));
        for (before, waiting) in turns.enumerate() {
            waiting.before.send_if_modified(|known| known.replace(before) != Some(before));
        }
    }

    /// Takes a request out of the line, or gives its place back.
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

/// A place in the line: before an endpoint at first, and at it when it is served.
#[derive(Debug)]
pub(crate) struct Place {
    line: Arc<RequestQueue>,
    number: u64,
}

impl Place {
    /// The endpoint said that it serves too many at once.
    pub(crate) fn narrow(&self) {
        self.line.narrow();
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.line.state();
        state.leave(self.number);
        state.serve(self.line.places);
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt, poll};
    use proptest::prelude::*;

    use super::*;

    fn line(places: usize) -> Arc<RequestQueue> {
        RequestQueue::new(NonZeroUsize::new(places).unwrap())
    }

    fn run(number: u128) -> Option<RunId> {
        Some(format!("01890000-0000-7000-8000-{number:012}").parse().unwrap())
    }

    #[test]
    fn runs_take_turns_and_each_hears_where_it_stands() {
        let line = line(1);
        let mut entered: Vec<_> = [1, 1, 1, 1, 2].map(|number| line.enter(run(number))).into();
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
        let line = line(1);
        let first = line.place(run(1), |_| panic!("there is a place")).await;
        let mut heard = Vec::new();
        {
            let mut waiting = pin!(line.place(run(1), |before| heard.push(before)));
            assert!(poll!(&mut waiting).is_pending());
            let other = line.enter(run(1));
            assert!(poll!(&mut waiting).is_pending());
            drop(other);
            drop(first);
            let _place = waiting.await;
        }
        assert_eq!(heard, [0]);
    }

    #[tokio::test]
    async fn whoever_leaves_the_line_makes_room() {
        let line = line(1);
        let served = line.place(None, |_| ()).await;
        let mut patient = pin!(line.place(run(2), |_| ()));
        {
            let mut impatient = pin!(line.place(run(1), |_| ()));
            assert!(poll!(&mut impatient).is_pending());
            assert!(poll!(&mut patient).is_pending());
        }
        // Served and dropped before it noticed: the place goes on to the next.
        {
            let mut unaware = pin!(line.place(run(3), |_| ()));
            assert!(poll!(&mut unaware).is_pending());
            drop(served);
            let place = (&mut patient).await;
            drop(place);
        }
        assert!(line.place(None, |_| ()).now_or_never().is_some());
        assert_eq!(line.state().served, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_narrows_the_line_for_a_while() {
        let line = line(4);
        let mut places = Vec::new();
        for _ in 0..3 {
            places.push(line.place(None, |_| ()).await);
        }
        places[2].narrow();
        drop(places.pop());
        assert!(line.place(None, |_| ()).now_or_never().is_none(), "two at once");
        drop(places.pop());
        places.push(line.place(None, |_| ()).now_or_never().unwrap());
        tokio::time::advance(NARROW_FOR).await;
        for _ in 0..2 {
            places.push(line.place(None, |_| ()).now_or_never().unwrap());
        }
        // Whatever is refused, one is always served.
        places.clear();
        let only = line.place(None, |_| ()).await;
        only.narrow();
        drop(only);
        assert!(line.place(None, |_| ()).now_or_never().is_some());
    }

    proptest! {
        /// Requests of three runs enter, finish or leave in any order.
        #[test]
        fn nobody_is_forgotten_and_no_place_is_lost(places in 1..4_usize, steps in prop::collection::vec((0..4_u128, any::<prop::sample::Index>(), any::<bool>()), 0..60)) {
            let line = line(places);
            let mut entered: Vec<(Place, watch::Receiver<Option<usize>>)> = Vec::new();
            for (who, which, narrow) in steps {
                if who < 3 {
                    entered.push(line.enter(run(who)));
                } else if !entered.is_empty() {
                    let (place, _) = entered.swap_remove(which.index(entered.len()));
                    if narrow {
                        place.narrow();
                    }
                }
                let served = entered.iter().filter(|(_, before)| before.borrow().is_none()).count();
                prop_assert_eq!(line.state().served, served);
                prop_assert!(served <= places);
                prop_assert!(served >= 1 || entered.is_empty(), "somebody is served");
                let mut before: Vec<usize> = entered.iter().filter_map(|(_, before)| *before.borrow()).collect();
                before.sort_unstable();
                prop_assert!(before.iter().copied().eq(0..before.len()), "{:?}", before);
            }
            drop(entered);
            prop_assert_eq!(line.state().served, 0);
        }
    }
}
