//! D26: somebody withdraws between two rounds. What was released stands, is not counted anew, and
//! nothing that can be seen tells of the withdrawal before the next period's noise does.
#![cfg(test)]

use fellestall_coordinator::template::{self, Wish};
use fellestall_node::config::{self, Config};
use fellestall_node::decisions;
use fellestall_node::engine;
use fellestall_node::evidence::Cost;
use fellestall_node::kernel::{ApprovedRound, Kernel, KernelConfig, Secrets, SnapshotKey};
use fellestall_node::keys::KeyStore;
use fellestall_node::register::Register;
use fellestall_node::state::State;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::ids::{ReleaseId, RoundId};
use fellestall_shared::privacy::{Delta, Rho};
use fellestall_shared::signed::Envelope;
use fellestall_shared::wire::v1::{ReleaseDocument, Residence, StudyDocument};
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
const BEFORE: &str = "2016H2";
const AFTER: &str = "2017H1";
/// In the period after the one that was released.
const WITHDRAWN_ON: &str = "2017-01-15";
/// The greatest loss that is accounted for: sigma is 0.07, so that a draw other than 0 has probability
/// below 10^-40, and a test can see what was counted.
const LOUD: u64 = 100_000_000;
const USUAL: u64 = 125_000;

fn study(version: u32, micro: u64) -> StudyDocument {
    let wish = Wish {
        statistics: vec!["S1".parse().expect("an id"), "S2".parse().expect("an id")],
        rho: Rho::from_micro(micro),
        starts: "2013-01-01".to_owned(),
        ends: "2035-12-31".to_owned(),
        minimum_nodes: 2,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
    };
    let study = template::study(&wish, Catalogue::builtin().expect("sound")).expect("a study");
    StudyDocument { version, ..study }
}

/// Two municipalities that have approved the study.
async fn country(folder: &Path, micro: u64) -> World {
    let mut world =
        World::found(folder, "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    for number in ["1108", "4601"] {
        let number = number.parse().expect("a number");
        let export = synthetic::municipality(&number, BEFORE.parse().expect("a period"), 7);
        world.enrol(&export).await.expect("a node");
        let path = world.nodes[world.nodes.len() - 1].directory.join(config::FILE);
        let text = std::fs::read_to_string(&path).expect("a configuration");
        let wide = |line: &str| match line.split_once(" = ") {
            Some((cap @ ("lifetime" | "year" | "study"), _)) => format!("{cap} = \"1000\"\n"),
            _ => format!("{line}\n"),
        };
        std::fs::write(&path, text.lines().map(wide).collect::<String>()).expect("written");
    }
    world.publish_study(&study(1, micro)).await.expect("a study");
    world.approve_everywhere().await.expect("approvals");
    world
}

async fn open(world: &World, version: u32, micro: u64, period: &str) -> RoundId {
    let period = period.parse().expect("a period");
    world.open_round(&study(version, micro), period).await.expect("a round")
}

async fn cycle_all(world: &World) -> Vec<String> {
    let mut reports = Vec::new();
    for node in &world.nodes {
        let report = node.cycle().await.expect("a cycle");
        reports.push(format!("{:?} {:?}", report.cycle, report.not_released));
    }
    reports
}

/// The first participant whose consent holds without an end withdraws it.
fn withdraw(node: &WorldNode) {
    let path = node.records().join("consent.csv");
    let mut reader = csv::Reader::from_path(&path).expect("a table");
    let heads = reader.headers().expect("headers").clone();
    let mut rows: Vec<BTreeMap<String, String>> =
        reader.deserialize().map(|row| row.expect("a row")).collect();
    let alone = |id: &str| rows.iter().filter(|row| row["participant_id"] == id).count() == 1;
    let holds = |row: &BTreeMap<String, String>| {
        row["status"] == "given"
            && row["valid_until"].is_empty()
            && row["withdrawn_on"].is_empty()
            && row["purpose"] == synthetic::PURPOSE
            && row["form_version"] == "2014-1"
            && row["date"].as_str() < "2016-12-31"
            && alone(&row["participant_id"])
    };
    let at = rows.iter().position(holds).expect("somebody consents");
    rows[at].insert("withdrawn_on".to_owned(), WITHDRAWN_ON.to_owned());
    let mut writer = csv::Writer::from_path(&path).expect("a table");
    writer.write_record(&heads).expect("written");
    for row in rows {
        writer.write_record(heads.iter().map(|head| &row[head])).expect("written");
    }
    writer.flush().expect("written");
}

