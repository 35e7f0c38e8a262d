//! Instances over one database, nodes that upload, and what is expected of the sum.

use crate::stage::binaries;
use fellestall_coordinator::config::{Config, Web};
use fellestall_coordinator::home::Home;
use fellestall_coordinator::publish::PublicationFile;
use fellestall_coordinator::rounds::{self, LoadedRound, Opening};
use fellestall_coordinator::store::Store;
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, SystemClock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::{Round, ledger_head};
use fellestall_shared::wire::v1::Residence;
use fellestall_tests::fleet::{self, FleetNode};
use fellestall_tests::instances::{Balancer, Instance};
use fellestall_tests::postgres::Postgres;
use fellestall_tests::process::{Ended, attempt};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

/// The database of a scene.
pub const DATABASE: &str = "country";
const PERIODS: [&str; 4] = ["2016H1", "2016H2", "2017H1", "2017H2"];

/// A coordinator in several instances, and its nodes.
pub struct Scene {
    /// Every node.
    pub nodes: Arc<Vec<FleetNode>>,
    /// Open rounds, in the order in which nodes answer them.
    pub rounds: Arc<Vec<Round>>,
    /// The instances.
    pub instances: Vec<Instance>,
    /// Before the instances.
    pub balancer: Balancer,
    /// The test's own look at the database.
    pub store: Store,
    /// The coordinator's directory that the instances have copies of.
    pub home: Home,
    /// The database.
    pub cluster: Postgres,
    pub folder: TempDir,
}

pub fn now() -> Timestamp {
    SystemClock.now()
}

pub fn catalogue() -> &'static Catalogue {
    Catalogue::builtin().expect("a catalogue")
}

/// Makes a coordinator's directory over this store.
pub fn home(directory: &Path, store: &str) -> Home {
    let config = Config {
        url: "https://127.0.0.1".to_owned(),
        hosts: vec!["127.0.0.1".to_owned()],
        listen: "127.0.0.1:0".parse().expect("an address"),
        public: None,
        store: store.to_owned(),
        web: Web::default(),
        admin: None,
    };
    Home::create(directory, &config, now()).expect("a coordinator")
}

/// Gives a database of the cluster a command.
pub async fn command(cluster: &Postgres, statement: String) {
    sqlx::any::install_default_drivers();
    let connected = AnyConnection::connect(&cluster.address("postgres")).await;
    let mut connection = connected.expect("connected");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("done");
    connection.close().await.expect("closed");
}

impl Scene {
    /// So many instances that run, and nodes that are enrolled.
    pub async fn set(instances: usize, nodes: usize) -> Self {
        let mut scene = Self::prepared(instances, nodes).await;
        for instance in &mut scene.instances {
            instance.start().expect("an instance");
        }
        scene
    }

    /// The same, and no instance runs yet.
    pub async fn prepared(instances: usize, nodes: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let cluster = Postgres::start().expect("a PostgreSQL to test with");
        command(&cluster, format!("CREATE DATABASE {DATABASE}")).await;
        let home = home(&folder.path().join("origin"), &cluster.address(DATABASE));
        let copy = |number: usize| {
            let directory = folder.path().join(format!("instance-{number}"));
            Instance::copy(&home.directory, directory, binaries()).expect("a copy")
        };
        let instances: Vec<_> = (0..instances).map(copy).collect();
        let store = Store::open(&cluster.address(DATABASE)).await.expect("a store");
        let mut enrolled = Vec::new();
        for (place, number) in fleet::numbers(nodes).expect("numbers").into_iter().enumerate() {
            let node = fleet::enrol(&store, &home, number, place, now()).await;
            enrolled.push(node.expect("enrolled"));
        }
        let rounds = open_rounds(&store, &home).await;
        let addresses = instances.iter().map(|instance| instance.address).collect();
        let balancer = Balancer::start(0, addresses).await.expect("a balancer");
        let (nodes, rounds) = (Arc::new(enrolled), Arc::new(rounds));
        Self { nodes, rounds, instances, balancer, store, home, cluster, folder }
    }

    /// The signed releases of a node, in the order of the rounds.
    pub fn releases(&self, node: &FleetNode) -> Vec<Vec<u8>> {
        let mut head = Digest::ZERO;
        let mut releases = Vec::new();
        for (sequence, round) in (1..).zip(self.rounds.iter()) {
            let release = node.release(round, sequence, head).expect("signed");
            head = ledger_head(head, release.payload_digest());
            releases.push(release.to_json().expect("JSON"));
        }
        releases
    }

    /// The round as it stands.
    pub async fn load(&self, round: &Round) -> LoadedRound {
        self.load_from(&self.store, round).await
    }

    /// The same in another database.
    pub async fn load_from(&self, store: &Store, round: &Round) -> LoadedRound {
        let key = self.home.signing_key.verifying_key();
        let loaded = rounds::load_round(store, &key, catalogue(), round.id()).await;
        loaded.expect("a round")
    }

    /// Asserts that a publication of a round is the sum of what these nodes count, cell by cell.
    pub fn check_sum<'n>(
        document: &[u8],
        round: &Round,
        nodes: impl IntoIterator<Item = &'n FleetNode>,
    ) {
        let nodes: Vec<_> = nodes.into_iter().collect();
        let file: PublicationFile = serde_json::from_slice(document).expect("a publication");
        assert_eq!(file.publication.coverage.reported, nodes.len());
        assert_eq!(file.publication.tables.len(), round.study().tables().len());
        for (place, table) in file.publication.tables.iter().enumerate() {
            for (number, cell) in table.cells.iter().enumerate() {
                let sum: i64 = nodes.iter().map(|node| node.count(place, number)).sum();
                assert_eq!(cell.value, sum, "{} cell {number}", table.statistic);
            }
        }
    }

    /// Lines in the log with this event.
    pub async fn logged(&self, event: &str) -> usize {
        let lines = self.store.audit(100_000).await.expect("a log");
        lines.iter().filter(|line| line.event == event).count()
    }

    /// Lines in the log that are alarms.
    pub async fn alarms(&self) -> i64 {
        self.store.alarms(now()).await.expect("an answer").all
    }
}

/// Gives the program a command in this directory.
pub fn give(directory: &Path, arguments: &[&str]) -> Ended {
    let mut command = Command::new(&binaries().coordinator);
    let ended = attempt(command.arg("--dir").arg(directory).args(arguments));
    ended.expect("a command that starts")
}

/// Every file of a directory with its bytes.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| (path.clone(), std::fs::read(&path).expect("a file"))).collect()
}

async fn open_rounds(store: &Store, home: &Home) -> Vec<Round> {
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2014-01-01".to_owned(),
        ends: "2099-12-31".to_owned(),
        minimum_nodes: 2,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: template::Sharing::default(),
    };
    let document = template::study(&wish, catalogue()).expect("a study");
    let key = &home.signing_key;
    rounds::publish_study(store, key, catalogue(), &document, now()).await.expect("published");
    let mut opened = Vec::new();
    for period in PERIODS {
        let opening = Opening {
            study: document.study.clone(),
            version: None,
            period: period.parse().expect("a period"),
            closes: now().plus(Duration::from_hours(24)),
        };
        let round = rounds::open_round(store, key, catalogue(), &opening, now()).await;
        let (id, _) = round.expect("open");
        let loaded = rounds::load_round(store, &key.verifying_key(), catalogue(), &id).await;
        opened.push(loaded.expect("a round").round);
    }
    opened
}
