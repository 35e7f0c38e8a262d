//! Restored backups, cloned nodes, lost answers and logs that were written anew: what the coordinator's
//! countersignatures find, over real TLS.
#![cfg(test)]

use fellestall_coordinator::invitation;
use fellestall_coordinator::store::nodes::NodeStatus;
use fellestall_coordinator::template::{self, Wish};
use fellestall_node::audit::{self, Actor, AuditError, AuditLog, Event, Parties};
use fellestall_node::config::Config;
use fellestall_node::daemon::{DaemonError, Report};
use fellestall_node::enrol::{Enroller, parse_invitation};
use fellestall_node::kernel::LedgerEntry;
use fellestall_node::keys::KeyStore;
use fellestall_node::state::{Membership, State};
use fellestall_node::witness::{self, RecoverError, Recovered};
use fellestall_node::{engine, work};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{NodeId, RoundId};
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::ledger_head;
use fellestall_shared::signed::{Envelope, Verified};
use fellestall_shared::wire::v1::{Answer, ReleaseDocument, Residence, StudyDocument};
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// A moment well after every period here.
const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);

/// A coordinator, a few nodes that have approved a study, and room for copies of their folders.
struct Scene {
    world: World,
    study: StudyDocument,
    folder: TempDir,
}

impl Scene {
    async fn set() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut world =
            World::found(folder.path(), "sqlite:coordinator.db", NOW).await.expect("a coordinator");
        let period = synthetic::PUBLISHED_PERIOD.parse().expect("a period");
        for number in ["4601", "1108"] {
            let number = number.parse().expect("a number");
            world.enrol(&synthetic::municipality(&number, period, 7)).await.expect("enrolled");
        }
        let wish = Wish {
            statistics: Vec::new(),
            rho: Rho::from_micro(20_000),
            starts: "2013-01-01".to_owned(),
            ends: "2035-12-31".to_owned(),
            minimum_nodes: 2,
            municipal_figures: false,
            residence: Residence::Anywhere,
            sharing: fellestall_coordinator::template::Sharing::default(),
        };
        let study = template::study(&wish, Catalogue::builtin().expect("sound")).expect("a study");
        world.publish_study(&study).await.expect("a study");
        world.approve_everywhere().await.expect("approvals");
        Self { world, study, folder }
    }

    fn node(&self) -> &WorldNode {
        &self.world.nodes[0]
    }

    async fn open(&self, period: &str) -> RoundId {
        let period = period.parse().expect("a period");
        self.world.open_round(&self.study, period).await.expect("a round")
    }

    /// Copies a node's folder, as a backup does.
    fn copy(&self, name: &str) -> PathBuf {
        let to = self.folder.path().join(name);
        copy(&self.node().directory, &to);
        to
    }

    /// Puts a copy in the place of the node's folder.
    fn restore(&self, copied: &Path) {
        std::fs::remove_dir_all(&self.node().directory).expect("removed");
        copy(copied, &self.node().directory);
    }

    /// The same node once more, from a copy of its folder.
    fn clone_at(&self, directory: PathBuf) -> WorldNode {
        let node = self.node();
        WorldNode {
            directory,
            node: node.node.clone(),
            municipality: node.municipality.clone(),
            clock: Arc::clone(&node.clock),
            invitation: node.invitation.clone(),
        }
    }

    /// The alarms at the coordinator, by name.
    async fn alarms(&self) -> Vec<String> {
        let lines = self.world.store.audit(1_000).await.expect("a log");
        lines.into_iter().filter(|line| line.alarm).map(|line| line.event).collect()
    }

    /// What the coordinator has of the node, after it was checked that it is one chain.
    async fn accepted(&self) -> Vec<Verified<ReleaseDocument>> {
        let key = KeyStore::new(&self.node().directory).release_public().expect("a key");
        let (whose, ledger) = (&self.node().municipality, key.fingerprint());
        let stored = self.world.store.own_releases(whose, ledger, 0).await.expect("releases");
        let mut head = Digest::ZERO;
        let mut chain = Vec::new();
        for (bytes, sequence) in stored.iter().zip(1_u64..) {
            let release = Envelope::from_json(bytes).expect("an envelope");
            let release: Verified<ReleaseDocument> = release.verify(&key).expect("the node's");
            assert_eq!((release.ledger_sequence, release.ledger_previous), (sequence, head));
            head = ledger_head(head, release.digest());
            chain.push(release);
        }
        chain
    }

    async fn witnesses(&self) -> u64 {
        let last = self.world.store.last_witness(&self.node().node).await.expect("an answer");
        last.map_or(0, |last| last.number)
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(copied.success());
}

