//! An endpoint that misbehaves in all ways at random.

use std::time::Duration;

use axum::body::Bytes;
use futures::{StreamExt, stream};
use proptest::prelude::*;
use protocol::{Attempt, Decimal, Usage};
use serde_json::json;
use strum::{EnumIter, IntoEnumIterator};

use crate::{
    Stage,
    support::{self, BoxError, Reply, body, done, failure, piece, raw, sse, stop, stopped_by, usage},
};

thread_local! {
    static ENDPOINT: Stage = Stage::new(|config| config.timeouts.grace = Duration::from_millis(50));
    /// Asks once only.
    static ONCE: Stage = Stage::new(|config| {
        config.max_retries = 0;
        config.rate_limit_patience = Duration::ZERO;
    });
}

const ANSWER: &str = "Hold: the price is fair.";

/// What the endpoint does with one request. Each but the refusals is charged.
#[derive(Clone, Copy, Debug, EnumIter)]
enum Behaviour {
    Good,
    GoodWithoutFigures,
    NoStream,
    DoubledFields,
    OpenAfterTheEnd,
    NoFinishButAFarewell,
    EmptyFinishes,
    FinishesInEveryPiece,
    CutWithFigures,
    ConnectionGone,
    MalformedPiece,
    Empty,
    GaveUp,
    OverloadedInTheMiddle,
    BusyAsAWholeResponse,
    DeepNesting,
    Limited,
    Failing,
    TooLong,
    CutAtTheLimit,
}

use Behaviour::*;

