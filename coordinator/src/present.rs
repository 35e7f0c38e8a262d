//! From a publication to what readers are shown: presentable values, intervals, symbols, derived
//! tables, by a rule that sees released values alone.
//!
//! **Invariant:** a pure function of the publication and the policy; it adds nothing to what was
//! released and takes nothing from it: the unbiased value stands beside every presented one.

use crate::publish::noise_law::{Noise, NoiseLaw};
use crate::publish::{Fixed, Publication, PublishedDimension, PublishedTable, TableCertificate};
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Labels;
use fellestall_shared::municipality;
use fellestall_shared::privacy::Loss;
use fellestall_shared::statistic::Variable;

mod document;
mod policy;

pub use document::*;
pub use policy::{BadPolicy, Policy};

/// The level of every interval.
const LEVEL: f64 = 0.95;

/// What readers are shown of a publication; `publication` is the digest of its document.
#[must_use]
pub fn present(published: &Publication, publication: Digest, policy: &Policy) -> Presentation {
    let certificate = &published.certificate;
    let coverage = &published.coverage;
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let tables = published
        .tables
        .iter()
        .zip(&certificate.tables)
        .map(|(table, noise)| counts(published, table, noise))
        .collect();
    Presentation {
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
        provisional: coverage.missing > 0,
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
        decisions: Vec::new(),
    }
}

/// One table of counts, with a total where its categories add up to something.
fn counts(
    published: &Publication,
    table: &PublishedTable,
    noise: &TableCertificate,
) -> PresentedTable {
    let (asked, reported) = (published.coverage.asked, published.coverage.reported);
    let mut regions = vec![PresentedCategory { code: COUNTRY.to_owned(), label: country() }];
    let national: Vec<i64> = table.cells.iter().map(|cell| cell.value).collect();
    let mut values = vec![(national, reported, asked)];
    for figures in &published.municipal {
        let own = figures.tables.iter().find(|own| own.statistic == table.statistic);
        if let (Some(own), Some(known)) = (own, municipality::find(&figures.municipality)) {
            let name = known.name.to_owned();
            regions.push(PresentedCategory {
                code: figures.municipality.to_string(),
                label: Labels { nb: name.clone(), nn: name.clone(), en: name },
            });
            values.push((own.values.clone(), 1, 1));
        }
    }
    let dimensions: Vec<PresentedDimension> = table.dimensions.iter().map(dimension).collect();
    let mut cells = PresentedCells::default();
    for (values, nodes, asked) in &values {
        for leaves in leaves_of_each_cell(&dimensions) {
            let sum = leaves.iter().filter_map(|leaf| values.get(*leaf)).sum::<i64>();
            let law = NoiseLaw::of(&[(law(noise), nodes * leaves.len())]);
            let half = law.half_width(LEVEL);
            let fixed = |value: i64| Fixed::whole(value);
            cells.shown.push(fixed(sum.max(0)));
            cells.lower95.push(fixed(sum.saturating_sub(half).max(0)));
            cells.upper95.push(fixed(sum.saturating_add(half).max(0)));
            cells.deviation.push(Fixed::nearest(law.variance().sqrt()));
            cells.raw.push(fixed(sum));
            cells.municipalities.push(u32::try_from(*nodes).ok());
            cells.asked.push(u32::try_from(*asked).ok());
            cells.symbols.push(None);
        }
    }
    PresentedTable {
        id: format!("{}-{}", published.certificate.study, table.statistic),
        kind: TableKind::Counts,
        statistic: table.statistic.clone(),
        definition: table.definition,
        title: table.title.clone(),
        description: table.description.clone(),
        figure: participants(),
        regions,
        dimensions,
        noise: TableNoise {
            loss: noise.loss,
            charge_micro: noise.charge_micro,
            l0: noise.l0,
            l1: noise.l1,
            l2_squared: noise.l2_squared,
            scale: noise.scale,
        },
        cells,
    }
}

fn law(noise: &TableCertificate) -> Noise {
    let scale = noise.scale.value();
    match noise.loss {
        Loss::DiscreteGaussian { .. } => Noise::DiscreteGaussian { sigma: scale },
        Loss::DiscreteLaplace { .. } => Noise::DiscreteLaplace { b: scale },
    }
}

/// For each presented cell, row-major, the published cells that it is the sum of.
fn leaves_of_each_cell(dimensions: &[PresentedDimension]) -> Vec<Vec<usize>> {
    let mut cells: Vec<Vec<usize>> = vec![vec![0]];
    for dimension in dimensions {
        let size = dimension.categories.len() - usize::from(dimension.has_total);
        let mut next = Vec::with_capacity(cells.len() * dimension.categories.len());
        for cell in &cells {
            let leaf = |position: usize| cell.iter().map(move |leaf| leaf * size + position);
            if dimension.has_total {
                next.push((0..size).flat_map(leaf).collect());
            }
            next.extend((0..size).map(|position| leaf(position).collect::<Vec<usize>>()));
        }
        cells = next;
    }
    cells
}

fn dimension(published: &PublishedDimension) -> PresentedDimension {
    let has_total = adds_up(published.variable);
    let total = PresentedCategory {
        code: TOTAL.to_owned(),
        label: Labels { nb: "I alt".into(), nn: "I alt".into(), en: "Total".into() },
    };
    let own = published.categories.iter().map(|category| PresentedCategory {
        code: category.code.clone(),
        label: category.label.clone(),
    });
    let code = serde_json::to_value(published.variable).ok();
    PresentedDimension {
        code: code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default(),
        label: published.label.clone(),
        categories: has_total.then_some(total).into_iter().chain(own).collect(),
        has_total,
    }
}

/// Whether the categories of a variable part what is counted, so that their sum says something. The
/// variables that say *which* observation of a participant it is count everybody once for each.
fn adds_up(variable: Variable) -> bool {
    !matches!(
        variable,
        Variable::Milestone
            | Variable::Problem
            | Variable::SatisfactionItem
            | Variable::ContactCategory
    )
}

fn country() -> Labels {
    Labels { nb: "Hele landet".into(), nn: "Heile landet".into(), en: "The whole country".into() }
}

fn participants() -> Figure {
    Figure {
        code: "Deltakere".to_owned(),
        label: Labels {
            nb: "Deltakere".into(),
            nn: "Deltakarar".into(),
            en: "Participants".into(),
        },
        unit: Labels { nb: "personer".into(), nn: "personar".into(), en: "persons".into() },
        decimals: 0,
    }
}
