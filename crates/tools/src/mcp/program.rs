//! A server that Pitwall runs.

use std::{process::ExitStatus, process::Stdio, sync::Arc, time::Duration};

use rmcp::{RoleClient, transport::async_rw::AsyncRwTransport};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    process::{Child, ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

use super::{
    endpoint::{ProgramEndpoint, file_name},
    error::McpError,
    meter::{Meter, Metered},
    server::Supervised,
    standard_error,
};

/// What every program needs to find its parts; all else of Pitwall's environment stays hidden.
const ALWAYS_SEEN: [&str; 3] = ["PATH", "HOME", "LANG"];
/// How long a program may take to end once it is told to.
const GRACE: Duration = Duration::from_secs(1);

/// What messages travel through.
pub(super) type Pipes = AsyncRwTransport<RoleClient, Metered<ChildStdout>, ChildStdin>;

/// A running program, with all that it started: they are one process group, which ends with this.
pub(super) struct Program {
    child: Child,
    group: Option<Pid>,
    standard_error: JoinHandle<()>,
}

impl Program {
    /// Starts it.
    ///
    /// # Errors
    /// The system refuses.
    pub(super) fn start(
        endpoint: &ProgramEndpoint,
        server: &Arc<Supervised>,
        meter: &Arc<Meter>,
    ) -> Result<(Self, Pipes), McpError> {
        let refused = |error| McpError::NotStarted(file_name(&endpoint.command), error);
        let mut command = Command::new(&endpoint.command);
        command.args(&endpoint.arguments).env_clear();
        command.envs(ALWAYS_SEEN.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs(endpoint.variables.iter().map(|(name, value)| (name, value.reveal())));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A signal that the terminal sends to Pitwall's group is not the program's: it is told to end by Pitwall.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(refused)?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let missing = || refused(std::io::Error::other("it has no standard streams"));
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let standard_error = tokio::spawn({
            let server = server.clone();
            async move { standard_error::log(stderr, &server).await }
        });
        let pipes = AsyncRwTransport::new(Metered::new(stdout, meter.clone()), stdin)
            // The meter is stricter, and says so.
            .with_max_line_length(server.limits().message_bytes.saturating_add(1));
        Ok((Self { child, group, standard_error }, pipes))
    }

    /// Tells it to end, and ends it after a short while. Returns how it ended.
    pub(super) async fn close(mut self) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        // Its standard error ends when the last of its processes does.
        let ended = tokio::time::timeout(GRACE, &mut self.standard_error).await;
        self.signal(Signal::KILL);
        if ended.is_err() {
            self.standard_error.abort();
        }
        tokio::time::timeout(GRACE, self.child.wait()).await.ok()?.ok()
    }

    /// Not after the program was waited for: until then, its number is nobody else's.
    fn signal(&self, signal: Signal) {
        // A group that has ended needs no signal.
        let _ = self.group.map(|group| kill_process_group(group, signal));
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
        self.standard_error.abort();
    }
}
