//! Reports of shared tables as nodes send them: before their releases, once, again, altered.

use super::harness::*;
use fellestall_coordinator::rounds::{self, Opening};
use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::privacy::{Loss, Rho};
use fellestall_shared::round::Round;
use fellestall_shared::secure::seal::SealingSecret;
use fellestall_shared::secure::vdaf::leader_share_digest;
use fellestall_shared::secure::{Bytes, Task};
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::{
    AcceptedTask, Aggregation, HelperIdentity, Receipt, ReleaseDocument, Report, ReportDocument,
    Residence, TaskAcceptance, TaskDocument, Work,
};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Opens a round with a shared table, and gives the key of its helper.
async fn open_shared(world: &World) -> (Round, Task, SigningKey) {
    let catalogue = Catalogue::builtin().expect("a catalogue");
    let (helper, _) = SigningKey::generate().expect("a key");
    let (sealing, _) = SealingSecret::generate();
    let wish = Wish {
        statistics: vec!["S5".parse().expect("an id")],
        rho: Rho::from_micro(125_000),
        starts: "2016-01-01".to_owned(),
        ends: "2099-12-31".to_owned(),
        minimum_nodes: 2,
        municipal_figures: false,
        residence: Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
    };
    let mut document = template::study(&wish, catalogue).expect("a study");
    for table in &mut document.tables {
        table.shared = table.loss.take().map(|_| Loss::DiscreteGaussian { rho_micro: wish.rho });
    }
    document.mode = None;
    document.aggregation = Some(Aggregation {
        tolerated: 1,
        largest_count: 100,
        helper: HelperIdentity {
            name: "Another organisation".to_owned(),
            signing_key: helper.verifying_key(),
            sealing_key: sealing.public(),
        },
    });
    let (store, key) = (world.server.store(), &world.home.signing_key);
    rounds::publish_study(store, key, catalogue, &document, now()).await.expect("published");
    let opening = Opening {
        study: document.study,
        version: None,
        period: "2016H2".parse().expect("a period"),
        closes: now().plus(Duration::from_hours(24)),
    };
    let (id, _) = rounds::open_round(store, key, catalogue, &opening, now()).await.expect("open");
    let key = key.verifying_key();
    let loaded = rounds::load_round(store, &key, catalogue, &id).await.expect("a round");
    let stored = store.task_of_round(&id).await.expect("an answer").expect("a task");
    let (_, task) = rounds::task::read(&key, &loaded, &stored).expect("a task");
    (loaded.round, task, helper)
}

async fn accept(world: &World, task: &Task, helper: &SigningKey) {
    let acceptance = helper.sign(&TaskAcceptance { task: task.digest() }).expect("signed");
    let bytes = acceptance.to_json().expect("JSON");
    world.server.store().accept_task(task.digest(), &bytes, now()).await.expect("accepted");
}

fn document(node: &Node, round: &Round, task: &Task, share: &[u8]) -> ReportDocument {
    let (number, _) = node.id.as_str().split_once('-').expect("a number");
    let municipality: MunicipalityNumber = number.parse().expect("a number");
    ReportDocument {
        release: round.question(&municipality),
        node: node.id.clone(),
        municipality,
        round: round.id().clone(),
        task: task.digest(),
        public_share: Bytes(vec![1; 64]),
        leader_share: leader_share_digest(share),
        helper_share: Bytes(vec![2; 112]),
    }
}

fn report(node: &Node, document: &ReportDocument, share: &[u8]) -> (Vec<u8>, Digest) {
    let report = node.key.sign(document).expect("signed");
    let digest = report.payload_digest();
    let body = Report { report, leader_share: Bytes(share.to_vec()) };
    (serde_json::to_vec(&body).expect("JSON"), digest)
}

async fn put(world: &World, node: &Node, id: impl ToString, body: &[u8]) -> Reply {
    let line = format!("PUT /v1/reports/{}", id.to_string());
    world.request(Some(node.chain()), &line, body).await
}

fn release(node: &Node, round: &Round, report: Option<Digest>) -> ReleaseDocument {
    ReleaseDocument { report, ..node.release(round, 0) }
}

/// A task is offered once the helper takes part, and to those who may report.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_is_offered_to_its_participants_once_it_is_accepted() {
    let world = World::new().await;
    let (node, _other) = (world.enrol("4601").await, world.enrol("1108").await);
    let (round, task, helper) = open_shared(&world).await;
    let newcomer = world.enrol("0301").await;
    let line = format!("GET /v1/tasks/{}", task.digest());
    let tasks = async |node: &Node| {
        let work: Work = world.request(Some(node.chain()), "GET /v1/work", b"").await.json();
        work.tasks
    };
    assert!(tasks(&node).await.is_empty());
    assert_eq!(world.request(Some(node.chain()), &line, b"").await.status, 404);
    accept(&world, &task, &helper).await;
    let offered = tasks(&node).await;
    assert_eq!(offered.len(), 1);
    assert_eq!((&offered[0].round, offered[0].task), (round.id(), task.digest()));
    let got: AcceptedTask = world.request(Some(node.chain()), &line, b"").await.json();
    let key = world.home.signing_key.verifying_key();
    let document = got.task.verify::<TaskDocument>(&key).expect("the coordinator's");
    assert_eq!(document.digest(), task.digest());
    let acceptance = got.acceptance.verify::<TaskAcceptance>(&helper.verifying_key());
    assert_eq!(acceptance.expect("the helper's").task, task.digest());
    assert!(tasks(&newcomer).await.is_empty(), "who may report was fixed before");
    assert_eq!(world.request(Some(newcomer.chain()), &line, b"").await.status, 404);
    world.server.shutdown().await;
}

