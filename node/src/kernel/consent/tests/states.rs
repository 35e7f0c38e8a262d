//! Every state of consent, on either ground, with either effect of a withdrawal, at the edges of the
//! period: exactly the expected people are in the exact count, and nobody else.
//!
//! What is expected is written down by hand, row by row; no code of the kernel works it out. A kernel
//! that does not see something in the rows decides as this one does over rows without it: so each
//! planted fault is a change of the rows or the terms, and the table has to notice it.

use crate::kernel::count;
use crate::kernel::people::question::by_intake_year;
use crate::kernel::people::{FORM, PURPOSE, key, person, terms};
use crate::kernel::person::{Consent, ConsentMode, ConsentStatus, PersonId, When};
use crate::kernel::records::Records;
use crate::kernel::{SnapshotKey, Terms, Withdrawal};
use fellestall_shared::wire::v1::{LegalBasis, Residence};
use time::macros::date;

/// The day before the period, its first, its last, and the day after. A `@` in a state is one of them.
const DAYS: [&str; 4] = ["2015-12-31", "2016-01-01", "2016-12-31", "2017-01-01"];

/// Rows of consent, and who of them counts on each of [`DAYS`]: `y` or `n`. In this order: by consent,
/// a withdrawal counting from the next period, or at once; by public task, the same two.
type State = (&'static str, [&'static str; 4]);

