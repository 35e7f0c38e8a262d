//! The `fellestall-node` command: everything that an operator does.
//!
//! **Invariant:** facts go to standard output and what happens meanwhile to standard error; no
//! secret is taken from an argument or shown; no command prints a record.

use crate::audit::Actor;
use crate::client::Route;
use crate::config::Config;
use crate::register::Register;
use crate::state::{Membership, State};
use crate::work;
use clap::{Args, Parser, Subcommand, ValueEnum};
use fellestall_shared::clock::Clock;
use fellestall_shared::labels::Language;
use fellestall_shared::wire::v1::RefusalReason;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

mod console;
mod data;
mod enrolment;
mod evidence;
mod failure;
mod ledger;
mod log;
mod output;
mod person;
mod plan;
mod recover;
mod register;
mod retention;
mod run;
mod setup;
mod studies;

pub use failure::{CliError, Exit};
use output::Output;

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  the command was not understood
  3  refused: by the budget, by the policy, or by the coordinator
  4  the coordinator cannot be reached";

/// A municipality's node: counts, adds noise, signs, and sends out only that.
#[derive(Debug, Parser)]
#[command(name = "fellestall-node", version, after_help = AFTER_HELP)]
struct Cli {
    /// The node's directory: configuration, keys, state and ledger.
    #[arg(long, global = true, default_value = "./fellestall-node", value_name = "DIRECTORY")]
    dir: PathBuf,
    /// Print facts as JSON.
    #[arg(long, global = true)]
    json: bool,
    /// The language of labels and pages; bokmål if it is not given.
    #[arg(long, global = true, value_enum)]
    lang: Option<Lang>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Lang {
    /// Bokmål.
    Nb,
    /// Nynorsk.
    Nn,
    /// English.
    En,
}

impl From<Lang> for Language {
    fn from(lang: Lang) -> Self {
        match lang {
            Lang::Nb => Self::Nb,
            Lang::Nn => Self::Nn,
            Lang::En => Self::En,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the node's directory: a commented configuration and the node's keys.
    Init(setup::InitArgs),
    /// Enrol at the coordinator with an invitation; may be repeated.
    Enrol(enrolment::EnrolArgs),
    /// Read the export, or ask the database, and report what is wrong. Nothing is sent or stored.
    CheckData,
    /// List the studies and what was decided about them.
    Studies,
    /// Show what a study would give away and cost. Nothing is read or charged.
    Preview(studies::PreviewArgs),
    /// Show how a study would be counted: the SQL and PostgreSQL's plan, or how files are read. Nothing is
    /// counted or charged.
    Plan(plan::PlanArgs),
    /// Approve one exact version of a study.
    Approve(StudyArgs),
    /// Refuse one exact version of a study.
    Refuse(RefuseArgs),
    /// Run the node until it is stopped.
    Run(run::RunArgs),
    /// Serve the console on this machine until it is stopped.
    Console,
    /// Who may sign in to the console.
    #[command(subcommand)]
    ConsoleUser(console::UserCommand),
    /// Show the budget, the releases, the certificate and the last contact.
    Status,
    /// List what has left this node, or show exactly one of the releases.
    Releases(ledger::ReleasesArgs),
    /// Work on the register of processing: for which purposes records may be counted.
    #[command(subcommand)]
    Register(register::RegisterCommand),
    /// The tamper-evident log of what was asked, answered, refused, decided and changed.
    #[command(subcommand)]
    Log(log::LogCommand),
    /// Show a participant which consents are recorded, and which releases the records could be in.
    Person(person::PersonArgs),
    /// List what the node keeps, why and until when.
    Retention,
    /// Destroy what is no longer needed after a project's end, and leave a signed attestation.
    Purge(retention::PurgeArgs),
    /// Work on attestations of a purge.
    #[command(subcommand)]
    Attestation(retention::AttestationCommand),
    /// Write the evidence pack: the record of processing, what is released, the list of what left.
    Evidence(evidence::EvidenceArgs),
    /// Bring the ledger of a restored node up to what the coordinator has witnessed.
    Recover,
    /// Work on the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check the configuration, the mapping, the register and the keys.
    Check,
}

#[derive(Debug, Args)]
struct StudyArgs {
    /// The study: core, core.2 (a version), or the digest.
    study: String,
}

#[derive(Debug, Args)]
struct RefuseArgs {
    /// The study: core, core.2 (a version), or the digest.
    study: String,
    /// Why; the reason goes to the coordinator.
    #[arg(long, value_enum)]
    reason: Reason,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Reason {
    /// The purpose is not one that this municipality processes for.
    Purpose,
    /// The legal basis does not hold here.
    LegalBasis,
    /// It costs more privacy budget than the municipality gives.
    Budget,
    /// It asks for more detail than needed.
    TooDetailed,
    /// The municipality does not record what is asked.
    NotRecorded,
    /// There is no capacity now.
    Capacity,
    /// Another reason; the operators talk.
    Other,
}

impl From<Reason> for RefusalReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Purpose => Self::Purpose,
            Reason::LegalBasis => Self::LegalBasis,
            Reason::Budget => Self::Budget,
            Reason::TooDetailed => Self::TooDetailed,
            Reason::NotRecorded => Self::NotRecorded,
            Reason::Capacity => Self::Capacity,
            Reason::Other => Self::Other,
        }
    }
}

/// What the process's surroundings say; read in `main`, and only there.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `HTTPS_PROXY`, with what `NO_PROXY` excepts; never for this machine itself.
    pub proxy: Option<Route>,
    /// Whether `NO_COLOR` is set.
    pub no_color: bool,
    /// `FELLESTALL_LOG`: which events are logged, as `info` or `fellestall_node=debug`.
    pub log: Option<String>,
    /// Whether a person watches standard error.
    pub is_watched: bool,
    /// `USER` or `LOGNAME`: who acts, as the audit log names them.
    pub user: Option<String>,
}

