//! Rounds with shared tables: what a kernel asks for before it answers, and what it answers.
//!
//! **Invariant:** every report here is made by a real kernel, and added up as the two servers do.

use super::support::{Node, ask_without_records, asking, counts_of, export, round, snapshot_key};
use crate::kernel::people::terms;
use crate::kernel::{ApprovedRound, Kernel, KernelError, MakeError, Recorded, Release};
use fellestall_shared::digest::Digest;
use fellestall_shared::round::Round;
use fellestall_shared::secure::seal::{self, SealingSecret};
use fellestall_shared::secure::vdaf::{Vdaf, leader_share_digest};
use fellestall_shared::secure::{AcceptedReport, Bytes, Task, TaskError, report_id};
use fellestall_shared::signed::{Envelope, SigningKey, VerifyingKey};
use fellestall_shared::wire::v1::{
    Aggregation, HelperIdentity, LedgerHead, ReleaseDocument, Report, TaskDocument, TaskParticipant,
};
use rusqlite::Connection;
use std::collections::BTreeSet;

mod sum;

/// The helper's sealing secret, always the same: a study that names it has one digest in every process.
pub(super) fn helper() -> SealingSecret {
    SealingSecret::from_bytes(&[7; 32]).expect("a secret")
}

fn aggregation() -> Aggregation {
    Aggregation {
        tolerated: 1,
        largest_count: 1000,
        helper: HelperIdentity {
            name: "the helper".to_owned(),
            signing_key: VerifyingKey::from_bytes(&[1; 32]).expect("a key"),
            sealing_key: helper().public(),
        },
    }
}

/// A round whose first table has noise of its own, whose second is shared, and whose third is both.
pub(super) fn question(about: &str) -> Round {
    let losses = [(Some(1_000), None), (None, Some(2_000)), (Some(500), Some(3_000))];
    asking("shared", 1, about, &losses, Some(aggregation()))
}

pub(super) fn participant(node: &Node) -> TaskParticipant {
    let key = SigningKey::from_pkcs8(&node.pkcs8).expect("a key").verifying_key();
    participant_of(&node.municipality, key)
}

fn participant_of(municipality: &str, release_key: VerifyingKey) -> TaskParticipant {
    TaskParticipant {
        municipality: municipality.parse().expect("a number"),
        node: format!("{municipality}-1").parse().expect("an id"),
        release_key,
    }
}

/// Another municipality, before all others by number.
fn other() -> TaskParticipant {
    participant_of("0301", VerifyingKey::from_bytes(&[2; 32]).expect("a key"))
}

fn document(round: &Round, participants: Vec<TaskParticipant>) -> TaskDocument {
    let study = round.study();
    let layout = study.layout().expect("shared tables");
    TaskDocument {
        round: round.id().clone(),
        study: study.digest(),
        period: round.period(),
        participants,
        minimum: study.document().minimum_nodes,
        length: u32::try_from(layout.length()).expect("small"),
        bits: layout.bits(),
        helper: aggregation().helper.signing_key.fingerprint(),
    }
}

pub(super) fn task_of(round: &Round, participants: Vec<TaskParticipant>) -> Task {
    let document = document(round, participants);
    let digest = Digest::of("test", &serde_json::to_vec(&document).expect("JSON"));
    Task::check(&document, digest, round).expect("a task")
}

/// The task of a node and one other.
pub(super) fn task(round: &Round, node: &Node) -> Task {
    task_of(round, vec![other(), participant(node)])
}

/// Asks the kernel, which may count so many in every cell.
fn ask(
    kernel: &mut Kernel,
    round: &Round,
    task: &Task,
    count: i64,
) -> Result<Release<Recorded>, KernelError> {
    kernel.answer((round, Some(task)), |_| Ok(counts_of(round, count)))
}

