//! The coordinator's store: one suite, over SQLite and over a real PostgreSQL.
//!
//! Each case gets a database of its own and as many handles to it as it likes: each handle stands
//! for one more instance of the coordinator.
#![cfg(test)]

use fellestall_coordinator::store::certificates::Certificate;
use fellestall_coordinator::store::enrolment::{Application, ApplyError};
use fellestall_coordinator::store::nodes::{DecideError, Node, NodeStatus};
use fellestall_coordinator::store::releases::{Late, NewRelease, StoredRelease, Upload};
use fellestall_coordinator::store::rounds::{
    NewPublication, PublishRoundError, RoundContents, StoredRound,
};
use fellestall_coordinator::store::studies::{
    Kept, PublishStudyError, StoredDecision, StoredStudy,
};
use fellestall_coordinator::store::witnesses::{Link, Witnessed};
use fellestall_coordinator::store::{Store, StoreError};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, RoundId};
use fellestall_shared::round::ledger_head;
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::{LedgerHead, Standing};
use fellestall_tests::postgres::Postgres;
use sqlx::Connection;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::task::JoinSet;

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW.unix() + seconds)
}

fn municipality(number: u32) -> MunicipalityNumber {
    format!("{number:04}").parse().expect("a number")
}

fn round_id() -> RoundId {
    "core.1.2026H1".parse().expect("an id")
}

fn digest(text: &str) -> Digest {
    Digest::of("test", text.as_bytes())
}

fn application(secret: &str, number: u32, key: u8) -> Application {
    Application {
        secret: digest(secret),
        municipality: municipality(number),
        release_key: VerifyingKey::from_bytes(&[key; 32]).expect("a key"),
        request_key: vec![key; 8],
    }
}

async fn open(address: &str) -> Store {
    Store::open(address).await.expect("a store")
}

async fn enrolled(store: &Store, number: u32) -> Node {
    let secret = format!("secret {number}");
    store.add_invitation(digest(&secret), &municipality(number), NOW, at(100)).await.expect("kept");
    let node = store.apply(&application(&secret, number, 7), NOW).await.expect("taken");
    store.decide_node(&node.node, NodeStatus::Enrolled, NOW).await.expect("approved")
}

/// A store with one study and one open round.
async fn with_round(address: &str) -> Store {
    let store = open(address).await;
    let study = StoredStudy {
        digest: digest("study"),
        study: "core".parse().expect("an id"),
        version: 1,
        envelope: b"study".to_vec(),
        published: NOW,
    };
    store.add_study(&study).await.expect("kept");
    let round = StoredRound {
        round: round_id(),
        study: digest("study"),
        envelope: b"round".to_vec(),
        closed: None,
    };
    assert_eq!(store.add_round(&round, NOW).await.expect("kept"), Kept::New);
    assert_eq!(store.add_round(&round, NOW).await.expect("kept"), Kept::Stood);
    store
}

/// The ledger of a node, whatever its key is.
fn ledger_of(node: &Node) -> Digest {
    digest(node.node.as_str())
}

fn release(node: &Node, content: &str) -> NewRelease {
    let link = Link {
        ledger: ledger_of(node),
        sequence: 1,
        previous: Digest::ZERO,
        head: digest(content),
    };
    let release = StoredRelease {
        release: digest(node.municipality.as_str()).into(),
        round: round_id(),
        node: node.node.clone(),
        municipality: node.municipality.clone(),
        digest: digest(content),
        envelope: content.as_bytes().to_vec(),
        received: NOW,
        late: false,
    };
    NewRelease { release, link }
}

/// A publication that says which releases it was made from.
fn print(contents: &RoundContents) -> NewPublication {
    let names: Vec<_> = contents.releases.iter().map(|release| release.node.to_string()).collect();
    let document = names.join(" ");
    NewPublication {
        digest: digest(&document),
        document: document.clone().into_bytes(),
        bundle: b"bundle".to_vec(),
        summary: document,
    }
}

