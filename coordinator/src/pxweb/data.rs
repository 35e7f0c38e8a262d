//! Metadata, selections and data of a table.
//!
//! **Invariant:** the same selection has the same answer, by GET, by POST and in parts.

use super::answer::{self, Validators};
use super::json_stat;
use super::links::Link;
use super::problem::Refusal;
use super::query::{Query, code};
use super::resolve::{Resolved, resolve, selection, whole};
use super::saved;
use super::selection::VariablesSelection;
use super::service::{Id, Service};
use crate::formats::{self, Format, Params};
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{RawQuery, State};
use axum::response::Response;
use fellestall_shared::labels::Language;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

/// Bytes of a selection, at the most.
pub(super) const BODY_BYTES: usize = 512 * 1024;

/// `GET /tables/{id}/metadata`.
///
/// # Errors
/// [`Refusal`]: what does not fit.
pub async fn metadata(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::parse(raw.as_deref());
    let language = query.language()?.unwrap_or(Language::Nb);
    let cube = service.cube(&id).await?;
    let limit = service.site.web.max_data_cells;
    let by_default = query.flag("defaultSelection")?;
    let resolved = if let Some(saved) = query.one("savedQuery") {
        let saved = saved::find(&service, saved).await?;
        resolve(&cube, &saved.selection, language, limit)?
    } else if by_default {
        resolve(&cube, &VariablesSelection::default(), language, limit)?
    } else {
        let mut wanted = query.selection();
        wanted.selection.retain(|one| one.codelist.is_some());
        whole(&cube, &wanted, language)?
    };
    let body = json_stat::write(&resolved.extract, true, &service.about()).map_err(internal)?;
    Ok(answer::bytes(body, &headers, Some(cube.updated)))
}

/// A selection in codes.
#[derive(Serialize)]
pub(super) struct SelectionResponse {
    #[serde(flatten)]
    selection: VariablesSelection,
    language: &'static str,
    links: [Link; 1],
}

/// `GET /tables/{id}/defaultselection`.
///
/// # Errors
/// [`Refusal`]: no such table or language.
pub async fn default_selection(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let language = Query::parse(raw.as_deref()).language()?.unwrap_or(Language::Nb);
    let cube = service.cube(&id).await?;
    let wanted = VariablesSelection::default();
    let resolved = resolve(&cube, &wanted, language, service.site.web.max_data_cells)?;
    let path = format!("/tables/{}/defaultselection", cube.id);
    let document = selection_response(&service, &resolved, &path);
    Ok(answer::json(&document, &headers, Some(cube.updated)))
}

pub(super) fn selection_response(
    service: &Service,
    resolved: &Resolved,
    path: &str,
) -> SelectionResponse {
    let language = resolved.extract.language;
    SelectionResponse {
        selection: selection(resolved),
        language: code(language),
        links: [Link::to(&service.about(), "self", path, language)],
    }
}

/// `GET /tables/{id}/data`.
///
/// # Errors
/// [`Refusal`]: what does not fit.
pub async fn get(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let query = Query::parse(raw.as_deref());
    let how = How::of(&query, Language::Nb, Format::JsonStat2, &[])?;
    data(&service, &id, &query.selection(), how, &headers).await
}

/// `POST /tables/{id}/data`.
///
/// # Errors
/// [`Refusal`]: what does not fit.
pub async fn post(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let query = Query::parse(raw.as_deref());
    let how = How::of(&query, Language::Nb, Format::JsonStat2, &[])?;
    let bytes = bytes(body, BODY_BYTES).await?;
    let blank = bytes.iter().all(u8::is_ascii_whitespace);
    let wanted = if blank { VariablesSelection::default() } else { json(&bytes)? };
    data(&service, &id, &wanted, how, &headers).await
}

/// How an answer is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    pub language: Language,
    pub format: Format,
    pub params: Params,
}

impl How {
    /// As the query says; what it does not say is as given.
    pub fn of(
        query: &Query,
        language: Language,
        format: Format,
        params: &[String],
    ) -> Result<Self, Refusal> {
        let language = query.language()?.unwrap_or(language);
        let asked = query.format()?;
        let mut names: Vec<&str> = query.list("outputFormatParams").collect();
        if names.is_empty() && asked.is_none_or(|asked| asked == format) {
            names = params.iter().map(String::as_str).collect();
        }
        let format = asked.unwrap_or(format);
        let bad = |error: formats::BadParams| Refusal::Format { reason: error.to_string() };
        Ok(Self { language, format, params: Params::parse(format, names).map_err(bad)? })
    }
}

/// Data of a table.
pub(super) async fn data(
    service: &Arc<Service>,
    id: &str,
    wanted: &VariablesSelection,
    how: How,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let cube = service.cube(id).await?;
    let resolved = resolve(&cube, wanted, how.language, service.site.web.max_data_cells)?;
    let validators = validators(service, &resolved, how);
    if validators.is_known(headers) {
        return Ok(validators.not_modified());
    }
    let media_type = how.format.media_type();
    if let Some(body) = service.kept(validators.tag()) {
        return Ok(validators.answer(media_type, body));
    }
    let _turn = service.turn().await?;
    let own = Arc::clone(service);
    let written = tokio::task::spawn_blocking(move || write(&own, &resolved, how)).await;
    let body = Bytes::from(written.map_err(|_| Refusal::Internal)??);
    service.keep(validators.tag(), &body);
    Ok(validators.answer(media_type, body))
}

fn write(service: &Service, resolved: &Resolved, how: How) -> Result<Vec<u8>, Refusal> {
    let about = service.about();
    if how.format == Format::JsonStat2 {
        return json_stat::write(&resolved.extract, false, &about).map_err(internal);
    }
    let context = formats::Context { web: about.web, url: about.url };
    Ok(formats::write(&resolved.extract, how.format, how.params, &context)?)
}

/// Names an answer by everything it follows from: the publications, the selection, the format.
fn validators(service: &Service, resolved: &Resolved, how: How) -> Validators {
    let cube = &resolved.extract.cube;
    let seed = format!(
        "{} {} {:?} {:?} {:?}",
        env!("CARGO_PKG_VERSION"),
        cube.id,
        how,
        resolved.extract.shown,
        resolved.extract.heading
    );
    let versions = cube.slices.iter().map(|slice| {
        let shown = &slice.presentation;
        format!(" {} {} {}", shown.round, shown.version, shown.publication)
    });
    let from: String = std::iter::once(seed).chain(versions).collect();
    let web = format!("{:?}", service.site.web);
    let parts = [from.as_bytes(), web.as_bytes(), service.site.url.as_bytes()];
    Validators::of(&parts, Some(cube.updated))
}

/// Reads a body of at most so many bytes.
pub(super) async fn bytes(body: Body, limit: usize) -> Result<Bytes, Refusal> {
    let least = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if least > limit {
        return Err(Refusal::TooLarge { limit });
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Refusal::TooLarge { limit }),
        Err(_) => Err(Refusal::malformed("the body did not arrive")),
    }
}

/// Reads a body as JSON.
pub(super) fn json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let what = if error.is_data() { "is not as described" } else { "is not JSON" };
        Refusal::malformed(format!("the body {what} (line {line}, column {column})"))
    })
}

pub(super) fn internal(error: serde_json::Error) -> Refusal {
    crate::databank::DatabankError::from(error).into()
}
