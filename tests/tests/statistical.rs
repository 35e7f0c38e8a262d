//! What published figures promise, measured over many rounds of real kernels: intervals cover, and
//! empty municipalities add nothing but noise.
//!
//! The noise has no seed, so each test states how often it fails by chance alone.
#![cfg(test)]

use fellestall_coordinator::template::{self, Wish};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::StatisticId;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Rho;
use fellestall_shared::wire::v1::StudyDocument;
use fellestall_tests::offline::Federation;
use fellestall_tests::synthetic::{self, Export};
use std::collections::BTreeMap;
use std::fs;

fn core_study() -> StudyDocument {
    let wish = Wish {
        statistics: Vec::new(),
        rho: Rho::from_micro(125_000),
        starts: "2013-01-01".to_owned(),
        ends: "2030-12-31".to_owned(),
        minimum_nodes: 5,
        residence: fellestall_shared::wire::v1::Residence::Anywhere,
        sharing: fellestall_coordinator::template::Sharing::default(),
        municipal_figures: false,
    };
    template::study(&wish, Catalogue::builtin().expect("the catalogue is sound")).expect("a study")
}

fn period() -> Period {
    synthetic::PUBLISHED_PERIOD.parse().expect("a period")
}

fn exports() -> Vec<Export> {
    synthetic::nineteen()
        .iter()
        .map(|number| match number.as_str() {
            "4601" => synthetic::bergen(),
            "1108" => synthetic::sandnes(),
            _ => synthetic::municipality(number, period(), 1),
        })
        .collect()
}

/// How often intervals held the truth.
#[derive(Default)]
struct Hits {
    covered: u32,
    of: u32,
}

impl Hits {
    fn percent(&self) -> f64 {
        100.0 * f64::from(self.covered) / f64::from(self.of)
    }
}

/// Rounds are added in batches of 200 until every core table's coverage lies within two points of
/// 95 %, ten batches at the most.
///
/// By the law of the noise the intervals of these tables cover 95.1 to 95.7 %. After ten batches the
/// smallest table has 8,000 intervals, a standard error of 0.23 points: being beyond 97 % by chance
/// is below 1e-6. The test is made to notice intervals that are wrong everywhere: if all were a tenth
/// too narrow (92 % coverage), all six tables would have to lie within two points at once, which
/// happens in a batch with a probability of about 1e-5. One table alone at 92 % may pass the first
/// batch (up to one time in five); the exact law is held by the tests of the merge.
#[test]
fn every_core_table_covers_the_truth_in_95_of_100_intervals() {
    let folder = tempfile::tempdir().expect("a folder");
    let exports = exports();
    let federation = Federation::found(folder.path(), &core_study(), period(), &exports)
        .expect("nineteen municipalities");
    let mut hits: BTreeMap<String, Hits> = BTreeMap::new();
    for batch in 1..=10 {
        for _ in 0..200 {
            repeat(&federation, &exports, &mut hits);
        }
        let worst = hits.values().map(|h| (h.percent() - 95.0).abs()).fold(0.0, f64::max);
        for (what, hits) in &hits {
            println!("{what}: {:.2} % of {} intervals", hits.percent(), hits.of);
        }
        if worst <= 2.0 {
            println!("within two points of 95 % after {} rounds", 200 * batch);
            return;
        }
    }
    panic!("coverage is not within two points of 95 %");
}

fn repeat(federation: &Federation, exports: &[Export], hits: &mut BTreeMap<String, Hits>) {
    let ledgers = tempfile::tempdir().expect("a folder");
    let releases = federation.releases(ledgers.path()).expect("releases");
    let published = federation.publish(&releases).expect("a publication").publication;
    for table in &published.tables {
        let tally = hits.entry(table.statistic.to_string()).or_default();
        for cell in &table.cells {
            let truth = exact(exports, &table.statistic, &cell.codes);
            tally.of += 1;
            tally.covered += u32::from(cell.lower95 <= truth && truth <= cell.upper95);
        }
    }
}

fn exact(exports: &[Export], statistic: &StatisticId, codes: &[String]) -> i64 {
    exports
        .iter()
        .map(|export| {
            export.truth.count(statistic.as_str(), &codes.join("/")).expect("a known cell")
        })
        .sum()
}

/// The mean of 357 x cells noisy zeros, in units of its standard error; by chance alone it is
/// beyond 4.4 about once in 90,000 runs of this test.
#[test]
fn many_empty_municipalities_add_no_bias() {
    let folder = tempfile::tempdir().expect("a folder");
    let number = "4601".parse().expect("a number");
    let export = synthetic::municipality(&number, period(), 1);
    let federation = Federation::found(folder.path(), &core_study(), period(), &[export])
        .expect("one municipality");
    empty_all_files(&folder.path().join("4601-1").join("records"));
    let (mut sum, mut variance) = (0.0, 0.0);
    for _ in 0..357 {
        let ledgers = tempfile::tempdir().expect("a folder");
        for release in federation.releases(ledgers.path()).expect("a release of nobody") {
            for table in &release.document().tables {
                for value in &table.values {
                    sum += i32::try_from(*value).map(f64::from).expect("noise is small");
                    variance += table.scale * table.scale;
                }
            }
        }
    }
    let deviations = sum / variance.sqrt();
    println!("the national error of 357 empty municipalities is {deviations:.2} standard errors");
    assert!(deviations.abs() < 4.4, "{deviations}");
}

/// Leaves each file its header.
fn empty_all_files(records: &std::path::Path) {
    for entry in fs::read_dir(records).expect("the export") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "csv") {
            let text = fs::read_to_string(&path).expect("text");
            let header = text.lines().next().expect("a header");
            fs::write(&path, format!("{header}\n")).expect("written");
        }
    }
}
