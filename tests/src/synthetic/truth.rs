//! The exact counts of a synthetic municipality, worked out person by person.
//!
//! This is the reference that the node's counting is held against, so it is as plain as can be and
//! uses neither the node's code nor the catalogue: it follows the descriptions in the catalogue.
//! Synthetic records have no unknown dates and no unknown ways of ending a tenancy, which is why
//! those cases are not here; nobody has more lost dwellings than are counted, so no bound cuts.
//!
//! **Invariant:** only who has given consent, and has it in force on the census date, is counted.

use super::PURPOSE;
use super::person::{Code, Person, Tenancy};
use fellestall_shared::period::Period;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use time::{Date, Month};

/// Exact counts: for each statistic, the cells that are not zero. A cell is named by the codes of
/// its categories, one for each dimension, with `/` between: `2014/same_dwelling`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Truth(BTreeMap<String, BTreeMap<String, i64>>);

/// The statistics that the truth is known for.
const KNOWN: [&str; 12] =
    ["S1", "S2", "S3", "S4", "S5", "S6", "S7", "S14", "S17", "S22", "S27", "S28"];

impl Truth {
    /// Counts everybody, one after the other.
    pub(super) fn of(people: &[Person], period: Period) -> Self {
        let known = KNOWN.iter().map(|statistic| ((*statistic).to_owned(), BTreeMap::new()));
        let mut truth = Self(known.collect());
        let census = period.last_day();
        for person in people.iter().filter(|person| consents(person, census)) {
            if person.intake <= census {
                truth.add_person(person, period);
            }
        }
        truth
    }

    /// The count in a cell of a statistic, 0 where nobody is; `None` if the truth of this statistic
    /// is not worked out.
    #[must_use]
    pub fn count(&self, statistic: &str, cell: &str) -> Option<i64> {
        self.0.get(statistic).map(|cells| cells.get(cell).copied().unwrap_or(0))
    }

    /// Each statistic that is worked out, with its cells that are not zero.
    #[must_use]
    pub fn tables(&self) -> &BTreeMap<String, BTreeMap<String, i64>> {
        &self.0
    }

    /// The sum of these truths: what is true of all the municipalities together.
    #[must_use]
    pub fn sum<'t>(truths: impl IntoIterator<Item = &'t Self>) -> Self {
        let mut sum = Self::default();
        for (statistic, cells) in truths.into_iter().flat_map(|truth| &truth.0) {
            let total = sum.0.entry(statistic.clone()).or_default();
            for (cell, count) in cells {
                *total.entry(cell.clone()).or_default() += count;
            }
        }
        sum
    }

    fn add(&mut self, statistic: &str, cell: impl Into<String>) {
        *self.0.entry(statistic.to_owned()).or_default().entry(cell.into()).or_default() += 1;
    }

    fn add_person(&mut self, person: &Person, period: Period) {
        let census = period.last_day();
        let year = person.intake.year();
        let year = if year < 2012 { "earlier".to_owned() } else { year.to_string() };
        let situation = housing_situation(person, census);
        self.add("S3", format!("{year}/{situation}"));
        self.add("S1", year);
        self.add("S2", situation);
        for months in [6, 12, 24] {
            self.add("S4", format!("m{months}/{}", retained(person, months, census)));
        }
        let lost = lost_dwellings(person, census);
        self.add("S5", band(lost.len(), &["0", "1", "2"], "3_or_more"));
        self.add("S6", band(times_rehoused(person, census), &["0", "1"], "2_or_more"));
        for tenancy in &lost {
            self.add("S7", tenancy.end.map_or("unknown", |(_, reason)| reason));
        }
        let quarter = period.last_quarter();
        if is_in_programme(person, quarter) {
            self.add("S14", complaint_band(person, quarter));
        }
        if is_in_programme(person, period) {
            self.add("S17", home_visit_band(person, period));
        }
        self.add("S22", stays(person, census));
        let forms: BTreeSet<_> = person.baselines.iter().map(|form| form.date).collect();
        let forms = forms.iter().filter(|date| **date <= census).count();
        self.add("S27", band(forms, &["none", "one"], "two_or_more"));
        self.add("S28", follow_up(person, census));
    }
}

fn band(number: usize, bands: &[Code], above: Code) -> Code {
    bands.get(number).copied().unwrap_or(above)
}

/// Given, and neither run out nor withdrawn.
fn consents(person: &Person, census: Date) -> bool {
    person.consents.iter().any(|consent| {
        consent.purpose == PURPOSE
            && consent.status == "given"
            && consent.date.is_some_and(|date| date <= census)
            && consent.valid_until.is_none_or(|last| last >= census)
            && consent.withdrawn_on.is_none()
    })
}

fn has_left(person: &Person, day: Date) -> bool {
    person.exit.is_some_and(|(left, _)| left <= day)
}

fn has_died(person: &Person, day: Date) -> bool {
    person.exit.is_some_and(|(left, reason)| left <= day && reason == "died")
}

/// Whether the participant lives there on this day. Who moves out on a day no longer does.
fn lives_in(tenancy: &Tenancy, day: Date) -> bool {
    tenancy.moved_in <= day && tenancy.moved_out.is_none_or(|out| out > day)
}

/// Whether the tenancy is ended, or to be ended, against the participant's wish.
fn is_against_wish(tenancy: &Tenancy) -> bool {
    matches!(tenancy.end, Some(("immediate_termination" | "landlord_notice", _)))
}

