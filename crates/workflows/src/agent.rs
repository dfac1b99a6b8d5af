//! How an agent talks to a model: tool rounds, and answers that are checked.

use std::time::Duration;

use async_trait::async_trait;
use engine::{AnswerForm, Lane, NodeError, Question, ToolResult};
use llm::{AnswerSchema, Arguments, ChatRequest, Message, ToolRequest, ToolSpec};
use protocol::{Tier, ToolStatus};
use serde::Deserialize;
use serde_json::{Value, json};

/// Times that a model may ask for tools before it must answer.
const TOOL_ROUNDS: u32 = 5;
/// Tool calls that are run of one answer; the rest are refused.
const TOOLS_A_ROUND: usize = 16;
/// Times that an unusable answer is sent back with its error.
const CORRECTIONS: u32 = 2;
/// The tool by which a model asks a person, where the run allows that.
pub const ASK_PERSON: &str = "ask_person";
/// How a message begins that carries a person's comment.
pub const SENT_BACK: &str = "A person has sent your earlier work back with this comment:";
/// What a model is told that asks for tools again and again.
pub(crate) const NO_MORE_TOOLS: &str = "No more tools can be called. Answer with what you have.";
/// How long a person's answer is awaited.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Characters of a question at most.
const LONGEST_QUESTION: usize = 2000;

/// The tools of an agent.
#[async_trait]
pub trait Toolbox: Send + Sync {
    /// What the model is told about them.
    fn specs(&self) -> Vec<ToolSpec>;

    /// Runs one. Name and arguments come from a model: anything may stand in them.
    async fn call(&self, name: &str, arguments: &Value) -> ToolResult;
}

/// An agent without tools.
pub struct NoTools;

#[async_trait]
impl Toolbox for NoTools {
    fn specs(&self) -> Vec<ToolSpec> {
        Vec::new()
    }

    async fn call(&self, name: &str, _: &Value) -> ToolResult {
        unknown_tool(name, &[])
    }
}

/// What an agent is asked.
pub struct Brief {
    /// The agent's name, such as `market_analyst`.
    pub agent: String,
    /// The tier of the model that is asked.
    pub tier: Tier,
    /// Role and task.
    pub messages: Vec<Message>,
    /// The form of the answer, if it is not free text.
    pub schema: Option<AnswerSchema>,
}

/// A tool call that was made on the way to an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolUse {
    /// The tool.
    pub name: String,
    /// What the model passed; null where it cannot be read.
    pub arguments: Value,
    /// How it ended.
    pub status: ToolStatus,
    /// What the model got back.
    pub text: String,
}

/// An answer, and the tool calls that led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversation<T> {
    /// The answer, checked.
    pub answer: T,
    /// Tool calls, in order.
    pub tools: Vec<ToolUse>,
}

/// Asks for Markdown, with tools.
///
/// # Errors
/// The model cannot answer, or gives an empty answer again and again.
pub async fn converse(
    node: &Lane,
    brief: Brief,
    toolbox: &dyn Toolbox,
) -> Result<Conversation<String>, NodeError> {
    ask(node, brief, toolbox, |text| match text.trim() {
        "" => Err("Your answer was empty. Answer again.".to_owned()),
        text => Ok(text.to_owned()),
    })
    .await
}

/// What a model said last, where none of its answers could be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The last answer, as it came.
    pub answer: String,
    /// Why it was refused, as the model was told.
    pub refusal: String,
}

impl From<Unusable> for NodeError {
    fn from(unusable: Unusable) -> Self {
        Self::failed(format!(
            "The model gave no usable answer in {} attempts. The last one was refused: {}",
            CORRECTIONS + 1,
            unusable.refusal
        ))
    }
}

/// Asks until `read` accepts the answer, as [`attempt`] does.
///
/// # Errors
/// The model cannot answer, asks for tools without end, or gives no usable answer.
pub async fn ask<T: Send>(
    node: &Lane,
    brief: Brief,
    toolbox: &dyn Toolbox,
    read: impl Fn(&str) -> Result<T, String> + Send + Sync,
) -> Result<Conversation<T>, NodeError> {
    Ok(attempt(node, brief, toolbox, read).await??)
}

/// Asks until `read` accepts the answer: runs the tools that the model asks for, and sends an
/// answer that `read` refuses back with its words, which should say what to do. Where no answer can be used, the last
/// one is returned.
///
/// # Errors
/// The model cannot answer.
pub async fn attempt<T: Send>(
    node: &Lane,
    brief: Brief,
    toolbox: &dyn Toolbox,
    read: impl Fn(&str) -> Result<T, String> + Send + Sync,
) -> Result<Result<Conversation<T>, Unusable>, NodeError> {
    let mut specs = toolbox.specs();
    if node.request().questions {
        specs.push(ask_person_spec());
    }
    let mut request = ChatRequest {
        agent: brief.agent,
        run: Some(node.run()),
        tier: brief.tier,
        profile: None,
        messages: brief.messages,
        tools: specs.clone(),
        schema: brief.schema,
        temperature: None,
    };
    for comment in node.comments() {
        request.messages.push(Message::User(format!("{SENT_BACK} {comment}")));
    }
    let mut tools = Vec::new();
    let (mut rounds, mut corrections) = (0, 0);
    loop {
        let answer = node.chat(request.clone()).await?;
        let wants_tools = !answer.tool_requests.is_empty();
        if wants_tools && rounds < TOOL_ROUNDS {
            rounds += 1;
            let requests = answer.tool_requests;
            request.messages.push(Message::Assistant {
                text: answer.text,
                tool_requests: requests.clone(),
                echo: answer.echo,
            });
            for (index, wanted) in requests.into_iter().enumerate() {
                let used = run_tool(node, toolbox, &specs, index, &wanted).await?;
                let (name, content) = (wanted.name, used.text.clone());
                request.messages.push(Message::Tool { request: wanted.id, name, content });
                tools.push(used);
            }
            continue;
        }
        let refusal = if wants_tools {
            NO_MORE_TOOLS.to_owned()
        } else {
            match read(&answer.text) {
                Ok(answer) => return Ok(Ok(Conversation { answer, tools })),
                Err(refusal) => refusal,
            }
        };
        if corrections == CORRECTIONS {
            return Ok(Err(Unusable { answer: answer.text, refusal }));
        }
        corrections += 1;
        // Providers refuse messages without text.
        if !answer.text.trim().is_empty() {
            request.messages.push(Message::Assistant {
                text: answer.text,
                tool_requests: Vec::new(),
                echo: answer.echo,
            });
        }
        request.messages.push(Message::User(refusal));
    }
}

