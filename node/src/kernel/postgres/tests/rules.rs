//! Rows that cannot be used: each rule, what is said of it, and that nothing is released.

use super::drawn::Draw;
use super::store::{Store, TABLES};
use crate::kernel::people::records;
use crate::kernel::people::terms;
use crate::kernel::postgres::{FlawRule, counts};
use crate::kernel::source::{Mapping, Origin, RejectedRows, SourceConfig, check};
use crate::kernel::tests::support::{Node, round, snapshot_key};
use crate::kernel::{ApprovedRound, KernelError};

/// A statement that breaks one rule, which, where, and in how many rows.
const BROKEN: &[(&str, &str, FlawRule, u64)] = &[
    (
        "insert into stat.participant (participant_id) values (null), (' '), ('Unknown')",
        "participant.participant_id",
        FlawRule::ParticipantBlank,
        3,
    ),
    (
        "insert into stat.participant (participant_id) values ('Åse'), (E'a\\tb'), (E'p9\\u00a0')",
        "participant.participant_id",
        FlawRule::ParticipantSigns,
        3,
    ),
    (
        "insert into stat.participant (participant_id) values (' P00000 ')",
        "participant.participant_id",
        FlawRule::ParticipantTwice,
        2,
    ),
    (
        "update stat.participant set birth_year = 1899",
        "participant.birth_year",
        FlawRule::BirthYear,
        2,
    ),
    (
        "update stat.participant set gender = 'kvinne'",
        "participant.gender",
        FlawRule::UnknownCode,
        2,
    ),
    (
        "update stat.participant set exit_reason = 'dead'",
        "participant.exit_reason",
        FlawRule::UnknownCode,
        2,
    ),
    (
        "update stat.participant set intake_date = 'infinity'",
        "participant.intake_date",
        FlawRule::NotADate,
        2,
    ),
    (
        "update stat.participant set exit_date = '2101-01-01'",
        "participant.exit_date",
        FlawRule::NotADate,
        2,
    ),
    ("update stat.consent set purpose = null", "consent.purpose", FlawRule::PurposeMissing, 2),
    (
        "update stat.consent set purpose = ' UNKNOWN '",
        "consent.purpose",
        FlawRule::PurposeMissing,
        2,
    ),
    (
        "update stat.consent set purpose = purpose || E'\\u00a0'",
        "consent.purpose",
        FlawRule::PurposeSigns,
        2,
    ),
    ("update stat.consent set status = 'maybe'", "consent.status", FlawRule::UnknownCode, 2),
    (
        "update stat.consent set withdrawn_on = '1899-12-31'",
        "consent.withdrawn_on",
        FlawRule::NotADate,
        2,
    ),
    (
        "update stat.consent set participant_id = 'p77777'",
        "consent.participant_id",
        FlawRule::ParticipantMissing,
        2,
    ),
    (
        "insert into stat.tenancy (participant_id, dwelling_no) values ('p00001', 0)",
        "tenancy.dwelling_no",
        FlawRule::DwellingNumber,
        1,
    ),
    (
        "insert into stat.tenancy (participant_id, end_mode) values ('p00001', 'eviction')",
        "tenancy.end_mode",
        FlawRule::UnknownCode,
        1,
    ),
    (
        "insert into stat.stay values ('p77777', 'prison')",
        "stay.participant_id",
        FlawRule::ParticipantMissing,
        1,
    ),
    (
        "insert into stat.complaint (participant_id, date) values ('p00001', 'infinity')",
        "complaint.date",
        FlawRule::NotADate,
        1,
    ),
    (
        "insert into stat.contact values ('p00001', '2016-01-01', 'nav', -1, 'yes')",
        "contact.count",
        FlawRule::NotANumber,
        1,
    ),
    (
        "insert into stat.contact values ('p00001', '2016-01-01', 'nav', 4294967296, 'yes')",
        "contact.count",
        FlawRule::NotANumber,
        1,
    ),
    (
        "insert into stat.contact values ('p00001', '2016-01-01', 'nav', null, ' Yes ')",
        "contact.count",
        FlawRule::CountMissing,
        1,
    ),
    (
        "insert into stat.contact values ('p00001', '1616-01-01', 'nav', 1, 'yes')",
        "contact.month",
        FlawRule::NotADate,
        1,
    ),
    (
        "insert into stat.contact values ('p00001', '2016-01-01', 'nav ?', 1, 'yes')",
        "contact.category",
        FlawRule::UnknownCode,
        1,
    ),
    (
        "insert into stat.baseline (participant_id, drugs) values ('p00001', 'heavy')",
        "baseline.drugs",
        FlawRule::UnknownCode,
        1,
    ),
    (
        "insert into stat.satisfaction values ('p00001', '2016-01-01', 'life', 8)",
        "satisfaction.score",
        FlawRule::Score,
        1,
    ),
    (
        "insert into stat.satisfaction values ('p00001', '2016-01-01', 'life', 0)",
        "satisfaction.score",
        FlawRule::Score,
        1,
    ),
];

