//! How often it is written down that somebody failed to sign in by a provider.
//!
//! Each instance counts what it writes itself: of several, each writes so many lines. (Guessing at passwords
//! is counted in the store.)
//!
//! **Invariant:** bounded in memory.

use fellestall_shared::clock::Timestamp;
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long a failure counts.
const WINDOW: Duration = Duration::from_mins(10);
/// Failures under one name within the window, at the most.
const PER_NAME: usize = 10;
/// Failures in all within the window, at the most.
const IN_ALL: usize = 30;

/// Failures of late, oldest first.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    failures: Mutex<VecDeque<(Timestamp, String)>>,
}

impl Throttle {
    /// How many seconds to wait before trying again under a name; `None` if it may be tried now.
    pub(super) fn wait(&self, name: &str, now: Timestamp) -> Option<u64> {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that was set back must not lock anybody out for longer than the window.
        failures.retain(|(at, _)| *at > now.minus(WINDOW) && *at <= now);
        let name = name.trim().to_lowercase();
        let under_name = failures.iter().filter(|(_, other)| *other == name);
        let oldest = if failures.len() >= IN_ALL {
            failures.front().map(|(at, _)| *at)
        } else if under_name.clone().count() >= PER_NAME {
            under_name.map(|(at, _)| *at).min()
        } else {
            None
        };
        let again = oldest?.plus(WINDOW).unix().saturating_sub(now.unix());
        Some(u64::try_from(again).unwrap_or(1).max(1))
    }

    /// Counts a failure.
    pub(super) fn failed(&self, name: &str, now: Timestamp) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name.trim().to_lowercase().chars().take(64).collect();
        failures.push_back((now, name));
        if failures.len() > IN_ALL {
            failures.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{IN_ALL, PER_NAME, Throttle};
    use fellestall_shared::clock::Timestamp;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(1_000_000 + second)
    }

    #[test]
    fn too_many_failures_have_to_wait_and_others_do_not() {
        let throttle = Throttle::default();
        for second in 0..10 {
            assert_eq!(throttle.wait("Kari", at(second)), None);
            throttle.failed("kari", at(second));
        }
        assert_eq!(PER_NAME, 10);
        assert_eq!(throttle.wait("KARI ", at(10)), Some(590));
        assert_eq!(throttle.wait("ola", at(10)), None);
        assert_eq!(throttle.wait("kari", at(600)), None, "the first failure is over");
        assert_eq!(throttle.wait("kari", at(-900)), None, "a clock that was set back");
    }

    #[test]
    fn many_names_together_have_to_wait_too() {
        let throttle = Throttle::default();
        for failure in 0..IN_ALL {
            throttle.failed(&format!("name {failure}"), at(0));
        }
        assert_eq!(throttle.wait("somebody else", at(1)), Some(599));
        assert_eq!(throttle.wait("somebody else", at(601)), None);
    }
}
