//! What people say to a node while its run is at work.

use std::sync::Arc;

use protocol::{AccountId, Body, NodeId, Told};

use crate::{
    InputError, NodeContext, NodeError,
    command::CommandError,
    execution::MOST_STAGED,
    input::{LONGEST_ANSWER, invalid},
    run_log::RunLog,
};

/// The most messages that wait for a node.
const MOST_WAITING: usize = 100;

/// What a person has said to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The account.
    pub by: AccountId,
    /// What was said.
    pub text: String,
}

impl NodeContext {
    /// What people have told this node since it last looked, oldest first. A visit that is repeated after a crash
    /// is told the same at the same place. What no visit takes is there for the next one.
    ///
    /// # Errors
    /// The log holds another call at this place: it is that of another version. Or it cannot be written: every look is
    /// an event, and a node that looks all the time waits for the disk.
    pub async fn inbox(&self) -> Result<Vec<Message>, NodeError> {
        let visit = self.shared();
        let heard = visit.log.hear(&visit.plan.id, self.next_call())?;
        if visit.log.staged() >= MOST_STAGED {
            visit.log.flush().await?;
        }
        Ok(heard)
    }
}

/// Takes what a person says to a node.
pub(crate) async fn tell(
    log: &Arc<RunLog>,
    node: &NodeId,
    content: String,
    by: AccountId,
) -> Result<(), CommandError> {
    if content.trim().is_empty() || content.len() > LONGEST_ANSWER {
        return Err(invalid("Say something, in at most 64 KiB.").into());
    }
    let waiting = {
        let progress = log.progress();
        progress.graph.number(node).map(|_| progress.waiting_messages(node))
    };
    match waiting {
        None => return Err(InputError::NoSuchNode(node.clone()).into()),
        Some(waiting) if waiting >= MOST_WAITING => {
            return Err(InputError::Unread(node.clone()).into());
        }
        Some(_) => {}
    }
    let told = Body::Told(Told { content: content.into(), by });
    Ok(log.append(Some(node), vec![told]).await?)
}
