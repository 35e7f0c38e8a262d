//! How far the reading of the records has come.
//!
//! **Invariant:** it says how much of a file was read, and nothing of what is in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How far the reading of a large file has come. A clone is another view of the same.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    numbers: Arc<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    read: AtomicU64,
    size: AtomicU64,
}

impl Progress {
    /// Bytes read of the file that is being read, and its size in bytes; both are 0 when none is.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        let size = self.numbers.size.load(Ordering::Relaxed);
        (self.numbers.read.load(Ordering::Relaxed).min(size), size)
    }

    /// A file of so many bytes is read from now on.
    pub(super) fn start(&self, size: u64) {
        self.numbers.read.store(0, Ordering::Relaxed);
        self.numbers.size.store(size, Ordering::Relaxed);
    }

    /// So many more bytes were read.
    pub(super) fn add(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.numbers.read.fetch_add(bytes, Ordering::Relaxed);
    }
}
