//! A helper beside a stage's coordinator, a study whose tables the two open together, and what each
//! side has of a round.

use crate::stage::{Stage, binaries, drawn};
use fellestall_node::engine;
use fellestall_tests::process::{Service, free_port};
use fellestall_tests::synthetic;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The second server, in a directory of its own.
pub struct Helper {
    /// What a study names.
    pub card: PathBuf,
    /// The running helper.
    pub service: Option<Service>,
    /// Where it listens.
    pub port: u16,
    directory: PathBuf,
}

impl Helper {
    /// Makes a helper, lets it and the coordinator trust each other by their fingerprints, starts it.
    pub fn found(stage: &Stage) -> Self {
        Self::found_behind(stage, None)
    }

    /// The same, dialled on another port than the one on which it listens.
    pub fn found_behind(stage: &Stage, way: Option<u16>) -> Self {
        let port = free_port().expect("a port");
        let (card, directory) = (stage.path("helper-card.json"), stage.path("helper"));
        let mut helper = Self { card, service: None, directory, port };
        let (listen, leader) = (format!("127.0.0.1:{port}"), stage.path("leader-card.json"));
        let url = format!("https://127.0.0.1:{}", way.unwrap_or(port));
        let [ours, theirs] = [&helper.card, &leader].map(|path| path.display().to_string());
        let name = ["--name", "Another organisation", "--url", &url, "--listen", &listen];
        helper.must(stage, &[&["init"][..], &name].concat());
        let read_out = fingerprint(&helper.must(stage, &["card", "--out", &ours]));
        stage.coordinate(&["aggregation", "trust-helper", &ours, "--fingerprint", &read_out]);
        let read_out = fingerprint(&stage.coordinate(&["aggregation", "card", "--out", &theirs]));
        helper.must(stage, &["trust-leader", &theirs, "--fingerprint", &read_out]);
        helper.start(stage);
        helper
    }

    /// Where the helper lives.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    pub fn start(&mut self, stage: &Stage) {
        let mut command = stage.command(&binaries().coordinator, &self.directory);
        let log = stage.path("logs/helper.log");
        let service = Service::spawn(command.args(["helper", "run"]), &log);
        let mut service = service.expect("the helper starts");
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            service.assert_running().expect("the helper runs");
            assert!(Instant::now() < deadline, "the helper does not listen");
            std::thread::yield_now();
        }
        self.service = Some(service);
    }

    /// Gives the helper a command that must succeed.
    pub fn must(&self, stage: &Stage, arguments: &[&str]) -> String {
        let mut command = stage.command(&binaries().coordinator, &self.directory);
        let ended = stage.attempt(command.arg("helper").args(arguments));
        assert_eq!(ended.code, Some(0), "{command:?}: {}{}", ended.out, ended.err);
        ended.out
    }

    /// Admits the enrolled nodes, publishes a study of these tables and opens its round.
    pub fn open_round(&self, stage: &Stage, tables: &[&str]) {
        let roster = stage.path("roster.json").display().to_string();
        stage.coordinate(&["aggregation", "roster", "--out", &roster]);
        self.must(stage, &["admit", &roster, "--compared"]);
        let card = self.card.display().to_string();
        let dates = ["--starts", "2013-01-01", "--ends", "2035-12-31"];
        let shared = ["--minimum-nodes", "2", "--tolerated", "1", "--helper-card", &card];
        let template = [&["study", "template"][..], &dates, &shared, tables].concat();
        let file = stage.path("core.toml");
        std::fs::write(&file, stage.coordinate(&template)).expect("written");
        stage.coordinate(&["study", "publish", &file.to_string_lossy()]);
        let period = ["--period", synthetic::PUBLISHED_PERIOD, "--closes", "2035-12-31"];
        let opened = stage.coordinate(&[&["round", "open", "core"][..], &period].concat());
        assert!(!opened.contains("Nodes wait"), "{opened}");
    }
}

/// Nodes of these municipalities, enrolled, over small exports.
pub fn enrol(stage: &Stage, numbers: &[&str]) -> Vec<PathBuf> {
    let enrolled = numbers.iter().map(|number| {
        let export = stage.write(number, &drawn(number));
        let node = stage.init(number, number, &export, &[]);
        stage.enrol(&node, number);
        node
    });
    enrolled.collect()
}

/// What the node in a directory has answered: the bytes of its reports and of its releases, whether
/// each is known to have arrived, and what they were charged.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answered {
    pub reports: Vec<Vec<u8>>,
    pub releases: Vec<Vec<u8>>,
    pub charged: Vec<i64>,
    pub sent: i64,
}

impl Answered {
    pub fn of(node: &Path) -> Self {
        let path = node.join(engine::LEDGER);
        if !path.exists() {
            return Self::default();
        }
        // A copy, with the log that a killed process left: reading mends nothing for the node.
        let copy = tempfile::tempdir().expect("a folder");
        for end in ["", "-wal"] {
            let name = format!("{}{end}", engine::LEDGER);
            if node.join(&name).exists() {
                std::fs::copy(node.join(&name), copy.path().join(&name)).expect("copied");
            }
        }
        let ledger = Connection::open(copy.path().join(engine::LEDGER)).expect("a ledger");
        let made = "SELECT count(*) FROM sqlite_schema WHERE name = 'report'";
        if column::<i64>(&ledger, made) == [0] {
            return Self::default();
        }
        Self {
            reports: column(&ledger, "SELECT body FROM report ORDER BY sequence"),
            releases: column(&ledger, "SELECT envelope FROM release ORDER BY sequence"),
            charged: column(&ledger, "SELECT charge_micro FROM release ORDER BY sequence"),
            sent: column(&ledger, "SELECT count(receipt) FROM release")[0],
        }
    }
}

/// What both servers hold of the rounds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Held {
    /// The envelopes of the reports at the coordinator, by municipality.
    pub reports: Vec<Vec<u8>>,
    /// The envelopes of the releases.
    pub releases: Vec<Vec<u8>>,
    /// Reports in each batch of the leader's.
    pub leaders: Vec<i64>,
    /// Reports in each batch of the helper's.
    pub helpers: Vec<i64>,
    /// Lines in both logs that are alarms.
    pub alarms: i64,
}

impl Held {
    pub fn by(stage: &Stage, helper: &Helper) -> Self {
        let leader = database(&stage.coordinator().join("coordinator.db"));
        let second = database(&helper.directory.join("helper.db"));
        let alarms = "SELECT count(*) FROM audit WHERE alarm <> 0";
        Self {
            reports: column(&leader, "SELECT envelope FROM report ORDER BY municipality"),
            releases: column(&leader, "SELECT envelope FROM release ORDER BY municipality"),
            leaders: column(&leader, "SELECT count FROM batch ORDER BY batch"),
            helpers: column(&second, "SELECT reports FROM batch ORDER BY batch"),
            alarms: [leader, second].iter().map(|one| column::<i64>(one, alarms)[0]).sum(),
        }
    }
}

/// A server's database, to be read while the server runs.
pub fn database(path: &Path) -> Connection {
    let database = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let database = database.expect("a database");
    database.busy_timeout(Duration::from_secs(5)).expect("set");
    database
}

pub fn column<T: rusqlite::types::FromSql>(database: &Connection, query: &str) -> Vec<T> {
    let mut statement = database.prepare(query).expect("a query");
    let rows = statement.query_map([], |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

/// The fingerprint in what a command said.
fn fingerprint(said: &str) -> String {
    let digits = |word: &&str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    said.split_whitespace().find(digits).expect("a fingerprint").to_owned()
}
