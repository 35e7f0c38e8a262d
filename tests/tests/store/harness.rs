//! What every case of the suite works with.

use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::enrolment::Application;
use fellestall_coordinator::store::nodes::{Node, NodeStatus};
use fellestall_coordinator::store::presentations::NewPresentation;
use fellestall_coordinator::store::releases::{NewRelease, StoredRelease};
use fellestall_coordinator::store::rounds::{NewPublication, RoundContents, StoredRound};
use fellestall_coordinator::store::studies::{Kept, StoredStudy};
use fellestall_coordinator::store::witnesses::Link;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::ids::{MunicipalityNumber, RoundId};
use fellestall_shared::signed::VerifyingKey;
use sqlx::Connection;
use tokio::task::JoinSet;

pub const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(NOW.unix() + seconds)
}

pub fn municipality(number: u32) -> MunicipalityNumber {
    format!("{number:04}").parse().expect("a number")
}

pub fn round_id() -> RoundId {
    "core.1.2026H1".parse().expect("an id")
}

pub fn digest(text: &str) -> Digest {
    Digest::of("test", text.as_bytes())
}

pub fn application(secret: &str, number: u32, key: u8) -> Application {
    Application {
        secret: digest(secret),
        municipality: municipality(number),
        release_key: VerifyingKey::from_bytes(&[key; 32]).expect("a key"),
        request_key: vec![key; 8],
    }
}

pub async fn open(address: &str) -> Store {
    Store::open(address).await.expect("a store")
}

pub async fn enrolled(store: &Store, number: u32) -> Node {
    let secret = format!("secret {number}");
    store.add_invitation(digest(&secret), &municipality(number), NOW, at(100)).await.expect("kept");
    let node = store.apply(&application(&secret, number, 7), NOW).await.expect("taken");
    store.decide_node(&node.node, NodeStatus::Enrolled, NOW).await.expect("approved")
}

/// A store with one study and one open round.
pub async fn with_round(address: &str) -> Store {
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
pub fn ledger_of(node: &Node) -> Digest {
    digest(node.node.as_str())
}

pub fn release(node: &Node, content: &str) -> NewRelease {
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
pub fn print(contents: &RoundContents) -> NewPublication {
    let names: Vec<_> = contents.releases.iter().map(|release| release.node.to_string()).collect();
    let document = names.join(" ");
    NewPublication {
        digest: digest(&document),
        document: document.clone().into_bytes(),
        bundle: b"bundle".to_vec(),
        summary: document.clone(),
        presentation: NewPresentation {
            digest: digest(&document),
            document: document.into_bytes(),
            period: "2016H2".parse().expect("a period"),
            tables: Vec::new(),
        },
    }
}

/// Runs `count` futures at once, over handles of their own, and gives their results.
pub async fn at_once<T, F>(address: &str, count: usize, work: impl Fn(Store, usize) -> F) -> Vec<T>
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

pub async fn raw(address: &str, statement: &'static str) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(address).await.expect("a connection");
    let done = sqlx::query(statement).execute(&mut connection).await.map(drop);
    connection.close().await.expect("closed");
    done
}
