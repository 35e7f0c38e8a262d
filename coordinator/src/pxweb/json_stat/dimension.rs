//! Dimensions in JSON-stat: categories, units, codelists, and what stands for a variable that is left
//! out.
//!
//! **Invariant:** a variable that may be left out names the value that stands for it.

use super::{About, Ordered};
use crate::databank::{Dimension, Extract, Measure, Role};
use crate::present::{PresentedCategory, TableKind};
use crate::pxweb::codelist::{self, Codelist};
use crate::pxweb::links::Link;
use fellestall_shared::labels::Language;
use serde::Serialize;

/// A dimension.
#[derive(Serialize)]
pub(super) struct DimensionOut {
    label: String,
    category: Category,
    extension: Extension,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Describedby>,
}

#[derive(Serialize)]
struct Category {
    index: Ordered<usize>,
    label: Ordered<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<Ordered<[String; 1]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<Ordered<Unit>>,
}

#[derive(Serialize)]
struct Unit {
    base: String,
    label: String,
    decimals: u8,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    elimination: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    elimination_value_code: Option<String>,
    show: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refperiod: Option<Ordered<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    measuring_type: Option<Ordered<&'static str>>,
    codelists: Vec<Information>,
    #[serde(rename = "codeLists")]
    code_lists: Vec<Information>,
}

#[derive(Serialize, Clone)]
struct Information {
    id: &'static str,
    label: String,
    r#type: &'static str,
    links: [Link; 1],
}

#[derive(Serialize)]
struct Describedby {
    describedby: [Described; 1],
}

#[derive(Serialize)]
struct Described {
    extension: Ordered<&'static str>,
}

/// The dimensions of an extract.
pub(super) fn dimensions(extract: &Extract, about: &About<'_>) -> Ordered<DimensionOut> {
    let mut labels: Vec<String> = Vec::new();
    let own = extract.dimensions().map(|(dimension, values)| {
        let mut label = dimension.label.text(extract.language).to_owned();
        // Clients take labels for names of columns.
        if labels.contains(&label) {
            label = format!("{label} ({})", dimension.code);
        }
        labels.push(label.clone());
        (dimension.code.clone(), one(extract, dimension, &values, label, about))
    });
    Ordered(own.collect())
}

fn one(
    extract: &Extract,
    dimension: &Dimension,
    values: &[&PresentedCategory],
    label: String,
    about: &About<'_>,
) -> DimensionOut {
    let language = extract.language;
    let code = |value: &&PresentedCategory| value.code.clone();
    let is = |role: Role| dimension.role == role;
    let index = values.iter().enumerate().map(|(place, value)| (code(value), place));
    let text = |value: &&PresentedCategory| value.label.text(language).to_owned();
    let labels = values.iter().map(|value| (code(value), text(value)));
    let eliminating = dimension.elimination.and_then(|place| dimension.values.get(place));
    let lists = information(dimension, about, language);
    DimensionOut {
        label,
        category: Category {
            index: Ordered(index.collect()),
            label: Ordered(labels.collect()),
            note: is(Role::Region).then(|| notes(values, language)).flatten(),
            unit: is(Role::Contents).then(|| units(extract, values)),
        },
        extension: Extension {
            elimination: eliminating.is_some(),
            elimination_value_code: eliminating.map(|value| value.code.clone()),
            show: if is(Role::Region) { "code_value" } else { "value" },
            refperiod: is(Role::Contents).then(|| refperiod(extract, values)),
            measuring_type: is(Role::Contents).then(|| measuring_type(extract, values)),
            codelists: lists.clone(),
            code_lists: lists,
        },
        link: is(Role::Region).then(|| Describedby {
            describedby: [Described {
                extension: Ordered(vec![(
                    dimension.code.clone(),
                    "urn:ssb:classification:klass:131",
                )]),
            }],
        }),
    }
}

fn measure(extract: &Extract, value: &PresentedCategory) -> Option<Measure> {
    let figure = &extract.cube.figure;
    Measure::ALL.into_iter().find(|measure| measure.code(figure) == value.code)
}

fn units(extract: &Extract, values: &[&PresentedCategory]) -> Ordered<Unit> {
    let (figure, language) = (&extract.cube.figure, extract.language);
    let unit = |value: &&PresentedCategory| {
        let measure = measure(extract, value)?;
        let unit = measure.unit(figure).text(language).to_owned();
        let decimals = measure.decimals(figure);
        Some((value.code.clone(), Unit { base: unit.clone(), label: unit, decimals }))
    };
    Ordered(values.iter().filter_map(unit).collect())
}

fn refperiod(extract: &Extract, values: &[&PresentedCategory]) -> Ordered<String> {
    let text = match extract.language {
        Language::Nb => "perioden eller dens siste dag; se beskrivelsen av tabellen",
        Language::Nn => "perioden eller den siste dagen i han; sjå skildringa av tabellen",
        Language::En => "the period or its last day; see the description of the table",
    };
    Ordered(values.iter().map(|value| (value.code.clone(), text.to_owned())).collect())
}

fn measuring_type(extract: &Extract, values: &[&PresentedCategory]) -> Ordered<&'static str> {
    let kind = if extract.cube.kind == TableKind::Means { "Average" } else { "Other" };
    Ordered(values.iter().map(|value| (value.code.clone(), kind)).collect())
}

/// From when region codes are valid, and what some of them were before.
fn notes(values: &[&PresentedCategory], language: Language) -> Option<Ordered<[String; 1]>> {
    let mut before = Vec::new();
    for list in [Codelist::Counties, Codelist::Municipalities] {
        before.extend(list.values().into_iter().filter_map(|one| Some((one.code, one.before?))));
    }
    let note = |value: &&PresentedCategory| {
        let (_, earlier) = before.iter().find(|(code, _)| *code == value.code)?;
        Some((value.code.clone(), [codelist::note(*earlier, language)]))
    };
    let notes: Vec<_> = values.iter().filter_map(note).collect();
    (!notes.is_empty()).then_some(Ordered(notes))
}

fn information(dimension: &Dimension, about: &About<'_>, language: Language) -> Vec<Information> {
    let lists = Codelist::of(dimension).into_iter();
    let lists = lists.map(|list| Information {
        id: list.id(),
        label: list.label(language),
        r#type: "Valueset",
        links: [Link::to(about, "metadata", &format!("/codelists/{}", list.id()), language)],
    });
    lists.collect()
}
