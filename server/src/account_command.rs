//! `pitwall account`: accounts from the command line.

use std::io::{self, BufRead, IsTerminal};

use accounts::Accounts;
use protocol::{AccountSummary, Allowance, Limits};

use crate::{
    config::{AccountAct, AccountOptions},
    error::ServeError,
    opening::accounts_file,
};

/// Said after the first account was made.
const FIRST: &str = " A server that runs must be started again to ask for accounts. What it did so far \
                     belongs to the account local: add one of that name to go on with it.";

/// Executes `pitwall account`, and returns the text to print.
///
/// # Errors
/// See [`ServeError`].
pub async fn manage_accounts(options: AccountOptions) -> Result<String, ServeError> {
    let accounts = Accounts::open(&accounts_file(&options.data)?).await?;
    match options.act {
        AccountAct::Add { name, role } => {
            let is_first = !accounts.any().await?;
            accounts.add(&name, role, &password()?).await?;
            let hint = if is_first { FIRST } else { "" };
            Ok(format!("The account {name} is made; its role is {role}.{hint}"))
        }
        AccountAct::List => Ok(listed(&accounts.list().await?)),
        AccountAct::Remove { name } => {
            accounts.remove(&name).await?;
            Ok(format!("The account {name} is removed; its sessions, tokens and shares have ended."))
        }
        AccountAct::Password { name } => {
            accounts.set_password(&name, &password()?).await?;
            Ok(format!("The password of {name} is set; its sessions and tokens have ended."))
        }
        AccountAct::Allow { name, concurrent_runs, accepted_runs, tokens, cost, run_tokens, run_cost } => {
            let limits = Limits { tokens: run_tokens, cost: run_cost, ..Limits::widest() };
            let run = (run_tokens.is_some() || run_cost.is_some()).then_some(limits);
            let allowance = Allowance { concurrent_runs, accepted_runs, run, tokens, cost };
            accounts.set_allowance(&name, &allowance).await?;
            Ok(format!("What {name} may use is set."))
        }
    }
}

fn listed(accounts: &[AccountSummary]) -> String {
    if accounts.is_empty() {
        return "There are no accounts. `pitwall account add NAME` makes one.".to_owned();
    }
    let line = |account: &AccountSummary| format!("{:32} {}", account.id.as_str(), account.role);
    accounts.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The password: from the environment, a prompt on a terminal, or the first line of the input.
fn password() -> Result<String, ServeError> {
    // An empty variable counts as not set, as everywhere.
    if let Some(password) = std::env::var("PITWALL_PASSWORD").ok().filter(|password| !password.is_empty()) {
        return Ok(password);
    }
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    let again = rpassword::prompt_password("The same again: ")?;
    if password == again { Ok(password) } else { Err(ServeError::PasswordsDiffer) }
}
