//! A coordinator that runs, and nodes in directories of their own; what the programs say is kept.

use fellestall_tests::process::{Binaries, Ended, Service, attempt, free_port};
use fellestall_tests::synthetic::{self, Export};
use std::cell::RefCell;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

/// The round of the core study over the period of the synthetic exports.
pub const ROUND: &str = "core.1.2016H2";

/// The command that registers the core study's purpose.
pub const REGISTER: [&str; 11] = [
    "register",
    "add",
    "core",
    "--form",
    "2014-1",
    "--information-letter",
    "2014-1",
    "--withdrawal",
    "next-period",
    "--at-end",
    "delete",
];

/// The programs, built once.
pub fn binaries() -> &'static Binaries {
    static BUILT: OnceLock<Binaries> = OnceLock::new();
    BUILT.get_or_init(|| Binaries::build().expect("the programs"))
}

/// What a stage is like.
pub struct Setting<'s> {
    /// The host that nodes dial.
    pub host: &'s str,
    /// `FELLESTALL_LOG` of every program.
    pub log: Option<&'s str>,
    /// The port that nodes dial, if it is not the one on which the coordinator listens.
    pub way: Option<u16>,
    /// The coordinator's store, if it is not a file in its directory.
    pub store: Option<&'s str>,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self { host: "127.0.0.1", log: None, way: None, store: None }
    }
}

/// A running coordinator and its nodes.
pub struct Stage {
    folder: TempDir,
    log: Option<String>,
    /// The port on which the coordinator serves nodes.
    pub port: u16,
    /// Where the coordinator serves its public pages.
    pub public: String,
    /// The running coordinator.
    pub service: Option<Service>,
    said: RefCell<Vec<(String, Ended)>>,
}

impl Stage {
    /// Makes a coordinator and starts it.
    pub fn set(setting: &Setting<'_>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["tmp", "nodes", "exports", "logs"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let (port, public) = (free_port().expect("a port"), free_port().expect("a port"));
        let mut stage = Self {
            folder,
            log: setting.log.map(str::to_owned),
            port,
            public: format!("127.0.0.1:{public}"),
            service: None,
            said: RefCell::default(),
        };
        let url = format!("https://{}:{}", setting.host, setting.way.unwrap_or(port));
        let (listen, public) = (format!("127.0.0.1:{port}"), stage.public.clone());
        let mut init = vec!["init", "--url", &url, "--listen", &listen, "--public", &public];
        init.extend(setting.store.iter().flat_map(|store| ["--store", store]));
        stage.coordinate(&init);
        stage.start();
        stage
    }

