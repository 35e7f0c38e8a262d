//! Countersigned standings, and the ledgers that releases form.

use crate::harness::{
    NOW, at_once, digest, enrolled, ledger_of, municipality, raw, release, with_round,
};
use fellestall_coordinator::store::nodes::Node;
use fellestall_coordinator::store::releases::{Late, NewRelease, Upload};
use fellestall_coordinator::store::witnesses::Witnessed;
use fellestall_coordinator::store::{Store, StoreError};
use fellestall_shared::digest::Digest;
use fellestall_shared::round::ledger_head;
use fellestall_shared::wire::v1::{LedgerHead, Standing};
use std::sync::Arc;

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
pub async fn a_node_has_one_chain_of_witnesses(address: String) {
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
pub async fn releases_of_a_node_form_one_chain(address: String) {
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
    // Each is its own municipality's alone, whoever names the key.
    let after = async |ledger: &str, place| {
        let whose = at(ledger).release.municipality;
        store.own_releases(&whose, ledger_of(&node), place).await.expect("an answer")
    };
    assert_eq!(after("abcd", 3).await, vec![b"abcd".to_vec()]);
    assert_eq!(after("abcde", 3).await, vec![b"abcde".to_vec()]);
    assert!(after("abcde", 5).await.is_empty() && after("abx", 0).await.is_empty());
    let alarms = store.audit(1_000).await.expect("a log");
    assert!(alarms.iter().any(|line| line.alarm && line.event == "ledger-conflict"));
}
