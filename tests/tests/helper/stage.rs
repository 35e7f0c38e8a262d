//! A helper that runs, a coordinator that calls it, and nodes that report.

use fellestall_coordinator::config::{Config, Web};
use fellestall_coordinator::helper::card::HelperCard;
use fellestall_coordinator::helper::client::{HelperCallError, HelperClient};
use fellestall_coordinator::helper::config::HelperConfig;
use fellestall_coordinator::helper::home::HelperHome;
use fellestall_coordinator::helper::server::HelperServer;
use fellestall_coordinator::home::Home;
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, SystemClock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, NodeId};
use fellestall_shared::privacy::{Loss, Rho};
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::round::Round;
use fellestall_shared::secure::seal::seal;
use fellestall_shared::secure::vdaf::{AggregateShare, LeaderState, Vdaf, leader_share_digest};
use fellestall_shared::secure::{Bytes, Checksum, SealingKey, Task, report_id};
use fellestall_shared::signed::{Envelope, SigningKey};
use fellestall_shared::study::Study;
use fellestall_shared::wire::v1::{
    Aggregation, BatchClaim, Job, JobReport, JobResult, NewTask, OpenedBatch, Outcome, Rejection,
    ReportDocument, Residence, RoundDocument, StudyDocument, TaskDocument, TaskParticipant,
};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

pub const VERIFY_KEY: [u8; 32] = [0x5a; 32];
pub const MINIMUM: u32 = 3;

/// A node with its key.
pub struct Node {
    pub identity: TaskParticipant,
    pub key: SigningKey,
}

/// Everything.
pub struct Stage {
    pub folder: TempDir,
    pub server: HelperServer,
    pub helper: HelperCard,
    pub home: Home,
    pub client: HelperClient,
    pub nodes: Vec<Node>,
    pub study: Envelope,
    pub round: (Envelope, Round),
    pub vdaf: Vdaf,
}

/// A task that the helper was told of.
pub struct Told {
    pub task: Task,
    pub new: NewTask,
}

/// A report, and what the leader has of it.
pub struct Made {
    pub report: Envelope,
    pub id: [u8; 16],
    pub verifier_share: Vec<u8>,
    pub state: LeaderState,
    pub secrets: Vec<Vec<u8>>,
}

pub fn now() -> Timestamp {
    SystemClock.now()
}

pub fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

fn node(number: u32) -> Node {
    let municipality: MunicipalityNumber = number.to_string().parse().expect("a number");
    let (key, _) = SigningKey::generate().expect("a key");
    let node = NodeId::new(&municipality, 1);
    Node { identity: TaskParticipant { municipality, node, release_key: key.verifying_key() }, key }
}

impl Stage {
    /// A helper with so many nodes, all of them admitted.
    pub async fn new(nodes: u32) -> Self {
        let stage = Self::before_admission(nodes).await;
        let everybody: Vec<_> = stage.nodes.iter().map(|node| node.identity.clone()).collect();
        stage.server.store().admit(&everybody, now()).await.expect("admitted");
        stage
    }

    pub async fn before_admission(nodes: u32) -> Self {
        Self::over(nodes, "sqlite:helper.db").await
    }

    /// A helper with its store at this address, whose operator has admitted nobody.
    pub async fn over(nodes: u32, store: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = folder.path().join("coordinator");
        let home = Home::create(&directory, &coordinator(), now()).expect("a coordinator");
        let (server, helper) = start(folder.path().join("helper"), &home, store).await;
        home.trust_helper(&helper).expect("trusted");
        let home = Home::open(&directory).expect("a coordinator");
        let client = HelperClient::new(&home, clock()).expect("a client").expect("a helper");
        let (study, round) = documents(&home, &helper);
        let vdaf = Vdaf::of(round.1.study().layout().expect("shared tables")).expect("a vector");
        let nodes = (0..nodes).map(|place| node(1101 + place)).collect();
        Self { folder, server, helper, home, client, nodes, study, round, vdaf }
    }

    /// Where the helper lives.
    pub fn directory(&self) -> PathBuf {
        self.folder.path().join("helper")
    }

    /// Entries of one report.
    pub fn length(&self) -> usize {
        self.round.1.study().layout().expect("shared tables").length()
    }

