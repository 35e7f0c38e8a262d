//! Which tables there are, what the interface can, and codelists.
//!
//! **Invariant:** lists what the databank's catalogue holds, in pages of bounded size.

use super::answer;
use super::codelist::{self, Codelist};
use super::json_stat::{About, time_unit};
use super::links::Link;
use super::problem::{Refusal, shorten};
use super::query::{LANGUAGES, Query, code, encode};
use super::service::{Id, Service};
use crate::databank::Listed;
use crate::formats::Format;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use fellestall_shared::clock::{Clock, Timestamp};
use fellestall_shared::labels::Language;
use http::HeaderMap;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;

/// Tables on a page, when nothing else is said.
const PAGE: i64 = 20;
/// Tables on a page, at the most.
const PAGE_MOST: i64 = 10_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    api_version: &'static str,
    app_version: &'static str,
    languages: [Named; 3],
    default_language: &'static str,
    max_data_cells: usize,
    max_calls_per_time_window: u32,
    time_window: u32,
    license: &'a str,
    source_references: Vec<SourceReference>,
    default_data_format: &'static str,
    data_formats: [&'static str; 7],
    features: [Feature; 1],
}

#[derive(Serialize)]
struct Named {
    id: &'static str,
    label: &'static str,
}

#[derive(Serialize)]
struct SourceReference {
    language: &'static str,
    text: String,
}

#[derive(Serialize)]
struct Feature {
    id: &'static str,
    params: [Param; 1],
}

#[derive(Serialize)]
struct Param {
    key: &'static str,
    value: &'static str,
}

