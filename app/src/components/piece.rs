//! Parts of a page that are taken over one after another.

use leptos::prelude::*;
#[cfg(feature = "hydrate")]
use {
    crate::browser,
    leptos::{
        html,
        tachys::view::{RenderHtml, any_view::AnyViewState},
    },
    std::{
        cell::{Cell, RefCell},
        collections::VecDeque,
        time::Duration,
    },
};

/// A part of a page. Where the server rendered it, it is taken over in a task of its own, after what stands around
/// the pieces: the browser draws and hears the person between two of them, also on a slow phone.
///
/// Data that the server sends along is told apart by the order in which it is asked for, so that nothing in a piece
/// may ask for any: no `Resource`, no `Suspense`, and no part of the document's head.
#[component]
pub fn Piece(
    /// The part.
    children: Children,
) -> impl IntoView {
    #[cfg(feature = "hydrate")]
    if IS_TAKING_OVER.get()
        || Owner::current_shared_context().is_some_and(|context| context.during_hydration())
    {
        return later(children);
    }
    view! { <div class="piece">{children()}</div> }.into_any()
}

#[cfg(feature = "hydrate")]
thread_local! {
    /// The pieces that are not taken over yet.
    static WAITING: RefCell<VecDeque<RwSignal<bool>>> = const { RefCell::new(VecDeque::new()) };
    /// Whether a piece is being taken over: those in it are, too.
    static IS_TAKING_OVER: Cell<bool> = const { Cell::new(false) };
}

/// Takes over all pieces of the page that was loaded, in their order.
#[cfg(feature = "hydrate")]
pub async fn take_over_pieces() {
    loop {
        browser::sleep(Duration::ZERO).await;
        let Some(piece) = WAITING.with_borrow_mut(VecDeque::pop_front) else { return };
        // It is gone where the page was left in the meantime.
        piece.try_set(true);
    }
}

/// The piece's element as the server rendered it, whose content waits for its turn.
#[cfg(feature = "hydrate")]
fn later(children: Children) -> AnyView {
    let place = NodeRef::<html::Div>::new();
    let is_due = RwSignal::new(false);
    let mut children = Some(children);
    // The effect keeps what it took over for as long as the piece is there.
    Effect::new(move |taken_over: Option<Option<AnyViewState>>| {
        if !is_due.get() {
            return None;
        }
        let (Some(place), Some(children)) = (place.get_untracked(), children.take()) else {
            return taken_over.flatten();
        };
        IS_TAKING_OVER.set(true);
        let taken_over = untrack(|| children().hydrate_from::<true>(&place));
        IS_TAKING_OVER.set(false);
        Some(taken_over)
    });
    WAITING.with_borrow_mut(|waiting| waiting.push_back(is_due));
    view! { <div class="piece" node_ref=place></div> }.into_any()
}
