//! How wide national figures are with noise of each node's own, with shared noise, and with the noise of
//! one trusted curator: simulated over made-up counts, beside the laws that are declared.
//!
//! One repeat draws every node's noises once. Figures with fewer reports leave out the last nodes, so
//! that all rows of a table come from the same draws.
//!
//! **Invariant:** nothing here reads a record, a store or a release, and nothing that is released comes
//! from here: the generator has a seed.

use crate::publish::noise_law::{Noise, NoiseLaw};
use crate::publish::shared::nearest;
use crate::publish::table_law::{SharedLaw, TableLaw};
use fellestall_shared::privacy::{Bound, Loss};
use fellestall_shared::secure::noise::{BadSharing, Share, ShareError, ShareNoise, Sharing};
use sampler::{Chance, Drawn};
use serde::Serialize;

pub mod picture;
mod sampler;

/// The level of every interval.
const LEVEL: f64 = 0.95;
/// Noises that one simulation draws, at the most.
const DRAWS: u64 = 2_000_000_000;
/// Scale of a noise that is simulated, at the most.
const LARGEST_SCALE: f64 = 20_000.0;

/// What is simulated.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Municipalities that take part.
    pub nodes: u32,
    /// People that each of them counts.
    pub people: u32,
    /// What one person's count costs.
    pub loss: Loss,
    /// So many reports may be missing.
    pub missing: u32,
    /// Of the reports in a batch, so many may collude.
    pub tolerated: u32,
    /// How often.
    pub repeats: u32,
    /// What the generator starts from.
    pub seed: u64,
}

/// Why nothing was simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// Nobody would be left.
    #[error("at least 2 nodes must report: lower --dropout, or raise --nodes")]
    Nobody,
    /// Nobody would add noise.
    #[error("of the reports of a batch, at least one must not collude: lower --tolerated")]
    Sharing(#[from] BadSharing),
    /// Noise that cannot be shared.
    #[error("this noise cannot be shared")]
    Share(#[from] ShareError),
    /// Too much noise.
    #[error("noise with a scale above 20000 is not simulated: ask for a larger loss")]
    Scale,
    /// Too much work.
    #[error("this would draw more than two thousand million noises: lower --repeats or --nodes")]
    Work,
}

/// The error of a figure, in people.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Figure {
    /// The standard deviation over the repeats.
    pub measured: f64,
    /// Standard error of that.
    pub standard_error: f64,
    /// The standard deviation of the declared law.
    pub theory: f64,
    /// A 95 % interval reaches so far to both sides.
    pub half_width: i64,
    /// How many of the repeats lay within it.
    pub covered: f64,
}

/// The figures of one number of reports.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Scene {
    /// Reports that arrived.
    pub reports: u32,
    /// People that they counted.
    pub people: u64,
    /// Noise of each node's own.
    pub local: Figure,
    /// Shares of one noise.
    pub secure: Figure,
    /// One noise, by a curator who sees every count.
    pub central: Figure,
}

impl Scene {
    /// How much wider shared noise is than a curator's: measured, and in theory.
    #[must_use]
    pub fn secure_to_central(&self) -> (f64, f64) {
        ratio(self.secure, self.central)
    }

    /// How much wider own noise is than shared noise: measured, and in theory.
    #[must_use]
    pub fn local_to_secure(&self) -> (f64, f64) {
        ratio(self.local, self.secure)
    }

    /// How much wider own noise is than a curator's: measured, and in theory.
    #[must_use]
    pub fn local_to_central(&self) -> (f64, f64) {
        ratio(self.local, self.central)
    }
}

#[expect(clippy::cast_precision_loss, reason = "errors of people, far below 2^53")]
fn real(value: i64) -> f64 {
    value as f64
}

