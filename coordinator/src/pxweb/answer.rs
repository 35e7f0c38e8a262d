//! Answers that a client need not fetch twice.
//!
//! **Invariant:** an answer and the tag that names it change together.

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const HTTP_DATE: &[BorrowedFormatItem<'static>] = format_description!(
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// For a table as a page: a file that stands alone, with its style in itself.
const ALONE: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; sandbox",
);

/// What names one state of an answer. Weak: it names what is said, whatever its compression.
#[derive(Debug, Clone)]
pub struct Validators {
    tag: String,
    modified: Option<Timestamp>,
}

impl Validators {
    /// Validators over everything that the answer follows from.
    #[must_use]
    pub fn of(parts: &[&[u8]], modified: Option<Timestamp>) -> Self {
        let digest = Digest::of_parts("fellestall/pxweb-answer/1", parts).to_string();
        Self { tag: format!("W/\"{}\"", digest.get(..32).unwrap_or(&digest)), modified }
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// Whether the client has this already (RFC 9110, 13.2.2).
    #[must_use]
    pub fn is_known(&self, headers: &HeaderMap) -> bool {
        let mut tags = headers.get_all(header::IF_NONE_MATCH).iter().peekable();
        if tags.peek().is_some() {
            let own = self.tag.trim_start_matches("W/");
            return tags
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(','))
                .map(str::trim)
                .any(|tag| tag == "*" || tag.trim_start_matches("W/") == own);
        }
        let since = headers.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
        let since = since.and_then(|text| PrimitiveDateTime::parse(text.trim(), HTTP_DATE).ok());
        let since = since.map(|moment| moment.assume_utc().unix_timestamp());
        self.modified.zip(since).is_some_and(|(modified, since)| modified.unix() <= since)
    }

    fn put(&self, answer: &mut Response) {
        let headers = answer.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        if let Some(date) = self.modified.and_then(http_date)
            && let Ok(date) = HeaderValue::from_str(&date)
        {
            headers.insert(header::LAST_MODIFIED, date);
        }
    }

    /// The client has it already.
    #[must_use]
    pub fn not_modified(&self) -> Response {
        let mut answer = StatusCode::NOT_MODIFIED.into_response();
        self.put(&mut answer);
        answer
    }

    /// The answer itself.
    #[must_use]
    pub fn answer(&self, media_type: &'static str, body: Bytes) -> Response {
        let media_type = HeaderValue::from_static(media_type);
        let is_page = media_type.as_bytes().starts_with(b"text/html");
        let mut answer = ([(header::CONTENT_TYPE, media_type)], body).into_response();
        if is_page {
            answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, ALONE);
        }
        self.put(&mut answer);
        answer
    }
}

fn http_date(moment: Timestamp) -> Option<String> {
    OffsetDateTime::from_unix_timestamp(moment.unix()).ok()?.format(HTTP_DATE).ok()
}

/// A document as JSON, or that the client has it already.
pub fn json(
    document: &impl Serialize,
    headers: &HeaderMap,
    modified: Option<Timestamp>,
) -> Response {
    let body = serde_json::to_vec(document).unwrap_or_default();
    bytes(body, headers, modified)
}

/// JSON that is written already, or that the client has it already.
pub fn bytes(body: Vec<u8>, headers: &HeaderMap, modified: Option<Timestamp>) -> Response {
    let validators = Validators::of(&[&body], modified);
    if validators.is_known(headers) {
        return validators.not_modified();
    }
    validators.answer("application/json", body.into())
}
