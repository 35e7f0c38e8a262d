//! The whole path, from files of records to bytes on disk.

use super::support::{EXPORT, Node, export, round, snapshot_key};
use crate::kernel::people::terms;
use crate::kernel::source::{Origin, RejectedRows, SourceConfig, SourceError};
use crate::kernel::{ApprovedRound, KernelError};
use fellestall_shared::digest::Digest;
use fellestall_shared::round::AcceptedRelease;
use fellestall_shared::signed::{Envelope, SigningKey, Verified};
use fellestall_shared::wire::v1::ReleaseDocument;

/// The greatest loss that is accounted for: sigma is 0.07, so that a draw other than 0 has
/// probability below 10^-40, and a test can see what was counted.
const LOUD: u64 = 100_000_000;

fn opened(node: &Node, bytes: &[u8]) -> Verified<ReleaseDocument> {
    let key = SigningKey::from_pkcs8(&node.pkcs8).expect("a key").verifying_key();
    Envelope::from_json(bytes).expect("an envelope").verify(&key).expect("a signature")
}

fn nowhere(node: &Node) -> SourceConfig {
    SourceConfig { origin: Origin::Folder(node.folder.join("nowhere")), ..export(&node.folder) }
}

#[test]
fn a_release_counts_the_records_of_those_who_have_not_opted_out() {
    let node = Node::new(1_000_000_000);
    let mut kernel = node.open();
    let question = round("core", 1, "2026H1", &[LOUD]);
    let approved = ApprovedRound::new(question.clone(), terms());
    let release =
        kernel.release(&approved, &export(&node.folder), &snapshot_key()).expect("a release");
    let document = opened(&node, release.bytes());
    // Of the export: two women, three men less one who opted out, one of unknown gender.
    assert_eq!(document.tables[0].values, [2, 2, 1]);
    assert_ne!(document.consent_snapshot, Digest::ZERO);
    assert_eq!((document.ledger_sequence, document.ledger_previous), (1, Digest::ZERO));
    // The coordinator takes it.
    let (id, municipality) = (document.node.clone(), document.municipality.clone());
    let accepted = AcceptedRelease::new(document, &question, &id, &municipality);
    assert_eq!(accepted.expect("accepted").ledger_head(), release.ledger_head());
}

/// D15: once recorded, the answer comes from the journal; the records may be gone or other.
#[test]
fn d15_a_replay_does_not_look_at_the_records() {
    let node = Node::new(1_000_000_000);
    let mut kernel = node.open();
    let approved = ApprovedRound::new(round("core", 1, "2026H1", &[1000]), terms());
    let source = export(&node.folder);
    let bytes =
        kernel.release(&approved, &source, &snapshot_key()).expect("a release").bytes().to_vec();
    let grown = format!("{EXPORT}p9,2020-01-01,1990,man,outdoors,none,no,,\n");
    std::fs::write(source.folder().expect("a folder").join("participant.csv"), grown)
        .expect("written");
    for source in [source, nowhere(&node)] {
        assert_eq!(
            kernel.release(&approved, &source, &snapshot_key()).expect("a release").bytes(),
            bytes
        );
    }
}

/// A refusal for lack of budget is given without a look at the records: it says nothing about them.
#[test]
fn a_refusal_for_the_budget_comes_before_the_records() {
    let node = Node::new(999);
    let mut kernel = node.open();
    let approved = ApprovedRound::new(round("core", 1, "2026H1", &[1000]), terms());
    let refusals = [export(&node.folder), nowhere(&node)].map(|source| {
        kernel.release(&approved, &source, &snapshot_key()).expect_err("refused").to_string()
    });
    assert_eq!(refusals[0], refusals[1]);
    assert!(refusals[0].contains("costs 0.001 rho"), "{}", refusals[0]);
}

#[test]
fn records_that_cannot_be_read_charge_nothing() {
    let node = Node::new(1_000_000_000);
    let mut kernel = node.open();
    let approved = ApprovedRound::new(round("core", 1, "2026H1", &[1000]), terms());
    let missing = kernel.release(&approved, &nowhere(&node), &snapshot_key());
    assert!(matches!(missing, Err(KernelError::Source(SourceError::Folder { .. }))));
    let source = export(&node.folder);
    let broken = format!("{EXPORT}p9,not-a-day,1990,man,outdoors,none,no,,\n");
    std::fs::write(source.folder().expect("a folder").join("participant.csv"), &broken)
        .expect("written");
    let refused = kernel.release(&approved, &source, &snapshot_key());
    let Err(KernelError::Source(error @ SourceError::Rejected { .. })) = refused else {
        panic!("not refused");
    };
    assert!(!error.to_string().contains("not-a-day"), "a value of a record: {error}");
    assert!(kernel.history().expect("a history").is_empty());
    let skipping = SourceConfig { rejected_rows: RejectedRows::Skip, ..source };
    assert_eq!(
        kernel.release(&approved, &skipping, &snapshot_key()).expect("a release").sequence(),
        1
    );
}

#[cfg(unix)]
#[test]
fn the_ledger_and_what_lies_beside_it_are_for_their_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let node = Node::new(1_000_000_000);
    let mut kernel = node.open();
    let approved = ApprovedRound::new(round("core", 1, "2026H1", &[1000]), terms());
    let source = export(&node.folder);
    kernel.release(&approved, &source, &snapshot_key()).expect("a release");
    let journal = node.journal();
    let name = journal.file_name().expect("a name").to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in std::fs::read_dir(journal.parent().expect("a folder")).expect("a folder") {
        let entry = entry.expect("an entry");
        let file = entry.file_name().to_string_lossy().into_owned();
        if let Some(end) = file.strip_prefix(&name) {
            let mode = entry.metadata().expect("metadata").permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
            found.push(end.to_owned());
        }
    }
    assert!(found.contains(&String::new()) && found.contains(&".head".to_owned()), "{found:?}");
}
