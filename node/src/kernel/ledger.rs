//! The privacy budget: pure arithmetic over what was charged, and the one place that makes grants.
//!
//! **Invariant:** a grant exists only for a charge that fits under all three caps. Nothing is ever
//! given back, and no clock is asked: the year is that of the period a release is about.

use super::journal::LedgerEntry;
use fellestall_shared::ids::StudyId;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use std::fmt;

/// What a municipality lets its releases cost, in zCDP rho. Set by the municipality alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Over all studies and years.
    pub lifetime: Rho,
    /// Over all releases about periods of one calendar year.
    pub year: Rho,
    /// Over all versions and periods of one study.
    pub study: Rho,
}

/// One of the three caps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cap {
    /// Over all studies and years.
    Lifetime,
    /// Over one calendar year of periods.
    Year(u16),
    /// Over one study.
    Study(StudyId),
}

impl fmt::Display for Cap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lifetime => f.write_str("the lifetime budget"),
            Self::Year(year) => write!(f, "the budget for periods in {year}"),
            Self::Study(study) => write!(f, "the budget for the study {study}"),
        }
    }
}

/// A charge that does not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "this costs {asked} rho, and {cap} has {left} left; nothing was read or sent. \
     Only the municipality can raise its budget, in the node's configuration"
)]
pub struct BudgetError {
    /// The cap that it would break: the first of lifetime, year and study.
    pub cap: Cap,
    /// What was asked for.
    pub asked: Rho,
    /// What is left.
    pub left: Rho,
}

/// What is spent and left under one cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account {
    /// What was charged.
    pub spent: Rho,
    /// What may still be charged.
    pub left: Rho,
}

/// How the budget stands, as one study and period see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// Over all studies and years.
    pub lifetime: Account,
    /// Over the calendar year of the period.
    pub year: Account,
    /// Over the study.
    pub study: Account,
}

/// All charges so far, under a budget.
pub(super) struct Ledger<'c> {
    budget: Budget,
    charges: &'c [LedgerEntry],
}

/// The right to one release of this loss. Made by [`Ledger::debit`], spent by move.
#[must_use]
pub(super) struct BudgetGrant {
    rho: Rho,
}

/// The part of a grant that pays for one table.
#[must_use]
pub(super) struct TableGrant {
    rho: Rho,
}

impl<'c> Ledger<'c> {
    /// The charges of a verified chain, under `budget`.
    pub(super) fn new(budget: Budget, charges: &'c [LedgerEntry]) -> Self {
        Self { budget, charges }
    }

    /// The charge for what a study has told of the last day of a period: in any version, and whether
    /// the period that it told of was a year, a half-year, a quarter or a month.
    pub(super) fn answered(&self, study: &StudyId, period: Period) -> Option<&'c LedgerEntry> {
        let day = period.last_day();
        self.charges.iter().find(|entry| entry.study == *study && entry.period.last_day() == day)
    }

    /// What is spent and left.
    pub(super) fn balance(&self, study: &StudyId, period: Period) -> Balance {
        let account = |cap: Rho, counts: &dyn Fn(&LedgerEntry) -> bool| {
            let charged = self.charges.iter().filter(|entry| counts(entry));
            // A sum beyond the type leaves nothing, as it should.
            let spent = charged
                .map(|entry| entry.charge)
                .try_fold(Rho::ZERO, Rho::plus)
                .unwrap_or(Rho::from_micro(u64::MAX));
            Account { spent, left: cap.budget_left(spent) }
        };
        Balance {
            lifetime: account(self.budget.lifetime, &|_| true),
            year: account(self.budget.year, &|entry| entry.period.year() == period.year()),
            study: account(self.budget.study, &|entry| entry.study == *study),
        }
    }

    /// Grants a charge that fits under every cap. It counts from the moment that the release it pays
    /// for is in the journal, in the same transaction.
    ///
    /// # Errors
    /// [`BudgetError`]: the first cap that the charge would break.
    ///
    /// # Privacy
    /// P2: the answer depends on the study, the period, the budget and earlier charges; never on
    /// records.
    pub(super) fn debit(
        self,
        study: &StudyId,
        period: Period,
        charge: Rho,
    ) -> Result<BudgetGrant, BudgetError> {
        let balance = self.balance(study, period);
        let caps = [
            (Cap::Lifetime, balance.lifetime.left),
            (Cap::Year(period.year()), balance.year.left),
            (Cap::Study(study.clone()), balance.study.left),
        ];
        for (cap, left) in caps {
            if charge > left {
                return Err(BudgetError { cap, asked: charge, left });
            }
        }
        Ok(BudgetGrant { rho: charge })
    }
}

impl BudgetGrant {
    /// Splits the grant over the tables of a release; `None` unless the parts make up the whole.
    pub(super) fn split(self, parts: &[Rho]) -> Option<Vec<TableGrant>> {
        let sum = parts.iter().copied().try_fold(Rho::ZERO, Rho::plus)?;
        (sum == self.rho).then(|| parts.iter().map(|rho| TableGrant { rho: *rho }).collect())
    }
}

impl TableGrant {
    /// What the table may cost; the grant is spent.
    pub(super) fn spend(self) -> Rho {
        self.rho
    }
}

#[cfg(test)]
mod tests;
