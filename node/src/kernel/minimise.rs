//! Data minimisation, enforced: a column that a table's definition does not declare is not there
//! when the table is counted.
//!
//! **Invariant:** a table sees a participant only as a [`Minimal`], and one is made here alone; rows
//! of consent are never in it.

use super::person::{
    Baseline, Complaint, ComplaintKind, ComplaintSource, Contact, ContactCategory, Gender,
    HousingAtIntake, Participant, Person, Satisfaction, SatisfactionItem, Setting, Severity,
    SpecialistFollowUp, Stay, StayKind, Tenancy, Tenure, When, YesNo,
};
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// One participant, reduced to the columns that may be read.
pub(super) struct Minimal {
    person: Person,
    contacts: Vec<Contact>,
}

/// Which columns of each table are declared: the same for everybody, so it is found once.
#[derive(PartialEq, Eq)]
pub(super) struct Declared {
    participant: [bool; PARTICIPANT.len()],
    tenancy: [bool; TENANCY.len()],
    stay: [bool; STAY.len()],
    complaint: [bool; COMPLAINT.len()],
    contact: [bool; CONTACT.len()],
    baseline: [bool; BASELINE.len()],
    satisfaction: [bool; SATISFACTION.len()],
}

impl Declared {
    /// Of columns that are written as `tenancy.moved_in`. What is none of the records' is of no account.
    pub(super) fn of(columns: &BTreeSet<String>) -> Self {
        Self {
            participant: seen(PARTICIPANT, columns),
            tenancy: seen(TENANCY, columns),
            stay: seen(STAY, columns),
            complaint: seen(COMPLAINT, columns),
            contact: seen(CONTACT, columns),
            baseline: seen(BASELINE, columns),
            satisfaction: seen(SATISFACTION, columns),
        }
    }

    /// Whether any column of the `contact` table is.
    pub(super) fn reads_contacts(&self) -> bool {
        self.contact.contains(&true)
    }
}

impl Minimal {
    /// Nobody, of whom nothing is known.
    pub(super) fn nothing() -> Self {
        Self {
            person: Person {
                participant: Participant {
                    intake: When::Unknown,
                    birth_year: None,
                    gender: Gender::Unknown,
                    housing_at_intake: HousingAtIntake::Unknown,
                    specialist_follow_up: SpecialistFollowUp::Unknown,
                    substitution_treatment: YesNo::Unknown,
                    exit: None,
                    exit_reason: None,
                },
                consents: Box::default(),
                tenancies: Box::default(),
                stays: Box::default(),
                complaints: Box::default(),
                contacts: Box::default(),
                baselines: Box::default(),
                satisfactions: Box::default(),
            },
            contacts: Vec::new(),
        }
    }

    /// Keeps the `declared` columns of a participant with these contacts, and nothing of whom it was before.
    /// Any other column is unknown, or has not happened; a table of which none is declared has no rows.
    ///
    /// # Privacy
    /// P1: a table cannot depend on a column that its study does not name.
    pub(super) fn see(&mut self, person: &Person, contacts: &[Contact], declared: &Declared) {
        self.person = Person {
            participant: participant(&person.participant, declared.participant),
            consents: Box::default(),
            tenancies: rows(&person.tenancies, declared.tenancy, tenancy),
            stays: rows(&person.stays, declared.stay, stay),
            complaints: rows(&person.complaints, declared.complaint, complaint),
            contacts: Box::default(),
            baselines: rows(&person.baselines, declared.baseline, baseline),
            satisfactions: rows(&person.satisfactions, declared.satisfaction, satisfaction),
        };
        // They are many: their memory is used again.
        self.contacts.clear();
        if declared.reads_contacts() {
            self.contacts.extend(contacts.iter().map(|row| contact(row, declared.contact)));
        }
    }

    /// What is left, contacts apart.
    pub(super) fn person(&self) -> &Person {
        &self.person
    }

    /// What is left of the contacts.
    pub(super) fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// All there is, to compare with.
    #[cfg(test)]
    pub(super) fn whole(person: &Person) -> Self {
        Self { person: person.clone(), contacts: person.contacts.to_vec() }
    }

    /// A participant with these columns.
    #[cfg(test)]
    pub(super) fn of(person: &Person, contacts: &[Contact], declared: &Declared) -> Self {
        let mut minimal = Self::whole(person);
        minimal.see(person, contacts, declared);
        minimal
    }
}

const PARTICIPANT: [&str; 8] = [
    "participant.intake_date",
    "participant.birth_year",
    "participant.gender",
    "participant.housing_at_intake",
    "participant.specialist_follow_up",
    "participant.substitution_treatment",
    "participant.exit_date",
    "participant.exit_reason",
];
const TENANCY: [&str; 7] = [
    "tenancy.dwelling_no",
    "tenancy.tenure",
    "tenancy.setting",
    "tenancy.moved_in",
    "tenancy.moved_out",
    "tenancy.end_mode",
    "tenancy.end_reason",
];
const STAY: [&str; 3] = ["stay.kind", "stay.from", "stay.to"];
const COMPLAINT: [&str; 4] =
    ["complaint.date", "complaint.source", "complaint.kind", "complaint.three_way_meeting"];
