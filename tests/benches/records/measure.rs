//! What a program takes: processor time, time on the clock, highest memory.
//!
//! Processor time is that of the child process alone, user and system, as `bash` is told by the system
//! in milliseconds; memory is the highest resident set, as GNU `time` is told.
//!
//! **Invariant:** a program that fails is never measured.

use anyhow::{Context, Result, ensure};
use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

/// Runs `"$@"` under both; `$0` begins the names of the files that take what is said and measured.
const SCRIPT: &str = r#"TIMEFORMAT='%3U %3S %3R'
{ time /usr/bin/time -f %M -o "$0.memory" "$@" >"$0.out" 2>"$0.err"; } 2>"$0.time""#;

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// User and system time of the process, in seconds.
    pub cpu: f64,
    /// Seconds on the clock.
    pub wall: f64,
    /// The highest resident set, in bytes.
    pub memory: f64,
}

/// On which cores a program may run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cores {
    All,
    One,
}

/// Fails with what to install, if something that measures is missing.
pub fn check_tools() -> Result<()> {
    for (tool, package) in [("bash", "bash"), ("/usr/bin/time", "time"), ("taskset", "util-linux")]
    {
        let found = Command::new(tool).arg("--version").output();
        ensure!(found.is_ok(), "`{tool}` is not here: `apt-get install {package}`, then again");
    }
    Ok(())
}

/// Runs a program to its end and says what it took, and what it said.
pub fn measure<I, S>(
    scratch: &Path,
    cores: Cores,
    program: &Path,
    args: I,
) -> Result<(Cost, String)>
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let at = scratch.join("measured");
    let mut command = Command::new("bash");
    command.arg("-c").arg(SCRIPT).arg(&at);
    if cores == Cores::One {
        command.args(["taskset", "-c", "0"]);
    }
    let status = command.arg(program).args(args).status().context("bash did not start")?;
    let said = |end: &str| {
        let file = at.with_extension(end);
        std::fs::read_to_string(&file).with_context(|| format!("{}", file.display()))
    };
    let name = program.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ensure!(status.success(), "{name} failed: {}{}", said("err")?.trim(), said("out")?.trim());
    let times = said("time")?;
    let mut times = times.split_whitespace().map(str::parse::<f64>);
    let mut next = || times.next().context("bash measured nothing")?.context("not a time");
    let (user, system, wall) = (next()?, next()?, next()?);
    let memory: f64 = said("memory")?.trim().parse().context("GNU time measured nothing")?;
    Ok((Cost { cpu: user + system, wall, memory: memory * 1024.0 }, said("out")?))
}

/// The middle of several runs, each figure by itself.
pub fn median(runs: &[Cost]) -> Result<Cost> {
    let middle = |figure: fn(&Cost) -> f64| {
        let mut figures: Vec<f64> = runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().context("nothing was measured")
    };
    Ok(Cost {
        cpu: middle(|cost| cost.cpu)?,
        wall: middle(|cost| cost.wall)?,
        memory: middle(|cost| cost.memory)?,
    })
}
