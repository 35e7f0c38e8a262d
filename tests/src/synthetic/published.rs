//! Bergen and Sandnes as the evaluation of 2017 printed them: one line here for each participant.
//!
//! Where two printed figures contradict each other, the total is kept: Bergen's fourteen who lost a
//! dwelling are eleven, one and two by year of intake, since the printed parts (9, 1 and 3) neither
//! add up to it nor fit the housing situations.
//!
//! **Invariant:** the lines below, and not chance, decide every published cell; chance decides days.

use super::chance::Chance;
use super::person::{
    Baseline, CATEGORIES, Code, Complaint, Consent, Contact, Person, Satisfaction, Stay, Tenancy,
};
use super::{Export, PUBLISHED_PERIOD, PURPOSE};
use fellestall_shared::ids::MunicipalityNumber;
use time::macros::date;
use time::{Date, Duration, Month};

mod lines;
use lines::{BERGEN, Change, Course, Forms, Line, SANDNES};

/// The census date of the published tables.
const CENSUS: Date = date!(2016 - 12 - 31);
/// The first day of the last quarter.
const QUARTER: Date = date!(2016 - 10 - 01);

/// Contacts of a municipality in the last quarter of 2016, in the order of [`CATEGORIES`]; divided
/// by three months and by the participants with forms, these are the printed means.
const BERGEN_CONTACTS: [u32; 17] = [86, 67, 5, 86, 134, 62, 14, 14, 5, 0, 10, 0, 5, 0, 10, 10, 53];
/// The same for Sandnes, where 99 of the 203 calls from participants are one participant's.
const SANDNES_CONTACTS: [u32; 17] =
    [148, 94, 4, 203, 254, 35, 8, 8, 20, 0, 23, 4, 12, 0, 8, 59, 70];
/// The calls of that one participant: 33 a month.
const OUTLIER_CALLS: u32 = 99;

pub(super) fn bergen() -> Export {
    export("4601", BERGEN, BERGEN_CONTACTS, None)
}

pub(super) fn sandnes() -> Export {
    export("1108", SANDNES, SANDNES_CONTACTS, Some(OUTLIER_CALLS))
}

#[expect(
    clippy::expect_used,
    reason = "constants of this file, tried by every test that uses them"
)]
fn export(number: &str, lines: &[Line], contacts: [u32; 17], outlier: Option<u32>) -> Export {
    let municipality: MunicipalityNumber = number.parse().expect("four digits");
    let period = PUBLISHED_PERIOD.parse().expect("a period");
    let mut chance = Chance::new(2016, number);
    let mut people = Vec::with_capacity(lines.len());
    let mut order = (0, 0);
    for line in lines {
        order = if order.0 == line.year { (line.year, order.1 + 1) } else { (line.year, 0) };
        let id = format!("{number}-{:03}", people.len() + 1);
        people.push(person(&mut chance, id, line, order.1));
    }
    add_contacts(&mut chance, &mut people, lines, contacts, outlier);
    Export::new(&municipality, &people, period)
}

fn person(chance: &mut Chance, id: String, line: &Line, order: u16) -> Person {
    let new_year = Date::from_calendar_date(i32::from(line.year), Month::January, 12);
    let spacing = if line.year == 2014 { 14 } else { 30 };
    let intake = new_year.unwrap_or(CENSUS) + Duration::days(i64::from(order) * spacing);
    let (tenancies, exit) = course(chance, line, intake);
    let mut person = Person {
        id,
        intake,
        birth_year: Some(1958 + u16::try_from(chance.below(34)).unwrap_or(0)),
        gender: line.gender,
        housing_at_intake: chance.code(&[
            ("temporary_or_hostel", 12),
            ("with_friends", 4),
            ("prison", 4),
            ("treatment_institution", 4),
            ("outdoors", 2),
            ("unknown", 1),
        ]),
        specialist_follow_up: chance.code(&[
            ("none", 5),
            ("psychiatric_centre", 4),
            ("fact_or_act", 2),
            ("unknown", 1),
        ]),
        substitution_treatment: chance.code(&[("yes", 5), ("no", 6), ("unknown", 1)]),
        exit,
        consents: vec![Consent {
            purpose: PURPOSE,
            status: "given",
            mode: Some("written"),
            date: Some(intake),
            form_version: "2014-1",
            valid_until: Some(date!(2018 - 12 - 31)),
            withdrawn_on: None,
        }],
        tenancies,
        stays: Vec::new(),
        complaints: Vec::new(),
        contacts: Vec::new(),
        baselines: Vec::new(),
        satisfactions: Vec::new(),
    };
    person.stays = stays(chance, line, &person);
    person.complaints = complaints(chance, line, &person);
    add_forms(chance, line.forms, &mut person);
    person
}

