//! Whatever was released, presentable values are whole, not negative and add up in every way.

use super::*;
use crate::present::rounding::{controlled, to_total};
use proptest::prelude::*;
use std::sync::LazyLock;

const TABLES: [&str; 9] = ["S1", "S2", "S3", "S4", "S5", "S7", "S14", "S16", "S18"];

static FEDERATION: LazyLock<Federation> =
    LazyLock::new(|| federation(&open(&TABLES.map(|id| (id, gaussian(50_000)))), 24));

fn value(cells: &PresentedCells, place: usize) -> i64 {
    let micro = cells.shown[place].unwrap().micro();
    assert_eq!(micro % 1_000_000, 0, "a count with decimals");
    micro / 1_000_000
}

/// All sums that a reader can check by hand.
fn adds_up(presentation: &Presentation) {
    for table in &presentation.tables {
        if table.kind != TableKind::Counts {
            continue;
        }
        let cells = &table.cells;
        let size = cells.len() / table.regions.len();
        for place in 0..cells.len() {
            assert!(value(cells, place) >= 0, "{} is negative", table.id);
            let (lower, upper) = (number(&cells.lower95, place), number(&cells.upper95, place));
            let shown = number(&cells.shown, place);
            assert!((0.0..=shown).contains(&lower) && shown <= upper, "{}", table.id);
        }
        for (region, leaves) in (0..table.regions.len())
            .flat_map(|region| totals(table).into_iter().map(move |leaves| (region, leaves)))
        {
            let (total, parts) = leaves;
            let sum: i64 = parts.iter().map(|part| value(cells, region * size + part)).sum();
            assert_eq!(value(cells, region * size + total), sum, "{} total {total}", table.id);
        }
        for cell in 0..size {
            let of = |length: usize| -> i64 {
                let own = table.regions.iter().enumerate();
                own.filter(|(_, region)| region.code.len() == length && region.code != COUNTRY)
                    .map(|(region, _)| value(cells, region * size + cell))
                    .sum()
            };
            let country = value(cells, cell);
            assert_eq!((of(2), of(4)), (country, country), "{} cell {cell}", table.id);
        }
    }
}

/// For each cell that is a total over one dimension: the cells that it is the sum of.
fn totals(table: &PresentedTable) -> Vec<(usize, Vec<usize>)> {
    let sizes: Vec<usize> = table.dimensions.iter().map(|own| own.categories.len()).collect();
    let size: usize = sizes.iter().product();
    let mut found = Vec::new();
    for (place, dimension) in table.dimensions.iter().enumerate().filter(|(_, own)| own.has_total) {
        let step: usize = sizes[place + 1..].iter().product();
        for cell in (0..size).filter(|cell| (cell / step).is_multiple_of(sizes[place])) {
            let parts = (1..dimension.categories.len()).map(|part| cell + part * step).collect();
            found.push((cell, parts));
        }
    }
    found
}

