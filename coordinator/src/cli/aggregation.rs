//! `aggregation`: what the coordinator and its helper hand each other.
//!
//! **Invariant:** a helper is trusted by the fingerprint that its operator read out, and by nothing
//! else; a roster holds public keys.

use super::helper::{compare, hand_out, read};
use super::{CliError, Desk, Output};
use crate::helper::card::{HelperCard, Roster};
use crate::home::write_private;
use crate::store::nodes::NodeStatus;
use clap::Subcommand;
use fellestall_shared::wire::v1::TaskParticipant;
use serde::Serialize;
use std::path::PathBuf;

/// Commands about the helper that this coordinator works with.
#[derive(Debug, Subcommand)]
pub enum Aggregation {
    /// Print this coordinator's card, for the helper's operator: its address and public keys.
    Card {
        /// Write the card to a new file instead.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Trust a helper, by the card that its operator gave you, and show the lines for studies.
    TrustHelper {
        /// The helper's card.
        card: PathBuf,
        /// The card's fingerprint as the helper's operator read it to you by telephone: all of it, or at
        /// least its first 16 digits.
        #[arg(long, value_name = "DIGITS")]
        fingerprint: String,
    },
    /// Show the helper that is trusted.
    Helper,
    /// Write the roster of the enrolled nodes, for the helper's operator to check and admit.
    Roster {
        /// Write it to a new file instead of standard output.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub(super) async fn aggregation(
    desk: &Desk,
    command: Aggregation,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        Aggregation::Card { out } => {
            let card = desk.home.card();
            hand_out(&card, card.fingerprint(), out, "coordinator's", output)
        }
        Aggregation::TrustHelper { card, fingerprint } => {
            let card = HelperCard::from_json(&read(&card)?)?;
            compare(card.fingerprint(), &fingerprint)?;
            desk.home.trust_helper(&card)?;
            show(&card, output)
        }
        Aggregation::Helper => match &desk.home.helper {
            Some(card) => show(card, output),
            None => Err(CliError::NoHelper),
        },
        Aggregation::Roster { out } => roster(desk, out, output).await,
    }
}

#[derive(Serialize)]
struct Trusted<'a> {
    name: &'a str,
    url: &'a str,
    fingerprint: String,
    study_lines: String,
}

fn show(card: &HelperCard, output: &mut Output<'_>) -> Result<(), CliError> {
    let facts = Trusted {
        name: &card.name,
        url: &card.url,
        fingerprint: card.fingerprint().to_string(),
        study_lines: card.study_lines(),
    };
    output.facts(&facts, |facts| {
        format!(
            "The helper is {} at {}.\n  card's fingerprint  {}\nA study with shared noise names it so:\n\n{}",
            facts.name, facts.url, facts.fingerprint, facts.study_lines
        )
    })
}

async fn roster(
    desk: &Desk,
    out: Option<PathBuf>,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let nodes = desk.store.nodes().await?;
    let enrolled = nodes.into_iter().filter(|node| node.status == NodeStatus::Enrolled);
    let participants = enrolled.map(|node| TaskParticipant {
        municipality: node.municipality,
        node: node.node,
        release_key: node.release_key,
    });
    let roster = Roster { participants: participants.collect() };
    let json = serde_json::to_string_pretty(&roster);
    let json = json.map_err(|error| CliError::Encoding(error.into()))?;
    let Some(path) = out else { return output.text(&json) };
    let shown = path.display().to_string();
    let written = write_private(&path, format!("{json}\n").as_bytes());
    written.map_err(|source| CliError::File { path, what: "written", source })?;
    let count = roster.participants.len();
    output.text(&format!(
        "The roster of {count} enrolled nodes is in {shown}; the helper's operator gives it to `helper admit`."
    ))
}
