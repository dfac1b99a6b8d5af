//! Listens to the server, by whichever way gets through, and comes back by itself.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures::{
    FutureExt, StreamExt,
    channel::{mpsc, oneshot},
    select_biased,
};
use leptos::{ev, prelude::*, task::spawn_local};
use protocol::{Timestamp, Trouble};

use super::{
    Connection, Heartbeat, Obstacle, Taken,
    backoff::wait_after,
    gathered::Gathered,
    route::{self, Way},
    transport::{End, Heard, NotOpened, Transport},
};
use crate::browser::{self, Banner, sleep};

/// What is listened to.
pub(super) struct Listener<Path, Read, Take> {
    /// Path and query to connect to; asked before every attempt.
    pub path: Path,
    /// Reads a message; `None` leaves it out.
    pub read: Read,
    /// Takes what was read since the last frame. Where something is missing, it is connected anew.
    pub take: Take,
}

/// What makes a listener look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// The person comes back, or the network does: is the server still there?
    Ask,
    /// Something is missing: connect anew.
    Resume,
}

/// Wakes that may wait for a listener; one of a kind says all.
const WAKES: usize = 4;

/// Listens until the caller's owner is gone.
pub(super) fn listen<T: 'static>(
    connection: RwSignal<Connection>,
    listener: Listener<
        impl Fn() -> String + 'static,
        impl Fn(&str) -> Option<T> + 'static,
        impl Fn(Vec<T>) -> Taken + 'static,
    >,
) {
    let mut listener = Some(listener);
    // Only once the page is taken over; never while it is hydrated.
    Effect::new(move |_| {
        let Some(listener) = listener.take() else { return };
        let (wake, woken) = mpsc::channel(WAKES);
        wake_when_somebody_comes_back(&wake);
        let (alive, gone) = oneshot::channel::<()>();
        on_cleanup(move || drop(alive));
        let Listener { path, read, take } = listener;
        let wake = RefCell::new(wake);
        let shown = ShownConnection { connection, once_up_to_date: Rc::default() };
        let after = {
            let shown = shown.clone();
            move |taken| match taken {
                Taken::UpToDate => shown.is_up_to_date(),
                Taken::Behind => {}
                Taken::Missing => wake_up(&wake, Wake::Resume),
            }
        };
        let listening = Listening {
            shown,
            path,
            read,
            gathered: Gathered::new(take, after),
            woken,
            heartbeat: Heartbeat::of_page(),
            heard_at: browser::now(),
        };
        spawn_local(async move {
            let mut gone = gone.fuse();
            let mut work = Box::pin(listening.keep_connected().fuse());
            select_biased! { _ = gone => {}, () = work => {} }
        });
    });
}

/// Each sender has one place of its own besides the channel's, so none is cloned to send.
fn wake_up(wake: &RefCell<mpsc::Sender<Wake>>, why: Wake) {
    // Where so many wait already, it does look up.
    drop(wake.borrow_mut().try_send(why));
}

fn wake_when_somebody_comes_back(wake: &mpsc::Sender<Wake>) {
    let ask = || {
        let wake = RefCell::new(wake.clone());
        move || wake_up(&wake, Wake::Ask)
    };
    let (online, visible, shown) = (ask(), ask(), ask());
    let online = window_event_listener(ev::online, move |_| online());
    let visible = window_event_listener(ev::visibilitychange, move |_| {
        if !browser::is_hidden() {
            visible();
        }
    });
    // Also of a page that the browser had put aside.
    let shown = window_event_listener(ev::pageshow, move |_| shown());
    on_cleanup(move || {
        online.remove();
        visible.remove();
        shown.remove();
    });
}

/// How a connection, or an attempt at one, ended.
enum Outcome {
    /// The server ended it, or it was lost.
    Ended(End),
    /// A socket met something on its way.
    Blocked(Obstacle),
    /// The server was not reached without a socket, either.
    Unreachable,
    /// Something is missing.
    Resume,
    /// Another way is better.
    Switch,
}

/// What the page says of its connection.
#[derive(Clone)]
struct ShownConnection {
    connection: RwSignal<Connection>,
    /// What it is once all has come that the server had to tell; `None` while there is no connection.
    once_up_to_date: Rc<Cell<Option<Connection>>>,
}

