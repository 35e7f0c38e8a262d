//! Who is read, who is left out, and whose consent stands.
//!
//! **Invariant:** identifiers that differ in spaces or capital letters are one person.

use super::export::{Export, dump, read_all};
use crate::kernel::consent::cohort;
use crate::kernel::people::terms;
use crate::kernel::person::PersonId;
use crate::kernel::source::{Rule, SourceError, check};
use fellestall_shared::wire::v1::LegalBasis;

#[test]
fn the_standard_export_is_read_as_it_says() {
    let expected = "\
a1: 2014-03-01 Some(1975) man outdoors none yes - None
  consent statistics given written 2014-03-02 v1 2019-12-31 -
  tenancy Some(1) municipal scattered 2014-04-01 2015-02-01 (Some(\"landlord_notice\"), Some(\"disturbance\"))
  tenancy Some(2) private scattered 2015-03-01 - (None, None)
  stay prison 2015-02-01 2015-03-01
  complaint 2014-11-05 (\"neighbour\", \"noise\", \"yes\")
  contact 2016-10 home_visit 4 yes
  contact 2016-10 nav 0 yes
  baseline 2014-03-05 (\"none\", \"severe\", \"moderate\")
  satisfaction 2016-10-10 dwelling Some(6)
a2: 2014-05-12 None woman prison fact_or_act no 2016-08-01 Some(\"died\")
  consent statistics given oral 2014-05-12 v1 - -
  tenancy Some(1) municipal co_located 2014-06-01 2016-08-01 (Some(\"died\"), Some(\"other\"))
  satisfaction 2015-10-10 neighbourhood None
a3: 2015-01-20 Some(1990) unknown unknown unknown unknown ? Some(\"other\")
  consent statistics withdrawn written 2015-01-20 v2 - 2015-06-01
  stay treatment 2015-02-01 -
";
    assert_eq!(Export::standard().records(), expected);
}

#[test]
fn d09_dirty_identifiers_are_one_person() {
    let dirty = Export::standard()
        .replace("tenancy.csv", "a1,1,", " A1 ,1,")
        .replace("tenancy.csv", "a1,2,", "\u{a0}a1\t,2,")
        .replace("contact.csv", "a1,2016-10,nav", "A1,2016-10,nav")
        .replace("consent.csv", "a2,", "\"A2 \",");
    assert_eq!(dirty.records(), Export::standard().records());
}

#[test]
fn empty_is_missing_and_never_zero() {
    let export = Export::standard().append(
        "contact.csv",
        "a2,2016-01,nav,,unknown\na2,2016-02,nav,0,unknown\na2,2016-03,nav,0,yes\n",
    );
    let records = export.records();
    // Only a form that was filled in says anything, be it that there was nobody.
    assert!(!records.contains("contact 2016-01"), "{records}");
    assert!(!records.contains("contact 2016-02"), "{records}");
    assert!(records.contains("contact 2016-03 nav 0 yes"), "{records}");
}

#[test]
fn digits_that_a_mapping_gives_another_meaning_are_no_number() {
    let rows =
        |nine| format!("a1,2016-10,nav,4,yes\na1,2016-10,nav,{nine},yes\na1,2016-10,nav,07,yes\n");
    let usual = Export::standard().append("contact.csv", &rows("9")).records();
    assert!(usual.contains("contact 2016-10 nav 20 yes"), "{usual}");
    for unknown in ["9", "?"] {
        let mapping = "unknown = [\"?\", \"9\"]";
        let export = Export::standard().append("contact.csv", &rows(unknown)).mapped(mapping);
        let error = export.error().to_string();
        assert!(error.contains("contact.csv line 6, column count"), "{error}");
        let records = export.skipping().records();
        assert!(records.contains("contact 2016-10 nav 11 yes"), "{records}");
    }
}

#[test]
fn an_end_that_is_not_known_is_not_an_end_that_never_came() {
    let export = Export::standard().replace(
        "tenancy.csv",
        "2015-03-01,,,",
        "2015-03-01,unknown,unknown,UNKNOWN",
    );
    let records = export.records();
    assert!(records.contains("2015-03-01 ? (Some(\"unknown\"), Some(\"unknown\"))"), "{records}");
}

#[test]
fn a_participant_with_a_rejected_row_is_left_out_with_every_row() {
    let export = Export::standard().replace("participant.csv", "1975", "975").skipping();
    let records = export.records();
    assert!(!records.contains("a1") && records.starts_with("a2:"), "{records}");
    let report = export.on_disk(|config| check(config).expect("a report"));
    let counts = report.tables.iter().map(|t| (t.read, t.accepted, t.rejected, t.left_out));
    assert_eq!(
        counts.collect::<Vec<_>>(),
        [
            (3, 2, 1, 0),
            (3, 2, 0, 1),
            (3, 1, 0, 2),
            (2, 1, 0, 1),
            (1, 0, 0, 1),
            (3, 0, 0, 3),
            (1, 0, 0, 1),
            (2, 1, 0, 1),
        ]
    );
}

#[test]
fn of_two_rows_for_one_participant_neither_is_used() {
    let again = " A2 ,2014-05-12,,woman,prison,fact_or_act,no,,\n";
    let export = Export::standard().append("participant.csv", again).skipping();
    let (records, report) = export
        .on_disk(|config| read_all(config).map(|(records, report)| (dump(&records), report)))
        .expect("records");
    assert!(!records.contains("a2"), "{records}");
    let participants = &report.tables[0];
    assert_eq!((participants.accepted, participants.rejected, participants.left_out), (2, 1, 1));
    assert_eq!(report.rejected.shown[0].rule, Rule::ParticipantTwice);
    assert_eq!(report.rejected.shown[0].line, 5);
}

#[test]
fn a_rejected_consent_row_takes_every_consent_of_its_participant() {
    let export = Export::standard()
        .append("consent.csv", "A1,statistics,withdrawn,written,2015-13-01,v1,,2015-13-01\n")
        .skipping();
    let records = export.records();
    assert!(!records.contains("2014-03-02 v1"), "{records}");
    assert!(records.contains("consent statistics given oral 2014-05-12"), "{records}");
}

/// Without the rejected row nothing is left that objects: on the ground of a public task, too, that
/// must not let anybody in.
#[test]
fn a_rejected_consent_row_keeps_out_on_either_ground() {
    let sound = Export::standard();
    let rejected = "A1,statistics,withdrawn,written,2015-13-01,v1,,\n";
    let doubtful = Export::standard().append("consent.csv", rejected).skipping();
    for basis in [LegalBasis::Consent, LegalBasis::PublicTask] {
        let is_counted = |export: &Export| {
            let (records, _) = export.on_disk(read_all).expect("records");
            let purpose = "statistics".parse().expect("a purpose");
            let period = "2016".parse().expect("a period");
            let cohort = cohort(&records, &purpose, basis, &terms(), period);
            let a1 = PersonId::new("a1").expect("an id");
            cohort.people().iter().any(|one| *one.id == a1)
        };
        assert!(is_counted(&sound), "{basis:?}");
        assert!(!is_counted(&doubtful), "{basis:?}");
    }
}

#[test]
fn a_rejected_consent_row_of_nobody_known_cannot_be_skipped() {
    for row in
        ["a1,statistics,withdrawn\n", ",statistics,withdrawn,oral,,,,\n", "?,x,given,oral,,,,\n"]
    {
        let export =
            Export::standard().append("consent.csv", row).mapped("unknown = [\"?\"]").skipping();
        let error = export.error();
        assert!(matches!(error, SourceError::ConsentOfUnknown { .. }), "{error}");
        assert!(!export.on_disk(|config| check(config).expect("a report")).can_release());
    }
}

#[test]
fn a_consent_of_somebody_else_is_skipped() {
    let row = "b9,statistics,refused,oral,2015-01-01,v1,,\n";
    let export = Export::standard().append("consent.csv", row).skipping();
    assert_eq!(export.records(), Export::standard().records());
}

#[test]
fn a_capital_letter_does_not_hide_a_withdrawal() {
    let export = Export::standard().replace("consent.csv", "a3,statistics", "a3, Statistics ");
    assert_eq!(export.records(), Export::standard().records());
}
