//! `run`.
//!
//! **Invariant:** a signal stops the node between two effects, never inside the kernel's work.

use super::failure::of_client;
use super::{CliError, Exit, Session, runtime};
use crate::console::Console;
use crate::daemon::{Daemon, DaemonError, Report};
use clap::Args;
use serde_json::json;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    /// One full cycle: ask, decide, release, send; then leave.
    #[arg(long)]
    once: bool,
}

pub(super) fn run(session: &mut Session<'_>, arguments: &RunArgs) -> Result<Exit, CliError> {
    let proxy = session.environment.proxy.clone();
    let clock = Arc::clone(&session.clock);
    let mut daemon = Daemon::open(&session.directory, proxy, clock)?;
    let (stop, stopped) = watch::channel(false);
    let once = arguments.once;
    let console = if once { None } else { session.config()?.console };
    let (directory, clock) = (session.directory.clone(), Arc::clone(&session.clock));
    let report = runtime()?.block_on(async move {
        let mut terminate = signal(SignalKind::terminate()).map_err(CliError::Runtime)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(CliError::Runtime)?;
        let console = match console {
            Some(address) => Some(Console::start(&directory, address, clock).await?),
            None => None,
        };
        let signals = async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            stop.send_replace(true);
            // The node says when it is done.
            std::future::pending::<()>().await;
        };
        let work = async {
            if once {
                daemon.cycle(&mut stopped.clone()).await.map(Some)
            } else {
                daemon.run(stopped).await.map(|()| None)
            }
        };
        let done: Result<Option<Report>, DaemonError> = tokio::select! {
            done = work => done,
            () = signals => Ok(None),
        };
        if let Some(console) = console {
            console.shutdown().await;
        }
        done.map_err(CliError::from)
    })?;
    report.map_or(Ok(Exit::Done), |report| show(session, &report))
}

/// What an operator is told of a node that the coordinator does not countersign.
pub(super) const REFUSED: &str = "another copy of this node has spoken to the coordinator, or this \
    folder was restored from a backup; nothing is released. Stop the other copy if there is one, then \
    run: fellestall-node recover";

/// What an operator is told of a round that has no task yet.
pub(super) const WAITS: &str = "waits for its task: the helper has not accepted it yet, or this node was not enrolled when the round \
     was opened; nothing is read, sent or charged";

fn show(session: &mut Session<'_>, report: &Report) -> Result<Exit, CliError> {
    let cycle = &report.cycle;
    let facts = json!({
        "sent": cycle.sent,
        "not_released": report.not_released,
        "waiting_for_task": report.waiting,
        "clock_skew": cycle.clock_skew,
        "witness_refused": cycle.witness_refused,
        "failure": report.failure.as_ref().map(ToString::to_string),
    });
    session.out.facts(&facts, || {
        let mut lines: Vec<_> = cycle
            .sent
            .iter()
            .map(|round| format!("{round}: the coordinator has the release"))
            .collect();
        lines.extend(report.not_released.iter().map(|(round, why)| format!("{round}: {why}")));
        lines.extend(report.waiting.iter().map(|round| format!("{round}: {WAITS}")));
        lines.extend(report.failure.iter().map(ToString::to_string));
        if cycle.clock_skew {
            lines.push("the clocks differ by more than a day; nothing was released".to_owned());
        }
        if cycle.witness_refused {
            lines.push(REFUSED.to_owned());
        }
        if lines.is_empty() {
            lines.push("nothing to do".to_owned());
        }
        lines.join("\n")
    })?;
    Ok(match &report.failure {
        Some(error) => of_client(error),
        None if cycle.witness_refused => Exit::Refused,
        None if report.refused => Exit::Refused,
        None if cycle.clock_skew || cycle.rejected || !report.not_released.is_empty() => {
            Exit::Failed
        }
        None => Exit::Done,
    })
}
