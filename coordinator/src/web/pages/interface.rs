//! The reference of the databank's interface, from its own description.
//!
//! **Invariant:** shows what the description says and nothing else; the description is the file that
//! the contract tests use, as JSON.

use crate::public::Site;
use crate::web::answer::{Trouble, answer};
use crate::web::frame::{self, Frame};
use crate::web::say;
use crate::web::words::{Interface, Words};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use serde_json::Value;
use std::sync::{Arc, LazyLock};

const DESCRIPTION: &str = include_str!("../../pxweb/PxAPI-2.json");

#[derive(Template)]
#[template(path = "web/interface.html")]
struct Page {
    f: Frame,
    w: &'static Interface,
    url: String,
    example: Option<String>,
    max_cells: String,
    max_calls: String,
    window: u32,
    groups: &'static [Group],
}

/// The calls under one heading.
struct Group {
    name: String,
    text: String,
    calls: Vec<Call>,
}

/// One call.
struct Call {
    id: String,
    method: String,
    path: String,
    summary: String,
    lines: Vec<Line>,
    parameters: Vec<Parameter>,
    answers: Vec<(String, String)>,
}

/// One line of a description.
struct Line {
    text: String,
    is_item: bool,
}

/// One parameter.
struct Parameter {
    name: String,
    place: String,
    kind: String,
    text: String,
    is_required: bool,
}

/// `GET /{language}/api`.
pub(crate) async fn page(
    State(site): State<Arc<Site>>,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(language) = frame::language(&code) else {
        return answer(&site, Language::Nb, &headers, Err(Trouble::Missing));
    };
    answer(&site, language, &headers, interface(&site, language).await)
}

async fn interface(site: &Site, language: Language) -> Result<String, Trouble> {
    let w = &Words::of(language)?.interface;
    let f = Frame::new(site, language, &w.title, "/api")?;
    let catalogue = site.databank.catalogue().await?;
    let url = format!("{}/api/v2", site.url);
    let grouped = |number: u32| say::decimal(f64::from(number), 0, language);
    let example = catalogue.tables.values().next();
    let example = example.map(|listed| {
        format!("{url}/tables/{}/data?lang={}&outputFormat=csv", listed.entry.id, f.lang)
    });
    let page = Page {
        w,
        example,
        max_cells: grouped(u32::try_from(site.web.max_data_cells).unwrap_or(u32::MAX)),
        max_calls: grouped(site.web.calls_per_window),
        window: site.web.window_seconds,
        groups: groups()?,
        url,
        f,
    };
    Ok(page.render()?)
}

fn groups() -> Result<&'static [Group], Trouble> {
    static GROUPS: LazyLock<Result<Vec<Group>, &'static str>> = LazyLock::new(|| {
        let document: Value = serde_json::from_str(DESCRIPTION).map_err(|_| "not JSON")?;
        parse(&document).ok_or("not a description of calls")
    });
    GROUPS.as_deref().map_err(|what| Trouble::Interface(what))
}

