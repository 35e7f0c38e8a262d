//! A made-up participant, and the CSV tables of a whole municipality.
//!
//! Codes are plain text here on purpose: these structures share nothing with the node's, so that a
//! count from them checks the node's count.
//!
//! **Invariant:** no field holds text that would need quoting in CSV.

use std::collections::BTreeMap;
use std::fmt::Write;
use time::Date;

/// A code of the local records, as `same_dwelling`.
pub(super) type Code = &'static str;

/// The categories of contacts, in the order of the contact form.
pub(super) const CATEGORIES: [Code; 17] = [
    "team_in_person",
    "home_visit",
    "team_office",
    "participant_calls",
    "team_calls",
    "nav",
    "lar",
    "dps_or_act",
    "substance_department",
    "rehabilitation_unit",
    "housing_follow_up_service",
    "housing_training_centre",
    "general_practitioner",
    "work",
    "care_team_meeting",
    "next_of_kin",
    "other",
];

#[derive(Debug, Clone)]
pub(super) struct Person {
    pub id: String,
    pub intake: Date,
    pub birth_year: Option<u16>,
    pub gender: Code,
    pub housing_at_intake: Code,
    pub specialist_follow_up: Code,
    pub substitution_treatment: Code,
    pub exit: Option<(Date, Code)>,
    pub consents: Vec<Consent>,
    pub tenancies: Vec<Tenancy>,
    pub stays: Vec<Stay>,
    pub complaints: Vec<Complaint>,
    pub contacts: Vec<Contact>,
    pub baselines: Vec<Baseline>,
    pub satisfactions: Vec<Satisfaction>,
}

#[derive(Debug, Clone)]
pub(super) struct Consent {
    pub purpose: Code,
    pub status: Code,
    pub mode: Option<Code>,
    pub date: Option<Date>,
    pub form_version: Code,
    pub valid_until: Option<Date>,
    pub withdrawn_on: Option<Date>,
}

#[derive(Debug, Clone)]
pub(super) struct Tenancy {
    pub number: u32,
    pub tenure: Code,
    pub setting: Code,
    pub moved_in: Date,
    pub moved_out: Option<Date>,
    /// How and why it ended or was given notice.
    pub end: Option<(Code, Code)>,
}

#[derive(Debug, Clone)]
pub(super) struct Stay {
    pub kind: Code,
    pub from: Date,
    pub to: Option<Date>,
}

#[derive(Debug, Clone)]
pub(super) struct Complaint {
    pub date: Date,
    pub source: Code,
    pub kind: Code,
    pub three_way_meeting: Code,
}

#[derive(Debug, Clone)]
pub(super) struct Contact {
    pub year: i32,
    pub month: u8,
    pub category: Code,
    /// `None` where the form was not filled in.
    pub count: Option<u32>,
}

#[derive(Debug, Clone)]
pub(super) struct Baseline {
    pub date: Date,
    pub alcohol: Code,
    pub drugs: Code,
    pub mental_health: Code,
}

#[derive(Debug, Clone)]
pub(super) struct Satisfaction {
    pub date: Date,
    pub item: Code,
    pub score: Option<u8>,
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// One CSV file: a header and the rows of everybody.
fn table(header: &str, people: &[Person], rows: impl Fn(&Person) -> Vec<String>) -> String {
    let mut file = format!("participant_id,{header}\n");
    for person in people {
        for row in rows(person) {
            let _ = writeln!(file, "{},{row}", person.id);
        }
    }
    file
}

fn participant(person: &Person) -> Vec<String> {
    let (exit, reason) = person.exit.unzip();
    vec![format!(
        "{},{},{},{},{},{},{},{}",
        person.intake,
        text(person.birth_year),
        person.gender,
        person.housing_at_intake,
        person.specialist_follow_up,
        person.substitution_treatment,
        text(exit),
        text(reason),
    )]
}

fn consents(person: &Person) -> Vec<String> {
    let row = |consent: &Consent| {
        format!(
            "{},{},{},{},{},{},{}",
            consent.purpose,
            consent.status,
            text(consent.mode),
            text(consent.date),
            consent.form_version,
            text(consent.valid_until),
            text(consent.withdrawn_on),
        )
    };
    person.consents.iter().map(row).collect()
}

fn tenancies(person: &Person) -> Vec<String> {
    let row = |tenancy: &Tenancy| {
        let (mode, reason) = tenancy.end.unzip();
        format!(
            "{},{},{},{},{},{},{}",
            tenancy.number,
            tenancy.tenure,
            tenancy.setting,
            tenancy.moved_in,
            text(tenancy.moved_out),
            text(mode),
            text(reason),
        )
    };
    person.tenancies.iter().map(row).collect()
}

fn contacts(person: &Person) -> Vec<String> {
    let row = |contact: &Contact| {
        let recorded = if contact.count.is_some() { "yes" } else { "no" };
        format!(
            "{}-{:02},{},{},{recorded}",
            contact.year,
            contact.month,
            contact.category,
            text(contact.count),
        )
    };
    person.contacts.iter().map(row).collect()
}

/// The eight files of an export, by name.
pub(super) fn files(people: &[Person]) -> BTreeMap<&'static str, String> {
    let stays = |person: &Person| {
        let row = |stay: &Stay| format!("{},{},{}", stay.kind, stay.from, text(stay.to));
        person.stays.iter().map(row).collect()
    };
    let complaints = |person: &Person| {
        let row = |complaint: &Complaint| {
            let Complaint { date, source, kind, three_way_meeting } = complaint;
            format!("{date},{source},{kind},{three_way_meeting}")
        };
        person.complaints.iter().map(row).collect()
    };
    let baselines = |person: &Person| {
        let row = |form: &Baseline| {
            format!("{},{},{},{}", form.date, form.alcohol, form.drugs, form.mental_health)
        };
        person.baselines.iter().map(row).collect()
    };
    let satisfactions = |person: &Person| {
        let row = |answer: &Satisfaction| {
            format!("{},{},{}", answer.date, answer.item, text(answer.score))
        };
        person.satisfactions.iter().map(row).collect()
    };
    BTreeMap::from([
        ("participant.csv", table(PARTICIPANT, people, participant)),
        ("consent.csv", table(CONSENT, people, consents)),
        ("tenancy.csv", table(TENANCY, people, tenancies)),
        ("stay.csv", table("kind,from,to", people, stays)),
        ("complaint.csv", table("date,source,kind,three_way_meeting", people, complaints)),
        ("contact.csv", table("month,category,count,recorded", people, contacts)),
        ("baseline.csv", table("date,alcohol,drugs,mental_health", people, baselines)),
        ("satisfaction.csv", table("date,item,score", people, satisfactions)),
    ])
}

const PARTICIPANT: &str = "intake_date,birth_year,gender,housing_at_intake,specialist_follow_up,\
                           substitution_treatment,exit_date,exit_reason";
const CONSENT: &str = "purpose,status,mode,date,form_version,valid_until,withdrawn_on";
const TENANCY: &str = "dwelling_no,tenure,setting,moved_in,moved_out,end_mode,end_reason";
