//! Whole rounds over real TLS: nobody missing, somebody missing, somebody late, everybody cut off,
//! clocks astray, records broken.
#![cfg(test)]

use fellestall_coordinator::publish::PublicationFile;
use fellestall_coordinator::template::{self, Wish};
use fellestall_node::kernel::{Budget, Kernel, KernelConfig, Secrets};
use fellestall_node::keys::KeyStore;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::RoundId;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::{Answer, RefusalReason, StudyDocument};
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use std::path::Path;
use std::time::{Duration, Instant};

/// A moment well after every period here.
const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);

fn period() -> Period {
    synthetic::PUBLISHED_PERIOD.parse().expect("a period")
}

fn core_study(minimum_nodes: u32) -> StudyDocument {
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: "2035-12-31".to_owned(),
        minimum_nodes,
        residence: fellestall_shared::wire::v1::Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
        municipal_figures: false,
    };
    template::study(&wish, Catalogue::builtin().expect("the catalogue is sound")).expect("a study")
}

/// A country of `n` municipalities with an approved study and an open round.
async fn country(folder: &Path, n: usize) -> (World, RoundId) {
    let mut world =
        World::found(folder, "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    let numbers = fellestall_shared::municipality::all().iter().map(|m| &m.number);
    for number in numbers.take(n) {
        let export = synthetic::municipality(number, period(), 7);
        world.enrol(&export).await.expect("an enrolled node");
    }
    let study = core_study(2);
    world.publish_study(&study).await.expect("a study");
    world.approve_everywhere().await.expect("approvals");
    let round = world.open_round(&study, period()).await.expect("a round");
    (world, round)
}

/// What the node's ledger has charged, in millionths of rho, and in how many entries.
fn ledger(node: &WorldNode) -> (u64, usize) {
    let keys = KeyStore::new(&node.directory);
    let cap = Rho::from_micro(10_000_000);
    let config = KernelConfig {
        journal: node.directory.join(fellestall_node::engine::LEDGER),
        node: node.node.clone(),
        municipality: node.municipality.clone(),
        budget: Budget { lifetime: cap, year: cap, study: cap },
    };
    let secrets = Secrets::new(*keys.count().expect("a key"), keys.release().expect("a key"));
    let history = Kernel::open(config, secrets).expect("a ledger").history().expect("entries");
    (history.iter().map(|entry| entry.charge.micro()).sum(), history.len())
}

const ONE_ROUND: (u64, usize) = (6 * 125_000, 1);

#[tokio::test(flavor = "multi_thread")]
async fn a_round_is_counted_once_however_often_nodes_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, round) = country(folder.path(), 4).await;
    for _ in 0..3 {
        for node in &world.nodes {
            let report = node.cycle().await.expect("a cycle");
            assert!(report.failure.is_none() && report.not_released.is_empty(), "{report:?}");
        }
    }
    assert_eq!(world.store.releases(&round).await.expect("releases").len(), 4);
    for node in &world.nodes {
        assert_eq!(ledger(node), ONE_ROUND);
    }
    let published = world.close(&round).await.expect("a publication");
    let file: PublicationFile = serde_json::from_slice(&published.document).expect("a document");
    assert_eq!(file.publication.coverage.reported, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_node_makes_a_new_version_and_leaves_the_old_one_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, round) = country(folder.path(), 5).await;
    let (late, early) = world.nodes.split_at(2);
    for node in early {
        node.cycle().await.expect("a cycle");
    }
    let first = world.close(&round).await.expect("a publication");
    assert!(world.revise(&round).await.expect("nothing new").is_none());

    late[0].cycle().await.expect("a cycle");
    // One municipality more could be told apart by subtraction: refused until there are two.
    let alone = world.revise(&round).await.expect_err("one alone is not published");
    let why = format!("{alone:#}");
    assert!(why.contains("apart"), "{why}");
    late[1].cycle().await.expect("a cycle");
    let second = world.revise(&round).await.expect("a version").expect("a new one");

    let file: PublicationFile = serde_json::from_slice(&second.document).expect("a document");
    assert_eq!((file.publication.version, file.publication.coverage.late), (2, 2));
    let stored = world.store.publication(&round, 1).await.expect("stored").expect("version 1");
    assert_eq!(stored.document, first.document);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_published_from_too_few_nodes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, round) = country(folder.path(), 3).await;
    world.nodes[0].cycle().await.expect("a cycle");
    let refused = world.close(&round).await.expect_err("one node is too few");
    let why = format!("{refused:#}");
    assert!(why.contains("1 nodes have reported"), "{why}");
    assert!(world.load(&round).await.expect("the round").closed.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_delays_a_release_and_changes_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut world, round) = country(folder.path(), 2).await;
    // The rounds are known before the coordinator goes away.
    world.nodes[0].cycle().await.expect("a cycle");
    world.take_down().await;
    let report = world.nodes[1].cycle().await.expect("a cycle without an answer");
    assert!(report.failure.is_some());
    assert_eq!(ledger(&world.nodes[1]), (0, 0), "a round that was not seen costs nothing");
    world.bring_up().await.expect("the coordinator is back");
    for node in &world.nodes {
        node.cycle().await.expect("a cycle");
        assert_eq!(ledger(node), ONE_ROUND);
    }
    assert_eq!(world.store.releases(&round).await.expect("releases").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_years_off_releases_nothing_and_refreshes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, round) = country(folder.path(), 2).await;
    world.nodes[0].cycle().await.expect("a cycle");
    let years = Duration::from_hours(24 * 365 * 8);
    for moment in [NOW.plus(years), NOW.minus(years)] {
        for node in &world.nodes {
            node.clock.set(moment);
            // Refused by TLS, by the skew check, or stopped because its certificate looks expired.
            let cycle = node.cycle().await;
            assert!(
                cycle.is_err() || cycle.is_ok_and(|r| r.failure.is_some() || r.cycle.clock_skew)
            );
        }
    }
    assert_eq!(ledger(&world.nodes[0]), ONE_ROUND);
    assert_eq!(ledger(&world.nodes[1]), (0, 0));
    world.nodes[1].clock.set(NOW);
    world.nodes[1].cycle().await.expect("a cycle");
    assert_eq!(world.store.releases(&round).await.expect("releases").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_records_send_nothing_and_cost_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, round) = country(folder.path(), 2).await;
    let node = &world.nodes[0];
    let file = node.records().join("tenancy.csv");
    let sound = std::fs::read(&file).expect("the export");
    let huge = vec![b'a'; 1_000_000];
    for broken in [&b"\xff\xfe\x00"[..], b"", b"participant_id\nx\n", &huge] {
        std::fs::write(&file, broken).expect("written");
        let report = node.cycle().await.expect("a cycle");
        let why = report.not_released.values().next().expect("a reason");
        assert!(why.contains("tenancy.csv"), "{why}");
        assert_eq!(ledger(node), (0, 0));
    }
    assert!(world.store.releases(&round).await.expect("releases").is_empty());
    std::fs::write(&file, sound).expect("written");
    node.cycle().await.expect("a cycle");
    assert_eq!(ledger(node), ONE_ROUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_recorded_is_not_a_table_of_zeros() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, _) = country(folder.path(), 2).await;
    let node = &world.nodes[0];
    let file = node.records().join("complaint.csv");
    let text = std::fs::read_to_string(&file).expect("the export");
    std::fs::remove_file(&file).expect("removed");
    let report = node.cycle().await.expect("a cycle");
    let why = report.not_released.values().next().expect("a reason");
    assert!(why.contains("the table complaint") && why.contains("not-recorded"), "{why}");
    assert_eq!(ledger(node), (0, 0));
    // Nobody complained: that is a file with its header.
    let header = text.lines().next().expect("a header");
    std::fs::write(&file, format!("{header}\n")).expect("written");
    node.cycle().await.expect("a cycle");
    assert_eq!(ledger(node), ONE_ROUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_travels_with_its_reason_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world =
        World::found(folder.path(), "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    for number in ["4601", "1108", "0301"] {
        let number = number.parse().expect("a number");
        world.enrol(&synthetic::municipality(&number, period(), 7)).await.expect("enrolled");
    }
    let study = core_study(2);
    world.publish_study(&study).await.expect("a study");
    let reason = RefusalReason::TooDetailed;
    for node in &world.nodes {
        node.cycle().await.expect("a cycle");
    }
    world.nodes[0].decide(Answer::Refused { reason }).expect("refused");
    world.nodes[1].decide(Answer::Approved).expect("approved");
    world.nodes[2].decide(Answer::Approved).expect("approved");
    let round = world.open_round(&study, period()).await.expect("a round");
    for node in &world.nodes {
        node.cycle().await.expect("a cycle");
    }
    assert_eq!(ledger(&world.nodes[0]), (0, 0));
    let published = world.close(&round).await.expect("a publication");
    let file: PublicationFile = serde_json::from_slice(&published.document).expect("a document");
    let coverage = &file.publication.coverage;
    assert_eq!((coverage.reported, coverage.declined), (2, 1));
    assert!(coverage.nodes.iter().any(|node| node.reason == Some(reason)));
}

