use super::{Forecast, Guarantee, Mode, Reporting, half_width_of, standard_deviation};
use crate::kernel::{Account, Balance};
use crate::register::tests::{document, study};
use crate::register::{NotPermitted, Register};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::MunicipalityNumber;
use fellestall_shared::labels::Language;
use fellestall_shared::municipality;
use fellestall_shared::privacy::{Bound, Delta, Epsilon, Loss, Rho};
use fellestall_shared::secure::{Bytes, SealingKey};
use fellestall_shared::signed::VerifyingKey;
use fellestall_shared::wire::v1::{
    Aggregation, HelperIdentity, Residence, StudyDocument, StudyTable,
};
use time::macros::date;

#[test]
fn the_national_interval_grows_with_the_root_of_the_number_of_nodes() {
    // Rho 0.5 and one unit for each person: sigma is 1.
    let loss = Loss::DiscreteGaussian { rho_micro: Rho::from_micro(500_000) };
    let bound = Bound::new(1, 1, 1).expect("a bound");
    let noise = standard_deviation(loss, loss.nominal_scale(bound));
    let half_width = |nodes: f64| half_width_of(nodes * noise * noise);
    assert_eq!((half_width(1.0), half_width(100.0), half_width(357.0)), (2, 20, 38));
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
    let reporting = Reporting { nodes: 5, county: 2 };
    Forecast::new(&study(document), period, &balance, reporting, Delta::MICRO, Language::En)
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

/// A study whose first table is local, whose second is shared, and whose third is both.
fn shared_document() -> StudyDocument {
    let mut document = StudyDocument { minimum_nodes: 20, ..document() };
    let gaussian = |micro| Some(Loss::DiscreteGaussian { rho_micro: Rho::from_micro(micro) });
    let laplace = Loss::DiscreteLaplace { epsilon_micro: Epsilon::from_micro(500_000) };
    let first = document.tables[0].clone();
    document.tables = vec![
        StudyTable { shared: None, loss: gaussian(125_000), ..first.clone() },
        StudyTable {
            statistic: "S1".parse().expect("an id"),
            loss: None,
            shared: gaussian(125_000),
            ..first.clone()
        },
        StudyTable {
            statistic: "S2".parse().expect("an id"),
            loss: gaussian(62_500),
            shared: Some(laplace),
            ..first
        },
    ];
    let catalogue = Catalogue::builtin().expect("a catalogue");
    for table in &mut document.tables {
        let statistic = catalogue.statistic(&table.statistic).expect("known");
        table.definition = statistic.definition();
        document.fields.extend(statistic.fields().iter().cloned());
    }
    document.mode = None;
    document.aggregation = Some(Aggregation {
        tolerated: 4,
        largest_count: 1_000,
        helper: HelperIdentity {
            name: "The helper".to_owned(),
            signing_key: VerifyingKey::from_bytes(&[1; 32]).expect("a key"),
            sealing_key: SealingKey::try_from(Bytes(vec![2; 32])).expect("a key"),
        },
    });
    document
}

#[test]
fn a_forecast_of_shared_tables_says_who_sees_what_and_what_it_rests_on() {
    let study = study(&shared_document());
    let rho = Rho::from_micro(1_000_000);
    let account = Account { spent: Rho::ZERO, left: rho };
    let balance = Balance { lifetime: account, year: account, study: account };
    let period = "2020H1".parse().expect("a period");
    let reporting = Reporting { nodes: 22, county: 3 };
    let forecast = Forecast::new(&study, period, &balance, reporting, Delta::MICRO, Language::En);
    assert_eq!((forecast.nodes, forecast.nodes_fewer, forecast.county_nodes), (22, 20, 3));
    let [local, shared, both] = forecast.tables.as_slice() else { panic!("three tables") };
    assert_eq!((local.mode, shared.mode, both.mode), (Mode::Local, Mode::Shared, Mode::Both));
    // Nobody sees this municipality's figures of the second table.
    assert_eq!(
        (shared.noise, shared.local_half_width, shared.county_half_width),
        (None, None, None)
    );
    assert!(local.local_half_width.is_some() && both.county_half_width.is_some());
    // Sharing costs sqrt(22 / 16) beside one trusted curator, and not sqrt(22). The bounds differ.
    let deviation = |number: usize| {
        let bound = study.tables()[number].statistic.bound();
        let loss = Loss::DiscreteGaussian { rho_micro: Rho::from_micro(125_000) };
        loss.nominal_scale(bound)
    };
    let expected = 1.96 * (deviation(1).powi(2) * 22.0 / 16.0 + 1.0 / 12.0).sqrt();
    let found = shared.national_half_width;
    assert!((f64::from(u32::try_from(found).expect("small")) - expected).abs() <= 1.01, "{found}");
    assert!(shared.national_half_width_fewer <= found);
    // Both noises together are better than either.
    let part = both.shared.as_ref().expect("shared");
    assert!(both.national_half_width <= part.half_width);
    assert!(part.own_pure_epsilon.is_some() && part.own.is_some());
    let promise = forecast.promise.as_ref().expect("a promise");
    assert_eq!((promise.minimum, promise.tolerated, promise.honest), (20, 4, 16));
    assert_eq!(promise.sum.rho, "0.25");
    let epsilon = |guarantee: &Option<Guarantee>| guarantee.as_ref().expect("some").epsilon;
    assert!(promise.sum.epsilon < epsilon(&promise.one_more));
    assert!(epsilon(&promise.one_more) < epsilon(&promise.joined));
    let text = forecast.to_string();
    for said in [
        "nobody",
        "only the sum",
        "20 reporting municipalities, 16 are enough",
        "The helper",
        &promise.helper_key,
        "up to 4 may collude",
    ] {
        assert!(text.replace('\n', " ").contains(said), "{said}: {text}");
    }
}

#[test]
fn a_county_is_as_many_as_report_from_it() {
    let number = |number: &str| -> MunicipalityNumber { number.parse().expect("a number") };
    let listed = ["0301", "4601", "4602"].map(number);
    let own = number("4601");
    let known = Reporting::of(&own, 19, Some(&listed), None);
    assert_eq!(known, Reporting { nodes: 3, county: 2 });
    let vestland = municipality::all().iter().filter(|one| one.county == "46").count();
    let unknown = Reporting::of(&own, 357, None, None);
    assert_eq!(unknown, Reporting { nodes: 357, county: u32::try_from(vestland).expect("few") });
    assert_eq!(Reporting::of(&own, 2, None, Some(5)).nodes, 5);
    assert_eq!(Reporting::of(&own, 2, None, None).county, 2);
}
