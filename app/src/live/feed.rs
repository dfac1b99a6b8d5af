//! A socket whose messages each stand for themselves.

use leptos::prelude::*;

use super::Connection;

/// Listens at `path` (such as `/ws/v1/feed`) for as long as the caller's owner lives, and
/// gives what `read` makes of the messages to `take`, at most once for each drawn frame.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
pub fn use_feed<T: 'static>(
    path: impl Into<String>,
    read: impl Fn(&str) -> Option<T> + 'static,
    take: impl Fn(Vec<T>) + 'static,
) -> Signal<Connection> {
    let connection = RwSignal::new(Connection::default());
    #[cfg(feature = "hydrate")]
    {
        use super::{
            Taken,
            listener::{Listener, listen},
        };
        use crate::legible::{LONGEST_REMARK, legible_json};

        let path = path.into();
        listen(
            connection,
            Listener {
                path: move || path.clone(),
                // Feeds may grow: what this page cannot read is not for it.
                read: move |text: &str| read(&legible_json(text, LONGEST_REMARK)),
                take: move |messages: Vec<T>| {
                    take(messages);
                    Taken::UpToDate
                },
            },
        );
    }
    connection.into()
}
