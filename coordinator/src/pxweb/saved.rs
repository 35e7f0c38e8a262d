//! Saved queries: a selection under a short address.
//!
//! **Invariant:** a saved query holds a selection and nothing of the answer; its id follows from its
//! content, and a bounded number of them is kept.

use super::answer;
use super::data::{self, How, SelectionResponse, json, selection_response};
use super::links::Link;
use super::problem::Refusal;
use super::query::{self, Query, code};
use super::resolve::{Resolved, resolve};
use super::selection::VariablesSelection;
use super::service::{Id, Service};
use crate::formats::{Format, Params};
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Bytes of a saved query, at the most.
const QUERY_BYTES: usize = 64 * 1024;
/// Saved queries that are kept, at the most.
const QUERIES: u32 = 20_000;
/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 32;

/// A query as it is saved.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SavedQuery {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What is selected.
    pub selection: VariablesSelection,
    language: String,
    table_id: String,
    #[serde(default = "default_format")]
    output_format: String,
    #[serde(default)]
    output_format_params: Vec<String>,
}

fn default_format() -> String {
    Format::JsonStat2.name().to_owned()
}

impl SavedQuery {
    fn language(&self) -> Result<Language, Refusal> {
        query::language(&self.language)
    }

    fn how(&self, asked: &Query) -> Result<How, Refusal> {
        let format = query::format(&self.output_format)?;
        How::of(asked, self.language()?, format, &self.output_format_params)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SavedQueryResponse {
    language: &'static str,
    id: String,
    saved_query: SavedQuery,
    links: [Link; 3],
}

fn response(service: &Service, id: String, mut saved: SavedQuery) -> SavedQueryResponse {
    let about = service.about();
    let language = saved.language().unwrap_or(Language::Nb);
    let link =
        |rel, rest: &str| Link::to(&about, rel, &format!("/savedqueries/{id}{rest}"), language);
    let links = [link("self", ""), link("data", "/data"), link("selection", "/selection")];
    saved.id = Some(id.clone());
    SavedQueryResponse { language: code(language), id, saved_query: saved, links }
}

/// `POST /savedqueries`.
///
/// # Errors
/// [`Refusal`]: it is no query that could be answered, or there is no more room.
pub async fn create(State(service): State<Arc<Service>>, body: Body) -> Result<Response, Refusal> {
    let bytes = data::bytes(body, QUERY_BYTES).await?;
    let mut saved: SavedQuery = json(&bytes)?;
    saved.id = None;
    let language = saved.language()?;
    code(language).clone_into(&mut saved.language);
    let format = query::format(&saved.output_format)?;
    format.name().clone_into(&mut saved.output_format);
    Params::parse(format, saved.output_format_params.iter().map(String::as_str))
        .map_err(|error| Refusal::Format { reason: error.to_string() })?;
    let cube = service.cube(&saved.table_id).await.map_err(|refusal| match refusal {
        Refusal::Table { .. } => Refusal::malformed("tableId names no table; see /api/v2/tables"),
        other => other,
    })?;
    saved.table_id.clone_from(&cube.id);
    // Only what can be answered is kept.
    resolve(&cube, &saved.selection, language, service.site.web.max_data_cells)?;
    let text = serde_json::to_string(&saved).map_err(data::internal)?;
    let id: String = Digest::of("fellestall/saved-query/1", text.as_bytes())
        .to_string()
        .chars()
        .take(ID_DIGITS)
        .collect();
    let now = service.site.clock.now();
    let kept = service.site.databank.store().save_query(&id, &text, QUERIES, now).await?;
    if !kept {
        return Err(Refusal::Full);
    }
    let location = service.about().href(&format!("/savedqueries/{id}"), language);
    let document = response(&service, id, saved);
    let body = serde_json::to_vec(&document).map_err(data::internal)?;
    let media_type = HeaderValue::from_static("application/json");
    let mut answer =
        (StatusCode::CREATED, [(header::CONTENT_TYPE, media_type)], body).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(location) = HeaderValue::from_str(&location) {
        headers.insert(header::LOCATION, location);
    }
    Ok(answer)
}

/// The saved query with this id.
pub(super) async fn find(service: &Service, id: &str) -> Result<SavedQuery, Refusal> {
    let id = id.trim().to_ascii_lowercase();
    if id.len() != ID_DIGITS || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Refusal::SavedQuery);
    }
    let text = service.site.databank.store().saved_query(&id).await?;
    let text = text.ok_or(Refusal::SavedQuery)?;
    serde_json::from_str(&text).map_err(data::internal)
}

/// `GET /savedqueries/{id}`.
///
/// # Errors
/// [`Refusal::SavedQuery`]: there is none by that id.
pub async fn one(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let saved = find(&service, &id).await?;
    Ok(answer::json(&response(&service, id, saved), &headers, None))
}

/// `GET /savedqueries/{id}/data`.
///
/// # Errors
/// [`Refusal`]: what does not fit.
pub async fn data(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let saved = find(&service, &id).await?;
    let how = saved.how(&Query::parse(raw.as_deref()))?;
    data::data(&service, &saved.table_id, &saved.selection, how, &headers).await
}

/// `GET /savedqueries/{id}/selection`.
///
/// # Errors
/// [`Refusal`]: what does not fit.
pub async fn selection(
    State(service): State<Arc<Service>>,
    Id(id): Id,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let saved = find(&service, &id).await?;
    let asked = Query::parse(raw.as_deref()).language()?;
    let language = asked.map_or_else(|| saved.language(), Ok)?;
    let cube = service.cube(&saved.table_id).await?;
    let limit = service.site.web.max_data_cells;
    let resolved: Resolved = resolve(&cube, &saved.selection, language, limit)?;
    let path = format!("/savedqueries/{id}/selection");
    let document: SelectionResponse = selection_response(&service, &resolved, &path);
    Ok(answer::json(&document, &headers, Some(cube.updated)))
}
