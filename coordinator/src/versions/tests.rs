//! The catalogue and the measurements, read back by other readers.

use super::{catalog, cite, measurements};
use crate::config::Web;
use crate::databank::{Cube, Databank, Entry};
use crate::formats::tests::fixture;
use crate::present::Policy;
use crate::public::Site;
use crate::publish::tests::{Federation, document, gaussian};
use crate::publish::{Publication, publish};
use crate::store::Store;
use axum::body::Bytes;
use fellestall_shared::clock::{SystemClock, Timestamp};
use fellestall_shared::labels::Labels;
use fellestall_shared::wire::v1::StudyDocument;
use oxrdf::Triple;
use oxttl::TurtleParser;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::BTreeMap;
use std::sync::Arc;

async fn site(folder: &std::path::Path, web: Web) -> Site {
    let file = folder.join("store.db");
    std::fs::write(&file, "").expect("a file");
    let store = Store::open(&format!("sqlite://{}", file.display())).await.expect("a store");
    let clock = Arc::new(SystemClock);
    let databank =
        Databank::open(store, &Policy::default(), clock.clone()).await.expect("a databank");
    Site { databank, web, url: "https://tall.example.no".to_owned(), clock }
}

fn entry(id: &str) -> Entry {
    let cube = fixture::cube();
    let presentation = &cube.slices[0].presentation;
    let table = &presentation.tables[0];
    let trouble = |text: &str| Labels {
        nb: format!("{text} \"æøå\" \\ <&> "),
        nn: format!("{text}\nto linjer"),
        en: text.to_owned(),
    };
    Entry {
        id: id.to_owned(),
        title: trouble("Bosituasjon"),
        description: trouble("Deltakere"),
        study: presentation.study.clone(),
        study_title: presentation.study_title.clone(),
        statistic: table.statistic.clone(),
        variables: Cube::variables(table),
    }
}

/// Objects by the last part of subject and predicate.
fn graph(turtle: &[u8]) -> BTreeMap<(String, String), Vec<String>> {
    let mut graph: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
    for triple in TurtleParser::new().for_slice(turtle) {
        let Triple { subject, predicate, object } = triple.expect("Turtle that parses");
        let last = |iri: &str| iri.rsplit(['#', '/']).next().unwrap_or_default().to_owned();
        let subject = subject.to_string().trim_matches(['<', '>']).to_owned();
        graph.entry((subject, last(predicate.as_str()))).or_default().push(object.to_string());
    }
    graph
}

/// The properties that DCAT-AP-NO makes mandatory are on every catalogue, dataset, distribution,
/// service and agent.
#[tokio::test]
async fn the_catalogue_parses_and_has_what_dcat_ap_no_makes_mandatory() {
    let folder = tempfile::tempdir().unwrap();
    let site = site(folder.path(), Web::default()).await;
    let entries = ["core-S2", "core-S4"].map(entry);
    let rounds = [("2025H2", "core.1.2025H2", 1), ("2026H1", "core.1.2026H1", 3)]
        .map(|(period, round, version)| (period.parse().unwrap(), round.parse().unwrap(), version));
    let updated = Timestamp::from_unix(1_785_000_000);
    let datasets = entries.iter().map(|entry| catalog::Dataset { entry, rounds: &rounds, updated });
    let turtle = catalog::turtle(&site, datasets).expect("a catalogue");
    let graph = graph(&turtle);
    let mandatory = [
        (
            "Catalog",
            &["title", "description", "publisher", "contactPoint", "identifier", "dataset"][..],
            1,
        ),
        (
            "Dataset",
            &["title", "description", "publisher", "contactPoint", "identifier", "theme"][..],
            2,
        ),
        ("Distribution", &["accessURL", "license", "title", "mediaType"][..], 14),
        (
            "DataService",
            &["title", "publisher", "contactPoint", "identifier", "endpointURL"][..],
            1,
        ),
        ("Agent", &["name", "identifier"][..], 1),
        ("Organization", &["fn", "hasURL"][..], 1),
        ("PeriodOfTime", &["startDate", "endDate"][..], 2),
    ];
    for (class, properties, count) in mandatory {
        let own: Vec<&String> = graph
            .iter()
            .filter(|((_, predicate), kinds)| {
                let is = |kind: &String| kind.trim_end_matches('>').ends_with(class);
                predicate == "type" && kinds.iter().any(is)
            })
            .map(|((subject, _), _)| subject)
            .collect();
        assert_eq!(own.len(), count, "{class}");
        for subject in own {
            for property in properties {
                let found = graph.get(&(subject.clone(), (*property).to_owned()));
                assert!(found.is_some_and(|found| !found.is_empty()), "{subject} {property}");
            }
        }
    }
    let of = |predicate: &str| {
        graph[&("https://tall.example.no/api/v2/tables/core-S2".to_owned(), predicate.to_owned())]
            .clone()
    };
    assert_eq!(of("distribution").len(), 7);
    assert_eq!(of("versionInfo"), ["\"core.1.2025H2.v1\"", "\"core.1.2026H1.v3\""]);
    assert_eq!(of("language").len(), 3);
    assert_eq!(of("title").len(), 3);
    let period = |end: &str| {
        let key = "https://tall.example.no/api/v2/tables/core-S2#period".to_owned();
        graph[&(key, end.to_owned())][0].clone()
    };
    assert!(period("startDate").contains("2025-07-01") && period("endDate").contains("2026-06-30"));
}

