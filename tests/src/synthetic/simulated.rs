//! A municipality drawn from a seed: lives of made-up participants from intake to the day the export
//! is drawn.
//!
//! **Invariant:** events of one participant are in order: intake, tenancies that do not overlap, and
//! nothing after death.

use super::PURPOSE;
use super::chance::Chance;
use super::person::{Code, Consent, Person, Tenancy};
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::period::Period;
use time::macros::date;
use time::{Date, Duration};

mod rows;

/// How long after the census date the export is drawn.
const DRAWN_AFTER: Duration = Duration::days(45);
/// Statistics count at most three lost dwellings of one participant; nobody here has more, so that
/// the truth does not depend on which of them a node's key chooses.
const MOST_LOST: usize = 3;

/// The days that an export is about.
#[derive(Debug, Clone, Copy)]
struct Calendar {
    period: Period,
    census: Date,
    drawn: Date,
}

pub(super) fn people(number: &MunicipalityNumber, period: Period, seed: u64) -> Vec<Person> {
    let mut chance = Chance::new(seed, &format!("{number}/{period}"));
    let census = period.last_day();
    let calendar = Calendar { period, census, drawn: census + DRAWN_AFTER };
    // Most projects are small; one in three has a second team.
    let size = chance.between(5, 25) + if chance.percent(33) { chance.between(0, 35) } else { 0 };
    (1..=size)
        .map(|serial| person(&mut chance, format!("{number}-{serial:03}"), calendar))
        .collect()
}

fn person(chance: &mut Chance, id: String, calendar: Calendar) -> Person {
    let start = date!(2013 - 01 - 01).min(calendar.census - Duration::days(365));
    let days = u32::try_from((calendar.drawn - start).whole_days()).unwrap_or(0);
    // The larger of two draws: programmes grow.
    let intake = chance.days_after(start, 0, days).max(chance.days_after(start, 0, days));
    let (tenancies, exit) = housing(chance, intake, calendar.drawn);
    let mut person = Person {
        id,
        intake,
        birth_year: chance.percent(96).then(|| birth_year(chance, intake)),
        gender: chance.code(&[("man", 75), ("woman", 22), ("unknown", 3)]),
        housing_at_intake: chance.code(&[
            ("temporary_or_hostel", 40),
            ("with_friends", 15),
            ("treatment_institution", 12),
            ("prison", 12),
            ("outdoors", 6),
            ("with_family", 5),
            ("shared_housing", 4),
            ("own_dwelling", 3),
            ("unknown", 3),
        ]),
        specialist_follow_up: chance.code(&[
            ("none", 45),
            ("psychiatric_centre", 30),
            ("fact_or_act", 20),
            ("unknown", 5),
        ]),
        substitution_treatment: chance.code(&[("yes", 35), ("no", 60), ("unknown", 5)]),
        exit,
        consents: consents(chance, intake, calendar),
        tenancies,
        stays: Vec::new(),
        complaints: Vec::new(),
        contacts: Vec::new(),
        baselines: Vec::new(),
        satisfactions: Vec::new(),
    };
    person.stays = rows::stays(chance, &person, calendar);
    person.complaints = rows::complaints(chance, &person, calendar);
    if chance.percent(75) {
        person.contacts = rows::contacts(chance, &person, calendar);
        rows::add_forms(chance, &mut person, calendar);
    }
    person
}

fn birth_year(chance: &mut Chance, intake: Date) -> u16 {
    let age = i32::try_from(chance.between(19, 62)).unwrap_or(40);
    u16::try_from(intake.year() - age).unwrap_or(1970)
}

/// Consents to the statistics, and now and then one to something else.
fn consents(chance: &mut Chance, intake: Date, calendar: Calendar) -> Vec<Consent> {
    let given = Consent {
        purpose: PURPOSE,
        status: "given",
        mode: Some(chance.code(&[("written", 4), ("oral", 1)])),
        date: Some(intake),
        form_version: "2014-1",
        valid_until: None,
        withdrawn_on: None,
    };
    let how = chance.below(100);
    let mut consents = vec![match how {
        0..=69 => given.clone(),
        70..=81 => {
            Consent { valid_until: Some(calendar.census + Duration::days(700)), ..given.clone() }
        }
        82..=87 => Consent { status: "refused", mode: None, ..given.clone() },
        88..=92 => Consent {
            status: "withdrawn",
            withdrawn_on: Some(intake.max(calendar.census - Duration::days(20))),
            ..given.clone()
        },
        93..=95 => Consent {
            valid_until: Some(calendar.census - Duration::days(i64::from(how))),
            ..given.clone()
        },
        _ => Consent {
            status: "not_asked",
            mode: None,
            date: None,
            form_version: "",
            ..given.clone()
        },
    }];
    if chance.percent(20) {
        consents.push(Consent { purpose: "local-evaluation", ..given });
    }
    consents
}

