//! Pauses before a node until a person lets it begin.

use journal::JournalError;
use protocol::{
    Answer, ApprovalForm, Body, CallId, Digest, InputForm, InputReceived, InputRequest, NodeId, Patch,
};

use crate::{progress::Progress, run_log::RunLog};

/// Whether the approve mode lets a visit begin.
pub(crate) enum Permission {
    /// It may begin.
    Given,
    /// A person has not decided yet.
    Awaited,
}

impl RunLog {
    /// Whether a ready visit may begin now. Asks for approval where the approve mode needs one.
    pub(crate) fn permission(&self, node: &NodeId, visit: u32) -> Result<Permission, JournalError> {
        let input = approval_of(node, visit);
        let is_asked_for = {
            let progress = self.progress();
            progress.approval.applies_to(node) || progress.open(&input).is_some()
        };
        if !is_asked_for {
            return Ok(Permission::Given);
        }
        let form = self.form(node, visit)?;
        let next = {
            let progress = self.progress();
            let open = progress.open(&input).map(|(_, request)| &request.form);
            if progress.is_approved(node, visit, &form.digest) {
                return Ok(Permission::Given);
            }
            match (progress.approval.applies_to(node), open) {
                // The approve mode was changed while the question was open, so the question is closed as
                // approved.
                (false, _) => {
                    let answer = Answer::Approved { digest: form.digest, edits: Patch::new() };
                    let by = progress.approval_by.clone();
                    Body::InputReceived(InputReceived { input, answer, by })
                }
                (true, Some(InputForm::Approval(shown))) if shown.digest == form.digest => {
                    return Ok(Permission::Awaited);
                }
                (true, open) => Body::InputRequested(InputRequest {
                    prompt: prompt(&progress.graph.label(node), open.is_some()),
                    input,
                    reason: Some("This run pauses here until a person approves.".to_owned()),
                    form: InputForm::Approval(form),
                    deadline: None,
                    default: None,
                }),
            }
        };
        let is_given = matches!(next, Body::InputReceived(_));
        self.stage(node, next);
        Ok(if is_given { Permission::Given } else { Permission::Awaited })
    }

    fn form(&self, node: &NodeId, visit: u32) -> Result<ApprovalForm, JournalError> {
        let progress = self.progress();
        let work = progress.graph.work(node);
        let state = progress.state_around(node);
        let subject = work.and_then(|work| work.subject(&state)).map(|subject| subject.to_string());
        let digest = digest_of(node, visit, subject.as_deref())?;
        let (back, routes) = ways(&progress, node);
        Ok(ApprovalForm { visit, subject: subject.map(Into::into), digest, back, routes })
    }
}

fn prompt(label: &str, is_changed: bool) -> String {
    if is_changed {
        format!("What \"{label}\" is to do has changed. May it begin now?")
    } else {
        format!("May \"{label}\" begin?")
    }
}

/// Nodes that work can be sent back to, and nodes that can be taken in place of `node`.
fn ways(progress: &Progress, node: &NodeId) -> (Vec<NodeId>, Vec<NodeId>) {
    let graph = &progress.graph;
    let mut back: Vec<NodeId> =
        graph.sources(node).filter(|source| progress.was_visited(source)).cloned().collect();
    back.dedup();
    let beside = back.iter().flat_map(|source| graph.targets(source));
    let mut routes: Vec<NodeId> = Vec::new();
    for other in beside.chain(graph.targets(node)) {
        if other != node && !routes.contains(other) {
            routes.push(other.clone());
        }
    }
    (back, routes)
}

/// The id of the question whether a visit may begin. It cannot collide with a node's own questions, which
/// count from 1.
pub(crate) fn approval_of(node: &NodeId, visit: u32) -> CallId {
    CallId::new(node, visit, 0)
}

fn digest_of(node: &NodeId, visit: u32, subject: Option<&str>) -> Result<Digest, JournalError> {
    journal::digest(&format!("{node}\n{visit}\n{}", subject.unwrap_or_default()))
}
