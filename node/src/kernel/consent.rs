//! Who may be counted, for one purpose in one period.
//!
//! **Invariant:** what is not known excludes: a date, a status or a purpose that is missing never
//! lets a participant in.

use super::person::{Consent, ConsentMode, ConsentStatus, Participant, Person, When};
use super::records::{Member, Records};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{Purpose, ReleaseId};
use fellestall_shared::period::Period;
use fellestall_shared::wire::v1::LegalBasis;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use time::Date;
use zeroize::{Zeroize, Zeroizing};

#[cfg(test)]
mod tests;

/// The domain of the digests of who may be counted.
const SNAPSHOT: &str = "fellestall/consent-snapshot/1";

/// The secret of one purpose's consent snapshots. When the project has ended it is destroyed, and then
/// nobody can test a guess against a snapshot any more.
pub struct SnapshotKey([u8; 32]);

impl SnapshotKey {
    /// A key from 32 secret random bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl SnapshotKey {
    /// What is hashed before the identifiers of who is counted.
    pub(super) fn begin(&self, question: ReleaseId) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Digest::begin(SNAPSHOT, &[&self.0, question.digest().as_bytes()]))
    }
}

impl Drop for SnapshotKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// From when a withdrawal of consent, or an objection, counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Withdrawal {
    /// From the period in which it came: a period that was over by then is counted as it was, also
    /// if it is counted later.
    NextPeriod,
    /// From the moment it is recorded, for every period that is counted afterwards.
    AtOnce,
}

/// On which terms the purpose of a round lets people be counted; from the register of processing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// The versions of the consent form that count.
    pub accepted_forms: BTreeSet<String>,
    /// From when a withdrawal counts.
    pub withdrawal: Withdrawal,
}

/// The participants who may be counted. No public length, no debug form.
pub(super) struct Cohort<'r> {
    records: &'r Records,
    people: Vec<Member<'r>>,
}

impl<'r> Cohort<'r> {
    /// Each of them, in the order of their identifiers.
    pub(super) fn people(&self) -> &[Member<'r>] {
        &self.people
    }

    /// The records that they are of.
    pub(super) fn records(&self) -> &'r Records {
        self.records
    }

    /// Those of them whose row in the `participant` table is so.
    pub(super) fn of_those(mut self, is_so: impl Fn(&Participant) -> bool) -> Self {
        self.people.retain(|member| is_so(&member.person.participant));
        self
    }

    /// A keyed digest of who they are, for one question: the municipality can show later whom a
    /// release rests on, and nobody without the key can test a guess.
    ///
    /// # Privacy
    /// P1: equal cohorts give different digests under different questions; otherwise the coordinator
    /// would see in two releases whether anybody joined or left between them, without any noise.
    pub(super) fn snapshot(&self, question: ReleaseId, key: &SnapshotKey) -> Digest {
        let question = question.digest();
        let mut parts: Vec<&[u8]> = vec![&key.0, question.as_bytes()];
        parts.extend(self.people.iter().map(|member| member.id.as_bytes()));
        Digest::of_parts(SNAPSHOT, &parts)
    }
}

/// The participants whose data may be used for this purpose in this period.
pub(super) fn cohort<'r>(
    records: &'r Records,
    purpose: &Purpose,
    basis: LegalBasis,
    terms: &Terms,
    period: Period,
) -> Cohort<'r> {
    let day = period.last_day();
    let may = |person: &Person| may_count(&person.consents, purpose, basis, terms, day);
    let people = records.people().filter(|member| may(member.person)).collect();
    Cohort { records, people }
}

/// How one participant's consents stand for a purpose on a day: exactly one of these.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Counted.
    Counted,
    /// Not asked, or consent was given later or for other purposes only.
    NotGiven,
    /// Refused, withdrawn or opted out.
    Objected,
    /// The consent was out of date.
    Expired,
    /// The consent was given on a form that the register does not accept.
    OtherForm,
    /// A status, a date or how consent was given is not known.
    Unknown,
}