/// Tenancies, and when and why the participant left.
fn housing(chance: &mut Chance, intake: Date, drawn: Date) -> (Vec<Tenancy>, Option<(Date, Code)>) {
    let mut tenancies: Vec<Tenancy> = Vec::new();
    let soon = chance.percent(60);
    let mut moved_in = chance.days_after(intake, 3, if soon { 60 } else { 240 });
    if chance.percent(4) {
        let left = chance.days_after(intake, 10, 90);
        let reason = chance.code(&[("did_not_want", 3), ("moved_municipality", 1), ("died", 1)]);
        return (tenancies, (left <= drawn).then_some((left, reason)));
    }
    while moved_in <= drawn {
        let days = match chance.below(10) {
            0..=2 => chance.between(30, 250),
            3..=5 => chance.between(250, 900),
            _ => chance.between(900, 4000),
        };
        let ended = chance.days_after(moved_in, days, days);
        if ended > drawn {
            tenancies.push(lasting(chance, &tenancies, moved_in));
            return (tenancies, left_while_housed(chance, moved_in, drawn));
        }
        let (mode, reason) = end(chance, &tenancies);
        tenancies.push(Tenancy {
            moved_out: Some(ended),
            end: Some((mode, reason)),
            ..lasting(chance, &tenancies, moved_in)
        });
        if mode == "died" {
            return (tenancies, Some((ended, "died")));
        }
        if chance.percent(15) {
            let left = chance.days_after(ended, 0, 40);
            let reason = chance.code(&[
                ("own_dwelling_no_follow_up", 2),
                ("other_accommodation", 2),
                ("moved_municipality", 2),
                ("did_not_want", 2),
                ("other", 1),
                ("unknown", 1),
            ]);
            return (tenancies, (left <= drawn).then_some((left, reason)));
        }
        let gap = if mode == "voluntary_move" { 0 } else { 150 };
        moved_in = chance.days_after(ended, 0, gap);
    }
    (tenancies, None)
}

/// A tenancy that has not ended; a few are under notice.
fn lasting(chance: &mut Chance, before: &[Tenancy], moved_in: Date) -> Tenancy {
    Tenancy {
        number: u32::try_from(before.len()).unwrap_or(0) + 1,
        tenure: chance.code(&[("municipal", 68), ("private", 29), ("unknown", 3)]),
        setting: chance.code(&[("scattered", 80), ("co_located", 17), ("unknown", 3)]),
        moved_in,
        moved_out: None,
        end: chance.percent(6).then(|| {
            let mode = chance.code(&[("landlord_notice", 3), ("immediate_termination", 1)]);
            (mode, chance.code(&[("disturbance", 4), ("littering", 1), ("vandalism", 1)]))
        }),
    }
}

fn left_while_housed(chance: &mut Chance, moved_in: Date, drawn: Date) -> Option<(Date, Code)> {
    let left = chance.days_after(moved_in, 200, 1500);
    let does = left <= drawn && chance.percent(12);
    does.then_some((left, "own_dwelling_no_follow_up"))
}

/// How and why a tenancy ends.
fn end(chance: &mut Chance, before: &[Tenancy]) -> (Code, Code) {
    let is_lost = |tenancy: &&Tenancy| {
        tenancy
            .end
            .is_some_and(|(mode, _)| mode == "immediate_termination" || mode == "landlord_notice")
    };
    let may_lose = u32::from(before.iter().filter(is_lost).count() < MOST_LOST);
    let mode = chance.code(&[
        ("immediate_termination", 22 * may_lose),
        ("landlord_notice", 26 * may_lose),
        ("voluntary_move", 25),
        ("own_notice", 12),
        ("died", 7),
        ("other", 5),
    ]);
    let reason = match mode {
        "immediate_termination" | "landlord_notice" => chance.code(&[
            ("disturbance", 60),
            ("vandalism", 12),
            ("littering", 10),
            ("prison", 7),
            ("treatment", 4),
            ("other", 4),
            ("unknown", 3),
        ]),
        "voluntary_move" | "own_notice" => chance.code(&[("own_wish", 8), ("treatment", 2)]),
        _ => "other",
    };
    (mode, reason)
}