/// Runs `count` futures at once, over handles of their own, and gives their results.
async fn at_once<T, F>(address: &str, count: usize, work: impl Fn(Store, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let handles = [open(address).await, open(address).await, open(address).await];
    let mut tasks = JoinSet::new();
    for (number, store) in (0..count).zip(handles.iter().cycle()) {
        tasks.spawn(work(store.clone(), number));
    }
    let done = tasks.join_all().await;
    for handle in handles {
        handle.close().await;
    }
    done
}

async fn two_programs_make_the_schema_at_once(address: String) {
    let mut tasks = JoinSet::new();
    for _ in 0..8 {
        let address = address.clone();
        tasks.spawn(async move { open(&address).await.close().await });
    }
    assert_eq!(tasks.join_all().await.len(), 8);
}

async fn a_schema_from_the_future_is_refused(address: String) {
    open(&address).await.close().await;
    raw(&address, "INSERT INTO schema_version (version) VALUES (4711)").await.expect("written");
    let refused = Store::open(&address).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Future { found: 4711, .. }), "{refused:?}");
}

async fn raw(address: &str, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(address).await.expect("a connection");
    let done = sqlx::query(statement).execute(&mut connection).await.map(drop);
    connection.close().await.expect("closed");
    done
}

/// S05: of 64 applications at once with one invitation exactly one is taken.
async fn an_invitation_is_good_for_one_application(address: String) {
    let store = open(&address).await;
    store.add_invitation(digest("s"), &municipality(4601), NOW, at(100)).await.expect("kept");
    let results = at_once(&address, 64, |store, number| async move {
        let key = u8::try_from(number).expect("small");
        store.apply(&application("s", 4601, key), NOW).await.ok().map(|node| (node, key))
    })
    .await;
    let taken: Vec<_> = results.into_iter().flatten().collect();
    assert_eq!(taken.len(), 1);
    let (node, key) = &taken[0];
    assert_eq!(node.node.as_str(), "4601-1");
    let again = store.apply(&application("s", 4601, *key), at(1_000)).await.expect("the same");
    assert_eq!(
        again, *node,
        "the answer was lost: the same request gives the same node, also later"
    );
    assert_eq!(store.nodes().await.expect("nodes").len(), 1);
}

/// S05: the same application 64 times at once is one node for all of them.
async fn one_application_repeated_is_one_node(address: String) {
    let store = open(&address).await;
    store.add_invitation(digest("s"), &municipality(4601), NOW, at(100)).await.expect("kept");
    let results = at_once(&address, 64, |store, _| async move {
        store.apply(&application("s", 4601, 1), NOW).await.expect("the node").node
    })
    .await;
    assert!(results.iter().all(|node| node.as_str() == "4601-1"));
}

/// S05: late, and for another municipality: none.
async fn an_invitation_ends_and_is_bound(address: String) {
    let store = open(&address).await;
    store.add_invitation(digest("s"), &municipality(4601), NOW, at(100)).await.expect("kept");
    for (application, now) in [
        (application("s", 4601, 1), at(100)),
        (application("s", 1108, 1), NOW),
        (application("other", 4601, 1), NOW),
    ] {
        let refused = store.apply(&application, now).await.expect_err("refused");
        assert!(matches!(refused, ApplyError::Invitation));
    }
    assert!(store.nodes().await.expect("nodes").is_empty());
    store.apply(&application("s", 4601, 1), at(99)).await.expect("still good");
}

async fn a_municipality_has_one_enrolled_node(address: String) {
    let store = open(&address).await;
    let first = enrolled(&store, 4601).await;
    store.add_invitation(digest("again"), &municipality(4601), NOW, at(100)).await.expect("kept");
    let second = store.apply(&application("again", 4601, 9), NOW).await.expect("taken").node;
    assert_eq!(second.as_str(), "4601-2");
    let refused = store.decide_node(&second, NodeStatus::Enrolled, NOW).await.expect_err("refused");
    assert!(matches!(refused, DecideError::Another { .. }), "{refused:?}");
    store.decide_node(&first.node, NodeStatus::Denied, NOW).await.expect("denied");
    store.decide_node(&first.node, NodeStatus::Denied, NOW).await.expect("a repeat is no change");
    store.decide_node(&second, NodeStatus::Enrolled, NOW).await.expect("approved");
    let back = store.decide_node(&first.node, NodeStatus::Enrolled, NOW).await;
    assert!(matches!(back, Err(DecideError::Status { .. })), "a denied node never comes back");
    let denied = store.audit(100).await.expect("a log");
    assert_eq!(denied.iter().filter(|line| line.event == "denied").count(), 1);
}

