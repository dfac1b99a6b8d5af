//! The logs of runs, read as the wire needs them.

use std::sync::Arc;

use protocol::{Body, Event, Problem};
use wire::autogen::Stream;

use crate::{scope::Readable, service::MOST_EVENTS, texts::Texts};

/// All of a run's log so far.
pub(super) async fn whole(run: &Readable<'_>, texts: &Texts) -> Result<Stream, Problem> {
    let (mut stream, mut after) = (Stream::default(), 0);
    loop {
        let events = run.read(after, MOST_EVENTS).await?;
        let Some(last) = events.last() else { return Ok(stream) };
        after = last.seq;
        for mut event in events.into_iter().map(Arc::new) {
            load(texts, &mut event).await?;
            stream.apply(&event);
        }
    }
}

/// Makes the texts of an event whole that the wire tells.
pub(super) async fn load(texts: &Texts, event: &mut Arc<Event>) -> Result<(), Problem> {
    let told = match &event.body {
        Body::Produced(product) => &product.data,
        Body::CallFinished(finished) => &finished.cut_off,
        _ => return Ok(()),
    };
    if told.stored().is_none() { Ok(()) } else { texts.load_into(Arc::make_mut(event)).await }
}