async fn run_tool(
    node: &Lane,
    toolbox: &dyn Toolbox,
    specs: &[ToolSpec],
    index: usize,
    wanted: &ToolRequest,
) -> Result<ToolUse, NodeError> {
    let offered: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
    // What is shown and logged of a name that a model made up.
    let name: String = wanted.name.chars().filter(|c| !c.is_control()).take(64).collect();
    let arguments = match &wanted.arguments {
        Arguments::Object(arguments) => Value::Object(arguments.clone()),
        Arguments::Unreadable { why, .. } => {
            let refused = ToolResult::error(format!(
                "The arguments of this call cannot be read: {why}. Call it again with a JSON object."
            ));
            let result = node.tool(&name, &wanted.arguments, async { refused }).await?;
            return Ok(ToolUse { name, arguments: Value::Null, status: result.status, text: result.text });
        }
    };
    if name == ASK_PERSON && offered.contains(&ASK_PERSON) {
        let (status, text) = ask_person(node, &arguments).await?;
        return Ok(ToolUse { name, arguments, status, text });
    }
    let call = async {
        if index >= TOOLS_A_ROUND {
            ToolResult::error(format!("Too many calls at once: at most {TOOLS_A_ROUND} are run. Ask again."))
        } else if offered.contains(&wanted.name.as_str()) {
            toolbox.call(&wanted.name, &arguments).await
        } else {
            unknown_tool(&name, &offered)
        }
    };
    let result = node.tool(&name, &wanted.arguments, call).await?;
    Ok(ToolUse { name, arguments, status: result.status, text: result.text })
}

fn ask_person_spec() -> ToolSpec {
    ToolSpec {
        name: ASK_PERSON.to_owned(),
        description: "Asks the person who watches this run. Use it only for what neither the data nor the \
                      other agents can tell, such as a preference."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "question": { "type": "string", "description": "What you want to know." },
                "why": { "type": "string", "description": "What depends on the answer." },
                "options": {
                    "type": "array",
                    "items": { "type": "string" },
                    "description": "The answers to choose from; leave it out for a free text.",
                },
                "schema": {
                    "type": "object",
                    "description": "A JSON schema of an object, where you need several values at once.",
                },
            },
            "required": ["question", "why"],
        }),
    }
}

/// The question as a model writes it.
#[derive(Deserialize)]
struct Wish {
    question: String,
    why: String,
    #[serde(default)]
    options: Vec<String>,
    schema: Option<Value>,
}

impl Wish {
    fn form(&self) -> Result<AnswerForm, String> {
        match &self.schema {
            Some(schema) => AnswerForm::object(schema.clone()),
            None if self.options.is_empty() => Ok(AnswerForm::Text),
            None => {
                Ok(AnswerForm::Choice(self.options.iter().take(12).map(|option| short(option)).collect()))
            }
        }
    }
}

fn short(text: &str) -> String {
    text.chars().take(LONGEST_QUESTION).collect()
}

/// The question is in the log as such, so it is no tool call there.
async fn ask_person(node: &Lane, arguments: &Value) -> Result<(ToolStatus, String), NodeError> {
    let wish = match Wish::deserialize(arguments) {
        Ok(wish) if !wish.question.trim().is_empty() => wish,
        Ok(_) => return Ok((ToolStatus::Error, "The question was empty. Ask again.".to_owned())),
        Err(error) => return Ok((ToolStatus::Error, format!("The question cannot be read: {error}."))),
    };
    let form = match wish.form() {
        Ok(form) => form,
        Err(error) => return Ok((ToolStatus::Error, format!("The schema cannot be used: {error}."))),
    };
    let nobody = "Nobody answered in time. Decide without.";
    let answer = node
        .ask(Question {
            prompt: short(&wish.question),
            reason: Some(short(&wish.why)),
            form,
            patience: Some(PATIENCE),
            default: Some(nobody.into()),
        })
        .await?;
    let text = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
    Ok((ToolStatus::Success, text))
}

fn unknown_tool(name: &str, offered: &[&str]) -> ToolResult {
    ToolResult::error(match offered {
        [] => format!("There is no tool \"{name}\": no tools are offered here."),
        offered => format!("There is no tool \"{name}\". These are offered: {}.", offered.join(", ")),
    })
}
