//! What a definition declares is what its table reads: no less, or the count would be another; no
//! more, or a column would be read for nothing.

use super::{Declared, Minimal, is_column};
use crate::kernel::count::contribution;
use crate::kernel::people::drawn::a_person;
use crate::kernel::people::{period, person};
use crate::kernel::person::Person;
use crate::kernel::variable::View;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::statistic::Statistic;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::collections::BTreeSet;

fn statistics() -> &'static [Statistic] {
    Catalogue::builtin().expect("a catalogue").statistics()
}

/// What a participant adds to a table, as far as the table sees the participant.
fn adds(minimal: &Minimal, statistic: &Statistic) -> Vec<(usize, u64)> {
    let mut cells = Vec::new();
    if let Some(view) = View::new(minimal, period("2016"), statistic.window()) {
        contribution(&view, statistic, &mut cells).expect("the domains have every category");
    }
    cells
}

/// Whether a table is the same over these columns of a participant as over all of them.
fn is_complete(person: &Person, statistic: &Statistic, columns: &BTreeSet<String>) -> bool {
    let minimal = Minimal::of(person, &person.contacts, &Declared::of(columns));
    let whole = Minimal::whole(person);
    adds(&minimal, statistic) == adds(&whole, statistic)
}

/// The same people each time.
fn drawn(number: usize) -> Vec<Person> {
    let mut runner = TestRunner::deterministic();
    let mut one = || a_person().new_tree(&mut runner).expect("a person").current();
    (0..number).map(|_| person(&one())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// What is declared is enough: every statistic of the catalogue, over anybody.
    #[test]
    fn counts_over_minimised_people_equal_counts_over_whole_people(text in a_person()) {
        let person = person(&text);
        for statistic in statistics() {
            let complete = is_complete(&person, statistic, statistic.fields());
            prop_assert!(complete, "{} reads more than it declares", statistic.id());
        }
    }
}

/// What is declared is needed, and the property above finds what is not declared: a definition that
/// forgets any one of the columns that it reads is caught, for every statistic and column.
#[test]
fn a_definition_that_forgets_any_column_it_reads_is_caught() {
    let people = drawn(600);
    for statistic in statistics() {
        for forgotten in statistic.fields() {
            let mut columns = statistic.fields().clone();
            columns.remove(forgotten);
            assert!(
                people.iter().any(|person| !is_complete(person, statistic, &columns)),
                "{} declares {forgotten}, which changes nothing for anybody",
                statistic.id()
            );
        }
    }
}

#[test]
fn what_the_catalogue_reads_are_columns_and_nothing_of_consent_or_identity_is() {
    for field in statistics().iter().flat_map(Statistic::fields) {
        assert!(is_column(field), "{field}");
    }
    for other in ["tenancy.rent", "consent.status", "participant.participant_id", "tenancy", ""] {
        assert!(!is_column(other), "{other}");
    }
}

/// A table function that looks at a column of another statistic finds nothing there.
#[test]
fn an_undeclared_column_is_not_there() {
    let text = "in 2015-01-01; born 1980; gender man; came prison; specialist none; substitution yes; \
        exit 2016-01-01 died; home 2015-02-01..2015-03-01 died reason=rent no=1 tenure=private; \
        stay prison 2015-01-01..; complaint 2016-12-01 noise yes source=police; \
        contact 2016-12 nav 3 yes; form 2016-01-01 severe severe severe; score 2016-01-01 life 3";
    let person = person(text);
    let nothing = Minimal::of(&person, &person.contacts, &Declared::of(&BTreeSet::new()));
    assert!(nothing.contacts().is_empty());
    let nothing = nothing.person();
    assert!(nothing.consents.is_empty() && nothing.tenancies.is_empty());
    assert!(nothing.stays.is_empty() && nothing.complaints.is_empty());
    assert!(nothing.contacts.is_empty() && nothing.baselines.is_empty());
    assert!(nothing.satisfactions.is_empty());
    let row = &nothing.participant;
    assert!(row.intake.day().is_none() && row.birth_year.is_none() && row.exit.is_none());
    let codes = [
        row.gender.code(),
        row.housing_at_intake.code(),
        row.specialist_follow_up.code(),
        row.substitution_treatment.code(),
    ];
    assert_eq!(codes, ["unknown"; 4]);
    assert!(row.exit_reason.is_none());

    // One column of a table: the row is there, and nothing else of it.
    let one = Minimal::of(&person, &[], &Declared::of(&["tenancy.tenure".to_owned()].into()));
    let [home] = &*one.person().tenancies else { panic!("one tenancy") };
    assert_eq!((home.tenure.code(), home.dwelling_no), ("private", None));
    assert!(home.moved_in.day().is_none() && home.moved_out.is_none());
    assert!(home.end_mode.is_none() && home.end_reason.is_none());
    // The consents have been looked at by then, and no table sees them.
    assert!(one.person().consents.is_empty());
}
