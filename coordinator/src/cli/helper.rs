//! `helper`: the second server of secure aggregation, for the operator of another organisation.
//!
//! **Invariant:** nothing is trusted whose fingerprint was not typed or confirmed by the operator; no
//! command shows a share.

use super::output::table;
use super::{CliError, Output};
use crate::config::host_and_port;
use crate::helper::card::{LeaderCard, Roster};
use crate::helper::config::HelperConfig;
use crate::helper::home::HelperHome;
use crate::helper::server::HelperServer;
use crate::helper::store::{Admission, HelperStore};
use crate::home::write_private;
use crate::store::audit::Event;
use clap::Subcommand;
use fellestall_shared::clock::Clock;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::NodeId;
use fellestall_shared::limits::JOB_BYTES;
use fellestall_shared::municipality;
use serde::Serialize;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod show;

/// Hexadecimal digits of a fingerprint that must be typed, at the least.
const DIGITS: usize = 16;

/// What an operator of the helper has to know.
const ABOUT: &str = "\
Secure aggregation has two servers: the coordinator, and a helper that another organisation runs. Each \
holds half of every report; neither half says anything alone. The promise to the municipalities holds \
as long as the two do not put their halves together, so a helper must not share operators, machines, \
backups or administrators with the coordinator.

How to begin:
  1. helper init --name \"Who runs it\" --url https://helper.example.no:8444
  2. helper card --out helper-card.json      send it to the coordinator
  3. helper trust-leader leader-card.json --fingerprint ...
                                             the coordinator's card; compare by telephone
  4. helper admit roster.json                the nodes that may take part; compare keys with the
                                             municipalities, not with the coordinator
  5. helper run

Give the helper's directory with --dir; it must not be the coordinator's.";

/// Commands of the helper's operator.
#[derive(Debug, Subcommand)]
#[command(after_help = ABOUT)]
pub enum HelperCommand {
    /// Make a new helper: its directory, keys and configuration.
    Init(HelperInit),
    /// Run the helper until it is told to stop (SIGINT or SIGTERM).
    Run,
    /// Print the helper's card: who it is, where it is and its public keys.
    Card {
        /// Write the card to a new file instead.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Trust a coordinator, by the card that it gave you: its tasks are taken from now on.
    TrustLeader {
        /// The coordinator's card.
        card: PathBuf,
        /// The card's fingerprint as the coordinator's operator read it to you by telephone: all of it,
        /// or at least its first 16 digits.
        #[arg(long, value_name = "DIGITS")]
        fingerprint: String,
    },
    /// Show the nodes of a roster, and admit them once their keys were compared.
    Admit {
        /// The roster, as the coordinator's `aggregation roster` writes it.
        roster: PathBuf,
        /// I have compared the fingerprints with the municipalities: admit these nodes. Without this
        /// the nodes are shown and nothing is changed.
        #[arg(long)]
        compared: bool,
    },
    /// List the nodes that were admitted.
    Participants,
    /// Take no new task that names this node. Tasks that were accepted before stand.
    Expel {
        /// The node, as 4601-1.
        node: NodeId,
    },
    /// Show the tasks and batches, and what needs you.
    Status,
    /// Show what happened last; alarms are marked.
    Audit {
        /// How many lines.
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: u32,
    },
}

/// Settings of a new helper; they are written to `helper.toml`, to be edited there.
#[derive(Debug, clap::Args)]
pub struct HelperInit {
    /// Who runs it, in words: every municipality reads it before it approves a study.
    #[arg(long)]
    pub name: String,
    /// The address that the coordinator dials, as `https://helper.example.no:8444`.
    #[arg(long)]
    pub url: String,
    /// A further name or address in the server's certificate; may be given several times.
    #[arg(long = "host", value_name = "HOST")]
    pub hosts: Vec<String>,
    /// Where the service listens [default: all addresses, the port of --url].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<SocketAddr>,
    /// The store: `sqlite:FILE`, or `postgres://USER@HOST/DATABASE`. A password does not belong
    /// here, where others can see it: write it into `helper.toml` afterwards.
    #[arg(long, value_name = "ADDRESS", default_value = "sqlite:helper.db")]
    pub store: String,
}

pub(super) async fn helper(
    directory: &Path,
    command: HelperCommand,
    clock: Arc<dyn Clock>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        HelperCommand::Init(settings) => init(directory, settings, clock.as_ref(), output),
        HelperCommand::Run => run(directory, clock).await,
        HelperCommand::Card { out } => card(directory, out, output),
        other => {
            let home = HelperHome::open(directory)?;
            let store = HelperStore::open(&home.store_address()?).await?;
            let done = on_store(&home, &store, other, clock.as_ref(), output).await;
            store.close().await;
            done
        }
    }
}