/// A report as the leader takes it, checked as both servers check it, with the opened helper's share.
pub(super) fn opened(
    bytes: &[u8],
    task: &Task,
    round: &Round,
) -> (AcceptedReport, Report, Vec<u8>) {
    let sent: Report = serde_json::from_slice(bytes).expect("a report");
    let report = AcceptedReport::new(sent.report.clone(), task, round).expect("an answer");
    let document = report.document();
    assert_eq!(document.leader_share, leader_share_digest(&sent.leader_share.0));
    let id = report_id(document.release);
    assert_eq!(report.id(), id);
    let (public, sealed) = (&document.public_share.0, &document.helper_share.0);
    let share = seal::open(&helper(), task.digest(), &id, public, sealed).expect("opened");
    (report, sent, share)
}

fn released(release: &Release<Recorded>, node: &Node) -> ReleaseDocument {
    let key = SigningKey::from_pkcs8(&node.pkcs8).expect("a key").verifying_key();
    let envelope = Envelope::from_json(release.bytes()).expect("an envelope");
    ReleaseDocument::clone(&envelope.verify(&key).expect("signed"))
}

/// Whatever is wrong with the task is found before a record is read, and charges nothing.
#[test]
fn a_round_with_shared_tables_is_answered_under_its_own_task_alone() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let asked = question("2026H1");
    let mut refused = |task: Option<&Task>| {
        let error = kernel.answer((&asked, task), |_| panic!("records were read")).err();
        assert!(kernel.history().expect("a history").is_empty());
        error.expect("refused")
    };
    assert!(matches!(refused(None), KernelError::NoTask));
    let another = question("2026H2");
    let another = task(&another, &node);
    let wrong = refused(Some(&another));
    assert!(matches!(wrong, KernelError::Task(TaskError::Bound { what: "round" })), "{wrong}");
    // Two others; this node under another key; this municipality with another node.
    let mine = participant(&node);
    let strange = VerifyingKey::from_bytes(&[3; 32]).expect("a key");
    for participants in [
        vec![other(), participant_of("0601", strange.clone())],
        vec![other(), TaskParticipant { release_key: strange, ..mine.clone() }],
        vec![other(), TaskParticipant { node: "4601-2".parse().expect("an id"), ..mine.clone() }],
    ] {
        let without = task_of(&asked, participants);
        assert!(matches!(refused(Some(&without)), KernelError::NotListed));
    }
    // A task with fewer participants than the study asks for is none.
    let few = document(&asked, vec![mine]);
    assert!(matches!(Task::check(&few, Digest::ZERO, &asked), Err(TaskError::Participants)));
    // And a study without shared tables needs none.
    let plain = round("core", 1, "2026H1", &[1000]);
    super::support::ask(&mut kernel, &plain).expect("a release");
}

#[test]
fn a_release_holds_the_tables_with_noise_of_its_own_and_names_its_report() {
    let node = Node::new(1_000_000);
    let (asked, mut kernel) = (question("2026H1"), node.open());
    let task = task(&asked, &node);
    let release = ask(&mut kernel, &asked, &task, 10).expect("a release");
    let document = released(&release, &node);
    let tables: Vec<_> = document.tables.iter().map(|table| table.statistic.as_str()).collect();
    assert_eq!(tables, ["S1", "S3"]);
    assert_eq!((release.charge().micro(), document.charge_micro.micro()), (6_500, 6_500));
    let (report, sent, share) = opened(release.report_bytes().expect("a report"), &task, &asked);
    assert_eq!(document.report, Some(report.verified().digest()));
    assert_eq!(release.report_digest(), document.report);
    assert_eq!(report.document().release, release.id());
    // Two halves that fit each other, and nothing else does.
    let vdaf = Vdaf::of(asked.study().layout().expect("shared")).expect("a vector");
    let id = report.id();
    let public = &report.document().public_share.0;
    let (state, verifier) = vdaf
        .leader_start(&[9; 32], task.digest(), &id, public, &sent.leader_share.0)
        .expect("well formed");
    let (_, message) = vdaf
        .helper_finish(&[9; 32], task.digest(), &id, public, &share, &verifier)
        .expect("it holds");
    assert!(state.finish(&message).is_ok());
}

