//! The real binaries: built beside this one, run to their end, or kept running as services.
//!
//! **Invariant:** a service that was started here is stopped here, by the signal that an init system
//! would send.

use anyhow::{Context, Result, bail, ensure};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The two shipped programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    /// `fellestall-node`.
    pub node: PathBuf,
    /// `fellestall-coordinator`.
    pub coordinator: PathBuf,
}

impl Binaries {
    /// Builds both in the profile of the running program, and finds them beside it.
    ///
    /// # Errors
    /// If the build fails or the programs are not where cargo puts them.
    pub fn build() -> Result<Self> {
        let program = std::env::current_exe().context("the path of this program")?;
        let mut folder = program.clone();
        folder.pop();
        // A test has features that only tests ask for; with a test among the targets the programs
        // get the same, so that no library is compiled a second time. A benchmark is one too, and is
        // there already: a test would be optimised as a whole for nothing.
        let mut targets = vec!["--bins"];
        let name = program.file_stem().and_then(|name| name.to_str());
        let own = name.and_then(|name| name.rsplit_once('-')).map_or("", |(name, _)| name);
        if folder.ends_with("deps") {
            folder.pop();
            let is_bench = folder.ends_with("release");
            targets.extend(if is_bench { ["--bench", own] } else { ["--test", "programs"] });
        }
        let profile: &[&str] = if folder.ends_with("release") { &["--release"] } else { &[] };
        // All binaries of the workspace, as `cargo run` and `cargo test` resolved them: only these
        // two are linked.
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--locked", "--workspace"])
            .args(targets)
            .args(profile)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        // What cargo tells this program of its own package would look to a build script like a
        // change of its surroundings, and everything above it would be compiled again.
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|prefix| text.starts_with(prefix)) {
                cargo.env_remove(&name);
            }
        }
        let status = cargo.status().context("cargo could not be started")?;
        ensure!(status.success(), "the programs did not build");
        let find = |name: &str| {
            let path = folder.join(name);
            ensure!(path.is_file(), "{name} is not where cargo puts it");
            Ok(path)
        };
        Ok(Self { node: find("fellestall-node")?, coordinator: find("fellestall-coordinator")? })
    }
}

/// Runs a program to its end and gives its standard output.
///
/// # Errors
/// If it cannot be started or fails; the error carries what it said.
pub fn run<I, S>(program: &Path, arguments: I) -> Result<String>
where
    I: IntoIterator<Item = S>,
    S: AsRef<std::ffi::OsStr>,
{
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null());
    let output =
        command.output().with_context(|| format!("{} did not start", program.display()))?;
    if !output.status.success() {
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy()).collect();
        bail!(
            "{} {} failed: {}",
            program.file_name().unwrap_or_default().to_string_lossy(),
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    String::from_utf8(output.stdout).context("the output is not UTF-8")
}

/// How a program ended, and all that it said.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Its standard output.
    pub out: String,
    /// Its standard error.
    pub err: String,
}

/// Runs a command to its end, however that is.
///
/// # Errors
/// If it cannot be started, or says something that is not UTF-8.
pub fn attempt(command: &mut Command) -> Result<Ended> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.stdin(Stdio::null()).output().with_context(|| format!("{name} did not start"))?;
    Ok(Ended {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).context("the output is not UTF-8")?,
        err: String::from_utf8(output.stderr).context("the messages are not UTF-8")?,
    })
}

/// A program that runs until it is told to stop.
#[derive(Debug)]
pub struct Service {
    child: Child,
    log: PathBuf,
}

impl Service {
    /// Starts a program; what it says goes to `log`.
    ///
    /// # Errors
    /// If the log cannot be made or the program not started.
    pub fn start<I, S>(program: &Path, arguments: I, log: &Path) -> Result<Self>
    where
        I: IntoIterator<Item = S>,
        S: AsRef<std::ffi::OsStr>,
    {
        Self::spawn(Command::new(program).args(arguments), log)
    }

    /// Starts a command; what it says goes to `log`.
    ///
    /// # Errors
    /// If the log cannot be made or the command not started.
    pub fn spawn(command: &mut Command, log: &Path) -> Result<Self> {
        let file = File::create(log).with_context(|| format!("{}", log.display()))?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name} did not start"))?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// The id of the process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails with the end of its log if the program has stopped by itself.
    ///
    /// # Errors
    /// If it is not running any more.
    pub fn assert_running(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let tail: Vec<_> = log.lines().rev().take(5).collect();
            bail!(
                "a service stopped ({status}): {}",
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        Ok(())
    }

    /// The most memory that the process has held, in bytes (`VmHWM` of Linux), if it can be read.
    #[must_use]
    pub fn peak_memory(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
    }

    /// Ends the program without a word (SIGKILL), as when its machine loses power.
    ///
    /// # Errors
    /// If it has stopped by itself before.
    pub fn kill(mut self) -> Result<()> {
        self.assert_running()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks the program to stop (SIGTERM) and waits for it, ten seconds at the most.
    ///
    /// # Errors
    /// If it has to be killed, or ends with a failure.
    pub fn stop(mut self) -> Result<()> {
        self.terminate()
    }

    fn terminate(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status()?;
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                ensure!(
                    status.success(),
                    "a service ended with {status}; see {}",
                    self.log.display()
                );
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child.kill()?;
        self.child.wait()?;
        bail!("a service did not stop in ten seconds; see {}", self.log.display())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // A failure here has no one to hear it: `stop` is the way that reports.
        self.terminate().ok();
    }
}

/// A port on loopback that was free a moment ago.
///
/// # Errors
/// If none can be had.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
