//! The families of this server. Each has one line in [`open`]; one that serves more than its runs has a
//! module here, and a field in [`Own`].

pub mod resolver;
pub mod team;
pub mod trading;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use axum::Router;
use clap::Subcommand;
use journal::Journal;
use leptos::prelude::provide_context;
use tools::Registry;
use utoipa_axum::router::OpenApiRouter;
use workflows::{Family, resolver::Resolver, team::Teams};

use crate::{
    error::ServeError,
    scope::{Gateway, Scoped},
};

/// What families serve beside their runs.
pub struct Own {
    /// The portfolios of trading.
    pub trading: trading::Portfolios,
}

/// Opens all families, in the order in which their workflows are offered. What they keep beside the journal is in
/// `folder`. Agents may be offered `tools`, and what families add to them: all of these are returned as well.
///
/// # Errors
/// One cannot be opened, its settings cannot be read, there are settings of none, or two tools have one name.
pub async fn open(
    journal: &Journal,
    mut settings: BTreeMap<String, toml::Table>,
    folder: &Path,
    tools: &Registry,
) -> Result<(Vec<Arc<dyn Family>>, Own, Registry), ServeError> {
    let wrong = |why| ServeError::FamilySettings("trading".to_owned(), why);
    let own = settings.remove("trading").unwrap_or_default();
    let market = trading::vendors::market(own, folder).map_err(wrong)?;
    if let Some(name) = settings.into_keys().next() {
        return Err(ServeError::FamilySettings(name, "there is no family of this name".to_owned()));
    }
    let trading = trading::Portfolios::open(journal, market).await?;
    let tools = tools.clone().with(trading.prices_tool()?)?;
    let families: Vec<Arc<dyn Family>> = vec![
        Arc::new(trading.family(journal)),
        Arc::new(Resolver::new(journal.clone(), tools.clone())),
        Arc::new(Teams::new(journal.clone(), tools.clone())),
    ];
    Ok((families, Own { trading }, tools))
}

/// What families add to the command.
#[derive(Debug, Subcommand)]
pub enum FamilyCommand {
    /// Take in the teams, galleries, sessions and runs of AutoGen Studio from its database.
    ///
    /// The server must not run; one that runs takes the same file on the page "Teams". The same file can be
    /// given again: what is here already stays as it is. Keys are left out.
    ImportAutogenStudio(team::studio_database::ImportOptions),
}

/// Executes a command of a family, and returns the text to print.
///
/// # Errors
/// See [`ServeError`].
pub async fn execute(command: FamilyCommand) -> Result<String, ServeError> {
    match command {
        FamilyCommand::ImportAutogenStudio(options) => team::studio_database::run(options).await,
    }
}

/// What families add to the REST interface.
pub fn rest() -> OpenApiRouter<Gateway> {
    OpenApiRouter::new().merge(trading::rest()).merge(resolver::rest()).merge(team::rest())
}

/// The most bytes of a body that is sent to an address of a family's, where that is not the usual.
pub fn largest_body(path: &str) -> Option<usize> {
    team::largest_body(path)
}

/// The sockets of families, and the routes of other systems that are theirs.
pub fn routes() -> Router<Gateway> {
    Router::new()
        .merge(trading::sockets())
        .merge(resolver::sockets())
        .merge(team::studio::router())
        .merge(team::openai::router())
}

/// Whether programs alone ask for an address of a family's, besides those that all have.
pub fn is_for_programs(path: &str) -> bool {
    team::openai::is_for_programs(path)
}

/// Provides what the families' pages ask of the server.
pub fn provide(scoped: &Arc<Scoped>) {
    provide_context::<app::families::trading::backend::SharedTrading>(scoped.clone());
    provide_context::<app::families::team::backend::SharedTeams>(scoped.clone());
    provide_context::<app::families::resolver::backend::SharedSessions>(scoped.clone());
}
