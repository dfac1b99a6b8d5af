//! `pitwall verify`: what a run decided and booked, derived again from its log.

use std::process::ExitCode;

use journal::Journal;
use llm::ModelRegistry;
use tools::Registry;
use workflows::{Families, Outcome, VerifiedRun};

use crate::{config::VerifyOptions, error::ServeError, families, settings::Settings, upkeep};

/// What a verification comes to, as the command's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All that was decided and booked was derived again, and equals what is recorded.
    Holds,
    /// Something differs.
    Differs,
    /// Nothing differs, but not all could be derived.
    Unknown,
}

impl From<Verdict> for ExitCode {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Holds => Self::SUCCESS,
            Verdict::Differs => Self::from(1),
            Verdict::Unknown => Self::from(2),
        }
    }
}

/// Verifies a run with all that it has started, also while a server works on the same data: they are only read. Returns
/// the text to print, and what it comes to.
///
/// # Errors
/// See [`ServeError`].
pub async fn verify(options: VerifyOptions) -> Result<(String, Verdict), ServeError> {
    let VerifyOptions { data, settings, run } = options;
    let journal = Journal::open_to_read(&data.data.join(upkeep::JOURNAL)).await?;
    let settings = Settings::read(settings.as_deref(), &data)?;
    let (all, _, _) = families::open(&journal, settings.families, &data.data, &Registry::default()).await?;
    let families = Families::new(all, journal.documents(), ModelRegistry::default(), None)?;
    let verified = workflows::verify(&families, &journal, run).await?;
    if verified.is_empty() {
        return Ok((
            format!("There is no run {run} in {}. Check the id.", data.data.display()),
            Verdict::Unknown,
        ));
    }
    Ok(written(&verified))
}

fn written(verified: &[VerifiedRun]) -> (String, Verdict) {
    let mut lines = Vec::new();
    for VerifiedRun { run, title, depth, checks, is_derived } in verified {
        let indent = "  ".repeat(*depth);
        lines.push(format!("{indent}{run}  {}", one_line(title)));
        for check in checks {
            lines.extend(check.to_string().lines().map(|line| format!("{indent}  {line}")));
        }
        if !is_derived {
            lines.push(format!(
                "{indent}  nothing  follows by rules here: what the run came to is what models wrote"
            ));
        }
    }
    let count = |is: fn(&Outcome) -> bool| {
        verified.iter().flat_map(|run| &run.checks).filter(|check| is(&check.outcome)).count()
    };
    let holds = count(|outcome| matches!(outcome, Outcome::Holds));
    let differs = count(|outcome| matches!(outcome, Outcome::Differs(_)));
    let unknown = count(|outcome| matches!(outcome, Outcome::Unknown(_)));
    let is_any_derived = verified.iter().any(|run| run.is_derived);
    let verdict = match (differs, unknown) {
        (1.., _) => Verdict::Differs,
        (0, 0) if is_any_derived => Verdict::Holds,
        (0, _) => Verdict::Unknown,
    };
    let said = match verdict {
        Verdict::Holds => "All that was decided and booked equals what is derived from the log.",
        Verdict::Differs => "Something recorded is not what is derived from the log.",
        Verdict::Unknown if is_any_derived => "Nothing differs, but not all could be verified.",
        Verdict::Unknown => {
            "There is nothing to verify: the run decided and booked nothing that follows by rules."
        }
    };
    let runs = verified.len();
    lines.push(format!("{runs} runs; {holds} checks hold, {differs} differ, {unknown} unknown. {said}"));
    (lines.join("\n"), verdict)
}

/// A title without what could pass for lines of the report or move the cursor.
fn one_line(title: &str) -> String {
    title.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
