//! What is told to whom.
//!
//! **Invariant:** the whole of what is said is compared, so that nothing else is in it.

use super::{Duration, Instant, ProgressDrawTarget, STEP, Teller};
use indicatif::TermLike;
use std::io::{self, IsTerminal};
use std::sync::{Arc, Mutex};

/// What was written, to a log or on a terminal.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("whole").clone()).expect("text")
    }

    fn add(&self, text: &str) -> io::Result<()> {
        io::Write::write_all(&mut *self.0.lock().expect("whole"), text.as_bytes())
    }
}

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("whole").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TermLike for Written {
    fn width(&self) -> u16 {
        120
    }

    fn move_cursor_up(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_down(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_right(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn move_cursor_left(&self, _: usize) -> io::Result<()> {
        Ok(())
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(text)?;
        self.add("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\n")
    }

    fn flush(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The log of so many seconds, in each of which a hundredth of a file is read.
fn logged(seconds: u32, target: ProgressDrawTarget) -> String {
    let log = Written::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .without_time()
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        let start = Instant::now();
        let mut teller = Teller::new(start, target);
        for looks in 0..=seconds * 5 {
            teller.look(start + STEP * looks, u64::from(looks) * 2_000_000, 1_000_000_000);
        }
        teller.bar.finish_and_clear();
    });
    log.text()
}

#[test]
fn a_service_logs_every_ten_seconds_how_far_it_has_come_and_nothing_else() {
    assert_eq!(STEP * 5, Duration::from_secs(1));
    assert_eq!(logged(9, ProgressDrawTarget::hidden()), "");
    assert_eq!(
        logged(35, ProgressDrawTarget::hidden()),
        " INFO reading records percent=10 seconds_left=88\n \
         INFO reading records percent=20 seconds_left=79\n \
         INFO reading records percent=30 seconds_left=69\n"
    );
}

#[test]
fn a_terminal_gets_a_bar_and_the_log_nothing() {
    let screen = Written::default();
    let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
    assert_eq!(logged(35, target), "");
    let text = screen.text();
    let drawn: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert!(drawn.iter().any(|line| line.contains("MiB/953.67 MiB, ")), "{drawn:?}");
    for line in drawn {
        // The words are ours; the rest is the bar, numbers and their units.
        let rest =
            line.strip_prefix("reading records ").and_then(|rest| rest.strip_suffix(" left"));
        let rest = rest.unwrap_or_else(|| panic!("{line:?}"));
        let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "s", "m", "h", "d", "w", "y"];
        let words = rest.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        for word in words {
            assert!(units.contains(&word), "{word} in {line:?}");
        }
    }
}

/// The bar is for who looks at standard error, and not for a file or another program.
#[test]
fn there_is_no_bar_where_standard_error_is_no_terminal() {
    let teller = Teller::new(Instant::now(), ProgressDrawTarget::stderr());
    assert_eq!(teller.bar.is_hidden(), !io::stderr().is_terminal());
}
