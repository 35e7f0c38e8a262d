//! Every number in every answer is the stored cell of exactly its coordinates.

use crate::fixture::{Bank, MEASURES, PERIODS, REGIONS, TABLES, generous, oracle};
use jsonstat_validator::{ValidateOptions, validate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

/// The codes of a dimension in an answer, in its order.
fn codes(dataset: &Value, id: &str) -> Vec<String> {
    let index = dataset["dimension"][id]["category"]["index"].as_object().expect("an object");
    let mut codes: Vec<(String, u64)> = index
        .iter()
        .map(|(code, place)| (code.clone(), place.as_u64().expect("a place")))
        .collect();
    codes.sort_by_key(|(_, place)| *place);
    codes.into_iter().map(|(code, _)| code).collect()
}

fn place(codes: &[&str], code: &str) -> usize {
    codes.iter().position(|known| *known == code).unwrap_or_else(|| panic!("no {code}"))
}

/// Checks every cell of an answer; a dimension that is not in it stands at its total.
#[track_caller]
pub fn check_cells(dataset: &Value, table: usize) -> usize {
    let (_, own, categories, _) = TABLES[table];
    let ids: Vec<String> = serde_json::from_value(dataset["id"].clone()).expect("ids");
    let values = dataset["value"].as_array().expect("a dense array");
    let axes: Vec<Vec<String>> = ids.iter().map(|id| codes(dataset, id)).collect();
    assert_eq!(values.len(), axes.iter().map(Vec::len).product::<usize>());
    for (number, value) in values.iter().enumerate() {
        let mut at = [table, usize::MAX, 0, 0, usize::MAX];
        let mut rest = number;
        for (id, axis) in ids.iter().zip(&axes).rev() {
            let code = axis[rest % axis.len()].as_str();
            rest /= axis.len();
            match id.as_str() {
                "Region" => at[2] = place(&REGIONS, code),
                "Tid" => at[1] = place(&PERIODS, code),
                "ContentsCode" => at[4] = place(&MEASURES, code),
                other if other == own => at[3] = place(categories, code),
                other => panic!("no dimension {other}"),
            }
        }
        let (expected, mark) = oracle(at);
        assert_eq!(value.as_f64(), expected, "{at:?}");
        assert_eq!(dataset["status"][number.to_string()].as_str(), mark, "{at:?}");
    }
    values.len()
}

#[track_caller]
pub fn check_valid(dataset: &Value) {
    let result = validate(dataset, &ValidateOptions::default());
    let report = serde_json::to_value(&result).expect("a report");
    assert_eq!(report["valid"], true, "{report:#}");
}

#[test]
fn the_whole_of_every_table_is_what_was_stored() {
    let bank = Bank::open(generous());
    for (number, (id, own, categories, _)) in TABLES.iter().enumerate() {
        let every = format!(
            "valuecodes[Region]=*&valuecodes[{own}]=*&valuecodes[ContentsCode]=*&valuecodes[Tid]=*"
        );
        let dataset = bank.get(&format!("/api/v2/tables/{id}/data?{every}")).ok();
        check_valid(&dataset);
        let all = REGIONS.len() * categories.len() * MEASURES.len() * PERIODS.len();
        assert_eq!(check_cells(&dataset, number), all);
    }
}

#[test]
fn get_post_and_parts_are_the_same_numbers() {
    let bank = Bank::open(generous());
    let path = "/api/v2/tables/core-S2/data";
    let whole = "valuecodes[region]=0,4601&valuecodes[HOUSING_SITUATION]=total,own\
                 &valuecodes[ContentsCode]=*&valuecodes[Tid]=top(2)";
    let get = bank.get(&format!("{path}?{whole}"));
    let encoded = whole.replace('[', "%5B").replace(']', "%5D").replace(',', "%2C");
    assert_eq!(bank.get(&format!("{path}?{encoded}")).body, get.body);
    let body = json!({"selection": [
        {"variableCode": "Tid", "valueCodes": ["[range(2025H1,2025H2)]"]},
        {"variableCode": "ContentsCode", "valueCodes": ["*"]},
        {"variableCode": "housing_situation", "valueCodes": ["own", "TOTAL"]},
        {"variableCode": "Region", "valueCodes": ["4601", "0"]},
    ]});
    let post = bank.post(path, &body.to_string());
    assert_eq!(post.ok(), get.ok());
    check_cells(&get.ok(), 0);
    let mut parts = Vec::new();
    for region in ["0", "4601"] {
        let part = whole.replace("=0,4601", &format!("={region}"));
        let part = bank.get(&format!("{path}?{part}")).ok();
        check_cells(&part, 0);
        parts.extend(part["value"].as_array().expect("values").clone());
    }
    assert_eq!(Value::Array(parts), get.ok()["value"]);
}

#[test]
fn every_language_has_the_same_numbers_and_its_own_labels() {
    let bank = Bank::open(generous());
    let path = "/api/v2/tables/CORE-s2/data";
    let nb = bank.get(path).ok();
    check_cells(&nb, 0);
    assert_eq!(bank.get(&format!("{path}?lang=no")).ok(), nb);
    for (language, label) in [("nn", "Deltakere (nn)"), ("en", "Deltakere (en)")] {
        let other = bank.get(&format!("{path}?lang={language}")).ok();
        check_valid(&other);
        assert_eq!(other["value"], nb["value"]);
        assert_eq!(other["status"], nb["status"]);
        let labels = &other["dimension"]["ContentsCode"]["category"]["label"];
        assert_eq!(labels["Deltakere"], label);
        assert_eq!(other["extension"]["px"]["language"], language);
    }
}

/// A selection of one dimension: left out, everything, or some codes.
fn chosen(codes: &'static [&'static str], is_left_out: bool) -> BoxedStrategy<Option<Vec<String>>> {
    let some = proptest::sample::subsequence(codes, 1..=codes.len())
        .prop_map(|codes| Some(codes.into_iter().map(str::to_owned).collect()));
    let all = Just(Some(vec!["*".to_owned()]));
    if is_left_out {
        prop_oneof![Just(None), all, some].boxed()
    } else {
        prop_oneof![all, some].boxed()
    }
}

