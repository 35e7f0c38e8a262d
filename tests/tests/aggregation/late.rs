//! Publishing shared sums when something comes late, does not hold, happens twice or is cut short.
//!
//! Reports hold plain counts, so that every published figure is the plain sum or the test fails.

use crate::chaos::killed_after;
use crate::country::command;
use crate::link::Fault;
use crate::pages::{Pages, hidden};
use crate::scene::{NOW, Scene, catalogue, clock};
use crate::{SQLITE, over_postgres};
use fellestall_coordinator::aggregation::Leader;
use fellestall_coordinator::publish::{CoverageState, PublicationFile, verify};
use fellestall_coordinator::rounds::publication;
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::publications::StoredPublication;
use fellestall_coordinator::store::reports::ReportState;
use fellestall_shared::wire::v1::Rejection;
use std::ops::Range;

/// Gives a command to the scene's coordinator.
async fn told(scene: &Scene, words: &[&str]) -> Result<String, String> {
    command(&scene.folder.path().join("coordinator"), clock(), words).await
}

async fn stored(scene: &Scene, version: u32) -> Option<StoredPublication> {
    scene.store.publication(scene.loaded.round.id(), version).await.expect("an answer")
}

/// A version that was published and holds, offline.
async fn published(scene: &Scene, version: u32) -> PublicationFile {
    let stored = stored(scene, version).await.expect("a publication");
    let key = scene.home().signing_key.verifying_key();
    for bytes in [&stored.document, &stored.bundle] {
        verify(bytes, Some(&key), catalogue()).expect("it verifies");
    }
    serde_json::from_slice(&stored.document).expect("a publication")
}

/// Asserts that the figures are the plain sums over these municipalities.
fn check_sums(scene: &Scene, file: &PublicationFile, places: Range<usize>) {
    let cells = file.publication.tables.iter().flat_map(|table| &table.cells);
    let figures: Vec<i64> = cells.map(|cell| cell.value).collect();
    let mut sums = vec![0; figures.len()];
    for place in places.clone() {
        sums.iter_mut().zip(scene.counts(place)).for_each(|(sum, count)| *sum += count);
    }
    assert_eq!(figures, sums);
    assert_eq!(file.publication.coverage.reported, places.len());
}

/// How often something is in the leader's log, and in the helper's.
async fn noted(scene: &Scene, event: &str) -> (usize, usize) {
    let leader = scene.store.audit(10_000).await.expect("a log");
    let helper = scene.helper.as_ref().expect("a helper").store().audit(10_000).await;
    let count = |lines: Vec<fellestall_coordinator::store::audit::Line>| {
        lines.iter().filter(|line| line.event == event).count()
    };
    (count(leader), count(helper.expect("a log")))
}

/// Late reports are published when there are enough of them for a sum of their own, and not before; the
/// operator reads which.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_reports_are_published_in_a_second_version_when_they_are_enough() {
    let scene = Scene::set(SQLITE, 7).await;
    let round = scene.loaded.round.id().to_string();
    let revise = ["round", "revise", &round];
    for place in 0..4 {
        scene.send(&scene.make(place)).await;
    }
    let early = told(&scene, &revise).await.expect_err("it is open");
    assert!(early.contains("still open"), "{early}");
    assert!(scene.opened(1).await.is_none(), "a round that is open is not opened by revising it");
    told(&scene, &["round", "close", &round]).await.expect("published");
    check_sums(&scene, &published(&scene, 1).await, 0..4);
    let said = told(&scene, &revise).await.expect("an answer");
    assert!(said.contains("Nothing new came"), "{said}");

    let pages = Pages::open(&scene).await;
    let kari = pages.sign_in("Kari Styrer");
    let preview = format!("/rounds/{round}/preview");
    assert!(pages.get(&kari, &preview).contains("Ingenting nytt har kommet"));
    for place in [4, 5] {
        scene.send(&scene.make(place)).await;
        let said = told(&scene, &revise).await.expect("an answer");
        let waiting = format!("Late reports of shared tables wait ({}): ", place - 3);
        assert!(said.contains(&waiting) && said.contains("when there are 3"), "{said}");
        let page = pages.get(&kari, &preview);
        let waiting = format!("venter ({}): Summen av dem åpnes når det er 3", place - 3);
        assert!(page.contains(&waiting) && !page.contains("name=\"basis\""), "{page}");
        assert!(stored(&scene, 2).await.is_none());
    }
    assert_eq!(noted(&scene, "batch-claimed").await.0, 1, "the helper was not even asked");
    assert_eq!(noted(&scene, "batch-opened").await, (1, 1));

    scene.send(&scene.make(6)).await;
    let said = told(&scene, &revise).await.expect("published");
    assert!(said.contains("Version 2 is published"), "{said}");
    let second = published(&scene, 2).await;
    check_sums(&scene, &second, 0..7);
    let batches = second.publication.certificate.batches.iter();
    let batches: Vec<_> = batches.map(|one| (one.batch, one.reports)).collect();
    assert_eq!(batches, [(1, 4), (2, 3)]);
    assert_eq!(second.publication.coverage.late, 3);
    check_sums(&scene, &published(&scene, 1).await, 0..4);
    let said = told(&scene, &revise).await.expect("an answer");
    assert!(said.contains("Nothing new came") && stored(&scene, 3).await.is_none(), "{said}");
    pages.server.shutdown().await;
}

