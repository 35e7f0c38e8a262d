//! Invented people for tests, written as short sentences.
//!
//! `in 2014-03-01; home 2014-04-01..2015-01-01 landlord_notice; home 2015-02-01..; exit 2016-01-01
//! died` is somebody taken in, who lost a dwelling, got another, and died. `?` is an unknown day.
//! Who has no `consent` of their own has given one for [`PURPOSE`] long ago, unless they are `unasked`.
//!
//! **Invariant:** for tests alone; nobody here exists.

use super::consent::{Cohort, Terms, Withdrawal, cohort};
use super::count::{CountKey, count};
use super::person::{
    Baseline, CalendarMonth, Complaint, ComplaintKind, ComplaintSource, Consent, ConsentMode,
    ConsentStatus, Contact, ContactCategory, EndMode, EndReason, ExitReason, Gender,
    HousingAtIntake, Participant, Person, PersonId, Satisfaction, SatisfactionItem, Setting,
    Severity, SpecialistFollowUp, Stay, StayKind, Tenancy, Tenure, When, YesNo,
};
use super::records::Records;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Bound;
use fellestall_shared::statistic::Statistic;
use fellestall_shared::wire::v1::LegalBasis;
use time::Date;
use time::macros::format_description;

pub(super) mod drawn;
pub(super) mod question;

/// The purpose that people consent to.
pub(super) const PURPOSE: &str = "housing-first-statistics";

pub(super) fn key() -> CountKey {
    CountKey::from_bytes([7; 32])
}

pub(super) fn period(text: &str) -> Period {
    text.parse().expect("a period")
}

pub(super) fn statistic(id: &str) -> &'static Statistic {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    catalogue.statistic(&id.parse().expect("an id")).expect("in the catalogue")
}

/// Records of people named by their place in the list.
pub(super) fn records(people: &[&str]) -> Records {
    let named = people
        .iter()
        .enumerate()
        .map(|(at, text)| (PersonId::new(&format!("p{at:05}")).expect("an id"), person(text)));
    Records::new(named.collect())
}

/// Those who consent, at the end of a period.
pub(super) fn consenting(records: &Records, period: Period) -> Cohort<'_> {
    let purpose = PURPOSE.parse().expect("a purpose");
    cohort(records, &purpose, LegalBasis::Consent, &terms(), period)
}

/// The version of the form that people consent on, unless a sentence says `form=` another.
pub(super) const FORM: &str = "2010-1";

/// The usual terms: the forms of the invented people and of the fixtures count.
pub(super) fn terms() -> Terms {
    let accepted_forms = [FORM, "v1", "2014-1"].map(str::to_owned).into();
    Terms { accepted_forms, withdrawal: Withdrawal::NextPeriod }
}

/// The exact cells of one table under its own bound, or another.
pub(super) fn cells(people: &[&str], at: &str, id: &str, bound: Option<Bound>) -> Vec<i64> {
    let (records, period, statistic) = (records(people), period(at), statistic(id));
    let asked = [(statistic, bound.unwrap_or(statistic.bound()))];
    let mut raw = count(&asked, period, &consenting(&records, period), &key()).expect("a count");
    raw.pop().expect("a table").into_parts().0
}

/// The cells that are not zero, by the codes of their categories.
pub(super) fn counted(people: &[&str], at: &str, id: &str) -> Vec<(String, i64)> {
    let cells = cells(people, at, id, None);
    let codes = |cell| {
        let categories = statistic(id).categories_of(cell).expect("a cell");
        categories.iter().map(|category| category.code()).collect::<Vec<_>>().join(" ")
    };
    let some = cells.into_iter().enumerate().filter(|(_, count)| *count != 0);
    some.map(|(cell, count)| (codes(cell), count)).collect()
}

