//! What there is: configuration, tables, metadata, codelists, the default selection.

use crate::fixture::{Bank, MEASURES, PERIODS, REGIONS, TABLES, generous};
use crate::reader::check_problem;
use crate::values::{check_cells, check_valid};
use serde_json::{Value, json};

#[test]
fn the_configuration_is_what_clients_need() {
    let bank = Bank::open(generous());
    let config = bank.get("/api/v2/config").ok();
    assert_eq!(config["apiVersion"], "2.0.0", "a pre-release is refused by clients");
    assert_eq!(config["maxDataCells"], 800_000);
    assert_eq!(config["maxCallsPerTimeWindow"], 1_000_000);
    assert_eq!(config["timeWindow"], 60);
    assert_eq!(config["license"], "https://creativecommons.org/licenses/by/4.0/");
    assert_eq!(config["defaultLanguage"], "nb");
    assert_eq!(config["defaultDataFormat"], "json-stat2");
    assert_eq!(config["dataFormats"].as_array().map(Vec::len), Some(7));
    let languages = config["languages"].as_array().expect("languages");
    let ids: Vec<&str> = languages.iter().filter_map(|one| one["id"].as_str()).collect();
    assert_eq!(ids, ["nb", "nn", "en"]);
}

#[test]
fn tables_are_listed_searched_and_paged() {
    let bank = Bank::open(generous());
    let found = |query: &str| {
        let list = bank.get(&format!("/api/v2/tables?{query}")).ok();
        let tables = list["tables"].as_array().expect("tables").iter();
        tables.filter_map(|table| table["id"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let all = ["core-S2", "core-S9"];
    assert_eq!(found(""), all);
    assert_eq!(found("query=HOUSING"), ["core-S2"]);
    assert_eq!(found("query=deltakere+problem"), ["core-S9"]);
    assert_eq!(found("query=core-s9"), ["core-S9"]);
    assert_eq!(found("query=kjernen"), all);
    assert!(found("query=(nn)").is_empty(), "another language is not searched");
    assert_eq!(found("query=(nn)&lang=nn"), all);
    assert!(found("query=nothing").is_empty());
    assert_eq!(found("pastDays=11&includeDiscontinued=true"), all);
    assert!(found("pastDays=9").is_empty(), "published ten days ago");
    let page = bank.get("/api/v2/tables?pageSize=1&pageNumber=2&query=core").ok();
    assert_eq!(page["tables"][0]["id"], "core-S9");
    let info = &page["page"];
    assert_eq!(
        [&info["pageNumber"], &info["pageSize"], &info["totalElements"], &info["totalPages"]],
        [&json!(2), &json!(1), &json!(2), &json!(2)]
    );
    let links = info["links"].as_array().expect("links");
    let previous = links.iter().find(|link| link["rel"] == "previous").expect("a page before");
    let href = previous["href"].as_str().expect("an address");
    let own = href.strip_prefix("https://tall.example.no").expect("absolute");
    assert_eq!(bank.get(own).ok()["tables"][0]["id"], "core-S2");
    assert!(links.iter().all(|link| link["rel"] != "next"));
}

#[test]
fn a_table_says_what_it_is() {
    let bank = Bank::open(generous());
    let table = bank.get("/API/V2/Tables/CORE-S2/?lang=en").ok();
    assert_eq!(table["id"], "core-S2");
    assert_eq!(table["language"], "en");
    assert_eq!(table["firstPeriod"], PERIODS[0]);
    assert_eq!(table["lastPeriod"], PERIODS[3]);
    assert_eq!(table["timeUnit"], "Other", "half-years have no name");
    assert_eq!(table["variableNames"].as_array().map(Vec::len), Some(4));
    let links = table["links"].as_array().expect("links");
    for rel in ["self", "metadata", "data"] {
        let link = links.iter().find(|link| link["rel"] == rel).expect("a link");
        let own =
            link["href"].as_str().and_then(|href| href.strip_prefix("https://tall.example.no"));
        bank.get(own.expect("absolute")).ok();
    }
}

#[test]
fn metadata_is_the_whole_table_without_its_values() {
    // Never limited by the number of cells.
    let bank = Bank::open(fellestall_coordinator::config::Web { max_data_cells: 3, ..generous() });
    for (id, own, categories, has_total) in TABLES {
        let metadata = bank.get(&format!("/api/v2/tables/{id}/metadata")).ok();
        assert_eq!(metadata["value"], json!([]));
        assert_eq!(metadata["id"], json!(["Region", own, "ContentsCode", "Tid"]));
        assert_eq!(metadata["size"], json!([4, categories.len(), 7, 4]));
        assert_eq!(
            metadata["role"],
            json!({"time": ["Tid"], "geo": ["Region"], "metric": ["ContentsCode"]})
        );
        let dimension = &metadata["dimension"];
        for (code, elimination) in [("Region", Some("0")), (own, has_total.then_some("total"))] {
            let extension = &dimension[code]["extension"];
            assert_eq!(extension["elimination"], elimination.is_some(), "{code}");
            assert_eq!(extension["eliminationValueCode"].as_str(), elimination, "{code}");
        }
        for code in ["ContentsCode", "Tid"] {
            assert_eq!(dimension[code]["extension"]["elimination"], false);
        }
        for measure in MEASURES {
            let unit = &dimension["ContentsCode"]["category"]["unit"][measure];
            assert!(unit["base"].is_string() && unit["label"].is_string(), "{measure}: {unit}");
            assert!(unit["decimals"].is_u64(), "{measure}");
        }
        assert_eq!(metadata["extension"]["px"]["aggregallowed"], false);
        assert_eq!(metadata["extension"]["noteMandatory"], json!({"0": true}));
        assert_eq!(metadata["note"][0], "Tallene har støy.");
        let lists = &dimension["Region"]["extension"]["codelists"];
        assert_eq!(lists, &dimension["Region"]["extension"]["codeLists"]);
        let lists = lists.as_array().expect("codelists");
        let ids: Vec<&str> = lists.iter().filter_map(|list| list["id"].as_str()).collect();
        assert_eq!(ids, ["vs_Landet", "vs_Kommuner"], "no counties in this table");
        for list in lists {
            assert_eq!(list["type"], "Valueset");
            assert_eq!(list["links"].as_array().map(Vec::len), Some(1));
        }
    }
}

/// Clients read the order of categories from the order of the members.
#[test]
fn members_stand_in_the_order_of_the_index() {
    let bank = Bank::open(generous());
    let text = bank.get("/api/v2/tables/core-S2/metadata").text();
    let index = text.find("\"Region\":{\"label\"").expect("the dimension");
    let part = &text[index..];
    let at = |code: &str| part.find(&format!("\"{code}\":")).expect("a code");
    assert!(REGIONS.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{part}");
}

#[test]
fn privacy_is_told_for_every_period() {
    let bank = Bank::open(generous());
    let two = "valuecodes[ContentsCode]=*&valuecodes[Tid]=top(2)";
    let dataset = bank.get(&format!("/api/v2/tables/core-S2/data?{two}")).ok();
    let dp = &dataset["extension"]["dp"];
    assert_eq!(dp["privacy_unit"], "all rows of one participant in one municipality");
    assert!(
        dp["neighbouring_relation"].as_str().is_some_and(|text| text.contains("add or remove"))
    );
    assert_eq!(dp["cumulative"]["periods"], 4);
    assert_eq!(dp["cumulative"]["rho"], 0.5, "0.125 in each of four periods");
    let releases = dp["releases"].as_array().expect("releases");
    let ids: Vec<&str> = releases.iter().filter_map(|one| one["release"].as_str()).collect();
    assert_eq!(ids, ["core.1.2025H1.v1", "core.1.2025H2.v1"]);
    for release in releases {
        assert_eq!(release["mechanism"], "discrete Gaussian");
        assert_eq!(release["sensitivity"], json!({"l0": 1, "l1": 1, "l2_squared": 1}));
        assert_eq!(release["rho"], 0.125);
        assert_eq!(release["delta"], 1e-6);
        assert_eq!(release["contributing_nodes"], 3);
        let epsilon = release["epsilon"].as_f64().expect("a number");
        let of_all = dp["cumulative"]["epsilon"].as_f64().expect("a number");
        assert!(0.0 < epsilon && epsilon < of_all);
        let certificate = release["certificate"].as_str().expect("an address");
        assert!(certificate.starts_with("https://tall.example.no/publications/core.1.2025H"));
    }
}

#[test]
fn the_default_selection_is_what_data_are_without_one() {
    let bank = Bank::open(generous());
    for (number, (id, own, _, _)) in TABLES.iter().enumerate() {
        let path = format!("/api/v2/tables/{id}");
        let selection = bank.get(&format!("{path}/defaultselection")).ok();
        let plain = bank.get(&format!("{path}/data")).ok();
        check_valid(&plain);
        check_cells(&plain, number);
        assert_eq!(plain["dimension"]["Tid"]["category"]["index"], json!({"2025H2": 0}));
        let body =
            json!({"selection": selection["selection"], "placement": selection["placement"]});
        assert_eq!(bank.post(&format!("{path}/data"), &body.to_string()).ok(), plain);
        assert_eq!(bank.post(&format!("{path}/data"), "").ok(), plain);
        assert_eq!(bank.post(&format!("{path}/data"), r#"{"selection":[]}"#).ok(), plain);
        let metadata = bank.get(&format!("{path}/metadata?defaultSelection=true")).ok();
        assert_eq!(metadata["dimension"][own], plain["dimension"][own]);
        assert_eq!(metadata["dimension"]["Tid"], plain["dimension"]["Tid"]);
        assert_eq!(metadata["value"], json!([]));
    }
}

/// However few cells an answer may have, a table answers without a selection.
#[test]
fn the_default_selection_fits_the_limit() {
    for most in [1, 7, 20] {
        let web = fellestall_coordinator::config::Web { max_data_cells: most, ..generous() };
        let bank = Bank::open(web);
        for (number, (id, _, _, _)) in TABLES.iter().enumerate() {
            let dataset = bank.get(&format!("/api/v2/tables/{id}/data")).ok();
            assert!(check_cells(&dataset, number) <= most);
        }
    }
}

#[test]
fn a_codelist_chooses_among_published_values() {
    let bank = Bank::open(generous());
    let list = bank.get("/api/v2/codelists/VS_kommuner?lang=en").ok();
    assert_eq!(list["type"], "Valueset");
    assert_eq!(list["elimination"], false, "leaving it out must not add municipalities up");
    assert!(list["label"].as_str().is_some_and(|label| label.contains("2024-01-01")));
    let values = list["values"].as_array().expect("values");
    assert_eq!(values.len(), 357);
    for value in values {
        assert_eq!(value["valueMap"], json!([value["code"]]), "a value set maps onto itself");
    }
    let haram = values.iter().find(|value| value["code"] == "1580").expect("Haram");
    assert!(haram["notes"][0]["text"].as_str().is_some_and(|note| note.contains("1507")));
    let rest = "valuecodes[ContentsCode]=Deltakere&valuecodes[Tid]=2025H2";
    let path = "/api/v2/tables/core-S2/data";
    let only =
        bank.get(&format!("{path}?codelist[Region]=vs_Kommuner&valuecodes[Region]=*&{rest}")).ok();
    assert_eq!(
        only["dimension"]["Region"]["category"]["index"],
        json!({"0301": 0, "1508": 1, "4601": 2})
    );
    check_cells(&only, 0);
    // A client that expands the list asks for all of it.
    let codes: Vec<&Value> = values.iter().map(|value| &value["code"]).collect();
    let body = json!({"selection": [
        {"variableCode": "Region", "codelist": "vs_Kommuner", "valueCodes": codes},
        {"variableCode": "ContentsCode", "valueCodes": ["Deltakere"]},
        {"variableCode": "Tid", "valueCodes": ["2025H2"]},
    ]});
    assert_eq!(bank.post(path, &body.to_string()).ok(), only);
    let metadata = bank.get("/api/v2/tables/core-S2/metadata?codelist[Region]=vs_Landet").ok();
    assert_eq!(metadata["size"], json!([1, 4, 7, 4]));
    check_problem(&bank.get("/api/v2/codelists/vs_none"), 404, "Non-existent codelist");
}
