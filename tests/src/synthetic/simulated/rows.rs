//! What is recorded about a made-up participant besides housing: stays, complaints, contacts and
//! forms.
//!
//! **Invariant:** nothing is recorded before intake or after exit, but stays that began earlier.

use super::super::chance::Chance;
use super::super::person::{
    Baseline, CATEGORIES, Code, Complaint, Contact, Person, Satisfaction, Stay,
};
use super::Calendar;
use time::{Date, Duration};

/// Problems, from none to severe.
const SEVERITY: [(Code, u32); 4] = [("none", 25), ("moderate", 45), ("severe", 25), ("unknown", 5)];

/// The last day on which something can be recorded about the participant.
fn last_day(person: &Person, calendar: Calendar) -> Date {
    person.exit.map_or(calendar.drawn, |(left, _)| left)
}

/// A day on which the participant is in the programme, from `first` on.
fn day(chance: &mut Chance, first: Date, last: Date) -> Option<Date> {
    let days = u32::try_from((last - first).whole_days()).ok()?;
    Some(chance.days_after(first, 0, days))
}

pub(super) fn stays(chance: &mut Chance, person: &Person, calendar: Calendar) -> Vec<Stay> {
    let last = last_day(person, calendar);
    let mut stays = Vec::new();
    let mut free = person.intake - Duration::days(300);
    for (kind, percent) in [("prison", 30), ("treatment", 28), ("prison", 8)] {
        if !chance.percent(percent) {
            continue;
        }
        let Some(from) = day(chance, free, last) else {
            break;
        };
        let to = chance.days_after(from, 5, 160);
        let goes_on = to > last && person.exit.is_none();
        stays.push(Stay { kind, from, to: (!goes_on).then_some(to.min(last)) });
        free = to + Duration::days(1);
    }
    stays
}

pub(super) fn complaints(
    chance: &mut Chance,
    person: &Person,
    calendar: Calendar,
) -> Vec<Complaint> {
    let Some(home) = person.tenancies.last() else {
        return Vec::new();
    };
    let first = home.moved_in.max(calendar.census - Duration::days(170));
    let last = home.moved_out.unwrap_or(calendar.drawn).min(last_day(person, calendar));
    let several = match chance.below(20) {
        0..=10 => 0,
        11..=15 => chance.between(1, 3),
        16..=18 => chance.between(4, 14),
        _ => chance.between(15, 40),
    };
    let complaint = |chance: &mut Chance| {
        Some(Complaint {
            date: day(chance, first, last)?,
            source: chance.code(&[
                ("neighbour", 70),
                ("landlord", 12),
                ("police", 10),
                ("other", 8),
            ]),
            kind: chance.code(&[
                ("noise", 45),
                ("visitors", 25),
                ("waste_or_needles", 12),
                ("domestic", 6),
                ("threatening", 6),
                ("other", 4),
                ("unknown", 2),
            ]),
            three_way_meeting: chance.code(&[("yes", 30), ("no", 65), ("unknown", 5)]),
        })
    };
    let mut complaints: Vec<_> = (0..several).filter_map(|_| complaint(chance)).collect();
    complaints.sort_by_key(|complaint| complaint.date);
    complaints
}

/// Monthly forms of the period; one in ten was not filled in.
pub(super) fn contacts(chance: &mut Chance, person: &Person, calendar: Calendar) -> Vec<Contact> {
    let weight = chance.between(0, 6);
    let first_month = u8::from(calendar.period.first_day().month());
    let mut contacts = Vec::new();
    for month in first_month..first_month.saturating_add(calendar.period.months()) {
        let year = i32::from(calendar.period.year());
        let whole = (person.intake.year(), u8::from(person.intake.month())) < (year, month)
            && person
                .exit
                .is_none_or(|(left, _)| (left.year(), u8::from(left.month())) > (year, month));
        if !whole {
            continue;
        }
        let filled_in = chance.percent(90);
        let home_visits = chance.below(weight + 1);
        let office = chance.below(2);
        for category in CATEGORIES {
            let count = match category {
                "team_in_person" => home_visits + office + chance.below(3),
                "home_visit" => home_visits,
                "team_office" => office,
                "participant_calls" | "team_calls" => chance.below(2 * weight + 2),
                _ => u32::from(chance.percent(20)) * chance.between(1, 3),
            };
            contacts.push(Contact { year, month, category, count: filled_in.then_some(count) });
        }
    }
    contacts
}

/// Up to three mapping forms, and the satisfaction scores asked for with each.
pub(super) fn add_forms(chance: &mut Chance, person: &mut Person, calendar: Calendar) {
    let last = last_day(person, calendar);
    for _ in 0..chance.between(0, 3) {
        let Some(date) = day(chance, person.intake, last) else {
            return;
        };
        person.baselines.push(Baseline {
            date,
            alcohol: chance.code(&SEVERITY),
            drugs: chance.code(&SEVERITY),
            mental_health: chance.code(&SEVERITY),
        });
        for item in ["life", "friends", "dwelling", "neighbourhood", "physical_health"] {
            let score = chance.percent(92).then(|| chance.between(1, 7));
            let score = score.and_then(|score| u8::try_from(score).ok());
            person.satisfactions.push(Satisfaction { date, item, score });
        }
    }
    person.baselines.sort_by_key(|form| form.date);
    person.satisfactions.sort_by_key(|answer| answer.date);
}
