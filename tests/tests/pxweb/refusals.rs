//! Every refusal, with the title that clients know.

use crate::fixture::{Bank, generous};
use crate::reader::{ask, check_problem};
use fellestall_coordinator::config::Web;

const REST: &str = "valuecodes[ContentsCode]=*&valuecodes[Tid]=*";

#[test]
fn what_does_not_exist_is_told() {
    let bank = Bank::open(generous());
    for path in ["none", "none/metadata", "none/data", "none/defaultselection", "%ff%fe"] {
        let answer = bank.get(&format!("/api/v2/tables/{path}"));
        let title = if path.starts_with('%') { "Not Found" } else { "Non-existent table" };
        check_problem(&answer, 404, title);
    }
    for page in ["2", "0", "-1", "9223372036854775807"] {
        let answer = bank.get(&format!("/api/v2/tables?pageNumber={page}"));
        check_problem(&answer, 404, "Non-existent page");
    }
    for id in ["none", "0123456789abcdef0123456789abcdef"] {
        for rest in ["", "/data", "/selection"] {
            let answer = bank.get(&format!("/api/v2/savedqueries/{id}{rest}"));
            check_problem(&answer, 404, "Non-existent saved query");
        }
    }
    for path in
        ["/api/v2", "/api/v2/", "/api/v2/other", "/api/v2/tables/core-S2/other", "/API/v2/x"]
    {
        check_problem(&bank.get(path), 404, "Not Found");
    }
    let delete = ask(bank.address, "DELETE", "/api/v2/tables", &[], b"");
    check_problem(&delete, 405, "Method Not Allowed");
    check_problem(&bank.get("/api/v2/savedqueries"), 405, "Method Not Allowed");
}

#[test]
fn what_does_not_fit_in_a_selection_is_told() {
    let bank = Bank::open(generous());
    let check = |query: &str, title: &str| {
        let answer = bank.get(&format!("/api/v2/tables/core-S2/data?{query}"));
        check_problem(&answer, 400, title);
    };
    let rest = REST;
    check(&format!("{rest}&valuecodes[Kjonn]=1"), "Non-existent variable");
    check(&format!("{rest}&codelist[Kjonn]=vs_Landet"), "Non-existent variable");
    check(&format!("{rest}&heading=Kjonn"), "Non-existent variable");
    check(&format!("{rest}&valuecodes[Region]=9999"), "Non-existent value");
    check(&format!("{rest}&valuecodes[Region]=99*"), "Non-existent value");
    check(&format!("{rest}&valuecodes[Region]=[range(0,9999)]"), "Non-existent value");
    check(
        &format!("{rest}&codelist[Region]=agg_Other&valuecodes[Region]=*"),
        "Non-existent codelist",
    );
    check(
        &format!("{rest}&codelist[Region]=vs_Fylker&valuecodes[Region]=*"),
        "Non-existent codelist",
    );
    check(&format!("{rest}&codelist[Tid]=vs_Landet"), "Non-existent codelist");
    check(&format!("{rest}&valuecodes[Region]=top(0)"), "Illegal selection expression");
    check(&format!("{rest}&valuecodes[Region]=0*1"), "Illegal selection expression");
    check(&format!("{rest}&valuecodes[Tid]=2099H1,[range(2025H2,2024H1)]"), "Non-existent value");
    check("valuecodes[Tid]=*", "Missing selection for mandantory variable");
    check("valuecodes[ContentsCode]=*", "Missing selection for mandantory variable");
    check(&format!("{rest}&heading=Tid&stub=Tid"), "Illegal placement of variable");
    check("outputFormat=xml", "Unsupported output format");
    check("outputFormat=csv&outputFormatParams=UseCodes,UseTexts", "Unsupported output format");
    check("outputFormat=csv&outputFormatParams=Other", "Unsupported output format");
    check("lang=sv", "Unsupported language");
    let answer = bank.get(&format!("/api/v2/tables/core-S9/data?{rest}"));
    check_problem(&answer, 400, "Missing selection for mandantory variable");
}

#[test]
fn every_address_refuses_a_language_that_there_is_not() {
    let bank = Bank::open(generous());
    for path in [
        "tables",
        "tables/core-S2",
        "tables/core-S2/metadata",
        "tables/core-S2/defaultselection",
        "tables/core-S2/data",
        "codelists/vs_Landet",
    ] {
        let answer = bank.get(&format!("/api/v2/{path}?LANG=dk"));
        check_problem(&answer, 400, "Unsupported language");
    }
}

#[test]
fn parameters_in_another_form_are_told() {
    let bank = Bank::open(generous());
    for query in [
        "pageNumber=x",
        "pageSize=0",
        "pageSize=-1",
        "pastDays=0",
        "pastDays=x",
        "includeDiscontinued=2",
    ] {
        check_problem(&bank.get(&format!("/api/v2/tables?{query}")), 400, "Bad Request");
    }
    let answer = bank.get("/api/v2/tables/core-S2/metadata?defaultSelection=maybe");
    check_problem(&answer, 400, "Bad Request");
    for body in [
        "{",
        "[]",
        "1",
        "{}",
        r#"{"selection":null}"#,
        r#"{"selection":[{}]}"#,
        r#"{"selection":[{"variableCode":"Tid","valueCodes":null}]}"#,
        r#"{"selection":[{"variableCode":"Tid","valueCodes":[1]}]}"#,
        r#"{"selection":[],"placement":{"heading":"Tid"}}"#,
    ] {
        check_problem(&bank.post("/api/v2/tables/core-S2/data", body), 400, "Bad Request");
        check_problem(&bank.post("/api/v2/savedqueries", body), 400, "Bad Request");
    }
}

#[test]
fn too_many_cells_and_too_large_bodies_are_refused() {
    let bank = Bank::open(Web { max_data_cells: 28, ..generous() });
    let path = "/api/v2/tables/core-S2/data";
    let answer = bank.get(&format!("{path}?{REST}"));
    assert_eq!(answer.ok()["value"].as_array().map(Vec::len), Some(28));
    let answer = bank.get(&format!("{path}?{REST}&valuecodes[Region]=0,0301"));
    check_problem(&answer, 400, "Too many cells selected");
    let large = format!("{{\"selection\":[{}]}}", " ".repeat(600_000));
    check_problem(&bank.post(path, &large), 413, "Payload Too Large");
    check_problem(&bank.post("/api/v2/savedqueries", &large), 413, "Payload Too Large");
}

#[test]
fn long_addresses_work_and_unknown_parameters_are_passed_over() {
    let bank = Bank::open(generous());
    let codes = vec!["0301"; 3_000].join(",");
    let path =
        format!("/api/v2/tables/core-S2/data?{REST}&valuecodes[Region]={codes}&other=1&x[y]=2");
    assert!(path.len() > 12_000);
    assert_eq!(bank.get(&path).ok()["size"], serde_json::json!([1, 7, 4]));
}
