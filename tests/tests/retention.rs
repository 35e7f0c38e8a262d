//! The end of a project: what is kept, what is destroyed, and that the budget stays spent.
#![cfg(test)]

use fellestall_coordinator::template::{self, Wish};
use fellestall_node::audit::{Actor, AuditLog, Event};
use fellestall_node::config::Config;
use fellestall_node::engine;
use fellestall_node::kernel::Balance;
use fellestall_node::keys::KeyStore;
use fellestall_node::register::{self, Register};
use fellestall_node::retention::{self, Item, Purged, RetentionError};
use fellestall_node::state::State;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::ids::Purpose;
use fellestall_shared::labels::Language;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::signed::{SigningKey, Verified};
use fellestall_shared::wire::v1::{Residence, StudyDocument};
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use std::path::Path;
use std::time::Duration;

/// 21 September 2026.
const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);
const ENDS: &str = "2026-09-23";
const DAY: Duration = Duration::from_hours(24);

fn period() -> Period {
    synthetic::PUBLISHED_PERIOD.parse().expect("a period")
}

fn study(name: &str) -> StudyDocument {
    let wish = Wish {
        statistics: vec!["S1".parse().expect("an id"), "S2".parse().expect("an id")],
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: ENDS.to_owned(),
        minimum_nodes: 2,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
        municipal_figures: false,
    };
    let catalogue = Catalogue::builtin().expect("the catalogue is sound");
    let study = template::study(&wish, catalogue).expect("a study");
    StudyDocument { study: name.parse().expect("an id"), ..study }
}

/// A node that answered one study, and has another before it that nobody will answer.
async fn project(folder: &Path) -> World {
    let mut world =
        World::found(folder, "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    let number = "4601".parse().expect("a number");
    world.enrol(&synthetic::municipality(&number, period(), 7)).await.expect("a node");
    let (answered, unanswered) = (study("core"), study("unanswered-canary"));
    for study in [&answered, &unanswered] {
        world.publish_study(study).await.expect("a study");
    }
    world.nodes[0].cycle().await.expect("a cycle");
    world.open_round(&answered, period()).await.expect("a round");
    world.nodes[0].approve_one("core.1").expect("an approval");
    world.nodes[0].cycle().await.expect("a cycle");
    world
}

fn purpose() -> Purpose {
    study("core").purpose
}

fn purge(node: &WorldNode) -> Result<Purged, RetentionError> {
    let register = Register::read(&node.directory).expect("a register");
    let by = Actor::named("tester");
    retention::purge(&node.directory, &purpose(), &register, node.clock.now(), &by)
}

fn balance(node: &WorldNode) -> Balance {
    let config = Config::read(&node.directory).expect("a configuration");
    let state = State::open(&node.directory).expect("a state");
    let membership = state.membership().expect("a state").expect("enrolled");
    let kernel = engine::open(&config, &membership).expect("a kernel");
    kernel.balance(&study("core").study, period()).expect("a balance")
}

fn kept(node: &WorldNode) -> Vec<(Item, bool)> {
    let register = Register::read(&node.directory).expect("a register");
    let today = node.clock.now().date().expect("a day");
    let kept = retention::kept(&node.directory, &register, today).expect("a list");
    for one in &kept {
        for language in [Language::Nb, Language::Nn, Language::En] {
            assert!(one.item.text(language).len() > 5 && one.why.text(language).len() > 10);
            assert!(one.until.text(language).len() > 10);
        }
    }
    kept.into_iter().map(|one| (one.item, one.may_be_purged)).collect()
}

/// Whether a text is anywhere in the node's state, its log or its free pages.
fn state_holds(node: &WorldNode, text: &str) -> bool {
    let mut found = false;
    for entry in std::fs::read_dir(&node.directory).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if name.starts_with("state.sqlite") {
            let bytes = std::fs::read(&path).expect("a file");
            let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
            // A signed document is base64 within its envelope: of three alignments, one matches.
            found |= holds(text.as_bytes()) || (0..3).any(|at| holds(&base64(text, at)));
        }
    }
    found
}

