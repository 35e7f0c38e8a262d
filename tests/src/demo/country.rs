//! A coordinator and its nodes, each a real process with a directory of its own.
//!
//! **Invariant:** everything here goes through the commands that an operator would give.

use crate::Progress;
use crate::helper::Helper;
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
/// The rounds of the core study, in which each node adds noise of its own.
const LOCAL: [&str; 2] = ["core.1.2016H1", "core.1.2016H2"];
/// The round of the same tables at the same loss with noise that nodes share.
const SHARED: &str = "core-shared.1.2016H2";
/// The round whose figures are shown: over the last period.
const ROUND: &str = LOCAL[1];
/// How long the demo waits for all releases of a round, for each node.
const PATIENCE_PER_NODE: Duration = Duration::from_secs(6);

/// The whole country.
pub struct Country {
    binaries: Binaries,
    folder: PathBuf,
    coordinator: Service,
    helper: Helper,
    public_url: String,
    nodes: Vec<Node>,
    exports: Vec<Export>,
}

struct Node {
    municipality: MunicipalityNumber,
    directory: PathBuf,
    service: Option<Service>,
}

/// What was published, read back from its files.
pub struct PublishedRound {
    /// The publication's file.
    pub file: PublicationFile,
    /// The publication of the same tables with shared noise.
    pub shared: PublicationFile,
    /// What offline verification said.
    pub verified: String,
}

/// Peak memory in bytes.
pub struct Memory {
    /// The node that held the most.
    pub largest_node: u64,
    /// The coordinator.
    pub coordinator: u64,
    /// The helper.
    pub helper: u64,
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
        let home = folder.join("coordinator");
        let helper = progress.step("start the helper, of another organisation", 1, |_| {
            Helper::found(&binaries, folder, &home)
        })?;
        let mut country = Self {
            binaries,
            folder: folder.to_owned(),
            coordinator,
            helper,
            public_url,
            nodes: Vec::new(),
            exports,
        };
        progress.step("invite, enrol and approve every node", nodes, |bar| country.enrol(bar))?;
        country.helper.admit(&country.binaries, folder, &home)?;
        Ok(country)
    }

    /// Runs the rounds from study to publication.
    pub fn run_round(&mut self, progress: &mut Progress) -> Result<PublishedRound> {
        let nodes = self.nodes.len();
        progress.step("publish the two studies", 1, |_| self.publish_studies())?;
        progress.step("register the purpose", nodes, |bar| self.register(bar))?;
        progress.step("preview and approve them in every municipality", nodes, |bar| {
            self.approve(bar)
        })?;
        progress.step("start every node", nodes, |bar| self.start_nodes(bar))?;
        progress.step("count, add noise, sign, send", nodes * rounds().count(), |bar| {
            self.collect(bar)
        })?;
        progress.step("merge, open the shared sums and publish", 1, |_| self.publish())
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
                    "--year",
                    "3",
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

    /// One study in which each node adds noise of its own, and the same tables at the same loss with noise
    /// that nodes share: a tenth of the nodes may fail to report, and as many may collude.
    fn publish_studies(&self) -> Result<()> {
        let template = ["study", "template", "--starts", "2013-01-01", "--ends", "2035-12-31"];
        let nodes = self.nodes.len();
        let minimum = nodes.min(5).to_string();
        let local = ["--municipal-figures", "--minimum-nodes", &minimum];
        let text = self.coordinate(&[&template[..], &local].concat())?;
        self.publish_study("core", &text)?;

        let tenth = (nodes + 5) / 10;
        let (minimum, tolerated) = ((nodes - tenth).to_string(), tenth.to_string());
        let card = self.helper.card.to_string_lossy();
        let shared =
            ["--minimum-nodes", &minimum, "--tolerated", &tolerated, "--helper-card", &card];
        let text = self.coordinate(&[&template[..], &shared, &["--shared"]].concat())?;
        self.publish_study("core-shared", &as_shared(&text)?)?;

        for period in PERIODS {
            self.open("core", period)?;
        }
        self.open("core-shared", synthetic::PUBLISHED_PERIOD)
    }

    fn publish_study(&self, name: &str, text: &str) -> Result<()> {
        let file = self.folder.join(format!("{name}.toml"));
        std::fs::write(&file, text)?;
        self.coordinate(&["study", "publish", &file.to_string_lossy()])?;
        Ok(())
    }

    fn open(&self, study: &str, period: &str) -> Result<()> {
        self.coordinate(&["round", "open", study, "--period", period, "--closes", "2035-12-31"])?;
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
            for study in ["core", "core-shared"] {
                self.operate(&node.directory, &["preview", study])?;
                self.operate(&node.directory, &["approve", study])?;
            }
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
        let awaited = u64::try_from(self.nodes.len() * rounds().count())?;
        loop {
            let mut reported = 0;
            for round in rounds() {
                let status = self.coordinate(&["--json", "round", "status", round])?;
                let status: Value = serde_json::from_str(&status)?;
                reported += status.get("reported").and_then(Value::as_u64).unwrap_or(0);
            }
            bar.set_position(reported);
            if reported == awaited {
                return Ok(());
            }
            self.coordinator.assert_running()?;
            self.helper.assert_running()?;
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
        for round in rounds() {
            self.coordinate(&["round", "close", round])?;
        }
        let out = self.folder.join("publication");
        std::fs::create_dir_all(&out)?;
        for (round, form, name) in [
            (ROUND, "json", "publication.json"),
            (ROUND, "csv", "publication.csv"),
            (ROUND, "bundle", "bundle.json"),
            (SHARED, "json", "shared.json"),
            (SHARED, "bundle", "shared-bundle.json"),
        ] {
            let file = out.join(name);
            let file = file.to_string_lossy();
            let id = format!("{round}.v1");
            self.coordinate(&["publications", "export", &id, "--as", form, "--out", &file])?;
        }
        let mut verified = String::new();
        for bundle in ["bundle.json", "shared-bundle.json"] {
            let bundle = out.join(bundle);
            verified.push_str(&self.coordinate(&["verify", &bundle.to_string_lossy()])?);
        }
        let read = |name: &str| -> Result<PublicationFile> {
            Ok(serde_json::from_slice(&std::fs::read(out.join(name))?)?)
        };
        Ok(PublishedRound {
            file: read("publication.json")?,
            shared: read("shared.json")?,
            verified,
        })
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
            helper: self.helper.peak_memory().unwrap_or(0),
        }
    }

    /// Stops every process in order.
    pub fn stop(mut self) -> Result<()> {
        for service in self.nodes.iter_mut().filter_map(|node| node.service.take()) {
            service.stop()?;
        }
        self.helper.stop()?;
        self.coordinator.stop()
    }
}

/// Every round that is asked.
fn rounds() -> impl Iterator<Item = &'static str> {
    LOCAL.into_iter().chain([SHARED])
}

/// The template of the core study under another name, as its operator would edit it.
fn as_shared(text: &str) -> Result<String> {
    let edits = [
        ("study = \"core\"", "study = \"core-shared\""),
        ("halvårlig", "halvårlig, med delt støy"),
        ("halvårleg", "halvårleg, med delt støy"),
        ("half-yearly", "half-yearly, with shared noise"),
    ];
    edits.iter().try_fold(text.to_owned(), |text, (from, to)| {
        if !text.contains(from) {
            bail!("the template does not say {from}");
        }
        Ok(text.replacen(from, to, 1))
    })
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