/// A person from a text.
pub(super) fn person(text: &str) -> Person {
    let mut person = Person {
        participant: Participant {
            intake: on("2014-01-01"),
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
    };
    for clause in text.split(';').filter(|clause| !clause.trim().is_empty()) {
        let words: Vec<&str> = clause.split_whitespace().collect();
        add(&mut person, words[0], &words[1..]);
    }
    if person.consents.is_empty() && !text.contains("unasked") {
        add(&mut person, "consent", &["given", "2010-01-01"]);
    }
    person
}

fn add(person: &mut Person, kind: &str, words: &[&str]) {
    let word = |at: usize| words.get(at).copied();
    match kind {
        "in" => person.participant.intake = on(words[0]),
        "born" => person.participant.birth_year = Some(words[0].parse().expect("a year")),
        "came" => {
            person.participant.housing_at_intake = code(HousingAtIntake::from_code, word(0));
        }
        "specialist" => {
            person.participant.specialist_follow_up = code(SpecialistFollowUp::from_code, word(0));
        }
        "substitution" => {
            person.participant.substitution_treatment = code(YesNo::from_code, word(0));
        }
        "unasked" => {}
        "gender" => person.participant.gender = code(Gender::from_code, word(0)),
        "exit" => {
            person.participant.exit = (words[0] != "-").then(|| on(words[0]));
            person.participant.exit_reason =
                word(1).map(|word| code(ExitReason::from_code, Some(word)));
        }
        "home" => {
            let (moved_in, moved_out) = range(words[0]);
            let option = |name| words.iter().find_map(|word| word.strip_prefix(name));
            let mode = word(1).filter(|word| !word.contains('='));
            push(
                &mut person.tenancies,
                Tenancy {
                    dwelling_no: option("no=").map(|word| word.parse().expect("a number")),
                    tenure: code(Tenure::from_code, option("tenure=")),
                    setting: code(Setting::from_code, option("setting=")),
                    moved_in,
                    moved_out,
                    end_mode: mode.map(|word| code(EndMode::from_code, Some(word))),
                    end_reason: option("reason=")
                        .map(|word| code(EndReason::from_code, Some(word))),
                },
            );
        }
        "stay" => {
            let (from, to) = range(words[1]);
            push(&mut person.stays, Stay { kind: code(StayKind::from_code, word(0)), from, to });
        }
        "complaint" => push(
            &mut person.complaints,
            Complaint {
                date: on(words[0]),
                source: code(
                    ComplaintSource::from_code,
                    words.iter().find_map(|word| word.strip_prefix("source=")),
                ),
                kind: code(ComplaintKind::from_code, word(1)),
                three_way_meeting: code(YesNo::from_code, word(2)),
            },
        ),
        "contact" => push(
            &mut person.contacts,
            Contact {
                month: words[0].split_once('-').map(|(year, month)| CalendarMonth {
                    year: year.parse().expect("a year"),
                    month: month.parse().expect("a month"),
                }),
                category: code(ContactCategory::from_code, word(1)),
                count: words[2].parse().expect("a count"),
                recorded: code(YesNo::from_code, word(3).or(Some("yes"))),
            },
        ),
        "form" => push(
            &mut person.baselines,
            Baseline {
                date: on(words[0]),
                alcohol: code(Severity::from_code, word(3)),
                drugs: code(Severity::from_code, word(1)),
                mental_health: code(Severity::from_code, word(2)),
            },
        ),
        "score" => push(
            &mut person.satisfactions,
            Satisfaction {
                date: on(words[0]),
                item: code(SatisfactionItem::from_code, word(1)),
                score: word(2).map(|word| word.parse().expect("a score")),
            },
        ),
        "consent" => {
            let option = |name| words.iter().find_map(|word| word.strip_prefix(name));
            push(
                &mut person.consents,
                Consent {
                    purpose: option("for=").unwrap_or(PURPOSE).into(),
                    status: code(ConsentStatus::from_code, word(0)),
                    mode: code(ConsentMode::from_code, option("mode=").or(Some("written"))),
                    date: on(words[1]),
                    form_version: option("form=").unwrap_or(FORM).into(),
                    valid_until: option("until=").map(on),
                    withdrawn_on: option("withdrawn=").map(on),
                },
            );
        }
        other => panic!("no such clause: {other}"),
    }
}

/// Adds a row.
fn push<T>(rows: &mut Box<[T]>, row: T) {
    let mut all = std::mem::take(rows).into_vec();
    all.push(row);
    *rows = all.into();
}

/// A code of a list; no word is `unknown`.
fn code<T>(from_code: impl Fn(&str) -> Option<T>, word: Option<&str>) -> T {
    from_code(word.unwrap_or("unknown")).expect("a code of the list")
}

/// A day, or `?`.
fn on(text: &str) -> When {
    if text == "?" { When::Unknown } else { When::On(day(text)) }
}

pub(super) fn day(text: &str) -> Date {
    Date::parse(text, format_description!("[year]-[month]-[day]")).expect("a date")
}

/// `from..to`, or `from..` for what goes on.
fn range(text: &str) -> (When, Option<When>) {
    let (from, to) = text.split_once("..").expect("a range");
    (on(from), (!to.is_empty()).then(|| on(to)))
}
