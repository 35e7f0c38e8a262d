//! "Is this difference real?" between two figures of one table.

use super::table::{capital, said};
use crate::databank::{Cube, Measure, Role};
use crate::public::Site;
use crate::web::answer::{Trouble, answer};
use crate::web::difference::{self, Difference, Refusal, measured};
use crate::web::frame::{self, Frame};
use crate::web::say;
use crate::web::words::{Compare, Words};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use std::fmt::Write;
use std::sync::Arc;

#[derive(Template)]
#[template(path = "web/difference.html")]
struct Page {
    f: Frame,
    w: &'static Compare,
    id: String,
    table: String,
    sides: [Side; 2],
    found: Option<Found>,
    refused: Option<&'static str>,
    other_municipalities: bool,
}

/// One of the two figures.
struct Side {
    name: &'static str,
    legend: &'static str,
    choices: Vec<Choice>,
    said: String,
    value: String,
    interval: String,
}

/// One dimension of a figure.
struct Choice {
    code: String,
    label: String,
    values: Vec<(String, String, bool)>,
}

/// A difference in words and numbers.
struct Found {
    value: String,
    interval: String,
    is_more: bool,
    is_nested: bool,
}

/// `GET /{language}/tables/{id}/difference?a.Region=..&b.Region=..`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path((code, id)): Path<(String, String)>,
    Query(fields): Query<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    answer(&site, language, &headers, compare(&site, language, &id, &fields).await)
}

async fn compare(
    site: &Site,
    language: Language,
    id: &str,
    fields: &[(String, String)],
) -> Result<String, Trouble> {
    let cube = site.databank.cube(id).await?.ok_or(Trouble::Missing)?;
    let w = &Words::of(language)?.compare;
    let a = read(&cube, "a.", fields, 0);
    let b = read(&cube, "b.", fields, 1);
    let result = difference::compare(&cube, &a, &b);
    let sides = [("a.", &w.first, &a), ("b.", &w.second, &b)]
        .map(|(name, legend, at)| side(&cube, language, (name, legend), at));
    let refused = result.err().map(|refusal| match refusal {
        Refusal::Same => w.same.as_str(),
        Refusal::NotShown => w.not_shown.as_str(),
        Refusal::SharedHidden => w.shared_hidden.as_str(),
        Refusal::SharedNoise => w.shared_noise.as_str(),
    });
    let found = result.ok().map(|found| found_of(&cube, found, language));
    let municipalities = |at: &[usize]| {
        let region = at.first().copied();
        let count = cube.cell(&measured(at, Measure::Municipalities)).value;
        (region, at.last().copied(), count)
    };
    let (first, second) = (municipalities(&a), municipalities(&b));
    let other_municipalities = first.0 == second.0 && first.1 != second.1 && first.2 != second.2;
    let mut path = format!("/tables/{}/difference", cube.id);
    for (place, side) in sides.iter().enumerate() {
        for (number, choice) in side.choices.iter().enumerate() {
            let join = if place + number == 0 { '?' } else { '&' };
            let chosen = choice.values.iter().find(|(_, _, is_chosen)| *is_chosen);
            let code = chosen.map_or("", |(code, _, _)| code.as_str());
            let code = crate::web::selection::escaped(code);
            let _infallible = write!(path, "{join}{}{}={code}", side.name, choice.code);
        }
    }
    let f = Frame::new(site, language, &w.title, &path)?;
    let (id, table) = (cube.id.clone(), cube.title.text(language).to_owned());
    Ok(Page { f, w, id, table, sides, found, refused, other_municipalities }.render()?)
}

/// The positions that the fields with this prefix name. A dimension that they do not name has what
/// the table page chose, and of several the first, or for the other figure the second.
fn read(cube: &Cube, prefix: &str, fields: &[(String, String)], number: usize) -> Vec<usize> {
    let mut is_moved = number == 0;
    let mut at = Vec::with_capacity(cube.dimensions.len());
    for dimension in &cube.dimensions {
        let named = |prefix: &str| {
            let wanted = format!("{prefix}{}", dimension.code);
            let fields = fields.iter().filter(|(name, _)| name.eq_ignore_ascii_case(&wanted));
            fields.filter_map(|(_, code)| dimension.position(code)).take(2).collect::<Vec<_>>()
        };
        if let Some(place) = named(prefix).first() {
            at.push(*place);
            is_moved = true;
            continue;
        }
        let last = dimension.values.len().saturating_sub(1);
        let own = match dimension.role {
            Role::Time => vec![last, last.saturating_sub(1)],
            Role::Category => vec![
                usize::from(dimension.elimination == Some(0)).min(last),
                (1 + usize::from(dimension.elimination == Some(0))).min(last),
            ],
            _ => vec![0],
        };
        let shown = named("");
        let candidates =
            if shown.len() > 1 || (shown.len() == 1 && dimension.role != Role::Category) {
                shown
            } else {
                own
            };
        let first = candidates.first().copied().unwrap_or_default();
        let second = candidates.get(1).copied().filter(|second| !is_moved && *second != first);
        is_moved |= second.is_some();
        at.push(second.unwrap_or(first));
    }
    at
}

fn side(
    cube: &Cube,
    language: Language,
    (name, legend): (&'static str, &'static String),
    at: &[usize],
) -> Side {
    let mut choices = Vec::new();
    let mut words = Vec::new();
    for (dimension, chosen) in cube.dimensions.iter().zip(at) {
        if dimension.role == Role::Contents {
            continue;
        }
        let value = |(place, value): (usize, &crate::present::PresentedCategory)| {
            let label = said(dimension.role, &value.code, value.label.text(language), language);
            (value.code.clone(), label, place == *chosen)
        };
        let values: Vec<_> = dimension.values.iter().enumerate().map(value).collect();
        words.extend(values.get(*chosen).map(|(_, label, _)| label.clone()));
        let label = capital(dimension.label.text(language));
        choices.push(Choice { code: dimension.code.clone(), label, values });
    }
    let number = |measure: Measure| {
        let value = cube.cell(&measured(at, measure)).value?;
        Some(say::number(value, measure.decimals(&cube.figure), language))
    };
    let interval = match (number(Measure::Lower), number(Measure::Upper)) {
        (Some(lower), Some(upper)) => say::range(&lower, &upper, language),
        _ => "–".to_owned(),
    };
    let value = number(Measure::Shown).unwrap_or_else(|| "–".to_owned());
    Side { name, legend, choices, said: words.join(", "), value, interval }
}

fn found_of(cube: &Cube, found: Difference, language: Language) -> Found {
    let number = |value: f64| say::decimal(value, cube.figure.decimals, language);
    Found {
        value: number(found.value),
        interval: say::range(&number(found.lower), &number(found.upper), language),
        is_more: found.is_more_than_noise(),
        is_nested: found.is_nested,
    }
}
