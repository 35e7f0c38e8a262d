//! What the municipality may see of its own records, on its own screen: how many consents are in
//! force, and what one participant's records could have been part of.
//!
//! **Invariant:** nothing here is released, charged or stored. A [`LocalCount`] can be shown and
//! nothing else; a [`PersonReport`] has no identifier in it, and neither has an error.

use super::consent::{self, Standing, Terms};
use super::contacts::Months;
use super::count::{CountError, months_read, takes_part};
use super::person::{Consent, ConsentMode, ConsentStatus, Contact, Person, PersonId, When};
use super::postgres;
use super::residence::is_counted_here;
use super::source::{self, Origin, SourceConfig, SourceError, Wanted};
use fellestall_shared::ids::{Purpose, ReleaseId, StatisticId};
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Bound;
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::LegalBasis;
use std::fmt;
use time::Date;

#[cfg(test)]
mod tests;

/// An exact number of participants, for this machine's own screen: it can be shown, and neither
/// serialised, logged with a debug form, nor reckoned with.
#[derive(Clone)]
pub struct LocalCount(usize);

impl fmt::Display for LocalCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How the consents for one purpose stand; each participant is in exactly one of the parts.
pub struct ConsentCoverage {
    /// The purpose.
    pub purpose: Purpose,
    /// All participants in the records.
    pub participants: LocalCount,
    /// Those who would be counted.
    pub counted: LocalCount,
    /// Those who were not asked, or have not answered for this purpose.
    pub not_given: LocalCount,
    /// Those who refused, withdrew or opted out.
    pub objected: LocalCount,
    /// Those whose consent is out of date.
    pub expired: LocalCount,
    /// Those who consented on a form that is not accepted.
    pub other_form: LocalCount,
    /// Those of whom a status or date is not known.
    pub unknown: LocalCount,
}

/// How the consents stand on a day, for each purpose on its terms.
///
/// # Errors
/// [`SourceError`], as for a release: what a release would not be made of is not summed up either.
///
/// # Privacy
/// Exact: for the municipality's own screen. It is the same function of the records that decides who
/// is counted.
pub fn consent_coverage(
    source: &SourceConfig,
    purposes: &[(Purpose, LegalBasis, Terms)],
    day: Date,
) -> Result<Vec<ConsentCoverage>, SourceError> {
    if let Origin::Postgres(database) = &source.origin {
        let found = postgres::coverage(database, purposes, day)?;
        return Ok(purposes
            .iter()
            .zip(found)
            .map(|((purpose, ..), found)| summed(purpose, &found))
            .collect());
    }
    let (records, _) = source::read(source, &Wanted::NO_CONTACTS)?;
    let of = |(purpose, basis, terms): &(Purpose, LegalBasis, Terms)| {
        let standings: Vec<Standing> = records
            .people()
            .map(|one| consent::standing(&one.person.consents, purpose, *basis, terms, day))
            .collect();
        let number = |wanted: Standing| {
            LocalCount(standings.iter().filter(|standing| **standing == wanted).count())
        };
        ConsentCoverage {
            purpose: purpose.clone(),
            participants: LocalCount(standings.len()),
            counted: number(Standing::Counted),
            not_given: number(Standing::NotGiven),
            objected: number(Standing::Objected),
            expired: number(Standing::Expired),
            other_form: number(Standing::OtherForm),
            unknown: number(Standing::Unknown),
        }
    };
    Ok(purposes.iter().map(of).collect())
}

/// The parts of one purpose, from how many participants there are of each standing.
fn summed(purpose: &Purpose, found: &[(Standing, usize)]) -> ConsentCoverage {
    let sum = |wanted: Option<Standing>| {
        let counted = found.iter().filter(|(one, _)| wanted.is_none_or(|wanted| *one == wanted));
        LocalCount(counted.fold(0_usize, |sum, (_, people)| sum.saturating_add(*people)))
    };
    ConsentCoverage {
        purpose: purpose.clone(),
        participants: sum(None),
        counted: sum(Some(Standing::Counted)),
        not_given: sum(Some(Standing::NotGiven)),
        objected: sum(Some(Standing::Objected)),
        expired: sum(Some(Standing::Expired)),
        other_form: sum(Some(Standing::OtherForm)),
        unknown: sum(Some(Standing::Unknown)),
    }
}

/// A release that a participant's records may have been part of.
pub struct Answered<'s> {
    /// The release.
    pub release: ReleaseId,
    /// The study that it answers.
    pub study: &'s Study,
    /// Over which period.
    pub period: Period,
    /// On which terms the register lets the period be counted now; `None` if it does not.
    pub terms: Option<Terms>,
}

/// What one participant has a right to know. No debug form, and no identifier.
pub struct PersonReport {
    /// How the consents stand, in the order of the purposes asked about.
    pub purposes: Vec<PersonPurpose>,
    /// The releases, in the order asked about.
    pub releases: Vec<PersonRelease>,
}

