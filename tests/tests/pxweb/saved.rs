//! Saved queries.

use crate::fixture::{Bank, NOW, generous};
use crate::reader::check_problem;
use crate::values::{check_cells, check_valid};
use serde_json::{Value, json};

fn query() -> Value {
    json!({
        "tableId": "CORE-s2",
        "language": "en",
        "selection": {
            "selection": [
                {"variableCode": "Region", "valueCodes": ["*"]},
                {"variableCode": "ContentsCode", "valueCodes": ["Deltakere*"]},
                {"variableCode": "Tid", "valueCodes": ["top(2)"]},
            ],
            "placement": {"heading": ["Tid"], "stub": ["Region", "ContentsCode"]},
        },
    })
}

#[test]
fn a_query_is_saved_once_and_answered_ever_after() {
    let bank = Bank::open(generous());
    let created = bank.post("/api/v2/savedqueries", &query().to_string());
    assert_eq!(created.status, 201, "{}", created.text());
    let document = created.json();
    let id = document["id"].as_str().expect("an id").to_owned();
    assert_eq!(document["savedQuery"]["tableId"], "core-S2");
    assert_eq!(document["savedQuery"]["id"], id.as_str());
    assert!(created.header("location").contains(&id));
    let again = bank.post("/api/v2/savedqueries", &query().to_string()).json();
    assert_eq!(again, document, "the same query has the same id");
    assert_eq!(bank.get(&format!("/api/v2/SavedQueries/{}", id.to_uppercase())).ok(), document);
    let data = bank.get(&format!("/api/v2/savedqueries/{id}/data")).ok();
    check_valid(&data);
    assert_eq!(check_cells(&data, 0), 4 * 5 * 2);
    assert_eq!(data["extension"]["px"]["language"], "en");
    let nb = bank.get(&format!("/api/v2/savedqueries/{id}/data?lang=nb")).ok();
    assert_eq!(nb["value"], data["value"]);
    let csv = bank.get(&format!("/api/v2/savedqueries/{id}/data?outputFormat=csv"));
    assert!(csv.header("content-type").starts_with("text/csv"));
    let selection = bank.get(&format!("/api/v2/savedqueries/{id}/selection")).ok();
    assert_eq!(selection["selection"][2]["valueCodes"], json!(["2025H1", "2025H2"]));
    assert_eq!(selection["placement"]["heading"], json!(["Tid"]));
    let metadata = bank.get(&format!("/api/v2/tables/core-S2/metadata?savedQuery={id}")).ok();
    assert_eq!(metadata["size"], data["size"]);
}

#[test]
fn only_what_can_be_answered_is_saved() {
    let bank = Bank::open(generous());
    let check = |change: fn(&mut Value), title: &str| {
        let mut query = query();
        change(&mut query);
        check_problem(&bank.post("/api/v2/savedqueries", &query.to_string()), 400, title);
    };
    check(|query| query["tableId"] = json!("none"), "Bad Request");
    check(|query| query["language"] = json!("sv"), "Unsupported language");
    check(|query| query["outputFormat"] = json!("xml"), "Unsupported output format");
    check(
        |query| query["selection"]["selection"][0]["valueCodes"] = json!(["9999"]),
        "Non-existent value",
    );
    check(
        |query| query["selection"]["selection"][0]["variableCode"] = json!("Kjonn"),
        "Non-existent variable",
    );
}

/// A bounded number is kept, whoever saves and in whatever process.
#[tokio::test(flavor = "multi_thread")]
async fn saved_queries_are_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = format!("sqlite://{}?mode=rwc", folder.path().join("store.sqlite").display());
    let open = || fellestall_coordinator::store::Store::open(&address);
    let stores = [open().await.expect("a store"), open().await.expect("a store")];
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..20 {
        let store = stores[number % 2].clone();
        tasks.spawn(async move { store.save_query(&number.to_string(), "{}", 5, NOW).await });
    }
    let outcomes = tasks.join_all().await;
    let kept = outcomes.into_iter().filter(|kept| *kept.as_ref().expect("an outcome")).count();
    assert_eq!(kept, 5);
}