/// Who looks at a round opens nothing; two who press at once publish one version of what they saw.
async fn looked_at_and_pressed_twice(address: String) {
    let scene = Scene::set(&address, 5).await;
    let round = scene.loaded.round.id().to_string();
    let pages = Pages::open(&scene).await;
    let people = ["Kari Styrer", "Cora Driver"].map(|name| pages.sign_in(name));
    let preview = format!("/rounds/{round}/preview");
    for place in 0..2 {
        scene.send(&scene.make(place)).await;
    }
    let page = pages.get(&people[0], &preview);
    assert!(page.contains("kan ikke publiseres nå") && !page.contains("name=\"basis\""), "{page}");
    for place in 2..5 {
        scene.send(&scene.make(place)).await;
    }
    scene.leader().await.drive(&scene.loaded).await.expect("verified");
    let mut bases = Vec::new();
    for person in people.iter().chain(&people) {
        let page = pages.get(person, &preview);
        assert!(page.contains("Ingen kan se summen av dem før den er åpnet"), "{page}");
        assert!(page.contains("med rapporter fra 5 kommuner") && !page.contains("<td"), "{page}");
        pages.get(person, &format!("/rounds/{round}"));
        bases.push(hidden(&page, "basis"));
    }
    bases.dedup();
    assert_eq!(bases.len(), 1, "all who look see the same");
    assert_eq!(noted(&scene, "batch-claimed").await.0, 0);
    assert_eq!(noted(&scene, "batch-opened").await, (0, 0));
    assert!(stored(&scene, 1).await.is_none());

    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let publish = |person| {
            let (site, round, seen) = (&pages, &round, &bases[0]);
            scope.spawn(move || site.publish(person, round, seen).status)
        };
        let pressed: Vec<_> = people.iter().map(publish).collect();
        pressed.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    // The second finds it published, or that it is no longer what was looked at.
    assert!(statuses.contains(&303), "{statuses:?}");
    assert!(statuses.iter().all(|status| [303, 409].contains(status)), "{statuses:?}");
    assert_eq!(scene.store.publications(9).await.expect("read").len(), 1);
    assert_eq!(noted(&scene, "batch-opened").await, (1, 1));
    check_sums(&scene, &published(&scene, 1).await, 0..5);
    assert_eq!(pages.publish(&people[0], &round, &bases[0]).status, 409, "once");
    assert!(pages.get(&people[0], &preview).contains("Ingenting nytt har kommet"));
    pages.server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn looking_opens_nothing_and_two_who_press_at_once_publish_once_over_sqlite() {
    looked_at_and_pressed_twice(SQLITE.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn looking_opens_nothing_and_two_who_press_at_once_publish_once_over_postgresql() {
    over_postgres(looked_at_and_pressed_twice).await;
}

/// Closes the round in a process that lives for so many steps, as the command does.
async fn close_in_a_short_life(scene: &Scene, waits: usize) -> bool {
    let store = Store::open(&scene.address).await.expect("a store");
    let home = scene.home();
    let leader = Leader::new(&home, store.clone(), catalogue(), clock());
    let life = async {
        leader.open(&scene.loaded).await.is_ok()
            && publication::close(&store, home.printer(), &scene.loaded, NOW).await.is_ok()
    };
    let done = killed_after(waits, life).await;
    // What a dead process held, its database gives free.
    store.close().await;
    done == Some(true)
}

/// The leader dies at every step from the first look at the reports to the publication, with the helper's
/// answer lost once more: what is published in the end is what was opened first, and was opened once.
async fn killed_between_opening_and_publication(address: String) {
    let mut scene = Scene::set(&address, 4).await;
    for place in 0..4 {
        scene.send(&scene.make(place)).await;
    }
    scene.leader().await.drive(&scene.loaded).await.expect("verified");
    scene.link.set(Fault::Answer);
    // The way may break as early as the helper's last words of TLS, before it has heard the request.
    for _ in 0..100 {
        assert!(scene.leader().await.open(&scene.loaded).await.is_err(), "the answer was lost");
        if noted(&scene, "batch-opened").await.1 > 0 {
            break;
        }
    }
    scene.link.set(Fault::None);
    assert_eq!(noted(&scene, "batch-opened").await, (0, 1), "the helper has opened, nobody else");
    scene.restart_helper().await;
    let (mut sealed, mut opened) = (0, 0);
    for waits in 1.. {
        if close_in_a_short_life(&scene, waits).await {
            break;
        }
        if waits == 5 {
            // At the latest now it dies with the sum in its store and nothing published.
            scene.leader().await.open(&scene.loaded).await.expect("opened");
        }
        match scene.opened(1).await {
            None => sealed += 1,
            Some(sums) => {
                assert_eq!(sums, scene.sums(0..4));
                opened += 1;
            }
        }
        let is_closed = scene.load().await.closed.is_some();
        assert_eq!(is_closed, stored(&scene, 1).await.is_some(), "closed and published at once");
    }
    println!("{sealed} deaths before the opening, {opened} between it and the publication");
    assert!(sealed > 0 && opened > 0, "{sealed} {opened}");
    check_sums(&scene, &published(&scene, 1).await, 0..4);
    assert_eq!(noted(&scene, "batch-opened").await, (1, 1), "once at either server");
    assert_eq!(noted(&scene, "batch-claimed").await.0, 1);
    assert_eq!(scene.store.publications(9).await.expect("read").len(), 1);
    let alarms = scene.store.audit(10_000).await.expect("a log");
    assert!(alarms.iter().all(|line| !line.alarm), "{alarms:?}");
    // What closed is given as it is.
    let first = stored(&scene, 1).await.expect("a publication").document;
    let round = scene.loaded.round.id().to_string();
    told(&scene, &["round", "close", &round]).await.expect("as it is");
    assert_eq!(stored(&scene, 1).await.expect("a publication").document, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_a_close_that_is_killed_at_every_step_publishes_what_was_opened_over_sqlite() {
    killed_between_opening_and_publication(SQLITE.to_owned()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn n08_a_close_that_is_killed_at_every_step_publishes_what_was_opened_over_postgresql() {
    over_postgres(killed_between_opening_and_publication).await;
}

/// A node whose report was rejected is shown as that, with the reason and nothing else: to staff, to the
/// operator and in the publication.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_report_is_told_with_its_reason_and_nothing_of_its_counts() {
    let scene = Scene::set(SQLITE, 6).await;
    let round = scene.loaded.round.id().to_string();
    for place in 0..3 {
        scene.send(&scene.make(place)).await;
    }
    scene.send(&scene.make_with(3, |share| share[40] ^= 1, |_| {})).await;
    scene.send(&scene.make_with(4, |_| {}, |report| report.helper_share.0[50] ^= 1)).await;
    told(&scene, &["round", "close", &round]).await.expect("published");
    let file = published(&scene, 1).await;
    check_sums(&scene, &file, 0..3);
    let coverage = &file.publication.coverage;
    let shown: Vec<_> = coverage.nodes.iter().map(|node| (node.state, node.rejected)).collect();
    let expected = [
        (CoverageState::Reported, None),
        (CoverageState::Reported, None),
        (CoverageState::Reported, None),
        (CoverageState::Missing, Some(Rejection::Proof)),
        (CoverageState::Missing, Some(Rejection::Sealed)),
        (CoverageState::Undecided, None),
    ];
    assert_eq!(shown, expected);
    assert_eq!((coverage.missing, coverage.undecided), (2, 1));
    let line = serde_json::to_value(&coverage.nodes[3]).expect("JSON");
    let keys: Vec<_> = line.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["municipality", "name", "node", "rejected", "state"]);
    assert_eq!(line["rejected"], "proof");

    let said = told(&scene, &["round", "status", &round]).await.expect("a status");
    for words in ["shared tables REJECTED: proof", "shared tables REJECTED: sealed"] {
        assert!(said.contains(words), "{said}");
    }
    let pages = Pages::open(&scene).await;
    let page = pages.get(&pages.sign_in("Kari Styrer"), &format!("/rounds/{round}"));
    for words in [
        "Delte tabeller avvist, telles ikke: Beviset holder ikke",
        "Delte tabeller avvist, telles ikke: Hjelperen kunne ikke åpne sin halvdel",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    pages.server.shutdown().await;
    // A rejected report comes in no later version either.
    let reports = scene.store.reports(scene.loaded.round.id()).await.expect("reports");
    let is_rejected = |state| matches!(state, ReportState::Rejected { .. });
    assert_eq!(reports.iter().filter(|report| is_rejected(report.state)).count(), 2);
    let said = told(&scene, &["round", "revise", &round]).await.expect("an answer");
    assert!(said.contains("Nothing new came"), "{said}");
}
