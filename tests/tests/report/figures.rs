//! Every number of the report is the number that was presented.

use crate::scene::{PUBLISHER, Scene, plausible};
use calamine::{Data, Range, Reader, Xlsx};
use fellestall_coordinator::databank::{Cube, Measure};
use fellestall_coordinator::present::COUNTRY;
use fellestall_coordinator::publish::Fixed;
use fellestall_coordinator::report::{self, Report, Row, TableReport, Verdict};
use fellestall_shared::labels::Language;
use std::io::Cursor;
use std::sync::Arc;

const LANGUAGES: [Language; 3] = [Language::Nb, Language::Nn, Language::En];

/// The rows of a sheet after its heading.
fn sheet(bytes: &[u8], number: usize) -> Vec<Vec<Data>> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).expect("a workbook");
    let name = book.sheet_names()[number].clone();
    let range: Range<Data> = book.worksheet_range(&name).expect("a sheet");
    range.rows().skip(1).map(<[Data]>::to_vec).collect()
}

fn rows(report: &Report) -> impl Iterator<Item = (&TableReport, &Row)> {
    let tables = report.studies.iter().flat_map(|study| &study.tables);
    tables.flat_map(|table| table.rows.iter().map(move |row| (table, row)))
}

/// What the databank shows of a row.
fn cell(cube: &Cube, period: &str, row: &Row, measure: Measure) -> Option<f64> {
    let mut at = Vec::new();
    for dimension in &cube.dimensions {
        let code = match dimension.code.as_str() {
            "Region" => COUNTRY.to_owned(),
            "ContentsCode" => measure.code(&cube.figure),
            "Tid" => period.to_owned(),
            _ => row.codes[at.len() - 1].clone(),
        };
        at.push(dimension.position(&code).expect("a value"));
    }
    cube.cell(&at).value.map(Fixed::value)
}

