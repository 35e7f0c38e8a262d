//! JSON-stat 2.0 (json-stat.org), as the databanks of Statistics Norway and Sweden write it.
//!
//! **Invariant:** the values are the extract's cells, row-major over its dimensions, none added and
//! none left out; metadata is the same document without them.

use super::query::code;
use crate::config::Web;
use crate::databank::{Cell, Extract, Measure, Role, Slice};
use dimension::DimensionOut;
use fellestall_shared::labels::Language;
use privacy::Dp;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

mod dimension;
mod privacy;
mod words;

/// What a document says of the service that it came from.
#[derive(Debug, Clone, Copy)]
pub struct About<'a> {
    /// Publisher, contact, licence.
    pub web: &'a Web,
    /// The address that readers use, without a slash at its end.
    pub url: &'a str,
}

impl About<'_> {
    /// The address of a resource of the interface, in a language.
    #[must_use]
    pub fn href(&self, path: &str, language: Language) -> String {
        format!("{}/api/v2{path}?lang={}", self.url, code(language))
    }
}

/// An object that keeps the order of its members; clients read the order of categories from it.
pub(super) struct Ordered<V>(pub Vec<(String, V)>);

impl<V: Serialize> Serialize for Ordered<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// A number as short as it can be written.
struct Number(Option<crate::publish::Fixed>);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            None => serializer.serialize_none(),
            Some(number) if number.micro() % 1_000_000 == 0 => {
                serializer.serialize_i64(number.micro() / 1_000_000)
            }
            Some(number) => serializer.serialize_f64(number.value()),
        }
    }
}

#[derive(Serialize)]
struct Dataset<'a> {
    version: &'static str,
    class: &'static str,
    href: String,
    label: String,
    source: &'a str,
    updated: String,
    link: Ordered<Vec<Reference>>,
    note: Vec<String>,
    role: RoleOut,
    id: Vec<String>,
    size: Vec<usize>,
    dimension: Ordered<DimensionOut>,
    extension: Extension,
    value: Vec<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Ordered<&'static str>>,
}

#[derive(Serialize)]
struct Reference {
    r#type: &'static str,
    href: String,
}

#[derive(Serialize)]
struct RoleOut {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    time: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    geo: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metric: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    note_mandatory: Ordered<bool>,
    px: Px,
    first_period: String,
    last_period: String,
    tags: Vec<String>,
    discontinued: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contact: Vec<Contact>,
    time_unit: &'static str,
    dp: Dp,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::struct_excessive_bools, reason = "keywords of PC-Axis")]
struct Px {
    tableid: String,
    matrix: String,
    decimals: u8,
    #[serde(rename = "official-statistics")]
    official: bool,
    aggregallowed: bool,
    copyright: bool,
    language: &'static str,
    contents: String,
    description: String,
    descriptiondefault: bool,
    heading: Vec<String>,
    stub: Vec<String>,
    subject_code: String,
    subject_area: String,
}

#[derive(Serialize)]
struct Contact {
    organization: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<String>,
    raw: String,
}

/// Writes data; `metadata` leaves the values out.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn write(
    extract: &Extract,
    metadata: bool,
    about: &About<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    let (cube, language) = (&extract.cube, extract.language);
    let path = format!("/tables/{}/{}", cube.id, if metadata { "metadata" } else { "data" });
    let (value, status) = if metadata { (Vec::new(), None) } else { values(extract) };
    let own: Vec<_> = extract.dimensions().collect();
    let with = |role: Role| {
        own.iter().filter(|(one, _)| one.role == role).map(|(one, _)| one.code.clone()).collect()
    };
    let (note, note_mandatory) = notes(extract, language);
    let dataset = Dataset {
        version: "2.0",
        class: "dataset",
        href: about.href(&path, language),
        label: format!("{}: {}", cube.id, cube.title.text(language)),
        source: &about.web.publisher,
        updated: cube.updated.to_string(),
        link: links(extract, about),
        note,
        role: RoleOut {
            time: with(Role::Time),
            geo: with(Role::Region),
            metric: with(Role::Contents),
        },
        id: own.iter().map(|(one, _)| one.code.clone()).collect(),
        size: own.iter().map(|(_, values)| values.len()).collect(),
        dimension: dimension::dimensions(extract, about),
        extension: extension(extract, about, note_mandatory),
        value,
        status,
    };
    serde_json::to_vec(&dataset)
}