/// D19: the size of a report follows from the layout alone.
#[test]
fn d19_reports_of_nobody_of_one_and_of_many_have_one_size() {
    let sizes = [0, 1, 1000].map(|count| {
        let node = Node::new(1_000_000);
        let asked = question("2026H1");
        let release =
            ask(&mut node.open(), &asked, &task(&asked, &node), count).expect("a release");
        (release.report_bytes().expect("a report").len(), release.wire_bytes().len())
    });
    assert_eq!(sizes.into_iter().collect::<BTreeSet<_>>().len(), 1, "{sizes:?}");
}

/// D15 for reports: 64 threads at once, opening again, and without a task at all: one body, one charge.
#[test]
fn d15_a_thousand_repeats_give_one_report_and_one_charge() {
    let node = Node::new(1_000_000);
    let asked = question("2026H1");
    let task = task(&asked, &node);
    let both = |release: &Release<Recorded>| {
        (release.bytes().to_vec(), release.report_bytes().expect("a report").to_vec())
    };
    let mut bodies = std::thread::scope(|scope| {
        let ask_some = || {
            let mut kernel = node.open();
            let ask = |_| both(&ask(&mut kernel, &asked, &task, 10).expect("a release"));
            (0..10).map(ask).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(ask_some)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect::<Vec<_>>()
    });
    for _ in 0..20 {
        let mut kernel = node.open();
        bodies.extend(
            (0..18).map(|_| both(&ask_without_records(&mut kernel, &asked).expect("a release"))),
        );
    }
    assert_eq!(bodies.len(), 1_000);
    assert_eq!(bodies.into_iter().collect::<BTreeSet<_>>().len(), 1);
    assert_eq!(node.open().history().expect("a history").len(), 1);
}

#[test]
fn a_count_that_a_report_has_no_room_for_records_nothing() {
    let node = Node::new(1_000_000);
    let (asked, mut kernel) = (question("2026H1"), node.open());
    let task = task(&asked, &node);
    let refused = ask(&mut kernel, &asked, &task, 1_000_000).err();
    assert!(matches!(refused, Some(KernelError::Make(MakeError::Room))), "{refused:?}");
    assert!(kernel.history().expect("a history").is_empty());
    let said = refused.map(|error| format!("{error:?} {error}")).expect("refused");
    assert!(!said.contains("1000000"), "{said}");
    ask(&mut kernel, &asked, &task, 1_000).expect("a release");
}

/// L07: a report that was altered, moved, added or lost is found when the ledger is opened.
#[test]
fn l07_a_damaged_report_is_found() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    for about in ["2026H1", "2026H2"] {
        let asked = question(about);
        ask(&mut kernel, &asked, &task(&asked, &node), 10).expect("a release");
    }
    super::support::ask(&mut kernel, &round("core", 1, "2026H1", &[1000])).expect("a release");
    drop(kernel);
    let database = Connection::open(node.journal()).expect("a database");
    let found = |what: &str| {
        let error = node.try_open().err();
        let damaged = matches!(
            &error,
            Some(KernelError::Journal(crate::kernel::JournalError::Damaged { what: "report", .. }))
        );
        assert!(damaged, "{what}: {error:?}");
    };
    let whole: Vec<u8> = database
        .query_row("SELECT body FROM report WHERE sequence = 2", [], |row| row.get(0))
        .expect("a report");
    let set = |body: &[u8]| {
        let sql = "UPDATE report SET body = ?1 WHERE sequence = 2";
        database.execute(sql, [body]).expect("set");
    };
    for at in (0..whole.len()).step_by(whole.len() / 97) {
        let mut body = whole.clone();
        body[at] ^= 1 << (at % 8);
        set(&body);
        found(&format!("byte {at}"));
    }
    set(&[whole.as_slice(), b" "].concat());
    found("longer");
    set(&whole);
    drop(node.open());
    for (wrong, right) in [
        (
            "UPDATE report SET sequence = 9 WHERE sequence = 2",
            "UPDATE report SET sequence = 2 WHERE sequence = 9",
        ),
        (
            "UPDATE report SET sequence = 3 WHERE sequence = 2",
            "UPDATE report SET sequence = 2 WHERE sequence = 3",
        ),
        (
            "INSERT INTO report SELECT 3, body FROM report WHERE sequence = 1",
            "DELETE FROM report WHERE sequence = 3",
        ),
        ("DELETE FROM report WHERE sequence = 1", "SELECT 1"),
    ] {
        database.execute_batch(wrong).expect("set");
        found(wrong);
        database.execute_batch(right).expect("mended");
    }
}

