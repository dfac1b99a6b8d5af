//! What people tell a run at work. The executor takes one command after the other, so that the
//! first valid answer wins and the state changes in the order of the log.

use std::sync::Arc;

use journal::JournalError;
use protocol::{AccountId, Approval, ApprovalChanged, Body, InputReceived};
use tokio::sync::{mpsc, oneshot};

use crate::{
    input::{self, InputError},
    run_log::{RunLog, leaves_run},
};

/// Commands that may wait.
const WAITING: usize = 32;

/// Why a command is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error("{0}")]
    Input(#[from] InputError),
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The run ended first.
    #[error("The run is over.")]
    Over,
}

enum Order {
    Answer(InputReceived),
    SetApproval(Approval, AccountId),
}

pub(crate) struct Command {
    order: Order,
    reply: oneshot::Sender<Result<(), CommandError>>,
}

/// Where commands for one run go.
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

    async fn give(&self, order: Order) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        self.0.send(Command { order, reply }).await.map_err(|_| CommandError::Over)?;
        answer.await.map_err(|_| CommandError::Over)?
    }
}

impl Command {
    /// Carries it out and answers it.
    ///
    /// # Errors
    /// The run is not this engine's any more.
    pub async fn carry_out(self, log: &Arc<RunLog>) -> Result<(), JournalError> {
        let done = match self.order {
            Order::Answer(received) => take_answer(log, received).await,
            Order::SetApproval(approval, by) => {
                let changed = Body::ApprovalChanged(ApprovalChanged { approval, by });
                log.append(None, vec![changed]).await.map_err(CommandError::from)
            }
        };
        let failed = match &done {
            // Any other refusal is the asker's alone.
            Err(CommandError::Journal(error)) if leaves_run(error) => Err(error.clone()),
            _ => Ok(()),
        };
        // Who asked may have gone.
        let _ = self.reply.send(done);
        failed
    }
}

async fn take_answer(log: &Arc<RunLog>, received: InputReceived) -> Result<(), CommandError> {
    let checked = input::check(&log.progress(), &received);
    let node = match checked {
        Err(InputError::NotAsked(_)) => {
            // The person may have seen the question before it counts.
            log.counted().await;
            input::check(&log.progress(), &received)?
        }
        checked => checked?,
    };
    log.append(Some(&node), vec![Body::InputReceived(received)]).await?;
    log.answers.send_modify(|version| *version += 1);
    Ok(())
}