/// All 357 municipalities of 2024 in one process; the time and the memory are printed.
#[tokio::test(flavor = "multi_thread")]
async fn a_country_of_357_municipalities_completes_the_core_set() {
    let started = Instant::now();
    let folder = tempfile::tempdir().expect("a folder");
    let (world, round) = country(folder.path(), 357).await;
    let (enrolled, releasing) = (started.elapsed(), Instant::now());
    let before = resident();
    for node in &world.nodes {
        node.cycle().await.expect("a cycle");
    }
    let (released, publishing) = (releasing.elapsed(), Instant::now());
    let published = world.close(&round).await.expect("a publication");
    let file: PublicationFile = serde_json::from_slice(&published.document).expect("a document");
    assert_eq!(file.publication.coverage.reported, 357);
    let (took, after) = (publishing.elapsed(), resident());
    // A second cycle of every node has nothing to do, and must not hold more memory for it.
    for node in &world.nodes {
        node.cycle().await.expect("a cycle");
    }
    println!(
        "357 nodes: enrolled and approved in {:.1} s, released in {:.1} s, published in {:.1} s; \
         memory {} MB before the round, {} MB after it, {} MB after another cycle of every node",
        enrolled.as_secs_f64(),
        released.as_secs_f64(),
        took.as_secs_f64(),
        before / 1_000_000,
        after / 1_000_000,
        resident() / 1_000_000,
    );
}

/// The memory that this process holds now, in bytes (`VmRSS` of Linux).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a figure");
    let kilobytes = line.trim().trim_end_matches(" kB").trim().parse::<u64>().expect("a number");
    kilobytes * 1024
}
