//! Tool calls within a model's text, which occur where the server does not know the model's format.

use serde_json::{Map, Value};

use crate::{ToolSpec, json};

/// Tags around one or several calls: of Hermes and Qwen, Llama, Phi and Granite, Kimi, `DeepSeek`, Mistral,
/// `MiniMax`, Gemma and others. A tag without an end extends to the end of the text.
const TAGS: [(&str, &str); 21] = [
    ("<tool_call>", "</tool_call>"),
    ("<tool_calls>", "</tool_calls>"),
    ("<function_call>", "</function_call>"),
    ("<function_calls>", "</function_calls>"),
    ("<functioncall>", "</functioncall>"),
    ("<function=", "</function>"),
    ("<invoke name=", "</invoke>"),
    ("<minimax:tool_call>", "</minimax:tool_call>"),
    ("<|tool_call|>", "<|/tool_call|>"),
    ("<|tool_call>", "<tool_call|>"),
    ("<|tool_calls_section_begin|>", "<|tool_calls_section_end|>"),
    ("<|tool_call_begin|>", "<|tool_call_end|>"),
    ("<|python_tag|>", "<|eom_id|>"),
    ("<｜tool▁calls▁begin｜>", "<｜tool▁calls▁end｜>"),
    ("<｜tool▁call▁begin｜>", "<｜tool▁call▁end｜>"),
    ("[tool_calls]", "[/tool_calls]"),
    ("```tool_calls", "```"),
    ("```tool_call", "```"),
    ("```tool_code", "```"),
    ("```function_call", "```"),
    ("<tool_code>", "</tool_code>"),
];

/// The most tags that are tried in one text.
const MOST_TAGS: usize = 64;

/// A call in a text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextCall {
    /// The tool's name.
    pub(crate) name: String,
    /// The arguments as written, which may be invalid JSON.
    pub(crate) arguments: String,
}

/// A text with tool calls.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The text without the calls.
    pub(crate) text: String,
    /// The calls, in order.
    pub(crate) calls: Vec<TextCall>,
}

/// The calls in a text; `None` if there are none.
///
/// A tag at the beginning of a line is a call, even one that cannot be parsed. Within a line it is one if it
/// can be parsed, and within code it is text. A text without tags is a call if it is nothing but JSON with
/// the name of an offered tool and its arguments.
pub(crate) fn find(text: &str, tools: &[ToolSpec]) -> Option<Found> {
    let mut found = Found { text: String::new(), calls: Vec::new() };
    let mut fenced = false;
    let mut at_beginning = true;
    let mut in_code = false;
    let mut kept = 0;
    let mut position = 0;
    let mut tags = 0;
    while let Some(character) = text[position..].chars().next() {
        let spoken_of = fenced || in_code || tags == MOST_TAGS;
        let tag = if spoken_of { None } else { tag_at(&text[position..]) };
        if let Some((region, length)) = tag {
            tags += 1;
            let calls = read(region, tools);
            if at_beginning || calls.is_some() {
                found.text.push_str(&text[kept..position]);
                found.calls.extend(calls.unwrap_or_else(|| vec![unreadable(region, tools)]));
                position += length;
                kept = position;
                at_beginning = true;
                continue;
            }
        }
        if at_beginning && text[position..].starts_with("```") {
            fenced = !fenced;
            at_beginning = false;
            position += 3;
            continue;
        }
        position += character.len_utf8();
        at_beginning = character == '\n' || (at_beginning && character.is_whitespace());
        in_code = character != '\n' && (in_code != (character == '`'));
    }
    if found.calls.is_empty() {
        let offered = |call: &TextCall| tools.iter().any(|tool| tool.name == call.name);
        found.calls = read_json(without_fence(text), true).filter(|calls| calls.iter().all(offered))?;
        kept = text.len();
    }
    found.text.push_str(&text[kept..]);
    found.text = found.text.trim().to_owned();
    Some(found)
}

/// The content of a tag at the beginning of a text, and the length of the whole.
fn tag_at(text: &str) -> Option<(&str, usize)> {
    if !text.starts_with(['<', '[', '`']) {
        return None;
    }
    let begins = |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    let (open, close) = TAGS.iter().find(|(open, _)| begins(open))?;
    // Their names are part of the content.
    let start = if open.ends_with('=') { 0 } else { open.len() };
    let inner = &text[start..];
    // Only ASCII changes case, so offsets stay the same.
    let end = inner.to_ascii_lowercase().find(close);
    Some(match end {
        Some(end) => (&inner[..end], start + end + close.len()),
        None => (inner, text.len()),
    })
}

