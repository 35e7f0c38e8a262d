//! Who is let in, by each legal basis; and that what is missing keeps people out.

mod states;

use super::{SnapshotKey, cohort};
use crate::kernel::people::{PURPOSE, consenting, period, records, terms};
use crate::kernel::records::Records;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::ReleaseId;
use fellestall_shared::wire::v1::LegalBasis;

fn key() -> SnapshotKey {
    SnapshotKey::from_bytes([7; 32])
}

fn question(at: &str) -> ReleaseId {
    let municipality = "4601".parse().expect("a number");
    ReleaseId::of(Digest::ZERO, period(at), &municipality)
}

/// Checks who may be counted at the end of 2016: by consent, and by public task.
fn check(person: &str, by_consent: bool, by_public_task: bool) {
    let (records, purpose) = (records(&[person]), PURPOSE.parse().expect("a purpose"));
    for (basis, expected) in
        [(LegalBasis::Consent, by_consent), (LegalBasis::PublicTask, by_public_task)]
    {
        let cohort = cohort(&records, &purpose, basis, &terms(), period("2016"));
        assert_eq!(cohort.people().len() == 1, expected, "{basis:?}: {person}");
    }
}

#[test]
fn a_consent_in_force_lets_in() {
    check("consent given 2014-01-01", true, true);
    check("consent given 2016-12-31", true, true);
    check("consent given 2014-01-01 until=2016-12-31", true, true);
    check("consent given 2014-01-01 withdrawn=2017-01-01", true, true);
    check("consent given 2014-01-01 for=Housing-First-Statistics", true, true);
    check("consent refused 2014-01-01; consent given 2015-01-01", true, true);
    check("consent given 2014-01-01 withdrawn=2015-01-01; consent given 2015-06-01", true, true);
}

#[test]
fn no_consent_in_force_keeps_out_unless_the_ground_is_a_public_task() {
    check("consent given 2017-01-01", false, true);
    check("consent given 2014-01-01 until=2016-12-30", false, true);
    check("consent given 2014-01-01 for=research", false, true);
    check("consent not_asked 2014-01-01", false, true);
    check("consent refused 2014-01-01 for=research", false, true);
    check("consent refused 2017-01-01", false, true);
}

#[test]
fn an_objection_keeps_out_on_either_ground() {
    check("consent refused 2014-01-01", false, false);
    check("consent given 2014-01-01 withdrawn=2016-12-31", false, false);
    check("consent given 2014-01-01; consent withdrawn 2015-01-01", false, false);
    check("consent withdrawn 2015-01-01; consent given 2014-01-01", false, false);
    check("consent given 2014-01-01; consent refused 2014-01-01", false, false);
    check("consent given 2014-01-01; consent given 2015-01-01 withdrawn=2016-01-01", false, false);
}

#[test]
fn what_is_not_known_keeps_out() {
    check("consent given ?", false, true);
    check("consent given 2014-01-01 until=?", false, true);
    check("consent given 2014-01-01 withdrawn=?", false, false);
    check("consent unknown 2014-01-01", false, false);
    check("consent given 2014-01-01; consent withdrawn ?", false, false);
    check("consent given 2014-01-01; consent unknown 2016-01-01", false, false);
    // A refusal that does not say of what.
    check("consent given 2014-01-01; consent refused 2015-01-01 for=", false, false);
    check("consent given 2014-01-01 for=", false, true);
}

#[test]
fn the_snapshot_tells_cohorts_apart_and_needs_the_key() {
    let (one, two) = (records(&[""]), records(&["", ""]));
    let refused = records(&["", "consent refused 2014-01-01"]);
    let at = period("2016");
    let snapshot = |records: &Records| consenting(records, at).snapshot(question("2016"), &key());
    assert_eq!(snapshot(&one), snapshot(&refused));
    assert_ne!(snapshot(&one), snapshot(&two));
    let other = SnapshotKey::from_bytes([8; 32]);
    assert_ne!(snapshot(&one), consenting(&one, at).snapshot(question("2016"), &other));
}

#[test]
fn a_cohort_that_did_not_change_has_another_snapshot_under_every_question() {
    let records = records(&["", ""]);
    let snapshot = |at: &str| consenting(&records, period(at)).snapshot(question(at), &key());
    assert_eq!(snapshot("2016"), snapshot("2016"));
    assert_ne!(snapshot("2016"), snapshot("2017"));
}
