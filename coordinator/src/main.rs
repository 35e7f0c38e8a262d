//! The `fellestall-coordinator` command.

use clap::Parser;
use fellestall_coordinator::cli::{self, Arguments};
use fellestall_shared::clock::SystemClock;
use std::process::ExitCode;
use std::sync::Arc;
use tracing_subscriber::EnvFilter;

#[expect(clippy::print_stderr, reason = "the last word of a failed command")]
fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime did not start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut stdout = std::io::stdout();
    match runtime.block_on(cli::execute(arguments, Arc::new(SystemClock), &mut stdout)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let code = error.exit_code();
            eprintln!("error: {:#}", anyhow::Error::from(error));
            ExitCode::from(code)
        }
    }
}

/// Logs to standard error; `FELLESTALL_LOG` says how much, as `debug` or `fellestall_coordinator=debug`.
fn log() {
    #[expect(clippy::disallowed_methods, reason = "the environment is read in main")]
    let filter = std::env::var("FELLESTALL_LOG").unwrap_or_else(|_| "info,sqlx=warn".to_owned());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
