//! `console` and `console-user`.
//!
//! **Invariant:** a user's secret is made here, shown once on standard output, and never taken from
//! an argument.

use super::output::table;
use super::{CliError, Exit, Session, runtime};
use crate::config;
use crate::console::{self, Console};
use crate::state::{Role, State};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Let somebody sign in; prints the secret once.
    Add(AddArgs),
    /// List who may sign in.
    List,
    /// Let somebody sign in no longer.
    Remove(NameArgs),
}

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// The name, as the log shows it.
    #[arg(long)]
    name: String,
    /// What the user may do.
    #[arg(long, value_enum)]
    role: UserRole,
}

#[derive(Debug, Args)]
pub(super) struct NameArgs {
    /// The name.
    #[arg(long)]
    name: String,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum UserRole {
    /// Runs the node: sees all, decides.
    Operator,
    /// The data protection officer: sees all, decides.
    Officer,
    /// Sees all, changes nothing.
    Auditor,
}

impl From<UserRole> for Role {
    fn from(role: UserRole) -> Self {
        match role {
            UserRole::Operator => Self::Operator,
            UserRole::Officer => Self::Officer,
            UserRole::Auditor => Self::Auditor,
        }
    }
}

/// Serves the console until a signal comes.
pub(super) fn serve(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let address = session.config()?.console.unwrap_or(config::CONSOLE);
    let (directory, clock) = (session.directory.clone(), Arc::clone(&session.clock));
    runtime()?.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
        let console = Console::start(&directory, address, clock).await?;
        let url = console.url();
        session.out.facts(&json!({ "console": url }), || format!("The console is at {url}"))?;
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        console.shutdown().await;
        Ok(Exit::Done)
    })
}

pub(super) fn users(session: &mut Session<'_>, command: &UserCommand) -> Result<Exit, CliError> {
    // A directory that is not a node's is found out before anything is made in it.
    session.config()?;
    match command {
        UserCommand::Add(arguments) => add(session, arguments),
        UserCommand::List => list(session),
        UserCommand::Remove(arguments) => {
            let (by, now) = (session.actor(), session.clock.now());
            console::remove_user(&session.directory, &arguments.name, &by, now)?;
            let name = &arguments.name;
            session.out.facts(&json!({ "removed": name }), || {
                format!("{name} may not sign in any more, and is signed out.")
            })?;
            Ok(Exit::Done)
        }
    }
}

fn add(session: &mut Session<'_>, arguments: &AddArgs) -> Result<Exit, CliError> {
    let (by, now) = (session.actor(), session.clock.now());
    let role = Role::from(arguments.role);
    let secret = console::add_user(&session.directory, &arguments.name, role, &by, now)?;
    let secret = secret.as_str();
    let name = &arguments.name;
    session.out.facts(&json!({ "name": name, "role": role, "secret": secret }), || {
        format!(
            "{name} may sign in to the console with this secret. It is not shown again:\n{secret}"
        )
    })?;
    Ok(Exit::Done)
}

fn list(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let users = State::open(&session.directory)?.users()?;
    let facts: Vec<_> = users
        .iter()
        .map(|user| {
            json!({ "name": user.name, "role": user.role, "added": user.added_at.to_string() })
        })
        .collect();
    session.out.facts(&facts, || {
        if users.is_empty() {
            return "Nobody may sign in to the console; add somebody with console-user add."
                .to_owned();
        }
        let mut rows = table(["name", "role", "added"]);
        for user in &users {
            rows.add_row([
                user.name.clone(),
                user.role.code().to_owned(),
                user.added_at.to_string(),
            ]);
        }
        rows.to_string()
    })?;
    Ok(Exit::Done)
}
