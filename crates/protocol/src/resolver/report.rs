use serde::{Deserialize, Serialize};

use super::{product, request::in_short};
use crate::{Product, ProductData, ProductTone, RunId, Standing};

/// Characters of an instruction in a headline.
const IN_HEADLINE: usize = 80;

/// What a task came to, as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskReport {
    /// The run that wrote it.
    pub run: RunId,
    /// What the task was asked for.
    pub request: String,
    /// The report.
    pub markdown: String,
    /// How many steps have a result.
    pub done: usize,
    /// The steps that have none.
    #[serde(default)]
    pub not_done: Vec<NotDone>,
    /// The earlier report that it takes the place of, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refines: Option<Refined>,
}

/// A step without a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotDone {
    /// What it was about.
    pub title: String,
    /// Why there is no result.
    pub reason: String,
}

/// What a report was made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refined {
    /// The run of the earlier report.
    pub of: RunId,
    /// What was to be different.
    pub instruction: String,
}

impl ProductData for TaskReport {
    const KIND: &'static str = "resolver.report";
}

impl TaskReport {
    /// The product that it stands in.
    ///
    /// # Errors
    /// It has no JSON form.
    pub fn product(&self) -> serde_json::Result<Product> {
        let steps = self.done + self.not_done.len();
        let (headline, tone) = match (&self.refines, self.not_done.len()) {
            (Some(refined), _) => {
                (format!("Rewritten: {}", in_short(&refined.instruction, IN_HEADLINE)), ProductTone::Good)
            }
            (None, 0) if steps == 1 => ("The step is done".to_owned(), ProductTone::Good),
            (None, 0) => (format!("All {steps} steps are done"), ProductTone::Good),
            (None, _) => (format!("{} of {steps} steps are done", self.done), ProductTone::Attention),
        };
        product(self, headline, tone, Standing::Result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logs hold reports of this form for ever.
    const OLD: &str = r#"{"run":"0190f7d4-0000-7000-8000-000000000001","request":"Compare.","markdown":"It is so.",
        "done":1,"not_done":[{"title":"Tesla","reason":"No prices."}]}"#;

    #[test]
    fn an_old_report_is_read_and_its_headline_says_what_is_missing() {
        let report: TaskReport = serde_json::from_str(OLD).unwrap();
        let product = report.product().unwrap();
        assert_eq!(product.headline, "1 of 2 steps are done");
        assert_eq!((product.tone, product.standing), (ProductTone::Attention, Standing::Result));
        assert_eq!(product.document::<TaskReport>(), Some(report));
    }
}
