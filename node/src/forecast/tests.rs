use super::{Forecast, half_width, standard_deviation};
use crate::kernel::{Account, Balance};
use crate::register::tests::{document, study};
use crate::register::{NotPermitted, Register};
use fellestall_shared::labels::Language;
use fellestall_shared::privacy::{Bound, Delta, Epsilon, Loss, Rho};
use fellestall_shared::wire::v1::{Residence, StudyDocument};
use time::macros::date;

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

fn forecast(document: &StudyDocument) -> Forecast {
    let rho = Rho::from_micro(1_000_000);
    let account = Account { spent: Rho::ZERO, left: rho };
    let balance = Balance { lifetime: account, year: account, study: account };
    let period = "2020H1".parse().expect("a period");
    Forecast::new(&study(document), period, &balance, 5, Delta::MICRO, Language::En)
}

/// Losses of a person's data sets add: each municipality draws its own noise.
#[test]
fn the_forecast_says_what_it_costs_here_and_a_person_held_in_several_municipalities() {
    let two = forecast(&document());
    assert_eq!((two.municipalities_per_person, two.person_charge.as_str()), (2, "0.002"));
    assert!(two.epsilon < two.person_epsilon && two.person_epsilon < 2.0 * two.epsilon);
    let text = two.to_string();
    assert!(text.contains("held in 2 municipalities") && text.contains("0.002 rho"), "{text}");
    assert!(text.contains(&format!("epsilon {:.3}", two.person_epsilon)), "{text}");
    assert!(!text.contains("lives"), "{text}");

    let three = StudyDocument { municipalities_per_person: 3, ..document() };
    assert_eq!(forecast(&three).person_charge, "0.003");
    let one = forecast(&StudyDocument { municipalities_per_person: 1, ..document() });
    assert!(one.person_charge == one.charge && !one.to_string().contains("held in"));
}

#[test]
fn the_forecast_says_where_people_are_counted() {
    let residence = Residence::OnCensusDate;
    let mut document = StudyDocument { residence, ..document() };
    document.fields.extend(residence.fields().iter().map(|field| (*field).to_owned()));
    let forecast = forecast(&document);
    // The guarantee is for what a municipality cannot see: it stays that of two.
    assert_eq!(forecast.person_charge, "0.002");
    assert!(forecast.to_string().contains("not counted here"), "{forecast}");
}

#[test]
fn the_forecast_says_why_this_node_would_refuse() {
    let register = Register::parse("register.toml".as_ref(), "").expect("an empty register");
    let why =
        register.permit(&study(&document()), date!(2020 - 01 - 01)).expect_err("not permitted");
    assert!(matches!(why, NotPermitted::Unregistered { .. }));
    let sound = forecast(&document());
    assert!(sound.would_answer());
    let refused = sound.clone().not_permitted(&why);
    assert!(!refused.would_answer() && refused.to_string().contains("register add"), "{refused}");
    let earlier = "core.1.2020K2".parse().expect("a round");
    let refused = sound.answered_before(&earlier);
    assert!(!refused.would_answer() && refused.to_string().contains("core.1.2020K2"), "{refused}");
}
