//! When a team ends: every condition with its reason, and what becomes of several together.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::json;
use teamfile::{
    Body, Message, ToolResult, Usage,
    team::Condition,
    termination::{AlreadyStopped, Stop, Termination},
};

fn says(source: &str, content: &str) -> Message {
    Message::text(source, content)
}

fn event(source: &str, content: &str) -> Message {
    let body = Body::Thought { content: content.to_owned() };
    Message { source: source.to_owned(), usage: None, body }
}

fn used(prompt: u64, completion: u64) -> Message {
    Message { usage: Some(Usage { prompt, completion }), ..says("a", "x") }
}

fn executed(function: &str) -> Message {
    let result = ToolResult {
        call_id: "1".to_owned(),
        name: function.to_owned(),
        content: "3".to_owned(),
        is_error: false,
    };
    let body = Body::ToolCallExecution { content: vec![result] };
    Message { source: "a".to_owned(), usage: None, body }
}

fn watch(condition: &Condition) -> Termination {
    Termination::new(condition, 0).unwrap()
}

fn reason(condition: &Condition, steps: &[&[Message]]) -> Option<String> {
    let mut watch = watch(condition);
    steps.iter().find_map(|new| watch.check(new, 0).unwrap()).map(|stop| stop.content)
}

fn text(text: &str) -> Condition {
    Condition::TextMention { text: text.to_owned() }
}

fn max(max_messages: u64) -> Condition {
    Condition::MaxMessages { max_messages, include_agent_event: false }
}

#[test]
fn messages_are_counted_the_task_included_and_events_only_if_asked() {
    let step = [event("a", "hm"), says("a", "one")];
    let condition = max(3);
    let mut watching = watch(&condition);
    assert_eq!(watching.check(&[says("user", "task")], 0), Ok(None));
    assert_eq!(watching.check(&step, 0), Ok(None));
    let stop = watching.check(&[says("b", "two"), says("b", "three")], 0).unwrap().unwrap();
    assert_eq!(stop.content, "Maximum number of messages 3 reached, current message count: 4");
    assert_eq!(stop.source, "MaxMessageTermination");

    let chunk =
        Message { source: "a".to_owned(), usage: None, body: Body::Chunk { content: "o".to_owned() } };
    let with_events = Condition::MaxMessages { max_messages: 3, include_agent_event: true };
    assert_eq!(reason(&with_events, &[&[chunk.clone(), chunk], &step]), None);
    assert!(reason(&with_events, &[&step, &[says("b", "x")]]).is_some());
}

#[test]
fn a_text_is_looked_for_in_everything_that_anybody_says_or_does() {
    let condition = text("DONE");
    assert_eq!(reason(&condition, &[&[says("user", "say DONE.")]]).as_deref(), Some("Text 'DONE' mentioned"));
    assert_eq!(reason(&condition, &[&[event("a", "is it DONE?")]]).as_deref(), Some("Text 'DONE' mentioned"));
    assert_eq!(reason(&condition, &[&[says("a", "Done")]]), None);
    assert_eq!(reason(&text(""), &[&[says("user", "task")]]).as_deref(), Some("Text '' mentioned"));
}

#[test]
fn tokens_are_summed_up_and_any_limit_counts() {
    let limits = |max_total, max_prompt, max_completion| Condition::TokenUsage {
        max_total,
        max_prompt,
        max_completion,
    };
    let expected = "Token usage limit reached, total token count: 15, prompt token count: 10, completion token count: 5.";
    for condition in [limits(Some(15), None, None), limits(None, Some(10), None), limits(None, None, Some(5))]
    {
        assert_eq!(reason(&condition, &[&[used(4, 2)], &[used(6, 3)]]).as_deref(), Some(expected));
    }
    assert_eq!(reason(&limits(Some(16), Some(11), Some(6)), &[&[used(10, 5)]]), None);
    assert_eq!(reason(&limits(None, None, None), &[&[used(u64::MAX, u64::MAX)], &[used(1, 1)]]), None);
}

#[test]
fn time_is_counted_from_the_beginning_or_the_reset() {
    let mut watching = Termination::new(&Condition::Timeout { seconds: 120.0 }, 5_000).unwrap();
    assert_eq!(watching.check(&[], 124_999), Ok(None));
    let stop = watching.check(&[], 125_000).unwrap().unwrap();
    assert_eq!(
        (stop.content.as_str(), stop.source.as_str()),
        ("Timeout of 120.0 seconds reached", "TimeoutTermination")
    );
    watching.reset(125_000);
    assert_eq!(watching.check(&[], 244_999), Ok(None));
    assert!(watching.check(&[], 245_000).unwrap().is_some());
}

