//! A coordinator and a helper that know each other, and municipalities that report.

use crate::link::Link;
use fellestall_coordinator::aggregation::Leader;
use fellestall_coordinator::config::{Admin, Config, Web};
use fellestall_coordinator::helper::config::HelperConfig;
use fellestall_coordinator::helper::home::HelperHome;
use fellestall_coordinator::helper::server::HelperServer;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::rounds::{self, LoadedRound, Opening};
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::enrolment::Application;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_coordinator::store::releases::{Late, NewRelease, StoredRelease, Upload};
use fellestall_coordinator::store::reports::NewReport;
use fellestall_coordinator::store::witnesses::Link as LedgerLink;
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId, ReleaseId};
use fellestall_shared::municipality;
use fellestall_shared::privacy::{Loss, Rho};
use fellestall_shared::round::ledger_head;
use fellestall_shared::secure::vdaf::{Shares, Vdaf, leader_share_digest};
use fellestall_shared::secure::{Bytes, SealingKey, Task, report_id, seal};
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::{
    Aggregation, ReleaseDocument, ReportDocument, Residence, TaskParticipant,
};
use fellestall_tests::world::WorldClock;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
/// The smallest batch that is opened.
pub const MINIMUM: u32 = 3;

pub struct Reporter {
    pub node: NodeId,
    pub municipality: MunicipalityNumber,
    pub key: SigningKey,
}

pub struct Scene {
    pub folder: TempDir,
    pub store: Store,
    pub address: String,
    pub link: Link,
    pub helper: Option<HelperServer>,
    pub municipalities: Vec<Reporter>,
    pub loaded: LoadedRound,
    pub task: Task,
    sealing: SealingKey,
    vdaf: Vdaf,
}

/// A report and the release that names it.
pub struct Made {
    pub report: NewReport,
    pub release: NewRelease,
}

pub fn clock() -> Arc<dyn Clock> {
    WorldClock::at(NOW)
}

impl Scene {
    /// With so many municipalities, each enrolled and admitted, and a round that is open.
    pub async fn set(store: &str, municipalities: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let link = Link::start();
        let helper_home = helper_home(&folder, link.port);
        let config = Config {
            url: "https://localhost".to_owned(),
            hosts: vec!["localhost".to_owned()],
            listen: "127.0.0.1:0".parse().expect("an address"),
            public: None,
            store: store.to_owned(),
            web: Web::default(),
            admin: Some(Admin {
                listen: "127.0.0.1:0".parse().expect("an address"),
                url: None,
                oidc: None,
            }),
        };
        let directory = folder.path().join("coordinator");
        let home = Home::create(&directory, &config, NOW).expect("a coordinator");
        home.trust_helper(&helper_home.card()).expect("trusted");
        helper_home.trust(&home.card()).expect("trusted");
        let address = home.store_address().expect("a store");
        let store = Store::open(&address).await.expect("a store");
        let municipalities = enrol(&store, municipalities).await;
        let helper_home = HelperHome::open(&helper_home.directory).expect("a helper");
        let identity = helper_home.card().identity();
        let sealing = identity.sealing_key.clone();
        let helper = HelperServer::start(helper_home, clock()).await.expect("a helper");
        link.lead_to(helper.address());
        let participant = |one: &Reporter| TaskParticipant {
            municipality: one.municipality.clone(),
            node: one.node.clone(),
            release_key: one.key.verifying_key(),
        };
        let wanted: Vec<_> = municipalities.iter().map(participant).collect();
        helper.store().admit(&wanted, NOW).await.expect("admitted");
        let aggregation = Aggregation { tolerated: 1, largest_count: 1_000_000, helper: identity };
        let loaded = open_round(&store, &home, aggregation).await;
        let stored = store.task_of_round(loaded.round.id()).await.expect("an answer");
        let key = home.signing_key.verifying_key();
        let (_, task) =
            rounds::task::read(&key, &loaded, &stored.expect("a task")).expect("a task");
        let vdaf = Vdaf::of(loaded.round.study().layout().expect("shared")).expect("a vector");
        Self {
            folder,
            store,
            address,
            link,
            helper: Some(helper),
            municipalities,
            loaded,
            task,
            sealing,
            vdaf,
        }
    }

