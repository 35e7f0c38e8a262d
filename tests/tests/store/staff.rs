//! Staff and their sessions.

use super::harness::*;
use fellestall_coordinator::store::Store;
use fellestall_coordinator::store::releases::Late;
use fellestall_coordinator::store::sessions::{IDLE, LONGEST};
use fellestall_coordinator::store::staff::{AddStaffError, Credential, Role, Staff};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::limits::INSTANCE_SKEW;
use std::time::Duration;

fn known(subject: &str) -> Credential {
    Credential::Subject { issuer: "https://login".to_owned(), subject: subject.to_owned() }
}

async fn add(store: &Store, name: &str, subject: &str) -> Result<Staff, AddStaffError> {
    store.add_staff(name, Role::Coordinator, &known(subject), "root", NOW).await?;
    Ok(store.staff_by_name(name).await.expect("read").expect("somebody"))
}

async fn is_in(store: &Store, token: &str, now: Timestamp) -> bool {
    store.session(digest(token), now).await.expect("read").is_some()
}

pub async fn a_name_and_a_subject_are_one_person(address: String) {
    let store = open(&address).await;
    add(&store, "Kari", "one").await.expect("added");
    for (name, subject) in [("kari", "two"), ("KARI", "two"), ("Ola", "one")] {
        let again = add(&store, name, subject).await;
        assert!(matches!(again, Err(AddStaffError::Taken)), "{name} {subject}");
    }
    let long = "x".repeat(65);
    for name in ["", " a", "a ", "a<b", "unknown", "Unknown", "a\nb", &long] {
        assert!(matches!(add(&store, name, "three").await, Err(AddStaffError::Name)), "{name:?}");
    }
    let by = |issuer: &'static str, subject: &'static str| store.staff_by_subject(issuer, subject);
    assert_eq!(by("https://login", "one").await.expect("read").expect("her").name, "Kari");
    assert_eq!(by("https://other", "one").await.expect("read"), None, "another provider's");
    assert_eq!(by("https://login", "ONE").await.expect("read"), None);
    let races = at_once(&address, 8, |store, number| async move {
        add(&store, "Per", &format!("per {number}")).await.is_ok()
    });
    assert_eq!(races.await.into_iter().filter(|added| *added).count(), 1);
    let lines = store.audit(100).await.expect("the log");
    let added: Vec<_> = lines.iter().filter(|line| line.event == "staff-added").collect();
    assert_eq!(added.len(), 2);
    assert_eq!((added[0].subject.as_str(), added[0].actor.as_str()), ("Kari, coordinator", "root"));
}

pub async fn a_session_ends_with_idleness_age_and_its_person(address: String) {
    let store = open(&address).await;
    let other = open(&address).await;
    let kari = add(&store, "Kari", "one").await.expect("added");
    store.begin_session(digest("token"), &kari, NOW).await.expect("begun");
    let second = Duration::from_secs(1);
    assert!(is_in(&other, "token", NOW).await, "every instance knows it");
    assert!(!is_in(&store, "another", NOW).await && !is_in(&store, "", NOW).await);
    assert!(is_in(&store, "token", NOW.plus(IDLE)).await);
    assert!(!is_in(&store, "token", NOW.plus(IDLE).plus(second)).await, "idle");
    assert!(is_in(&other, "token", NOW.minus(second)).await, "another instance's clock is behind");
    let set_back = NOW.minus(INSTANCE_SKEW).minus(second);
    assert!(!is_in(&store, "token", set_back).await, "the clock was set back");
    let mut now = NOW;
    while now < NOW.plus(LONGEST) {
        let session = store.session(digest("token"), now).await.expect("read").expect("in use");
        store.use_session(digest("token"), &session, now).await.expect("noted");
        now = now.plus(Duration::from_mins(20));
    }
    assert!(!is_in(&store, "token", NOW.plus(LONGEST).plus(second)).await, "old, though in use");

    store.leave_notice(digest("token"), "published").await.expect("left");
    let session = store.session(digest("token"), now.minus(Duration::from_mins(20))).await;
    assert_eq!(session.expect("read").expect("open").notice, "published");

    assert!(other.remove_staff("KARI", "root", NOW).await.expect("removed"));
    assert!(!is_in(&store, "token", NOW).await, "signed out at once");
    assert!(!store.remove_staff("Kari", "root", NOW).await.expect("an answer"));
    let again = add(&store, "Kari", "one").await.expect("added");
    assert_ne!(again.id, kari.id, "somebody of the same name is another");
    assert!(!is_in(&store, "token", NOW).await);
}

pub async fn sessions_are_few_and_can_be_ended(address: String) {
    let store = open(&address).await;
    let kari = add(&store, "Kari", "one").await.expect("added");
    for number in 0..40 {
        store.begin_session(digest(&number.to_string()), &kari, at(number)).await.expect("begun");
    }
    let mut open = 0;
    for number in 0..40 {
        open += usize::from(is_in(&store, &number.to_string(), at(40)).await);
    }
    assert_eq!(open, 16);
    assert!(is_in(&store, "39", at(40)).await && !is_in(&store, "0", at(40)).await);
    for _ in 0..2 {
        store.end_session(digest("39"), "Kari", at(41)).await.expect("ended");
        assert!(!is_in(&store, "39", at(41)).await);
    }
    let lines = store.audit(100).await.expect("the log");
    let count = |event: &str| lines.iter().filter(|line| line.event == event).count();
    assert_eq!((count("signed-in"), count("signed-out")), (40, 1));
    assert!(lines.iter().all(|line| line.actor == "Kari" || line.event == "staff-added"));
}

pub async fn the_administration_reads_what_stands(address: String) {
    let store = with_round(&address).await;
    let node = enrolled(&store, 4601).await;
    store.add_invitation(digest("open"), &municipality(1108), at(5), at(100)).await.expect("kept");
    let all = store.invitations(10).await.expect("read");
    let used: Vec<_> = all.iter().map(|line| line.used.is_some()).collect();
    assert_eq!(used, [false, true], "newest first");
    assert!(store.certificate_ends().await.expect("read").is_empty());
    store.add_release(&release(&node, "x"), Late::Taken).await.expect("stored");
    let contents = store.round_contents(&round_id()).await.expect("read");
    assert_eq!((contents.releases.len(), contents.published.len()), (1, 0));
    let length = store.audit_length().await.expect("read");
    let first = store.audit_page(0, 3).await.expect("read");
    let next = store.audit_page(3, 100).await.expect("read");
    assert_eq!(i64::try_from(first.len() + next.len()).expect("few"), length);
    assert!(first.iter().chain(&next).is_sorted_by(|one, two| one.sequence > two.sequence));
    let alarms = store.alarms(NOW).await.expect("read");
    assert_eq!((alarms.all, alarms.recent), (0, 0));
    store.add_release(&release(&node, "y"), Late::Taken).await.expect("a conflict");
    let alarms = store.alarms(NOW).await.expect("read");
    assert_eq!((alarms.all, alarms.recent), (1, 1));
    assert_eq!(store.alarms(at(1)).await.expect("read").recent, 0);
}