/// The node's kernel, and the open rounds of it that are approved.
fn kernel(node: &WorldNode) -> (Config, Kernel, Vec<ApprovedRound>) {
    let config = Config::read(&node.directory).expect("a configuration");
    let state = State::open(&node.directory).expect("a state");
    let membership = state.membership().expect("a state").expect("enrolled");
    let register = Register::read(&node.directory).expect("a register");
    let now = node.clock.now();
    let (rounds, _) = decisions::open_rounds(&state, &membership, &register, now).expect("rounds");
    let kernel = engine::open(&config, &membership).expect("a kernel");
    (config, kernel, rounds)
}

/// Every release of a node's ledger, in its exact bytes.
fn released(node: &WorldNode) -> Vec<(ReleaseId, Vec<u8>)> {
    let (_, kernel, _) = kernel(node);
    let history = kernel.history().expect("a history");
    let bytes = |id| kernel.recorded(id).expect("readable").expect("recorded").bytes().to_vec();
    history.iter().map(|entry| (entry.release, bytes(entry.release))).collect()
}

fn document(node: &WorldNode, bytes: &[u8]) -> ReleaseDocument {
    let key = KeyStore::new(&node.directory).release_public().expect("a key");
    let envelope = Envelope::from_json(bytes).expect("an envelope");
    ReleaseDocument::clone(&envelope.verify::<ReleaseDocument>(&key).expect("a signature"))
}

/// All that a value shows but for the noise and the keys: its fields, lengths and kinds.
fn shape(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(name, value)| format!("{name}:{}", shape(value))).collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => format!("text{}", text.len()),
        Value::Number(_) => "number".to_owned(),
        other => other.to_string(),
    }
}

/// What stands after the withdrawal must be byte for byte what stood before it, at the node, at the
/// coordinator and in the publication; and a new version of the study gets no second count.
#[tokio::test(flavor = "multi_thread")]
async fn d26_a_withdrawal_changes_nothing_that_was_released() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = country(folder.path(), USUAL).await;
    let node = &world.nodes[1];
    let round = open(&world, 1, USUAL, BEFORE).await;
    cycle_all(&world).await;
    let first = released(node);
    assert_eq!(first.len(), 1);
    let stored = world.store.releases(&round).await.expect("releases");
    withdraw(node);

    // Asked again, by the network and by hand: the same bytes, no charge; and the records are not
    // read, for there are none any more.
    cycle_all(&world).await;
    let away = node.records().with_extension("away");
    std::fs::rename(node.records(), &away).expect("moved");
    let (config, mut asked, rounds) = kernel(node);
    let again = engine::release(&mut asked, &config, &rounds[0]).expect("the recorded release");
    assert_eq!(again.bytes(), first[0].1);
    drop(asked);
    std::fs::rename(&away, node.records()).expect("moved");
    assert_eq!(released(node), first);
    assert_eq!(world.store.releases(&round).await.expect("releases"), stored);
    let published = world.close(&round).await.expect("a publication");

    // A new version of the study over the same period would give a second figure to subtract.
    world.publish_study(&study(2, USUAL)).await.expect("a study");
    cycle_all(&world).await;
    node.approve_one("core.2").expect("an approval");
    let second = open(&world, 2, USUAL, BEFORE).await;
    let report = node.cycle().await.expect("a cycle");
    assert!(report.not_released.contains_key(&second), "{report:?}");
    assert_eq!(released(node), first, "no second figure and no charge");
    assert!(world.store.releases(&second).await.expect("releases").is_empty());
    assert!(world.revise(&round).await.expect("nothing new").is_none());
    let stands = world.store.publication(&round, 1).await.expect("stored").expect("published");
    assert_eq!(stands.document, published.document);
}

