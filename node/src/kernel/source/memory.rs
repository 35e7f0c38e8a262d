//! How much memory reading the records may take.
//!
//! **Invariant:** what would go beyond the limit is refused before it is taken, and nothing is released.

use super::error::SourceError;

/// Bytes of a MiB.
pub(super) const MIB: u64 = 1024 * 1024;

/// Memory that was taken, of what may be.
pub(super) struct Memory {
    limit: u64,
    taken: u64,
}

impl Memory {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, taken: 0 }
    }

    /// Takes so many bytes more.
    pub(super) fn take(&mut self, bytes: u64) -> Result<(), SourceError> {
        self.taken = self.taken.saturating_add(bytes);
        if self.taken > self.limit {
            return Err(self.refuse());
        }
        Ok(())
    }

    /// What is said beyond the limit.
    pub(super) fn refuse(&self) -> SourceError {
        SourceError::Memory { limit_mib: self.limit.checked_div(MIB).unwrap_or(0) }
    }

    /// Takes the memory of some values of a type, with what their collections keep free.
    pub(super) fn take_some<T>(&mut self, number: usize) -> Result<(), SourceError> {
        let bytes = size_of::<T>().saturating_mul(number);
        let with_room = bytes.saturating_add(bytes.checked_div(2).unwrap_or(0));
        self.take(u64::try_from(with_room).unwrap_or(u64::MAX))
    }

    /// What is left.
    pub(super) fn left(&self) -> u64 {
        self.limit.saturating_sub(self.taken)
    }
}
