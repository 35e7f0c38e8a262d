//! What a table says about the privacy behind it: `extension.dp`.
//!
//! **Invariant:** every figure here is one of the publication's, or the sum of such charges; an
//! epsilon is rounded up.

use super::About;
use crate::databank::{Extract, Slice};
use crate::present::SharedNoise;
use crate::publish::{Fixed, Mode};
use fellestall_shared::privacy::{Loss, Rho};
use serde::Serialize;

/// The privacy of a table.
#[derive(Serialize)]
pub(super) struct Dp {
    privacy_unit: String,
    neighbouring_relation: &'static str,
    delta: f64,
    /// Over all periods of the table.
    cumulative: Total,
    /// One for each period that is shown.
    releases: Vec<Release>,
}

#[derive(Serialize)]
struct Total {
    periods: usize,
    rho: f64,
    epsilon: f64,
    delta: f64,
}

#[derive(Serialize)]
struct Release {
    #[serde(rename = "release")]
    id: String,
    round: String,
    version: u32,
    period: String,
    publication: String,
    certificate: String,
    provisional: bool,
    /// Whose noise: of each node's own, shared by the nodes, or both.
    mode: Mode,
    /// The law and scale of the noise at each node; of the sum, if the noise is shared alone.
    mechanism: &'static str,
    scale: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared: Option<Shared>,
    sensitivity: Sensitivity,
    rho: f64,
    epsilon: f64,
    delta: f64,
    /// All tables of the round together.
    round_rho: f64,
    round_epsilon: f64,
    contributing_nodes: u32,
    asked_nodes: u32,
}

/// Noise that nodes share, which nobody takes off the figures of one of them.
#[derive(Serialize)]
struct Shared {
    mechanism: &'static str,
    /// Of the sum, in units of the count.
    scale: f64,
    standard_deviation: f64,
    minimum_reports: u32,
    tolerated_reports: u32,
    /// Of the opened sum beside the nodes' own tables, in a table of both.
    #[serde(skip_serializing_if = "Option::is_none")]
    weight: Option<f64>,
}

#[derive(Serialize)]
struct Sensitivity {
    l0: u32,
    l1: u32,
    l2_squared: u64,
}

pub(super) fn dp(extract: &Extract, about: &About<'_>) -> Dp {
    let cube = &extract.cube;
    let newest = cube.slices.last().map(|slice| &slice.presentation.privacy);
    let delta = newest.map(|privacy| privacy.delta_exponent);
    let charges = cube.slices.iter().filter_map(|slice| Some(slice.table()?.noise.charge_micro));
    let sum = charges
        .fold(Rho::ZERO, |sum, charge| sum.plus(charge).unwrap_or(Rho::from_micro(u64::MAX)));
    Dp {
        privacy_unit: newest.map(|privacy| privacy.unit.clone()).unwrap_or_default(),
        neighbouring_relation: "add or remove all rows of one participant in one municipality",
        delta: delta.map_or(0.0, fellestall_shared::privacy::Delta::value),
        cumulative: Total {
            periods: cube.slices.len(),
            rho: sum.value(),
            epsilon: delta.map_or(0.0, |delta| sum.epsilon_ceil(delta)),
            delta: delta.map_or(0.0, fellestall_shared::privacy::Delta::value),
        },
        releases: shown(extract).filter_map(|slice| release(slice, about)).collect(),
    }
}

/// The periods that are shown, ascending.
fn shown(extract: &Extract) -> impl Iterator<Item = &Slice> {
    let time = extract.cube.dimensions.len().saturating_sub(1);
    let chosen = extract.shown.iter().find(|(place, _)| *place == time);
    let places = chosen.map(|(_, values)| values.as_slice()).unwrap_or_default();
    places.iter().filter_map(|place| extract.cube.slices.get(*place))
}

fn release(slice: &Slice, about: &About<'_>) -> Option<Release> {
    let (shown, noise) = (&slice.presentation, &slice.table()?.noise);
    let id = format!("{}.v{}", shown.round, shown.version);
    let delta = shown.privacy.delta_exponent;
    let parts = noise.parts();
    let own = parts.first();
    Some(Release {
        certificate: format!("{}/publications/{id}.certificate.json", about.url),
        id,
        round: shown.round.to_string(),
        version: shown.version,
        period: shown.period.to_string(),
        publication: shown.publication.to_string(),
        provisional: shown.provisional,
        mode: noise.mode(),
        mechanism: own.map_or("", |part| mechanism(part.loss)),
        scale: own.map_or(0.0, |part| part.scale),
        shared: noise.shared.as_ref().map(shared_noise),
        sensitivity: Sensitivity { l0: noise.l0, l1: noise.l1, l2_squared: noise.l2_squared },
        rho: noise.charge_micro.value(),
        epsilon: noise.charge_micro.epsilon_ceil(delta),
        delta: delta.value(),
        round_rho: shown.privacy.rho_micro.value(),
        round_epsilon: shown.privacy.epsilon.value(),
        contributing_nodes: shown.reported,
        asked_nodes: shown.asked,
    })
}

fn mechanism(loss: Loss) -> &'static str {
    match loss {
        Loss::DiscreteGaussian { .. } => "discrete Gaussian",
        Loss::DiscreteLaplace { .. } => "discrete Laplace",
    }
}

fn shared_noise(noise: &SharedNoise) -> Shared {
    Shared {
        mechanism: mechanism(noise.loss),
        scale: noise.scale_of_sum(),
        standard_deviation: noise.variance.value().sqrt(),
        minimum_reports: noise.minimum,
        tolerated_reports: noise.tolerated,
        weight: noise.weight.map(Fixed::value),
    }
}
