//! What is told of consents is what the count does, and what is told cannot travel.

use super::{ConsentCoverage, LocalCount, PersonReport, consent_coverage, person};
use crate::kernel::consent::{Standing, cohort, standing};
use crate::kernel::people::{PURPOSE, day, period, records, terms};
use crate::kernel::person::PersonId;
use crate::kernel::source::{Mapping, Origin, RejectedRows, SourceConfig};
use fellestall_shared::wire::v1::LegalBasis;
use static_assertions::assert_not_impl_any;
use std::fmt::Write;

assert_not_impl_any!(LocalCount: serde::Serialize, std::fmt::Debug, Copy, PartialEq, Into<usize>);
assert_not_impl_any!(ConsentCoverage: serde::Serialize, std::fmt::Debug);
assert_not_impl_any!(PersonReport: serde::Serialize, std::fmt::Debug);
assert_not_impl_any!(PersonId: serde::Serialize, std::fmt::Debug, std::fmt::Display);

/// Checks how one participant stands at the end of 2016, by consent and by public task.
fn check(sentence: &str, by_consent: Standing, by_public_task: Standing) {
    let people = records(&[sentence]);
    let purpose = PURPOSE.parse().expect("a purpose");
    for (basis, expected) in
        [(LegalBasis::Consent, by_consent), (LegalBasis::PublicTask, by_public_task)]
    {
        let person = people.people().next().expect("somebody").person;
        let found = standing(&person.consents, &purpose, basis, &terms(), day("2016-12-31"));
        assert!(found == expected, "{basis:?}: {sentence}");
        let counted = cohort(&people, &purpose, basis, &terms(), period("2016")).people().len();
        assert_eq!(counted == 1, found == Standing::Counted, "{basis:?}: {sentence}");
    }
}

#[test]
fn every_participant_stands_in_one_way_and_the_count_agrees() {
    use Standing::{Counted, Expired, NotGiven, Objected, OtherForm, Unknown};
    check("consent given 2014-01-01", Counted, Counted);
    check("consent given 2014-01-01 for=research", NotGiven, Counted);
    check("consent not_asked 2014-01-01", NotGiven, Counted);
    check("consent given 2017-01-01", NotGiven, Counted);
    check("consent given 2014-01-01 until=2016-12-30", Expired, Counted);
    check("consent given 2014-01-01 form=2009-9", OtherForm, Counted);
    check("consent given 2014-01-01 form=", OtherForm, Counted);
    check("consent given ?", Unknown, Counted);
    check("consent given 2014-01-01 until=?", Unknown, Counted);
    check("consent refused 2014-01-01", Objected, Objected);
    check("consent given 2014-01-01 withdrawn=2015-01-01", Objected, Objected);
    check("consent given 2014-01-01 withdrawn=?", Objected, Objected);
    check("consent unknown 2014-01-01", Unknown, Unknown);
    let again = "consent given 2014-01-01 withdrawn=2015-01-01; consent given 2015-06-01";
    check(again, Counted, Counted);
    check(&format!("{again} until=2016-01-01"), Expired, Objected);
}

/// An export with these consent rows, one participant for each.
fn export(folder: &std::path::Path, consents: &[&str]) -> SourceConfig {
    let mut participants = "participant_id,intake_date,birth_year,gender,housing_at_intake,\
                            specialist_follow_up,substitution_treatment,exit_date,exit_reason\n"
        .to_owned();
    let mut rows =
        "participant_id,purpose,status,mode,date,form_version,valid_until,withdrawn_on\n"
            .to_owned();
    for (at, row) in consents.iter().enumerate() {
        writeln!(participants, "x{at},2014-01-01,1980,man,outdoors,none,no,,").expect("written");
        writeln!(rows, "x{at},{row}").expect("written");
    }
    std::fs::write(folder.join("participant.csv"), participants).expect("written");
    std::fs::write(folder.join("consent.csv"), rows).expect("written");
    SourceConfig::new(
        Origin::Folder(folder.to_owned()),
        Mapping::standard().expect("a mapping"),
        RejectedRows::Refuse,
    )
}

const CONSENTS: [&str; 7] = [
    "housing-first-statistics,given,written,2014-01-01,v1,,",
    "housing-first-statistics,given,written,2014-01-01,v1,,",
    "research,given,written,2014-01-01,v1,,",
    "housing-first-statistics,refused,oral,2014-01-01,v1,,",
    "housing-first-statistics,given,oral,2014-01-01,v1,2015-01-01,",
    "housing-first-statistics,given,oral,2014-01-01,v0,,",
    "housing-first-statistics,unknown,oral,2014-01-01,v1,,",
];

#[test]
fn the_coverage_puts_everybody_in_one_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = export(folder.path(), &CONSENTS);
    let asked = [(PURPOSE.parse().expect("a purpose"), LegalBasis::Consent, terms())];
    let coverage = consent_coverage(&source, &asked, day("2016-12-31")).expect("a coverage");
    let [part] = coverage.as_slice() else { panic!("one purpose") };
    let parts = [
        &part.participants,
        &part.counted,
        &part.not_given,
        &part.objected,
        &part.expired,
        &part.other_form,
        &part.unknown,
    ];
    assert_eq!(parts.map(ToString::to_string), ["7", "2", "1", "1", "1", "1", "1"]);
}

#[test]
fn a_person_is_told_of_that_person_alone_and_nobody_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = export(folder.path(), &CONSENTS);
    let asked = [(PURPOSE.parse().expect("a purpose"), LegalBasis::Consent, terms())];
    let of = |id: &str| {
        let id = PersonId::new(id).expect("an id");
        person(&source, &id, &asked, &[], day("2016-12-31"))
    };
    let report = of(" X4 ").expect("a report");
    assert!(report.purposes[0].today == Standing::Expired);
    assert_eq!(report.purposes[0].history.len(), 1);
    assert!(of("x2").expect("a report").purposes[0].history.is_empty());
    let error = of("x99-secret").err().expect("nobody").to_string();
    assert!(!error.contains("secret"), "{error}");
}