    fn start(&mut self) {
        let mut command = self.command(&binaries().coordinator, &self.coordinator());
        let log = self.path("logs/coordinator.log");
        let mut service = Service::spawn(command.arg("run"), &log).expect("the coordinator starts");
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            service.assert_running().expect("the coordinator runs");
            assert!(std::time::Instant::now() < deadline, "the coordinator does not listen");
            std::thread::yield_now();
        }
        self.service = Some(service);
    }

    /// A path within the stage's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The coordinator's directory.
    pub fn coordinator(&self) -> PathBuf {
        self.path("coordinator")
    }

    /// A program, in the stage's surroundings.
    pub fn command(&self, program: &Path, directory: &Path) -> Command {
        let mut command = Command::new(program);
        self.surround(&mut command);
        command.arg("--dir").arg(directory);
        command
    }

    /// Gives a command the stage's surroundings: its temporary folder, its log, no proxy.
    pub fn surround(&self, command: &mut Command) {
        for name in ["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "FELLESTALL_LOG"] {
            command.env_remove(name);
        }
        command.env("TMPDIR", self.path("tmp")).current_dir(self.folder.path());
        if let Some(log) = &self.log {
            command.env("FELLESTALL_LOG", log);
        }
    }

    /// Runs a command, and keeps what it says.
    pub fn attempt(&self, command: &mut Command) -> Ended {
        let line = format!("{command:?}");
        let ended = attempt(command).expect("a command that starts");
        self.said.borrow_mut().push((line, ended.clone()));
        ended
    }

    /// Gives the node in `directory` a command.
    pub fn operate<S: AsRef<OsStr>>(&self, directory: &Path, arguments: &[S]) -> Ended {
        self.attempt(self.command(&binaries().node, directory).args(arguments))
    }

    /// Gives the node in `directory` a command that must succeed.
    pub fn must<S: AsRef<OsStr>>(&self, directory: &Path, arguments: &[S]) -> String {
        let ended = self.operate(directory, arguments);
        let line: Vec<_> = arguments.iter().map(|a| a.as_ref().to_string_lossy()).collect();
        assert_eq!(ended.code, Some(0), "{line:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// Gives the coordinator a command that must succeed.
    pub fn coordinate<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        let mut command = self.command(&binaries().coordinator, &self.coordinator());
        let ended = self.attempt(command.args(arguments));
        assert_eq!(ended.code, Some(0), "{command:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// Makes a node's directory beside the others, over an export.
    pub fn init(&self, name: &str, number: &str, export: &Path, more: &[&str]) -> PathBuf {
        let directory = self.path("nodes").join(name);
        let records = export.to_string_lossy();
        let mut arguments = vec!["init", "--municipality", number, "--records", &records];
        arguments.extend(["--poll-seconds", "1"]);
        arguments.extend(more);
        self.must(&directory, &arguments);
        directory
    }

    /// A new invitation's file.
    pub fn invite(&self, name: &str, number: &str) -> PathBuf {
        let file = self.path(&format!("{name}.invitation"));
        self.coordinate(&["invite", "--municipality", number, "--out", &file.to_string_lossy()]);
        file
    }

    /// Invites a node of that municipality, lets it apply, and approves it.
    pub fn enrol(&self, directory: &Path, number: &str) -> PathBuf {
        let name = directory.file_name().expect("a name").to_string_lossy();
        let invitation = self.invite(&name, number);
        let enrol = ["enrol", "--no-wait", "--invitation", &invitation.to_string_lossy()];
        self.must(directory, &enrol);
        let nodes = self.coordinate(&["--json", "nodes", "list"]);
        let nodes: serde_json::Value = serde_json::from_str(&nodes).expect("JSON");
        let pending =
            nodes.as_array().expect("nodes").iter().find(|node| node["status"] == "pending");
        let pending = pending.expect("an application")["node"].as_str().expect("an id");
        self.coordinate(&["nodes", "approve", pending]);
        self.must(directory, &enrol);
        invitation
    }

    /// Publishes the core study and opens its round.
    pub fn publish_study(&self, minimum_nodes: &str) {
        let text = self.coordinate(&[
            "study",
            "template",
            "--minimum-nodes",
            minimum_nodes,
            "--starts",
            "2013-01-01",
            "--ends",
            "2035-12-31",
        ]);
        let file = self.path("core.toml");
        std::fs::write(&file, text).expect("written");
        self.coordinate(&["study", "publish", &file.to_string_lossy()]);
        let period = ["--period", synthetic::PUBLISHED_PERIOD, "--closes", "2035-12-31"];
        self.coordinate(&[&["round", "open", "core"][..], &period].concat());
    }

    /// Registers the core study's purpose in a node's register, on the synthetic consent forms.
    pub fn register(&self, directory: &Path) {
        self.must(directory, &REGISTER);
    }

    /// Writes an export among the others.
    pub fn write(&self, name: &str, export: &Export) -> PathBuf {
        let folder = self.path("exports").join(name);
        export.write(&folder).expect("written");
        folder
    }

    /// Everything that a command was told and said so far.
    pub fn said(&self) -> Vec<(String, Ended)> {
        self.said.borrow().clone()
    }

    /// Fetches a public page, with its headers, over plain HTTP.
    pub fn fetch(&self, path: &str) -> String {
        use std::io::{Read, Write};
        let mut page = std::net::TcpStream::connect(&self.public).expect("the public pages");
        write!(page, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.public)
            .expect("asked");
        let mut answer = String::new();
        page.read_to_string(&mut answer).expect("UTF-8");
        answer
    }
}

/// Something made up for a municipality, small enough to be quick.
pub fn drawn(number: &str) -> Export {
    let number = number.parse().expect("a number");
    synthetic::municipality(&number, synthetic::PUBLISHED_PERIOD.parse().expect("a period"), 7)
}
