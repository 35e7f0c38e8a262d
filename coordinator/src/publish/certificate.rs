//! The certificate: what was promised to participants, and by whom the figures were signed.
//!
//! **Invariant:** a loss in a certificate is never smaller than what the study cost.

use super::combine::{own_loss, too_large};
use super::number::Fixed;
use super::{Certificate, PublishError, ReleaseCertificate, TableCertificate};
use fellestall_shared::limits::CELL_MAGNITUDE;
use fellestall_shared::privacy::Rho;
use fellestall_shared::round::{AcceptedRelease, Round};
use fellestall_shared::signed::{Envelope, VerifyingKey};
use fellestall_shared::study::Table;

/// The unit of privacy, in words.
pub const UNIT: &str = "one participant's rows in one municipality, added or removed";

/// What a release contributes to the certificate.
#[must_use]
pub fn release(accepted: &AcceptedRelease, release_key: &VerifyingKey) -> ReleaseCertificate {
    let document = accepted.document();
    ReleaseCertificate {
        municipality: document.municipality.clone(),
        node: document.node.clone(),
        release_key: release_key.clone(),
        release_digest: accepted.verified().digest(),
        ledger_sequence: document.ledger_sequence,
        ledger_previous: document.ledger_previous,
        ledger_head: accepted.ledger_head(),
    }
}

/// The certificate of a round.
///
/// It states the loss of a participant in one municipality, and that of a person in as many as the study
/// allows for: also where a person is counted in one of them only, since a municipality cannot see what
/// another has recorded.
///
/// # Errors
/// [`PublishError::Magnitude`] if a loss or a scale is beyond what can be published.
pub fn certificate(
    round: &Round,
    study_document: &Envelope,
    round_document: &Envelope,
    coordinator_key: VerifyingKey,
    releases: Vec<ReleaseCertificate>,
) -> Result<Certificate, PublishError> {
    let study = round.study();
    let document = study.document();
    let tables = study.tables().iter().map(table).collect::<Result<Vec<_>, PublishError>>()?;
    let first = study.tables().first().map(|table| table.statistic.id());
    let beyond = || first.map_or(PublishError::Envelope { what: "study" }, too_large);
    let rho = study.charge();
    let person = study.person_charge();
    let epsilon = |rho: Rho| Fixed::nearest(rho.epsilon_ceil(document.delta_exponent));
    Ok(Certificate {
        study: document.study.clone(),
        study_version: document.version,
        study_digest: study.digest(),
        unit: UNIT.to_owned(),
        tables,
        rho_micro: rho,
        delta_exponent: document.delta_exponent,
        epsilon: epsilon(rho).ok_or_else(beyond)?,
        municipalities_per_person: document.municipalities_per_person,
        residence: document.residence,
        person_rho_micro: person,
        person_epsilon: epsilon(person).ok_or_else(beyond)?,
        releases,
        node_can_shift_a_cell_by: CELL_MAGNITUDE,
        coordinator_key,
        study_document: study_document.clone(),
        round_document: round_document.clone(),
    })
}

fn table(table: &Table) -> Result<TableCertificate, PublishError> {
    let statistic = table.statistic;
    let bound = statistic.bound();
    let scale = Fixed::nearest(own_loss(table).nominal_scale(bound));
    Ok(TableCertificate {
        statistic: statistic.id().clone(),
        definition: statistic.definition(),
        definition_digest: statistic.digest(),
        loss: own_loss(table),
        charge_micro: table.charge,
        l0: bound.cells(),
        linf: bound.per_cell(),
        l1: bound.l1(),
        l2_squared: bound.l2_squared(),
        scale: scale.ok_or_else(|| too_large(statistic.id()))?,
    })
}
