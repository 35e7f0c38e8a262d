//! The whole way from an export to exact counts, held against figures known from elsewhere: what the
//! evaluation of 2017 printed about Bergen and Sandnes, and a second, plain count of other synthetic
//! municipalities.
//!
//! **Invariant:** exact values exist inside these tests only, and the records are synthetic.

use super::consent::cohort;
use super::count::{CountKey, count};
use super::people::terms;
use super::source::{Mapping, Origin, RejectedRows, SourceConfig, Wanted, read};
use fellestall_shared::catalogue::Catalogue;
use fellestall_shared::ids::Purpose;
use fellestall_shared::period::Period;
use fellestall_shared::privacy::Bound;
use fellestall_shared::statistic::Statistic;
use fellestall_shared::wire::v1::LegalBasis;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

mod drawn;
mod printed;

/// Every cell of every statistic of the catalogue: zeros too.
type Figures = BTreeMap<String, BTreeMap<String, i64>>;

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures"))
}

fn catalogue() -> &'static Catalogue {
    Catalogue::builtin().expect("a sound catalogue")
}

/// The codes of a cell's categories with `/` between.
fn name(statistic: &Statistic, cell: usize) -> String {
    let categories = statistic.categories_of(cell).expect("a cell of the table");
    categories.iter().map(|category| category.code()).collect::<Vec<_>>().join("/")
}

/// The catalogue's bound; for S19 one that cuts nobody, since the printed means are of all contacts.
fn bound(statistic: &Statistic) -> Bound {
    if statistic.id().as_str() == "S19" {
        return Bound::new(17, 500, 8_500).expect("a bound");
    }
    statistic.bound()
}

/// Counts everything in the catalogue over the export in this folder of the fixtures.
fn figures(folder: &str, mapping: &Mapping, period: &str) -> Figures {
    let config = SourceConfig::new(
        Origin::Folder(fixtures().join(folder)),
        mapping.clone(),
        RejectedRows::Refuse,
    );
    let period: Period = period.parse().expect("a period");
    let wanted = Wanted::between(period.first_day(), period.last_day());
    let (records, _) = read(&config, &wanted).expect("an export without rejected rows");
    let purpose: Purpose = "housing-first-statistics".parse().expect("a purpose");
    let key = CountKey::from_bytes([7; 32]);
    let cohort = cohort(&records, &purpose, LegalBasis::Consent, &terms(), period);
    let statistics = catalogue().statistics();
    let asked: Vec<_> = statistics.iter().map(|statistic| (statistic, bound(statistic))).collect();
    let tables = count(&asked, period, &cohort, &key).expect("counts");
    let named = |(statistic, cells): (&Statistic, Vec<i64>)| {
        let cells = cells.into_iter().enumerate();
        let cells = cells.map(|(cell, count)| (name(statistic, cell), count)).collect();
        (statistic.id().to_string(), cells)
    };
    let counts = tables.into_iter().map(|raw| raw.into_parts().0);
    statistics.iter().zip(counts).map(named).collect()
}

fn standard() -> Mapping {
    Mapping::standard().expect("the standard mapping")
}

fn bergen() -> Figures {
    figures("bergen", &standard(), "2016H2")
}

fn sandnes() -> Figures {
    figures("sandnes", &standard(), "2016H2")
}

#[test]
fn an_export_of_another_system_gives_the_same_counts_through_its_mapping_alone() {
    let text = fs::read_to_string(fixtures().join("foreign/mapping.toml")).expect("a mapping file");
    let mapping = Mapping::parse(&text).expect("a mapping");
    assert_eq!(figures("foreign", &mapping, "2016H2"), sandnes());
}