    pub fn bits(&self) -> u32 {
        self.round.1.study().layout().expect("shared tables").bits()
    }

    /// The task of all nodes, signed and not yet told.
    pub fn task(&self) -> Told {
        let participants = self.nodes.iter().map(|node| node.identity.clone()).collect();
        self.task_of(participants, &self.home.signing_key)
    }

    pub fn task_of(&self, participants: Vec<TaskParticipant>, key: &SigningKey) -> Told {
        let round = &self.round.1;
        let document = TaskDocument {
            round: round.id().clone(),
            study: round.study().digest(),
            period: round.period(),
            participants,
            minimum: MINIMUM,
            length: u32::try_from(self.length()).expect("a length"),
            bits: self.bits(),
            helper: self.helper.signing_key.fingerprint(),
        };
        let envelope = key.sign(&document).expect("signed");
        let task = Task::check(&document, envelope.payload_digest(), round).expect("a task");
        let (study, round) = (self.study.clone(), self.round.0.clone());
        let verify_key = Bytes(VERIFY_KEY.to_vec());
        Told { task, new: NewTask { task: envelope, study, round, verify_key } }
    }

    /// The task of all nodes, accepted by the helper.
    pub async fn told(&self) -> Task {
        let told = self.task();
        self.client.task(told.task.digest(), &told.new).await.expect("accepted");
        told.task
    }

    /// The report of a node with these entries.
    pub fn report(&self, task: &Task, node: &Node, entries: &[u128]) -> Made {
        self.report_with(task.digest(), node, entries, &self.helper.sealing_key, |_| ())
    }

    /// The report of a node that changes something in it before signing.
    pub fn report_with(
        &self,
        task: Digest,
        node: &Node,
        entries: &[u128],
        key: &SealingKey,
        change: impl FnOnce(&mut ReportDocument),
    ) -> Made {
        let round = &self.round.1;
        let release = round.question(&node.identity.municipality);
        let id = report_id(release);
        let shares = self.vdaf.split(task, &id, entries).expect("entries in their range");
        let sealed = seal(key, task, &id, &shares.public, &shares.helper).expect("sealed");
        let started =
            self.vdaf.leader_start(&VERIFY_KEY, task, &id, &shares.public, &shares.leader);
        let (state, verifier_share) = started.expect("started");
        let mut document = ReportDocument {
            release,
            node: node.identity.node.clone(),
            municipality: node.identity.municipality.clone(),
            round: round.id().clone(),
            task,
            public_share: Bytes(shares.public),
            leader_share: leader_share_digest(&shares.leader),
            helper_share: sealed,
        };
        change(&mut document);
        let report = node.key.sign(&document).expect("signed");
        Made { report, id, verifier_share, state, secrets: vec![shares.leader, shares.helper] }
    }

    /// Whether the helper's log has an alarm of this name.
    pub async fn has_alarm(&self, name: &str) -> bool {
        let lines = self.server.store().audit(100).await.expect("a log");
        lines.iter().any(|line| line.alarm && line.event == name)
    }
}

impl Made {
    pub fn job_report(&self) -> JobReport {
        let verifier_share = Bytes(self.verifier_share.clone());
        JobReport { report: self.report.clone(), verifier_share }
    }
}

pub fn job(batch: u32, reports: &[Made]) -> Job {
    Job { batch, reports: reports.iter().map(Made::job_report).collect() }
}

pub fn claim(reports: &[Made]) -> BatchClaim {
    let checksum = reports.iter().fold(Checksum::NONE, |sum, report| sum.with(&report.id));
    let count = u32::try_from(reports.len()).expect("a count");
    BatchClaim { count, checksum: checksum.into() }
}

/// What became of each, without the messages.
pub fn reasons(result: &JobResult) -> Vec<Option<Rejection>> {
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Accepted { .. } => None,
        Outcome::Rejected { reason } => Some(*reason),
    };
    result.outcomes.iter().map(reason).collect()
}

