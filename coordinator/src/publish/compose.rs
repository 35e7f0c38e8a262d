//! Puts a publication together from sums: what both publishing and verifying do.
//!
//! **Invariant:** a publication is a function of its parts; the verifier calls the same function
//! and compares.

use super::combine::{CellNoise, Summed, too_large};
use super::{
    Certificate, Coverage, MunicipalFigures, MunicipalTable, Publication, PublishError,
    PublishedCategory, PublishedCell, PublishedDimension, PublishedTable, rates, survival,
};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::labels::Labels;
use fellestall_shared::round::{AcceptedRelease, Round};
use fellestall_shared::study::Table;

/// What a publication is composed of, beside its round.
#[derive(Debug)]
pub struct Parts {
    /// The version.
    pub version: u32,
    /// When it is published.
    pub published: Timestamp,
    /// The coverage.
    pub coverage: Coverage,
    /// The sums of each table, in the order of the study.
    pub sums: Vec<Vec<i64>>,
    /// Municipal figures, where the study publishes them.
    pub municipal: Vec<MunicipalFigures>,
    /// The certificate.
    pub certificate: Certificate,
}

/// Composes a publication.
///
/// # Errors
/// [`PublishError::Magnitude`] if a figure is beyond what can be published.
pub fn compose(round: &Round, parts: Parts) -> Result<Publication, PublishError> {
    let nodes = parts.certificate.releases.len();
    let (mut tables, mut ratios, mut curve) = (Vec::new(), Vec::new(), None);
    for (table, values) in round.study().tables().iter().zip(parts.sums) {
        let summed = Summed { table, values, noise: CellNoise::of(table, nodes) };
        tables.push(published(&summed)?);
        ratios.extend(rates::rates(&summed));
        curve = curve.or_else(|| survival::survival(&summed));
    }
    Ok(Publication {
        round: round.id().clone(),
        version: parts.version,
        published: parts.published,
        period: round.period(),
        title: round.study().document().title.clone(),
        about: about(),
        coverage: parts.coverage,
        tables,
        rates: ratios,
        survival: curve,
        municipal: parts.municipal,
        certificate: parts.certificate,
    })
}

fn about() -> Labels {
    Labels {
        nb: "Tallene er summer av tellinger med tilført støy, og kan være negative. Et 95\u{a0}%-intervall dekker den eksakte summen over kommunene som har rapportert, i minst 95 av 100 tilfeller. Intervallet gjelder støyen, ikke kommunene som mangler.".to_owned(),
        nn: "Tala er summar av teljingar med tilført støy, og kan vere negative. Eit 95\u{a0}%-intervall dekkjer den eksakte summen over kommunane som har rapportert, i minst 95 av 100 tilfelle. Intervallet gjeld støyen, ikkje kommunane som manglar.".to_owned(),
        en: "The figures are sums of counts with added noise, and may be negative. A 95\u{a0}% interval covers the exact sum over the municipalities that reported in at least 95 of 100 cases. The interval speaks of the noise, not of the municipalities that are missing.".to_owned(),
    }
}

fn published(summed: &Summed<'_>) -> Result<PublishedTable, PublishError> {
    let statistic = summed.table.statistic;
    let beyond = || too_large(statistic.id());
    let (variance, standard_deviation) = summed.noise.published().ok_or_else(beyond)?;
    let mut cells = Vec::with_capacity(summed.values.len());
    for (cell, value) in summed.values.iter().enumerate() {
        let categories = statistic.categories_of(cell).ok_or_else(beyond)?;
        cells.push(PublishedCell {
            codes: categories.iter().map(|category| category.code().to_owned()).collect(),
            value: *value,
            variance,
            standard_deviation,
            lower95: value.checked_sub(summed.noise.half_width).ok_or_else(beyond)?,
            upper95: value.checked_add(summed.noise.half_width).ok_or_else(beyond)?,
        });
    }
    Ok(PublishedTable {
        statistic: statistic.id().clone(),
        definition: statistic.definition(),
        title: statistic.title().clone(),
        description: statistic.description().clone(),
        dimensions: dimensions(summed.table),
        cells,
    })
}

fn dimensions(table: &Table) -> Vec<PublishedDimension> {
    let dimension = |domain: &fellestall_shared::statistic::Domain| PublishedDimension {
        variable: domain.variable(),
        label: domain.label().clone(),
        categories: domain
            .categories()
            .iter()
            .map(|category| PublishedCategory {
                code: category.code().to_owned(),
                label: category.label().clone(),
            })
            .collect(),
    };
    table.statistic.dimensions().iter().map(dimension).collect()
}

/// The tables of single municipalities, where the study publishes them.
///
/// # Errors
/// [`PublishError::Magnitude`] if a noise is beyond what can be published.
pub fn municipal(
    round: &Round,
    releases: &[&AcceptedRelease],
) -> Result<Vec<MunicipalFigures>, PublishError> {
    if !round.study().document().municipal_figures {
        return Ok(Vec::new());
    }
    let tables = round.study().tables();
    let noises: Vec<CellNoise> = tables.iter().map(|table| CellNoise::of(table, 1)).collect();
    let mut figures = Vec::with_capacity(releases.len());
    for release in releases {
        let document = release.document();
        let mut municipal = Vec::with_capacity(tables.len());
        for (released, noise) in document.tables.iter().zip(&noises) {
            let published = noise.published();
            let (variance, _) = published.ok_or_else(|| too_large(&released.statistic))?;
            municipal.push(MunicipalTable {
                statistic: released.statistic.clone(),
                variance,
                half_width95: noise.half_width,
                values: released.values.clone(),
            });
        }
        let municipality = document.municipality.clone();
        figures.push(MunicipalFigures { municipality, tables: municipal });
    }
    Ok(figures)
}
