//! Figures and rates as tidy CSV (RFC 4180): one figure a line, the same columns for every study.
//!
//! **Invariant:** a line holds the unbiased value beside its interval; nothing is rounded for show.

use super::{Fixed, Publication};
use fellestall_shared::labels::Language;
use fellestall_shared::limits::TABLE_DIMENSIONS;

/// CSV that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the CSV could not be written")]
pub struct CsvError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl From<csv::Error> for CsvError {
    fn from(error: csv::Error) -> Self {
        Self(Box::new(error))
    }
}

/// Every cell of every table, with the labels in one language.
///
/// Columns: round, version, period, statistic, definition, then dimension, code and label for each
/// of four dimensions (empty where a table has fewer), value, variance, `standard_deviation`, `lower95`,
/// `upper95`, nodes (in the figure), missing (asked but not in it).
///
/// # Errors
/// [`CsvError`].
pub fn figures(publication: &Publication, language: Language) -> Result<Vec<u8>, CsvError> {
    let mut header: Vec<String> =
        ["round", "version", "period", "statistic", "definition"].map(str::to_owned).to_vec();
    for number in 1..=TABLE_DIMENSIONS {
        header.extend(["dimension", "code", "label"].map(|name| format!("{name}{number}")));
    }
    let figures =
        ["value", "variance", "standard_deviation", "lower95", "upper95", "nodes", "missing"];
    header.extend(figures.map(str::to_owned));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header)?;
    for table in &publication.tables {
        for cell in &table.cells {
            let mut line = start(publication);
            line.extend([table.statistic.to_string(), table.definition.to_string()]);
            for position in 0..TABLE_DIMENSIONS {
                let pair = table.dimensions.get(position).zip(cell.codes.get(position));
                line.extend(pair.map_or_else(<[String; 3]>::default, |(dimension, code)| {
                    let category =
                        dimension.categories.iter().find(|category| category.code == *code);
                    let label = category.map_or("", |category| category.label.text(language));
                    [dimension.label.text(language).to_owned(), code.clone(), label.to_owned()]
                }));
            }
            line.push(cell.value.to_string());
            line.extend([cell.variance, cell.standard_deviation].map(|number| number.to_string()));
            line.extend([cell.lower95, cell.upper95].map(|number| number.to_string()));
            line.extend(end(publication));
            writer.write_record(&line)?;
        }
    }
    finish(writer)
}

/// Every rate, with the labels in one language; the figures are empty where none can be given.
///
/// # Errors
/// [`CsvError`].
pub fn rates(publication: &Publication, language: Language) -> Result<Vec<u8>, CsvError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "round",
        "version",
        "period",
        "rate",
        "statistic",
        "label",
        "method",
        "numerator",
        "denominator",
        "value",
        "lower95",
        "upper95",
        "nodes",
        "missing",
    ])?;
    for rate in &publication.rates {
        let mut line = start(publication);
        line.extend([rate.rate.clone(), rate.statistic.to_string()]);
        line.extend([rate.label.text(language).to_owned(), rate.method.clone()]);
        line.extend([rate.numerator, rate.denominator].map(|number| number.to_string()));
        let text = |number: Option<Fixed>| number.map_or_else(String::new, |it| it.to_string());
        line.push(text(rate.figure.map(|figure| figure.value)));
        line.push(text(rate.figure.map(|figure| figure.lower95)));
        line.push(text(rate.figure.map(|figure| figure.upper95)));
        line.extend(end(publication));
        writer.write_record(&line)?;
    }
    finish(writer)
}

fn start(publication: &Publication) -> Vec<String> {
    vec![
        publication.round.to_string(),
        publication.version.to_string(),
        publication.period.to_string(),
    ]
}

fn end(publication: &Publication) -> [String; 2] {
    let coverage = &publication.coverage;
    let missing = coverage.asked.saturating_sub(coverage.reported);
    [coverage.reported.to_string(), missing.to_string()]
}

fn finish(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>, CsvError> {
    writer.into_inner().map_err(|error| CsvError(error.to_string().into()))
}
