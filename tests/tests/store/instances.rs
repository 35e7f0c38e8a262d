//! What several instances share: leases, the counting of failures to sign in, and what tells a foreign
//! directory apart.

use crate::harness::{NOW, at, at_once, digest, open, raw};
use fellestall_coordinator::store::sign_ins::Attempt;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_mins(10);
const SHORT: Duration = Duration::from_millis(200);

pub async fn a_lease_has_one_holder_until_it_runs_out(address: String) {
    let races = at_once(&address, 32, |store, number| async move {
        store.take_lease("work", &number.to_string(), LONG).await.expect("an answer")
    })
    .await;
    assert_eq!(races.iter().filter(|taken| **taken).count(), 1, "of 32 at once one has it");
    let store = open(&address).await;
    let holder = store.lease_holder("work").await.expect("an answer").expect("somebody");
    let take = async |name: &str, who: &str, length| {
        store.take_lease(name, who, length).await.expect("an answer")
    };
    assert!(!take("work", "other", LONG).await);
    assert!(take("work", &holder, LONG).await, "its holder prolongs it");
    assert!(take("other work", "other", LONG).await, "each work has its own");
    store.give_up_lease("work", "other").await.expect("an answer");
    assert!(!take("work", "other", LONG).await, "nobody gives up what is another's");
    store.give_up_lease("work", &holder).await.expect("given up");
    assert!(take("work", "other", SHORT).await);
    // `other` is killed. Whoever asks has to wait until it has run out, and one of them gets it.
    let asked = Instant::now();
    let races = at_once(&address, 16, |store, number| async move {
        let name = format!("heir {number}");
        let deadline = Instant::now() + 20 * SHORT;
        while !store.take_lease("work", &name, LONG).await.expect("an answer") {
            if Instant::now() > deadline {
                return false;
            }
            tokio::time::sleep(SHORT / 10).await;
        }
        true
    })
    .await;
    assert!(asked.elapsed() >= SHORT / 2);
    assert_eq!(races.iter().filter(|taken| **taken).count(), 1);
    assert!(!take("work", "other", LONG).await, "it was slow, and finds out");
    raw(&address, "UPDATE lease SET until = 9000000000000000").await.expect("written");
    assert!(take("work", "other", LONG).await, "the database's clock was set back");
    store.close().await;
}

pub async fn attempts_to_sign_in_are_counted_at_all_instances(address: String) {
    let races = at_once(&address, 24, |store, _| async move {
        store.count_sign_in("Kari", NOW).await.expect("an answer")
    })
    .await;
    let counted = |attempts: &[Attempt]| {
        attempts.iter().filter(|one| matches!(one, Attempt::Counted { .. })).count()
    };
    assert_eq!(counted(&races), 10, "of 24 at once ten are looked at");
    let store = open(&address).await;
    let behind = store.count_sign_in("kari", at(-30)).await.expect("an answer");
    assert!(
        matches!(behind, Attempt::Wait { .. }),
        "an instance whose clock is behind: {behind:?}"
    );
    let count = async |name: &str, now| store.count_sign_in(name, now).await.expect("an answer");
    assert_eq!(count(" KARI ", at(10)).await, Attempt::Wait { seconds: 590 });
    let ola = count("ola", at(10)).await;
    let Attempt::Counted { id } = ola else { panic!("another name may try: {ola:?}") };
    store.take_back_sign_in(id).await.expect("it was right");
    let mut others = Vec::new();
    for number in 0..24 {
        others.push(count(&format!("somebody {number}"), at(20)).await);
    }
    assert_eq!(counted(&others), 20, "thirty in all, and she who was right is none of them");
    assert_eq!(count("ola", at(21)).await, Attempt::Wait { seconds: 579 });
    assert!(matches!(count("kari", at(600)).await, Attempt::Counted { .. }), "ten are over");
    assert!(matches!(count("kari", at(-900)).await, Attempt::Counted { .. }), "a clock set back");
    store.close().await;
}

pub async fn a_directory_with_other_files_is_told(address: String) {
    let races = at_once(&address, 16, |store, number| async move {
        let own = digest(&(number % 4).to_string());
        (number % 4, store.is_of_directory("key", own).await.expect("an answer"))
    })
    .await;
    let mut first: Vec<_> = races.iter().filter(|(_, is_first)| *is_first).collect();
    assert_eq!(first.len(), 4, "those with one file, and no others");
    first.dedup();
    assert_eq!(first.len(), 1);
    let store = open(&address).await;
    assert!(!store.is_of_directory("key", digest("other")).await.expect("an answer"));
    assert!(store.is_of_directory("another key", digest("other")).await.expect("an answer"));
    store.close().await;
}