#[test]
fn each_of_the_others_has_its_reason() {
    let stop =
        Message { source: "a".to_owned(), usage: None, body: Body::Stop { content: "enough".to_owned() } };
    assert_eq!(reason(&Condition::StopMessage, &[&[stop]]).as_deref(), Some("Stop message received"));
    let handoff = Condition::Handoff { target: "user".to_owned() };
    assert_eq!(reason(&handoff, &[&[Message::handoff("a", "b", "go")]]), None);
    assert_eq!(
        reason(&handoff, &[&[Message::handoff("a", "user", "go")]]).as_deref(),
        Some("Handoff to user from a detected.")
    );
    let sources = Condition::SourceMatch { sources: vec!["b".to_owned(), "c".to_owned()] };
    assert_eq!(reason(&sources, &[&[says("a", "x")], &[event("c", "hm")]]).as_deref(), Some("'c' answered"));
    let anybody = Condition::TextMessage { source: None };
    assert_eq!(
        reason(&anybody, &[&[says("user", "x")]]).as_deref(),
        Some("Text message received from 'user'")
    );
    let one = Condition::TextMessage { source: Some("b".to_owned()) };
    let summary = Message {
        source: "b".to_owned(),
        usage: None,
        body: Body::ToolCallSummary { content: "x".to_owned() },
    };
    assert_eq!(reason(&one, &[&[says("user", "x"), summary]]), None);
    assert_eq!(reason(&one, &[&[says("b", "x")]]).as_deref(), Some("Text message received from 'b'"));
    let function = Condition::FunctionCall { function_name: "f".to_owned() };
    assert_eq!(reason(&function, &[&[executed("g")]]), None);
    assert_eq!(reason(&function, &[&[executed("f")]]).as_deref(), Some("Function 'f' was executed."));

    let mut outside = watch(&Condition::External);
    assert_eq!(outside.check(&[says("a", "x")], 0), Ok(None));
    outside.tell_from_outside();
    assert_eq!(outside.check(&[], 0).unwrap().unwrap().content, "External termination requested");
    outside.reset(0);
    assert_eq!(outside.check(&[], 0), Ok(None));
}

#[test]
fn a_condition_that_held_is_latched_until_it_is_reset() {
    for condition in [text("x"), text("x") | max(9), text("x") & max(1)] {
        let mut watching = watch(&condition);
        assert!(watching.check(&[says("a", "x")], 0).unwrap().is_some());
        assert!(watching.is_latched());
        assert_eq!(watching.check(&[says("a", "x")], 0), Err(AlreadyStopped));
        watching.reset(0);
        assert!(!watching.is_latched());
        assert!(watching.check(&[says("a", "x")], 0).unwrap().is_some());
    }
}

#[test]
fn any_asks_all_and_joins_the_reasons() {
    let condition = Condition::Timeout { seconds: 1.0 } | max(2);
    let mut watching = watch(&condition);
    let stop = watching.check(&[says("user", "a"), says("a", "b")], 2_000).unwrap().unwrap();
    assert_eq!(
        stop,
        Stop {
            content: "Timeout of 1.0 seconds reached, Maximum number of messages 2 reached, current message count: 2"
                .to_owned(),
            source: "TimeoutTermination, MaxMessageTermination".to_owned(),
        }
    );
}

#[test]
fn all_wait_for_each_other_and_join_the_reasons_as_they_came() {
    let mut watching = watch(&(max(3) & text("OK")));
    assert_eq!(watching.check(&[says("user", "task")], 0), Ok(None));
    assert_eq!(watching.check(&[says("a", "OK")], 0), Ok(None));
    // The text has held and is not asked again.
    let stop = watching.check(&[says("b", "OK")], 0).unwrap().unwrap();
    assert_eq!(
        stop.content,
        "Text 'OK' mentioned, Maximum number of messages 3 reached, current message count: 3"
    );
    assert_eq!(stop.source, "TextMentionTermination, MaxMessageTermination");
}

#[test]
fn groups_without_conditions_never_hold() {
    for conditions in [Condition::Any { conditions: vec![] }, Condition::All { conditions: vec![] }] {
        assert_eq!(reason(&conditions, &[&[says("a", "x")]]), None);
    }
}

#[test]
fn a_condition_that_is_not_known_is_refused_wherever_it_stands() {
    let odd = Condition::Unknown { provider: "my.Luck".to_owned(), config: serde_json::Map::new() };
    let error = Termination::new(&(max(1) | (text("x") & odd)), 0).unwrap_err();
    assert_eq!(error.provider, "my.Luck");
}

