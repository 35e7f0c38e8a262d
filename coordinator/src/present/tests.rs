//! Presentations of whole publications, made from signed releases, and the helpers that the tests here
//! share.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::float_cmp,
    reason = "tests hold small numbers, and figures in fixed point are exact"
)]

use super::*;
use crate::publish::tests::{Federation, document, gaussian};
use crate::publish::{Participant, Published, publish};
use fellestall_shared::labels::Language;
use fellestall_shared::municipality;
use fellestall_shared::privacy::Loss;
use fellestall_shared::wire::v1::{LateReleases, StudyDocument};

mod additive;
mod coverage;
mod derived;
mod optimum;
mod rule;
mod shared;

/// Numbers of a generator that is good enough for tests, from a seed.
pub(super) struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits (Steele, Lea and Flood 2014).
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: u64) -> i64 {
        i64::try_from(self.next() % end).unwrap()
    }

    /// Uniform between 0 and 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Noise of a discrete Gaussian, by its distribution function over plus and minus 12 deviations.
    pub fn gaussian(&mut self, sigma: f64) -> i64 {
        let reach = (12.0 * sigma).ceil() as i64 + 1;
        let mass = |x: i64| (-(x * x) as f64 / (2.0 * sigma * sigma)).exp();
        let total: f64 = (-reach..=reach).map(mass).sum();
        let mut left = self.share() * total;
        for x in -reach..=reach {
            left -= mass(x);
            if left <= 0.0 {
                return x;
            }
        }
        0
    }
}

/// A study that publishes municipal figures.
pub(super) fn open(tables: &[(&str, Loss)]) -> StudyDocument {
    StudyDocument { municipal_figures: true, ..document(tables) }
}

/// Loss so large that there is no noise to speak of.
pub(super) fn noiseless() -> Loss {
    gaussian(50_000_000)
}

/// A federation of the first municipalities of the snapshot.
pub(super) fn federation(document: &StudyDocument, nodes: usize) -> Federation {
    let numbers: Vec<_> = municipality::all().iter().map(|known| known.number.clone()).collect();
    Federation::of(document, &numbers[..nodes])
}

pub(super) fn published(federation: &Federation, all: Vec<Participant>) -> Published {
    publish(federation.input(all)).unwrap()
}

pub(super) fn everything() -> Policy {
    Policy {
        threshold: 0,
        variation_percent: 1_000_000,
        minimum_municipalities: 1,
        pool: false,
        ..Policy::default()
    }
}

pub(super) fn shown(published: &Published, policy: &Policy) -> Presentation {
    present(&published.publication, published.digest, policy).unwrap()
}

/// The presented table with this id.
pub(super) fn table<'p>(presentation: &'p Presentation, id: &str) -> &'p PresentedTable {
    presentation.tables.iter().find(|table| table.id == id).unwrap_or_else(|| panic!("no {id}"))
}

/// The place of a cell of a presented table.
pub(super) fn at(table: &PresentedTable, region: &str, codes: &[&str]) -> usize {
    let mut place = table.regions.iter().position(|own| own.code == region).unwrap();
    for (dimension, code) in table.dimensions.iter().zip(codes) {
        let own = dimension.categories.iter().position(|own| own.code == *code).unwrap();
        place = place * dimension.categories.len() + own;
    }
    place
}

/// A column of a cell as a number.
pub(super) fn number(column: &[Option<Fixed>], place: usize) -> f64 {
    column[place].unwrap().value()
}

#[test]
fn ids_say_the_definition_from_the_second_on() {
    assert_eq!(figures::id("core", "S2", 1), "core-S2");
    assert_eq!(figures::id("core", "S2", 2), "core-S2-d2");
    assert_eq!(figures::id("core", "S2", 13), "core-S2-d13");
}

#[test]
fn each_table_says_what_it_counts_and_has_totals_where_its_categories_add_up() {
    let ids = ["S3", "S4", "S7", "S15", "S18", "S19", "S24", "S25", "S28"];
    let tables: Vec<_> = ids.map(|id| (id, gaussian(50_000))).to_vec();
    let federation = federation(&document(&tables), 3);
    let published = published(&federation, federation.everyone(|_, _, _| 4));
    let presentation = shown(&published, &everything());
    let found = |id: &str| {
        let table = table(&presentation, id);
        let totals: Vec<bool> = table.dimensions.iter().map(|own| own.has_total).collect();
        (table.figure.code.as_str(), totals)
    };
    assert_eq!(found("core-S3"), ("Deltakere", vec![true, true]));
    assert_eq!(found("core-S4"), ("Deltakere", vec![false, true]));
    assert_eq!(found("core-S7"), ("TapteBoliger", vec![true]));
    assert_eq!(found("core-S15"), ("Naboklager", vec![true]));
    assert_eq!(found("core-S18"), ("Deltakere", vec![false]));
    assert_eq!(found("core-S19"), ("Kontakter", vec![true]));
    assert_eq!(found("core-S24"), ("Deltakere", vec![false, true]));
    assert_eq!(found("core-S25"), ("Deltakere", vec![false, true]));
    assert_eq!(found("core-S28"), ("Deltakere", vec![true, true]));
    for table in &presentation.tables {
        let cells: usize = table.dimensions.iter().map(|own| own.categories.len()).product();
        assert_eq!(table.cells.len(), table.regions.len() * cells, "{}", table.id);
        for language in [Language::Nb, Language::Nn, Language::En] {
            assert!(!table.figure.label.text(language).is_empty());
        }
    }
}

#[test]
fn a_round_with_missing_nodes_is_provisional_if_late_releases_are_taken() {
    for (late_releases, provisional) in
        [(LateReleases::NewVersion, true), (LateReleases::Refused, false)]
    {
        let study = StudyDocument { late_releases, ..document(&[("S5", gaussian(50_000))]) };
        let federation = federation(&study, 4);
        let mut all = federation.everyone(|_, _, _| 40);
        let whole = shown(&published(&federation, all.clone()), &everything());
        assert!(!whole.provisional);
        assert!(whole.tables[0].cells.symbols.iter().all(Option::is_none));
        all[2].reported = None;
        let partial = shown(&published(&federation, all), &everything());
        assert_eq!(partial.provisional, provisional);
        let mark = provisional.then_some(Symbol::Provisional);
        assert!(partial.tables[0].cells.symbols.iter().all(|symbol| *symbol == mark));
        assert!(partial.tables[0].cells.shown.iter().all(Option::is_some));
    }
}

#[test]
fn a_publication_whose_study_is_not_signed_by_its_key_is_not_presented() {
    let federation = federation(&document(&[("S5", gaussian(50_000))]), 3);
    let mut all = federation.everyone(|_, _, _| 40);
    all[0].reported = None;
    let mut published = published(&federation, all);
    let other = self::federation(&document(&[("S5", gaussian(50_000))]), 3);
    published.publication.certificate.coordinator_key = other.key.verifying_key();
    let refused = present(&published.publication, published.digest, &everything());
    assert!(matches!(refused, Err(PresentError::Study(_))));
}