/// The tenancies of a line, and when and why the participant left.
fn course(chance: &mut Chance, line: &Line, intake: Date) -> (Vec<Tenancy>, Option<(Date, Code)>) {
    let mut tenancies: Vec<Tenancy> = Vec::new();
    let mut moved_in = chance.days_after(intake, 14, 75);
    let ended: &[(Code, Code)] = match line.course {
        Course::Same | Course::Notice => &[],
        Course::Moved => &[("voluntary_move", "own_wish")],
        Course::Rehoused => &[("landlord_notice", "disturbance")],
        Course::RehousedTwice => {
            &[("landlord_notice", "disturbance"), ("immediate_termination", "vandalism")]
        }
        Course::Temporary(reason) => &[("immediate_termination", reason)],
        Course::Left { mode, reason, .. } | Course::LeftInDecember { mode, reason } => {
            &[(mode, reason)]
        }
    };
    for end in ended {
        let december = matches!(line.course, Course::LeftInDecember { .. });
        let moved_out = if december {
            chance.days_after(date!(2016 - 12 - 20), 0, 9)
        } else {
            chance.days_after(moved_in, 100, 180)
        };
        tenancies.push(tenancy(chance, tenancies.len(), moved_in, Some(moved_out), Some(*end)));
        moved_in = chance.days_after(moved_out, 5, 50);
    }
    let exit = match (line.course, tenancies.last()) {
        (Course::Left { exit, .. }, Some(last)) => last.moved_out.map(|day| (day, exit)),
        (Course::LeftInDecember { .. }, Some(last)) => last.moved_out.map(|day| (day, "other")),
        _ => None,
    };
    let notice = (line.course == Course::Notice).then_some(("landlord_notice", "disturbance"));
    if exit.is_none() && !matches!(line.course, Course::Temporary(_)) {
        tenancies.push(tenancy(chance, tenancies.len(), moved_in, None, notice));
    }
    (tenancies, exit)
}

fn tenancy(
    chance: &mut Chance,
    before: usize,
    moved_in: Date,
    moved_out: Option<Date>,
    end: Option<(Code, Code)>,
) -> Tenancy {
    Tenancy {
        number: u32::try_from(before).unwrap_or(0) + 1,
        tenure: chance.code(&[("municipal", 3), ("private", 1)]),
        setting: chance.code(&[("scattered", 4), ("co_located", 1)]),
        moved_in,
        moved_out,
        end,
    }
}

/// Prison before the first move-in, treatment after it: so the two never overlap.
fn stays(chance: &mut Chance, line: &Line, person: &Person) -> Vec<Stay> {
    let mut stays = Vec::new();
    let moved_in = person.tenancies.first().map_or(person.intake, |tenancy| tenancy.moved_in);
    if line.prison {
        let to = chance.days_after(person.intake, 1, 12);
        stays.push(Stay { kind: "prison", from: to - Duration::days(30), to: Some(to) });
    }
    if line.treatment {
        let from = chance.days_after(moved_in, 10, 30);
        let to = chance.days_after(from, 20, 50);
        stays.push(Stay { kind: "treatment", from, to: Some(to) });
    }
    stays
}