async fn on_store(
    home: &HelperHome,
    store: &HelperStore,
    command: HelperCommand,
    clock: &dyn Clock,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        HelperCommand::TrustLeader { card, fingerprint } => {
            trust(home, store, &card, &fingerprint, clock, output).await
        }
        HelperCommand::Admit { roster, compared } => {
            admit(store, &roster, compared.then_some(Compared), clock, output).await
        }
        HelperCommand::Expel { node } => {
            if store.expel(&node, clock.now()).await? {
                output.text(&format!("New tasks that name {node} are refused from now on."))
            } else {
                Err(CliError::NotAdmitted { node })
            }
        }
        HelperCommand::Participants => show::participants(store, output).await,
        HelperCommand::Status => show::status(home, store, output).await,
        HelperCommand::Audit { last } => show::audit(store, last, output).await,
        // Done in `helper`, which needs no store for them.
        HelperCommand::Init(_) | HelperCommand::Run | HelperCommand::Card { .. } => Ok(()),
    }
}

#[derive(Serialize)]
struct Made {
    directory: String,
    url: String,
    fingerprint: String,
}

fn init(
    directory: &Path,
    settings: HelperInit,
    clock: &dyn Clock,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (host, port) = host_and_port(&settings.url).ok_or(CliError::Url)?;
    let mut hosts = vec![host];
    for host in settings.hosts {
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    let config = HelperConfig {
        name: settings.name,
        url: settings.url,
        hosts,
        listen: settings.listen.unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port))),
        store: settings.store,
    };
    let home = HelperHome::create(directory, &config, clock.now())?;
    let made = Made {
        directory: directory.display().to_string(),
        url: home.config.url.clone(),
        fingerprint: home.card().fingerprint().to_string(),
    };
    output.facts(&made, |made| {
        format!(
            "A helper is ready in {}.\n  card's fingerprint  {}\n\
             Keep a backup of this directory, away from the coordinator's: without its keys no report \
             that was sealed to it can be opened.\n\
             Next: `helper card --out helper-card.json`, and send it to the coordinator.",
            made.directory, made.fingerprint
        )
    })
}