async fn a_certificate_counts_while_it_lasts_and_its_node_is_enrolled(address: String) {
    let store = open(&address).await;
    let node = enrolled(&store, 4601).await.node;
    let certificate = Certificate {
        serial: "4a".to_owned(),
        node: node.clone(),
        public_key: digest("key"),
        pem: "PEM".to_owned(),
        issued: NOW,
        expires: at(50),
    };
    store.add_certificate(&certificate).await.expect("kept");
    let who = async |serial: &str, now| store.node_by_serial(serial, now).await.expect("an answer");
    assert_eq!(who("4a", at(49)).await.expect("a node").node, node);
    assert!(who("4a", at(50)).await.is_none());
    assert!(who("4b", NOW).await.is_none());
    let stands = store.certificate(&node, digest("key"), at(49)).await.expect("an answer");
    assert_eq!(stands, Some(certificate));
    assert_eq!(store.certificate(&node, digest("other"), NOW).await.expect("an answer"), None);
    store.decide_node(&node, NodeStatus::Denied, NOW).await.expect("denied");
    assert!(who("4a", NOW).await.is_none());
}

async fn a_study_version_has_one_content(address: String) {
    let store = with_round(&address).await;
    let mut study = store.study(digest("study")).await.expect("an answer").expect("the study");
    assert_eq!(store.add_study(&study).await.expect("stands"), Kept::Stood);
    study.digest = digest("other");
    study.envelope = b"other".to_vec();
    let refused = store.add_study(&study).await.expect_err("refused");
    assert!(matches!(refused, PublishStudyError::OtherContent { version: 1, .. }));
    assert_eq!(store.studies().await.expect("studies").len(), 1);
}

async fn a_decision_replaces_the_earlier_one(address: String) {
    let store = with_round(&address).await;
    let node = enrolled(&store, 4601).await.node;
    let decision = |content: &str| StoredDecision {
        node: node.clone(),
        study: digest("study"),
        digest: digest(content),
        envelope: content.as_bytes().to_vec(),
        received: NOW,
    };
    for (content, kept) in
        [("yes", Kept::New), ("yes", Kept::Stood), ("no", Kept::New), ("no", Kept::Stood)]
    {
        assert_eq!(store.add_decision(&decision(content)).await.expect("kept"), kept, "{content}");
    }
    let decisions = store.decisions(digest("study")).await.expect("decisions");
    assert_eq!(decisions, vec![decision("no")]);
}

/// N03: one release 1,000 times, 64 at once, is stored once.
async fn a_release_is_stored_once(address: String) {
    let store = with_round(&address).await;
    let node = Arc::new(enrolled(&store, 4601).await);
    let mut stored = 0;
    for _ in 0..16 {
        let results = at_once(&address, 64, |store, _| {
            let release = release(&node, "content");
            async move { store.add_release(&release, Late::Refused).await.expect("an answer") }
        })
        .await;
        assert!(results.iter().all(|upload| matches!(upload, Upload::Stored | Upload::Stood)));
        stored += results.iter().filter(|upload| **upload == Upload::Stored).count();
    }
    assert_eq!(stored, 1);
    assert_eq!(store.releases(&round_id()).await.expect("releases").len(), 1);
    assert_eq!(store.received(&municipality(4601)).await.expect("rounds"), vec![round_id()]);
}

/// N04: other content under the same id is refused and alarmed; the first stands.
async fn another_release_is_a_conflict(address: String) {
    let store = with_round(&address).await;
    let node = Arc::new(enrolled(&store, 4601).await);
    let results = at_once(&address, 32, |store, number| {
        let release = release(&node, &format!("content {number}"));
        async move {
            let upload = store.add_release(&release, Late::Refused).await.expect("an answer");
            (upload, release.release.digest)
        }
    })
    .await;
    let stored: Vec<_> = results.iter().filter(|(upload, _)| *upload == Upload::Stored).collect();
    assert_eq!(stored.len(), 1);
    let conflicts = results.iter().filter(|(upload, _)| *upload == Upload::Conflict).count();
    assert_eq!(conflicts, 31);
    let kept = store.releases(&round_id()).await.expect("releases");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].digest, stored[0].1);
    let log = store.audit(1_000).await.expect("a log");
    assert_eq!(log.iter().filter(|line| line.alarm).count(), 31);
}