/// The calls in a tag's content.
fn read(region: &str, tools: &[ToolSpec]) -> Option<Vec<TextCall>> {
    let region = without_fence(region);
    let calls = if region.starts_with(['{', '[']) {
        read_json(region, false)
    } else if region.contains("<function") || region.contains("<invoke") {
        read_tags(region, tools)
    } else if region.contains("<arg_key>") {
        read_pairs(region)
    } else {
        read_names(region, tools)
    };
    calls.filter(|calls| !calls.is_empty())
}

/// A call that cannot be parsed; the model is told so.
fn unreadable(region: &str, tools: &[ToolSpec]) -> TextCall {
    let named = tools.iter().find(|tool| region.contains(&tool.name));
    let name = named.map_or("tool_call", |tool| tool.name.as_str()).to_owned();
    TextCall { name, arguments: region.trim().to_owned() }
}

fn without_fence(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```") else { return text };
    let inner = inner.strip_suffix("```").unwrap_or(inner);
    inner.trim_start_matches(|character: char| character.is_ascii_alphabetic()).trim()
}

/// Objects, or lists of them, one after the other: `{"name": …, "arguments": {…}}`.
fn read_json(mut text: &str, with_arguments: bool) -> Option<Vec<TextCall>> {
    let mut calls = Vec::new();
    while !text.is_empty() {
        let read = text.starts_with(['{', '[']).then(|| json::respell(text).ok()).flatten()?;
        match read.unambiguous().ok()? {
            Value::Array(list) => {
                for value in list {
                    calls.push(call_of(value.as_object()?, with_arguments)?);
                }
            }
            value => calls.push(call_of(value.as_object()?, with_arguments)?),
        }
        text = text[read.end..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    }
    (!calls.is_empty()).then_some(calls)
}

fn call_of(object: &Map<String, Value>, with_arguments: bool) -> Option<TextCall> {
    let object = object.get("function").and_then(Value::as_object).unwrap_or(object);
    let text = |name: &&str| object.get(*name).and_then(Value::as_str);
    let name = ["name", "function", "tool", "tool_name"].iter().find_map(text)?;
    let names = ["arguments", "parameters", "args", "input", "tool_input"];
    let arguments = names.iter().find_map(|name| object.get(*name));
    if with_arguments && arguments.is_none() {
        return None;
    }
    let arguments = match arguments {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    Some(TextCall { name: name.to_owned(), arguments })
}

/// `<function=name>` or `<invoke name="name">`, each with an object or with a tag for each argument.
fn read_tags(mut region: &str, tools: &[ToolSpec]) -> Option<Vec<TextCall>> {
    let mut calls = Vec::new();
    while let Some((start, close)) = first_of(region, &[("<function", "</function"), ("<invoke", "</invoke")])
    {
        let (name, inner) = named(&region[start..])?;
        let end = inner.find(close).unwrap_or(inner.len());
        let body = without_fence(&inner[..end]);
        let arguments =
            if body.starts_with('{') { body.to_owned() } else { arguments_of(body, name, tools)? };
        calls.push(TextCall { name: name.to_owned(), arguments });
        region = &inner[end..];
    }
    Some(calls)
}

fn first_of<'a>(text: &str, tags: &[(&str, &'a str)]) -> Option<(usize, &'a str)> {
    tags.iter().filter_map(|(open, close)| Some((text.find(open)?, *close))).min_by_key(|(start, _)| *start)
}

/// The name in `<function=name>` or `<function name="name">`, and what follows the tag.
fn named(tag: &str) -> Option<(&str, &str)> {
    let (tag, inner) = tag.split_once('>')?;
    let (_, name) = tag.split_once('=')?;
    Some((name.trim().trim_matches(['"', '\'']), inner))
}

/// `<parameter=name>value</parameter>` or `<parameter name="name">value</parameter>`.
fn arguments_of(mut body: &str, tool: &str, tools: &[ToolSpec]) -> Option<String> {
    let mut arguments = Map::new();
    while let Some(start) = body.find("<parameter") {
        let (name, inner) = named(&body[start..])?;
        let (value, rest) = inner.split_once("</parameter>")?;
        arguments.insert(name.to_owned(), value_of(value, name, tool, tools));
        body = rest;
    }
    Some(Value::Object(arguments).to_string())
}

