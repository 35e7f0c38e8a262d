//! A coordinator and its nodes, each a real process with a directory of its own.
//!
//! **Invariant:** everything here goes through the commands that an operator would give.

use crate::Progress;
use anyhow::{Context, Result, bail};
use fellestall_coordinator::publish::PublicationFile;
use fellestall_shared::ids::{MunicipalityNumber, StatisticId};
use fellestall_shared::municipality;
use fellestall_shared::period::Period;
use fellestall_tests::process::{Binaries, Service, free_port, run};
use fellestall_tests::synthetic::{self, Export};
use indicatif::ProgressBar;
use serde_json::Value;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The seed of the invented municipalities: the same demo has the same records every time.
const SEED: u64 = 2016;
/// The half-years that are asked about; the last is the period of the published tables.
const PERIODS: [&str; 2] = ["2016H1", synthetic::PUBLISHED_PERIOD];
/// The round whose figures are shown: the core study, version 1, over the last period.
const ROUND: &str = "core.1.2016H2";
/// How long the demo waits for all releases of a round, for each node.
const PATIENCE_PER_NODE: Duration = Duration::from_secs(6);

/// The whole country.
pub struct Country {
    binaries: Binaries,
    folder: PathBuf,
    coordinator: Service,
    public_url: String,
    nodes: Vec<Node>,
    exports: Vec<Export>,
}

struct Node {
    municipality: MunicipalityNumber,
    directory: PathBuf,
    service: Option<Service>,
}

/// What was published, read back from its file.
pub struct PublishedRound {
    /// The publication's file.
    pub file: PublicationFile,
    /// What offline verification said.
    pub verified: String,
}

/// Peak memory in bytes.
pub struct Memory {
    /// The node that held the most.
    pub largest_node: u64,
    /// The coordinator.
    pub coordinator: u64,
}

impl Country {
    /// Generates the exports, starts the coordinator and enrols every node.
    pub fn found(
        binaries: Binaries,
        folder: &Path,
        nodes: usize,
        progress: &mut Progress,
    ) -> Result<Self> {
        let exports = progress.step("write synthetic exports", nodes, |bar| {
            write_exports(&folder.join("exports"), nodes, bar)
        })?;
        let (coordinator, public_url) =
            progress.step("start the coordinator", 1, |_| start_coordinator(&binaries, folder))?;
        let mut country = Self {
            binaries,
            folder: folder.to_owned(),
            coordinator,
            public_url,
            nodes: Vec::new(),
            exports,
        };
        progress.step("invite, enrol and approve every node", nodes, |bar| country.enrol(bar))?;
        Ok(country)
    }

    /// Runs the rounds from study to publication.
    pub fn run_round(&mut self, progress: &mut Progress) -> Result<PublishedRound> {
        let nodes = self.nodes.len();
        progress.step("publish the study", 1, |_| self.publish_study())?;
        progress.step("register the purpose", nodes, |bar| self.register(bar))?;
        progress
            .step("preview and approve it in every municipality", nodes, |bar| self.approve(bar))?;
        progress.step("start every node", nodes, |bar| self.start_nodes(bar))?;
        progress
            .step("count, add noise, sign, send", nodes * PERIODS.len(), |bar| self.collect(bar))?;
        progress.step("merge and publish", 1, |_| self.publish())
    }

    fn coordinate(&self, arguments: &[&str]) -> Result<String> {
        let mut all: Vec<OsString> =
            vec!["--dir".into(), self.folder.join("coordinator").into_os_string()];
        all.extend(arguments.iter().map(OsString::from));
        run(&self.binaries.coordinator, all)
    }

    fn operate(&self, node: &Path, arguments: &[&str]) -> Result<String> {
        let mut all: Vec<OsString> = vec!["--dir".into(), node.as_os_str().to_owned()];
        all.extend(arguments.iter().map(OsString::from));
        run(&self.binaries.node, all)
    }

