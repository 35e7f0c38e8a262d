//! Reads files back: what each cell is, by the codes of its row and column.

use super::super::Format;
use super::super::layout::Layout;
use crate::databank::Extract;
use axum::body::Bytes;
use calamine::{Data, Reader, Xlsx};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;
use std::collections::BTreeMap;
use std::io::Cursor;

/// For each combination of a dimension's code and a value's code: a number or a mark, as text.
pub(super) type Grid = BTreeMap<BTreeMap<String, String>, String>;

/// What a file with codes says.
pub(super) fn grid(extract: &Extract, format: Format, file: &[u8]) -> Grid {
    match format {
        Format::Csv => lines(extract, &csv_lines(file)),
        Format::Xlsx => lines(extract, &merged_head(extract, sheet(file))),
        Format::Html => lines(extract, &merged_head(extract, html_lines(file))),
        Format::Px => px(extract, file),
        Format::Parquet => parquet(extract, file),
        Format::JsonPx => json_px(extract, file),
        Format::JsonStat2 => panic!("not written here"),
    }
}

fn number(text: &str) -> String {
    match text.parse::<f64>() {
        Ok(number) => number.to_string(),
        Err(_) => text.to_owned(),
    }
}

fn unguarded(text: &str) -> String {
    text.strip_prefix('\'').unwrap_or(text).to_owned()
}

/// A table with one line of headings: the stub's codes, then the heading's codes with spaces between.
fn lines(extract: &Extract, lines: &[Vec<String>]) -> Grid {
    let layout = Layout::new(extract);
    let codes = |axes: &[super::super::layout::Axis<'_>]| -> Vec<String> {
        axes.iter().map(|axis| axis.dimension.code.clone()).collect()
    };
    let (stub, heading) = (codes(&layout.stub), codes(&layout.heading));
    let head: Vec<String> = lines[0].iter().map(|text| unguarded(text)).collect();
    assert_eq!(&head[..stub.len()], stub.as_slice());
    assert_eq!(lines.len() - 1, layout.rows());
    let mut grid = Grid::new();
    for line in &lines[1..] {
        assert_eq!(line.len(), head.len());
        for (column, text) in line.iter().enumerate().skip(stub.len()) {
            let mut key: BTreeMap<String, String> =
                stub.iter().cloned().zip(line.iter().map(|text| unguarded(text))).collect();
            if !heading.is_empty() {
                let names: Vec<&str> = head[column].split(' ').collect();
                assert_eq!(names.len(), heading.len(), "{names:?}");
                key.extend(heading.iter().cloned().zip(names.into_iter().map(str::to_owned)));
            }
            grid.insert(key, number(text));
        }
    }
    grid
}

/// Several lines of headings as one.
fn merged_head(extract: &Extract, lines: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let layout = Layout::new(extract);
    let (depth, stub) = (layout.heading.len().max(1), layout.stub.len());
    let mut head = lines[depth - 1].clone();
    for (column, text) in head.iter_mut().enumerate().skip(stub) {
        let parts: Vec<&str> = lines[..depth].iter().map(|line| line[column].as_str()).collect();
        *text = parts.join(" ");
    }
    std::iter::once(head).chain(lines.into_iter().skip(depth)).collect()
}

fn csv_lines(file: &[u8]) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(file);
    let line = |record: Result<::csv::StringRecord, ::csv::Error>| {
        record.unwrap().iter().map(str::to_owned).collect()
    };
    reader.records().map(line).collect()
}

fn workbook(file: &[u8]) -> Xlsx<Cursor<Vec<u8>>> {
    Xlsx::new(Cursor::new(file.to_vec())).expect("a workbook")
}

fn sheet(file: &[u8]) -> Vec<Vec<String>> {
    let mut book = workbook(file);
    let name = book.sheet_names()[0].clone();
    let range = book.worksheet_range(&name).unwrap();
    let text = |data: &Data| match data {
        Data::Float(number) => number.to_string(),
        Data::String(text) => {
            assert!(text.parse::<f64>().is_err() || text.len() < 7, "a number as text: {text}");
            text.clone()
        }
        Data::Empty => String::new(),
        other => panic!("{other:?}"),
    };
    range.rows().map(|row| row.iter().map(text).collect()).collect()
}

/// All text of a workbook.
pub(super) fn sheets(file: &[u8]) -> String {
    let mut book = workbook(file);
    let mut text = String::new();
    for name in book.sheet_names() {
        let range = book.worksheet_range(&name).unwrap();
        for cell in range.rows().flatten() {
            text.push_str(&cell.to_string());
            text.push('\n');
        }
    }
    text
}

/// The number of formulas in a workbook.
pub(super) fn formulas(file: &[u8]) -> usize {
    let mut book = workbook(file);
    let names = book.sheet_names();
    names.iter().map(|name| book.worksheet_formula(name).unwrap().used_cells().count()).sum()
}

fn html_lines(file: &[u8]) -> Vec<Vec<String>> {
    let page = std::str::from_utf8(file).unwrap();
    let table = page.split("<table>").nth(1).unwrap().split("</table>").next().unwrap();
    table
        .split("<tr>")
        .skip(1)
        .map(|row| row.split("</t").filter_map(html_cell).collect())
        .collect()
}

fn html_cell(cell: &str) -> Option<String> {
    let at = cell.find("<th").or_else(|| cell.find("<td"))?;
    let inner = cell[at..].split_once('>')?.1;
    if let Some((_, value)) = inner.split_once("<data value=\"") {
        return Some(value.split('"').next()?.to_owned());
    }
    let inner =
        inner.split_once("\">").map_or(inner, |(_, symbol)| symbol.trim_end_matches("</abbr>"));
    Some(inner.replace("&lt;", "<").replace("&amp;", "&"))
}