impl ShownConnection {
    fn set(&self, connection: Connection) {
        self.connection.try_set(connection);
    }

    /// There is a connection. What the page shows is what is only when it is up to date.
    fn opens(&self, connection: Connection) {
        self.once_up_to_date.set(Some(connection));
    }

    fn is_up_to_date(&self) {
        if let Some(connection) = self.once_up_to_date.get() {
            self.set(connection);
        }
    }

    /// The connection goes another way than it seemed to.
    fn goes(&self, connection: Connection) {
        if self.once_up_to_date.replace(Some(connection)) == self.connection.try_get_untracked() {
            self.set(connection);
        }
    }

    fn is_live(&self) -> bool {
        matches!(self.connection.try_get_untracked(), Some(Connection::Live | Connection::WithoutSocket(_)))
    }
}

struct Listening<Path, Read, T> {
    shown: ShownConnection,
    path: Path,
    read: Read,
    gathered: Gathered<T>,
    woken: mpsc::Receiver<Wake>,
    heartbeat: Heartbeat,
    /// When the server was last heard.
    heard_at: Timestamp,
}

impl<T: 'static, Path: Fn() -> String, Read: Fn(&str) -> Option<T>> Listening<Path, Read, T> {
    async fn keep_connected(mut self) {
        let mut failures = 0;
        // What the server says why it refuses, until the next attempt.
        let mut banner = None;
        loop {
            let (way, begun) = (route::way(), browser::now());
            let outcome = self.one_connection(way).await;
            self.shown.once_up_to_date.set(None);
            drop(banner.take());
            let soon = browser::now().since(begun) < as_millis(self.heartbeat.attempt());
            match outcome {
                Outcome::Ended(End::Complete) => {
                    self.gathered.flush();
                    self.shown.set(Connection::Complete);
                    return;
                }
                Outcome::Ended(End::SignedOut) => {
                    self.shown.set(Connection::Offline { as_of: self.heard_at });
                    // The server leads to where one can sign in.
                    browser::reload();
                    return;
                }
                Outcome::Switch => continue,
                Outcome::Blocked(obstacle) => {
                    // Whether it is the socket or the server is seen by the other way.
                    route::is_blocked(obstacle);
                    continue;
                }
                Outcome::Unreachable => route::is_open(),
                Outcome::Ended(End::Refused(detail)) => {
                    route::is_open();
                    banner = Some(Banner::show(&detail));
                }
                Outcome::Ended(End::Lost) if way == Way::Socket => route::socket_ended(soon),
                Outcome::Ended(End::Lost) | Outcome::Resume => {}
            }
            // Missing events are no sign of a sick server, but must not make a tight loop.
            failures = if soon { failures + 1 } else { 1 };
            self.say_that_it_is_lost();
            self.rest(wait_after(failures, browser::random())).await;
        }
    }

    fn say_that_it_is_lost(&self) {
        let (is_online, as_of) = (browser::is_online(), self.heard_at);
        self.shown.set(match is_online {
            true => Connection::Reconnecting { as_of },
            false => Connection::Offline { as_of },
        });
    }

    /// Shows that the connection was lost, if the page still says that it is live. While the first attempt is
    /// under way there is none to lose.
    fn lose_what_was_live(&self) {
        if self.shown.is_live() {
            self.say_that_it_is_lost();
        }
    }

    async fn one_connection(&mut self, way: Way) -> Outcome {
        let path = (self.path)();
        let mut opening = Box::pin(Transport::open(way, &path, self.heartbeat).fuse());
        let opened = select_biased! {
            opened = opening => opened,
            () = sleep(self.heartbeat.tick()).fuse() => {
                // The previous connection is closed already, also where only the way changes.
                self.lose_what_was_live();
                opening.await
            }
        };
        let (mut transport, first) = match opened {
            Ok(opened) => opened,
            Err(NotOpened::Ended(End::Lost)) => return Outcome::Unreachable,
            Err(NotOpened::Ended(end)) => return Outcome::Ended(end),
            Err(NotOpened::Met(obstacle)) if way == Way::Socket => return Outcome::Blocked(obstacle),
            Err(NotOpened::Met(_)) => return Outcome::Unreachable,
        };
        self.shown.opens(match way {
            Way::Polls { obstacle, is_certain: true } => Connection::WithoutSocket(obstacle),
            Way::Socket | Way::Polls { .. } => Connection::Live,
        });
        let shown = self.shown.clone();
        let mut probe = Box::pin(find_a_socket(&shown, way, &path, self.heartbeat).fuse());
        // Gone with the connection: the next one says anew what is the matter.
        let mut trouble = None;
        self.take(first, &mut trouble);
        if self.gathered.is_empty() {
            self.shown.is_up_to_date();
        }
        let (mut quiet, mut is_asked, mut is_heard) = (0, false, false);
        let tick = self.heartbeat.tick();
        let mut ticking = Box::pin(sleep(tick).fuse());
        loop {
            select_biased! {
                heard = transport.next().fuse() => match heard {
                    Ok(heard) => {
                        // Other messages may have been on their way before a connection died.
                        is_asked &= !heard.is_answer();
                        (quiet, is_heard) = (0, true);
                        self.take(heard, &mut trouble);
                    }
                    Err(end) => return Outcome::Ended(end),
                },
                wake = self.woken.next() => match wake {
                    Some(Wake::Resume) => return Outcome::Resume,
                    Some(Wake::Ask) => {
                        transport.ask();
                        (is_asked, is_heard) = (true, false);
                        ticking = Box::pin(sleep(tick).fuse());
                    }
                    None => {}
                },
                () = probe => return Outcome::Switch,
                () = ticking => {
                    ticking = Box::pin(sleep(tick).fuse());
                    quiet += 1;
                    if std::mem::take(&mut is_heard) {
                        // What was asked may still stand behind other messages.
                    } else if is_asked {
                        match transport.look().await {
                            Some(Ok(heard)) => {
                                is_asked &= !heard.is_answer();
                                quiet = 0;
                                self.take(heard, &mut trouble);
                            }
                            Some(Err(end)) => return Outcome::Ended(end),
                            None => return Outcome::Ended(End::Lost),
                        }
                    } else if quiet >= Heartbeat::QUIET_TICKS {
                        transport.ask();
                        is_asked = true;
                    }
                },
            }
            if way != Way::Socket && route::way() == Way::Socket {
                return Outcome::Switch;
            }
        }
    }

    fn take(&mut self, heard: Heard, trouble: &mut Option<Banner>) {
        if let Some(time) = heard.server_time() {
            browser::told(time);
        }
        self.heard_at = browser::now();
        if heard.is_answer() {
            return;
        }
        let Heard::Message(text) = heard else { return };
        if let Some(now) = Trouble::parse(&text) {
            drop(trouble.take());
            *trouble = now.detail.as_deref().map(in_trouble);
        } else if let Some(message) = (self.read)(&text) {
            self.gathered.push(message);
        }
    }

    /// Waits, unless somebody comes back before.
    async fn rest(&mut self, wait: Duration) {
        let mut slept = Box::pin(sleep(wait).fuse());
        loop {
            select_biased! {
                () = slept => return,
                wake = self.woken.next() => if wake != Some(Wake::Resume) { return },
            }
        }
    }
}

/// Returns once a socket gets through, where there is none.
async fn find_a_socket(shown: &ShownConnection, way: Way, path: &str, heartbeat: Heartbeat) {
    let Way::Polls { is_certain, .. } = way else { return std::future::pending().await };
    // At first, nobody knows whether the socket met a proxy or a server that was just away.
    let mut wait = if is_certain { heartbeat.probe() } else { Duration::ZERO };
    loop {
        sleep(wait).await;
        match Transport::try_socket(path, heartbeat).await {
            Ok(()) => return route::is_open(),
            Err(obstacle) => {
                route::is_certainly_blocked(obstacle);
                shown.goes(Connection::WithoutSocket(obstacle));
            }
        }
        wait = heartbeat.probe();
    }
}

fn as_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn in_trouble(detail: &str) -> Banner {
    Banner::show(&format!("{detail} Runs wait meanwhile, and go on by themselves."))
}
