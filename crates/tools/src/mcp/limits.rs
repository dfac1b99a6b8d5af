use std::time::Duration;

/// What a server of tools may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From its start until its tools are listed; also for each look whether it still answers.
    pub start: Duration,
    /// From a call to its result.
    pub call: Duration,
    /// Bytes of a result's text; what is longer is cut.
    pub result_bytes: usize,
    /// Tools that it may offer; further ones are left out.
    pub tools: usize,
    /// Bytes of one message.
    pub message_bytes: usize,
    /// Bytes that it may send in a minute.
    pub bytes_a_minute: usize,
    /// How often it is asked whether it still answers.
    pub check: Duration,
    /// How long after a failure it is tried again at first; each further failure doubles it.
    pub first_pause: Duration,
    /// How long at most.
    pub longest_pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_secs(30),
            call: Duration::from_secs(60),
            result_bytes: 64 * 1024,
            tools: 64,
            message_bytes: 8 * 1024 * 1024,
            bytes_a_minute: 32 * 1024 * 1024,
            check: Duration::from_secs(60),
            first_pause: Duration::from_secs(1),
            longest_pause: Duration::from_secs(60),
        }
    }
}
