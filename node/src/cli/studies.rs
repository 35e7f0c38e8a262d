//! `studies`, `preview`, `approve` and `refuse`.
//!
//! **Invariant:** nothing here reads a record or charges the ledger; a decision names one exact
//! version by its digest.

use super::output::table;
use super::{CliError, Exit, Session, runtime};
use crate::config::Config;
use crate::decisions::{self, Approval, Decider, KnownStudy, Office};
use crate::engine;
use crate::forecast::{Forecast, Reporting, half_year};
use crate::keys::KeyStore;
use crate::register::Register;
use crate::state::{FirstApproval, Membership, State, StoredDecision};
use crate::work;
use clap::Args;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::period::Period;
use fellestall_shared::wire::v1::{Answer, RefusalReason, RoundDocument};
use serde_json::json;
use std::fmt::Write;
use std::sync::Arc;

#[derive(Debug, Args)]
pub(super) struct PreviewArgs {
    /// The study: core, core.2 (a version), or the digest.
    study: String,
    /// The period; without it the open round's, or else the half-year that it is now.
    #[arg(long, value_name = "PERIOD")]
    period: Option<Period>,
    /// For how many reporting nodes the national interval is shown; without it the participants of the
    /// round's task, or the study's minimum.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    nodes: Option<u32>,
}

/// The studies that are known, after asking the coordinator.
pub(super) fn known(session: &Session<'_>) -> Result<(Membership, Vec<KnownStudy>), CliError> {
    let config = session.config()?;
    let membership = session.membership()?;
    session.refresh(&config, &membership)?;
    let state = State::open(&session.directory)?;
    let (known, unusable) = decisions::studies(&state, &membership, session.clock.now())?;
    for unusable in unusable {
        let error = crate::daemon::explain(&unusable.why);
        tracing::warn!(study = %unusable.digest.short(), %error, "a study cannot be used");
    }
    Ok((membership, known))
}

fn answer_text(answer: Option<Answer>) -> &'static str {
    match answer {
        None => "undecided",
        Some(Answer::Approved) => "approved",
        Some(Answer::Refused { .. }) => "refused",
    }
}

pub(super) fn list(session: &mut Session<'_>) -> Result<Exit, CliError> {
    let (_, known) = known(session)?;
    let today = session.clock.now().date().ok_or(CliError::Clock)?;
    let register = Register::read(&session.directory)?;
    let why_not =
        |known: &KnownStudy| register.permit(&known.study, today).err().map(|why| why.to_string());
    let facts: Vec<_> = known
        .iter()
        .map(|known| {
            let document = known.study.document();
            json!({
                "study": known.name(),
                "digest": known.study.digest(),
                "title": document.title,
                "purpose": document.purpose,
                "controller": document.controller,
                "legal_basis": document.legal_basis,
                "starts": document.starts,
                "ends": document.ends,
                "tables": document.tables.len(),
                "municipalities_per_person": document.municipalities_per_person,
                "residence": document.residence,
                "charge": known.study.charge().to_string(),
                "in_force": known.in_force,
                "permitted": why_not(known).is_none(),
                "why_not_permitted": why_not(known),
                "decision": answer_text(known.answer),
            })
        })
        .collect();
    let language = session.language;
    session.out.facts(&facts, || {
        if known.is_empty() {
            return "There are no studies.".to_owned();
        }
        let head = ["study", "title", "purpose", "ends", "rho a round", "the register", "decision"];
        let mut rows = table(head);
        for known in &known {
            let document = known.study.document();
            let force = if known.in_force { "" } else { " (not in force)" };
            rows.add_row([
                format!("{}{force}", known.name()),
                document.title.text(language).to_owned(),
                document.purpose.to_string(),
                document.ends.clone(),
                known.study.charge().to_string(),
                if why_not(known).is_none() { "permits it" } else { "does not permit it" }
                    .to_owned(),
                answer_text(known.answer).to_owned(),
            ]);
        }
        let mut text = rows.to_string();
        for known in known.iter().filter(|known| known.in_force) {
            if let Some(why) = why_not(known) {
                // Writing to a String does not fail.
                let _written = write!(text, "\n{}: {why}", known.name());
            }
        }
        text
    })?;
    Ok(Exit::Done)
}

