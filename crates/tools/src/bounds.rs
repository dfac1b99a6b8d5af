use std::time::Duration;

use protocol::ToolStatus;

use crate::Outcome;

/// What one call of a tool may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Bytes of the arguments, as JSON text.
    pub argument_bytes: usize,
    /// Bytes of the result's text; what is longer is cut.
    pub result_bytes: usize,
    /// From the call to its result.
    pub time: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { argument_bytes: 64 * 1024, result_bytes: 64 * 1024, time: Duration::from_secs(60) }
    }
}

impl Bounds {
    /// The outcome with a text that is cut at the bound. A result that was cut is degraded, and says so at its end.
    pub(crate) fn cut(&self, mut outcome: Outcome) -> Outcome {
        let whole = outcome.text.len();
        if whole <= self.result_bytes {
            return outcome;
        }
        let kept = outcome.text.floor_char_boundary(self.result_bytes);
        outcome.text.truncate(kept);
        outcome.text.push_str(&format!("\n[Cut: these are the first {kept} of {whole} bytes.]"));
        if outcome.status == ToolStatus::Success {
            outcome.status = ToolStatus::Degraded;
        }
        outcome
    }
}

/// The beginning of a text, at most so many bytes of it.
pub(crate) fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}
