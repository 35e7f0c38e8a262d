//! Query strings as clients send them.

use super::{Query, decode, encode};
use fellestall_shared::labels::Language;
use proptest::prelude::*;

#[test]
fn brackets_are_raw_or_encoded_and_names_have_no_case() {
    for raw in [
        "valuecodes[Region]=0,4601&codelist[Region]=vs_Kommuner",
        "valueCodes%5BRegion%5D=0%2C4601&CODELIST%5bRegion%5d=vs_Kommuner",
        "VALUECODES[Region]=0&valuecodes[region]=4601&codelist[REGION]=vs_Kommuner&other=1",
    ] {
        let wanted = Query::parse(Some(raw)).selection();
        assert_eq!(wanted.selection.len(), 1, "{raw}");
        assert_eq!(wanted.selection[0].value_codes, ["0", "4601"], "{raw}");
        assert_eq!(wanted.selection[0].codelist.as_deref(), Some("vs_Kommuner"), "{raw}");
    }
}

#[test]
fn an_item_with_a_comma_is_in_brackets() {
    let raw = "valuecodes[Tid]=2020,[range(2024H1,2026H1)],top(2,1)";
    let wanted = Query::parse(Some(raw)).selection();
    assert_eq!(wanted.selection[0].value_codes, ["2020", "[range(2024H1,2026H1)]", "top(2,1)"]);
}

#[test]
fn languages_flags_and_numbers_are_read_or_refused() {
    let query = |raw| Query::parse(Some(raw));
    assert_eq!(query("lang=NO").language().unwrap(), Some(Language::Nb));
    assert_eq!(query("LANG=en").language().unwrap(), Some(Language::En));
    assert_eq!(query("lang=").language().unwrap(), None);
    assert!(query("lang=sv").language().is_err());
    assert!(query("a=True").flag("a").unwrap());
    assert!(query("a=1").flag("a").is_err());
    assert_eq!(query("a=-3").number("A").unwrap(), Some(-3));
    assert!(query("a=x").number("a").is_err());
}

proptest! {
    #[test]
    fn any_text_is_a_query(raw in "\\PC{0,200}") {
        let query = Query::parse(Some(&raw));
        let _wanted = query.selection();
        let _format = query.format().is_ok();
    }

    #[test]
    fn what_is_encoded_is_decoded(text in "\\PC{0,60}") {
        prop_assert_eq!(decode(&encode(&text)), text);
    }
}
