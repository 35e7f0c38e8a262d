//! `simulate`.
//!
//! **Invariant:** needs no directory and no store, and writes nothing but the file that was asked for.

use super::output::table;
use super::{CliError, Output};
use crate::simulate::{Figure, Question, Scene, Simulation, picture, simulate as run};
use fellestall_shared::privacy::{Delta, Epsilon, Loss, Rho};
use serde::Serialize;
use std::fmt::Write as _;
use std::path::PathBuf;

/// What is simulated.
#[derive(Debug, clap::Args)]
pub struct Simulate {
    /// Municipalities that take part.
    #[arg(long, value_name = "N", default_value_t = 357, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub nodes: u32,
    /// People that each municipality counts.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub people: u32,
    /// The privacy loss of a person who counts once in the table, as rho: discrete Gaussian noise
    /// [default: what --epsilon 1 comes to].
    #[arg(long, value_name = "RHO", value_parser = micro, conflicts_with_all = ["epsilon", "pure"])]
    pub rho: Option<u64>,
    /// The same as epsilon: discrete Gaussian noise of the largest rho that is at most this epsilon at
    /// --delta; with --pure, discrete Laplace noise of this epsilon.
    #[arg(long, value_name = "EPSILON", value_parser = micro)]
    pub epsilon: Option<u64>,
    /// The delta of --epsilon, as an exponent: 6 stands for one in a million, as in what a node shows
    /// its operator.
    #[arg(long, value_name = "EXPONENT", default_value_t = 6, value_parser = clap::value_parser!(u8).range(3..=15))]
    pub delta: u8,
    /// Pure differential privacy: --epsilon holds without a delta.
    #[arg(long, requires = "epsilon")]
    pub pure: bool,
    /// The share of the municipalities that may fail to report, 0 to 0.9; the others make a batch.
    #[arg(long, value_name = "SHARE", default_value_t = 0.2, value_parser = share)]
    pub dropout: f64,
    /// So many of a batch's reports may come from nodes that collude, and are not counted on for noise.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub tolerated: u32,
    /// How often national figures are made up.
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub repeats: u32,
    /// What chance starts from: the same seed gives the same table.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Draw the table into this file too.
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

/// A positive decimal in millionths.
fn micro(text: &str) -> Result<u64, String> {
    let wanted = || "a number above 0 and up to 100, as 0.125".to_owned();
    let value: f64 = text.parse().map_err(|_| wanted())?;
    let micro = (value * 1e6).round();
    if !(1.0..=1e8).contains(&micro) {
        return Err(wanted());
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10^8")]
    let micro = micro as u64;
    Ok(micro)
}

fn share(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|value| (0.0..=0.9).contains(value));
    value.ok_or_else(|| "a number from 0 to 0.9, as 0.2".to_owned())
}

/// What was simulated, and what was found.
#[derive(Serialize)]
struct Found {
    nodes: u32,
    people: u32,
    loss: Loss,
    tolerated: u32,
    repeats: u32,
    seed: u64,
    #[serde(flatten)]
    simulation: Simulation,
}

impl Simulate {
    fn loss(&self) -> Loss {
        let delta = Delta::try_from(self.delta).unwrap_or(Delta::MICRO);
        match (self.rho, self.epsilon.unwrap_or(1_000_000)) {
            (Some(micro), _) => Loss::DiscreteGaussian { rho_micro: Rho::from_micro(micro) },
            (None, micro) if self.pure => {
                Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(micro) }
            }
            (None, micro) => {
                let epsilon = Epsilon::from_micro(micro).value();
                Loss::DiscreteGaussian { rho_micro: largest(epsilon, delta) }
            }
        }
    }

    fn question(&self) -> Question {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to nodes")]
        let missing = (f64::from(self.nodes) * self.dropout + 1e-9).floor() as u32;
        Question {
            nodes: self.nodes,
            people: self.people,
            loss: self.loss(),
            missing,
            tolerated: self.tolerated,
            repeats: self.repeats,
            seed: self.seed,
        }
    }
}

/// The largest rho whose epsilon, as it is shown to people, is at most this one.
fn largest(epsilon: f64, delta: Delta) -> Rho {
    let (mut low, mut high) = (1_u64, 100_000_000_u64);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        let fits = Rho::from_micro(middle).epsilon_ceil(delta) <= epsilon;
        if fits { low = middle } else { high = middle - 1 }
    }
    Rho::from_micro(low)
}

pub(super) fn simulate(asked: &Simulate, output: &mut Output<'_>) -> Result<(), CliError> {
    let question = asked.question();
    let simulation = run(&question)?;
    if let Some(path) = &asked.svg {
        let svg = picture::svg(&simulation)?;
        std::fs::write(path, svg).map_err(|source| CliError::File {
            path: path.clone(),
            what: "written",
            source,
        })?;
    }
    let found = Found {
        nodes: question.nodes,
        people: question.people,
        loss: question.loss,
        tolerated: question.tolerated,
        repeats: question.repeats,
        seed: question.seed,
        simulation,
    };
    output.facts(&found, |found| text(found, asked.delta))
}

fn text(found: &Found, delta: u8) -> String {
    let Found { nodes, people, repeats, seed, tolerated, .. } = found;
    let Simulation { minimum, honest, scenes, .. } = &found.simulation;
    let loss = match found.loss {
        Loss::DiscreteGaussian { rho_micro } => {
            let delta = Delta::try_from(delta).unwrap_or(Delta::MICRO);
            let epsilon = rho_micro.epsilon_ceil(delta);
            format!(
                "discrete Gaussian noise of {rho_micro} rho (epsilon {epsilon} at delta {delta})"
            )
        }
        Loss::DiscreteLaplace { epsilon_micro } => {
            format!("discrete Laplace noise of epsilon {epsilon_micro} (delta 0)")
        }
    };
    let rows = scenes.iter().flat_map(|scene| {
        let row = |name: &str, figure: Figure| {
            let Figure { measured, standard_error, theory, half_width, covered } = figure;
            [
                format!("{} of {nodes}", scene.reports),
                name.to_owned(),
                format!("{measured:.3} (± {standard_error:.3})"),
                format!("{theory:.3}"),
                format!("± {half_width} people"),
                format!("{:.1} %", covered * 100.0),
            ]
        };
        [row("local", scene.local), row("secure", scene.secure), row("central", scene.central)]
    });
    let heads = ["Reports", "Noise", "Error measured", "In theory", "95 % interval", "Covered"];
    let mut said = format!(
        "{nodes} municipalities that count {people} people each; {loss}.\n\
         A batch has at least {minimum} reports, of which {tolerated} may collude: {honest} shares of \
         the noise are one whole.\nThe error is the standard deviation of a national count, in people, \
         over {repeats} repeats with seed {seed}.\n\n{}\n",
        table(heads, rows, "")
    );
    for scene in scenes {
        // Writing to a string cannot fail.
        let _infallible = writeln!(said, "\n{}", ratios(scene));
    }
    said
}

fn ratios(scene: &Scene) -> String {
    let said = |(measured, theory): (f64, f64)| format!("{measured:.3} (in theory {theory:.3})");
    format!(
        "With {} reports, secure is {} times central, and local is {} times secure and {} times central.",
        scene.reports,
        said(scene.secure_to_central()),
        said(scene.local_to_secure()),
        said(scene.local_to_central())
    )
}
