use super::{Authority, RequestKey, serial_text};
use fellestall_shared::clock::Timestamp;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    PKCS_ECDSA_P256_SHA256,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, X509Certificate};

const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

fn authority() -> Authority {
    let files = Authority::create("Fellestall test", NOW).expect("an authority");
    Authority::from_pem(&files.certificate, &files.key).expect("its files")
}

/// A request that asks for everything that it must not get.
fn greedy_request(key: &KeyPair) -> String {
    let mut params = CertificateParams::new(vec!["tall.example.no".to_owned()]).expect("a name");
    params.distinguished_name.push(DnType::CommonName, "0301-1");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::Any];
    params.serialize_request(key).expect("a request").pem().expect("PEM")
}

#[test]
fn only_the_public_key_of_a_request_is_used() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let request = RequestKey::from_request(&greedy_request(&key)).expect("a request");
    let node = "4601-1".parse().expect("an id");
    let issued = authority().issue_client(&node, &request, NOW).expect("a certificate");
    let der = CertificateDer::from_pem_slice(issued.pem.as_bytes()).expect("PEM");
    let (_, certificate) = X509Certificate::from_der(&der).expect("DER");
    assert_eq!(certificate.subject().to_string(), "CN=4601-1");
    assert!(!certificate.is_ca());
    assert!(certificate.subject_alternative_name().expect("readable").is_none());
    let usage = certificate.extended_key_usage().expect("readable").expect("there").value;
    assert!(usage.client_auth && !usage.server_auth && !usage.any);
    assert_eq!(certificate.validity().not_before.timestamp(), NOW.unix() - 3600);
    assert_eq!(certificate.validity().not_after.timestamp(), issued.expires.unix());
    assert_eq!(certificate.public_key().raw, request.as_bytes());
    assert_eq!(serial_text(certificate.raw_serial()), issued.serial);
}

#[test]
fn every_certificate_has_its_own_serial_number() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let request = RequestKey::from_request(&greedy_request(&key)).expect("a request");
    let authority = authority();
    let node = "4601-1".parse().expect("an id");
    let serials: std::collections::BTreeSet<_> = (0..100)
        .map(|_| authority.issue_client(&node, &request, NOW).expect("a certificate").serial)
        .collect();
    assert_eq!(serials.len(), 100);
}

#[test]
fn a_request_with_a_flipped_byte_is_refused() {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key");
    let pem = greedy_request(&key);
    let body = pem.lines().nth(1).expect("a body").to_owned();
    for at in 4..body.len() {
        let mut bytes = body.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let flipped = pem.replace(&body, &String::from_utf8(bytes).expect("text"));
        assert!(RequestKey::from_request(&flipped).is_err(), "{at}");
    }
}
