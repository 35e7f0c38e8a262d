//! The intervals that are shown hold what they promise, in every region.

use super::*;
use std::collections::BTreeMap;

/// 300 rounds of 6 municipalities in two counties; each of the 18,000 cells and totals of municipalities
/// is covered with a probability of at least 0.95, so that fewer than 94 % has a probability below 1e-6
/// also if totals, counties and country add nothing of their own.
#[test]
fn a_shown_interval_covers_the_exact_count_in_95_of_100_cases() {
    const SIGMA: f64 = 3.162_277_660_168_379_5;
    let study = open(&[("S2", gaussian(50_000)), ("S5", gaussian(50_000))]);
    let numbers = ["1103", "1106", "1108", "4601", "4621", "4624"];
    let federation = Federation::of(&study, &numbers.map(|number| number.parse().unwrap()));
    let truth = |node: usize, table: usize, cell: usize| -> i64 {
        let value = (7 * node + 3 * table + 5 * cell) % 11;
        if value < 6 { 0 } else { i64::try_from(value).unwrap() - 5 }
    };
    let exact = published(&federation, federation.everyone(truth));
    let exact = shown(&exact, &everything());
    let mut template = published(&federation, federation.everyone(truth));
    let mut chance = Chance::new(4_711);
    let mut covered: BTreeMap<usize, (u32, u32)> = BTreeMap::new();
    for _ in 0..300 {
        let publication = &mut template.publication;
        for (table, national) in publication.tables.iter_mut().enumerate() {
            for (cell, figure) in national.cells.iter_mut().enumerate() {
                figure.value = 0;
                for (node, municipal) in publication.municipal.iter_mut().enumerate() {
                    let noisy = truth(node, table, cell) + chance.gaussian(SIGMA);
                    municipal.tables[table].values[cell] = noisy;
                    figure.value += noisy;
                }
            }
        }
        let presentation = shown(&template, &everything());
        for (noisy, exact) in presentation.tables.iter().zip(&exact.tables) {
            if noisy.kind != TableKind::Counts {
                continue;
            }
            let size = noisy.cells.len() / noisy.regions.len();
            for place in 0..noisy.cells.len() {
                let truth = number(&exact.cells.raw, place);
                let holds = number(&noisy.cells.lower95, place) <= truth
                    && truth <= number(&noisy.cells.upper95, place);
                let kind = noisy.regions[place / size].code.len();
                let (hits, all) = covered.entry(kind).or_default();
                *hits += u32::from(holds);
                *all += 1;
            }
        }
    }
    for (kind, (hits, all)) in covered {
        let share = f64::from(hits) / f64::from(all);
        println!("codes of {kind} characters: {:.2} % of {all}", 100.0 * share);
        assert!(share > 0.94, "{share} of regions with codes of {kind} characters");
    }
}
