//! A batch is opened once, for the reports that both servers name, and only if there are enough.

use crate::stage::{Made, Stage, claim, job, refused};
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::secure::Bytes;
use fellestall_shared::wire::v1::BatchClaim;

#[tokio::test(flavor = "multi_thread")]
async fn fewer_reports_than_the_minimum_are_never_opened() {
    let stage = Stage::new(3).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let zeros = vec![0; stage.length()];
    let made: Vec<Made> =
        stage.nodes.iter().map(|node| stage.report(&task, node, &zeros)).collect();
    let nothing = claim(&[]);
    assert_eq!(refused(client.batch(digest, 1, &nothing).await).0, ProblemKind::BatchTooSmall);
    client.job(digest, 1, &job(1, &made[..2])).await.expect("a result");
    let (kind, detail) = refused(client.batch(digest, 1, &claim(&made[..2])).await);
    assert_eq!(kind, ProblemKind::BatchTooSmall, "{detail}");
    // One more, and there are enough.
    client.job(digest, 2, &job(1, &made[2..])).await.expect("a result");
    client.batch(digest, 1, &claim(&made)).await.expect("opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_of_other_reports_opens_nothing() {
    let stage = Stage::new(4).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let zeros = vec![0; stage.length()];
    let made: Vec<Made> =
        stage.nodes.iter().map(|node| stage.report(&task, node, &zeros)).collect();
    client.job(digest, 1, &job(1, &made)).await.expect("a result");
    let right = claim(&made);
    let wrong = [
        claim(&made[..3]),
        BatchClaim { count: 3, ..right.clone() },
        BatchClaim { count: 5, ..right.clone() },
        BatchClaim { checksum: Bytes(vec![0; 32]), ..right.clone() },
    ];
    for claim in wrong {
        assert_eq!(refused(client.batch(digest, 1, &claim).await).0, ProblemKind::Conflict);
    }
    assert!(stage.has_alarm("batch-conflict").await);
    let short = BatchClaim { checksum: Bytes(vec![0; 31]), ..right.clone() };
    assert_eq!(refused(client.batch(digest, 1, &short).await).0, ProblemKind::Malformed);
    assert_eq!(refused(client.batch(digest, 0, &right).await).0, ProblemKind::Malformed);
    assert!(stage.server.store().batches().await.unwrap().iter().all(|batch| !batch.opened));
    client.batch(digest, 1, &right).await.expect("the right claim opens it");
}