/// `name`, then `<arg_key>name</arg_key><arg_value>value</arg_value>` for each argument.
fn read_pairs(region: &str) -> Option<Vec<TextCall>> {
    let (name, mut rest) = region.split_once("<arg_key>")?;
    let mut arguments = Map::new();
    loop {
        let (key, after) = rest.split_once("</arg_key>")?;
        let (_, value) = after.split_once("<arg_value>")?;
        let (value, after) = value.split_once("</arg_value>")?;
        let read = json::unambiguous(value).ok().filter(|read| !read.is_string());
        arguments.insert(key.trim().to_owned(), read.unwrap_or_else(|| value.trim().into()));
        match after.split_once("<arg_key>") {
            Some((_, next)) => rest = next,
            None => break,
        }
    }
    let arguments = Value::Object(arguments).to_string();
    Some(vec![TextCall { name: name.trim().to_owned(), arguments }])
}

/// A value without quotes, which is text unless the tool wants something else.
fn value_of(text: &str, name: &str, tool: &str, tools: &[ToolSpec]) -> Value {
    let text = text.trim();
    let tool = tools.iter().find(|offered| offered.name == tool);
    let wants_text = tool.is_none_or(|tool| tool.parameters["properties"][name]["type"] == "string");
    if wants_text { text.into() } else { json::unambiguous(text).unwrap_or_else(|_| text.into()) }
}

