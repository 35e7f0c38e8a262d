//! What a liar sends is rejected with the batch intact.

use crate::stage::{Made, Stage, claim, job, leaders_half, reasons, refused, sums};
use fellestall_shared::digest::Digest;
use fellestall_shared::limits::JOB_REPORTS;
use fellestall_shared::problem::ProblemKind;
use fellestall_shared::secure::seal::SealingSecret;
use fellestall_shared::secure::{Bytes, Task};
use fellestall_shared::wire::v1::{JobReport, Rejection};

/// One lie of each kind, each by a municipality of its own.
fn lies(stage: &Stage, task: &Task, zeros: &[u128]) -> Vec<(JobReport, Rejection)> {
    let key = &stage.helper.sealing_key;
    let node = |place: usize| &stage.nodes[place];
    let honest = |place| stage.report(task, node(place), zeros).job_report();
    let digest = task.digest();
    let mut lies = Vec::new();

    // Signed by somebody who is no participant, and by a participant in another's name.
    let stranger = crate::stage::stranger();
    lies.push((stage.report(task, &stranger, zeros).job_report(), Rejection::Signature));
    let theirs = node(1).identity.clone();
    let in_name = stage.report_with(digest, node(0), zeros, key, |document| {
        document.municipality = theirs.municipality;
        document.node = theirs.node;
    });
    lies.push((in_name.job_report(), Rejection::Binding));
    // For another task.
    let other = stage.report_with(Digest::of("task", b"other"), node(1), zeros, key, |_| ());
    lies.push((other.job_report(), Rejection::Binding));
    // For another question.
    let question = stage.report_with(digest, node(1), zeros, key, |document| {
        document.release = Digest::of("question", b"other").into();
    });
    lies.push((question.job_report(), Rejection::Binding));
    // Sealed to another key, cut short, altered.
    let strange = SealingSecret::generate().0.public();
    let sealed = stage.report_with(digest, node(2), zeros, &strange, |_| ());
    lies.push((sealed.job_report(), Rejection::Sealed));
    let cut = stage.report_with(digest, node(3), zeros, key, |document| {
        document.helper_share.0.truncate(40);
    });
    lies.push((cut.job_report(), Rejection::Sealed));
    // The public share is sealed with the helper's: another one does not open.
    let public = stage.report_with(digest, node(4), zeros, key, |document| {
        document.public_share.0[0] ^= 1;
    });
    lies.push((public.job_report(), Rejection::Sealed));
    // A share of the verification that is too short, empty, or altered.
    let mut short = honest(5);
    short.verifier_share.0.pop();
    lies.push((short, Rejection::Malformed));
    let empty = JobReport { verifier_share: Bytes(Vec::new()), ..honest(6) };
    lies.push((empty, Rejection::Malformed));
    let mut altered = honest(7);
    altered.verifier_share.0[0] ^= 1;
    lies.push((altered, Rejection::Proof));
    // Another report's share of the verification.
    let swapped = JobReport { verifier_share: honest(9).verifier_share, ..honest(8) };
    lies.push((swapped, Rejection::Proof));
    lies
}

#[tokio::test(flavor = "multi_thread")]
async fn every_lie_is_rejected_and_the_sum_is_that_of_the_honest() {
    let stage = Stage::new(14).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let (zeros, twos) = (vec![0; stage.length()], vec![2; stage.length()]);
    let honest: Vec<Made> =
        stage.nodes[10..].iter().map(|node| stage.report(&task, node, &twos)).collect();
    let lies = lies(&stage, &task, &zeros);

    let mut mixed = job(1, &honest);
    mixed.reports.splice(1..1, lies.iter().map(|(report, _)| report.clone()));
    let result = client.job(digest, 1, &mixed).await.expect("a result");
    let expected: Vec<_> = std::iter::once(None)
        .chain(lies.iter().map(|(_, why)| Some(*why)))
        .chain([None; 3])
        .collect();
    assert_eq!(reasons(&result), expected);

    let opened = client.batch(digest, 1, &claim(&honest)).await.expect("opened");
    let accepted = fellestall_shared::wire::v1::JobResult {
        outcomes: result
            .outcomes
            .into_iter()
            .zip(&expected)
            .filter(|(_, why)| why.is_none())
            .map(|(outcome, _)| outcome)
            .collect(),
    };
    let half = leaders_half(&stage.vdaf, honest, &[accepted]);
    assert_eq!(sums(&stage, &half, &opened), vec![8; stage.length()]);
}

