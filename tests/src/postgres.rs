//! A real PostgreSQL for a test: a cluster of its own in a temporary folder.
//!
//! **Invariant:** reached over a Unix socket in that folder only, and stopped when it is dropped; where
//! PostgreSQL is missing a test fails and says what to install.

use anyhow::{Context, Result, bail, ensure};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// What a person without PostgreSQL has to do.
const MISSING: &str = "PostgreSQL is not installed: `apt-get install postgresql` (initdb and postgres are looked for in PATH and in /usr/lib/postgresql/*/bin)";

/// A running cluster.
#[derive(Debug)]
pub struct Postgres {
    folder: TempDir,
    server: Child,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    settings: Vec<String>,
}

impl Postgres {
    /// Makes and starts a cluster.
    ///
    /// # Errors
    /// If PostgreSQL is missing or does not start.
    pub fn start() -> Result<Self> {
        Self::start_with(&["listen_addresses="], |_| Ok(()))
    }

    /// The same with other settings (`name=value`), after `prepare` has put files into the folder of the
    /// cluster's data.
    ///
    /// # Errors
    /// If PostgreSQL is missing or does not start, or `prepare` fails.
    pub fn start_with(
        settings: &[&str],
        prepare: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let programs = programs().context(MISSING)?;
        let folder = tempfile::tempdir()?;
        let user = user()?;
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid))?;
        }
        let data = folder.path().join("data");
        let made = as_user(&programs.join("initdb"), user)
            .args(["--auth=trust", "--username=test", "--encoding=UTF8", "--no-locale", "-D"])
            .arg(&data)
            .current_dir(folder.path())
            .output()?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        prepare(&data)?;
        for file in std::fs::read_dir(&data)? {
            let file = file?.path();
            if let (Some((uid, gid)), true) = (user, file.is_file()) {
                std::os::unix::fs::chown(&file, Some(uid), Some(gid))?;
            }
        }
        let settings: Vec<String> = settings.iter().map(|setting| (*setting).to_owned()).collect();
        let server = serve(&programs, user, folder.path(), &settings)?;
        let mut cluster = Self { folder, server, programs, user, settings };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    /// Stops the cluster, as for an update of its machine; connections end.
    ///
    /// # Errors
    /// If it cannot be asked to.
    pub fn stop(&mut self) -> Result<()> {
        // SIGINT is PostgreSQL's fast shutdown: no waiting for clients.
        let asked = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status()?;
        ensure!(asked.success(), "PostgreSQL was not running");
        self.server.wait()?;
        Ok(())
    }

    /// Starts a cluster that was stopped.
    ///
    /// # Errors
    /// If it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.server = serve(&self.programs, self.user, self.folder.path(), &self.settings)?;
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            let ready = Command::new(self.programs.join("pg_isready"))
                .args(["-q", "-p", self.port(), "-h"])
                .arg(self.folder.path())
                .status()?;
            if ready.success() {
                return Ok(());
            }
            let ended = self.server.try_wait()?.is_some();
            if ended || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.folder.path().join("log"));
                bail!("PostgreSQL did not start: {}", log.unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn port(&self) -> &str {
        let port = self.settings.iter().find_map(|setting| setting.strip_prefix("port="));
        port.unwrap_or("5432")
    }

    /// The folder with the cluster's socket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Processor time of the server and of every process of it that has ended, in seconds, in steps of a
    /// hundredth, if it can be read (Linux).
    #[must_use]
    pub fn cpu_seconds(&self) -> Option<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.id())).ok()?;
        // After the name: user, system, and both of children that were waited for.
        let after_name = stat.rsplit(") ").next()?;
        let ticks = after_name.split(' ').skip(11).take(4).map(str::parse::<u32>);
        let ticks: u32 = ticks.collect::<Result<Vec<_>, _>>().ok()?.iter().sum();
        Some(f64::from(ticks) / 100.0)
    }

    /// The id of the server's first process, whose children serve the connections.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.server.id()
    }

    /// The address of one database of the cluster; `template1` and `postgres` exist.
    #[must_use]
    pub fn address(&self, database: &str) -> String {
        let socket = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://test@localhost/{database}?host={socket}")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // One that was stopped is waited for already.
        if matches!(self.server.try_wait(), Ok(None)) && self.stop().is_err() {
            self.server.kill().ok();
            self.server.wait().ok();
        }
    }
}

/// The server's process, over the data in `folder`.
fn serve(
    programs: &Path,
    user: Option<(u32, u32)>,
    folder: &Path,
    settings: &[String],
) -> Result<Child> {
    let server = as_user(&programs.join("postgres"), user)
        .arg("-D")
        .arg(folder.join("data"))
        .args(["-c", "max_connections=100", "-k"])
        .arg(folder)
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(folder.join("log"))?)
        .spawn()?;
    Ok(server)
}

/// The folder with `initdb` and `postgres`, the newest version first.
fn programs() -> Option<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|versions| versions.flatten().map(|version| version.path().join("bin")).collect())
        .unwrap_or_default();
    folders.sort();
    folders.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(|folder| {
        ["initdb", "postgres", "pg_isready"].iter().all(|name| folder.join(name).is_file())
    })
}

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn user() -> Result<Option<(u32, u32)>> {
    let id = |arguments: &[&str]| -> Result<u32> {
        let output = Command::new("id").args(arguments).output()?;
        ensure!(output.status.success(), "there is no user postgres, and root may not run it");
        Ok(String::from_utf8(output.stdout)?.trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)))
}

fn as_user(program: &Path, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.uid(uid).gid(gid);
    }
    command
}
