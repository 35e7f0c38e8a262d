//! People drawn at random, with every column of every table in any of its codes.
//!
//! **Invariant:** for tests alone; nobody here exists.

use crate::kernel::person::{
    ComplaintSource, ContactCategory, EndReason, ExitReason, Gender, HousingAtIntake, Setting,
    SpecialistFollowUp, Tenure, YesNo,
};
use proptest::prelude::*;

/// A day from 2013 to early 2017, or one that is not known.
pub fn a_day() -> impl Strategy<Value = String> {
    let known = (2013..=2017, 1..=12, 1..=28)
        .prop_map(|(year, month, day)| format!("{year}-{month:02}-{day:02}"));
    prop_oneof![8 => known, 1 => Just("?".to_owned())]
}

pub fn one_of(codes: &'static [&'static str]) -> impl Strategy<Value = &'static str> {
    proptest::sample::select(codes)
}

/// One row of some table, in the language of the invented people.
pub fn a_row() -> impl Strategy<Value = String> {
    let modes = &[
        "",
        "immediate_termination",
        "landlord_notice",
        "voluntary_move",
        "own_notice",
        "died",
        "other",
        "unknown",
    ];
    let end = prop_oneof![Just(String::new()), a_day()];
    let severity = &["none", "moderate", "severe", "unknown"];
    let answers = &["yes", "no", "unknown"];
    let count = prop_oneof![0..40_u32, Just(u32::MAX)];
    prop_oneof![
        4 => (a_day(), end.clone(), one_of(modes), one_of(EndReason::CODES), a_place()).prop_map(
            |(from, to, mode, reason, place)| {
                format!("home {from}..{to} {mode} reason={reason} {place}")
            }
        ),
        1 => (one_of(&["prison", "treatment", "unknown"]), a_day(), end)
            .prop_map(|(kind, from, to)| format!("stay {kind} {from}..{to}")),
        2 => (
            1..=31,
            one_of(&["noise", "visitors", "domestic", "other"]),
            one_of(answers),
            one_of(ComplaintSource::CODES),
        )
            .prop_map(|(day, kind, met, source)| {
                format!("complaint 2016-12-{day:02} {kind} {met} source={source}")
            }),
        6 => (9..=12, one_of(ContactCategory::CODES), count, one_of(answers)).prop_map(
            |(month, category, count, recorded)| {
                format!("contact 2016-{month:02} {category} {count} {recorded}")
            }
        ),
        1 => (a_day(), one_of(severity), one_of(severity), one_of(severity)).prop_map(
            |(day, drugs, mental, alcohol)| format!("form {day} {drugs} {mental} {alcohol}")
        ),
        1 => (a_day(), one_of(&["dwelling", "neighbourhood", "life"]), 0..9)
            .prop_map(|(day, item, score)| format!("score {day} {item} {score}")),
    ]
}

/// A person with any rows, in the programme or not.
pub fn a_person() -> impl Strategy<Value = String> {
    let exit = prop_oneof![
        4 => Just(String::new()),
        1 => (prop_oneof![a_day(), Just("-".to_owned())], one_of(ExitReason::CODES))
            .prop_map(|(day, reason)| format!("exit {day} {reason}")),
    ];
    let rows = proptest::collection::vec(a_row(), 0..25);
    let times = prop_oneof![9 => Just(1_usize), 1 => Just(40)];
    (a_day(), a_background(), exit, rows, times).prop_map(
        |(intake, background, exit, rows, times)| {
            let rows = format!("{}; ", rows.join("; ")).repeat(times);
            format!("in {intake}; {background}; {exit}; {rows}")
        },
    )
}

/// Where a dwelling is, and whose.
fn a_place() -> impl Strategy<Value = String> {
    (1..4, one_of(Tenure::CODES), one_of(Setting::CODES)).prop_map(|(number, tenure, setting)| {
        format!("no={number} tenure={tenure} setting={setting}")
    })
}

/// What a person came with.
fn a_background() -> impl Strategy<Value = String> {
    (
        1940..2010,
        one_of(Gender::CODES),
        one_of(HousingAtIntake::CODES),
        one_of(SpecialistFollowUp::CODES),
        one_of(YesNo::CODES),
    )
        .prop_map(|(born, gender, came, specialist, substitution)| {
            format!(
                "born {born}; gender {gender}; came {came}; specialist {specialist}; \
                 substitution {substitution}"
            )
        })
}
