//! The queues in front of all endpoints.

use std::{
    collections::HashMap,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use genai::adapter::AdapterKind;
use reqwest::Url;

use crate::fair_queue::FairQueue;

/// What has one queue in front of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Endpoint {
    /// Whatever answers at this scheme, host and port, below any path.
    At(String),
    /// A provider that is asked in its own protocol.
    Native(AdapterKind),
}

impl Endpoint {
    pub(crate) fn at(url: &Url) -> Self {
        Self::At(url.origin().ascii_serialization())
    }
}

/// The queues in front of the endpoints. Clones share them: all [`Provider`](crate::Provider)s that are made with
/// the same queues send an endpoint together no more requests at once than the smallest of their settings allows.
#[derive(Clone, Debug, Default)]
pub struct EndpointQueues(Arc<Mutex<HashMap<Endpoint, Arc<FairQueue>>>>);

impl EndpointQueues {
    /// The queue of an endpoint, which has at most these places from now on.
    pub(crate) fn of(&self, endpoint: Endpoint, places: NonZeroUsize) -> Arc<FairQueue> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(endpoint).or_insert_with(|| FairQueue::new(places));
        queue.at_most(places);
        queue.clone()
    }
}