/// A report is used up by the first look at it, in whatever job, batch or form it comes again; a batch
/// that was opened takes nothing, and uses nothing up.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_counts_once_in_a_task() {
    let stage = Stage::new(8).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let zeros = vec![0; stage.length()];
    let made = |place: usize| stage.report(&task, &stage.nodes[place], &zeros);
    let first: Vec<Made> = (0..3).map(made).collect();
    // Twice in one job, the second time with other shares.
    let mut twice = job(1, &first);
    twice.reports.push(first[0].job_report());
    twice.reports.push(made(1).job_report());
    let result = client.job(digest, 1, &twice).await.expect("a result");
    let replayed = Some(Rejection::Replayed);
    assert_eq!(reasons(&result), [None, None, None, replayed, replayed]);
    // In another job, and in another batch.
    let again = client.job(digest, 2, &job(1, &first)).await.expect("a result");
    assert_eq!(reasons(&again), [replayed; 3]);
    let elsewhere = client.job(digest, 3, &job(2, &first)).await.expect("a result");
    assert_eq!(reasons(&elsewhere), [replayed; 3]);
    // What was rejected for its proof is used up, too: nobody learns by asking twice.
    let mut guess = job(1, &[made(3)]);
    let honest = guess.clone();
    guess.reports[0].verifier_share.0[0] ^= 1;
    let result = client.job(digest, 4, &guess).await.expect("a result");
    assert_eq!(reasons(&result), [Some(Rejection::Proof)]);
    let result = client.job(digest, 5, &honest).await.expect("a result");
    assert_eq!(reasons(&result), [replayed]);

    client.batch(digest, 1, &claim(&first)).await.expect("opened");
    let late: Vec<Made> = (4..8).map(made).collect();
    let result = client.job(digest, 6, &job(1, &late)).await.expect("a result");
    assert_eq!(reasons(&result), [Some(Rejection::Opened); 4]);
    let result = client.job(digest, 7, &job(2, &late)).await.expect("a result");
    assert_eq!(reasons(&result), [None; 4]);
    client.batch(digest, 2, &claim(&late)).await.expect("opened");
}

/// Two jobs with the same report at the same moment: one of them has it.
#[tokio::test(flavor = "multi_thread")]
async fn of_two_jobs_at_once_one_counts() {
    let stage = Stage::new(3).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let zeros = vec![0; stage.length()];
    let made: Vec<Made> =
        stage.nodes.iter().map(|node| stage.report(&task, node, &zeros)).collect();
    let work = job(1, &made);
    let (one, other) = tokio::join!(client.job(digest, 1, &work), client.job(digest, 2, &work));
    let (one, other) = (reasons(&one.expect("a result")), reasons(&other.expect("a result")));
    for (a, b) in one.iter().zip(&other) {
        assert!(a.is_none() != b.is_none(), "{one:?} and {other:?}");
    }
    client.batch(digest, 1, &claim(&made)).await.expect("three reports, and not six");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_job_is_refused() {
    let stage = Stage::new(3).await;
    let task = stage.told().await;
    let (client, digest) = (&stage.client, task.digest());
    let made = stage.report(&task, &stage.nodes[0], &vec![0; stage.length()]);
    let one = job(1, &[made]);
    let malformed = |kind: (ProblemKind, String)| assert_eq!(kind.0, ProblemKind::Malformed);
    let none = fellestall_shared::wire::v1::Job { batch: 1, reports: Vec::new() };
    malformed(refused(client.job(digest, 1, &none).await));
    let mut many = one.clone();
    many.reports = vec![one.reports[0].clone(); JOB_REPORTS + 1];
    malformed(refused(client.job(digest, 1, &many).await));
    for batch in [0, 1_001] {
        let job = fellestall_shared::wire::v1::Job { batch, ..one.clone() };
        malformed(refused(client.job(digest, 1, &job).await));
    }
    malformed(refused(client.job(digest, 0, &one).await));
    let unknown = refused(client.job(Digest::of("task", b"unknown"), 1, &one).await);
    assert_eq!(unknown.0, ProblemKind::NotFound);
    let result = client.job(digest, 1, &one).await.expect("nothing of it was used up");
    assert_eq!(reasons(&result), [None]);
}