fn housing_situation(person: &Person, census: Date) -> Code {
    if has_died(person, census) {
        return "died";
    }
    if has_left(person, census) {
        return "left";
    }
    let moved_into = person.tenancies.iter().filter(|tenancy| tenancy.moved_in <= census).count();
    if moved_into == 0 {
        return "not_yet_housed";
    }
    let Some(home) = person.tenancies.iter().find(|tenancy| lives_in(tenancy, census)) else {
        return "temporary_or_institution";
    };
    let soon = months_after(census, 3);
    if is_against_wish(home) && home.moved_out.is_none_or(|out| out <= soon) {
        return "unresolved_notice";
    }
    if home.number == 1 { "same_dwelling" } else { "later_dwelling" }
}

fn retained(person: &Person, months: i32, census: Date) -> Code {
    let Some(first) = person.tenancies.first().filter(|tenancy| tenancy.moved_in <= census) else {
        return "not_followed_so_long";
    };
    let day = months_after(first.moved_in, months);
    if day > census {
        return "not_followed_so_long";
    }
    if has_died(person, day) {
        return "died";
    }
    if has_left(person, day) {
        let latest = person.tenancies.iter().rfind(|tenancy| tenancy.moved_in <= day);
        let lost = latest.is_some_and(|home| {
            is_against_wish(home) && home.moved_out.is_some_and(|out| out <= day)
        });
        return if lost { "not_in_ordinary_dwelling" } else { "not_followed_so_long" };
    }
    if person.tenancies.iter().any(|tenancy| lives_in(tenancy, day)) {
        "in_ordinary_dwelling"
    } else {
        "not_in_ordinary_dwelling"
    }
}

fn lost_dwellings(person: &Person, census: Date) -> Vec<&Tenancy> {
    let is_lost = |tenancy: &&Tenancy| {
        is_against_wish(tenancy) && tenancy.moved_out.is_some_and(|out| out <= census)
    };
    person.tenancies.iter().filter(is_lost).collect()
}

/// Lost dwellings with another one after them.
fn times_rehoused(person: &Person, census: Date) -> usize {
    let has_next = |lost: &&Tenancy| {
        person.tenancies.iter().any(|next| next.number > lost.number && next.moved_in <= census)
    };
    lost_dwellings(person, census).into_iter().filter(has_next).count()
}

fn is_in_programme(person: &Person, period: Period) -> bool {
    person.intake <= period.last_day()
        && person.exit.is_none_or(|(left, _)| left >= period.first_day())
}

fn complaint_band(person: &Person, quarter: Period) -> Code {
    let days = quarter.first_day()..=quarter.last_day();
    match person.complaints.iter().filter(|complaint| days.contains(&complaint.date)).count() {
        0 => "0",
        1..=2 => "1_2",
        3..=9 => "3_9",
        _ => "10_or_more",
    }
}

fn home_visit_band(person: &Person, period: Period) -> Code {
    let first = (period.first_day().year(), u8::from(period.first_day().month()));
    let last = (period.last_day().year(), u8::from(period.last_day().month()));
    let mut months = BTreeSet::new();
    let mut visits = 0;
    for contact in &person.contacts {
        let month = (contact.year, contact.month);
        let Some(count) = contact.count.filter(|_| (first..=last).contains(&month)) else {
            continue;
        };
        months.insert(month);
        if contact.category == "home_visit" {
            visits += count;
        }
    }
    let months = u32::try_from(months.len()).unwrap_or(0);
    match (visits, months) {
        (_, 0) => "unknown",
        (0, _) => "none",
        _ if visits < months => "under_1",
        _ if visits < 2 * months => "1_to_under_2",
        _ if visits < 4 * months => "2_to_under_4",
        _ => "4_or_more",
    }
}

fn stays(person: &Person, census: Date) -> Code {
    let has = |kind| {
        person.stays.iter().any(|stay| {
            stay.kind == kind && stay.from <= census && stay.to.is_none_or(|to| to >= person.intake)
        })
    };
    match (has("prison"), has("treatment")) {
        (false, false) => "none",
        (true, false) => "prison",
        (false, true) => "treatment",
        (true, true) => "both",
    }
}

/// The cell of the survival table.
fn follow_up(person: &Person, census: Date) -> String {
    let moved_into = || person.tenancies.iter().filter(|tenancy| tenancy.moved_in <= census);
    let (Some(first), Some(latest)) = (moved_into().next(), moved_into().next_back()) else {
        return "not_yet_housed/censored".to_owned();
    };
    let lost = lost_dwellings(person, census).first().and_then(|tenancy| tenancy.moved_out);
    let (end, how) = if let Some(lost) = lost {
        (lost, "ended")
    } else {
        let followed = person.exit.map_or(census, |(left, _)| left.min(census));
        (latest.moved_out.map_or(followed, |out| out.min(followed)), "censored")
    };
    let months = (1..36).take_while(|months| months_after(first.moved_in, *months) <= end).count();
    if months == 35 && months_after(first.moved_in, 36) <= end {
        return format!("m36_or_more/{how}");
    }
    format!("m{months}/{how}")
}

/// The same day of a later month, or that month's last day.
fn months_after(day: Date, months: i32) -> Date {
    let zero_based = i32::from(u8::from(day.month())) - 1 + months;
    let year = day.year() + zero_based.div_euclid(12);
    let month = u8::try_from(zero_based.rem_euclid(12) + 1).ok();
    let month = month.and_then(|month| Month::try_from(month).ok()).unwrap_or(Month::January);
    let days = day.day().min(month.length(year));
    Date::from_calendar_date(year, month, days).unwrap_or(Date::MAX)
}
