//! A WebSocket that comes back by itself.

use std::{cell::RefCell, future::poll_fn, rc::Rc, time::Duration};

use futures::{
    FutureExt, SinkExt, StreamExt,
    channel::{mpsc, oneshot},
    select,
};
use gloo_net::websocket::{Message, State, WebSocketError, futures::WebSocket};
use leptos::{ev, prelude::*, task::spawn_local};
use protocol::Trouble;

use super::{Connection, backoff::wait_after};
use crate::{
    base::at,
    browser::{self, Banner},
};

/// The server's close code for: nothing more will come.
const COMPLETE: u16 = 1000;

/// The server's close code for: what let this page in has ended.
const SIGNED_OUT: u16 = 4401;

/// A connection that lived this long was healthy: the next failure counts as the first.
const HEALTHY_MS: u64 = 10_000;

/// Messages that wait for a frame at most. More come only where no frames are drawn.
const WAITING: usize = 2_000;

/// What a socket is for.
pub(super) struct Listener<Path, Read, Take> {
    /// Path and query to connect to; asked before every attempt.
    pub path: Path,
    /// Reads a message; `None` leaves it out.
    pub read: Read,
    /// Takes what was read since the last frame; `false` asks to connect anew.
    pub take: Take,
}

/// What makes a sleeping or listening socket look up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wake {
    /// The network may be back: try at once.
    Retry,
    /// Something is missing: connect anew.
    Resume,
}

/// How a connection ended.
enum End {
    Complete,
    SignedOut,
    Lost,
    Resume,
}

/// Listens until the caller's owner is gone.
pub(super) fn listen<T: 'static>(
    connection: RwSignal<Connection>,
    listener: Listener<
        impl Fn() -> String + 'static,
        impl Fn(&str) -> Option<T> + 'static,
        impl Fn(Vec<T>) -> bool + 'static,
    >,
) {
    let listener = StoredValue::new_local(Some(listener));
    // Only once the page is taken over; never while it is hydrated.
    Effect::new(move |_| {
        let Some(Some(listener)) = listener.try_update_value(Option::take) else { return };
        let (wake, woken) = mpsc::unbounded();
        wake_on_network(&wake);
        let (alive, gone) = oneshot::channel::<()>();
        on_cleanup(move || drop(alive));
        let Listener { path, read, take } = listener;
        let gathered = Gathered::new(take, wake);
        spawn_local(async move {
            let mut gone = gone.fuse();
            let mut work = Box::pin(keep_connected(connection, path, read, gathered, woken).fuse());
            select! { () = work => {}, _ = gone => {} }
        });
    });
}

/// Tells the socket when the browser is online again, or the person looks again.
fn wake_on_network(wake: &mpsc::UnboundedSender<Wake>) {
    let retry = |wake: &mpsc::UnboundedSender<Wake>| drop(wake.unbounded_send(Wake::Retry));
    let online = window_event_listener(ev::online, {
        let wake = wake.clone();
        move |_| retry(&wake)
    });
    let visible = window_event_listener(ev::visibilitychange, {
        let wake = wake.clone();
        move |_| {
            if !browser::is_hidden() {
                retry(&wake);
            }
        }
    });
    on_cleanup(move || {
        online.remove();
        visible.remove();
    });
}

async fn keep_connected<T: 'static>(
    connection: RwSignal<Connection>,
    path: impl Fn() -> String,
    read: impl Fn(&str) -> Option<T>,
    gathered: Gathered<T>,
    mut woken: mpsc::UnboundedReceiver<Wake>,
) {
    let mut failures = 0;
    loop {
        let begun = browser::now();
        match one_connection(connection, &path(), &read, &gathered, &mut woken).await {
            End::Complete => {
                connection.try_set(Connection::Complete);
                return;
            }
            End::SignedOut => {
                connection.try_set(Connection::Offline);
                // The server leads to where one can sign in.
                browser::reload();
                return;
            }
            // Missing events are no sign of a sick server, but must not make a tight loop.
            End::Resume | End::Lost if browser::now().since(begun) >= HEALTHY_MS => failures = 1,
            End::Resume | End::Lost => failures += 1,
        }
        let is_online = window().navigator().on_line();
        connection.try_set(if is_online { Connection::Reconnecting } else { Connection::Offline });
        sleep_or_wake(wait_after(failures, browser::random()), &mut woken).await;
    }
}