/// What several tables say must be the same in each of them.
fn agrees(presentation: &Presentation) {
    let get = |id: &str, region: &str, codes: &[&str]| {
        let table = table(presentation, id);
        value(&table.cells, at(table, region, codes))
    };
    for region in &table(presentation, "core-S3").regions {
        let region = region.code.as_str();
        let everyone = get("core-S2", region, &[TOTAL]);
        for id in ["core-S1", "core-S5"] {
            assert_eq!(get(id, region, &[TOTAL]), everyone, "{id} in {region}");
        }
        for milestone in ["m6", "m12", "m24"] {
            assert_eq!(get("core-S4", region, &[milestone, TOTAL]), everyone, "{milestone}");
        }
        assert_eq!(get("core-S14", region, &[TOTAL]), get("core-S16", region, &[TOTAL]));
        for year in &table(presentation, "core-S1").dimensions[0].categories {
            let fine = get("core-S3", region, &[&year.code, TOTAL]);
            assert_eq!(get("core-S1", region, &[&year.code]), fine);
        }
        for situation in &table(presentation, "core-S2").dimensions[0].categories {
            let fine = get("core-S3", region, &[TOTAL, &situation.code]);
            assert_eq!(get("core-S2", region, &[&situation.code]), fine);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn presentable_values_are_whole_not_negative_and_add_up(
        seed in any::<u64>(), low in -40_i64..=0, span in 1_u64..80,
    ) {
        let mut chance = Chance::new(seed);
        let mut drawn = std::collections::BTreeMap::new();
        for node in 0..24 {
            for (table, released) in FEDERATION.round.study().tables().iter().enumerate() {
                for cell in 0..released.statistic.cells() {
                    drawn.insert((node, table, cell), low + chance.below(span));
                }
            }
        }
        let all = FEDERATION.everyone(|node, table, cell| drawn[&(node, table, cell)]);
        let presentation = shown(&published(&FEDERATION, all), &everything());
        adds_up(&presentation);
        agrees(&presentation);
    }

    #[test]
    fn controlled_rounding_goes_up_or_down_and_keeps_every_sum(
        rows in 1_usize..9, columns in 1_usize..9, seed in any::<u64>(),
    ) {
        let mut chance = Chance::new(seed);
        let mut matrix: Vec<f64> = (0..rows * columns).map(|_| chance.below(4) as f64).collect();
        let sums = |matrix: &[f64]| -> (Vec<i64>, Vec<i64>) {
            let row = |row: usize| matrix[row * columns..][..columns].iter().sum::<f64>();
            let column = |column: usize| matrix.iter().skip(column).step_by(columns).sum::<f64>();
            let whole = |sum: f64| sum.round() as i64;
            ((0..rows).map(row).map(whole).collect(), (0..columns).map(column).map(whole).collect())
        };
        let (row_sums, column_sums) = sums(&matrix);
        // Moves along rectangles change no sum.
        for _ in 0..40 {
            let (a, b) = (chance.below(rows as u64) as usize, chance.below(rows as u64) as usize);
            let (c, d) = (chance.below(columns as u64) as usize, chance.below(columns as u64) as usize);
            if a == b || c == d { continue; }
            let amount = chance.share() * matrix[a * columns + c].min(matrix[b * columns + d]);
            for (row, column, sign) in [(a, c, -1.0), (b, d, -1.0), (a, d, 1.0), (b, c, 1.0)] {
                matrix[row * columns + column] += sign * amount;
            }
        }
        let rounded = controlled(&matrix, &row_sums, &column_sums);
        for (real, whole) in matrix.iter().zip(&rounded) {
            prop_assert!((real - *whole as f64).abs() < 1.0 + 1e-4, "{real} became {whole}");
        }
        let back: Vec<f64> = rounded.iter().map(|whole| *whole as f64).collect();
        prop_assert_eq!(sums(&back), (row_sums, column_sums));
    }

    /// Also where the cells do not have these sums, as when an optimum was not reached.
    #[test]
    fn rounding_gives_the_sums_asked_for_whatever_the_cells_are(
        cells in proptest::collection::vec(-3.0_f64..50.0, 12), rows in proptest::collection::vec(0_i64..90, 3),
        cut in proptest::collection::vec(0.0_f64..1.0, 3),
    ) {
        let total: i64 = rows.iter().sum();
        let mut columns: Vec<i64> = cut.iter().map(|share| (share * total as f64 / 3.0) as i64).collect();
        columns.push(total - columns.iter().sum::<i64>());
        let rounded = controlled(&cells, &rows, &columns);
        prop_assert!(rounded.iter().all(|cell| *cell >= 0));
        for (row, sum) in rounded.chunks(4).zip(&rows) {
            prop_assert_eq!(row.iter().sum::<i64>(), *sum);
        }
        for (column, sum) in columns.iter().enumerate() {
            prop_assert_eq!(rounded.iter().skip(column).step_by(4).sum::<i64>(), *sum);
        }
        let whole = to_total(&cells, total);
        prop_assert!(whole.iter().all(|cell| *cell >= 0));
        prop_assert_eq!(whole.iter().sum::<i64>(), total);
    }
}

#[test]
fn a_country_of_sixty_municipalities_adds_up_in_the_core_tables() {
    let tables = ["S2", "S4", "S5", "S7", "S14", "S17"].map(|id| (id, gaussian(50_000)));
    let federation = federation(&open(&tables), 60);
    let mut chance = Chance::new(7);
    let mut drawn = std::collections::BTreeMap::new();
    for node in 0..60 {
        for (table, released) in federation.round.study().tables().iter().enumerate() {
            for cell in 0..released.statistic.cells() {
                drawn.insert((node, table, cell), 2 + chance.gaussian(3.2));
            }
        }
    }
    let all = federation.everyone(|node, table, cell| drawn[&(node, table, cell)]);
    adds_up(&shown(&published(&federation, all), &everything()));
}

#[test]
fn a_poisoned_cell_does_not_stop_the_others() {
    use fellestall_shared::limits::CELL_MAGNITUDE;
    for extreme in [CELL_MAGNITUDE, -CELL_MAGNITUDE] {
        let value = |node: usize, table: usize, cell: usize| {
            if (node, table, cell) == (3, 1, 0) { extreme } else { 9 }
        };
        let presentation =
            shown(&published(&FEDERATION, FEDERATION.everyone(value)), &everything());
        let poisoned = table(&presentation, "core-S2");
        assert_eq!(poisoned.cells.raw[0], None, "beyond what can be published");
        let honest = table(&presentation, "core-S7");
        assert_eq!(number(&honest.cells.raw, 1), 9.0 * 24.0);
        assert_eq!(number(&honest.cells.shown, 1), 9.0 * 24.0);
    }
}