    pub fn home(&self) -> Home {
        Home::open(&self.folder.path().join("coordinator")).expect("a coordinator")
    }

    /// A leader as it is after a start, over a handle of its own.
    pub async fn leader(&self) -> Leader {
        let store = Store::open(&self.address).await.expect("a store");
        Leader::new(&self.home(), store, catalogue(), clock())
    }

    /// The helper ends and starts again.
    pub async fn restart_helper(&mut self) {
        self.helper.take().expect("a helper").shutdown().await;
        let home = HelperHome::open(&self.folder.path().join("helper")).expect("a helper");
        let helper = HelperServer::start(home, clock()).await.expect("a helper");
        self.link.lead_to(helper.address());
        self.helper = Some(helper);
    }

    /// The round as it stands.
    pub async fn load(&self) -> LoadedRound {
        let (key, id) = (self.home().signing_key.verifying_key(), self.loaded.round.id().clone());
        let loaded = rounds::load_round(&self.store, &key, catalogue(), &id).await;
        loaded.expect("a round")
    }

    /// Reads the round anew.
    pub async fn reload(&mut self) {
        self.loaded = self.load().await;
    }

    /// What a municipality counts: another number in every cell of every one, and none that occurs by
    /// chance.
    pub fn counts(&self, place: usize) -> Vec<i64> {
        let length = self.loaded.round.study().layout().expect("shared").length();
        let count = |cell| i64::try_from(700_001 + place * 10_007 + cell * 97).expect("small");
        (0..length).map(count).collect()
    }

    /// The plain sums of these municipalities' counts, scaled as they are reported.
    pub fn sums(&self, places: impl IntoIterator<Item = usize>) -> Vec<i64> {
        let length = self.loaded.round.study().layout().expect("shared").length();
        let mut sums = vec![0; length];
        for place in places {
            for (sum, count) in sums.iter_mut().zip(self.counts(place)) {
                *sum += count * self.factor();
            }
        }
        sums
    }

    fn factor(&self) -> i64 {
        let table = self.loaded.round.study().tables()[0].shared.expect("shared");
        i64::from(table.noise.factor())
    }

    /// A report of plain counts, and its release.
    pub fn make(&self, place: usize) -> Made {
        self.make_with(place, |_| {}, |_| {})
    }

    /// The same, with an entry or the signed document changed before it is signed.
    pub fn make_with(
        &self,
        place: usize,
        change: impl FnOnce(&mut Vec<u8>),
        alter: impl FnOnce(&mut ReportDocument),
    ) -> Made {
        let round = &self.loaded.round;
        let layout = round.study().layout().expect("shared");
        let factor = self.factor();
        let entry = |count: i64| layout.entry(count * factor).expect("within the range");
        let entries: Vec<u128> = self.counts(place).into_iter().map(entry).collect();
        let (task, id) = (self.task.digest(), self.id(place));
        let Ok(mut shares) = self.vdaf.split(task, &id, &entries) else { panic!("no shares") };
        change(&mut shares.leader);
        self.signed(place, shares, alter)
    }

    /// The id of a municipality's report.
    pub fn id(&self, place: usize) -> [u8; 16] {
        report_id(self.loaded.round.question(&self.municipalities[place].municipality))
    }

    /// A report of these shares, whatever they are, with its document changed before it is signed.
    pub fn signed(
        &self,
        place: usize,
        shares: Shares,
        alter: impl FnOnce(&mut ReportDocument),
    ) -> Made {
        let (round, one) = (&self.loaded.round, &self.municipalities[place]);
        let (release, id) = (round.question(&one.municipality), self.id(place));
        let task = self.task.digest();
        let sealed = seal::seal(&self.sealing, task, &id, &shares.public, &shares.helper);
        let mut document = ReportDocument {
            release,
            node: one.node.clone(),
            municipality: one.municipality.clone(),
            round: round.id().clone(),
            task,
            public_share: Bytes(shares.public),
            leader_share: leader_share_digest(&shares.leader),
            helper_share: sealed.expect("sealed"),
        };
        alter(&mut document);
        let envelope = one.key.sign(&document).expect("signed");
        let digest = envelope.payload_digest();
        let report = NewReport {
            release,
            task,
            round: round.id().clone(),
            node: one.node.clone(),
            municipality: one.municipality.clone(),
            digest,
            envelope: envelope.to_json().expect("JSON"),
            leader_share: Bytes(shares.leader),
            received: NOW,
        };
        Made { release: self.release(one, release, digest), report }
    }

