//! The command line of the coordinator's operator.
//!
//! **Invariant:** every command works on the same store that a running service uses, and may be
//! given while it runs; a secret is never an argument and never printed but once (an invitation).

use crate::aggregation::Leader;
use crate::home::Home;
use crate::instance;
use crate::rounds::LoadedRound;
use crate::store::Store;
use clap::{Parser, Subcommand};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Clock;
use output::Output;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

mod aggregation;
mod error;
mod helper;
mod nodes;
pub mod output;
mod publications;
mod report;
mod rounds;
mod service;
mod simulate;
pub mod staff;
mod studies;

pub use aggregation::Aggregation;
pub use error::CliError;
pub use helper::{HelperCommand, HelperInit};
pub use nodes::{Invite, Nodes};
pub use publications::{Form, PublicationId, Publications};
pub use rounds::{Rounds, StudyVersion};
pub use studies::{Counted, Studies, Template};

/// Exit codes, as the help says them.
const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed (the message says why and how to mend it), \
2 wrong usage, 3 a file does not verify.";

/// The coordinator: enrols nodes, runs rounds, merges releases and publishes figures.
#[derive(Debug, Parser)]
#[command(name = "fellestall-coordinator", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// The coordinator's directory.
    #[arg(long, global = true, value_name = "DIR", default_value = "fellestall-coordinator")]
    pub dir: PathBuf,
    /// Print facts as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new coordinator: its directory, certificate authority and signing key.
    Init(Init),
    /// Run the service until it is told to stop (SIGINT or SIGTERM).
    Run,
    /// Invite a municipality to enrol a node: prints a one-time invitation.
    Invite(Invite),
    /// Nodes that applied, are enrolled or shut out.
    #[command(subcommand)]
    Nodes(Nodes),
    /// Studies: what may be asked.
    #[command(subcommand)]
    Study(Studies),
    /// Rounds: a study asked about a period.
    #[command(subcommand)]
    Round(Rounds),
    /// What was published.
    #[command(subcommand)]
    Publications(Publications),
    /// Write the report for the network's gathering about one period.
    Report(report::Wanted),
    /// Secure aggregation: the helper that this coordinator works with.
    #[command(subcommand)]
    Aggregation(Aggregation),
    /// Be the helper of another organisation's coordinator: the second server of secure aggregation.
    #[command(subcommand)]
    Helper(HelperCommand),
    /// Who may use the administration pages.
    #[command(subcommand)]
    Staff(staff::StaffCommand),
    /// Check a publication or bundle offline: recompute its figures, follow its signatures.
    Verify {
        /// The file: a publication, or a bundle with its signed releases.
        file: PathBuf,
        /// The coordinator's public key (base64) that it must be signed with [default: that of the
        /// coordinator in --dir; without either, whose key it is is not checked].
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Show how wide national figures are with each kind of noise, over made-up counts: noise of each
    /// node's own (local), shared noise of which only the sum is seen (secure), and the noise of one
    /// trusted curator (central).
    Simulate(simulate::Simulate),
    /// Print the public key (base64) that studies, rounds and publications are signed with.
    Key,
    /// Show what happened last; alarms are marked.
    Audit {
        /// How many lines.
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: u32,
    },
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Settings of a new coordinator; they are written to `coordinator.toml`, to be edited there.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// The address that nodes dial, as `https://tall.example.no:8443`.
    #[arg(long)]
    pub url: String,
    /// A further name or address in the server's certificate; may be given several times.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Where the service for nodes listens [default: all addresses, the port of --url].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// Where the public pages listen, in plain HTTP.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub public: SocketAddr,
    /// Serve no public pages.
    #[arg(long, conflicts_with = "public")]
    pub no_public: bool,
    /// The store: `sqlite:FILE`, or `postgres://USER@HOST/DATABASE`. A password does not belong
    /// here, where others can see it: write it into `coordinator.toml` afterwards.
    #[arg(long, value_name = "ADDRESS", default_value = "sqlite:coordinator.db")]
    pub store: String,
}

/// What the commands work with.
pub(crate) struct Desk {
    home: Home,
    store: Store,
    catalogue: &'static Catalogue,
    clock: Arc<dyn Clock>,
}