impl Behaviour {
    fn reply(self) -> Reply {
        let figures = || usage(1_000, 20);
        let finishing = |text: &str, word: &str| {
            piece(text).replace("\"finish_reason\":null", &format!("\"finish_reason\":\"{word}\""))
        };
        let error = |code: u16, message: &str| {
            format!("data: {}\n\n", json!({"error": {"code": code, "message": message}}))
        };
        match self {
            Good => sse(&[piece(&ANSWER[..9]), piece(&ANSWER[9..]), stop(), figures(), done()]),
            GoodWithoutFigures => sse(&[piece(ANSWER), stop(), done()]),
            NoStream => {
                let whole = json!({"object": "chat.completion",
                    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}],
                    "usage": {"prompt_tokens": 1_000, "completion_tokens": 20}});
                body("application/json", &whole.to_string())
            }
            DoubledFields => {
                let delta = format!(
                    "{{\"content\":\"{ANSWER}\",\"reasoning\":\"Hm.\",\"reasoning_content\":\"Hm.\",\"content\":\"\"}}"
                );
                raw(&format!("data: {{\"choices\":[{{\"delta\":{delta}}}]}}\n\n{}{}", stop(), figures()))
            }
            OpenAfterTheEnd => {
                let all = Ok(Bytes::from([piece(ANSWER), stop(), figures()].concat()));
                Reply::stream(stream::iter([all]).chain(support::silence()))
            }
            NoFinishButAFarewell => sse(&[piece(ANSWER), figures(), done()]),
            EmptyFinishes => sse(&[finishing("Hold: the pri", ""), figures()]),
            FinishesInEveryPiece => {
                sse(&[finishing("Hold", "stop"), finishing(": the pri", "stop"), figures()])
            }
            CutWithFigures => sse(&[piece("Hold: the pri"), figures()]),
            ConnectionGone => {
                let broken: Vec<Result<Bytes, BoxError>> =
                    vec![Ok(Bytes::from(piece("Hold: the pri"))), Err("gone".into())];
                Reply::stream(stream::iter(broken))
            }
            MalformedPiece => {
                sse(&[piece("Hold: the pri"), "data: {\"choices\": [{\"del\n\n".to_owned(), stop(), done()])
            }
            Empty => sse(&[stop(), figures(), done()]),
            GaveUp => sse(&[piece("Hold: the pri"), stopped_by("abort"), figures(), done()]),
            OverloadedInTheMiddle => sse(&[piece("Hold: the pri"), figures(), error(503, "overloaded")]),
            BusyAsAWholeResponse => body("application/json", "{\"error\":\"the server is busy\"}"),
            DeepNesting => raw(&format!("data: {}\n\n", "[".repeat(50_000))),
            Limited => failure(429, json!({"error": {"message": "slow down"}})),
            Failing => failure(500, json!({"error": {"message": "the server failed"}})),
            TooLong => failure(400, json!({"error": {"message": "maximum context length is 8192 tokens"}})),
            CutAtTheLimit => sse(&[piece("Hold: the pri"), stopped_by("length"), figures(), done()]),
        }
    }

    fn is_charged(self) -> bool {
        !matches!(self, Limited | Failing | TooLong)
    }

    fn reports_figures(self) -> bool {
        let silent = matches!(
            self,
            GoodWithoutFigures | ConnectionGone | MalformedPiece | BusyAsAWholeResponse | DeepNesting
        );
        self.is_charged() && !silent
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn whatever_an_endpoint_does_no_half_answer_passes_and_its_books_are_ours(
        behaviours in prop::collection::vec(prop::sample::select(Behaviour::iter().collect::<Vec<_>>()), 1..7),
    ) {
        let replies = behaviours.iter().chain([&Good]).map(|behaviour| behaviour.reply()).collect();
        let (result, asked) = ENDPOINT.with(|stage| stage.call(replies));
        let (attempts, answered) = match result {
            Ok(answer) => {
                prop_assert_eq!(&answer.text, ANSWER);
                (answer.attempts, Some((answer.usage, answer.cost)))
            }
            Err(failed) => {
                prop_assert!(!failed.error.to_string().is_empty());
                (failed.attempts, None)
            }
        };
        let told = attempts.iter().map(|Attempt { usage, cost, .. }| (*usage, *cost)).chain(answered);
        let told: Vec<(Usage, Option<Decimal>)> = told.collect();
        // One line in the books for each request that the endpoint has served.
        prop_assert_eq!(told.len(), asked);
        for (behaviour, (usage, cost)) in behaviours.iter().chain([&Good]).zip(told) {
            if behaviour.reports_figures() {
                prop_assert_eq!(usage, Usage { tokens_in: Some(1_000), tokens_out: Some(20) }, "{:?}", behaviour);
                prop_assert_eq!(cost, Some(Decimal::new(29, 5)), "{:?}", behaviour);
            } else {
                prop_assert_eq!(usage, Usage::default(), "{:?}", behaviour);
                let known = (!behaviour.is_charged()).then_some(Decimal::ZERO);
                prop_assert_eq!(cost, known, "{:?}", behaviour);
            }
        }
    }

    #[test]
    fn whatever_bytes_come_nothing_is_harmed(
        parts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..20),
                prop::sample::select(vec![
                    "data: ", "\n", "\n\n", "\r\n", "[DONE]", "{", "}", "[", "]", "\"", ":", ",", "null", "0", "-1", "1e400",
                    "{\"choices\":[{\"delta\":{\"content\":\"x\"}}]}", "\"tool_calls\":[{\"index\":0}]", "\"error\":", "<html>",
                    "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"a\",\"arguments\":\"{\"}}]}}]}",
                    "\"finish_reason\":\"stop\"", "\"usage\":{\"prompt_tokens\":18446744073709551616}", "\\ud83d", "\u{FEFF}",
                ])
                .prop_map(|text| text.as_bytes().to_vec()),
            ],
            0..24,
        ),
        json in any::<bool>(),
    ) {
        let bytes = String::from_utf8_lossy(&parts.concat()).into_owned();
        let packets = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let reply = if json { body("application/json", &bytes) } else { support::packets(packets) };
        let (result, _) = ONCE.with(|stage| stage.call(vec![reply]));
        if let Err(failed) = result {
            prop_assert!(!failed.error.to_string().is_empty());
            prop_assert_eq!(failed.attempts.len(), 1);
        }
    }
}
