//! D15: one question, one answer, one charge.

use super::support::{Node, ask, ask_without_records, counts, round};
use crate::kernel::{JournalError, KernelError};
use fellestall_shared::digest::Digest;
use fellestall_shared::wire::v1::Receipt;
use std::collections::BTreeSet;

/// D15: 1,000 repeats: one handle, after opening again, and 64 threads with handles of their own.
#[test]
fn d15_a_thousand_repeats_give_one_body_and_one_charge() {
    let node = Node::new(1_000_000);
    let question = round("core", 1, "2026H1", &[100_000, 200_000]);

    // Before there is any answer, 64 threads ask at once.
    let mut bodies: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let ask_some = || {
            let mut kernel = node.open();
            let ask = |_| ask(&mut kernel, &question).expect("a release").bytes().to_vec();
            (0..10).map(ask).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(ask_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
    });
    for _ in 0..20 {
        let mut kernel = node.open();
        for _ in 0..18 {
            let release = ask_without_records(&mut kernel, &question).expect("a release");
            bodies.push(release.bytes().to_vec());
        }
    }
    assert_eq!(bodies.len(), 1_000);
    assert_eq!(bodies.into_iter().collect::<BTreeSet<_>>().len(), 1);
    let history = node.open().history().expect("a history");
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].charge.micro(), 300_000);
}

/// D15: a copy of the whole folder, put back later, still gives the same bytes.
#[test]
fn d15_a_restored_folder_gives_the_same_bytes() {
    let node = Node::new(1_000_000);
    let question = round("core", 1, "2026H1", &[100_000]);
    let bytes = ask(&mut node.open(), &question).expect("a release").bytes().to_vec();
    let restored = Node::with_key(node.pkcs8.clone(), 1_000_000);
    for end in ["", ".head"] {
        std::fs::copy(node.beside(end), restored.beside(end)).expect("a copy");
    }
    let again = ask_without_records(&mut restored.open(), &question).expect("a release");
    assert_eq!(again.bytes(), bytes);
}

/// Another period or study is another question, and is paid for.
#[test]
fn another_question_is_another_release() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let questions = [
        round("core", 1, "2026H1", &[1000]),
        round("core", 2, "2026H2", &[1000]),
        round("core", 1, "2027H1", &[1000]),
        round("other", 1, "2026H1", &[1000]),
    ];
    let mut previous = Digest::ZERO;
    for (question, sequence) in questions.iter().zip(1..) {
        let release = ask(&mut kernel, question).expect("a release");
        assert_eq!(release.sequence(), sequence);
        let found = kernel.recorded(release.id()).expect("a journal").expect("it is there");
        assert_eq!(found.bytes(), release.bytes());
        assert_ne!(release.ledger_head(), previous);
        previous = release.ledger_head();
    }
    assert_eq!(kernel.history().expect("a history").len(), 4);
    let unknown = round("none", 1, "2026H1", &[1000]).question(&"4601".parse().expect("a number"));
    assert!(kernel.recorded(unknown).expect("a journal").is_none());
}

/// A study tells of one day once: not again in another version, nor of a longer or shorter period that
/// ends on that day. It is refused without a look at the records and without a charge, and what was
/// released stands.
#[test]
fn a_study_tells_of_one_day_once() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let first = round("core", 1, "2016H2", &[1000]);
    let bytes = ask(&mut kernel, &first).expect("a release").bytes().to_vec();
    for (version, about) in
        [(2, "2016H2"), (1, "2016"), (1, "2016K4"), (1, "2016M12"), (7, "2016M12")]
    {
        let again = round("core", version, about, &[1000]);
        let refused = ask_without_records(&mut kernel, &again).expect_err("a refusal");
        let KernelError::AnsweredBefore { earlier, asked } = &refused else {
            panic!("{refused}");
        };
        assert_eq!((earlier, asked), (first.id(), again.id()));
        let said = refused.to_string();
        assert!(said.contains("core.1.2016H2") && said.contains("nothing was read"), "{said}");
    }
    assert_eq!(kernel.history().expect("a history").len(), 1);
    assert_eq!(ask_without_records(&mut kernel, &first).expect("a release").bytes(), bytes);
    // Another day, and another study about that day, are other questions.
    for (study, about) in [("core", "2016H1"), ("core", "2016M11"), ("other", "2016H2")] {
        ask(&mut kernel, &round(study, 1, about, &[1000])).expect("a release");
    }
}

