use super::{BadCard, HelperCard, LeaderCard, Roster};
use crate::authority::Authority;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::secure::Bytes;
use fellestall_shared::secure::seal::SealingSecret;
use fellestall_shared::signed::SigningKey;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

fn authority() -> Bytes {
    let made = Authority::create("test", Timestamp::from_unix(1_780_000_000)).unwrap();
    Bytes(CertificateDer::from_pem_slice(made.certificate.as_bytes()).unwrap().to_vec())
}

fn card() -> HelperCard {
    HelperCard {
        name: "The other house".to_owned(),
        url: "https://helper.example.no:8444".to_owned(),
        signing_key: SigningKey::generate().unwrap().0.verifying_key(),
        sealing_key: SealingSecret::generate().0.public(),
        authority: authority(),
    }
}

fn json(card: &HelperCard) -> Vec<u8> {
    serde_json::to_vec(card).unwrap()
}

#[test]
fn a_card_is_read_back_and_its_fingerprint_covers_every_field() {
    let card = card();
    assert_eq!(HelperCard::from_json(&json(&card)).unwrap(), card);
    let others = [
        HelperCard { name: "Another house".to_owned(), ..card.clone() },
        HelperCard { url: "https://helper.example.no:8445".to_owned(), ..card.clone() },
        HelperCard { signing_key: self::card().signing_key, ..card.clone() },
        HelperCard { sealing_key: self::card().sealing_key, ..card.clone() },
        HelperCard { authority: authority(), ..card.clone() },
    ];
    for other in others {
        assert_ne!(other.fingerprint(), card.fingerprint());
    }
}

#[test]
fn what_is_no_card_is_refused() {
    let card = card();
    let refused = |card: HelperCard| HelperCard::from_json(&json(&card)).unwrap_err();
    let url = |url: &str| HelperCard { url: url.to_owned(), ..card.clone() };
    assert_eq!(refused(url("http://helper.example.no")), BadCard::Url);
    assert_eq!(refused(url("https://helper.example.no/path")), BadCard::Url);
    let named = |name: &str| HelperCard { name: name.to_owned(), ..card.clone() };
    for name in ["", "  ", "two\nlines", &"x".repeat(501)] {
        assert_eq!(refused(named(name)), BadCard::Name);
    }
    assert_eq!(
        refused(HelperCard { authority: Bytes(vec![1; 9]), ..card.clone() }),
        BadCard::Authority
    );
    let unknown = String::from_utf8(json(&card)).unwrap().replacen('{', "{\"more\":1,", 1);
    assert!(matches!(HelperCard::from_json(unknown.as_bytes()), Err(BadCard::Form { .. })));
    assert!(LeaderCard::from_json(&json(&card)).is_err());
    assert!(Roster::from_json(b"{}").is_err());
}

#[test]
fn a_study_can_name_the_helper_by_its_lines() {
    #[derive(serde::Deserialize)]
    struct Study {
        aggregation: Part,
    }
    #[derive(serde::Deserialize)]
    struct Part {
        helper: fellestall_shared::wire::v1::HelperIdentity,
    }
    let card = HelperCard { name: "The \"other\" house".to_owned(), ..card() };
    let study: Study = toml::from_str(&card.study_lines()).unwrap();
    assert_eq!(study.aggregation.helper, card.identity());
}
