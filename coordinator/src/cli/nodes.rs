//! `invite`, `nodes` and `audit`.
//!
//! **Invariant:** an invitation is written to one place, once.

use super::output::table;
use super::{CliError, Desk, Output};
use crate::home::write_private;
use crate::invitation;
use crate::store::nodes::{Node, NodeStatus};
use clap::Subcommand;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::municipality;
use serde::Serialize;
use std::path::PathBuf;

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

#[derive(Serialize)]
struct Invited {
    municipality: String,
    expires: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

pub(super) async fn invite(
    desk: &Desk,
    invite: Invite,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let number = &invite.municipality;
    let (home, now) = (&desk.home, desk.clock.now());
    let url = &home.config.url;
    let invited = invitation::invite(&desk.store, &home.authority, url, number, now).await?;
    let name = municipality::find(number).map_or("", |known| known.name);
    let mut facts = Invited {
        municipality: number.to_string(),
        expires: invited.expires.to_string(),
        invitation: None,
        file: None,
    };
    match invite.out {
        None => facts.invitation = Some(invited.text),
        Some(path) => {
            let written = write_private(&path, format!("{}\n", invited.text).as_bytes());
            facts.file = Some(path.display().to_string());
            written.map_err(|source| CliError::File { path, what: "written", source })?;
        }
    }
    output.facts(&facts, |facts| match &facts.file {
        // The bare text, so that it can be piped to where it is handed over.
        None => facts.invitation.clone().unwrap_or_default(),
        Some(file) => format!(
            "The invitation for {} {name} is in {file}; it is good once, until {}.\n\
             Hand it over by a trusted way.",
            facts.municipality, facts.expires
        ),
    })
}

#[derive(Serialize)]
struct Line {
    node: String,
    municipality: String,
    name: &'static str,
    status: &'static str,
    fingerprint: String,
    applied: String,
    last_seen: Option<String>,
    software: Option<String>,
}

fn line(node: &Node) -> Line {
    Line {
        node: node.node.to_string(),
        municipality: node.municipality.to_string(),
        name: municipality::find(&node.municipality).map_or("", |known| known.name),
        status: node.status.name(),
        fingerprint: node.release_key.fingerprint().to_string(),
        applied: node.applied.to_string(),
        last_seen: node.last_seen.map(|moment| moment.to_string()),
        software: node.software.clone(),
    }
}

pub(super) async fn nodes(
    desk: &Desk,
    command: Nodes,
    output: &mut Output<'_>,
) -> Result<(), CliError> {
    let (node, wanted) = match command {
        Nodes::List => return list(desk, output).await,
        Nodes::Approve { node } => (node, NodeStatus::Enrolled),
        Nodes::Refuse { node } => (node, NodeStatus::Refused),
        Nodes::Deny { node } => (node, NodeStatus::Denied),
    };
    let decided = desk.store.decide_node(&node, wanted, desk.clock.now()).await?;
    output.facts(&line(&decided), |line| format!("{} {} is {}.", line.node, line.name, line.status))
}

async fn list(desk: &Desk, output: &mut Output<'_>) -> Result<(), CliError> {
    let lines: Vec<Line> = desk.store.nodes().await?.iter().map(line).collect();
    output.facts(&lines, |lines| {
        let heads = ["node", "municipality", "status", "key's fingerprint", "last seen"];
        let row = |line: &Line| {
            [
                line.node.clone(),
                format!("{} {}", line.municipality, line.name),
                line.status.to_owned(),
                line.fingerprint.clone(),
                line.last_seen.clone().unwrap_or_else(|| "never".to_owned()),
            ]
        };
        table(heads, lines.iter().map(row), "No node has applied yet.")
    })
}

#[derive(Serialize)]
struct Happened {
    sequence: i64,
    moment: String,
    event: String,
    subject: String,
    alarm: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    actor: String,
}

pub(super) async fn audit(desk: &Desk, last: u32, output: &mut Output<'_>) -> Result<(), CliError> {
    let lines: Vec<Happened> = desk
        .store
        .audit(last)
        .await?
        .into_iter()
        .map(|line| Happened {
            sequence: line.sequence,
            moment: line.moment.to_string(),
            event: line.event,
            subject: line.subject,
            alarm: line.alarm,
            actor: line.actor,
        })
        .collect();
    output.facts(&lines, |lines| {
        let row = |line: &Happened| {
            let alarm = if line.alarm { "ALARM" } else { "" };
            let (when, what) = (line.moment.clone(), line.event.clone());
            [when, what, line.subject.clone(), line.actor.clone(), alarm.to_owned()]
        };
        table(
            ["when", "what", "about", "who", ""],
            lines.iter().map(row),
            "Nothing has happened yet.",
        )
    })
}