/// The leader's half of the sum of reports that the helper has accepted, with their messages.
pub fn leaders_half(vdaf: &Vdaf, reports: Vec<Made>, results: &[JobResult]) -> AggregateShare {
    let outcomes = results.iter().flat_map(|result| &result.outcomes);
    let mut half = vdaf.nothing();
    for (report, outcome) in reports.into_iter().zip(outcomes) {
        let Outcome::Accepted { message } = outcome else { panic!("not accepted") };
        half.add(&report.state.finish(&message.0).expect("finished")).expect("added");
    }
    half
}

/// The sums of a batch, joined from both halves.
pub fn sums(stage: &Stage, half: &AggregateShare, opened: &Envelope) -> Vec<u128> {
    let opened = opened.clone().verify::<OpenedBatch>(&stage.helper.signing_key).expect("signed");
    let theirs = stage.vdaf.aggregate(&opened.share.0).expect("half of a sum");
    stage.vdaf.open(half, &theirs, opened.count).expect("sums")
}

/// The kind of a refusal.
pub fn refused<T>(answer: Result<T, HelperCallError>) -> (ProblemKind, String) {
    match answer.err() {
        Some(HelperCallError::Refused { kind: Some(kind), detail, .. }) => (kind, detail),
        Some(other) => panic!("not refused but {other:?}"),
        None => panic!("not refused"),
    }
}

fn coordinator() -> Config {
    Config {
        url: "https://localhost".to_owned(),
        hosts: vec!["localhost".to_owned()],
        listen: "127.0.0.1:0".parse().expect("an address"),
        public: None,
        store: "sqlite:coordinator.db".to_owned(),
        web: Web::default(),
        admin: None,
    }
}

/// A helper in this directory that trusts the coordinator, and its card with the port that it has.
pub async fn start(directory: PathBuf, home: &Home, store: &str) -> (HelperServer, HelperCard) {
    let config = HelperConfig {
        name: "The other house".to_owned(),
        url: "https://127.0.0.1".to_owned(),
        hosts: vec!["127.0.0.1".to_owned()],
        listen: "127.0.0.1:0".parse().expect("an address"),
        store: store.to_owned(),
    };
    let helper = HelperHome::create(&directory, &config, now()).expect("a helper");
    helper.trust(&home.card()).expect("trusted");
    let helper = HelperHome::open(&directory).expect("a helper");
    let card = helper.card();
    let server = HelperServer::start(helper, clock()).await.expect("a server");
    let url = format!("https://{}", server.address());
    (server, HelperCard { url, ..card })
}

fn documents(home: &Home, helper: &HelperCard) -> (Envelope, (Envelope, Round)) {
    let catalogue = Catalogue::builtin().expect("the catalogue is sound");
    let wish = Wish {
        statistics: vec!["S2".parse().expect("a statistic")],
        rho: Rho::from_micro(125_000),
        starts: "2026-01-01".to_owned(),
        ends: "2030-12-31".to_owned(),
        minimum_nodes: MINIMUM,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
    };
    let mut document: StudyDocument = template::study(&wish, catalogue).expect("a template");
    for table in &mut document.tables {
        table.loss = None;
        table.shared = Some(Loss::DiscreteGaussian { rho_micro: wish.rho });
    }
    document.mode = None;
    document.aggregation =
        Some(Aggregation { tolerated: 1, largest_count: 500, helper: helper.identity() });
    let key = &home.signing_key;
    let study = key.sign(&document).expect("signed");
    let verified = study.clone().verify::<StudyDocument>(&key.verifying_key()).expect("ours");
    let checked = Study::new(&verified, catalogue).expect("a study");
    let period = "2026H1".parse().expect("a period");
    let round = RoundDocument {
        round: checked.round(period),
        study: checked.digest(),
        period,
        opens: now(),
        closes: now().plus(Duration::from_hours(24)),
    };
    let envelope = key.sign(&round).expect("signed");
    (study, (envelope, Round::check(&round, checked).expect("a round")))
}

/// A client of the same helper at another address.
pub fn client_at(stage: &Stage, address: std::net::SocketAddr) -> HelperClient {
    let mut home = Home::open(&stage.home.directory).expect("a coordinator");
    let url = format!("https://{address}");
    home.helper = Some(HelperCard { url, ..stage.helper.clone() });
    HelperClient::new(&home, clock()).expect("a client").expect("a helper")
}

/// A node that no task names.
pub fn stranger() -> Node {
    node(5501)
}
