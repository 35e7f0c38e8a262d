//! S12: whatever is asked, the answer is a figure or a problem, and never a fault.

use crate::fixture::{Bank, generous};
use crate::reader::Answer;
use crate::values::check_cells;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

fn check(answer: &Answer, asked: &str) {
    match answer.status {
        200 | 201 => {}
        400 | 404 | 405 | 413 => {
            assert_eq!(answer.header("content-type"), "application/problem+json", "{asked}");
            let problem = answer.json();
            assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{asked}");
        }
        status => panic!("{status} for {asked}: {}", String::from_utf8_lossy(&answer.body)),
    }
}

/// What fits into a request line; everything else is percent-encoded, as any client would.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => char::from(byte).to_string(),
            _ if b"-._~!$'()*+,;:@/?[]=&%".contains(&byte) => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

fn expression() -> impl Strategy<Value = String> {
    let atoms = prop::sample::select(vec![
        "*",
        "?",
        "total",
        "own",
        "0",
        "4601",
        "2025H1",
        "top(",
        "bottom(",
        "from(",
        "to(",
        "range(",
        ")",
        "(",
        "[",
        "]",
        ",",
        "1",
        "99999999999999999999",
        "-1",
        "Deltakere",
        "%",
        "%2",
        "%5B",
        "æ",
        " ",
        "",
        "+",
        "&",
        "=",
    ]);
    prop::collection::vec(atoms, 0..8).prop_map(|atoms| atoms.concat())
}

#[test]
fn s12_any_query_is_answered_or_refused() {
    let bank = Bank::open(generous());
    let parameter = prop::sample::select(vec![
        "valuecodes[Region]",
        "valuecodes[housing_situation]",
        "valueCodes[ContentsCode]",
        "VALUECODES%5BTid%5D",
        "codelist[Region]",
        "heading",
        "stub",
        "lang",
        "outputFormat",
        "outputFormatParams",
        "pageNumber",
        "pageSize",
        "pastDays",
        "query",
        "savedQuery",
        "defaultSelection",
        "valuecodes[",
        "valuecodes[]",
        "valuecodes",
    ]);
    let value = prop_oneof![3 => expression(), 1 => "\\PC{0,40}", 2 => Just("*".to_owned())];
    let query = prop::collection::vec((parameter, value), 0..6);
    let path = prop::sample::select(vec![
        "tables",
        "tables/core-S2",
        "tables/core-S2/metadata",
        "tables/core-S2/defaultselection",
        "tables/core-S2/data",
        "tables/core-S2/data",
        "tables/core-S2/data",
        "codelists/vs_Landet",
        "config",
        "savedqueries/x",
        "savedqueries/x/data",
    ]);
    let mut runner = TestRunner::new(Config { cases: 600, ..Config::default() });
    let outcome = runner.run(&(path, query), |(path, query)| {
        let query: Vec<String> =
            query.into_iter().map(|(name, value)| format!("{name}={}", encoded(&value))).collect();
        let asked = format!("/api/v2/{path}?{}", query.join("&"));
        let answer = bank.get(&asked);
        check(&answer, &asked);
        let is_json = answer.status == 200 && answer.header("content-type") == "application/json";
        if is_json && path.ends_with("/data") && answer.json()["class"] == "dataset" {
            check_cells(&answer.json(), 0);
        }
        Ok(())
    });
    outcome.expect("no fault");
}

#[test]
fn s12_any_body_is_answered_or_refused() {
    let bank = Bank::open(generous());
    let name =
        prop::sample::select(vec!["Region", "housing_situation", "ContentsCode", "Tid", "x", ""]);
    let values = prop::collection::vec(expression(), 0..4);
    let variables = prop::collection::vec((name, values), 0..5);
    let shaped = variables.prop_map(|variables| {
        let selection: Vec<serde_json::Value> = variables
            .into_iter()
            .map(|(code, values)| serde_json::json!({"variableCode": code, "valueCodes": values}))
            .collect();
        serde_json::json!({"selection": selection, "tableId": "core-S2", "language": "nb"})
            .to_string()
    });
    let body = prop_oneof![3 => shaped, 1 => "\\PC{0,120}"];
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let outcome = runner.run(&body, |body| {
        for path in ["/api/v2/tables/core-S2/data", "/api/v2/savedqueries"] {
            check(&bank.post(path, &body), &body);
        }
        Ok(())
    });
    outcome.expect("no fault");
}

#[test]
fn s12_any_path_is_answered_or_refused() {
    let bank = Bank::open(generous());
    let mut runner = TestRunner::new(Config { cases: 300, ..Config::default() });
    let outcome = runner.run(&"[\\PC/]{0,40}", |path| {
        let asked = format!("/api/v2/{}", encoded(&path).replace('?', "%3F"));
        check(&bank.get(&asked), &asked);
        Ok(())
    });
    outcome.expect("no fault");
}
