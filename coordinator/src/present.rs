//! From a publication to what readers are shown: presentable values, intervals, symbols, derived
//! tables, by a rule that sees released values alone.
//!
//! Counts are presented beside the unbiased released ones: the presentable value is not negative and
//! adds up with all others (see `estimate`), the interval is that of the released value's noise,
//! cut off at 0, and widened where the presentable value lies outside.
//!
//! **Invariant:** a pure function of the publication and the policy; it adds nothing to what was
//! released and takes nothing from it: the unbiased value stands beside every presented one.

use crate::publish::table_law::TableLaw;
use crate::publish::{Fixed, MunicipalFigures, Publication, PublishedTable, TableCertificate};
use counts::Source;
use estimate::{Measured, Released};
use fellestall_shared::digest::Digest;
use fellestall_shared::signed::SignatureError;
use fellestall_shared::wire::v1::{LateReleases, StudyDocument};
use structure::Structure;

mod counts;
mod derived;
mod document;
mod estimate;
mod figures;
mod hierarchy;
mod policy;
mod regions;
mod rounding;
mod solver;
mod structure;
#[cfg(test)]
mod tests;

pub use document::*;
pub use policy::{BadPolicy, Policy};

/// Why a publication cannot be presented.
#[derive(Debug, thiserror::Error)]
pub enum PresentError {
    /// The study in the certificate is not signed by the key there.
    #[error(
        "the signed study in the publication's certificate does not hold; it was not made by this program"
    )]
    Study(#[source] SignatureError),
}

/// What readers are shown of a publication; `publication` is the digest of its document.
///
/// # Errors
/// [`PresentError`]: the publication's certificate is not what a publication of this program has.
pub fn present(
    published: &Publication,
    publication: Digest,
    policy: &Policy,
) -> Result<Presentation, PresentError> {
    let certificate = &published.certificate;
    let coverage = &published.coverage;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let provisional = coverage.missing > 0 && takes_late_releases(published)?;
    let structure = Structure::of(published);
    let released = released(published);
    let source = Source {
        published,
        policy,
        estimate: estimate::estimate(&released, &structure),
        released,
        regions: regions::regions(published),
        provisional,
    };
    let (mut tables, mut decisions) = (Vec::new(), Vec::new());
    for place in 0..published.tables.len() {
        let Some((table, decided)) = counts::counts(&source, place) else { continue };
        decisions.extend(decided);
        tables.push(table);
        for (table, decided) in derived::derived(&source, &structure, place) {
            decisions.extend(decided);
            tables.push(table);
        }
    }
    Ok(Presentation {
        format: FORMAT.to_owned(),
        round: published.round.clone(),
        version: published.version,
        publication,
        period: published.period,
        published: published.published,
        study: certificate.study.clone(),
        study_version: certificate.study_version,
        study_title: published.title.clone(),
        about: published.about.clone(),
        provisional,
        asked: count(coverage.asked),
        reported: count(coverage.reported),
        privacy: Privacy {
            unit: certificate.unit.clone(),
            rho_micro: certificate.rho_micro,
            delta_exponent: certificate.delta_exponent,
            epsilon: certificate.epsilon,
            municipalities_per_person: certificate.municipalities_per_person,
            person_epsilon: certificate.person_epsilon,
        },
        policy: policy.clone(),
        tables,
        decisions,
    })
}

fn takes_late_releases(published: &Publication) -> Result<bool, PresentError> {
    let certificate = &published.certificate;
    let envelope = certificate.study_document.clone();
    let study = envelope
        .verify::<StudyDocument>(&certificate.coordinator_key)
        .map_err(PresentError::Study)?;
    Ok(study.late_releases == LateReleases::NewVersion)
}

/// What was released, as numbers; where a table has both noises, its municipal figures are those that add
/// up to the national ones.
fn released(published: &Publication) -> Released {
    let reported = published.coverage.reported;
    let measured = |(table, noise): (&PublishedTable, &TableCertificate)| {
        let law = TableLaw::published(noise, table.shared.as_ref());
        let national: Vec<i64> = table.cells.iter().map(|cell| cell.value).collect();
        let own = |figures: &MunicipalFigures| {
            let own = figures.tables.iter().find(|own| own.statistic == table.statistic);
            own.map(|own| own.values.clone())
        };
        let municipal = published.municipal.iter().map(own).collect::<Option<Vec<_>>>();
        let mut municipal = municipal.unwrap_or_default();
        if let Some(shared) = &table.shared {
            municipal = hierarchy::consistent(&municipal, shared).unwrap_or_default();
        }
        Measured {
            variance: law.map_or(0.0, |law| law.variance(1)),
            part: law.map_or(0.0, |law| law.part(reported)),
            national,
            municipal,
        }
    };
    let tables = published.tables.iter().zip(&published.certificate.tables);
    Released {
        tables: tables.map(measured).collect(),
        reported,
        municipalities: published.municipal.len(),
    }
}

/// The nearest figure to a number, its decimals as shown.
fn decimal(value: f64, decimals: u8, round: fn(f64) -> f64) -> Option<Fixed> {
    let unit = 10_f64.powi(i32::from(decimals));
    // What is off by less than a millionth is a decimal already.
    let scaled = value * unit;
    let near = scaled.round();
    let rounded = if (scaled - near).abs() < 1e-6 { near } else { round(scaled) };
    Fixed::nearest(rounded / unit)
}
