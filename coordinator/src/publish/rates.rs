//! Rates: ratios of sums of noisy cells, with intervals by Fieller's method.
//!
//! Why Fieller and not the ratio with a delta-method error: numerator and denominator carry noise,
//! and share some of it. For a ratio r of true sums, `A - r B` is a sum of noises with mean 0 and a
//! known variance, so the set of all r that this test does not reject at 5 % holds the true ratio
//! in 95 % of rounds, however small the denominator. The set is the solution of
//! `r^2 (B^2 - z^2 vbb) - 2 r (A B - z^2 vab) + (A^2 - z^2 vaa) <= 0` (Fieller 1954). When `B` is
//! not clearly above its own noise the set is unbounded: then no rate is given at all. Among the
//! rates that are given, with a denominator of twice its noise, Fieller's interval covers 95 % and
//! the delta method's 88 % (a test measures both); far above the noise they agree.
//!
//! Each rule of retention, from the census table S2:
//! - *all taken in*: in the first or a later ordinary dwelling, of everyone ever settled: these two,
//!   without a dwelling, unresolved, left and dead. Those not yet settled had no home to keep, and
//!   those whose situation is unknown are in neither number: counting them as settled or as
//!   homeless would each be a guess;
//! - *without the dead*: the same, the dead left out of the denominator;
//! - *still in the same dwelling*: only the first dwelling counts, the denominator of the first rule.
//!
//! And from S4, at each milestone: in an ordinary dwelling, of those followed so long, with and
//! without the dead.
//!
//! **Invariant:** no rate without an interval; what is shown within 0 to 1 stands beside what was
//! computed.

use super::combine::{CellNoise, Summed};
use super::number::{Fixed, real};
use super::{Estimate, PublishedRate};
use fellestall_shared::labels::Labels;
use fellestall_shared::statistic::{Statistic, Variable};
use std::collections::BTreeSet;

/// The codes that a rule sums over.
struct Rule {
    rate: &'static str,
    numerator: &'static [&'static str],
    denominator: &'static [&'static str],
    nb: &'static str,
    nn: &'static str,
    en: &'static str,
}

const SETTLED: &[&str] = &[
    "same_dwelling",
    "later_dwelling",
    "temporary_or_institution",
    "unresolved_notice",
    "left",
    "died",
];
const SETTLED_ALIVE: &[&str] =
    &["same_dwelling", "later_dwelling", "temporary_or_institution", "unresolved_notice", "left"];

const CENSUS: [Rule; 3] = [
    Rule {
        rate: "retained_all_taken_in",
        numerator: &["same_dwelling", "later_dwelling"],
        denominator: SETTLED,
        nb: "Bostabilitet: i ordinær bolig, av alle som noen gang er bosatt",
        nn: "Bustabilitet: i ordinær bustad, av alle som nokon gong er busette",
        en: "Housing retention: in an ordinary dwelling, of all ever settled",
    },
    Rule {
        rate: "retained_without_the_dead",
        numerator: &["same_dwelling", "later_dwelling"],
        denominator: SETTLED_ALIVE,
        nb: "Bostabilitet: i ordinær bolig, av alle som noen gang er bosatt, uten de døde",
        nn: "Bustabilitet: i ordinær bustad, av alle som nokon gong er busette, utan dei døde",
        en: "Housing retention: in an ordinary dwelling, of all ever settled, without the dead",
    },
    Rule {
        rate: "retained_in_same_dwelling",
        numerator: &["same_dwelling"],
        denominator: SETTLED,
        nb: "Bostabilitet: fortsatt i sin første bolig, av alle som noen gang er bosatt",
        nn: "Bustabilitet: framleis i den første bustaden, av alle som nokon gong er busette",
        en: "Housing retention: still in the first dwelling, of all ever settled",
    },
];

const MILESTONE: [Rule; 2] = [
    Rule {
        rate: "followed",
        numerator: &["in_ordinary_dwelling"],
        denominator: &["in_ordinary_dwelling", "not_in_ordinary_dwelling", "died"],
        nb: "I ordinær bolig, av dem som er fulgt så lenge",
        nn: "I ordinær bustad, av dei som er følgde så lenge",
        en: "In an ordinary dwelling, of those followed so long",
    },
    Rule {
        rate: "followed_without_the_dead",
        numerator: &["in_ordinary_dwelling"],
        denominator: &["in_ordinary_dwelling", "not_in_ordinary_dwelling"],
        nb: "I ordinær bolig, av dem som er fulgt så lenge, uten de døde",
        nn: "I ordinær bustad, av dei som er følgde så lenge, utan dei døde",
        en: "In an ordinary dwelling, of those followed so long, without the dead",
    },
];

