//! Leased work: the instance that verifies reports with the helper is killed or paused in the midst of a
//! job, and another takes over. What is opened is opened once.

use crate::gate::Gate;
use crate::pair::{Helper, column, database, enrol};
use crate::scene::files;
use crate::stage::{ROUND, Setting, Stage, binaries};
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::reports::ReportState;
use fellestall_shared::ids::RoundId;
use fellestall_tests::instances::Instance;
use fellestall_tests::postgres::Postgres;
use std::process::Command;
use std::time::{Duration, Instant};

const TABLES: [&str; 6] = ["--statistic", "S4", "--statistic", "S5", "--shared", "S4,S5"];
const NODES: [&str; 3] = ["4601", "1108", "0301"];
const LEASE: &str = "aggregation";
const PATIENCE: Duration = Duration::from_mins(3);

/// What becomes of the instance that has the lease.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Killed,
    Paused,
}

/// One instance in the midst of a job, and a second that has just started.
struct Scene {
    stage: Stage,
    second: Instance,
    helper: Helper,
    gate: Gate,
    store: Store,
    round: RoundId,
    _cluster: Postgres,
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so().await {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn signal(process: u32, name: &str) {
    let status = Command::new("kill").args([name, &process.to_string()]).status().expect("kill");
    assert!(status.success(), "{name}");
}

impl Scene {
    async fn set() -> Self {
        let cluster = Postgres::start().expect("a PostgreSQL to test with");
        let address = cluster.address("postgres");
        let stage = Stage::set(&Setting { store: Some(&address), ..Setting::default() });
        let gate = Gate::start();
        let helper = Helper::found_behind(&stage, Some(gate.port));
        gate.lead_to(helper.port);
        let nodes = enrol(&stage, &NODES);
        helper.open_round(&stage, &TABLES);
        gate.hold(true);
        for node in &nodes {
            stage.register(node);
            stage.must(node, &["approve", "core"]);
            stage.must(node, &["run", "--once"]);
        }
        let store = Store::open(&address).await.expect("a store");
        let round = ROUND.parse().expect("an id");
        let copy = stage.path("second");
        let mut second = Instance::copy(&stage.coordinator(), copy, binaries()).expect("a copy");
        until("no job is under way", async || gate.held() > 0).await;
        second.start().expect("a second instance");
        Self { stage, second, helper, gate, store, round, _cluster: cluster }
    }

    async fn holder(&self) -> Option<String> {
        self.store.lease_holder(LEASE).await.expect("an answer")
    }

    /// Closes the round by the second instance's directory.
    fn close(&self) {
        let mut command =
            self.stage.command(&binaries().coordinator, &self.second.directory.clone());
        let ended = self.stage.attempt(command.args(["round", "close", ROUND]));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
    }

    /// Every report is in both halves of one sum, which was opened once.
    async fn check_opened_once(&self) {
        let batches = self.store.batches(&self.round).await.expect("batches");
        assert_eq!(batches.len(), 1);
        assert_eq!(batches[0].count as usize, NODES.len());
        assert!(batches[0].opened.is_some());
        let second = database(&self.helper.directory().join("helper.db"));
        let counts = column::<i64>(&second, "SELECT reports FROM batch ORDER BY batch");
        assert_eq!(counts, [3], "the helper's half");
        let log = self.store.audit(10_000).await.expect("a log");
        let count = |event: &str| log.iter().filter(|line| line.event == event).count();
        assert_eq!((count("batch-opened"), count("published"), count("task-accepted")), (1, 1, 1));
        assert!(!log.iter().any(|line| line.alarm), "{log:?}");
        let reports = self.store.reports(&self.round).await.expect("reports");
        assert!(reports.iter().all(|one| one.state == ReportState::Verified { batch: 1 }));
        let bundle = self.stage.path("bundle.json").display().to_string();
        let version = format!("{ROUND}.v1");
        let export = ["publications", "export", &version, "--as", "bundle", "--out", &bundle];
        self.stage.coordinate(&export);
        self.stage.coordinate(&["verify", &bundle]);
    }
}

async fn another_takes_over(fate: Fate) {
    let mut scene = Scene::set().await;
    let before = files(&scene.second.directory);
    let first = scene.stage.service.as_ref().expect("the first instance").id();
    let holder = scene.holder().await.expect("whoever does the job has the lease");
    match fate {
        Fate::Killed => {
            let service = scene.stage.service.take().expect("the first instance");
            service.kill().expect("it ran");
        }
        Fate::Paused => signal(first, "-STOP"),
    }
    // The lease is not free at once, and what is sent from now on is answered.
    assert_eq!(scene.holder().await.as_ref(), Some(&holder));
    scene.gate.hold(false);
    until("the second instance does not take over", async || {
        let reports = scene.store.reports(&scene.round).await.expect("reports");
        reports.iter().all(|one| one.state == ReportState::Verified { batch: 1 })
    })
    .await;
    assert_ne!(scene.holder().await, Some(holder), "it was another's");
    scene.close();
    scene.check_opened_once().await;
    if fate == Fate::Paused {
        // It goes on where it was, with the answer that it waited for and without the lease.
        scene.gate.release();
        signal(first, "-CONT");
        let (stage, gate) = (&scene.stage, &scene.gate);
        let (public, held) = (stage.public.clone(), gate.held());
        until("the first instance is not back", async || {
            let asked =
                fellestall_tests::http::ask(&public, "GET", "/healthz", &[("Host", &public)], "");
            asked.is_ok_and(|answer| answer.status == 200)
        })
        .await;
        assert_eq!(held, 1);
        scene.check_opened_once().await;
        scene.stage.service.take().expect("the first instance").stop().expect("in order");
        scene.check_opened_once().await;
    }
    assert_eq!(files(&scene.second.directory), before, "nothing at run time writes there");
    scene.second.service.take().expect("it runs").stop().expect("in order");
    assert_eq!(scene.holder().await, None, "who ends in order gives the lease up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leased_work_of_an_instance_that_is_killed_is_done_by_another_and_opened_once() {
    another_takes_over(Fate::Killed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_was_paused_and_lost_its_lease_does_no_harm() {
    another_takes_over(Fate::Paused).await;
}

/// With another secret for reports an instance would have every honest report rejected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_with_another_secret_for_reports_rejects_none() {
    let scene = Scene::set().await;
    let mut other = scene.second;
    other.service.take().expect("it runs").stop().expect("in order");
    let first = scene.stage.service.as_ref().expect("the first instance").id();
    signal(first, "-KILL");
    scene.gate.hold(false);
    let secret = other.directory.join("report-secret");
    let right = std::fs::read(&secret).expect("a secret");
    let close = || {
        let mut command = scene.stage.command(&binaries().coordinator, &other.directory);
        scene.stage.attempt(command.args(["round", "close", ROUND]))
    };
    std::fs::write(&secret, [7; 32]).expect("written");
    let refused = close();
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("report-secret is not the one"), "{}", refused.err);
    std::fs::remove_file(&secret).expect("removed");
    let refused = close();
    assert_eq!(refused.code, Some(1), "{}", refused.out);
    assert!(refused.err.contains("report-secret cannot be read"), "{}", refused.err);
    assert!(!secret.exists(), "no second secret is made");
    let reports = scene.store.reports(&scene.round).await.expect("reports");
    assert!(reports.iter().all(|one| one.state == ReportState::Waiting), "{reports:?}");
    std::fs::write(&secret, right).expect("written");
    let closed = close();
    assert_eq!(closed.code, Some(0), "{}", closed.err);
    let reports = scene.store.reports(&scene.round).await.expect("reports");
    assert!(reports.iter().all(|one| one.state == ReportState::Verified { batch: 1 }));
}