#[test]
fn messages_have_autogens_json() {
    let value = json!({ "source": "a1", "models_usage": { "prompt_tokens": 1, "completion_tokens": 3 },
        "metadata": {}, "content": "alpha", "type": "TextMessage" });
    let message: Message = serde_json::from_value(value).unwrap();
    assert_eq!(message, Message { usage: Some(Usage { prompt: 1, completion: 3 }), ..says("a1", "alpha") });
    let value = json!({ "source": "a1", "models_usage": null, "type": "ToolCallRequestEvent",
        "content": [{ "id": "c1", "arguments": "{\"a\": 1}", "name": "add" }] });
    let message: Message = serde_json::from_value(value.clone()).unwrap();
    assert!(!message.is_chat() && message.to_text().contains("add"));
    assert_eq!(serde_json::to_value(&message).unwrap(), value);
}

fn conditions() -> impl Strategy<Value = Condition> {
    let simple = prop_oneof![
        (1_u64..6).prop_map(max),
        prop_oneof![Just("x"), Just("y"), Just("z")].prop_map(text),
        (1_u64..9).prop_map(|most| Condition::TokenUsage {
            max_total: Some(most),
            max_prompt: None,
            max_completion: None
        }),
        (0_u32..5).prop_map(|seconds| Condition::Timeout { seconds: f64::from(seconds) }),
        Just(Condition::Handoff { target: "b".to_owned() }),
        Just(Condition::TextMessage { source: Some("b".to_owned()) }),
    ];
    simple.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|conditions| Condition::Any { conditions }),
            prop::collection::vec(inner, 1..4).prop_map(|conditions| Condition::All { conditions }),
        ]
    })
}

fn messages() -> impl Strategy<Value = Vec<Message>> {
    let source = || prop_oneof![Just("a"), Just("b")];
    let message = prop_oneof![
        (source(), "[xyz]").prop_map(|(source, text)| says(source, &text)),
        (source(), "[xyz]").prop_map(|(source, text)| event(source, &text)),
        (0_u64..4, 0_u64..4).prop_map(|(prompt, completion)| used(prompt, completion)),
        source().prop_map(|target| Message::handoff("a", target, "")),
    ];
    prop::collection::vec(message, 0..3)
}

/// When a condition holds over steps: the number of the step, and why.
fn ends(condition: &Condition, steps: &[Vec<Message>]) -> Option<(usize, String)> {
    let mut watching = watch(condition);
    steps.iter().enumerate().find_map(|(number, new)| {
        let stop = watching.check(new, number as u64 * 1_000).unwrap()?;
        Some((number, stop.content))
    })
}

proptest! {
    #[test]
    fn any_ends_with_its_first_and_all_with_its_last(
        one in conditions(), other in conditions(), steps in prop::collection::vec(messages(), 0..8),
    ) {
        let at = |condition: &Condition| ends(condition, &steps).map(|(number, _)| number);
        let (first, second) = (at(&one), at(&other));
        let any = at(&(one.clone() | other.clone()));
        let all = at(&(one.clone() & other.clone()));
        prop_assert_eq!(any, first.into_iter().chain(second).min());
        prop_assert_eq!(all, first.zip(second).map(|(first, second)| first.max(second)));
        // The order makes no difference to when.
        prop_assert_eq!(any, at(&(other.clone() | one.clone())));
        prop_assert_eq!(all, at(&(other & one.clone())));
        // Twice the same is the same.
        prop_assert_eq!(at(&(one.clone() | one.clone())), first);
        prop_assert_eq!(at(&(one.clone() & one)), first);
    }

    #[test]
    fn nesting_of_one_kind_makes_no_difference(
        a in conditions(), b in conditions(), c in conditions(), steps in prop::collection::vec(messages(), 0..8),
    ) {
        let flat = |conditions: Vec<Condition>| Condition::Any { conditions };
        let nested = (a.clone() | b.clone()) | c.clone();
        prop_assert_eq!(ends(&nested, &steps), ends(&flat(vec![a.clone(), b.clone(), c.clone()]), &steps));
        prop_assert_eq!(ends(&(a.clone() | (b.clone() | c.clone())), &steps), ends(&nested, &steps));
        let at = |condition: &Condition| ends(condition, &steps).map(|(number, _)| number);
        let all = Condition::All { conditions: vec![a.clone(), b.clone(), c.clone()] };
        prop_assert_eq!(at(&((a & b) & c)), at(&all));
    }

    #[test]
    fn a_state_that_was_stored_goes_on_where_it_was(
        condition in conditions(), before in prop::collection::vec(messages(), 0..4),
        after in prop::collection::vec(messages(), 0..4),
    ) {
        let mut kept = watch(&condition);
        for (number, new) in before.iter().enumerate() {
            if kept.check(new, number as u64 * 1_000).unwrap().is_some() {
                break;
            }
        }
        let stored = serde_json::to_string(&kept).unwrap();
        let mut resumed: Termination = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(&resumed, &kept);
        for new in &after {
            prop_assert_eq!(resumed.check(new, 9_000), kept.check(new, 9_000));
        }
    }
}
