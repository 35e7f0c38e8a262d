//! A coordinator and one enrolled node, as real programs, with as many studies as there are runs.
//!
//! A node answers a study about a period once. So every run has a study of its own, about the same
//! tables and the same half-year, which is approved right before.
//!
//! **Invariant:** everything goes through the commands that an operator would give.

use crate::measure::{Cores, Cost, measure};
use anyhow::{Context, Result, bail, ensure};
use fellestall_tests::process::{Binaries, Service, free_port, run};
use fellestall_tests::synthetic::large::{FORM_VERSION, Truth};
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The half-year that is asked about.
const PERIOD: &str = "2026H1";
const NODE: &str = "4601";

/// What a study asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tables {
    /// S17, S18 and S19.
    Contacts,
    /// The core set, S18 and S19.
    Core,
}

impl Tables {
    fn list(self) -> &'static [&'static str] {
        match self {
            Self::Contacts => &["S17", "S18", "S19"],
            Self::Core => &["S2", "S4", "S5", "S7", "S14", "S17", "S18", "S19"],
        }
    }
}

/// The two programs.
pub struct Stage {
    binaries: Binaries,
    folder: PathBuf,
    studies: u32,
    truth: Option<Truth>,
    coordinator: Service,
}

impl Stage {
    /// A coordinator, and a node over the records in `records`.
    pub fn set(binaries: &Binaries, folder: &Path, records: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let coordinator = start(binaries, folder)?;
        let (binaries, folder) = (binaries.clone(), folder.to_owned());
        let mut stage = Self { binaries, folder, studies: 0, truth: None, coordinator };
        let invitation = stage.path("invitation");
        stage.coordinate(&["invite", "--municipality", NODE, "--out", &invitation])?;
        let init = ["init", "--municipality", NODE, "--rejected-rows", "refuse", "--records"];
        let caps = ["--year", "1000", "--study", "1000", "--lifetime", "1000"];
        let records_path = records.to_string_lossy();
        stage.operate(&[&init[..], &[&records_path], &caps].concat())?;
        let mapping = records.join("mapping.toml");
        if mapping.is_file() {
            stage.configure("# mapping = ", &format!("mapping = \"{}\"\n# ", mapping.display()))?;
        }
        let enrol = ["enrol", "--invitation", &invitation, "--no-wait"];
        stage.operate(&enrol)?;
        stage.coordinate(&["nodes", "approve", &format!("{NODE}-1")])?;
        stage.operate(&enrol)?;
        // The register has the columns of the largest study; it allows the smaller ones too.
        let study = stage.publish(Tables::Core)?;
        stage.operate(&["run", "--once"])?;
        let form = ["--form", FORM_VERSION, "--information-letter", FORM_VERSION];
        let end = ["--withdrawal", "next-period", "--at-end", "delete"];
        stage.operate(&[&["register", "add", &study][..], &form, &end].concat())?;
        Ok(stage)
    }

    /// Replaces a text of the node's configuration.
    pub fn configure(&self, from: &str, to: &str) -> Result<()> {
        let file = self.folder.join("node").join("fellestall-node.toml");
        let text = std::fs::read_to_string(&file)?;
        ensure!(text.contains(from), "the configuration does not say {from}");
        Ok(std::fs::write(file, text.replacen(from, to, 1))?)
    }

    /// What the node takes to answer a round, from its start to its end.
    pub fn answer(&mut self, tables: Tables, cores: Cores) -> Result<Cost> {
        let study = self.publish(tables)?;
        let round = format!("{study}.1.{PERIOD}");
        self.operate(&["run", "--once"])?;
        self.operate(&["approve", &study])?;
        self.coordinator.assert_running()?;
        let dir = self.path("node");
        let args = ["--dir", &dir, "run", "--once"];
        let (cost, said) = measure(&self.folder, cores, &self.binaries.node, args)?;
        ensure!(said.contains(&format!("{round}: the coordinator has the release")), "{said}");
        if let Some(truth) = &self.truth {
            self.check(&round, truth).context("what left is not what the records say")?;
        }
        Ok(cost)
    }

    /// Every later answer is held against what is true.
    pub fn expect(&mut self, truth: Truth) {
        self.truth = Some(truth);
    }