async fn run(directory: &Path, clock: Arc<dyn Clock>) -> Result<(), CliError> {
    let mut end = super::service::Ending::listen()?;
    let server = HelperServer::start(HelperHome::open(directory)?, clock).await?;
    end.wait().await;
    tracing::info!("stopping");
    server.shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

fn card(directory: &Path, out: Option<PathBuf>, output: &mut Output<'_>) -> Result<(), CliError> {
    let card = HelperHome::open(directory)?.card();
    hand_out(&card, card.fingerprint(), out, "helper's", output)
}

/// Prints a card, or writes it to a file and says what to compare.
pub(super) fn hand_out<T: Serialize>(
    card: &T,
    fingerprint: Digest,
    out: Option<PathBuf>,
    whose: &str,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(card);
    let json = json.map_err(|error| CliError::Encoding(error.into()))?;
    let Some(path) = out else { return output.text(&json) };
    let shown = path.display().to_string();
    let written = write_private(&path, format!("{json}\n").as_bytes());
    written.map_err(|source| CliError::File { path, what: "written", source })?;
    output.text(&format!(
        "The {whose} card is in {shown}; there is nothing secret in it.\n  fingerprint  {fingerprint}\n\
         Read the fingerprint to the other operator by telephone: a card that was exchanged on its way has \
         another one."
    ))
}

async fn trust(
    home: &HelperHome,
    store: &HelperStore,
    path: &Path,
    typed: &str,
    clock: &dyn Clock,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let card = LeaderCard::from_json(&read(path)?)?;
    compare(card.fingerprint(), typed)?;
    home.trust(&card)?;
    let subject = card.signing_key.fingerprint().short();
    store.note(Event::LeaderTrusted, &subject, clock.now()).await?;
    output.text(&format!(
        "The coordinator at {} is trusted. A helper that is running takes it after a restart.\n\
         Next: `helper admit ROSTER`.",
        card.url
    ))
}

/// The operator says that the fingerprints were compared.
struct Compared;

#[derive(Serialize)]
struct Shown {
    municipality: String,
    name: &'static str,
    node: String,
    fingerprint: String,
    admission: &'static str,
}

async fn admit(
    store: &HelperStore,
    path: &Path,
    compared: Option<Compared>,
    clock: &dyn Clock,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let roster = Roster::from_json(&read(path)?)?;
    let known = store.participants().await?;
    let lines = roster.participants.iter().map(|one| {
        let stands = known.iter().find(|known| known.identity.node == one.node);
        Shown {
            municipality: one.municipality.to_string(),
            name: municipality::find(&one.municipality).map_or("", |known| known.name),
            node: one.node.to_string(),
            fingerprint: one.release_key.fingerprint().to_string(),
            admission: match stands {
                None => "new",
                Some(known) if known.identity == *one => "admitted before",
                Some(_) => "ANOTHER KEY than before",
            },
        }
    });
    let lines: Vec<Shown> = lines.collect();
    output.facts(&lines, |lines| {
        let heads = ["municipality", "name", "node", "key's fingerprint", ""];
        let row = |line: &Shown| {
            let Shown { municipality, name, node, fingerprint, admission } = line;
            [municipality, *name, node, fingerprint, admission].map(str::to_owned)
        };
        table(heads, lines.iter().map(row), "The roster is empty.")
    })?;
    if compared.is_none() {
        return output.note(
            "Nothing was admitted. Compare each fingerprint with its municipality (its node shows it), not \
             with the coordinator; then give the command again with --compared.",
        );
    }
    let admissions = store.admit(&roster.participants, clock.now()).await?;
    if admissions.contains(&Admission::OtherKey) {
        return Err(CliError::OtherKey);
    }
    let new = admissions.iter().filter(|admission| **admission == Admission::New).count();
    output.note(&format!("{new} nodes were admitted now, {} before.", admissions.len() - new))
}

/// A file of a reasonable size.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    let failed = |source| CliError::File { path: path.to_owned(), what: "read", source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    let most = u64::try_from(JOB_BYTES).unwrap_or(u64::MAX);
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

/// Compares a fingerprint with what the operator typed: blanks and case do not matter.
pub(super) fn compare(fingerprint: Digest, typed: &str) -> Result<(), CliError> {
    let typed: String = typed.split_whitespace().collect::<String>().to_lowercase();
    let long_enough = typed.len() >= DIGITS;
    if long_enough && fingerprint.to_string().starts_with(&typed) {
        Ok(())
    } else {
        Err(CliError::Fingerprint { fingerprint: fingerprint.to_string() })
    }
}

#[cfg(test)]
mod tests {
    use super::compare;
    use fellestall_shared::digest::Digest;

    #[test]
    fn a_fingerprint_is_compared_as_people_type_it() {
        let digest = Digest::of("card", b"one");
        let text = digest.to_string();
        let spaced = format!("{} {}", &text[..8], text[8..24].to_uppercase());
        for good in [text.as_str(), &text[..16], &spaced] {
            assert!(compare(digest, good).is_ok(), "{good}");
        }
        for bad in ["", &text[..15], &text[1..], &format!("{text}0"), "0000000000000000"] {
            assert!(compare(digest, bad).is_err(), "{bad}");
        }
    }
}
