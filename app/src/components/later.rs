//! Parts of a page that a browser takes over after the page itself, each in a task of its own.
//!
//! They are drawn by the server and seen at once. A phone that takes over a whole page in one task answers nothing
//! until it has run all of the page's code once; in several tasks it answers in between.

#[cfg(feature = "hydrate")]
use std::{cell::RefCell, time::Duration};

use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use leptos::{
    html::Div,
    tachys::{
        hydration::Cursor,
        view::{Position, PositionState, any_view::AnyViewState},
    },
};

use crate::browser;

#[cfg(feature = "hydrate")]
type Rest = Vec<Box<dyn FnOnce()>>;

#[cfg(feature = "hydrate")]
thread_local! {
    /// What is left for later, in the order of the page; `None` once the page is taken over.
    static REST: RefCell<Option<Rest>> = const { RefCell::new(Some(Vec::new())) };
}

/// Children that a document's program takes over late. They may not make a [`Resource`] or a boundary that waits for
/// one: these find what the server has read for them by the order in which a page makes them.
#[component]
pub fn Later(children: Children) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    if REST.with_borrow(Option::is_some) {
        let place = NodeRef::<Div>::new();
        // What is taken over lives as long as the place that it stands in.
        #[expect(clippy::disallowed_methods, reason = "a browser's page has one thread, which also drops it")]
        let state = StoredValue::new_local(None::<AnyViewState>);
        let owner = Owner::current().unwrap_or_default();
        let take_over = move || {
            let Some(place) = place.try_get_untracked().flatten() else { return };
            let view = owner.with(|| {
                let position = PositionState::new(Position::FirstChild);
                children().hydrate::<true>(&Cursor::new(place.into()), &position)
            });
            state.try_set_value(Some(view));
        };
        REST.with_borrow_mut(|rest| rest.as_mut().map(|rest| rest.push(Box::new(take_over))));
        return view! { <div class="later" node_ref=place></div> }.into_any();
    }
    view! { <div class="later">{children()}</div> }.into_any()
}

/// Takes over what was left for later. To be called once, as soon as the document's page is taken over.
#[cfg(feature = "hydrate")]
pub async fn take_over_the_rest() {
    for take_over in REST.take().unwrap_or_default() {
        // Lets the browser answer what has happened since.
        browser::sleep(Duration::ZERO).await;
        take_over();
    }
}

/// Does something once a frame is drawn of a page that is alive: what appears after that is news.
pub fn once_alive(act: impl FnOnce() + 'static) {
    request_animation_frame(move || if browser::is_alive() { act() } else { once_alive(act) });
}
