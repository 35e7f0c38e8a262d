//! A certificate's life: renewed in time, lost when the node was off for long, and had again.

use fellestall_coordinator::template::{self, Wish};
use fellestall_node::config::Config;
use fellestall_node::enrol::{Enroller, Standing, parse_invitation};
use fellestall_node::state::State;
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::limits::{CERTIFICATE_LIFETIME, CERTIFICATE_RENEW_BEFORE};
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::{Answer, StudyDocument};
use fellestall_tests::synthetic;
use fellestall_tests::world::{World, WorldNode};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);

fn expires(node: &WorldNode) -> Timestamp {
    let state = State::open(&node.directory).expect("a state");
    state.membership().expect("readable").expect("enrolled").certificate_expires
}

fn move_to(world: &World, moment: Timestamp) {
    world.clock.set(moment);
    world.nodes.iter().for_each(|node| node.clock.set(moment));
}

fn identity(node: &WorldNode) -> Vec<u8> {
    std::fs::read(node.directory.join("identity.pem")).expect("an identity")
}

/// When the certificates end that the coordinator has on record for a node, earliest first.
fn recorded(folder: &Path, node: &WorldNode) -> Vec<i64> {
    let store = folder.join("coordinator/coordinator.db");
    let store = rusqlite::Connection::open(store).expect("the store");
    let mut rows = store
        .prepare("SELECT expires FROM certificate WHERE node = ?1 ORDER BY expires")
        .expect("a query");
    let rows = rows.query_map([node.node.as_str()], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("moments")
}

async fn enrol_again(node: &WorldNode) -> Standing {
    let config = Config::read(&node.directory).expect("a configuration");
    let invitation = parse_invitation(&node.invitation).expect("an invitation");
    let clock = Arc::clone(&node.clock) as Arc<dyn Clock>;
    let enroller = Enroller::new(invitation, &config, None, clock).expect("an enroller");
    enroller.request(&node.directory).await.expect("an answer")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_in_time_and_had_again_after_a_long_time_off() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut world =
        World::found(folder.path(), "sqlite:coordinator.db", NOW).await.expect("a coordinator");
    let period = synthetic::PUBLISHED_PERIOD.parse().expect("a period");
    for number in ["4601", "1108"] {
        let number = number.parse().expect("a number");
        world.enrol(&synthetic::municipality(&number, period, 7)).await.expect("enrolled");
    }
    let node = &world.nodes[0];
    let (first, key) = (expires(node), identity(node));
    assert_eq!(first, NOW.plus(CERTIFICATE_LIFETIME));

    // One second too early, nothing happens.
    let due = first.minus(CERTIFICATE_RENEW_BEFORE);
    let second = Duration::from_secs(1);
    move_to(&world, due.minus(second));
    node.cycle().await.expect("a cycle");
    assert_eq!((expires(node), identity(node) == key), (first, true));
    assert_eq!(recorded(folder.path(), node), [first.unix()]);

    // When less than the limit is left, the node gets another, with another key, and uses it.
    move_to(&world, due.plus(second));
    let report = node.cycle().await.expect("a cycle");
    assert!(report.failure.is_none(), "{report:?}");
    let renewed = expires(node);
    assert_eq!(renewed, due.plus(second).plus(CERTIFICATE_LIFETIME));
    assert!(identity(node) != key, "a renewal brings a fresh key");
    assert_eq!(recorded(folder.path(), node), [first.unix(), renewed.unix()]);

    // Past the end of the first, only the new one can be what the coordinator takes.
    move_to(&world, first.plus(second));
    let study = study();
    world.publish_study(&study).await.expect("a study");
    node.cycle().await.expect("a cycle");
    node.decide(Answer::Approved).expect("approved");
    world.open_round(&study, period).await.expect("a round");
    let report = node.cycle().await.expect("a cycle");
    assert_eq!(report.cycle.sent.len(), 1, "{report:?}");

    // The other node was off meanwhile: it says what is wrong, and how to go on.
    let off = &world.nodes[1];
    let error = off.cycle().await.expect_err("its certificate has expired");
    let told = format!("{error:#}");
    for part in ["certificate has expired", "clock", "enrol --invitation", "invited with"] {
        assert!(told.contains(part), "{told}");
    }
    let standing = enrol_again(off).await;
    assert!(matches!(standing, Standing::Approved(ref m) if m.node == off.node), "{standing:?}");
    assert!(expires(off) > world.clock.now());
    off.cycle().await.expect("a cycle");
    off.decide(Answer::Approved).expect("approved");
    let report = off.cycle().await.expect("a cycle");
    assert_eq!(report.cycle.sent.len(), 1, "{report:?}");
}

fn study() -> StudyDocument {
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: "2035-12-31".to_owned(),
        minimum_nodes: 2,
        municipal_figures: false,
        residence: fellestall_shared::wire::v1::Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
    };
    template::study(&wish, Catalogue::builtin().expect("the catalogue is sound")).expect("a study")
}