/// One participant's consents for one purpose.
pub struct PersonPurpose {
    /// The purpose.
    pub purpose: Purpose,
    /// Whether the participant would be counted today, and if not, why.
    pub today: Standing,
    /// The rows of the consent table about this purpose or none, as they are recorded.
    pub history: Vec<PersonConsent>,
}

/// One row of a participant's consents, in the codes of the consent table.
pub struct PersonConsent {
    /// How it stands.
    pub status: ConsentStatus,
    /// How it was given.
    pub mode: ConsentMode,
    /// When it was given or refused, if that is known.
    pub date: Option<Date>,
    /// The version of the form; empty if it is not recorded.
    pub form_version: String,
    /// The last day on which it holds; `None` if it has no end of its own.
    pub valid_until: Option<When>,
    /// The day it was withdrawn; `None` if it was not.
    pub withdrawn_on: Option<When>,
}

/// What one participant's records could have been part of in one release.
pub struct PersonRelease {
    /// The release.
    pub release: ReleaseId,
    /// How the consents stand for its last day; `None` if the register has no terms for it now.
    pub standing: Option<Standing>,
    /// Its tables, in the order of the study.
    pub tables: Vec<PersonTable>,
}

/// What one participant's records could have been part of in one table.
pub struct PersonTable {
    /// The statistic.
    pub statistic: StatisticId,
    /// Whether the records, as they are now, would give anything to it.
    pub takes_part: bool,
    /// How much that could be at the most.
    pub bound: Bound,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum InsightError {
    /// The records could not be read.
    #[error("the records could not be read")]
    Source(#[from] SourceError),
    /// The records could not be counted.
    #[error("the records could not be counted")]
    Count(#[from] CountError),
    /// Nobody has that identifier.
    #[error(
        "nobody in the records has this identifier; check it against the export (upper and lower case \
         are the same). It was not stored or logged"
    )]
    Nobody,
}

/// What the records and consents, as they are now, say of one participant.
///
/// # Errors
/// [`InsightError`]; it does not say who was asked about.
///
/// # Privacy
/// For the participant alone, through the municipality. Released figures hold nothing that could be
/// traced back: what is said here follows from the records and the questions.
pub fn person(
    source: &SourceConfig,
    id: &PersonId,
    purposes: &[(Purpose, LegalBasis, Terms)],
    releases: &[Answered<'_>],
    day: Date,
) -> Result<PersonReport, InsightError> {
    if let Origin::Postgres(database) = &source.origin {
        let person = postgres::person(database, id)?.ok_or(InsightError::Nobody)?;
        return report((&person, &person.contacts), purposes, releases, day);
    }
    let months = releases.iter().filter_map(|asked| {
        let tables = asked.study.tables().iter();
        months_read(tables.map(|table| table.statistic), asked.period)
    });
    let wanted = Wanted { months: months.reduce(Months::and), only: Some(id) };
    let (records, _) = source::read(source, &wanted)?;
    let member = records.person(id).ok_or(InsightError::Nobody)?;
    let mut rows = Vec::new();
    let contacts = records.contacts(&member, &mut rows);
    report((member.person, contacts), purposes, releases, day)
}

fn report(
    (person, contacts): (&Person, &[Contact]),
    purposes: &[(Purpose, LegalBasis, Terms)],
    releases: &[Answered<'_>],
    day: Date,
) -> Result<PersonReport, InsightError> {
    let rows = &person.consents;
    let of_purpose = |(purpose, basis, terms): &(Purpose, LegalBasis, Terms)| PersonPurpose {
        purpose: purpose.clone(),
        today: consent::standing(rows, purpose, *basis, terms, day),
        history: rows
            .iter()
            .filter(|row| consent::is_about(row, purpose))
            .map(PersonConsent::of)
            .collect(),
    };
    let of_release = |asked: &Answered<'_>| {
        let document = asked.study.document();
        let (purpose, basis) = (&document.purpose, document.legal_basis);
        let last = asked.period.last_day();
        let here = is_counted_here(&person.participant, document.residence, last);
        let standing = |terms| consent::standing(rows, purpose, basis, terms, last);
        let tables: Result<Vec<_>, CountError> = asked
            .study
            .tables()
            .iter()
            .map(|table| {
                Ok(PersonTable {
                    statistic: table.statistic.id().clone(),
                    takes_part: here
                        && takes_part((person, contacts), table.statistic, asked.period)?,
                    bound: table.statistic.bound(),
                })
            })
            .collect();
        Ok(PersonRelease {
            release: asked.release,
            standing: asked.terms.as_ref().map(standing),
            tables: tables?,
        })
    };
    Ok(PersonReport {
        purposes: purposes.iter().map(of_purpose).collect(),
        releases: releases.iter().map(of_release).collect::<Result<_, CountError>>()?,
    })
}

impl PersonConsent {
    fn of(row: &Consent) -> Self {
        Self {
            status: row.status,
            mode: row.mode,
            date: row.date.day(),
            form_version: row.form_version.as_ref().to_owned(),
            valid_until: row.valid_until,
            withdrawn_on: row.withdrawn_on,
        }
    }
}