/// A few complaints about some, and forty in the last quarter about one who was given notice.
fn complaints(chance: &mut Chance, line: &Line, person: &Person) -> Vec<Complaint> {
    let several = if line.forty_complaints {
        40
    } else if chance.percent(35) && person.exit.is_none() {
        chance.between(1, 5)
    } else {
        0
    };
    let housed = person.tenancies.last().filter(|tenancy| tenancy.moved_out.is_none());
    let Some(first_day) = housed.map(|tenancy| tenancy.moved_in.max(QUARTER)) else {
        return Vec::new();
    };
    let days = u32::try_from((CENSUS - first_day).whole_days()).unwrap_or(0);
    let mut complaints: Vec<_> = (0..several)
        .map(|_| Complaint {
            date: chance.days_after(first_day, 0, days),
            source: chance.code(&[("neighbour", 8), ("landlord", 2), ("police", 1)]),
            kind: chance.code(&[("noise", 6), ("visitors", 4), ("waste_or_needles", 1)]),
            three_way_meeting: chance.code(&[("yes", 1), ("no", 3)]),
        })
        .collect();
    complaints.sort_by_key(|complaint| complaint.date);
    complaints
}

/// Mapping forms and the satisfaction scores that were asked for with the last of them.
fn add_forms(chance: &mut Chance, forms: Forms, person: &mut Person) {
    let first = Baseline {
        date: chance.days_after(person.intake, 1, 14),
        alcohol: chance.code(&[("none", 3), ("moderate", 2), ("severe", 1)]),
        drugs: "moderate",
        mental_health: chance.code(&[("none", 2), ("moderate", 4), ("severe", 2)]),
    };
    let latest = match forms {
        Forms::None => return,
        Forms::One => first.clone(),
        Forms::Two(course) => Baseline {
            date: chance.days_after(date!(2016 - 11 - 01), 0, 20),
            drugs: match course {
                Change::Unchanged => first.drugs,
                Change::Worse => "severe",
                Change::Better => "none",
            },
            ..first.clone()
        },
    };
    for item in ["life", "dwelling", "neighbourhood", "mental_health"] {
        let score = u8::try_from(chance.between(2, 7)).ok();
        person.satisfactions.push(Satisfaction { date: latest.date, item, score });
    }
    person.baselines.push(first);
    if forms != Forms::One {
        person.baselines.push(latest);
    }
}

/// A contact form for each participant with forms and each month of the last quarter, with every
/// category on it; the contacts are dealt out one by one.
fn add_contacts(
    chance: &mut Chance,
    people: &mut [Person],
    lines: &[Line],
    contacts: [u32; 17],
    outlier: Option<u32>,
) {
    let mut followed: Vec<&mut Person> = people
        .iter_mut()
        .zip(lines)
        .filter_map(|(person, line)| (line.forms != Forms::None).then_some(person))
        .collect();
    let [team, home, office, ..] = contacts;
    let mut dealt: Vec<Vec<u32>> = Vec::with_capacity(CATEGORIES.len());
    for (category, total) in CATEGORIES.into_iter().zip(contacts) {
        // Home visits and visits at the office are among the meetings with the team.
        let total = if category == "team_in_person" { team - home - office } else { total };
        let outlier = outlier.filter(|_| category == "participant_calls");
        dealt.push(deal(chance, followed.len() * 3, total, outlier));
    }
    if let [team, home, office, ..] = dealt.as_mut_slice() {
        for ((team, home), office) in team.iter_mut().zip(home).zip(office) {
            *team += *home + *office;
        }
    }
    for (category, mut counts) in CATEGORIES.into_iter().zip(dealt) {
        for person in &mut followed {
            for month in 10..=12 {
                let count = counts.pop();
                person.contacts.push(Contact { year: 2016, month, category, count });
            }
        }
    }
}

/// `total` contacts on `forms` monthly forms. Who has `outlier` of them has the last three forms
/// dealt (the first participant's), and no others.
fn deal(chance: &mut Chance, forms: usize, total: u32, outlier: Option<u32>) -> Vec<u32> {
    let mut dealt = vec![0; forms];
    let others = if outlier.is_some() { forms.saturating_sub(3) } else { forms };
    for _ in 0..total.saturating_sub(outlier.unwrap_or(0)) {
        // The smaller of two draws: some participants have far more contact than others.
        let end = u32::try_from(others).unwrap_or(0);
        let place = chance.below(end).min(chance.below(end));
        if let Some(form) = usize::try_from(place).ok().and_then(|place| dealt.get_mut(place)) {
            *form += 1;
        }
    }
    for form in dealt.iter_mut().skip(others) {
        *form = outlier.unwrap_or(0) / 3;
    }
    dealt
}