/// N02 to N04: a report comes before its release, is stored once, and what is altered is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_comes_before_its_release_and_is_stored_once() {
    let world = World::new().await;
    let (node, other) = (world.enrol("4601").await, world.enrol("1108").await);
    let (round, task, helper) = open_shared(&world).await;
    let share = [7; 96];
    let sound = document(&node, &round, &task, &share);
    let (body, digest) = report(&node, &sound, &share);
    let early = put(&world, &node, sound.release, &body).await;
    assert_eq!(early.status, 404, "the helper does not take part yet: {early:?}");
    accept(&world, &task, &helper).await;

    let released = release(&node, &round, Some(digest));
    let first = world.put_release(&node, released.release, &node.sign(&released)).await;
    assert_eq!(first.status, 422);
    assert!(String::from_utf8_lossy(&first.body).contains("send the report first"), "{first:?}");

    let altered = |change: fn(&mut ReportDocument)| {
        let mut changed = sound.clone();
        change(&mut changed);
        report(&node, &changed, &share).0
    };
    let elsewhere = document(&other, &round, &task, &share);
    for (what, who, id, body, status) in [
        ("another question in the path", &node, elsewhere.release, body.clone(), 422),
        ("somebody else's report", &other, sound.release, body.clone(), 422),
        ("another task", &node, sound.release, altered(|it| it.task = Digest::ZERO), 404),
        (
            "another node",
            &node,
            sound.release,
            altered(|it| it.node = "1108-1".parse().expect("an id")),
            422,
        ),
        ("another share", &node, sound.release, report(&node, &sound, &[8; 96]).0, 422),
        ("no JSON", &node, sound.release, body[..body.len() - 1].to_vec(), 400),
    ] {
        let reply = put(&world, who, id, &body).await;
        assert_eq!(reply.status, status, "{what}: {reply:?}");
    }
    let reports = world.server.store().reports(round.id()).await.expect("reports");
    assert!(reports.is_empty());

    for status in [201, 200, 200] {
        let reply = put(&world, &node, sound.release, &body).await;
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.json::<Receipt>(), Receipt { release: sound.release, digest });
    }
    let (another, other_digest) =
        report(&node, &document(&node, &round, &task, &[9; 96]), &[9; 96]);
    assert_eq!(put(&world, &node, sound.release, &another).await.status, 409);
    let log = world.server.store().audit(20).await.expect("a log");
    assert!(log.iter().any(|line| line.alarm && line.event == "report-conflict"));

    let crossed = release(&node, &round, Some(other_digest));
    let refused = world.put_release(&node, crossed.release, &node.sign(&crossed)).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    for status in [201, 200] {
        let reply = world.put_release(&node, released.release, &node.sign(&released)).await;
        assert_eq!(reply.status, status, "{reply:?}");
    }
    world.server.shutdown().await;
}

/// N03: a report a thousand times over the network, 64 at once: one is stored, with one receipt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n03_a_report_sent_a_thousand_times_is_stored_once() {
    let world = Arc::new(World::new().await);
    let (node, _other) = (Arc::new(world.enrol("4601").await), world.enrol("1108").await);
    let (round, task, helper) = open_shared(&world).await;
    accept(&world, &task, &helper).await;
    let share = [7; 96];
    let sound = document(&node, &round, &task, &share);
    let (body, digest) = report(&node, &sound, &share);
    let (body, receipt) = (Arc::new(body), Receipt { release: sound.release, digest });
    let mut created = 0;
    for wave in [64_usize; 15].into_iter().chain([40]) {
        let mut uploads = JoinSet::new();
        for _ in 0..wave {
            let (world, node, body) = (Arc::clone(&world), Arc::clone(&node), Arc::clone(&body));
            let id = sound.release;
            uploads.spawn(async move { put(&world, &node, id, &body).await });
        }
        for reply in uploads.join_all().await {
            assert!(reply.status == 200 || reply.status == 201, "{reply:?}");
            assert_eq!(reply.json::<Receipt>(), receipt);
            created += usize::from(reply.status == 201);
        }
    }
    assert_eq!(created, 1);
    let store = world.server.store();
    let reports = store.reports(round.id()).await.expect("reports");
    assert_eq!(reports.len(), 1);
    assert_eq!(store.report_digest(sound.release).await.expect("an answer"), Some(digest));
    let log = store.audit(1_000).await.expect("a log");
    let stored = log.iter().filter(|line| line.event == "report-stored").count();
    assert_eq!((stored, log.iter().filter(|line| line.alarm).count()), (1, 0), "{log:?}");
    let (another, _) = report(&node, &document(&node, &round, &task, &[9; 96]), &[9; 96]);
    assert_eq!(put(&world, &node, sound.release, &another).await.status, 409);
    assert_eq!(store.report_digest(sound.release).await.expect("an answer"), Some(digest));
}

/// A round with shared tables is not opened with fewer nodes than a batch needs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[should_panic(expected = "TooFewNodes")]
async fn a_round_with_shared_tables_needs_its_minimum_of_nodes() {
    let world = World::new().await;
    world.enrol("4601").await;
    open_shared(&world).await;
}