/// What every command works with.
struct Session<'o> {
    directory: PathBuf,
    language: Language,
    /// The language, if it was asked for.
    chosen_language: Option<Language>,
    environment: Environment,
    clock: Arc<dyn Clock>,
    out: Output<'o>,
}

impl Session<'_> {
    fn config(&self) -> Result<Config, CliError> {
        Ok(Config::read(&self.directory)?)
    }

    fn actor(&self) -> Actor {
        Actor::named(self.environment.user.as_deref().unwrap_or("unknown"))
    }

    fn proxy(&self, config: &Config) -> Option<Route> {
        config.route().or_else(|| self.environment.proxy.clone())
    }

    fn membership(&self) -> Result<Membership, CliError> {
        State::open(&self.directory)?.membership()?.ok_or(CliError::NotEnrolled)
    }

    /// Asks the coordinator for its studies; what was seen before serves when it cannot be reached.
    fn refresh(&self, config: &Config, membership: &Membership) -> Result<(), CliError> {
        let clock = Arc::clone(&self.clock);
        let client = work::client(config, membership, self.proxy(config), clock)?;
        match runtime()?.block_on(client.work()) {
            Ok(work) => {
                let mut state = State::open(&self.directory)?;
                let register = Register::read(&self.directory)?;
                work::take(&mut state, membership, &register, &work, self.clock.now())?;
            }
            Err(error) => {
                work::note_failure(&mut State::open(&self.directory)?, &error.to_string())?;
                tracing::warn!(%error, "the studies shown are those seen last");
            }
        }
        Ok(())
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(CliError::Runtime)
}

/// Runs the command that the arguments are; facts are written to `out`.
///
/// The program's log must be set up before; [`start_log`] does that for the real program.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    environment: Environment,
    clock: Arc<dyn Clock>,
    out: &mut dyn Write,
    errors: &mut dyn Write,
) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(usage) => return told(&usage, out, errors),
    };
    let mut session = Session {
        directory: cli.dir,
        language: cli.lang.map_or(Language::Nb, Into::into),
        chosen_language: cli.lang.map(Into::into),
        environment,
        clock,
        out: Output::new(out, cli.json),
    };
    match dispatch(&mut session, cli.command) {
        Ok(exit) => exit,
        Err(CliError::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => {
            Exit::Done
        }
        Err(error) => {
            // If standard error is gone too, the exit code still says it.
            drop(writeln!(errors, "error: {}", crate::daemon::explain(&error)));
            error.exit()
        }
    }
}

fn told(usage: &clap::Error, out: &mut dyn Write, errors: &mut dyn Write) -> Exit {
    let is_help = !usage.use_stderr();
    let text = usage.render();
    let written = if is_help { write!(out, "{text}") } else { write!(errors, "{text}") };
    match written {
        Ok(()) if is_help => Exit::Done,
        _ => Exit::Usage,
    }
}

fn dispatch(session: &mut Session<'_>, command: Command) -> Result<Exit, CliError> {
    match command {
        Command::Init(arguments) => setup::init(session, &arguments),
        Command::Enrol(arguments) => enrolment::enrol(session, &arguments),
        Command::CheckData => data::check(session),
        Command::Studies => studies::list(session),
        Command::Preview(arguments) => studies::preview(session, &arguments),
        Command::Plan(arguments) => plan::show(session, &arguments),
        Command::Approve(arguments) => studies::approve(session, &arguments.study),
        Command::Refuse(arguments) => {
            studies::refuse(session, &arguments.study, arguments.reason.into())
        }
        Command::Run(arguments) => run::run(session, &arguments),
        Command::Console => console::serve(session),
        Command::ConsoleUser(command) => console::users(session, &command),
        Command::Status => ledger::status(session),
        Command::Releases(arguments) => ledger::releases(session, &arguments),
        Command::Register(command) => register::dispatch(session, &command),
        Command::Log(command) => log::dispatch(session, &command),
        Command::Person(arguments) => person::report(session, &arguments),
        Command::Retention => retention::list(session),
        Command::Purge(arguments) => retention::purge(session, &arguments),
        Command::Attestation(command) => retention::attestation(session, &command),
        Command::Evidence(arguments) => evidence::write(session, &arguments),
        Command::Recover => recover::recover(session),
        Command::Config(ConfigCommand::Check) => setup::check(session),
        Command::Completions { shell } => setup::completions(session, shell),
    }
}

/// What a database says besides its answers may quote a row, and is in no log, however loud.
const UNSAID: &str = "sqlx::postgres::notice=off";

/// Starts the program's log: to standard error, as text or, for `run --json`, as JSON lines.
pub fn start_log(arguments: &[OsString], environment: &Environment) {
    use tracing_subscriber::EnvFilter;
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let usual = if has("run") || has("console") { "info" } else { "warn" };
    let filter = environment.log.as_deref().unwrap_or(usual);
    let quiet = |filter| format!("{filter},{UNSAID}");
    let filter = EnvFilter::try_new(quiet(filter)).unwrap_or_else(|_| EnvFilter::new(quiet(usual)));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(environment.is_watched && !environment.no_color);
    // A log that is set already, as by another part of the same process, stands.
    let _started = if has("run") && has("--json") { log.json().try_init() } else { log.try_init() };
}

#[cfg(test)]
mod tests;