/// Every cell, and the marks of those that have one.
fn values(extract: &Extract) -> (Vec<Number>, Option<Ordered<&'static str>>) {
    let mut values = Vec::with_capacity(extract.len());
    let mut marks = Vec::new();
    for (number, Cell { value, symbol }) in extract.cells().enumerate() {
        values.push(Number(value));
        if let Some(symbol) = symbol {
            marks.push((number.to_string(), symbol.text()));
        }
    }
    (values, (!marks.is_empty()).then_some(Ordered(marks)))
}

/// The mandatory note first, then how the measures are to be read.
fn notes(extract: &Extract, language: Language) -> (Vec<String>, Ordered<bool>) {
    let newest = extract.cube.slices.last();
    let about = newest.map(|slice| slice.presentation.about.text(language).to_owned());
    let mut notes: Vec<String> = about.into_iter().collect();
    let mandatory = notes.iter().map(|_| ("0".to_owned(), true)).collect();
    notes.push(words::SUMS.text(language).to_owned());
    notes.push(words::SYMBOLS.text(language).to_owned());
    (notes, Ordered(mandatory))
}

fn links(extract: &Extract, about: &About<'_>) -> Ordered<Vec<Reference>> {
    let id = &extract.cube.id;
    let json = |path: &str| Reference {
        r#type: "application/json",
        href: about.href(&format!("/tables/{id}{path}"), extract.language),
    };
    let mut links = vec![("describedby".to_owned(), vec![json("/metadata")])];
    if !about.web.licence_url.is_empty() {
        let href = about.web.licence_url.clone();
        links.push(("license".to_owned(), vec![Reference { r#type: "text/html", href }]));
    }
    Ordered(links)
}

fn extension(extract: &Extract, about: &About<'_>, note_mandatory: Ordered<bool>) -> Extension {
    let (cube, language) = (&extract.cube, extract.language);
    let code_of = |place: &usize| cube.dimensions.get(*place).map(|one| one.code.clone());
    let shown = extract.shown.iter().map(|(place, _)| place);
    let period = |slice: Option<&Slice>| {
        slice.map(|slice| slice.presentation.period.to_string()).unwrap_or_default()
    };
    let newest = cube.slices.last();
    let study = newest.map(|slice| slice.presentation.study.to_string()).unwrap_or_default();
    let area = newest.map(|slice| slice.presentation.study_title.text(language).to_owned());
    let decimals = Measure::ALL.iter().map(|measure| measure.decimals(&cube.figure)).max();
    Extension {
        note_mandatory,
        px: Px {
            tableid: cube.id.clone(),
            matrix: cube.id.clone(),
            decimals: decimals.unwrap_or_default(),
            official: false,
            aggregallowed: false,
            copyright: false,
            language: code(language),
            contents: cube.title.text(language).to_owned(),
            description: format!("{}: {}", cube.id, cube.title.text(language)),
            descriptiondefault: true,
            heading: extract.heading.iter().filter_map(code_of).collect(),
            stub: shown
                .filter(|place| !extract.heading.contains(place))
                .filter_map(code_of)
                .collect(),
            subject_code: study,
            subject_area: area.unwrap_or_default(),
        },
        first_period: period(cube.slices.first()),
        last_period: period(newest),
        tags: Vec::new(),
        discontinued: false,
        contact: contact(about.web),
        time_unit: newest.map_or("Other", |slice| time_unit(slice.presentation.period)),
        dp: privacy::dp(extract, about),
    }
}

fn contact(web: &Web) -> Vec<Contact> {
    let contact = web.contact.iter().map(|contact| Contact {
        organization: web.publisher.clone(),
        mail: contact.contains('@').then(|| contact.clone()),
        raw: format!("{}# {contact}", web.publisher),
    });
    contact.collect()
}

/// The unit of time as the specification has it; half-years have no name there.
#[must_use]
pub fn time_unit(period: fellestall_shared::period::Period) -> &'static str {
    match period.months() {
        12 => "Annual",
        3 => "Quarterly",
        1 => "Monthly",
        _ => "Other",
    }
}
