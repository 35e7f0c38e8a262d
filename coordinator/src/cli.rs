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
use fellestall_shared::ids::{MunicipalityNumber, NodeId, RoundId, StudyId};
use fellestall_shared::period::Period;
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

/// Whom to invite.
#[derive(Debug, clap::Args)]
pub struct Invite {
    /// The municipality's number, as 4601.
    #[arg(long, value_name = "NUMBER")]
    pub municipality: MunicipalityNumber,
    /// Write the invitation to a new file that only you can read, instead of printing it.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Commands about nodes.
#[derive(Debug, Subcommand)]
pub enum Nodes {
    /// List all nodes with their keys' fingerprints.
    List,
    /// Enrol a node that applied. Compare the fingerprint by telephone first.
    Approve {
        /// The node, as 4601-1.
        node: NodeId,
    },
    /// Refuse a node that applied.
    Refuse {
        /// The node, as 4601-1.
        node: NodeId,
    },
    /// Shut a node out at once and for good.
    Deny {
        /// The node, as 4601-1.
        node: NodeId,
    },
}

/// Commands about studies.
#[derive(Debug, Subcommand)]
pub enum Studies {
    /// Check, sign and publish a study from a file (TOML, or JSON if it ends in .json).
    Publish {
        /// The file.
        file: PathBuf,
    },
    /// List the published studies.
    List,
    /// List the tables that a study may ask for.
    Tables,
    /// Print a study to start from.
    Template(Template),
}

/// What the template asks for.
#[derive(Debug, clap::Args)]
pub struct Template {
    /// A table, as S2; may be given several times [default: the core set].
    #[arg(long = "statistic", value_name = "ID")]
    pub statistics: Vec<fellestall_shared::ids::StatisticId>,
    /// The privacy loss of each table, in millionths of rho.
    #[arg(long, value_name = "MICRO", default_value_t = 125_000)]
    pub rho_micro: u64,
    /// First day that a period may contain.
    #[arg(long, value_name = "DATE")]
    pub starts: String,
    /// Last day that a period may contain.
    #[arg(long, value_name = "DATE")]
    pub ends: String,
    /// Nothing is published from fewer nodes.
    #[arg(long, value_name = "N", default_value_t = 5)]
    pub minimum_nodes: u32,
    /// Publish the noisy tables of single municipalities, and of counties, too.
    #[arg(long)]
    pub municipal_figures: bool,
    /// Where a person is counted whom several municipalities hold.
    #[arg(long, value_enum, default_value_t = Counted::Anywhere)]
    pub residence: Counted,
    /// Tables whose noise nodes share, so that nobody sees a single node's table, as S2,S4; all of them
    /// if none is named.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 0..)]
    pub shared: Option<Vec<fellestall_shared::ids::StatisticId>>,
    /// Tables that nodes release with noise of their own and share too, as S2,S4: each has half of the
    /// loss.
    #[arg(long, value_name = "ID", value_delimiter = ',', num_args = 1..)]
    pub both: Vec<fellestall_shared::ids::StatisticId>,
    /// The card of the server that holds the other half of every report (JSON).
    #[arg(long, value_name = "FILE")]
    pub helper_card: Option<PathBuf>,
    /// So many of the minimum of nodes may collude or add no noise [default: a fifth, rounded down].
    #[arg(long, value_name = "N")]
    pub tolerated: Option<u32>,
    /// The largest count that one node can report in one cell of a shared table.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub largest_count: u32,
}

/// Where a person is counted whom several municipalities hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Counted {
    /// In every municipality that holds the person.
    Anywhere,
    /// Where the person lives on the last day of the period.
    OnCensusDate,
}

impl From<Counted> for fellestall_shared::wire::v1::Residence {
    fn from(counted: Counted) -> Self {
        match counted {
            Counted::Anywhere => Self::Anywhere,
            Counted::OnCensusDate => Self::OnCensusDate,
        }
    }
}

/// Commands about rounds.
#[derive(Debug, Subcommand)]
pub enum Rounds {
    /// Open a round; one that is open already stays as it is.
    Open {
        /// The study, or one version of it, as core or core.2.
        study: StudyVersion,
        /// The period, as 2026H1.
        #[arg(long)]
        period: Period,
        /// The last day on which releases are awaited, as 2026-08-15.
        #[arg(long, value_name = "DATE", value_parser = rounds::date)]
        closes: time::Date,
    },
    /// List all rounds.
    List,
    /// Show who has reported, approved, refused, or is awaited.
    Status {
        /// The round, as core.1.2026H1.
        round: RoundId,
    },
    /// Close a round and publish its figures; a closed round stays as it is.
    Close {
        /// The round, as core.1.2026H1.
        round: RoundId,
    },
    /// Publish a further version of a closed round, with the releases that came late.
    Revise {
        /// The round, as core.1.2026H1.
        round: RoundId,
    },
}

/// Commands about what was published.
#[derive(Debug, Subcommand)]
pub enum Publications {
    /// List every version of every round.
    List,
    /// Write one publication out, in the bytes that are stored.
    Export {
        /// The publication, as core.1.2026H1.v1.
        id: PublicationId,
        /// In which form.
        #[arg(long = "as", value_enum, default_value_t = Form::Json)]
        form: Form,
        /// To this file, instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// In which form a publication is written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Form {
    /// The public document.
    Json,
    /// The document with every signed release in it, for auditors.
    Bundle,
    /// The figures, one a line.
    Csv,
    /// The rates, one a line.
    RatesCsv,
    /// Tables for a terminal.
    Text,
}

/// One version of a round's publication.
#[derive(Debug, Clone)]
pub struct PublicationId {
    /// The round.
    pub round: RoundId,
    /// The version.
    pub version: u32,
}

impl std::str::FromStr for PublicationId {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = || "a publication is written as core.1.2026H1.v1".to_owned();
        let (round, version) = text.rsplit_once(".v").ok_or_else(wanted)?;
        let version = version.parse().map_err(|_| wanted())?;
        Ok(Self { round: round.parse().map_err(|_| wanted())?, version })
    }
}

/// A study, or one version of it.
#[derive(Debug, Clone)]
pub struct StudyVersion {
    /// The study.
    pub study: StudyId,
    /// The version; the newest if not given.
    pub version: Option<u32>,
}

impl std::str::FromStr for StudyVersion {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (study, version) = match text.split_once([':', '.']) {
            None => (text, None),
            Some((study, version)) => {
                let version = version.parse().map_err(|_| "a version is a number, as core.2")?;
                (study, Some(version))
            }
        };
        let study = study.parse().map_err(|error| format!("{error}"))?;
        Ok(Self { study, version })
    }
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
