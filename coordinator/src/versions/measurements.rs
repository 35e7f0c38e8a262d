//! Every noisy measurement of a publication, one a row: what a researcher models from.
//!
//! **Invariant:** the values are those that were released or their sums, with the law of their
//! noise; nothing is presented, rounded or hidden here.

use crate::formats::FormatError;
use crate::formats::columns::{self, Datum, Kind, Schema};
use crate::present::{COUNTRY, TableNoise};
use crate::publish::{
    Fixed, Publication, PublishedCell, PublishedDimension, PublishedTable, TableCertificate,
};
use fellestall_shared::limits::TABLE_DIMENSIONS;
use fellestall_shared::privacy::Loss;
use std::rc::Rc;

/// The columns.
pub(super) fn schema() -> Schema {
    let mut schema: Schema = Vec::new();
    let mut add = |name: &str, kind| schema.push((name.to_owned(), kind));
    add("round", Kind::Text);
    add("version", Kind::Whole);
    add("period", Kind::Text);
    add("region", Kind::Text);
    add("statistic", Kind::Text);
    add("definition", Kind::Whole);
    for number in 1..=TABLE_DIMENSIONS {
        add(&format!("dimension{number}"), Kind::Text);
        add(&format!("code{number}"), Kind::Text);
    }
    add("value", Kind::Whole);
    add("variance", Kind::Number);
    add("standard_deviation", Kind::Number);
    add("lower95", Kind::Whole);
    add("upper95", Kind::Whole);
    add("mechanism", Kind::Text);
    add("scale", Kind::Number);
    add("municipalities", Kind::Whole);
    add("mode", Kind::Text);
    add("shared_mechanism", Kind::Text);
    add("shared_scale", Kind::Number);
    add("shared_weight", Kind::Number);
    schema
}

/// One table, its noise, and the codes of its dimensions.
struct Measured<'a> {
    table: &'a PublishedTable,
    noise: TableNoise,
    dimensions: Vec<String>,
}

/// One measurement and the law of its noise.
struct Measurement<'a> {
    region: &'a str,
    cell: &'a PublishedCell,
    value: i64,
    variance: Fixed,
    deviation: f64,
    half_width: i64,
    municipalities: usize,
}

/// The rows: national sums first, then each municipality's own where the study publishes them.
pub(super) fn rows(publication: &Publication) -> impl Iterator<Item = Vec<Datum>> + '_ {
    let tables = publication.tables.iter().zip(&publication.certificate.tables);
    let measured: Rc<Vec<Rc<Measured<'_>>>> = Rc::new(tables.map(measured).collect());
    let national = Vec::clone(&measured).into_iter().flat_map(move |table| {
        table.table.cells.iter().map(move |cell| {
            let measurement = Measurement {
                region: COUNTRY,
                cell,
                value: cell.value,
                variance: cell.variance,
                deviation: cell.standard_deviation.value(),
                half_width: cell.upper95.saturating_sub(cell.value),
                municipalities: publication.coverage.reported,
            };
            row(publication, &table, &measurement)
        })
    });
    let municipal = publication.municipal.iter().flat_map(move |figures| {
        // A table that nobody saw municipality by municipality has no such figures.
        let seen = Vec::clone(&measured).into_iter().filter_map(|measured| {
            let statistic = &measured.table.statistic;
            let own = figures.tables.iter().find(|own| own.statistic == *statistic)?;
            Some((measured, own))
        });
        seen.flat_map(move |(table, own)| {
            table.table.cells.iter().zip(&own.values).map(move |(cell, value)| {
                let measurement = Measurement {
                    region: figures.municipality.as_str(),
                    cell,
                    value: *value,
                    variance: own.variance,
                    deviation: own.variance.value().sqrt(),
                    half_width: own.half_width95,
                    municipalities: 1,
                };
                row(publication, &table, &measurement)
            })
        })
    });
    national.chain(municipal)
}