#[tokio::test]
async fn every_figure_is_the_presented_one() {
    let scene = Scene::with_two_periods(&plausible(9), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let databank = scene.databank().await;
    let mut seen = 0;
    for (table, row) in rows(&report) {
        let cube: Arc<Cube> = databank.cube(&table.id).await.expect("read").expect("a table");
        let pairs = [
            (Measure::Shown, row.shown),
            (Measure::Lower, row.lower),
            (Measure::Upper, row.upper),
            (Measure::Deviation, row.deviation),
            (Measure::Raw, row.raw),
        ];
        for (measure, reported) in pairs {
            let presented = cell(&cube, "2026H1", row, measure);
            assert_eq!(reported.map(Fixed::value), presented, "{} {:?}", table.id, row.codes);
        }
        let before = cell(&cube, "2025H2", row, Measure::Raw);
        assert_eq!(row.raw_before.map(Fixed::value), before);
        seen += 1;
    }
    assert!(seen > 50, "{seen} figures");
    for statistic in ["S2", "S4", "S5", "S7", "S14", "S17"] {
        let id = format!("core-{statistic}");
        let tables = &report.studies[0].tables;
        assert!(tables.iter().any(|table| table.id == id && !table.rows.is_empty()), "{id}");
    }
}

#[tokio::test]
async fn the_workbook_has_every_number_as_a_number() {
    let scene = Scene::with_two_periods(&plausible(9), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    for language in LANGUAGES {
        let bytes = report::xlsx(&report, language).expect("a workbook");
        let figures = sheet(&bytes, 1);
        assert_eq!(figures.len(), rows(&report).count());
        for ((table, row), line) in rows(&report).zip(&figures) {
            assert_eq!(line[1], Data::String(table.id.clone()));
            let labels: Vec<&str> = row.labels.iter().map(|label| label.text(language)).collect();
            assert_eq!(line[3], Data::String(labels.join(", ")));
            let numbers = [row.shown, row.lower, row.upper, row.deviation, row.raw];
            for (number, cell) in numbers.into_iter().zip(&line[5..10]) {
                let wanted = number.map_or(Data::Empty, |number| Data::Float(number.value()));
                assert_eq!(cell, &wanted, "{} {:?}", table.id, row.codes);
            }
        }
        let changes = sheet(&bytes, 2);
        assert_eq!(changes.len(), figures.len(), "every table has a period before");
        for ((_, row), line) in rows(&report).zip(&changes) {
            assert_eq!(line[4], Data::String("2025H2".to_owned()));
            let change = row.change;
            let numbers = [
                row.raw_before,
                row.raw,
                change.map(|change| change.difference),
                change.map(|change| change.lower95),
                change.map(|change| change.upper95),
            ];
            for (number, cell) in numbers.into_iter().zip(&line[5..10]) {
                let wanted = number.map_or(Data::Empty, |number| Data::Float(number.value()));
                assert_eq!(cell, &wanted);
            }
        }
        assert_eq!(sheet(&bytes, 0).len(), 8, "every municipality");
        assert!(sheet(&bytes, 3).len() > 8, "the method");
        assert_eq!(bytes, report::xlsx(&report, language).expect("again"), "the same each time");
    }
}

/// A number as the page writes it.
fn written(value: f64, decimals: u8, language: Language) -> String {
    let text = format!("{:.*}", usize::from(decimals), value).replace('-', "−");
    let text = if language == Language::En { text } else { text.replace('.', ",") };
    if text.trim_start_matches('−').chars().all(|sign| "0,.".contains(sign)) {
        text.replace('−', "")
    } else {
        text
    }
}

#[tokio::test]
async fn the_page_shows_every_figure_with_its_interval() {
    let scene = Scene::with_two_periods(&plausible(9), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    for (language, to, phrase) in [
        (Language::Nb, "til", "Ingen sikker endring"),
        (Language::Nn, "til", "Inga sikker endring"),
        (Language::En, "to", "No real change"),
    ] {
        let page = report::html(&report, language).expect("a page");
        let body: Vec<&str> = page.split("<tbody>").skip(1).collect();
        let lines: Vec<&str> = body
            .iter()
            .filter_map(|body| body.split("</tbody>").next())
            .flat_map(|body| body.split("<tr").skip(1))
            .collect();
        assert_eq!(lines.len(), rows(&report).count());
        for ((table, row), line) in rows(&report).zip(lines) {
            let decimals = table.figure.decimals;
            let of = |value: f64| written(value, decimals, language);
            let (Some(shown), Some(lower), Some(upper)) = (row.shown, row.lower, row.upper) else {
                continue;
            };
            let value = format!("<td class=\"number\">{}", of(shown.value()));
            assert!(line.contains(&value), "{value} in {line}");
            let interval = format!("<td>{} {to} {}</td>", of(lower.value()), of(upper.value()));
            assert!(line.contains(&interval), "{interval} in {line}");
            let no_change = row.change.is_some_and(|one| one.verdict == Verdict::NoRealChange);
            assert_eq!(line.contains(phrase), no_change, "{:?} in {line}", row.change);
        }
    }
}

/// Said once for every figure whose interval of the change covers 0, and of no other.
#[tokio::test]
async fn no_real_change_is_said_exactly_when_the_interval_covers_zero() {
    let scene = Scene::with_two_periods(&plausible(9), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    let mut verdicts = [0; 2];
    for (_, row) in rows(&report) {
        let Some(change) = row.change else {
            assert!(row.shown.is_none() || row.raw_before.is_none(), "{row:?}");
            continue;
        };
        let covers = change.lower95.micro() <= 0 && change.upper95.micro() >= 0;
        assert_eq!(change.verdict == Verdict::NoRealChange, covers, "{row:?}");
        verdicts[usize::from(covers)] += 1;
    }
    assert!(verdicts.iter().all(|times| *times > 3), "{verdicts:?}");
}

#[tokio::test]
async fn the_command_writes_what_the_library_does() {
    let scene = Scene::with_two_periods(&plausible(9), &plausible(0)).await;
    let report = scene.report("2026H1").await.expect("a report");
    for (tongue, language) in [("nb", Language::Nb), ("nn", Language::Nn), ("en", Language::En)] {
        let page = report::html(&report, language).expect("a page");
        let wanted = ["report", "--period", "2026H1", "--lang", tongue];
        assert_eq!(scene.command(&wanted).await.expect("written"), page.into_bytes());
    }
    let file = scene.path("report.xlsx");
    let out = file.to_string_lossy();
    let wanted = ["report", "--period", "2026H1", "--as", "xlsx", "--out", &out];
    assert!(scene.command(&wanted).await.expect("written").is_empty());
    let bytes = std::fs::read(&file).expect("a file");
    assert_eq!(bytes, report::xlsx(&report, Language::Nb).expect("a workbook"));
    let page = report::html(&report, Language::En).expect("a page");
    assert!(!page.contains(PUBLISHER), "what was configured is escaped");
    assert!(page.contains("Nettverket &#60;&#38;&#62; venner"), "and shown");
}
