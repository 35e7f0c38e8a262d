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
