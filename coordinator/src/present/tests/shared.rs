//! Tables that nobody saw municipality by municipality, and tables of both noises, as they are shown.

use super::*;
use crate::publish::shared::weighed;
use crate::publish::tests::shared::Secure;
use std::collections::BTreeMap;

const NUMBERS: [&str; 6] = ["1103", "1106", "1108", "4601", "4621", "4624"];

fn truth(node: usize, table: usize, cell: usize) -> i64 {
    let value = (7 * node + 3 * table + 5 * cell) % 11;
    if value < 6 { 0 } else { i64::try_from(value).unwrap() - 5 }
}

/// S2 with both noises, S5 that nobody saw, and S4 with each node's own noise; municipal figures.
fn published() -> (Secure, Published) {
    let numbers: Vec<_> = NUMBERS.map(|number| number.parse().unwrap()).to_vec();
    let tables = [
        ("S2", Some(gaussian(50_000)), Some(gaussian(50_000))),
        ("S5", None, Some(gaussian(50_000))),
        ("S4", Some(gaussian(50_000)), None),
    ];
    let secure = Secure::of(&tables, &numbers, |document| document.municipal_figures = true);
    let opened = opened(&secure, |_, _| 0);
    let batch = secure.batch(1, &[0, 1, 2, 3, 4, 5], &opened);
    let everyone = secure.federation.everyone(truth);
    let published = publish(secure.input(everyone, vec![batch])).unwrap();
    (secure, published)
}

/// The exact sums, scaled, with this noise.
fn opened(secure: &Secure, mut noise: impl FnMut(usize, usize) -> i64) -> Vec<i64> {
    let tables = secure.federation.round.study().tables().iter().enumerate();
    let shared = tables.filter_map(|(at, table)| Some((at, table.shared?)));
    let mut all = Vec::new();
    for (table, shared) in shared {
        for cell in 0..shared.cells {
            let exact: i64 = (0..NUMBERS.len()).map(|node| truth(node, table, cell)).sum();
            all.push(exact * i64::from(shared.noise.factor()) + noise(table, cell));
        }
    }
    all
}

#[test]
fn a_table_that_nobody_saw_has_figures_of_the_country_alone() {
    let (_, published) = published();
    for policy in [everything(), Policy::default()] {
        let presentation = shown(&published, &policy);
        let regions = |id: &str| table(&presentation, id).regions.len();
        assert_eq!(regions("core-S5"), 1);
        assert!(regions("core-S2") >= 9 && regions("core-S4") >= 9);
        let unseen = table(&presentation, "core-S5");
        assert_eq!(unseen.cells.len(), unseen.dimensions[0].categories.len());
        assert!(unseen.cells.shown.iter().all(Option::is_some));
        assert_eq!(unseen.noise.mode(), crate::publish::Mode::Shared);
        assert_eq!(unseen.noise.parts().len(), 1);
        assert_eq!(table(&presentation, "core-S2").noise.parts().len(), 2);
        assert!(presentation.decisions.iter().all(|decision| decision.table != "core-S5"));
        assert!(presentation.tables.iter().all(|table| table.noise.law().is_some()));
    }
}

#[test]
fn regions_of_a_table_of_both_noises_add_up_to_the_country_and_are_less_noisy() {
    let (_, published) = published();
    let presentation = shown(&published, &everything());
    let (both, own) = (table(&presentation, "core-S2"), table(&presentation, "core-S4"));
    let cell = |region: &str| at(both, region, &["same_dwelling"]);
    for column in [&both.cells.raw, &both.cells.shown] {
        let sum = |regions: &[&str]| -> f64 {
            regions.iter().map(|region| number(column, cell(region))).sum()
        };
        assert_eq!(sum(&["11", "46"]), sum(&["0"]));
        assert_eq!(sum(&NUMBERS[..3]), sum(&["11"]));
        assert_eq!(sum(&NUMBERS[3..]), sum(&["46"]));
    }
    let deviation = |region: &str| number(&both.cells.deviation, cell(region));
    let alone = 10_f64.sqrt();
    assert!(deviation("1103") < alone && deviation("4601") < alone);
    assert!(deviation("46") < alone * 3_f64.sqrt() * 0.9);
    assert!(deviation("0") < alone * 6_f64.sqrt() * 0.7);
    let first = at(own, "1103", &["m6", "in_ordinary_dwelling"]);
    assert!(own.cells.deviation[first].is_some());
}

/// 400 rounds; each of the 3,200 cells of the country, 6,400 of counties and 19,200 of municipalities in
/// S2 alone is covered with a probability of at least 0.95; less than 93 % of them has one below 1e-6.
#[test]
fn what_is_shown_of_shared_tables_covers_the_exact_count_in_95_of_100_cases() {
    let (secure, mut template) = published();
    let exact = shown(&template, &everything());
    let study = secure.federation.round.study().clone();
    let mut chance = Chance::new(20_261_122);
    let sigmas = study.tables().iter().map(|table| {
        use fellestall_shared::secure::noise::Share;
        match table.shared.map(|shared| shared.noise.share()) {
            Some(Share::DiscreteGaussian { sigma }) => sigma * 6_f64.sqrt(),
            _ => 0.0,
        }
    });
    let sigmas: Vec<f64> = sigmas.collect();
    let mut covered: BTreeMap<(String, usize), (u32, u32)> = BTreeMap::new();
    for _ in 0..400 {
        let sums = opened(&secure, |table, _| chance.gaussian(sigmas[table]));
        let publication = &mut template.publication;
        for place in 0..2 {
            let shared = study.tables()[place].shared.unwrap();
            let factor = shared.noise.factor();
            let own = &sums[shared.start..shared.start + shared.cells];
            for (cell, sum) in own.iter().enumerate() {
                let mut local = 0;
                if place == 0 {
                    for (node, figures) in publication.municipal.iter_mut().enumerate() {
                        let noisy = truth(node, place, cell) + chance.gaussian(10_f64.sqrt());
                        figures.tables[0].values[cell] = noisy;
                        local += noisy;
                    }
                }
                let table = &mut publication.tables[place];
                let published = table.shared.as_mut().unwrap();
                published.opened[cell] = *sum;
                let value = match &mut published.combined {
                    Some(combined) => {
                        combined.local[cell] = local;
                        weighed(*sum, factor, local, combined.weight)
                    }
                    None => crate::publish::shared::nearest(*sum, factor),
                };
                table.cells[cell].value = value.unwrap();
            }
        }
        let presentation = shown(&template, &everything());
        for id in ["core-S2", "core-S5"] {
            let (noisy, exact) = (table(&presentation, id), table(&exact, id));
            let size = noisy.cells.len() / noisy.regions.len();
            for place in 0..noisy.cells.len() {
                let region = &noisy.regions[place / size].code;
                let truth = number(&exact.cells.raw, place);
                let holds = number(&noisy.cells.lower95, place) <= truth
                    && truth <= number(&noisy.cells.upper95, place);
                let (hits, all) = covered.entry((id.to_owned(), region.len())).or_default();
                *hits += u32::from(holds);
                *all += 1;
            }
        }
    }
    for ((id, kind), (hits, all)) in covered {
        let share = f64::from(hits) / f64::from(all);
        println!("{id}, codes of {kind} characters: {:.2} % of {all}", 100.0 * share);
        assert!(share > 0.93, "{share} of {id}, codes of {kind} characters");
    }
}
