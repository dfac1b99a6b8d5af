//! Reads options and variables alike: containers and unit files set variables that mean nothing.

use std::{
    env,
    ffi::{OsStr, OsString},
};

use clap::{
    Arg, ArgAction, Command, CommandFactory, FromArgMatches,
    builder::{BoolishValueParser, Resettable},
    error::{ContextKind, ContextValue, Error},
};

use crate::config::CommandLine;

impl CommandLine {
    /// The parsed command line, or the error to print.
    ///
    /// An empty variable counts as not set, and switches accept their usual spellings.
    ///
    /// # Errors
    /// An argument or a variable is wrong; a variable is named.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, Error> {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        let command = with_all(Self::command(), &forgiving);
        let read = command.clone().try_get_matches_from(&arguments);
        read.and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| {
            let bare = with_all(command.clone(), &without_variable).try_get_matches_from(&arguments);
            let is_of_environment =
                error.use_stderr() && bare.is_ok_and(|bare| Self::from_arg_matches(&bare).is_ok());
            if is_of_environment { naming_variables(error, &command) } else { error }
        })
    }
}

/// Applies a change to every argument of the command and of its subcommands.
fn with_all(command: Command, change: &dyn Fn(Arg) -> Arg) -> Command {
    let command = command.mut_args(change);
    command.mut_subcommands(|subcommand| with_all(subcommand, change))
}

fn forgiving(argument: Arg) -> Arg {
    let argument = match argument.get_action() {
        ArgAction::SetTrue => argument.value_parser(BoolishValueParser::new()),
        _ => argument,
    };
    let is_empty = argument.get_env().and_then(env::var_os).is_some_and(|value| is_blank(&value));
    if is_empty { without_variable(argument) } else { argument }
}

fn without_variable(argument: Arg) -> Arg {
    argument.env(Resettable::Reset)
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|value| value.trim().is_empty())
}

/// Adds the names of the variables at fault to the error.
fn naming_variables(mut error: Error, command: &Command) -> Error {
    // Only a built command can format its arguments as the error does.
    let mut command = command.clone();
    command.build();
    let at_fault: Vec<String> = [ContextKind::InvalidArg, ContextKind::PriorArg]
        .iter()
        .filter_map(|kind| error.get(*kind))
        .flat_map(|value| match value {
            ContextValue::String(argument) => vec![argument.clone()],
            ContextValue::Strings(arguments) => arguments.clone(),
            _ => Vec::new(),
        })
        .collect();
    let mut names: Vec<String> = all_arguments(&command)
        .filter(|argument| at_fault.contains(&argument.to_string()))
        .filter_map(|argument| argument.get_env())
        .filter(|name| env::var_os(name).is_some_and(|value| !is_blank(&value)))
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    names.dedup();
    let tips = names.into_iter().map(|name| format!("set by the environment variable {name}").into());
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(tips.collect()));
    error
}

fn all_arguments(command: &Command) -> Box<dyn Iterator<Item = &Arg> + '_> {
    let below = command.get_subcommands().flat_map(all_arguments);
    Box::new(command.get_arguments().chain(below))
}