fn ratio(a: Figure, b: Figure) -> (f64, f64) {
    (a.measured / b.measured, a.theory / b.theory)
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Simulation {
    /// Reports that a batch has at the least.
    pub minimum: u32,
    /// Honest shares that alone give the guarantee.
    pub honest: u32,
    /// Counts were multiplied by this before shares were added.
    pub factor: u32,
    /// From all reports to as few as may be.
    pub scenes: Vec<Scene>,
}

/// Simulates.
///
/// # Errors
/// [`SimulateError`].
pub fn simulate(question: &Question) -> Result<Simulation, SimulateError> {
    let nodes = question.nodes;
    let minimum = nodes.saturating_sub(question.missing);
    if minimum < 2 {
        return Err(SimulateError::Nobody);
    }
    let sharing = Sharing::new(minimum, question.tolerated)?;
    let bound = Bound::new(1, 1, 1).map_err(|_| SimulateError::Scale)?;
    let shared = ShareNoise::of(question.loss, bound, 1, sharing)?;
    let scale = question.loss.nominal_scale(bound);
    let widest = match shared.share() {
        Share::DiscreteGaussian { sigma } => sigma.max(scale),
        Share::Polya { .. } => scale,
    };
    if widest > LARGEST_SCALE {
        return Err(SimulateError::Scale);
    }
    let draws = u64::from(question.repeats) * (2 * u64::from(nodes) + 3);
    if draws > DRAWS {
        return Err(SimulateError::Work);
    }
    let mut missing = vec![0, question.missing / 2, question.missing];
    missing.dedup();
    let own = match question.loss {
        Loss::DiscreteGaussian { .. } => Noise::DiscreteGaussian { sigma: scale },
        Loss::DiscreteLaplace { .. } => Noise::DiscreteLaplace { b: scale },
    };
    let mut tallies: Vec<Tally> =
        missing.into_iter().map(|missing| Tally::of(nodes - missing, own, &shared)).collect();
    let (own, share) = (Drawn::noise(own), Drawn::share(shared.share()));
    let mut chance = Chance::new(question.seed);
    for _ in 0..question.repeats {
        repeat(question, &shared, (&own, &share), &mut chance, &mut tallies);
    }
    let scenes = tallies.iter().map(|tally| tally.scene(question)).collect();
    Ok(Simulation { minimum, honest: sharing.honest(), factor: shared.factor(), scenes })
}

/// One repeat: every node's noises are drawn, and each number of reports is summed up on the way.
fn repeat(
    question: &Question,
    shared: &ShareNoise,
    (own, share): (&Drawn, &Drawn),
    chance: &mut Chance,
    tallies: &mut [Tally],
) {
    let (people, factor) = (i64::from(question.people), i64::from(shared.factor()));
    let (mut truth, mut local, mut opened) = (0_i64, 0_i64, 0_i64);
    for node in 1..=question.nodes {
        truth += people;
        local += people + own.draw(chance);
        opened += factor * people + share.draw(chance);
        for tally in tallies.iter_mut().filter(|tally| tally.reports == node) {
            tally.local.add(local - truth);
            let figure = nearest(opened, shared.factor());
            tally.secure.add(figure.unwrap_or(i64::MAX).saturating_sub(truth));
            tally.central.add(own.draw(chance));
        }
    }
}

/// Errors of one kind of figure, and the law that they should have.
struct Errors {
    theory: f64,
    half_width: i64,
    squares: f64,
    fourths: f64,
    inside: u32,
    count: u32,
}

impl Errors {
    fn of(variance: f64, half_width: i64) -> Self {
        let theory = variance.sqrt();
        Self { theory, half_width, squares: 0.0, fourths: 0.0, inside: 0, count: 0 }
    }

    fn add(&mut self, error: i64) {
        let square = real(error) * real(error);
        self.squares += square;
        self.fourths += square * square;
        self.inside += u32::from(error.abs() <= self.half_width);
        self.count += 1;
    }

    fn figure(&self) -> Figure {
        let count = f64::from(self.count.max(1));
        let variance = self.squares / count;
        let fourth = self.fourths / count;
        let spread = (fourth - variance * variance).max(0.0) / count;
        let measured = variance.sqrt();
        let standard_error = if measured > 0.0 { spread.sqrt() / (2.0 * measured) } else { 0.0 };
        Figure {
            measured,
            standard_error,
            theory: self.theory,
            half_width: self.half_width,
            covered: f64::from(self.inside) / count,
        }
    }
}

/// The errors of one number of reports.
struct Tally {
    reports: u32,
    local: Errors,
    secure: Errors,
    central: Errors,
}

impl Tally {
    fn of(reports: u32, own: Noise, shared: &ShareNoise) -> Self {
        let count = usize::try_from(reports).unwrap_or(usize::MAX);
        let errors = |law: NoiseLaw| Errors::of(law.variance(), law.half_width(LEVEL));
        let opened = TableLaw::Shared(SharedLaw::of(shared, reports)).of_sum(count, 1);
        Self {
            reports,
            local: errors(NoiseLaw::of(&[(own, count)])),
            secure: Errors::of(opened.variance, opened.half_width),
            central: errors(NoiseLaw::of(&[(own, 1)])),
        }
    }

    fn scene(&self, question: &Question) -> Scene {
        Scene {
            reports: self.reports,
            people: u64::from(self.reports) * u64::from(question.people),
            local: self.local.figure(),
            secure: self.secure.figure(),
            central: self.central.figure(),
        }
    }
}

#[cfg(test)]
mod tests;