/// A name and an object, again and again, with anything between: `name[ARGS]{…}`, `functions.name:0<…>{…}`.
fn read_names(mut region: &str, tools: &[ToolSpec]) -> Option<Vec<TextCall>> {
    let mut calls = Vec::new();
    while let Some(start) = region.find('{') {
        let words = region[..start]
            .split(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.' | ':'));
        let names = words.map(|word| {
            let word = word.strip_prefix("functions.").unwrap_or(word);
            word.split_once(':').map_or(word, |(name, _)| name)
        });
        let mut offered = names.filter(|name| tools.iter().any(|tool| tool.name == *name));
        let name = offered.next()?.to_owned();
        let arguments = &region[start..];
        let end = json::respell(arguments).ok()?.end;
        calls.push(TextCall { name, arguments: arguments[..end].to_owned() });
        region = &arguments[end..];
    }
    Some(calls)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn tools() -> Vec<ToolSpec> {
        let parameters = json!({"type": "object", "properties": {
            "symbol": {"type": "string"}, "days": {"type": "integer"} }});
        ["get_stock_data", "get_indicators"]
            .map(|name| ToolSpec {
                name: name.into(),
                description: String::new(),
                parameters: parameters.clone(),
            })
            .into()
    }

    /// What was found, with arguments as JSON.
    fn calls(text: &str) -> Option<(String, Vec<(String, Value)>)> {
        let found = find(text, &tools())?;
        let calls = found.calls.into_iter().map(|call| {
            let arguments =
                json::unambiguous(&call.arguments).unwrap_or_else(|_| Value::String(call.arguments));
            (call.name, arguments)
        });
        Some((found.text, calls.collect()))
    }

    #[test]
    fn a_call_is_found_in_every_form_that_models_speak() {
        let apple = json!({"symbol": "AAPL", "days": 30});
        for text in [
            "<tool_call>\n{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": \"AAPL\", \"days\": 30}}\n</tool_call>",
            "<tool_call>{\"name\": \"get_stock_data\", \"arguments\": \"{\\\"symbol\\\": \\\"AAPL\\\", \\\"days\\\": 30}\"}",
            "<TOOL_CALL>\n```json\n{\"name\": \"get_stock_data\", \"parameters\": {\"symbol\": \"AAPL\", \"days\": 30,}}\n```\n</TOOL_CALL>",
            "<tool_call>\n<function=get_stock_data>\n<parameter=symbol>\nAAPL\n</parameter>\n<parameter=days>\n30\n</parameter>\n</function>\n</tool_call>",
            "<tool_call>get_stock_data\n<arg_key>symbol</arg_key>\n<arg_value>AAPL</arg_value>\n<arg_key>days</arg_key>\n<arg_value>30</arg_value>\n</tool_call>",
            "<function=get_stock_data>{\"symbol\": \"AAPL\", \"days\": 30}</function>",
            "<function_calls>\n<invoke name=\"get_stock_data\">\n<parameter name=\"symbol\">AAPL</parameter>\n<parameter name=\"days\">30</parameter>\n</invoke>\n</function_calls>",
            "```tool_call\n{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": \"AAPL\", \"days\": 30}}\n```",
            "<|tool_call|>[{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": \"AAPL\", \"days\": 30}}]<|/tool_call|>",
            "<|python_tag|>{\"name\": \"get_stock_data\", \"parameters\": {\"symbol\": \"AAPL\", \"days\": 30}}",
            "[TOOL_CALLS] [{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": \"AAPL\", \"days\": 30}}]",
            "[TOOL_CALLS]get_stock_data[CALL_ID]a1b2[ARGS]{\"symbol\": \"AAPL\", \"days\": 30}",
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.get_stock_data:0<|tool_call_argument_begin|>{\"symbol\": \"AAPL\", \"days\": 30}<|tool_call_end|><|tool_calls_section_end|>",
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>get_stock_data\n```json\n{\"symbol\": \"AAPL\", \"days\": 30}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            "{\"name\": \"get_stock_data\", \"parameters\": {\"symbol\": \"AAPL\", \"days\": 30}}",
            "```json\n{\"type\": \"function\", \"function\": {\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": \"AAPL\", \"days\": 30}}}\n```",
        ] {
            assert_eq!(
                calls(text),
                Some((String::new(), vec![("get_stock_data".into(), apple.clone())])),
                "{text}"
            );
        }
    }

    #[test]
    fn what_stands_beside_calls_is_kept() {
        let text = "I look it up.\n<tool_call>{\"name\": \"get_stock_data\", \"arguments\": {}}</tool_call>\n\
                    <tool_call>{\"name\": \"get_news\"}</tool_call>\nThen I go on.<tool_call>\n{\"name\": \"get_indicators\"}</tool_call>";
        let (rest, calls) = calls(text).unwrap();
        assert_eq!(rest, "I look it up.\n\n\nThen I go on.");
        let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["get_stock_data", "get_news", "get_indicators"]);
    }

    #[test]
    fn a_call_that_cannot_be_read_is_one_all_the_same() {
        for text in [
            "<tool_call>\n{\"name\": \"get_stock_data\", \"arguments\": {\"symbol\": AAPL}}\n</tool_call>",
            "<tool_call>\n{\"name\": \"get_stock_data\", \"argum",
            "```tool_code\nprint(get_stock_data(symbol=\"AAPL\"))\n```",
            "<|python_tag|>get_stock_data.call(symbol=\"AAPL\")",
        ] {
            let (rest, calls) = calls(text).unwrap();
            assert_eq!(
                (rest.as_str(), calls[0].0.as_str(), calls[0].1.is_string()),
                ("", "get_stock_data", true),
                "{text}"
            );
        }
    }

    #[test]
    fn what_only_speaks_of_calls_is_text() {
        for text in [
            "A model writes `<tool_call>{\"name\": \"get_stock_data\"}</tool_call>` for a call.",
            "Models mark calls with <tool_call> and others.",
            "An example:\n```xml\n<tool_call>\n{\"name\": \"get_stock_data\"}\n</tool_call>\n```\nThat is all.",
            "{\"name\": \"Apple\", \"parameters\": {}}",
            "{\"grade\": \"hold\"}",
            "## Report\nThe function <f> grows. [1] a < b",
            "",
        ] {
            assert_eq!(calls(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(<tool_call>|</tool_call>|<function=|<parameter=|</parameter>|<arg_key>|</arg_key>|<arg_value>|\\[TOOL_CALLS\\]|```|get_stock_data|\\{\"name\": ?\"|[{}\":,\n a€>`]){0,30}") {
            let _ = find(&text, &tools());
        }

        #[test]
        fn what_is_left_holds_no_call(before in "[a-z .]{0,20}", symbol in "[^<`]{0,20}", after in "[a-z .]{0,20}") {
            let call = json!({"name": "get_stock_data", "arguments": {"symbol": symbol}});
            let (rest, calls) = calls(&format!("{before}\n<tool_call>\n{call}\n</tool_call>\n{after}")).unwrap();
            prop_assert_eq!(calls, [("get_stock_data".to_owned(), json!({"symbol": symbol}))]);
            let beside = format!("{before}\n\n{after}");
            prop_assert_eq!(rest, beside.trim());
        }
    }
}
