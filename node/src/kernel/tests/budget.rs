//! D24 and L10: the end of the budget.

use super::support::{Node, ask, ask_without_records, round};
use crate::kernel::{BudgetError, Cap, KernelError};
use fellestall_shared::signed::{Envelope, SigningKey, Verified};
use fellestall_shared::wire::v1::ReleaseDocument;

/// D24: releases until the budget ends stop exactly at the cap, and what the releases say that they
/// cost is what the ledger says that was spent.
#[test]
fn d24_the_budget_ends_exactly_at_the_cap() {
    let node = Node::new(1_000_000);
    let mut kernel = node.open();
    let mut printed = 0;
    for (month, charge) in [(1, 300_000), (2, 300_000), (3, 300_000), (4, 100_000)] {
        let about = format!("2026M{month:02}");
        let question = round("core", 1, &about, &[charge / 2, charge / 2]);
        let release = ask(&mut kernel, &question).expect("a release");
        printed += printed_loss(&node, release.bytes());
        // At each step: one millionth more than what is left is refused, before any record is read.
        let left = 1_000_000 - printed;
        let too_much = round("core", 1, "2026M12", &[left + 1]);
        let refused = ask_without_records(&mut kernel, &too_much).err();
        let Some(KernelError::Budget(BudgetError { cap, asked, left: said })) = refused else {
            panic!("not refused for the budget");
        };
        assert_eq!((cap, asked.micro(), said.micro()), (Cap::Lifetime, left + 1, left));
    }
    assert_eq!(printed, 1_000_000);
    let period = round("core", 1, "2026M01", &[1]).period();
    let balance = kernel.balance(&"core".parse().expect("an id"), period).expect("a balance");
    for account in [balance.lifetime, balance.year, balance.study] {
        assert_eq!((account.spent.micro(), account.left.micro()), (1_000_000, 0));
    }
    let history = node.open().history().expect("a history");
    assert_eq!(history.iter().map(|entry| entry.charge.micro()).sum::<u64>(), printed);
    // What was answered is still answered.
    let first = round("core", 1, "2026M01", &[150_000, 150_000]);
    assert_eq!(ask_without_records(&mut kernel, &first).expect("a release").sequence(), 1);
}

/// The sum of the losses of a release's tables, which must be the charge that it states.
fn printed_loss(node: &Node, bytes: &[u8]) -> u64 {
    let key = SigningKey::from_pkcs8(&node.pkcs8).expect("a key").verifying_key();
    let release: Verified<ReleaseDocument> =
        Envelope::from_json(bytes).expect("an envelope").verify(&key).expect("a signature");
    let sum =
        release.tables.iter().map(|table| table.loss.charge().expect("a charge").micro()).sum();
    assert_eq!(release.charge_micro.micro(), sum);
    sum
}

/// L10: of 64 different questions at once for the last of the budget, exactly one is answered.
#[test]
fn l10_the_last_of_the_budget_is_won_once() {
    let node = Node::new(100_000);
    ask(&mut node.open(), &round("core", 1, "2026H1", &[40_000])).expect("a release");
    let won: Vec<bool> = std::thread::scope(|scope| {
        let node = &node;
        let ask_one = |number| {
            let question = round(&format!("study-{number}"), 1, "2026H1", &[60_000]);
            move || match ask(&mut node.open(), &question) {
                Ok(_) => true,
                Err(KernelError::Budget(_)) => false,
                Err(error) => panic!("{error}"),
            }
        };
        let threads: Vec<_> = (0..64).map(|number| scope.spawn(ask_one(number))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread")).collect()
    });
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let spent = node.open().history().expect("a history");
    assert_eq!(spent.iter().map(|entry| entry.charge.micro()).sum::<u64>(), 100_000);
}

/// L11: there is no clock to move. The kernel is made from paths, names, caps and keys, and a
/// charge is counted under its period's year however late or early it is made.
#[test]
fn l11_a_year_is_full_whatever_day_it_is() {
    let mut node = Node::new(1_000_000);
    node.budget.year = fellestall_shared::privacy::Rho::from_micro(100);
    let mut kernel = node.open();
    ask(&mut kernel, &round("core", 1, "2026H2", &[100])).expect("a release");
    for again in ["2026H1", "2026K3", "2026M12", "2026"] {
        let refused = ask_without_records(&mut kernel, &round("other", 1, again, &[1]));
        assert!(
            matches!(refused, Err(KernelError::Budget(BudgetError { cap: Cap::Year(2026), .. }))),
            "{again}"
        );
    }
    ask(&mut kernel, &round("core", 1, "2025H2", &[100])).expect("another year");
    ask(&mut kernel, &round("core", 1, "2027H1", &[100])).expect("another year");
}
