//! Who has moved is counted where they live: at the edges of the census date, and where the day or the
//! reason is not known.

use crate::kernel::people::question::by_intake_year;
use crate::kernel::people::{key, records, terms};
use crate::kernel::{SnapshotKey, count};
use crate::register::tests::document;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::digest::Digest;
use fellestall_shared::study::{Study, StudyError};
use fellestall_shared::wire::v1::{LegalBasis, Residence, StudyDocument};

/// The exact count of people, by intake year, over 2016, and the consent snapshot.
fn counted(people: &[&str], residence: Residence) -> (i64, Digest) {
    let round = by_intake_year(LegalBasis::Consent, residence);
    let question = round.question(&"4601".parse().expect("a number"));
    let keys = (&key(), &SnapshotKey::from_bytes([9; 32]));
    let counts = count(&records(people), &round, &terms(), question, keys).expect("a count");
    let (cells, _) = counts.tables.into_iter().next().expect("a table").into_parts();
    (cells.iter().sum(), counts.consent_snapshot)
}

#[test]
fn who_has_moved_by_the_census_date_is_not_counted_here() {
    // A person, and whether the person is counted where the study asks where people live.
    let people = [
        ("", true),
        ("exit 2016-12-30 moved_municipality", false),
        // The day of exit is the first one outside.
        ("exit 2016-12-31 moved_municipality", false),
        ("exit 2017-01-01 moved_municipality", true),
        ("exit 2014-06-01 moved_municipality", false),
        // On a day that is not known, or not recorded at all.
        ("exit ? moved_municipality", false),
        ("exit - moved_municipality", false),
        // Left for another reason, or one that is not known: counted where they were.
        ("exit 2016-06-01 other_accommodation", true),
        ("exit 2016-06-01 died", true),
        ("exit 2016-06-01 unknown", true),
        ("exit 2016-06-01", true),
        ("exit ? other", true),
        // Where a person was born or lives otherwise does not matter: dwellings do not decide.
        ("home 2014-02-01..; exit 2016-12-31 moved_municipality", false),
        // Consent goes first.
        ("consent refused 2014-01-01", false),
    ];
    for (person, expected) in people {
        let (found, _) = counted(&[person], Residence::OnCensusDate);
        assert_eq!(found == 1, expected, "{person}");
        let (anywhere, _) = counted(&[person], Residence::Anywhere);
        assert_eq!(anywhere == 1, !person.contains("refused"), "{person}");
    }
}

/// The snapshot is of those who are counted.
#[test]
fn who_has_moved_is_not_in_the_consent_snapshot() {
    let (_, stays) = counted(&[""], Residence::OnCensusDate);
    let (_, with_moved) = counted(&["", "exit ? moved_municipality"], Residence::OnCensusDate);
    let (_, with_two) = counted(&["", ""], Residence::OnCensusDate);
    assert_eq!(stays, with_moved);
    assert_ne!(stays, with_two);
}

/// Of two municipalities that hold one person, the one moved to counts, and only that.
#[test]
fn a_person_who_moved_is_counted_once_in_the_country() {
    let left = "in 2014-01-01; exit 2016-03-01 moved_municipality";
    let came = "in 2016-03-01";
    let sum = |residence| counted(&[left], residence).0 + counted(&[came], residence).0;
    assert_eq!(sum(Residence::OnCensusDate), 1);
    assert_eq!(sum(Residence::Anywhere), 2);
}

/// A study with the rule declares the columns that the rule reads, and one without it does not.
#[test]
fn a_study_declares_what_its_rule_of_residence_reads() {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let check = |document: &StudyDocument| Study::check(document, Digest::ZERO, catalogue).err();
    let fields = |what: &'static str| {
        let field = "participant.exit_date".to_owned();
        Some(StudyError::Fields { field, what })
    };
    let rule = StudyDocument { residence: Residence::OnCensusDate, ..document() };
    assert_eq!(check(&rule), fields("missing"));
    let mut declared = rule;
    declared.fields.extend(Residence::OnCensusDate.fields().iter().map(|f| (*f).to_owned()));
    assert_eq!(check(&declared), None);
    let without = StudyDocument { residence: Residence::Anywhere, ..declared };
    assert_eq!(check(&without), fields("not read"));
}
