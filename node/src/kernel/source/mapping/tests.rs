//! Mappings that are slips of the pen, and what is said of them.
//!
//! **Invariant:** each message names the place, and what to write instead.

use super::{Mapping, MappingError};

fn refused(text: &str, parts: &[&str]) {
    let error = Mapping::parse(text).expect_err("a slip");
    let message = error.to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn the_empty_mapping_is_the_standard_one() {
    assert!(Mapping::parse("").is_ok() && Mapping::standard().is_ok());
}

#[test]
fn names_on_our_side_have_to_exist() {
    refused("[tables.tenency]\n", &["[tables.tenency]", "participant, consent, tenancy"]);
    refused(
        "[tables.stay.columns]\nuntil = \"til\"",
        &["[tables.stay.columns] until", "kind, from, to"],
    );
    refused("[tables.stay]\nname = \"x.csv\"", &["unknown field `name`", "line 2"]);
    refused("delimeter = \";\"", &["unknown field `delimeter`"]);
    refused(
        "[tables.stay.columns]\nkind = { column = \"type\", code = { a = \"prison\" } }",
        &["unknown field `code`"],
    );
    refused(
        "[tables.stay.columns]\nkind = { codes = { F = \"jail\" } }",
        &["[tables.stay.columns] kind", "\"F\"", "\"jail\"", "prison, treatment, unknown"],
    );
    refused(
        "[tables.consent.columns]\npurpose = { codes = { F = \"Not This\" } }",
        &["[tables.consent.columns] purpose", "as in the studies"],
    );
}

#[test]
fn settings_have_to_suit_their_column() {
    refused("[tables.stay.columns]\nfrom = { codes = { a = \"b\" } }", &["from", "holds no codes"]);
    refused("[tables.stay.columns]\nkind = { dates = \"%Y\" }", &["kind", "holds no dates"]);
    refused("[tables.stay]\nform = \"events\"", &["only the contact table"]);
    refused("[tables.stay.columns]\nfrom = { column = \"a\", constant = \"\" }", &["not both"]);
    refused("[tables.stay.columns]\nfrom = 3", &["a header in quotes"]);
    refused("[tables.stay.columns]\nfrom = \" \"", &["from"]);
}

#[test]
fn constants_have_to_be_what_the_column_holds() {
    for constant in ["prison", "unknown", ""] {
        let text = format!("[tables.stay.columns]\nkind = {{ constant = \"{constant}\" }}");
        assert!(Mapping::parse(&text).is_ok(), "{constant}");
    }
    refused("[tables.stay.columns]\nkind = { constant = \"jail\" }", &["\"jail\"", "prison"]);
    refused("[tables.stay.columns]\nto = { constant = \"01.02.2016\" }", &["2016-12-31"]);
    refused(
        "[tables.stay.columns]\nparticipant_id = { constant = \"a\" }",
        &["its own participant"],
    );
    refused("[tables.consent.columns]\npurpose = { constant = \"\" }", &["as in the studies"]);
}

#[test]
fn a_text_has_one_meaning() {
    let codes = |unknown: &str| {
        format!("[tables.stay.columns]\nkind = {{ codes = {{ F = \"prison\" }}, {unknown} }}")
    };
    assert!(Mapping::parse(&codes("unknown = [\"?\"]")).is_ok());
    refused(&codes("unknown = [\"f\"]"), &["\"f\" has two meanings"]);
    refused(&codes("empty = [\" F \"]"), &["\"f\" has two meanings"]);
    refused("unknown = [\"x\"]\nempty = [\"X\"]", &["\"x\" has two meanings"]);
    refused(
        "[tables.stay.columns]\nkind = { codes = { F = \"prison\", f = \"treatment\" } }",
        &["has two meanings"],
    );
    refused("[tables.participant]\nempty = [\"none\"]", &["specialist_follow_up", "\"none\""]);
    refused("[tables.stay.columns]\nkind = { codes = { \"\" = \"prison\" } }", &["empty cell"]);
}

#[test]
fn joins_have_to_hold_together() {
    let step = |from: &str, file: &str| {
        format!("[[tables.stay.join]]\nfile = \"{file}\"\n{from}\nkey = \"k\"\nto = \"t\"\n")
    };
    assert!(Mapping::parse(&(step("from = \"a\"", "a.csv") + &step("", "b.csv"))).is_ok());
    assert!(
        Mapping::parse(&(step("from = \"a\"", "a.csv") + &step("from = \"t\"", "b.csv"))).is_ok()
    );
    refused(&step("", "a.csv"), &["join 1", "from is missing"]);
    let chain = step("from = \"a\"", "a.csv") + &step("from = \"x\"", "b.csv");
    refused(&chain, &["join 2", "not the column that the join before leads to"]);
    let both = step("from = \"a\"", "a.csv") + "[tables.stay.columns]\nparticipant_id = \"id\"";
    refused(&both, &["both a join and a column"]);
    let long = step("from = \"a\"", "a.csv") + &step("", "b.csv").repeat(4);
    refused(&long, &["more than 4 files"]);
    refused(&step("from = \"a\"", "../a.csv"), &["inside the folder"]);
}

#[test]
fn delimiters_files_and_dates_have_to_be_usable() {
    for delimiter in ["", ";;", "a", "\\\"", "æ", " "] {
        refused(&format!("delimiter = \"{delimiter}\""), &["the delimiter is one character"]);
    }
    assert!(Mapping::parse("delimiter = \"\\t\"").is_ok());
    refused("encoding = \"utf-16\"", &["utf-8", "iso-8859-1"]);
    refused("[tables.stay]\nfile = \"/etc/x.csv\"", &["inside the folder"]);
    refused("dates = \"dd.mm.yyyy\"", &["dd.mm.yyyy", "%d.%m.%Y"]);
    refused("months = \"%m\"", &["[tables.contact.columns] month", "months apart"]);
    let error = Mapping::parse("[control]\nfile = \"..\"");
    assert!(matches!(error, Err(MappingError::FileName { .. })));
}

#[test]
fn the_example_in_the_documentation_is_a_mapping() {
    let lines = include_str!("../mapping.rs").lines();
    let example: Vec<_> = lines
        .skip_while(|line| *line != "//! ```toml")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    assert!(example.len() > 20, "there is an example");
    assert!(Mapping::parse(&example.join("\n")).is_ok());
}
