use super::{
    Contact, Enrolment, FILE, FirstApproval, Membership, Role, SCHEMA, State, StateError,
    StoredDecision, StoredUser,
};
use crate::audit::Actor;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::{Answer, Decision, RefusalReason};
use std::os::unix::fs::PermissionsExt;

fn place() -> tempfile::TempDir {
    tempfile::tempdir().expect("a directory")
}

#[test]
fn what_is_remembered_stands_after_reopening() {
    let place = place();
    let (key, _) = SigningKey::generate().expect("a key");
    let membership = Membership {
        node: "4601-1".parse().expect("an id"),
        municipality: "4601".parse().expect("a number"),
        url: "https://localhost:1".to_owned(),
        authority: String::new(),
        coordinator_key: key.verifying_key(),
        certificate_expires: Timestamp::from_unix(7),
    };
    let contact = Contact {
        last_answer: Some(Timestamp::from_unix(5)),
        failure: Some("no way out".to_owned()),
    };
    let mut state = State::open(place.path()).expect("opened");
    assert!(state.enrolment().expect("read").is_none());
    state.set_enrolment(&Enrolment::Approved(membership.clone())).expect("written");
    state.set_contact(&contact).expect("written");
    drop(state);
    let state = State::open(place.path()).expect("opened again");
    assert_eq!(state.membership().expect("read"), Some(membership));
    assert_eq!(state.contact().expect("read"), contact);
    let mode = std::fs::metadata(place.path().join(FILE)).expect("there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_later_decision_replaces_an_earlier_one_and_is_unsent() {
    let place = place();
    let (key, _) = SigningKey::generate().expect("a key");
    let study = Digest::of("test", b"study");
    let decision = |answer| StoredDecision {
        study,
        answer,
        envelope: key
            .sign(&Decision { node: "4601-1".parse().expect("an id"), study, answer })
            .expect("signed"),
        decided_at: Timestamp::from_unix(1),
        sent: false,
    };
    let mut state = State::open(place.path()).expect("opened");
    let yes = decision(Answer::Approved);
    state.set_decision(&yes).expect("written");
    state.set_decision_sent(&yes.envelope, study).expect("written");
    assert!(state.decisions().expect("read")[0].sent);
    let no = decision(Answer::Refused { reason: RefusalReason::Capacity });
    state.set_decision(&no).expect("written");
    // An answer that comes late is about the decision that no longer stands.
    state.set_decision_sent(&yes.envelope, study).expect("written");
    let stored = state.decisions().expect("read");
    assert_eq!(stored.len(), 1);
    assert_eq!((stored[0].answer, stored[0].sent), (no.answer, false));
    assert_eq!(stored[0].envelope, no.envelope);
}

#[test]
fn a_newer_or_damaged_state_is_refused() {
    let place = place();
    drop(State::open(place.path()).expect("opened"));
    let path = place.path().join(FILE);
    let connection = rusqlite::Connection::open(&path).expect("opened");
    connection.pragma_update(None, "user_version", SCHEMA + 1).expect("changed");
    drop(connection);
    assert!(matches!(State::open(place.path()), Err(StateError::Newer { .. })));
    std::fs::write(&path, [7_u8; 4096]).expect("damaged");
    let refused = State::open(place.path()).err().expect("refused").to_string();
    assert!(refused.contains("damaged"), "{refused}");
}

#[test]
fn a_state_of_version_1_gets_users_and_first_approvals_and_keeps_what_it_has() {
    let place = place();
    let path = place.path().join(FILE);
    let contact = Contact { last_answer: Some(Timestamp::from_unix(5)), failure: None };
    State::open(place.path()).expect("opened").set_contact(&contact).expect("written");
    let connection = rusqlite::Connection::open(&path).expect("opened");
    connection
        .execute_batch(
            "DROP TABLE first_approval; DROP TABLE console_user; PRAGMA user_version = 1;",
        )
        .expect("as version 1 was");
    drop(connection);
    let mut state = State::open(place.path()).expect("opened");
    assert_eq!(state.contact().expect("read"), contact);
    let user = StoredUser {
        name: "Kari Nordmann".to_owned(),
        role: Role::Officer,
        salt: vec![1; 32],
        proof: vec![2; 32],
        added_at: Timestamp::from_unix(9),
    };
    assert!(state.add_user(&user).expect("written"));
    assert!(!state.add_user(&user).expect("one name has one user"));
    assert_eq!(state.user("kari NORDMANN").expect("read"), Some(user));
    assert!(state.remove_user("Kari Nordmann").expect("removed"));
    assert!(state.users().expect("read").is_empty());
    let first = |name: &str| FirstApproval {
        study: Digest::of("test", b"study"),
        by: Actor::named(name),
        at: Timestamp::from_unix(1),
    };
    state.set_first_approval(&first("kari")).expect("written");
    state.set_first_approval(&first("ola")).expect("the first stands");
    assert_eq!(state.first_approvals().expect("read"), [first("kari")]);
    state.clear_first_approval(first("kari").study).expect("decided");
    assert!(state.first_approvals().expect("read").is_empty());
}