fn parse(document: &Value) -> Option<Vec<Group>> {
    let tags = document.get("tags")?.as_array()?;
    let mut groups: Vec<Group> = Vec::new();
    for tag in tags {
        let (name, text) = (text(tag, "name"), text(tag, "description"));
        groups.push(Group { name, text, calls: Vec::new() });
    }
    for (path, methods) in document.get("paths")?.as_object()? {
        for (method, call) in methods.as_object()? {
            let tag = call.pointer("/tags/0").and_then(Value::as_str).unwrap_or_default();
            let place = groups.iter().position(|group| group.name == tag).unwrap_or_else(|| {
                let name = tag.to_owned();
                groups.push(Group { name, text: String::new(), calls: Vec::new() });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(place) {
                group.calls.push(described(document, path, method, call));
            }
        }
    }
    groups.retain(|group| !group.calls.is_empty());
    Some(groups)
}

fn described(document: &Value, path: &str, method: &str, call: &Value) -> Call {
    let parameters = call.get("parameters").and_then(Value::as_array);
    let parameters = parameters.into_iter().flatten().map(|one| parameter(document, one));
    let answers = call.get("responses").and_then(Value::as_object);
    let answers = answers
        .into_iter()
        .flatten()
        .map(|(status, answer)| (status.clone(), text(resolved(document, answer), "description")));
    Call {
        id: text(call, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(call, "summary"),
        lines: lines(&text(call, "description")),
        parameters: parameters.collect(),
        answers: answers.collect(),
    }
}

/// The lines of a description, which is in a simple Markdown: items begin with an asterisk.
fn lines(text: &str) -> Vec<Line> {
    let text = text.replace("**", "");
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = |line: &str| {
        let item = line.strip_prefix("* ");
        Line { text: item.unwrap_or(line).to_owned(), is_item: item.is_some() }
    };
    lines.map(line).collect()
}

fn parameter(document: &Value, one: &Value) -> Parameter {
    let one = resolved(document, one);
    let schema = one.get("schema").map(|schema| resolved(document, schema));
    let mut kind = schema.map(|schema| text(schema, "type")).unwrap_or_default();
    let item = schema.and_then(|schema| schema.get("items")).map(|item| resolved(document, item));
    let values = [schema, item].into_iter().flatten().find_map(|schema| schema.get("enum"));
    if let Some(values) = values.and_then(Value::as_array) {
        let values: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
        kind = format!("{kind}: {}", values.join(", "));
    }
    Parameter {
        name: text(one, "name"),
        place: text(one, "in"),
        kind,
        text: text(one, "description"),
        is_required: one.get("required").and_then(Value::as_bool) == Some(true),
    }
}

/// The value, or what it refers to within the document.
fn resolved<'v>(document: &'v Value, value: &'v Value) -> &'v Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let target = reference.and_then(|reference| reference.strip_prefix('#'));
    target.and_then(|target| document.pointer(target)).unwrap_or(value)
}

fn text(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTION, groups};
    use serde_json::Value;

    const YAML: &str = include_str!("../../pxweb/PxAPI-2.yml");

    #[test]
    fn every_call_of_the_description_is_shown() {
        let calls: Vec<String> = groups()
            .expect("a description")
            .iter()
            .flat_map(|group| &group.calls)
            .map(|call| format!("{} {}", call.method, call.path))
            .collect();
        assert_eq!(calls.len(), 12, "{calls:?}");
        for call in ["GET /tables", "POST /tables/{id}/data", "GET /savedqueries/{id}/selection"] {
            assert!(calls.iter().any(|known| known == call), "{call}");
        }
    }

    /// The keys of the document in its order, without what lists hold.
    fn keys(value: &Value, out: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    out.push(key.clone());
                    keys(value, out);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| keys(value, out)),
            _ => {}
        }
    }

    #[test]
    fn the_two_forms_of_the_description_have_the_same_keys() {
        let document: Value = serde_json::from_str(DESCRIPTION).expect("JSON");
        let mut of_json = Vec::new();
        keys(&document, &mut of_json);
        of_json.sort();
        let key = |line: &str| {
            let line = line.trim_start().trim_start_matches("- ");
            let (key, rest) = line.split_once(':')?;
            let is_key = rest.is_empty() || rest.starts_with(' ');
            let key = key.trim_matches(['\'', '"']);
            let is_plain = key.chars().all(|c| c.is_alphanumeric() || "_-/{}$.+".contains(c));
            (is_key && is_plain && !key.is_empty()).then(|| key.to_owned())
        };
        let of_yaml: Vec<String> = YAML.lines().filter_map(key).collect();
        for key in &of_json {
            assert!(of_yaml.contains(key), "{key} is not in the YAML file");
        }
        for path in of_yaml.iter().filter(|key| key.starts_with('/')) {
            assert!(of_json.contains(path), "{path} is not in the JSON file");
        }
    }
}
