//! `status` and `releases`.
//!
//! **Invariant:** shown is what the ledger and the state hold; noisy values are shown only as the
//! exact table that left.

use super::output::table;
use super::{CliError, Exit, Session};
use crate::config::Config;
use crate::decisions::{self, DecisionError};
use crate::engine;
use crate::kernel::{Cap, Kernel, LedgerEntry};
use crate::keys::KeyStore;
use crate::register::Register;
use crate::state::{Enrolment, Membership, State};
use crate::witness;
use clap::Args;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::labels::Language;
use fellestall_shared::signed::{Envelope, Verified};
use fellestall_shared::statistic::Statistic;
use fellestall_shared::wire::v1::{ReleaseDocument, ReleasedTable};
use serde_json::{Value, json};
use std::fmt::Write;

#[derive(Debug, Args)]
pub(super) struct ReleasesArgs {
    /// Show exactly what left: the id, or its beginning.
    #[arg(long, value_name = "ID")]
    show: Option<String>,
}

pub(super) fn status(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let config = session.config()?;
    KeyStore::new(&session.directory).refuse_open()?;
    let state = State::open(&session.directory)?;
    let contact = state.contact()?;
    let contact = json!({
        "last_answer": contact.last_answer.map(|moment| moment.to_string()),
        "failure": contact.failure,
    });
    let facts = match state.enrolment()? {
        Some(Enrolment::Approved(membership)) => {
            enrolled(session, (&config, &state), &membership, &contact)?
        }
        other => json!({
            "municipality": config.municipality,
            "enrolment": match other {
                None => "not asked for",
                Some(Enrolment::Refused) => "refused",
                Some(_) => "pending",
            },
            "contact": contact,
        }),
    };
    session.out.facts(&facts, || status_text(&facts))?;
    Ok(Exit::Done)
}

fn enrolled(
    session: &Session<'_>,
    (config, state): (&Config, &State),
    membership: &Membership,
    contact: &Value,
) -> Result<Value, CliError> {
    let kernel = engine::open(config, membership)?;
    let history = kernel.history()?;
    let budget: Vec<_> = engine::accounts(&kernel, &history)?
        .into_iter()
        .map(|(cap, account)| {
            json!({ "of": of(&cap), "spent": account.spent.to_string(), "left": account.left.to_string() })
        })
        .collect();
    let lifetime = config.budget.lifetime;
    let register = Register::read(&session.directory)?;
    let open = (history.as_slice(), session.clock.now());
    let waiting = decisions::waiting(state, membership, &register, open)?;
    Ok(json!({
        "municipality": membership.municipality,
        "node": membership.node,
        "enrolment": "approved",
        "coordinator": membership.url,
        "certificate_expires": membership.certificate_expires.to_string(),
        "contact": contact,
        "budget": budget,
        "lifetime_cap": lifetime.to_string(),
        "lifetime_epsilon": lifetime.epsilon_ceil(config.budget.delta),
        "delta": config.budget.delta.to_string(),
        "releases": history.len(),
        "unsent": history.iter().filter(|entry| !entry.sent).count(),
        "waiting_for_task": waiting,
        "ledger_head": history.last().map(|entry| entry.head),
        "countersigned": countersigned(config)?,
    }))
}

/// Where the node stands before the coordinator.
fn countersigned(config: &Config) -> Result<Value, CliError> {
    let standing = witness::standing(&config.directory)?;
    let last = standing.last.map(|moment| moment.to_string());
    Ok(if standing.refused {
        json!({ "last": last, "refused": super::run::REFUSED })
    } else {
        json!({ "last": last, "ledger_sequence": standing.ledger_sequence })
    })
}

/// What a cap is about, in a word or two.
fn of(cap: &Cap) -> String {
    match cap {
        Cap::Lifetime => "lifetime".to_owned(),
        Cap::Year(year) => format!("year {year}"),
        Cap::Study(study) => format!("study {study}"),
    }
}

/// The facts of a status, in the order that people read them.
const ORDER: [&str; 15] = [
    "municipality",
    "node",
    "enrolment",
    "coordinator",
    "contact",
    "certificate_expires",
    "lifetime_cap",
    "lifetime_epsilon",
    "delta",
    "budget",
    "releases",
    "unsent",
    "waiting_for_task",
    "ledger_head",
    "countersigned",
];

