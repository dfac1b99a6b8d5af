//! The tools that agents may be offered, as the settings describe their servers.

use std::time::Duration;

use llm::Secret;
use tools::{
    Registry,
    mcp::{Endpoint, Limits, McpServer, McpServers},
};

use crate::{
    error::ServeError,
    key,
    settings::{Settings, ToolServerSettings},
};

/// All tools. The servers are started and not waited for.
///
/// # Errors
/// The settings describe a server that cannot be, or name a variable that is not set. A server that does not start or
/// answer is no error: how it stands is listed.
pub fn start(settings: &Settings) -> Result<Registry, ServeError> {
    let servers = settings.tools.iter().map(|(name, server)| {
        let wrong = |error| ServeError::ToolServerOfSettings(name.clone(), Box::new(error));
        let endpoint = endpoint(server).map_err(wrong)?;
        Ok(McpServer { name: name.clone(), endpoint, limits: limits(server) })
    });
    Ok(Registry::new(McpServers::start(servers.collect::<Result<Vec<_>, ServeError>>()?)))
}

fn endpoint(server: &ToolServerSettings) -> Result<Endpoint, ServeError> {
    let has_key = server.key_variable.is_some() || server.key_file.is_some();
    let has_start = !server.args.is_empty() || !server.env.is_empty();
    match (&server.command, &server.url) {
        (Some(command), None) if !has_key => {
            let variables = server.env.iter().map(|name| Ok((name.clone(), variable(name)?)));
            let variables = variables.collect::<Result<_, ServeError>>()?;
            Ok(Endpoint::program(command.clone(), server.args.clone(), variables)?)
        }
        (None, Some(url)) if !has_start => {
            let key = key::named(server.key_variable.as_deref(), server.key_file.as_deref())?;
            Ok(Endpoint::network(url, key)?)
        }
        _ => Err(ServeError::CommandOrUrl),
    }
}

/// What is handed on to a program by the name of its variable. It may be a key.
fn variable(name: &str) -> Result<Secret, ServeError> {
    std::env::var(name).map(Secret::from).map_err(|_| ServeError::Variable(name.to_owned()))
}

fn limits(server: &ToolServerSettings) -> Limits {
    let usual = Limits::default();
    Limits {
        call: server.timeout.map_or(usual.call, |seconds| Duration::from_secs(seconds.get())),
        result_bytes: server.result_bytes.map_or(usual.result_bytes, std::num::NonZero::get),
        tools: server.most_tools.map_or(usual.tools, std::num::NonZero::get),
        ..usual
    }
}