fn source(store: &Store) -> SourceConfig {
    SourceConfig::new(
        Origin::Postgres(store.config.clone()),
        Mapping::standard().expect("a mapping"),
        RejectedRows::Refuse,
    )
}

#[test]
fn every_rule_is_named_without_a_value_and_nothing_is_charged() {
    let mut store = Store::new(TABLES);
    let node = Node::new(1_000_000_000);
    let mut kernel = node.open();
    let approved = ApprovedRound::new(round("core", 1, "2026H1", &[1000]), terms());
    for (statement, place, rule, rows) in BROKEN {
        store.load(&records(&["in 2016-01-01", "in 2016-02-01"]), &mut Draw::new(2));
        let sound = check(&source(&store)).expect("a report");
        assert!(sound.can_release() && sound.is_clean(), "{sound}");
        store.run(statement);
        let report = check(&source(&store)).expect("a report");
        assert!(!report.can_release(), "{statement}");
        let [found] = &report.flaws[..] else { panic!("{statement}: {report}") };
        let (flaw, at) = (found.flaw, format!("{}.{}", found.flaw.table, found.flaw.column));
        assert_eq!((at.as_str(), flaw.rule, found.rows), (*place, *rule, *rows), "{statement}");
        let text = report.to_string();
        assert!(text.contains(&format!("{rows} row")) && text.contains(place), "{text}");
        let refused = kernel.release(&approved, &source(&store), &snapshot_key());
        let Err(error @ KernelError::Source(_)) = refused else { panic!("{statement}: released") };
        let error = crate::daemon::explain(&error);
        assert!(error.contains(place), "{error}");
        for value in ["p00001", "p77777", "kvinne", "heavy", "nav ?", " 2 rows", "4294967296,"] {
            assert!(!error.contains(value), "{value} is in {error}");
        }
    }
    assert!(kernel.history().expect("a history").is_empty());
    store.load(&records(&["in 2016-01-01", "in 2016-02-01"]), &mut Draw::new(2));
    kernel.release(&approved, &source(&store), &snapshot_key()).expect("a release");
    // What was answered is answered from the journal, also when the database is gone.
    let mut gone = source(&store);
    drop(store);
    kernel.release(&approved, &gone, &snapshot_key()).expect("the same release");
    gone.rejected_rows = RejectedRows::Refuse;
    let other = ApprovedRound::new(round("other", 1, "2026H2", &[1000]), terms());
    assert!(kernel.release(&other, &gone, &snapshot_key()).is_err());
    assert_eq!(kernel.history().expect("a history").len(), 1);
}

#[test]
fn what_was_found_once_stands_though_a_view_says_something_else_later() {
    let mut store = Store::new(TABLES);
    store.load(&records(&["in 2016-01-01", "in 2016-02-01"]), &mut Draw::new(2));
    assert!(check(&source(&store)).expect("a report").can_release());
    store.run(
        "alter table stat.consent rename to consents;
         create view stat.consent as select case
             when set_config('test.seen', coalesce(current_setting('test.seen', true), '') || 'x', true) = 'x'
             then 'p77777' else participant_id end as participant_id,
             purpose, status, mode, date, form_version, valid_until, withdrawn_on from stat.consents",
    );
    let report = check(&source(&store)).expect("a report");
    assert!(!report.can_release(), "{report}");
    let approved = ApprovedRound::new(round("core", 1, "2026H1", &[1000]), terms());
    let node = Node::new(1_000_000_000);
    let mut kernel = node.open();
    let refused = kernel.release(&approved, &source(&store), &snapshot_key());
    assert!(matches!(refused, Err(KernelError::Source(_))));
    assert!(kernel.history().expect("a history").is_empty());
}

#[test]
fn a_table_that_is_not_there_is_not_recorded() {
    use crate::kernel::count::CountKey;
    use crate::kernel::people::question::asking;
    use fellestall_shared::wire::v1::{LegalBasis, Residence};
    let mut store = Store::new(TABLES);
    store.run("drop table stat.contact");
    let ask = |statistic| {
        let round = asking(statistic, LegalBasis::Consent, Residence::Anywhere);
        let question = round.question(&"4601".parse().expect("a number"));
        let keys = (&CountKey::from_bytes([7; 32]), &snapshot_key());
        counts(&store.config, &round, &terms(), question, keys).map(|_| ())
    };
    ask("S1").expect("a count that reads other tables");
    let refused = ask("S17").expect_err("no contacts");
    assert!(matches!(refused, KernelError::NotRecorded { .. }));
    assert!(refused.to_string().contains("contact in the schema stat"), "{refused}");
    let report = check(&source(&store)).expect("a report").to_string();
    assert!(report.contains("stat.contact"), "{report}");
}
