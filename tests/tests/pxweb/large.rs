//! Ten thousand tables in several versions: what starting, listing and searching take is printed.

use crate::fixture::{Bank, PERIODS, generous, presentation, publications};
use fellestall_coordinator::databank;
use fellestall_shared::ids::RoundId;
use std::time::Instant;

/// Tables of one round.
const OF_ROUND: usize = 50;
/// Studies, each with a round for every period: tables in all.
const STUDIES: usize = 200;

#[test]
fn ten_thousand_tables_are_listed_and_searched() {
    let started = Instant::now();
    let bank = Bank::over(generous(), async |store, address| {
        let mut rounds = Vec::new();
        for study in 0..STUDIES {
            for (period, code) in PERIODS.iter().enumerate() {
                let round: RoundId = format!("study{study}.1.{code}").parse().expect("a round");
                rounds.push((study, period, round));
            }
        }
        let ids: Vec<RoundId> = rounds.iter().map(|(_, _, round)| round.clone()).collect();
        publications(address, &ids).await;
        for (study, period, round) in &rounds {
            let shown = presentation(*period, round, Vec::new());
            let mut new = databank::stored(&shown).expect("a document");
            for table in 0..OF_ROUND {
                let id = format!("study{study}-S{}", table + 1);
                let labels = |text: &str| serde_json::json!({"nb": text, "nn": text, "en": text});
                let entry = serde_json::json!({
                    "id": id,
                    "title": labels(&format!("Deltakere etter bosituasjon {table} i undersøkelse {study}")),
                    "description": labels(&"Hvem som telles, og når. ".repeat(8)),
                    "study": format!("study{study}"),
                    "study_title": labels("En undersøkelse"),
                    "statistic": format!("S{}", table + 1),
                    "variables": [labels("region"), labels("bosituasjon"), labels("periode")],
                });
                let entry = entry.to_string();
                let line = fellestall_coordinator::store::presentations::NewTable { id, entry };
                new.tables.push(line);
            }
            store.add_presentation(round, 1, &new, shown.published).await.expect("stored");
        }
    });
    println!("filling and starting: {} ms", started.elapsed().as_millis());
    let timed = |what: &str, path: &str| {
        let started = Instant::now();
        let answer = bank.get(path).ok();
        println!("{what}: {} ms", started.elapsed().as_millis());
        answer
    };
    let all = STUDIES * OF_ROUND;
    let first = timed("the first list, which reads the catalogue", "/api/v2/tables");
    assert_eq!(first["page"]["totalElements"], all);
    let again = timed("a list", "/api/v2/tables?pageNumber=400");
    assert_eq!(again["page"]["pageNumber"], 400);
    let found =
        timed("a search", "/api/v2/tables?query=bosituasjon+7+unders%C3%B8kelse+193&pageSize=60");
    assert!(found["tables"].as_array().is_some_and(|tables| !tables.is_empty()));
    let none = timed("a search that finds nothing", "/api/v2/tables?query=nothing");
    assert_eq!(none["page"]["totalElements"], 0);
    let whole = timed("all on one page", "/api/v2/tables?pageSize=10000");
    assert_eq!(whole["tables"].as_array().map(Vec::len), Some(all));
}
