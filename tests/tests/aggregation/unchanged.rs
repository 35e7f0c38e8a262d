//! What was published before there were shared tables stands, and a study without them publishes what it
//! published then: the same fields, in the file and in every signed document within.
//!
//! The fixtures are a bundle and a presentation over synthetic records, as the last version of the program
//! without shared tables wrote them: of five nodes three reported, one had not decided and one declined.

use crate::country::{Country, ROUND};
use crate::scene::catalogue;
use data_encoding::BASE64;
use fellestall_coordinator::present::Presentation;
use fellestall_coordinator::publish::{PublicationFile, verify};
use fellestall_coordinator::template::Sharing;
use serde_json::Value;
use std::collections::BTreeSet;

const PUBLICATION: &[u8] = include_bytes!("../../fixtures/before/publication.json");
const PRESENTATION: &[u8] = include_bytes!("../../fixtures/before/presentation.json");
/// What the noise decides: null, and without fields, if it leaves too little of a rate's denominator; and
/// which cells of a presentation are hidden.
const CHANCE: [&str; 2] = [".publication.rates.figure", ".tables.cells."];

/// Every field of a document; what is in the payload of a signed one as fields of its envelope.
fn fields(bytes: &[u8]) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    add(&serde_json::from_slice(bytes).expect("JSON"), "", &mut all);
    let is_chance = |field: &str| CHANCE.iter().any(|of| field.starts_with(of));
    all.into_iter().filter(|field| !is_chance(field)).collect()
}

fn add(value: &Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                if let (true, Some(payload)) = (name == "payload", value.as_str()) {
                    let bytes = BASE64.decode(payload.as_bytes()).expect("base64");
                    add(&serde_json::from_slice(&bytes).expect("JSON"), &path, all);
                }
                add(value, &path, all);
                all.insert(path);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| add(value, path, all)),
        Value::Null => {
            all.insert(format!("{path} is null"));
        }
        _ => {}
    }
}

#[test]
fn what_was_published_before_there_were_shared_tables_verifies_and_is_shown() {
    let file: PublicationFile = serde_json::from_slice(PUBLICATION).expect("a publication");
    let key = &file.publication.certificate.coordinator_key;
    // This recomputes every figure from the releases, and writes the file again in the same bytes.
    let report = verify(PUBLICATION, Some(key), catalogue()).expect("it verifies");
    assert!(report.is_complete() && report.batches == 0, "{report}");
    let coverage = &file.publication.coverage;
    assert_eq!((coverage.reported, coverage.undecided, coverage.declined), (3, 1, 1));
    let presentation: Presentation = serde_json::from_slice(PRESENTATION).expect("a presentation");
    let again = serde_json::to_value(&presentation).expect("JSON");
    assert_eq!(again, serde_json::from_slice::<Value>(PRESENTATION).expect("JSON"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_round_publishes_the_fields_that_it_published_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let country = Country::found(folder.path(), 4, |_| Sharing::default()).await;
    country.answer(&country.world.nodes[..3]).await;
    country.command(&["round", "close", ROUND]).await.expect("published");
    let (store, round) = (&country.world.store, Country::round());
    let stored = store.publication(&round, 1).await.expect("an answer").expect("a publication");
    let mut before = fields(PUBLICATION);
    // Nobody declined here.
    assert!(before.remove(".publication.coverage.nodes.reason"));
    assert_eq!(fields(&stored.bundle), before);
    let shown = store.presentation(&round, 1).await.expect("an answer").expect("a presentation");
    assert_eq!(fields(&shown), fields(PRESENTATION));
    assert!(store.task_of_round(&round).await.expect("an answer").is_none());
    assert!(country.helper.store().batches().await.expect("batches").is_empty());
}
