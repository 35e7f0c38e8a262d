//! What a study would give away and cost, before anything is read or charged.
//!
//! **Invariant:** computed from the study, the ledger's balance and the public noise scale alone; no
//! record is read and nothing is charged.

use crate::kernel::Balance;
use crate::register::NotPermitted;
use fellestall_shared::clock::Timestamp;
use fellestall_shared::ids::{RoundId, StatisticId};
use fellestall_shared::labels::Language;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::{Delta, Loss, Rho};
use fellestall_shared::study::{Study, Table};
use fellestall_shared::wire::v1::Residence;
use serde::Serialize;

mod nodes;
mod shared;
mod text;
pub use nodes::Reporting;
pub use shared::{Guarantee, Mode, Promise, SharedForecast};

/// The 97.5th percentile of the normal distribution.
const Z: f64 = 1.96;

/// What one table would give away.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableForecast {
    /// Which statistic.
    pub statistic: StatisticId,
    /// Its title in the chosen language.
    pub title: String,
    /// The number of cells: so many noisy counts would leave.
    pub cells: usize,
    /// The categories of each dimension in the chosen language.
    pub dimensions: Vec<Vec<String>>,
    /// How many units one participant can change, at the most.
    pub bound: u32,
    /// What it costs, in rho.
    pub charge: String,
    /// What the coordinator sees of it.
    pub mode: Mode,
    /// The standard deviation of the noise that this node would add to each count for itself; `None` if
    /// nobody sees the municipality's own figures.
    pub noise: Option<f64>,
    /// Half of the national 95 % interval of one count, from all noise that is in it; rounded up. A
    /// table with both noises has the best weighting of the two sums.
    pub national_half_width: u64,
    /// The same if as many nodes fail to report as the study allows for.
    pub national_half_width_fewer: u64,
    /// Half of the 95 % interval of this municipality's county; rounded up.
    pub county_half_width: Option<u64>,
    /// Half of this municipality's own 95 % interval; rounded up.
    pub local_half_width: Option<u64>,
    /// What the noise that nodes share gives, if the table has that.
    pub shared: Option<SharedForecast>,
}

/// What one round of a study would give away and cost.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Forecast {
    /// The study and its version.
    pub study: String,
    /// The digest that an approval is for.
    pub digest: String,
    /// The period asked about, which says which year's budget pays.
    pub period: String,
    /// The tables, in the order of the study.
    pub tables: Vec<TableForecast>,
    /// For how many nodes the national interval is reckoned.
    pub nodes: u32,
    /// The same if as many fail to report as the study allows for, though not fewer than its minimum.
    pub nodes_fewer: u32,
    /// For how many nodes the county's interval is reckoned.
    pub county_nodes: u32,
    /// What the shared tables rest on, if there are any.
    pub promise: Option<Promise>,
    /// What one round costs, in rho.
    pub charge: String,
    /// The same as epsilon at `delta`, rounded up.
    pub epsilon: f64,
    /// In how many municipalities the study allows for that one person is held.
    pub municipalities_per_person: u32,
    /// What one round costs such a person, in rho: each municipality draws its own noise, so that losses
    /// add up.
    pub person_charge: String,
    /// The same as epsilon at `delta`, rounded up.
    pub person_epsilon: f64,
    /// Where such a person is counted.
    pub residence: Residence,
    /// The delta that epsilon is shown at.
    pub delta: String,
    /// What would be left, in rho, of the lifetime's, the year's and the study's budget.
    pub left_after: LeftAfter,
    /// Whether the budget covers one round.
    pub affordable: bool,
    /// Whether this very question was answered already: asking again costs nothing.
    pub already_released: bool,
    /// The round in which the study has told of the period's last day already, if it is another: this
    /// node would refuse.
    pub answered_before: Option<String>,
    /// Whether the register of processing permits it today.
    pub permitted: bool,
    /// Why the register does not.
    pub why_not_permitted: Option<String>,
}

/// What would be left after one round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LeftAfter {
    /// Of the lifetime's budget.
    pub lifetime: String,
    /// Of the year's budget.
    pub year: String,
    /// Of the study's budget.
    pub study: String,
}