pub(super) fn preview(
    session: &mut Session<'_>,
    arguments: &PreviewArgs,
) -> Result<Exit, CliError> {
    let config = session.config()?;
    let (membership, known) = known(session)?;
    let known = decisions::find(&known, &arguments.study)?;
    let period = match arguments.period {
        Some(period) => period,
        None => match open_period(session, &membership, known)? {
            Some(period) => period,
            None => half_year(session.clock.now()).ok_or(CliError::Clock)?,
        },
    };
    let document = known.study.document();
    let kernel = engine::open(&config, &membership)?;
    let balance = kernel.balance(&document.study, period)?;
    let state = State::open(&session.directory)?;
    let asked = (&known.study, period);
    let reporting = Reporting::find(&state, &membership, asked, arguments.nodes)?;
    let delta = config.budget.delta;
    let mut forecast =
        Forecast::new(&known.study, period, &balance, reporting, delta, session.language);
    let question = ReleaseId::of(known.study.digest(), period, &membership.municipality);
    if kernel.history()?.iter().any(|entry| entry.release == question) {
        forecast = forecast.already_released(&balance);
    } else if let Some(earlier) = kernel.answered(&document.study, period)? {
        forecast = forecast.answered_before(&earlier);
    }
    let today = session.clock.now().date().ok_or(CliError::Clock)?;
    let register = Register::read(&session.directory)?;
    if let Err(why) = register.terms(&known.study, period, today) {
        forecast = forecast.not_permitted(&why);
    }
    session.out.facts(&forecast, || forecast.to_string())?;
    Ok(if forecast.would_answer() { Exit::Done } else { Exit::Refused })
}

/// The period of the study's newest open round.
pub(super) fn open_period(
    session: &Session<'_>,
    membership: &Membership,
    known: &KnownStudy,
) -> Result<Option<Period>, CliError> {
    let rounds = State::open(&session.directory)?.rounds()?;
    let documents = rounds.into_iter().filter(|stored| stored.current).filter_map(|stored| {
        stored.envelope.verify::<RoundDocument>(&membership.coordinator_key).ok()
    });
    let mine = documents.filter(|document| document.study == known.study.digest());
    Ok(mine.map(|document| document.period).max())
}

pub(super) fn approve(session: &mut Session<'_>, study: &str) -> Result<Exit, CliError> {
    decide(session, study, Answer::Approved)
}

pub(super) fn refuse(
    session: &mut Session<'_>,
    study: &str,
    reason: RefusalReason,
) -> Result<Exit, CliError> {
    decide(session, study, Answer::Refused { reason })
}

fn decide(session: &mut Session<'_>, asked: &str, answer: Answer) -> Result<Exit, CliError> {
    let config = session.config()?;
    let (membership, known) = known(session)?;
    let known = decisions::find(&known, asked)?;
    let key = KeyStore::new(&session.directory).release()?;
    let mut state = State::open(&session.directory)?;
    let by = session.actor();
    let decider = Decider { by: &by, now: session.clock.now() };
    let register = Register::read(&session.directory)?;
    let people = config.people;
    let mut office = Office {
        state: &mut state,
        membership: &membership,
        key: &key,
        register: &register,
        people,
    };
    let decision = match answer {
        Answer::Approved => match office.approve_as(known, decider)? {
            Approval::Approved(decision) => decision,
            Approval::AwaitsSecond(first) => return awaits(session, known, &first),
        },
        Answer::Refused { reason } => office.refuse_as(known, reason, decider)?,
    };
    let sent = decision.sent || send(session, &config, &membership, &mut state, &decision)?;
    let facts = json!({
        "study": known.name(),
        "digest": decision.study,
        "decision": answer_text(Some(answer)),
        "sent": sent,
    });
    session.out.facts(&facts, || {
        let mut text = format!("{} is {}", known.name(), answer_text(Some(answer)));
        let sent = if sent { "The coordinator knows." } else { "Not sent yet." };
        // Writing to a String does not fail.
        let _written = write!(text, " (digest {}). {sent}", decision.study);
        text
    })?;
    Ok(Exit::Done)
}

/// Says that another person has to approve it too.
fn awaits(
    session: &mut Session<'_>,
    known: &KnownStudy,
    first: &FirstApproval,
) -> Result<Exit, CliError> {
    let facts = json!({
        "study": known.name(),
        "digest": first.study,
        "decision": "first approval",
        "by": first.by.name(),
        "sent": false,
    });
    session.out.facts(&facts, || {
        format!(
            "{} is approved by {}, the first of two people. Nothing is sent before somebody else approves it too.",
            known.name(),
            first.by.name()
        )
    })?;
    Ok(Exit::Done)
}

/// Tries to send a decision now; whether the coordinator has it.
fn send(
    session: &Session<'_>,
    config: &Config,
    membership: &Membership,
    state: &mut State,
    decision: &StoredDecision,
) -> Result<bool, CliError> {
    let clock = Arc::clone(&session.clock);
    let client = work::client(config, membership, session.proxy(config), clock)?;
    let bytes = decision.envelope.to_json().map_err(decisions::DecisionError::from)?;
    match runtime()?.block_on(client.put_decision(decision.study, bytes)) {
        Ok(()) => {
            state.set_decision_sent(&decision.envelope, decision.study)?;
            Ok(true)
        }
        Err(error) => {
            tracing::warn!(%error, "the running node sends the decision later");
            Ok(false)
        }
    }
}