/// How one participant's consents stand on `day`, the last of a period. Who is counted, and what the
/// municipality is told about who is not, come from this one function.
pub(super) fn standing(
    rows: &[Consent],
    purpose: &Purpose,
    basis: LegalBasis,
    terms: &Terms,
    day: Date,
) -> Standing {
    if may_count(rows, purpose, basis, terms, day) {
        return Standing::Counted;
    }
    let objections = objections_of(rows, purpose, terms, day);
    let outlasts = |given: Date| {
        objections.iter().all(|when| when.day().is_some_and(|objected| objected < given))
    };
    // By public task nobody is kept out for want of consent.
    let given = |row: &&Consent| {
        let gives = row.status == ConsentStatus::Given && concerns(row, purpose);
        gives && basis == LegalBasis::Consent
    };
    let stands = |row: &&Consent| row.date.day().map_or(objections.is_empty(), outlasts);
    let whys: Vec<_> =
        rows.iter().filter(given).filter(stands).map(|row| why_not(row, day)).collect();
    let says_no = |row: &Consent| {
        let by_status = matches!(row.status, ConsentStatus::Refused | ConsentStatus::Withdrawn);
        by_status || row.withdrawn_on.is_some()
    };
    let order = [Standing::Expired, Standing::OtherForm, Standing::Unknown, Standing::NotGiven];
    match order.into_iter().find(|why| whys.contains(why)) {
        Some(why) => why,
        None if objections.is_empty() => Standing::NotGiven,
        None if rows.iter().any(|row| is_about(row, purpose) && says_no(row)) => Standing::Objected,
        None => Standing::Unknown,
    }
}

/// Why a row that gives consent does not let in on `day`.
fn why_not(row: &Consent, day: Date) -> Standing {
    let Some(given) = row.date.day() else { return Standing::Unknown };
    match row.valid_until.map(When::day) {
        _ if given > day => Standing::NotGiven,
        Some(None) => Standing::Unknown,
        Some(Some(until)) if until < day => Standing::Expired,
        _ if row.mode == ConsentMode::Unknown => Standing::Unknown,
        _ => Standing::OtherForm,
    }
}

/// The objections that count on `day`.
fn objections_of(rows: &[Consent], purpose: &Purpose, terms: &Terms, day: Date) -> Vec<When> {
    let counts = |when: &When| match terms.withdrawal {
        Withdrawal::NextPeriod => when.day().is_none_or(|objected| objected <= day),
        Withdrawal::AtOnce => true,
    };
    rows.iter().filter(|row| is_about(row, purpose)).flat_map(objections).filter(counts).collect()
}

/// Whether a row's objection is about this purpose, or does not say of what.
pub(super) fn is_about(row: &Consent, purpose: &Purpose) -> bool {
    concerns(row, purpose) || row.purpose.trim().is_empty()
}

/// Whether one participant's consents allow counting on `day`, the last of the period.
///
/// By consent: some row for the purpose gives it, written or orally, on a known day up to `day`, is not
/// out of date on `day`, was given on an accepted form, and no objection came on the same day or later. By public
/// task: there is no objection, or a consent after the last of them. Objections after `day` count if
/// the terms say so.
fn may_count(
    rows: &[Consent],
    purpose: &Purpose,
    basis: LegalBasis,
    terms: &Terms,
    day: Date,
) -> bool {
    let objections = objections_of(rows, purpose, terms, day);
    let outlasts_objections = |given: Date| {
        objections.iter().all(|when| when.day().is_some_and(|objected| objected < given))
    };
    let consents = rows
        .iter()
        .filter(|row| concerns(row, purpose))
        .filter_map(|row| given_on(row, terms, day))
        .any(outlasts_objections);
    match basis {
        LegalBasis::Consent => consents,
        LegalBasis::PublicTask => consents || objections.is_empty(),
    }
}

/// Whether a row is about this purpose, written in whatever case.
fn concerns(row: &Consent, purpose: &Purpose) -> bool {
    let written = row.purpose.trim();
    written == purpose.as_str() || written.to_lowercase() == purpose.as_str()
}

/// The day on which a row gives consent that holds on `day`.
fn given_on(row: &Consent, terms: &Terms, day: Date) -> Option<Date> {
    let given = row.date.day().filter(|given| *given <= day)?;
    let holds = row.valid_until.is_none_or(|until| until.day().is_some_and(|until| until >= day));
    let accepted = terms.accepted_forms.contains(row.form_version.trim());
    // A consent is written or oral; one of which that is not known cannot be shown to anybody.
    let shown = row.mode != ConsentMode::Unknown;
    let consents = row.status == ConsentStatus::Given && holds && accepted && shown;
    consents.then_some(given)
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