/// The rates that follow from a table; none for most tables.
#[must_use]
pub fn rates(summed: &Summed<'_>) -> Vec<PublishedRate> {
    let statistic = summed.table.statistic;
    let variables: Vec<Variable> =
        statistic.dimensions().iter().map(fellestall_shared::statistic::Domain::variable).collect();
    match variables.as_slice() {
        [Variable::HousingSituation] => {
            CENSUS.iter().filter_map(|rule| census(summed, rule)).collect()
        }
        [Variable::Milestone, Variable::Retained] => milestones(summed),
        _ => Vec::new(),
    }
}

fn census(summed: &Summed<'_>, rule: &Rule) -> Option<PublishedRate> {
    let statistic = summed.table.statistic;
    let numerator = cells(statistic, &[], rule.numerator)?;
    let denominator = cells(statistic, &[], rule.denominator)?;
    let label = Labels { nb: rule.nb.into(), nn: rule.nn.into(), en: rule.en.into() };
    Some(rate(summed, rule.rate.to_owned(), label, &numerator, &denominator))
}

fn milestones(summed: &Summed<'_>) -> Vec<PublishedRate> {
    let statistic = summed.table.statistic;
    let categories = statistic.dimensions().first().map_or(&[][..], |domain| domain.categories());
    let mut rates = Vec::new();
    for (position, category) in categories.iter().enumerate() {
        for rule in &MILESTONE {
            let numerator = cells(statistic, &[position], rule.numerator);
            let denominator = cells(statistic, &[position], rule.denominator);
            let (Some(numerator), Some(denominator)) = (numerator, denominator) else { continue };
            let after = category.label();
            let label = Labels {
                nb: format!("{} ({})", rule.nb, after.nb),
                nn: format!("{} ({})", rule.nn, after.nn),
                en: format!("{} ({})", rule.en, after.en),
            };
            let id = format!("retained_{}_{}", category.code(), rule.rate);
            rates.push(rate(summed, id, label, &numerator, &denominator));
        }
    }
    rates
}

/// The cells of these codes of the last dimension; `None` if the domain lacks one of them.
fn cells(statistic: &Statistic, before: &[usize], codes: &[&str]) -> Option<BTreeSet<usize>> {
    let domain = statistic.dimensions().last()?;
    codes
        .iter()
        .map(|code| {
            let mut positions = before.to_vec();
            positions.push(domain.position(code)?);
            statistic.cell(&positions)
        })
        .collect()
}

fn rate(
    summed: &Summed<'_>,
    rate: String,
    label: Labels,
    numerator: &BTreeSet<usize>,
    denominator: &BTreeSet<usize>,
) -> PublishedRate {
    let total = |cells: &BTreeSet<usize>| {
        cells
            .iter()
            .filter_map(|cell| summed.values.get(*cell))
            .fold(0_i64, |sum, value| sum.saturating_add(*value))
    };
    let (above, below) = (total(numerator), total(denominator));
    let ratio = Ratio {
        numerator: real(above),
        denominator: real(below),
        numerator_cells: numerator.len(),
        denominator_cells: denominator.len(),
        shared_cells: numerator.intersection(denominator).count(),
    };
    PublishedRate {
        rate,
        statistic: summed.table.statistic.id().clone(),
        label,
        method: "fieller".to_owned(),
        numerator: above,
        denominator: below,
        figure: ratio.interval(&summed.noise),
    }
}

/// A ratio of two sums over cells whose noises are independent and of one variance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ratio {
    pub numerator: f64,
    pub denominator: f64,
    pub numerator_cells: usize,
    pub denominator_cells: usize,
    pub shared_cells: usize,
}

impl Ratio {
    /// Fieller's set, if it is an interval; otherwise nothing.
    pub(super) fn interval(self, noise: &CellNoise) -> Option<Estimate> {
        let (above, below) = (self.numerator, self.denominator);
        let scaled = noise.multiple() * noise.multiple() * noise.variance;
        let of = |cells| scaled * super::number::real_of(cells);
        let square = below * below - of(self.denominator_cells);
        if below <= 0.0 || square <= 0.0 {
            return None;
        }
        let middle = above * below - of(self.shared_cells);
        let constant = above * above - of(self.numerator_cells);
        // The estimate itself is in the set, so that the root is real but for rounding.
        let root = (middle * middle - square * constant).max(0.0).sqrt();
        estimate(above / below, (middle - root) / square, (middle + root) / square)
    }
}

/// An estimate and its interval, with what is shown of them.
pub(super) fn estimate(value: f64, lower: f64, upper: f64) -> Option<Estimate> {
    let [value, lower95, upper95] =
        [Fixed::nearest(value)?, Fixed::nearest(lower)?, Fixed::nearest(upper)?];
    Some(Estimate {
        value,
        lower95,
        upper95,
        shown: value.within_unit(),
        shown_lower95: lower95.within_unit(),
        shown_upper95: upper95.within_unit(),
    })
}

#[cfg(test)]
mod tests;