const CONTACT: [&str; 4] =
    ["contact.month", "contact.category", "contact.count", "contact.recorded"];
const BASELINE: [&str; 4] =
    ["baseline.date", "baseline.alcohol", "baseline.drugs", "baseline.mental_health"];
const SATISFACTION: [&str; 3] = ["satisfaction.date", "satisfaction.item", "satisfaction.score"];

/// Whether something is a column that a study may declare, as `tenancy.moved_in`. Identifiers and the
/// `consent` table are none.
#[must_use]
pub fn is_column(name: &str) -> bool {
    let tables: [&[&str]; 7] =
        [&PARTICIPANT, &TENANCY, &STAY, &COMPLAINT, &CONTACT, &BASELINE, &SATISFACTION];
    tables.iter().any(|columns| columns.contains(&name))
}

/// Which of some columns are declared, in their order.
fn seen<const N: usize>(columns: [&str; N], declared: &BTreeSet<String>) -> [bool; N] {
    columns.map(|column| declared.contains(column))
}

/// The rows of a table with what is seen of each.
fn rows<R, const N: usize>(
    rows: &[R],
    seen: [bool; N],
    keep: impl Fn(&R, [bool; N]) -> R,
) -> Box<[R]> {
    if !seen.contains(&true) {
        return Box::default();
    }
    rows.iter().map(|row| keep(row, seen)).collect()
}

fn participant(row: &Participant, seen: [bool; 8]) -> Participant {
    let [intake, birth_year, gender, housing, specialist, substitution, exit, exit_reason] = seen;
    Participant {
        intake: if intake { row.intake } else { When::Unknown },
        birth_year: row.birth_year.filter(|_| birth_year),
        gender: if gender { row.gender } else { Gender::Unknown },
        housing_at_intake: if housing { row.housing_at_intake } else { HousingAtIntake::Unknown },
        specialist_follow_up: if specialist {
            row.specialist_follow_up
        } else {
            SpecialistFollowUp::Unknown
        },
        substitution_treatment: if substitution {
            row.substitution_treatment
        } else {
            YesNo::Unknown
        },
        exit: row.exit.filter(|_| exit),
        exit_reason: row.exit_reason.filter(|_| exit_reason),
    }
}

fn tenancy(row: &Tenancy, seen: [bool; 7]) -> Tenancy {
    let [dwelling_no, tenure, setting, moved_in, moved_out, end_mode, end_reason] = seen;
    Tenancy {
        dwelling_no: row.dwelling_no.filter(|_| dwelling_no),
        tenure: if tenure { row.tenure } else { Tenure::Unknown },
        setting: if setting { row.setting } else { Setting::Unknown },
        moved_in: if moved_in { row.moved_in } else { When::Unknown },
        moved_out: row.moved_out.filter(|_| moved_out),
        end_mode: row.end_mode.filter(|_| end_mode),
        end_reason: row.end_reason.filter(|_| end_reason),
    }
}

fn stay(row: &Stay, [kind, from, to]: [bool; 3]) -> Stay {
    Stay {
        kind: if kind { row.kind } else { StayKind::Unknown },
        from: if from { row.from } else { When::Unknown },
        to: row.to.filter(|_| to),
    }
}

fn complaint(row: &Complaint, [date, source, kind, meeting]: [bool; 4]) -> Complaint {
    Complaint {
        date: if date { row.date } else { When::Unknown },
        source: if source { row.source } else { ComplaintSource::Unknown },
        kind: if kind { row.kind } else { ComplaintKind::Unknown },
        three_way_meeting: if meeting { row.three_way_meeting } else { YesNo::Unknown },
    }
}

fn contact(row: &Contact, [month, category, count, recorded]: [bool; 4]) -> Contact {
    Contact {
        month: row.month.filter(|_| month),
        category: if category { row.category } else { ContactCategory::Unknown },
        count: if count { row.count } else { 0 },
        recorded: if recorded { row.recorded } else { YesNo::Unknown },
    }
}

fn baseline(row: &Baseline, [date, alcohol, drugs, mental_health]: [bool; 4]) -> Baseline {
    Baseline {
        date: if date { row.date } else { When::Unknown },
        alcohol: if alcohol { row.alcohol } else { Severity::Unknown },
        drugs: if drugs { row.drugs } else { Severity::Unknown },
        mental_health: if mental_health { row.mental_health } else { Severity::Unknown },
    }
}

fn satisfaction(row: &Satisfaction, [date, item, score]: [bool; 3]) -> Satisfaction {
    Satisfaction {
        date: if date { row.date } else { When::Unknown },
        item: if item { row.item } else { SatisfactionItem::Unknown },
        score: row.score.filter(|_| score),
    }
}
