//! The certificate: what was promised to participants, and by whom the figures were signed.
//!
//! **Invariant:** a loss in a certificate is never smaller than what the study cost.

use super::combine::too_large;
use super::number::Fixed;
use super::{
    BatchCertificate, Certificate, PublishError, ReleaseCertificate, SharedCertificate,
    TableCertificate,
};
use fellestall_shared::limits::CELL_MAGNITUDE;
use fellestall_shared::privacy::{Loss, Rho};
use fellestall_shared::round::{AcceptedRelease, Round};
use fellestall_shared::secure::noise::Share;
use fellestall_shared::secure::{Layout, SharedTable};
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

/// What a round was signed with, and what was opened of it.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The signed study.
    pub study: Envelope,
    /// The signed round.
    pub round: Envelope,
    /// The signed task, if the study has shared tables.
    pub task: Option<Envelope>,
    /// The opened batches.
    pub batches: Vec<BatchCertificate>,
    /// The key that signed study, round and task.
    pub key: VerifyingKey,
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
    signed: Signed,
    releases: Vec<ReleaseCertificate>,
) -> Result<Certificate, PublishError> {
    let study = round.study();
    let document = study.document();
    let layout = study.layout();
    let tables = study.tables().iter().map(|table| self::table(table, layout));
    let tables = tables.collect::<Result<Vec<_>, PublishError>>()?;
    let first = study.tables().first().map(|table| table.statistic.id());
    let beyond = || first.map_or(PublishError::Envelope { what: "study" }, too_large);
    let rho = study.charge();
    let person = study.person_charge();
    let epsilon = |rho: Rho| Fixed::nearest(rho.epsilon_ceil(document.delta_exponent));
    // Without a table of a node's own, the proofs alone bound what a node can do.
    let of_shared = tables.iter().map(|table| match (&table.loss, &table.shared) {
        (None, Some(shared)) => shared.node_can_shift_a_cell_by,
        _ => CELL_MAGNITUDE,
    });
    let node_can_shift_a_cell_by = of_shared.max().unwrap_or(CELL_MAGNITUDE);
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
        node_can_shift_a_cell_by,
        coordinator_key: signed.key,
        study_document: signed.study,
        round_document: signed.round,
        task_document: signed.task,
        batches: signed.batches,
    })
}

fn table(table: &Table, layout: Option<&Layout>) -> Result<TableCertificate, PublishError> {
    let statistic = table.statistic;
    let bound = statistic.bound();
    let beyond = || too_large(statistic.id());
    let scale = |loss: Loss| Fixed::nearest(loss.nominal_scale(bound)).ok_or_else(beyond);
    let shared = table.shared.as_ref().zip(layout);
    Ok(TableCertificate {
        statistic: statistic.id().clone(),
        definition: statistic.definition(),
        definition_digest: statistic.digest(),
        loss: table.local,
        charge_micro: table.charge,
        l0: bound.cells(),
        linf: bound.per_cell(),
        l1: bound.l1(),
        l2_squared: bound.l2_squared(),
        scale: table.local.map(scale).transpose()?,
        shared: shared
            .map(|(shared, layout)| of_shares(shared, layout).ok_or_else(beyond))
            .transpose()?,
    })
}

/// What the shares of a table promise; `None` if the sum promises nothing.
fn of_shares(table: &SharedTable, layout: &Layout) -> Option<SharedCertificate> {
    let noise = &table.noise;
    let sharing = noise.sharing();
    let (minimum, honest) = (sharing.minimum(), sharing.honest());
    let scale = match noise.share() {
        Share::DiscreteGaussian { sigma } => sigma,
        Share::Polya { epsilon, l1, .. } => f64::from(l1) / epsilon.value(),
    };
    let factor = noise.factor();
    let half = honest.min(minimum / 2);
    Some(SharedCertificate {
        loss: noise.loss(),
        minimum,
        tolerated: sharing.tolerated(),
        honest,
        factor,
        share_scale: Fixed::nearest(scale)?,
        rho_micro: noise.guarantee(honest)?,
        one_more_rho_micro: noise.guarantee(honest.saturating_sub(1)),
        half_rho_micro: noise.guarantee(half),
        own_rho_micro: noise.guarantee(1),
        own_epsilon: noise.epsilon(1).and_then(Fixed::at_least),
        // Entries lie in 0 to twice the offset, and the offset is taken off.
        node_can_shift_a_cell_by: (layout.offset() / i64::from(factor)).saturating_add(1),
    })
}