/// Closers and uploads at once: one publication, and in it every release that was not late.
async fn a_round_closes_once_with_all_that_came(address: String) {
    let store = with_round(&address).await;
    let mut nodes = Vec::new();
    for number in 0..12 {
        nodes.push(enrolled(&store, 1100 + number).await);
    }
    let nodes = Arc::new(nodes);
    let results = at_once(&address, 36, |store, number| {
        let nodes = Arc::clone(&nodes);
        async move {
            if number % 3 == 2 {
                let closed = store
                    .close_round(&round_id(), NOW, |all| Ok::<_, Infallible>(print(&all)))
                    .await
                    .expect("a publication");
                Some(closed.document)
            } else {
                let release = release(&nodes[number % 12], "content");
                store.add_release(&release, Late::Taken).await.expect("an answer");
                None
            }
        }
    })
    .await;
    let mut published: Vec<_> = results.into_iter().flatten().collect();
    published.dedup();
    assert_eq!(published.len(), 1, "every closer was given the same publication");
    let stored = store.releases(&round_id()).await.expect("releases");
    let in_time: Vec<_> = stored.iter().filter(|r| !r.late).map(|r| r.node.to_string()).collect();
    assert_eq!(published[0], in_time.join(" ").into_bytes());
    assert_eq!(store.publications(10).await.expect("publications").len(), 1);
}

async fn late_releases_wait_for_a_revision_or_are_refused(address: String) {
    let store = with_round(&address).await;
    let (first, second) = (enrolled(&store, 1101).await, enrolled(&store, 1102).await);
    store.add_release(&release(&first, "content"), Late::Refused).await.expect("stored");
    let early = store
        .revise_round(&round_id(), NOW, |all| Ok::<_, Infallible>(Some(print(&all))))
        .await
        .expect_err("still open");
    assert!(matches!(early, PublishRoundError::Open { .. }));
    let failed = store
        .close_round(&round_id(), NOW, |_| Err(std::io::Error::other("too few")))
        .await
        .expect_err("not computed");
    assert!(matches!(failed, PublishRoundError::Compute(_)));
    let print_all = |all: RoundContents| Ok::<_, Infallible>(print(&all));
    store.close_round(&round_id(), NOW, print_all).await.expect("closed");
    let refused = store.add_release(&release(&second, "content"), Late::Refused).await;
    assert_eq!(refused.expect("an answer"), Upload::Closed);
    let repeat = store.add_release(&release(&first, "content"), Late::Refused).await;
    assert_eq!(repeat.expect("an answer"), Upload::Stood, "its answer was lost; the round closed");
    let late = store.add_release(&release(&second, "content"), Late::Taken).await;
    assert_eq!(late.expect("an answer"), Upload::Stored);
    let received = store.received(&municipality(1101)).await.expect("rounds");
    assert_eq!(received, vec![round_id()], "a closed round is not asked again of who answered");
    let revised = store
        .revise_round(&round_id(), at(9), |all| Ok::<_, Infallible>(Some(print(&all))))
        .await
        .expect("revised")
        .expect("a version");
    assert_eq!((revised.version, revised.document.as_slice()), (2, &b"1101-1 1102-1"[..]));
    let nothing = store.revise_round(&round_id(), at(9), |_| Ok::<_, Infallible>(None)).await;
    assert_eq!(nothing.expect("an answer"), None);
    let first = store.publication(&round_id(), 1).await.expect("an answer").expect("version 1");
    assert_eq!(first.document, b"1101-1", "the first version stands as it was");
}

async fn what_is_published_or_logged_cannot_be_changed(address: String) {
    let store = with_round(&address).await;
    let node = enrolled(&store, 1101).await;
    store.add_release(&release(&node, "content"), Late::Refused).await.expect("stored");
    let print_all = |all: RoundContents| Ok::<_, Infallible>(print(&all));
    store.close_round(&round_id(), NOW, print_all).await.expect("closed");
    store.close().await;
    for statement in [
        "UPDATE publication SET version = 2",
        "DELETE FROM publication",
        "UPDATE audit SET event = 'nothing'",
        "DELETE FROM audit",
        "UPDATE release SET municipality = '0301'",
        "UPDATE ledger_link SET sequence = 2",
        "DELETE FROM ledger_link",
        "UPDATE ledger_place SET sequence = 2",
        "DELETE FROM ledger_place",
    ] {
        assert!(raw(&address, statement).await.is_err(), "{statement}");
    }
}

/// The payloads of the charges of a ledger, one for each letter, and the place and head after them.
fn charges(names: &str) -> (Vec<Digest>, LedgerHead) {
    let payloads: Vec<_> = names.chars().map(|name| digest(&name.to_string())).collect();
    let head = payloads.iter().fold(Digest::ZERO, |head, payload| ledger_head(head, *payload));
    let sequence = u64::try_from(payloads.len()).expect("few");
    (payloads, LedgerHead { sequence, head })
}