fn opened(node: &WorldNode) -> (Config, Membership) {
    let config = Config::read(&node.directory).expect("a configuration");
    let state = State::open(&node.directory).expect("a state");
    (config, state.membership().expect("readable").expect("enrolled"))
}

fn ledger(node: &WorldNode) -> Vec<LedgerEntry> {
    let (config, membership) = opened(node);
    engine::open(&config, &membership).expect("a ledger").history().expect("entries")
}

/// The exact bytes of every release in a node's ledger.
fn bytes(node: &WorldNode) -> Vec<Vec<u8>> {
    let (config, membership) = opened(node);
    let kernel = engine::open(&config, &membership).expect("a ledger");
    let history = kernel.history().expect("entries");
    let recorded = history.iter().map(|entry| kernel.recorded(entry.release));
    recorded.map(|release| release.expect("read").expect("there").bytes().to_vec()).collect()
}

async fn cycle(node: &WorldNode) -> Report {
    node.cycle().await.expect("a cycle")
}

async fn recover(node: &WorldNode) -> Result<Recovered, RecoverError> {
    let (config, membership) = opened(node);
    let clock = Arc::clone(&node.clock) as Arc<dyn Clock>;
    let client = work::client(&config, &membership, None, clock).expect("a client");
    let by = Actor::named("operator");
    witness::recover(&config, &membership, &client, (&by, NOW)).await
}

