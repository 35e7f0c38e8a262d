//! `round open`, `list` and `status`.
//!
//! **Invariant:** what is printed about a round says who answered, never what.

use super::output::table;
use super::{CliError, Desk, Output, publications};
use crate::api::error::chain;
use crate::rounds::status::{self, ReportStanding, RoundStatus, Standing};
use crate::rounds::{self, LoadedRound, Opening};
use crate::store::reports;
use crate::store::studies::Kept;
use clap::Subcommand;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{RoundId, StudyId};
use fellestall_shared::period::Period;
use fellestall_shared::wire::v1::Answer;
use serde::Serialize;
use std::str::FromStr;
use time::macros::format_description;
use time::{Date, Time};

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
        #[arg(long, value_name = "DATE", value_parser = date)]
        closes: Date,
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

/// A study, or one version of it.
#[derive(Debug, Clone)]
pub struct StudyVersion {
    /// The study.
    pub study: StudyId,
    /// The version; the newest if not given.
    pub version: Option<u32>,
}

impl FromStr for StudyVersion {
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

/// A date, as 2026-08-15.
pub(super) fn date(text: &str) -> Result<Date, String> {
    Date::parse(text, format_description!("[year]-[month]-[day]"))
        .map_err(|_| "a date is written as 2026-08-15".to_owned())
}

pub(super) async fn rounds(
    desk: &Desk,
    command: Rounds,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    match command {
        Rounds::Open { study, period, closes } => open(desk, study, period, closes, output).await,
        Rounds::List => list(desk, output).await,
        Rounds::Status { round } => {
            let loaded = load(desk, &round).await?;
            let status = status::status(&desk.store, &loaded).await?;
            output.facts(&status, status_text)
        }
        Rounds::Close { round } => publications::close(desk, &round, output).await,
        Rounds::Revise { round } => publications::revise(desk, &round, output).await,
    }
}

pub(super) async fn load(desk: &Desk, round: &RoundId) -> Result<LoadedRound, CliError> {
    let key = desk.home.signing_key.verifying_key();
    Ok(rounds::load_round(&desk.store, &key, desk.catalogue, round).await?)
}

#[derive(Serialize)]
struct Line {
    round: String,
    open: bool,
    closes: String,
}

/// A round that was opened, and what its operator should know of earlier ones.
#[derive(Serialize)]
struct Opened {
    #[serde(flatten)]
    line: Line,
    /// Rounds of the same study about periods that end on the same day: a node that has answered one
    /// of them refuses this one.
    same_day: Vec<String>,
    /// Why the helper has not accepted the round's task, if it has shared tables; the service asks again.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits: Option<String>,
}

async fn open(
    desk: &Desk,
    study: StudyVersion,
    period: Period,
    closes: Date,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    // To the end of the day named.
    let end = closes.with_time(Time::MIDNIGHT).assume_utc().unix_timestamp().saturating_add(86_399);
    let StudyVersion { study, version } = study;
    let opening = Opening { study, version, period, closes: Timestamp::from_unix(end) };
    let (key, now) = (&desk.home.signing_key, desk.clock.now());
    let (round, kept) = rounds::open_round(&desk.store, key, desk.catalogue, &opening, now).await?;
    let loaded = load(desk, &round).await?;
    let waits = match desk.leader(&loaded) {
        None => None,
        Some(leader) => leader.drive(&loaded).await.err().map(|error| chain(&error)),
    };
    let opened = Opened { line: line(&loaded), same_day: same_day(desk, &loaded).await?, waits };
    output.facts(&opened, |Opened { line, same_day, waits }| {
        let mut text = match kept {
            Kept::New => format!("{} is open, due to close {}.", line.round, line.closes),
            Kept::Stood if line.open => {
                format!("{} was open already, due to close {}.", line.round, line.closes)
            }
            Kept::Stood => format!("{} was closed before; it is not opened again.", line.round),
        };
        if !same_day.is_empty() {
            text.push_str(" The study has asked about the same day in ");
            text.push_str(&same_day.join(", "));
            text.push_str(": nodes that answered refuse this round, since released figures stand.");
        }
        if let Some(why) = waits {
            text.push_str(" Nodes wait until the helper has accepted its task, and the service asks it again: ");
            text.push_str(why);
            text.push('.');
        }
        text
    })
}

/// Other rounds of the study, in any version, about periods that end on the same day.
async fn same_day(desk: &Desk, opened: &LoadedRound) -> Result<Vec<String>, CliError> {
    let mut found = Vec::new();
    for stored in desk.store.rounds().await? {
        let other = load(desk, &stored.round).await?.round;
        let same_study = other.study().document().study == opened.round.study().document().study;
        let same_end = other.period().last_day() == opened.round.period().last_day();
        if same_study && same_end && other.id() != opened.round.id() {
            found.push(other.id().to_string());
        }
    }
    Ok(found)
}

fn line(loaded: &LoadedRound) -> Line {
    Line {
        round: loaded.round.id().to_string(),
        open: loaded.closed.is_none(),
        closes: loaded.round.document().closes.to_string(),
    }
}

async fn list(desk: &Desk, output: &mut Output<'_>) -> Result<(), CliError> {
    let mut lines = Vec::new();
    for stored in desk.store.rounds().await? {
        lines.push(line(&load(desk, &stored.round).await?));
    }
    output.facts(&lines, |lines| {
        let row = |line: &Line| {
            let state = if line.open { "open" } else { "closed" };
            [line.round.clone(), state.to_owned(), line.closes.clone()]
        };
        table(["round", "state", "due to close"], lines.iter().map(row), "No round exists yet.")
    })
}

fn status_text(status: &RoundStatus) -> String {
    let row = |standing: &Standing| {
        let answer = match standing.decision {
            None => "no answer yet".to_owned(),
            Some(Answer::Approved) => "approved".to_owned(),
            Some(Answer::Refused { reason }) => {
                let name = serde_json::to_value(reason).ok();
                let name = name.as_ref().and_then(|value| value.as_str()).unwrap_or("other");
                format!("refused: {}", name.replace('_', " "))
            }
        };
        let mut report = standing.received.clone().unwrap_or_else(|| "missing".to_owned());
        if standing.late {
            report.push_str(" (late)");
        }
        match standing.report {
            None => {}
            Some(ReportStanding::Waiting) => report.push_str("; shared tables wait"),
            Some(ReportStanding::Verified { batch }) => {
                report.push_str("; shared tables in batch ");
                report.push_str(&batch.to_string());
            }
            Some(ReportStanding::Rejected { reason }) => {
                report.push_str("; shared tables REJECTED: ");
                report.push_str(reports::word(reason));
            }
        }
        [standing.node.to_string(), standing.name.to_owned(), answer, report]
    };
    let rows = status.nodes.iter().map(row);
    format!(
        "{} is {}, due to close {}: {} of {} nodes have reported (published from {}).\n{}",
        status.round,
        if status.open { "open" } else { "closed" },
        status.closes,
        status.reported,
        status.nodes.len(),
        status.minimum_nodes,
        table(["node", "municipality", "answer", "release"], rows, "No node is enrolled yet.")
    )
}