/// No path through the service adds noisy cells: whatever is selected or left out, by GET or by POST,
/// each number is one stored cell, and what is left out stands at its published total.
#[test]
fn no_selection_adds_noisy_cells() {
    let bank = Bank::open(generous());
    let tables = prop_oneof![Just(0_usize), Just(1_usize)].prop_flat_map(|table| {
        let (_, _, categories, has_total) = TABLES[table];
        let own = chosen(categories, has_total);
        let rest = (chosen(&REGIONS, true), chosen(&MEASURES, false), chosen(&PERIODS, false));
        (Just(table), own, rest, any::<bool>())
    });
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let outcome = runner.run(&tables, |(table, own, (region, contents, time), by_post)| {
        let (id, code, _, _) = TABLES[table];
        let wanted = [(code, own), ("Region", region), ("ContentsCode", contents), ("Tid", time)];
        let path = format!("/api/v2/tables/{id}/data");
        let answer = if by_post {
            let selection = wanted.iter().filter_map(|(code, values)| {
                let values = values.as_ref()?;
                Some(json!({"variableCode": code, "valueCodes": values}))
            });
            let selection: Vec<Value> = selection.collect();
            bank.post(&path, &json!({"selection": selection}).to_string())
        } else {
            let query = wanted.iter().filter_map(|(code, values)| {
                Some(format!("valuecodes[{code}]={}", values.as_ref()?.join(",")))
            });
            bank.get(&format!("{path}?{}", query.collect::<Vec<_>>().join("&")))
        };
        let dataset = answer.ok();
        let shown: Vec<String> = serde_json::from_value(dataset["id"].clone()).expect("ids");
        for (code, values) in &wanted {
            assert_eq!(shown.iter().any(|id| id == code), values.is_some(), "{code}");
        }
        check_cells(&dataset, table);
        Ok(())
    });
    outcome.expect("every cell is a stored one");
}

#[test]
fn csv_has_the_same_numbers() {
    let bank = Bank::open(generous());
    let query = "valuecodes[Region]=*&valuecodes[housing_situation]=*&valuecodes[ContentsCode]=*\
                 &valuecodes[Tid]=*";
    let path = format!("/api/v2/tables/core-S2/data?{query}");
    let csv = bank
        .get(&format!("{path}&outputFormat=csv&stub=Region,housing_situation,Tid,ContentsCode"));
    assert_eq!(csv.status, 200, "{}", csv.text());
    assert!(csv.header("content-type").starts_with("text/csv"));
    let mut stored = Vec::new();
    for period in 0..PERIODS.len() {
        for region in 0..REGIONS.len() {
            for category in 0..4 {
                for measure in 0..MEASURES.len() {
                    stored.extend(oracle([0, period, region, category, measure]).0);
                }
            }
        }
    }
    let mut found: Vec<f64> = Vec::new();
    let text = csv.text();
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.expect("a record");
        found.extend(record.iter().next_back().and_then(|field| field.parse::<f64>().ok()));
    }
    let order = |values: &mut Vec<f64>| values.sort_by(f64::total_cmp);
    order(&mut stored);
    order(&mut found);
    assert_eq!(found, stored);
}