async fn one_connection<T: 'static>(
    connection: RwSignal<Connection>,
    path: &str,
    read: &impl Fn(&str) -> Option<T>,
    gathered: &Gathered<T>,
    woken: &mut mpsc::UnboundedReceiver<Wake>,
) -> End {
    let Some(mut socket) = address(path).and_then(|address| WebSocket::open(&address).ok()) else {
        return End::Lost;
    };
    // Ready once the handshake has gone well or badly. A feed may have nothing to say for long.
    if poll_fn(|context| socket.poll_ready_unpin(context)).await.is_ok()
        && matches!(socket.state(), State::Open)
    {
        connection.try_set(Connection::Live);
    }
    // Gone with the connection: the next one says anew what is the matter.
    let mut banner = None;
    loop {
        select! {
            message = socket.next().fuse() => match message {
                Some(Ok(Message::Text(text))) => {
                    if let Some(trouble) = Trouble::parse(&text) {
                        drop(banner.take());
                        banner = trouble.detail.as_deref().map(in_trouble);
                    } else if let Some(message) = read(&text) {
                        gathered.push(message);
                    }
                }
                Some(Ok(Message::Bytes(_))) => {}
                Some(Err(WebSocketError::ConnectionClose(close))) if close.code == COMPLETE => {
                    gathered.flush();
                    return End::Complete;
                }
                Some(Err(WebSocketError::ConnectionClose(close))) if close.code == SIGNED_OUT => return End::SignedOut,
                Some(Err(_)) | None => return End::Lost,
            },
            wake = woken.next() => if wake == Some(Wake::Resume) {
                return End::Resume;
            },
        }
    }
}

fn in_trouble(detail: &str) -> Banner {
    Banner::show(&format!("{detail} Runs wait meanwhile, and go on by themselves."))
}

async fn sleep_or_wake(wait: Duration, woken: &mut mpsc::UnboundedReceiver<Wake>) {
    let (done, slept) = oneshot::channel::<()>();
    let wake_up = move || {
        // Nobody waits any more where something else woke the socket first.
        done.send(()).ok();
    };
    set_timeout(wake_up, wait);
    let mut slept = slept.fuse();
    loop {
        select! {
            _ = slept => return,
            wake = woken.next() => if wake != Some(Wake::Resume) { return },
        }
    }
}

fn address(path: &str) -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}{}", location.host().ok()?, at(path)))
}

/// Messages that wait for the next frame.
struct Gathered<T>(Rc<GatheredInner<T>>);

struct GatheredInner<T> {
    messages: RefCell<Vec<T>>,
    take: Box<dyn Fn(Vec<T>) -> bool>,
    wake: mpsc::UnboundedSender<Wake>,
}

impl<T: 'static> Gathered<T> {
    fn new(take: impl Fn(Vec<T>) -> bool + 'static, wake: mpsc::UnboundedSender<Wake>) -> Self {
        Self(Rc::new(GatheredInner { messages: RefCell::default(), take: Box::new(take), wake }))
    }

    fn push(&self, message: T) {
        let waiting = {
            let mut messages = self.0.messages.borrow_mut();
            messages.push(message);
            messages.len()
        };
        match waiting {
            1 => self.flush_at_next_frame(),
            WAITING => self.flush(),
            _ => {}
        }
    }

    fn flush_at_next_frame(&self) {
        let inner = Rc::downgrade(&self.0);
        let flush = move || {
            if let Some(inner) = inner.upgrade() {
                Self(inner).flush();
            }
        };
        // A hidden tab draws no frames.
        if browser::is_hidden() {
            set_timeout(flush, Duration::from_millis(250));
        } else {
            request_animation_frame(flush);
        }
    }

    fn flush(&self) {
        let messages = self.0.messages.take();
        if !messages.is_empty() && !(self.0.take)(messages) {
            drop(self.0.wake.unbounded_send(Wake::Resume));
        }
    }
}
