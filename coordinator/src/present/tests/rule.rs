//! The presentation rule: what it refuses as a file, what it hides, and on which values.

use super::*;
use std::collections::BTreeMap;

const NUMBERS: [&str; 9] = ["1103", "1106", "1108", "1111", "4601", "4621", "4624", "4626", "5601"];

fn country(document: &StudyDocument) -> Federation {
    Federation::of(document, &NUMBERS.map(|number| number.parse().unwrap()))
}

/// Large, middling and small municipalities in two counties, and one county of one.
fn value(node: usize, _: usize, cell: usize) -> i64 {
    let large = [90, 60, 40, 3, 80, 2, -4, 5, 70];
    if cell == 0 { large[node] } else { large[node] / 8 + i64::try_from(cell).unwrap() % 3 - 1 }
}

fn rule() -> Policy {
    Policy { threshold: 5, variation_percent: 40, ..Policy::default() }
}

#[test]
fn a_rule_that_is_none_is_refused_with_what_where_and_how_to_mend_it() {
    let cases = [
        ("threshold = -1", "threshold in presentation.toml is -1; give 0 to 1000000"),
        ("variation_percent = 0", "variation_percent in presentation.toml is 0; give 1"),
        ("minimum_municipalities = 0", "minimum_municipalities in presentation.toml is 0; give 1"),
        ("version = 0", "version in presentation.toml is 0; give 1"),
        ("treshold = 3", "it may have version, threshold, variation_percent"),
        ("pool = 3", "it may have version, threshold"),
        ("threshold = ", "presentation.toml cannot be read"),
    ];
    for (text, part) in cases {
        let error = Policy::from_toml(text).unwrap_err().to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    let own = Policy::from_toml("version = 2\nthreshold = 10\npool = false").unwrap();
    assert_eq!((own.version, own.threshold, own.pool), (2, 10, false));
    assert_eq!(own.variation_percent, Policy::default().variation_percent);
    assert_eq!(Policy::from_toml("").unwrap(), Policy::default());
}

#[test]
fn every_decision_is_about_a_released_value_and_every_hidden_figure_has_one() {
    let federation = country(&open(&[("S2", gaussian(50_000)), ("S5", gaussian(50_000))]));
    for policy in [rule(), Policy { pool: false, ..rule() }, Policy::default()] {
        let presentation = shown(&published(&federation, federation.everyone(value)), &policy);
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        for decision in &presentation.decisions {
            *reasons.entry(format!("{:?}", decision.reason)).or_default() += 1;
            let table = table(&presentation, &decision.table);
            let codes: Vec<&str> = decision.codes.iter().map(String::as_str).collect();
            let place = at(table, &decision.region, &codes);
            let whole = if codes.is_empty() {
                at(table, &decision.region, &vec![TOTAL; table.dimensions.len()])
            } else {
                place
            };
            let raw = number(&table.cells.raw, whole);
            let deviation = number(&table.cells.deviation, whole);
            let on = decision.on.value();
            match decision.reason {
                Reason::BelowThreshold => assert!(on == raw && raw < policy.threshold as f64),
                Reason::TooUncertain => {
                    assert!(on == raw && raw >= policy.threshold as f64);
                    assert!(deviation * 100.0 > f64::from(policy.variation_percent) * raw);
                }
                Reason::Pooled => assert!(on == raw && policy.pool),
                Reason::TooFewMunicipalities => {
                    assert_eq!(on, f64::from(table.cells.municipalities[whole].unwrap()));
                    assert!(on < f64::from(policy.minimum_municipalities));
                }
            }
        }
        assert!(reasons.len() >= 2, "{reasons:?}");
        for table in presentation.tables.iter().filter(|own| own.kind == TableKind::Counts) {
            hidden_have_reasons(&presentation, table);
        }
    }
}

fn hidden_have_reasons(presentation: &Presentation, table: &PresentedTable) {
    let codes: Vec<&str> =
        table.dimensions[0].categories.iter().map(|own| own.code.as_str()).collect();
    for region in &table.regions {
        for code in &codes {
            let place = at(table, &region.code, &[code]);
            let cells = &table.cells;
            let decided = presentation.decisions.iter().any(|own| {
                own.table == table.id
                    && own.region == region.code
                    && (own.codes.is_empty() || own.codes == [*code])
            });
            let hidden = cells.symbols[place] == Some(Symbol::Suppressed);
            assert_eq!(hidden, decided, "{} {} {code}", table.id, region.code);
            assert_eq!(hidden, cells.shown[place].is_none());
            assert_eq!(hidden, cells.lower95[place].is_none());
            assert_eq!(hidden, cells.upper95[place].is_none());
            assert!(cells.raw[place].is_some() && cells.deviation[place].is_some());
        }
    }
}

#[test]
fn municipalities_that_cannot_be_shown_are_pooled_within_their_county() {
    let federation = country(&open(&[("S5", gaussian(50_000))]));
    let presentation = shown(&published(&federation, federation.everyone(value)), &rule());
    let table = table(&presentation, "core-S5");
    let codes: Vec<&str> = table.regions.iter().map(|own| own.code.as_str()).collect();
    let expected = [
        "0", "11", "1103", "1106", "1108", "1111", "11R", "46", "4601", "4621", "4624", "4626",
        "46R", "56", "5601",
    ];
    assert_eq!(codes, expected);
    let cells = &table.cells;
    let total = |region: &str| at(table, region, &[TOTAL]);
    for shown in ["0", "11", "46", "1103", "4601"] {
        assert!(cells.shown[total(shown)].is_some(), "{shown}");
    }
    let rest = ["4621", "4624", "4626"];
    for pooled in rest {
        assert_eq!(cells.symbols[total(pooled)], Some(Symbol::Suppressed), "{pooled}");
    }
    let sum: f64 = rest.iter().map(|own| number(&cells.raw, total(own))).sum();
    assert_eq!(number(&cells.raw, total("46R")), sum);
    // Three municipalities and four or five cells, each with a variance of 10.
    let leaves = (table.dimensions[0].categories.len() - 1) as f64;
    let deviation = (10.0 * 3.0 * leaves).sqrt();
    assert!((number(&cells.deviation, total("46R")) - deviation).abs() < 1e-4);
    assert_eq!(cells.municipalities[total("46R")], Some(3));
    // One in the pool is as good as named.
    assert_eq!(cells.municipalities[total("11R")], Some(1));
    let reason = |region: &str| {
        let own = presentation.decisions.iter().find(|own| own.region == region);
        own.map(|own| own.reason)
    };
    assert_eq!(reason("11R"), Some(Reason::TooFewMunicipalities));
    assert_eq!(reason("56"), Some(Reason::TooFewMunicipalities));
    assert_eq!(reason("1111"), Some(Reason::Pooled));
    assert_eq!(reason("0"), None);
    let label = &table.regions.iter().find(|own| own.code == "46R").unwrap().label;
    assert_eq!(label.nb, "Andre kommuner i Vestland");
    assert_eq!(label.nn, "Andre kommunar i Vestland");
    assert_eq!(label.en, "Other municipalities in Vestland");
}

/// A pool of all municipalities would be the county again; and a name that two regions have says
/// which is which.
#[test]
fn all_of_a_county_are_not_its_other_municipalities() {
    let federation = country(&open(&[("S5", gaussian(50_000))]));
    let nothing = |_: usize, _: usize, _: usize| 0;
    let presentation = shown(&published(&federation, federation.everyone(nothing)), &rule());
    let table = table(&presentation, "core-S5");
    assert!(table.regions.iter().all(|region| !region.code.ends_with('R')), "{:?}", table.regions);
    assert!(presentation.decisions.iter().any(|own| own.reason == Reason::Pooled));
}

#[test]
fn municipalities_that_have_not_reported_are_missing_and_counted_as_asked() {
    let federation = country(&open(&[("S5", gaussian(50_000))]));
    let mut all = federation.everyone(|_, _, _| 60);
    all[4].reported = None;
    let presentation = shown(&published(&federation, all), &everything());
    let table = table(&presentation, "core-S5");
    let absent = at(table, "4601", &[TOTAL]);
    let cells = &table.cells;
    assert_eq!(cells.symbols[absent], Some(Symbol::Missing));
    assert_eq!((cells.raw[absent], cells.shown[absent]), (None, None));
    assert_eq!((cells.municipalities[absent], cells.asked[absent]), (Some(0), Some(1)));
    let county = at(table, "46", &[TOTAL]);
    assert_eq!((cells.municipalities[county], cells.asked[county]), (Some(3), Some(4)));
    let all = at(table, COUNTRY, &[TOTAL]);
    assert_eq!((cells.municipalities[all], cells.asked[all]), (Some(8), Some(9)));
}

#[test]
fn the_country_is_hidden_for_too_few_municipalities_and_for_nothing_else() {
    let federation = country(&document(&[("S5", gaussian(50_000))]));
    let strict = Policy { threshold: 1_000_000, variation_percent: 1, ..Policy::default() };
    let published = published(&federation, federation.everyone(|_, _, _| 0));
    let presentation = shown(&published, &strict);
    assert_eq!(presentation.tables[0].regions.len(), 1);
    assert!(presentation.tables[0].cells.shown.iter().all(Option::is_some));
    assert!(presentation.decisions.is_empty());
    let few = Policy { minimum_municipalities: 10, ..strict };
    let presentation = shown(&published, &few);
    assert!(presentation.tables[0].cells.shown.iter().all(Option::is_none));
    assert_eq!(presentation.decisions.len(), 1);
}

/// The presentation has no other input than the publication and the rule; of the publication, what is
/// decided hangs on the released values alone.
#[test]
fn equal_released_values_are_presented_and_decided_alike() {
    let federation = country(&open(&[("S2", gaussian(50_000)), ("S14", gaussian(50_000))]));
    let first = published(&federation, federation.everyone(value));
    let mut again = published(&federation, federation.everyone(value));
    assert_eq!(shown(&first, &rule()), shown(&again, &rule()));
    again.publication.version = 7;
    again.publication.about = again.publication.title.clone();
    again.publication.certificate.releases.clear();
    let (first, again) = (shown(&first, &rule()), shown(&again, &rule()));
    assert_eq!(first.decisions, again.decisions);
    assert_eq!(first.tables, again.tables);
    assert!(!first.decisions.is_empty());
}
