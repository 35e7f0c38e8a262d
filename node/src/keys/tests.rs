use super::{KeyError, KeyStore};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn store() -> (tempfile::TempDir, KeyStore) {
    let place = tempfile::tempdir().expect("a directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o700)).expect("closed");
    let store = KeyStore::new(place.path());
    store.generate().expect("keys");
    (place, store)
}

#[test]
fn keys_are_made_once_and_stand() {
    let (_place, store) = store();
    let before = (store.count().expect("key"), store.release_public().expect("key"));
    store.generate().expect("again");
    let after = (store.count().expect("key"), store.release_public().expect("key"));
    assert_eq!(before.0.as_slice(), after.0.as_slice());
    assert_eq!(before.1, after.1);
    assert_ne!(before.0.as_slice(), [0; 32]);
    store.refuse_open().expect("nothing is open");
}

#[test]
fn a_damaged_key_is_refused_and_not_replaced() {
    let (place, store) = store();
    fs::write(place.path().join("count.key"), b"short").expect("damaged");
    assert!(matches!(store.count(), Err(KeyError::Damaged { .. })));
    store.generate().expect("leaves it");
    assert!(matches!(store.count(), Err(KeyError::Damaged { .. })));
}

#[test]
fn a_certificate_that_is_none_does_not_replace_one_that_works() {
    let (_place, store) = store();
    assert!(matches!(store.identity(), Err(KeyError::NotEnrolled)));
    let requested = store.fresh_request().expect("a request");
    assert!(requested.request().starts_with("-----BEGIN CERTIFICATE REQUEST"));
    assert!(store.install(&requested, "no certificate").is_err());
    assert!(matches!(store.identity(), Err(KeyError::NotEnrolled)));
    let pair = rcgen::KeyPair::from_pem(&requested.key).expect("a key");
    let certificate =
        rcgen::CertificateParams::default().self_signed(&pair).expect("a certificate");
    store.install(&requested, &certificate.pem()).expect("installed");
    let (chain, key) = store.identity().expect("an identity");
    assert_eq!(chain, vec![certificate.der().clone()]);
    assert_eq!(key.secret_der(), pair.serialize_der());
}

/// A snapshot's key is made once for each purpose, and is gone when it is destroyed: the next one is
/// another, under which no earlier snapshot can be tested.
#[test]
fn a_purpose_has_a_snapshot_key_of_its_own_until_it_is_destroyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = KeyStore::new(folder.path());
    let (one, other) = ("one".parse().expect("a purpose"), "other".parse().expect("a purpose"));
    assert!(!keys.has_snapshot(&one));
    let first = keys.snapshot(&one).expect("a key");
    assert_eq!(*keys.snapshot(&one).expect("a key"), *first);
    let kept = keys.snapshot(&other).expect("a key");
    assert_ne!(*kept, *first);
    let path = folder.path().join("snapshot-keys/one.key");
    let mode = fs::metadata(&path).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Another name for the same bytes on the disk: they are overwritten, and not only unlinked.
    let link = folder.path().join("link");
    fs::hard_link(&path, &link).expect("linked");
    keys.destroy_snapshot(&one).expect("destroyed");
    assert_eq!(fs::read(&link).expect("a file"), [0; 32]);
    assert!(!keys.has_snapshot(&one) && keys.has_snapshot(&other));
    keys.destroy_snapshot(&one).expect("nothing to destroy");
    assert_ne!(*keys.snapshot(&one).expect("a key"), *first);
    assert_eq!(*keys.snapshot(&other).expect("a key"), *kept);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("changed");
    assert!(keys.snapshot(&one).is_err(), "a key that others can read is not used");
}
