use journal::{Epoch, Journal, Subscription};
use proptest::prelude::*;
use protocol::{NewEvent, RunId, RunStatus};

use crate::sample::{Place, finished, line, new_run, said, started};

const RUNS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Append {
        run: usize,
        count: usize,
    },
    Subscribe {
        run: usize,
        after: u64,
    },
    /// One subscriber takes one answer, if one is there.
    Read {
        subscriber: usize,
    },
    Finish {
        run: usize,
    },
    Reopen,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    let run = 0..RUNS;
    prop_oneof![
        8 => (run.clone(), prop_oneof![4 => 1..6_usize, 1 => 200..700_usize])
            .prop_map(|(run, count)| Step::Append { run, count }),
        4 => (run.clone(), prop_oneof![2 => 0..20_u64, 1 => 0..900_u64])
            .prop_map(|(run, after)| Step::Subscribe { run, after }),
        8 => (0..64_usize).prop_map(|subscriber| Step::Read { subscriber }),
        1 => run.prop_map(|run| Step::Finish { run }),
        1 => Just(Step::Reopen),
        1 => Just(Step::Crash),
    ]
}

struct Run {
    id: RunId,
    epoch: Epoch,
    messages: Vec<String>,
    over: bool,
}

struct Reader {
    run: usize,
    /// `None` where it asked before the run had events.
    cursor: Option<Subscription>,
    after: u64,
    seen: Vec<(u64, String)>,
}

impl Reader {
    async fn subscribe(journal: &Journal, runs: &[Run], run: usize, after: u64) -> Self {
        let cursor = journal.subscribe(runs[run].id, after).await;
        assert_eq!(cursor.is_ok(), !runs[run].messages.is_empty());
        Self { run, cursor: cursor.ok(), after, seen: Vec::new() }
    }

    /// Takes what is there, at most `answers` times.
    async fn take(&mut self, runs: &[Run], answers: usize) {
        let Some(cursor) = &mut self.cursor else { return };
        let committed = runs[self.run].messages.len() as u64;
        for _ in 0..answers {
            if cursor.position() >= committed {
                return;
            }
            let events = cursor.next().await.unwrap().expect("there is more");
            assert!(!events.is_empty());
            for encoded in events {
                let event = encoded.decode().unwrap();
                assert_eq!(event.seq, encoded.seq);
                self.seen.push((event.seq, content(event.body)));
            }
        }
    }

    async fn check(&mut self, runs: &[Run]) {
        self.take(runs, usize::MAX).await;
        let Some(cursor) = &mut self.cursor else { return };
        let numbered = (1..).zip(runs[self.run].messages.iter().cloned());
        let suffix: Vec<_> = numbered.filter(|(seq, _)| *seq > self.after).collect();
        assert_eq!(self.seen, suffix);
        if runs[self.run].over {
            assert!(cursor.next().await.unwrap().is_none());
            assert!(cursor.next().await.unwrap().is_none());
        }
    }
}

/// What tells an event from its neighbours.
fn content(body: protocol::Body) -> String {
    match body {
        protocol::Body::Logged(line) => line.message,
        protocol::Body::Said(said) => said.content.shown().chars().take(10).collect(),
        other => other.kind().to_owned(),
    }
}

/// The `count` next events of a log that has `length` already, and what they are known by.
fn next_events(length: usize, count: usize) -> (Vec<NewEvent>, Vec<String>) {
    (length..length + count)
        .map(|index| match index {
            0 => (started(), "run_started".to_owned()),
            _ if index % 40 == 7 => {
                let mark = format!("{index:010}");
                (said(&mark.repeat(500)), mark)
            }
            _ => (line(&format!("line {index}")), format!("line {index}")),
        })
        .unzip()
}

async fn play(steps: Vec<Step>) {
    let mut place = Place::new();
    let mut journal = place.open().await;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let id = new_run();
        runs.push(Run { id, epoch: journal.claim(id).await.unwrap(), messages: Vec::new(), over: false });
    }
    let mut readers: Vec<Reader> = Vec::new();
    for step in steps {
        match step {
            Step::Append { run, count } => {
                let run = &mut runs[run];
                let (events, messages) = next_events(run.messages.len(), count);
                let added = journal.append(run.id, run.epoch, events).await;
                assert_eq!(added.is_err(), run.over);
                if !run.over {
                    run.messages.extend(messages);
                }
            }
            Step::Finish { run } => {
                let run = &mut runs[run];
                if !run.messages.is_empty() && !run.over {
                    journal.append(run.id, run.epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
                    run.messages.push("run_finished".into());
                    run.over = true;
                }
            }
            Step::Subscribe { run, after } => {
                readers.push(Reader::subscribe(&journal, &runs, run, after).await);
            }
            Step::Read { subscriber } => {
                let count = readers.len().max(1);
                if let Some(reader) = readers.get_mut(subscriber % count) {
                    reader.take(&runs, 1).await;
                }
            }
            Step::Reopen | Step::Crash => {
                for mut reader in readers.drain(..) {
                    reader.check(&runs).await;
                }
                if matches!(step, Step::Crash) {
                    let left_behind = place.copy_as_after_a_crash();
                    journal.close().await;
                    place = left_behind;
                } else {
                    journal.close().await;
                }
                journal = place.open().await;
                for run in &mut runs {
                    run.epoch = journal.claim(run.id).await.unwrap();
                }
            }
        }
    }
    for mut reader in readers {
        reader.check(&runs).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the order of appends, subscriptions, reads, restarts and crashes.
    /// AgentOS E 3.
    #[test]
    fn every_subscriber_gets_exactly_the_suffix_each_number_once_in_order(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(play(steps));
    }
}

/// The same with real concurrency: writers and readers race.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_race_with_writers_get_every_number_once() {
    let place = Place::new();
    let journal = place.open().await;
    let mut writers = tokio::task::JoinSet::new();
    let mut readers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let id = new_run();
        let epoch = journal.claim(id).await.unwrap();
        journal.append(id, epoch, vec![started()]).await.unwrap();
        for part in 0..8_u64 {
            let journal = journal.clone();
            readers.spawn(async move {
                // Some begin at once, some when the log is long already.
                while journal.last_seq(id).await.unwrap() < Some(part * 100) {
                    tokio::task::yield_now().await;
                }
                let after = part * 50;
                let mut cursor = journal.subscribe(id, after).await.unwrap();
                let mut expected = after + 1;
                while let Some(events) = cursor.next().await.unwrap() {
                    for event in events {
                        assert_eq!(event.seq, expected);
                        expected += 1;
                    }
                }
                assert_eq!(expected, 1003);
            });
        }
        let journal = journal.clone();
        writers.spawn(async move {
            for batch in 0..200 {
                let (events, _) = next_events(1 + batch * 5, 5);
                journal.append(id, epoch, events).await.unwrap();
            }
            journal.append(id, epoch, vec![finished(RunStatus::Succeeded)]).await.unwrap();
        });
    }
    writers.join_all().await;
    readers.join_all().await;
}
