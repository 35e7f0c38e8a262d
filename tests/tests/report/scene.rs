//! A coordinator with two published periods: who reported, and what, is chosen by the test.

use clap::Parser;
use fellestall_coordinator::cli::{Arguments, CliError, execute};
use fellestall_coordinator::config::{Config, Web};
use fellestall_coordinator::databank::Databank;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::report::{self, Imprint, Report, ReportError};
use fellestall_coordinator::rounds::{self, LoadedRound, Opening, publication};
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::enrolment::Application;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_coordinator::store::releases::{Late, NewRelease, StoredRelease, Upload};
use fellestall_coordinator::store::studies::StoredDecision;
use fellestall_coordinator::store::witnesses::Link;
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{FixedClock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::{AcceptedRelease, Round};
use fellestall_shared::signed::{Envelope, SigningKey};
use fellestall_shared::study::Table;
use fellestall_shared::wire::v1::{
    Answer, Decision, RefusalReason, ReleaseDocument, ReleasedTable, Residence, StudyDocument,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
/// What the operator of the scene calls itself.
pub const PUBLISHER: &str = "Nettverket <&> venner";

/// The municipalities of the scene.
pub const NUMBERS: [&str; 8] = ["0301", "1103", "1108", "3301", "4601", "5001", "5501", "4204"];

/// A coordinator.
pub struct Scene {
    pub folder: TempDir,
    pub home: Home,
    pub store: Store,
    nodes: Vec<(NodeId, MunicipalityNumber, SigningKey)>,
}

/// The count that a municipality sends for one cell of one statistic.
pub type Count<'a> = &'a dyn Fn(usize, &str, usize) -> i64;

impl Scene {
    pub async fn set() -> Self {
        Self::of(&NUMBERS).await
    }

    /// A coordinator with these municipalities.
    pub async fn of(numbers: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let web = Web {
            url: Some("https://tall.example.no/".to_owned()),
            publisher: PUBLISHER.to_owned(),
            contact: Some("post@example.no".to_owned()),
            ..Web::default()
        };
        let config = Config {
            url: "https://localhost".to_owned(),
            hosts: vec!["localhost".to_owned()],
            listen: "127.0.0.1:0".parse().expect("an address"),
            public: None,
            store: "sqlite:coordinator.db".to_owned(),
            web,
            admin: None,
        };
        let directory = folder.path().join("coordinator");
        let home = Home::create(&directory, &config, NOW).expect("a coordinator");
        let store = Store::open(&home.store_address().expect("a store")).await.expect("a store");
        let mut nodes = Vec::new();
        for number in numbers {
            let (key, _) = SigningKey::generate().expect("a key");
            let municipality: MunicipalityNumber = number.parse().expect("a number");
            let secret = Digest::of("test", number.as_bytes());
            let later = NOW.plus(Duration::from_secs(100));
            store.add_invitation(secret, &municipality, NOW, later).await.expect("kept");
            let application = Application {
                secret,
                municipality: municipality.clone(),
                release_key: key.verifying_key(),
                request_key: vec![1; 8],
            };
            let node = store.apply(&application, NOW).await.expect("taken").node;
            store.decide_node(&node, NodeStatus::Enrolled, NOW).await.expect("approved");
            nodes.push((node, municipality, key));
        }
        Self { folder, home, store, nodes }
    }

    /// Two periods of the core study: in both the same six municipalities, and the later has two more,
    /// which came late.
    pub async fn with_two_periods(now: Count<'_>, before: Count<'_>) -> Self {
        let scene = Self::set().await;
        scene.study(&[], |_| {}).await;
        scene.publish("core", "2025H2", &[0, 1, 2, 3, 4, 5], &[], before).await;
        scene.publish("core", "2026H1", &[0, 1, 2, 3, 4, 5], &[], now).await;
        scene
    }

    /// Publishes a study of these statistics (none: the core set), changed as the test wants.
    pub async fn study(&self, statistics: &[&str], change: impl Fn(&mut StudyDocument)) {
        let catalogue = Catalogue::builtin().expect("a catalogue");
        let wish = Wish {
            statistics: statistics.iter().map(|id| id.parse().expect("an id")).collect(),
            rho: Rho::from_micro(125_000),
            starts: "2016-01-01".to_owned(),
            ends: "2099-12-31".to_owned(),
            minimum_nodes: 2,
            residence: Residence::Anywhere,
            sharing: fellestall_coordinator::template::Sharing::default(),
            municipal_figures: false,
        };
        let mut document = template::study(&wish, catalogue).expect("a study");
        change(&mut document);
        let (store, key) = (&self.store, &self.home.signing_key);
        rounds::publish_study(store, key, catalogue, &document, NOW).await.expect("published");
    }

    /// One round of a study; the late ones lead to a second version.
    pub async fn publish(
        &self,
        study: &str,
        period: &str,
        in_time: &[usize],
        late: &[usize],
        count: Count<'_>,
    ) {
        let catalogue = Catalogue::builtin().expect("a catalogue");
        let (store, key) = (&self.store, &self.home.signing_key);
        let opening = Opening {
            study: study.parse().expect("an id"),
            version: None,
            period: period.parse().expect("a period"),
            closes: NOW.plus(Duration::from_hours(24)),
        };
        let (id, _) = rounds::open_round(store, key, catalogue, &opening, NOW).await.expect("open");
        let load = async || -> LoadedRound {
            let key = key.verifying_key();
            rounds::load_round(store, &key, catalogue, &id).await.expect("a round")
        };
        let loaded = load().await;
        for node in in_time {
            self.send(&loaded.round, *node, count).await;
        }
        publication::close(store, self.home.printer(), &loaded, NOW).await.expect("published");
        for node in late {
            self.send(&loaded.round, *node, count).await;
        }
        if !late.is_empty() {
            let (printer, loaded) = (self.home.printer(), load().await);
            let again = publication::revise(store, printer, &loaded, NOW).await;
            again.expect("published").expect("a new version");
        }
    }

    async fn send(&self, round: &Round, node: usize, count: Count<'_>) {
        let place = node;
        let (node, municipality, key) = &self.nodes[node];
        let table = |table: &Table| {
            let statistic = table.statistic;
            let id = statistic.id().as_str();
            ReleasedTable {
                statistic: statistic.id().clone(),
                definition: statistic.definition(),
                definition_digest: statistic.digest(),
                loss: table.local.expect("local"),
                bound: statistic.bound(),
                scale: table.local.expect("local").nominal_scale(statistic.bound()),
                values: (0..statistic.cells()).map(|cell| count(place, id, cell)).collect(),
            }
        };
        let document = ReleaseDocument {
            release: round.question(municipality),
            node: node.clone(),
            municipality: municipality.clone(),
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            tables: round.study().tables().iter().map(table).collect(),
            report: None,
            charge_micro: round.study().charge(),
            consent_snapshot: Digest::of("test", b"consent"),
            ledger_sequence: 1,
            ledger_previous: Digest::ZERO,
        };
        let envelope = key.sign(&document).expect("signed");
        let bytes = envelope.to_json().expect("JSON");
        let verified = envelope.verify(&key.verifying_key()).expect("signed");
        let accepted =
            AcceptedRelease::new(verified, round, node, municipality).expect("an answer");
        let link = Link {
            // A ledger for each release: how ledgers go on is no matter here.
            ledger: Digest::of("test", round.question(municipality).to_string().as_bytes()),
            sequence: accepted.document().ledger_sequence,
            previous: accepted.document().ledger_previous,
            head: accepted.ledger_head(),
        };
        let release = StoredRelease {
            release: document.release,
            round: round.id().clone(),
            node: node.clone(),
            municipality: municipality.clone(),
            digest: accepted.verified().digest(),
            envelope: bytes,
            received: NOW,
            late: false,
        };
        let new = NewRelease { release, link };
        let upload = self.store.add_release(&new, Late::Taken).await.expect("an answer");
        assert_eq!(upload, Upload::Stored);
    }

    /// A municipality's answer to the first version of a study.
    pub async fn answer(&self, study: &str, node: usize, answer: Answer) {
        let studies = self.store.studies().await.expect("an answer");
        let study = studies.iter().find(|one| one.study.as_str() == study).expect("a study");
        let (node, _, key) = &self.nodes[node];
        let decision = Decision { node: node.clone(), study: study.digest, answer };
        let envelope: Envelope = key.sign(&decision).expect("signed");
        let verified = envelope.clone().verify::<Decision>(&key.verifying_key()).expect("signed");
        let stored = StoredDecision {
            node: node.clone(),
            study: study.digest,
            digest: verified.digest(),
            envelope: envelope.to_json().expect("JSON"),
            received: NOW,
        };
        self.store.add_decision(&stored).await.expect("kept");
    }

    pub async fn databank(&self) -> Databank {
        let clock = Arc::new(FixedClock(NOW));
        Databank::open(self.store.clone(), &self.home.policy, clock).await.expect("a databank")
    }

    pub async fn report(&self, period: &str) -> Result<Report, ReportError> {
        let imprint = Imprint::of(&self.home.config.web);
        report::gather(&self.databank().await, period.parse().expect("a period"), imprint).await
    }

    /// Gives a command to the coordinator, as an operator would.
    pub async fn command(&self, arguments: &[&str]) -> Result<Vec<u8>, CliError> {
        let directory = self.home.directory.to_string_lossy().into_owned();
        let all = ["fellestall-coordinator", "--dir", &directory].into_iter().map(str::to_owned);
        let all = all.chain(arguments.iter().map(|one| (*one).to_owned()));
        let arguments = Arguments::try_parse_from(all).expect("arguments");
        let mut output = Vec::new();
        execute(arguments, Arc::new(FixedClock(NOW)), &mut output).await.map(|()| output)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub const NO: Answer = Answer::Refused { reason: RefusalReason::Capacity };

/// Counts that look like those of real municipalities, a little noisy; the same each time.
pub fn plausible(shift: i64) -> impl Fn(usize, &str, usize) -> i64 {
    move |node, statistic, cell| {
        let all = |text: &str| text.bytes().map(i64::from).sum::<i64>();
        let spread =
            (all(statistic) * 7 + i64::try_from(node * 13 + cell * 29).expect("small")) % 7;
        let level = [9, 5, 3, 2, 1, 1, 0, 0].get(cell).copied().unwrap_or(0);
        level + spread - 3 + if cell == 0 { shift } else { 0 }
    }
}