/// What a node states after a witness of this number, which was over the ledger `from`.
fn standing(node: &Node, number: u64, from: &str, ledger: &str) -> Standing {
    let (payloads, ledger) = charges(ledger);
    let since =
        if number == 0 { Vec::new() } else { payloads.into_iter().skip(from.len()).collect() };
    Standing {
        node: node.node.clone(),
        number,
        previous: if number == 0 { Digest::ZERO } else { digest(&format!("witness {number}")) },
        nonce: Digest::ZERO,
        ledger,
        since,
        log: Digest::ZERO,
    }
}

async fn witness(store: &Store, standing: &Standing, statement: &str) -> Witnessed {
    let sign = |number, _| {
        let name = format!("witness {number}");
        Ok::<_, StoreError>((digest(&name), name.into_bytes()))
    };
    store
        .witness((digest(standing.node.as_str()), standing), digest(statement), NOW, sign)
        .await
        .expect("an answer")
}

/// L08: of statements that come at once after one witness, one is witnessed; it may be sent again.
async fn a_node_has_one_chain_of_witnesses(address: String) {
    let store = with_round(&address).await;
    let node = Arc::new(enrolled(&store, 4601).await);
    let results = at_once(&address, 32, |store, number| {
        let standing = standing(&node, 0, "", "");
        async move { (number, witness(&store, &standing, &format!("{number}")).await) }
    })
    .await;
    let first = Witnessed::Witness(b"witness 1".to_vec());
    let mut won = results.iter().filter(|(_, outcome)| *outcome == first);
    let (winner, _) = won.next().expect("one is witnessed");
    assert!(won.next().is_none(), "and no other");
    let start = standing(&node, 0, "", "");
    assert_eq!(witness(&store, &start, &winner.to_string()).await, first, "its answer was lost");
    let alarms = async || {
        let log = store.audit(1_000).await.expect("a log");
        log.iter().filter(|line| line.alarm && line.event == "ledger-conflict").count()
    };
    assert_eq!(alarms().await, 31, "one for each of the others");
    let other = if *winner == 0 { "1" } else { "0" };
    assert_eq!(witness(&store, &start, other).await, Witnessed::Conflict);
    assert_eq!(alarms().await, 31, "said again, it is the same alarm");

    // From there on: further, equal and alike, but never back, and never beside it.
    let second = Witnessed::Witness(b"witness 2".to_vec());
    assert_eq!(witness(&store, &standing(&node, 1, "", "abc"), "two").await, second);
    for (number, ledger) in ["ab", "", "abx", "abxd", "xbc"].into_iter().enumerate() {
        let behind = standing(&node, 2, "abc", ledger);
        assert_eq!(witness(&store, &behind, &format!("b{number}")).await, Witnessed::Conflict);
    }
    let old = standing(&node, 1, "", "abcd");
    assert_eq!(witness(&store, &old, "old").await, Witnessed::Conflict);
    let third = Witnessed::Witness(b"witness 3".to_vec());
    assert_eq!(witness(&store, &standing(&node, 2, "abc", "abc"), "three").await, third);
    let last = store.last_witness(&node.node).await.expect("an answer").expect("a witness");
    assert_eq!((last.number, last.ledger.sequence), (3, 3));
    store.close().await;
    for statement in ["UPDATE witness SET number = 9", "DELETE FROM witness"] {
        assert!(raw(&address, statement).await.is_err(), "{statement}");
    }
}