fn status_text(facts: &Value) -> String {
    let mut rows = table(["", ""]);
    for name in ORDER {
        let Some(value) = facts.get(name) else { continue };
        let text = match value {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            Value::Array(lines) if lines.is_empty() => {
                if name == "budget" { "nothing spent" } else { "-" }.to_owned()
            }
            Value::Array(lines) => lines.iter().map(line_text).collect::<Vec<_>>().join("\n"),
            Value::Object(parts) => parts
                .iter()
                .map(|(name, part)| format!("{}: {}", words(name), part_text(part)))
                .collect::<Vec<_>>()
                .join("\n"),
            other => other.to_string(),
        };
        rows.add_row([words(name), text]);
    }
    rows.to_string()
}

fn line_text(line: &Value) -> String {
    if let Value::String(text) = line {
        return text.clone();
    }
    let part = |name: &str| line.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    format!("{}: {} rho spent, {} left", part("of"), part("spent"), part("left"))
}

fn part_text(part: &Value) -> String {
    match part {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => "-".to_owned(),
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

pub(super) fn releases(
    session: &mut Session<'_>,
    arguments: &ReleasesArgs,
) -> Result<Exit, CliError> {
    let config = session.config()?;
    let membership = session.membership()?;
    let kernel = engine::open(&config, &membership)?;
    let history = kernel.history()?;
    if let Some(asked) = &arguments.show {
        let document = recorded(session, &kernel, &history, asked)?;
        let language = session.language;
        let text = || release_text(&document, language);
        session.out.facts(&*document, text)?;
        return Ok(Exit::Done);
    }
    let facts: Vec<_> = history
        .iter()
        .map(|entry| {
            json!({
                "sequence": entry.sequence,
                "release": entry.release,
                "report": entry.report,
                "round": entry.round,
                "charge": entry.charge.to_string(),
                "sent": entry.sent,
                "ledger_head": entry.head,
            })
        })
        .collect();
    session.out.facts(&facts, || {
        if history.is_empty() {
            return "Nothing has left this node.".to_owned();
        }
        let mut rows = table(["no.", "release", "round", "rho", "coordinator has it"]);
        for entry in &history {
            rows.add_row([
                entry.sequence.to_string(),
                entry.release.digest().short(),
                entry.round.to_string(),
                entry.charge.to_string(),
                if entry.sent { "yes" } else { "not yet" }.to_owned(),
            ]);
        }
        rows.to_string()
    })?;
    Ok(Exit::Done)
}

fn recorded(
    session: &Session<'_>,
    kernel: &Kernel,
    history: &[LedgerEntry],
    asked: &str,
) -> Result<Verified<ReleaseDocument>, CliError> {
    let missing = || CliError::NoRelease { asked: asked.to_owned() };
    let mut named = history.iter().filter(|entry| entry.release.to_string().starts_with(asked));
    let (Some(entry), None) = (named.next(), named.next()) else {
        return Err(missing());
    };
    let release = kernel.recorded(entry.release)?.ok_or_else(missing)?;
    let key = KeyStore::new(&session.directory).release_public()?;
    let envelope = Envelope::from_json(release.bytes()).map_err(DecisionError::from)?;
    Ok(envelope.verify(&key).map_err(DecisionError::from)?)
}

fn release_text(document: &ReleaseDocument, language: Language) -> String {
    let mut text = format!(
        "Release {} of {} for round {}: exactly this left.\nCharge {} rho, number {} in the ledger.\n",
        document.release,
        document.node,
        document.round,
        document.charge_micro,
        document.ledger_sequence
    );
    if let Some(report) = document.report {
        // Writing to a String does not fail.
        let _written = writeln!(
            text,
            "The study's shared tables left in the report {report}, with noise, split between two servers."
        );
    }
    let catalogue = Catalogue::builtin().ok();
    for released in &document.tables {
        let statistic = catalogue.and_then(|catalogue| catalogue.statistic(&released.statistic));
        let title = statistic.map_or("", |statistic| statistic.title().text(language));
        // Writing to a String does not fail.
        let _written = write!(
            text,
            "\n{} {title} (noise scale {:.3})\n{}\n",
            released.statistic,
            released.scale,
            cells(released, statistic, language)
        );
    }
    text
}

fn cells(
    released: &ReleasedTable,
    statistic: Option<&'static Statistic>,
    language: Language,
) -> String {
    let mut rows = table(["", "noisy count"]);
    for (cell, value) in released.values.iter().enumerate() {
        let categories = statistic.and_then(|statistic| statistic.categories_of(cell));
        let label = categories.map_or_else(
            || cell.to_string(),
            |categories| {
                let labels: Vec<_> =
                    categories.iter().map(|category| category.label().text(language)).collect();
                labels.join(", ")
            },
        );
        rows.add_row([label, value.to_string()]);
    }
    rows.to_string()
}
