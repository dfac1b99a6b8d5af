//! A socket whose messages each carry a whole document.

use leptos::prelude::*;
use serde::de::DeserializeOwned;

use super::Connection;

/// Listens at `path` (such as `/ws/v1/feed`) for as long as the caller's owner lives, and
/// gives the messages to `take`, at most once for each drawn frame.
#[cfg_attr(not(feature = "hydrate"), allow(unused_variables))]
pub fn use_feed<T: DeserializeOwned + 'static>(
    path: impl Into<String>,
    take: impl Fn(Vec<T>) + 'static,
) -> Signal<Connection> {
    let connection = RwSignal::new(Connection::default());
    #[cfg(feature = "hydrate")]
    {
        use super::socket::{Listener, listen};

        let path = path.into();
        listen(
            connection,
            Listener {
                path: move || path.clone(),
                // Feeds may grow: what this page cannot read is not for it.
                read: |text: &str| serde_json::from_str::<T>(text).ok(),
                take: move |messages: Vec<T>| {
                    take(messages);
                    true
                },
            },
        );
    }
    connection.into()
}