/// The totals of a municipality's first table over both periods, under noise that changes nothing.
async fn totals(withdraws: bool) -> [i64; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let world = country(folder.path(), LOUD).await;
    let node = &world.nodes[1];
    open(&world, 1, LOUD, BEFORE).await;
    cycle_all(&world).await;
    if withdraws {
        withdraw(node);
    }
    open(&world, 1, LOUD, AFTER).await;
    cycle_all(&world).await;
    let total = |bytes: &[u8]| document(node, bytes).tables[0].values.iter().sum();
    let both: Vec<i64> = released(node).iter().map(|(_, bytes)| total(bytes)).collect();
    both.try_into().expect("two periods")
}

#[tokio::test(flavor = "multi_thread")]
async fn d26_the_next_period_counts_without_who_withdrew() {
    let (stays, withdraws) = (totals(false).await, totals(true).await);
    assert_eq!(stays[0], withdraws[0], "the period before it is counted as it was");
    assert_eq!(stays[1] - withdraws[1], 1, "the next period is without one: {stays:?}");
    assert!(withdraws[1] > 1, "there are others");
}

/// Everything that a coordinator, or whoever has its disk, sees of a country in which somebody
/// withdraws or nobody does: up to and with the refusal of the same period in a new version.
async fn transcript(withdraws: bool) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let world = country(folder.path(), USUAL).await;
    let node = &world.nodes[1];
    let round = open(&world, 1, USUAL, BEFORE).await;
    let mut seen = cycle_all(&world).await;
    let first = released(node);
    if withdraws {
        withdraw(node);
    }
    seen.extend(cycle_all(&world).await);
    world.publish_study(&study(2, USUAL)).await.expect("a study");
    seen.extend(cycle_all(&world).await);
    node.approve_one("core.2").expect("an approval");
    open(&world, 2, USUAL, BEFORE).await;
    seen.extend(cycle_all(&world).await);
    assert_eq!(released(node), first, "the same bytes, with or without a withdrawal");
    let published = world.close(&round).await.expect("a publication");
    for release in world.store.releases(&round).await.expect("releases") {
        let envelope: Value = serde_json::from_slice(&release.envelope).expect("JSON");
        let payload = envelope["payload"].as_str().expect("a payload");
        let payload = data_encoding::BASE64.decode(payload.as_bytes()).expect("base64");
        let payload: Value = serde_json::from_slice(&payload).expect("JSON");
        seen.push(shape(&payload));
        seen.push(format!("{} {} {}", release.round, release.node, release.late));
    }
    seen.push(shape(&serde_json::from_slice(&published.document).expect("JSON")));
    for line in world.store.audit(1000).await.expect("lines") {
        seen.push(format!("{} {}", line.event, line.alarm));
    }
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn d26_nothing_that_can_be_seen_differs_until_the_next_period() {
    let (stays, withdraws) = (transcript(false).await, transcript(true).await);
    assert!(stays.len() > 20, "there is something to see");
    assert_eq!(stays, withdraws);
}

/// Fresh releases of the next period, all cells of both tables in a row; and the snapshots of both
/// periods.
struct Draws {
    cells: Vec<Vec<i64>>,
    snapshots: Vec<String>,
}

impl Draws {
    /// The sum of some cells in each release.
    fn sums(&self, at: &[usize]) -> Vec<i64> {
        self.cells.iter().map(|cells| at.iter().map(|cell| cells[*cell]).sum()).collect()
    }
}

