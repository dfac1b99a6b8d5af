//! What is read of a workflow's JSON.
#![cfg(not(target_family = "wasm"))]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use protocol::{UnknownWorkflow, Workflow};

#[test]
fn a_workflow_of_an_unknown_kind_is_kept_as_it_is_and_a_mistake_in_a_known_one_is_named() {
    let council = r#"{"type":"council","blueprint":"essay","rounds":3}"#;
    let read: Workflow = serde_json::from_str(council).unwrap();
    assert_eq!(read.kind_word(), "council");
    assert_eq!(serde_json::to_string(&read).unwrap(), council);
    let wrong = r#"{"type":"pipeline","ticker":"AAPL","date":"2022-99-30"}"#;
    assert!(serde_json::from_str::<Workflow>(wrong).is_err());
    assert!(serde_json::from_str::<Workflow>(r#"{"ticker":"AAPL"}"#).is_err());
}

#[test]
fn what_stands_for_a_workflow_without_its_parameters_can_be_read_again() {
    for kind in ["pipeline", "portfolio", "council", ""] {
        let workflow = Workflow::Unknown(UnknownWorkflow::of_kind(kind.to_owned()));
        let read: Workflow = serde_json::from_str(&serde_json::to_string(&workflow).unwrap()).unwrap();
        assert_eq!(read, workflow);
        assert!(read.kind_word().ends_with(kind));
    }
}