impl Forecast {
    /// Forecasts one round of `study` over `period` for the nodes that report.
    #[must_use]
    pub fn new(
        study: &Study,
        period: Period,
        balance: &Balance,
        reporting: Reporting,
        delta: Delta,
        language: Language,
    ) -> Self {
        let charge = study.charge();
        let left = [balance.lifetime.left, balance.year.left, balance.study.left];
        let [lifetime, year, of_study] = left.map(|left| left.budget_left(charge).to_string());
        let document = study.document();
        let Reporting { nodes, county } = reporting;
        let tolerated =
            document.aggregation.as_ref().map_or(0, |aggregation| aggregation.tolerated);
        let fewer = nodes.saturating_sub(tolerated).max(document.minimum_nodes.min(nodes));
        let of = |table| forecast(table, (nodes, fewer, county), delta, language);
        Self {
            study: format!("{}.{}", document.study, document.version),
            digest: study.digest().to_string(),
            period: period.to_string(),
            tables: study.tables().iter().map(of).collect(),
            nodes,
            nodes_fewer: fewer,
            county_nodes: county,
            promise: Promise::of(study, delta),
            charge: charge.to_string(),
            epsilon: charge.epsilon_ceil(delta),
            municipalities_per_person: document.municipalities_per_person,
            person_charge: study.person_charge().to_string(),
            person_epsilon: study.person_charge().epsilon_ceil(delta),
            residence: document.residence,
            delta: delta.to_string(),
            left_after: LeftAfter { lifetime, year, study: of_study },
            affordable: left.into_iter().all(|left: Rho| charge <= left),
            already_released: false,
            answered_before: None,
            permitted: true,
            why_not_permitted: None,
        }
    }

    /// The forecast of a question about a day that the study has told of in another round.
    #[must_use]
    pub fn answered_before(self, earlier: &RoundId) -> Self {
        Self { answered_before: Some(earlier.to_string()), ..self }
    }

    /// Whether this node would answer.
    #[must_use]
    pub fn would_answer(&self) -> bool {
        self.affordable && self.permitted && self.answered_before.is_none()
    }

    /// The forecast of a study that the register of processing does not permit.
    #[must_use]
    pub fn not_permitted(self, why: &NotPermitted) -> Self {
        Self { permitted: false, why_not_permitted: Some(why.to_string()), ..self }
    }

    /// The forecast of a question that was answered already: the same bytes, and no second charge.
    #[must_use]
    pub fn already_released(self, balance: &Balance) -> Self {
        let left_after = LeftAfter {
            lifetime: balance.lifetime.left.to_string(),
            year: balance.year.left.to_string(),
            study: balance.study.left.to_string(),
        };
        Self { left_after, affordable: true, already_released: true, ..self }
    }
}

/// The half-year that a moment is in; `None` outside the calendar of periods.
#[must_use]
pub fn half_year(now: Timestamp) -> Option<Period> {
    let today = now.date()?;
    let half = if u8::from(today.month()) <= 6 { 1 } else { 2 };
    format!("{}H{half}", today.year()).parse().ok()
}

fn forecast(
    table: &Table,
    (nodes, fewer, county): (u32, u32, u32),
    delta: Delta,
    language: Language,
) -> TableForecast {
    let statistic = table.statistic;
    let own = |loss: Loss| standard_deviation(loss, loss.nominal_scale(statistic.bound()));
    let noise = table.local.map(own);
    let of_own = |nodes: u32| noise.map(|noise| f64::from(nodes) * noise * noise);
    let national = |nodes: u32| {
        let shared = table.shared.map(|shared| shared::sum_variance(&shared.noise, nodes));
        half_width_of(combined(of_own(nodes), shared))
    };
    let dimension = |domain: &fellestall_shared::statistic::Domain| {
        let label = |category: &fellestall_shared::statistic::Category| {
            category.label().text(language).to_owned()
        };
        domain.categories().iter().map(label).collect()
    };
    TableForecast {
        statistic: statistic.id().clone(),
        title: statistic.title().text(language).to_owned(),
        cells: statistic.cells(),
        dimensions: statistic.dimensions().iter().map(dimension).collect(),
        bound: statistic.bound().l1(),
        charge: table.charge.to_string(),
        mode: Mode::of(table),
        noise,
        national_half_width: national(nodes),
        national_half_width_fewer: national(fewer),
        county_half_width: of_own(county).map(half_width_of),
        local_half_width: of_own(1).map(half_width_of),
        shared: SharedForecast::of(table, (nodes, fewer), delta),
    }
}

/// The variance of the best weighting of two independent figures of one count: that of the inverse
/// variances.
fn combined(one: Option<f64>, other: Option<f64>) -> f64 {
    1.0 / one.into_iter().chain(other).map(f64::recip).sum::<f64>()
}

/// The standard deviation of one noisy count. Discrete Gaussian: at most sigma (Canonne, Kamath and
/// Steinke 2020, corollary 9). Discrete Laplace with p = exp(-1/b): `sqrt(2 p) / (1 - p)`.
fn standard_deviation(loss: Loss, scale: f64) -> f64 {
    match loss {
        Loss::DiscreteGaussian { .. } => scale,
        Loss::DiscreteLaplace { .. } => {
            let p = (-1.0 / scale).exp();
            (2.0 * p).sqrt() / (1.0 - p)
        }
    }
}

/// Half of a 95 % interval of a figure with noise of this variance, in whole units, rounded up.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float-to-integer cast saturates, and the width is never negative"
)]
fn half_width_of(variance: f64) -> u64 {
    (Z * variance.sqrt()).ceil() as u64
}

#[cfg(test)]
mod tests;
