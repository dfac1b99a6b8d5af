//! Commands from people to an active run. The executor takes them one after the other, so that the first
//! valid answer wins and the state changes in the order of the log.

use std::sync::Arc;

use journal::JournalError;
use protocol::{AccountId, Approval, ApprovalChanged, Body, InputReceived, NodeId};
use tokio::sync::{mpsc, oneshot};

use crate::{
    inbox,
    input::{self, InputError},
    run_log::{RunLog, leaves_run},
};

/// Capacity of the queue of commands; beyond it, senders wait (backpressure).
const WAITING: usize = 32;

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{0}")]
    Input(#[from] InputError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The run ended before the command was taken.
    #[error("The run is over.")]
    Over,
}

enum Order {
    Answer(InputReceived),
    SetApproval(Approval, AccountId),
    Tell { node: NodeId, content: String, by: AccountId },
}

pub(crate) struct Command {
    order: Order,
    reply: oneshot::Sender<Result<(), CommandError>>,
}

/// The sending side of one run's queue of commands.
#[derive(Clone)]
pub(crate) struct Commands(mpsc::Sender<Command>);

impl Commands {
    pub fn new() -> (Self, mpsc::Receiver<Command>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Answers a question; the answer is in the log when this returns.
    pub async fn answer(&self, received: InputReceived) -> Result<(), CommandError> {
        self.give(Order::Answer(received)).await
    }

    /// Changes before which nodes the run pauses.
    pub async fn set_approval(&self, approval: Approval, by: AccountId) -> Result<(), CommandError> {
        self.give(Order::SetApproval(approval, by)).await
    }

    /// Says something to a node; it is in the log when this returns.
    pub async fn tell(&self, node: NodeId, content: String, by: AccountId) -> Result<(), CommandError> {
        self.give(Order::Tell { node, content, by }).await
    }

    async fn give(&self, order: Order) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Command { order, reply }).await.map_err(|_| CommandError::Over)?;
        answer.await.map_err(|_| CommandError::Over)?
    }
}

impl Command {
    /// Executes the command and sends the result to its sender.
    ///
    /// # Errors
    /// The engine no longer owns the run.
    pub async fn carry_out(self, log: &Arc<RunLog>) -> Result<(), JournalError> {
        let done = match self.order {
            Order::Answer(received) => take_answer(log, received).await,
            Order::Tell { node, content, by } => inbox::tell(log, &node, content, by).await,
            Order::SetApproval(approval, by) => {
                let changed = Body::ApprovalChanged(ApprovalChanged { approval, by });
                log.append(None, vec![changed]).await.map_err(CommandError::from)
            }
        };
        let failed = match &done {
            // Any other error concerns the sender of the command alone.
            Err(CommandError::Journal(error)) if leaves_run(error) => Err(error.clone()),
            _ => Ok(()),
        };
        // The receiver may have been dropped.
        let _ = self.reply.send(done);
        failed
    }
}

async fn take_answer(log: &Arc<RunLog>, received: InputReceived) -> Result<(), CommandError> {
    let open = input::open(&log.progress(), &received);
    let question = match open {
        Err(InputError::NotAsked(_)) => {
            // A reader sees an event once it is durable, which is before the progress counts it.
            log.counted().await;
            input::open(&log.progress(), &received)?
        }
        open => open?,
    };
    question.check(&received)?;
    log.append(Some(&question.node), vec![Body::InputReceived(received)]).await?;
    log.answers.send_modify(|version| *version += 1);
    Ok(())
}
