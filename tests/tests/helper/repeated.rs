//! The same again is answered the same; something else under a taken name is refused.

use crate::stage::{
    Made, Stage, Told, claim, client_at, clock, job, leaders_half, reasons, refused, sums,
};
use fellestall_coordinator::helper::home::HelperHome;
use fellestall_coordinator::helper::server::HelperServer;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::secure::Bytes;
use fellestall_shared::wire::v1::BatchClaim;

/// N02, N03: every answer is lost once, and the request sent again.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_may_be_sent_twice_and_counts_once() {
    let stage = Stage::new(5).await;
    let (Told { task, new }, client) = (stage.task(), &stage.client);
    let digest = task.digest();
    let first = client.task(digest, &new).await.expect("accepted");
    assert_eq!(client.task(digest, &new).await.expect("accepted again"), first);

    let entries = |place: usize| -> Vec<u128> {
        (0..stage.length()).map(|cell| (place * 31 + cell) as u128).collect()
    };
    let made = |places: std::ops::Range<usize>| -> Vec<Made> {
        places.map(|place| stage.report(&task, &stage.nodes[place], &entries(place))).collect()
    };
    let (one, two) = (made(0..2), made(2..5));
    let mut results = Vec::new();
    for (number, reports) in [(1, &one), (2, &two)] {
        let job = job(1, reports);
        let first = client.job(digest, number, &job).await.expect("a result");
        assert!(reasons(&first).iter().all(Option::is_none), "{first:?}");
        assert_eq!(client.job(digest, number, &job).await.expect("the same"), first);
        results.push(first);
    }
    let all: Vec<Made> = one.into_iter().chain(two).collect();
    let claim = claim(&all);
    let opened = client.batch(digest, 1, &claim).await.expect("opened");
    assert_eq!(client.batch(digest, 1, &claim).await.expect("the same"), opened);
    let half = leaders_half(&stage.vdaf, all, &results);
    let expected: Vec<u128> =
        (0..stage.length()).map(|cell| (0..5).map(|place| entries(place)[cell]).sum()).collect();
    assert_eq!(sums(&stage, &half, &opened), expected);
    assert!(!stage.server.store().audit(100).await.unwrap().iter().any(|line| line.alarm));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_request_under_a_taken_name_is_refused_and_told() {
    let stage = Stage::new(4).await;
    let Told { task, mut new } = stage.task();
    let (client, digest) = (&stage.client, task.digest());
    client.task(digest, &new).await.expect("accepted");
    new.verify_key = Bytes(vec![1; 32]);
    let (kind, _) = refused(client.task(digest, &new).await);
    assert_eq!(kind, ProblemKind::Conflict, "a task has one key");
    assert!(stage.has_alarm("task-conflict").await);
    let fewer = stage.nodes.iter().take(3).map(|node| node.identity.clone()).collect();
    let other = stage.task_of(fewer, &stage.home.signing_key);
    let (kind, _) = refused(client.task(other.task.digest(), &other.new).await);
    assert_eq!(kind, ProblemKind::Conflict, "a round has one task");

    let zeros = vec![0; stage.length()];
    let made: Vec<Made> =
        stage.nodes.iter().map(|node| stage.report(&task, node, &zeros)).collect();
    let result = client.job(digest, 1, &job(1, &made[..3])).await.expect("a result");
    assert!(!stage.has_alarm("job-conflict").await);
    let (kind, _) = refused(client.job(digest, 1, &job(1, &made)).await);
    assert_eq!(kind, ProblemKind::Conflict);
    assert!(stage.has_alarm("job-conflict").await);
    let again = client.job(digest, 1, &job(1, &made[..3])).await.expect("the first stands");
    assert_eq!(again, result);

    let right = claim(&made[..3]);
    client.batch(digest, 1, &right).await.expect("opened");
    let wrong = BatchClaim { count: 4, ..right.clone() };
    assert_eq!(refused(client.batch(digest, 1, &wrong).await).0, ProblemKind::Conflict);
    assert!(stage.has_alarm("batch-conflict").await);
    client.batch(digest, 1, &right).await.expect("the first stands");
}

/// A helper that stops and starts again between any two requests goes on where it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_starts_again_remembers_what_it_said() {
    let stage = Stage::new(3).await;
    let task = stage.told().await;
    let digest = task.digest();
    let ones = vec![1; stage.length()];
    let made: Vec<Made> = stage.nodes.iter().map(|node| stage.report(&task, node, &ones)).collect();
    let work = job(1, &made);
    let result = stage.client.job(digest, 1, &work).await.expect("a result");

    // The same directory under another port: the card is the same but for the address.
    let restarted = |directory| async move {
        let helper = HelperHome::open(directory).expect("a helper");
        HelperServer::start(helper, clock()).await.expect("a server")
    };
    let directory = stage.directory();
    let server = restarted(directory.as_path()).await;
    let client = client_at(&stage, server.address());
    assert_eq!(client.job(digest, 1, &work).await.expect("the same"), result);
    let opened = client.batch(digest, 1, &claim(&made)).await.expect("opened");
    server.shutdown().await;

    let server = restarted(directory.as_path()).await;
    let client = client_at(&stage, server.address());
    assert_eq!(client.batch(digest, 1, &claim(&made)).await.expect("the same"), opened);
    let half = leaders_half(&stage.vdaf, made, &[result]);
    assert_eq!(sums(&stage, &half, &opened), vec![3; stage.length()]);
}
