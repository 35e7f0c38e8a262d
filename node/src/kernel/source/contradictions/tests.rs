//! Each contradiction, planted alone into a clean export, is the only one found.
//!
//! **Invariant:** contradictions reject nothing and quote nothing.

use super::{Contradiction, ContradictionRule as Rule};
use crate::kernel::source::{Mapping, Origin, RejectedRows, SourceConfig, check};

const CLEAN: &[(&str, &str)] = &[
    (
        "participant.csv",
        "participant_id,intake_date,birth_year,gender,housing_at_intake,specialist_follow_up,substitution_treatment,exit_date,exit_reason\n\
         a1,2014-03-01,1975,man,outdoors,none,yes,2016-08-01,died\n",
    ),
    (
        "consent.csv",
        "participant_id,purpose,status,mode,date,form_version,valid_until,withdrawn_on\n\
         a1,statistics,given,written,2014-03-02,v1,2014-03-02,2014-03-02\n",
    ),
    (
        "tenancy.csv",
        "participant_id,dwelling_no,tenure,setting,moved_in,moved_out,end_mode,end_reason\n\
         a1,1,municipal,scattered,2014-03-01,2015-02-01,landlord_notice,disturbance\n\
         a1,2,private,scattered,2015-02-01,2016-08-01,died,other\n",
    ),
    ("stay.csv", "participant_id,kind,from,to\na1,prison,2015-02-01,2015-02-01\n"),
    (
        "complaint.csv",
        "participant_id,date,source,kind,three_way_meeting\na1,2016-08-01,neighbour,noise,yes\n",
    ),
    (
        "contact.csv",
        "participant_id,month,category,count,recorded\n\
         a1,2016-08,home_visit,4,yes\na1,2016-08,nav,0,no\na1,,nav,1,yes\na1,,nav,1,yes\n",
    ),
    (
        "baseline.csv",
        "participant_id,date,alcohol,drugs,mental_health\na1,2016-08-01,none,none,none\n",
    ),
    ("satisfaction.csv", "participant_id,date,item,score\na1,2016-08-01,dwelling,6\n"),
];

fn find(changed: &str, from: &str, to: &str) -> Vec<Contradiction> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in CLEAN {
        let mut text = (*text).to_owned();
        if *name == changed {
            assert!(text.contains(from), "{name} has no {from:?}");
            text = text.replacen(from, to, 1);
        }
        std::fs::write(folder.path().join(name), text).expect("a file");
    }
    let config = SourceConfig::new(
        Origin::Folder(folder.path().to_owned()),
        Mapping::standard().expect("a mapping"),
        RejectedRows::Refuse,
    );
    let report = check(&config).expect("a report");
    assert_eq!(report.rejected.total, 0, "{report}");
    assert!(report.can_release(), "{report}");
    report.contradictions.shown
}

#[test]
fn a_clean_export_contradicts_nothing() {
    assert_eq!(find("", "", ""), []);
}

#[test]
fn each_contradiction_is_found_alone() {
    let cases = [
        (
            "participant.csv",
            "2014-03-01",
            "2014-03-02",
            "tenancy.csv",
            2,
            Rule::TenancyBeforeIntake,
        ),
        (
            "participant.csv",
            "2016-08-01,died",
            ",died",
            "participant.csv",
            2,
            Rule::ExitReasonWithoutExit,
        ),
        (
            "consent.csv",
            "v1,2014-03-02,2014-03-02",
            "v1,,2014-03-01",
            "consent.csv",
            2,
            Rule::WithdrawnBeforeGiven,
        ),
        (
            "consent.csv",
            "v1,2014-03-02",
            "v1,2014-03-01",
            "consent.csv",
            2,
            Rule::ExpiredBeforeGiven,
        ),
        (
            "tenancy.csv",
            "2015-02-01,2016-08-01",
            "2015-02-01,2015-01-01",
            "tenancy.csv",
            3,
            Rule::MovedOutBeforeMovedIn,
        ),
        (
            "tenancy.csv",
            "2015-02-01,landlord",
            "2015-02-02,landlord",
            "tenancy.csv",
            3,
            Rule::TenanciesOverlap,
        ),
        (
            "tenancy.csv",
            "2015-02-01,landlord_notice",
            ",landlord_notice",
            "tenancy.csv",
            2,
            Rule::DiedButTenancyGoesOn,
        ),
        ("tenancy.csv", "a1,2", "a1,1", "tenancy.csv", 3, Rule::DwellingNumberTwice),
        ("tenancy.csv", "a1,1", "a1,3", "tenancy.csv", 3, Rule::DwellingNumberOrder),
        ("tenancy.csv", "landlord_notice,", ",", "tenancy.csv", 2, Rule::EndReasonWithoutMode),
        ("stay.csv", "-01\n", "-02\n", "stay.csv", 2, Rule::StayEndsBeforeStart),
        ("complaint.csv", "2016-08-01", "2016-08-02", "complaint.csv", 2, Rule::AfterExit),
        ("contact.csv", "2016-08,home", "2016-09,home", "contact.csv", 2, Rule::AfterExit),
        ("baseline.csv", "2016-08-01", "2016-08-02", "baseline.csv", 2, Rule::AfterExit),
        ("satisfaction.csv", "2016-08-01", "2016-08-02", "satisfaction.csv", 2, Rule::AfterExit),
        ("contact.csv", "nav,0,no", "nav,3,no", "contact.csv", 3, Rule::CountNotRecorded),
        ("contact.csv", "nav,0,no", "home_visit,0,yes", "contact.csv", 3, Rule::SameFormTwice),
    ];
    for (changed, from, to, file, line, rule) in cases {
        let (from, to) = match rule {
            Rule::StayEndsBeforeStart => ("2015-02-01,2015-02-01", "2015-02-02,2015-02-01"),
            _ => (from, to),
        };
        let found = find(changed, from, to);
        let rules: Vec<_> = found.iter().map(|c| (c.file.as_str(), c.line, c.rule)).collect();
        if rule == Rule::DiedButTenancyGoesOn {
            // A dwelling without an end also overlaps the next one.
            assert_eq!(rules, [(file, line, rule), (file, 3, Rule::TenanciesOverlap)]);
        } else {
            assert_eq!(rules, [(file, line, rule)], "{changed}: {to}");
        }
    }
}

#[test]
fn an_exit_before_the_intake_is_found_first() {
    let found = find("participant.csv", "2014-03-01", "2016-08-02");
    assert_eq!(found[0].rule, Rule::ExitBeforeIntake);
    assert_eq!(
        found[0].to_string(),
        "participant.csv line 2: the participant left before being taken in"
    );
}

#[test]
fn a_long_tenancy_overlaps_more_than_its_neighbour() {
    let rows = "a1,,private,scattered,2016-02-01,2016-03-01,other,other\na1,,private,scattered,2016-05-01,2016-06-01,other,other\n";
    let found = find("tenancy.csv", "died,other\n", &format!("died,other\n{rows}"));
    let lines: Vec<_> = found.iter().map(|c| (c.line, c.other.as_ref().map(|o| o.line))).collect();
    assert_eq!(lines, [(4, Some(3)), (5, Some(3))]);
    assert!(found.iter().all(|c| c.rule == Rule::TenanciesOverlap));
    assert_eq!(found[0].to_string(), "tenancy.csv lines 3 and 4: two dwellings at the same time");
    let found = find("complaint.csv", "2016-08-01", "2016-08-02");
    assert_eq!(
        found[0].to_string(),
        "complaint.csv line 2 and participant.csv line 2: dated after the participant left"
    );
}