    fn release(&self, one: &Reporter, release: ReleaseId, report: Digest) -> NewRelease {
        let round = &self.loaded.round;
        let document = ReleaseDocument {
            release,
            node: one.node.clone(),
            municipality: one.municipality.clone(),
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            tables: Vec::new(),
            report: Some(report),
            charge_micro: round.study().charge(),
            consent_snapshot: Digest::ZERO,
            ledger_sequence: 1,
            ledger_previous: Digest::ZERO,
        };
        let envelope = one.key.sign(&document).expect("signed");
        let digest = envelope.payload_digest();
        let link = LedgerLink {
            ledger: one.key.verifying_key().fingerprint(),
            sequence: 1,
            previous: Digest::ZERO,
            head: ledger_head(Digest::ZERO, digest),
        };
        let release = StoredRelease {
            release,
            round: round.id().clone(),
            node: one.node.clone(),
            municipality: one.municipality.clone(),
            digest,
            envelope: envelope.to_json().expect("JSON"),
            received: NOW,
            late: false,
        };
        NewRelease { release, link }
    }

    /// Stores a report and its release.
    pub async fn send(&self, made: &Made) {
        let report = self.store.add_report(&made.report, Late::Taken).await.expect("an answer");
        assert!(matches!(report, Upload::Stored | Upload::Stood), "{report:?}");
        let release = self.store.add_release(&made.release, Late::Taken).await.expect("an answer");
        assert!(matches!(release, Upload::Stored | Upload::Stood), "{release:?}");
    }

    /// What was opened of a batch.
    pub async fn opened(&self, batch: u32) -> Option<Vec<i64>> {
        let batches = self.store.batches(self.loaded.round.id()).await.expect("batches");
        let found = batches.into_iter().find(|one| one.batch == batch)?;
        Some(found.opened?.values)
    }
}

pub fn catalogue() -> &'static Catalogue {
    Catalogue::builtin().expect("a catalogue")
}

fn helper_home(folder: &TempDir, port: u16) -> HelperHome {
    let config = HelperConfig {
        name: "Another organisation".to_owned(),
        url: format!("https://127.0.0.1:{port}"),
        hosts: vec!["127.0.0.1".to_owned()],
        listen: "127.0.0.1:0".parse().expect("an address"),
        store: "sqlite:helper.db".to_owned(),
    };
    HelperHome::create(&folder.path().join("helper"), &config, NOW).expect("a helper")
}

async fn enrol(store: &Store, municipalities: usize) -> Vec<Reporter> {
    let mut enrolled = Vec::new();
    for known in municipality::all().iter().take(municipalities) {
        let municipality = known.number.clone();
        let (key, _) = SigningKey::generate().expect("a key");
        let secret = Digest::of("test", municipality.as_str().as_bytes());
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
        enrolled.push(Reporter { node, municipality, key });
    }
    enrolled
}

async fn open_round(store: &Store, home: &Home, aggregation: Aggregation) -> LoadedRound {
    let wish = Wish {
        statistics: vec!["S5".parse().expect("an id")],
        rho: Rho::from_micro(125_000),
        starts: "2016-01-01".to_owned(),
        ends: "2099-12-31".to_owned(),
        minimum_nodes: MINIMUM,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
    };
    let mut document = template::study(&wish, catalogue()).expect("a study");
    for table in &mut document.tables {
        table.loss = None;
        table.shared = Some(Loss::DiscreteGaussian { rho_micro: wish.rho });
    }
    document.mode = None;
    document.aggregation = Some(aggregation);
    let key = &home.signing_key;
    rounds::publish_study(store, key, catalogue(), &document, NOW).await.expect("published");
    let opening = Opening {
        study: document.study,
        version: None,
        period: "2016H2".parse().expect("a period"),
        closes: NOW.plus(Duration::from_hours(24)),
    };
    let (id, _) = rounds::open_round(store, key, catalogue(), &opening, NOW).await.expect("open");
    rounds::load_round(store, &key.verifying_key(), catalogue(), &id).await.expect("a round")
}
