//! A publication that was touched is refused, whatever was touched.

use super::super::tests::{Federation, catalogue, document, gaussian};
use super::super::{Published, file, publish};
use super::{NotChecked, PublicationFile, VerifyError, verify};
use fellestall_shared::signed::SigningKey;
use fellestall_shared::wire::v1::Rejection;

fn published() -> (Federation, Published) {
    let tables = [("S2", gaussian(50_000)), ("S28", gaussian(2_000_000))];
    let federation = Federation::new(&document(&tables), 3);
    let value = |node: usize, _: usize, cell: usize| i64::try_from(20 + node + cell).unwrap();
    let published = publish(federation.input(federation.everyone(value))).unwrap();
    (federation, published)
}

#[test]
fn any_byte_of_a_publication_that_is_changed_is_found() {
    let federation = Federation::new(&document(&[("S5", gaussian(50_000))]), 2);
    let published = publish(federation.input(federation.everyone(|_, _, _| 3))).unwrap();
    assert!(federation.verify(&published.bundle).is_ok());
    let mut bytes = published.bundle;
    for at in 0..bytes.len() {
        // Among others, this turns digits into digits and letters into letters.
        bytes[at] ^= 1;
        assert!(federation.verify(&bytes).is_err(), "byte {at} was changed unnoticed");
        bytes[at] ^= 1;
    }
    assert!(federation.verify(&bytes[..bytes.len() - 1]).is_err());
    bytes.push(b'\n');
    assert!(federation.verify(&bytes).is_err());
}

/// What a coordinator that wants to deceive could do: change, then seal again.
fn check_forged(change: impl Fn(&mut PublicationFile), expected: &str) {
    let (federation, published) = published();
    let mut forged: PublicationFile = serde_json::from_slice(&published.bundle).unwrap();
    change(&mut forged);
    let sealed = file::seal(forged.publication, forged.releases, true, &federation.key).unwrap();
    match federation.verify(&sealed.bundle) {
        Ok(_) => panic!("a forged publication was verified, expected: {expected}"),
        Err(error) => assert!(error.to_string().contains(expected), "{error}"),
    }
}

#[test]
fn a_figure_that_does_not_follow_from_the_releases_is_found_even_under_a_valid_seal() {
    check_forged(|file| file.publication.tables[0].cells[3].value += 1, "a figure");
    check_forged(|file| file.publication.tables[0].cells[3].upper95 -= 1, "a figure");
    check_forged(|file| file.publication.rates[0].numerator += 1, "a rate");
    check_forged(|file| file.publication.rates[0].figure = None, "a rate");
    check_forged(|file| file.publication.survival = None, "the survival curve");
    check_forged(|file| file.publication.certificate.tables[0].l0 = 9, "the certificate");
    check_forged(
        |file| file.publication.certificate.municipalities_per_person = 1,
        "the certificate",
    );
    check_forged(|file| file.publication.coverage.missing = 0xf, "the coverage");
    // Nothing is rejected in a study without shared tables, nor anything that is counted.
    check_forged(
        |file| file.publication.coverage.nodes[0].rejected = Some(Rejection::Proof),
        "the coverage",
    );
    check_forged(|file| file.publication.coverage.nodes.reverse(), "the order of the nodes");
    check_forged(|file| file.publication.certificate.releases.swap(0, 1), "the list of releases");
    check_forged(
        |file| file.publication.certificate.releases[0].ledger_sequence = 2,
        "the certificate of a release",
    );
    check_forged(
        |file| {
            file.publication.certificate.releases[0].ledger_head =
                file.publication.certificate.study_digest;
        },
        "the head of a ledger",
    );
    check_forged(|file| file.releases.swap(0, 1), "the signature of the release");
    check_forged(
        |file| {
            file.releases.pop();
        },
        "the number of releases",
    );
    check_forged(
        |file| {
            file.publication.certificate.study_document =
                file.publication.certificate.round_document.clone();
        },
        "the signature of the study",
    );
}

#[test]
fn intervals_and_rates_of_a_public_document_are_recomputed_from_its_sums() {
    let (federation, published) = published();
    let report = federation.verify(&published.document).unwrap();
    assert!(report.not_checked.contains(&NotChecked::Sums) && report.releases == 0);
    let mut forged: PublicationFile = serde_json::from_slice(&published.document).unwrap();
    forged.publication.tables[0].cells[0].lower95 += 2;
    let sealed = file::seal(forged.publication, Vec::new(), false, &federation.key).unwrap();
    let refused = federation.verify(&sealed.document);
    assert!(matches!(refused, Err(VerifyError::Differs { what: "a figure" })));
}

#[test]
fn the_key_has_to_be_the_trusted_one_and_without_one_the_report_says_so() {
    let (_, published) = published();
    let (other, _) = SigningKey::generate().unwrap();
    let refused = verify(&published.bundle, Some(&other.verifying_key()), catalogue());
    assert!(matches!(refused, Err(VerifyError::OtherKey { .. })));
    let report = verify(&published.bundle, None, catalogue()).unwrap();
    assert!(!report.is_complete());
    assert!(report.not_checked.contains(&NotChecked::WhoseKey));
    assert!(verify(b"{}", None, catalogue()).is_err());
}
