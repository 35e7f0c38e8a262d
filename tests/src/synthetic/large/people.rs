//! The people of a large export: their own rows, their consents, dwellings and complaints about them.
//!
//! About 86 in a hundred have given a consent that holds; the others refused, withdrew, gave one that
//! is out of date, or gave one for another purpose.
//!
//! **Invariant:** what a person has follows from the seed and the person alone.

use super::{FORM_VERSION, Large, PURPOSE, id, with_contacts};
use crate::synthetic::chance::Chance;
use std::io::{self, Write};
use time::Date;
use time::macros::date;

/// The first day after the last month with contacts.
const END: Date = date!(2026 - 07 - 01);
/// Long before the first month with contacts.
const LONG_AGO: Date = date!(2012 - 01 - 01);

/// What writes one file.
pub(super) type Writer = fn(&Large, &mut dyn Write) -> io::Result<()>;

pub(super) fn participants(large: &Large, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(
        b"participant_id,intake_date,birth_year,gender,housing_at_intake,specialist_follow_up,\
          substitution_treatment,exit_date,exit_reason\n",
    )?;
    each(large, "participant", out, |person, chance, out| {
        let left = person >= with_contacts(large.people);
        let intake = intake(large, person);
        let intake = intake.map(|day| day.to_string()).unwrap_or_default();
        let gender = chance.code(&[("woman", 30), ("man", 65), ("unknown", 5)]);
        let housing = chance.code(&[("temporary_or_hostel", 50), ("outdoors", 20), ("prison", 30)]);
        let specialist = chance.code(&[("none", 60), ("fact_or_act", 30), ("unknown", 10)]);
        let substitution = chance.code(&[("yes", 30), ("no", 65), ("unknown", 5)]);
        let birth_year = chance.between(1950, 2004);
        write!(out, "{intake},{birth_year},{gender},{housing},{specialist},{substitution},")?;
        let reason = chance.code(&[("died", 20), ("moved_municipality", 20), ("other", 60)]);
        if left { writeln!(out, "2016-06-30,{reason}") } else { writeln!(out, ",") }
    })
}

pub(super) fn consents(large: &Large, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(
        b"participant_id,purpose,status,mode,date,form_version,valid_until,withdrawn_on\n",
    )?;
    each(large, "consent", out, |_, chance, out| {
        let given = chance.days_after(LONG_AGO, 0, 700);
        let objected = chance.days_after(given, 100, 3_000);
        let mode = chance.code(&[("written", 80), ("oral", 20)]);
        let form = FORM_VERSION;
        match chance.below(100) {
            0..=3 => writeln!(out, "{PURPOSE},refused,,{given},{form},,"),
            4..=7 => writeln!(out, "{PURPOSE},given,{mode},{given},{form},,{objected}"),
            8..=10 => writeln!(out, "{PURPOSE},given,{mode},{given},{form},2020-12-31,"),
            11..=13 => writeln!(out, "another-purpose,given,{mode},{given},{form},,"),
            14..=50 => writeln!(out, "{PURPOSE},given,{mode},{given},{form},2035-12-31,"),
            _ => writeln!(out, "{PURPOSE},given,{mode},{given},{form},,"),
        }
    })
}

pub(super) fn tenancies(large: &Large, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(
        b"participant_id,dwelling_no,tenure,setting,moved_in,moved_out,end_mode,end_reason\n",
    )?;
    each(large, "tenancy", out, |person, chance, out| {
        let tenure = chance.code(&[("municipal", 70), ("private", 30)]);
        let setting = chance.code(&[("scattered", 80), ("co_located", 20)]);
        let moved_in = chance.days_after(intake(large, person).unwrap_or(LONG_AGO), 5, 60);
        let end = if person >= with_contacts(large.people) {
            "2016-06-30,other,other"
        } else {
            chance.code(&[(",,", 90), (",landlord_notice,disturbance", 10)])
        };
        writeln!(out, "1,{tenure},{setting},{moved_in},{end}")
    })
}

pub(super) fn complaints(large: &Large, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"participant_id,date,source,kind,three_way_meeting\n")?;
    // Every fifth person has one in the last half-year.
    for person in (0..with_contacts(large.people)).step_by(5) {
        let mut chance = chance(large, "complaint", person);
        let date = chance.days_after(END - time::Duration::days(180), 0, 179);
        let kind = chance.code(&[("noise", 60), ("visitors", 30), ("other", 10)]);
        let meeting = chance.code(&[("yes", 30), ("no", 60), ("unknown", 10)]);
        write_id(person, out)?;
        writeln!(out, "{date},neighbour,{kind},{meeting}")?;
    }
    Ok(())
}

/// Whether somebody is counted over the half-year that ends with June 2026: taken in by then, with a consent
/// that holds.
pub(super) fn is_counted(large: &Large, person: u64) -> bool {
    let mut chance = chance(large, "consent", person);
    let given = chance.days_after(LONG_AGO, 0, 700);
    chance.days_after(given, 100, 3_000);
    chance.percent(80);
    // As in `consents`: what is drawn below 14 does not hold.
    chance.below(100) >= 14 && intake(large, person).is_none_or(|day| day < END)
}

/// One row for each person.
fn each(
    large: &Large,
    table: &str,
    out: &mut dyn Write,
    mut row: impl FnMut(u64, &mut Chance, &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    for person in 0..large.people {
        write_id(person, out)?;
        row(person, &mut chance(large, table, person), out)?;
    }
    Ok(())
}

/// The day of intake; one in a hundred has none that is known, and one comes after all else.
fn intake(large: &Large, person: u64) -> Option<Date> {
    let mut chance = chance(large, "intake", person);
    match chance.below(100) {
        _ if person >= with_contacts(large.people) => Some(chance.days_after(LONG_AGO, 0, 700)),
        0 => None,
        1 => Some(chance.days_after(END, 0, 60)),
        _ => Some(chance.days_after(LONG_AGO, 0, 4_000)),
    }
}

fn chance(large: &Large, table: &str, person: u64) -> Chance {
    Chance::new(large.seed ^ person.wrapping_mul(0x9e37_79b9_7f4a_7c15), table)
}

fn write_id(person: u64, out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::with_capacity(16);
    id(person, &mut text);
    text.push(b',');
    out.write_all(&text)
}
