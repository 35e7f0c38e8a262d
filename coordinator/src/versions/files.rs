//! The files of one version.
//!
//! **Invariant:** what follows from the publication alone may be kept for ever; what also depends on
//! how the service presents itself (the publisher's name, a DOI) is asked for again.

use super::{FOREVER, PageError, cite, id, measurements, pages, parse, read, unchanged};
use crate::public::Site;
use crate::publish::{Certificate, Publication, PublicationFile, csv};
use crate::store::StoreError;
use crate::store::publications::StoredPublication;
use crate::web::preferred;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use fellestall_shared::signed::Envelope;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The files of a version, with what each is sent as.
const FILES: [(&str, &str); 8] = [
    ("json", "application/json"),
    ("csv", "text/csv; charset=utf-8"),
    ("measurements.csv", "text/csv; charset=utf-8"),
    ("measurements.parquet", "application/vnd.apache.parquet"),
    ("presentation.json", "application/json"),
    ("certificate.json", "application/json"),
    ("citation", "text/plain; charset=utf-8"),
    ("datacite.json", "application/vnd.datacite.datacite+json"),
];

/// The language that an address asks for.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    lang: Option<String>,
}

impl Asked {
    /// The language: as asked for, or as the reader prefers.
    pub fn language(&self, headers: &HeaderMap) -> Language {
        let asked = self.lang.as_deref().and_then(crate::web::frame::language);
        asked.unwrap_or_else(|| preferred(headers))
    }
}

/// The certificate of a version by itself: what was promised, by whom, and over which digest.
#[derive(Serialize)]
struct CertificateFile<'a> {
    format: &'static str,
    publication: String,
    digest: Digest,
    certificate: &'a Certificate,
    seal: &'a Envelope,
}

/// `GET /publications/{id}.{kind}`; without a kind, to the page in the reader's language.
pub(super) async fn file(
    State(site): State<Arc<Site>>,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let (round, version, kind) = parse(&name).ok_or(PageError::NotFound)?;
    let language = asked.language(&headers);
    if kind.is_empty() {
        return Ok(pages::redirect(language, &format!("/publications/{}", id(&round, version))));
    }
    let known = FILES.iter().find(|(known, _)| *known == kind);
    let (kind, media_type) = *known.ok_or(PageError::NotFound)?;
    let store = site.databank.store();
    let stored = store.publication(&round, version).await?.ok_or(PageError::NotFound)?;
    let is_forever = !matches!(kind, "citation" | "datacite.json");
    let tag = format!("\"{}-{kind}\"", stored.digest);
    if is_forever && unchanged(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let body = match kind {
        "json" => stored.document,
        "presentation.json" => {
            store.presentation(&round, version).await?.ok_or(PageError::NotFound)?
        }
        "citation" => cite::citation(&site, &stored, language)?.into_bytes(),
        "datacite.json" => cite::datacite(&site, &stored)?,
        _ => made(stored, kind).await?,
    };
    if is_forever {
        let download = format!("attachment; filename=\"{}.{kind}\"", id(&round, version));
        let mut answer = tagged(media_type, FOREVER, &tag, body);
        if kind.starts_with("measurements") || kind == "csv" {
            let value = HeaderValue::from_str(&download).ok();
            value.map(|value| answer.headers_mut().insert(header::CONTENT_DISPOSITION, value));
        }
        return Ok(answer);
    }
    let tag = format!("\"{}\"", Digest::of("fellestall/file", &body).short());
    if unchanged(&headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let mut answer = tagged(media_type, "public, max-age=60", &tag, body);
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-language"));
    Ok(answer)
}

fn tagged(media_type: &str, caching: &str, tag: &str, body: Vec<u8>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, media_type), (header::ETAG, tag), (header::CACHE_CONTROL, caching)];
    (headers, body).into_response()
}

pub(super) fn not_modified(tag: &str) -> Response {
    (StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response()
}

/// What is worked out of the publication, away from the threads that answer.
async fn made(stored: StoredPublication, kind: &'static str) -> Result<Vec<u8>, PageError> {
    let damaged = || PageError::Store(StoreError::Damaged { column: "document" });
    let work = move || -> Result<Vec<u8>, PageError> {
        let PublicationFile { publication, seal, .. } = read(&stored)?;
        match kind {
            "csv" => csv::figures(&publication, Language::Nb).map_err(|_| damaged()),
            "measurements.csv" => Ok(measurements::csv(&publication)?),
            "measurements.parquet" => Ok(measurements::parquet(&publication)?),
            _ => certificate(&stored, &publication, &seal).ok_or_else(damaged),
        }
    };
    tokio::task::spawn_blocking(work).await.map_err(|_| damaged())?
}

fn certificate(
    stored: &StoredPublication,
    publication: &Publication,
    seal: &Envelope,
) -> Option<Vec<u8>> {
    let file = CertificateFile {
        format: "fellestall/certificate/1",
        publication: id(&publication.round, publication.version),
        digest: stored.digest,
        certificate: &publication.certificate,
        seal,
    };
    let mut bytes = serde_json::to_vec_pretty(&file).ok()?;
    bytes.push(b'\n');
    Some(bytes)
}
