//! What is wrong with a part of a team, where the part stands.

use leptos::prelude::*;
use protocol::document::Severity;

use super::draft::Draft;
use crate::components::{
    icon::{Icon, IconName},
    status::Tone,
};

/// The parts of a team that say themselves what is wrong with them.
const PARTS: [&str; 3] = ["conduct", "participants", "termination"];

/// Whether a finding's place belongs to this part, and to no part within it that tells its own: a participant within a
/// team, a team within a participant, a node of a graph, an edge of a node, a condition of a group.
pub(super) fn is_at(found: &str, part: &str) -> bool {
    let Some(rest) = found.strip_prefix(part).filter(|rest| rest.is_empty() || rest.starts_with('/')) else {
        return false;
    };
    let steps: Vec<&str> = rest.split('/').skip(1).collect();
    let is_team = part == "/team" || part.ends_with("/role/team");
    match steps.as_slice() {
        [first, ..] if is_team => !PARTS.contains(first),
        // Of an agent: what is within its team is told there.
        ["role", "team", ..] => false,
        ["steps", _, ..] if part.ends_with("/conduct") => false,
        ["graph", "nodes", _, ..] if part.ends_with("/conduct") => false,
        // Of a node of a graph: what is of its edges.
        ["edges", _, ..] => false,
        // Of a condition: what is of those within it.
        ["conditions", _, ..] => false,
        [_, ..] if part.ends_with("/participants") => false,
        _ => true,
    }
}

/// The findings that belong to a part of the form, and to no part within it.
#[component]
pub(super) fn Told(draft: Draft, #[prop(into)] part: String) -> impl IntoView {
    move || {
        let own = draft.findings.with(|findings| {
            findings.iter().filter(|finding| is_at(&finding.place, &part)).cloned().collect::<Vec<_>>()
        });
        let rows = own.into_iter().map(|finding| {
            let (icon, tone) = match finding.severity {
                Severity::Error => (IconName::Cross, Tone::Failed),
                Severity::Warning => (IconName::Alert, Tone::Attention),
            };
            view! { <li class=tone.class() tabindex="-1"><Icon name=icon /><span>{finding.detail}</span></li> }
        });
        let rows: Vec<_> = rows.collect();
        (!rows.is_empty()).then(|| view! { <ul class="team-told" role="status">{rows}</ul> })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All parts of a form of one team with an inner one.
    const ALL: [&str; 13] = [
        "/team",
        "/team/conduct",
        "/team/conduct/graph/nodes/0",
        "/team/conduct/graph/nodes/0/edges/1",
        "/team/conduct/steps/1",
        "/team/participants",
        "/team/participants/0",
        "/team/participants/0/role/team",
        "/team/participants/0/role/team/participants/2",
        "/team/participants/0/role/team/conduct",
        "/team/termination",
        "/team/termination/conditions/1",
        "/team/termination/conditions/1/conditions/0",
    ];

    #[test]
    fn every_finding_is_told_at_one_part() {
        for (place, part) in [
            ("/team", "/team"),
            ("/team/name", "/team"),
            ("/team/max_turns", "/team"),
            ("/team/conduct/model", "/team/conduct"),
            ("/team/conduct/graph", "/team/conduct"),
            ("/team/conduct/process", "/team/conduct"),
            ("/team/conduct/steps/1", "/team/conduct/steps/1"),
            ("/team/conduct/steps/1/inputs/0", "/team/conduct/steps/1"),
            ("/team/conduct/graph/nodes/0", "/team/conduct/graph/nodes/0"),
            ("/team/conduct/graph/nodes/0/edges/1/target", "/team/conduct/graph/nodes/0/edges/1"),
            ("/team/participants", "/team/participants"),
            ("/team/participants/0/name", "/team/participants/0"),
            ("/team/participants/0/role/model", "/team/participants/0"),
            ("/team/participants/0/role/team/name", "/team/participants/0/role/team"),
            ("/team/participants/0/role/team/conduct/prompt", "/team/participants/0/role/team/conduct"),
            ("/team/participants/0/role/team/participants/2/role", "/team/participants/0/role/team/participants/2"),
            ("/team/termination", "/team/termination"),
            ("/team/termination/conditions/1", "/team/termination/conditions/1"),
            ("/team/termination/conditions/1/conditions/0/text", "/team/termination/conditions/1/conditions/0"),
        ] {
            let told: Vec<&str> = ALL.into_iter().filter(|part| is_at(place, part)).collect();
            assert_eq!(told, [part], "{place}");
        }
        // The whole document is told by the page.
        assert!(ALL.into_iter().all(|part| !is_at("", part)));
    }
}