fn json_px(extract: &Extract, file: &[u8]) -> Grid {
    let document: serde_json::Value = serde_json::from_slice(file).unwrap();
    let columns = document["columns"].as_array().unwrap();
    let of = |kinds: &[&str]| -> Vec<String> {
        let own = columns.iter().filter(|column| kinds.contains(&column["type"].as_str().unwrap()));
        own.map(|column| column["code"].as_str().unwrap().to_owned()).collect()
    };
    let (stub, contents) = (of(&["d", "t"]), of(&["c"]));
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut grid = Grid::new();
    for row in document["data"].as_array().unwrap() {
        let key: BTreeMap<String, String> = stub.iter().cloned().zip(texts(&row["key"])).collect();
        let values = texts(&row["values"]);
        assert_eq!(values.len(), contents.len());
        for (contents, value) in contents.iter().zip(values) {
            let mut key = key.clone();
            key.insert(crate::databank::CONTENTS.to_owned(), contents.clone());
            grid.insert(key, number(&value));
        }
    }
    assert_eq!(grid.len(), extract.len());
    grid
}

fn parquet(extract: &Extract, file: &[u8]) -> Grid {
    let contents = crate::databank::CONTENTS;
    let own: Vec<String> = extract
        .dimensions()
        .filter(|(dimension, _)| dimension.code == contents)
        .flat_map(|(_, values)| values.into_iter().map(|value| value.code.clone()))
        .collect();
    let reader = SerializedFileReader::new(Bytes::from(file.to_vec())).unwrap();
    let mut grid = Grid::new();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let fields: BTreeMap<String, Field> =
            row.get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect();
        let mut key = BTreeMap::new();
        for (dimension, _) in extract.dimensions().filter(|(it, _)| it.code != contents) {
            let Field::Str(code) = &fields[&dimension.code] else { panic!("a code") };
            key.insert(dimension.code.clone(), code.clone());
            assert!(matches!(fields[&format!("{}_label", dimension.code)], Field::Str(_)));
        }
        for code in &own {
            let name =
                if own.len() > 1 { format!("{contents}_{code}") } else { "value".to_owned() };
            let mut key = key.clone();
            key.insert(contents.to_owned(), code.clone());
            let value = match (&fields[&name], &fields[&format!("{name}_symbol")]) {
                (Field::Double(number), _) => number.to_string(),
                (Field::Null, Field::Str(symbol)) => symbol.clone(),
                other => panic!("{other:?}"),
            };
            grid.insert(key, value);
        }
    }
    grid
}

/// A PC-Axis file as keywords with their texts, and its data.
fn px(extract: &Extract, file: &[u8]) -> Grid {
    let text = std::str::from_utf8(file).unwrap();
    let mut keywords: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for statement in statements(text) {
        let (keyword, value) = split(&statement);
        assert!(keywords.insert(keyword, value).is_none(), "said twice: {statement}");
    }
    let names = |keyword: &str| keywords.get(keyword).cloned().unwrap_or_default();
    let mut axes: Vec<(String, Vec<String>)> = Vec::new();
    for name in names("STUB").into_iter().chain(names("HEADING")) {
        let code = keywords[&format!("VARIABLECODE(\"{name}\")")][0].clone();
        axes.push((code, keywords[&format!("CODES(\"{name}\")")].clone()));
        let texts = keywords[&format!("VALUES(\"{name}\")")].len();
        assert_eq!(texts, axes.last().unwrap().1.len());
    }
    let data = &keywords["DATA"];
    assert_eq!(data.len(), extract.len());
    let mut grid = Grid::new();
    for (place, value) in data.iter().enumerate() {
        let mut rest = place;
        let mut key = BTreeMap::new();
        for (code, codes) in axes.iter().rev() {
            key.insert(code.clone(), codes[rest % codes.len()].clone());
            rest /= codes.len();
        }
        let marks: BTreeMap<&str, String> = [1, 2, 3]
            .map(|dots| {
                ([".", "..", "..."][dots - 1], names(&format!("DATASYMBOL{dots}"))[0].clone())
            })
            .into();
        grid.insert(key, marks.get(value.as_str()).cloned().unwrap_or_else(|| number(value)));
    }
    grid
}

/// Statements end with a semicolon outside quotation marks.
fn statements(text: &str) -> Vec<String> {
    let (mut statements, mut current, mut quoted) = (Vec::new(), String::new(), false);
    for letter in text.chars() {
        quoted ^= letter == '"';
        if letter == ';' && !quoted {
            statements.push(current.trim().to_owned());
            current.clear();
        } else {
            current.push(letter);
        }
    }
    assert!(current.trim().is_empty() && !quoted, "the last statement does not end: {current}");
    statements
}

fn split(statement: &str) -> (String, Vec<String>) {
    let mut quoted = false;
    let at = statement
        .find(|letter| {
            quoted ^= letter == '"';
            letter == '=' && !quoted
        })
        .expect("a keyword and a value");
    let (keyword, value) = (&statement[..at], &statement[at + 1..]);
    if keyword == "DATA" {
        let values = value.split_whitespace().map(|value| value.trim_matches('"').to_owned());
        return (keyword.to_owned(), values.collect());
    }
    let (mut texts, mut current, mut quoted) = (Vec::new(), String::new(), false);
    for letter in value.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => texts.push(std::mem::take(&mut current)),
            '\n' if !quoted => {}
            other => current.push(other),
        }
    }
    texts.push(current);
    (keyword.to_owned(), texts)
}