fn refused(report: &Report) -> bool {
    report.cycle.witness_refused && report.cycle.sent.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn l08_a_restored_copy_releases_nothing_until_it_is_recovered() {
    let scene = Scene::set().await;
    let node = scene.node();
    scene.open("2016H2").await;
    assert_eq!(cycle(node).await.cycle.sent.len(), 1);
    let backup = scene.copy("backup");
    scene.open("2017H1").await;
    scene.open("2017H2").await;
    assert_eq!(cycle(node).await.cycle.sent.len(), 2);
    let (newest, whole) = (ledger(node), bytes(node));

    scene.restore(&backup);
    let lost = scene.open("2018H1").await;
    for _ in 0..3 {
        assert!(refused(&cycle(node).await), "ledger, head, log and state are those of the backup");
    }
    assert_eq!(ledger(node).len(), 1, "nothing is charged that could be charged a second time");
    assert!(scene.accepted().await.iter().all(|release| release.round != lost));
    assert_eq!(scene.alarms().await, ["ledger-conflict"], "one alarm, however often it is tried");
    assert!(witness::standing(&node.directory).expect("a standing").refused);
    assert!(audit::verify(&node.directory).is_ok(), "the older log by itself is sound");

    let recovered = recover(node).await.expect("recovered");
    assert_eq!((recovered.releases, recovered.ledger.sequence), (2, 3));
    assert_eq!((ledger(node), bytes(node)), (newest, whole), "the charges and the very same bytes");
    assert!(!witness::standing(&node.directory).expect("a standing").refused);
    assert_eq!(cycle(node).await.cycle.sent.len(), 1);
    assert_eq!(ledger(node).len(), 4);
    assert_eq!(scene.accepted().await.len(), 4);
    let log = AuditLog::open(&node.directory).expect("a log").entries().expect("it holds");
    let gap = |entry: &&audit::Entry| entry.body.what == Event::Recovered { ledger_sequence: 3 };
    assert_eq!(log.iter().filter(gap).count(), 1, "the log says that it has a gap");
    audit::verify(&node.directory).expect("and holds");
    assert_eq!(recover(node).await.expect("again").releases, 0, "once more is nothing more");
    assert!(cycle(node).await.failure.is_none());
}

/// Nothing was released between the backup and its return: the log is older all the same.
#[tokio::test(flavor = "multi_thread")]
async fn l08_a_restored_copy_whose_ledger_is_not_behind_is_noticed_by_its_log() {
    let scene = Scene::set().await;
    let node = scene.node();
    cycle(node).await;
    let backup = scene.copy("backup");
    cycle(node).await;
    scene.restore(&backup);
    scene.open("2016H2").await;
    assert!(refused(&cycle(node).await));
    assert_eq!(recover(node).await.expect("recovered").releases, 0);
    assert_eq!(cycle(node).await.cycle.sent.len(), 1);
}

/// The first witness was asked for after the copy was made, or before it; the one or the other runs
/// first; or both at once.
#[tokio::test(flavor = "multi_thread")]
async fn l08_of_two_nodes_with_one_identity_at_most_one_chain_is_accepted() {
    for witnessed_before in [false, true] {
        for order in ["original first", "copy first", "at once"] {
            let scene = Scene::set().await;
            scene.open("2016H2").await;
            if witnessed_before {
                // Both hold the same statement, and so will both be given the same witness.
                let (config, membership) = opened(scene.node());
                witness::statement(&config, &membership).expect("opened").expect("stated");
            }
            let copied = scene.clone_at(scene.copy("clone"));
            let original = scene.node();
            scene.open("2017H1").await;
            let (first, second) =
                if order == "copy first" { (&copied, original) } else { (original, &copied) };
            if order == "at once" {
                let (one, other) = tokio::join!(first.cycle(), second.cycle());
                one.and(other).expect("two cycles");
            } else {
                assert_eq!(cycle(first).await.cycle.sent.len(), 2, "{order}");
                let report = cycle(second).await;
                assert!(report.cycle.sent.is_empty(), "{order}: {report:?}");
            }
            let said = format!("witnessed before: {witnessed_before}, {order}");
            let accepted = scene.accepted().await;
            assert!(accepted.len() <= 2, "{said}");
            assert!(!scene.alarms().await.is_empty(), "{said}");
            // From now on one of the two is out, and what is accepted is one ledger's beginning.
            scene.open("2017H2").await;
            let reports = [cycle(first).await, cycle(second).await];
            let out = reports.iter().filter(|report| refused(report)).count();
            assert!(out >= 1, "{said}: {reports:?}");
            let accepted = scene.accepted().await;
            let is_of = |node: &WorldNode| {
                let own = bytes(node);
                let key = KeyStore::new(&node.directory).release_public().expect("a key");
                accepted.iter().all(|release| {
                    own.iter().any(|bytes| {
                        let own = Envelope::from_json(bytes).expect("an envelope");
                        own.verify::<ReleaseDocument>(&key).expect("its own") == *release
                    })
                })
            };
            assert!(
                is_of(first) || is_of(second),
                "{said}: one ledger holds all that was accepted"
            );
        }
    }
}

/// A new enrolment of a restored folder is another node with the same ledger: nothing comes back by it.
#[tokio::test(flavor = "multi_thread")]
async fn l08_enrolling_a_restored_copy_anew_brings_no_budget_back() {
    let scene = Scene::set().await;
    let node = scene.node();
    scene.open("2016H2").await;
    cycle(node).await;
    let backup = scene.copy("backup");
    scene.open("2017H1").await;
    cycle(node).await;
    let whole = bytes(node);
    scene.restore(&backup);
    let (store, home) = (&scene.world.store, scene.world.home().expect("a coordinator"));
    store.decide_node(&node.node, NodeStatus::Denied, NOW).await.expect("denied");
    let url = opened(node).1.url;
    let invited = invitation::invite(store, &home.authority, &url, &node.municipality, NOW).await;
    let text = invited.expect("an invitation").text;
    let clock = Arc::clone(&node.clock) as Arc<dyn Clock>;
    let (config, invitation) = (opened(node).0, parse_invitation(&text).expect("an invitation"));
    let enroller = Enroller::new(invitation, &config, None, clock).expect("an enroller");
    enroller.request(&node.directory).await.expect("asked");
    let again = NodeId::new(&node.municipality, 2);
    store.decide_node(&again, NodeStatus::Enrolled, NOW).await.expect("approved");
    enroller.poll(&node.directory).await.expect("enrolled");
    assert_eq!(opened(node).1.node, again);
    scene.open("2017H2").await;
    assert!(refused(&cycle(node).await));
    assert_eq!(ledger(node).len(), 1);
    assert_eq!(recover(node).await.expect("recovered").releases, 1);
    assert_eq!(bytes(node), whole);
    let report = cycle(node).await;
    assert!(!report.cycle.witness_refused && ledger(node).len() == 3, "{report:?}");
}

/// A copy that made a release of its own cannot be brought back, and is left as it is.
#[tokio::test(flavor = "multi_thread")]
async fn l09_a_gap_that_cannot_be_closed_changes_nothing() {
    let scene = Scene::set().await;
    let round = scene.open("2016H2").await;
    let (config, membership) = opened(scene.node());
    witness::statement(&config, &membership).expect("opened").expect("stated");
    let copied = scene.clone_at(scene.copy("clone"));
    assert!(cycle(scene.node()).await.cycle.sent.contains(&round));
    // The copy answers the same question with other noise, and is refused.
    let report = cycle(&copied).await;
    assert!(report.cycle.sent.is_empty() && report.cycle.rejected, "{report:?}");
    let (before, held) = (ledger(&copied), bytes(&copied));
    assert_eq!(before.len(), 1);
    assert_ne!(held, bytes(scene.node()));
    let error = recover(&copied).await.expect_err("no way back");
    let told = format!("{error:#}");
    for part in ["cannot be put back", "nothing was changed", "new enrolment", "spent"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!((ledger(&copied), bytes(&copied)), (before, held));
    assert!(refused(&cycle(&copied).await));
}

/// N02: stated and not sent, sent and not answered, answered and cut off before the next step: the
/// same statement has one witness, and the node goes on.
#[tokio::test(flavor = "multi_thread")]
async fn n02_an_answer_that_is_lost_at_any_step_of_countersigning_has_one_effect() {
    let mut scene = Scene::set().await;
    let (config, membership) = opened(scene.node());
    let clock = Arc::clone(&scene.node().clock) as Arc<dyn Clock>;
    let client = work::client(&config, &membership, None, clock).expect("a client");
    let stated = || {
        let stated = witness::statement(&config, &membership).expect("opened").expect("stated");
        stated.expect("not refused")
    };
    let before = scene.witnesses().await;
    // On disk, and the coordinator is not there.
    let statement = stated();
    scene.world.take_down().await;
    assert!(cycle(scene.node()).await.failure.is_some());
    scene.world.bring_up().await.expect("back");
    assert_eq!(stated(), statement, "the same bytes are waiting");
    cycle(scene.node()).await;
    assert_eq!(scene.witnesses().await, before + 1);
    // Sent and witnessed, and the answer is lost.
    let statement = stated();
    let sent = client.witness(statement.to_json().expect("JSON")).await.expect("a witness");
    assert_eq!(stated(), statement);
    let again = client.witness(statement.to_json().expect("JSON")).await.expect("a witness");
    assert_eq!(sent, again, "the very same witness");
    cycle(scene.node()).await;
    assert_eq!(scene.witnesses().await, before + 2);
    // Answered and kept, and cut off before anything was released.
    let statement = stated();
    let sent = client.witness(statement.to_json().expect("JSON")).await.expect("a witness");
    let key = KeyStore::new(&config.directory).release().expect("a key");
    let coordinator = &membership.coordinator_key;
    let parties = Parties { node: &membership.node, key: &key, coordinator };
    let mut log = AuditLog::open(&config.directory).expect("a log");
    log.countersigned(&parties, &sent).expect("kept");
    assert!(log.countersigned(&parties, &sent).is_err(), "an answer is taken once");
    drop(log);
    scene.open("2016H2").await;
    assert_eq!(cycle(scene.node()).await.cycle.sent.len(), 1);
    assert_eq!(scene.witnesses().await, before + 4);
    assert!(scene.alarms().await.is_empty());
    audit::verify(&scene.node().directory).expect("it holds");
}

fn audit_file(node: &WorldNode) -> Connection {
    let connection = Connection::open(node.directory.join(audit::FILE)).expect("the log");
    let triggers = "DROP TRIGGER entry_keeps; DROP TRIGGER entry_stays;";
    connection.execute_batch(triggers).expect("dropped");
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_does_not_hold_approves_and_releases_nothing() {
    let scene = Scene::set().await;
    let node = scene.node();
    scene.open("2016H2").await;
    let change =
        "UPDATE entry SET body = CAST(replace(CAST(body AS TEXT), 'operator', 'nobody') AS BLOB)";
    audit_file(node).execute_batch(change).expect("altered");
    let told = format!("{:#}", node.cycle().await.expect_err("it stops"));
    assert!(told.contains("altered, removed or moved"), "{told}");
    assert!(node.decide(Answer::Approved).is_ok(), "what was decided before stands");
    let reason = fellestall_shared::wire::v1::RefusalReason::Other;
    let told = format!("{:#}", node.decide(Answer::Refused { reason }).expect_err("not written"));
    assert!(told.contains("nothing was decided"), "{told}");
    assert!(ledger(node).is_empty());
    assert!(scene.accepted().await.is_empty());
}

/// Somebody with a database tool and this program's source alters one entry and writes all heads after
/// it anew, and the note beside the log: only what was countersigned tells.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_written_anew_is_found_by_its_countersignature() {
    let scene = Scene::set().await;
    let node = scene.node();
    scene.open("2016H2").await;
    cycle(node).await;
    cycle(node).await;
    let sound = scene.copy("sound");
    let report = audit::verify(&node.directory).expect("it holds");
    let covered = report.countersigned.expect("countersigned").entries.expect("entries");
    assert!(covered >= 6, "{covered}");
    for altered in 1..=covered {
        scene.restore(&sound);
        let entries = AuditLog::open(&node.directory).expect("a log").entries().expect("it holds");
        let (file, mut head) = (audit_file(node), Digest::ZERO);
        for entry in &entries {
            let mut body = entry.body.clone();
            if body.sequence == altered {
                body.by = Actor::named("somebody else");
            }
            let bytes = serde_json::to_vec(&body).expect("JSON");
            head = audit::head_after(head, &bytes);
            let write = "UPDATE entry SET body = ?1, head = ?2 WHERE sequence = ?3";
            let place = i64::try_from(body.sequence).expect("few");
            file.execute(write, params![bytes, head.as_bytes(), place]).expect("written");
        }
        drop(file);
        let beside = node.directory.join("audit.sqlite.head");
        std::fs::write(beside, format!("{} {head}\n", entries.len())).expect("written");
        let found = audit::verify(&node.directory);
        assert!(matches!(found, Err(AuditError::Countersigned { .. })), "{altered}: {found:?}");
        let stopped = node.cycle().await.expect_err("it does not run");
        assert!(
            matches!(stopped.downcast_ref(), Some(DaemonError::Audit(_))),
            "{altered}: {stopped:#}"
        );
    }
}
