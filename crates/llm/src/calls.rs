//! Assembles tool requests from the pieces of a stream.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::{Arguments, ChatError, Message, ToolRequest, echo, json, nesting::Nesting};

/// The most tool requests of one answer. A longer list is a fault of the model, and each piece searches the
/// list.
const MOST_CALLS: usize = 128;

/// A piece of a tool request. The first piece has the name and often an id; the arguments are streamed in
/// parts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ToolPiece {
    pub(crate) index: Option<u64>,
    pub(crate) id: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) arguments: String,
    /// Fields beside the request that the provider wants back with it.
    pub(crate) echo: Map<String, Value>,
}

/// A tool request as assembled so far.
#[derive(Debug)]
struct OpenRequest {
    index: Option<u64>,
    id: Option<String>,
    name: String,
    arguments: String,
    nesting: Nesting,
    echo: Map<String, Value>,
    /// Whether the same request, complete before, began once more.
    again: bool,
}

/// The requests of one answer, in the order in which they began.
#[derive(Debug, Default)]
pub(crate) struct Calls(Vec<OpenRequest>);

impl Calls {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a piece, and returns the bytes that it takes.
    pub(crate) fn add(&mut self, piece: ToolPiece, model: &str) -> Result<usize, ChatError> {
        let piece = ToolPiece {
            id: piece.id.filter(|id| !id.is_empty()),
            name: piece.name.filter(|name| !name.is_empty()),
            ..piece
        };
        let mut size = piece.arguments.len() + echo::size(&piece.echo);
        size += piece.name.as_ref().map_or(0, String::len) + piece.id.as_ref().map_or(0, String::len);
        if let Some(call) = self.belongs_to(&piece).and_then(|position| self.0.get_mut(position)) {
            call.go_on(piece);
            return Ok(size);
        }
        // Some servers send the field with every piece of an answer, empty.
        if piece.id.is_none() && piece.name.is_none() && piece.arguments.trim().is_empty() {
            return Ok(size);
        }
        if self.0.len() == MOST_CALLS {
            let reason = format!("it asks for more than {MOST_CALLS} tools at once");
            return Err(ChatError::BrokenStream { model: model.to_owned(), reason });
        }
        let again = self.0.last().is_some_and(|last| {
            piece.id.is_none() && piece.index == last.index && piece.name.as_ref() == Some(&last.name)
        });
        self.0.push(OpenRequest::begin(piece, again));
        // Each request takes memory of its own, even an empty one.
        Ok(size + size_of::<OpenRequest>())
    }

    /// The request that a piece continues; `None` if it begins one.
    ///
    /// A number, an id and a name identify a request only together: some servers number all requests 0, some
    /// give every request the same id or none, some repeat both with each piece, and some give each piece a
    /// new id. A piece with a name that differs from every request in any of the three begins a new request.
    /// So does a name after complete arguments, unless its id shows that the request is repeated.
    fn belongs_to(&self, piece: &ToolPiece) -> Option<usize> {
        let same_number = |call: &OpenRequest| agree(call.index, piece.index);
        let same_name =
            |call: &OpenRequest| call.name.is_empty() || agree(Some(&call.name), piece.name.as_ref());
        let fits = |call: &OpenRequest| same_number(call) && same_name(call);
        if let Some(id) = &piece.id
            && let Some(position) = self.0.iter().rposition(|call| call.id.as_ref() == Some(id) && fits(call))
        {
            return Some(position);
        }
        let position = match piece.index {
            Some(_) => self.0.iter().rposition(|call| call.index == piece.index),
            None => self.0.len().checked_sub(1),
        }
        .filter(|position| self.0.get(*position).is_some_and(fits))?;
        let call = self.0.get(position)?;
        let begins = piece.name.is_some()
            && !call.name.is_empty()
            && (call.nesting.is_closed() || (piece.id.is_some() && call.id.is_some()));
        (!begins).then_some(position)
    }

