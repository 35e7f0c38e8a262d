use super::{half_width, standard_deviation};
use fellestall_shared::privacy::{Bound, Epsilon, Loss, Rho};

#[test]
fn the_national_interval_grows_with_the_root_of_the_number_of_nodes() {
    // Rho 0.5 and one unit for each person: sigma is 1.
    let loss = Loss::DiscreteGaussian { rho_micro: Rho::from_micro(500_000) };
    let bound = Bound::new(1, 1, 1).expect("a bound");
    let noise = standard_deviation(loss, loss.nominal_scale(bound));
    assert_eq!(half_width(noise, 1), 2);
    assert_eq!(half_width(noise, 100), 20);
    assert_eq!(half_width(noise, 357), 38);
}

#[test]
fn discrete_laplace_has_its_own_deviation() {
    let loss = Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(1_000_000) };
    let bound = Bound::new(1, 1, 1).expect("a bound");
    let noise = standard_deviation(loss, loss.nominal_scale(bound));
    // 25.6 over 357 nodes at epsilon 1.
    assert!((noise * 357_f64.sqrt() - 25.6).abs() < 0.05, "{noise}");
}
