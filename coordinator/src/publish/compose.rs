//! Puts a publication together from sums: what both publishing and verifying do.
//!
//! **Invariant:** a publication is a function of its parts; the verifier calls the same function
//! and compares.

use super::about::about;
use super::combine::{self, CellNoise, Summed, too_large};
use super::shared::{self, Opened};
use super::table_law::TableLaw;
use super::{
    Certificate, Combined, Coverage, MunicipalFigures, MunicipalTable, OpenedError, Publication,
    PublishError, PublishedCategory, PublishedCell, PublishedDimension, PublishedShared,
    PublishedTable, rates, survival,
};
use fellestall_shared::clock::Timestamp;
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
    /// The sums of the nodes' own noisy tables, in the order of the study; empty for a table that no node
    /// releases.
    pub sums: Vec<Vec<i64>>,
    /// The opened sums of the shared tables, if the study has such.
    pub opened: Option<Opened>,
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
    let nodes = u32::try_from(parts.certificate.releases.len()).unwrap_or(u32::MAX);
    let (mut tables, mut ratios, mut curve) = (Vec::new(), Vec::new(), None);
    for (table, local) in round.study().tables().iter().zip(parts.sums) {
        let (summed, shared) = figures(table, local, parts.opened.as_ref(), nodes)?;
        tables.push(published(&summed, shared)?);
        ratios.extend(rates::rates(&summed));
        curve = curve.or_else(|| survival::survival(&summed));
    }
    Ok(Publication {
        round: round.id().clone(),
        version: parts.version,
        published: parts.published,
        period: round.period(),
        title: round.study().document().title.clone(),
        about: about(round.study()),
        coverage: parts.coverage,
        tables,
        rates: ratios,
        survival: curve,
        municipal: parts.municipal,
        certificate: parts.certificate,
    })
}

/// The figures of a table with their noise, and what of them was opened.
fn figures<'t>(
    table: &'t Table,
    local: Vec<i64>,
    opened: Option<&Opened>,
    nodes: u32,
) -> Result<(Summed<'t>, Option<PublishedShared>), PublishError> {
    let beyond = || too_large(table.statistic.id());
    let law = TableLaw::of(table, nodes).ok_or_else(beyond)?;
    let noise = law.of_sum(usize::try_from(nodes).unwrap_or(usize::MAX), 1);
    let Some(shared) = &table.shared else {
        return Ok((Summed { table, values: local, noise }, None));
    };
    let all = opened.ok_or(OpenedError::Missing)?;
    let own = all.table(shared).ok_or_else(beyond)?;
    let factor = shared.noise.factor();
    let (values, combined) = if let TableLaw::Both { weight, .. } = law {
        let pairs = own.iter().zip(&local);
        let values: Option<Vec<i64>> =
            pairs.map(|(sum, local)| shared::weighed(*sum, factor, *local, weight)).collect();
        (values, Some(Combined { local, weight }))
    } else {
        (own.iter().map(|sum| shared::nearest(*sum, factor)).collect(), None)
    };
    let values = values.ok_or_else(beyond)?;
    let published =
        PublishedShared { factor, reports: all.reports, opened: own.to_vec(), combined };
    Ok((Summed { table, values, noise }, Some(published)))
}

fn published(
    summed: &Summed<'_>,
    shared: Option<PublishedShared>,
) -> Result<PublishedTable, PublishError> {
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
        shared,
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
    let tables = round.study().tables().iter();
    let local =
        tables.filter_map(|table| Some(TableLaw::Local(combine::noise(table.local?, table))));
    let noises: Vec<CellNoise> = local.map(|law| law.of_sum(1, 1)).collect();
    let mut figures = Vec::with_capacity(releases.len());
    for release in releases {
        let document = release.document();
        let mut municipal = Vec::with_capacity(noises.len());
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