/// Releases the next period `times` times from fresh ledgers, as no node can.
async fn draws(withdraws: bool, micro: u64, times: usize) -> Draws {
    let folder = tempfile::tempdir().expect("a folder");
    let world = country(folder.path(), micro).await;
    let node = &world.nodes[1];
    open(&world, 1, micro, BEFORE).await;
    cycle_all(&world).await;
    if withdraws {
        withdraw(node);
    }
    open(&world, 1, micro, AFTER).await;
    cycle_all(&world).await;
    let (config, _, rounds) = kernel(node);
    let next = rounds.iter().find(|one| one.round().period().to_string() == AFTER).expect("open");
    let keys = KeyStore::new(&node.directory);
    let purpose = &next.round().study().document().purpose;
    let snapshot = SnapshotKey::from_bytes(*keys.snapshot(purpose).expect("a key"));
    let source = engine::source(&config).expect("a source");
    let mut draws = Draws { cells: Vec::new(), snapshots: Vec::new() };
    for (_, bytes) in released(node) {
        draws.snapshots.push(document(node, &bytes).consent_snapshot.to_string());
    }
    for time in 0..times {
        let (cap, journal) = (Rho::from_micro(1_000_000_000), format!("{time}.sqlite"));
        let kernel = KernelConfig {
            journal: folder.path().join(journal),
            node: node.node.clone(),
            municipality: node.municipality.clone(),
            budget: fellestall_node::kernel::Budget { lifetime: cap, year: cap, study: cap },
        };
        let secrets = Secrets::new(*keys.count().expect("a key"), keys.release().expect("a key"));
        let mut kernel = Kernel::open(kernel, secrets).expect("a kernel");
        let release = kernel.release(next, &source, &snapshot).expect("a release");
        let tables = document(node, release.bytes()).tables;
        draws.cells.push(tables.into_iter().flat_map(|table| table.values).collect());
    }
    draws
}

/// How often the best guess is right: at or above the threshold nobody withdrew. The threshold is the
/// best one for these very draws, which favours the attacker.
fn best_guess(stays: &[i64], withdraws: &[i64]) -> f64 {
    let all = stays.len() + withdraws.len();
    let right = |threshold: &i64| {
        stays.iter().filter(|sum| *sum >= threshold).count()
            + withdraws.iter().filter(|sum| *sum < threshold).count()
    };
    let best = stays.iter().chain(withdraws).map(right).max().unwrap_or(0);
    f64::from(u32::try_from(best).expect("few")) / f64::from(u32::try_from(all).expect("few"))
}

/// The attack itself: somebody knows everybody else, knows which cells the participant would be in,
/// sees both publications, every repeat, snapshot and status, and guesses from the next period whether
/// the participant withdrew. As the noise of both tables has the same scale, the likelihood ratio is a
/// function of the sum of the two cells: there is no better statistic.
///
/// n = 250 of each. By Dvoretzky, Kiefer, Wolfowitz and Massart both empirical laws are within 0.175 of
/// their own but for a chance of `4 exp(-2 n 0.175^2)` < 1e-6, so that the best threshold gains at most
/// 0.175 over the bound.
#[tokio::test(flavor = "multi_thread")]
async fn d26_the_best_guess_at_a_withdrawal_is_within_what_was_paid_for() {
    // Without noise worth the name the guess is always right: the attack can succeed.
    let (stays, withdraws) = (draws(false, LOUD, 3).await, draws(true, LOUD, 3).await);
    let pairs = stays.cells[0].iter().zip(&withdraws.cells[0]).enumerate();
    let differ: Vec<_> = pairs.filter(|(_, (one, other))| one != other).map(|(at, _)| at).collect();
    assert_eq!(differ.len(), 2, "one cell in each table");
    let known = best_guess(&stays.sums(&differ), &withdraws.sums(&differ));
    assert!((known - 1.0).abs() < 1e-9, "{known}");

    let (stays, withdraws) = (draws(false, USUAL, 250).await, draws(true, USUAL, 250).await);
    let found = best_guess(&stays.sums(&differ), &withdraws.sums(&differ));
    let charges =
        study(1, USUAL).tables.into_iter().map(|table| table.loss.expect("local").charge());
    let charge =
        charges.fold(Rho::ZERO, |sum, charge| sum.plus(charge.expect("one")).expect("sum"));
    let bound = Cost::of(charge, Delta::MICRO).guess_percent;
    println!("guessed right {:.1} %, bound {bound} %", 100.0 * found);
    assert!(found <= bound / 100.0 + 0.175, "{found} over {bound} %");
    for draws in [&stays, &withdraws] {
        let [before, after] = draws.snapshots.as_slice() else { panic!("two periods") };
        assert_ne!(before, after, "snapshots differ whether or not the cohort does");
    }
}