fn measured<'a>((table, noise): (&'a PublishedTable, &'a TableCertificate)) -> Rc<Measured<'a>> {
    let code = |dimension: &PublishedDimension| {
        let code = serde_json::to_value(dimension.variable).ok();
        code.and_then(|code| code.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let dimensions = table.dimensions.iter().map(code).collect();
    Rc::new(Measured { table, noise: TableNoise::of(table, noise), dimensions })
}

fn row(
    publication: &Publication,
    measured: &Measured<'_>,
    measurement: &Measurement<'_>,
) -> Vec<Datum> {
    let text = |text: &str| Datum::Text(text.to_owned());
    let Measured { table, noise, dimensions } = measured;
    let mut row = vec![
        text(publication.round.as_str()),
        Datum::Whole(publication.version.into()),
        Datum::Text(publication.period.to_string()),
        text(measurement.region),
        text(table.statistic.as_str()),
        Datum::Whole(table.definition.into()),
    ];
    for place in 0..TABLE_DIMENSIONS {
        row.push(dimensions.get(place).map_or(Datum::None, |code| text(code)));
        let code = measurement.cell.codes.get(place);
        row.push(code.map_or(Datum::None, |code| text(code)));
    }
    let (value, half) = (measurement.value, measurement.half_width);
    row.extend([
        Datum::Whole(value),
        Datum::Number(measurement.variance.value()),
        Datum::Number(measurement.deviation),
        Datum::Whole(value.saturating_sub(half)),
        Datum::Whole(value.saturating_add(half)),
        noise.loss.map_or(Datum::None, |loss| text(mechanism(loss))),
        noise.scale.map_or(Datum::None, |scale| Datum::Number(scale.value())),
        i64::try_from(measurement.municipalities).map_or(Datum::None, Datum::Whole),
    ]);
    // A municipality's own figures have its own noise alone.
    let shared = noise.shared.as_ref().filter(|_| measurement.region == COUNTRY);
    let mode = match (shared, &noise.loss) {
        (None, _) => "local",
        (Some(_), None) => "shared",
        (Some(_), Some(_)) => "both",
    };
    row.extend([
        text(mode),
        shared.map_or(Datum::None, |own| text(mechanism(own.loss))),
        shared.map_or(Datum::None, |own| Datum::Number(own.scale_of_sum())),
        shared.and_then(|own| own.weight).map_or(Datum::None, |own| Datum::Number(own.value())),
    ]);
    row
}

/// The mechanism's name in files.
pub(super) fn mechanism(loss: Loss) -> &'static str {
    match loss {
        Loss::DiscreteGaussian { .. } => "discrete_gaussian",
        Loss::DiscreteLaplace { .. } => "discrete_laplace",
    }
}

/// The measurements as tidy CSV (RFC 4180).
///
/// # Errors
/// [`FormatError::Writer`].
pub(super) fn csv(publication: &Publication) -> Result<Vec<u8>, FormatError> {
    let failed = |error: csv::Error| FormatError::Writer(Box::new(error));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(schema().iter().map(|(name, _)| name)).map_err(failed)?;
    for row in rows(publication) {
        let text = |datum| match datum {
            Datum::Text(text) => text,
            Datum::Number(number) => number.to_string(),
            Datum::Whole(number) => number.to_string(),
            Datum::None => String::new(),
        };
        writer.write_record(row.into_iter().map(text)).map_err(failed)?;
    }
    writer.into_inner().map_err(|error| FormatError::Writer(error.to_string().into()))
}

/// The measurements as Apache Parquet.
///
/// # Errors
/// [`FormatError::Writer`].
pub(super) fn parquet(publication: &Publication) -> Result<Vec<u8>, FormatError> {
    let about = vec![
        ("round".to_owned(), publication.round.to_string()),
        ("version".to_owned(), publication.version.to_string()),
        ("title".to_owned(), publication.title.en.clone()),
        ("about".to_owned(), publication.about.en.clone()),
    ];
    columns::write(&schema(), rows(publication), about)
}
