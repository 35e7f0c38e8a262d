//! What people and logs are told while records are read.
//!
//! **Invariant:** it is how much of a file was read and how long the rest may take, on the terminal or in
//! the node's own log; a log gets whole percents and no size.

use crate::kernel::source::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const STEP: Duration = Duration::from_millis(200);
/// Between two lines of the log.
const LINE: Duration = Duration::from_secs(10);
/// The bar, where standard error is a terminal.
const BAR: &str = "reading records {bar:30} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";

/// Does some work that reads records, and tells how far it has come.
pub(crate) fn told<T>(progress: &Progress, work: impl FnOnce() -> T) -> T {
    thread::scope(|scope| {
        let (end, ended) = channel::<()>();
        scope.spawn(move || tell(progress, &ended));
        let result = work();
        drop(end);
        result
    })
}

fn tell(progress: &Progress, ended: &Receiver<()>) {
    let mut teller = Teller::new(Instant::now(), ProgressDrawTarget::stderr());
    while ended.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        let (read, size) = progress.bytes();
        teller.look(Instant::now(), read, size);
    }
    teller.bar.finish_and_clear();
}

/// Who looks now and then, and tells it to whoever is there.
struct Teller {
    bar: ProgressBar,
    begun: Instant,
    said: Instant,
    last: u64,
}

impl Teller {
    /// Tells a terminal by a bar; if there is none behind `target`, tells the log.
    fn new(now: Instant, target: ProgressDrawTarget) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template(BAR) {
            bar.set_style(style);
        }
        Self { bar, begun: now, said: now, last: 0 }
    }

    /// So many bytes were read now, of so many.
    fn look(&mut self, now: Instant, read: u64, size: u64) {
        if size == 0 || read == size {
            return;
        }
        if read < self.last || self.last == 0 {
            (self.begun, self.said) = (now, now);
        }
        self.last = read;
        if !self.bar.is_hidden() {
            self.bar.set_length(size);
            self.bar.set_position(read);
        } else if now.saturating_duration_since(self.said) >= LINE {
            self.said = now;
            let percent = read.saturating_mul(100).checked_div(size).unwrap_or(0);
            let seconds = now.saturating_duration_since(self.begun).as_secs();
            let left = seconds.saturating_mul(size.saturating_sub(read)).checked_div(read);
            tracing::info!(percent, seconds_left = left.unwrap_or(0), "reading records");
        }
    }
}

#[cfg(test)]
mod tests;