    fn enrol(&mut self, bar: &ProgressBar) -> Result<()> {
        for export in &self.exports {
            let number = export.municipality.as_str();
            let invitation = self.folder.join(format!("{number}.invitation"));
            let invitation = invitation.to_string_lossy();
            let records = self.folder.join("exports").join(number);
            let directory = self.folder.join("nodes").join(number);
            std::fs::create_dir_all(self.folder.join("nodes"))?;
            self.coordinate(&["invite", "--municipality", number, "--out", &invitation])?;
            self.operate(
                &directory,
                &[
                    "init",
                    "--municipality",
                    number,
                    "--records",
                    &records.to_string_lossy(),
                    "--rejected-rows",
                    "refuse",
                    "--poll-seconds",
                    "1",
                ],
            )?;
            let enrol = ["enrol", "--invitation", &invitation, "--no-wait"];
            self.operate(&directory, &enrol)?;
            self.coordinate(&["nodes", "approve", &format!("{number}-1")])?;
            self.operate(&directory, &enrol)?;
            self.nodes.push(Node {
                municipality: export.municipality.clone(),
                directory,
                service: None,
            });
            bar.inc(1);
        }
        Ok(())
    }

    fn publish_study(&self) -> Result<()> {
        let starts_and_ends = ["--starts", "2013-01-01", "--ends", "2035-12-31"];
        let minimum = self.nodes.len().min(5).to_string();
        let mut arguments =
            vec!["study", "template", "--municipal-figures", "--minimum-nodes", &minimum];
        arguments.extend(starts_and_ends);
        let text = self.coordinate(&arguments)?;
        let file = self.folder.join("core.toml");
        std::fs::write(&file, text)?;
        self.coordinate(&["study", "publish", &file.to_string_lossy()])?;
        for period in PERIODS {
            let open = ["round", "open", "core", "--period", period, "--closes", "2035-12-31"];
            self.coordinate(&open)?;
        }
        Ok(())
    }

    /// Each municipality registers what it processes records for, on the form that its people signed.
    fn register(&self, bar: &ProgressBar) -> Result<()> {
        let add = ["register", "add", "core", "--form", "2014-1", "--information-letter", "2014-1"];
        let choices = ["--withdrawal", "next-period", "--at-end", "delete"];
        for node in &self.nodes {
            self.operate(&node.directory, &[&add[..], &choices].concat())?;
            bar.inc(1);
        }
        Ok(())
    }

    fn approve(&self, bar: &ProgressBar) -> Result<()> {
        for node in &self.nodes {
            self.operate(&node.directory, &["preview", "core"])?;
            self.operate(&node.directory, &["approve", "core"])?;
            bar.inc(1);
        }
        Ok(())
    }

    fn start_nodes(&mut self, bar: &ProgressBar) -> Result<()> {
        let logs = self.folder.join("logs");
        std::fs::create_dir_all(&logs)?;
        for node in &mut self.nodes {
            let log = logs.join(format!("{}.log", node.municipality));
            let arguments = [
                OsString::from("--dir"),
                node.directory.clone().into_os_string(),
                OsString::from("run"),
            ];
            node.service = Some(Service::start(&self.binaries.node, arguments, &log)?);
            bar.inc(1);
        }
        Ok(())
    }

