//! D17, as the kernel goes about it: two figures of which one lacks a participant are two charges, and
//! within one study there is no second figure of a day at all.

use super::support::{Node, export, round, snapshot_key};
use crate::kernel::people::terms;
use crate::kernel::source::SourceConfig;
use crate::kernel::{ApprovedRound, BudgetError, Cap, KernelError, Terms, Withdrawal};
use fellestall_shared::privacy::Rho;

/// One of the women opts out, beside the man who has.
fn withdraw(source: &SourceConfig) {
    let path = source.folder().expect("a folder").join("consent.csv");
    let rows = std::fs::read_to_string(&path).expect("consents");
    let row = "p1,statistics,refused,written,2026-08-01,1,,\n";
    std::fs::write(path, rows + row).expect("written");
}

#[test]
fn d17_a_figure_without_one_participant_is_charged_beside_the_one_with() {
    let mut node = Node::new(1_000_000);
    node.budget.lifetime = Rho::from_micro(5_000);
    let mut kernel = node.open();
    let source = export(&node.folder);
    let terms = Terms { withdrawal: Withdrawal::AtOnce, ..terms() };
    let approved = |study, version, about| {
        ApprovedRound::new(round(study, version, about, &[2_000]), terms.clone())
    };
    let first = approved("core", 1, "2026H1");
    let all = kernel.release(&first, &source, &snapshot_key()).expect("a release");
    let bytes = all.bytes().to_vec();
    withdraw(&source);
    // The study has told of the day: not again, in whatever guise, and what it told stands.
    for (version, about) in [(2, "2026H1"), (1, "2026K2"), (1, "2026M06")] {
        let again = kernel.release(&approved("core", version, about), &source, &snapshot_key());
        assert!(matches!(again, Err(KernelError::AnsweredBefore { .. })), "{version} {about}");
    }
    assert_eq!(kernel.release(&first, &source, &snapshot_key()).expect("the same").bytes(), bytes);
    // Another study may ask about it, and is paid for from the same people's budget: the sum is charged.
    let other = approved("other", 1, "2026H1");
    kernel.release(&other, &source, &snapshot_key()).expect("a release");
    let history = kernel.history().expect("a history");
    let spent: u64 = history.iter().map(|entry| entry.charge.micro()).sum();
    assert_eq!((history.len(), spent), (2, 4_000));
    let balance = kernel.balance(&"other".parse().expect("an id"), other.round().period());
    assert_eq!(balance.expect("a balance").lifetime.spent.micro(), 4_000);
    // A third one does not fit any more.
    let third = kernel.release(&approved("third", 1, "2026H1"), &source, &snapshot_key());
    assert!(matches!(third, Err(KernelError::Budget(BudgetError { cap: Cap::Lifetime, .. }))));
}