fn published() -> Publication {
    let tables = [("S2", gaussian(50_000)), ("S25", gaussian(50_000))];
    let document = StudyDocument { municipal_figures: true, ..document(&tables) };
    let federation = Federation::new(&document, 3);
    let value = |node: usize, table: usize, cell: usize| {
        i64::try_from(100 * node + 10 * table + cell).unwrap() - 5
    };
    publish(federation.input(federation.everyone(value))).unwrap().publication
}

#[test]
fn measurements_are_equal_in_csv_and_parquet_with_every_municipality() {
    let publication = published();
    let csv = measurements::csv(&publication).unwrap();
    let mut csv = ::csv::Reader::from_reader(csv.as_slice());
    let parquet = Bytes::from(measurements::parquet(&publication).unwrap());
    let parquet = SerializedFileReader::new(parquet).unwrap();
    let names = csv.headers().unwrap().clone();
    let lines: Vec<_> = csv.records().map(Result::unwrap).collect();
    let cells: usize = publication.tables.iter().map(|table| table.cells.len()).sum();
    assert_eq!(lines.len(), cells * 4, "the sums, and three municipalities");
    let mut rows = 0;
    for (line, row) in lines.iter().zip(parquet.get_row_iter(None).unwrap()) {
        let row = row.unwrap();
        for ((name, text), (column, field)) in names.iter().zip(line).zip(row.get_column_iter()) {
            assert_eq!(name, column);
            let found = match field {
                Field::Str(text) => text.clone(),
                Field::Long(number) => number.to_string(),
                Field::Double(number) => number.to_string(),
                Field::Null => String::new(),
                other => panic!("{other:?}"),
            };
            assert_eq!(text, found, "{name}");
        }
        rows += 1;
    }
    assert_eq!(rows, lines.len());
    let at = |name: &str| names.iter().position(|known| known == name).unwrap();
    for (place, cell) in publication.tables[0].cells.iter().enumerate() {
        assert_eq!(lines[place][at("value")], cell.value.to_string());
        let municipal: i64 = lines
            .iter()
            .filter(|line| {
                line[at("region")] != *"0"
                    && line[at("statistic")] == *"S2"
                    && line[at("code1")] == cell.codes[0]
            })
            .map(|line| line[at("value")].parse::<i64>().unwrap())
            .sum();
        assert_eq!(municipal, cell.value, "a sum is that of its municipalities");
    }
}

#[tokio::test]
async fn a_configured_doi_is_used_and_none_is_made_up() {
    let publication = published();
    let id = super::id(&publication.round, publication.version);
    let folder = tempfile::tempdir().unwrap();
    let doi = [(id.clone(), "10.5555/tall-1".to_owned())].into();
    let with = site(folder.path(), Web { doi, ..Web::default() }).await;
    let language = fellestall_shared::labels::Language::En;
    let cited = cite::sentence(&with, &publication, "abc", language);
    assert!(cited.contains("https://doi.org/10.5555/tall-1"), "{cited}");
    let without = Site { web: Web::default(), ..with };
    let cited = cite::sentence(&without, &publication, "abc", language);
    assert!(cited.contains(&format!("https://tall.example.no/publications/{id}")), "{cited}");
    assert!(!cited.contains("doi"), "{cited}");
}
