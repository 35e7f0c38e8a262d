//! One extract in every format and language, read back by other programs' readers: the same numbers.

use super::*;
use crate::databank::{Cell, Choice, Cube, Role};
use crate::present::Symbol;
use fellestall_shared::labels::Language;
use fixture::cube;
use proptest::prelude::*;
use read::Grid;
use std::collections::BTreeMap;

pub(crate) mod fixture;
mod read;

const LANGUAGES: [Language; 3] = [Language::Nb, Language::Nn, Language::En];
const FILES: [Format; 6] =
    [Format::Csv, Format::Xlsx, Format::Px, Format::Html, Format::Parquet, Format::JsonPx];

pub(super) fn web() -> Web {
    Web { contact: Some("tall@example.no".to_owned()), ..Web::default() }
}

fn written(extract: &Extract, format: Format, shown: &str) -> Vec<u8> {
    let web = web();
    let context = Context { web: &web, url: "https://tall.example.no" };
    let names =
        if matches!(format, Format::Csv | Format::Xlsx | Format::Html) { shown } else { "" };
    let params = Params::parse(format, names.split_terminator(',')).expect("parameters");
    write(extract, format, params, &context).expect("a file")
}

/// What the extract itself says: for each combination of codes, a number or a mark.
fn truth(extract: &Extract) -> Grid {
    let dimensions: Vec<(String, Vec<String>)> = extract
        .dimensions()
        .map(|(dimension, values)| {
            (dimension.code.clone(), values.iter().map(|value| value.code.clone()).collect())
        })
        .collect();
    let mut grid = Grid::new();
    for number in 0..extract.len() {
        let mut rest = number;
        let mut key = BTreeMap::new();
        for (code, values) in dimensions.iter().rev() {
            key.insert(code.clone(), values[rest % values.len()].clone());
            rest /= values.len();
        }
        let cell = extract.cell(number);
        let text = cell.value.map(|number| number.to_string());
        grid.insert(key, text.unwrap_or_else(|| cell.symbol.expect("a mark").text().to_owned()));
    }
    grid
}

fn check(extract: &Extract) {
    let expected = truth(extract);
    for format in FILES {
        let found = read::grid(extract, format, &written(extract, format, "UseCodes"));
        assert_eq!(found, expected, "{} in {:?}", format.name(), extract.language);
    }
}

/// Some values of each dimension, or its total; the heading in any place.
fn choices(cube: &Cube) -> impl Strategy<Value = (Vec<Choice>, Vec<bool>)> + use<> {
    let dimensions: Vec<BoxedStrategy<Choice>> = cube
        .dimensions
        .iter()
        .map(|dimension| {
            let all: Vec<usize> = (0..dimension.values.len()).collect();
            let some = proptest::sample::subsequence(all.clone(), 1..=all.len())
                .prop_shuffle()
                .prop_map(Choice::Values);
            match dimension.elimination {
                Some(_) => prop_oneof![3 => some, 1 => Just(Choice::Eliminated)].boxed(),
                None => some.boxed(),
            }
        })
        .collect();
    let heading = proptest::collection::vec(any::<bool>(), cube.dimensions.len());
    (dimensions, heading)
}

fn extract(language: Language, choices: Vec<Choice>, heading: Option<&[bool]>) -> Extract {
    let mut extract = Extract::new(cube(), language, choices).expect("an extract");
    if let Some(heading) = heading {
        let places = extract.shown.iter().map(|(place, _)| *place);
        extract.heading = places.filter(|place| heading[*place]).collect();
    }
    extract
}

fn everything(language: Language) -> Extract {
    let all = |values: &usize| Choice::Values((0..*values).collect());
    let sizes: Vec<usize> = cube().dimensions.iter().map(|it| it.values.len()).collect();
    extract(language, sizes.iter().map(all).collect(), None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn s10_one_query_has_the_same_numbers_in_every_format_and_language(
        (choices, heading) in choices(&cube())
    ) {
        for language in LANGUAGES {
            check(&extract(language, choices.clone(), Some(&heading)));
        }
    }
}

#[test]
fn the_whole_table_has_the_same_numbers_in_every_format_and_language() {
    for language in LANGUAGES {
        let extract = everything(language);
        assert!(truth(&extract).values().any(|value| value == ":"));
        assert!(truth(&extract).values().any(|value| value == ".."));
        check(&extract);
    }
}

#[test]
fn one_extract_has_one_sequence_of_bytes() {
    let extract = everything(Language::Nb);
    for format in FILES {
        assert_eq!(written(&extract, format, ""), written(&extract, format, ""), "{format:?}");
    }
}

#[test]
fn parameters_that_do_not_fit_are_refused() {
    let parse = |format, names: &[&str]| Params::parse(format, names.iter().copied());
    assert!(parse(Format::Csv, &["UseCodes", "UseTexts"]).is_err());
    assert!(parse(Format::Csv, &["separatortab", "SeparatorSpace"]).is_err());
    assert!(parse(Format::Xlsx, &["SeparatorTab"]).is_err());
    assert!(parse(Format::Px, &["UseCodes"]).is_err());
    assert!(parse(Format::JsonStat2, &["IncludeTitle"]).is_err());
    assert!(parse(Format::Csv, &["Everything"]).is_err());
    let params = parse(Format::Csv, &["usetexts", "UseTexts", "includetitle"]).unwrap();
    assert_eq!((params.shown, params.title), (Shown::Texts, true));
    assert_eq!(params.separator, Separator::Comma);
    assert_eq!(parse(Format::Html, &[]).unwrap().shown, Shown::Texts);
    assert_eq!(parse(Format::Csv, &[]).unwrap().shown, Shown::Codes);
}

#[test]
fn every_format_has_its_name() {
    for format in Format::ALL {
        assert_eq!(Format::parse(&format.name().to_uppercase()), Some(format));
    }
    assert_eq!(Format::parse("pdf"), None);
}

#[test]
fn a_spreadsheet_takes_no_text_for_a_formula() {
    let extract = everything(Language::En);
    let csv = String::from_utf8(written(&extract, Format::Csv, "UseTexts")).unwrap();
    assert!(csv.contains("\"'=cmd|' /C calc'!A0\""), "{csv}");
    for separator in ["SeparatorTab", "SeparatorSemicolon", "SeparatorSpace"] {
        let text = written(&extract, Format::Csv, &format!("UseTexts,{separator}"));
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("\"="), "{text}");
    }
    let workbook = written(&extract, Format::Xlsx, "UseTexts");
    assert_eq!(read::formulas(&workbook), 0);
}