impl Desk {
    /// The leader of a round's shared tables, if its study has any.
    fn leader(&self, loaded: &LoadedRound) -> Option<Leader> {
        loaded.round.study().layout()?;
        let (store, clock) = (self.store.clone(), Arc::clone(&self.clock));
        Some(Leader::new(&self.home, store, self.catalogue, clock))
    }

    /// Opens the shared tables of a round that is about to be published, if its study has any.
    async fn open_shared(&self, loaded: &LoadedRound) -> Result<(), CliError> {
        if let Some(leader) = self.leader(loaded) {
            leader.open(loaded).await?;
        }
        Ok(())
    }

    async fn open(directory: &std::path::Path, clock: Arc<dyn Clock>) -> Result<Self, CliError> {
        let catalogue = Catalogue::builtin()?;
        let home = Home::open(directory)?;
        let store = instance::open_store(&home).await?;
        Ok(Self { home, store, catalogue, clock })
    }
}

/// Does what the arguments say.
///
/// # Errors
/// [`CliError`]: why it was not done.
pub async fn execute(
    arguments: Arguments,
    clock: Arc<dyn Clock>,
    to: &mut (dyn io::Write + Send),
) -> Result<(), CliError> {
    let mut output = Output::new(to, arguments.json);
    let directory = arguments.dir.as_path();
    match arguments.command {
        Command::Init(init) => service::init(directory, init, clock.now(), &mut output),
        Command::Run => service::run(directory, clock).await,
        Command::Completions { shell } => service::completions(shell, &mut output),
        Command::Helper(command) => helper::helper(directory, command, clock, &mut output).await,
        Command::Key => service::key(directory, &mut output),
        Command::Verify { file, key } => {
            let trusted = publications::trusted(directory, key)?;
            publications::verify(file, trusted.as_ref(), &mut output)
        }
        Command::Simulate(asked) => simulate::simulate(&asked, &mut output),
        Command::Study(Studies::Tables) => studies::tables(&mut output),
        Command::Study(Studies::Template(template)) => studies::template(template, &mut output),
        other => {
            let desk = Desk::open(directory, clock).await?;
            let done = on_store(&desk, other, &mut output).await;
            desk.store.close().await;
            done
        }
    }
}

async fn on_store(desk: &Desk, command: Command, output: &mut Output<'_>) -> Result<(), CliError> {
    match command {
        Command::Invite(invite) => nodes::invite(desk, invite, output).await,
        Command::Nodes(command) => nodes::nodes(desk, command, output).await,
        Command::Study(Studies::Publish { file }) => studies::publish(desk, file, output).await,
        Command::Study(_) => studies::list(desk, output).await,
        Command::Round(command) => rounds::rounds(desk, command, output).await,
        Command::Publications(command) => publications::publications(desk, command, output).await,
        Command::Report(wanted) => report::report(desk, wanted, output).await,
        Command::Staff(command) => staff::staff(desk, command, output).await,
        Command::Aggregation(command) => aggregation::aggregation(desk, command, output).await,
        Command::Audit { last } => nodes::audit(desk, last, output).await,
        // Done in `execute`, which needs no store for them.
        Command::Init(_)
        | Command::Run
        | Command::Key
        | Command::Helper(_)
        | Command::Verify { .. }
        | Command::Simulate(_)
        | Command::Completions { .. } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, PublicationId, StudyVersion};
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn names_on_the_command_line_are_parsed_or_refused() {
        let version = |text: &str| text.parse::<StudyVersion>().ok().map(|it| it.version);
        assert_eq!(version("core"), Some(None));
        assert_eq!(version("core:2"), Some(Some(2)));
        assert_eq!(version("core:two"), None);
        assert_eq!(version("Core"), None);
        let publication = |text: &str| text.parse::<PublicationId>().ok().map(|it| it.version);
        assert_eq!(publication("core.1.2026H1.v3"), Some(3));
        assert_eq!(publication("core.1.2026H1"), None);
        assert_eq!(publication("core.1.2026H9.v1"), None);
    }
}