fn base64(text: &str, shift: usize) -> Vec<u8> {
    let bytes = [&[0_u8; 2][..shift], text.as_bytes()].concat();
    let encoded = data_encoding::BASE64.encode(&bytes).into_bytes();
    encoded[(shift * 8).div_ceil(6)..bytes.len() * 8 / 6].to_vec()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_purged_after_its_end_and_its_budget_stays_spent() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = project(folder.path()).await;
    let node = &world.nodes[0];
    let before = balance(node);
    assert_eq!(before.lifetime.spent, Rho::from_micro(250_000));
    assert!(KeyStore::new(&node.directory).has_snapshot(&purpose()));
    assert!(state_holds(node, "unanswered-canary"));
    let parts = kept(node);
    assert!(parts.contains(&(Item::SnapshotKey, false)), "{parts:?}");
    assert!(parts.contains(&(Item::UnansweredDocuments, false)));

    // On the last day of the project it is refused, and nothing is destroyed.
    node.clock.set(NOW.plus(2 * DAY));
    let refused = purge(node).err().expect("refused");
    assert!(matches!(&refused, RetentionError::NotEnded { ends, .. } if ends.to_string() == ENDS));
    assert!(state_holds(node, "unanswered-canary"));

    for clock in [&node.clock, &world.clock] {
        clock.set(NOW.plus(3 * DAY));
    }
    assert!(kept(node).contains(&(Item::SnapshotKey, true)));
    let first = purge(node).expect("a purge");
    assert!(!first.was_done);
    assert_eq!(first.attestation.ledger_sequence, 1);
    assert_eq!(first.attestation.removed, [Item::SnapshotKey, Item::UnansweredDocuments]);
    assert!(!KeyStore::new(&node.directory).has_snapshot(&purpose()));
    assert!(!state_holds(node, "unanswered-canary"), "the bytes are gone");
    assert!(state_holds(node, "core"), "the search finds what is kept");
    assert_eq!(balance(node), before);

    // Again, it is the same, and the log has one entry.
    let again = purge(node).expect("a purge");
    assert!(again.was_done);
    assert_eq!(again.attestation.digest(), first.attestation.digest());
    let log = AuditLog::open(&node.directory).expect("a log").entries().expect("entries");
    let purged = |event: &Event| matches!(event, Event::Purged { .. });
    assert_eq!(log.iter().filter(|entry| purged(&entry.body.what)).count(), 1);
    let parts = kept(node);
    assert!(parts.iter().all(|(item, may)| !may && *item != Item::SnapshotKey), "{parts:?}");

    // The coordinator goes on listing both studies: they do not come back, and nothing is answered.
    node.cycle().await.expect("a cycle");
    assert!(!state_holds(node, "unanswered-canary"));
    assert_eq!(balance(node), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_end_brings_no_budget_back_and_gets_its_own_attestation() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = project(folder.path()).await;
    let node = &world.nodes[0];
    let before = balance(node);
    node.clock.set(NOW.plus(3 * DAY));
    let first = purge(node).expect("a purge").attestation.digest();
    let path = node.directory.join(register::FILE);
    let text = std::fs::read_to_string(&path).expect("a register");
    std::fs::write(&path, text.replace(ENDS, "2026-09-25")).expect("written");
    assert_eq!(balance(node), before);
    assert!(matches!(purge(node), Err(RetentionError::NotEnded { .. })));
    node.cycle().await.expect("a cycle");
    assert_eq!(balance(node), before, "the study has ended whatever the register says");
    node.clock.set(NOW.plus(5 * DAY));
    let second = purge(node).expect("a purge");
    assert!(!second.was_done);
    let all = retention::attestations(&node.directory, &purpose()).expect("attestations");
    let digests: Vec<_> = all.iter().map(Verified::digest).collect();
    assert_eq!(digests, [first, second.attestation.digest()]);
}

/// Cut off after each step, a purge that is done again ends as one that was not cut off.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_was_cut_off_is_completed_by_the_next() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = project(folder.path()).await;
    let node = &world.nodes[0];
    node.clock.set(NOW.plus(3 * DAY));
    // After the first step.
    KeyStore::new(&node.directory).destroy_snapshot(&purpose()).expect("destroyed");
    let whole = purge(node).expect("a purge").attestation;
    assert!(!state_holds(node, "unanswered-canary"));
    // Before the attestation: it is made as it was, for the same moment.
    let file = node.directory.join("attestations").join(format!("{}.json", purpose()));
    std::fs::remove_file(&file).expect("removed");
    let remade = purge(node).expect("a purge");
    assert!(!remade.was_done);
    assert_eq!(remade.attestation.digest(), whole.digest());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attestation_that_was_altered_does_not_hold() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = project(folder.path()).await;
    let node = &world.nodes[0];
    node.clock.set(NOW.plus(3 * DAY));
    purge(node).expect("a purge");
    let file = node.directory.join("attestations").join(format!("{}.json", purpose()));
    let key = KeyStore::new(&node.directory).release_public().expect("a key");
    assert_eq!(retention::verify(&file, &key).expect("it holds").ledger_sequence, 1);
    let text = std::fs::read_to_string(&file).expect("a file");
    let altered = text.replacen("eyJ", "eyK", 1);
    assert_ne!(altered, text);
    std::fs::write(&file, altered).expect("written");
    assert!(matches!(retention::verify(&file, &key), Err(RetentionError::Attestation { .. })));
    let other = SigningKey::generate().expect("a key").0;
    assert!(retention::verify(&file, &other.verifying_key()).is_err());
}