/// A count that fails leaves no charge, and the question may be asked again.
#[test]
fn a_failed_count_charges_nothing() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let question = round("core", 1, "2026H1", &[1000]);
    let failed = kernel.answer((&question, None), |_| Err(KernelError::Receipt));
    assert!(matches!(failed, Err(KernelError::Receipt)));
    assert!(kernel.history().expect("a history").is_empty());

    // Counts of another study's tables are a defect, and charge nothing either.
    let other = round("core", 1, "2026H1", &[1000, 1000]);
    let wrong = kernel.answer((&question, None), |_| Ok(counts(&other)));
    assert!(matches!(wrong, Err(KernelError::Make(_))));
    assert!(kernel.history().expect("a history").is_empty());
    assert_eq!(ask(&mut kernel, &question).expect("a release").sequence(), 1);
}

#[test]
fn a_receipt_is_noted_once_and_for_its_own_release_only() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let question = round("core", 1, "2026H1", &[1000]);
    let release = ask(&mut kernel, &question).expect("a release");
    let bytes = release.bytes().to_vec();
    let receipt = Receipt { release: release.id(), digest: release.payload_digest() };
    let other = Receipt { digest: Digest::ZERO, ..receipt.clone() };
    assert!(matches!(kernel.mark_sent(release, &other), Err(KernelError::Receipt)));
    for sent_before in [false, true] {
        let release = ask_without_records(&mut kernel, &question).expect("a release");
        assert_eq!(release.is_sent(), sent_before);
        assert_eq!(release.bytes(), bytes);
        let head = release.ledger_head();
        assert_eq!(kernel.mark_sent(release, &receipt).expect("noted").ledger_head(), head);
    }
    assert!(node.open().history().expect("a history")[0].sent);
}

/// The journal belongs to one key and one municipality.
#[test]
fn a_journal_of_another_node_is_refused() {
    let node = Node::new(1_000_000);
    ask(&mut node.open(), &round("core", 1, "2026H1", &[1000])).expect("a release");
    let other = Node::at(&node.folder, Node::new(1).pkcs8.clone(), 1_000_000);
    let refused = other.try_open().err();
    assert!(matches!(
        refused,
        Some(KernelError::Journal(JournalError::Damaged { sequence: 1, what: "signature", .. }))
    ));
}

/// A handle that cannot know whether its last release is on disk answers nothing until the journal
/// is opened again, which tells.
#[test]
fn an_unknown_outcome_stops_the_handle_until_it_is_opened_again() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let question = round("core", 1, "2026H1", &[1000]);
    // A constraint that is looked at only when the transaction commits, and cannot hold.
    kernel.journal.execute(
        "PRAGMA foreign_keys = ON;
         CREATE TEMP TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TEMP TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
         CREATE TEMP TRIGGER fail AFTER INSERT ON main.release
             BEGIN INSERT INTO child VALUES (1); END;",
    );
    let unknown = ask(&mut kernel, &question).err();
    assert!(
        matches!(unknown, Some(KernelError::Journal(JournalError::Unknown { .. }))),
        "{unknown:?}"
    );
    for _ in 0..2 {
        let stopped = ask_without_records(&mut kernel, &question).err();
        assert!(matches!(stopped, Some(KernelError::Journal(JournalError::Stopped { .. }))));
    }
    let mut again = node.open();
    assert!(again.history().expect("a history").is_empty());
    assert_eq!(ask(&mut again, &question).expect("a release").sequence(), 1);
}
