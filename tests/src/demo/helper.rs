//! The second server: a process of its own, with a directory that the coordinator never reads.
//!
//! **Invariant:** the two operators trust each other's cards by the fingerprints that they read out, as
//! the README says; here both are this program.

use anyhow::{Context, Result, bail};
use fellestall_tests::process::{Binaries, Service, free_port, run};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The helper, running.
pub struct Helper {
    /// What the helper's operator gives to the coordinator's, and a study names.
    pub card: PathBuf,
    directory: PathBuf,
    service: Service,
}

impl Helper {
    /// Makes a helper, lets it and the coordinator in `coordinator` trust each other, and starts it.
    pub fn found(binaries: &Binaries, folder: &Path, coordinator: &Path) -> Result<Self> {
        let directory = folder.join("helper");
        let listen = format!("127.0.0.1:{}", free_port()?);
        let url = format!("https://{listen}");
        let (card, leader) = (folder.join("helper-card.json"), folder.join("leader-card.json"));
        let [ours, theirs] = [&card, &leader].map(|path| path.to_string_lossy().into_owned());
        let second = |arguments: &[&str]| command(binaries, &directory, arguments);
        let first = |arguments: &[&str]| command(binaries, coordinator, arguments);
        let name = "The demo's second server";
        second(&["helper", "init", "--name", name, "--url", &url, "--listen", &listen])?;
        let read_out = fingerprint(&second(&["helper", "card", "--out", &ours])?)?;
        first(&["aggregation", "trust-helper", &ours, "--fingerprint", &read_out])?;
        let read_out = fingerprint(&first(&["aggregation", "card", "--out", &theirs])?)?;
        second(&["helper", "trust-leader", &theirs, "--fingerprint", &read_out])?;
        let dir = ["--dir".into(), directory.clone().into_os_string()];
        let arguments = dir.into_iter().chain(["helper", "run"].map(OsString::from));
        let mut service =
            Service::start(&binaries.coordinator, arguments, &folder.join("helper.log"))?;
        for _ in 0..100 {
            if std::net::TcpStream::connect(&listen).is_ok() {
                return Ok(Self { card, directory, service });
            }
            service.assert_running()?;
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("the helper does not listen on {listen}")
    }

    /// Admits the enrolled nodes, as if every fingerprint had been compared with its municipality.
    pub fn admit(&self, binaries: &Binaries, folder: &Path, coordinator: &Path) -> Result<()> {
        let roster = folder.join("roster.json").to_string_lossy().into_owned();
        command(binaries, coordinator, &["aggregation", "roster", "--out", &roster])?;
        command(binaries, &self.directory, &["helper", "admit", &roster, "--compared"])?;
        Ok(())
    }

    /// Fails if the helper has stopped by itself.
    pub fn assert_running(&mut self) -> Result<()> {
        self.service.assert_running()
    }

    /// The most memory that it has held, in bytes.
    pub fn peak_memory(&self) -> Option<u64> {
        self.service.peak_memory()
    }

    /// Stops it in order.
    pub fn stop(self) -> Result<()> {
        self.service.stop()
    }
}

fn command(binaries: &Binaries, directory: &Path, arguments: &[&str]) -> Result<String> {
    let dir = ["--dir".into(), directory.as_os_str().to_owned()];
    run(&binaries.coordinator, dir.into_iter().chain(arguments.iter().map(OsString::from)))
}

/// The fingerprint in what a command said.
fn fingerprint(said: &str) -> Result<String> {
    let digits = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let found = said.split_whitespace().find(digits);
    found.map(str::to_owned).context("the command shows no fingerprint")
}
