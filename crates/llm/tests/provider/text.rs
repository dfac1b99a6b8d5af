//! What the text of an answer holds, and when an answer ends.

use super::*;

fn tools() -> Vec<ToolSpec> {
    let parameters = json!({"type": "object", "properties": {"symbol": {"type": "string"}}});
    vec![ToolSpec { name: "get_stock_data".into(), description: "Daily prices".into(), parameters }]
}

/// What a model answers that is offered a tool and writes this.
async fn with_tools(text: &str) -> ChatAnswer {
    let server = Server::start(vec![good(text)]).await;
    ask(config(&server), &ChatRequest { tools: tools(), ..request() }).await.0.unwrap()
}

/// What the server was told in the instructions of each request.
fn instructions(server: &Server) -> Vec<String> {
    server
        .seen()
        .iter()
        .map(|seen| seen.body["messages"][0]["content"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_tool_call_written_as_text_is_carried_out() {
    let text = "I look.\n<tool_call>\n{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": \"AAPL\"}}\n</tool_call>";
    let answer = with_tools(text).await;
    assert_eq!(answer.text, "I look.");
    let [call] = &answer.tool_requests[..] else { panic!("{answer:?}") };
    assert_eq!((call.name.as_str(), &call.arguments), ("get_stock_data", &json!({"symbol": "AAPL"}).into()));
    assert!(!call.id.is_empty());
}

#[tokio::test]
async fn a_name_with_a_namespace_means_the_offered_tool_in_text_as_well() {
    let answer = with_tools("<tool_call>{\"name\": \"functions.get_stock_data\"}</tool_call>").await;
    assert_eq!(answer.tool_requests[0].name, "get_stock_data");
}

#[tokio::test]
async fn a_tool_call_written_as_text_that_cannot_be_read_is_told_to_the_model() {
    let text = "<tool_call>\n{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": AAPL}}\n</tool_call>";
    let answer = with_tools(text).await;
    assert_eq!((answer.text.as_str(), answer.tool_requests.len()), ("", 1));
    assert!(matches!(answer.tool_requests[0].arguments, Arguments::Unreadable { .. }));
}

#[tokio::test]
async fn a_tool_call_where_no_tools_are_offered_is_no_answer() {
    let call = "<tool_call>\n{\"name\": \"get_stock_data\", \"arguments\": {}}\n</tool_call>";
    let (answer, server) = ask_for(vec![good(call), good("Up.")]).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.attempts.len()), ("Up.", 1));
    assert!(answer.attempts[0].error.contains("get_stock_data"), "{:?}", answer.attempts);
    let told = instructions(&server);
    assert_eq!(told[0], "Be brief.");
    assert_eq!(told[1], "Be brief.\n\nNo tools can be called here. Answer in words, with what you have.");
}

/// Text that goes on for longer than anybody should listen, and never ends.
fn endless(text: impl Fn(usize) -> String + Send + 'static) -> Reply {
    let pieces = (0..2_000).map(move |number| Ok::<_, BoxError>(Bytes::from(piece(&text(number)))));
    Reply::stream(stream::iter(pieces).chain(support::silence()))
}

#[tokio::test]
async fn an_answer_that_only_repeats_itself_is_stopped_and_not_asked_for_again_in_the_same_way() {
    let again = || endless(|_| "You are the market analyst. Write a report.\n".into());
    let (answer, server) = ask_for(vec![again(), good("Up.")]).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.attempts.len()), ("Up.", 1));
    assert!(instructions(&server)[1].contains("repeated the same passage"));

    let (answer, server) = ask_for(vec![again(), again(), good("Never asked for.")]).await;
    assert_eq!(answer, Err(ChatError::Runaway { model: "gpt-5-mini".into() }));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn thoughts_that_only_repeat_themselves_are_stopped() {
    let thought = |_| "Wait, let me think again. ".to_owned();
    let begin = |text: String| if text.is_empty() { "<think>".to_owned() } else { text };
    let again = || endless(move |number| if number == 0 { begin(String::new()) } else { thought(number) });
    let (answer, _) = ask_for(vec![again(), again()]).await;
    assert_eq!(answer, Err(ChatError::Runaway { model: "gpt-5-mini".into() }));
}

