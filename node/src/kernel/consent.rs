//! Who may be counted, for one purpose in one period.
//!
//! **Invariant:** what is not known excludes: a date, a status or a purpose that is missing never
//! lets a participant in.

use super::count::CountKey;
use super::person::{Consent, ConsentStatus, Person, PersonId, When};
use super::records::Records;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{Purpose, ReleaseId};
use fellestall_shared::period::Period;
use fellestall_shared::wire::v1::LegalBasis;
use time::Date;

#[cfg(test)]
mod tests;

/// The participants who may be counted. No public length, no debug form.
pub(super) struct Cohort<'r> {
    people: Vec<(&'r PersonId, &'r Person)>,
}

impl<'r> Cohort<'r> {
    /// Each of them, in the order of their identifiers.
    pub(super) fn people(&self) -> impl Iterator<Item = (&'r PersonId, &'r Person)> {
        self.people.iter().copied()
    }

    /// A keyed digest of who they are, for one question: the municipality can show later whom a
    /// release rests on, and nobody without the key can test a guess.
    ///
    /// # Privacy
    /// P1: equal cohorts give different digests under different questions; otherwise the coordinator
    /// would see in two releases whether anybody joined or left between them, without any noise.
    pub(super) fn snapshot(&self, question: ReleaseId, key: &CountKey) -> Digest {
        let question = question.digest();
        let mut parts: Vec<&[u8]> = vec![key.as_bytes(), question.as_bytes()];
        parts.extend(self.people.iter().map(|(id, _)| id.as_bytes()));
        Digest::of_parts("fellestall/consent-snapshot/1", &parts)
    }
}

/// The participants whose data may be used for this purpose in this period.
pub(super) fn cohort<'r>(
    records: &'r Records,
    purpose: &Purpose,
    basis: LegalBasis,
    period: Period,
) -> Cohort<'r> {
    let may = |person: &Person| may_count(&person.consents, purpose, basis, period.last_day());
    Cohort { people: records.people().filter(|(_, person)| may(person)).collect() }
}

/// Whether one participant's consents allow counting on `day`, the last of the period.
///
/// By consent: some row for the purpose gives it on a known day up to `day`, is not out of date on
/// `day`, and no objection came on the same day or later. By public task: there is no objection, or
/// a consent after the last of them.
fn may_count(rows: &[Consent], purpose: &Purpose, basis: LegalBasis, day: Date) -> bool {
    let objections: Vec<When> = rows
        .iter()
        .filter(|row| concerns(row, purpose) || row.purpose.trim().is_empty())
        .flat_map(objections)
        .filter(|when| when.day().is_none_or(|objected| objected <= day))
        .collect();
    let outlasts_objections = |given: Date| {
        objections.iter().all(|when| when.day().is_some_and(|objected| objected < given))
    };
    let consents = rows
        .iter()
        .filter(|row| concerns(row, purpose))
        .filter_map(|row| given_on(row, day))
        .any(outlasts_objections);
    match basis {
        LegalBasis::Consent => consents,
        LegalBasis::PublicTask => consents || objections.is_empty(),
    }
}

/// Whether a row is about this purpose, written in whatever case.
fn concerns(row: &Consent, purpose: &Purpose) -> bool {
    row.purpose.trim().to_lowercase() == purpose.as_str()
}

/// The day on which a row gives consent that holds on `day`.
fn given_on(row: &Consent, day: Date) -> Option<Date> {
    let given = row.date.day().filter(|given| *given <= day)?;
    let holds = row.valid_until.is_none_or(|until| until.day().is_some_and(|until| until >= day));
    if row.status == ConsentStatus::Given && holds { Some(given) } else { None }
}

/// When a row says no: refused, withdrawn, or in a way that is not known. Not having been asked is
/// no objection.
fn objections(row: &Consent) -> impl Iterator<Item = When> + use<> {
    let by_status = match row.status {
        ConsentStatus::Given | ConsentStatus::NotAsked => None,
        ConsentStatus::Refused | ConsentStatus::Withdrawn | ConsentStatus::Unknown => {
            Some(row.date)
        }
    };
    by_status.into_iter().chain(row.withdrawn_on)
}