/// `GET /config`.
pub async fn config(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let web = &service.site.web;
    let source = |language: Language| {
        let word = if language == Language::En { "Source" } else { "Kilde" };
        let word = if language == Language::Nn { "Kjelde" } else { word };
        SourceReference { language: code(language), text: format!("{word}: {}", web.publisher) }
    };
    let license = if web.licence_url.is_empty() { &web.licence } else { &web.licence_url };
    let config = Config {
        // A version before 2.0.0, or a pre-release of it, is refused by clients.
        api_version: "2.0.0",
        app_version: env!("CARGO_PKG_VERSION"),
        languages: [
            Named { id: "nb", label: "bokmål" },
            Named { id: "nn", label: "nynorsk" },
            Named { id: "en", label: "English" },
        ],
        default_language: "nb",
        max_data_cells: web.max_data_cells,
        max_calls_per_time_window: web.calls_per_window.max(1),
        time_window: web.window_seconds.max(1),
        license,
        source_references: LANGUAGES.map(source).into(),
        default_data_format: Format::JsonStat2.name(),
        data_formats: Format::ALL.map(Format::name),
        features: [Feature { id: "CORS", params: [Param { key: "enabled", value: "true" }] }],
    };
    answer::json(&config, &headers, None)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Table<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'static str>,
    id: &'a str,
    label: String,
    description: &'a str,
    sort_code: &'a str,
    tags: [&'static str; 0],
    updated: String,
    first_period: String,
    last_period: String,
    category: &'static str,
    variable_names: Vec<&'a str>,
    discontinued: bool,
    source: &'a str,
    subject_code: &'a str,
    time_unit: &'static str,
    paths: [[PathElement<'a>; 1]; 1],
    links: [Link; 3],
}

#[derive(Serialize)]
struct PathElement<'a> {
    id: &'a str,
    label: &'a str,
}

fn table<'a>(listed: &'a Listed, language: Language, about: &About<'a>) -> Table<'a> {
    let entry = &listed.entry;
    let id = entry.id.as_str();
    let period = |round: Option<&(fellestall_shared::period::Period, _, _)>| {
        round.map(|(period, _, _)| period.to_string()).unwrap_or_default()
    };
    let link = |rel, path: &str| Link::to(about, rel, &format!("/tables/{id}{path}"), language);
    Table {
        language: None,
        id,
        label: format!("{id}: {}", entry.title.text(language)),
        description: entry.description.text(language),
        sort_code: id,
        tags: [],
        updated: listed.updated.to_string(),
        first_period: period(listed.rounds.first()),
        last_period: period(listed.rounds.last()),
        category: "public",
        variable_names: entry.variables.iter().map(|label| label.text(language)).collect(),
        discontinued: false,
        source: &about.web.publisher,
        subject_code: entry.study.as_str(),
        time_unit: listed.rounds.last().map_or("Other", |(period, _, _)| time_unit(*period)),
        paths: [[PathElement {
            id: entry.study.as_str(),
            label: entry.study_title.text(language),
        }]],
        links: [link("self", ""), link("metadata", "/metadata"), link("data", "/data")],
    }
}

#[derive(Serialize)]
struct TablesResponse<'a> {
    language: &'static str,
    tables: Vec<Table<'a>>,
    page: PageInfo,
    links: [Link; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    page_number: i64,
    page_size: i64,
    total_elements: usize,
    total_pages: usize,
    links: Vec<Link>,
}

/// `GET /tables`.
///
/// # Errors
/// [`Refusal`]: a parameter that is none, or a page that is not there.
pub async fn list(
    State(service): State<Arc<Service>>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::parse(raw.as_deref());
    let language = query.language()?.unwrap_or(Language::Nb);
    let wanted = Wanted::of(&query, language, service.site.clock.as_ref())?;
    let catalogue = service.site.databank.catalogue().await?;
    let found: Vec<&Listed> =
        catalogue.tables.values().filter(|listed| wanted.takes(listed)).collect();
    let size = usize::try_from(wanted.size).unwrap_or(1);
    let pages = found.len().div_ceil(size).max(1);
    let page = usize::try_from(wanted.page).ok().filter(|page| (1..=pages).contains(page));
    let page = page.ok_or(Refusal::Page { page: wanted.page, last: pages })?;
    let about = service.about();
    let shown = found.iter().skip((page - 1).saturating_mul(size)).take(size);
    let modified = found.iter().map(|listed| listed.updated).max();
    let response = TablesResponse {
        language: code(language),
        tables: shown.map(|listed| table(listed, language, &about)).collect(),
        page: PageInfo {
            page_number: wanted.page,
            page_size: wanted.size,
            total_elements: found.len(),
            total_pages: pages,
            links: wanted.links(page, pages, &query, &about),
        },
        links: [Link::to(&about, "self", "/tables", language)],
    };
    // What is taken may depend on the day, so that only the tag says whether it is the same.
    let modified = modified.filter(|_| wanted.since.is_none());
    Ok(answer::json(&response, &headers, modified))
}

/// What a reader looks for.
struct Wanted {
    words: Vec<String>,
    language: Language,
    since: Option<Timestamp>,
    page: i64,
    size: i64,
}

impl Wanted {
    fn of(query: &Query, language: Language, clock: &dyn Clock) -> Result<Self, Refusal> {
        let days = query.number("pastDays")?;
        if days.is_some_and(|days| days < 1) {
            return Err(Refusal::malformed("pastDays is a positive number of days"));
        }
        // No table has ended so far; the parameter is read, so that a wrong one is told.
        query.flag("includeDiscontinued")?;
        let size = query.number("pageSize")?.unwrap_or(PAGE);
        if size < 1 {
            return Err(Refusal::malformed("pageSize is a positive number of tables"));
        }
        let since = days.map(|days| {
            let seconds = u64::try_from(days).unwrap_or(0).saturating_mul(86_400);
            clock.now().minus(Duration::from_secs(seconds))
        });
        let text = query.one("query").unwrap_or_default().to_lowercase();
        Ok(Self {
            words: text.split_whitespace().map(str::to_owned).collect(),
            language,
            since,
            page: query.number("pageNumber")?.unwrap_or(1),
            size: size.min(PAGE_MOST),
        })
    }

    fn takes(&self, listed: &Listed) -> bool {
        self.since.is_none_or(|since| listed.updated >= since)
            && self.words.iter().all(|word| listed.mentions(word, self.language))
    }

    fn links(&self, page: usize, pages: usize, query: &Query, about: &About<'_>) -> Vec<Link> {
        let kept: String = ["query", "pastDays"]
            .into_iter()
            .filter_map(|name| query.one(name).map(|value| format!("&{name}={}", encode(value))))
            .collect();
        let to = |rel, number: usize| {
            let mut link = Link::to(about, rel, "/tables", self.language);
            let rest = format!("{kept}&pageNumber={number}&pageSize={}", self.size);
            link.href.push_str(&rest);
            link
        };
        let mut links = vec![to("self", page), to("first", 1), to("last", pages)];
        links.extend((page > 1).then(|| to("previous", page - 1)));
        links.extend((page < pages).then(|| to("next", page + 1)));
        links
    }
}

/// `GET /tables/{id}`.
///
/// # Errors
/// [`Refusal`]: no such table or language.
pub async fn one(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let language = Query::parse(raw.as_deref()).language()?.unwrap_or(Language::Nb);
    let catalogue = service.site.databank.catalogue().await?;
    let listed = catalogue.table(&id).ok_or_else(|| Refusal::Table { id: shorten(&id) })?;
    let mut document = table(listed, language, &service.about());
    document.language = Some(code(language));
    Ok(answer::json(&document, &headers, Some(listed.updated)))
}

#[derive(Serialize)]
struct CodelistResponse {
    id: &'static str,
    label: String,
    language: &'static str,
    languages: [&'static str; 3],
    elimination: bool,
    r#type: &'static str,
    values: Vec<ValueMap>,
    links: [Link; 1],
}

#[derive(Serialize)]
struct ValueMap {
    code: &'static str,
    label: String,
    #[serde(rename = "valueMap")]
    maps: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    notes: Option<[Note; 1]>,
}

#[derive(Serialize)]
struct Note {
    mandatory: bool,
    text: String,
}

/// `GET /codelists/{id}`.
///
/// # Errors
/// [`Refusal`]: no such codelist or language.
pub async fn codelist(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let language = Query::parse(raw.as_deref()).language()?.unwrap_or(Language::Nb);
    let list = Codelist::find(&id);
    let list = list.ok_or_else(|| Refusal::Codelist { id: shorten(&id), variable: None })?;
    let values = list.values().into_iter().map(|value| ValueMap {
        code: value.code,
        label: value.label.text(language).to_owned(),
        maps: [value.code],
        notes: value
            .before
            .map(|before| [Note { mandatory: false, text: codelist::note(before, language) }]),
    });
    let about = service.about();
    let document = CodelistResponse {
        id: list.id(),
        label: list.label(language),
        language: code(language),
        languages: LANGUAGES.map(code),
        // Left out, a region is stood for by the whole country, not by this list's sum.
        elimination: false,
        r#type: "Valueset",
        values: values.collect(),
        links: [Link::to(&about, "self", &format!("/codelists/{}", list.id()), language)],
    };
    Ok(answer::json(&document, &headers, None))
}
