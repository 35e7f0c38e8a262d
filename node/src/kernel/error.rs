//! Why the kernel gives no release.
//!
//! **Invariant:** no error has a value, a row, a count or a person in it.

use super::count::CountError;
use super::source::{SourceError, Table};
use super::{BudgetError, JournalError, MakeError};
use fellestall_shared::ids::RoundId;
use fellestall_shared::secure::TaskError;

/// Why there is no release. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// The ledger cannot be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It does not fit in the budget.
    #[error(transparent)]
    Budget(#[from] BudgetError),
    /// The records could not be read. For the operator alone: it is not sent to anyone.
    #[error("the records could not be read; nothing was charged")]
    Source(#[from] SourceError),
    /// A table that the study reads is not recorded: that is not the same as a table of zeros.
    #[error(
        "the study reads the table {table}, and there is no {file}; nothing was charged. Export it (a file with only its header, or an empty view, says that nothing happened), or refuse the study as not-recorded"
    )]
    NotRecorded {
        /// The table.
        table: Table,
        /// The file, or the table or view, that would hold it.
        file: String,
    },
    /// The study has told of this day before, in another version or of a longer or shorter period.
    #[error(
        "the study has been answered in {earlier}, about a period that ends on the same day as that of {asked}: a figure that was released stands, and the same people are not counted for it twice; nothing was read or charged"
    )]
    AnsweredBefore {
        /// The round that was answered.
        earlier: RoundId,
        /// The round that is not.
        asked: RoundId,
    },
    /// Shared tables without the task that says who else reports.
    #[error(
        "the study has shared tables, and the helper has not accepted the round's task yet; nothing was read or charged"
    )]
    NoTask,
    /// A task that is not for this round.
    #[error("the task is not for this round; nothing was read or charged")]
    Task(#[source] TaskError),
    /// A task without this node.
    #[error(
        "the task does not list this node with its id, municipality and release key; nothing was read or charged"
    )]
    NotListed,
    /// The records could not be counted.
    #[error("the records could not be counted; nothing was charged")]
    Count(#[from] CountError),
    /// The release could not be made.
    #[error("the release could not be made; nothing was charged")]
    Make(#[from] MakeError),
    /// A receipt that is not for the release it was given with.
    #[error("the coordinator's receipt is for another release, or for other bytes than were sent")]
    Receipt,
    /// A release that was recorded is not in the journal.
    #[error("the ledger does not give back the release that was just written; check its disk")]
    Lost,
}
