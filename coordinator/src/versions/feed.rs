//! An Atom feed (RFC 4287) of publications, newest first.
//!
//! **Invariant:** well-formed XML whatever the texts hold; an entry's id is the address of its
//! version, which never changes.

use super::files::{Asked, not_modified};
use super::words::Words;
use super::{PageError, changes, id, publication, unchanged};
use crate::formats::html::escaped;
use crate::formats::words::code;
use crate::public::Site;
use crate::publish::Publication;
use crate::web::say;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use fellestall_shared::clock::Timestamp;
use fellestall_shared::digest::Digest;
use fellestall_shared::labels::Language;
use http::{HeaderMap, header};
use std::fmt::Write as _;
use std::sync::Arc;

/// Entries in a feed.
const ENTRIES: u32 = 30;

/// `GET /feed.atom`: in the language that is asked for or preferred.
pub(super) async fn any(
    State(site): State<Arc<Site>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let mut answer = feed(&site, asked.language(&headers), &headers).await?;
    let vary = http::HeaderValue::from_static("accept-language");
    answer.headers_mut().insert(header::VARY, vary);
    Ok(answer)
}

/// `GET /{language}/feed.atom`.
pub(super) async fn one(
    State(site): State<Arc<Site>>,
    Path(tongue): Path<String>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let language = crate::web::frame::language(&tongue).ok_or(PageError::NotFound)?;
    feed(&site, language, &headers).await
}

async fn feed(site: &Site, language: Language, headers: &HeaderMap) -> Result<Response, PageError> {
    let mut entries = String::new();
    let mut newest: Option<Timestamp> = None;
    for line in site.databank.store().publications(ENTRIES).await? {
        let Some(found) = publication(site, &line.round, line.version).await? else { continue };
        newest = newest.max(Some(line.created));
        let changes = super::changes(site, &found).await?;
        entry(&mut entries, site, &found, line.created, changes.as_ref(), language);
    }
    let words = Words::of(language);
    let (url, tongue) = (escaped(&site.url), code(language));
    let own = format!("{url}/{tongue}/feed.atom");
    let updated = newest.unwrap_or(Timestamp::from_unix(0));
    let publisher = escaped(&site.web.publisher);
    let feed = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"{tongue}\">\n\
         <id>{own}</id>\n<title>{publisher}: {}</title>\n<updated>{updated}</updated>\n\
         <author><name>{publisher}</name></author>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{own}\"/>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{url}/{tongue}/publications\"/>\n\
         <rights>{} {}</rights>\n{entries}</feed>\n",
        escaped(&words.title),
        escaped(&site.web.licence),
        escaped(&site.web.licence_url),
    );
    let tag = format!("\"{}\"", Digest::of("fellestall/feed", feed.as_bytes()).short());
    if unchanged(headers, &tag) {
        return Ok(not_modified(&tag));
    }
    let media_type = "application/atom+xml; charset=utf-8".to_owned();
    Ok(([(header::CONTENT_TYPE, media_type), (header::ETAG, tag)], feed).into_response())
}

fn entry(
    out: &mut String,
    site: &Site,
    publication: &Publication,
    published: Timestamp,
    changes: Option<&changes::Changes>,
    language: Language,
) {
    let words = Words::of(language);
    let id = id(&publication.round, publication.version);
    let (url, tongue) = (escaped(&site.url), code(language));
    let title = format!(
        "{}, {}, {} {}",
        publication.title.text(language),
        say::period(publication.period, language),
        words.version,
        publication.version
    );
    let coverage = &publication.coverage;
    let mut summary = vec![format!(
        "{} {} {} {} {}.",
        words.figures_from, coverage.reported, words.of, coverage.asked, words.municipalities
    )];
    summary.extend(changes.map(|it| it.sentences(words)).unwrap_or_default());
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "<entry>\n<id>{url}/publications/{id}</id>\n<title>{}</title>\n\
         <published>{published}</published>\n<updated>{published}</updated>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{url}/{tongue}/publications/{id}\"/>\n\
         <link rel=\"enclosure\" type=\"application/json\" href=\"{url}/publications/{id}.json\"/>\n\
         <summary>{}</summary>\n</entry>\n",
        escaped(&title),
        escaped(&summary.join(" ")),
    );
}
