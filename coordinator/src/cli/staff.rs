//! `staff add`, `list` and `remove`: who may use the administration pages.
//!
//! **Invariant:** a password is read from the terminal or from standard input, never from an
//! argument, and is printed nowhere.

use super::output::table;
use super::{CliError, Desk, Output};
use crate::admin::password::{self, LONGEST};
use crate::store::staff::{Credential, Role, Staff};
use clap::Subcommand;
use serde::Serialize;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use zeroize::Zeroizing;

/// Commands about staff.
#[derive(Debug, Subcommand)]
pub enum StaffCommand {
    /// Let somebody use the administration pages.
    Add(AddArgs),
    /// List who may.
    List,
    /// Let somebody use them no longer; the person is signed out at once.
    Remove {
        /// The name.
        #[arg(long)]
        name: String,
    },
}

/// Whom to add.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub struct AddArgs {
    /// The name, as the log shows it.
    #[arg(long)]
    pub name: String,
    /// What the person may do.
    #[arg(long, value_enum)]
    pub role: StaffRole,
    /// Who it is at the provider of OpenID Connect that coordinator.toml names: the claim `sub`.
    #[arg(long, value_name = "SUB", required_unless_present = "password")]
    pub subject: Option<String>,
    /// A local account: asks for a password on the terminal, or reads it from standard input.
    #[arg(long, conflicts_with = "subject")]
    pub password: bool,
}

/// What a member of staff may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum StaffRole {
    /// Everything: staff, invitations and nodes too.
    Administrator,
    /// Studies, rounds and publications.
    Coordinator,
    /// Reads everything, changes nothing.
    Auditor,
}

impl From<StaffRole> for Role {
    fn from(role: StaffRole) -> Self {
        match role {
            StaffRole::Administrator => Self::Administrator,
            StaffRole::Coordinator => Self::Coordinator,
            StaffRole::Auditor => Self::Auditor,
        }
    }
}

#[derive(Serialize)]
struct Line {
    name: String,
    role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    added: String,
}

fn line(staff: Staff) -> Line {
    Line {
        name: staff.name,
        role: staff.role.name(),
        subject: match staff.credential {
            Credential::Password(_) => None,
            Credential::Subject { subject, .. } => Some(subject),
        },
        added: staff.added.to_string(),
    }
}

pub(super) async fn staff(
    desk: &Desk,
    command: StaffCommand,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        StaffCommand::Add(arguments) => add(desk, arguments, output).await,
        StaffCommand::List => list(desk, output).await,
        StaffCommand::Remove { name } => {
            if !desk.store.remove_staff(&name, "", desk.clock.now()).await? {
                return Err(CliError::NoStaff { name });
            }
            output.facts(&serde_json::json!({ "removed": name }), |_| {
                format!("{name} may not use the administration pages any more, and is signed out.")
            })
        }
    }
}

async fn add(desk: &Desk, arguments: AddArgs, output: &mut Output<'_>) -> Result<(), CliError> {
    let AddArgs { name, role, subject, .. } = arguments;
    let credential = match subject {
        Some(subject) => {
            let oidc = desk.home.config.admin.as_ref().and_then(|admin| admin.oidc.as_ref());
            let issuer = oidc.ok_or(CliError::NoProvider)?.issuer.clone();
            Credential::Subject { issuer, subject }
        }
        None => Credential::Password(password::hash(&asked_for()?)?),
    };
    let role = Role::from(role);
    desk.store.add_staff(&name, role, &credential, "", desk.clock.now()).await?;
    let facts = serde_json::json!({ "name": name, "role": role.name() });
    output.facts(&facts, |_| format!("{name} may use the administration pages as {role}."))
}

async fn list(desk: &Desk, output: &mut Output<'_>) -> Result<(), CliError> {
    let lines: Vec<Line> = desk.store.staff().await?.into_iter().map(line).collect();
    output.facts(&lines, |lines| {
        let row = |line: &Line| {
            let how = line.subject.clone().unwrap_or_else(|| "password".to_owned());
            [line.name.clone(), line.role.to_owned(), how, line.added.clone()]
        };
        let none = "Nobody may use the administration pages; see `staff add`.";
        table(["name", "role", "signs in by", "added"], lines.iter().map(row), none)
    })
}

/// The password, from the terminal (unseen, twice) or from the first line of standard input.
fn asked_for() -> Result<Zeroizing<String>, CliError> {
    if !io::stdin().is_terminal() {
        return Ok(read_line()?);
    }
    let _quiet = Quiet::begin();
    let first = ask("Password: ")?;
    let second = ask("The same again: ")?;
    if *first == *second { Ok(first) } else { Err(CliError::PasswordsDiffer) }
}

fn ask(what: &str) -> io::Result<Zeroizing<String>> {
    let mut terminal = io::stderr();
    write!(terminal, "{what}")?;
    terminal.flush()?;
    let line = read_line();
    writeln!(terminal)?;
    line
}

fn read_line() -> io::Result<Zeroizing<String>> {
    let mut line = Zeroizing::new(String::new());
    // Of a longer line the rest is left; the length is refused where it is hashed.
    let most = u64::try_from(LONGEST.saturating_mul(5)).unwrap_or(u64::MAX);
    io::stdin().lock().take(most).read_line(&mut line)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

/// A terminal that does not show what is typed, until it is dropped.
struct Quiet;

impl Quiet {
    fn begin() -> Self {
        stty("-echo");
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        stty("echo");
    }
}

/// A terminal that cannot be changed shows what is typed; that is seen at once.
fn stty(argument: &str) {
    let mut command = Command::new("stty");
    command.arg(argument).stdin(Stdio::inherit()).stdout(Stdio::null()).stderr(Stdio::null());
    let _unchanged = command.status();
}
