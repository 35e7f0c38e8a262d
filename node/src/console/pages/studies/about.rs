//! What a study says of itself, and what was decided about it.
//!
//! **Invariant:** from the signed document and the audit log; nothing of the records.

use crate::audit::{AuditLog, Event};
use crate::console::asked::{Asked, Refusal};
use crate::console::show::{figure, fill, moment, who, written_day};
use crate::console::words::Words;
use crate::decisions::KnownStudy;
use crate::forecast::{Forecast, Guarantee, Mode};
use fellestall_shared::digest::Digest;
use fellestall_shared::wire::v1::Residence;
use std::fmt::Display;

/// Who decided what about a study, newest first, from the audit log.
pub(super) fn history(asked: &Asked, study: Digest) -> Result<Vec<String>, Refusal> {
    let (w, language) = (asked.words(), asked.language);
    let entries = AuditLog::open(&asked.desk.directory)?.entries()?;
    let lines = entries.iter().rev().filter_map(|entry| {
        let what = match &entry.body.what {
            Event::Approved { study: of, .. } if *of == study => w.studies.approved.clone(),
            Event::FirstApproval { study: of, .. } if *of == study => {
                w.studies.awaits_second.clone()
            }
            Event::Refused { study: of, reason, .. } if *of == study => {
                format!("{} ({})", w.studies.refused, w.reason(*reason))
            }
            _ => return None,
        };
        let at = moment(entry.body.at, w, language);
        let by = who(&entry.body.by, w);
        Some(fill(&w.study.decided_by, &[("what", &what), ("name", &by), ("moment", &at)]))
    });
    Ok(lines.collect())
}

/// What the coordinator sees of a table.
pub(super) fn seen(w: &Words, mode: Mode, minimum: u32) -> String {
    let text = match mode {
        Mode::Local => &w.study.mode_local,
        Mode::Shared => &w.study.mode_shared,
        Mode::Both => &w.study.mode_both,
    };
    fill(text, &[("minimum", &minimum)])
}

/// What a study's shared tables rest on, in sentences; none without shared tables.
pub(super) fn promise(asked: &Asked, forecast: &Forecast) -> Vec<String> {
    let (w, language) = (asked.words(), asked.language);
    let Some(promise) = &forecast.promise else { return Vec::new() };
    let s = &w.study;
    let loss = |guarantee: Option<&Guarantee>| match guarantee {
        None => s.loss_unbounded.clone(),
        Some(guarantee) => fill(
            &s.loss,
            &[
                ("rho", &figure(&guarantee.rho, language)),
                ("epsilon", &figure(format!("{:.3}", guarantee.epsilon), language)),
            ],
        ),
    };
    let numbers: [(&str, &dyn Display); 4] = [
        ("minimum", &promise.minimum),
        ("honest", &promise.honest),
        ("tolerated", &promise.tolerated),
        ("loss", &loss(Some(&promise.sum))),
    ];
    vec![
        fill(&s.split, &[("helper", &promise.helper), ("key", &promise.helper_key)]),
        fill(&s.promise, &numbers),
        fill(&s.promise_more, &[("loss", &loss(promise.one_more.as_ref()))]),
        fill(&s.promise_joined, &[("loss", &loss(promise.joined.as_ref()))]),
    ]
}

/// What the coordinator sees of a study's tables: each in its own way if they differ.
fn mode(w: &Words, known: &KnownStudy) -> String {
    let mut modes: Vec<Mode> = known.study.tables().iter().map(Mode::of).collect();
    modes.dedup();
    match modes.as_slice() {
        [one] => seen(w, *one, known.study.document().minimum_nodes),
        _ => w.study.mode_mixed.clone(),
    }
}

/// What a study says of itself.
pub(super) fn facts(asked: &Asked, known: &KnownStudy) -> Vec<(String, String)> {
    let (w, language) = (asked.words(), asked.language);
    let (s, document) = (&w.study, known.study.document());
    let yes_no = |yes: bool| if yes { w.common.yes.clone() } else { w.common.no.clone() };
    let assessment = document.assessment.clone().unwrap_or_else(|| s.no_assessment.clone());
    let residence = match document.residence {
        Residence::Anywhere => s.residence_anywhere.clone(),
        Residence::OnCensusDate => s.residence_census.clone(),
    };
    let lines: [(&String, String); 11] = [
        (&s.purpose, document.purpose.to_string()),
        (&s.controller, document.controller.clone()),
        (&s.basis, w.basis(document.legal_basis).to_owned()),
        (&s.assessment, assessment),
        (&s.starts, written_day(&document.starts, w, language)),
        (&s.ends, written_day(&document.ends, w, language)),
        (&s.minimum_nodes, document.minimum_nodes.to_string()),
        (&s.mode, mode(w, known)),
        (&s.municipal_figures, yes_no(document.municipal_figures)),
        (&s.persons, document.municipalities_per_person.to_string()),
        (&s.residence, residence),
    ];
    lines.into_iter().map(|(name, value)| (name.clone(), value)).collect()
}
