use super::{SealError, SealingSecret, open, open_with, seal};
use crate::digest::Digest;
use crate::secure::{Bytes, SealingKey};
use data_encoding::HEXLOWER;

static_assertions::assert_not_impl_any!(SealingSecret: std::fmt::Debug, std::fmt::Display, Clone);

fn hex(text: &str) -> Vec<u8> {
    HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// RFC 9180, A.2.1: base mode, `DHKEM(X25519, HKDF-SHA256)`, HKDF-SHA256, `ChaCha20Poly1305`; first
/// encryption.
#[test]
fn the_published_example_opens() {
    let secret = SealingSecret::from_bytes(&hex(
        "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
    ))
    .unwrap();
    let public = hex("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
    assert_eq!(secret.public().as_bytes(), public);
    let sealed = [
        hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"),
        hex(concat!(
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db",
            "21993c62ce81883d2dd1b51a28"
        )),
    ]
    .concat();
    let info = hex("4f6465206f6e2061204772656369616e2055726e");
    let opened = open_with(&secret, &info, &hex("436f756e742d30"), &sealed);
    assert_eq!(opened.unwrap(), b"Beauty is truth, truth beauty");
}

#[test]
fn a_share_opens_for_its_report_and_nowhere_else() {
    let (secret, bytes) = SealingSecret::generate();
    let (task, other) = (Digest::of("task", b"one"), Digest::of("task", b"two"));
    let (id, share) = ([7; 16], [9; 64]);
    let sealed = seal(&secret.public(), task, &id, b"public", &share).unwrap().0;
    assert_eq!(sealed.len(), 32 + share.len() + 16);
    let again = SealingSecret::from_bytes(&bytes).unwrap();
    assert_eq!(open(&again, task, &id, b"public", &sealed).unwrap(), share);

    let stranger = SealingSecret::generate().0;
    assert_eq!(open(&stranger, task, &id, b"public", &sealed), Err(SealError::Sealed));
    assert_eq!(open(&secret, other, &id, b"public", &sealed), Err(SealError::Sealed));
    assert_eq!(open(&secret, task, &[8; 16], b"public", &sealed), Err(SealError::Sealed));
    assert_eq!(open(&secret, task, &id, b"Public", &sealed), Err(SealError::Sealed));
    for length in 0..sealed.len() {
        assert_eq!(open(&secret, task, &id, b"public", &sealed[..length]), Err(SealError::Sealed));
    }
    for place in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[place] ^= 1;
        assert_eq!(open(&secret, task, &id, b"public", &altered), Err(SealError::Sealed));
    }
}

#[test]
fn two_sealings_of_one_share_have_nothing_in_common() {
    let key = SealingSecret::generate().0.public();
    let task = Digest::of("task", b"one");
    let sealed = || seal(&key, task, &[7; 16], b"public", &[0; 64]).unwrap().0;
    let (one, two) = (sealed(), sealed());
    let same = one.iter().zip(&two).filter(|(a, b)| a == b).count();
    // 112 bytes agree in 0.44 places on average, in 12 with less than one in 10^12.
    assert!(same < 12, "{same} of {} bytes agree", one.len());
}

#[test]
fn what_is_no_key_is_refused() {
    assert_eq!(SealingSecret::from_bytes(&[1; 31]).err(), Some(SealError::Key));
    assert!(SealingKey::try_from(Bytes(vec![1; 33])).is_err());
    // A point of small order shares no secret with anyone.
    let nothing = SealingKey::try_from(Bytes(vec![0; 32])).unwrap();
    let task = Digest::of("task", b"one");
    assert_eq!(seal(&nothing, task, &[0; 16], b"", b"share").err(), Some(SealError::Key));
}
