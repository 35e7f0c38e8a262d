//! A study without shared tables publishes what it published before there were any: the same fields, in
//! the file and in every signed document within, by the same nodes, coordinator and commands.

use crate::country::{Country, ROUND};
use data_encoding::BASE64;
use fellestall_coordinator::template::Sharing;
use serde_json::Value;
use std::collections::BTreeSet;

/// Every field of the bundle of a local round; the payload of a signed document as fields of its envelope.
const FIELDS: &str = include_str!("unchanged.txt");
/// Null, and without fields, if the noise leaves too little of a rate's denominator.
const CHANCE: &str = ".publication.rates.figure";

fn fields(value: &Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                if let (true, Some(payload)) = (name == "payload", value.as_str()) {
                    let bytes = BASE64.decode(payload.as_bytes()).expect("base64");
                    let document = serde_json::from_slice(&bytes).expect("JSON");
                    fields(&document, &path, all);
                }
                fields(value, &path, all);
                all.insert(path);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, path, all)),
        Value::Null => {
            all.insert(format!("{path} is null"));
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_local_round_publishes_the_fields_that_it_published_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let country = Country::found(folder.path(), 4, |_| Sharing::default()).await;
    country.answer(&country.world.nodes[..3]).await;
    country.command(&["round", "close", ROUND]).await.expect("published");
    let stored = country.world.store.publication(&Country::round(), 1).await.expect("an answer");
    let bundle: Value = serde_json::from_slice(&stored.expect("one").bundle).expect("JSON");
    let mut found = BTreeSet::new();
    fields(&bundle, "", &mut found);
    let found: Vec<_> = found.into_iter().filter(|field| !field.starts_with(CHANCE)).collect();
    let expected: Vec<_> = FIELDS.lines().collect();
    assert_eq!(found, expected);
    let round = Country::round();
    let store = &country.world.store;
    assert!(store.task_of_round(&round).await.expect("an answer").is_none());
    assert!(country.helper.store().batches().await.expect("batches").is_empty());
}