#[test]
fn text_from_labels_is_escaped_in_html() {
    let page = String::from_utf8(written(&everything(Language::En), Format::Html, "UseTexts"));
    let page = page.unwrap();
    assert!(page.contains("&lt;b&gt;bold&lt;/b&gt; &amp; &quot;quoted&quot;"), "{page}");
    assert!(!page.contains("<b>"));
    assert!(page.contains("\u{2212}3"), "a real minus sign is displayed");
}

#[test]
fn every_file_with_room_for_words_carries_the_mandatory_note() {
    for (language, note) in LANGUAGES.into_iter().zip([
        "Tallene har st\u{f8}y.",
        "Tala har st\u{f8}y.",
        "The figures are noisy.",
    ]) {
        let extract = everything(language);
        for format in [Format::Px, Format::Html, Format::JsonPx] {
            let file = String::from_utf8(written(&extract, format, "")).unwrap();
            assert!(file.contains(note), "{} {file}", format.name());
        }
        assert!(read::sheets(&written(&extract, Format::Xlsx, "")).contains(note));
        let px = String::from_utf8(written(&extract, Format::Px, "")).unwrap();
        assert!(px.contains("NOTEX=") && px.contains("AGGREGALLOWED=NO;"));
    }
}

/// A sum is never left to the reader's program: where the total is not in the file, it is told that
/// the variable cannot be left out.
#[test]
fn a_px_file_names_the_total_or_forbids_elimination() {
    let cube = cube();
    let situation = cube.dimension("housing_situation").unwrap();
    for (values, expected) in [
        (vec![0, 1, 2], "ELIMINATION(\"bosituasjon\")=\"I alt\";"),
        (vec![1, 2], "ELIMINATION(\"bosituasjon\")=NO;"),
    ] {
        let mut choices: Vec<Choice> =
            cube.dimensions.iter().map(|_| Choice::Values(vec![0])).collect();
        choices[situation] = Choice::Values(values);
        let extract = extract(Language::Nb, choices, None);
        let px = String::from_utf8(written(&extract, Format::Px, "")).unwrap();
        assert!(px.contains(expected), "{px}");
        assert!(!px.contains("=YES;"), "{px}");
    }
}

#[test]
fn small_files_are_as_they_were_agreed() {
    let cube = cube();
    let contents = cube.dimensions.iter().position(|it| it.role == Role::Contents).unwrap();
    let mut choices: Vec<Choice> =
        cube.dimensions.iter().map(|_| Choice::Values(vec![0, 1])).collect();
    choices[contents] = Choice::Values(vec![0, 3]);
    let extract = extract(Language::En, choices, None);
    for (format, shown, golden) in [
        (Format::Csv, "", include_str!("tests/codes.csv")),
        (Format::Csv, "UseTexts,IncludeTitle,SeparatorSemicolon", include_str!("tests/texts.csv")),
        (Format::Px, "", include_str!("tests/small.px")),
        (Format::Html, "UseCodesAndTexts,IncludeTitle", include_str!("tests/small.html")),
        (Format::JsonPx, "", include_str!("tests/small.json")),
    ] {
        let file = String::from_utf8(written(&extract, format, shown)).unwrap();
        assert_eq!(file.trim_end(), golden.trim_end(), "{} {shown}\n{file}", format.name());
    }
}

#[test]
fn more_than_a_sheet_holds_is_refused_with_a_way_out() {
    let web = web();
    let context = Context { web: &web, url: "https://tall.example.no" };
    // The second has rows enough, and more cells with its texts than are held in memory.
    for (rows, what) in [(1_100_000, "rows"), (300_000, "cells")] {
        let many = fixture::wide(rows);
        let refused = write(&many, Format::Xlsx, Params::of(Format::Xlsx), &context);
        let Err(error) = refused else { panic!("a sheet that holds too much") };
        let text = error.to_string();
        assert!(text.contains("csv or parquet") && text.contains(what), "{text}");
    }
}

#[test]
fn a_provisional_number_stays_a_number_and_its_mark_is_displayed() {
    let extract = everything(Language::Nb);
    let is_provisional = |cell: &Cell| cell.symbol == Some(Symbol::Provisional);
    let provisional: Vec<Cell> = extract.cells().filter(is_provisional).collect();
    assert!(!provisional.is_empty() && provisional.iter().all(|cell| cell.value.is_some()));
    let page = String::from_utf8(written(&extract, Format::Html, "")).unwrap();
    assert_eq!(page.matches(">*</abbr></td>").count(), provisional.len());
}