/// L08: a release whose place is taken, or that does not follow its neighbours or what was witnessed,
/// is refused, in whichever order they come; and a statement behind a release is.
async fn releases_of_a_node_form_one_chain(address: String) {
    let store = with_round(&address).await;
    let node = Arc::new(enrolled(&store, 4601).await);
    let first = Witnessed::Witness(b"witness 1".to_vec());
    assert_eq!(witness(&store, &standing(&node, 0, "", "abc"), "one").await, first);
    let at = |ledger: &str| {
        let mut new = release(&node, ledger);
        new.release.release = digest(&format!("question of {ledger}")).into();
        new.release.municipality = municipality(ledger.bytes().map(u32::from).sum());
        let (before, head) = (charges(&ledger[..ledger.len() - 1]).1.head, charges(ledger).1);
        new.link.sequence = head.sequence;
        (new.link.previous, new.link.head) = (before, head.head);
        new
    };
    let put = async |new: NewRelease| store.add_release(&new, Late::Taken).await.expect("answered");
    let mut nowhere = at("a");
    nowhere.link.sequence = 0;
    assert_eq!(put(nowhere).await, Upload::Forked);
    let mut from_nothing = at("a");
    from_nothing.link.previous = digest("something");
    assert_eq!(put(from_nothing).await, Upload::Forked);
    // Against what was witnessed.
    assert_eq!(put(at("abxd")).await, Upload::Forked);
    assert_eq!(put(at("abx")).await, Upload::Forked);
    assert_eq!(put(at("abcd")).await, Upload::Stored);
    assert_eq!(put(at("abcd")).await, Upload::Stood);
    // Taken, and beside.
    for forked in ["abce", "abcxe", "abx"] {
        assert_eq!(put(at(forked)).await, Upload::Forked, "{forked}");
    }
    // A node that was copied before that release stands behind it, or beside it, however far.
    for (number, ledger) in ["abc", "abce", "abcef", "abcefg"].into_iter().enumerate() {
        let stated = standing(&node, 1, "abc", ledger);
        assert_eq!(witness(&store, &stated, &format!("b{number}")).await, Witnessed::Conflict);
    }
    let second = Witnessed::Witness(b"witness 2".to_vec());
    let further = standing(&node, 1, "abc", "abcde");
    assert_eq!(witness(&store, &further, "four").await, second);
    // A release that was witnessed before it came.
    for forked in ["abcdx", "abcxx"] {
        assert_eq!(put(at(forked)).await, Upload::Forked, "{forked}");
    }
    assert_eq!(put(at("abcde")).await, Upload::Stored);
    let own = store.own_releases(ledger_of(&node), 3).await.expect("an answer");
    assert_eq!(own, vec![b"abcd".to_vec(), b"abcde".to_vec()]);
    assert!(store.own_releases(ledger_of(&node), 5).await.expect("an answer").is_empty());
    let alarms = store.audit(1_000).await.expect("a log");
    assert!(alarms.iter().any(|line| line.alarm && line.event == "ledger-conflict"));
}

macro_rules! suite {
    ($($case:ident),* $(,)?) => {
        /// Every case over a database that `fresh` makes.
        async fn run(fresh: impl AsyncFn(&str) -> String) {
            $(
                println!("{}", stringify!($case));
                $case(fresh(stringify!($case)).await).await;
            )*
        }
    };
}

suite!(
    two_programs_make_the_schema_at_once,
    a_schema_from_the_future_is_refused,
    an_invitation_is_good_for_one_application,
    one_application_repeated_is_one_node,
    an_invitation_ends_and_is_bound,
    a_municipality_has_one_enrolled_node,
    a_certificate_counts_while_it_lasts_and_its_node_is_enrolled,
    a_study_version_has_one_content,
    a_decision_replaces_the_earlier_one,
    a_release_is_stored_once,
    another_release_is_a_conflict,
    a_round_closes_once_with_all_that_came,
    late_releases_wait_for_a_revision_or_are_refused,
    what_is_published_or_logged_cannot_be_changed,
    a_node_has_one_chain_of_witnesses,
    releases_of_a_node_form_one_chain,
);

/// A stranger who guesses secrets never waits for SQLite's only writer, and so never holds it either.
#[tokio::test]
async fn an_unknown_secret_takes_no_writer() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite://{}?mode=rwc", folder.path().join("store.sqlite").display());
    let store = open(&address).await;
    let mut writer = sqlx::AnyConnection::connect(&address).await.expect("a connection");
    sqlx::query("BEGIN IMMEDIATE").execute(&mut writer).await.expect("the writer");
    let application = application("nobody's", 4601, 1);
    let answer = store.apply(&application, NOW);
    let answer = tokio::time::timeout(std::time::Duration::from_secs(5), answer).await;
    assert!(matches!(answer, Ok(Err(ApplyError::Invitation))), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_holds_over_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    run(async |case: &str| {
        let path = folder.path().join(case);
        std::fs::File::create(&path).expect("a file");
        format!("sqlite://{}", path.display())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_holds_over_postgresql() {
    let cluster = Postgres::start().expect("a PostgreSQL to test with");
    run(async |case: &str| {
        // Its first 20 characters name a case well enough for a database.
        let name: String = case.chars().take(20).collect();
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::any::install_default_drivers();
        let mut connection =
            sqlx::AnyConnection::connect(&cluster.address("postgres")).await.expect("connected");
        sqlx::query(create).execute(&mut connection).await.expect("a database");
        connection.close().await.expect("closed");
        cluster.address(&name)
    })
    .await;
}
