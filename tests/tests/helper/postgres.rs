//! The same helper over PostgreSQL, by two instances at once.

use crate::stage::{
    Made, Stage, claim, client_at, clock, job, leaders_half, now, reasons, refused, sums,
};
use fellestall_coordinator::helper::home::HelperHome;
use fellestall_coordinator::helper::server::HelperServer;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::wire::v1::Rejection;
use fellestall_tests::postgres::Postgres;

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_over_one_database_count_every_report_once() {
    let cluster = Postgres::start().expect("PostgreSQL");
    let stage = Stage::over(4, &cluster.address("postgres")).await;
    let everybody: Vec<_> = stage.nodes.iter().map(|node| node.identity.clone()).collect();
    stage.server.store().admit(&everybody, now()).await.expect("admitted");
    let helper = HelperHome::open(&stage.directory()).expect("a helper");
    let second = HelperServer::start(helper, clock()).await.expect("a second instance");
    let other = client_at(&stage, second.address());
    let task = stage.told().await;
    let digest = task.digest();
    let ones = vec![1; stage.length()];
    let made: Vec<Made> = stage.nodes.iter().map(|node| stage.report(&task, node, &ones)).collect();

    // The same job at both, at once: one answer.
    let work = job(1, &made[..2]);
    let (one, two) = tokio::join!(stage.client.job(digest, 1, &work), other.job(digest, 1, &work));
    let first = one.expect("a result");
    assert_eq!(two.expect("the same result"), first);
    // Two jobs with the same reports at both, at once: each report counts in one.
    let work = job(1, &made[2..]);
    let (one, two) = tokio::join!(stage.client.job(digest, 2, &work), other.job(digest, 3, &work));
    let (one, two) = (one.expect("a result"), two.expect("a result"));
    let mut second_result = one.clone();
    for (place, (a, b)) in reasons(&one).iter().zip(reasons(&two)).enumerate() {
        assert!(a.is_none() != b.is_none() && a.or(b) == Some(Rejection::Replayed));
        if a.is_some() {
            second_result.outcomes[place] = two.outcomes[place].clone();
        }
    }
    let (wanted, fewer) = (claim(&made), claim(&made[..3]));
    assert_eq!(refused(other.batch(digest, 1, &fewer).await).0, ProblemKind::Conflict);
    let (one, two) =
        tokio::join!(stage.client.batch(digest, 1, &wanted), other.batch(digest, 1, &wanted));
    let opened = one.expect("opened");
    assert_eq!(two.expect("the same"), opened);
    let half = leaders_half(&stage.vdaf, made, &[first, second_result]);
    assert_eq!(sums(&stage, &half, &opened), vec![4; stage.length()]);
    second.shutdown().await;
}
