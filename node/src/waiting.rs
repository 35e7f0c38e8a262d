//! What people and logs are told while records are read.
//!
//! **Invariant:** it is how much of a file was read and how long the rest may take, on the terminal or in
//! the node's own log; a log gets whole percents and no size.

use crate::kernel::source::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// Between two looks.
const STEP: Duration = Duration::from_millis(200);
/// Between two lines of the log.
const LINE: Duration = Duration::from_secs(10);
/// The bar, where there is a terminal.
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
    // It draws on standard error, and only if that is a terminal.
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(BAR) {
        bar.set_style(style);
    }
    let (mut begun, mut last) = (Instant::now(), 0);
    let mut said = begun;
    while ended.recv_timeout(STEP) == Err(RecvTimeoutError::Timeout) {
        let (read, size) = progress.bytes();
        if size == 0 || read == size {
            continue;
        }
        if read < last || last == 0 {
            begun = Instant::now();
            said = begun;
        }
        last = read;
        if !bar.is_hidden() {
            bar.set_length(size);
            bar.set_position(read);
        } else if said.elapsed() >= LINE {
            said = Instant::now();
            let percent = read.saturating_mul(100).checked_div(size).unwrap_or(0);
            let seconds = begun.elapsed().as_secs();
            let left = seconds.saturating_mul(size.saturating_sub(read)).checked_div(read);
            tracing::info!(percent, seconds_left = left.unwrap_or(0), "reading records");
        }
    }
    bar.finish_and_clear();
}
