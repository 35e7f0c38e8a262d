//! What is said at the top of the next page after something was done.
//!
//! **Invariant:** a closed list, kept in the session: an address cannot make a page say it.

use super::words::Words;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// A study was approved.
    Approved,
    /// A study was approved by the first of two people.
    FirstApproval,
    /// A study was refused.
    Refused,
    /// The records were checked.
    Checked,
    /// The records are being checked already.
    Busy,
}

impl Notice {
    /// In words.
    pub(super) fn text(self, words: &Words) -> &str {
        let notice = &words.notice;
        match self {
            Self::Approved => &notice.approved,
            Self::FirstApproval => &notice.first_approval,
            Self::Refused => &notice.refused,
            Self::Checked => &notice.checked,
            Self::Busy => &notice.busy,
        }
    }
}