#[tokio::test]
async fn an_answer_has_a_bound_that_the_provider_is_told_and_that_holds_without_it() {
    let server = Server::start(vec![
        endless(|number| format!("{number} ")),
        endless(|number| format!("{number} ")),
        good("Up."),
    ])
    .await;
    let mut config = config(&server);
    config.answer_tokens.quick = 100.try_into().unwrap();
    let (answer, heard) = ask(config, &request()).await;
    let refused = answer.unwrap_err();
    assert!(refused.to_string().contains("PITWALL_MODEL_ANSWER_TOKENS"), "{refused}");
    assert!(heard.concat().len() < 4_000, "eight bytes a token, twice");
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "once with advice, and then no more");
    assert_eq!(seen[0].body["max_tokens"], 100);
    assert!(instructions(&server)[1].contains("too long"));
}

#[tokio::test]
async fn an_answer_that_the_provider_cut_off_is_asked_for_once_more_with_advice() {
    let cut = || sse(&[piece("Up 4"), stopped_by("length"), usage(10, 8_192), done()]);
    let (answer, server) = ask_for(vec![cut(), good("Up.")]).await;
    let answer = answer.unwrap();
    assert_eq!((answer.text.as_str(), answer.attempts[0].usage.tokens_out), ("Up.", Some(8_192)));
    assert!(instructions(&server)[1].contains("far fewer words"));
    let (answer, server) = ask_for(vec![cut(), cut(), good("Never asked for.")]).await;
    assert_eq!(answer, Err(ChatError::TokenLimit { model: "gpt-5-mini".into() }));
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_field_for_the_bound_that_the_endpoint_refuses_is_replaced_and_remembered() {
    let refusal = |name: &str| {
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.");
        failure(400, json!({"error": {"message": message, "param": name}}))
    };
    let server = Server::start(vec![refusal("max_tokens"), good("Up."), good("Up.")]).await;
    let provider = provider(config(&server));
    for _ in 0..2 {
        let answer = provider.chat(&request(), &mut |_| ()).await.unwrap();
        assert_eq!(answer.attempts.len(), 0);
    }
    let fields = |server: &Server| -> Vec<(Value, Value)> {
        let fields = |seen: &support::Seen| {
            (seen.body["max_tokens"].clone(), seen.body["max_completion_tokens"].clone())
        };
        server.seen().iter().map(fields).collect()
    };
    let (none, bound) = (Value::Null, json!(8_192));
    let newer = (none.clone(), bound.clone());
    assert_eq!(fields(&server), [(bound.clone(), none.clone()), newer.clone(), newer.clone()]);

    // The bound is more than the model can write: its own holds.
    let message = "max_tokens is too large: 8192. This model supports at most 4096 completion tokens.";
    let too_large = failure(400, json!({"error": {"message": message}}));
    let server = Server::start(vec![too_large.clone(), too_large, good("Up.")]).await;
    ask(config(&server), &request()).await.0.unwrap();
    assert_eq!(fields(&server), [(bound, none.clone()), newer, (none.clone(), none)]);
}

#[tokio::test]
async fn a_short_key_is_not_blotted_out_inside_of_words() {
    let message = "The tools to work correctly need another key than k.";
    let server = Server::start(vec![failure(401, json!({"error": {"message": message}}))]).await;
    let mut config = config(&server);
    config.api_key = Some(Secret::from("k"));
    let refused = ask(config, &request()).await.0.unwrap_err().to_string();
    assert!(refused.contains("The tools to work correctly need another key than ***."), "{refused}");
}

#[tokio::test]
async fn a_base_url_keeps_its_query_and_may_be_the_whole_address() {
    for (base_url, path) in [
        (
            "/openai/deployments/gpt-4o?api-version=2024-10-21",
            "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21",
        ),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1//", "/v1/chat/completions"),
    ] {
        let server = Server::start(vec![good("Up.")]).await;
        let mut config = config(&server);
        config.base_url = Some(format!("{}{base_url}", server.url().trim_end_matches("/v1/")));
        ask(config, &request()).await.0.unwrap();
        assert_eq!(server.seen()[0].path, path);
    }
}

#[test]
fn a_base_url_that_cannot_work_is_refused_before_anybody_is_asked() {
    for (base_url, words) in [
        ("localhost:11434/v1", "write http://localhost:11434/v1"),
        ("file:///v1", "only http and https"),
        ("https://me:pass@h/v1", "PITWALL_MODEL_KEY"),
    ] {
        let mut config = ProviderConfig::new(Tiers::same("m".to_owned()));
        config.base_url = Some(base_url.into());
        let refused =
            Provider::new(config, PriceTable::empty(), &EndpointQueues::default()).err().unwrap().to_string();
        assert!(refused.contains(words), "{refused}");
    }
}
