//! `cargo demo`: a country on this machine, from synthetic records to published figures.
//!
//! Real programs in real processes over mutual TLS on loopback: nineteen nodes enrol, approve,
//! release; the coordinator merges and publishes, once sums of noisy tables and once, with a helper of
//! another organisation, sums that are opened whole; both publications are verified offline.
//!
//! **Invariant:** the exact truth is known here because the records are synthetic, and says so
//! wherever it is shown. No shipped program can print it.
#![expect(clippy::print_stdout, reason = "the demo is a command for people")]

mod country;
mod figures;
mod helper;

use anyhow::{Context, Result};
use clap::Parser;
use fellestall_tests::process::Binaries;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// A country of municipalities on this machine, over synthetic records.
///
/// Starts a coordinator and one node for each municipality, lets them enrol, approve a study and
/// release, merges and publishes the national figures, verifies them offline, and serves them on a
/// page until it is stopped.
#[derive(Debug, Parser)]
#[command(name = "demo", version)]
struct Arguments {
    /// Exit when the figures are published and verified, instead of serving them.
    #[arg(long)]
    once: bool,
    /// Write what was published, the exact truth (the records are synthetic) and the timings.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// How many municipalities take part, Bergen and Sandnes among them.
    #[arg(long, value_name = "N", default_value_t = 19, value_parser = clap::value_parser!(u16).range(2..=357))]
    nodes: u16,
    /// Keep the synthetic exports, the nodes and the coordinator in this new folder.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// What the demo asks its steps to say while they run.
struct Progress {
    started: Instant,
    timings: Vec<(&'static str, f64)>,
}

impl Progress {
    /// Runs one step under a bar of `total`, and keeps how long it took.
    fn step<T>(
        &mut self,
        name: &'static str,
        total: usize,
        work: impl FnOnce(&ProgressBar) -> Result<T>,
    ) -> Result<T> {
        let before = Instant::now();
        let bar = ProgressBar::new(u64::try_from(total)?);
        bar.set_style(ProgressStyle::with_template("  {msg:<44} {bar:24} {pos}/{len}")?);
        bar.set_message(name);
        bar.enable_steady_tick(Duration::from_millis(200));
        let done = work(&bar).with_context(|| format!("while trying to: {name}"))?;
        bar.finish_and_clear();
        let seconds = before.elapsed().as_secs_f64();
        println!("  {name:<44} {seconds:>6.1} s");
        self.timings.push((name, seconds));
        Ok(done)
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut progress = Progress { started: Instant::now(), timings: Vec::new() };
    println!("Fellestall demo: {} municipalities on this machine.", arguments.nodes);
    println!("All records are SYNTHETIC. Bergen's and Sandnes' reproduce the published tables of");
    println!("Fafo's evaluation of 2017; the other municipalities' are invented.");
    println!();

    let binaries = progress.step("build the two programs", 1, |_| Binaries::build())?;
    let temporary;
    let folder = if let Some(folder) = &arguments.data {
        std::fs::create_dir(folder)
            .with_context(|| format!("--data must name a new folder: {}", folder.display()))?;
        folder.canonicalize()?
    } else {
        temporary = tempfile::tempdir()?;
        temporary.path().to_owned()
    };
    let mut country =
        country::Country::found(binaries, &folder, arguments.nodes.into(), &mut progress)?;
    let published = country.run_round(&mut progress)?;
    println!();
    figures::print(&country, &published)?;
    let memory = country.peak_memory();
    println!();
    println!(
        "Done in {:.1} s after the build. The largest node held {} MB of memory, the coordinator {} MB, the helper {} MB.",
        progress.started.elapsed().as_secs_f64()
            - progress.timings.first().map_or(0.0, |first| first.1),
        memory.largest_node / 1_000_000,
        memory.coordinator / 1_000_000,
        memory.helper / 1_000_000,
    );
    if let Some(file) = &arguments.json {
        figures::write_json(&country, &published, &progress.timings, &memory, file)?;
        println!("Figures, truth and timings are in {}.", file.display());
    }
    if !arguments.once {
        println!("The figures are served at {}", country.public_url());
        println!("Press Ctrl-C to stop.");
        wait_for_the_end()?;
    }
    country.stop()
}

/// Until Ctrl-C or a request to end: either way the processes that the demo started are ended too.
fn wait_for_the_end() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut end = signal(SignalKind::terminate()).context("waiting for a signal")?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.context("waiting for Ctrl-C"),
            _ = end.recv() => Ok(()),
        }
    })
}