    fn collect(&mut self, bar: &ProgressBar) -> Result<()> {
        let patience = PATIENCE_PER_NODE * u32::try_from(self.nodes.len())?;
        let deadline = Instant::now() + patience;
        let awaited = u64::try_from(self.nodes.len() * PERIODS.len())?;
        loop {
            let mut reported = 0;
            for period in PERIODS {
                let round = format!("core.1.{period}");
                let status = self.coordinate(&["--json", "round", "status", &round])?;
                let status: Value = serde_json::from_str(&status)?;
                reported += status.get("reported").and_then(Value::as_u64).unwrap_or(0);
            }
            bar.set_position(reported);
            if reported == awaited {
                return Ok(());
            }
            self.coordinator.assert_running()?;
            for node in &mut self.nodes {
                if let Some(service) = &mut node.service {
                    service.assert_running()?;
                }
            }
            if Instant::now() > deadline {
                bail!("{reported} of {awaited} releases have come after {} s", patience.as_secs());
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn publish(&self) -> Result<PublishedRound> {
        for period in PERIODS {
            self.coordinate(&["round", "close", &format!("core.1.{period}")])?;
        }
        let out = self.folder.join("publication");
        std::fs::create_dir_all(&out)?;
        let bundle = out.join("bundle.json");
        for (form, name) in
            [("json", "publication.json"), ("csv", "publication.csv"), ("bundle", "bundle.json")]
        {
            let file = out.join(name);
            let file = file.to_string_lossy();
            let id = format!("{ROUND}.v1");
            self.coordinate(&["publications", "export", &id, "--as", form, "--out", &file])?;
        }
        let verified = self.coordinate(&["verify", &bundle.to_string_lossy()])?;
        let bytes = std::fs::read(out.join("publication.json"))?;
        Ok(PublishedRound { file: serde_json::from_slice(&bytes)?, verified })
    }

    /// The exact count over the country, known from how the records were made.
    pub fn truth(&self, statistic: &StatisticId, codes: &[String]) -> Result<i64> {
        let cell = codes.join("/");
        self.exports
            .iter()
            .map(|export| {
                export
                    .truth
                    .count(statistic.as_str(), &cell)
                    .with_context(|| format!("the truth of {statistic} is not worked out"))
            })
            .sum()
    }

    /// Where the publications are served.
    pub fn public_url(&self) -> &str {
        &self.public_url
    }

    /// The most memory that any node and the coordinator have held.
    pub fn peak_memory(&self) -> Memory {
        let services = self.nodes.iter().filter_map(|node| node.service.as_ref());
        Memory {
            largest_node: services.filter_map(Service::peak_memory).max().unwrap_or(0),
            coordinator: self.coordinator.peak_memory().unwrap_or(0),
        }
    }

    /// Stops every process in order.
    pub fn stop(mut self) -> Result<()> {
        for service in self.nodes.iter_mut().filter_map(|node| node.service.take()) {
            service.stop()?;
        }
        self.coordinator.stop()
    }
}

fn write_exports(folder: &Path, nodes: usize, bar: &ProgressBar) -> Result<Vec<Export>> {
    let period: Period = synthetic::PUBLISHED_PERIOD.parse()?;
    let first = synthetic::nineteen();
    let more = municipality::all().iter().map(|m| m.number.clone()).filter(|n| !first.contains(n));
    // Bergen and Sandnes come first, so that the smallest country has what was printed.
    let mut numbers: Vec<MunicipalityNumber> = first.iter().cloned().chain(more).collect();
    numbers.sort_by_key(|number| !["4601", "1108"].contains(&number.as_str()));
    numbers.truncate(nodes);
    numbers
        .iter()
        .map(|number| {
            let export = match number.as_str() {
                "4601" => synthetic::bergen(),
                "1108" => synthetic::sandnes(),
                _ => synthetic::municipality(number, period, SEED),
            };
            export.write(&folder.join(number.as_str()))?;
            bar.inc(1);
            Ok(export)
        })
        .collect()
}

fn start_coordinator(binaries: &Binaries, folder: &Path) -> Result<(Service, String)> {
    let directory = folder.join("coordinator");
    let (port, public) = (free_port()?, free_port()?);
    let url = format!("https://127.0.0.1:{port}");
    let listen = format!("127.0.0.1:{port}");
    let public = format!("127.0.0.1:{public}");
    let dir = [OsString::from("--dir"), directory.into_os_string()];
    let init = ["init", "--url", &url, "--listen", &listen, "--public", &public];
    run(&binaries.coordinator, dir.iter().cloned().chain(init.map(OsString::from)))?;
    let log = folder.join("coordinator.log");
    let arguments = dir.into_iter().chain([OsString::from("run")]);
    let mut service = Service::start(&binaries.coordinator, arguments, &log)?;
    for _ in 0..100 {
        if std::net::TcpStream::connect(&listen).is_ok() {
            return Ok((service, format!("http://{public}/")));
        }
        service.assert_running()?;
        std::thread::sleep(Duration::from_millis(50));
    }
    bail!("the coordinator does not listen on {listen}")
}