    /// The complete requests, with ids that are unique in the conversation, whatever the provider gave.
    /// `proven`: the model gave a reason to stop, so arguments that are cut off are the model's fault.
    pub(crate) fn complete(
        self,
        model: &str,
        conversation: &[Message],
        proven: bool,
    ) -> Result<Vec<ToolRequest>, ChatError> {
        let mut taken: HashSet<String> = conversation.iter().flat_map(ids).map(str::to_owned).collect();
        let said = |call: &OpenRequest| !(call.again && call.arguments.trim().is_empty());
        let calls: Vec<OpenRequest> = self.0.into_iter().filter(said).collect();
        // A generated id must differ from ids that the provider gave to later requests.
        let given: HashSet<String> = calls.iter().filter_map(|call| call.id.clone()).collect();
        let mut requests = Vec::with_capacity(calls.len());
        for call in calls {
            let id = match call.id.clone() {
                Some(id) if !taken.contains(&id) => id,
                _ => unused_id(|id| taken.contains(id) || given.contains(id)),
            };
            taken.insert(id.clone());
            requests.push(call.complete(model, id, proven)?);
        }
        Ok(requests)
    }
}

/// Whether two values are equal, or one of them is absent.
fn agree<T: PartialEq>(one: Option<T>, other: Option<T>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one == other,
        _ => true,
    }
}

/// The ids of tool requests in a message.
fn ids(message: &Message) -> Vec<&str> {
    match message {
        Message::Assistant { tool_requests, .. } => {
            tool_requests.iter().map(|request| request.id.as_str()).collect()
        }
        Message::Tool { request, .. } => vec![request],
        Message::System(_) | Message::User(_) => Vec::new(),
    }
}

/// A generated id: nine letters and digits, which the strictest provider accepts.
fn unused_id(used: impl Fn(&str) -> bool) -> String {
    let ids = (1_u64..).map(|number| format!("call{number:05}"));
    // There are more candidates than used ids, so one is free.
    ids.into_iter().find(|id| !used(id)).unwrap_or_default()
}

impl OpenRequest {
    fn begin(piece: ToolPiece, again: bool) -> Self {
        let mut call = Self {
            index: piece.index,
            id: None,
            name: String::new(),
            arguments: String::new(),
            nesting: Nesting::default(),
            echo: Map::new(),
            again,
        };
        call.go_on(piece);
        call
    }

    fn go_on(&mut self, piece: ToolPiece) {
        self.index = self.index.or(piece.index);
        self.id = self.id.take().or(piece.id);
        if self.name.is_empty() {
            self.name = piece.name.unwrap_or_default();
        }
        // Nothing can follow complete arguments, so a new object replaces them: some servers begin every
        // request with an empty object.
        if self.nesting.is_closed() && piece.arguments.trim_start().starts_with('{') {
            self.arguments.clear();
            self.nesting = Nesting::default();
        }
        self.nesting.take(piece.arguments.as_bytes());
        self.arguments.push_str(&piece.arguments);
        echo::add(&mut self.echo, piece.echo);
    }

    fn complete(self, model: &str, id: String, proven: bool) -> Result<ToolRequest, ChatError> {
        let broken =
            |reason: &str| ChatError::BrokenStream { model: model.to_owned(), reason: reason.to_owned() };
        if self.name.is_empty() {
            return Err(broken("a tool request has no name"));
        }
        let arguments = read_arguments(self.arguments);
        if !proven && matches!(arguments, Arguments::Unreadable { .. }) {
            return Err(broken("the arguments of a tool request are cut off"));
        }
        let echo = (!self.echo.is_empty()).then_some(self.echo);
        Ok(ToolRequest { id, name: self.name, arguments, echo })
    }
}

/// The arguments as meant; an empty text is an empty object.
pub(crate) fn read_arguments(text: String) -> Arguments {
    if text.trim().is_empty() {
        return Arguments::Object(Map::new());
    }
    let value = json::unambiguous(&text).and_then(|value| match value {
        // Some models write the object into a string.
        Value::String(inner) => json::unambiguous(&inner),
        value => Ok(value),
    });
    match value {
        Ok(Value::Object(object)) => Arguments::Object(object),
        Ok(Value::Null) => Arguments::Object(Map::new()),
        Ok(_) => Arguments::Unreadable { text, why: "they are not a JSON object".to_owned() },
        Err(error) => Arguments::Unreadable { text, why: error.to_string() },
    }
}
