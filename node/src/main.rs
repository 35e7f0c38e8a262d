//! The `fellestall-node` command.
//!
//! **Invariant:** the environment, the clock and the standard streams are taken here and passed on.

use fellestall_node::cli::{self, Environment};
use fellestall_node::client::Route;
use fellestall_shared::clock::SystemClock;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let environment = environment();
    cli::start_log(&arguments, &environment);
    let (mut out, mut errors) = (std::io::stdout(), std::io::stderr());
    let exit = cli::main(arguments, environment, Arc::new(SystemClock), &mut out, &mut errors);
    ExitCode::from(exit.code())
}

#[expect(clippy::disallowed_methods, reason = "the environment is read here, and only here")]
fn environment() -> Environment {
    let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let either = |one, other| read(one).or_else(|| read(other));
    let except = either("NO_PROXY", "no_proxy").unwrap_or_default();
    let except = format!("localhost,127.0.0.1,::1,{except}");
    Environment {
        proxy: either("HTTPS_PROXY", "https_proxy").map(|proxy| Route { proxy, except }),
        no_color: read("NO_COLOR").is_some(),
        log: read("FELLESTALL_LOG"),
        is_watched: std::io::stderr().is_terminal(),
        user: either("USER", "LOGNAME"),
    }
}