/// What a ledger lost is put back without the report: the coordinator took it before the release.
#[test]
fn a_recovered_release_has_no_report_to_send() {
    let node = Node::new(1_000_000);
    let asked = question("2026H1");
    let task = task(&asked, &node);
    let release = ask(&mut node.open(), &asked, &task, 10).expect("a release");
    let known = Envelope::from_json(release.bytes()).expect("an envelope");
    let until = LedgerHead { sequence: 1, head: release.ledger_head() };
    let restored = Node::with_key(node.pkcs8.clone(), 1_000_000);
    let mut kernel = restored.open();
    assert_eq!(kernel.recover(vec![known], until).expect("put back"), 1);
    drop(kernel);
    let again = ask_without_records(&mut restored.open(), &asked).expect("recorded");
    assert!(again.is_sent() && again.report_bytes().is_none());
    assert_eq!((again.bytes(), again.report_digest()), (release.bytes(), release.report_digest()));
}

/// What a report is made of has no way to be printed or copied.
#[test]
fn a_vector_is_not_shown() {
    use crate::kernel::report::Vector;
    static_assertions::assert_not_impl_any!(Vector: std::fmt::Debug, std::fmt::Display, Clone, serde::Serialize);
    let node = Node::new(1_000_000);
    let asked = question("2026H1");
    let release = ask(&mut node.open(), &asked, &task(&asked, &node), 10).expect("a release");
    let sent: Report =
        serde_json::from_slice(release.report_bytes().expect("a report")).expect("a report");
    let Bytes(share) = sent.leader_share;
    let shown = format!("{release:?}");
    assert!(shown.contains("Bytes("), "{shown}");
    assert!(!shown.contains(&data_encoding::BASE64.encode(&share)), "a share was shown");
}

/// D20: what stands in the records and nowhere else is in no byte of the report, and of the ledger.
#[test]
fn d20_a_report_holds_nothing_of_a_record() {
    const MARK: &str = "kanari-deltaker-7f3e91";
    let node = Node::new(1_000_000);
    let source = export(&node.folder);
    for name in ["participant.csv", "consent.csv"] {
        let path = source.folder().expect("a folder").join(name);
        let text = std::fs::read_to_string(&path).expect("records");
        std::fs::write(path, text.replace("\np", &format!("\n{MARK}-p"))).expect("marked");
    }
    let asked = question("2026H1");
    let approved = ApprovedRound::new(asked.clone(), terms()).with_task(task(&asked, &node));
    let release = node.open().release(&approved, &source, &snapshot_key()).expect("a release");
    let body = release.report_bytes().expect("a report");
    let sent: Report = serde_json::from_slice(body).expect("a report");
    let payload = serde_json::to_value(&sent.report).expect("JSON")["payload"].clone();
    let payload = data_encoding::BASE64.decode(payload.as_str().expect("text").as_bytes());
    let ledger = std::fs::read(node.journal()).expect("a ledger");
    for place in [body, &payload.expect("base64"), &sent.leader_share.0, &ledger] {
        assert!(!place.windows(MARK.len()).any(|part| part == MARK.as_bytes()));
    }
    assert!(!format!("{release:?}").contains(MARK));
}

/// From files of records, as a node answers.
pub(super) fn answer(node: &Node, asked: &Round, task: &Task) -> Vec<u8> {
    let approved = ApprovedRound::new(asked.clone(), terms()).with_task(task.clone());
    let release =
        node.open().release(&approved, &export(&node.folder), &snapshot_key()).expect("a release");
    release.report_bytes().expect("a report").to_vec()
}