    /// Holds the noisy figures of a round against the truth. The noise of a cell has a standard deviation of
    /// 2 in S17, and of 21 in the sum over S18: twenty of them are allowed.
    fn check(&self, round: &str, truth: &Truth) -> Result<()> {
        let json = |text: String| serde_json::from_str::<Value>(&text).context("JSON");
        let releases = json(self.operate(&["--json", "releases"])?)?;
        let of_round = |one: &&Value| one.get("round").and_then(Value::as_str) == Some(round);
        let release = releases.as_array().and_then(|all| all.iter().find(of_round));
        let id = release.and_then(|one| one.get("release")?.as_str()).context("the release")?;
        let release = json(self.operate(&["--json", "releases", "--show", id])?)?;
        let values = |statistic: &str| -> Result<Vec<i64>> {
            let tables = release.get("tables").and_then(Value::as_array).context("tables")?;
            let is_it =
                |one: &&Value| one.get("statistic").and_then(Value::as_str) == Some(statistic);
            let table = tables.iter().find(is_it).context("a table")?;
            let values = table.get("values").and_then(Value::as_array).context("values")?;
            values.iter().map(|value| value.as_i64().context("a number")).collect()
        };
        for (value, exact) in values("S17")?.into_iter().zip(truth.home_visits) {
            ensure!((value - exact).abs() <= 40, "S17: {value} and not {exact}");
        }
        let (sum, exact) = (values("S18")?.iter().sum::<i64>(), truth.categories);
        ensure!((sum - exact).abs() <= 420, "S18: {sum} and not {exact}");
        Ok(())
    }

    /// What a command of the node takes.
    pub fn time(&self, args: &[&str]) -> Result<Cost> {
        let dir = self.path("node");
        let args = ["--dir", &dir].into_iter().chain(args.iter().copied());
        Ok(measure(&self.folder, Cores::All, &self.binaries.node, args)?.0)
    }

    /// What the coordinator's list of nodes takes.
    pub fn time_list(&self) -> Result<Cost> {
        let dir = self.path("coordinator");
        let args = ["--dir", &dir, "nodes", "list"];
        Ok(measure(&self.folder, Cores::All, &self.binaries.coordinator, args)?.0)
    }

    /// The name of a study that the node knows.
    pub fn study(&self) -> String {
        name(self.studies)
    }

    /// Stops the coordinator in order.
    pub fn strike(self) -> Result<()> {
        self.coordinator.stop()
    }

    fn publish(&mut self, tables: Tables) -> Result<String> {
        self.studies += 1;
        let study = name(self.studies);
        let template = ["study", "template", "--starts", "2013-01-01", "--ends", "2035-12-31"];
        let tables = tables.list().iter().flat_map(|table| ["--statistic", table]);
        let text = self.coordinate(&template.into_iter().chain(tables).collect::<Vec<_>>())?;
        let text = text.replacen("study = \"core\"", &format!("study = \"{study}\""), 1);
        let file = self.path("study.toml");
        std::fs::write(&file, text)?;
        self.coordinate(&["study", "publish", &file])?;
        let open = ["round", "open", &study, "--period", PERIOD, "--closes", "2035-12-31"];
        self.coordinate(&open)?;
        Ok(study)
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }

    fn coordinate(&self, arguments: &[&str]) -> Result<String> {
        command(&self.binaries.coordinator, &self.folder.join("coordinator"), arguments)
    }

    fn operate(&self, arguments: &[&str]) -> Result<String> {
        command(&self.binaries.node, &self.folder.join("node"), arguments)
    }
}

fn name(number: u32) -> String {
    format!("bench-{number}")
}

fn command(program: &Path, directory: &Path, arguments: &[&str]) -> Result<String> {
    let dir = [OsString::from("--dir"), directory.as_os_str().to_owned()];
    run(program, dir.into_iter().chain(arguments.iter().map(OsString::from)))
}

fn start(binaries: &Binaries, folder: &Path) -> Result<Service> {
    let directory = folder.join("coordinator");
    let listen = format!("127.0.0.1:{}", free_port()?);
    let url = format!("https://{listen}");
    command(&binaries.coordinator, &directory, &["init", "--url", &url, "--listen", &listen])?;
    let dir = directory.to_str().context("a path that is text")?;
    let log = folder.join("coordinator.log");
    let mut service = Service::start(&binaries.coordinator, ["--dir", dir, "run"], &log)?;
    for _ in 0..200 {
        if std::net::TcpStream::connect(&listen).is_ok() {
            return Ok(service);
        }
        service.assert_running()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the coordinator does not listen on {listen}")
}
