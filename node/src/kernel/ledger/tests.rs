//! The caps, to the last millionth.

use super::{Budget, BudgetError, Cap, Ledger};
use crate::kernel::journal::LedgerEntry;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{ReleaseId, StudyId};
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};

fn study(id: &str) -> StudyId {
    id.parse().expect("an id")
}

fn period(text: &str) -> Period {
    text.parse().expect("a period")
}

fn entry(study_id: &str, about: &str, micro: u64) -> LedgerEntry {
    LedgerEntry {
        sequence: 1,
        release: ReleaseId::from(Digest::ZERO),
        study: study(study_id),
        round: format!("{study_id}.1.{about}").parse().expect("a round"),
        period: period(about),
        charge: Rho::from_micro(micro),
        payload: Digest::ZERO,
        report: None,
        head: Digest::ZERO,
        sent: false,
    }
}

fn budget(lifetime: u64, year: u64, study: u64) -> Budget {
    let rho = Rho::from_micro;
    Budget { lifetime: rho(lifetime), year: rho(year), study: rho(study) }
}

/// Asks for `micro` for the study `core` about 2026H1; the answer is the cap that said no.
fn ask(budget: Budget, charges: &[LedgerEntry], micro: u64) -> Result<(), (Cap, u64)> {
    Ledger::new(budget, charges)
        .debit(&study("core"), period("2026H1"), Rho::from_micro(micro))
        .map(drop)
        .map_err(|BudgetError { cap, left, .. }| (cap, left.micro()))
}

#[test]
fn each_cap_holds_to_the_last_millionth() {
    let charges =
        [entry("core", "2026H2", 10), entry("core", "2025H1", 20), entry("other", "2026", 40)];
    assert_eq!(ask(budget(75, 1000, 1000), &charges, 5), Ok(()));
    assert_eq!(ask(budget(75, 1000, 1000), &charges, 6), Err((Cap::Lifetime, 5)));
    assert_eq!(ask(budget(1000, 55, 1000), &charges, 5), Ok(()));
    assert_eq!(ask(budget(1000, 55, 1000), &charges, 6), Err((Cap::Year(2026), 5)));
    assert_eq!(ask(budget(1000, 1000, 35), &charges, 5), Ok(()));
    assert_eq!(ask(budget(1000, 1000, 35), &charges, 6), Err((Cap::Study(study("core")), 5)));
}

#[test]
fn a_budget_lowered_below_what_is_spent_has_nothing_left() {
    let charges = [entry("core", "2026H2", 10)];
    assert_eq!(ask(budget(5, 1000, 1000), &charges, 1), Err((Cap::Lifetime, 0)));
}

#[test]
fn charges_beyond_the_integers_leave_nothing() {
    let charges = [entry("core", "2026H2", u64::MAX), entry("core", "2026H1", u64::MAX)];
    assert_eq!(ask(budget(u64::MAX, u64::MAX, u64::MAX), &charges, 1), Err((Cap::Lifetime, 0)));
}

/// L11: the year of a charge is the year of its period; no clock can move it.
#[test]
fn l11_the_year_is_that_of_the_period() {
    let charges = [entry("core", "2026H2", 50)];
    let left = |about: &str| {
        let ledger = Ledger::new(budget(1000, 100, 1000), &charges);
        ledger.balance(&study("core"), period(about)).year.left.micro()
    };
    for about in ["2026", "2026H1", "2026K4", "2026M12"] {
        assert_eq!(left(about), 50, "{about}");
    }
    assert_eq!((left("2025"), left("2027M01")), (100, 100));
}

#[test]
fn a_grant_splits_into_exactly_its_parts() {
    let grant = || {
        let rho = Rho::from_micro(10);
        Ledger::new(budget(10, 10, 10), &[])
            .debit(&study("core"), period("2026"), rho)
            .expect("room")
    };
    let split = |parts: &[u64]| {
        let parts: Vec<Rho> = parts.iter().copied().map(Rho::from_micro).collect();
        grant()
            .split(&parts)
            .map(|grants| grants.into_iter().map(|grant| grant.spend().micro()).collect::<Vec<_>>())
    };
    assert_eq!(split(&[3, 7]), Some(vec![3, 7]));
    assert_eq!(split(&[3, 8]), None);
    assert_eq!(split(&[3, 6]), None);
    assert_eq!(split(&[u64::MAX, 11]), None);
}

proptest! {
    /// However charges come, no cap is ever passed, and a refusal means that it would have been.
    #[test]
    fn no_sequence_passes_a_cap(
        caps in (1_u64..500, 1_u64..500, 1_u64..500),
        asks in prop::collection::vec((0_usize..3, 2024_u16..2027, 1_u64..100), 1..60),
    ) {
        let budget = budget(caps.0, caps.1, caps.2);
        let mut charges: Vec<LedgerEntry> = Vec::new();
        for (which, year, micro) in asks {
            let (id, year) = (["a", "b", "c"][which], year.to_string());
            let sum = |counts: &dyn Fn(&LedgerEntry) -> bool| {
                charges.iter().filter(|entry| counts(entry)).map(|entry| entry.charge.micro()).sum::<u64>()
            };
            let fits = sum(&|_| true) + micro <= caps.0
                && sum(&|entry| entry.period == period(&year)) + micro <= caps.1
                && sum(&|entry| entry.study == study(id)) + micro <= caps.2;
            let answer = Ledger::new(budget, &charges)
                .debit(&study(id), period(&year), Rho::from_micro(micro));
            prop_assert_eq!(answer.is_ok(), fits);
            if let Ok(grant) = answer {
                charges.push(entry(id, &year, micro));
                drop(grant);
            }
        }
        prop_assert!(charges.iter().map(|entry| entry.charge.micro()).sum::<u64>() <= caps.0);
    }
}
