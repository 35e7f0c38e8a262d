//! What a simulation measures against the laws that it stands beside.

use super::{Figure, Question, SimulateError, picture, simulate};
use fellestall_shared::privacy::{Epsilon, Loss, Rho};

fn gaussian(rho_micro: u64) -> Loss {
    Loss::DiscreteGaussian { rho_micro: Rho::from_micro(rho_micro) }
}

fn laplace(epsilon_micro: u64) -> Loss {
    Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(epsilon_micro) }
}

fn question(nodes: u32, loss: Loss, repeats: u32) -> Question {
    Question { nodes, people: 5, loss, missing: nodes / 5, tolerated: 0, repeats, seed: 7 }
}

fn check(figure: Figure, what: &str) {
    let off = (figure.measured - figure.theory).abs();
    assert!(off < 5.0 * figure.standard_error + 1e-9, "{what}: {figure:?}");
    // Never less than the level, but for chance: five standard errors of 20,000 repeats.
    assert!(figure.covered > 0.942, "{what}: {figure:?}");
}

#[test]
fn what_is_measured_agrees_with_the_declared_laws() {
    for loss in [gaussian(20_000), gaussian(500_000), gaussian(5_000_000), laplace(1_000_000)] {
        for (nodes, tolerated) in [(5, 0), (19, 3)] {
            let question = Question { tolerated, ..question(nodes, loss, 20_000) };
            let simulation = simulate(&question).expect("a simulation");
            assert_eq!(simulation.honest + tolerated, simulation.minimum);
            for scene in simulation.scenes {
                let what = format!("{loss:?}, {} of {nodes}", scene.reports);
                check(scene.local, &format!("{what}, local"));
                check(scene.secure, &format!("{what}, secure"));
                check(scene.central, &format!("{what}, central"));
            }
        }
    }
}

/// The target of shared noise: with a fifth that may drop out, at most 1.15 times a curator's error,
/// where noise of each node's own has the square root of their number.
#[test]
fn shared_noise_costs_at_most_a_sixth_where_own_noise_costs_nineteen_times() {
    // Epsilon 1 at a delta of one in a million, and pure epsilon 1.
    for loss in [gaussian(19_000), gaussian(125_000), laplace(1_000_000)] {
        let simulation = simulate(&question(357, loss, 2_000)).expect("a simulation");
        assert_eq!(simulation.minimum, 286);
        for scene in &simulation.scenes {
            let (measured, theory) = scene.secure_to_central();
            assert!(theory <= 1.15 && measured <= 1.25, "{loss:?}: {measured}, {theory}");
        }
        let (_, theory) = simulation.scenes[0].local_to_central();
        assert!((theory - 18.9).abs() < 0.05, "{theory}");
    }
}

#[test]
fn a_seed_gives_the_same_figures_again() {
    let found = |seed| {
        let question = Question { seed, ..question(9, gaussian(125_000), 50) };
        simulate(&question).expect("a simulation").scenes[0].secure.measured.to_bits()
    };
    assert_eq!(found(1), found(1));
    assert_ne!(found(1), found(2));
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let of = |question: Question| simulate(&question).err();
    let base = question(10, gaussian(125_000), 10);
    assert_eq!(of(Question { missing: 9, ..base }), Some(SimulateError::Nobody));
    let tolerated = of(Question { tolerated: 8, ..base });
    assert!(matches!(tolerated, Some(SimulateError::Sharing(_))));
    let shared = of(Question { loss: laplace(10), ..base });
    assert!(matches!(shared, Some(SimulateError::Share(_))));
    let work = Question { repeats: 10_000_000, nodes: 100_000, missing: 0, ..base };
    assert_eq!(of(work), Some(SimulateError::Work));
    // Ten thousand times more noise than a person.
    let wide = Question { nodes: 2, missing: 0, loss: laplace(60), ..base };
    assert!(of(wide).is_some());
}

#[test]
fn the_picture_says_every_figure_and_is_well_formed() {
    let simulation = simulate(&question(19, gaussian(125_000), 200)).expect("a simulation");
    let svg = picture::svg(&simulation).expect("a picture");
    assert!(svg.starts_with("<svg xmlns=") && svg.trim_end().ends_with("</svg>"));
    assert!(svg.contains("<title") && svg.contains("prefers-color-scheme"));
    for scene in &simulation.scenes {
        for figure in [scene.local, scene.secure, scene.central] {
            assert!(svg.contains(&format!("{:.2}, so 95 %", figure.measured)));
        }
    }
    // Every text and rectangle that is opened is closed.
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
}
