use std::{
    fmt,
    net::IpAddr,
    path::{Path, PathBuf},
};

use llm::Secret;
use protocol::ToolServerReach;
use reqwest::Url;

/// How a server is reached. It is made of the settings alone.
#[derive(Clone)]
pub enum Endpoint {
    /// A program, which is spoken to through its standard input and output.
    Program(ProgramEndpoint),
    /// An address, which is spoken to by streamable HTTP.
    Network(NetworkEndpoint),
}

/// A program that is started without a shell.
#[derive(Clone)]
pub struct ProgramEndpoint {
    pub(super) command: PathBuf,
    pub(super) arguments: Vec<String>,
    /// The variables that it sees, besides `PATH`, `HOME` and `LANG`.
    pub(super) variables: Vec<(String, Secret)>,
}

/// An address, and the key that is shown there.
#[derive(Clone)]
pub struct NetworkEndpoint {
    pub(super) url: Url,
    pub(super) key: Option<Secret>,
    pub(super) is_loopback: bool,
}

/// Why a server cannot be reached as the settings say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It would depend on the folder that Pitwall is started in.
    #[error("Its command {0} is not an absolute path. Write the whole path, such as /usr/bin/npx.")]
    NotAbsolute(PathBuf),
    /// It is no name of a variable.
    #[error("It names the variable {0:?}, and no variable can have this name.")]
    NoVariable(String),
    /// The address cannot be read.
    #[error("Its URL cannot be read ({0}). Write one such as https://host/mcp.")]
    NoUrl(String),
    /// Others on the way could read and change everything.
    #[error(
        "Its URL must begin with https://, or with http:// at a loopback address such as 127.0.0.1: the network between would \
         read what is said."
    )]
    NotSafe,
    /// URLs are shown and logged.
    #[error(
        "Its URL holds a name, a password, a query or a fragment. Leave it out, and name where the key is."
    )]
    SecretInUrl,
}

impl Endpoint {
    /// A program at an absolute path.
    ///
    /// # Errors
    /// The path is not absolute, or a variable cannot have its name.
    pub fn program(
        command: PathBuf,
        arguments: Vec<String>,
        variables: Vec<(String, Secret)>,
    ) -> Result<Self, EndpointError> {
        if !command.is_absolute() {
            return Err(EndpointError::NotAbsolute(command));
        }
        let is_name = |name: &str| !name.is_empty() && !name.contains(['=', '\0']);
        if let Some((name, _)) = variables.iter().find(|(name, _)| !is_name(name)) {
            return Err(EndpointError::NoVariable(name.clone()));
        }
        Ok(Self::Program(ProgramEndpoint { command, arguments, variables }))
    }

    /// An address by https, or by http on this machine. The key is shown as a bearer token.
    ///
    /// # Errors
    /// The address cannot be used.
    pub fn network(url: &str, key: Option<Secret>) -> Result<Self, EndpointError> {
        let url = Url::parse(url.trim()).map_err(|error| EndpointError::NoUrl(error.to_string()))?;
        let is_loopback = url.host_str().is_some_and(is_loopback);
        match url.scheme() {
            "https" => {}
            "http" if is_loopback => {}
            _ => return Err(EndpointError::NotSafe),
        }
        let is_bare = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_bare {
            return Err(EndpointError::SecretInUrl);
        }
        Ok(Self::Network(NetworkEndpoint { url, key, is_loopback }))
    }

    /// What people are shown of it.
    pub(super) fn shown(&self) -> ToolServerReach {
        match self {
            Self::Program(program) => ToolServerReach::Program { file: file_name(&program.command) },
            Self::Network(network) => ToolServerReach::Network { host: network.host() },
        }
    }
}

impl NetworkEndpoint {
    /// Host, and port where one is named.
    pub(super) fn host(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        self.url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

/// The name without its folder, which may say more than others need to know.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// Arguments may be secret as well, so only what [`Endpoint::shown`] shows is printed.
impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_taken_by_https_or_on_this_machine() {
        for (url, shown) in [
            ("https://tools.example.com/mcp", "tools.example.com"),
            ("https://tools.example.com:8443/mcp", "tools.example.com:8443"),
            ("http://127.0.0.1:8000/mcp", "127.0.0.1:8000"),
            ("http://[::1]:8000/mcp", "[::1]:8000"),
            (" http://localhost/mcp ", "localhost"),
        ] {
            let endpoint = Endpoint::network(url, None).unwrap();
            assert_eq!(endpoint.shown(), ToolServerReach::Network { host: shown.to_owned() }, "{url}");
        }
        for (url, refused) in [
            ("http://tools.example.com/mcp", EndpointError::NotSafe),
            ("http://127.0.0.1.example.com/mcp", EndpointError::NotSafe),
            ("http://localhost.example.com/mcp", EndpointError::NotSafe),
            ("file:///etc/passwd", EndpointError::NotSafe),
            ("https://me:hunter2@host/mcp", EndpointError::SecretInUrl),
            ("https://host/mcp?key=hunter2", EndpointError::SecretInUrl),
            ("https://host/mcp#hunter2", EndpointError::SecretInUrl),
        ] {
            let error = Endpoint::network(url, None).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
            assert_eq!(error, refused, "{url}");
        }
        assert!(matches!(Endpoint::network("host/mcp", None), Err(EndpointError::NoUrl(_))));
    }

    #[test]
    fn a_program_is_named_by_its_whole_path() {
        let program = |command: &str| Endpoint::program(command.into(), Vec::new(), Vec::new());
        let shown = program("/usr/bin/npx").unwrap().shown();
        assert_eq!(shown, ToolServerReach::Program { file: "npx".to_owned() });
        for command in ["npx", "./npx", "../npx", ""] {
            assert!(matches!(program(command), Err(EndpointError::NotAbsolute(_))), "{command}");
        }
        let variables = vec![("A=B".to_owned(), Secret::from("c"))];
        let refused = Endpoint::program("/usr/bin/npx".into(), Vec::new(), variables).unwrap_err();
        assert_eq!(refused, EndpointError::NoVariable("A=B".to_owned()));
    }
}