#[rustfmt::skip]
const STATES: &[State] = &[
    // Nothing is recorded, or nothing was asked.
    ("unasked",                                        ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent not_asked @",                            ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent not_asked ?",                            ["nnnn", "nnnn", "yyyy", "yyyy"]),
    // A consent, from its day on.
    ("consent given @",                                ["yyyn", "yyyn", "yyyy", "yyyy"]),
    ("consent given @ mode=oral",                      ["yyyn", "yyyn", "yyyy", "yyyy"]),
    ("consent given @ mode=unknown",                   ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent given ?",                                ["nnnn", "nnnn", "yyyy", "yyyy"]),
    // For what: the purpose in whatever case, another one, or none.
    ("consent given @ for=Housing-First-Statistics",   ["yyyn", "yyyn", "yyyy", "yyyy"]),
    ("consent given @ for=research",                   ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent given @ for=",                           ["nnnn", "nnnn", "yyyy", "yyyy"]),
    // On which form.
    ("consent given @ form=2099-9",                    ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent given @ form=",                          ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent given 2014-05-01 form=2099-9; consent given @",
                                                       ["yyyn", "yyyn", "yyyy", "yyyy"]),
    // Until when: the last day is within.
    ("consent given 2014-05-01 until=@",               ["nnyy", "nnyy", "yyyy", "yyyy"]),
    ("consent given @ until=2016-12-30",               ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent given 2014-05-01 until=?",               ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent given 2014-05-01 until=@; consent given 2015-06-01",
                                                       ["yyyy", "yyyy", "yyyy", "yyyy"]),
    ("consent given 2014-05-01 until=2015-05-01; consent given @",
                                                       ["yyyn", "yyyn", "yyyy", "yyyy"]),
    // Refused.
    ("consent refused @",                              ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent refused @ mode=unknown",                 ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent refused ?",                              ["nnnn", "nnnn", "nnnn", "nnnn"]),
    ("consent refused @ for=research",                 ["nnnn", "nnnn", "yyyy", "yyyy"]),
    ("consent refused @ for=",                         ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01; consent refused @",    ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent refused @; consent given 2014-05-01",    ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01; consent refused @ for=research",
                                                       ["yyyy", "yyyy", "yyyy", "yyyy"]),
    ("consent given 2014-05-01; consent refused @ for=",
                                                       ["nnny", "nnnn", "nnny", "nnnn"]),
    // Withdrawn: as a row of its own, or on the row that gave it.
    ("consent withdrawn @",                            ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01 withdrawn=@",           ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01 withdrawn=?",           ["nnnn", "nnnn", "nnnn", "nnnn"]),
    ("consent given 2014-05-01; consent withdrawn @",  ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent withdrawn @; consent given 2014-05-01",  ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent withdrawn ?; consent given @",           ["nnnn", "nnnn", "nnnn", "nnnn"]),
    ("consent given 2014-05-01; consent given 2015-03-01 withdrawn=@",
                                                       ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01; consent given 2014-05-01 for=research withdrawn=@",
                                                       ["yyyy", "yyyy", "yyyy", "yyyy"]),
    ("consent given 2014-05-01 until=2016-06-30 withdrawn=@",
                                                       ["nnnn", "nnnn", "nnny", "nnnn"]),
    // A status that is not known may be a refusal.
    ("consent unknown @",                              ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent unknown ?",                              ["nnnn", "nnnn", "nnnn", "nnnn"]),
    ("consent given 2014-05-01; consent unknown @",    ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01; consent unknown @ for=research",
                                                       ["yyyy", "yyyy", "yyyy", "yyyy"]),
    // A consent after a no, and on the same day.
    ("consent refused 2015-05-01; consent given @",    ["yyyn", "yyyn", "yyyn", "yyyn"]),
    ("consent given @; consent refused 2015-05-01",    ["yyyn", "yyyn", "yyyn", "yyyn"]),
    ("consent refused @; consent given @",             ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent given @; consent withdrawn @",           ["nnnn", "nnnn", "nnny", "nnnn"]),
    ("consent refused 2015-05-01; consent given @ form=2099-9",
                                                       ["nnnn", "nnnn", "nnnn", "nnnn"]),
    ("consent given 2014-05-01; consent refused @; consent given 2017-02-01",
                                                       ["nnny", "nnnn", "nnny", "nnnn"]),
    ("consent given 2014-05-01 withdrawn=2015-01-01; consent given @",
                                                       ["yyyn", "yyyn", "yyyn", "yyyn"]),
];

/// What a kernel with a fault does not see, or sees where it is not.
type Blindness = fn(&mut Vec<Consent>, &mut Terms, LegalBasis);

/// Planted faults: a name, the fault, and a state that has to give it away.
#[rustfmt::skip]
const FAULTS: &[(&str, Blindness, &str)] = &[
    ("ignores expiry",
        |rows, _, _| rows.iter_mut().for_each(|row| row.valid_until = None),
        "consent given 2014-05-01 until=@"),
    ("ignores the purpose",
        |rows, _, _| rows.iter_mut().for_each(|row| row.purpose = PURPOSE.into()),
        "consent given @ for=research"),
    ("treats unknown as given",
        |rows, _, _| recode(rows, ConsentStatus::Unknown, ConsentStatus::Given),
        "consent unknown @"),
    ("applies a withdrawal retroactively",
        |_, terms, _| terms.withdrawal = Withdrawal::AtOnce,
        "consent given 2014-05-01 withdrawn=@"),
    ("applies a withdrawal late",
        |_, terms, _| terms.withdrawal = Withdrawal::NextPeriod,
        "consent given 2014-05-01 withdrawn=@"),
    ("accepts any form",
        |rows, terms, _| terms.accepted_forms.extend(rows.iter().map(|row| row.form_version.as_ref().to_owned())),
        "consent given @ form=2099-9"),
    ("ignores an opt-out",
        |rows, _, basis| if basis == LegalBasis::PublicTask { rows.clear(); },
        "consent refused @"),
    ("ignores a refusal",
        |rows, _, _| recode(rows, ConsentStatus::Refused, ConsentStatus::NotAsked),
        "consent given 2014-05-01; consent refused @"),
    ("ignores a withdrawal",
        |rows, _, _| rows.iter_mut().for_each(|row| row.withdrawn_on = None),
        "consent given 2014-05-01 withdrawn=@"),
    ("takes not asked for given",
        |rows, _, _| recode(rows, ConsentStatus::NotAsked, ConsentStatus::Given),
        "consent not_asked @"),
    ("takes not asked for refused",
        |rows, _, _| recode(rows, ConsentStatus::NotAsked, ConsentStatus::Refused),
        "consent not_asked @"),
    ("counts a consent before it was given",
        |rows, _, _| rows.iter_mut().filter(|row| row.status == ConsentStatus::Given)
            .for_each(|row| row.date = When::On(date!(2010-01-01))),
        "consent given @"),
    ("takes an unknown day for a known one",
        |rows, _, _| rows.iter_mut().filter(|row| row.date == When::Unknown)
            .for_each(|row| row.date = When::On(date!(2010-01-01))),
        "consent given ?"),
    ("takes an unknown end for none",
        |rows, _, _| rows.iter_mut().filter(|row| row.valid_until == Some(When::Unknown))
            .for_each(|row| row.valid_until = None),
        "consent given 2014-05-01 until=?"),
    ("takes a consent that is neither written nor oral",
        |rows, _, _| rows.iter_mut().for_each(|row| row.mode = ConsentMode::Written),
        "consent given @ mode=unknown"),
    ("reads a refusal of nothing as one of something else",
        |rows, _, _| rows.retain(|row| !row.purpose.is_empty()),
        "consent given 2014-05-01; consent refused @ for="),
    ("reads the first row alone",
        |rows, _, _| rows.truncate(1),
        "consent given 2014-05-01; consent refused @"),
    ("reads the last row alone",
        |rows, _, _| { rows.drain(..rows.len().saturating_sub(1)); },
        "consent refused @; consent given 2014-05-01"),
];

fn recode(rows: &mut [Consent], from: ConsentStatus, to: ConsentStatus) {
    rows.iter_mut().filter(|row| row.status == from).for_each(|row| row.status = to);
}

/// The exact count by intake year of somebody with these rows of consent (taken in in 2013), of one
/// who always counts (2014) and of one who never does (2015).
fn counted(rows: &str, basis: LegalBasis, terms: &Terms, fault: Option<Blindness>) -> [i64; 3] {
    let mut terms = terms.clone();
    let people = [
        format!("in 2013-05-01; {rows}"),
        format!("in 2014-05-01; consent given 2014-05-01 form={FORM}"),
        "in 2015-05-01; consent refused 2014-05-01".to_owned(),
    ];
    let mut named = Vec::new();
    for (id, text) in ["one", "always", "never"].into_iter().zip(&people) {
        let mut person = person(text);
        // A fault in the rows of the one alone: what gives it away is the state.
        if let (Some(fault), "one") = (fault, id) {
            let mut rows = person.consents.into_vec();
            fault(&mut rows, &mut terms, basis);
            person.consents = rows.into();
        }
        named.push((PersonId::new(id).expect("an id"), person));
    }
    let records = Records::new(named);
    let round = by_intake_year(basis, Residence::Anywhere);
    let question = round.question(&"4601".parse().expect("a number"));
    let keys = (&key(), &SnapshotKey::from_bytes([9; 32]));
    let counts = count(&records, &round, &terms, question, keys).expect("a count");
    let (cells, _) = counts.tables.into_iter().next().expect("a table").into_parts();
    let statistic = round.study().tables()[0].statistic;
    let of = |year: &str| {
        let cell = statistic.dimensions()[0].position(year).expect("a year of the domain");
        cells[cell]
    };
    assert_eq!(cells.iter().sum::<i64>(), of("2013") + of("2014") + of("2015"));
    [of("2013"), of("2014"), of("2015")]
}

/// The states and days at which a kernel with this fault, or without one, counts others than expected.
fn wrong(fault: Option<Blindness>) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    for (state, expected) in STATES {
        let conditions = [
            (LegalBasis::Consent, Withdrawal::NextPeriod),
            (LegalBasis::Consent, Withdrawal::AtOnce),
            (LegalBasis::PublicTask, Withdrawal::NextPeriod),
            (LegalBasis::PublicTask, Withdrawal::AtOnce),
        ];
        for ((basis, withdrawal), expected) in conditions.into_iter().zip(expected) {
            let terms = Terms { withdrawal, ..terms() };
            assert_eq!(expected.len(), DAYS.len(), "{state}");
            for (day, expected) in DAYS.iter().zip(expected.chars()) {
                let rows = state.replace('@', day);
                let expected = [i64::from(expected == 'y'), 1, 0];
                if counted(&rows, basis, &terms, fault) != expected {
                    wrong.push((*state, format!("{basis:?} {withdrawal:?} {rows}")));
                }
            }
        }
    }
    wrong
}

#[test]
fn exactly_the_people_expected_are_counted_in_every_state_of_consent() {
    let wrong = wrong(None);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_planted_fault_in_the_decision_is_caught() {
    for (name, fault, state) in FAULTS {
        let wrong = wrong(Some(*fault));
        println!("a kernel that {name}: {} of the cases are wrong", wrong.len());
        assert!(
            wrong.iter().any(|(found, _)| found == state),
            "a kernel that {name} is not caught by {state}"
        );
    }
}
