//! Why the server cannot start or continue.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
};

use accounts::AccountsError;
use engine::EngineError;
use journal::JournalError;
use protocol::{AccountId, ProfileName, ToolServerName};
use workflows::{FamiliesError, trading::DeskError};

/// Why the server cannot start or continue.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is in use, or is not one of this machine's.
    #[error("{0} cannot be listened on: {1}. Choose another with --addr.")]
    Listen(SocketAddr, io::Error),
    /// The data folder cannot be made.
    #[error("The data folder {0} cannot be made: {1}. Choose another with --data.")]
    DataFolder(PathBuf, io::Error),
    /// The pages are not built.
    #[error(
        "The built pages were not found. Build them with `make build`, or say where they are with --site."
    )]
    NoSite,
    /// The log cannot be opened.
    #[error("{0}")]
    Journal(#[from] JournalError),
    /// The settings of a family cannot be used.
    #[error("The settings under [families.{0}]: {1}.")]
    FamilySettings(String, String),
    /// The portfolios cannot be read.
    #[error("{0}")]
    Desk(#[from] DeskError),
    /// Two tools that families offer have one name.
    #[error("{0}")]
    ToolName(#[from] tools::NameTaken),
    /// A tool that a family offers cannot be described to a model.
    #[error("A tool of Pitwall's own cannot be used: {0}.")]
    Tool(#[from] tools::SchemaError),
    /// Two families have the same kind of workflow.
    #[error("{0}")]
    Families(#[from] FamiliesError),
    /// A base URL or a key, and no model.
    #[error("A base URL or key is set, but no model. Name one with --model or PITWALL_MODEL.")]
    NoModelNamed,
    /// Some tiers have a model, others have none.
    #[error(
        "Some tiers have no model. Set --model for all, or each of --model-quick, --model-mid and --model-deep."
    )]
    TierWithoutModel,
    /// The settings file cannot be read.
    #[error("The settings file {0} cannot be read: {1}.")]
    SettingsFile(PathBuf, io::Error),
    /// The settings file has an invalid value.
    #[error("The settings file {0} has an error: {1}")]
    Settings(PathBuf, String),
    /// A model of the settings cannot be used.
    #[error("The model {0} of the settings: {1}")]
    ModelOfSettings(ProfileName, Box<Self>),
    /// Options and settings both say which model answers.
    #[error(
        "The settings say which models answer the tiers, and an option or variable names a model as well. \
         Leave one of them out: [tiers] in the settings, or PITWALL_MODEL."
    )]
    TwoModels,
    /// A model has two keys.
    #[error("It names a variable and a file for its key. Leave one of them out.")]
    TwoKeys,
    /// A tool server of the settings cannot be used.
    #[error("The tool server {0} of the settings: {1}")]
    ToolServerOfSettings(ToolServerName, Box<Self>),
    /// A tool server that is neither a program nor an address, or a mixture of both.
    #[error(
        "It needs either a command, with its args and the names of its variables in env, or a url, with the key's \
         place in key_variable or key_file."
    )]
    CommandOrUrl,
    /// A tool server cannot be reached in this way.
    #[error("{0}")]
    ToolEndpoint(#[from] tools::mcp::EndpointError),
    /// An environment variable that a program is to receive is not set.
    #[error("Its program is to receive the variable {0}, which is not set.")]
    Variable(String),
    /// The variable with the key is not set.
    #[error("Its key should stand in the variable {0}, which is not set.")]
    KeyVariable(String),
    /// The model's settings are wrong.
    #[error("{0}")]
    Model(#[from] llm::ChatError),
    /// Unfinished runs cannot be resumed.
    #[error("{0}")]
    Engine(#[from] EngineError),
    /// A database cannot be copied or checked.
    #[error("{0}")]
    File(#[from] database::FileError),
    /// The accounts cannot be read or changed.
    #[error("{0}")]
    Accounts(#[from] AccountsError),
    /// Everybody on the network would be let in.
    #[error(
        "--no-auth lets everybody in who can reach the server, so it works on a loopback address only, and \
         {0} is none. Listen at 127.0.0.1, or make accounts with `pitwall account add NAME` and leave --no-auth out."
    )]
    OpenToAll(IpAddr),
    /// Others could reach a server that has no accounts.
    #[error(
        "Others can reach {0}, and there are no accounts yet. Make one with \
         `pitwall account add NAME --role administrator`, or listen at 127.0.0.1."
    )]
    NoAccounts(IpAddr),
    /// The token can be guessed.
    #[error(
        "The token must have at least 16 characters. Choose a longer one for --token or PITWALL_TOKEN, or leave \
         it out: then it is random."
    )]
    ShortToken,
    /// The key's file cannot be read.
    #[error("The key file {0} cannot be read: {1}.")]
    KeyFile(PathBuf, io::Error),
    /// Others could read the key's file.
    #[error("The key file {0} has mode {1:o}, so others may read it. Run `chmod 600` on it.")]
    KeyFileMode(PathBuf, u32),
    /// There is no key in the file.
    #[error("The key file {0} is empty.")]
    KeyFileEmpty(PathBuf),
    /// The password was mistyped.
    #[error("The two passwords differ. Try again.")]
    PasswordsDiffer,
    /// Nobody has this account.
    #[error("There is no account {0}. `pitwall account list` names those that there are.")]
    NoSuchAccount(AccountId),
    /// A file of another system was not taken in.
    #[error("{} was not imported. {}", .0.display(), .1)]
    NotImported(PathBuf, String),
    /// The system refuses.
    #[error("The server cannot go on: {0}")]
    Io(#[from] io::Error),
}
